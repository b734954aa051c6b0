//! Custom rules: found, not visible, refused, and tested beside their text.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Run, grantwarden};

/// The rule of `docs/custom-rules.md`, which must keep its promises.
fn documented() -> String {
    let page = include_str!("../../docs/custom-rules.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A folder with the demo company's inventory and a configuration.
fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Run::of(grantwarden(folder.path()).args(["demo", "--export", "demo.jsonl"])).exits(0);
    std::fs::write(folder.path().join("grantwarden.toml"), config).unwrap();
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> Run {
    Run::of(grantwarden(folder.path()).args(arguments))
}

const OFFLINE: [&str; 4] = ["scan", "--offline", "--inventory", "demo.jsonl"];

fn report(folder: &TempDir, more: &[&str]) -> (Run, Value) {
    let run = run(folder, &[&OFFLINE[..], &["--format", "json"], more].concat());
    let report = serde_json::from_str(&run.stdout).unwrap();
    (run, report)
}

fn rule(when: &str, message: &str) -> String {
    format!(
        "[[policy.custom]]\nid = \"own-rule\"\ntitle = \"Own\"\nseverity = \"critical\"\nwhy = \"Because.\"\n\
         fix = [\"Do it.\"]\nwhen = '{when}'\nmessage = '{message}'\n"
    )
}

#[test]
fn the_documented_rule_passes_its_tests_and_finds_its_problem() {
    let folder = folder(&documented());
    let tested = run(&folder, &["policy", "test"]).exits(0);
    tested.says("1 custom rules; 3 passed, 0 failed");
    let (run, report) = report(&folder, &[]);
    run.exits(1);
    let findings: Vec<&Value> = report["findings"].as_array().unwrap().iter().collect();
    let own: Vec<&&Value> =
        findings.iter().filter(|finding| finding["rule"] == "bot-reads-mail").collect();
    assert!(!own.is_empty());
    for finding in own {
        assert_eq!(finding["severity"], "high");
        let message = finding["message"].as_str().unwrap();
        assert!(message.ends_with("and no administrator approved it."), "{message}");
        let facts = finding["evidence"].as_array().unwrap();
        assert!(facts.iter().any(|fact| fact["fact"] == "grant.data"), "{facts:?}");
    }
    let text = &report["rules"]["bot-reads-mail"];
    assert_eq!(text["why"], "Mail holds password resets.");
}

#[test]
fn what_it_finds_counts_and_can_be_switched_off() {
    let own = rule(r#"app.name == "Drift" && grant.live"#, "{app.name} is there.");
    let folder = folder(&own);
    let first = run(&folder, &[&OFFLINE[..], &["--fail-on", "critical"]].concat()).exits(1);
    first.says("own-rule").says("Drift is there.").says("Own: Drift").says("Do it.");
    let (_, one) = report(&folder, &[]);
    let (_, two) = report(&folder, &[]);
    assert_eq!(one, two, "the same twice");
    let off = format!("[policy.rules]\nown-rule.severity = \"off\"\n{own}");
    std::fs::write(folder.path().join("grantwarden.toml"), off).unwrap();
    let (run, report) = report(&folder, &[]);
    run.exits(1);
    assert!(!report["findings"].to_string().contains("own-rule"));
    assert_eq!(report["summary"]["switched_off"], serde_json::json!(["own-rule"]));
}

#[test]
fn a_fact_that_is_not_visible_is_said() {
    // Google has no date of use for some grants of the demo company.
    let folder = folder(&rule("grant.use_count == null || grant.use_count > 100000", "Often."));
    let (_, report) = report(&folder, &[]);
    let findings = report["findings"].as_array().unwrap();
    let said = findings.iter().filter(|finding| finding["rule"] == "coverage-gap").any(|finding| {
        let evidence = finding["evidence"].to_string();
        evidence.contains("own-rule") && evidence.contains("grant.use_count")
    });
    assert!(said, "{findings:#?}");
}

#[test]
fn what_is_written_wrong_is_refused_at_its_place() {
    let folder = folder("");
    for (config, says) in [
        (
            rule("grant.scope.size() > 0", "m"),
            "grantwarden.toml:7:14: custom rule `own-rule`: there is no field `grant.scope`",
        ),
        (rule("grant.live &", "m"), "grantwarden.toml:7:"),
        (rule("grant.live", "{app.nam}"), "grantwarden.toml:8:"),
        (rule("grant.live", "m").replace("own-rule", "drift-pattern"), "another rule has this id"),
        (rule("grant.live", "m").replace("when", "wenn"), "unknown field `wenn`"),
        (rule("grant.last_used_days_ago > 90", "m"), "may be null"),
    ] {
        std::fs::write(folder.path().join("grantwarden.toml"), &config).unwrap();
        for arguments in [&OFFLINE[..], &["policy", "test"]] {
            run(&folder, arguments).exits(2).complains(says);
        }
    }
}

#[test]
fn a_test_that_fails_fails_the_command() {
    let failing = documented().replace("expect = \"pass\"", "expect = \"finding\"");
    let folder = folder(&failing);
    run(&folder, &["policy", "test"])
        .exits(1)
        .says("bot-reads-mail: an approved one may: FAILED: expected finding, got pass")
        .says("1 custom rules; 2 passed, 1 failed");
    std::fs::write(folder.path().join("grantwarden.toml"), rule("grant.live", "m")).unwrap();
    run(&folder, &["policy", "test"]).exits(0).says("own-rule: no tests");
    std::fs::write(folder.path().join("grantwarden.toml"), "").unwrap();
    run(&folder, &["policy", "test"]).exits(2).complains("has no custom rule");
}

#[test]
fn the_fields_are_listed() {
    let folder = folder("");
    run(&folder, &["policy", "fields"]).exits(0).says("grant.last_used_days_ago");
    let listed = run(&folder, &["policy", "fields", "--format", "json"]).exits(0);
    let fields: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert!(fields.len() > 60);
}

/// In a policy file of its own, everything stands without the prefix.
#[test]
fn a_policy_file_has_them_too() {
    let folder = folder("");
    let own = documented().replace("[[policy.custom", "[[custom");
    std::fs::write(folder.path().join("policy.toml"), &own).unwrap();
    let tested = ["policy", "test", "--policy", "policy.toml"];
    run(&folder, &tested).exits(0).says("3 passed, 0 failed");
    let (scanned, report) = report(&folder, &["--policy", "policy.toml"]);
    scanned.exits(1);
    assert!(report["findings"].to_string().contains("bot-reads-mail"));
    let wrong = own.replace("grant.data.exists", "grant.date.exists");
    std::fs::write(folder.path().join("policy.toml"), wrong).unwrap();
    run(&folder, &tested).exits(2).complains("policy.toml:9:").complains("`grant.date`");
}

/// What was not read must not look as if it were not there.
#[test]
fn settings_and_vendors_that_were_not_seen_are_said() {
    let when = "!(\"Last sign-in as itself\" in app.settings) && platform == \"microsoft-365\"";
    let folder = folder(&rule(when, "m"));
    let (_, settings) = report(&folder, &[]);
    let findings = settings["findings"].to_string();
    assert!(!findings.contains("\"rule\":\"own-rule\""));
    assert!(findings.contains("app.settings"), "a gap names it");
    // Without the record of the app nobody can tell whose it is.
    let text = std::fs::read_to_string(folder.path().join("demo.jsonl")).unwrap();
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let before = lines.len();
    lines.retain(|line| line["record"]["app"]["name"] != "Drift");
    let gone = u64::try_from(before - lines.len()).unwrap();
    let last = lines.last_mut().unwrap();
    last["end"] = serde_json::json!(last["end"].as_u64().unwrap() - gone);
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(folder.path().join("demo.jsonl"), text).unwrap();
    std::fs::write(
        folder.path().join("grantwarden.toml"),
        rule("vendor.party == \"third\" && grant.app_name == \"Drift\"", "m"),
    )
    .unwrap();
    let (_, vendor) = report(&folder, &[]);
    assert!(vendor["findings"].to_string().contains("vendor.party"), "a gap names it");
}
