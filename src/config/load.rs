//! Reads the configuration file. Its errors name line and column and never repeat the line: it may hold a secret that should not
//! be there.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{Config, Places, notify};
use crate::{
    position::Lines,
    vendors::{Register, RegisterError},
};

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The policy's own file cannot be read.
    #[error("cannot read the policy {}", path.display())]
    ReadPolicy {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A tenant's settings do not fit together.
    #[error("tenant `{tenant}`: {message}")]
    Tenant {
        /// Its name.
        tenant: String,
        /// What is wrong.
        message: String,
    },
    /// The vendor register is not what it should be.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

/// Reads and checks a configuration file, and the vendor register that it names.
///
/// # Errors
/// [`ConfigError`].
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let mut config = parse(path, &text)?;
    if let Some(register) = config.vendors.as_ref().map(|vendors| &vendors.register) {
        let folder = path.parent().unwrap_or(Path::new(""));
        config.register = Some(Register::load(&folder.join(register))?);
    }
    Ok(config)
}

/// Checks the text of a configuration file.
///
/// # Errors
/// [`ConfigError`].
pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let mut config: Config =
        toml::from_str(text).map_err(|error| wrong_toml(path, text, &error))?;
    if let Some(advisories) = &mut config.advisories {
        advisories.start_at(path);
    }
    if let Some(store) = &mut config.store {
        if store.file.is_some() && store.url.is_some() {
            let at = text.find("[store]").unwrap_or_default();
            return Err(wrong(
                path,
                text,
                at,
                "`[store]` names a file and a url; scans are remembered in one place",
            ));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        store.file = store.file.take().map(|file| folder.join(file));
    }
    let mut names = BTreeSet::new();
    for tenant in &config.tenants {
        if tenant.name.trim().is_empty() {
            return Err(ConfigError::Tenant {
                tenant: tenant.name.clone(),
                message: "a tenant needs a name".to_owned(),
            });
        }
        if !names.insert(tenant.name.as_str()) {
            return Err(ConfigError::Tenant {
                tenant: tenant.name.clone(),
                message: "two tenants have this name".to_owned(),
            });
        }
        tenant.connector()?;
    }
    notify::check(path, text, &config.channels, &config.tenants)?;
    config.read_policy(path, text)?;
    config.places = Places::of(path, text);
    Ok(config)
}

/// What TOML or its types say, with its place. The line itself is not repeated.
pub(super) fn wrong_toml(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    wrong(path, text, error.span().map_or(0, |span| span.start), error.message())
}

/// An error at a byte offset of a file.
pub(super) fn wrong(path: &Path, text: &str, offset: usize, message: &str) -> ConfigError {
    let (line, column) = Lines::of(text).position(offset);
    ConfigError::Parse { path: path.to_owned(), line, column, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[tenant]]
name = "acme-crm"
platform = "salesforce"
base_url = "https://acme.my.salesforce.com"
auth = { method = "jwt_bearer", client_id = "3MVG", username = "a@b.example", private_key = { file = "/run/key.pem" } }
[policy]
fail_on = "high"
"#;

    fn error(text: &str) -> String {
        parse(Path::new("g.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn reads_the_documented_form() {
        let config = parse(Path::new("g.toml"), GOOD).unwrap();
        assert_eq!(config.tenants[0].keep_quota_percent, 10);
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_place() {
        let message = error(&GOOD.replace("base_url", "base_ulr"));
        assert!(message.starts_with("g.toml:5:1: unknown field `base_ulr`"), "{message}");
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        let message = error(&GOOD.replace("{ file = \"/run/key.pem\" }", "\"FAKE-hunter2\""));
        assert!(message.contains("must not stand in the configuration"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn names_platforms_facets_and_rules_are_checked() {
        for url in [
            "https://user:FAKE-hunter2@acme.my.salesforce.com",
            "https://acme.my.salesforce.com/setup",
        ] {
            let message = error(&GOOD.replace("https://acme.my.salesforce.com", url));
            assert!(
                message.contains("tenant `acme-crm`") && !message.contains("hunter2"),
                "{message}"
            );
        }
        assert!(
            error(&format!("{GOOD}{GOOD}").replacen("[policy]\nfail_on = \"high\"\n", "", 1))
                .contains("two tenants")
        );
        assert!(error(&GOOD.replace("\"salesforce\"", "\"salesfarce\"")).contains(
            "this build has github, google-workspace, microsoft-365, okta, salesforce, slack"
        ));
        assert!(
            error(&GOOD.replace("[policy]", "skip = ['grantz']\n[policy]"))
                .contains("`skip` names `grantz`")
        );
        assert!(
            error(&GOOD.replace("[policy]", "include = ['grants']\n[policy]"))
                .contains("what Salesforce reads only if asked is nothing")
        );
        let slack = GOOD.replace("\"salesforce\"", "\"slack\"");
        let twice = "include = ['approvals']\nskip = ['approvals']\n[policy]";
        assert!(error(&slack.replace("[policy]", twice)).contains("in `skip` and in `include`"));
        assert!(
            error(&GOOD.replace("fail_on = \"high\"", "rules.drift.severity = 'off'"))
                .starts_with("g.toml:8:7: there is no rule `drift`; did you mean `drift-pattern`?")
        );
    }
}
