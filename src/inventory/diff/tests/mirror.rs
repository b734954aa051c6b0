//! A comparison with itself finds nothing; the other way round it finds the mirror image.

use proptest::prelude::*;

use super::{super::Side as Which, *};

/// Something that a mirrored comparison has too.
fn mirrored(change: &Change) -> String {
    let Change { kind, subject, app, principal, added, removed, before, after, grants, .. } =
        change;
    // Of two that stand for each other, one direction names the one and the other the other.
    let id = if subject.kind == SubjectKind::App { subject.id.as_str() } else { "" };
    let app = app.as_ref().map(|app| &app.id);
    format!("{:?}", (kind.mirrored(), id, app, principal, removed, added, after, before, grants))
}

fn as_is(change: &Change) -> String {
    let Change { kind, subject, app, principal, added, removed, before, after, grants, .. } =
        change;
    let id = if subject.kind == SubjectKind::App { subject.id.as_str() } else { "" };
    let app = app.as_ref().map(|app| &app.id);
    format!("{:?}", (kind, id, app, principal, added, removed, before, after, grants))
}

fn fact(values: Vec<Value>) -> impl Strategy<Value = Value> {
    proptest::sample::select([values, vec![json!("absent"), unknown()]].concat())
}

fn grants() -> impl Strategy<Value = Vec<Value>> {
    let known =
        |values: &[Value]| values.iter().map(|value| json!({ "known": value })).collect::<Vec<_>>();
    let scopes = known(&[
        json!([{ "name": "api" }]),
        json!([{ "name": "api" }, { "name": "web" }]),
        json!([]),
    ]);
    let one = (
        (0..8_u8, 0..3_u8),
        fact(scopes),
        fact(known(&[json!("2025-06-01T00:00:00Z"), json!("2025-07-01T00:00:00Z")])),
        fact(known(&[json!("never"), json!({ "at": "2027-01-01T00:00:00Z" })])),
        fact(known(&[json!("admin-approved"), json!("self-authorized")])),
        fact(known(&[json!("active"), json!("inactive"), json!("deleted")])),
        proptest::sample::select(vec!["delegated", "api-token"]),
        fact(known(&[json!(true), json!(false)])),
        fact(known(&[json!("one"), json!("all")])),
    );
    let made =
        one.prop_map(|((id, user), scopes, at, expires, approval, status, kind, renews, reach)| {
            let mut record = grant(&format!("G{id}"), "A1", &format!("u{user}"));
            let grant = &mut record["grant"];
            (grant["scopes"], grant["granted_at"], grant["expires"]) = (scopes, at, expires);
            (grant["approval"], grant["kind"]) = (approval, json!(kind));
            grant["refreshable"] = renews;
            grant["settings"] = json!([{ "name": "Repositories", "value": reach }]);
            grant["holder"]["principal"]["status"] = status;
            record
        });
    proptest::collection::vec(made, 0..8).prop_map(|mut grants| {
        // Of one id there is one grant, of the same kind and holder.
        grants.sort_by_key(|record| record["grant"]["id"].to_string());
        grants.dedup_by_key(|record| record["grant"]["id"].to_string());
        for record in &mut grants {
            let id = record["grant"]["id"].as_str().unwrap().to_owned();
            let user = format!("u{}", id.as_bytes()[1] % 3);
            record["grant"]["holder"]["principal"]["id"] = json!(user);
            record["grant"]["holder"]["principal"]["name"] = json!({ "known": user });
            record["grant"]["kind"] =
                json!(if id.as_bytes()[1] % 2 == 0 { "delegated" } else { "api-token" });
        }
        grants
    })
}

fn side(taken_at: &'static str) -> impl Strategy<Value = Side> {
    let loss = proptest::sample::select(vec![None, Some("permission"), Some("platform-silent")]);
    (grants(), loss, 0..3_usize).prop_map(move |(grants, loss, credentials)| {
        let mut side = Side { taken_at, ..Side::then() };
        side.records.truncate(3);
        side.records.extend(grants);
        for number in 0..credentials {
            side.records.push(credential(
                &format!("C{number}{}", taken_at.as_bytes()[6]),
                "A1",
                THEN,
            ));
        }
        if let Some(reason) = loss {
            side.lose("grants", reason);
        }
        side
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_differs_from_itself(side in side(THEN)) {
        let (changes, blanks) = of(&side, &side);
        prop_assert_eq!(changes, vec![]);
        prop_assert!(blanks.iter().all(|blank| blank.side == Which::Both || blank.what.starts_with("part")));
    }

    #[test]
    fn the_other_way_round_is_the_mirror(a in side(THEN), b in side(NOW)) {
        let (forth, unseen) = of(&a, &b);
        let (back, unseen_back) = of(&b, &a);
        let mut forth: Vec<String> = forth.iter().map(mirrored).collect();
        let mut back: Vec<String> = back.iter().map(as_is).collect();
        forth.sort();
        back.sort();
        prop_assert_eq!(forth, back);
        let key = |blank: &NotCompared, side| (blank.what.clone(), side, blank.reason, blank.records, blank.counts);
        let mut unseen: Vec<_> = unseen.iter().map(|blank| key(blank, blank.side.mirrored())).collect();
        let mut unseen_back: Vec<_> = unseen_back.iter().map(|blank| key(blank, blank.side)).collect();
        unseen.sort();
        unseen_back.sort();
        prop_assert_eq!(unseen, unseen_back);
    }
}
