//! Apps as they come up: one record per client id, before its first grant. Google has no list of apps with their facts.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use grantwarden_kit::{
    connector::Sink,
    error::Result,
    model::{
        App, Approval, Gap, Observed, Origin, Reason, Record, RefreshPolicy, Setting, TokenPolicy,
    },
};

use super::{app_access::Decisions, history::History, sweep::FACET};
use crate::api::Token;

/// The app that stands for all app passwords.
pub(super) const PASSWORDS: &str = "application-specific-passwords";
/// <https://cloud.google.com/docs/authentication/token-types#at-lifetime>
const ACCESS_LIFETIME: Duration = Duration::from_secs(3_600);
/// "Six months": <https://developers.google.com/identity/protocols/oauth2#expiration>
const REFRESH_IDLE: Duration = Duration::from_secs(180 * 86_400);

/// A client as the place that named it first describes it.
pub(super) struct Client {
    id: String,
    name: String,
    kind: &'static str,
    is_native: Option<bool>,
}

impl Client {
    /// A client that holds a user's grant.
    pub(super) fn of_token(token: &Token) -> Self {
        let name = token.display_text.as_deref().filter(|name| !name.is_empty());
        Self {
            id: token.client_id.clone(),
            name: name.unwrap_or(&token.client_id).to_owned(),
            kind: if token.anonymous { "anonymous OAuth client" } else { "OAuth client" },
            is_native: Some(token.native_app),
        }
    }

    /// A client that may act as any user.
    pub(super) fn delegated(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            kind: "client with domain-wide delegation",
            is_native: None,
        }
    }
}

/// Clients that were given out, with their names and numbers of users.
pub(super) struct Clients<'a> {
    history: &'a History,
    decisions: &'a Decisions,
    known: BTreeMap<String, Known>,
    has_passwords: bool,
}

struct Known {
    name: String,
    users: u64,
}

impl<'a> Clients<'a> {
    pub(super) const fn new(history: &'a History, decisions: &'a Decisions) -> Self {
        Self { history, decisions, known: BTreeMap::new(), has_passwords: false }
    }

    /// Streams the client's record unless it was; its name.
    pub(super) async fn introduce(&mut self, client: Client, sink: &Sink) -> Result<String> {
        let name = match self.known.entry(client.id.clone()) {
            Entry::Occupied(known) => return Ok(known.get().name.clone()),
            Entry::Vacant(place) => {
                place.insert(Known { name: client.name.clone(), users: 0 }).name.clone()
            }
        };
        sink.send(Record::App(self.record(client))).await?;
        Ok(name)
    }

    /// Counts a user of a client.
    pub(super) fn count(&mut self, client: &str) {
        if let Some(known) = self.known.get_mut(client) {
            known.users += 1;
        }
    }

    /// How many users' grants were listed for a client.
    pub(super) fn users(&self, client: &str) -> u64 {
        self.known.get(client).map_or(0, |known| known.users)
    }

    /// Whether an administrator decided for a client.
    pub(super) fn approval(&self, client: &str) -> Observed<Approval> {
        self.decisions.approval(client)
    }

    /// Streams the app that stands for app passwords, once.
    pub(super) async fn introduce_passwords(&mut self, sink: &Sink) -> Result<()> {
        if std::mem::replace(&mut self.has_passwords, true) {
            return Ok(());
        }
        sink.send(Record::App(passwords())).await
    }

    fn record(&self, client: Client) -> App {
        let Client { id, name, kind, is_native } = client;
        // The client id of an app that is not registered with Google is its domain.
        let domain = (kind.starts_with("anonymous") && is_domain(&id)).then(|| id.to_lowercase());
        let redirect_domains = domain.map_or_else(
            || silent("Google does not tell where an app redirects to"),
            |domain| Observed::Known(vec![domain]),
        );
        let mut settings = Vec::new();
        let mut set = |name: &str, value: String| {
            settings.push(Setting { name: name.to_owned(), value: Observed::Known(value) });
        };
        if let Some(number) = project(&id) {
            set("Google Cloud project number", number.to_owned());
        }
        if let Some(is_native) = is_native {
            set("installed on devices", is_native.to_string());
        }
        if let Some(kind) = self.history.client_type(&id) {
            set("client type", kind.to_owned());
        }
        settings.extend(self.decisions.settings(&id));
        App {
            name,
            kind: kind.to_owned(),
            client_ids: Observed::Known(vec![id.clone()]),
            redirect_domains,
            // Whose project it is takes a right in Google Cloud that the scanner does not have.
            origin: Origin::ThirdParty,
            blocked: self.decisions.blocked(&id),
            approval: self.decisions.approval(&id),
            token_policy: TokenPolicy {
                access_lifetime: Observed::Known(ACCESS_LIFETIME),
                refresh: Observed::Known(RefreshPolicy::Idle(REFRESH_IDLE)),
                rotation: Observed::Known(false),
            },
            settings,
            ..blank(id)
        }
    }
}

/// An app of which nothing is told.
pub(super) fn blank(id: String) -> App {
    App {
        name: id.clone(),
        id,
        kind: String::new(),
        client_ids: Observed::Absent,
        publisher: silent("Google does not tell who publishes an app"),
        home_tenant: silent("Google does not tell whose project an app belongs to"),
        namespace: Observed::Absent,
        redirect_domains: Observed::Absent,
        web_domains: silent("Google does not tell where an app's pages are"),
        origin: Origin::ThirdParty,
        installed: silent("Google does not tell whether an app was installed from the Marketplace"),
        blocked: silent("Google does not tell whether it is blocked"),
        approval: silent("Google does not tell who may use it"),
        assigned_to: silent("Google does not tell for whom an app is configured"),
        scopes: silent("Google does not tell which scopes an app is registered for"),
        token_policy: TokenPolicy {
            access_lifetime: Observed::Absent,
            refresh: Observed::Absent,
            rotation: Observed::Absent,
        },
        flows: silent("Google does not tell which flows an app uses"),
        introspects_all_tokens: Observed::Known(false),
        created_at: silent("Google does not tell when an app was first used"),
        changed_at: silent("Google does not tell when an app was changed"),
        settings: Vec::new(),
    }
}

/// The app that stands for all app passwords: whoever holds one needs no client.
fn passwords() -> App {
    App {
        name: "App passwords".to_owned(),
        kind: "app password".to_owned(),
        publisher: Observed::Absent,
        home_tenant: Observed::Absent,
        web_domains: Observed::Absent,
        installed: Observed::Absent,
        blocked: Observed::Known(false),
        approval: Observed::Known(Approval::SelfAuthorized),
        assigned_to: Observed::Absent,
        scopes: Observed::Absent,
        flows: Observed::Absent,
        created_at: Observed::Absent,
        changed_at: Observed::Absent,
        ..blank(PASSWORDS.to_owned())
    }
}

fn silent<T>(detail: &str) -> Observed<T> {
    Observed::Unknown(Gap::new(Reason::PlatformSilent, FACET, detail))
}

/// The number of the Google Cloud project that a client id begins with.
fn project(client: &str) -> Option<&str> {
    let name = client.strip_suffix(".apps.googleusercontent.com")?;
    let number = name.split('-').next()?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)
}

fn is_domain(id: &str) -> bool {
    id.contains('.')
        && !id.ends_with(".apps.googleusercontent.com")
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && id.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_client_id_tells() {
        assert_eq!(project("123456-abc.apps.googleusercontent.com"), Some("123456"));
        assert_eq!(project("123456.apps.googleusercontent.com"), Some("123456"));
        assert_eq!(project("tickets.example"), None);
        assert!(is_domain("tickets.example"));
        assert!(!is_domain("123456.apps.googleusercontent.com") && !is_domain("1234.56"));
    }
}
