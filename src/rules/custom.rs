//! Asks the policy's custom rules: fills the documented record from a grant, an app or a credential, with the conclusions that the built-in
//! rules draw, and turns the answer into a finding. What a record means is said in `policy::custom`; here it is only filled.

use std::{borrow::Cow, fmt::Write as _, time::Duration};

use grantwarden_kit::model::{
    App, Credential, Expiry, Gap, Holder, Observed, Reason, Scope, Setting, Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Answer, Context, GrantView, Judgement, Unknown};
use crate::{
    finding::{Confidence, Evidence},
    policy::custom::{self, Compiled, Facts, Target},
};

/// The facet of gaps that a custom rule itself is the cause of.
pub const FACET: &str = "policy";

/// A problem that a custom rule found.
pub(super) struct Found {
    pub(super) rule: String,
    pub(super) severity: crate::finding::Severity,
    pub(super) problem: super::Problem,
}

/// Asks every custom rule about such a record that is not switched off. `fill` makes the record, only if there is such a rule.
pub(super) fn ask(
    context: &Context<'_>,
    target: Target,
    fill: impl FnOnce(&mut Facts),
    judgement: &mut Judgement,
) -> Vec<Found> {
    let rules: Vec<&Compiled> = context
        .surroundings
        .custom
        .iter()
        .filter(|compiled| compiled.rule.on == target && !context.policy.is_off(&compiled.rule.id))
        .collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let reads = rules.iter().flat_map(|compiled| compiled.reads());
    let mut facts = Facts::of_only(reads.collect());
    fill(&mut facts);
    let mut found = Vec::new();
    for compiled in rules {
        let id = &compiled.rule.id;
        match compiled.holds(&facts) {
            custom::Answer::Known(false) => {}
            custom::Answer::Known(true) => found.push(Found {
                rule: id.clone(),
                severity: compiled.rule.severity,
                problem: super::Problem {
                    severity: compiled.rule.severity,
                    confidence: Confidence::High,
                    message: compiled.message(&facts),
                    evidence: evidence(compiled, &facts),
                },
            }),
            custom::Answer::Unknown(path, gap) => {
                judgement.unknowns.push(unknown(id, path, gap));
            }
            custom::Answer::Failed(problem) => {
                let detail = format!("the custom rule `{id}` could not be asked: {problem}");
                let gap = Gap::new(Reason::CallFailed, FACET, detail);
                judgement.unknowns.push(unknown(id, "when".to_owned(), gap));
            }
        }
    }
    found
}

fn unknown(rule: &str, fact: String, gap: Gap) -> Unknown {
    Unknown { rule: Cow::Owned(rule.to_owned()), fact: Cow::Owned(fact), gap }
}

/// The fields that the condition names, with their values.
fn evidence(compiled: &Compiled, facts: &Facts) -> Vec<Evidence> {
    let named = compiled.fields().map(|field| {
        let value = facts.get(field.path).map_or_else(|| "not visible".to_owned(), said);
        Evidence::new(field.path, value, field.path)
    });
    let mut evidence: Vec<Evidence> = named.collect();
    if evidence.is_empty() {
        evidence.push(Evidence::new("condition", &*compiled.rule.when, "policy.custom.when"));
    }
    evidence
}

/// A value for a person.
fn said(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(said).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => fields.iter().fold(String::new(), |mut text, (name, value)| {
            let _ =
                write!(text, "{}{name}: {}", if text.is_empty() { "" } else { "; " }, said(value));
            text
        }),
        other => other.to_string(),
    }
}

/// The record of a grant.
pub(super) fn of_grant(view: &GrantView<'_>, facts: &mut Facts) {
    of_tenant(view.context, facts);
    let grant = view.grant;
    of_app(view.context, &grant.app, view.app, facts);
    let now = view.context.now;
    facts.state("grant.id", grant.id.as_str());
    facts.state("grant.app_name", grant.app_name.as_str());
    facts.state("grant.kind", word(&grant.kind));
    facts.state(
        "grant.holder",
        match grant.holder {
            Holder::Principal(_) => "principal",
            Holder::Tenant => "tenant",
            Holder::App => "app",
        },
    );
    match view.principal() {
        Some(principal) => {
            facts.seen("grant.principal", principal.name.clone());
            facts.seen("grant.principal_kind", principal.kind.as_ref().map(word));
            facts.seen("grant.principal_status", principal.status.as_ref().map(word));
            facts.seen("grant.principal_privileges", principal.privileges.clone());
        }
        None => {
            facts.seen::<Value>("grant.principal", Observed::Absent);
            facts.seen::<Value>("grant.principal_kind", Observed::Absent);
            facts.seen::<Value>("grant.principal_status", Observed::Absent);
            facts.seen::<Value>("grant.principal_privileges", Observed::Absent);
        }
    }
    facts.seen("grant.scopes", grant.scopes.as_ref().map(|scopes| names(scopes)));
    facts.seen("grant.granted_by", grant.granted_by.clone());
    facts.seen("grant.granted_days_ago", grant.granted_at.as_ref().map(|at| ago(*at, now)));
    facts.seen("grant.last_used_days_ago", grant.last_used_at.as_ref().map(|at| ago(*at, now)));
    facts.seen("grant.use_count", grant.use_count.clone());
    let ends = grant.expires.as_ref();
    facts.seen(
        "grant.ends",
        ends.clone().map(|expiry| match expiry {
            Expiry::Never => "never",
            Expiry::At(_) => "at",
            Expiry::Idle(_) => "idle",
        }),
    );
    facts.seen(
        "grant.ends_in_days",
        ends.clone().map(|expiry| match expiry {
            Expiry::At(end) => Value::from(now.days_until(*end)),
            Expiry::Never | Expiry::Idle(_) => Value::Null,
        }),
    );
    facts.seen(
        "grant.idle_days",
        ends.map(|expiry| match expiry {
            Expiry::Idle(idle) => Value::from(days(*idle)),
            Expiry::Never | Expiry::At(_) => Value::Null,
        }),
    );
    facts.seen("grant.refreshable", grant.refreshable.clone());
    facts.seen("grant.sender_constrained", grant.sender_constrained.clone());
    facts.seen(
        "grant.networks",
        grant
            .network
            .binding
            .as_ref()
            .map(|ranges| ranges.iter().map(ToString::to_string).collect::<Vec<String>>()),
    );
    facts.seen("grant.approval", grant.approval.as_ref().map(word));
    settings("grant.settings", &grant.settings, facts);
    conclusions(view, facts);
}

/// What the built-in rules conclude, by the same words.
fn conclusions(view: &GrantView<'_>, facts: &mut Facts) {
    facts.state("grant.live", view.is_live());
    for (path, answer) in [
        ("grant.broad", view.is_broad()),
        ("grant.durable", view.is_durable()),
        ("grant.unbound", view.is_unbound()),
        ("grant.stale", view.is_stale()),
        ("grant.privileged", view.is_privileged()),
    ] {
        match answer {
            Answer::Yes => facts.state(path, true),
            Answer::No => facts.state(path, false),
            Answer::Unknown(_, gap) => facts.miss(path, gap.into_owned()),
        }
    }
    match &view.scopes {
        Ok(set) => {
            facts.state("grant.severity", set.severity.as_str());
            facts.state("grant.access", word(&set.access));
            facts.state("grant.reach", word(&set.reach));
            let mut data: Vec<Value> = set.scopes.iter().map(|scope| word(&scope.data)).collect();
            data.sort_by_key(ToString::to_string);
            data.dedup();
            facts.state("grant.data", data);
        }
        Err(gap) => {
            for path in ["grant.severity", "grant.access", "grant.reach", "grant.data"] {
                facts.miss(path, gap.clone().into_owned());
            }
        }
    }
}

/// The record of an app.
pub(super) fn of_app_alone(context: &Context<'_>, app: &App, facts: &mut Facts) {
    of_tenant(context, facts);
    of_app(context, &app.id, Some(app), facts);
}

/// The record of a credential.
pub(super) fn of_credential(
    context: &Context<'_>,
    app: Option<&App>,
    credential: &Credential,
    facts: &mut Facts,
) {
    of_tenant(context, facts);
    of_app(context, &credential.app, app, facts);
    let now = context.now;
    facts.state("credential.id", credential.id.as_str());
    facts.state("credential.kind", word(&credential.kind));
    facts.seen("credential.name", credential.name.clone());
    let ago = |at: &Observed<Timestamp>| at.as_ref().map(|at| ago(*at, now));
    facts.seen("credential.created_days_ago", ago(&credential.created_at));
    facts.seen(
        "credential.ends_in_days",
        credential.expires_at.as_ref().map(|end| now.days_until(*end)),
    );
    facts.seen("credential.last_used_days_ago", ago(&credential.last_used_at));
}

fn of_tenant(context: &Context<'_>, facts: &mut Facts) {
    facts.state("platform", context.platform);
    facts.state("tenant.name", context.tenant_name);
    let not_read =
        || Gap::new(Reason::CallFailed, "tenant", "the tenant's own record was not read");
    match context.tenant {
        Some(tenant) => {
            facts.state("tenant.id", tenant.id.as_str());
            facts.seen("tenant.display_name", tenant.display_name.clone());
            facts.seen("tenant.sandbox", tenant.sandbox.clone());
        }
        None => {
            for path in ["tenant.id", "tenant.display_name", "tenant.sandbox"] {
                facts.miss(path, not_read());
            }
        }
    }
}

fn of_app(context: &Context<'_>, id: &str, app: Option<&App>, facts: &mut Facts) {
    match context.surroundings.vendor_of(context.tenant_name, id) {
        Some(vendor) => {
            facts.state("vendor.name", vendor.name.as_str());
            let is_sure = context.surroundings.is_sure(context.tenant_name, id);
            facts.state("vendor.sure", is_sure);
            facts.state("vendor.party", word(&vendor.party));
            facts.state("vendor.platforms", vendor.platforms.clone());
            facts.state("vendor.apps", vendor.apps.len());
            facts.state("vendor.grants", vendor.grants);
        }
        // Nobody is behind people's own tokens and keys; of an app without a record nobody can tell.
        None if app.is_some() => {
            facts.seen::<Value>("vendor.name", Observed::Absent);
            facts.state("vendor.sure", false);
            facts.seen::<Value>("vendor.party", Observed::Absent);
            facts.state("vendor.platforms", Vec::<String>::new());
            facts.state("vendor.apps", 0);
            facts.state("vendor.grants", 0);
        }
        None => miss_all("vendor.", facts),
    }
    let Some(app) = app else {
        miss_all("app.", facts);
        facts.state("app.id", id);
        return;
    };
    let now = context.now;
    facts.state("app.id", app.id.as_str());
    facts.state("app.name", app.name.as_str());
    facts.state("app.kind", app.kind.as_str());
    facts.seen("app.client_ids", app.client_ids.clone());
    let publisher = app.publisher.as_ref();
    facts.seen("app.publisher", publisher.clone().map(|publisher| publisher.name.as_str()));
    match publisher {
        Observed::Known(publisher) => {
            facts.seen("app.publisher_verified", publisher.verified.clone());
        }
        Observed::Absent => facts.state("app.publisher_verified", false),
        Observed::Unknown(gap) => facts.miss("app.publisher_verified", gap),
    }
    facts.seen("app.home_tenant", app.home_tenant.clone());
    facts.seen("app.namespace", app.namespace.clone());
    facts.seen("app.redirect_domains", app.redirect_domains.clone());
    facts.seen("app.web_domains", app.web_domains.clone());
    facts.state("app.origin", word(&app.origin));
    facts.seen("app.installed", app.installed.clone());
    facts.seen("app.blocked", app.blocked.clone());
    facts.seen("app.approval", app.approval.as_ref().map(word));
    facts.seen("app.assigned_to", app.assigned_to.clone());
    facts.seen("app.scopes", app.scopes.as_ref().map(|scopes| names(scopes)));
    facts.seen(
        "app.flows",
        app.flows.as_ref().map(|flows| flows.iter().map(word).collect::<Vec<Value>>()),
    );
    facts.seen("app.introspects_all_tokens", app.introspects_all_tokens.clone());
    facts.seen("app.created_days_ago", app.created_at.as_ref().map(|at| ago(*at, now)));
    facts.seen("app.changed_days_ago", app.changed_at.as_ref().map(|at| ago(*at, now)));
    settings("app.settings", &app.settings, facts);
}

/// Says of all fields below a variable that they are not visible, because the app's own record was not read.
fn miss_all(variable: &str, facts: &mut Facts) {
    for field in Target::App.fields().filter(|field| field.path.starts_with(variable)) {
        let detail = "the app's own record was not read";
        facts.miss(field.path, Gap::new(Reason::PlatformSilent, "apps", detail));
    }
}

/// The word by which records have it.
fn word(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn names(scopes: &[Scope]) -> Vec<String> {
    scopes.iter().map(|scope| scope.name.clone()).collect()
}

fn ago(at: Timestamp, now: Timestamp) -> u64 {
    at.days_until(now)
}

const fn days(span: Duration) -> u64 {
    span.as_secs() / 86_400
}

/// The settings; if the value of one is not visible, none of them: that a setting is not there must not be concluded.
fn settings(path: &str, settings: &[Setting], facts: &mut Facts) {
    if let Some(gap) = settings.iter().find_map(|setting| setting.value.gap()) {
        facts.miss(path, gap.clone());
        return;
    }
    let known = settings.iter().filter_map(|setting| {
        Some((setting.name.clone(), Value::from(setting.value.known()?.as_str())))
    });
    facts.state(path, Value::Object(known.collect::<Map<String, Value>>()));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::Well;
    use super::*;

    /// A field that the documentation has and no record would be a fact that looks invisible for ever.
    #[test]
    fn a_record_has_every_field() {
        let well = Well::run();
        let context = well.context();
        let view = GrantView::new(&context, Some(&well.app), &well.grant);
        let secret = well.secret();
        for target in [Target::Grant, Target::App, Target::Credential] {
            let mut facts = Facts::default();
            match target {
                Target::Grant => of_grant(&view, &mut facts),
                Target::App => of_app_alone(&context, &well.app, &mut facts),
                Target::Credential => {
                    of_credential(&context, Some(&well.app), &secret, &mut facts);
                }
            }
            let missing: BTreeSet<&str> = target
                .fields()
                .filter(|field| facts.get(field.path).is_none())
                .map(|field| field.path)
                .collect();
            assert_eq!(missing, BTreeSet::new(), "{target}");
            for field in target.fields() {
                let value = facts.get(field.path).unwrap();
                assert!(!value.is_null() || field.nullable, "{} is null", field.path);
            }
        }
    }
}
