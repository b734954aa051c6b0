//! What a reply that is odd, cut or of another kind must not turn into: a fact.

use grantwarden_kit::model::{GrantKind, Observed, Origin, PrincipalStatus, Reason, UserConsent};
use grantwarden_lab::{Effect, Fault};

use super::support::{
    OneDirectory, Scan, app, apps, credentials, events, grants, grants_of, part, tenant,
};

pub(super) fn reply(status: u16, body: &str) -> Effect {
    Effect::Reply { status, headers: Vec::new(), body: body.to_owned() }
}

const GRAPH: &str = "9a000000-0000-4000-8000-000000000003";
const MAILVAULT: &str = "51000000-0000-4000-8000-000000000001";

/// Scans a small directory in which one path answers with this.
async fn scan_with(path: &str, text: &str, body: &str) -> Scan {
    let lab = OneDirectory::small().await;
    lab.tenant().inject(Fault::new(reply(200, body)).on_path(path).on_text(text));
    lab.scan().await
}

fn lost(scan: &Scan, facet: &str) -> Option<Reason> {
    part(scan, facet).losses.first().map(|loss| loss.gap.reason)
}

/// The replies of one batch stay with their questions, whichever facet is given up.
#[tokio::test(flavor = "multi_thread")]
async fn giving_up_the_directory_itself_changes_no_other_setting() {
    let whole = OneDirectory::small().await.scan().await;
    let mut lab = OneDirectory::small().await;
    lab.skip = vec!["organization".to_owned()];
    let scan = lab.scan().await;
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
    assert_eq!(tenant(&scan).consent.user_consent, tenant(&whole).consent.user_consent);
    let of_roles =
        |scan: &Scan| grants(scan).filter(|grant| grant.id.contains("directory-roles")).count();
    assert_eq!((of_roles(&scan), of_roles(&whole)), (1, 1));
}

/// The first filter names one kind; whatever else there is comes with the other listing, and is a loss if it does not say for whom it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_does_not_say_for_whom_it_is_is_a_loss() {
    for holder in [
        r#""consentType":"Group","principalId":"51000000-0000-4000-8000-000000000009""#,
        r#""consentType":"Principal","principalId":null"#,
        r#""principalId":null"#,
    ] {
        let row = format!(
            r#"{{"id":"h","clientId":"{MAILVAULT}",{holder},"resourceId":"{GRAPH}","scope":"X"}}"#
        );
        let body = format!(r#"{{"value":[{row}]}}"#);
        let folder = tempfile::tempdir().unwrap();
        let mut lab = OneDirectory::small().await;
        lab.memory = Some(folder.path().join("m"));
        // Only the listing without a filter has it.
        let tenant_wide = reply(200, r#"{"value":[]}"#);
        let narrow = Fault::new(tenant_wide).on_path("/oauth2PermissionGrants");
        lab.tenant().inject(narrow.on_text("AllPrincipals"));
        lab.tenant().inject(
            Fault::new(reply(200, &body))
                .on_path("/v1.0/oauth2PermissionGrants")
                .on_text("top=999"),
        );
        let scan = lab.scan().await;
        assert_eq!(lost(&scan, "grants"), Some(Reason::CallFailed), "{holder}");
        assert!(!grants(&scan).any(|grant| grant.id == "h"), "{holder}");
        assert!(!folder.path().join("m").exists(), "{holder}");
    }
}

/// A tenant-wide grant that the first listing lacks comes with the second, and none comes twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_hides_tenant_wide_grants_hides_nothing() {
    let whole = OneDirectory::small().await.scan().await;
    let empty = r#"{"value":[]}"#;
    let scan = scan_with("/oauth2PermissionGrants", "AllPrincipals", empty).await;
    let tenant_wide =
        |scan: &Scan| grants(scan).filter(|grant| grant.kind == GrantKind::AdminConsented).count();
    assert_eq!(tenant_wide(&scan), tenant_wide(&whole));
    assert_eq!(part(&scan, "grants").read, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_kind_of_holder_is_an_app_and_users_are_not() {
    let row = |id: &str, kind: &str| {
        format!(
            r#"{{"id":"{id}","appRoleId":"aaaaaaaa-0000-0000-0000-000000000001","principalId":"{MAILVAULT}","principalType":"{kind}"}}"#
        )
    };
    let body = format!(
        r#"{{"value":[{},{},{}]}}"#,
        row("x1", "AgentIdentity"),
        row("x2", "user"),
        row("x3", "GROUP")
    );
    let scan = scan_with("/appRoleAssignedTo", "", &body).await;
    assert_eq!(part(&scan, "app-permissions").read, 1);
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);
}

/// Rows of another resource than the one that was asked are no answer.
#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_of_another_resource_is_a_loss() {
    let body = format!(
        r#"{{"value":[{{"id":"x","appRoleId":"aaaaaaaa-0000-0000-0000-000000000001","principalId":"{MAILVAULT}","principalType":"ServicePrincipal","resourceId":"other"}}]}}"#
    );
    let scan = scan_with("/appRoleAssignedTo", "", &body).await;
    assert_eq!(lost(&scan, "app-permissions"), Some(Reason::CallFailed));
    assert_eq!(part(&scan, "app-permissions").read, 0);
}

/// Without the list of service principals nobody can say what binds an app, or that an own app is not installed.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_was_not_read_proves_nothing_about_apps() {
    let failed = OneDirectory::small().await;
    let broken = Fault::new(Effect::Html).on_path("/v1.0/servicePrincipals").on_text("appRoles");
    failed.tenant().inject(broken);
    let mut skipped = OneDirectory::small().await;
    skipped.skip = vec!["service-principals".to_owned()];
    for lab in [failed, skipped] {
        let scan = lab.scan().await;
        assert!(grants(&scan).all(|grant| grant.network.binding.gap().is_some()));
        let own = app(&scan, "Invoice Export");
        assert!(own.installed.gap().is_some() && own.blocked.gap().is_some(), "{own:?}");
        let resource =
            grants(&scan).find_map(|grant| grant.scopes.known()?.first()?.resource.clone());
        assert!(!resource.unwrap().contains("gone"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_a_users_sign_in_are_shown_as_what_they_are() {
    let scan = OneDirectory::small().await.scan().await;
    for grant in grants(&scan) {
        let has = grant.network.look_alikes.iter().any(|it| it.setting.starts_with("Conditional"));
        assert_eq!(has, grant.kind != GrantKind::AppOnly, "{}", grant.id);
    }
}

/// Not in a look-up is not gone: the user's own address says so, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_gone_only_with_two_proofs() {
    let empty = r#"{"value":[]}"#;
    let scan = scan_with("/getByIds", "", empty).await;
    let status: Vec<_> =
        grants(&scan).filter_map(|grant| grant.holder.principal()).map(|it| &it.status).collect();
    let gone = Observed::Known(PrincipalStatus::Deleted);
    assert_eq!(status.iter().filter(|it| ***it == gone).count(), 1);
    assert!(scan.coverage.is_whole(), "{:#?}", scan.coverage);

    let lab = OneDirectory::small().await;
    lab.tenant().inject(Fault::new(reply(200, empty)).on_path("/getByIds"));
    lab.tenant().inject(Fault::new(Effect::Html).on_path("/v1.0/users/"));
    let scan = lab.scan().await;
    assert!(!scan.coverage.is_whole());
    let mut people = grants(&scan).filter_map(|grant| grant.holder.principal());
    assert!(people.all(|it| it.status.gap().is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rows_of_a_report_the_newest_counts() {
    let lab = OneDirectory::small().await;
    let id = app(&lab.scan().await, "Mailvault").client_ids.known().unwrap()[0].clone();
    let row = |at: &str| {
        format!(
            r#"{{"appId":"{id}","applicationAuthenticationClientSignInActivity":{{"lastSignInDateTime":{at}}}}}"#
        )
    };
    let rows = [r#""2026-01-14T00:00:00Z""#, r#""2025-01-14T00:00:00Z""#, "null"].map(row);
    let body = format!(r#"{{"value":[{}]}}"#, rows.join(","));
    let report = Fault::new(reply(200, &body)).on_path("servicePrincipalSignInActivities");
    lab.tenant().inject(report);
    let scan = lab.scan().await;
    let of_mailvault = grants_of(&scan, "Mailvault");
    let used = |kind| {
        let grant = of_mailvault.iter().find(|grant| grant.kind == kind).unwrap();
        grant.last_used_at.clone()
    };
    assert_eq!(used(GrantKind::AppOnly).known().unwrap().date(), "2026-01-14");
    // No date is not "never".
    assert!(used(GrantKind::AdminConsented).gap().is_some());
}

/// One odd row makes everybody's list unsure, and hides no role that was read.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_role_hides_no_other_and_a_partial_list_is_no_fact() {
    let of_app = format!(
        r##"{{"id":"a","principalId":"{MAILVAULT}","roleDefinitionId":"r","directoryScopeId":"/","principal":{{"@odata.type":"#microsoft.graph.servicePrincipal"}}}}"##
    );
    let path = "/roleManagement/directory/roleAssignments";
    let scan = scan_with(path, "", &format!(r#"{{"value":[{of_app},7]}}"#)).await;
    let roles = grants(&scan).filter(|grant| grant.id.contains("directory-roles"));
    assert_eq!(roles.count(), 1);
    assert_eq!(lost(&scan, "directory-roles"), Some(Reason::CallFailed));
    // Who it is was not told: it may be a group, with anybody in it.
    let untold = r#"{"value":[{"id":"a","principalId":"g","roleDefinitionId":"r"}]}"#;
    let scan = scan_with(path, "", untold).await;
    let mut people = grants(&scan).filter_map(|grant| grant.holder.principal());
    assert!(people.all(|it| it.privileges.known().is_none()));
}

/// No licence is needed to read grants: nothing excuses that they were not read.
#[tokio::test(flavor = "multi_thread")]
async fn a_licence_excuses_reports_only() {
    let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    let body = format!(r#"{{"error":{{"code":"{code}","message":"no premium license"}}}}"#);
    let lab = OneDirectory::small().await;
    lab.tenant().inject(Fault::new(reply(403, &body)).on_path("/oauth2PermissionGrants"));
    let scan = lab.scan().await;
    assert_eq!(lost(&scan, "grants"), Some(Reason::CallFailed));
    assert!(!scan.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_not_told_are_a_loss_and_leave_flows_open() {
    let body = r#"{"value":[{"id":"r1","appId":"ap1","displayName":"Own","passwordCredentials":[],"isFallbackPublicClient":true}]}"#;
    let scan = scan_with("/v1.0/applications", "requiredResourceAccess", body).await;
    assert_eq!(lost(&scan, "applications"), Some(Reason::CallFailed));
    assert_eq!(credentials(&scan).filter(|credential| credential.app == "r1").count(), 0);
    assert!(app(&scan, "Own").flows.gap().is_some());

    let lab = OneDirectory::small().await;
    assert!(app(&lab.scan().await, "Invoice Export").flows.known().is_some());
    lab.tenant().inject(Fault::new(Effect::Html).on_text("federatedIdentityCredentials"));
    lab.tenant().inject(Fault::new(Effect::Html).on_path("federatedIdentityCredentials"));
    assert!(app(&lab.scan().await, "Invoice Export").flows.gap().is_some());
}

/// The log writes the dash and a blank at the end as it likes; an entry without a time is lost, not read.
#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_log_are_known_by_their_words() {
    let row = |id: &str, name: &str, at: &str| {
        format!(r#"{{"id":"{id}","activityDisplayName":"{name}","activityDateTime":"{at}"}}"#)
    };
    let now = "2026-01-14T00:00:00Z";
    let rows = [
        row("a", "Update application - Certificates and secrets management ", now),
        row("b", "Update application", now),
        row("c", "Update application \u{2013} Certificates and secrets management", "14/01/2026"),
    ];
    let body = format!(r#"{{"value":[{}]}}"#, rows.join(","));
    let scan = scan_with("/auditLogs/directoryAudits", "startswith", &body).await;
    let has = |id: &str| events(&scan).any(|event| event.id == id);
    assert_eq!((has("a"), has("b"), has("c")), (true, false, false));
    let event = events(&scan).find(|event| event.id == "a").unwrap();
    assert!(!event.action.ends_with(' '));
    assert_eq!(part(&scan, "consent-events").losses[0].rows, Some(1));
}

/// A policy of unknown width hides none that is known to be wide.
#[tokio::test(flavor = "multi_thread")]
async fn the_widest_policy_counts_in_any_order() {
    let names = ["nobody-knows-this", "microsoft-user-default-legacy"]
        .map(|name| format!(r#""ManagePermissionGrantsForSelf.{name}""#));
    let body = format!(
        r#"{{"defaultUserRolePermissions":{{"permissionGrantPoliciesAssigned":[{}]}}}}"#,
        names.join(",")
    );
    let scan = scan_with("/policies/authorizationPolicy", "", &body).await;
    assert_eq!(tenant(&scan).consent.user_consent, Observed::Known(UserConsent::Any));
}

/// A page in a batch has no host of its own: a link to another host must not be cut down to a path of Graph's.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_a_batch_leads_nowhere_else_and_not_in_circles() {
    let path = format!("/v1.0/servicePrincipals/{GRAPH}/appRoleAssignedTo?$top");
    for (host, pages) in [("https://evil.example", 1), ("", 80)] {
        let lab = OneDirectory::small().await;
        for nth in 0..pages {
            let link = format!("{host}{path}={}", 1 + nth % 2);
            let body = format!(r#"{{"value":[],"@odata.nextLink":"{link}"}}"#);
            let page = Fault::new(reply(200, &body)).on_path(&format!("{GRAPH}/appRoleAssignedTo"));
            lab.tenant().inject(page.skip(nth).times(1));
        }
        lab.tenant().forget_calls();
        let scan = lab.scan().await;
        assert_eq!(lost(&scan, "app-permissions"), Some(Reason::CallFailed), "{host}");
        let asked = lab.tenant().count_calls(|call| call.path.contains(GRAPH));
        assert!(asked < 10, "{asked} calls");
    }
}

/// What Microsoft's staff make is somebody's app.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_microsofts_corporate_tenant_is_a_third_partys() {
    let body = format!(
        r#"{{"value":[{{"id":"{MAILVAULT}","appId":"51000000-0000-4000-8000-0000000000aa","displayName":"Demo","appOwnerOrganizationId":"72f988bf-86f1-41af-91ab-2d7cd011db47","appRoles":[],"passwordCredentials":[],"keyCredentials":[]}}]}}"#
    );
    let scan = scan_with("/v1.0/servicePrincipals", "appRoles", &body).await;
    assert_eq!(app(&scan, "Demo").origin, Origin::ThirdParty);
    assert_eq!(apps(&scan).filter(|app| app.name == "Demo").count(), 1);
}

/// A policy that does not say its rules is not one without rules.
#[tokio::test(flavor = "multi_thread")]
async fn an_untold_rule_for_secrets_is_not_no_rule() {
    let life = |scan: &Scan| {
        let mut settings = tenant(scan).settings.iter();
        let is_it = |name: &str| name == "Longest life of a new app secret";
        settings.find(|setting| is_it(&setting.name)).unwrap().value.clone()
    };
    let path = "/policies/defaultAppManagementPolicy";
    let known = |text: &str| Observed::Known(text.to_owned());
    assert!(life(&scan_with(path, "", r#"{"id":"1","isEnabled":true}"#).await).gap().is_some());
    assert_eq!(
        life(&scan_with(path, "", r#"{"id":"1","isEnabled":false}"#).await),
        known("no rule")
    );
    let empty =
        r#"{"id":"1","isEnabled":true,"applicationRestrictions":{"passwordCredentials":[]}}"#;
    assert_eq!(life(&scan_with(path, "", empty).await), known("no rule"));
}
