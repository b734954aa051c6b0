//! Everything that ends or contains an access.

use super::*;

#[tokio::test]
async fn a_scope_grant() {
    let bench = Bench::small().await;
    let before = bench.org().grant_count();
    let grants = format!("/api/v1/apps/{ROBOT}/grants");
    let id = bench.rows(&grants).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        bench
            .call(
                Method::DELETE,
                &format!("{grants}/{id}"),
                &format!("Bearer {}", bench.token),
                None
            )
            .await
            .status(),
        403
    );
    assert_eq!(bench.delete(&format!("{grants}/{id}")).await, 204);
    assert!(!bench.org().has_grant("Backup Robot", "okta.users.manage", None));
    let (status, body) = bench.change(Method::DELETE, &format!("{grants}/{id}"), None).await;
    assert_eq!((status, code(&body)), (404, "E0000007"), "twice");
    assert_eq!(bench.get(&format!("{grants}/{id}")).await.0, 404);
    assert_eq!(bench.org().grant_count(), before - 1);
    // Our own: the token that exists works on, a new one is not given.
    let own = format!("/api/v1/apps/{}/grants", bench.org().client().client_id);
    let mine = bench.rows(&own).await;
    let logs = mine.iter().find(|grant| grant["scopeId"] == "okta.logs.read").unwrap();
    assert_eq!(bench.delete(&format!("{own}/{}", logs["id"].as_str().unwrap())).await, 204);
    assert_eq!(bench.get("/api/v1/logs").await.0, 200);
    let client = bench.org().client();
    let signed = assertion(&client, &claims(&client));
    assert_eq!(bench.token_call(&form("okta.logs.read", &signed)).await.0, 400);
    // Some orgs may keep what is revoked in sight.
    bench.org().set_behaviour(|behaviour| behaviour.revoked_listed = true);
    let id = bench.rows(&grants).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.delete(&format!("{grants}/{id}")).await, 204);
    assert_eq!(bench.body(&format!("{grants}/{id}")).await["status"], "REVOKED");
    assert!(!bench.org().has_grant(ROBOT, "okta.apps.manage", None));
    assert_eq!(bench.delete(&format!("{grants}/{id}")).await, 404);
}

#[tokio::test]
async fn refresh_tokens_one_and_all() {
    let bench = Bench::small().await;
    let tokens = format!("/api/v1/apps/{DRIFT}/tokens");
    let id = bench.rows(&tokens).await[0]["id"].as_str().unwrap().to_owned();
    assert!(bench.org().has_token(&id));
    assert_eq!(bench.delete(&format!("{tokens}/{id}")).await, 204);
    assert!(!bench.org().has_token(&id));
    assert_eq!(bench.delete(&format!("{tokens}/{id}")).await, 404);
    assert_eq!(bench.delete(&tokens).await, 204);
    assert_eq!(bench.delete(&tokens).await, 204, "nothing is left, and that is all right");
    assert_eq!((bench.org().token_count("Drift", None), bench.rows(&tokens).await.len()), (0, 0));
    assert_eq!(bench.org().token_count("Team Board", None), 1);
}

#[tokio::test]
async fn one_user() {
    let bench = Bench::small().await;
    let org = bench.org();
    let pair = format!("/api/v1/users/{SAM}/clients/{DRIFT}");
    let first = bench.rows(&format!("{pair}/tokens")).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.delete(&format!("{pair}/tokens/{first}")).await, 204);
    assert_eq!(bench.delete(&format!("{pair}/tokens")).await, 204);
    assert_eq!((org.token_count(DRIFT, Some(SAM)), org.token_count(DRIFT, Some(ADA))), (0, 1));
    let sam = org.user_id(SAM).unwrap();
    let grant = bench.rows(&format!("/api/v1/users/{sam}/grants")).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(bench.delete(&format!("/api/v1/users/{sam}/grants/{grant}")).await, 204);
    assert!(!org.has_grant(DRIFT, "okta.users.read.self", Some(SAM)));
    assert_eq!(bench.delete(&format!("{pair}/grants")).await, 204);
    assert!(!org.has_grant(DRIFT, "orders.read", Some(SAM)));
    assert!(org.has_grant(DRIFT, "orders.read", Some(GUS)));
    assert_eq!(bench.delete(&format!("/api/v1/users/{GUS}/grants")).await, 204);
    assert!(!org.has_grant(DRIFT, "orders.read", Some(GUS)));
    let sessions = format!("/api/v1/users/{SAM}/sessions");
    assert_eq!(bench.delete(&sessions).await, 204);
    assert_eq!(org.token_count("Team Board", Some(SAM)), 1, "tokens only if asked");
    assert_eq!(bench.delete(&format!("{sessions}?oauthTokens=true")).await, 204);
    assert_eq!(org.token_count("Team Board", Some(SAM)), 0);
    assert_eq!(bench.delete(&format!("{sessions}?oauthTokens=maybe")).await, 400);
    assert_eq!(bench.delete("/api/v1/users/nobody/sessions").await, 404);
}

#[tokio::test]
async fn a_custom_authorization_server() {
    let bench = Bench::small().await;
    let servers = bench.rows("/api/v1/authorizationServers").await;
    let own = format!(
        "/api/v1/authorizationServers/{}/clients/{DRIFT}/tokens",
        servers[1]["id"].as_str().unwrap()
    );
    assert_eq!(bench.delete(&own).await, 204);
    assert_eq!(bench.org().token_count(DRIFT, None), 3, "the org's own stay");
}

#[tokio::test]
async fn an_api_token() {
    let bench = Bench::small().await;
    let path = "/api/v1/api-tokens/00TFAKEbackup0000001";
    let zones = bench.rows("/api/v1/zones").await;
    let zone = zones.iter().find(|zone| zone["name"] == "Quarantine").unwrap()["id"].clone();
    let user = bench.org().user_id("svc.backup@small.example").unwrap();
    let network =
        |network: Json| json!({ "name": "Backup vendor", "userId": user, "network": network });
    for (wrong, wanted) in [
        (network(json!({ "connection": "ZONE" })), "E0000001"),
        (network(json!({ "connection": "ZONE", "include": ["nzonone"] })), "E0000001"),
        (network(json!({ "connection": "NOWHERE", "include": [zone] })), "E0000001"),
        (json!({ "userId": user }), "E0000001"),
        (json!({ "name": "x", "userId": "00uother" }), "E0000001"),
        (json!({ "name": "x", "colour": "red" }), "E0000001"),
        (json!("text"), "E0000003"),
    ] {
        let (status, body) = bench.change(Method::PUT, path, Some(wrong.clone())).await;
        assert_eq!((status, code(&body)), (400, wanted), "{wrong}");
    }
    assert_eq!(bench.ssws("Backup vendor", "/api/v1/users/me").await.0, 200);
    let bound = network(json!({ "connection": "ZONE", "include": [zone] }));
    let (status, body) = bench.change(Method::PUT, path, Some(bound)).await;
    assert_eq!((status, &body["network"]["include"]), (200, &json!([zone])));
    assert_eq!(bench.org().api_token_zones("Backup vendor").unwrap().len(), 1);
    assert_eq!(bench.ssws("Backup vendor", "/api/v1/users/me").await.0, 401, "contained");
    let told = bench.rows("/api/v1/logs?filter=eventType eq \"system.api_token.request_outside_allowed_range\" and outcome.result eq \"DENY\"").await;
    assert_eq!(told.len(), 2);
    assert!(bench.org().has_api_token("Backup vendor"));
    assert_eq!(bench.delete(path).await, 204);
    assert_eq!(bench.delete(path).await, 404);
    assert!(!bench.org().has_api_token("Backup vendor"));
}

#[tokio::test]
async fn an_api_service_integration() {
    let bench = Bench::small().await;
    let own = "/integrations/api/v1/api-services/0oaFAKEmailvault0001";
    let secrets = texts(&bench.rows(&format!("{own}/credentials/secrets")).await, "id");
    let switch =
        |secret: &str, verb: &str| format!("{own}/credentials/secrets/{secret}/lifecycle/{verb}");
    let (status, body) = bench.change(Method::POST, &switch(&secrets[0], "deactivate"), None).await;
    assert_eq!((status, &body["status"]), (200, &json!("INACTIVE")));
    let (status, body) = bench.change(Method::POST, &switch(&secrets[1], "deactivate"), None).await;
    assert_eq!((status, code(&body)), (400, "E0000001"), "the only active one");
    assert_eq!(bench.delete(&format!("{own}/credentials/secrets/{}", secrets[1])).await, 400);
    assert_eq!(bench.change(Method::POST, &switch(&secrets[0], "activate"), None).await.0, 200);
    assert_eq!(bench.change(Method::POST, &switch(&secrets[1], "deactivate"), None).await.0, 200);
    assert_eq!(bench.delete(&format!("{own}/credentials/secrets/{}", secrets[1])).await, 204);
    assert!(bench.org().has_api_service("Mailvault"));
    assert_eq!(bench.delete(own).await, 204);
    assert_eq!(bench.delete(own).await, 404);
    assert!(!bench.org().has_api_service("Mailvault"));
}

#[tokio::test]
async fn an_app() {
    let bench = Bench::small().await;
    let app = format!("/api/v1/apps/{DRIFT}");
    let (status, body) = bench.change(Method::DELETE, &app, None).await;
    assert_eq!((status, code(&body)), (403, "E0000056"));
    let switch = |verb: &str| format!("{app}/lifecycle/{verb}");
    assert_eq!(bench.change(Method::POST, &switch("deactivate"), None).await, (200, json!({})));
    assert_eq!(bench.org().app_status("Drift"), Some("INACTIVE"));
    assert_eq!(bench.change(Method::POST, &switch("deactivate"), None).await.0, 200);
    bench.org().set_behaviour(|behaviour| behaviour.second_deactivation_refused = true);
    assert_eq!(bench.change(Method::POST, &switch("deactivate"), None).await.0, 400);
    assert_eq!(bench.change(Method::POST, &switch("activate"), None).await.0, 200);
    assert_eq!(bench.org().app_status(DRIFT), Some("ACTIVE"));
    assert_eq!(bench.change(Method::POST, &switch("deactivate"), None).await.0, 200);
    assert_eq!(bench.delete(&app).await, 204);
    assert_eq!(bench.org().app_status("Drift"), Some("DELETED"));
    assert_eq!(bench.get(&app).await.0, 404);
    assert_eq!(bench.org().token_count("Drift", None), 0);
    assert_eq!(bench.org().app_status("No such app"), None);
    // The scanner's own app: its token dies at once, and it gets no other.
    let own = format!("/api/v1/apps/{}/lifecycle/deactivate", bench.org().client().client_id);
    assert_eq!(bench.change(Method::POST, &own, None).await.0, 200);
    let (status, body) = bench.get("/api/v1/apps").await;
    assert_eq!((status, code(&body)), (401, "E0000011"));
}

#[tokio::test]
async fn keys_and_secrets_of_apps() {
    let bench = Bench::small().await;
    let keys = bench.body(&format!("/api/v1/apps/{ROBOT}/credentials/jwks")).await;
    let id = |place: usize| keys["jwks"]["keys"][place]["id"].as_str().unwrap().to_owned();
    let own = |place: usize| format!("/api/v1/apps/{ROBOT}/credentials/jwks/{}", id(place));
    assert_eq!(
        bench.change(Method::POST, &format!("{}/lifecycle/deactivate", own(0)), None).await.0,
        200
    );
    assert_eq!(
        bench.change(Method::POST, &format!("{}/lifecycle/deactivate", own(1)), None).await.0,
        400
    );
    assert_eq!(bench.delete(&own(0)).await, 204);
    assert_eq!(bench.delete(&own(0)).await, 404);
    let intranet = bench.org().app_id("Small Intranet").unwrap();
    let listed = bench.rows(&format!("/api/v1/apps/{intranet}/credentials/secrets")).await;
    let secret = format!(
        "/api/v1/apps/{intranet}/credentials/secrets/{}",
        listed[0]["id"].as_str().unwrap()
    );
    let (status, body) =
        bench.change(Method::POST, &format!("{secret}/lifecycle/deactivate"), None).await;
    assert_eq!((status, code(&body)), (400, "E0000001"));
    assert_eq!(bench.delete(&secret).await, 400);
}
