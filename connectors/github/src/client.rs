//! [`Client`]: an account of a GitHub, signed in to. Sends requests, follows listings, and says what is missing when GitHub refuses.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use grantwarden_kit::{
    auth::{Credentials, StaticToken, TokenSource, Tokens},
    connector::{Kit, TenantConfig},
    error::{Error, ErrorKind, Result},
    http::{Authorize, Door, DoorConfig, Limits, Pages, Paging, Reply, Request, Stamp},
    jwt::SigningKey,
    secret::Secret,
};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    MANIFEST,
    app_token::{AppToken, Purpose},
    classify::{GithubDialect, PRIMARY_LIMIT},
    hints,
    owners::OwnerCache,
    rights::{Granted, Held},
    site::{Account, Edition, Site},
    token_form::{self, TokenKind},
};

/// What we take, and the version of the API that it is written for.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.github+json";
const API_VERSION: &str = "2022-11-28";

/// An account of a GitHub, signed in to.
pub(crate) struct Client {
    pub(crate) door: Arc<Door>,
    pub(crate) site: Arc<Site>,
    /// What is known of publishers of apps, by slug.
    pub(crate) owners: Arc<OwnerCache>,
    identity: Identity,
    sign_in: SignIn,
    /// Calls that may be in flight.
    pub(crate) concurrent: usize,
}

enum SignIn {
    App(Arc<Mutex<Option<Granted>>>),
    Token {
        kind: TokenKind,
        /// By which GitHub names a token to its owner.
        #[cfg(feature = "revoke")]
        last_eight: String,
    },
}

/// Adds what every request carries.
pub(crate) fn dressed(request: Request) -> Request {
    request.header("Accept", MEDIA_TYPE).header("X-GitHub-Api-Version", API_VERSION)
}

impl Client {
    /// Prepares to sign in. Does not touch the network.
    pub(crate) fn open(
        tenant: TenantConfig,
        kit: Kit,
        purpose: Purpose,
        owners: Arc<OwnerCache>,
    ) -> Result<Self> {
        let name = tenant.name.clone();
        Self::open_inner(tenant, kit, purpose, owners)
            .map_err(|error| error.at(&name, &MANIFEST.id, "configuration"))
    }

    fn open_inner(
        tenant: TenantConfig,
        kit: Kit,
        purpose: Purpose,
        owners: Arc<OwnerCache>,
    ) -> Result<Self> {
        let account = tenant.account.as_deref().ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "`account` is missing: which organisation is to be read?",
            )
            .with_hint("set account to the organisation's login, or to enterprises/SLUG")
        })?;
        let account = Account::parse(account)?;
        let mut origins = vec![tenant.base_url.clone()];
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
            classify: Arc::new(GithubDialect),
            limits: Limits::default(),
            keep_quota_percent: tenant.keep_quota_percent,
            clock: kit.clock,
            cancel: kit.cancel,
        })?);
        let site = Arc::new(Site::new(tenant.base_url, account));
        let (sign_in, source) = sign_in(tenant.credentials, &site, purpose)?;
        let identity =
            Identity { tokens: Tokens::new(source, Arc::clone(&door)), seen: Mutex::default() };
        let concurrent = usize::try_from(concurrent).unwrap_or(1);
        Ok(Self { door, site, owners, identity, sign_in, concurrent })
    }

    /// Signs in. A token that was made by hand is shown to GitHub once, by a call that costs nothing.
    pub(crate) async fn connect(&self) -> Result<()> {
        let place = |error: Error| hints::advise(self.door.place(error, "sign in"));
        self.site.edition(&self.door).await.map_err(place)?;
        self.identity.tokens.get().await.map_err(place)?;
        if matches!(self.sign_in, SignIn::Token { .. }) && !self.seen().has_answered {
            let request = self.get("look at the limits", &["rate_limit"])?;
            match self.send(&request).await {
                Ok(_) => {}
                // A server without limits has no such page; the token was taken.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// As whom we ask, as far as it is known by now.
    pub(crate) fn held(&self) -> Held {
        match &self.sign_in {
            SignIn::App(granted) => {
                match granted.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                    Some(granted) => Held::App(granted),
                    // Before the first sign-in.
                    None => Held::Token(TokenKind::InstallationToken, None),
                }
            }
            SignIn::Token { kind, .. } => Held::Token(*kind, self.seen().scopes),
        }
    }

    /// The end of the token that was made by hand, by which GitHub's listings name it.
    #[cfg(feature = "revoke")]
    pub(crate) fn own_last_eight(&self) -> Option<&str> {
        match &self.sign_in {
            SignIn::App(_) => None,
            SignIn::Token { last_eight, .. } => Some(last_eight),
        }
    }

    /// Which product it is.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] before [`Client::connect`].
    pub(crate) fn edition(&self) -> Result<Edition> {
        self.site.known().ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "it is not known yet which GitHub this is")
        })
    }

    /// A read of the REST API.
    pub(crate) fn get(&self, endpoint: &'static str, path: &[&str]) -> Result<Request> {
        Ok(dressed(Request::get(endpoint, self.url(path)?)))
    }

    /// A read with query parameters.
    pub(crate) fn query(
        &self,
        endpoint: &'static str,
        path: &[&str],
        parameters: &[(&str, &str)],
    ) -> Result<Request> {
        let mut request = self.get(endpoint, path)?;
        request.url.query_pairs_mut().extend_pairs(parameters);
        Ok(request)
    }

    /// A listing of the account, a hundred rows to a page.
    pub(crate) fn list(&self, endpoint: &'static str, path: &[&str]) -> Result<Request> {
        let path: Vec<&str> = self.site.account.path().iter().chain(path).copied().collect();
        self.query(endpoint, &path, &[("per_page", "100")])
    }

    /// An address of the REST API.
    pub(crate) fn url(&self, path: &[&str]) -> Result<Url> {
        self.site.rest(self.edition()?, path)
    }

    /// Sends a request with the account's token.
    pub(crate) async fn send(&self, request: &Request) -> Result<Reply> {
        let sent = self.door.send(request, Some(&self.identity)).await;
        sent.map_err(|error| self.explain(request.endpoint, error))
    }

    /// Sends a request and decodes the answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T> {
        let reply = self.send(request).await?;
        reply.json().map_err(|error| self.explain(request.endpoint, error))
    }

    /// Starts a listing. Where it goes on, GitHub says; page numbers are never made up.
    pub(crate) fn pages(&self, first: &Request) -> Pages<'_> {
        Pages::new(&self.door, &self.identity, Paging::LinkHeader, first.clone())
    }

    /// Fills in the place and what to do about it.
    pub(crate) fn explain(&self, endpoint: &str, error: Error) -> Error {
        let mut error = hints::advise(self.door.place(error, endpoint));
        let is_used_up = error.code().is_some_and(|code| code.starts_with(PRIMARY_LIMIT));
        if error.kind == ErrorKind::Throttled && is_used_up {
            // An hour of its own is used up, for what is asked here; the rest of the scan goes on.
            error.kind = ErrorKind::Quota;
        }
        error
    }

    /// Ends the installation token. It would end within the hour; whoever finds it in a log must not be able to use it until then.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub(crate) async fn end_token(&self) -> Result<()> {
        let SignIn::App(_) = &self.sign_in else { return Ok(()) };
        let request = dressed(Request::delete(
            "end the installation token",
            self.url(&["installation", "token"])?,
        ));
        let ended = self.send(&request).await.map(drop);
        let stamp = self.identity.tokens.stamp(&request).await?;
        // Whoever calls after this gets a new one.
        self.identity.tokens.refused(stamp.generation).await;
        ended
    }

    /// What GitHub's replies said about the token.
    pub(crate) fn seen(&self) -> Seen {
        self.identity.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What GitHub's replies say about whoever asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// GitHub has answered a call with the token.
    pub(crate) has_answered: bool,
    /// Scopes of a classic token.
    pub(crate) scopes: Option<Vec<String>>,
    /// When the token ends, in GitHub's words.
    pub(crate) token_end: Option<String>,
    /// Version of the Enterprise Server.
    pub(crate) server_version: Option<String>,
}

/// The account's tokens, with an eye on what the replies say about them.
struct Identity {
    tokens: Tokens,
    seen: Mutex<Seen>,
}

#[async_trait]
impl Authorize for Identity {
    async fn stamp(&self, request: &Request) -> Result<Stamp> {
        self.tokens.stamp(request).await
    }

    async fn refused(&self, generation: u64) {
        self.tokens.refused(generation).await;
    }

    fn heed(&self, reply: &Reply) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.has_answered |= reply.status != StatusCode::UNAUTHORIZED;
        if let Some(scopes) = reply.header("x-oauth-scopes") {
            let words = scopes.split([',', ' ']).filter(|word| !word.is_empty());
            seen.scopes = Some(words.map(ToOwned::to_owned).collect());
        }
        if let Some(end) = reply.header("github-authentication-token-expiration") {
            seen.token_end = Some(end.to_owned());
        }
        if let Some(version) = reply.header("x-github-enterprise-version") {
            seen.server_version = Some(version.to_owned());
        }
    }
}

fn sign_in(
    credentials: Credentials,
    site: &Arc<Site>,
    purpose: Purpose,
) -> Result<(SignIn, Box<dyn TokenSource>)> {
    match credentials {
        Credentials::GithubApp { client_id, private_key } => {
            let granted = Arc::new(Mutex::new(None));
            let source = AppToken {
                site: Arc::clone(site),
                client_id,
                key: SigningKey::from_pem(&private_key, None)?,
                purpose,
                granted: Arc::clone(&granted),
            };
            Ok((SignIn::App(granted), Box::new(source)))
        }
        Credentials::Static { token } => {
            let kind = check_token(&token)?;
            let sign_in = SignIn::Token {
                kind,
                #[cfg(feature = "revoke")]
                last_eight: last_eight(token.expose()),
            };
            Ok((sign_in, Box::new(StaticToken { token })))
        }
        other => Err(Error::new(
            ErrorKind::Configuration,
            format!("GitHub has no sign-in method {}", other.method()),
        )
        .with_hint("use github_app (recommended) or static")),
    }
}

/// By which GitHub's listings name a token.
#[cfg(feature = "revoke")]
fn last_eight(token: &str) -> String {
    let from = token.char_indices().rev().nth(7).map_or(0, |(at, _)| at);
    token.get(from..).unwrap_or_default().to_owned()
}

/// The kind of a token that can be one.
///
/// # Errors
/// [`ErrorKind::Secret`] for a token that GitHub never issued, or that no API takes.
fn check_token(token: &Secret) -> Result<TokenKind> {
    let kind = TokenKind::of(token.expose());
    if token_form::checksum_fits(token.expose()) == Some(false) {
        let message = "the token's checksum is wrong: a character was lost or changed";
        return Err(Error::new(ErrorKind::Secret, message)
            .with_hint("copy the token again, or make a new one; it was not sent anywhere"));
    }
    if kind == TokenKind::RefreshToken {
        let message = "a refresh token (ghr_) signs nobody in";
        return Err(Error::new(ErrorKind::Secret, message)
            .with_hint("use github_app, or a classic personal access token (ghp_) of an owner"));
    }
    Ok(kind)
}
