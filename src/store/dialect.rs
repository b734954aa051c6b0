//! What SQLite and PostgreSQL say differently. All other statements are the same for both.

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A file on this machine.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    /// Begins a transaction that writes. In SQLite it takes its place in the queue at once: one that begins by reading may find later
    /// that another one wrote, and can then only fail.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// What makes merges of findings come one after the other, where the transaction does not.
    pub(super) const fn lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("LOCK TABLE finding IN SHARE ROW EXCLUSIVE MODE"),
        }
    }

    /// Begins a transaction that reads what was there when it began, whatever others write meanwhile.
    pub(super) const fn begin_reading(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// The elements of the JSON array in `$1`, each as `item.value`.
    pub(super) const fn items(self) -> &'static str {
        match self {
            Self::Sqlite => "json_each($1) AS item",
            Self::Postgres => "json_array_elements(CAST($1 AS json)) AS item(value)",
        }
    }

    /// An element of [`Dialect::items`] that is a text.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Sqlite => "item.value",
            Self::Postgres => "item.value #>> '{}'",
        }
    }
}
