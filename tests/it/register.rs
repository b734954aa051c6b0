//! The vendor register through the program: bad files, chains, drafts, and what rules make of it.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Run, grantwarden};

/// The demo company's inventory, a configuration, and this register.
fn with(register: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Run::of(grantwarden(folder.path()).args(["demo", "--export", "demo.jsonl"])).exits(0);
    write(&folder, "grantwarden.toml", "[vendors]\nregister = \"kept/vendors.toml\"\n");
    std::fs::create_dir(folder.path().join("kept")).unwrap();
    write(&folder, "kept/vendors.toml", register);
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

fn run(folder: &TempDir, arguments: &[&str]) -> Run {
    let kept = ["--inventory", "demo.jsonl"];
    Run::of(grantwarden(folder.path()).args(arguments).args(kept))
}

fn scan(folder: &TempDir, rule: &str) -> Vec<Value> {
    let run = run(folder, &["scan", "--offline", "--format", "json"]);
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"));
    let all = report["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["rule"] == rule).cloned().collect()
}

const CHAINED: &str = r#"
[[vendor]]
name = "Salesloft"
sub_processors = ["Cloud Mailer"]

[[vendor]]
name = "Cloud Mailer"
sub_processors = ["Big Cloud", "Cloud Mailer"]

[[vendor]]
name = "Big Cloud"
sub_processors = ["Salesloft"]

[[vendor]]
name = "Zapier"

[[vendor]]
name = "Never Bought"
sub_processors = ["big cloud, inc."]
"#;

#[test]
fn a_bad_register_is_refused_with_its_place_by_every_command_that_uses_it() {
    let folder = with(
        "[[vendor]]\nname = \"A\"\nclient_ids = [\"x\"]\n[[vendor]]\nname = \"B\"\nclient_ids = [\"x\"]\n",
    );
    for command in [
        &["scan", "--offline"][..],
        &["vendor", "list"],
        &["vendor", "show", "Drift"],
        &["vendor", "chain", "Drift"],
        &["vendor", "init"],
    ] {
        run(&folder, command)
            .exits(2)
            .complains("kept/vendors.toml:6:15: the client id `x` is that of `A` in line 2, too");
    }
    Run::of(grantwarden(folder.path()).args(["doctor"])).exits(2).complains("vendors.toml:6:15");
    for (text, message) in [
        ("[[vendor]]\nname = \"A\"\nownr = \"x\"\n", "vendors.toml:3:1: unknown field `ownr`"),
        ("[[vendor]]\nname = \"A\"\ncontract_end = 2026-02-30\n", "vendors.toml:3:"),
        (
            "[[vendor]]\nname = \"A\"\negress = { ranges = [\"1.2.3.4/8\"], checked = 2026-01-01 }\n",
            "begins in the middle of a network; write 1.0.0.0/8",
        ),
        ("\u{0}", "vendors.toml:1:"),
    ] {
        write(&folder, "kept/vendors.toml", text);
        run(&folder, &["vendor", "list"]).exits(2).complains(message);
    }
    std::fs::remove_file(folder.path().join("kept/vendors.toml")).unwrap();
    run(&folder, &["vendor", "list"])
        .exits(2)
        .complains("cannot read the vendor register kept/vendors.toml");
    write(&folder, "grantwarden.toml", "[vendors]\nregistry = \"v.toml\"\n");
    run(&folder, &["vendor", "list"])
        .exits(2)
        .complains("grantwarden.toml:2:1: unknown field `registry`");
}

#[test]
fn a_chain_is_shown_tier_by_tier() {
    let folder = with(CHAINED);
    let shown = run(&folder, &["vendor", "chain", "Big Cloud"])
        .exits(0)
        .says("Grants that end at Big Cloud: tier 1: Salesloft, seen Drift (northwind-robotics, salesforce), 3 grants")
        .says("tier 2: Cloud Mailer, declared [kept/vendors.toml:4] tier 3: Big Cloud, declared [kept/vendors.toml:8]")
        .says("In the register, but no live grant was seen: Cloud Mailer -> Big Cloud declared [kept/vendors.toml:8]")
        .says("Never Bought -> Big Cloud declared [kept/vendors.toml:19]")
        .says("Declared in a circle: Salesloft -> Cloud Mailer -> Big Cloud -> Salesloft")
        .says("Declared in a circle: Cloud Mailer -> Cloud Mailer")
        .says("Not known: 1 of 5 entries list no sub-processors: Zapier")
        .says("with live grants not in the register:");
    let again = run(&folder, &["vendor", "chain", "Big Cloud"]);
    assert_eq!(shown.stdout, again.stdout);
    let json = run(&folder, &["vendor", "chain", "Big Cloud", "--format", "json"]).exits(0);
    let reach: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        reach["seen"][0]["tiers"][0],
        json!({ "tier": 1, "company": "Salesloft", "declared": null })
    );
    assert_eq!(reach["seen"][0]["tiers"][2]["declared"], "kept/vendors.toml:8");
    assert_eq!(reach["cycles"].as_array().unwrap().len(), 2);
    // Its own grants, under a brand's name.
    run(&folder, &["vendor", "chain", "drift"])
        .exits(0)
        .says("Salesloft itself holds live grants: Drift");
}

#[test]
fn a_company_that_nobody_declares_is_said_to_be_that() {
    let folder = with(CHAINED);
    run(&folder, &["vendor", "chain", "Nobody"])
        .exits(0)
        .says("No live grant was seen that ends at Nobody; this was checked:")
        .says("5 entries of kept/vendors.toml")
        .says("nobody declares Nobody as a sub-processor, and it has no entry")
        .says("Not known: 1 of 5 entries list no sub-processors: Zapier");
    // Part of a name is no name.
    run(&folder, &["vendor", "chain", "Big"])
        .exits(0)
        .says("No live grant was seen that ends at Big;");
    write(&folder, "grantwarden.toml", "");
    run(&folder, &["vendor", "chain", "Nobody"])
        .exits(2)
        .complains("no vendor register is configured");
}

/// What was not seen may hold what was asked for.
#[test]
fn a_chain_in_an_incomplete_inventory_says_so() {
    let folder = with(CHAINED);
    let text = std::fs::read_to_string(folder.path().join("demo.jsonl")).unwrap();
    let lose = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if line["tenant_end"]["name"] == "northwind-okta" {
            line["tenant_end"]["failure"] = json!({ "message": "HTTP 503" });
        }
        format!("{line}\n")
    };
    write(&folder, "demo.jsonl", &text.lines().map(lose).collect::<String>());
    run(&folder, &["vendor", "chain", "Nobody"])
        .exits(3)
        .says(
            "No live grant was seen that ends at Nobody; this was checked: the grants of 6 tenants",
        )
        .says("not everything could be read there")
        .complains("The inventory is incomplete");
}

#[test]
fn list_and_show_say_what_the_register_says() {
    let folder = with(
        "[[vendor]]\nname = \"Salesloft\"\ndomains = [\"drift.example\"]\nowner = \"revops@northwind.example\"\ncontract_end = 2099-12-31\n",
    );
    run(&folder, &["vendor", "list"])
        .exits(0)
        .says("15 grants; owner revops@northwind.example, contract until 2099-12-31")
        .says("Zapier: 1 app on salesforce; 5 grants; not in the register");
    run(&folder, &["vendor", "show", "drift"])
        .exits(0)
        .says(
            "register: Salesloft, by redirect domain drift.example (likely) [kept/vendors.toml:2]",
        )
        .says("owner: revops@northwind.example purpose: not written")
        .says("declared sub-processors: not written");
    run(&folder, &["vendor", "show", "Zapier"]).exits(0).says("not in the register");
    let json = run(&folder, &["vendor", "show", "drift", "--format", "json"]).exits(0);
    let shown: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(shown[0]["register"][0]["entry"]["owner"], "revops@northwind.example");
    assert_eq!(shown[0]["register"][0]["confidence"], "likely");
}

#[test]
fn a_draft_is_a_register_and_a_second_one_lacks_nothing() {
    let folder = with("");
    write(&folder, "grantwarden.toml", "");
    run(&folder, &["vendor", "init"])
        .exits(0)
        .says("Wrote vendors.toml with")
        .says("[vendors] register = \"vendors.toml\"");
    let draft = std::fs::read_to_string(folder.path().join("vendors.toml")).unwrap();
    assert!(draft.contains("name = \"Salesloft\""), "{draft}");
    assert!(draft.contains("\"3MVG9.LAB.FAKE.Drift\""), "{draft}");
    assert!(draft.contains("# owner ="), "{draft}");
    run(&folder, &["vendor", "init"]).exits(2).complains("vendors.toml is already there");
    assert_eq!(std::fs::read_to_string(folder.path().join("vendors.toml")).unwrap(), draft);

    write(&folder, "grantwarden.toml", "[vendors]\nregister = \"vendors.toml\"\n");
    run(&folder, &["vendor", "init"]).exits(0).says("# vendors.toml lacks 0 vendors.");
    let list = run(&folder, &["vendor", "list"]).exits(0).stdout;
    assert!(!list.contains("not in the register"), "{list}");
    // Every entry is found by a key where the vendor has one, and nobody answers yet.
    let salesloft = scan(&folder, "no-owner");
    let of_salesloft =
        salesloft.iter().find(|finding| finding["subject"]["label"] == "Salesloft").unwrap();
    assert!(
        of_salesloft["message"].as_str().unwrap().contains("nobody is named who answers for it")
    );

    write(&folder, "vendors.toml", "[[vendor]]\nname = \"Salesloft\"\n");
    let missing = run(&folder, &["vendor", "init"]).exits(0).stdout;
    assert!(
        missing.contains("name = \"Zapier\"") && !missing.contains("name = \"Salesloft\""),
        "{missing}"
    );
}

/// Whatever a platform lets people call an app.
#[test]
fn hostile_names_stay_names() {
    let folder = with("");
    let text = std::fs::read_to_string(folder.path().join("demo.jsonl")).unwrap();
    let nasty = "x\"]\n[[vendor]]\nname = \"Zapier\u{1b}[2J\u{202e}'''\\";
    let changed = text.replace("\"Zapier\"", &json!(nasty).to_string());
    assert_ne!(text, changed);
    write(&folder, "demo.jsonl", &changed);
    write(&folder, "grantwarden.toml", "");
    run(&folder, &["vendor", "init"]).exits(0);
    let draft = std::fs::read_to_string(folder.path().join("vendors.toml")).unwrap();
    assert!(!draft.contains('\u{1b}') && !draft.contains('\u{202e}'), "{draft}");
    write(&folder, "grantwarden.toml", "[vendors]\nregister = \"vendors.toml\"\n");
    run(&folder, &["vendor", "init"]).exits(0).says("lacks 0 vendors");

    write(
        &folder,
        "vendors.toml",
        "[[vendor]]\nname = \"Salesloft\"\nsub_processors = [\"Evil\\u001b[2J\\u202e\"]\n",
    );
    let shown = run(&folder, &["vendor", "chain", "Evil\u{1b}[2J"]).exits(0).says("tier 2: Evil");
    assert!(!shown.stdout.contains('\u{1b}') && !shown.stdout.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn rules_judge_by_the_register() {
    let folder = with(
        "[[vendor]]\nname = \"Salesloft\"\ndomains = [\"drift.example\"]\ncontract_end = 2020-12-31\n",
    );
    let retired = scan(&folder, "retired-vendor");
    assert!(retired.iter().any(|finding| finding["severity"] == "critical"
        && finding["subject"]["app"]["name"] == "Drift"
        && finding["platform"] == "salesforce"));
    assert_eq!(retired[0]["evidence"][0]["source"], "kept/vendors.toml:2");
    // What the register says is part of the explanation, too.
    let print = retired[0]["fingerprint"].as_str().unwrap();
    run(&folder, &["explain", print])
        .exits(0)
        .says("contract end: 2020-12-31 [kept/vendors.toml:2]");
    let radius = scan(&folder, "vendor-blast-radius");
    let salesloft = radius.iter().find(|finding| finding["subject"]["id"] == "Salesloft").unwrap();
    assert_eq!(salesloft["severity"], "high");
    assert!(scan(&folder, "no-owner").iter().all(|finding| finding["subject"]["kind"] == "vendor"));
    let table = run(&folder, &["scan", "--offline"]).exits(1);
    assert!(table.stdout.contains("Salesloft with all its apps"), "{}", table.stdout);
}

#[test]
fn without_a_register_that_is_said_once_for_all_vendors() {
    let folder = with("");
    write(&folder, "grantwarden.toml", "");
    let said = scan(&folder, "no-owner");
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_eq!(
        (&said[0]["severity"], &said[0]["subject"]["kind"]),
        (&json!("info"), &json!("register"))
    );
    assert_eq!((&said[0]["platform"], &said[0]["tenant"]), (&Value::Null, &Value::Null));
    run(&folder, &["scan", "--offline"]).exits(1).says("INFO Vendor register");
    assert!(scan(&folder, "retired-vendor").is_empty());
}

/// Vendors that nothing ties may have one name; what is found about one is not taken for the other.
#[test]
fn findings_about_vendors_have_fingerprints_of_their_own() {
    let folder = with("[[vendor]]\nname = \"Nobody\"\n");
    let text = std::fs::read_to_string(folder.path().join("demo.jsonl")).unwrap();
    write(
        &folder,
        "demo.jsonl",
        &text.replace("\"Zapier\"", "\"DocuSign\"").replace("\"Gong.io\"", "\"Zapier\""),
    );
    let found = scan(&folder, "no-owner");
    let prints: std::collections::BTreeSet<&str> =
        found.iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), found.len());
}
