//! Every kind of answer against the vendor's own description of it. The description is shared by the project's engineers and not part
//! of the repository; without it the test says that it was skipped.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;

/// Where real answers hold `null` and the description says that there is always a value. Most recorded answers of real orgs break the
/// description in this way.
const NULL: [&str; 21] = [
    "/accessibility/errorRedirectUrl",
    "/accessibility/loginRedirectUrl",
    "/settings/notes/admin",
    "/settings/notes/enduser",
    "/settings/notifications/vpn/helpUrl",
    "/settings/notifications/vpn/message",
    "/settings/oauthClient/client_uri",
    "/settings/oauthClient/initiate_login_uri",
    "/settings/oauthClient/logo_uri",
    "/client_uri",
    "/logo_uri",
    "/detailEntry",
    "/authenticationContext/authenticationProvider",
    "/authenticationContext/credentialProvider",
    "/authenticationContext/credentialType",
    "/authenticationContext/interface",
    "/authenticationContext/issuer",
    "/geographicalContext",
    "/legacyEventType",
    "/outcome/reason",
    "/source",
];
/// Fields of answers that the description does not name: of events, and of client keys.
const UNNAMED: [&str; 3] = ["device", "alg", "use"];

/// Whether a complaint is about a known defect of the description.
fn excused(place: &str, problem: &str) -> bool {
    let null = problem.starts_with("null is not");
    // An event that came through no client.
    let known = place == "/client/id" || NULL.iter().any(|end| place.ends_with(end));
    // The pattern of durations can be met by none: it wants the end of the text right after the `P`.
    null && known || place == "/tokenWindow" && problem.contains("does not match")
}

fn description() -> Option<Json> {
    #[expect(clippy::disallowed_methods, reason = "only a test looks for the shared data")]
    let folder = std::env::var_os("GRANTWARDEN_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("specs/okta-grants.json")).ok()?;
    let mut description: Json = serde_json::from_str(&text).unwrap();
    as_json_schema(&mut description);
    Some(description)
}

/// A description in `OpenAPI` 3.0 says `nullable` where JSON Schema lists the type `null`.
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
        object.remove("discriminator");
        object.values_mut().for_each(as_json_schema);
    } else if let Some(list) = value.as_array_mut() {
        list.iter_mut().for_each(as_json_schema);
    }
}

/// The complaints of the description about one object.
fn complaints(description: &Json, name: &str, object: &Json) -> Vec<String> {
    assert!(description["components"]["schemas"][name].is_object(), "{name} is not described");
    let root = json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": description["components"],
    });
    let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
    let mut named = BTreeSet::new();
    properties(description, &description["components"]["schemas"][name], &mut named);
    let unknown = object
        .as_object()
        .unwrap()
        .keys()
        .filter(|field| !named.contains(field.as_str()) && !UNNAMED.contains(&field.as_str()));
    let mut found: Vec<String> = unknown.map(|field| format!("{name}: no field {field}")).collect();
    for error in validator.iter_errors(object) {
        let (place, problem) = (error.instance_path().to_string(), error.to_string());
        if !excused(&place, &problem) {
            found.push(format!("{name}{place}: {problem}"));
        }
    }
    found
}

/// The names of an object's own fields, wherever the description tells them.
fn properties<'d>(description: &'d Json, schema: &'d Json, names: &mut BTreeSet<&'d str>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|link| link.rsplit('/').next()) {
        properties(description, &description["components"]["schemas"][name], names);
    }
    names.extend(
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()),
    );
    for part in schema["allOf"].as_array().into_iter().flatten() {
        properties(description, part, names);
    }
}

#[tokio::test]
async fn answers_are_as_the_vendor_describes_them() {
    let Some(description) = description() else {
        println!("skipped: no shared data");
        return;
    };
    let bench = Bench::small().await;
    let servers = bench.rows("/api/v1/authorizationServers").await;
    let server = format!("/api/v1/authorizationServers/{}", servers[1]["id"].as_str().unwrap());
    let policies = bench.rows(&format!("{server}/policies")).await;
    let policy = policies[0]["id"].as_str().unwrap();
    let importer = bench.org().app_id("Old Importer").unwrap();
    let mut checked = 0;
    let mut found = Vec::new();
    for (path, name) in [
        (
            "/api/v1/apps?limit=200&filter=name eq \"oidc_client\"".to_owned(),
            "OpenIdConnectApplication",
        ),
        ("/api/v1/apps?limit=200&filter=name eq \"bookmark\"".to_owned(), "BookmarkApplication"),
        ("/api/v1/apps?limit=200&q=Payroll".to_owned(), "SamlApplication"),
        (format!("/api/v1/apps/{ROBOT}/grants?expand=scope"), "OAuth2ScopeConsentGrant"),
        (format!("/api/v1/users/{SAM}/grants"), "OAuth2ScopeConsentGrant"),
        (format!("/api/v1/apps/{DRIFT}/tokens?expand=scope"), "OAuth2RefreshToken"),
        (format!("/api/v1/users/{SAM}/clients"), "OAuth2Client"),
        ("/api/v1/users?search=status ne \"NOBODY\"".to_owned(), "User"),
        ("/api/v1/users/cora.custom@small.example/roles".to_owned(), "CustomRole"),
        (format!("/oauth2/v1/clients/{ROBOT}/roles"), "StandardRole"),
        ("/api/v1/api-tokens".to_owned(), "ApiToken"),
        ("/integrations/api/v1/api-services".to_owned(), "APIServiceIntegrationInstance"),
        (
            "/integrations/api/v1/api-services/0oaFAKEmailvault0001/credentials/secrets".to_owned(),
            "APIServiceIntegrationInstanceSecret",
        ),
        (format!("/api/v1/apps/{importer}/credentials/secrets"), "OAuth2ClientSecret"),
        ("/api/v1/authorizationServers".to_owned(), "AuthorizationServer"),
        (format!("{server}/policies"), "AuthorizationServerPolicy"),
        (format!("{server}/policies/{policy}/rules"), "AuthorizationServerPolicyRule"),
        (format!("{server}/scopes"), "OAuth2Scope"),
        ("/api/v1/logs?since=2025-10-01T00:00:00Z&limit=1000".to_owned(), "LogEvent"),
    ] {
        let rows = bench.rows(&path).await;
        assert!(!rows.is_empty(), "{path}");
        for row in rows {
            checked += 1;
            found.extend(complaints(&description, name, &row));
        }
    }
    let keys = bench.body(&format!("/api/v1/apps/{ROBOT}/credentials/jwks")).await;
    found.extend(complaints(
        &description,
        "OAuth2ClientJsonWebKeyRsaResponse",
        &keys["jwks"]["keys"][0],
    ));
    let (_, refusal) = bench.get("/api/v1/apps/0oanone").await;
    found.extend(complaints(&description, "Error", &refusal));
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{checked} objects checked: {found:#?}");
    assert!(checked > 100, "{checked}");

    let mut broken = bench.rows(&format!("/api/v1/apps/{ROBOT}/grants")).await.remove(0);
    broken["scopeId"] = json!(7);
    broken["created"] = json!("yesterday");
    broken["colour"] = json!("red");
    assert_eq!(
        complaints(&description, "OAuth2ScopeConsentGrant", &broken).len(),
        3,
        "it can fail"
    );
}
