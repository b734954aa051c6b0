//! The world files of the repository, and worlds that contradict themselves.

use super::*;

#[tokio::test]
async fn the_demo_world_shows_the_drift_pattern() {
    let bench = Bench::of(World::parse(DEMO).unwrap()).await;
    assert_eq!(bench.org().all_token_count(), 59);
    assert_eq!(bench.count("SELECT COUNT() FROM User").await, 40);
    let soql = "SELECT User.IsActive, User.Profile.Name FROM OauthToken WHERE AppName = 'Drift' AND LastUsedDate < LAST_N_DAYS:40 AND LastUsedDate >= LAST_N_DAYS:141";
    let drift = bench.records(soql).await;
    let admins = drift.iter().filter(|r| r["User"]["Profile"]["Name"] == "System Administrator");
    assert_eq!((drift.len(), admins.count()), (3, 2));
    assert_eq!(bench.count("SELECT COUNT() FROM OauthToken WHERE AppMenuItemId = null").await, 4);
    assert_eq!(bench.count("SELECT COUNT() FROM OauthToken WHERE UserId = null").await, 1);
    assert_eq!(bench.count("SELECT COUNT() FROM OauthToken WHERE LastUsedDate = null").await, 1);
    let networks = "SELECT SourceIp, COUNT(Id) FROM LoginHistory WHERE LoginTime = LAST_N_DAYS:90 GROUP BY SourceIp";
    assert!(bench.records(networks).await.len() > 8);
    let risky = "SELECT Assignee.Username FROM PermissionSetAssignment WHERE PermissionSet.PermissionsCanApproveUninstalledApps = true AND Assignee.IsActive = true";
    assert_eq!(bench.records(risky).await.len(), 7);
}

#[tokio::test]
async fn the_empty_world_is_empty() {
    let bench = Bench::of(World::parse(EMPTY).unwrap()).await;
    assert_eq!(bench.count("SELECT COUNT() FROM OauthToken").await, 0);
    assert_eq!(bench.count("SELECT COUNT() FROM ConnectedApplication").await, 0);
    assert_eq!(bench.count("SELECT COUNT() FROM EventLogFile").await, 0);
}

#[tokio::test]
async fn worlds_that_contradict_themselves_are_refused_by_name() {
    let refusal = async |change: fn(&mut OrgWorld)| {
        let mut world = World::parse(SMALL).unwrap();
        change(&mut world.salesforce[0]);
        Lab::start(world).await.unwrap_err().to_string()
    };
    assert_eq!(
        refusal(|org| org.tokens[0].app = "Nope".into()).await,
        "salesforce org `Small`: no app is called `Nope`"
    );
    assert_eq!(
        refusal(|org| org.users[1].profile = "Nope".into()).await,
        "salesforce org `Small`: user `scanner@small.example`: no profile is called `Nope`"
    );
    assert_eq!(
        refusal(|org| org.scanner.app = "Nope".into()).await,
        "salesforce org `Small`: scanner: no app is called `Nope`"
    );
    let error = World::parse("[[salesforce]]\nnmae = \"x\"").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("line 2, column 1") && cause.contains("nmae"), "{cause}");
}

#[tokio::test]
async fn a_stopped_lab_answers_no_more() {
    let bench = Bench::small().await;
    let url = bench.url("/services/data/");
    bench.lab.stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    #[expect(clippy::disallowed_methods, reason = "the lab's tests have no door of their own")]
    let answer = client().get(url).send().await;
    assert!(answer.is_err());
}
