//! [`About`]: what a finding is about, as far as exceptions ask: whose app, in which tenant, with which scopes.

use std::collections::BTreeSet;

use grantwarden_kit::model::{App, Grant, Observed, Scope};

/// What a finding or a setting is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The user's name for the tenant; none for a vendor as a whole.
    pub tenant: Option<&'a str>,
    /// Platform id; none for a vendor as a whole.
    pub platform: Option<&'a str>,
    /// [`App::id`] of the app concerned, also where its record is missing.
    pub app_id: Option<&'a str>,
    /// The app's record.
    pub app: Option<&'a App>,
    /// The grant concerned.
    pub grant: Option<&'a Grant>,
    /// The vendor that the app is thought to be of.
    pub vendor: Option<&'a str>,
    /// Whether that rests on more than what anybody could have written.
    pub vendor_is_sure: bool,
}

/// The scopes behind a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// What is judged has no scopes: a tenant, a vendor.
    None,
    /// These, or at most these.
    Known(BTreeSet<String>),
    /// They are not visible.
    Hidden,
}

/// The setting of a grant that says how far its scopes reach: wider is more, as a further scope is.
const EXTENT: &str = "Repository access";

/// Its values that are as narrow as can be.
const NARROW: [&str; 2] = ["selected repositories", "no repository"];

impl About<'_> {
    /// The scopes that the grant has, at most those of its app's registration; of an app or a credential the registration's.
    pub fn held(&self) -> Held {
        let mut held = self.held_scopes();
        if let (Held::Known(names), Some(grant)) = (&mut held, self.grant) {
            for setting in grant.settings.iter().filter(|setting| setting.name == EXTENT) {
                match &setting.value {
                    Observed::Known(value) if NARROW.contains(&value.as_str()) => {}
                    Observed::Known(value) => drop(names.insert(format!("{EXTENT}: {value}"))),
                    Observed::Absent => {}
                    Observed::Unknown(_) => return Held::Hidden,
                }
            }
        }
        held
    }

    fn held_scopes(&self) -> Held {
        let of_app = self.app.map(|app| &app.scopes);
        match (self.grant.map(|grant| &grant.scopes), of_app) {
            (Some(Observed::Known(scopes)), _)
            | (Some(Observed::Unknown(_)) | None, Some(Observed::Known(scopes))) => {
                Held::Known(scopes.iter().map(scope).collect())
            }
            (Some(Observed::Absent), _) | (None, Some(Observed::Absent)) => {
                Held::Known(BTreeSet::new())
            }
            (Some(Observed::Unknown(_)), _) | (None, Some(Observed::Unknown(_))) => Held::Hidden,
            (None, None) if self.app_id.is_some() => Held::Hidden,
            (None, None) => Held::None,
        }
    }

    /// Whether the app has this id or client id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        let client_ids = self.app.and_then(|app| app.client_ids.known());
        self.app_id == Some(id) || client_ids.is_some_and(|ids| ids.iter().any(|other| other == id))
    }
}

/// A scope as policies and baselines write it; of a platform with several resources `Mail.Read of Microsoft Graph`.
fn scope(scope: &Scope) -> String {
    match &scope.resource {
        None => scope.name.clone(),
        Some(resource) => format!("{} of {resource}", scope.name),
    }
}
