//! [`Account`]: one organisation or workspace, signed in to. Knows where each API lives, who the token belongs to and what it holds.

use std::{collections::BTreeMap, sync::Arc};

use grantwarden_kit::{
    auth::{Credentials, StaticToken, Tokens},
    connector::{Kit, TenantConfig},
    error::{Error, ErrorKind, Result},
    http::{Body, Classify, Door, DoorConfig, Limits, Pages, Paging, Reply, Request},
    memory::Memory,
    model::Timestamp,
    secret::Secret,
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use url::Url;

use crate::{
    MANIFEST,
    api::AuthTest,
    classify, hints,
    rights::{Held, Right},
};

/// Slack's own hosts (API sheet). Anywhere else, a lab or a proxy, everything is below `base_url`.
const WEB_HOST: &str = "slack.com";
const AUDIT_ROOT: &str = "https://api.slack.com/";
/// How often a listing is begun anew when its cursor expires.
pub(crate) const RESTARTS: u32 = 2;
/// The most that a page of the admin listings holds.
pub(crate) const PAGE: &str = "1000";

/// What the token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The whole organisation, by its id.
    Organization(String),
    /// One workspace, by its id.
    Workspace(String),
}

impl Reach {
    /// The id of the tenant.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Organization(id) | Self::Workspace(id) => id,
        }
    }

    /// The organisation's id, if the token is for all of it.
    pub(crate) fn enterprise(&self) -> Option<&str> {
        match self {
            Self::Organization(id) => Some(id),
            Self::Workspace(_) => None,
        }
    }
}

/// Who the token belongs to, as the sign-in told.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) reach: Reach,
    /// The tenant's name, where it is the tenant's.
    pub(crate) name: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) user: String,
    /// The organisation that a single workspace belongs to.
    pub(crate) parent: Option<String>,
    pub(crate) ends_at: Option<Timestamp>,
    /// The app whose token it is.
    #[cfg(feature = "revoke")]
    pub(crate) app: Option<String>,
    pub(crate) held: Held,
}

/// One organisation or workspace.
pub(crate) struct Account {
    pub(crate) door: Arc<Door>,
    /// What Slack's replies mean, and what it warned of in them.
    pub(crate) dialect: Arc<classify::Slack>,
    tokens: Tokens,
    web: Url,
    audit: Url,
    /// The id that the configuration names.
    expected: Option<String>,
    identity: OnceCell<Identity>,
    /// Files that an administrator exported by hand, by facet.
    pub(crate) imports: BTreeMap<String, Vec<u8>>,
    pub(crate) memory: Option<Memory>,
}

/// The fields of a form.
pub(crate) fn form(fields: &[(&'static str, &str)]) -> Body {
    let field = |(name, value): &(&'static str, &str)| (*name, Secret::new((*value).to_owned()));
    Body::Form(fields.iter().map(field).collect())
}

impl Account {
    /// Prepares to sign in. Does not touch the network.
    pub(crate) fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let name = tenant.name.clone();
        Self::open_inner(tenant, kit)
            .map_err(|error| error.at(&name, &MANIFEST.id, "configuration"))
    }

    fn open_inner(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let token = match tenant.credentials {
            Credentials::Static { token } => token,
            other => {
                let message = format!("Slack has no sign-in method {}", other.method());
                return Err(Error::new(ErrorKind::Configuration, message).with_hint(
                    "use static: Slack gives these tokens to a person who installs the app, and to no machine",
                ));
            }
        };
        let (web, audit) = roots(&tenant.base_url, &tenant.hosts)?;
        let mut origins = vec![web.clone(), audit.clone()];
        origins.extend(tenant.hosts);
        let mut buckets = MANIFEST.buckets.clone();
        buckets.extend(tenant.buckets);
        let dialect = Arc::new(classify::Slack::default());
        let door = Arc::new(Door::new(DoorConfig {
            tenant: tenant.name,
            platform: MANIFEST.id.clone(),
            origins,
            certificate_authorities: tenant.certificate_authorities,
            buckets,
            classify: Arc::clone(&dialect) as Arc<dyn Classify>,
            limits: Limits::default(),
            keep_quota_percent: tenant.keep_quota_percent,
            clock: kit.clock,
            cancel: kit.cancel,
        })?);
        let tokens = Tokens::new(Box::new(StaticToken { token }), Arc::clone(&door));
        Ok(Self {
            door,
            dialect,
            tokens,
            web,
            audit,
            expected: tenant.account,
            identity: OnceCell::new(),
            imports: tenant.imports,
            memory: tenant.memory,
        })
    }

    /// Signs in: asks whose token it is. One call, whoever asks first.
    ///
    /// # Errors
    /// When the token is not accepted, is of the wrong kind, or belongs to another tenant.
    pub(crate) async fn identity(&self) -> Result<&Identity> {
        self.identity.get_or_try_init(|| self.ask_identity()).await
    }

    async fn ask_identity(&self) -> Result<Identity> {
        let reply = self.auth_test().await?;
        let told: AuthTest = reply.json().map_err(|error| self.explain("sign in", None, error))?;
        let held = Held::of_header(reply.header("x-oauth-scopes"));
        let refuse = |kind, message: String, hint: &str| {
            Err(self.door.place(Error::new(kind, message).with_hint(hint), "sign in"))
        };
        if told.bot_id.is_some() {
            return refuse(
                ErrorKind::SignIn,
                "the token is a bot's".to_owned(),
                "use a user token (xoxp-…) from OAuth & Permissions > User OAuth Token: bot tokens see none of this",
            );
        }
        let filled = |id: &Option<String>| id.clone().filter(|id| !id.is_empty());
        let (enterprise, team) = (filled(&told.enterprise_id), filled(&told.team_id));
        let is_installed_on_all = match told.is_enterprise_install {
            Some(is_installed_on_all) => is_installed_on_all,
            // Where it is not told, a token that names the organisation as its workspace is the organisation's.
            None => enterprise.is_some() && enterprise == team,
        };
        let reach = match (&enterprise, &team) {
            (Some(id), _) if is_installed_on_all => Reach::Organization(id.clone()),
            (_, Some(id)) if !is_installed_on_all => Reach::Workspace(id.clone()),
            _ => {
                return refuse(
                    ErrorKind::Malformed,
                    "Slack does not say which organisation or workspace the token belongs to"
                        .to_owned(),
                    "check base_url, and that the token is a user's",
                );
            }
        };
        if let Some(expected) = self.expected.as_deref().filter(|id| *id != reach.id()) {
            return refuse(
                ErrorKind::Configuration,
                format!("`account` is {expected}, and the token belongs to {}", reach.id()),
                "nothing was read: correct `account`, or install the scanner's app where it belongs (an organisation takes an install on the whole organisation)",
            );
        }
        // A token of an organisation may name one of its workspaces here.
        let is_own_name = team.as_deref() == Some(reach.id());
        let parent = match &reach {
            Reach::Workspace(_) => enterprise,
            Reach::Organization(_) => None,
        };
        let now = self.door.clock().now();
        let seconds = told.expires_in.and_then(|seconds| u64::try_from(seconds.0).ok());
        Ok(Identity {
            name: told.team.filter(|_| is_own_name),
            url: told.url,
            user: told.user.or(told.user_id).unwrap_or_else(|| "a user without a name".to_owned()),
            parent,
            #[cfg(feature = "revoke")]
            app: told.app_id,
            ends_at: seconds.map(|seconds| now.plus(std::time::Duration::from_secs(seconds))),
            held,
            reach,
        })
    }

    /// Asks whether the token works.
    pub(crate) async fn auth_test(&self) -> Result<Reply> {
        let request = self.post("sign in", "auth.test", "auth", &[])?;
        self.send(&request, None).await
    }

    /// A read by GET.
    pub(crate) fn get(
        &self,
        endpoint: &'static str,
        method: &str,
        bucket: &'static str,
        query: &[(&str, &str)],
    ) -> Result<Request> {
        let mut url = below(&self.web, &["api", method])?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(Request { bucket, ..Request::get(endpoint, url) })
    }

    /// A read by POST.
    pub(crate) fn post(
        &self,
        endpoint: &'static str,
        method: &str,
        bucket: &'static str,
        fields: &[(&'static str, &str)],
    ) -> Result<Request> {
        let request = Request::post(endpoint, below(&self.web, &["api", method])?, form(fields));
        Ok(Request { bucket, ..request }.repeatable())
    }

    /// A read of the audit API.
    pub(crate) fn audit(
        &self,
        endpoint: &'static str,
        name: &str,
        query: &[(&str, &str)],
    ) -> Result<Request> {
        let mut url = below(&self.audit, &["audit", "v1", name])?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(Request { bucket: "audit", ..Request::get(endpoint, url) })
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: &Request, right: Option<Right>) -> Result<Reply> {
        let sent = self.door.send(request, Some(&self.tokens)).await;
        sent.map_err(|error| self.explain(request.endpoint, right, error))
    }

    /// Sends a request and reads its JSON.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        request: &Request,
        right: Option<Right>,
    ) -> Result<T> {
        let reply = self.send(request, right).await?;
        reply.json().map_err(|error| self.explain(request.endpoint, right, error))
    }

    /// Starts a listing with cursors.
    pub(crate) fn pages(&self, first: Request) -> Pages<'_> {
        let member = &["response_metadata", "next_cursor"];
        let paging = Paging::Cursor { member, parameter: "cursor" };
        Pages::new(&self.door, &self.tokens, paging, first)
    }

    /// Reads a listing with cursors to its end. A cursor that is not taken any more begins the listing anew; `restart` then forgets what
    /// was read of it.
    pub(crate) async fn listing<T: DeserializeOwned>(
        &self,
        first: &Request,
        right: Right,
        mut each: impl FnMut(Listed<T>),
    ) -> Result<()> {
        let mut restarts = 0;
        'listing: loop {
            let mut pages = self.pages(first.clone());
            loop {
                match pages.next::<T>().await {
                    Ok(Some(page)) => each(Listed::Page(page)),
                    Ok(None) => return Ok(()),
                    Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                        restarts += 1;
                        each(Listed::Anew);
                        continue 'listing;
                    }
                    Err(error) => return Err(self.explain(first.endpoint, Some(right), error)),
                }
            }
        }
    }

    /// Fills in the place, and what to do about it.
    pub(crate) fn explain(&self, endpoint: &str, right: Option<Right>, error: Error) -> Error {
        hints::advise(self.door.place(error, endpoint), right)
    }
}

/// What a listing gives.
pub(crate) enum Listed<T> {
    Page(T),
    /// It begins anew: what came so far comes again.
    Anew,
}

/// Where the Web API and the audit API are.
fn roots(base: &Url, hosts: &[Url]) -> Result<(Url, Url)> {
    let is_slack = base.host_str() == Some(WEB_HOST);
    let named = hosts
        .iter()
        .find(|url| url.host_str().is_some_and(|host| host.split('.').next() == Some("api")));
    let audit = match named {
        Some(url) => url.clone(),
        None if is_slack => Url::parse(AUDIT_ROOT).map_err(|error| {
            Error::new(ErrorKind::Configuration, "an address cannot be read").with_source(error)
        })?,
        None => base.clone(),
    };
    Ok((base.clone(), audit))
}

fn below(root: &Url, path: &[&str]) -> Result<Url> {
    let mut url = root.clone();
    url.path_segments_mut()
        .map_err(|()| Error::new(ErrorKind::Configuration, "base_url cannot be extended"))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit_of(base: &str, hosts: &[&str]) -> String {
        let hosts: Vec<Url> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        roots(&base.parse().unwrap(), &hosts).unwrap().1.to_string()
    }

    #[test]
    fn the_audit_host_is_known_for_slack_only() {
        assert_eq!(audit_of("https://slack.com", &[]), "https://api.slack.com/");
        assert_eq!(audit_of("http://127.0.0.1:9/slack/", &[]), "http://127.0.0.1:9/slack/");
        assert_eq!(audit_of("https://slack-gov.com", &[]), "https://slack-gov.com/");
        assert_eq!(
            audit_of("https://slack-gov.com", &["https://api.slack-gov.com"]),
            "https://api.slack-gov.com/"
        );
    }
}
