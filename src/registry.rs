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
    CONNECTORS
        .iter()
        .map(|connector| {
            let platform = connector.manifest().id.as_str();
            Catalog::parse(platform, connector.scopes()).map(|catalog| (platform, catalog))
        })
        .collect()
}
