//! The lab's two clocks: the wall (sessions, assertions, query locators) and the world (relative
//! dates, `TODAY`), which a caller may freeze. Nothing else in the lab may ask what time it is.

use jiff::{SignedDuration, Timestamp};

/// Tells the wall's time and the world's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    frozen: Option<Timestamp>,
}

impl Clock {
    /// A clock whose world stands still at `frozen`, or runs with the wall.
    pub(crate) fn new(frozen: Option<Timestamp>) -> Self {
        Self { frozen }
    }

    /// The real time.
    #[expect(clippy::disallowed_methods, reason = "the lab's one look at the system clock")]
    pub(crate) fn wall(self) -> Timestamp {
        Timestamp::now()
    }

    /// The time that the world's data lives in.
    pub(crate) fn world(self) -> Timestamp {
        self.frozen.unwrap_or_else(|| self.wall())
    }

    /// Seconds since the epoch, for each clock that a client's claim may have been dated by: a
    /// scanner that replays a frozen world signs with the frozen time.
    pub(crate) fn claims(self, skew: SignedDuration) -> impl Iterator<Item = i64> {
        let skew = skew.as_secs();
        [Some(self.wall()), self.frozen].into_iter().flatten().map(move |at| at.as_second() + skew)
    }
}
