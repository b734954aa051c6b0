//! A file that is wrong is refused, wherever it is wrong.

use super::*;

/// What is the same in both files and what tells of use only must be right all the same.
#[test]
fn a_wrong_member_of_a_grant_is_told_wherever_it_is() {
    let whole = Side::then().at("grant", "G2").clone();
    let principal = &whole["holder"]["principal"];
    let of_grant = whole.as_object().unwrap().keys().map(|name| format!("/{name}"));
    let of_principal = principal.as_object().unwrap().keys();
    let mut paths: Vec<String> = of_grant.collect();
    paths.extend(of_principal.map(|name| format!("/holder/principal/{name}")));
    paths.push("/network/binding".to_owned());
    assert_eq!(paths.len(), 22);
    for path in &paths {
        for wrong in [json!({ "known": { "no": "type" } }), json!(5), Value::Null] {
            let mut side = Side::then();
            *side.at("grant", "G2").pointer_mut(path).unwrap() = wrong.clone();
            let error = read(&text(&[&side])).map(drop).unwrap_err().to_string();
            assert!(error.contains(":6: "), "{path} {wrong}: {error}");
        }
    }
    for (path, wrong) in [
        ("settings", Value::Null),
        ("settings", json!([{ "name": 5, "value": "absent" }])),
        ("settings", json!([{ "name": "Last use", "value": { "known": 5 } }])),
        ("network", json!({ "binding": "absent", "look_alikes": null })),
        ("network", json!({ "binding": "absent", "look_alikes": [{ "setting": "x" }] })),
    ] {
        let mut side = Side::then();
        side.at("grant", "G2")[path] = wrong.clone();
        assert!(read(&text(&[&side])).is_err(), "{path} {wrong}");
    }
}
