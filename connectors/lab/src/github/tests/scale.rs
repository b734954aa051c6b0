//! Large worlds, and worlds that contradict themselves.

use std::collections::HashSet;

use super::*;

fn scale(organisations: usize, users: usize, apps: usize, grants: usize) -> GithubScale {
    GithubScale {
        organisations,
        users,
        apps,
        grants,
        repositories: users / 5,
        seed: 7,
        now: "2026-01-15T12:00:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn one_large_organisation() {
    let bench = Bench::of(World::generate_github(&scale(0, 5_000, 200, 25_000))).await;
    assert_eq!(bench.tenant().grant_count(), 25_202);
    bench.tenant().set_behaviour(|behaviour| behaviour.quota = false);
    let installations =
        bench.all("/orgs/generated/installations?per_page=100", Some("installations")).await;
    assert_eq!(installations.len(), 202);
    let credentials =
        bench.all("/orgs/generated/credential-authorizations?per_page=100", None).await;
    let ids: HashSet<u64> =
        credentials.iter().map(|row| row["credential_id"].as_u64().unwrap()).collect();
    assert_eq!((credentials.len(), ids.len()), (20_000, 20_000));
    assert_eq!(
        bench.all("/orgs/generated/personal-access-tokens?per_page=100", None).await.len(),
        5_000
    );
    assert_eq!(bench.all("/orgs/generated/repos?per_page=100", None).await.len(), 1_000);
    let events = "/orgs/generated/audit-log?per_page=100&phrase=action:personal_access_token.access_granted\
        +created:%3E%3D2020-01-01";
    assert_eq!(bench.all(events, None).await.len(), 5_000);
}

#[tokio::test]
async fn an_enterprise_of_fifty() {
    let bench = Bench::of(World::generate_github(&scale(50, 20, 100, 500))).await;
    let token = bench.token_for("/enterprises/generated-enterprise", false).await;
    let path = "/enterprises/generated-enterprise/apps/organizations/generated-049/installations";
    let (_, list) = bench.get_as(&token, &format!("{path}?per_page=100")).await;
    assert_eq!(list.as_array().unwrap().len(), 100);
    assert_eq!(bench.tenant().grant_count(), 51 * 102 + 500);
    let again = Bench::of(World::generate_github(&scale(50, 20, 100, 500))).await;
    let other = again.token_for("/enterprises/generated-enterprise", false).await;
    let (_, same) = again.get_as(&other, &format!("{path}?per_page=100")).await;
    assert_eq!(numbers(&same, "id"), numbers(&list, "id"), "the same seed");
    let shown = format!("{:?} {:?}", bench.tenant(), bench.tenant().client());
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("ghp_"), "{shown}");
}

#[tokio::test]
async fn a_world_that_contradicts_itself_is_refused() {
    type Change = fn(&mut GithubWorld);
    let changes: [(Change, &str); 8] = [
        (|world| world.installations[0].app = "nothing".into(), "no app has the slug `nothing`"),
        (
            |world| world.installations[0].organisation = "no".into(),
            "no organisation is called `no`",
        ),
        (|world| world.credentials[0].organisation = "small-labs".into(), "no SAML"),
        (|world| world.pats[1].id = world.pats[0].id, "have the id 25001"),
        (|world| world.deploy_keys[0].repository = "small/no".into(), "no repository is called"),
        (|world| world.enterprise = None, "is on an enterprise, and there is none"),
        (
            |world| _ = world.scanner.permissions.insert("all".into(), "read".into()),
            "which is none",
        ),
        (|world| world.users[1].login = "ada".into(), "user `ada` is there twice"),
    ];
    for (change, part) in changes {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.github[0]);
        let error = Lab::start(world).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
