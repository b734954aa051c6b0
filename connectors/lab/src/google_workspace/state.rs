//! The living state of one customer: the world file with its names resolved to indices and its times
//! to seconds, and everything that a call may change. It answers no calls.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::access::Role;
use super::build::build;
use super::events::{Happening, Log};
use super::grants::{Grant, Grants, place, second};
use super::world::{
    ChromeExtension, DeniedEvent, GoogleApp, GoogleBehaviour, GoogleEdition, GoogleScanner,
    GoogleUser, GoogleWorld, PolicyWorld,
};

/// How far back the audit logs reach.
pub(crate) const LOG_SECONDS: i64 = 180 * 86_400;

/// A world that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("google workspace customer `{customer}`: {problem}")]
pub struct GoogleError {
    customer: String,
    problem: String,
}

/// One customer, alive.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) customer_id: String,
    pub(crate) domain: String,
    pub(crate) scanner: GoogleScanner,
    pub(crate) edition: GoogleEdition,
    pub(crate) behaviour: GoogleBehaviour,
    pub(crate) users: Vec<User>,
    /// Users in the order of their primary emails.
    pub(crate) by_email: Vec<u32>,
    /// Ids, primary emails and aliases.
    pub(super) user_keys: HashMap<String, u32>,
    pub(crate) apps: Vec<App>,
    pub(super) scope_sets: Vec<Vec<String>>,
    pub(crate) grants: Grants,
    /// The few grants whose story tells an address.
    pub(super) addresses: HashMap<u32, String>,
    pub(crate) denied: Vec<DeniedEvent>,
    pub(crate) admin_events: Vec<AdminEvent>,
    pub(crate) token_log: Log,
    pub(crate) admin_log: Log,
    pub(crate) passwords: Vec<Password>,
    pub(crate) policies: Vec<PolicyWorld>,
    pub(crate) extensions: Vec<ChromeExtension>,
    /// The user that the scanner acts for.
    pub(crate) subject: usize,
    /// The role of the service account itself.
    pub(crate) service_account: Role,
    /// Scopes authorised for domain-wide delegation.
    pub(crate) delegated: BTreeSet<String>,
}

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) facts: GoogleUser,
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) last_login: Option<i64>,
    pub(crate) deleted: Option<i64>,
    pub(crate) suspended: bool,
    pub(crate) role: Role,
}

/// An app.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) facts: GoogleApp,
    pub(crate) client_id: String,
    pub(crate) client_type: String,
}

/// An app password.
#[derive(Debug)]
pub(crate) struct Password {
    pub(crate) user: usize,
    pub(crate) code: i32,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) last_used: i64,
    pub(crate) deleted: bool,
}

/// Something that an admin changed.
#[derive(Debug)]
pub(crate) struct AdminEvent {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) by: Option<usize>,
    pub(crate) parameters: Vec<(String, String)>,
}

impl State {
    /// Resolves a world.
    pub(crate) fn build(world: GoogleWorld, now: Timestamp) -> Result<Self, GoogleError> {
        let customer = world.name.clone();
        build(world, now).map_err(|problem| GoogleError { customer, problem })
    }

    /// The user of an id, a primary email or an alias, deleted or not.
    pub(crate) fn any_user(&self, key: &str) -> Option<usize> {
        self.user_keys.get(&key.to_ascii_lowercase()).map(|user| *user as usize)
    }

    /// The same, if the user is not deleted.
    pub(crate) fn user(&self, key: &str) -> Option<usize> {
        self.any_user(key).filter(|user| self.users[*user].deleted.is_none())
    }

    pub(crate) fn app_named(&self, name: &str) -> Option<usize> {
        self.apps.iter().position(|app| app.facts.name == name)
    }

    pub(crate) fn app_of_client(&self, client_id: &str) -> Option<usize> {
        self.apps.iter().position(|app| app.client_id == client_id)
    }

    pub(crate) fn scopes(&self, set: u32) -> &[String] {
        &self.scope_sets[set as usize]
    }

    /// The address that a grant was made from.
    pub(crate) fn address(&self, grant: u32) -> &str {
        self.addresses.get(&grant).map_or("192.0.2.10", String::as_str)
    }

    /// Revokes a grant and logs it; false if it is already gone.
    pub(crate) fn revoke(&mut self, grant: u32, now: i64) -> bool {
        let revoked = self.grants.revoke(grant, now);
        if revoked {
            self.token_log.push(now, Happening::Revoke(grant));
        }
        revoked
    }

    /// Gives an app one more grant, with the scopes that others gave it; false if the user already
    /// has one.
    pub(crate) fn authorize(&mut self, user: usize, app: usize, now: i64) -> bool {
        if self.grants.find(user, app).is_some() {
            return false;
        }
        let others = self.grants.all().iter().find(|grant| grant.app as usize == app);
        let scopes = match others {
            Some(grant) => grant.scopes,
            None => {
                self.scope_sets.push(vec!["openid".to_owned(), "email".to_owned()]);
                place(self.scope_sets.len() - 1)
            }
        };
        let grant = self.grants.add(Grant {
            user: place(user),
            app: place(app),
            scopes,
            authorized: second(now),
            last_used: None,
            revoked: None,
        });
        self.token_log.push(now, Happening::Authorize(grant));
        true
    }
}
