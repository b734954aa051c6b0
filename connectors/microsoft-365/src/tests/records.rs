//! What a directory becomes: whose apps, which rights, and what is not known.

use std::time::Duration;

use grantwarden_kit::model::{
    Approval, CredentialKind, Expiry, GrantKind, Holder, Observed, Origin, PrincipalStatus, Reason,
    Record, UserConsent,
};
use grantwarden_lab::{Effect, Fault, World};

use super::support::{
    EMPTY, OneDirectory, SMALL, app, apps, credentials, events, grants, grants_of, part, setting,
    tenant,
};

#[tokio::test(flavor = "multi_thread")]
async fn apps_are_told_apart_by_their_home_and_not_by_name() {
    let outcome = OneDirectory::small().await.scan().await;
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
    let origin = |name| app(&outcome, name).origin;
    assert_eq!(origin("Mailvault"), Origin::ThirdParty);
    assert_eq!(origin("Invoice Export"), Origin::Own);
    assert_eq!(origin("func-invoices"), Origin::Own);
    assert_eq!(app(&outcome, "func-invoices").kind, "managed identity");
    // Microsoft's own hold nothing here: counted, not listed.
    assert!(!apps(&outcome).any(|app| app.origin == Origin::Platform));
    let settings = &tenant(&outcome).settings;
    let of_microsoft = settings.iter().find(|setting| setting.name.starts_with("Microsoft's own"));
    assert!(of_microsoft.unwrap().value.known().unwrap().starts_with("3,"));
    assert_eq!(app(&outcome, "Mailvault").publisher.known().unwrap().name, "Mailvault Ltd.");
    assert_eq!(app(&outcome, "Chartly").publisher, Observed::Absent);
    let home = app(&outcome, "Mailvault").home_tenant.known().cloned();
    assert_eq!(home.as_deref(), Some("b1000000-0000-4000-8000-000000000001"));
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_apps_are_blocked_and_say_by_whom() {
    let outcome = OneDirectory::small().await.scan().await;
    let blocked = |name| app(&outcome, name).blocked.known().copied();
    assert_eq!(blocked("Old Survey"), Some(true));
    assert_eq!(blocked("Free PDF Magic"), Some(true));
    assert_eq!(blocked("Mailvault"), Some(false));
    let by_microsoft = setting(app(&outcome, "Free PDF Magic"), "Disabled by Microsoft");
    assert_eq!(by_microsoft, Some("DisabledDueToViolationOfServicesAgreement"));
    assert_eq!(app(&outcome, "Never Used").approval, Observed::Known(Approval::AdminApproved));
    assert_eq!(app(&outcome, "Mailvault").approval, Observed::Known(Approval::SelfAuthorized));
}

#[tokio::test(flavor = "multi_thread")]
async fn delegated_grants_carry_their_resource_and_what_ends_them() {
    let outcome = OneDirectory::small().await.scan().await;
    let of_mailvault = grants_of(&outcome, "Mailvault");
    let tenant_wide =
        of_mailvault.iter().find(|grant| grant.kind == GrantKind::AdminConsented).unwrap();
    assert_eq!(tenant_wide.holder, Holder::Tenant);
    assert_eq!(tenant_wide.approval, Observed::Known(Approval::AdminApproved));
    let idle = Duration::from_secs(90 * 86_400);
    assert_eq!(tenant_wide.expires, Observed::Known(Expiry::Idle(idle)));
    assert_eq!(tenant_wide.granted_by.known().map(String::as_str), Some("ada.admin@small.example"));
    let granted = tenant_wide.granted_at.known().unwrap();
    assert_eq!(granted.to_string(), "2026-01-05T09:30:00Z");
    // The tenant-wide offline_access holds for every user of the app.
    let delegated: Vec<_> =
        of_mailvault.iter().filter(|grant| grant.kind == GrantKind::Delegated).collect();
    assert_eq!(delegated.len(), 3);
    assert!(delegated.iter().all(|grant| grant.refreshable == Observed::Known(true)));
    let on_exchange = delegated.iter().find(|grant| {
        grant.scopes.known().unwrap()[0].resource.as_deref() == Some("Exchange Online")
    });
    assert_eq!(on_exchange.unwrap().scopes.known().unwrap()[0].name, "EWS.AccessAsUser.All");
    // A blank in front is no scope.
    let chartly = grants_of(&outcome, "Chartly");
    let of_sam = chartly.iter().find(|grant| grant.scopes.known().unwrap().len() == 4).unwrap();
    assert_eq!(of_sam.scopes.known().unwrap()[0].name, "Files.ReadWrite.All");
    assert_eq!(of_sam.granted_by.known().map(String::as_str), Some("sam.sales@small.example"));
    // Without offline_access the consent stands, and whether there is a refresh token depends.
    let never_used = grants_of(&outcome, "Never Used")[0];
    assert_eq!(never_used.expires, Observed::Known(Expiry::Never));
    assert_eq!(never_used.refreshable.gap().unwrap().reason, Reason::PlatformSilent);
}

/// The app's last use bounds its grants: exact where it covers everybody or lies before the end of every refresh token.
#[tokio::test(flavor = "multi_thread")]
async fn last_use_is_told_only_as_far_as_it_is_known() {
    let outcome = OneDirectory::small().await.scan().await;
    let of = |name: &str, kind| {
        let grant = grants_of(&outcome, name).into_iter().find(|grant| grant.kind == kind);
        grant.unwrap().last_used_at.clone()
    };
    let date = |at: &Observed<grantwarden_kit::model::Timestamp>| at.known().map(|at| at.date());
    assert_eq!(date(&of("Mailvault", GrantKind::AdminConsented)).as_deref(), Some("2026-01-13"));
    assert_eq!(date(&of("Mailvault", GrantKind::AppOnly)).as_deref(), Some("2026-01-15"));
    let of_a_busy_app = of("Mailvault", GrantKind::Delegated);
    assert!(of_a_busy_app.gap().unwrap().detail.contains("2026-01-13"));
    assert_eq!(date(&of("Old Survey", GrantKind::Delegated)).as_deref(), Some("2024-02-02"));
    // No date in the report is not "never", and neither is not being in it.
    assert!(of("Invoice Export", GrantKind::AdminConsented).gap().is_some());
    assert!(of("Never Used", GrantKind::AdminConsented).gap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn application_permissions_are_named_beyond_the_twenty_that_expand_gives() {
    let outcome = OneDirectory::small().await.scan().await;
    let of_robot = grants_of(&outcome, "Backup Robot");
    let on_graph = of_robot.iter().find(|grant| grant.id.ends_with("003:app")).unwrap();
    let scopes = on_graph.scopes.known().unwrap();
    assert_eq!(scopes.len(), 23);
    assert!(scopes.iter().any(|scope| scope.name == "Sites.FullControl.All"));
    assert!(scopes.iter().all(|scope| scope.resource.as_deref() == Some("Microsoft Graph")));
    assert_eq!(on_graph.holder, Holder::App);
    assert_eq!(on_graph.granted_at.known().unwrap().date(), "2025-03-03");
    let roles = of_robot.iter().find(|grant| grant.id.contains("directory-roles")).unwrap();
    let role = &roles.scopes.known().unwrap()[0];
    assert_eq!(role.name, "Application Administrator");
    assert_eq!(role.resource.as_deref(), Some("Directory role"));
    // Users and groups that are assigned to an app are no permissions of apps.
    let on_own_api = grants(&outcome).filter(|grant| {
        let scopes = grant.scopes.known().unwrap();
        grant.kind == GrantKind::AppOnly
            && scopes.iter().any(|scope| scope.name.starts_with("Invoices"))
    });
    let on_own_api: Vec<_> = on_own_api.collect();
    assert_eq!(on_own_api.len(), 1);
    let resource = on_own_api[0].scopes.known().unwrap()[0].resource.clone().unwrap();
    assert_eq!(resource, "Invoice Export (a2000000-0000-4000-8000-000000000002)");
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_are_unknown_only_where_a_policy_could_bind_them() {
    let outcome = OneDirectory::small().await.scan().await;
    for grant in grants(&outcome) {
        let may_be_bound = grant.app_name == "Invoice Export" || grant.app_name == "Grantwarden";
        let binding = &grant.network.binding;
        assert_eq!(binding.gap().is_some(), may_be_bound, "{}", grant.app_name);
        assert!(may_be_bound || *binding == Observed::Absent, "{}", grant.app_name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_say_whose_they_are_and_when_they_end() {
    let outcome = OneDirectory::small().await.scan().await;
    let named = |name: &str| {
        credentials(&outcome)
            .find(|credential| credential.name.known().is_some_and(|it| it.starts_with(name)))
            .unwrap()
    };
    assert_eq!(named("until 2040").expires_at.known().unwrap().date(), "2040-06-01");
    assert_eq!(named("until 2040").last_used_at.known().unwrap().date(), "2026-01-15");
    assert_eq!(named("CN=invoices").kind, CredentialKind::Certificate);
    assert!(named("expired").last_used_at.gap().is_some());
    let deploy = named("deploy");
    assert_eq!(deploy.kind, CredentialKind::FederatedCredential);
    assert_eq!(deploy.expires_at, Observed::Absent);
    assert!(deploy.name.known().unwrap().contains("repo:small/invoices:environment:production"));
    // A secret that somebody added to a vendor's app.
    let chartly = app(&outcome, "Chartly");
    assert_eq!(named("added by hand").app, chartly.id);
    assert_eq!(setting(chartly, "Credentials added in this directory"), Some("1 secret"));
    assert_eq!(
        setting(app(&outcome, "Mailvault"), "Credentials added in this directory"),
        Some("none")
    );
    let own = app(&outcome, "Invoice Export");
    assert_eq!(setting(own, "Credentials of the registration"), Some("2 secrets, 1 certificate"));
    let asked_for = setting(own, "Application permissions asked for and not granted");
    assert_eq!(asked_for, Some("1: Sites.Read.All"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_known_suspended_or_provably_gone() {
    let outcome = OneDirectory::small().await.scan().await;
    let people: Vec<_> = grants(&outcome).filter_map(|grant| grant.holder.principal()).collect();
    let by_name = |name: &str| {
        people.iter().find(|it| it.name.known().is_some_and(|it| it.starts_with(name))).unwrap()
    };
    assert_eq!(by_name("dora").status, Observed::Known(PrincipalStatus::Suspended));
    let ada = by_name("ada").privileges.known().unwrap();
    assert_eq!(*ada, ["Global Administrator"]);
    assert_eq!(by_name("sam").privileges, Observed::Known(Vec::new()));
    let gone = people.iter().filter(|it| it.status == Observed::Known(PrincipalStatus::Deleted));
    assert_eq!(gone.count(), 1);
}

/// A look-up that failed proves nothing about anybody.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_taken_for_deleted_when_the_look_up_fails_or_is_odd() {
    let odd = r#"{"value":[{"id":7}]}"#.to_owned();
    for effect in
        [Effect::ServerError, Effect::Reply { status: 200, headers: Vec::new(), body: odd }]
    {
        let lab = OneDirectory::small().await;
        lab.tenant().inject(Fault::new(effect).on_path("/getByIds"));
        let outcome = lab.scan().await;
        assert!(!outcome.coverage.is_whole());
        let mut people = grants(&outcome).filter_map(|grant| grant.holder.principal());
        assert!(people.all(|it| it.status.gap().is_some()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consent_setting_is_the_widest_policy_that_is_assigned() {
    let policies = [
        (
            r#""managePermissionGrantsForSelf.Microsoft-user-default-LEGACY""#,
            Some(UserConsent::Any),
        ),
        (
            r#""ManagePermissionGrantsForSelf.microsoft-user-default-low""#,
            Some(UserConsent::Conditional),
        ),
        (r#""ManagePermissionGrantsForSelf.small-verified-only""#, Some(UserConsent::Conditional)),
        (r#""ManagePermissionGrantsForSelf.nobody-knows-this""#, None),
        (r#""ManagePermissionGrantsForOwnedResource.x""#, Some(UserConsent::None)),
        ("", Some(UserConsent::None)),
    ];
    for (assigned, expected) in policies {
        let from = SMALL.find("user_consent = [").unwrap();
        let to = from + SMALL[from..].find(']').unwrap() + 1;
        let text = format!("{}user_consent = [{assigned}]{}", &SMALL[..from], &SMALL[to..]);
        let text = text.replacen(
            "[[microsoft_365]]",
            "[[microsoft_365]]\nbehaviour = { quota = false }",
            1,
        );
        let outcome = OneDirectory::then(World::parse(&text).unwrap()).await.scan().await;
        assert_eq!(tenant(&outcome).consent.user_consent.known().copied(), expected, "{assigned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_who_did_what() {
    let outcome = OneDirectory::small().await.scan().await;
    assert!(matches!(outcome.records[0], Record::Tenant(_)));
    let consent = events(&outcome).find(|event| event.summary.contains("Mailvault")).unwrap();
    assert_eq!(consent.summary, "Consent to application: Mailvault, for all users");
    assert_eq!(consent.actor.known().map(String::as_str), Some("ada.admin@small.example"));
    assert!(events(&outcome).any(|event| event.action == "Add service principal credentials"));
}

/// No licence and no right are different gaps, and neither costs the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_licence_is_no_loss_and_a_missing_right_names_itself() {
    let lab = OneDirectory::small().await;
    let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    let body = format!(r#"{{"error":{{"code":"{code}","message":"no premium license"}}}}"#);
    let no_licence = Effect::Reply { status: 403, headers: Vec::new(), body };
    lab.tenant().inject(Fault::new(no_licence).on_path("/reports/"));
    lab.tenant().set_permission("Policy.Read.All", false);
    let outcome = lab.scan().await;
    let reason = |facet| part(&outcome, facet).losses.first().map(|loss| loss.gap.reason);
    assert_eq!(reason("sign-ins"), Some(Reason::Licence));
    assert_eq!(reason("credential-sign-ins"), Some(Reason::Licence));
    assert_eq!(reason("consent-settings"), Some(Reason::Permission));
    let detail = &part(&outcome, "consent-settings").losses[0].gap.detail;
    assert!(detail.contains("Policy.Read.All"), "{detail}");
    assert_eq!(part(&outcome, "grants").read, 10);
    assert!(tenant(&outcome).consent.user_consent.gap().is_some());
    let used = &grants_of(&outcome, "Mailvault")[0].last_used_at;
    assert_eq!(used.gap().unwrap().reason, Reason::Licence);
    // What the token says it lacks is not asked for.
    assert_eq!(lab.tenant().count_calls(|call| call.path.ends_with("/authorizationPolicy")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_without_the_reports_is_silent_and_not_broken() {
    let outcome = OneDirectory::small_with(", national_cloud = true").await.scan().await;
    assert!(outcome.coverage.is_whole());
    let reports = part(&outcome, "sign-ins");
    assert_eq!(reports.losses[0].gap.reason, Reason::PlatformSilent, "{reports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_user_gives_up_is_not_asked_for() {
    let mut lab = OneDirectory::small().await;
    lab.skip = ["grants", "consent-settings", "app-management", "sign-ins", "consent-events"]
        .map(ToOwned::to_owned)
        .into();
    let outcome = lab.scan().await;
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
    let tenant = lab.tenant();
    for path in ["/oauth2PermissionGrants", "/policies/", "/auditLogs/", "servicePrincipalSignIn"] {
        assert_eq!(tenant.count_calls(|call| call.path.contains(path)), 0, "{path}");
    }
    assert!(grants(&outcome).all(|grant| grant.kind == GrantKind::AppOnly));
}

/// One row of another shape costs one row.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_row_is_a_loss_of_one_row() {
    let body = r#"{"value":[{"id":"g","clientId":5},
        {"id":"h","clientId":"51000000-0000-4000-8000-000000000003","consentType":"AllPrincipals","resourceId":"gone","scope":"X","future":true}]}"#;
    let lab = OneDirectory::small().await;
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
    lab.tenant()
        .inject(Fault::new(effect).on_path("/oauth2PermissionGrants").on_text("AllPrincipals"));
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome, "grants").losses[0].rows, Some(1));
    let kept = grants(&outcome).find(|grant| grant.id == "h").unwrap();
    let resource = kept.scopes.known().unwrap()[0].resource.clone().unwrap();
    assert_eq!(resource, "a resource that is gone (gone)");
}

/// A grant whose app is in no list still comes after an app.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_of_an_unlisted_app_brings_an_app_that_says_so() {
    let body = r#"{"value":[{"id":"h","clientId":"nobody","consentType":"AllPrincipals","resourceId":"r","scope":"X"}]}"#;
    let lab = OneDirectory::small().await;
    let effect = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
    lab.tenant()
        .inject(Fault::new(effect).on_path("/oauth2PermissionGrants").on_text("AllPrincipals"));
    let outcome = lab.scan().await;
    let at = |wanted: &dyn Fn(&Record) -> bool| outcome.records.iter().position(wanted).unwrap();
    let of_app = at(&|record| matches!(record, Record::App(app) if app.id == "nobody"));
    let of_grant = at(&|record| matches!(record, Record::Grant(grant) if grant.app == "nobody"));
    assert!(of_app < of_grant);
    assert_eq!(app(&outcome, "nobody").origin, Origin::ThirdParty);
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_pages_and_small_ones_change_nothing() {
    let whole = OneDirectory::small().await.scan().await;
    let lab = OneDirectory::small_with(", page_cap = 2, empty_first_pages = true").await;
    let outcome = lab.scan().await;
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
    assert_eq!(outcome.records.len(), whole.records.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_directory_has_the_scanner_itself_and_nobody_else() {
    let outcome = OneDirectory::then(World::parse(EMPTY).unwrap()).await.scan().await;
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
    let names: Vec<&str> = apps(&outcome).map(|app| app.name.as_str()).collect();
    assert_eq!(names, ["Grantwarden"]);
    assert_eq!(grants(&outcome).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_visible_in_a_few_calls() {
    let lab = OneDirectory::small().await;
    lab.tenant().set_permission("AuditLog.Read.All", false);
    let probe = lab.session().probe().await.unwrap();
    assert!(probe.tenant.starts_with("Small Directory"), "{}", probe.tenant);
    for visibility in &probe.facets {
        // The reports of sign-ins take Directory.Read.All as well.
        let is_log = visibility.facet == "consent-events";
        assert_eq!(visibility.gap.is_some(), is_log, "{visibility:?}");
    }
    let calls = lab.tenant().count_calls(|call| call.operation.as_deref() != Some("batch part"));
    // The token, one batch, three reports.
    assert!(calls <= 5, "{calls} calls");
}

/// `$expand` cuts at 20 without a word, and a tenant may not take it at all: then they are read one by one.
#[tokio::test(flavor = "multi_thread")]
async fn federated_credentials_are_read_whole_whatever_expand_gives() {
    let many: Vec<String> = (0..21)
        .map(|nth| {
            format!(
                r#"{{ name = "c{nth}", issuer = "https://issuer.example", subject = "s{nth}" }}"#
            )
        })
        .collect();
    let application = |name: &str, count: usize| {
        let federated = many[..count].join(", ");
        format!("\n[[microsoft_365.application]]\nname = \"{name}\"\nfederated = [{federated}]\n")
    };
    let world = format!("{EMPTY}{}{}", application("Few", 2), application("Many", 21));
    let lab = OneDirectory::then(World::parse(&world).unwrap()).await;
    let federated = |outcome: &super::support::Scan| {
        let all = credentials(outcome);
        all.filter(|credential| credential.kind == CredentialKind::FederatedCredential).count()
    };
    let outcome = lab.scan().await;
    assert_eq!((federated(&outcome), part(&outcome, "federated-credentials").read), (23, 23));
    let one_by_one = |lab: &OneDirectory| {
        lab.tenant().count_calls(|call| {
            call.asks("batch part") && call.path.ends_with("/federatedIdentityCredentials")
        })
    };
    assert_eq!(one_by_one(&lab), 1);
    let refused = r#"{"error":{"code":"BadRequest","message":"Expand is not allowed"}}"#;
    let refused = Effect::Reply { status: 400, headers: Vec::new(), body: refused.to_owned() };
    lab.tenant().inject(Fault::new(refused).on_path("/v1.0/applications").on_text("expand"));
    lab.tenant().forget_calls();
    let outcome = lab.scan().await;
    assert_eq!((federated(&outcome), one_by_one(&lab)), (23, 3));
    assert!(outcome.coverage.is_whole());
}
