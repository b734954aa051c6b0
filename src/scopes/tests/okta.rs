//! What holds for the catalog of Okta.

use super::{
    catalogs::{critical, read},
    *,
};

fn role(name: &str) -> Scope {
    Scope { name: name.to_owned(), resource: Some("Administrator role".to_owned()) }
}

/// Every scope that is critical in one of its kinds, for an app that acts for a user and for one that acts for itself.
#[test]
fn the_weightiest_severities_change_only_on_purpose() {
    insta::assert_snapshot!(critical(&read("okta")));
}

/// What signs in as others or gives rights must never look milder.
#[test]
fn what_takes_the_org_over_is_critical() {
    use Severity::{Critical, High, Info, Low, Medium};
    let catalog = read("okta");
    for (name, expected) in [
        ("okta.users.manage", Critical),
        ("okta.groups.manage", Critical),
        ("okta.apps.manage", Critical),
        ("okta.appGrants.manage", Critical),
        ("okta.clients.manage", Critical),
        ("okta.roles.manage", Critical),
        ("okta.idps.manage", Critical),
        ("okta.policies.manage", Critical),
        ("okta.inlineHooks.manage", Critical),
        ("okta.authorizationServers.manage", Critical),
        ("okta.oauthIntegrations.manage", Critical),
        ("okta.orgs.manage", Critical),
        ("okta.trustedOrigins.manage", Critical),
        ("okta.apps.read", High),
        ("okta.idps.read", High),
        ("okta.users.read", Medium),
        ("okta.logs.read", Medium),
        ("okta.apiTokens.manage", Medium),
    ] {
        for kind in [Kind::Delegated, Kind::AppOnly] {
            let found = catalog.assess(&Scope::named(name), kind).severity;
            assert_eq!(found, expected, "{name} {kind:?}");
        }
    }
    for (name, expected) in [
        ("okta.users.read.self", Low),
        ("okta.myAccount.email.manage", High),
        ("openid", Low),
        ("offline_access", Info),
    ] {
        let found = catalog.assess(&Scope::named(name), Kind::Delegated).severity;
        assert_eq!(found, expected, "{name}");
    }
}

/// What was read by hand stays so; a page that moves is replaced, not taken out.
#[test]
fn the_weightiest_are_checked_against_a_page() {
    let catalog = read("okta");
    let checked = catalog.entries().iter().filter(|entry| entry.checked.is_some());
    assert!(checked.count() >= 88);
    for name in ["okta.users.manage", "okta.roles.manage", "okta.apps.read", "okta.logs.read"] {
        assert!(catalog.entry(&Scope::named(name)).unwrap().checked.is_some(), "{name}");
    }
    assert!(catalog.entry(&role("SUPER_ADMIN")).unwrap().checked.is_some());
}

#[test]
fn changing_includes_reading() {
    let catalog = read("okta");
    let mut pairs = 0;
    for entry in catalog.entries() {
        let Some(resource) = entry.name.strip_suffix(".manage") else { continue };
        let reading = format!("{resource}.read");
        if catalog.entry(&Scope::named(reading.as_str())).is_some() {
            assert!(entry.implies.contains(&reading), "{}", entry.name);
            pairs += 1;
        }
    }
    assert!(pairs >= 60, "{pairs}");
}

/// It has no scopes, so its weight is that of the administrator, whose roles a connector puts beside it.
#[test]
fn an_api_token_weighs_as_much_as_its_administrator() {
    let catalog = read("okta");
    let token = Scope::named("api-token");
    let alone = catalog.assess_set(std::slice::from_ref(&token), Kind::Delegated);
    assert!(alone.is_umbrella() && alone.offline);
    assert_eq!((alone.severity, alone.reach), (Severity::High, Reach::User));
    let set = catalog.assess_set(&[token, role("SUPER_ADMIN")], Kind::Delegated);
    assert_eq!(set.severity, Severity::Critical);
}

/// Of each role, the severity for a service app that holds it and the rights of a user who does.
#[test]
fn administrator_roles_change_only_on_purpose() {
    let catalog = read("okta");
    let list: Vec<_> = catalog
        .privileges()
        .iter()
        .map(|privilege| {
            let scope = role(&privilege.name);
            assert!(catalog.entry(&scope).is_some(), "{}", privilege.name);
            let severity = catalog.assess(&scope, Kind::AppOnly).severity;
            let rights = format!("{:?}", privilege.rights);
            format!("{severity:<9}{rights:<13}{}", privilege.name)
        })
        .collect();
    insta::assert_snapshot!(list.join("\n"));
    for name in ["Super Administrator", "Super Organization Administrator", "super admin"] {
        assert_eq!(catalog.rights(&[name.to_owned()]), Rights::Administers, "{name}");
    }
    assert!(catalog.entry(&Scope::named("SUPER_ADMIN")).is_none(), "a role is no scope of Okta's");
}
