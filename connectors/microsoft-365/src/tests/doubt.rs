//! Taking access away when the platform's answers are doubtful: no step of anybody else's, and never "gone" without proof.

use std::collections::BTreeMap;

use grantwarden_kit::{
    connector::{Step, StepOutcome, Targets, Verification},
    error::ErrorKind,
    model::Observed,
};
use grantwarden_lab::{Effect, Fault};

use super::{
    support::{OneDirectory, app},
    unproven::reply,
};

const NOT_THERE: &str = r#"{"error":{"code":"Request_ResourceNotFound","message":"x"}}"#;
const USER: &str = "11111111-1111-1111-1111-111111111111";

async fn targets(lab: &OneDirectory, name: &str) -> Targets {
    Targets { apps: vec![app(&lab.scan().await, name).clone()], grants: Vec::new() }
}

fn step(action: &str, target: &str, details: &[(&str, &str)]) -> Step {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Step {
        action: action.to_owned(),
        target: target.to_owned(),
        title: String::new(),
        breaks: String::new(),
        undo: None,
        calls: 1,
        details: details.iter().map(owned).collect::<BTreeMap<_, _>>(),
    }
}

/// One "not found" for everything, and everything is still there.
#[tokio::test(flavor = "multi_thread")]
async fn a_404_is_no_proof_without_a_second_one() {
    let lab = OneDirectory::small().await;
    let targets = targets(&lab, "Mailvault").await;
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets).await.unwrap();
    lab.tenant().inject(Fault::new(reply(404, NOT_THERE)).on_method("GET"));
    assert!(revoker.plan(&targets).await.is_err(), "the plan shrank");
    for step in &plan.steps {
        let seen = revoker.verify(step).await;
        assert!(matches!(seen, Verification::CannotTell(_)), "{step:?}: {seen:?}");
    }
    assert!(!matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::AlreadyGone));
    assert_eq!(lab.tenant().is_enabled("Mailvault"), Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_finds_nothing_is_done_only_if_nothing_is_there() {
    let lab = OneDirectory::small().await;
    let targets = targets(&lab, "Mailvault").await;
    let plan = lab.revoker().plan(&targets).await.unwrap();
    for method in ["DELETE", "PATCH"] {
        lab.tenant().inject(Fault::new(reply(404, NOT_THERE)).on_method(method));
    }
    for step in plan.steps.iter().filter(|step| step.action != "revoke-sessions") {
        let outcome = lab.revoker().apply(step).await;
        assert!(matches!(outcome, StepOutcome::Refused(_)), "{step:?}: {outcome:?}");
    }
}

/// A filter that was not applied must not bring another app's grants into the plan.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_app_end_the_plan() {
    let other = "51000000-0000-4000-8000-000000000005";
    let rows = [
        (
            "/oauth2PermissionGrants",
            format!(
                r#"{{"id":"x","clientId":"{other}","consentType":"AllPrincipals","resourceId":"r"}}"#
            ),
        ),
        (
            "/appRoleAssignments",
            format!(r#"{{"id":"x","principalId":"{other}","appRoleId":"r","resourceId":"r"}}"#),
        ),
        ("/v1.0/applications", format!(r#"{{"id":"{other}","appId":"{other}"}}"#)),
        ("/v1.0/servicePrincipals", format!(r#"{{"id":"{other}","appId":"{other}"}}"#)),
    ];
    for (path, row) in rows {
        let lab = OneDirectory::small().await;
        let targets = targets(&lab, "Mailvault").await;
        let body = format!(r#"{{"value":[{row}]}}"#);
        lab.tenant().inject(Fault::new(reply(200, &body)).on_path(path));
        let error = lab.revoker().plan(&targets).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_is_never_sent() {
    let lab = OneDirectory::small().await;
    let mut targets = targets(&lab, "Mailvault").await;
    targets.apps[0].client_ids = Observed::Known(vec!["x' or appId ne 'x".to_owned()]);
    lab.tenant().forget_calls();
    assert_eq!(lab.revoker().plan(&targets).await.unwrap_err().kind, ErrorKind::Configuration);
    let user = format!("../users/{USER}");
    let steps = [
        step("delete-delegated-grant", &user, &[]),
        step("disable-app", &user, &[]),
        step("revoke-sessions", "x/../../servicePrincipals", &[]),
        step("delete-app-role-assignment", "x", &[("resource_id", "../users")]),
        step(
            "remove-credential",
            USER,
            &[("collection", "users"), ("owner_id", USER), ("key_id", USER)],
        ),
    ];
    for step in &steps {
        let StepOutcome::Refused(error) = lab.revoker().apply(step).await else {
            panic!("{step:?}")
        };
        assert_eq!(error.kind, ErrorKind::Configuration, "{step:?}");
    }
    assert_eq!(lab.tenant().count_calls(|call| call.path.starts_with("/v1.0/")), 0);
}

/// The record may be of a scan that did not see the service principal.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_looked_up_by_its_client_id_and_not_by_its_kind() {
    let lab = OneDirectory::small().await;
    let whole = lab.revoker().plan(&targets(&lab, "Invoice Export").await).await.unwrap();
    let broken = Fault::new(Effect::Html).on_path("/v1.0/servicePrincipals").on_text("appRoles");
    lab.tenant().inject(broken);
    let targets = targets(&lab, "Invoice Export").await;
    let plan = lab.revoker().plan(&targets).await.unwrap();
    let actions = |steps: &[Step]| -> Vec<String> {
        steps.iter().map(|step| format!("{} {}", step.action, step.target)).collect()
    };
    assert_eq!(actions(&plan.steps), actions(&whole.steps));
    assert_eq!(plan.steps[0].action, "disable-app");
    // What no step takes away is left to a person.
    assert!(plan.by_hand.iter().any(|text| text.contains("Federated credentials > deploy")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_were_not_ended_are_not_done() {
    let lab = OneDirectory::small().await;
    let no = reply(200, r#"{"value":false}"#);
    lab.tenant().inject(Fault::new(no).on_path("revokeSignInSessions"));
    let outcome = lab.revoker().apply(&step("revoke-sessions", USER, &[])).await;
    assert!(matches!(outcome, StepOutcome::Refused(_)), "{outcome:?}");
}

/// The certificate with which Entra signs for the app is none that proves the app.
#[tokio::test(flavor = "multi_thread")]
async fn a_signing_certificate_of_entras_stays() {
    let lab = OneDirectory::small().await;
    let targets = targets(&lab, "Mailvault").await;
    let id = &targets.apps[0].id;
    let key = |id: &str, usage: &str| format!(r#"{{"keyId":"{id}","usage":"{usage}"}}"#);
    let body = format!(
        r#"{{"id":"{id}","passwordCredentials":[],"keyCredentials":[{},{}]}}"#,
        key("1", "Sign"),
        key("2", "Verify")
    );
    let owner = Fault::new(reply(200, &body)).on_path(&format!("/servicePrincipals/{id}"));
    lab.tenant().inject(owner.on_text("keyCredentials"));
    let plan = lab.revoker().plan(&targets).await.unwrap();
    let keys: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.action == "remove-credential")
        .map(|step| step.target.as_str())
        .collect();
    assert_eq!(keys, ["2"]);
}
