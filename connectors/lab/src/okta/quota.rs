//! The rate limits: calls a minute by path template, for the whole org and for each principal's share of it, and calls at the same
//! time. What is refused, and in which words, is decided by the caller.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::behaviour::OktaLimits;

/// The platform's older published table: a template and its calls a minute. `…` stands for anything below.
const DEFAULTS: [(&str, u32); 9] = [
    ("/api/v1/apps", 100),
    ("/api/v1/apps/{id}…", 500),
    ("/api/v1/users", 600),
    ("/api/v1/users/{id}…", 2_000),
    ("/api/v1/logs", 120),
    ("/oauth2/v1/clients…", 100),
    ("/oauth2/v1…", 2_000),
    ("/integrations/api/v1…", 1_200),
    ("/api/v1…", 1_200),
];

/// The bucket of a path: its template and its calls a minute.
pub(crate) fn bucket(limits: &OktaLimits, path: &str) -> (&'static str, u32) {
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    let fits = |template: &str| match template.strip_suffix('…') {
        None => path == template,
        Some(root) => match root.strip_suffix("/{id}") {
            Some(parent) => below(parent),
            None => path == root || below(root),
        },
    };
    let found = DEFAULTS.iter().find(|(template, _)| fits(template));
    let (template, default) = found.copied().unwrap_or(("/api/v1…", 1_200));
    let name = template.trim_end_matches('…');
    (name, limits.per_minute.get(name).copied().unwrap_or(default))
}

#[derive(Debug, Default)]
struct Window {
    start: f64,
    all: u32,
    by: HashMap<String, u32>,
}

/// What a call finds in its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Seconds since the epoch, never before the window really ends.
    pub(crate) reset: i64,
}

/// One call to be counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count<'c> {
    pub(crate) bucket: &'static str,
    pub(crate) per_minute: u32,
    pub(crate) who: &'c str,
    /// Percent of the bucket that `who` may use.
    pub(crate) share: u32,
    /// Tell the share instead of the whole bucket.
    pub(crate) tell_share: bool,
    /// Seconds since the epoch.
    pub(crate) now: f64,
    /// Seconds that a window lasts.
    pub(crate) window: f64,
}

/// All buckets of an org.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    windows: Mutex<HashMap<&'static str, Window>>,
    /// When the calls that are under way began, in seconds.
    under_way: Mutex<VecDeque<f64>>,
}

impl Quotas {
    /// Counts a call. A window begins with its first call; a refused call is not counted.
    pub(crate) fn take(&self, count: Count<'_>) -> Verdict {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(count.bucket).or_default();
        if count.now >= window.start + count.window {
            *window = Window { start: count.now, ..Window::default() };
        }
        let own_limit = (count.per_minute * count.share / 100).max(1);
        let own = window.by.entry(count.who.to_owned()).or_default();
        let allowed = window.all < count.per_minute && *own < own_limit;
        if allowed {
            window.all += 1;
            *own += 1;
        }
        let own_left = own_limit - *own;
        let all_left = count.per_minute.saturating_sub(window.all);
        let (limit, left) = match count.tell_share {
            true => (own_limit, own_left.min(all_left)),
            false => (count.per_minute, all_left),
        };
        #[expect(clippy::cast_possible_truncation, reason = "seconds of today fit")]
        let reset = (window.start + count.window).ceil() as i64;
        Verdict { allowed, limit, remaining: if allowed { left } else { 0 }, reset }
    }

    /// A call begins.
    pub(crate) fn begin(&self, now: f64) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).push_back(now);
    }

    /// A call is answered; whether too many were under way with it. Calls that never came to an answer are forgotten after
    /// `longest` seconds.
    pub(crate) fn end(&self, now: f64, longest: f64, most: usize) -> bool {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while under_way.front().is_some_and(|began| *began < now - longest) {
            under_way.pop_front();
        }
        let over = under_way.len() > most;
        under_way.pop_front();
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(who: &str, now: f64) -> Count<'_> {
        Count {
            bucket: "/api/v1/apps",
            per_minute: 10,
            who,
            share: 50,
            tell_share: false,
            now,
            window: 60.0,
        }
    }

    #[test]
    fn the_most_exact_template_wins() {
        let mut limits = OktaLimits::default();
        let name = |path| bucket(&OktaLimits::default(), path);
        assert_eq!(name("/api/v1/apps"), ("/api/v1/apps", 100));
        assert_eq!(name("/api/v1/apps/0oa1/grants"), ("/api/v1/apps/{id}", 500));
        assert_eq!(name("/api/v1/appsx"), ("/api/v1", 1_200));
        assert_eq!(name("/oauth2/v1/clients/0oa1/roles"), ("/oauth2/v1/clients", 100));
        assert_eq!(name("/oauth2/v1/token"), ("/oauth2/v1", 2_000));
        limits.per_minute.insert("/api/v1/apps/{id}".to_owned(), 7);
        assert_eq!(bucket(&limits, "/api/v1/apps/0oa1"), ("/api/v1/apps/{id}", 7));
    }

    #[test]
    fn a_principal_has_half_of_a_bucket_and_the_org_the_whole() {
        let quotas = Quotas::default();
        let taken = |who| (0..20).take_while(|_| quotas.take(count(who, 1_000.5)).allowed).count();
        assert_eq!((taken("a"), taken("b"), taken("c")), (5, 5, 0));
        let refused = quotas.take(count("a", 1_001.0));
        assert_eq!(refused, Verdict { allowed: false, limit: 10, remaining: 0, reset: 1_061 });
        assert!(!quotas.take(count("a", 1_060.4)).allowed);
        assert!(quotas.take(count("a", 1_061.0)).allowed, "after the reset that it told");
    }

    #[test]
    fn calls_at_the_same_time() {
        let quotas = Quotas::default();
        (0..4).for_each(|_| quotas.begin(10.0));
        let over: Vec<bool> = (0..4).map(|_| quotas.end(10.1, 2.0, 3)).collect();
        assert_eq!(over, [true, false, false, false]);
        quotas.begin(20.0);
        quotas.begin(30.0);
        assert!(!quotas.end(30.0, 2.0, 1), "the first never came to an answer");
    }
}
