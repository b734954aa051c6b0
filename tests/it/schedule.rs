//! Scans that a timer starts: lock, random wait, heartbeat.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use grantwarden_kit::clock::{Clock as _, SystemClock};
use grantwarden_lab::{Effect, Fault};

use crate::support::{Run, Stage, forbidden};

/// The lock in the hands of another process: this one.
fn held(stage: &Stage) -> File {
    let path = stage.write("scan.lock", "pid 4711\nsince 2026-11-22T18:00:00Z\n");
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    file.try_lock().unwrap();
    file
}

fn calls(stage: &Stage) -> usize {
    stage.org().count_calls(|_| true)
}

#[test]
fn a_lock_that_another_holds_ends_the_scan_before_any_call() {
    let stage = Stage::small();
    let _held = held(&stage);
    let run = stage.run(&["scan", "--lock", "scan.lock", "--output", "grants.json"]).exits(3);
    assert_eq!(run.stdout, "");
    run.complains("nothing was read: another scan runs, pid 4711 since 2026-11-22T18:00:00Z")
        .complains("scan.lock")
        .complains("--lock-wait");
    assert_eq!(calls(&stage), 0);
    assert!(!stage.path("grants.json").exists());
}

#[test]
fn two_scans_take_turns() {
    let stage = Stage::small();
    stage.inject(Fault::new(Effect::Slow { millis: 300 }).on_path("/query").times(4));
    let mut first = started(&stage, &["scan", "--lock", "scan.lock", "--fail-on", "never"]);
    wait_for(|| calls(&stage) > 0);
    let pid = format!("pid {} since", first.id());
    stage.run(&["scan", "--lock", "scan.lock"]).exits(3).complains(&pid);
    let waits = ["scan", "--lock", "scan.lock", "--lock-wait", "5m", "--fail-on", "never"];
    stage.run(&waits).exits(0);
    assert_eq!(first.try_wait().unwrap().unwrap().code(), Some(0), "the first was over by then");
}

#[test]
fn whoever_waits_gets_the_lock_when_it_is_free() {
    let stage = Stage::small();
    let held = held(&stage);
    let arguments = ["scan", "--lock", "scan.lock", "--lock-wait", "5m", "--fail-on", "never"];
    let waiting = started(&stage, &arguments);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(calls(&stage), 0);
    drop(held);
    Run::from(waiting.wait_with_output().unwrap()).exits(0);
    assert!(calls(&stage) > 0);
}

/// The system frees the lock of a process that was killed; the file that it leaves stands in nobody's way.
#[cfg(unix)]
#[test]
fn a_file_that_a_killed_scan_left_holds_nobody_up() {
    let stage = Stage::small();
    stage.inject(Fault::new(Effect::Slow { millis: 20_000 }).on_path("/query").times(1));
    let mut killed = started(&stage, &["scan", "--lock", "scan.lock"]);
    wait_for(|| stage.org().count_calls(|call| call.path.contains("/query")) > 0);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(stage.read("scan.lock").starts_with(&format!("pid {}\n", killed.id())));
    stage.run(&["scan", "--lock", "scan.lock", "--fail-on", "never"]).exits(0);
    assert!(!stage.read("scan.lock").starts_with(&format!("pid {}\n", killed.id())));
}

#[test]
fn a_file_with_something_else_in_it_is_left_alone() {
    let stage = Stage::small();
    let config = stage.read("grantwarden.toml");
    stage
        .run(&["scan", "--lock", "grantwarden.toml"])
        .exits(2)
        .complains("grantwarden.toml is no lock file");
    assert_eq!(stage.read("grantwarden.toml"), config);
    stage
        .run(&["scan", "--lock", "no-such-folder/scan.lock"])
        .exits(2)
        .complains("cannot use the lock file no-such-folder/scan.lock");
    stage.run(&["scan", "--lock-wait", "5m"]).exits(2).complains("--lock");
    stage
        .run(&["scan", "--offline", "--inventory", "a.jsonl", "--lock", "scan.lock"])
        .exits(2)
        .complains("cannot be used with '--lock <FILE>'");
}

#[test]
fn a_random_wait_of_nothing_is_none_and_a_wrong_one_is_refused() {
    let stage = Stage::small();
    stage.run(&["scan", "--jitter", "0m", "--fail-on", "never"]).exits(0);
    stage.run(&["scan", "--jitter", "15"]).exits(2).complains("write a number and a unit");
    // What is wrong with the rest is said before the wait.
    stage.run(&["scan", "--jitter", "52w", "--output", "grants.pdf"]).exits(2);
    stage.run(&["scan", "--jitter", "52w", "--config", "none.toml"]).exits(2);
}

/// A scan that read the secret would say that it is not there.
#[cfg(unix)]
#[test]
fn a_random_wait_can_be_ended_and_reads_no_secret() {
    let stage = Stage::small();
    let config = stage.config("acme-crm");
    stage.write("grantwarden.toml", &config.replace("key.pem", "no-key.pem"));
    let waiting = started(&stage, &["scan", "-v", "--jitter", "52w"]);
    std::thread::sleep(Duration::from_millis(600));
    let pid = waiting.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let run = Run::from(waiting.wait_with_output().unwrap()).exits(3);
    assert!(!run.stderr.contains("no-key.pem"), "{}", run.stderr);
    run.complains("Waits ").complains("the scan was stopped before it began");
    assert_eq!(calls(&stage), 0);
}

/// A scan of a stage that is remembered, if the last one is older.
fn if_older(stage: &Stage, span: &str, more: &[&str]) -> Run {
    let arguments = ["scan", "--fail-on", "never", "--store", "store.db", "--if-older-than", span];
    stage.run(&[&arguments, more].concat())
}

#[test]
fn a_scan_that_is_not_due_is_left_out_with_a_word() {
    let stage = Stage::small();
    if_older(&stage, "20h", &[]).exits(0).says("acme-crm");
    let calls_of_one = calls(&stage);
    assert!(calls_of_one > 0);
    let service = Service::answering("200 OK");
    let skipped = if_older(&stage, "20h", &["--output", "grants.json"]).exits(0);
    assert_eq!(skipped.stdout, "");
    assert_eq!(skipped.stderr.lines().count(), 1, "{}", skipped.stderr);
    skipped.complains("No scan: the last whole one began at ");
    service
        .told_by(&stage, &["--store", "store.db", "--if-older-than", "20h"])
        .exits(0)
        .complains("No scan");
    assert!(service.asked().is_empty());
    assert!(!stage.path("grants.json").exists());
    assert_eq!(calls(&stage), calls_of_one);
    // Of no age at all: always due.
    if_older(&stage, "0m", &[]).exits(0).says("acme-crm");
    assert!(calls(&stage) > calls_of_one);
}

#[test]
fn an_incomplete_scan_and_another_tenant_s_do_not_count() {
    let stage = Stage::small();
    stage.inject(Fault::new(forbidden()).on_text("FROM OauthToken").times(1));
    if_older(&stage, "20h", &[]).exits(3);
    if_older(&stage, "20h", &[]).exits(0).says("acme-crm");
    // The one that was never read decides for both.
    let config = format!("{}{}", stage.config("acme-crm"), stage.config("another"));
    stage.write("grantwarden.toml", &config);
    if_older(&stage, "20h", &["--tenant", "acme-crm"]).exits(0).complains("No scan");
    if_older(&stage, "20h", &[]).exits(0).says("another");
    if_older(&stage, "20h", &[]).exits(0).complains("No scan");
}

#[test]
fn another_account_of_the_same_name_was_never_read() {
    let (stage, another) = (Stage::small(), Stage::small());
    if_older(&stage, "20h", &[]).exits(0).says("acme-crm");
    stage.write("grantwarden.toml", &another.config("acme-crm"));
    if_older(&stage, "20h", &[]).exits(0).says("acme-crm");
    if_older(&stage, "20h", &[]).exits(0).complains("No scan");
}

#[test]
fn a_scan_that_skipped_what_is_wanted_now_does_not_count() {
    let stage = Stage::small();
    let config = stage.config("acme-crm");
    let skipping = config.replace("audience =", "skip = [\"login-history\"]\naudience =");
    stage.write("grantwarden.toml", &skipping);
    if_older(&stage, "20h", &[]).exits(0).says("acme-crm");
    if_older(&stage, "20h", &[]).exits(0).complains("No scan");
    stage.write("grantwarden.toml", &config);
    if_older(&stage, "20h", &[]).exits(0).says("acme-crm");
    // Who skips it again has what is asked for, and more.
    stage.write("grantwarden.toml", &skipping);
    if_older(&stage, "20h", &[]).exits(0).complains("No scan");
}

/// Its disk is full: the store has the scan, and nobody got its report.
#[cfg(target_os = "linux")]
#[test]
fn a_scan_whose_report_nobody_got_does_not_count() {
    let stage = Stage::small();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = stage.command();
    command.args(["scan", "--fail-on", "never", "--store", "store.db"]).stdout(full);
    assert_eq!(command.status().unwrap().code(), Some(4));
    if_older(&stage, "20h", &[]).exits(0).says("acme-crm");
    if_older(&stage, "20h", &[]).exits(0).complains("No scan");
}

#[test]
fn whoever_waited_for_another_scan_asks_again() {
    let stage = Stage::small();
    stage.inject(Fault::new(Effect::Slow { millis: 300 }).on_path("/query").times(4));
    let lock = ["--lock", "scan.lock", "--lock-wait", "5m"];
    let first = ["scan", "--fail-on", "never", "--store", "store.db"];
    let mut first = started(&stage, &[&first, &lock[..]].concat());
    wait_for(|| calls(&stage) > 0);
    if_older(&stage, "20h", &lock).exits(0).complains("No scan");
    assert_eq!(first.try_wait().unwrap().unwrap().code(), Some(0), "the first was over by then");
}

#[test]
fn whether_a_scan_is_due_takes_a_store() {
    let stage = Stage::small();
    stage
        .run(&["scan", "--store", "none", "--if-older-than", "20h"])
        .exits(2)
        .complains("needs a store");
    stage.run(&["scan", "--if-older-than", "soon"]).exits(2).complains("write a number and a unit");
    assert_eq!(calls(&stage), 0);
}

/// A service that is called by scans: notes what was asked for, and always answers the same.
struct Service {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else { continue };
                notes.lock().unwrap().push(first.replace(" HTTP/1.1", ""));
                lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
                let reply = format!("HTTP/1.1 {answer}\r\nConnection: close\r\n");
                let _ = write!(stream, "{reply}Content-Length: 2\r\n\r\nOK");
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A scan that tells this service.
    fn told_by(&self, stage: &Stage, arguments: &[&str]) -> Run {
        told(stage, &format!("http://127.0.0.1:{}/FAKE-5ecret", self.port), arguments)
    }
}

const HEARTBEAT: &str = "[schedule]\nheartbeat = { url = { env = \"HEARTBEAT\" } }\n";

fn told(stage: &Stage, address: &str, arguments: &[&str]) -> Run {
    let config = format!("{}{HEARTBEAT}", stage.config("acme-crm"));
    stage.write("grantwarden.toml", &config);
    let run = Run::of(stage.command().arg("scan").args(arguments).env("HEARTBEAT", address));
    for secret in ["5ecret", address] {
        assert!(!run.stderr.contains(secret), "{}", run.stderr);
        assert!(!run.stdout.contains(secret), "{}", run.stdout);
    }
    run
}

#[test]
fn a_service_hears_of_the_beginning_and_the_end() {
    let stage = Stage::small();
    for (arguments, code) in [(&["--fail-on", "never"][..], 0), (&[], 1)] {
        let service = Service::answering("200 OK");
        let run = service.told_by(&stage, arguments).exits(code);
        assert_eq!(run.stderr, "");
        assert_eq!(service.asked(), ["GET /FAKE-5ecret/start", "GET /FAKE-5ecret"]);
    }
}

#[test]
fn what_kept_a_scan_from_its_work_is_told_by_its_exit_code() {
    let stage = Stage::small();
    let service = Service::answering("200 OK");
    service.told_by(&stage, &["--tenant", "nobody"]).exits(2);
    assert_eq!(service.asked(), ["GET /FAKE-5ecret/start", "GET /FAKE-5ecret/2"]);
    let service = Service::answering("200 OK");
    stage.inject(Fault::new(forbidden()).on_text("FROM OauthToken"));
    service.told_by(&stage, &["--fail-on", "never"]).exits(3);
    assert_eq!(service.asked(), ["GET /FAKE-5ecret/start", "GET /FAKE-5ecret/3"]);
}

#[test]
fn nobody_is_told_of_a_scan_that_another_one_stands_for() {
    let stage = Stage::small();
    let _held = held(&stage);
    let service = Service::answering("200 OK");
    service.told_by(&stage, &["--lock", "scan.lock"]).exits(3);
    assert!(service.asked().is_empty());
}

#[test]
fn offline_tells_nobody() {
    let stage = Stage::small();
    stage.run(&["scan", "--export", "grants.jsonl"]);
    let service = Service::answering("200 OK");
    service.told_by(&stage, &["--offline", "--inventory", "grants.jsonl"]).exits(1);
    assert!(service.asked().is_empty());
}

/// At its most talkative: the address is in no log either.
#[test]
fn a_service_that_does_not_work_is_a_warning() {
    let stage = Stage::small();
    for (answer, why) in [
        ("404 Not Found", "answered with status 404"),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", "another address, which was not followed"),
    ] {
        let service = Service::answering(answer);
        let arguments = ["--fail-on", "never", "-vv", "--log", "trace"];
        service.told_by(&stage, &arguments).exits(0).complains(why);
        assert_eq!(service.asked().len(), 2);
    }
    let never = ["--fail-on", "never"];
    for (address, why) in [
        ("http://127.0.0.1:1/FAKE-5ecret", "The heartbeat was not sent: no connection"),
        ("http://192.0.2.1/FAKE-5ecret", "must begin with https://"),
        ("FAKE-5ecret", "the environment variable HEARTBEAT does not hold a web address"),
        ("file:///FAKE-5ecret", "does not hold a web address"),
    ] {
        told(&stage, address, &never)
            .exits(0)
            .complains(why)
            .complains("The scan is not concerned");
    }
    let missing = stage.run(&["scan", "--fail-on", "never"]).exits(0);
    missing.complains("HEARTBEAT cannot be read: it is not set");
}

/// One that takes calls and never answers.
#[test]
fn a_service_that_hangs_holds_a_scan_up_for_a_while_only() {
    let stage = Stage::small();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/FAKE-5ecret", listener.local_addr().unwrap());
    let begun = SystemClock.elapsed();
    told(&stage, &address, &["--fail-on", "never"]).exits(0).complains("no answer in time");
    assert!(
        SystemClock.elapsed() - begun < Duration::from_secs(60),
        "{:?}",
        SystemClock.elapsed() - begun
    );
}

#[test]
fn the_address_must_be_a_reference() {
    let stage = Stage::small();
    let config = stage.config("acme-crm");
    let wrong = "[schedule]\nheartbeat = { url = \"https://hc.example/FAKE-5ecret\" }\n";
    stage.write("grantwarden.toml", &format!("{config}{wrong}"));
    let run = stage.run(&["scan"]).exits(2);
    assert!(!run.stderr.contains("5ecret"), "{}", run.stderr);
    run.complains("grantwarden.toml:8:21").complains("must not stand in the configuration");
    stage.write("grantwarden.toml", &format!("{config}[schedule]\nheartbeet = 1\n"));
    stage.run(&["scan"]).exits(2).complains("unknown field `heartbeet`");
}

fn started(stage: &Stage, arguments: &[&str]) -> std::process::Child {
    let mut command = stage.command();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_for(happened: impl Fn() -> bool) {
    let begun = SystemClock.elapsed();
    while !happened() {
        assert!(SystemClock.elapsed() - begun < Duration::from_secs(30), "it did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
