//! The audit logs.

use super::*;

const LOG: &str = "/orgs/small/audit-log";

async fn actions(bench: &Bench, query: &str) -> Vec<String> {
    let events = bench.all(&format!("{LOG}?{query}"), None).await;
    events.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn reaches_back_three_months_unless_asked() {
    let bench = Bench::small().await;
    let approved = "phrase=action:org.oauth_app_access_approved";
    let recent = bench.all(&format!("{LOG}?{approved}"), None).await;
    assert_eq!(recent.len(), 1);
    assert_eq!(recent[0]["oauth_application_name"], "Drift Chat");
    assert_eq!(recent[0]["org"], "small");
    assert!(recent[0]["@timestamp"].is_i64() && recent[0]["created_at"] == recent[0]["@timestamp"]);
    assert!(recent[0]["created_at"].as_i64().unwrap() >= 1_761_984_000_000, "milliseconds");
    let older = bench.all(&format!("{LOG}?{approved}+created:%3E%3D2025-01-01"), None).await;
    assert_eq!(older.len(), 2);
    assert_eq!(older[1]["oauth_application_name"], "Wiki Sync", "newest first");
    let upwards =
        bench.all(&format!("{LOG}?{approved}+created:%3E%3D2025-01-01&order=asc"), None).await;
    assert_eq!(upwards[0]["oauth_application_name"], "Wiki Sync");
    let span = format!("{approved}+created:2025-01-01..2025-03-01");
    assert_eq!(actions(&bench, &span).await.len(), 1);
}

#[tokio::test]
async fn a_repeated_action_means_either() {
    let bench = Bench::small().await;
    let phrase = "phrase=action:org.oauth_app_access_denied+action:org.oauth_app_access_blocked";
    let found = actions(&bench, phrase).await;
    assert_eq!(found, ["org.oauth_app_access_blocked", "org.oauth_app_access_denied"]);
    let category = actions(&bench, "phrase=action:org&order=asc&per_page=2").await;
    assert_eq!(category.len(), 4);
    let policy =
        actions(&bench, "phrase=action:org.enable_oauth_app_restrictions+created:2015-03-01").await;
    assert_eq!(policy.len(), 1);
    let others = actions(&bench, "phrase=-action:org+actor:ada").await;
    assert!(others.contains(&"hook.create".to_owned()), "{others:?}");
    assert!(others.iter().all(|action| !action.starts_with("org.")));
    assert_eq!(bench.get(&format!("{LOG}?phrase=hello")).await.0, 422);
    assert_eq!(bench.get(&format!("{LOG}?order=up")).await.0, 422);
}

#[tokio::test]
async fn events_follow_from_the_tables() {
    let bench = Bench::small().await;
    let all = bench.all(&format!("{LOG}?include=all&per_page=3"), None).await;
    let of =
        |action: &str| all.iter().filter(|event| event["action"] == action).collect::<Vec<_>>();
    let made = of("integration_installation.create");
    let drift = made.iter().find(|event| event["integration"] == "drift").unwrap();
    assert_eq!((&drift["actor"], &drift["repository_selection"]), (&json!("ada"), &json!("all")));
    assert_eq!(of("integration_installation.destroy")[0]["integration"], "old-timer");
    assert_eq!(of("integration_installation.suspend")[0]["name"], "Night Owl");
    assert_eq!(of("org_credential_authorization.grant").len(), 3);
    assert_eq!(of("personal_access_token.access_granted").len(), 1);
    assert_eq!(of("personal_access_token.request_created").len(), 2);
    assert_eq!(of("git.clone").len(), 1);
    assert!(!actions(&bench, "include=web").await.contains(&"git.clone".to_owned()));
    assert_eq!(actions(&bench, "include=git").await, ["git.clone"]);
    let mut ids: Vec<&str> =
        all.iter().map(|event| event["_document_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "none twice");
}

#[tokio::test]
async fn cursors_go_both_ways_and_end() {
    let bench = Bench::small().await;
    let path = format!("{LOG}?per_page=2");
    let first = bench.response(&path).await;
    let next = link(&first, "next").unwrap();
    assert!(next.contains("/organizations/9919/audit-log?") && next.contains("before="), "{next}");
    let (_, top) = read(first).await;
    let second = bench.response(&next).await;
    let back = link(&second, "prev").unwrap();
    assert_eq!(bench.body(&back).await, top);
    assert_eq!(bench.body(&link(&second, "first").unwrap()).await, top);
    bench.tenant().inject(Fault::new(Effect::ExpireLocator).on_path("audit-log").times(1));
    assert_eq!(bench.get(&next).await.0, 422);
    assert_eq!(bench.get(&format!("{path}&after=madeup")).await.0, 422);
    let next = link(&bench.response(&path).await, "next").unwrap();
    bench.tenant().set_behaviour(|behaviour| behaviour.cursor_seconds = 0);
    assert_eq!(bench.get(&next).await.0, 422);
}

#[tokio::test]
async fn revocations_are_logged() {
    let bench = Bench::small().await;
    let revoker = &bench.revoker;
    assert_eq!(bench.delete_as(revoker, "/orgs/small/credential-authorizations/161003").await, 204);
    assert_eq!(bench.delete_as(revoker, "/orgs/small/hooks/70001").await, 204);
    assert_eq!(bench.delete_as(revoker, "/repos/small/backend/keys/12001").await, 204);
    let found = actions(&bench, "per_page=3").await;
    for action in ["org_credential_authorization.revoke", "hook.destroy", "public_key.delete"] {
        assert!(found[..3].contains(&action.to_owned()), "{found:?}");
    }
}

#[tokio::test]
async fn the_enterprise_has_a_log_of_all_its_organisations() {
    let bench = Bench::small().await;
    let token = bench.token_for(ENTERPRISE, false).await;
    let path = format!("{ENTERPRISE}/audit-log?per_page=100&phrase=created:%3E%3D2014-01-01");
    let (status, events) = bench.get_as(&token, &path).await;
    assert_eq!(status, 200, "{events}");
    let events = events.as_array().unwrap();
    assert!(events.iter().any(|event| event["org"] == "small-labs"));
    let own = events.iter().find(|event| event["action"] == "business.add_organization").unwrap();
    assert!(own.get("org").is_none() && own["business"] == "small-corp");
    let owner = bench.tenant().client().owner_token;
    assert_eq!(bench.get_as(&owner, &path).await.0, 200);
    assert_eq!(bench.get_as(&bench.token, &path).await.0, 404, "an organisation's token");
}
