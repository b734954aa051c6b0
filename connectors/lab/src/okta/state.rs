//! The living state of one org: the world file with its names resolved to indices and its times to seconds, and everything that a
//! call may change. It answers no calls.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::behaviour::{OktaBehaviour, OktaLimits};
use super::build::build;
use super::events::{Log, Told};
use super::id::{named, numbered, row};
use super::roles::Role;
use super::world::{OktaApp, OktaNetworkZone, OktaRule, OktaUser, OktaWorld};

/// A world that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("okta org `{org}`: {problem}")]
pub struct OktaError {
    org: String,
    problem: String,
}

/// One org, alive.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) org_id: String,
    pub(crate) subdomain: String,
    pub(crate) api_access_management: bool,
    pub(crate) client_privileges_setting: bool,
    pub(crate) behaviour: OktaBehaviour,
    pub(crate) limits: OktaLimits,
    pub(crate) users: Vec<User>,
    /// Ids and logins.
    pub(super) user_keys: HashMap<String, u32>,
    pub(crate) apps: Vec<App>,
    /// Ids and client ids.
    pub(super) app_keys: HashMap<String, u32>,
    pub(crate) scope_names: Vec<String>,
    pub(crate) scope_sets: Vec<Vec<String>>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) tokens: Vec<RefreshToken>,
    pub(crate) api_tokens: Vec<ApiToken>,
    pub(crate) services: Vec<Service>,
    pub(crate) servers: Vec<Server>,
    pub(crate) zones: Vec<Zone>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) shares: Vec<Share>,
    pub(crate) custom_roles: Vec<(String, Vec<String>)>,
    pub(crate) log: Log,
    pub(crate) scanner: u32,
    pub(crate) revoker: u32,
    /// The admin whose API token the scanner has.
    pub(crate) scanner_token: Option<u32>,
    /// How often somebody read the clear secrets of an app.
    pub(crate) secrets_read: usize,
}

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) facts: OktaUser,
    pub(crate) id: String,
    pub(crate) status: &'static str,
    pub(crate) roles: Vec<Role>,
    pub(crate) created: i64,
    pub(crate) last_login: Option<i64>,
    pub(crate) status_changed: Option<i64>,
    pub(crate) deleted: bool,
}

impl User {
    /// Whether the user can do anything at all.
    pub(crate) fn works(&self) -> bool {
        !self.deleted && !["DEPROVISIONED", "SUSPENDED"].contains(&self.status)
    }
}

/// An app integration.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) facts: OktaApp,
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) active: bool,
    pub(crate) deleted: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) roles: Vec<Role>,
    pub(crate) secrets: Vec<Credential>,
    pub(crate) keys: Vec<Credential>,
    /// Ids of network zones.
    pub(crate) zones: Vec<String>,
}

impl App {
    /// Whether it is an OIDC app.
    pub(crate) fn is_oidc(&self) -> bool {
        self.facts.kind.application_type().is_some()
    }
}

/// A secret or a key of a client.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) active: bool,
    /// The public key as registered, if it is a key that the lab knows.
    pub(crate) jwk: Option<Json>,
}

/// Whether something still works and is still shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It works.
    Active,
    /// It is shown, with the status `REVOKED`.
    Revoked,
    /// It is not shown any more.
    Gone,
}

/// A consent to one scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    pub(crate) app: u32,
    pub(crate) scope: u32,
    pub(crate) user: Option<u32>,
    /// The org's own authorization server, or the place of a custom one.
    pub(crate) server: Option<u32>,
    pub(crate) created: i64,
    pub(crate) created_by: Option<u32>,
    pub(crate) life: Life,
}

/// A refresh token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefreshToken {
    pub(crate) app: u32,
    pub(crate) user: u32,
    pub(crate) scopes: u32,
    pub(crate) server: Option<u32>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) expires: i64,
    pub(crate) life: Life,
}

/// An API token.
#[derive(Debug)]
pub(crate) struct ApiToken {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) user: u32,
    pub(crate) client_name: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) window_days: u32,
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) secret: String,
    pub(crate) gone: bool,
}

impl ApiToken {
    /// When it ends unless it is used before.
    pub(crate) fn expires(&self) -> i64 {
        self.updated + i64::from(self.window_days) * 86_400
    }
}

/// An API service integration.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) created: i64,
    pub(crate) created_by: Option<u32>,
    pub(crate) secrets: Vec<Credential>,
    pub(crate) gone: bool,
}

/// A custom authorization server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) audience: String,
    pub(crate) status: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) created: i64,
    pub(crate) policies: Vec<Policy>,
}

/// An access policy.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Client ids; all if empty.
    pub(crate) clients: Vec<String>,
    pub(crate) rules: Vec<(String, OktaRule)>,
}

/// A network zone.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) id: String,
    pub(crate) facts: OktaNetworkZone,
}

/// A link between two apps.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) requesting: u32,
    pub(crate) resource: u32,
    pub(crate) created: i64,
    pub(crate) active: bool,
}

/// A share of the rate limits that is not the default.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) principal: String,
    pub(crate) kind: &'static str,
    pub(crate) percentage: u32,
}

impl State {
    /// Resolves a world.
    pub(crate) fn build(world: OktaWorld, now: Timestamp) -> Result<Self, OktaError> {
        let org = world.name.clone();
        build(world, now).map_err(|problem| OktaError { org, problem })
    }

    /// The user of an id or a login, deleted or not.
    pub(crate) fn any_user(&self, key: &str) -> Option<u32> {
        self.user_keys.get(key).or_else(|| self.user_keys.get(&key.to_lowercase())).copied()
    }

    /// The same, if the user is not deleted.
    pub(crate) fn user(&self, key: &str) -> Option<u32> {
        self.any_user(key).filter(|user| !self.users[*user as usize].deleted)
    }

    /// The app of an id or a client id, if it is not deleted.
    pub(crate) fn app(&self, key: &str) -> Option<u32> {
        self.app_keys.get(key).copied().filter(|app| !self.apps[*app as usize].deleted)
    }

    /// The app of a label, deleted or not.
    pub(crate) fn app_named(&self, label: &str) -> Option<u32> {
        (0_u32..).zip(&self.apps).find(|(_, app)| app.facts.label == label).map(|(place, _)| place)
    }

    /// The app of an id or a label, deleted or not.
    pub(crate) fn any_app(&self, key: &str) -> Option<u32> {
        self.app_keys.get(key).copied().or_else(|| self.app_named(key))
    }

    /// The place of an API token, by id or name.
    pub(crate) fn api_token(&self, key: &str) -> Option<usize> {
        self.api_tokens
            .iter()
            .position(|token| !token.gone && (token.id == key || token.name == key))
    }

    /// The place of an API service integration, by id or name.
    pub(crate) fn service(&self, key: &str) -> Option<usize> {
        self.services.iter().position(|it| !it.gone && (it.id == key || it.name == key))
    }

    /// The place of a grant that is still shown.
    pub(crate) fn grant(&self, id: &str) -> Option<usize> {
        let place = row("oag", id)? as usize;
        self.grants.get(place).filter(|grant| grant.life != Life::Gone).map(|_| place)
    }

    /// The place of a refresh token that is still shown.
    pub(crate) fn token(&self, id: &str, now: i64) -> Option<usize> {
        let place = row("oar", id)? as usize;
        self.tokens.get(place).filter(|token| shown(token, now)).map(|_| place)
    }

    /// Grants that are still shown, with their ids' numbers.
    pub(crate) fn shown_grants(&self) -> impl Iterator<Item = (u32, &Grant)> {
        (0_u32..).zip(&self.grants).filter(|(_, grant)| grant.life != Life::Gone)
    }

    /// Refresh tokens that are still shown, with their ids' numbers.
    pub(crate) fn shown_tokens(&self, now: i64) -> impl Iterator<Item = (u32, &RefreshToken)> {
        (0_u32..).zip(&self.tokens).filter(move |(_, token)| shown(token, now))
    }

    /// Whether an API token is listed.
    pub(crate) fn lists(&self, token: &ApiToken, now: i64) -> bool {
        let dead = !self.users[token.user as usize].works();
        !token.gone && token.expires() > now && (self.behaviour.dead_api_tokens_listed || !dead)
    }

    /// What works: consents, refresh tokens, API tokens, API service integrations.
    pub(crate) fn grant_count(&self, now: i64) -> usize {
        let grants = self.grants.iter().filter(|grant| grant.life == Life::Active).count();
        let works = |token: &&RefreshToken| token.life == Life::Active && token.expires > now;
        let tokens = self.tokens.iter().filter(works).count();
        let api_tokens = self.api_tokens.iter().filter(|token| {
            !token.gone && token.expires() > now && self.users[token.user as usize].works()
        });
        let services = self.services.iter().filter(|service| !service.gone);
        grants + tokens + api_tokens.count() + services.count()
    }

    /// The scopes that an admin granted to an app.
    pub(crate) fn admin_scopes(&self, app: u32) -> impl Iterator<Item = &str> {
        let own = move |grant: &&Grant| {
            grant.app == app
                && grant.user.is_none()
                && grant.server.is_none()
                && grant.life == Life::Active
        };
        self.grants.iter().filter(own).map(|grant| self.scope_names[grant.scope as usize].as_str())
    }

    /// The number of a scope's name.
    pub(crate) fn scope_number(&mut self, name: &str) -> u32 {
        match (0_u32..).zip(&self.scope_names).find(|(_, known)| *known == name) {
            Some((number, _)) => number,
            None => {
                self.scope_names.push(name.to_owned());
                place(self.scope_names.len() - 1)
            }
        }
    }

    /// The address of an authorization server.
    pub(crate) fn issuer(&self, server: Option<u32>, base_url: &str) -> String {
        match server {
            None => base_url.to_owned(),
            Some(server) => format!("{base_url}/oauth2/{}", self.servers[server as usize].id),
        }
    }

    /// Ends a grant.
    pub(crate) fn revoke_grant(&mut self, grant: usize) {
        self.grants[grant].life = self.ended();
    }

    /// Ends a refresh token.
    pub(crate) fn revoke_token(&mut self, token: usize) {
        self.tokens[token].life = self.ended();
    }

    fn ended(&self) -> Life {
        if self.behaviour.revoked_listed { Life::Revoked } else { Life::Gone }
    }

    /// Adds a refresh token; its place.
    pub(crate) fn add_token(&mut self, app: u32, user: u32, now: i64) -> u32 {
        let others = self.tokens.iter().find(|token| token.app == app);
        let (scopes, server) = match others {
            Some(token) => (token.scopes, token.server),
            None => {
                self.scope_sets.push(vec!["openid".to_owned(), "offline_access".to_owned()]);
                (place(self.scope_sets.len() - 1), None)
            }
        };
        self.tokens.push(RefreshToken {
            app,
            user,
            scopes,
            server,
            created: now,
            updated: now,
            expires: now + 90 * 86_400,
            life: Life::Active,
        });
        place(self.tokens.len() - 1)
    }

    /// Writes to the log.
    pub(crate) fn tell(&mut self, now: i64, told: Told) {
        self.log.push(now * 1_000, told);
    }
}

fn shown(token: &RefreshToken, now: i64) -> bool {
    token.life != Life::Gone && token.expires > now
}

/// An index as the compact rows hold it.
pub(crate) fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The id of a grant.
pub(crate) fn grant_id(number: u32) -> String {
    numbered("oag", number)
}

/// The id of a refresh token.
pub(crate) fn token_id(number: u32) -> String {
    numbered("oar", number)
}

/// The id of a scope of an authorization server.
pub(crate) fn scope_id(server: &str, name: &str) -> String {
    named("scp", &format!("{server}/{name}"))
}
