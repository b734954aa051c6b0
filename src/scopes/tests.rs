mod catalogs;
mod checked;
mod derived;
mod github;
mod microsoft_365;
mod okta;
mod power;
mod sets;
mod slack;
mod weight;

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
        (
            scope("a", "")
                + "[[combination]]\nscopes = [\"a\", \"b\"]\naccess = \"read\"\nreach = \"user\"\ndata = \"crm\"\nharm_if_read = 4\nharm_if_changed = 0\nmeaning = \"m.\"\nsource = \"https://s\"",
            "`a + b` combines `b`, which is not there",
        ),
        (
            scope("a", "")
                + "[[combination]]\nscopes = [\"a\", \"a\"]\naccess = \"read\"\nreach = \"user\"\ndata = \"crm\"\nharm_if_read = 4\nharm_if_changed = 0\nmeaning = \"m.\"\nsource = \"https://s\"",
            "`a + a` combines fewer than two scopes",
        ),
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
