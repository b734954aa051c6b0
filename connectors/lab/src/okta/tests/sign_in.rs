//! The token endpoint, API tokens, and the two gates.

use super::*;
use crate::okta::OktaRoleless;

#[tokio::test]
async fn a_service_app_signs_in_with_either_key() {
    let bench = Bench::small().await;
    let client = bench.org().client();
    let (status, body) =
        bench.token_call(&form("okta.apps.read", &assertion(&client, &claims(&client)))).await;
    assert_eq!(
        (status, &body["token_type"], &body["expires_in"]),
        (200, &json!("Bearer"), &json!(3_600))
    );
    assert_eq!(body["scope"], "okta.apps.read");
    assert!(body.get("refresh_token").is_none());
    let key =
        EncodingKey::from_ec_pem(client.ec_private_key_pem.as_ref().unwrap().as_bytes()).unwrap();
    let header = Header { kid: client.ec_key_id.clone(), ..Header::new(Algorithm::ES256) };
    let signed = encode(&header, &claims(&client), &key).unwrap();
    assert_eq!(bench.token_call(&form("okta.apps.read", &signed)).await.0, 200);
    // Some clients put the fields into the query.
    let fresh = assertion(&client, &claims(&client));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form("okta.apps.read", &fresh))
        .finish();
    let request = bench.client.post(bench.url(&format!("/oauth2/v1/token?{query}")));
    assert_eq!(bench.send(request).await.status(), 200);
    assert!(!format!("{client:?}").contains("PRIVATE"));
}

#[tokio::test]
async fn a_bad_assertion_is_refused() {
    let bench = Bench::small().await;
    let client = bench.org().client();
    let with = |name: &str, value: Json| {
        let mut claims = claims(&client);
        claims[name] = value;
        claims
    };
    for wrong in [
        with("aud", json!(bench.url("/oauth2/default/v1/token"))),
        with("aud", json!(bench.org().base_url())),
        with("iss", json!("0oaother")),
        with("sub", json!("0oaother")),
        with("exp", json!(wall() - 10)),
        with("exp", json!(wall() + 2 * 3_600)),
        with("iat", json!(wall() + 3_600)),
        with("jti", Json::Null),
    ] {
        let signed = assertion(&client, &wrong);
        let (status, body) = bench.token_call(&form("okta.apps.read", &signed)).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "{wrong}");
    }
    // Used twice.
    let signed = assertion(&client, &claims(&client));
    assert_eq!(bench.token_call(&form("okta.apps.read", &signed)).await.0, 200);
    assert_eq!(bench.token_call(&form("okta.apps.read", &signed)).await.0, 401);
    // Another client's key, and a key id that nobody has.
    let revoker = bench.org().revoker();
    let foreign = OktaClient { private_key_pem: revoker.private_key_pem.clone(), ..client.clone() };
    let unknown = OktaClient { key_id: "FAKE-none".to_owned(), ..client.clone() };
    for wrong in [foreign, unknown] {
        let signed = assertion(&wrong, &claims(&wrong));
        assert_eq!(bench.token_call(&form("okta.apps.read", &signed)).await.0, 401);
    }
}

#[tokio::test]
async fn a_bad_token_request_is_refused() {
    let bench = Bench::small().await;
    let client = bench.org().client();
    for (scopes, replaced, status, error) in [
        ("okta.apps.manage", None, 400, "invalid_scope"),
        ("okta.apps.read okta.apps.manage", None, 400, "invalid_scope"),
        ("", None, 400, "invalid_scope"),
        ("okta.apps.read", Some(("grant_type", "password")), 400, "unsupported_grant_type"),
        ("okta.apps.read", Some(("client_assertion_type", "x")), 401, "invalid_client"),
        ("okta.apps.read", Some(("client_secret", "x")), 400, "invalid_request"),
    ] {
        let signed = assertion(&client, &claims(&client));
        let mut form = form(scopes, &signed);
        if let Some((name, value)) = replaced {
            form.retain(|(known, _)| *known != name);
            form.push((name, value));
        }
        let (seen, body) = bench.token_call(&form).await;
        assert_eq!((seen, body["error"].as_str().unwrap()), (status, error));
    }
    bench.org().set_behaviour(|behaviour| behaviour.partial_scopes = true);
    let signed = assertion(&client, &claims(&client));
    let (status, body) = bench.token_call(&form("okta.apps.read okta.apps.manage", &signed)).await;
    assert_eq!((status, &body["scope"]), (200, &json!("okta.apps.read")));
    let request = bench.client.get(bench.url("/oauth2/v1/token"));
    assert_eq!(bench.send(request).await.status(), 405);
}

#[tokio::test]
async fn tokens_and_schemes() {
    let bench = Bench::small().await;
    let request = bench.client.get(bench.url("/api/v1/apps"));
    let response = bench.send(request).await;
    assert!(response.headers().contains_key("x-okta-request-id"));
    assert_eq!(response.status(), 401);
    assert_eq!(code(&response.json().await.unwrap()), "E0000005");
    for header in ["Bearer FAKE", "Basic eDp5", "nonsense", "SSWS 00FAKE"] {
        let response = bench.call(Method::GET, "/api/v1/apps", header, None).await;
        assert_eq!(response.status(), 401, "{header}");
        assert!(response.headers().contains_key("www-authenticate"));
        assert_eq!(code(&response.json().await.unwrap()), "E0000011");
    }
    // An hour, and no more.
    bench.org().set_behaviour(|behaviour| behaviour.token_seconds = 0);
    let short = bench.sign_in(&bench.org().client(), "okta.apps.read").await;
    let response = bench.call(Method::GET, "/api/v1/apps", &format!("Bearer {short}"), None).await;
    assert_eq!(response.status(), 401);
    // The service app revokes its own token.
    let client = bench.org().client();
    let mut claims = claims(&client);
    claims["aud"] = json!(bench.url("/oauth2/v1/revoke"));
    let signed = assertion(&client, &claims);
    let form = [
        ("token", bench.token.as_str()),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &signed),
    ];
    let request = bench.client.post(bench.url("/oauth2/v1/revoke")).form(&form);
    assert_eq!(bench.send(request).await.status(), 200);
    assert_eq!(bench.get("/api/v1/apps").await.0, 401);
}

#[tokio::test]
async fn both_gates_are_kept() {
    let bench = Bench::small().await;
    // The scope, without a body of the usual kind.
    let narrow = bench.sign_in(&bench.org().client(), "okta.apps.read").await;
    let narrow = format!("Bearer {narrow}");
    let response = bench.call(Method::GET, "/api/v1/users", &narrow, None).await;
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("okta.users.read"),
        "{challenge}"
    );
    assert_eq!(response.text().await.unwrap(), "");
    // To manage is not to read, if the org says so.
    let managing = bench.sign_in(&bench.org().revoker(), "okta.apps.manage").await;
    let managing = format!("Bearer {managing}");
    assert_eq!(bench.call(Method::GET, "/api/v1/apps", &managing, None).await.status(), 200);
    bench.org().set_behaviour(|behaviour| behaviour.manage_reads = false);
    assert_eq!(bench.call(Method::GET, "/api/v1/apps", &managing, None).await.status(), 403);
    // The role.
    bench
        .org()
        .set_behaviour(|behaviour| behaviour.super_admin_only = vec!["apiTokens".to_owned()]);
    let (status, body) = bench.get("/api/v1/api-tokens").await;
    assert_eq!((status, code(&body)), (403, "E0000006"));
    assert!(bench.org().set_right("SUPER_ADMIN", true));
    assert_eq!(bench.get("/api/v1/api-tokens").await.0, 200);
    bench.org().remove_roles();
    assert!(bench.org().set_right("App reader", true));
    assert_eq!(bench.get("/api/v1/apps").await.0, 200);
    let (status, body) = bench.get("/api/v1/logs").await;
    assert_eq!((status, code(&body)), (403, "E0000006"));
    assert!(!bench.org().set_right("NO_SUCH_ADMIN", true));
    // Without any role.
    bench.org().remove_roles();
    let (status, body) = bench.get("/api/v1/apps").await;
    assert_eq!((status, code(&body)), (403, "E0000006"));
    bench.org().set_behaviour(|behaviour| behaviour.roleless = OktaRoleless::Empty);
    assert_eq!(bench.body("/api/v1/apps").await, json!([]));
    assert_eq!(bench.body("/api/v1/api-tokens").await, json!([]));
    assert_eq!(bench.body("/api/v1/iam/assignees/users").await["value"], json!([]));
    assert_eq!(bench.get(&format!("/api/v1/apps/{DRIFT}/grants")).await.0, 404);
}

#[tokio::test]
async fn rights_come_and_go() {
    let bench = Bench::small().await;
    let org = bench.org();
    assert!(org.has_grant("Grantwarden", "okta.logs.read", None));
    assert!(org.set_right("okta.logs.read", false));
    assert!(!org.has_grant("Grantwarden", "okta.logs.read", None));
    assert_eq!(bench.get("/api/v1/logs").await.0, 403, "gone from the token too");
    let client = org.client();
    let signed = assertion(&client, &claims(&client));
    assert_eq!(bench.token_call(&form("okta.logs.read", &signed)).await.0, 400);
    assert!(org.set_right("okta.apps.manage", true) && org.set_right("okta.apps.manage", true));
    bench.sign_in(&client, "okta.apps.manage").await;
    assert!(org.set_revoker_right("okta.apps.manage", false));
    assert_eq!(bench.delete(&format!("/api/v1/apps/{DRIFT}/tokens")).await, 403);
    assert!(!org.set_right("okta.nothing.read", true));
}

#[tokio::test]
async fn api_tokens_have_the_rights_of_their_user() {
    let bench = Bench::small().await;
    assert_eq!(bench.org().client().api_token.unwrap().len(), 42);
    let (status, me) = bench.ssws("Grantwarden", "/api/v1/users/me").await;
    assert_eq!((status, &me["profile"]["login"]), (200, &json!(ADA)));
    assert_eq!(bench.get("/api/v1/users/me").await.0, 404, "a service app is no user");
    assert_eq!(bench.ssws("Backup vendor", "/api/v1/logs").await.0, 200);
    let (status, body) = bench.ssws("Sam macro", "/api/v1/apps").await;
    assert_eq!((status, code(&body)), (403, "E0000006"));
    assert_eq!(bench.ssws("Sam macro", "/api/v1/users/me").await.0, 200);
    for dead in ["Gus script", "Help desk board", "Forgotten"] {
        let (status, body) = bench.ssws(dead, "/api/v1/users").await;
        assert_eq!((status, code(&body)), (401, "E0000011"), "{dead}");
    }
    // Each use moves the end.
    let tokens = bench.rows("/api/v1/api-tokens").await;
    let own = tokens.iter().find(|token| token["name"] == "Backup vendor").unwrap();
    assert_eq!(own["expiresAt"], "2026-02-14T12:00:00.000Z");
    let calls = bench.org().calls();
    assert!(calls.iter().any(|call| call.user.as_deref() == Some(ADA)));
    assert!(calls.iter().any(|call| call.asks("client_credentials okta.apiTokens.read")));
}
