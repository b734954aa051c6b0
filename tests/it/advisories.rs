//! Advisories through the binary: own files, their mistakes, and the answer to "does it concern us?".

use serde_json::{Value, json};

use crate::support::{Run, Stage, grantwarden};

const OWN: &str = r#"id = "acme-2026"
title = "Acme entered"
vendor = "Acme"
safe_date = "2026-01-10"
revoke = "all of it"

[[match]]
kind = "exact-name"
value = "NAME"
source = "case 1"
"#;

/// The small world, scanned.
fn scanned() -> (Stage, Value) {
    let stage = Stage::small();
    let (_, report) = stage.scan_json(&["--export", "inventory.jsonl"]);
    (stage, report)
}

/// The name of an app that has grants.
fn some_app(report: &Value) -> String {
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["subject"]["kind"] == "grant").unwrap();
    finding["subject"]["app"]["name"].as_str().unwrap().to_owned()
}

fn matched(report: &Value) -> Vec<&Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter(|finding| finding["rule"] == "vendor-advisory-match").collect()
}

#[test]
fn what_is_known_is_listed_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| Run::of(grantwarden(folder.path()).args(arguments));
    run(&["advisory", "list"]).exits(0).says("salesloft-drift-2025 2025-08-20 probable");
    run(&["advisory", "show", "contextai-vercel-2026"])
        .exits(0)
        .says("exact Google project `110671459871` on google-workspace")
        .says("safe date 2026-04-19");
    run(&["advisory", "show", "nothing-2026"])
        .exits(2)
        .complains("there is no advisory `nothing-2026`")
        .complains("klue-2026");
    let json = run(&["advisory", "list", "--format", "json"]).exits(0).stdout;
    let list: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(list.len(), 14);
}

#[test]
fn a_bad_file_is_refused_with_line_and_column_before_anything_is_scanned() {
    let stage = Stage::small();
    stage.write("good.toml", OWN);
    stage.write("bad.toml", &OWN.replace("exact-name", "exactname"));
    stage.run(&["advisory", "check", "good.toml"]).exits(0).says("acme-2026 is a proper advisory");
    let wrong = "bad.toml:8:8: unknown variant `exactname`";
    stage.run(&["advisory", "check", "good.toml", "bad.toml"]).exits(2).complains(wrong);
    stage.run(&["advisory", "check", "none.toml"]).exits(2).complains("cannot read the advisory");
    stage.run(&["scan", "--advisory", "bad.toml"]).exits(2).complains(wrong);
    let config = stage.config("acme-crm");
    stage.write("grantwarden.toml", &format!("{config}[advisories]\nfiles = [\"bad.toml\"]\n"));
    stage.run(&["scan"]).exits(2).complains(wrong);
    stage.write("grantwarden.toml", &format!("{config}[advisories]\nfile = [\"bad.toml\"]\n"));
    stage.run(&["scan"]).exits(2).complains("unknown field `file`");
    stage.run(&["scan", "--advisory", "good.toml", "--advisory", "good.toml"]).exits(2);
}

#[test]
fn an_own_advisory_finds_its_grants() {
    let (stage, report) = scanned();
    let before = matched(&report).len();
    let name = some_app(&report);
    std::fs::create_dir(stage.path("own")).unwrap();
    stage.write("own/acme.toml", &OWN.replace("NAME", &name));
    let offline = ["--offline", "--inventory", "inventory.jsonl"];
    let (_, by_flag) = stage.scan_json(&[&offline[..], &["--advisory", "own/acme.toml"]].concat());
    let found = matched(&by_flag);
    assert!(found.len() > before, "{found:#?}");
    assert!(found.iter().all(|finding| finding["evidence"][0]["fact"] == "advisory"));
    // Paths of the configuration start at its folder.
    stage.write("own/grantwarden.toml", "[advisories]\nfiles = [\"acme.toml\"]\n");
    let (_, by_config) =
        stage.scan_json(&[&offline[..], &["--config", "own/grantwarden.toml"]].concat());
    assert_eq!(by_config["findings"], by_flag["findings"]);
}

#[test]
fn an_own_file_stands_for_a_built_in_advisory_and_that_is_said() {
    let stage = Stage::small();
    stage.write("own.toml", &OWN.replace("acme-2026", "klue-2026"));
    let run = stage.run(&["advisory", "show", "klue-2026", "--advisory", "own.toml"]).exits(0);
    run.says("Acme entered").complains("own.toml stands for the built-in advisory klue-2026");
}

#[test]
fn nothing_found_comes_with_what_was_checked_and_what_was_not_seen() {
    let (stage, report) = scanned();
    let show = |file: &str, text: &str| {
        stage.write(file, text);
        stage.run(&[
            "advisory",
            "show",
            "acme-2026",
            "--advisory",
            file,
            "--inventory",
            "inventory.jsonl",
        ])
    };
    let nothing = show("nothing.toml", &OWN.replace("NAME", "Nobody"));
    let nothing = nothing.exits(0).says("Nothing found.").says("This was checked, for name:");
    nothing.says("acme-crm (salesforce): apps").says("This could not be seen:");
    let found = show("found.toml", &OWN.replace("NAME", &some_app(&report)));
    found.exits(1).says("probable:").says("by name").says("issued before the safe date");
    // A key that could not be compared is said.
    let by_domain = OWN.replace("exact-name", "redirect-domain").replace("NAME", "acme.example");
    show("domain.toml", &by_domain).says("Nothing found.");

    stage.inject(
        grantwarden_lab::Fault::new(crate::support::forbidden())
            .on_text("FROM PermissionSetAssignment"),
    );
    stage.run(&["scan", "--export", "inventory.jsonl", "--fail-on", "never"]).exits(3);
    show("nothing.toml", &OWN.replace("NAME", "Nobody")).exits(3).says("Nothing found.");
}

/// An own incident: whatever is in the tenant is exposed, with and without a safe date; another tenant's name is said.
#[test]
fn an_own_tenant_is_found_and_a_name_that_is_none_is_said() {
    let (stage, _) = scanned();
    let offline = ["--offline", "--inventory", "inventory.jsonl", "--advisory", "own.toml"];
    let show = ["advisory", "show", "acme-2026", "--advisory", "own.toml", "--inventory"];
    let show = [&show[..], &["inventory.jsonl"]].concat();
    let own = OWN.replace("exact-name", "tenant").replace("safe_date = \"2026-01-10\"\n", "");
    stage.write("own.toml", &own.replace("NAME", "acme-crm"));
    stage.run(&show).exits(1);
    let (_, report) = stage.scan_json(&offline);
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["rule"] == "issued-before-safe-date");
    let found = found.unwrap();
    assert_eq!(found["severity"], "high");
    assert!(found["message"].as_str().unwrap().contains("names no safe date"), "{found:#?}");

    stage.write("own.toml", &own.replace("NAME", "acme-cmr"));
    let missing =
        "The advisory acme-2026 names the tenant `acme-cmr`, which is not in this inventory";
    stage
        .run(&show)
        .exits(3)
        .complains(missing)
        .says("acme-cmr: the advisory names this tenant, and the inventory has none such");
    stage.run(&[&["scan", "--fail-on", "never"][..], &offline].concat()).complains(missing);
}

/// An app whose grants all came after the safe date still has a certificate of which that is not known.
#[test]
fn an_exposed_credential_alone_sets_the_exit_code() {
    let (stage, report) = scanned();
    let name = some_app(&report);
    let show = |file: &str, text: &str| {
        stage.write("own.toml", text);
        let show = ["advisory", "show", "acme-2026", "--advisory", "own.toml", "--inventory"];
        stage.run(&[&show[..], &[file]].concat())
    };
    let text = std::fs::read_to_string(stage.path("inventory.jsonl")).unwrap();
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_meant = |line: &&Value| line.pointer("/record/app/name") == Some(&json!(name));
    let app = lines.iter().find(is_meant).unwrap()["record"]["app"]["id"].clone();
    let end = lines.iter().position(|line| line.get("tenant_end").is_some()).unwrap();
    let certificate = json!({ "tenant": "acme-crm", "record": { "credential": {
        "id": "abcd", "app": app, "kind": "certificate", "name": "absent",
        "created_at": "absent", "expires_at": "absent", "last_used_at": "absent",
    } } });
    lines.insert(end, certificate);
    let records = lines.iter().filter(|line| line.get("record").is_some()).count();
    *lines.last_mut().unwrap() = json!({ "end": records });
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    stage.write("more.jsonl", &text.join("\n"));

    let early = OWN.replace("2026-01-10", "2000-01-01").replace("NAME", &name);
    show("inventory.jsonl", &early).exits(0);
    show("more.jsonl", &early).exits(1).says("credential abcd is not known to be newer");
    // Its name is a hint only; the certificate says more.
    let hint = early.replace("exact-name", "name-contains");
    show("more.jsonl", &hint).exits(0).says("review:");
    let named = format!(
        "{hint}\n[[match]]\nkind = \"certificate-thumbprint\"\nvalue = \"AB:CD\"\nsource = \"case 2\"\n"
    );
    show("more.jsonl", &named).exits(1).says("exact:").says("by certificate `abcd`; case 2");
}
