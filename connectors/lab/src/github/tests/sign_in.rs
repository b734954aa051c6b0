//! Signing in as an App, by token, and what the front end wants of every request.

use super::*;

#[tokio::test]
async fn a_jwt_must_be_the_apps_own_and_of_now() {
    let bench = Bench::small().await;
    let client = bench.tenant().client();
    let sign = |claims: Json| jwt(&client.private_key_pem, &claims);
    let now = wall();
    let claims = |iat: i64, exp: i64| json!({ "iat": iat, "exp": exp, "iss": client.client_id });
    for (token, status, part) in [
        (sign(claims(now - 60, now + 540)), 200, ""),
        (sign(json!({ "iat": now, "exp": now + 60, "iss": client.app_id })), 200, ""),
        (sign(json!({ "iat": now, "exp": now + 60, "iss": client.app_id.to_string() })), 200, ""),
        (sign(claims(now - 60, now + 700)), 401, "('exp') is too far in the future"),
        (sign(claims(now - 900, now - 300)), 401, "('exp') must be a numeric value"),
        (sign(claims(now + 120, now + 300)), 401, "('iat') must be an Integer"),
        (sign(json!({ "exp": now + 60, "iss": client.client_id })), 401, "('iat')"),
        (
            sign(json!({ "iat": now, "exp": now + 60, "iss": "Iv1.nobody" })),
            404,
            "Integration not found",
        ),
        (jwt(&client.revoker_key_pem, &claims(now, now + 60)), 401, "could not be decoded"),
        ("nonsense".to_owned(), 401, "Bad credentials"),
    ] {
        let (found, body) = bench.get_as(&token, "/app").await;
        assert_eq!(found, status, "{body}");
        assert!(message(&body).contains(part), "{body}");
    }
    let (_, app) = bench.get_as(&bench.jwt(false), "/app").await;
    assert_eq!(
        (app["slug"].as_str(), app["installations_count"].as_u64()),
        (Some("grantwarden"), Some(2))
    );
    bench.tenant().set_behaviour(|behaviour| behaviour.clock_skew_seconds = 300);
    assert_eq!(bench.get_as(&sign(claims(now - 60, now + 240)), "/app").await.0, 401);
}

#[tokio::test]
async fn a_token_is_narrowed_and_ended() {
    let bench = Bench::small().await;
    let jwt = bench.jwt(false);
    let (_, found) = bench.get_as(&jwt, "/orgs/SMALL/installation").await;
    assert_eq!(found["account"]["login"], "small");
    let path = format!("/app/installations/{}/access_tokens", found["id"]);
    let asked = json!({ "permissions": { "organization_administration": "read" } });
    let (status, body) = bench.post_as(&jwt, &path, &asked).await;
    assert_eq!((status, &body["permissions"]), (201, &asked["permissions"]));
    let token = body["token"].as_str().unwrap();
    assert!(token.starts_with("ghs_FAKE") && token.len() == 40, "{token}");
    assert_eq!(bench.get_as(token, "/orgs/small/installations").await.0, 200);
    assert_eq!(bench.get_as(token, "/orgs/small/hooks").await.0, 403, "not asked for");
    for too_much in [
        json!({ "permissions": { "organization_administration": "write" } }),
        json!({ "permissions": { "issues": "read" } }),
        json!({ "permissions": { "organization-administration": "read" } }),
    ] {
        let (status, body) = bench.post_as(&jwt, &path, &too_much).await;
        assert_eq!(status, 422);
        assert!(message(&body).contains("not granted to this installation"));
    }
    let (_, whole) = bench.post_as(&jwt, &path, &json!({ "permissions": {} })).await;
    assert_eq!(whole["permissions"]["organization_hooks"], "read", "nothing asked is everything");
    assert_eq!(bench.delete_as(token, "/installation/token").await, 204);
    assert_eq!(bench.get_as(token, "/orgs/small/installations").await.0, 401);
    assert_eq!(bench.post_as(&jwt, "/app/installations/1/access_tokens", &json!({})).await.0, 404);
    assert_eq!(bench.get_as(&jwt, "/orgs/small-closed/installation").await.0, 404);
    assert_eq!(bench.get_as(&jwt, "/orgs/small/installations").await.0, 401, "a JWT is no token");
    assert_eq!(bench.get_as(&bench.token, "/app").await.0, 401, "a token is no JWT");

    bench.tenant().set_behaviour(|behaviour| behaviour.long_tokens = true);
    let long = bench.token_for("/orgs/small", false).await;
    assert_eq!((long.len() > 500, long.matches('.').count()), (true, 2), "{long}");
    assert_eq!(bench.get_as(&long, "/orgs/small/installations").await.0, 200);
    bench.tenant().set_behaviour(|behaviour| behaviour.token_seconds = 0);
    assert_eq!(bench.get_as(&long, "/orgs/small/installations").await.0, 401);
}

#[tokio::test]
async fn an_app_sees_its_installations() {
    let bench = Bench::small().await;
    let (status, list) = bench.get_as(&bench.jwt(false), "/app/installations").await;
    assert_eq!(status, 200);
    assert_eq!(texts(&list, "target_type"), ["Enterprise", "Organization", "Organization"]);
    let id = &list[0]["id"];
    let (_, one) = bench.get_as(&bench.jwt(false), &format!("/app/installations/{id}")).await;
    assert_eq!(one["account"]["slug"], "small-corp");
    assert_eq!(bench.get_as(&bench.jwt(true), &format!("/app/installations/{id}")).await.0, 404);
    let path = format!("/app/installations/{id}/access_tokens");
    let narrow = json!({ "permissions": { "enterprise_administration": "read" } });
    assert_eq!(bench.post_as(&bench.jwt(false), &path, &narrow).await.0, 422);
}

#[tokio::test]
async fn the_front_end_wants_headers_and_no_trailing_slash() {
    let bench = Bench::small().await;
    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    let silent = Client::builder().no_proxy().build().unwrap();
    let response = bench.send(silent.get(bench.url("/orgs/small")).bearer_auth(&bench.token)).await;
    assert_eq!(response.status().as_u16(), 403);
    let version = |version| {
        let request = bench.client.get(bench.url("/orgs/small")).bearer_auth(&bench.token);
        bench.send(request.header("X-GitHub-Api-Version", version))
    };
    assert_eq!(version("2022-11-28").await.status().as_u16(), 200);
    assert_eq!(version("2022-11-29").await.status().as_u16(), 400);
    assert_eq!(bench.get("/orgs/small/").await.0, 404);
    assert_eq!(bench.get("/orgs/nobody").await.0, 404);
    assert_eq!(bench.get("/nothing").await.0, 404);
    assert_eq!(bench.get("/orgs/small/installations?perpage=5").await.0, 422);
    let request = bench.client.get(bench.url("/orgs/small/installations"));
    let request = request.header("Authorization", format!("token {}", bench.token));
    assert_eq!(bench.send(request).await.status().as_u16(), 200, "the other scheme");
    let request = bench.client.get(bench.url("/orgs/small")).basic_auth("a", Some("b"));
    assert_eq!(bench.send(request).await.status().as_u16(), 401);
}

#[tokio::test]
async fn a_suspended_installation_is_shut_out() {
    let bench = Bench::small().await;
    assert!(bench.tenant().set_suspended("small", "grantwarden", true));
    let (status, body) = bench.get("/orgs/small/installations").await;
    assert_eq!((status, message(&body)), (403, "This installation has been suspended"));
    let jwt = bench.jwt(false);
    let (_, found) = bench.get_as(&jwt, "/orgs/small/installation").await;
    assert!(found["suspended_at"].is_string());
    let path = format!("/app/installations/{}/access_tokens", found["id"]);
    assert_eq!(bench.post_as(&jwt, &path, &json!({})).await.0, 403);
    assert!(bench.tenant().set_suspended("small", "grantwarden", false));
    assert_eq!(bench.get("/orgs/small/installations").await.0, 200);
    assert!(!bench.tenant().set_suspended("small", "nothing", true));
}
