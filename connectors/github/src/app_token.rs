//! [`AppToken`]: signs in as a GitHub App: a signed statement about itself finds its installation and gets a token for it, narrowed to
//! what is needed and never to more than the installation has, which GitHub refuses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use grantwarden_kit::{
    auth::{AccessToken, TokenSource},
    clock::Clock,
    error::{Error, ErrorKind, Result},
    http::{Authorize, Body, Door, Pages, Paging, Reply, Request, Stamp},
    jwt::SigningKey,
    model::Timestamp,
    secret::Secret,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    api::{Installation, InstallationToken, Page, Row},
    client::dressed,
    hints,
    rights::{FOR_READING, Granted, Level},
    site::{Account, Edition, Site},
};

/// `iat` lies so far back, for clocks that differ a little; `exp` so far ahead: 600 s in all, which is the most (API sheet, section 1a).
const BACK: Duration = Duration::from_secs(60);
const AHEAD: Duration = Duration::from_secs(540);

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Reading,
    #[cfg(feature = "revoke")]
    Revoking,
}

impl Purpose {
    /// The permissions that it takes.
    const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Reading => FOR_READING,
            #[cfg(feature = "revoke")]
            Self::Revoking => crate::rights::FOR_REVOKING,
        }
    }

    /// How much to ask for of a permission that is held at a level.
    fn of_level(self, held: Level) -> Level {
        match self {
            Self::Reading => held.min(Level::Read),
            #[cfg(feature = "revoke")]
            Self::Revoking => held,
        }
    }
}

/// Gives tokens of an installation.
pub(crate) struct AppToken {
    pub(crate) site: Arc<Site>,
    /// `iss`: the client id, or the app's number.
    pub(crate) client_id: String,
    pub(crate) key: SigningKey,
    pub(crate) purpose: Purpose,
    /// What the last token may do, for those who ask before they call.
    pub(crate) granted: Arc<Mutex<Option<Granted>>>,
}

#[async_trait]
impl TokenSource for AppToken {
    async fn fetch(&self, door: &Door) -> Result<AccessToken> {
        let edition = self.site.edition(door).await?;
        let proof = Proof { source: self, clock: door.clock(), skew: Mutex::default() };
        let installation = match (&self.site.account, edition) {
            (Account::Enterprise(slug), Edition::Server) => {
                self.of_enterprise(door, &proof, slug).await?
            }
            (account, _) => {
                let [kind, name] = account.path();
                let url = self.site.rest(edition, &[kind, name, "installation"])?;
                let request = dressed(Request::get(FIND, url));
                self.ask(door, &request, &proof).await?
            }
        };

        let id = installation.id.to_string();
        let url = self.site.rest(edition, &["app", "installations", &id, "access_tokens"])?;
        let held = installation.permissions.as_ref().map(levels);
        let wanted = match (&self.site.account, &held) {
            // A token of an installation on an enterprise cannot be narrowed.
            (Account::Organization(_), Some(held)) => {
                let wanted = self.wanted(held);
                if wanted.is_empty() {
                    let message =
                        "the app's installation has none of the permissions that the scanner needs";
                    return Err(Error::new(ErrorKind::SignIn, message).with_hint(
                        "the app's settings > Permissions & events: set those that `init` lists; then an owner accepts them: organisation settings > GitHub Apps > the app > Review request",
                    ));
                }
                Some(wanted)
            }
            _ => None,
        };
        let body =
            wanted.as_ref().map_or_else(|| json!({}), |names| json!({ "permissions": names }));
        // Asking twice gives two tokens, which both end within the hour.
        let request = Request::post("get an installation token", url, Body::Json(body.into()));
        let reply: InstallationToken =
            self.ask(door, &dressed(request.repeatable()), &proof).await?;
        door.redactor().learn(&reply.token);

        let permissions = reply.permissions.as_ref().map(levels).or(wanted).or(held);
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Granted {
            installation: installation.id,
            app_id: installation.app_id,
            app_slug: installation.app_slug,
            account_id: installation.account.as_ref().and_then(|account| account.id),
            account_name: installation.account.and_then(|account| account.name.or(account.login)),
            permissions,
            repository_selection: reply.repository_selection.or(installation.repository_selection),
        });
        let expires_at = reply.expires_at.and_then(|text| text.parse().ok());
        Ok(AccessToken { expires_at, ..AccessToken::plain(reply.token) })
    }
}

/// What is tried, for an error.
const FIND: &str = "find the app's installation";

impl AppToken {
    /// The app's installation on an enterprise of an Enterprise Server, which has no page of its own for it (API sheet, section 2.8).
    async fn of_enterprise(
        &self,
        door: &Door,
        proof: &Proof<'_>,
        slug: &str,
    ) -> Result<Installation> {
        let mut url = self.site.rest(Edition::Server, &["app", "installations"])?;
        url.query_pairs_mut().append_pair("per_page", "100");
        let first = dressed(Request::get(FIND, url));
        let mut pages = Pages::new(door, proof, Paging::LinkHeader, first);
        while let Some(page) =
            pages.next::<Page<Installation>>().await.map_err(|error| self.explain(error))?
        {
            let is_of_it = |row: &Installation| {
                let account = row.account.as_ref().and_then(|account| account.slug.as_deref());
                account.is_some_and(|other| other.eq_ignore_ascii_case(slug))
            };
            let found = page.parts().0.into_iter().filter_map(Row::good).find(is_of_it);
            if let Some(found) = found {
                return Ok(found);
            }
        }
        let message = "the app is not installed on the enterprise";
        Err(self.explain(door.place(Error::new(ErrorKind::NotFound, message), FIND)))
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        door: &Door,
        request: &Request,
        proof: &Proof<'_>,
    ) -> Result<T> {
        let reply = door.send(request, Some(proof)).await;
        let read = reply.and_then(|reply| reply.json());
        read.map_err(|error| self.explain(door.place(error, request.endpoint)))
    }

    /// A refusal here is a refusal to sign us in.
    fn explain(&self, mut error: Error) -> Error {
        let is_refusal = matches!(
            error.kind,
            ErrorKind::Unauthorized
                | ErrorKind::Forbidden
                | ErrorKind::NotFound
                | ErrorKind::InvalidRequest
        );
        if error.kind == ErrorKind::NotFound {
            let what = match &self.site.account {
                Account::Organization(login) => format!("the organisation {login}"),
                Account::Enterprise(slug) => format!("the enterprise {slug}"),
            };
            error = error.with_hint(format!(
                "the app is not installed on {what}, or there is no app with this client_id: check client_id and account, and install the app (its settings > Install App)"
            ));
        }
        error = hints::advise(error);
        if is_refusal {
            error.kind = ErrorKind::SignIn;
        }
        error
    }

    /// What to ask for: of what is needed, what the installation has.
    fn wanted(&self, held: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let names = self.purpose.permissions().iter();
        let has = names.filter_map(|name| Some((*name, Level::parse(held.get(*name)?)?)));
        let wanted = has.map(|(name, level)| (name, self.purpose.of_level(level)));
        wanted.map(|(name, level)| (name.to_owned(), level.name().to_owned())).collect()
    }
}

/// Levels as text; what is no text is no level that could be asked for.
fn levels(map: &BTreeMap<String, serde_json::Value>) -> BTreeMap<String, String> {
    let texts = map.iter().filter_map(|(name, level)| Some((name.clone(), level.as_str()?.into())));
    texts.collect()
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
}

/// The app's statement about itself. If GitHub refuses it, it is signed once more by GitHub's own clock: a clock that is some minutes off
/// is the usual cause.
struct Proof<'a> {
    source: &'a AppToken,
    clock: &'a dyn Clock,
    skew: Mutex<Skew>,
}

#[derive(Default)]
struct Skew {
    /// GitHub's time and ours, when it last answered.
    seen: Option<(Timestamp, Timestamp)>,
    /// The pair that we go by since it refused us.
    corrected: Option<(Timestamp, Timestamp)>,
}

impl Skew {
    /// GitHub's time, as far as we had to learn it.
    fn now(&self, ours: Timestamp) -> Timestamp {
        match self.corrected {
            Some((theirs, then)) => theirs.plus(then.until(ours)),
            None => ours,
        }
    }
}

impl Proof<'_> {
    fn skew(&self) -> std::sync::MutexGuard<'_, Skew> {
        self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Authorize for Proof<'_> {
    async fn stamp(&self, _: &Request) -> Result<Stamp> {
        let now = self.skew().now(self.clock.now());
        let token: Secret = self.source.key.sign(&Claims {
            iss: &self.source.client_id,
            iat: now.minus(BACK).as_second(),
            exp: now.plus(AHEAD).as_second(),
        })?;
        Ok(Stamp { token: Some(("Bearer", token)), ..Stamp::default() })
    }

    async fn refused(&self, _: u64) {
        let mut skew = self.skew();
        skew.corrected = skew.seen;
    }

    fn heed(&self, reply: &Reply) {
        if let Some(theirs) = reply.date() {
            self.skew().seen = Some((theirs, self.clock.now()));
        }
    }
}
