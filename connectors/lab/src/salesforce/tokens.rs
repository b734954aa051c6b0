//! The `OauthToken` table: compact enough for a million rows, kept in order of creation, rows never
//! moved (a revoked one is only marked), so that cursors and ids stay valid.

use std::ops::Range;

/// A user or app that a row does not have.
pub(crate) const NONE: u32 = u32::MAX;

/// One token. Relations are indices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRow {
    pub(crate) created: i64,
    pub(crate) last_used: Option<i64>,
    pub(crate) app: u32,
    pub(crate) user: u32,
    pub(crate) use_count: u32,
    pub(crate) revoked: bool,
}

impl TokenRow {
    /// A token given just now.
    pub(crate) fn new(app: usize, user: usize, now: i64) -> Self {
        let index = |at: usize| u32::try_from(at).unwrap_or(NONE);
        let (app, user) = (index(app), index(user));
        Self { created: now, last_used: None, app, user, use_count: 0, revoked: false }
    }
}

/// All tokens of an org. A row's index is its serial.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    rows: Vec<TokenRow>,
    by_creation: Vec<u32>,
}

impl Tokens {
    /// Takes rows in any order.
    pub(crate) fn new(mut rows: Vec<TokenRow>) -> Self {
        rows.sort_by_key(|row| row.created);
        let by_creation = (0..u32::try_from(rows.len()).unwrap_or(NONE)).collect();
        Self { rows, by_creation }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn row(&self, serial: usize) -> &TokenRow {
        &self.rows[serial]
    }

    /// The serial at a place in the order of creation.
    pub(crate) fn in_order(&self, place: usize) -> usize {
        self.by_creation[place] as usize
    }

    /// The places whose creation time lies in `from..=to`.
    pub(crate) fn created_within(&self, from: i64, to: i64) -> Range<usize> {
        let created = |serial: &u32| self.rows[*serial as usize].created;
        let start = self.by_creation.partition_point(|serial| created(serial) < from);
        let end = self.by_creation.partition_point(|serial| created(serial) <= to);
        start..end.max(start)
    }

    /// Adds a row and gives its serial.
    pub(crate) fn add(&mut self, row: TokenRow) -> usize {
        let serial = self.rows.len();
        let place = self.created_within(i64::MIN, row.created).end;
        self.rows.push(row);
        self.by_creation.insert(place, u32::try_from(serial).unwrap_or(NONE));
        serial
    }

    /// Revokes every live row that `wanted` picks; gives how many.
    pub(crate) fn revoke_where(&mut self, wanted: impl Fn(&TokenRow) -> bool) -> usize {
        let mut revoked = 0;
        for row in self.rows.iter_mut().filter(|row| !row.revoked && wanted(row)) {
            row.revoked = true;
            revoked += 1;
        }
        revoked
    }

    /// Revokes one row; false if it is already gone.
    pub(crate) fn revoke(&mut self, serial: usize) -> bool {
        match self.rows.get_mut(serial) {
            Some(row) if !row.revoked => {
                row.revoked = true;
                true
            }
            _ => false,
        }
    }

    /// Live rows, oldest first, with their serials.
    pub(crate) fn live(&self) -> impl Iterator<Item = (usize, &TokenRow)> {
        self.by_creation
            .iter()
            .map(|serial| (*serial as usize, &self.rows[*serial as usize]))
            .filter(|(_, row)| !row.revoked)
    }
}

/// The kinds of secret that a token row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    /// `DeleteToken`: good for revocation only.
    Delete,
    /// The refresh token that the app holds.
    Refresh,
    /// An access token made from it.
    Access,
    /// `RequestToken`, of OAuth 1.
    Request,
}

impl Secret {
    const ALL: [Self; 4] = [Self::Delete, Self::Refresh, Self::Access, Self::Request];

    fn word(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Refresh => "REFRESH",
            Self::Access => "ACCESS",
            Self::Request => "REQUEST",
        }
    }

    /// The made-up secret of a row, which says that it is made up.
    pub(crate) fn of(self, org: u8, serial: usize) -> String {
        format!("FAKE.{}.{serial:08x}.{:016x}", self.word(), self.proof(org, serial))
    }

    /// The row that a secret belongs to.
    pub(crate) fn read(org: u8, text: &str) -> Option<(Self, usize)> {
        let serial = usize::from_str_radix(text.split('.').nth(2)?, 16).ok()?;
        let kind = Self::ALL.into_iter().find(|kind| kind.of(org, serial) == text)?;
        Some((kind, serial))
    }

    /// So that a secret cannot be guessed from its neighbour (the mixing step of `SplitMix64`).
    fn proof(self, org: u8, serial: usize) -> u64 {
        let seed = (serial as u64) << 16 | u64::from(org) << 8 | self as u64;
        let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(created: i64) -> TokenRow {
        TokenRow::new(0, 0, created)
    }

    #[test]
    fn stays_in_order_of_creation() {
        let mut tokens = Tokens::new(vec![row(30), row(10), row(20)]);
        tokens.add(row(15));
        let created: Vec<i64> = tokens.live().map(|(_, row)| row.created).collect();
        assert_eq!(created, [10, 15, 20, 30]);
        assert_eq!(tokens.created_within(15, 20), 1..3);
        assert_eq!(tokens.created_within(40, 20), 4..4);
        assert!(tokens.revoke(0));
        assert!(!tokens.revoke(0));
        assert_eq!(tokens.live().count(), 3);
    }

    #[test]
    fn secrets_read_back_and_do_not_mix() {
        let secret = Secret::Delete.of(0, 7);
        assert_eq!(Secret::read(0, &secret), Some((Secret::Delete, 7)));
        assert_eq!(Secret::read(1, &secret), None);
        assert_eq!(Secret::read(0, "FAKE.DELETE.00000008.0123456789abcdef"), None);
    }
}
