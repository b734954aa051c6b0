//! [`Site`]: where a GitHub's API is and which account is asked about. On a host that is not GitHub's own it finds out which product
//! answers there; it never guesses.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Authorize, Door, Reply, Request, Stamp},
};
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

/// GitHub's own API, and the hosts of accounts with data residency.
const PUBLIC_HOST: &str = "api.github.com";
const RESIDENCY_SUFFIX: &str = ".ghe.com";
/// Where the API of an Enterprise Server is below its host.
const SERVER_PATH: [&str; 2] = ["api", "v3"];
const VERSION_HEADER: &str = "x-github-enterprise-version";

/// Whose grants are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// An organisation, by its login.
    Organization(String),
    /// An enterprise, by its slug.
    Enterprise(String),
}

/// Which product answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    /// github.com, Enterprise Cloud and data residency: the API is at the root.
    Cloud,
    /// Enterprise Server: the API is below `/api/v3`.
    Server,
}

/// Where an API is.
pub(crate) struct Site {
    base: Url,
    pub(crate) account: Account,
    edition: OnceCell<Edition>,
}

impl Account {
    /// Reads `account` of a configuration.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let fail = || {
            let message = "`account` is neither an organisation's login nor enterprises/SLUG";
            Error::new(ErrorKind::Configuration, message)
                .with_hint("write the last part of https://github.com/LOGIN, or enterprises/SLUG for https://github.com/enterprises/SLUG")
        };
        let (name, is_enterprise) = match text.strip_prefix("enterprises/") {
            Some(slug) => (slug, true),
            None => (text, false),
        };
        if !is_name(name) {
            return Err(fail());
        }
        let name = name.to_owned();
        Ok(if is_enterprise { Self::Enterprise(name) } else { Self::Organization(name) })
    }

    /// The organisation's login or the enterprise's slug.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Organization(name) | Self::Enterprise(name) => name,
        }
    }

    /// The path of the account in the API.
    pub(crate) fn path(&self) -> [&str; 2] {
        match self {
            Self::Organization(login) => ["orgs", login],
            Self::Enterprise(slug) => ["enterprises", slug],
        }
    }
}

/// Whether a text can be the login of an account: nothing that could lead to another address.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= 100 && text.bytes().all(is_plain)
}

/// What tells that GitHub's API answers.
#[derive(Deserialize)]
struct Meta {
    installed_version: Option<String>,
    verifiable_password_authentication: Option<bool>,
}

impl Meta {
    const fn is_github(&self) -> bool {
        self.installed_version.is_some() || self.verifiable_password_authentication.is_some()
    }
}

impl Site {
    /// The place that a configuration names. Does not touch the network.
    pub(crate) fn new(mut base: Url, account: Account) -> Self {
        let host = base.host_str().unwrap_or_default();
        let is_residency = host.starts_with("api.") && host.ends_with(RESIDENCY_SUFFIX);
        let edition = if host == PUBLIC_HOST || is_residency {
            Some(Edition::Cloud)
        } else if base.path().trim_end_matches('/').ends_with("/api/v3") {
            if let Ok(mut path) = base.path_segments_mut() {
                path.pop_if_empty().pop().pop();
            }
            Some(Edition::Server)
        } else {
            None
        };
        Self { base, account, edition: OnceCell::new_with(edition) }
    }

    /// Which product it is, as far as is known yet.
    pub(crate) fn known(&self) -> Option<Edition> {
        self.edition.get().copied()
    }

    /// Which product it is. On a host that is not GitHub's own this asks, without a token: `/api/v3/meta`, which an Enterprise Server
    /// has, and then `/meta`.
    pub(crate) async fn edition(&self, door: &Door) -> Result<Edition> {
        self.edition.get_or_try_init(|| self.find_out(door)).await.copied()
    }

    async fn find_out(&self, door: &Door) -> Result<Edition> {
        for (edition, path) in
            [(Edition::Server, &["api", "v3", "meta"][..]), (Edition::Cloud, &["meta"][..])]
        {
            let nobody = Nobody::default();
            let request = Request::get("find out which GitHub this is", join(&self.base, path)?);
            let request = request.header("Accept", super::client::MEDIA_TYPE);
            let meta =
                door.send(&request, Some(&nobody)).await.and_then(|reply| reply.json::<Meta>());
            let has_version = nobody.has_version();
            match meta {
                // A private server answers nobody, and still says what it is.
                _ if has_version && edition == Edition::Server => return Ok(Edition::Server),
                Ok(meta) if meta.is_github() => return Ok(edition),
                Ok(_) => {}
                Err(error) if is_other_product(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let message = "GitHub's API is neither at base_url nor below /api/v3 of it";
        Err(Error::new(ErrorKind::Configuration, message).with_hint(
            "base_url is https://api.github.com, https://api.SUBDOMAIN.ghe.com, or the address of an Enterprise Server: https://ghe.acme.example",
        ))
    }

    /// An address of the REST API.
    pub(crate) fn rest(&self, edition: Edition, path: &[&str]) -> Result<Url> {
        match edition {
            Edition::Cloud => join(&self.base, path),
            Edition::Server => join(&join(&self.base, &SERVER_PATH)?, path),
        }
    }

    /// The address of the GraphQL API.
    pub(crate) fn graphql(&self, edition: Edition) -> Result<Url> {
        match edition {
            Edition::Cloud => join(&self.base, &["graphql"]),
            Edition::Server => join(&self.base, &["api", "graphql"]),
        }
    }

    /// What tells this GitHub from every other one: behind one host there may be several, each below a path of its own.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
}

/// Whether an error says that something else than this API answers at an address.
fn is_other_product(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotFound
            | ErrorKind::Forbidden
            | ErrorKind::Unauthorized
            | ErrorKind::InvalidRequest
            | ErrorKind::Malformed
            | ErrorKind::ForeignHost
    )
}

fn join(base: &Url, path: &[&str]) -> Result<Url> {
    // A part like these would lead to another page.
    if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
        let message = "an id is empty or consists of dots, and has no page of its own";
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::new(ErrorKind::Configuration, "base_url cannot be extended"))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

/// Asks without a token, and keeps an eye on what the reply says of the product.
#[derive(Default)]
struct Nobody(Mutex<bool>);

impl Nobody {
    fn has_version(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Authorize for Nobody {
    async fn stamp(&self, _: &Request) -> Result<Stamp> {
        Ok(Stamp::default())
    }

    async fn refused(&self, _: u64) {}

    fn heed(&self, reply: &Reply) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) |=
            reply.header(VERSION_HEADER).is_some();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(base: &str) -> Site {
        Site::new(base.parse().unwrap(), Account::Organization("acme".into()))
    }

    #[test]
    fn hosts_of_github_are_known_and_others_are_not() {
        for base in ["https://api.github.com", "https://api.acme.ghe.com/"] {
            assert_eq!(site(base).known(), Some(Edition::Cloud), "{base}");
        }
        for base in ["https://ghe.acme.example", "http://127.0.0.1:9", "https://acme.ghe.com"] {
            assert_eq!(site(base).known(), None, "{base}");
        }
        let server = site("https://ghe.acme.example/api/v3/");
        assert_eq!(server.known(), Some(Edition::Server));
        let rest = server.rest(Edition::Server, &["orgs", "acme"]).unwrap();
        assert_eq!(rest.as_str(), "https://ghe.acme.example/api/v3/orgs/acme");
        let graphql = server.graphql(Edition::Server).unwrap();
        assert_eq!(graphql.as_str(), "https://ghe.acme.example/api/graphql");
    }

    #[test]
    fn an_id_never_leads_elsewhere() {
        let site = site("https://api.github.com");
        assert!(site.rest(Edition::Cloud, &["repos", "acme", ".."]).is_err());
        assert!(site.rest(Edition::Cloud, &["repos", "", "x"]).is_err());
        let url = site.rest(Edition::Cloud, &["repos", "a/b?c#d", "keys"]).unwrap();
        assert_eq!(url.as_str(), "https://api.github.com/repos/a%2Fb%3Fc%23d/keys");
    }

    #[test]
    fn an_account_is_a_login_or_an_enterprise() {
        assert_eq!(Account::parse("acme-1").unwrap(), Account::Organization("acme-1".into()));
        assert_eq!(Account::parse("enterprises/acme").unwrap(), Account::Enterprise("acme".into()));
        for text in ["", "enterprises/", "a/b", "orgs/acme", "..", "acme?", "https://github.com/x"]
        {
            assert!(Account::parse(text).is_err(), "{text}");
        }
    }
}
