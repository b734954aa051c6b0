//! What must never be taken for a whole result: refusals in Slack's words, logs that move, rows that are not understood, and the
//! organisation without an audit log.

use grantwarden_kit::{
    model::{Observed, Reason},
    testing::StandIn as _,
};
use grantwarden_lab::{Effect, Fault, World};

use super::bench::{
    GRID, OneTenant, WORKSHOP, app, grant, ids, part, refusal, reply, small, tenant,
};

const INSTALLED: &str = "installed-apps";

fn detail(coverage: &grantwarden_kit::model::Coverage, facet: &str) -> String {
    let losses = part(coverage, facet).losses.iter();
    losses.map(|loss| format!("{:?} {}\n", loss.gap.reason, loss.gap.detail)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_the_audit_log_is_told_with_what_to_do() {
    for (code, reason, word) in [
        ("not_an_admin", Reason::Permission, "an Owner of the organisation"),
        ("not_allowed", Reason::Permission, "an Owner of the organisation"),
        ("not_allowed_token_type", Reason::Permission, "xoxp-"),
        ("app_management_app_not_installed_on_org", Reason::Permission, "whole organisation"),
        ("feature_not_enabled", Reason::Licence, "Enterprise plan"),
        ("token_revoked", Reason::CallFailed, "install the scanner's app again"),
        ("invalid_auth", Reason::CallFailed, "Restrict API Token Usage"),
        ("team_added_to_org", Reason::CallFailed, "later"),
        ("org_login_required", Reason::Permission, "organisation"),
        ("enterprise_is_restricted", Reason::Permission, "workspace"),
        ("ekm_access_denied", Reason::Permission, "Key Management"),
        ("access_denied", Reason::Permission, "policy"),
        ("two_factor_setup_required", Reason::Permission, "second factor"),
        ("never_heard_of", Reason::CallFailed, "never_heard_of"),
    ] {
        let lab = OneTenant::grid().await;
        lab.inject(Fault::new(refusal(code)).on_path("/audit/v1/logs"));
        let outcome = lab.scan().await;
        let told = detail(&outcome.coverage, INSTALLED);
        assert!(told.starts_with(&format!("{reason:?}")) && told.contains(word), "{code}: {told}");
        assert!(!outcome.coverage.is_whole(), "{code}");
        assert!(!told.contains("add auditlogs:read"), "the token has it: {told}");
        // Without the log nothing is called installed but what the export has.
        assert!(ids(&outcome.records).iter().all(|id| id.contains(":by:")), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_the_platform_in_a_good_answer_passes() {
    for code in ["internal_error", "fatal_error", "service_unavailable", "ratelimited"] {
        let lab = OneTenant::grid().await;
        lab.inject(Fault::new(refusal(code)).on_path("/audit/v1/logs").times(2));
        assert!(lab.scan().await.coverage.is_whole(), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_say_ok_is_none() {
    for (path, facet, body) in [
        ("admin.teams.list", "workspaces", r#"{"teams":[]}"#),
        ("admin.teams.list", "workspaces", r#"{"ok":true}"#),
        ("admin.teams.list", "workspaces", r#"{"ok":true,"teams":[]}"#),
        ("/audit/v1/logs", INSTALLED, r#"{"ok":true}"#),
        ("approved.list", "approvals", r#"{"ok":true,"approved":[]}"#),
    ] {
        let lab = OneTenant::grid().await;
        lab.inject(Fault::new(reply(body)).on_path(path));
        let outcome = lab.scan().await;
        assert!(!part(&outcome.coverage, facet).losses.is_empty(), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_not_understood_are_counted() {
    let entries = r#"{"entries":[
        {"id":"1","date_create":1700000000,"action":"app_installed","entity":{"type":"workspace"}},
        {"id":"2","date_create":"soon","action":"app_installed"},
        {"id":"3","date_create":1700000000,"action":"app_installed","entity":{"type":"app","app":{"id":"A1","name":"One","scopes":["a"]}},"context":{"location":{"type":"workspace","id":"T1"}}},
        {"id":"3","date_create":1700000000,"action":"app_uninstalled","entity":{"type":"app","app":{"id":"A1","scopes":7}}},
        7
    ],"response_metadata":{"next_cursor":""}}"#;
    let mut lab = OneTenant::grid().await;
    lab.export = None;
    lab.inject(Fault::new(reply(entries)).on_path("/audit/v1/logs").on_text("app_installed"));
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, INSTALLED).losses;
    let lost = losses.iter().find(|loss| loss.gap.reason == Reason::CallFailed).unwrap();
    assert_eq!(lost.rows, Some(3));
    assert_eq!(part(&outcome.coverage, INSTALLED).read, 1);
    // A list that does not say whose token it is for is a user's, who may do more.
    let one = grant(&outcome.records, "A1:T1:by:");
    assert_eq!(one.scopes.known().unwrap().len(), 1);
    assert!(one.holder.principal().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_without_the_audit_log_is_read_workspace_by_workspace() {
    let mut lab = OneTenant::grid().await;
    lab.export = None;
    assert!(lab.slack().set_right("auditlogs:read", false));
    assert!(lab.slack().set_right("admin", true));
    let outcome = lab.scan().await;
    let told = detail(&outcome.coverage, INSTALLED);
    assert!(told.contains("auditlogs:read"), "{told}");
    // The Owner is no member of the board's workspace.
    assert!(told.contains("no access to workspace T0BOARD01"), "{told}");
    assert!(!told.contains("T0SALES01") && !told.contains("Unauthorized"), "{told}");
    assert!(!outcome.coverage.is_whole());
    let found = ids(&outcome.records);
    assert!(found.contains(&"A0DRIFT001:T0ENGIN01:by:W0DAN0001"), "{found:?}");
    assert!(found.contains(&"A0OLDTM001:T0SALES01:by:W0PIA0001"), "{found:?}");
    assert!(!found.iter().any(|id| id.contains("T0BOARD01")));
    assert_eq!(lab.count("/audit/"), 0);

    // A dead token is not taken for workspaces without access.
    let mut lab = OneTenant::grid().await;
    lab.export = None;
    lab.slack().set_right("auditlogs:read", false);
    lab.slack().set_right("admin", true);
    lab.inject(Fault::new(refusal("invalid_auth")).on_path("integrationLogs"));
    lab.inject(Fault::new(refusal("invalid_auth")).on_path("auth.test").skip(1));
    let outcome = lab.scan().await;
    let told = detail(&outcome.coverage, INSTALLED);
    assert!(!told.contains("no access to workspace"), "{told}");
    assert_eq!(lab.count("integrationLogs"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_an_announced_total_is_read_to_its_end() {
    let row = |number: u32| {
        format!(
            r#"{{"app_id":"A{number}","app_type":"App {number}","user_id":"U1","user_name":"u","date":"17000000{number:02}","change_type":"added","scope":"a"}}"#
        )
    };
    let page = |rows: &[u32]| {
        let rows: Vec<String> = rows.iter().map(|number| row(*number)).collect();
        reply(&format!(r#"{{"ok":true,"logs":[{}]}}"#, rows.join(",")))
    };
    let lab = OneTenant::workshop().await;
    for (number, rows) in [&[1, 2][..], &[3], &[]].into_iter().enumerate() {
        let fault = Fault::new(page(rows)).on_path("integrationLogs");
        lab.inject(fault.skip(u32::try_from(number).unwrap()).times(1));
    }
    let outcome = lab.scan().await;
    assert_eq!(ids(&outcome.records).len(), 3);
    assert!(outcome.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_total_that_was_not_given_is_missing() {
    let body = r#"{"ok":true,"logs":[{"app_id":"A1","user_id":"U1","date":"1700000000","change_type":"added"}],"paging":{"count":1000,"total":5,"page":1,"pages":1}}"#;
    let lab = OneTenant::workshop().await;
    lab.inject(Fault::new(reply(body)).on_path("integrationLogs"));
    let outcome = lab.scan().await;
    let loss = &part(&outcome.coverage, INSTALLED).losses[0];
    assert_eq!((loss.gap.reason, loss.rows), (Reason::CountMismatch, Some(4)));
    // The app is there, and what it may do is not told.
    assert!(grant(&outcome.records, "A1:T0WORKS01:by:U1").scopes.gap().is_some());
    // It was looked at again before that was said.
    assert_eq!(lab.count("integrationLogs"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_kind_of_change_is_a_row_that_is_lost() {
    let mut world = World::parse(&small()).unwrap();
    let workshop = world.slack.iter_mut().find(|tenant| tenant.name == WORKSHOP).unwrap();
    workshop.log_rows[0].change = "vaporised".to_owned();
    workshop.log_rows[0].fields.clear();
    let outcome = OneTenant::start(world, WORKSHOP).await.scan().await;
    assert_eq!(part(&outcome.coverage, INSTALLED).losses[0].rows, Some(1));
    assert!(!outcome.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_may_come_in_any_order_and_form() {
    let usual = OneTenant::workshop().await.scan().await;
    let mut world = World::parse(&small()).unwrap();
    for tenant in &mut world.slack {
        let behaviour = &mut tenant.behaviour;
        behaviour.logs_oldest_first = true;
        behaviour.service_ids_as_numbers = true;
        behaviour.expanded_rows = true;
        behaviour.scope_absent_when_empty = true;
        behaviour.logs_page = 4;
        behaviour.users_page = 1;
        behaviour.end_without_metadata = true;
        behaviour.empty_first_page = true;
        behaviour.cursor_once = true;
        behaviour.audit_page = 3;
        behaviour.apps_page = 1;
        behaviour.teams_page = 1;
        behaviour.admin_users_page = 1;
        behaviour.org_token_has_workspace = true;
    }
    let odd = OneTenant::start(world.clone(), WORKSHOP).await.scan().await;
    assert_eq!(ids(&odd.records), ids(&usual.records));
    assert!(odd.coverage.is_whole(), "{:#?}", odd.coverage);
    // Scopes that are missing are not none.
    assert!(grant(&odd.records, "A0RULES001:T0WORKS01:by:U0LEO0001").scopes.gap().is_some());

    let usual = OneTenant::grid().await.scan().await;
    let odd = OneTenant::start(world, GRID).await.scan().await;
    assert_eq!(ids(&odd.records), ids(&usual.records));
    assert!(odd.coverage.is_whole(), "{:#?}", odd.coverage);
    // Then the sign-in names a workspace, which is not the organisation's name.
    assert!(tenant(&odd.records).display_name.gap().is_some());
    assert_eq!(tenant(&odd.records).id, "E0SMALL01");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_begins_late_calls_nothing_gone() {
    let mut world = World::parse(&small()).unwrap();
    world.slack[0].behaviour.audit_retention_days = Some(90);
    let mut lab = OneTenant::start(world, GRID).await;
    lab.export = None;
    let outcome = lab.scan().await;
    let found = ids(&outcome.records);
    assert!(
        found.contains(&"A0SHADY001:T0SALES01:user:W0SAM0001") && found.len() == 2,
        "{found:?}"
    );
    // Decided apps are there without a claim that they are not installed.
    assert!(app(&outcome.records, "Drift").installed.gap().is_some());
    let notes = &part(&outcome.coverage, INSTALLED).notes;
    assert!(notes.iter().any(|note| note.starts_with("the oldest entry")), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_whose_users_are_not_visible_says_so() {
    let lab = OneTenant::grid().await;
    lab.slack().set_right("admin.users:read", false);
    let outcome = lab.scan().await;
    assert!(outcome.coverage.is_whole());
    assert!(detail(&outcome.coverage, "users").contains("admin.users:read"));
    let gus = grant(&outcome.records, "A0CALEN001:T0SALES01:user:W0GUS0001");
    let gus = gus.holder.principal().unwrap();
    // The log knows the address, and not whether the user may still sign in.
    assert_eq!(gus.name, Observed::Known("gone.gus@small.example".to_owned()));
    assert_eq!(gus.status.gap().unwrap().reason, Reason::Permission);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_what_a_failed_sign_in_says() {
    let lab = OneTenant::grid().await;
    let token = lab.slack().client().reader;
    let body = format!(
        r#"{{"ok":false,"error":"invalid_auth","response_metadata":{{"messages":["token {token} is bad"]}}}}"#
    );
    lab.inject(Fault::new(reply(&body)).on_path("auth.test"));
    let error = lab.open(OneTenant::kit()).unwrap().sign_in().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(&token));
    assert!(error.hint.unwrap().contains("Restrict API Token Usage"));
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_that_is_not_visible_is_said() {
    let lab = OneTenant::grid().await;
    lab.inject(
        Fault::new(Effect::RemovePermission { user: None, permission: "auditlogs:read".into() })
            .on_path("auth.test")
            .times(1),
    );
    let outcome = lab.scan().await;
    assert!(detail(&outcome.coverage, "audit-events").contains("auditlogs:read"));
    assert!(!outcome.coverage.is_whole());
}

/// Whatever was read and not handed over was not read.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_goes_away_leaves_no_whole_result() {
    for room in [1, 20] {
        let lab = OneTenant::grid().await;
        let session = lab.open(OneTenant::kit()).unwrap();
        let (sink, mut stream) = grantwarden_kit::connector::Sink::bounded(room);
        let reading = async {
            for _ in 0..room {
                stream.recv().await;
            }
            drop(stream);
        };
        let ((), coverage) = tokio::join!(reading, session.collect(&sink));
        assert!(!coverage.is_whole(), "{room}");
        assert!(!part(&coverage, INSTALLED).losses.is_empty(), "{room}");
    }
}

/// Then the workspaces' logs are all there is, and they need not have what is installed on the whole organisation.
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_has_no_audit_log_is_never_whole() {
    let mut lab = OneTenant::grid().await;
    lab.export = None;
    assert!(lab.slack().set_right("admin", true));
    lab.inject(Fault::new(refusal("feature_not_enabled")).on_path("/audit/v1/logs"));
    let body = r#"{"ok":true,"logs":[],"paging":{"count":1000,"total":0,"page":1,"pages":1}}"#;
    lab.inject(Fault::new(reply(body)).on_path("integrationLogs"));
    let outcome = lab.scan().await;
    assert!(!outcome.coverage.is_whole(), "{:#?}", part(&outcome.coverage, INSTALLED));
    assert!(
        detail(&outcome.coverage, INSTALLED).contains("whole organisation need not be in them")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_pages_repeat_is_not_read_for_ever() {
    let body = r#"{"ok":true,"logs":[{"app_id":"A1","user_id":"U1","date":"1700000000","change_type":"added"}]}"#;
    let lab = OneTenant::workshop().await;
    lab.inject(Fault::new(reply(body)).on_path("integrationLogs"));
    let outcome = lab.scan().await;
    assert!(!outcome.coverage.is_whole());
    assert!(detail(&outcome.coverage, INSTALLED).contains("same page again"));
    assert_eq!(lab.count("integrationLogs"), 2);
}

/// A decision is no install and no removal: it must not hide what the export has.
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_in_the_log_does_not_remove_what_the_export_has() {
    let row = |change: &str, resolution: &str| {
        format!(
            r#"{{"ok":true,"logs":[{{"app_id":"A1","app_type":"One","user_id":"U1","date":"1700000000","change_type":"{change}","resolution":"{resolution}"}}],"paging":{{"count":1000,"total":1,"page":1,"pages":1}}}}"#
        )
    };
    for (body, is_there) in [(row("updated", "approved"), true), (row("removed", ""), false)] {
        let mut lab = OneTenant::workshop().await;
        lab.export = Some("App ID,App name\nA1,One\n".to_owned());
        lab.inject(Fault::new(reply(&body)).on_path("integrationLogs"));
        let outcome = lab.scan().await;
        let found = ids(&outcome.records).contains(&"A1:T0WORKS01:by:");
        assert_eq!(found, is_there, "{body}");
    }
}

/// The audit log's order is not promised: a listing that is begun anew must not leave out what is younger.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_gives_the_oldest_first_is_read_whole_after_a_restart() {
    let entry = |number: u32| {
        format!(
            r#"{{"id":"{number}","date_create":170000000{number},"action":"app_installed","entity":{{"type":"app","app":{{"id":"A{number}","name":"App {number}","scopes":["a"]}}}},"context":{{"location":{{"type":"workspace","id":"T1"}}}}}}"#
        )
    };
    let page = |entries: &[u32], next: &str| {
        let entries: Vec<String> = entries.iter().map(|number| entry(*number)).collect();
        reply(&format!(
            r#"{{"entries":[{}],"response_metadata":{{"next_cursor":"{next}"}}}}"#,
            entries.join(",")
        ))
    };
    let mut lab = OneTenant::grid().await;
    lab.export = None;
    lab.skip.push("audit-events".to_owned());
    let asked = |effect: Effect, text: &str| {
        lab.inject(Fault::new(effect).on_path("/audit/v1/logs").on_text(text));
    };
    let expired = Fault::new(refusal("invalid_cursor")).on_path("/audit/v1/logs").on_text("page");
    lab.inject(expired.times(1));
    asked(page(&[3], ""), "page");
    asked(page(&[1, 2], "two"), "app_installed");
    let outcome = lab.scan().await;
    assert_eq!(ids(&outcome.records).len(), 3, "{:?}", ids(&outcome.records));
    // It was begun anew from its beginning, and not from its oldest entry backwards.
    let is_cut = |call: &grantwarden_lab::Call| call.query.iter().any(|(name, _)| name == "latest");
    assert_eq!(lab.slack().count_calls(is_cut), 0);
}

/// What a single workspace never has is said, whatever the configuration asks for.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_single_workspace_never_has_is_said_as_such() {
    let lab = OneTenant::workshop().await.without_opt_ins();
    let probe = lab.probe().await;
    let outcome = lab.scan().await;
    for facet in [
        "approvals",
        "requests",
        "workspace-approvals",
        "domain-limits",
        "mcp-servers",
        "app-activity",
        "audit-events",
    ] {
        let gap =
            probe.facets.iter().find(|seen| seen.facet == facet).unwrap().gap.as_ref().unwrap();
        let loss = &part(&outcome.coverage, facet).losses;
        assert_eq!(loss.len(), 1, "{facet}: {loss:?}");
        for gap in [gap, &loss[0].gap] {
            assert_eq!(gap.reason, Reason::Licence, "{facet}");
            assert!(gap.detail.contains("Enterprise plan"), "{facet}: {}", gap.detail);
        }
    }
}

/// A log that was read in part tells nothing of the time that was not read, and nobody who went away was told.
#[tokio::test(flavor = "multi_thread")]
async fn usage_that_breaks_off_claims_no_more_than_it_read() {
    use grantwarden_kit::{connector::Sink, model::Record};
    let lab = OneTenant::grid().await;
    let now = grantwarden_kit::clock::Clock::now(&grantwarden_kit::clock::SystemClock).as_second();
    let at = now - 86_400;
    let page = format!(
        r#"{{"entries":[{{"id":"1","date_create":{at},"action":"file_downloaded","context":{{"app":{{"id":"A0DRIFT001"}}}}}}],"response_metadata":{{"next_cursor":"two"}}}}"#
    );
    lab.inject(
        Fault::new(refusal("access_denied")).on_path("/audit/v1/logs").on_text("cursor=two"),
    );
    lab.inject(Fault::new(reply(&page)).on_path("/audit/v1/logs"));
    let session = lab.open(OneTenant::kit()).unwrap();
    let (sink, mut stream) = Sink::bounded(9);
    let coverage = session.usage().unwrap().usage(&sink).await;
    let Some(Record::Usage(usage)) = stream.recv().await else { panic!() };
    assert_eq!(usage.from.as_second(), at);
    assert!(!part(&coverage, "audit-events").losses.is_empty());

    lab.slack().clear_faults();
    lab.inject(Fault::new(reply(&page.replace("two", ""))).on_path("/audit/v1/logs"));
    drop(stream);
    let coverage = session.usage().unwrap().usage(&sink).await;
    assert!(!part(&coverage, "audit-events").losses.is_empty());
}
