//! The world file of the repository, worlds that contradict themselves, and large ones.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn the_small_world_has_every_feature() {
    let bench = Bench::small().await;
    let tenant = bench.tenant();
    assert_eq!(tenant.name(), "Small Slack");
    assert_eq!((tenant.grant_count(), tenant.integration_count()), (10, 1));
    assert!(tenant.is_installed("Small Intranet", "T0BOARD01"), "the whole organisation");
    assert!(!tenant.is_installed("Sleeping Beauty", "Sales"), "switched off");
    assert!(!tenant.is_installed("Drift", "Board") && !tenant.is_installed("Nope", "Sales"));
    assert_eq!(tenant.app_id("Drift").as_deref(), Some("A0DRIFT001"));
    assert!(bench.lab.slack("Small Workshop").is_some() && bench.lab.slack("Other").is_none());
    assert_eq!(bench.tokens.plan, SlackPlan::Enterprise);
    let single = Bench::workshop().await;
    assert_eq!(single.tokens.enterprise_id, None);
    assert_eq!(single.tokens.user_id, "U0WANDA01");
    assert!(single.tenant().is_installed("Drift", "Small Workshop"));
}

#[tokio::test]
async fn worlds_that_contradict_themselves_are_refused_by_name() {
    let refusal = async |change: fn(&mut SlackWorld)| {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.slack[0]);
        Lab::start(world).await.unwrap_err().to_string()
    };
    let named = |problem: &str| format!("slack tenant `Small Slack`: {problem}");
    for (change, problem) in [
        (
            (|world| world.installs[0].app = "Nope".into()) as fn(&mut SlackWorld),
            "install: no app is called `Nope`",
        ),
        (|world| world.installs[0].by = "nope".into(), "install: no user is called `nope`"),
        (
            |world| world.installs[0].workspace = Some("Nope".into()),
            "install: no workspace is called `Nope`",
        ),
        (
            |world| world.installs.push(world.installs[0].clone()),
            "`sam.sales` has two installs of `Drift` in one place",
        ),
        (|world| world.scanner.owner = "sam.sales".into(), "scanner: `sam.sales` is no Owner"),
        (
            |world| world.scanner.scopes = Some(vec!["admin.app:read".into()]),
            "scanner: the lab knows no scope `admin.app:read`",
        ),
        (
            |world| world.apps[1].id = world.apps[0].id.clone(),
            "two app ids are called `A0DRIFT001`",
        ),
        (|world| world.plan = SlackPlan::Workspace, "a single workspace has one workspace"),
        (
            |world| world.requests.push(world.requests[0].clone()),
            "two requests are called `Ar0SMALL01`",
        ),
    ] {
        assert_eq!(refusal(change).await, named(problem));
    }
    let error = World::parse("[[slack]]\nnmae = \"x\"").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("line 2, column 1") && cause.contains("nmae"), "{cause}");
}

fn scale(plan: SlackPlan) -> SlackScale {
    SlackScale {
        plan,
        workspaces: 1_000,
        users: 5_000,
        apps: 2_000,
        grants: 60_000,
        log_rows: 0,
        seed: 1,
        now: now(),
    }
}

#[tokio::test]
async fn a_large_organisation_answers() {
    let clock = crate::clock::Clock::new(None);
    let begun = clock.wall();
    let mut world = World::generate_slack(&scale(SlackPlan::Enterprise));
    world.slack[0].behaviour.quota = false;
    let bench = Bench::of(world, 0).await;
    let took = clock.wall().duration_since(begun).unsigned_abs();
    println!("1,000 workspaces, 2,000 apps, 60,000 installs built and served in {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(bench.tenant().grant_count(), 60_000);
    assert_eq!(bench.all("admin.teams.list", "limit=1000", "teams").await.len(), 1_000);
    let page = bench.audit("action=app_installed&limit=9999").await;
    assert_eq!(page["entries"].as_array().unwrap().len(), 9_999);
    assert_ne!(page["response_metadata"]["next_cursor"], "");
    let org_wide = bench.audit("action=org_app_installed&limit=9999").await;
    assert_eq!(org_wide["entries"].as_array().unwrap().len(), 100);
    let one = bench.audit("entity=A0GEN000001&limit=9999").await;
    let installs = bench.tenant().install_count("A0GEN000001");
    let decided = usize::from(bench.tenant().is_approved("A0GEN000001"))
        + usize::from(bench.tenant().is_restricted("A0GEN000001"));
    assert_eq!(one["entries"].as_array().unwrap().len(), installs + decided);
    let mut decided = 0;
    for certified in [false, true] {
        let query = format!("certified={certified}&limit=1000");
        decided += bench.all("admin.apps.approved.list", &query, "approved_apps").await.len();
    }
    assert!((1_100..1_300).contains(&decided), "{decided}");
    assert_eq!(bench.refused("users.list", "team_id=T0GEN00000").await, "limit_required");
}

#[tokio::test]
async fn a_large_workspace_has_a_long_log() {
    let mut scale = scale(SlackPlan::Workspace);
    (scale.users, scale.apps, scale.grants, scale.log_rows) = (800, 300, 8_000, 20_000);
    let mut world = World::generate_slack(&scale);
    world.slack[0].behaviour.quota = false;
    let bench = Bench::of(world, 0).await;
    assert_eq!(bench.tenant().grant_count(), 8_000);
    let (mut added, mut removed) = (0, 0);
    for page in 1..=20 {
        let body = bench.read("team.integrationLogs", &format!("count=1000&page={page}")).await;
        assert_eq!(
            (&body["paging"]["total"], &body["paging"]["pages"]),
            (&json!(20_000), &json!(20))
        );
        let changes = column(&body["logs"], "/change_type");
        added += changes.iter().filter(|change| *change == "added").count();
        removed += changes.iter().filter(|change| *change == "removed").count();
    }
    assert_eq!((added, removed, added - removed), (14_000, 6_000, 8_000));
}

#[tokio::test]
async fn a_small_world_can_grow() {
    let mut scale = scale(SlackPlan::Enterprise);
    (scale.users, scale.apps, scale.grants, scale.workspaces) = (40, 30, 500, 20);
    let world = World::parse(SMALL).unwrap().grow_slack(&scale);
    let bench = Bench::of(world, 0).await;
    assert_eq!(bench.tenant().grant_count(), 510);
    assert_eq!(bench.tenant().install_count("Drift"), 2);
    scale.grants = 100_000;
    let most = Bench::of(World::generate_slack(&scale), 0).await;
    assert_eq!(most.tenant().grant_count(), 28 * 20 + 2, "no more than can be");
}
