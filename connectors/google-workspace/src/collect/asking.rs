//! One kind of list, asked for user by user: what came of it, how it is booked, and whether it is worth going on.

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{Gap, Reason},
};

use crate::{
    account::Account,
    api::User,
    directory::{self, Listed},
};

/// So many users in a row that cannot be read end the reading: the others cannot be read either.
const ENOUGH: u32 = 25;
/// As many with a refusal that Google gives for single users, before anybody could be read: they may well stand together.
const ENOUGH_PERSONAL: u32 = 200;
/// So many users may leave during a scan of a small account; of a large one, a hundredth.
const FEW: u64 = 5;

/// A list of one user.
pub(super) enum Read<T> {
    Listed(Listed<T>),
    /// The last scan listed it, and nothing happened since.
    Recalled,
    /// The user is gone.
    Gone,
    NotAsked,
    Failed(Error),
}

/// One facet of the sweep, and whether it is worth going on.
pub(super) struct Asking {
    facet: &'static str,
    /// It was given up, by the user or because nobody's list can be read.
    pub(super) is_over: bool,
    has_worked: bool,
    in_a_row: u32,
    /// Users whose list could not be read.
    pub(super) unread: u64,
    /// Users that were gone when their list was asked for.
    gone: u64,
}

impl Asking {
    /// Begins.
    pub(super) fn new(ledger: &Ledger, facet: &'static str) -> Self {
        let is_over = ledger.skipped(facet).is_some();
        Self { facet, is_over, has_worked: false, in_a_row: 0, unread: 0, gone: 0 }
    }

    /// Says that a user's list is known from the last scan: others may well be readable.
    pub(super) const fn recalled(&mut self) {
        self.has_worked = true;
    }

    /// Books who was gone: some leave during a scan, but not many and not all.
    pub(super) fn finish(&mut self, ledger: &Ledger, users: u64) {
        if self.gone == 0 {
            return;
        }
        let gap = if self.has_worked && self.gone <= (users / 100).max(FEW) {
            let detail = "users that were deleted between being listed and being read";
            Gap::new(Reason::Vanished, self.facet, detail)
        } else {
            self.unread += self.gone;
            let detail = "too many of the users that Google lists are \"not found\" when asked for: that is not believed";
            Gap::new(Reason::CallFailed, self.facet, detail)
        };
        ledger.lose(gap, Some(self.gone));
    }
}

/// "Not found" is nothing by itself: only if the user is gone, too.
pub(super) async fn judge<T>(account: &Account, user: &User, read: Result<Listed<T>>) -> Read<T> {
    match read {
        Ok(listed) => Read::Listed(listed),
        Err(error) if error.kind == ErrorKind::NotFound => {
            match directory::user(account, &user.id).await {
                Ok(None) => Read::Gone,
                _ => Read::Failed(error),
            }
        }
        Err(error) => Read::Failed(error),
    }
}

/// Books a list that came.
pub(super) fn book_listed(ledger: &Ledger, asking: &mut Asking, unreadable: u64) {
    asking.has_worked = true;
    asking.in_a_row = 0;
    if unreadable > 0 {
        let detail = "some of them have a form that is not known";
        ledger.lose(Gap::new(Reason::CallFailed, asking.facet, detail), Some(unreadable));
        asking.unread += 1;
    }
}

/// Books a user whose list could not be read, and ends the asking when nobody's can.
pub(super) fn book_unread<T>(ledger: &Ledger, asking: &mut Asking, read: &Read<T>) -> Result<()> {
    let error = match read {
        Read::Failed(error) => error,
        Read::Gone => {
            asking.gone += 1;
            return Ok(());
        }
        Read::Listed(_) | Read::Recalled | Read::NotAsked => return Ok(()),
    };
    if error.kind == ErrorKind::Cancelled {
        return Err(error.echo());
    }
    if asking.is_over {
        // It was in flight when the facet was given up, which is booked.
        return Ok(());
    }
    asking.unread += 1;
    asking.in_a_row += 1;
    // Google refuses single users with these (API sheet, section 7 no. 5, 8 and 9); what nobody is spared is no matter of users.
    let is_personal =
        matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::NotFound)
            && !is_about_scanner(error);
    let is_hopeless = if is_personal {
        let enough = if error.kind == ErrorKind::Forbidden { ENOUGH } else { ENOUGH_PERSONAL };
        !asking.has_worked && asking.in_a_row >= enough
    } else {
        asking.in_a_row >= ENOUGH || is_about_scanner(error) || error.kind == ErrorKind::Quota
    };
    if is_hopeless {
        asking.is_over = true;
        ledger.fail(asking.facet, error);
        return Ok(());
    }
    let mut gap = gap_of(asking.facet, error);
    gap.detail = match error.kind {
        ErrorKind::Unauthorized => format!(
            "not readable: Google refused to show it although the scanner is signed in, as it does for some suspended users; {}",
            gap.detail
        ),
        _ => format!("not readable: {}", gap.detail),
    };
    ledger.lose(gap, Some(1));
    Ok(())
}

/// Whether the scanner itself lacks something, which no user is spared.
fn is_about_scanner(error: &Error) -> bool {
    error.kind == ErrorKind::SignIn
        || matches!(
            error.code(),
            Some(
                "insufficientPermissions"
                    | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
                    | "accessNotConfigured"
                    | "SERVICE_DISABLED"
                    | "unauthorized_client"
                    | "access_denied"
                    | "invalid_scope"
            )
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MANIFEST;

    fn over_after(asking: &mut Asking, ledger: &Ledger, users: u32) -> bool {
        for _ in 0..users {
            let failed: Read<()> = Read::Failed(Error::new(ErrorKind::Forbidden, "no"));
            book_unread(ledger, asking, &failed).unwrap();
        }
        asking.is_over
    }

    #[test]
    fn who_is_remembered_shows_that_others_may_be_readable() {
        let ledger = Ledger::new(&MANIFEST, &["grants"], &[]);
        assert!(over_after(&mut Asking::new(&ledger, "grants"), &ledger, ENOUGH));
        let mut asking = Asking::new(&ledger, "grants");
        asking.recalled();
        assert!(!over_after(&mut asking, &ledger, ENOUGH));
    }

    #[test]
    fn few_users_leave_during_a_scan() {
        for (gone, users, has_listed, reason) in [
            (5, 100, true, Reason::Vanished),
            (6, 100, true, Reason::CallFailed),
            (20, 2_000, true, Reason::Vanished),
            (21, 2_000, true, Reason::CallFailed),
            (1, 1, false, Reason::CallFailed),
        ] {
            let ledger = Ledger::new(&MANIFEST, &["grants"], &[]);
            let mut asking = Asking::new(&ledger, "grants");
            for _ in 0..gone {
                book_unread::<()>(&ledger, &mut asking, &Read::Gone).unwrap();
            }
            if has_listed {
                book_listed(&ledger, &mut asking, 0);
            }
            asking.finish(&ledger, users);
            ledger.settle("grants");
            let part = ledger.close(false).parts.remove(0);
            assert_eq!(part.losses[0].gap.reason, reason, "{gone} of {users}");
            assert_eq!(part.losses[0].rows, Some(gone));
        }
    }
}
