//! Revocation: each step, twice, with a lost answer, and by somebody who cannot see.

use futures::StreamExt;
use grantwarden_kit::{
    connector::{StepOutcome, Targets, Verification},
    model::{Grant, GrantKind, Record},
};
use grantwarden_lab::{Effect, Fault};

use super::bench::{OneAccount, app, entry, forbidden, grant, grants, log};
use crate::Found;

const SAM: &str = "sam.sales@small.example";

fn all_of(records: &[Record], app: &str) -> Vec<Grant> {
    grants(records).filter(|grant| grant.app_name == app).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_revoked_one_by_one_and_twice_does_no_harm() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let held = all_of(&outcome.records, "Drift");
    let drift = app(&outcome.records, "Drift").clone();
    let client = drift.id.clone();
    let revoker = lab.revoker();
    let targets = Targets { apps: vec![drift], grants: held.clone() };
    lab.google().forget_calls();
    let plan = revoker.plan(&targets).await.unwrap();
    assert_eq!(lab.google().count_calls(|call| call.method != "GET" && call.path != "/token"), 0);
    assert_eq!(plan.steps.len(), held.len());
    assert!(plan.by_hand[0].starts_with("Block Drift by hand, first"), "{:?}", plan.by_hand);
    assert!(plan.by_hand.iter().any(|text| text.contains("Sign-in cookies")));
    assert!(plan.by_hand.iter().any(|text| text.contains("180 days")), "what was looked at");
    assert_eq!(plan.by_hand.len(), 3, "{:?}", plan.by_hand);
    for step in &plan.steps {
        assert!(
            matches!(revoker.verify(step).await, Verification::StillThere(1)),
            "{}",
            step.title
        );
        let outcome = revoker.apply(step).await;
        assert!(matches!(outcome, StepOutcome::Done), "{}: {outcome:?}", step.title);
        assert!(matches!(revoker.verify(step).await, Verification::Gone), "{}", step.title);
        assert!(matches!(revoker.apply(step).await, StepOutcome::AlreadyGone), "{}", step.title);
    }
    assert!(!lab.google().has_grant(SAM, &client));
    assert!(lab.google().grant_count() > 0, "nobody else lost anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_alone_never_blocks_its_app() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let one = grant(&outcome.records, "Drift", SAM).clone();
    let targets = Targets { apps: Vec::new(), grants: vec![one] };
    let plan = lab.revoker().plan(&targets).await.unwrap();
    assert_eq!((plan.steps.len(), plan.steps[0].action.as_str()), (1, "revoke-grant"));
    assert!(plan.by_hand.iter().all(|text| !text.contains("Block")), "{:?}", plan.by_hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_password_is_deleted() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let phone = grant(&outcome.records, "Phone mail", SAM).clone();
    let revoker = lab.revoker();
    let targets = Targets { apps: Vec::new(), grants: vec![phone] };
    let plan = revoker.plan(&targets).await.unwrap();
    let [step] = plan.steps.as_slice() else { panic!("{plan:?}") };
    assert_eq!(step.action, "delete-app-password");
    assert!(matches!(revoker.verify(step).await, Verification::StillThere(1)));
    assert!(matches!(revoker.apply(step).await, StepOutcome::Done));
    assert!(matches!(revoker.verify(step).await, Verification::Gone));
    assert!(matches!(revoker.apply(step).await, StepOutcome::AlreadyGone));
    let left = lab.scan().await;
    assert_eq!(all_of(&left.records, "Old scanner").len(), 1);
    assert!(all_of(&left.records, "Phone mail").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_is_for_a_person_to_remove() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let delegated = grants(&outcome.records).find(|grant| grant.kind == GrantKind::Delegation);
    let targets = Targets { apps: Vec::new(), grants: vec![delegated.unwrap().clone()] };
    let plan = lab.revoker().plan(&targets).await.unwrap();
    assert!(plan.steps.is_empty());
    assert!(plan.by_hand[0].contains("Manage domain-wide delegation"), "{:?}", plan.by_hand);
    let extension = app(&outcome.records, "Tab Saver Plus").clone();
    let targets = Targets { apps: vec![extension], grants: Vec::new() };
    let plan = lab.revoker().plan(&targets).await.unwrap();
    assert!(plan.by_hand[0].contains("Devices > Chrome"), "{:?}", plan.by_hand);
}

/// A revocation whose answer got lost is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_not_repeated() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let one = grant(&outcome.records, "Drift", SAM).clone();
    let revoker = lab.revoker();
    let targets = Targets { apps: Vec::new(), grants: vec![one] };
    let plan = revoker.plan(&targets).await.unwrap();
    for effect in [Effect::Drop, Effect::ServerError] {
        lab.google().clear_faults();
        lab.google().forget_calls();
        lab.google().inject(Fault::new(effect).on_method("DELETE"));
        assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Unknown(_)));
        assert_eq!(lab.google().count_calls(|call| call.method == "DELETE"), 1);
    }
}

/// "Not found" proves nothing to somebody who may not see it, and Google may take a while: both are told.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_see_takes_nothing_for_gone() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let one = grant(&outcome.records, "Drift", SAM).clone();
    let revoker = lab.revoker();
    let targets = Targets { apps: Vec::new(), grants: vec![one] };
    let plan = revoker.plan(&targets).await.unwrap();
    let step = &plan.steps[0];
    assert!(lab.google().set_privilege("USER_SECURITY_ALL", false));
    assert!(matches!(revoker.apply(step).await, StepOutcome::Refused(_)));
    assert!(matches!(revoker.verify(step).await, Verification::CannotTell(_)));
    assert!(lab.google().set_privilege("USER_SECURITY_ALL", true));
    // The listing says "not found", and the user is there.
    let not_found = super::bench::refusal(404, "notFound", "Resource Not Found: userKey");
    lab.google().inject(Fault::new(not_found).on_path("/tokens"));
    assert!(matches!(revoker.verify(step).await, Verification::CannotTell(_)));
    lab.google().clear_faults();
    // A replica that still shows it is believed.
    assert!(matches!(revoker.apply(step).await, StepOutcome::Done));
    let stale = r#"{"kind":"admin#directory#token","clientId":"x"}"#.to_owned();
    let stale = Effect::Reply { status: 200, headers: Vec::new(), body: stale };
    lab.google().inject(Fault::new(stale).on_path(step.details["client_id"].as_str()).times(1));
    assert!(matches!(revoker.verify(step).await, Verification::StillThere(1)));
    assert!(matches!(revoker.verify(step).await, Verification::Gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_gone_holds_nothing() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let one = grant(&outcome.records, "Drift", "gone.gus").clone();
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { apps: Vec::new(), grants: vec![one] }).await.unwrap();
    let gone = Effect::DeleteUser { username: "gone.gus@small.example".into() };
    lab.google().inject(Fault::new(gone).times(1));
    assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::AlreadyGone));
    assert!(matches!(revoker.verify(&plan.steps[0]).await, Verification::Gone));
}

/// Those whom the log names come first, with few calls; then everybody else.
#[tokio::test(flavor = "multi_thread")]
async fn holders_are_found_by_the_log_first_and_then_by_a_sweep() {
    let lab = OneAccount::small().await;
    let client = lab.google().client_id_of("Drift").unwrap();
    let finder = lab.finder();
    let found: Vec<Found> = finder.find(&[client]).map(|found| found.unwrap()).collect().await;
    let told: Vec<(&str, bool)> = found
        .iter()
        .map(|found| (found.grant.holder.principal().unwrap().label(), found.is_from_log))
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    // Gus consented before the log begins.
    assert_eq!(told[2], ("gone.gus@small.example", false));
    assert!(told[0].1 && told[1].1);
    let listed = lab.google().count_calls(|call| call.path.ends_with("/tokens"));
    assert_eq!(listed, 6, "each user is asked once");

    let failing = OneAccount::small().await;
    failing.google().inject(Fault::new(forbidden()).on_path("/tokens").times(1));
    let client = failing.google().client_id_of("Drift").unwrap();
    let finder = failing.finder();
    let found: Vec<_> = finder.find(&[client]).collect().await;
    assert!(found.iter().any(Result::is_err), "a user that cannot be read is told");
}

/// A grant that came after the scan is told, and nobody revokes what nobody named.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_it_does_not_cover() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let drift = app(&outcome.records, "Drift").clone();
    let held = vec![grant(&outcome.records, "Drift", SAM).clone()];
    let plan = lab.revoker().plan(&Targets { apps: vec![drift], grants: held }).await.unwrap();
    assert_eq!(plan.steps.len(), 1);
    assert!(
        plan.by_hand.iter().any(|text| text.starts_with("1 more grants")),
        "{:?}",
        plan.by_hand
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_when_the_log_could_not_be_read_whole() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let targets =
        Targets { apps: vec![app(&outcome.records, "Drift").clone()], grants: Vec::new() };
    let nobody = entry(1, "{}", "authorize", "");
    for told in [r#"{"id":{"time":"yesterday"}}"#.to_owned(), nobody] {
        lab.google().clear_faults();
        lab.google().inject(Fault::new(log(&[told])).on_path("/applications/token"));
        let plan = lab.revoker().plan(&targets).await.unwrap();
        assert!(
            plan.by_hand.iter().any(|text| text.contains("could not be read")),
            "{:?}",
            plan.by_hand
        );
    }
}

/// A step that was changed by hand leads nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_names_its_target_and_nothing_else() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let held = ["Drift", "Phone mail"].map(|app| grant(&outcome.records, app, SAM).clone());
    let revoker = lab.revoker();
    let targets = Targets { apps: Vec::new(), grants: held.into() };
    let plan = revoker.plan(&targets).await.unwrap();
    for (step, name, value) in
        [(0, "client_id", ".."), (0, "user_id", "sam"), (1, "code_id", "."), (1, "user_id", "..")]
    {
        let mut step = plan.steps[step].clone();
        step.details.insert(name.to_owned(), value.to_owned());
        lab.google().forget_calls();
        assert!(matches!(revoker.apply(&step).await, StepOutcome::Refused(_)), "{name}");
        assert!(matches!(revoker.verify(&step).await, Verification::CannotTell(_)), "{name}");
        assert_eq!(lab.google().count_calls(|call| call.method == "DELETE"), 0, "{name}");
    }
}
