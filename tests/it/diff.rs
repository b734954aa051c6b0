//! `diff`: two scans of the small org, between which its administrators did something.

use grantwarden_lab::World;
use serde_json::{Value, json};

use crate::support::{Run, SMALL, SMALL_NOW, Stage};

/// When the second scan began.
const LATER: &str = "2026-02-15T12:00:00Z";

/// A stage with two inventories of the small org, `then.jsonl` and `now.jsonl`.
pub(crate) struct Two {
    pub(crate) stage: Stage,
}

impl Two {
    /// What is scanned a month later, after changes to the org.
    fn scans(change: impl FnOnce(&str) -> String) -> Self {
        let stage = Stage::small();
        let then = export(&stage);
        let later = Stage::of(World::parse(&change(SMALL)).unwrap(), Some(LATER));
        Self::new(stage, then, export(&later))
    }

    /// The same inventory a month later, edited.
    pub(crate) fn edited(change: impl FnOnce(&mut Vec<Value>)) -> Self {
        let stage = Stage::small();
        let then = export(&stage);
        let mut now = then.clone();
        change(&mut now);
        Self::new(stage, then, now)
    }

    fn new(stage: Stage, mut then: Vec<Value>, mut now: Vec<Value>) -> Self {
        then[0]["snapshot"]["taken_at"] = json!(SMALL_NOW);
        now[0]["snapshot"]["taken_at"] = json!(LATER);
        stage.write("then.jsonl", &text(then));
        stage.write("now.jsonl", &text(now));
        Self { stage }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.stage.run(&[&["diff", "then.jsonl", "now.jsonl"], arguments].concat())
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(&[&["--format", "json"], arguments].concat());
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"))
    }
}

fn export(stage: &Stage) -> Vec<Value> {
    stage.run(&["scan", "--export", "scan.jsonl", "--fail-on", "never"]).exits(0);
    lines(&stage.read("scan.jsonl"))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// As a file, with the right number at its end.
fn text(mut lines: Vec<Value>) -> String {
    let records = lines.iter().filter(|line| line.get("record").is_some()).count();
    let end = lines.len() - 1;
    lines[end] = json!({ "end": records });
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Kind, app and what it says of each change.
fn told(document: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = document["changes"].as_array().unwrap().iter();
    changes
        .map(|change| {
            (text(&change["kind"]), text(&change["app"]["name"]), text(&change["message"]))
        })
        .collect()
}

/// Adds a record to the only tenant.
fn add(lines: &mut Vec<Value>, record: &Value) {
    let end = lines.iter().position(|line| line.get("tenant_end").is_some()).unwrap();
    lines.insert(end, json!({ "tenant": "acme-crm", "record": record }));
}

pub(crate) fn app(lines: &[Value], name: &str) -> Value {
    let mut apps = lines.iter().filter_map(|line| line.pointer("/record/app"));
    apps.find(|app| app["name"] == name).unwrap().clone()
}

/// A page of grants did not come.
pub(crate) fn lose_a_page(lines: &mut Vec<Value>) {
    let mut is_first = true;
    lines.retain(|line| line.pointer("/record/grant").is_none() || !std::mem::take(&mut is_first));
    let end = lines.iter_mut().find_map(|line| line.get_mut("tenant_end")).unwrap();
    let parts = end["coverage"]["parts"].as_array_mut().unwrap();
    let grants = parts.iter_mut().find(|part| part["facet"] == "grants").unwrap();
    grants["losses"] = json!([{
        "reason": "call-failed", "facet": "grants", "detail": "a page did not come", "rows": 1,
    }]);
}

#[test]
fn nothing_changed_is_said_and_ends_with_0() {
    let two = Two::edited(|_| ());
    two.run(&[])
        .exits(0)
        .says("No changes.")
        .says("From 2026-01-15T12:00:00Z to 2026-02-15T12:00:00Z");
    two.run(&["--exit-code"]).exits(0);
    let document = two.json(&[]);
    assert_eq!(
        document["summary"],
        json!({ "changes": 0, "by_kind": {}, "hidden": 0, "complete": true })
    );
    assert_eq!(document["tenants"][0]["state"], "compared");
    // What the platform shows nobody is said, and is no loss.
    let blanks = document["not_compared"].as_array().unwrap();
    assert!(blanks.iter().any(|blank| blank["what"] == "grant.scopes"), "{blanks:#?}");
    assert!(blanks.iter().all(|blank| blank["counts"] == false && blank["side"] == "both"));
}

/// A token is revoked, an app's registration allows more, somebody leaves.
#[test]
fn what_administrators_did_is_found() {
    let two = Two::scans(|world| {
        let world = world
            .replace("  { app = \"Tidy Billing\", user = \"tidy.integration@small.example\", created = \"2026-01-15T06:00:00Z\", last_used = \"2026-01-15T11:30:00Z\", use_count = 12 },\n", "")
            .replacen("scopes = [\"Api\", \"Web\", \"RefreshToken\"]", "scopes = [\"Api\", \"Web\", \"RefreshToken\", \"Full\"]", 1)
            .replace("profile = \"Standard User\", created = \"2023-05-05\"", "profile = \"Standard User\", active = false, created = \"2023-05-05\"")
            .replace("callback_url = \"https://app.drift.example/", "callback_url = \"https://evil.example/");
        assert_ne!(world, SMALL);
        world
    });
    let document = two.json(&[]);
    let told = told(&document);
    let find = |kind: &str, app: &str| {
        let mut found = told.iter().filter(|(other, name, _)| other == kind && name == app);
        found.next().unwrap_or_else(|| panic!("no {kind} of {app} in {told:#?}")).2.clone()
    };
    assert!(find("widened", "Drift").ends_with("allows more scopes: full."), "{told:#?}");
    assert!(
        find("redirects-changed", "Drift").contains("with evil.example, without app.drift.example")
    );
    assert!(
        find("owner-left", "My Ticket Portal")
            .starts_with("sam.sales@small.example, behind a grant of")
    );
    assert!(find("grant-gone", "Tidy Billing").contains("scopes that are not visible"));
    let apps: Vec<&str> = told.iter().map(|(_, app, _)| app.as_str()).collect();
    assert!(apps.is_sorted(), "{apps:?}");
    two.run(&["--exit-code"]).exits(1).says("redirect domains changed: ");
    assert_eq!(two.json(&[]), document, "the same every time");
}

#[test]
fn a_rotation_is_told_from_an_addition() {
    let credential = |app: &Value, id: &str, made: &str| {
        json!({ "credential": {
            "id": id, "app": app["id"], "kind": "certificate", "name": "absent",
            "created_at": { "known": made }, "expires_at": "absent", "last_used_at": "absent",
        } })
    };
    let two = Two::edited(|lines| {
        let drift = app(lines, "Drift");
        add(lines, &credential(&drift, "thumbprint-new", "2026-02-01T00:00:00Z"));
    });
    assert_eq!(told(&two.json(&[]))[0].0, "credential-added");
    // The older one had another.
    let mut then = lines(&two.stage.read("then.jsonl"));
    let drift = app(&then, "Drift");
    add(&mut then, &credential(&drift, "thumbprint-old", "2025-02-01T00:00:00Z"));
    two.stage.write("then.jsonl", &text(then));
    let document = two.json(&[]);
    let change = &document["changes"][0];
    assert_eq!(
        (&change["kind"], &change["subject"]["id"]),
        (&json!("credential-rotated"), &json!("thumbprint-new"))
    );
    assert!(change["before"].as_str().unwrap().contains("thumbprint-old"));
}

/// A scan that lost a page has fewer grants: they are not gone.
#[test]
fn what_was_not_seen_is_not_gone_and_ends_with_3() {
    let two = Two::edited(lose_a_page);
    let run = two.run(&[]).exits(3);
    run.says("No changes.")
        .says("MISSING: acme-crm: part:")
        .says("(1 record): not seen in the newer snapshot: a page did not come");
    two.run(&["--exit-code"]).exits(3);
    let document = two.json(&[]);
    assert_eq!(document["summary"]["complete"], false);
    assert_eq!(document["changes"], json!([]));
}

/// Every format says the change, and no name of the platform's gets out of its place.
#[test]
fn every_format_is_written_and_hostile_names_are_inert() {
    let hostile =
        "=cmd|'/c calc'!A1 @admin </details><script>alert(1)</script> \u{1b}[2J\u{202e} | x";
    let two = Two::edited(|lines| {
        let mut drift = app(lines, "Drift");
        (drift["id"], drift["name"]) = (json!("HOSTILE"), json!(hostile));
        lines.insert(2, json!({ "tenant": "acme-crm", "record": { "app": drift } }));
    });
    let files = ["d.json", "d.jsonl", "d.ndjson", "d.csv", "d.md", "d.txt"];
    let arguments: Vec<&str> = files.iter().flat_map(|file| ["--output", file]).collect();
    two.run(&arguments).exits(0);
    for file in files {
        let text = two.stage.read(file);
        assert!(text.contains("is new"), "{file}: {text}");
        // JSON changes nothing else than control characters.
        let is_json = file.contains("json");
        assert!(!text.contains('\u{1b}') && (is_json || !text.contains('\u{202e}')), "{file}");
    }
    let document: Value = serde_json::from_str(&two.stage.read("d.json")).unwrap();
    assert_eq!(document["changes"][0]["app"]["name"], hostile);
    let lines = lines(&two.stage.read("d.jsonl"));
    let types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(
        (types[0], types[lines.len() - 2], types[lines.len() - 1]),
        ("comparison", "change", "summary")
    );
    assert_eq!(lines[lines.len() - 1]["lines"], json!(lines.len()));
    let csv = two.stage.read("d.csv");
    assert!(csv.contains("\"'=cmd|'/c calc'!A1"), "{csv}");
    let markdown = two.stage.read("d.md");
    assert!(
        !markdown.contains("<script>")
            && !markdown.contains("@admin")
            && !markdown.contains("</details>"),
        "{markdown}"
    );
    for format in ["prometheus", "yaml"] {
        two.run(&["--format", format]).exits(2).complains(
            "possible values: table, json, jsonl, csv, markdown, sarif, junit, ocsf, html",
        );
    }
    two.run(&["--output", "d.xls"])
        .exits(2)
        .complains("the ending does not tell a format")
        .complains(".jsonl");
}

#[test]
fn the_document_keeps_its_schema() {
    let two = Two::edited(|lines| {
        let drift = app(lines, "Drift");
        lines.retain(|line| line.pointer("/record/grant/app") != Some(&drift["id"]));
    });
    let schema: Value =
        serde_json::from_str(&two.stage.run(&["schema", "diff"]).exits(0).stdout).unwrap();
    let document = two.json(&[]);
    assert!(document["summary"]["changes"].as_u64().unwrap() > 0);
    for (of, value) in [
        (&schema["properties"], &document),
        (&schema["$defs"]["Change"]["properties"], &document["changes"][0]),
        (&schema["$defs"]["TenantDiff"]["properties"], &document["tenants"][0]),
        (&schema["$defs"]["NotCompared"]["properties"], &document["not_compared"][0]),
    ] {
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let (mut named, mut written) = (keys(of), keys(value));
        named.sort();
        written.sort();
        assert_eq!(named, written);
    }
}

#[test]
fn wrong_usage_says_what_to_do() {
    let two = Two::edited(|_| ());
    let diff = |arguments: &[&str]| two.stage.run(&[&["diff"], arguments].concat()).exits(2);
    diff(&["now.jsonl", "then.jsonl"]).complains("name the older snapshot first");
    diff(&["then.jsonl", "nowhere.jsonl"])
        .complains("name an inventory file, or a scan of the store")
        .complains("nowhere.jsonl");
    diff(&["then.jsonl", "now.jsonl", "--tenant", "acme"]).complains("there is acme-crm");
    let whole = two.stage.read("now.jsonl");
    let cut: String = whole.lines().take(5).map(|line| format!("{line}\n")).collect();
    two.stage.write("cut.jsonl", &cut);
    diff(&["then.jsonl", "cut.jsonl"]).complains("cut.jsonl:5: the file ends too early");
    two.stage.write("broken.jsonl", &whole.replacen("\"granted_at\"", "\"granted_ad\"", 1));
    diff(&["then.jsonl", "broken.jsonl"]).complains("broken.jsonl:").complains("column");
    diff(&["then.jsonl"]).complains("this command needs a store");
}

/// Of thousands of changes a person is told the first ones, and how many there are.
#[test]
fn a_long_list_is_shortened_for_people_and_streamed_for_programs() {
    let two = Two::edited(|lines| {
        let grant = lines.iter().find_map(|line| line.pointer("/record/grant")).unwrap().clone();
        for number in 0..3_000 {
            let mut grant = grant.clone();
            grant["id"] = json!(format!("new-{number:04}"));
            grant["holder"] = json!("tenant");
            grant["kind"] = json!("api-token");
            add(lines, &json!({ "grant": grant }));
        }
    });
    let table = two.run(&[]).exits(0);
    table.says("and 2990 more").says("3000 changes: 3000 grant new.");
    let markdown = two.run(&["--format", "markdown"]).exits(0).stdout;
    assert!(
        markdown.len() < 65_536 && markdown.contains("do not fit into a comment"),
        "{}",
        markdown.len()
    );
    assert_eq!(two.json(&[])["changes"].as_array().unwrap().len(), 3_000);
}

/// `| head`, in the midst of the rows: nothing is complained about.
#[test]
fn a_reader_of_rows_that_goes_away_changes_nothing() {
    let stage = Stage::of_size(300);
    let now = export(&stage);
    let mut then = now.clone();
    then.retain(|line| line["record"]["grant"].is_null());
    let records = then.iter().filter(|line| !line["record"].is_null()).count();
    then.last_mut().unwrap()["end"] = json!(records);
    let two = Two::new(stage, then, now);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut diff = two.stage.command();
    let run =
        Run::of(diff.args(["diff", "then.jsonl", "now.jsonl", "--format", "csv"]).stdout(writer));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}
