//! The installs of a tenant and what happened: compact enough for many, rows never moved (a removed
//! one is only marked), and one log of which every event log is a view. It knows no wire format.

use super::world::{SlackChangeKind, SlackStatus};

/// The place that is the whole organisation, where otherwise the index of a workspace stands.
pub(crate) const ORG: u32 = u32::MAX;

/// An index, as rows keep it.
pub(crate) fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// One install. Relations are indices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Install {
    pub(crate) app: u32,
    /// A workspace, or [`ORG`].
    pub(crate) place: u32,
    pub(crate) by: u32,
    /// Index of the scope set.
    pub(crate) scopes: u32,
    pub(crate) at: i64,
    pub(crate) removed: Option<i64>,
    pub(crate) disabled: bool,
}

impl Install {
    /// Whether it is there and switched on.
    pub(crate) fn is_live(&self) -> bool {
        self.removed.is_none() && !self.disabled
    }
}

/// A change of an install that stays.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) install: u32,
    pub(crate) kind: SlackChangeKind,
    pub(crate) by: u32,
    /// Index of the scope set before.
    pub(crate) before: u32,
    /// Index of the scope set after.
    pub(crate) after: u32,
    pub(crate) reason: Option<String>,
}

/// A decision about an app, or its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) app: u32,
    pub(crate) place: u32,
    /// `None`: the decision was taken back.
    pub(crate) status: Option<SlackStatus>,
    pub(crate) by: Actor,
}

/// Who decides: a person, or an app-management app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    User(u32),
    /// The revoker's app.
    App,
}

/// What happened, with the index into its own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// An app was installed (install).
    Installed(u32),
    /// An install was removed (install, user).
    Removed(u32, u32),
    /// An install was changed (change).
    Changed(u32),
    /// An app was approved or restricted (verdict).
    Decided(u32),
    /// An admin ended a user's sessions (user, admin).
    SessionReset(u32, u32),
    /// A further audit event.
    Audit(u32),
    /// A further row of the integration log.
    Row(u32),
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: i64,
    /// Tells events of one second apart.
    pub(crate) serial: u32,
    /// Microseconds of the wall from which the audit log shows it; 0 for the past.
    pub(crate) shown: i64,
    pub(crate) what: Happening,
}

impl Event {
    /// The order in the log.
    pub(crate) fn order(&self) -> (i64, u32) {
        (self.at, self.serial)
    }
}

/// Everything that happened, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    events: Vec<Event>,
}

impl Log {
    /// Takes events in any order; their serials follow that order.
    pub(crate) fn new(happenings: impl IntoIterator<Item = (i64, Happening)>) -> Self {
        let mut events: Vec<Event> = (0..)
            .zip(happenings)
            .map(|(serial, (at, what))| Event { at, serial, shown: 0, what })
            .collect();
        events.sort_unstable_by_key(Event::order);
        Self { events }
    }

    /// Adds an event that the audit log shows from a time of the wall on.
    pub(crate) fn push(&mut self, at: i64, shown: i64, what: Happening) {
        let event = Event { at, serial: index(self.events.len()), shown, what };
        let place = self.events.partition_point(|other| other.order() <= event.order());
        self.events.insert(place, event);
    }

    /// The events from `from` up to `to` (both included), newest first, strictly older than `before`.
    pub(crate) fn newest_first(
        &self,
        from: i64,
        to: i64,
        before: Option<(i64, u32)>,
    ) -> impl Iterator<Item = &Event> {
        let start = self.events.partition_point(|event| event.at < from);
        let end = self.events.partition_point(|event| {
            event.at <= to && before.is_none_or(|before| event.order() < before)
        });
        self.events[start.min(end)..end].iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_a_window_newest_first() {
        let mut log = Log::new([10, 30, 20].map(|at| (at, Happening::Installed(0))));
        log.push(20, 0, Happening::Removed(0, 0));
        let times = |from, to, before| -> Vec<(i64, u32)> {
            log.newest_first(from, to, before).map(Event::order).collect()
        };
        assert_eq!(times(0, 99, None), [(30, 1), (20, 3), (20, 2), (10, 0)]);
        assert_eq!(times(10, 20, None), [(20, 3), (20, 2), (10, 0)]);
        assert_eq!(times(0, 99, Some((20, 3))), [(20, 2), (10, 0)]);
        assert_eq!(times(40, 20, None), []);
    }

    #[test]
    fn an_install_is_small() {
        assert!(size_of::<Install>() <= 48 && size_of::<Event>() <= 40);
    }
}
