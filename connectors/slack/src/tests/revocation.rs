//! Taking access away: order, twice, lost answers, effects that show late, and what no interface does.

use grantwarden_kit::{
    connector::{RevocationPlan, Step, StepOutcome, Targets, Verification},
    error::ErrorKind,
    model::{App, Grant, Record},
    testing::StandIn as _,
};
use grantwarden_lab::{Effect, Fault, World};

use super::{
    bench::{GRID, OneTenant, app, grant, refusal, small},
    plan::scaled,
};

/// A lab whose revoker may also look.
async fn grid() -> OneTenant {
    let lab = OneTenant::grid().await;
    allow(&lab);
    lab
}

fn allow(lab: &OneTenant) {
    for right in ["revoker/admin.apps:read", "revoker/auditlogs:read"] {
        assert!(lab.slack().set_right(right, true), "{right}");
    }
}

fn apps(records: &[Record], names: &[&str]) -> Vec<App> {
    names.iter().map(|name| app(records, name).clone()).collect()
}

fn held(records: &[Record], ids: &[&str]) -> Vec<Grant> {
    ids.iter().map(|id| grant(records, id).clone()).collect()
}

fn actions(plan: &RevocationPlan) -> Vec<(&str, &str)> {
    plan.steps.iter().map(|step| (step.action.as_str(), step.target.as_str())).collect()
}

fn step<'a>(plan: &'a RevocationPlan, action: &str) -> &'a Step {
    plan.steps.iter().find(|step| step.action == action).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_restricted_before_anything_is_removed() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let targets = Targets {
        apps: apps(&records, &["Drift", "Free Survey", "Mail Merge Pro"]),
        ..Targets::default()
    };
    lab.slack().forget_calls();
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets).await.unwrap();
    assert_eq!(
        actions(&plan),
        [
            ("restrict-app", "A0DRIFT001"),
            ("restrict-app", "A0SURVY001"),
            ("restrict-app", "A0MERGE001"),
            ("cancel-request", "Ar0SMALL01"),
            ("uninstall-app", "A0DRIFT001"),
            ("uninstall-app", "A0SURVY001"),
            ("uninstall-app", "A0MERGE001"),
        ]
    );
    assert!(plan.steps[0].breaks.contains("may hand app approval to it"));
    assert!(plan.by_hand.iter().any(|text| text.contains("at least 3 minutes")));
    assert!(plan.by_hand.iter().any(|text| text.contains("cannot be ended by an administrator")));
    assert_eq!(lab.slack().count_calls(|_| true), 1, "only the sign-in");

    for step in plan
        .steps
        .iter()
        .filter(|step| step.target != "A0SURVY001" || step.action != "uninstall-app")
    {
        assert!(matches!(revoker.apply(step).await, StepOutcome::Done), "{}", step.title);
        assert!(matches!(revoker.verify(step).await, Verification::Gone), "{}", step.title);
        // Twice is no harm.
        let again = revoker.apply(step).await;
        assert!(
            matches!(again, StepOutcome::Done | StepOutcome::AlreadyGone),
            "{}: {again:?}",
            step.title
        );
    }
    assert!(lab.slack().is_restricted("Drift"));
    assert_eq!(lab.slack().install_count("Drift") + lab.slack().install_count("Mail Merge Pro"), 0);
    assert_eq!(lab.slack().is_pending("Ar0SMALL01"), Some(false));
    // An app that the log does not have at all cannot be proven gone.
    let never = plan
        .steps
        .iter()
        .find(|step| step.action == "uninstall-app" && step.target == "A0SURVY001")
        .unwrap();
    let StepOutcome::Refused(error) = revoker.apply(never).await else { panic!() };
    assert!(error.hint.unwrap().contains("Installed apps page"));
    assert!(matches!(revoker.verify(never).await, Verification::CannotTell(_)));
    // What was not named goes on.
    assert_eq!(lab.slack().install_count("Calendar Concierge"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn restricting_does_not_remove_and_removing_is_proven_by_the_log() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let targets = Targets { apps: apps(&records, &["Drift"]), ..Targets::default() };
    let revoker = lab.revoker();
    let plan = revoker.plan(&targets).await.unwrap();
    let (restrict, uninstall) = (step(&plan, "restrict-app"), step(&plan, "uninstall-app"));
    assert!(matches!(revoker.verify(restrict).await, Verification::StillThere(1)));
    assert!(matches!(revoker.verify(uninstall).await, Verification::StillThere(2)));
    assert!(matches!(revoker.apply(restrict).await, StepOutcome::Done));
    assert_eq!(lab.slack().install_count("Drift"), 2);
    assert!(matches!(revoker.verify(uninstall).await, Verification::StillThere(2)));

    // The platform says that all is well, and nothing happens: a log that may be late proves nothing, later it does.
    lab.slack().set_behaviour(|behaviour| behaviour.uninstall_ignored = true);
    assert!(matches!(revoker.apply(uninstall).await, StepOutcome::Done));
    assert!(matches!(revoker.verify(uninstall).await, Verification::CannotTell(_)));
    assert!(matches!(lab.revoker().verify(uninstall).await, Verification::StillThere(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_late_cannot_tell() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    lab.slack().set_behaviour(|behaviour| behaviour.audit_lag_seconds = 3_600);
    let revoker = lab.revoker();
    let targets = Targets { apps: apps(&records, &["Drift"]), ..Targets::default() };
    let plan = revoker.plan(&targets).await.unwrap();
    let uninstall = step(&plan, "uninstall-app");
    assert!(matches!(revoker.apply(uninstall).await, StepOutcome::Done));
    let Verification::CannotTell(error) = revoker.verify(uninstall).await else { panic!() };
    assert!(error.hint.unwrap().contains("late"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_takes_no_more_than_its_workspaces() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let grants =
        held(&records, &["A0DRIFT001:T0SALES01:bot", "A0DRIFT001:T0SALES01:user:W0SAM0001"]);
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { grants, ..Targets::default() }).await.unwrap();
    assert_eq!(actions(&plan), [("uninstall-app", "A0DRIFT001")]);
    let only = &plan.steps[0];
    assert_eq!(only.details["team_ids"], "T0SALES01");
    assert!(only.breaks.contains("no interface ends one user's token alone"));
    assert!(matches!(revoker.verify(only).await, Verification::StillThere(1)));
    assert!(matches!(revoker.apply(only).await, StepOutcome::Done));
    assert!(matches!(revoker.verify(only).await, Verification::Gone));
    assert!(
        !lab.slack().is_installed("Drift", "Sales")
            && lab.slack().is_installed("Drift", "Engineering")
    );
    assert!(!lab.slack().is_restricted("Drift"));
    // Gone already, in words that fit other things, too.
    assert!(matches!(revoker.apply(only).await, StepOutcome::AlreadyGone));

    // The organisation's install goes as a whole.
    let grants = held(&records, &["A0INTRA001:E0SMALL01:bot"]);
    let plan = revoker.plan(&Targets { grants, ..Targets::default() }).await.unwrap();
    assert!(!plan.steps[0].details.contains_key("team_ids"));
    let mut by_team = plan.steps[0].clone();
    by_team.details.insert("team_ids".into(), "T0SALES01".into());
    let StepOutcome::Refused(error) = revoker.apply(&by_team).await else { panic!() };
    assert!(error.hint.unwrap().contains("its install on the organisation"));
    assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Done));
    assert!(matches!(revoker.verify(&plan.steps[0]).await, Verification::Gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_cannot_be_removed_is_not_called_gone() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let revoker = lab.revoker();
    let targets = Targets { apps: apps(&records, &["Bolted Down"]), ..Targets::default() };
    let plan = revoker.plan(&targets).await.unwrap();
    let uninstall = step(&plan, "uninstall-app");
    let StepOutcome::Refused(error) = revoker.apply(uninstall).await else { panic!() };
    assert_eq!(error.code(), Some("can_not_uninstall"));
    assert!(matches!(revoker.verify(uninstall).await, Verification::StillThere(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_not_sent_again() {
    for effect in [
        Effect::Drop,
        Effect::ServerError,
        refusal("fatal_error"),
        Effect::CutBody { after_bytes: 3 },
    ] {
        let lab = grid().await;
        let records = lab.scan().await.records;
        let revoker = lab.revoker();
        let targets = Targets { apps: apps(&records, &["Drift"]), ..Targets::default() };
        let plan = revoker.plan(&targets).await.unwrap();
        lab.slack().forget_calls();
        lab.inject(Fault::new(effect.clone()).on_path("admin.apps.").on_method("POST"));
        for step in &plan.steps {
            let outcome = revoker.apply(step).await;
            assert!(matches!(outcome, StepOutcome::Unknown(_)), "{effect:?}: {outcome:?}");
        }
        assert_eq!(lab.count("admin.apps.restrict"), 1);
        assert_eq!(lab.count("admin.apps.uninstall"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_look_cannot_tell() {
    let lab = OneTenant::grid().await;
    for right in ["revoker/admin.apps:read", "revoker/auditlogs:read"] {
        assert!(lab.slack().set_right(right, false), "{right}");
    }
    let records = lab.scan().await.records;
    let revoker = lab.revoker();
    let targets = Targets { apps: apps(&records, &["Drift"]), ..Targets::default() };
    let plan = revoker.plan(&targets).await.unwrap();
    for step in &plan.steps {
        assert!(matches!(revoker.apply(step).await, StepOutcome::Done));
        let seen = revoker.verify(step).await;
        let Verification::CannotTell(error) = seen else { panic!("{seen:?}") };
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.hint.unwrap().contains(":read"));
    }
    // And who may not change is told before.
    lab.slack().set_right("revoker/admin.apps:write", false);
    let plan = lab.revoker().plan(&targets).await.unwrap();
    assert!(plan.by_hand[0].contains("admin.apps:write"));
    // So is who may not look afterwards.
    assert!(plan.by_hand[1].contains("admin.apps:read"), "{:?}", plan.by_hand);
    assert!(plan.by_hand[2].contains("auditlogs:read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_names_its_target_and_nothing_else() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let revoker = lab.revoker();
    let targets = Targets { apps: apps(&records, &["Drift", "Free Survey"]), ..Targets::default() };
    let plan = revoker.plan(&targets).await.unwrap();
    lab.slack().forget_calls();
    for (action, name, value) in [
        ("restrict-app", "app_id", "A0CALEN001"),
        ("restrict-app", "app_id", "A0DRIFT001,A0CALEN001"),
        ("restrict-app", "enterprise_id", "E0OTHER01"),
        ("uninstall-app", "team_ids", "E0SMALL01"),
        ("uninstall-app", "team_ids", "T1&x=y"),
        ("uninstall-app", "app_id", ""),
        ("cancel-request", "request_id", "Ar0SMALL02"),
    ] {
        let mut step = step(&plan, action).clone();
        step.details.insert(name.to_owned(), value.to_owned());
        assert!(matches!(revoker.apply(&step).await, StepOutcome::Refused(_)), "{name}={value}");
        assert!(
            matches!(revoker.verify(&step).await, Verification::CannotTell(_)),
            "{name}={value}"
        );
    }
    let mut other = plan.steps[0].clone();
    other.action = "delete-everything".to_owned();
    assert!(matches!(revoker.apply(&other).await, StepOutcome::Refused(_)));
    assert!(matches!(revoker.verify(&other).await, Verification::CannotTell(_)));
    let changed = lab.slack().count_calls(|call| {
        ["restrict", "uninstall", "cancel"].iter().any(|word| call.path.ends_with(word))
    });
    assert_eq!(changed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_interface_does_goes_to_a_person() {
    let lab = OneTenant::workshop().await;
    let records = lab.scan().await.records;
    let targets = Targets {
        apps: apps(&records, &["Drift", "Incoming WebHooks"]),
        grants: held(&records, &["A0RULES001:T0WORKS01:by:U0LEO0001"]),
    };
    let plan = lab.revoker().plan(&targets).await.unwrap();
    assert!(plan.steps.is_empty());
    let text = plan.by_hand.join("\n");
    for word in [
        "https://workshop.slack.com/apps/manage > Drift",
        "Custom Integrations",
        "Rule Reader by left.leo",
        "configuration tokens",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }

    // An app that only the export has, by name.
    let mut lab = grid().await;
    lab.export = Some("App\nNobody Knows\n".to_owned());
    let records = lab.scan().await.records;
    let targets = Targets { apps: apps(&records, &["Nobody Knows"]), ..Targets::default() };
    let plan = lab.revoker().plan(&targets).await.unwrap();
    assert!(plan.steps.is_empty() && plan.by_hand[0].contains("without its app id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workspaces_are_taken_in_lots() {
    let mut world = World::parse(&small()).unwrap();
    world.slack.retain(|tenant| tenant.name == GRID);
    let lab = OneTenant::start(world, GRID).await;
    allow(&lab);
    let records = lab.scan().await.records;
    let like = grant(&records, "A0NOTES001:T0ENGIN01:bot");
    let grants: Vec<Grant> = (0..250)
        .map(|number| Grant { id: format!("A0NOTES001:T0LOT{number:04}:bot"), ..like.clone() })
        .collect();
    let plan = lab.revoker().plan(&Targets { grants, ..Targets::default() }).await.unwrap();
    let sizes: Vec<usize> =
        plan.steps.iter().map(|step| step.details["team_ids"].split(',').count()).collect();
    assert_eq!(sizes, [100, 100, 50]);
}

/// One removal a minute, and no faster.
#[tokio::test(flavor = "multi_thread")]
async fn removals_keep_to_their_tier() {
    let mut world = World::parse(&small()).unwrap();
    // The tier cannot be undercut in whole calls a minute: a fifth is left for the way there.
    world.slack[0].behaviour.time_scale = 250.0;
    let mut lab = OneTenant::paced(world, GRID).await;
    lab.buckets = scaled(200);
    let records = lab.scan().await.records;
    let targets = Targets {
        apps: apps(&records, &["Drift", "Mail Merge Pro", "Undecided Notes", "Shady Sync"]),
        ..Targets::default()
    };
    let revoker = lab.revoker_of(OneTenant::kit());
    let plan = revoker.plan(&targets).await.unwrap();
    for step in &plan.steps {
        assert!(matches!(revoker.apply(step).await, StepOutcome::Done), "{}", step.title);
    }
    assert_eq!(lab.slack().count_calls(|call| call.status == Some(429)), 0);
    assert_eq!(lab.count("admin.apps.uninstall"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn decided_already_is_not_restricted_already() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let revoker = lab.revoker();
    let targets = Targets { apps: apps(&records, &["Drift"]), ..Targets::default() };
    let plan = revoker.plan(&targets).await.unwrap();
    let restrict = step(&plan, "restrict-app");
    lab.inject(
        Fault::new(refusal("request_already_resolved"))
            .on_path("admin.apps.restrict")
            .on_method("POST"),
    );
    let StepOutcome::Refused(error) = revoker.apply(restrict).await else { panic!() };
    assert!(error.hint.unwrap().contains("does not show that it is restricted"));
    lab.slack().clear_faults();
    assert!(matches!(revoker.apply(restrict).await, StepOutcome::Done));
    lab.inject(
        Fault::new(refusal("request_already_resolved"))
            .on_path("admin.apps.restrict")
            .on_method("POST"),
    );
    assert!(matches!(revoker.apply(restrict).await, StepOutcome::AlreadyGone));
}

/// A list of the organisation need not have a workspace's requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspaces_request_is_looked_for_in_its_workspace() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let revoker = lab.revoker();
    let targets = Targets { apps: apps(&records, &["Free Survey"]), ..Targets::default() };
    let plan = revoker.plan(&targets).await.unwrap();
    let cancel = step(&plan, "cancel-request");
    assert_eq!(cancel.details["team_id"], "T0SALES01");
    let none = r#"{"ok":true,"app_requests":[]}"#;
    let fault = Fault::new(super::bench::reply(none)).on_path("admin.apps.requests.list");
    lab.inject(fault.on_text("enterprise_id"));
    assert!(matches!(revoker.verify(cancel).await, Verification::StillThere(1)));
    assert!(matches!(revoker.apply(cancel).await, StepOutcome::Done));
    assert!(matches!(revoker.verify(cancel).await, Verification::Gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_that_revokes_is_not_removed_by_itself() {
    let lab = grid().await;
    let records = lab.scan().await.records;
    let body = r#"{"ok":true,"user":"ada","user_id":"W1","team":"Small","team_id":"E0SMALL01","enterprise_id":"E0SMALL01","is_enterprise_install":true,"app_id":"A0DRIFT001"}"#;
    lab.inject(Fault::new(super::bench::reply(body)).on_path("auth.test"));
    let targets = Targets {
        apps: apps(&records, &["Drift", "Mail Merge Pro"]),
        grants: held(&records, &["A0DRIFT001:T0SALES01:bot"]),
    };
    let plan = lab.revoker().plan(&targets).await.unwrap();
    assert!(plan.steps.iter().all(|step| step.target == "A0MERGE001"), "{plan:#?}");
    assert!(plan.by_hand.iter().any(|text| text.contains("as the last")));
    assert!(plan.by_hand.iter().any(|text| text.contains("1 removal takes at least 1 minute.")));
}
