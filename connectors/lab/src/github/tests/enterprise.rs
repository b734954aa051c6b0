//! The enterprise's App.

use super::*;

const DRIFT: &str = "/enterprises/small-corp/apps/organizations/small/installations/7001";

#[tokio::test]
async fn lists_what_every_organisation_has() {
    let bench = Bench::small().await;
    let token = bench.token_for(ENTERPRISE, false).await;
    let path = format!("{ENTERPRISE}/apps/installable_organizations");
    let (status, list) = bench.get_as(&token, &path).await;
    assert_eq!((status, texts(&list, "login")), (200, vec!["small", "small-labs", "small-closed"]));
    let path = format!("{ENTERPRISE}/apps/organizations/small/installations");
    let (_, list) = bench.get_as(&token, &path).await;
    assert_eq!(list.as_array().unwrap().len(), 6, "a plain array");
    assert!(list[2].get("suspended_at").is_none() && list[2].get("account").is_none());
    let (_, list) = bench.get_as(&token, &format!("{DRIFT}/repositories")).await;
    assert_eq!(list.as_array().unwrap().len(), 4, "all of them");
    let closed = format!("{ENTERPRISE}/apps/organizations/small-closed/installations");
    assert_eq!(bench.get_as(&token, &closed).await, (200, json!([])));
    assert_eq!(bench.get_as(&bench.token, &path).await.0, 404, "an organisation's token");
    assert_eq!(bench.get_as(&token, "/orgs/small/installations").await.0, 403);
    assert_eq!(
        bench.get_as(&token, "/enterprises/other/apps/installable_organizations").await.0,
        404
    );
    assert_eq!(bench.delete_as(&token, DRIFT).await, 403, "it only reads");
    bench.tenant().set_right("enterprise_organization_installations", false);
    assert_eq!(bench.get_as(&token, &path).await.0, 403);
}

#[tokio::test]
async fn narrows_and_uninstalls() {
    let bench = Bench::small().await;
    let token = bench.token_for(ENTERPRISE, true).await;
    let path = format!("{DRIFT}/repositories");
    let selected = || bench.tenant().selected_repositories("small", "drift");
    for bad in [
        json!({ "repository_selection": "selected" }),
        json!({ "repository_selection": "selected", "repositories": [] }),
        json!({ "repository_selection": "selected", "repositories": ["nothing"] }),
        json!({ "repository_selection": "all", "repositories": ["backend"] }),
        json!({ "repository_selection": "none" }),
    ] {
        assert_eq!(bench.patch_as(&token, &path, &bad).await.0, 422, "{bad}");
    }
    assert_eq!(selected(), None);
    let remove = format!("{path}/remove");
    let backend = json!({ "repositories": ["backend"] });
    assert_eq!(bench.patch_as(&token, &remove, &backend).await.0, 422, "from all");
    let narrow = json!({ "repository_selection": "selected", "repositories": ["quarantine"] });
    let (status, body) = bench.patch_as(&token, &path, &narrow).await;
    assert_eq!((status, body["app_slug"].as_str()), (200, Some("drift")));
    assert_eq!(selected(), Some(vec!["quarantine".to_owned()]));
    let (_, body) = bench.patch_as(&token, &format!("{path}/add"), &backend).await;
    assert_eq!(texts(&body, "name"), ["backend"]);
    let (_, body) = bench.patch_as(&token, &remove, &backend).await;
    assert_eq!(texts(&body, "full_name"), ["small/backend"]);
    let last = json!({ "repositories": ["quarantine"] });
    assert_eq!(bench.patch_as(&token, &remove, &last).await.0, 422);
    let all = json!({ "repository_selection": "all" });
    assert_eq!(bench.patch_as(&token, &path, &all).await.0, 200);
    assert_eq!(selected(), None);

    assert!(bench.tenant().has_installation("small", "drift"));
    assert_eq!(bench.delete_as(&token, DRIFT).await, 204);
    assert!(!bench.tenant().has_installation("small", "drift"));
    assert!(bench.tenant().has_installation("small-labs", "drift"));
    assert_eq!(bench.delete_as(&token, DRIFT).await, 404, "done");
    let path = "/orgs/small/audit-log?phrase=action:integration_installation.destroy&per_page=1";
    assert_eq!(bench.body(path).await[0]["integration"], "drift");
}

#[tokio::test]
async fn revokes_credentials_everywhere() {
    let bench = Bench::small().await;
    let owner = bench.tenant().client().owner_token;
    let above = format!("{ENTERPRISE}/credential-authorizations");
    let destroy = json!({ "revoke_credentials": true });
    let path = format!("{above}/revoke-all");
    assert_eq!(bench.post_as(&owner, &path, &destroy).await.0, 422, "users are not managed");
    assert_eq!(bench.post_as(&bench.revoker, &path, &json!({})).await.0, 404);
    let path = format!("{above}/sam/revoke-credential-type");
    let keys = json!({ "credential_type": "ssh_key" });
    assert_eq!(bench.post_as(&owner, &path, &keys).await.0, 202);
    assert!(!bench.tenant().has_credential("small", 161_003));
    assert!(bench.tenant().has_credential("small", 161_002));

    let managed = Bench::with(|world| {
        if let Some(enterprise) = &mut world.enterprise {
            enterprise.managed_users = true;
        }
    })
    .await;
    let client = managed.tenant().client();
    let path = format!("{above}/sam/revoke");
    assert_eq!(managed.post_as(&client.owner_token, &path, &destroy).await.0, 202);
    assert!(!managed.tenant().token_works(&client.member_token), "destroyed");
    assert!(
        !managed.tenant().has_pat("small", 25_001) && managed.tenant().has_pat("small", 25_002)
    );
}
