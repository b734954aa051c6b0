//! From a world file to the living state: names become indices, times become seconds, tables become events. Everything that
//! contradicts itself is refused here.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::behaviour::OktaDpop;
use super::events::{Happening, LOG_SECONDS, Log, Party, Told};
use super::generate::fill;
use super::id::{letters, mix, named};
use super::keys::{ClientKey, keyring};
use super::roles::Role;
use super::state::{
    ApiToken, App, Connection, Credential, Grant, Life, Policy, RefreshToken, Server, Service,
    Share, State, User, Zone, place,
};
use super::world::{
    MANAGE_SCOPES, OktaApiToken, OktaApp, OktaAppKind, OktaCredential, OktaEvent, OktaGrant,
    OktaRefreshToken, OktaServiceApp, OktaUser, OktaWorld, READ_SCOPES,
};
use crate::moment::Moment;

const YEAR: i64 = 365 * 86_400;
const USER_STATUS: [&str; 8] = [
    "ACTIVE",
    "STAGED",
    "PROVISIONED",
    "RECOVERY",
    "PASSWORD_EXPIRED",
    "LOCKED_OUT",
    "SUSPENDED",
    "DEPROVISIONED",
];

/// Resolves a world; the error says what contradicts itself.
pub(super) fn build(mut world: OktaWorld, at: Timestamp) -> Result<State, String> {
    let generated = world.generated.take();
    if let Some(scale) = generated {
        fill(&mut world, &scale);
    }
    let mut builder = Builder::new(at, &world)?;
    builder.users(std::mem::take(&mut world.users))?;
    builder.apps(&mut world)?;
    builder.servers(&world)?;
    builder.grants(&world)?;
    builder.tokens(&world, generated.as_ref())?;
    builder.rest(&world)?;
    builder.log(&world)?;
    Ok(builder.state)
}

/// One of our two service apps: what the world says, and what holds where it says nothing.
struct Ours<'o> {
    world: &'o OktaServiceApp,
    label: &'o str,
    role: &'o str,
    keys: &'o [&'o ClientKey],
    scopes: &'o [&'o str],
}

struct Builder {
    at: Timestamp,
    now: i64,
    state: State,
    /// Scopes of our two service apps, with the app's place.
    own_scopes: Vec<(u32, Vec<String>, i64)>,
    told: Vec<(i64, Told)>,
}

impl Builder {
    fn new(at: Timestamp, world: &OktaWorld) -> Result<Self, String> {
        if world.limits.share == 0 || world.limits.share > 100 {
            return Err("limits: share is a percentage from 1 to 100".to_owned());
        }
        let custom_roles: Vec<(String, Vec<String>)> = world
            .custom_roles
            .iter()
            .map(|it| (it.label.clone(), it.permissions.clone()))
            .collect();
        let state = State {
            name: world.name.clone(),
            org_id: world.org_id.clone().unwrap_or_else(|| named("00o", &world.name)),
            subdomain: world.subdomain.clone(),
            api_access_management: world.api_access_management,
            client_privileges_setting: world.client_privileges_setting,
            behaviour: world.behaviour.clone(),
            limits: world.limits.clone(),
            users: Vec::new(),
            user_keys: HashMap::new(),
            apps: Vec::new(),
            app_keys: HashMap::new(),
            scope_names: Vec::new(),
            scope_sets: Vec::new(),
            grants: Vec::new(),
            tokens: Vec::new(),
            api_tokens: Vec::new(),
            services: Vec::new(),
            servers: Vec::new(),
            zones: Vec::new(),
            connections: Vec::new(),
            shares: Vec::new(),
            custom_roles,
            log: Log::default(),
            scanner: 0,
            revoker: 1,
            scanner_token: None,
            secrets_read: 0,
        };
        Ok(Self { at, now: at.as_second(), state, own_scopes: Vec::new(), told: Vec::new() })
    }

    fn time(&self, moment: Option<Moment>, default: i64) -> i64 {
        moment.map_or(default, |moment| moment.seconds(self.at))
    }

    fn roles(&self, whose: &str, names: &[String], created: i64) -> Result<Vec<Role>, String> {
        let find = |name: &String| {
            Role::find(name, &self.state.custom_roles, created)
                .ok_or_else(|| format!("{whose}: no role is called `{name}`"))
        };
        names.iter().map(find).collect()
    }

    fn user(&self, place: &str, login: &str) -> Result<u32, String> {
        self.state.any_user(login).ok_or_else(|| format!("{place}: no user is called `{login}`"))
    }

    fn some_user(&self, place: &str, login: Option<&String>) -> Result<Option<u32>, String> {
        login.map(|login| self.user(place, login)).transpose()
    }

    fn app(&self, place: &str, label: &str) -> Result<u32, String> {
        self.state
            .app_keys
            .get(label)
            .copied()
            .ok_or_else(|| format!("{place}: no app is called `{label}`"))
    }

    fn server(&self, place: &str, name: Option<&String>) -> Result<Option<u32>, String> {
        let Some(name) = name else { return Ok(None) };
        let found = (0_u32..).zip(&self.state.servers).find(|(_, server)| server.name == *name);
        let (server, _) =
            found.ok_or_else(|| format!("{place}: no authorization server is called `{name}`"))?;
        Ok(Some(server))
    }

    fn zone_ids(&self, place: &str, names: &[String]) -> Result<Vec<String>, String> {
        let find = |name: &String| {
            let zone = self.state.zones.iter().find(|zone| zone.facts.name == *name);
            zone.map(|zone| zone.id.clone())
                .ok_or_else(|| format!("{place}: no network zone is called `{name}`"))
        };
        names.iter().map(find).collect()
    }

    fn users(&mut self, worlds: Vec<OktaUser>) -> Result<(), String> {
        self.state.users.reserve(worlds.len());
        for mut facts in worlds {
            let number = place(self.state.users.len());
            let status = match facts.status.as_str() {
                "" => "ACTIVE",
                text => USER_STATUS
                    .iter()
                    .find(|status| **status == text)
                    .copied()
                    .ok_or_else(|| format!("user `{}`: `{text}` is no status", facts.login))?,
            };
            if facts.name.is_none() {
                facts.name = Some(full_name(&facts.login));
            }
            let created = self.time(facts.created, self.now - 2 * YEAR);
            let id = facts.id.clone().unwrap_or_else(|| named("00u", &facts.login));
            let login = facts.login.to_lowercase();
            let taken = self.state.user_keys.insert(login, number).is_some()
                || self.state.user_keys.insert(id.clone(), number).is_some();
            if taken {
                return Err(format!("two users are called `{}`", facts.login));
            }
            self.state.users.push(User {
                roles: self.roles(&format!("user `{}`", facts.login), &facts.roles, created)?,
                id,
                status,
                created,
                last_login: facts.last_login.map(|moment| moment.seconds(self.at)),
                status_changed: facts.status_changed.map(|moment| moment.seconds(self.at)),
                deleted: false,
                facts,
            });
        }
        Ok(())
    }

    fn apps(&mut self, world: &mut OktaWorld) -> Result<(), String> {
        for zone in &world.network_zones {
            let id = named("nzo", &zone.name);
            self.state.zones.push(Zone { id, facts: zone.clone() });
        }
        let ring = keyring().map_err(|error| error.to_string())?;
        let everything: Vec<&str> = READ_SCOPES.iter().chain(&MANAGE_SCOPES).copied().collect();
        let ours = [
            Ours {
                world: &world.scanner,
                label: "Grantwarden",
                role: "READ_ONLY_ADMIN",
                keys: &[&ring.scanner, &ring.scanner_ec],
                scopes: &READ_SCOPES,
            },
            Ours {
                world: &world.revoker,
                label: "Grantwarden revoker",
                role: "SUPER_ADMIN",
                keys: &[&ring.revoker],
                scopes: &everything,
            },
        ];
        for service in &ours {
            self.service_app(service)?;
        }
        for app in std::mem::take(&mut world.apps) {
            self.add_app(app, None)?;
        }
        Ok(())
    }

    fn service_app(&mut self, ours: &Ours<'_>) -> Result<(), String> {
        let world = ours.world;
        let created = world.created.unwrap_or(Moment::FromNow(-40 * 86_400));
        let app = OktaApp {
            label: world.label.clone().unwrap_or_else(|| ours.label.to_owned()),
            id: world.client_id.clone(),
            kind: OktaAppKind::Service,
            created,
            roles: world.roles.clone().unwrap_or_else(|| vec![ours.role.to_owned()]),
            dpop: self.state.behaviour.dpop == OktaDpop::Required,
            ..OktaApp::default()
        };
        let usual = || ours.scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let scopes = world.scopes.clone().unwrap_or_else(usual);
        let number = place(self.state.apps.len());
        self.own_scopes.push((number, scopes, created.seconds(self.at)));
        self.add_app(app, Some(ours.keys))
    }

    fn add_app(&mut self, facts: OktaApp, real: Option<&[&ClientKey]>) -> Result<(), String> {
        let number = place(self.state.apps.len());
        let whose = format!("app `{}`", facts.label);
        let created = facts.created.seconds(self.at);
        let id = facts.id.clone().unwrap_or_else(|| named("0oa", &facts.label));
        let client_id = facts.client_id.clone().unwrap_or_else(|| id.clone());
        let active = match facts.status.as_str() {
            "" | "ACTIVE" => true,
            "INACTIVE" => false,
            other => return Err(format!("{whose}: `{other}` is no status")),
        };
        for key in [facts.label.clone(), id.clone()] {
            if self.state.app_keys.insert(key, number).is_some() {
                return Err(format!("two apps are called `{}`", facts.label));
            }
        }
        if client_id != id && self.state.app_keys.insert(client_id.clone(), number).is_some() {
            return Err(format!("{whose}: its client id is taken"));
        }
        let method = auth_method(&facts);
        let own = vec![OktaCredential { created: facts.created, active: true }];
        let usual = |wanted: bool| if wanted { own.clone() } else { Vec::new() };
        let secrets =
            facts.secrets.clone().unwrap_or_else(|| usual(method.starts_with("client_secret")));
        let keys = facts.keys.clone().unwrap_or_else(|| usual(method == "private_key_jwt"));
        let keys = match real {
            None => self.credentials("pks", &facts.label, &keys),
            Some(keys) => {
                let real = |key: &&ClientKey| Credential {
                    id: named("pks", &format!("{}/{}", facts.label, key.kid)),
                    created,
                    updated: created,
                    active: true,
                    jwk: Some(key.jwk.clone()),
                };
                keys.iter().map(real).collect()
            }
        };
        self.state.apps.push(App {
            roles: self.roles(&whose, &facts.roles, created)?,
            zones: self.zone_ids(&whose, &facts.zones)?,
            secrets: self.credentials("ocs", &facts.label, &secrets),
            keys,
            active,
            deleted: false,
            created,
            updated: self.time(facts.last_updated, created),
            id,
            client_id,
            facts,
        });
        Ok(())
    }

    fn credentials(&self, prefix: &str, whose: &str, worlds: &[OktaCredential]) -> Vec<Credential> {
        let make = |(number, it): (usize, &OktaCredential)| {
            let created = it.created.seconds(self.at);
            Credential {
                id: named(prefix, &format!("{whose}/{number}")),
                created,
                updated: created,
                active: it.active,
                jwk: None::<Json>,
            }
        };
        worlds.iter().enumerate().map(make).collect()
    }

    fn servers(&mut self, world: &OktaWorld) -> Result<(), String> {
        for server in &world.authorization_servers {
            let id = if server.name == "default" {
                "default".to_owned()
            } else {
                named("aus", &server.name)
            };
            let mut policies = Vec::new();
            for policy in &server.policies {
                let clients: Result<Vec<String>, String> = policy
                    .clients
                    .iter()
                    .map(|label| {
                        Ok(self.state.apps[self.app("policy", label)? as usize].client_id.clone())
                    })
                    .collect();
                let key = format!("{}/{}", server.name, policy.name);
                let rules = policy
                    .rules
                    .iter()
                    .map(|rule| (named("0pr", &format!("{key}/{}", rule.name)), rule.clone()));
                policies.push(Policy {
                    id: named("00p", &key),
                    name: policy.name.clone(),
                    clients: clients?,
                    rules: rules.collect(),
                });
            }
            self.state.servers.push(Server {
                id,
                name: server.name.clone(),
                audience: server.audience.clone(),
                status: server.status.clone().unwrap_or_else(|| "ACTIVE".to_owned()),
                scopes: server.scopes.clone(),
                created: self.time(server.created, self.now - YEAR),
                policies,
            });
        }
        Ok(())
    }

    fn grants(&mut self, world: &OktaWorld) -> Result<(), String> {
        for (app, scopes, created) in std::mem::take(&mut self.own_scopes) {
            for scope in scopes {
                let scope = self.state.scope_number(&scope);
                let life = Life::Active;
                self.state.grants.push(Grant {
                    app,
                    scope,
                    user: None,
                    server: None,
                    created,
                    created_by: None,
                    life,
                });
            }
        }
        for grant in &world.grants {
            let grant = self.grant(grant)?;
            self.state.grants.push(grant);
        }
        Ok(())
    }

    fn grant(&mut self, world: &OktaGrant) -> Result<Grant, String> {
        Ok(Grant {
            app: self.app("grant", &world.app)?,
            scope: self.state.scope_number(&world.scope),
            user: self.some_user("grant", world.user.as_ref())?,
            server: self.server("grant", world.server.as_ref())?,
            created: self.time(world.created, self.now - 30 * 86_400),
            created_by: self.some_user("grant", world.created_by.as_ref())?,
            life: if world.revoked { Life::Revoked } else { Life::Active },
        })
    }

    fn tokens(
        &mut self,
        world: &OktaWorld,
        generated: Option<&super::generate::OktaScale>,
    ) -> Result<(), String> {
        for token in &world.refresh_tokens {
            let token = self.token(token)?;
            self.state.tokens.push(token);
        }
        if let Some(scale) = generated {
            super::generate::add_rows(&mut self.state, scale, self.now);
        }
        Ok(())
    }

    fn token(&mut self, world: &OktaRefreshToken) -> Result<RefreshToken, String> {
        let created = self.time(world.created, self.now - 30 * 86_400);
        let known = self.state.scope_sets.iter().position(|set| *set == world.scopes);
        let scopes = known.unwrap_or_else(|| {
            self.state.scope_sets.push(world.scopes.clone());
            self.state.scope_sets.len() - 1
        });
        Ok(RefreshToken {
            app: self.app("refresh token", &world.app)?,
            user: self.user("refresh token", &world.user)?,
            scopes: place(scopes),
            server: self.server("refresh token", world.server.as_ref())?,
            created,
            updated: self.time(world.last_used, created),
            expires: self.time(world.expires, created + 90 * 86_400),
            life: Life::Active,
        })
    }

    fn rest(&mut self, world: &OktaWorld) -> Result<(), String> {
        for token in &world.api_tokens {
            let token = self.api_token(token)?;
            self.state.api_tokens.push(token);
        }
        if let Some(login) = &world.scanner_user {
            let own = OktaApiToken {
                name: "Grantwarden".to_owned(),
                user: login.clone(),
                created: world.scanner.created,
                last_used: Some(Moment::FromNow(0)),
                ..OktaApiToken::default()
            };
            let own = self.api_token(&own)?;
            self.state.scanner_token = Some(place(self.state.api_tokens.len()));
            self.state.api_tokens.push(own);
        }
        for service in &world.api_services {
            let created = self.time(service.created, self.now - YEAR);
            let own =
                [OktaCredential { created: Moment::FromNow(created - self.now), active: true }];
            let secrets = if service.secrets.is_empty() { &own[..] } else { &service.secrets[..] };
            let slug: String =
                service.name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
            self.state.services.push(Service {
                id: service
                    .id
                    .clone()
                    .unwrap_or_else(|| named("0oa", &format!("service/{}", service.name))),
                kind: service.kind.clone().unwrap_or_else(|| format!("{slug}_cie")),
                name: service.name.clone(),
                scopes: service.scopes.clone(),
                created,
                created_by: self.some_user("api service", service.created_by.as_ref())?,
                secrets: self.credentials("ocs", &format!("service/{}", service.name), secrets),
                gone: false,
            });
        }
        for link in &world.cross_app_connections {
            let key = format!("{}/{}", link.requesting, link.resource);
            self.state.connections.push(Connection {
                id: named("cwo", &key),
                requesting: self.app("cross-app connection", &link.requesting)?,
                resource: self.app("cross-app connection", &link.resource)?,
                created: self.time(link.created, self.now - YEAR),
                active: !link.inactive,
            });
        }
        for limit in &world.principal_rate_limits {
            let token = self.state.api_token(&limit.principal);
            let (principal, kind) = match token {
                Some(token) => (self.state.api_tokens[token].id.clone(), "SSWS_TOKEN"),
                None => {
                    let app = self.app("principal rate limit", &limit.principal)?;
                    (self.state.apps[app as usize].client_id.clone(), "OAUTH_CLIENT")
                }
            };
            self.state.shares.push(Share { principal, kind, percentage: limit.percentage });
        }
        // Labels were keys while names were resolved; to the API they are none.
        let labels: Vec<String> =
            self.state.apps.iter().map(|app| app.facts.label.clone()).collect();
        for label in labels {
            self.state.app_keys.remove(&label);
        }
        Ok(())
    }

    fn api_token(&self, world: &OktaApiToken) -> Result<ApiToken, String> {
        let created = self.time(world.created, self.now - 30 * 86_400);
        let seed = world.name.bytes().fold(11, |seed, byte| mix(seed ^ u64::from(byte)));
        Ok(ApiToken {
            id: world.id.clone().unwrap_or_else(|| named("00T", &world.name)),
            name: world.name.clone(),
            user: self.user("api token", &world.user)?,
            client_name: world.client_name.clone().unwrap_or_else(|| "Okta API".to_owned()),
            created,
            updated: self.time(world.last_used, created),
            window_days: world.window_days.unwrap_or(30),
            include: self.zone_ids("api token", &world.zones)?,
            exclude: Vec::new(),
            secret: format!("00FAKE{}", letters(seed, 36)),
            gone: false,
        })
    }

    fn log(&mut self, world: &OktaWorld) -> Result<(), String> {
        for event in &world.events {
            let told = self.event(event)?;
            self.told.push(told);
        }
        let state = &self.state;
        let mut happenings = Vec::new();
        for (number, app) in (0_u32..).zip(&state.apps) {
            happenings.push((app.created, Happening::AppMade(number)));
            if app.is_oidc() {
                happenings.push((app.created, Happening::ClientMade(number)));
            }
        }
        let consents = (0_u32..).zip(&state.grants);
        happenings
            .extend(consents.map(|(number, grant)| (grant.created, Happening::Consent(number))));
        for (number, token) in (0_u32..).zip(&state.tokens) {
            happenings.push((token.created, Happening::TokenGiven(number)));
            if token.updated > token.created {
                happenings.push((token.updated, Happening::TokenUsed(number)));
            }
        }
        let made = (0_u32..).zip(&state.api_tokens);
        happenings
            .extend(made.map(|(number, token)| (token.created, Happening::ApiTokenMade(number))));
        let services = (0_u32..).zip(&state.services);
        happenings.extend(
            services.map(|(number, it)| (it.created, Happening::ServiceAuthorized(number))),
        );
        let told = (0_u32..).zip(&self.told);
        happenings.extend(told.map(|(number, (at, _))| (*at, Happening::Told(number))));
        let oldest = self.now - LOG_SECONDS - 86_400;
        happenings.retain(|(at, _)| *at >= oldest);
        let happenings = happenings.into_iter().map(|(at, it)| (at * 1_000, it)).collect();
        let told = std::mem::take(&mut self.told).into_iter().map(|(_, told)| told).collect();
        self.state.log = Log::new(happenings, told);
        Ok(())
    }

    fn event(&self, world: &OktaEvent) -> Result<(i64, Told), String> {
        let state = &self.state;
        let party = |name: &String| {
            if let Some(user) = state.any_user(name) {
                return Ok(Party::user(state, user));
            }
            if let Some(app) = state.any_app(name) {
                return Ok(Party::app(state, app));
            }
            if let Some(token) = state.api_token(name) {
                return Ok(Party::new(&state.api_tokens[token].id, "Token", name));
            }
            if let Some(service) = state.service(name) {
                return Ok(Party::new(&state.services[service].id, "AppInstance", name));
            }
            Err(format!("event `{}`: nothing is called `{name}`", world.kind))
        };
        let actor = world.actor.as_ref().map(party).transpose()?.unwrap_or_else(Party::system);
        let targets: Result<Vec<Party>, String> = world.targets.iter().map(party).collect();
        let message = world.message.clone().unwrap_or_else(|| world.kind.replace(['.', '_'], " "));
        let mut told = Told::new(&world.kind, &message, actor, targets?);
        told.result = world.result.clone().unwrap_or(told.result);
        told.reason.clone_from(&world.reason);
        told.ip.clone_from(&world.ip);
        told.debug = world.debug.clone();
        Ok((self.time(world.at, self.now - 86_400), told))
    }
}

/// How a client proves itself.
pub(super) fn auth_method(app: &OktaApp) -> &str {
    let usual = match app.kind {
        OktaAppKind::Web => "client_secret_basic",
        OktaAppKind::Service => "private_key_jwt",
        OktaAppKind::Browser | OktaAppKind::Native | OktaAppKind::Saml | OktaAppKind::Bookmark => {
            "none"
        }
    };
    app.auth_method.as_deref().unwrap_or(usual)
}

/// `mei.tanaka@northwind.example` as a name.
fn full_name(login: &str) -> String {
    let local = login.split('@').next().unwrap_or_default();
    let word = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string());
        format!("{}{}", first.unwrap_or_default(), letters.as_str())
    };
    local.split(['.', '-', '_']).map(word).collect::<Vec<_>>().join(" ")
}
