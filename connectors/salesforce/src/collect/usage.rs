//! What apps did: sign-ins from `LoginHistory`, calls from the event log files that every edition with an API has for free.

use std::collections::HashMap;

use csv_core::ReadRecordResult;
use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    http::{Authorize, Request},
    ledger::{Ledger, gap_of},
    model::{Gap, Observed, Reason, Record},
    tally::Tallies,
};

use super::{
    long_id,
    rights::{MANAGE_USERS, MONITOR_LOGINS, Rights},
};
use crate::{
    api::{EventLogFile, LoginCount},
    org::{Api, Org},
};

const LOGINS: &str = "login-history";
const CALLS: &str = "api-usage";
const LOGIN_DAYS: u64 = 90;
/// A grouped query gives at most so many groups.
const GROUPS: usize = 2_000;
/// The longest line of a log file, in bytes: an open quote must not take the whole file into memory.
const LONGEST_LINE: usize = 4 << 20;
/// How often a log file is begun anew when it is cut off.
const RESTARTS: u32 = 2;

/// Streams the usage of all apps.
pub(crate) async fn all(org: &Org, ledger: &Ledger, sink: &Sink) {
    ledger.look(LOGINS, logins(org, ledger, sink)).await;
    book_own_logins(org, ledger).await;
    ledger.look(CALLS, calls(org, ledger, sink)).await;
}

/// Finds out whether the logs can be read.
pub(crate) async fn probe(org: &Org, ledger: &Ledger) {
    let logins = "FROM LoginHistory WHERE LoginTime=LAST_N_DAYS:1";
    ledger.look(LOGINS, org.count("count LoginHistory", logins)).await;
    book_own_logins(org, ledger).await;
    ledger.look(CALLS, log_files(org)).await;
}

/// Without a right to others' sign-ins the org shows the scanner's own, and says nothing.
async fn book_own_logins(org: &Org, ledger: &Ledger) {
    if ledger.skipped(LOGINS).is_some() {
        return;
    }
    let rights = Rights::read(org).await;
    match (rights.has(MONITOR_LOGINS, LOGINS), rights.has(MANAGE_USERS, LOGINS)) {
        (Observed::Known(true), _) | (_, Observed::Known(true)) => {}
        (Observed::Unknown(gap), _) | (_, Observed::Unknown(gap)) => ledger.lose(gap, None),
        _ => {
            let detail = "only the scanner's own sign-ins are shown";
            ledger.lose(Gap::new(Reason::Permission, LOGINS, detail), None);
        }
    }
}

async fn logins(org: &Org, ledger: &Ledger, sink: &Sink) -> Result<()> {
    let soql = format!(
        "SELECT UserId,Application,COUNT(Id) n FROM LoginHistory WHERE LoginTime=LAST_N_DAYS:{LOGIN_DAYS} GROUP BY UserId,Application"
    );
    let rows: Vec<LoginCount> = org.rows(Api::Data, "query LoginHistory", &soql).await?;
    ledger.read(LOGINS, rows.len() as u64);
    if rows.len() >= GROUPS {
        let gap = Gap::new(
            Reason::CountMismatch,
            LOGINS,
            format!(
                "the org groups sign-ins into {GROUPS} pairs of user and app at most; there may be more"
            ),
        );
        ledger.lose(gap, None);
    }
    let now = org.door.clock().now();
    let from = now.minus(std::time::Duration::from_secs(LOGIN_DAYS * 86_400));
    let mut apps = Tallies::default();
    for row in rows {
        let tally = apps.of(row.application.as_deref().unwrap_or_default());
        tally.events += row.count;
        tally.principals.add_times(row.user_id.as_deref().unwrap_or_default(), row.count);
    }
    for usage in apps.finish("LoginHistory", from, now) {
        sink.send(Record::Usage(usage)).await?;
    }
    Ok(())
}

async fn log_files(org: &Org) -> Result<Vec<EventLogFile>> {
    let soql = "SELECT LogDate,Interval,LogFile FROM EventLogFile \
                WHERE EventType='ApiTotalUsage' AND LogDate>=LAST_N_DAYS:2 ORDER BY LogDate";
    org.rows(Api::Data, "query EventLogFile", soql).await
}

async fn calls(org: &Org, ledger: &Ledger, sink: &Sink) -> Result<()> {
    let mut files = log_files(org).await?;
    // Where hourly files are switched on, each call stands in a daily file too.
    if files.iter().any(|file| file.interval.as_deref() == Some("Daily")) {
        files.retain(|file| file.interval.as_deref() != Some("Hourly"));
    }
    ledger.expect(CALLS, files.len() as u64);
    let now = org.door.clock().now();
    let from = files.iter().find_map(|file| file.log_date.as_deref()?.parse().ok()).unwrap_or(now);
    let mut apps = Tallies::default();
    for file in files {
        let Some(path) = file.log_file else {
            let gap =
                Gap::new(Reason::CallFailed, CALLS, "a log file has no address to read it from");
            ledger.lose(gap, Some(1));
            continue;
        };
        match read_log(org, &path).await {
            Ok(tallies) => {
                ledger.read(CALLS, 1);
                apps.merge(tallies);
            }
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => ledger.lose(gap_of(CALLS, &error), Some(1)),
        }
    }
    for usage in apps.finish("EventLogFile ApiTotalUsage", from, now) {
        sink.send(Record::Usage(usage)).await?;
    }
    Ok(())
}

/// Reads one log file, anew if it is cut off midway.
async fn read_log(org: &Org, path: &str) -> Result<Tallies> {
    let mut restarts = 0;
    loop {
        match stream_log(org, path).await {
            Err(error)
                if matches!(error.kind, ErrorKind::Malformed | ErrorKind::Timeout)
                    && restarts < RESTARTS =>
            {
                restarts += 1;
            }
            other => return other,
        }
    }
}

/// Streams a log file: it may hold millions of lines.
async fn stream_log(org: &Org, path: &str) -> Result<Tallies> {
    const ENDPOINT: &str = "read event log file";
    let request = Request::get(ENDPOINT, org.url(path)?);
    let mut body = org
        .door
        .stream(&request, Some(&org.tokens as &dyn Authorize))
        .await
        .map_err(|error| org.explain(ENDPOINT, error))?;
    let (mut lines, mut apps) = (Lines::default(), Tallies::default());
    while let Some(chunk) = body.next().await? {
        lines.feed(&chunk, |line| count_line(line, &mut apps));
    }
    lines.feed(&[], |line| count_line(line, &mut apps));
    let names = |columns: &HashMap<String, usize>| {
        columns.contains_key("CONNECTED_APP_ID") || columns.contains_key("CONNECTED_APP_NAME")
    };
    if lines.is_overflown {
        Err(org.explain(
            ENDPOINT,
            Error::new(ErrorKind::TooLarge, "a line of the log file does not end"),
        ))
    } else if lines.columns.as_ref().is_some_and(names) {
        Ok(apps)
    } else {
        Err(org.explain(
            ENDPOINT,
            Error::new(ErrorKind::Malformed, "the log file has no column that names the app"),
        ))
    }
}

fn count_line(line: &Line<'_>, apps: &mut Tallies) {
    let id = line.get("CONNECTED_APP_ID");
    let id = long_id(id);
    let app = if id.is_empty() { line.get("CONNECTED_APP_NAME") } else { &id };
    if app.is_empty() {
        // A call without an app: a person in the browser, or the platform itself.
        return;
    }
    let tally = apps.of(app);
    tally.events += 1;
    tally.addresses.add(Some(line.get("CLIENT_IP")));
    tally.agents.add(Some(line.get("CLIENT_NAME")));
    tally.objects.add(Some(line.get("ENTITY_NAME")));
    tally.principals.add(Some(line.get("USER_NAME")));
    tally.versions.add(Some(line.get("API_VERSION")));
    let method = line.get("HTTP_METHOD");
    if !method.is_empty() {
        // SOAP and Bulk post their queries, too: the method alone does not tell what was done.
        tally.operations.add(Some(format!("{} {method}", line.get("API_FAMILY")).trim()));
    }
}

/// Counts by app.
/// Cuts a CSV stream into lines without holding more than one. Columns are found by the header: their set changes with releases.
struct Lines {
    reader: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    filled: usize,
    fields: usize,
    columns: Option<HashMap<String, usize>>,
    /// A line was longer than [`LONGEST_LINE`]; the rest of the file was not read.
    is_overflown: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            reader: csv_core::Reader::new(),
            output: vec![0; 8 << 10],
            ends: vec![0; 64],
            filled: 0,
            fields: 0,
            columns: None,
            is_overflown: false,
        }
    }
}

/// One line by column name.
struct Line<'a> {
    columns: &'a HashMap<String, usize>,
    output: &'a [u8],
    ends: &'a [usize],
}

impl Line<'_> {
    /// A field's text; empty if the column is missing.
    fn get(&self, column: &str) -> &str {
        let Some(&at) = self.columns.get(column) else { return "" };
        field(self.output, self.ends, at)
    }
}

fn field<'a>(output: &'a [u8], ends: &[usize], at: usize) -> &'a str {
    let start = at.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied());
    let text = start.zip(ends.get(at)).and_then(|(start, &end)| output.get(start..end));
    text.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

impl Lines {
    /// Takes the next piece of the file; an empty one is its end.
    fn feed(&mut self, mut input: &[u8], mut each: impl FnMut(&Line<'_>)) {
        while !self.is_overflown {
            let (result, read, written, ended) = self.reader.read_record(
                input,
                &mut self.output[self.filled..],
                &mut self.ends[self.fields..],
            );
            input = &input[read..];
            self.filled += written;
            self.fields += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return,
                ReadRecordResult::OutputFull if self.output.len() >= LONGEST_LINE => {
                    self.is_overflown = true;
                }
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    let (output, ends) = (&self.output[..self.filled], &self.ends[..self.fields]);
                    match &self.columns {
                        Some(columns) => each(&Line { columns, output, ends }),
                        None => {
                            let names =
                                (0..ends.len()).map(|at| (field(output, ends, at).to_owned(), at));
                            self.columns = Some(names.collect());
                        }
                    }
                    self.filled = 0;
                    self.fields = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::Usage;

    use super::*;

    fn read(pieces: &[&str]) -> Vec<Usage> {
        let mut apps = Tallies::default();
        let mut lines = Lines::default();
        for piece in pieces.iter().copied().chain([""]) {
            lines.feed(piece.as_bytes(), |line| count_line(line, &mut apps));
        }
        let at = "2026-01-15T12:00:00Z".parse().unwrap();
        apps.finish("a log", at, at).collect()
    }

    #[test]
    fn columns_are_found_by_name_and_pieces_may_cut_anywhere() {
        let text = "EXTRA,CLIENT_IP,CONNECTED_APP_ID,CLIENT_NAME\n1,192.0.2.1,0H4000000000001,\"Drift, \"\"chat\"\"\"\n2,192.0.2.2,,x\n";
        for cut in 0..text.len() {
            let apps = read(&[&text[..cut], &text[cut..]]);
            assert_eq!(apps.len(), 1, "cut at {cut}");
            assert_eq!((apps[0].app.as_str(), apps[0].events), ("0H4000000000001CAA", 1));
            let agent = &apps[0].agents[0];
            assert_eq!((agent.value.as_str(), agent.count), ("Drift, \"chat\"", 1));
        }
    }

    #[test]
    fn the_family_and_the_method_tell_what_was_done() {
        let text = "API_FAMILY,API_VERSION,HTTP_METHOD,CONNECTED_APP_NAME\nREST,61.0,GET,Drift\nBulk,59.0,POST,Drift\n,,,Drift\n";
        let mut apps = read(&[text]);
        let values = |list: &[grantwarden_kit::model::Count]| {
            list.iter().map(|count| count.value.clone()).collect::<std::collections::BTreeSet<_>>()
        };
        let drift = apps.remove(0);
        assert_eq!(values(&drift.operations), ["Bulk POST", "REST GET"].map(String::from).into());
        assert_eq!(values(&drift.versions), ["59.0", "61.0"].map(String::from).into());
    }

    #[test]
    fn a_long_field_does_not_end_the_count() {
        let mut text = "CONNECTED_APP_NAME,CLIENT_IP\n".to_owned();
        for n in 0..5_000 {
            text.push_str(&format!(
                "Drift,192.0.2.{n}{}\n",
                "x".repeat(if n == 0 { 20_000 } else { 0 })
            ));
        }
        assert_eq!(read(&[&text])[0].events, 5_000);
    }
}
