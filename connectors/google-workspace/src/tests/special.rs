//! What is Google's own: users that cannot be read, scopes that are missing, dates from the log, counts that disagree.

use grantwarden_kit::{
    connector::Connector as _,
    error::ErrorKind,
    model::{
        Approval, Expiry, GrantKind, Holder, Observed, PrincipalStatus, Reason, Record, UserConsent,
    },
    testing,
};
use grantwarden_lab::{Effect, Fault, World};

use super::bench::{
    OneAccount, app, apps, forbidden, grant, grants, holders, part, small, small_with, tenant,
};
use crate::{
    GoogleWorkspace,
    account::Account,
    collect::log::{self, LogQuery},
};

const SAM: &str = "sam.sales@small.example";
const SECURITY: &str = "admin.directory.user.security";

#[test]
fn the_manifest_is_read() {
    let manifest = GoogleWorkspace.manifest();
    assert_eq!(manifest.facets.iter().filter(|facet| facet.promised).count(), 6);
    let import = manifest.facet("domain-wide-delegation").unwrap().import.as_deref();
    assert!(import.unwrap().contains("Download client info"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_account_is_told_with_all_its_facts() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let (records, coverage) = (&outcome.records, &outcome.coverage);
    assert!(coverage.is_whole(), "{coverage:#?}");
    assert_eq!(part(coverage, "grants").read as usize, lab.google().grant_count());
    assert_eq!(part(coverage, "users").read, 6);

    let account = tenant(records);
    assert_eq!(account.id, "C0small01");
    assert_eq!(account.display_name, Observed::Known("small.example".to_owned()));
    // A unit may let anything in.
    assert_eq!(account.consent.user_consent, Observed::Known(UserConsent::Any));
    assert!(account.settings.iter().any(|setting| {
        setting.value.known().is_some_and(|value| value.contains("GMAIL_HIGH_RISK (off)"))
    }));

    let mail = grant(records, "Mail Merge Pro", SAM);
    assert_eq!(mail.kind, GrantKind::Delegated);
    assert!(mail.scopes.known().unwrap().iter().any(|s| s.name == "https://mail.google.com/"));
    assert_eq!(mail.expires, Observed::Known(Expiry::Never));
    assert!(mail.last_used_at.known().is_some() && mail.use_count.known().is_some());
    assert_eq!(mail.network.binding, Observed::Absent);

    // The last of two authorisations; and one from before the log.
    let again = grant(records, "Drift", SAM).granted_at.known().copied().unwrap();
    let now = records.iter().find_map(|record| match record {
        Record::Usage(usage) => Some(usage.to),
        _ => None,
    });
    assert_eq!(again.days_until(now.unwrap()), 14);
    let old = grant(records, "Drift", "gone.gus");
    assert_eq!(old.granted_at.gap().unwrap().reason, Reason::PlatformSilent);
    let gus = old.holder.principal().unwrap();
    assert_eq!(gus.status, Observed::Known(PrincipalStatus::Suspended));
    let ada = grant(records, "Drift", "ada.admin").holder.principal().unwrap();
    assert_eq!(ada.privileges, Observed::Known(vec!["Super Admin".to_owned()]));
    let dora = grant(records, "Old Timer", "del.dora").holder.principal().unwrap();
    assert_eq!(dora.privileges, Observed::Known(vec!["Delegated Admin".to_owned()]));

    let legacy = app(records, "legacy.vendor.example");
    assert_eq!(legacy.kind, "anonymous OAuth client");
    assert_eq!(legacy.redirect_domains, Observed::Known(vec!["legacy.vendor.example".to_owned()]));
    assert!(app(records, "Drift").redirect_domains.gap().is_some());
    assert!(app(records, "Drift").blocked.gap().is_some());
    assert_eq!(app(records, "Small Intranet").approval, Observed::Known(Approval::AdminApproved));
    assert_eq!(app(records, "Small Intranet").blocked, Observed::Known(false));
    // Limited in one unit is not limited everywhere.
    assert!(app(records, "Mail Merge Pro").approval.gap().is_some());
    let number = app(records, "Drift").settings.iter().find(|s| s.name.contains("project"));
    assert_eq!(number.unwrap().value, Observed::Known("104498765432".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn app_passwords_are_grants_of_their_own() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let phone = grant(&outcome.records, "Phone mail", SAM);
    assert_eq!(
        (phone.kind, phone.app.as_str()),
        (GrantKind::PersonalToken, "application-specific-passwords")
    );
    assert!(phone.id.contains(":asp:") && phone.granted_at.known().is_some());
    assert!(phone.last_used_at.known().is_some());
    assert_eq!(grant(&outcome.records, "Old scanner", SAM).last_used_at, Observed::Absent);
    // Only the two users with 2-Step Verification were asked for.
    let asked = lab.google().count_calls(|call| call.path.ends_with("/asps"));
    assert_eq!(asked, 2);
    let notes = &part(&outcome.coverage, "app-passwords").notes;
    assert!(notes[0].starts_with("4 users were not asked for"), "{notes:?}");
    assert_eq!(apps(&outcome.records).filter(|app| app.kind == "app password").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn delegations_come_from_the_log_and_the_export() {
    let mut lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let delegated: Vec<_> =
        grants(&outcome.records).filter(|grant| grant.kind == GrantKind::Delegation).collect();
    let clients: Vec<&str> = delegated.iter().map(|grant| grant.app.as_str()).collect();
    assert_eq!(clients, ["109900000000000000001", "109900000000000000003"]);
    assert!(delegated.iter().all(|grant| grant.holder == Holder::Tenant));
    assert_eq!(delegated[0].granted_by, Observed::Known("ada.admin@small.example".to_owned()));
    assert!(delegated[1].granted_at.gap().is_some());
    assert!(
        part(&outcome.coverage, "domain-wide-delegation").notes[0].contains("age is not known")
    );

    lab.has_export = false;
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "domain-wide-delegation").losses;
    assert_eq!(losses[0].gap.reason, Reason::PlatformSilent);
    assert!(losses[0].gap.detail.contains("Download client info"), "{losses:?}");
    assert!(outcome.coverage.is_whole());
    let kinds = grants(&outcome.records).filter(|grant| grant.kind == GrantKind::Delegation);
    assert_eq!(kinds.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_are_apps_with_permissions_and_without_grants() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let tabs = app(&outcome.records, "Tab Saver Plus");
    assert_eq!(tabs.kind, "Chrome extension");
    let scopes = tabs.scopes.known().unwrap();
    assert!(scopes.iter().all(|scope| scope.resource.as_deref() == Some("Chrome extension")));
    assert!(scopes.iter().any(|scope| scope.name == "<all_urls>"));
    assert!(grants(&outcome.records).all(|grant| grant.app != tabs.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_without_a_log_of_calls_is_no_disuse() {
    let world = small_with(
        "domain = \"small.example\"",
        "domain = \"small.example\"\nedition = { token_activity_events = false }",
    );
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    assert_eq!(part(&outcome.coverage, "app-activity").losses[0].gap.reason, Reason::Licence);
    for grant in grants(&outcome.records).filter(|grant| grant.kind == GrantKind::Delegated) {
        assert_eq!(grant.last_used_at.gap().unwrap().reason, Reason::Licence);
    }
    assert!(outcome.coverage.is_whole());
}

/// One re-authentication, then the user is booked; a thousand such users are not a thousand sign-ins.
#[tokio::test(flavor = "multi_thread")]
async fn users_whose_grants_google_refuses_are_lost_one_by_one() {
    let mut world = OneAccount::generated(400, 2_000, 20);
    for user in world.google_workspace[0].users.iter_mut().skip(1).step_by(2) {
        user.tokens_refused = Some(401);
    }
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    let grants = part(&outcome.coverage, "grants");
    assert_eq!(grants.losses.len(), 1, "{:?}", grants.losses);
    assert_eq!(grants.losses[0].rows, Some(200));
    assert!(grants.losses[0].gap.detail.starts_with("not readable"), "{:?}", grants.losses);
    assert!(grants.read > 500 && !outcome.coverage.is_whole());
    let sign_ins = lab.google().count_calls(|call| call.path == "/token");
    assert!(sign_ins <= 6 + 10, "{sign_ins} sign-ins");
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_is_empty_only_for_a_user_who_is_gone() {
    let world = small_with(
        "domain = \"small.example\"",
        "domain = \"small.example\"\nbehaviour = { empty_tokens_not_found = true }",
    );
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "grants").losses;
    // Nora has no grants, and Google says "not found".
    assert_eq!((losses.len(), losses[0].rows), (1, Some(1)), "{losses:?}");
    assert_eq!(losses[0].gap.reason, Reason::CallFailed);
    assert!(!outcome.coverage.is_whole());

    let lab = OneAccount::small().await;
    let gone = Effect::DeleteUser { username: "gone.gus@small.example".into() };
    lab.google().inject(Fault::new(gone).on_path("/tokens").times(1));
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "grants").losses;
    assert!(losses.iter().all(|loss| loss.gap.reason == Reason::Vanished), "{losses:?}");
    assert_eq!(losses.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_not_authorised_costs_its_facets_and_no_more() {
    let lab = OneAccount::small().await;
    assert!(lab.google().set_scope(SECURITY, false));
    let outcome = lab.scan().await;
    for facet in ["grants", "app-passwords"] {
        let losses = &part(&outcome.coverage, facet).losses;
        assert_eq!(losses[0].gap.reason, Reason::Permission, "{losses:?}");
        assert!(losses[0].gap.detail.contains(&format!("auth/{SECURITY}")), "{losses:?}");
        assert!(losses[0].gap.detail.contains("108801234567890123456"), "{losses:?}");
    }
    assert_eq!(part(&outcome.coverage, "users").read, 6);
    assert!(part(&outcome.coverage, "users").losses.is_empty());
    assert!(part(&outcome.coverage, "grant-events").read > 0);
    // Refused once is refused: nobody asks again for each user.
    assert!(lab.google().count_calls(|call| call.path == "/token") <= 6);

    let lab = OneAccount::small().await;
    assert!(lab.google().set_scope("admin.directory.user.readonly", false));
    let outcome = lab.scan().await;
    for facet in ["customer", "users", "grants", "app-passwords"] {
        let losses = &part(&outcome.coverage, facet).losses;
        assert_eq!(losses[0].gap.reason, Reason::Permission, "{facet}: {losses:?}");
    }
    assert!(grants(&outcome.records).any(|grant| grant.kind == GrantKind::Delegation));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_privilege_is_named() {
    let lab = OneAccount::small().await;
    assert!(lab.google().set_privilege("USER_SECURITY_ALL", false));
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "grants").losses;
    assert!(losses[0].gap.detail.contains("User Security Management"), "{losses:?}");
    assert_eq!(losses[0].gap.reason, Reason::Permission);
    let doctor = lab.probe().await;
    let of = |facet: &str| doctor.facets.iter().find(|seen| seen.facet == facet).unwrap();
    assert_eq!(of("grants").gap.as_ref().unwrap().reason, Reason::Permission);
    assert!(of("users").gap.is_none() && of("api-controls").gap.is_none(), "{doctor:#?}");
    assert_eq!(doctor.identity, "ada.admin@small.example");
    assert_eq!(doctor.tenant, "C0small01");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_asks_for_one_thing_of_each_kind() {
    let mut lab = OneAccount::start(OneAccount::generated(2_000, 10_000, 40)).await;
    lab.has_export = false;
    let doctor = lab.probe().await;
    let calls = lab.google().count_calls(|call| call.path != "/token");
    assert!(calls <= 11, "{calls} calls");
    let gaps: Vec<_> = doctor.facets.iter().filter_map(|seen| seen.gap.as_ref()).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].facet, "domain-wide-delegation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_with_a_role_of_its_own_reads_all_but_policies() {
    let world = small_with(
        "project = \"515151515151\", subject",
        "project = \"515151515151\", dasa = true, privileges = [\"USERS_RETRIEVE\", \"USER_SECURITY_ALL\", \"ADMIN_REPORTING_ACCESS\", \"REPORTING_AUDIT_ACCESS\", \"VIEW_CHROME_REPORTS\", \"VIEW_CHROME_EXTENSIONS_REPORT\"], subject",
    );
    let mut lab = OneAccount::start(world).await;
    lab.is_itself = true;
    let outcome = lab.scan().await;
    let controls = &part(&outcome.coverage, "api-controls").losses;
    assert_eq!(controls[0].gap.reason, Reason::PlatformSilent, "{controls:?}");
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
    assert_eq!(part(&outcome.coverage, "grants").read as usize, lab.google().grant_count());
    assert_eq!(lab.google().count_calls(|call| call.path == "/v1/policies"), 0);

    let mut config = lab.config();
    config.account = None;
    let error = GoogleWorkspace.open(config, OneAccount::kit()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.to_string().contains("account"), "{error}");
}

/// The report counts users of an app that the listing does not show: somebody's grants were not seen.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_only_the_report_knows_is_a_loss() {
    let lab = OneAccount::small().await;
    let body = r#"{"kind":"k","usageReports":[{"parameters":[{"name":"accounts:authorized_apps","msgValue":[
        {"client_name":"Ghost Sync","client_id":"999-ghost.apps.googleusercontent.com","num_users":"3"}]}]}]}"#;
    let reply = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
    lab.google().inject(Fault::new(reply).on_path("/usage/dates/"));
    let outcome = lab.scan().await;
    let losses = &part(&outcome.coverage, "grants").losses;
    assert_eq!(losses[0].gap.reason, Reason::CountMismatch, "{losses:?}");
    assert!(losses[0].gap.detail.contains("Ghost Sync (3 users, 0 listed)"), "{losses:?}");
    assert_eq!(losses[0].rows, Some(3));
    assert!(!outcome.coverage.is_whole());
}

/// A grant that was revoked after the report's day is no loss.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_revoked_since_the_report_is_no_loss() {
    let world = small_with(
        "token = [",
        "token = [\n  { app = \"Shady Sync\", user = \"ada.admin@small.example\", scopes = [\"openid\"], authorized = \"-90d\", revoked = \"-6h\" },",
    );
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    assert!(part(&outcome.coverage, "grants").losses.is_empty(), "{:#?}", outcome.coverage);
    assert!(part(&outcome.coverage, "authorized-apps").read > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_odd_row_is_one_row_lost() {
    let lab = OneAccount::small().await;
    let body = r#"{"kind":"admin#directory#tokenList","items":[{"clientId":7,"scopes":"FAKE"},{"clientId":"1.apps.googleusercontent.com","scopes":["openid"]}]}"#;
    let reply = Effect::Reply { status: 200, headers: Vec::new(), body: body.to_owned() };
    lab.google().inject(Fault::new(reply).on_path("/tokens").times(1));
    let outcome = lab.scan().await;
    let grants = part(&outcome.coverage, "grants");
    assert_eq!((grants.losses.len(), grants.losses[0].rows), (1, Some(1)), "{:?}", grants.losses);
    assert!(holders(&outcome.records).iter().any(|name| name.starts_with("1.apps.")));
}

/// Neither a list nor an empty list: a proxy's `{}` must not make a user look clean.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_object_is_no_empty_list() {
    let lab = OneAccount::small().await;
    let reply = Effect::Reply { status: 200, headers: Vec::new(), body: "{}".to_owned() };
    lab.google().inject(Fault::new(reply).on_path("/tokens"));
    let outcome = lab.scan().await;
    assert!(!outcome.coverage.is_whole());
    assert!(!part(&outcome.coverage, "grants").losses.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn false_that_is_left_out_is_not_known() {
    let world = small_with(
        "domain = \"small.example\"",
        "domain = \"small.example\"\nbehaviour = { omit_false = true, counts_as_strings = true, policy_empty_pages = 2, policies_page = 1, page_token_once = true }",
    );
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    let sam = grant(&outcome.records, "Drift", SAM).holder.principal().unwrap();
    assert!(sam.privileges.gap().is_some() && sam.status.gap().is_some());
    // Who is not told to have 2-Step Verification is asked for.
    assert_eq!(lab.google().count_calls(|call| call.path.ends_with("/asps")), 6);
    assert_eq!(tenant(&outcome.records).consent.user_consent, Observed::Known(UserConsent::Any));
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_not_there_yet_is_looked_for_on_earlier_days() {
    let world = small_with(
        "domain = \"small.example\"",
        "domain = \"small.example\"\nbehaviour = { report_lag_days = 4, report_empty_days = 1 }",
    );
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    let report = part(&outcome.coverage, "authorized-apps");
    assert!(report.read > 0 && report.losses.is_empty(), "{report:?}");
    assert!(lab.google().count_calls(|call| call.path.contains("/usage/dates/")) <= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_not_enabled_is_named() {
    let world = small_with(
        "domain = \"small.example\"",
        "domain = \"small.example\"\nbehaviour = { policy_api_disabled = true, chrome_api_disabled = true }",
    );
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    for (facet, api) in
        [("api-controls", "Cloud Identity API"), ("chrome-extensions", "Chrome Management API")]
    {
        let losses = &part(&outcome.coverage, facet).losses;
        assert!(losses[0].gap.detail.contains(&format!("enable the {api}")), "{losses:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sign_in_error_says_what_to_do() {
    let lab = OneAccount::small().await;
    for (status, error, description, hint) in [
        (
            401,
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method",
            "domain-wide delegation",
        ),
        (400, "invalid_grant", "Invalid email or User ID", "`subject`"),
        (
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes)",
            "clock",
        ),
        (400, "invalid_grant", "Invalid JWT Signature.", "key was deleted"),
        (401, "disabled_client", "The OAuth client was disabled.", "service account is disabled"),
        (400, "admin_policy_enforced", "x", "trust it"),
    ] {
        let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
        let reply = Effect::Reply { status, headers: Vec::new(), body };
        lab.google().clear_faults();
        lab.google().inject(Fault::new(reply).on_path("/token").on_text("grant-type"));
        let failure = testing::scan(&lab).await.unwrap_err();
        assert_eq!(failure.kind, ErrorKind::SignIn, "{failure}");
        let said = failure.hint.clone().unwrap_or_default().to_lowercase();
        assert!(said.contains(&hint.to_lowercase()), "{description}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_facets_are_not_asked_for() {
    let mut lab = OneAccount::small().await;
    lab.skip = ["app-passwords", "app-activity", "api-controls", "chrome-extensions"]
        .map(String::from)
        .into();
    let outcome = lab.scan().await;
    let asked =
        |text: &str| lab.google().count_calls(|call| call.path.contains(text) || call.asks(text));
    for text in ["/asps", "activity", "/v1/policies", "countInstalledApps"] {
        let calls = if text == "activity" {
            lab.google().count_calls(|call| call.asks("activity"))
        } else {
            asked(text)
        };
        assert_eq!(calls, 0, "{text}");
    }
    assert!(outcome.coverage.is_whole());
    assert_eq!(part(&outcome.coverage, "app-passwords").losses[0].gap.reason, Reason::Skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_that_are_given_up_are_not_missed() {
    let mut lab = OneAccount::small().await;
    lab.skip = ["users", "grants", "app-passwords"].map(String::from).into();
    let outcome = lab.scan().await;
    assert!(outcome.coverage.is_whole());
    for facet in ["users", "grants", "app-passwords"] {
        let losses = &part(&outcome.coverage, facet).losses;
        assert!(losses.iter().all(|loss| loss.gap.reason == Reason::Skipped), "{losses:?}");
    }
    // One page, for the account's id.
    assert_eq!(lab.google().count_calls(|call| call.path.contains("/directory/")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_admins_changed_is_told() {
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    let actions: Vec<&str> = outcome
        .records
        .iter()
        .filter_map(|record| match record {
            Record::AuditEvent(event) => Some(event.action.as_str()),
            _ => None,
        })
        .collect();
    for action in ["AUTHORIZE_API_CLIENT_ACCESS", "ADD_TO_BLOCKED_OAUTH2_APPS", "deny"] {
        assert!(actions.contains(&action), "{action} of {actions:?}");
    }
}

/// A quota refusal has the same status as a missing right.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_goes_midway_is_noticed() {
    let lab = OneAccount::start(OneAccount::generated(200, 1_000, 20)).await;
    lab.google().inject(Fault::new(forbidden()).on_path("/tokens").skip(50));
    let outcome = lab.scan().await;
    assert!(!outcome.coverage.is_whole());
    let lost: u64 =
        part(&outcome.coverage, "grants").losses.iter().filter_map(|loss| loss.rows).sum();
    assert_eq!(lost, 151);
}

#[test]
fn the_small_world_is_of_today() {
    assert!(World::parse(&small()).is_ok());
}

/// Context-Aware Access that covers API calls may bind grants, and nobody tells whose: that is not "unbound". In the browser it binds none.
#[tokio::test(flavor = "multi_thread")]
async fn context_aware_access_is_a_binding_only_where_it_covers_apis() {
    for (endpoints, binds) in [("CAA_WEB_VERSION", false), ("CAA_WEB_VERSION_AND_APIS", true)] {
        let event = format!(
            "trust = [\n  {{ at = \"-20d\", event = \"CHANGE_CAA_APP_ASSIGNMENTS\", org_unit = \"/\", parameters = {{ APPLICATION_NAME = \"Gmail\", CAA_ACCESS_LEVELS_NEW = \"office\", CAA_ENFORCEMENT_ENDPOINTS_NEW = \"{endpoints}\" }} }},"
        );
        let lab = OneAccount::start(small_with("trust = [", &event)).await;
        let outcome = lab.scan().await;
        let drift = grant(&outcome.records, "Drift", SAM);
        assert_eq!(drift.network.binding.gap().is_some(), binds, "{endpoints}");
        assert_eq!(drift.network.look_alikes.is_empty(), binds, "{endpoints}");
        let tenant = tenant(&outcome.records).look_alikes.known().unwrap().len();
        assert_eq!(tenant, usize::from(!binds), "{endpoints}");
    }
    let lab = OneAccount::small().await;
    let outcome = lab.scan().await;
    assert_eq!(tenant(&outcome.records).look_alikes, Observed::Known(Vec::new()));
}

/// A file that cannot be read is a loss with the way out, never "no clients".
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_cannot_be_read_is_a_loss() {
    let lab = OneAccount::small().await;
    let mut config = lab.config();
    config.imports.insert("domain-wide-delegation".to_owned(), b"a,b\n1,2\n".to_vec());
    let (records, coverage) = OneAccount::read(config).await;
    let losses = &part(&coverage, "domain-wide-delegation").losses;
    assert!(losses[0].gap.detail.contains("no column with client IDs"), "{losses:?}");
    assert!(!coverage.is_whole());
    // What the log tells is told all the same.
    assert!(grants(&records).any(|grant| grant.kind == GrantKind::Delegation));
}

/// What is more than a scan reads is cut off, and said.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_of_calls_is_cut_off_and_that_is_said() {
    let mut world = OneAccount::generated(50, 500, 20);
    world.google_workspace[0].behaviour.activities_page = 2;
    let lab = OneAccount::start(world).await;
    let outcome = lab.scan().await;
    let activity = part(&outcome.coverage, "app-activity");
    assert_eq!((activity.read, activity.losses[0].gap.reason), (200, Reason::Quota));
    assert!(outcome.coverage.is_whole(), "{:#?}", outcome.coverage);
    for grant in grants(&outcome.records).filter(|grant| grant.kind == GrantKind::Delegated) {
        assert!(grant.use_count.gap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_exactly_as_many_pages_as_are_read_is_not_cut_off() {
    let lab = OneAccount::small().await;
    let account = Account::open(lab.config(), OneAccount::kit()).unwrap();
    for (most_pages, is_cut) in [(1, false), (0, true)] {
        let all = LogQuery::all(&account, "list authorisations", "token", "authorize");
        let query = LogQuery { most_pages, ..all };
        let end = log::read(&account, &query, |_, _| {}).await.unwrap();
        assert_eq!((end.entries == 0, end.cut_at.is_some()), (is_cut, is_cut));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_made_by_hand_reads_what_its_scope_shows() {
    let lab = OneAccount::small().await;
    let mut config = lab.config();
    config.credentials = grantwarden_kit::auth::Credentials::Static {
        token: grantwarden_kit::secret::Secret::new("ya29.FAKE-not-one-of-the-lab".into()),
    };
    let (records, coverage) = OneAccount::read(config).await;
    assert!(!coverage.is_whole());
    assert!(grants(&records).all(|grant| grant.kind == GrantKind::Delegation));
    let said = format!("{coverage:?}");
    assert!(said.contains("make a new one") && !said.contains("FAKE-not-one"), "{said}");
}

/// With a deleted user go the grants, and the log has no revocation.
#[tokio::test(flavor = "multi_thread")]
async fn the_only_user_of_an_app_may_have_been_deleted_since_the_report() {
    let lab = OneAccount::small().await;
    lab.happen(Effect::DeleteUser { username: "del.dora@small.example".into() }).await;
    let outcome = lab.scan().await;
    assert!(part(&outcome.coverage, "grants").losses.is_empty(), "{:#?}", outcome.coverage);
    let said = &part(&outcome.coverage, "authorized-apps").losses[0].gap;
    assert_eq!(said.reason, Reason::PlatformSilent);
    assert!(said.detail.contains("deleted user"), "{}", said.detail);
}
