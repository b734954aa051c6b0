use grantwarden_kit::model::{AuditEvent, GrantKind, Holder};

use super::super::{
    Judgement,
    before::TenantBefore,
    testing::{Well, days, gap},
};
use super::*;
use crate::finding::Finding;

const RULE: &str = "credential-added";

fn secret(well: &Well, id: &str, made: i32) -> Credential {
    Credential { id: id.to_owned(), created_at: Observed::Known(days(made)), ..well.secret() }
}

/// An app that had these credentials and has those; each as id and day of its making.
fn app(then: &[(&str, i32)], now: &[(&str, i32)]) -> Well {
    let mut well = Well::run();
    let mut before = TenantBefore::of_test(days(-35), &well.app, &[]);
    let known = before.apps.get_mut(&well.app.id).unwrap();
    known.credentials = then.iter().map(|(id, _)| (*id).to_owned()).collect();
    well.remember(before);
    let all = now.iter().map(|(id, made)| secret(&well, id, *made)).collect();
    well.digest.credentials = [(well.app.id.clone(), all)].into();
    well
}

/// The same for an app that acts without a user.
fn alone(then: &[(&str, i32)], now: &[(&str, i32)]) -> Well {
    let mut well = app(then, now);
    well.grant.kind = GrantKind::AppOnly;
    well.grant.holder = Holder::App;
    let credentials = std::mem::take(&mut well.digest.credentials);
    well.digest = crate::inventory::Digest { credentials, ..well.digest_now() };
    well
}

fn judge(well: &Well, id: &str) -> Judgement {
    let all = &well.digest.credentials[&well.app.id];
    well.judge_credential(all.iter().find(|other| other.id == id).unwrap())
}

fn find(well: &Well, id: &str) -> Option<Finding> {
    judge(well, id).findings.into_iter().find(|finding| finding.rule == RULE)
}

#[test]
fn a_second_secret_is_high_where_the_app_acts_alone_else_medium() {
    let (then, now) = ([("old", -400)], [("old", -400), ("new", -3)]);
    let finding = find(&alone(&then, &now), "new").unwrap();
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(
        finding.message,
        "Backup has one more client secret since the scan of 2026-04-27, and the old ones still work: whoever added it can use \
         everything that the app was granted."
    );
    assert_eq!(find(&app(&then, &now), "new").unwrap().severity, Severity::Medium);
    assert!(find(&alone(&then, &now), "old").is_none());
}

#[test]
fn a_rotation_is_info() {
    let well = alone(&[("old", -400)], &[("new", -3)]);
    let finding = find(&well, "new").unwrap();
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.message.ends_with("it was rotated."), "{}", finding.message);
    // One went and two came: one of them is one too many.
    let two = alone(&[("old", -400)], &[("first", -9), ("second", -3)]);
    assert_eq!(find(&two, "first").unwrap().severity, Severity::Info);
    assert_eq!(find(&two, "second").unwrap().severity, Severity::High);
}

#[test]
fn tidying_up_what_had_ended_is_no_rotation() {
    let mut well = alone(&[("dead", -900), ("old", -400)], &[("old", -400), ("new", -3)]);
    let mut before = well.then();
    let mut known = before.apps[&well.app.id].clone();
    let dead = Credential { expires_at: Observed::Known(days(-40)), ..secret(&well, "dead", -900) };
    known.credential(&dead, before.taken_at);
    before.apps.insert(well.app.id.clone(), known);
    well.remember(before);
    assert_eq!(find(&well, "new").unwrap().severity, Severity::High);
    // One that ends after that scan worked then.
    let mut before = well.then();
    before.apps.get_mut(&well.app.id).unwrap().ended.clear();
    well.remember(before);
    assert_eq!(find(&well, "new").unwrap().severity, Severity::Info);
}

#[test]
fn an_app_without_a_record_of_its_own_acts_alone_by_its_grants() {
    let well = alone(&[("old", -400)], &[("old", -400), ("new", -3)]);
    let new = &well.digest.credentials[&well.app.id][1];
    assert!(acts_alone(&well.context(), new));
    let context = well.context();
    let others = Others::of(&context, new);
    let added = Added::Since(days(-35));
    assert_eq!(severity(&context, None, new, &added, &others), Severity::High);
}

#[test]
fn a_rotation_under_way_is_low() {
    let mut well = alone(&[("old", -400)], &[("old", -400), ("new", -3)]);
    let all = well.digest.credentials.get_mut(&well.app.id).unwrap();
    all[0].expires_at = Observed::Known(days(20));
    assert_eq!(find(&well, "new").unwrap().severity, Severity::Low);
}

#[test]
fn the_first_credential_of_an_app_that_had_none_is_found() {
    let well = alone(&[], &[("new", -3)]);
    let finding = find(&well, "new").unwrap();
    assert_eq!(finding.severity, Severity::High);
    assert!(finding.message.contains("had none at the scan"), "{}", finding.message);
    // A new app comes with its credential.
    let mut new_app = well;
    let mut before = new_app.then();
    before.apps.clear();
    new_app.remember(before);
    assert!(find(&new_app, "new").is_none());
}

#[test]
fn within_one_scan_the_dates_tell() {
    let mut well = alone(&[], &[("old", -400), ("new", -30)]);
    well.forget();
    let finding = find(&well, "new").unwrap();
    assert_eq!(finding.severity, Severity::High);
    assert!(
        finding.message.contains("got one more client secret on 2026-05-02"),
        "{}",
        finding.message
    );
    assert!(find(&well, "old").is_none());
    let mut settled = alone(&[], &[("old", -400), ("new", -31)]);
    settled.forget();
    assert!(find(&settled, "new").is_none());
    let mut only = alone(&[], &[("new", -3)]);
    only.forget();
    assert!(find(&only, "new").is_none());
    let mut ended = alone(&[], &[("old", -400), ("new", -3)]);
    ended.forget();
    ended.digest.credentials.get_mut(&ended.app.id).unwrap()[0].expires_at =
        Observed::Known(days(-1));
    assert!(find(&ended, "new").is_none());
}

#[test]
fn one_that_ended_proves_nothing() {
    let mut well = alone(&[("old", -400)], &[("old", -400), ("new", -3)]);
    well.digest.credentials.get_mut(&well.app.id).unwrap()[1].expires_at =
        Observed::Known(days(-1));
    assert!(find(&well, "new").is_none());
}

#[test]
fn sandboxes_and_the_platforms_own_apps_are_info() {
    let (then, now) = ([("old", -400)], [("old", -400), ("new", -3)]);
    let mut sandbox = alone(&then, &now);
    sandbox.tenant.sandbox = Observed::Known(true);
    assert_eq!(find(&sandbox, "new").unwrap().severity, Severity::Info);
    let mut platform = alone(&then, &now);
    platform.app.origin = Origin::Platform;
    assert_eq!(find(&platform, "new").unwrap().severity, Severity::Info);
}

#[test]
fn the_log_is_shown_where_it_speaks_of_the_app_at_that_time() {
    let mut well = alone(&[("old", -400)], &[("old", -400), ("new", -3)]);
    let event = |id: &str, at: i32, summary: &str| AuditEvent {
        id: id.to_owned(),
        at: days(at),
        actor: Observed::Known("mallory@acme.example".to_owned()),
        action: "Add service principal credentials".to_owned(),
        summary: summary.to_owned(),
    };
    well.digest.changes = vec![
        event("1", -3, "Add service principal credentials: Backup"),
        event("2", -3, "Add service principal credentials: Drift"),
        event("3", -200, "Add service principal credentials: Backup"),
    ];
    let finding = find(&well, "new").unwrap();
    let said: Vec<&str> = finding
        .evidence
        .iter()
        .filter(|evidence| evidence.fact == "the log says")
        .map(|evidence| evidence.value.as_str())
        .collect();
    assert_eq!(
        said,
        ["2026-05-29: Add service principal credentials: Backup, by mallory@acme.example"]
    );
}

#[test]
fn what_cannot_be_told_is_said() {
    let mut well = alone(&[], &[("old", -400), ("new", -3)]);
    well.forget();
    well.digest.credentials.get_mut(&well.app.id).unwrap()[1].created_at =
        Observed::Unknown(gap("made"));
    let judgement = judge(&well, "new");
    let facts: Vec<&str> = judgement
        .unknowns
        .iter()
        .filter(|unknown| unknown.rule == RULE)
        .map(|unknown| &*unknown.fact)
        .collect();
    assert_eq!(facts, [fact::CREDENTIAL_CREATED_AT]);
    well.unknown_of_tenant(RULE, &[fact::BEFORE_CREDENTIALS]);
    // A platform on which apps have no credentials has nothing to compare.
    well.facets[0].holds.clear();
    well.unknown_of_tenant(RULE, &[]);
}
