//! The sweep over all users: grants and app passwords, user by user, because no call lists those of several. Users come page by page,
//! and as many are asked for at once as the platform allows; records keep the order of the users.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{Stream, StreamExt, stream};
use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    memory::Rewrite,
    model::{Gap, Reason, Timestamp},
};

use super::{
    asking::{Asking, Read, book_listed, book_unread, judge},
    clients::Clients,
    grants,
    history::{EVENTS, History},
    log::{self, LogQuery},
    people,
    remembered::{Held, LATE, Line, Remembered},
};
use crate::{
    account::Account,
    api::{Asp, Token, User},
    directory::{self, UserListing, UserPage},
};

/// Facet of the grants.
pub(super) const FACET: &str = "grants";
/// Facet of the app passwords.
pub(super) const PASSWORDS: &str = "app-passwords";
/// What the sweep needs of the rest of the scan.
pub(super) struct Context<'a> {
    pub(super) account: &'a Account,
    pub(super) ledger: &'a Ledger,
    pub(super) sink: &'a Sink,
    pub(super) history: &'a History,
    pub(super) network: &'a grantwarden_kit::model::NetworkPolicy,
    /// When the scan began, before the log was read: what it lists is at least as new.
    pub(super) began_at: Timestamp,
}

/// How the sweep ended.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// Whether every user was asked for or recalled; single users may still not be readable.
    pub(super) is_whole: bool,
    /// Users whose grants could not be read.
    pub(super) unread: u64,
    /// Users whose grants were taken from memory.
    pub(super) recalled: u64,
    /// Users whose grants were listed.
    pub(super) listed: u64,
    /// Users that Google named.
    pub(super) users: u64,
    /// Users who cannot have app passwords, and were not asked for any.
    without_second_step: u64,
}

/// What one user holds, as far as it could be read.
struct Holdings {
    user: User,
    tokens: Read<Token>,
    passwords: Read<Asp>,
    /// What was remembered of the user, for dates that the log was not asked for again.
    line: Option<Line>,
    /// Dates of a user of whom nothing was remembered, by client id; `None`: they are in the history.
    dates: Option<Result<Vec<(String, i64)>>>,
    listed_at: i64,
}

/// How to learn what a user holds.
enum Plan {
    Recall(Line),
    Ask {
        line: Option<Line>,
        /// The log of the time before the last scan was not read, and nothing is remembered.
        needs_log: bool,
    },
}

enum Item {
    User(Box<User>, Plan),
    Unreadable(u64),
    Failed(Error),
}

/// Reads everything that users hold.
pub(super) async fn run(
    context: &Context<'_>,
    listing: UserListing<'_>,
    first: UserPage,
    clients: &mut Clients<'_>,
    mut remembered: Option<Remembered>,
    mut rewrite: Option<Rewrite>,
) -> Result<(Swept, Option<Rewrite>)> {
    let Context { account, ledger, .. } = context;
    let mut tokens = Asking::new(ledger, FACET);
    let mut passwords = Asking::new(ledger, PASSWORDS);
    let mut swept = Swept { is_whole: true, ..Swept::default() };
    // The flags are shared with the calls in flight.
    let (no_tokens, no_passwords) =
        (AtomicBool::new(tokens.is_over), AtomicBool::new(passwords.is_over));
    let is_skipped = tokens.is_over;
    let items = users(listing, first).map(|row| match row {
        Ok(Row::User(user)) => {
            let plan = plan(&user, remembered.as_mut(), context.history, is_skipped);
            Item::User(user, plan)
        }
        Ok(Row::Unreadable(rows)) => Item::Unreadable(rows),
        Err(error) => Item::Failed(error),
    });
    let fetched = items
        .map(|item| fetch(context, item, &no_tokens, &no_passwords))
        .buffered(account.concurrent.max(1));
    let mut fetched = std::pin::pin!(fetched);
    while let Some(result) = fetched.next().await {
        let holdings = match result {
            Fetched::User(holdings) => holdings,
            Fetched::Unreadable(rows) => {
                book_odd_users(ledger, rows);
                swept.unread += rows;
                continue;
            }
            Fetched::Failed(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Fetched::Failed(error) => {
                for facet in [people::FACET, FACET, PASSWORDS] {
                    if ledger.skipped(facet).is_none() {
                        ledger.fail(facet, &error);
                    }
                }
                swept.is_whole = false;
                continue;
            }
        };
        ledger.read(people::FACET, 1);
        swept.users += 1;
        swept.without_second_step += u64::from(lacks_second_step(&holdings.user));
        let line =
            give(context, &holdings, clients, &mut tokens, &mut passwords, &mut swept).await?;
        no_tokens.store(tokens.is_over, Ordering::Relaxed);
        no_passwords.store(passwords.is_over, Ordering::Relaxed);
        if let (Some(to), Some(line)) = (&mut rewrite, &line)
            && let Err(error) = to.line(line)
        {
            tracing::warn!(error = %error, "This scan cannot be remembered.");
            rewrite = None;
        }
    }
    let users = swept.users;
    tokens.finish(ledger, users);
    passwords.finish(ledger, users);
    swept.unread += tokens.unread;
    if swept.without_second_step > 0 && ledger.skipped(PASSWORDS).is_none() {
        let detail = format!(
            "{} users were not asked for: without 2-Step Verification nobody has app passwords",
            swept.without_second_step
        );
        ledger.note(PASSWORDS, detail);
    }
    swept.is_whole &= is_skipped || !tokens.is_over;
    // The grants are settled when they were compared with Google's own count.
    for facet in [people::FACET, PASSWORDS] {
        ledger.settle(facet);
    }
    Ok((swept, rewrite.filter(|_| !is_skipped)))
}

fn book_odd_users(ledger: &Ledger, rows: u64) {
    let detail = "users have a form that is not known";
    for facet in [people::FACET, FACET, PASSWORDS] {
        if ledger.skipped(facet).is_none() {
            ledger.lose(Gap::new(Reason::CallFailed, facet, detail), Some(rows));
        }
    }
}

enum Row {
    User(Box<User>),
    Unreadable(u64),
}

/// All users as a stream. A failure is its last item.
fn users<'a>(
    listing: UserListing<'a>,
    first: UserPage,
) -> impl Stream<Item = Result<Row>> + use<'a> {
    let pages = stream::unfold((Some(listing), Some(first)), async |(listing, first)| {
        if let Some(first) = first {
            return Some((Ok(first), (listing, None)));
        }
        let mut listing = listing?;
        match listing.next().await {
            Ok(Some(page)) => Some((Ok(page), (Some(listing), None))),
            Ok(None) => None,
            Err(error) => Some((Err(error), (None, None))),
        }
    });
    pages.flat_map(|page| {
        let rows = match page {
            Err(error) => vec![Err(error)],
            Ok(UserPage { users, unreadable }) => {
                let users = users.into_iter().map(|user| Ok(Row::User(Box::new(user))));
                users.chain((unreadable > 0).then_some(Ok(Row::Unreadable(unreadable)))).collect()
            }
        };
        stream::iter(rows)
    })
}

fn plan(
    user: &User,
    remembered: Option<&mut Remembered>,
    history: &History,
    is_skipped: bool,
) -> Plan {
    let Some(remembered) = remembered.filter(|_| !is_skipped) else {
        return Plan::Ask { line: None, needs_log: false };
    };
    match remembered.of(&user.id) {
        Some(line) if !history.touches(user) && !remembered.is_due(&user.id, line.listed_at) => {
            Plan::Recall(line)
        }
        Some(line) => Plan::Ask { line: Some(line), needs_log: false },
        None => {
            let created = user.creation_time.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
            let is_new = created.is_some_and(|at| at >= remembered.read_until.minus(LATE));
            Plan::Ask { line: None, needs_log: !is_new }
        }
    }
}

enum Fetched {
    User(Box<Holdings>),
    Unreadable(u64),
    Failed(Error),
}

/// Asks for what one user holds.
async fn fetch(
    context: &Context<'_>,
    item: Item,
    no_tokens: &AtomicBool,
    no_passwords: &AtomicBool,
) -> Fetched {
    let (user, plan) = match item {
        Item::User(user, plan) => (*user, plan),
        Item::Unreadable(rows) => return Fetched::Unreadable(rows),
        Item::Failed(error) => return Fetched::Failed(error),
    };
    let (account, now) = (context.account, context.began_at.as_second());
    let held = async {
        match plan {
            Plan::Recall(line) => {
                let listed_at = line.listed_at;
                (Read::Recalled, Some(line), None, listed_at)
            }
            Plan::Ask { line, .. } if no_tokens.load(Ordering::Relaxed) => {
                (Read::NotAsked, line, None, now)
            }
            Plan::Ask { line, needs_log } => {
                let tokens =
                    judge(account, &user, directory::tokens(account, &user.id).await).await;
                let dates = match &tokens {
                    Read::Listed(listed) if needs_log && !listed.rows.is_empty() => {
                        Some(own_log(account, &user).await)
                    }
                    _ => None,
                };
                (tokens, line, dates, now)
            }
        }
    };
    let passwords = async {
        if no_passwords.load(Ordering::Relaxed) || lacks_second_step(&user) {
            return Read::NotAsked;
        }
        judge(account, &user, directory::asps(account, &user.id).await).await
    };
    let ((tokens, line, dates, listed_at), passwords) = futures::join!(held, passwords);
    Fetched::User(Box::new(Holdings { user, tokens, passwords, line, dates, listed_at }))
}

/// Nobody without 2-Step Verification has app passwords: <https://support.google.com/accounts/answer/185833>. Who is not told to lack it
/// is asked for.
fn lacks_second_step(user: &User) -> bool {
    user.is_enrolled_in_2sv == Some(false)
}

/// When a user authorised which client, from the user's own part of the log.
async fn own_log(account: &Account, user: &User) -> Result<Vec<(String, i64)>> {
    let query = LogQuery {
        user: user.id.clone(),
        ..LogQuery::all(account, "list authorisations of a user", "token", "authorize")
    };
    let mut dates = Vec::new();
    log::read(account, &query, |at, entry| {
        let clients = entry.events.iter().filter_map(|event| event.text("client_id"));
        dates.extend(clients.map(|client| (client.to_owned(), at.as_second())));
    })
    .await?;
    Ok(dates)
}

/// Streams what a user holds, and books what could not be read. What is to be remembered of the user, if the grants are known.
async fn give(
    context: &Context<'_>,
    holdings: &Holdings,
    clients: &mut Clients<'_>,
    tokens: &mut Asking,
    passwords: &mut Asking,
    swept: &mut Swept,
) -> Result<Option<Line>> {
    let Holdings { user, line, dates, .. } = holdings;
    let rows: Vec<(Token, Option<i64>)> = match &holdings.tokens {
        Read::Recalled => {
            swept.recalled += 1;
            tokens.recalled();
            let held = line.iter().flat_map(|line| line.grants.iter().cloned());
            held.map(Held::token).collect()
        }
        Read::Listed(listed) => {
            swept.listed += 1;
            book_listed(context.ledger, tokens, listed.unreadable);
            if let Some(Err(error)) = dates {
                context.ledger.fail(EVENTS, error);
            }
            merged(&listed.rows)
                .into_iter()
                .map(|token| {
                    let remembered =
                        line.as_ref().and_then(|line| line.granted_at(&token.client_id));
                    let own = own_date(dates.as_ref(), &token.client_id);
                    let at = context.history.authorized(user, &token.client_id);
                    (token, at.max(remembered).max(own))
                })
                .collect()
        }
        other => {
            book_unread(context.ledger, tokens, other)?;
            give_passwords(context, holdings, clients, passwords).await?;
            return Ok(None);
        }
    };
    let mut kept = Line::new(&user.id, holdings.listed_at);
    for (token, granted_at) in rows {
        kept.grants.push(Held::new(&token, granted_at));
        grants::give(context, clients, user, token, granted_at).await?;
    }
    give_passwords(context, holdings, clients, passwords).await?;
    let is_odd = matches!(&holdings.tokens, Read::Listed(listed) if listed.unreadable > 0)
        || matches!(dates, Some(Err(_)));
    Ok((!is_odd).then_some(kept))
}

fn own_date(dates: Option<&Result<Vec<(String, i64)>>>, client: &str) -> Option<i64> {
    let dates = dates?.as_ref().ok()?;
    dates.iter().filter(|(of, _)| of == client).map(|(_, at)| *at).max()
}

async fn give_passwords(
    context: &Context<'_>,
    holdings: &Holdings,
    clients: &mut Clients<'_>,
    asking: &mut Asking,
) -> Result<()> {
    match &holdings.passwords {
        Read::Listed(listed) => {
            book_listed(context.ledger, asking, listed.unreadable);
            for asp in &listed.rows {
                grants::give_password(context, clients, &holdings.user, asp).await?;
            }
            Ok(())
        }
        other => book_unread(context.ledger, asking, other),
    }
}

/// One grant per client. A client that is listed twice has the scopes of both.
fn merged(tokens: &[Token]) -> Vec<Token> {
    let mut merged: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match merged.iter_mut().find(|known| known.client_id == token.client_id) {
            None => merged.push(token.clone()),
            Some(known) => match (&mut known.scopes, &token.scopes) {
                (Some(scopes), Some(more)) => {
                    for scope in more {
                        if !scopes.contains(scope) {
                            scopes.push(scope.clone());
                        }
                    }
                }
                // What is not told of one is not told of both.
                (scopes, _) => *scopes = None,
            },
        }
    }
    merged
}
