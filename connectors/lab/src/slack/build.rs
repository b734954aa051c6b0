//! From a world file to the living state: names become indices, times become seconds, and the history
//! of every install becomes events. A world that contradicts itself is refused by name.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::installs::{Actor, Change, Happening, Install, Log, ORG, Verdict, index};
use super::state::{
    Activity, App, AuditEvent, Decision, LogRow, Request, ScopeSet, State, User, Workspace,
};
use super::world::{
    SlackChangeKind, SlackInstall, SlackPlan, SlackUser, SlackWorkspace, SlackWorld,
};

/// The names of a world.
struct Names {
    plan: SlackPlan,
    workspaces: HashMap<String, u32>,
    users: HashMap<String, u32>,
    apps: HashMap<String, u32>,
    sets: HashMap<ScopeSet, u32>,
    now: Timestamp,
}

impl Names {
    fn user(&self, table: &str, name: &str) -> Result<u32, String> {
        let found = self.users.get(name).copied();
        found.ok_or_else(|| format!("{table}: no user is called `{name}`"))
    }

    fn app(&self, table: &str, name: &str) -> Result<u32, String> {
        let found = self.apps.get(name).copied();
        found.ok_or_else(|| format!("{table}: no app is called `{name}`"))
    }

    /// A workspace, or the whole tenant if none is named.
    fn place(&self, table: &str, name: Option<&str>) -> Result<u32, String> {
        match (name, self.plan) {
            (None, SlackPlan::Enterprise) => Ok(ORG),
            (None, SlackPlan::Workspace) => Ok(0),
            (Some(name), _) => {
                let found = self.workspaces.get(name).copied();
                found.ok_or_else(|| format!("{table}: no workspace is called `{name}`"))
            }
        }
    }

    fn set(&mut self, sets: &mut Vec<ScopeSet>, user: &[String], bot: &[String]) -> u32 {
        let set = ScopeSet { user: user.to_vec(), bot: bot.to_vec() };
        *self.sets.entry(set).or_insert_with_key(|set| {
            sets.push(set.clone());
            index(sets.len() - 1)
        })
    }
}

/// Resolves a world; the problem is said without the tenant's name.
pub(crate) fn build(mut world: SlackWorld, now: Timestamp) -> Result<State, String> {
    if world.workspaces.is_empty() {
        let only = SlackWorkspace { name: world.name.clone(), ..SlackWorkspace::default() };
        world.workspaces.push(only);
    }
    if world.plan == SlackPlan::Workspace && world.workspaces.len() > 1 {
        return Err("a single workspace has one workspace".to_owned());
    }
    let mut names = names(&world, now)?;
    let mut state = bare(&mut world, &names)?;
    let mut happenings = Vec::new();
    generated(&mut state, &mut world, &mut happenings);
    for (index, set) in (0..).zip(&state.scope_sets) {
        names.sets.entry(set.clone()).or_insert(index);
    }
    for install in std::mem::take(&mut world.installs) {
        add_install(&mut state, &mut names, install, &mut happenings)?;
    }
    decisions(&mut state, &mut names, &world, &mut happenings)?;
    requests(&mut state, &mut names, &world)?;
    extras(&mut state, &names, world, &mut happenings)?;
    no_doubles(&state)?;
    state.log = Log::new(happenings);
    state.make_tokens()?;
    Ok(state)
}

fn unique<'w>(
    what: &str,
    names: impl Iterator<Item = &'w String>,
) -> Result<HashMap<String, u32>, String> {
    let mut found = HashMap::new();
    for (index, name) in (0..).zip(names) {
        if found.insert(name.clone(), index).is_some() {
            return Err(format!("two {what} are called `{name}`"));
        }
    }
    Ok(found)
}

fn names(world: &SlackWorld, now: Timestamp) -> Result<Names, String> {
    Ok(Names {
        plan: world.plan,
        workspaces: unique("workspaces", world.workspaces.iter().map(|space| &space.name))?,
        users: unique("users", world.users.iter().map(|user| &user.name))?,
        apps: unique("apps", world.apps.iter().map(|app| &app.name))?,
        sets: HashMap::new(),
        now,
    })
}

/// Letters and digits of a name in capitals, as ids are written.
fn capitals(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(9)
        .collect::<String>()
        .to_ascii_uppercase()
}

fn slug(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(word).collect()
}

/// Everything but installs and what happened.
fn bare(world: &mut SlackWorld, names: &Names) -> Result<State, String> {
    let enterprise_id = match world.plan {
        SlackPlan::Enterprise => world.enterprise_id.take(),
        SlackPlan::Workspace => Some(String::new()),
    };
    let mut workspaces = Vec::with_capacity(world.workspaces.len());
    for (number, space) in world.workspaces.drain(..).enumerate() {
        let owner = space.owner.as_deref().unwrap_or(&world.scanner.owner);
        workspaces.push(Workspace {
            id: space.id.unwrap_or_else(|| format!("T0LAB{number:05}")),
            domain: space.domain.unwrap_or_else(|| slug(&space.name)),
            owner: names.user("workspace", owner)? as usize,
            discoverability: space.discoverability.unwrap_or_else(|| "hidden".to_owned()),
            name: space.name,
        });
    }
    let mut users = Vec::with_capacity(world.users.len());
    for (number, facts) in world.users.drain(..).enumerate() {
        users.push(user(facts, number, &world.domain, names)?);
    }
    let mut apps = Vec::with_capacity(world.apps.len());
    for (number, facts) in world.apps.drain(..).enumerate() {
        let creator = facts.creator.as_deref().map(|name| names.user("app", name)).transpose()?;
        let permitted = facts.permitted.as_ref().map(|list| {
            let users = list.iter().map(|name| names.user("app", name).map(|user| user as usize));
            users.collect::<Result<Vec<_>, _>>()
        });
        let made = || match facts.service {
            true => format!("{}", 1_000_000_000 + number),
            false => format!("A0LAB{number:06}"),
        };
        let id = facts.id.clone().unwrap_or_else(made);
        let creator = creator.map(|user| user as usize);
        apps.push(App { id, creator, permitted: permitted.transpose()?, facts });
    }
    let app_ids = unique("app ids", apps.iter().map(|app| &app.id))?;
    Ok(State {
        name: world.name.clone(),
        plan: world.plan,
        enterprise_id: enterprise_id.unwrap_or_else(|| format!("E0{}", capitals(&world.name))),
        domain: world.domain.clone(),
        scanner: world.scanner.clone(),
        behaviour: world.behaviour.clone(),
        workspaces,
        users,
        installs_of: vec![Vec::new(); apps.len()],
        apps,
        app_ids,
        scope_sets: Vec::new(),
        installs: Vec::new(),
        channels: HashMap::new(),
        changes: Vec::new(),
        verdicts: Vec::new(),
        decisions: BTreeMap::new(),
        requests: Vec::new(),
        activities: Vec::new(),
        audit_events: Vec::new(),
        log_rows: Vec::new(),
        log: Log::default(),
        tokens: Vec::new(),
        ui_approval: true,
    })
}

fn user(facts: SlackUser, number: usize, domain: &str, names: &Names) -> Result<User, String> {
    let workspaces = facts.workspaces.as_ref().map(|list| {
        list.iter().map(|name| names.place("user", Some(name))).collect::<Result<Vec<_>, _>>()
    });
    // A user of an organisation begins with W, one of a single workspace with U.
    let letter = if names.plan == SlackPlan::Enterprise { 'W' } else { 'U' };
    Ok(User {
        id: facts.id.clone().unwrap_or_else(|| format!("{letter}0LAB{number:05}")),
        email: facts.email.clone().unwrap_or_else(|| format!("{}@{domain}.example", facts.name)),
        workspaces: workspaces.transpose()?,
        role: facts.role,
        created: facts.created.seconds(names.now),
        deactivated: facts.deactivated.map(|at| at.seconds(names.now)),
        resets: 0,
        facts,
    })
}

/// The generator's rows, whose indices are good already.
fn generated(state: &mut State, world: &mut SlackWorld, happenings: &mut Vec<(i64, Happening)>) {
    let rows = std::mem::take(&mut world.generated);
    state.scope_sets = rows.scope_sets;
    for (number, install) in (0..).zip(rows.installs) {
        happenings.push((install.at, Happening::Installed(number)));
        if let Some(removed) = install.removed {
            happenings.push((removed, Happening::Removed(number, install.by)));
        }
        state.installs_of[install.app as usize].push(number);
        state.installs.push(install);
    }
}

fn add_install(
    state: &mut State,
    names: &mut Names,
    facts: SlackInstall,
    happenings: &mut Vec<(i64, Happening)>,
) -> Result<(), String> {
    let app = names.app("install", &facts.app)?;
    let by = names.user("install", &facts.by)?;
    let place = names.place("install", facts.workspace.as_deref())?;
    if state.apps[app as usize].facts.service && place == ORG {
        return Err(format!(
            "install: `{}` is a custom integration and needs a workspace",
            facts.app
        ));
    }
    let scopes = names.set(&mut state.scope_sets, &facts.scopes, &facts.bot_scopes);
    let at = facts.at.seconds(names.now);
    let number = index(state.installs.len());
    let mut install = Install { app, place, by, scopes, at, removed: None, disabled: false };
    happenings.push((at, Happening::Installed(number)));
    for change in facts.changes {
        let when = change.at.seconds(names.now);
        let who = match &change.by {
            Some(name) => names.user("install", name)?,
            None => by,
        };
        let before = install.scopes;
        match change.change {
            SlackChangeKind::Removed => {
                install.removed = Some(when);
                happenings.push((when, Happening::Removed(number, who)));
                continue;
            }
            SlackChangeKind::Expanded => {
                install.scopes =
                    names.set(&mut state.scope_sets, &change.scopes, &change.bot_scopes);
            }
            SlackChangeKind::Disabled => install.disabled = true,
            SlackChangeKind::Enabled => install.disabled = false,
        }
        state.changes.push(Change {
            install: number,
            kind: change.change,
            by: who,
            before,
            after: install.scopes,
            reason: change.reason,
        });
        happenings.push((when, Happening::Changed(index(state.changes.len() - 1))));
    }
    if let Some(channel) = facts.channel {
        state.channels.insert(number, channel);
    }
    state.installs_of[app as usize].push(number);
    state.installs.push(install);
    Ok(())
}

fn decisions(
    state: &mut State,
    names: &mut Names,
    world: &SlackWorld,
    happenings: &mut Vec<(i64, Happening)>,
) -> Result<(), String> {
    for facts in &world.decisions {
        let app = names.app("decision", &facts.app)?;
        let place = names.place("decision", facts.workspace.as_deref())?;
        let by = match &facts.by {
            Some(name) => Actor::User(names.user("decision", name)?),
            None => Actor::App,
        };
        let at = facts.at.seconds(names.now);
        let scopes = names.set(&mut state.scope_sets, &facts.scopes, &facts.bot_scopes);
        let decision = Decision { status: facts.status, at, by, scopes };
        let newer = state.decisions.get(&(place, app)).is_some_and(|other| other.at > at);
        if !newer {
            state.decisions.insert((place, app), decision);
        }
        state.verdicts.push(Verdict { app, place, status: Some(facts.status), by });
        happenings.push((at, Happening::Decided(index(state.verdicts.len() - 1))));
    }
    Ok(())
}

fn requests(state: &mut State, names: &mut Names, world: &SlackWorld) -> Result<(), String> {
    for facts in &world.requests {
        if state.requests.iter().any(|other| other.facts.id == facts.id) {
            return Err(format!("two requests are called `{}`", facts.id));
        }
        let scopes = names.set(&mut state.scope_sets, &facts.scopes, &facts.bot_scopes);
        state.requests.push(Request {
            app: names.app("request", &facts.app)?,
            place: names.place("request", Some(&facts.workspace))?,
            user: names.user("request", &facts.user)? as usize,
            at: facts.at.seconds(names.now),
            scopes,
            pending: !facts.resolved,
            facts: facts.clone(),
        });
    }
    Ok(())
}

fn extras(
    state: &mut State,
    names: &Names,
    world: SlackWorld,
    happenings: &mut Vec<(i64, Happening)>,
) -> Result<(), String> {
    for facts in world.activities {
        state.activities.push(Activity {
            app: names.app("activity", &facts.app)?,
            place: names.place("activity", facts.workspace.as_deref())?,
            created: facts.at.seconds(names.now) * 1_000_000 + 251,
            facts,
        });
    }
    state.activities.sort_by_key(|activity| activity.created);
    for facts in world.audit_events {
        let app = |name: &Option<String>| {
            name.as_deref().map(|name| names.app("audit_event", name)).transpose()
        };
        state.audit_events.push(AuditEvent {
            by: names.user("audit_event", &facts.by)?,
            place: names.place("audit_event", facts.workspace.as_deref())?,
            about: app(&facts.about)?,
            through: app(&facts.through)?,
            action: facts.action,
            ip: facts.ip,
        });
        let at = facts.at.seconds(names.now);
        happenings.push((at, Happening::Audit(index(state.audit_events.len() - 1))));
    }
    for facts in world.log_rows {
        let place = match &facts.workspace {
            Some(name) => names.place("log_row", Some(name))?,
            None => 0,
        };
        state.log_rows.push(LogRow {
            place,
            user: names.user("log_row", &facts.user)?,
            app: names.app("log_row", &facts.app)?,
            change: facts.change,
            fields: facts.fields,
        });
        let at = facts.at.seconds(names.now);
        happenings.push((at, Happening::Row(index(state.log_rows.len() - 1))));
    }
    Ok(())
}

/// Nobody has one app twice in one place.
fn no_doubles(state: &State) -> Result<(), String> {
    let mut seen = HashSet::new();
    for install in state.installs.iter().filter(|install| install.removed.is_none()) {
        if !seen.insert((install.app, install.place, install.by)) {
            let app = &state.apps[install.app as usize].facts.name;
            let user = &state.users[install.by as usize].facts.name;
            return Err(format!("`{user}` has two installs of `{app}` in one place"));
        }
    }
    Ok(())
}
