//! Answers that prove nothing: what was not seen must not be taken for not there.

use std::{sync::Arc, time::Duration};

use grantwarden_kit::{
    clock::{Clock as _, SystemClock, TestClock},
    connector::{Connector as _, Kit, Sink, StepOutcome, Targets, Verification},
    memory::Memory,
    model::{Coverage, GrantKind, Reason, Record},
};
use grantwarden_lab::{Effect, Fault};
use tokio_util::sync::CancellationToken;

use super::bench::{OneAccount, entry, grant, grants, holders, log, part, reply};
use crate::GoogleWorkspace;

const SAM: &str = "sam.sales@small.example";
const CLIENT: &str = "109900000000000000777";

/// A report of one app that nobody was listed for.
fn ghosts(users: u64) -> Effect {
    let body = format!(
        r#"{{"kind":"admin#reports#usageReports","usageReports":[{{"parameters":[{{"name":"accounts:authorized_apps","msgValue":[{{"client_name":"Ghost Sync","client_id":"999-ghost.apps.googleusercontent.com","num_users":{users}}}]}}]}}]}}"#
    );
    reply(200, &body)
}

fn delegations(records: &[Record]) -> Vec<&str> {
    let delegated = grants(records).filter(|grant| grant.kind == GrantKind::Delegation);
    delegated.map(|grant| grant.app.as_str()).collect()
}

/// Scans, and cancels while the log is asked for late revocations.
async fn cancelled_late(lab: &OneAccount) -> (Vec<Record>, Coverage) {
    let late = Fault::new(Effect::Slow { millis: 5_000 });
    lab.google().inject(late.on_path("/applications/token").on_text("revoke").skip(1));
    let cancel = CancellationToken::new();
    let clock = Arc::new(TestClock::at(SystemClock.now()));
    let kit = Kit { clock, cancel: cancel.clone() };
    let session = GoogleWorkspace.open(lab.config(), kit).unwrap();
    let (sink, mut stream) = Sink::bounded(64);
    let reading = async {
        let mut records = Vec::new();
        while let Some(record) = stream.recv().await {
            records.push(record);
        }
        records
    };
    let writing = async {
        let sink = sink;
        session.collect(&sink).await
    };
    let stopping = async {
        // The last of the users; then comes the log once more, whose answer takes its time.
        while lab.google().count_calls(|call| call.path.ends_with("/asps")) < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        cancel.cancel();
    };
    let (records, coverage, ()) = tokio::join!(reading, writing, stopping);
    (records, coverage)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_is_cancelled_late_is_not_whole() {
    let lab = OneAccount::small().await;
    lab.google().inject(Fault::new(ghosts(500)).on_path("/usage/"));
    let (records, coverage) = cancelled_late(&lab).await;
    assert!(delegations(&records).is_empty(), "they are told last");
    let part = |facet| part(&coverage, facet);
    let delegated = part("domain-wide-delegation");
    assert_eq!((delegated.read, delegated.losses[0].gap.reason), (0, Reason::Cancelled));
    let losses = &part("grants").losses;
    assert!(losses.iter().all(|loss| loss.gap.reason == Reason::Cancelled), "{losses:?}");
    assert!(losses.iter().any(|loss| loss.gap.detail.contains("Ghost Sync")), "{losses:?}");
    assert!(!coverage.is_whole());
}

/// An address may be an alias, an older one, or in another case: it names nobody for certain.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_names_a_user_by_address_only_means_a_full_pass() {
    let mut world = OneAccount::generated(200, 1_000, 40);
    world.google_workspace[0].behaviour.quota = false;
    let mut lab = OneAccount::start(world).await;
    let folder = tempfile::tempdir().unwrap();
    lab.memory = Some(Memory::at(folder.path().join("test.memory")));
    lab.scan().await;
    let who = r#"{"email":"her.old.name@generated.example"}"#;
    let client = r#"{"name":"client_id","value":"1.apps.googleusercontent.com"}"#;
    let authorised = log(&[entry(1, who, "authorize", client)]);
    lab.google().inject(Fault::new(authorised).on_path("/applications/token").on_text("authorize"));
    lab.google().forget_calls();
    lab.scan().await;
    let listed = lab.google().count_calls(|call| call.path.ends_with("/tokens"));
    assert_eq!(listed, 201);
}

/// A front end's 404 for the thing itself, while the list still has it.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_list_still_has_is_still_there() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let held = ["Drift", "Phone mail"].map(|app| grant(&outcome.records, app, SAM).clone());
    let revoker = lab.revoker();
    let plan = revoker.plan(&Targets { apps: Vec::new(), grants: held.into() }).await.unwrap();
    let missing = || super::bench::refusal(404, "notFound", "Resource Not Found");
    for (step, path) in plan.steps.iter().zip(["/tokens/", "/asps/"]) {
        lab.google().inject(Fault::new(missing()).on_path(path));
        let seen = revoker.verify(step).await;
        assert!(matches!(seen, Verification::StillThere(1)), "{path}: {seen:?}");
        lab.google().clear_faults();
    }
    // A row that cannot be read may be it.
    let odd = r#"{"kind":"admin#directory#tokenList","items":[{"clientId":7}]}"#;
    lab.google().inject(Fault::new(reply(200, odd)).on_path("/tokens").times(1));
    lab.google().inject(Fault::new(missing()).on_path("/tokens/"));
    assert!(matches!(revoker.verify(&plan.steps[0]).await, Verification::CannotTell(_)));
    // A front end that knows no such page has not revoked anything.
    lab.google().clear_faults();
    lab.google().inject(Fault::new(reply(404, "<html>404</html>")).on_method("DELETE"));
    assert!(matches!(revoker.apply(&plan.steps[0]).await, StepOutcome::Refused(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_added_and_removed_at_one_instant_is_kept() {
    let mut lab = OneAccount::small().await;
    lab.has_export = false;
    let parameters = format!(
        r#"{{"name":"API_CLIENT_NAME","value":"{CLIENT}"}},{{"name":"API_SCOPES","value":"https://mail.google.com/"}}"#
    );
    let who = r#"{"email":"ada.admin@small.example"}"#;
    let (add, remove) = ("AUTHORIZE_API_CLIENT_ACCESS", "REMOVE_API_CLIENT_ACCESS");
    for (added, kept) in [(50, true), (60, false)] {
        lab.google().clear_faults();
        for (event, hours) in [(add, added), (remove, 50)] {
            // An event of another name is no authorisation.
            let other = parameters.replace(CLIENT, "555");
            let told = [
                entry(hours, who, event, &parameters),
                entry(hours, who, "CHANGE_APP_ACCESS", &other).replace("\"7\"", "\"8\""),
            ];
            lab.google()
                .inject(Fault::new(log(&told)).on_path("/applications/admin").on_text(event));
        }
        let outcome = lab.scan().await;
        assert_eq!(delegations(&outcome.records), if kept { vec![CLIENT] } else { vec![] });
        let losses = &part(&outcome.coverage, "domain-wide-delegation").losses;
        let said = losses.iter().any(|loss| loss.gap.detail.contains("same instant"));
        assert_eq!(said, kept, "{losses:?}");
    }
}

/// A proxy that does not know the way answers 404 for everybody.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_gone_because_a_page_is_not_found() {
    for body in [
        "<html>no such route</html>",
        r#"{"error":{"code":404,"message":"x","errors":[{"message":"x","domain":"global","reason":"notFound"}]}}"#,
    ] {
        let mut lab = OneAccount::small().await;
        lab.skip = vec!["authorized-apps".into()];
        lab.google().inject(Fault::new(reply(404, body)).on_path("/v1/users/"));
        let outcome = lab.scan().await;
        assert!(!outcome.coverage.is_whole(), "{body}");
        let losses = &part(&outcome.coverage, "grants").losses;
        assert!(losses.iter().all(|loss| loss.gap.reason == Reason::CallFailed), "{losses:?}");
        assert!(holders(&outcome.records).iter().all(|holder| holder.ends_with("everybody")));
    }
}

/// Google counts many users of an app, and nobody was listed: whatever else failed, that is a loss.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_nobody_was_listed_for_is_a_loss_whatever_else_fails() {
    let no_report = || Fault::new(super::bench::forbidden());
    let cases = [
        ("no log", vec!["grant-events"], None, Reason::CountMismatch),
        (
            "the second look fails",
            vec![],
            Some(no_report().on_path("/applications/token").on_text("revoke").skip(1)),
            Reason::Permission,
        ),
    ];
    for (what, skip, fault, reason) in cases {
        let mut lab = OneAccount::small().await;
        lab.skip = skip.into_iter().map(String::from).collect();
        lab.google().inject(Fault::new(ghosts(500)).on_path("/usage/"));
        if let Some(fault) = fault {
            lab.google().inject(fault);
        }
        let outcome = lab.scan().await;
        let losses = &part(&outcome.coverage, "grants").losses;
        assert_eq!((losses.len(), losses[0].gap.reason), (1, reason), "{what}: {losses:?}");
        assert_eq!(losses[0].rows, Some(500), "{what}");
        assert!(losses[0].gap.detail.contains("Ghost Sync"), "{what}: {losses:?}");
        assert!(!outcome.coverage.is_whole(), "{what}");
    }
    // Others were deleted: that is no reason for all of an app's users to be missing.
    let lab = OneAccount::start(OneAccount::generated(60, 300, 10)).await;
    for number in 1..=6 {
        let username = format!("user000000{number}@generated.example");
        lab.happen(Effect::DeleteUser { username }).await;
    }
    lab.google().inject(Fault::new(ghosts(6)).on_path("/usage/"));
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "grants").losses;
    assert_eq!(losses[0].gap.reason, Reason::CountMismatch, "{losses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_apps_is_no_report_and_a_refusal_is_one() {
    let lab = OneAccount::small().await;
    let other = r#"{"kind":"x","usageReports":[{"parameters":[{"name":"accounts:num_users"}]}]}"#;
    lab.google().inject(Fault::new(reply(200, other)).on_path("/usage/").times(1));
    let outcome = lab.scan().await;
    assert!(part(&outcome.coverage, "authorized-apps").read > 0, "the day before has one");
    let lab = OneAccount::small().await;
    let refused = super::bench::refusal(400, "invalid", "Invalid value at 2026-01-02");
    lab.google().inject(Fault::new(refused).on_path("/usage/"));
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "authorized-apps").losses;
    assert_eq!(losses[0].gap.reason, Reason::CallFailed, "{losses:?}");
    // Counts that no account has do no harm.
    let lab = OneAccount::small().await;
    let row = |id: u32| format!(r#"{{"client_id":"{id}","num_users":9223372036854775807}}"#);
    let rows: Vec<String> = [1, 1, 1, 2, 3].map(row).into();
    let body = format!(
        r#"{{"usageReports":[{{"parameters":[{{"name":"accounts:authorized_apps","msgValue":[{}]}}]}}]}}"#,
        rows.join(",")
    );
    lab.google().inject(Fault::new(reply(200, &body)).on_path("/usage/"));
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome.coverage, "grants").losses[0].rows, Some(u64::MAX));
}

/// The end of a listing is a page that says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_page_of_users_is_not_the_last_page() {
    let mut world = OneAccount::generated(200, 1_000, 40);
    world.google_workspace[0].behaviour.users_page = 50;
    let mut lab = OneAccount::start(world).await;
    lab.skip = vec!["authorized-apps".into()];
    for body in ["{}", r#"{"error":{"code":500,"message":"backend"}}"#] {
        lab.google().clear_faults();
        let fault = Fault::new(reply(200, body)).on_path("/v1/users").on_text("pageToken");
        lab.google().inject(fault.skip(1));
        let outcome = lab.scan().await;
        assert!(!part(&outcome.coverage, "users").losses.is_empty(), "{body}");
        assert!(!part(&outcome.coverage, "grants").losses.is_empty(), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_api_controls_at_all_is_a_loss() {
    let lab = OneAccount::small().await;
    lab.google().inject(Fault::new(reply(200, "{}")).on_path("/v1/policies"));
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "api-controls").losses;
    assert_eq!(losses[0].gap.reason, Reason::CallFailed, "{losses:?}");
}

/// What a log refuses, or does not know, is not "never blocked", "approved" or "unbound".
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_access_that_could_not_be_read_leave_it_unknown() {
    let invalid = || super::bench::refusal(400, "invalid", "Invalid value");
    for (fault, text, reason) in [
        (super::bench::forbidden(), "REMOVE_FROM_TRUSTED_OAUTH2_APPS", Reason::Permission),
        (invalid(), "REMOVE_FROM_TRUSTED_OAUTH2_APPS", Reason::PlatformSilent),
        (invalid(), "", Reason::CallFailed),
        (super::bench::forbidden(), "CHANGE_CAA_APP_ASSIGNMENTS", Reason::Permission),
        (invalid(), "CHANGE_CAA_APP_ASSIGNMENTS", Reason::PlatformSilent),
    ] {
        let lab = OneAccount::small().await;
        lab.google().inject(Fault::new(fault).on_path("/applications/admin").on_text(text));
        let outcome = lab.scan().await;
        let losses = &part(&outcome.coverage, "app-access").losses;
        assert_eq!(losses[0].gap.reason, reason, "{text}: {losses:?}");
        let is_named = losses[0].gap.detail.contains(text);
        assert!(is_named || reason != Reason::PlatformSilent, "{losses:?}");
        let intranet = super::bench::app(&outcome.records, "Small Intranet");
        let is_about_context = text.starts_with("CHANGE_CAA");
        assert_eq!(intranet.approval.known().is_some(), is_about_context, "{text}");
        assert_eq!(intranet.blocked.known().is_some(), is_about_context, "{text}");
        let binding = &grant(&outcome.records, "Drift", SAM).network.binding;
        let is_context_read = text.starts_with("REMOVE");
        assert_eq!(binding.gap().is_none(), is_context_read, "{text}");
    }
    let mut lab = OneAccount::small().await;
    lab.skip = vec!["app-access".into()];
    let outcome = lab.scan().await;
    let binding = &grant(&outcome.records, "Drift", SAM).network.binding;
    assert_eq!(binding.gap().unwrap().reason, Reason::Skipped);
}

/// An administrator's revocation is in the log of administrators, by the user's address.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_grant_an_admin_revoked_is_listed_again() {
    let mut world = OneAccount::generated(200, 1_000, 40);
    world.google_workspace[0].behaviour.quota = false;
    let mut lab = OneAccount::start(world).await;
    let folder = tempfile::tempdir().unwrap();
    lab.memory = Some(Memory::at(folder.path().join("test.memory")));
    let first = lab.scan().await;
    let id_of = |address: &str| {
        let of = grants(&first.records).filter_map(|grant| grant.holder.principal());
        of.filter(|user| user.label() == address).map(|user| user.id.clone()).next().unwrap()
    };
    let listed = |id: &str| {
        lab.google().count_calls(|call| call.path.ends_with(&format!("/users/{id}/tokens")))
    };
    // Not one of the day's sample.
    lab.google().forget_calls();
    lab.scan().await;
    let (address, id) = (100..110)
        .map(|number| format!("user0000{number}@generated.example"))
        .map(|address| (address.clone(), id_of(&address)))
        .find(|(_, id)| listed(id) == 0)
        .unwrap();
    let who = r#"{"email":"admin@generated.example","profileId":"1"}"#;
    let user = format!(r#"{{"name":"USER_EMAIL","value":"{}"}}"#, address.to_uppercase());
    let revoked = log(&[entry(1, who, "REVOKE_3LO_TOKEN", &user)]);
    let refused = super::bench::refusal(400, "invalid", "Invalid value");
    for (effect, times) in [(revoked, 1), (refused, 0)] {
        lab.google().clear_faults();
        let fault = Fault::new(effect).on_path("/applications/admin");
        lab.google().inject(fault.on_text("REVOKE_3LO_TOKEN"));
        lab.google().forget_calls();
        let outcome = lab.scan().await;
        assert_eq!(listed(&id), times);
        assert!(outcome.coverage.is_whole());
    }
}
