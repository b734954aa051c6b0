//! The audit logs: events that follow from the other tables and from what calls change, and those that
//! the world tells. Which of them a caller gets is decided by the phrase and the window.

use serde_json::{Map, Value as Json, json};

use super::Core;
use super::error::{Answer, Refusal, answer};
use super::paging::{Paging, per_page};
use super::phrase::Phrase;
use super::state::{HookPlace, State};
use super::world::CredentialKind;
use crate::wire::Request;

/// How far back an answer reaches without `created:`, in seconds.
const DEFAULT_WINDOW: i64 = 90 * 86_400;

/// What happened; the number is the row it happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    InstallationMade(usize),
    InstallationSuspended(usize),
    InstallationNarrowed(usize),
    InstallationGone(usize),
    CredentialMade(usize),
    CredentialGone(usize),
    PatMade(usize),
    PatGone(usize),
    PatAsked(usize),
    PatDenied(usize),
    KeyMade(usize),
    KeyGone(usize),
    HookMade(usize),
    HookGone(usize),
    /// Whether OAuth apps need the organisation's approval was decided.
    OauthPolicy(usize),
    Told(usize),
}

/// One event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    /// Milliseconds since the epoch, of the world.
    pub(crate) at: i64,
    /// Order among events of one millisecond.
    pub(crate) number: u32,
    pub(crate) happening: Happening,
}

/// An event that the world tells.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) organisation: Option<usize>,
    pub(crate) action: String,
    pub(crate) actor: Option<usize>,
    pub(crate) git: bool,
    pub(crate) fields: Map<String, Json>,
}

/// All events, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Vec<Event>,
    pub(crate) told: Vec<Told>,
    next: u32,
}

impl Log {
    /// Adds an event of a second; events may come in any order.
    pub(crate) fn push(&mut self, at: i64, happening: Happening) {
        self.next += 1;
        // Real events are not on full seconds.
        let at = at * 1_000 + i64::from(self.next.wrapping_mul(37) % 1_000);
        let event = Event { at, number: self.next, happening };
        let place = self.events.partition_point(|other| other.key() <= event.key());
        self.events.insert(place, event);
    }

    /// Adds many at once, which is cheaper.
    pub(crate) fn extend(&mut self, events: impl IntoIterator<Item = (i64, Happening)>) {
        for (at, happening) in events {
            self.next += 1;
            let at = at * 1_000 + i64::from(self.next.wrapping_mul(37) % 1_000);
            self.events.push(Event { at, number: self.next, happening });
        }
        self.events.sort_by_key(Event::key);
    }
}

impl Event {
    pub(crate) fn key(&self) -> (i64, u32) {
        (self.at, self.number)
    }
}

/// Which log is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    Organisation(usize),
    Enterprise,
}

impl State {
    /// `action` of an event.
    pub(super) fn action(&self, happening: Happening) -> &str {
        match happening {
            Happening::InstallationMade(_) => "integration_installation.create",
            Happening::InstallationSuspended(_) => "integration_installation.suspend",
            Happening::InstallationNarrowed(_) => "integration_installation.repositories_removed",
            Happening::InstallationGone(_) => "integration_installation.destroy",
            Happening::CredentialMade(_) => "org_credential_authorization.grant",
            Happening::CredentialGone(_) => "org_credential_authorization.revoke",
            Happening::PatMade(_) => "personal_access_token.access_granted",
            Happening::PatGone(_) => "personal_access_token.access_revoked",
            Happening::PatAsked(_) => "personal_access_token.request_created",
            Happening::PatDenied(_) => "personal_access_token.request_denied",
            Happening::KeyMade(_) => "public_key.create",
            Happening::KeyGone(_) => "public_key.delete",
            Happening::HookMade(_) => "hook.create",
            Happening::HookGone(_) => "hook.destroy",
            Happening::OauthPolicy(row) => {
                match self.organisations[row].facts.oauth_app_restrictions {
                    true => "org.enable_oauth_app_restrictions",
                    false => "org.disable_oauth_app_restrictions",
                }
            }
            Happening::Told(index) => &self.log.told[index].action,
        }
    }

    pub(super) fn event_organisation(&self, happening: Happening) -> Option<usize> {
        Some(match happening {
            Happening::InstallationMade(row)
            | Happening::InstallationSuspended(row)
            | Happening::InstallationNarrowed(row)
            | Happening::InstallationGone(row) => self.installations[row].organisation,
            Happening::CredentialMade(row) | Happening::CredentialGone(row) => {
                self.credentials[row].organisation as usize
            }
            Happening::PatMade(row) | Happening::PatGone(row) => {
                self.pats[row].organisation as usize
            }
            Happening::PatAsked(row) | Happening::PatDenied(row) => {
                self.pat_requests[row].pat.organisation as usize
            }
            Happening::KeyMade(row) | Happening::KeyGone(row) => {
                self.repositories[self.deploy_keys[row].repository].organisation
            }
            Happening::HookMade(row) | Happening::HookGone(row) => match self.hooks[row].place {
                HookPlace::Organisation(organisation) => organisation,
                HookPlace::Repository(repository) => self.repositories[repository].organisation,
            },
            Happening::OauthPolicy(row) => row,
            Happening::Told(index) => return self.log.told[index].organisation,
        })
    }

    /// Login of whoever did it, as far as the lab knows.
    pub(super) fn event_actor(&self, happening: Happening) -> Option<&str> {
        let user = |index: usize| self.users.get(index).map(|user| user.login.as_str());
        match happening {
            Happening::InstallationMade(row)
            | Happening::InstallationSuspended(row)
            | Happening::InstallationNarrowed(row)
            | Happening::InstallationGone(row) => self.installations[row].by.and_then(user),
            Happening::CredentialMade(row) => user(self.credentials[row].user as usize),
            Happening::PatMade(row) => user(self.pats[row].user as usize),
            Happening::PatAsked(row) => user(self.pat_requests[row].pat.user as usize),
            Happening::KeyMade(row) => self.deploy_keys[row].added_by.as_deref(),
            Happening::HookMade(row) => self.hooks[row].by.as_deref(),
            Happening::Told(index) => self.log.told[index].actor.and_then(user),
            Happening::OauthPolicy(_)
            | Happening::CredentialGone(_)
            | Happening::PatGone(_)
            | Happening::PatDenied(_)
            | Happening::KeyGone(_)
            | Happening::HookGone(_) => None,
        }
    }

    fn event_json(&self, event: &Event) -> Json {
        let mut body = Map::new();
        body.insert("@timestamp".to_owned(), json!(event.at));
        body.insert("created_at".to_owned(), json!(event.at));
        body.insert("_document_id".to_owned(), json!(format!("FAKE{:018x}", event.number)));
        body.insert("action".to_owned(), json!(self.action(event.happening)));
        if let Some(actor) = self.event_actor(event.happening) {
            body.insert("actor".to_owned(), json!(actor));
            if let Some(user) = self.users.iter().find(|user| user.login == actor) {
                body.insert("actor_id".to_owned(), json!(user.id));
            }
            body.insert("actor_location".to_owned(), json!({ "country_code": "DE" }));
        }
        if let Some(organisation) = self.event_organisation(event.happening) {
            let organisation = &self.organisations[organisation];
            body.insert("org".to_owned(), json!(organisation.facts.login));
            body.insert("org_id".to_owned(), json!(organisation.id));
        }
        if let Some(enterprise) = &self.enterprise {
            body.insert("business".to_owned(), json!(enterprise.slug));
            body.insert("business_id".to_owned(), json!(super::ENTERPRISE_ID));
        }
        self.add_fields(event.happening, &mut body);
        Json::Object(body)
    }

    fn add_fields(&self, happening: Happening, body: &mut Map<String, Json>) {
        let fields = match happening {
            Happening::InstallationMade(row)
            | Happening::InstallationSuspended(row)
            | Happening::InstallationGone(row)
            | Happening::InstallationNarrowed(row) => self.installation_fields(happening, row),
            Happening::CredentialMade(row) | Happening::CredentialGone(row) => {
                self.credential_fields(row)
            }
            Happening::PatMade(row) | Happening::PatGone(row) => {
                let pat = &self.pats[row];
                self.pat_fields(pat.user, pat.token_id, &pat.name)
            }
            Happening::PatAsked(row) | Happening::PatDenied(row) => {
                let pat = &self.pat_requests[row].pat;
                self.pat_fields(pat.user, pat.token_id, &pat.name)
            }
            Happening::KeyMade(row) | Happening::KeyGone(row) => {
                let key = &self.deploy_keys[row];
                json!({
                    "name": key.title,
                    "repo": self.full_name(key.repository),
                    "read_only": key.read_only,
                    "fingerprint": fingerprint(key.id),
                })
            }
            Happening::HookMade(row) | Happening::HookGone(row) => {
                let hook = &self.hooks[row];
                let mut fields = json!({
                    "hook_id": hook.id,
                    "name": "web",
                    "active": hook.active,
                    "events": hook.events,
                });
                if let HookPlace::Repository(repository) = hook.place {
                    fields["repo"] = json!(self.full_name(repository));
                }
                fields
            }
            Happening::OauthPolicy(_) => json!({}),
            Happening::Told(index) => Json::Object(self.log.told[index].fields.clone()),
        };
        if let Json::Object(fields) = fields {
            body.extend(fields);
        }
    }

    fn installation_fields(&self, happening: Happening, row: usize) -> Json {
        let installation = &self.installations[row];
        let app = &self.apps[installation.app];
        let mut fields = json!({
            "integration": app.slug,
            "name": app.name,
            "application_client_id": app.client_id,
            "repository_selection": match installation.repositories {
                None => "all",
                Some(_) => "selected",
            },
        });
        let made = matches!(happening, Happening::InstallationMade(_));
        if let (true, Some(repositories)) = (made, &installation.repositories) {
            let names: Vec<String> =
                repositories.iter().map(|index| self.full_name(*index as usize)).collect();
            fields["repositories_added_names"] = json!(names);
        }
        fields
    }

    fn credential_fields(&self, row: usize) -> Json {
        let credential = &self.credentials[row];
        let mut fields = json!({ "user": self.users[credential.user as usize].login });
        match credential.kind {
            CredentialKind::SshKey => fields["fingerprint"] = json!(fingerprint(credential.id)),
            kind => {
                let scopes = &self.scope_sets[credential.scopes as usize];
                fields["managed_hashed_token"] = json!(hashed_token(credential.id));
                fields["managed_token_scopes"] = json!(scopes.join(","));
                fields["oauth_credential_type"] = json!(super::credentials::kind_text(kind));
                if let Some(app) = &credential.app {
                    fields["oauth_application_name"] = json!(app);
                }
            }
        }
        fields
    }

    fn pat_fields(&self, user: u32, token_id: u64, name: &str) -> Json {
        json!({
            "user": self.users[user as usize].login,
            "user_programmatic_access_name": name,
            "token_id": token_id,
        })
    }
}

/// A made-up fingerprint of a key.
pub(crate) fn fingerprint(id: u64) -> String {
    format!("SHA256:FAKE{id:038}")
}

/// A made-up hash of a token.
pub(crate) fn hashed_token(id: u64) -> String {
    format!("FAKE{id:039}=")
}

impl Core {
    /// `GET /orgs/{org}/audit-log` and `GET /enterprises/{enterprise}/audit-log`.
    pub(super) fn list_audit(&self, state: &State, scope: Scope, request: &Request) -> Answer {
        super::params::only(
            request,
            &["phrase", "include", "order", "after", "before", "per_page", "page"],
        )?;
        let phrase = Phrase::parse(request.param("phrase").unwrap_or_default())?;
        let include = super::params::word(request, "include", &["web", "git", "all"])?;
        let ascending = super::params::word(request, "order", &["asc", "desc"])? == Some("asc");
        let now = self.now();
        let oldest = (now - DEFAULT_WINDOW) * 1_000;
        let wanted = |event: &&Event| {
            let told = match event.happening {
                Happening::Told(index) => Some(&state.log.told[index]),
                _ => None,
            };
            let git = told.is_some_and(|told| told.git);
            let included = match include {
                Some("all") => true,
                Some("git") => git,
                _ => !git,
            };
            let here = match scope {
                Scope::Enterprise => true,
                Scope::Organisation(organisation) => {
                    state.event_organisation(event.happening) == Some(organisation)
                }
            };
            included
                && here
                && event.at <= now * 1_000 + 999
                && (phrase.dated() || event.at >= oldest)
                && phrase.wants(state, event)
        };
        let size = per_page(request, state);
        let after = self.pages.audit_position(request, "after", self.page_rules(state))?;
        let before = self.pages.audit_position(request, "before", self.page_rules(state))?;
        if after.is_some() && before.is_some() {
            return Err(Refusal::validation("AuditLog", "after", "invalid", ""));
        }
        let ordered = |key: (i64, u32), mark: (i64, u32)| {
            if ascending { key > mark } else { key < mark }
        };
        let mut events: Vec<&Event> = state.log.events.iter().filter(wanted).collect();
        if !ascending {
            events.reverse();
        }
        let page: Vec<&Event> = match (after, before) {
            (_, Some(mark)) => {
                let earlier: Vec<&Event> = events
                    .iter()
                    .copied()
                    .filter(|event| event.key() != mark && !ordered(event.key(), mark))
                    .collect();
                earlier[earlier.len().saturating_sub(size)..].to_vec()
            }
            (Some(mark), _) => events
                .iter()
                .copied()
                .filter(|event| ordered(event.key(), mark))
                .take(size)
                .collect(),
            _ => events.iter().copied().take(size).collect(),
        };
        let last = page.last().map(|event| event.key());
        let more =
            last.is_some_and(|mark| events.last().is_some_and(|event| ordered(event.key(), mark)));
        let first = page.first().map(|event| event.key());
        let earlier = (after.is_some() || before.is_some())
            && first.is_some_and(|mark| events.first().is_some_and(|event| event.key() != mark));
        let rows: Vec<Json> = page.iter().map(|event| state.event_json(event)).collect();
        let paging = Paging::new(self, state, request);
        let reply = answer(200, &Json::Array(rows));
        Ok(paging.cursors(reply, last.filter(|_| more), first.filter(|_| earlier)))
    }
}

impl State {
    /// A field of an event as text, for the phrase.
    pub(super) fn event_field(&self, happening: Happening, name: &str) -> Option<String> {
        let mut fields = Map::new();
        self.add_fields(happening, &mut fields);
        fields.get(name).and_then(Json::as_str).map(str::to_owned)
    }
}
