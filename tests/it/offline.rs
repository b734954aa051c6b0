//! Inventories: what a scan saved can be judged again, and a damaged file is never taken for a whole one.

use grantwarden_lab::Fault;

use crate::support::{Run, Stage, forbidden};

fn exported(stage: &Stage) {
    stage.run(&["scan", "--export", "inventory.jsonl"]).exits(1);
}

fn judge(stage: &Stage, arguments: &[&str]) -> Run {
    stage.run(
        &[&["scan", "--offline", "--inventory", "inventory.jsonl", "--format", "json"], arguments]
            .concat(),
    )
}

#[test]
fn the_same_inventory_gives_the_same_bytes() {
    let stage = Stage::small();
    exported(&stage);
    let live = stage.run(&["scan", "--format", "json", "--now", "2026-01-15T12:00:00Z"]).exits(1);
    let first = judge(&stage, &["--now", "2026-01-15T12:00:00Z"]).exits(1);
    let second = judge(&stage, &["--now", "2026-01-15T12:00:00Z"]).exits(1);
    assert_eq!(first.stdout, second.stdout);
    let findings =
        |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["findings"].clone();
    assert_eq!(findings(&live.stdout), findings(&first.stdout));
}

#[test]
fn an_inventory_is_no_more_complete_than_its_scan() {
    let stage = Stage::small();
    stage.inject(Fault::new(forbidden()).on_text("FROM PermissionSetAssignment"));
    exported(&stage);
    judge(&stage, &["--fail-on", "never"]).exits(3);
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let stage = Stage::small();
    exported(&stage);
    let text = stage.read("inventory.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    stage.write("inventory.jsonl", &lines[..lines.len() - 1].join("\n"));
    judge(&stage, &[]).exits(2).complains("the file ends too early");
    stage.write("inventory.jsonl", &text[..text.len() / 2]);
    judge(&stage, &[]).exits(2).complains("inventory.jsonl:");
}

#[test]
fn a_changed_or_newer_file_is_refused() {
    let stage = Stage::small();
    exported(&stage);
    let text = stage.read("inventory.jsonl");
    stage.write("inventory.jsonl", &text.replacen("\"schema\":2", "\"schema\":99", 1));
    judge(&stage, &[]).exits(2).complains("update grantwarden");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(5);
    stage.write("inventory.jsonl", &lines.join("\n"));
    judge(&stage, &[]).exits(2).complains("its last line says");
    stage.run(&["scan", "--offline"]).exits(2);
    stage
        .run(&["scan", "--offline", "--inventory", "missing.jsonl"])
        .exits(2)
        .complains("missing.jsonl");
}

#[test]
fn offline_needs_no_configuration_but_takes_a_policy() {
    let stage = Stage::small();
    exported(&stage);
    std::fs::remove_file(stage.path("grantwarden.toml")).unwrap();
    judge(&stage, &[]).exits(1);
    stage.write("grantwarden.toml", "[policy]\nfail_on = \"never\"\n");
    judge(&stage, &[]).exits(0);
}
