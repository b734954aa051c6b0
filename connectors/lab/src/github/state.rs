//! The living state of one GitHub host: the world file with its names resolved to indices and its times
//! to seconds, and everything that a call may change. It answers no calls.

use super::access::Right;
use super::audit::{Happening, Log};
use super::behaviour::GithubBehaviour;
use super::world::{
    CredentialKind, GithubEdition, GithubEnterprise, GithubOrganisation, PatPermissions,
    PatSelection, Permissions,
};

/// A world that contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("github tenant `{tenant}`: {problem}")]
pub struct GithubError {
    pub(super) tenant: String,
    pub(super) problem: String,
}

/// When a row stops to be there, in milliseconds of the wall: in the future for a queued revocation.
pub(crate) type Gone = i64;
/// A row that nobody has revoked.
pub(crate) const NEVER: Gone = i64::MAX;

/// One host, alive.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) edition: GithubEdition,
    pub(crate) enterprise: Option<GithubEnterprise>,
    pub(crate) scan: Vec<String>,
    pub(crate) behaviour: GithubBehaviour,
    pub(crate) organisations: Vec<Organisation>,
    pub(crate) users: Vec<User>,
    pub(crate) apps: Vec<App>,
    pub(crate) installations: Vec<Installation>,
    /// Installations of the scanner's Apps on the enterprise.
    pub(crate) enterprise_installations: Vec<EnterpriseInstallation>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) scope_sets: Vec<Vec<String>>,
    pub(crate) pats: Vec<Pat>,
    pub(crate) pat_requests: Vec<Request>,
    pub(crate) pat_permissions: Vec<PatPermissions>,
    pub(crate) repositories: Vec<Repository>,
    pub(crate) deploy_keys: Vec<Key>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) site_tokens: Vec<SiteRow>,
    pub(crate) log: Log,
    pub(crate) classic: Vec<Classic>,
    pub(crate) fine_grained: Option<FineGrained>,
    /// Rights that a test took and may give back.
    pub(crate) taken: Vec<Right>,
    pub(crate) next_id: u64,
}

/// An organisation.
#[derive(Debug)]
pub(crate) struct Organisation {
    pub(crate) facts: GithubOrganisation,
    pub(crate) id: u64,
    pub(crate) created: i64,
}

/// What a user is to an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Owner,
    Member,
    Outside,
}

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) login: String,
    pub(crate) id: u64,
    pub(crate) roles: Vec<(u32, Role)>,
    pub(crate) site_admin: bool,
    pub(crate) without_two_factor: bool,
    pub(crate) ssh_keys: Vec<String>,
    pub(crate) deleted: bool,
}

impl User {
    pub(crate) fn role(&self, organisation: usize) -> Option<Role> {
        let found = self.roles.iter().find(|(place, _)| *place as usize == organisation);
        found.map(|(_, role)| *role).filter(|_| !self.deleted)
    }
}

/// Which key signs for an App.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    /// The vendor's, which the lab does not have.
    Vendor,
    Scanner,
    Revoker,
}

/// Who owns an App.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) login: String,
    pub(crate) id: u64,
    pub(crate) user: bool,
}

/// A GitHub App.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) owner: Owner,
    pub(crate) public: bool,
    pub(crate) permissions: Permissions,
    pub(crate) events: Vec<String>,
    pub(crate) external_url: String,
    pub(crate) created: i64,
    pub(crate) signer: Signer,
}

/// An App on an organisation.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) id: u64,
    pub(crate) organisation: usize,
    pub(crate) app: usize,
    pub(crate) permissions: Permissions,
    pub(crate) events: Vec<String>,
    /// `None` for all repositories.
    pub(crate) repositories: Option<Vec<u32>>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) suspended: Option<i64>,
    pub(crate) by: Option<usize>,
    pub(crate) gone: Gone,
}

/// An App on the enterprise.
#[derive(Debug)]
pub(crate) struct EnterpriseInstallation {
    pub(crate) id: u64,
    pub(crate) app: usize,
    pub(crate) permissions: Permissions,
    pub(crate) created: i64,
}

/// A credential that is authorised for an organisation.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) id: u64,
    pub(crate) organisation: u32,
    pub(crate) user: u32,
    pub(crate) scopes: u32,
    pub(crate) kind: CredentialKind,
    pub(crate) fine_grained: bool,
    pub(crate) title: Option<Box<str>>,
    pub(crate) app: Option<Box<str>>,
    pub(crate) authorized: i64,
    pub(crate) accessed: Option<i64>,
    pub(crate) expires: Option<i64>,
    pub(crate) gone: Gone,
}

/// A fine-grained personal access token with access to an organisation.
#[derive(Debug, Clone)]
pub(crate) struct Pat {
    pub(crate) id: u64,
    pub(crate) organisation: u32,
    pub(crate) user: u32,
    pub(crate) token_id: u64,
    pub(crate) name: Box<str>,
    pub(crate) permissions: u32,
    pub(crate) selection: PatSelection,
    pub(crate) repositories: Vec<u32>,
    /// When access was granted, or asked for.
    pub(crate) granted: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) last_used: Option<i64>,
    pub(crate) gone: Gone,
}

/// A token that waits for approval.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) pat: Pat,
    pub(crate) reason: Option<String>,
}

/// A repository.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) organisation: usize,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) archived: bool,
    pub(crate) created: i64,
}

/// A deploy key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) id: u64,
    pub(crate) repository: usize,
    pub(crate) title: String,
    pub(crate) read_only: bool,
    pub(crate) verified: bool,
    pub(crate) enabled: bool,
    pub(crate) added_by: Option<String>,
    pub(crate) created: i64,
    pub(crate) last_used: Option<i64>,
    pub(crate) gone: Gone,
}

/// What a webhook is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookPlace {
    Organisation(usize),
    Repository(usize),
}

/// A webhook.
#[derive(Debug)]
pub(crate) struct Hook {
    pub(crate) id: u64,
    pub(crate) place: HookPlace,
    pub(crate) url: String,
    pub(crate) content_type: String,
    pub(crate) insecure_ssl: bool,
    pub(crate) secret: bool,
    pub(crate) events: Vec<String>,
    pub(crate) active: bool,
    pub(crate) last_status: Option<u16>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) by: Option<String>,
    pub(crate) gone: Gone,
}

/// The name of a secret.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) organisation: usize,
    pub(crate) name: String,
    pub(crate) visibility: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// A token of a GitHub Enterprise Server.
#[derive(Debug)]
pub(crate) struct SiteRow {
    pub(crate) id: u64,
    pub(crate) user: usize,
    pub(crate) app: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) expires: Option<i64>,
    /// The text of the token, if it is one that signs in to the lab.
    pub(crate) token: Option<String>,
    pub(crate) gone: Gone,
}

/// A classic personal access token that signs in.
#[derive(Debug)]
pub(crate) struct Classic {
    pub(crate) text: String,
    pub(crate) user: usize,
    pub(crate) scopes: Vec<String>,
    pub(crate) sso: Vec<usize>,
    pub(crate) expires: Option<i64>,
    pub(crate) gone: Gone,
}

/// A fine-grained personal access token that signs in.
#[derive(Debug)]
pub(crate) struct FineGrained {
    pub(crate) text: String,
    pub(crate) user: usize,
    pub(crate) organisation: usize,
    pub(crate) permissions: Permissions,
    pub(crate) gone: Gone,
}

impl State {
    /// The organisation of a login (in any case) or, below `/organizations/`, of a number.
    pub(crate) fn organisation(&self, login: &str) -> Option<usize> {
        self.organisations
            .iter()
            .position(|organisation| organisation.facts.login.eq_ignore_ascii_case(login))
    }

    pub(crate) fn user(&self, login: &str) -> Option<usize> {
        let found = self.users.iter().position(|user| user.login.eq_ignore_ascii_case(login));
        found.filter(|user| !self.users[*user].deleted)
    }

    pub(crate) fn repository(&self, organisation: usize, name: &str) -> Option<usize> {
        self.repositories.iter().position(|repository| {
            repository.organisation == organisation && repository.name.eq_ignore_ascii_case(name)
        })
    }

    /// The repository of `organisation/name`.
    pub(crate) fn repository_path(&self, path: &str) -> Option<usize> {
        let (organisation, name) = path.split_once('/')?;
        self.repository(self.organisation(organisation)?, name)
    }

    pub(crate) fn full_name(&self, repository: usize) -> String {
        let row = &self.repositories[repository];
        format!("{}/{}", self.organisations[row.organisation].facts.login, row.name)
    }

    /// The App of a slug or a display name.
    pub(crate) fn app_named(&self, name: &str) -> Option<usize> {
        self.apps.iter().position(|app| app.slug == name || app.name == name)
    }

    pub(crate) fn app_signed_by(&self, signer: Signer) -> Option<usize> {
        self.apps.iter().position(|app| app.signer == signer)
    }

    /// The installation of an App on an organisation.
    pub(crate) fn installed(&self, organisation: usize, app: usize, now: Gone) -> Option<usize> {
        self.installations
            .iter()
            .position(|row| row.organisation == organisation && row.app == app && row.gone > now)
    }

    /// A number that no row has yet.
    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Uninstalls an App.
    pub(crate) fn uninstall(&mut self, installation: usize, now: Gone, at: i64) {
        self.installations[installation].gone = now;
        self.log.push(at, Happening::InstallationGone(installation));
    }

    /// Ends a token's access to an organisation.
    pub(crate) fn revoke_pat(&mut self, pat: usize, gone: Gone, at: i64) {
        self.pats[pat].gone = gone;
        self.log.push(at, Happening::PatGone(pat));
    }

    /// Ends a credential's authorisation.
    pub(crate) fn revoke_credential(&mut self, credential: usize, gone: Gone, at: i64) {
        self.credentials[credential].gone = gone;
        self.log.push(at, Happening::CredentialGone(credential));
    }

    /// Ends a webhook.
    pub(crate) fn delete_hook(&mut self, hook: usize, now: Gone, at: i64) {
        self.hooks[hook].gone = now;
        self.log.push(at, Happening::HookGone(hook));
    }

    /// Ends a deploy key.
    pub(crate) fn delete_key(&mut self, key: usize, now: Gone, at: i64) {
        self.deploy_keys[key].gone = now;
        self.log.push(at, Happening::KeyGone(key));
    }

    /// Makes a user disappear with everything that is theirs.
    pub(crate) fn delete_user(&mut self, user: usize, now: Gone, at: i64) {
        self.users[user].deleted = true;
        for index in 0..self.credentials.len() {
            let row = &self.credentials[index];
            if row.user as usize == user && row.gone > now {
                self.revoke_credential(index, now, at);
            }
        }
        for index in 0..self.pats.len() {
            if self.pats[index].user as usize == user && self.pats[index].gone > now {
                self.revoke_pat(index, now, at);
            }
        }
        for token in self.classic.iter_mut().filter(|token| token.user == user) {
            token.gone = now;
        }
    }

    /// Live installations, authorised credentials and approved tokens of all organisations.
    pub(crate) fn grant_count(&self, now: Gone) -> usize {
        self.installations.iter().filter(|row| row.gone > now).count()
            + self.credentials.iter().filter(|row| row.gone > now).count()
            + self.pats.iter().filter(|row| row.gone > now).count()
    }
}
