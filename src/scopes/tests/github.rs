//! What holds for the catalog of GitHub.

use super::{
    catalogs::{critical, read},
    *,
};

fn oauth(name: &str) -> Scope {
    Scope { name: name.to_owned(), resource: Some("OAuth scope".to_owned()) }
}

/// The severity for a token of a user, and for an app that acts for itself.
fn severities(catalog: &Catalog, scope: &Scope) -> [Severity; 2] {
    [Kind::Delegated, Kind::AppOnly].map(|kind| catalog.assess(scope, kind).severity)
}

/// The names of the scopes that weigh high or more in one of their kinds, and of which nobody read what they open.
pub(super) fn weighty_and_unread(catalog: &Catalog) -> Vec<&str> {
    let weighs = |entry: &ScopeEntry| {
        let scope = Scope { name: entry.name.clone(), resource: entry.resource.clone() };
        [Kind::Delegated, Kind::AppOnly]
            .into_iter()
            .filter(|kind| entry.exists_as(*kind))
            .any(|kind| catalog.assess(&scope, kind).severity >= Severity::High)
    };
    let unread = catalog.entries().iter().filter(|entry| entry.checked.is_none());
    unread.filter(|entry| weighs(entry)).map(|entry| entry.name.as_str()).collect()
}

/// Every scope that is critical in one of its kinds, for a token of a user and for an app that acts for itself.
#[test]
fn the_weightiest_severities_change_only_on_purpose() {
    insta::assert_snapshot!(critical(&read("github")));
}

/// What takes an organisation over, or reads or changes its code in bulk, must never look milder.
#[test]
fn what_takes_an_organisation_over_is_critical() {
    use Severity::{Critical, High, Low, Medium};
    let catalog = read("github");
    for (name, expected) in [
        ("administration:write", [High, Critical]),
        ("workflows:write", [High, Critical]),
        ("secrets:write", [High, Critical]),
        ("contents:write", [High, Critical]),
        ("contents:read", [High, High]),
        ("actions:write", [High, Critical]),
        ("codespaces_secrets:write", [High, Critical]),
        ("agent_secrets:write", [High, Critical]),
        ("codespaces:write", [High, High]),
        ("secret_scanning_alerts:read", [High, Critical]),
        ("members:write", [Critical, Critical]),
        ("organization_administration:write", [Critical, Critical]),
        ("organization_custom_org_roles:write", [Critical, Critical]),
        ("organization_hooks:write", [Critical, Critical]),
        ("organization_secrets:write", [Critical, Critical]),
        ("organization_self_hosted_runners:write", [Critical, Critical]),
        ("enterprise_organization_installations:write", [Critical, Critical]),
        ("enterprise_credentials:write", [Critical, Critical]),
        ("secrets:read", [Low, Low]),
        ("administration:read", [Medium, Medium]),
        ("single_file:write", [Medium, Medium]),
        ("metadata:read", [Low, Low]),
        ("members:read", [Medium, Medium]),
        ("ssh-key", [High, High]),
        ("deploy-key:read", [High, High]),
        ("deploy-key:write", [High, High]),
        ("webhook", [Medium, Medium]),
    ] {
        assert_eq!(severities(&catalog, &Scope::named(name)), expected, "{name}");
    }
    for (name, expected) in [
        ("admin:org", Critical),
        ("admin:enterprise", Critical),
        ("site_admin", Critical),
        ("repo", High),
        ("workflow", High),
        ("admin:public_key", High),
        ("public_repo", High),
        ("read:org", Medium),
        ("read:user", Low),
    ] {
        let found = catalog.assess(&oauth(name), Kind::Delegated).severity;
        assert_eq!(found, expected, "{name}");
    }
}

/// What weighs most and was judged by its name alone. The list may become shorter, not longer.
#[test]
fn what_weighs_most_was_read_in_the_documentation_but_for_these() {
    assert_eq!(
        weighty_and_unread(&read("github")),
        [
            "packages:read",
            "packages:write",
            "secret_scanning:read",
            "secret_scanning:write",
            "security_scanning_alert:read",
            "security_scanning_alert:write",
            "codespace_user_secrets:write",
            "organization_packages:read",
            "organization_packages:write",
            "enterprise_administration:write",
            "enterprise_people:write",
            "enterprise_custom_org_roles:write",
            "enterprise_sso:write",
            "enterprise_organizations:write",
            "email:write",
            "git_keys:write",
            "codespace:secrets",
            "manage_runners:org",
            "scim:enterprise",
            "ssh-key",
        ]
    );
}

#[test]
fn the_name_spaces_are_kept_apart() {
    let catalog = read("github");
    assert!(catalog.entry(&Scope::named("repo")).is_none());
    assert!(catalog.entry(&oauth("contents:write")).is_none());
    assert!(catalog.entry(&Scope::named("contents:write")).is_some());
    assert!(catalog.entry(&oauth("repo")).is_some());
}

/// Permissions on accounts come with an installation, but work only with the token of a user who authorised the app.
#[test]
fn permissions_on_an_account_end_at_the_account() {
    let catalog = read("github");
    let reach = |name: &str| catalog.assess(&Scope::named(name), Kind::AppOnly).reach;
    assert_eq!(reach("git_ssh_keys:write"), Reach::User);
    assert_eq!(reach("codespaces:write"), Reach::User);
    assert_eq!(reach("contents:write"), Reach::Tenant);
}

#[test]
fn levels_and_scopes_include_the_lesser_ones() {
    let catalog = read("github");
    let implied = |scope: Scope| catalog.entry(&scope).unwrap().implies.clone();
    assert_eq!(
        implied(Scope::named("organization_projects:admin")),
        ["organization_projects:read", "organization_projects:write"]
    );
    assert!(implied(oauth("repo")).contains(&"read:repo_hook".to_owned()));
    assert!(implied(oauth("admin:org")).contains(&"read:org".to_owned()));
    let set = catalog.assess_set(
        &[Scope::named("contents:write"), Scope::named("metadata:read")],
        Kind::AppOnly,
    );
    assert_eq!(set.implied, ["contents:read"]);
    assert!(set.broad && set.offline);
}

#[test]
fn reads_roles_as_rights() {
    let catalog = read("github");
    let rights = |name: &str| catalog.rights(&[name.to_owned()]);
    for name in ["Owner", "admin", "Enterprise owner", "Site administrator"] {
        assert_eq!(rights(name), Rights::Administers, "{name}");
    }
    assert_eq!(rights("Security manager"), Rights::ReadsAll);
    assert_eq!(rights("Billing manager"), Rights::Elevated);
    assert_eq!(rights("Member"), Rights::Own);
    assert_eq!(rights("Outside collaborator"), Rights::Own);
}
