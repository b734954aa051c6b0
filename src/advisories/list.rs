//! [`Advisories`]: the built-in ones and the user's own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Advisory, AdvisoryError, built_in};

/// The advisories of a run, by id.
#[derive(Debug, Clone, Default)]
pub struct Advisories {
    by_id: BTreeMap<String, Arc<Advisory>>,
    /// Files of the user's, by id.
    local: BTreeMap<String, PathBuf>,
    /// Ids of built-in ones that a file of the user's stands for.
    replaced: Vec<String>,
}

impl Advisories {
    /// Those that are compiled in.
    ///
    /// # Errors
    /// Never in a build whose tests passed.
    pub fn built_in() -> Result<Self, AdvisoryError> {
        let mut list = Self::default();
        for (name, text) in built_in::FILES {
            let advisory = Advisory::parse(Path::new(name), text)?;
            list.by_id.insert(advisory.id.clone(), Arc::new(advisory));
        }
        Ok(list)
    }

    /// Those that are compiled in, and the user's own; a file with the id of a built-in one stands for it.
    ///
    /// # Errors
    /// If a file cannot be read, is not what it should be, or has the id of another file.
    pub fn load<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Result<Self, AdvisoryError> {
        let mut list = Self::built_in()?;
        for file in files {
            list.add(file.as_ref())?;
        }
        Ok(list)
    }

    fn add(&mut self, path: &Path) -> Result<(), AdvisoryError> {
        let advisory = read(path)?;
        let id = advisory.id.clone();
        if let Some(first) = self.local.insert(id.clone(), path.to_owned()) {
            return Err(AdvisoryError::Twice { id, first, second: path.to_owned() });
        }
        if self.by_id.insert(id.clone(), Arc::new(advisory)).is_some() {
            self.replaced.push(id);
        }
        Ok(())
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Advisory>> {
        self.by_id.values()
    }

    /// The one with this id.
    pub fn find(&self, id: &str) -> Option<&Arc<Advisory>> {
        self.by_id.get(id)
    }

    /// The file of the user's that an advisory comes from.
    pub fn file_of(&self, id: &str) -> Option<&Path> {
        self.local.get(id).map(PathBuf::as_path)
    }

    /// Ids of built-in ones that a file of the user's stands for.
    pub fn replaced(&self) -> &[String] {
        &self.replaced
    }
}

impl FromIterator<Advisory> for Advisories {
    fn from_iter<I: IntoIterator<Item = Advisory>>(advisories: I) -> Self {
        let by_id = advisories
            .into_iter()
            .map(|advisory| (advisory.id.clone(), Arc::new(advisory)))
            .collect();
        Self { by_id, ..Self::default() }
    }
}

/// Reads and checks one file.
///
/// # Errors
/// If it cannot be read or is not what it should be.
pub fn read(path: &Path) -> Result<Advisory, AdvisoryError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| AdvisoryError::Read { path: path.to_owned(), source })?;
    Advisory::parse(path, &text)
}
