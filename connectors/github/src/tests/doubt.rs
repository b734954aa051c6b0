//! What is doubtful is never taken for whole.

use grantwarden_kit::{
    connector::Connector as _,
    model::{Observed, Reason},
};
use grantwarden_lab::{Effect, Fault};

use super::support::{OneHost, apps, grant, grants, part, reply, scale, scope_names, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_single_sign_on_hides_are_a_loss() {
    let lab = OneHost::small_with(r#", partial_results = "/installations""#).await;
    let scan = lab.scan().await;
    let losses = &part(&scan, "installations").losses;
    let partial = losses.iter().find(|loss| loss.gap.detail.contains("partial-results")).unwrap();
    assert_eq!(partial.gap.reason, Reason::Permission);
    assert!(!scan.coverage.is_whole());
}

/// A token that goes while its listing is read makes the next page miss another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_whose_rows_moved_is_read_again() {
    let world = scale(1_500, |_| {});
    let lab = OneHost::start(world, "generated", "generated").await;
    let before = lab.scan().await;
    let name = |id: &str| {
        let found = grants(&before).find(|grant| grant.id == id).unwrap();
        super::support::setting(found, "Name").unwrap().to_owned()
    };
    let mut ids: Vec<&str> = grants(&before)
        .filter(|grant| grant.id.starts_with("fine-grained-token:"))
        .map(|grant| grant.id.as_str())
        .collect();
    assert_eq!(ids.len(), 300);
    // The oldest is on the first page, which was read when it goes.
    let oldest = name(ids[0]);
    let gone = Fault::new(Effect::RevokeToken { app: oldest });
    lab.tenant().inject(gone.on_path("/personal-access-tokens").on_text("later page").times(1));
    let scan = lab.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", part(&scan, "fine-grained-tokens"));
    let mut after: Vec<&str> = grants(&scan)
        .filter(|grant| grant.id.starts_with("fine-grained-token:"))
        .map(|grant| grant.id.as_str())
        .collect();
    ids.sort_unstable();
    after.sort_unstable();
    // All of them: the one that went was read before.
    assert_eq!(after, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_on_some_repositories_says_that_it_misses_the_rest() {
    let lab = OneHost::small().await;
    let body = |selection: &str| {
        serde_json::json!({
            "token": "ghs_FAKEselected", "expires_at": "2026-01-15T13:00:00Z",
            "permissions": { "administration": "read" }, "repository_selection": selection,
        })
        .to_string()
    };
    let narrowed = Effect::Reply { status: 201, headers: Vec::new(), body: body("selected") };
    lab.tenant().inject(Fault::new(narrowed).on_path("/access_tokens"));
    let session = lab.session();
    session.sign_in().await.unwrap();
    let scan = super::support::scan_session(session.as_ref()).await;
    let losses = &part(&scan, "deploy-keys").losses;
    let told =
        losses.iter().find(|loss| loss.gap.detail.contains("some of the repositories")).unwrap();
    assert_eq!(told.gap.reason, Reason::Permission);
}

/// What one row lacks costs that row, or that fact, and is said.
#[tokio::test(flavor = "multi_thread")]
async fn odd_rows_cost_themselves() {
    let lab = OneHost::small().await;
    let body = serde_json::json!({ "total_count": 4, "installations": [
        { "id": 1, "app_id": 11, "app_slug": "one", "permissions": { "contents": "read", "new_thing": "admin" }, "suspended_at": null },
        { "id": 2, "app_id": 12, "app_slug": "two" },
        { "id": "three" },
        { "id": 4, "app_id": 14, "permissions": { "contents": { "deep": true } }, "repository_selection": "some" },
    ]});
    let odd = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_string() };
    lab.tenant().inject(Fault::new(odd).on_path("/small/installations"));
    let scan = lab.scan().await;
    assert_eq!(scope_names(grant(&scan, "installation:1")), ["contents:read", "new_thing:admin"]);
    let two = grant(&scan, "installation:2");
    assert!(two.scopes.gap().is_some() && two.granted_at.gap().is_some());
    assert!(apps(&scan).find(|app| app.id == "app:12").unwrap().blocked.gap().is_some());
    let four = grant(&scan, "installation:4");
    assert!(four.scopes.gap().unwrap().detail.contains("deep"));
    let access = four.settings.iter().find(|setting| setting.name == "Repository access").unwrap();
    assert!(access.value.gap().unwrap().detail.contains("`some`"));
    let part = part(&scan, "installations");
    assert_eq!((part.read, part.expected), (3, Some(4)));
    assert!(part.losses.iter().any(|loss| loss.rows == Some(1)), "{:#?}", part.losses);
    assert!(!scan.coverage.is_whole());
}

/// Names of things that are not known are quoted, never sorted under something that is.
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_a_new_kind_is_told_as_such() {
    let lab = OneHost::small().await;
    let body = r#"[{"login":"sam","credential_id":9,"credential_type":"passkey","credential_authorized_at":"soon","credential_accessed_at":null,"authorized_credential_id":null}]"#;
    let new = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
    lab.tenant().inject(Fault::new(new).on_path("/credential-authorizations"));
    let scan = lab.scan().await;
    let passkey = grant(&scan, "credential:9");
    assert_eq!(passkey.app, "other-credentials");
    let kind =
        passkey.settings.iter().find(|setting| setting.name == "Kind of credential").unwrap();
    assert!(kind.value.gap().unwrap().detail.contains("`passkey`"));
    assert!(passkey.scopes.gap().is_some() && passkey.granted_at.gap().is_some());
}

/// A key that GraphQL counts and REST does not list may be hidden.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_counted_and_not_listed_are_a_loss() {
    let lab = OneHost::small().await;
    let none = Effect::Reply { status: 200, headers: Vec::new(), body: "[]".into() };
    lab.tenant().inject(Fault::new(none).on_path("/repos/small/backend/keys"));
    let scan = lab.scan().await;
    let losses = &part(&scan, "deploy-keys").losses;
    assert_eq!((losses[0].gap.reason, losses[0].rows), (Reason::CountMismatch, Some(2)));
}

/// GraphQL refuses with 200.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_in_a_graphql_answer_is_a_refusal() {
    let lab = OneHost::small().await;
    let body = r#"{"data":{"organization":null},"errors":[{"type":"FORBIDDEN","message":"Resource not accessible by integration"}]}"#;
    let refused = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
    lab.tenant().inject(Fault::new(refused).on_path("/graphql"));
    let scan = lab.scan().await;
    assert_eq!(part(&scan, "deploy-keys").losses[0].gap.reason, Reason::Permission);
    // Single sign-on is told with what to do, and what took too long is asked for in halves.
    lab.tenant().clear_faults();
    let inject = |body: &str, times| {
        let answer = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
        lab.tenant().inject(Fault::new(answer).on_path("/graphql").times(times));
    };
    inject(
        r#"{"data":{"organization":null},"errors":[{"type":"FORBIDDEN","message":"Resource protected by organization SAML enforcement."}]}"#,
        1,
    );
    let detail = part(&lab.scan().await, "deploy-keys").losses[0].gap.detail.clone();
    assert!(detail.contains("Configure SSO"), "{detail}");
    inject(
        r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query."}]}"#,
        1,
    );
    assert!(part(&lab.scan().await, "deploy-keys").losses.is_empty());
    // And a limit is a limit, also there.
    lab.tenant().clear_faults();
    let body = r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#;
    let limited = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
    lab.tenant().inject(Fault::new(limited).on_path("/graphql").times(1));
    assert!(part(&lab.scan().await, "deploy-keys").losses.is_empty());
}

/// Without the organisation's own record the rest is still read.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_does_not_show_itself_still_has_its_id() {
    let lab = OneHost::small().await;
    let session = lab.session();
    session.sign_in().await.unwrap();
    let hidden = Fault::new(reply(404, "Not Found", &[])).on_path("/orgs/small");
    lab.tenant().inject(hidden);
    let scan = super::support::scan_session(session.as_ref()).await;
    assert_eq!(tenant(&scan).id, "9919");
    assert!(tenant(&scan).display_name.gap().is_some());
    assert_eq!(part(&scan, "organization").losses[0].gap.reason, Reason::Permission);
    assert!(grants(&scan).any(|grant| grant.id == "deploy-key:12001"));
}

/// The hour of the audit log must not end the scan of everything else.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_hour_is_used_up_costs_the_log() {
    let lab = OneHost::small().await;
    let reset = "4102444800";
    let limit = reply(
        403,
        "API rate limit exceeded for installation ID 1.",
        &[
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-limit", "1750"),
            ("x-ratelimit-reset", reset),
            ("x-ratelimit-resource", "audit_log"),
        ],
    );
    lab.tenant().inject(Fault::new(limit).on_path("/audit-log"));
    let scan = lab.scan().await;
    for facet in ["audit-events", "oauth-app-policy"] {
        assert_eq!(part(&scan, facet).losses[0].gap.reason, Reason::Quota, "{facet}");
    }
    assert!(part(&scan, "fine-grained-tokens").losses.is_empty());
    assert_eq!(tenant(&scan).consent.user_consent.gap().unwrap().reason, Reason::Quota);
}

/// A page of a hundred that is too heavy is asked for in halves.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_too_heavy_is_halved() {
    let world = scale(1_500, |_| {});
    let lab = OneHost::start(world, "generated", "generated").await;
    let heavy = Fault::new(Effect::ServerError).on_path("/credential-authorizations");
    lab.tenant().inject(heavy.times(6));
    let scan = lab.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    let halves = lab.tenant().count_calls(|call| {
        call.path.ends_with("/credential-authorizations")
            && call.query.contains(&("per_page".into(), "50".into()))
    });
    assert!(halves > 0);
    assert_eq!(part(&scan, "credential-authorizations").read, 1_200);
}

/// The addresses of the next pages name the organisation by its number: they are followed, other hosts are not.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_leads_elsewhere_is_not_followed() {
    let lab = OneHost::small().await;
    let away = Effect::Reply {
        status: 200,
        headers: vec![("link".into(), r#"<https://thief.example/page=2>; rel="next""#.into())],
        body: "[]".into(),
    };
    lab.tenant().inject(Fault::new(away).on_path("/orgs/small/hooks"));
    let scan = lab.scan().await;
    let losses = &part(&scan, "organization-webhooks").losses;
    assert!(losses.iter().any(|loss| loss.gap.detail.contains("thief.example")), "{losses:#?}");
    assert!(matches!(tenant(&scan).display_name, Observed::Known(_)));
}

/// Every page announces the total: where it changes, a row may have slipped.
#[tokio::test(flavor = "multi_thread")]
async fn installations_that_moved_are_read_again() {
    let world = scale(0, |scale| scale.apps = 250);
    let lab = OneHost::start(world, "generated", "generated").await;
    let before = lab.scan().await;
    let ids = |scan: &super::support::Scan| {
        let ids = grants(scan).filter(|grant| grant.id.starts_with("installation:"));
        ids.map(|grant| grant.id.clone()).collect::<std::collections::BTreeSet<_>>()
    };
    let first = grants(&before).find(|grant| grant.id.starts_with("installation:")).unwrap();
    let own = lab.tenant().client().client_id;
    let first = if apps(&before).any(|app| {
        app.id == first.app && app.client_ids.known().is_some_and(|ids| ids.contains(&own))
    }) {
        grants(&before).filter(|grant| grant.id.starts_with("installation:")).nth(2).unwrap()
    } else {
        first
    };
    let gone = Fault::new(Effect::RevokeToken { app: first.app_name.clone() });
    lab.tenant().inject(gone.on_path("/installations").on_text("later page").times(1));
    let scan = lab.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", part(&scan, "installations"));
    assert_eq!(ids(&scan), ids(&before));
    assert_eq!(grants(&scan).count(), grants(&before).count(), "each comes once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_allowed_is_said_with_what_to_do() {
    let lab = OneHost::small_with(r#", ip_allow_list = ["small"]"#).await;
    let scan = lab.scan().await;
    let gap = &part(&scan, "installations").losses[0].gap;
    assert_eq!(gap.reason, Reason::Permission);
    assert!(gap.detail.contains("IP allow list"), "{}", gap.detail);
    assert!(!scan.coverage.is_whole());
}

/// A right that is taken away while the scan runs is hidden as "not found": that is no matter of the plan.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_goes_midway_is_no_licence() {
    let lab = OneHost::small_with(", hide_missing_permission = true").await;
    let taken =
        Effect::RemovePermission { user: None, permission: "organization_administration".into() };
    lab.tenant().inject(Fault::new(taken).on_path("/credential-authorizations").times(1));
    let scan = lab.scan().await;
    let gap = &part(&scan, "credential-authorizations").losses[0].gap;
    assert_eq!(gap.reason, Reason::Permission, "{}", gap.detail);
    assert!(!scan.coverage.is_whole());
}

/// A token that is not an owner's sees the public profile.
#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_not_shown_are_a_loss() {
    let lab = OneHost::small().await;
    lab.tenant().set_right("organization_administration", false);
    let scan = lab.scan().await;
    let gap = &part(&scan, "organization").losses[0].gap;
    assert_eq!(gap.reason, Reason::Permission);
    let required =
        tenant(&scan).settings.iter().find(|setting| setting.name.contains("two-factor"));
    assert!(required.unwrap().value.gap().is_some());
}

/// A listing that changes each time that it is read may miss a row for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_never_rests_is_a_loss() {
    let lab = OneHost::start(scale(1_500, |_| {}), "generated", "generated").await;
    let before = lab.scan().await;
    let names = grants(&before)
        .filter(|grant| grant.id.starts_with("fine-grained-token:"))
        .filter_map(|grant| super::support::setting(grant, "Name"));
    // One for each time.
    for (at, name) in names.take(40).enumerate() {
        let gone = Fault::new(Effect::RevokeToken { app: name.to_owned() });
        let later = gone.on_path("/personal-access-tokens").on_text("later page");
        lab.tenant().inject(later.skip(u32::try_from(at).unwrap()).times(1));
    }
    let scan = lab.scan().await;
    let losses = &part(&scan, "fine-grained-tokens").losses;
    assert!(losses.iter().any(|loss| loss.gap.detail.contains("came and went")), "{losses:#?}");
    assert!(!scan.coverage.is_whole());
}

/// GraphQL that takes too long is asked for less at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_is_too_heavy_is_halved() {
    let lab = OneHost::small().await;
    lab.tenant().inject(Fault::new(Effect::ServerError).on_path("/graphql").times(6));
    let scan = lab.scan().await;
    assert!(part(&scan, "deploy-keys").losses.is_empty());
    assert_eq!(part(&scan, "deploy-keys").read, 3);
}

/// What documents and servers differ about changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn another_shape_of_the_same_thing_is_read_the_same() {
    let plain = OneHost::small().await.scan().await;
    let switches = ", without_client_id = true, offset_dates = true, without_status = true, numeric_links = false, page_cap = 2, limit_status = 429";
    let other = OneHost::small_with(switches).await.scan().await;
    assert!(other.coverage.is_whole(), "{:#?}", other.coverage);
    let ids = |scan: &super::support::Scan| {
        let mut ids: Vec<_> =
            grants(scan).map(|grant| (grant.id.clone(), grant.granted_at.clone())).collect();
        ids.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        ids
    };
    assert_eq!(ids(&other), ids(&plain));
    // The client id is then told by the look-up of the app.
    let drift = apps(&other).find(|app| app.id == "app:3001").unwrap();
    assert_eq!(drift.client_ids.known().unwrap(), &["Iv1.FAKEdrift0000001"]);
}

/// The share of the hour that is kept for others is kept.
#[tokio::test(flavor = "multi_thread")]
async fn the_hour_is_not_used_up() {
    let lab = OneHost::start(scale(5_000, |_| {}), "generated", "generated").await;
    lab.tenant().set_behaviour(|behaviour| {
        behaviour.quota = true;
        behaviour.calls_per_hour = Some(100);
    });
    let mut config = lab.config();
    config.keep_quota_percent = 90;
    let kit = super::support::kit_at(super::support::NOW);
    let session = crate::GitHub::new().open(config, kit).unwrap();
    session.sign_in().await.unwrap();
    let scan = super::support::scan_session(session.as_ref()).await;
    let losses = &part(&scan, "credential-authorizations").losses;
    assert!(losses.iter().any(|loss| loss.gap.reason == Reason::Quota), "{losses:#?}");
    assert!(!scan.coverage.is_whole());
    // Ten of a hundred and what was on its way when that was learned; signing in, the log and GraphQL have hours of their own.
    let is_of_hour = |path: &str| {
        path.starts_with("/orgs/")
            && !path.ends_with("/installation")
            && !path.ends_with("/audit-log")
    };
    let used = lab.tenant().count_calls(|call| is_of_hour(&call.path));
    assert!(used <= 10 + 8, "{used} calls");
    assert_eq!(lab.tenant().count_calls(|call| matches!(call.status, Some(403 | 429))), 0);
}
