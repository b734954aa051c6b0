//! What holds for all rules together: identity, pages, replays of real incidents, and that an invisible fact is never a pass.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use grantwarden_kit::model::{
    Approval, Bypass, Count, Expiry, GrantKind, Holder, LookAlike, Observed, Origin, PrincipalKind,
    PrincipalStatus, Publisher, Timestamp, UserConsent,
};
use proptest::prelude::*;

use super::{
    GrantView, Judgement, RULES, Remedy,
    before::TenantBefore,
    fact, find, ids,
    testing::{Well, days, gap, now, scopes},
};
use crate::{
    finding::{Severity, SubjectKind},
    policy::{Policy, Setting},
};

#[test]
fn ids_titles_and_severities_change_only_on_purpose() {
    let list: Vec<String> = RULES
        .iter()
        .map(|rule| rule.meta())
        .map(|meta| format!("{:<24} {:<9} {}", meta.id, meta.severity, meta.title))
        .collect();
    insta::assert_snapshot!(list.join("\n"));
}

#[test]
fn every_rule_says_what_it_must() {
    let ids = ids();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "ids are unique");
    assert_eq!(ids.last(), Some(&"coverage-gap"), "it reports what the others could not judge");
    for rule in RULES {
        let meta = rule.meta();
        assert!(
            meta.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{}",
            meta.id
        );
        assert!(std::ptr::eq(find(meta.id).unwrap(), meta));
        assert!(meta.summary.ends_with('.') && meta.why.ends_with('.'), "{}", meta.id);
        assert!(!meta.incidents.is_empty() && !meta.remedies.is_empty(), "{}", meta.id);
        assert!(meta.references.iter().all(|reference| reference.url.starts_with("https://")));
        let controls: BTreeSet<_> =
            meta.controls.iter().map(|control| (control.framework, control.id)).collect();
        assert_eq!(controls.len(), meta.controls.len(), "{} names a control twice", meta.id);
        assert!(meta.controls.iter().all(|control| control.url.starts_with("https://")));
    }
}

#[test]
fn remedies_are_known_to_the_connector() {
    for (platform, text) in MANIFESTS {
        let manifest = grantwarden_kit::manifest::Manifest::parse(text).unwrap();
        for rule in RULES {
            for remedy in rule.meta().remedies {
                let id = remedy.id();
                assert!(manifest.remedies.contains_key(id), "{platform} does not know {id}");
            }
        }
        for id in manifest.remedies.keys() {
            assert!(id.parse::<Remedy>().is_ok(), "{platform}: {id}");
        }
    }
}

/// What the connectors say of their platforms.
const MANIFESTS: [(&str, &str); 6] = [
    ("GitHub", include_str!("../../connectors/github/connector.toml")),
    ("Google Workspace", include_str!("../../connectors/google-workspace/connector.toml")),
    ("Microsoft 365", include_str!("../../connectors/microsoft-365/connector.toml")),
    ("Okta", include_str!("../../connectors/okta/connector.toml")),
    ("Salesforce", include_str!("../../connectors/salesforce/connector.toml")),
    ("Slack", include_str!("../../connectors/slack/connector.toml")),
];

/// Without it, what an earlier scan lost would count as new.
#[test]
fn every_platform_says_what_its_facets_hold() {
    use grantwarden_kit::manifest::{Holding, Manifest};
    for (platform, text) in MANIFESTS {
        let manifest = Manifest::parse(text).unwrap();
        for kind in [Holding::Apps, Holding::Grants] {
            let promised = manifest.facets.iter().filter(|facet| facet.promised);
            let holds = |facet: &&grantwarden_kit::manifest::Facet| facet.holds.contains(&kind);
            assert!(promised.clone().any(|facet| holds(&facet)), "{platform}: {kind:?}");
        }
    }
}

/// Headings of a rule's page, in order.
const HEADINGS: [&str; 12] = [
    "What it finds",
    "Why it matters",
    "Facts it needs",
    "How severity is set",
    "False positives and how to tune",
    "How to fix on GitHub",
    "How to fix on Google Workspace",
    "How to fix on Microsoft 365",
    "How to fix on Okta",
    "How to fix on Salesforce",
    "How to fix on Slack",
    "References",
];

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let pages: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = ids().iter().map(|id| format!("{id}.md")).collect();
    assert_eq!(pages, expected);
    for rule in RULES {
        let meta = rule.meta();
        let page =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(meta.page())).unwrap();
        assert!(page.starts_with(&format!("# {}\n", meta.id)), "{}", meta.id);
        let headings: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", meta.id);
        assert!(page.contains(meta.title), "{} does not name its title", meta.id);
        for needed in meta.needs {
            assert!(page.contains(&format!("`{needed}`")), "{} does not name {needed}", meta.id);
        }
        for reference in meta.references {
            assert!(page.contains(reference.url), "{} does not link {}", meta.id, reference.url);
        }
        for parameter in meta.parameters {
            assert_eq!(parameter.rule(), meta.id, "{}", parameter.key());
            let (key, default, meaning) =
                (parameter.key(), parameter.default(), parameter.meaning());
            let row = format!("| `{key}` | `{default}` | {meaning} |");
            assert!(page.contains(&row), "{} has no row {row}", meta.id);
        }
        let (_, end) = page.split_once("## References\n").unwrap();
        for control in meta.controls {
            let line = format!(
                "* [{} {}: {}]({})",
                control.framework, control.id, control.title, control.url
            );
            assert!(end.lines().any(|other| other == line), "{} lacks {line}", meta.id);
        }
        let listed = end.lines().filter(|line| line.starts_with("* ")).count();
        assert_eq!(listed, meta.references.len() + meta.controls.len(), "{}", meta.id);
    }
}

#[test]
fn a_well_run_tenant_is_silent_under_all_rules() {
    let mut well = Well::run();
    well.app.publisher =
        Observed::Known(Publisher { name: "Backup".to_owned(), verified: Observed::Known(true) });
    assert_eq!(well.judge(), Judgement::default());
    assert_eq!(well.judge_app(), Judgement::default());
    assert_eq!(well.judge_credential(&well.secret()), Judgement::default());
    assert_eq!(well.judge_tenant(), Judgement::default());
}

#[test]
fn the_policy_changes_severities_and_switches_rules_off() {
    let mut well = Well::run();
    well.grant.expires = Observed::Known(Expiry::Never);
    well.policy.rules.set_severity("no-expiry", Setting::Low);
    let before = well.one("no-expiry");
    assert_eq!(before.severity, Severity::Low);
    well.policy = Policy::default();
    assert_eq!(well.one("no-expiry").fingerprint, before.fingerprint);
    well.policy.rules.set_severity("no-expiry", Setting::Off);
    well.silent("no-expiry");
    well.grant.expires = Observed::Unknown(gap("policy"));
    well.silent("no-expiry");
}

#[test]
fn a_grant_without_the_record_of_its_app_counts_as_a_third_partys() {
    let mut well = Well::run();
    well.grant.expires = Observed::Known(Expiry::Never);
    well.grant.network.binding = Observed::Absent;
    let judgement = super::grant(&GrantView::new(&well.context(), None, &well.grant));
    let drift = judgement.findings.iter().find(|finding| finding.rule == "drift-pattern").unwrap();
    assert!(drift.message.starts_with("Backup can"), "{}", drift.message);
}

#[test]
fn publisher_proof_never_changes_anything() {
    let mut well = Well::run();
    well.grant.network.binding = Observed::Absent;
    let before = well.judge();
    well.app.publisher = Observed::Known(Publisher {
        name: "Salesforce".to_owned(),
        verified: Observed::Known(true),
    });
    assert_eq!(well.judge(), before);
}

/// The Salesforce grants of the replays in `incidents.json`: names and facts by hand, with the rules that it expects to flag them.
mod replay {
    use super::*;

    /// A grant of the replay: `api` and `refresh_token` for a person, without an end and without a network.
    fn taken(app: &str, who: &str, now: &str, issued: &str, last_used: &str) -> Well {
        let mut well = Well::run();
        // A replay is judged by itself.
        well.forget();
        let shift = |date: &str| {
            let date: Timestamp = date.parse().unwrap();
            let replay: Timestamp = now.parse().unwrap();
            super::now().minus(date.until(replay))
        };
        well.app.name = app.to_owned();
        well.grant.granted_at = Observed::Known(shift(issued));
        well.grant.last_used_at = Observed::Known(shift(last_used));
        well.grant.expires = Observed::Known(Expiry::Never);
        well.grant.network.binding = Observed::Absent;
        well.principal().name = Observed::Known(who.to_owned());
        well.principal().kind = Observed::Known(PrincipalKind::Person);
        well
    }

    fn rules(well: &Well) -> Vec<String> {
        well.judge().findings.into_iter().map(|finding| finding.rule).collect()
    }

    fn assert_flags(well: &Well, expected: &[&str]) {
        let found = rules(well);
        for rule in expected {
            assert!(found.iter().any(|found| found == rule), "{rule} is missing: {found:?}");
        }
    }

    #[test]
    fn salesloft_drift_2025() {
        let day = "2025-08-07";
        let mut g1 = taken("Drift", "admin@acme.example", day, "2024-02-01", "2025-08-07");
        g1.privileges(&["Modify All Data", "Customize Application"]);
        assert_flags(
            &g1,
            &[
                "drift-pattern",
                "network-unrestricted",
                "no-expiry",
                "overbroad",
                "privileged-grantor",
            ],
        );
        assert_eq!(g1.one("drift-pattern").severity, Severity::Critical);

        // g2 is the same app run well: a dedicated user, enforced ranges, 30 days of idle time.
        let mut g2 = Well::run();
        g2.app.name = "Drift".to_owned();
        assert!(rules(&g2).is_empty());

        let mut g4 = taken("Drift", "ex-marketing@acme.example", day, "2023-11-01", "2025-07-01");
        g4.principal().status = Observed::Known(PrincipalStatus::Inactive);
        assert_flags(
            &g4,
            &["drift-pattern", "network-unrestricted", "no-expiry", "inactive-principal"],
        );

        // d2 is Salesforce's own tool in a developer's hands.
        let mut d2 = taken("Salesforce CLI", "dev@acme.example", day, "2025-03-01", "2025-08-01");
        d2.app.origin = Origin::Platform;
        d2.scopes(&["api", "web", "refresh_token"]);
        assert!(rules(&d2).is_empty(), "{:?}", rules(&d2));
    }

    #[test]
    fn gainsight_2025() {
        let day = "2025-10-22";
        let mut g1 =
            taken("Gainsight CS", "gainsight@acme.example", day, "2023-04-01", "2025-10-22");
        g1.principal().kind = Observed::Known(PrincipalKind::ServiceAccount);
        g1.privileges(&["Modify All Data"]);
        g1.scopes(&["full", "refresh_token"]);
        g1.grant.network.look_alikes = vec![LookAlike {
            setting: "Network Access (trusted IP ranges)".to_owned(),
            why: "trusted ranges block nobody".to_owned(),
        }];
        assert_flags(&g1, &["drift-pattern", "restriction-not-binding", "no-expiry", "overbroad"]);
        assert!(
            !rules(&g1).contains(&"network-unrestricted".to_owned()),
            "said by the better rule"
        );

        let mut g2 = taken("Skilljar", "admin@acme.example", day, "2024-01-01", "2025-10-20");
        g2.privileges(&["Modify All Data"]);
        assert_flags(
            &g2,
            &["drift-pattern", "network-unrestricted", "no-expiry", "privileged-grantor"],
        );

        // g4 has no refresh token: its session ends by itself.
        let mut g4 = taken("Staircase", "csm@acme.example", day, "2025-02-02", "2025-10-01");
        g4.scopes(&["api"]);
        g4.grant.refreshable = Observed::Known(false);
        g4.grant.expires = Observed::Known(Expiry::Idle(std::time::Duration::from_secs(7_200)));
        assert!(!rules(&g4).contains(&"drift-pattern".to_owned()));
    }

    /// The day before there is no grant: only the tenant's settings can warn.
    #[test]
    fn unc6040_2025() {
        let mut tenant = Well::run();
        tenant.tenant.consent.user_consent = Observed::Known(UserConsent::Any);
        assert_eq!(tenant.one_of_tenant("open-consent-policy").severity, Severity::High);

        let mut g1 = taken(
            "My Ticket Portal",
            "support@acme.example",
            "2025-06-01",
            "2025-06-01",
            "2025-06-01",
        );
        g1.grant.approval = Observed::Known(Approval::SelfAuthorized);
        let drift = g1.one("drift-pattern");
        assert!(drift.evidence.iter().any(|evidence| evidence.fact == "approved by"));
    }
}

/// What a scan may see of a fact.
fn seen<T: Clone + std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Observed<T>> {
    prop_oneof![
        4 => values.prop_map(Observed::Known),
        1 => Just(Observed::Absent),
        1 => Just(Observed::Unknown(gap("arbitrary"))),
    ]
}

fn date() -> impl Strategy<Value = Timestamp> {
    (-900_i32..900).prop_map(days)
}

/// With an entry of the vendor in a register: a contract that is over, and addresses.
static REGISTERED: LazyLock<Well> = LazyLock::new(|| {
    Well::run().registered(
        "[[vendor]]\nname = 'Backup'\nclient_ids = ['3MVG9']\ncontract_end = 2026-01-01\n\
         egress = { ranges = ['203.0.113.0/24'], checked = 2026-01-01 }\n",
    )
});

prop_compose! {
    fn arbitrary()(
        (names, of_app) in (
            seen(proptest::sample::select(vec!["api", "full", "openid", "cdp_api", "nobody:knows"])),
            seen(proptest::sample::select(vec!["api", "full", "openid"])),
        ),
        expires in seen(prop_oneof![
            Just(Expiry::Never),
            date().prop_map(Expiry::At),
            (0_u64..400).prop_map(|days| Expiry::Idle(std::time::Duration::from_secs(days * 86_400))),
        ]),
        (granted, used) in (seen(date()), seen(date())),
        (has_network, look_alike, key) in (seen(any::<bool>()), any::<bool>(), seen(any::<bool>())),
        kind in seen(prop_oneof![Just(PrincipalKind::Person), Just(PrincipalKind::ServiceAccount)]),
        status in seen(prop_oneof![
            Just(PrincipalStatus::Active),
            Just(PrincipalStatus::Inactive),
            Just(PrincipalStatus::Deleted),
        ]),
        rights in seen(proptest::sample::select(vec![
            vec![], vec!["View All Data"], vec!["Modify All Data"], vec!["Nobody Knows"],
        ])),
        (blocked, origin, holder, is_registered) in (
            seen(any::<bool>()),
            prop_oneof![3 => Just(Origin::ThirdParty), 1 => Just(Origin::Own), 1 => Just(Origin::Platform)],
            0_u8..8,
            any::<bool>(),
        ),
        (named, safe_date) in (
            proptest::sample::select(vec!["", "client-id 3MVG9", "redirect-domain backup.example", "exact-name Backup", "name-contains back"]),
            date(),
        ),
        (consent, weak_flows, bypass, of_tenant, introspects) in (
            seen(prop_oneof![Just(UserConsent::Any), Just(UserConsent::Conditional), Just(UserConsent::ListedApps), Just(UserConsent::None)]),
            seen(proptest::sample::select(vec![vec![], vec!["user-agent flow".to_owned()]])),
            seen(proptest::sample::select(vec![vec![], vec!["jane@acme.example".to_owned()]])),
            seen(Just(vec![LookAlike { setting: "a tenant's list".to_owned(), why: "no".to_owned() }])),
            seen(any::<bool>()),
        ),
        (past, agent, address, write) in (0_u8..4, any::<bool>(), any::<bool>(), any::<bool>()),
        (approval, name, publisher, home, domains, grant_kind) in (
            seen(prop_oneof![Just(Approval::AdminApproved), Just(Approval::SelfAuthorized)]),
            proptest::sample::select(vec!["Backup", "Docusign", "D\u{43e}cusign", "Microsoft Teams", "My Ticket Portal"]),
            seen(seen(any::<bool>())),
            seen(proptest::sample::select(vec!["72f988bf-86f1-41af-91ab-2d7cd011db47", "another"])),
            seen(proptest::sample::select(vec![
                vec![], vec!["docusign.net".to_owned()], vec!["evil.example".to_owned(), "docusign.net".to_owned()],
            ])),
            proptest::sample::select(vec![
                GrantKind::Delegated, GrantKind::AppOnly, GrantKind::Key, GrantKind::PersonalToken, GrantKind::Delegation,
            ]),
        ),
    ) -> Well {
        let mut well = if is_registered { REGISTERED.clone() } else { Well::run() };
        let usage = well.then().usage;
        let granted_then = match past {
            0 => vec![],
            1 => vec![well.grant.clone()],
            2 => {
                let mut grant = well.grant.clone();
                grant.scopes = Observed::Known(scopes(&["openid"]));
                vec![grant]
            }
            _ => {
                let mut grant = well.grant.clone();
                grant.scopes = Observed::Unknown(gap("then"));
                vec![grant]
            }
        };
        let before = TenantBefore::of_test(days(-35), &well.app, &granted_then.iter().collect::<Vec<_>>());
        well.remember(TenantBefore { usage, ..before });
        let count = |value: &str| vec![Count { value: value.to_owned(), count: 9 }];
        if agent {
            well.digest.usage[0].agents = count("curl/8.5");
        }
        if address {
            well.digest.usage[0].addresses = count("192.0.2.77");
        }
        if !write {
            well.digest.usage[0].operations = count("REST GET");
        }
        well.grant.scopes = names.map(|name| scopes(&[name]));
        well.app.scopes = of_app.map(|name| scopes(&[name]));
        well.grant.expires = expires;
        well.grant.granted_at = granted;
        well.grant.last_used_at = used;
        well.grant.network.binding = match (has_network, well.grant.network.binding) {
            (Observed::Known(true), ranges) => ranges,
            (Observed::Known(false), _) => Observed::Known(Vec::new()),
            (Observed::Absent, _) => Observed::Absent,
            (Observed::Unknown(gap), _) => Observed::Unknown(gap),
        };
        if look_alike {
            well.grant.network.look_alikes =
                vec![LookAlike { setting: "a list".to_owned(), why: "it binds nobody".to_owned() }];
        }
        well.grant.sender_constrained = key;
        well.principal().kind = kind;
        well.principal().status = status;
        well.principal().privileges =
            rights.map(|names| names.into_iter().map(ToOwned::to_owned).collect());
        match holder {
            0 => well.grant.holder = Holder::App,
            1 => well.grant.holder = Holder::Tenant,
            _ => {}
        }
        well.app.blocked = blocked;
        well.app.origin = origin;
        well.app.introspects_all_tokens = introspects;
        well.grant.approval = approval.clone();
        well.app.approval = approval;
        well.app.name = name.to_owned();
        well.app.publisher = publisher.map(|verified| Publisher {
            name: "Adobe Inc.".to_owned(),
            verified,
        });
        well.app.home_tenant = home.map(ToOwned::to_owned);
        well.app.redirect_domains = domains;
        well.grant.kind = grant_kind;
        well.tenant.look_alikes = of_tenant;
        well.tenant.consent.user_consent = consent;
        well.tenant.consent.weak_flows = weak_flows;
        well.tenant.consent.bypasses = vec![Bypass { right: "a right".to_owned(), holders: bypass }];
        if let Some((kind, value)) = named.split_once(' ') {
            let key = format!("kind = \"{kind}\"\nvalue = \"{value}\"");
            well.advise(&key, &format!("safe_date = \"{safe_date}\""));
        }
        let usage = std::mem::take(&mut well.digest.usage);
        well.digest = crate::inventory::Digest { usage, ..well.digest_now() };
        well
    }
}

/// Makes one fact invisible; `false` if it is not there.
fn hide(well: &mut Well, needed: &str) -> bool {
    let hidden = gap("hidden");
    let principal = match &mut well.grant.holder {
        Holder::Principal(principal) => Some(principal),
        Holder::Tenant | Holder::App => None,
    };
    match (needed, principal) {
        (fact::GRANT_SCOPES, _) => {
            well.grant.scopes = Observed::Unknown(hidden.clone());
            well.app.scopes = Observed::Unknown(hidden);
        }
        (fact::GRANT_EXPIRES, _) => well.grant.expires = Observed::Unknown(hidden),
        (fact::GRANT_NETWORK, _) => well.grant.network.binding = Observed::Unknown(hidden),
        (fact::TENANT_LOOK_ALIKES, _) => well.tenant.look_alikes = Observed::Unknown(hidden),
        (fact::USER_CONSENT, _) => well.tenant.consent.user_consent = Observed::Unknown(hidden),
        (fact::WEAK_FLOWS, _) => well.tenant.consent.weak_flows = Observed::Unknown(hidden),
        (fact::CONSENT_BYPASSES, _) => {
            well.tenant.consent.bypasses[0].holders = Observed::Unknown(hidden);
        }
        (fact::APP_CLIENT_IDS, _) => well.app.client_ids = Observed::Unknown(hidden),
        (fact::APP_REDIRECT_DOMAINS, _) => well.app.redirect_domains = Observed::Unknown(hidden),
        (fact::APP_PUBLISHER, _) => well.app.publisher = Observed::Unknown(hidden),
        (fact::GRANT_GRANTED_AT, _) => well.grant.granted_at = Observed::Unknown(hidden),
        (fact::GRANT_LAST_USED_AT, _) => well.grant.last_used_at = Observed::Unknown(hidden),
        (fact::GRANT_APPROVAL, _) => well.grant.approval = Observed::Unknown(hidden),
        (fact::APP_HOME_TENANT, _) => well.app.home_tenant = Observed::Unknown(hidden),
        (fact::HOLDER_KIND, Some(principal)) => principal.kind = Observed::Unknown(hidden),
        (fact::HOLDER_STATUS, Some(principal)) => principal.status = Observed::Unknown(hidden),
        (fact::HOLDER_PRIVILEGES, Some(principal)) => {
            principal.privileges = Observed::Unknown(hidden);
        }
        (
            fact::BEFORE_GRANTS | fact::BEFORE_APPS | fact::BEFORE_CREDENTIALS | fact::BEFORE_USAGE,
            _,
        ) => well.forget(),
        (fact::USAGE | fact::USAGE_OPERATIONS, _) => well.digest.usage.clear(),
        _ => return false,
    }
    well.look();
    true
}

/// Facts of the whole tenant: that they are not visible is said once, not for each record.
fn is_of_tenant(fact: &str) -> bool {
    ["before.", "usage"].iter().any(|beginning| fact.starts_with(beginning))
}

/// Whether the rule neither found anything nor asked for a fact.
fn passes(judgement: &Judgement, rule: &str) -> bool {
    judgement.findings.iter().all(|finding| finding.rule != rule)
        && judgement.unknowns.iter().all(|unknown| unknown.rule != rule)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// A rule that passes a grant without seeing a fact would have to pass it whatever the fact is.
    #[test]
    fn an_invisible_fact_is_never_a_pass(well in arbitrary()) {
        let judge = |well: &Well| [well.judge(), well.judge_app(), well.judge_tenant()];
        let seeing = judge(&well);
        for rule in RULES {
            let meta = rule.meta();
            for needed in meta.needs {
                let mut blind = well.clone();
                if !hide(&mut blind, needed) {
                    continue;
                }
                let judged = judge(&blind);
                // What an app hides is said once, of the app, and what the tenant hides once, of the tenant.
                let is_said = (needed.starts_with("app.") && !passes(&judged[1], meta.id))
                    || (is_of_tenant(needed) && !passes(&judged[2], meta.id));
                for (blind, seeing) in judged.iter().zip(&seeing) {
                    let found = seeing.findings.iter().find(|finding| finding.rule == meta.id);
                    prop_assert!(
                        found.is_none() || is_said || !passes(blind, meta.id),
                        "{} passes without {needed}: {found:#?}",
                        meta.id
                    );
                }
            }
        }
    }

    #[test]
    fn an_invisible_end_of_a_credential_is_never_a_pass(well in arbitrary(), ends in seen(date())) {
        let mut secret = well.secret();
        secret.expires_at = ends;
        let seeing = well.judge_credential(&secret);
        secret.expires_at = Observed::Unknown(gap("hidden"));
        let blind = well.judge_credential(&secret);
        for meta in RULES.iter().map(|rule| rule.meta()) {
            let needs_it = meta.needs.contains(&fact::CREDENTIAL_EXPIRES);
            let found = seeing.findings.iter().any(|finding| finding.rule == meta.id);
            prop_assert!(!(needs_it && found && passes(&blind, meta.id)), "{}", meta.id);
        }
    }

    #[test]
    fn every_judgement_is_sound(mut well in arbitrary(), secret_ends in seen(date())) {
        let judgement = well.judge();
        prop_assert_eq!(&judgement, &well.judge(), "the same twice");
        well.unknowns.add(SubjectKind::Grant, &judgement.unknowns);
        let mut secret = well.secret();
        secret.expires_at = secret_ends;
        let all = [judgement, well.judge_app(), well.judge_credential(&secret), well.judge_tenant()];
        let mut fingerprints = BTreeSet::new();
        for finding in all.iter().flat_map(|judgement| &judgement.findings) {
            prop_assert!(fingerprints.insert(finding.fingerprint), "at most one finding per rule");
            prop_assert!(finding.message.ends_with('.'), "{}", finding.message);
            prop_assert!(!finding.evidence.is_empty(), "{}", finding.rule);
            prop_assert!(finding.evidence.iter().all(|evidence| !evidence.source.is_empty()));
        }
    }
}

/// A rule has no clock: the time it judges by comes in.
#[test]
fn time_is_the_contexts() {
    let mut well = Well::run();
    well.grant.last_used_at = Observed::Known(days(-89));
    well.silent("stale-unused");
    let mut context = well.context();
    context.now = now().plus(std::time::Duration::from_secs(86_400));
    let later = super::grant(&GrantView::new(&context, Some(&well.app), &well.grant));
    assert_eq!(later.findings[0].rule, "stale-unused");
}
