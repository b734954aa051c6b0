//! `vendor-advisory-match`: a grant, an app or a credential of a vendor that was breached.
//!
//! What advisories name and what not, `crate::advisories` knows; here it is weighed. Matches that are only a name are never critical.

use std::cmp::Reverse;

use grantwarden_kit::model::{App, Credential, Observed, Timestamp};

use super::{
    Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, advised, controls, fact,
    words,
};
use crate::{
    advisories::{self, Certainty, Hit, Issued, KeyKind, Status},
    finding::{Evidence, Severity},
};

pub(super) struct VendorAdvisoryMatch;

static META: Meta = Meta {
    id: "vendor-advisory-match",
    title: "Grant of a vendor that was breached",
    severity: Severity::Critical,
    summary: "An app, grant or credential belongs to a vendor whose breach an advisory describes.",
    why: "When Drift's tokens were stolen (August 2025), each of its more than 700 customers had to find out in hours which of its grants were \
          Drift's, on every platform and under every name. Zscaler found one of a tool that it had stopped using.",
    incidents: &[
        "salesloft-drift-2025",
        "gainsight-2025",
        "klue-2026",
        "contextai-vercel-2026",
        "heroku-travis-github-2022",
    ],
    remedies: &[Remedy::RevokeGrant, Remedy::RestrictNetwork],
    references: &[
        Reference {
            title: "MITRE ATT&CK T1528: steal application access token",
            url: "https://attack.mitre.org/techniques/T1528/",
        },
        Reference {
            title: "MITRE ATT&CK T1199: trusted relationship",
            url: "https://attack.mitre.org/techniques/T1199/",
        },
    ],
    controls: &[controls::NHI_THIRD_PARTY],
    needs: &[
        fact::GRANT_GRANTED_AT,
        fact::APP_CLIENT_IDS,
        fact::APP_REDIRECT_DOMAINS,
        fact::APP_PUBLISHER,
    ],
    parameters: &[],
};

/// A hit, weighed.
struct Weighed {
    hit: Hit,
    /// Whether it was issued before the safe date.
    exposed: Option<bool>,
    severity: Severity,
}

impl Rule for VendorAdvisoryMatch {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        let matched = advised::matched(context, &app.id);
        let hits = matched.map_or(&[][..], |matched| &matched.hits);
        report_hidden_keys(context, app, hits, verdicts);
        // Grants are judged one by one; this is for apps whose grants nobody lists.
        let Some(matched) = matched.filter(|matched| matched.grants == 0) else { return };
        let issued = Issued { date: &app.created_at, not_before: None };
        let firm = hits.iter().filter(|hit| is_vendors(hit) && advised::is_firm(hit));
        let weighed = weigh(firm.cloned(), |hit| {
            let exposed = issued.is_exposed(&hit.advisory);
            let is_blocked = app.blocked.known() == Some(&true);
            let severity = match (exposed, is_blocked, hit.certainty) {
                (Some(false), _, _) | (_, true, _) => Severity::Info,
                (_, _, Certainty::Exact) => Severity::Medium,
                _ => Severity::Low,
            };
            (exposed, severity)
        });
        let Some(Weighed { hit, exposed, severity }) = weighed else { return };
        let mut evidence = advised::evidence(&hit, Some(matched));
        evidence.push(advised::issued_evidence(issued, fact::APP_CREATED_AT));
        evidence.extend(advised::advice(&hit.advisory));
        verdicts.find(Problem {
            severity,
            confidence: advised::confidence(&hit, exposed.is_some(), Some(matched)),
            message: format!(
                "{} {} the advisory {}, and no grant of it was seen: what it holds must be looked for on the platform itself.",
                app.name,
                relation(&hit),
                hit.advisory.id,
            ),
            evidence,
        });
    }

    fn credential(
        &self,
        context: &Context<'_>,
        app: Option<&App>,
        credential: &Credential,
        verdicts: &mut Verdicts,
    ) {
        let issued = Issued::credential(credential);
        let named = context.surroundings.advisories.advisories().iter().filter_map(|advisory| {
            advisories::of_credential(advisory, context.platform, credential)
        });
        let weighed = weigh(named, |hit| {
            let exposed = issued.is_exposed(&hit.advisory);
            (exposed, severity(hit, exposed))
        });
        let Some(Weighed { hit, exposed, severity }) = weighed else { return };
        if exposed.is_none() {
            let gap = advised::gap(&credential.created_at, "credentials");
            verdicts.unknown(fact::CREDENTIAL_CREATED_AT, &gap);
        }
        let mut evidence = advised::evidence(&hit, None);
        evidence.push(advised::issued_evidence(issued, fact::CREDENTIAL_CREATED_AT));
        evidence.extend(advised::advice(&hit.advisory));
        verdicts.find(Problem {
            severity,
            confidence: advised::confidence(&hit, exposed.is_some(), None),
            message: format!(
                "{} of {} {} the advisory {}: whoever took its private half can sign in as the app until it is removed.",
                words::capital(words::credential(credential.kind)),
                app.map_or(&credential.app, |app| &app.name),
                relation(&hit),
                hit.advisory.id,
            ),
            evidence,
        });
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let context = view.context;
        let hits = context.surroundings.advisories.of_grant(
            context.tenant_name,
            context.platform,
            view.app,
            view.grant,
        );
        let issued = Issued::grant(view.app, view.grant);
        let meant = hits.into_iter().filter(is_vendors);
        let mut others: Vec<String> = Vec::new();
        let weighed = weigh(meant.inspect(|hit| others.push(hit.advisory.id.clone())), |hit| {
            let exposed = issued.is_exposed(&hit.advisory);
            let most = match (view.is_expired(), view.is_blocked()) {
                (true, _) => Severity::Info,
                (_, true) => Severity::Low,
                _ => Severity::Critical,
            };
            (exposed, severity(hit, exposed).min(most))
        });
        let Some(Weighed { hit, exposed, severity }) = weighed else { return };
        let is_date_known = issued.date.known().is_some();
        if !is_date_known && hit.advisory.safe_date.is_some() {
            let gap = advised::gap(&view.grant.granted_at, "grants");
            verdicts.unknown(fact::GRANT_GRANTED_AT, &gap);
        }
        let matched = advised::matched(context, &view.grant.app);
        let mut evidence = advised::evidence(&hit, matched);
        evidence.push(advised::issued_evidence(issued, fact::GRANT_GRANTED_AT));
        evidence.push(view.use_evidence());
        evidence.push(view.scope_evidence());
        others.retain(|id| *id != hit.advisory.id);
        if !others.is_empty() {
            let value = others.join(", ");
            evidence.push(Evidence::new("other advisories", value, advised::SOURCE));
        }
        if exposed != Some(false) {
            evidence.extend(advised::advice(&hit.advisory));
        }
        verdicts.find(Problem {
            severity,
            confidence: advised::confidence(&hit, is_date_known, matched),
            message: message(view, &hit, exposed),
            evidence,
        });
    }
}

/// Whether a hit is about a vendor; an own incident is `issued-before-safe-date`'s.
fn is_vendors(hit: &Hit) -> bool {
    hit.kind != Some(KeyKind::Tenant) && hit.status != Status::NotAffected
}

/// The gravest hit; of equals the surest, of equals the first.
fn weigh(
    hits: impl Iterator<Item = Hit>,
    weight: impl Fn(&Hit) -> (Option<bool>, Severity),
) -> Option<Weighed> {
    hits.map(|hit| {
        let (exposed, severity) = weight(&hit);
        Weighed { hit, exposed, severity }
    })
    .min_by_key(|weighed| (Reverse(weighed.severity), weighed.hit.certainty))
}

/// Of a grant or credential that can be used. Not knowing when it was issued counts as before the safe date.
const fn severity(hit: &Hit, exposed: Option<bool>) -> Severity {
    match (hit.status, hit.certainty, exposed) {
        (_, _, Some(false)) => Severity::Info,
        (_, Certainty::Review, _) if hit.within_a_word => Severity::Info,
        (_, Certainty::Review, _) => Severity::Low,
        (Status::Precaution | Status::NotAffected, _, _) => Severity::Medium,
        (Status::Affected, Certainty::Probable, _) => Severity::High,
        (Status::Affected, Certainty::Exact, _) => Severity::Critical,
    }
}

/// What stands between a subject and the advisory's id.
const fn relation(hit: &Hit) -> &'static str {
    match (hit.certainty, hit.status) {
        (Certainty::Review, _) => "may be meant by",
        (_, Status::Precaution) => "is of a product that was cut off as a precaution in",
        (Certainty::Exact, _) => "is named by",
        (Certainty::Probable, _) => "has what names the vendor in",
    }
}

fn message(view: &GrantView<'_>, hit: &Hit, exposed: Option<bool>) -> String {
    let start = format!(
        "{} {} the advisory {}",
        words::capital(&view.noun()),
        relation(hit),
        hit.advisory.id
    );
    let safe = hit.advisory.safe_date.map_or_else(String::new, Timestamp::date);
    let when = match (exposed, &view.grant.granted_at, hit.advisory.safe_date) {
        (Some(false), _, _) => {
            return format!("{start}, but was issued after its safe date {safe}: nothing to do.");
        }
        (_, _, None) => "which names no safe date".to_owned(),
        (None, _, _) => format!(
            "and when it was issued is not known, which counts as before its safe date {safe}"
        ),
        (_, Observed::Known(date), _) => {
            format!("and was issued on {}, before its safe date {safe}", date.date())
        }
        _ => format!("and was issued before its safe date {safe}"),
    };
    let so = if view.is_expired() {
        "it has ended by itself, so look at what was done with it".to_owned()
    } else if view.is_blocked() {
        "the app is blocked, but what was stolen works again as soon as somebody lifts the block"
            .to_owned()
    } else if hit.certainty == Certainty::Review {
        "a person must look whose app it is".to_owned()
    } else if hit.certainty == Certainty::Probable {
        format!("confirm whose app it is; if it is the vendor's, a thief can {}", view.power())
    } else {
        format!("a thief can {} until it is revoked", view.power())
    };
    format!("{start}, {when}: {so}.")
}

/// Says which facts could hide that an advisory means the app. Whoever was found by an id is found.
fn report_hidden_keys(context: &Context<'_>, app: &App, hits: &[Hit], verdicts: &mut Verdicts) {
    let is_found = hits.iter().any(|hit| hit.certainty == Certainty::Exact);
    if is_found {
        return;
    }
    let has = |kinds: &[KeyKind]| context.surroundings.advisories.has_keys(context.platform, kinds);
    if let Observed::Unknown(gap) = &app.client_ids
        && has(&[KeyKind::ClientId, KeyKind::AppId, KeyKind::GoogleProject])
    {
        verdicts.unknown(fact::APP_CLIENT_IDS, gap);
    }
    if let Observed::Unknown(gap) = &app.redirect_domains
        && has(&[KeyKind::RedirectDomain, KeyKind::ExtensionId])
    {
        verdicts.unknown(fact::APP_REDIRECT_DOMAINS, gap);
    }
    if let Observed::Unknown(gap) = &app.publisher
        && has(&[KeyKind::Publisher])
    {
        verdicts.unknown(fact::APP_PUBLISHER, gap);
    }
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::{Count, CredentialKind, Expiry, Usage};

    use super::super::testing::{Well, days, gap};
    use super::*;
    use crate::finding::Confidence;

    const RULE: &str = "vendor-advisory-match";
    const BY_ID: &str = "kind = \"client-id\"\nvalue = \"3MVG9\"";
    const BY_NAME: &str = "kind = \"exact-name\"\nvalue = \"Backup\"";
    /// After the grant was given.
    const SAFE: &str = "safe_date = \"2026-05-01\"";

    fn advised(key: &str) -> Well {
        let mut well = Well::run();
        well.advise(key, SAFE);
        well
    }

    #[test]
    fn exact_is_critical() {
        for key in [BY_ID, "kind = \"redirect-domain\"\nvalue = \"backup.example\""] {
            let finding = advised(key).one(RULE);
            assert_eq!(
                (finding.severity, finding.confidence),
                (Severity::Critical, Confidence::High)
            );
        }
        assert_eq!(
            advised(BY_ID).one(RULE).message,
            "The refresh token of Backup for the service account sync@acme.example is named by the advisory backup-2026, and was \
             issued on 2025-11-13, before its safe date 2026-05-01: a thief can read and change all CRM data that the service \
             account sync@acme.example can reach until it is revoked."
        );
    }

    #[test]
    fn a_name_is_high_and_to_be_confirmed() {
        let finding = advised(BY_NAME).one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::Medium));
        assert!(finding.message.contains("confirm whose app it is"), "{}", finding.message);
    }

    #[test]
    fn a_part_of_a_name_is_a_hint() {
        let word = advised("kind = \"name-contains\"\nvalue = \"backup\"").one(RULE);
        assert_eq!((word.severity, word.confidence), (Severity::Low, Confidence::Low));
        assert!(word.message.contains("may be meant by"), "{}", word.message);
        let letters = advised("kind = \"name-contains\"\nvalue = \"back\"").one(RULE);
        assert_eq!(letters.severity, Severity::Info);
    }

    #[test]
    fn the_product_decides() {
        let doubtful = advised(&format!("{BY_ID}\nproduct = \"Doubtful\"")).one(RULE);
        assert_eq!(doubtful.severity, Severity::Medium);
        assert!(doubtful.message.contains("as a precaution"), "{}", doubtful.message);
        advised(&format!("{BY_ID}\nproduct = \"Other\"")).silent(RULE);
    }

    #[test]
    fn after_the_safe_date_is_info() {
        let mut well = advised(BY_ID);
        well.grant.granted_at = Observed::Known("2026-05-01".parse().unwrap());
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::Info);
        assert!(finding.message.ends_with("2026-05-01: nothing to do."), "{}", finding.message);
    }

    #[test]
    fn an_unknown_date_counts_as_before_and_is_said() {
        let mut well = advised(BY_ID);
        well.grant.granted_at = Observed::Unknown(gap("when"));
        let finding = well.one(RULE);
        assert_eq!(
            (finding.severity, finding.confidence),
            (Severity::Critical, Confidence::Medium)
        );
        assert!(finding.message.contains("is not known, which counts as before"));
        let said = |well: &Well| {
            let unknowns = well.judge().unknowns;
            unknowns.iter().any(|other| other.rule == RULE && other.fact == fact::GRANT_GRANTED_AT)
        };
        assert!(said(&well));
        // The app came before the safe date: that says nothing about the grant. One that came after it cannot have given it before.
        well.app.created_at = Observed::Known(days(-1));
        assert_eq!(well.one(RULE).severity, Severity::Info);
        assert!(said(&well));
    }

    #[test]
    fn without_a_safe_date_everything_is_exposed() {
        let mut well = Well::run();
        well.advise(BY_ID, "");
        well.grant.granted_at = Observed::Unknown(gap("when"));
        let finding = well.one(RULE);
        assert!(finding.message.contains("names no safe date"), "{}", finding.message);
    }

    #[test]
    fn blocked_is_low_and_ended_is_info() {
        let mut blocked = advised(BY_ID);
        blocked.app.blocked = Observed::Known(true);
        assert_eq!(blocked.one(RULE).severity, Severity::Low);
        let mut ended = advised(BY_ID);
        ended.grant.expires = Observed::Known(Expiry::At(days(-1)));
        let finding = ended.one(RULE);
        assert_eq!(finding.severity, Severity::Info);
        assert!(finding.message.contains("look at what was done with it"), "{}", finding.message);
    }

    /// Traces in the logs make a match on a name firmer; one that has expired does not.
    #[test]
    fn traces_in_logs_raise_the_confidence() {
        let mut well = Well::run();
        well.digest.usage = vec![Usage {
            app: well.app.id.clone(),
            log: "API calls".to_owned(),
            from: "2026-05-10".parse().unwrap(),
            to: "2026-05-12".parse().unwrap(),
            events: 1,
            addresses: vec![Count { value: "203.0.113.7".to_owned(), count: 1 }],
            agents: Vec::new(),
            objects: Vec::new(),
            principals: Vec::new(),
            operations: Vec::new(),
            versions: Vec::new(),
        }];
        well.advise(BY_NAME, SAFE);
        let finding = well.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::High));
        let trace = finding.evidence.iter().find(|evidence| evidence.fact == "traces in logs");
        assert_eq!(
            trace.unwrap().value,
            "address 203.0.113.7 (medium confidence), 1 times in API calls from 2026-05-10 to 2026-05-12"
        );
        well.digest.usage[0].from = "2026-05-20".parse().unwrap();
        well.digest.usage[0].to = "2026-05-21".parse().unwrap();
        well.look();
        assert_eq!(well.one(RULE).confidence, Confidence::Medium);
    }

    #[test]
    fn an_app_without_a_grant_that_was_seen_is_found_itself() {
        let mut well = Well::run();
        well.grants = 0;
        well.advise(BY_ID, SAFE);
        let finding = well.one_of_app(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.message.contains("no grant of it was seen"), "{}", finding.message);
        well.advise(BY_NAME, SAFE);
        assert_eq!(well.one_of_app(RULE).severity, Severity::Low);
        well.app.created_at = Observed::Known(days(-1));
        assert_eq!(well.one_of_app(RULE).severity, Severity::Info);
        well.grants = 1;
        well.look();
        assert!(well.judge_app().findings.iter().all(|finding| finding.rule != RULE));
    }

    /// What is not visible could be what an advisory names.
    #[test]
    fn hidden_keys_are_said_unless_the_app_is_found_anyway() {
        let mut well = Well::run();
        well.app.client_ids = Observed::Unknown(gap("client ids"));
        well.advise(BY_ID, SAFE);
        well.silent(RULE);
        well.unknown_of_app(RULE, &[fact::APP_CLIENT_IDS]);
        well.advise(BY_NAME, SAFE);
        well.unknown_of_app(RULE, &[]);
        well.app.client_ids = Observed::Known(vec!["3MVG9".to_owned()]);
        well.app.redirect_domains = Observed::Unknown(gap("redirects"));
        well.advise("kind = \"redirect-domain\"\nvalue = \"other.example\"", SAFE);
        well.unknown_of_app(RULE, &[fact::APP_REDIRECT_DOMAINS]);
        well.advise(BY_ID, SAFE);
        well.unknown_of_app(RULE, &[]);
    }

    /// A token is nobody's but its owner's; a name that its owner gave it is a hint at whose hands it is in.
    #[test]
    fn a_tokens_own_name_is_a_hint() {
        let mut well = Well::run();
        well.grant.kind = grantwarden_kit::model::GrantKind::ApiToken;
        well.grant.app_name = "for Vault sync".to_owned();
        well.advise("kind = \"name-contains\"\nvalue = \"vault\"", SAFE);
        let finding = well.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Low, Confidence::Low));
        well.grant.app_name = "for others".to_owned();
        well.principal().name = Observed::Known("VAULT_SVC".to_owned());
        assert_eq!(well.one(RULE).severity, Severity::Low);
        well.principal().kind = Observed::Known(grantwarden_kit::model::PrincipalKind::Person);
        well.silent(RULE);
    }

    #[test]
    fn a_certificate_is_found_by_its_thumbprint() {
        let well = advised("kind = \"certificate-thumbprint\"\nvalue = \"AB:CD\"");
        let mut certificate = well.secret();
        certificate.id = "abcd".to_owned();
        certificate.kind = CredentialKind::Certificate;
        certificate.created_at = Observed::Known(days(-100));
        let findings = well.judge_credential(&certificate).findings;
        assert_eq!((findings[0].rule.as_str(), findings[0].severity), (RULE, Severity::Critical));
    }
}
