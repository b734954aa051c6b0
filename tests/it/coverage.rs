//! Nothing is lost in silence: what could not be read is said, and carried into the exit code.

use grantwarden_lab::{Effect, Fault, Permission};

use crate::support::{Stage, forbidden};

#[test]
fn a_permission_that_goes_midway_exits_3_and_says_what_is_missing() {
    let stage = Stage::demo();
    let permission =
        Effect::RemovePermission { user: None, permission: "CustomizeApplication".into() };
    stage.inject(Fault::new(permission).on_text("FROM OauthToken").times(1));
    stage
        .run(&["scan", "--fail-on", "never"])
        .exits(3)
        .says("OAuth tokens of all users")
        .says("MISSING")
        .says("The scan is incomplete: exit code 3");
}

#[test]
fn findings_win_over_incomplete_and_both_are_said() {
    let stage = Stage::demo();
    stage.inject(Fault::new(forbidden()).on_text("FROM PermissionSetAssignment"));
    stage.run(&["scan"]).exits(1).says("exit code 1").says("The scan is incomplete");
}

#[test]
fn incomplete_is_accepted_only_when_asked() {
    let stage = Stage::demo();
    stage.inject(Fault::new(forbidden()).on_text("FROM PermissionSetAssignment"));
    stage.run(&["scan", "--fail-on", "never"]).exits(3);
    stage
        .run(&["scan", "--fail-on", "never", "--allow-incomplete"])
        .exits(0)
        .says("accepted by allow_incomplete");
}

#[test]
fn what_the_user_gave_up_is_said_and_does_not_fail() {
    let stage = Stage::demo();
    stage.write(
        "grantwarden.toml",
        &format!("{}skip = [\"app-policies\", \"api-usage\"]\n", stage.config("acme-crm")),
    );
    let (run, report) = stage.scan_json(&["--fail-on", "never"]);
    assert_eq!(run.code, 0, "{run:#?}");
    let parts = report["tenants"][0]["coverage"]["parts"].as_array().unwrap();
    let skipped: Vec<&str> = parts
        .iter()
        .filter(|part| part["losses"][0]["reason"] == "skipped")
        .map(|part| part["facet"].as_str().unwrap())
        .collect();
    // Which apps run as themselves stands in their policies, so that the grants are not whole either.
    assert_eq!(skipped, ["grants", "app-policies", "login-ranges", "api-usage"]);
    let gaps = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["rule"] == "coverage-gap")
        .count();
    assert!(gaps > 0, "rules that could not judge say so");
}

#[test]
fn doctor_names_the_exact_missing_right() {
    let stage = Stage::demo();
    stage.run(&["doctor"]).exits(0).says("yes      OAuth tokens of all users");
    let scanner = stage.org().client().username;
    assert!(stage.org().set_permission(&scanner, Permission::CustomizeApplication, false));
    stage
        .run(&["doctor"])
        .exits(3)
        .says("NO       OAuth tokens of all users")
        .says("needs: Customize Application")
        .says("skip = [\"grants\"]");
}

#[test]
fn the_quota_guard_leaves_the_rest_to_others() {
    let stage = Stage::demo();
    stage.write(
        "grantwarden.toml",
        &format!("{}keep_quota_percent = 100\n", stage.config("acme-crm")),
    );
    stage.run(&["scan", "--fail-on", "never"]).exits(3).says("the scan leaves 100% for others");
}
