//! `secret-expired-but-present`: a secret or certificate whose end has passed and that still lies beside the app's others.

use grantwarden_kit::model::{App, Credential, Observed, Origin};

use super::{Context, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact, words};
use crate::{
    finding::{Confidence, Evidence, Severity},
    inventory::AppHoldings,
};

pub(super) struct SecretExpiredButPresent;

static META: Meta = Meta {
    id: "secret-expired-but-present",
    title: "Expired secret or certificate that nobody removed",
    severity: Severity::Low,
    summary: "A client secret or certificate of an app has expired and is still listed.",
    why: "It opens nothing any more, but what lies around hides what matters: in a long list of dead secrets nobody notices a new one. Silk \
          Typhoon (2025) and Storm-1283 (2023) added secrets of their own to apps that were approved long before.",
    incidents: &["silk-typhoon-2025", "storm-1283-2023"],
    remedies: &[Remedy::RemoveCredential],
    references: &[Reference {
        title: "Microsoft: security best practices for application properties, credentials",
        url: "https://learn.microsoft.com/en-us/entra/identity-platform/security-best-practices-for-app-registration",
    }],
    controls: &[controls::NHI_OFFBOARDING, controls::ADD_CREDENTIALS],
    needs: &[fact::CREDENTIAL_EXPIRES],
    parameters: &[],
};

impl Rule for SecretExpiredButPresent {
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
        if app.is_some_and(|app| app.origin == Origin::Platform) {
            return;
        }
        let end = match &credential.expires_at {
            Observed::Known(end) if *end <= context.now => *end,
            Observed::Known(_) | Observed::Absent => return,
            Observed::Unknown(gap) => return verdicts.unknown(fact::CREDENTIAL_EXPIRES, gap),
        };
        let name = app.map_or(&credential.app, |app| &app.name);
        let days = words::counted(end.days_until(context.now), "day");
        let mut evidence = vec![Evidence::new(
            "expired",
            format!("{} ({days} ago)", end.date()),
            fact::CREDENTIAL_EXPIRES,
        )];
        let others =
            context.holdings(&credential.app).map(|all| live_besides(all, credential, context));
        let hides = match others {
            Some(0) => "the app has no other credential that works, so that it is dead or about to get a new one".to_owned(),
            Some(live) => {
                format!("beside {} that work it hides which of them are in use", words::counted(live, "credential"))
            }
            None => "it hides which of the app's credentials are in use".to_owned(),
        };
        if let Some(live) = others {
            let value = words::counted(live, "other credential");
            evidence.push(Evidence::new("still works", value, fact::CREDENTIAL_EXPIRES));
        }
        if let Observed::Known(used) = &credential.last_used_at {
            evidence.push(Evidence::new(
                "last used",
                used.date().to_string(),
                fact::CREDENTIAL_LAST_USED_AT,
            ));
        }
        verdicts.find(Problem {
            severity: Severity::Low,
            confidence: Confidence::High,
            message: format!(
                "{} of {name} expired {days} ago and is still there: {hides}.",
                words::capital(words::credential(credential.kind)),
            ),
            evidence,
        });
    }
}

/// How many other credentials of the app still work, as far as their ends are visible.
fn live_besides(all: &AppHoldings, credential: &Credential, context: &Context<'_>) -> u64 {
    let others = all.ends.iter().filter(|end| end.id != credential.id);
    let live = others.filter(|end| match &end.expires_at {
        Observed::Known(end) => *end > context.now,
        Observed::Absent => true,
        Observed::Unknown(_) => false,
    });
    live.count() as u64
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Well, days, gap};
    use super::*;
    use crate::inventory::CredentialEnd;

    const RULE: &str = "secret-expired-but-present";

    #[test]
    fn an_expired_secret_is_worth_tidying_up() {
        let mut well = Well::run();
        let mut secret = well.secret();
        secret.expires_at = Observed::Known(days(-40));
        let finding = well.one_of_credential(RULE, &secret);
        assert_eq!(finding.severity, Severity::Low);
        assert_eq!(
            finding.message,
            "The client secret of Backup expired 40 days ago and is still there: it hides which of the app's credentials are \
             in use."
        );
        well.app.blocked = Observed::Known(true);
        assert_eq!(well.one_of_credential(RULE, &secret).severity, Severity::Low);
        well.app.origin = Origin::Platform;
        well.silent_of_credential(RULE, &secret);
    }

    #[test]
    fn what_still_works_beside_it_is_counted() {
        let mut well = Well::run();
        let mut secret = well.secret();
        secret.expires_at = Observed::Known(days(-1));
        let end = |id: &str, expires_at| CredentialEnd {
            id: id.to_owned(),
            created_at: Observed::Absent,
            expires_at,
        };
        let mut all = AppHoldings {
            ends: vec![end("secret-1", Observed::Known(days(-1)))],
            ..AppHoldings::default()
        };
        well.hold(all.clone());
        let alone = well.one_of_credential(RULE, &secret);
        assert!(alone.message.contains("no other credential that works"), "{}", alone.message);
        all.ends.extend([end("2", Observed::Absent), end("3", Observed::Known(days(1)))]);
        all.ends.push(end("4", Observed::Known(days(-2))));
        well.hold(all);
        let finding = well.one_of_credential(RULE, &secret);
        assert!(finding.message.contains("beside 2 credentials that work"), "{}", finding.message);
    }

    #[test]
    fn what_works_is_passed_and_an_invisible_end_is_unknown() {
        let well = Well::run();
        let mut secret = well.secret();
        well.silent_of_credential(RULE, &secret);
        secret.expires_at = Observed::Absent;
        well.silent_of_credential(RULE, &secret);
        secret.expires_at = Observed::Unknown(gap("secrets"));
        well.unknown_of_credential(RULE, &secret, &[fact::CREDENTIAL_EXPIRES]);
    }
}
