//! What the audit log says of one app: the independent look at a removal.

use std::collections::BTreeSet;

use grantwarden_kit::error::{Error, ErrorKind, Result};

use super::{
    audit::{self, AuditEnd, AuditQuery},
    installs::{self, Installs, Taken},
    tables::Tables,
};
use crate::{account::Account, rights::Right};

/// One app by the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AppLog {
    /// Ids of the places where it is installed.
    pub(crate) live: BTreeSet<String>,
    /// Ids of the places from which it was removed, and where it was not installed since.
    pub(crate) removed: BTreeSet<String>,
}

/// Reads all that the log has of an app.
///
/// # Errors
/// Also when the log has nothing of the app, or entries that cannot be read: then it proves nothing.
pub(crate) async fn read(account: &Account, enterprise: &str, app: &str) -> Result<AppLog> {
    account.identity().await?.held.check(Right::AuditLogs)?;
    let query = AuditQuery {
        endpoint: "list audit events of an app",
        actions: Some(installs::ACTIONS.join(",")),
        entity: Some(app.to_owned()),
        from: None,
        most_pages: usize::MAX,
    };
    let (mut tables, mut end) = (Tables::default(), AuditEnd::default());
    let organization = tables.places.number(enterprise);
    let mut found = Installs::of(organization);
    let mut unusable = 0_u64;
    audit::read(account, &query, &mut end, |entry| {
        let about = entry.entity.as_ref().and_then(|entity| entity.app.as_ref());
        // A filter that was not heeded must not make another app's removal this one's.
        if about.and_then(|about| about.id.as_ref()).is_none_or(|id| id.0 != app) {
            return;
        }
        if found.take(&mut tables, organization, entry) == Taken::Unreadable {
            unusable += 1;
        }
    })
    .await?;
    let proves_nothing = |message: String| {
        Err(account.door.place(Error::new(ErrorKind::Malformed, message), query.endpoint))
    };
    if end.unreadable + unusable > 0 {
        return proves_nothing(format!(
            "{} entries of the audit log about the app cannot be read",
            end.unreadable + unusable
        ));
    }
    let Some(number) = tables.apps.find(app) else {
        return proves_nothing("the audit log has nothing of the app".to_owned());
    };
    let mut log = AppLog::default();
    for (place, is_live) in found.places_of(&tables, number) {
        let list = if is_live { &mut log.live } else { &mut log.removed };
        list.insert(tables.places.name(place).to_owned());
    }
    Ok(log)
}
