//! What a grant reaches, whose it is, and how its token works.

use super::*;

#[test]
fn what_a_grant_reaches_and_whose_it_is_are_compared() {
    let setting = |name: &str, value: Value| json!({ "name": name, "value": value });
    let known = |text: &str| json!({ "known": text });
    let told = |then: Value, now: Value| {
        let mut old = Side::then();
        old.at("grant", "G1")["settings"] = then;
        let mut new = Side::now();
        new.at("grant", "G1")["settings"] = now;
        let (changes, blanks) = of(&old, &new);
        let changes = changes.into_iter().map(|change| (change.kind, change.before, change.after));
        (changes.collect::<Vec<_>>(), blanks)
    };
    let reach = |before: &str, after: &str| {
        (vec![(Kind::ReachChanged, Some(before.to_owned()), Some(after.to_owned()))], vec![])
    };
    let repositories = |text: &str| setting("Repositories", known(text));
    assert_eq!(
        told(json!([repositories("one")]), json!([repositories("all")])),
        reach("Repositories: one", "Repositories: all")
    );
    assert_eq!(
        told(json!([]), json!([repositories("all")])),
        reach("Repositories: not set", "Repositories: all")
    );
    let mixed =
        json!([setting("Last use", known("today")), setting("B", known("1")), repositories("one")]);
    let sorted =
        json!([repositories("one"), setting("B", known("1")), setting("Last use", known("never"))]);
    assert_eq!(told(mixed, sorted), (vec![], vec![]), "neither order nor use is a change");
    // What is not visible is no change, and is said.
    let (changes, blanks) =
        told(json!([repositories("one")]), json!([setting("Repositories", unknown())]));
    assert_eq!(changes, []);
    let said: Vec<_> = blanks.iter().map(|blank| (blank.what.as_str(), blank.records)).collect();
    assert_eq!(said, [("grant.settings", 1)]);

    let set = |path: &'static str, value: Value| {
        edited(move |now| *now.at("grant", "G1").pointer_mut(path).unwrap() = value)
    };
    assert_eq!(set("/kind", json!("app-only")), one(Kind::HolderChanged, "G1"));
    assert_eq!(set("/app", json!("A2")), one(Kind::HolderChanged, "G1"));
    assert_eq!(set("/holder", json!("tenant")), one(Kind::HolderChanged, "G1"));
    assert_eq!(set("/holder/principal/id", json!("u9")), one(Kind::HolderChanged, "G1"));
    assert_eq!(set("/holder/principal/id", json!("")), [], "an id that is gone tells nothing");
    assert_eq!(set("/refreshable", json!({ "known": false })), one(Kind::TokenChanged, "G1"));
    assert_eq!(set("/sender_constrained", json!({ "known": true })), one(Kind::TokenChanged, "G1"));
}
