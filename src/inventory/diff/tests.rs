use std::io::Write as _;

use serde_json::{Value, json};

use super::*;
use crate::{inventory::Parts, registry};

mod mirror;
mod reach;
mod unseen;
mod wrong;

const THEN: &str = "2026-01-01T00:00:00Z";
const NOW: &str = "2026-02-01T00:00:00Z";

/// A tenant as lines.
#[derive(Debug, Clone)]
struct Side {
    name: &'static str,
    id: &'static str,
    taken_at: &'static str,
    records: Vec<Value>,
    coverage: Value,
    failure: bool,
}

fn unknown() -> Value {
    json!({ "unknown": { "reason": "permission", "facet": "grants", "detail": "a right is missing" } })
}

fn app(id: &str, name: &str) -> Value {
    json!({ "app": {
        "id": id, "name": name, "kind": "connected app", "client_ids": "absent",
        "publisher": { "known": { "name": "Acme", "verified": { "known": true } } },
        "home_tenant": { "known": "T1" }, "namespace": "absent",
        "redirect_domains": { "known": ["a.example"] }, "web_domains": "absent", "origin": "third-party",
        "installed": { "known": true }, "blocked": { "known": false },
        "approval": { "known": "admin-approved" }, "assigned_to": "absent",
        "scopes": { "known": [{ "name": "api" }] },
        "token_policy": { "access_lifetime": "absent", "refresh": "absent", "rotation": "absent" },
        "flows": "absent", "introspects_all_tokens": "absent", "created_at": "absent", "changed_at": "absent",
    } })
}

fn grant(id: &str, app: &str, user: &str) -> Value {
    json!({ "grant": {
        "id": id, "app": app, "app_name": "as listed", "kind": "delegated",
        "holder": { "principal": {
            "id": user, "name": { "known": format!("{user}@acme.example") }, "kind": { "known": "person" },
            "status": { "known": "active" }, "privileges": { "known": [] }, "last_login_at": "absent",
        } },
        "scopes": { "known": [{ "name": "api" }] }, "granted_at": { "known": "2025-06-01T00:00:00Z" },
        "granted_by": "absent", "last_used_at": { "known": "2025-12-31T00:00:00Z" }, "use_count": { "known": 7 },
        "expires": { "known": "never" }, "refreshable": { "known": true }, "network": { "binding": "absent" },
        "sender_constrained": { "known": false }, "approval": { "known": "self-authorized" },
    } })
}

fn credential(id: &str, app: &str, made: &str) -> Value {
    json!({ "credential": {
        "id": id, "app": app, "kind": "certificate", "name": "absent", "created_at": { "known": made },
        "expires_at": "absent", "last_used_at": "absent",
    } })
}

/// Everything read, by the connector's own manifest.
fn whole() -> Value {
    let facets = &registry::find("salesforce").unwrap().manifest().facets;
    let parts = facets.iter().map(|facet| {
        json!({ "facet": facet.id, "title": facet.title, "promised": facet.promised, "read": 9, "expected": null, "losses": [] })
    });
    json!({ "parts": parts.collect::<Vec<_>>() })
}

impl Side {
    fn then() -> Self {
        let records = vec![
            json!({ "tenant": {
                "id": "", "display_name": "absent", "sandbox": { "known": false },
                "consent": { "user_consent": { "known": "any" }, "setting": "", "bypasses": [], "weak_flows": { "known": [] } },
                "look_alikes": { "known": [] },
            } }),
            app("A1", "Drift"),
            app("A2", "Zoom"),
            grant("G1", "A1", "u1"),
            grant("G2", "A1", "u2"),
            grant("G3", "A2", "u1"),
        ];
        let coverage = whole();
        Self { name: "acme-crm", id: "T", taken_at: THEN, records, coverage, failure: false }
    }

    fn now() -> Self {
        Self { taken_at: NOW, ..Self::then() }
    }

    /// The record of a kind and id.
    fn at(&mut self, kind: &str, id: &str) -> &mut Value {
        let records = self.records.iter_mut().filter_map(|record| record.get_mut(kind));
        records.into_iter().find(|record| record["id"] == id).unwrap()
    }

    fn without(&mut self, kind: &str, id: &str) {
        self.records.retain(|record| record.get(kind).is_none_or(|record| record["id"] != id));
    }

    /// Loses a facet in part.
    fn lose(&mut self, facet: &str, reason: &str) {
        let parts = self.coverage["parts"].as_array_mut().unwrap();
        let part = parts.iter_mut().find(|part| part["facet"] == facet).unwrap();
        part["losses"] = json!([{ "reason": reason, "facet": facet, "detail": "a page is missing", "rows": null }]);
    }

    fn lines(&self) -> Vec<Value> {
        let mut lines: Vec<Value> = Vec::new();
        for record in self.records.iter().filter(|_| !self.failure) {
            let mut record = record.clone();
            if let Some(tenant) = record.get_mut("tenant") {
                tenant["id"] = json!(self.id);
            }
            lines.push(json!({ "tenant": self.name, "record": record }));
        }
        let mut end = json!({
            "name": self.name, "platform": "salesforce", "started_at": self.taken_at, "finished_at": self.taken_at,
            "calls": 1, "coverage": self.coverage,
        });
        if self.failure {
            end["failure"] = json!({ "message": "the sign-in was refused" });
        }
        lines.push(json!({ "tenant_end": end }));
        lines
    }
}

fn text(sides: &[&Side]) -> String {
    let header = json!({ "snapshot": { "schema": 2, "tool": "0.1.0", "taken_at": sides.first().map_or(NOW, |side| side.taken_at) } });
    let mut lines = vec![header];
    lines.extend(sides.iter().flat_map(|side| side.lines()));
    let records = lines.iter().filter(|line| line.get("record").is_some()).count();
    lines.push(json!({ "end": records }));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn read(text: &str) -> Result<Outline, InventoryError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Outline::read(Parts::open(file.path()).unwrap())
}

fn outline(sides: &[&Side]) -> Outline {
    read(&text(sides)).unwrap()
}

fn changes(diff: &Diff<'_>) -> Vec<Change> {
    let mut all = Vec::new();
    diff.for_each::<InventoryError>(|change| {
        all.push(change.clone());
        Ok(())
    })
    .unwrap();
    assert_eq!(all.len() as u64, diff.len());
    all
}

/// What is compared by default.
fn of(old: &Side, new: &Side) -> (Vec<Change>, Vec<NotCompared>) {
    let (old, new) = (outline(&[old]), outline(&[new]));
    let diff = Diff::of(&old, &new, Options::default()).unwrap();
    (changes(&diff), diff.not_compared)
}

/// The kinds and ids of what changes between the same tenant then, and now with an edit.
fn edited(edit: impl FnOnce(&mut Side)) -> Vec<(Kind, String)> {
    let mut now = Side::now();
    edit(&mut now);
    let (changes, blanks) = of(&Side::then(), &now);
    assert_eq!(blanks, []);
    changes.into_iter().map(|change| (change.kind, change.subject.id)).collect()
}

fn one(kind: Kind, id: &str) -> Vec<(Kind, String)> {
    vec![(kind, id.to_owned())]
}

#[test]
fn use_is_no_change() {
    let changes = edited(|now| {
        let grant = now.at("grant", "G1");
        grant["last_used_at"] = json!({ "known": "2026-01-31T00:00:00Z" });
        grant["use_count"] = json!({ "known": 900 });
        grant["holder"]["principal"]["last_login_at"] = json!({ "known": "2026-01-31T00:00:00Z" });
    });
    assert_eq!(changes, []);
}

#[test]
fn every_fact_of_a_grant_has_its_kind() {
    let set = |path: &'static str, value: Value| {
        edited(move |now| *now.at("grant", "G1").pointer_mut(path).unwrap() = value)
    };
    let scopes = |names: &[&str]| json!({ "known": names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>() });
    assert_eq!(set("/scopes", scopes(&["web", "api"])), one(Kind::Widened, "G1"));
    assert_eq!(set("/scopes", json!("absent")), one(Kind::Narrowed, "G1"));
    let both = set("/scopes", scopes(&["web"]));
    assert_eq!(both, [one(Kind::Widened, "G1"), one(Kind::Narrowed, "G1")].concat());
    let known = |text: &str| json!({ "known": text });
    assert_eq!(set("/granted_at", known("2026-01-15T00:00:00Z")), one(Kind::ReConsented, "G1"));
    assert_eq!(set("/granted_at", known("2025-01-15T00:00:00Z")), one(Kind::Predated, "G1"));
    assert_eq!(set("/granted_at", known("2025-06-01T00:00:00.5Z")), []);
    assert_eq!(set("/approval", known("admin-approved")), one(Kind::ApprovalChanged, "G1"));
    assert_eq!(
        set("/expires", json!({ "known": { "at": "2027-01-01T00:00:00Z" } })),
        one(Kind::ExpiryChanged, "G1")
    );
    assert_eq!(set("/expires", json!("absent")), [], "never, said otherwise");
    let range = json!({ "known": [{ "start": "192.0.2.0", "end": "192.0.2.255" }] });
    assert_eq!(set("/network/binding", range), one(Kind::NetworkChanged, "G1"));
    assert_eq!(set("/holder/principal/status", known("inactive")), one(Kind::OwnerLeft, "u1"));
}

#[test]
fn every_fact_of_an_app_has_its_kind() {
    let set = |path: &'static str, value: Value| {
        edited(move |now| *now.at("app", "A1").pointer_mut(path).unwrap() = value)
    };
    assert_eq!(set("/publisher/known/name", json!("Salesloft")), one(Kind::PublisherChanged, "A1"));
    let verified = set("/publisher/known/verified/known", json!(false));
    assert_eq!(verified, one(Kind::PublisherChanged, "A1"));
    assert_eq!(set("/home_tenant/known", json!("T2")), one(Kind::PublisherChanged, "A1"));
    assert_eq!(set("/blocked/known", json!(true)), one(Kind::Blocked, "A1"));
    assert_eq!(
        set("/redirect_domains/known", json!(["b.example"])),
        one(Kind::RedirectsChanged, "A1")
    );
    assert_eq!(set("/approval/known", json!("self-authorized")), one(Kind::ApprovalChanged, "A1"));
    let scopes = json!([{ "name": "api" }, { "name": "full" }]);
    assert_eq!(set("/scopes/known", scopes), one(Kind::Widened, "A1"));
    assert_eq!(set("/name", json!("Drift 2")), [], "a name is no fact");
}

#[test]
fn what_comes_and_goes_is_in_the_order_of_apps() {
    let changes = edited(|now| {
        now.without("grant", "G3");
        now.records.push(grant("G9", "A2", "u9"));
        now.without("grant", "G1");
        now.records.insert(1, app("A0", "Asana"));
    });
    let expected = [
        (Kind::AppNew, "A0"),
        (Kind::GrantGone, "G1"),
        (Kind::GrantNew, "G9"),
        (Kind::GrantGone, "G3"),
    ];
    assert_eq!(changes, expected.map(|(kind, id)| (kind, id.to_owned())));
}

#[test]
fn the_same_right_under_another_id_was_given_again_but_a_token_is_a_way_in_of_its_own() {
    let again = |kind: &str| {
        let mut then = Side::then();
        then.at("grant", "G1")["kind"] = json!(kind);
        let mut now = Side::now();
        now.without("grant", "G1");
        let mut grant = grant("G7", "A1", "u1");
        grant["grant"]["kind"] = json!(kind);
        grant["grant"]["scopes"] = json!({ "known": [{ "name": "api" }, { "name": "full" }] });
        now.records.push(grant);
        of(&then, &now).0.into_iter().map(|change| change.kind).collect::<Vec<_>>()
    };
    assert_eq!(again("delegated"), [Kind::Reissued, Kind::Widened]);
    assert_eq!(again("api-token"), [Kind::GrantNew, Kind::GrantGone]);
}

#[test]
fn a_credential_that_took_the_place_of_one_that_worked_was_rotated() {
    let kinds = |gone: &[Value], added: &[Value]| {
        let (mut then, mut now) = (Side::then(), Side::now());
        then.records.extend_from_slice(gone);
        now.records.extend_from_slice(added);
        of(&then, &now).0.into_iter().map(|change| change.kind).collect::<Vec<_>>()
    };
    let old = credential("C1", "A1", "2025-01-01T00:00:00Z");
    let new = credential("C2", "A1", "2026-01-15T00:00:00Z");
    let both = [old.clone(), new.clone()];
    assert_eq!(kinds(&both, &both), []);
    assert_eq!(kinds(&both[..1], &both), [Kind::CredentialAdded]);
    assert_eq!(kinds(&both, &both[..1]), [Kind::CredentialGone]);
    assert_eq!(kinds(&both[..1], &both[1..]), [Kind::CredentialRotated]);
    let mut over = old.clone();
    over["credential"]["expires_at"] = json!({ "known": "2025-12-01T00:00:00Z" });
    assert_eq!(kinds(&[over], &both[1..]), [Kind::CredentialAdded, Kind::CredentialGone]);
    let mut other = old;
    other["credential"]["app"] = json!("A2");
    assert_eq!(kinds(&[other], &both[1..]), [Kind::CredentialAdded, Kind::CredentialGone]);
}

/// One who left is told once for each app, however many grants.
#[test]
fn an_owner_who_left_counts_once_for_each_app() {
    let (mut then, mut now) = (Side::then(), Side::now());
    for side in [&mut then, &mut now] {
        side.records.push(grant("G4", "A1", "u1"));
    }
    for id in ["G1", "G3", "G4"] {
        now.at("grant", id)["holder"]["principal"]["status"] = json!({ "known": "deleted" });
    }
    let (changes, _) = of(&then, &now);
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.kind, change.app.as_ref().unwrap().name.as_str(), change.grants))
        .collect();
    assert_eq!(told, [(Kind::OwnerLeft, "Drift", Some(2)), (Kind::OwnerLeft, "Zoom", Some(1))]);
}

#[test]
fn the_platforms_own_apps_are_counted_and_listed_on_demand() {
    let (mut then, mut now) = (Side::then(), Side::now());
    for side in [&mut then, &mut now] {
        side.at("app", "A2")["origin"] = json!("platform");
    }
    now.without("grant", "G3");
    let (old, new) = (outline(&[&then]), outline(&[&now]));
    let diff = Diff::of(&old, &new, Options::default()).unwrap();
    assert_eq!((diff.len(), diff.hidden()), (0, 1));
    let diff = Diff::of(&old, &new, Options { all: true, tenants: &[] }).unwrap();
    assert_eq!((diff.len(), diff.hidden()), (1, 0));
    // One that was a third party's a moment ago is listed.
    then.at("app", "A2")["origin"] = json!("third-party");
    assert_eq!(of(&then, &now).0.len(), 1);
}

#[test]
fn a_tenant_is_the_same_by_the_platforms_id() {
    let states = |old: &[&Side], new: &[&Side]| {
        let (old, new) = (outline(old), outline(new));
        let diff = Diff::of(&old, &new, Options::default()).unwrap();
        changes(&diff);
        let states: Vec<_> =
            diff.tenants.iter().map(|tenant| (tenant.name.clone(), tenant.state)).collect();
        (states, diff.is_whole())
    };
    let expected = |list: &[(&str, State)], whole| {
        (list.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect::<Vec<_>>(), whole)
    };
    let renamed = Side { name: "renamed", ..Side::now() };
    assert_eq!(
        states(&[&Side::then()], &[&renamed]),
        expected(&[("renamed", State::Compared)], true)
    );
    let other = Side { id: "T9", ..Side::now() };
    let found = states(&[&Side::then()], &[&other]);
    assert_eq!(found, expected(&[("acme-crm", State::Gone), ("acme-crm", State::New)], true));
    let failed = Side { failure: true, ..Side::now() };
    let found = states(&[&Side::then()], &[&failed]);
    assert_eq!(found, expected(&[("acme-crm", State::NotComparable)], false));
    // Nothing tells whether it is the one that is missing.
    let failed = Side { name: "b", failure: true, ..Side::now() };
    let found = states(&[&Side::then()], &[&failed]);
    let both = [("acme-crm", State::NotComparable), ("b", State::NotComparable)];
    assert_eq!(found, expected(&both, false));
    // The same account twice.
    let twin = Side { name: "twin", ..Side::then() };
    let twin_now = Side { name: "twin", ..Side::now() };
    let found = states(&[&Side::then(), &twin], &[&twin_now, &Side::now()]);
    assert_eq!(found, expected(&[("acme-crm", State::Compared), ("twin", State::Compared)], true));
}

#[test]
fn only_tenants_that_are_named_are_compared() {
    let other = Side { name: "other", id: "T2", ..Side::then() };
    let (old, new) = (outline(&[&Side::then(), &other]), outline(&[&Side::now()]));
    let names = ["acme-crm".to_owned()];
    let diff = Diff::of(&old, &new, Options { tenants: &names, all: false }).unwrap();
    assert_eq!((diff.tenants.len(), diff.is_empty()), (1, true));
    let diff = Diff::of(&old, &new, Options::default()).unwrap();
    assert_eq!(changes(&diff)[0].kind, Kind::TenantGone);
}

/// Another program may write members in another order, with spaces and escapes.
#[test]
fn a_file_of_another_program_says_the_same() {
    let then = text(&[&Side::then()]);
    let spaced: String = text(&[&Side::now()])
        .lines()
        .map(|line| {
            let line = line.replace("\":", "\" : ").replace("\"G1\"", "\"\\u00471\"");
            format!("{line}\n\n")
        })
        .collect();
    let (old, new) = (read(&then).unwrap(), read(&spaced).unwrap());
    let diff = Diff::of(&old, &new, Options::default()).unwrap();
    assert_eq!(changes(&diff), []);
    assert!(diff.is_whole());
}

/// A snapshot may lie in a file for each tenant.
#[test]
fn spools_say_the_same_as_a_file() {
    let other = Side { name: "other", id: "T2", ..Side::then() };
    let both = outline(&[&Side::then(), &other]);
    let mut changed = Side::now();
    changed.without("grant", "G1");
    changed.name = "other";
    changed.id = "T2";
    let spool = |side: &Side| {
        let mut file = tempfile::tempfile().unwrap();
        let lines: String = side.lines().iter().map(|line| format!("{line}\n")).collect();
        file.write_all(lines.as_bytes()).unwrap();
        file
    };
    let header = crate::inventory::Header { taken_at: NOW.parse().unwrap(), ..both.header.clone() };
    let spools = Parts::of_spools(header, vec![spool(&Side::now()), spool(&changed)]);
    let new = Outline::read(spools).unwrap();
    let diff = Diff::of(&both, &new, Options::default()).unwrap();
    let told: Vec<_> =
        changes(&diff).iter().map(|change| (change.kind, change.subject.id.clone())).collect();
    assert_eq!(told, one(Kind::GrantGone, "G1"));
    let diff = Diff::of(&new, &both, Options::default()).unwrap();
    assert_eq!(changes(&diff)[0].kind, Kind::GrantNew);
    assert_eq!(diff.tenants[1].name, "other");
}

#[test]
fn two_grants_of_one_id_are_compared_one_with_one() {
    let (mut then, mut now) = (Side::then(), Side::now());
    then.records.push(grant("G1", "A1", "u1"));
    now.records.push(grant("G1", "A1", "u1"));
    assert_eq!(of(&then, &now).0, []);
    now.records.push(grant("G1", "A1", "u1"));
    assert_eq!(of(&then, &now).0.len(), 1);
}

#[test]
fn a_file_that_is_wrong_is_told_with_its_line() {
    let whole = text(&[&Side::then()]);
    let error = |text: &str| read(text).unwrap_err().to_string();
    assert!(error(&whole.replace("{\"end\":6}", "")).contains("ends too early"));
    assert!(error(&whole.replace("{\"end\":6}", "{\"end\":5}")).contains("holds 6 records"));
    assert!(error(&whole.replace("\"schema\":2", "\"schema\":99")).contains("update grantwarden"));
    assert!(
        error(&whole.replace("\"expires\":{\"known\"", "\"expires\":{\"knwon\"")).contains(":5: ")
    );
    let mut late = Side::then();
    late.records.push(app("A9", "Late"));
    late.records.insert(1, grant("G9", "A9", "u1"));
    assert!(error(&text(&[&late])).contains("comes after its grants"));
}
