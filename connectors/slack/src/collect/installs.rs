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
    /// When the organisation's install was last extended to this workspace, and by whom.
    added: Option<Mark>,
    marks: Vec<Mark>,
}

impl Default for InPlace {
    fn default() -> Self {
        Self { off_at: NEVER, added: None, marks: Vec::new() }
    }
}

impl InPlace {
    /// The same with other numbers for people and scope sets; `None` if one has none.
    pub(super) fn renumber(
        self,
        person: impl Fn(u32) -> Option<u32>,
        scopes: impl Fn(u32) -> Option<u32>,
    ) -> Option<Self> {
        let renumber = |mark: Mark| {
            let by = match mark.by {
                Some(by) => Some(person(by)?),
                None => None,
            };
            Some(Mark { by, at: mark.at, scopes: scopes(mark.scopes)? })
        };
        let added = match self.added {
            Some(added) => Some(renumber(added)?),
            None => None,
        };
        let marks = self.marks.into_iter().map(renumber).collect::<Option<Vec<Mark>>>()?;
        Some(Self { off_at: self.off_at, added, marks })
    }
}

/// One installer's install that is there, with all that it got since it was last removed.
struct There {
    mark: Mark,
    set: ScopeSet,
    is_extension: bool,
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
    pub(super) mark: Mark,
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
                let scopes = tables.scopes.number(scope_set(app));
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
                let scopes = tables.scopes.number(scope_set(app));
                let known = self.places.entry((number, place)).or_default();
                if known.added.is_none_or(|added| added.at <= at) {
                    known.added = Some(Mark { by, at, scopes });
                }
            }
            "org_app_workspace_removed" => {
                let Some(place) = place else { return Taken::Unreadable };
                let known = self.places.entry((number, place)).or_default();
                known.off_at = known.off_at.max(at);
            }
            "app_deleted" => {
                if let Some(facts) = tables.apps.learn(&id) {
                    facts.deleted_at = facts.deleted_at.max(at);
                }
            }
            "org_app_upgraded_to_org_install" => {
                if let Some(facts) = tables.apps.learn(&id) {
                    facts.upgraded_at = facts.upgraded_at.max(at);
                }
                // The organisation's own install may have no entry besides.
                let scopes = tables.scopes.number(scope_set(app));
                self.install((number, organization), Mark { by, at, scopes });
            }
            "org_app_future_workspace_install_enabled" => {
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

    /// Adds what was remembered of a place.
    pub(super) fn merge(&mut self, key: (u32, u32), state: InPlace) {
        for mark in state.marks {
            self.install(key, mark);
        }
        let known = self.places.entry(key).or_default();
        known.off_at = known.off_at.max(state.off_at);
        if let Some(added) = state.added
            && known.added.is_none_or(|other| other.at <= added.at)
        {
            known.added = Some(added);
        }
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
        let facts = tables.apps.get(app)?;
        let ended_with_the_organization = facts.organization_off_at > NEVER
            && (known.added.is_some()
                || known.marks.iter().any(|mark| mark.at < facts.upgraded_at));
        let is_ended = known.off_at > NEVER || facts.deleted_at > NEVER;
        (is_ended || ended_with_the_organization).then_some(false)
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
        let (deleted, organization_off, upgraded) = facts.map_or((NEVER, NEVER, NEVER), |facts| {
            (facts.deleted_at, facts.organization_off_at, facts.upgraded_at)
        });
        let is_organization = self.organization == Some(place);
        let off = known.off_at.max(deleted);
        let own = known.marks.iter().filter_map(|mark| {
            // An install that became part of the organisation's ends with it.
            let is_extension = mark.at < upgraded && !is_organization;
            let off = if is_extension { off.max(organization_off) } else { off };
            // A removal in the same second may have come before: what is not certainly gone is there.
            (mark.at >= off).then_some((*mark, is_extension))
        });
        let mut marks: Vec<(Mark, bool)> = own.collect();
        if marks.is_empty() {
            let added = known.added.filter(|added| added.at >= off.max(organization_off));
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
                    (last.mark, last.is_extension) = (mark, is_extension);
                }
                None => there.push(There { mark, set: set.clone(), is_extension }),
            }
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
                scopes: HeldScopes::Set(there.set),
                is_extension: there.is_extension,
                remark: None,
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
mod tests {
    use super::*;

    const ORGANIZATION: &str = "E1";

    /// An entry of app A1.
    fn entry(at: i64, action: &str, place: &str, by: &str, scopes: &str) -> String {
        let kind = if place.starts_with('E') { "enterprise" } else { "workspace" };
        format!(
            r#"{{"id":"{at}{action}{place}","date_create":{at},"action":"{action}","actor":{{"type":"user","user":{{"id":"{by}","name":"{by}"}}}},"entity":{{"type":"app","app":{{"id":"A1","name":"App"{scopes}}}}},"context":{{"location":{{"type":"{kind}","id":"{place}"}}}}}}"#
        )
    }

    fn bot(scopes: &str) -> String {
        let scopes: Vec<String> =
            scopes.split_whitespace().map(|scope| format!("\"{scope}\"")).collect();
        format!(r#","scopes":[],"bot_scopes":[{}]"#, scopes.join(","))
    }

    /// What is there, as `place by: scopes`, whatever the order of the entries.
    fn there(entries: &[String]) -> Vec<String> {
        let mut found: Option<Vec<String>> = None;
        for is_reversed in [false, true] {
            let mut tables = Tables::default();
            let organization = tables.places.number(ORGANIZATION);
            let mut installs = Installs::of(organization);
            let mut order: Vec<&String> = entries.iter().collect();
            if is_reversed {
                order.reverse();
            }
            for text in order {
                let entry: Entry = serde_json::from_str(text).unwrap();
                assert_eq!(
                    installs.take(&mut tables, organization, &entry),
                    Taken::Fully,
                    "{text}"
                );
            }
            let (live, _) = installs.finish(&tables);
            let told = live.iter().map(|live| {
                let by = live.mark.by.and_then(|by| tables.people.get(by)).unwrap();
                let HeldScopes::Set(set) = &live.scopes else { panic!("{live:?}") };
                let scopes = set.all().map_or_else(|| "?".to_owned(), |all| all.join(" "));
                let mark = if live.is_extension { "+" } else { "" };
                format!("{}{mark} {}: {scopes}", tables.places.name(live.place), by.id)
            });
            let told: Vec<String> = told.collect();
            if let Some(found) = &found {
                assert_eq!(&told, found);
            }
            found = Some(told);
        }
        found.unwrap()
    }

    #[test]
    fn the_latest_entry_of_a_place_decides() {
        let installed = entry(10, "app_installed", "T1", "U1", &bot("a"));
        let removed = entry(20, "app_uninstalled", "T1", "U2", "");
        let elsewhere = entry(5, "app_installed", "T2", "U1", &bot("a"));
        let again = entry(30, "app_installed", "T1", "U3", &bot("b"));
        assert_eq!(there(&[installed.clone(), elsewhere.clone()]), ["T1 U1: a", "T2 U1: a"]);
        assert_eq!(there(&[installed.clone(), removed.clone(), elsewhere]), ["T2 U1: a"]);
        assert_eq!(there(&[installed.clone(), removed, again]), ["T1 U3: b"]);
        // In one second nobody knows which came first.
        let same = entry(10, "app_uninstalled", "T1", "U2", "");
        assert_eq!(there(&[installed, same]), ["T1 U1: a"]);
    }

    #[test]
    fn an_app_keeps_what_it_got_until_it_is_removed() {
        let first = entry(10, "app_installed", "T1", "U1", &bot("a b"));
        let second = entry(20, "app_installed", "T1", "U1", &bot("c"));
        assert_eq!(there(&[first.clone(), second.clone()]), ["T1 U1: a b c"]);
        let removed = entry(15, "app_uninstalled", "T1", "U2", "");
        assert_eq!(there(&[first, second, removed]), ["T1 U1: c"]);
    }

    #[test]
    fn what_comes_with_the_organization_goes_with_it() {
        let installed = entry(10, "org_app_installed", "E1", "U1", &bot("a"));
        let added = entry(20, "org_app_workspace_added", "T1", "U1", &bot("a"));
        assert_eq!(there(&[installed.clone(), added.clone()]), ["E1 U1: a", "T1+ U1: a"]);
        let taken = entry(25, "org_app_workspace_removed", "T1", "U1", "");
        assert_eq!(there(&[installed.clone(), added.clone(), taken]), ["E1 U1: a"]);
        let removed = entry(30, "org_app_uninstalled", "E1", "U1", "");
        assert!(there(&[installed.clone(), added.clone(), removed]).is_empty());
        // A workspace's own install is no part of it, unless it became one.
        let own = entry(5, "app_installed", "T2", "U2", &bot("z"));
        let removed = entry(30, "org_app_uninstalled", "E1", "U1", "");
        assert_eq!(there(&[installed, own.clone(), removed.clone()]), ["T2 U2: z"]);
        let upgraded = entry(8, "org_app_upgraded_to_org_install", "E1", "U1", &bot("z"));
        assert_eq!(there(&[own.clone(), upgraded.clone()]), ["E1 U1: z", "T2+ U2: z"]);
        assert!(there(&[own, upgraded, removed]).is_empty());
    }

    #[test]
    fn a_deleted_app_is_nowhere() {
        let entries = [
            entry(10, "app_installed", "T1", "U1", &bot("a")),
            entry(11, "org_app_installed", "E1", "U1", &bot("a")),
            entry(12, "app_deleted", "E1", "U1", ""),
        ];
        assert!(there(&entries).is_empty());
        assert_eq!(there(&entries[..2]).len(), 2);
    }

    #[test]
    fn lists_that_are_missing_are_not_none() {
        let none = entry(10, "app_installed", "T1", "U1", "");
        assert_eq!(there(&[none]), ["T1 U1: ?"]);
        let mixed = entry(10, "app_installed", "T1", "U1", r#","scopes":["b","a"]"#);
        assert_eq!(there(&[mixed]), ["T1 U1: a b"]);
        let half = entry(10, "app_installed", "T1", "U1", r#","bot_scopes":["a"]"#);
        assert_eq!(there(&[half]), ["T1 U1: ?"]);
        let both = entry(
            10,
            "app_installed",
            "T1",
            "U1",
            r#","scopes":["u"],"scopes_bot":["x"],"bot_scopes":["y","x"]"#,
        );
        assert_eq!(there(&[both]), ["T1 U1: u x y"]);
    }

    #[test]
    fn an_install_without_a_place_is_said() {
        let mut tables = Tables::default();
        let mut installs = Installs::of(tables.places.number(ORGANIZATION));
        for text in [
            r#"{"date_create":1,"action":"app_installed","entity":{"type":"app","app":{"id":"A1"}}}"#,
            r#"{"date_create":1,"action":"app_uninstalled","entity":{"type":"app","app":{"name":"x"}},"context":{"location":{"type":"workspace","id":"T1"}}}"#,
            r#"{"date_create":1,"action":"app_scopes_expanded","context":{"location":{"type":"workspace","id":"T1"}}}"#,
        ] {
            let entry: Entry = serde_json::from_str(text).unwrap();
            assert_eq!(installs.take(&mut tables, 0, &entry), Taken::Unreadable, "{text}");
        }
        // The organisation's own install says where it is by its name.
        let text = r#"{"date_create":1,"action":"org_app_installed","entity":{"type":"app","app":{"id":"A1"}}}"#;
        let entry: Entry = serde_json::from_str(text).unwrap();
        assert_eq!(installs.take(&mut tables, 0, &entry), Taken::Fully);
        assert_eq!(installs.knows(&tables, tables.apps.find("A1").unwrap(), 0), Some(true));
    }
}
