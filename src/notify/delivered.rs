//! What was told already: [`Key`]s, and the memory of them, [`Delivered`]. A key names a change, never what it says.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_lc_rs::digest::{Context as Digest, SHA256};

use crate::{
    config::Event,
    finding::{Fingerprint, Severity},
};

/// After so many days a mark counts no more: what is still so, or is so again, may be told again.
pub const MARK_DAYS: u32 = 30;

/// One change, as it is remembered once it was told: 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// A finding that changed. One that grew worse is told once for each severity that it reaches.
    pub fn of_finding(event: Event, fingerprint: Fingerprint, severity: Severity) -> Self {
        let severity = if event == Event::Worse { severity.as_str() } else { "" };
        Self(digest(&[&event.to_string(), &fingerprint.to_string(), severity]))
    }

    /// A tenant that was not read whole.
    pub fn of_incomplete(tenant: &str) -> Self {
        Self(digest(&[&Event::Incomplete.to_string(), tenant]))
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

/// Remembers what each channel was told, so that a repeated run tells nothing twice. A mark older than [`MARK_DAYS`] does not count.
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

    /// These are over: if they come again, the channel is told again.
    ///
    /// # Errors
    /// If the memory cannot be written.
    async fn forget(&self, channel: &str, keys: &[Key]) -> Result<(), DeliveredError>;
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

    async fn forget(&self, channel: &str, keys: &[Key]) -> Result<(), DeliveredError> {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.retain(|(name, key)| name != channel || !keys.contains(key));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::SubjectKind;

    use super::*;

    /// A changed value here makes every channel be told again.
    #[test]
    fn the_recipe_of_a_key_does_not_change() {
        let fingerprint = Fingerprint::of("r", "p", "t", SubjectKind::App, "1");
        let key = Key::of_finding(Event::New, fingerprint, Severity::High);
        assert_eq!(key.as_str(), "7d4977a77c21ed198dd36c6c42ef356a");
        assert_eq!(key, Key::of_finding(Event::New, fingerprint, Severity::Low));
        let worse = |severity| Key::of_finding(Event::Worse, fingerprint, severity);
        assert_ne!(worse(Severity::High), worse(Severity::Critical));
        assert_ne!(key, Key::of_finding(Event::Reopened, fingerprint, Severity::High));
    }

    #[tokio::test]
    async fn channels_do_not_share_a_memory() {
        let memory = InMemory::default();
        let keys = [Key::of_incomplete("a"), Key::of_incomplete("b")];
        memory.mark("one", &keys).await.unwrap();
        memory.forget("one", &keys[..1]).await.unwrap();
        assert_eq!(memory.sent("one", &keys).await.unwrap(), BTreeSet::from([keys[1].clone()]));
        assert!(memory.sent("two", &keys).await.unwrap().is_empty());
    }
}
