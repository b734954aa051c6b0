//! Every format on the same worlds: what it looks like, that a reader of the format can read it, that nothing in it looks complete without
//! being so, and that names from outside stay names.

use std::{collections::BTreeSet, fs};

use grantwarden_lab::{Fault, World};
use quick_xml::{Reader, XmlVersion, events::Event};
use serde_json::Value;

use crate::support::{DEMO, Run, SMALL_NOW, Stage, findings, forbidden};

/// One file of each format, with the ending that stands for it.
const FILES: [&str; 8] =
    ["r.json", "r.jsonl", "r.csv", "r.md", "r.sarif", "r.xml", "r.ocsf.jsonl", "r.txt"];

/// Scans once and writes every format.
fn written(stage: &Stage, arguments: &[&str], code: i32) {
    let outputs = FILES.iter().flat_map(|file| ["--output", file]);
    let scan = ["scan", "--now", SMALL_NOW].into_iter().chain(outputs);
    stage.run(&scan.chain(arguments.iter().copied()).collect::<Vec<_>>()).exits(code);
}

fn json(stage: &Stage, file: &str) -> Value {
    serde_json::from_str(&stage.read(file)).unwrap()
}

fn json_lines(stage: &Stage, file: &str) -> Vec<Value> {
    stage.read(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn rows(stage: &Stage) -> Vec<Vec<String>> {
    let text = stage.read("r.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let texts = |row: csv::StringRecord| row.iter().map(ToOwned::to_owned).collect();
    reader.records().map(|row| texts(row.unwrap())).collect()
}

/// An element of a `junit` report by name, with its attributes.
pub(crate) type Element = (String, Vec<(String, String)>);

fn elements(stage: &Stage) -> Vec<Element> {
    xml_elements(&stage.read("r.xml"))
}

/// What stands in a `junit` report.
pub(crate) fn xml_elements(text: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(text);
    let mut all = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                    (key, attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned())
                });
                all.push((name.clone(), attributes.collect()));
            }
            Event::Text(text) => drop(text.decode().unwrap()),
            Event::Eof => return all,
            _ => {}
        }
    }
}

pub(crate) fn count(elements: &[Element], name: &str) -> usize {
    elements.iter().filter(|(other, _)| other == name).count()
}

fn sum(elements: &[Element], element: &str, key: &str) -> usize {
    let of_element = elements.iter().filter(|(name, _)| name == element);
    let values = of_element.flat_map(|(_, attributes)| attributes).filter(|(name, _)| name == key);
    values.map(|(_, value)| value.parse::<usize>().unwrap()).sum()
}

/// The heads of a `junit` report count what is there.
pub(crate) fn heads_count(elements: &[Element]) {
    assert_eq!(elements[0].0, "testsuites");
    for (key, element) in [
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ] {
        let there = count(elements, element);
        assert_eq!(
            (sum(elements, "testsuites", key), sum(elements, "testsuite", key)),
            (there, there),
            "{key}"
        );
    }
}

#[test]
fn each_format_looks_the_same_every_time() {
    let stage = Stage::small();
    written(&stage, &[], 1);
    insta::with_settings!({ filters => [
        (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?", "[time]"),
        (r"since \d{4}-\d{2}-\d{2}", "since [date]"),
        (r"\b\d{13}\b", "[milliseconds]"),
    ] }, {
        insta::assert_snapshot!("markdown", stage.read("r.md"));
        insta::assert_snapshot!("csv", stage.read("r.csv").replace("\r\n", "\n"));
        insta::assert_snapshot!("junit", stage.read("r.xml"));
        let lines = json_lines(&stage, "r.jsonl");
        insta::assert_json_snapshot!("jsonl", [&lines[0], &lines[1], &lines[lines.len() - 1]]);
        let events = json_lines(&stage, "r.ocsf.jsonl");
        insta::assert_json_snapshot!("ocsf", [&events[0], &events[events.len() - 1]]);
        let mut sarif = json(&stage, "r.sarif");
        for list in ["/runs/0/tool/driver/rules", "/runs/0/results"] {
            sarif.pointer_mut(list).unwrap().as_array_mut().unwrap().truncate(2);
        }
        insta::assert_json_snapshot!("sarif", sarif);
    });
}

#[test]
fn all_formats_tell_of_the_same_findings() {
    let stage = Stage::small();
    written(&stage, &[], 1);
    let report = json(&stage, "r.json");
    let of_json = |report: &Value| -> Vec<String> {
        let all = report["findings"].as_array().unwrap().iter();
        all.map(|finding| finding["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let all = of_json(&report);
    assert!(all.len() > 5);
    let lines = json_lines(&stage, "r.jsonl");
    assert_eq!((&lines[0]["type"], lines[0]["complete"].as_bool()), (&"scan".into(), Some(true)));
    let last = &lines[lines.len() - 1];
    assert_eq!(
        (&last["type"], last["lines"].as_u64()),
        (&"summary".into(), Some(all.len() as u64))
    );
    let findings: Value = lines[1..lines.len() - 1].to_vec().into();
    assert_eq!(of_json(&serde_json::json!({ "findings": findings })), all);
    let rows = rows(&stage);
    let of_rows = rows.iter().filter(|row| row[0] == "finding").map(|row| row[20].clone());
    assert_eq!(of_rows.collect::<Vec<_>>(), all);
    assert_eq!(rows.len(), all.len() + 1, "and a row for the tenant");
    let events = json_lines(&stage, "r.ocsf.jsonl");
    let of_events = events.iter().filter(|event| event["class_uid"] == 2004);
    let of_events =
        of_events.map(|event| event["finding_info"]["uid"].as_str().unwrap().to_owned());
    assert_eq!(of_events.collect::<Vec<_>>(), all);
    let run = &json(&stage, "r.sarif")["runs"][0];
    let results = run["results"].as_array().unwrap();
    let hash = |result: &Value| {
        result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned()
    };
    assert_eq!(results.iter().map(hash).collect::<Vec<_>>(), all);
    let elements = elements(&stage);
    assert_eq!(count(&elements, "testcase"), all.len() + 2, "and whether all was read");
    let at_least_high = report["summary"]["active"]["critical"].as_u64().unwrap()
        + report["summary"]["active"]["high"].as_u64().unwrap();
    assert_eq!(count(&elements, "failure") as u64, at_least_high);
}

/// What code scanning needs to show a result, and what section 3.27 of the form wants to hold together.
#[test]
fn sarif_points_at_the_tenant_in_the_configuration() {
    let stage = Stage::small();
    written(&stage, &[], 1);
    let text = stage.read("grantwarden.toml");
    let line = text.lines().position(|line| line == "name = \"acme-crm\"").unwrap() + 1;
    let sarif = json(&stage, "r.sarif");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let mut pointed = 0;
    for result in run["results"].as_array().unwrap() {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(result["suppressions"], serde_json::json!([]));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "grantwarden.toml");
        assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        if result["properties"]["tenant"] == "acme-crm" {
            assert_eq!(place["region"]["startLine"], line);
            assert_eq!(place["region"]["startColumn"], 8);
            assert_eq!(place["region"]["endColumn"], 18);
            pointed += 1;
        }
    }
    assert!(pointed > 5);
    for rule in rules {
        for (text, most) in
            [("shortDescription", 1_024), ("fullDescription", 1_024), ("help", 100_000)]
        {
            let length = rule[text]["text"].as_str().unwrap().chars().count();
            assert!((1..=most).contains(&length), "{text} of {}", rule["id"]);
        }
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    // A scan that the store remembers points there as well.
    stage.run(&["scan", "--store", "scans.db"]).exits(1);
    stage.run(&["report", "--store", "scans.db", "--output", "again.sarif"]).exits(1);
    let place =
        &json(&stage, "again.sarif")["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "grantwarden.toml");
    // Without a configuration it is the inventory that a reader can look at.
    stage.run(&["scan", "--export", "inventory.jsonl"]).exits(1);
    fs::remove_file(stage.path("grantwarden.toml")).unwrap();
    written(&stage, &["--offline", "--inventory", "inventory.jsonl"], 1);
    let place =
        &json(&stage, "r.sarif")["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "inventory.jsonl");
}

#[test]
fn what_the_policy_accepts_is_there_and_does_not_count() {
    let stage = Stage::small();
    stage.run(&["scan", "--write-baseline", "baseline.json", "--now", SMALL_NOW]).exits(1);
    written(&stage, &["--baseline", "baseline.json"], 0);
    let run = &json(&stage, "r.sarif")["runs"][0];
    let results = run["results"].as_array().unwrap();
    let is_accepted = |result: &&Value| {
        result["suppressions"][0]["kind"] == "external"
            && result["suppressions"][0]["status"] == "accepted"
            && result["suppressions"][0]["justification"] == "accepted by the baseline"
    };
    assert_eq!(results.iter().filter(is_accepted).count(), results.len());
    let elements = elements(&stage);
    assert_eq!((count(&elements, "failure"), count(&elements, "skipped")), (0, results.len()));
    let events = json_lines(&stage, "r.ocsf.jsonl");
    let findings = || events.iter().filter(|event| event["class_uid"] == 2004);
    assert!(findings().all(|event| event["status_id"] == 3 && event["is_alert"] == false));
    assert!(rows(&stage).iter().filter(|row| row[0] == "finding").all(|row| row[7] == "baseline"));
    let page = stage.read("r.md");
    assert!(page.contains(&format!("{} in the baseline", results.len())), "{page}");
    assert!(page.contains("No findings that count."), "{page}");
}

/// A scan that did not see all must not look as if it had, in any format.
#[test]
fn an_incomplete_scan_is_seen_in_every_format() {
    let stage = Stage::small();
    stage.inject(Fault::new(forbidden()).on_text("FROM PermissionSetAssignment"));
    written(&stage, &["--fail-on", "never"], 3);
    is_incomplete(&stage, "insufficient access rights");
    let elements = elements(&stage);
    assert_eq!(count(&elements, "error"), 1);
    let hash = |sarif: &Value| {
        let first = &sarif["runs"][0]["results"][0];
        first["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned()
    };
    let before = hash(&json(&stage, "r.sarif"));
    written(&stage, &["--fail-on", "never", "--allow-incomplete"], 0);
    let sarif = json(&stage, "r.sarif");
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert_eq!(sarif["runs"][0]["results"][0]["suppressions"][0]["status"], "accepted");
    assert_eq!(hash(&sarif), before, "the same alert");
}

/// A tenant of which nothing was read has no findings: that must not look clean.
#[test]
fn a_tenant_that_was_not_scanned_is_seen_in_every_format() {
    let stage = Stage::small();
    let broken = stage.config("broken").replace(stage.org().base_url(), "http://127.0.0.1:1");
    stage.write("grantwarden.toml", &broken);
    written(&stage, &[], 3);
    is_incomplete(&stage, "no connection to");
    assert!(stage.read("r.md").contains("**not scanned**"));
}

fn is_incomplete(stage: &Stage, why: &str) {
    let lines = json_lines(stage, "r.jsonl");
    assert_eq!(
        (&lines[0]["complete"], &lines[lines.len() - 1]["complete"]),
        (&false.into(), &false.into())
    );
    let rows = rows(stage);
    let tenant = rows.iter().find(|row| row[0] == "tenant").unwrap();
    assert!(tenant[15].starts_with("incomplete: ") && tenant[15].contains(why), "{tenant:?}");
    assert_eq!(tenant[21], "false");
    let page = stage.read("r.md");
    assert!(page.lines().next().unwrap().contains("the scan is incomplete"), "{page}");
    assert!(page.contains("**The scan is incomplete.**") && page.contains(why), "{page}");
    let invocation = &json(stage, "r.sarif")["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    is_a_result(&json(stage, "r.sarif")["runs"][0], stage, why);
    let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert!(notifications.iter().any(|one| {
        one["level"] == "error"
            && one["descriptor"]["id"] == "incomplete"
            && one["message"]["text"].as_str().unwrap().contains(why)
    }));
    let elements = elements(stage);
    let error = elements.iter().find(|(name, _)| name == "error").unwrap();
    assert!(
        error.1.iter().any(|(key, value)| key == "message" && value.contains(why)),
        "{error:?}"
    );
    let events = json_lines(stage, "r.ocsf.jsonl");
    let scan = events.iter().find(|event| event["class_uid"] == 6007).unwrap();
    assert_eq!((&scan["activity_id"], &scan["status_id"]), (&6.into(), &2.into()));
    assert!(scan["status_detail"].as_str().unwrap().contains(why), "{scan}");
}

/// Code scanning shows no notifications.
fn is_a_result(run: &Value, stage: &Stage, why: &str) {
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"incomplete-scan".into(), &"error".into()));
    assert!(result["message"]["text"].as_str().unwrap().contains(why), "{result}");
    let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    let rule = &run["tool"]["driver"]["rules"][rule];
    assert_eq!(rule["id"], "incomplete-scan");
    assert_eq!(rule["properties"]["security-severity"], "8.0");
    let config = stage.read("grantwarden.toml");
    let line = config.lines().position(|line| line.starts_with("name = ")).unwrap() + 1;
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "grantwarden.toml");
    assert_eq!(place["region"]["startLine"], line);
}

/// A tenant's losses must not hide that something else is missing.
#[test]
fn what_is_beyond_the_tenants_is_said_of_an_incomplete_tenant_too() {
    let stage = Stage::small();
    let rule = "\n[[policy.custom]]\nid = \"own-rule\"\ntitle = \"Own\"\nseverity = \"low\"\nwhy = \"Because.\"\nfix = [\"Do it.\"]\nwhen = '1 / ((size(app.name) - 5) * (size(app.name) - 11) * (size(app.name) - 16)) > 99'\nmessage = 'm'\n";
    stage.write("grantwarden.toml", &(stage.config("acme-crm") + rule));
    stage.inject(Fault::new(forbidden()).on_text("FROM PermissionSetAssignment"));
    written(&stage, &["--fail-on", "never", "--output", "r.html"], 3);
    is_incomplete(&stage, "insufficient access rights");
    let says = " custom rule of the policy could not be asked about every record";
    for file in FILES.iter().chain(&["r.html"]) {
        let text = stage.read(file).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(says), "{file}: {text}");
    }
    let results = json(&stage, "r.sarif")["runs"][0]["results"].clone();
    let gaps = results.as_array().unwrap().iter();
    let gaps = gaps.filter(|result| result["ruleId"] == "incomplete-scan");
    let hashes =
        gaps.map(|result| result["partialFingerprints"]["primaryLocationLineHash"].to_string());
    assert_eq!(hashes.collect::<BTreeSet<_>>().len(), 2);
    let events = json_lines(&stage, "r.ocsf.jsonl");
    let failed =
        events.iter().filter(|event| event["class_uid"] == 6007 && event["status_id"] == 2);
    assert_eq!(failed.count(), 2);
    assert_eq!(count(&elements(&stage), "error"), 2);
}

/// A tenant may have any name.
#[test]
fn no_suite_of_junit_has_the_name_of_a_tenant() {
    let stage = Stage::small();
    stage.write("grantwarden.toml", &stage.config("vendors"));
    written(&stage, &[], 1);
    let elements = elements(&stage);
    let suites = elements.iter().filter(|(name, _)| name == "testsuite");
    let names: Vec<&str> = suites.map(|(_, attributes)| attributes[0].1.as_str()).collect();
    assert_eq!(names, ["vendors", "vendors of all tenants", "policy"]);
}

/// Readers of `junit` check that the heads count what is there.
#[test]
fn junit_counts_what_is_there() {
    let stage = Stage::demo();
    written(&stage, &[], 1);
    let elements = elements(&stage);
    heads_count(&elements);
    let suites = elements.iter().filter(|(name, _)| name == "testsuite");
    let names: Vec<&str> = suites.map(|(_, attributes)| attributes[0].1.as_str()).collect();
    assert_eq!(names, ["acme-crm", "vendors", "policy"]);
}

/// Attributes that the definitions of OCSF 1.9.0 have for the two classes, as far as they are used, and those that they require.
#[test]
fn ocsf_has_what_its_classes_require_and_nothing_else() {
    let stage = Stage::demo();
    written(&stage, &[], 1);
    let required =
        ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];
    let base: BTreeSet<&str> = required
        .into_iter()
        .chain([
            "activity_name",
            "category_name",
            "class_name",
            "message",
            "severity",
            "status",
            "status_detail",
            "status_id",
            "type_name",
        ])
        .collect();
    let finding = [
        "confidence",
        "confidence_id",
        "evidences",
        "finding_info",
        "is_alert",
        "remediation",
        "resources",
    ];
    let scan = ["end_time", "num_detections", "scan", "start_time", "total"];
    let mut classes = BTreeSet::new();
    for event in json_lines(&stage, "r.ocsf.jsonl") {
        let class = event["class_uid"].as_u64().unwrap();
        classes.insert(class);
        let (own, needed): (&[&str], &str) = match class {
            2004 => (&finding, "finding_info"),
            6007 => (&scan, "scan"),
            other => panic!("class {other}"),
        };
        for name in required.iter().chain([&needed]) {
            assert!(!event[name].is_null(), "{name} of {event}");
        }
        for name in event.as_object().unwrap().keys() {
            assert!(
                base.contains(name.as_str()) || own.contains(&name.as_str()),
                "{name} of {event}"
            );
        }
        assert_eq!(event["type_uid"], class * 100 + event["activity_id"].as_u64().unwrap());
        assert_eq!(event["category_uid"], class / 1_000);
        assert!((1..=5).contains(&event["severity_id"].as_u64().unwrap()));
        // Milliseconds: 2020 to 2100.
        assert!((1_577_836_800_000..4_102_444_800_000).contains(&event["time"].as_i64().unwrap()));
        assert!(!event["metadata"]["product"]["name"].is_null());
        assert_eq!(event["metadata"]["version"], "1.9.0");
    }
    assert_eq!(classes, BTreeSet::from([2004, 6007]));
}

/// Names that mean something to the reader of a format.
#[test]
fn hostile_names_stay_names_in_every_format() {
    let name = "=cmd|' /C calc'!A0 @octocat #1 ](http://evil.example) www.evil.example <img src=x onerror=alert(1)> </script>]]>\u{fffe}\u{1b}[2J\u{7}\u{9b}31m\u{202e}\u{2066}\u{200f}";
    let stage = hostile(name);
    written(&stage, &["--export", "inventory.jsonl"], 1);
    let steers = |c: char| {
        let turns = matches!(c, '\u{200f}' | '\u{202e}' | '\u{2066}');
        turns || c.is_control() && c != '\n' && c != '\r'
    };
    for file in FILES.iter().chain(&["inventory.jsonl"]) {
        let text = stage.read(file);
        assert!(text.contains("octocat"), "{file}");
        assert!(!text.contains(steers), "{file}");
    }
    let report = json(&stage, "r.json");
    assert!(!findings(&report, "drift-pattern", name).is_empty(), "the same name to a reader");
    let page = stage.read("r.md");
    for harm in ["@octocat", "#1 ", "](http", "://evil", "www.evil", "<img", "</script"] {
        assert!(!page.contains(harm), "{harm}");
    }
    let rows = rows(&stage);
    let apps: Vec<&str> =
        rows.iter().map(|row| row[13].as_str()).filter(|app| app.contains("octocat")).collect();
    assert!(!apps.is_empty() && apps.iter().all(|app| app.starts_with("'=cmd")), "{apps:?}");
    for result in json(&stage, "r.sarif")["runs"][0]["results"].as_array().unwrap() {
        assert!(!result["message"]["text"].as_str().unwrap().contains("](http"));
    }
    let elements = elements(&stage);
    assert!(
        elements.iter().any(|(_, attributes)| attributes
            .iter()
            .any(|(_, value)| value.contains("<img src=x")))
    );
    assert!(!stage.read("r.xml").contains('\u{fffe}'));
}

/// However long names are, a comment takes the page, and what has no room is said.
#[test]
fn markdown_fits_a_comment_and_says_what_it_leaves_out() {
    let stage = Stage::company();
    written(&stage, &[], 1);
    let page = stage.read("r.md");
    assert!(page.chars().count() <= 65_536 && page.len() > 50_000, "{}", page.len());
    assert!(page.contains("do not fit into a comment and are left out"), "{page}");
    assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
    assert!(page.trim_end().ends_with("says more about a rule."));
}

/// `| head`: the verdict stays what it is, and nothing is complained about. The demo's reports are longer than a pipe holds.
#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let stage = Stage::demo();
    stage.run(&["scan", "--export", "inventory.jsonl"]).exits(1);
    let program = assert_cmd::cargo::cargo_bin!("grantwarden");
    for format in ["json", "jsonl", "csv", "sarif", "junit", "ocsf"] {
        let scan = format!("scan --offline --inventory inventory.jsonl --format {format}");
        let script =
            format!("'{}' {scan} | head -c 10; echo \" ${{PIPESTATUS[0]}}\"", program.display());
        let mut bash = std::process::Command::new("bash");
        let run = Run::of(bash.arg("-c").arg(script).current_dir(stage.path("")));
        assert_eq!(run.stderr, "", "{format}");
        assert!(run.stdout.ends_with(" 1\n"), "{format}: {}", run.stdout);
    }
}

#[test]
fn a_command_that_reports_no_findings_refuses_their_formats() {
    let stage = Stage::small();
    for command in ["doctor", "vendor list", "advisory list", "policy fields", "store list"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--format", "sarif"]).collect();
        stage
            .run(&arguments)
            .exits(2)
            .complains("invalid value 'sarif' for '--format <FORMAT>'")
            .complains("possible values: table, json");
    }
    stage
        .run(&["scan", "--output", "report.html5"])
        .exits(2)
        .complains(".sarif (sarif)")
        .complains(".ocsf.jsonl (ocsf)");
}

fn hostile(name: &str) -> Stage {
    let quoted = Value::from(name).to_string();
    let text = DEMO.replace("\"Drift\"", &quoted);
    assert_ne!(text, DEMO);
    Stage::of(World::parse(&text).unwrap(), None)
}
