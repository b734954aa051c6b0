//! Generated directories, and worlds that contradict themselves.

use super::*;
use crate::microsoft_365::EntraScale;

fn scale(principals: usize, grants: usize) -> EntraScale {
    let now = "2026-01-15T12:00:00Z".parse().unwrap();
    let applications = principals * 3 / 20;
    EntraScale { principals, applications, users: 5_000, grants, resources: 60, seed: 5, now }
}

#[tokio::test]
async fn a_generated_directory_has_the_numbers_asked_for() {
    let mut world = World::generate_microsoft(&scale(2_000, 20_000));
    world.microsoft_365[0].behaviour.quota = false;
    let bench = Bench::of(world).await;
    let principals = bench.rows("/servicePrincipals?$top=999&$select=id,appRoles").await;
    assert_eq!(principals.len(), 2_000);
    assert_eq!(bench.tenant().count_calls(|call| call.path == "/v1.0/servicePrincipals"), 3);
    let resources = principals.iter().filter(|row| row["appRoles"] != json!([])).count();
    assert_eq!(resources, 60);
    assert_eq!(bench.rows("/applications?$top=999&$select=id").await.len(), 300);
    assert_eq!(bench.rows("/users?$top=999&$select=id").await.len(), 5_000);
    let grants = bench.rows("/oauth2PermissionGrants?$top=999").await;
    assert_eq!(grants.len(), 20_000);
    let mut ids = texts(&grants, "id");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20_000);
    let assertion = bench.tenant().federated_assertion();
    assert_eq!(bench.by_assertion(&assertion).await.0, 200);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_directory() {
    let first = Bench::of(World::generate_microsoft(&scale(200, 500))).await;
    let second = Bench::of(World::generate_microsoft(&scale(200, 500))).await;
    let path = "/oauth2PermissionGrants?$top=999";
    assert_eq!(first.rows(path).await, second.rows(path).await);
}

#[tokio::test]
async fn worlds_that_contradict_themselves_are_refused_by_name() {
    let refusal = async |change: fn(&mut EntraWorld)| {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.microsoft_365[0]);
        Lab::start(world).await.unwrap_err().to_string()
    };
    assert_eq!(
        refusal(|world| world.delegated_grants[0].app = "Nope".into()).await,
        "Entra directory `Small Directory`: no service principal is called `Nope`"
    );
    assert_eq!(
        refusal(|world| world.delegated_grants[1].user = Some("nope".into())).await,
        "Entra directory `Small Directory`: no user is called `nope`"
    );
    assert_eq!(
        refusal(|world| world.app_role_assignments[0].roles[0] = "Nope.Read".into()).await,
        "Entra directory `Small Directory`: `Microsoft Graph` has no app role `Nope.Read`"
    );
    assert_eq!(
        refusal(|world| world.scanner.application = "Nope".into()).await,
        "Entra directory `Small Directory`: scanner: no application is called `Nope`"
    );
    assert_eq!(
        refusal(
            |world| world.service_principals[3].app_id = world.service_principals[0].app_id.clone()
        )
        .await,
        "Entra directory `Small Directory`: two service principals have the client id of `Mailvault`"
    );
    assert_eq!(
        refusal(|world| world.applications[1].required[0].roles[0] = "Nope.Read".into()).await,
        "Entra directory `Small Directory`: `Microsoft Graph` has no permission `Nope.Read`"
    );
    assert_eq!(
        refusal(|world| world.sign_ins[0].credential = Some("nope".into())).await,
        "Entra directory `Small Directory`: `Chartly` has no credential `nope`"
    );
    assert_eq!(
        refusal(|world| world.service_principals[5].passwords[0].id = Some("nope".into())).await,
        "Entra directory `Small Directory`: `nope` is not a GUID"
    );
    let error = World::parse("[[microsoft_365]]\nnmae = \"x\"").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("line 2, column 1") && cause.contains("nmae"), "{cause}");
}
