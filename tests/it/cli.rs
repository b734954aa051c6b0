//! The other commands, and what every command has in common.

use crate::support::{Run, Stage, grantwarden};

fn run(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    Run::of(grantwarden(folder.path()).args(arguments))
}

#[test]
fn help_and_version_are_data() {
    assert!(run(&["--version"]).exits(0).stdout.starts_with("grantwarden "));
    insta::assert_snapshot!("help", run(&["--help"]).exits(0).stdout);
    insta::assert_snapshot!("help_scan", run(&["scan", "--help"]).exits(0).stdout);
    run(&[]).exits(2);
    run(&["scna"]).exits(2).complains("scan");
}

#[test]
fn explain_tells_about_rules_and_scopes() {
    run(&["explain"]).exits(0).says("drift-pattern").says("coverage-gap");
    run(&["explain", "drift-pattern"])
        .exits(0)
        .says("Salesloft")
        .says("What to do on Salesforce")
        .says("docs/rules/drift-pattern.md");
    run(&["explain", "full"]).exits(0).says("salesforce: full");
    run(&["explain", "salesforce:api"]).exits(0).says("salesforce: api");
    run(&["explain", "no-such-thing"]).exits(2).complains("neither a rule nor a scope");
}

/// What `init` writes is a configuration that a scan understands.
#[test]
fn init_writes_a_configuration_that_is_read_back() {
    let stage = Stage::small();
    let init = stage.run(&["init", "--output", "new.toml"]).exits(0);
    assert!(init.stdout.contains("1. Make a key") && init.stdout.contains("grantwarden doctor"));
    stage.run(&["scan", "--config", "new.toml"]).exits(3).says("my-salesforce");
    stage.run(&["init", "--output", "new.toml"]).exits(2).complains("already there");
    stage.run(&["init", "--output", "new.toml", "--force"]).exits(0);
    stage.run(&["init", "sailsforce"]).exits(2).complains(
        "this build has github, google-workspace, microsoft-365, okta, salesforce, slack",
    );
}

#[test]
fn completions_and_schemas_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        run(&["completions", shell]).exits(0).says("grantwarden");
    }
    for of in ["config", "report", "inventory", "register", "advisory", "diff", "notification"] {
        let printed = run(&["schema", of]).exits(0).stdout;
        let file = format!("{}/docs/schema/{of}.schema.json", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            printed,
            std::fs::read_to_string(&file).unwrap_or_default(),
            "run: grantwarden schema {of} > docs/schema/{of}.schema.json"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let stage = Stage::small();
    let program = assert_cmd::cargo::cargo_bin!("grantwarden");
    let script =
        format!("'{}' scan --format json | head -c 10; echo ${{PIPESTATUS[0]}}", program.display());
    let output = std::process::Command::new("bash")
        .arg("-c")
        .arg(script)
        .current_dir(stage.path(""))
        // Not the store of whoever runs the tests.
        .env("XDG_STATE_HOME", stage.path(""))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.is_empty(), "{text}");
}
