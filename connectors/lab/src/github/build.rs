//! From a world to the living state: names become indices, offsets become times, and what contradicts
//! itself is refused by name.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::access::{Level, known_permission};
use super::audit::{Happening, Log, Told};
use super::state::{
    App, Classic, Credential, EnterpriseInstallation, FineGrained, Hook, HookPlace, Installation,
    Key, NEVER, Organisation, Owner, Pat, Repository, Request, Role, Secret, Signer, SiteRow,
    State, User,
};
use super::world::{
    ClassicToken, FineGrainedPat, GithubApp, GithubEdition, GithubWorld, PatPermissions,
    Permissions,
};
use crate::keys::random_text;
use crate::moment::Moment;

type Built<T> = Result<T, String>;

/// Hands out numbers that the world does not use.
struct Ids {
    used: HashSet<(char, u64)>,
    next: BTreeMap<char, u64>,
}

impl Ids {
    /// The number of a row of a table, given or made.
    fn of(&mut self, table: char, given: Option<u64>, what: &str) -> Built<u64> {
        if let Some(id) = given {
            if !self.used.insert((table, id)) {
                return Err(format!("two of the {what} have the id {id}"));
            }
            return Ok(id);
        }
        let next = self.next.entry(table).or_insert(u64::from(u32::from(table)) * 1_000_000);
        loop {
            *next += 1;
            if self.used.insert((table, *next)) {
                return Ok(*next);
            }
        }
    }
}

/// `Drift Deploy` as a slug.
pub(super) fn slug(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(word).collect();
    slug.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

pub(super) fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

struct Builder {
    state: State,
    ids: Ids,
    now: Timestamp,
}

impl Builder {
    fn at(&self, moment: Moment) -> i64 {
        moment.seconds(self.now)
    }

    fn organisation(&self, login: &str) -> Built<usize> {
        self.state.organisation(login).ok_or_else(|| format!("no organisation is called `{login}`"))
    }

    fn user(&self, login: &str) -> Built<usize> {
        self.state.user(login).ok_or_else(|| format!("no user is called `{login}`"))
    }

    fn repositories(&self, organisation: usize, names: &[String]) -> Built<Vec<u32>> {
        let one = |name: &String| {
            let login = &self.state.organisations[organisation].facts.login;
            let found = self.state.repository(organisation, name);
            found.map(place).ok_or_else(|| format!("no repository is called `{login}/{name}`"))
        };
        names.iter().map(one).collect()
    }
}

/// Resolves a world.
pub(super) fn build(world: &GithubWorld, now: Timestamp) -> Built<State> {
    let state = State {
        name: world.name.clone(),
        edition: world.edition,
        enterprise: world.enterprise.clone(),
        scan: world.scan.clone(),
        behaviour: world.behaviour.clone(),
        organisations: Vec::new(),
        users: Vec::new(),
        apps: Vec::new(),
        installations: Vec::new(),
        enterprise_installations: Vec::new(),
        credentials: Vec::new(),
        scope_sets: vec![Vec::new()],
        pats: Vec::new(),
        pat_requests: Vec::new(),
        pat_permissions: Vec::new(),
        repositories: Vec::new(),
        deploy_keys: Vec::new(),
        hooks: Vec::new(),
        secrets: Vec::new(),
        site_tokens: Vec::new(),
        log: Log::default(),
        classic: Vec::new(),
        fine_grained: None,
        taken: Vec::new(),
        next_id: 900_000_000,
    };
    let ids = Ids { used: HashSet::new(), next: BTreeMap::new() };
    let mut builder = Builder { state, ids, now };
    if world.edition == GithubEdition::Cloud && world.enterprise.is_some() {
        return Err("a free or team plan has no enterprise".to_owned());
    }
    builder.people(world)?;
    builder.repositories_and_below(world)?;
    builder.apps(world)?;
    builder.installations(world)?;
    builder.own_apps(world)?;
    builder.tokens(world)?;
    builder.credentials(world)?;
    builder.audit(world)?;
    for login in world.scan.iter().chain(&world.behaviour.ip_allow_list) {
        builder.organisation(login)?;
    }
    if world.behaviour.time_scale <= 0.0 {
        return Err("time_scale must be above 0".to_owned());
    }
    let mut state = builder.state;
    if let Some(scale) = &world.generated {
        super::generate::fill(&mut state, scale);
    }
    log_history(&mut state);
    Ok(state)
}

/// Events that follow from the tables.
fn log_history(state: &mut State) {
    let mut events = Vec::new();
    let organisations = state.organisations.iter().enumerate();
    events.extend(organisations.map(|(i, row)| (row.created, Happening::OauthPolicy(i))));
    for (index, row) in state.installations.iter().enumerate() {
        events.push((row.created, Happening::InstallationMade(index)));
        events.extend(row.suspended.map(|at| (at, Happening::InstallationSuspended(index))));
    }
    let credentials = state.credentials.iter().enumerate();
    events.extend(credentials.map(|(i, row)| (row.authorized, Happening::CredentialMade(i))));
    events
        .extend(state.pats.iter().enumerate().map(|(i, row)| (row.granted, Happening::PatMade(i))));
    let requests = state.pat_requests.iter().enumerate();
    events.extend(requests.map(|(i, row)| (row.pat.granted, Happening::PatAsked(i))));
    let keys = state.deploy_keys.iter().enumerate();
    events.extend(keys.map(|(i, row)| (row.created, Happening::KeyMade(i))));
    events.extend(
        state.hooks.iter().enumerate().map(|(i, row)| (row.created, Happening::HookMade(i))),
    );
    state.log.extend(events);
}

fn permissions(map: &Permissions, whose: &str) -> Built<()> {
    for (name, level) in map {
        if !known_permission(name) || Level::parse(level).is_none() {
            return Err(format!("`{whose}` has the permission `{name} = {level}`, which is none"));
        }
    }
    Ok(())
}

impl Builder {
    fn people(&mut self, world: &GithubWorld) -> Built<()> {
        for facts in &world.organisations {
            if facts.login.is_empty() || self.state.organisation(&facts.login).is_some() {
                return Err(format!(
                    "organisation `{}` is there twice or has no login",
                    facts.login
                ));
            }
            let id = self.ids.of('o', facts.id, "organisations")?;
            let created = self.at(facts.created);
            self.state.organisations.push(Organisation { facts: facts.clone(), id, created });
        }
        if world.organisations.is_empty() {
            return Err("there is no organisation".to_owned());
        }
        for facts in &world.users {
            if facts.login.is_empty() || self.state.user(&facts.login).is_some() {
                return Err(format!("user `{}` is there twice or has no login", facts.login));
            }
            let id = self.ids.of('u', facts.id, "users")?;
            let mut roles = Vec::new();
            for (logins, role) in [
                (&facts.owner_of, Role::Owner),
                (&facts.member_of, Role::Member),
                (&facts.outside_of, Role::Outside),
            ] {
                for login in logins {
                    roles.push((place(self.organisation(login)?), role));
                }
            }
            self.state.users.push(User {
                login: facts.login.clone(),
                id,
                roles,
                site_admin: facts.site_admin,
                without_two_factor: facts.without_two_factor,
                ssh_keys: facts.ssh_keys.clone(),
                deleted: false,
            });
        }
        Ok(())
    }

    fn repositories_and_below(&mut self, world: &GithubWorld) -> Built<()> {
        for facts in &world.repositories {
            let organisation = self.organisation(&facts.organisation)?;
            let id = self.ids.of('r', facts.id, "repositories")?;
            let created = self.at(facts.created);
            self.state.repositories.push(Repository {
                id,
                organisation,
                name: facts.name.clone(),
                public: facts.public,
                archived: facts.archived,
                created,
            });
        }
        for facts in &world.deploy_keys {
            let repository = self.repository(&facts.repository)?;
            let id = self.ids.of('k', facts.id, "deploy keys")?;
            let (created, last_used) =
                (self.at(facts.created), facts.last_used.map(|at| self.at(at)));
            self.state.deploy_keys.push(Key {
                id,
                repository,
                title: facts.title.clone(),
                read_only: facts.read_only,
                verified: facts.verified,
                enabled: facts.enabled,
                added_by: facts.added_by.clone(),
                created,
                last_used,
                gone: NEVER,
            });
        }
        for facts in &world.hooks {
            let place = if facts.on.contains('/') {
                HookPlace::Repository(self.repository(&facts.on)?)
            } else {
                HookPlace::Organisation(self.organisation(&facts.on)?)
            };
            let id = self.ids.of('h', facts.id, "webhooks")?;
            let created = self.at(facts.created);
            self.state.hooks.push(Hook {
                id,
                place,
                url: facts.url.clone(),
                content_type: facts.content_type.clone(),
                insecure_ssl: facts.insecure_ssl,
                secret: facts.secret,
                events: facts.events.clone(),
                active: facts.active,
                last_status: facts.last_status,
                created,
                updated: created,
                by: facts.by.clone(),
                gone: NEVER,
            });
        }
        for facts in &world.secrets {
            let organisation = self.organisation(&facts.organisation)?;
            let created = self.at(facts.created);
            let updated = facts.updated.map_or(created, |at| self.at(at));
            let (name, visibility) = (facts.name.clone(), facts.visibility.clone());
            self.state.secrets.push(Secret { organisation, name, visibility, created, updated });
        }
        Ok(())
    }

    fn repository(&self, path: &str) -> Built<usize> {
        let found = self.state.repository_path(path);
        found.ok_or_else(|| format!("no repository is called `{path}`"))
    }

    fn apps(&mut self, world: &GithubWorld) -> Built<()> {
        for facts in &world.apps {
            let slug = facts.slug.clone().unwrap_or_else(|| slug(&facts.name));
            if slug.is_empty() || self.state.app_named(&slug).is_some() {
                return Err(format!("app `{slug}` is there twice or has no name"));
            }
            permissions(&facts.permissions, &slug)?;
            let id = self.ids.of('a', facts.id, "apps")?;
            let owner = self.owner(&facts.owner, facts.owned_by_user)?;
            let created = self.at(facts.created);
            self.state.apps.push(App {
                id,
                client_id: facts.client_id.clone().unwrap_or_else(|| format!("Iv1.FAKE{id:012x}")),
                slug,
                name: facts.name.clone(),
                owner,
                public: facts.public,
                permissions: facts.permissions.clone(),
                events: facts.events.clone(),
                external_url: facts.external_url.clone(),
                created,
                signer: Signer::Vendor,
            });
        }
        Ok(())
    }

    fn owner(&mut self, login: &str, user: bool) -> Built<Owner> {
        let known = self.state.organisation(login).map(|index| self.state.organisations[index].id);
        let known = known.or_else(|| Some(self.state.users[self.state.user(login)?].id));
        let same = self.state.apps.iter().find(|app| app.owner.login == login);
        let id = match known.or(same.map(|app| app.owner.id)) {
            Some(id) => id,
            None => self.ids.of('v', None, "owners")?,
        };
        Ok(Owner { login: login.to_owned(), id, user })
    }

    fn installations(&mut self, world: &GithubWorld) -> Built<()> {
        for facts in &world.installations {
            let organisation = self.organisation(&facts.organisation)?;
            let app = self.state.apps.iter().position(|app| app.slug == facts.app);
            let app = app.ok_or_else(|| format!("no app has the slug `{}`", facts.app))?;
            let held = facts.permissions.clone();
            let held = held.unwrap_or_else(|| self.state.apps[app].permissions.clone());
            permissions(&held, &facts.app)?;
            let repositories = facts.repositories.as_ref();
            let repositories =
                repositories.map(|names| self.repositories(organisation, names)).transpose()?;
            let by = facts.by.as_ref().map(|login| self.user(login)).transpose()?;
            let created = self.at(facts.created);
            let row = Installation {
                id: self.ids.of('i', facts.id, "installations")?,
                organisation,
                app,
                permissions: held,
                events: facts.events.clone(),
                repositories,
                created,
                updated: facts.updated.map_or(created, |at| self.at(at)),
                suspended: facts.suspended.map(|at| self.at(at)),
                by,
                gone: if facts.removed.is_some() { i64::MIN } else { NEVER },
            };
            if row.gone == NEVER && self.state.installed(organisation, app, 0).is_some() {
                let login = &facts.organisation;
                return Err(format!("`{}` is installed twice on `{login}`", facts.app));
            }
            self.state.installations.push(row);
            if let Some(removed) = facts.removed {
                let index = self.state.installations.len() - 1;
                let at = self.at(removed);
                self.state.log.push(at, Happening::InstallationGone(index));
            }
        }
        Ok(())
    }

    /// The scanner's Apps: private, of the first organisation, and installed as the world says.
    fn own_apps(&mut self, world: &GithubWorld) -> Built<()> {
        let owner = world.organisations[0].login.clone();
        for (facts, signer, name) in [
            (&world.scanner, Signer::Scanner, "Grantwarden"),
            (&world.revoker, Signer::Revoker, "Grantwarden Revoker"),
        ] {
            if facts.permissions.is_empty() && facts.enterprise_permissions.is_empty() {
                continue;
            }
            self.own_app(facts, signer, name, &owner)?;
        }
        Ok(())
    }

    fn own_app(&mut self, facts: &GithubApp, signer: Signer, name: &str, owner: &str) -> Built<()> {
        let name = if facts.name.is_empty() { name } else { &facts.name };
        permissions(&facts.permissions, name)?;
        permissions(&facts.enterprise_permissions, name)?;
        for login in facts.not_installed_on.iter().chain(&facts.suspended_on) {
            self.organisation(login)?;
        }
        let id = self.ids.of('a', None, "apps")?;
        let created = self.now.as_second() - 40 * 86_400;
        let owner = self.owner(owner, false)?;
        let slug = slug(name);
        if self.state.app_named(&slug).is_some() {
            return Err(format!("app `{slug}` is there twice"));
        }
        self.state.apps.push(App {
            id,
            slug,
            name: name.to_owned(),
            client_id: format!("Iv23liFAKE{id:010x}"),
            owner,
            public: false,
            permissions: facts.permissions.clone(),
            events: Vec::new(),
            external_url: "https://grantwarden.example".to_owned(),
            created,
            signer,
        });
        let app = self.state.apps.len() - 1;
        for organisation in 0..self.state.organisations.len() {
            let login = self.state.organisations[organisation].facts.login.clone();
            let named = |list: &[String]| list.iter().any(|one| one.eq_ignore_ascii_case(&login));
            if facts.permissions.is_empty() || named(&facts.not_installed_on) {
                continue;
            }
            let row = Installation {
                id: self.ids.of('i', None, "installations")?,
                organisation,
                app,
                permissions: facts.permissions.clone(),
                events: Vec::new(),
                repositories: None,
                created,
                updated: created,
                suspended: named(&facts.suspended_on).then_some(created),
                by: None,
                gone: NEVER,
            };
            self.state.installations.push(row);
        }
        if !facts.enterprise_permissions.is_empty() {
            if self.state.enterprise.is_none() {
                return Err(format!("`{name}` is on an enterprise, and there is none"));
            }
            let id = self.ids.of('i', None, "installations")?;
            let permissions = facts.enterprise_permissions.clone();
            let row = EnterpriseInstallation { id, app, permissions, created };
            self.state.enterprise_installations.push(row);
        }
        Ok(())
    }

    fn classic(&mut self, facts: &ClassicToken) -> Built<()> {
        let user = self.user(&facts.user)?;
        let sso: Built<Vec<usize>> =
            facts.sso.iter().map(|login| self.organisation(login)).collect();
        self.state.classic.push(Classic {
            // Not as long as a real one, whose last characters are a checksum.
            text: format!("ghp_FAKE-{}", random_text(32)),
            user,
            scopes: facts.scopes.clone(),
            sso: sso?,
            expires: facts.expires.map(|at| self.at(at)),
            gone: NEVER,
        });
        Ok(())
    }

    fn tokens(&mut self, world: &GithubWorld) -> Built<()> {
        // In this order: the handle tells them apart by it.
        let tokens = &world.token;
        for facts in [&tokens.owner, &tokens.member, &tokens.site_admin] {
            match facts {
                Some(facts) => self.classic(facts)?,
                None => self.state.classic.push(Classic::none()),
            }
        }
        if let Some(facts) = &tokens.fine_grained {
            permissions(&facts.permissions, &facts.user)?;
            self.state.fine_grained = Some(FineGrained {
                text: format!("github_pat_FAKE{}_{}", random_text(18), random_text(59)),
                user: self.user(&facts.user)?,
                organisation: self.organisation(&facts.organisation)?,
                permissions: facts.permissions.clone(),
                gone: NEVER,
            });
        }
        for facts in &world.site_tokens {
            let created = self.at(facts.created);
            let row = SiteRow {
                id: self.ids.of('t', facts.id, "site tokens")?,
                user: self.user(&facts.user)?,
                app: facts.app.clone(),
                note: facts.note.clone(),
                scopes: facts.scopes.clone(),
                created,
                updated: facts.updated.map_or(created, |at| self.at(at)),
                expires: facts.expires.map(|at| self.at(at)),
                token: None,
                gone: NEVER,
            };
            self.state.site_tokens.push(row);
        }
        if world.edition == GithubEdition::Server {
            self.own_site_tokens()?;
        }
        Ok(())
    }

    /// The tokens that sign in to the lab are among the site's too.
    fn own_site_tokens(&mut self) -> Built<()> {
        for index in 0..self.state.classic.len() {
            let token = &self.state.classic[index];
            if token.gone != NEVER {
                continue;
            }
            let row = SiteRow {
                id: self.ids.of('t', None, "site tokens")?,
                user: token.user,
                app: None,
                note: Some("scanner".to_owned()),
                scopes: token.scopes.clone(),
                created: self.now.as_second() - 86_400,
                updated: self.now.as_second() - 86_400,
                expires: token.expires,
                token: Some(token.text.clone()),
                gone: NEVER,
            };
            self.state.site_tokens.push(row);
        }
        Ok(())
    }

    fn pat(&mut self, facts: &FineGrainedPat, table: char) -> Built<Pat> {
        let organisation = self.organisation(&facts.organisation)?;
        let user = place(self.user(&facts.user)?);
        let repositories = self.repositories(organisation, &facts.repositories)?;
        let permissions = self.pat_permissions(&facts.permissions);
        Ok(Pat {
            id: self.ids.of(table, facts.id, "fine-grained tokens")?,
            organisation: place(organisation),
            user,
            // One token may have access to several organisations.
            token_id: match facts.token_id {
                Some(id) => id,
                None => self.ids.of('f', None, "fine-grained tokens")?,
            },
            name: facts.name.as_str().into(),
            permissions,
            selection: facts.selection,
            repositories,
            granted: self.at(facts.granted),
            expires: facts.expires.map(|at| self.at(at)),
            last_used: facts.last_used.map(|at| self.at(at)),
            gone: NEVER,
        })
    }

    fn pat_permissions(&mut self, wanted: &PatPermissions) -> u32 {
        let sets = &mut self.state.pat_permissions;
        let found = sets.iter().position(|set| set == wanted);
        place(found.unwrap_or_else(|| {
            sets.push(wanted.clone());
            sets.len() - 1
        }))
    }

    fn credentials(&mut self, world: &GithubWorld) -> Built<()> {
        for facts in &world.credentials {
            let organisation = self.organisation(&facts.organisation)?;
            if !self.state.organisations[organisation].facts.saml {
                return Err(format!("`{}` has credentials and no SAML", facts.organisation));
            }
            let sets = &mut self.state.scope_sets;
            let found = sets.iter().position(|set| *set == facts.scopes);
            let scopes = found.unwrap_or_else(|| {
                sets.push(facts.scopes.clone());
                sets.len() - 1
            });
            let row = Credential {
                id: self.ids.of('c', facts.id, "credentials")?,
                organisation: place(organisation),
                user: place(self.user(&facts.user)?),
                scopes: place(scopes),
                kind: facts.kind,
                fine_grained: facts.fine_grained,
                title: facts.title.as_deref().map(Into::into),
                app: facts.app.as_deref().map(Into::into),
                authorized: self.at(facts.authorized),
                accessed: facts.accessed.map(|at| self.at(at)),
                expires: facts.expires.map(|at| self.at(at)),
                gone: NEVER,
            };
            self.state.credentials.push(row);
        }
        // Pages go on after an id.
        self.state.credentials.sort_by_key(|row| row.id);
        for facts in &world.pats {
            let pat = self.pat(facts, 'p')?;
            self.state.pats.push(pat);
        }
        for facts in &world.pat_requests {
            let pat = self.pat(&facts.pat, 'q')?;
            self.state.pat_requests.push(Request { pat, reason: facts.reason.clone() });
        }
        Ok(())
    }

    fn audit(&mut self, world: &GithubWorld) -> Built<()> {
        for facts in &world.audit {
            let organisation = facts.organisation.as_ref();
            let organisation = organisation.map(|login| self.organisation(login)).transpose()?;
            let actor = facts.actor.as_ref().map(|login| self.user(login)).transpose()?;
            let (action, fields) = (facts.action.clone(), facts.fields.clone());
            let told = Told { organisation, action, actor, git: facts.git, fields };
            let at = self.at(facts.at);
            let log = &mut self.state.log;
            log.told.push(told);
            let happening = Happening::Told(log.told.len() - 1);
            log.push(at, happening);
        }
        Ok(())
    }
}

impl Classic {
    /// The place of a token that the world does not have.
    fn none() -> Self {
        Self {
            text: String::new(),
            user: 0,
            scopes: Vec::new(),
            sso: Vec::new(),
            expires: None,
            gone: i64::MIN,
        }
    }
}
