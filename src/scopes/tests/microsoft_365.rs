//! What holds for the catalog of Microsoft 365.

use super::{
    catalogs::{official, read},
    *,
};

fn of(resource: &str, name: &str) -> Scope {
    Scope { name: name.to_owned(), resource: Some(resource.to_owned()) }
}

fn severity_of(catalog: &Catalog, scope: &Scope, kind: Kind) -> Severity {
    catalog.assess(scope, kind).severity
}

/// Every scope that is critical in one of its kinds, for an app that acts for a user and for one that acts for itself.
#[test]
fn the_weightiest_severities_change_only_on_purpose() {
    let catalog = read("microsoft-365");
    let list: Vec<_> = catalog
        .entries()
        .iter()
        .filter_map(|entry| {
            let resource = entry.resource.as_deref().unwrap();
            let scope = of(resource, &entry.name);
            let columns = [Kind::Delegated, Kind::AppOnly]
                .map(|kind| entry.exists_as(kind).then(|| severity_of(&catalog, &scope, kind)));
            let weightiest = columns.contains(&Some(Severity::Critical));
            let [delegated, app_only] = columns
                .map(|found| found.map_or_else(|| "-".to_owned(), |found| found.to_string()));
            (weightiest && resource != "Directory role")
                .then(|| format!("{delegated:<9}{app_only:<9}{resource}: {}", entry.name))
        })
        .collect();
    assert!(list.len() >= 150);
    insta::assert_snapshot!(list.join("\n"));
}

/// Of the roles, the severity for an app that holds it and the rights of a user who does.
#[test]
fn directory_roles_change_only_on_purpose() {
    let catalog = read("microsoft-365");
    let list: Vec<_> = catalog
        .privileges()
        .iter()
        .map(|role| {
            let scope = of("Directory role", &role.name);
            assert!(catalog.entry(&scope).is_some(), "{}", role.name);
            let severity = severity_of(&catalog, &scope, Kind::AppOnly);
            format!("{severity:<9}{:<13}{}", format!("{:?}", role.rights), role.name)
        })
        .collect();
    insta::assert_snapshot!(list.join("\n"));
}

/// What takes the tenant over, or reads or sends in bulk, must never look milder. Each was read about in public documentation.
#[test]
fn what_takes_the_tenant_over_is_critical() {
    let catalog = read("microsoft-365");
    let graph = [
        "AppRoleAssignment.ReadWrite.All",
        "Application.ReadWrite.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.ReadWrite.All",
        "Domain.ReadWrite.All",
        "EntitlementManagement.ReadWrite.All",
        "Group.ReadWrite.All",
        "GroupMember.ReadWrite.All",
        "Policy.ReadWrite.AuthenticationMethod",
        "Policy.ReadWrite.ConditionalAccess",
        "Policy.ReadWrite.PermissionGrant",
        "PrivilegedAccess.ReadWrite.AzureADGroup",
        "RoleAssignmentSchedule.ReadWrite.Directory",
        "RoleEligibilitySchedule.ReadWrite.Directory",
        "RoleManagement.ReadWrite.Directory",
        "RoleManagementPolicy.ReadWrite.Directory",
        "Synchronization.ReadWrite.All",
        "User.ReadWrite.All",
        "UserAuthenticationMethod.ReadWrite.All",
        "DeviceManagementConfiguration.ReadWrite.All",
        "DeviceManagementRBAC.ReadWrite.All",
        "DeviceLocalCredential.Read.All",
    ];
    for name in graph {
        for kind in [Kind::Delegated, Kind::AppOnly] {
            let found = severity_of(&catalog, &of("Microsoft Graph", name), kind);
            assert_eq!(found, Severity::Critical, "{name} {kind:?}");
        }
    }
    for (resource, name, delegated, app_only) in [
        ("Microsoft Graph", "Mail.Read", Severity::High, Severity::Critical),
        ("Microsoft Graph", "Mail.Send", Severity::High, Severity::Critical),
        ("Microsoft Graph", "MailboxSettings.ReadWrite", Severity::High, Severity::Critical),
        ("Microsoft Graph", "Files.Read.All", Severity::High, Severity::Critical),
        ("Microsoft Graph", "Sites.FullControl.All", Severity::High, Severity::Critical),
        ("Microsoft Graph", "ChannelMessage.Read.All", Severity::High, Severity::Critical),
        ("Microsoft Graph", "Chat.Read.All", Severity::Critical, Severity::Critical),
        ("Microsoft Graph", "BitlockerKey.Read.All", Severity::High, Severity::Critical),
        ("Microsoft Graph", "Sites.Selected", Severity::Medium, Severity::Medium),
        ("Microsoft Graph", "User.Read", Severity::Low, Severity::Low),
        ("Microsoft Graph", "offline_access", Severity::Info, Severity::Info),
        ("Exchange Online", "full_access_as_app", Severity::Critical, Severity::Critical),
        ("Exchange Online", "Exchange.ManageAsApp", Severity::Critical, Severity::Critical),
        ("Azure Service Management", "user_impersonation", Severity::High, Severity::Critical),
        ("Power BI Service", "Tenant.ReadWrite.All", Severity::Critical, Severity::Critical),
        ("Directory role", "Global Administrator", Severity::Critical, Severity::Critical),
        ("Directory role", "Reports Reader", Severity::Medium, Severity::Medium),
    ] {
        let scope = of(resource, name);
        let found =
            [Kind::Delegated, Kind::AppOnly].map(|kind| severity_of(&catalog, &scope, kind));
        assert_eq!(found, [delegated, app_only], "{name} of {resource}");
    }
}

/// Microsoft's highest class may weigh less only for a reason.
#[test]
fn the_highest_official_class_is_at_least_high_for_apps() {
    const REASONS: [(&str, &str); 9] = [
        (
            "AgentIdentity.CreateAsManager",
            "ends at the blueprint that holds it; every blueprint has it",
        ),
        (
            "BackupRestore-Configuration.Read.All",
            "reads which sites are backed up, not what is in them",
        ),
        ("BackupRestore-Control.Read.All", "reads whether backup is switched on"),
        ("BackupRestore-Restore.Read.All", "reads which restores were made, not what was restored"),
        ("BackupRestore-Search.Read.All", "finds restore points and names, not content"),
        ("CustomSecAttributeProvisioning.Read.All", "reading identity configuration is mild"),
        ("DeviceManagementConfiguration.Read.All", "secret values are given to ReadWrite alone"),
        ("LicenseAssignment.ReadWrite.All", "takes services away; neither reads nor escalates"),
        ("MutualTlsOauthConfiguration.Read.All", "reads public certificates"),
    ];
    let Some(names) = official("microsoft-365") else {
        println!("skipped: no shared data");
        return;
    };
    let catalog = read("microsoft-365");
    let mut milder: Vec<String> = names
        .iter()
        .filter(|official| official.official_class.as_deref() == Some("privilegeLevel:4"))
        .filter(|official| {
            severity_of(&catalog, &official.scope(), official.kind()) < Severity::High
        })
        .map(|official| official.scope().name)
        .collect();
    milder.sort();
    assert_eq!(milder, REASONS.map(|(name, _)| name));
}

/// What was read by hand stays so; a page that moves is replaced, not taken out.
#[test]
fn the_weightiest_are_checked_against_a_page() {
    let catalog = read("microsoft-365");
    let of_resource = |resource: &str| {
        let all = catalog.entries().iter();
        let checked = all.filter(|entry| entry.checked.is_some());
        checked.filter(|entry| entry.resource.as_deref() == Some(resource)).count()
    };
    assert!(of_resource("Microsoft Graph") >= 270);
    assert!(of_resource("Azure DevOps") >= 78);
    assert!(of_resource("Directory role") >= 123);
    assert!(catalog.privileges().iter().all(|role| role.checked.is_some()));
    for name in
        ["AppRoleAssignment.ReadWrite.All", "Mail.Read", "RoleManagement.ReadWrite.Directory"]
    {
        assert!(catalog.entry(&of("Microsoft Graph", name)).unwrap().checked.is_some(), "{name}");
    }
}

#[test]
fn an_entry_is_never_borrowed_from_another_resource() {
    let catalog = read("microsoft-365");
    let derived = |scope: &Scope| catalog.assess(scope, Kind::Delegated).derived;
    assert!(derived(&of("Contoso API", "Mail.Read")));
    // The connector takes the resource from its app id, so that an API which only calls itself so comes under another name.
    assert!(derived(&of("Microsoft Graph (by Contoso)", "Mail.Read")));
    assert!(derived(&of("Azure Log Analytics", "Mail.Read")));
    assert!(derived(&Scope::named("full_access_as_app")), "it is not of the default resource");
    assert!(!derived(&Scope::named("Mail.Read")), "without a resource it is Graph's");
    assert!(!derived(&of("Exchange Online", "Mail.Read")));
    // The same name means another thing on another resource.
    let meaning = |resource| catalog.entry(&of(resource, "user_impersonation")).unwrap().data;
    assert_eq!(meaning("Azure DevOps"), DataClass::Code);
    assert_eq!(meaning("Azure Service Management"), DataClass::Infrastructure);
    let everywhere = catalog.named("mail.read").map(|entry| entry.resource.clone().unwrap());
    assert_eq!(everywhere.collect::<Vec<_>>(), ["Microsoft Graph", "Exchange Online"]);
}

#[test]
fn case_does_not_count_where_the_platform_ignores_it() {
    let microsoft = read("microsoft-365");
    assert_eq!(microsoft.entry(&Scope::named("mail.READ")).unwrap().name, "Mail.Read");
    assert_eq!(
        microsoft.entry(&of("Microsoft Graph", "Calls.JoinGroupCallasGuest.All")).unwrap().name,
        "Calls.JoinGroupCallAsGuest.All"
    );
    assert!(read("salesforce").entry(&Scope::named("API")).is_none());
}

#[test]
fn a_scope_without_a_user_is_what_the_file_says_of_it() {
    let catalog = read("microsoft-365");
    let assess = |name: &str, kind| catalog.assess(&of("Microsoft Graph", name), kind);
    let (user, app) = (assess("Mail.Read", Kind::Delegated), assess("Mail.Read", Kind::AppOnly));
    assert_eq!((user.reach, user.harm_if_read), (Reach::User, 3));
    assert_eq!((app.reach, app.harm_if_read), (Reach::Tenant, 4));
    assert_ne!(user.meaning, app.meaning);
    // Ends at one team, whoever acts.
    for kind in [Kind::Delegated, Kind::AppOnly] {
        assert_eq!(assess("ChannelMessage.Read.Group", kind).reach, Reach::User);
    }
    // Asked in a kind in which it does not exist, it is assessed all the same.
    let wrong = assess("Files.Read", Kind::AppOnly);
    assert_eq!((wrong.derived, wrong.reach), (false, Reach::Tenant));
    let wrong = assess("Chat.Read.All", Kind::Delegated);
    assert_eq!((wrong.derived, wrong.reach), (false, Reach::Tenant));
    assert_eq!(assess("User.Read", Kind::AppOnly).reach, Reach::Own);
}

#[test]
fn sets_imply_within_their_resource() {
    let catalog = read("microsoft-365");
    let set = catalog.assess_set(
        &[of("Microsoft Graph", "Mail.ReadWrite"), of("Exchange Online", "Mail.Read")],
        Kind::Delegated,
    );
    assert!(set.implied.contains(&"Mail.Read"), "Exchange's Mail.Read is not Graph's");
    let set = catalog.assess_set(
        &[of("Microsoft Graph", "Mail.ReadWrite"), of("Microsoft Graph", "mail.read")],
        Kind::Delegated,
    );
    assert!(!set.implied.contains(&"Mail.Read"), "it was granted by itself");
    assert!(set.implied.contains(&"Mail.ReadBasic"), "implied by an implied scope");
    assert_eq!(
        set.sentence(Kind::Delegated),
        "can read and change all mail that its user can reach"
    );
    let files = [of("Microsoft Graph", "Files.Read.All")];
    let implied = |kind| catalog.assess_set(&files, kind).implied.contains(&"Files.Read");
    assert!(implied(Kind::Delegated));
    assert!(!implied(Kind::AppOnly), "Files.Read does not exist for apps");
    let offline = Scope::named("offline_access");
    assert!(catalog.assess_set(&[offline], Kind::Delegated).offline);
}

#[test]
fn reads_directory_roles_as_rights() {
    let catalog = read("microsoft-365");
    let rights = |name: &str| catalog.rights(&[name.to_owned()]);
    for name in ["Global Administrator", "Company Administrator", "Exchange Administrator"] {
        assert_eq!(rights(name), Rights::Administers, "{name}");
    }
    assert_eq!(rights("Global Reader"), Rights::ReadsAll);
    assert_eq!(rights("Message Center Reader"), Rights::Elevated);
    assert_eq!(rights("Some Custom Role"), Rights::Elevated);
}
