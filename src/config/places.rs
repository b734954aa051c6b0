//! [`Places`]: where the tenants stand in the configuration file, for reports that point at a line of it.
//!
//! Only places are kept, never the text: it may hold a secret that should not be there.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::position::Lines;

/// A configuration file, and where its tenants stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The file, as it was named.
    pub path: PathBuf,
    tenants: BTreeMap<String, Place>,
}

/// A piece of a text. All numbers count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line of its first character.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
    /// The line of its last character.
    pub end_line: usize,
    /// The column after its last character.
    pub end_column: usize,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1, end_line: 1, end_column: 2 };
}

/// As much of the configuration as has places.
#[derive(Deserialize)]
struct Outline {
    #[serde(default)]
    tenant: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: toml::Spanned<String>,
}

impl Places {
    /// Finds the names of the tenants in a text that is a proper configuration.
    pub(super) fn of(path: &Path, text: &str) -> Option<Self> {
        let outline: Outline = toml::from_str(text).ok()?;
        let lines = Lines::of(text);
        let tenants = outline.tenant.into_iter().map(|tenant| {
            let span = tenant.name.span();
            let ((line, column), (end_line, end_column)) =
                (lines.position(span.start), lines.position(span.end));
            (tenant.name.into_inner(), Place { line, column, end_line, end_column })
        });
        Some(Self { path: path.to_owned(), tenants: tenants.collect() })
    }

    /// Where the name of a tenant stands.
    pub fn tenant(&self, name: &str) -> Option<Place> {
        self.tenants.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_found_by_its_name() {
        let text = "# ü\n[[tenant]]\nplatform = 'x'\nname = \"one\" # first\n\n[[tenant]]\n  name='zwei'\n";
        let places = Places::of(Path::new("g.toml"), text).unwrap();
        assert_eq!(
            places.tenant("one"),
            Some(Place { line: 4, column: 8, end_line: 4, end_column: 13 })
        );
        assert_eq!(
            places.tenant("zwei"),
            Some(Place { line: 7, column: 8, end_line: 7, end_column: 14 })
        );
        assert_eq!(places.tenant("three"), None);
        assert_eq!(Places::of(Path::new("g.toml"), "no configuration"), None);
    }
}
