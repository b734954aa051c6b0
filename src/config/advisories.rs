//! `[advisories]`: the user's own advisories.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Advisories besides those that are built in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvisoryFiles {
    /// Files, from the folder of the configuration file. One with the id of a built-in advisory stands for it.
    pub files: Vec<PathBuf>,
}

impl AdvisoryFiles {
    /// The files from where the program runs.
    pub(super) fn start_at(&mut self, configuration: &Path) {
        let folder = configuration.parent().unwrap_or(Path::new(""));
        for file in &mut self.files {
            *file = folder.join(&*file);
        }
    }
}
