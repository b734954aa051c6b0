//! Every kind of answer against the vendor's own description of it. The description is shared by the
//! project's engineers and not part of the repository; without it the test says that it was skipped.

use std::path::PathBuf;

use super::*;

/// What the description gets wrong or leaves out, each with the reason.
const EXCUSED: [(&str, &str); 7] = [
    // It names a few fields of events only; every action has its own, as the sheet says.
    ("audit-log", "Additional properties"),
    // A list of texts in every event seen; described as a list of objects.
    ("audit-log", "/events/"),
    // `country_code` in every event seen; described as `country_name`.
    ("audit-log", "actor_location"),
    // In every answer of the platform that counts audit queries; not described.
    ("rate_limit", "audit_log"),
    // This listing has a description of its own, older than the other listings' of the same rows.
    ("/app/installations", "'client_id' was unexpected"),
    ("/app/installations", "/permissions: "),
    // A user and an enterprise at once, which nothing can be.
    ("/app/installations", "/account: "),
];

fn description() -> Option<Json> {
    #[expect(clippy::disallowed_methods, reason = "only a test looks for the shared data")]
    let folder = std::env::var_os("GRANTWARDEN_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("specs/github-ghec-grants.json")).ok()?;
    let mut description: Json = serde_json::from_str(&text).unwrap();
    as_json_schema(&mut description);
    Some(description)
}

/// `OpenAPI` 3.0 says `nullable` where JSON Schema lists the type `null`; and a field that an object's
/// description does not name is an error.
fn as_json_schema(value: &mut Json) {
    if let Some(object) = value.as_object_mut() {
        if object.remove("nullable") == Some(json!(true)) && object.contains_key("type") {
            let kind = object["type"].clone();
            object.insert("type".to_owned(), json!([kind, "null"]));
            if let Some(values) = object.get_mut("enum").and_then(Json::as_array_mut) {
                values.push(Json::Null);
            }
        }
        object.remove("example");
        if object.get("properties").is_some_and(Json::is_object) && object.contains_key("type") {
            object.entry("additionalProperties").or_insert(json!(false));
        }
        object.values_mut().for_each(as_json_schema);
    } else if let Some(list) = value.as_array_mut() {
        list.iter_mut().for_each(as_json_schema);
    }
}

/// The complaints of the description about an answer of an operation.
fn complaints(
    description: &Json,
    (path, method, status): (&str, &str, &str),
    body: &Json,
) -> Vec<String> {
    let schema = &description["paths"][path][method]["responses"][status]["content"]["application/json"]
        ["schema"];
    assert!(schema.is_object(), "{method} {path} {status} is not described");
    let root = json!({ "allOf": [schema], "components": description["components"] });
    let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
    let errors = validator.iter_errors(body);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[tokio::test]
async fn answers_are_shaped_as_the_vendor_describes_them() {
    let Some(description) = description() else {
        println!("skipped: no shared data");
        return;
    };
    let bench = Bench::small().await;
    let enterprise = bench.token_for(ENTERPRISE, false).await;
    let jwt = bench.jwt(false);
    let own = |rest: &str| format!("/enterprises/{{enterprise}}/apps/{rest}");
    let org = |rest: &str| format!("/orgs/{{org}}{rest}");
    let repo = |rest: &str| format!("/repos/{{owner}}/{{repo}}{rest}");
    let mut found = Vec::new();
    for (template, path, token) in [
        ("/app".to_owned(), "/app", &jwt),
        ("/app/installations".to_owned(), "/app/installations", &jwt),
        ("/apps/{app_slug}".to_owned(), "/apps/drift", &bench.token),
        ("/rate_limit".to_owned(), "/rate_limit", &bench.token),
        (org(""), "/orgs/small", &bench.token),
        (org(""), "/orgs/small-labs", &bench.token),
        (org("/installations"), "/orgs/small/installations", &bench.token),
        (org("/credential-authorizations"), "/orgs/small/credential-authorizations", &bench.token),
        (org("/personal-access-tokens"), "/orgs/small/personal-access-tokens", &bench.token),
        (
            org("/personal-access-tokens/{pat_id}/repositories"),
            "/orgs/small/personal-access-tokens/25001/repositories",
            &bench.token,
        ),
        (
            org("/personal-access-token-requests"),
            "/orgs/small/personal-access-token-requests",
            &bench.token,
        ),
        (org("/audit-log"), "/orgs/small/audit-log?include=all&per_page=100", &bench.token),
        (org("/hooks"), "/orgs/small/hooks", &bench.token),
        (org("/hooks/{hook_id}"), "/orgs/small/hooks/70001", &bench.token),
        (org("/members"), "/orgs/small/members", &bench.token),
        (org("/repos"), "/orgs/small/repos", &bench.token),
        (repo("/keys"), "/repos/small/backend/keys", &bench.token),
        (repo("/keys/{key_id}"), "/repos/small/backend/keys/12001", &bench.token),
        (repo("/hooks"), "/repos/small/backend/hooks", &bench.token),
        (repo("/hooks/{hook_id}"), "/repos/small/website/hooks/70003", &bench.token),
        (
            own("installable_organizations"),
            "/enterprises/small-corp/apps/installable_organizations",
            &enterprise,
        ),
        (
            own("organizations/{org}/installations"),
            "/enterprises/small-corp/apps/organizations/small/installations",
            &enterprise,
        ),
        (
            own("organizations/{org}/installations/{installation_id}/repositories"),
            "/enterprises/small-corp/apps/organizations/small/installations/7002/repositories",
            &enterprise,
        ),
        (
            "/enterprises/{enterprise}/audit-log".to_owned(),
            "/enterprises/small-corp/audit-log?include=all",
            &enterprise,
        ),
    ] {
        let (status, body) = bench.get_as(token, path).await;
        assert_eq!(status, 200, "{path}: {body}");
        let complaints = complaints(&description, (&template, "get", "200"), &body);
        found.extend(complaints.into_iter().map(|one| format!("{path} {one}")));
    }
    let excuses = |complaint: &str, (path, part): (&str, &str)| {
        let (place, rest) = complaint.split_once(' ').unwrap();
        place.contains(path) && rest.contains(part)
    };
    let open = |complaint: &&String| !EXCUSED.iter().any(|excuse| excuses(complaint, *excuse));
    let left: Vec<&String> = found.iter().filter(open).collect();
    assert!(left.is_empty(), "{left:#?}");
    for excuse in EXCUSED {
        let idle = !found.iter().any(|complaint| excuses(complaint, excuse));
        assert!(!idle, "nothing to excuse: {excuse:?}");
    }

    let path = "/orgs/{org}/installation";
    let (_, body) = bench.get_as(&jwt, "/orgs/small/installation").await;
    assert!(description["paths"][path].is_null(), "not in the excerpt: {body}");
    let token = bench.tenant().installation_id("small", "grantwarden").unwrap();
    let path = format!("/app/installations/{token}/access_tokens");
    let (_, body) = bench.post_as(&jwt, &path, &json!({})).await;
    let template = "/app/installations/{installation_id}/access_tokens";
    assert_eq!(complaints(&description, (template, "post", "201"), &body), Vec::<String>::new());
    let refused = json!({ "message": "x", "status": 404 });
    let template = ("/orgs/{org}/installations", "get", "200");
    assert!(!complaints(&description, template, &refused).is_empty(), "it can fail");
}
