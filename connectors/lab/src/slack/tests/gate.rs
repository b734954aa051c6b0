//! Who gets in: tokens, scopes, roles, plans, tiers, and how a request must be written.

use super::*;

#[tokio::test]
async fn tells_who_a_token_is() {
    let bench = Bench::small().await;
    let response = bench.send(bench.api("auth.test", "").bearer_auth(&bench.tokens.reader)).await;
    let scopes = response.headers()["x-oauth-scopes"].to_str().unwrap().to_owned();
    assert!(scopes.contains("admin.apps:read") && !scopes.contains("write"), "{scopes}");
    assert_eq!(response.headers()["x-accepted-oauth-scopes"], "");
    let body: Json = response.json().await.unwrap();
    assert_eq!(body["enterprise_id"], "E0SMALL01");
    assert_eq!(body["team_id"], "E0SMALL01");
    assert_eq!(
        (&body["is_enterprise_install"], &body["user_id"]),
        (&json!(true), &json!("W0ADA0001"))
    );
    bench.behave(|behaviour| behaviour.org_token_has_workspace = true);
    assert_eq!(bench.read("auth.test", "").await["team_id"], SALES);
    bench.behave(|behaviour| behaviour.expires_in = Some(43_200));
    assert_eq!(bench.read("auth.test", "").await["expires_in"], 43_200);
    let local = bench.read_as(&bench.tokens.workspace_admin, "auth.test", "").await;
    assert_eq!(
        (&local["team_id"], &local["is_enterprise_install"]),
        (&json!(SALES), &json!(false))
    );
    let bot = bench.read_as(&bench.tokens.bot, "auth.test", "").await;
    assert!(bot["bot_id"].as_str().unwrap().starts_with('B'), "{bot}");
    let single = Bench::workshop().await;
    let body = single.read("auth.test", "").await;
    assert_eq!((&body["team_id"], body.get("enterprise_id")), (&json!("T0WORKS01"), None));
    let form = [("token", bench.tokens.reader.as_str())];
    let (_, body) = bench.ask(bench.http.post(bench.url("/api/auth.test")).form(&form)).await;
    assert_eq!(body["ok"], true, "a token in a form is good: {body}");
}

#[tokio::test]
async fn tokens_say_that_they_are_fake_and_are_in_no_record() {
    let bench = Bench::small().await;
    let tokens = &bench.tokens;
    let all = [&tokens.reader, &tokens.revoker, &tokens.workspace_admin, &tokens.bot];
    for token in all.into_iter().chain(&tokens.org_admin) {
        assert!(token.contains("FAKE") && token.starts_with("xox"), "{token}");
    }
    let query = format!("token={}", tokens.reader);
    let (_, body) = bench.ask(bench.api("auth.test", &query)).await;
    assert_eq!(refusal(&body), "invalid_auth", "not in the address");
    bench.read("auth.test", "").await;
    let record = format!("{:?} {:?} {:?}", bench.tenant().calls(), tokens, bench.tenant());
    assert!(!record.contains("FAKE"), "{record}");
}

#[tokio::test]
async fn refuses_tokens_in_the_platforms_words() {
    let bench = Bench::small().await;
    let list = "admin.apps.approved.list";
    let (status, body) = bench.ask(bench.api(list, ORG)).await;
    assert_eq!((status, refusal(&body).as_str()), (200, "not_authed"));
    let code = async |token: &str| refusal(&bench.read_as(token, list, ORG).await);
    assert_eq!(code("xoxp-1-FAKE").await, "invalid_auth");
    assert_eq!(code(&bench.tokens.bot).await, "not_allowed_token_type");
    let body = bench.read_as(&bench.tokens.workspace_admin, list, ORG).await;
    assert_eq!(
        body,
        json!({ "ok": false, "error": "missing_scope", "needed": "admin.apps:read",
            "provided": "admin,identify,team:read,users:read,users:read.email" })
    );
    for dead in ["token_revoked", "account_inactive", "token_expired", "invalid_auth"] {
        assert!(bench.tenant().set_dead("reader", Some(dead)));
        assert_eq!(bench.refused(list, ORG).await, dead);
        let response = bench.send(bench.api(list, ORG).bearer_auth(&bench.tokens.reader)).await;
        assert!(!response.headers().contains_key("x-oauth-scopes"), "{dead}");
        assert_eq!(bench.refused("auth.test", "").await, dead);
    }
    assert!(bench.tenant().set_dead("reader", None) && !bench.tenant().set_dead("nobody", None));
    bench.read(list, ORG).await;
}

#[tokio::test]
async fn refuses_for_the_plan_the_install_and_the_role() {
    let bench = Bench::small().await;
    let list = "admin.apps.restricted.list";
    let tenant = bench.tenant();
    for (right, code) in [
        ("AdminApi", "feature_not_enabled"),
        ("OrgInstall", "app_management_app_not_installed_on_org"),
        ("Admin", "not_an_admin"),
        ("admin.apps:read", "missing_scope"),
    ] {
        assert!(tenant.set_right(right, false));
        assert_eq!(bench.refused(list, ORG).await, code);
        assert!(tenant.set_right(right, true));
        bench.read(list, ORG).await;
    }
    assert!(tenant.set_right("Admin", false));
    let permissions = bench.refused("admin.apps.permissions.list", "app_id=A0DRIFT001").await;
    assert_eq!(permissions, "restricted_action");
    assert!(tenant.set_right("workspace_admin/admin.apps:read", true));
    let body = bench.read_as(&bench.tokens.workspace_admin, list, ORG).await;
    assert_eq!(refusal(&body), "app_management_app_not_installed_on_org");
    assert!(!tenant.set_right("admin.app:read", false) && !tenant.set_right("nobody/admin", true));
    let single = Bench::workshop().await;
    assert!(single.tenant().set_right("admin.apps:read", true));
    assert_eq!(single.refused(list, "").await, "feature_not_enabled");
    let newer = single.refused("admin.apps.mcp.servers.list", "").await;
    assert_eq!(newer, "not_an_enterprise");
    let body = single.write("admin.apps.restrict", &[("app_id", "A0DRIFT001")]).await;
    assert_eq!(refusal(&body), "feature_not_enabled");
}

#[tokio::test]
async fn a_world_can_make_every_code_happen() {
    let bench = Bench::small().await;
    for code in ["enterprise_is_restricted", "team_added_to_org", "fatal_error", "internal_error"] {
        let list = "admin.apps.approved.list".to_owned();
        bench.behave(|behaviour| {
            behaviour.errors.insert(list, code.to_owned());
        });
        assert_eq!(bench.refused("admin.apps.approved.list", ORG).await, code);
        bench.read("admin.apps.restricted.list", ORG).await;
    }
    bench.behave(|behaviour| {
        behaviour.errors.insert("*".to_owned(), "access_denied".to_owned());
    });
    assert_eq!(bench.refused("auth.test", "").await, "access_denied");
    assert_eq!(refusal(&bench.audit("").await), "access_denied");
}

#[tokio::test]
async fn reads_arguments_strictly() {
    let bench = Bench::small().await;
    let list = "admin.apps.approved.list";
    for query in
        ["limit=0", "limit=1001", "limit=x", "certified=maybe", "team=T0SALES01", "limit=1&limit=2"]
    {
        let body = bench.read_as(&bench.tokens.reader, list, query).await;
        assert_eq!(refusal(&body), "invalid_arguments", "{query}");
        assert!(body["response_metadata"]["messages"][0].as_str().unwrap().contains("[ERROR]"));
    }
    let both = format!("{ORG}&team_id={SALES}");
    assert_eq!(bench.refused(list, &both).await, "too_many_teams_provided");
    assert_eq!(bench.refused(list, "team_id=T0NONE").await, "team_not_found");
    assert_eq!(bench.refused(list, "enterprise_id=E0NONE").await, "enterprise_not_found");
    assert_eq!(bench.refused("admin.teams.list", "limit=1001").await, "invalid_limit");
    assert_eq!(bench.refused("chat.postMessage", "").await, "unknown_method");
    let post = |method: &str| {
        bench.http.post(bench.url(&format!("/api/{method}"))).bearer_auth(&bench.tokens.reader)
    };
    let (_, body) = bench.ask(post(list).json(&json!({ "enterprise_id": "E0SMALL01" }))).await;
    assert_eq!(refusal(&body), "invalid_post_type", "no JSON for this method");
    let json = json!({ "app_ids": ["A0FLOWS001", "A0DRIFT001"] });
    let (_, body) = bench.ask(post("admin.apps.config.lookup").json(&json)).await;
    assert_eq!(body["configs"].as_array().unwrap().len(), 2, "{body}");
    let form = post(list).form(&[("enterprise_id", "E0SMALL01"), ("certified", "1")]);
    let (_, body) = bench.ask(form).await;
    assert_eq!(body["approved_apps"].as_array().unwrap().len(), 1);
    let bad = post("admin.apps.config.lookup").header("content-type", "application/json");
    assert_eq!(refusal(&bench.ask(bad.body("[1]")).await.1), "json_not_object");
    for (method, path, status) in [
        ("GET", "/api/admin.apps.restrict", 405),
        ("PUT", "/api/auth.test", 405),
        ("POST", "/audit/v1/logs", 405),
        ("GET", "/audit/v1/log", 404),
        ("GET", "/api/", 404),
        ("GET", "/", 404),
    ] {
        let method = method.parse().unwrap();
        assert_eq!(
            bench.ask(bench.http.request(method, bench.url(path))).await.0,
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn enforces_tiers_with_a_small_burst() {
    let bench = Bench::small().await;
    let mut good = 0;
    let refused = loop {
        let call = bench.api("admin.apps.approved.list", ORG).bearer_auth(&bench.tokens.reader);
        let response = bench.send(call).await;
        if response.status() == 429 {
            break response;
        }
        good += 1;
        assert!(good < 100);
    };
    assert_eq!(good, 25, "20 a minute, and a quarter more");
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    assert_eq!(refusal(&refused.json().await.unwrap()), "ratelimited");
    bench.read("admin.apps.restricted.list", ORG).await;
    let first = bench.write("admin.apps.uninstall", &[("app_id", "A0NONE")]).await;
    assert_eq!(refusal(&first), "app_not_found");
    let again = bench.http.post(bench.url("/api/admin.apps.uninstall"));
    let response = bench.send(again.bearer_auth(&bench.tokens.revoker)).await;
    assert_eq!(response.status(), 429, "one a minute, without a burst");
    bench.behave(|behaviour| behaviour.quota = false);
    bench.read("admin.apps.approved.list", ORG).await;
}

#[tokio::test]
async fn a_minute_can_last_a_second_and_others_may_eat_the_audit_budget() {
    let bench = Bench::with(|world| {
        world.behaviour.time_scale = 60.0;
        world.behaviour.siem_calls_per_minute = 48;
    })
    .await;
    let uninstall = || bench.http.post(bench.url("/api/admin.apps.uninstall"));
    let send =
        async || bench.send(uninstall().bearer_auth(&bench.tokens.revoker)).await.status().as_u16();
    assert_eq!([send().await, send().await], [200, 429]);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(send().await, 200);
    bench.behave(|behaviour| behaviour.time_scale = 0.001);
    let log = || bench.http.get(bench.url("/audit/v1/logs")).bearer_auth(&bench.tokens.reader);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(bench.send(log()).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}
