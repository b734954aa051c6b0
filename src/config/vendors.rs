//! `[vendors]`: what this company knows about its vendors.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What this company knows about its vendors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vendors {
    /// The vendor register, a TOML file; a relative path starts at the folder of the configuration.
    pub register: PathBuf,
}
