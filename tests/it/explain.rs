//! `explain`: scopes with their risk and who holds them, and findings, from an inventory and without the network.

use grantwarden_lab::Fault;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Run, Stage, forbidden, grantwarden};

/// A folder with the demo company's inventory, after each of its records was given to `change`.
fn demo(change: impl Fn(&mut Value)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(&folder, &["demo", "--export", "demo.jsonl"]).exits(0);
    let path = folder.path().join("demo.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(record) = line.get_mut("record") {
            change(record);
        }
        format!("{line}\n")
    });
    let text: String = lines.collect();
    std::fs::write(path, text).unwrap();
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> Run {
    Run::of(grantwarden(folder.path()).args(arguments))
}

fn explain(folder: &TempDir, what: &str) -> Run {
    run(folder, &["explain", what, "--inventory", "demo.jsonl"])
}

#[test]
fn a_scope_says_what_it_allows_and_why_it_is_as_grave() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder, &["explain", "microsoft-365:Mail.Send"])
        .exits(0)
        .says("microsoft-365: Mail.Send of Microsoft Graph, for a user (high)")
        .says("It can send mail as its user.")
        .says("High, because what it can change does much harm in a thief's hands.")
        .says("Mail.Send of Microsoft Graph, without a user (critical)")
        .says("It can send mail as any mailbox in the tenant.")
        .says("Critical, because it changes sensitive data beyond one user's.")
        .says("Who holds it: add --inventory FILE");
    run(&folder, &["explain", "contents:write"])
        .exits(0)
        .says("for a user (high)")
        .says("without a user (critical)")
        .says("Includes: contents:read")
        .says("Together with workflows:write: Push a workflow file")
        .says("Checked against: https://docs.github.com/");
    run(&folder, &["explain", "hub_api"]).exits(0).says("not checked by hand");
}

#[test]
fn a_right_says_how_far_it_reaches() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder, &["explain", "modify-all-data"])
        .exits(0)
        .says("salesforce: the right Modify All Data")
        .says("changes data, users, settings or code of the whole organisation");
    run(&folder, &["explain", "github:Owner"])
        .exits(0)
        .says("Checked against: https://docs.github.com/");
    run(&folder, &["explain", "okta:Modify All Data"]).exits(0).says("(").says("derived)");
}

#[test]
fn a_scope_says_who_holds_it_and_by_which_other_scope() {
    let folder = demo(|_| {});
    explain(&folder, "salesforce:api")
        .exits(0)
        .says("- northwind-robotics: ")
        .says("Drift: 3 grants for jana.novak@northwind.example, priya.raman@northwind.example")
        .says("others; last used on")
        .says("at most, by the app's registration")
        .says("The scopes of 4 grants are not visible.");
    explain(&folder, "https://www.googleapis.com/auth/gmail.readonly")
        .exits(0)
        .says("by `https://www.googleapis.com/auth/gmail.modify`, which includes it");
    explain(&folder, "pardot_api").exits(0).says("by `full`, which includes it");
    explain(&folder, "okta:okta.eventHooks.manage").exits(0).says("nobody whose scopes were seen");
}

/// Nobody's catalog is whole: what an app holds is explained all the same.
#[test]
fn a_scope_that_no_catalog_has_is_found_in_the_inventory() {
    let folder = demo(|record| {
        let Some(grant) = record.get_mut("grant") else { return };
        if grant["app_name"] == "Grammar Goblin" {
            grant["scopes"] = json!({ "known": [{ "name": "Frob.ReadWrite.All" }] });
        }
    });
    explain(&folder, "frob.readwrite.all")
        .exits(0)
        .says("google-workspace: Frob.ReadWrite.All (medium, derived)")
        .says("No catalog has it")
        .says("Grammar Goblin: ");
    run(&folder, &["explain", "Frob.ReadWrite.All"])
        .exits(2)
        .complains("neither a rule nor a scope nor a right");
    explain(&folder, "Frob.Read").exits(2).complains("the inventory has no scope of that name");
    run(&folder, &["explain", "okta:Frob.Read"]).exits(0).says("(medium, derived)");
    // Another platform's tenants do not hold it.
    explain(&folder, "okta:Frob.ReadWrite.All").exits(0).says("nobody whose scopes were seen");
}

#[test]
fn what_was_not_read_is_said() {
    let stage = Stage::small();
    stage.inject(Fault::new(forbidden()).on_text("FROM OauthToken"));
    stage.run(&["scan", "--export", "inventory.jsonl", "--fail-on", "never"]).exits(3);
    stage
        .run(&["explain", "salesforce:api", "--inventory", "inventory.jsonl"])
        .exits(3)
        .says("Not everything could be read there: there may be others.");
    stage
        .run(&["explain", "okta:okta.apps.manage", "--inventory", "inventory.jsonl"])
        .exits(0)
        .says("has no tenant of okta");
    stage
        .run(&["explain", "api", "--inventory", "absent.jsonl"])
        .exits(2)
        .complains("absent.jsonl");
}

#[test]
fn a_finding_says_what_it_rests_on_and_what_to_do() {
    let stage = Stage::small();
    stage.run(&["scan", "--export", "inventory.jsonl"]).exits(1);
    let (_, report) = stage.scan_json(&["--offline", "--inventory", "inventory.jsonl"]);
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == "drift-pattern").unwrap();
    let text = |key: &str| finding[key].as_str().unwrap();
    let fingerprint = text("fingerprint");
    let explain = |more: &[&str]| {
        stage.run(&[&["explain", fingerprint, "--inventory", "inventory.jsonl"], more].concat())
    };
    explain(&[])
        .exits(0)
        .says("drift-pattern: ")
        .says(text("message"))
        .says("durable: life: ")
        .says("[grant.expires]")
        .says("Why it matters:")
        .says("What to do on Salesforce:")
        .says("RFC 9700");
    stage.run(&["explain", fingerprint]).exits(2).complains("add --inventory FILE");
    stage
        .run(&["explain", &"0".repeat(32), "--inventory", "inventory.jsonl"])
        .exits(2)
        .complains("there is no finding 00000000000000000000000000000000");
    explain(&["--config", "absent.toml"]).exits(2).complains("absent.toml");
    // The policy decides what a finding is.
    stage.write("mild.toml", "[policy.rules.drift-pattern]\nseverity = \"low\"\n");
    explain(&["--config", "mild.toml"]).exits(0).says("drift-pattern: low, confidence");
}
