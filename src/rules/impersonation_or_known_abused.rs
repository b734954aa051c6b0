//! `impersonation-or-known-abused`: an app that calls itself like somebody's product and is not theirs, or that thieves are known to use.
//!
//! Small scopes do not silence it: look-alikes that only sign in lead to pages that steal passwords.

use grantwarden_kit::model::{App, Gap, Observed, Origin, Reason};

use super::{Context, Meta, Problem, Reference, Remedy, Rule, Verdicts, controls, fact, words};
use crate::{
    finding::{Confidence, Evidence, Severity},
    vendors::{Brand, By, Imitation, Likeness, Party, imitation_of, is_shared, known_abused},
};

pub(super) struct ImpersonationOrKnownAbused;

static META: Meta = Meta {
    id: "impersonation-or-known-abused",
    title: "App that imitates a product, or that thieves are known to use",
    severity: Severity::High,
    summary: "An app's name is, or looks like, that of a known product while its addresses or its home tenant are not that company's; or \
              the app is on a list of apps that thieves use.",
    why: "Look-alikes of Adobe and DocuSign led to stolen sessions in 2025 with scopes that reach nothing; callers of UNC6040 had users \
          connect a false Data Loader; and after a takeover the same few mail programs copy the mailbox.",
    incidents: &[
        "oauth-app-impersonation-2025",
        "unc6040-2025",
        "m365-traitorware",
        "google-docs-worm-2017",
    ],
    remedies: &[Remedy::RevokeGrant, Remedy::RestrictConsent],
    references: &[
        Reference {
            title: "Unicode Technical Standard 39: confusable detection",
            url: "https://www.unicode.org/reports/tr39/#Confusable_Detection",
        },
        Reference {
            title: "Huntress: rogue apps, a list of apps that are abused in Microsoft 365",
            url: "https://github.com/huntresslabs/rogueapps",
        },
    ],
    controls: &[controls::MASQUERADE, controls::STEAL_TOKEN, controls::INTEGRATE],
    needs: &[fact::APP_REDIRECT_DOMAINS, fact::APP_HOME_TENANT],
    parameters: &[],
};

impl Rule for ImpersonationOrKnownAbused {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn app(&self, context: &Context<'_>, app: &App, verdicts: &mut Verdicts) {
        let is_ours = context.vendor(&app.id).is_some_and(|vendor| vendor.party == Party::Own);
        if app.origin != Origin::ThirdParty || is_ours || app.blocked.known() == Some(&true) {
            return;
        }
        if let Some(problem) = abused(context, app) {
            return verdicts.find(problem);
        }
        let Some(imitation) = imitation_of(&app.name) else { return };
        match whose(context, app, &imitation) {
            Whose::Theirs => {}
            Whose::Others(facts) => verdicts.find(problem(app, &imitation, facts)),
            Whose::Unknown(gaps) => {
                // Letters that only look alike say enough by themselves: nobody writes their own name so.
                if imitation.likeness == Likeness::Letters {
                    verdicts.find(problem(app, &imitation, Vec::new()));
                }
                for (fact, gap) in gaps {
                    verdicts.unknown(fact, &gap);
                }
            }
        }
    }
}

fn abused(context: &Context<'_>, app: &App) -> Option<Problem> {
    let ids = app.client_ids.known().map(Vec::as_slice).unwrap_or_default();
    let (known, by) = known_abused(context.platform, ids, &app.name)?;
    let (confidence, value, fact) = match by {
        By::Id(source) => {
            (Confidence::High, format!("{}, by {source}", ids.join(", ")), fact::APP_CLIENT_IDS)
        }
        By::Name(source) => (
            Confidence::Medium,
            format!("`{}`, by {source}; anybody can choose a name", known.name),
            fact::APP_NAME,
        ),
    };
    let (whose, ask) = if known.is_thieves_own {
        ("apps that thieves made", "find out who let it in, and treat their account as taken over")
    } else {
        (
            "products that thieves use on accounts that they took over",
            "ask its users whether they installed it themselves",
        )
    };
    Some(Problem {
        severity: match by {
            By::Name(_) if !known.is_thieves_own => Severity::Medium,
            _ => Severity::High,
        },
        confidence,
        message: format!(
            "{} is on a list of {whose} (since {}) and {}: {ask}.",
            app.name, known.since, known.what
        ),
        evidence: vec![Evidence::new("on the list", value, fact)],
    })
}

/// Whose the app is, as far as facts tell that nobody else could have set.
enum Whose {
    /// The brand's.
    Theirs,
    /// Somebody else's: what says so.
    Others(Vec<Evidence>),
    /// No fact tells: which are not visible.
    Unknown(Vec<(&'static str, Gap)>),
}

fn whose(context: &Context<'_>, app: &App, imitation: &Imitation) -> Whose {
    let brand = imitation.brand;
    let (mut against, mut gaps) = (Vec::new(), Vec::new());
    match &app.home_tenant {
        Observed::Known(home) => match brand.owns_entra_tenant(home) {
            Some(true) => return Whose::Theirs,
            Some(false) => against.push(Evidence::new(
                "home tenant",
                format!("{home}, which is none of {}'s", brand.name),
                fact::APP_HOME_TENANT,
            )),
            None => {}
        },
        Observed::Absent => {}
        Observed::Unknown(gap) => gaps.push((fact::APP_HOME_TENANT, gap.clone())),
    }
    let mut goes_to_them_alone = false;
    match &app.redirect_domains {
        Observed::Known(hosts) => {
            let reached: Vec<&String> = hosts.iter().filter(|host| leads_somewhere(host)).collect();
            let (shared, told): (Vec<&String>, Vec<&String>) =
                reached.into_iter().partition(|host| is_shared(host));
            let foreign: Vec<&String> =
                told.iter().copied().filter(|host| !brand.owns_host(host)).collect();
            goes_to_them_alone = shared.is_empty() && foreign.is_empty() && !told.is_empty();
            if brand.redirects_nowhere_else() && !foreign.is_empty() {
                against.push(Evidence::new(
                    "redirects to",
                    format!("{}, which is not {}'s", words::some(&foreign, 3), brand.name),
                    fact::APP_REDIRECT_DOMAINS,
                ));
            }
            gaps.extend(unclear(brand, &shared));
        }
        Observed::Absent => {}
        Observed::Unknown(gap) => gaps.push((fact::APP_REDIRECT_DOMAINS, gap.clone())),
    }
    // On its own platform a company's apps are recognised by their owner, and this one was not.
    if brand.is_of_platform(context.platform) && app.home_tenant.known().is_some() {
        against.push(Evidence::new(
            "owner",
            format!("not {}, although the platform is theirs", brand.name),
            fact::APP_HOME_TENANT,
        ));
    }
    match (against.is_empty(), goes_to_them_alone) {
        (false, _) => Whose::Others(against),
        // Codes and tokens go only there. That proves nothing against what the platform knows: an app that needs no answer lists any address.
        (true, true) => Whose::Theirs,
        (true, false) => Whose::Unknown(gaps),
    }
}

/// That addresses of other companies' customers, too, leave open whose an app is; the brand's own sign-in hosts do not.
fn unclear(brand: &Brand, shared: &[&String]) -> Option<(&'static str, Gap)> {
    let others: Vec<&String> =
        shared.iter().copied().filter(|host| !brand.owns_host(host)).collect();
    (!others.is_empty()).then(|| {
        let detail =
            format!("it redirects to {}, where many companies' apps live", words::some(&others, 3));
        (fact::APP_REDIRECT_DOMAINS, Gap::new(Reason::PlatformSilent, "apps", detail))
    })
}

/// Whether a host can be somebody's: not this machine, not a name that nobody can register (RFC 2606).
fn leads_somewhere(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| !matches!(last, "example" | "invalid" | "localhost" | "test"))
}

fn problem(app: &App, imitation: &Imitation, against: Vec<Evidence>) -> Problem {
    let brand = &imitation.brand.name;
    let (likeness, how) = match imitation.likeness {
        Likeness::Same => ("the name of a product", "calls itself like a product of"),
        Likeness::WithWords => {
            ("a brand with words that say nothing", "calls itself like a product of")
        }
        Likeness::Letters => {
            ("look-alike letters", "is written in letters that look like a product of")
        }
        Likeness::Slip => ("one letter away", "is one letter away from a product of"),
    };
    let severity = match imitation.likeness {
        Likeness::Same | Likeness::Letters => Severity::High,
        Likeness::WithWords | Likeness::Slip => Severity::Medium,
    };
    let doubts = usize::from(against.len() < 2)
        + usize::from(matches!(imitation.likeness, Likeness::WithWords | Likeness::Slip));
    let mut evidence = vec![Evidence::new(
        "name",
        format!("`{}`, like `{}` of {brand}: {likeness}", app.name, imitation.name),
        fact::APP_NAME,
    )];
    let is_seen = !against.is_empty();
    evidence.extend(against);
    let but = if is_seen { "is somebody else's" } else { "nothing shows that it is theirs" };
    Problem {
        severity,
        confidence: Confidence::with_reservations(doubts),
        message: format!(
            "{} {how} {brand}, but {but}: users who trust the name let a stranger in.",
            app.name
        ),
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Well, gap};
    use super::*;

    const RULE: &str = "impersonation-or-known-abused";

    fn called(name: &str, domains: &[&str]) -> Well {
        let mut well = Well::run();
        well.app.name = name.to_owned();
        well.app.redirect_domains =
            Observed::Known(domains.iter().map(|domain| (*domain).to_owned()).collect());
        well
    }

    /// `oauth-app-impersonation-2025`: the look-alike is found whatever its scopes; the real Adobe stays quiet.
    #[test]
    fn a_name_that_its_addresses_do_not_bear_out_is_an_imitation() {
        let mut well = called("Adobe Acrobat", &["adobe-docs.example.net"]);
        well.app.scopes = Observed::Known(super::super::testing::scopes(&["openid"]));
        let finding = well.one_of_app(RULE);
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.message,
            "Adobe Acrobat calls itself like a product of Adobe, but is somebody else's: users who trust the name let a \
             stranger in."
        );
        called("Adobe Acrobat", &["acrobat.adobe.com", "localhost"]).silent_of_app(RULE);
        let mut mixed = called("Adobe Acrobat", &["acrobat.adobe.com", "evil.example.net"]);
        assert_eq!(mixed.one_of_app(RULE).severity, Severity::High);
        mixed.app.publisher = Observed::Known(grantwarden_kit::model::Publisher {
            name: "Adobe Inc.".to_owned(),
            verified: Observed::Known(true),
        });
        assert_eq!(mixed.one_of_app(RULE).severity, Severity::High, "a mark proves nothing");
    }

    #[test]
    fn likeness_sets_the_severity() {
        for (name, severity) in [
            ("Docusign", Severity::High),
            ("D\u{43e}cusign", Severity::High),
            ("Docusign Login", Severity::Medium),
            ("Docusgin", Severity::Medium),
        ] {
            assert_eq!(
                called(name, &["evil.example.net"]).one_of_app(RULE).severity,
                severity,
                "{name}"
            );
        }
    }

    #[test]
    fn a_home_tenant_of_the_brand_is_proof_and_another_one_is_not() {
        let mut well = called("Microsoft Teams", &[]);
        well.app.home_tenant = Observed::Known("72f988bf-86f1-41af-91ab-2d7cd011db47".to_owned());
        well.silent_of_app(RULE);
        well.app.home_tenant = Observed::Known("00000000-0000-0000-0000-00000000fa4e".to_owned());
        assert_eq!(well.one_of_app(RULE).severity, Severity::High);
    }

    /// An address of the brand's proves nothing against a home tenant that is known to be somebody else's.
    #[test]
    fn an_impostor_that_redirects_to_the_brand_is_still_one() {
        for host in ["portal.azure.com", "evil.sharepoint.com"] {
            let mut well = called("OneDrive", &[host]);
            well.app.home_tenant =
                Observed::Known("00000000-0000-0000-0000-00000000fa4e".to_owned());
            assert_eq!(well.one_of_app(RULE).severity, Severity::High, "{host}");
            well.app.home_tenant = Observed::Unknown(gap("tenant"));
            let unknown: &[&str] =
                if host == "portal.azure.com" { &[] } else { &[fact::APP_HOME_TENANT] };
            well.unknown_of_app(RULE, unknown);
        }
        let mut desktop = called("GitHub Desktop", &["desktop.github.com"]);
        desktop.platform = "github";
        desktop.app.home_tenant = Observed::Known("somebody".to_owned());
        assert_eq!(desktop.one_of_app(RULE).severity, Severity::High);
    }

    /// One address that may be anybody's is enough for a thief.
    #[test]
    fn all_addresses_must_be_the_brands() {
        let mixed = called("Adobe Acrobat", &["acrobat.adobe.com", "evil.zendesk.com"]);
        mixed.unknown_of_app(RULE, &[fact::APP_REDIRECT_DOMAINS]);
        for host in ["evil.sharepoint.com", "evil.my.force.com"] {
            called("Adobe Acrobat", &["acrobat.adobe.com", host])
                .unknown_of_app(RULE, &[fact::APP_REDIRECT_DOMAINS]);
        }
    }

    /// `unc6040-2025`: a false Data Loader is found by where it sends its users; one that sends them to Salesforce is not.
    #[test]
    fn a_false_product_of_the_platform_is_found_on_the_platform() {
        let loader = called("Data Loader", &["evil.example.net"]);
        assert_eq!(loader.one_of_app(RULE).severity, Severity::High);
        called("Data Loader", &["login.salesforce.com"]).silent_of_app(RULE);
        called("Dataloader Bulk", &["evil.example.net"]).silent_of_app(RULE);
        let ticket = called("My Ticket Portal", &[]).one_of_app(RULE);
        assert_eq!((ticket.severity, ticket.confidence), (Severity::High, Confidence::Medium));
        assert_eq!(
            ticket.message,
            "My Ticket Portal is on a list of apps that thieves made (since 2024) and is a look-alike of Data Loader, which \
             callers talked users into connecting: find out who let it in, and treat their account as taken over."
        );
        let mut desktop = called("GitHub Desktop", &[]);
        desktop.platform = "github";
        desktop.app.home_tenant = Observed::Known("somebody".to_owned());
        assert_eq!(desktop.one_of_app(RULE).severity, Severity::High);
        desktop.app.origin = Origin::Platform;
        desktop.silent_of_app(RULE);
    }

    /// Of a brand of which only some domains are known, no other one says that an app is not its own.
    #[test]
    fn only_a_brand_whose_domains_are_all_known_is_told_by_them() {
        called("Gainsight CS", &["login.example.net"]).silent_of_app(RULE);
        called("Docusign", &["apps.docusign.example"]).silent_of_app(RULE);
    }

    /// `m365-traitorware`.
    #[test]
    fn apps_on_the_list_are_found_by_id_and_by_name() {
        let mut well = called("PERFECTDATA SOFTWARE", &[]);
        well.platform = "microsoft-365";
        let by_name = well.one_of_app(RULE);
        assert_eq!((by_name.severity, by_name.confidence), (Severity::Medium, Confidence::Medium));
        well.app.client_ids =
            Observed::Known(vec!["ff8d92dc-3d82-41d6-bcbd-b9174d163620".to_owned()]);
        let by_id = well.one_of_app(RULE);
        assert_eq!((by_id.severity, by_id.confidence), (Severity::High, Confidence::High));
        well.app.blocked = Observed::Known(true);
        well.silent_of_app(RULE);
    }

    #[test]
    fn other_names_and_apps_of_ones_own_are_passed() {
        for name in ["Clue", "Metallica", "Context.io", "schema-drift-bot", "Heroku Deploy Status"]
        {
            called(name, &["other.example.net"]).silent_of_app(RULE);
        }
        let mut own = called("Adobe Acrobat", &["evil.example.net"]);
        own.app.origin = Origin::Own;
        own.silent_of_app(RULE);
    }

    #[test]
    fn a_name_alone_is_unknown_unless_its_letters_tell() {
        let mut well = called("Docusign", &[]);
        well.app.redirect_domains = Observed::Unknown(gap("domains"));
        well.unknown_of_app(RULE, &[fact::APP_REDIRECT_DOMAINS]);
        well.app.home_tenant = Observed::Unknown(gap("tenant"));
        well.unknown_of_app(RULE, &[fact::APP_HOME_TENANT, fact::APP_REDIRECT_DOMAINS]);
        well.app.name = "D\u{43e}cusign".to_owned();
        let finding = well.one_of_app(RULE);
        assert!(finding.message.contains("nothing shows that it is theirs"), "{}", finding.message);
        assert_eq!(finding.confidence, Confidence::Medium);
    }
}
