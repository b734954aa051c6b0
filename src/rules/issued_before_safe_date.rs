//! `issued-before-safe-date`: a grant or credential of a breached vendor, or of an own incident, that is older than the safe date.
//!
//! What proves a rotation is a new credential with a date of its own, never somebody's word. A match on a hint only is not judged here.

use grantwarden_kit::model::{App, Credential, CredentialKind, Observed, Timestamp};

use super::{
    Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, advised, controls, fact,
    words,
};
use crate::{
    advisories::{self, Certainty, Hit, Issued, KeyKind, Status},
    finding::{Evidence, Severity},
};

pub(super) struct IssuedBeforeSafeDate;

static META: Meta = Meta {
    id: "issued-before-safe-date",
    title: "Credential older than the safe date and not rotated",
    severity: Severity::High,
    summary: "A grant or credential that an incident exposed was issued before the incident's safe date and still works.",
    why: "After the breach at Okta (October 2023) Cloudflare rotated more than 5,000 credentials and missed four that it believed to be unused: \
          with them the thieves came back in November.",
    incidents: &[
        "okta-cloudflare-2023",
        "internet-archive-2024",
        "circleci-2023",
        "salesloft-drift-2025",
    ],
    remedies: &[Remedy::RevokeGrant, Remedy::SetExpiry],
    references: &[
        Reference {
            title: "MITRE ATT&CK T1550.001: application access token",
            url: "https://attack.mitre.org/techniques/T1550/001/",
        },
        Reference {
            title: "CircleCI: incident report, with how customers could prove a rotation",
            url: "https://circleci.com/blog/jan-4-2023-incident-report/",
        },
    ],
    controls: &[controls::NHI_LONG_LIVED, controls::NHI_THIRD_PARTY],
    needs: &[fact::GRANT_GRANTED_AT],
    parameters: &[],
};

impl Rule for IssuedBeforeSafeDate {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn credential(
        &self,
        context: &Context<'_>,
        app: Option<&App>,
        credential: &Credential,
        verdicts: &mut Verdicts,
    ) {
        let has_ended = credential.expires_at.known().is_some_and(|end| *end <= context.now);
        // Nothing was there to be stolen for good: the other issuer's tokens are short-lived.
        if has_ended || credential.kind == CredentialKind::FederatedCredential {
            return;
        }
        let all = context.surroundings.advisories.advisories();
        let named = all.iter().filter_map(|advisory| {
            advisories::of_credential(advisory, context.platform, credential)
        });
        let of_app = advised::matched(context, &credential.app);
        let of_app = of_app.into_iter().flat_map(|matched| matched.hits.clone());
        let matches = &context.surroundings.advisories;
        let of_tenant = app.is_none().then(|| {
            matches.of_tenant(context.tenant_name, context.platform).collect::<Vec<Hit>>()
        });
        let hits = named.chain(of_app).chain(of_tenant.into_iter().flatten());
        let subject = Subject {
            issued: (Issued::credential(credential), fact::CREDENTIAL_CREATED_AT),
            used: (&credential.last_used_at, fact::CREDENTIAL_LAST_USED_AT),
            facet: "credentials",
            noun: format!(
                "{} of {}",
                words::credential(credential.kind),
                app.map_or(&credential.app, |app| &app.name)
            ),
            further: Vec::new(),
            is_found_elsewhere: false,
        };
        judge(context, hits, &subject, &credential.app, verdicts);
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live() {
            return;
        }
        let context = view.context;
        let hits = context.surroundings.advisories.of_grant(
            context.tenant_name,
            context.platform,
            view.app,
            view.grant,
        );
        if hits.is_empty() {
            return;
        }
        let subject = Subject {
            issued: (Issued::grant(view.app, view.grant), fact::GRANT_GRANTED_AT),
            used: (&view.grant.last_used_at, fact::GRANT_LAST_USED_AT),
            facet: "grants",
            noun: view.noun(),
            further: vec![view.scope_evidence()],
            is_found_elsewhere: true,
        };
        judge(context, hits.into_iter(), &subject, &view.grant.app, verdicts);
    }
}

/// A grant or a credential.
struct Subject<'a> {
    issued: (Issued<'a>, &'static str),
    used: (&'a Observed<Timestamp>, &'static str),
    facet: &'static str,
    noun: String,
    further: Vec<Evidence>,
    /// Whether `vendor-advisory-match` finds it anyway if a vendor's advisory means it, however old it is.
    is_found_elsewhere: bool,
}

/// Why something counts as exposed.
#[derive(Clone, Copy)]
enum Exposure {
    /// It is older than the safe date.
    Older(Timestamp),
    /// When it was issued is not known, which counts as before the safe date.
    OfUnknownAge(Timestamp),
    /// The advisory names no safe date: everything is exposed.
    NoSafeDate,
}

impl Exposure {
    /// Why a hit exposes the subject; `None` if it does not, or if that is another rule's to say.
    fn of(hit: &Hit, subject: &Subject<'_>) -> Option<Self> {
        let is_elsewhere = subject.is_found_elsewhere && hit.kind != Some(KeyKind::Tenant);
        match (subject.issued.0.is_exposed(&hit.advisory), hit.advisory.safe_date) {
            (Some(true), Some(safe)) => Some(Self::Older(safe)),
            (Some(false), _) => None,
            _ if is_elsewhere => None,
            (None, Some(safe)) => Some(Self::OfUnknownAge(safe)),
            (_, None) => Some(Self::NoSafeDate),
        }
    }
}

fn judge(
    context: &Context<'_>,
    hits: impl Iterator<Item = Hit>,
    subject: &Subject<'_>,
    app: &str,
    verdicts: &mut Verdicts,
) {
    let (issued, name) = subject.issued;
    let mut is_doubtful = false;
    let mut worst: Option<(Severity, Hit, Exposure)> = None;
    for hit in hits.filter(advised::is_firm) {
        if issued.is_exposed(&hit.advisory) != Some(true) {
            // That the app came later is no date of the grant's own.
            is_doubtful |= issued.date.known().is_none();
        }
        let Some(exposure) = Exposure::of(&hit, subject) else { continue };
        let severity = severity(&hit, exposure, subject.used.0.known());
        if worst.as_ref().is_none_or(|(other, ..)| severity > *other) {
            worst = Some((severity, hit, exposure));
        }
    }
    if is_doubtful {
        verdicts.unknown(name, &advised::gap(issued.date, subject.facet));
    }
    let Some((severity, hit, exposure)) = worst else { return };
    let mut evidence = advised::evidence(&hit, advised::matched(context, app));
    evidence.push(advised::issued_evidence(issued, name));
    let (used, name) = subject.used;
    if let Observed::Unknown(gap) = used {
        verdicts.unknown(name, gap);
    }
    let last = match used {
        Observed::Known(used) => used.date(),
        Observed::Absent => "never".to_owned(),
        Observed::Unknown(gap) => format!("not visible: {}", gap.detail),
    };
    evidence.push(Evidence::new("last used", last, name));
    evidence.extend(subject.further.iter().cloned());
    evidence.extend(advised::advice(&hit.advisory));
    let is_age_known = !matches!(exposure, Exposure::OfUnknownAge(_));
    verdicts.find(Problem {
        severity,
        confidence: advised::confidence(&hit, is_age_known, advised::matched(context, app)),
        message: message(&hit, subject, exposure),
        evidence,
    });
}

/// Critical if it is older than the safe date and was used after it; less for what is only probably the vendor's, and for a precaution.
fn severity(hit: &Hit, exposure: Exposure, used: Option<&Timestamp>) -> Severity {
    let of_use = match exposure {
        Exposure::Older(safe) if used.is_some_and(|used| *used >= safe) => Severity::Critical,
        _ => Severity::High,
    };
    let most = match (hit.status, hit.certainty) {
        (Status::Precaution, _) => Severity::Medium,
        (_, Certainty::Exact) => Severity::Critical,
        _ => Severity::High,
    };
    of_use.min(most)
}

fn message(hit: &Hit, subject: &Subject<'_>, exposure: Exposure) -> String {
    let whose = match (hit.kind, hit.certainty) {
        (Some(KeyKind::Tenant), _) => "was in the tenant of the incident",
        (_, Certainty::Exact) => "was exposed in",
        _ => "was, as far as its name tells, exposed in",
    };
    let unproven = "nothing shows that it was rotated, and whoever took it then can use it now";
    let (when, so) = match (exposure, subject.used.0) {
        (Exposure::NoSafeDate, _) => (", and the advisory names no safe date".to_owned(), unproven),
        (Exposure::OfUnknownAge(safe), _) => {
            let safe = safe.date();
            let when = format!(
                ", and when it was issued is not known, which counts as before the safe date {safe}"
            );
            (when, unproven)
        }
        (Exposure::Older(since), used) => {
            let safe = since.date();
            let when = match used {
                Observed::Known(used) if *used >= since => {
                    format!(" and was used after the safe date {safe}")
                }
                Observed::Unknown(_) => {
                    format!(" and is older than the safe date {safe}, and its use is not visible")
                }
                _ => format!(" and is older than the safe date {safe}"),
            };
            (when, "it was not rotated, and whoever took it then can use it now")
        }
    };
    format!("{} {whose} {}{when}: {so}.", words::capital(&subject.noun), hit.advisory.id)
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Expiry, Origin};

    use super::super::testing::{Well, days, gap};
    use super::*;
    use crate::finding::Confidence;

    const RULE: &str = "issued-before-safe-date";
    const BY_ID: &str = "kind = \"client-id\"\nvalue = \"3MVG9\"";
    /// After the grant was given, before it was last used.
    const SAFE: &str = "safe_date = \"2026-05-01\"";

    fn advised(key: &str) -> Well {
        let mut well = Well::run();
        well.advise(key, SAFE);
        well
    }

    #[test]
    fn used_after_the_safe_date_is_critical_and_merely_alive_high() {
        let mut well = advised(BY_ID);
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example was exposed in backup-2026 and was used \
             after the safe date 2026-05-01: it was not rotated, and whoever took it then can use it now."
        );
        assert!(finding.evidence.iter().any(|evidence| evidence.fact == "rotate, too"));
        well.grant.last_used_at = Observed::Known(days(-60));
        assert_eq!(well.one(RULE).severity, Severity::High);
        well.grant.last_used_at = Observed::Unknown(gap("use"));
        let judgement = well.judge();
        assert!(judgement.unknowns.iter().any(|unknown| unknown.rule == RULE));
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    #[test]
    fn a_new_date_is_the_proof_of_rotation() {
        let mut well = advised(BY_ID);
        well.grant.granted_at = Observed::Known("2026-05-01".parse().unwrap());
        well.silent(RULE);
        well.grant.granted_at = Observed::Unknown(gap("when"));
        well.unknown(RULE, &[fact::GRANT_GRANTED_AT]);
        well.grant.granted_at = Observed::Absent;
        well.app.created_at = Observed::Known(days(-1));
        well.unknown(RULE, &[fact::GRANT_GRANTED_AT]);
    }

    #[test]
    fn a_name_is_high_at_most_a_precaution_medium_and_a_hint_nothing() {
        let by_name = "kind = \"exact-name\"\nvalue = \"Backup\"";
        assert_eq!(advised(by_name).one(RULE).severity, Severity::High);
        let doubtful = format!("{by_name}\nproduct = \"Doubtful\"");
        assert_eq!(advised(&doubtful).one(RULE).severity, Severity::Medium);
        advised(&format!("{by_name}\nproduct = \"Other\"")).silent(RULE);
        advised("kind = \"name-contains\"\nvalue = \"back\"").silent(RULE);
    }

    /// After an own incident everything of the tenant is meant, but not the platform's own apps.
    #[test]
    fn an_own_incident_means_the_whole_tenant() {
        for value in ["acme-crm", "00D000000000001AAA"] {
            let mut well = advised(&format!("kind = \"tenant\"\nvalue = \"{value}\""));
            let finding = well.one(RULE);
            assert!(finding.message.contains("was in the tenant of the incident backup-2026"));
            well.silent("vendor-advisory-match");
            well.app.origin = Origin::Platform;
            well.look();
            well.silent(RULE);
        }
        advised("kind = \"tenant\"\nvalue = \"acme\"").silent(RULE);
    }

    #[test]
    fn what_cannot_be_used_any_more_is_silent() {
        let mut well = advised(BY_ID);
        well.grant.expires = Observed::Known(Expiry::At(days(-1)));
        well.silent(RULE);
        let mut blocked = advised(BY_ID);
        blocked.app.blocked = Observed::Known(true);
        blocked.silent(RULE);
    }

    #[test]
    fn an_old_secret_is_found_until_it_is_removed() {
        let well = advised(BY_ID);
        let mut secret = well.secret();
        let of = |secret: &Credential| {
            let findings = well.judge_credential(secret).findings;
            findings.into_iter().find(|finding| finding.rule == RULE)
        };
        assert!(of(&secret).is_none(), "it is ten days old");
        secret.created_at = Observed::Known(days(-100));
        let finding = of(&secret).unwrap();
        assert_eq!(finding.severity, Severity::Critical);
        assert!(finding.message.starts_with("The client secret of Backup was exposed in"));
        secret.kind = CredentialKind::FederatedCredential;
        assert!(of(&secret).is_none());
        secret.kind = CredentialKind::ClientSecret;
        secret.expires_at = Observed::Known(days(-1));
        assert!(of(&secret).is_none());
    }

    #[test]
    fn a_secret_of_unknown_age_counts_as_older() {
        let well = advised(BY_ID);
        let mut secret = well.secret();
        for date in [Observed::Unknown(gap("when")), Observed::Absent] {
            secret.created_at = date;
            let finding = well.one_of_credential(RULE, &secret);
            assert_eq!(
                (finding.severity, finding.confidence),
                (Severity::High, Confidence::Medium)
            );
            assert!(finding.message.contains("which counts as before the safe date 2026-05-01"));
            let unknowns = well.judge_credential(&secret).unknowns;
            let is_said = |unknown: &crate::rules::Unknown| {
                unknown.rule == RULE && unknown.fact == fact::CREDENTIAL_CREATED_AT
            };
            assert!(unknowns.iter().any(is_said));
        }
    }

    /// The grants of a vendor are `vendor-advisory-match`'s then, but nobody else judges secrets and own tenants.
    #[test]
    fn without_a_safe_date_everything_counts_as_older() {
        let mut well = Well::run();
        well.advise(BY_ID, "");
        well.silent(RULE);
        let finding = well.one_of_credential(RULE, &well.secret());
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::High));
        assert!(finding.message.contains("names no safe date"), "{}", finding.message);
        well.advise("kind = \"tenant\"\nvalue = \"acme-crm\"", "");
        let finding = well.one(RULE);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example was in the tenant of the incident \
             backup-2026, and the advisory names no safe date: nothing shows that it was rotated, and whoever took it \
             then can use it now."
        );
        assert_eq!(well.one_of_credential(RULE, &well.secret()).severity, Severity::High);
    }

    /// A token without an app's record was in the tenant like everything else.
    #[test]
    fn what_has_no_app_was_in_the_own_tenant_too() {
        for value in ["acme-crm", "00D000000000001AAA"] {
            let mut well = advised(&format!("kind = \"tenant\"\nvalue = \"{value}\""));
            well.grant.app = "nobody's".to_owned();
            let context = well.context();
            let hits = context.surroundings.advisories.of_grant(
                context.tenant_name,
                context.platform,
                None,
                &well.grant,
            );
            assert_eq!(hits.len(), 1, "{value}");
            let mut secret = well.secret();
            secret.app = "nobody's".to_owned();
            secret.created_at = Observed::Known(days(-100));
            let findings = crate::rules::credential(&context, None, &secret).findings;
            assert!(findings.iter().any(|finding| finding.rule == RULE), "{value}");
        }
    }

    /// No other rule judges what was in an own tenant.
    #[test]
    fn a_grant_of_unknown_age_in_an_own_tenant_counts_as_older() {
        let mut well = advised("kind = \"tenant\"\nvalue = \"acme-crm\"");
        well.grant.granted_at = Observed::Unknown(gap("when"));
        let finding = well.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::Medium));
        well.app.created_at = Observed::Known(days(-1));
        well.unknown(RULE, &[fact::GRANT_GRANTED_AT]);
    }
}
