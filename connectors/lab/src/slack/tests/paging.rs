//! Cursors: whole listings, and how cursors end.

use super::*;

#[tokio::test]
async fn every_cursor_listing_is_whole_in_small_pages() {
    let bench = Bench::with(|world| world.behaviour.quota = false).await;
    for (method, query, list) in [
        ("admin.apps.approved.list", ORG, "approved_apps"),
        ("admin.apps.restricted.list", ORG, "restricted_apps"),
        ("admin.apps.requests.list", "enterprise_id=E0SMALL01&certified=true", "app_requests"),
        ("admin.apps.mcp.servers.list", "", "servers"),
        ("admin.apps.activities.list", "", "activities"),
        ("admin.teams.list", "", "teams"),
        ("auth.teams.list", "", "teams"),
        ("admin.users.list", "", "users"),
        ("users.list", "team_id=T0SALES01", "members"),
    ] {
        let whole = bench.read(method, query).await[list].as_array().unwrap().clone();
        assert!(!whole.is_empty(), "{method}");
        for switches in 0..4 {
            bench.behave(|behaviour| {
                behaviour.empty_first_page = switches & 1 > 0;
                behaviour.end_without_metadata = switches & 2 > 0;
            });
            let paged = bench.all(method, &format!("{query}&limit=1"), list).await;
            assert_eq!(paged, whole, "{method} {switches}");
        }
        bench.behave(|behaviour| {
            behaviour.empty_first_page = false;
            behaviour.end_without_metadata = false;
        });
    }
}

#[tokio::test]
async fn cursors_end() {
    let bench = Bench::small().await;
    let list = "admin.users.list";
    let next = async || {
        let body = bench.read(list, "limit=1").await;
        encoded(body["response_metadata"]["next_cursor"].as_str().unwrap())
    };
    let cursor = next().await;
    bench.read(list, &format!("limit=2&cursor={cursor}")).await;
    bench.read(list, &format!("limit=2&cursor={cursor}")).await;
    let moved = bench.refused("admin.teams.list", &format!("cursor={cursor}")).await;
    assert_eq!(moved, "invalid_cursor", "another listing's");
    assert_eq!(bench.refused(list, "cursor=x").await, "invalid_cursor");
    bench.tenant().inject(Fault::new(Effect::ExpireLocator).on_text("page").times(1));
    assert_eq!(bench.refused(list, &format!("cursor={cursor}")).await, "invalid_cursor");
    bench.behave(|behaviour| behaviour.cursor_once = true);
    let cursor = next().await;
    bench.read(list, &format!("cursor={cursor}")).await;
    assert_eq!(bench.refused(list, &format!("cursor={cursor}")).await, "invalid_cursor");
    bench.behave(|behaviour| behaviour.cursor_seconds = 0);
    let cursor = next().await;
    assert_eq!(bench.refused(list, &format!("cursor={cursor}")).await, "invalid_cursor");
}

#[tokio::test]
async fn nothing_is_passed_over_when_earlier_items_go() {
    let bench = Bench::small().await;
    let list = "admin.apps.approved.list";
    let first = bench.read(list, &format!("{ORG}&limit=1")).await;
    assert_eq!(column(&first["approved_apps"], "/app/name"), ["Drift"]);
    let form = [("app_id", "A0DRIFT001"), ("enterprise_id", "E0SMALL01")];
    bench.write("admin.apps.restrict", &form).await;
    let cursor = encoded(first["response_metadata"]["next_cursor"].as_str().unwrap());
    let rest = bench.read(list, &format!("{ORG}&cursor={cursor}")).await;
    assert_eq!(column(&rest["approved_apps"], "/app/name"), ["Approved Only"]);
}
