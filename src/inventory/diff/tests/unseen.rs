//! What one snapshot did not see is neither new nor gone nor the same.

use grantwarden_kit::model::Reason;

use super::{super::Side as Which, *};

/// The facts that cannot be compared.
fn blanks(
    then: Value,
    now: Value,
    kind: &str,
    id: &str,
    path: &str,
) -> Vec<(String, Which, u64, bool)> {
    let (mut old, mut new) = (Side::then(), Side::now());
    *old.at(kind, id).pointer_mut(path).unwrap() = then;
    *new.at(kind, id).pointer_mut(path).unwrap() = now;
    let (changes, blanks) = of(&old, &new);
    assert_eq!(changes, [], "{path}");
    blanks.into_iter().map(|blank| (blank.what, blank.side, blank.records, blank.counts)).collect()
}

#[test]
fn a_fact_that_is_not_visible_is_no_change_and_is_said() {
    for (kind, id, path, what) in [
        ("grant", "G1", "/scopes", "grant.scopes"),
        ("grant", "G1", "/granted_at", "grant.granted_at"),
        ("grant", "G1", "/expires", "grant.expires"),
        ("grant", "G1", "/network/binding", "grant.network.binding"),
        ("grant", "G1", "/approval", "grant.approval"),
        ("grant", "G1", "/holder/principal/status", "grant.holder.status"),
        ("app", "A1", "/publisher", "app.publisher"),
        ("app", "A1", "/publisher/known/verified", "app.publisher.verified"),
        ("app", "A1", "/home_tenant", "app.home_tenant"),
        ("app", "A1", "/redirect_domains", "app.redirect_domains"),
        ("app", "A1", "/blocked", "app.blocked"),
        ("app", "A1", "/approval", "app.approval"),
        ("app", "A1", "/scopes", "app.scopes"),
    ] {
        let mut side = Side::then();
        let seen = side.at(kind, id).pointer(path).unwrap().clone();
        let expected = |side, counts| vec![(what.to_owned(), side, 1, counts)];
        let found = blanks(unknown(), seen.clone(), kind, id, path);
        assert_eq!(found, expected(Which::Old, true), "{path}");
        let found = blanks(seen, unknown(), kind, id, path);
        assert_eq!(found, expected(Which::New, true), "{path}");
        let found = blanks(unknown(), unknown(), kind, id, path);
        assert_eq!(found, expected(Which::Both, true), "{path}");
        let silent = json!({ "unknown": { "reason": "platform-silent", "facet": "grants", "detail": "no interface" } });
        let found = blanks(silent.clone(), silent, kind, id, path);
        assert_eq!(found, expected(Which::Both, false), "nobody can see {path}");
    }
}

#[test]
fn what_came_back_with_its_coverage_is_not_new_and_what_went_with_it_is_not_gone() {
    let (mut less, all) = (Side::then(), Side::now());
    less.without("grant", "G1");
    less.lose("grants", "call-failed");
    let (changes, blanks) = of(&less, &all);
    assert_eq!(changes, []);
    let told: Vec<_> = blanks
        .iter()
        .map(|blank| (blank.side, blank.reason, blank.records, blank.counts))
        .collect();
    assert_eq!(told, [(Which::Old, Reason::CallFailed, 1, true)]);
    assert!(blanks[0].what.starts_with("part: ") && blanks[0].detail == "a page is missing");
    let (all, less) = (Side::then(), Side { taken_at: NOW, ..less });
    let (changes, blanks) = of(&all, &less);
    assert_eq!(changes, []);
    assert_eq!((blanks.len(), blanks[0].side, blanks[0].records), (1, Which::New, 1));
}

/// A change that both snapshots saw is one, whatever else is missing.
#[test]
fn what_both_saw_is_compared_in_spite_of_a_loss() {
    let (then, mut now) = (Side::then(), Side::now());
    now.lose("grants", "call-failed");
    now.at("grant", "G1")["scopes"] = json!({ "known": [{ "name": "full" }] });
    now.records.push(grant("G9", "A1", "u9"));
    let (changes, blanks) = of(&then, &now);
    let kinds: Vec<Kind> = changes.iter().map(|change| change.kind).collect();
    // The older scan saw all: what it has not is new.
    assert_eq!(kinds, [Kind::GrantNew, Kind::Widened, Kind::Narrowed]);
    assert_eq!((blanks.len(), blanks[0].records, blanks[0].counts), (1, 0, true));
}

/// What neither scan could see for the same lasting reason does not hold anything back.
#[test]
fn a_lasting_limit_on_both_sides_holds_nothing_back() {
    let (mut then, mut now) = (Side::then(), Side::now());
    then.lose("grants", "platform-silent");
    now.lose("grants", "platform-silent");
    now.without("grant", "G1");
    let (changes, blanks) = of(&then, &now);
    assert_eq!(changes.len(), 1);
    assert_eq!((blanks.len(), blanks[0].side, blanks[0].counts), (1, Which::Both, false));
}

/// A part that the older program did not know yet.
#[test]
fn a_part_of_which_the_other_says_nothing_holds_back() {
    let (mut then, now) = (Side::then(), Side::now());
    then.without("app", "A2");
    then.without("grant", "G3");
    let parts = then.coverage["parts"].as_array_mut().unwrap();
    let optional = registry::find("salesforce").unwrap().manifest().facets.iter();
    let held = |facet: &&grantwarden_kit::manifest::Facet| {
        facet.holds.contains(&grantwarden_kit::manifest::Holding::Apps)
    };
    let facet = optional.filter(held).map(|facet| facet.id.as_str()).next().unwrap();
    parts.retain(|part| part["facet"] != facet);
    let (changes, blanks) = of(&then, &now);
    assert_eq!(changes, []);
    // The app and its grant.
    let held: u64 = blanks.iter().map(|blank| blank.records).sum();
    assert_eq!(held, 2, "{blanks:?}");
    assert!(blanks.iter().all(|blank| blank.side == Which::Old && blank.counts), "{blanks:?}");
}
