//! What rules answer to, and how findings are put together: published controls, one finding where nothing can be changed, and the
//! platform's own apps apart.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Run, grantwarden};

fn demo() -> Value {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::of(grantwarden(folder.path()).args(["demo", "--format", "json"])).exits(0);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn explain_and_report_name_published_controls() {
    let folder = tempfile::tempdir().unwrap();
    Run::of(grantwarden(folder.path()).args(["explain", "no-expiry"]))
        .exits(0)
        .says("Controls that it answers to:")
        .says(
            "OWASP Non-Human Identities Top 10 NHI7:2025: Long-Lived Secrets: https://owasp.org/",
        );
    let report = demo();
    let controls = report["rules"]["open-consent-policy"]["controls"].as_array().unwrap();
    let ids: BTreeSet<&str> =
        controls.iter().map(|control| control["id"].as_str().unwrap()).collect();
    assert!(
        ids.is_superset(&["MS.AAD.5.2", "5.1.5.1", "SBS-OAUTH-001", "T1528"].into()),
        "{ids:?}"
    );
    // Nobody published one about what a scanner could not see.
    assert_eq!(report["rules"]["coverage-gap"]["controls"], serde_json::json!([]));
}

/// Google gives no grant an end: one finding for each app, whatever the number of its grants.
#[test]
fn what_no_setting_can_end_is_said_once_per_app() {
    let report = demo();
    let of = |platform: &str, kind: &str| {
        let findings = report["findings"].as_array().unwrap().iter();
        let no_expiry = findings.filter(|finding| finding["rule"] == "no-expiry");
        no_expiry
            .filter(|finding| finding["platform"] == platform && finding["subject"]["kind"] == kind)
            .count()
    };
    assert_eq!(of("google-workspace", "grant"), 0);
    assert!(of("google-workspace", "app") > 0);
    assert!(of("salesforce", "grant") > 0, "Salesforce has a policy for it");
}

#[test]
fn the_platforms_own_apps_are_counted_apart_and_not_hidden() {
    let report = demo();
    let tenants = report["tenants"].as_array().unwrap();
    let salesforce = tenants.iter().find(|tenant| tenant["platform"] == "salesforce").unwrap();
    let number = |key: &str| salesforce[key].as_u64().unwrap();
    assert!(number("platform_apps") > 0 && number("platform_apps") < number("apps"));
    assert!(number("platform_grants") > 0 && number("platform_grants") < number("grants"));
    let folder = tempfile::tempdir().unwrap();
    Run::of(grantwarden(folder.path()).args(["demo"])).exits(0).says(&format!(
        "of these {} apps of the platform itself, with {} grants: no third party's",
        number("platform_apps"),
        number("platform_grants")
    ));
}
