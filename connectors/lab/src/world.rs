//! A world: everything that the lab's tenants hold, as one TOML file or from a generator. Each
//! platform describes its own tenants; this file only gathers them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::github::{self, GithubScale, GithubWorld};
use crate::google_workspace::{self, GoogleScale, GoogleWorld};
use crate::microsoft_365::{self, EntraScale, EntraWorld};
use crate::okta::{self, OktaScale, OktaWorld};
use crate::salesforce::{self, OrgWorld, Scale};
use crate::slack::{self, SlackScale, SlackWorld};

/// Every tenant of a lab.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// Salesforce orgs, `[[salesforce]]` in the file.
    pub salesforce: Vec<OrgWorld>,
    /// Google Workspace customers, `[[google_workspace]]` in the file.
    pub google_workspace: Vec<GoogleWorld>,
    /// Entra directories, `[[microsoft_365]]` in the file.
    pub microsoft_365: Vec<EntraWorld>,
    /// Slack tenants, `[[slack]]` in the file.
    pub slack: Vec<SlackWorld>,
    /// GitHub hosts, `[[github]]` in the file.
    pub github: Vec<GithubWorld>,
    /// Okta orgs, `[[okta]]` in the file.
    pub okta: Vec<OktaWorld>,
}

/// A world that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The file cannot be read.
    #[error("cannot read the world file {path}")]
    Read {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a world; the message has line and column.
    #[error("not a world file")]
    Parse(#[from] toml::de::Error),
}

impl World {
    /// Reads the TOML form.
    ///
    /// # Errors
    /// If the text is not TOML, or has a name that no table knows.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        Ok(toml::from_str(text)?)
    }

    /// Reads a world file.
    ///
    /// # Errors
    /// As [`World::parse`], and if the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, WorldError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| WorldError::Read { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// A world of one org called `generated`, of any size.
    pub fn generate(scale: &Scale) -> Self {
        let mut org = salesforce::bare_org("generated");
        salesforce::grow(&mut org, scale);
        Self { salesforce: vec![org], ..Self::default() }
    }

    /// A world of one Google Workspace customer called `generated`, of any size.
    pub fn generate_google(scale: &GoogleScale) -> Self {
        let mut customer = google_workspace::bare_customer("generated");
        google_workspace::grow(&mut customer, scale);
        Self { google_workspace: vec![customer], ..Self::default() }
    }

    /// Adds generated users, apps and grants to the first Google Workspace customer. Do it once.
    #[must_use]
    pub fn grow_google(mut self, scale: &GoogleScale) -> Self {
        if let Some(customer) = self.google_workspace.first_mut() {
            google_workspace::grow(customer, scale);
        }
        self
    }

    /// A world of one Entra directory called `generated`, of any size.
    pub fn generate_microsoft(scale: &EntraScale) -> Self {
        let mut directory = microsoft_365::bare("generated");
        directory.generated = Some(*scale);
        Self { microsoft_365: vec![directory], ..Self::default() }
    }

    /// Fills the first Entra directory up to the totals of a scale.
    #[must_use]
    pub fn grow_microsoft(mut self, scale: &EntraScale) -> Self {
        if let Some(directory) = self.microsoft_365.first_mut() {
            directory.generated = Some(*scale);
        }
        self
    }

    /// A world of one Slack tenant called `generated`, of the scale's plan and of any size.
    pub fn generate_slack(scale: &SlackScale) -> Self {
        let mut tenant = slack::bare("generated", scale.plan);
        slack::grow(&mut tenant, scale);
        Self { slack: vec![tenant], ..Self::default() }
    }

    /// Adds generated workspaces, users, apps and installs to the first Slack tenant, whose plan stays
    /// what it is. Do it once.
    #[must_use]
    pub fn grow_slack(mut self, scale: &SlackScale) -> Self {
        if let Some(tenant) = self.slack.first_mut() {
            slack::grow(tenant, scale);
        }
        self
    }

    /// A world of one GitHub host called `generated`, of any size.
    pub fn generate_github(scale: &GithubScale) -> Self {
        let mut host = github::bare("generated");
        host.generated = Some(*scale);
        Self { github: vec![host], ..Self::default() }
    }

    /// Adds generated rows to the first GitHub host, when it starts.
    #[must_use]
    pub fn grow_github(mut self, scale: &GithubScale) -> Self {
        if let Some(host) = self.github.first_mut() {
            host.generated = Some(*scale);
        }
        self
    }

    /// A world of one Okta org called `generated`, of any size.
    pub fn generate_okta(scale: &OktaScale) -> Self {
        let mut org = okta::bare("generated");
        org.generated = Some(*scale);
        Self { okta: vec![org], ..Self::default() }
    }

    /// Adds generated users, apps, refresh tokens, grants and API tokens to the first Okta org.
    #[must_use]
    pub fn grow_okta(mut self, scale: &OktaScale) -> Self {
        if let Some(org) = self.okta.first_mut() {
            org.generated = Some(*scale);
        }
        self
    }

    /// Adds generated users, apps and tokens to the first org. Do it once.
    #[must_use]
    pub fn grow(mut self, scale: &Scale) -> Self {
        if let Some(org) = self.salesforce.first_mut() {
            salesforce::grow(org, scale);
        }
        self
    }
}
