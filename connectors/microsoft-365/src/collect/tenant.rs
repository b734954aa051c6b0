//! The directory's own record: who may let an app in, and further settings.

use std::time::Duration;

use grantwarden_kit::model::{ConsentPolicy, Observed, Reason, Setting, Tenant, UserConsent};

use super::policies::{CONSENT, MANAGEMENT, ORGANIZATION, Settings};
use crate::api::{AuthorizationPolicy, ConditionSet, PermissionGrantPolicy, Restriction};

/// What assigns a consent policy to users for their own data.
const FOR_SELF: &str = "managepermissiongrantsforself.";
/// What lets owners of a team or group consent for it.
const FOR_OWNED: &str = "managepermissiongrantsforownedresource.";
/// Service plans: <https://learn.microsoft.com/en-us/entra/identity/users/licensing-service-plan-reference>
const PLANS: [(&str, &str); 2] = [
    ("eec0eb4f-6444-4f95-aba0-50c24d67f998", "Microsoft Entra ID P2"),
    ("41781fb2-bc02-4b7c-bd55-b576c07bb09d", "Microsoft Entra ID P1"),
];

impl Settings {
    /// The record of the directory.
    pub(super) fn record(&self, id: &str, of_microsoft: Observed<usize>) -> Tenant {
        let silent = |detail| Observed::unknown(Reason::PlatformSilent, CONSENT, detail);
        let organization = self.organization.as_ref();
        Tenant {
            id: id.to_owned(),
            display_name: match organization {
                Some(organization) => Observed::from_option(organization.display_name.clone()),
                None => Observed::unknown(
                    Reason::CallFailed,
                    ORGANIZATION,
                    "the directory's own record was not read",
                ),
            },
            // Entra has no mark for test directories.
            sandbox: Observed::unknown(
                Reason::PlatformSilent,
                ORGANIZATION,
                "Entra does not say whether a directory is a test directory",
            ),
            consent: ConsentPolicy {
                user_consent: self.user_consent(),
                setting: "User consent for applications".to_owned(),
                bypasses: Vec::new(),
                weak_flows: silent(
                    "conditional access decides on device code flow, and is not read",
                ),
            },
            look_alikes: Observed::unknown(
                Reason::PlatformSilent,
                CONSENT,
                "conditional access policies are not read",
            ),
            settings: self.settings(of_microsoft),
        }
    }

    /// What an ordinary user may consent to: the widest of the policies that are assigned.
    pub(super) fn user_consent(&self) -> Observed<UserConsent> {
        let assigned = match &self.authorization {
            Observed::Known(policy) => policy
                .default_user_role_permissions
                .as_ref()
                .and_then(|permissions| permissions.permission_grant_policies_assigned.as_ref()),
            Observed::Absent => None,
            Observed::Unknown(gap) => return Observed::Unknown(gap.clone()),
        };
        let Some(assigned) = assigned else {
            let detail = "Graph does not say which consent policies are assigned to users";
            return Observed::unknown(Reason::PlatformSilent, CONSENT, detail);
        };
        let mut widest = Observed::Known(UserConsent::None);
        for entry in assigned {
            let entry = entry.to_ascii_lowercase();
            let Some(policy) = entry.strip_prefix(FOR_SELF) else { continue };
            match self.allows(policy) {
                Observed::Known(UserConsent::Any) => return Observed::Known(UserConsent::Any),
                // One that is not known may be wider than any that is.
                other if widest.gap().is_none() => widest = other,
                _ => {}
            }
        }
        widest
    }

    /// What one consent policy allows.
    fn allows(&self, policy: &str) -> Observed<UserConsent> {
        match policy {
            "microsoft-user-default-legacy" => return Observed::Known(UserConsent::Any),
            "microsoft-user-default-low" | "microsoft-user-default-recommended" => {
                return Observed::Known(UserConsent::Conditional);
            }
            _ => {}
        }
        let policies = match &self.grant_policies {
            Observed::Known(policies) => policies,
            Observed::Absent => &Vec::new(),
            Observed::Unknown(gap) => return Observed::Unknown(gap.clone()),
        };
        match policies.iter().find(|custom| custom.id.eq_ignore_ascii_case(policy)) {
            Some(PermissionGrantPolicy { includes: Some(includes), excludes, .. }) => {
                let has_exceptions = excludes.as_ref().is_none_or(|sets| !sets.is_empty());
                let is_open = includes.iter().any(is_unconditional) && !has_exceptions;
                Observed::Known(if is_open { UserConsent::Any } else { UserConsent::Conditional })
            }
            _ => {
                let detail = format!("the consent policy `{policy}` is not known to this version");
                Observed::unknown(Reason::PlatformSilent, CONSENT, detail)
            }
        }
    }

    /// Life of access tokens, where the directory sets one.
    pub(super) fn access_lifetime(&self) -> Observed<Duration> {
        match &self.token_lifetime {
            Observed::Known(Some(life)) => Observed::Known(*life),
            Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
            // https://learn.microsoft.com/en-us/entra/identity-platform/configurable-token-lifetimes
            Observed::Known(None) | Observed::Absent => Observed::unknown(
                Reason::PlatformSilent,
                MANAGEMENT,
                "60 to 90 minutes at random, and up to 28 hours for a client with continuous access evaluation",
            ),
        }
    }

    fn settings(&self, of_microsoft: Observed<usize>) -> Vec<Setting> {
        let permissions = |pick: fn(&AuthorizationPolicy) -> Option<bool>| {
            yes_or_no(&self.authorization, CONSENT, pick)
        };
        let for_owned = permissions(|policy| {
            let permissions = policy.default_user_role_permissions.as_ref()?;
            let assigned = permissions.permission_grant_policies_assigned.as_ref()?;
            let is_for_owned = |entry: &String| entry.to_ascii_lowercase().starts_with(FOR_OWNED);
            Some(assigned.iter().any(is_for_owned))
        });
        let plan = self.organization.as_ref().and_then(|organization| {
            let plans = organization.assigned_plans.as_ref()?;
            let has = |id: &str| {
                plans.iter().any(|plan| {
                    plan.capability_status.as_deref() == Some("Enabled")
                        && plan
                            .service_plan_id
                            .as_deref()
                            .is_some_and(|own| own.eq_ignore_ascii_case(id))
                })
            };
            Some(
                PLANS
                    .iter()
                    .find(|(id, _)| has(id))
                    .map_or("Microsoft Entra ID Free", |(_, name)| name),
            )
        });
        let setting = |name: &str, value| Setting { name: name.to_owned(), value };
        vec![
            setting(
                "Licence",
                match plan {
                    Some(plan) => Observed::Known(plan.to_owned()),
                    None => Observed::unknown(
                        Reason::PlatformSilent,
                        ORGANIZATION,
                        "the directory's service plans are not told",
                    ),
                },
            ),
            setting(
                "Microsoft's own service principals",
                of_microsoft.map(|count| {
                    format!(
                        "{count}, listed only if they hold a permission, a grant or a credential"
                    )
                }),
            ),
            setting(
                "Users can request admin consent",
                yes_or_no(&self.admin_consent, CONSENT, |policy| policy.is_enabled),
            ),
            setting(
                "Users can consent to apps that Microsoft takes for risky",
                permissions(|policy| policy.allow_user_consent_for_risky_apps),
            ),
            setting(
                "Users can register applications",
                permissions(|policy| {
                    policy.default_user_role_permissions.as_ref()?.allowed_to_create_apps
                }),
            ),
            setting("Group owners can consent for their groups", for_owned),
            setting("Longest life of a new app secret", self.secret_lifetime()),
        ]
    }

    fn secret_lifetime(&self) -> Observed<String> {
        let policy = match &self.management {
            Observed::Known(policy) => policy,
            Observed::Absent => return Observed::Absent,
            Observed::Unknown(gap) => return Observed::Unknown(gap.clone()),
        };
        let restrictions = policy.application_restrictions.as_ref();
        let rules = restrictions.and_then(|all| all.password_credentials.as_ref());
        let is_lifetime =
            |rule: &&Restriction| rule.restriction_type.as_deref() == Some("passwordLifetime");
        let no_rule = || Observed::Known("no rule".to_owned());
        let untold =
            || Observed::unknown(Reason::PlatformSilent, MANAGEMENT, "Graph does not tell");
        match (policy.is_enabled, rules) {
            (Some(false), _) => no_rule(),
            (Some(true), Some(rules)) => match rules.iter().find(is_lifetime) {
                None => no_rule(),
                Some(rule) => rule.max_lifetime.clone().map_or_else(untold, Observed::Known),
            },
            (None, _) | (_, None) => untold(),
        }
    }
}

fn yes_or_no<T>(
    policy: &Observed<T>,
    facet: &str,
    pick: impl Fn(&T) -> Option<bool>,
) -> Observed<String> {
    match policy {
        Observed::Known(policy) => match pick(policy) {
            Some(true) => Observed::Known("yes".to_owned()),
            Some(false) => Observed::Known("no".to_owned()),
            None => Observed::unknown(Reason::PlatformSilent, facet, "Graph does not tell"),
        },
        Observed::Absent => Observed::Absent,
        Observed::Unknown(gap) => Observed::Unknown(gap.clone()),
    }
}

/// Whether a set of conditions lets every app through with every permission that a user may give.
fn is_unconditional(set: &ConditionSet) -> bool {
    let is_all = |list: &Option<Vec<String>>| {
        list.as_ref().is_none_or(|list| {
            list.is_empty() || list.iter().any(|entry| entry.eq_ignore_ascii_case("all"))
        })
    };
    let says_all =
        |text: &Option<String>| text.as_deref().is_none_or(|text| matches!(text, "all" | "any"));
    is_all(&set.permissions)
        && is_all(&set.client_application_ids)
        && is_all(&set.client_application_tenant_ids)
        && is_all(&set.client_application_publisher_ids)
        && says_all(&set.permission_classification)
        && says_all(&set.resource_application)
        && set.client_applications_from_verified_publisher_only != Some(true)
}
