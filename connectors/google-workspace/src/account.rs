//! [`Account`]: one Google Workspace account, signed in to. Knows where each API lives and which token a call needs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use grantwarden_kit::{
    auth::{
        Credentials, JwtBearer, SelfSignedJwt, ServiceAccount, StaticToken, TokenEndpoint,
        TokenSource, Tokens,
    },
    connector::{Kit, TenantConfig},
    error::{Error, ErrorKind, Result},
    http::{Door, DoorConfig, Limits, Pages, Paging, Reply, Request},
    memory::Memory,
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    MANIFEST,
    access::{Identity, Purpose},
    classify, hints,
};

/// Google's own hosts (API sheet). Anywhere else, a lab or a proxy, everything is below `base_url`.
const ADMIN_HOST: &str = "admin.googleapis.com";
const POLICIES_HOST: &str = "cloudidentity.googleapis.com";
const EXTENSIONS_HOST: &str = "chromemanagement.googleapis.com";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
/// Google refuses assertions that are good for more than an hour.
const ASSERTION_LIFE: Duration = Duration::from_secs(3_600);
/// How often a listing is begun anew when its page token expires.
pub(crate) const RESTARTS: u32 = 2;

/// As whom the scanner asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// A service account that acts for an administrator (domain-wide delegation).
    Delegate {
        /// The administrator.
        subject: String,
        /// The service account's number, under which it is authorised.
        client_id: Option<String>,
    },
    /// A service account with an administrator's role of its own.
    ServiceAccount {
        /// Its address.
        email: String,
    },
    /// Whoever the configured token belongs to.
    Bearer,
}

/// Where the APIs are.
struct Roots {
    admin: Url,
    policies: Url,
    extensions: Url,
    token: Url,
}

/// One account, signed in to.
pub(crate) struct Account {
    pub(crate) door: Arc<Door>,
    identities: BTreeMap<Purpose, Identity>,
    roots: Roots,
    pub(crate) actor: Actor,
    /// The account's id as configured.
    pub(crate) id: Option<String>,
    /// Calls for users' grants that may be in flight.
    pub(crate) concurrent: usize,
    /// Files that an administrator exported by hand, by facet.
    pub(crate) imports: BTreeMap<String, Vec<u8>>,
    pub(crate) memory: Option<Memory>,
}

impl Account {
    /// Prepares to sign in.
    pub(crate) fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let name = tenant.name.clone();
        Self::open_inner(tenant, kit)
            .map_err(|error| error.at(&name, &MANIFEST.id, "configuration"))
    }

    fn open_inner(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let roots = Roots::of(&tenant)?;
        let mut origins = vec![
            roots.admin.clone(),
            roots.policies.clone(),
            roots.extensions.clone(),
            roots.token.clone(),
        ];
        origins.extend(tenant.hosts.iter().cloned());
        let mut buckets = MANIFEST.buckets.clone();
        buckets.extend(tenant.buckets);
        let concurrent = buckets.get("default").map_or(1, |bucket| bucket.concurrent.get());
        let door = Arc::new(Door::new(DoorConfig {
            tenant: tenant.name,
            platform: MANIFEST.id.clone(),
            origins,
            certificate_authorities: tenant.certificate_authorities,
            buckets,
            classify: Arc::new(classify::Google),
            limits: Limits::default(),
            keep_quota_percent: tenant.keep_quota_percent,
            clock: Arc::clone(&kit.clock),
            cancel: kit.cancel,
        })?);
        let (actor, source) = sign_ins(tenant.credentials, tenant.audience, &roots)?;
        if matches!(actor, Actor::ServiceAccount { .. }) && tenant.account.is_none() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "a service account without `subject` needs the account's customer id in `account`",
            )
            .with_hint(
                "copy it from Admin console > Account > Account settings (C0…), or name an administrator in `subject`",
            ));
        }
        let identities = Purpose::ALL.map(|purpose| {
            let tokens = Tokens::new(source(purpose), Arc::clone(&door));
            (purpose, Identity::new(tokens, Arc::clone(&kit.clock)))
        });
        Ok(Self {
            door,
            identities: identities.into(),
            roots,
            actor,
            id: tenant.account,
            concurrent: usize::try_from(concurrent).unwrap_or(1),
            imports: tenant.imports,
            memory: tenant.memory,
        })
    }

    /// Signs in. Fails only if no purpose gets a token.
    pub(crate) async fn connect(&self) -> Result<()> {
        let mut failure = None;
        for purpose in Purpose::ALL {
            match self.identity(purpose)?.sign_in().await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let is_refusal = error.kind == ErrorKind::SignIn;
                    let error = hints::advise(self.door.place(error, "sign in"), self, purpose);
                    failure.get_or_insert(error);
                    if !is_refusal {
                        // No connection is no connection for the other scopes, too.
                        break;
                    }
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Which account is asked about: the configured one, or the one that the scanner belongs to.
    pub(crate) fn customer(&self) -> &str {
        self.id.as_deref().unwrap_or("my_customer")
    }

    /// Whether the scanner is a service account without a user, for which some APIs do not answer.
    pub(crate) const fn is_itself(&self) -> bool {
        matches!(self.actor, Actor::ServiceAccount { .. })
    }

    /// An address of the API that a purpose belongs to.
    pub(crate) fn url(&self, purpose: Purpose, path: &[&str]) -> Result<Url> {
        // A part like these would lead to another page.
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            let message = "an id is empty or consists of dots, and has no page of its own";
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let mut url = match purpose {
            Purpose::Policies => &self.roots.policies,
            Purpose::Extensions => &self.roots.extensions,
            _ => &self.roots.admin,
        }
        .clone();
        url.path_segments_mut()
            .map_err(|()| Error::new(ErrorKind::Configuration, "base_url cannot be extended"))?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }

    /// Sends a request with the token that its purpose needs.
    pub(crate) async fn send(&self, purpose: Purpose, request: &Request) -> Result<Reply> {
        let sent = self.door.send(request, Some(self.identity(purpose)?)).await;
        sent.map_err(|error| self.explain(purpose, request.endpoint, error))
    }

    /// Sends a request and reads its JSON.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        request: &Request,
    ) -> Result<T> {
        let reply = self.send(purpose, request).await?;
        reply.json().map_err(|error| self.explain(purpose, request.endpoint, error))
    }

    /// Starts a listing.
    pub(crate) fn pages(&self, purpose: Purpose, first: Request) -> Result<Pages<'_>> {
        let paging = Paging::Cursor { member: &["nextPageToken"], parameter: "pageToken" };
        Ok(Pages::new(&self.door, self.identity(purpose)?, paging, first))
    }

    /// Fills in the place, what is missing and what to do about it.
    pub(crate) fn explain(&self, purpose: Purpose, endpoint: &str, error: Error) -> Error {
        let mut error = hints::advise(self.door.place(error, endpoint), self, purpose);
        if error.kind == ErrorKind::SignIn && is_about_scope(&error) {
            // One set of scopes was refused; whoever got here has signed in with another.
            error.kind = ErrorKind::Forbidden;
        }
        error
    }

    fn identity(&self, purpose: Purpose) -> Result<&Identity> {
        self.identities
            .get(&purpose)
            .ok_or_else(|| Error::new(ErrorKind::Configuration, "no token source for this call"))
    }
}

/// Whether the token endpoint refused the scopes, not the scanner itself. A missing delegation and a missing scope have the same words.
fn is_about_scope(error: &Error) -> bool {
    matches!(error.code(), Some("unauthorized_client" | "access_denied" | "invalid_scope"))
}

impl Roots {
    fn of(tenant: &TenantConfig) -> Result<Self> {
        let base = &tenant.base_url;
        let is_google = base.host_str() == Some(ADMIN_HOST);
        let sibling = |host: &str| {
            let name = host.split('.').next().unwrap_or(host);
            let named = tenant.hosts.iter().find(|url| {
                url.host_str().is_some_and(|host| host.split('.').next() == Some(name))
            });
            match named {
                Some(url) => Ok(url.clone()),
                None if is_google => parse(&format!("https://{host}/")),
                None => Ok(base.clone()),
            }
        };
        let token = match &tenant.token_url {
            Some(url) => url.clone(),
            None if is_google => parse(TOKEN_URL)?,
            None => {
                let mut url = base.clone();
                if let Ok(mut path) = url.path_segments_mut() {
                    path.pop_if_empty().push("token");
                }
                url
            }
        };
        Ok(Self {
            admin: base.clone(),
            policies: sibling(POLICIES_HOST)?,
            extensions: sibling(EXTENSIONS_HOST)?,
            token,
        })
    }
}

fn parse(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|error| {
        Error::new(ErrorKind::Configuration, "an address cannot be read").with_source(error)
    })
}

/// Makes the token source of each purpose.
type Sources = Box<dyn Fn(Purpose) -> Box<dyn TokenSource>>;

fn sign_ins(
    credentials: Credentials,
    audience: Option<String>,
    roots: &Roots,
) -> Result<(Actor, Sources)> {
    match credentials {
        Credentials::ServiceAccount { key, subject: Some(subject) } => {
            let account = ServiceAccount::from_key_file(&key)?;
            let endpoint = TokenEndpoint {
                url: roots.token.clone(),
                audience: audience.unwrap_or_else(|| roots.token.to_string()),
                assertion_life: ASSERTION_LIFE,
            };
            let actor = Actor::Delegate { subject: subject.clone(), client_id: account.client_id };
            let (email, key) = (account.email, account.key);
            let source = move |purpose: Purpose| -> Box<dyn TokenSource> {
                Box::new(JwtBearer {
                    endpoint: endpoint.clone(),
                    client_id: email.clone(),
                    username: subject.clone(),
                    key: Arc::clone(&key),
                    scopes: vec![purpose.scope().to_owned()],
                })
            };
            Ok((actor, Box::new(source)))
        }
        Credentials::ServiceAccount { key, subject: None } => {
            let account = ServiceAccount::from_key_file(&key)?;
            let actor = Actor::ServiceAccount { email: account.email.clone() };
            let (admin, extensions) = (own_audience(&roots.admin), own_audience(&roots.extensions));
            let source = move |purpose: Purpose| -> Box<dyn TokenSource> {
                let usual = if purpose == Purpose::Extensions { &extensions } else { &admin };
                Box::new(SelfSignedJwt {
                    issuer: account.email.clone(),
                    audience: audience.clone().unwrap_or_else(|| usual.clone()),
                    key: Arc::clone(&account.key),
                })
            };
            Ok((actor, Box::new(source)))
        }
        Credentials::Static { token } => {
            let source = move |_: Purpose| -> Box<dyn TokenSource> {
                Box::new(StaticToken { token: token.clone() })
            };
            Ok((Actor::Bearer, Box::new(source)))
        }
        other => Err(Error::new(
            ErrorKind::Configuration,
            format!("Google Workspace has no sign-in method {}", other.method()),
        )
        .with_hint("use service_account (recommended) or static")),
    }
}

/// `aud` of a token that the service account signs for itself: the API's address with a slash at its end.
fn own_audience(root: &Url) -> String {
    let text = root.as_str();
    if text.ends_with('/') { text.to_owned() } else { format!("{text}/") }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::secret::Secret;

    use super::*;

    fn roots(base: &str, hosts: &[&str]) -> [String; 4] {
        let tenant = TenantConfig {
            name: "test".into(),
            base_url: base.parse().unwrap(),
            token_url: None,
            audience: None,
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            certificate_authorities: None,
            account: None,
            credentials: Credentials::Static { token: Secret::new("FAKE".into()) },
            imports: BTreeMap::new(),
            memory: None,
            skip: Vec::new(),
            buckets: BTreeMap::new(),
            keep_quota_percent: 0,
        };
        let Roots { admin, policies, extensions, token } = Roots::of(&tenant).unwrap();
        [admin, policies, extensions, token].map(|url| url.to_string())
    }

    #[test]
    fn siblings_are_known_for_google_only() {
        assert_eq!(
            roots("https://admin.googleapis.com", &[]),
            [
                "https://admin.googleapis.com/",
                "https://cloudidentity.googleapis.com/",
                "https://chromemanagement.googleapis.com/",
                "https://oauth2.googleapis.com/token",
            ]
        );
        assert_eq!(
            roots("https://proxy.example/google/", &[]),
            [
                "https://proxy.example/google/",
                "https://proxy.example/google/",
                "https://proxy.example/google/",
                "https://proxy.example/google/token",
            ]
        );
        let [_, policies, extensions, _] = roots(
            "https://admin.proxy.example",
            &["https://cloudidentity.proxy.example", "https://other.example"],
        );
        assert_eq!(policies, "https://cloudidentity.proxy.example/");
        assert_eq!(extensions, "https://admin.proxy.example/");
    }

    #[test]
    fn an_audience_ends_with_a_slash() {
        assert_eq!(own_audience(&"https://a.example".parse().unwrap()), "https://a.example/");
        assert_eq!(own_audience(&"https://a.example/x".parse().unwrap()), "https://a.example/x/");
    }
}
