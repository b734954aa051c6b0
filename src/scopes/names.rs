//! [`Names`]: from the resource and the name of a scope to its place in the catalog.
//!
//! It never answers for one resource with what another one calls the same.

use std::{borrow::Cow, collections::BTreeMap};

/// The places of scopes by resource and name.
#[derive(Debug)]
pub(super) struct Names {
    ignore_case: bool,
    /// Which of the tables is of this resource.
    resources: BTreeMap<String, usize>,
    /// Place by name; the first table is that of the default resource, and the only one of a platform that names no resources.
    tables: Vec<BTreeMap<String, usize>>,
}

impl Names {
    /// No names yet, of these resources; the default one comes first.
    pub(super) fn new(ignore_case: bool, resources: Vec<String>) -> Self {
        let tables = vec![BTreeMap::new(); resources.len().max(1)];
        let resources = resources.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
        Self { ignore_case, resources, tables }
    }

    /// Whether there is such a resource.
    pub(super) fn has(&self, resource: &str) -> bool {
        self.resources.contains_key(resource)
    }

    /// Adds a name, unless there is one already. Whether it was added.
    pub(super) fn add(&mut self, resource: Option<&str>, name: &str, place: usize) -> bool {
        let key = self.key(name).into_owned();
        let Some(table) = self.table(resource).and_then(|at| self.tables.get_mut(at)) else {
            return false;
        };
        let added = !table.contains_key(&key);
        table.entry(key).or_insert(place);
        added
    }

    /// The place of a scope of that resource, or of the default one.
    pub(super) fn find(&self, resource: Option<&str>, name: &str) -> Option<usize> {
        let table = self.table(resource).and_then(|at| self.tables.get(at))?;
        table.get(&*self.key(name)).copied()
    }

    /// The places of the scopes of that name, whatever their resource.
    pub(super) fn find_everywhere(&self, name: &str) -> impl Iterator<Item = usize> {
        let key = self.key(name).into_owned();
        self.tables.iter().filter_map(move |table| table.get(&key).copied())
    }

    fn table(&self, resource: Option<&str>) -> Option<usize> {
        resource.map_or(Some(0), |resource| self.resources.get(resource).copied())
    }

    fn key<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.ignore_case { Cow::Owned(name.to_lowercase()) } else { Cow::Borrowed(name) }
    }
}
