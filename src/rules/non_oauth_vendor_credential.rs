//! `non-oauth-vendor-credential`: a key, token or webhook that a vendor may hold and that revoking the vendor's app leaves alive.

use grantwarden_kit::model::{App, Credential, Grant, GrantKind, Observed, Origin};

use super::{
    Answer, Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact,
    words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    vendors::{self, Party, named_for},
};

pub(super) struct NonOauthVendorCredential;

static META: Meta = Meta {
    id: "non-oauth-vendor-credential",
    title: "Key, token or webhook outside OAuth that a vendor may hold",
    severity: Severity::Medium,
    summary: "An API token, key or webhook belongs to a vendor, is named for one, or belongs to nobody who is known; so does a secret of an \
              app of one's own that is named for a vendor.",
    why: "Revoking a vendor's apps leaves them alive. When Gainsight was breached (November 2025) customers had to change keys of S3, \
          BigQuery and Snowflake besides; Commvault's customers (2025) had registered the apps themselves and given the vendor the secrets.",
    incidents: &["gainsight-2025", "commvault-metallic-2025", "anodot-2026", "mimecast-2021"],
    remedies: &[Remedy::RemoveCredential, Remedy::UseDedicatedIdentity, Remedy::SetExpiry],
    references: &[Reference {
        title: "CISA: advisory update on cyber threat activity targeting Commvault's SaaS cloud application",
        url: "https://www.cisa.gov/news-events/alerts/2025/05/22/advisory-update-cyber-threat-activity-targeting-commvaults-saas-cloud-application-metallic",
    }],
    controls: &[
        controls::NHI_THIRD_PARTY,
        controls::NHI_LEAKAGE,
        controls::NHI_AUTHENTICATION,
        controls::GOOGLE_LESS_SECURE,
    ],
    needs: &[fact::GRANT_KIND],
    parameters: &[],
};

impl Rule for NonOauthVendorCredential {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        let is_live = view.is_live() && view.origin() == Origin::ThirdParty;
        if !is_live || !is_outside_oauth(view.grant.kind) {
            return;
        }
        let tie = tie_of_grant(view);
        // A person's own token or key is that person's, unless its name says whom it was made for.
        let is_key_of_somebody = view.grant.kind == GrantKind::Key && view.principal().is_some();
        let is_personal = view.grant.kind == GrantKind::PersonalToken || is_key_of_somebody;
        if tie.is_none() && is_personal {
            return;
        }
        let is_broad = view.is_broad();
        is_broad.report(verdicts);
        let noun = words::capital(&view.noun());
        let (severity, confidence, message, said) = match &tie {
            Some(tie) => (
                if is_broad == Answer::Yes { Severity::High } else { Severity::Medium },
                tie.confidence(),
                format!(
                    "{noun} is {}: who revokes all apps of that vendor has not revoked this.",
                    tie.says
                ),
                tie.evidence(),
            ),
            None => (
                if is_broad == Answer::Yes { Severity::Medium } else { Severity::Low },
                view.confidence_in_scopes(),
                format!(
                    "{noun} is tied to no vendor: when one is breached, nobody can tell whether it held this."
                ),
                Evidence::new("vendor", "none that anything ties it to", fact::GRANT_KIND),
            ),
        };
        verdicts.find(Problem {
            severity,
            confidence,
            message,
            evidence: vec![said, view.scope_evidence(), view.life_evidence(), view.use_evidence()],
        });
    }

    /// A registration of one's own whose secret a vendor was given: the publisher is the tenant, and only the name tells.
    fn credential(
        &self,
        context: &Context<'_>,
        app: Option<&App>,
        credential: &Credential,
        verdicts: &mut Verdicts,
    ) {
        let Some(app) = app.filter(|app| app.origin == Origin::Own) else { return };
        let has_ended = matches!(credential.expires_at, Observed::Known(end) if end <= context.now);
        if app.blocked.known() == Some(&true) || has_ended {
            return;
        }
        let named = [Some(&app.name), credential.name.known()].into_iter().flatten();
        let Some((name, brand)) = named.filter_map(|name| Some((name, named_for(name)?))).next()
        else {
            return;
        };
        verdicts.find(Problem {
            severity: Severity::Medium,
            confidence: Confidence::Low,
            message: format!(
                "{} of {}, an app of this tenant's own, is named for {}: if that vendor holds it, who revokes the vendor's apps \
                 has not revoked this.",
                words::capital(words::credential(credential.kind)),
                app.name,
                brand.name
            ),
            evidence: vec![Evidence::new(
                "vendor",
                format!("{}, only by the name `{name}`", brand.name),
                fact::APP_NAME,
            )],
        });
    }
}

const fn is_outside_oauth(kind: GrantKind) -> bool {
    match kind {
        GrantKind::PersonalToken | GrantKind::ApiToken | GrantKind::Key | GrantKind::Webhook => {
            true
        }
        GrantKind::Delegated
        | GrantKind::AdminConsented
        | GrantKind::AppOnly
        | GrantKind::Installation
        | GrantKind::Delegation => false,
    }
}

/// What ties a grant to a vendor.
struct Tie {
    says: String,
    by: String,
    firmness: vendors::Confidence,
}

impl Tie {
    const fn confidence(&self) -> Confidence {
        match self.firmness {
            vendors::Confidence::Proven => Confidence::High,
            vendors::Confidence::Likely => Confidence::Medium,
            vendors::Confidence::Claimed => Confidence::Low,
        }
    }

    fn evidence(&self) -> Evidence {
        Evidence::new("vendor", format!("{} ({})", self.by, self.firmness), fact::APP_NAME)
    }
}

fn tie_of_grant(view: &GrantView<'_>) -> Option<Tie> {
    let Grant { app, app_name, .. } = view.grant;
    if let Some(vendor) = view.context.vendor(app).filter(|vendor| vendor.party == Party::Third) {
        let members = vendor.apps.iter();
        let member = members
            .clone()
            .find(|other| other.tenant == view.context.tenant_name && other.app == *app);
        let strongest = member.and_then(|member| member.ties.first());
        return Some(Tie {
            says: format!("{}'s", vendor.name),
            by: strongest.map_or_else(
                || format!("{}, by where it leads", vendor.name),
                |tie| format!("{}, by {} {}", vendor.name, tie.kind, tie.value),
            ),
            firmness: strongest.map_or(vendors::Confidence::Likely, |tie| tie.confidence),
        });
    }
    let brand = named_for(app_name)?;
    Some(Tie {
        says: format!("named for {}", brand.name),
        by: format!("{}, only by the name `{app_name}`", brand.name),
        firmness: vendors::Confidence::Claimed,
    })
}

#[cfg(test)]
mod tests {
    use grantwarden_kit::model::Holder;

    use super::super::testing::{Well, days, gap};
    use super::*;

    const RULE: &str = "non-oauth-vendor-credential";

    fn token(kind: GrantKind, name: &str) -> Well {
        let mut well = Well::run();
        well.grant.kind = kind;
        well.grant.app_name = name.to_owned();
        well.app.name = "Deploy keys".to_owned();
        well.app.client_ids = Observed::Absent;
        well.app.publisher = Observed::Absent;
        well.grant.holder = Holder::App;
        well.scopes(&["id"]);
        well
    }

    #[test]
    fn a_vendors_is_medium_and_high_if_it_is_broad() {
        let mut well = token(GrantKind::Webhook, "hooks.vault.example");
        well.belongs_to("Mailbox Vault");
        let finding = well.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Medium, Confidence::High));
        assert!(finding.message.contains("is Mailbox Vault's"), "{}", finding.message);
        well.scopes(&["api"]);
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    #[test]
    fn a_name_is_only_a_claim() {
        let finding = token(GrantKind::Key, "CircleCI deploy key").one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Medium, Confidence::Low));
        assert_eq!(
            finding.message,
            "The key `CircleCI deploy key` is named for CircleCI: who revokes all apps of that vendor has not revoked this."
        );
    }

    #[test]
    fn nobodys_is_low_and_medium_if_it_is_broad() {
        let mut well = token(GrantKind::ApiToken, "schema-drift-bot");
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::Low);
        assert!(finding.message.contains("is tied to no vendor"), "{}", finding.message);
        well.scopes(&["api"]);
        assert_eq!(well.one(RULE).severity, Severity::Medium);
    }

    #[test]
    fn peoples_own_tokens_and_oauth_grants_are_passed() {
        token(GrantKind::PersonalToken, "laptop").silent(RULE);
        assert_eq!(
            token(GrantKind::PersonalToken, "CircleCI").one(RULE).severity,
            Severity::Medium
        );
        let mut of_somebody = token(GrantKind::Key, "workstation");
        of_somebody.grant.holder = Well::run().grant.holder;
        of_somebody.silent(RULE);
        token(GrantKind::Delegated, "CircleCI").silent(RULE);
        let mut blocked = token(GrantKind::Key, "CircleCI");
        blocked.app.blocked = Observed::Known(true);
        blocked.silent(RULE);
        let mut platform = token(GrantKind::Key, "CircleCI");
        platform.app.origin = Origin::Platform;
        platform.silent(RULE);
    }

    /// `commvault-metallic-2025`: the customer registered the app, and the vendor holds its secret.
    #[test]
    fn a_secret_of_ones_own_app_that_is_named_for_a_vendor_is_found() {
        let mut well = Well::run();
        well.app.origin = Origin::Own;
        well.app.name = "Metallic service".to_owned();
        let mut secret = well.secret();
        let finding = well.one_of_credential(RULE, &secret);
        assert_eq!((finding.severity, finding.confidence), (Severity::Medium, Confidence::Low));
        secret.expires_at = Observed::Known(days(-1));
        well.silent_of_credential(RULE, &secret);
        secret.expires_at = Observed::Unknown(gap("end"));
        assert_eq!(well.one_of_credential(RULE, &secret).severity, Severity::Medium);
        well.app.name = "Payroll".to_owned();
        well.silent_of_credential(RULE, &secret);
        secret.name = Observed::Known("Gainsight".to_owned());
        assert_eq!(well.one_of_credential(RULE, &secret).severity, Severity::Medium);
    }

    #[test]
    fn invisible_scopes_are_said() {
        let mut well = token(GrantKind::Key, "CircleCI");
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        well.app.scopes = Observed::Unknown(gap("scopes"));
        assert_eq!(well.one(RULE).severity, Severity::Medium);
        assert!(well.judge().unknowns.iter().any(|unknown| unknown.rule == RULE));
    }
}
