//! What the audit logs hold: compact rows that point at grants and stories, in order of time. What an
//! event looks like on the wire is decided elsewhere.

/// What happened, with the index into its own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A user authorised an app (grant).
    Authorize(u32),
    /// A grant was revoked (grant).
    Revoke(u32),
    /// An app called an API (grant).
    Used(u32),
    /// An authorisation was refused (denied event).
    Denied(u32),
    /// An admin changed something (admin event).
    Admin(u32),
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: i64,
    /// Tells events of one second apart.
    pub(crate) serial: u32,
    pub(crate) what: Happening,
}

impl Event {
    /// The order in the log.
    pub(crate) fn order(&self) -> (i64, u32) {
        (self.at, self.serial)
    }

    /// `id.uniqueQualifier`: the same for the same event, and no neighbour of the next one's.
    pub(crate) fn qualifier(&self) -> i64 {
        let mixed = mix(u64::from(self.serial) << 32 ^ self.at.unsigned_abs());
        i64::from_le_bytes(mixed.to_le_bytes())
    }
}

/// The mixing step of `SplitMix64`.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// One log, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    events: Vec<Event>,
}

impl Log {
    /// Takes events in any order; their serials follow that order.
    pub(crate) fn new(happenings: impl IntoIterator<Item = (i64, Happening)>) -> Self {
        let mut events: Vec<Event> =
            (0..).zip(happenings).map(|(serial, (at, what))| Event { at, serial, what }).collect();
        events.sort_unstable_by_key(Event::order);
        Self { events }
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, at: i64, what: Happening) {
        let serial = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        let event = Event { at, serial, what };
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
        self.events[start..end.max(start)].iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_a_window_newest_first() {
        let mut log = Log::new([10, 30, 20].map(|at| (at, Happening::Used(0))));
        log.push(20, Happening::Revoke(0));
        let times = |from, to, before| -> Vec<(i64, u32)> {
            log.newest_first(from, to, before).map(Event::order).collect()
        };
        assert_eq!(times(0, 99, None), [(30, 1), (20, 3), (20, 2), (10, 0)]);
        assert_eq!(times(10, 20, None), [(20, 3), (20, 2), (10, 0)]);
        assert_eq!(times(0, 99, Some((20, 3))), [(20, 2), (10, 0)]);
        assert_eq!(times(40, 20, None), []);
    }
}
