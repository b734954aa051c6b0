//! Google's own count of users by app: what the listing of grants does not show of it is missing. The count is some days old, so that
//! what changed since then is explained before it is taken for a loss.

use std::{collections::BTreeMap, time::Duration};

use grantwarden_kit::{
    error::{ErrorKind, Result},
    http::Request,
    ledger::Ledger,
    model::{Gap, Reason, Timestamp},
};

use super::{
    clients::Clients,
    history::History,
    log::{self, LogQuery},
    sweep,
};
use crate::{
    access::Purpose,
    account::{Account, RESTARTS},
    api::{AuthorizedApp, Number, UsagePage},
    directory,
};

pub(super) const FACET: &str = "authorized-apps";
const ENDPOINT: &str = "read usage report";
const PARAMETER: &str = "accounts:authorized_apps";
const DAY: Duration = Duration::from_secs(86_400);
/// Dates are those of UTC-8 (API sheet).
const PACIFIC: Duration = Duration::from_secs(8 * 3_600);
/// The newest report is this many days old or older.
const NEWEST: u32 = 2;
/// Days that are tried.
const DAYS: u32 = 7;
/// Apps that are named.
const NAMED: usize = 20;
/// One in so many users of an app may have come and gone without a trace in the log, which is some hours late.
const TOLERANCE: u64 = 50;

/// A report.
pub(super) struct Report {
    /// Its day began at this time.
    from: Timestamp,
    date: String,
    /// Name and number of users by client id.
    apps: BTreeMap<String, (String, u64)>,
}

/// Reads the newest report that there is.
pub(super) async fn read(account: &Account, ledger: &Ledger) -> Result<Option<Report>> {
    if ledger.skipped(FACET).is_some() {
        return Ok(None);
    }
    let report = match newest(account).await {
        Ok(Some((report, unreadable))) => {
            ledger.read(FACET, report.apps.len() as u64);
            if unreadable > 0 {
                let detail = "apps in the usage report have a form that is not known";
                ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), Some(unreadable));
            }
            Some(report)
        }
        Ok(None) => {
            let detail = "Google has no usage report of the last days yet";
            ledger.lose(Gap::new(Reason::PlatformSilent, FACET, detail), None);
            None
        }
        Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
        Err(error) => {
            ledger.fail(FACET, &error);
            None
        }
    };
    ledger.settle(FACET);
    Ok(report)
}

/// Asks whether a report can be read.
pub(super) async fn probe(account: &Account) -> Result<()> {
    newest(account).await.map(drop)
}

async fn newest(account: &Account) -> Result<Option<(Report, u64)>> {
    let now = account.door.clock().now();
    let mut day = now.minus(PACIFIC).minus(DAY * NEWEST);
    for _ in 0..DAYS {
        let date = day.date();
        match report(account, &date).await {
            Ok(Some((apps, unreadable))) => {
                let from = midnight(&date).unwrap_or(day).plus(PACIFIC);
                return Ok(Some((Report { from, date, apps }, unreadable)));
            }
            Ok(None) => day = day.minus(DAY),
            Err(error) if error.kind == ErrorKind::InvalidRequest => {
                // "Data for dates later than 2026-11-18 is not yet available": the date that there is.
                let told = error.answer.as_ref().and_then(|answer| date_in(&answer.text));
                let told = told.and_then(|date| midnight(&date)).filter(|told| *told < day);
                match told {
                    Some(told) if told.date() != date => day = told,
                    _ => day = day.minus(DAY),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn midnight(date: &str) -> Option<Timestamp> {
    date.parse().ok()
}

/// A date in a text.
fn date_in(text: &str) -> Option<String> {
    let is_date = |word: &&str| {
        word.len() == 10
            && word.bytes().filter(|byte| *byte == b'-').count() == 2
            && midnight(word).is_some()
    };
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '-');
    words.into_iter().find(is_date).map(ToOwned::to_owned)
}

type Apps = BTreeMap<String, (String, u64)>;

/// One day's report and how many rows of it could not be read; `None` if there is none yet.
async fn report(account: &Account, date: &str) -> Result<Option<(Apps, u64)>> {
    let path = ["admin", "reports", "v1", "usage", "dates", date];
    let mut url = account.url(Purpose::Usage, &path)?;
    url.query_pairs_mut().append_pair("parameters", PARAMETER);
    if let Some(id) = &account.id {
        url.query_pairs_mut().append_pair("customerId", id);
    }
    let mut request = Request::get(ENDPOINT, url);
    request.bucket = "reports";
    let mut restarts = 0;
    'listing: loop {
        let mut pages = account.pages(Purpose::Usage, request.clone())?;
        let (mut apps, mut unreadable, mut is_there) = (Apps::new(), 0, false);
        loop {
            match pages.next::<UsagePage>().await {
                Ok(Some(page)) => {
                    is_there |= page.warnings.is_empty() && !page.usage_reports.is_empty();
                    unreadable += fold(page, &mut apps);
                }
                Ok(None) => {
                    let is_there = is_there || !apps.is_empty() || unreadable > 0;
                    return Ok(is_there.then_some((apps, unreadable)));
                }
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                    continue 'listing;
                }
                Err(error) => return Err(account.explain(Purpose::Usage, ENDPOINT, error)),
            }
        }
    }
}

/// Takes a page; how many rows could not be read.
fn fold(page: UsagePage, apps: &mut Apps) -> u64 {
    let parameters = page.usage_reports.into_iter().flat_map(|report| report.parameters);
    let rows = parameters
        .filter(|parameter| parameter.name == PARAMETER)
        .flat_map(|parameter| parameter.msg_value);
    let mut unreadable = 0;
    for row in rows {
        let app = serde_json::from_value::<AuthorizedApp>(row).ok();
        let told = app.and_then(|app| {
            let users = app.num_users.as_ref().and_then(Number::value)?;
            Some((app.client_id?, app.client_name, u64::try_from(users).ok()?))
        });
        match told {
            Some((id, name, users)) => {
                let name = name.unwrap_or_else(|| id.clone());
                apps.insert(id, (name, users));
            }
            None => unreadable += 1,
        }
    }
    unreadable
}

impl Report {
    /// Compares the report with what was listed, and books what is missing.
    pub(super) async fn compare(
        &self,
        account: &Account,
        ledger: &Ledger,
        history: &History,
        clients: &Clients<'_>,
        unread_users: u64,
    ) -> Result<()> {
        let missing = |id: &str, users: u64, revoked: u64| {
            users.saturating_sub(clients.users(id)).saturating_sub(revoked)
        };
        let short: Vec<(&str, &str, u64)> = self
            .apps
            .iter()
            .filter_map(|(id, (name, users))| {
                let revoked = history.revocations(id, self.from);
                (missing(id, *users, revoked) > 0).then_some((id.as_str(), name.as_str(), *users))
            })
            .collect();
        if short.is_empty() {
            return Ok(());
        }
        // Users whose grants could not be read are booked as lost already, and may be these.
        if unread_users > 0 {
            return self.say(ledger, short.len(), "some users' grants could not be read");
        }
        if !history.is_whole {
            return self.say(ledger, short.len(), "revocations since then could not be read");
        }
        // Once more, for what came into the log during the scan; and from the report's day on, where what was before is remembered.
        let history = revoked_since(account, self.from).await?;
        let mut lost = Vec::new();
        let mut undecided = 0;
        for (id, name, users) in short {
            let revoked = history.revocations(id, self.from);
            let gone = missing(id, users, revoked);
            let is_whole_app = clients.users(id) == 0 && revoked == 0;
            match gone {
                0 => {}
                _ if is_whole_app || gone > (users / TOLERANCE).max(1) => {
                    lost.push((name, users, clients.users(id), gone));
                }
                _ => undecided += 1,
            }
        }
        if !lost.is_empty() {
            // With a user go the grants, and no revocation is logged.
            let deleted = directory::deleted_since(account, self.from).await?;
            let before = lost.len();
            lost.retain(|(.., gone)| *gone > deleted);
            undecided += before - lost.len();
        }
        if undecided > 0 {
            self.say(ledger, undecided, "these users may have left since: a deleted user leaves no revocation in the log, and the log is some hours late")?;
        }
        if !lost.is_empty() {
            let rows = lost.iter().map(|(.., gone)| gone).sum();
            let named: Vec<String> = lost
                .iter()
                .take(NAMED)
                .map(|(name, users, seen, _)| format!("{name} ({users} users, {seen} listed)"))
                .collect();
            let more = lost.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let detail = format!(
                "Google's report of {} counts users of apps whose grants were not listed: {}{more}",
                self.date,
                named.join(", ")
            );
            ledger.lose(Gap::new(Reason::CountMismatch, sweep::FACET, detail), Some(rows));
        }
        Ok(())
    }

    /// Says what cannot be decided.
    #[expect(clippy::unnecessary_wraps, reason = "ends the comparison")]
    fn say(&self, ledger: &Ledger, apps: usize, why: &str) -> Result<()> {
        let detail = format!(
            "Google's report of {} counts more users of {apps} apps than were listed; {why}",
            self.date
        );
        ledger.lose(Gap::new(Reason::PlatformSilent, FACET, detail), None);
        Ok(())
    }
}

/// Revocations since a time, by the log as it is now.
async fn revoked_since(account: &Account, from: Timestamp) -> Result<History> {
    let query =
        LogQuery { from, ..LogQuery::all(account, "list late revocations", "token", "revoke") };
    let mut history = History::new();
    log::read(account, &query, |at, entry| history.revoke(at, entry)).await?;
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_date_that_google_names() {
        let text =
            "Data for dates later than 2026-11-18 is not yet available. Please check back later";
        assert_eq!(date_in(text).as_deref(), Some("2026-11-18"));
        assert_eq!(date_in("no date, only 12-34 and 2026-99-99"), None);
    }

    #[test]
    fn counts_may_be_texts_and_an_odd_row_is_told() {
        let page = serde_json::from_value(serde_json::json!({ "usageReports": [{ "parameters": [
            { "name": "accounts:num_users", "intValue": "7" },
            { "name": PARAMETER, "msgValue": [
                { "client_id": "1", "client_name": "A", "num_users": 3 },
                { "client_id": "2", "num_users": "4" },
                { "client_name": "B", "num_users": 5 },
            ] },
        ] }] }));
        let mut apps = Apps::new();
        assert_eq!(fold(page.unwrap(), &mut apps), 1);
        assert_eq!(apps["1"], ("A".to_owned(), 3));
        assert_eq!(apps["2"], ("2".to_owned(), 4));
    }
}
