//! The audit log: a listing that is begun anew where a cursor stops being taken, without giving an entry twice.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::Request,
    model::Timestamp,
};

use crate::{
    account::{Account, RESTARTS},
    api::{AuditPage, Entry},
    rights::Right,
};

/// Entries on a page; Slack takes no more.
const LIMIT: &str = "9999";

/// What to read of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditQuery {
    /// What is tried, for a person.
    pub(crate) endpoint: &'static str,
    /// The only actions asked for, separated by commas.
    pub(crate) actions: Option<String>,
    /// The only thing asked about, by its id.
    pub(crate) entity: Option<String>,
    /// The oldest entry asked for.
    pub(crate) from: Option<Timestamp>,
    /// Pages that are read at most.
    pub(crate) most_pages: usize,
}

/// How far the log was read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AuditEnd {
    /// Entries read.
    pub(crate) entries: u64,
    /// Entries that could not be read.
    pub(crate) unreadable: u64,
    /// The oldest entry, in Unix seconds.
    pub(crate) oldest: Option<i64>,
    /// Whether reading stopped because there were too many pages.
    pub(crate) is_cut: bool,
}

impl AuditQuery {
    fn request(&self, account: &Account, until: Option<i64>, limit: &str) -> Result<Request> {
        let from = self.from.map(|from| from.as_second().to_string());
        let until = until.map(|until| until.to_string());
        let mut query = vec![("limit", limit)];
        let optional = [
            ("action", &self.actions),
            ("entity", &self.entity),
            ("oldest", &from),
            ("latest", &until),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                query.push((name, value));
            }
        }
        account.audit(self.endpoint, "logs", &query)
    }
}

/// Reads the log; what was given before an error stays given.
pub(crate) async fn read(
    account: &Account,
    query: &AuditQuery,
    end: &mut AuditEnd,
    mut each: impl FnMut(&Entry),
) -> Result<()> {
    let hasher = RandomState::new();
    let mut seen: HashSet<u64> = HashSet::new();
    let (mut restarts, mut pages_read, mut is_disordered) = (0, 0, false);
    'listing: loop {
        // Where the log was not in order, "older than that" is not "the rest".
        let until = end.oldest.filter(|_| !is_disordered && restarts > 0);
        let mut pages = account.pages(query.request(account, until, LIMIT)?);
        let mut before: Option<i64> = None;
        loop {
            let page = match pages.next::<AuditPage>().await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(()),
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                    continue 'listing;
                }
                Err(error) => {
                    return Err(account.explain(query.endpoint, Some(Right::AuditLogs), error));
                }
            };
            if pages_read == query.most_pages && !page.entries.is_empty() {
                end.is_cut = true;
                return Ok(());
            }
            pages_read += 1;
            for row in page.entries {
                let Some(entry) = row.0 else {
                    end.unreadable += 1;
                    continue;
                };
                let at = entry.date_create.0;
                let key = match &entry.id {
                    Some(id) => hasher.hash_one(&id.0),
                    // Without an id, two entries of a second and an action cannot be told apart: neither is left out.
                    None => hasher.hash_one((seen.len(), at)),
                };
                is_disordered |= before.is_some_and(|before| before < at);
                before = Some(at);
                end.oldest = Some(end.oldest.map_or(at, |oldest| oldest.min(at)));
                if seen.insert(key) {
                    end.entries += 1;
                    each(&entry);
                }
            }
        }
    }
}

/// Asks whether the log can be read, with the smallest call.
pub(crate) async fn probe(account: &Account) -> Result<()> {
    // With the scan's actions: a refusal of one of them is found out here.
    let query = AuditQuery {
        endpoint: "list audit events of apps",
        actions: Some(super::audit_reading::actions()),
        ..AuditQuery::default()
    };
    account.identity().await?.held.check(Right::AuditLogs)?;
    let request = query.request(account, None, "1")?;
    account.ask::<AuditPage>(&request, Some(Right::AuditLogs)).await.map(drop)
}

/// Actions of the group `app` that this version does not know. It takes no token and one call.
pub(crate) async fn unknown_actions(account: &Account, known: &[&str]) -> Result<Vec<String>> {
    let request = account.audit("list audit actions", "actions", &[])?;
    let listed = account.ask::<crate::api::Actions>(&request, None).await?;
    let group = listed.actions.get("app").ok_or_else(|| {
        Error::new(ErrorKind::Malformed, "the list of audit actions has no group for apps")
    })?;
    let unknown = group.iter().filter(|name| !known.contains(&name.as_str()));
    Ok(unknown.cloned().collect())
}
