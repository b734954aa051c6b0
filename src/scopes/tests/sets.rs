//! Sets of scopes, which are judged as sets.

use super::*;

#[test]
fn judges_sets_as_sets() {
    let catalog = salesforce();
    let assess = |names: &[&str]| {
        catalog.assess_set(&named(names), Kind::Delegated).sentence(Kind::Delegated)
    };
    for (names, expected) in [
        (
            &["api", "refresh_token"][..],
            "can read and change all CRM data that its user can reach, and keeps that access without the user",
        ),
        (&["full"], "can do everything that its user can do"),
        (&["cdp_query_api"], "can read all customer profiles that its user can reach"),
        (&["cdp_ingest_api"], "can change all customer profiles that its user can reach"),
        (
            &["wave_api", "pardot_api", "content"],
            "can read and change all reports and data sets, marketing data and files that its user can reach",
        ),
        (&["openid", "email"], "can learn who its user is"),
        (&["refresh_token"], "can do nothing but sign in, and keeps that access without the user"),
        (&[], "can do nothing but sign in"),
    ] {
        assert_eq!(assess(names), expected, "{names:?}");
    }
}

#[test]
fn knows_what_is_broad_offline_and_implied() {
    let catalog = salesforce();
    let set = catalog.assess_set(&named(&["api", "refresh_token"]), Kind::Delegated);
    assert!(set.broad && set.offline && !set.derived);
    assert_eq!(set.implied, ["chatter_api"]);
    assert_eq!(set.weightiest().unwrap().name, "api");
    assert_eq!((set.access, set.reach), (Access::Write, Reach::User));
    let narrow =
        catalog.assess_set(&named(&["openid", "visualforce", "chatbot_api"]), Kind::Delegated);
    assert!(!narrow.broad && !narrow.offline);
    assert!(catalog.assess_set(&named(&["id"]), Kind::AppOnly).offline, "it acts without a user");
    let full = catalog.assess_set(&named(&["full"]), Kind::Delegated);
    assert!(full.implied.contains(&"chatter_api"), "implied by an implied scope");
    assert!(!full.offline, "`full` brings no refresh token");
}

/// A catalog in which the part weighs more than the whole, and two scopes are more than their sum.
fn odd() -> Catalog {
    let scope = |name: &str, harms: (u8, u8), more: &str| {
        format!(
            "[[scope]]\nname = \"{name}\"\naccess = \"write\"\nreach = \"user\"\ndata = \"code\"\nharm_if_read = {}\n\
             harm_if_changed = {}\nmeaning = \"m.\"\nsource = \"https://s\"\n{more}\n",
            harms.0, harms.1
        )
    };
    let text = "bounded_by_user = false\n".to_owned()
        + &scope("mild", (1, 0), "implies = [\"grave\"]")
        + &scope("grave", (3, 3), "escalation = \"direct\"\noffline = true")
        + &scope("left", (1, 1), "")
        + &scope("right", (1, 1), "")
        + &scope("both", (1, 1), "implies = [\"left\", \"right\"]")
        + "[[combination]]\nscopes = [\"left\", \"right\"]\naccess = \"act-as\"\nreach = \"user\"\ndata = \"secrets\"\n\
           harm_if_read = 4\nharm_if_changed = 4\nescalation = \"direct\"\nmeaning = \"Together they open the safe.\"\n\
           source = \"https://s\"\n";
    Catalog::parse("odd", &text).unwrap()
}

/// Nobody should write such a catalog (a test of the real ones says so), but a set must not look milder than what it includes.
#[test]
fn what_a_scope_includes_counts_in_full() {
    let catalog = odd();
    let set = catalog.assess_set(&named(&["mild"]), Kind::Delegated);
    assert_eq!((set.severity, set.harm_if_read, set.harm_if_changed), (Severity::High, 3, 3));
    assert!(set.broad && set.offline && set.changes_much());
    assert_eq!(set.escalation, Escalation::Direct);
    assert_eq!(set.severity_with(Rights::Administers), Severity::Critical);
    assert_eq!(set.scopes[0].severity, Severity::Low, "the scope by itself stays what it is");
}

#[test]
fn a_combination_counts_only_where_all_of_it_is_held() {
    let catalog = odd();
    let assess = |names: &[&str]| catalog.assess_set(&named(names), Kind::Delegated);
    for names in [&["left", "right"][..], &["both"], &["right", "mild", "left"]] {
        let set = assess(names);
        assert_eq!(set.combined[0].name, "left + right", "{names:?}");
        assert_eq!(set.severity, Severity::High, "{names:?}");
        assert!(set.is_umbrella() && set.broad);
        assert_eq!(set.weightiest().unwrap().name, "left + right", "{names:?}");
    }
    for names in [&["left"][..], &["right"], &[]] {
        let set = assess(names);
        assert!(set.combined.is_empty() && set.severity <= Severity::Low, "{names:?}");
    }
    assert_eq!(
        assess(&["left", "right"]).sentence(Kind::Delegated),
        "can fully control all keys and secrets that its user can reach"
    );
}

/// Otherwise it says nothing that the scopes do not say.
#[test]
fn every_combination_is_more_than_its_parts() {
    let mut seen = 0;
    for platform in catalogs::platforms() {
        let catalog = catalogs::read(platform);
        for combination in catalog.combinations() {
            seen += 1;
            let entry = &combination.entry;
            assert!(entry.meaning.ends_with('.') && entry.source.starts_with("https://"));
            let kinds = [Kind::Delegated, Kind::AppOnly];
            let is_more = kinds.into_iter().filter(|kind| entry.exists_as(*kind)).any(|kind| {
                let whole = catalog.assess_entry(entry, kind);
                combination.members.iter().all(|at| {
                    let part = catalog.assess_entry(&catalog.entries()[*at], kind);
                    assert!(whole.severity >= part.severity, "{platform}: {}", entry.name);
                    whole.severity > part.severity
                        || whole.escalation > part.escalation
                        || whole.harm_if_read > part.harm_if_read
                        || whole.harm_if_changed > part.harm_if_changed
                })
            });
            assert!(is_more, "{platform}: {} is no more than its parts", entry.name);
        }
    }
    assert!(seen >= 3, "{seen}");
}
