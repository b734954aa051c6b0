//! What a scan reads of an account, in order: the log and the settings, then users' grants as a stream, then what holds for everybody.
//! One file per subject. Nothing here keeps more than the apps and a few numbers per user and grant in memory.

mod activity;
mod app_access;
mod asking;
mod audit;
mod authorized_apps;
mod clients;
mod context_access;
mod controls;
mod delegation;
mod export;
mod extensions;
mod grant_events;
pub(crate) mod grants;
mod history;
pub(crate) mod log;
pub(crate) mod people;
mod probe;
mod remembered;
mod sweep;

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{AuditEvent, Gap, Observed, Reason, Record, Setting, Tenant},
};

pub(crate) use self::{
    activity::Usages,
    probe::{probe, whoami},
};
use self::{
    app_access::Decisions,
    clients::Clients,
    controls::Controls,
    delegation::Delegations,
    history::History,
    log::LOG_LIFE,
    remembered::{LATE, Remembered},
    sweep::{Context, Swept},
};
use crate::{
    account::{Account, Actor},
    directory::{UserListing, UserPage},
};

const CUSTOMER: &str = "customer";
/// Users on a page; Google takes no more.
const PAGE: u32 = 500;

/// The account's own facts, as the first users tell them.
struct Identity {
    id: String,
    domain: Option<String>,
}

/// Reads the whole account.
pub(crate) async fn all(
    account: &Account,
    ledger: &Ledger,
    sink: &Sink,
    usages: &Usages,
) -> Result<()> {
    let now = account.door.clock().now();
    let mut listing = UserListing::new(account, PAGE);
    let first = match listing.next().await {
        Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
        other => other.and_then(|page| some_users(account, page)),
    };
    let identity = identify(account, ledger, first.as_ref());
    let known = account.memory.as_ref().and_then(|memory| {
        let known = Remembered::recall(memory, &identity.id, now);
        // What cannot be read costs calls, not the scan.
        known
            .inspect_err(|error| tracing::warn!(%error, "What was remembered cannot be used."))
            .ok()
            .flatten()
    });
    let (controls, report, events, changes) = futures::join!(
        Controls::read(account, ledger),
        authorized_apps::read(account, ledger),
        events(account, ledger, known, usages),
        changes(account, ledger),
    );
    let (report, (history, known), changes) = (report?, events?, changes?);
    let network = changes.decisions.network();
    sink.send(Record::Tenant(tenant(&identity, &controls, &changes.decisions))).await?;
    for event in audit::distinct(changes.audit) {
        sink.send(Record::AuditEvent(event)).await?;
    }
    grant_events::stream(account, ledger, sink).await?;
    let mut clients = Clients::new(&history, &changes.decisions);
    let context =
        Context { account, ledger, sink, history: &history, network: &network, began_at: now };
    let is_wanted = [people::FACET, sweep::FACET, sweep::PASSWORDS]
        .map(|facet| ledger.skipped(facet).is_none())
        .contains(&true);
    match first {
        Ok(_) if !is_wanted => {}
        Ok(first) => {
            let swept = sweep(&context, listing, first, &mut clients, known, &identity).await?;
            if let Some(report) = &report
                && swept.is_whole
                && ledger.skipped(sweep::FACET).is_none()
            {
                report.compare(account, ledger, &history, &clients, swept.unread).await?;
            }
            ledger.settle(sweep::FACET);
        }
        Err(error) => {
            for facet in [people::FACET, sweep::FACET, sweep::PASSWORDS] {
                if ledger.skipped(facet).is_none() {
                    ledger.fail(facet, &error);
                    ledger.settle(facet);
                }
            }
        }
    }
    changes.delegations.stream(ledger, sink, &mut clients, &network).await?;
    extensions::stream(account, ledger, sink).await
}

/// Nobody at all is no answer: the administrator for whom the scanner acts is a user.
fn some_users(account: &Account, page: Option<UserPage>) -> Result<UserPage> {
    page.filter(|page| !page.users.is_empty() || page.unreadable > 0).ok_or_else(|| {
        let error = Error::new(ErrorKind::Malformed, "Google lists no users at all").with_hint(
            "check `account`, and that the scanner may read all users and not those of a unit",
        );
        account.door.place(error, "list users")
    })
}

/// Who the account is. Its own name takes a scope that nothing else needs, so that its domain stands for it.
fn identify(account: &Account, ledger: &Ledger, first: Result<&UserPage, &Error>) -> Identity {
    let users = first.map(|page| page.users.as_slice()).unwrap_or_default();
    let told = users.iter().find_map(|user| user.customer_id.clone());
    let of_subject = match &account.actor {
        Actor::Delegate { subject, .. } => people::domain(subject),
        _ => None,
    };
    let of_users = users.iter().find_map(|user| people::domain(user.primary_email.as_deref()?));
    let domain = of_subject.or(of_users).map(ToOwned::to_owned);
    let configured = account.id.clone().filter(|id| id != "my_customer");
    if ledger.skipped(CUSTOMER).is_none() {
        match (first, &told) {
            (_, Some(_)) => ledger.read(CUSTOMER, 1),
            (Err(error), _) => drop(ledger.fail(CUSTOMER, error)),
            (Ok(_), None) => {
                let detail = "Google gave users without the id of their account";
                ledger.lose(Gap::new(Reason::CallFailed, CUSTOMER, detail), None);
            }
        }
        ledger.settle(CUSTOMER);
    }
    let id = told.or(configured).or_else(|| domain.clone());
    Identity { id: id.unwrap_or_else(|| account.customer().to_owned()), domain }
}

/// What the OAuth log tells; and what is remembered, if the log tells who changed since.
async fn events(
    account: &Account,
    ledger: &Ledger,
    known: Option<Remembered>,
    usages: &Usages,
) -> Result<(History, Option<Remembered>)> {
    let mut history = History::new();
    let mut known = known;
    if let Some(remembered) = &known {
        let from = remembered.read_until.minus(LATE);
        grant_events::read(account, ledger, Some(from), &mut history).await?;
        let log_begins = account.door.clock().now().minus(LOG_LIFE);
        history.recall_types(&remembered.types, log_begins);
        if !history.names_everybody() {
            // Whoever changed unseen is found by reading everything.
            known = None;
            history = History::new();
        }
    }
    if known.is_none() {
        grant_events::read(account, ledger, None, &mut history).await?;
    }
    activity::read(account, ledger, &mut history, usages).await?;
    Ok((history, known))
}

/// What administrators changed.
struct Changes {
    decisions: Decisions,
    delegations: Delegations,
    audit: Vec<AuditEvent>,
}

async fn changes(account: &Account, ledger: &Ledger) -> Result<Changes> {
    let mut audit = Vec::new();
    let delegations = Delegations::read(account, ledger, &mut audit).await?;
    let decisions = Decisions::read(account, ledger, &mut audit).await?;
    Ok(Changes { decisions, delegations, audit })
}

/// Reads what users hold, and remembers it.
async fn sweep(
    context: &Context<'_>,
    listing: UserListing<'_>,
    first: UserPage,
    clients: &mut Clients<'_>,
    known: Option<Remembered>,
    identity: &Identity,
) -> Result<Swept> {
    let Context { account, ledger, history, began_at, .. } = context;
    let rewrite = account.memory.as_ref().and_then(|memory| {
        let begun = remembered::begin(memory, &identity.id, *began_at, history.types());
        begun.inspect_err(|error| tracing::warn!(%error, "This scan cannot be remembered.")).ok()
    });
    let since = known.as_ref().map(|known| known.read_until);
    let (swept, rewrite) = sweep::run(context, listing, first, clients, known, rewrite).await?;
    if let Some(since) = since {
        let detail = format!(
            "incremental: of {} users' grants {} were listed now; {} were taken from the scan that read the log until {since}, because the log names no change of them since",
            swept.listed + swept.recalled,
            swept.listed,
            swept.recalled,
        );
        ledger.note(sweep::FACET, detail);
    }
    if let Some(rewrite) = rewrite.filter(|_| swept.is_whole && history.is_whole)
        && let Err(error) = rewrite.keep()
    {
        tracing::warn!(%error, "This scan cannot be remembered.");
    }
    Ok(swept)
}

/// The record of the account.
fn tenant(identity: &Identity, controls: &Controls, decisions: &Decisions) -> Tenant {
    let silent = |detail: &str| Gap::new(Reason::PlatformSilent, CUSTOMER, detail);
    let mut settings = vec![Setting {
        name: "organisation name".to_owned(),
        value: Observed::Unknown(silent(
            "not asked for: it takes the scope admin.directory.customer.readonly; the domain stands for it",
        )),
    }];
    settings.extend(controls.settings.iter().cloned());
    settings.extend(decisions.tenant_settings());
    Tenant {
        id: identity.id.clone(),
        display_name: identity.domain.clone().map_or_else(
            || Observed::Unknown(silent("no user's address tells the domain")),
            Observed::Known,
        ),
        sandbox: Observed::Unknown(silent("Google does not mark accounts that are for tests")),
        consent: controls.consent(),
        look_alikes: decisions.look_alikes(),
        settings,
    }
}
