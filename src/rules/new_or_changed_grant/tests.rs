use grantwarden_kit::model::{Coverage, Expiry, Gap, GrantKind, Holder, Part, Reason};

use super::super::{
    before::TenantBefore,
    testing::{Well, days, gap, scopes},
};
use super::*;

const RULE: &str = "new-or-changed-grant";

/// A tenant in which the grant was not there before.
fn new_grant() -> Well {
    let mut well = Well::run();
    let before = TenantBefore::of_test(days(-35), &well.app, &[]);
    well.remember(TenantBefore { usage: well.then().usage, ..before });
    well
}

/// The same grant with one more scope than it had.
fn grown(more: &str) -> Well {
    let mut well = Well::run();
    well.scopes(&["api", "refresh_token", more]);
    well
}

#[test]
fn new_and_broad_by_a_users_own_consent_is_high() {
    let mut well = new_grant();
    well.grant.approval = Observed::Known(Approval::SelfAuthorized);
    let finding = well.one(RULE);
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(
        finding.message,
        "The refresh token of Backup for the service account sync@acme.example is new and lets it read and change all CRM data that the \
         service account sync@acme.example can reach, since the scan of 2026-04-27."
    );
    well.grant.approval = Observed::Absent;
    assert_eq!(well.one(RULE).severity, Severity::High);
}

#[test]
fn else_a_new_grant_is_as_grave_as_it_is_broad() {
    let mut well = new_grant();
    assert_eq!(well.one(RULE).severity, Severity::Medium);
    well.scopes(&["nobody:knows"]);
    assert_eq!(well.one(RULE).severity, Severity::Medium);
    well.grant.approval = Observed::Known(Approval::SelfAuthorized);
    well.scopes(&["openid"]);
    assert_eq!(well.one(RULE).severity, Severity::Low);
    well.scopes(&[]);
    assert_eq!(well.one(RULE).severity, Severity::Info);
}

#[test]
fn sandboxes_platform_apps_and_blocked_apps_are_info_and_ended_grants_silent() {
    let mut well = new_grant();
    well.tenant.sandbox = Observed::Known(true);
    assert_eq!(well.one(RULE).severity, Severity::Info);
    let mut platform = new_grant();
    platform.app.origin = Origin::Platform;
    assert_eq!(platform.one(RULE).severity, Severity::Info);
    let mut blocked = new_grant();
    blocked.app.blocked = Observed::Known(true);
    assert_eq!(blocked.one(RULE).severity, Severity::Info);
    let mut ended = new_grant();
    ended.grant.expires = Observed::Known(Expiry::At(days(-1)));
    ended.silent(RULE);
    let mut unseen = new_grant();
    unseen.tenant.sandbox = Observed::Unknown(gap("sandbox"));
    assert_eq!(unseen.one(RULE).severity, Severity::Medium);
}

#[test]
fn more_scopes_are_named_with_what_they_add() {
    let mut well = grown("full");
    well.grant.approval = Observed::Known(Approval::SelfAuthorized);
    let finding = well.one(RULE);
    assert_eq!(finding.severity, Severity::High);
    assert!(
        finding.message.contains("got 1 scope more (full) and can now also"),
        "{}",
        finding.message
    );
    assert_eq!(finding.evidence[0].fact, "new scopes");
    assert!(finding.evidence[0].value.starts_with("full: "), "{}", finding.evidence[0].value);
    // One that says only who the user is.
    assert_eq!(grown("openid").one(RULE).severity, Severity::Low);
    // Fewer scopes are no news.
    let mut fewer = Well::run();
    fewer.scopes(&["api"]);
    fewer.silent(RULE);
}

#[test]
fn a_scope_that_was_included_already_is_info() {
    let mut well = Well::run();
    let mut then = well.grant.clone();
    then.scopes = Observed::Known(scopes(&["full"]));
    let before = TenantBefore::of_test(days(-35), &well.app, &[&then]);
    well.remember(before);
    let implied = well.context().catalog.assess_set(&scopes(&["full"]), Kind::Delegated).implied;
    let name = (*implied.first().unwrap()).to_owned();
    well.grant.scopes = Observed::Known(scopes(&["full", &name]));
    assert_eq!(well.one(RULE).severity, Severity::Info);
}

#[test]
fn the_same_right_under_another_id_was_given_again() {
    let mut well = Well::run();
    well.grant.id = "another".to_owned();
    let finding = well.one(RULE);
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.message.contains("was given again"), "{}", finding.message);
    // But not with more scopes, and not for somebody else.
    well.scopes(&["api", "refresh_token", "full"]);
    assert_eq!(well.one(RULE).severity, Severity::Medium);
    well.grant.holder = Holder::App;
    well.grant.kind = GrantKind::AppOnly;
    assert!(well.one(RULE).message.contains("is new"), "{}", well.one(RULE).message);
}

/// A second token lives beside the first: nobody gave the first one again.
#[test]
fn a_second_token_key_or_webhook_is_new() {
    for kind in [GrantKind::PersonalToken, GrantKind::ApiToken, GrantKind::Key, GrantKind::Webhook]
    {
        let mut well = Well::run();
        well.grant.kind = kind;
        well.remember(TenantBefore::of_test(days(-35), &well.app, &[&well.grant]));
        well.silent(RULE);
        well.grant.id = "another".to_owned();
        let finding = well.one(RULE);
        assert!(finding.message.contains("is new"), "{}", finding.message);
        assert_eq!(finding.severity, Severity::Medium);
    }
}

#[test]
fn what_limited_the_right_and_does_not_under_another_id_is_found() {
    let mut well = Well::run();
    well.grant.id = "another".to_owned();
    well.grant.network.binding = Observed::Absent;
    well.grant.expires = Observed::Known(Expiry::Never);
    well.grant.approval = Observed::Known(Approval::SelfAuthorized);
    let finding = well.one(RULE);
    assert_eq!(finding.severity, Severity::Medium);
    for said in ["an administrator's approval", "works from any network", "no longer ends"] {
        assert!(finding.message.contains(said), "{}", finding.message);
    }
    assert!(!finding.message.contains("given again"), "{}", finding.message);
}

#[test]
fn a_grant_that_had_ended_and_works_again_is_new() {
    let mut well = Well::run();
    let mut then = well.grant.clone();
    then.expires = Observed::Known(Expiry::At(days(-36)));
    well.remember(TenantBefore::of_test(days(-35), &well.app, &[&then]));
    assert!(well.one(RULE).message.contains("is new"), "{}", well.one(RULE).message);
    well.grant.id = "another".to_owned();
    assert!(well.one(RULE).message.contains("is new"), "it held nothing that worked");
}

#[test]
fn a_later_consent_is_info() {
    let mut well = Well::run();
    well.grant.granted_at = Observed::Known(days(-3));
    assert_eq!(well.one(RULE).severity, Severity::Info);
}

#[test]
fn limits_that_are_gone_are_found() {
    let mut well = Well::run();
    well.grant.network.binding = Observed::Absent;
    let finding = well.one(RULE);
    assert_eq!(finding.severity, Severity::Medium);
    assert!(finding.message.contains("works from any network"), "{}", finding.message);
    let mut life = Well::run();
    life.scopes(&["openid"]);
    life.grant.expires = Observed::Known(Expiry::Never);
    assert_eq!(life.one(RULE).severity, Severity::Low);
    let mut approval = Well::run();
    approval.grant.approval = Observed::Known(Approval::SelfAuthorized);
    assert!(approval.one(RULE).message.contains("no longer has an administrator's approval"));
    // All in one finding: the fingerprint names the grant.
    approval.grant.network.binding = Observed::Absent;
    approval.grant.expires = Observed::Known(Expiry::Never);
    assert_eq!(approval.one(RULE).evidence.len(), 4);
    // A limit that is not visible any more is no news, and other rules say that it is not visible.
    let mut unseen = Well::run();
    unseen.grant.network.binding = Observed::Unknown(gap("network"));
    unseen.silent(RULE);
}

#[test]
fn a_new_redirect_domain_is_high_a_new_host_of_the_same_owner_medium() {
    let with = |host: &str| {
        let mut well = Well::run();
        well.app.redirect_domains =
            Observed::Known(vec!["backup.example".to_owned(), host.to_owned()]);
        well
    };
    let finding = with("evil.test").one_of_app(RULE);
    assert_eq!(finding.severity, Severity::High);
    assert!(finding.message.contains("codes to evil.test"), "{}", finding.message);
    assert_eq!(with("eu.backup.example").one_of_app(RULE).severity, Severity::Medium);
    assert_eq!(with("localhost").one_of_app(RULE).severity, Severity::Low);
    assert_eq!(with("192.0.2.1").one_of_app(RULE).severity, Severity::High);
    with("backup.example").unknown_of_app(RULE, &[]);
    let mut fewer = Well::run();
    fewer.app.redirect_domains = Observed::Absent;
    fewer.unknown_of_app(RULE, &[]);
    let mut unseen = Well::run();
    unseen.app.redirect_domains = Observed::Unknown(gap("redirects"));
    unseen.unknown_of_app(RULE, &[fact::APP_REDIRECT_DOMAINS]);
    let mut unseen_then = Well::run();
    let app = unseen_then.app.clone();
    unseen_then.app.redirect_domains = Observed::Unknown(gap("redirects"));
    unseen_then.remember(TenantBefore::of_test(days(-35), &unseen_then.app, &[]));
    unseen_then.app = app;
    unseen_then.unknown_of_app(RULE, &[fact::BEFORE_APPS]);
}

#[test]
fn an_app_that_is_no_longer_approved_or_blocked_is_found() {
    let mut well = Well::run();
    well.app.approval = Observed::Known(Approval::SelfAuthorized);
    assert_eq!(well.one_of_app(RULE).severity, Severity::Medium);
    let mut then = Well::run();
    then.app.blocked = Observed::Known(true);
    then.remember(TenantBefore::of_test(days(-35), &then.app, &[]));
    then.app.blocked = Observed::Known(false);
    assert_eq!(then.one_of_app(RULE).severity, Severity::Low);
}

/// Without the grant's own scopes the registration tells the most that it may have.
#[test]
fn a_registration_that_grows_counts_where_the_grants_scopes_are_not_visible() {
    let mut well = Well::run();
    well.grant.scopes = Observed::Unknown(gap("scopes"));
    well.remember(TenantBefore::of_test(days(-35), &well.app, &[&well.grant]));
    well.digest = well.digest_now();
    well.silent(RULE);
    well.app.scopes = Observed::Known(scopes(&["api", "refresh_token", "full"]));
    let finding = well.one_of_app(RULE);
    assert_eq!(finding.severity, Severity::Medium);
    assert!(finding.message.contains("may ask for more scopes (full)"), "{}", finding.message);
    // Requested is not granted: where the grant's own scopes are visible the registration says nothing.
    well.digest = Well::run().digest;
    well.unknown_of_app(RULE, &[]);
}

#[test]
fn scopes_that_are_not_visible_now_or_were_not_then_are_unknown() {
    let mut now = Well::run();
    now.grant.scopes = Observed::Unknown(gap("scopes"));
    now.unknown(RULE, &[fact::GRANT_SCOPES]);
    let mut then = Well::run();
    let mut grant = then.grant.clone();
    grant.scopes = Observed::Unknown(gap("scopes"));
    then.remember(TenantBefore::of_test(days(-35), &then.app, &[&grant]));
    then.unknown(RULE, &[fact::BEFORE_GRANTS]);
    let mut approval = new_grant();
    approval.grant.approval = Observed::Unknown(gap("approval"));
    assert_eq!(approval.one(RULE).severity, Severity::Medium);
    assert!(approval.judge().unknowns.iter().any(|unknown| unknown.fact == fact::GRANT_APPROVAL));
}

/// Never "new" for everything.
#[test]
fn nothing_to_compare_with_is_said_once_for_the_tenant() {
    let both = [fact::BEFORE_GRANTS, fact::BEFORE_APPS];
    let assert_silent = |well: &Well| {
        well.unknown(RULE, &[]);
        well.unknown_of_app(RULE, &[]);
        well.unknown_of_tenant(RULE, &both);
    };
    let mut none = new_grant();
    none.forget();
    assert_silent(&none);
    let mut other = new_grant();
    other.tenant.id = "another tenant".to_owned();
    assert_silent(&other);
    let well = Well::run();
    well.unknown_of_tenant(RULE, &[]);
    well.silent(RULE);
}

#[test]
fn a_part_that_the_earlier_scan_lost_is_not_compared() {
    let part = |read: u64, reason: Option<Reason>| {
        let mut part = Part::new("grants", "OAuth tokens", true);
        part.read = read;
        if let Some(reason) = reason {
            part.lose(Gap::new(reason, "grants", "a page is missing"), None);
        }
        Coverage { parts: vec![part] }
    };
    let judged = |then: Coverage, now: Coverage| {
        let mut well = new_grant();
        well.remember(well.then().with_coverage(then));
        well.coverage = now;
        well.judge().findings.iter().any(|finding| finding.rule == RULE)
    };
    let whole = || part(10, None);
    assert!(judged(whole(), whole()));
    assert!(!judged(part(9, Some(Reason::CallFailed)), whole()));
    assert!(!judged(part(0, Some(Reason::Permission)), whole()));
    assert!(!judged(part(0, Some(Reason::Skipped)), whole()), "the configuration asks for it now");
    assert!(!judged(part(9, Some(Reason::PlatformSilent)), whole()), "an import tells it now");
    assert!(!judged(Coverage::default(), whole()), "an older version did not read it");
    // What nobody sees, and what this scan does not see either, hid nothing that is here now.
    assert!(judged(part(9, Some(Reason::PlatformSilent)), part(9, Some(Reason::PlatformSilent))));
    assert!(judged(part(10, Some(Reason::Vanished)), whole()));
    assert!(judged(part(0, Some(Reason::Permission)), part(0, Some(Reason::Permission))));
    assert!(judged(part(5, Some(Reason::Licence)), part(5, Some(Reason::Licence))));
}
