//! `waiver-expired`: what was accepted for a while, and the while is over. Judged from the policy alone.

use super::{Meta, Problem, Reference, Remedy, Rule, Surroundings, Verdicts};
use crate::{
    finding::{Confidence, Evidence, Severity},
    policy::Waiver,
};

pub(super) struct WaiverExpired;

static META: Meta = Meta {
    id: "waiver-expired",
    title: "Waiver whose end has come",
    severity: Severity::Medium,
    summary: "A waiver of the policy ended, and nobody renewed or removed it.",
    why: "What was meant for a while stays for ever unless somebody is asked again: the way into Microsoft in November 2023 was an \
          OAuth app left over from a test.",
    incidents: &["midnight-blizzard-2024"],
    remedies: &[Remedy::RevokeGrant],
    references: &[Reference {
        title: "Microsoft: Midnight Blizzard, guidance for responders",
        url: "https://www.microsoft.com/en-us/security/blog/2024/01/25/midnight-blizzard-guidance-for-responders-on-nation-state-attack/",
    }],
    controls: &[],
    needs: &[],
    parameters: &[],
};

impl Rule for WaiverExpired {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn waiver(&self, surroundings: &Surroundings<'_>, waiver: &Waiver, verdicts: &mut Verdicts) {
        if !waiver.until.is_over(surroundings.now) {
            return;
        }
        let (title, owner, until) = (waiver.title(), &*waiver.owner, &*waiver.until);
        verdicts.find(Problem {
            severity: Severity::Medium,
            confidence: Confidence::High,
            message: format!(
                "The waiver for {title} by {owner} ended on {until}: what it accepted counts again until somebody renews it or \
                 solves the problem."
            ),
            evidence: vec![
                Evidence::new("until", until.to_string(), "policy.waiver"),
                Evidence::new("reason", waiver.reason.value.clone(), "policy.waiver"),
            ],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{testing::now, waiver},
        *,
    };
    use crate::policy::{Known, KnownRule, Policy};

    fn policy(until: &str) -> Policy {
        let text = format!(
            "[[waiver]]\nsubject = {{ tenant = 'acme-crm', app = '3MVG9' }}\nrules = ['no-expiry']\nreason = 'migration'\n\
             owner = 'jane@acme.example'\nuntil = {until}\n"
        );
        let rules = vec![KnownRule { id: "no-expiry", parameters: &[] }];
        let known = Known { rules, ..Known::default() };
        toml::from_str::<Policy>(&text).unwrap().checked(&known).unwrap()
    }

    fn judge(until: &str) -> Vec<crate::finding::Finding> {
        let policy = policy(until);
        let surroundings = Surroundings::of_vendors(Vec::new(), &policy, now());
        waiver(&surroundings, &policy.waivers[0]).findings
    }

    /// The tests' day is 2026-06-01.
    #[test]
    fn found_from_the_day_after_its_last() {
        let found = judge("2026-05-31");
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "The waiver for no-expiry of app 3MVG9 in acme-crm by jane@acme.example ended on 2026-05-31: what it accepted \
             counts again until somebody renews it or solves the problem."
        );
        assert!(judge("2026-06-01").is_empty() && judge("2026-06-02").is_empty());
    }

    #[test]
    fn the_fingerprint_stays_when_the_end_moves() {
        assert_eq!(judge("2026-05-31")[0].fingerprint, judge("2026-05-01")[0].fingerprint);
    }
}
