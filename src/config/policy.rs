//! `[policy]`, or the file that it names, or the file of `--policy`: all read the same way.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use grantwarden_kit::model::Timestamp;

use super::{Config, ConfigError, load::wrong, load::wrong_toml};
use crate::{
    policy::{Known, KnownRule, Policy, PolicyError, custom},
    registry, rules, vendors,
};

/// The text of a policy, for errors that show only later: of a waiver's end, when the time to judge by is known.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PolicyText {
    path: PathBuf,
    text: String,
}

/// Without the text: it may hold a secret that should not be there.
impl fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyText").field("path", &self.path).finish_non_exhaustive()
    }
}

impl PolicyText {
    fn wrong(&self, error: &PolicyError) -> ConfigError {
        wrong(&self.path, &self.text, error.offset, &error.message)
    }
}

impl Config {
    /// Checks the policy of a configuration file, or the file that it names.
    pub(super) fn read_policy(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let Some(file) = self.policy.file.clone() else {
            self.policy_text = PolicyText { path: path.to_owned(), text: text.to_owned() };
            return self.check_policy();
        };
        if keys_of_policy(text) > 1 {
            let message = "`file` stands alone in [policy]: put everything else into that file";
            return Err(wrong(path, text, file.offset, message));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        self.replace_policy(&folder.join(&*file))
    }

    /// Puts the policy of a file in place of the configuration's.
    ///
    /// # Errors
    /// If the file cannot be read, or is not what it should be.
    pub fn replace_policy(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::ReadPolicy { path: path.to_owned(), source })?;
        self.policy = toml::from_str(&text).map_err(|error| wrong_toml(path, &text, &error))?;
        if let Some(file) = &self.policy.file {
            let message = "a policy in its own file cannot name another one";
            return Err(wrong(path, &text, file.offset, message));
        }
        self.policy_text = PolicyText { path: path.to_owned(), text };
        self.check_policy()
    }

    /// Refuses waivers that end too far ahead of the time that is judged by.
    ///
    /// # Errors
    /// The first such waiver.
    pub fn check_policy_at(&self, now: Timestamp) -> Result<(), ConfigError> {
        self.policy.check_ends(now).map_err(|error| self.policy_text.wrong(&error))
    }

    fn check_policy(&mut self) -> Result<(), ConfigError> {
        let policy = std::mem::take::<Policy>(&mut self.policy);
        custom::compile(&policy.custom, &rules::ids())
            .map_err(|error| self.policy_text.wrong(&error))?;
        let own: Vec<String> = policy.custom.iter().map(|rule| rule.id.clone()).collect();
        let own = own.iter().map(|id| KnownRule { id, parameters: &[] });
        let known = Known {
            rules: rules::known().into_iter().chain(own).collect(),
            platforms: registry::platforms(),
            purposes: Some(vendors::classes().iter().map(|class| class.id.as_str()).collect()),
        };
        self.policy = policy.checked(&known).map_err(|error| self.policy_text.wrong(&error))?;
        Ok(())
    }
}

/// How many keys stand in `[policy]`.
fn keys_of_policy(text: &str) -> usize {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    table.get("policy").and_then(toml::Value::as_table).map_or(0, toml::Table::len)
}
