//! The record that a custom rule reads, field by field. [`FIELDS`] is its documentation, its type check and what `policy fields` prints.
//!
//! A field is part of the contract with users' policies: it may be added, never renamed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::facts::Facts;

/// One field of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// How an expression names it: `grant.scopes`.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is null where the platform says that there is none.
    pub nullable: bool,
    /// What it means, and its unit.
    pub meaning: &'static str,
}

impl Field {
    /// What it holds, for a person: `number or null`.
    pub fn holds(&self) -> String {
        if self.nullable { format!("{} or null", self.kind) } else { self.kind.to_string() }
    }

    /// What stands for "there is none".
    pub(super) fn none(&self) -> Value {
        match self.kind {
            Kind::Text | Kind::Number => Value::Null,
            Kind::Flag => json!(false),
            Kind::Texts => json!([]),
            Kind::Table => json!({}),
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// True or false; false where there is none.
    Flag,
    /// A list of texts; empty where there is none.
    Texts,
    /// Texts by text.
    Table,
}

/// What a custom rule judges.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    strum::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Target {
    /// Each grant.
    #[default]
    Grant,
    /// Each app.
    App,
    /// Each credential of an app.
    Credential,
}

impl Target {
    /// The variables that an expression about it may use.
    pub const fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Grant => &["platform", "tenant", "vendor", "app", "grant"],
            Self::App => &["platform", "tenant", "vendor", "app"],
            Self::Credential => &["platform", "tenant", "vendor", "app", "credential"],
        }
    }

    /// The fields that an expression about it may read.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(move |field| {
            let root = field.path.split('.').next().unwrap_or_default();
            self.variables().contains(&root)
        })
    }
}

const fn field(path: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field { path, kind, nullable: false, meaning }
}

const fn or_null(path: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field { path, kind, nullable: true, meaning }
}

/// Every field, in the order of the documentation.
pub const FIELDS: &[Field] = &[
    field("platform", Kind::Text, "platform id: `salesforce`"),
    field("tenant.name", Kind::Text, "your name for the tenant"),
    or_null("tenant.id", Kind::Text, "the platform's id of the tenant"),
    or_null("tenant.display_name", Kind::Text, "the account's own name"),
    field("tenant.sandbox", Kind::Flag, "whether it is a test copy"),
    or_null(
        "vendor.name",
        Kind::Text,
        "who is behind the app, as it claims; ask `vendor.sure` before you exempt anybody; null for people's own tokens and keys",
    ),
    field(
        "vendor.sure",
        Kind::Flag,
        "whether more than a claim says that the app is this vendor's",
    ),
    or_null("vendor.party", Kind::Text, "`third`, `own` or `platform`"),
    field("vendor.platforms", Kind::Texts, "platform ids on which the vendor has apps"),
    field("vendor.apps", Kind::Number, "how many apps the vendor has in all tenants"),
    field("vendor.grants", Kind::Number, "how many grants these have, as far as they were seen"),
    field("app.id", Kind::Text, "the app's id in the tenant"),
    field("app.name", Kind::Text, "as the platform shows it"),
    field("app.kind", Kind::Text, "what the platform calls this kind of app"),
    field("app.client_ids", Kind::Texts, "OAuth client identifiers"),
    or_null("app.publisher", Kind::Text, "the company that says it is behind the app"),
    field("app.publisher_verified", Kind::Flag, "whether the platform vouches for the publisher"),
    or_null(
        "app.home_tenant",
        Kind::Text,
        "the tenant of the platform in which the app is registered",
    ),
    or_null("app.namespace", Kind::Text, "the namespace of the package that brought it in"),
    field("app.redirect_domains", Kind::Texts, "host names of the redirection endpoints"),
    field("app.web_domains", Kind::Texts, "host names of the app's own pages"),
    field("app.origin", Kind::Text, "`third-party`, `own` or `platform`"),
    field("app.installed", Kind::Flag, "whether the tenant installed it"),
    field("app.blocked", Kind::Flag, "whether the tenant blocked it"),
    or_null(
        "app.approval",
        Kind::Text,
        "who may start using it: `admin-approved` or `self-authorized`",
    ),
    field(
        "app.assigned_to",
        Kind::Texts,
        "profiles or groups whose members an administrator approved",
    ),
    field("app.scopes", Kind::Texts, "what its registration allows; no grant has more"),
    field("app.flows", Kind::Texts, "OAuth flows beside authorization code: `device-code`"),
    field("app.introspects_all_tokens", Kind::Flag, "whether it may look into other apps' tokens"),
    or_null("app.created_days_ago", Kind::Number, "whole days since the tenant first had it"),
    or_null("app.changed_days_ago", Kind::Number, "whole days since its settings last changed"),
    field("app.settings", Kind::Table, "further settings by the name that the platform shows"),
    field("grant.id", Kind::Text, "stable across scans"),
    field("grant.app_name", Kind::Text, "the name that the listing of grants gives"),
    field(
        "grant.kind",
        Kind::Text,
        "`delegated`, `admin-consented`, `app-only`, `installation`, `personal-token`, `api-token`, `delegation`, `key` or `webhook`",
    ),
    field("grant.holder", Kind::Text, "for whom it acts: `principal`, `tenant` or `app`"),
    or_null(
        "grant.principal",
        Kind::Text,
        "sign-in name of the one principal behind it; null if there is none",
    ),
    or_null("grant.principal_kind", Kind::Text, "`person` or `service-account`"),
    or_null("grant.principal_status", Kind::Text, "`active`, `suspended`, `inactive` or `deleted`"),
    field(
        "grant.principal_privileges",
        Kind::Texts,
        "rights that reach beyond the principal's own data",
    ),
    field("grant.scopes", Kind::Texts, "what it allows, in the platform's words"),
    or_null("grant.granted_by", Kind::Text, "sign-in name of whoever gave it"),
    or_null("grant.granted_days_ago", Kind::Number, "whole days since it was given"),
    or_null(
        "grant.last_used_days_ago",
        Kind::Number,
        "whole days since its last use; null: never used",
    ),
    or_null("grant.use_count", Kind::Number, "how often it was used"),
    or_null(
        "grant.ends",
        Kind::Text,
        "what ends it by itself: `never`, `at` a date, or `idle` time",
    ),
    or_null(
        "grant.ends_in_days",
        Kind::Number,
        "whole days until its date, 0 if past; null if it has none",
    ),
    or_null(
        "grant.idle_days",
        Kind::Number,
        "ends after so many whole days without use; null if it does not",
    ),
    field("grant.refreshable", Kind::Flag, "whether it can be renewed without a person"),
    field(
        "grant.sender_constrained",
        Kind::Flag,
        "whether the token is bound to a key of its holder",
    ),
    field(
        "grant.networks",
        Kind::Texts,
        "address ranges from which it works; empty: from anywhere",
    ),
    or_null("grant.approval", Kind::Text, "`admin-approved` or `self-authorized`; null: nobody's"),
    field("grant.settings", Kind::Table, "further facts by the name that the platform shows"),
    field("grant.live", Kind::Flag, "neither expired nor of a blocked app"),
    field("grant.broad", Kind::Flag, "reaches sensitive data in bulk"),
    field("grant.durable", Kind::Flag, "outlives `durable_after` without anybody acting"),
    field("grant.unbound", Kind::Flag, "a thief can use it from any network"),
    field("grant.stale", Kind::Flag, "not used for `stale_after`"),
    field(
        "grant.privileged",
        Kind::Flag,
        "its holder reads or changes data of the whole organisation",
    ),
    field(
        "grant.severity",
        Kind::Text,
        "the gravest of its scopes, by the scope catalog: `critical` … `info`",
    ),
    field(
        "grant.access",
        Kind::Text,
        "the strongest access of its scopes: `sign-in`, `limited`, `read`, `add`, `write`, `administer`, `act-as`",
    ),
    field(
        "grant.reach",
        Kind::Text,
        "the farthest reach of its scopes: `self`, `user`, `organisation`, `tenant`",
    ),
    field(
        "grant.data",
        Kind::Texts,
        "kinds of data that its scopes reach: `mail`, `files`, `crm`, …",
    ),
    field("credential.id", Kind::Text, "the platform's id or a thumbprint, never the secret"),
    field(
        "credential.kind",
        Kind::Text,
        "`client-secret`, `certificate` or `federated-credential`",
    ),
    or_null("credential.name", Kind::Text, "what its owner calls it"),
    or_null("credential.created_days_ago", Kind::Number, "whole days since it was added"),
    or_null(
        "credential.ends_in_days",
        Kind::Number,
        "whole days until it ends, 0 if past; null: never",
    ),
    or_null(
        "credential.last_used_days_ago",
        Kind::Number,
        "whole days since its last use; null: never used",
    ),
];

/// A made-up record: each field has a value of its kind, flags are `flag`, and `null` is null if it may be.
pub(super) fn sample(target: Target, flag: bool, null: impl Fn(&Field) -> bool) -> Facts {
    let mut facts = Facts::default();
    for field in target.fields() {
        let value = match field.kind {
            _ if field.nullable && null(field) => Value::Null,
            Kind::Text => json!("text"),
            Kind::Number => json!(1),
            Kind::Flag => json!(flag),
            Kind::Texts => json!(["text"]),
            Kind::Table => json!({}),
        };
        facts.state(field.path, value);
    }
    facts
}

/// The field of that path.
pub(super) fn find(path: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.path == path)
}

/// Whether the path is a variable with fields below it.
pub(super) fn is_parent(path: &str) -> bool {
    FIELDS
        .iter()
        .any(|field| field.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_field_stands_once_below_a_variable_and_on_the_page() {
        let page = include_str!("../../../docs/custom-rules.md");
        let mut paths = BTreeSet::new();
        for field in FIELDS {
            assert!(paths.insert(field.path), "{} stands twice", field.path);
            let root = field.path.split('.').next().unwrap();
            let targets = [Target::Grant, Target::App, Target::Credential];
            assert!(targets.iter().any(|target| target.variables().contains(&root)), "{root}");
            let row = format!("| `{}` | {} | {} |", field.path, field.holds(), field.meaning);
            assert!(page.contains(&row), "the page lacks: {row}");
        }
    }
}
