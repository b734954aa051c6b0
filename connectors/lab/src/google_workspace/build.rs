//! From a world file to the living state: names become indices, times become seconds, histories
//! become events. Everything that contradicts itself is refused here.

use std::collections::HashMap;

use jiff::Timestamp;

use super::access::{Role, SCOPE_PREFIX, SCOPES};
use super::events::{Happening, Log, mix};
use super::grants::{Grant, Grants, Second, place, second};
use super::state::{AdminEvent, App, LOG_SECONDS, Password, State, User};
use super::world::{GoogleApp, GoogleToken, GoogleUser, GoogleWorld};

/// Resolves a world; the error says what contradicts itself.
pub(super) fn build(world: GoogleWorld, now: Timestamp) -> Result<State, String> {
    Builder { now: now.as_second(), at: now }.build(world)
}

struct Builder {
    now: i64,
    at: Timestamp,
}

impl Builder {
    fn build(&self, mut world: GoogleWorld) -> Result<State, String> {
        let domain = match world.domain.as_str() {
            "" => return Err("a domain is missing".to_owned()),
            domain => domain.to_owned(),
        };
        let customer_id = world.customer_id.take().unwrap_or_else(|| {
            let seed = world.name.bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)));
            format!("C0{}", letters(seed, 7))
        });
        let users: Vec<User> = (0..)
            .zip(std::mem::take(&mut world.users))
            .map(|(index, facts)| self.user(index, facts))
            .collect();
        let user_keys = keys(&users)?;
        let subject = find(&user_keys, &world.scanner.subject)
            .map_err(|problem| format!("scanner: {problem}"))?;
        let apps: Vec<App> = (0..)
            .zip(std::mem::take(&mut world.apps))
            .map(|(index, facts)| app(index, facts))
            .collect();
        let stories = Stories { user_keys: &user_keys, apps: &apps };
        let generated = std::mem::take(&mut world.generated);
        let mut scope_sets = std::mem::take(&mut world.generated_scopes);
        let mut grants = Grants::new(users.len(), generated.len() + world.tokens.len());
        for grant in generated {
            grants.add(grant);
        }
        let mut happenings = Vec::new();
        let mut addresses = HashMap::new();
        for token in &world.tokens {
            let grant = self.grant(token, &stories, &mut scope_sets)?;
            if grant.revoked.is_none()
                && grants.find(grant.user as usize, grant.app as usize).is_some()
            {
                return Err(format!("{} has two live grants to `{}`", token.user, token.app));
            }
            let index = grants.add(grant);
            if let Some(address) = &token.ip {
                addresses.insert(index, address.clone());
            }
            let again = token.authorized_again.iter();
            happenings
                .extend(again.map(|moment| (moment.seconds(self.at), Happening::Authorize(index))));
        }
        let used = world.edition.token_activity_events;
        happenings.extend((0..).zip(grants.all()).flat_map(|(index, grant)| {
            let at = |second: Second| i64::from(second.get());
            let authorized = Some((at(grant.authorized), Happening::Authorize(index)));
            let revoked = grant.revoked.map(|time| (at(time), Happening::Revoke(index)));
            let last = grant.last_used.filter(|_| used);
            let used = last.map(|time| (at(time), Happening::Used(index)));
            [authorized, revoked, used].into_iter().flatten()
        }));
        for (index, denied) in (0..).zip(&world.denied) {
            stories.user(&denied.user).map_err(|problem| format!("denied: {problem}"))?;
            stories.app(&denied.app).map_err(|problem| format!("denied: {problem}"))?;
            happenings.push((denied.at.seconds(self.at), Happening::Denied(index)));
        }
        let (admin_events, admin_log) = self.admin(&world, &stories, &domain)?;
        let oldest = self.now - LOG_SECONDS - 86_400;
        happenings.retain(|(at, _)| *at >= oldest);
        let passwords = self.passwords(&world, &stories)?;
        let delegated = match world.scanner.scopes.take() {
            Some(scopes) => scopes.into_iter().collect(),
            None => SCOPES.iter().map(|scope| format!("{SCOPE_PREFIX}{scope}")).collect(),
        };
        let mut by_email: Vec<u32> = (0..place(users.len())).collect();
        by_email.sort_by_key(|user| &users[*user as usize].facts.email);
        Ok(State {
            by_email,
            name: world.name,
            customer_id,
            domain,
            service_account: Role::new(false, &world.scanner.privileges),
            scanner: world.scanner,
            edition: world.edition,
            behaviour: world.behaviour,
            users,
            user_keys,
            apps,
            scope_sets,
            grants,
            addresses,
            denied: world.denied,
            admin_events,
            token_log: Log::new(happenings),
            admin_log,
            passwords,
            policies: world.policies,
            extensions: world.chrome_extensions,
            subject,
            delegated,
        })
    }

    fn user(&self, index: u64, facts: GoogleUser) -> User {
        User {
            id: facts.id.clone().unwrap_or_else(|| format!("1{:020}", 7_000_000_000_000 + index)),
            created: facts.created.seconds(self.at),
            last_login: facts.last_login.map(|moment| moment.seconds(self.at)),
            deleted: facts.deleted.map(|moment| moment.seconds(self.at)),
            suspended: facts.suspended,
            role: Role::new(facts.admin, &facts.privileges),
            facts,
        }
    }

    fn grant(
        &self,
        token: &GoogleToken,
        stories: &Stories<'_>,
        scope_sets: &mut Vec<Vec<String>>,
    ) -> Result<Grant, String> {
        let named = |problem: String| format!("token: {problem}");
        let known = scope_sets.iter().position(|set| *set == token.scopes);
        let scopes = known.unwrap_or_else(|| {
            scope_sets.push(token.scopes.clone());
            scope_sets.len() - 1
        });
        Ok(Grant {
            user: place(stories.user(&token.user).map_err(named)?),
            app: place(stories.app(&token.app).map_err(named)?),
            scopes: place(scopes),
            authorized: second(token.authorized.seconds(self.at)),
            last_used: token.last_used.map(|moment| second(moment.seconds(self.at))),
            revoked: token.revoked.map(|moment| second(moment.seconds(self.at))),
        })
    }

    fn admin(
        &self,
        world: &GoogleWorld,
        stories: &Stories<'_>,
        domain: &str,
    ) -> Result<(Vec<AdminEvent>, Log), String> {
        let mut events = Vec::new();
        let mut happenings = Vec::new();
        let mut push = |at: i64, event: AdminEvent| {
            happenings.push((at, Happening::Admin(place(events.len()))));
            events.push(event);
        };
        for client in &world.dwd_clients {
            let moments = [
                ("AUTHORIZE_API_CLIENT_ACCESS", client.added),
                ("REMOVE_API_CLIENT_ACCESS", client.removed),
            ];
            for (name, moment) in moments {
                let Some(moment) = moment else { continue };
                let parameters = [
                    ("API_CLIENT_NAME", client.client.clone()),
                    ("API_SCOPES", client.scopes.join(", ")),
                    ("DOMAIN_NAME", domain.to_owned()),
                ];
                push(
                    moment.seconds(self.at),
                    AdminEvent {
                        kind: "DOMAIN_SETTINGS",
                        name: name.to_owned(),
                        by: stories.admin(client.by.as_deref())?,
                        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
                    },
                );
            }
        }
        for trust in &world.trust {
            let mut parameters: Vec<(String, String)> = Vec::new();
            if let Some(name) = &trust.app {
                let app = &stories.apps[stories.app(name).map_err(|p| format!("trust: {p}"))?];
                let kind = if app.facts.native { "NATIVE" } else { "WEB" };
                parameters.extend([
                    ("OAUTH2_APP_ID".to_owned(), app.client_id.clone()),
                    ("OAUTH2_APP_TYPE".to_owned(), kind.to_owned()),
                    ("OAUTH2_APP_NAME".to_owned(), app.facts.name.clone()),
                ]);
            }
            if let Some(unit) = &trust.org_unit {
                parameters.push(("ORG_UNIT_NAME".to_owned(), unit.clone()));
            }
            parameters.extend(trust.parameters.clone());
            let by = stories.admin(trust.by.as_deref())?;
            let name = trust.event.clone();
            push(
                trust.at.seconds(self.at),
                AdminEvent { kind: "SECURITY_SETTINGS", name, by, parameters },
            );
        }
        Ok((events, Log::new(happenings)))
    }

    fn passwords(
        &self,
        world: &GoogleWorld,
        stories: &Stories<'_>,
    ) -> Result<Vec<Password>, String> {
        let mut passwords: Vec<Password> = Vec::new();
        for story in &world.app_passwords {
            let user = stories.user(&story.user).map_err(|p| format!("app password: {p}"))?;
            let before = passwords.iter().filter(|password| password.user == user).count();
            passwords.push(Password {
                user,
                code: i32::try_from(before).unwrap_or(i32::MAX),
                name: story.name.clone(),
                created: story.created.seconds(self.at),
                last_used: story.last_used.map_or(0, |moment| moment.seconds(self.at)),
                deleted: false,
            });
        }
        Ok(passwords)
    }
}

/// Names of a world, resolved.
struct Stories<'w> {
    user_keys: &'w HashMap<String, u32>,
    apps: &'w [App],
}

impl Stories<'_> {
    fn user(&self, email: &str) -> Result<usize, String> {
        find(self.user_keys, email)
    }

    fn admin(&self, email: Option<&str>) -> Result<Option<usize>, String> {
        email.map(|email| self.user(email)).transpose()
    }

    fn app(&self, name: &str) -> Result<usize, String> {
        let found = self.apps.iter().position(|app| app.facts.name == name);
        found.ok_or_else(|| format!("no app is called `{name}`"))
    }
}

fn find(user_keys: &HashMap<String, u32>, email: &str) -> Result<usize, String> {
    let found = user_keys.get(&email.to_ascii_lowercase());
    found.map(|user| *user as usize).ok_or_else(|| format!("no user is called `{email}`"))
}

fn keys(users: &[User]) -> Result<HashMap<String, u32>, String> {
    let mut found = HashMap::with_capacity(users.len() * 2);
    for (index, user) in (0..).zip(users) {
        if !user.facts.email.contains('@') {
            return Err(format!("`{}` is not an address", user.facts.email));
        }
        let names = [&user.id, &user.facts.email].into_iter().chain(&user.facts.aliases);
        for name in names {
            if found.insert(name.to_ascii_lowercase(), index).is_some() {
                return Err(format!("two users are called `{name}`"));
            }
        }
    }
    Ok(found)
}

fn app(index: u64, facts: GoogleApp) -> App {
    let project = facts.project.clone().unwrap_or_else(|| (100_000_000_000 + index).to_string());
    let made = || format!("{project}-{}.apps.googleusercontent.com", letters(mix(index), 32));
    let kind = if facts.native { "NATIVE_APPLICATION" } else { "WEB" };
    App {
        client_id: facts.client_id.clone().unwrap_or_else(made),
        client_type: facts.client_type.clone().unwrap_or_else(|| kind.to_owned()),
        facts,
    }
}

/// So many small letters and digits, the same for the same seed.
fn letters(mut seed: u64, count: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuv0123456789";
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        seed = mix(seed);
        text.push(char::from(ALPHABET[(seed >> 59) as usize]));
    }
    text
}
