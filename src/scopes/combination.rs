//! [`Combination`]: scopes that are more together than each for itself, as data of a catalog.
//!
//! Few, and each with a source: what merely adds up is no combination.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Access, DataClass, Escalation, Kind, Names, Reach, ScopeEntry, file::no_escalation};

/// Scopes that together allow more than each for itself, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CombinationEntry {
    /// Two or more, of one resource.
    scopes: Vec<String>,
    resource: Option<String>,
    /// The kinds in which they add up; none where it is so in each.
    #[serde(default)]
    kinds: Vec<Kind>,
    access: Access,
    reach: Reach,
    data: DataClass,
    harm_if_read: u8,
    harm_if_changed: u8,
    #[serde(default = "no_escalation")]
    escalation: Escalation,
    meaning: String,
    source: String,
    checked: Option<String>,
}

/// Scopes that together allow more than each for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// What they allow, as if it were one scope; its name is theirs.
    pub entry: ScopeEntry,
    /// The places of the scopes in [`super::Catalog::entries`], in the order of the file.
    pub members: Vec<usize>,
}

impl CombinationEntry {
    /// Finds its scopes.
    pub(super) fn resolve(self, names: &Names) -> Result<Combination, String> {
        let name = self.scopes.join(" + ");
        let find = |scope: &String| {
            names
                .find(self.resource.as_deref(), scope)
                .ok_or_else(|| format!("`{name}` combines `{scope}`, which is not there"))
        };
        let members: Vec<usize> = self.scopes.iter().map(find).collect::<Result<_, _>>()?;
        if members.iter().collect::<BTreeSet<_>>().len() < 2 {
            return Err(format!("`{name}` combines fewer than two scopes"));
        }
        let entry = ScopeEntry {
            name,
            resource: self.resource,
            kinds: self.kinds,
            metadata: None,
            column: None,
            access: self.access,
            reach: self.reach,
            data: self.data,
            harm_if_read: self.harm_if_read,
            harm_if_changed: self.harm_if_changed,
            escalation: self.escalation,
            offline: false,
            sends: false,
            implies: Vec::new(),
            narrower: Vec::new(),
            meaning: self.meaning,
            source: self.source,
            checked: self.checked,
            application: None,
        };
        entry.problem().map_or(Ok(Combination { entry, members }), Err)
    }
}
