//! Audit logs: a listing, newest first, that is begun anew where a page token stops being taken, without giving an entry twice.

use std::{collections::HashSet, time::Duration};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::Request,
    model::Timestamp,
};

use crate::{
    access::Purpose,
    account::{Account, RESTARTS},
    api::{ActivitiesPage, Activity, Number},
};

/// How far back Google keeps these logs: <https://support.google.com/a/answer/7061566>.
pub(crate) const LOG_LIFE: Duration = Duration::from_secs(180 * 86_400);
/// Entries are asked for from so much later, so that the look-back limit does not refuse the request while it travels.
const EDGE: Duration = Duration::from_secs(600);
const FIELDS: &str = "kind,nextPageToken,items(id(time,uniqueQualifier),actor(email,profileId),ipAddress,events(name,parameters(name,value,multiValue)))";

/// What to read of a log.
#[derive(Debug, Clone)]
pub(crate) struct LogQuery {
    /// What is tried, for a person.
    pub(crate) endpoint: &'static str,
    /// `token` or `admin`.
    pub(crate) application: &'static str,
    /// A user's id, or `all`.
    pub(crate) user: String,
    /// The only event asked for.
    pub(crate) event: &'static str,
    /// `filters`, where only some of these events are wanted.
    pub(crate) filters: Option<String>,
    /// The oldest entry asked for.
    pub(crate) from: Timestamp,
    /// Pages that are read at most.
    pub(crate) most_pages: usize,
}

/// How far a log was read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogEnd {
    /// Entries read.
    pub(crate) entries: u64,
    /// Entries that could not be read.
    pub(crate) unreadable: u64,
    /// Where reading stopped because there were too many pages; `None`: it was read to its end.
    pub(crate) cut_at: Option<Timestamp>,
}

impl LogQuery {
    /// All of a log's events of one name.
    pub(crate) fn all(
        account: &Account,
        endpoint: &'static str,
        application: &'static str,
        event: &'static str,
    ) -> Self {
        let from = account.door.clock().now().minus(LOG_LIFE).plus(EDGE);
        Self {
            endpoint,
            application,
            user: "all".to_owned(),
            event,
            filters: None,
            from,
            most_pages: usize::MAX,
        }
    }

    fn request(&self, account: &Account, until: Option<Timestamp>) -> Result<Request> {
        let path = [
            "admin",
            "reports",
            "v1",
            "activity",
            "users",
            &self.user,
            "applications",
            self.application,
        ];
        let mut url = account.url(Purpose::Audit, &path)?;
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("eventName", self.event)
                .append_pair("startTime", &self.from.to_string())
                .append_pair("maxResults", "1000")
                .append_pair("fields", FIELDS)
                .append_pair("prettyPrint", "false");
            if let Some(id) = &account.id {
                query.append_pair("customerId", id);
            }
            if let Some(filters) = &self.filters {
                query.append_pair("filters", filters);
            }
            if let Some(until) = until {
                query.append_pair("endTime", &until.to_string());
            }
        }
        let mut request = Request::get(self.endpoint, url);
        request.bucket = "filtered-activities";
        Ok(request)
    }
}

/// Reads a log, newest entry first.
pub(crate) async fn read(
    account: &Account,
    query: &LogQuery,
    mut each: impl FnMut(Timestamp, &Activity),
) -> Result<LogEnd> {
    let (mut end, mut restarts, mut pages_read) = (LogEnd::default(), 0, 0);
    let mut edge = Edge::default();
    'listing: loop {
        let until = edge.oldest.map(|oldest| oldest.plus(Duration::from_secs(1)));
        let mut pages = account.pages(Purpose::Audit, query.request(account, until)?)?;
        loop {
            let page = match pages.next::<ActivitiesPage>().await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(end),
                // Where the log was not in order, "older than that" is not "the rest".
                Err(error)
                    if error.kind == ErrorKind::PageExpired
                        && restarts < RESTARTS
                        && !edge.is_disordered =>
                {
                    restarts += 1;
                    continue 'listing;
                }
                Err(error) => return Err(account.explain(Purpose::Audit, query.endpoint, error)),
            };
            if page.items.is_empty() && page.kind.is_none() {
                let message = "the answer is neither a log nor an empty log";
                let error = Error::new(ErrorKind::Malformed, message);
                return Err(account.explain(Purpose::Audit, query.endpoint, error));
            }
            // Only a page too many shows that there is more.
            if pages_read == query.most_pages && !page.items.is_empty() {
                end.cut_at = Some(edge.oldest.unwrap_or(query.from));
                return Ok(end);
            }
            pages_read += 1;
            for row in page.items {
                let entry = serde_json::from_value::<Activity>(row).ok();
                let at = entry.as_ref().and_then(|entry| entry.id.time.parse().ok());
                let (Some(entry), Some(at)) = (entry, at) else {
                    end.unreadable += 1;
                    continue;
                };
                if edge.is_new(&entry, at) {
                    end.entries += 1;
                    each(at, &entry);
                }
            }
        }
    }
}

/// The oldest entries so far: what a listing that begins anew gives again.
#[derive(Default)]
struct Edge {
    oldest: Option<Timestamp>,
    recent: HashSet<(Timestamp, i64)>,
    /// At this size it is cut down to what is not clearly younger.
    most_recent: usize,
    /// An entry came after one that was clearly older.
    is_disordered: bool,
}

impl Edge {
    fn is_new(&mut self, entry: &Activity, at: Timestamp) -> bool {
        const SPAN: Duration = Duration::from_secs(2);
        self.is_disordered |= self.oldest.is_some_and(|oldest| oldest.plus(SPAN) < at);
        let qualifier = entry.id.unique_qualifier.as_ref().and_then(Number::value);
        if let Some(qualifier) = qualifier {
            if self.recent.contains(&(at, qualifier)) {
                return false;
            }
            // Out of order no listing is begun anew, so that nothing comes again.
            if !self.is_disordered {
                self.recent.insert((at, qualifier));
            }
        }
        let oldest = self.oldest.map_or(at, |oldest| oldest.min(at));
        self.oldest = Some(oldest);
        if self.recent.len() > self.most_recent {
            self.recent.retain(|(other, _)| *other <= oldest.plus(SPAN));
            self.most_recent = (self.recent.len() * 2).max(1_000);
        }
        true
    }
}

/// Asks whether a log can be read, with the smallest call: whether it has such an event at all.
pub(crate) async fn probe(account: &Account, query: &LogQuery) -> Result<bool> {
    let mut request = query.request(account, None)?;
    let pairs: Vec<(String, String)> = request
        .url
        .query_pairs()
        .into_owned()
        .map(
            |(name, value)| {
                if name == "maxResults" { (name, "1".to_owned()) } else { (name, value) }
            },
        )
        .collect();
    request.url.query_pairs_mut().clear().extend_pairs(pairs);
    let page: ActivitiesPage = account.ask(Purpose::Audit, &request).await?;
    Ok(!page.items.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_comes_again_is_not_new() {
        let entry = |time: &str, qualifier: i64| {
            let text = format!(r#"{{"id":{{"time":"{time}","uniqueQualifier":"{qualifier}"}}}}"#);
            serde_json::from_str::<Activity>(&text).unwrap()
        };
        let mut edge = Edge::default();
        let mut is_new = |time: &str, qualifier| {
            let new = edge.is_new(&entry(time, qualifier), time.parse().unwrap());
            (new, edge.is_disordered)
        };
        assert_eq!(is_new("2026-11-02T10:00:05Z", 1), (true, false));
        assert_eq!(is_new("2026-11-02T10:00:00Z", 2), (true, false));
        assert_eq!(is_new("2026-11-02T10:00:00Z", -3), (true, false));
        assert_eq!(is_new("2026-11-02T10:00:00Z", 2), (false, false));
        assert_eq!(is_new("2026-11-01T10:00:00Z", 2), (true, false));
        assert_eq!(is_new("2026-11-02T10:00:05Z", 4), (true, true));
    }

    #[test]
    fn few_entries_are_kept_in_either_order() {
        for is_ascending in [false, true] {
            let mut edge = Edge::default();
            for number in 0..20_000_i64 {
                let seconds = if is_ascending { number } else { 20_000 - number };
                let at = Timestamp::from_second(1_760_000_000 + seconds).unwrap();
                let text = format!(r#"{{"id":{{"time":"x","uniqueQualifier":"{number}"}}}}"#);
                assert!(edge.is_new(&serde_json::from_str(&text).unwrap(), at));
                assert!(edge.recent.len() <= 1_001);
            }
        }
    }
}
