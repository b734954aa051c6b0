//! Google's own count of users by app: what the listing of grants does not show of it is missing. The count is some days old, so that
//! what changed since then is explained before it is taken for a loss.

use std::{collections::BTreeMap, time::Duration};

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::Request,
    ledger::{Ledger, gap_of},
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
    api::{AuthorizedApp, Number, UsagePage, UsageParameter},
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
/// Users of an app who may have come and gone without a trace, where the log does not tell.
const FEW: u64 = 5;
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
            Err(error) => match newest_told(&error) {
                Some(told) if told < day && told.date() != date => day = told,
                Some(_) => day = day.minus(DAY),
                None => return Err(error),
            },
        }
    }
    Ok(None)
}

/// "Data for dates later than 2026-11-18 is not yet available": the date that there is. Any other refusal is one.
fn newest_told(error: &Error) -> Option<Timestamp> {
    let answer = error.answer.as_ref().filter(|_| error.kind == ErrorKind::InvalidRequest)?;
    let is_about_date = answer.text.to_lowercase().contains("later than");
    midnight(&date_in(&answer.text).filter(|_| is_about_date)?)
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
                    let told = fold(page, &mut apps);
                    is_there |= told.is_some();
                    unreadable += told.unwrap_or_default();
                }
                Ok(None) => return Ok(is_there.then_some((apps, unreadable))),
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                    continue 'listing;
                }
                Err(error) => return Err(account.explain(Purpose::Usage, ENDPOINT, error)),
            }
        }
    }
}

/// Takes a page; how many rows could not be read, or `None` if the page does not report apps.
fn fold(page: UsagePage, apps: &mut Apps) -> Option<u64> {
    let is_final = page.warnings.is_empty();
    let parameters = page.usage_reports.into_iter().flat_map(|report| report.parameters);
    let ours = |parameter: &UsageParameter| parameter.name == PARAMETER;
    let parameters: Vec<UsageParameter> = parameters.filter(ours).collect();
    // With a warning the day is not over, unless apps are told all the same.
    let is_there = if is_final {
        !parameters.is_empty()
    } else {
        parameters.iter().any(|parameter| !parameter.msg_value.is_empty())
    };
    let mut unreadable = 0;
    for row in parameters.into_iter().flat_map(|parameter| parameter.msg_value) {
        let app = serde_json::from_value::<AuthorizedApp>(row).ok();
        let told = app.and_then(|app| {
            let users = app.num_users.as_ref().and_then(Number::value)?;
            Some((app.client_id?, app.client_name, u64::try_from(users).ok()?))
        });
        match told {
            Some((id, name, users)) => {
                let name = name.unwrap_or_else(|| id.clone());
                let known = apps.entry(id).or_insert((name, 0));
                known.1 = known.1.saturating_add(users);
            }
            None => unreadable += 1,
        }
    }
    is_there.then_some(unreadable)
}

/// An app of which the report counts more users than were listed.
struct Short<'a> {
    id: &'a str,
    name: &'a str,
    /// Users in the report.
    users: u64,
    /// Users whose grants were listed.
    listed: u64,
    /// Users that nothing explains yet.
    missing: u64,
}

impl Short<'_> {
    /// Whether so much is missing that people who come and go cannot be the reason.
    const fn is_plain(&self) -> bool {
        self.missing > FEW && (self.listed == 0 || self.missing > self.users / 2)
    }
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
        let mut short = self.short(clients);
        explain_by_log(&mut short, history, self.from);
        // Users whose grants could not be read are booked as lost already, and may be these: each of them with every app.
        if unread_users > 0 {
            let before = short.len();
            short.retain(|app| app.missing > unread_users);
            let explained = before - short.len();
            self.say(ledger, explained, "some users' grants could not be read");
        }
        if short.is_empty() {
            return Ok(());
        }
        if !history.is_whole {
            let (plain, doubtful): (Vec<Short<'_>>, Vec<Short<'_>>) =
                short.into_iter().partition(Short::is_plain);
            self.say(ledger, doubtful.len(), "revocations since then could not be read");
            self.lose(ledger, &plain);
            return Ok(());
        }
        if let Err(error) = self.decide(account, ledger, &mut short).await {
            // Why they are missing is not known: they stay missing.
            let gap = gap_of(sweep::FACET, &error);
            let why = format!("; why, could not be read: {}", gap.detail);
            ledger.lose(Gap { detail: self.missed(&short) + &why, ..gap }, Some(rows(&short)));
            if error.kind == ErrorKind::Cancelled {
                return Err(error);
            }
        }
        Ok(())
    }

    fn short<'a>(&'a self, clients: &Clients<'_>) -> Vec<Short<'a>> {
        let apps = self.apps.iter().map(|(id, (name, users))| {
            let listed = clients.users(id);
            Short { id, name, users: *users, listed, missing: users.saturating_sub(listed) }
        });
        apps.filter(|app| app.missing > 0).collect()
    }

    /// Looks at what came into the log during the scan, and from the report's day on, where what was before is remembered; then at the
    /// users who were deleted. What is left is lost.
    async fn decide(
        &self,
        account: &Account,
        ledger: &Ledger,
        short: &mut Vec<Short<'_>>,
    ) -> Result<()> {
        let history = revoked_since(account, self.from).await?;
        short.iter_mut().for_each(|app| app.missing = app.users.saturating_sub(app.listed));
        explain_by_log(short, &history, self.from);
        let before = short.len();
        short.retain(|app| {
            app.listed == 0 && history.revocations(app.id, self.from) == 0
                || app.missing > (app.users / TOLERANCE).max(1)
        });
        let mut undecided = before - short.len();
        if !short.is_empty() {
            // With a user go the grants, and no revocation is logged. Each user is deducted once.
            let mut deleted = directory::deleted_since(account, self.from).await?;
            short.sort_by_key(|app| app.missing);
            let before = short.len();
            short.retain(|app| {
                let is_gone_whole = app.listed == 0 && app.missing > FEW;
                let is_explained = !is_gone_whole && app.missing <= deleted;
                if is_explained {
                    deleted -= app.missing;
                }
                !is_explained
            });
            undecided += before - short.len();
        }
        self.say(
            ledger,
            undecided,
            "these users may have left since: a deleted user leaves no revocation in the log, and the log is some hours late",
        );
        self.lose(ledger, short);
        Ok(())
    }

    fn lose(&self, ledger: &Ledger, short: &[Short<'_>]) {
        if !short.is_empty() {
            let gap = Gap::new(Reason::CountMismatch, sweep::FACET, self.missed(short));
            ledger.lose(gap, Some(rows(short)));
        }
    }

    fn missed(&self, short: &[Short<'_>]) -> String {
        let named: Vec<String> = short
            .iter()
            .take(NAMED)
            .map(|app| format!("{} ({} users, {} listed)", app.name, app.users, app.listed))
            .collect();
        let more = short.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "Google's report of {} counts users of apps whose grants were not listed: {}{more}",
            self.date,
            named.join(", ")
        )
    }

    /// Says what cannot be decided.
    fn say(&self, ledger: &Ledger, apps: usize, why: &str) {
        if apps == 0 {
            return;
        }
        let detail = format!(
            "Google's report of {} counts more users of {apps} apps than were listed; {why}",
            self.date
        );
        ledger.lose(Gap::new(Reason::PlatformSilent, FACET, detail), None);
    }
}

/// Takes off who revoked since the report's day.
fn explain_by_log(short: &mut Vec<Short<'_>>, history: &History, from: Timestamp) {
    for app in &mut *short {
        app.missing = app.missing.saturating_sub(history.revocations(app.id, from));
    }
    short.retain(|app| app.missing > 0);
}

fn rows(short: &[Short<'_>]) -> u64 {
    short.iter().fold(0, |sum, app| sum.saturating_add(app.missing))
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
                { "client_id": "1", "client_name": "A", "num_users": 7 },
                { "client_name": "B", "num_users": 5 },
            ] },
        ] }] }));
        let mut apps = Apps::new();
        assert_eq!(fold(page.unwrap(), &mut apps), Some(1));
        assert_eq!(apps["1"], ("A".to_owned(), 10), "two rows of one app");
        assert_eq!(apps["2"], ("2".to_owned(), 4));
        let other = r#"{"usageReports":[{"parameters":[{"name":"accounts:num_users"}]}]}"#;
        assert_eq!(fold(serde_json::from_str(other).unwrap(), &mut apps), None);
    }
}
