//! What a revocation does, and what it leaves.

use super::*;

const UNINSTALL: &str = "admin.apps.uninstall";
const PLACE: (&str, &str) = ("enterprise_id", "E0SMALL01");

async fn unmetered() -> Bench {
    Bench::with(|world| world.behaviour.quota = false).await
}

#[tokio::test]
async fn uninstalling_everywhere_ends_installs_and_tokens_and_keeps_the_decision() {
    let bench = unmetered().await;
    let tenant = bench.tenant();
    let thief = tenant.stolen("Drift").unwrap();
    assert_eq!(bench.read_as(&thief, "auth.test", "").await["ok"], true);
    let before = tenant.grant_count();
    assert_eq!(tenant.install_count("Drift"), 2);
    let body = bench.write(UNINSTALL, &[("app_id", "A0DRIFT001"), PLACE]).await;
    assert_eq!(body, json!({ "ok": true }));
    assert_eq!((tenant.install_count("Drift"), tenant.grant_count()), (0, before - 2));
    assert!(!tenant.is_installed("Drift", "Sales") && tenant.is_approved("Drift"));
    let body = bench.read_as(&thief, "auth.test", "").await;
    assert_eq!(refusal(&body), "account_inactive", "a bot's token");
    let log = bench.audit("action=app_uninstalled,org_app_uninstalled&entity=A0DRIFT001").await;
    assert_eq!(column(&log["entries"], "/context/location/id"), ["T0ENGIN01", SALES]);
    assert_eq!(log["entries"][0]["actor"]["user"]["id"], "W0ADA0001");
    assert_eq!(tenant.stolen("Drift"), None);
    let user = tenant.stolen("Shady Sync").unwrap();
    bench.write(UNINSTALL, &[("app_id", "A0SHADY001"), PLACE]).await;
    assert_eq!(refusal(&bench.read_as(&user, "auth.test", "").await), "token_revoked", "a user's");
}

#[tokio::test]
async fn uninstalling_from_workspaces_takes_only_theirs() {
    let bench = unmetered().await;
    let body = bench.write(UNINSTALL, &[("app_id", "A0DRIFT001"), ("team_ids", SALES)]).await;
    assert_eq!(body["ok"], true);
    let tenant = bench.tenant();
    assert!(!tenant.is_installed("Drift", SALES) && tenant.is_installed("Drift", "T0ENGIN01"));
    let org_app = [("app_id", "A0INTRA001"), ("team_ids", SALES)];
    assert_eq!(refusal(&bench.write(UNINSTALL, &org_app).await), "must_revoke_access");
    assert!(tenant.is_installed("Small Intranet", "Board"));
    let json = json!({ "app_id": "A0INTRA001", "enterprise_id": "E0SMALL01" });
    let request = bench.http.post(bench.url(&format!("/api/{UNINSTALL}"))).json(&json);
    let (_, body) = bench.ask(request.bearer_auth(&bench.tokens.revoker)).await;
    assert_eq!(body["ok"], true);
    assert!(!tenant.is_installed("Small Intranet", "Board"));
    let log = bench.audit("action=org_app_uninstalled").await;
    assert_eq!(column(&log["entries"], "/context/location/type"), ["enterprise"]);
}

#[tokio::test]
async fn refuses_uninstalls_that_cannot_be() {
    let bench = unmetered().await;
    let many = vec![SALES; 101].join(",");
    let app = ("app_id", "A0DRIFT001");
    for (form, code) in [
        (vec![PLACE], "invalid_arguments"),
        (vec![app], "specify_enterprise_or_teams"),
        (vec![app, PLACE, ("team_ids", SALES)], "specify_enterprise_or_teams"),
        (vec![("app_id", "A0NONE"), PLACE], "app_not_found"),
        (vec![("app_id", "A0APPRV001"), PLACE], "app_not_found"),
        (vec![("app_id", "1234567890"), PLACE], "app_not_found"),
        (vec![("app_id", "A0BOLTD001"), PLACE], "can_not_uninstall"),
        (vec![app, ("enterprise_id", "E0NONE")], "enterprise_not_found"),
        (vec![app, ("team_ids", "T0SALES01,T0NONE")], "teams_not_found"),
        (vec![app, ("team_ids", &many)], "too_many_teams"),
    ] {
        assert_eq!(refusal(&bench.write(UNINSTALL, &form).await), code, "{form:?}");
    }
    assert_eq!(bench.tenant().install_count("Drift"), 2);
    for answer in ["can_not_uninstall", "ok"] {
        bench.behave(|behaviour| behaviour.uninstall_absent = answer.to_owned());
        let body = bench.write(UNINSTALL, &[("app_id", "A0APPRV001"), PLACE]).await;
        assert_eq!(body["error"].as_str().unwrap_or("ok"), answer);
    }
    bench.behave(|behaviour| behaviour.uninstall_ignored = true);
    assert_eq!(bench.write(UNINSTALL, &[app, PLACE]).await["ok"], true);
    assert_eq!(bench.tenant().install_count("Drift"), 2, "said and not done");
    assert!(bench.tenant().set_right("Admin", false));
    assert_eq!(refusal(&bench.write(UNINSTALL, &[app, PLACE]).await), "permission_denied");
}

#[tokio::test]
async fn the_audit_log_may_lag() {
    let bench = Bench::with(|world| {
        world.behaviour.quota = false;
        world.behaviour.audit_lag_seconds = 30;
        world.behaviour.time_scale = 60.0;
    })
    .await;
    bench.write(UNINSTALL, &[("app_id", "A0DRIFT001"), PLACE]).await;
    let seen = async || {
        let log = bench.audit("action=app_uninstalled&entity=A0DRIFT001").await;
        log["entries"].as_array().unwrap().len()
    };
    assert_eq!(seen().await, 0);
    assert_eq!(bench.tenant().install_count("Drift"), 0, "it is gone all the same");
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(seen().await, 2);
}

#[tokio::test]
async fn uninstalling_the_scanner_ends_its_own_tokens() {
    let bench = Bench::with(|world| {
        world.behaviour.quota = false;
        world.apps[1].id = Some(world.scanner.app_id.clone());
    })
    .await;
    let app = bench.tokens.app_id.clone();
    bench.write(UNINSTALL, &[("app_id", &app), PLACE]).await;
    assert_eq!(bench.refused("auth.test", "").await, "token_revoked");
    let bot = bench.read_as(&bench.tokens.bot, "auth.test", "").await;
    assert_eq!(refusal(&bot), "account_inactive");
    let revoker = bench.read_as(&bench.tokens.revoker, "auth.test", "").await;
    assert_eq!(revoker["ok"], true, "another app's");
}

#[tokio::test]
async fn a_token_can_end_itself() {
    let bench = Bench::small().await;
    let thief = bench.tenant().stolen("Drift").unwrap();
    let dry = bench.read_as(&thief, "auth.revoke", "test=1").await;
    assert_eq!(dry, json!({ "ok": true, "revoked": false }));
    let real = bench.read_as(&thief, "auth.revoke", "").await;
    assert_eq!(real, json!({ "ok": true, "revoked": true }));
    let again = bench.read_as(&thief, "auth.revoke", "").await;
    assert_eq!(refusal(&again), "token_revoked");
    assert_eq!(bench.tenant().install_count("Drift"), 2, "the installs stay");
}

#[tokio::test]
async fn resets_sessions() {
    let bench = Bench::small().await;
    let reset = "admin.users.session.reset";
    let body = bench.write(reset, &[("user_id", "W0SAM0001"), ("mobile_only", "false")]).await;
    assert_eq!(body["ok"], true);
    assert_eq!(bench.tenant().session_resets("sam.sales"), 1);
    let log = bench.audit("action=user_session_reset_by_admin").await;
    assert_eq!(column(&log["entries"], "/entity/user/id"), ["W0SAM0001"]);
    for (user, code) in [
        ("W0NONE", "user_not_found"),
        ("W0BOT0001", "cannot_reset_bot"),
        ("W0PIA0001", "cannot_reset_primary_owner"),
    ] {
        assert_eq!(refusal(&bench.write(reset, &[("user_id", user)]).await), code);
    }
    assert!(bench.tenant().set_right("Admin", false));
    let body = bench.write(reset, &[("user_id", "W0SAM0001")]).await;
    assert_eq!(refusal(&body), "not_an_admin");
}
