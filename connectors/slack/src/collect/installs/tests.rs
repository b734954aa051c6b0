use super::*;

const ORGANIZATION: &str = "E1";

/// An entry of app A1.
fn entry(at: i64, action: &str, place: &str, by: &str, scopes: &str) -> String {
    let kind = if place.starts_with('E') { "enterprise" } else { "workspace" };
    format!(
        r#"{{"id":"{at}{action}{place}","date_create":{at},"action":"{action}","actor":{{"type":"user","user":{{"id":"{by}","name":"{by}"}}}},"entity":{{"type":"app","app":{{"id":"A1","name":"App"{scopes}}}}},"context":{{"location":{{"type":"{kind}","id":"{place}"}}}}}}"#
    )
}

fn bot(scopes: &str) -> String {
    let scopes: Vec<String> =
        scopes.split_whitespace().map(|scope| format!("\"{scope}\"")).collect();
    format!(r#","scopes":[],"bot_scopes":[{}]"#, scopes.join(","))
}

/// What is there, as `place by: scopes`, whatever the order of the entries.
fn there(entries: &[String]) -> Vec<String> {
    let mut found: Option<Vec<String>> = None;
    for is_reversed in [false, true] {
        let mut tables = Tables::default();
        let organization = tables.places.number(ORGANIZATION);
        let mut installs = Installs::of(organization);
        let mut order: Vec<&String> = entries.iter().collect();
        if is_reversed {
            order.reverse();
        }
        for text in order {
            let entry: Entry = serde_json::from_str(text).unwrap();
            assert_eq!(installs.take(&mut tables, organization, &entry), Taken::Fully, "{text}");
        }
        let (live, _) = installs.finish(&tables);
        let told = live.iter().map(|live| {
            let by = live.mark.by.and_then(|by| tables.people.get(by));
            let by = by.map_or("?", |by| by.id.as_str());
            let HeldScopes::Set(set) = &live.scopes else { panic!("{live:?}") };
            let scopes = set.all().map_or_else(|| "?".to_owned(), |all| all.join(" "));
            let mark = if live.is_extension { "+" } else { "" };
            format!("{}{mark} {by}: {scopes}", tables.places.name(live.place))
        });
        let told: Vec<String> = told.collect();
        if let Some(found) = &found {
            assert_eq!(&told, found);
        }
        found = Some(told);
    }
    found.unwrap()
}

#[test]
fn the_latest_entry_of_a_place_decides() {
    let installed = entry(10, "app_installed", "T1", "U1", &bot("a"));
    let removed = entry(20, "app_uninstalled", "T1", "U2", "");
    let elsewhere = entry(5, "app_installed", "T2", "U1", &bot("a"));
    let again = entry(30, "app_installed", "T1", "U3", &bot("b"));
    assert_eq!(there(&[installed.clone(), elsewhere.clone()]), ["T1 U1: a", "T2 U1: a"]);
    assert_eq!(there(&[installed.clone(), removed.clone(), elsewhere]), ["T2 U1: a"]);
    assert_eq!(there(&[installed.clone(), removed, again]), ["T1 U3: b"]);
    // In one second nobody knows which came first.
    let same = entry(10, "app_uninstalled", "T1", "U2", "");
    assert_eq!(there(&[installed, same]), ["T1 U1: a"]);
}

#[test]
fn an_app_keeps_what_it_got_until_it_is_removed() {
    let first = entry(10, "app_installed", "T1", "U1", &bot("a b"));
    let second = entry(20, "app_installed", "T1", "U1", &bot("c"));
    assert_eq!(there(&[first.clone(), second.clone()]), ["T1 U1: a b c"]);
    let removed = entry(15, "app_uninstalled", "T1", "U2", "");
    assert_eq!(there(&[first, second, removed]), ["T1 U1: c"]);
}

#[test]
fn what_comes_with_the_organization_goes_with_it() {
    let installed = entry(10, "org_app_installed", "E1", "U1", &bot("a"));
    let added = entry(20, "org_app_workspace_added", "T1", "U1", &bot("a"));
    assert_eq!(there(&[installed.clone(), added.clone()]), ["E1 U1: a", "T1+ U1: a"]);
    let taken = entry(25, "org_app_workspace_removed", "T1", "U1", "");
    assert_eq!(there(&[installed.clone(), added.clone(), taken]), ["E1 U1: a"]);
    let removed = entry(30, "org_app_uninstalled", "E1", "U1", "");
    assert!(there(&[installed.clone(), added.clone(), removed]).is_empty());
    // A workspace's own install is no part of it, unless it became one.
    let own = entry(5, "app_installed", "T2", "U2", &bot("z"));
    let removed = entry(30, "org_app_uninstalled", "E1", "U1", "");
    assert_eq!(there(&[installed, own.clone(), removed.clone()]), ["T2 U2: z"]);
    let upgraded = entry(8, "org_app_upgraded_to_org_install", "E1", "U1", &bot("z"));
    assert_eq!(there(&[own.clone(), upgraded.clone()]), ["E1 U1: z", "T2+ U2: z"]);
    assert!(there(&[own.clone(), upgraded.clone(), removed.clone()]).is_empty());
    // What ended before the upgrade took nothing of it away; what came between two ends did not end twice.
    let earlier = entry(6, "org_app_uninstalled", "E1", "U1", "");
    assert_eq!(there(&[own.clone(), earlier, upgraded.clone()]), ["E1 U1: z", "T2+ U2: z"]);
    let again = entry(50, "org_app_upgraded_to_org_install", "E1", "U1", &bot("z"));
    assert_eq!(there(&[own.clone(), upgraded, removed, again]), ["E1 U1: z"]);
    // The organisation's install is taken from a workspace, and the workspace's own need not be.
    let added = entry(20, "org_app_workspace_added", "T2", "U1", &bot("y z"));
    let taken = entry(25, "org_app_workspace_removed", "T2", "U1", "");
    assert_eq!(there(&[own.clone(), added.clone()]), ["E1 ?: y z", "T2 U2: z", "T2+ U1: y z"]);
    assert_eq!(there(&[own, added, taken]), ["E1 ?: y z", "T2 U2: z"]);
}

#[test]
fn a_deleted_app_is_nowhere() {
    let entries = [
        entry(10, "app_installed", "T1", "U1", &bot("a")),
        entry(11, "org_app_installed", "E1", "U1", &bot("a")),
        entry(12, "app_deleted", "E1", "U1", ""),
    ];
    assert!(there(&entries).is_empty());
    assert_eq!(there(&entries[..2]).len(), 2);
}

#[test]
fn lists_that_are_missing_are_not_none() {
    let none = entry(10, "app_installed", "T1", "U1", "");
    assert_eq!(there(&[none]), ["T1 U1: ?"]);
    let mixed = entry(10, "app_installed", "T1", "U1", r#","scopes":["b","a"]"#);
    assert_eq!(there(&[mixed]), ["T1 U1: a b"]);
    let half = entry(10, "app_installed", "T1", "U1", r#","bot_scopes":["a"]"#);
    assert_eq!(there(&[half]), ["T1 U1: ?"]);
    let both = entry(
        10,
        "app_installed",
        "T1",
        "U1",
        r#","scopes":["u"],"scopes_bot":["x"],"bot_scopes":["y","x"]"#,
    );
    assert_eq!(there(&[both]), ["T1 U1: u x y"]);
}

#[test]
fn an_install_without_a_place_is_said() {
    let mut tables = Tables::default();
    let mut installs = Installs::of(tables.places.number(ORGANIZATION));
    for text in [
        r#"{"date_create":1,"action":"app_installed","entity":{"type":"app","app":{"id":"A1"}}}"#,
        r#"{"date_create":1,"action":"app_uninstalled","entity":{"type":"app","app":{"name":"x"}},"context":{"location":{"type":"workspace","id":"T1"}}}"#,
        r#"{"date_create":1,"action":"app_scopes_expanded","context":{"location":{"type":"workspace","id":"T1"}}}"#,
    ] {
        let entry: Entry = serde_json::from_str(text).unwrap();
        assert_eq!(installs.take(&mut tables, 0, &entry), Taken::Unreadable, "{text}");
    }
    // The organisation's own install says where it is by its name.
    let text = r#"{"date_create":1,"action":"org_app_installed","entity":{"type":"app","app":{"id":"A1"}}}"#;
    let entry: Entry = serde_json::from_str(text).unwrap();
    assert_eq!(installs.take(&mut tables, 0, &entry), Taken::Fully);
    assert_eq!(installs.knows(&tables, tables.apps.find("A1").unwrap(), 0), Some(true));
}

#[test]
fn a_change_of_an_app_shows_that_it_is_there() {
    let change = |at: i64, more: &str| {
        let text = entry(at, "app_scopes_expanded", "T1", "U2", more);
        format!(
            r#"{},"details":{{"new_scopes":["admin"],"previous_scopes":["a"]}}}}"#,
            &text[..text.len() - 1]
        )
    };
    let found = |entries: &[String]| {
        let mut tables = Tables::default();
        let organization = tables.places.number(ORGANIZATION);
        let mut installs = Installs::of(organization);
        for text in entries {
            let entry: Entry = serde_json::from_str(text).unwrap();
            assert_eq!(installs.take(&mut tables, organization, &entry), Taken::Fully);
        }
        installs.finish(&tables).0
    };
    let told = found(&[change(10, &bot("admin"))]);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].mark.at, told[0].mark.by), (NEVER, None));
    assert!(told[0].remark.as_ref().unwrap().contains("older"));
    let HeldScopes::Set(set) = &told[0].scopes else { panic!("{told:?}") };
    assert_eq!(set.all().unwrap(), ["a", "admin"]);
    assert!(found(&[change(10, ""), entry(20, "app_uninstalled", "T1", "U1", "")]).is_empty());
    // Whoever installs an app again keeps what it was given in between.
    let again = found(&[
        entry(10, "app_installed", "T1", "U2", &bot("a")),
        change(15, &bot("a admin")),
        entry(20, "app_installed", "T1", "U2", &bot("a")),
    ]);
    let HeldScopes::Set(set) = &again[0].scopes else { panic!("{again:?}") };
    assert_eq!((again.len(), set.all().unwrap()), (1, vec!["a", "admin"]));
    let own = found(&[change(10, ""), entry(5, "app_installed", "T1", "U1", &bot("a"))]);
    assert_eq!(own.len(), 1);
    assert!(own[0].remark.is_none());
}

#[test]
fn an_install_has_all_scopes_that_its_entry_lists() {
    let text = entry(10, "app_installed", "T1", "U1", &bot("a"));
    let with =
        |new: &str| format!(r#"{},"details":{{"new_scopes":{new}}}}}"#, &text[..text.len() - 1]);
    assert_eq!(there(&[with(r#"["a","b"]"#)]), ["T1 U1: a b"]);
    assert_eq!(there(&[with("[]")]), ["T1 U1: a"]);
}

#[test]
fn what_was_taken_from_a_workspace_is_known_as_removed() {
    let mut tables = Tables::default();
    let organization = tables.places.number(ORGANIZATION);
    let mut installs = Installs::of(organization);
    let text = entry(25, "org_app_workspace_removed", "T1", "U1", "");
    let entry: Entry = serde_json::from_str(&text).unwrap();
    assert_eq!(installs.take(&mut tables, organization, &entry), Taken::Fully);
    let (app, place) = (tables.apps.find("A1").unwrap(), tables.places.find("T1").unwrap());
    assert_eq!(installs.knows(&tables, app, place), Some(false));
    assert_eq!(installs.removed_at(&tables, app, place), Some(25));
}
