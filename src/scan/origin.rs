//! [`Origin`]: the files that a judged inventory comes from, for reports that point at a line.

use std::path::{Path, PathBuf};

use crate::config::{Place, Places};

/// The files that a judged inventory comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    configuration: Option<Places>,
    inventory: Option<PathBuf>,
}

impl Origin {
    /// Names the files. What lies in the folder `here` is named from there.
    pub fn new(configuration: Option<Places>, inventory: Option<&Path>, here: &Path) -> Self {
        let named = |path: &Path| path.strip_prefix(here).unwrap_or(path).to_owned();
        let configuration = configuration.map(|mut places| {
            places.path = named(&places.path);
            places
        });
        Self { configuration, inventory: inventory.map(named) }
    }

    /// Where a reader should look: where the configuration names the tenant; for one that it does not have, the inventory; for what is
    /// in no tenant, the configuration as a whole. None if there is no such file.
    pub fn place_of(&self, tenant: Option<&str>) -> Option<(&Path, Place)> {
        let configuration = self.configuration.as_ref();
        let named = configuration
            .zip(tenant)
            .and_then(|(places, tenant)| Some((places.path.as_path(), places.tenant(tenant)?)));
        let whole = |path| (path, Place::START);
        let inventory = self.inventory.as_deref().map(whole);
        let configuration = configuration.map(|places| whole(places.path.as_path()));
        named.or(if tenant.is_some() {
            inventory.or(configuration)
        } else {
            configuration.or(inventory)
        })
    }
}
