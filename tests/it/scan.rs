//! `scan` against the lab.

use std::time::Duration;

use grantwarden_lab::{Effect, Fault, World};
use serde_json::Value;

use crate::support::{DEMO, EMPTY, Stage};

#[test]
fn a_scan_reports_and_fails_on_findings() {
    let stage = Stage::small();
    let (run, report) = stage.scan_json(&[]);
    assert_eq!(run.code, 1, "{run:#?}");
    assert_eq!(report["schema"], 1);
    assert_eq!(report["tenants"][0]["complete"], true);
    assert_eq!(report["summary"]["exit_code"], 1);
    let (run, _) = stage.scan_json(&["--fail-on", "never"]);
    assert_eq!(run.code, 0);
}

#[test]
fn an_org_without_third_parties_is_clean() {
    let stage = Stage::of(World::parse(EMPTY).unwrap(), None);
    stage.run(&["scan"]).exits(0).says("exit code 0");
}

#[test]
fn the_table_is_the_same_every_time() {
    let stage = Stage::small();
    let table = stage.run(&["scan", "--now", "2026-01-15T12:00:00Z"]).exits(1).stdout;
    assert_eq!(table, stage.run(&["scan", "--now", "2026-01-15T12:00:00Z"]).stdout);
    // How far back a log reaches depends on the day.
    insta::with_settings!({ filters => [(r"since \d{4}-\d{2}-\d{2}", "since [date]")] }, {
        insta::assert_snapshot!(table);
    });
}

#[test]
fn reports_go_to_files_as_well() {
    let stage = Stage::small();
    stage.run(&["scan", "--output", "report.json", "--output", "report.txt"]).exits(1);
    let report: Value = serde_json::from_str(&stage.read("report.json")).unwrap();
    assert_eq!(report["summary"]["exit_code"], 1);
    assert!(stage.read("report.txt").contains("Coverage"));
}

#[test]
fn one_tenant_failing_never_hides_another() {
    let stage = Stage::small();
    let broken = stage.config("broken").replace(stage.org().base_url(), "http://127.0.0.1:1");
    stage.write("grantwarden.toml", &format!("{broken}{}", stage.config("acme-crm")));
    let (run, report) = stage.scan_json(&["--fail-on", "never"]);
    assert_eq!(run.code, 3, "{run:#?}");
    let failure = report["tenants"][0]["failure"]["message"].as_str().unwrap();
    assert!(
        failure.starts_with("broken (salesforce): sign in: no connection to http://127.0.0.1:1"),
        "{failure}"
    );
    assert_eq!(report["tenants"][1]["complete"], true);
    assert!(report["tenants"][1]["grants"].as_u64().unwrap() > 0);
    let (run, _) = stage.scan_json(&["--tenant", "acme-crm", "--fail-on", "never"]);
    assert_eq!(run.code, 0);
}

/// Secrets of the lab say so: none may be in what the tool prints, at its most talkative.
#[test]
fn no_secret_is_printed_or_kept() {
    let stage = Stage::demo();
    let run = stage.run(&[
        "scan",
        "-vv",
        "--log",
        "trace",
        "--format",
        "json",
        "--export",
        "inventory.jsonl",
    ]);
    let inventory = stage.read("inventory.jsonl");
    let key = stage.read("key.pem");
    let key_line = key.lines().nth(3).unwrap();
    for text in [&run.stdout, &run.stderr, &inventory] {
        for secret in
            ["!FAKE.", "FAKE.DELETE", "FAKE.ACCESS", "FAKE.REFRESH", "FAKE-SECRET", key_line, "eyJ"]
        {
            assert!(!text.contains(secret), "{secret}");
        }
    }
    assert!(run.stderr.len() > 1_000, "the log was talkative");
}

/// What `--help` says of `-vv`.
#[test]
fn two_v_show_every_call() {
    let stage = Stage::company();
    let (run, report) = stage.scan_json(&["-vv"]);
    let tenants = report["tenants"].as_array().unwrap().iter();
    let calls: u64 = tenants.map(|tenant| tenant["calls"].as_u64().unwrap()).sum();
    let shown = run.stderr.lines().filter(|line| line.contains("Made a call.")).count();
    assert_eq!(shown as u64, calls);
}

/// An app's name must not steer the terminal.
#[test]
fn hostile_names_are_harmless() {
    let text = DEMO.replace("\"Drift\"", "\"Drift\\u001b]0;pwned\\u0007\\u001b[2J\"");
    let stage = Stage::of(World::parse(&text).unwrap(), None);
    let run = stage.run(&["scan"]).exits(1);
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{7}'));
    assert!(run.stdout.contains("Drift]0;pwned[2J"));
}

/// A part that the user gave up must not hide that the rest was cut short.
#[cfg(unix)]
#[test]
fn a_cancelled_scan_is_incomplete_whatever_is_skipped() {
    let stage = Stage::of_size(4_000);
    let config = format!("{}skip = [\"app-policies\"]\n", stage.config("acme-crm"));
    stage.write("grantwarden.toml", &config);
    let run = interrupted(&stage, "-TERM").exits(3);
    assert!(run.stdout.contains("cancelled"), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_scan_cleanly_and_says_what_is_missing() {
    let stage = Stage::of_size(4_000);
    let run = interrupted(&stage, "-INT").exits(3);
    assert!(run.stdout.contains("cancelled"), "{}", run.stdout);
}

/// A scan that gets a signal while it reads pages.
#[cfg(unix)]
fn interrupted(stage: &Stage, signal: &str) -> crate::support::Run {
    stage.inject(Fault::new(Effect::Slow { millis: 400 }).on_path("/query/"));
    let mut command = stage.command();
    let child = command
        .args(["scan", "--fail-on", "never"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Once the pages are being read there is something to interrupt.
    while stage.org().count_calls(|call| call.path.contains("/query/")) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
    crate::support::Run::from(child.wait_with_output().unwrap())
}
