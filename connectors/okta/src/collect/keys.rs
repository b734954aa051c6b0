//! Credentials of OAuth clients: public keys, and what is told of secrets without reading them. The list of an app's secrets gives them in
//! clear text and is never asked for; the list of clients tells when a secret ends.

use std::collections::{HashMap, HashSet};

use grantwarden_kit::{
    error::{Error, Result},
    ledger::Ledger,
    model::{Credential, CredentialKind, Gap, Observed, Reason, Timestamp},
};

use super::{
    apps,
    grants::silent,
    listed::{self, Listed},
};
use crate::{
    api::{Application, Client, Key, KeySet, Row},
    org::{Call, Org, bucket},
    told::{Told, untold},
};

pub(super) const FACET: &str = "client-keys";
pub(super) const LIST: Call =
    Call { endpoint: "list OAuth clients", scope: "okta.clients.read", bucket: bucket::CLIENTS };
pub(super) const KEYS: Call =
    Call { endpoint: "list keys of an app", scope: "okta.apps.read", bucket: bucket::APP };

/// What the list of clients tells of each: when its secret ends.
pub(super) struct Clients {
    ends: HashMap<String, Told<i64>>,
    gap: Option<Gap>,
}

impl Clients {
    pub(super) async fn read(org: &Org, ledger: &Ledger) -> Self {
        let Listed { rows, gap } = listed::read::<Client>(
            org,
            ledger,
            FACET,
            LIST,
            &["oauth2", "v1", "clients"],
            &[("limit", "200")],
        )
        .await;
        let ends =
            rows.into_iter().map(|client| (client.client_id, client.client_secret_expires_at));
        Self { ends: ends.collect(), gap }
    }

    /// Books clients that no app stands for: somebody holds them, and the list of apps leaves them out.
    pub(super) fn compare(&self, ledger: &Ledger, known: &HashSet<&str>) {
        let strangers = || self.ends.keys().filter(|id| !known.contains(id.as_str()));
        // What has the id of an app is one (API sheet, section 6).
        let apps = strangers().filter(|id| id.starts_with("0oa")).count();
        let others = strangers().count() - apps;
        let detail = "OAuth clients that Okta lists and for which it lists no app or integration: the scanner's role may not cover them";
        for (facet, count) in [(apps::FACET, apps), (FACET, others)] {
            if count > 0 {
                let gap = Gap::new(Reason::CountMismatch, facet, detail);
                ledger.lose(gap, Some(count as u64));
            }
        }
    }

    fn end(&self, client_id: &str) -> Observed<Timestamp> {
        const WHAT: &str = "when the client's secret ends";
        match self.ends.get(client_id) {
            // 0 is never (RFC 7591 section 3.2.1).
            Some(Told::Given(0)) => Observed::Absent,
            Some(Told::Given(seconds)) => match Timestamp::from_second(*seconds) {
                Some(at) => Observed::Known(at),
                None => Observed::Unknown(untold(FACET, WHAT)),
            },
            Some(other) => Observed::Unknown(match other {
                Told::Odd => crate::told::odd(FACET, WHAT),
                _ => untold(FACET, WHAT),
            }),
            None => Observed::Unknown(self.gap.clone().unwrap_or_else(|| untold(FACET, WHAT))),
        }
    }
}

/// How a client proves itself.
fn method(app: &Application) -> Option<&str> {
    let told = app
        .credentials
        .field(|credentials| &credentials.oauth_client)
        .field(|client| &client.token_endpoint_auth_method);
    told.given().map(String::as_str)
}

/// The keys that the listing of apps holds already, if it tells how old they are.
pub(super) fn told_with_app(app: &Application) -> Option<Vec<Key>> {
    let rows = apps::client(app).field(|client| &client.jwks).field(|set| &set.keys).given()?;
    let keys: Option<Vec<Key>> = rows
        .iter()
        .map(|row| match row {
            Row::Good(key) if key.created.given().is_some() => Some(key.clone()),
            _ => None,
        })
        .collect();
    keys.filter(|keys| !keys.is_empty())
}

/// Whether an app has keys of its own that take a call to see.
pub(super) fn takes_a_call(app: &Application) -> bool {
    apps::is_oidc(app)
        && method(app).is_none_or(|method| method == "private_key_jwt")
        && told_with_app(app).is_none()
}

/// Asks for the keys of an app.
pub(super) async fn ask(org: &Org, app: &str) -> Result<(Vec<Key>, u64)> {
    let path = ["api", "v1", "apps", app, "credentials", "jwks"];
    let set: KeySet = org.ask(KEYS, &path, &[]).await?;
    let rows = match set.jwks.keys {
        Told::Given(rows) => rows,
        // A client that fetches its keys from elsewhere has no list.
        Told::Missing | Told::Null => Vec::new(),
        Told::Odd => {
            return Err(Error::new(
                grantwarden_kit::error::ErrorKind::Malformed,
                "the keys have a form that is not known",
            ));
        }
    };
    let mut keys = Vec::new();
    let mut odd = 0;
    for row in rows {
        match row {
            Row::Good(key) => keys.push(key),
            Row::Odd(_) => odd += 1,
        }
    }
    Ok((keys, odd))
}

/// The credentials of an app, with the keys that were found.
pub(super) fn credentials(app: &Application, keys: &[Key], clients: &Clients) -> Vec<Credential> {
    let client_id = apps::client_id(app).unwrap_or(&app.id);
    let used = || silent(FACET, "Okta does not tell when a credential was last used");
    let live =
        keys.iter().filter(|key| key.status.given().is_none_or(|status| status != "INACTIVE"));
    let mut all: Vec<Credential> = live
        .enumerate()
        .map(|(at, key)| {
            let id = [&key.id, &key.kid].into_iter().find_map(Told::given);
            Credential {
                id: id.cloned().unwrap_or_else(|| format!("{}:key:{at}", app.id)),
                app: app.id.clone(),
                kind: CredentialKind::Certificate,
                name: key.kid.or_absent(FACET, "what the key is called", Clone::clone),
                created_at: key.created.observed(FACET, "when the key was added", |at| *at),
                // A bare public key ends when somebody takes it away.
                expires_at: Observed::Absent,
                last_used_at: used(),
            }
        })
        .collect();
    if method(app).is_some_and(|method| method.starts_with("client_secret")) {
        all.push(Credential {
            id: format!("{}:secret", app.id),
            app: app.id.clone(),
            kind: CredentialKind::ClientSecret,
            name: Observed::Absent,
            created_at: silent(FACET, "how old a secret is stands in the list of secrets, which shows them in clear text: it is not asked for"),
            expires_at: clients.end(client_id),
            last_used_at: used(),
        });
    }
    all
}
