//! The world file of the repository, worlds that contradict themselves, and large ones.

use super::*;

#[tokio::test]
async fn the_small_world_has_every_feature() {
    let bench = Bench::small().await;
    assert_eq!(bench.customer().name(), "Small Google");
    assert_eq!(bench.customer().grant_count(), 8);
    assert!(bench.lab.google_workspace("Small Google").is_some());
    assert!(
        bench.lab.google_workspace("Other").is_none() && bench.lab.salesforce_orgs().is_empty()
    );
    assert_eq!(bench.customer().client().customer_id, "C0small01");
    let shown = format!("{:?}", bench.customer().client());
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}

#[tokio::test]
async fn worlds_that_contradict_themselves_are_refused_by_name() {
    let refusal = async |change: fn(&mut GoogleWorld)| {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.google_workspace[0]);
        Lab::start(world).await.unwrap_err().to_string()
    };
    let named = |problem: &str| format!("google workspace customer `Small Google`: {problem}");
    assert_eq!(
        refusal(|world| world.tokens[0].app = "Nope".into()).await,
        named("token: no app is called `Nope`")
    );
    assert_eq!(
        refusal(|world| world.tokens[0].user = "nope".into()).await,
        named("token: no user is called `nope`")
    );
    assert_eq!(
        refusal(|world| world.scanner.subject = "nope".into()).await,
        named("scanner: no user is called `nope`")
    );
    assert_eq!(
        refusal(|world| world.tokens.push(world.tokens[0].clone())).await,
        named("ada.admin@small.example has two live grants to `Drift`")
    );
    assert_eq!(
        refusal(|world| world.users[1].aliases.push(ADMIN.into())).await,
        named("two users are called `ada.admin@small.example`")
    );
    let error = World::parse("[[google_workspace]]\nnmae = \"x\"").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("line 2, column 1") && cause.contains("nmae"), "{cause}");
}

#[tokio::test]
async fn a_large_world_answers() {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let scale = GoogleScale { users: 5_000, grants: 60_000, apps: 300, seed: 1, now };
    let bench = Bench::of(World::generate_google(&scale)).await;
    assert_eq!(bench.customer().grant_count(), 60_000);
    let report = bench
        .body("/admin/reports/v1/usage/dates/2026-01-13?parameters=accounts:authorized_apps")
        .await;
    let apps = report["usageReports"][0]["parameters"][0]["msgValue"].as_array().unwrap();
    let users: u64 = apps.iter().map(|app| app["num_users"].as_u64().unwrap()).sum();
    assert!(apps.len() > 290, "{}", apps.len());
    assert!((59_000..=60_000).contains(&users), "{users}");
    let world = World::parse(SMALL).unwrap().grow_google(&scale);
    let grown = Lab::builder().now(now).start(world).await.unwrap();
    assert_eq!(grown.google_workspaces()[0].grant_count(), 60_008);
}
