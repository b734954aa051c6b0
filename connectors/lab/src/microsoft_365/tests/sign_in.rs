//! The token endpoint.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

#[tokio::test]
async fn a_secret_gives_a_token_with_roles() {
    let bench = Bench::small().await;
    let secret = bench.tenant().client().client_secret;
    let (status, body) = bench.token_call(&[("client_secret", &secret)]).await;
    assert_eq!(
        (status, &body["token_type"], &body["expires_in"]),
        (200, &json!("Bearer"), &json!(3_599))
    );
    let token = body["access_token"].as_str().unwrap();
    assert!(token.contains("FAKE"));
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Json = serde_json::from_slice(&payload).unwrap();
    let client = bench.tenant().client();
    assert_eq!(claims["tid"], client.tenant_id.as_str());
    assert_eq!(claims["appid"], client.client_id.as_str());
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert!(claims["exp"].as_i64().unwrap() > wall() + 3_000);
    assert!(claims["roles"].as_array().unwrap().contains(&json!("Directory.Read.All")));
    let own = format!("{}/.default", bench.tenant().base_url());
    assert_eq!(bench.token_call(&[("client_secret", &secret), ("scope", &own)]).await.0, 200);
}

#[tokio::test]
async fn a_certificate_gives_a_token_once_for_each_assertion() {
    let bench = Bench::small().await;
    let assertion = bench.assertion(&bench.claims());
    assert_eq!(bench.by_assertion(&assertion).await.0, 200);
    let (status, body) = bench.by_assertion(&assertion).await;
    assert_eq!((status, aadsts(&body)), (401, 700_027), "a replayed jti");
    let mut claims = bench.claims();
    claims["exp"] = json!(claims["exp"].as_f64().unwrap() + 0.25);
    assert_eq!(bench.by_assertion(&bench.assertion(&claims)).await.0, 200, "as msal writes it");
}

#[tokio::test]
async fn assertions_of_a_wrong_form_are_refused() {
    let bench = Bench::small().await;
    let with = |name: &str, value: Json| {
        let mut claims = bench.claims();
        claims[name] = value;
        bench.assertion(&claims)
    };
    let claims = bench.claims();
    let other = "00000000-0000-4000-8000-00000000beef";
    let mut unsigned = bench.assertion(&claims);
    unsigned.truncate(unsigned.len() - 8);
    unsigned.push_str("FAKEFAKE");
    for (assertion, number) in [
        (bench.assertion_with(&claims, Algorithm::RS256, None), 700_027),
        (bench.assertion_with(&claims, Algorithm::RS256, Some(&bench.thumbprint())), 700_027),
        (bench.assertion_with(&claims, Algorithm::PS256, Some("FAKE")), 700_027),
        (unsigned, 700_027),
        ("nonsense".to_owned(), 700_027),
        (with("aud", json!("https://login.microsoftonline.com/x/oauth2/v2.0/token")), 700_023),
        (with("sub", json!(other)), 700_021),
        (with("exp", json!(wall() - 3_600)), 700_024),
        (with("nbf", json!(wall() + 3_600)), 700_024),
        (with("jti", Json::Null), 700_027),
    ] {
        let (status, body) = bench.by_assertion(&assertion).await;
        assert_eq!(
            (status, aadsts(&body), &body["error"]),
            (401, number, &json!("invalid_client")),
            "{body}"
        );
    }
    let legacy = Bench::with(|world| world.behaviour.legacy_assertions = true).await;
    let assertion = legacy.assertion_with(&legacy.claims(), Algorithm::RS256, None);
    assert_eq!(legacy.by_assertion(&assertion).await.0, 200);
}

#[tokio::test]
async fn another_issuers_token_is_matched_to_the_federated_credential() {
    let bench = Bench::small().await;
    let assertion = bench.tenant().federated_assertion();
    let (status, body) = bench.by_assertion(&assertion).await;
    assert_eq!(status, 200, "{body}");
    for (change, number) in [
        (("iss", "https://elsewhere.example"), 700_211),
        (("sub", "repo:other/repo:ref:refs/heads/main"), 700_213),
        (("aud", "somebody"), 700_212),
        // All claims right, but signed by the app's own key.
        (("exp", ""), 700_027),
    ] {
        let mut claims = json!({
            "iss": "https://token.actions.githubusercontent.com",
            "sub": "repo:small/grants:ref:refs/heads/main",
            "aud": "api://AzureADTokenExchange",
            "exp": wall() + 300,
        });
        if !change.1.is_empty() {
            claims[change.0] = json!(change.1);
        }
        let own = bench.assertion_with(&claims, Algorithm::RS256, None);
        let (status, body) = bench.by_assertion(&own).await;
        assert_eq!((status, aadsts(&body)), (401, number), "{body}");
    }
}

#[tokio::test]
async fn every_refusal_has_its_number() {
    let bench = Bench::small().await;
    let client = bench.tenant().client();
    let secret = client.client_secret.as_str();
    let unknown = "00000000-0000-4000-8000-00000000beef";
    for (fields, status, number) in [
        (vec![("client_secret", "wrong")], 401, 7_000_215),
        (vec![("client_secret", "")], 401, 7_000_218),
        (vec![("client_secret", secret), ("client_assertion", "x")], 401, 7_000_218),
        (vec![("client_assertion", "x")], 400, 900_144),
        (vec![("client_secret", secret), ("client_id", unknown)], 400, 700_016),
        (
            vec![("client_secret", secret), ("client_id", "a2000000-0000-4000-8000-000000000002")],
            401,
            7_000_215,
        ),
        (
            vec![("client_secret", secret), ("scope", "https://graph.microsoft.com/Mail.Read")],
            400,
            1_002_012,
        ),
        (
            vec![("client_secret", secret), ("scope", "https://vault.example/.default")],
            400,
            500_011,
        ),
        (vec![("client_secret", secret), ("grant_type", "password")], 400, 70_003),
        (vec![("client_secret", secret), ("resource", "x")], 400, 9_002_313),
    ] {
        let (got, body) = bench.token_call(&fields).await;
        assert_eq!((got, aadsts(&body)), (status, number), "{fields:?}: {body}");
        let text = body["error_description"].as_str().unwrap();
        assert!(
            text.starts_with(&format!("AADSTS{number}: ")) && text.contains(" Trace ID: "),
            "{text}"
        );
        assert!(!text.contains(secret));
    }
    let elsewhere = format!("{}/nowhere.example/oauth2/v2.0/token", bench.tenant().base_url());
    let response = bench
        .send(
            bench
                .client
                .post(elsewhere)
                .form(&[("grant_type", "client_credentials"), ("client_id", &client.client_id)]),
        )
        .await;
    assert_eq!(aadsts(&response.json().await.unwrap()), 90_002);
    let by_domain = format!("{}/small.example/oauth2/v2.0/token", bench.tenant().base_url());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client.client_id),
        ("client_secret", secret),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    assert_eq!(bench.send(bench.client.post(by_domain).form(&form)).await.status(), 200);

    let patch = json!({ "accountEnabled": false });
    let (_, own) = bench.get(&format!("/servicePrincipals(appId='{}')", client.client_id)).await;
    let path = format!("/servicePrincipals/{}", own["id"].as_str().unwrap());
    assert_eq!(bench.call("PATCH", &path, Some(patch)).await.0, 204);
    let (status, body) = bench.token_call(&[("client_secret", secret)]).await;
    assert_eq!((status, aadsts(&body)), (400, 7_000_112));
    assert_eq!(bench.get("/organization").await.0, 401, "its tokens end too");
}

#[tokio::test]
async fn an_expired_secret_and_certificate_are_told_apart_from_wrong_ones() {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let mut world = World::parse(SMALL).unwrap();
    world.microsoft_365[0].scanner.secret_end = "-1d".parse().unwrap();
    world.microsoft_365[0].scanner.certificate_end = "-1d".parse().unwrap();
    let lab = Lab::builder().now(now).start(world).await.unwrap();
    let bench = Bench { lab, client: client(), token: String::new() };
    let secret = bench.tenant().client().client_secret;
    let (status, body) = bench.token_call(&[("client_secret", &secret)]).await;
    assert_eq!((status, aadsts(&body)), (401, 7_000_222));
    let (status, body) = bench.by_assertion(&bench.assertion(&bench.claims())).await;
    assert_eq!((status, aadsts(&body)), (401, 700_027));
}

#[tokio::test]
async fn tokens_expire() {
    let bench = Bench::with(|world| world.behaviour.token_seconds = 0).await;
    let (status, body) = bench.get("/organization").await;
    assert_eq!((status, code(&body)), (401, "InvalidAuthenticationToken"));
    let response = bench.send(bench.client.get(bench.url("/organization"))).await;
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
}
