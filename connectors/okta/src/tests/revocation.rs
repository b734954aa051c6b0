//! Taking access away: in the sheet's order, twice, with a lost answer, and never more than was asked for.

use grantwarden_kit::connector::{
    RevocationPlan, Revoke, Step, StepOutcome, Targets, Verification,
};
use grantwarden_lab::{Effect, Fault};

use super::support::*;

async fn plan(
    org: &OneOrg,
    apps: &[&str],
    grant_ids: &[&str],
) -> (Box<dyn Revoke>, RevocationPlan) {
    let scan = org.scan().await;
    let named = |app: &&grantwarden_kit::model::App| apps.contains(&app.name.as_str());
    let targets = Targets {
        apps: super::support::apps(&scan).filter(named).cloned().collect(),
        grants: grants(&scan)
            .filter(|grant| grant_ids.contains(&grant.id.as_str()))
            .cloned()
            .collect(),
    };
    assert_eq!(targets.grants.len(), grant_ids.len());
    let revoker = org.revoker();
    let plan = revoker.plan(&targets).await.unwrap();
    (revoker, plan)
}

fn actions(plan: &RevocationPlan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.action.as_str()).collect()
}

async fn apply_all(revoker: &dyn Revoke, steps: &[Step]) {
    for step in steps {
        let outcome = revoker.apply(step).await;
        assert!(matches!(outcome, StepOutcome::Done), "{}: {outcome:?}", step.title);
    }
    for step in steps {
        let seen = revoker.verify(step).await;
        assert!(matches!(seen, Verification::Gone), "{}: {seen:?}", step.title);
    }
    // A second time there is nothing left to do; what empties a list says so each time.
    for step in steps {
        let outcome = revoker.apply(step).await;
        let is_list = step.action == "delete-app-tokens";
        let fits = matches!(outcome, StepOutcome::AlreadyGone)
            || (is_list && matches!(outcome, StepOutcome::Done));
        assert!(fits, "{}: {outcome:?}", step.title);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breached_app_loses_everything_in_order() {
    let org = OneOrg::small().await;
    let (revoker, plan) = plan(&org, &["Drift"], &[]).await;
    assert_eq!(actions(&plan), ["deactivate-app", "delete-app-tokens", "delete-scope-grant"]);
    assert!(plan.steps[0].breaks.contains("nobody signs in"));
    assert!(plan.steps.iter().all(|step| !step.title.contains("FAKEdrift")));
    assert!(plan.by_hand.iter().any(|text| text.contains("go on working to their end")));
    apply_all(revoker.as_ref(), &plan.steps).await;
    assert_eq!(org.org().app_status("Drift"), Some("INACTIVE"));
    assert_eq!(org.org().secrets_read(), 0);
    let scan = org.scan().await;
    assert!(grants_of(&scan, "Drift").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendors_integration_is_revoked() {
    let org = OneOrg::small().await;
    let (revoker, planned) = plan(&org, &["Mailvault"], &[]).await;
    assert_eq!(actions(&planned), ["delete-api-service"]);
    apply_all(revoker.as_ref(), &planned.steps).await;
    assert!(!org.org().has_api_service("Mailvault"));
    // The last one leaves an empty list behind, which must be proven to be one.
    let scan = org.scan().await;
    let id = grants_of(&scan, "Posture Check")[0].id.clone();
    let (revoker, planned) = plan(&org, &[], &[&id]).await;
    assert_eq!(actions(&planned), ["delete-api-service"]);
    apply_all(revoker.as_ref(), &planned.steps).await;
    assert!(!org.org().has_api_service("Posture Check"));
}

/// Revoking a grant never switches its app off.
#[tokio::test(flavor = "multi_thread")]
async fn single_grants_are_taken_alone() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let board = grants_of(&scan, "Team Board")[0].id.clone();
    let targets = [
        "0oaFAKErobot00000001:ADMIN:org",
        "0oaFAKErobot00000001:roles",
        "00TFAKEbackup0000001",
        board.as_str(),
    ];
    let (revoker, planned) = plan(&org, &[], &targets).await;
    assert_eq!(
        actions(&planned),
        [
            "delete-refresh-token",
            "delete-scope-grant",
            "delete-scope-grant",
            "delete-scope-grant",
            "revoke-api-token"
        ]
    );
    assert!(planned.by_hand.iter().any(|text| text.contains("Admin roles")));
    assert!(planned.by_hand.iter().any(|text| text.contains("network zone")));
    apply_all(revoker.as_ref(), &planned.steps).await;
    assert_eq!(org.org().app_status("Backup Robot"), Some("ACTIVE"));
    assert!(!org.org().has_api_token("Backup vendor"));
    assert!(!org.org().has_token(&board));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_revoker_never_cuts_itself_off() {
    let org = OneOrg::small().await;
    // Nor the scanner.
    let apps = ["Grantwarden revoker", "API tokens", "Grantwarden"];
    let (_, planned) = plan(&org, &apps, &[]).await;
    assert!(planned.steps.is_empty(), "{planned:#?}");
    assert_eq!(planned.by_hand.len(), 3);
    let mut org = org;
    let scan = org.scan().await;
    let own = grants_of(&scan, "Grantwarden").into_iter().find(|grant| grant.app == "api-tokens");
    let own = own.unwrap().id.clone();
    org.token = Some(org.org().api_token_secret("Grantwarden").unwrap());
    let (_, planned) = plan(&org, &[], &[&own]).await;
    assert!(planned.steps.is_empty(), "{planned:#?}");
}

/// A change whose answer is lost is not sent again, and looking tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_unknown_until_somebody_looks() {
    let org = OneOrg::small().await;
    let (revoker, planned) = plan(&org, &[], &["00TFAKEbackup0000001"]).await;
    let step = &planned.steps[0];
    org.org().forget_calls();
    org.org().inject(Fault::new(Effect::Drop).on_method("DELETE").times(1));
    let outcome = revoker.apply(step).await;
    assert!(matches!(outcome, StepOutcome::Unknown(_)), "{outcome:?}");
    assert_eq!(org.org().count_calls(|call| call.method == "DELETE"), 1);
    let seen = revoker.verify(step).await;
    assert!(matches!(seen, Verification::StillThere(1)), "{seen:?}");
}

/// What a list shows may lag behind a change.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lags_is_looked_at_again() {
    let org = OneOrg::small().await;
    let (revoker, planned) = plan(&org, &[], &["00TFAKEbackup0000001"]).await;
    let step = &planned.steps[0];
    assert!(matches!(revoker.apply(step).await, StepOutcome::Done));
    let stale = || {
        let body = r#"[{"id":"00TFAKEbackup0000001"}]"#.to_owned();
        let effect = Effect::Reply { status: 200, headers: Vec::new(), body };
        Fault::new(effect).on_method("GET").on_path("/api/v1/api-tokens").times(2)
    };
    org.org().inject(stale());
    let seen = revoker.verify(step).await;
    assert!(matches!(seen, Verification::Gone), "{seen:?}");
    org.org().inject(stale());
    let outcome = revoker.apply(step).await;
    assert!(matches!(outcome, StepOutcome::AlreadyGone), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_as_one() {
    let org = OneOrg::small().await;
    let (revoker, planned) = plan(&org, &["Drift"], &[]).await;
    org.org().set_revoker_right("SUPER_ADMIN", false);
    org.org().set_revoker_right("READ_ONLY_ADMIN", true);
    for step in &planned.steps {
        let outcome = revoker.apply(step).await;
        assert!(matches!(outcome, StepOutcome::Refused(_)), "{}: {outcome:?}", step.title);
        let seen = revoker.verify(step).await;
        assert!(matches!(seen, Verification::StillThere(_)), "{}: {seen:?}", step.title);
    }
    assert_eq!(org.org().app_status("Drift"), Some("ACTIVE"));
}

/// An empty list, or "not found", without a role proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_see_cannot_say_that_it_is_gone() {
    let org = OneOrg::small().await;
    let targets = ["00TFAKEbackup0000001", "0oaFAKErobot00000001:ADMIN:org"];
    let (revoker, planned) = plan(&org, &["Mailvault", "Drift"], &targets).await;
    let empty = || Effect::Reply { status: 200, headers: Vec::new(), body: "[]".into() };
    for step in &planned.steps {
        for effect in [
            empty(),
            Effect::Html,
            Effect::Reply {
                status: 403,
                headers: Vec::new(),
                body: r#"{"errorCode":"E0000006","errorSummary":"no"}"#.into(),
            },
            Effect::Reply {
                status: 404,
                headers: Vec::new(),
                body: r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#.into(),
            },
        ] {
            org.org().clear_faults();
            org.org().inject(Fault::new(effect.clone()).on_method("GET"));
            let seen = revoker.verify(step).await;
            assert!(!matches!(seen, Verification::Gone), "{} {effect:?}: {seen:?}", step.title);
        }
    }
    org.org().clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_another_make_is_refused_before_anything_is_sent() {
    let org = OneOrg::small().await;
    let revoker = org.revoker();
    for (action, target) in [("delete-everything", "0oa1"), ("deactivate-app", "../users/x")] {
        let step = Step {
            action: action.into(),
            target: target.into(),
            title: String::new(),
            breaks: String::new(),
            undo: None,
            calls: 1,
            details: Default::default(),
        };
        assert!(matches!(revoker.apply(&step).await, StepOutcome::Refused(_)));
        assert!(matches!(revoker.verify(&step).await, Verification::CannotTell(_)));
    }
    assert_eq!(org.org().count_calls(|call| call.method != "GET" && call.method != "POST"), 0);
}

/// An app that is no OAuth client has neither tokens nor scopes that could be asked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_tokens_is_switched_off_all_the_same() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let id = org.org().app_id("Payroll").unwrap();
    let app = grantwarden_kit::model::App { id: id.clone(), ..app(&scan, "Drift").clone() };
    let refused = Effect::Reply {
        status: 400,
        headers: Vec::new(),
        body: r#"{"errorCode":"E0000001","errorSummary":"Api validation failed: appId"}"#.into(),
    };
    for list in ["tokens", "grants"] {
        org.org().inject(Fault::new(refused.clone()).on_path(&format!("{id}/{list}")));
    }
    let targets = Targets { apps: vec![app], grants: Vec::new() };
    let plan = org.revoker().plan(&targets).await.unwrap();
    assert_eq!(actions(&plan), ["deactivate-app"]);
}

/// Lists that hide what they hold: tokens are deleted unseen, and scopes are said to be unseen.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_does_not_trust_an_empty_list() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let empty = Effect::Reply { status: 200, headers: Vec::new(), body: "[]".into() };
    org.org().inject(Fault::new(empty.clone()).on_path("/tokens"));
    org.org().inject(Fault::new(empty).on_path("/grants"));
    let targets = Targets { apps: vec![app(&scan, "Drift").clone()], grants: Vec::new() };
    let plan = org.revoker().plan(&targets).await.unwrap();
    assert_eq!(actions(&plan), ["deactivate-app", "delete-app-tokens"]);
    assert!(plan.steps[1].title.contains("lists none now"), "{}", plan.steps[1].title);
    assert!(plan.by_hand.iter().any(|text| text.contains("lists no scopes of Drift")));
}

/// Whoever sees the app may not see its grants.
#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_grant_is_not_gone() {
    let org = OneOrg::small().await;
    let (revoker, planned) = plan(&org, &["Drift"], &["0oaFAKErobot00000001:ADMIN:org"]).await;
    let absent = Effect::Reply {
        status: 404,
        headers: Vec::new(),
        body: r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#.into(),
    };
    let empty = Effect::Reply { status: 200, headers: Vec::new(), body: "[]".into() };
    org.org().inject(Fault::new(absent).on_method("GET").on_path("/grants/"));
    org.org().inject(Fault::new(empty.clone()).on_method("GET").on_path("/grants"));
    org.org()
        .inject(Fault::new(empty).on_method("GET").on_path("0oaFAKEdrift00000001/tokens").times(1));
    for step in planned.steps.iter().filter(|step| step.action == "delete-scope-grant") {
        let seen = revoker.verify(step).await;
        assert!(matches!(seen, Verification::CannotTell(_)), "{}: {seen:?}", step.title);
    }
    // A token that was there when the plan was made is asked for by its id.
    let all = planned.steps.iter().find(|step| step.action == "delete-app-tokens").unwrap();
    let seen = revoker.verify(all).await;
    assert!(matches!(seen, Verification::StillThere(_)), "{seen:?}");
}

/// An app may have thousands of refresh tokens: they are not all listed to see that one is gone.
#[tokio::test(flavor = "multi_thread")]
async fn looking_for_one_token_costs_few_calls() {
    let org = OneOrg::small_with(|world| world.behaviour.tokens_page = 1).await;
    let scan = org.scan().await;
    let drift = grants_of(&scan, "Drift");
    let target = drift.iter().find(|grant| grant.id.starts_with("oar")).unwrap().id.clone();
    let (revoker, planned) = plan(&org, &[], &[&target]).await;
    assert!(matches!(revoker.apply(&planned.steps[0]).await, StepOutcome::Done));
    org.org().forget_calls();
    assert!(matches!(revoker.verify(&planned.steps[0]).await, Verification::Gone));
    assert_eq!(org.org().count_calls(|call| call.path.contains("/tokens")), 2);
}

/// If it cannot be seen whose app it is, it may be the revoker's own.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_cannot_be_looked_at_is_not_touched() {
    let org = OneOrg::small().await;
    let scan = org.scan().await;
    let own = grants_of(&scan, "Grantwarden revoker");
    let own = own.iter().find(|grant| grant.id.ends_with(":ADMIN:org")).unwrap();
    let targets = Targets { apps: Vec::new(), grants: vec![(*own).clone()] };
    let refused = Effect::Reply {
        status: 403,
        headers: Vec::new(),
        body: r#"{"errorCode":"E0000006","errorSummary":"no"}"#.into(),
    };
    // The list of its grants is shown, and the app is not.
    let fault = Fault::new(refused).on_path("/api/v1/apps/0oaFAKErevoker000001");
    org.org().inject(fault.skip(1).times(1));
    assert!(org.revoker().plan(&targets).await.is_err());
}
