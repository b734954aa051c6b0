//! Each listing's rows and shapes.

use super::*;

#[tokio::test]
async fn an_organisation_shows_what_the_caller_may_see() {
    let bench = Bench::small().await;
    let body = bench.body("/orgs/small").await;
    assert_eq!(body["plan"]["name"], "enterprise");
    assert_eq!(body["two_factor_requirement_enabled"], true);
    assert_eq!(body["deploy_keys_enabled_for_repositories"], true);
    let other = bench.body("/orgs/small-labs").await;
    assert!(other.get("plan").is_none() && other["login"] == "small-labs", "another organisation");
    let (status, public) = bench.get_as("", "/orgs/small").await;
    assert_eq!((status, public.get("two_factor_requirement_enabled")), (200, None));
    bench.tenant().set_right("organization_administration", false);
    let less = bench.body("/orgs/small").await;
    assert!(less.get("two_factor_requirement_enabled").is_none() && less["plan"].is_object());
}

#[tokio::test]
async fn installations_are_listed_with_the_scanners_own() {
    let bench = Bench::small().await;
    let body = bench.body("/orgs/small/installations").await;
    assert_eq!(body["total_count"], 6);
    let list = &body["installations"];
    let slugs = [
        "drift",
        "lint-helper",
        "night-owl",
        "small-deployer",
        "grantwarden",
        "grantwarden-revoker",
    ];
    assert_eq!(texts(list, "app_slug"), slugs);
    assert_eq!(list[0]["permissions"]["contents"], "write");
    assert_eq!(list[1]["repository_selection"], "selected");
    assert_eq!(list[2]["suspended_at"], "2025-11-15T08:00:00Z");
    assert_eq!(list[2]["suspended_by"]["login"], "ada");
    assert!(list[0]["suspended_at"].is_null() && list[0]["client_id"].is_string());
    bench.tenant().set_behaviour(|behaviour| {
        behaviour.without_client_id = true;
        behaviour.offset_dates = true;
    });
    let body = bench.body("/orgs/small/installations").await;
    assert!(body["installations"][0].get("client_id").is_none());
    assert_eq!(body["installations"][0]["created_at"], "2025-10-20T10:00:00.000+02:00");
}

#[tokio::test]
async fn an_app_is_public_or_its_owners() {
    let bench = Bench::small().await;
    let drift = bench.body("/apps/drift").await;
    assert_eq!(drift["owner"]["login"], "drift-apps");
    assert_eq!(drift["permissions"]["secrets"], "write", "more than the installation has");
    assert_eq!(bench.get_as("", "/apps/drift").await.0, 200);
    assert_eq!(bench.get("/apps/night-owl").await.0, 404);
    assert_eq!(bench.get("/apps/small-deployer").await.0, 404);
    let owner = bench.tenant().client().owner_token;
    assert_eq!(bench.get_as(&owner, "/apps/small-deployer").await.0, 200);
    assert_eq!(bench.get("/apps/grantwarden").await.0, 200, "itself");
}

#[tokio::test]
async fn credentials_have_four_kinds() {
    let bench = Bench::small().await;
    let list = bench.body("/orgs/small/credential-authorizations").await;
    assert_eq!(numbers(&list, "credential_id"), [161_001, 161_002, 161_003, 161_004, 161_005]);
    assert_eq!(list[0]["credential_type"], "OAuth app token");
    assert_eq!(list[0]["scopes"], json!(["repo", "read:org"]));
    assert_eq!(list[1]["authorized_credential_note"], "deploy from my laptop");
    assert!(list[1]["credential_accessed_at"].is_null());
    assert_eq!(list[2]["authorized_credential_title"], "old laptop");
    assert!(list[2]["fingerprint"].is_string() && list[2].get("scopes").is_none());
    assert_eq!(list[3]["authorized_credential_expires_at"], "2026-01-15T20:00:00Z");
    let of_one = bench.body("/orgs/small/credential-authorizations?login=NORA").await;
    assert_eq!(of_one.as_array().unwrap().len(), 2);
    let labs = bench.token_for("/orgs/small-labs", false).await;
    let path = "/orgs/small-labs/credential-authorizations";
    assert_eq!(bench.get_as(&labs, path).await.0, 404, "no SAML");
    bench.tenant().set_behaviour(|behaviour| behaviour.without_saml_empty = true);
    assert_eq!(bench.get_as(&labs, path).await, (200, json!([])));
}

#[tokio::test]
async fn fine_grained_tokens_are_filtered_and_sorted() {
    let bench = Bench::small().await;
    let path = "/orgs/small/personal-access-tokens";
    let list = bench.body(path).await;
    assert_eq!(numbers(&list, "id"), [25_001, 25_002, 25_003], "newest first");
    assert_eq!(list[0]["repository_selection"], "subset");
    assert_eq!(list[0]["permissions"]["repository"]["contents"], "read");
    assert!(list[1]["token_expires_at"].is_null() && list[1]["token_last_used_at"].is_null());
    assert_eq!(
        (&list[1]["token_expired"], &list[2]["token_expired"]),
        (&json!(false), &json!(true))
    );
    for (query, ids) in [
        ("?direction=asc", vec![25_003, 25_002, 25_001]),
        ("?owner[]=sam", vec![25_001]),
        ("?owner[]=sam&owner[]=nora", vec![25_001, 25_002, 25_003]),
        ("?token_id[]=98002", vec![25_002]),
        ("?last_used_after=2026-01-01T00:00:00Z", vec![25_001]),
        ("?last_used_before=2026-01-01T00:00:00Z", vec![25_003]),
        ("?repository=website", vec![25_001, 25_002]),
        ("?permission=contents_write", vec![25_002]),
        ("?permission=contents_read", vec![25_001, 25_002]),
    ] {
        assert_eq!(numbers(&bench.body(&format!("{path}{query}")).await, "id"), ids, "{query}");
    }
    for bad in ["?sort=name", "?direction=up", "?last_used_after=yesterday", "?owner=sam"] {
        assert_eq!(bench.get(&format!("{path}{bad}")).await.0, 422, "{bad}");
    }
    let repositories = bench.body(&format!("{path}/25001/repositories")).await;
    assert_eq!(texts(&repositories, "full_name"), ["small/website"]);
    assert_eq!(bench.get(&format!("{path}/9/repositories")).await.0, 404);
    let requests = bench.body("/orgs/small/personal-access-token-requests").await;
    assert_eq!(numbers(&requests, "id"), [26_002, 26_001]);
    assert_eq!(requests[1]["reason"], "for the nightly report");
    assert!(requests[0]["reason"].is_null() && requests[0].get("access_granted_at").is_none());
    let path = "/orgs/small/personal-access-token-requests/26002/repositories";
    assert_eq!(texts(&bench.body(path).await, "name"), ["backend"]);
}

#[tokio::test]
async fn repositories_keys_hooks_and_secrets() {
    let bench = Bench::small().await;
    let list = bench.body("/orgs/small/repos").await;
    assert_eq!(
        texts(&list, "name"),
        ["quarantine", "backend", "website", "legacy"],
        "newest first"
    );
    let list = bench.body("/orgs/small/repos?type=private&sort=full_name").await;
    assert_eq!(texts(&list, "name"), ["backend", "legacy", "quarantine"]);
    let keys = bench.body("/repos/small/backend/keys").await;
    assert_eq!(numbers(&keys, "id"), [12_001, 12_002]);
    assert_eq!((&keys[0]["added_by"], &keys[0]["read_only"]), (&json!("sam"), &json!(false)));
    assert!(keys[1]["last_used"].is_null());
    assert_eq!(bench.body("/repos/small/legacy/keys/12003").await["enabled"], false);
    assert_eq!(bench.get("/repos/small/backend/keys/12003").await.0, 404);
    assert_eq!(bench.get("/repos/small/nothing/keys").await.0, 404);
    let hooks = bench.body("/orgs/small/hooks").await;
    assert_eq!(hooks[0]["config"]["secret"], "********");
    assert_eq!(bench.body("/orgs/small/hooks/70001").await["events"], json!(["*"]));
    let hooks = bench.body("/repos/small/backend/hooks").await;
    assert_eq!(hooks[0]["config"]["insecure_ssl"], "1");
    assert!(hooks[0]["config"].get("secret").is_none());
    assert_eq!(hooks[0]["last_response"]["code"], 500);
    assert_eq!(bench.body("/repos/small/website/hooks/70003").await["active"], false);
    let secrets = bench.body("/orgs/small/actions/secrets").await;
    assert_eq!(texts(&secrets["secrets"], "name"), ["DRIFT_API_KEY", "REGISTRY_TOKEN"]);
    assert!(secrets["secrets"][1]["selected_repositories_url"].is_string());
}

#[tokio::test]
async fn people() {
    let bench = Bench::small().await;
    let logins = |path: &'static str| {
        let bench = &bench;
        async move {
            let body = bench.body(path).await;
            texts(&body, "login").into_iter().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    assert_eq!(logins("/orgs/small/members").await, ["ada", "sam", "nora"]);
    assert_eq!(logins("/orgs/small/members?role=admin").await, ["ada"]);
    assert_eq!(logins("/orgs/small/members?filter=2fa_disabled").await, ["nora"]);
    assert_eq!(logins("/orgs/small/outside_collaborators").await, ["olaf-outside"]);
    let (status, keys) = bench.get_as("", "/users/sam/keys").await;
    assert_eq!((status, keys.as_array().unwrap().len()), (200, 2));
    assert_eq!(bench.get("/users/nobody/keys").await.0, 404);
}
