//! `diff` for code scanning, CI servers, SIEMs and browsers: that a reader of the format can read it, that nothing in it looks compared
//! without being so, and that names from outside stay names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    diff::{Two, app, lose_a_page},
    formats::{count, heads_count, xml_elements},
    support::Run,
};

/// One file of each format, with the ending that stands for it.
const FILES: [&str; 7] =
    ["d.sarif", "d.sarif.json", "d.xml", "d.junit.xml", "d.ocsf.jsonl", "d.ocsf.ndjson", "d.html"];

/// A name as somebody might give an app who wants to harm the reader of a report.
const HOSTILE: &str = "=cmd|'/c calc'!A1 @octocat ](http://evil.example) </script><!--<img src=x onerror=alert(1)> ]]>\u{fffe}\u{1b}[2J\u{7}\u{202e}\"&amp;";

/// Compares and writes every format.
fn written(two: &Two, arguments: &[&str], code: i32) {
    let outputs = FILES.iter().flat_map(|file| ["--output", file]);
    two.run(&outputs.chain(arguments.iter().copied()).collect::<Vec<_>>()).exits(code);
}

/// A hostile app is new, the app Drift is gone with its grants.
fn hostile() -> Two {
    Two::edited(|lines| {
        let drift = app(lines, "Drift");
        let of_drift = |line: &Value, pointer: &str| line.pointer(pointer) == Some(&drift["id"]);
        lines.retain(|line| {
            !of_drift(line, "/record/app/id") && !of_drift(line, "/record/grant/app")
        });
        let mut hostile = drift.clone();
        (hostile["id"], hostile["name"]) = (json!("HOSTILE"), json!(HOSTILE));
        lines.insert(2, json!({ "tenant": "acme-crm", "record": { "app": hostile } }));
    })
}

/// So many new grants, and one that is gone.
fn many(number: usize) -> Two {
    Two::edited(|lines| {
        let mut grant =
            lines.iter().find_map(|line| line.pointer("/record/grant")).unwrap().clone();
        (grant["holder"], grant["kind"]) = (json!("tenant"), json!("api-token"));
        let end = lines.iter().position(|line| line.get("tenant_end").is_some()).unwrap();
        let new = (0..number).map(|nth| {
            grant["id"] = json!(format!("new-{nth:05}"));
            json!({ "tenant": "acme-crm", "record": { "grant": grant } })
        });
        let new: Vec<Value> = new.collect();
        lines.splice(end..end, new);
        let first = lines.iter().position(|line| line.pointer("/record/grant").is_some()).unwrap();
        lines.remove(first);
    })
}

fn run_of(two: &Two) -> Value {
    let mut sarif: Value = serde_json::from_str(&two.stage.read("d.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    sarif["runs"][0].take()
}

fn events(two: &Two) -> Vec<Value> {
    let text = two.stage.read("d.ocsf.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn all_formats_tell_of_the_same_changes() {
    let two = hostile();
    written(&two, &[], 0);
    let document = two.json(&[]);
    let changes = document["changes"].as_array().unwrap();
    assert!(changes.len() > 3, "{}", changes.len());
    let kinds: Vec<&Value> = changes.iter().map(|change| &change["kind"]).collect();
    let (sarif, events) = (run_of(&two), events(&two));
    let results = sarif["results"].as_array().unwrap();
    assert_eq!(results.iter().map(|one| &one["ruleId"]).collect::<Vec<_>>(), kinds);
    let events: Vec<&Value> = events.iter().filter(|event| event["class_uid"] == 3004).collect();
    let codes: Vec<&Value> = events.iter().map(|event| &event["metadata"]["event_code"]).collect();
    assert_eq!(codes, kinds);
    for ((change, result), event) in changes.iter().zip(results).zip(events) {
        assert_eq!((&result["properties"], &event["entity"]["data"]), (change, change));
    }
    let elements = xml_elements(&two.stage.read("d.xml"));
    assert_eq!(count(&elements, "testcase"), changes.len() + 1, "and whether all was compared");
    let page = two.stage.read("d.html");
    let table = page.split("<section id=\"changes\"").nth(1).unwrap();
    assert_eq!(table.matches("<tr><td>").count(), changes.len());
    for (file, other) in [("d.sarif", "d.sarif.json"), ("d.xml", "d.junit.xml")] {
        assert_eq!(two.stage.read(file), two.stage.read(other));
    }
    let before = FILES.map(|file| two.stage.read(file));
    written(&two, &["--exit-code"], 1);
    assert!(before == FILES.map(|file| two.stage.read(file)), "the same every time");
}

/// What code scanning needs to show a result, and what must hold together.
#[test]
fn sarif_has_kinds_as_rules_and_fingerprints_that_stay() {
    let two = hostile();
    written(&two, &[], 0);
    let run = run_of(&two);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let mut levels = BTreeSet::new();
    let hash = |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].clone();
    for result in run["results"].as_array().unwrap() {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
        let level =
            if result["ruleId"].as_str().unwrap().ends_with("-new") { "warning" } else { "note" };
        assert_eq!(result["level"], level);
        levels.insert(level);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "now.jsonl");
        assert_eq!(hash(result).as_str().unwrap().len(), 32);
    }
    assert_eq!(levels.len(), 2);
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
    }
    let hashes = |run: &Value| -> Vec<Value> {
        run["results"].as_array().unwrap().iter().map(hash).collect()
    };
    let all = hashes(&run);
    let distinct: BTreeSet<&str> = all.iter().map(|hash| hash.as_str().unwrap()).collect();
    assert_eq!(distinct.len(), all.len());
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    // Another day, and another name for the tenant.
    let later = two.stage.read("now.jsonl").replace("2026-02-15", "2026-02-16");
    for (file, text) in [("now.jsonl", later), ("then.jsonl", two.stage.read("then.jsonl"))] {
        two.stage.write(file, &text.replace("\"acme-crm\"", "\"crm\""));
    }
    written(&two, &[], 0);
    let again = run_of(&two);
    assert_eq!(again["results"][0]["properties"]["tenant"], "crm");
    assert_eq!(hashes(&again), all);
}

/// Readers of `junit` check that the heads count what is there.
#[test]
fn junit_fails_what_may_give_access_and_counts_what_is_there() {
    let two = hostile();
    written(&two, &[], 0);
    let elements = xml_elements(&two.stage.read("d.xml"));
    heads_count(&elements);
    let document = two.json(&[]);
    assert_eq!(json!(count(&elements, "failure")), document["summary"]["by_kind"]["app-new"]);
    assert_eq!(count(&elements, "error"), 0);
}

/// Attributes that OCSF has for the two classes, as far as they are used, and those that it requires.
#[test]
fn ocsf_has_what_its_classes_require_and_nothing_else() {
    let two = hostile();
    written(&two, &[], 0);
    let required =
        ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];
    let names = [
        "activity_name",
        "category_name",
        "class_name",
        "end_time",
        "message",
        "severity",
        "start_time",
        "type_name",
    ];
    let mut seen = BTreeSet::new();
    for event in events(&two) {
        let (class, activity) =
            (event["class_uid"].as_u64().unwrap(), event["activity_id"].as_u64().unwrap());
        seen.insert((class, activity));
        let (own, needed): (&[&str], &str) = match class {
            3004 => (&["entity"], "entity"),
            6007 => (&["num_detections", "scan", "status", "status_detail", "status_id"], "scan"),
            other => panic!("class {other}"),
        };
        for name in required.iter().chain([&needed]) {
            assert!(!event[name].is_null(), "{name} of {event}");
        }
        for name in event.as_object().unwrap().keys().map(String::as_str) {
            let is_known = [&required, &names[..], own].iter().any(|list| list.contains(&name));
            assert!(is_known, "{name} of {event}");
        }
        assert_eq!(event["type_uid"], class * 100 + activity);
        assert_eq!(event["category_uid"], class / 1_000);
        assert!(event["start_time"].as_i64() < event["end_time"].as_i64());
        assert_eq!(event["end_time"], event["time"]);
        assert_eq!(event["metadata"]["version"], "1.9.0");
        if class == 3004 {
            assert!(!event["entity"]["uid"].is_null() && event["entity"]["type_id"] == 99);
        }
    }
    assert_eq!(seen, BTreeSet::from([(3004, 1), (3004, 4), (6007, 2)]));
}

/// What one scan did not see must not look as if it had been compared, in any format.
#[test]
fn an_incomplete_comparison_is_seen_in_every_format() {
    let two = Two::edited(lose_a_page);
    written(&two, &[], 3);
    let why = "a page did not come";
    let invocation = &run_of(&two)["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
    let of_kind = |id: &str| notifications.iter().find(|one| one["descriptor"]["id"] == id);
    let grave = of_kind("not-compared").unwrap();
    assert_eq!(grave["level"], "error");
    assert!(grave["message"]["text"].as_str().unwrap().contains(why), "{grave}");
    assert_eq!(of_kind("not-visible").unwrap()["level"], "note");
    let elements = xml_elements(&two.stage.read("d.xml"));
    let error = elements.iter().find(|(name, _)| name == "error").unwrap();
    assert!(error.1.iter().any(|(key, value)| key == "message" && value.contains(why)));
    let events = events(&two);
    let scan = events.iter().find(|event| event["class_uid"] == 6007).unwrap();
    assert_eq!((&scan["activity_id"], &scan["status_id"]), (&json!(6), &json!(2)));
    assert!(scan["status_detail"].as_str().unwrap().contains(why), "{scan}");
    let page = two.stage.read("d.html");
    let coverage = page.split("<section id=\"changes\"").next().unwrap();
    assert!(coverage.contains("<strong>INCOMPLETE.</strong>") && coverage.contains(why));
}

/// A tenant that only one snapshot has was not compared, and is not said to be.
#[test]
fn a_tenant_of_one_snapshot_is_no_act_and_no_passed_test() {
    let two = Two::edited(|lines| {
        lines.retain(|line| line.get("snapshot").is_some() || line.get("end").is_some());
    });
    written(&two, &[], 0);
    let elements = xml_elements(&two.stage.read("d.xml"));
    assert_eq!((count(&elements, "testcase"), count(&elements, "skipped")), (2, 1));
    let events = events(&two);
    assert_eq!((&events[0]["activity_id"], &events[0]["severity_id"]), (&json!(99), &json!(1)));
    assert_eq!(events[0]["metadata"]["event_code"], "tenant-gone");
    assert!(two.stage.read("d.html").contains("only in the older snapshot"));
}

#[test]
fn hostile_names_stay_names_in_every_format() {
    let two = hostile();
    written(&two, &[], 0);
    for file in FILES {
        let text = two.stage.read(file);
        assert!(text.contains("octocat"), "{file}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{file}");
    }
    for result in run_of(&two)["results"].as_array().unwrap() {
        assert!(!result["message"]["text"].as_str().unwrap().contains("](http"));
    }
    assert!(!two.stage.read("d.xml").contains('\u{fffe}'));
    let page = two.stage.read("d.html");
    assert!(!page.contains("<img") && !page.contains('\u{202e}'), "the name became an element");
    assert!(page.contains("&#60;img src=x") || page.contains("&lt;img src=x"));
}

#[test]
fn the_page_asks_nothing_of_the_network_and_runs_no_script() {
    let two = hostile();
    written(&two, &[], 0);
    let page = two.stage.read("d.html");
    for load in
        ["<script", "src=\"", "<link", "<iframe", "@import", "url(", "<base", "<form", "style=\""]
    {
        assert!(!page.contains(load), "{load}");
    }
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap();
    let policy = policy.split('"').next().unwrap().replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("script-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for pair in [("<section", "</section>"), ("<table", "</table>"), ("<main>", "</main>")] {
        assert_eq!(page.matches(pair.0).count(), page.matches(pair.1).count());
        assert!(page.contains(pair.0));
    }
    assert!(page.trim_end().ends_with("</html>"));
    let place = |id: &str| page.find(&format!("<section id=\"{id}\"")).unwrap();
    assert!(place("coverage") < place("changes") && place("changes") < place("unseen"));
}

/// What may give access goes first, and what has no room is said.
#[test]
fn what_has_no_room_is_said() {
    let two = many(25_000);
    two.run(&["--output", "d.sarif", "--output", "d.html", "--format", "markdown"]).exits(0);
    let page = two.stage.read("d.html");
    assert_eq!(page.matches(">may be more<").count(), 5_000);
    assert_eq!(page.matches(">not more<").count(), 0);
    assert!(page.contains("20001 changes left out: there is room for 5000"), "not said");
    assert!(page.contains("Left out of its changes: 20001."));
    let run = run_of(&two);
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert!(results.iter().all(|result| result["ruleId"] == "grant-new"));
    let notifications = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notifications.contains("1 change left out"), "{notifications}");
}

/// `| head`: the verdict stays what it is, and nothing is complained about. A pipe leads code scanning to the configuration.
#[test]
fn pipes_do_at_both_ends() {
    let two = many(3_000);
    let program = assert_cmd::cargo::cargo_bin!("grantwarden").display().to_string();
    let bash = |script: &str| {
        let mut bash = std::process::Command::new("bash");
        let script = script.replace("grantwarden diff", &format!("'{program}' diff"));
        Run::of(bash.arg("-c").arg(script).current_dir(two.stage.path("")))
    };
    for format in ["json", "jsonl", "csv", "sarif", "junit", "ocsf", "html"] {
        let run = bash(&format!(
            "grantwarden diff then.jsonl now.jsonl --exit-code --format {format} | head -c 10; echo \" ${{PIPESTATUS[0]}}\""
        ));
        assert_eq!(run.stderr, "", "{format}");
        assert!(run.stdout.ends_with(" 1\n"), "{format}: {}", run.stdout);
    }
    let run = bash("grantwarden diff then.jsonl <(cat now.jsonl) --format sarif");
    let sarif: Value = serde_json::from_str(&run.stdout).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "grantwarden.toml");
}
