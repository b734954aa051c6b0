//! What the last scan left for this one: each user's grants and when they were listed. It spares asking for users whom the log does not
//! name; whatever may have changed is asked for again. A remembered grant gives the same record as one that was just listed.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use grantwarden_kit::{
    error::{ErrorKind, Result},
    memory::{Memory, Recollection, Rewrite},
    model::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{history::ClientTypes, log::LOG_LIFE};
use crate::api::Token;

/// What the file begins with; another version is forgotten.
const TITLE: &str = "google-workspace grants 1";
/// Events come late: public connectors wait two to four hours (API sheet). This is read again.
pub(super) const LATE: Duration = Duration::from_secs(12 * 3_600);
/// Whoever was listed longer ago is listed anew.
const OLDEST: Duration = Duration::from_secs(30 * 86_400);
/// One in so many users is listed anew each day, whatever the log says.
const SAMPLE: u64 = 30;
/// A line so far ahead is not read for one user alone.
const AHEAD: u32 = 500;
/// For so many users in a row it is: those between are gone.
const FAR: u32 = 3;
/// Lines that are kept of those passed over.
const PASSED: usize = 1_000;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    customer: String,
    /// Up to when the log was read, in seconds.
    read_until: i64,
    types: ClientTypes,
}

/// A user's grants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    user: String,
    /// When they were listed, in seconds.
    pub(super) listed_at: i64,
    pub(super) grants: Vec<Held>,
}

/// A grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Held {
    client: String,
    name: Option<String>,
    anonymous: bool,
    native: bool,
    scopes: Option<Vec<String>>,
    /// When it was given, in seconds.
    pub(super) granted_at: Option<i64>,
}

impl Held {
    pub(super) fn new(token: &Token, granted_at: Option<i64>) -> Self {
        Self {
            client: token.client_id.clone(),
            name: token.display_text.clone(),
            anonymous: token.anonymous,
            native: token.native_app,
            scopes: token.scopes.clone(),
            granted_at,
        }
    }

    pub(super) fn token(self) -> (Token, Option<i64>) {
        let token = Token {
            client_id: self.client,
            display_text: self.name,
            anonymous: self.anonymous,
            native_app: self.native,
            scopes: self.scopes,
        };
        (token, self.granted_at)
    }
}

impl Line {
    pub(super) fn new(user: &str, listed_at: i64) -> Self {
        Self { user: user.to_owned(), listed_at, grants: Vec::new() }
    }

    /// When a grant was given, as far as the last scan knew.
    pub(super) fn granted_at(&self, client: &str) -> Option<i64> {
        self.grants.iter().find(|held| held.client == client)?.granted_at
    }
}

/// What was remembered, read along with the listing of users. Of each user only a few numbers are in memory.
pub(super) struct Remembered {
    lines: Recollection,
    /// Position in the file by a hash of the user's id.
    index: HashMap<u64, u32>,
    hasher: RandomState,
    next: u32,
    /// The last lines that were passed over, by their positions.
    passed: BTreeMap<u32, Line>,
    /// Users in a row whose lines are far ahead.
    far: u32,
    now: Timestamp,
    /// Up to when the last scan read the log.
    pub(super) read_until: Timestamp,
    /// What it told of clients.
    pub(super) types: ClientTypes,
}

impl Remembered {
    /// What was remembered of the account; `None` if nothing can be used: then everything is read anew.
    pub(super) fn recall(memory: &Memory, customer: &str, now: Timestamp) -> Result<Option<Self>> {
        let mut lines = match memory.recall(TITLE) {
            Ok(Some(lines)) => lines,
            Ok(None) => return Ok(None),
            Err(error) if error.kind == ErrorKind::Malformed => return Ok(None),
            Err(error) => return Err(error),
        };
        let Ok(Some(header)) = lines.next_line::<Header>() else { return Ok(None) };
        let read_until = Timestamp::from_second(header.read_until);
        let Some(read_until) = read_until.filter(|_| header.customer == customer) else {
            return Ok(None);
        };
        // What the log does not reach back to can have changed unseen.
        if read_until.minus(LATE).until(now) >= LOG_LIFE || read_until > now {
            return Ok(None);
        }
        let hasher = RandomState::new();
        let (mut index, mut position) = (HashMap::new(), 0);
        loop {
            match lines.next_line::<Line>() {
                Ok(Some(line)) => {
                    index.insert(hasher.hash_one(&line.user), position);
                    position += 1;
                }
                Ok(None) => break,
                // A damaged file is worth nothing.
                Err(_) => return Ok(None),
            }
        }
        let Some(mut lines) = memory.recall(TITLE)? else { return Ok(None) };
        lines.next_line::<Header>()?;
        let types = header.types;
        Ok(Some(Self {
            lines,
            index,
            hasher,
            next: 0,
            passed: BTreeMap::new(),
            far: 0,
            now,
            read_until,
            types,
        }))
    }

    /// What is remembered of a user. Users come in the order of the last scan, so that the file is read once. One who comes out of
    /// order, because the address changed, must not make the file run past the others: of one whose line is far ahead nothing is
    /// remembered, unless that goes for several in a row.
    pub(super) fn of(&mut self, user: &str) -> Option<Line> {
        let position = *self.index.get(&self.hasher.hash_one(user))?;
        if position < self.next {
            return self.passed.remove(&position).filter(|line| line.user == user);
        }
        if position - self.next > AHEAD {
            self.far += 1;
            if self.far < FAR {
                return None;
            }
        }
        self.far = 0;
        loop {
            // A file that changed meanwhile is worth nothing.
            let line = self.lines.next_line::<Line>().ok().flatten()?;
            self.next += 1;
            if self.next > position {
                return (line.user == user).then_some(line);
            }
            self.passed.insert(self.next - 1, line);
            if self.passed.len() > PASSED {
                self.passed.pop_first();
            }
        }
    }

    /// Whether a user is to be listed anew although the log does not name them.
    pub(super) fn is_due(&self, user: &str, listed_at: i64) -> bool {
        let day = self.now.as_second().unsigned_abs() / 86_400;
        let listed_at = Timestamp::from_second(listed_at);
        let is_old = listed_at.is_none_or(|at| at > self.now || at.until(self.now) >= OLDEST);
        is_old || sample(user) == day % SAMPLE
    }
}

/// The day of the round on which a user is listed anew, the same in every scan.
pub(super) fn sample(user: &str) -> u64 {
    // FNV-1a: std's hash differs from run to run.
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = user
        .bytes()
        .fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash >> 32) % SAMPLE
}

/// Begins to remember this scan.
pub(super) fn begin(
    memory: &Memory,
    customer: &str,
    now: Timestamp,
    types: &ClientTypes,
) -> Result<Rewrite> {
    let mut rewrite = memory.rewrite(TITLE)?;
    rewrite.line(&Header {
        customer: customer.to_owned(),
        read_until: now.as_second(),
        types: types.clone(),
    })?;
    Ok(rewrite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn written(users: &[&str]) -> (tempfile::TempDir, Memory) {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path().join("acme"));
        let mut rewrite = begin(&memory, "C0", at("2026-11-01"), &ClientTypes::new()).unwrap();
        for user in users {
            rewrite.line(&Line::new(user, at("2026-11-01").as_second())).unwrap();
        }
        rewrite.keep().unwrap();
        (folder, memory)
    }

    #[test]
    fn users_that_went_or_came_do_not_disturb_the_others() {
        let (_folder, memory) = written(&["1", "2", "3", "4"]);
        let mut known = Remembered::recall(&memory, "C0", at("2026-11-02")).unwrap().unwrap();
        assert!(known.of("1").is_some() && known.of("9").is_none());
        assert!(known.of("3").is_some());
        // Out of order, and once; nobody else is mistaken for them.
        assert_eq!(known.of("2").unwrap().user, "2");
        assert!(known.of("2").is_none() && known.of("3").is_none());
        assert!(known.of("4").is_some());
    }

    #[test]
    fn what_cannot_be_trusted_is_forgotten() {
        let (folder, memory) = written(&["1"]);
        let recall = |customer: &str, now: &str| {
            Remembered::recall(&memory, customer, at(now)).unwrap().is_some()
        };
        assert!(recall("C0", "2026-11-02"));
        assert!(!recall("C1", "2026-11-02"), "another account");
        assert!(!recall("C0", "2027-05-01"), "older than the log");
        assert!(!recall("C0", "2026-10-01"), "from the future");
        let path = folder.path().join("acme");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(TITLE, "google-workspace grants 0")).unwrap();
        assert!(!recall("C0", "2026-11-02"), "another version");
        std::fs::write(&path, text + "{").unwrap();
        assert!(!recall("C0", "2026-11-02"), "damaged");
    }

    #[test]
    fn a_damaged_beginning_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("acme"), "\0\0\0").unwrap();
        let memory = Memory::at(folder.path().join("acme"));
        assert!(Remembered::recall(&memory, "C0", at("2026-11-02")).unwrap().is_none());
    }

    /// Somebody's new address comes first, and the old one came last.
    #[test]
    fn one_who_comes_out_of_order_costs_nobody_else() {
        let users: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        for (first, is_near) in [("1999", false), ("300", true)] {
            let (_folder, memory) = written(&users);
            let mut known = Remembered::recall(&memory, "C0", at("2026-11-02")).unwrap().unwrap();
            assert_eq!(known.of(first).is_some(), is_near);
            let others = users.iter().filter(|user| **user != first);
            assert_eq!(others.filter(|user| known.of(user).is_some()).count(), 1_999);
        }
        // Most are gone, and the rest is known but for the first two.
        let (_folder, memory) = written(&users);
        let mut known = Remembered::recall(&memory, "C0", at("2026-11-02")).unwrap().unwrap();
        let rest = users[1_000..].iter();
        assert_eq!(rest.filter(|user| known.of(user).is_some()).count(), 998);
    }

    #[test]
    fn everybody_is_listed_anew_within_thirty_days() {
        let (_folder, memory) = written(&["1"]);
        let known = Remembered::recall(&memory, "C0", at("2026-11-20")).unwrap().unwrap();
        let due = |user: &str, day: &str| known.is_due(user, at(day).as_second());
        assert!(due("1", "2026-10-01"), "listed too long ago");
        let users: Vec<String> = (0..3_000).map(|n| n.to_string()).collect();
        let sampled = users.iter().filter(|user| due(user, "2026-11-19")).count();
        assert!((50..150).contains(&sampled), "{sampled}");
    }
}
