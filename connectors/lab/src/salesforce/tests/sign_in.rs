//! Signing in, and each way to be refused.

use super::*;

#[tokio::test]
async fn a_signed_assertion_gives_an_access_token() {
    let bench = Bench::small().await;
    let (_, body) = bench.sign_in(bench.claims()).await;
    assert_eq!(body["instance_url"], bench.org().base_url());
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], "api");
    assert!(body.get("expires_in").is_none() && body.get("refresh_token").is_none());
    assert!(body["access_token"].as_str().unwrap().starts_with("00DLAB"));
    assert!(body["access_token"].as_str().unwrap().contains("!FAKE."));
    let id = body["id"].as_str().unwrap();
    assert!(id.starts_with("https://login.salesforce.com/id/00DLAB"), "{id}");

    let mut own = bench.claims();
    own["aud"] = bench.org().base_url().into();
    assert_eq!(bench.sign_in(own).await.0, 200, "the lab's own address is an audience too");
}

#[tokio::test]
async fn each_wrong_assertion_has_its_refusal() {
    let bench = Bench::small().await;
    for (claim, value, error, description) in [
        ("iss", json!("3MVG9.UNKNOWN"), "invalid_client_id", "client identifier invalid"),
        (
            "iss",
            json!("3MVG9.LAB.FAKE.My_Ticket_Portal"),
            "invalid_client",
            "app must be installed into org",
        ),
        ("iss", json!("PlatformCLI"), "invalid_grant", "invalid assertion"),
        ("aud", json!("https://example.com"), "invalid_grant", "audience is invalid"),
        ("exp", json!(wall() - 60), "invalid_grant", "invalid assertion"),
        ("exp", json!(wall() + 600), "invalid_grant", "invalid assertion"),
        (
            "sub",
            json!("nobody@small.example"),
            "invalid_grant",
            "user hasn't approved this consumer",
        ),
        ("sub", json!("gone.gus@small.example"), "invalid_grant", "user is inactive"),
        (
            "sub",
            json!("sam.sales@small.example"),
            "invalid_app_access",
            "user is not admin approved to access this app",
        ),
    ] {
        let mut claims = bench.claims();
        claims[claim] = value.clone();
        let (status, body) = bench.sign_in(claims).await;
        assert_eq!(status, 400, "{claim}={value}");
        assert_eq!(
            body,
            json!({ "error": error, "error_description": description }),
            "{claim}={value}"
        );
    }
    let mut forged = bench.assertion(&bench.claims());
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let (_, body) = bench.token_call(&[("grant_type", grant), ("assertion", &forged)]).await;
    assert_eq!(body["error_description"], "invalid assertion");
    let (_, body) = bench.token_call(&[("grant_type", "password")]).await;
    assert_eq!(body["error"], "unsupported_grant_type");
    let (_, body) =
        bench.token_call(&[("grant_type", grant), ("assertion", "x"), ("bogus", "1")]).await;
    assert_eq!(body["error"], "invalid_request");
}

#[tokio::test]
async fn a_frozen_world_takes_its_own_time_too() {
    let bench = Bench::small().await;
    let mut claims = bench.claims();
    let frozen: jiff::Timestamp = "2026-01-15T12:02:00Z".parse().unwrap();
    claims["exp"] = frozen.as_second().into();
    assert_eq!(bench.sign_in(claims).await.0, 200);
}

#[tokio::test]
async fn client_credentials_need_the_flow_and_the_secret() {
    let bench = Bench::small().await;
    let client = bench.org().client();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client.client_id),
        ("client_secret", &client.client_secret),
    ];
    assert_eq!(bench.token_call(&form).await.0, 200);

    let request = bench
        .client
        .post(bench.url("/services/oauth2/token"))
        .basic_auth(&client.client_id, Some(&client.client_secret))
        .form(&[("grant_type", "client_credentials")]);
    assert_eq!(bench.send(request).await.status(), 200);

    let wrong = [form[0], form[1], ("client_secret", "FAKE-SECRET-wrong")];
    assert_eq!(bench.token_call(&wrong).await.1["error"], "invalid_client");

    let off = Bench::with(|org| org.external_client_apps[1].client_credentials_user = None).await;
    let client = off.org().client();
    let form = [form[0], form[1], ("client_secret", &client.client_secret)];
    let (_, body) = off.token_call(&form).await;
    assert_eq!(body["error_description"], "no client credentials user enabled");
}

#[tokio::test]
async fn sessions_end_by_calls_by_time_and_by_revocation() {
    let refused = |(status, body): (u16, Json)| {
        assert_eq!((status, code(&body)), (401, "INVALID_SESSION_ID"), "{body}");
    };
    let bench = Bench::with(|org| org.behaviour.session_calls = Some(2)).await;
    for _ in 0..2 {
        assert_eq!(bench.query("SELECT COUNT() FROM OauthToken").await.0, 200);
    }
    refused(bench.query("SELECT COUNT() FROM OauthToken").await);

    let bench = Bench::with(|org| org.behaviour.session_seconds = 0).await;
    refused(bench.query("SELECT COUNT() FROM OauthToken").await);

    let bench = Bench::small().await;
    assert_eq!(bench.revoke(&bench.token).await, 200);
    refused(bench.query("SELECT COUNT() FROM OauthToken").await);
    let request = bench
        .client
        .get(bench.url("/services/data/v65.0/limits"))
        .header("authorization", "Token x");
    assert_eq!(bench.send(request).await.status(), 401);
}
