//! Cursors: where a listing goes on, bound to that listing. A cursor ends after a while, or when a
//! fault ends all; it ends in `=`, which a careless client forgets to encode.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::error::Refusal;
use crate::keys::random_text;

/// Where a listing goes on; its meaning is the listing's own.
pub(crate) type Position = (i64, u32);

#[derive(Debug)]
struct Page {
    listing: String,
    position: Position,
    issued: i64,
}

/// All open cursors.
#[derive(Debug, Default)]
pub(crate) struct Cursors(Mutex<HashMap<String, Page>>);

/// How cursors end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Seconds of the wall.
    pub(crate) now: i64,
    pub(crate) seconds: u64,
    pub(crate) once: bool,
}

impl Cursors {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Page>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where a cursor of this listing goes on; `None` for an empty one.
    pub(crate) fn position(
        &self,
        cursor: &str,
        listing: &str,
        rules: Rules,
    ) -> Result<Option<Position>, Refusal> {
        if cursor.is_empty() {
            return Ok(None);
        }
        let invalid = || Refusal::new("invalid_cursor");
        let life = i64::try_from(rules.seconds).unwrap_or(i64::MAX);
        self.with(|pages| {
            let page = pages.get(cursor).ok_or_else(invalid)?;
            if rules.now >= page.issued.saturating_add(life) || page.listing != listing {
                return Err(invalid());
            }
            let position = page.position;
            if rules.once {
                pages.remove(cursor);
            }
            Ok(Some(position))
        })
    }

    /// A cursor for the rest of a listing.
    pub(crate) fn issue(&self, listing: &str, position: Position, now: i64) -> String {
        let cursor = format!("{}==", random_text(22));
        let page = Page { listing: listing.to_owned(), position, issued: now };
        self.with(|pages| pages.insert(cursor.clone(), page));
        cursor
    }

    /// Ends all cursors.
    pub(crate) fn expire(&self) {
        self.with(HashMap::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_listing_and_ends() {
        let cursors = Cursors::default();
        let rules = |now, once| Rules { now, seconds: 60, once };
        let cursor = cursors.issue("apps", (3, 7), 100);
        assert!(cursors.position("", "apps", rules(100, false)).unwrap().is_none());
        assert_eq!(cursors.position(&cursor, "apps", rules(159, false)).unwrap(), Some((3, 7)));
        assert!(cursors.position(&cursor, "users", rules(100, false)).is_err());
        assert!(cursors.position(&cursor, "apps", rules(160, false)).is_err());
        assert!(cursors.position(&cursor, "apps", rules(100, true)).is_ok());
        assert!(cursors.position(&cursor, "apps", rules(100, true)).is_err());
        let other = cursors.issue("apps", (0, 0), 100);
        cursors.expire();
        assert!(cursors.position(&other, "apps", rules(100, false)).is_err());
    }
}
