//! Decisions and requests: listings, decisions, and who approves afterwards.

use super::*;

const APPROVED: &str = "admin.apps.approved.list";
const RESTRICTED: &str = "admin.apps.restricted.list";
const REQUESTS: &str = "admin.apps.requests.list";

#[tokio::test]
async fn certified_apps_are_in_a_listing_of_their_own() {
    let bench = Bench::small().await;
    let plain = bench.read(APPROVED, ORG).await;
    assert_eq!(column(&plain["approved_apps"], "/app/name"), ["Drift", "Approved Only"]);
    assert_eq!(plain["response_metadata"]["next_cursor"], "");
    let drift = &plain["approved_apps"][0];
    assert_eq!(drift["date_updated"], 1_740_736_800);
    assert_eq!(drift["last_resolved_by"], json!({ "actor_id": "W0DAN0001", "actor_type": "user" }));
    assert_eq!(drift["scopes"][0]["token_type"], "bot");
    assert!(drift["app"]["icons"].is_object() && drift["app"]["developer_type"] == "third_party");
    let certified = bench.read(APPROVED, &format!("{ORG}&certified=true")).await;
    assert_eq!(column(&certified["approved_apps"], "/app/name"), ["Calendar Concierge"]);
    let restricted = bench.read(RESTRICTED, ORG).await;
    assert_eq!(column(&restricted["restricted_apps"], "/app/id"), ["A0SHADY001"]);
    let local = bench.read(APPROVED, &format!("team_id={SALES}")).await;
    assert_eq!(column(&local["approved_apps"], "/app/name"), ["Deal Desk Flow"]);
    assert_eq!(local["approved_apps"][0]["last_resolved_by"]["actor_type"], "app");
    let board = bench.read(RESTRICTED, "team_id=T0BOARD01").await;
    assert_eq!(column(&board["restricted_apps"], "/app/name"), ["Undecided Notes"]);
}

#[tokio::test]
async fn lists_what_nobody_has_answered() {
    let bench = Bench::small().await;
    assert_eq!(bench.refused(REQUESTS, "").await, "no_team_or_enterprise_provided");
    let plain = bench.read(REQUESTS, ORG).await;
    assert_eq!(column(&plain["app_requests"], "/id"), ["Ar0SMALL01", "Ar0SMALL04"]);
    let first = &plain["app_requests"][0];
    assert_eq!(first["user"]["id"], "W0SAM0001");
    assert_eq!(first["team"], json!({ "id": SALES, "name": "Sales", "domain": "small-sales" }));
    assert!(first["previous_resolution"].is_null() && first["scopes"][0]["is_approved"] == false);
    let all = bench.read(REQUESTS, &format!("{ORG}&certified=true")).await;
    assert_eq!(all["app_requests"].as_array().unwrap().len(), 3, "certified ones too");
    let local = bench.read(REQUESTS, "team_id=T0ENGIN01&certified=1").await;
    assert_eq!(column(&local["app_requests"], "/app/name"), ["Certified Survey"]);
}

#[tokio::test]
async fn restricting_moves_an_app_and_leaves_its_installs() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    let before = tenant.grant_count();
    let place = ("enterprise_id", "E0SMALL01");
    let drift = ("app_id", "A0DRIFT001");
    assert!(tenant.is_approved("Drift") && !tenant.is_restricted("Drift"));
    assert_eq!(bench.write("admin.apps.restrict", &[drift, place]).await, json!({ "ok": true }));
    assert!(tenant.is_restricted("Drift") && tenant.is_installed("Drift", "Sales"));
    assert_eq!(tenant.grant_count(), before);
    let restricted = bench.read(RESTRICTED, ORG).await;
    assert_eq!(column(&restricted["restricted_apps"], "/app/name"), ["Drift", "Shady Sync"]);
    assert_eq!(restricted["restricted_apps"][0]["last_resolved_by"]["actor_id"], "W0ADA0001");
    assert_eq!(bench.write("admin.apps.restrict", &[drift, place]).await["ok"], true, "twice");
    let refused = bench.write("admin.apps.approve", &[drift, ("team_id", SALES)]).await;
    assert_eq!(refusal(&refused), "app_restricted_org_wide");
    assert_eq!(bench.write("admin.apps.clearResolution", &[drift, place]).await["ok"], true);
    assert!(!tenant.is_restricted("Drift") && !tenant.is_approved("Drift"));
    let refused = bench.write("admin.apps.clearResolution", &[drift, place]).await;
    assert_eq!(refusal(&refused), "no_resolution_found");
    let log = bench.audit("entity=A0DRIFT001&limit=3").await;
    assert_eq!(
        column(&log["entries"], "/action"),
        ["app_removed_from_whitelist", "app_restricted", "app_restricted"]
    );
}

#[tokio::test]
async fn the_first_decision_for_all_takes_approval_over() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    bench.read(APPROVED, ORG).await;
    bench.write("admin.apps.restrict", &[("app_id", "A0DRIFT001"), ("team_id", SALES)]).await;
    let failed = [("app_id", "A0NONE"), ("enterprise_id", "E0SMALL01")];
    assert_eq!(refusal(&bench.write("admin.apps.restrict", &failed).await), "invalid_app_id");
    assert!(tenant.is_ui_approval_on(), "neither reading nor a workspace nor a failure");
    let good = [("app_id", "A0DRIFT001"), ("enterprise_id", "E0SMALL01")];
    bench.write("admin.apps.approve", &good).await;
    assert!(!tenant.is_ui_approval_on());

    let other = Bench::with(|world| world.behaviour.reading_takes_over_approval = true).await;
    other.read(RESTRICTED, ORG).await;
    assert!(other.tenant().is_ui_approval_on());
    other.read(APPROVED, ORG).await;
    assert!(!other.tenant().is_ui_approval_on());
}

#[tokio::test]
async fn refuses_decisions_that_cannot_be() {
    let bench = Bench::small().await;
    let place = ("enterprise_id", "E0SMALL01");
    for (form, code) in [
        (vec![place], "request_id_or_app_id_is_required"),
        (
            vec![place, ("app_id", "A0DRIFT001"), ("request_id", "Ar0SMALL01")],
            "too_many_ids_provided",
        ),
        (vec![place, ("team_id", SALES), ("app_id", "A0DRIFT001")], "too_many_teams_provided"),
        (vec![("app_id", "A0DRIFT001")], "invalid_arguments"),
        (vec![place, ("app_id", "1234567890")], "request_id_required_for_custom_integrations"),
        (vec![place, ("request_id", "Ar0SMALL04")], "custom_integration_not_allowed_at_enterprise"),
        (vec![place, ("request_id", "Ar0NONE")], "invalid_request_id"),
        (vec![place, ("request_id", "Ar0SMALL03")], "request_already_resolved"),
        (vec![("team_id", "T0NONE"), ("app_id", "A0DRIFT001")], "team_not_found"),
    ] {
        assert_eq!(refusal(&bench.write("admin.apps.restrict", &form).await), code);
    }
    let team = ("team_id", SALES);
    let certified = bench.write("admin.apps.approve", &[team, ("app_id", "A0CALEN001")]).await;
    assert_eq!(refusal(&certified), "org_resolution_required");
    let reading = [("app_id", "A0DRIFT001"), place];
    let body = bench.write_as(&bench.tokens.reader, "admin.apps.restrict", &reading).await;
    assert_eq!(refusal(&body), "missing_scope");
}

#[tokio::test]
async fn requests_are_answered_once() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    let place = ("enterprise_id", "E0SMALL01");
    assert_eq!(tenant.is_pending("Ar0SMALL01"), Some(true));
    let restrict = bench.write("admin.apps.restrict", &[("request_id", "Ar0SMALL01"), place]).await;
    assert_eq!(restrict["ok"], true);
    assert!(tenant.is_restricted("Free Survey") && tenant.is_pending("Ar0SMALL01") == Some(false));
    let elsewhere = [("request_id", "Ar0SMALL02"), ("team_id", SALES)];
    let refused = bench.write("admin.apps.requests.cancel", &elsewhere).await;
    assert_eq!(refusal(&refused), "invalid_request_id");
    let cancel = [("request_id", "Ar0SMALL02")];
    assert_eq!(bench.write("admin.apps.requests.cancel", &cancel).await["ok"], true);
    let refused = bench.write("admin.apps.requests.cancel", &cancel).await;
    assert_eq!(refusal(&refused), "request_already_resolved");
    assert_eq!(tenant.is_pending("Ar0NONE"), None);
}

#[tokio::test]
async fn tells_what_an_app_may_do() {
    let bench = Bench::small().await;
    let body = bench.read("admin.apps.config.lookup", "app_ids=A0FLOWS001,A0NONE").await;
    assert_eq!(
        body["configs"],
        json!([{ "app_id": "A0FLOWS001", "workflow_auth_strategy": "end_user_only",
            "domain_restrictions": { "emails": ["small.example"], "urls": ["api.small.example"] } }])
    );
    assert_eq!(bench.refused("admin.apps.config.lookup", "").await, "missing_args");
    let many = vec!["A0X"; 101].join(",");
    let many = bench.refused("admin.apps.config.lookup", &format!("app_ids={many}")).await;
    assert_eq!(many, "invalid_arguments");
    let permissions = "admin.apps.permissions.list";
    let body = bench.read(permissions, "app_id=A0FLOWS001").await;
    assert_eq!(body["user_ids"], json!(["W0SAM0001", "W0WES0001"]));
    let body = bench.read(permissions, "app_id=A0DRIFT001").await;
    assert_eq!(body["permission_type"], "everyone");
    assert_eq!(bench.refused(permissions, "app_id=A0NONE").await, "app_not_found");
    let servers = bench.read("admin.apps.mcp.servers.list", "").await;
    assert_eq!(column(&servers["servers"], "/app_name"), ["Deal Desk Flow"]);

    let activities = "admin.apps.activities.list";
    let newest = bench.read(activities, "app_id=A0FLOWS001").await;
    assert_eq!(column(&newest["activities"], "/level"), ["error", "info"]);
    assert!(newest["activities"][0]["created"].as_i64().unwrap() > 1_700_000_000_000_000);
    let query = "min_log_level=warn&sort_direction=asc&source=slack&component_id=Fn0SMALL01";
    let loud = bench.read(activities, query).await;
    assert_eq!(column(&loud["activities"], "/level"), ["error"]);
    let late = bench.read(activities, "min_date_created=1768406403000000").await;
    assert_eq!(late["activities"].as_array().unwrap().len(), 1);
    assert_eq!(bench.refused(activities, "app_id=A0NONE").await, "invalid_app_id");
    assert_eq!(bench.refused(activities, "team_id=T0NONE").await, "invalid_team");
    assert_eq!(bench.refused(activities, "min_log_level=loud").await, "invalid_arguments");
}
