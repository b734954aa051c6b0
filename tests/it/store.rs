//! What scans leave behind: `scan`, `report` and `store` with a store, in SQLite; and in PostgreSQL where a server is at hand.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use grantwarden_lab::{Effect, Fault, World};
use serde_json::Value;

use crate::support::{Run, SMALL, SMALL_NOW, Stage, forbidden};

/// A stage whose scans are remembered as a user's are: in a folder for state.
fn with_state(stage: &Stage, arguments: &[&str]) -> Command {
    let mut command = stage.command();
    command
        .env_remove("GRANTWARDEN_STORE")
        .env("XDG_STATE_HOME", stage.path("state"))
        .args(arguments);
    command
}

/// Scans into the store of the stage.
fn scan(stage: &Stage) -> Run {
    Run::of(&mut with_state(stage, &["scan", "--fail-on", "never", "--quiet"]))
}

fn run(stage: &Stage, arguments: &[&str]) -> Run {
    Run::of(&mut with_state(stage, arguments))
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"))
}

/// The state of the store's findings after the newest scan: how many are new, back, worse and gone.
fn changes(stage: &Stage) -> [u64; 4] {
    let shown = json(&run(stage, &["store", "show", "--format", "json"]).exits(0));
    ["new", "reopened", "worse", "resolved"].map(|kind| {
        let counts = shown["changes"][kind]["counts"].as_object().unwrap();
        counts.values().map(|count| count.as_u64().unwrap()).sum()
    })
}

/// The small world with changes, later.
fn later(change: impl FnOnce(String) -> String) -> Stage {
    Stage::of(World::parse(&change(SMALL.to_owned())).unwrap(), Some(SMALL_NOW))
}

/// Lets a stage use the store of another one: another day of the same tenant.
fn shares(stage: &Stage, first: &Stage) {
    std::os::unix::fs::symlink(first.path("state"), stage.path("state")).unwrap();
}

#[test]
fn a_scan_is_remembered_for_this_user_only_and_reported_again() {
    let stage = Stage::small();
    let (scanned, again) = (
        Run::of(&mut with_state(&stage, &["scan", "--format", "json", "--fail-on", "never"]))
            .exits(0),
        run(&stage, &["report", "--format", "json", "--fail-on", "never"]).exits(0),
    );
    assert_eq!(scanned.stdout, again.stdout);
    let folder = stage.path("state/grantwarden");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("store.db")), 0o600);
    run(&stage, &["store", "list"])
        .exits(0)
        .says("Scan 1 of 2")
        .says("acme-crm (salesforce): 7 grants, complete");
    run(&stage, &["store", "check"])
        .exits(0)
        .says("1 snapshots were read back; all is as it was kept");
    run(&stage, &["report", "7"]).exits(2).complains("has no scan 7").complains("store list");
    run(&stage, &["report", "yesterday"])
        .exits(2)
        .complains("names no scan: latest, previous, a number");
    run(&stage, &["report", "2001-01-01"]).exits(2).complains("has no scan of 2001-01-01");
    run(&stage, &["report", "--tenant", "other"]).exits(2).complains("has no latest scan of other");
}

#[test]
fn no_secret_reaches_the_store() {
    let stage = Stage::company();
    scan(&stage).exits(0);
    let export = run(&stage, &["store", "export"]).exits(0).stdout;
    let files = ["store.db", "store.db-wal"]
        .map(|name| fs::read(stage.path(&format!("state/grantwarden/{name}"))).unwrap_or_default());
    for secret in stage.secrets() {
        assert!(!export.contains(&secret));
        assert!(
            !files
                .iter()
                .any(|file| file.windows(secret.len()).any(|part| part == secret.as_bytes()))
        );
    }
}

#[test]
fn findings_are_new_then_gone_then_back() {
    let first = Stage::small();
    scan(&first).exits(0);
    let [new, ..] = changes(&first);
    assert!(new > 10, "{new}");
    // Without its tokens, the small world's apps have fewer findings.
    let without = later(|text| {
        let world: toml::Table = text.parse().unwrap();
        without_tokens(world).to_string()
    });
    shares(&without, &first);
    scan(&without).exits(0);
    let [_, back, _, gone] = changes(&without);
    assert!(back == 0 && gone > 5, "{back} {gone}");
    let third = later(|text| text);
    shares(&third, &first);
    scan(&third).exits(0);
    let [_, back, _, _] = changes(&third);
    // All that was gone is back.
    assert!(back >= gone - 1, "{back} of {gone}");
    run(&third, &["store", "show"]).exits(0).says("Compared with the scan of").says("back");
    run(&third, &["report", "previous", "--format", "json", "--fail-on", "never"]).exits(0);
}

fn without_tokens(mut world: toml::Table) -> toml::Table {
    let orgs = world.iter_mut().filter_map(|(_, value)| value.as_array_mut()).flatten();
    for org in orgs.filter_map(toml::Value::as_table_mut) {
        org.remove("token");
    }
    world
}

#[test]
fn what_is_not_seen_is_not_gone() {
    let first = Stage::small();
    scan(&first).exits(0);
    let blind = Stage::small();
    shares(&blind, &first);
    blind.inject(Fault::new(forbidden()).on_path("/query"));
    let blind_run = scan(&blind);
    assert_eq!(blind_run.code, 3, "{blind_run:#?}");
    let [_, _, _, gone] = changes(&blind);
    let shown = json(&run(&blind, &["store", "show", "--format", "json"]).exits(0));
    let rules: Vec<&str> = shown["changes"]["resolved"]["first"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["rule"].as_str().unwrap())
        .collect();
    assert_eq!((gone, rules), (0, vec![]));
    assert_eq!(shown["changes"]["incomplete"][0], "acme-crm");
}

#[test]
fn the_next_scan_is_compared_with_the_last_one() {
    let stage = Stage::small();
    let first =
        Run::of(&mut with_state(&stage, &["scan", "--format", "json", "--fail-on", "never"]))
            .exits(0);
    assert_eq!(json(&first)["tenants"][0]["compared_with"], Value::Null);
    let second =
        Run::of(&mut with_state(&stage, &["scan", "--format", "json", "--fail-on", "never"]))
            .exits(0);
    assert_eq!(json(&second)["tenants"][0]["compared_with"], json(&first)["taken_at"]);
}

/// Scans with reports in every format that dates findings, named `NAME.*`, and gives the one on standard output, JSON.
fn reported(stage: &Stage, command: &[&str], name: &str) -> Value {
    let outputs = ENDINGS.map(|ending| format!("{name}{ending}"));
    let mut arguments = command.to_vec();
    arguments.extend(["--format", "json", "--fail-on", "never"]);
    outputs.iter().for_each(|output| arguments.extend(["--output", output]));
    json(&run(stage, &arguments).exits(0))
}

const ENDINGS: [&str; 7] = [".jsonl", ".csv", ".sarif", ".ocsf.jsonl", ".html", ".md", ".txt"];

/// A member of each finding of a JSON report.
fn of_each(report: &Value, member: &str) -> Vec<Value> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding[member].clone()).collect()
}

/// How many results have each `baselineState`, and how many have none.
fn states(sarif: &str) -> [usize; 3] {
    let log: Value = serde_json::from_str(sarif).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap().clone();
    [Value::from("new"), Value::from("unchanged"), Value::Null]
        .map(|state| results.iter().filter(|result| result["baselineState"] == state).count())
}

#[test]
fn a_report_says_since_when_a_finding_is_there() {
    let stage = Stage::small();
    let first = reported(&stage, &["scan"], "first");
    let all = first["findings"].as_array().unwrap().len();
    assert!(all > 10, "{all}");
    assert!(of_each(&first, "first_seen").iter().all(|time| *time == first["taken_at"]));
    assert!(of_each(&first, "reopened_at").iter().all(Value::is_null));
    assert_eq!(states(&stage.read("first.sarif")), [all, 0, 0]);
    assert!(
        stage.read("first.txt").contains("No earlier scan is remembered: all findings are new")
    );

    let second = reported(&stage, &["scan"], "second");
    let time = first["taken_at"].as_str().unwrap();
    assert_ne!(second["taken_at"], first["taken_at"]);
    // A few are new because only the second scan has something to be compared with.
    let there =
        of_each(&second, "first_seen").iter().filter(|seen| **seen == first["taken_at"]).count();
    let new =
        of_each(&second, "first_seen").iter().filter(|seen| **seen == second["taken_at"]).count();
    assert_eq!(
        (there + new, there >= all - 1),
        (second["findings"].as_array().unwrap().len(), true)
    );
    assert_eq!(states(&stage.read("second.sarif")), [new, there, 0]);
    let result = &serde_json::from_str::<Value>(&stage.read("second.sarif")).unwrap()["runs"][0]["results"]
        [0];
    assert_eq!(result["provenance"]["firstDetectionTimeUtc"], time);
    let said = format!(
        "{new} new, 0 back since {}Z",
        time.split('.').next().unwrap().trim_end_matches('Z')
    );
    for text in [".txt", ".md"] {
        assert!(stage.read(&format!("second{text}")).contains(&said), "{said}");
    }
    let rows = stage.read("second.csv");
    assert!(
        rows.lines().next().unwrap().ends_with(r#","tenant_complete","first_seen","reopened_at""#)
    );
    assert_eq!(rows.matches(&format!(r#","{time}","""#)).count(), there);
    let lines = stage.read("second.jsonl");
    assert_eq!(
        lines.matches(&format!(r#""first_seen":"{time}","reopened_at":null"#)).count(),
        there
    );
    let events = stage.read("second.ocsf.jsonl");
    let event: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    let info = &event["finding_info"];
    assert!(info["first_seen_time"].as_i64().unwrap() <= info["last_seen_time"].as_i64().unwrap());
    assert_eq!(info["first_seen_time"], info["created_time"]);
    let page = stage.read("second.html");
    assert!(page.contains(r#"<th scope="col">First seen</th>"#));
    assert!(page.contains(&format!("<td>{}</td>", &time[..10])));
    assert!(page.contains(r#""dated":true"#));
    // Scans that are not remembered claim nothing.
    let without = reported(&stage, &["scan", "--store", "none"], "none");
    let finding = without["findings"][0].as_object().unwrap();
    assert!(!finding.contains_key("first_seen") && !finding.contains_key("reopened_at"));
    assert_eq!(states(&stage.read("none.sarif"))[..2], [0, 0]);
    assert!(stage.read("none.html").contains(r#""dated":false"#));
    assert!(!stage.read("none.html").contains("First seen</th>"));
}

#[test]
fn what_comes_back_is_marked_and_an_older_report_does_not_know_it() {
    let first = Stage::small();
    reported(&first, &["scan"], "scan");
    let without = later(|text| without_tokens(text.parse().unwrap()).to_string());
    shares(&without, &first);
    scan(&without).exits(0);
    let third = later(|text| text);
    shares(&third, &first);
    let report = reported(&third, &["scan"], "scan");
    let [_, back, ..] = changes(&third);
    assert!(back > 5, "{back}");
    let times = of_each(&report, "reopened_at");
    let came_back = times.iter().filter(|time| **time == report["taken_at"]).count();
    assert_eq!(came_back as u64, back);
    assert!(states(&third.read("scan.sarif"))[0] >= came_back);
    assert!(third.read("scan.txt").contains(&format!(", {back} back since ")));
    assert!(
        third
            .read("scan.txt")
            .lines()
            .any(|line| line.contains("drift-pattern") && line.ends_with("  back"))
    );
    assert!(third.read("scan.md").contains(" **back** |"));
    assert!(
        third
            .read("scan.csv")
            .matches(&format!(r#","{}""#, report["taken_at"].as_str().unwrap()))
            .count()
            >= came_back
    );
    // The same scans again, byte for byte, whatever came after them.
    for (stage, number) in [(&first, "1"), (&third, "3")] {
        reported(stage, &["report", number], "again");
        for ending in ENDINGS {
            let (then, now) =
                (stage.read(&format!("scan{ending}")), stage.read(&format!("again{ending}")));
            assert!(then == now, "{number}{ending}");
        }
    }
    change(&third, "UPDATE finding SET first_seen = 9000000000000000000");
    for format in ["json", "csv", "sarif", "html", "markdown", "table", "ocsf", "jsonl"] {
        run(&third, &["report", "--format", format])
            .exits(4)
            .complains("first_seen is 9000000000000000000");
    }
}

#[test]
fn what_comes_from_several_scans_has_no_news() {
    let stage = Stage::company();
    let of_two =
        ["--tenant", "northwind-robotics", "--tenant", "northwind-okta", "--fail-on", "never"];
    let scan = |tenants: &[&str]| {
        let run = run(&stage, &[&["scan", "--quiet"], tenants].concat());
        assert!([0, 3].contains(&run.code), "{run:#?}");
    };
    scan(&of_two);
    scan(&[&of_two[..2], &of_two[4..]].concat());
    scan(&of_two);
    let sarif = |name: &str| {
        let run = run(&stage, &["report", name, "--format", "sarif", "--fail-on", "never"]);
        states(&run.stdout)
    };
    let [new, there, unknown] = sarif("previous");
    assert!((new, there) == (0, 0) && unknown > 10, "{new} {there} {unknown}");
    assert_eq!(sarif("2")[2], 0);
}

#[test]
fn a_finding_is_explained_with_its_past() {
    let stage = Stage::small();
    let report = json(
        &Run::of(&mut with_state(&stage, &["scan", "--format", "json", "--fail-on", "never"]))
            .exits(0),
    );
    let of_app = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["subject"]["principal"] == "ada.admin@small.example")
        .unwrap();
    let fingerprint = of_app["fingerprint"].as_str().unwrap();
    run(&stage, &["explain", fingerprint])
        .exits(0)
        .says("ada.admin@small.example")
        .says("First seen by the scan of");
    stage.run(&["explain", fingerprint]).exits(2).complains("add --inventory FILE");
    let without = later(|text| without_tokens(text.parse().unwrap()).to_string());
    shares(&without, &stage);
    scan(&without).exits(0);
    run(&without, &["explain", fingerprint]).exits(0).says("It is gone: first seen by the scan of");
    run(&without, &["explain", fingerprint, "--scan", "1"])
        .exits(0)
        .says("Not found any more by the scan of");
}

#[test]
fn a_killed_scan_loses_no_snapshot_that_was_finished() {
    let stage = Stage::demo();
    stage.lab().write_config(&stage.path("")).unwrap();
    let _ = fs::remove_file(stage.path("state/grantwarden/store.db"));
    // Google never ends; the others do.
    stage.inject_google(Fault::new(Effect::Slow { millis: 120_000 }));
    let mut child = with_state(&stage, &["scan", "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut finished = 0;
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(100));
        let listed = run(&stage, &["store", "list", "--format", "json"]);
        finished = listed.stdout.matches("\"tenant\"").count();
        if finished > 0 {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(finished > 0, "no snapshot was kept in a minute");
    run(&stage, &["store", "list"]).exits(0).says("BROKEN OFF");
    run(&stage, &["store", "check"]).exits(0).says("all is as it was kept");
    let report = run(&stage, &["report", "1", "--format", "json", "--fail-on", "never"]);
    assert!(report.stderr.contains("was broken off"), "{report:#?}");
    assert!(!json(&report)["tenants"].as_array().unwrap().is_empty());
    run(&stage, &["report", "latest"]).exits(2).complains("has no latest scan");
    looks_broken_off(&stage);
}

/// What was read may be whole: the report of it must not look so.
fn looks_broken_off(stage: &Stage) {
    const FILES: [&str; 9] = [
        "r.json",
        "r.jsonl",
        "r.csv",
        "r.md",
        "r.sarif",
        "r.xml",
        "r.ocsf.jsonl",
        "r.txt",
        "r.html",
    ];
    let outputs = FILES.iter().chain(&["r.prom"]).flat_map(|file| ["--output", file]);
    let report: Vec<&str> =
        ["report", "1", "--fail-on", "never"].into_iter().chain(outputs).collect();
    run(stage, &report).exits(3).says("INCOMPLETE").says("The scan is incomplete: exit code 3");
    for file in FILES {
        let text = stage.read(file).split_whitespace().collect::<Vec<_>>().join(" ");
        let says = "he scan was broken off: tenants that it had not read by then are missing";
        assert!(text.contains(says), "{file}: {text}");
    }
    assert!(stage.read("r.prom").contains("grantwarden_scan_complete 0\n"));
    let sarif: Value = serde_json::from_str(&stage.read("r.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["ruleId"] == "incomplete-scan"));
    assert!(
        stage
            .read("r.xml")
            .contains("<testsuite name=\"scan\" tests=\"1\" failures=\"0\" errors=\"1\"")
    );
    assert!(!stage.read("r.html").contains("Everything that the connectors promise was read"));
    let accepted = run(stage, &["report", "1", "--fail-on", "never", "--allow-incomplete"]);
    accepted.exits(0).says("accepted by allow_incomplete");
    run(stage, &["report", "1", "--export", "part.jsonl"])
        .exits(2)
        .complains("it would look whole");
    assert!(!stage.path("part.jsonl").exists());
}

#[test]
fn two_scans_at_once_are_both_remembered() {
    let stage = Stage::small();
    let mut children: Vec<_> = (0..3)
        .map(|_| {
            let mut command = with_state(&stage, &["scan", "--fail-on", "never", "--quiet"]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children.drain(..) {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let listed = json(&run(&stage, &["store", "list", "--format", "json"]).exits(0));
    assert_eq!(listed.as_array().unwrap().len(), 3);
    run(&stage, &["store", "check"]).exits(0).says("3 snapshots");
}

#[test]
fn a_store_that_is_none_is_told_and_left_alone() {
    let stage = Stage::small();
    let path = stage.write(
        "broken.db",
        &"this is no database, but a text that somebody keeps here. ".repeat(200),
    );
    let before = fs::read(&path).unwrap();
    let broken = stage.path("broken.db").display().to_string();
    stage
        .run(&["scan", "--store", &broken])
        .exits(4)
        .complains("is damaged or is no store")
        .complains("move the file away");
    assert_eq!(fs::read(&path).unwrap(), before);
    stage
        .run(&["scan", "--store", "/proc/none/store.db"])
        .exits(4)
        .complains("cannot open the store")
        .complains("--store none");
    stage.run(&["store", "list"]).exits(2).complains("this command needs a store");
    let mut homeless = stage.command();
    homeless.env_remove("GRANTWARDEN_STORE").args(["scan"]);
    Run::of(&mut homeless).exits(2).complains("HOME is not set").complains("--store none");
}

#[test]
fn a_damaged_snapshot_is_found_and_never_reported() {
    let stage = Stage::small();
    scan(&stage).exits(0);
    change(&stage, "UPDATE snapshot SET digest = 'FAKE'");
    run(&stage, &["store", "check"]).exits(4).says("its records are not those that were kept");
    run(&stage, &["report"]).exits(4).complains("its records are not those that were kept");
    // The next scan cannot be compared with it. Its report is written all the same, and nothing counts as gone.
    let next = scan(&stage).exits(4).complains("its records are not those that were kept");
    assert!(next.stdout.contains("drift-pattern"), "{}", next.stdout);
    run(&stage, &["store", "list"]).exits(0).says("Scan 2 of").says("BROKEN OFF");
}

#[test]
fn a_newer_store_is_not_touched() {
    let stage = Stage::small();
    scan(&stage).exits(0);
    change(
        &stage,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999, 'later', 1, x'00', 0)",
    );
    scan(&stage)
        .exits(2)
        .complains("was written by a newer grantwarden (migration 999)")
        .complains("update grantwarden");
}

/// Changes the store behind the program's back.
fn change(stage: &Stage, statement: &'static str) {
    let url = format!("sqlite://{}", stage.path("state/grantwarden/store.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::Connection as _;
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_store_moves_whole_and_an_inventory_becomes_a_scan() {
    let stage = Stage::small();
    scan(&stage).exits(0);
    scan(&stage).exits(0);
    run(&stage, &["store", "export", "--output", "all.jsonl"]).exits(0);
    run(&stage, &["store", "import", "all.jsonl", "--store", "new.db"])
        .exits(0)
        .says("Read in: 2 scans, 2 snapshots");
    let again = run(&stage, &["store", "export", "--store", "new.db"]).exits(0);
    assert_eq!(again.stdout, stage.read("all.jsonl"));
    run(&stage, &["store", "import", "all.jsonl", "--store", "new.db"])
        .exits(2)
        .complains("into an empty one only");
    let cut = stage.read("all.jsonl");
    let cut = &cut[..cut.trim_end().rfind('\n').unwrap() + 1];
    stage.write("cut.jsonl", cut);
    run(&stage, &["store", "import", "cut.jsonl", "--store", "cut.db"])
        .exits(2)
        .complains("the export was cut off");
    run(&stage, &["store", "list", "--store", "cut.db"])
        .exits(0)
        .says("No scan is remembered yet.");
    run(&stage, &["report", "1", "--export", "one.jsonl", "--fail-on", "never"]).exits(0);
    run(&stage, &["store", "import", "one.jsonl", "--store", "new.db"])
        .exits(0)
        .says("Read in as scan 3");
    run(&stage, &["report", "3", "--store", "new.db", "--fail-on", "never"]).exits(0);
    run(&stage, &["store", "import", "key.pem", "--store", "new.db"])
        .exits(2)
        .complains("key.pem:1:");
}

#[test]
fn old_snapshots_go_and_the_newest_whole_one_stays() {
    let stage = Stage::small();
    for _ in 0..3 {
        scan(&stage).exits(0);
    }
    run(&stage, &["store", "prune"]).exits(2).complains("nothing says which snapshots to keep");
    let prune = ["store", "prune", "--snapshots", "1", "--age", "0m"];
    run(&stage, &[&prune[..], &["--dry-run"]].concat())
        .exits(0)
        .says("The records of 2 snapshots would be removed.");
    run(&stage, &["store", "check"]).exits(0).says("3 snapshots");
    run(&stage, &prune).exits(0).says("The records of 2 snapshots were removed.");
    run(&stage, &["store", "check"]).exits(0).says("1 snapshots");
    run(&stage, &["report", "1"]).exits(2).complains("they were pruned");
    run(&stage, &["report", "latest", "--fail-on", "never"]).exits(0);
    run(&stage, &prune).exits(0).says("The records of 0 snapshots were removed.");
    run(&stage, &["store", "list"]).exits(0).says("records removed on");
}

/// The store on a server; `.ci/postgres/check.sh` starts one.
#[test]
#[ignore = "needs a PostgreSQL server: .ci/postgres/check.sh"]
#[expect(
    clippy::disallowed_methods,
    reason = "the address of the server comes from the script that starts it"
)]
fn postgres_remembers_the_same() {
    let url = std::env::var("GRANTWARDEN_TEST_POSTGRES").unwrap();
    let stage = Stage::small();
    let config = stage.read("grantwarden.toml") + "[store]\nurl = { env = \"STORE_URL\" }\n";
    stage.write("grantwarden.toml", &config);
    let server = |arguments: &[&str]| {
        let mut command = stage.command();
        Run::of(command.env_remove("GRANTWARDEN_STORE").env("STORE_URL", &url).args(arguments))
    };
    // An export of SQLite's is read in, and numbers go on after it.
    scan(&stage).exits(2).complains("STORE_URL");
    stage.run(&["scan", "--store", "file.db", "--fail-on", "never"]).exits(0);
    stage.run(&["store", "export", "--store", "file.db", "--output", "file.jsonl"]).exits(0);
    server(&["store", "import", "file.jsonl"]).exits(0).says("Read in: 1 scans, 1 snapshots");
    let mut children: Vec<_> = (0..3)
        .map(|_| {
            let mut command = stage.command();
            command.env_remove("GRANTWARDEN_STORE").env("STORE_URL", &url).args([
                "scan",
                "--fail-on",
                "never",
            ]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children.drain(..) {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let listed = json(&server(&["store", "list", "--format", "json"]).exits(0));
    assert_eq!(listed.as_array().unwrap().len(), 4, "{listed:#}");
    server(&["store", "check"]).exits(0).says("4 snapshots were read back; all is as it was kept");
    server(&["store", "show", "1"]).exits(0).says("It is the first scan");
    server(&["report", "latest", "--fail-on", "never"]).exits(0);
    server(&["store", "prune", "--snapshots", "2", "--age", "0m"])
        .exits(0)
        .says("The records of 2 snapshots were removed.");
    server(&["store", "export", "--output", "server.jsonl"]).exits(0);
    stage
        .run(&["store", "import", "server.jsonl", "--store", "back.db"])
        .exits(0)
        .says("Read in: 4 scans, 2 snapshots");
    stage.run(&["store", "export", "--store", "back.db", "--output", "again.jsonl"]).exits(0);
    assert_eq!(stage.read("server.jsonl"), stage.read("again.jsonl"));
}

#[test]
fn scans_of_the_store_are_compared_by_name() {
    let stage = Stage::small();
    scan(&stage).exits(0);
    let without = later(|text| without_tokens(text.parse().unwrap()).to_string());
    shares(&without, &stage);
    scan(&without).exits(0);
    run(&without, &["diff"]).exits(0).says("grant gone");
    run(&without, &["diff", "1", "2", "--exit-code"]).exits(1).says("grant gone");
    run(&without, &["diff", "2", "1"]).exits(2).complains("name the older snapshot first");
    run(&without, &["diff", "1", "9"]).exits(2).complains("has no scan 9");
    run(&without, &["diff", "1", "nothing.jsonl"]).exits(2).complains("or a scan of the store");
}

#[test]
fn people_are_told_once_what_a_scan_changed() {
    let stage = Stage::small();
    let channel = "[[notify]]\nname = \"desk\"\nkind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"cat >> told.jsonl\"]\nmin_severity = \"info\"\n";
    stage.write("grantwarden.toml", &(stage.read("grantwarden.toml") + channel));
    run(&stage, &["notify", "--dry-run"]).exits(2).complains("has no latest scan");
    stage.run(&["scan", "--notify"]).exits(2).complains("--store is `none`");
    run(&stage, &["scan", "--notify", "--fail-on", "never"])
        .exits(0)
        .complains("notify `desk` (command): sent,");
    let told = stage.read("told.jsonl");
    assert!(told.contains("drift-pattern"), "{told}");
    run(&stage, &["notify"]).exits(0).complains("nothing to tell");
    assert_eq!(stage.read("told.jsonl"), told);
    run(&stage, &["scan", "--notify", "--fail-on", "never"]).exits(0);
    run(&stage, &["notify", "--scan", "1", "--dry-run"]).exits(0).says("nothing to tell");
}

/// A stage whose tenant refuses everything.
fn down() -> Stage {
    let stage = Stage::small();
    stage.inject(Fault::new(forbidden()));
    stage
}

#[test]
fn an_outage_is_told_each_time_and_what_was_before_is_found() {
    let first = Stage::small();
    scan(&first).exits(0);
    let second = down();
    shares(&second, &first);
    scan(&second).exits(3);
    let [new, back, _, gone] = changes(&second);
    assert!(new > 0 && (back, gone) == (0, 0), "{new} {back} {gone}");
    let previous =
        run(&second, &["report", "previous", "--format", "json", "--fail-on", "never"]).exits(0);
    assert_eq!(json(&previous)["tenants"][0]["complete"], true);
    let third = Stage::small();
    shares(&third, &first);
    scan(&third).exits(0);
    let [_, _, _, gone] = changes(&third);
    assert!(gone > 0, "what the outage hid is seen again");
    let fourth = down();
    shares(&fourth, &first);
    scan(&fourth).exits(3);
    let [_, back, _, gone] = changes(&fourth);
    assert!(back > 0 && gone == 0, "{back} {gone}");
}

#[test]
fn a_rule_that_was_not_asked_resolves_nothing() {
    let stage = Stage::small();
    let plain = stage.read("grantwarden.toml");
    let own = "[[policy.custom]]\nid = \"mine\"\ntitle = \"Mine\"\non = \"app\"\nwhen = 'true'\nseverity = \"low\"\nmessage = \"An app.\"\n";
    stage.write("grantwarden.toml", &(plain.clone() + own));
    scan(&stage).exits(0);
    let shown = run(&stage, &["store", "show"]).exits(0);
    assert!(shown.stdout.contains(" mine "), "{}", shown.stdout);
    stage.write("grantwarden.toml", &plain);
    scan(&stage).exits(0);
    let shown = run(&stage, &["store", "show"]).exits(0);
    assert!(!shown.stdout.contains(" mine "), "{}", shown.stdout);
}

#[test]
fn records_that_are_not_there_are_said_and_not_left_out() {
    let stage = Stage::small();
    let both = stage.config("acme-crm") + &stage.config("acme-too");
    stage.write("grantwarden.toml", &both);
    scan(&stage).exits(0);
    run(&stage, &["report", "-t", "acme-crm", "-t", "acme-tow"])
        .exits(2)
        .complains("has no latest scan of acme-crm, acme-tow");
    change(&stage, "UPDATE snapshot SET pruned_at = 1 WHERE tenant = 'acme-too'");
    run(&stage, &["report", "1"]).exits(2).complains("no records of acme-too in scan 1 any more");
    run(&stage, &["report", "1", "-t", "acme-crm", "--fail-on", "never"]).exits(0);
}

#[test]
fn an_export_with_another_record_is_refused() {
    let stage = Stage::small();
    scan(&stage).exits(0);
    let export = run(&stage, &["store", "export"]).exits(0).stdout;
    stage.write(
        "changed.jsonl",
        &export.replacen("ada.admin@small.example", "eve.admin@small.example", 1),
    );
    run(&stage, &["store", "import", "changed.jsonl", "--store", "new.db"])
        .exits(2)
        .complains("are not those that were kept");
    run(&stage, &["store", "list", "--store", "new.db"])
        .exits(0)
        .says("No scan is remembered yet.");
}
