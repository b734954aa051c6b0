//! Asks the rules about every record of an inventory, and the policy whether what they find counts. Keeps counts and the worst example per app and rule; the findings themselves
//! are derived again when a report wants them one by one, so that a million grants take no more memory than a thousand.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use grantwarden_kit::{
    manifest::Facet,
    model::{App, Record},
};

use crate::{
    exit::Exit,
    finding::{Counts, Finding, Severity, Status, StatusCounts, SubjectKind},
    inventory::{Inventory, InventoryError, TenantRecords},
    policy::{About, Baseline, Exceptions, Policy, Verdict},
    registry,
    rules::{self, Context, GrantView, Holdings, Judgement, Surroundings, Unknowns, VendorView},
    scopes::{Catalog, CatalogError},
    store::StoreError,
};

use super::{History, Origin, Uses};

/// Principals that a [`RuleCount`] names.
const NAMED: usize = 3;

/// A judged inventory.
pub struct Judged<'a> {
    /// What was judged.
    pub inventory: &'a Inventory,
    /// By what policy, as of when, and what else was known.
    pub surroundings: Surroundings<'a>,
    /// Findings by status and severity.
    pub counts: StatusCounts,
    /// Findings that count, by app, the gravest app first.
    pub groups: Vec<Group>,
    /// The rules that found something, whether it counts or not, and on which platforms.
    pub rules: BTreeMap<String, BTreeSet<String>>,
    /// What the exceptions of the policy were needed for.
    pub uses: Uses,
    /// The files that it comes from.
    pub origin: Origin,
    pub(super) history: Option<Box<dyn History + 'a>>,
    /// Whether the scan was broken off: tenants that it had not read by then are missing.
    pub is_broken_off: bool,
    exceptions: Exceptions<'a>,
    catalogs: BTreeMap<&'static str, Catalog>,
    /// What rules could not judge, by tenant.
    unknowns: Vec<Unknowns>,
    /// What each vendor holds, in the order of the surroundings' vendors.
    holdings: Vec<Holdings>,
}

/// All findings that count about one app, about a tenant as a whole, or about a vendor.
#[derive(Debug, Clone)]
pub struct Group {
    /// Whose findings they are.
    pub whose: Whose,
    /// By rule, the gravest first.
    pub rules: Vec<RuleCount>,
    /// Grants with at least one finding.
    pub grants: u64,
}

/// Whose findings a [`Group`] has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// An app's.
    App {
        /// Index into [`Inventory::tenants`].
        tenant: usize,
        /// The app's id.
        id: String,
        /// The app's name.
        name: String,
    },
    /// A tenant's as a whole: index into [`Inventory::tenants`].
    Tenant(usize),
    /// A vendor's, by its id.
    Vendor(String),
    /// All vendors' together.
    Register,
    /// The policy's own.
    Policy,
}

/// All findings of one rule in a [`Group`].
#[derive(Debug, Clone)]
pub struct RuleCount {
    /// How many of each severity.
    pub counts: Counts,
    /// The gravest finding; the first of equals.
    pub worst: Finding,
    /// Principals concerned: the first few.
    pub principals: BTreeSet<String>,
    /// Whether there are others.
    pub has_more_principals: bool,
}

/// Why an inventory could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// It cannot be read.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// A catalog cannot be read: a defect of this build.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It has a tenant of a platform that this build does not know.
    #[error("tenant `{tenant}`: there is no platform `{platform}` in this build")]
    Platform {
        /// The tenant.
        tenant: String,
        /// Its platform.
        platform: String,
    },
    /// What was found cannot be remembered.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A report could not be written.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// Judges an inventory.
///
/// # Errors
/// [`JudgeError`].
pub fn judge<'a>(
    inventory: &'a Inventory,
    surroundings: Surroundings<'a>,
    baseline: Option<&'a Baseline>,
) -> Result<Judged<'a>, JudgeError> {
    let mut catalogs = BTreeMap::new();
    for tenant in &inventory.tenants {
        let platform = tenant.end.platform.as_str();
        let connector = registry::find(platform).ok_or_else(|| JudgeError::Platform {
            tenant: tenant.end.name.clone(),
            platform: platform.to_owned(),
        })?;
        if !catalogs.contains_key(platform) {
            catalogs.extend([registry::catalog(connector)?]);
        }
    }
    if let Some(baseline) = baseline {
        let scanned = inventory.tenants.iter().map(|tenant| tenant.end.name.as_str());
        baseline.limit_to(&scanned.collect::<Vec<&str>>());
    }
    let mut judged = Judged {
        inventory,
        exceptions: Exceptions::new(surroundings.policy, baseline, surroundings.now),
        uses: Uses::of(surroundings.policy),
        origin: Origin::default(),
        history: None,
        is_broken_off: false,
        surroundings,
        counts: StatusCounts::default(),
        groups: Vec::new(),
        rules: BTreeMap::new(),
        catalogs,
        unknowns: vec![Unknowns::default(); inventory.tenants.len()],
        holdings: Vec::new(),
    };
    let mut groups = Groups::default();
    let mut uses = std::mem::take(&mut judged.uses);
    let mut unknowns = std::mem::take(&mut judged.unknowns);
    let mut holdings = vec![Holdings::default(); judged.surroundings.vendors.len()];
    judged.each_record(|at, kind, grant, mut judgement, about| {
        unknowns[at].add(kind, &judgement.unknowns);
        if let Some(view) = grant
            && let Some((vendor, _)) =
                judged.surroundings.place_of(view.context.tenant_name, &view.grant.app)
        {
            holdings[vendor].add(view);
        }
        judged.settle(&mut judgement.findings, about, Some(&mut uses));
        groups.add(Place::Tenant(at), &[&inventory.tenants[at].end.platform], &judgement.findings);
        Ok(())
    })?;
    judged.unknowns = unknowns;
    judged.holdings = holdings;
    for (at, tenant) in inventory.tenants.iter().enumerate() {
        let findings = judged.of_tenant(at, Some(&mut uses));
        groups.add(Place::Tenant(at), &[&tenant.end.platform], &findings);
    }
    for view in judged.vendors() {
        let platforms: Vec<&String> = view.vendor.platforms.iter().collect();
        groups.add(Place::Vendor, &platforms, &judged.of_vendor(&view, Some(&mut uses)));
    }
    groups.add(Place::Vendor, &[], &judged.of_vendors(Some(&mut uses)));
    groups.add(Place::Policy, &[], &judged.of_policy(Some(&mut uses)));
    judged.uses = uses;
    judged.counts = groups.counts;
    judged.rules = std::mem::take(&mut groups.rules);
    judged.groups = groups.sorted();
    Ok(judged)
}

impl<'a> Judged<'a> {
    /// With the files that it comes from.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// With the knowledge whether the scan was broken off.
    #[must_use]
    pub fn with_broken_off(self, is_broken_off: bool) -> Self {
        Self { is_broken_off, ..self }
    }

    /// Gives every finding, in the order of the inventory; then come those about a tenant as a whole, those about a vendor, and last those
    /// about the policy itself.
    ///
    /// # Errors
    /// If the inventory cannot be read any more; also what `each` returns.
    pub fn for_each_finding(
        &self,
        mut each: impl FnMut(&Finding, &About<'_>) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        self.each_record(|_, _, _, mut judgement, about| {
            self.settle(&mut judgement.findings, about, None);
            judgement.findings.iter().try_for_each(|finding| each(finding, about))
        })?;
        for at in 0..self.inventory.tenants.len() {
            let about = self.about_tenant(at);
            self.of_tenant(at, None).iter().try_for_each(|finding| each(finding, &about))?;
        }
        for view in self.vendors() {
            let about = self.surroundings.about_vendor(view.vendor);
            self.of_vendor(&view, None).iter().try_for_each(|finding| each(finding, &about))?;
        }
        let about = About::default();
        self.of_vendors(None).iter().try_for_each(|finding| each(finding, &about))?;
        self.of_policy(None).iter().try_for_each(|finding| each(finding, &about))
    }

    /// Gives every grant with what follows from its facts, in the order of the inventory, and the index of its tenant. No rule is asked.
    ///
    /// # Errors
    /// If the inventory cannot be read any more; also what `each` returns.
    pub fn for_each_grant(
        &self,
        mut each: impl FnMut(usize, &GrantView<'_>) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        self.inventory.for_each(|at, record| {
            let tenant = &self.inventory.tenants[at];
            let (Record::Grant(grant), Some(context)) = (&record, self.context(tenant)) else {
                return Ok(());
            };
            let policy = self.surroundings.policy_of_app(&tenant.end.name, &grant.app);
            let context = Context { policy, ..context };
            each(at, &GrantView::new(&context, tenant.apps.get(&grant.app), grant))
        })
    }

    /// What each vendor holds.
    pub fn vendors(&self) -> Vec<VendorView<'_>> {
        let vendors = self.surroundings.vendors.iter().zip(&self.holdings);
        let view =
            |(vendor, holdings)| VendorView { surroundings: &self.surroundings, vendor, holdings };
        vendors.map(view).collect()
    }

    /// The baseline, if there is one.
    pub const fn baseline(&self) -> Option<&'a Baseline> {
        self.exceptions.baseline()
    }

    /// Asks the policy whether findings count, and writes the answer to them.
    fn settle(&self, findings: &mut [Finding], about: &About<'_>, mut uses: Option<&mut Uses>) {
        for finding in findings {
            let decision = self.exceptions.decide(finding, about);
            if let Some(uses) = &mut uses {
                self.exceptions.saw(finding);
                uses.add(&decision);
            }
            finding.status = decision.status;
            finding.evidence.extend(decision.notes);
        }
    }

    /// What the user decided.
    pub const fn policy(&self) -> &Policy {
        self.surroundings.policy
    }

    /// Whether every tenant was read, of each everything that was promised, and every custom rule could be asked about it.
    pub fn is_whole(&self) -> bool {
        self.inventory.tenants.iter().all(|tenant| tenant.end.is_whole())
            && !self.is_broken_off
            && !self.has_unasked_rules()
    }

    /// Whether a custom rule could not be asked about every record.
    pub fn has_unasked_rules(&self) -> bool {
        self.unknowns.iter().any(|unknowns| unknowns.has(rules::POLICY_FACET))
    }

    /// The rules that the policy switched off, for all or for an app or a vendor.
    pub fn switched_off(&self) -> Vec<String> {
        let for_all = self.policy().switched_off().map(ToOwned::to_owned);
        for_all.chain(self.policy().switched_off_for()).collect()
    }

    /// How a run with this result ends.
    pub fn exit(&self) -> Exit {
        match self.policy().verdict(&self.counts.active) {
            Verdict::Fail { .. } => Exit::Findings,
            Verdict::Pass if self.is_whole() || self.policy().allow_incomplete => Exit::Clean,
            Verdict::Pass => Exit::Incomplete,
        }
    }

    /// The catalog of a tenant's platform.
    pub fn catalog(&self, platform: &str) -> Option<&Catalog> {
        self.catalogs.get(platform)
    }

    fn each_record(
        &self,
        mut each: impl FnMut(
            usize,
            SubjectKind,
            Option<&GrantView<'_>>,
            Judgement,
            &About<'_>,
        ) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        let tenants: Vec<_> = self.inventory.tenants.iter().collect();
        self.inventory.for_each(|at, record| {
            let tenant = tenants[at];
            let Some(context) = self.context(tenant) else { return Ok(()) };
            let app = |id: &str| -> Option<&App> { tenant.apps.get(id) };
            let of_app = |id: &str| Context {
                policy: self.surroundings.policy_of_app(&tenant.end.name, id),
                ..context
            };
            let about = |id, app, grant| {
                self.surroundings.about(&tenant.end.name, &tenant.end.platform, id, app, grant)
            };
            match &record {
                Record::App(app) => {
                    let judgement = rules::app(&of_app(&app.id), app);
                    each(at, SubjectKind::App, None, judgement, &about(&app.id, Some(app), None))
                }
                Record::Grant(grant) => {
                    let app = app(&grant.app);
                    let context = of_app(&grant.app);
                    let view = GrantView::new(&context, app, grant);
                    let about = about(&grant.app, app, Some(grant));
                    each(at, SubjectKind::Grant, Some(&view), rules::grant(&view), &about)
                }
                Record::Credential(credential) => {
                    let app = app(&credential.app);
                    let judgement = rules::credential(&of_app(&credential.app), app, credential);
                    each(
                        at,
                        SubjectKind::Credential,
                        None,
                        judgement,
                        &about(&credential.app, app, None),
                    )
                }
                Record::Tenant(_) | Record::Usage(_) | Record::AuditEvent(_) => Ok(()),
            }
        })
    }

    fn of_tenant(&self, at: usize, uses: Option<&mut Uses>) -> Vec<Finding> {
        let tenant = &self.inventory.tenants[at];
        let Some(context) = self.context(tenant) else { return Vec::new() };
        let judged = rules::tenant(&context, &tenant.end.coverage, &self.unknowns[at]);
        let mut findings = judged.findings;
        self.settle(&mut findings, &self.about_tenant(at), uses);
        findings
    }

    fn about_tenant(&self, at: usize) -> About<'_> {
        let end = &self.inventory.tenants[at].end;
        About { tenant: Some(&end.name), platform: Some(&end.platform), ..About::default() }
    }

    fn of_vendor(&self, view: &VendorView<'_>, uses: Option<&mut Uses>) -> Vec<Finding> {
        let mut findings = rules::vendor(view).findings;
        self.settle(&mut findings, &self.surroundings.about_vendor(view.vendor), uses);
        findings
    }

    /// The findings about all vendors together.
    fn of_vendors(&self, uses: Option<&mut Uses>) -> Vec<Finding> {
        let mut findings = rules::vendors(&self.vendors(), &self.surroundings).findings;
        self.settle(&mut findings, &About::default(), uses);
        findings
    }

    fn of_policy(&self, mut uses: Option<&mut Uses>) -> Vec<Finding> {
        let mut all = Vec::new();
        for waiver in &self.policy().waivers {
            let mut findings = rules::waiver(&self.surroundings, waiver).findings;
            self.settle(&mut findings, &About::default(), uses.as_deref_mut());
            all.append(&mut findings);
        }
        all
    }

    fn context<'b>(&'b self, tenant: &'b TenantRecords) -> Option<Context<'b>> {
        Some(Context {
            platform: &tenant.end.platform,
            tenant_name: &tenant.end.name,
            tenant: tenant.tenant.as_ref(),
            catalog: self.catalogs.get(tenant.end.platform.as_str())?,
            facets: facets(&tenant.end.platform),
            endless: registry::find(&tenant.end.platform)
                .map_or(&[], |connector| &connector.manifest().endless),
            policy: self.surroundings.policy,
            now: self.surroundings.now,
            coverage: &tenant.end.coverage,
            digest: &tenant.digest,
            surroundings: &self.surroundings,
        })
    }
}

/// The facets of a platform's connector.
pub(crate) fn facets(platform: &str) -> &'static [Facet] {
    registry::find(platform).map_or(&[], |connector| &connector.manifest().facets)
}

/// Where what is judged stands.
#[derive(Clone, Copy)]
enum Place {
    /// In a tenant: index into [`Inventory::tenants`].
    Tenant(usize),
    /// In several.
    Vendor,
    /// In the policy.
    Policy,
}

#[derive(Default)]
struct Groups {
    counts: StatusCounts,
    rules: BTreeMap<String, BTreeSet<String>>,
    by_whose: BTreeMap<Whose, Group>,
}

impl Groups {
    /// Adds the findings about one record of a tenant, about a vendor or about the policy.
    fn add(&mut self, place: Place, platforms: &[&String], findings: &[Finding]) {
        for finding in findings {
            self.counts.add(&finding.status, finding.severity);
            if !self.rules.contains_key(&finding.rule) {
                self.rules.insert(finding.rule.clone(), BTreeSet::new());
            }
            if let Some(known) = self.rules.get_mut(&finding.rule) {
                let new = platforms.iter().filter(|platform| !known.contains(platform.as_str()));
                let new: Vec<String> = new.map(|platform| (*platform).clone()).collect();
                known.extend(new);
            }
        }
        let active = findings.iter().filter(|finding| finding.status == Status::Active);
        for (nth, finding) in active.enumerate() {
            let whose = match (place, &finding.subject.app) {
                (Place::Tenant(tenant), Some(app)) => {
                    Whose::App { tenant, id: app.id.clone(), name: app.name.clone() }
                }
                (Place::Tenant(tenant), None) => Whose::Tenant(tenant),
                (Place::Vendor, _) if finding.subject.kind == SubjectKind::Register => {
                    Whose::Register
                }
                (Place::Vendor, _) => Whose::Vendor(finding.subject.id.clone()),
                (Place::Policy, _) => Whose::Policy,
            };
            let group = self.by_whose.entry(whose.clone()).or_insert_with(|| Group {
                whose,
                rules: Vec::new(),
                grants: 0,
            });
            if nth == 0 && finding.subject.kind == SubjectKind::Grant {
                group.grants += 1;
            }
            match group.rules.iter_mut().find(|rule| rule.worst.rule == finding.rule) {
                Some(rule) => rule.add(finding),
                None => group.rules.push(RuleCount::new(finding)),
            }
        }
    }

    fn sorted(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.by_whose.into_values().collect();
        for group in &mut groups {
            group.rules.sort_by_key(|rule| (Reverse(rule.worst.severity), rank(&rule.worst.rule)));
        }
        groups.sort_by(|a, b| b.weight().cmp(&a.weight()).then_with(|| a.whose.cmp(&b.whose)));
        groups
    }
}

impl Whose {
    /// The tenant: index into [`Inventory::tenants`]; none for a vendor and for the policy.
    pub const fn tenant(&self) -> Option<usize> {
        match self {
            Self::App { tenant, .. } | Self::Tenant(tenant) => Some(*tenant),
            Self::Vendor(_) | Self::Register | Self::Policy => None,
        }
    }

    /// The app's name.
    pub fn app_name(&self) -> Option<&str> {
        match self {
            Self::App { name, .. } => Some(name),
            Self::Tenant(_) | Self::Vendor(_) | Self::Register | Self::Policy => None,
        }
    }
}

impl Group {
    /// The gravest severity.
    pub fn severity(&self) -> Severity {
        self.rules.iter().map(|rule| rule.worst.severity).max().unwrap_or(Severity::Info)
    }

    /// Findings by severity.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.rules.iter().for_each(|rule| counts += rule.counts);
        counts
    }

    /// The graver first; then the one whose gravest rule matters more; then the one with more kinds of problems; then with more.
    fn weight(&self) -> (Severity, Reverse<usize>, usize, u64) {
        let (severity, counts) = (self.severity(), self.counts());
        let gravest = self.rules.iter().filter(|rule| rule.worst.severity == severity);
        let rank = gravest.map(|rule| rank(&rule.worst.rule)).min().unwrap_or(usize::MAX);
        (severity, Reverse(rank), self.rules.len(), counts.of(severity))
    }
}

/// The place of a rule in the list, which begins with the one that matters most.
fn rank(rule: &str) -> usize {
    rules::RULES.iter().position(|other| other.meta().id == rule).unwrap_or(usize::MAX)
}

impl RuleCount {
    fn new(finding: &Finding) -> Self {
        let mut rule = Self {
            counts: Counts::default(),
            worst: finding.clone(),
            principals: BTreeSet::new(),
            has_more_principals: false,
        };
        rule.add(finding);
        rule
    }

    fn add(&mut self, finding: &Finding) {
        self.counts.add(finding.severity);
        if finding.severity > self.worst.severity {
            self.worst = finding.clone();
        }
        if let Some(principal) = &finding.subject.principal
            && !self.principals.contains(principal)
        {
            if self.principals.len() < NAMED {
                self.principals.insert(principal.clone());
            } else {
                self.has_more_principals = true;
            }
        }
    }
}
