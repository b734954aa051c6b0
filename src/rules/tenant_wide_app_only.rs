//! `tenant-wide-app-only`: an app that reaches everybody's mail, files, chats, code or accounts, without a user.

use grantwarden_kit::model::{Gap, GrantKind, Holder, Observed, Reason};

use super::{
    Answer, GrantView, Life, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact,
    purpose::purpose_of, words,
};
use crate::{
    finding::{Evidence, Severity},
    inventory::CredentialEnd,
    scopes::{Access, Assessment, DataClass, Escalation, Reach},
};

pub(super) struct TenantWideAppOnly;

static META: Meta = Meta {
    id: "tenant-wide-app-only",
    title: "App that reaches everybody's data without a user",
    severity: Severity::High,
    summary: "An app holds application permissions or a domain-wide delegation over all mailboxes, files, chats, code or accounts, and no \
              limit of the platform narrows that.",
    why: "Nobody is asked and nobody notices: one app with full access to every mailbox was enough against Microsoft (November 2023), and \
          backup apps of Commvault's customers were the way in of 2025. Silk Typhoon read mail and files through such apps.",
    incidents: &["midnight-blizzard-2024", "commvault-metallic-2025", "silk-typhoon-2025"],
    remedies: &[
        Remedy::NarrowScopes,
        Remedy::RestrictNetwork,
        Remedy::UseDedicatedIdentity,
        Remedy::RevokeGrant,
    ],
    references: &[
        Reference {
            title: "Microsoft: role-based access control for applications in Exchange Online",
            url: "https://learn.microsoft.com/en-us/exchange/permissions-exo/application-rbac",
        },
        Reference {
            title: "Google: control API access with domain-wide delegation",
            url: "https://support.google.com/a/answer/162106",
        },
    ],
    controls: &[controls::NHI_OVERPRIVILEGED, controls::ADD_ROLES, controls::CIS_GOOGLE_DELEGATION],
    needs: &[fact::GRANT_SCOPES],
    parameters: &[],
};

/// Kinds of data that are everybody's in an organisation.
const EVERYBODYS: [DataClass; 10] = [
    DataClass::Mail,
    DataClass::Files,
    DataClass::Directory,
    DataClass::Chat,
    DataClass::Calendar,
    DataClass::Meetings,
    DataClass::Code,
    DataClass::Identity,
    DataClass::Secrets,
    DataClass::Everything,
];

/// Settings of a grant or an app that narrow what an app reaches by itself: their name, the values that do (none: any), and for which kinds
/// of data.
const LIMITS: [(&str, &[&str], &[DataClass]); 3] = [
    // The words of connectors/github.
    (
        "Repository access",
        &["selected repositories", "no repository"],
        &[DataClass::Code, DataClass::Everything],
    ),
    ("Application access policy", &[], &[DataClass::Mail, DataClass::Calendar]),
    ("Exchange role-based access for applications", &[], &[DataClass::Mail, DataClass::Calendar]),
];

/// A life of more than two years counts as none.
const HARDLY_EVER: std::time::Duration = std::time::Duration::from_secs(2 * 365 * 86_400);

impl Rule for TenantWideAppOnly {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn grant(&self, view: &GrantView<'_>, verdicts: &mut Verdicts) {
        if !view.is_live_outsider() || !is_app_only(view) {
            return;
        }
        let Some(set) = view.scopes() else {
            return view.is_broad().report(verdicts);
        };
        let limits: Vec<&Limit> = LIMITS.iter().filter(|limit| is_set(view, limit)).collect();
        // What it is about nobody knows, so that it may be everybody's.
        if set.scopes.iter().any(|scope| scope.derived && scope.data == DataClass::Unknown) {
            verdicts.unknown(fact::GRANT_SCOPES, &not_in_the_catalog());
        }
        let wide: Vec<&Assessment<'_>> = set
            .scopes
            .iter()
            .filter(|scope| reaches_everybody(scope))
            .filter(|scope| !limits.iter().any(|(_, _, classes)| classes.contains(&scope.data)))
            .collect();
        if wide.is_empty() {
            return;
        }
        for (name, ..) in &LIMITS {
            if let Some(Observed::Unknown(gap)) = setting(view, name) {
                verdicts.unknown(fact::GRANT_SETTINGS, gap);
            }
        }
        let stale = view.is_stale();
        stale.report(verdicts);
        let life = life(view);
        if let Err(gap) = &life {
            verdicts.unknown(fact::CREDENTIAL_EXPIRES, gap);
        }
        let is_endless = matches!(life, Ok(true));
        let purpose = purpose_of(view.context, &view.grant.app, view.app_name());
        let is_meant = purpose
            .as_ref()
            .is_some_and(|purpose| purpose.is_declared() && purpose.excess(view).is_empty());
        let is_bound = view.is_unbound() == Answer::No;
        let severity = match (stale == Answer::Yes || is_endless, is_meant && is_bound) {
            (true, _) => Severity::Critical,
            (false, true) => Severity::Low,
            (false, false) => Severity::High,
        };
        let mut evidence =
            vec![view.scope_evidence(), limit_evidence(&limits), view.use_evidence()];
        evidence.push(life_evidence(&life));
        evidence.push(view.network_evidence());
        evidence.extend(purpose.map(|purpose| purpose.evidence()));
        verdicts.find(Problem {
            severity,
            confidence: view.confidence_in_scopes(),
            message: message(view, &wide, stale == Answer::Yes, is_endless),
            evidence,
        });
    }
}

type Limit = (&'static str, &'static [&'static str], &'static [DataClass]);

/// Whether no user bounds what the grant reaches.
fn is_app_only(view: &GrantView<'_>) -> bool {
    let is_of_app = matches!(view.grant.holder, Holder::App | Holder::Tenant);
    let acts_alone = match view.grant.kind {
        GrantKind::AppOnly | GrantKind::Delegation => true,
        // Elsewhere an installed app reaches what it was let into: a bot of Slack's, the channels that it joined.
        GrantKind::Installation => LIMITS.iter().any(|(name, ..)| setting(view, name).is_some()),
        _ => false,
    };
    is_of_app && acts_alone && !view.context.catalog.bounded_by_user()
}

/// What a setting of the grant, else of its app, is set to.
fn setting<'a>(view: &GrantView<'a>, name: &str) -> Option<&'a Observed<String>> {
    let of_app = view.app.map(|app| app.settings.as_slice()).unwrap_or_default();
    let mut settings = view.grant.settings.iter().chain(of_app);
    settings.find(|setting| setting.name == name).map(|setting| &setting.value)
}

fn reaches_everybody(scope: &Assessment<'_>) -> bool {
    let escalates = scope.escalation == Escalation::Direct;
    // Settings that are only read are nobody's mail or files.
    let is_only_read = scope.data == DataClass::Identity && scope.access <= Access::Read;
    (scope.is_broad() && !is_only_read || escalates)
        && scope.reach >= Reach::Organisation
        && EVERYBODYS.contains(&scope.data)
}

fn not_in_the_catalog() -> Gap {
    let detail = "some scopes are not in the catalog, and their names do not tell what they reach";
    Gap::new(Reason::PlatformSilent, "grants", detail)
}

fn is_set(view: &GrantView<'_>, (name, values, _): &Limit) -> bool {
    let value = setting(view, name).and_then(Observed::known);
    value.is_some_and(|value| values.is_empty() || values.contains(&value.as_str()))
}

fn limit_evidence(limits: &[&Limit]) -> Evidence {
    let value = if limits.is_empty() {
        "none that this scanner sees".to_owned()
    } else {
        let names: Vec<&str> = limits.iter().map(|(name, ..)| *name).collect();
        format!("{}, which leaves other kinds of data open", names.join(", "))
    };
    Evidence::new("limits", value, fact::GRANT_SETTINGS)
}

/// Whether nothing ends the access by itself: where a grant has no end by nature, the app's credentials tell.
fn life(view: &GrantView<'_>) -> Result<bool, Gap> {
    if !view.context.endless.contains(&view.grant.kind) {
        return match view.life() {
            Ok(Life::Never) => Ok(true),
            Ok(Life::Until(end)) => Ok(view.context.now.until(end) > HARDLY_EVER),
            Ok(Life::Idle(_)) => Ok(false),
            Err(gap) => Err(gap.clone()),
        };
    }
    let ends = view.context.holdings(&view.grant.app).map(|all| all.ends.as_slice());
    let ends = ends.unwrap_or_default();
    if ends.iter().any(|end| is_endless(end, view)) {
        return Ok(true);
    }
    if let Some(gap) = ends.iter().find_map(|end| end.expires_at.gap()) {
        return Err(gap.clone());
    }
    if ends.is_empty() {
        let detail = "the grant has no end of its own, and the app's credentials are its vendor's";
        return Err(Gap::new(Reason::PlatformSilent, "credentials", detail));
    }
    Ok(false)
}

fn is_endless(end: &CredentialEnd, view: &GrantView<'_>) -> bool {
    match &end.expires_at {
        Observed::Known(ends) => {
            let begins = end.created_at.known().copied().unwrap_or(view.context.now);
            begins.until(*ends) > HARDLY_EVER
        }
        Observed::Absent => true,
        Observed::Unknown(_) => false,
    }
}

fn life_evidence(life: &Result<bool, Gap>) -> Evidence {
    let value = match life {
        Ok(true) => "a credential of it hardly ever ends".to_owned(),
        Ok(false) => "its credentials end by themselves".to_owned(),
        Err(gap) => format!("not visible: {}", gap.detail),
    };
    Evidence::new("life", value, fact::CREDENTIAL_EXPIRES)
}

fn message(
    view: &GrantView<'_>,
    wide: &[&Assessment<'_>],
    is_stale: bool,
    is_endless: bool,
) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for scope in wide {
        let phrase = scope.data.phrase();
        if !kinds.contains(&phrase) {
            kinds.push(phrase);
        }
    }
    let verb = if wide.iter().any(|scope| scope.access > Access::Read) {
        "read and change"
    } else {
        "read"
    };
    let how = match view.grant.kind {
        GrantKind::Delegation => "as any user of the organisation",
        _ => "without any user",
    };
    let worse = match (is_stale, is_endless) {
        (true, true) => "; nobody has used it for a long time, and its credentials hardly ever end",
        (true, false) => "; nobody has used it for a long time",
        (false, true) => "; its credentials hardly ever end",
        (false, false) => "",
    };
    format!(
        "{} can {verb} {} of everybody, {how}: whoever gets its credentials can, too{worse}.",
        view.app_name(),
        words::some(&kinds, 3)
    )
}

#[cfg(test)]
mod tests {
    use std::{sync::LazyLock, time::Duration};

    use grantwarden_kit::model::{Expiry, Origin, Scope, Setting, Timestamp};

    use super::super::testing::{Well, days, gap};
    use super::*;
    use crate::{inventory::AppHoldings, scopes::Catalog};

    const RULE: &str = "tenant-wide-app-only";
    const GRAPH: &str = "Microsoft Graph";

    static ENTRA: LazyLock<Catalog> = LazyLock::new(|| {
        let text = include_str!("../../connectors/microsoft-365/scopes.toml");
        Catalog::parse("microsoft-365", text).unwrap()
    });

    /// An app with these application permissions, whose secret ends within a year.
    fn app_only(names: &[&str]) -> Well {
        let mut well = Well::run();
        well.catalog = &ENTRA;
        well.platform = "microsoft-365";
        well.endless = vec![GrantKind::AppOnly];
        well.grant.kind = GrantKind::AppOnly;
        well.grant.holder = Holder::App;
        well.grant.expires = Observed::Known(Expiry::Never);
        let scope =
            |name: &&str| Scope { name: (*name).to_owned(), resource: Some(GRAPH.to_owned()) };
        well.grant.scopes = Observed::Known(names.iter().map(scope).collect());
        well.grant.network.binding = Observed::Absent;
        well.hold(secret_until(Observed::Known(days(300))));
        well
    }

    fn secret_until(expires_at: Observed<Timestamp>) -> AppHoldings {
        let created_at = Observed::Known(days(-10));
        let end = CredentialEnd { id: "secret".to_owned(), created_at, expires_at };
        AppHoldings { ends: vec![end], ..AppHoldings::default() }
    }

    #[test]
    fn all_mailboxes_are_high() {
        let finding = app_only(&["Mail.Read"]).one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "Backup can read mail of everybody, without any user: whoever gets its credentials can, too."
        );
        assert_eq!(app_only(&["Files.ReadWrite.All"]).one(RULE).severity, Severity::High);
    }

    #[test]
    fn stale_or_without_an_end_is_critical() {
        let mut stale = app_only(&["Mail.Read"]);
        stale.grant.last_used_at = Observed::Known(days(-200));
        assert_eq!(stale.one(RULE).severity, Severity::Critical);
        for end in [Observed::Absent, Observed::Known(days(3_000))] {
            let mut endless = app_only(&["Mail.Read"]);
            endless.hold(secret_until(end));
            assert_eq!(endless.one(RULE).severity, Severity::Critical);
        }
        let mut by_grant = app_only(&["Mail.Read"]);
        by_grant.endless.clear();
        assert_eq!(by_grant.one(RULE).severity, Severity::Critical);
        by_grant.grant.expires = Observed::Known(Expiry::Idle(Duration::from_secs(86_400)));
        assert_eq!(by_grant.one(RULE).severity, Severity::High);
    }

    #[test]
    fn credentials_that_are_not_visible_are_said() {
        let mut well = app_only(&["Mail.Read"]);
        well.hold(AppHoldings::default());
        assert_eq!(well.one(RULE).severity, Severity::High);
        let judgement = well.judge();
        let unknown = judgement.unknowns.iter().find(|unknown| unknown.rule == RULE).unwrap();
        assert_eq!(unknown.fact, fact::CREDENTIAL_EXPIRES);
    }

    #[test]
    fn a_limit_of_the_platform_counts_for_what_it_limits() {
        let mut well = app_only(&["Mail.Read"]);
        let policy = |value| Setting { name: "Application access policy".to_owned(), value };
        well.app.settings = vec![policy(Observed::Known("RestrictAccess".to_owned()))];
        well.silent(RULE);
        well.app.settings = vec![policy(Observed::Unknown(gap("policies")))];
        assert_eq!(well.one(RULE).severity, Severity::High);
        let mut files = app_only(&["Mail.Read", "Files.Read.All"]);
        files.app.settings = vec![policy(Observed::Known("RestrictAccess".to_owned()))];
        let finding = files.one(RULE);
        assert!(finding.message.contains("can read files of everybody"), "{}", finding.message);
    }

    /// A backup product may reach everything; then it must work from its own addresses only.
    #[test]
    fn a_declared_purpose_counts_only_together_with_a_bound_network() {
        let mut well = app_only(&["Mail.Read"]);
        well.declare("backup");
        let finding = well.one(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.evidence.iter().any(|evidence| evidence.fact == "purpose"));
        well.grant.network = Well::run().grant.network;
        assert_eq!(well.one(RULE).severity, Severity::Low);
        well.declare("chat");
        assert_eq!(well.one(RULE).severity, Severity::High);
    }

    #[test]
    fn an_installation_counts_where_it_can_be_narrowed_and_was_not() {
        let mut well = app_only(&["Files.Read.All"]);
        well.grant.kind = GrantKind::Installation;
        well.endless = vec![GrantKind::Installation];
        well.silent(RULE);
        let access = |value| vec![Setting { name: "Repository access".to_owned(), value }];
        well.grant.settings = access(Observed::Known("all repositories".to_owned()));
        assert_eq!(well.one(RULE).severity, Severity::High);
        well.grant.settings = access(Observed::Unknown(gap("repositories")));
        assert_eq!(well.one(RULE).severity, Severity::High);
        let unknowns = well.judge().unknowns;
        assert!(unknowns.iter().any(|unknown| unknown.rule == RULE), "{unknowns:?}");
    }

    /// As connectors/github writes it.
    #[test]
    fn selected_repositories_limit_code_and_nothing_else() {
        static GITHUB: LazyLock<Catalog> = LazyLock::new(|| {
            let text = include_str!("../../connectors/github/scopes.toml");
            Catalog::parse("github", text).unwrap()
        });
        let mut well = app_only(&[]);
        well.catalog = &GITHUB;
        well.platform = "github";
        well.grant.kind = GrantKind::Installation;
        well.endless = vec![GrantKind::Installation];
        well.scopes(&["contents:write"]);
        let access = |value: &str| {
            let value = Observed::Known(value.to_owned());
            vec![Setting { name: "Repository access".to_owned(), value }]
        };
        well.grant.settings = access("all repositories");
        assert_eq!(well.one(RULE).severity, Severity::High);
        for limit in ["selected repositories", "no repository"] {
            well.grant.settings = access(limit);
            well.silent(RULE);
        }
    }

    #[test]
    fn scopes_of_which_nobody_knows_what_they_reach_are_unknown() {
        app_only(&["Frobnicate.All"]).unknown(RULE, &[fact::GRANT_SCOPES]);
    }

    #[test]
    fn users_narrow_scopes_and_the_platforms_apps_are_passed() {
        app_only(&["User.Read"]).silent(RULE);
        app_only(&["Sites.Selected"]).silent(RULE);
        let mut delegated = app_only(&["Mail.Read"]);
        delegated.grant.kind = GrantKind::Delegated;
        delegated.silent(RULE);
        let mut platform = app_only(&["Mail.Read"]);
        platform.app.origin = Origin::Platform;
        platform.silent(RULE);
    }

    #[test]
    fn invisible_scopes_are_unknown() {
        let mut well = app_only(&["Mail.Read"]);
        well.grant.scopes = Observed::Unknown(gap("scopes"));
        well.app.scopes = Observed::Unknown(gap("scopes"));
        well.unknown(RULE, &[fact::GRANT_SCOPES]);
    }
}
