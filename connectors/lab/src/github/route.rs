//! The routes: which operation a request is, and which resource answers it.

use serde_json::json;

use super::Core;
use super::audit::Scope;
use super::auth::Caller;
use super::error::{Answer, Refusal, answer};
use super::gate::{Target, front, version};
use super::quota::Resource;
use super::state::{HookPlace, State};
use super::world::GithubEdition;
use crate::wire::{Reply, Request};

/// The version of the server edition.
const VERSION: &str = "3.19.0";

/// `GET /meta`, which tells anybody which product this is.
fn meta(server: bool) -> Reply {
    let body = match server {
        true => json!({ "verifiable_password_authentication": true, "installed_version": VERSION }),
        false => json!({ "verifiable_password_authentication": false }),
    };
    Reply::json(200, body.to_string())
}

impl Core {
    /// The platform's answer.
    pub(super) fn route(&self, request: &Request) -> Reply {
        if let Err(reply) = front(request) {
            return reply;
        }
        let caller = self.caller(&self.state(), request);
        let mut usage = None;
        let answered = match &caller {
            Ok(caller) => {
                // Not in the scrutinee below: an operation that writes waits for all readers.
                let metered = self.meter(&self.state(), caller, request);
                match metered {
                    Ok(used) => {
                        usage = used;
                        version(request).and_then(|()| self.dispatch(caller, request))
                    }
                    Err((refusal, used)) => {
                        usage = used;
                        Err(refusal)
                    }
                }
            }
            Err(_) => Err(Refusal::credentials()),
        };
        let state = self.state();
        let with_status = !state.behaviour.without_status;
        let (answered, caller) = match caller {
            Ok(caller) => (answered, Some(caller)),
            Err(refusal) => (Err(refusal), None),
        };
        let reply = answered.unwrap_or_else(|refusal| refusal.reply(with_status));
        let usage = usage.map(|usage| (Self::resource(request), usage));
        let reply = self.dress(&state, caller.as_ref(), usage, request, reply);
        match state.edition {
            GithubEdition::Server => reply.with_header("x-github-enterprise-version", VERSION),
            GithubEdition::Cloud | GithubEdition::EnterpriseCloud => reply,
        }
    }

    /// The parts of a path below the API's own prefix, with numbers in the place of names resolved.
    fn parts(&self, state: &State, path: &str) -> Option<Vec<String>> {
        let path = path.strip_prefix(self.prefix)?;
        let parts: Option<Vec<String>> = path.split('/').skip(1).map(decoded).collect();
        let parts = parts.filter(|parts| parts.iter().all(|part| !part.is_empty()))?;
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let join = |head: &[&str], rest: &[&str]| {
            Some(head.iter().chain(rest).map(|part| (*part).to_owned()).collect())
        };
        match names.as_slice() {
            ["organizations", id, rest @ ..] => {
                let row = state.organisations.iter().find(|row| row.id.to_string() == *id)?;
                join(&["orgs", &row.facts.login], rest)
            }
            ["repositories", id, rest @ ..] => {
                let index = state.repositories.iter().position(|row| row.id.to_string() == *id)?;
                let row = &state.repositories[index];
                let login = &state.organisations[row.organisation].facts.login;
                join(&["repos", login, &row.name], rest)
            }
            _ => Some(parts),
        }
    }

    fn dispatch(&self, caller: &Caller, request: &Request) -> Answer {
        if request.path == self.graphql_path {
            return self.graphql(&self.state(), caller, request);
        }
        let parts = self.parts(&self.state(), &request.path).ok_or_else(Refusal::not_found)?;
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        match names.as_slice() {
            ["orgs", login, rest @ ..] => {
                let organisation = self.state().organisation(login);
                let organisation = organisation.ok_or_else(Refusal::not_found)?;
                match method {
                    "GET" => self.read_organisation(caller, organisation, rest, request),
                    _ => self.write_organisation(caller, organisation, (method, rest), request),
                }
            }
            ["repos", owner, name, rest @ ..] => {
                let state = self.state();
                let organisation = state.organisation(owner).ok_or_else(Refusal::not_found)?;
                let repository =
                    state.repository(organisation, name).ok_or_else(Refusal::not_found)?;
                drop(state);
                self.on_repository(caller, repository, (method, rest), request)
            }
            ["enterprises", slug, rest @ ..] => {
                let here = self.state().enterprise.as_ref().is_some_and(|enterprise| {
                    enterprise.slug.eq_ignore_ascii_case(slug)
                        || *slug == super::ENTERPRISE_ID.to_string()
                });
                if !here {
                    return Err(Refusal::not_found());
                }
                self.on_enterprise(caller, (method, rest), request)
            }
            rest => self.elsewhere(caller, (method, rest), request),
        }
    }

    fn read_organisation(
        &self,
        caller: &Caller,
        organisation: usize,
        rest: &[&str],
        request: &Request,
    ) -> Answer {
        let state = &self.state();
        let place = HookPlace::Organisation(organisation);
        match rest {
            [] => self.get_organisation(state, caller, organisation, request),
            ["installation"] => self.get_organisation_installation(state, caller, organisation),
            ["installations"] => self.list_installations(state, caller, organisation, request),
            ["credential-authorizations"] => {
                self.list_credentials(state, caller, organisation, request)
            }
            ["personal-access-tokens"] => self.list_pats(state, caller, organisation, request),
            ["personal-access-tokens", id, "repositories"] => {
                self.list_pat_repositories(state, caller, organisation, (id, false), request)
            }
            ["personal-access-token-requests"] => {
                self.list_pat_requests(state, caller, organisation, request)
            }
            ["personal-access-token-requests", id, "repositories"] => {
                self.list_pat_repositories(state, caller, organisation, (id, true), request)
            }
            ["repos"] => self.list_repositories(state, caller, organisation, request),
            ["hooks"] => self.list_hooks(state, caller, place, request),
            ["hooks", id] => self.get_hook(state, caller, place, id),
            ["actions", "secrets"] => self.list_secrets(state, caller, organisation, request),
            ["members"] => self.list_members(state, caller, organisation, request),
            ["outside_collaborators"] => self.list_outside(state, caller, organisation, request),
            ["audit-log"] if state.edition != GithubEdition::Cloud => {
                let target = Target::Organisation(organisation);
                self.permit(state, caller, super::access::READ_AUDIT, target)?;
                self.list_audit(state, Scope::Organisation(organisation), request)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn write_organisation(
        &self,
        caller: &Caller,
        organisation: usize,
        operation: (&str, &[&str]),
        request: &Request,
    ) -> Answer {
        super::params::only(request, &[])?;
        let state = &mut *self.state_mut();
        let place = HookPlace::Organisation(organisation);
        match operation {
            ("DELETE", ["credential-authorizations", id]) => {
                self.delete_credential(state, caller, organisation, id)
            }
            ("POST", ["credential-authorizations", rest @ ..]) if !rest.is_empty() => {
                self.revoke_credentials(state, caller, organisation, rest, request)
            }
            ("POST", ["personal-access-tokens"]) => {
                self.revoke_pats(state, caller, organisation, request)
            }
            ("POST", ["personal-access-tokens", id]) => {
                self.revoke_pat(state, caller, organisation, id, request)
            }
            ("POST", ["personal-access-token-requests"]) => {
                self.review_pat_requests(state, caller, organisation, None, request)
            }
            ("POST", ["personal-access-token-requests", id]) => {
                self.review_pat_requests(state, caller, organisation, Some(id), request)
            }
            ("PATCH", ["hooks", id]) => self.patch_hook(state, caller, place, id, request),
            ("DELETE", ["hooks", id]) => self.delete_hook(state, caller, place, id),
            _ => Err(Refusal::not_found()),
        }
    }

    fn on_repository(
        &self,
        caller: &Caller,
        repository: usize,
        operation: (&str, &[&str]),
        request: &Request,
    ) -> Answer {
        let place = HookPlace::Repository(repository);
        if operation.0 != "GET" {
            super::params::only(request, &[])?;
        }
        match operation {
            ("GET", ["keys"]) => self.list_keys(&self.state(), caller, repository, request),
            ("GET", ["keys", id]) => self.get_key(&self.state(), caller, repository, id),
            ("DELETE", ["keys", id]) => {
                self.delete_key(&mut self.state_mut(), caller, repository, id)
            }
            ("GET", ["hooks"]) => self.list_hooks(&self.state(), caller, place, request),
            ("GET", ["hooks", id]) => self.get_hook(&self.state(), caller, place, id),
            ("PATCH", ["hooks", id]) => {
                self.patch_hook(&mut self.state_mut(), caller, place, id, request)
            }
            ("DELETE", ["hooks", id]) => self.delete_hook(&mut self.state_mut(), caller, place, id),
            _ => Err(Refusal::not_found()),
        }
    }

    fn on_enterprise(
        &self,
        caller: &Caller,
        operation: (&str, &[&str]),
        request: &Request,
    ) -> Answer {
        let organisation =
            |login: &str| self.state().organisation(login).ok_or_else(Refusal::not_found);
        if operation.0 != "GET" {
            super::params::only(request, &[])?;
        }
        match operation {
            ("GET", ["installation"]) => {
                if self.state().edition == GithubEdition::Server {
                    return Err(Refusal::not_found());
                }
                self.get_enterprise_installation(&self.state(), caller)
            }
            ("GET", ["audit-log"]) => {
                let state = &self.state();
                self.permit(state, caller, super::access::ENTERPRISE_AUDIT, Target::Enterprise)?;
                self.list_audit(state, Scope::Enterprise, request)
            }
            ("POST", ["credential-authorizations", rest @ ..]) => {
                self.revoke_enterprise_credentials(&mut self.state_mut(), caller, rest, request)
            }
            ("GET", ["apps", "installable_organizations"]) => {
                self.list_installable(&self.state(), caller, request)
            }
            ("GET", ["apps", "installable_organizations", login, "accessible_repositories"]) => {
                let organisation = organisation(login)?;
                self.list_accessible(&self.state(), caller, organisation, request)
            }
            (method, ["apps", "organizations", login, "installations", rest @ ..]) => {
                let organisation = organisation(login)?;
                self.on_installation(caller, organisation, (method, rest), request)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn on_installation(
        &self,
        caller: &Caller,
        organisation: usize,
        operation: (&str, &[&str]),
        request: &Request,
    ) -> Answer {
        match operation {
            ("GET", []) => {
                self.list_enterprise_installations(&self.state(), caller, organisation, request)
            }
            ("DELETE", [id]) => self.uninstall(&mut self.state_mut(), caller, organisation, id),
            ("GET", [id, "repositories"]) => {
                let state = &self.state();
                self.list_installation_repositories(state, caller, organisation, id, request)
            }
            ("PATCH", [id, "repositories"]) => {
                self.select_repositories(&mut self.state_mut(), caller, organisation, id, request)
            }
            ("PATCH", [id, "repositories", change @ ("add" | "remove")]) => {
                let place = (organisation, *id);
                let add = *change == "add";
                self.change_repositories(&mut self.state_mut(), caller, place, add, request)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn elsewhere(&self, caller: &Caller, operation: (&str, &[&str]), request: &Request) -> Answer {
        let server = self.state().edition == GithubEdition::Server;
        match operation {
            ("GET", ["app"]) => self.get_app(&self.state(), caller, request),
            ("GET", ["app", "installations"]) => {
                self.list_own_installations(&self.state(), caller, request)
            }
            ("GET", ["app", "installations", id]) => {
                self.get_own_installation(&self.state(), caller, id)
            }
            ("POST", ["app", "installations", id, "access_tokens"]) => {
                self.create_token(&self.state(), caller, id, request)
            }
            ("DELETE", ["installation", "token"]) => self.end_token(caller, request),
            ("GET", ["apps", slug]) => self.get_app_by_slug(&self.state(), caller, slug, request),
            ("GET", ["users", login, "keys"]) => {
                self.list_user_keys(&self.state(), caller, login, request)
            }
            ("POST", ["credentials", "revoke"]) => {
                self.revoke_leaked(&mut self.state_mut(), caller, request)
            }
            ("GET", ["meta"]) => Ok(meta(server)),
            ("GET", ["rate_limit"]) => self.rate_limit(&self.state(), caller, request),
            ("GET", ["admin", "tokens"]) if server => {
                self.list_site_tokens(&self.state(), caller, request)
            }
            ("DELETE", ["admin", "tokens", id]) if server => {
                self.delete_site_token(&mut self.state_mut(), caller, id, request)
            }
            ("GET", ["admin", "keys"]) if server => {
                self.list_site_keys(&self.state(), caller, request)
            }
            ("GET", ["admin", "hooks"]) if server => {
                self.list_site_hooks(&self.state(), caller, request)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// `GET /rate_limit`.
    fn rate_limit(&self, state: &State, caller: &Caller, request: &Request) -> Answer {
        super::params::only(request, &[])?;
        let behaviour = &state.behaviour;
        let off = state.edition == GithubEdition::Server && !behaviour.server_limits;
        if off || !behaviour.quota {
            return Err(Refusal::new(404, "Rate limiting is not enabled."));
        }
        let now = self.clock.wall().as_millisecond();
        let who = caller.name(state);
        let of = |resource| {
            let limit = self.per_hour(state, caller, resource);
            let taken = self.limits.take((resource, &who), (limit, 0), now, behaviour.time_scale);
            let (Ok(usage) | Err(usage)) = taken;
            json!({
                "limit": usage.limit,
                "remaining": usage.remaining(),
                "reset": usage.reset,
                "used": usage.used,
            })
        };
        let core = of(Resource::Core);
        let search = json!({ "limit": 30, "remaining": 30, "reset": core["reset"], "used": 0 });
        let mut resources = json!({
            "core": core,
            "graphql": of(Resource::Graphql),
            "search": search,
        });
        if state.edition != GithubEdition::Cloud {
            resources["audit_log"] = of(Resource::AuditLog);
        }
        Ok(answer(200, &json!({ "rate": core, "resources": resources })))
    }
}

/// A path segment with its `%40` and the like decoded; `None` if that gives no text.
fn decoded(segment: &str) -> Option<String> {
    if segment.contains(['+', '&', '=']) {
        // Not part of any name on the platform.
        return None;
    }
    let text = format!("x={segment}");
    let value = form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value.into_owned());
    value.filter(|value| !value.contains('\u{fffd}'))
}
