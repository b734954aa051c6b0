//! `overbroad`: effective access that no single integration should have.
//!
//! Judged by reach: scopes times the rights of the holder, and by what the app is for. Where the user declared that, only what goes beyond
//! it counts. A purpose that is only guessed adds to what is found, and takes nothing away. Scopes which an ordinary holder bounds are left
//! alone where the platform has no narrower ones.

use std::collections::BTreeSet;

use grantwarden_kit::model::{App, Holder, Observed, Origin};

use super::{
    Answer, Context, GrantView, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact,
    purpose::{Purpose, purpose_of},
    words,
};
use crate::{
    finding::{Confidence, Evidence, Severity},
    scopes::{Access, Kind, Rights, SetAssessment},
};

pub(super) struct Overbroad;

static META: Meta = Meta {
    id: "overbroad",
    title: "App reaches more than one integration should",
    severity: Severity::High,
    summary: "The scopes of a grant, taken together with the rights of the account behind it, reach data of the whole organisation \
              or everything that its user can do, or more than an app of its kind needs.",
    why: "How much is lost with a token is decided the day it is granted. Drift's tokens had the rights of the administrators who \
          connected it (August 2025); one OAuth app with access to every mailbox was enough against Microsoft (November 2023).",
    incidents: &["salesloft-drift-2025", "midnight-blizzard-2024", "contextai-vercel-2026"],
    remedies: &[Remedy::NarrowScopes, Remedy::UseDedicatedIdentity, Remedy::RevokeGrant],
    references: &[
        Reference {
            title: "RFC 9700 section 2.3: access token privilege restriction",
            url: "https://www.rfc-editor.org/rfc/rfc9700#section-2.3",
        },
        Reference {
            title: "Microsoft: Midnight Blizzard, guidance for responders",
            url: "https://www.microsoft.com/en-us/security/blog/2024/01/25/midnight-blizzard-guidance-for-responders-on-nation-state-attack/",
        },
    ],
    controls: &[controls::NHI_OVERPRIVILEGED, controls::ADD_ROLES],
    needs: &[fact::GRANT_SCOPES, fact::HOLDER_PRIVILEGES],
    parameters: &[],
};

impl Rule for Overbroad {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Introspection (RFC 7662) of all tokens tells a thief which of the stolen ones are good, and for whom.
    fn app(&self, _: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        if app.origin == Origin::Platform || app.blocked.known() == Some(&true) {
            return;
        }
        match &app.introspects_all_tokens {
            Observed::Known(true) => verdicts.find(Problem {
                severity: Severity::High,
                confidence: Confidence::High,
                message: format!(
                    "{} may look into the tokens of every other app of the tenant, so whoever holds its credentials can \
                     check which stolen tokens are good and whom they belong to.",
                    app.name
                ),
                evidence: vec![Evidence::new(
                    "introspection",
                    "all tokens of the tenant",
                    fact::APP_INTROSPECTS,
                )],
            }),
            Observed::Unknown(gap) => verdicts.unknown(fact::APP_INTROSPECTS, gap),
            Observed::Known(false) | Observed::Absent => {}
        }
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live_outsider() {
            return;
        }
        let Some(set) = view.scopes() else {
            view.is_broad().report(verdicts);
            return;
        };
        let purpose = purpose_of(view.context, &view.grant.app, view.app_name());
        let excess = purpose.as_ref().map(|purpose| Excess::of(view, purpose));
        let is_unnamed = is_unnamed(view, set);
        if !set.broad && !is_unnamed && excess.as_ref().is_none_or(|excess| !excess.changes) {
            return;
        }
        if view.rights().is_err() && is_bounded(view) {
            view.is_privileged().report(verdicts);
        }
        let least = if is_unnamed { Severity::Medium } else { Severity::High };
        let by_reach = Some(severity(view, set)).filter(|severity| *severity >= least);
        let by_purpose = excess.as_ref().and_then(|excess| excess.severity(view));
        let is_declared = purpose.as_ref().is_some_and(Purpose::is_declared);
        let severity = if is_declared { by_purpose } else { by_reach.max(by_purpose) };
        let Some(severity) = severity else { return };
        // What a guess adds is as firm as the guess; what reach alone says does not need it.
        let doubts = match &purpose {
            Some(purpose) if is_declared || by_reach < by_purpose => purpose.doubts(),
            _ => usize::from(is_unnamed && severity < Severity::High),
        };
        verdicts.find(Problem {
            severity,
            confidence: Confidence::with_reservations(view.doubts_about_scopes() + doubts),
            message: match (&purpose, &excess) {
                (Some(purpose), Some(excess)) if is_declared || by_reach < by_purpose => {
                    excess.message(view, purpose)
                }
                _ => message(view, set),
            },
            evidence: evidence(view, purpose.as_ref(), excess.as_ref()),
        });
    }
}

/// What an app has and its purpose does not need.
struct Excess<'a> {
    scopes: SetAssessment<'a>,
    /// Whether some of it changes what matters, in the hands of a holder who lets it.
    changes: bool,
    /// Narrower scopes of the platform.
    narrower: Vec<&'a str>,
}

impl<'a> Excess<'a> {
    fn of(view: &GrantView<'a>, purpose: &Purpose) -> Self {
        let raw = purpose.excess(view);
        let catalog = view.context.catalog;
        let narrower: BTreeSet<&str> = raw
            .iter()
            .filter_map(|scope| catalog.entry(scope))
            .flat_map(|entry| entry.narrower.iter().map(String::as_str))
            // What goes beyond the purpose itself helps nobody.
            .filter(|name| !raw.iter().any(|scope| scope.name == *name))
            .collect();
        let scopes = catalog.assess_set(&raw, Kind::of(view.grant));
        let can_be_narrowed = !is_bounded(view) || scopes.is_umbrella();
        let changes = can_be_narrowed
            && scopes
                .scopes
                .iter()
                .any(|scope| scope.access > Access::Read && scope.harm_if_changed >= 2);
        Self { scopes, changes, narrower: narrower.into_iter().collect() }
    }

    /// As grave as its reach is by itself; writing where reading is enough, or nothing is needed, is `medium` by itself.
    fn severity(&self, view: &GrantView<'_>) -> Option<Severity> {
        let by_reach = Some(severity(view, &self.scopes));
        let by_reach = by_reach.filter(|severity| self.scopes.broad && *severity >= Severity::High);
        let is_odd = self.changes || is_unnamed(view, &self.scopes);
        by_reach.or(is_odd.then_some(Severity::Medium))
    }

    fn message(&self, view: &GrantView<'_>, purpose: &Purpose) -> String {
        format!(
            "{} can {}, which goes beyond what an app for {} needs: `{}`.",
            view.app_name(),
            self.scopes.power(&view.who()),
            purpose.class.title,
            self.scopes.names().replace(' ', "`, `")
        )
    }
}

fn evidence(
    view: &GrantView<'_>,
    purpose: Option<&Purpose>,
    excess: Option<&Excess<'_>>,
) -> Vec<Evidence> {
    let mut evidence = vec![view.scope_evidence(), view.holder_evidence()];
    evidence.push(purpose.map_or_else(
        || {
            Evidence::new(
                "purpose",
                "not declared: judged by what the app can reach, not by what it needs",
                fact::GRANT_SCOPES,
            )
        },
        Purpose::evidence,
    ));
    let Some(excess) = excess.filter(|excess| !excess.scopes.scopes.is_empty()) else {
        return evidence;
    };
    evidence.push(Evidence::new("beyond it", excess.scopes.names(), fact::GRANT_SCOPES));
    if !excess.narrower.is_empty() {
        let value = words::some(&excess.narrower, 6);
        evidence.push(Evidence::new("narrower scopes", value, fact::GRANT_SCOPES));
    }
    evidence
}

/// Whether the rights of one account bound what the scopes reach.
fn is_bounded(view: &GrantView<'_>) -> bool {
    view.context.catalog.bounded_by_user() && matches!(view.grant.holder, Holder::Principal(_))
}

/// Whether an app that acts for itself has scopes that the catalog does not: no user bounds what they reach, and nobody knows what that is.
fn is_unnamed(view: &GrantView<'_>, set: &SetAssessment<'_>) -> bool {
    set.derived && Kind::of(view.grant) == Kind::AppOnly && !is_bounded(view)
}

/// The severity of the scopes in the hands of the holder; `info` where there is nothing to say.
fn severity(view: &GrantView<'_>, set: &SetAssessment<'_>) -> Severity {
    if !is_bounded(view) {
        return match view.grant.holder {
            Holder::Tenant => set.severity_with(Rights::Administers),
            Holder::Principal(_) | Holder::App => set.severity,
        };
    }
    match view.rights() {
        Ok(rights @ (Rights::ReadsAll | Rights::Administers)) => set.severity_with(rights),
        // Bounded to an ordinary user's data, and narrower scopes exist only for those that take everything.
        _ if set.is_umbrella() => set.severity,
        _ => Severity::Info,
    }
}

fn message(view: &GrantView<'_>, set: &SetAssessment<'_>) -> String {
    let app = view.app_name();
    let power = view.power();
    if view.is_privileged() == Answer::Yes {
        return format!(
            "{app} can {power}; that reaches the whole organisation, and so does whoever steals its token."
        );
    }
    let scope = set.weightiest().map_or_else(String::new, |scope| scope.name.to_string());
    format!(
        "{app} can {power}: the scope `{scope}` is wider than an integration needs, and a stolen token has all of it."
    )
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use grantwarden_kit::model::{GrantKind, PrincipalKind};

    use super::super::testing::{Well, gap};
    use super::*;
    use crate::scopes::Catalog;

    const RULE: &str = "overbroad";

    static GOOGLE: LazyLock<Catalog> = LazyLock::new(|| {
        let text = include_str!("../../connectors/google-workspace/scopes.toml");
        Catalog::parse("google-workspace", text).unwrap()
    });

    #[test]
    fn an_app_that_acts_for_itself_with_a_scope_that_nobody_knows_is_medium() {
        static ENTRA: LazyLock<Catalog> = LazyLock::new(|| {
            let text = include_str!("../../connectors/microsoft-365/scopes.toml");
            Catalog::parse("microsoft-365", text).unwrap()
        });
        let mut well = Well::run();
        well.catalog = &ENTRA;
        well.platform = "microsoft-365";
        well.scopes(&["Frobnicate.Read"]);
        well.silent(RULE);
        well.grant.kind = GrantKind::AppOnly;
        well.grant.holder = Holder::App;
        let finding = well.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Medium, Confidence::Low));
    }

    #[test]
    fn an_administrator_makes_writing_critical_and_a_reader_of_all_data_makes_it_high() {
        let mut well = Well::run();
        well.principal().kind = Observed::Known(PrincipalKind::Person);
        well.privileges(&["Modify All Data"]);
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(
            finding.message,
            "Backup can read and change all CRM data that the administrator sync@acme.example can reach; that reaches the \
             whole organisation, and so does whoever steals its token."
        );
        well.privileges(&["View All Data"]);
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    #[test]
    fn the_scope_full_is_high_even_for_an_ordinary_user() {
        let mut well = Well::run();
        well.scopes(&["full"]);
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.message.contains("the scope `full` is wider"), "{}", finding.message);
    }

    #[test]
    fn an_ordinary_user_bounds_what_the_api_reaches() {
        Well::run().silent(RULE);
        let mut narrow = Well::run();
        narrow.privileges(&["Modify All Data"]);
        narrow.scopes(&["id", "openid"]);
        narrow.silent(RULE);
    }

    #[test]
    fn platform_blocked_and_expired_are_silent() {
        let mut well = Well::run();
        well.privileges(&["Modify All Data"]);
        well.app.blocked = Observed::Known(true);
        well.silent(RULE);
        well.app.blocked = Observed::Known(false);
        well.app.origin = Origin::Platform;
        well.silent(RULE);
    }

    #[test]
    fn invisible_scopes_or_rights_are_unknown() {
        let mut scopes = Well::run();
        scopes.grant.scopes = Observed::Unknown(gap("scopes"));
        scopes.app.scopes = Observed::Unknown(gap("scopes"));
        scopes.unknown(RULE, &[fact::GRANT_SCOPES]);
        let mut rights = Well::run();
        rights.principal().privileges = Observed::Unknown(gap("rights"));
        rights.unknown(RULE, &[fact::HOLDER_PRIVILEGES]);
        rights.scopes(&["full"]);
        assert_eq!(rights.one(RULE).severity, Severity::High);
    }

    #[test]
    fn the_registration_rules_breadth_out_for_its_grants() {
        let mut well = Well::run();
        well.privileges(&["Modify All Data"]);
        well.app.scopes = Observed::Known(vec![grantwarden_kit::model::Scope::named("openid")]);
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        well.silent(RULE);
    }

    fn declared(class: &str) -> Well {
        let mut well = Well::run();
        well.declare(class);
        well
    }

    #[test]
    fn what_the_declared_purpose_needs_is_passed() {
        let mut well = declared("backup");
        well.privileges(&["Modify All Data"]);
        well.silent(RULE);
        let mut sales = declared("crm-enrichment");
        sales.privileges(&["View All Data"]);
        sales.silent(RULE);
    }

    #[test]
    fn what_goes_beyond_the_declared_purpose_is_as_grave_as_its_reach() {
        let mut well = declared("chat");
        well.privileges(&["Modify All Data"]);
        let finding = well.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Critical, Confidence::High));
        assert_eq!(
            finding.message,
            "Backup can read and change all CRM data that the administrative service account sync@acme.example can reach, \
             which goes beyond what an app for chat and collaboration needs: `api`."
        );
        let beyond = finding.evidence.iter().find(|evidence| evidence.fact == "beyond it").unwrap();
        assert_eq!(beyond.value, "api");
        well.privileges(&["View All Data"]);
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    /// What the register says of a vendor holds for apps that are surely its own, not for whatever is called like it.
    #[test]
    fn the_registers_word_holds_for_apps_that_are_surely_the_vendors() {
        let entry = |key: &str| format!("[[vendor]]\nname = 'Backup'\npurpose = 'backup'\n{key}");
        let mut sure = Well::run().registered(&entry("client_ids = ['3MVG9']"));
        sure.privileges(&["Modify All Data"]);
        sure.silent(RULE);
        let mut called = Well::run().registered(&entry(""));
        called.privileges(&["Modify All Data"]);
        assert_eq!(called.one(RULE).severity, Severity::Critical);
    }

    /// An administrator's token changes more than one kind of data.
    #[test]
    fn a_purpose_of_one_kind_of_data_needs_no_administrator() {
        let mut well = declared("crm-enrichment");
        well.privileges(&["Modify All Data"]);
        assert_eq!(well.one(RULE).severity, Severity::Critical);
    }

    /// Writing where reading is enough, on a platform that has a scope for reading.
    #[test]
    fn writing_where_reading_is_enough_is_medium() {
        let mut well = declared("calendar");
        well.catalog = &GOOGLE;
        well.scopes(&["https://www.googleapis.com/auth/drive.file"]);
        well.silent(RULE);
        well.declare("meeting-notes");
        well.scopes(&["https://www.googleapis.com/auth/calendar"]);
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.evidence.iter().any(|evidence| evidence.fact == "narrower scopes"));
        well.declare("calendar");
        well.silent(RULE);
    }

    /// A vendor chooses its app's name, and so does a thief.
    #[test]
    fn a_guess_adds_and_takes_nothing_away() {
        let mut well = Well::run();
        well.app.name = "Acme Backup".to_owned();
        well.privileges(&["Modify All Data"]);
        let finding = well.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Critical, Confidence::High));
        let said = finding.evidence.iter().find(|evidence| evidence.fact == "purpose").unwrap();
        assert!(said.value.contains("only a guess from the word `backup`"), "{}", said.value);
        let mut notes = Well::run();
        notes.catalog = &GOOGLE;
        notes.app.name = "Acme Notetaker".to_owned();
        notes.scopes(&["https://www.googleapis.com/auth/calendar"]);
        let finding = notes.one(RULE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Medium, Confidence::Low));
    }

    #[test]
    fn an_app_that_introspects_all_tokens_is_found_once() {
        let mut well = Well::run();
        well.app.introspects_all_tokens = Observed::Known(true);
        assert_eq!(well.one_of_app(RULE).severity, Severity::High);
        well.app.introspects_all_tokens = Observed::Unknown(gap("introspection"));
        well.unknown_of_app(RULE, &[fact::APP_INTROSPECTS]);
    }
}
