//! [`Well`]: a well-run grant of a well-run app in a well-run tenant. It triggers no rule, so that a test changes only what it is about.

mod office;

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use grantwarden_kit::{
    manifest::{Facet, Holding},
    model::{
        App, Approval, ConsentPolicy, Count, Coverage, Credential, CredentialKind, Expiry, Gap,
        Grant, GrantKind, Holder, IpRange, NetworkPolicy, Observed, Origin, Principal,
        PrincipalKind, PrincipalStatus, Reason, RefreshPolicy, Scope, Tenant, Timestamp,
        TokenPolicy, Usage, UserConsent,
    },
};

pub(super) use office::Office;

use super::before::{Before, Past, TenantBefore};
use super::{
    Context, GrantView, Holdings, Judgement, Surroundings, Unknowns, VendorView, app, credential,
    grant, tenant,
};
use crate::{
    advisories::{Advisories, Advisory, Candidate, KnownApp, Matches},
    finding::Finding,
    inventory::{AppHoldings, Digest, TenantEnd, TenantRecords},
    policy::Policy,
    scopes::Catalog,
    vendors::{self, Member, Party, Register, Tie, TieKind, Vendor},
};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    Catalog::parse("salesforce", include_str!("../../connectors/salesforce/scopes.toml")).unwrap()
});

static GOOGLE: LazyLock<Catalog> = LazyLock::new(|| {
    let text = include_str!("../../connectors/google-workspace/scopes.toml");
    Catalog::parse("google-workspace", text).unwrap()
});

const DAY: Duration = Duration::from_secs(86_400);

/// The user's name for the tenant.
const TENANT: &str = "acme-crm";

/// The time of every test.
pub(super) fn now() -> Timestamp {
    "2026-06-01".parse().unwrap()
}

/// So many days after (or, negative, before) the time of the test.
pub(super) fn days(days: i32) -> Timestamp {
    let span = DAY * days.unsigned_abs();
    if days < 0 { now().minus(span) } else { now().plus(span) }
}

/// A gap that a right would close.
pub(super) fn gap(detail: &str) -> Gap {
    Gap::new(Reason::Permission, "grants", detail)
}

/// Scopes by name.
pub(super) fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|name| Scope::named(*name)).collect()
}

/// Everything that the rules look at.
#[derive(Debug, Clone)]
pub(super) struct Well {
    pub(super) platform: &'static str,
    pub(super) tenant: Tenant,
    pub(super) app: App,
    pub(super) grant: Grant,
    pub(super) policy: Policy,
    pub(super) coverage: Coverage,
    pub(super) unknowns: Unknowns,
    pub(super) facets: Vec<Facet>,
    pub(super) digest: Digest,
    pub(super) endless: Vec<GrantKind>,
    pub(super) surroundings: Surroundings<'static>,
    pub(super) register: Option<&'static Register>,
    /// Further apps of the tenant.
    pub(super) others: Vec<App>,
    /// On which platforms the vendor holds more grants of the same kind, how many, and of how many further users.
    pub(super) more: Vec<(&'static str, u64, u64)>,
    pub(super) advised: Advisories,
    /// Grants of the app that were seen.
    pub(super) grants: u64,
    pub(super) catalog: &'static Catalog,
}

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);

impl Well {
    /// With an earlier scan of five weeks ago that saw the same.
    pub(super) fn run() -> Self {
        let mut well = Self::alone();
        well.digest = Digest { usage: vec![well.usage(0)], ..well.digest_now() };
        let secret = well.secret();
        let mut before = TenantBefore::of_test(days(-35), &well.app, &[&well.grant]);
        let app = before.apps.get_mut(&well.app.id).unwrap();
        app.credentials.insert(secret.id.clone());
        well.digest.credentials.insert(well.app.id.clone(), vec![secret]);
        well.remember(TenantBefore { usage: Past::of(&[well.usage(-35)]), ..before });
        well
    }

    /// What the app did in the 90 days before.
    fn usage(&self, until: i32) -> Usage {
        let count = |value: &str| Count { value: value.to_owned(), count: 900 };
        Usage {
            app: self.app.id.clone(),
            log: "EventLogFile ApiTotalUsage".to_owned(),
            from: days(until - 90),
            to: days(until),
            events: 1_800,
            addresses: vec![count("203.0.113.9")],
            agents: vec![count("backup/1.0")],
            objects: vec![count("Account")],
            principals: Vec::new(),
            operations: vec![count("REST GET"), count("REST PATCH")],
            versions: vec![count("61.0")],
        }
    }

    /// Takes the earlier scan away.
    pub(super) fn forget(&mut self) {
        self.surroundings.before = None;
    }

    /// The earlier scan, to change it.
    pub(super) fn then(&self) -> TenantBefore {
        let before = self.surroundings.before.as_ref().unwrap();
        before.tenant(self.platform, &self.tenant.id).unwrap().clone()
    }

    /// Makes this what apps did before.
    pub(super) fn remember_usage(&mut self, usage: &[Usage]) {
        self.remember(TenantBefore { usage: Past::of(usage), ..self.then() });
    }

    /// Makes this the earlier scan.
    pub(super) fn remember(&mut self, before: TenantBefore) {
        self.surroundings.before = Some(Before::of(self.platform, &self.tenant.id, before));
    }

    /// What an inventory of the grant would hold in memory.
    pub(super) fn digest_now(&self) -> Digest {
        let mut digest = Digest::default();
        digest.grant(&self.grant, now());
        digest
    }

    /// Without an earlier scan.
    pub(super) fn alone() -> Self {
        let idle = DAY * 30;
        let office =
            IpRange::new("203.0.113.0".parse().unwrap(), "203.0.113.255".parse().unwrap()).unwrap();
        Self {
            platform: "salesforce",
            tenant: Tenant {
                id: "00D000000000001AAA".to_owned(),
                display_name: Observed::Known("Acme".to_owned()),
                sandbox: Observed::Known(false),
                consent: ConsentPolicy {
                    user_consent: Observed::Known(UserConsent::None),
                    setting: "API Access Control".to_owned(),
                    bypasses: Vec::new(),
                    weak_flows: Observed::Known(Vec::new()),
                },
                look_alikes: Observed::Known(Vec::new()),
                settings: Vec::new(),
            },
            app: App {
                id: "0H4000000000001".to_owned(),
                name: "Backup".to_owned(),
                kind: "connected app".to_owned(),
                client_ids: Observed::Known(vec!["3MVG9".to_owned()]),
                publisher: Observed::Absent,
                home_tenant: Observed::Absent,
                namespace: Observed::Absent,
                web_domains: Observed::Absent,
                redirect_domains: Observed::Known(vec!["backup.example".to_owned()]),
                origin: Origin::ThirdParty,
                installed: Observed::Known(true),
                blocked: Observed::Known(false),
                approval: Observed::Known(Approval::AdminApproved),
                assigned_to: Observed::Known(vec!["Backup".to_owned()]),
                scopes: Observed::Known(scopes(&["api", "refresh_token"])),
                token_policy: TokenPolicy {
                    access_lifetime: Observed::Known(Duration::from_secs(7_200)),
                    refresh: Observed::Known(RefreshPolicy::Idle(idle)),
                    rotation: Observed::Known(true),
                },
                flows: Observed::Known(Vec::new()),
                introspects_all_tokens: Observed::Known(false),
                created_at: Observed::Known(days(-300)),
                changed_at: Observed::Known(days(-300)),
                settings: Vec::new(),
            },
            grant: Grant {
                id: "0CR000000000001".to_owned(),
                app: "0H4000000000001".to_owned(),
                app_name: "Backup".to_owned(),
                kind: GrantKind::Delegated,
                holder: Holder::Principal(Principal {
                    id: "005000000000001".to_owned(),
                    name: Observed::Known("sync@acme.example".to_owned()),
                    kind: Observed::Known(PrincipalKind::ServiceAccount),
                    status: Observed::Known(PrincipalStatus::Active),
                    privileges: Observed::Known(Vec::new()),
                    last_login_at: Observed::Known(days(-1)),
                }),
                scopes: Observed::Known(scopes(&["api", "refresh_token"])),
                granted_at: Observed::Known(days(-200)),
                granted_by: Observed::Known("sync@acme.example".to_owned()),
                last_used_at: Observed::Known(days(-1)),
                use_count: Observed::Known(4_711),
                expires: Observed::Known(Expiry::Idle(idle)),
                refreshable: Observed::Known(true),
                network: NetworkPolicy {
                    binding: Observed::Known(vec![office]),
                    look_alikes: Vec::new(),
                },
                settings: Vec::new(),
                sender_constrained: Observed::Known(false),
                approval: Observed::Known(Approval::AdminApproved),
            },
            policy: Policy::default(),
            coverage: Coverage::default(),
            unknowns: Unknowns::default(),
            facets: vec![Facet {
                opt_in: None,
                holds: vec![Holding::Apps, Holding::Grants, Holding::Credentials],
                id: "grants".to_owned(),
                title: "OAuth tokens".to_owned(),
                promised: true,
                right: "Customize Application".to_owned(),
                import: None,
            }],
            digest: Digest::default(),
            endless: Vec::new(),
            surroundings: Surroundings::of_vendors(Vec::new(), &POLICY, now()),
            register: None,
            others: Vec::new(),
            more: Vec::new(),
            advised: Advisories::default(),
            grants: 1,
            catalog: &CATALOG,
        }
    }

    /// With a vendor register of this text.
    pub(super) fn registered(mut self, text: &str) -> Self {
        let register = Register::parse(std::path::Path::new("v.toml"), text).unwrap();
        self.register = Some(Box::leak(Box::new(register)));
        self.folded()
    }

    /// With further apps in the tenant.
    pub(super) fn beside(mut self, others: Vec<App>) -> Self {
        self.others = others;
        self.folded()
    }

    /// With so many further grants on each of these platforms, the first of them of so many further users.
    pub(super) fn holding(mut self, more: &[(&'static str, u64, u64)]) -> Self {
        self.more = more.to_vec();
        self
    }

    /// With surroundings that know the apps and the register.
    pub(super) fn folded(mut self) -> Self {
        self.surroundings = self.gathered();
        self
    }

    fn gathered(&self) -> Surroundings<'static> {
        let apps: Vec<&App> = std::iter::once(&self.app).chain(&self.others).collect();
        let records = TenantRecords {
            end: TenantEnd {
                name: "acme-crm".to_owned(),
                platform: "salesforce".to_owned(),
                started_at: now(),
                finished_at: now(),
                calls: 1,
                coverage: self.coverage.clone(),
                failure: None,
            },
            tenant: Some(self.tenant.clone()),
            grants: apps.len() as u64,
            grants_by_app: apps.iter().map(|app| (app.id.clone(), 1)).collect(),
            apps: apps.iter().map(|app| (app.id.clone(), (*app).clone())).collect(),
            holdings: BTreeMap::new(),
            principal_domains: BTreeMap::new(),
            digest: Digest::default(),
        };
        let mut surroundings = Surroundings::of_vendors(
            vendors::of_tenants(&[records], self.register),
            &POLICY,
            now(),
        )
        .with_register(self.register)
        .with_before(self.surroundings.before.clone());
        surroundings.advisories = self.matches();
        surroundings
    }

    /// Judges the vendors behind the apps, with the grant and `more` like it.
    pub(super) fn judge_vendors(&self) -> Judgement {
        let surroundings = self.gathered();
        let mut holdings = vec![Holdings::default(); surroundings.vendors.len()];
        let mut context = Context { surroundings: &surroundings, ..self.context() };
        if let Some((at, _)) = surroundings.place_of("acme-crm", &self.grant.app) {
            holdings[at].add(&GrantView::new(&context, Some(&self.app), &self.grant));
            for (platform, grants, users) in &self.more {
                context.platform = platform;
                for nth in 0..*grants {
                    let mut other = self.clone();
                    if nth < *users {
                        other.principal().id = format!("further user {nth}");
                    }
                    holdings[at].add(&GrantView::new(&context, Some(&self.app), &other.grant));
                }
            }
        }
        let view =
            |(vendor, holdings)| VendorView { surroundings: &surroundings, vendor, holdings };
        let views: Vec<VendorView<'_>> =
            surroundings.vendors.iter().zip(&holdings).map(view).collect();
        let mut all = super::vendors(&views, &surroundings);
        for judgement in views.iter().map(super::vendor) {
            all.findings.extend(judgement.findings);
            all.unknowns.extend(judgement.unknowns);
        }
        all
    }

    /// The one finding of the rule on vendors.
    pub(super) fn one_of_vendors(&self, rule: &str) -> Finding {
        one(self.judge_vendors(), rule)
    }

    /// Asserts that the rule passes the vendors.
    pub(super) fn silent_of_vendors(&self, rule: &str) {
        silent(&self.judge_vendors(), rule);
    }

    /// Asserts that the rule passes the app.
    pub(super) fn silent_of_app(&self, rule: &str) {
        silent(&self.judge_app(), rule);
    }

    /// The principal behind the grant.
    pub(super) fn principal(&mut self) -> &mut Principal {
        match &mut self.grant.holder {
            Holder::Principal(principal) => principal,
            Holder::Tenant | Holder::App => panic!("the grant has no principal"),
        }
    }

    /// Gives the principal these rights.
    pub(super) fn privileges(&mut self, names: &[&str]) {
        self.principal().privileges =
            Observed::Known(names.iter().map(|name| (*name).to_owned()).collect());
    }

    /// Gives the grant these scopes.
    pub(super) fn scopes(&mut self, names: &[&str]) {
        self.grant.scopes = Observed::Known(scopes(names));
    }

    /// With an advisory that names what the test says: the lines of its `[[match]]`, and its safe date.
    pub(super) fn advise(&mut self, key: &str, safe_date: &str) {
        let text = format!(
            "id = \"backup-2026\"\ntitle = \"Backup entered\"\nvendor = \"Backup\"\n{safe_date}\n\
             revoke = \"all of it\"\nalso_rotate = [\"storage keys\"]\n\
             [[product]]\nname = \"Affected\"\nstatus = \"affected\"\n\
             [[product]]\nname = \"Doubtful\"\nstatus = \"precaution\"\n\
             [[product]]\nname = \"Other\"\nstatus = \"not-affected\"\n\
             [[window]]\nwhose = \"campaign\"\nfrom = \"2026-05-01\"\nsource = \"a test\"\n\
             [[indicator]]\nkind = \"address\"\nvalue = \"203.0.113.7\"\nconfidence = \"medium\"\n\
             source = \"a test\"\nexpires = \"2026-05-20\"\n\
             [[match]]\n{key}\nsource = \"a test\"\n"
        );
        let advisory = Advisory::parse(std::path::Path::new("test.toml"), &text).unwrap();
        self.advised = std::iter::once(advisory).collect();
        self.look();
    }

    /// Looks for what the advisories name, once the app is as the test wants it.
    pub(super) fn look(&mut self) {
        self.surroundings.advisories = self.matches();
    }

    fn matches(&self) -> Matches {
        let known = KnownApp {
            candidate: Candidate {
                platform: "salesforce",
                tenant: "acme-crm",
                tenant_id: Some(&self.tenant.id),
                app: &self.app,
            },
            grants: self.grants,
            usage: &self.digest.usage,
        };
        Matches::new(self.advised.clone(), [known], &[])
    }

    /// A client secret of the app that ends in a year.
    pub(super) fn secret(&self) -> Credential {
        Credential {
            id: "secret-1".to_owned(),
            app: self.app.id.clone(),
            kind: CredentialKind::ClientSecret,
            name: Observed::Absent,
            created_at: Observed::Known(days(-10)),
            expires_at: Observed::Known(days(355)),
            last_used_at: Observed::Known(days(-1)),
        }
    }

    /// Makes the app one of this vendor's, by its client id.
    pub(super) fn belongs_to(&mut self, vendor: &str) {
        let tie = Tie {
            confidence: vendors::Confidence::Proven,
            kind: TieKind::ClientId,
            value: "3MVG9".to_owned(),
        };
        let member = Member {
            tenant: TENANT.to_owned(),
            platform: self.platform.to_owned(),
            app: self.app.id.clone(),
            name: self.app.name.clone(),
            client_ids: vec!["3MVG9".to_owned()],
            grants: 1,
            ties: vec![tie.clone()],
            keys: vec![tie],
            traits: vendors::Traits::default(),
        };
        let vendor = Vendor {
            id: vendor.to_owned(),
            name: vendor.to_owned(),
            party: Party::Third,
            platforms: vec![self.platform.to_owned()],
            names: vec![self.app.name.clone()],
            grants: 1,
            apps: vec![member],
        };
        let sums = self.surroundings.holdings_of(TENANT, &self.app.id).cloned();
        self.surroundings = Surroundings::of_vendors(vec![vendor], &POLICY, now());
        self.hold(sums.unwrap_or_default());
    }

    /// Lets the user say what the app is for.
    pub(super) fn declare(&mut self, class: &str) {
        self.policy.purpose = Some(class.to_owned());
    }

    /// Sums up what the app holds. Leaks it, as a test may.
    pub(super) fn hold(&mut self, holdings: AppHoldings) {
        let all = BTreeMap::from([(self.app.id.clone(), holdings)]);
        let surroundings = self.surroundings.clone();
        self.surroundings = surroundings.with_holdings(TENANT, Box::leak(Box::new(all)));
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            platform: self.platform,
            tenant_name: TENANT,
            tenant: Some(&self.tenant),
            catalog: if self.platform == "google-workspace" { &GOOGLE } else { self.catalog },
            facets: &self.facets,
            endless: &self.endless,
            policy: &self.policy,
            now: now(),
            coverage: &self.coverage,
            digest: &self.digest,
            surroundings: &self.surroundings,
        }
    }

    pub(super) fn judge(&self) -> Judgement {
        grant(&GrantView::new(&self.context(), Some(&self.app), &self.grant))
    }

    pub(super) fn judge_app(&self) -> Judgement {
        app(&self.context(), &self.app)
    }

    pub(super) fn judge_credential(&self, record: &Credential) -> Judgement {
        credential(&self.context(), Some(&self.app), record)
    }

    pub(super) fn judge_tenant(&self) -> Judgement {
        tenant(&self.context(), &self.coverage, &self.unknowns)
    }

    /// The one finding of the rule on the grant.
    pub(super) fn one(&self, rule: &str) -> Finding {
        one(self.judge(), rule)
    }

    /// The one finding of the rule on the app.
    pub(super) fn one_of_app(&self, rule: &str) -> Finding {
        one(self.judge_app(), rule)
    }

    /// The one finding of the rule on the credential.
    pub(super) fn one_of_credential(&self, rule: &str, record: &Credential) -> Finding {
        one(self.judge_credential(record), rule)
    }

    /// The one finding of the rule on the tenant.
    pub(super) fn one_of_tenant(&self, rule: &str) -> Finding {
        one(self.judge_tenant(), rule)
    }

    /// Asserts that the rule passes the grant.
    pub(super) fn silent(&self, rule: &str) {
        silent(&self.judge(), rule);
    }

    /// Asserts that the rule passes the credential.
    pub(super) fn silent_of_credential(&self, rule: &str, record: &Credential) {
        silent(&self.judge_credential(record), rule);
    }

    /// Asserts that the rule passes the tenant.
    pub(super) fn silent_of_tenant(&self, rule: &str) {
        silent(&self.judge_tenant(), rule);
    }

    /// Asserts that the rule finds nothing in the grant and says which facts it lacks.
    pub(super) fn unknown(&self, rule: &str, facts: &[&str]) {
        unknown(&self.judge(), rule, facts);
    }

    /// Asserts that the rule finds nothing in the app and says which facts it lacks.
    pub(super) fn unknown_of_app(&self, rule: &str, facts: &[&str]) {
        unknown(&self.judge_app(), rule, facts);
    }

    /// Asserts that the rule finds nothing in the credential and says which facts it lacks.
    pub(super) fn unknown_of_credential(&self, rule: &str, record: &Credential, facts: &[&str]) {
        unknown(&self.judge_credential(record), rule, facts);
    }

    /// Asserts that the rule finds nothing in the tenant and says which facts it lacks.
    pub(super) fn unknown_of_tenant(&self, rule: &str, facts: &[&str]) {
        unknown(&self.judge_tenant(), rule, facts);
    }
}

fn one(judgement: Judgement, rule: &str) -> Finding {
    let mut findings: Vec<_> =
        judgement.findings.into_iter().filter(|finding| finding.rule == rule).collect();
    assert_eq!(findings.len(), 1, "{rule}: {findings:#?}");
    findings.remove(0)
}

fn silent(judgement: &Judgement, rule: &str) {
    let found = judgement.findings.iter().find(|finding| finding.rule == rule);
    assert!(found.is_none(), "{found:#?}");
    unknown(judgement, rule, &[]);
}

fn unknown(judgement: &Judgement, rule: &str, facts: &[&str]) {
    assert!(judgement.findings.iter().all(|finding| finding.rule != rule), "{judgement:#?}");
    let said: Vec<_> = judgement
        .unknowns
        .iter()
        .filter(|unknown| unknown.rule == rule)
        .map(|unknown| unknown.fact.as_ref())
        .collect();
    assert_eq!(said, facts, "{rule}");
}
