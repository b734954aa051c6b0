//! Wire types, in GitHub's own words. Every field but an id may be missing. No key, token or secret is read but the token that signs us
//! in: of a webhook's configuration only what a person may see.

use std::collections::BTreeMap;

use grantwarden_kit::secret::Secret;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::Value;

/// A row, or something else in its place: one row of another shape must not cost the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Row<T> {
    Good(T),
    Odd(IgnoredAny),
}

impl<T> Row<T> {
    pub(crate) fn good(self) -> Option<T> {
        match self {
            Self::Good(row) => Some(row),
            Self::Odd(_) => None,
        }
    }
}

/// A page of a listing: an array, or an object that also counts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Page<T> {
    Array(Vec<Row<T>>),
    Installations { total_count: Option<u64>, installations: Vec<Row<T>> },
    Secrets { total_count: Option<u64>, secrets: Vec<Row<T>> },
}

impl<T> Page<T> {
    /// The rows, and how many there are in all, if GitHub says so.
    pub(crate) fn parts(self) -> (Vec<Row<T>>, Option<u64>) {
        match self {
            Self::Array(rows) => (rows, None),
            Self::Installations { total_count, installations: rows }
            | Self::Secrets { total_count, secrets: rows } => (rows, total_count),
        }
    }
}

/// Something that a listing gives once.
pub(crate) trait Identified {
    /// What tells it from the others of its listing.
    fn id(&self) -> String;
}

macro_rules! identified {
    ($($kind:ty),+) => {
        $(impl Identified for $kind {
            fn id(&self) -> String {
                self.id.to_string()
            }
        })+
    };
}

identified!(
    Installation,
    FineGrainedToken,
    TokenRequest,
    DeployKey,
    Hook,
    User,
    PublicKey,
    OrganizationRow,
    RepositoryRow,
    SiteToken,
    SiteKey
);

/// A field that is null when there is none, and missing when GitHub does not tell: `None` is missing.
fn told<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A field that may be null: null and missing are the same.
type Maybe<T> = Option<T>;
/// A field of which null says that there is none.
pub(crate) type Told<T> = Option<Option<T>>;
/// Permission to level.
pub(crate) type Permissions = BTreeMap<String, Value>;

/// `GET /orgs/{org}`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Organization {
    pub(crate) id: Maybe<u64>,
    pub(crate) login: Maybe<String>,
    pub(crate) name: Maybe<String>,
    pub(crate) plan: Maybe<Plan>,
    pub(crate) two_factor_requirement_enabled: Maybe<bool>,
    pub(crate) deploy_keys_enabled_for_repositories: Maybe<bool>,
    pub(crate) default_repository_permission: Maybe<String>,
    pub(crate) members_can_invite_outside_collaborators: Maybe<bool>,
    pub(crate) public_repos: Maybe<u64>,
    pub(crate) total_private_repos: Maybe<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Plan {
    pub(crate) name: Maybe<String>,
}

/// A user, an organisation or an enterprise.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Owner {
    pub(crate) login: Maybe<String>,
    pub(crate) id: Maybe<u64>,
    /// Of an enterprise.
    pub(crate) slug: Maybe<String>,
    pub(crate) name: Maybe<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Maybe<String>,
}

/// `GET /orgs/{org}/installations`, `GET /enterprises/{e}/apps/organizations/{org}/installations`, `GET /orgs/{org}/installation`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Installation {
    pub(crate) id: u64,
    pub(crate) app_id: Maybe<u64>,
    pub(crate) app_slug: Maybe<String>,
    pub(crate) client_id: Maybe<String>,
    pub(crate) account: Maybe<Owner>,
    pub(crate) html_url: Maybe<String>,
    pub(crate) repository_selection: Maybe<String>,
    pub(crate) permissions: Maybe<Permissions>,
    pub(crate) events: Maybe<Vec<String>>,
    pub(crate) created_at: Maybe<Value>,
    pub(crate) updated_at: Maybe<Value>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) suspended_at: Told<String>,
    pub(crate) suspended_by: Maybe<Owner>,
    pub(crate) single_file_paths: Maybe<Vec<String>>,
    pub(crate) contact_email: Maybe<String>,
}

/// `POST /app/installations/{id}/access_tokens`
#[derive(Deserialize)]
pub(crate) struct InstallationToken {
    pub(crate) token: Secret,
    pub(crate) expires_at: Maybe<String>,
    pub(crate) permissions: Maybe<Permissions>,
    pub(crate) repository_selection: Maybe<String>,
}

/// `GET /apps/{slug}`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AppFacts {
    pub(crate) id: Maybe<u64>,
    pub(crate) client_id: Maybe<String>,
    pub(crate) name: Maybe<String>,
    pub(crate) owner: Maybe<Owner>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) external_url: Told<String>,
    pub(crate) permissions: Maybe<Permissions>,
}

/// `GET /orgs/{org}/credential-authorizations`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CredentialAuthorization {
    pub(crate) login: Maybe<String>,
    pub(crate) credential_id: u64,
    pub(crate) credential_type: Maybe<String>,
    pub(crate) token_last_eight: Maybe<String>,
    pub(crate) fingerprint: Maybe<String>,
    pub(crate) credential_authorized_at: Maybe<String>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) credential_accessed_at: Told<String>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) authorized_credential_expires_at: Told<String>,
    pub(crate) authorized_credential_title: Maybe<String>,
    pub(crate) authorized_credential_note: Maybe<String>,
    pub(crate) scopes: Maybe<Vec<String>>,
}

impl Identified for CredentialAuthorization {
    fn id(&self) -> String {
        self.credential_id.to_string()
    }
}

/// `GET /orgs/{org}/personal-access-tokens`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FineGrainedToken {
    /// Of the grant.
    pub(crate) id: u64,
    pub(crate) owner: Maybe<Owner>,
    pub(crate) repository_selection: Maybe<String>,
    pub(crate) permissions: Maybe<GroupedPermissions>,
    pub(crate) access_granted_at: Maybe<String>,
    pub(crate) token_id: Maybe<u64>,
    pub(crate) token_name: Maybe<String>,
    pub(crate) token_expired: Maybe<bool>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) token_expires_at: Told<String>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) token_last_used_at: Told<String>,
}

/// Permissions of a fine-grained token by what they are about.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GroupedPermissions {
    pub(crate) organization: Maybe<Permissions>,
    pub(crate) repository: Maybe<Permissions>,
    pub(crate) other: Maybe<Permissions>,
}

/// `GET /orgs/{org}/personal-access-token-requests`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TokenRequest {
    pub(crate) id: u64,
    pub(crate) owner: Maybe<Owner>,
    pub(crate) reason: Maybe<String>,
    pub(crate) repository_selection: Maybe<String>,
    pub(crate) permissions: Maybe<GroupedPermissions>,
    pub(crate) created_at: Maybe<String>,
    pub(crate) token_name: Maybe<String>,
}

/// `GET /repos/{owner}/{repo}/keys`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DeployKey {
    pub(crate) id: u64,
    pub(crate) title: Maybe<String>,
    pub(crate) verified: Maybe<bool>,
    pub(crate) enabled: Maybe<bool>,
    pub(crate) created_at: Maybe<String>,
    pub(crate) read_only: Maybe<bool>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) added_by: Told<String>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) last_used: Told<String>,
}

/// `GET /orgs/{org}/hooks`, `GET /repos/{owner}/{repo}/hooks`, `GET /admin/hooks`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Hook {
    pub(crate) id: u64,
    pub(crate) active: Maybe<bool>,
    pub(crate) events: Maybe<Vec<String>>,
    pub(crate) config: Maybe<HookConfig>,
    pub(crate) created_at: Maybe<String>,
    pub(crate) last_response: Maybe<LastResponse>,
}

/// The address may hold a secret: only its host is kept.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HookConfig {
    pub(crate) url: Maybe<String>,
    pub(crate) content_type: Maybe<String>,
    /// `"0"`, `"1"`, or a number.
    pub(crate) insecure_ssl: Maybe<Value>,
    /// Stars in the place of a secret that is set.
    pub(crate) secret: Maybe<IgnoredAny>,
}

impl std::fmt::Debug for HookConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookConfig").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LastResponse {
    pub(crate) status: Maybe<String>,
}

/// `GET /orgs/{org}/actions/secrets`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ActionsSecret {
    pub(crate) name: String,
}

impl Identified for ActionsSecret {
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// `GET /orgs/{org}/members`, `GET /orgs/{org}/outside_collaborators`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) login: String,
}

/// `GET /users/{login}/keys`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PublicKey {
    pub(crate) id: u64,
}

/// `GET /enterprises/{e}/apps/installable_organizations`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct OrganizationRow {
    pub(crate) id: u64,
    pub(crate) login: String,
}

/// A repository, as far as we need it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RepositoryRow {
    pub(crate) id: u64,
    pub(crate) name: String,
}

/// `GET /admin/tokens` on an Enterprise Server
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SiteToken {
    pub(crate) id: u64,
    #[serde(default, deserialize_with = "told")]
    pub(crate) scopes: Told<Vec<String>>,
    pub(crate) token_last_eight: Maybe<String>,
    pub(crate) app: Maybe<SiteApp>,
    pub(crate) note: Maybe<String>,
    pub(crate) created_at: Maybe<String>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) expires_at: Told<String>,
    pub(crate) user: Maybe<Owner>,
    /// Of a token that an installation of an app got for itself.
    pub(crate) installation: Maybe<IgnoredAny>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SiteApp {
    pub(crate) client_id: Maybe<String>,
    pub(crate) name: Maybe<String>,
    pub(crate) url: Maybe<String>,
}

/// `GET /admin/keys` on an Enterprise Server
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SiteKey {
    pub(crate) id: u64,
    pub(crate) title: Maybe<String>,
    pub(crate) verified: Maybe<bool>,
    pub(crate) read_only: Maybe<bool>,
    pub(crate) created_at: Maybe<String>,
    #[serde(default, deserialize_with = "told")]
    pub(crate) last_used: Told<String>,
    pub(crate) user_id: Maybe<u64>,
    pub(crate) repository_id: Maybe<u64>,
}

/// `POST /graphql`
#[derive(Debug, Deserialize)]
pub(crate) struct GraphqlReply {
    pub(crate) data: Maybe<GraphqlData>,
    #[serde(default)]
    pub(crate) errors: Vec<GraphqlError>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct GraphqlError {
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) message: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct GraphqlData {
    pub(crate) organization: Maybe<GraphqlOrganization>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct GraphqlOrganization {
    pub(crate) repositories: GraphqlRepositories,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GraphqlRepositories {
    pub(crate) total_count: Maybe<u64>,
    pub(crate) nodes: Vec<Row<GraphqlRepository>>,
    pub(crate) page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    pub(crate) end_cursor: Maybe<String>,
    pub(crate) has_next_page: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GraphqlRepository {
    pub(crate) name_with_owner: String,
    pub(crate) deploy_keys: GraphqlKeys,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GraphqlKeys {
    pub(crate) total_count: u64,
}
