//! The format, the built-in advisories, and the traps that real breaches taught (which name is whose).

use std::{collections::BTreeSet, path::Path, sync::Arc};

use grantwarden_kit::model::{
    App, Count, Credential, CredentialKind, Gap, Observed, Origin, Publisher, Reason,
    RefreshPolicy, Timestamp, TokenPolicy, Usage,
};

use super::*;
use crate::vendors::{Confidence, Member, Party, Tie, TieKind, Vendor};

fn silent<T>() -> Observed<T> {
    Observed::Unknown(Gap::new(Reason::PlatformSilent, "apps", "not told"))
}

/// An app of which only the name is known.
fn app(name: &str) -> App {
    App {
        id: format!("id of {name}"),
        name: name.to_owned(),
        kind: String::new(),
        client_ids: silent(),
        publisher: silent(),
        home_tenant: silent(),
        namespace: silent(),
        redirect_domains: silent(),
        web_domains: silent(),
        origin: Origin::ThirdParty,
        installed: silent(),
        blocked: silent(),
        approval: silent(),
        assigned_to: silent(),
        scopes: silent(),
        token_policy: TokenPolicy {
            access_lifetime: silent(),
            refresh: Observed::Known(RefreshPolicy::Never),
            rotation: silent(),
        },
        flows: silent(),
        introspects_all_tokens: silent(),
        created_at: silent(),
        changed_at: silent(),
        settings: Vec::new(),
    }
}

fn advisory(id: &str) -> Arc<Advisory> {
    Arc::clone(Advisories::built_in().unwrap().find(id).unwrap())
}

fn hit(id: &str, platform: &str, app: &App) -> Option<Hit> {
    let candidate = Candidate { platform, tenant: "acme", tenant_id: None, app };
    of_app(&advisory(id), &candidate)
}

/// How sure, whether concerned, by what kind of key.
fn outcome(id: &str, platform: &str, app: &App) -> Option<(Certainty, Status, KeyKind)> {
    hit(id, platform, app).map(|hit| (hit.certainty, hit.status, hit.kind.unwrap()))
}

#[test]
fn what_is_built_in_is_sound() {
    let known = Advisories::built_in().unwrap();
    let ids: BTreeSet<&str> = known.iter().map(|advisory| advisory.id.as_str()).collect();
    assert_eq!(ids.len(), built_in::FILES.len(), "ids are unique");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("advisories");
    for (name, _) in built_in::FILES {
        let id = name.strip_prefix("advisories/").unwrap().strip_suffix(".toml").unwrap();
        assert!(ids.contains(id), "{name} has another id than its name");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), ids.len(), "each file is compiled in");
    for advisory in known.iter() {
        assert!(!advisory.references.is_empty(), "{}", advisory.id);
        assert!(advisory.references.iter().all(|link| link.url.starts_with("https://")));
        assert_eq!(advisory.safe_date.is_some(), advisory.safe_date_basis.is_some());
    }
}

fn wrong(text: &str) -> String {
    Advisory::parse(Path::new("a.toml"), text).unwrap_err().to_string()
}

const GOOD: &str = r#"id = "acme-2026"
title = "Acme entered"
vendor = "Acme"
safe_date = "2026-02-03"

[[product]]
name = "Mail"
status = "affected"

[[match]]
kind = "exact-name"
value = "Acme"
product = "Mail"
source = "https://acme.example"

[[indicator]]
kind = "address"
value = "203.0.113.7"
confidence = "low"
expires = "2026-03-01"
source = "https://acme.example"

[[window]]
whose = "campaign"
from = "2026-01-01"
to = "2026-01-31"
source = "https://acme.example"
"#;

#[test]
fn mistakes_have_line_and_column() {
    let good = Advisory::parse(Path::new("a.toml"), GOOD).unwrap();
    assert_eq!(good.windows[0].to, Some("2026-01-31T23:59:59Z".parse().unwrap()));
    let bare = GOOD.replace("\"2026-02-03\"", "2026-02-03");
    assert_eq!(Advisory::parse(Path::new("a.toml"), &bare).unwrap(), good, "without quotes, too");
    for (from, to, expected) in [
        ("vendor =", "vendro =", "a.toml:3:1: unknown field `vendro`"),
        ("\"2026-02-03\"", "\"2026-02-30\"", "a.toml:4:13: `2026-02-30` is not a time"),
        ("\"2026-02-03\"", "12", "a.toml:4:13: a date: \"2026-01-31\""),
        ("\"acme-2026\"", "\"Acme 2026\"", "a.toml:1:6: an id is lower-case letters"),
        ("\"Acme entered\"", "\" \"", "a.toml:2:9: `title` is empty"),
        ("status = \"affected\"", "status = \"bad\"", "a.toml:8:10: unknown variant `bad`"),
        ("kind = \"exact-name\"", "kind = \"name\"", "a.toml:11:8: unknown variant `name`"),
        ("value = \"Acme\"", "value = \"!\"", "a.toml:12:9: `!` has no letter"),
        ("value = \"Acme\"", "value = \" Acme\"", "a.toml:12:9: the value is empty, or has spaces"),
        (
            "product = \"Mail\"",
            "product = \"Post\"",
            "a.toml:13:11: there is no [[product]] named `Post`",
        ),
        (
            "product = \"Mail\"",
            "platforms = [\"sailsforce\"]",
            "a.toml:13:13: there is no platform `sailsforce`; there is github",
        ),
        (
            "product = \"Mail\"",
            "confidence = \"exact\"",
            "a.toml:13:14: a match on a name is probable at most",
        ),
        ("\"203.0.113.7\"", "\"203.0.113\"", "a.toml:18:9: `203.0.113` is no IP address"),
        ("expires = \"2026-03-01\"\n", "", "a.toml:18:9: an address passes to others"),
        ("\"2026-01-31\"", "\"2025-01-31\"", "a.toml:26:6: the window ends before it begins"),
        ("whose = \"campaign\"", "whose = \"tenant\"", "a.toml:24:9: `whose = \"tenant\"` and"),
        (
            "kind = \"exact-name\"\nvalue = \"Acme\"",
            "kind = \"name-contains\"\nvalue = \"ac\"",
            "a.toml:12:9: a part of a name has at least 4",
        ),
        (
            "kind = \"exact-name\"\nvalue = \"Acme\"",
            "kind = \"redirect-domain\"\nvalue = \"google.com\"",
            "a.toml:12:9: many companies' apps live under",
        ),
        (
            "kind = \"exact-name\"\nvalue = \"Acme\"",
            "kind = \"redirect-domain\"\nvalue = \"localhost\"",
            "a.toml:12:9: `localhost` is no domain",
        ),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from}");
        let message = wrong(&text);
        assert!(message.starts_with(expected), "{message}");
    }
    for value in [
        "https://drift.example",
        "drift.example/callback",
        "*.drift.example",
        "drift.example.",
        ".drift.com",
        "drift..com",
        "drift.com:443",
        "dr\u{ed}ft.com",
    ] {
        let key = format!("kind = \"redirect-domain\"\nvalue = \"{value}\"");
        let text = GOOD.replace("kind = \"exact-name\"\nvalue = \"Acme\"", &key);
        let expected = format!("a.toml:12:9: `{value}` is no bare domain: write `drift.example`");
        assert!(wrong(&text).starts_with(&expected), "{}", wrong(&text));
    }
    let twice =
        format!("{GOOD}[[match]]\nkind = \"exact-name\"\nvalue = \"ACME\"\nsource = \"x\"\n");
    assert!(
        wrong(&twice).starts_with("a.toml:30:9: the name `ACME` stands twice"),
        "{}",
        wrong(&twice)
    );
    assert!(wrong("id = \"a\"").contains("missing field"));
    assert!(
        wrong("id = \"a\"\ntitle = \"a\"\nvendor = \"a\"\nmatch = []\n")
            .starts_with("a.toml:4:9: an advisory without")
    );
    assert!(wrong("id = ").starts_with("a.toml:1:6"));
}

/// Trap: names one letter or one word away, and a merger after the incident.
#[test]
fn neighbours_are_not_meant() {
    for (id, platform, name) in [
        ("klue-2026", "salesforce", "Clue"),
        ("contextai-vercel-2026", "google-workspace", "Context.io"),
        ("salesloft-drift-2025", "salesforce", "Salesforce"),
        ("salesloft-drift-2025", "salesforce", "Salesforce CLI"),
        ("salesloft-drift-2025", "salesforce", "Clari"),
        ("salesloft-drift-2025", "github", "schema-drift-bot"),
        ("gainsight-2025", "salesforce", "Gain Theory Analytics"),
        ("heroku-travis-github-2022", "github", "Heroku Deploy Status"),
        ("dropbox-sign-2024", "google-workspace", "Dropbox Paper"),
    ] {
        assert_eq!(outcome(id, platform, &app(name)), None, "{name}");
    }
}

#[test]
fn a_whole_name_is_probable_and_a_part_of_one_a_hint() {
    let (probable, review) = (Certainty::Probable, Certainty::Review);
    let drift = outcome("salesloft-drift-2025", "salesforce", &app("DRIFT, Inc."));
    assert_eq!(drift, Some((probable, Status::Affected, KeyKind::ExactName)));
    let drifter = hit("salesloft-drift-2025", "salesforce", &app("Drifter")).unwrap();
    assert_eq!((drifter.certainty, drifter.within_a_word), (review, true));
    let metallic = hit("commvault-metallic-2025", "microsoft-365", &app("Metallic Exchange 1"));
    let metallic = metallic.unwrap();
    assert_eq!((metallic.certainty, metallic.within_a_word), (review, false));
    let fans = hit("commvault-metallic-2025", "microsoft-365", &app("Metallica fans")).unwrap();
    assert_eq!((fans.certainty, fans.within_a_word), (review, true));
    let both = hit("commvault-metallic-2025", "microsoft-365", &app("Metallica, not Metallic"));
    assert!(!both.unwrap().within_a_word);
}

/// Trap: two apps of one name are told apart by their numbers, and found by each.
#[test]
fn one_name_two_ids() {
    for number in ["145909", "628778"] {
        let mut heroku = app("Anything");
        heroku.id = format!("oauth-app:{number}");
        let outcome = outcome("heroku-travis-github-2022", "github", &heroku);
        assert_eq!(outcome, Some((Certainty::Exact, Status::Affected, KeyKind::AppId)));
    }
    let mut other = app("Anything");
    // A GitHub App has numbers of its own.
    other.id = "app:145909".to_owned();
    assert_eq!(outcome("heroku-travis-github-2022", "github", &other), None);
}

/// A GUID is the same in capitals; other ids are not.
#[test]
fn guids_are_compared_without_case() {
    let of = |kind: &str, value: &str, app: &App| {
        let key = format!("kind = \"{kind}\"\nvalue = \"{value}\"");
        let text = GOOD.replace("kind = \"exact-name\"\nvalue = \"Acme\"", &key);
        let advisory = Arc::new(Advisory::parse(Path::new("a.toml"), &text).unwrap());
        let id = Some("cccccccc-0000-0000-0000-00000000fa4e");
        let candidate = Candidate { platform: "microsoft-365", tenant: "Acme", tenant_id: id, app };
        of_app(&advisory, &candidate).is_some()
    };
    let mut app = app("Anything");
    app.id = "aaaaaaaa-0000-0000-0000-00000000fa4e".to_owned();
    app.client_ids = Observed::Known(vec!["bbbbbbbb-0000-0000-0000-00000000fa4e".to_owned()]);
    app.home_tenant = Observed::Known("dddddddd-0000-0000-0000-00000000fa4e".to_owned());
    for (kind, letter) in
        [("app-id", "A"), ("client-id", "B"), ("tenant", "C"), ("home-tenant", "D")]
    {
        let guid = format!("{}-0000-0000-0000-00000000FA4E", letter.repeat(8));
        assert!(of(kind, &guid, &app), "{kind}");
        assert!(!of(kind, &guid.replace("FA4E", "FA4F"), &app), "{kind}");
    }
    app.client_ids = Observed::Known(vec!["0oaFAKE".to_owned()]);
    assert!(of("client-id", "0oaFAKE", &app));
    assert!(!of("client-id", "0OAFAKE", &app));
    assert!(!of("tenant", "acme", &app));
}

/// Trap: one vendor, many brands, some renamed; and another product of it.
#[test]
fn brands_and_products() {
    let (probable, affected) = (Certainty::Probable, Status::Affected);
    for name in ["Northpass", "Skilljar", "Gainsight NXT"] {
        let outcome = outcome("gainsight-2025", "salesforce", &app(name));
        assert_eq!(outcome, Some((probable, affected, KeyKind::ExactName)), "{name}");
    }
    let staircase = hit("gainsight-2025", "salesforce", &app("Staircase")).unwrap();
    assert_eq!(staircase.status, Status::Precaution);
    let salesloft = hit("salesloft-drift-2025", "salesforce", &app("Salesloft")).unwrap();
    assert_eq!(salesloft.status, Status::Precaution);
    let sign = hit("dropbox-sign-2024", "google-workspace", &app("HelloSign")).unwrap();
    assert_eq!((sign.certainty, sign.status), (probable, affected));
    let dropbox = hit("dropbox-sign-2024", "google-workspace", &app("Dropbox")).unwrap();
    assert_eq!(dropbox.status, Status::NotAffected);
    let mut staircase = app("Staircase");
    staircase.redirect_domains = Observed::Known(vec!["st.gainsightcloud.com".to_owned()]);
    let hit = hit("gainsight-2025", "salesforce", &staircase).unwrap();
    assert_eq!((hit.certainty, hit.status), (Certainty::Exact, affected), "the surest key counts");
}

/// Trap: only one client id is known; the number of its project leads to the others.
#[test]
fn a_google_project_finds_siblings() {
    let id = "110671459871-FAKE.apps.googleusercontent.com";
    let mut sibling = app("Something else");
    sibling.client_ids = Observed::Known(vec![id.to_owned()]);
    let found = outcome("contextai-vercel-2026", "google-workspace", &sibling);
    assert_eq!(found, Some((Certainty::Exact, Status::Affected, KeyKind::GoogleProject)));
    let mut one_key = Advisory::clone(&advisory("contextai-vercel-2026"));
    one_key.keys.truncate(1);
    let candidate =
        Candidate { platform: "google-workspace", tenant: "acme", tenant_id: None, app: &sibling };
    let hit = of_app(&Arc::new(one_key), &candidate).unwrap();
    assert_eq!(hit.certainty, Certainty::Probable, "{}", hit.by);
    sibling.client_ids = Observed::Known(vec![id.replace('9', "8")]);
    assert_eq!(outcome("contextai-vercel-2026", "google-workspace", &sibling), None);
}

#[test]
fn an_extension_is_found_by_where_it_signs_in() {
    let mut extension = app("Something else");
    let host = "omddlmnhcofjbnbflmjginpjjblphbgk.chromiumapp.org";
    extension.redirect_domains = Observed::Known(vec![host.to_owned()]);
    let found = outcome("contextai-vercel-2026", "google-workspace", &extension);
    assert_eq!(found, Some((Certainty::Exact, Status::Affected, KeyKind::ExtensionId)));
}

#[test]
fn tokens_go_to_the_redirect_domain_and_a_home_page_is_a_claim() {
    let mut connector = app("GS Connector");
    for (host, is_meant) in [
        ("gainsightcloud.com", true),
        ("eu.GainsightCloud.com.", true),
        ("notgainsightcloud.com", false),
        ("gainsightcloud.com.evil.example", false),
    ] {
        connector.redirect_domains = Observed::Known(vec![host.to_owned()]);
        let found = hit("gainsight-2025", "google-workspace", &connector);
        assert_eq!(found.map(|hit| hit.certainty), is_meant.then_some(Certainty::Exact), "{host}");
    }
    connector.redirect_domains = Observed::Absent;
    connector.web_domains = Observed::Known(vec!["www.gainsightcloud.com".to_owned()]);
    let found = hit("gainsight-2025", "google-workspace", &connector).unwrap();
    assert_eq!(found.certainty, Certainty::Review);
}

/// Trap: an app registered in the customer's own directory, with nobody else as publisher.
#[test]
fn a_single_tenant_app_is_found_by_its_name_only() {
    let mut backup = app("Metallic Exchange backup 1");
    backup.origin = Origin::Own;
    backup.publisher = Observed::Absent;
    let found = outcome("commvault-metallic-2025", "microsoft-365", &backup);
    assert_eq!(found, Some((Certainty::Review, Status::Affected, KeyKind::NameContains)));
}

/// The platform knows its own apps by their owner; what they are called like says nothing.
#[test]
fn a_name_says_nothing_about_the_platforms_own_apps() {
    let mut loader = app("Dataloader Bulk");
    assert!(hit("unc6040-2025", "salesforce", &loader).is_some());
    loader.origin = Origin::Platform;
    assert_eq!(hit("unc6040-2025", "salesforce", &loader), None);
}

/// Trap: a verified mark proves nothing, in either direction.
#[test]
fn a_verified_publisher_is_neither_proof_nor_alibi() {
    let mut klue = app("Klue");
    for verified in [true, false] {
        let name = "Somebody Else Inc.".to_owned();
        klue.publisher = Observed::Known(Publisher { name, verified: Observed::Known(verified) });
        let found = hit("klue-2026", "salesforce", &klue).unwrap();
        assert_eq!(found.certainty, Certainty::Probable);
    }
    let mut board = app("Battle board");
    board.publisher = Observed::Known(Publisher {
        name: "Klue, Inc.".to_owned(),
        verified: Observed::Known(true),
    });
    let found = outcome("klue-2026", "salesforce", &board);
    assert_eq!(found, Some((Certainty::Probable, Status::Affected, KeyKind::Publisher)));
}

#[test]
fn a_certificate_is_known_by_its_thumbprint() {
    let text = GOOD
        .replace("exact-name", "certificate-thumbprint")
        .replace("\"Acme\"\nproduct", "\"AB:CD\"\nproduct");
    let advisory = Arc::new(Advisory::parse(Path::new("a.toml"), &text).unwrap());
    let mut credential = Credential {
        id: "abcd".to_owned(),
        app: "a".to_owned(),
        kind: CredentialKind::Certificate,
        name: Observed::Absent,
        created_at: silent(),
        expires_at: silent(),
        last_used_at: silent(),
    };
    assert!(of_credential(&advisory, "microsoft-365", &credential).is_some());
    credential.id = "abce".to_owned();
    assert!(of_credential(&advisory, "microsoft-365", &credential).is_none());
}

fn member(app: &str, ties: &[Tie]) -> Member {
    Member {
        tenant: "acme".to_owned(),
        platform: "salesforce".to_owned(),
        app: format!("id of {app}"),
        name: app.to_owned(),
        client_ids: Vec::new(),
        grants: 1,
        ties: ties.to_vec(),
        keys: ties.to_vec(),
        traits: crate::vendors::Traits::default(),
    }
}

fn tie(confidence: Confidence, kind: TieKind, value: &str) -> Tie {
    Tie { confidence, kind, value: value.to_owned() }
}

/// What shares more than a claim with an app that matched is found with it, and never surer than what ties it.
#[test]
fn siblings_are_found_by_what_ties_them() {
    let brand = tie(Confidence::Claimed, TieKind::BrandName, "Dropbox");
    let home = tie(Confidence::Proven, TieKind::HomeTenant, "salesforce:00D1");
    let domain = tie(Confidence::Likely, TieKind::RedirectDomain, "klue.example");
    let vendor = Vendor {
        id: "klue".to_owned(),
        name: "Klue".to_owned(),
        party: Party::Third,
        platforms: vec!["salesforce".to_owned()],
        names: Vec::new(),
        grants: 4,
        apps: vec![
            member("Klue", &[brand.clone(), home.clone(), domain.clone()]),
            member("Board", std::slice::from_ref(&home)),
            member("Page", std::slice::from_ref(&domain)),
            member("Namesake", std::slice::from_ref(&brand)),
        ],
    };
    let apps = ["Klue", "Board", "Page", "Namesake"].map(app);
    let known = apps.iter().map(|app| KnownApp {
        candidate: Candidate { platform: "salesforce", tenant: "acme", tenant_id: None, app },
        grants: 1,
        usage: &[],
    });
    let matches = Matches::new(Advisories::built_in().unwrap(), known, &[vendor]);
    let of = |name: &str| {
        let matched = matches.of_app("acme", &format!("id of {name}"));
        matched.map(|matched| matched.hits[0].certainty)
    };
    assert_eq!(of("Klue"), Some(Certainty::Probable));
    assert_eq!(of("Board"), Some(Certainty::Probable));
    assert_eq!(of("Page"), Some(Certainty::Review));
    assert_eq!(of("Namesake"), None, "a shared name ties nobody");
}

/// Trap: indicators expire, and count in the window only.
#[test]
fn indicators_count_while_they_mean_something() {
    let drift = app("Drift");
    let seen = |from: &str, to: &str| {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let count = |value: &str| Count { value: value.to_owned(), count: 3 };
        let usage = [Usage {
            app: drift.id.clone(),
            log: "API calls".to_owned(),
            from: time(from),
            to: time(to),
            events: 3,
            addresses: vec![count("208.68.36.90"), count("185.220.101.33")],
            agents: vec![count("Salesforce-Multi-Org-Fetcher/1.0")],
            objects: Vec::new(),
            principals: Vec::new(),
            operations: Vec::new(),
            versions: Vec::new(),
        }];
        let known = KnownApp {
            candidate: Candidate {
                platform: "salesforce",
                tenant: "acme",
                tenant_id: None,
                app: &drift,
            },
            grants: 1,
            usage: &usage,
        };
        let matches = Matches::new(Advisories::built_in().unwrap(), [known], &[]);
        matches.of_app("acme", &drift.id).unwrap().sightings.len()
    };
    assert_eq!(seen("2025-08-10", "2025-08-12"), 3);
    assert_eq!(seen("2025-08-18", "2025-12-01"), 3);
    assert_eq!(seen("2025-09-01", "2025-09-02"), 0, "after the campaign");
    assert_eq!(seen("2025-07-01", "2025-07-02"), 0, "before it");
}

#[test]
fn a_file_of_the_users_stands_for_the_built_in_one_and_two_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let own = write("a.toml", &GOOD.replace("acme-2026", "klue-2026"));
    let known = Advisories::load([&own]).unwrap();
    assert_eq!(known.replaced(), ["klue-2026"]);
    assert_eq!(known.find("klue-2026").unwrap().vendor, "Acme");
    assert_eq!(known.file_of("klue-2026"), Some(own.as_path()));
    let again = write("b.toml", &GOOD.replace("acme-2026", "klue-2026"));
    let error = Advisories::load([&own, &again]).unwrap_err().to_string();
    assert!(error.contains("are both the advisory `klue-2026`"), "{error}");
    let missing = Advisories::load([folder.path().join("no.toml")]).unwrap_err().to_string();
    assert!(missing.contains("cannot read the advisory"), "{missing}");
}
