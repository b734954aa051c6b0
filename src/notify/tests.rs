//! What is told, to whom, how often; over programs, which need no network.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use async_trait::async_trait;
use grantwarden_kit::{clock::SystemClock, connector::Kit};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{
    Delivered, DeliveredError, Delivery, InMemory, Key, Outcome, preview, send,
    testing::{Made, channel, empty, hostile, item, listed},
};
use crate::{config::Channel, finding::Severity, store::Changes};

fn kit() -> Kit {
    Kit { clock: Arc::new(SystemClock), cancel: CancellationToken::new() }
}

/// A channel that appends what it is told to a file.
fn to_file(folder: &TempDir, name: &str, settings: &str) -> Channel {
    let script = format!("cat >> {}", folder.path().join(name).display());
    let mut channel = channel(settings);
    channel.command = vec!["/bin/sh".into(), "-c".into(), script];
    channel
}

/// The messages in the file.
fn told(folder: &TempDir, name: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn tell(changes: &Changes, channel: &Channel, memory: &dyn Delivered) -> Outcome {
    let outcomes = send(changes, std::slice::from_ref(channel), memory, &kit()).await;
    outcomes.into_iter().next().unwrap()
}

/// Who would be told what: severity and change of each finding.
async fn picked(changes: &Changes, settings: &str) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let channel = to_file(&folder, "told", settings);
    tell(changes, &channel, &InMemory::default()).await;
    let told = told(&folder, "told");
    let Some(message) = told.first() else { return Vec::new() };
    let data = &message["data"];
    let findings = data["findings"].as_array().unwrap().iter();
    let findings = findings
        .map(|finding| format!("{} {}", finding["change"], finding["severity"]).replace('"', ""));
    let incomplete = data["incomplete"].as_array().unwrap().iter();
    findings
        .chain(incomplete.map(|tenant| format!("incomplete {tenant}").replace('"', "")))
        .collect()
}

fn mixed() -> Changes {
    let mut changes = empty();
    let mut vendor = item("vendor", Severity::High, "Drift");
    (vendor.tenant, vendor.platform) = (None, None);
    changes.new = listed(vec![item("1", Severity::Medium, "A"), vendor]);
    let mut other = item("2", Severity::Critical, "B");
    other.tenant = Some("acme-git".into());
    changes.worse = listed(vec![other]);
    changes.reopened = listed(vec![item("3", Severity::High, "C")]);
    changes.resolved = listed(vec![item("4", Severity::Critical, "D")]);
    changes.incomplete = vec!["acme-git".into()];
    changes
}

#[tokio::test]
async fn a_channel_is_told_its_events_severities_and_tenants() {
    let changes = mixed();
    assert_eq!(
        picked(&changes, "").await,
        ["worse critical", "new high", "reopened high", "incomplete acme-git"]
    );
    assert_eq!(
        picked(&changes, "min_severity = \"medium\"\nevents = [\"new\"]").await,
        ["new high", "new medium"]
    );
    assert_eq!(
        picked(&changes, "min_severity = \"critical\"\nevents = [\"resolved\"]").await,
        ["resolved critical"]
    );
    // The vendor's finding belongs to no tenant and may concern this one.
    assert_eq!(picked(&changes, "tenants = [\"acme-crm\"]").await, ["new high", "reopened high"]);
    assert!(picked(&empty(), "").await.is_empty());
}

#[tokio::test]
async fn a_scans_changes_are_told_once_and_what_comes_again_is_told_again() {
    let folder = TempDir::new().unwrap();
    let channel = to_file(&folder, "told", "");
    let memory = InMemory::default();
    let first = tell(&mixed(), &channel, &memory).await;
    assert_eq!(first.result, Delivery::Sent { findings: 3 });
    assert_eq!(tell(&mixed(), &channel, &memory).await.result, Delivery::Nothing);

    // Later the same day it is back a second time, and the tenant is still not read whole, which is known.
    let mut back = empty();
    back.scan += 1;
    back.reopened = listed(vec![item("3", Severity::High, "C")]);
    back.incomplete = vec!["acme-git".into()];
    assert_eq!(tell(&back, &channel, &memory).await.result, Delivery::Sent { findings: 1 });
    let last = told(&folder, "told").pop().unwrap();
    assert!(last["data"]["incomplete"].as_array().unwrap().is_empty(), "{last}");

    // The next day that is worth saying again.
    let mut still = empty();
    still.scan += 2;
    still.taken_at = "2026-01-16T12:00:00Z".parse().unwrap();
    still.incomplete = vec!["acme-git".into()];
    assert_eq!(tell(&still, &channel, &memory).await.result, Delivery::Sent { findings: 0 });
    assert_eq!(told(&folder, "told").len(), 3);
}

#[tokio::test]
async fn one_channels_failure_is_its_own_and_is_told_the_next_time() {
    let folder = TempDir::new().unwrap();
    let mut broken = to_file(&folder, "broken", "");
    let channel = to_file(&folder, "told", "");
    broken.command = vec!["/bin/sh".into(), "-c".into(), "echo no >&2; exit 1".into()];
    let memory = InMemory::default();
    let changes = Made::with(2, "Drift").changes;
    let outcomes = send(&changes, &[broken.clone(), channel], &memory, &kit()).await;
    assert!(outcomes[0].is_failure() && !outcomes[1].is_failure(), "{outcomes:?}");
    assert!(outcomes[0].to_string().contains("not sent: `/bin/sh` ended with exit status: 1: no"));
    assert_eq!(told(&folder, "told").len(), 1);

    // Both channels of this test have one name, so that a mark of the second would hide the failure of the first.
    let own = InMemory::default();
    assert!(tell(&changes, &broken, &own).await.is_failure());
    let mended = to_file(&folder, "mended", "");
    assert_eq!(tell(&changes, &mended, &own).await.result, Delivery::Sent { findings: 2 });
}

#[tokio::test]
async fn a_program_that_hangs_is_ended() {
    let mut channel = channel("timeout_seconds = 1");
    channel.command = vec!["/bin/sleep".into(), "60".into()];
    let outcome = tell(&Made::with(1, "Drift").changes, &channel, &InMemory::default()).await;
    assert!(outcome.to_string().contains("not done within 1 s"), "{outcome}");
}

#[tokio::test]
async fn a_preview_is_what_is_sent_and_sends_nothing() {
    let folder = TempDir::new().unwrap();
    let channel = to_file(&folder, "told", "");
    let memory = InMemory::default();
    let changes = Made::with(3, hostile()).changes;
    let channels = [channel];
    let previews = preview(&changes, &channels, &memory).await;
    assert!(!Path::new(&folder.path().join("told")).exists());
    assert_eq!(preview(&changes, &channels, &memory).await, previews);
    tell(&changes, &channels[0], &memory).await;
    let sent = fs::read_to_string(folder.path().join("told")).unwrap();
    assert_eq!(previews[0].parts, [("standard input", sent)]);
    let nothing = preview(&changes, &channels, &memory).await;
    assert!(nothing[0].parts.is_empty() && nothing[0].head.is_empty());
}

#[tokio::test]
async fn what_is_not_listed_one_by_one_is_counted() {
    let folder = TempDir::new().unwrap();
    let channel = to_file(&folder, "told", "");
    let mut changes = Made::with(500, "Drift").changes;
    for _ in 0..7 {
        changes.new.counts.add(Severity::High);
    }
    changes.new.counts.add(Severity::Low);
    tell(&changes, &channel, &InMemory::default()).await;
    let message = told(&folder, "told").remove(0);
    let data = &message["data"];
    assert_eq!(data["unlisted"], 7);
    assert_eq!(data["findings"].as_array().unwrap().len(), 500);
    assert_eq!(data["title"], "Grantwarden: 500 new, up to 7 more findings (500 critical)");
}

#[tokio::test]
async fn a_channel_of_one_tenant_hears_of_findings_that_may_be_its_own() {
    let folder = TempDir::new().unwrap();
    let channel = to_file(&folder, "told", "tenants = [\"acme-crm\"]");
    let memory = InMemory::default();
    let mut changes = Made::with(500, "Drift").changes;
    for item in &mut changes.new.first {
        item.tenant = Some("acme-git".into());
    }
    assert_eq!(tell(&changes, &channel, &memory).await.result, Delivery::Nothing);
    for _ in 0..7 {
        changes.new.counts.add(Severity::High);
    }
    for result in [Delivery::Sent { findings: 0 }, Delivery::Nothing] {
        assert_eq!(tell(&changes, &channel, &memory).await.result, result);
    }
    changes.scan += 1;
    assert!(!tell(&changes, &channel, &memory).await.is_failure());
    let told = told(&folder, "told");
    assert_eq!(told.len(), 2, "once for each scan");
    assert_eq!(told[0]["data"]["title"], "Grantwarden: up to 7 findings");
    assert_eq!(told[0]["data"]["unlisted"], 7);
}

/// A memory whose disk is full.
struct Broken;

#[async_trait]
impl Delivered for Broken {
    async fn sent(&self, _: &str, _: &[Key]) -> Result<BTreeSet<Key>, DeliveredError> {
        Err("the disk is full".into())
    }

    async fn mark(&self, _: &str, _: &[Key]) -> Result<(), DeliveredError> {
        Err("the disk is full".into())
    }
}

#[tokio::test]
async fn a_broken_memory_keeps_nobody_from_being_told() {
    let folder = TempDir::new().unwrap();
    let channel = to_file(&folder, "told", "");
    let outcome = tell(&Made::with(1, "Drift").changes, &channel, &Broken).await;
    assert_eq!(outcome.result, Delivery::Sent { findings: 1 });
    assert_eq!(outcome.remarks.len(), 2, "{outcome:?}");
    assert!(outcome.remarks.iter().all(|remark| remark.contains("the disk is full")));
}

#[tokio::test]
async fn the_same_changes_make_the_same_message() {
    let changes = mixed();
    let channels = [channel("")];
    let one = preview(&changes, &channels, &InMemory::default()).await;
    assert_eq!(one, preview(&changes, &channels, &InMemory::default()).await);
    let made = (Made::with(1, "A"), Made::with(2, "A"));
    assert_eq!(made.0.message().id(), made.0.message().id());
    assert_ne!(made.0.message().id(), made.1.message().id());
}
