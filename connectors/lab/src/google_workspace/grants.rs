//! The grants of a customer: compact enough for a million, rows never moved (a revoked one is only
//! marked), found by user without a search.

use std::num::NonZeroU32;

/// A time in seconds since the epoch, good until 2106.
pub(crate) type Second = NonZeroU32;

/// Seconds as a [`Second`]; what lies outside becomes the nearest.
pub(crate) fn second(at: i64) -> Second {
    u32::try_from(at.clamp(1, i64::from(u32::MAX)))
        .ok()
        .and_then(Second::new)
        .unwrap_or(Second::MIN)
}

/// A place in a table, as rows keep it.
pub(crate) fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// One grant of a user to an app. Relations are indices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    pub(crate) user: u32,
    pub(crate) app: u32,
    /// Index of the scope set.
    pub(crate) scopes: u32,
    pub(crate) authorized: Second,
    pub(crate) last_used: Option<Second>,
    pub(crate) revoked: Option<Second>,
}

impl Grant {
    /// Whether it was live at a time.
    pub(crate) fn live_at(&self, at: i64) -> bool {
        i64::from(self.authorized.get()) <= at
            && self.revoked.is_none_or(|revoked| i64::from(revoked.get()) > at)
    }
}

/// All grants of a customer.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    rows: Vec<Grant>,
    by_user: Vec<Vec<u32>>,
}

impl Grants {
    /// An empty table for so many users.
    pub(crate) fn new(users: usize, rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), by_user: vec![Vec::new(); users] }
    }

    pub(crate) fn row(&self, index: u32) -> &Grant {
        &self.rows[index as usize]
    }

    pub(crate) fn all(&self) -> &[Grant] {
        &self.rows
    }

    /// Adds a grant and gives its index.
    pub(crate) fn add(&mut self, grant: Grant) -> u32 {
        let index = place(self.rows.len());
        self.rows.push(grant);
        self.by_user[grant.user as usize].push(index);
        index
    }

    /// The live grants of a user, oldest first.
    pub(crate) fn of_user(&self, user: usize) -> impl Iterator<Item = (u32, &Grant)> {
        self.by_user[user]
            .iter()
            .map(|index| (*index, self.row(*index)))
            .filter(|(_, grant)| grant.revoked.is_none())
    }

    /// How many grants of a user were live at a time.
    pub(crate) fn count_at(&self, user: usize, at: i64) -> usize {
        self.by_user[user].iter().filter(|index| self.row(**index).live_at(at)).count()
    }

    /// The live grant of a user to an app.
    pub(crate) fn find(&self, user: usize, app: usize) -> Option<u32> {
        self.of_user(user).find(|(_, grant)| grant.app as usize == app).map(|(index, _)| index)
    }

    /// Revokes a grant; false if it is already gone.
    pub(crate) fn revoke(&mut self, index: u32, at: i64) -> bool {
        match self.rows.get_mut(index as usize) {
            Some(grant) if grant.revoked.is_none() => {
                grant.revoked = Some(second(at));
                true
            }
            _ => false,
        }
    }

    /// How many are live.
    pub(crate) fn live_count(&self) -> usize {
        self.rows.iter().filter(|grant| grant.revoked.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_user_and_revokes_once() {
        assert_eq!(size_of::<Grant>(), 24);
        let mut grants = Grants::new(2, 2);
        let grant = Grant {
            user: 1,
            app: 7,
            scopes: 0,
            authorized: second(10),
            last_used: None,
            revoked: None,
        };
        let index = grants.add(grant);
        assert_eq!(grants.find(1, 7), Some(index));
        assert_eq!(grants.find(0, 7), None);
        assert!(grants.revoke(index, 20) && !grants.revoke(index, 30));
        assert_eq!((grants.find(1, 7), grants.live_count()), (None, 0));
        assert!(grants.row(index).live_at(19) && !grants.row(index).live_at(20));
    }
}
