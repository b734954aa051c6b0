//! What the words in a name say about a scope that no catalog has.

use super::*;

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

/// Official names of platforms without a catalog whose verb is plain, by the access that it says.
///
/// The names are those of Atlassian, Auth0, Box, Cloudflare, Datadog, Dropbox, GitLab, Zendesk, Zoom and others.
const PLAIN: &[(Access, &str)] = &[
    (
        Access::Read,
        "read:devops-component-info:jira; read:filter.column:jira; read:servicedesk-request; readonly:content.attachment:confluence; \
         read:source-code:jira-software; read:client_credentials; read:user_idp_tokens; read:logs; annotation_view_all; root_readonly; \
         Access: Service Tokens Read; Config Rules Read; Access: SSH Auditing Read; api_keys_read; audit_logs_read; logs_read_archives; \
         security_monitoring_rules_read; identity_provider_read; connect_org_hmac_read_api; permission_read; files.content.read; \
         team_data.content.read; sessions.list; read_repository; read_api; crm.objects.contacts.sensitive.read.v2; \
         automation.sequences.read; account-info.security.read; contact_center:read:admin; meeting:read:participant:admin; \
         phone:read:call_recording:admin; user:read:list_permissions; any_channel:read; hc:read; apps:read",
    ),
    (
        Access::Write,
        "delete:comment.property:jira; write:blogpost:confluence; update:connections_keys; delete:custom_signing_keys; \
         annotation_edit; item_delete; item_rename; item_share; root_readwrite; ai.readwrite; Access: Apps and Policies Revoke; \
         Workers Scripts Write; IP Prefixes: Write; monitors_write; notebooks_write; click.send; dtr.documents.write; \
         files.permanent_delete; members.delete; team_data.governance.write; write_repository; crm.objects.quotes.write; \
         conversations.write; meeting:write:meeting:admin; phone:delete:shared_setting; user:update:user:admin; any_channel:write; \
         webhooks:write",
    ),
    (
        Access::Add,
        "create:client_grants; create:agents; item_upload; base_upload; create_runner; import:cmdb-import-configuration:jira; \
         create_webhooks",
    ),
    (
        Access::Administer,
        "manage_runner; manage_managed_users; manage_legal_holds; manage_enterprise_properties; admin:project:bitbucket; \
         project-admin:connect-jira; Magic Network Monitoring Admin; click.manage; aow_manage; teams_manage; admin_mode",
    ),
    (Access::ActAs, "impersonate; impersonation; sudo"),
];

#[test]
fn a_plain_verb_is_understood_on_platforms_without_a_catalog() {
    let catalog = salesforce();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (expected, names) in PLAIN {
        for name in names.split("; ").map(str::trim) {
            seen += 1;
            let found = catalog.assess(&Scope::named(name), Kind::Delegated);
            assert!(found.derived && found.severity >= Severity::Medium, "{name}");
            if found.access != *expected {
                wrong.push(format!("{name}: {:?}, not {expected:?}", found.access));
            }
        }
    }
    println!("{} of {seen} agree", seen - wrong.len());
    assert!(seen >= 80, "{seen}");
    assert!(wrong.len() * 20 <= seen, "{} of {seen}: {wrong:#?}", wrong.len());
}

/// A suffix of Zoom's: the scope reaches the account, whatever it does there.
#[test]
fn an_administrators_scope_reaches_the_organisation() {
    let catalog = salesforce();
    let reach = |name: &str| catalog.assess(&Scope::named(name), Kind::Delegated).reach;
    assert_eq!(reach("meeting:read:summary:admin"), Reach::Organisation);
    assert_eq!(reach("meeting:read:summary"), Reach::User);
}
