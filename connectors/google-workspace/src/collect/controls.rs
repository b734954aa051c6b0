//! API controls: which apps a user may let in, as the Policy API tells it.

use std::collections::BTreeMap;

use grantwarden_kit::{
    error::{ErrorKind, Result},
    http::Request,
    ledger::Ledger,
    model::{ConsentPolicy, Gap, Observed, Reason, Setting, UserConsent},
};
use serde_json::Value;

use crate::{
    access::Purpose,
    account::{Account, RESTARTS},
    api::{PoliciesPage, Policy, PolicyQuery},
};

pub(super) const FACET: &str = "api-controls";
const ENDPOINT: &str = "list policies";
/// Two listings: Google documents no alternatives within one pattern.
const FILTERS: [&str; 2] = [
    r"setting.type.matches('^settings/api_controls\..*$')",
    r"setting.type.matches('^settings/workspace_marketplace\..*$')",
];
const API_CONTROLS: &str = "settings/api_controls.";
const UNCONFIGURED: &str = "settings/api_controls.unconfigured_third_party_apps";

/// The type of a default.
const SYSTEM: &str = "SYSTEM";

/// The account's API controls.
pub(super) struct Controls {
    pub(super) user_consent: Observed<UserConsent>,
    pub(super) settings: Vec<Setting>,
}

impl Controls {
    pub(super) async fn read(account: &Account, ledger: &Ledger) -> Self {
        if account.is_itself() {
            let gap = no_policies();
            ledger.lose(gap.clone(), None);
            ledger.settle(FACET);
            return Self::unseen(gap);
        }
        match ledger.look(FACET, policies(account, ledger)).await {
            Observed::Known(policies) => Self::of(&policies),
            Observed::Unknown(gap) => Self::unseen(gap),
            Observed::Absent => Self::of(&[]),
        }
    }

    fn unseen(gap: Gap) -> Self {
        Self { user_consent: Observed::Unknown(gap), settings: Vec::new() }
    }

    fn of(policies: &[Policy]) -> Self {
        Self { user_consent: user_consent(policies), settings: settings(policies) }
    }

    /// The tenant's consent settings.
    pub(super) fn consent(&self) -> ConsentPolicy {
        ConsentPolicy {
            user_consent: self.user_consent.clone(),
            setting: "API controls > Unconfigured third-party apps".to_owned(),
            bypasses: Vec::new(),
            // An account cannot open or close flows; app passwords are listed as grants.
            weak_flows: Observed::Known(Vec::new()),
        }
    }
}

/// The gap of a service account without a user, for which the Policy API does not answer (API sheet).
pub(super) fn no_policies() -> Gap {
    Gap::new(
        Reason::PlatformSilent,
        FACET,
        "Google shows policies to super admins only, not to a service account that acts as itself: name one in `subject`",
    )
}

/// The first page of a listing of policies.
pub(super) fn request(account: &Account, filter: &str, size: u32) -> Result<Request> {
    let mut url = account.url(Purpose::Policies, &["v1", "policies"])?;
    url.query_pairs_mut().append_pair("filter", filter).append_pair("pageSize", &size.to_string());
    let mut request = Request::get(ENDPOINT, url);
    request.bucket = "policies";
    Ok(request)
}

/// Asks whether policies can be read.
pub(super) async fn probe(account: &Account) -> Result<()> {
    let request = request(account, FILTERS[0], 1)?;
    account.ask::<PoliciesPage>(Purpose::Policies, &request).await.map(drop)
}

async fn policies(account: &Account, ledger: &Ledger) -> Result<Vec<Policy>> {
    let mut all = Vec::new();
    for filter in FILTERS {
        all.extend(matching(account, ledger, filter).await?);
    }
    ledger.read(FACET, all.len() as u64);
    if !all.iter().any(|policy| policy.setting.kind.starts_with(API_CONTROLS)) {
        let detail =
            "Google shows no API controls at all, although its own defaults are always there";
        ledger.lose(Gap::new(Reason::CallFailed, FACET, detail), None);
    }
    Ok(all)
}

async fn matching(account: &Account, ledger: &Ledger, filter: &str) -> Result<Vec<Policy>> {
    let mut restarts = 0;
    'listing: loop {
        let mut pages = account.pages(Purpose::Policies, request(account, filter, 100)?)?;
        let (mut all, mut unreadable) = (Vec::new(), 0);
        loop {
            match pages.next::<PoliciesPage>().await {
                // A page may be empty although there is a next one.
                Ok(Some(page)) => {
                    for row in page.policies {
                        match serde_json::from_value::<Policy>(row) {
                            Ok(policy) => all.push(policy),
                            Err(_) => unreadable += 1,
                        }
                    }
                }
                Ok(None) => {
                    if unreadable > 0 {
                        let detail = "policies have a form that is not known";
                        let gap = Gap::new(Reason::CallFailed, FACET, detail);
                        ledger.lose(gap, Some(unreadable));
                    }
                    return Ok(all);
                }
                Err(error) if error.kind == ErrorKind::PageExpired && restarts < RESTARTS => {
                    restarts += 1;
                    continue 'listing;
                }
                Err(error) => return Err(account.explain(Purpose::Policies, ENDPOINT, error)),
            }
        }
    }
}

/// What holds in each place: what was set there, or, where nothing was, the system's default. A place has several policies where they
/// are for different users, as licences are.
fn effective<'a>(policies: &'a [Policy], kind: &str) -> Vec<(&'a PolicyQuery, &'a Policy)> {
    let mut places: BTreeMap<&PolicyQuery, Vec<&Policy>> = BTreeMap::new();
    for policy in policies.iter().filter(|policy| policy.setting.kind == kind) {
        places.entry(&policy.policy_query).or_default().push(policy);
    }
    let holds = places.into_iter().flat_map(|(place, mut policies)| {
        if policies.iter().any(|policy| policy.kind != SYSTEM) {
            policies.retain(|policy| policy.kind != SYSTEM);
        }
        policies.into_iter().map(move |policy| (place, policy))
    });
    holds.collect()
}

/// What an ordinary user may consent to where the least is forbidden.
fn user_consent(policies: &[Policy]) -> Observed<UserConsent> {
    let mut weakest: Option<UserConsent> = None;
    for (_, policy) in effective(policies, UNCONFIGURED) {
        let level = policy.setting.value.get("accessLevel").and_then(Value::as_str);
        let consent = match level {
            // Live accounts write the second form of each. Of the documented three, the one left over for "any app" is the first; not to
            // know better must not make it look closed.
            Some("ACCESS_LEVEL_UNSPECIFIED" | "UNSPECIFIED_UBER_BLOCK") => UserConsent::Any,
            // Any app, but only to sign in: a condition on rights.
            Some("ALLOW_SIGN_IN_ONLY" | "ALLOW_SIGN_IN_SCOPES_ONLY") => UserConsent::Conditional,
            Some("BLOCK_ALL" | "BLOCK_ALL_SCOPES") => UserConsent::None,
            Some(other) => {
                let detail = format!("the access level `{other}` is not known to this version");
                return Observed::unknown(Reason::PlatformSilent, FACET, detail);
            }
            None => {
                let detail = "a policy for unconfigured apps has no access level";
                return Observed::unknown(Reason::PlatformSilent, FACET, detail);
            }
        };
        weakest = Some(match (weakest, consent) {
            (Some(UserConsent::Any), _) | (_, UserConsent::Any) => UserConsent::Any,
            (Some(UserConsent::Conditional), _) | (_, UserConsent::Conditional) => {
                UserConsent::Conditional
            }
            (_, other) => other,
        });
    }
    weakest.map_or_else(
        || {
            let detail = "Google shows no policy for unconfigured apps";
            Observed::unknown(Reason::PlatformSilent, FACET, detail)
        },
        Observed::Known,
    )
}

/// Settings for a reader, in a stable order.
fn settings(policies: &[Policy]) -> Vec<Setting> {
    let mut kinds: Vec<&str> = policies.iter().map(|policy| policy.setting.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut settings = Vec::new();
    for kind in kinds {
        for (place, policy) in effective(policies, kind) {
            let query = place.query.as_deref().filter(|query| query.contains("license"));
            let of = [place.org_unit.as_deref(), place.group.as_deref(), query];
            let place = of.into_iter().flatten().collect::<Vec<_>>().join(", ");
            let name = kind.trim_start_matches("settings/");
            let name = if place.is_empty() { name.to_owned() } else { format!("{name} ({place})") };
            let mut values: Vec<String> = policy
                .setting
                .value
                .iter()
                .map(|(name, value)| format!("{name} = {}", show(value)))
                .collect();
            values.sort_unstable();
            settings.push(Setting { name, value: Observed::Known(values.join(", ")) });
        }
    }
    settings
}

/// A value for a reader. Only restricted services are listed, and a group that ends in `_HIGH_RISK` restricts its high-risk scopes only.
fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(show).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => match (fields.get("scopesGroup"), fields.get("isEnabled")) {
            (Some(Value::String(group)), Some(Value::Bool(true))) => group.clone(),
            (Some(Value::String(group)), Some(Value::Bool(false))) => format!("{group} (off)"),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(kind: &str, unit: &str, level: &str) -> Policy {
        serde_json::from_value(serde_json::json!({
            "type": kind,
            "policyQuery": { "orgUnit": unit },
            "setting": { "type": UNCONFIGURED, "value": { "accessLevel": level } },
        }))
        .unwrap()
    }

    #[test]
    fn the_weakest_place_counts_and_both_spellings_are_read() {
        let known = |policies: &[Policy]| user_consent(policies).known().copied();
        for (level, consent) in [
            ("UNSPECIFIED_UBER_BLOCK", UserConsent::Any),
            ("ACCESS_LEVEL_UNSPECIFIED", UserConsent::Any),
            ("ALLOW_SIGN_IN_ONLY", UserConsent::Conditional),
            ("ALLOW_SIGN_IN_SCOPES_ONLY", UserConsent::Conditional),
            ("BLOCK_ALL", UserConsent::None),
            ("BLOCK_ALL_SCOPES", UserConsent::None),
        ] {
            assert_eq!(known(&[policy("SYSTEM", "a", level)]), Some(consent), "{level}");
        }
        let open = policy("SYSTEM", "a", "UNSPECIFIED_UBER_BLOCK");
        let closed = policy("ADMIN", "a", "BLOCK_ALL");
        let elsewhere = policy("ADMIN", "b", "ALLOW_SIGN_IN_ONLY");
        assert_eq!(known(&[open, closed, elsewhere]), Some(UserConsent::Conditional));
        let open = policy("SYSTEM", "a", "UNSPECIFIED_UBER_BLOCK");
        assert_eq!(known(&[policy("ADMIN", "b", "BLOCK_ALL"), open]), Some(UserConsent::Any));
        assert_eq!(known(&[]), None);
        // Users with another licence have a policy of their own, and what is no default outweighs it.
        let mut licensed = policy("ADMIN", "a", "UNSPECIFIED_UBER_BLOCK");
        licensed.policy_query.query = Some("entity.licenses.exists(one, one == 'x')".to_owned());
        let closed = || policy("ADMIN", "a", "BLOCK_ALL_SCOPES");
        assert_eq!(known(&[licensed, closed()]), Some(UserConsent::Any));
        let twice = policy("ADMIN", "a", "ALLOW_SIGN_IN_ONLY");
        assert_eq!(known(&[twice, closed()]), Some(UserConsent::Conditional));
        let new = policy("NEW_TYPE", "a", "UNSPECIFIED_UBER_BLOCK");
        assert_eq!(known(&[policy("SYSTEM", "a", "BLOCK_ALL"), new]), Some(UserConsent::Any));
        let odd = user_consent(&[policy("ADMIN", "a", "SOMETIMES")]);
        assert!(odd.gap().unwrap().detail.contains("SOMETIMES"));
    }
}
