//! The gate that every API call passes: a live token, the API enabled, the scope, the quotas, the
//! admin's privilege. It knows no resource.

use super::access::{Api, Need, Role, SCOPE_PREFIX};
use super::auth::Caller;
use super::error::Refusal;
use super::quota::Metric;
use super::route::Route;
use super::state::State;
use super::{Core, Privilege};
use crate::wire::Request;

/// Calls a minute that one user may make to the Directory API, and to the Reports API.
const PER_USER: u32 = 2_400;
/// Filtered activity listings a minute.
const FILTERED: u32 = 250;
/// Parameters that make an activity listing a filtered one.
const FILTERS: [&str; 5] = ["actorIpAddress", "eventName", "filters", "orgUnitID", "groupIdFilter"];

impl Core {
    /// Lets a call in: a live token, the API enabled, the scope, quota left, the admin's privilege.
    pub(super) fn admit(
        &self,
        route: &Route,
        need: Need,
        request: &Request,
    ) -> Result<Caller, Refusal> {
        let state = self.state();
        let caller = self.caller(&state, request)?;
        let behaviour = &state.behaviour;
        if behaviour.domain_api_disabled {
            return Err(Refusal::new(403, "domainCannotUseApis", "Domain cannot use apis."));
        }
        let disabled = match need.api {
            Api::Directory | Api::Reports => behaviour.admin_api_disabled,
            Api::Policy => behaviour.policy_api_disabled,
            Api::Chrome => behaviour.chrome_api_disabled,
        };
        if disabled {
            return Err(Refusal::api_disabled(need.api, &state.scanner.project));
        }
        let held = |scope: &&str| caller.has_scope(&state, &format!("{SCOPE_PREFIX}{scope}"));
        if !need.scopes.iter().any(held) {
            return Err(Refusal::scope(need.api, need.scopes));
        }
        if behaviour.quota {
            self.meter(&state, route, need.api, &self.name_of(&state, &caller), request)?;
        }
        let without = match need.api {
            Api::Directory | Api::Reports => false,
            Api::Policy => !state.edition.policy_api,
            Api::Chrome => !state.edition.chrome,
        };
        if without || !role_of(&state, &caller).holds(need.privilege) {
            return Err(match need.api {
                Api::Reports if behaviour.reports_denied_as_unauthorized => {
                    Refusal::reports_denied()
                }
                _ => Refusal::forbidden(),
            });
        }
        Ok(caller)
    }

    /// Counts a call against every quota that it falls under.
    fn meter(
        &self,
        state: &State,
        route: &Route,
        api: Api,
        who: &str,
        request: &Request,
    ) -> Result<(), Refusal> {
        let behaviour = &state.behaviour;
        #[expect(clippy::cast_precision_loss, reason = "microseconds of today fit well enough")]
        let now = self.clock.wall().as_microsecond() as f64 / 1e6 * behaviour.time_scale;
        let take = |metric, who: &str, limit| self.quotas.take(metric, who, limit, now);
        let refused = |refusal: Refusal| {
            if behaviour.plain_text_quota { refusal.in_plain_text() } else { refusal }
        };
        if let Some(limit) = behaviour.account_per_minute
            && !take(Metric::Account, "", limit)
        {
            let message = "Quota exceeded for quota metric 'Queries' of this account.";
            return Err(refused(Refusal::quota(429, "rateLimitExceeded", message)));
        }
        let busy = || {
            refused(Refusal::quota(503, "backendError", "Quota exceeded for the current request"))
        };
        match api {
            Api::Directory if !take(Metric::Directory, who, PER_USER) => {
                let message = "Request rate higher than configured.";
                Err(refused(Refusal::quota(403, "userRateLimitExceeded", message)))
            }
            Api::Reports if !take(Metric::Reports, who, PER_USER) => Err(busy()),
            Api::Reports if filtered(route, request) && !take(Metric::Filtered, who, FILTERED) => {
                Err(busy())
            }
            Api::Policy if !take(Metric::Policies, "", behaviour.policies_per_minute) => {
                let message = "Quota exceeded for quota metric 'Read requests' and limit 'Read \
                    requests per minute'.";
                Err(refused(Refusal::quota(429, "rateLimitExceeded", message)))
            }
            Api::Chrome if !take(Metric::Chrome, "", PER_USER) => {
                let message = "Quota exceeded for quota metric 'Queries'.";
                Err(refused(Refusal::quota(429, "rateLimitExceeded", message)))
            }
            Api::Directory | Api::Reports | Api::Policy | Api::Chrome => Ok(()),
        }
    }

    /// The customer that a parameter names; only the caller's own exists for it.
    pub(super) fn own_customer(
        &self,
        state: &State,
        caller: &Caller,
        named: &str,
    ) -> Result<(), Refusal> {
        match named {
            "my_customer" if caller.user.is_some() => Ok(()),
            "my_customer" => Err(Refusal::invalid("Invalid Input: my_customer")),
            id if id == state.customer_id => Ok(()),
            _ => Err(Refusal::forbidden()),
        }
    }
}

/// What a caller may do.
fn role_of(state: &State, caller: &Caller) -> Role {
    match caller.user {
        Some(user) => state.users[user].role,
        None if state.scanner.dasa => state.service_account,
        None => Role::default(),
    }
}

/// A super admin's security is closed to lesser admins.
pub(super) fn guard_super_admin(
    state: &State,
    caller: &Caller,
    user: usize,
) -> Result<(), Refusal> {
    let above = state.users[user].role.holds(Privilege::SuperAdmin);
    if above && !role_of(state, caller).holds(Privilege::SuperAdmin) {
        return Err(Refusal::forbidden());
    }
    Ok(())
}

fn filtered(route: &Route, request: &Request) -> bool {
    match route {
        Route::Activities(user, _) => {
            user != "all" || FILTERS.iter().any(|name| request.param(name).is_some())
        }
        _ => false,
    }
}
