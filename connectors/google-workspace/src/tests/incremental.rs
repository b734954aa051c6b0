//! A scan that remembers gives what a scan that reads everything gives, with fewer calls.

use std::time::Duration;

use grantwarden_kit::{
    memory::Memory,
    model::{Coverage, Record},
};
use grantwarden_lab::{Effect, Fault};

use super::bench::{OneAccount, holders, part};

const USERS: usize = 600;

struct Remembering {
    lab: OneAccount,
    folder: tempfile::TempDir,
}

impl Remembering {
    async fn start() -> Self {
        let mut world = OneAccount::generated(USERS, 3_000, 40);
        // Several scans in a second, by a clock that does not wait.
        world.google_workspace[0].behaviour.quota = false;
        let mut lab = OneAccount::start(world).await;
        let folder = tempfile::tempdir().unwrap();
        lab.memory = Some(Memory::at(folder.path().join("test.memory")));
        Self { lab, folder }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("test.memory")
    }

    /// Scans, and says how many users' grants were listed.
    async fn scan(&self) -> (Vec<Record>, Coverage, usize) {
        self.lab.google().forget_calls();
        let outcome = self.lab.scan().await;
        let listed = self.lab.google().count_calls(|call| call.path.ends_with("/tokens"));
        (outcome.records, outcome.coverage, listed)
    }

    /// What a scan without memory gives.
    async fn afresh(&mut self) -> Vec<Record> {
        let memory = self.lab.memory.take();
        let records = self.lab.scan().await.records;
        self.lab.memory = memory;
        records
    }

    /// Scans with memory, and compares it with a scan without.
    async fn same_as_afresh(&mut self, most_listed: usize) -> Coverage {
        let (records, coverage, listed) = self.scan().await;
        let afresh = self.afresh().await;
        assert_eq!(holders(&records), holders(&afresh));
        for (remembered, listed) in without_clock(&records).iter().zip(&without_clock(&afresh)) {
            assert_eq!(remembered, listed);
        }
        assert_eq!(records.len(), afresh.len());
        assert!(listed <= most_listed, "{listed} lists of grants");
        coverage
    }

    async fn a_grant(&self) -> (String, String) {
        let records = self.lab.scan().await.records;
        let name =
            holders(&records).into_iter().find(|name| name.contains("user0000100@")).unwrap();
        let (app, user) = name.split_once(" for ").unwrap();
        (app.to_owned(), user.to_owned())
    }
}

/// Records as text, without what tells the time of the scan.
fn without_clock(records: &[Record]) -> Vec<String> {
    let told = records.iter().filter(|record| !matches!(record, Record::Usage(_)));
    told.map(|record| serde_json::to_string(record).unwrap()).collect()
}

/// A thirtieth of the users, with room for chance.
const SAMPLED: usize = USERS / 30 * 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_scan_lists_few_users_and_gives_the_same() {
    let mut remembering = Remembering::start().await;
    let (first, coverage, listed) = remembering.scan().await;
    assert!(coverage.is_whole());
    assert_eq!(listed, USERS + 1);
    assert!(remembering.path().exists());
    let coverage = remembering.same_as_afresh(SAMPLED + 20).await;
    assert!(coverage.is_whole());
    // Said, so that a reader sees it, and no loss.
    let said = part(&coverage, "grants");
    assert!(said.losses.is_empty());
    assert!(said.notes[0].starts_with("incremental: of 601 users' grants"), "{said:?}");
    let text = std::fs::read_to_string(remembering.path()).unwrap();
    for secret in grantwarden_kit::testing::StandIn::secrets(&remembering.lab) {
        assert!(!text.contains(&secret));
    }
    assert!(first.len() > 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_is_seen() {
    let mut remembering = Remembering::start().await;
    let (app, user) = remembering.a_grant().await;
    remembering.scan().await;
    remembering.lab.happen(Effect::RevokeToken { app: app.clone() }).await;
    remembering.same_as_afresh(SAMPLED + 20).await;
    remembering.lab.happen(Effect::DeleteUser { username: user }).await;
    let coverage = remembering.same_as_afresh(SAMPLED + 20).await;
    assert!(coverage.is_whole());
    let other = "user0000200@generated.example".to_owned();
    // Whoever has it already keeps it.
    remembering.lab.happen(Effect::AddToken { app, username: other }).await;
    remembering.same_as_afresh(SAMPLED + 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_is_damaged_or_old_is_forgotten() {
    let mut remembering = Remembering::start().await;
    remembering.scan().await;
    let whole = std::fs::read_to_string(remembering.path()).unwrap();
    for damaged in [
        whole.replacen("google-workspace", "google-workspace-old", 1),
        whole[..whole.len() - 20].to_owned(),
        whole.replace("\"customer\":\"C", "\"customer\":\"X"),
        String::new(),
    ] {
        std::fs::write(remembering.path(), &damaged).unwrap();
        let (records, coverage, listed) = remembering.scan().await;
        assert_eq!(listed, USERS + 1, "everybody is listed");
        assert!(coverage.is_whole());
        assert_eq!(holders(&records), holders(&remembering.afresh().await));
    }
}

/// The log does not tell who changed: nobody's grants are taken from memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_holes_means_a_full_pass() {
    let remembering = Remembering::start().await;
    remembering.scan().await;
    let body = r#"{"kind":"admin#reports#activity","items":[{"id":{"time":"yesterday"}}]}"#;
    for effect in [
        super::bench::forbidden(),
        Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() },
    ] {
        remembering.lab.google().clear_faults();
        remembering
            .lab
            .google()
            .inject(Fault::new(effect).on_path("/applications/token").on_text("revoke"));
        let (_, _, listed) = remembering.scan().await;
        assert_eq!(listed, USERS + 1);
    }
}

/// What was not read must not be taken for known the next time.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_was_not_readable_is_asked_for_again() {
    let mut remembering = Remembering::start().await;
    let refused = super::bench::forbidden();
    remembering.lab.google().inject(Fault::new(refused).on_path("/tokens").skip(100).times(2));
    let (records, coverage, _) = remembering.scan().await;
    assert!(!coverage.is_whole());
    let afresh = remembering.afresh().await;
    assert!(records.len() < afresh.len());
    let coverage = remembering.same_as_afresh(SAMPLED + 20).await;
    assert!(coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_was_cut_short_is_not_remembered() {
    let remembering = Remembering::start().await;
    let refused = super::bench::refusal(400, "invalid", "Invalid Input: pageToken");
    remembering.lab.google().inject(Fault::new(refused).on_path("/v1/users").on_text("pageToken"));
    let (_, coverage, _) = remembering.scan().await;
    assert!(!coverage.is_whole());
    assert!(!remembering.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_listed_again_in_time() {
    let remembering = Remembering::start().await;
    remembering.scan().await;
    remembering.lab.google().forget_calls();
    // The lab's clock stands still for the log; the scanner's is a month ahead, and signs in by its own.
    remembering.lab.google().set_behaviour(|behaviour| {
        behaviour.clock_skew_seconds = 31 * 86_400;
    });
    let (_, coverage) = remembering.lab.scan_later(Duration::from_secs(31 * 86_400)).await;
    let listed = remembering.lab.google().count_calls(|call| call.path.ends_with("/tokens"));
    assert_eq!(listed, USERS + 1, "{coverage:#?}");
}
