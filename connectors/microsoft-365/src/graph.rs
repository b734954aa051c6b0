//! [`Graph`]: a signed-in directory. Sends requests, follows listings, and packs many reads into one call.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::future::join_all;
use grantwarden_kit::{
    auth::{self, Credentials, TokenEndpoint, TokenSource, Tokens},
    connector::{Kit, TenantConfig},
    error::{Error, ErrorKind, Result},
    http::{Authorize, Door, DoorConfig, Limits, Pages, Paging, Reply, Request},
    jwt::SigningKey,
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    MANIFEST,
    api::{Page, Row},
    classify, clouds,
    envelope::Batch,
    hints,
    rights::Claims,
};

/// Microsoft recommends five to ten minutes for an assertion:
/// <https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials>
const ASSERTION_LIFE: Duration = Duration::from_secs(300);
/// How often a listing is begun anew when its page token expires.
pub(crate) const RESTARTS: u32 = 2;
/// Parts of one batch, and batches on their way at once.
const PARTS: usize = 20;
const BATCHES: usize = 4;

/// A signed-in directory.
pub(crate) struct Graph {
    pub(crate) door: Arc<Door>,
    tokens: Tokens,
    base: Url,
    batch: Batch,
}

impl Graph {
    /// Prepares to sign in.
    pub(crate) fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let name = tenant.name.clone();
        Self::open_inner(tenant, kit)
            .map_err(|error| error.at(&name, &MANIFEST.id, "configuration"))
    }

    fn open_inner(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let mut origins = vec![tenant.base_url.clone()];
        origins.extend(tenant.hosts.iter().cloned());
        let endpoint = endpoint(&tenant)?;
        origins.extend(endpoint.iter().map(|endpoint| endpoint.url.clone()));
        let mut buckets = MANIFEST.buckets.clone();
        buckets.extend(tenant.buckets);
        let door = Arc::new(Door::new(DoorConfig {
            tenant: tenant.name,
            platform: MANIFEST.id.clone(),
            origins,
            certificate_authorities: tenant.certificate_authorities,
            buckets,
            classify: Arc::new(classify::Microsoft),
            limits: Limits::default(),
            keep_quota_percent: tenant.keep_quota_percent,
            clock: kit.clock,
            cancel: kit.cancel,
        })?);
        let default_scope = format!("{}/.default", tenant.base_url.origin().ascii_serialization());
        let source = source(endpoint, tenant.credentials, default_scope)?;
        let tokens = Tokens::new(source, Arc::clone(&door));
        let batch = Batch { url: join(&tenant.base_url, "/v1.0/$batch")? };
        Ok(Self { door, tokens, base: tenant.base_url, batch })
    }

    /// Signs in. What the token says about itself.
    pub(crate) async fn connect(&self) -> Result<Claims> {
        let (token, _) = self.tokens.get().await.map_err(|error| self.explain("sign in", error))?;
        Ok(Claims::of(&token.value))
    }

    /// Which directory this is, for what is remembered of it.
    pub(crate) fn identity(&self, claims: &Claims) -> String {
        let host = self.base.origin().ascii_serialization();
        format!("{host} {}", claims.tid.as_deref().unwrap_or_default())
    }

    /// A read of version 1.0. `query` is written as Graph's documents write it.
    pub(crate) fn get(&self, endpoint: &'static str, path: &str, query: &str) -> Result<Request> {
        Ok(Request::get(endpoint, self.url("v1.0", path, query)?))
    }

    /// A read of an identity report or an audit log.
    pub(crate) fn report(
        &self,
        endpoint: &'static str,
        version: &str,
        path: &str,
        query: &str,
    ) -> Result<Request> {
        let request = Request::get(endpoint, self.url(version, path, query)?);
        Ok(Request { bucket: "reports", ..request })
    }

    /// An address of the directory.
    pub(crate) fn url(&self, version: &str, path: &str, query: &str) -> Result<Url> {
        let mut url = join(&self.base, &format!("/{version}/{path}"))?;
        url.set_query((!query.is_empty()).then_some(query));
        Ok(url)
    }

    /// The request for an address that Graph gave out; the door decides whether it may be followed.
    pub(crate) fn follow(&self, first: &Request, link: &str) -> Result<Request> {
        let url = self.base.join(link).map_err(|error| {
            let message = "the link to the next page is not an address";
            self.explain(
                first.endpoint,
                Error::new(ErrorKind::Malformed, message).with_source(error),
            )
        })?;
        Ok(Request { url, ..first.clone() })
    }

    /// Sends a request with the directory's token.
    pub(crate) async fn send(&self, request: &Request) -> Result<Reply> {
        self.door
            .send(request, Some(&self.tokens as &dyn Authorize))
            .await
            .map_err(|error| self.explain(request.endpoint, error))
    }

    /// Sends a request and decodes the answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T> {
        let reply = self.send(request).await?;
        self.decode(request, &reply)
    }

    /// Decodes the answer to a request.
    pub(crate) fn decode<T: DeserializeOwned>(
        &self,
        request: &Request,
        reply: &Reply,
    ) -> Result<T> {
        reply.json().map_err(|error| self.explain(request.endpoint, error))
    }

    /// Sends reads in as few calls as possible; a result for each, in their order.
    pub(crate) async fn send_batch(&self, parts: &[Request]) -> Vec<Result<Reply>> {
        let chunks = parts
            .chunks(PARTS)
            .map(|chunk| self.door.send_batch(chunk, &self.batch, &self.tokens as &dyn Authorize));
        let results = join_all(chunks).await.into_iter().flatten();
        parts
            .iter()
            .zip(results)
            .map(|(part, result)| result.map_err(|error| self.explain(part.endpoint, error)))
            .collect()
    }

    /// Reads many listings to their ends, twenty to a call. `take` gets each page with the position of its listing; a listing that is
    /// begun anew gives rows twice. What failed, by position.
    pub(crate) async fn read_listings<T: DeserializeOwned>(
        &self,
        firsts: &[Request],
        mut take: impl FnMut(usize, Vec<Row<T>>),
    ) -> Vec<(usize, Error)> {
        let mut failed = Vec::new();
        let mut open: Vec<Open> = (0..firsts.len())
            .map(|at| Open { at, next: firsts[at].clone(), seen: HashSet::new(), restarts: 0 })
            .collect();
        while !open.is_empty() {
            let mut left = Vec::new();
            // What is on its way at once is bounded, so that answers do not pile up.
            while !open.is_empty() {
                let lot: Vec<Open> = open.drain(..open.len().min(PARTS * BATCHES)).collect();
                let requests: Vec<Request> = lot.iter().map(|open| open.next.clone()).collect();
                let replies = self.send_batch(&requests).await;
                for (listing, reply) in lot.into_iter().zip(replies) {
                    let at = listing.at;
                    let page: Result<Page<T>> =
                        reply.and_then(|reply| self.decode(&listing.next, &reply));
                    match page {
                        Ok(page) => {
                            take(at, page.value);
                            match page.next.map(|link| self.go_on(listing, &link)) {
                                Some(Ok(next)) => left.push(next),
                                Some(Err(error)) => failed.push((at, error)),
                                None => {}
                            }
                        }
                        Err(error)
                            if error.kind == ErrorKind::PageExpired
                                && listing.restarts < RESTARTS =>
                        {
                            left.push(Open {
                                at,
                                next: firsts[at].clone(),
                                seen: HashSet::new(),
                                restarts: listing.restarts + 1,
                            });
                        }
                        Err(error) => failed.push((at, error)),
                    }
                }
            }
            open = left;
        }
        failed
    }

    fn go_on(&self, mut listing: Open, link: &str) -> Result<Open> {
        let next = self.follow(&listing.next, link)?;
        // A part of a batch has no host of its own: the door never sees this one.
        if next.url.origin() != self.base.origin() {
            let message = "the link to the next page leads to another host";
            let error = Error::new(ErrorKind::ForeignHost, message);
            return Err(self.explain(listing.next.endpoint, error));
        }
        let is_new = next.url != listing.next.url && listing.seen.insert(next.url.to_string());
        if !is_new || listing.seen.len() > MOST_PAGES {
            let error = Error::new(ErrorKind::Malformed, "the listing does not end");
            return Err(self.explain(listing.next.endpoint, error));
        }
        Ok(Open { next, ..listing })
    }

    /// Whether an object whose listing was "not there" is gone itself. Without this second answer it may be the listing that is missing.
    pub(crate) async fn is_gone(&self, error: &Error, object: &str) -> bool {
        if !is_not_there(error) {
            return false;
        }
        match self.get("look for the object", object, "$select=id") {
            Ok(request) => self.send(&request).await.is_err_and(|error| is_not_there(&error)),
            Err(_) => false,
        }
    }

    /// Starts a listing.
    pub(crate) fn pages(&self, first: &Request) -> Pages<'_> {
        Pages::new(&self.door, &self.tokens, Paging::NextUrl(&["@odata.nextLink"]), first.clone())
    }

    /// Fills in the place and what to do about it.
    pub(crate) fn explain(&self, endpoint: &str, error: Error) -> Error {
        let mut error = hints::advise(self.door.place(error, endpoint));
        if error.kind == ErrorKind::Licence && !LICENSED.contains(&endpoint) {
            // Elsewhere no licence is needed: nothing excuses that it was not read.
            error.kind = ErrorKind::InvalidRequest;
        }
        error
    }
}

/// What a directory may have to buy, by endpoint.
const LICENSED: [&str; 3] = [SIGN_IN_REPORT, AUDIT_LOG, LOOK_AT_REPORT];
pub(crate) const SIGN_IN_REPORT: &str = "read a sign-in report";
pub(crate) const AUDIT_LOG: &str = "read the audit log";
pub(crate) const LOOK_AT_REPORT: &str = "look whether a report is visible";

/// Whether Graph says that an object is not there (any more). Another "not found" may be the address.
pub(crate) fn is_not_there(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound && error.code() == Some("Request_ResourceNotFound")
}

/// Pages that one listing in a batch may have.
const MOST_PAGES: usize = 10_000;

/// A listing of which pages are still to come.
struct Open {
    at: usize,
    next: Request,
    /// Addresses of the pages that followed the first.
    seen: HashSet<String>,
    restarts: u32,
}

fn join(base: &Url, path: &str) -> Result<Url> {
    base.join(path).map_err(|error| {
        Error::new(ErrorKind::Configuration, "base_url cannot be extended").with_source(error)
    })
}

/// Where tokens are issued; `None` for a token that was made by hand.
fn endpoint(tenant: &TenantConfig) -> Result<Option<TokenEndpoint>> {
    if matches!(tenant.credentials, Credentials::Static { .. }) {
        return Ok(None);
    }
    let url = match (&tenant.token_url, &tenant.account) {
        (Some(url), _) => url.clone(),
        (None, Some(account)) => {
            if !is_directory(account) {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    "`account` is neither a Directory (tenant) ID nor a domain",
                ));
            }
            let host = tenant.base_url.host_str().unwrap_or_default();
            let path = format!("/{account}/oauth2/v2.0/token");
            match clouds::sign_in_host(host) {
                Some(login) => join(&parse(login)?, &path)?,
                None => join(&tenant.base_url, &path)?,
            }
        }
        (None, None) => {
            return Err(Error::new(
                ErrorKind::Configuration,
                "`account` is missing: tokens are issued for one directory",
            )
            .with_hint(
                "set account to the Directory (tenant) ID or a verified domain: Entra admin center > Overview",
            ));
        }
    };
    let audience = tenant.audience.clone().unwrap_or_else(|| url.to_string());
    Ok(Some(TokenEndpoint { url, audience, assertion_life: ASSERTION_LIFE }))
}

/// Whether the text is a GUID or a domain name. Others (`common`, `../x`) would sign in somewhere else.
fn is_directory(account: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && !label.starts_with('-') && label.bytes().all(is_plain)
    };
    is_guid(account) || (account.contains('.') && account.split('.').all(is_label))
}

/// Whether the text is a GUID as Graph writes them.
pub(crate) fn is_guid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    let fits = |(at, byte): (usize, u8)| match byte {
        b'-' => dashes.contains(&at),
        byte => byte.is_ascii_hexdigit() && !dashes.contains(&at),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn parse(url: &str) -> Result<Url> {
    url.parse().map_err(|error| {
        Error::new(ErrorKind::Configuration, "the sign-in host is not an address")
            .with_source(error)
    })
}

fn source(
    endpoint: Option<TokenEndpoint>,
    credentials: Credentials,
    default_scope: String,
) -> Result<Box<dyn TokenSource>> {
    // Entra wants one scope: everything that was granted to the app on Graph.
    let usual = |scopes: Vec<String>| if scopes.is_empty() { vec![default_scope] } else { scopes };
    Ok(match (endpoint, credentials) {
        (
            Some(endpoint),
            Credentials::PrivateKeyJwt { client_id, private_key, key_id, certificate, scopes },
        ) => {
            let certificate = certificate.ok_or_else(|| {
                Error::new(ErrorKind::Configuration, "`certificate` is missing: Entra finds the key by its certificate")
                    .with_hint("name the PEM file that was uploaded to the app: certificate = \"/etc/grantwarden/grantwarden.crt\"")
            })?;
            let key = SigningKey::from_pem(&private_key, key_id)?.with_certificate(&certificate)?;
            let (key, scopes) = (Arc::new(key), usual(scopes));
            Box::new(auth::PrivateKeyJwt { endpoint, client_id, key, scopes, dpop: None })
        }
        (Some(endpoint), Credentials::ClientCredentials { client_id, client_secret, scopes }) => {
            let scopes = usual(scopes);
            Box::new(auth::ClientCredentials { endpoint, client_id, client_secret, scopes })
        }
        (Some(endpoint), Credentials::FederatedToken { client_id, assertion, scopes }) => {
            let scopes = usual(scopes);
            Box::new(auth::FederatedToken { endpoint, client_id, assertion, scopes })
        }
        (_, Credentials::Static { token }) => Box::new(auth::StaticToken { token }),
        (_, other) => {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("Microsoft 365 has no sign-in method {}", other.method()),
            )
            .with_hint(
                "use private_key_jwt (recommended), federated_token, client_credentials or static",
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_a_guid_or_a_domain() {
        for account in
            ["5e1ab000-0000-4000-8000-00000000da7a", "acme.onmicrosoft.com", "a-b.example"]
        {
            assert!(is_directory(account), "{account}");
        }
        for account in
            ["", "common", "organizations", "..", "../x.example", "a.example/b", "a..b", "a.b?c"]
        {
            assert!(!is_directory(account), "{account}");
        }
    }
}
