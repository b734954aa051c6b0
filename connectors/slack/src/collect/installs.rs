//! What is installed where, by the audit log's account. Each entry only says when something was so; the latest wins, so that the order in
//! which entries come does not matter. It never takes "not in the log" for "not installed".

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    expansions::{self, Expansion, Outcome},
    tables::{ScopeSet, Tables},
};
use crate::api::{AuditApp, Details, Entry};

/// Before anything that a log has.
pub(super) const NEVER: i64 = i64::MIN;

/// One installer's install in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) by: Option<u32>,
    /// Unix seconds.
    pub(super) at: i64,
    /// Number of the scope set.
    pub(super) scopes: u32,
}

/// One app in one place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct InPlace {
    /// When it was last removed from there.
    off_at: i64,
    /// When the organisation's install was last taken away from this workspace.
    extension_off_at: i64,
    /// When the organisation's install was last extended to this workspace, and by whom.
    added: Option<Mark>,
    /// The last change of it that is no install: it was there then, even if the log does not have its install.
    seen: Option<Mark>,
    marks: Vec<Mark>,
}

impl Default for InPlace {
    fn default() -> Self {
        Self { off_at: NEVER, extension_off_at: NEVER, added: None, seen: None, marks: Vec::new() }
    }
}

impl InPlace {
    /// The same with other numbers for people and scope sets; `None` if one has none.
    pub(super) fn renumber(
        self,
        person: impl Fn(u32) -> Option<u32>,
        scopes: impl Fn(u32) -> Option<u32>,
    ) -> Option<Self> {
        let renumber = |mark: Mark| -> Option<Mark> {
            let by = match mark.by {
                Some(by) => Some(person(by)?),
                None => None,
            };
            Some(Mark { by, at: mark.at, scopes: scopes(mark.scopes)? })
        };
        let maybe = |mark: Option<Mark>| match mark {
            Some(mark) => renumber(mark).map(Some),
            None => Some(None),
        };
        let (added, seen) = (maybe(self.added)?, maybe(self.seen)?);
        let marks = self.marks.into_iter().map(renumber).collect::<Option<Vec<Mark>>>()?;
        Some(Self { added, seen, marks, ..self })
    }
}

/// One installer's install that is there, with all that it got since it was last removed.
struct There {
    mark: Mark,
    /// The first of its installs.
    since: i64,
    set: ScopeSet,
    is_extension: bool,
    /// The log has a later change of it and not the install itself.
    is_older_than_log: bool,
}

/// A scope set, or why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeldScopes {
    /// As the log has them.
    Set(ScopeSet),
    /// The log has a change that may or may not be this install's.
    Doubtful {
        /// What is in doubt.
        why: String,
        /// As they were before.
        before: ScopeSet,
    },
}

/// An install that is there, by the log.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) app: u32,
    pub(super) place: u32,
    /// The last time that it was installed.
    pub(super) mark: Mark,
    /// The first time since it was last removed, unix seconds: what was added from then on it still has.
    pub(super) since: i64,
    pub(super) scopes: HeldScopes,
    /// It came with the organisation's install.
    pub(super) is_extension: bool,
    /// What a reader should know besides.
    pub(super) remark: Option<String>,
    /// Who installed it, where no log but an export says so.
    pub(super) told_by: Option<String>,
}

/// All installs.
#[derive(Debug, Default)]
pub(super) struct Installs {
    /// The whole organisation's place.
    organization: Option<u32>,
    places: HashMap<(u32, u32), InPlace>,
    expansions: Vec<Expansion>,
}

/// What an entry was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was understood.
    Fully,
    /// It lacks what it takes to understand it.
    Unreadable,
}

/// The actions that tell what is installed.
pub(super) const ACTIONS: [&str; 12] = [
    "app_installed",
    "app_uninstalled",
    "app_scopes_expanded",
    "org_app_installed",
    "org_app_uninstalled",
    "org_app_workspace_added",
    "org_app_workspace_removed",
    "org_app_upgraded_to_org_install",
    "org_app_future_workspace_install_enabled",
    "org_app_future_workspace_install_disabled",
    "child_app_auto_installed",
    "app_deleted",
];

impl Installs {
    /// No installs yet of an organisation.
    pub(super) fn of(organization: u32) -> Self {
        Self { organization: Some(organization), ..Self::default() }
    }

    /// The apps that the log says anything of.
    pub(super) fn apps(&self) -> HashSet<u32> {
        self.places.keys().map(|(app, _)| *app).collect()
    }

    /// Takes an entry in. `organization` is the number of the whole organisation's place.
    pub(super) fn take(&mut self, tables: &mut Tables, organization: u32, entry: &Entry) -> Taken {
        let at = entry.date_create.0;
        let by = entry.actor.as_ref().and_then(|actor| actor.user.as_ref());
        let by = by.and_then(|user| tables.people.number(user));
        let place = place_of(tables, entry);
        let app = entry.entity.as_ref().and_then(|entity| entity.app.as_ref());
        let id = app.and_then(|app| app.id.as_ref().map(|id| id.0.clone()));
        if entry.action == "app_scopes_expanded" {
            return self.expand(tables, entry, (app, id), (at, by, place));
        }
        let (Some(app), Some(id)) = (app, id) else { return Taken::Unreadable };
        let number = learn(tables, &id, app, entry.details.as_ref(), at);
        let place = match (entry.action.as_str(), place) {
            ("org_app_installed" | "org_app_uninstalled", _) => Some(organization),
            (_, place) => place,
        };
        match entry.action.as_str() {
            "app_installed" | "org_app_installed" | "child_app_auto_installed" => {
                let Some(place) = place else { return Taken::Unreadable };
                let scopes = tables.scopes.number(scopes_of(app, entry.details.as_ref()));
                self.install((number, place), Mark { by, at, scopes });
            }
            "app_uninstalled" | "org_app_uninstalled" => {
                let Some(place) = place else { return Taken::Unreadable };
                let known = self.places.entry((number, place)).or_default();
                known.off_at = known.off_at.max(at);
                if place == organization
                    && let Some(facts) = tables.apps.learn(&id)
                {
                    facts.organization_off_at = facts.organization_off_at.max(at);
                }
            }
            "org_app_workspace_added" => {
                let Some(place) = place else { return Taken::Unreadable };
                let scopes = tables.scopes.number(scopes_of(app, entry.details.as_ref()));
                let known = self.places.entry((number, place)).or_default();
                known.added = later(known.added, Some(Mark { by, at, scopes }));
                self.see((number, organization), Mark { by: None, at, scopes });
            }
            "org_app_workspace_removed" => {
                let Some(place) = place else { return Taken::Unreadable };
                let known = self.places.entry((number, place)).or_default();
                // An install of the workspace's own is not certainly gone with it.
                known.extension_off_at = known.extension_off_at.max(at);
            }
            "app_deleted" => {
                if let Some(facts) = tables.apps.learn(&id) {
                    facts.deleted_at = facts.deleted_at.max(at);
                }
            }
            "org_app_upgraded_to_org_install" => {
                if let Some(facts) = tables.apps.learn(&id) {
                    facts.learn_upgrade(at);
                }
                // The organisation's own install may have no entry besides.
                let scopes = tables.scopes.number(scopes_of(app, entry.details.as_ref()));
                self.install((number, organization), Mark { by, at, scopes });
            }
            "org_app_future_workspace_install_enabled" => {
                let scopes = tables.scopes.number(scopes_of(app, entry.details.as_ref()));
                self.see((number, organization), Mark { by: None, at, scopes });
                self.switch(tables, &id, at, true);
            }
            "org_app_future_workspace_install_disabled" => {
                self.switch(tables, &id, at, false);
            }
            // Some other entry of an app: it was only to be learned from.
            _ => {}
        }
        Taken::Fully
    }

    fn switch(&mut self, tables: &mut Tables, id: &str, at: i64, is_on: bool) {
        if let Some(facts) = tables.apps.learn(id) {
            facts.future_installs.learn(at, Some(is_on));
        }
    }

    /// Books an install.
    fn install(&mut self, key: (u32, u32), mark: Mark) {
        let known = self.places.entry(key).or_default();
        if !known.marks.contains(&mark) {
            known.marks.push(mark);
        }
    }

    /// Books that something was there.
    fn see(&mut self, key: (u32, u32), mark: Mark) {
        let known = self.places.entry(key).or_default();
        known.seen = later(known.seen, Some(mark));
    }

    /// Adds what was remembered of a place.
    pub(super) fn merge(&mut self, key: (u32, u32), state: InPlace) {
        for mark in state.marks {
            self.install(key, mark);
        }
        let known = self.places.entry(key).or_default();
        known.off_at = known.off_at.max(state.off_at);
        known.extension_off_at = known.extension_off_at.max(state.extension_off_at);
        known.added = later(known.added, state.added);
        known.seen = later(known.seen, state.seen);
    }

    fn expand(
        &mut self,
        tables: &mut Tables,
        entry: &Entry,
        (app, id): (Option<&AuditApp>, Option<String>),
        (at, by, place): (i64, Option<u32>, Option<u32>),
    ) -> Taken {
        let details = entry.details.as_ref();
        let Some(new) = details.and_then(|details| details.new_scopes.clone()) else {
            return Taken::Unreadable;
        };
        let Some(place) = place else { return Taken::Unreadable };
        let split = app.map(scope_set);
        let app = app.zip(id).map(|(app, id)| learn(tables, &id, app, details, at));
        if let Some(app) = app {
            let scopes = tables.scopes.number(split.clone().unwrap_or(ScopeSet::Untold));
            self.see((app, place), Mark { by: None, at, scopes });
        }
        let previous = details.and_then(|details| details.previous_scopes.clone());
        self.expansions.push(Expansion { app, split, place, by, at, new, previous });
        Taken::Fully
    }

    /// Whether the log has an install of an app in a place that is there, or a removal after which there was none.
    pub(super) fn knows(&self, tables: &Tables, app: u32, place: u32) -> Option<bool> {
        let known = self.places.get(&(app, place))?;
        if !self.marks(tables, (app, place), known).is_empty() {
            return Some(true);
        }
        self.removed_at(tables, app, place).map(|_| false)
    }

    /// When an app was last removed from a place, by the log.
    pub(super) fn removed_at(&self, tables: &Tables, app: u32, place: u32) -> Option<i64> {
        let known = self.places.get(&(app, place))?;
        let facts = tables.apps.get(app)?;
        let is_only_removed = known.marks.is_empty() && known.extension_off_at > NEVER;
        let was_extension = known.added.is_some()
            || is_only_removed
            || known.marks.iter().any(|mark| facts.upgraded_after(mark.at).is_some());
        let with_organization =
            [facts.organization_off_at, known.extension_off_at].into_iter().max();
        let extension = with_organization.filter(|_| was_extension).unwrap_or(NEVER);
        let at = known.off_at.max(facts.deleted_at).max(extension);
        (at > NEVER).then_some(at)
    }

    /// The places of an app that the log knows, and whether it is installed there.
    #[cfg(feature = "revoke")]
    pub(super) fn places_of(&self, tables: &Tables, app: u32) -> Vec<(u32, bool)> {
        let own = self.places.keys().filter(|(other, _)| *other == app);
        own.filter_map(|(_, place)| Some((*place, self.knows(tables, app, *place)?))).collect()
    }

    /// The installs of a place that are there.
    fn marks(&self, tables: &Tables, (app, place): (u32, u32), known: &InPlace) -> Vec<There> {
        let facts = tables.apps.get(app);
        let (deleted, organization_off) =
            facts.map_or((NEVER, NEVER), |facts| (facts.deleted_at, facts.organization_off_at));
        let is_organization = self.organization == Some(place);
        let off = known.off_at.max(deleted);
        let extension_off = organization_off.max(known.extension_off_at);
        let own = known.marks.iter().filter_map(|mark| {
            // An install that became part of the organisation's ends with it, if that ended later.
            let upgraded = facts.filter(|_| !is_organization);
            let upgraded = upgraded.and_then(|facts| facts.upgraded_after(mark.at));
            let is_ended = upgraded.is_some_and(|upgraded| extension_off > upgraded);
            // A removal in the same second may have come before: what is not certainly gone is there.
            (mark.at >= off && !is_ended).then_some((*mark, upgraded.is_some()))
        });
        let mut marks: Vec<(Mark, bool)> = own.collect();
        if !marks.iter().any(|(_, is_extension)| *is_extension) {
            let added = known.added.filter(|added| added.at >= off.max(extension_off));
            marks.extend(added.map(|mark| (mark, true)));
        }
        marks.sort_unstable_by_key(|(mark, _)| (mark.by, mark.at, mark.scopes));
        let mut there: Vec<There> = Vec::new();
        for (mark, is_extension) in marks {
            let set = tables.scopes.set(mark.scopes);
            match there.last_mut().filter(|last| last.mark.by == mark.by) {
                // Whoever installs an app again keeps what it got before.
                Some(last) => {
                    last.set = last.set.with(set);
                    last.mark = mark;
                    last.is_extension &= is_extension;
                }
                None => there.push(There {
                    mark,
                    since: mark.at,
                    set: set.clone(),
                    is_extension,
                    is_older_than_log: false,
                }),
            }
        }
        if there.is_empty() {
            // What is changed is there, even if the log begins too late to say since when.
            let upgraded =
                |mark: &Mark| facts.is_some_and(|facts| facts.upgraded_after(mark.at).is_some());
            let was_extension = known.added.is_some() || known.marks.iter().any(upgraded);
            let off = if was_extension { off.max(extension_off) } else { off };
            let seen = known.seen.filter(|seen| seen.at >= off);
            there.extend(seen.map(|seen| There {
                mark: Mark { at: NEVER, ..seen },
                since: NEVER,
                set: tables.scopes.set(seen.scopes).clone(),
                is_extension: false,
                is_older_than_log: true,
            }));
        }
        // By ids, not by numbers, which depend on what was remembered.
        let person = |there: &There| {
            let person = there.mark.by.and_then(|by| tables.people.get(by));
            person.map_or("", |person| person.id.as_str())
        };
        there.sort_by(|one, other| (one.mark.at, person(one)).cmp(&(other.mark.at, person(other))));
        there
    }

    /// Ties expansions without an app to installs, and gives everything that is there: app by app.
    pub(super) fn finish(&self, tables: &Tables) -> (Vec<Live>, Outcome) {
        let mut live = Vec::new();
        let order: HashMap<u32, usize> =
            tables.apps.all().enumerate().map(|(at, (app, _))| (app, at)).collect();
        let mut keys: Vec<&(u32, u32)> = self.places.keys().collect();
        keys.sort_unstable_by_key(|(app, place)| {
            (order.get(app).copied(), tables.places.name(*place).to_owned())
        });
        for key in keys {
            let Some(known) = self.places.get(key) else { continue };
            let marks = self.marks(tables, *key, known);
            live.extend(marks.into_iter().map(|there| Live {
                app: key.0,
                place: key.1,
                mark: there.mark,
                since: there.since,
                scopes: HeldScopes::Set(there.set),
                is_extension: there.is_extension,
                remark: there.is_older_than_log.then(|| {
                    "the log has a later change of it and not its install, which is older"
                        .to_owned()
                }),
                told_by: None,
            }));
        }
        let outcome = expansions::tie(&self.expansions, &mut live, tables);
        (live, outcome)
    }

    /// What is to be remembered.
    pub(super) fn state(&self) -> (&HashMap<(u32, u32), InPlace>, &[Expansion]) {
        (&self.places, &self.expansions)
    }

    /// Adds an expansion that was remembered.
    pub(super) fn expand_again(&mut self, expansion: Expansion) {
        self.expansions.push(expansion);
    }
}

/// The later of two.
fn later(one: Option<Mark>, other: Option<Mark>) -> Option<Mark> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.at > other.at { one } else { other }),
        (one, other) => one.or(other),
    }
}

/// The scopes of an install: where its list of new scopes has more than its app, both count, and whose each is is not told.
fn scopes_of(app: &AuditApp, details: Option<&Details>) -> ScopeSet {
    let set = scope_set(app);
    let listed = details.and_then(|details| details.new_scopes.as_ref());
    let Some(listed) = listed else { return set };
    let has_more =
        set.all().is_some_and(|all| listed.iter().any(|scope| !all.contains(&scope.as_str())));
    if has_more { set.with(&ScopeSet::Mixed(listed.clone())) } else { set }
}

/// Where an entry happened.
fn place_of(tables: &mut Tables, entry: &Entry) -> Option<u32> {
    let entity = entry.entity.as_ref();
    let location = entry.context.as_ref().and_then(|context| context.location.as_ref());
    let of_entity =
        entity.and_then(|entity| entity.workspace.as_ref().or(entity.enterprise.as_ref()));
    let is_place = |place: &&crate::api::Named| {
        place.id.is_some()
            && matches!(place.kind.as_deref(), None | Some("workspace" | "enterprise"))
    };
    let place = location.filter(is_place).or(of_entity.filter(is_place))?;
    tables.place(place)
}

/// Takes in what an entry tells of an app; its number.
fn learn(tables: &mut Tables, id: &str, app: &AuditApp, details: Option<&Details>, at: i64) -> u32 {
    if let Some(facts) = tables.apps.learn(id) {
        facts.name.learn(at, app.name.clone().filter(|name| !name.is_empty()));
        facts.distributed.learn(at, app.is_distributed);
        facts.directory_approved.learn(at, app.is_directory_approved);
        facts.workflow.learn(at, app.is_workflow_app);
        facts.internal.learn(at, details.and_then(|details| details.is_internal_integration));
        facts.rotation.learn(at, details.and_then(|details| details.is_token_rotation_enabled_app));
    }
    tables.apps.number(id)
}

/// The scopes of an entry's app. An entry without a list for bots does not say which token holds the scopes.
fn scope_set(app: &AuditApp) -> ScopeSet {
    let bot = match (&app.bot_scopes, &app.scopes_bot) {
        (None, None) => None,
        (one, other) => {
            let mut bot: Vec<String> = one.iter().chain(other).flatten().cloned().collect();
            bot.sort_unstable();
            bot.dedup();
            Some(bot)
        }
    };
    let sorted = |scopes: &Vec<String>| {
        let mut scopes = scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    };
    match (app.scopes.as_ref().map(sorted), bot) {
        (Some(user), Some(bot)) => ScopeSet::Told { user, bot },
        (Some(all), None) => ScopeSet::Mixed(all),
        // What the other list would hold is not known.
        (None, Some(_)) | (None, None) => ScopeSet::Untold,
    }
}

#[cfg(test)]
mod tests;
