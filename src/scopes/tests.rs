mod catalogs;
mod github;
mod microsoft_365;
mod okta;
mod slack;

use super::*;

fn salesforce() -> Catalog {
    catalogs::read("salesforce")
}

fn named(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|name| Scope::named(*name)).collect()
}

#[test]
fn salesforce_severities_change_only_on_purpose() {
    let catalog = salesforce();
    let list: Vec<String> = catalog
        .entries()
        .iter()
        .map(|entry| {
            let scope = catalog.assess(&Scope::named(&entry.name), Kind::Delegated);
            format!("{:<8} {}", scope.severity, scope.name)
        })
        .collect();
    insta::assert_snapshot!(list.join("\n"));
}

#[test]
fn judges_sets_as_sets() {
    let catalog = salesforce();
    let assess = |names: &[&str]| {
        catalog.assess_set(&named(names), Kind::Delegated).sentence(Kind::Delegated)
    };
    for (names, expected) in [
        (
            &["api", "refresh_token"][..],
            "can read and change all CRM data that its user can reach, and keeps that access without the user",
        ),
        (&["full"], "can read and change everything that its user can reach"),
        (&["cdp_query_api"], "can read all customer profiles that its user can reach"),
        (&["cdp_ingest_api"], "can change all customer profiles that its user can reach"),
        (
            &["wave_api", "pardot_api", "content"],
            "can read and change all reports and data sets, marketing data and files that its user can reach",
        ),
        (&["openid", "email"], "can learn who its user is"),
        (&["refresh_token"], "can do nothing but sign in, and keeps that access without the user"),
        (&[], "can do nothing but sign in"),
    ] {
        assert_eq!(assess(names), expected, "{names:?}");
    }
}

#[test]
fn knows_what_is_broad_offline_and_implied() {
    let catalog = salesforce();
    let set = catalog.assess_set(&named(&["api", "refresh_token"]), Kind::Delegated);
    assert!(set.broad && set.offline && !set.derived);
    assert_eq!(set.implied, ["chatter_api"]);
    assert_eq!(set.weightiest().unwrap().name, "api");
    assert_eq!((set.access, set.reach), (Access::Write, Reach::User));
    let narrow =
        catalog.assess_set(&named(&["openid", "visualforce", "chatbot_api"]), Kind::Delegated);
    assert!(!narrow.broad && !narrow.offline);
    assert!(catalog.assess_set(&named(&["id"]), Kind::AppOnly).offline, "it acts without a user");
    let full = catalog.assess_set(&named(&["full"]), Kind::Delegated);
    assert!(full.implied.contains(&"chatter_api"), "implied by an implied scope");
    assert!(!full.offline, "`full` brings no refresh token");
}

#[test]
fn finds_a_scope_by_each_of_its_names() {
    let catalog = salesforce();
    for name in ["visualforce", "CustomApplications", "OauthScopesVF"] {
        assert_eq!(catalog.entry(&Scope::named(name)).unwrap().name, "visualforce");
    }
}

#[test]
fn rights_of_the_holder_raise_the_severity() {
    let catalog = salesforce();
    let set = catalog.assess_set(&named(&["api"]), Kind::Delegated);
    assert_eq!(set.severity_with(Rights::Own), Severity::High);
    assert_eq!(set.severity_with(Rights::ReadsAll), Severity::High);
    assert_eq!(set.severity_with(Rights::Administers), Severity::Critical);
    let sign_in = catalog.assess_set(&named(&["openid", "refresh_token"]), Kind::Delegated);
    assert_eq!(sign_in.severity_with(Rights::Administers), Severity::Low);
}

#[test]
fn reads_privileges_under_any_of_their_names() {
    let catalog = salesforce();
    let rights = |name: &str| catalog.rights(&[name.to_owned()]);
    for name in ["Modify All Data", "ModifyAllData", "modify-all-data", "System Administrator"] {
        assert_eq!(rights(name), Rights::Administers, "{name}");
    }
    assert_eq!(rights("View All Data"), Rights::ReadsAll);
    assert_eq!(rights("Approve Uninstalled Connected Apps"), Rights::Elevated);
    assert_eq!(rights("Manage Nobody Knows What"), Rights::Administers);
    assert_eq!(rights("Read All Of It"), Rights::ReadsAll);
    assert_eq!(rights("Fly"), Rights::Elevated);
    assert_eq!(catalog.rights(&[]), Rights::Own);
}

/// The model's table, row by row.
#[test]
fn the_severity_follows_its_rules() {
    use Escalation::{Direct, Indirect, None};
    for (access, reach, read, changed, escalation, expected) in [
        (Access::Read, Reach::User, 0, 0, None, Severity::Info),
        (Access::Read, Reach::User, 1, 0, None, Severity::Low),
        (Access::Write, Reach::User, 2, 2, None, Severity::Medium),
        (Access::Read, Reach::User, 3, 0, None, Severity::High),
        (Access::ActAs, Reach::User, 4, 4, None, Severity::High),
        (Access::Limited, Reach::User, 3, 3, None, Severity::Medium),
        (Access::Limited, Reach::User, 2, 0, None, Severity::Low),
        (Access::SignIn, Reach::Tenant, 4, 0, None, Severity::Low),
        (Access::Write, Reach::Own, 3, 3, Direct, Severity::Low),
        (Access::Read, Reach::Tenant, 3, 0, None, Severity::High),
        (Access::Write, Reach::Organisation, 3, 3, None, Severity::Critical),
        (Access::Read, Reach::Organisation, 4, 0, None, Severity::Critical),
        (Access::Limited, Reach::Tenant, 4, 4, None, Severity::Medium),
        (Access::Write, Reach::User, 0, 2, Indirect, Severity::Medium),
        (Access::Write, Reach::User, 0, 1, Direct, Severity::High),
        (Access::Write, Reach::Tenant, 0, 1, Direct, Severity::Critical),
    ] {
        let found = severity(access, reach, read, changed, escalation);
        assert_eq!(found, expected, "{access:?} {reach:?} {read} {changed} {escalation:?}");
    }
}

#[test]
fn unknown_scopes_are_judged_by_their_words_and_marked() {
    use Severity::{Critical, High, Medium};
    let catalog = salesforce();
    for (name, access, data, severity) in [
        ("https://mail.example/auth/mail.readonly", Access::Read, DataClass::Mail, High),
        ("https://mail.example/", Access::Write, DataClass::Mail, High),
        ("settings:read", Access::Read, DataClass::Settings, Medium),
        ("frobnicate", Access::Write, DataClass::Unknown, Medium),
        ("calendar.events.create", Access::Add, DataClass::Calendar, Medium),
        ("", Access::Write, DataClass::Unknown, Medium),
        // The forms that Microsoft's names have.
        ("Files.ReadWrite.All", Access::Write, DataClass::Files, Critical),
        ("Files.ReadWrite.AppFolder", Access::Limited, DataClass::Files, Medium),
        ("Sites.Selected", Access::Limited, DataClass::Files, Medium),
        ("Sites.FullControl.All", Access::ActAs, DataClass::Files, Critical),
        ("Mail.Read.Shared", Access::Read, DataClass::Mail, High),
        ("Mail.ReadBasic", Access::Limited, DataClass::Mail, Medium),
        ("Mail.ReadWrite", Access::Write, DataClass::Mail, High),
        ("Mail.Send", Access::Write, DataClass::Mail, High),
        ("SMTPMailSend", Access::Write, DataClass::Mail, High),
        ("full_access_as_app", Access::ActAs, DataClass::Unknown, Critical),
        ("user_impersonation", Access::ActAs, DataClass::Unknown, High),
        ("RoleManagement.ReadWrite.Directory", Access::Write, DataClass::Identity, Critical),
        ("AppRoleAssignment.ReadWrite.All", Access::Write, DataClass::Identity, Critical),
        ("Application.ReadWrite.OwnedBy", Access::Limited, DataClass::Identity, Medium),
        ("Application.Read.All", Access::Read, DataClass::Identity, High),
        (
            "DeviceManagementManagedDevices.ReadWrite.All",
            Access::Write,
            DataClass::Devices,
            Critical,
        ),
        ("User.Read.All", Access::Read, DataClass::Directory, Medium),
    ] {
        let scope = catalog.assess(&Scope::named(name), Kind::Delegated);
        assert!(scope.derived, "{name}");
        assert_eq!((scope.access, scope.data, scope.severity), (access, data, severity), "{name}");
        assert!(scope.meaning.starts_with("Not in the catalog"), "{name}");
    }
}

#[test]
fn an_app_that_acts_for_itself_reaches_the_tenant_unless_a_user_bounds_it() {
    let text = r#"
        bounded_by_user = false
        [[scope]]
        name = "mail.read"
        access = "read"
        reach = "user"
        data = "mail"
        harm_if_read = 3
        harm_if_changed = 0
        meaning = "Read mail."
        source = "https://mail.example/docs"
    "#;
    let free = Catalog::parse("mail", text).unwrap();
    let reach =
        |catalog: &Catalog, name: &str| catalog.assess(&Scope::named(name), Kind::AppOnly).reach;
    assert_eq!(reach(&free, "mail.read"), Reach::Tenant);
    assert_eq!(reach(&salesforce(), "api"), Reach::User);
}

#[test]
fn says_what_is_wrong_with_a_catalog() {
    let scope = |name: &str, more: &str| {
        format!(
            "[[scope]]\nname = \"{name}\"\naccess = \"read\"\nreach = \"user\"\ndata = \"crm\"\nharm_if_read = 3\n\
             harm_if_changed = 0\nmeaning = \"m.\"\nsource = \"https://s\"\n{more}\n"
        )
    };
    for (scopes, expected) in [
        (scope("a", "") + &scope("a", ""), "the scope `a` occurs twice"),
        (scope("a", "implies = [\"b\"]"), "`a` implies `b`, which is not there"),
        (scope("a", "narrower = [\"b\"]"), "`a` names `b` as narrower, which is not there"),
        (scope("a", "colour = 1"), "unknown field `colour`"),
        (scope("a", "").replace("https://s", ""), "`a` has no source"),
        (
            scope("a", "checked = \"http://s\""),
            "`a` was checked against `http://s`, which is not an https address",
        ),
        (
            scope("a", "")
                + "[[privilege]]\nname = \"p\"\nrights = \"own\"\nmeaning = \"m.\"\nchecked = \"https://\"",
            "`p` was checked against `https://`, which is not an https address",
        ),
        (scope("a", "resource = \"r\""), "`a` is of `r`, which is not a resource"),
        (scope("a", "application.harm_if_read = 5"), "`a` has a harm above 4"),
        (
            scope("a", "kinds = [\"delegated\"]\napplication.harm_if_read = 4"),
            "`a` exists in one kind, and differs in the other",
        ),
        (
            scope("a", "") + "[[resource]]\nname = \"r\"\nsource = \"https://r\"",
            "not exactly one of the resources is the default one",
        ),
    ] {
        let text = format!("bounded_by_user = true\n{scopes}");
        let error = Catalog::parse("crm", &text).unwrap_err().to_string();
        assert!(error.starts_with("the scope catalog of crm cannot be used"), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
