//! `no-expiry`: a token, key or secret that lives until somebody thinks of it.
//!
//! Expiry for disuse is not "never", and this rule is silent about it; but a thief who uses a token keeps it alive, which is why
//! `drift-pattern` counts long idle times as durable.

use grantwarden_kit::model::{App, Credential, CredentialKind, Observed, Origin, Timestamp};

use super::{
    Answer, Context, GrantView, Life, Meta, Problem, Reference, Remedy, Rule, Verdicts, fact, words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    policy::{AnyParameter, Parameter, Span},
    scopes::{Kind, SetAssessment},
};

pub(super) struct NoExpiry;

/// Nobody plans for more than two years.
static AT_MOST: Parameter<Span> = Parameter {
    rule: "no-expiry",
    key: "at_most",
    default: Span::days(2 * 365),
    meaning: "a life that is longer than this counts as one without an end",
};

static META: Meta = Meta {
    id: "no-expiry",
    title: "Token, key or secret without an end",
    severity: Severity::Medium,
    summary: "A refresh token, key or secret never expires, or lives for more than two years.",
    why: "What never ends is stolen once and used for years: Drift's refresh tokens worked until Salesforce revoked them \
          (20 August 2025), and a token said to be four years old was the way into Klue (June 2026).",
    incidents: &["salesloft-drift-2025", "klue-2026", "sisense-2024", "crossbeam-2023"],
    remedies: &[Remedy::SetExpiry, Remedy::RevokeGrant],
    references: &[
        Reference {
            title: "RFC 9700 section 4.14: refresh token protection",
            url: "https://www.rfc-editor.org/rfc/rfc9700#section-4.14",
        },
        Reference {
            title: "Salesforce: limit the idle refresh token TTL",
            url: "https://help.salesforce.com/s/articleView?id=xcloud.connected_app_limit_idle_ttl.htm",
        },
    ],
    needs: &[fact::GRANT_EXPIRES],
    parameters: &[AnyParameter::Span(&AT_MOST)],
};

impl Rule for NoExpiry {
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
        let is_outsider_and_live = app
            .is_none_or(|app| app.origin != Origin::Platform && app.blocked.known() != Some(&true));
        if !is_outsider_and_live {
            return;
        }
        let verb = match credential.kind {
            CredentialKind::ClientSecret => "steals",
            CredentialKind::Certificate => "steals the private key of",
            // There is nothing to steal for good: the other issuer's tokens are short-lived.
            CredentialKind::FederatedCredential => return,
        };
        let value = match &credential.expires_at {
            Observed::Absent => "never expires".to_owned(),
            Observed::Known(end) if is_far(context, credential.created_at.known(), *end) => {
                format!("does not expire before {}", end.date())
            }
            Observed::Known(_) => return,
            Observed::Unknown(gap) => return verdicts.unknown(fact::CREDENTIAL_EXPIRES, gap),
        };
        let set = app
            .and_then(|app| app.scopes.known())
            .map(|scopes| context.catalog.assess_set(scopes, Kind::AppOnly));
        if let Some(gap) = app.and_then(|app| app.scopes.gap()) {
            verdicts.unknown(fact::APP_SCOPES, gap);
        }
        let name = app.map_or(&credential.app, |app| &app.name);
        verdicts.find(Problem {
            severity: severity(set.as_ref()),
            confidence: Confidence::with_reservations(usize::from(set.is_none())),
            message: format!(
                "{} of {name} {value}: whoever {verb} it can sign in as the app until somebody replaces it.",
                words::capital(words::credential(credential.kind)),
            ),
            evidence: vec![Evidence::new("life", value, fact::CREDENTIAL_EXPIRES)],
        });
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live_outsider() {
            return;
        }
        let when = match view.life() {
            Ok(Life::Never) => "never expires".to_owned(),
            Ok(Life::Until(end)) if is_far(view.context, view.grant.granted_at.known(), end) => {
                format!("does not expire before {}", end.date())
            }
            Ok(Life::Until(_) | Life::Idle(_)) => return,
            Err(gap) => return verdicts.unknown(fact::GRANT_EXPIRES, gap),
        };
        if let unknown @ Answer::Unknown(..) = view.is_broad() {
            unknown.report(verdicts);
        }
        verdicts.find(Problem {
            severity: severity(view.scopes()),
            confidence: view.confidence_in_scopes(),
            message: format!(
                "{} {when}: stolen once, it lets the thief {} until somebody revokes it.",
                words::capital(&view.noun()),
                view.power()
            ),
            evidence: vec![view.life_evidence(), view.scope_evidence(), view.use_evidence()],
        });
    }
}

/// High where sensitive data can be changed or read in bulk.
fn severity(set: Option<&SetAssessment<'_>>) -> Severity {
    match set {
        Some(set) if set.broad || set.changes_much() => Severity::High,
        _ => Severity::Medium,
    }
}

/// Whether an end lies too long after the beginning, or after now where the beginning is not known.
fn is_far(context: &Context<'_>, beginning: Option<&Timestamp>, end: Timestamp) -> bool {
    beginning.copied().unwrap_or(context.now).until(end) > context.policy.get(&AT_MOST).duration()
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::Expiry;

    use super::super::testing::{Well, days, gap};
    use super::*;

    const RULE: &str = "no-expiry";

    #[test]
    fn high_with_bulk_access_else_medium() {
        let mut well = Well::run();
        well.grant.expires = Observed::Known(Expiry::Never);
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "The refresh token of Backup for the service account sync@acme.example never expires: stolen once, it lets the \
             thief read and change all CRM data that the service account sync@acme.example can reach until somebody revokes it."
        );
        well.scopes(&["id", "refresh_token"]);
        assert_eq!(well.one(RULE).severity, Severity::Medium);
    }

    #[test]
    fn more_than_two_years_count_as_never() {
        let mut well = Well::run();
        well.grant.granted_at = Observed::Known(days(-700));
        well.grant.expires = Observed::Known(Expiry::At(days(31)));
        assert!(well.one(RULE).message.contains("does not expire before"));
        well.grant.granted_at = Observed::Known(days(-600));
        well.silent(RULE);
    }

    #[test]
    fn expiry_for_disuse_is_not_never() {
        Well::run().silent(RULE);
        let mut platform = Well::run();
        platform.grant.expires = Observed::Known(Expiry::Never);
        platform.app.origin = Origin::Platform;
        platform.silent(RULE);
    }

    #[test]
    fn an_invisible_end_is_unknown() {
        let mut well = Well::run();
        well.grant.expires = Observed::Unknown(gap("policy"));
        well.unknown(RULE, &[fact::GRANT_EXPIRES]);
    }

    #[test]
    fn secrets_without_an_end_are_found() {
        let mut well = Well::run();
        let mut secret = well.secret();
        assert!(well.judge_credential(&secret).findings.is_empty());
        secret.expires_at = Observed::Absent;
        let judgement = well.judge_credential(&secret);
        assert_eq!(judgement.findings[0].severity, Severity::High);
        assert_eq!(
            judgement.findings[0].message,
            "The client secret of Backup never expires: whoever steals it can sign in as the app until somebody replaces it."
        );
        secret.expires_at = Observed::Unknown(gap("secrets"));
        let judgement = well.judge_credential(&secret);
        assert!(judgement.findings.is_empty());
        assert_eq!(judgement.unknowns[0].fact, fact::CREDENTIAL_EXPIRES);
        well.app.origin = Origin::Platform;
        assert!(well.judge_credential(&secret).unknowns.is_empty());
    }
}
