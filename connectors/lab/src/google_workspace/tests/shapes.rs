//! Every kind of answer against the vendor's own description of it. The descriptions are shared by the
//! project's engineers and not part of the repository; without them the test says that it is skipped.
//! No defect of the descriptions is known for these answers, so nothing is excused.

use std::path::PathBuf;

use super::*;

/// A vendor's description, made strict: a field that it does not name is an error.
fn description(file: &str) -> Option<Json> {
    #[expect(clippy::disallowed_methods, reason = "only a test looks for the shared data")]
    let folder = std::env::var_os("GRANTWARDEN_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("specs").join(file)).ok()?;
    let mut swagger: Json = serde_json::from_str(&text).unwrap();
    let mut definitions = swagger["definitions"].take();
    close(&mut definitions);
    Some(definitions)
}

fn close(schema: &mut Json) {
    match schema {
        Json::Object(fields) => {
            if fields.get("properties").is_some_and(Json::is_object) && fields.contains_key("type")
            {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Json::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn complaints(definitions: &Json, name: &str, body: &Json) -> Vec<String> {
    assert!(definitions[name].is_object(), "no definition is called {name}");
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": format!("#/definitions/{name}"),
        "definitions": definitions,
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[tokio::test]
async fn answers_are_shaped_as_the_vendor_describes_them() {
    let directory = description("google-admin.directory_v1.swagger.json");
    let reports = description("google-admin.reports_v1.swagger.json");
    let (Some(directory), Some(reports)) = (directory, reports) else {
        println!("skipped: no shared data");
        return;
    };
    let bench = Bench::small().await;
    let log = "/admin/reports/v1/activity/users/all/applications";
    let desk = bench.customer().client_id_of("Desk Mailer").unwrap();
    for (definitions, name, path) in [
        (&directory, "Users", "/admin/directory/v1/users?customer=my_customer".to_owned()),
        (
            &directory,
            "Users",
            "/admin/directory/v1/users?customer=my_customer&maxResults=2".to_owned(),
        ),
        (
            &directory,
            "Users",
            "/admin/directory/v1/users?customer=my_customer&showDeleted=true".to_owned(),
        ),
        (&directory, "User", user_path(SAM, "")),
        (&directory, "Tokens", user_path(SAM, "/tokens")),
        (&directory, "Tokens", user_path("new.nora@small.example", "/tokens")),
        (&directory, "Token", user_path(SAM, &format!("/tokens/{desk}"))),
        (&directory, "Asps", user_path(SAM, "/asps")),
        (&directory, "Asp", user_path(SAM, "/asps/0")),
        (&reports, "Activities", format!("{log}/token")),
        (&reports, "Activities", format!("{log}/admin?maxResults=1")),
        (&reports, "UsageReports", "/admin/reports/v1/usage/dates/2026-01-13".to_owned()),
        (&reports, "UsageReports", "/admin/reports/v1/usage/users/all/dates/2026-01-13".to_owned()),
    ] {
        let body = bench.body(&path).await;
        let found = complaints(definitions, name, &body);
        assert!(found.is_empty(), "{path}: {found:#?}");
    }
    bench.customer().set_behaviour(|behaviour| behaviour.report_empty_days = 1);
    let late = bench.body("/admin/reports/v1/usage/dates/2026-01-13").await;
    assert_eq!(complaints(&reports, "UsageReports", &late), Vec::<String>::new());
    // The check itself can fail.
    assert_eq!(complaints(&directory, "Tokens", &json!({ "items": [{ "scope": "x" }] })).len(), 1);
    assert_eq!(complaints(&directory, "Asp", &json!({ "codeId": "1" })).len(), 1);
}
