//! The gates that every API call passes: a live token with its proof, the rate limits, the scope, the admin role. It knows no
//! resource.

use std::sync::Arc;

use super::Core;
use super::behaviour::OktaRoleless;
use super::dpop::Occasion;
use super::error::Refusal;
use super::events::{Party, Told};
use super::quota::{Count, bucket};
use super::roles::Role;
use super::route::Asked;
use super::state::State;
use crate::wire::{Reply, Request};

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// A service app with an access token of these scopes.
    Client {
        /// Its place.
        app: u32,
        /// The token's scopes.
        scopes: Arc<Vec<String>>,
    },
    /// A user's API token, by its place.
    ApiToken(usize),
}

impl Caller {
    /// Who acts, for the log.
    pub(crate) fn party(&self, state: &State) -> Party {
        match self {
            Self::Client { app, .. } => Party::client(state, *app),
            Self::ApiToken(token) => Party::user(state, state.api_tokens[*token].user),
        }
    }

    fn roles<'s>(&self, state: &'s State) -> &'s [Role] {
        match self {
            Self::Client { app, .. } => &state.apps[*app as usize].roles,
            Self::ApiToken(token) => &state.users[state.api_tokens[*token].user as usize].roles,
        }
    }
}

/// What the rate limit headers tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures(Option<(u32, u32, i64)>);

impl Figures {
    /// An answer with the headers.
    pub(super) fn on(self, reply: Reply) -> Reply {
        let Some((limit, remaining, reset)) = self.0 else { return reply };
        reply
            .with_header("x-rate-limit-limit", limit.to_string())
            .with_header("x-rate-limit-remaining", remaining.to_string())
            .with_header("x-rate-limit-reset", reset.to_string())
    }
}

/// The API token of an `Authorization` header. The vendor's own Python client (3.4.6) leaves the space out.
fn api_token(header: &str) -> Option<&str> {
    let scheme = header.get(..4)?;
    scheme.eq_ignore_ascii_case("ssws").then(|| header.get(4..).unwrap_or_default().trim_start())
}

impl Core {
    /// Seconds since the epoch, with their fraction.
    pub(super) fn precise_now(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of today fit well enough")]
        let micros = self.clock.wall().as_microsecond() as f64;
        micros / 1e6
    }

    /// The refusal of a call that is one too many at the same time.
    pub(super) fn crowded(&self) -> Option<Reply> {
        let (latency, most, on) = {
            let state = self.state();
            (state.behaviour.latency_ms, state.limits.concurrent, state.behaviour.quota)
        };
        let now = self.precise_now();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a latency are few")]
        let longest = latency as f64 / 1e3 + 0.25;
        let over = self.quotas.end(now, longest, most);
        // Calls that take no time cannot meet, however many of them a fault answers.
        (over && on && latency > 0).then(|| self.concurrency_refusal())
    }

    /// 429 with a limit of 0 and a near reset.
    pub(super) fn concurrency_refusal(&self) -> Reply {
        let reset = self.clock.wall().as_second() + 1;
        Figures(Some((0, 0, reset))).on(Refusal::rate().reply())
    }

    /// Counts a call against its bucket.
    pub(super) fn meter(&self, who: &str, share: u32, path: &str) -> Result<Figures, Reply> {
        let state = self.state();
        if !state.behaviour.quota {
            return Ok(Figures(None));
        }
        let (bucket, per_minute) = bucket(&state.limits, path);
        let verdict = self.quotas.take(Count {
            bucket,
            per_minute,
            who,
            share,
            tell_share: state.behaviour.headers_tell_share,
            now: self.precise_now(),
            window: 60.0 / state.behaviour.time_scale,
        });
        let figures = Figures(Some((verdict.limit, verdict.remaining, verdict.reset)));
        if verdict.allowed { Ok(figures) } else { Err(figures.on(Refusal::rate().reply())) }
    }

    /// The name that rate limits know a caller by, and its share of a bucket in percent.
    pub(super) fn share(&self, caller: &Caller) -> (String, u32) {
        let state = self.state();
        let who = match caller {
            Caller::Client { app, .. } => state.apps[*app as usize].client_id.clone(),
            Caller::ApiToken(token) => state.api_tokens[*token].id.clone(),
        };
        let own = state.shares.iter().find(|share| share.principal == who);
        let share = own.map_or(state.limits.share, |share| share.percentage);
        (who, share)
    }

    /// Who makes a call.
    pub(super) fn caller(&self, request: &Request) -> Result<Caller, Refusal> {
        let header = request.header("authorization").ok_or_else(Refusal::no_session)?;
        if let Some(secret) = api_token(header) {
            return self.by_api_token(secret);
        }
        let (scheme, token) = header.split_once(' ').ok_or_else(Refusal::token)?;
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => self.by_access_token(token, None, request),
            "dpop" => self.by_access_token(token, Some(request.header("dpop")), request),
            _ => Err(Refusal::token()),
        }
    }

    /// The name of whoever calls, for the log of calls; nothing is verified.
    pub(super) fn caller_name(&self, request: &Request) -> Option<String> {
        let header = request.header("authorization")?;
        let state = self.state();
        if let Some(secret) = api_token(header) {
            let found = state.api_tokens.iter().find(|known| known.secret == secret)?;
            return Some(state.users[found.user as usize].facts.login.clone());
        }
        let (_, token) = header.split_once(' ')?;
        let session = self.sessions.get(token)?;
        Some(state.apps[session.app as usize].facts.label.clone())
    }

    fn by_access_token(
        &self,
        token: &str,
        proof: Option<Option<&str>>,
        request: &Request,
    ) -> Result<Caller, Refusal> {
        let state = self.state();
        let session = self.sessions.get(token).ok_or_else(Refusal::token)?;
        let app = &state.apps[session.app as usize];
        if self.clock.wall().as_second() >= session.ends || !app.active || app.deleted {
            return Err(Refusal::token());
        }
        match (&session.bound, proof) {
            (None, None) => {}
            (Some(_), None) => {
                return Err(Refusal::proof(
                    "invalid_dpop_proof",
                    "The token is bound to a key: use the DPoP scheme.",
                ));
            }
            (_, Some(None)) => {
                return Err(Refusal::proof(
                    "invalid_dpop_proof",
                    "The DPoP proof JWT header is missing.",
                ));
            }
            (bound, Some(Some(proof))) => {
                let occasion = Occasion {
                    method: request.method.as_str(),
                    path: &request.path,
                    token: Some(token),
                    nonce: state.behaviour.resource_nonce,
                    skew: state.behaviour.clock_skew_seconds,
                };
                let thumbprint = self.proven(proof, &occasion).map_err(|problem| {
                    let refusal = Refusal::proof(problem.error, problem.description);
                    match problem.error {
                        "use_dpop_nonce" => refusal.with_header("dpop-nonce", self.once.nonce()),
                        _ => refusal,
                    }
                })?;
                if bound.as_ref() != Some(&thumbprint) {
                    return Err(Refusal::proof(
                        "invalid_dpop_proof",
                        "The token is not bound to the key of the proof.",
                    ));
                }
            }
        }
        Ok(Caller::Client { app: session.app, scopes: session.scopes })
    }

    fn by_api_token(&self, secret: &str) -> Result<Caller, Refusal> {
        let now = self.now();
        let mut state = self.state_mut();
        let found = state.api_tokens.iter().position(|token| token.secret == secret && !token.gone);
        let place = found.ok_or_else(Refusal::token)?;
        let token = &state.api_tokens[place];
        if token.expires() <= now || !state.users[token.user as usize].works() {
            return Err(Refusal::token());
        }
        // Nobody on loopback is in a zone of the world.
        if !token.include.is_empty() {
            let target = Party::new(&token.id, "Token", &token.name);
            let actor = Party::user(&state, token.user);
            let mut told = Told::new(
                "system.api_token.request_outside_allowed_range",
                "API token used outside its network zones",
                actor,
                vec![target],
            );
            told.result = "DENY".to_owned();
            state.tell(now, told);
            return Err(Refusal::token());
        }
        let token = &mut state.api_tokens[place];
        token.updated = token.updated.max(now);
        Ok(Caller::ApiToken(place))
    }

    /// Whether a caller may do what it asks for: an error if not, false if the org shall look empty to it.
    pub(super) fn admit(&self, asked: &Asked, caller: &Caller) -> Result<bool, Refusal> {
        let state = self.state();
        let right = asked.right;
        if let Caller::Client { scopes, .. } = caller {
            let held = |scope: &str| scopes.iter().any(|known| known == scope);
            let mut enough = held(&right.scope());
            if !right.manage && state.behaviour.manage_reads {
                enough |= held(&format!("okta.{}.manage", right.resource));
            }
            // The sheet and the vendor's description name different scopes for this one.
            if asked.op == super::route::Op::DeleteSessions {
                enough |= held("okta.sessions.manage");
            }
            if !enough {
                return Err(Refusal::scope(&right.scope()));
            }
        }
        let roles = caller.roles(&state);
        if roles.is_empty() && state.behaviour.roleless == OktaRoleless::Empty {
            return Ok(false);
        }
        // Whoever has an API token may look at its own user.
        let own = asked.op == super::route::Op::User && asked.part(0) == "me";
        let enough = roles.iter().any(|role| role.allows(right, &state.behaviour.super_admin_only));
        if enough || own { Ok(true) } else { Err(Refusal::forbidden()) }
    }
}
