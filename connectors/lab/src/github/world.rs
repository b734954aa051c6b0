//! One GitHub host as a world file describes it (`[[github]]` and its tables). Names follow the API;
//! what is left out takes the platform's own default, and ids that are left out are counted up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::behaviour::GithubBehaviour;
use super::generate::GithubScale;
use crate::moment::Moment;

/// Permission name to level: `read`, `write` or `admin`.
pub type Permissions = BTreeMap<String, String>;

/// One GitHub host, with the organisations that matter.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubWorld {
    /// The tenant's name, by which [`Lab::github`](crate::Lab::github) finds it.
    pub name: String,
    /// Which product it is.
    pub edition: GithubEdition,
    /// The enterprise that owns the organisations, if there is one.
    pub enterprise: Option<GithubEnterprise>,
    /// Logins of the organisations that a scanner is set up for; all if empty.
    pub scan: Vec<String>,
    /// The App that scans.
    pub scanner: GithubApp,
    /// The App that revokes, with a key of its own; none if it has no permissions.
    pub revoker: GithubApp,
    /// Personal access tokens that a scanner may use instead of an App.
    pub token: GithubTokens,
    /// How the lab behaves where tenants or documents differ.
    pub behaviour: GithubBehaviour,
    /// Organisations.
    #[serde(rename = "organisation")]
    pub organisations: Vec<GithubOrganisation>,
    /// Users.
    #[serde(rename = "user")]
    pub users: Vec<GithubUser>,
    /// Other people's GitHub Apps, and the organisations' own.
    #[serde(rename = "app")]
    pub apps: Vec<VendorApp>,
    /// Installations of Apps on organisations.
    #[serde(rename = "installation")]
    pub installations: Vec<AppInstallation>,
    /// Credentials that members authorised for an organisation with SAML.
    #[serde(rename = "credential")]
    pub credentials: Vec<SsoCredential>,
    /// Fine-grained personal access tokens that an organisation approved.
    #[serde(rename = "pat")]
    pub pats: Vec<FineGrainedPat>,
    /// Fine-grained personal access tokens that wait for approval.
    #[serde(rename = "pat_request")]
    pub pat_requests: Vec<PatRequest>,
    /// Repositories.
    #[serde(rename = "repository")]
    pub repositories: Vec<GithubRepository>,
    /// Deploy keys.
    #[serde(rename = "deploy_key")]
    pub deploy_keys: Vec<DeployKey>,
    /// Webhooks of organisations and repositories.
    #[serde(rename = "hook")]
    pub hooks: Vec<Webhook>,
    /// Names of organisations' Actions secrets.
    #[serde(rename = "secret")]
    pub secrets: Vec<ActionsSecret>,
    /// Audit events beside those that follow from the other tables.
    #[serde(rename = "audit")]
    pub audit: Vec<AuditEvent>,
    /// Tokens of a GitHub Enterprise Server, as its site administrators see them.
    #[serde(rename = "site_token")]
    pub site_tokens: Vec<SiteToken>,
    /// Rows that the generator makes when the tenant starts.
    #[serde(skip)]
    pub(crate) generated: Option<GithubScale>,
}

/// Which product a host is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GithubEdition {
    /// github.com with a free or team plan.
    Cloud,
    /// github.com with GitHub Enterprise Cloud.
    #[default]
    EnterpriseCloud,
    /// GitHub Enterprise Server: everything below `/api/v3`.
    Server,
}

/// The enterprise above the organisations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubEnterprise {
    /// Slug, by which paths name it.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Whether its users are managed (EMU), so that their credentials can be destroyed.
    pub managed_users: bool,
    /// Logins of its owners.
    pub owners: Vec<String>,
}

/// A GitHub App of the scanner.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubApp {
    /// Display name; the slug is made of it.
    pub name: String,
    /// Permissions of its installation on every organisation.
    pub permissions: Permissions,
    /// Permissions of its installation on the enterprise; not installed there if empty.
    pub enterprise_permissions: Permissions,
    /// Organisations where it is not installed.
    pub not_installed_on: Vec<String>,
    /// Organisations where its installation is suspended.
    pub suspended_on: Vec<String>,
}

/// Logins of those whose personal access tokens a scanner may use, and what the tokens may do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubTokens {
    /// A classic token of an owner.
    pub owner: Option<ClassicToken>,
    /// A classic token of a plain member.
    pub member: Option<ClassicToken>,
    /// A fine-grained token.
    pub fine_grained: Option<FineGrainedToken>,
    /// A classic token of a site administrator; GitHub Enterprise Server only.
    pub site_admin: Option<ClassicToken>,
}

/// A classic personal access token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassicToken {
    /// Login of its owner.
    pub user: String,
    /// Scopes, e.g. `read:org`.
    pub scopes: Vec<String>,
    /// Organisations with SAML that it is authorised for.
    pub sso: Vec<String>,
    /// When it ends; never if left out.
    pub expires: Option<Moment>,
}

/// A fine-grained personal access token that calls the API.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FineGrainedToken {
    /// Login of its owner.
    pub user: String,
    /// Login of the organisation that it is for.
    pub organisation: String,
    /// What it may do.
    pub permissions: Permissions,
}

/// An organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubOrganisation {
    /// Login, by which paths name it.
    pub login: String,
    /// Display name; the login if left out.
    pub name: Option<String>,
    /// Numeric id.
    pub id: Option<u64>,
    /// `plan.name`: `free`, `team`, `enterprise`.
    pub plan: String,
    /// Whether SAML single sign-on is enforced.
    pub saml: bool,
    /// `two_factor_requirement_enabled`.
    pub two_factor_required: bool,
    /// `deploy_keys_enabled_for_repositories`.
    pub deploy_keys_enabled: bool,
    /// Whether OAuth apps need the organisation's approval; told by an audit event of the day the
    /// organisation was made, and by nothing else.
    pub oauth_app_restrictions: bool,
    /// When it was made.
    pub created: Moment,
}

impl Default for GithubOrganisation {
    fn default() -> Self {
        Self {
            login: String::new(),
            name: None,
            id: None,
            plan: "enterprise".to_owned(),
            saml: false,
            two_factor_required: true,
            deploy_keys_enabled: true,
            oauth_app_restrictions: true,
            created: Moment::FromNow(-2_000 * 86_400),
        }
    }
}

/// A user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubUser {
    /// Login.
    pub login: String,
    /// Numeric id.
    pub id: Option<u64>,
    /// Organisations that the user owns.
    pub owner_of: Vec<String>,
    /// Organisations that the user is a plain member of.
    pub member_of: Vec<String>,
    /// Organisations whose repositories the user works on from outside.
    pub outside_of: Vec<String>,
    /// Whether the user administers the host.
    pub site_admin: bool,
    /// Whether two-factor authentication is off.
    pub without_two_factor: bool,
    /// Titles of the user's own SSH keys.
    pub ssh_keys: Vec<String>,
}

/// A GitHub App that organisations may install.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VendorApp {
    /// Display name.
    pub name: String,
    /// Slug; made of the name if left out.
    pub slug: Option<String>,
    /// Numeric id.
    pub id: Option<u64>,
    /// Client id, `Iv…`; made of the numeric id if left out.
    pub client_id: Option<String>,
    /// Login of the owner: a vendor, one of the organisations, or a user.
    pub owner: String,
    /// Whether the owner is a person.
    pub owned_by_user: bool,
    /// Whether anybody may see and install it.
    pub public: bool,
    /// What it asks for today; installations may have less.
    pub permissions: Permissions,
    /// Events it asks for.
    pub events: Vec<String>,
    /// Homepage.
    pub external_url: String,
    /// When it was registered.
    pub created: Moment,
}

impl Default for VendorApp {
    fn default() -> Self {
        Self {
            name: String::new(),
            slug: None,
            id: None,
            client_id: None,
            owner: String::new(),
            owned_by_user: false,
            public: true,
            permissions: Permissions::new(),
            events: Vec::new(),
            external_url: "https://app.example".to_owned(),
            created: Moment::FromNow(-1_500 * 86_400),
        }
    }
}

/// An installation of an App on an organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppInstallation {
    /// Numeric id.
    pub id: Option<u64>,
    /// Login of the organisation.
    pub organisation: String,
    /// Slug of the App.
    pub app: String,
    /// What it was given; what the App asks for if left out.
    pub permissions: Option<Permissions>,
    /// Events that it gets.
    pub events: Vec<String>,
    /// Names of the repositories it is limited to; all if left out.
    pub repositories: Option<Vec<String>>,
    /// When it was installed.
    pub created: Moment,
    /// When it was last changed; never if left out.
    pub updated: Option<Moment>,
    /// When it was suspended, if it is.
    pub suspended: Option<Moment>,
    /// When it was uninstalled, if it was: only the audit log still tells.
    pub removed: Option<Moment>,
    /// Login of whoever installed it.
    pub by: Option<String>,
}

impl Default for AppInstallation {
    fn default() -> Self {
        Self {
            id: None,
            organisation: String::new(),
            app: String::new(),
            permissions: None,
            events: Vec::new(),
            repositories: None,
            created: Moment::FromNow(-200 * 86_400),
            updated: None,
            suspended: None,
            removed: None,
            by: None,
        }
    }
}

/// What kind of credential a member authorised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialKind {
    /// A classic (or, rarely, fine-grained) personal access token.
    #[default]
    #[serde(rename = "personal access token")]
    PersonalAccessToken,
    /// An SSH key.
    #[serde(rename = "SSH key")]
    SshKey,
    /// A token of an OAuth app.
    #[serde(rename = "OAuth app token")]
    OauthAppToken,
    /// A user token of a GitHub App.
    #[serde(rename = "GitHub app token")]
    GithubAppToken,
}

/// A credential that a member authorised for an organisation with SAML.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SsoCredential {
    /// `credential_id`.
    pub id: Option<u64>,
    /// Login of the organisation.
    pub organisation: String,
    /// Login of the member.
    pub user: String,
    /// Kind of credential.
    pub kind: CredentialKind,
    /// A personal access token of the fine-grained kind; the listing does not tell.
    pub fine_grained: bool,
    /// Scopes, for tokens.
    pub scopes: Vec<String>,
    /// Name of the OAuth app, which only the audit log tells.
    pub app: Option<String>,
    /// Name of the token, or title of the key.
    pub title: Option<String>,
    /// When it was authorised.
    pub authorized: Moment,
    /// Last use; never if left out.
    pub accessed: Option<Moment>,
    /// When it ends; never if left out.
    pub expires: Option<Moment>,
}

impl Default for SsoCredential {
    fn default() -> Self {
        Self {
            id: None,
            organisation: String::new(),
            user: String::new(),
            kind: CredentialKind::default(),
            fine_grained: false,
            scopes: Vec::new(),
            app: None,
            title: None,
            authorized: Moment::FromNow(-100 * 86_400),
            accessed: None,
            expires: None,
        }
    }
}

/// Which repositories a fine-grained personal access token reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatSelection {
    /// Public repositories only.
    None,
    /// All repositories.
    #[default]
    All,
    /// Some repositories.
    Subset,
}

/// What a fine-grained personal access token may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatPermissions {
    /// To the organisation.
    pub organization: Permissions,
    /// To repositories.
    pub repository: Permissions,
    /// To anything else.
    pub other: Permissions,
}

/// A fine-grained personal access token that an organisation approved.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FineGrainedPat {
    /// Id of the grant.
    pub id: Option<u64>,
    /// Login of the organisation.
    pub organisation: String,
    /// Login of the owner.
    pub user: String,
    /// Id of the token.
    pub token_id: Option<u64>,
    /// Name of the token.
    pub name: String,
    /// What it may do.
    pub permissions: PatPermissions,
    /// Which repositories it reaches.
    pub selection: PatSelection,
    /// Names of the repositories of a subset.
    pub repositories: Vec<String>,
    /// When access was granted.
    pub granted: Moment,
    /// When it ends; never if left out.
    pub expires: Option<Moment>,
    /// Last use; never if left out.
    pub last_used: Option<Moment>,
}

impl Default for FineGrainedPat {
    fn default() -> Self {
        Self {
            id: None,
            organisation: String::new(),
            user: String::new(),
            token_id: None,
            name: String::new(),
            permissions: PatPermissions::default(),
            selection: PatSelection::default(),
            repositories: Vec::new(),
            granted: Moment::FromNow(-60 * 86_400),
            expires: None,
            last_used: None,
        }
    }
}

/// A fine-grained personal access token that waits for approval: as the token would be, with a reason.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatRequest {
    /// What is asked for; `granted` is when it was asked.
    pub pat: FineGrainedPat,
    /// The owner's reason.
    pub reason: Option<String>,
}

/// A repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubRepository {
    /// Numeric id.
    pub id: Option<u64>,
    /// Login of the organisation.
    pub organisation: String,
    /// Name.
    pub name: String,
    /// Whether everybody may read it.
    pub public: bool,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was made.
    pub created: Moment,
}

impl Default for GithubRepository {
    fn default() -> Self {
        Self {
            id: None,
            organisation: String::new(),
            name: String::new(),
            public: false,
            archived: false,
            created: Moment::FromNow(-900 * 86_400),
        }
    }
}

/// A deploy key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeployKey {
    /// Numeric id.
    pub id: Option<u64>,
    /// `organisation/name` of the repository.
    pub repository: String,
    /// Title.
    pub title: String,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it is verified.
    pub verified: bool,
    /// Whether it works.
    pub enabled: bool,
    /// Login of whoever added it.
    pub added_by: Option<String>,
    /// When it was added.
    pub created: Moment,
    /// Last use; never if left out.
    pub last_used: Option<Moment>,
}

impl Default for DeployKey {
    fn default() -> Self {
        Self {
            id: None,
            repository: String::new(),
            title: String::new(),
            read_only: true,
            verified: true,
            enabled: true,
            added_by: None,
            created: Moment::FromNow(-300 * 86_400),
            last_used: None,
        }
    }
}

/// A webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Numeric id.
    pub id: Option<u64>,
    /// Login of the organisation, or `organisation/name` of the repository.
    pub on: String,
    /// Where it delivers to.
    pub url: String,
    /// `json` or `form`.
    pub content_type: String,
    /// Whether certificates are not checked.
    pub insecure_ssl: bool,
    /// Whether deliveries are signed.
    pub secret: bool,
    /// Events.
    pub events: Vec<String>,
    /// Whether it delivers.
    pub active: bool,
    /// Status of the last delivery, for repositories; none if left out.
    pub last_status: Option<u16>,
    /// When it was made.
    pub created: Moment,
    /// Login of whoever made it.
    pub by: Option<String>,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            id: None,
            on: String::new(),
            url: String::new(),
            content_type: "json".to_owned(),
            insecure_ssl: false,
            secret: true,
            events: vec!["push".to_owned()],
            active: true,
            last_status: None,
            created: Moment::FromNow(-400 * 86_400),
            by: None,
        }
    }
}

/// The name of an Actions secret of an organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActionsSecret {
    /// Login of the organisation.
    pub organisation: String,
    /// Name.
    pub name: String,
    /// `all`, `private` or `selected`.
    pub visibility: String,
    /// When it was made.
    pub created: Moment,
    /// When it was last changed; never if left out.
    pub updated: Option<Moment>,
}

impl Default for ActionsSecret {
    fn default() -> Self {
        Self {
            organisation: String::new(),
            name: String::new(),
            visibility: "private".to_owned(),
            created: Moment::FromNow(-500 * 86_400),
            updated: None,
        }
    }
}

/// An audit event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEvent {
    /// When.
    pub at: Moment,
    /// Login of the organisation; an event of the enterprise itself if left out.
    #[serde(default)]
    pub organisation: Option<String>,
    /// `action`, e.g. `org.oauth_app_access_approved`.
    pub action: String,
    /// Login of whoever did it.
    #[serde(default)]
    pub actor: Option<String>,
    /// Whether it is a Git event, which `include=web` leaves out.
    #[serde(default)]
    pub git: bool,
    /// Further fields.
    #[serde(default)]
    pub fields: serde_json::Map<String, serde_json::Value>,
}

/// A token of a GitHub Enterprise Server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteToken {
    /// Numeric id.
    pub id: Option<u64>,
    /// Login of the user.
    pub user: String,
    /// Name of the OAuth app; a personal access token if left out.
    pub app: Option<String>,
    /// Name of a personal access token.
    pub note: Option<String>,
    /// Scopes.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// Last change.
    pub updated: Option<Moment>,
    /// When it ends; never if left out.
    pub expires: Option<Moment>,
}

impl Default for SiteToken {
    fn default() -> Self {
        Self {
            id: None,
            user: String::new(),
            app: None,
            note: None,
            scopes: Vec::new(),
            created: Moment::FromNow(-150 * 86_400),
            updated: None,
            expires: None,
        }
    }
}
