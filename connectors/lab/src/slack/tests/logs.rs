//! `team.integrationLogs`: rows, pages by number, and for whom.

use super::*;

const LOGS: &str = "team.integrationLogs";

#[tokio::test]
async fn tells_of_apps_and_services_newest_first() {
    let bench = Bench::workshop().await;
    let body = bench.read(LOGS, "").await;
    let rows = body["logs"].as_array().unwrap();
    assert_eq!(body["paging"], json!({ "count": 100, "total": 28, "page": 1, "pages": 1 }));
    assert_eq!(rows.len(), 28);
    let dates: Vec<i64> =
        rows.iter().map(|row| row["date"].as_str().unwrap().parse().unwrap()).collect();
    assert!(dates.windows(2).all(|two| two[0] >= two[1]));
    for row in rows {
        assert_ne!(row.get("app_id").is_some(), row.get("service_id").is_some(), "{row}");
    }
    let updated = &rows[0];
    assert_eq!(updated["change_type"], "updated");
    assert_eq!(updated["scope"], "channels:history,channels:read,chat:write:user");
    let removed = rows.iter().find(|row| row["change_type"] == "removed").unwrap();
    assert_eq!(removed["user_id"], "U0WANDA01", "not the one who installed it");
    let reasons: Vec<&str> = rows.iter().filter_map(|row| row["reason"].as_str()).collect();
    for reason in
        ["user", "rate_limits", "slack", "errors", "system", "admin", "api_decline", "deauth"]
    {
        assert!(reasons.contains(&reason), "{reason}");
    }
    assert!(rows.iter().any(|row| row["change_type"] == "enabled"));
    assert!(rows.iter().any(|row| row["admin_app_id"] == "A0ADMIN001"));
    assert!(rows.iter().any(|row| row["rss_feed_url"].is_string()));
    assert!(rows.iter().any(|row| row["channel"] == "C0WORKS002"));
    assert_eq!(bench.tenant().grant_count(), 3);
    assert_eq!(bench.tenant().integration_count(), 2);
}

#[tokio::test]
async fn pages_by_number_and_filters() {
    let bench = Bench::workshop().await;
    let mut dates = Vec::new();
    for page in 1..=4 {
        let body = bench.read(LOGS, &format!("count=8&page={page}")).await;
        assert_eq!(body["paging"], json!({ "count": 8, "total": 28, "page": page, "pages": 4 }));
        dates.extend(column(&body["logs"], "/date"));
    }
    assert_eq!(dates.len(), 28);
    assert_eq!(bench.read(LOGS, "count=8&page=5").await["logs"], json!([]));
    bench.behave(|behaviour| behaviour.logs_page = 10);
    assert_eq!(bench.read(LOGS, "count=5000").await["logs"].as_array().unwrap().len(), 10);
    for (query, total) in [
        ("app_id=A0DRIFT001", 4),
        ("service_id=2000000010", 3),
        ("change_type=removed", 1),
        ("user=U0LEO0001", 3),
        ("user=U0LEO0001&change_type=disabled", 0),
        ("team_id=T0NONE", 28),
    ] {
        assert_eq!(bench.read(LOGS, query).await["paging"]["total"], total, "{query}");
    }
    for query in ["count=0", "page=0", "change_type=installed", "cursor=x"] {
        assert_eq!(bench.refused(LOGS, query).await, "invalid_arguments", "{query}");
    }
}

#[tokio::test]
async fn what_the_documents_leave_open_can_be_switched() {
    let bench = Bench::workshop().await;
    bench.behave(|behaviour| {
        behaviour.service_ids_as_numbers = true;
        behaviour.logs_oldest_first = true;
        behaviour.expanded_rows = true;
        behaviour.scope_absent_when_empty = true;
    });
    let body = bench.read(LOGS, "").await;
    let rows = body["logs"].as_array().unwrap();
    assert_eq!(rows[0]["service_id"], 2_000_000_001_u64);
    assert!(rows[0].get("scope").is_none());
    assert_eq!(rows[27]["change_type"], "expanded");
    bench.behave(|behaviour| behaviour.log_retention_days = Some(365));
    assert_eq!(bench.read(LOGS, "").await["paging"]["total"], 4);
}

#[tokio::test]
async fn an_organisation_reads_one_workspace_at_a_time() {
    let bench = Bench::small().await;
    assert_eq!(bench.refused(LOGS, "team_id=T0SALES01").await, "missing_scope");
    assert!(bench.tenant().set_right("admin", true));
    assert_eq!(bench.refused(LOGS, "").await, "missing_argument");
    assert_eq!(bench.refused(LOGS, "team_id=T0NONE").await, "team_not_found");
    assert_eq!(bench.refused(LOGS, "team_id=T0BOARD01").await, "invalid_auth", "no member there");
    bench.read("auth.test", "").await;
    let sales = bench.read(LOGS, "team_id=T0SALES01").await;
    let apps = sales["logs"].to_string();
    assert!(apps.contains("Old Timer"), "older than the audit log");
    assert!(apps.contains("Incoming WebHooks") && !apps.contains("Small Intranet"), "{apps}");
    bench.behave(|behaviour| behaviour.org_installs_in_workspace_logs = true);
    let sales = bench.read(LOGS, "team_id=T0SALES01").await;
    assert!(sales["logs"].to_string().contains("Small Intranet"));
    assert!(bench.tenant().set_right("member/T0BOARD01", true));
    bench.read(LOGS, "team_id=T0BOARD01").await;
    assert!(bench.tenant().set_right("member/T0BOARD01", false));
    assert_eq!(bench.refused(LOGS, "team_id=T0BOARD01").await, "invalid_auth");
    assert!(!bench.tenant().set_right("member/T0NONE", false));
}

#[tokio::test]
async fn is_for_admins_with_a_user_token() {
    let bench = Bench::workshop().await;
    let bot = bench.read_as(&bench.tokens.bot, LOGS, "").await;
    assert_eq!(refusal(&bot), "not_allowed_token_type");
    assert_eq!(refusal(&bench.read_as(&bench.tokens.revoker, LOGS, "").await), "missing_scope");
    assert!(bench.tenant().set_right("Admin", false));
    assert_eq!(bench.refused(LOGS, "").await, "no_permission");
}

#[tokio::test]
async fn new_rows_move_the_others_along() {
    let bench = Bench::workshop().await;
    let first = bench.read(LOGS, "count=5&page=1").await;
    let add = Effect::AddToken { app: "Rule Reader".into(), username: "max.member".into() };
    bench.tenant().inject(Fault::new(add).on_text("page").times(1));
    let second = bench.read(LOGS, "count=5&page=2").await;
    assert_eq!(second["logs"][0], first["logs"][4], "one row is seen twice");
    assert_eq!(second["paging"]["total"], 29);
    assert_eq!(bench.tenant().grant_count(), 4);
}
