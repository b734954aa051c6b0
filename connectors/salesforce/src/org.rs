//! [`Org`]: a signed-in org. Sends SOQL and SOAP, and knows which API version answers.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use grantwarden_kit::{
    auth::{self, Credentials, TokenEndpoint, TokenSource, Tokens},
    connector::{Kit, TenantConfig},
    error::{Error, ErrorKind, Result},
    http::{Authorize, Door, DoorConfig, Limits, Pages, Paging, Reply, Request},
    jwt::SigningKey,
    ledger::Ledger,
    model::{Gap, Reason},
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    MANIFEST,
    api::{ApiVersion, QueryPage, User},
    classify, hints, soql,
};

/// The version that the connector is written for (Winter '26).
const VERSION: &str = "65.0";
/// Production's audience; a sandbox has `https://test.salesforce.com`.
const AUDIENCE: &str = "https://login.salesforce.com";
const SANDBOX_AUDIENCE: &str = "https://test.salesforce.com";
/// Salesforce refuses assertions that are good for longer.
const ASSERTION_LIFE: Duration = Duration::from_secs(180);

/// A signed-in org.
pub(crate) struct Org {
    pub(crate) door: Arc<Door>,
    pub(crate) tokens: Tokens,
    base: Url,
    version: OnceLock<String>,
}

/// Which of the two query resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Data,
    Tooling,
}

/// Where a query books what the org does not tell.
#[derive(Clone, Copy)]
pub(crate) struct Books<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) facet: &'a str,
}

/// A query whose optional columns are left out when the org does not have them.
pub(crate) struct Select<'a> {
    pub(crate) api: Api,
    pub(crate) endpoint: &'static str,
    pub(crate) columns: &'a [&'a str],
    pub(crate) optional: &'a [&'a str],
    /// `FROM` and everything after it.
    pub(crate) from: &'a str,
    /// `None` where a missing column is an answer by itself.
    pub(crate) books: Option<Books<'a>>,
}

impl Org {
    /// Prepares to sign in.
    pub(crate) fn open(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let name = tenant.name.clone();
        Self::open_inner(tenant, kit)
            .map_err(|error| error.at(&name, &MANIFEST.id, "configuration"))
    }

    fn open_inner(tenant: TenantConfig, kit: Kit) -> Result<Self> {
        let mut origins = vec![tenant.base_url.clone()];
        origins.extend(tenant.hosts.iter().cloned());
        let url = match tenant.token_url {
            Some(url) => {
                origins.push(url.clone());
                url
            }
            None => join(&tenant.base_url, "/services/oauth2/token")?,
        };
        let is_sandbox = tenant.base_url.host_str().is_some_and(|host| host.contains(".sandbox."));
        let usual = if is_sandbox { SANDBOX_AUDIENCE } else { AUDIENCE };
        let endpoint = TokenEndpoint {
            url,
            audience: tenant.audience.unwrap_or_else(|| usual.to_owned()),
            assertion_life: ASSERTION_LIFE,
        };
        let mut buckets = MANIFEST.buckets.clone();
        buckets.extend(tenant.buckets);
        let door = Arc::new(Door::new(DoorConfig {
            tenant: tenant.name,
            platform: MANIFEST.id.clone(),
            origins,
            certificate_authorities: tenant.certificate_authorities,
            buckets,
            classify: Arc::new(classify::Salesforce),
            limits: Limits::default(),
            keep_quota_percent: tenant.keep_quota_percent,
            clock: kit.clock,
            cancel: kit.cancel,
        })?);
        let tokens = Tokens::new(source(endpoint, tenant.credentials)?, Arc::clone(&door));
        Ok(Self { door, tokens, base: tenant.base_url, version: OnceLock::new() })
    }

    /// Signs in. The id of the scanner's own user, from the `id` of the token reply: `https://…/id/{organization}/{user}`.
    pub(crate) async fn connect(&self) -> Result<Option<String>> {
        let (token, _) = self.tokens.get().await.map_err(|error| self.explain("sign in", error))?;
        let elsewhere = |url: &Url| url.origin() != self.base.origin();
        let instance = token.reply.extra.get("instance_url").and_then(|url| Url::parse(url).ok());
        if let Some(instance) = instance.filter(elsewhere) {
            // No token goes there unless the configuration names it; My Domain serves the same API.
            tracing::warn!(
                instance_url = instance.origin().ascii_serialization(),
                "The org says that it lives at another address than base_url; the scan stays with base_url."
            );
        }
        let id = token.reply.extra.get("id").and_then(|id| Url::parse(id).ok());
        Ok(id.and_then(|id| id.path_segments()?.next_back().map(ToOwned::to_owned)))
    }

    /// The sign-in name of a user; the id if the org does not tell.
    pub(crate) async fn username(&self, user: Option<&str>) -> String {
        let Some(id) = user else { return "a user whose name the org does not tell".to_owned() };
        let query = format!("SELECT Username FROM User WHERE Id={}", soql::text(id));
        let rows: Result<Vec<User>> = self.rows(Api::Data, "query User", &query).await;
        let name = rows.ok().and_then(|rows| rows.into_iter().next()?.username);
        name.unwrap_or_else(|| id.to_owned())
    }

    /// The API version in use.
    pub(crate) fn version(&self) -> &str {
        self.version.get().map_or(VERSION, String::as_str)
    }

    /// An address below the org's.
    pub(crate) fn url(&self, path: &str) -> Result<Url> {
        join(&self.base, path)
    }

    /// An address below the data resources of the API version.
    pub(crate) fn data(&self, path: &str) -> Result<Url> {
        self.url(&format!("/services/data/v{}/{path}", self.version()))
    }

    /// Sends a request with the org's token.
    pub(crate) async fn send(&self, request: &Request) -> Result<Reply> {
        self.door
            .send(request, Some(&self.tokens as &dyn Authorize))
            .await
            .map_err(|error| self.explain(request.endpoint, error))
    }

    /// Starts a query.
    pub(crate) fn query(&self, api: Api, endpoint: &'static str, soql: &str) -> Result<Pages<'_>> {
        let mut url = self.data(match api {
            Api::Data => "query",
            Api::Tooling => "tooling/query",
        })?;
        url.query_pairs_mut().append_pair("q", soql);
        Ok(Pages::new(
            &self.door,
            &self.tokens,
            Paging::NextUrl(&["nextRecordsUrl"]),
            Request::get(endpoint, url),
        ))
    }

    /// Runs a query to its end, and holds the org to the number of rows that it announced. For listings that are small by nature.
    pub(crate) async fn rows<T: DeserializeOwned>(
        &self,
        api: Api,
        endpoint: &'static str,
        soql: &str,
    ) -> Result<Vec<T>> {
        let (rows, announced) = self.announced_rows(api, endpoint, soql).await?;
        if (rows.len() as u64) < announced {
            let message = format!("the org announced {announced} rows and gave {}", rows.len());
            return Err(self.explain(endpoint, Error::new(ErrorKind::Malformed, message)));
        }
        Ok(rows)
    }

    /// The rows of a query, and how many the org announced.
    pub(crate) async fn announced_rows<T: DeserializeOwned>(
        &self,
        api: Api,
        endpoint: &'static str,
        soql: &str,
    ) -> Result<(Vec<T>, u64)> {
        let mut pages = self.query(api, endpoint, soql)?;
        let (mut rows, mut announced) = (Vec::new(), 0);
        while let Some(page) = self.page(endpoint, &mut pages).await? {
            announced = announced.max(page.total_size);
            rows.extend(page.records);
        }
        Ok((rows, announced))
    }

    /// The next page of a query.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        endpoint: &'static str,
        pages: &mut Pages<'_>,
    ) -> Result<Option<QueryPage<T>>> {
        let page: Option<QueryPage<T>> =
            pages.next().await.map_err(|error| self.explain(endpoint, error))?;
        if page
            .as_ref()
            .is_some_and(|page| page.done == Some(false) && page.next_records_url.is_none())
        {
            let message = "the org says that there is more, and not where";
            return Err(self.explain(endpoint, Error::new(ErrorKind::Malformed, message)));
        }
        Ok(page)
    }

    /// Runs a query, leaving out optional columns that the org does not have; books them as not told.
    pub(crate) async fn select<T: DeserializeOwned>(&self, select: &Select<'_>) -> Result<Vec<T>> {
        let mut optional = select.optional.to_vec();
        loop {
            let columns: Vec<&str> = select.columns.iter().chain(&optional).copied().collect();
            let soql = format!("SELECT {} {}", columns.join(","), select.from);
            match self.rows(select.api, select.endpoint, &soql).await {
                Ok(rows) => return Ok(rows),
                Err(error) => match missing_column(&error, &optional) {
                    Some(at) => {
                        let column = optional.remove(at);
                        if let Some(Books { ledger, facet }) = select.books {
                            let detail =
                                format!("{}: the org has no column {column}", select.endpoint);
                            ledger.lose(Gap::new(Reason::PlatformSilent, facet, detail), None);
                        }
                    }
                    None => return Err(error),
                },
            }
        }
    }

    /// `SELECT COUNT()`; the count is in `totalSize`.
    pub(crate) async fn count(&self, endpoint: &'static str, from: &str) -> Result<u64> {
        let mut pages = self.query(Api::Data, endpoint, &format!("SELECT COUNT() {from}"))?;
        let page: Option<QueryPage<serde_json::Value>> = self.page(endpoint, &mut pages).await?;
        Ok(page.map_or(0, |page| page.total_size))
    }

    /// Takes the newest version that the org has. For an org that does not have [`VERSION`] yet.
    pub(crate) async fn take_older_version(&self) -> Result<()> {
        let request = Request::get("list API versions", self.url("/services/data/")?);
        let versions: Vec<ApiVersion> = self
            .send(&request)
            .await?
            .json()
            .map_err(|error| self.explain(request.endpoint, error))?;
        let newest = versions
            .into_iter()
            .max_by(|a, b| number(&a.version).total_cmp(&number(&b.version)))
            .ok_or_else(|| {
                self.explain(
                    request.endpoint,
                    Error::new(ErrorKind::Malformed, "the org lists no API version"),
                )
            })?;
        // Somebody else settled it first: then it is the same version.
        let _ = self.version.set(newest.version);
        Ok(())
    }

    /// Fills in the place and what to do about it.
    pub(crate) fn explain(&self, endpoint: &str, error: Error) -> Error {
        hints::advise(self.door.place(error, endpoint))
    }
}

fn number(version: &str) -> f64 {
    version.parse().unwrap_or(0.0)
}

fn join(base: &Url, path: &str) -> Result<Url> {
    base.join(path).map_err(|error| {
        Error::new(ErrorKind::Configuration, "base_url cannot be extended").with_source(error)
    })
}

fn source(endpoint: TokenEndpoint, credentials: Credentials) -> Result<Box<dyn TokenSource>> {
    Ok(match credentials {
        Credentials::JwtBearer { client_id, username, private_key, key_id } => {
            let key = Arc::new(SigningKey::from_pem(&private_key, key_id)?);
            let scopes = Vec::new();
            Box::new(auth::JwtBearer { endpoint, client_id, username, key, scopes })
        }
        Credentials::ClientCredentials { client_id, client_secret, scopes } => {
            Box::new(auth::ClientCredentials { endpoint, client_id, client_secret, scopes })
        }
        Credentials::Static { token } => Box::new(auth::StaticToken { token }),
        other => {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("Salesforce has no sign-in method {}", other.method()),
            )
            .with_hint("use jwt_bearer (recommended), client_credentials or static"));
        }
    })
}

/// Which of these columns an `INVALID_FIELD` answer complains of.
///
/// The texts: `No such column 'X' on entity 'Y'`, `Didn't understand relationship 'X' in field path`.
pub(crate) fn missing_column(error: &Error, columns: &[&str]) -> Option<usize> {
    if error.code() != Some("INVALID_FIELD") {
        return None;
    }
    let text = &error.answer.as_ref()?.text;
    let named = ["No such column '", "understand relationship '"]
        .iter()
        .find_map(|lead| text.split(lead).nth(1)?.split('\'').next())?;
    columns.iter().position(|column| {
        *column == named
            || column.split('.').any(|step| step == named || step == format!("{named}__r"))
    })
}
