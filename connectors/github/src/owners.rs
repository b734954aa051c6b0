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

/// Apps that are remembered at most: a process may live for long.
const MOST: usize = 10_000;

/// Where the GitHub is, and an app's slug.
type Key = (String, String);

/// What is known of publishers of apps. Only what GitHub told is kept: an app that it does not show to one tenant may be shown to another.
#[derive(Debug, Default)]
pub(crate) struct OwnerCache(Mutex<BTreeMap<Key, (Timestamp, AppFacts)>>);

impl OwnerCache {
    pub(crate) fn find(&self, base: &str, slug: &str, now: Timestamp) -> Option<AppFacts> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, facts) = known.get(&(base.to_owned(), slug.to_owned()))?;
        (read_at.until(now) < LIFE).then(|| facts.clone())
    }

    pub(crate) fn keep(&self, base: &str, slug: &str, now: Timestamp, facts: AppFacts) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (read_at, _)| read_at.until(now) < LIFE);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert((base.to_owned(), slug.to_owned()), (now, facts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Account, Site};

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
        // What nobody asks for again does not stay for ever.
        let later = now.plus(LIFE);
        for number in 0..MOST {
            let facts = serde_json::from_str("{}").unwrap();
            cache.keep("https://api.github.com", &number.to_string(), later, facts);
        }
        assert!(cache.0.lock().unwrap().len() <= MOST);
        assert!(cache.find("https://api.github.com", "9999", later).is_some());
        // Two servers behind one host.
        let site = |path: &str| {
            let base = format!("https://proxy.example{path}").parse().unwrap();
            Site::new(base, Account::Organization("acme".into())).base().to_owned()
        };
        assert_eq!(site("/one/api/v3/"), site("/one"));
        assert_ne!(site("/one"), site("/two"));
    }
}
