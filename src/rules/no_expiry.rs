//! `no-expiry`: a token, key or secret that lives until somebody thinks of it.
//!
//! Expiry for disuse is not "never", and this rule is silent about it; but a thief who uses a token keeps it alive, which is why
//! `drift-pattern` counts long idle times as durable. Where the platform gives grants of a kind no end at all, the finding is about the app,
//! not about each of them. What a policy says and what was seen are two facts.

use std::collections::BTreeSet;

use grantwarden_kit::model::{
    App, Credential, CredentialKind, GrantKind, Observed, Origin, Scope, Timestamp,
};

use super::{
    Answer, Context, GrantView, Life, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls,
    fact, words,
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
    controls: &[controls::NHI_LONG_LIVED],
    needs: &[fact::GRANT_EXPIRES],
    parameters: &[AnyParameter::Span(&AT_MOST)],
};

impl Rule for NoExpiry {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Grants of kinds to which nobody can give an end: one finding for all of them.
    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        if app.origin == Origin::Platform || app.blocked.known() == Some(&true) {
            return;
        }
        let Some(holdings) = context.holdings(&app.id) else { return };
        let all = holdings.endless.iter().filter(|(kind, _)| context.endless.contains(kind));
        let (mut grants, mut without_scopes, mut gravest) = (0, 0, Severity::Medium);
        let mut scopes = BTreeSet::new();
        for (kind, endless) in all {
            grants += endless.grants;
            without_scopes += endless.without_scopes;
            let list: Vec<Scope> = endless.scopes.iter().cloned().collect();
            let set = context.catalog.assess_set(&list, kind_of(*kind));
            gravest = gravest.max(severity(Some(&set)));
            scopes.extend(endless.scopes.iter().map(|scope| scope.name.clone()));
        }
        if grants == 0 {
            return;
        }
        let scopes: Vec<String> = scopes.into_iter().collect();
        let never = if grants == 1 { "never expires" } else { "never expire" };
        verdicts.find(Problem {
            severity: gravest,
            confidence: Confidence::with_reservations(usize::from(without_scopes > 0)),
            message: format!(
                "{} of {} {never}, and the platform offers no way to change that: each lasts until somebody revokes it.",
                words::capital(&words::counted(grants, "grant")),
                app.name
            ),
            evidence: vec![
                Evidence::new(
                    "life",
                    "the platform gives grants of this kind no end",
                    fact::GRANT_EXPIRES,
                ),
                Evidence::new("scopes that occur", words::some(&scopes, 10), fact::GRANT_SCOPES),
            ],
        });
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
            Observed::Known(end) if *end <= context.now => return,
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
        let held = held_set(context, credential, verdicts);
        let name = app.map_or(&credential.app, |app| &app.name);
        // The registration says what may be granted at most: what nobody consented to is not granted.
        let (by_grants, at_most) = (severity(held.as_ref()), severity(set.as_ref()));
        let severity = by_grants.max(at_most);
        let is_granted = by_grants > Severity::Medium;
        let doubts = usize::from(!is_granted && (set.is_none() || at_most > Severity::Medium));
        let names = |set: Option<SetAssessment<'_>>, none: &str| {
            set.map_or_else(|| none.to_owned(), |set| set.names())
        };
        verdicts.find(Problem {
            severity,
            confidence: Confidence::with_reservations(doubts),
            message: format!(
                "{} of {name} {value}: whoever {verb} it can sign in as the app until somebody replaces it.",
                words::capital(words::credential(credential.kind)),
            ),
            evidence: vec![
                Evidence::new("life", value, fact::CREDENTIAL_EXPIRES),
                Evidence::new(
                    "scopes, at most",
                    names(set, "not visible"),
                    fact::APP_SCOPES,
                ),
                Evidence::new(
                    "scopes of its grants",
                    names(held, "no grant was seen"),
                    fact::GRANT_SCOPES,
                ),
            ],
        });
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if let Some(problem) = outlived(view) {
            return verdicts.find(problem);
        }
        if !view.is_live_outsider() || is_said_of_the_app(view) {
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
            evidence: vec![
                view.life_evidence(),
                seen_evidence(view),
                view.scope_evidence(),
                view.use_evidence(),
            ],
        });
    }
}

/// What the grants of a credential's app allow together; `None`: there is none.
fn held_set<'a>(
    context: &Context<'a>,
    credential: &Credential,
    verdicts: &mut Verdicts,
) -> Option<SetAssessment<'a>> {
    let held = context.digest.held.get(&credential.app)?;
    if let Some(gap) = &held.unseen {
        verdicts.unknown(fact::GRANT_SCOPES, gap);
    }
    let scopes: Vec<Scope> = held.scopes.keys().cloned().collect();
    Some(context.catalog.assess_set(&scopes, held.kind))
}

/// Whether [`NoExpiry::app`] says it of all the app's grants of this kind.
fn is_said_of_the_app(view: &GrantView<'_>) -> bool {
    let is_told = view.app.is_some() && view.context.holdings(&view.grant.app).is_some();
    is_told && view.life() == Ok(Life::Never) && view.context.endless.contains(&view.grant.kind)
}

/// A grant that was used after the policy had ended it. Crossbeam's tokens had a documented life of two hours and worked three days later.
fn outlived(view: &GrantView<'_>) -> Option<Problem> {
    let Ok(Life::Until(end)) = view.life() else { return None };
    let used = *view.grant.last_used_at.known()?;
    let is_ours = view.origin() == Origin::Platform || view.is_blocked();
    if is_ours || end > view.context.now || used <= end {
        return None;
    }
    Some(Problem {
        severity: severity(view.scopes()).max(Severity::High),
        confidence: view.confidence_in_scopes(),
        message: format!(
            "{} was to end on {} and was used on {}: what the policy says does not happen.",
            words::capital(&view.noun()),
            end.date(),
            used.date()
        ),
        evidence: vec![view.life_evidence(), view.use_evidence(), view.scope_evidence()],
    })
}

/// How long the grant has been seen to live, apart from what a policy says.
fn seen_evidence(view: &GrantView<'_>) -> Evidence {
    let value = match (view.grant.granted_at.known(), view.grant.last_used_at.known()) {
        (Some(granted), Some(used)) if used > granted => {
            let days = words::counted(granted.days_until(*used), "day");
            format!("still used {days} after it was given")
        }
        (Some(granted), _) => {
            let days = words::counted(granted.days_until(view.context.now), "day");
            format!("there for {days}")
        }
        (None, _) => "not visible: when it was given is not told".to_owned(),
    };
    Evidence::new("seen to live", value, fact::GRANT_GRANTED_AT)
}

/// Whether apps act for themselves with grants of a kind.
const fn kind_of(kind: GrantKind) -> Kind {
    match kind {
        GrantKind::AppOnly
        | GrantKind::Installation
        | GrantKind::Delegation
        | GrantKind::Webhook => Kind::AppOnly,
        GrantKind::Delegated
        | GrantKind::AdminConsented
        | GrantKind::PersonalToken
        | GrantKind::ApiToken
        | GrantKind::Key => Kind::Delegated,
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
    use crate::inventory::{AppHoldings, Endless};

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

    /// `lessons.md`: platforms that offer no expiry are one finding per app, not one per token.
    #[test]
    fn where_nothing_can_end_a_grant_the_finding_is_the_apps() {
        let mut well = Well::run();
        well.grant.expires = Observed::Known(Expiry::Never);
        well.endless = vec![GrantKind::Delegated];
        assert_eq!(well.one(RULE).severity, Severity::High, "nothing was added up");
        let endless = Endless {
            grants: 3,
            scopes: super::super::testing::scopes(&["api", "id"]).into_iter().collect(),
            without_scopes: 0,
        };
        let all = [(GrantKind::Delegated, endless.clone()), (GrantKind::ApiToken, endless)];
        well.hold(AppHoldings { endless: all.into(), ..AppHoldings::default() });
        well.silent(RULE);
        let finding = well.one_of_app(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "3 grants of Backup never expire, and the platform offers no way to change that: each lasts until somebody \
             revokes it."
        );
        well.app.origin = Origin::Platform;
        well.silent_of_app(RULE);
        well.app.origin = Origin::ThirdParty;
        well.endless = Vec::new();
        well.silent_of_app(RULE);
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    /// `crossbeam-2023`: documented two hours, found alive three days later.
    #[test]
    fn what_a_policy_says_and_what_was_seen_are_two_facts() {
        let mut well = Well::run();
        well.grant.expires = Observed::Known(Expiry::At(days(-3)));
        well.grant.last_used_at = Observed::Known(days(-4));
        well.silent(RULE);
        well.grant.last_used_at = Observed::Known(days(-1));
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert!(
            finding.message.contains("what the policy says does not happen"),
            "{}",
            finding.message
        );
        well.grant.expires = Observed::Known(Expiry::Never);
        let evidence = well.one(RULE).evidence;
        let seen = evidence.iter().find(|evidence| evidence.fact == "seen to live").unwrap();
        assert_eq!(seen.value, "still used 199 days after it was given");
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
    fn what_the_grants_allow_counts_where_the_registration_asks_for_less() {
        let mut well = Well::run();
        let mut secret = well.secret();
        secret.expires_at = Observed::Absent;
        well.app.scopes = Observed::Known(Vec::new());
        let finding = well.judge_credential(&secret).findings.remove(0);
        assert_eq!((finding.severity, finding.confidence), (Severity::High, Confidence::High));
        well.digest.held.clear();
        assert_eq!(well.judge_credential(&secret).findings[0].severity, Severity::Medium);
        let mut unseen = Well::run();
        unseen.digest.held.get_mut(&unseen.app.id).unwrap().unseen = Some(gap("scopes"));
        let unknowns = unseen.judge_credential(&secret).unknowns;
        assert!(
            unknowns
                .iter()
                .any(|unknown| unknown.rule == RULE && unknown.fact == fact::GRANT_SCOPES)
        );
    }

    #[test]
    fn a_secret_that_has_ended_is_passed() {
        let well = Well::run();
        let mut secret = well.secret();
        secret.created_at = Observed::Known(days(-2_000));
        secret.expires_at = Observed::Known(days(-1));
        let judgement = well.judge_credential(&secret);
        assert!(judgement.findings.iter().all(|finding| finding.rule != RULE));
        secret.expires_at = Observed::Known(days(1));
        let judgement = well.judge_credential(&secret);
        assert!(judgement.findings.iter().any(|finding| finding.rule == RULE));
    }

    #[test]
    fn secrets_without_an_end_are_found() {
        let mut well = Well::run();
        well.digest.held.clear();
        let mut secret = well.secret();
        assert!(well.judge_credential(&secret).findings.is_empty());
        secret.expires_at = Observed::Absent;
        let judgement = well.judge_credential(&secret);
        assert_eq!(judgement.findings[0].severity, Severity::High);
        assert_eq!(
            judgement.findings[0].confidence,
            Confidence::Medium,
            "what is asked for, at most"
        );
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
