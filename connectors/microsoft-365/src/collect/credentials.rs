//! Secrets, certificates and federated credentials of apps: known by id, never by value.

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    ledger::Ledger,
    model::{Credential, CredentialKind, Gap, Observed, Reason, Record},
};

use super::{
    registrations::{Federated, Registration},
    reports::CredentialUse,
    time,
};
use crate::api::{KeyCredential, PasswordCredential};

/// What is kept of a secret or a certificate.
pub(super) struct Secret {
    pub(super) id: Option<Box<str>>,
    pub(super) name: Option<Box<str>>,
    pub(super) kind: CredentialKind,
    start: Option<Box<str>>,
    end: Option<Box<str>>,
}

impl Secret {
    /// All that prove the app. A certificate with which Entra signs SAML assertions for the app proves Entra, not the app.
    pub(super) fn all(passwords: &[PasswordCredential], keys: &[KeyCredential]) -> Vec<Self> {
        let text = |text: &Option<String>| text.as_deref().map(Into::into);
        let passwords = passwords.iter().map(|row| Self {
            id: text(&row.key_id),
            name: text(&row.display_name),
            kind: CredentialKind::ClientSecret,
            start: text(&row.start_date_time),
            end: text(&row.end_date_time),
        });
        let proving = keys.iter().filter(|row| row.usage.as_deref() != Some("Sign"));
        let keys = proving.map(|row| Self {
            id: text(&row.key_id),
            name: text(&row.display_name),
            kind: CredentialKind::Certificate,
            start: text(&row.start_date_time),
            end: text(&row.end_date_time),
        });
        passwords.chain(keys).collect()
    }

    /// The record. `at` is the position among the app's, for one without an id.
    pub(super) fn record(
        &self,
        app: &str,
        at: usize,
        facet: &str,
        used: &CredentialUse,
    ) -> Credential {
        let id = self.id.as_deref();
        Credential {
            id: id.map_or_else(|| format!("{app}:credential-{at}"), ToOwned::to_owned),
            app: app.to_owned(),
            kind: self.kind,
            name: Observed::from_option(self.name.as_deref().map(ToOwned::to_owned)),
            created_at: moment(facet, self.start.as_deref()),
            expires_at: moment(facet, self.end.as_deref()),
            last_used_at: used.of(id),
        }
    }
}

/// A date that every credential has: one that is not told is not "none".
fn moment(facet: &str, text: Option<&str>) -> Observed<grantwarden_kit::model::Timestamp> {
    match text {
        Some(text) => time(facet, text),
        None => {
            let detail = "Graph does not give the credential's date";
            Observed::unknown(Reason::PlatformSilent, facet, detail)
        }
    }
}

/// `2 secrets, 1 certificate`
pub(super) fn counted(secrets: &[Secret]) -> String {
    let of = |kind| secrets.iter().filter(|secret| secret.kind == kind).count();
    let words = [
        (of(CredentialKind::ClientSecret), "secret"),
        (of(CredentialKind::Certificate), "certificate"),
    ];
    let said: Vec<String> = words
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if said.is_empty() { "none".to_owned() } else { said.join(", ") }
}

/// Books apps whose credentials Graph did not give. Whether there were any.
pub(super) fn book_untold(ledger: &Ledger, facet: &str, untold: u64) -> bool {
    if untold > 0 {
        let detail = "Graph does not give the credentials of an app";
        ledger.lose(Gap::new(Reason::CallFailed, facet, detail), Some(untold));
    }
    untold > 0
}

/// Sends the credentials of an own registration.
pub(super) async fn send(
    sink: &Sink,
    ledger: &Ledger,
    app: &str,
    registration: &Registration,
    federated: &[Federated],
    used: &CredentialUse,
) -> Result<()> {
    for (at, secret) in registration.secrets.iter().enumerate() {
        let record = secret.record(app, at, super::registrations::FACET, used);
        sink.send(Record::Credential(record)).await?;
    }
    for credential in federated {
        ledger.read(super::registrations::FEDERATED, 1);
        sink.send(Record::Credential(credential.record(app))).await?;
    }
    Ok(())
}
