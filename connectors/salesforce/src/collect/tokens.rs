//! `OauthToken`: the grants.
//!
//! One query gives at most 2,500 rows and then ends as if there were no more. So the listing counts first, reads windows ordered by
//! date of issue, and counts again. A window begins at the last date of the one before, whose rows of that date were held back:
//! no row that is tied at an edge is lost or read twice, whatever is issued or revoked meanwhile.

use std::collections::{BTreeMap, VecDeque};

use grantwarden_kit::{
    connector::Sink,
    error::{ErrorKind, Result},
    ledger::{Ledger, gap_of},
    model::{Gap, Grant, GrantKind, Holder, Observed, Reason, Record},
};
use serde::de::DeserializeOwned;

use super::{
    Facts, apps,
    rights::{CUSTOMIZE_APPLICATION, Rights},
    time,
};
use crate::{
    api::OauthToken,
    org::{Api, Org, missing_column},
    soql,
};

const FACET: &str = "grants";
const ENDPOINT: &str = "query OauthToken";
/// Rows that one query gives before it ends without a word:
/// <https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm>
const WINDOW: usize = 2_500;
/// Users whose ids fit into one address: Salesforce takes 16,384 bytes.
const USERS_PER_LOT: usize = 300;
/// How often a window is begun anew when its page token expires.
const RESTARTS: u32 = 2;

const COLUMNS: [&str; 4] = ["AppName", "UserId", "LastUsedDate", "UseCount"];
const OPTIONAL: [&str; 9] = [
    "Id",
    "CreatedDate",
    "AppMenuItem.ApplicationId",
    "User.Username",
    "User.IsActive",
    "User.UserType",
    "User.LastLoginDate",
    "User.ProfileId",
    "User.Profile.Name",
];

/// A row of `OauthToken` that can be put in order.
pub(crate) trait TokenRow: DeserializeOwned + Send {
    /// `CreatedDate` as sent.
    fn created(&self) -> Option<&str>;
}

impl TokenRow for OauthToken {
    fn created(&self) -> Option<&str> {
        self.created_date.as_deref()
    }
}

/// A listing of tokens that gets past the row limit.
pub(crate) struct Listing<'a> {
    org: &'a Org,
    columns: Vec<&'a str>,
    optional: Vec<&'a str>,
    /// A condition that all rows meet.
    condition: Option<String>,
    /// How many rows the org said there are.
    expected: u64,
    given: u64,
    cursor: Cursor,
}

/// Conditions that each hold for the tokens of some users, few enough for a window.
type Lots = VecDeque<String>;

/// Where the next window begins.
#[derive(Clone, PartialEq, Eq)]
enum Cursor {
    Start,
    /// Rows of this date and later.
    From(String),
    /// Rows of exactly this date, lot by lot; then rows that are later.
    Within(String, Lots),
    After(String),
    /// For an org whose tokens have no date of issue: lot by lot. Unlike an OFFSET, a lot does not shift when a token in another is
    /// revoked.
    Lots(Lots),
    End,
}

impl<'a> Listing<'a> {
    /// Counts, and prepares to read.
    pub(crate) async fn start(
        org: &'a Org,
        columns: &[&'a str],
        optional: &[&'a str],
        condition: Option<String>,
    ) -> Result<Self> {
        let mut listing = Self {
            org,
            columns: columns.to_vec(),
            optional: optional.to_vec(),
            condition,
            expected: 0,
            given: 0,
            cursor: Cursor::Start,
        };
        listing.expected = listing.count().await?;
        Ok(listing)
    }

    /// `SELECT COUNT()` with the listing's condition.
    pub(crate) async fn count(&self) -> Result<u64> {
        self.org.count("count OauthToken", &format!("FROM OauthToken{}", self.filter(None))).await
    }

    /// The rows of the next window; `None` after the last. Never more than 2,500.
    pub(crate) async fn next<T: TokenRow>(&mut self) -> Result<Option<Vec<T>>> {
        loop {
            let cursor = self.cursor.clone();
            let rows = match &cursor {
                Cursor::End => return Ok(None),
                Cursor::Start | Cursor::From(_) | Cursor::After(_) => self.dated(&cursor).await?,
                Cursor::Within(date, lots) => self.of_one_date(date, lots).await?,
                Cursor::Lots(lots) => self.lot(lots).await?,
            };
            self.given += rows.len() as u64;
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
    }

    /// Goes on after the last row, for tokens that were issued meanwhile. Without dates there is no "after": reading again from the
    /// start would count the same rows twice.
    fn resume(&mut self, last: Option<String>) {
        self.cursor = match last {
            Some(last) if self.optional.contains(&"CreatedDate") => Cursor::After(last),
            None if self.given == 0 => Cursor::Start,
            _ => Cursor::End,
        };
    }

    /// A window ordered by date of issue.
    async fn dated<T: TokenRow>(&mut self, cursor: &Cursor) -> Result<Vec<T>> {
        if !self.optional.contains(&"CreatedDate") {
            self.cursor = Cursor::Lots(self.lots(None).await?);
            return Ok(Vec::new());
        }
        let condition = match cursor {
            Cursor::From(date) => Some(format!("CreatedDate>={}", soql::instant(date))),
            Cursor::After(date) => Some(format!("CreatedDate>{}", soql::instant(date))),
            _ => None,
        };
        let tail =
            format!("{} ORDER BY CreatedDate LIMIT {WINDOW}", self.filter(condition.as_deref()));
        let Some(mut rows) = self.window::<T>(&tail).await? else {
            // A column was left out: begin this window again.
            return Ok(Vec::new());
        };
        let Some(last) = rows.last().and_then(|row| row.created().map(ToOwned::to_owned)) else {
            self.cursor = Cursor::End;
            return Ok(rows);
        };
        let is_end = rows.len() < WINDOW && self.given + rows.len() as u64 >= self.expected;
        if is_end {
            self.cursor = Cursor::End;
            return Ok(rows);
        }
        let held_back = rows.iter().rev().take_while(|row| row.created() == Some(&last)).count();
        if held_back < rows.len() {
            rows.truncate(rows.len() - held_back);
            self.cursor = Cursor::From(last);
        } else if rows.len() == WINDOW {
            // More rows of one date than a window holds: split them by user.
            rows.clear();
            let lots = self.lots(Some(&last)).await?;
            self.cursor = Cursor::Within(last, lots);
        } else {
            // All that is left has one date, and fits.
            self.cursor = Cursor::After(last);
        }
        Ok(rows)
    }

    async fn of_one_date<T: TokenRow>(&mut self, date: &str, lots: &Lots) -> Result<Vec<T>> {
        let mut lots = lots.clone();
        let Some(lot) = lots.pop_front() else {
            self.cursor = Cursor::After(date.to_owned());
            return Ok(Vec::new());
        };
        let condition = format!("CreatedDate={} AND {lot}", soql::instant(date));
        let tail = format!("{} LIMIT {WINDOW}", self.filter(Some(&condition)));
        // A column was left out: the same lot again.
        let Some(rows) = self.window(&tail).await? else { return Ok(Vec::new()) };
        self.cursor = Cursor::Within(date.to_owned(), lots);
        Ok(rows)
    }

    async fn lot<T: TokenRow>(&mut self, lots: &Lots) -> Result<Vec<T>> {
        let mut lots = lots.clone();
        let Some(lot) = lots.pop_front() else {
            self.cursor = Cursor::End;
            return Ok(Vec::new());
        };
        let tail = format!("{} LIMIT {WINDOW}", self.filter(Some(&lot)));
        let Some(rows) = self.window(&tail).await? else { return Ok(Vec::new()) };
        self.cursor = Cursor::Lots(lots);
        Ok(rows)
    }

    /// The tokens of a date, or all, by users in lots whose tokens fit a window and whose ids fit an address.
    async fn lots(&self, date: Option<&str>) -> Result<Lots> {
        #[derive(serde::Deserialize)]
        struct Row {
            #[serde(rename = "UserId")]
            user: Option<String>,
            #[serde(rename = "n")]
            tokens: u64,
        }
        let condition = date.map(|date| format!("CreatedDate={}", soql::instant(date)));
        let condition = self.filter(condition.as_deref());
        let soql =
            format!("SELECT UserId,COUNT(UserId) n FROM OauthToken{condition} GROUP BY UserId");
        let rows: Vec<Row> = self.org.rows(Api::Data, ENDPOINT, &soql).await?;
        let (mut lots, mut lot, mut room) = (Lots::new(), Vec::new(), WINDOW as u64);
        let is_in = |users: &[String]| {
            format!("UserId IN {}", soql::texts(users.iter().map(String::as_str)))
        };
        for Row { user, tokens } in rows {
            let Some(user) = user else {
                // Whoever granted these is gone.
                lots.push_back("UserId=null".to_owned());
                continue;
            };
            if !lot.is_empty() && (tokens > room || lot.len() == USERS_PER_LOT) {
                lots.push_back(is_in(&lot));
                lot.clear();
                room = WINDOW as u64;
            }
            lot.push(user);
            room = room.saturating_sub(tokens);
        }
        if !lot.is_empty() {
            lots.push_back(is_in(&lot));
        }
        Ok(lots)
    }

    /// Reads one query to its end, anew if its page token expires. `None`: a column was dropped, ask again.
    async fn window<T: TokenRow>(&mut self, tail: &str) -> Result<Option<Vec<T>>> {
        let mut restarts = 0;
        loop {
            let columns: Vec<&str> = self.columns.iter().chain(&self.optional).copied().collect();
            let soql = format!("SELECT {} FROM OauthToken{tail}", columns.join(","));
            // The count proves completeness here: what a query announces is cut at the window, too.
            match self.org.announced_rows(Api::Data, ENDPOINT, &soql).await {
                Ok((rows, _)) => return Ok(Some(rows)),
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                }
                Err(error) => match missing_column(&error, &self.optional) {
                    Some(at) => {
                        self.optional.remove(at);
                        return Ok(None);
                    }
                    None => return Err(error),
                },
            }
        }
    }

    fn filter(&self, more: Option<&str>) -> String {
        let conditions: Vec<&str> = self.condition.as_deref().into_iter().chain(more).collect();
        if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        }
    }
}

/// Streams the grants, and books what is missing.
pub(super) async fn all(org: &Org, ledger: &Ledger, sink: &Sink, facts: &mut Facts) -> Result<()> {
    if ledger.skipped(FACET).is_some() {
        return Ok(());
    }
    let mut stream = Stream::default();
    match stream.run(org, ledger, sink, facts).await {
        Ok(()) => {
            visibility(ledger, &facts.rights);
            Ok(())
        }
        Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
        Err(error) => {
            let missing = stream.expected.map(|expected| expected.saturating_sub(stream.read));
            ledger.lose(gap_of(FACET, &error), missing);
            ledger.settle(FACET);
            // Profiles are read as tokens name them.
            ledger.fail("login-ranges", &error);
            Ok(())
        }
    }
}

/// Whether a listing of tokens can be trusted to be everybody's: counts, and asks for the right that it takes.
pub(super) async fn probe(org: &Org, ledger: &Ledger, rights: &Rights) {
    let count = ledger.look(FACET, org.count("count OauthToken", "FROM OauthToken")).await;
    if matches!(count, Observed::Known(_)) {
        visibility(ledger, rights);
    }
}

/// Without Customize Application the org shows the scanner's own tokens only, and says nothing.
fn visibility(ledger: &Ledger, rights: &Rights) {
    ledger.settle(FACET);
    match rights.has(CUSTOMIZE_APPLICATION, FACET) {
        Observed::Known(true) => {}
        Observed::Known(false) => {
            let gap = Gap::new(
                Reason::Permission,
                FACET,
                "only the scanner's own tokens are shown: the right Customize Application is missing",
            );
            ledger.lose(gap, None);
        }
        Observed::Unknown(gap) => ledger.lose(gap, None),
        Observed::Absent => {
            let detail = "the org does not say whether the scanner may see all users' tokens";
            ledger.lose(Gap::new(Reason::Permission, FACET, detail), None);
        }
    }
}

#[derive(Default)]
struct Stream {
    ids: GrantIds,
    /// Date of the last row.
    last: Option<String>,
    /// Optional columns that the org has.
    columns: Vec<&'static str>,
    /// Rows read so far.
    read: u64,
    /// Rows that the org counted at the start.
    expected: Option<u64>,
}

impl Stream {
    async fn run(
        &mut self,
        org: &Org,
        ledger: &Ledger,
        sink: &Sink,
        facts: &mut Facts,
    ) -> Result<()> {
        let mut listing = Listing::start(org, &COLUMNS, &OPTIONAL, None).await?;
        ledger.expect(FACET, listing.expected);
        self.expected = Some(listing.expected);
        self.drain(&mut listing, ledger, sink, facts).await?;
        let mut count = listing.count().await?;
        if count > listing.given {
            // Tokens that were issued while the listing ran.
            listing.resume(self.last.clone());
            self.drain(&mut listing, ledger, sink, facts).await?;
            count = listing.count().await?;
        }
        // The ledger books the difference. A count that fell may be tokens that were revoked meanwhile, or a right that was lost: the
        // rights are asked for again at the end.
        ledger.expect(FACET, count.max(listing.given));
        // Documents contradict each other on these two, and the listing does without them. A missing column of any other name takes facts
        // away that rules rest on.
        let expendable = ["Id", "CreatedDate"];
        let is_missed =
            |column: &&str| !self.columns.contains(column) && !expendable.contains(column);
        for column in OPTIONAL.iter().filter(|column| listing.given > 0 && is_missed(column)) {
            let detail = format!("the org's tokens have no column {column}");
            ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), None);
        }
        Ok(())
    }

    async fn drain(
        &mut self,
        listing: &mut Listing<'_>,
        ledger: &Ledger,
        sink: &Sink,
        facts: &mut Facts,
    ) -> Result<()> {
        while let Some(rows) = listing.next::<OauthToken>().await? {
            self.columns =
                OPTIONAL.into_iter().filter(|column| listing.optional.contains(column)).collect();
            let profiles = rows.iter().filter_map(|row| row.user.as_ref()?.profile_id.as_deref());
            facts.network.load(listing.org, ledger, profiles).await;
            for row in rows {
                self.read += 1;
                if let Some(created) = &row.created_date {
                    self.last = Some(created.clone());
                }
                self.give(row, sink, facts).await?;
                ledger.read(FACET, 1);
            }
        }
        Ok(())
    }

    async fn give(&mut self, row: OauthToken, sink: &Sink, facts: &mut Facts) -> Result<()> {
        let name = row.app_name.clone().unwrap_or_else(|| "(unnamed app)".to_owned());
        let app_id = self.column("AppMenuItem.ApplicationId", || {
            Observed::from_option(
                row.app_menu_item.as_ref().and_then(|item| item.application_id.as_deref()),
            )
        });
        let (registered, is_new) = facts.apps.adopt(&app_id, &name);
        if is_new {
            sink.send(Record::App(registered.app.clone())).await?;
        }
        let app = registered.app.id.clone();
        let key = (registered.app.id.clone(), registered.relaxation.clone());
        let granted_at = self.column("CreatedDate", || time(FACET, row.created_date.as_deref()));
        let (expires, refreshable) =
            apps::expiry(registered, &granted_at, facts.network.session_timeout());
        let approval = registered.app.approval.clone();
        let profile = row.user.as_ref().and_then(|user| {
            Some((
                user.profile_id.as_deref()?,
                user.profile.as_ref().and_then(|p| p.name.as_deref()).unwrap_or("?"),
            ))
        });
        let network = facts.network.policy(&key.0, &key.1, profile);
        let user_id = row.user_id.clone().unwrap_or_default();
        // Without a single column of the user, a missing user is no user that is gone.
        let user = match OPTIONAL
            .iter()
            .find(|column| column.starts_with("User.") && self.columns.contains(column))
        {
            Some(_) => Observed::from_option(row.user.as_ref()),
            None => self.column("User", || Observed::Absent),
        };
        let mut principal = facts.people.principal(&user_id, &user);
        if user.known().is_some() {
            principal.last_login_at =
                self.column("User.LastLoginDate", || principal.last_login_at.clone());
        }
        let granted_by = principal.name.clone();
        let grant = Grant {
            id: self.ids.of(&row),
            app,
            app_name: name,
            kind: GrantKind::Delegated,
            holder: Holder::Principal(principal),
            scopes: Observed::unknown(
                Reason::PlatformSilent,
                FACET,
                "Salesforce does not show a token's own scopes; it has at most those of its app",
            ),
            granted_at,
            // A token is given by the user for whom it is.
            granted_by,
            last_used_at: time(FACET, row.last_used_date.as_deref()),
            use_count: Observed::from_option(row.use_count),
            expires,
            refreshable,
            network,
            // The token endpoint issues `token_type: Bearer` only (RFC 6750).
            settings: Vec::new(),
            sender_constrained: Observed::Known(false),
            approval,
        };
        sink.send(Record::Grant(Box::new(grant))).await
    }

    fn column<T>(&self, column: &str, read: impl FnOnce() -> Observed<T>) -> Observed<T> {
        if self.columns.contains(&column) {
            read()
        } else {
            Observed::unknown(
                Reason::PlatformSilent,
                FACET,
                format!("the org's tokens have no column {column}"),
            )
        }
    }
}

/// Ids of tokens: the row's own, or one made from what tells it apart.
#[derive(Default)]
pub(crate) struct GrantIds {
    /// How often each made id was given.
    given: BTreeMap<String, u32>,
}

impl GrantIds {
    /// The id of a row. Rows that nothing tells apart are numbered in the order of the listing.
    pub(crate) fn of(&mut self, row: &OauthToken) -> String {
        if let Some(id) = &row.id {
            return id.clone();
        }
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let made =
            format!("{}|{}|{}", part(&row.user_id), part(&row.created_date), part(&row.app_name));
        let nth = self.given.entry(made.clone()).or_insert(0);
        *nth += 1;
        if *nth == 1 { made } else { format!("{made}~{nth}") }
    }
}
