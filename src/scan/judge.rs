//! Asks the rules about every record of an inventory. Keeps counts and the worst example per app and rule; the findings themselves
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
    finding::{Counts, Finding, Severity, SubjectKind},
    inventory::{Inventory, InventoryError, TenantRecords},
    policy::{Policy, Verdict},
    registry,
    rules::{self, Context, GrantView, Holdings, Judgement, Surroundings, Unknowns, VendorView},
    scopes::{Catalog, CatalogError},
};

/// Principals that a [`RuleCount`] names.
const NAMED: usize = 3;

/// A judged inventory.
pub struct Judged<'a> {
    /// What was judged.
    pub inventory: &'a Inventory,
    /// By what policy, as of when, and what else was known.
    pub surroundings: Surroundings<'a>,
    /// Findings by severity.
    pub counts: Counts,
    /// Findings by app, the gravest app first.
    pub groups: Vec<Group>,
    catalogs: BTreeMap<&'static str, Catalog>,
    /// What rules could not judge, by tenant.
    unknowns: Vec<Unknowns>,
    /// What each vendor holds, in the order of the surroundings' vendors.
    holdings: Vec<Holdings>,
}

/// All findings about one app, about a tenant as a whole, or about a vendor.
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
) -> Result<Judged<'a>, JudgeError> {
    let catalogs = registry::catalogs()?;
    for tenant in &inventory.tenants {
        if !catalogs.contains_key(tenant.end.platform.as_str()) {
            return Err(JudgeError::Platform {
                tenant: tenant.end.name.clone(),
                platform: tenant.end.platform.clone(),
            });
        }
    }
    let mut judged = Judged {
        inventory,
        surroundings,
        counts: Counts::default(),
        groups: Vec::new(),
        catalogs,
        unknowns: vec![Unknowns::default(); inventory.tenants.len()],
        holdings: Vec::new(),
    };
    let mut groups = Groups::default();
    let mut unknowns = std::mem::take(&mut judged.unknowns);
    let mut holdings = vec![Holdings::default(); judged.surroundings.vendors.len()];
    judged.each_record(|at, kind, grant, judgement| {
        unknowns[at].add(kind, &judgement.unknowns);
        groups.add(Some(at), &judgement.findings);
        if let Some(view) = grant
            && let Some((vendor, _)) =
                view.context.surroundings.place_of(view.context.tenant_name, &view.grant.app)
        {
            holdings[vendor].add(view);
        }
        Ok(())
    })?;
    judged.unknowns = unknowns;
    judged.holdings = holdings;
    for at in 0..inventory.tenants.len() {
        groups.add(Some(at), &judged.of_tenant(at));
    }
    judged.of_vendors().iter().for_each(|findings| groups.add(None, findings));
    judged.counts = groups.counts;
    judged.groups = groups.sorted();
    Ok(judged)
}

impl Judged<'_> {
    /// Gives every finding, in the order of the inventory; then come those about a tenant as a whole, and last those about a vendor.
    ///
    /// # Errors
    /// If the inventory cannot be read any more; also what `each` returns.
    pub fn for_each_finding(
        &self,
        mut each: impl FnMut(&Finding) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        self.each_record(|_, _, _, judgement| judgement.findings.iter().try_for_each(&mut each))?;
        (0..self.inventory.tenants.len())
            .try_for_each(|at| self.of_tenant(at).iter().try_for_each(&mut each))?;
        self.of_vendors().iter().flatten().try_for_each(each)
    }

    /// What each vendor holds.
    pub fn vendors(&self) -> Vec<VendorView<'_>> {
        let vendors = self.surroundings.vendors.iter().zip(&self.holdings);
        let view =
            |(vendor, holdings)| VendorView { surroundings: &self.surroundings, vendor, holdings };
        vendors.map(view).collect()
    }

    /// The findings about each vendor, and last those about all together.
    fn of_vendors(&self) -> Vec<Vec<Finding>> {
        let views = self.vendors();
        let all = rules::vendors(&views, &self.surroundings);
        views.iter().map(rules::vendor).chain([all]).map(|judgement| judgement.findings).collect()
    }

    /// The platforms that are concerned: one, or those of a vendor's apps.
    pub fn platforms(&self, whose: &Whose) -> Vec<&str> {
        match whose {
            Whose::App { tenant, .. } | Whose::Tenant(tenant) => {
                vec![self.inventory.tenants[*tenant].end.platform.as_str()]
            }
            Whose::Vendor(name) => {
                let vendors = self.surroundings.vendors.iter();
                let named = vendors.filter(|vendor| vendor.id == *name);
                let platforms: BTreeSet<&str> =
                    named.flat_map(|vendor| &vendor.platforms).map(String::as_str).collect();
                platforms.into_iter().collect()
            }
            Whose::Register => Vec::new(),
        }
    }

    /// What the user decided.
    pub const fn policy(&self) -> &Policy {
        self.surroundings.policy
    }

    /// Whether everything that was promised was read, and every custom rule could be asked about it.
    pub fn is_whole(&self) -> bool {
        self.inventory.tenants.iter().all(|tenant| tenant.end.is_whole())
            && !self.unknowns.iter().any(|unknowns| unknowns.has(rules::POLICY_FACET))
    }

    /// How a run with this result ends.
    pub fn exit(&self) -> Exit {
        match self.policy().verdict(&self.counts) {
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
        ) -> Result<(), JudgeError>,
    ) -> Result<(), JudgeError> {
        let tenants: Vec<_> = self.inventory.tenants.iter().collect();
        self.inventory.for_each(|at, record| {
            let Some(context) = self.context(tenants[at]) else { return Ok(()) };
            let app = |id: &str| -> Option<&App> { tenants[at].apps.get(id) };
            match record {
                Record::App(app) => each(at, SubjectKind::App, None, rules::app(&context, &app)),
                Record::Grant(grant) => {
                    let view = GrantView::new(&context, app(&grant.app), &grant);
                    each(at, SubjectKind::Grant, Some(&view), rules::grant(&view))
                }
                Record::Credential(credential) => {
                    let judgement = rules::credential(&context, app(&credential.app), &credential);
                    each(at, SubjectKind::Credential, None, judgement)
                }
                Record::Tenant(_) | Record::Usage(_) | Record::AuditEvent(_) => Ok(()),
            }
        })
    }

    fn of_tenant(&self, at: usize) -> Vec<Finding> {
        let tenant = &self.inventory.tenants[at];
        let Some(context) = self.context(tenant) else { return Vec::new() };
        rules::tenant(&context, &tenant.end.coverage, &self.unknowns[at]).findings
    }

    fn context<'b>(&'b self, tenant: &'b TenantRecords) -> Option<Context<'b>> {
        Some(Context {
            platform: &tenant.end.platform,
            tenant_name: &tenant.end.name,
            tenant: tenant.tenant.as_ref(),
            catalog: self.catalogs.get(tenant.end.platform.as_str())?,
            facets: facets(&tenant.end.platform),
            policy: self.surroundings.policy,
            now: self.surroundings.now,
            surroundings: &self.surroundings,
        })
    }
}

/// The facets of a platform's connector.
pub(crate) fn facets(platform: &str) -> &'static [Facet] {
    registry::find(platform).map_or(&[], |connector| &connector.manifest().facets)
}

#[derive(Default)]
struct Groups {
    counts: Counts,
    by_whose: BTreeMap<Whose, Group>,
}

impl Groups {
    /// Adds the findings about one record of a tenant, or about a vendor.
    fn add(&mut self, tenant: Option<usize>, findings: &[Finding]) {
        for (nth, finding) in findings.iter().enumerate() {
            self.counts.add(finding.severity);
            let whose = match (tenant, &finding.subject.app) {
                (Some(tenant), Some(app)) => {
                    Whose::App { tenant, id: app.id.clone(), name: app.name.clone() }
                }
                (Some(tenant), None) => Whose::Tenant(tenant),
                (None, _) if finding.subject.kind == SubjectKind::Register => Whose::Register,
                (None, _) => Whose::Vendor(finding.subject.id.clone()),
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
    /// The tenant: index into [`Inventory::tenants`]; none for a vendor.
    pub const fn tenant(&self) -> Option<usize> {
        match self {
            Self::App { tenant, .. } | Self::Tenant(tenant) => Some(*tenant),
            Self::Vendor(_) | Self::Register => None,
        }
    }

    /// The app's name.
    pub fn app_name(&self) -> Option<&str> {
        match self {
            Self::App { name, .. } => Some(name),
            Self::Tenant(_) | Self::Vendor(_) | Self::Register => None,
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
