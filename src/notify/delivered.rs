//! What was told already: [`Key`]s, and the memory of them, [`Delivered`]. A key names a change, never what it says.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_lc_rs::digest::{Context as Digest, SHA256};
use grantwarden_kit::{clock::Clock, model::Timestamp};

use crate::{config::Event, finding::Fingerprint, store::Store};

/// One change, as it is remembered once it was told: 32 lower-case hexadecimal digits.
///
/// It belongs to one scan, so that what comes again in a later scan is told again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// A finding that a scan, by its number, found changed.
    pub fn of_finding(scan: i64, event: Event, fingerprint: Fingerprint) -> Self {
        Self(digest(&[&scan.to_string(), &event.to_string(), &fingerprint.to_string()]))
    }

    /// A tenant that was not read whole by a scan that began then. The same for every scan of a day: a fault that lasts is told once a day.
    pub fn of_incomplete(began: Timestamp, tenant: &str) -> Self {
        Self(digest(&[&began.date(), &Event::Incomplete.to_string(), tenant]))
    }

    /// The findings of a scan, by its number, of which only the number is known.
    pub fn of_unlisted(scan: i64) -> Self {
        Self(digest(&[&scan.to_string(), "unlisted"]))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first half of SHA-256 over parts, each with its length in front, in hexadecimal digits.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut digest = Digest::new(&SHA256);
    for part in parts {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finish().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Why the memory cannot be asked.
pub type DeliveredError = Box<dyn std::error::Error + Send + Sync>;

/// Remembers what each channel was told, so that a repeated run tells nothing twice.
#[async_trait]
pub trait Delivered: Send + Sync {
    /// Those of the keys that the channel was told.
    ///
    /// # Errors
    /// If the memory cannot be read. The caller then tells everything: twice is better than never.
    async fn sent(&self, channel: &str, keys: &[Key]) -> Result<BTreeSet<Key>, DeliveredError>;

    /// The channel was told these now.
    ///
    /// # Errors
    /// If the memory cannot be written.
    async fn mark(&self, channel: &str, keys: &[Key]) -> Result<(), DeliveredError>;
}

/// A memory that ends with the program.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<BTreeSet<(String, Key)>>);

#[async_trait]
impl Delivered for InMemory {
    async fn sent(&self, channel: &str, keys: &[Key]) -> Result<BTreeSet<Key>, DeliveredError> {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_marked = |key: &&Key| marks.contains(&(channel.to_owned(), (*key).clone()));
        Ok(keys.iter().filter(is_marked).cloned().collect())
    }

    async fn mark(&self, channel: &str, keys: &[Key]) -> Result<(), DeliveredError> {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.extend(keys.iter().map(|key| (channel.to_owned(), key.clone())));
        Ok(())
    }
}

/// The memory in the store, which every run and every machine that uses it shares.
#[derive(Clone, Copy)]
pub struct InStore<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
}

impl<'a> InStore<'a> {
    /// Over an open store; the clock dates the marks.
    pub const fn new(store: &'a Store, clock: &'a dyn Clock) -> Self {
        Self { store, clock }
    }
}

#[async_trait]
impl Delivered for InStore<'_> {
    async fn sent(&self, channel: &str, keys: &[Key]) -> Result<BTreeSet<Key>, DeliveredError> {
        let sent = self.store.sent(channel, &texts(keys)).await?;
        Ok(sent.into_iter().map(Key).collect())
    }

    async fn mark(&self, channel: &str, keys: &[Key]) -> Result<(), DeliveredError> {
        Ok(self.store.mark_sent(channel, &texts(keys), self.clock.now()).await?)
    }
}

fn texts(keys: &[Key]) -> Vec<String> {
    keys.iter().map(|key| key.0.clone()).collect()
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::clock::SystemClock;

    use crate::finding::SubjectKind;

    use super::*;

    /// A changed value here makes every channel be told again.
    #[test]
    fn the_recipe_of_a_key_does_not_change() {
        let fingerprint = Fingerprint::of("r", "p", "t", SubjectKind::App, "1");
        let key = |scan, event| Key::of_finding(scan, event, fingerprint);
        assert_eq!(key(12, Event::New).as_str(), "0c09ef225d12f3e57d7f416c7cfea2d1");
        assert_ne!(key(12, Event::New), key(13, Event::New));
        assert_ne!(key(12, Event::New), key(12, Event::Reopened));
    }

    async fn remembers(memory: &dyn Delivered) {
        let day = "2026-01-15T12:00:00Z".parse().unwrap();
        let keys = [Key::of_incomplete(day, "a"), Key::of_incomplete(day, "b")];
        memory.mark("one", &keys[1..]).await.unwrap();
        memory.mark("one", &keys[1..]).await.unwrap();
        assert_eq!(memory.sent("one", &keys).await.unwrap(), BTreeSet::from([keys[1].clone()]));
        assert!(memory.sent("two", &keys).await.unwrap().is_empty());
        assert!(memory.sent("one", &[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn channels_do_not_share_a_memory() {
        remembers(&InMemory::default()).await;
    }

    #[tokio::test]
    async fn the_store_remembers_beyond_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.sqlite");
        remembers(&InStore::new(&Store::open_file(&file).await.unwrap(), &SystemClock)).await;
        let again = Store::open_file(&file).await.unwrap();
        let key = Key::of_incomplete("2026-01-15".parse().unwrap(), "b");
        let memory = InStore::new(&again, &SystemClock);
        assert_eq!(
            memory.sent("one", std::slice::from_ref(&key)).await.unwrap(),
            BTreeSet::from([key])
        );
    }
}
