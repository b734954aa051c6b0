//! Several platforms in one run: the demo company on all of them, each as its own connector reads it.

use std::fs;

use grantwarden_lab::{Effect, Fault};
use serde_json::Value;

use crate::support::{Run, SLOW, Stage, findings, grantwarden};

const PLATFORMS: [&str; 6] =
    ["github", "google-workspace", "microsoft-365", "okta", "salesforce", "slack"];

fn tenant<'a>(report: &'a Value, platform: &str) -> &'a Value {
    let tenants = report["tenants"].as_array().unwrap();
    tenants.iter().find(|tenant| tenant["platform"] == platform).unwrap()
}

fn losses<'a>(report: &'a Value, platform: &str) -> Vec<(&'a str, &'a str)> {
    let parts = tenant(report, platform)["coverage"]["parts"].as_array().unwrap();
    let of = |part: &'a Value| {
        let losses = part["losses"].as_array().unwrap();
        losses
            .iter()
            .map(|loss| (part["facet"].as_str().unwrap(), loss["reason"].as_str().unwrap()))
    };
    parts.iter().flat_map(of).collect()
}

#[test]
fn all_platforms_are_scanned_in_one_run_from_one_configuration() {
    let stage = Stage::company();
    let (run, report) = stage.scan_json(&[]);
    assert_eq!(run.code, 1, "{run:#?}");
    for platform in PLATFORMS {
        let tenant = tenant(&report, platform);
        assert_eq!(tenant["complete"], true, "{tenant:#}");
        assert!(tenant["grants"].as_u64().unwrap() > 0, "{tenant:#}");
    }
    let drift = findings(&report, "drift-pattern", "Drift");
    for platform in ["google-workspace", "microsoft-365", "salesforce"] {
        assert!(drift.iter().any(|finding| finding["platform"] == platform), "{platform}");
    }
    // One vendor, on every platform, under several names and client ids.
    let vendor = &report["vendors"][0];
    assert_eq!(vendor["name"], "Salesloft");
    assert_eq!(vendor["platforms"], serde_json::json!(PLATFORMS));
    for name in ["Drift", "Salesloft", "Cadence Docs Sync", "Cadence by Salesloft"] {
        assert!(vendor["names"].as_array().unwrap().iter().any(|known| known == name), "{name}");
    }
    let apps = vendor["apps"].as_array().unwrap();
    assert!(apps.iter().all(|app| !app["ties"].as_array().unwrap().is_empty()), "{apps:#?}");
    let ids = apps.iter().flat_map(|app| app["client_ids"].as_array().unwrap());
    assert!(ids.collect::<Vec<_>>().len() >= 5, "{apps:#?}");
    let text = format!("{}{}", run.stdout, run.stderr);
    for secret in stage.secrets() {
        assert!(!text.contains(&secret), "a secret is in the output");
    }
}

/// The same company, read at any level of detail of the log, shows no secret.
#[test]
fn no_secret_is_in_a_log() {
    let stage = Stage::company();
    let run = Run::of(stage.command().arg("scan").env("GRANTWARDEN_LOG", "trace")).exits(1);
    for secret in stage.secrets() {
        assert!(!run.stderr.contains(&secret) && !run.stdout.contains(&secret), "a secret is out");
    }
}

#[test]
fn one_platform_failing_never_hides_another() {
    let stage = Stage::company();
    stage.inject_google(Fault::new(Effect::ServerError).on_path("/admin/directory/v1/users"));
    let (run, report) = stage.scan_json(&["--fail-on", "never"]);
    assert_eq!(run.code, 3, "{run:#?}");
    assert_eq!(tenant(&report, "google-workspace")["complete"], false);
    assert_eq!(tenant(&report, "microsoft-365")["complete"], true);
    assert_eq!(tenant(&report, "salesforce")["complete"], true);
}

#[test]
fn doctor_names_the_missing_right_of_each_platform() {
    let stage = Stage::company();
    assert!(stage.google().set_scope("admin.directory.user.security", false));
    stage.entra().set_permission("Directory.Read.All", false);
    assert!(stage.lab().slack_tenants()[0].set_right("auditlogs:read", false));
    let right = "organization_personal_access_tokens";
    assert!(stage.lab().github_tenants()[0].set_right(right, false));
    assert!(stage.lab().okta_orgs()[0].set_right("okta.appGrants.read", false));
    stage
        .run(&["doctor"])
        .exits(3)
        .says("admin.directory.user.security")
        .says("Directory.Read.All")
        .says("auditlogs:read")
        .says("organization_personal_access_tokens")
        .says("okta.appGrants.read");
}

#[test]
fn a_missing_scope_costs_one_part_and_not_the_scan() {
    let stage = Stage::company();
    assert!(stage.google().set_scope("admin.reports.audit.readonly", false));
    let (_, report) = stage.scan_json(&["--fail-on", "never"]);
    let lost = losses(&report, "google-workspace");
    assert!(lost.contains(&("grant-events", "permission")), "{lost:?}");
    assert!(!lost.iter().any(|(facet, _)| *facet == "grants"), "{lost:?}");
    assert_eq!(tenant(&report, "google-workspace")["grants"], 9);
}

#[test]
fn a_licence_that_is_not_there_is_said_and_does_not_fail() {
    let stage = Stage::company();
    stage.entra().set_licence(false);
    let (run, report) = stage.scan_json(&["--fail-on", "never"]);
    assert_eq!(run.code, 0, "{run:#?}");
    let lost = losses(&report, "microsoft-365");
    assert!(lost.contains(&("sign-ins", "licence")), "{lost:?}");
}

#[test]
fn every_way_to_sign_in_to_entra_works() {
    let stage = Stage::company();
    let client = stage.entra().client();
    let assertion = stage.write("federated", &stage.entra().federated_assertion());
    let secret = stage.write("secret", &client.client_secret);
    let ways = [
        format!(
            "{{ method = \"client_credentials\", client_id = \"{}\", client_secret = {{ file = \"{}\" }} }}",
            client.client_id,
            secret.display()
        ),
        format!(
            "{{ method = \"federated_token\", client_id = \"{}\", assertion = {{ file = \"{}\" }} }}",
            client.client_id,
            assertion.display()
        ),
    ];
    for way in ways {
        stage.write(
            "grantwarden.toml",
            &format!(
                "[[tenant]]\nname = \"field\"\nplatform = \"microsoft-365\"\nbase_url = \"{}\"\ntoken_url = \"{}\"\n\
                 account = \"{}\"\nauth = {way}\nbuckets = {{ reports = {{ {SLOW} }} }}\n",
                stage.entra().base_url(),
                client.token_url,
                client.tenant_id,
            ),
        );
        stage.run(&["scan", "--fail-on", "never"]).exits(0).says("complete");
    }
}

#[test]
fn what_only_the_console_tells_is_imported_from_its_export() {
    let stage = Stage::company();
    let clients = "Name,Client ID,OAuth scopes\n\
                   Old Archive,119900000000000000009,\"https://mail.google.com/,https://www.googleapis.com/auth/drive\"\n";
    let path = stage.write("clients.csv", clients);
    let import = format!(
        "platform = \"google-workspace\"\nimport = {{ domain-wide-delegation = \"{}\" }}",
        path.display()
    );
    let config = stage.read("grantwarden.toml");
    stage.write("grantwarden.toml", &config.replace("platform = \"google-workspace\"", &import));
    let (_, report) = stage.scan_json(&[]);
    let found = report["findings"].as_array().unwrap().iter();
    assert!(
        found.clone().any(|finding| finding["subject"]["id"]
            .as_str()
            .unwrap()
            .contains("119900000000000000009")),
        "the imported client is judged"
    );
    stage.write("clients.csv", "nothing that looks like an export\n");
    let (run, report) = stage.scan_json(&["--fail-on", "never"]);
    assert_eq!(run.code, 3, "{run:#?}");
    let lost = losses(&report, "google-workspace");
    assert!(lost.iter().any(|(facet, _)| *facet == "domain-wide-delegation"), "{lost:?}");
}

/// A memory that can be neither read nor written costs the saving, not the scan.
#[cfg(unix)]
#[test]
fn what_cannot_be_remembered_does_not_fail_the_scan() {
    let stage = Stage::company();
    let folder = stage.path("memory");
    fs::create_dir(&folder).unwrap();
    // Where the draft would be written, so that not even root can write it.
    for tenant in ["northwind-workspace", "northwind-field-services"] {
        fs::create_dir_all(folder.join(format!("{tenant}.new/in-the-way"))).unwrap();
        fs::create_dir_all(folder.join(format!("{tenant}.memory"))).unwrap();
    }
    let config = stage.read("grantwarden.toml");
    let config = format!("{config}\n[incremental]\nfolder = \"{}\"\n", folder.display());
    stage.write("grantwarden.toml", &config);
    let run = stage.run(&["scan", "--fail-on", "never"]).exits(0);
    assert!(run.stderr.contains("cannot be remembered"), "{run:#?}");
}

/// What a scan remembers saves calls, and changes nothing that it reports.
#[test]
fn an_incremental_scan_reports_the_same_with_fewer_calls() {
    let stage = Stage::company();
    let folder = stage.path("memory");
    fs::create_dir(&folder).unwrap();
    let config = format!(
        "{}\n[incremental]\nfolder = \"{}\"\n",
        stage.read("grantwarden.toml"),
        folder.display()
    );
    stage.write("grantwarden.toml", &config);
    let (_, first) = stage.scan_json(&[]);
    let (_, second) = stage.scan_json(&[]);
    let fingerprints = |report: &Value| {
        let all = report["findings"].as_array().unwrap().iter();
        let mut all: Vec<String> = all.map(|finding| finding["fingerprint"].to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(fingerprints(&first), fingerprints(&second));
    let calls = |report: &Value, platform| tenant(report, platform)["calls"].as_u64().unwrap();
    assert!(
        calls(&second, "google-workspace") < calls(&first, "google-workspace"),
        "{} then {}",
        calls(&first, "google-workspace"),
        calls(&second, "google-workspace")
    );
    let (_, full) = stage.scan_json(&["--full"]);
    assert_eq!(fingerprints(&first), fingerprints(&full));
    assert!(calls(&full, "google-workspace") > calls(&second, "google-workspace"));
    stage.write("grantwarden.toml", &config.replace("memory\"", "nowhere\""));
    stage.run(&["scan"]).exits(2).complains("the folder of [incremental] is not there");
}

#[test]
fn settings_that_do_not_fit_the_platform_are_refused() {
    let stage = Stage::company();
    let config = stage.read("grantwarden.toml");
    let account = config.lines().rfind(|line| line.starts_with("account")).unwrap();
    stage.write("grantwarden.toml", &config.replace(account, ""));
    stage.run(&["scan"]).exits(2).complains("needs `account`");
    let import = "platform = \"salesforce\"\nimport = { grants = \"x.csv\" }";
    stage.write("grantwarden.toml", &config.replace("platform = \"salesforce\"", import));
    stage.run(&["scan"]).exits(2).complains("one can import nothing");
    let own = "platform = \"salesforce\"\naccount = \"00D\"";
    stage.write("grantwarden.toml", &config.replace("platform = \"salesforce\"", own));
    stage.run(&["scan"]).exits(2).complains("takes no `account`");
}

/// Reading Slack's approvals may change how approval works there: nobody does it unasked, and whoever asks is told first.
#[test]
fn what_reading_changes_is_read_only_if_asked_for_and_told_before() {
    let stage = Stage::company();
    let slack = &stage.lab().slack_tenants()[0];
    let asked = |word: &str| slack.count_calls(|call| call.path.contains(word));
    stage.run(&["doctor", "--tenant", "northwind-slack"]).says("may switch approval");
    let config = stage.read("grantwarden.toml");
    slack.forget_calls();
    stage.write("grantwarden.toml", &config.replace("include = [\"approvals\"]", ""));
    stage
        .run(&["scan", "--tenant", "northwind-slack", "--fail-on", "never"])
        .exits(0)
        .says("read only if the configuration asks for it (`include`)");
    assert_eq!(asked("/admin.apps.approved.list"), 0);
    assert_eq!(asked("/admin.apps.restricted.list"), 0);
    stage.write("grantwarden.toml", &config);
    stage.run(&["scan", "--tenant", "northwind-slack", "--fail-on", "never"]).exits(0);
    assert_eq!(asked("/admin.apps.approved.list"), 2, "certified apps and the others");
}

#[test]
fn init_writes_a_configuration_for_each_platform() {
    for platform in PLATFORMS {
        let folder = tempfile::tempdir().unwrap();
        let init = ["init", platform];
        Run::of(grantwarden(folder.path()).args(init)).exits(0).says("1.");
        // It is read back: what is missing is the key, not a setting.
        Run::of(grantwarden(folder.path()).arg("scan")).exits(3);
    }
}
