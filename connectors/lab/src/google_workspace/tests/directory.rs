//! Users, grants and app passwords.

use super::*;

const DRIFT: &str = "104498765432-driftfakeclient000000000000000000.apps.googleusercontent.com";

#[tokio::test]
async fn users_are_told_with_their_state() {
    let bench = Bench::small().await;
    let body = bench.body("/admin/directory/v1/users?customer=my_customer").await;
    let users = body["users"].as_array().unwrap();
    assert_eq!((users.len(), body.get("nextPageToken")), (6, None), "the deleted one is not told");
    let user = |email: &str| {
        users.iter().find(|user| user["primaryEmail"] == email).unwrap_or_else(|| panic!("{email}"))
    };
    assert_eq!(user(ADMIN)["isAdmin"], true);
    assert_eq!(user("gone.gus@small.example")["suspended"], true);
    assert_eq!(user("gone.gus@small.example")["suspensionReason"], "ADMIN");
    assert_eq!(user("old.olga@small.example")["archived"], true);
    assert_eq!(user("new.nora@small.example")["lastLoginTime"], "1970-01-01T00:00:00.000Z");
    assert_eq!(user("del.dora@small.example")["isDelegatedAdmin"], true);
    assert_eq!(user(SAM)["aliases"], json!(["sam@small.example"]));
    assert_eq!(user(SAM)["lastLoginTime"], "2026-01-15T08:30:00.000Z");
    assert_eq!(user(SAM)["name"]["fullName"], "Sam Sales");
    assert_eq!(user(SAM)["customerId"], "C0small01");

    let deleted =
        bench.body("/admin/directory/v1/users?domain=small.example&showDeleted=true").await;
    assert_eq!(deleted["users"][0]["deletionTime"], "2026-01-05T09:00:00.000Z");
    let id = user(SAM)["id"].as_str().unwrap();
    for key in [id, "sam%40small.example", "SAM.SALES@small.example"] {
        assert_eq!(bench.body(&user_path(key, "")).await["id"], id, "{key}");
    }
}

#[tokio::test]
async fn users_are_found_sorted_and_cut() {
    let bench = Bench::small().await;
    let emails = async |query: &str| -> Vec<String> {
        let path = format!("/admin/directory/v1/users?customer=my_customer&{query}");
        let body = bench.body(&path).await;
        let users = body["users"].as_array().cloned().unwrap_or_default();
        users.iter().map(|user| user["primaryEmail"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(emails("query=isSuspended=true").await.len(), 2);
    assert_eq!(emails("query=isAdmin=true").await, [ADMIN]);
    assert_eq!(emails("query=email:s*").await, [SAM]);
    assert_eq!(emails("query=orgUnitPath=/Sales").await.len(), 2);
    assert_eq!(emails("query=email=nobody@x").await.len(), 0, "`users` is absent");
    let sorted = emails("orderBy=email&sortOrder=DESCENDING").await;
    assert!(sorted.is_sorted_by(|a, b| a > b));
    assert_eq!(emails("orderBy=givenName").await[0], ADMIN);

    let path = "/admin/directory/v1/users?customer=my_customer&maxResults=2&prettyPrint=false\
        &fields=nextPageToken,users(id,primaryEmail,name/fullName,suspended,archived,isAdmin,isDelegatedAdmin,lastLoginTime,creationTime,orgUnitPath,customerId)";
    let body = bench.body(path).await;
    assert!(body["nextPageToken"].is_string() && body.get("kind").is_none());
    let user = body["users"][0].as_object().unwrap();
    assert_eq!(user.len(), 11);
    assert_eq!(user["name"], json!({ "fullName": "Ada Admin" }));
    let public =
        bench.body("/admin/directory/v1/users?customer=my_customer&viewType=domain_public").await;
    assert!(public["users"][0].get("isAdmin").is_none());
    bench.customer().set_behaviour(|behaviour| behaviour.omit_false = true);
    assert!(bench.body(&user_path(SAM, "")).await.get("suspended").is_none());
}

#[tokio::test]
async fn wrong_questions_about_users_are_refused() {
    let bench = Bench::small().await;
    for (query, status, code) in [
        ("", 400, "badRequest"),
        ("customer=my_customer&bogus=1", 400, "invalid"),
        ("customer=my_customer&maxResults=501", 400, "invalidParameter"),
        ("customer=my_customer&maxResults=0", 400, "invalidParameter"),
        ("customer=my_customer&maxResults=many", 400, "invalid"),
        ("customer=my_customer&orderBy=age", 400, "invalid"),
        ("customer=my_customer&projection=everything", 400, "invalid"),
        ("customer=my_customer&query=hello", 400, "invalid"),
        ("customer=my_customer&fields=users(bogus)", 400, "invalidParameter"),
        ("customer=my_customer&fields=users(", 400, "invalidParameter"),
        ("customer=my_customer&alt=media", 400, "invalidParameter"),
        ("customer=my_customer&customer=my_customer", 400, "invalidParameter"),
        ("customer=my_customer&pageToken=stale", 400, "invalid"),
        ("customer=C0other", 403, "forbidden"),
        ("domain=other.example", 404, "notFound"),
    ] {
        let (got, body) = bench.get(&format!("/admin/directory/v1/users?{query}")).await;
        assert_eq!((got, reason(&body)), (status, code), "{query}: {body}");
    }
    let (status, body) = bench.get(&user_path("nobody@small.example", "")).await;
    assert_eq!((status, reason(&body)), (404, "notFound"));
    assert_eq!(body["error"]["message"], "Resource Not Found: userKey");
    let (status, body) = bench.get(&user_path("not-a-key", "")).await;
    assert_eq!((status, body["error"]["message"].as_str()), (400, Some("Invalid Input: userKey")));
    assert_eq!(bench.get("/admin/directory/v1/groups").await.0, 404);
    let put = bench.client.put(bench.url("/admin/directory/v1/users")).bearer_auth(&bench.token);
    assert_eq!(bench.send(put).await.status(), 405);
}

#[tokio::test]
async fn grants_are_listed_read_and_revoked() {
    let bench = Bench::small().await;
    let body = bench.body(&user_path(SAM, "/tokens")).await;
    let items = body["items"].as_array().unwrap();
    let names: Vec<&str> = items.iter().map(|item| item["displayText"].as_str().unwrap()).collect();
    assert_eq!(names, ["Drift", "Mail Merge Pro", "Desk Mailer"], "live ones only");
    assert_eq!(body["kind"], "admin#directory#tokenList");
    assert_eq!(items[0]["clientId"], DRIFT);
    assert_eq!(items[2]["nativeApp"], true);
    let sam = bench.body(&user_path(SAM, "")).await["id"].as_str().unwrap().to_owned();
    assert_eq!(items[1]["userKey"], sam);
    let legacy = bench.body(&user_path("old.olga@small.example", "/tokens")).await;
    assert_eq!(legacy["items"][0]["anonymous"], true);
    assert!(
        bench.body(&user_path("new.nora@small.example", "/tokens")).await.get("items").is_none()
    );

    let path = user_path(SAM, &format!("/tokens/{DRIFT}"));
    assert_eq!(bench.body(&path).await["displayText"], "Drift");
    let before = bench.customer().grant_count();
    assert!(bench.customer().has_grant(SAM, DRIFT));
    assert_eq!(bench.delete(&path).await, 204);
    assert_eq!(bench.delete(&path).await, 404, "not idempotent on the wire");
    assert_eq!(bench.get(&path).await.0, 404);
    assert!(!bench.customer().has_grant(SAM, DRIFT));
    assert!(bench.customer().has_grant(ADMIN, DRIFT), "nobody else's");
    assert_eq!(bench.customer().grant_count(), before - 1);
    assert_eq!(bench.client_named("Drift"), DRIFT);

    let (status, body) = bench.get(&user_path("left.leo@small.example", "/tokens")).await;
    assert_eq!((status, reason(&body)), (404, "notFound"), "deleted");
    assert_eq!(bench.get(&user_path(SAM, "/tokens?maxResults=1")).await.0, 400);
    assert_eq!(bench.delete(&user_path(SAM, "/tokens")).await, 405);
}

impl Bench {
    fn client_named(&self, app: &str) -> String {
        self.customer().client_id_of(app).unwrap()
    }
}

#[tokio::test]
async fn grants_that_the_platform_does_not_let_read() {
    let bench = Bench::with(|world| world.users[4].tokens_refused = Some(401)).await;
    assert_eq!(bench.get(&user_path("new.nora@small.example", "/tokens")).await.0, 401);
    let gus = user_path("gone.gus@small.example", "/tokens");
    assert_eq!(bench.get(&gus).await.0, 200);
    bench.customer().set_behaviour(|behaviour| behaviour.suspended_tokens_unauthorized = true);
    let (status, body) = bench.get(&gus).await;
    assert_eq!((status, reason(&body)), (401, "authError"));
    bench.customer().set_behaviour(|behaviour| {
        behaviour.suspended_tokens_unauthorized = false;
        behaviour.empty_tokens_not_found = true;
    });
    let drift = user_path("gone.gus@small.example", &format!("/tokens/{DRIFT}"));
    assert_eq!(bench.delete(&drift).await, 204);
    assert_eq!(bench.get(&gus).await.0, 404, "none left");
}

#[tokio::test]
async fn app_passwords_are_listed_and_revoked() {
    let bench = Bench::small().await;
    let body = bench.body(&user_path(SAM, "/asps")).await;
    let told: Vec<(&str, &str, i64)> = body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["lastTimeUsed"].as_str().unwrap(),
                one["codeId"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("Phone mail", "1768024800", 0), ("Old scanner", "0", 1)]);
    assert!(bench.body(&user_path(ADMIN, "/asps")).await.get("items").is_none());
    assert_eq!(bench.body(&user_path(SAM, "/asps/1")).await["name"], "Old scanner");
    assert_eq!(bench.delete(&user_path(SAM, "/asps/1")).await, 204);
    assert_eq!(bench.delete(&user_path(SAM, "/asps/1")).await, 404);
    assert_eq!(bench.get(&user_path(SAM, "/asps/x")).await.0, 400);
}

#[tokio::test]
async fn a_user_is_suspended_and_signed_out() {
    let bench = Bench::small().await;
    let patch = async |user: &str, body: Json| {
        let request = bench
            .client
            .patch(bench.url(&user_path(user, "")))
            .bearer_auth(&bench.token)
            .json(&body);
        bench.send(request).await.status().as_u16()
    };
    assert_eq!(patch(SAM, json!({ "suspended": true })).await, 200);
    assert_eq!(bench.customer().is_suspended(SAM), Some(true));
    assert_eq!(bench.body(&user_path(SAM, "/tokens")).await["items"].as_array().unwrap().len(), 3);
    for wrong in
        [json!({}), json!({ "suspended": "yes" }), json!({ "suspended": true, "isAdmin": true })]
    {
        assert_eq!(patch(SAM, wrong.clone()).await, 400, "{wrong}");
    }
    let request =
        bench.client.post(bench.url(&user_path(SAM, "/signOut"))).bearer_auth(&bench.token);
    assert_eq!(bench.send(request).await.status(), 204);

    bench.customer().set_privilege("SUPER_ADMIN", false);
    for privilege in ["USERS_SUSPEND", "USER_SECURITY_ALL"] {
        bench.customer().set_privilege(privilege, true);
    }
    assert_eq!(patch(SAM, json!({ "suspended": false })).await, 200);
    let second = Bench::with(|world| {
        world.users[1].admin = true;
        world.users[0].admin = false;
        world.users[0].privileges = vec![Privilege::UsersSuspend, Privilege::UserSecurityAll];
    })
    .await;
    let drift = user_path(SAM, &format!("/tokens/{DRIFT}"));
    assert_eq!(second.get(&drift).await.0, 200);
    assert_eq!(second.delete(&drift).await, 403, "a super admin is above a delegated one");
    assert!(second.customer().has_grant(SAM, DRIFT));
}
