//! `json`: everything, for programs. Written piece by piece: findings never stand in memory together.
//!
//! The form is documented in `docs/report.md`; its JSON schema is `grantwarden schema report`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use grantwarden_kit::model::{Coverage, Timestamp, Usage};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    exit::Exit,
    finding::{Counts, Finding, Severity},
    inventory::Failure,
    policy::{Policy, custom::CustomRule},
    registry, rules,
    scan::{JudgeError, Judged},
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
    /// In the order of the inventory; those about a tenant as a whole come last.
    pub findings: Vec<Finding>,
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
    /// HTTP calls that the scan took.
    pub calls: u64,
    /// Whether everything that was promised was read.
    pub complete: bool,
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
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// Findings by severity.
    pub findings: Counts,
    /// Whether everything that was promised was read.
    pub complete: bool,
    /// The severity from which on findings count as failure; null if never.
    pub fail_on: Option<Severity>,
    /// Rules that the policy switched off.
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
    object.key("findings")?;
    object.to.write_all(b"[")?;
    let mut first = true;
    judged.for_each_finding(|finding| {
        object.to.write_all(if first { b"\n    " } else { b",\n    " })?;
        first = false;
        serde_json::to_writer(&mut *object.to, finding).map_err(io::Error::from)?;
        Ok(())
    })?;
    object.to.write_all(if first { b"]" } else { b"\n  ]" })?;
    object.member("summary", &summary(judged))?;
    object.close()?;
    Ok(())
}

fn tenants(judged: &Judged<'_>) -> Vec<TenantSummary> {
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
        calls: tenant.end.calls,
        complete: tenant.end.is_whole(),
        usage: tenant.usage.clone(),
        coverage: tenant.end.coverage.clone(),
        failure: tenant.end.failure.clone(),
    });
    tenants.collect()
}

fn rule_texts(judged: &Judged<'_>) -> BTreeMap<String, RuleText> {
    let mut texts = BTreeMap::new();
    for group in &judged.groups {
        for rule in &group.rules {
            let Some(meta) = rules::find(&rule.worst.rule) else {
                if let Some(custom) = judged.surroundings.custom_rule(&rule.worst.rule) {
                    let platforms = judged.platforms(&group.whose);
                    add_custom(&mut texts, custom, &platforms);
                }
                continue;
            };
            let text = texts.entry(meta.id.to_owned()).or_insert_with(|| RuleText {
                title: meta.title.to_owned(),
                summary: meta.summary.to_owned(),
                why: meta.why.to_owned(),
                remediation: BTreeMap::new(),
                references: meta
                    .references
                    .iter()
                    .map(|reference| reference.url.to_owned())
                    .collect(),
            });
            for platform in judged.platforms(&group.whose) {
                let Some(connector) = registry::find(platform) else { continue };
                let steps = meta
                    .remedies
                    .iter()
                    .filter_map(|remedy| connector.manifest().remedies.get(remedy.id()));
                text.remediation.insert(platform.to_owned(), steps.flatten().cloned().collect());
            }
        }
    }
    texts
}

/// What the user's own rule says of itself; its steps are the same on every platform.
fn add_custom(texts: &mut BTreeMap<String, RuleText>, rule: &CustomRule, platforms: &[&str]) {
    let text = texts.entry(rule.id.clone()).or_insert_with(|| RuleText {
        title: rule.title.clone(),
        summary: rule.when.to_string(),
        why: rule.why.clone(),
        remediation: BTreeMap::new(),
        references: rule.references.clone(),
    });
    for platform in platforms {
        text.remediation.insert((*platform).to_owned(), rule.fix.clone());
    }
}

fn summary(judged: &Judged<'_>) -> Summary {
    let exit: Exit = judged.exit();
    Summary {
        findings: judged.counts,
        complete: judged.is_whole(),
        fail_on: judged.policy().fail_on.severity(),
        switched_off: judged.policy().switched_off().map(ToOwned::to_owned).collect(),
        exit_code: exit.code(),
    }
}

/// A JSON object that is written member by member.
struct Object<'a> {
    to: &'a mut dyn Write,
    is_empty: bool,
}

impl<'a> Object<'a> {
    fn open(to: &'a mut dyn Write) -> io::Result<Self> {
        to.write_all(b"{")?;
        Ok(Self { to, is_empty: true })
    }

    fn key(&mut self, name: &str) -> io::Result<()> {
        let comma = if self.is_empty { "" } else { "," };
        self.is_empty = false;
        write!(self.to, "{comma}\n  \"{name}\": ")
    }

    fn member(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.key(name)?;
        serde_json::to_writer(&mut *self.to, value)?;
        Ok(())
    }

    fn close(self) -> io::Result<()> {
        self.to.write_all(b"\n}\n")
    }
}
