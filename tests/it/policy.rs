//! The policy: its errors, and what it accepts, for whom and until when.

use grantwarden_lab::Fault;
use serde_json::Value;

use crate::support::{Run, SMALL_NOW, Stage, forbidden};

/// A waiver for all that the tests waive, but for its end.
const WAIVER: &str = r#"
[[waiver]]
subject = { tenant = "acme-crm", app = "APP" }
rules = ["no-expiry"]
scopes = ["api", "refresh_token", "web"]
reason = "until the migration"
owner = "jane@small.example"
"#;

/// The small company's inventory, to be judged again and again.
struct Bench {
    stage: Stage,
    app: String,
}

impl Bench {
    fn new() -> Self {
        let stage = Stage::small();
        stage.run(&["scan", "--export", "inventory.jsonl", "--fail-on", "never"]).exits(0);
        let inventory = stage.read("inventory.jsonl");
        let mut apps = inventory.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let app = line["record"]["app"].clone();
            (app["name"] == "Drift").then(|| app["id"].as_str().unwrap().to_owned())
        });
        let app = apps.next().unwrap();
        Self { stage, app }
    }

    /// Judges by a policy, in which `APP` stands for Drift's id.
    fn run(&self, policy: &str, arguments: &[&str]) -> Run {
        self.stage.write("policy.toml", &policy.replace("APP", &self.app));
        let offline =
            ["scan", "--offline", "--inventory", "inventory.jsonl", "--policy", "policy.toml"];
        let now: &[&str] = if arguments.contains(&"--now") { &[] } else { &["--now", SMALL_NOW] };
        self.stage.run(&[&offline[..], now, arguments].concat())
    }

    fn judge(&self, policy: &str, arguments: &[&str]) -> (i32, Value) {
        let run = self.run(policy, &[&["--format", "json"], arguments].concat());
        let report =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"));
        (run.code, report)
    }

    fn change(&self, from: &str, to: &str) {
        let text = self.stage.read("inventory.jsonl");
        assert!(text.contains(from), "{from}");
        self.stage.write("inventory.jsonl", &text.replace(from, to));
    }

    /// Gives Drift's registration another scope.
    fn widen(&self) {
        let of_drift = r#"{"name":"api"},{"name":"web"},{"name":"refresh_token"}"#;
        self.change(of_drift, &format!(r#"{of_drift},{{"name":"full"}}"#));
    }
}

fn of_rule<'a>(report: &'a Value, rule: &str) -> Vec<&'a Value> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == rule)
        .collect()
}

/// A rule's findings about Drift.
fn of_drift<'a>(report: &'a Value, rule: &str) -> Vec<&'a Value> {
    let is_drift = |finding: &&Value| finding["subject"]["app"]["name"] == "Drift";
    of_rule(report, rule).into_iter().filter(is_drift).collect()
}

/// How many findings there are of a status.
fn count(report: &Value, status: &str) -> u64 {
    let counts = report["summary"][status].as_object().unwrap();
    counts.values().map(|count| count.as_u64().unwrap()).sum()
}

fn warnings(report: &Value) -> Vec<&str> {
    let all = report["exceptions"]["warnings"].as_array().unwrap();
    all.iter().map(|warning| warning.as_str().unwrap()).collect()
}

#[track_caller]
fn assert_warns(report: &Value, text: &str) {
    let all = warnings(report);
    assert!(all.iter().any(|warning| warning.contains(text)), "no `{text}` in {all:#?}");
}

#[test]
fn a_bad_policy_is_refused_with_line_and_column() {
    let bench = Bench::new();
    let until = "until = 2026-02-01\n";
    let with = |from: &str, to: &str| format!("{WAIVER}{until}").replace(from, to);
    for (policy, place, message) in [
        ("fail_on = \"severe\"".to_owned(), "1:11", "unknown variant `severe`"),
        ("stale_affter = \"9d\"".to_owned(), "1:1", "unknown field `stale_affter`"),
        ("[rules.no-expirry]\nseverity = \"off\"".to_owned(), "1:8", "did you mean `no-expiry`"),
        ("[rules.no-expiry]\nat_mots = \"9d\"".to_owned(), "2:1", "did you mean `at_most`"),
        ("[rules.no-expiry]\nat_most = 9".to_owned(), "2:11", "a length of time such as \"90d\", not 9"),
        ("[rules.no-expiry]\nseverity = \"of\"".to_owned(), "2:12", "unknown variant `of`"),
        ("file = \"other.toml\"".to_owned(), "1:8", "cannot name another one"),
        (WAIVER.to_owned(), "2:1", "missing field `until`"),
        (with("reason = \"until the migration\"\n", ""), "2:1", "missing field `reason`"),
        (with("owner = \"jane@small.example\"\n", ""), "2:1", "missing field `owner`"),
        (with("jane@small.example", " "), "7:9", "`owner` is empty"),
        (with("until the migration", ""), "6:10", "`reason` is empty"),
        (with("2026-02-01", "2026-02-30"), "8:9", "invalid date"),
        (with("2026-02-01", "\"soon\""), "8:9", "`soon` is not a day"),
        (with("2026-02-01", "2027-01-17"), "8:9", "at most 366 days"),
        (with("no-expiry", "no-expirry"), "4:10", "did you mean `no-expiry`"),
        (with("[\"no-expiry\"]", "[]"), "3:11", "`rules` must say for which rules"),
        (with("\"web\"", "\"*\""), "5:35", "there are no wildcards"),
        (with("[\"api\", \"refresh_token\", \"web\"]", "\"any\""), "3:11", "too much for more than one finding"),
        (with("[\"api\", \"refresh_token\", \"web\"]", "\"all\""), "5:10", "must be a list of scopes"),
        (with("app = \"APP\"", "app = \"*\""), "3:11", "there are no wildcards"),
        (with("tenant = \"acme-crm\", ", ""), "3:11", "an app needs its `tenant` or its `platform`"),
        (with("app = ", "app_name = "), "3:11", "anybody can give an app this name"),
        (with("tenant = \"acme-crm\"", "platform = \"sailsforce\""), "3:11", "did you mean `salesforce`"),
        (with("tenant = \"acme-crm\", app = \"APP\"", "platform = \"salesforce\""), "3:11", "too much"),
        (with("tenant = \"acme-crm\", app = \"APP\"", "fingerprint = \"12\""), "3:27", "is not a fingerprint"),
        (with("tenant = \"acme-crm\", app = \"APP\"", "vendor = \"A\", app = \"B\""), "3:11", "more than one is unclear"),
        (
            with("tenant = \"acme-crm\", app = \"APP\"", "fingerprint = \"00000000000000000000000000000000\""),
            "4:10",
            "leave `rules` out",
        ),
        (format!("{WAIVER}{until}{WAIVER}{until}"), "11:11", "another entry says the same"),
        ("[[allow]]\nsubject = { platform = \"salesforce\" }\nrules = [\"no-expiry\"]\nreason = \"x\"".to_owned(), "2:11", "too much"),
        ("[[allow]]\nsubject = { vendor = \"Drift\" }\nrules = [\"no-expiry\"]".to_owned(), "1:1", "missing field `reason`"),
        ("[[for]]\nsubject = { vendor = \"*\" }".to_owned(), "2:11", "there are no wildcards"),
        ("[[for]]\nsubject = { tenant = \"acme-crm\" }".to_owned(), "2:11", "too much"),
        ("[[for]]\nsubject = { app_name = \"Drift\" }".to_owned(), "2:11", "an app needs its `tenant` or its `platform`"),
        ("[[for]]\nsubject = { vendor = \"Drift\" }\nnetworks = [\"203.0.113.1/24\"]".to_owned(), "3:12", "is not a range of addresses"),
        ("[[for]]\nsubject = { vendor = \"Drift\" }\nrules.no-expiry.at_mots = \"9d\"".to_owned(), "3:17", "did you mean `at_most`"),
        ("[[waivers]]".to_owned(), "1:3", "unknown field `waivers`"),
        ("[policy]\nfail_on = \"low\"".to_owned(), "1:2", "unknown field `policy`"),
        ("fail_on = ".to_owned(), "1:11", ""),
    ] {
        let run = bench.run(&policy, &[]);
        assert_eq!(run.code, 2, "{policy}: {run:#?}");
        assert!(run.stdout.is_empty());
        let place = format!("policy.toml:{place}: ");
        assert!(run.stderr.contains(&place), "no `{place}` for {policy}: {}", run.stderr);
        run.complains(message);
    }
}

#[test]
fn a_policy_has_a_file_of_its_own_and_flags_win_over_the_environment_over_files() {
    let bench = Bench::new();
    let stage = &bench.stage;
    let config = stage.read("grantwarden.toml");
    let scan = ["scan", "--offline", "--inventory", "inventory.jsonl"];
    stage.write("strict.toml", "fail_on = \"info\"");
    stage.write("lax.toml", "fail_on = \"never\"");
    stage.write("grantwarden.toml", &format!("{config}[policy]\nfile = \"lax.toml\"\n"));
    stage.run(&scan).exits(0);
    let run = |environment: &str, arguments: &[&str]| {
        let mut command = stage.command();
        command.args(scan).args(arguments).env("GRANTWARDEN_POLICY", environment);
        Run::of(&mut command)
    };
    run("strict.toml", &[]).exits(1);
    run("strict.toml", &["--policy", "lax.toml"]).exits(0);
    run("lax.toml", &["--fail-on", "info"]).exits(1);
    run("none.toml", &[]).exits(2).complains("cannot read the policy none.toml");
    stage.write("lax.toml", "\nfail_on = \"nver\"");
    stage.run(&scan).exits(2).complains("lax.toml:2:11: unknown variant `nver`");
    let both = format!("{config}[policy]\nfile = \"lax.toml\"\nfail_on = \"low\"\n");
    let line = both.lines().count() - 1;
    stage.write("grantwarden.toml", &both);
    stage.run(&scan).exits(2).complains(&format!("grantwarden.toml:{line}:8: `file` stands alone"));
    // The file is beside the configuration, wherever that is.
    std::fs::create_dir(stage.path("sub")).unwrap();
    stage.write("sub/policy.toml", "fail_on = \"never\"");
    stage.write("sub/grantwarden.toml", &format!("{config}[policy]\nfile = \"policy.toml\"\n"));
    stage.run(&[&scan[..], &["--config", "sub/grantwarden.toml"]].concat()).exits(0);
}

#[test]
fn explain_lists_the_parameters_of_a_rule_and_says_who_accepted_a_finding() {
    let bench = Bench::new();
    let stage = &bench.stage;
    stage
        .run(&["explain", "no-expiry"])
        .exits(0)
        .says("Settings in [policy.rules.no-expiry]:")
        .says("- at_most = \"730d\": a life that is longer than this counts as one without an end");
    let waiver = format!("{WAIVER}until = 2026-02-01\n").replace("APP", &bench.app);
    let (_, report) = bench.judge(&waiver, &[]);
    let fingerprint = of_drift(&report, "no-expiry")[0]["fingerprint"].as_str().unwrap();
    stage.write("waived.toml", &waiver.replace("[[waiver]]", "[[policy.waiver]]"));
    let arguments =
        ["--inventory", "inventory.jsonl", "--config", "waived.toml", "--now", SMALL_NOW];
    stage
        .run(&[&["explain", fingerprint], &arguments[..]].concat())
        .exits(0)
        .says("waived until 2026-02-01 by jane@small.example, because: until the migration");
}

/// Custom rules are of the policy, and so are in its file.
#[test]
fn custom_rules_of_a_policy_file_are_asked_tested_and_waived() {
    let bench = Bench::new();
    let rule = "[[custom]]\nid = \"own-rule\"\non = \"grant\"\ntitle = \"Own\"\nseverity = \"high\"\nwhen = 'app.name == \"Drift\"'\n\
                message = \"There.\"\nwhy = \"Why.\"\nfix = [\"Do it.\"]\n";
    let (_, report) = bench.judge(rule, &[]);
    assert_eq!(of_rule(&report, "own-rule").len(), 2);
    let waiver = WAIVER.replace("no-expiry", "own-rule") + "until = 2026-02-01\n";
    let (_, report) = bench.judge(&format!("{rule}{waiver}"), &[]);
    assert_eq!(count(&report, "waived"), 2);
    assert_eq!(report["rules"]["own-rule"]["title"], "Own");
    let test = ["policy", "test", "--policy", "policy.toml"];
    bench.stage.run(&test).exits(0).says("own-rule: no tests");
    bench.run(&rule.replace("app.name", "app.nmae"), &[]).exits(2).complains("policy.toml:6:");
}

#[test]
fn settings_for_one_app_leave_the_others_alone() {
    let bench = Bench::new();
    let (_, before) = bench.judge("", &[]);
    let apps = |report: &Value, rule: &str| -> Vec<String> {
        let found = of_rule(report, rule).into_iter();
        found
            .map(|finding| finding["subject"]["app"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(apps(&before, "stale-unused"), ["Drift", "Drift", "Salesforce CLI"]);
    let (_, after) = bench.judge(
        "[[for]]\nsubject = { tenant = \"acme-crm\", app = \"APP\" }\nstale_after = \"400d\"\n\
         rules.no-expiry.severity = \"low\"\n[[for]]\nsubject = { platform = \"salesforce\", app = \"PlatformCLI\" }\n\
         rules.network-unrestricted.severity = \"off\"",
        &[],
    );
    assert_eq!(apps(&after, "stale-unused"), ["Salesforce CLI"]);
    assert!(of_rule(&after, "no-expiry").iter().all(|finding| {
        (finding["subject"]["app"]["name"] == "Drift") == (finding["severity"] == "low")
    }));
    assert!(apps(&before, "network-unrestricted").contains(&"Salesforce CLI".to_owned()));
    assert!(!apps(&after, "network-unrestricted").contains(&"Salesforce CLI".to_owned()));
    assert!(warnings(&after).is_empty(), "{:?}", warnings(&after));
}

#[test]
fn what_is_said_about_an_app_wins_over_what_is_said_about_its_name_and_the_order_does_not_matter() {
    let bench = Bench::new();
    let by_id = "[[for]]\nsubject = { platform = \"salesforce\", app = \"APP\" }\nrules.no-expiry.severity = \"low\"\n";
    let by_name = "[[for]]\nsubject = { platform = \"salesforce\", app_name = \"Drift\" }\nrules.no-expiry.severity = \"info\"\n\
                   rules.drift-pattern.severity = \"info\"\n";
    let (_, report) = bench.judge(&format!("{by_id}{by_name}"), &[]);
    let severities = |rule| -> Vec<&Value> {
        of_drift(&report, rule).into_iter().map(|finding| &finding["severity"]).collect()
    };
    assert_eq!(severities("no-expiry"), ["low", "low"]);
    assert_eq!(severities("drift-pattern"), ["info", "info"]);
    assert_warns(&report, "settings for app called Drift on salesforce: weak");
    let (_, other) = bench.judge(&format!("{by_name}{by_id}"), &[]);
    assert_eq!(report, other);
    let (_, report) =
        bench.judge("[[for]]\nsubject = { vendor = \"Nobody\" }\npurpose = \"chat\"", &[]);
    assert_warns(
        &report,
        "settings for vendor Nobody: nothing in this scan needs it; remove it, unless",
    );
}

#[test]
fn a_waiver_holds_to_the_end_of_its_last_day() {
    let bench = Bench::new();
    let policy = format!("fail_on = \"high\"\n{WAIVER}until = 2026-01-15\n");
    for (now, waived, over) in [
        ("2026-01-14T12:00:00Z", 2, 0),
        ("2026-01-15T12:00:00Z", 2, 0),
        ("2026-01-15T23:59:59Z", 2, 0),
        ("2026-01-16T00:00:00Z", 0, 1),
    ] {
        let (_, report) = bench.judge(&policy, &["--now", now]);
        assert_eq!(count(&report, "waived"), waived, "{now}");
        assert_eq!(of_rule(&report, "waiver-expired").len(), over, "{now}");
        let findings = of_drift(&report, "no-expiry");
        assert_eq!(findings.len(), 2);
        for finding in findings {
            if over == 0 {
                let waived = &finding["status"]["waived"];
                assert_eq!(waived["owner"], "jane@small.example");
                assert_eq!(waived["until"], "2026-01-15");
                assert_eq!(waived["reason"], "until the migration");
            } else {
                assert_eq!(finding["status"], "active");
                let note = finding["evidence"].as_array().unwrap().last().unwrap();
                assert_eq!(
                    note["value"],
                    "waived by jane@small.example until 2026-01-15, but that is over"
                );
            }
        }
    }
    let (_, report) = bench.judge(&policy, &["--now", "2026-01-16T00:00:00Z"]);
    let over = of_rule(&report, "waiver-expired")[0];
    assert_eq!((&over["severity"], &over["subject"]["kind"]), (&"medium".into(), &"waiver".into()));
    assert!(warnings(&report).is_empty(), "that it is over is a finding: {:?}", warnings(&report));
}

/// Waives everything that is high, one fingerprint at a time.
#[test]
fn what_is_waived_never_fails_a_run_and_is_still_counted_and_shown() {
    let bench = Bench::new();
    let (code, before) = bench.judge("", &[]);
    assert_eq!(code, 1);
    let mut policy = String::new();
    for finding in before["findings"].as_array().unwrap() {
        if finding["severity"] == "high" || finding["severity"] == "critical" {
            policy += &format!(
                "[[waiver]]\nsubject = {{ fingerprint = {} }}\nscopes = \"any\"\nreason = \"r\"\nowner = \"o\"\nuntil = \"2026-02-01\"\n",
                finding["fingerprint"]
            );
        }
    }
    let (code, after) = bench.judge(&policy, &[]);
    assert_eq!(code, 0);
    assert_eq!(after["summary"]["findings"], before["summary"]["findings"]);
    assert_eq!(before["summary"]["active"], before["summary"]["findings"]);
    let grave = count(&before, "findings") - count(&after, "active");
    assert_eq!(count(&after, "waived"), grave);
    assert!(grave > 3);
    bench
        .run(&policy, &[])
        .exits(0)
        .says(&format!("{grave} findings: {grave} waived, 0 allowed, 0 in the baseline"))
        .says("waived until 2026-02-01 by o: finding");
}

#[test]
fn a_waiver_breaks_when_there_are_more_scopes_or_they_are_hidden() {
    let bench = Bench::new();
    let policy = format!("{WAIVER}until = 2026-02-01\n");
    assert_eq!(count(&bench.judge(&policy, &[]).1, "waived"), 2);
    bench.widen();
    let (_, report) = bench.judge(&policy, &[]);
    assert_eq!(count(&report, "waived"), 0);
    assert_warns(
        &report,
        "waiver for no-expiry of app 0H4LAB0000000000BA in acme-crm by jane@small.example until 2026-02-01: \
         broken for 2 finding(s), there is more than was accepted: `full`",
    );
    let finding = of_drift(&report, "no-expiry")[0];
    let note = finding["evidence"].as_array().unwrap().last().unwrap();
    assert_eq!(note["fact"], "waiver");
    assert!(
        note["value"].as_str().unwrap().ends_with("but there is more than was accepted: `full`")
    );
    let wider = policy.replace("\"web\"", "\"web\", \"full\"");
    assert_eq!(count(&bench.judge(&wider, &[]).1, "waived"), 2);
    // A waiver that names no scope accepts none.
    let none = policy.replace("scopes = [\"api\", \"refresh_token\", \"web\"]\n", "");
    assert_eq!(count(&bench.judge(&none, &[]).1, "waived"), 0);
}

#[test]
fn an_unused_waiver_is_a_warning() {
    let bench = Bench::new();
    let policy = format!("{WAIVER}until = 2026-02-01\n");
    let other = policy.replace("APP", "0H4-gone");
    let (_, report) = bench.judge(&other, &[]);
    assert_warns(&report, "nothing in this scan needs it; remove it");
    bench.run(&other, &[]).says("warning: waiver for no-expiry of app 0H4-gone in acme-crm");
    // Nothing can be said about a tenant that was not looked at.
    let (_, report) = bench.judge(&policy.replace("acme-crm", "acme-hr"), &[]);
    assert!(warnings(&report).is_empty());
}

#[test]
fn a_waiver_for_a_vendor_reaches_what_is_surely_the_vendors() {
    let stage = Stage::company();
    stage.write(
        "policy.toml",
        "[[waiver]]\nsubject = { vendor = \"salesloft\" }\nrules = [\"drift-pattern\"]\n\
         scopes = [\"api\", \"web\", \"refresh_token\", \"https://www.googleapis.com/auth/calendar\"]\n\
         reason = \"r\"\nowner = \"o\"\nuntil = 2099-01-01\n",
    );
    let far = ["--policy", "policy.toml"];
    stage
        .run(&[&["scan"], &far[..]].concat())
        .exits(2)
        .complains("policy.toml:7:9: a waiver ends at most 366 days");
    let policy = stage.read("policy.toml");
    stage.write("policy.toml", &format!("waiver_at_most = \"36500d\"\n{policy}"));
    let (_, report) = stage.scan_json(&far);
    let waived = |finding: &&&Value| finding["status"].get("waived").is_some();
    let all = of_rule(&report, "drift-pattern");
    let waived: Vec<&&Value> = all.iter().filter(waived).collect();
    assert!(!waived.is_empty());
    assert!(
        waived.iter().all(|finding| finding["tenant"] == "northwind-robotics"
            && finding["subject"]["app"]["name"] == "Drift"),
        "{waived:#?}"
    );
    // On Google Workspace only the name says so.
    assert_warns(&report, "of apps that only have the vendor's name");
    let doubt = "only a name that anybody can take";
    let on_google = |report: &Value| {
        let of_app = |finding: &&Value| finding["tenant"] == "northwind-workspace";
        of_rule(report, "drift-pattern")
            .into_iter()
            .filter(of_app)
            .filter(|finding| finding["subject"]["app"]["name"] == "Drift")
            .map(|finding| finding["evidence"].to_string())
            .collect::<String>()
    };
    assert!(on_google(&report).contains(doubt));
    // Until the user writes down whose key it is.
    let key = "104498765432-driftfakeclient000000000000000000.apps.googleusercontent.com";
    let register = format!("[[vendor]]\nname = \"Salesloft\"\nclient_ids = [\"{key}\"]\n");
    stage.write("vendors.toml", &register);
    let config = stage.read("grantwarden.toml");
    stage.write("grantwarden.toml", &format!("{config}\n[vendors]\nregister = \"vendors.toml\"\n"));
    let (_, report) = stage.scan_json(&far);
    assert!(!on_google(&report).contains(doubt), "{}", on_google(&report));
}

#[test]
fn what_is_allowed_is_counted_and_no_wider_than_its_scopes() {
    let bench = Bench::new();
    let policy = "[[allow]]\nsubject = { platform = \"salesforce\" }\nrules = [\"no-expiry\", \"stale-unused\"]\n\
                  scopes = [\"api\", \"refresh_token\", \"web\"]\nreason = \"low risk\"\n";
    let (_, report) = bench.judge(policy, &[]);
    let allowed = count(&report, "allowed");
    assert!(allowed >= 4, "{allowed}");
    assert_eq!(of_drift(&report, "no-expiry")[0]["status"]["allowed"]["reason"], "low risk");
    assert_eq!(report["exceptions"]["allowed"][0]["findings"], allowed);
    bench.run(policy, &[]).says(&format!("{allowed} allowed")).says("because: low risk");
    bench.widen();
    let (_, report) = bench.judge(policy, &[]);
    assert_eq!(of_drift(&report, "no-expiry")[0]["status"], "active");
    assert_warns(&report, "allowed no-expiry, stale-unused of platform salesforce: broken for");
}

#[test]
fn a_baseline_accepts_what_is_there_and_nothing_new_or_worse() {
    let bench = Bench::new();
    let base: &[&str] = &["--baseline", "baseline.jsonl"];
    bench.run("", &["--write-baseline", "baseline.jsonl"]).exits(1);
    let text = bench.stage.read("baseline.jsonl");
    let rows: Vec<&str> = text.lines().skip(1).collect();
    assert!(rows.is_sorted() && rows.len() > 10);
    let (code, report) = bench.judge("fail_on = \"info\"", base);
    assert_eq!((code, count(&report, "active")), (0, 0));
    assert_eq!(count(&report, "baseline"), rows.len() as u64);
    assert!(warnings(&report).is_empty());
    // Written again with what it accepts, it is the same.
    bench.run("", &["--baseline", "baseline.jsonl", "--write-baseline", "again.jsonl"]).exits(0);
    assert_eq!(bench.stage.read("again.jsonl"), text);

    // Worse: graver.
    let (code, report) = bench.judge("[rules.stale-unused]\nseverity = \"critical\"", base);
    assert_eq!(code, 1);
    let worse = of_rule(&report, "stale-unused")[0];
    let note = worse["evidence"].as_array().unwrap().last().unwrap();
    assert_eq!(note["value"], "accepted on 2026-01-15, but worse since: was high, is critical");
    // Less grave is not worse.
    let (_, report) =
        bench.judge("fail_on = \"info\"\n[rules.stale-unused]\nseverity = \"low\"", base);
    assert_eq!(count(&report, "active"), 0);

    // Fixed.
    bench.change(
        "\"expires\":{\"known\":\"never\"}",
        "\"expires\":{\"known\":{\"idle\":{\"secs\":3600,\"nanos\":0}}}",
    );
    let (code, report) = bench.judge("fail_on = \"info\"", base);
    assert_eq!(code, 0);
    let gone = report["no_longer_found"].as_array().unwrap();
    assert!(gone.iter().any(|gone| gone["rule"] == "no-expiry" && gone["tenant"] == "acme-crm"));
    assert_warns(&report, &format!("{} finding(s) no longer found, can be removed", gone.len()));

    // Worse: more scopes. New: another grant.
    bench.widen();
    let (_, report) = bench.judge("", base);
    let note =
        of_rule(&report, "drift-pattern").into_iter().chain(of_rule(&report, "stale-unused"));
    let notes: Vec<&str> = note
        .filter_map(|finding| finding["evidence"].as_array()?.last()?["value"].as_str())
        .collect();
    assert!(
        notes.contains(&"accepted on 2026-01-15, but worse since: has `full` besides"),
        "{notes:#?}"
    );
}

/// What was not looked at is not gone.
#[test]
fn findings_of_tenants_that_were_not_scanned_are_not_gone() {
    let bench = Bench::new();
    bench.run("", &["--write-baseline", "baseline.jsonl"]).exits(1);
    bench.change("\"tenant\":\"acme-crm\"", "\"tenant\":\"acme-hr\"");
    bench.change("\"name\":\"acme-crm\"", "\"name\":\"acme-hr\"");
    // The same org under another name: accepted all the same, because fingerprints do not know the name.
    let (code, report) =
        bench.judge("rules.no-expiry.severity = 'off'", &["--baseline", "baseline.jsonl"]);
    assert_eq!((code, count(&report, "active")), (0, 0));
    assert_eq!(report["no_longer_found"], serde_json::json!([]));
    assert!(warnings(&report).is_empty());
}

#[test]
fn a_new_grant_is_not_in_the_baseline() {
    let bench = Bench::new();
    bench.run("", &["--write-baseline", "baseline.jsonl"]).exits(1);
    let (_, before) = bench.judge("", &[]);
    let of_grants = of_rule(&before, "no-expiry");
    let of_grant = of_grants.iter().find(|finding| finding["subject"]["kind"] == "grant").unwrap();
    let id = of_grant["subject"]["id"].as_str().unwrap().to_owned();
    bench.change(&format!("\"id\":\"{id}\""), "\"id\":\"0CC-new\"");
    let (code, report) = bench.judge("", &["--baseline", "baseline.jsonl"]);
    assert_eq!(code, 1);
    let active = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["status"] == "active");
    assert!(active.map(|finding| &finding["subject"]["id"]).all(|id| id == "0CC-new"));
    assert!(count(&report, "active") > 0);
}

#[test]
fn a_damaged_or_newer_baseline_is_refused() {
    let bench = Bench::new();
    let base: &[&str] = &["--baseline", "baseline.jsonl"];
    bench
        .run("", base)
        .exits(2)
        .complains("cannot read the baseline baseline.jsonl")
        .complains("--write-baseline");
    bench.run("", &["--write-baseline", "baseline.jsonl"]).exits(1);
    let text = bench.stage.read("baseline.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len();
    for (changed, place, message) in [
        (text.replacen("\"baseline\":1", "\"baseline\":9", 1), "1", "update grantwarden"),
        (lines[1..].join("\n"), "1", "this is no baseline"),
        (String::new(), "1", "the file is empty"),
        (lines[..last - 1].join("\n"), &(last - 1).to_string(), "the file ends after"),
        (format!("{text}{}", lines[1]), &(last + 1).to_string(), "more findings than"),
        (text.replacen("\"severity\":\"", "\"severity\":\"x", 1), "2", "unknown variant"),
        (text.replace("\"api\",", "\"api\",\"full\","), "", "changed by hand"),
        (text.replacen("\"rule\":", "\"ruel\":", 1), "2", "ruel"),
        (text[..text.len() / 2].to_owned(), "", ""),
    ] {
        bench.stage.write("baseline.jsonl", &changed);
        let run = bench.run("", base).exits(2);
        run.complains(&format!("baseline.jsonl:{place}")).complains(message);
    }
    bench
        .run("", &["--write-baseline", "no-such-folder/b.jsonl"])
        .exits(2)
        .complains("there is no folder");
}

#[test]
fn an_incomplete_scan_stays_incomplete_and_so_does_its_baseline() {
    let stage = Stage::small();
    stage.run(&["scan", "--write-baseline", "whole.jsonl"]).exits(1);
    stage.inject(Fault::new(forbidden()).on_text("FROM PermissionSetAssignment"));
    let run = stage.run(&["scan", "--write-baseline", "part.jsonl", "--fail-on", "never"]).exits(3);
    run.complains("so is the baseline");
    assert!(stage.read("part.jsonl").lines().next().unwrap().contains("\"complete\":false"));
    let (run, report) = stage.scan_json(&["--baseline", "part.jsonl"]);
    assert_eq!(run.code, 3, "everything is accepted, and not everything was seen");
    assert_eq!(count(&report, "active"), 0, "{report:#}");
    assert_warns(&report, "it was made from an incomplete scan");
    let (_, report) = stage.scan_json(&["--baseline", "whole.jsonl"]);
    assert!(warnings(&report).iter().all(|warning| !warning.contains("can be removed")));
}

#[test]
fn the_same_policy_gives_the_same_bytes_in_any_order() {
    let bench = Bench::new();
    let entries = [
        format!("{WAIVER}until = 2026-02-01\n"),
        WAIVER.replace("no-expiry", "stale-unused") + "until = 2026-03-01\n",
        WAIVER.replace("\"no-expiry\"", "\"stale-unused\", \"no-expiry\"") + "until = 2026-01-20\n",
        "[[allow]]\nsubject = { tenant = \"acme-crm\" }\nrules = [\"open-consent-policy\"]\nreason = \"r\"\n".to_owned(),
        "[[allow]]\nsubject = { platform = \"salesforce\", app = \"PlatformCLI\" }\nrules = [\"drift-pattern\"]\nreason = \"r\"\n".to_owned(),
        "[[for]]\nsubject = { platform = \"salesforce\", app = \"PlatformCLI\" }\nstale_after = \"10d\"\n".to_owned(),
        "[[for]]\nsubject = { tenant = \"acme-crm\", app = \"PlatformCLI\" }\nstale_after = \"20d\"\n".to_owned(),
    ];
    let first = bench.run(&entries.concat(), &["--format", "json"]);
    assert_eq!(bench.run(&entries.concat(), &["--format", "json"]).stdout, first.stdout);
    let backwards: String = entries.iter().rev().map(String::as_str).collect();
    assert_eq!(bench.run(&backwards, &["--format", "json"]).stdout, first.stdout);
    let report: Value = serde_json::from_str(&first.stdout).unwrap();
    assert!(count(&report, "waived") > 2 && count(&report, "allowed") > 0);
    // Of two waivers that hold, the one that lasts longer is named.
    assert_eq!(of_drift(&report, "no-expiry")[0]["status"]["waived"]["until"], "2026-02-01");
}

#[test]
fn what_is_switched_off_for_one_app_is_listed_and_not_by_a_name() {
    let bench = Bench::new();
    let off = "[[for]]\nsubject = { tenant = \"acme-crm\", app = \"APP\" }\nrules.no-expiry = { severity = \"off\" }\n";
    let (_, report) = bench.judge(off, &[]);
    assert!(of_drift(&report, "no-expiry").is_empty());
    let listed = report["summary"]["switched_off"].to_string();
    assert!(listed.contains("no-expiry for"), "{listed}");
    bench.run(off, &[]).says("Switched off by the policy: no-expiry for");
    let by_name = off.replace("app = \"APP\"", "app_name = \"Drift\"");
    bench.run(&by_name, &[]).exits(2).complains("policy.toml:2:11: anybody can take a name");
}

/// That a waiver is over is to be seen to, not to be got used to.
#[test]
fn a_baseline_never_accepts_that_a_waiver_is_over() {
    let bench = Bench::new();
    let ended = format!("{WAIVER}until = 2026-01-10\n");
    bench.run(&ended, &["--write-baseline", "baseline.jsonl"]);
    assert!(!bench.stage.read("baseline.jsonl").contains("waiver-expired"));
    let (_, report) = bench.judge(&ended, &["--baseline", "baseline.jsonl"]);
    let over = of_rule(&report, "waiver-expired");
    assert_eq!(over.len(), 1);
    assert_eq!(over[0]["status"], "active");
}

/// The same scopes on more repositories are more.
#[test]
fn a_grant_that_comes_to_reach_all_repositories_is_worse() {
    let stage = Stage::company();
    let offline = ["scan", "--offline", "--inventory", "i.jsonl", "--format", "json"];
    stage.run(&["scan", "--export", "i.jsonl", "--fail-on", "never"]);
    let text = stage.read("i.jsonl");
    let narrow = text.replace("all repositories", "selected repositories");
    assert_ne!(text, narrow);
    stage.write("i.jsonl", &narrow);
    stage.run(&[&offline[..], &["--write-baseline", "b.jsonl"]].concat());
    let judge = || {
        let run = stage.run(&[&offline[..], &["--baseline", "b.jsonl"]].concat());
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    assert_eq!(count(&judge(), "active"), 0);
    stage.write("i.jsonl", &text);
    let report = judge();
    assert!(count(&report, "active") > 0);
    assert!(report["findings"].to_string().contains("Repository access: all repositories"));
}
