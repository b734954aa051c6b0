//! What is Slack's own: the replay, what it leaves open, decisions, and what is never called unless it is asked for.

use grantwarden_kit::{
    auth::Credentials,
    connector::Connector as _,
    error::ErrorKind,
    model::{
        Approval, Expiry, GrantKind, Holder, Observed, Origin, PrincipalStatus, Reason, Record,
    },
    secret::Secret,
    testing::StandIn as _,
};
use grantwarden_lab::World;

use super::bench::{
    GRID, OneTenant, WORKSHOP, app, grant, has_app, ids, part, said, scopes, small_with, tenant,
};
use crate::Slack;

#[test]
fn the_manifest_is_read() {
    let manifest = Slack.manifest();
    assert_eq!(manifest.facets.iter().filter(|facet| facet.promised).count(), 3);
    let opt_in = |id: &str| manifest.facet(id).unwrap().opt_in.as_deref();
    assert!(opt_in("approvals").unwrap().contains("only approver"));
    assert!(opt_in("workspace-approvals").unwrap().starts_with("five calls"));
    assert!(opt_in("app-activity").is_none());
    assert!(manifest.facet("installed-apps").unwrap().import.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_told_with_all_its_facts() {
    let lab = OneTenant::grid().await;
    let outcome = lab.scan().await;
    let (records, coverage) = (&outcome.records, &outcome.coverage);
    assert!(coverage.is_whole(), "{coverage:#?}");
    let all = [
        "A0BOLTD001:T0BOARD01:bot",
        "A0CALEN001:T0SALES01:user:W0GUS0001",
        "A0DRIFT001:T0ENGIN01:bot",
        "A0DRIFT001:T0SALES01:bot",
        "A0DRIFT001:T0SALES01:user:W0SAM0001",
        "A0FLOWS001:T0SALES01:bot",
        "A0INTRA001:E0SMALL01:bot",
        "A0MERGE001:T0SALES01:user:W0WES0001",
        "A0NOTES001:T0ENGIN01:bot",
        "A0OLDTM001:T0SALES01:by:pia.primary@small.example",
        "A0SHADY001:T0SALES01:user:W0SAM0001",
        // Switched off, which the audit log does not have.
        "A0SLEEP001:T0SALES01:bot",
    ];
    assert_eq!(ids(records), all);

    let organization = tenant(records);
    assert_eq!(organization.id, "E0SMALL01");
    assert_eq!(organization.display_name, Observed::Known(GRID.to_owned()));
    // The log has a change of the setting, and not to what.
    assert!(organization.consent.user_consent.gap().unwrap().detail.contains("not say to what"));
    assert!(said(&organization.settings, "app approval")[0].starts_with("changed"));

    let intranet = app(records, "Small Intranet");
    assert_eq!(intranet.origin, Origin::Own);
    assert_eq!(intranet.token_policy.rotation, Observed::Known(true));
    let installed = grant(records, "A0INTRA001:E0SMALL01:bot");
    assert_eq!((installed.kind, &installed.holder), (GrantKind::Installation, &Holder::App));
    assert_eq!(installed.expires, Observed::Known(Expiry::Never));
    assert_eq!(installed.refreshable, Observed::Known(true));
    assert_eq!(installed.granted_by, Observed::Known("ada.owner@small.example".to_owned()));
    assert!(said(&installed.settings, "installed in")[0].starts_with("the whole organisation"));
    assert_eq!(installed.network.binding.gap().unwrap().reason, Reason::PlatformSilent);

    let calendar = grant(records, "A0CALEN001:T0SALES01:user:W0GUS0001");
    let gus = calendar.holder.principal().unwrap();
    assert_eq!(gus.status, Observed::Known(PrincipalStatus::Inactive));
    assert_eq!(gus.privileges, Observed::Known(Vec::new()));
    assert_eq!(calendar.approval, Observed::Known(Approval::AdminApproved));
    let wes = grant(records, "A0MERGE001:T0SALES01:user:W0WES0001").holder.principal().unwrap();
    let privileges = wes.privileges.known().unwrap();
    assert_eq!(privileges, &["is_owner", "is_admin"]);

    let drift = app(records, "Drift");
    assert_eq!(drift.web_domains, Observed::Known(vec!["drift.example".to_owned()]));
    assert_eq!(drift.origin, Origin::ThirdParty);
    assert_eq!(
        scopes(grant(records, "A0DRIFT001:T0ENGIN01:bot")),
        ["channels:history", "chat:write"]
    );

    // Restricting leaves what is installed.
    let shady = app(records, "Shady Sync");
    assert_eq!(shady.blocked, Observed::Known(false));
    assert!(said(&shady.settings, "app approval")[0].contains("what is installed stays"));
    let only = app(records, "Approved Only");
    assert!(only.installed.gap().is_some() && only.approval.known().is_some());
    assert_eq!(app(records, "Undecided Notes").blocked, Observed::Known(false));

    let flow = app(records, "Deal Desk Flow");
    assert_eq!(
        said(&flow.settings, "domains that it may reach"),
        ["addresses: small.example; calls: api.small.example"]
    );
    assert!(said(&flow.settings, "server for language models")[0].contains("mcp.dealdesk.example"));
    assert_eq!(said(&flow.settings, "approved in workspaces"), ["Sales (T0SALES01)"]);
    assert!(grant(records, "A0FLOWS001:T0SALES01:bot").last_used_at.known().is_some());
    let requests = said(&app(records, "Free Survey").settings, "request");
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].starts_with("Ar0SMALL01 by sam.sales@small.example in T0SALES01"));
    assert!(has_app(records, "Certified Survey"));

    // What a token of an app did.
    let used = outcome.records.iter().find_map(|record| match record {
        Record::Usage(usage) => Some(usage),
        _ => None,
    });
    let used = used.unwrap();
    assert_eq!((used.app.as_str(), used.events), ("A0DRIFT001", 1));
    assert_eq!(used.addresses[0].value, "203.0.113.71");
    let events = records.iter().filter(|record| matches!(record, Record::AuditEvent(_))).count();
    assert_eq!(events, 8);
    assert_eq!(part(coverage, "workspaces").read, 3);
    assert_eq!(part(coverage, "users").read, 8);
}

/// The log has it as the workspace's, with scopes of both tokens in one list.
#[tokio::test(flavor = "multi_thread")]
async fn an_expansion_without_an_app_is_tied_or_in_doubt() {
    let lab = OneTenant::grid().await;
    let outcome = lab.scan().await;
    let bot = grant(&outcome.records, "A0DRIFT001:T0SALES01:bot");
    let gap = bot.scopes.gap().unwrap();
    assert_eq!(gap.reason, Reason::PlatformSilent);
    assert!(gap.detail.contains("files:read, search:read later"), "{}", gap.detail);
    assert!(gap.detail.contains("before that it had channels:history, chat:write"));
    assert!(outcome.coverage.is_whole());
    // Where the log names the app and its tokens, nothing is in doubt.
    let mut world = World::parse(&super::bench::small()).unwrap();
    world.slack[0].behaviour.expanded_names_app = true;
    let outcome = OneTenant::start(world, GRID).await.scan().await;
    let bot = grant(&outcome.records, "A0DRIFT001:T0SALES01:bot");
    assert_eq!(scopes(bot), ["channels:history", "chat:write", "files:read"]);
    let user = grant(&outcome.records, "A0DRIFT001:T0SALES01:user:W0SAM0001");
    assert_eq!(scopes(user), ["identify", "search:read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_changes_the_organization_is_called_unasked() {
    let lab = OneTenant::grid().await.without_opt_ins();
    lab.slack().set_behaviour(|behaviour| behaviour.reading_takes_over_approval = true);
    let outcome = lab.scan().await;
    let probe = lab.probe().await;
    let called = lab.slack().count_calls(|call| {
        call.path.contains("admin.apps.") && !call.path.contains("admin.apps.activities")
    });
    assert_eq!(called, 0);
    assert!(lab.slack().is_ui_approval_on());
    assert!(outcome.coverage.is_whole());
    let skipped = &part(&outcome.coverage, "approvals").losses[0].gap;
    assert_eq!(skipped.reason, Reason::Skipped);
    assert!(skipped.detail.contains("only approver"));
    assert!(!probe.notes.iter().any(|note| note.contains("includes approvals")), "{probe:#?}");
    // Unknown is not unblocked.
    assert_eq!(app(&outcome.records, "Shady Sync").blocked.gap().unwrap().reason, Reason::Skipped);

    // Asked for, doctor says it before anything is called, and the scan says it too.
    let lab = OneTenant::grid().await;
    let probe = lab.probe().await;
    assert!(probe.notes.iter().any(|note| {
        note.starts_with("the configuration includes approvals") && note.contains("only approver")
    }));
    let called = lab.slack().count_calls(|call| {
        call.path.contains("admin.apps.") && !call.path.contains("admin.apps.activities")
    });
    assert_eq!(called, 0);
    let outcome = lab.scan().await;
    assert!(part(&outcome.coverage, "approvals").notes[0].contains("only approver"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_fills_what_the_log_cannot_have() {
    let mut lab = OneTenant::grid().await;
    let outcome = lab.scan().await;
    let old = grant(&outcome.records, "A0OLDTM001:T0SALES01:by:pia.primary@small.example");
    assert_eq!(old.granted_at.known().unwrap().date(), "2015-05-05");
    assert_eq!(old.granted_by, Observed::Known("pia.primary@small.example".to_owned()));
    assert!(old.scopes.gap().is_some());
    let notes = &part(&outcome.coverage, "installed-apps").notes;
    assert!(
        notes.iter().any(|note| note.contains("3 rows; installs that the log does not have: 1;")),
        "{notes:?}"
    );
    // The log has its removal from there.
    assert!(!ids(&outcome.records).iter().any(|id| id.contains("A0MERGE001:T0ENGIN01")));

    // An install of a day after the removal is another one.
    let later = "App ID,Installed on,Date installed\nA0MERGE001,Engineering,2099-01-01\n";
    lab.export = Some(later.to_owned());
    let outcome = lab.scan().await;
    assert!(ids(&outcome.records).iter().any(|id| id.contains("A0MERGE001:T0ENGIN01")));

    lab.export = None;
    let outcome = lab.scan().await;
    assert!(!has_app(&outcome.records, "Old Timer"));
    let losses = &part(&outcome.coverage, "installed-apps").losses;
    assert!(losses.iter().any(|loss| loss.gap.detail.contains("Installed apps page")));
    assert!(outcome.coverage.is_whole(), "what nobody can see is no loss");

    lab.export = Some("Publisher\nDrift Inc\n".to_owned());
    let outcome = lab.scan().await;
    assert!(!outcome.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_workspace_is_told_by_its_log() {
    let lab = OneTenant::workshop().await;
    let outcome = lab.scan().await;
    let (records, coverage) = (&outcome.records, &outcome.coverage);
    assert!(coverage.is_whole(), "{coverage:#?}");
    let all = [
        "A0DRIFT001:T0WORKS01:by:U0MAX0001",
        "A0DRIFT001:T0WORKS01:by:U0WANDA01",
        "A0RULES001:T0WORKS01:by:U0LEO0001",
        "service:2000000009:T0WORKS01:by:U0LEO0001",
        "service:2000000010:T0WORKS01:by:U0WANDA01",
    ];
    assert_eq!(ids(records), all);
    let drift = grant(records, all[0]);
    assert_eq!(scopes(drift), ["channels:history", "channels:read", "chat:write:user"]);
    assert_eq!(drift.holder.principal().unwrap().label(), "max.member@workshop.example");
    let rules = grant(records, all[2]);
    assert_eq!(
        rules.holder.principal().unwrap().status,
        Observed::Known(PrincipalStatus::Inactive)
    );
    let hook = grant(records, all[3]);
    assert_eq!((hook.kind, &hook.holder), (GrantKind::ApiToken, &Holder::App));
    // An incoming webhook cannot be limited to addresses.
    assert_eq!(hook.network.binding, Observed::Absent);
    assert!(hook.scopes.gap().is_some());
    let calendar = app(records, "Google Calendar");
    assert!(said(&calendar.settings, "switched off")[0].contains("reason: user"));
    assert!(calendar.installed.gap().is_some());
    assert_eq!(part(coverage, "approvals").losses[0].gap.reason, Reason::Licence);
    assert_eq!(part(coverage, "installed-apps").read, 28);
    assert_eq!(tenant(records).display_name, Observed::Known(WORKSHOP.to_owned()));
    assert_eq!(lab.count("admin."), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_legacy_integrations_send_out_is_a_webhook() {
    let from = r#"{ app = "Slash Commands", by = "max.member", at = "2020"#;
    let text = super::bench::small();
    let at = text.find(r#"{ app = "Slash Commands", by"#).unwrap();
    let end = at + text[at..].find(", changes").unwrap();
    let rest = end + text[end..].find("] },").unwrap() + 1;
    let world = World::parse(&format!("{}{}", &text[..end], &text[rest..])).unwrap();
    assert!(from.contains("Slash"));
    let outcome = OneTenant::start(world, WORKSHOP).await.scan().await;
    let slash = grant(&outcome.records, "service:2000000006:T0WORKS01:by:U0MAX0001");
    assert_eq!(slash.kind, GrantKind::Webhook);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_wrong_kind_or_tenant_reads_nothing() {
    let mut lab = OneTenant::grid().await;
    lab.token = Some(lab.slack().client().bot);
    let refused = lab.open(OneTenant::kit()).unwrap().sign_in().await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::SignIn);
    assert!(refused.hint.unwrap().contains("xoxp-"));

    lab.token = None;
    lab.account = Some("E0SMALL01".to_owned());
    assert!(lab.open(OneTenant::kit()).unwrap().sign_in().await.is_ok());
    for wrong in ["E0OTHER01", "T0SALES01"] {
        lab.account = Some(wrong.to_owned());
        let refused = lab.open(OneTenant::kit()).unwrap().sign_in().await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Configuration);
        assert!(refused.message.contains("E0SMALL01"), "{refused}");
    }
    // A workspace's token is not the organisation's, even if it names it.
    lab.account = Some("E0SMALL01".to_owned());
    lab.token = Some(lab.slack().client().workspace_admin);
    let refused = lab.open(OneTenant::kit()).unwrap().sign_in().await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Configuration);

    let other = Credentials::ClientCredentials {
        client_id: "x".into(),
        client_secret: Secret::new("FAKE".into()),
        scopes: Vec::new(),
    };
    let config = grantwarden_kit::connector::TenantConfig { credentials: other, ..lab.config() };
    let refused = Slack.open(config, OneTenant::kit()).err().unwrap();
    assert_eq!(refused.kind, ErrorKind::Configuration);
    assert!(refused.message.contains("client_credentials"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_workspace_of_an_organization_is_told_as_such() {
    let mut lab = OneTenant::grid().await;
    lab.export = None;
    lab.token = Some(lab.slack().client().workspace_admin);
    lab.slack().set_right("workspace_admin/admin", true);
    let outcome = lab.scan().await;
    let workspace = tenant(&outcome.records);
    assert_eq!(workspace.id, "T0SALES01");
    assert!(said(&workspace.settings, "part of the organisation")[0].starts_with("E0SMALL01"));
    assert!(ids(&outcome.records).iter().any(|id| id.starts_with("A0OLDTM001")));
    let probe = lab.probe().await;
    assert!(probe.notes.iter().any(|note| note.contains("other workspaces")));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_missing_right_without_wasting_a_call() {
    let lab = OneTenant::grid().await;
    for scope in ["auditlogs:read", "admin.apps:read", "admin.teams:read"] {
        assert!(lab.slack().set_right(scope, false), "{scope}");
    }
    let probe = lab.probe().await;
    let gap = |facet: &str| {
        let visible = probe.facets.iter().find(|visible| visible.facet == facet).unwrap();
        visible.gap.clone().unwrap_or_else(|| panic!("{facet}"))
    };
    for (facet, scope) in [
        ("installed-apps", "auditlogs:read"),
        ("approvals", "admin.apps:read"),
        ("workspaces", "admin.teams:read"),
    ] {
        assert_eq!(gap(facet).reason, Reason::Permission);
        assert!(gap(facet).detail.contains(scope), "{:?}", gap(facet));
    }
    assert!(gap("installed-apps").detail.contains("an Owner of the organisation"));
    assert_eq!(lab.count("audit/v1/logs") + lab.count("admin.teams.list"), 0);
    assert!(lab.slack().count_calls(|_| true) <= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_install_that_is_an_extension_ends_with_the_organization() {
    // An audit event of the world has no scopes, but says where.
    let added = r#"{ at = "2026-01-02T12:00:00Z", action = "pref.app_whitelist_enabled", by = "ada.owner" },"#;
    let text = super::bench::small();
    let at = text.find(r#"action = "pref.app_whitelist_enabled""#).unwrap();
    let begin = text[..at].rfind('{').unwrap();
    let line_end = at + text[at..].find('\n').unwrap();
    let line = &text[begin..line_end];
    assert!(added.len() >= line.len());
    let more = line.replace("pref.app_whitelist_enabled", "org_app_workspace_added").replace(
        r#"by = "ada.owner""#,
        r#"by = "ada.owner", about = "Small Intranet", workspace = "Board""#,
    );
    let outcome =
        OneTenant::start(small_with(line, &format!("{line}\n  {more}")), GRID).await.scan().await;
    let extended = grant(&outcome.records, "A0INTRA001:T0BOARD01:bot");
    assert_eq!(said(&extended.settings, "install").len(), 1);

    let removed = line
        .replace("pref.app_whitelist_enabled", "org_app_uninstalled")
        .replace("-02T12", "-03T12")
        .replace(r#"by = "ada.owner""#, r#"by = "ada.owner", about = "Small Intranet""#);
    let removed = removed.replace("T12:00:00Z", "T13:00:00Z");
    let world = small_with(line, &format!("{line}\n  {more}\n  {removed}"));
    let outcome = OneTenant::start(world, GRID).await.scan().await;
    assert!(!ids(&outcome.records).iter().any(|id| id.starts_with("A0INTRA001")));
    assert!(app(&outcome.records, "Small Intranet").installed.gap().is_some());
}
