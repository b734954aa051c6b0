//! What somebody could make of GitHub's answers: other people's names, short pages, lists that say nothing.

use grantwarden_kit::{
    connector::{Connector as _, StepOutcome, Targets, Verification},
    error::ErrorKind,
    model::{Grant, Observed, Origin, Reason},
};
use grantwarden_lab::{Effect, Fault};

use super::support::{
    NOW, OneHost, app, grant, grants, kit_at, part, reply, scale, scan_session, setting, tenant,
};
use crate::GitHub;

fn json(body: &str) -> Effect {
    Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() }
}

/// The name of an app in addresses can be given up, and be somebody else's at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_another_app_tells_nothing() {
    let lab = OneHost::small().await;
    let other = r#"{"id":999999,"slug":"drift","client_id":"Iv1.FAKEother","name":"Ours","owner":{"login":"small","type":"Organization"},"permissions":{}}"#;
    lab.tenant().inject(Fault::new(json(other)).on_path("/apps/drift").times(1));
    // One process, as with several tenants.
    let github = GitHub::new();
    let first = github.open(lab.config(), kit_at(NOW)).unwrap();
    first.sign_in().await.unwrap();
    let scan = scan_session(first.as_ref()).await;
    let drift = app(&scan, "app:3001");
    assert_eq!((drift.origin, drift.name.as_str()), (Origin::ThirdParty, "drift"));
    assert!(drift.publisher.gap().is_some());
    assert_eq!(part(&scan, "app-owners").losses[0].rows, Some(1));
    // What was remembered of the other app is not told of this one.
    let second = github.open(lab.config(), kit_at(NOW)).unwrap();
    second.sign_in().await.unwrap();
    let scan = scan_session(second.as_ref()).await;
    assert_eq!(app(&scan, "app:3001").publisher.known().unwrap().name, "drift-apps");
}

/// A page without its rows and without a link to the next one looks like the last.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_cut_short_is_a_loss() {
    let lab = OneHost::start(scale(1_500, |_| {}), "generated", "generated").await;
    let later = Fault::new(json("[]")).on_path("/personal-access-tokens").on_text("later page");
    lab.tenant().inject(later.times(1));
    let scan = lab.scan().await;
    let tokens = part(&scan, "fine-grained-tokens");
    assert_eq!(tokens.read, 100);
    assert!(tokens.losses[0].gap.detail.contains("300"), "{:#?}", tokens.losses);
    assert!(!scan.coverage.is_whole());
}

/// Where the pages of credentials are numbered, rows may move between them.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_on_numbered_pages_are_counted() {
    let lab = OneHost::small().await;
    let base = lab.tenant().base_url().to_owned();
    let link =
        format!("<{base}/orgs/small/credential-authorizations?per_page=100&page=2>; rel=\"next\"");
    let body = r#"[{"login":"sam","credential_id":9,"credential_type":"SSH key"}]"#.to_owned();
    let first = Effect::Reply { status: 200, headers: vec![("link".into(), link)], body };
    lab.tenant().inject(Fault::new(first).on_path("/credential-authorizations").times(1));
    lab.scan().await;
    let counted = lab.tenant().count_calls(|call| {
        call.path.ends_with("/credential-authorizations")
            && call.query.contains(&("per_page".into(), "1".into()))
    });
    assert!(counted > 0);
}

/// What is of one installation is not told of the app, which has others.
#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_keeps_apart_what_is_of_one_installation() {
    let scan = OneHost::enterprise().await.scan().await;
    let one = grant(&scan, "installation:7001");
    let drift = app(&scan, &one.app);
    assert!(drift.created_at.gap().is_some() && drift.changed_at.gap().is_some());
    assert!(drift.settings.iter().all(|setting| setting.name == "Slug"), "{:?}", drift.settings);
    let waiting = "Permissions that the app asks for and was not given";
    assert!(setting(one, waiting).unwrap().contains("secrets:write"));
}

/// A facet that was given up does not make those that hang on it whole.
#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_a_facet_that_was_given_up_says_so() {
    let mut lab = OneHost::enterprise().await;
    lab.skip = vec!["installations".to_owned()];
    let scan = lab.scan().await;
    for facet in ["app-owners", "selected-repositories"] {
        assert_eq!(part(&scan, facet).losses[0].gap.reason, Reason::Skipped, "{facet}");
    }
}

/// The organisation's number is not worth the rest of the scan.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_is_not_to_be_read_still_has_grants() {
    let lab = OneHost::small().await;
    let token = lab.tenant().client().owner_token;
    let lab = OneHost { token: Some(token), skip: vec!["organization".to_owned()], ..lab };
    let scan = lab.scan().await;
    assert_eq!(tenant(&scan).id, "login:small");
    assert!(grants(&scan).any(|grant| grant.id == "installation:7001"));
}

/// A list that is not there in somebody else's words is no matter of the plan.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_proxy_is_no_licence() {
    let lab = OneHost::small().await;
    let page = |body: &str| Effect::Reply { status: 404, headers: Vec::new(), body: body.into() };
    let blocked = page("<html><body>This address is blocked.</body></html>");
    lab.tenant().inject(Fault::new(blocked).on_path("/credential-authorizations"));
    // And GitHub Enterprise, which has the log, does not lack it for its plan.
    lab.tenant().inject(Fault::new(reply(404, "Not Found", &[])).on_path("/audit-log"));
    let scan = lab.scan().await;
    let gap = &part(&scan, "credential-authorizations").losses[0].gap;
    assert_eq!(gap.reason, Reason::CallFailed, "{}", gap.detail);
    for facet in ["oauth-app-policy", "audit-events"] {
        assert_eq!(part(&scan, facet).losses[0].gap.reason, Reason::Permission, "{facet}");
    }
    assert!(!scan.coverage.is_whole());
}

/// GraphQL says in a header, too, that it leaves something out.
#[tokio::test(flavor = "multi_thread")]
async fn repositories_that_single_sign_on_hides_are_a_loss() {
    let lab = OneHost::small().await;
    let body = r#"{"data":{"organization":{"repositories":{"totalCount":0,"nodes":[],"pageInfo":{"endCursor":null,"hasNextPage":false}}}}}"#;
    let header = ("x-github-sso".to_owned(), "partial-results; organizations=1".to_owned());
    let partial = Effect::Reply { status: 200, headers: vec![header], body: body.to_owned() };
    lab.tenant().inject(Fault::new(partial).on_path("/graphql"));
    let scan = lab.scan().await;
    assert_eq!(part(&scan, "deploy-keys").losses[0].gap.reason, Reason::Permission);
}

/// Of a repository that a user does not administer GitHub shows no keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_proven_to_be_an_owners_does_not_see_all_keys() {
    let lab = OneHost::small().await;
    let token = lab.tenant().client().owner_token;
    let lab = OneHost { token: Some(token), ..lab };
    assert!(part(&lab.scan().await, "deploy-keys").losses.is_empty());
    lab.tenant()
        .inject(Fault::new(reply(404, "Not Found", &[])).on_path("/orgs/small/installations"));
    let losses = &part(&lab.scan().await, "deploy-keys").losses.clone();
    assert!(losses.iter().any(|loss| loss.gap.detail.contains("an owner's")), "{losses:#?}");
}

/// A key that may or may not write is not read to its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_whose_rights_are_not_told_is_a_loss() {
    let lab = OneHost::small().await;
    let keys = r#"[{"id":1,"title":"one"},{"id":2,"title":"two","read_only":true}]"#;
    lab.tenant().inject(Fault::new(json(keys)).on_path("/repos/small/backend/keys"));
    let token = r#"[{"login":"sam","credential_id":9,"credential_type":"OAuth app token"}]"#;
    lab.tenant().inject(Fault::new(json(token)).on_path("/credential-authorizations"));
    let scan = lab.scan().await;
    assert!(grant(&scan, "deploy-key:1").scopes.gap().is_some());
    for facet in ["deploy-keys", "credential-authorizations"] {
        let losses = &part(&scan, facet).losses;
        assert_eq!(losses[0].gap.reason, Reason::CallFailed, "{facet}: {losses:#?}");
        assert_eq!(losses[0].rows, Some(0), "{facet}");
    }
    assert!(!scan.coverage.is_whole());
}

/// Every organisation has an owner.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_without_an_owner_is_not_shown_whole() {
    let lab = OneHost::small().await;
    lab.tenant().inject(Fault::new(json("[]")).on_path("/orgs/small/members"));
    let scan = lab.scan().await;
    assert_eq!(part(&scan, "members").losses[0].gap.reason, Reason::Permission);
    let holder = grant(&scan, "credential:161002").holder.principal().unwrap();
    assert_eq!(holder.privileges.gap().unwrap().reason, Reason::Permission);
}

/// Doctor does not say yes to what the scan then books as lost.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_of_repositories_that_are_not_seen() {
    let lab = OneHost::small().await;
    let body = serde_json::json!({
        "token": "ghs_FAKEselected", "expires_at": "2026-01-15T13:00:00Z",
        "permissions": { "administration": "read", "repository_hooks": "read" },
        "repository_selection": "selected",
    });
    let narrowed = Effect::Reply { status: 201, headers: Vec::new(), body: body.to_string() };
    lab.tenant().inject(Fault::new(narrowed).on_path("/access_tokens"));
    let probe = lab.session().probe().await.unwrap();
    for facet in ["deploy-keys", "repository-webhooks"] {
        let found = probe.facets.iter().find(|visibility| visibility.facet == facet).unwrap();
        let gap = found.gap.as_ref().unwrap();
        assert!(gap.detail.contains("some of the repositories"), "{facet}: {}", gap.detail);
    }
}

fn of_grants(grants: Vec<Grant>) -> Targets {
    Targets { apps: Vec::new(), grants }
}

/// Two webhooks of one number, of the organisation and of a repository, are two.
#[tokio::test(flavor = "multi_thread")]
async fn targets_of_the_same_number_are_all_planned() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let mut other = grant(&scan, "repository-webhook:70002").clone();
    other.id = "repository-webhook:70001".to_owned();
    let wanted = of_grants(vec![grant(&scan, "webhook:70001").clone(), other]);
    let plan = lab.revoker().plan(&wanted).await.unwrap();
    assert_eq!(plan.steps.len(), 4, "{:#?}", plan.steps);
}

/// An organisation without single sign-on lists nothing, whatever there is.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_does_not_make_a_credential_gone() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let revoker = lab.revoker();
    let wanted = of_grants(vec![grant(&scan, "credential:161002").clone()]);
    let plan = revoker.plan(&wanted).await.unwrap();
    lab.tenant().inject(Fault::new(json("[]")).on_path("/credential-authorizations"));
    let seen = revoker.verify(&plan.steps[0]).await;
    assert!(matches!(seen, Verification::CannotTell(_)), "{seen:?}");
}

/// A user is not shown webhooks that an OAuth app made: without it in the list it may be there.
#[tokio::test(flavor = "multi_thread")]
async fn a_users_list_of_webhooks_proves_nothing_gone() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let wanted = of_grants(vec![grant(&scan, "webhook:70001").clone()]);
    let token = lab.tenant().client().owner_token;
    let lab = OneHost { token: Some(token), ..lab };
    let revoker = GitHub::new().open_revoker(lab.config(), kit_at(NOW)).unwrap();
    let plan = revoker.plan(&wanted).await.unwrap();
    lab.tenant().inject(Fault::new(json("[]")).on_path("/orgs/small/hooks"));
    for step in &plan.steps {
        let seen = revoker.verify(step).await;
        assert!(matches!(seen, Verification::CannotTell(_)), "{seen:?}");
    }
}

/// A sweep that leads nowhere was not a sweep.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_left_keys_that_stops_midway_is_said() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let mut drift = app(&scan, "app:3001").clone();
    drift.web_domains = Observed::Absent;
    let body = r#"{"data":{"organization":{"repositories":{"totalCount":500,"nodes":[],"pageInfo":{"endCursor":null,"hasNextPage":true}}}}}"#;
    lab.tenant().inject(Fault::new(json(body)).on_path("/graphql"));
    let plan =
        lab.revoker().plan(&Targets { apps: vec![drift], grants: Vec::new() }).await.unwrap();
    let by_hand = plan.by_hand.join("\n");
    assert!(by_hand.contains("deploy keys could not be looked through"), "{by_hand}");
}

/// Every target of a plan gets what is known once, however many they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_many_apps_reads_the_enterprise_once() {
    let lab = OneHost::enterprise().await;
    let scan = lab.scan().await;
    let named = ["installation:7001", "installation:7002"];
    let apps = named.map(|id| app(&scan, &grant(&scan, id).app).clone());
    lab.tenant().forget_calls();
    lab.revoker().plan(&Targets { apps: apps.to_vec(), grants: Vec::new() }).await.unwrap();
    let listed = lab.tenant().count_calls(|call| call.path.ends_with("/installable_organizations"));
    assert_eq!(listed, 1);
}

/// A receiver whose address is not told is not "nothing to do".
#[tokio::test(flavor = "multi_thread")]
async fn webhooks_without_an_address_are_left_to_a_person() {
    let lab = OneHost::small().await;
    lab.tenant()
        .inject(Fault::new(json(r#"[{"id":8,"name":"email"}]"#)).on_path("/orgs/small/hooks"));
    let scan = lab.scan().await;
    let untold = app(&scan, &grant(&scan, "webhook:8").app).clone();
    let plan =
        lab.revoker().plan(&Targets { apps: vec![untold], grants: Vec::new() }).await.unwrap();
    assert!(plan.steps.is_empty() && plan.by_hand[0].contains("Name the grants"), "{plan:?}");
}

/// Two tenants of one app, and two scans of one tenant, each have a token of their own: the end of one is not the end of another.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_ends_no_other_scan() {
    let lab = OneHost::small().await;
    let other = lab.session();
    other.sign_in().await.unwrap();
    let session = lab.session();
    session.sign_in().await.unwrap();
    let (one, two) = tokio::join!(scan_session(session.as_ref()), scan_session(session.as_ref()));
    assert!(one.coverage.is_whole() && two.coverage.is_whole());
    assert!(scan_session(other.as_ref()).await.coverage.is_whole());
    let ended = lab.tenant().count_calls(|call| call.path == "/installation/token");
    assert!(ended >= 2, "{ended}");
}

/// A token may reach more than the account that the plan is for.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_never_leaves_the_account() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let revoker = lab.revoker();
    let wanted = ["deploy-key:12001", "repository-webhook:70002"];
    let wanted = of_grants(wanted.map(|id| grant(&scan, id).clone()).to_vec());
    let mut plan = revoker.plan(&wanted).await.unwrap();
    lab.tenant().forget_calls();
    for step in &mut plan.steps {
        step.details.insert("repository".to_owned(), "small-labs/prototype".to_owned());
        let outcome = revoker.apply(step).await;
        let StepOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.kind, ErrorKind::Configuration);
    }
    assert_eq!(lab.tenant().count_calls(|call| call.path.starts_with("/repos/")), 0);
}

/// One sweep for all targets, and a repository that cannot be read does not hide what is in the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_many_apps_looks_for_what_they_left_once() {
    let lab = OneHost::small().await;
    let scan = lab.scan().await;
    let repositories = r#"{"data":{"organization":{"repositories":{"totalCount":2,"nodes":[
        {"nameWithOwner":"small/hidden","deployKeys":{"totalCount":1}},
        {"nameWithOwner":"small/backend","deployKeys":{"totalCount":1}}
    ],"pageInfo":{"endCursor":null,"hasNextPage":false}}}}}"#;
    lab.tenant().inject(Fault::new(json(repositories)).on_path("/graphql"));
    let keys = r#"[{"id":1,"title":"deploy","read_only":false,"added_by":"drift[bot]"}]"#;
    lab.tenant().inject(Fault::new(json(keys)).on_path("/repos/small/backend/keys"));
    lab.tenant().forget_calls();
    let apps = ["app:3001", "app:3002"].map(|id| app(&scan, id).clone());
    let wanted = Targets { apps: apps.to_vec(), grants: Vec::new() };
    let plan = lab.revoker().plan(&wanted).await.unwrap();
    let keys = plan.steps.iter().filter(|step| step.action == "delete-deploy-key");
    assert_eq!(keys.map(|step| step.target.as_str()).collect::<Vec<_>>(), ["1"]);
    assert!(plan.by_hand.iter().any(|text| text.contains("keys of small/hidden")), "{plan:#?}");
    for path in ["/graphql", "/orgs/small/hooks", "/repos/small/backend/keys"] {
        assert_eq!(lab.tenant().count_calls(|call| call.path == path), 1, "{path}");
    }
}

/// Users whom GitHub does not name are not all the same one.
#[tokio::test(flavor = "multi_thread")]
async fn users_who_are_not_named_are_kept_apart() {
    let lab = OneHost::small().await;
    let rows = r#"[{"login":null,"credential_id":8,"credential_type":"SSH key"},{"credential_id":9,"credential_type":"SSH key"}]"#;
    lab.tenant().inject(Fault::new(json(rows)).on_path("/credential-authorizations"));
    let scan = lab.scan().await;
    let id = |id: &str| grant(&scan, id).holder.principal().unwrap().id.clone();
    assert_ne!(id("credential:8"), id("credential:9"));
}
