//! Credentials that members authorised for an organisation with SAML, and the ways to take that back.
//! Bulk revocations are queued: they are answered at once and take effect later.

use serde_json::{Map, Value as Json, json};

use super::Core;
use super::access::{ENTERPRISE_CREDENTIALS, READ_ORGANISATION, WRITE_ORGANISATION};
use super::audit::fingerprint;
use super::auth::Caller;
use super::error::{Answer, Refusal, answer};
use super::gate::Target;
use super::paging::{Paging, per_page};
use super::params::{body, only, texts};
use super::state::{Credential, State};
use super::time::zulu;
use super::world::{CredentialKind, GithubEdition};
use crate::wire::{Reply, Request};

/// `credential_type` of a listing.
pub(crate) fn kind_text(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::PersonalAccessToken => "personal access token",
        CredentialKind::SshKey => "SSH key",
        CredentialKind::OauthAppToken => "OAuth app token",
        CredentialKind::GithubAppToken => "GitHub app token",
    }
}

fn credential_json(state: &State, row: &Credential) -> Json {
    let mut body = json!({
        "login": state.users[row.user as usize].login,
        "credential_id": row.id,
        "credential_type": kind_text(row.kind),
        "credential_authorized_at": zulu(row.authorized),
        "credential_accessed_at": row.accessed.map(zulu),
        "authorized_credential_id": row.id + 12_000_000,
    });
    if row.kind == CredentialKind::SshKey {
        body["fingerprint"] = json!(fingerprint(row.id));
        body["authorized_credential_title"] = json!(row.title);
        return body;
    }
    body["token_last_eight"] = json!(format!("FAKE{:04}", row.id % 10_000));
    body["scopes"] = json!(state.scope_sets[row.scopes as usize]);
    body["authorized_credential_expires_at"] = json!(row.expires.map(zulu));
    if row.kind == CredentialKind::PersonalAccessToken {
        body["authorized_credential_note"] = json!(row.title);
    }
    body
}

/// Which credentials a queued revocation hits.
#[derive(Debug, Default)]
struct Hit {
    organisation: Option<usize>,
    user: Option<usize>,
    kind: Option<String>,
}

impl Hit {
    fn wants(&self, row: &Credential) -> bool {
        let kind = self.kind.as_deref().is_none_or(|kind| match row.kind {
            CredentialKind::PersonalAccessToken if row.fine_grained => kind == "fine_grained_pat",
            CredentialKind::PersonalAccessToken => kind == "classic_pat",
            CredentialKind::SshKey => kind == "ssh_key",
            CredentialKind::OauthAppToken => kind == "oauth_app_token",
            CredentialKind::GithubAppToken => false,
        });
        kind && self.organisation.is_none_or(|place| row.organisation as usize == place)
            && self.user.is_none_or(|user| row.user as usize == user)
    }
}

/// The words of a credential type in a revocation.
fn kind_of(fields: &Map<String, Json>) -> Result<String, Refusal> {
    let kinds = ["classic_pat", "fine_grained_pat", "ssh_key", "oauth_app_token"];
    let kind = fields.get("credential_type").and_then(Json::as_str);
    match kind.filter(|kind| kinds.contains(kind)) {
        Some(kind) => Ok(kind.to_owned()),
        None => Err(Refusal::unprocessable("credential_type is missing or invalid")),
    }
}

impl Core {
    /// Whether the host has these endpoints for an organisation at all.
    fn has_credentials(state: &State, organisation: usize) -> Result<(), Refusal> {
        let saml = state.organisations[organisation].facts.saml;
        match state.edition {
            GithubEdition::EnterpriseCloud if saml => Ok(()),
            _ => Err(Refusal::not_found()),
        }
    }

    /// `GET /orgs/{org}/credential-authorizations`.
    pub(super) fn list_credentials(
        &self,
        state: &State,
        caller: &Caller,
        organisation: usize,
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, READ_ORGANISATION, Target::Organisation(organisation))?;
        only(request, &["per_page", "page", "login"])?;
        let cloud = state.edition == GithubEdition::EnterpriseCloud;
        if cloud
            && state.behaviour.without_saml_empty
            && !state.organisations[organisation].facts.saml
        {
            return Ok(answer(200, &json!([])));
        }
        Self::has_credentials(state, organisation)?;
        let now = self.wall_ms();
        let login = request.param("login");
        let after = self.pages.page_position(request, self.page_rules(state))?;
        let size = per_page(request, state);
        let mut rows = state.credentials.iter().filter(|row| {
            row.organisation as usize == organisation
                && row.gone > now
                && login.is_none_or(|login| {
                    state.users[row.user as usize].login.eq_ignore_ascii_case(login)
                })
                && after.is_none_or(|(id, _)| i64::try_from(row.id).is_ok_and(|own| own > id))
        });
        let page: Vec<&Credential> = rows.by_ref().take(size).collect();
        let more = rows.next().is_some();
        let last = page.last().and_then(|row| i64::try_from(row.id).ok()).filter(|_| more);
        let items: Vec<Json> = page.iter().map(|row| credential_json(state, row)).collect();
        let reply = answer(200, &Json::Array(items));
        Ok(Paging::new(self, state, request).page_token(reply, last.map(|id| (id, 0))))
    }

    /// `DELETE /orgs/{org}/credential-authorizations/{credential_id}`.
    pub(super) fn delete_credential(
        &self,
        state: &mut State,
        caller: &Caller,
        organisation: usize,
        id: &str,
    ) -> Answer {
        self.permit(state, caller, WRITE_ORGANISATION, Target::Organisation(organisation))?;
        Self::has_credentials(state, organisation)?;
        let now = self.wall_ms();
        let id: u64 = id.parse().map_err(|_| Refusal::not_found())?;
        let found = state.credentials.iter().position(|row| {
            row.id == id && row.organisation as usize == organisation && row.gone > now
        });
        let index = found.ok_or_else(Refusal::not_found)?;
        let at = self.now();
        state.revoke_credential(index, now, at);
        Ok(Reply::empty(204))
    }

    /// `POST /orgs/{org}/credential-authorizations/…`, by the parts after that.
    pub(super) fn revoke_credentials(
        &self,
        state: &mut State,
        caller: &Caller,
        organisation: usize,
        rest: &[&str],
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, WRITE_ORGANISATION, Target::Organisation(organisation))?;
        Self::has_credentials(state, organisation)?;
        let mut hit = Self::hit(state, rest, request, false)?;
        hit.organisation = Some(organisation);
        if let Some(user) = hit.user
            && state.users[user].role(organisation).is_none()
        {
            return Err(Refusal::not_found());
        }
        Ok(self.queue(state, caller, &hit, false))
    }

    /// `POST /enterprises/{enterprise}/credential-authorizations/…`, by the parts after that.
    pub(super) fn revoke_enterprise_credentials(
        &self,
        state: &mut State,
        caller: &Caller,
        rest: &[&str],
        request: &Request,
    ) -> Answer {
        self.permit(state, caller, ENTERPRISE_CREDENTIALS, Target::Enterprise)?;
        if state.edition != GithubEdition::EnterpriseCloud {
            return Err(Refusal::not_found());
        }
        let hit = Self::hit(state, rest, request, true)?;
        let fields = body(request, &["credential_type", "revoke_credentials"])?;
        let destroy = fields.get("revoke_credentials") == Some(&json!(true));
        let managed = state.enterprise.as_ref().is_some_and(|enterprise| enterprise.managed_users);
        if destroy && !managed {
            let message = "revoke_credentials is only available for enterprises with managed users";
            return Err(Refusal::unprocessable(message));
        }
        Ok(self.queue(state, caller, &hit, destroy))
    }

    fn hit(
        state: &State,
        rest: &[&str],
        request: &Request,
        enterprise: bool,
    ) -> Result<Hit, Refusal> {
        let known: &[&str] = match (rest.last(), enterprise) {
            (Some(&"revoke-credential-type"), false) => &["credential_type"],
            (Some(&"revoke-credential-type"), true) => &["credential_type", "revoke_credentials"],
            (_, true) => &["revoke_credentials"],
            _ => &[],
        };
        let fields = body(request, known)?;
        let user = |login: &str| state.user(login).map(Some).ok_or_else(Refusal::not_found);
        Ok(match rest {
            ["revoke-all"] => Hit::default(),
            ["revoke-credential-type"] => Hit { kind: Some(kind_of(&fields)?), ..Hit::default() },
            [login, "revoke"] => Hit { user: user(login)?, ..Hit::default() },
            [login, "revoke-credential-type"] => {
                Hit { user: user(login)?, kind: Some(kind_of(&fields)?), ..Hit::default() }
            }
            _ => return Err(Refusal::not_found()),
        })
    }

    /// Queues a revocation: rows go after the lag. A caller's own token may go with them.
    fn queue(&self, state: &mut State, caller: &Caller, hit: &Hit, destroy: bool) -> Reply {
        let now = self.wall_ms();
        let gone = self.effective(state);
        let at = self.now();
        for index in 0..state.credentials.len() {
            if state.credentials[index].gone > gone && hit.wants(&state.credentials[index]) {
                state.revoke_credential(index, gone, at);
            }
        }
        let classic = hit.kind.as_deref().is_none_or(|kind| kind == "classic_pat");
        for token in &mut state.classic {
            let hit_user = hit.user.is_none_or(|user| user == token.user);
            if classic && hit_user && token.gone > now {
                token.sso.retain(|place| hit.organisation.is_some_and(|hit| hit != *place));
                if destroy {
                    token.gone = gone;
                }
            }
        }
        let fine_grained = hit.kind.as_deref().is_none_or(|kind| kind == "fine_grained_pat");
        if destroy && fine_grained {
            for index in 0..state.pats.len() {
                let row = &state.pats[index];
                let hit_user = hit.user.is_none_or(|user| row.user as usize == user);
                if hit_user && row.gone > gone {
                    state.revoke_pat(index, gone, at);
                }
            }
        }
        let mut body = json!({ "message": "The revocation request has been queued." });
        if matches!(caller, Caller::Classic(_) | Caller::FineGrained) {
            body["warning"] = json!("The token used for this request may be revoked.");
        }
        answer(202, &body)
    }

    /// `POST /credentials/revoke`: tokens that anybody found, without signing in.
    pub(super) fn revoke_leaked(
        &self,
        state: &mut State,
        caller: &Caller,
        request: &Request,
    ) -> Answer {
        if state.edition == GithubEdition::Server {
            return Err(Refusal::not_found());
        }
        if *caller != Caller::Anonymous || request.header("authorization").is_some() {
            return Err(Refusal::new(403, "This endpoint takes no authentication."));
        }
        let fields = body(request, &["credentials"])?;
        let given = texts(&fields, "credentials", 1_000).map_err(|_| {
            Refusal::validation_simple("credentials must be a list of 1 to 1000 texts")
        })?;
        let gone = self.effective(state);
        for token in state.classic.iter_mut().filter(|token| given.contains(&token.text.as_str())) {
            token.gone = gone;
        }
        if let Some(token) = &mut state.fine_grained
            && given.contains(&token.text.as_str())
        {
            token.gone = gone;
        }
        Ok(answer(202, &json!({})))
    }

    /// When something that is queued now takes effect, in milliseconds of the wall.
    pub(super) fn effective(&self, state: &State) -> i64 {
        let behaviour = &state.behaviour;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a lag of hours at most"
        )]
        let lag = (behaviour.revocation_lag_seconds as f64 * 1_000.0
            / behaviour.time_scale.max(0.001)) as i64;
        self.wall_ms() + lag
    }
}
