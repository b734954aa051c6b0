use grantwarden_kit::model::{Count, Observed};

use super::super::testing::{Well, days};
use super::*;

const RULE: &str = "usage-fingerprint-drift";

fn counts(values: &[(&str, u64)]) -> Vec<Count> {
    values
        .iter()
        .map(|(value, count)| Count { value: (*value).to_owned(), count: *count })
        .collect()
}

/// What Klue's own program does, from one day to another.
fn usual(well: &Well, from: i32, to: i32, events: u64) -> Usage {
    Usage {
        app: well.app.id.clone(),
        log: "EventLogFile ApiTotalUsage".to_owned(),
        from: days(from),
        to: days(to),
        events,
        addresses: counts(&[("203.0.113.7", events)]),
        agents: counts(&[("python-httpx/0.27.0", events)]),
        objects: counts(&[("Account", events / 2), ("Contact", events / 2)]),
        principals: Vec::new(),
        operations: Vec::new(),
        versions: counts(&[("64.0", events)]),
    }
}

fn well() -> Well {
    let mut well = Well::run();
    well.remember_usage(&[usual(&well, -75, -35, 4_000)]);
    well.digest.usage = vec![usual(&well, -2, 0, 200)];
    well
}

#[test]
fn the_same_program_in_a_new_version_from_the_same_block_is_no_change() {
    let mut well = well();
    well.digest.usage[0].agents = counts(&[("python-httpx/0.28.1", 200)]);
    well.digest.usage[0].addresses = counts(&[("203.0.113.99", 200)]);
    well.digest.usage[0].objects = counts(&[("Account", 200)]);
    well.unknown_of_app(RULE, &[]);
    well.unknown_of_tenant(RULE, &[]);
}

/// Klue, June 2026: every part changed at once.
#[test]
fn two_parts_are_high() {
    let mut well = well();
    let usage = &mut well.digest.usage[0];
    usage.agents = counts(&[("Python-urllib/3.12", 50)]);
    usage.versions = counts(&[("59.0", 50)]);
    usage.addresses = counts(&[("192.0.2.77", 50)]);
    let finding = well.one_of_app(RULE);
    assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::High));
    assert_eq!(
        finding.message,
        "Backup is used in a way that it never was: new program python-urllib, new API version 59.0, new network 192.0.2.0/24; so \
         many parts change at once when somebody else has the token."
    );
    assert_eq!(
        finding.evidence[0].value,
        "python-urllib; before: python-httpx (EventLogFile ApiTotalUsage)"
    );
}

/// A thief who changes one thing in each of two logs changes two.
#[test]
fn parts_count_together_over_all_logs_and_each_once() {
    let mut well = well();
    let other = |usage: Usage| Usage { log: "LoginHistory".to_owned(), ..usage };
    let past = [usual(&well, -75, -35, 4_000), other(usual(&well, -75, -35, 4_000))];
    well.remember_usage(&past);
    let second = other(usual(&well, -2, 0, 200));
    well.digest.usage.push(second);
    well.digest.usage[0].agents = counts(&[("curl/8.5", 200)]);
    well.digest.usage[1].agents = counts(&[("curl/8.5", 200)]);
    assert_eq!(well.one_of_app(RULE).severity, Severity::Low, "the same part twice");
    well.digest.usage[1].agents = past[1].agents.clone();
    well.digest.usage[1].addresses = counts(&[("192.0.2.77", 200)]);
    let finding = well.one_of_app(RULE);
    assert_eq!(finding.severity, Severity::High);
    let values: Vec<&str> =
        finding.evidence.iter().map(|evidence| evidence.value.as_str()).collect();
    assert!(values[0].ends_with("(EventLogFile ApiTotalUsage)"), "{values:?}");
    assert!(values[1].ends_with("(LoginHistory)"), "{values:?}");
}

/// A token that lay unused and is used now.
#[test]
fn an_app_that_was_there_and_was_never_in_the_log_is_low() {
    let mut well = well();
    let others = Usage { app: "another".to_owned(), ..usual(&well, -75, -35, 4_000) };
    well.remember_usage(std::slice::from_ref(&others));
    let finding = well.one_of_app(RULE);
    assert_eq!(finding.severity, Severity::Low);
    assert!(finding.message.contains("first calls 200 events"), "{}", finding.message);
    assert!(finding.evidence[0].value.contains("was not in the log before"));
    // A log that is too short, and an app that is new, tell nothing.
    let mut short = well.clone();
    short.remember_usage(&[Usage { from: days(-60), ..others }]);
    short.unknown_of_app(RULE, &[]);
    let mut before = well.then();
    before.apps.clear();
    well.remember(before);
    well.unknown_of_app(RULE, &[]);
}

#[test]
fn one_part_is_low_and_an_address_or_an_update_alone_is_info() {
    let severity_of = |change: fn(&mut Usage)| {
        let mut well = well();
        change(&mut well.digest.usage[0]);
        well.one_of_app(RULE).severity
    };
    assert_eq!(severity_of(|usage| usage.agents[0].value = "curl/8.5".to_owned()), Severity::Low);
    assert_eq!(severity_of(|usage| usage.objects[0].value = "Case".to_owned()), Severity::Low);
    assert_eq!(severity_of(|usage| usage.versions[0].value = "59.0".to_owned()), Severity::Low);
    assert_eq!(severity_of(|usage| usage.events = 20_000), Severity::Low);
    assert_eq!(severity_of(|usage| usage.versions[0].value = "65.0".to_owned()), Severity::Info);
    assert_eq!(
        severity_of(|usage| usage.addresses[0].value = "192.0.2.1".to_owned()),
        Severity::Info
    );
}

#[test]
fn nine_times_the_volume_or_a_few_events_are_no_change() {
    let mut nine = well();
    nine.digest.usage[0].events = 1_800;
    nine.unknown_of_app(RULE, &[]);
    let mut few = Well::run();
    few.remember_usage(&[usual(&few, -75, -35, 40)]);
    few.digest.usage = vec![usual(&few, -2, 0, 90)];
    few.unknown_of_app(RULE, &[]);
}

/// The log of this scan holds most of what the last one held: only what came since is measured.
#[test]
fn a_burst_is_seen_in_a_log_that_overlaps() {
    let mut well = Well::run();
    well.remember_usage(&[usual(&well, -91, -1, 9_000)]);
    well.digest.usage = vec![usual(&well, -90, 0, 9_000)];
    well.unknown_of_app(RULE, &[]);
    well.digest.usage = vec![usual(&well, -90, 0, 8_900 + 1_500)];
    let finding = well.one_of_app(RULE);
    assert!(finding.message.contains("volume 1500 events a day"), "{}", finding.message);
}

#[test]
fn a_past_that_is_short_or_missing_is_said_once_for_the_tenant() {
    let mut short = well();
    short.remember_usage(&[usual(&short, -60, -35, 4_000)]);
    short.digest.usage[0].agents = counts(&[("curl/8.5", 200)]);
    short.unknown_of_app(RULE, &[]);
    short.unknown_of_tenant(RULE, &[fact::BEFORE_USAGE]);
    let mut none = well();
    none.forget();
    none.unknown_of_app(RULE, &[]);
    none.unknown_of_tenant(RULE, &[fact::BEFORE_USAGE]);
    let mut no_log = well();
    no_log.digest.usage.clear();
    no_log.unknown_of_app(RULE, &[]);
    no_log.unknown_of_tenant(RULE, &[fact::USAGE]);
}

#[test]
fn a_list_that_was_cut_tells_only_of_what_is_frequent() {
    let mut well = well();
    let mut past = usual(&well, -75, -35, 4_000);
    past.objects =
        (0..Usage::TOP).map(|n| Count { value: format!("Object{n}"), count: 5 }).collect();
    well.remember_usage(&[past]);
    well.digest.usage[0].objects = counts(&[("Case", 49)]);
    well.unknown_of_app(RULE, &[fact::BEFORE_USAGE]);
    well.digest.usage[0].objects = counts(&[("Case", 50)]);
    assert_eq!(well.one_of_app(RULE).severity, Severity::Low);
}

#[test]
fn sandboxes_and_the_platforms_own_apps_are_info_and_a_name_alone_is_less_sure() {
    let changed = |usage: &mut Usage| {
        usage.agents = counts(&[("curl/8.5", 200)]);
        usage.addresses = counts(&[("192.0.2.77", 200)]);
    };
    let mut sandbox = well();
    changed(&mut sandbox.digest.usage[0]);
    sandbox.tenant.sandbox = Observed::Known(true);
    assert_eq!(sandbox.one_of_app(RULE).severity, Severity::Info);
    let mut platform = well();
    changed(&mut platform.digest.usage[0]);
    platform.app.origin = Origin::Platform;
    assert_eq!(platform.one_of_app(RULE).severity, Severity::Info);
    let mut named = well();
    changed(&mut named.digest.usage[0]);
    named.digest.usage[0].app = named.app.name.clone();
    assert_eq!(named.one_of_app(RULE).confidence, Confidence::Medium);
}
