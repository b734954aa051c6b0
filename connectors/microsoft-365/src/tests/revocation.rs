//! Taking access away: in the right order, never twice, and proven.

use grantwarden_kit::{
    connector::{RevocationPlan, Step, StepOutcome, Targets, Verification},
    model::{Grant, GrantKind},
};
use grantwarden_lab::{Effect, Fault};

use super::support::{OneDirectory, Scan, app, grants_of};

async fn whole(lab: &OneDirectory, name: &str) -> RevocationPlan {
    let scan = lab.scan().await;
    let targets = Targets { apps: vec![app(&scan, name).clone()], grants: Vec::new() };
    lab.revoker().plan(&targets).await.unwrap()
}

fn actions(plan: &RevocationPlan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.action.as_str()).collect()
}

fn of_kind<'a>(scan: &'a Scan, name: &str, kind: GrantKind) -> &'a Grant {
    grants_of(scan, name).into_iter().find(|grant| grant.kind == kind).unwrap()
}

async fn plan_for(lab: &OneDirectory, grants: &[&Grant]) -> RevocationPlan {
    let grants = grants.iter().map(|grant| (*grant).clone()).collect();
    lab.revoker().plan(&Targets { apps: Vec::new(), grants }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breached_vendor_is_contained_first_and_everything_goes() {
    let lab = OneDirectory::small().await;
    let plan = whole(&lab, "Mailvault").await;
    let expected = [
        "disable-app",
        "delete-app-role-assignment",
        "delete-app-role-assignment",
        "delete-app-role-assignment",
        "delete-delegated-grant",
        "delete-delegated-grant",
        "delete-delegated-grant",
        "delete-delegated-grant",
        "revoke-sessions",
        "revoke-sessions",
        "revoke-sessions",
    ];
    assert_eq!(actions(&plan), expected);
    assert!(plan.by_hand.iter().any(|text| text.contains("every user")), "{:?}", plan.by_hand);
    let sessions = plan.steps.last().unwrap();
    assert!(sessions.breaks.contains("EVERY app"), "{}", sessions.breaks);
    let revoker = lab.revoker();
    for step in &plan.steps {
        assert!(matches!(revoker.verify(step).await, Verification::StillThere(1)), "{step:?}");
        assert!(matches!(revoker.apply(step).await, StepOutcome::Done), "{step:?}");
        assert!(matches!(revoker.verify(step).await, Verification::Gone), "{step:?}");
    }
    assert_eq!(lab.tenant().is_enabled("Mailvault"), Some(false));
    let after = lab.scan().await;
    assert!(grants_of(&after, "Mailvault").is_empty());
    // Again: nothing is left to do, but sessions begin anew with each sign-in.
    for step in plan.steps.iter().filter(|step| step.action != "revoke-sessions") {
        assert!(matches!(revoker.apply(step).await, StepOutcome::AlreadyGone), "{step:?}");
    }
}

/// Least surprise: the app goes on working otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn one_grant_costs_one_grant_and_says_what_stays() {
    let lab = OneDirectory::small().await;
    let scan = lab.scan().await;
    let delegated = of_kind(&scan, "Mailvault", GrantKind::Delegated);
    let plan = plan_for(&lab, &[delegated]).await;
    assert_eq!(actions(&plan), ["delete-delegated-grant"]);
    assert!(plan.steps[0].undo.as_deref().unwrap().contains("Mail.Send Mail.ReadWrite"));
    // The tenant-wide grant on the same resource goes on covering the user.
    assert!(plan.by_hand.iter().any(|text| text.contains("keeps a grant for every user")));
    let step = &plan.steps[0];
    assert!(matches!(lab.revoker().apply(step).await, StepOutcome::Done));
    assert!(!lab.tenant().has_delegated_grant(&step.target));
    assert_eq!(lab.tenant().is_enabled("Mailvault"), Some(true));
    assert_eq!(lab.tenant().grant_count(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn application_permissions_of_one_resource_go_together() {
    let lab = OneDirectory::small().await;
    let scan = lab.scan().await;
    let of_mailvault = grants_of(&scan, "Mailvault");
    let on_graph = of_mailvault.iter().find(|grant| grant.id.ends_with("003:app")).unwrap();
    let plan = plan_for(&lab, &[on_graph]).await;
    assert_eq!(actions(&plan), ["delete-app-role-assignment", "delete-app-role-assignment"]);
    for step in &plan.steps {
        assert!(matches!(lab.revoker().apply(step).await, StepOutcome::Done));
        assert!(!lab.tenant().has_assignment(&step.target));
    }
    let roles = grants_of(&scan, "Backup Robot");
    let roles = roles.iter().find(|grant| grant.id.contains("directory-roles")).unwrap();
    let plan = plan_for(&lab, &[roles]).await;
    assert!(plan.steps.is_empty());
    assert!(plan.by_hand[0].contains("Roles and admins"), "{:?}", plan.by_hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_certificates_go_and_the_others_stay() {
    let lab = OneDirectory::small().await;
    let plan = whole(&lab, "Invoice Export").await;
    let credentials: Vec<&Step> =
        plan.steps.iter().filter(|step| step.action == "remove-credential").collect();
    assert_eq!(credentials.len(), 3);
    let revoker = lab.revoker();
    for step in credentials {
        assert!(matches!(revoker.verify(step).await, Verification::StillThere(1)), "{step:?}");
        assert!(matches!(revoker.apply(step).await, StepOutcome::Done), "{step:?}");
        assert!(matches!(revoker.verify(step).await, Verification::Gone), "{step:?}");
        assert!(matches!(revoker.apply(step).await, StepOutcome::AlreadyGone), "{step:?}");
    }
    let plan = whole(&lab, "Chartly").await;
    let local = plan.steps.iter().find(|step| step.action == "remove-credential").unwrap();
    assert_eq!(local.details["collection"], "servicePrincipals");
    assert!(matches!(revoker.apply(local).await, StepOutcome::Done));
}

/// A change that was sent and not answered may have happened: it is not sent again, and the read tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_unknown_until_it_is_verified() {
    let lab = OneDirectory::small().await;
    let scan = lab.scan().await;
    let grant = of_kind(&scan, "Chartly", GrantKind::Delegated);
    let plan = plan_for(&lab, &[grant]).await;
    let step = &plan.steps[0];
    lab.tenant().inject(Fault::new(Effect::Drop).on_method("DELETE").times(1));
    let revoker = lab.revoker();
    lab.tenant().forget_calls();
    assert!(matches!(revoker.apply(step).await, StepOutcome::Unknown(_)));
    assert_eq!(lab.tenant().count_calls(|call| call.method == "DELETE"), 1);
    let is_there = lab.tenant().has_delegated_grant(&step.target);
    match revoker.verify(step).await {
        Verification::Gone => assert!(!is_there),
        Verification::StillThere(1) => assert!(is_there),
        other => panic!("{other:?}"),
    }
}

/// Listings lag behind: looked at again a few times, and never taken for a failure of the change.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_grant_may_be_listed_for_a_while() {
    for (lag, is_gone) in [(2, true), (100, false)] {
        let lab = OneDirectory::small_with(&format!(", replication_calls = {lag}")).await;
        let scan = lab.scan().await;
        let grant = of_kind(&scan, "Chartly", GrantKind::Delegated);
        let plan = plan_for(&lab, &[grant]).await;
        let revoker = lab.revoker();
        assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Done));
        match revoker.verify(&plan.steps[0]).await {
            Verification::Gone => assert!(is_gone),
            Verification::StillThere(1) => assert!(!is_gone),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_a_refusal_and_blindness_is_not_gone() {
    let lab = OneDirectory::small().await;
    let scan = lab.scan().await;
    let grant = of_kind(&scan, "Chartly", GrantKind::Delegated);
    let plan = plan_for(&lab, &[grant]).await;
    let step = &plan.steps[0];
    lab.tenant().set_permission("DelegatedPermissionGrant.ReadWrite.All", false);
    let StepOutcome::Refused(error) = lab.revoker().apply(step).await else {
        panic!("not refused")
    };
    assert!(error.hint.is_some(), "{error}");
    assert!(lab.tenant().has_delegated_grant(&step.target));
    lab.tenant().set_permission("Directory.Read.All", false);
    assert!(matches!(lab.revoker().verify(step).await, Verification::CannotTell(_)));
}

/// A "not found" that is not Graph's word for a missing object proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn another_404_is_no_proof() {
    let lab = OneDirectory::small().await;
    let plan = whole(&lab, "Chartly").await;
    let body = r#"{"error":{"code":"UnknownError","message":"no such address"}}"#.to_owned();
    let effect = Effect::Reply { status: 404, headers: Vec::new(), body };
    lab.tenant().inject(Fault::new(effect));
    let revoker = lab.revoker();
    for step in &plan.steps {
        assert!(matches!(revoker.apply(step).await, StepOutcome::Refused(_)), "{step:?}");
        assert!(matches!(revoker.verify(step).await, Verification::CannotTell(_)), "{step:?}");
    }
}
