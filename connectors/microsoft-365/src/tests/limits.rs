//! What must not be concluded: from a listing that is missing, a group that holds a role, a batch that fails.

use std::time::Duration;

use grantwarden_kit::model::{Expiry, GrantKind, Observed, Origin, Reason, Record};
use grantwarden_lab::{Effect, Fault, World};

use super::support::{OneDirectory, SMALL, app, grants, grants_of, part, tenant};

fn reply(status: u16, body: &str) -> Effect {
    Effect::Reply { status, headers: Vec::new(), body: body.to_owned() }
}

fn not_found() -> Effect {
    reply(
        404,
        r#"{"error":{"code":"Request_ResourceNotFound","message":"Resource 'x' does not exist."}}"#,
    )
}

/// "Not there" for a listing is "gone" only if the object itself is not there either.
#[tokio::test(flavor = "multi_thread")]
async fn a_resource_is_gone_only_with_a_second_proof() {
    let exchange = "9a000000-0000-4000-8000-000000000002";
    let listing = format!("/servicePrincipals/{exchange}/appRoleAssignedTo");
    let lab = OneDirectory::small().await;
    lab.tenant().inject(Fault::new(not_found()).on_path(&listing));
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome, "app-permissions").losses[0].gap.reason, Reason::CallFailed);
    assert!(!outcome.coverage.is_whole());

    let lab = OneDirectory::small().await;
    lab.tenant().inject(Fault::new(not_found()).on_path(&format!("/servicePrincipals/{exchange}")));
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome, "app-permissions").losses[0].gap.reason, Reason::Vanished);
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
}

/// Who is in the group is not read: nobody can be said to hold no role.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_with_a_directory_role_makes_privileges_unknown() {
    let body = r##"{"value":[{"id":"a","principalId":"g","roleDefinitionId":"r","directoryScopeId":"/",
        "principal":{"@odata.type":"#microsoft.graph.group","id":"g"}}]}"##;
    let lab = OneDirectory::small().await;
    let fault = Fault::new(reply(200, body)).on_path("/roleManagement/directory/roleAssignments");
    lab.tenant().inject(fault);
    let outcome = lab.scan().await;
    let mut people = grants(&outcome).filter_map(|grant| grant.holder.principal());
    assert!(people.all(|it| it.privileges.known().is_none()));
    assert!(outcome.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_microsofts_comes_before_its_first_grant() {
    let graph = "9a000000-0000-4000-8000-000000000003";
    let body = format!(
        r#"{{"value":[{{"id":"h","clientId":"{graph}","consentType":"AllPrincipals","resourceId":"{graph}","scope":"X"}}]}}"#
    );
    let lab = OneDirectory::small().await;
    let fault =
        Fault::new(reply(200, &body)).on_path("/oauth2PermissionGrants").on_text("AllPrincipals");
    lab.tenant().inject(fault);
    let outcome = lab.scan().await;
    let at = |wanted: &dyn Fn(&Record) -> bool| outcome.records.iter().position(wanted).unwrap();
    let of_app = at(&|record| matches!(record, Record::App(app) if app.id == graph));
    let of_grant = at(&|record| matches!(record, Record::Grant(grant) if grant.app == graph));
    assert!(of_app < of_grant);
    assert_eq!(app(&outcome, "Microsoft Graph").origin, Origin::Platform);
}

/// Refresh tokens of a single-page app live for a day; only an own registration tells that an app is one.
#[tokio::test(flavor = "multi_thread")]
async fn an_own_single_page_app_has_short_refresh_tokens() {
    let text = SMALL
        .replace("redirect_uris = [\"https://invoices.small.example/signin-oidc\"]\n", "")
        .replace("public_redirect_uris = [\"http://localhost\"]\n", "")
        .replace("scope = \"AllSites.Read\"", "scope = \"AllSites.Read offline_access\"")
        .replacen("[[microsoft_365]]", "[[microsoft_365]]\nbehaviour = { quota = false }", 1);
    let outcome = OneDirectory::then(World::parse(&text).unwrap()).await.scan().await;
    let grants = grants_of(&outcome, "Invoice Export");
    let grant = grants.iter().find(|grant| grant.kind == GrantKind::AdminConsented).unwrap();
    let day = Duration::from_secs(86_400);
    assert_eq!(grant.expires, Observed::Known(Expiry::Idle(day)));
}

/// The token names the directory, too: the rest is read without its own record.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_does_not_show_itself_is_read_by_the_id_in_the_token() {
    let lab = OneDirectory::small().await;
    let denied =
        r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}"#;
    lab.tenant().inject(Fault::new(reply(403, denied)).on_path("/organization"));
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome, "organization").losses[0].gap.reason, Reason::Permission);
    assert_eq!(tenant(&outcome).id, "5e1ab000-0000-4000-8000-00000000da7a");
    assert_eq!(app(&outcome, "Invoice Export").origin, Origin::Own);
    assert_eq!(part(&outcome, "grants").read, 10);
}

/// A batch that fails as a whole is a loss in every facet that it was to fill.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_batch_is_booked_under_all_its_facets() {
    let lab = OneDirectory::small().await;
    lab.tenant().inject(Fault::new(Effect::Html).on_path("/$batch"));
    let outcome = lab.scan().await;
    for facet in [
        "organization",
        "app-permissions",
        "directory-roles",
        "privileges",
        "consent-settings",
        "app-management",
    ] {
        assert!(!part(&outcome, facet).losses.is_empty(), "{facet}");
    }
    // And so are facts that rest on them.
    let own = app(&outcome, "Invoice Export");
    let asked = own.settings.iter().find(|setting| setting.name.contains("asked for")).unwrap();
    assert!(asked.value.gap().is_some());
}

/// A permission that is taken away midway is a loss, whatever was read before.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_goes_midway_is_a_loss() {
    let lab = OneDirectory::small_with(", page_cap = 3").await;
    // It would show the grants as well.
    lab.tenant().set_permission("DelegatedPermissionGrant.ReadWrite.All", false);
    let effect =
        Effect::RemovePermission { user: None, permission: "Directory.Read.All".to_owned() };
    lab.tenant().inject(Fault::new(effect).on_path("/oauth2PermissionGrants").skip(2).times(1));
    let outcome = lab.scan().await;
    assert!(!outcome.coverage.is_whole());
    let lost = &part(&outcome, "grants").losses;
    assert!(lost.iter().any(|loss| loss.gap.reason == Reason::Permission), "{lost:?}");
}
