//! [`Entry`]: what a company's own register says about one vendor. Every field but the name may be missing: not written is not known.

use grantwarden_kit::model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use url::Url;

use super::{Egress, egress};
use crate::policy::Date;
use crate::scopes::DataClass;

/// One vendor of the register: how to recognise it, and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The company's name.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Its other names: products, brands, companies that it bought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub also: Vec<Spanned<String>>,
    /// OAuth client identifiers of its apps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub client_ids: Vec<Spanned<String>>,
    /// Domains that it registered, and to which its apps redirect: `vendor.example`, without a host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub domains: Vec<Spanned<String>>,
    /// Names under which it publishes apps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub publishers: Vec<Spanned<String>>,
    /// Namespaces of its packages, after the platform: `salesforce:drift`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub namespaces: Vec<Spanned<String>>,
    /// Numbers of its Google Cloud projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub google_projects: Vec<Spanned<String>>,
    /// Tenants in which its apps are registered, after the platform: `microsoft-365:3f2b…`, `github:vendor`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub home_tenants: Vec<Spanned<String>>,
    /// Who answers for it in this company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub owner: Option<Spanned<String>>,
    /// What it is for: the id of a class of purposes, such as `backup`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub purpose: Option<Spanned<String>>,
    /// The kinds of data that it may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<DataClass>>")]
    pub data: Option<Spanned<Vec<DataClass>>>,
    /// The last day of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_end: Option<Date>,
    /// The day on which this entry was last looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<Date>,
    /// The last day by which it must be looked through again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Date>")]
    pub review_due: Option<Spanned<Date>>,
    /// From which addresses it calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<Egress>,
    /// What an assessment of it came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Assessment>,
    /// The companies to which it passes data or tokens on. Not written means not known; an empty list means that there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub sub_processors: Option<Vec<Spanned<String>>>,
    /// Where it keeps tokens, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_stored: Option<String>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The line of its name in the file, from 1.
    #[serde(skip)]
    pub line: usize,
    /// The line of each of its sub-processors, from 1.
    #[serde(skip)]
    pub(super) sub_processor_lines: Vec<usize>,
}

/// What an assessment of a vendor came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// In a few words: `accepted`.
    pub result: String,
    /// When.
    pub date: Date,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

impl Entry {
    /// The company's name.
    pub fn name(&self) -> &str {
        self.name.get_ref()
    }

    /// Its name and its other names.
    pub(super) fn names(&self) -> impl Iterator<Item = &Spanned<String>> {
        std::iter::once(&self.name).chain(&self.also)
    }

    /// Who answers for it.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(|owner| owner.get_ref().as_str())
    }

    /// What it is for: the id of a class of purposes.
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_ref().map(|purpose| purpose.get_ref().as_str())
    }

    /// The kinds of data that it may hold; `None` if nobody wrote them down.
    pub fn data(&self) -> Option<&[DataClass]> {
        self.data.as_ref().map(|data| data.get_ref().as_slice())
    }

    /// Whether the day of its last review lies in the future: then nobody looked through it.
    pub fn is_reviewed_ahead(&self, now: Timestamp) -> bool {
        self.reviewed.is_some_and(|day| egress::lies_ahead(day, now))
    }

    /// The last day by which it must be looked through again.
    pub fn review_due(&self) -> Option<Date> {
        self.review_due.as_ref().map(|day| *day.get_ref())
    }
}
