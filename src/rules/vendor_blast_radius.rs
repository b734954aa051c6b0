//! `vendor-blast-radius`: what one vendor's breach would cost, all its apps, platforms and grants together.

use super::{
    GrantView, Meta, OnPlatform, Problem, Reference, Remedy, Rule, VendorView, Verdicts, controls,
    fact, words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    policy::{AnyParameter, Parameter},
    scopes::DataClass,
    vendors::{self, Party},
};

pub(super) struct VendorBlastRadius;

static BROAD_PLATFORMS: Parameter<u64> = Parameter {
    rule: "vendor-blast-radius",
    key: "broad_platforms",
    default: 2,
    meaning: "on so many platforms or more sensitive data in bulk is too much for one vendor",
};
static PLATFORMS: Parameter<u64> = Parameter {
    rule: "vendor-blast-radius",
    key: "platforms",
    default: 3,
    meaning: "so many platforms or more are many, whatever the vendor may do there",
};
static GRANTS: Parameter<u64> = Parameter {
    rule: "vendor-blast-radius",
    key: "grants",
    default: 100,
    meaning: "so many live grants or more are many",
};
static USERS: Parameter<u64> = Parameter {
    rule: "vendor-blast-radius",
    key: "users",
    default: 50,
    meaning: "so many users behind the grants or more are many; they are counted up to 1000",
};

static META: Meta = Meta {
    id: "vendor-blast-radius",
    title: "One vendor holds much",
    severity: Severity::Medium,
    summary: "The grants of one vendor, taken together, reach far: sensitive data on several platforms, many grants, or many users.",
    why: "A breach takes all of it at once. Drift's tokens opened Salesforce, Google Workspace, Slack and more (August 2025), Klue was \
          connected to nine platforms (2026); the customers learnt the extent one platform at a time.",
    incidents: &[
        "salesloft-drift-2025",
        "klue-2026",
        "gainsight-2025",
        "heroku-travis-github-2022",
    ],
    remedies: &[
        Remedy::NarrowScopes,
        Remedy::UseDedicatedIdentity,
        Remedy::RestrictNetwork,
        Remedy::RevokeGrant,
    ],
    references: &[Reference {
        title: "Google: data theft from Salesforce instances via Salesloft Drift",
        url: "https://cloud.google.com/blog/topics/threat-intelligence/data-theft-salesforce-instances-via-salesloft-drift",
    }],
    controls: &[controls::NHI_THIRD_PARTY, controls::NHI_OVERPRIVILEGED],
    needs: &[fact::GRANT_SCOPES],
    parameters: &[
        AnyParameter::Number(&BROAD_PLATFORMS),
        AnyParameter::Number(&PLATFORMS),
        AnyParameter::Number(&GRANTS),
        AnyParameter::Number(&USERS),
    ],
};

impl Rule for VendorBlastRadius {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Judges nothing yet; says which grants will be missing from the sum.
    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let context = view.context;
        let vendor = context.surroundings.vendor_of(context.tenant_name, &view.grant.app);
        if vendor.is_some_and(|vendor| vendor.party == Party::Third) && view.is_live() {
            view.is_broad().report(verdicts);
        }
    }

    fn vendor(&self, view: &VendorView<'_>, verdicts: &mut Verdicts) {
        let (vendor, holdings) = (view.vendor, view.holdings);
        let total = holdings.total();
        let (principals, has_more) = holdings.principals();
        let beyond = beyond_register(view);
        let policy = view.surroundings.policy_of_vendor(vendor);
        let is_much = total.live >= policy.get(&GRANTS)
            || principals >= policy.get(&USERS)
            || holdings.by_platform.len() as u64 >= policy.get(&PLATFORMS);
        let broad_platforms = holdings.broad_platforms().len() as u64;
        let severity = match (is_much, total.broad > 0) {
            _ if broad_platforms >= policy.get(&BROAD_PLATFORMS) => Severity::High,
            (true, true) => Severity::Medium,
            _ if beyond.is_some() => Severity::Medium,
            (true, false) => Severity::Low,
            (false, _) => return,
        };
        if vendor.party != Party::Third {
            return;
        }
        let mut evidence = vec![
            view.holdings_evidence(),
            Evidence::new("of the grants", kinds(&total), fact::GRANT_SCOPES),
        ];
        evidence.extend(beyond);
        // An app that only says that it is this vendor's may be somebody else's.
        let is_claimed = vendor.apps.iter().any(|app| {
            app.ties.first().is_some_and(|tie| tie.confidence == vendors::Confidence::Claimed)
        });
        let doubts = usize::from(is_claimed) + usize::from(total.unseen > 0);
        verdicts.find(Problem {
            severity,
            confidence: Confidence::with_reservations(doubts),
            message: format!(
                "A breach of {} would open {} on {}, of {}{}{}.",
                vendor.name,
                words::counted(total.live, "live grant"),
                words::list(holdings.by_platform.keys()),
                if has_more { "more than " } else { "" },
                words::counted(principals, "user"),
                if holdings.data.is_empty() {
                    String::new()
                } else {
                    format!(", and with them {} in bulk", phrases(&holdings.data))
                },
            ),
            evidence,
        });
    }
}

/// Everything has the rest in it.
fn phrases<'a>(data: impl IntoIterator<Item = &'a DataClass>) -> String {
    let data: Vec<&DataClass> = data.into_iter().collect();
    if data.contains(&&DataClass::Everything) {
        return DataClass::Everything.phrase().to_owned();
    }
    words::list(data.into_iter().map(|class| class.phrase()))
}

fn kinds(total: &OnPlatform) -> String {
    let mut kinds = vec![
        format!("{} reach sensitive data in bulk", total.broad),
        format!("{} do not end by themselves", total.durable),
        format!("{} work from any network", total.unbound),
        format!("{} act with rights over the whole organisation", total.privileged),
        format!("{} act without a user or for all", total.tenant_wide),
    ];
    if total.unseen > 0 {
        kinds.push(format!("of {} the scopes are not visible", total.unseen));
    }
    kinds.join("; ")
}

/// The kinds of data that its grants reach in bulk and that it may not hold by the register. Where an entry does not say what it may
/// hold, nobody said that it may not.
fn beyond_register(view: &VendorView<'_>) -> Option<Evidence> {
    let register = view.surroundings.register?;
    let entries = register.entries_of(view.vendor);
    let first = entries.first()?.entry;
    let lists: Option<Vec<&[DataClass]>> = entries.iter().map(|found| found.entry.data()).collect();
    let allowed = lists?.concat();
    let is_allowed =
        |class: &DataClass| allowed.contains(class) || allowed.contains(&DataClass::Everything);
    let beyond: Vec<&DataClass> =
        view.holdings.data.iter().filter(|class| !is_allowed(class)).collect();
    if beyond.is_empty() {
        return None;
    }
    let may = if allowed.is_empty() { "nothing".to_owned() } else { phrases(&allowed) };
    let value = format!("{may}, by the register; its grants reach {}", phrases(beyond));
    Some(Evidence::new("may hold", value, register.source(first)))
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Expiry, Observed, Origin};

    use super::super::testing::{Well, days, gap};
    use super::*;

    const RULE: &str = "vendor-blast-radius";

    #[test]
    fn high_if_broad_on_two_platforms() {
        let finding = Well::run().holding(&[("slack", 1, 1)]).one_of_vendors(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "A breach of Backup would open 2 live grants on salesforce and slack, of 2 users, and with them CRM data in bulk."
        );
        assert_eq!((finding.platform, finding.tenant), (None, None));
    }

    #[test]
    fn medium_if_much_and_broad_and_low_if_much_and_narrow() {
        Well::run().silent_of_vendors(RULE);
        let mut many = Well::run().holding(&[("salesforce", GRANTS.default, 0)]);
        assert_eq!(many.one_of_vendors(RULE).severity, Severity::Medium);
        many.scopes(&["openid"]);
        assert_eq!(many.one_of_vendors(RULE).severity, Severity::Low);
        let users = Well::run().holding(&[("salesforce", USERS.default, USERS.default)]);
        assert_eq!(users.one_of_vendors(RULE).severity, Severity::Medium);
        let mut spread = Well::run().holding(&[("slack", 1, 0), ("okta", 1, 0)]);
        assert_eq!(spread.one_of_vendors(RULE).severity, Severity::High);
        spread.scopes(&["openid"]);
        assert_eq!(spread.one_of_vendors(RULE).severity, Severity::Low);
    }

    #[test]
    fn medium_if_it_reaches_what_the_register_does_not_allow() {
        let entry = |data: &str| {
            format!("[[vendor]]\nname = 'Backup'\nclient_ids = ['3MVG9']\ndata = {data}\n")
        };
        let finding = Well::run().registered(&entry("['files']")).one_of_vendors(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        let said = finding.evidence.iter().find(|evidence| evidence.fact == "may hold").unwrap();
        assert_eq!(said.value, "files, by the register; its grants reach CRM data");
        assert_eq!(said.source, "v.toml:2");
        for data in ["['crm']", "['everything']"] {
            Well::run().registered(&entry(data)).silent_of_vendors(RULE);
        }
        Well::run().registered("[[vendor]]\nname = 'Backup'\n").silent_of_vendors(RULE);
    }

    #[test]
    fn only_live_grants_of_third_parties_count() {
        let mut expired = Well::run().holding(&[("slack", 1, 0)]);
        expired.grant.expires = Observed::Known(Expiry::At(days(-1)));
        expired.silent_of_vendors(RULE);
        for origin in [Origin::Platform, Origin::Own] {
            let mut well = Well::run().holding(&[("slack", 1, 1)]);
            well.app.origin = origin;
            well.silent_of_vendors(RULE);
        }
    }

    #[test]
    fn invisible_scopes_are_said_grant_by_grant_and_in_the_sum() {
        let mut well = Well::run().registered("").holding(&[("slack", GRANTS.default, 1)]);
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        well.app.scopes = Observed::Unknown(gap("scopes"));
        well.unknown(RULE, &[fact::GRANT_SCOPES]);
        let finding = well.one_of_vendors(RULE);
        assert_eq!(finding.confidence, Confidence::Medium);
        assert!(finding.evidence[1].value.contains("of 101 the scopes are not visible"));
    }
}
