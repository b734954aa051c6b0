//! The System Log: what follows from the tables' dates, what the world file tells, and what happens while the org is in service. An
//! entry is small; its story is put together when it is asked for.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::id::letters;
use super::state::{State, grant_id, token_id};
use super::time::iso_millis;

/// How far back the log reaches.
pub(crate) const LOG_SECONDS: i64 = 90 * 86_400;

/// What an entry is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happening {
    /// An app was made.
    AppMade(u32),
    /// An OIDC app was made, as a client.
    ClientMade(u32),
    /// A consent.
    Consent(u32),
    /// A refresh token was given.
    TokenGiven(u32),
    /// A refresh token was used.
    TokenUsed(u32),
    /// An API token was made.
    ApiTokenMade(u32),
    /// An API service integration was authorised.
    ServiceAuthorized(u32),
    /// Something that was told in full.
    Told(u32),
}

/// A user, an app or anything else that has a part in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) alternate_id: String,
    pub(crate) display_name: String,
}

impl Party {
    /// A party of the same text for both names.
    pub(crate) fn new(id: &str, kind: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: kind.to_owned(),
            alternate_id: name.to_owned(),
            display_name: name.to_owned(),
        }
    }

    /// The platform itself.
    pub(crate) fn system() -> Self {
        Self {
            alternate_id: "system@okta.com".to_owned(),
            ..Self::new("sys0FAKE000000000000", "SystemPrincipal", "Okta System")
        }
    }

    /// A user.
    pub(crate) fn user(state: &State, user: u32) -> Self {
        let user = &state.users[user as usize];
        Self {
            alternate_id: user.facts.login.clone(),
            ..Self::new(&user.id, "User", &user.facts.name.clone().unwrap_or_default())
        }
    }

    /// An app as something that is acted on.
    pub(crate) fn app(state: &State, app: u32) -> Self {
        let app = &state.apps[app as usize];
        Self::new(&app.id, "AppInstance", &app.facts.label)
    }

    /// An app as something that acts.
    pub(crate) fn client(state: &State, app: u32) -> Self {
        let app = &state.apps[app as usize];
        Self {
            alternate_id: app.id.clone(),
            ..Self::new(&app.client_id, "PublicClientApp", &app.facts.label)
        }
    }

    fn json(&self) -> Json {
        json!({
            "id": self.id,
            "type": self.kind,
            "alternateId": self.alternate_id,
            "displayName": self.display_name,
            "detailEntry": null,
        })
    }
}

/// An event, in full.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) actor: Party,
    pub(crate) targets: Vec<Party>,
    pub(crate) result: String,
    pub(crate) reason: Option<String>,
    pub(crate) ip: Option<String>,
    /// The client that it came through.
    pub(crate) client: Option<String>,
    pub(crate) debug: BTreeMap<String, String>,
}

impl Told {
    /// A success.
    pub(crate) fn new(kind: &str, message: &str, actor: Party, targets: Vec<Party>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.to_owned(),
            actor,
            targets,
            result: "SUCCESS".to_owned(),
            reason: None,
            ip: None,
            client: None,
            debug: BTreeMap::new(),
        }
    }

    fn by(mut self, client: &str, debug: &[(&str, String)]) -> Self {
        self.client = Some(client.to_owned());
        self.debug =
            debug.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self
    }

    /// A field that filters know.
    pub(crate) fn field(&self, name: &str) -> Option<Vec<&str>> {
        Some(match name {
            "eventType" => vec![self.kind.as_str()],
            "severity" => vec!["INFO"],
            "displayMessage" => vec![self.message.as_str()],
            "outcome.result" => vec![self.result.as_str()],
            "actor.id" => vec![self.actor.id.as_str()],
            "actor.type" => vec![self.actor.kind.as_str()],
            "actor.alternateId" => vec![self.actor.alternate_id.as_str()],
            "client.id" => self.client.as_deref().into_iter().collect(),
            "client.ipAddress" => self.ip.as_deref().into_iter().collect(),
            "target.id" => self.targets.iter().map(|target| target.id.as_str()).collect(),
            "target.type" => self.targets.iter().map(|target| target.kind.as_str()).collect(),
            "target.alternateId" => {
                self.targets.iter().map(|target| target.alternate_id.as_str()).collect()
            }
            _ => return None,
        })
    }

    /// As the platform lists it.
    pub(crate) fn json(&self, entry: Entry) -> Json {
        let seed = u64::from(entry.number);
        let targets: Vec<Json> = self.targets.iter().map(Party::json).collect();
        let address = self.ip.clone().unwrap_or_else(|| "192.0.2.10".to_owned());
        json!({
            "actor": self.actor.json(),
            "client": {
                "userAgent": { "rawUserAgent": "FAKE agent", "os": "Unknown", "browser": "UNKNOWN" },
                "zone": "null",
                "device": "Unknown",
                "id": self.client,
                "ipAddress": address,
                "geographicalContext": null,
            },
            "device": null,
            "authenticationContext": {
                "authenticationProvider": null,
                "credentialProvider": null,
                "credentialType": null,
                "issuer": null,
                "interface": null,
                "authenticationStep": 0,
                "externalSessionId": "unknown",
            },
            "displayMessage": self.message,
            "eventType": self.kind,
            "outcome": { "result": self.result, "reason": self.reason },
            "published": iso_millis(entry.at),
            "securityContext": { "asNumber": null, "asOrg": null, "isp": null, "domain": null, "isProxy": null },
            "severity": if self.result == "SUCCESS" { "INFO" } else { "WARN" },
            "debugContext": { "debugData": self.debug },
            "legacyEventType": null,
            "transaction": { "type": "WEB", "id": letters(seed + 5, 26), "detail": {} },
            "uuid": format!("{:08x}-0000-11f0-8000-{:012x}", entry.number, 0xfa_ce00_0000_u64 + seed),
            "version": "0",
            "request": { "ipChain": [{ "ip": address, "geographicalContext": null, "version": "V4", "source": null }] },
            "target": targets,
        })
    }
}

/// An entry: when, its place among all, and what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Milliseconds since the epoch.
    pub(crate) at: i64,
    pub(crate) number: u32,
    happening: Happening,
}

/// All entries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Vec<Entry>,
    told: Vec<Told>,
}

impl Log {
    /// A log of what has happened, by time in milliseconds.
    pub(crate) fn new(mut happenings: Vec<(i64, Happening)>, told: Vec<Told>) -> Self {
        happenings.sort_by_key(|(at, _)| *at);
        let entries = (0..)
            .zip(happenings)
            .map(|(number, (at, happening))| Entry { at, number, happening })
            .collect();
        Self { entries, told }
    }

    /// Writes what happens now.
    pub(crate) fn push(&mut self, at: i64, told: Told) {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let happening = Happening::Told(u32::try_from(self.told.len()).unwrap_or(u32::MAX));
        self.told.push(told);
        let place = self.entries.partition_point(|entry| entry.at <= at);
        self.entries.insert(place, Entry { at, number, happening });
    }

    /// Entries of a time, `from` included and `to` not, oldest first.
    pub(crate) fn between(&self, from: i64, to: i64) -> &[Entry] {
        let start = self.entries.partition_point(|entry| entry.at < from);
        let end = self.entries.partition_point(|entry| entry.at < to);
        self.entries.get(start..end.max(start)).unwrap_or_default()
    }
}

impl State {
    /// The story of an entry.
    pub(crate) fn story(&self, entry: Entry) -> Told {
        let maker = |login: &Option<String>| {
            let user = login.as_deref().and_then(|login| self.any_user(login));
            user.map_or_else(Party::system, |user| Party::user(self, user))
        };
        match entry.happening {
            Happening::Told(place) => self.log.told[place as usize].clone(),
            Happening::AppMade(app) => {
                let actor = maker(&self.apps[app as usize].facts.created_by);
                Told::new(
                    "application.lifecycle.create",
                    "Create application",
                    actor,
                    vec![Party::app(self, app)],
                )
            }
            Happening::ClientMade(app) => {
                let actor = maker(&self.apps[app as usize].facts.created_by);
                Told::new(
                    "app.oauth2.client.lifecycle.create",
                    "Create OAuth client",
                    actor,
                    vec![Party::client(self, app)],
                )
            }
            Happening::Consent(grant) => self.consent(grant),
            Happening::TokenGiven(token) => self.token_event(token, "refresh_token"),
            Happening::TokenUsed(token) => self.token_event(token, "access_token"),
            Happening::ApiTokenMade(token) => {
                let token = &self.api_tokens[token as usize];
                let target = Party::new(&token.id, "Token", &token.name);
                Told::new(
                    "system.api_token.create",
                    "Create API token",
                    Party::user(self, token.user),
                    vec![target],
                )
            }
            Happening::ServiceAuthorized(service) => {
                let service = &self.services[service as usize];
                let actor =
                    service.created_by.map_or_else(Party::system, |user| Party::user(self, user));
                let target = Party::new(&service.id, "AppInstance", &service.name);
                let told = Told::new(
                    "integration.api_service.lifecycle.authorize",
                    "Authorize API service integration",
                    actor,
                    vec![target],
                );
                told.by(&service.id, &[("grantedScopes", service.scopes.join(", "))])
            }
        }
    }

    fn consent(&self, number: u32) -> Told {
        let grant = self.grants[number as usize];
        let scope = &self.scope_names[grant.scope as usize];
        let client = &self.apps[grant.app as usize].client_id;
        let (kind, message) = match (grant.user, grant.server) {
            (None, _) => ("app.oauth2.admin.consent.grant", "Grant admin consent to OAuth scope"),
            (Some(_), Some(_)) => {
                ("app.oauth2.as.consent.grant", "Grant user consent to OAuth scope")
            }
            (Some(_), None) => ("app.oauth2.consent.grant", "Grant user consent to OAuth scope"),
        };
        let actor = grant.user.or(grant.created_by);
        let actor = actor.map_or_else(Party::system, |user| Party::user(self, user));
        let target = Party::new(&grant_id(number), "OAuth2Scope", scope);
        Told::new(kind, message, actor, vec![Party::client(self, grant.app), target])
            .by(client, &[("grantedScopes", scope.clone())])
    }

    fn token_event(&self, number: u32, what: &str) -> Told {
        let token = self.tokens[number as usize];
        let family = if token.server.is_some() {
            "app.oauth2.as.token.grant"
        } else {
            "app.oauth2.token.grant"
        };
        let used = what == "access_token";
        let scopes = self.scope_sets[token.scopes as usize].join(", ");
        let grant_type = if used { "refresh_token" } else { "authorization_code" };
        let target = if used {
            Party::new(&format!("AT.FAKE{number}"), "access_token", "Access Token")
        } else {
            Party::new(&token_id(number), "refresh_token", "Refresh Token")
        };
        let message =
            if used { "OAuth access token is granted" } else { "OAuth refresh token is granted" };
        let user = Party::user(self, token.user);
        let told = Told::new(
            &format!("{family}.{what}"),
            message,
            Party::client(self, token.app),
            vec![user, target],
        );
        let client = &self.apps[token.app as usize].client_id;
        told.by(
            client,
            &[
                ("grantType", grant_type.to_owned()),
                ("grantedScopes", scopes.clone()),
                ("requestedScopes", scopes),
            ],
        )
    }
}
