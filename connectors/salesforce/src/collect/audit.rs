//! Changes of integrations in the org's setup audit trail.

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{AuditEvent, Observed, Record},
};

use crate::{
    api::SetupAuditTrail,
    org::{Api, Org},
};

const FACET: &str = "audit-trail";
const ENDPOINT: &str = "query SetupAuditTrail";
const FROM: &str = "FROM SetupAuditTrail WHERE CreatedDate>=LAST_N_DAYS:30";
/// Words in `Display` that make an entry ours. The codes in `Action` are not documented, and `Display` cannot be filtered by query.
const WORDS: [&str; 7] = [
    "connected app",
    "external client app",
    "oauth",
    "api access control",
    "login ip range",
    "installed package",
    "api client",
];

/// Streams the entries that concern integrations.
pub(super) async fn all(org: &Org, ledger: &Ledger, sink: &Sink) {
    ledger.look(FACET, stream(org, ledger, sink)).await;
}

/// Finds out whether the trail can be read.
pub(super) async fn probe(org: &Org, ledger: &Ledger) {
    ledger.look(FACET, org.count("count SetupAuditTrail", FROM)).await;
}

async fn stream(org: &Org, ledger: &Ledger, sink: &Sink) -> Result<()> {
    let soql = format!("SELECT Id,Action,Display,CreatedDate,CreatedBy.Username {FROM}");
    let mut pages = org.query(Api::Data, ENDPOINT, &soql)?;
    while let Some(page) = org.page::<SetupAuditTrail>(ENDPOINT, &mut pages).await? {
        ledger.read(FACET, page.records.len() as u64);
        for event in page.records.into_iter().filter_map(event) {
            sink.send(Record::AuditEvent(event)).await?;
        }
    }
    Ok(())
}

fn event(row: SetupAuditTrail) -> Option<AuditEvent> {
    let summary = row.display?;
    let lower = summary.to_lowercase();
    let at = row.created_date.as_deref()?.parse().ok()?;
    WORDS.iter().any(|word| lower.contains(word)).then(|| AuditEvent {
        id: row.id,
        at,
        actor: Observed::from_option(row.created_by.and_then(|creator| creator.username)),
        action: row.action.unwrap_or_default(),
        summary,
    })
}
