//! `no-owner`: a vendor that holds grants and for which nobody in this company answers.

use grantwarden_kit::model::Timestamp;

use super::{
    Meta, Problem, Reference, Remedy, Rule, Surroundings, VendorView, Verdicts, controls, words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    policy::{AnyParameter, Parameter, Policy, Span},
    vendors::{self, Entry, Match, Party, Register},
};

pub(super) struct NoOwner;

/// How long a review holds.
static REVIEW_AFTER: Parameter<Span> = Parameter {
    rule: "no-owner",
    key: "review_after",
    default: Span::days(365),
    meaning: "a review that is older is overdue, where the register sets no date for the next one",
};

static META: Meta = Meta {
    id: "no-owner",
    title: "Nobody answers for the vendor",
    severity: Severity::Medium,
    summary: "A vendor with live grants is not in the vendor register, or its entry has no owner, no purpose or no current review.",
    why: "When a vendor is breached somebody has to know what it is for, what it may hold, and whether it can be cut today. Vercel had no \
          contract with Context.ai at all: one employee's grant was all there was (2026). The app that led into Microsoft had no owner \
          left (2024).",
    incidents: &["contextai-vercel-2026", "midnight-blizzard-2024", "okta-cloudflare-2023"],
    remedies: &[Remedy::NameOwner, Remedy::RequireAdminApproval, Remedy::RevokeGrant],
    references: &[
        Reference {
            title: "Vercel: April 2026 security incident",
            url: "https://vercel.com/kb/bulletin/vercel-april-2026-security-incident",
        },
        Reference {
            title: "Microsoft: Midnight Blizzard, guidance for responders",
            url: "https://www.microsoft.com/en-us/security/blog/2024/01/25/midnight-blizzard-guidance-for-responders-on-nation-state-attack/",
        },
    ],
    controls: &[controls::SALESFORCE_CRITICALITY, controls::SALESFORCE_DILIGENCE],
    needs: &[],
    parameters: &[AnyParameter::Span(&REVIEW_AFTER)],
};

impl Rule for NoOwner {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn vendor(&self, view: &VendorView<'_>, verdicts: &mut Verdicts) {
        let Some(register) = view.surroundings.register.filter(|_| is_asked_for(view)) else {
            return;
        };
        let entries = register.entries_of(view.vendor);
        let policy = view.surroundings.policy_of_vendor(view.vendor);
        let mut evidence = vec![view.holdings_evidence()];
        let faults: Vec<Fault> = if entries.is_empty() {
            vec![Fault::NotThere]
        } else {
            entries
                .iter()
                .flat_map(|found| faults(found.entry, policy, view.surroundings.now))
                .collect()
        };
        let Some(gravest) = faults.iter().max() else { return };
        evidence.extend(entries.iter().map(|found| entry_evidence(register, found)));
        if entries.is_empty() {
            let source = register.path.display().to_string();
            evidence.push(Evidence::new("entry", "none, by key or by name", source));
        }
        let is_broad = view.holdings.total().broad > 0;
        let is_named_only =
            entries.iter().any(|found| found.confidence == vendors::Confidence::Claimed);
        verdicts.find(Problem {
            severity: match gravest {
                Fault::NotThere | Fault::NoOwner if is_broad => Severity::Medium,
                _ => Severity::Low,
            },
            confidence: Confidence::with_reservations(usize::from(is_named_only)),
            message: format!(
                "{} holds {} on {}, and {}.",
                view.vendor.name,
                words::counted(view.holdings.live(), "live grant"),
                words::list(view.holdings.by_platform.keys()),
                words::list(said(&faults)),
            ),
            evidence,
        });
    }

    /// Without a register nothing can be said about any vendor; that is said once, not for each.
    fn vendors(
        &self,
        views: &[VendorView<'_>],
        surroundings: &Surroundings<'_>,
        verdicts: &mut Verdicts,
    ) {
        let held = views.iter().filter(|view| is_asked_for(view)).count() as u64;
        if surroundings.register.is_some() || held == 0 {
            return;
        }
        verdicts.find(Problem {
            severity: Severity::Info,
            confidence: Confidence::High,
            message: format!(
                "No vendor register is configured, so nobody can say who answers for the {} with live grants, or whose contract is over.",
                words::counted(held, "vendor")
            ),
            evidence: vec![Evidence::new(
                "register",
                "none; `grantwarden vendor init` drafts one",
                "vendors.register",
            )],
        });
    }
}

/// Third parties that can do something today.
fn is_asked_for(view: &VendorView<'_>) -> bool {
    view.vendor.party == Party::Third && view.holdings.live() > 0
}

/// What is missing, from the least to the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The last review is too long ago, or its date for the next one has passed.
    ReviewOverdue,
    /// The review is said to have been on a day that has not come.
    ReviewAhead,
    /// Nobody wrote down when it was reviewed.
    NoReview,
    NoPurpose,
    NoOwner,
    NotThere,
}

fn faults(entry: &Entry, policy: &Policy, now: Timestamp) -> Vec<Fault> {
    let review = match (entry.review_due(), entry.reviewed) {
        _ if entry.is_reviewed_ahead(now) => Some(Fault::ReviewAhead),
        (Some(due), _) => due.is_over(now).then_some(Fault::ReviewOverdue),
        (None, Some(day)) => {
            let limit = policy.get(&REVIEW_AFTER).duration().as_secs() / 86_400;
            (day.age(now) > limit).then_some(Fault::ReviewOverdue)
        }
        (None, None) => Some(Fault::NoReview),
    };
    let owner = entry.owner().is_none().then_some(Fault::NoOwner);
    let purpose = entry.purpose().is_none().then_some(Fault::NoPurpose);
    [owner, purpose, review].into_iter().flatten().collect()
}

/// Each fault once, the gravest first.
fn said(faults: &[Fault]) -> Vec<&'static str> {
    let mut faults = faults.to_vec();
    faults.sort_unstable_by(|a, b| b.cmp(a));
    faults.dedup();
    let say = |fault: &Fault| match fault {
        Fault::NotThere => "it is not in the vendor register",
        Fault::NoOwner => "nobody is named who answers for it",
        Fault::NoPurpose => "nobody wrote down what it is for",
        Fault::NoReview => "it has no date of a review",
        Fault::ReviewAhead => "its review lies in the future",
        Fault::ReviewOverdue => "its review is overdue",
    };
    faults.iter().map(say).collect()
}

fn entry_evidence(register: &Register, found: &Match<'_>) -> Evidence {
    let entry = found.entry;
    let or = |text: Option<String>, none: &str| text.unwrap_or_else(|| none.to_owned());
    let value = format!(
        "{}; owner {}, purpose {}, reviewed {}, next review {}",
        words::entry(found),
        or(entry.owner().map(ToOwned::to_owned), "not written"),
        or(entry.purpose().map(ToOwned::to_owned), "not written"),
        or(entry.reviewed.map(|day| day.to_string()), "not written"),
        or(entry.review_due().map(|day| day.to_string()), "not written"),
    );
    Evidence::new("entry", value, register.source(entry))
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Expiry, Observed};

    use super::super::testing::{Well, days};
    use super::*;

    const RULE: &str = "no-owner";

    fn entry(text: &str) -> Well {
        Well::run()
            .registered(&format!("[[vendor]]\nname = 'Backup'\nclient_ids = ['3MVG9']\n{text}"))
    }

    #[test]
    fn a_whole_and_current_entry_is_silent() {
        let whole = "owner = 'it@acme.example'\npurpose = 'backup'\n";
        entry(&format!("{whole}reviewed = 2026-01-01")).silent_of_vendors(RULE);
        entry(&format!("{whole}review_due = 2026-06-01")).silent_of_vendors(RULE);
    }

    #[test]
    fn medium_without_entry_or_owner_if_broad_else_low() {
        let mut well = Well::run().registered("[[vendor]]\nname = 'Other'\n");
        let finding = well.one_of_vendors(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(
            finding.message,
            "Backup holds 1 live grant on salesforce, and it is not in the vendor register."
        );
        well.scopes(&["openid"]);
        assert_eq!(well.one_of_vendors(RULE).severity, Severity::Low);
        let owner = entry("purpose = 'backup'\nreviewed = 2026-01-01").one_of_vendors(RULE);
        assert_eq!(owner.severity, Severity::Medium);
        assert!(owner.message.ends_with("and nobody is named who answers for it."));
    }

    #[test]
    fn low_without_purpose_or_review() {
        let owner = "owner = 'it@acme.example'\n";
        let purpose = entry(&format!("{owner}reviewed = 2026-01-01")).one_of_vendors(RULE);
        assert_eq!(purpose.severity, Severity::Low);
        for review in
            ["", "reviewed = 2025-05-31", "reviewed = 2026-05-01\nreview_due = 2026-05-31"]
        {
            let finding =
                entry(&format!("{owner}purpose = 'backup'\n{review}")).one_of_vendors(RULE);
            assert_eq!(finding.severity, Severity::Low, "{review}");
        }
    }

    /// A slip of the pen must not switch the rule off for years.
    #[test]
    fn a_review_that_lies_in_the_future_is_none() {
        let whole = "owner = 'it@acme.example'\npurpose = 'backup'\n";
        for review in ["reviewed = 2036-01-01", "reviewed = 2036-01-01\nreview_due = 2037-01-01"] {
            let finding = entry(&format!("{whole}{review}")).one_of_vendors(RULE);
            assert_eq!(finding.severity, Severity::Low);
            assert!(
                finding.message.ends_with("and its review lies in the future."),
                "{finding:#?}"
            );
        }
    }

    #[test]
    fn an_entry_found_by_name_only_is_less_sure() {
        let well = Well::run().registered("[[vendor]]\nname = 'Backup'\n");
        let finding = well.one_of_vendors(RULE);
        assert_eq!(finding.confidence, Confidence::Medium);
        assert!(finding.evidence[1].value.contains("by name only"), "{:?}", finding.evidence);
    }

    #[test]
    fn without_a_register_one_statement_for_all() {
        let finding = Well::run().one_of_vendors(RULE);
        assert_eq!(finding.severity, Severity::Info);
        assert_eq!(finding.tenant, None);
        assert!(finding.message.contains("the 1 vendor with live grants"), "{}", finding.message);
    }

    #[test]
    fn a_vendor_that_can_do_nothing_needs_no_owner() {
        let mut well = Well::run();
        well.grant.expires = Observed::Known(Expiry::At(days(-1)));
        well.silent_of_vendors(RULE);
        well.registered("[[vendor]]\nname = 'Other'\n").silent_of_vendors(RULE);
    }
}
