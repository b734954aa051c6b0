//! `vendor`: apps of all platforms folded into vendors, each with the reason, and never on a bare name alone.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Run, Stage, forbidden, grantwarden};

/// An app as far as it matters to whom it belongs.
struct App<'a> {
    tenant: &'a str,
    name: &'a str,
    client_id: &'a str,
    /// Host of the redirection endpoint.
    redirect: &'a str,
    publisher: &'a str,
}

const CRM: &str = "northwind-robotics";
const OFFICE: &str = "northwind-workspace";

/// An inventory with these apps and nothing else: what the demo exports, with its records replaced.
fn inventory(apps: &[App<'_>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Run::of(grantwarden(folder.path()).args(["demo", "--export", "demo.jsonl"])).exits(0);
    let text = std::fs::read_to_string(folder.path().join("demo.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let template = lines.iter().find(|line| line["record"].get("app").is_some()).unwrap();
    let mut out = vec![lines[0].clone()];
    for (number, app) in apps.iter().enumerate() {
        let mut line = template.clone();
        line["tenant"] = json!(app.tenant);
        let record = &mut line["record"]["app"];
        record["id"] = json!(format!("app-{number}"));
        record["name"] = json!(app.name);
        record["client_ids"] = json!({ "known": [app.client_id] });
        record["namespace"] = json!("absent");
        record["redirect_domains"] = json!({ "known": [app.redirect] });
        record["publisher"] = match app.publisher {
            "" => {
                json!({ "unknown": { "reason": "platform-silent", "facet": "apps", "detail": "" } })
            }
            name => json!({ "known": { "name": name, "verified": { "known": false } } }),
        };
        out.push(line);
    }
    let is_ours =
        |line: &&Value| [CRM, OFFICE].iter().any(|name| line["tenant_end"]["name"] == *name);
    out.extend(lines.iter().filter(is_ours).cloned());
    out.push(json!({ "end": apps.len() }));
    let text: String = out.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(folder.path().join("inventory.jsonl"), text).unwrap();
    folder
}

fn vendors(folder: &TempDir) -> Vec<Value> {
    let arguments = ["vendor", "list", "--inventory", "inventory.jsonl", "--format", "json"];
    let run = Run::of(grantwarden(folder.path()).args(arguments)).exits(0);
    serde_json::from_str(&run.stdout).unwrap()
}

fn names(vendors: &[Value]) -> Vec<Vec<&str>> {
    vendors
        .iter()
        .map(|vendor| {
            let apps = vendor["apps"].as_array().unwrap();
            apps.iter().map(|app| app["name"].as_str().unwrap()).collect()
        })
        .collect()
}

#[test]
fn a_shared_domain_makes_two_apps_one_vendors_whatever_they_are_called() {
    let folder = inventory(&[
        App {
            tenant: CRM,
            name: "Chat",
            client_id: "FAKE-1",
            redirect: "app.vendor.example",
            publisher: "",
        },
        App {
            tenant: OFFICE,
            name: "Leads",
            client_id: "FAKE-2",
            redirect: "eu.vendor.example",
            publisher: "",
        },
        App {
            tenant: OFFICE,
            name: "Other",
            client_id: "FAKE-3",
            redirect: "other.example",
            publisher: "",
        },
    ]);
    let vendors = vendors(&folder);
    assert_eq!(names(&vendors), [vec!["Chat", "Leads"], vec!["Other"]]);
    assert_eq!(vendors[0]["name"], "vendor.example");
    let tie = &vendors[0]["apps"][0]["ties"][0];
    assert_eq!(
        (&tie["confidence"], &tie["kind"], &tie["value"]),
        (&json!("likely"), &json!("redirect-domain"), &json!("vendor.example"))
    );
}

/// Decoys of real breaches: a name is no vendor, and a part of a name even less.
#[test]
fn a_bare_name_ties_nobody_and_that_is_said() {
    let folder = inventory(&[
        App {
            tenant: CRM,
            name: "Portal",
            client_id: "FAKE-1",
            redirect: "a.example",
            publisher: "",
        },
        App {
            tenant: OFFICE,
            name: "Portal",
            client_id: "FAKE-2",
            redirect: "b.example",
            publisher: "",
        },
        App {
            tenant: OFFICE,
            name: "Drift",
            client_id: "FAKE-3",
            redirect: "c.example",
            publisher: "",
        },
        App {
            tenant: OFFICE,
            name: "schema-drift-bot",
            client_id: "FAKE-4",
            redirect: "d.example",
            publisher: "",
        },
    ]);
    let vendors = vendors(&folder);
    assert_eq!(vendors.len(), 4, "{vendors:#?}");
    let show = |name: &str| {
        let arguments = ["vendor", "show", name, "--inventory", "inventory.jsonl"];
        Run::of(grantwarden(folder.path()).args(arguments))
    };
    show("portal")
        .exits(0)
        .says("called the same, and nothing else ties it: Portal on google-workspace");
    // The brand table says whose brand it is, and that is shown as what it is.
    show("Salesloft").exits(0).says("claimed: brand name Salesloft");
    show("Nobody").exits(2).complains("no vendor or app is called `Nobody`");
    show("port").exits(2).complains("there is Portal");
}

/// Hosts where everybody's apps live, and the company's own domain, tie nobody to anybody.
#[test]
fn shared_hosts_and_the_companys_own_domain_tie_nobody() {
    let folder = inventory(&[
        App {
            tenant: CRM,
            name: "One",
            client_id: "FAKE-1",
            redirect: "oauth.pstmn.io",
            publisher: "",
        },
        App {
            tenant: CRM,
            name: "Two",
            client_id: "FAKE-2",
            redirect: "oauth.pstmn.io",
            publisher: "",
        },
        App {
            tenant: CRM,
            name: "Three",
            client_id: "FAKE-3",
            redirect: "one.github.io",
            publisher: "",
        },
        App {
            tenant: OFFICE,
            name: "Four",
            client_id: "FAKE-4",
            redirect: "two.github.io",
            publisher: "",
        },
        App {
            tenant: OFFICE,
            name: "Five",
            client_id: "FAKE-5",
            redirect: "localhost",
            publisher: "",
        },
        App { tenant: CRM, name: "Six", client_id: "FAKE-6", redirect: "localhost", publisher: "" },
    ]);
    assert_eq!(vendors(&folder).len(), 6);
}

#[test]
fn a_publisher_is_compared_without_its_legal_form_and_is_only_a_claim() {
    let folder = inventory(&[
        App {
            tenant: CRM,
            name: "A",
            client_id: "FAKE-1",
            redirect: "a.example",
            publisher: "Mailbox Vault GmbH",
        },
        App {
            tenant: OFFICE,
            name: "B",
            client_id: "FAKE-2",
            redirect: "b.example",
            publisher: "MAILBOX VAULT",
        },
    ]);
    let vendors = vendors(&folder);
    assert_eq!(names(&vendors), [["A", "B"]]);
    assert_eq!(vendors[0]["apps"][0]["ties"][0]["confidence"], "claimed");
}

#[test]
fn a_view_of_an_incomplete_scan_says_so() {
    let stage = Stage::small();
    stage.inject(grantwarden_lab::Fault::new(forbidden()).on_text("FROM PermissionSetAssignment"));
    stage.run(&["vendor", "list"]).exits(3).complains("may hold more than is shown");
}
