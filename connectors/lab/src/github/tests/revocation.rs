//! Everything that can be taken back.

use super::*;

#[tokio::test]
async fn one_credential() {
    let bench = Bench::small().await;
    let path = "/orgs/small/credential-authorizations/161001";
    let before = bench.tenant().grant_count();
    assert_eq!(bench.delete_as(&bench.revoker, path).await, 204);
    assert!(!bench.tenant().has_credential("small", 161_001));
    assert_eq!(bench.tenant().grant_count(), before - 1);
    assert_eq!(bench.delete_as(&bench.revoker, path).await, 404, "done");
}

#[tokio::test]
async fn queued_revocations_take_a_while() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    tenant.set_behaviour(|behaviour| behaviour.revocation_lag_seconds = 1);
    let above = "/orgs/small/credential-authorizations";
    let of_user = format!("{above}/sam/revoke");
    let (status, body) = bench.post_as(&bench.revoker, &of_user, &json!({})).await;
    assert_eq!(status, 202);
    assert!(message(&body).contains("queued") && body.get("warning").is_none());
    assert!(tenant.has_credential("small", 161_001), "not yet");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert!(!tenant.has_credential("small", 161_001));
    let left = numbers(&bench.body(above).await, "credential_id");
    assert_eq!(left, [161_004, 161_005]);
    tenant.set_behaviour(|behaviour| behaviour.revocation_lag_seconds = 0);

    let of_type = format!("{above}/revoke-credential-type");
    for bad in [json!({}), json!({ "credential_type": "password" })] {
        assert_eq!(bench.post_as(&bench.revoker, &of_type, &bad).await.0, 422);
    }
    let fine = json!({ "credential_type": "fine_grained_pat" });
    assert_eq!(bench.post_as(&bench.revoker, &of_type, &fine).await.0, 202);
    assert!(!tenant.has_credential("small", 161_005) && tenant.has_credential("small", 161_004));
    let nobody = format!("{above}/nobody/revoke");
    assert_eq!(bench.post_as(&bench.revoker, &nobody, &json!({})).await.0, 404);
    assert_eq!(
        bench.post_as(&bench.revoker, &format!("{above}/revoke-all"), &json!({})).await.0,
        202
    );
    assert_eq!(bench.body(above).await, json!([]));
}

#[tokio::test]
async fn revoking_all_may_shut_the_caller_out() {
    let bench = Bench::small().await;
    let owner = bench.tenant().client().owner_token;
    let path = "/orgs/small/credential-authorizations/revoke-all";
    let (status, body) = bench.post_as(&owner, path, &json!({})).await;
    assert_eq!(status, 202);
    assert!(body["warning"].is_string());
    assert_eq!(bench.get_as(&owner, "/orgs/small/installations").await.0, 403, "no single sign-on");
    assert_eq!(bench.get("/orgs/small/installations").await.0, 200, "an App is not");
}

#[tokio::test]
async fn fine_grained_tokens() {
    let bench = Bench::small().await;
    let path = "/orgs/small/personal-access-tokens";
    let one = format!("{path}/25001");
    let revoke = json!({ "action": "revoke" });
    assert_eq!(bench.post_as(&bench.revoker, &one, &json!({ "action": "end" })).await.0, 422);
    assert_eq!(bench.post_as(&bench.revoker, &one, &revoke).await.0, 204);
    assert_eq!(bench.post_as(&bench.revoker, &one, &revoke).await.0, 404, "done");
    assert!(!bench.tenant().has_pat("small", 25_001));
    for bad in [json!([]), json!([25_001]), json!([25_004]), json!(["25002"])] {
        let body = json!({ "action": "revoke", "pat_ids": bad });
        assert_eq!(bench.post_as(&bench.revoker, path, &body).await.0, 422, "{body}");
    }
    let both = json!({ "action": "revoke", "pat_ids": [25_002, 25_003] });
    assert_eq!(bench.post_as(&bench.revoker, path, &both).await.0, 202);
    assert_eq!(bench.body(path).await, json!([]));
    assert!(bench.tenant().has_pat("small-labs", 25_004), "the token is alive elsewhere");
}

#[tokio::test]
async fn requests_are_reviewed() {
    let bench = Bench::small().await;
    let path = "/orgs/small/personal-access-token-requests";
    let deny = json!({ "action": "deny", "reason": "no" });
    assert_eq!(bench.post_as(&bench.revoker, &format!("{path}/26001"), &deny).await.0, 204);
    assert_eq!(bench.post_as(&bench.revoker, &format!("{path}/26001"), &deny).await.0, 404);
    let approve = json!({ "action": "approve", "pat_request_ids": [26_002] });
    assert_eq!(bench.post_as(&bench.revoker, path, &approve).await.0, 202);
    assert_eq!(bench.body(path).await, json!([]));
    let names = bench.body("/orgs/small/personal-access-tokens").await;
    assert_eq!(texts(&names, "token_name")[0], "no reason");
}

#[tokio::test]
async fn keys_and_hooks() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    let key = "/repos/small/backend/keys/12001";
    assert_eq!(bench.delete_as(&bench.revoker, key).await, 204);
    assert_eq!(bench.delete_as(&bench.revoker, key).await, 404);
    assert!(!tenant.has_deploy_key("small/backend", 12_001));
    let hook = "/repos/small/backend/hooks/70002";
    let (status, body) = bench.patch_as(&bench.revoker, hook, &json!({ "active": false })).await;
    assert_eq!((status, &body["active"]), (200, &json!(false)));
    assert_eq!(bench.patch_as(&bench.revoker, hook, &json!({ "activ": false })).await.0, 422);
    assert_eq!(bench.patch_as(&bench.revoker, hook, &json!({ "active": "no" })).await.0, 422);
    let change = json!({ "config": { "url": "https://new.example", "secret": "FAKE" }, "add_events": ["fork"] });
    let (_, body) = bench.patch_as(&bench.revoker, hook, &change).await;
    assert_eq!(
        (&body["config"]["secret"], &body["events"]),
        (&json!("********"), &json!(["push", "fork"]))
    );
    assert!(tenant.has_hook("small/backend", 70_002));
    assert_eq!(bench.delete_as(&bench.revoker, hook).await, 204);
    assert!(!tenant.has_hook("small/backend", 70_002));
    assert_eq!(bench.delete_as(&bench.revoker, "/orgs/small/hooks/70001").await, 204);
    assert!(!tenant.has_hook("small", 70_001));
}

#[tokio::test]
async fn leaked_tokens_are_revoked_by_anybody() {
    let bench = Bench::small().await;
    let client = bench.tenant().client();
    let path = "/credentials/revoke";
    let body =
        json!({ "credentials": [client.member_token, client.fine_grained_token, "ghp_FAKE"] });
    assert_eq!(bench.post_as(&client.owner_token, path, &body).await.0, 403, "signed in");
    assert_eq!(bench.post_as("", path, &json!({ "credentials": [] })).await.0, 422);
    assert_eq!(bench.post_as("", path, &body).await.0, 202);
    assert!(!bench.tenant().token_works(&client.member_token));
    assert!(!bench.tenant().token_works(&client.fine_grained_token));
    assert_eq!(bench.get_as(&client.fine_grained_token, "/orgs/small").await.0, 401);
    let logged = bench.tenant().calls();
    let told = logged.iter().any(|call| call.asks(&client.member_token));
    assert!(!told, "the log keeps no secret");
}
