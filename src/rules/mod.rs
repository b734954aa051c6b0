//! The rules: one file each, in the order of [`RULES`], and the engine that asks them.
//!
//! A rule is a pure function of a [`Context`] and a record. It never sees HTTP, configuration files or output, and it has no clock, so
//! that a finding can be derived again from a record that was read back from disk.

mod advised;
pub mod before;
mod controls;
mod coverage_gap;
mod credential_added;
mod custom;
mod drift_pattern;
mod evidence;
pub mod fact;
mod holdings;
mod impersonation_or_known_abused;
mod inactive_principal;
mod issued_before_safe_date;
mod meta;
mod network_unrestricted;
mod new_or_changed_grant;
mod no_expiry;
mod no_owner;
mod non_oauth_vendor_credential;
mod open_consent_policy;
mod operations;
mod overbroad;
mod policies;
mod privileged_grantor;
mod publisher_unproven;
mod purpose;
mod restriction_not_binding;
mod retired_vendor;
mod secret_expired_but_present;
mod sibling_or_twin_grant;
mod stale_unused;
mod surroundings;
mod tenant_wide_app_only;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod unknowns;
mod unused_scope;
mod upstream_advisory;
mod usage_fingerprint_drift;
mod user_consented_unmanaged;
mod vendor_advisory_match;
mod vendor_blast_radius;
mod verdicts;
mod view;
mod waiver_expired;
mod words;
mod write_never_used;

use grantwarden_kit::{
    manifest::Facet,
    model::{App, Coverage, Credential, GrantKind, Tenant, Timestamp},
};

use crate::{
    finding::{AppRef, Finding, Fingerprint, Severity, Status, Subject, SubjectKind},
    inventory::{AppHoldings, Digest},
    policy::{KnownRule, Policy, Waiver, custom::Facts, custom::Target},
    scopes::Catalog,
};
pub use before::Before;
pub use controls::Control;
pub use custom::FACET as POLICY_FACET;
pub use holdings::{Holdings, OnPlatform};
pub use meta::{Meta, Reference, Remedy};
pub use surroundings::{Surroundings, VendorView};
pub use unknowns::{Tally, Unknown, Unknowns};
pub use verdicts::{Problem, Verdicts};
pub use view::{Answer, GrantView, Life};

/// A check. What it does not look at, it leaves to the empty default.
pub trait Rule: Sync {
    /// What the rule is called, why it exists and what helps.
    fn meta(&self) -> &'static Meta;

    /// Looks at the tenant as a whole, after all its other records.
    fn tenant(&self, _context: &Context<'_>, _seen: &Seen<'_>, _verdicts: &mut Verdicts) {}

    /// Looks at one app.
    fn app(&self, _context: &Context<'_>, _app: &App, _verdicts: &mut Verdicts) {}

    /// Looks at one credential of an app.
    fn credential(
        &self,
        _context: &Context<'_>,
        _app: Option<&App>,
        _credential: &Credential,
        _verdicts: &mut Verdicts,
    ) {
    }

    /// Looks at one grant.
    fn grant(&self, _view: &GrantView<'_>, _verdicts: &mut Verdicts) {}

    /// Looks at a waiver of the policy, after all records.
    fn waiver(&self, _surroundings: &Surroundings<'_>, _waiver: &Waiver, _verdicts: &mut Verdicts) {
    }

    /// Looks at a vendor with all its apps, across tenants, after all records.
    fn vendor(&self, _view: &VendorView<'_>, _verdicts: &mut Verdicts) {}

    /// Looks at all vendors together, once, after all records.
    fn vendors(
        &self,
        _views: &[VendorView<'_>],
        _around: &Surroundings<'_>,
        _verdicts: &mut Verdicts,
    ) {
    }
}

/// Every rule, the one that matters most first. `coverage-gap` is last, because it reports what the others could not judge.
pub static RULES: &[&dyn Rule] = &[
    &vendor_advisory_match::VendorAdvisoryMatch,
    &issued_before_safe_date::IssuedBeforeSafeDate,
    &drift_pattern::DriftPattern,
    &impersonation_or_known_abused::ImpersonationOrKnownAbused,
    &tenant_wide_app_only::TenantWideAppOnly,
    &overbroad::Overbroad,
    &new_or_changed_grant::NewOrChangedGrant,
    &credential_added::CredentialAdded,
    &usage_fingerprint_drift::UsageFingerprintDrift,
    &restriction_not_binding::RestrictionNotBinding,
    &network_unrestricted::NetworkUnrestricted,
    &retired_vendor::RetiredVendor,
    &no_expiry::NoExpiry,
    &privileged_grantor::PrivilegedGrantor,
    &user_consented_unmanaged::UserConsentedUnmanaged,
    &stale_unused::StaleUnused,
    &no_owner::NoOwner,
    &vendor_blast_radius::VendorBlastRadius,
    &sibling_or_twin_grant::SiblingOrTwinGrant,
    &upstream_advisory::UpstreamAdvisory,
    &inactive_principal::InactivePrincipal,
    &write_never_used::WriteNeverUsed,
    &unused_scope::UnusedScope,
    &open_consent_policy::OpenConsentPolicy,
    &non_oauth_vendor_credential::NonOauthVendorCredential,
    &publisher_unproven::PublisherUnproven,
    &secret_expired_but_present::SecretExpiredButPresent,
    &waiver_expired::WaiverExpired,
    &coverage_gap::CoverageGap,
];

/// The ids of all rules, in the order of [`RULES`].
pub fn ids() -> Vec<&'static str> {
    RULES.iter().map(|rule| rule.meta().id).collect()
}

/// The rules as the policy needs to know them, in the order of [`RULES`].
pub fn known() -> Vec<KnownRule<'static>> {
    let metas = RULES.iter().map(|rule| rule.meta());
    metas.map(|meta| KnownRule { id: meta.id, parameters: meta.parameters }).collect()
}

/// What is known about a rule.
pub fn find(id: &str) -> Option<&'static Meta> {
    RULES.iter().map(|rule| rule.meta()).find(|meta| meta.id == id)
}

/// What a rule knows besides the record.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Platform id: `salesforce`.
    pub platform: &'a str,
    /// The user's name for the tenant.
    pub tenant_name: &'a str,
    /// The tenant's own record, once it was read.
    pub tenant: Option<&'a Tenant>,
    /// What the platform's scopes mean.
    pub catalog: &'a Catalog,
    /// The facets of the platform's connector; say which right closes a gap.
    pub facets: &'a [Facet],
    /// Kinds of grants to which the platform gives the customer no way to set an end.
    pub endless: &'a [GrantKind],
    /// What the user decided.
    pub policy: &'a Policy,
    /// The time to judge by; the time of the scan, not of the report.
    pub now: Timestamp,
    /// What was read and what was not.
    pub coverage: &'a Coverage,
    /// What of the tenant's records is held in memory.
    pub digest: &'a Digest,
    /// What is known beyond the tenant.
    pub surroundings: &'a Surroundings<'a>,
}

impl<'a> Context<'a> {
    /// The vendor behind an app of the tenant, if somebody is.
    pub fn vendor(&self, app: &str) -> Option<&'a crate::vendors::Vendor> {
        self.surroundings.vendor_of(self.tenant_name, app)
    }

    /// What the grants and credentials of an app of the tenant add up to, where an inventory was added up.
    pub fn holdings(&self, app: &str) -> Option<&'a AppHoldings> {
        self.surroundings.holdings_of(self.tenant_name, app)
    }
}

/// What is known about a tenant once all its records were judged.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What was read and what was not.
    pub coverage: &'a Coverage,
    /// What rules could not judge.
    pub unknowns: Unknowns,
}

/// What the rules say about one record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// In the order of [`RULES`].
    pub findings: Vec<Finding>,
    /// What rules could not judge, and why.
    pub unknowns: Vec<Unknown>,
}

/// Judges a grant.
pub fn grant(view: &GrantView<'_>) -> Judgement {
    let context = view.context;
    let subject = || view.subject();
    let mut judgement =
        judge(context.into(), &subject, &mut |rule, verdicts| rule.grant(view, verdicts));
    let found =
        custom::ask(context, Target::Grant, |facts| custom::of_grant(view, facts), &mut judgement);
    add(context, &subject, found, &mut judgement);
    judgement
}

/// Judges an app by itself; its grants are judged one by one.
pub fn app(context: &Context<'_>, app: &App) -> Judgement {
    let subject = || Subject {
        kind: SubjectKind::App,
        id: app.id.clone(),
        label: app.name.clone(),
        app: Some(AppRef { id: app.id.clone(), name: app.name.clone() }),
        principal: None,
    };
    let mut judgement =
        judge(context.into(), &subject, &mut |rule, verdicts| rule.app(context, app, verdicts));
    let fill = |facts: &mut Facts| custom::of_app_alone(context, app, facts);
    let found = custom::ask(context, Target::App, fill, &mut judgement);
    add(context, &subject, found, &mut judgement);
    judgement
}

/// Judges a credential. `app` is the record of the app that it belongs to, if there is one.
pub fn credential(context: &Context<'_>, app: Option<&App>, credential: &Credential) -> Judgement {
    let name = app.map_or(&credential.app, |app| &app.name);
    let subject = || Subject {
        kind: SubjectKind::Credential,
        id: credential.id.clone(),
        label: format!("{} of {name}", words::credential(credential.kind)),
        app: Some(AppRef { id: credential.app.clone(), name: name.clone() }),
        principal: None,
    };
    let mut judgement = judge(context.into(), &subject, &mut |rule, verdicts| {
        rule.credential(context, app, credential, verdicts);
    });
    let fill = |facts: &mut Facts| custom::of_credential(context, app, credential, facts);
    let found = custom::ask(context, Target::Credential, fill, &mut judgement);
    add(context, &subject, found, &mut judgement);
    judgement
}

/// Adds what custom rules found in a record.
fn add(
    context: &Context<'_>,
    subject: &dyn Fn() -> Subject,
    found: Vec<custom::Found>,
    judgement: &mut Judgement,
) {
    let findings = found.into_iter().map(|found| {
        finding(context.into(), &found.rule, found.severity, subject(), found.problem)
    });
    judgement.findings.extend(findings);
}

/// Judges the tenant as a whole. Comes last: `unknowns` holds what the rules could not judge in its records.
pub fn tenant(context: &Context<'_>, coverage: &Coverage, unknowns: &Unknowns) -> Judgement {
    let mut seen = Seen { coverage, unknowns: unknowns.clone() };
    judge(context.into(), &|| tenant_subject(context), &mut |rule, verdicts| {
        rule.tenant(context, &seen, verdicts);
        seen.unknowns.add(SubjectKind::Tenant, &verdicts.unknowns(rule.meta().id));
    })
}

/// Judges a vendor with all its apps. Comes after all records.
pub fn vendor(view: &VendorView<'_>) -> Judgement {
    let subject = || Subject {
        kind: SubjectKind::Vendor,
        id: view.vendor.id.clone(),
        label: view.vendor.name.clone(),
        app: None,
        principal: None,
    };
    let policy = view.surroundings.policy_of_vendor(view.vendor);
    let place = Place { policy, ..everywhere(view.surroundings) };
    judge(place, &subject, &mut |rule, verdicts| rule.vendor(view, verdicts))
}

/// Judges all vendors together. Comes after all records.
pub fn vendors(views: &[VendorView<'_>], surroundings: &Surroundings<'_>) -> Judgement {
    let subject = || Subject {
        kind: SubjectKind::Register,
        id: "register".to_owned(),
        label: "the vendor register".to_owned(),
        app: None,
        principal: None,
    };
    judge(everywhere(surroundings), &subject, &mut |rule, verdicts| {
        rule.vendors(views, surroundings, verdicts);
    })
}

/// In no one tenant.
const fn everywhere<'a>(surroundings: &Surroundings<'a>) -> Place<'a> {
    Place { policy: surroundings.policy, platform: None, tenant: None, tenant_id: "" }
}

/// Judges a waiver of the policy. Comes after all records. Its id is what it is about, so that it stays when its end is moved.
pub fn waiver(surroundings: &Surroundings<'_>, waiver: &Waiver) -> Judgement {
    let subject = || Subject {
        kind: SubjectKind::Waiver,
        id: waiver.title(),
        label: format!("waiver for {}", waiver.title()),
        app: None,
        principal: None,
    };
    judge(everywhere(surroundings), &subject, &mut |rule, verdicts| {
        rule.waiver(surroundings, waiver, verdicts);
    })
}

fn tenant_subject(context: &Context<'_>) -> Subject {
    let name = context.tenant.and_then(|tenant| tenant.display_name.known());
    Subject {
        kind: SubjectKind::Tenant,
        id: tenant_id(context).to_owned(),
        label: name.map_or(context.tenant_name, String::as_str).to_owned(),
        app: None,
        principal: None,
    }
}

/// The platform's own id of the tenant. Where even that was not read, the user's name has to do.
fn tenant_id<'a>(context: &Context<'a>) -> &'a str {
    context.tenant.map_or(context.tenant_name, |tenant| &tenant.id)
}

/// Where what is judged stands, as findings say it.
#[derive(Clone, Copy)]
struct Place<'a> {
    policy: &'a Policy,
    platform: Option<&'a str>,
    tenant: Option<&'a str>,
    tenant_id: &'a str,
}

impl<'a> From<&Context<'a>> for Place<'a> {
    fn from(context: &Context<'a>) -> Self {
        Self {
            policy: context.policy,
            platform: Some(context.platform),
            tenant: Some(context.tenant_name),
            tenant_id: tenant_id(context),
        }
    }
}

/// Asks every rule that is not switched off. The only place where a policy changes a severity.
fn judge(
    place: Place<'_>,
    subject: &dyn Fn() -> Subject,
    ask: &mut dyn FnMut(&dyn Rule, &mut Verdicts),
) -> Judgement {
    let mut judgement = Judgement::default();
    for rule in RULES {
        let id = rule.meta().id;
        if place.policy.is_off(id) {
            continue;
        }
        let mut verdicts = Verdicts::default();
        ask(*rule, &mut verdicts);
        judgement.unknowns.extend(verdicts.unknowns(id));
        for (own_subject, problem) in verdicts.into_problems() {
            let subject = own_subject.unwrap_or_else(subject);
            let severity = problem.severity;
            judgement.findings.push(finding(place, id, severity, subject, problem));
        }
    }
    judgement
}

fn finding(
    place: Place<'_>,
    rule: &str,
    severity: Severity,
    subject: Subject,
    problem: Problem,
) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity: place.policy.severity_override(rule).unwrap_or(severity),
        confidence: problem.confidence,
        platform: place.platform.map(ToOwned::to_owned),
        tenant: place.tenant.map(ToOwned::to_owned),
        fingerprint: Fingerprint::of(
            rule,
            place.platform.unwrap_or_default(),
            place.tenant_id,
            subject.kind,
            &subject.id,
        ),
        subject,
        message: problem.message,
        evidence: problem.evidence,
        status: Status::Active,
    }
}
