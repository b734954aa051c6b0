//! `stale-unused`: a grant that nobody uses and that still works.

use grantwarden_kit::model::{Observed, Origin, Timestamp};

use super::{
    Answer, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact, words,
};
use crate::finding::{Confidence, Severity};

pub(super) struct StaleUnused;

static META: Meta = Meta {
    id: "stale-unused",
    title: "Grant that nobody uses",
    severity: Severity::Medium,
    summary: "A grant was not used for a long time, or never since it was given, and is still there.",
    why: "Nobody misses it when it is stolen, and nobody watches it. Zscaler had stopped using Drift weeks before its token was abused \
          (August 2025); the way into Microsoft in November 2023 was an OAuth app left over from a test.",
    incidents: &[
        "salesloft-drift-2025",
        "midnight-blizzard-2024",
        "waydev-2020",
        "okta-cloudflare-2023",
    ],
    remedies: &[Remedy::RevokeGrant],
    references: &[
        Reference {
            title: "Zscaler: Salesloft Drift supply chain incident, key details",
            url: "https://www.zscaler.com/blogs/company-news/salesloft-drift-supply-chain-incident-key-details-and-zscaler-s-response",
        },
        Reference {
            title: "Microsoft: Midnight Blizzard, guidance for responders",
            url: "https://www.microsoft.com/en-us/security/blog/2024/01/25/midnight-blizzard-guidance-for-responders-on-nation-state-attack/",
        },
    ],
    controls: &[controls::NHI_OFFBOARDING],
    needs: &[fact::GRANT_LAST_USED_AT],
    parameters: &[],
};

impl Rule for StaleUnused {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if view.is_expired() {
            return;
        }
        let stale = view.is_stale();
        if stale != Answer::Yes {
            stale.report(verdicts);
            return;
        }
        // A block can be lifted, and the platform's own app opens no door to outsiders: tidy up, without alarm.
        let is_harmless = view.is_blocked() || view.origin() == Origin::Platform;
        let broad = view.is_broad();
        if !is_harmless {
            broad.report(verdicts);
        }
        verdicts.find(Problem {
            severity: match (is_harmless, broad) {
                (true, _) => Severity::Low,
                (false, Answer::Yes) => Severity::High,
                (false, _) => Severity::Medium,
            },
            confidence: Confidence::High,
            message: message(view),
            evidence: vec![view.use_evidence(), view.life_evidence(), view.scope_evidence()],
        });
    }
}

fn message(view: &GrantView<'_>) -> String {
    let noun = words::capital(&view.noun());
    let since = |time: &Timestamp| words::counted(time.days_until(view.context.now), "day");
    let unused = match (&view.grant.last_used_at, &view.grant.granted_at) {
        (Observed::Known(used), _) => format!("was last used {} ago", since(used)),
        (_, Observed::Known(granted)) => {
            format!("was never used since it was given {} ago", since(granted))
        }
        _ => "was never used".to_owned(),
    };
    if view.is_blocked() {
        return format!(
            "{noun} {unused}; the app is blocked, but the grant works again as soon as somebody lifts the block."
        );
    }
    format!(
        "{noun} {unused} and still works: nobody would miss it, and nobody would notice a thief."
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Well, days, gap};
    use super::*;

    const RULE: &str = "stale-unused";

    #[test]
    fn unused_for_long_is_high_if_broad_else_medium() {
        let mut well = Well::run();
        well.grant.last_used_at = Observed::Known(days(-412));
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example was last used 412 days ago and still \
             works: nobody would miss it, and nobody would notice a thief."
        );
        well.scopes(&["openid"]);
        assert_eq!(well.one(RULE).severity, Severity::Medium);
    }

    #[test]
    fn never_used_counts_from_the_day_it_was_given() {
        let mut well = Well::run();
        well.grant.last_used_at = Observed::Absent;
        well.grant.granted_at = Observed::Known(days(-90));
        assert!(well.one(RULE).message.contains("was never used since it was given 90 days ago"));
        well.grant.granted_at = Observed::Known(days(-89));
        well.silent(RULE);
    }

    #[test]
    fn the_limit_is_the_policys() {
        let mut well = Well::run();
        well.grant.last_used_at = Observed::Known(days(-100));
        well.policy.stale_after = crate::policy::Span::days(400);
        well.silent(RULE);
    }

    #[test]
    fn blocked_and_platform_apps_are_low() {
        let mut blocked = Well::run();
        blocked.grant.last_used_at = Observed::Known(days(-100));
        blocked.app.blocked = Observed::Known(true);
        let finding = blocked.one(RULE);
        assert_eq!(finding.severity, Severity::Low);
        assert!(finding.message.contains("lifts the block"), "{}", finding.message);
        let mut platform = Well::run();
        platform.grant.last_used_at = Observed::Known(days(-100));
        platform.app.origin = Origin::Platform;
        assert_eq!(platform.one(RULE).severity, Severity::Low);
    }

    #[test]
    fn missing_dates_are_unknown_and_never_unused() {
        let mut well = Well::run();
        well.grant.last_used_at = Observed::Unknown(gap("use"));
        well.unknown(RULE, &[fact::GRANT_LAST_USED_AT]);
        well.grant.granted_at = Observed::Known(days(-10));
        well.silent(RULE);
        well.grant.last_used_at = Observed::Absent;
        well.grant.granted_at = Observed::Unknown(gap("grant"));
        well.unknown(RULE, &[fact::GRANT_GRANTED_AT]);
        well.grant.granted_at = Observed::Absent;
        well.unknown(RULE, &[fact::GRANT_GRANTED_AT]);
    }
}
