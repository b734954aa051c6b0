//! `json`: everything, for programs. Written piece by piece: findings never stand in memory together.
//!
//! The form is documented in `docs/report.md`; its JSON schema is `grantwarden schema report`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use grantwarden_kit::model::{Coverage, Timestamp, Usage};
use schemars::JsonSchema;
use serde::Serialize;

use super::{missing, stream::Object};
use crate::{
    exit::Exit,
    finding::{Counts, Finding, Severity},
    inventory::Failure,
    policy::{At, Gone, Policy, custom::CustomRule},
    registry, rules,
    scan::{JudgeError, Judged, Since},
    vendors::Vendor,
};

/// The version of the form. It grows when a reader must change.
pub const SCHEMA: u32 = 1;

/// The whole document. Only the schema is made from this type; the writer gives its members one after the other.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub tool: String,
    /// When the scan began.
    pub taken_at: Timestamp,
    /// The time that findings were judged by.
    pub judged_at: Timestamp,
    /// The policy that they were judged by.
    pub policy: Policy,
    /// The tenants, in the order of the configuration.
    pub tenants: Vec<TenantSummary>,
    /// Who is behind the apps: third parties first.
    pub vendors: Vec<Vendor>,
    /// The rules that have findings, by id.
    pub rules: BTreeMap<String, RuleText>,
    /// What the policy accepts, and what it was needed for.
    pub exceptions: Exceptions,
    /// Findings of the baseline that are not there any more; of an incomplete scan those that were not seen.
    pub no_longer_found: Vec<Gone>,
    /// In the order of the inventory; then those about a tenant as a whole, about a vendor, and about the policy.
    pub findings: Vec<Entry<'static>>,
    /// The result.
    pub summary: Summary,
}

/// One tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantSummary {
    /// The user's name for it.
    pub name: String,
    /// Platform id.
    pub platform: String,
    /// The platform's id of the account; null if it could not be read.
    pub id: Option<String>,
    /// The account's own name; null if it could not be read.
    pub display_name: Option<String>,
    /// How many apps it has.
    pub apps: u64,
    /// How many grants it has, as far as they were seen.
    pub grants: u64,
    /// How many of the apps are the platform's own, recognised by their owner. They are never counted as third parties.
    pub platform_apps: u64,
    /// How many of the grants those hold.
    pub platform_grants: u64,
    /// HTTP calls that the scan took.
    pub calls: u64,
    /// Whether everything that was promised was read.
    pub complete: bool,
    /// When the earlier scan began that it was compared with; null if there was none to compare with.
    pub compared_with: Option<Timestamp>,
    /// What its apps did, by log; of each list only the first few. The inventory has more.
    pub usage: Vec<Usage>,
    /// What was read and what was not.
    pub coverage: Coverage,
    /// Why nothing was read at all, if so.
    pub failure: Option<Failure>,
}

/// What a rule says about itself.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuleText {
    /// A few words.
    pub title: String,
    /// What it finds.
    pub summary: String,
    /// Why that matters.
    pub why: String,
    /// What to do, by platform: steps of the remedies, the most effective first.
    pub remediation: BTreeMap<String, Vec<String>>,
    /// Where to read on.
    pub references: Vec<String>,
    /// Published controls that its findings fall under.
    pub controls: Vec<ControlText>,
}

/// A control that somebody published.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ControlText {
    /// Who published it.
    pub framework: String,
    /// Its id there.
    pub id: String,
    /// Its title there.
    pub title: String,
    /// Where it stands.
    pub url: String,
}

/// What the policy accepts, and what it was needed for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Exceptions {
    /// What is accepted for a while.
    pub waivers: Vec<Used>,
    /// What is accepted for good.
    pub allowed: Vec<Used>,
    /// The baseline; null without one.
    pub baseline: Option<OfBaseline>,
    /// What a user should hear about them: not needed, broken, weak.
    pub warnings: Vec<String>,
}

/// An exception, and what it was needed for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Used {
    /// Of whom.
    pub subject: String,
    /// Of which rules; none for one finding.
    pub rules: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it; null for what is accepted for good.
    pub owner: Option<String>,
    /// Its last day; null for what is accepted for good.
    pub until: Option<String>,
    /// Whether its end has come.
    pub over: bool,
    /// Findings for which it holds.
    pub findings: u64,
    /// Findings for which it does not hold because there is more than it accepts.
    pub broken: u64,
    /// What more there is: the first few.
    pub beyond: BTreeSet<String>,
}

/// The baseline.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OfBaseline {
    /// The time that its findings were judged by.
    pub judged_at: Timestamp,
    /// Whether the scan behind it had read everything that was promised.
    pub complete: bool,
}

/// A finding, and since when it is there.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry<'a> {
    /// The finding.
    #[serde(flatten)]
    pub finding: &'a Finding,
    /// What is remembered of it; left out if there is no store to remember.
    #[serde(flatten)]
    pub since: Option<&'a Since>,
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// Findings by severity.
    pub findings: Counts,
    /// Those of them that count.
    pub active: Counts,
    /// Those of them that are accepted for a while.
    pub waived: Counts,
    /// Those of them that are accepted for good.
    pub allowed: Counts,
    /// Those of them that the baseline accepts.
    pub baseline: Counts,
    /// Whether everything that was promised was read.
    pub complete: bool,
    /// What is missing besides what the tenants say: that the scan was broken off, that a custom rule could not be asked about everything.
    pub missing: Vec<String>,
    /// The severity from which on findings count as failure; null if never.
    pub fail_on: Option<Severity>,
    /// Rules that the policy switched off, for all or, with `for …`, for an app or a vendor.
    pub switched_off: Vec<String>,
    /// The exit code of the run.
    pub exit_code: u8,
}

pub(super) fn write(judged: &Judged<'_>, to: &mut dyn Write) -> Result<(), JudgeError> {
    let mut object = Object::open(to)?;
    object.member("schema", &SCHEMA)?;
    object.member("tool", &env!("CARGO_PKG_VERSION"))?;
    object.member("taken_at", &judged.inventory.header.taken_at)?;
    object.member("judged_at", &judged.surroundings.now)?;
    object.member("policy", judged.policy())?;
    object.member("tenants", &tenants(judged))?;
    object.member("vendors", &judged.surroundings.vendors)?;
    object.member("rules", &rule_texts(judged))?;
    object.member("exceptions", &exceptions(judged))?;
    let mut list = object.list("no_longer_found")?;
    if let Some(baseline) = judged.baseline().filter(|_| judged.is_whole()) {
        baseline.for_each_gone(|gone| list.item(gone))?;
    }
    list.close()?;
    let mut list = object.list("findings")?;
    judged.for_each_dated(|finding, since| Ok(list.item(&Entry { finding, since })?))?;
    list.close()?;
    object.member("summary", &summary(judged))?;
    object.close()?;
    Ok(())
}

pub(super) fn tenants(judged: &Judged<'_>) -> Vec<TenantSummary> {
    let tenants = judged.inventory.tenants.iter().map(|tenant| TenantSummary {
        name: tenant.end.name.clone(),
        platform: tenant.end.platform.clone(),
        id: tenant.tenant.as_ref().map(|tenant| tenant.id.clone()),
        display_name: tenant
            .tenant
            .as_ref()
            .and_then(|tenant| tenant.display_name.known().cloned()),
        apps: tenant.apps.len() as u64,
        grants: tenant.grants,
        platform_apps: tenant.of_the_platform().0,
        platform_grants: tenant.of_the_platform().1,
        calls: tenant.end.calls,
        complete: tenant.end.is_whole(),
        compared_with: judged.surroundings.compared_with(tenant),
        usage: tenant.digest.usage.iter().map(super::shortened).collect(),
        coverage: tenant.end.coverage.clone(),
        failure: tenant.end.failure.clone(),
    });
    tenants.collect()
}

pub(super) fn rule_texts(judged: &Judged<'_>) -> BTreeMap<String, RuleText> {
    let mut texts = BTreeMap::new();
    for (id, platforms) in &judged.rules {
        let Some(meta) = rules::find(id) else {
            if let Some(custom) = judged.surroundings.custom_rule(id) {
                texts.insert(id.clone(), of_custom(custom, platforms));
            }
            continue;
        };
        let steps_on = |platform: &String| {
            let remedies = &registry::find(platform)?.manifest().remedies;
            let steps = meta.remedies.iter().filter_map(|remedy| remedies.get(remedy.id()));
            Some((platform.clone(), steps.flatten().cloned().collect()))
        };
        let text = RuleText {
            title: meta.title.to_owned(),
            summary: meta.summary.to_owned(),
            why: meta.why.to_owned(),
            remediation: platforms.iter().filter_map(steps_on).collect(),
            references: meta.references.iter().map(|reference| reference.url.to_owned()).collect(),
            controls: meta.controls.iter().map(control_text).collect(),
        };
        texts.insert(meta.id.to_owned(), text);
    }
    texts
}

/// What the user's own rule says of itself; its steps are the same on every platform.
fn of_custom(rule: &CustomRule, platforms: &BTreeSet<String>) -> RuleText {
    RuleText {
        title: rule.title.clone(),
        summary: rule.when.to_string(),
        why: rule.why.clone(),
        remediation: platforms.iter().map(|id| (id.clone(), rule.fix.clone())).collect(),
        references: rule.references.clone(),
        controls: Vec::new(),
    }
}

pub(super) fn exceptions(judged: &Judged<'_>) -> Exceptions {
    let texts = |texts: &[At<String>]| texts.iter().map(|text| text.value.clone()).collect();
    let policy = judged.policy();
    let waivers = policy.waivers.iter().zip(&judged.uses.waivers).map(|(waiver, used)| Used {
        subject: waiver.subject.to_string(),
        rules: texts(&waiver.rules),
        reason: waiver.reason.value.clone(),
        owner: Some(waiver.owner.value.clone()),
        until: Some(waiver.until.to_string()),
        over: waiver.until.is_over(judged.surroundings.now),
        findings: used.holds,
        broken: used.broken,
        beyond: used.beyond.clone(),
    });
    let allowed = policy.allow.iter().zip(&judged.uses.allow).map(|(allow, used)| Used {
        subject: allow.subject.to_string(),
        rules: texts(&allow.rules),
        reason: allow.reason.value.clone(),
        owner: None,
        until: None,
        over: false,
        findings: used.holds,
        broken: used.broken,
        beyond: used.beyond.clone(),
    });
    Exceptions {
        waivers: waivers.collect(),
        allowed: allowed.collect(),
        baseline: judged.baseline().map(|baseline| OfBaseline {
            judged_at: baseline.judged_at(),
            complete: baseline.is_whole(),
        }),
        warnings: judged.warnings(),
    }
}

fn control_text(control: &rules::Control) -> ControlText {
    ControlText {
        framework: control.framework.to_owned(),
        id: control.id.to_owned(),
        title: control.title.to_owned(),
        url: control.url.to_owned(),
    }
}

pub(super) fn summary(judged: &Judged<'_>) -> Summary {
    let exit: Exit = judged.exit();
    Summary {
        findings: judged.counts.all(),
        active: judged.counts.active,
        waived: judged.counts.waived,
        allowed: judged.counts.allowed,
        baseline: judged.counts.baseline,
        complete: judged.is_whole(),
        missing: missing::beyond_tenants(judged)
            .iter()
            .map(|beyond| beyond.text.to_owned())
            .collect(),
        fail_on: judged.policy().fail_on.severity(),
        switched_off: judged.switched_off(),
        exit_code: exit.code(),
    }
}
