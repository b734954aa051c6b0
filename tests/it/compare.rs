//! `scan --previous`: two inventories of the same tenant, one of them edited.

use serde_json::{Value, json};

use crate::support::Stage;

/// A stage with the inventory of the small world as it is now and as it was.
struct Compared {
    stage: Stage,
    lines: Vec<Value>,
}

impl Compared {
    fn new() -> Self {
        let stage = Stage::small();
        stage.run(&["scan", "--export", "now.jsonl", "--fail-on", "never"]).exits(0);
        let text = stage.read("now.jsonl");
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { stage, lines }
    }

    /// The same inventory, taken 35 days earlier, with changes.
    fn earlier(&self, change: impl FnOnce(&mut Vec<Value>)) -> String {
        let mut lines = self.lines.clone();
        lines[0]["snapshot"]["taken_at"] = json!("2025-12-11T12:00:00Z");
        change(&mut lines);
        let records = lines.iter().filter(|line| line.get("record").is_some()).count();
        let end = lines.len() - 1;
        lines[end] = json!({ "end": records });
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Judges the inventory of now, compared with this one.
    fn against(&self, then: &str) -> Value {
        self.stage.write("then.jsonl", then);
        let (run, report) = self.stage.scan_json(&[
            "--offline",
            "--inventory",
            "now.jsonl",
            "--previous",
            "then.jsonl",
            "--fail-on",
            "never",
        ]);
        assert_eq!(run.code, 0, "{run:#?}");
        report
    }
}

fn of_rule<'a>(report: &'a Value, rule: &str) -> Vec<&'a Value> {
    report["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == rule).collect()
}

/// What could not be compared: the evidence of the finding that says so.
fn not_compared(report: &Value) -> Vec<String> {
    of_rule(report, "coverage-gap")
        .into_iter()
        .filter(|finding| finding["subject"]["id"] == "earlier-scan/nothing-before")
        .inspect(|finding| assert_eq!(finding["severity"], "info"))
        .flat_map(|finding| finding["evidence"].as_array().unwrap())
        .filter(|evidence| evidence["fact"] == "not seen")
        .map(|evidence| evidence["value"].as_str().unwrap().to_owned())
        .collect()
}

/// The first grant of an inventory whose scopes are visible.
fn a_grant(lines: &mut [Value]) -> &mut Value {
    let grants = lines.iter_mut().filter_map(|line| line.pointer_mut("/record/grant"));
    grants.into_iter().find(|grant| grant.pointer("/scopes/known").is_some()).unwrap()
}

#[test]
fn the_same_inventory_twice_has_no_news() {
    let compared = Compared::new();
    let report = compared.against(&compared.earlier(|_| ()));
    assert_eq!(report["tenants"][0]["compared_with"], "2025-12-11T12:00:00Z");
    assert!(of_rule(&report, "new-or-changed-grant").is_empty(), "{report:#}");
    assert!(of_rule(&report, "credential-added").is_empty());
    // The log of a day or two is too short to be a past.
    let gaps = not_compared(&report);
    assert!(
        gaps.iter().all(|gap| gap.contains("are needed; give more with --previous")),
        "{gaps:?}"
    );
}

#[test]
fn without_an_earlier_scan_nothing_is_new_and_that_is_said_once() {
    let compared = Compared::new();
    let (_, report) = compared.stage.scan_json(&["--offline", "--inventory", "now.jsonl"]);
    assert!(of_rule(&report, "new-or-changed-grant").is_empty());
    assert_eq!(not_compared(&report), ["no earlier scan was given; give one with --previous"]);
    compared
        .stage
        .run(&["scan", "--offline", "--inventory", "now.jsonl"])
        .says("not compared with an earlier scan");
}

#[test]
fn a_grant_that_was_not_there_and_a_scope_that_it_had_not_are_found() {
    let compared = Compared::new();
    let mut name = String::new();
    let then = compared.earlier(|lines| {
        let grant = a_grant(lines);
        name = grant["app_name"].as_str().unwrap().to_owned();
        let id = grant["id"].clone();
        lines.retain(|line| line.pointer("/record/grant/id") != Some(&id));
    });
    let report = compared.against(&then);
    let found = of_rule(&report, "new-or-changed-grant");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["subject"]["app"]["name"], name.as_str());
    assert_eq!(found[0]["subject"]["kind"], "grant");

    let mut taken = String::new();
    let then = compared.earlier(|lines| {
        let scopes = a_grant(lines).pointer_mut("/scopes/known").unwrap().as_array_mut().unwrap();
        taken = scopes.remove(0)["name"].as_str().unwrap().to_owned();
    });
    let report = compared.against(&then);
    let found = of_rule(&report, "new-or-changed-grant");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0]["message"].as_str().unwrap().contains(&format!("({taken})")), "{found:#?}");
}

#[test]
fn a_redirect_domain_that_was_not_there_is_high_but_not_in_a_sandbox() {
    let mut compared = Compared::new();
    let then = compared.earlier(|lines| {
        let apps = lines.iter_mut().filter_map(|line| line.pointer_mut("/record/app"));
        for app in apps {
            if let Some(domains) = app.pointer_mut("/redirect_domains/known") {
                *domains = json!(["old.example"]);
            }
        }
    });
    let severities = |report: &Value| -> Vec<Value> {
        of_rule(report, "new-or-changed-grant").iter().map(|f| f["severity"].clone()).collect()
    };
    let found = severities(&compared.against(&then));
    assert!(found.contains(&json!("high")), "{found:?}");
    for line in &mut compared.lines {
        if let Some(tenant) = line.pointer_mut("/record/tenant") {
            tenant["sandbox"] = json!({ "known": true });
        }
    }
    let now: String = compared.lines.iter().map(|line| format!("{line}\n")).collect();
    compared.stage.write("now.jsonl", &now);
    let found = severities(&compared.against(&then));
    assert!(!found.is_empty() && found.iter().all(|severity| severity == "info"), "{found:?}");
}

/// A credential of the first app, made on a day.
fn credential(lines: &[Value], id: &str, made: &str) -> Value {
    let app = lines.iter().find_map(|line| line.pointer("/record/app/id")).unwrap();
    json!({ "tenant": "acme-crm", "record": { "credential": {
        "id": id, "app": app, "kind": "certificate", "name": "absent",
        "created_at": { "known": made }, "expires_at": "absent", "last_used_at": "absent",
    } } })
}

fn add(lines: &mut Vec<Value>, record: Value) {
    let end = lines.iter().position(|line| line.get("tenant_end").is_some()).unwrap();
    lines.insert(end, record);
}

#[test]
fn a_second_credential_is_found_and_a_rotation_is_info() {
    let mut compared = Compared::new();
    let old = credential(&compared.lines, "thumbprint-old", "2024-01-01T00:00:00Z");
    let new = credential(&compared.lines, "thumbprint-new", "2026-01-10T00:00:00Z");
    let then = compared.earlier(|lines| add(lines, old.clone()));
    let without = compared.lines.clone();
    let mut judged = |records: &[&Value]| {
        compared.lines = without.clone();
        records.iter().for_each(|record| add(&mut compared.lines, (*record).clone()));
        let count = compared.lines.iter().filter(|line| line.get("record").is_some()).count();
        let end = compared.lines.len() - 1;
        compared.lines[end] = json!({ "end": count });
        let now: String = compared.lines.iter().map(|line| format!("{line}\n")).collect();
        compared.stage.write("now.jsonl", &now);
        let report = compared.against(&then);
        of_rule(&report, "credential-added")
            .iter()
            .map(|f| format!("{} {}", f["subject"]["id"], f["severity"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(judged(&[&old]), Vec::<String>::new());
    let added = judged(&[&old, &new]);
    assert!(
        added == ["\"thumbprint-new\" \"high\""] || added == ["\"thumbprint-new\" \"medium\""],
        "{added:?}"
    );
    assert_eq!(judged(&[&new]), ["\"thumbprint-new\" \"info\""]);
}

#[test]
fn another_tenant_and_a_scan_that_lost_grants_are_nothing_to_compare_with() {
    let compared = Compared::new();
    let other = compared.earlier(|lines| {
        for line in lines {
            if let Some(tenant) = line.pointer_mut("/record/tenant") {
                tenant["id"] = json!("00D000000000999AAA");
            }
        }
    });
    let report = compared.against(&other);
    assert!(of_rule(&report, "new-or-changed-grant").is_empty());
    assert_eq!(not_compared(&report), ["no earlier scan that was given could read this tenant"]);

    let lost = compared.earlier(|lines| {
        let mut kept = 0;
        lines.retain(|line| {
            kept += u32::from(line.pointer("/record/grant").is_some());
            line.pointer("/record/grant").is_none() || kept == 1
        });
        let end = lines.iter_mut().find_map(|line| line.get_mut("tenant_end")).unwrap();
        let parts = end["coverage"]["parts"].as_array_mut().unwrap();
        let grants = parts.iter_mut().find(|part| part["facet"] == "grants").unwrap();
        grants["losses"] = json!([{
            "reason": "call-failed", "facet": "grants", "detail": "a page did not come", "rows": null,
        }]);
    });
    let report = compared.against(&lost);
    let found = of_rule(&report, "new-or-changed-grant");
    assert!(found.iter().all(|finding| finding["subject"]["kind"] != "grant"), "{found:#?}");
    let gaps = not_compared(&report);
    assert!(gaps.iter().any(|gap| gap.contains("a page did not come")), "{gaps:?}");
}

#[test]
fn an_earlier_scan_that_is_not_earlier_or_not_there_is_wrong_usage() {
    let compared = Compared::new();
    let judge = |previous: &str| {
        let arguments = ["scan", "--offline", "--inventory", "now.jsonl", "--previous", previous];
        compared.stage.run(&arguments).exits(2)
    };
    judge("now.jsonl").complains("is not before");
    judge("nowhere.jsonl").complains("nowhere.jsonl");
    compared.stage.write("then.jsonl", "{}\n");
    judge("then.jsonl").complains("then.jsonl:1");
}

/// Each of two earlier scans knows part of the log.
#[test]
fn several_earlier_scans_make_a_longer_past() {
    let compared = Compared::new();
    let usage = |from: &str, to: &str, agent: &str, app: &Value| {
        json!({ "tenant": "acme-crm", "record": { "usage": {
            "app": app, "log": "EventLogFile ApiTotalUsage", "from": from, "to": to, "events": 500,
            "addresses": [{ "value": "203.0.113.7", "count": 500 }],
            "agents": [{ "value": agent, "count": 500 }],
            "objects": [{ "value": "Account", "count": 500 }], "principals": [],
        } } })
    };
    let app =
        compared.lines.iter().find_map(|line| line.pointer("/record/app/id")).unwrap().clone();
    let with = |taken: &str, record: Value| {
        compared.earlier(|lines| {
            lines[0]["snapshot"]["taken_at"] = json!(taken);
            lines.retain(|line| line.pointer("/record/usage").is_none());
            add(lines, record);
        })
    };
    let write = |name: &str, text: &str| drop(compared.stage.write(name, text));
    write(
        "first.jsonl",
        &with(
            "2025-11-01T00:00:00Z",
            usage("2025-10-12T00:00:00Z", "2025-11-01T00:00:00Z", "sync/1.0", &app),
        ),
    );
    write(
        "second.jsonl",
        &with(
            "2025-12-01T00:00:00Z",
            usage("2025-11-11T00:00:00Z", "2025-12-01T00:00:00Z", "sync/1.1", &app),
        ),
    );
    let mut now = compared.lines.clone();
    now.retain(|line| line.pointer("/record/usage").is_none());
    add(&mut now, {
        let mut record = usage("2026-01-13T00:00:00Z", "2026-01-15T00:00:00Z", "curl/8.5", &app);
        record["record"]["usage"]["addresses"][0]["value"] = json!("192.0.2.77");
        record
    });
    let end = now.len() - 1;
    now[end] = json!({ "end": now.iter().filter(|line| line.get("record").is_some()).count() });
    write("now.jsonl", &now.iter().map(|line| format!("{line}\n")).collect::<String>());
    let drift = |previous: &[&str]| {
        let mut arguments = vec!["--offline", "--inventory", "now.jsonl", "--fail-on", "never"];
        previous.iter().for_each(|file| arguments.extend(["--previous", file]));
        let (_, report) = compared.stage.scan_json(&arguments);
        let found = of_rule(&report, "usage-fingerprint-drift");
        found.iter().map(|finding| finding["severity"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(drift(&["second.jsonl"]), Vec::<Value>::new(), "20 days are too few");
    assert_eq!(drift(&["first.jsonl", "second.jsonl"]), [json!("high")]);
    assert_eq!(drift(&["second.jsonl", "first.jsonl"]), [json!("high")], "in any order");
}
