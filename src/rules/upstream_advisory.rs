//! `upstream-advisory`: a vendor with live grants hands data on, at any depth, to a company whose breach an advisory describes.
//!
//! Only the vendor itself is seen; every tier behind it is what the vendor register declares, and is shown as that. Without a register
//! nobody can tell, which `no-owner` says once.

use std::collections::BTreeMap;

use super::{
    Meta, Problem, Reference, Remedy, Rule, Surroundings, VendorView, Verdicts, advised, controls,
    words,
};
use crate::{
    advisories::Advisory,
    finding::{Confidence, Evidence, Severity, Subject, SubjectKind},
    policy::{AnyParameter, Parameter, Span},
    vendors::{self, Chain, Register, Vendor},
};

pub(super) struct UpstreamAdvisory;

/// What a breach set free upstream was found within a year, or hardly ever will be.
static OLD_AFTER: Parameter<Span> = Parameter {
    rule: "upstream-advisory",
    key: "old_after",
    default: Span::days(365),
    meaning: "an advisory of which nothing new was heard for so long is for information only",
};

static META: Meta = Meta {
    id: "upstream-advisory",
    title: "Vendor of a vendor was breached",
    severity: Severity::Low,
    summary: "A vendor with live grants uses, by the vendor register and at any depth, a company whose breach an advisory describes.",
    why: "What a vendor holds is also in the hands of its own suppliers. Okta's customers learnt of Sitel, its contractor, two months late \
          (January to March 2022); OpenAI's data was at Mixpanel (November 2025), and Vercel was entered through an employee's Context.ai \
          (April 2026).",
    incidents: &[
        "okta-sitel-2022",
        "mixpanel-openai-2025",
        "contextai-vercel-2026",
        "gainsight-2025",
        "klue-2026",
    ],
    remedies: &[Remedy::NarrowScopes, Remedy::RevokeGrant],
    references: &[Reference {
        title: "MITRE ATT&CK T1199: trusted relationship",
        url: "https://attack.mitre.org/techniques/T1199/",
    }],
    controls: &[controls::NHI_THIRD_PARTY],
    needs: &[],
    parameters: &[AnyParameter::Span(&OLD_AFTER)],
};

/// A breach that a vendor is connected with.
struct Upstream<'a> {
    advisory: &'a Advisory,
    chain: Chain<'a>,
    severity: Severity,
}

impl Rule for UpstreamAdvisory {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn vendors(
        &self,
        views: &[VendorView<'_>],
        around: &Surroundings<'_>,
        verdicts: &mut Verdicts,
    ) {
        let Some(register) = around.register else { return };
        let by_id: BTreeMap<&str, &VendorView<'_>> =
            views.iter().map(|view| (view.vendor.id.as_str(), view)).collect();
        let mut found: BTreeMap<&str, Vec<Upstream<'_>>> = BTreeMap::new();
        for advisory in around.advisories.advisories().iter() {
            for chain in chains(advisory, register, around, &by_id) {
                for vendor in &chain.vendors {
                    let Some(view) = by_id.get(vendor.id.as_str()) else { continue };
                    if is_meant_itself(advisory, vendor, around) {
                        continue;
                    }
                    let upstreams = found.entry(vendor.id.as_str()).or_default();
                    // Two names of one company may both be declared; the shortest chain is enough.
                    if upstreams.iter().all(|other| other.advisory.id != advisory.id) {
                        let severity = severity(advisory, view, around);
                        upstreams.push(Upstream { advisory, chain: chain.clone(), severity });
                    }
                }
            }
        }
        for (id, mut upstreams) in found {
            upstreams.sort_by_key(|upstream| std::cmp::Reverse(upstream.severity));
            if let Some(view) = by_id.get(id) {
                verdicts.find_on(subject(view.vendor), problem(view, &upstreams, register));
            }
        }
    }
}

/// The chains from vendors with live grants to the advisory's company, the shortest first.
fn chains<'a>(
    advisory: &Advisory,
    register: &'a Register,
    around: &'a Surroundings<'_>,
    by_id: &BTreeMap<&str, &VendorView<'_>>,
) -> Vec<Chain<'a>> {
    let is_live = |vendor: &Vendor| {
        by_id.get(vendor.id.as_str()).is_some_and(|view| view.holdings.live() > 0)
    };
    let names = std::iter::once(&advisory.vendor).chain(&advisory.brands);
    let mut chains: Vec<Chain<'a>> = names
        .flat_map(|name| vendors::reach(register, &around.vendors, is_live, name).seen)
        .collect();
    chains.sort_by_key(|chain| chain.tiers.len());
    chains
}

/// Whether the advisory means the vendor's own apps: `vendor-advisory-match` says that.
fn is_meant_itself(advisory: &Advisory, vendor: &Vendor, around: &Surroundings<'_>) -> bool {
    advisory.is_about(&vendor.name)
        || vendor.apps.iter().any(|member| {
            let matched = around.advisories.of_app(&member.tenant, &member.app);
            let mut hits = matched.into_iter().flat_map(|matched| &matched.hits);
            hits.any(|hit| hit.advisory.id == advisory.id && advised::is_firm(hit))
        })
}

/// Medium where the vendor reaches sensitive data in bulk, low where not; an old advisory is for information.
fn severity(advisory: &Advisory, view: &VendorView<'_>, around: &Surroundings<'_>) -> Severity {
    let latest = advisory.revisions.iter().map(|revision| revision.date).chain(advisory.safe_date);
    let limit = around.policy_of_vendor(view.vendor).get(&OLD_AFTER).duration();
    let is_old = latest.max().is_some_and(|latest| latest.until(around.now) > limit);
    match (is_old, view.holdings.total().broad > 0) {
        (true, _) => Severity::Info,
        (false, true) => Severity::Medium,
        (false, false) => Severity::Low,
    }
}

fn subject(vendor: &Vendor) -> Subject {
    Subject {
        kind: SubjectKind::Vendor,
        id: vendor.id.clone(),
        label: vendor.name.clone(),
        app: None,
        principal: None,
    }
}

fn problem(view: &VendorView<'_>, upstreams: &[Upstream<'_>], register: &Register) -> Problem {
    let mut evidence = Vec::new();
    for Upstream { advisory, chain, .. } in upstreams {
        let value = format!("{}: {}", advisory.id, advisory.title);
        evidence.push(Evidence::new("advisory", value, advised::SOURCE));
        let lines: Vec<&str> =
            chain.tiers.iter().filter_map(|tier| tier.declared.as_deref()).collect();
        evidence.push(Evidence::new("declared chain", path(chain), lines.join(", ")));
    }
    evidence.push(view.holdings_evidence());
    let silent = register.entries.iter().filter(|entry| entry.sub_processors.is_none()).count();
    if silent > 0 {
        let value = format!(
            "{silent} of {} entries do not say who their sub-processors are: that is not known, which is not none",
            register.entries.len()
        );
        evidence.push(Evidence::new("not declared", value, register.path.display().to_string()));
    }
    let first = upstreams.first();
    let severity = first.map_or(Severity::Info, |upstream| upstream.severity);
    let ids: Vec<&str> = upstreams.iter().map(|upstream| upstream.advisory.id.as_str()).collect();
    let company = first.and_then(|upstream| upstream.chain.tiers.last());
    Problem {
        severity,
        // What is declared may be out of date, and nobody saw the tiers behind the first.
        confidence: Confidence::Medium,
        message: format!(
            "{} holds {}, and by the vendor register uses {}, whose breach {} describes: ask {} whether what it holds of yours was reached.",
            view.vendor.name,
            words::counted(view.holdings.live(), "live grant"),
            company.map_or("", |tier| tier.company.as_str()),
            words::some(&ids, 3),
            view.vendor.name,
        ),
        evidence,
    }
}

fn path(chain: &Chain<'_>) -> String {
    let names: Vec<&str> = chain.tiers.iter().map(|tier| tier.company.as_str()).collect();
    names.join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::super::testing::Well;
    use super::*;

    const RULE: &str = "upstream-advisory";
    const REGISTER: &str = "[[vendor]]\nname = \"Backup\"\nclient_ids = [\"3MVG9\"]\nsub_processors = [\"Storage\"]\n\
                            [[vendor]]\nname = \"Storage\"\nsub_processors = [\"Paper\", \"Backup\"]\n\
                            [[vendor]]\nname = \"Paper\"\n";

    /// A well-run app whose register entry leads to Storage and on to Paper, and an advisory about a company.
    fn chained(vendor: &str, safe_date: &str) -> Well {
        let mut well = Well::run();
        let text = format!(
            "id = \"upstream-2026\"\ntitle = \"Entered\"\nvendor = \"{vendor}\"\nsafe_date = \"{safe_date}\"\n\
             [[match]]\nkind = \"exact-name\"\nvalue = \"{vendor}\"\nsource = \"a test\"\n"
        );
        let advisory = Advisory::parse(std::path::Path::new("test.toml"), &text).unwrap();
        well.advised = std::iter::once(advisory).collect();
        well.registered(REGISTER)
    }

    #[test]
    fn a_vendors_vendor_at_any_depth() {
        for (company, path) in
            [("Storage", "Backup -> Storage"), ("Paper", "Backup -> Storage -> Paper")]
        {
            let finding = chained(company, "2026-05-01").one_of_vendors(RULE);
            let chain = finding.evidence.iter().find(|evidence| evidence.fact == "declared chain");
            assert_eq!(chain.unwrap().value, path);
            assert!(
                finding.message.contains(&format!("uses {company}, whose breach upstream-2026"))
            );
        }
        let one_entry = chained("Paper", "2026-05-01").one_of_vendors(RULE);
        let unsaid = one_entry.evidence.iter().find(|evidence| evidence.fact == "not declared");
        assert!(unsaid.unwrap().value.starts_with("1 of 3 entries"), "{unsaid:?}");
        chained("Nobody", "2026-05-01").silent_of_vendors(RULE);
    }

    #[test]
    fn medium_with_bulk_access_low_without_and_info_when_old() {
        let mut well = chained("Paper", "2026-05-01");
        assert_eq!(well.one_of_vendors(RULE).severity, Severity::Medium);
        well.scopes(&["openid"]);
        assert_eq!(well.one_of_vendors(RULE).severity, Severity::Low);
        assert_eq!(chained("Paper", "2025-05-01").one_of_vendors(RULE).severity, Severity::Info);
    }

    #[test]
    fn the_breached_vendor_itself_is_said_elsewhere() {
        chained("Backup", "2026-05-01").silent_of_vendors(RULE);
    }

    #[test]
    fn without_a_live_grant_nothing_can_be_reached() {
        let mut well = chained("Paper", "2026-05-01");
        well.app.blocked = grantwarden_kit::model::Observed::Known(true);
        well.silent_of_vendors(RULE);
    }

    #[test]
    fn without_a_register_it_is_said_once_and_not_here() {
        let mut well = Well::run();
        well.advise("kind = \"exact-name\"\nvalue = \"Paper\"", "");
        well.silent_of_vendors(RULE);
    }
}
