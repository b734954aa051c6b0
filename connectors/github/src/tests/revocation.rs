//! Taking access away.

use grantwarden_kit::{
    connector::{Connector as _, Revoke, Step, StepOutcome, Targets, Verification},
    error::ErrorKind,
    model::{App, Grant},
};
use grantwarden_lab::{Effect, Fault};

use super::support::{ENTERPRISE, NOW, OneHost, Scan, app, grant, kit_at, reply};
use crate::GitHub;

fn targets(scan: &Scan, apps: &[&str], grants: &[&str]) -> Targets {
    let apps: Vec<App> = apps.iter().map(|id| app(scan, id).clone()).collect();
    let grants: Vec<Grant> = grants.iter().map(|id| grant(scan, id).clone()).collect();
    Targets { apps, grants }
}

fn actions(steps: &[Step]) -> Vec<(&str, &str)> {
    steps.iter().map(|step| (step.action.as_str(), step.target.as_str())).collect()
}

async fn carry_out(revoker: &dyn Revoke, steps: &[Step]) {
    for step in steps {
        let outcome = revoker.apply(step).await;
        assert!(matches!(outcome, StepOutcome::Done), "{}: {outcome:?}", step.title);
        let seen = revoker.verify(step).await;
        assert!(matches!(seen, Verification::Gone), "{}: {seen:?}", step.title);
    }
    // Twice does no harm.
    for step in steps
        .iter()
        .filter(|step| step.action.starts_with("delete") || step.action.starts_with("revoke"))
    {
        let again = revoker.apply(step).await;
        assert!(matches!(again, StepOutcome::AlreadyGone), "{}: {again:?}", step.title);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_taken_away_one_by_one() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let named = [
        "repository-webhook:70002",
        "webhook:70001",
        "deploy-key:12001",
        "fine-grained-token:25002",
        "credential:161002",
        "credential:161003",
    ];
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets(&scan, &[], &named)).await.unwrap();
    assert_eq!(
        actions(&plan.steps),
        [
            ("revoke-credential-authorization", "161002"),
            ("revoke-credential-authorization", "161003"),
            ("revoke-fine-grained-token", "25002"),
            ("delete-deploy-key", "12001"),
            ("disable-webhook", "70001"),
            ("disable-webhook", "70002"),
            ("delete-webhook", "70001"),
            ("delete-webhook", "70002"),
        ]
    );
    let tenant = lab.tenant();
    // The plan reads only.
    assert!(tenant.has_credential("small", 161_002) && tenant.has_hook("small/backend", 70_002));
    carry_out(revoker.as_ref(), &plan.steps).await;
    assert!(!tenant.has_credential("small", 161_002) && !tenant.has_pat("small", 25_002));
    assert!(!tenant.has_deploy_key("small/backend", 12_001));
    assert!(!tenant.has_hook("small", 70_001) && !tenant.has_hook("small/backend", 70_002));
    // Nothing else went.
    assert!(
        tenant.has_credential("small", 161_001) && tenant.has_deploy_key("small/backend", 12_002)
    );
    assert!(tenant.has_pat("small", 25_001) && tenant.has_hook("small/website", 70_003));
}

/// In an organisation no interface uninstalls another's app. What it left behind is part of the plan if the tie is exact.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_an_organisation_is_uninstalled_by_hand() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let mut wanted = targets(&scan, &["app:3001"], &[]);
    let plan = lab.revoker().plan(&wanted).await.unwrap();
    assert!(plan.steps.is_empty(), "{:#?}", plan.steps);
    let by_hand = plan.by_hand.join("\n");
    assert!(by_hand.contains("Suspend") && by_hand.contains("installations/7001"), "{by_hand}");
    // The host only resembles the vendor's.
    assert!(by_hand.contains("Look at the webhook 70001"), "{by_hand}");
    assert!(by_hand.contains("repository-webhooks"), "{by_hand}");
    // Known as the vendor's, it is a tie.
    wanted.apps[0].web_domains =
        grantwarden_kit::model::Observed::Known(vec!["hooks.drift.example".to_owned()]);
    let plan = lab.revoker().plan(&wanted).await.unwrap();
    // But nothing is deleted by what an app says of itself.
    assert_eq!(actions(&plan.steps), [("disable-webhook", "70001")]);
    assert!(plan.by_hand.iter().any(|text| text.contains("which is switched off")));
}

/// Who added a key ties it to an app; a title is only a guess.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_an_app_left_behind_are_deleted_only_if_it_added_them() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let keys = r#"[
        {"id":1,"title":"deploy","read_only":false,"added_by":"drift[bot]","last_used":null},
        {"id":2,"title":"DRIFT mirror","read_only":true,"added_by":"sam","last_used":null},
        {"id":3,"title":"other","read_only":true,"added_by":"drift","last_used":null}
    ]"#;
    let keys = Effect::Reply { status: 200, headers: Vec::new(), body: keys.into() };
    lab.tenant().inject(Fault::new(keys).on_path("/repos/small/backend/keys"));
    let plan = lab.revoker().plan(&targets(&scan, &["app:3001"], &[])).await.unwrap();
    assert_eq!(actions(&plan.steps), [("delete-deploy-key", "1")]);
    assert_eq!(plan.steps[0].details["repository"], "small/backend");
    let guesses: Vec<_> =
        plan.by_hand.iter().filter(|text| text.contains("Look at the deploy key")).collect();
    assert!(guesses.len() == 1 && guesses[0].contains("DRIFT mirror"), "{guesses:#?}");
    // The tie holds when the app is gone.
    let none = r#"{"total_count":0,"installations":[]}"#;
    let none = Effect::Reply { status: 200, headers: Vec::new(), body: none.into() };
    lab.tenant().inject(Fault::new(none).on_path("/orgs/small/installations"));
    let plan = lab.revoker().plan(&targets(&scan, &["app:3001"], &[])).await.unwrap();
    assert_eq!(actions(&plan.steps), [("delete-deploy-key", "1")]);
    // What cannot be looked through is said.
    lab.tenant().inject(Fault::new(reply(403, "no", &[])).on_path("/graphql"));
    let plan = lab.revoker().plan(&targets(&scan, &["app:3001"], &[])).await.unwrap();
    assert!(plan.by_hand.iter().any(|text| text.contains("could not be looked through")));
}

/// A filter by a name that nobody has any more finds nothing, and proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_was_renamed_does_not_make_a_credential_gone() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let revoker = lab.revoker();
    let mut plan = revoker.plan(&targets(&scan, &[], &["credential:161002"])).await.unwrap();
    plan.steps[0].details.insert("login".into(), "sam-as-he-was".into());
    let seen = revoker.verify(&plan.steps[0]).await;
    assert!(matches!(seen, Verification::StillThere(1)), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_narrows_and_uninstalls_an_app() {
    let lab = OneHost::enterprise().await;
    let scan = lab.scan().await;
    let drift = grant(&scan, "installation:7001").app.clone();
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets(&scan, &[&drift], &[])).await.unwrap();
    assert_eq!(
        actions(&plan.steps),
        [("narrow-installation", "7001"), ("uninstall-app", "7001"), ("uninstall-app", "7006")]
    );
    assert!(
        plan.by_hand
            .iter()
            .any(|text| text.contains("small-labs needs an empty private repository"))
    );
    assert!(plan.steps[0].undo.as_deref().unwrap().contains(r#""all""#));
    let (narrow, uninstall) = (&plan.steps[0], &plan.steps[1]);
    assert!(matches!(revoker.verify(narrow).await, Verification::StillThere(1)));
    assert!(matches!(revoker.apply(narrow).await, StepOutcome::Done));
    assert!(matches!(revoker.verify(narrow).await, Verification::Gone));
    assert_eq!(lab.tenant().selected_repositories("small", "drift").unwrap(), ["quarantine"]);
    assert!(matches!(revoker.verify(uninstall).await, Verification::StillThere(1)));
    assert!(matches!(revoker.apply(uninstall).await, StepOutcome::Done));
    assert!(matches!(revoker.verify(uninstall).await, Verification::Gone));
    assert!(!lab.tenant().has_installation("small", "drift"));
    assert!(lab.tenant().has_installation("small-labs", "drift"), "nobody asked for that yet");
    assert!(matches!(revoker.apply(uninstall).await, StepOutcome::AlreadyGone));
    assert!(matches!(revoker.verify(narrow).await, Verification::Gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_for_many_is_never_ended_at_once() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let all = [
        "personal-access-tokens",
        "oauth-app-tokens",
        "ssh-keys",
        "deploy-keys",
        "fine-grained-personal-access-tokens",
    ];
    let plan = lab.revoker().plan(&targets(&scan, &all, &[])).await.unwrap();
    assert!(plan.steps.is_empty());
    assert_eq!(plan.by_hand.len(), all.len());
    let oauth = lab.revoker().plan(&targets(&scan, &["oauth-app:4001"], &[])).await.unwrap();
    assert!(oauth.steps.is_empty() && oauth.by_hand[0].contains("OAuth app policy"));
    let host =
        lab.revoker().plan(&targets(&scan, &["webhook:hooks.drift.example"], &[])).await.unwrap();
    assert_eq!(actions(&host.steps), [("disable-webhook", "70001"), ("delete-webhook", "70001")]);
}

/// Whoever revokes with it would lock themselves out.
#[tokio::test(flavor = "multi_thread")]
async fn the_own_installation_and_the_own_token_are_never_planned() {
    let lab = OneHost::enterprise().await;
    let scan = lab.scan().await;
    let client = lab.tenant().client();
    let own = super::support::apps(&scan)
        .find(|app| app.client_ids.known().is_some_and(|ids| ids.contains(&client.client_id)));
    // In an organisation the scanner's own installation is listed; it is what we revoke with.
    let lab = OneHost { account: "small".into(), ..lab };
    let scan_of_org = lab.scan().await;
    let own_id = own.map_or_else(
        || {
            super::support::apps(&scan_of_org)
                .find(|app| app.name == "Grantwarden")
                .unwrap()
                .id
                .clone()
        },
        |app| app.id.clone(),
    );
    assert!(!own_id.is_empty());
    let revoker = GitHub::new().open_revoker(lab.config(), kit_at(NOW)).unwrap();
    let own = super::support::apps(&scan_of_org).find(|app| app.name == "Grantwarden").unwrap();
    let plan =
        revoker.plan(&Targets { apps: vec![own.clone()], grants: Vec::new() }).await.unwrap();
    assert!(plan.steps.is_empty(), "{:#?}", plan.steps);
    assert!(
        plan.by_hand.iter().any(|text| text.contains("its own installation")),
        "{:#?}",
        plan.by_hand
    );

    let token = client.owner_token;
    let last_eight = token[token.len() - 8..].to_owned();
    let lab = OneHost { token: Some(token), ..lab };
    let mut target = grant(&scan_of_org, "credential:161002").clone();
    for setting in target.settings.iter_mut().filter(|setting| setting.name == "Token ends with") {
        setting.value = grantwarden_kit::model::Observed::Known(last_eight.clone());
    }
    let revoker = GitHub::new().open_revoker(lab.config(), kit_at(NOW)).unwrap();
    let plan = revoker.plan(&Targets { apps: Vec::new(), grants: vec![target] }).await.unwrap();
    assert!(plan.steps.is_empty(), "{:#?}", plan.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_without_proof_is_no_success() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets(&scan, &[], &["credential:161002"])).await.unwrap();
    let step = &plan.steps[0];
    // GitHub says "not found" of what we may not change: the credential is still listed.
    let hidden =
        Fault::new(reply(404, "Not Found", &[])).on_path("/credential-authorizations/161002");
    lab.tenant().inject(hidden);
    let outcome = revoker.apply(step).await;
    let StepOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(lab.tenant().has_credential("small", 161_002));
    // And of a listing that we may not see.
    lab.tenant().clear_faults();
    lab.tenant()
        .inject(Fault::new(reply(404, "Not Found", &[])).on_path("/credential-authorizations"));
    assert!(matches!(revoker.verify(step).await, Verification::CannotTell(_)));
    lab.tenant().clear_faults();
    let partial = Effect::Reply {
        status: 200,
        headers: vec![("x-github-sso".into(), "partial-results; organizations=1".into())],
        body: "[]".into(),
    };
    lab.tenant().inject(Fault::new(partial).on_path("/credential-authorizations"));
    assert!(matches!(revoker.verify(step).await, Verification::CannotTell(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_answer_is_lost_is_not_repeated() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets(&scan, &[], &["deploy-key:12001"])).await.unwrap();
    let step = &plan.steps[0];
    lab.tenant().forget_calls();
    lab.tenant().inject(Fault::new(Effect::Drop).on_path("/keys/12001"));
    let outcome = revoker.apply(step).await;
    let StepOutcome::Unknown(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
    assert_eq!(lab.tenant().count_calls(|call| call.method == "DELETE"), 1);
    lab.tenant().clear_faults();
    assert!(matches!(revoker.verify(step).await, Verification::StillThere(1)));
}

/// What GitHub queues is not "still there" before its time, and not "gone" either.
#[tokio::test(flavor = "multi_thread")]
async fn a_queued_change_is_neither_gone_nor_there() {
    let lab = OneHost::small_with(", revocation_lag_seconds = 3600").await;
    let scan = lab.scan().await;
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets(&scan, &[], &["fine-grained-token:25002"])).await.unwrap();
    let step = &plan.steps[0];
    let queued = Effect::Reply { status: 202, headers: Vec::new(), body: "{}".into() };
    lab.tenant().inject(Fault::new(queued).on_path("/personal-access-tokens/25002"));
    assert!(matches!(revoker.apply(step).await, StepOutcome::Done));
    let seen = revoker.verify(step).await;
    let Verification::CannotTell(error) = seen else { panic!("{seen:?}") };
    assert!(error.hint.as_deref().unwrap().contains("five minutes"));
    // Another process, which knows of no queue, sees what is there.
    assert!(matches!(lab.revoker().verify(step).await, Verification::StillThere(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoker_without_the_right_is_refused() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let plan = lab.revoker().plan(&targets(&scan, &[], &["credential:161002"])).await.unwrap();
    // With the scanner's own app, which reads only.
    let reader = GitHub::new().open_revoker(lab.config(), kit_at(NOW)).unwrap();
    let outcome = reader.apply(&plan.steps[0]).await;
    let StepOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(
        error.hint.as_deref().unwrap().contains("organization_administration=write"),
        "{error:?}"
    );
    assert!(lab.tenant().has_credential("small", 161_002));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_tokens_are_deleted_for_good() {
    let lab = OneHost::server().await;
    let token = lab.tenant().client().site_admin_token;
    let lab = OneHost { token: Some(token), ..lab };
    let scan = lab.scan().await;
    let chat = grant(&scan, "site-token:502").app.clone();
    let revoker = GitHub::new().open_revoker(lab.config(), kit_at(NOW)).unwrap();
    let plan = revoker.plan(&targets(&scan, &[&chat], &["site-token:501"])).await.unwrap();
    assert_eq!(actions(&plan.steps), [("delete-site-token", "501"), ("delete-site-token", "502")]);
    carry_out(revoker.as_ref(), &plan.steps).await;
    assert!(!lab.tenant().has_site_token(501) && !lab.tenant().has_site_token(502));
}

#[test]
fn an_enterprise_is_named_as_such() {
    assert!(crate::site::Account::parse(ENTERPRISE).is_ok());
}
