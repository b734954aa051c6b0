//! People and workspaces.

use super::*;

#[tokio::test]
async fn lists_workspaces() {
    let bench = Bench::small().await;
    let teams = bench.read("admin.teams.list", "").await;
    assert_eq!(column(&teams["teams"], "/id"), [SALES, "T0ENGIN01", "T0BOARD01"]);
    assert_eq!(
        teams["teams"][0],
        json!({ "id": SALES, "name": "Sales", "discoverability": "closed",
            "primary_owner": { "user_id": "W0WES0001", "email": "wes.local@small.example" },
            "team_url": "https://small-sales.slack.com/" })
    );
    assert_eq!(bench.read("auth.teams.list", "").await["teams"].as_array().unwrap().len(), 3);
    let own = bench.read_as(&bench.tokens.workspace_admin, "auth.teams.list", "").await;
    assert_eq!(own["teams"], json!([{ "id": SALES, "name": "Sales" }]));
    let info = bench.read("team.info", "team=T0ENGIN01").await;
    assert_eq!(
        (&info["team"]["domain"], &info["team"]["enterprise_id"]),
        (&json!("small-eng"), &json!("E0SMALL01"))
    );
    assert_eq!(bench.refused("team.info", "team=T0NONE").await, "team_not_found");
}

#[tokio::test]
async fn admins_see_active_users_unless_they_ask() {
    let bench = Bench::small().await;
    let list = "admin.users.list";
    let active = bench.read(list, "").await;
    assert_eq!(active["users"].as_array().unwrap().len(), 7);
    assert!(active["users"][0]["has_2fa"].is_boolean());
    let gone = bench.read(list, "is_active=false").await;
    assert_eq!(column(&gone["users"], "/username"), ["gone.gus"]);
    assert_eq!(gone["users"][0]["deactivated_ts"], 1_751_284_800);
    let guests = bench.read(list, "only_guests=true").await;
    assert_eq!(column(&guests["users"], "/id"), ["W0GIA0001"]);
    let sales = bench.read(list, "team_id=T0SALES01").await;
    assert_eq!(
        column(&sales["users"], "/username"),
        ["pia.primary", "ada.owner", "wes.local", "sam.sales", "helper"]
    );
    assert!(sales["users"][0].get("has_2fa").is_none());
    assert_eq!(bench.refused(list, "limit=101").await, "invalid_arguments");
    assert_eq!(bench.refused(list, "team_id=T0NONE").await, "team_not_found");
    let both = "team_id=T0SALES01&include_deactivated_user_workspaces=true";
    assert_eq!(bench.refused(list, both).await, "include_deactivated_user_workspaces_invalid");
}

#[tokio::test]
async fn members_see_members() {
    let bench = Bench::workshop().await;
    let list = bench.read("users.list", "").await;
    assert_eq!(list["members"].as_array().unwrap().len(), 4, "deactivated ones too");
    let leo = bench.read("users.info", "user=U0LEO0001").await;
    assert_eq!((&leo["user"]["deleted"], leo["user"].get("is_admin")), (&json!(true), None));
    let wanda = bench.read("users.info", "user=U0WANDA01").await;
    assert_eq!(wanda["user"]["is_admin"], true);
    assert_eq!(wanda["user"]["profile"]["email"], "wanda.admin@workshop.example");
    assert!(bench.tenant().set_right("users:read.email", false));
    let wanda = bench.read("users.info", "user=U0WANDA01").await;
    assert!(wanda["user"]["profile"].get("email").is_none());
    assert_eq!(bench.refused("users.info", "user=U0NONE").await, "user_not_found");
    bench.behave(|behaviour| behaviour.limit_required_above = 3);
    assert_eq!(bench.refused("users.list", "").await, "limit_required");
    let capped = bench.read("users.list", "limit=3").await;
    assert_eq!(capped["members"].as_array().unwrap().len(), 3);

    let org = Bench::small().await;
    assert_eq!(org.refused("users.list", "").await, "missing_argument");
    let board = org.read("users.list", "team_id=T0BOARD01").await;
    assert_eq!(column(&board["members"], "/name"), ["pia.primary"]);
    let gia = org.read("users.info", "user=W0GIA0001").await;
    assert_eq!(gia["user"]["enterprise_user"]["teams"], json!(["T0ENGIN01"]));
    assert_eq!(gia["user"]["is_restricted"], true);
    let hidden = org.read_as(&org.tokens.bot, "users.info", "user=W0GIA0001").await;
    assert_eq!(refusal(&hidden), "user_not_visible");
}
