//! Signing in, and each way to be refused.

use super::*;

#[tokio::test]
async fn a_signed_assertion_gives_an_access_token() {
    let bench = Bench::small().await;
    let (status, body) = bench.sign_in(bench.claims(&["admin.directory.user.readonly"])).await;
    assert_eq!((status, &body["expires_in"]), (200, &json!(3_599)));
    assert_eq!(body["token_type"], "Bearer");
    assert!(body["access_token"].as_str().unwrap().starts_with("ya29.FAKE."));
    assert!(body.get("refresh_token").is_none());
    let mut own = bench.claims(&["admin.directory.user.readonly"]);
    own["aud"] = bench.url("/token").into();
    assert_eq!(bench.sign_in(own).await.0, 200, "the lab's own address is an audience too");
    let asked = bench.customer().calls();
    assert_eq!(
        asked.last().unwrap().operation.as_deref(),
        Some(
            format!("{JWT_BEARER} https://www.googleapis.com/auth/admin.directory.user.readonly")
                .as_str()
        )
    );
    assert!(bench.key()["private_key_id"].as_str().unwrap().starts_with("FAKE"));
}

#[tokio::test]
async fn each_wrong_assertion_has_its_refusal() {
    let bench = Bench::small().await;
    let invalid = "invalid_grant";
    for (claim, value, status, error, part) in [
        ("iss", json!("nobody@x.iam.gserviceaccount.com"), 400, invalid, "account not found"),
        ("sub", json!("nobody@small.example"), 400, invalid, "Invalid email or User ID"),
        ("sub", json!("gone.gus@small.example"), 400, invalid, "Invalid email or User ID"),
        ("aud", json!("https://example.com"), 400, invalid, "audience"),
        ("exp", json!(wall() + 4_500), 400, invalid, "iat and exp"),
        ("exp", json!(wall() - 10), 400, invalid, "iat and exp"),
        ("iat", json!(wall() + 900), 400, invalid, "iat and exp"),
        ("scope", json!(""), 400, "invalid_scope", "scope"),
        ("scope", json!("nonsense"), 400, "invalid_scope", "scope"),
        (
            "scope",
            json!("https://www.googleapis.com/auth/drive"),
            401,
            "unauthorized_client",
            "not authorized for any of the scopes",
        ),
    ] {
        let mut claims = bench.claims(&["admin.directory.user"]);
        claims[claim] = value.clone();
        let (got, body) = bench.sign_in(claims).await;
        assert_eq!((got, body["error"].as_str()), (status, Some(error)), "{claim}={value}");
        assert!(body["error_description"].as_str().unwrap().contains(part), "{claim}: {body}");
    }
    let commas = full(&SCOPES[..2]).replace(' ', ",");
    let mut claims = bench.claims(&[]);
    claims["scope"] = commas.into();
    assert_eq!(bench.sign_in(claims).await.1["error"], "invalid_scope");
}

#[tokio::test]
async fn the_signature_and_the_form_are_checked() {
    let bench = Bench::small().await;
    let claims = bench.claims(&["admin.directory.user"]);
    let good = bench.assertion(&claims, None);
    let (head, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", "A".repeat(342));
    let other_key = bench.assertion(&claims, Some("FAKEother"));
    for assertion in [forged.as_str(), other_key.as_str()] {
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion)];
        let (status, body) = bench.token_call(&form).await;
        assert_eq!(status, 400);
        assert_eq!(body["error_description"], "Invalid JWT Signature.");
    }
    let extra = [("grant_type", JWT_BEARER), ("assertion", &good), ("scope", "x")];
    assert_eq!(bench.token_call(&extra).await.1["error"], "invalid_request");
    let other = [("grant_type", "password")];
    assert_eq!(bench.token_call(&other).await.1["error"], "unsupported_grant_type");
    let broken = [("grant_type", JWT_BEARER), ("assertion", "a.b")];
    assert_eq!(bench.token_call(&broken).await.1["error"], "invalid_grant");
    let get = bench.send(bench.client.get(bench.url("/token"))).await;
    assert_eq!(get.status(), 400);
}

#[tokio::test]
async fn one_scope_that_is_not_delegated_fails_the_whole_request() {
    let bench = Bench::small().await;
    assert!(bench.customer().set_scope("admin.directory.user.security", false));
    assert!(!bench.customer().set_scope("admin.directory.nothing", false));
    let (status, body) = bench.sign_in(bench.claims(&SCOPES)).await;
    assert_eq!((status, body["error"].as_str()), (401, Some("unauthorized_client")));
    assert_eq!(bench.sign_in(bench.claims(&["admin.directory.user.readonly"])).await.0, 200);
    let (status, body) = bench.get(&user_path(SAM, "/tokens")).await;
    assert_eq!((status, reason(&body)), (403, "insufficientPermissions"), "old tokens lose it too");
    assert!(bench.customer().set_scope("admin.directory.user.security", true));
    assert_eq!(bench.get(&user_path(SAM, "/tokens")).await.0, 200);
}

#[tokio::test]
async fn a_call_needs_a_live_token_with_the_scope() {
    let bench = Bench::small().await;
    let users = "/admin/directory/v1/users?customer=my_customer";
    let bare = bench.send(bench.client.get(bench.url(users))).await;
    assert_eq!(bare.status(), 401);
    assert_eq!(reason(&bare.json().await.unwrap()), "required");
    let (status, body) = bench.get_as("ya29.FAKE.other", users).await;
    assert_eq!((status, reason(&body)), (401, "authError"));
    assert_eq!(body["error"]["status"], "UNAUTHENTICATED");

    let narrow = bench.sign_in_for(&["admin.reports.audit.readonly"]).await;
    let request = bench.client.get(bench.url(users)).bearer_auth(&narrow);
    let response = bench.send(request).await;
    assert_eq!(response.status(), 403);
    let header = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(header.contains("insufficient_scope") && header.contains("admin.directory.user"));
    let body: Json = response.json().await.unwrap();
    assert_eq!(reason(&body), "insufficientPermissions");
    assert_eq!(body["error"]["message"], "Request had insufficient authentication scopes.");

    let mut alone = bench.claims(&["admin.directory.user.readonly"]);
    alone.as_object_mut().unwrap().remove("sub");
    let (status, body) = bench.sign_in(alone).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = bench.get_as(body["access_token"].as_str().unwrap(), users).await;
    assert_eq!((status, reason(&body)), (403, "forbidden"), "without a role");

    let bench = Bench::with(|world| world.behaviour.token_seconds = 0).await;
    assert_eq!(bench.get(users).await.0, 401, "expired");
}

#[tokio::test]
async fn the_admin_needs_the_privilege_and_the_project_the_api() {
    let bench = Bench::small().await;
    let paths = [
        ("USERS_RETRIEVE", "/admin/directory/v1/users?customer=my_customer".to_owned()),
        ("USER_SECURITY_ALL", user_path(SAM, "/tokens")),
        (
            "ADMIN_REPORTING_ACCESS",
            "/admin/reports/v1/activity/users/all/applications/token".to_owned(),
        ),
    ];
    for (privilege, path) in &paths {
        assert!(bench.customer().set_privilege(privilege, false));
        let (status, body) = bench.get(path).await;
        assert_eq!((status, reason(&body)), (403, "forbidden"), "{path}");
        assert_eq!(body["error"]["message"], "Not Authorized to access this resource/api");
        bench.customer().set_privilege(privilege, true);
        assert_eq!(bench.get(path).await.0, 200, "{path}");
    }
    assert!(!bench.customer().set_privilege("NOTHING", true));
    bench.customer().set_behaviour(|behaviour| behaviour.reports_denied_as_unauthorized = true);
    bench.customer().set_privilege("ADMIN_REPORTING_ACCESS", false);
    assert_eq!(bench.get(&paths[2].1).await.0, 401);

    bench.customer().set_behaviour(|behaviour| behaviour.admin_api_disabled = true);
    let (status, body) = bench.get(&paths[0].1).await;
    assert_eq!((status, reason(&body)), (403, "accessNotConfigured"));
    assert_eq!(body["error"]["details"][0]["reason"], "SERVICE_DISABLED");
    assert!(body["error"]["message"].as_str().unwrap().contains("515151515151"));
    bench.customer().set_behaviour(|behaviour| behaviour.domain_api_disabled = true);
    let (_, body) = bench.get(&paths[0].1).await;
    assert_eq!(body["error"]["message"], "Domain cannot use apis.");
}

#[tokio::test]
async fn a_service_account_with_a_role_signs_its_own_tokens() {
    let bench = Bench::with(|world| {
        world.scanner.dasa = true;
        world.scanner.privileges = vec![
            Privilege::UsersRetrieve,
            Privilege::UserSecurityAll,
            Privilege::AdminReportingAccess,
        ];
    })
    .await;
    let email = bench.customer().client().client_email;
    let claims = json!({
        "iss": email, "sub": email, "aud": "https://admin.googleapis.com/",
        "iat": wall(), "exp": wall() + 3_600,
    });
    let token = bench.assertion(&claims, None);
    let users = |customer: &str| format!("/admin/directory/v1/users?customer={customer}");
    assert_eq!(bench.get_as(&token, &users("C0small01")).await.0, 200);
    let (status, body) = bench.get_as(&token, &users("my_customer")).await;
    assert_eq!((status, reason(&body)), (400, "invalid"));
    assert_eq!(bench.get_as(&token, &user_path(SAM, "/tokens")).await.0, 200);
    let (status, body) = bench.get_as(&token, "/v1/policies").await;
    assert_eq!((status, body["error"]["status"].as_str()), (403, Some("PERMISSION_DENIED")));
    let last = bench.customer().calls().pop().unwrap();
    assert_eq!(last.user.as_deref(), Some(email.as_str()));

    for (claim, value) in [
        ("aud", json!("https://oauth2.googleapis.com/token")),
        ("sub", json!(ADMIN)),
        ("exp", json!(wall() - 60)),
    ] {
        let mut wrong = claims.clone();
        wrong[claim] = value;
        let token = bench.assertion(&wrong, None);
        assert_eq!(bench.get_as(&token, &users("C0small01")).await.0, 401, "{claim}");
    }
    let off = Bench::small().await;
    let token = off.assertion(&claims, None);
    assert_eq!(off.get_as(&token, &users("C0small01")).await.0, 401, "switched off");
}
