//! The world file of the repository, worlds that contradict themselves, and large ones.

use super::*;

#[tokio::test]
async fn the_small_world_has_every_feature() {
    let bench = Bench::small().await;
    assert_eq!(bench.org().name(), "Small Okta");
    assert!(bench.lab.okta("Small Okta").is_some() && bench.lab.okta("Other").is_none());
    // 12 and 21 scopes of our own, 8 consents, 7 refresh tokens, 4 API tokens that work, 2 integrations.
    assert_eq!(bench.org().grant_count(), 12 + 21 + 8 + 7 + 4 + 2);
}

#[tokio::test]
async fn worlds_that_contradict_themselves_are_refused_by_name() {
    let refusal = async |change: fn(&mut OktaWorld)| {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.okta[0]);
        Lab::start(world).await.unwrap_err().to_string()
    };
    let named = |problem: &str| format!("okta org `Small Okta`: {problem}");
    for (change, problem) in [
        (
            (|world| world.grants[0].app = "Nope".into()) as fn(&mut OktaWorld),
            "grant: no app is called `Nope`",
        ),
        (
            |world| world.refresh_tokens[0].user = "nope".into(),
            "refresh token: no user is called `nope`",
        ),
        (
            |world| world.refresh_tokens[3].server = Some("Nope".into()),
            "refresh token: no authorization server is called `Nope`",
        ),
        (
            |world| world.api_tokens[2].zones = vec!["Nope".into()],
            "api token: no network zone is called `Nope`",
        ),
        (
            |world| world.users[0].status = "HAPPY".into(),
            "user `ada.admin@small.example`: `HAPPY` is no status",
        ),
        (
            |world| world.users[0].roles = vec!["KING".into()],
            "user `ada.admin@small.example`: no role is called `KING`",
        ),
        (
            |world| world.users[1].login = ADA.into(),
            "two users are called `ada.admin@small.example`",
        ),
        (|world| world.apps[1].label = "Drift".into(), "two apps are called `Drift`"),
        (
            |world| world.apps[1].client_id = Some(DRIFT.into()),
            "app `Team Board`: its client id is taken",
        ),
        (
            |world| world.events[0].actor = Some("Nobody".into()),
            "event `app.oauth2.token.detect_reuse`: nothing is called `Nobody`",
        ),
        (|world| world.limits.share = 0, "limits: share is a percentage from 1 to 100"),
    ] {
        assert_eq!(refusal(change).await, named(problem));
    }
    let error = World::parse("[[okta]]\nnmae = \"x\"").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("line 2, column 1") && cause.contains("nmae"), "{cause}");
}

#[tokio::test]
async fn a_large_org_answers() {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let before = std::time::Duration::from_millis(
        u64::try_from(crate::clock::Clock::new(None).wall().as_millisecond()).unwrap(),
    );
    let bench = Bench::of(World::generate_okta(&OktaScale::large(1, now))).await;
    let after = std::time::Duration::from_millis(
        u64::try_from(crate::clock::Clock::new(None).wall().as_millisecond()).unwrap(),
    );
    println!("a large org is built and signed in to in {:?}", after - before);
    bench.org().set_behaviour(|behaviour| behaviour.quota = false);
    let (apps, pages) = bench.all("/api/v1/apps?limit=200&includeNonDeleted=true").await;
    assert_eq!((apps.len(), pages), (2_002, 11));
    let oidc: Vec<&Json> =
        apps.iter().filter(|app| app["signOnMode"] == "OPENID_CONNECT").collect();
    assert_eq!(oidc.len(), 502);
    let tokens: usize =
        oidc.iter().map(|app| bench.org().token_count(app["id"].as_str().unwrap(), None)).sum();
    assert_eq!(tokens, 20_000);
    let busiest = oidc
        .iter()
        .max_by_key(|app| bench.org().token_count(app["id"].as_str().unwrap(), None))
        .unwrap();
    let id = busiest["id"].as_str().unwrap();
    let (listed, pages) = bench.all(&format!("/api/v1/apps/{id}/tokens?limit=200")).await;
    assert!(pages > 1 && listed.len() == bench.org().token_count(id, None), "{pages}");
    let everybody = "/api/v1/users?limit=200&search=status ne \"NOBODY\"";
    assert_eq!(bench.all(everybody).await.0.len(), 5_001);
}

#[tokio::test]
async fn a_world_can_grow() {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let small = OktaScale::small(7, now);
    let lab = Lab::builder().now(now);
    let grown = lab.start(World::parse(SMALL).unwrap().grow_okta(&small)).await.unwrap();
    let org = &grown.okta_orgs()[0];
    let count = org.grant_count();
    assert!(count > 54 + 900 + 240 && count <= 54 + 900 + 240 + 12, "{count}");
    assert_eq!(org.token_count("Drift", None), 4, "what the world tells stays true");
    let again = Lab::builder().now(now);
    let again = again.start(World::parse(SMALL).unwrap().grow_okta(&small)).await.unwrap();
    assert_eq!(again.okta_orgs()[0].grant_count(), count, "the same seed");
}
