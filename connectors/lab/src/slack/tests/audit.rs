//! The audit API: what it tells, what it leaves out, and to whom.

use super::*;

#[tokio::test]
async fn tells_of_installs_newest_first() {
    let bench = Bench::small().await;
    let log = bench.audit("action=app_installed,org_app_installed").await;
    let entries = log["entries"].as_array().unwrap();
    let times: Vec<i64> = entries.iter().map(|e| e["date_create"].as_i64().unwrap()).collect();
    assert!(times.windows(2).all(|two| two[0] >= two[1]), "{times:?}");
    // 14 installs, less the custom integration and the one before March 2018.
    assert_eq!(entries.len(), 12);
    let names = column(&log["entries"], "/entity/app/name");
    assert!(
        !names.contains(&"Old Timer".to_owned())
            && !names.contains(&"Incoming WebHooks".to_owned())
    );
    let org = entries.iter().find(|entry| entry["action"] == "org_app_installed").unwrap();
    assert_eq!(org["context"]["location"]["type"], "enterprise");
    assert_eq!(org["details"]["is_token_rotation_enabled_app"], true);
    let drift = entries.iter().rfind(|entry| entry["entity"]["app"]["id"] == "A0DRIFT001").unwrap();
    assert_eq!(
        drift["context"]["location"],
        json!({ "type": "workspace", "id": SALES, "name": "Sales",
        "domain": "small-sales" })
    );
    assert_eq!(drift["entity"]["app"]["scopes"], json!(["identify"]), "as it was installed");
    assert_eq!(drift["actor"]["user"]["id"], "W0SAM0001");
}

#[tokio::test]
async fn a_change_of_scopes_does_not_name_its_app() {
    let bench = Bench::small().await;
    let log = bench.audit("action=app_scopes_expanded").await;
    let [entry] = &log["entries"].as_array().unwrap()[..] else { panic!("{log}") };
    assert_eq!(entry["entity"]["type"], "workspace");
    assert!(!entry.to_string().contains("A0DRIFT001"), "{entry}");
    assert_eq!(
        entry["details"]["previous_scopes"],
        json!(["channels:history", "chat:write", "identify"])
    );
    assert!(entry["details"]["new_scopes"].as_array().unwrap().contains(&json!("search:read")));
    bench.behave(|behaviour| behaviour.expanded_names_app = true);
    let log = bench.audit("action=app_scopes_expanded").await;
    assert_eq!(column(&log["entries"], "/entity/app/id"), ["A0DRIFT001"]);
}

#[tokio::test]
async fn filters_and_keeps_what_no_list_has() {
    let bench = Bench::small().await;
    let all = bench.audit("").await;
    assert_eq!(all["entries"][0]["context"]["app"]["id"], "A0DRIFT001", "a last use");
    assert_eq!(all["entries"][0]["context"]["ip_address"], "203.0.113.71");
    assert_eq!(all["entries"][1]["action"], "app_polished");
    let by_actor = bench.audit("actor=W0GIA0001").await;
    assert_eq!(
        column(&by_actor["entries"], "/action"),
        ["app_installed", "app_installed"],
        "the removal was an admin's"
    );
    let one = bench.audit("entity=A0NOTES001&action=app_installed").await;
    assert_eq!(one["entries"].as_array().unwrap().len(), 1);
    let window = bench.audit("oldest=1764576000&latest=1764576000").await;
    assert_eq!(
        column(&window["entries"], "/entity/app/name"),
        ["Mail Merge Pro"],
        "both inclusive"
    );
    for query in ["limit=10000", "limit=0", "action=app_instaled", "since=1", "oldest=yesterday"] {
        assert_eq!(refusal(&bench.audit(query).await), "invalid_arguments", "{query}");
    }
    bench.behave(|behaviour| behaviour.audit_retention_days = Some(30));
    let young = bench.audit("").await;
    assert_eq!(young["entries"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn is_for_an_owner_of_an_organisation() {
    let bench = Bench::small().await;
    let request = |token: &str| bench.http.get(bench.url("/audit/v1/logs")).bearer_auth(token);
    let code = async |token: &str| refusal(&bench.ask(request(token)).await.1);
    assert_eq!(code(bench.tokens.org_admin.as_deref().unwrap()).await, "not_allowed");
    assert_eq!(code(&bench.tokens.bot).await, "not_allowed_token_type");
    assert!(bench.tenant().set_right("revoker/auditlogs:read", false));
    assert_eq!(code(&bench.tokens.revoker).await, "missing_scope");
    assert_eq!(code("xoxp-FAKE").await, "invalid_auth");
    let (_, body) = bench.ask(bench.http.get(bench.url("/audit/v1/logs"))).await;
    assert_eq!(refusal(&body), "not_authed");
    assert!(bench.tenant().set_right("Owner", false));
    bench.behave(|behaviour| behaviour.audit_refusal = "not_an_admin".to_owned());
    assert_eq!(refusal(&bench.audit("").await), "not_an_admin");
    let single = Bench::workshop().await;
    assert!(single.tenant().set_right("auditlogs:read", true));
    assert_eq!(refusal(&single.audit("").await), "feature_not_enabled");
}

#[tokio::test]
async fn its_lists_need_no_token() {
    let bench = Bench::small().await;
    let (status, body) = bench.ask(bench.http.get(bench.url("/audit/v1/actions"))).await;
    assert_eq!(status, 200);
    assert!(body["actions"]["app"].as_array().unwrap().contains(&json!("app_uninstalled")));
    let (_, body) = bench.ask(bench.http.get(bench.url("/audit/v1/schemas"))).await;
    assert!(column(&body["schemas"], "/type").contains(&"app".to_owned()));
}

#[tokio::test]
async fn pages_by_cursor() {
    let bench = Bench::small().await;
    let whole = bench.audit("limit=9999").await;
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let body = bench.audit(&format!("limit=4&cursor={cursor}")).await;
        ids.extend(column(&body["entries"], "/id"));
        let next = body["response_metadata"]["next_cursor"].as_str().unwrap();
        if next.is_empty() {
            break;
        }
        assert!(next.ends_with('='));
        cursor = encoded(next);
    }
    assert_eq!(ids, column(&whole["entries"], "/id"));
    bench.behave(|behaviour| behaviour.empty_first_page = true);
    let empty = bench.audit("").await;
    assert_eq!(empty["entries"], json!([]));
    let next = encoded(empty["response_metadata"]["next_cursor"].as_str().unwrap());
    assert_eq!(
        bench.audit(&format!("cursor={next}")).await["entries"].as_array().unwrap().len(),
        ids.len()
    );
    let first = bench.audit("limit=1").await;
    let next = encoded(first["response_metadata"]["next_cursor"].as_str().unwrap_or("x"));
    assert_eq!(refusal(&bench.audit(&format!("actor=W0X&cursor={next}")).await), "invalid_cursor");
}
