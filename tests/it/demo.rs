//! `demo`: the main job on the embedded company.

use serde_json::Value;

use crate::support::{Run, findings, grantwarden};

/// From any folder, without a file or a network.
#[test]
fn the_demo_runs_anywhere_and_shows_the_drift_integration_first() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::of(grantwarden(folder.path()).arg("demo")).exits(0);
    let first = run.stdout.lines().find(|line| line.starts_with("CRITICAL")).unwrap();
    assert!(first.contains("Drift") && first.contains("Salesloft"), "{first}");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "the demo leaves nothing behind"
    );
}

/// Each factor of the incident of August 2025, with the fact that it rests on.
#[test]
fn drift_is_flagged_for_the_reasons_of_the_incident() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::of(grantwarden(folder.path()).args(["demo", "--format", "json"])).exits(0);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let drift = findings(&report, "drift-pattern", "Drift");
    let on = |platform: &str| drift.iter().filter(|f| f["platform"] == platform).count();
    assert_eq!((on("salesforce"), on("google-workspace"), on("microsoft-365")), (3, 2, 2));
    for finding in &drift {
        if finding["platform"] != "google-workspace" {
            assert_eq!(finding["severity"], "critical");
        }
        let facts: Vec<&str> = finding["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["fact"].as_str().unwrap())
            .collect();
        for factor in ["broad: ", "durable: ", "unbound: "] {
            assert!(facts.iter().any(|fact| fact.starts_with(factor)), "{factor} in {facts:?}");
        }
    }
    for rule in [
        "no-expiry",
        "network-unrestricted",
        "privileged-grantor",
        "stale-unused",
        "inactive-principal",
    ] {
        assert!(!findings(&report, rule, "Drift").is_empty(), "{rule}");
    }
    assert!(!findings(&report, "restriction-not-binding", "Gainsight CS").is_empty());
    // What is well run is left alone, and the platform's own apps are no third parties.
    let flagged: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["subject"]["app"]["name"].as_str())
        .collect();
    assert!(!flagged.contains(&"Invoice Bridge"), "{flagged:?}");
    assert_eq!(report["summary"]["complete"], true);
}

#[test]
fn the_demo_company_can_be_judged_again_offline() {
    let folder = tempfile::tempdir().unwrap();
    Run::of(grantwarden(folder.path()).args(["demo", "--export", "demo.jsonl"])).exits(0);
    let arguments = ["scan", "--offline", "--inventory", "demo.jsonl"];
    Run::of(grantwarden(folder.path()).args(arguments)).exits(1).says("drift-pattern");
}
