//! What a scan reads of an org, in order: facts about the org, its apps and their settings, then the tokens as a stream. One file
//! per subject. Nothing here keeps more than the apps and the settings in memory.

mod apps;
mod audit;
mod client_credentials;
mod external;
mod network;
mod policies;
mod principals;
mod rights;
mod tenant;
mod tokens;
pub(crate) mod usage;

use std::collections::{BTreeMap, BTreeSet};

use grantwarden_kit::{
    connector::Sink,
    error::{Error, ErrorKind, Result},
    ledger::Ledger,
    model::{Observed, Reason, Record, Timestamp},
};

use crate::{
    api::Organization,
    org::{Api, Books, Org, Select},
};
#[cfg(feature = "revoke")]
pub(crate) use apps::AppKind;
#[cfg(feature = "revoke")]
pub(crate) use tokens::{GrantIds, Listing, TokenRow};

/// Facts that every grant of the org needs.
struct Facts {
    rights: rights::Rights,
    people: principals::People,
    network: network::Networks,
    apps: apps::Apps,
}

/// Reads the whole org.
pub(crate) async fn all(org: &Org, ledger: &Ledger, sink: &Sink) -> Result<()> {
    org.connect().await?;
    let organization = organization(org, ledger).await?;
    let rights = rights::Rights::read(org).await;
    let (people, mut network, registered, consent) = tokio::join!(
        principals::People::read(org, ledger, &rights),
        network::Networks::read(org, ledger),
        apps::Apps::read(org, ledger, &rights),
        tenant::Consent::read(org, ledger),
    );
    network.adopt(&registered);
    sink.send(Record::Tenant(tenant::record(&organization, consent, &people, &network))).await?;
    for app in registered.records() {
        sink.send(Record::App(app.clone())).await?;
    }
    for credential in registered.credentials() {
        sink.send(Record::Credential(credential.clone())).await?;
    }
    let mut facts = Facts { rights, people, network, apps: registered };
    client_credentials::all(org, ledger, sink, &mut facts).await?;
    tokens::all(org, ledger, sink, &mut facts).await?;
    audit::all(org, ledger, sink).await;
    rights::Rights::read(org).await.book_lost(&facts.rights, ledger);
    Ok(())
}

/// Finds out what can be seen, without a stream.
pub(crate) async fn probe(org: &Org, ledger: &Ledger) {
    let rights = rights::Rights::read(org).await;
    tokio::join!(
        principals::People::read(org, ledger, &rights),
        async {
            let mut network = network::Networks::read(org, ledger).await;
            network.probe(org, ledger).await;
        },
        apps::Apps::read(org, ledger, &rights),
        tenant::Consent::read(org, ledger),
        tokens::probe(org, ledger, &rights),
        audit::probe(org, ledger),
    );
    if org.door.quota().is_none() {
        // Only a note in the probe depends on it.
        let _ = crate::session::limits(org).await;
    }
}

/// The org itself. Settles the API version on the way.
pub(crate) async fn organization(org: &Org, ledger: &Ledger) -> Result<Organization> {
    let select = Select {
        api: Api::Data,
        endpoint: "query Organization",
        columns: &["Id"],
        optional: &["Name", "IsSandbox"],
        from: "FROM Organization",
        books: Some(Books { ledger, facet: "organization" }),
    };
    let read = async || org.select::<Organization>(&select).await;
    let rows = match read().await {
        Err(error) if error.kind == ErrorKind::NotFound => {
            org.take_older_version().await?;
            read().await
        }
        other => other,
    };
    let organization = rows?.into_iter().next().ok_or_else(|| {
        org.explain(
            select.endpoint,
            Error::new(ErrorKind::Forbidden, "the org does not show itself"),
        )
    })?;
    ledger.read("organization", 1);
    ledger.settle("organization");
    Ok(organization)
}

/// A value that the connector knows; a gap that quotes it if it does not.
fn known_value<T>(facet: &str, what: &str, text: &str, value: Option<T>) -> Observed<T> {
    value.map_or_else(
        || {
            let detail = format!("the {what} `{text}` is not known to this version");
            Observed::unknown(Reason::PlatformSilent, facet, detail)
        },
        Observed::Known,
    )
}

/// A time as Salesforce writes it. `Absent` for null; a text that is no time is a gap, not a null.
fn time(facet: &str, text: Option<&str>) -> Observed<Timestamp> {
    match text {
        None => Observed::Absent,
        Some(text) => text.parse().map_or_else(
            |_| {
                Observed::unknown(
                    Reason::CallFailed,
                    facet,
                    "the platform wrote a time in a form that is not known",
                )
            },
            Observed::Known,
        ),
    }
}

/// The first 15 characters: the case-sensitive form of an id, which logs use.
pub(crate) fn short_id(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

/// The 18-character form of an id, which queries use: three more characters that say which of the 15 letters are upper case.
///
/// <https://help.salesforce.com/s/articleView?id=000385585>
fn long_id(id: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    if id.len() != 15 || !id.is_ascii() {
        return id.to_owned();
    }
    let check = id.as_bytes().chunks(5).map(|group| {
        let bits = group
            .iter()
            .rev()
            .fold(0, |bits, letter| bits << 1 | usize::from(letter.is_ascii_uppercase()));
        char::from(DIGITS[bits])
    });
    id.chars().chain(check).collect()
}

/// The host of an address.
fn host(url: &str) -> Option<String> {
    url::Url::parse(url.trim()).ok()?.host_str().map(str::to_lowercase)
}

/// Groups rows under a key, in a stable order.
fn group<K: Ord, V>(rows: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, BTreeSet<V>>
where
    V: Ord,
{
    let mut groups: BTreeMap<K, BTreeSet<V>> = BTreeMap::new();
    for (key, value) in rows {
        groups.entry(key).or_default().insert(value);
    }
    groups
}
