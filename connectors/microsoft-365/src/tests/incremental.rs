//! Scans that remember the last one: the same result as a full scan, whatever happened in between.

use std::path::Path;

use grantwarden_kit::model::{Observed, Record};
use grantwarden_lab::{Effect, Fault};
use tempfile::TempDir;

use super::support::{OneDirectory, Scan, app, apps, grants, part};

const GRAPH: &str = "9a000000-0000-4000-8000-000000000003";
const USER: &str = "sam.sales@small.example";

/// The small directory with a memory that two scans have filled: the first one alone is not enough.
struct Remembering {
    lab: OneDirectory,
    folder: TempDir,
}

impl Remembering {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut lab = OneDirectory::small().await;
        lab.memory = Some(folder.path().join("small.memory"));
        let first = lab.scan().await;
        assert!(first.coverage.is_whole(), "{:#?}", first.coverage);
        lab.tenant().forget_calls();
        lab.scan().await;
        assert!(lists(&lab), "built on the first scan");
        let this = Self { lab, folder };
        assert!(this.file().exists());
        this
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("small.memory")
    }

    /// Scans from memory, and again without it: the two must agree. Whether the first listed everything.
    async fn scan(&mut self) -> (Scan, bool) {
        self.lab.tenant().forget_calls();
        let scan = self.lab.scan().await;
        let listed = lists(&self.lab);
        let memory = self.lab.memory.take();
        let full = self.lab.scan().await;
        self.lab.memory = memory;
        assert_eq!(texts(&scan), texts(&full));
        (scan, listed)
    }
}

fn lists(lab: &OneDirectory) -> bool {
    lab.tenant().count_calls(|call| call.path.ends_with("/servicePrincipals")) > 0
}

fn texts(scan: &Scan) -> Vec<String> {
    let mut texts: Vec<String> = scan.records.iter().map(|record| format!("{record:?}")).collect();
    texts.sort();
    texts
}

fn now_and_then(effect: Effect) -> Fault {
    Fault::new(effect).on_path("/organization").times(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changed_and_nothing_is_listed() {
    let mut directory = Remembering::start().await;
    let (scan, listed) = directory.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    assert!(!listed);
    assert_eq!(part(&scan, "grants").read, 10);
    let of_grants = |call: &grantwarden_lab::Call| call.path.ends_with("/oauth2PermissionGrants");
    // The second, full scan listed them; both chains once.
    assert_eq!(directory.lab.tenant().count_calls(of_grants), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_scan_by_scan() {
    let mut directory = Remembering::start().await;
    let tenant = directory.lab.tenant();
    assert!(tenant.set_enabled("Mailvault", false));
    tenant.add_service_principal("Brand New").unwrap();
    let (scan, listed) = directory.scan().await;
    assert!(!listed);
    assert_eq!(app(&scan, "Mailvault").blocked, Observed::Known(true));
    assert_eq!(apps(&scan).filter(|app| app.name == "Brand New").count(), 1);
    // And from that scan's memory on.
    directory.lab.tenant().set_enabled("Mailvault", true);
    let (scan, listed) = directory.scan().await;
    assert!(!listed);
    assert_eq!(app(&scan, "Mailvault").blocked, Observed::Known(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_that_came_and_went_are_seen() {
    let mut directory = Remembering::start().await;
    let revoke = Effect::RevokeToken { app: "Chartly".into() };
    directory.lab.tenant().inject(now_and_then(revoke));
    directory.lab.scan().await;
    let (scan, listed) = directory.scan().await;
    assert!(!listed);
    assert_eq!(part(&scan, "grants").read, 9);
    let add = Effect::AddToken { app: "Never Used".into(), username: USER.into() };
    directory.lab.tenant().inject(now_and_then(add));
    directory.lab.scan().await;
    let (scan, listed) = directory.scan().await;
    assert!(!listed);
    assert_eq!(part(&scan, "grants").read, 10);
    let of_sam = grants(&scan)
        .filter(|grant| grant.app_name == "Never Used" && grant.holder.principal().is_some());
    assert_eq!(of_sam.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_was_deleted_is_seen() {
    let mut directory = Remembering::start().await;
    directory.lab.tenant().inject(now_and_then(Effect::DeleteUser { username: USER.into() }));
    directory.lab.scan().await;
    directory.scan().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_or_is_too_old_leads_to_a_full_scan() {
    let mut directory = Remembering::start().await;
    directory.lab.tenant().expire_delta_tokens();
    let (_, listed) = directory.scan().await;
    assert!(listed);
    // The full scan remembered again.
    let (_, listed) = directory.scan().await;
    assert!(!listed);
    // Eight days ago: Graph would not know the token any more.
    let text = std::fs::read_to_string(directory.file()).unwrap();
    let old = text.replacen("\"read_at\":\"2026-01-15", "\"read_at\":\"2026-01-07", 1);
    assert_ne!(text, old);
    std::fs::write(directory.file(), old).unwrap();
    let (_, listed) = directory.scan().await;
    assert!(listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_memory_is_forgotten() {
    type Damage = fn(&Path);
    let damages: [Damage; 5] = [
        |file| std::fs::write(file, "").unwrap(),
        |file| {
            let text = std::fs::read_to_string(file).unwrap();
            std::fs::write(file, text.replacen("microsoft-365 2", "microsoft-365 0", 1)).unwrap();
        },
        // Cut off at a line's end: nothing in it looks wrong.
        |file| {
            let text = std::fs::read_to_string(file).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            std::fs::write(file, lines[..lines.len() - 3].join("\n") + "\n").unwrap();
        },
        |file| {
            let text = std::fs::read_to_string(file).unwrap();
            std::fs::write(file, &text[..text.len() / 2]).unwrap();
        },
        |file| {
            let text = std::fs::read_to_string(file).unwrap();
            std::fs::write(file, text.replacen("5e1ab000", "00000000", 1)).unwrap();
        },
    ];
    for damage in damages {
        let mut directory = Remembering::start().await;
        damage(&directory.file());
        let (scan, listed) = directory.scan().await;
        assert!(listed && scan.coverage.is_whole());
        // If nothing of the file could be used, the scan was a first one, and the next is a second.
        directory.lab.scan().await;
        let (_, listed) = directory.scan().await;
        assert!(!listed, "the full scan was not remembered");
    }
}

/// What was not read must not be taken for known the next time.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_lost_something_is_not_remembered() {
    for path in ["/v1.0/applications", "/oauth2PermissionGrants"] {
        let folder = tempfile::tempdir().unwrap();
        let mut lab = OneDirectory::small().await;
        lab.memory = Some(folder.path().join("small.memory"));
        let broken = Fault::new(Effect::Html).on_path(path).on_text("top=999");
        lab.tenant().inject(broken);
        let scan = lab.scan().await;
        assert!(!scan.coverage.is_whole());
        assert!(!folder.path().join("small.memory").exists(), "{path}");
    }
}

/// Failed questions for changes cost a full scan, and no fact.
#[tokio::test(flavor = "multi_thread")]
async fn changes_that_are_not_told_lead_to_a_full_scan() {
    for effect in [
        Effect::Html,
        Effect::Reply { status: 200, headers: Vec::new(), body: r#"{"value":[]}"#.into() },
        Effect::Reply {
            status: 200,
            headers: Vec::new(),
            body: r#"{"value":[3],"@odata.deltaLink":"x"}"#.into(),
        },
        // A row that was not there before, and not told whole.
        Effect::Reply {
            status: 200,
            headers: Vec::new(),
            body: r#"{"value":[{"id":"new","scope":"X"}],"@odata.deltaLink":"x"}"#.into(),
        },
    ] {
        let mut directory = Remembering::start().await;
        // Asked for since the scan before the last one, and since the last one.
        let fault = Fault::new(effect).on_path("/oauth2PermissionGrants/delta").times(2);
        directory.lab.tenant().inject(fault);
        let (scan, listed) = directory.scan().await;
        assert!(listed && scan.coverage.is_whole());
    }
}

/// Graph sends only what changed; the rest stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_one_property_keeps_the_others() {
    let directory = Remembering::start().await;
    let body = r#"{"value":[{"id":"51000000-0000-4000-8000-000000000001","displayName":"Mailvault Two"},
        {"id":"51000000-0000-4000-8000-000000000001","accountEnabled":false},
        {"id":"51000000-0000-4000-8000-000000000005","@removed":{"reason":"changed"}}],"@odata.deltaLink":"/v1.0/servicePrincipals/delta?$deltatoken=x"}"#;
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body: body.into() };
    let fault = Fault::new(effect).on_path("/servicePrincipals/delta").times(1);
    directory.lab.tenant().inject(fault);
    let scan = directory.lab.scan().await;
    let changed = app(&scan, "Mailvault Two");
    assert_eq!(changed.blocked, Observed::Known(true));
    assert_eq!(changed.publisher.known().unwrap().name, "Mailvault Ltd.");
    assert!(!apps(&scan).any(|app| app.name == "Free PDF Magic"));
    let is_first = |record: &Record| matches!(record, Record::Tenant(_));
    assert!(is_first(&scan.records[0]));
}

/// A row that is there again replaces the one in the file: told in part, it would lose the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_came_back_in_part_leads_to_a_full_scan() {
    let mut directory = Remembering::start().await;
    let body = format!(
        r#"{{"value":[{{"id":"{GRAPH}","@removed":{{"reason":"changed"}}}},{{"id":"{GRAPH}","accountEnabled":true}}],
        "@odata.deltaLink":"/v1.0/servicePrincipals/delta?$deltatoken=x"}}"#
    );
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body };
    let fault = Fault::new(effect).on_path("/servicePrincipals/delta").times(1);
    directory.lab.tenant().inject(fault);
    let (scan, listed) = directory.scan().await;
    assert!(listed && scan.coverage.is_whole());
}

/// Roles that a change does not tell are asked for; credentials that it does not tell are a loss, and not remembered.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_nothing_told_is_no_change_to_nothing() {
    let directory = Remembering::start().await;
    let before = std::fs::read_to_string(directory.file()).unwrap();
    let body = format!(
        r#"{{"value":[{{"id":"{GRAPH}","appRoles":null,"passwordCredentials":null}}],"@odata.deltaLink":"/v1.0/servicePrincipals/delta?$deltatoken=x"}}"#
    );
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body };
    let fault = Fault::new(effect).on_path("/servicePrincipals/delta").times(1);
    directory.lab.tenant().inject(fault);
    let read = |scan: &Scan| part(scan, "app-permissions").read;
    let scan = directory.lab.scan().await;
    assert!(!scan.coverage.is_whole());
    assert_eq!(std::fs::read_to_string(directory.file()).unwrap(), before);
    let again = directory.lab.scan().await;
    assert_eq!(read(&scan), read(&again));
}

/// However well the changes go on, everything is listed anew each week; and a scan from memory says what it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_week_after_the_last_full_scan_comes_another() {
    let mut directory = Remembering::start().await;
    let (scan, listed) = directory.scan().await;
    assert!(!listed);
    let notes = &part(&scan, "grants").notes;
    assert!(notes.iter().any(|note| note.starts_with("incremental: ")), "{notes:?}");
    let text = std::fs::read_to_string(directory.file()).unwrap();
    let old = text.replacen("\"full_at\":\"2026-01-15", "\"full_at\":\"2026-01-07", 1);
    assert_ne!(text, old);
    std::fs::write(directory.file(), old).unwrap();
    let (scan, listed) = directory.scan().await;
    assert!(listed);
    assert!(part(&scan, "grants").notes.is_empty());
    let (_, listed) = directory.scan().await;
    assert!(!listed);
}

/// Changes are asked for since the scan before the last: what the last one was told late is told again.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_last_scan_was_told_late_is_told_again() {
    let mut directory = Remembering::start().await;
    directory.lab.scan().await;
    assert!(directory.lab.tenant().set_enabled("Mailvault", false));
    // The directory does not tell it yet.
    let text = std::fs::read_to_string(directory.file()).unwrap();
    let link = text.split("\"Principal\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let latest = directory.lab.tenant();
    let body = format!(r#"{{"value":[],"@odata.deltaLink":"{link}"}}"#);
    let silent = Effect::Reply { status: 200, headers: Vec::new(), body };
    latest.inject(Fault::new(silent).on_path("/servicePrincipals/delta").times(1));
    directory.lab.scan().await;
    let (scan, listed) = directory.scan().await;
    assert!(!listed);
    assert_eq!(app(&scan, "Mailvault").blocked, Observed::Known(true));
}

/// Listings lag: a grant that came before the first token and was not listed yet is told by no change. The second scan lists it.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_lags_behind_is_caught_up_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = OneDirectory::small().await;
    lab.memory = Some(folder.path().join("small.memory"));
    let body = r#"{"value":[]}"#.to_owned();
    let late = Effect::Reply { status: 200, headers: Vec::new(), body };
    let late = Fault::new(late).on_path("/v1.0/oauth2PermissionGrants").on_text("top=999");
    lab.tenant().inject(late.times(2));
    assert_eq!(part(&lab.scan().await, "grants").read, 0);
    for _ in 0..2 {
        assert_eq!(part(&lab.scan().await, "grants").read, 10);
    }
}

/// Two scans with one memory: whose file was replaced under it reads anew, and does not mix the two.
#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_was_replaced_meanwhile_is_not_mixed() {
    let directory = Remembering::start().await;
    let lab = &directory.lab;
    lab.scan().await;
    let slow = Fault::new(Effect::Slow { millis: 2_000 }).on_path("/oauth2PermissionGrants/delta");
    lab.tenant().inject(slow.times(1));
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        std::fs::write(directory.file(), "\"microsoft-365 2\"\n").unwrap();
    };
    let (scan, ()) = tokio::join!(lab.scan(), late);
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    assert_eq!(part(&scan, "grants").read, 10);
}
