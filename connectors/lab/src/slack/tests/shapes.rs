//! Answers against the vendor's own description of them. The description is of 2021, is shared by the
//! project's engineers and not part of the repository; without it the test says that it is skipped.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;

/// Where the description is known to be wrong or old: a part of the complaint, and why it is excused.
const EXCUSED: [(&str, &str); 9] = [
    ("/team_id: \"E0SMALL01\"", "a token of an organisation names the organisation"),
    ("('enterprise_id' was unexpected)", "auth.test has it today"),
    ("('app_id', 'app_name' were unexpected)", "auth.test of a bot has them today"),
    ("\"app_type\" is a required property", "a row about a service has service_type instead"),
    ("\"app_id\" is a required property", "a row about a service has service_id instead"),
    ("\"scope\" is a required property", "the platform's samples: may be absent"),
    ("('reason' was unexpected)", "the platform's page: why it was disabled"),
    ("('rss_feed'", "the platform's samples: a feed's fields"),
    ("('resolution' was unexpected)", "the platform's samples have it"),
];

fn description() -> Option<Json> {
    #[expect(clippy::disallowed_methods, reason = "only a test looks for the shared data")]
    let folder = std::env::var_os("GRANTWARDEN_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("specs/slack-web.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// The complaints that nothing excuses; what was excused is noted.
fn unexcused(complaints: Vec<String>, used: &mut BTreeSet<usize>) -> Vec<String> {
    let excuse = |complaint: &String| EXCUSED.iter().position(|(part, _)| complaint.contains(part));
    let noted = |complaint: &String| excuse(complaint).map(|number| used.insert(number)).is_none();
    complaints.into_iter().filter(noted).collect()
}

/// What the description says against a body: the answer of a success, or of a refusal.
fn complaints(description: &Json, method: &str, body: &Json) -> Vec<String> {
    let answers = &description["paths"][format!("/{method}")]["post"]["responses"];
    let answers = match answers {
        Json::Null => &description["paths"][format!("/{method}")]["get"]["responses"],
        found => found,
    };
    let kind = if body["ok"] == true { "200" } else { "default" };
    let mut schema = answers[kind]["schema"].clone();
    assert!(schema.is_object(), "nothing describes {method}");
    schema["$schema"] = json!("http://json-schema.org/draft-04/schema#");
    schema["definitions"] = description["definitions"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[tokio::test]
async fn answers_are_shaped_as_the_vendor_describes_them() {
    let Some(description) = description() else {
        println!("skipped: no shared data");
        return;
    };
    let org = Bench::small().await;
    let single = Bench::workshop().await;
    let mut checked = 0;
    let mut used = BTreeSet::new();
    for (bench, method, query) in [
        (&org, "auth.test", ""),
        (&single, "auth.test", ""),
        (&org, "admin.apps.approved.list", ORG),
        (&org, "admin.apps.restricted.list", ORG),
        (&org, "admin.apps.requests.list", ORG),
        (&org, "admin.teams.list", ""),
        (&org, "admin.users.list", ""),
        (&org, "users.list", "team_id=T0SALES01"),
        (&single, "users.list", ""),
        (&single, "users.list", "limit=1"),
        (&org, "users.info", "user=W0GIA0001"),
        (&single, "users.info", "user=U0LEO0001"),
        (&org, "team.info", "team=T0SALES01"),
        (&single, "team.info", ""),
        (&single, "team.integrationLogs", ""),
        (&single, "team.integrationLogs", "app_id=A0DRIFT001"),
        (&single, "auth.revoke", "test=1"),
    ] {
        let body = bench.read(method, query).await;
        let found = unexcused(complaints(&description, method, &body), &mut used);
        assert!(found.is_empty(), "{method} {query}: {found:#?}");
        checked += 1;
    }
    let bot = single.read_as(&single.tokens.bot, "auth.test", "").await;
    let found = unexcused(complaints(&description, "auth.test", &bot), &mut used);
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(used.len(), EXCUSED.len(), "an excuse that nothing needs: {used:?}");
    for token in ["", "xoxp-FAKE"] {
        for method in ["auth.test", "users.list", "users.info", "team.info", "auth.revoke"] {
            let body = match token {
                "" => single.ask(single.api(method, "")).await.1,
                _ => single.read_as(token, method, "").await,
            };
            let found = complaints(&description, method, &body);
            assert!(found.is_empty(), "{method}: {found:#?}");
            checked += 1;
        }
    }
    assert!(single.tenant().set_right("Admin", false));
    let body = single.read_as(&single.tokens.reader, "team.integrationLogs", "").await;
    assert_eq!(complaints(&description, "team.integrationLogs", &body), Vec::<String>::new());
    println!("{} answers agree with the description", checked + 2);
    // The check itself can fail.
    let wrong = json!({ "ok": true, "revoked": "yes" });
    assert_eq!(complaints(&description, "auth.revoke", &wrong).len(), 1);
    let wrong = json!({ "ok": false, "error": "made_up" });
    assert_eq!(complaints(&description, "auth.test", &wrong).len(), 1);
}
