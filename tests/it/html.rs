//! The HTML report: one file that asks nothing of the network, in which no text from a platform becomes anything but text. What it does in
//! a browser is tried by `.ci/browser`.

use grantwarden_lab::Fault;
use serde_json::Value;

use crate::support::{SMALL_NOW, Stage, forbidden, grantwarden};

/// A name as somebody might give an app who wants to harm the reader of a report.
const HOSTILE: &str = "</script><!--<script>\u{202e}\u{7}<img src=x onerror=alert(1)>'\"&amp;";

fn report(stage: &Stage, arguments: &[&str]) -> String {
    stage.run(&[&["scan", "--output", "report.html", "--now", SMALL_NOW], arguments].concat());
    stage.read("report.html")
}

/// What stands between two texts.
fn between<'a>(page: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = page.split_once(begin).unwrap_or_else(|| panic!("no `{begin}`")).1;
    rest.split_once(end).unwrap_or_else(|| panic!("no `{end}` after `{begin}`")).0
}

/// The data blocks with these attributes.
fn blocks(page: &str, attributes: &str) -> Vec<Value> {
    let begin = format!("<script type=\"application/json\" {attributes}>");
    let parts = page.split(&begin).skip(1);
    parts
        .map(|part| serde_json::from_str(part.split("</script>").next().unwrap()).unwrap())
        .collect()
}

/// The findings of the data, as fingerprint and severity.
fn findings(page: &str) -> Vec<(String, u64)> {
    let blocks = blocks(page, "class=\"findings\"");
    let subjects = blocks.iter().flat_map(|block| block.as_array().unwrap());
    let findings = subjects.flat_map(|subject| subject[6].as_array().unwrap());
    findings
        .map(|finding| (finding[3].as_str().unwrap().to_owned(), finding[0].as_u64().unwrap()))
        .collect()
}

#[test]
fn the_page_has_its_parts_in_order_and_every_finding() {
    let stage = Stage::small();
    let run =
        stage.run(&["scan", "--format", "json", "--output", "report.html", "--now", SMALL_NOW]);
    let page = stage.read("report.html");
    let order: Vec<usize> = [
        "coverage", "summary", "exposure", "vendors", "time", "findings", "apps", "accepted",
        "basis",
    ]
    .iter()
    .map(|id| page.find(&format!("<section id=\"{id}\"")).unwrap())
    .collect();
    assert!(order.is_sorted(), "{order:?}");
    assert!(page.contains("<strong>Complete.</strong>"));

    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let mut expected: Vec<String> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["fingerprint"].as_str().unwrap().to_owned())
        .collect();
    let mut there: Vec<String> =
        findings(&page).into_iter().map(|(fingerprint, _)| fingerprint).collect();
    assert!(there.len() > 10, "{}", there.len());
    expected.sort();
    there.sort();
    assert_eq!(there, expected);
    for finding in &there {
        assert!(page.matches(&format!("id=\"f-{finding}\"")).count() <= 1, "{finding}");
    }
    let known = &blocks(&page, "id=\"known\"")[0];
    assert_eq!(known["rules"], json["rules"]);
    assert_eq!(known["findings"], there.len());
    // What each index means.
    let texts = &blocks(&page, "id=\"texts\"")[0];
    let first = &blocks(&page, "class=\"findings\"")[0][0];
    let rule = &texts[usize::try_from(first[6][0][2].as_u64().unwrap()).unwrap()];
    assert!(known["rules"].get(rule.as_str().unwrap()).is_some(), "{rule}");
}

#[test]
fn the_page_asks_nothing_of_the_network_and_runs_only_its_own_script() {
    let page = report(&Stage::small(), &[]);
    let markup = page.split("<script").next().unwrap();
    for load in
        ["src=", "<link", "<iframe", "@import", "url(", "<base", "<form", "=\"http", "style=\""]
    {
        assert!(!markup.contains(load), "{load}");
    }
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let policy = policy.replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.matches("<style>").count(), 1);
    let run: Vec<&str> =
        page.split("<script").skip(1).filter(|rest| rest.starts_with('>')).collect();
    assert_eq!(run.len(), 1, "one script runs");
    assert!(run[0].ends_with("</script>\n</body>\n</html>\n"));
    assert!(!run[0].contains("innerHTML") && !run[0].contains("eval("));
}

#[test]
fn hostile_names_stay_text() {
    let stage = Stage::small();
    stage.run(&["scan", "--export", "inventory.jsonl", "--now", SMALL_NOW]);
    let text = serde_json::to_string(HOSTILE).unwrap();
    let text = text.trim_matches('"');
    let long = "x".repeat(10_000);
    let inventory: String = stage
        .read("inventory.jsonl")
        .lines()
        .enumerate()
        .map(|(nth, line)| {
            let name = if nth % 2 == 0 { text } else { &long };
            let mut value: Value = serde_json::from_str(line).unwrap();
            for pointer in ["/record/app/name", "/record/grant/app_name"] {
                if let Some(slot) = value.pointer_mut(pointer) {
                    *slot = serde_json::from_str(&format!("\"{name}\"")).unwrap();
                }
            }
            format!("{value}\n")
        })
        .collect();
    stage.write("inventory.jsonl", &inventory);
    let page = report(&stage, &["--offline", "--inventory", "inventory.jsonl"]);
    assert!(!page.contains("<img"), "the name became an element");
    assert!(page.contains("&#60;img src=x") || page.contains("&lt;img src=x"));
    assert!(page.contains("\\u003cimg src=x"));
    assert!(!page.contains(['\u{202e}', '\u{7}']));
    assert!(page.contains("(9840 more characters)") && !page.contains(&"x".repeat(1_600)));
    assert!(findings(&page).len() > 10);
    assert_eq!(page.matches("</script>").count(), page.matches("<script").count());
}

#[test]
fn what_was_not_read_is_said_first() {
    let stage = Stage::small();
    stage.inject(Fault::new(forbidden()).on_text("FROM OauthToken"));
    let page = report(&stage, &[]);
    let banner = between(&page, "<section id=\"coverage\"", "</section>");
    assert!(banner.contains("<strong>INCOMPLETE.</strong>"), "{banner}");
    assert!(banner.contains("may still be there"), "{banner}");
    assert!(banner.contains(">MISSING<") || banner.contains(">NOT READ<"), "{banner}");
}

#[test]
fn the_same_inventory_gives_the_same_page() {
    let stage = Stage::small();
    stage.run(&["scan", "--export", "inventory.jsonl", "--now", SMALL_NOW]);
    let offline = &["--offline", "--inventory", "inventory.jsonl"];
    let first = report(&stage, offline);
    assert!(first == report(&stage, offline));
    let printed = grantwarden(&stage.path(""))
        .args(["scan", "--format", "html", "--now", SMALL_NOW])
        .args(offline)
        .output()
        .unwrap();
    assert!(printed.stdout == first.as_bytes());
}

#[test]
fn what_the_policy_accepts_is_named_with_owner_and_end() {
    let stage = Stage::small();
    let policy = "[[waiver]]\nsubject = { tenant = \"acme-crm\" }\nrules = [\"open-consent-policy\"]\nscopes = []\n\
                  reason = \"<b>until the review</b>\"\nowner = \"ada@acme.example\"\nuntil = \"2026-03-31\"\n";
    stage.write("policy.toml", policy);
    let page = report(&stage, &["--policy", "policy.toml"]);
    let accepted = between(&page, "<section id=\"accepted\"", "</section>");
    for text in ["ada@acme.example", "2026-03-31", "until the review"] {
        assert!(accepted.contains(text), "no {text} in {accepted}");
    }
    assert!(!accepted.contains("<b>until"));
}

/// The rule and the page draw the same line, and the page draws it also where the policy switched the rule off.
#[test]
fn exposure_is_what_the_rule_finds_whether_it_runs_or_not() {
    let stage = Stage::small();
    let (_, json) = stage.scan_json(&["--output", "report.html", "--now", SMALL_NOW]);
    let all = json["findings"].as_array().unwrap();
    let found = all.iter().filter(|finding| finding["rule"] == "drift-pattern").count();
    assert!(found > 1, "{found}");
    let verdict = format!("{found} live grants are all three at once");
    assert!(stage.read("report.html").contains(&verdict), "no {verdict}");

    stage.write("policy.toml", "[rules.drift-pattern]\nseverity = \"off\"\n");
    let page = report(&stage, &["--policy", "policy.toml"]);
    assert!(page.contains(&verdict));
    assert!(page.contains("the policy switched the rule drift-pattern off"));
}
