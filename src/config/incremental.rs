//! `[incremental]`: what is remembered from scan to scan, so that the next one asks for less.

use std::path::PathBuf;

use grantwarden_kit::memory::Memory;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TenantEntry;

/// Where scans remember what they read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Incremental {
    /// A folder that is there, for the scanner's user only: what it holds tells who uses what. No secret is written to it.
    pub folder: PathBuf,
}

impl Incremental {
    /// What is remembered of a tenant.
    pub fn memory(&self, tenant: &TenantEntry) -> Memory {
        Memory::at(self.folder.join(format!("{}.memory", file_name(&tenant.name))))
    }
}

/// A name that is a file name everywhere, and another for every other name.
fn file_name(name: &str) -> String {
    let mut file = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' {
            file.push(char::from(byte));
        } else {
            file.push_str(&format!("_{byte:02x}"));
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_never_share_a_file() {
        assert_eq!(file_name("acme-crm"), "acme-crm");
        assert_eq!(file_name("../Acme"), "_2e_2e_2f_41cme");
        assert_ne!(file_name("Acme"), file_name("acme"));
    }
}
