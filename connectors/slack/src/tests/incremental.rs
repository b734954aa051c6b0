//! A scan that remembers gives what a scan that reads everything gives, with fewer entries.

use std::time::Duration;

use grantwarden_kit::{
    memory::Memory,
    model::{Coverage, Record},
};
use grantwarden_lab::{Effect, Fault, SlackPlan, World};

use super::bench::{GRID, OneTenant, generated, part, small};

struct Remembering {
    lab: OneTenant,
    folder: tempfile::TempDir,
}

impl Remembering {
    fn of(mut lab: OneTenant) -> Self {
        let folder = tempfile::tempdir().unwrap();
        lab.memory = Some(Memory::at(folder.path().join("test.memory")));
        Self { lab, folder }
    }

    async fn many() -> Self {
        let mut world = generated(SlackPlan::Enterprise, 50, 100, 3_000);
        world.slack[0].behaviour.audit_page = 250;
        let name = world.slack[0].name.clone();
        let mut lab = OneTenant::start(world, &name).await.without_opt_ins();
        lab.skip.push("audit-events".to_owned());
        Self::of(lab)
    }

    async fn small() -> Self {
        let mut lab = OneTenant::grid().await;
        lab.skip.push("audit-events".to_owned());
        Self::of(lab)
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("test.memory")
    }

    /// Scans; and how many pages of the log that took.
    async fn scan(&self) -> (Vec<Record>, Coverage, usize) {
        self.lab.slack().forget_calls();
        let outcome = self.lab.scan().await;
        (outcome.records, outcome.coverage, self.lab.count("/audit/v1/logs"))
    }

    /// Scans with memory, and compares it with a scan without.
    async fn same_as_afresh(&mut self) -> (Coverage, usize) {
        let (records, coverage, pages) = self.scan().await;
        let memory = self.lab.memory.take();
        let afresh = self.lab.scan().await;
        self.lab.memory = memory;
        let text = |records: &[Record]| -> Vec<String> {
            records.iter().map(|record| serde_json::to_string(record).unwrap()).collect()
        };
        for (remembered, read) in text(&records).iter().zip(&text(&afresh.records)) {
            assert_eq!(remembered, read);
        }
        assert_eq!(records.len(), afresh.records.len());
        let read = |coverage: &Coverage| part(coverage, "installed-apps").read;
        assert_eq!(read(&coverage), read(&afresh.coverage));
        (coverage, pages)
    }

    async fn happen(&self, effect: Effect) {
        self.lab.slack().inject(Fault::new(effect).on_path("auth.test").times(1));
        self.lab.probe().await;
        self.lab.slack().clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_scan_reads_what_is_new_and_gives_the_same() {
    let mut remembering = Remembering::many().await;
    let (first, coverage, pages) = remembering.scan().await;
    assert!(coverage.is_whole() && first.len() > 3_000);
    assert!(pages > 10, "{pages}");
    let text = std::fs::read_to_string(remembering.path()).unwrap();
    for secret in grantwarden_kit::testing::StandIn::secrets(&remembering.lab) {
        assert!(!text.contains(&secret));
    }
    for _ in 0..2 {
        let (coverage, pages) = remembering.same_as_afresh().await;
        assert!(coverage.is_whole());
        assert_eq!(pages, 1);
        let notes = &part(&coverage, "installed-apps").notes;
        assert!(notes.iter().any(|note| note.starts_with("incremental: only entries since")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_is_seen() {
    let mut remembering = Remembering::many().await;
    let (records, ..) = remembering.scan().await;
    let app = records.iter().find_map(|record| match record {
        Record::Grant(grant) => Some(grant.app_name.clone()),
        _ => None,
    });
    let app = app.unwrap();
    remembering.happen(Effect::RevokeToken { app: app.clone() }).await;
    remembering.same_as_afresh().await;
    remembering.happen(Effect::AddToken { app, username: "user000007".into() }).await;
    let (coverage, pages) = remembering.same_as_afresh().await;
    assert!(coverage.is_whole());
    assert_eq!(pages, 1);
}

/// Expansions without an app, settings, decisions and an export: all of it comes out the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_everything_comes_out_the_same() {
    let mut remembering = Remembering::small().await;
    remembering.scan().await;
    remembering.same_as_afresh().await;
    remembering.happen(Effect::RevokeToken { app: "Drift".into() }).await;
    let (coverage, pages) = remembering.same_as_afresh().await;
    assert_eq!(pages, 1);
    assert!(coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_is_damaged_is_forgotten() {
    let remembering = Remembering::many().await;
    let (first, _, pages) = remembering.scan().await;
    let whole = std::fs::read_to_string(remembering.path()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n");
    for damaged in [
        whole.replacen("slack audit log 2", "slack audit log 1", 1),
        whole.replacen("\"organization\":\"E", "\"organization\":\"X", 1),
        // A version that asked for fewer actions.
        whole.replacen("app_installed,", "", 1),
        whole[..whole.len() - 20].to_owned(),
        // A line less, in the middle and at the end.
        without(lines.len() / 2),
        without(lines.len() - 1),
        whole.replacen("\"app\":0,", "\"app\":999999,", 1),
        format!("{whole}\n{{\"end\":0}}\n"),
        String::new(),
    ] {
        assert!(damaged != whole);
        std::fs::write(remembering.path(), &damaged).unwrap();
        let (records, coverage, again) = remembering.scan().await;
        assert_eq!((records.len(), again), (first.len(), pages), "everything is read");
        assert!(coverage.is_whole());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_not_read_whole_is_not_remembered() {
    let remembering = Remembering::many().await;
    let refused = super::bench::refusal("team_not_found");
    remembering.lab.slack().inject(Fault::new(refused).on_path("/audit/").on_text("page"));
    let (_, coverage, _) = remembering.scan().await;
    assert!(!coverage.is_whole());
    assert!(!remembering.path().exists());
    remembering.lab.slack().clear_faults();
    let odd = r#"{"entries":[{"date_create":"soon"}],"response_metadata":{}}"#;
    let odd = Fault::new(super::bench::reply(odd)).on_path("/audit/");
    remembering.lab.slack().inject(odd);
    remembering.scan().await;
    assert!(!remembering.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_read_again_in_time() {
    let remembering = Remembering::many().await;
    let (_, _, pages) = remembering.scan().await;
    let whole = std::fs::read_to_string(remembering.path()).unwrap();
    let field = |name: &str| -> i64 {
        let rest = &whole[whole.find(name).unwrap() + name.len()..];
        rest[..rest.find([',', '}']).unwrap()].parse().unwrap()
    };
    let whole_at = field("\"whole_at\":");
    for (days, expected) in [(29, 1), (31, pages)] {
        let old = whole_at - days * 86_400;
        let aged =
            whole.replacen(&format!("\"whole_at\":{whole_at}"), &format!("\"whole_at\":{old}"), 1);
        std::fs::write(remembering.path(), aged).unwrap();
        let (.., again) = remembering.scan().await;
        assert_eq!(again, expected, "{days} days");
    }
    // A memory from the future is none.
    let future = whole_at + i64::try_from(Duration::from_secs(86_400).as_secs()).unwrap();
    let ahead = whole.replace(&whole_at.to_string(), &future.to_string());
    std::fs::write(remembering.path(), ahead).unwrap();
    let (.., again) = remembering.scan().await;
    assert_eq!(again, pages);
}

/// An entry that shows late, within the day that is read again.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_comes_late_is_seen() {
    let mut world = World::parse(&small()).unwrap();
    world.slack[0].behaviour.audit_lag_seconds = 1;
    let mut lab = OneTenant::start(world, GRID).await.without_opt_ins();
    lab.skip.push("audit-events".to_owned());
    let mut remembering = Remembering::of(lab);
    remembering.happen(Effect::RevokeToken { app: "Undecided Notes".into() }).await;
    let (records, ..) = remembering.scan().await;
    let has = |records: &[Record]| {
        super::bench::ids(records).iter().any(|id| id.starts_with("A0NOTES001"))
    };
    assert!(has(&records), "the log does not show it yet");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    remembering.same_as_afresh().await;
    assert!(!has(&remembering.scan().await.0));
}

/// Entries that the log gave before and does not give now: it is not the log that was remembered.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_cut_is_not_added_to() {
    let mut remembering = Remembering::many().await;
    let (_, _, pages) = remembering.scan().await;
    let whole = std::fs::read_to_string(remembering.path()).unwrap();
    // As if the log had had one entry more.
    let at = whole.rfind("{\"end\":").unwrap();
    let end: u64 = whole[at..].trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
    let more = format!("{}{{\"recent\":\"gone\"}}\n{{\"end\":{}}}\n", &whole[..at], end + 1);
    std::fs::write(remembering.path(), more).unwrap();
    let (coverage, again) = remembering.same_as_afresh().await;
    assert_eq!(again, pages + 1);
    let notes = &part(&coverage, "installed-apps").notes;
    assert!(notes.iter().any(|note| note.contains("read anew")), "{notes:?}");
    assert!(coverage.is_whole());
    // And that scan is remembered.
    assert_eq!(remembering.same_as_afresh().await.1, 1);

    // An empty answer is not "nothing new".
    let none = r#"{"entries":[],"response_metadata":{"next_cursor":""}}"#;
    let fault = Fault::new(super::bench::reply(none)).on_path("/audit/v1/logs");
    remembering.lab.slack().inject(fault.times(1));
    let (records, ..) = remembering.scan().await;
    assert!(super::bench::grants(&records).count() > 1_000);
}

/// What the log told is not enough: a scan that did not hand over what it read is not built upon.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_was_broken_off_is_not_remembered() {
    use grantwarden_kit::{connector::Sink, testing::StandIn as _};
    let remembering = Remembering::many().await;
    let session = remembering.lab.open(OneTenant::kit()).unwrap();
    let (sink, mut stream) = Sink::bounded(1);
    let reading = async {
        for _ in 0..20 {
            stream.recv().await;
        }
        drop(stream);
    };
    let ((), coverage) = tokio::join!(reading, session.collect(&sink));
    assert!(!coverage.is_whole());
    assert!(!remembering.path().exists());
    assert_eq!(std::fs::read_dir(remembering.folder.path()).unwrap().count(), 0);
}

/// Whose entries have no ids cannot be told apart from what was taken in already.
#[tokio::test(flavor = "multi_thread")]
async fn entries_without_ids_are_not_remembered() {
    let remembering = Remembering::small().await;
    let page = r#"{"entries":[{"date_create":1700000000,"action":"app_installed","entity":{"type":"app","app":{"id":"A1","name":"One","scopes":["a"]}},"context":{"location":{"type":"workspace","id":"T1"}}}],"response_metadata":{}}"#;
    let fault = Fault::new(super::bench::reply(page)).on_path("/audit/v1/logs");
    remembering.lab.slack().inject(fault);
    let (records, ..) = remembering.scan().await;
    assert!(super::bench::ids(&records).contains(&"A1:T1:by:"));
    assert!(!remembering.path().exists());
}
