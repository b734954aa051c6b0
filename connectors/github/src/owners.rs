//! [`OwnerCache`]: who is behind an app, by its slug, for all tenants of one GitHub. One call tells it, and it hardly ever changes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use grantwarden_kit::model::Timestamp;

use crate::api::AppFacts;

/// What was read is good for so long.
const LIFE: Duration = Duration::from_secs(3_600);

/// GitHub's origin and an app's slug.
type Key = (String, String);

/// What is known of publishers of apps. Only what GitHub told is kept: an app that it does not show to one tenant may be shown to another.
#[derive(Debug, Default)]
pub(crate) struct OwnerCache(Mutex<BTreeMap<Key, (Timestamp, AppFacts)>>);

impl OwnerCache {
    pub(crate) fn find(&self, origin: &str, slug: &str, now: Timestamp) -> Option<AppFacts> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, facts) = known.get(&(origin.to_owned(), slug.to_owned()))?;
        (read_at.until(now) < LIFE).then(|| facts.clone())
    }

    pub(crate) fn keep(&self, origin: &str, slug: &str, now: Timestamp, facts: AppFacts) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((origin.to_owned(), slug.to_owned()), (now, facts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_read_again_and_tenants_of_another_github_are_apart() {
        let cache = OwnerCache::default();
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let facts: AppFacts = serde_json::from_str(r#"{"name":"Robin"}"#).unwrap();
        cache.keep("https://api.github.com", "robin", now, facts);
        let find = |origin, at| cache.find(origin, "robin", at).is_some();
        assert!(find("https://api.github.com", now.plus(Duration::from_secs(3_599))));
        assert!(!find("https://api.github.com", now.plus(LIFE)));
        assert!(!find("https://ghe.acme.example", now));
    }
}
