//! The connectors in this build, one line each.

use std::collections::BTreeMap;

use grantwarden_kit::connector::Connector;

use crate::scopes::{Catalog, CatalogError};

/// Every connector, in alphabetical order of its platform's id.
pub static CONNECTORS: &[&dyn Connector] = &[
    &grantwarden_github::GITHUB,
    &grantwarden_google_workspace::GoogleWorkspace,
    &grantwarden_microsoft_365::Microsoft365,
    &grantwarden_okta::Okta,
    &grantwarden_salesforce::Salesforce,
    &grantwarden_slack::Slack,
];

/// The connector for a platform.
pub fn find(platform: &str) -> Option<&'static dyn Connector> {
    CONNECTORS.iter().copied().find(|connector| connector.manifest().id == platform)
}

/// The platform ids, in order.
pub fn platforms() -> Vec<&'static str> {
    CONNECTORS.iter().map(|connector| connector.manifest().id.as_str()).collect()
}

/// The scope catalogs of all platforms, by platform id.
///
/// # Errors
/// Never in a build whose tests passed: the catalogs are compiled in.
pub fn catalogs() -> Result<BTreeMap<&'static str, Catalog>, CatalogError> {
    CONNECTORS.iter().map(|connector| catalog(*connector)).collect()
}

/// The scope catalog of one platform, with the platform's id.
///
/// # Errors
/// As [`catalogs`].
pub fn catalog(connector: &'static dyn Connector) -> Result<(&'static str, Catalog), CatalogError> {
    let platform = connector.manifest().id.as_str();
    Ok((platform, Catalog::parse(platform, connector.scopes())?))
}
