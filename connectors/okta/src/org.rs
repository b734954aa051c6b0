//! [`Org`]: one signed-in org. Knows where its API is, which bucket a call belongs to, and what its errors mean.

use std::{sync::Arc, time::Duration};

use grantwarden_kit::{
    auth::{Credentials, Dpop, PrivateKeyJwt, SenderConstraint, TokenEndpoint, Tokens},
    connector::{Kit, TenantConfig},
    error::{Error, ErrorKind, Result},
    http::{Authorize, Door, DoorConfig, Limits, Reply, Request},
    jwt::SigningKey,
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use url::Url;

use crate::{
    MANIFEST,
    access::{Access, Who},
    classify::{self, NOT_FOUND},
    hints,
    sign_in::{Form, Handmade, ServiceApp, Shared},
};

/// Okta refuses assertions that are good for more than an hour.
const ASSERTION_LIFE: Duration = Duration::from_secs(300);
/// Domains of Okta's own: an org's administrators work at a host of another name, which has no API.
const DOMAINS: [&str; 5] =
    [".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com", ".okta.mil"];

/// Buckets of `connector.toml`: Okta counts by the form of the path.
pub(crate) mod bucket {
    pub(crate) const APPS: &str = "apps";
    pub(crate) const APP: &str = "apps-id";
    pub(crate) const USERS: &str = "users";
    pub(crate) const USER: &str = "users-id";
    pub(crate) const LOGS: &str = "logs";
    pub(crate) const CLIENTS: &str = "clients";
    pub(crate) const SERVICES: &str = "services";
    pub(crate) const DEFAULT: &str = "default";
}

/// One signed-in org.
pub(crate) struct Org {
    pub(crate) door: Arc<Door>,
    tokens: Tokens,
    pub(crate) base: Url,
    /// The org's id as configured.
    pub(crate) account: Option<String>,
    /// As whom we sign in, as far as the configuration tells.
    who: Who,
    /// Scopes that are asked for.
    asked: Vec<String>,
    /// What a token made by hand tells about itself.
    handmade: Option<Access>,
    access: OnceCell<Access>,
}

/// A query's parameters.
pub(crate) type Query<'a> = &'a [(&'a str, &'a str)];

impl Org {
    /// Prepares to sign in for these scopes, unless the configuration names others.
    pub(crate) fn open(tenant: TenantConfig, kit: Kit, scopes: &[&str]) -> Result<Self> {
        let name = tenant.name.clone();
        Self::open_inner(tenant, kit, scopes)
            .map_err(|error| error.at(&name, &MANIFEST.id, "configuration"))
    }

    fn open_inner(tenant: TenantConfig, kit: Kit, scopes: &[&str]) -> Result<Self> {
        check_host(&tenant.base_url)?;
        let token_url = match &tenant.token_url {
            Some(url) => url.clone(),
            None => address(&tenant.base_url, &["oauth2", "v1", "token"], &[])?,
        };
        let mut origins = vec![tenant.base_url.clone(), token_url.clone()];
        origins.extend(tenant.hosts.iter().cloned());
        let mut buckets = MANIFEST.buckets.clone();
        buckets.extend(tenant.buckets);
        let door = Arc::new(Door::new(DoorConfig {
            tenant: tenant.name,
            platform: MANIFEST.id.clone(),
            origins,
            certificate_authorities: tenant.certificate_authorities,
            buckets,
            classify: Arc::new(classify::Dialect),
            limits: Limits::default(),
            keep_quota_percent: tenant.keep_quota_percent,
            clock: kit.clock,
            cancel: kit.cancel,
        })?);
        let audience = tenant.audience.unwrap_or_else(|| token_url.to_string());
        let endpoint = TokenEndpoint { url: token_url, audience, assertion_life: ASSERTION_LIFE };
        let usual: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        let (tokens, who, asked, handmade) = sign_in(tenant.credentials, endpoint, usual, &door)?;
        Ok(Self {
            door,
            tokens,
            base: tenant.base_url,
            account: tenant.account,
            who,
            asked,
            handmade,
            access: OnceCell::new(),
        })
    }

    /// Signs in. Who asks, with which scopes.
    pub(crate) async fn connect(&self) -> Result<&Access> {
        self.access.get_or_try_init(|| self.sign_in()).await
    }

    async fn sign_in(&self) -> Result<Access> {
        let explain = |error| self.explain("sign in", error);
        let (token, _) = self.tokens.get().await.map_err(explain)?;
        if let Some(access) = &self.handmade {
            return Ok(access.clone());
        }
        let client_id = match &self.who {
            Who::ServiceApp { client_id } => client_id.as_str(),
            Who::ApiToken | Who::Bearer => "",
        };
        Ok(Access::of_service_app(client_id, token.reply.scope.as_deref(), &self.asked))
    }

    /// A read, after a look at whether its scope was granted.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] naming the scope, without a call.
    pub(crate) async fn get(&self, call: Call, path: &[&str], query: Query<'_>) -> Result<Request> {
        let access = self.connect().await?;
        access.need(call.scope).map_err(|error| self.explain(call.endpoint, error))?;
        let url =
            address(&self.base, path, query).map_err(|error| self.explain(call.endpoint, error))?;
        let request = Request::get(call.endpoint, url).header("accept", "application/json");
        Ok(Request { bucket: call.bucket, ..request })
    }

    /// Whether the scope of a kind of call was granted, as far as the sign-in told.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] naming the scope.
    pub(crate) fn granted(&self, call: Call) -> Result<()> {
        let Some(access) = self.access.get() else { return Ok(()) };
        access.need(call.scope).map_err(|error| self.explain(call.endpoint, error))
    }

    /// Sends a request with the org's token.
    pub(crate) async fn send(&self, request: &Request) -> Result<Reply> {
        let sent = self.door.send(request, Some(&self.tokens as &dyn Authorize)).await;
        sent.map_err(|error| self.explain(request.endpoint, error))
    }

    /// Sends a request and reads its JSON.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T> {
        let reply = self.send(request).await?;
        reply.json().map_err(|error| self.explain(request.endpoint, error))
    }

    /// Asks for one thing.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        call: Call,
        path: &[&str],
        query: Query<'_>,
    ) -> Result<T> {
        let request = self.get(call, path, query).await?;
        self.read(&request).await
    }

    pub(crate) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Fills in the place and what to do about it.
    pub(crate) fn explain(&self, endpoint: &str, error: Error) -> Error {
        let who = self.access.get().map_or(&self.who, |access| &access.who);
        let mut error = hints::advise(self.door.place(error, endpoint), who);
        if error.kind == ErrorKind::Licence && !LICENSED.contains(&endpoint) {
            // Elsewhere no licence is needed: nothing excuses that it was not read.
            error.kind = ErrorKind::Forbidden;
            let hint = "every org has this, whatever Okta says: look whether the scope and the administrator role cover it, ask Okta's support, or name the facet in `skip`";
            error.hint = Some(hint.to_owned());
        }
        error
    }

    /// Where the org is, for what stands for its id.
    pub(crate) fn host(&self) -> String {
        let base = self.base.as_str();
        let bare = base.split_once("://").map_or(base, |(_, rest)| rest);
        bare.trim_end_matches('/').to_owned()
    }
}

/// What an org may have to buy or to switch on, by endpoint.
const LICENSED: [&str; 4] = [
    "list authorization servers",
    "list policies of an authorization server",
    "list rules of a policy",
    "list cross-app connections",
];

/// A kind of call: what it is for a person, the scope that it takes, and the bucket that it counts in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) endpoint: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) bucket: &'static str,
}

/// Whether Okta says, in its own words, that something is not there.
pub(crate) fn is_not_there(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound && error.code() == Some(NOT_FOUND)
}

/// An address below the org's own. Parts of the path are encoded; what would lead elsewhere is refused.
pub(crate) fn address(base: &Url, path: &[&str], query: Query<'_>) -> Result<Url> {
    if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
        let message = "an id is empty or consists of dots, and has no page of its own";
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::new(ErrorKind::Configuration, "base_url cannot be extended"))?
        .pop_if_empty()
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// Administrators work at a host of their own, and copy its name.
fn check_host(base: &Url) -> Result<()> {
    let host = base.host_str().unwrap_or_default();
    let Some((first, rest)) = host.split_once('.') else { return Ok(()) };
    let is_oktas = DOMAINS.iter().any(|domain| host.ends_with(domain));
    let Some(org) = first.strip_suffix("-admin").filter(|_| is_oktas) else { return Ok(()) };
    let message = format!("{host} is the Admin Console of the org, which has no API");
    Err(Error::new(ErrorKind::Configuration, message)
        .with_hint(format!("write base_url = \"https://{org}.{rest}\"")))
}

type SignIn = (Tokens, Who, Vec<String>, Option<Access>);

fn sign_in(
    credentials: Credentials,
    endpoint: TokenEndpoint,
    usual: Vec<String>,
    door: &Arc<Door>,
) -> Result<SignIn> {
    match credentials {
        Credentials::PrivateKeyJwt { client_id, private_key, key_id, scopes, certificate: _ } => {
            let key = Arc::new(SigningKey::from_pem(&private_key, key_id)?);
            let asked = if scopes.is_empty() { usual } else { scopes };
            let dpop = Arc::new(Dpop::make()?);
            let source = ServiceApp::new(PrivateKeyJwt {
                endpoint,
                client_id: client_id.clone(),
                key,
                scopes: asked.clone(),
                dpop: Some(SenderConstraint::when_asked(Arc::clone(&dpop))),
            });
            let tokens = Tokens::new(Box::new(Shared(source)), Arc::clone(door)).with_dpop(dpop);
            Ok((tokens, Who::ServiceApp { client_id }, asked, None))
        }
        Credentials::Static { token } => {
            let who = match Form::of(&token) {
                Form::Ssws => Who::ApiToken,
                Form::Bearer => Who::Bearer,
            };
            let access = Access::of_token(&token);
            let tokens = Tokens::new(Box::new(Handmade { token }), Arc::clone(door));
            Ok((tokens, who, Vec::new(), Some(access)))
        }
        other => Err(Error::new(
            ErrorKind::Configuration,
            format!("Okta has no sign-in method {}", other.method()),
        )
        .with_hint("use private_key_jwt (recommended), or static with an API token")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_host_of_the_admin_console_is_refused_and_the_right_one_named() {
        let error = check_host(&url("https://acme-admin.okta.com")).unwrap_err();
        assert!(error.hint.unwrap().contains("\"https://acme.okta.com\""));
        for base in
            ["https://acme.okta.com", "https://sso-admin.acme.example", "http://127.0.0.1:9"]
        {
            assert!(check_host(&url(base)).is_ok(), "{base}");
        }
    }

    #[test]
    fn an_id_never_leads_elsewhere() {
        let base = url("https://acme.okta.com");
        let given = address(&base, &["api", "v1", "apps", "a/../b?c"], &[("q", "a b")]).unwrap();
        assert_eq!(given.as_str(), "https://acme.okta.com/api/v1/apps/a%2F..%2Fb%3Fc?q=a+b");
        for id in ["", ".", ".."] {
            assert!(address(&base, &["api", id], &[]).is_err());
        }
    }
}
