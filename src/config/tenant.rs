//! `[[tenant]]`: one customer account on a platform, and how to sign in to it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};
use grantwarden_kit::{
    auth::Credentials,
    connector::{Connector, TenantConfig},
    error::{Error, ErrorKind},
    manifest::Bucket,
    memory::Memory,
    secret::SecretRef,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;
use crate::registry;

/// One customer account on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantEntry {
    /// The user's name for it; unique in the configuration.
    pub name: String,
    /// Platform id: `salesforce`.
    pub platform: String,
    /// Where its API is. A token goes to no other host.
    pub base_url: Url,
    /// The token endpoint (RFC 6749 section 3.2), where it is not the platform's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<Url>,
    /// `aud` of assertions (RFC 7523 section 3), where it is not the platform's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Further addresses that may get a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Url>,
    /// A PEM file with certificate authorities to trust besides the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authorities: Option<PathBuf>,
    /// The platform's own id of the account, where signing in or asking takes one: a directory's GUID, a customer id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How to sign in.
    pub auth: Auth,
    /// Files that an administrator exported by hand because no interface tells what is in them, by facet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub import: BTreeMap<String, PathBuf>,
    /// Facets not to look at. They are listed as not seen, and do not make a scan incomplete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// Facets that are read only if they are asked for, because of what that costs or changes; the connector's page says which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Pacing that differs from the connector's own, by bucket name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub buckets: BTreeMap<String, Bucket>,
    /// The share of the tenant's API quota, in percent, that a scan leaves untouched. Default 10.
    #[serde(default = "default_keep_quota_percent")]
    pub keep_quota_percent: u8,
}

const fn default_keep_quota_percent() -> u8 {
    10
}

/// How to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// RFC 7523 section 2.1: an assertion about a user, signed with the app's key.
    JwtBearer {
        /// The client identifier.
        client_id: String,
        /// The user to act as.
        username: String,
        /// RSA private key in PEM form.
        private_key: SecretRef,
        /// `kid` header of the assertion.
        #[serde(default)]
        key_id: Option<String>,
    },
    /// RFC 6749 section 4.4 with a shared secret.
    ClientCredentials {
        /// The client identifier.
        client_id: String,
        /// The client secret.
        client_secret: SecretRef,
        /// Scopes to ask for.
        #[serde(default)]
        scopes: Vec<String>,
    },
    /// RFC 6749 section 4.4, the client authenticated by a signed assertion (RFC 7523 section 2.2).
    PrivateKeyJwt {
        /// The client identifier.
        client_id: String,
        /// RSA private key, or one on P-256 or P-384, in PEM form.
        private_key: SecretRef,
        /// `kid` header of the assertion.
        #[serde(default)]
        key_id: Option<String>,
        /// The key's X.509 certificate in PEM form, for platforms that want it named (Entra ID).
        #[serde(default)]
        certificate: Option<PathBuf>,
        /// Scopes to ask for.
        #[serde(default)]
        scopes: Vec<String>,
    },
    /// RFC 6749 section 4.4, the client authenticated by a token that another issuer gave this workload (RFC 7523 section 2.2).
    FederatedToken {
        /// The client identifier.
        client_id: String,
        /// That token; read at each sign-in, because such tokens are short-lived and replaced in place.
        assertion: SecretRef,
        /// Scopes to ask for.
        #[serde(default)]
        scopes: Vec<String>,
    },
    /// A Google service account.
    ServiceAccount {
        /// Its key file (JSON).
        key: SecretRef,
        /// The administrator to act as, by domain-wide delegation. Without one the service account acts as itself.
        #[serde(default)]
        subject: Option<String>,
    },
    /// A GitHub App's key.
    GithubApp {
        /// The app's client identifier (`Iv…`), or its number.
        client_id: String,
        /// RSA private key in PEM form, as the app's settings page hands it out.
        private_key: SecretRef,
    },
    /// A token that somebody made by hand. It cannot be renewed.
    Static {
        /// The access token.
        token: SecretRef,
    },
}

impl TenantEntry {
    /// The connector for the tenant's platform.
    ///
    /// # Errors
    /// If this build has none; also if the tenant names a facet or a bucket that the connector does not have, or lacks its `account`.
    pub fn connector(&self) -> Result<&'static dyn Connector, ConfigError> {
        let connector = registry::find(&self.platform).ok_or_else(|| {
            self.wrong(format!(
                "there is no platform `{}`; this build has {}",
                self.platform,
                registry::platforms().join(", ")
            ))
        })?;
        let manifest = connector.manifest();
        if let Some(unknown) = self.skip.iter().find(|facet| manifest.facet(facet).is_none()) {
            let known: Vec<&str> = manifest.facets.iter().map(|facet| facet.id.as_str()).collect();
            return Err(self.wrong(format!(
                "`skip` names `{unknown}`, which {} does not have; it has {}",
                manifest.name,
                known.join(", ")
            )));
        }
        let opt_in: Vec<&str> = manifest
            .facets
            .iter()
            .filter(|facet| facet.opt_in.is_some())
            .map(|facet| facet.id.as_str())
            .collect();
        if let Some(unknown) = self.include.iter().find(|facet| !opt_in.contains(&facet.as_str())) {
            let known = if opt_in.is_empty() { "nothing".to_owned() } else { opt_in.join(", ") };
            return Err(self.wrong(format!(
                "`include` names `{unknown}`; what {} reads only if asked is {known}",
                manifest.name
            )));
        }
        if let Some(both) = self.include.iter().find(|facet| self.skip.contains(facet)) {
            return Err(self.wrong(format!("`{both}` stands in `skip` and in `include`")));
        }
        match (&manifest.account, &self.account) {
            (None, Some(_)) => {
                return Err(self.wrong(format!(
                    "{} is found by base_url; it takes no `account`",
                    manifest.name
                )));
            }
            (Some(account), None) if account.required => {
                return Err(self.wrong(format!(
                    "{} needs `account`: {}, for example \"{}\"",
                    manifest.name, account.meaning, account.example
                )));
            }
            _ => {}
        }
        if let Some(unknown) = self
            .import
            .keys()
            .find(|facet| manifest.facet(facet).is_none_or(|facet| facet.import.is_none()))
        {
            let known: Vec<&str> = manifest
                .facets
                .iter()
                .filter(|facet| facet.import.is_some())
                .map(|facet| facet.id.as_str())
                .collect();
            let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            return Err(self.wrong(format!(
                "`import` names `{unknown}`; of {} one can import {known}",
                manifest.name
            )));
        }
        if let Some(unknown) =
            self.buckets.keys().find(|name| !manifest.buckets.contains_key(*name))
        {
            let known: Vec<&str> = manifest.buckets.keys().map(String::as_str).collect();
            return Err(self.wrong(format!(
                "`buckets` names `{unknown}`, which {} does not have; it has {}",
                manifest.name,
                known.join(", ")
            )));
        }
        let urls = [Some(&self.base_url), self.token_url.as_ref()]
            .into_iter()
            .flatten()
            .chain(&self.hosts);
        if urls.clone().any(|url| !url.username().is_empty() || url.password().is_some()) {
            return Err(self.wrong(
                "an address must not hold a user name or a password; `auth` says how to sign in"
                    .to_owned(),
            ));
        }
        if self.base_url.path() != "/" || self.base_url.query().is_some() {
            return Err(self.wrong(format!(
                "base_url is the address of the API's host, without a path: {}",
                self.base_url.origin().ascii_serialization()
            )));
        }
        if self.keep_quota_percent > 100 {
            return Err(self.wrong("keep_quota_percent is a share: 0 to 100".to_owned()));
        }
        Ok(connector)
    }

    /// The tenant with its secrets fetched.
    ///
    /// # Errors
    /// If a secret or the file of certificate authorities cannot be read.
    pub async fn resolve(&self, memory: Option<Memory>) -> Result<TenantConfig, Error> {
        let place = |error: Error| error.at(&self.name, &self.platform, "configuration");
        let certificate_authorities = match &self.certificate_authorities {
            None => None,
            Some(path) => Some(read("certificate_authorities", path).await.map_err(place)?),
        };
        let mut imports = BTreeMap::new();
        for (facet, path) in &self.import {
            let content = read(&format!("import.{facet}"), path).await.map_err(place)?;
            imports.insert(facet.clone(), content);
        }
        Ok(TenantConfig {
            name: self.name.clone(),
            base_url: self.base_url.clone(),
            token_url: self.token_url.clone(),
            audience: self.audience.clone(),
            hosts: self.hosts.clone(),
            certificate_authorities,
            account: self.account.clone(),
            credentials: self.auth.resolve().await.map_err(place)?,
            imports,
            memory,
            skip: self.unseen(),
            buckets: self.buckets.clone(),
            keep_quota_percent: self.keep_quota_percent,
        })
    }

    /// Where the tenant is, as 64 hexadecimal digits: SHA-256 over platform, `base_url` and `account`. Two entries with the same one are
    /// about the same account, whatever their names and whatever they sign in with.
    pub fn source(&self) -> String {
        let account = self.account.as_deref().map_or_else(String::new, |id| format!("={id}"));
        let mut digest = Context::new(&SHA256);
        for part in [self.platform.as_str(), self.base_url.as_str(), &account] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The facets not to look at: those given up, and those that are read only if asked for and were not.
    pub fn unseen(&self) -> Vec<String> {
        let manifest = registry::find(&self.platform).map(Connector::manifest);
        let not_asked = manifest
            .into_iter()
            .flat_map(|manifest| &manifest.facets)
            .filter(|facet| facet.opt_in.is_some() && !self.include.contains(&facet.id))
            .map(|facet| facet.id.clone());
        self.skip.iter().cloned().chain(not_asked).collect()
    }

    fn wrong(&self, message: String) -> ConfigError {
        ConfigError::Tenant { tenant: self.name.clone(), message }
    }
}

impl Auth {
    async fn resolve(&self) -> Result<Credentials, Error> {
        Ok(match self.clone() {
            Self::JwtBearer { client_id, username, private_key, key_id } => {
                Credentials::JwtBearer {
                    client_id,
                    username,
                    private_key: private_key.fetch().await?,
                    key_id,
                }
            }
            Self::ClientCredentials { client_id, client_secret, scopes } => {
                Credentials::ClientCredentials {
                    client_id,
                    client_secret: client_secret.fetch().await?,
                    scopes,
                }
            }
            Self::PrivateKeyJwt { client_id, private_key, key_id, certificate, scopes } => {
                Credentials::PrivateKeyJwt {
                    client_id,
                    private_key: private_key.fetch().await?,
                    key_id,
                    certificate: match certificate {
                        None => None,
                        Some(path) => Some(read("certificate", &path).await?),
                    },
                    scopes,
                }
            }
            Self::FederatedToken { client_id, assertion, scopes } => {
                Credentials::FederatedToken { client_id, assertion, scopes }
            }
            Self::ServiceAccount { key, subject } => {
                Credentials::ServiceAccount { key: key.fetch().await?, subject }
            }
            Self::GithubApp { client_id, private_key } => {
                Credentials::GithubApp { client_id, private_key: private_key.fetch().await? }
            }
            Self::Static { token } => Credentials::Static { token: token.fetch().await? },
        })
    }
}

/// Reads a file that the configuration names.
async fn read(setting: &str, path: &Path) -> Result<Vec<u8>, Error> {
    tokio::fs::read(path).await.map_err(|error| {
        let message = format!("cannot read {setting} from {}", path.display());
        Error::new(ErrorKind::Configuration, message).with_source(error)
    })
}
