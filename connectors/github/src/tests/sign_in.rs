//! Signing in: as an app, with tokens made by hand, and what is said when it does not work.

use grantwarden_kit::{
    auth::Credentials,
    connector::{Connector as _, TenantConfig},
    error::ErrorKind,
    model::Reason,
    secret::Secret,
};
use grantwarden_lab::{Effect, Fault};

use super::support::{NOW, OneHost, kit_at, part, reply, scan_session};
use crate::GitHub;

async fn refusal(config: TenantConfig) -> grantwarden_kit::error::Error {
    match GitHub::new().open(config, kit_at(NOW)) {
        Ok(session) => session.sign_in().await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_narrowed_to_what_is_needed_and_held() {
    let lab = OneHost::small().await;
    lab.tenant().set_right("organization_hooks", false);
    let scan = lab.scan().await;
    let hooks = &part(&scan, "organization-webhooks").losses[0].gap;
    assert_eq!(hooks.reason, Reason::Permission);
    assert!(hooks.detail.contains("organization_hooks: read"), "{}", hooks.detail);
    let calls = lab.tenant().calls();
    assert!(calls.iter().all(|call| call.path != "/orgs/small/hooks"), "a call was wasted");
    let asked = calls.iter().find(|call| call.path.ends_with("/access_tokens")).unwrap();
    let asked = asked.operation.as_deref().unwrap();
    assert!(asked.contains(r#""members":"read""#), "{asked}");
    assert!(!asked.contains("organization_hooks"), "{asked}");
    // The rest is whole.
    assert!(part(&scan, "installations").losses.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_corrected_by_githubs() {
    for skew in [-3_000, 3_000] {
        let lab = OneHost::small_now().await;
        let now = grantwarden_kit::clock::Clock::now(&grantwarden_kit::clock::SystemClock);
        let ours = grantwarden_kit::model::Timestamp::from_second(now.as_second() + skew).unwrap();
        let session = GitHub::new().open(lab.config(), kit_at(&ours.to_string())).unwrap();
        session.sign_in().await.unwrap();
        let refused = lab.tenant().count_calls(|call| call.status == Some(401));
        assert_eq!(refused, 1, "the second call goes by what the first one learned");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_tokens_and_numbers_as_issuers_are_taken() {
    let lab = OneHost::small_with(", long_tokens = true").await;
    let client = lab.tenant().client();
    let private_key = Secret::new(client.private_key_pem);
    let credentials = Credentials::GithubApp { client_id: client.app_id.to_string(), private_key };
    let session = GitHub::new().open(lab.config_with(credentials), kit_at(NOW)).unwrap();
    session.sign_in().await.unwrap();
    assert!(scan_session(session.as_ref()).await.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_an_app_out_is_said_with_what_to_do() {
    let lab = OneHost::small().await;
    let elsewhere = OneHost { account: "small-closed".into(), ..lab };
    let error = refusal(elsewhere.config()).await;
    assert_eq!(error.kind, ErrorKind::SignIn);
    assert!(
        error.hint.as_deref().unwrap().contains("not installed on the organisation small-closed"),
        "{error:?}"
    );
    let client = elsewhere.tenant().client();
    let wrong_key = Credentials::GithubApp {
        client_id: client.client_id.clone(),
        private_key: Secret::new(client.revoker_key_pem),
    };
    let error = refusal(elsewhere.config_with(wrong_key)).await;
    assert_eq!(error.kind, ErrorKind::SignIn);
    assert!(error.hint.as_deref().unwrap().contains("private key"), "{error:?}");

    let suspended = OneHost::team("garage-two").await;
    let session = suspended.session();
    let signed_in = session.sign_in().await;
    // GitHub may refuse the token itself, or its first use.
    let said = match signed_in {
        Err(error) => format!("{error:?}"),
        Ok(()) => format!("{:?}", scan_session(session.as_ref()).await.coverage),
    };
    assert!(said.contains("Unsuspend"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owners_classic_token_sees_all_but_fine_grained_tokens() {
    let lab = OneHost::small().await;
    let token = lab.tenant().client().owner_token;
    let lab = OneHost { token: Some(token), ..lab };
    let scan = lab.scan().await;
    let lost: Vec<&str> = scan
        .coverage
        .parts
        .iter()
        .filter(|part| part.losses.iter().any(|loss| loss.gap.reason.is_loss()))
        .map(|part| part.facet.as_str())
        .collect();
    // Webhooks that an OAuth app made are not shown to users.
    let without = [
        "fine-grained-tokens",
        "fine-grained-token-requests",
        "organization-webhooks",
        "repository-webhooks",
    ];
    assert_eq!(lost, without);
    let gap = &part(&scan, "fine-grained-tokens").losses[0].gap;
    assert_eq!(gap.reason, Reason::Permission);
    assert!(gap.detail.contains("only a GitHub App may"), "{}", gap.detail);
    let probe = lab.session().probe().await.unwrap();
    assert!(probe.notes.iter().any(|note| note.contains("2026-03-01")), "{:?}", probe.notes);
}

/// It shows less without a word: a part of the repositories.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_owner_role_is_never_whole() {
    let lab = OneHost::small().await;
    let token = lab.tenant().client().owner_token;
    lab.tenant().set_right("owner", false);
    let lab = OneHost { token: Some(token), ..lab };
    let scan = lab.scan().await;
    for facet in
        ["installations", "credential-authorizations", "deploy-keys", "organization-webhooks"]
    {
        let losses = &part(&scan, facet).losses;
        assert!(
            losses.iter().any(|loss| loss.gap.reason == Reason::Permission),
            "{facet}: {losses:#?}"
        );
    }
    assert!(!scan.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn single_sign_on_before_a_token_is_said_without_its_address() {
    let lab = OneHost::small().await;
    let token = lab.tenant().client().member_token;
    let lab = OneHost { token: Some(token), ..lab };
    let scan = lab.scan().await;
    let said = format!("{:?}", scan.coverage);
    assert!(said.contains("Configure SSO"), "{said}");
    assert!(!said.contains("authorization_request"), "{said}");
    assert!(!scan.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_one_is_not_sent() {
    let lab = OneHost::small().await;
    let token = "ghp_FAKEFAKEFAKEFAKEFAKEFAKEFAKE00000000".to_owned();
    assert_eq!(token.len(), 40);
    for token in [token, "ghr_FAKE".to_owned()] {
        let config = lab.config_with(Credentials::Static { token: Secret::new(token) });
        let error = refusal(config).await;
        assert_eq!(error.kind, ErrorKind::Secret);
        assert!(!format!("{error:?}").contains("FAKE"), "{error:?}");
    }
    assert_eq!(lab.tenant().calls().len(), 0);
    let wrong = Credentials::Static { token: Secret::new("FAKE-no-token".into()) };
    let error = refusal(lab.config_with(wrong)).await;
    assert_eq!(error.kind, ErrorKind::Unauthorized);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_configured_wrongly_is_said_before_any_call() {
    let lab = OneHost::small().await;
    let with = |change: &dyn Fn(&mut TenantConfig)| {
        let mut config = lab.config();
        change(&mut config);
        GitHub::new().open(config, kit_at(NOW)).err().unwrap().kind
    };
    assert_eq!(with(&|config| config.account = None), ErrorKind::Configuration);
    assert_eq!(with(&|config| config.account = Some("a/b".into())), ErrorKind::Configuration);
    assert_eq!(
        with(&|config| config.base_url = "http://ghe.acme.example".parse().unwrap()),
        ErrorKind::Configuration
    );
}

/// Any web server may stand at an address: without GitHub's own words nothing is assumed.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_no_github_is_refused() {
    let lab = OneHost::small().await;
    lab.tenant().inject(Fault::new(Effect::Html).on_path("/meta"));
    let error = refusal(lab.config()).await;
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.hint.as_deref().unwrap().contains("api.github.com"));
    let calls = lab.tenant().calls();
    assert!(calls.iter().all(|call| call.path.ends_with("/meta")), "a token may have been sent");
    // The network is another matter: it is not told as a wrong address.
    lab.tenant().clear_faults();
    lab.tenant().inject(Fault::new(Effect::ServerError).on_path("/meta"));
    assert_eq!(refusal(lab.config()).await.kind, ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_sees_each_facet_with_a_small_call() {
    let lab = OneHost::small().await;
    lab.tenant().set_right("members", false);
    let probe = lab.session().probe().await.unwrap();
    let gap = |facet: &str| {
        let found = probe.facets.iter().find(|visibility| visibility.facet == facet).unwrap();
        found.gap.clone()
    };
    for facet in [
        "organization",
        "installations",
        "deploy-keys",
        "audit-events",
        "credential-authorizations",
    ] {
        assert_eq!(gap(facet), None, "{facet}");
    }
    assert_eq!(gap("members").unwrap().reason, Reason::Permission);
    assert!(gap("members").unwrap().detail.contains("members: read"));
    assert_eq!(gap("site-tokens").unwrap().reason, Reason::PlatformSilent);
    assert_eq!(probe.tenant, "Small Company (small)");
    assert!(probe.identity.contains("installation"), "{}", probe.identity);
    // Signing in, a call for each facet, and the token's end.
    let calls = lab.tenant().count_calls(|call| !call.path.ends_with("/meta"));
    assert!(calls <= 2 + 10 + 1, "{calls} calls");
}

/// A missing right that GitHub hides is a missing right.
#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_not_none() {
    let lab = OneHost::small().await;
    for path in ["/hooks", "/personal-access-tokens", "/credential-authorizations"] {
        lab.tenant().inject(Fault::new(reply(404, "Not Found", &[])).on_path(path));
    }
    let scan = lab.scan().await;
    for facet in ["organization-webhooks", "fine-grained-tokens"] {
        let gap = &part(&scan, facet).losses[0].gap;
        assert_eq!(gap.reason, Reason::Permission, "{facet}");
        assert!(gap.detail.contains("no permission"), "{}", gap.detail);
    }
    assert!(!scan.coverage.is_whole());
}
