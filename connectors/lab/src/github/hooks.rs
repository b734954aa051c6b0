//! Webhooks of organisations and of repositories.

use serde_json::{Value as Json, json};

use super::Core;
use super::access::{
    Need, READ_ORGANISATION_HOOKS, READ_REPOSITORY_HOOKS, WRITE_ORGANISATION_HOOKS,
    WRITE_REPOSITORY_HOOKS,
};
use super::auth::Caller;
use super::error::{Answer, Refusal, answer};
use super::gate::Target;
use super::params::{body, only_pages, texts};
use super::state::{Hook, HookPlace, State};
use super::time::zulu;
use crate::wire::{Reply, Request};

/// The permissions for a place, to read and to write.
fn needs(place: HookPlace) -> (Need, Need) {
    match place {
        HookPlace::Organisation(_) => (READ_ORGANISATION_HOOKS, WRITE_ORGANISATION_HOOKS),
        HookPlace::Repository(_) => (READ_REPOSITORY_HOOKS, WRITE_REPOSITORY_HOOKS),
    }
}

fn target(state: &State, place: HookPlace) -> Target {
    Target::Organisation(match place {
        HookPlace::Organisation(organisation) => organisation,
        HookPlace::Repository(repository) => state.repositories[repository].organisation,
    })
}

impl Core {
    fn hook_json(&self, state: &State, index: usize) -> Json {
        let hook = &state.hooks[index];
        let mut config = json!({
            "url": hook.url,
            "content_type": hook.content_type,
            "insecure_ssl": if hook.insecure_ssl { "1" } else { "0" },
        });
        if hook.secret {
            config["secret"] = json!("********");
        }
        let above = match hook.place {
            HookPlace::Organisation(organisation) => {
                format!("orgs/{}", state.organisations[organisation].facts.login)
            }
            HookPlace::Repository(repository) => format!("repos/{}", state.full_name(repository)),
        };
        let url = format!("{}/{above}/hooks/{}", self.base_url, hook.id);
        let mut body = json!({
            "type": "Organization",
            "id": hook.id,
            "name": "web",
            "active": hook.active,
            "events": hook.events,
            "config": config,
            "updated_at": zulu(hook.updated),
            "created_at": zulu(hook.created),
            "url": url,
            "ping_url": format!("{url}/pings"),
            "deliveries_url": format!("{url}/deliveries"),
        });
        if let HookPlace::Repository(_) = hook.place {
            body["type"] = json!("Repository");
            body["test_url"] = json!(format!("{url}/test"));
            body["last_response"] = match hook.last_status {
                None => json!({ "code": Json::Null, "status": "unused", "message": Json::Null }),
                Some(code @ 200..300) => {
                    json!({ "code": code, "status": "active", "message": "OK" })
                }
                Some(code) => {
                    json!({ "code": code, "status": "invalid", "message": "Invalid HTTP Response" })
                }
            };
        }
        body
    }

    fn live_hooks(&self, state: &State, place: HookPlace) -> Vec<usize> {
        let now = self.wall_ms();
        let here = |index: &usize| {
            let hook = &state.hooks[*index];
            hook.place == place && hook.gone > now
        };
        (0..state.hooks.len()).filter(here).collect()
    }

    fn hook_of(&self, state: &State, place: HookPlace, id: &str) -> Result<usize, Refusal> {
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let mut hooks = self.live_hooks(state, place).into_iter();
        hooks.find(|index| state.hooks[*index].id == id).ok_or_else(Refusal::not_found)
    }

    /// `GET …/hooks`.
    pub(super) fn list_hooks(
        &self,
        state: &State,
        caller: &Caller,
        place: HookPlace,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, needs(place).0, target(state, place))?;
        only_pages(request)?;
        let rows = self.live_hooks(state, place);
        self.page(state, request, None, rows, |index| self.hook_json(state, *index))
    }

    /// `GET …/hooks/{hook_id}`.
    pub(super) fn get_hook(
        &self,
        state: &State,
        caller: &Caller,
        place: HookPlace,
        id: &str,
    ) -> Answer {
        self.permit(state, caller, needs(place).0, target(state, place))?;
        let index = self.hook_of(state, place, id)?;
        Ok(answer(200, &self.hook_json(state, index)))
    }

    /// `DELETE …/hooks/{hook_id}`.
    pub(super) fn delete_hook(
        &self,
        state: &mut State,
        caller: &Caller,
        place: HookPlace,
        id: &str,
    ) -> Answer {
        self.permit(state, caller, needs(place).1, target(state, place))?;
        let index = self.hook_of(state, place, id)?;
        state.delete_hook(index, self.wall_ms(), self.now());
        Ok(Reply::empty(204))
    }

    /// `PATCH …/hooks/{hook_id}`: whether it is active, its events, its configuration.
    pub(super) fn patch_hook(
        &self,
        state: &mut State,
        caller: &Caller,
        place: HookPlace,
        id: &str,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, needs(place).1, target(state, place))?;
        let index = self.hook_of(state, place, id)?;
        let known: &[&str] = match place {
            HookPlace::Organisation(_) => &["active", "events", "config", "name"],
            HookPlace::Repository(_) => {
                &["active", "events", "config", "add_events", "remove_events"]
            }
        };
        let fields = body(request, known)?;
        let updated = self.now();
        let hook = &mut state.hooks[index];
        if let Some(active) = fields.get("active") {
            hook.active = active
                .as_bool()
                .ok_or_else(|| Refusal::validation("Hook", "active", "invalid", ""))?;
        }
        if fields.contains_key("events") {
            hook.events = owned(&texts(&fields, "events", 100)?);
        }
        if fields.contains_key("add_events") {
            hook.events.extend(owned(&texts(&fields, "add_events", 100)?));
        }
        if fields.contains_key("remove_events") {
            let removed = texts(&fields, "remove_events", 100)?;
            hook.events.retain(|event| !removed.contains(&event.as_str()));
        }
        if let Some(config) = fields.get("config") {
            configure(hook, config)?;
        }
        hook.updated = updated;
        Ok(answer(200, &self.hook_json(state, index)))
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A configuration replaces the one before: a secret that is not given again is gone.
fn configure(hook: &mut Hook, config: &Json) -> Result<(), Refusal> {
    let invalid = |field: &str| Refusal::validation("Hook", field, "invalid", "");
    let config = config.as_object().ok_or_else(|| invalid("config"))?;
    let url = config.get("url").and_then(Json::as_str).ok_or_else(|| invalid("url"))?;
    hook.url = url.to_owned();
    hook.secret = config.contains_key("secret");
    if let Some(kind) = config.get("content_type").and_then(Json::as_str) {
        hook.content_type = kind.to_owned();
    }
    if let Some(insecure) = config.get("insecure_ssl") {
        hook.insecure_ssl = matches!(insecure, Json::String(text) if text == "1") || insecure == 1;
    }
    Ok(())
}
