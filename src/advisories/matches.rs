//! [`Matches`]: which apps of all tenants the advisories mean, found once before anything is judged.
//!
//! Apps that share a proven or likely tie with an app that matched are found with it: a vendor's second client id, another brand.

use std::{collections::BTreeMap, sync::Arc};

use grantwarden_kit::model::{App, Grant, GrantKind, Observed, PrincipalKind, Usage};

use super::{
    Advisories, Advisory, Candidate, Certainty, Hit, Indicator, IndicatorKind, KeyKind, Status,
    matching,
};
use crate::vendors::{Confidence, Member, Party, Tie, Vendor};

/// An app with what else is known about it.
#[derive(Debug, Clone, Copy)]
pub struct KnownApp<'a> {
    /// The app and its tenant.
    pub candidate: Candidate<'a>,
    /// How many grants were seen.
    pub grants: u64,
    /// What apps of its tenant did.
    pub usage: &'a [Usage],
}

/// What the advisories say about one app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matched {
    /// By advisory, in the order of their ids.
    pub hits: Vec<Hit>,
    /// Its grants, as far as they were seen.
    pub grants: u64,
    /// Indicators of the advisories that are in its logs.
    pub sightings: Vec<Sighting>,
}

/// An indicator in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The advisory that names it.
    pub advisory: Arc<Advisory>,
    /// What was seen.
    pub indicator: Indicator,
    /// How often.
    pub count: u64,
    /// In which log, and in which stretch of it: for a person.
    pub log: String,
}

impl std::fmt::Display for Sighting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Indicator { kind, value, confidence, .. } = &self.indicator;
        write!(f, "{kind} {value} ({confidence} confidence), {} times in {}", self.count, self.log)
    }
}

/// Which apps are meant.
#[derive(Debug, Clone, Default)]
pub struct Matches {
    advisories: Advisories,
    /// By tenant name and app id.
    by_app: BTreeMap<String, BTreeMap<String, Matched>>,
    /// The platform's ids of tenants, by name.
    tenant_ids: BTreeMap<String, String>,
}

impl Matches {
    /// Looks at all apps. `vendors` are those behind them.
    pub fn new<'a>(
        advisories: Advisories,
        apps: impl IntoIterator<Item = KnownApp<'a>>,
        vendors: &[Vendor],
    ) -> Self {
        let apps: Vec<KnownApp<'a>> = apps.into_iter().collect();
        let ids = apps.iter().filter_map(|known| {
            let Candidate { tenant, tenant_id, .. } = known.candidate;
            Some((tenant.to_owned(), tenant_id?.to_owned()))
        });
        let mut matches = Self { advisories, by_app: BTreeMap::new(), tenant_ids: ids.collect() };
        for known in &apps {
            let candidate = &known.candidate;
            let hits: Vec<Hit> = matches
                .advisories
                .iter()
                .filter_map(|advisory| matching::of_app(advisory, candidate))
                .collect();
            matches.note(candidate.tenant, &candidate.app.id, hits);
        }
        for vendor in vendors.iter().filter(|vendor| vendor.party == Party::Third) {
            matches.add_siblings(vendor);
        }
        for known in &apps {
            let Candidate { tenant, app, .. } = known.candidate;
            let matched = matches.by_app.get_mut(tenant).and_then(|of| of.get_mut(&app.id));
            if let Some(matched) = matched {
                matched.grants = known.grants;
                matched.sightings = sightings(&matched.hits, tenant, app, known.usage);
            }
        }
        matches
    }

    fn note(&mut self, tenant: &str, app: &str, hits: Vec<Hit>) {
        if hits.is_empty() {
            return;
        }
        let of_tenant = self.by_app.entry(tenant.to_owned()).or_default();
        let matched = of_tenant.entry(app.to_owned()).or_default();
        matched.hits.extend(hits);
        matched.hits.sort_by(|a, b| a.advisory.id.cmp(&b.advisory.id));
    }

    /// Finds the apps of a vendor that share a tie with one that matched.
    fn add_siblings(&mut self, vendor: &Vendor) {
        let mut found: Vec<(&Member, Hit)> = Vec::new();
        for advisory in self.advisories.iter() {
            let hit_of = |member: &Member| {
                self.hits(&member.tenant, &member.app)
                    .iter()
                    .find(|hit| hit.advisory.id == advisory.id)
            };
            let leads: Vec<&Member> = vendor
                .apps
                .iter()
                .filter(|member| hit_of(member).is_some_and(leads_to_siblings))
                .collect();
            for member in vendor.apps.iter().filter(|member| hit_of(member).is_none()) {
                let ties = leads.iter().flat_map(|lead| {
                    member
                        .ties
                        .iter()
                        .filter_map(move |tie| shared(tie, lead).then_some((tie, lead)))
                });
                if let Some((tie, lead)) = ties.min_by_key(|(tie, _)| tie.confidence) {
                    found.push((member, sibling(advisory, tie, lead)));
                }
            }
        }
        for (member, hit) in found {
            self.note(&member.tenant, &member.app, vec![hit]);
        }
    }

    /// The advisories that were looked for.
    pub const fn advisories(&self) -> &Advisories {
        &self.advisories
    }

    /// What the advisories say about an app, if anything.
    pub fn of_app(&self, tenant: &str, app: &str) -> Option<&Matched> {
        self.by_app.get(tenant)?.get(app)
    }

    fn hits(&self, tenant: &str, app: &str) -> &[Hit] {
        self.of_app(tenant, app).map_or(&[], |matched| &matched.hits)
    }

    /// What the advisories say about a grant: all that they say about its app; where they say nothing about it, what its own names hint at.
    pub fn of_grant(
        &self,
        tenant: &str,
        platform: &str,
        app: Option<&App>,
        grant: &Grant,
    ) -> Vec<Hit> {
        let mut hits = self.hits(tenant, &grant.app).to_vec();
        if app.is_none() {
            hits.extend(self.of_tenant(tenant, platform));
        }
        let names = names(app, grant);
        if names.is_empty() {
            return hits;
        }
        for advisory in self.advisories.iter() {
            if hits.iter().any(|hit| hit.advisory.id == advisory.id) {
                continue;
            }
            let by_name =
                names.iter().filter_map(|name| matching::of_name(advisory, platform, name));
            hits.extend(by_name.min_by_key(|hit| hit.within_a_word));
        }
        hits
    }

    /// What advisories say about everything in a tenant: for a grant or a credential whose app has no record of its own.
    pub fn of_tenant<'a>(
        &'a self,
        tenant: &'a str,
        platform: &'a str,
    ) -> impl Iterator<Item = Hit> + 'a {
        let id = self.tenant_ids.get(tenant).map(String::as_str);
        let all = self.advisories.iter();
        all.filter_map(move |advisory| matching::of_tenant(advisory, platform, tenant, id))
    }

    /// Whether an advisory has a key of one of these kinds for a platform.
    pub fn has_keys(&self, platform: &str, kinds: &[KeyKind]) -> bool {
        let mut keys = self.advisories.iter().flat_map(|advisory| &advisory.keys);
        keys.any(|key| kinds.contains(&key.kind) && key.is_for(platform))
    }
}

/// Names of a grant that are not its app's: a token's own, a service account's.
fn names<'g>(app: Option<&App>, grant: &'g Grant) -> Vec<&'g str> {
    let is_token =
        matches!(grant.kind, GrantKind::PersonalToken | GrantKind::ApiToken | GrantKind::Key);
    let own = (app.is_none_or(|app| is_token && app.name != grant.app_name))
        .then_some(grant.app_name.as_str());
    let service_account = grant
        .holder
        .principal()
        .filter(|principal| principal.kind == Observed::Known(PrincipalKind::ServiceAccount))
        .and_then(|principal| principal.name.known());
    own.into_iter().chain(service_account.map(String::as_str)).collect()
}

/// Whether what shares a tie with this is meant, too.
fn leads_to_siblings(hit: &Hit) -> bool {
    hit.certainty <= Certainty::Probable
        && hit.status != Status::NotAffected
        && hit.kind != Some(KeyKind::Tenant)
}

/// Whether the lead has the tie, too, and it is more than a claim.
fn shared(tie: &Tie, lead: &Member) -> bool {
    let has = |other: &Tie| other.kind == tie.kind && other.value == tie.value;
    tie.confidence != Confidence::Claimed && lead.ties.iter().any(has)
}

fn sibling(advisory: &Arc<Advisory>, tie: &Tie, lead: &Member) -> Hit {
    Hit {
        advisory: Arc::clone(advisory),
        certainty: match tie.confidence {
            Confidence::Proven => Certainty::Probable,
            Confidence::Likely | Confidence::Claimed => Certainty::Review,
        },
        status: Status::Affected,
        product: None,
        kind: None,
        by: format!("{} {}, shared with {} in {}", tie.kind, tie.value, lead.name, lead.tenant),
        source: "vendors".to_owned(),
        within_a_word: false,
    }
}

fn sightings(hits: &[Hit], tenant: &str, app: &App, usage: &[Usage]) -> Vec<Sighting> {
    let mut sightings = Vec::new();
    for hit in hits.iter().filter(|hit| hit.status != Status::NotAffected) {
        for usage in usage.iter().filter(|usage| usage.app == app.id || usage.app == app.name) {
            if hit.advisory.overlaps_window(tenant, usage.from, usage.to) != Some(true) {
                continue;
            }
            for indicator in &hit.advisory.indicators {
                let counts = match indicator.kind {
                    IndicatorKind::Address => &usage.addresses,
                    IndicatorKind::Agent => &usage.agents,
                    IndicatorKind::Query => continue,
                };
                let is_expired = indicator.expires.is_some_and(|end| end <= usage.from);
                let seen = counts.iter().find(|count| count.value == indicator.value);
                if let Some(seen) = seen.filter(|_| !is_expired) {
                    let (from, to) = (usage.from.date(), usage.to.date());
                    sightings.push(Sighting {
                        advisory: Arc::clone(&hit.advisory),
                        indicator: indicator.clone(),
                        count: seen.count,
                        log: format!("{} from {from} to {to}", usage.log),
                    });
                }
            }
        }
    }
    sightings
}
