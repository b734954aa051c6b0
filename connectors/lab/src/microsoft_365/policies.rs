//! `organization`, `policies/*` and directory roles, as ready-made objects.

use serde_json::{Value as Json, json};

use super::filter::Operator::Equal;
use super::guid::Guid;
use super::json::date;
use super::listing::{PLAIN, Schema, View};
use super::state::{Holder, State};
use super::world::GrantPolicyWorld;

/// `organization`.
pub(crate) const ORGANIZATION: Schema = Schema {
    entity: "organization",
    properties: &[
        "id",
        "displayName",
        "tenantType",
        "createdDateTime",
        "verifiedDomains",
        "assignedPlans",
    ],
    ..PLAIN
};

/// `policies/authorizationPolicy`.
pub(crate) const AUTHORIZATION: Schema = Schema {
    entity: "authorizationPolicy",
    properties: &[
        "id",
        "displayName",
        "description",
        "allowInvitesFrom",
        "allowedToSignUpEmailBasedSubscriptions",
        "allowedToUseSSPR",
        "allowEmailVerifiedUsersToJoinOrganization",
        "allowUserConsentForRiskyApps",
        "blockMsolPowerShell",
        "guestUserRoleId",
        "defaultUserRolePermissions",
    ],
    ..PLAIN
};

/// `policies/adminConsentRequestPolicy`.
pub(crate) const ADMIN_CONSENT: Schema = Schema {
    entity: "adminConsentRequestPolicy",
    properties: &[
        "isEnabled",
        "notifyReviewers",
        "remindersEnabled",
        "requestDurationInDays",
        "reviewers",
        "version",
    ],
    ..PLAIN
};

/// `policies/permissionGrantPolicies`.
pub(crate) const GRANT_POLICIES: Schema = Schema {
    entity: "permissionGrantPolicy",
    properties: &["id", "displayName", "description"],
    expands: &["includes", "excludes"],
    ..PLAIN
};

/// `policies/defaultAppManagementPolicy`.
pub(crate) const APP_MANAGEMENT: Schema = Schema {
    entity: "tenantAppManagementPolicy",
    properties: &[
        "id",
        "displayName",
        "description",
        "isEnabled",
        "applicationRestrictions",
        "servicePrincipalRestrictions",
    ],
    ..PLAIN
};

/// `policies/tokenLifetimePolicies`.
pub(crate) const TOKEN_LIFETIME: Schema = Schema {
    entity: "tokenLifetimePolicy",
    properties: &["id", "displayName", "definition", "isOrganizationDefault"],
    largest: Some(999),
    ..PLAIN
};

/// `roleManagement/directory/roleAssignments`.
pub(crate) const ROLE_ASSIGNMENTS: Schema = Schema {
    entity: "unifiedRoleAssignment",
    properties: &["id", "principalId", "roleDefinitionId", "directoryScopeId"],
    filters: &[("principalId", &[Equal]), ("roleDefinitionId", &[Equal])],
    expands: &["principal", "roleDefinition"],
    largest: Some(999),
    ..PLAIN
};

/// `roleManagement/directory/roleDefinitions`.
pub(crate) const ROLE_DEFINITIONS: Schema = Schema {
    entity: "unifiedRoleDefinition",
    properties: &["id", "displayName", "description", "isBuiltIn", "isEnabled", "templateId"],
    largest: Some(999),
    ..PLAIN
};

/// Built-in roles and their ids, which are the same in every directory.
const BUILT_IN: [(&str, &str); 8] = [
    ("Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"),
    ("Cloud Application Administrator", "158c047a-c907-4556-b7ef-446551a6b5f7"),
    ("Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
    ("Exchange Administrator", "29232cdf-9323-42fd-ade2-1d097af3e4de"),
    ("Global Administrator", "62e90394-69f5-4237-9190-012177145e10"),
    ("Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
    ("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
];

/// The id of a directory role.
fn role_definition_id(state: &State, name: &str) -> String {
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((_, id)) => (*id).to_owned(),
        None => Guid::of(&format!("{}/role/{name}", state.tenant)).to_string(),
    }
}

/// The organisation.
pub(crate) fn organization(view: View<'_>) -> Json {
    let state = view.state;
    let domain = |(at, name): (usize, &String)| {
        json!({
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": at == 0,
            "isInitial": name.ends_with(".onmicrosoft.com"),
            "name": name,
            "type": "Managed",
        })
    };
    // Entra ID P1.
    let premium = json!({
        "assignedDateTime": "2024-01-01T00:00:00Z",
        "capabilityStatus": "Enabled",
        "service": "AADPremiumService",
        "servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
    });
    json!({
        "id": state.tenant.to_string(),
        "displayName": state.name,
        "tenantType": "AAD",
        "createdDateTime": "2020-01-01T00:00:00Z",
        "verifiedDomains": state.domains.iter().enumerate().map(domain).collect::<Vec<_>>(),
        "assignedPlans": if state.behaviour.premium { json!([premium]) } else { json!([]) },
    })
}

/// The authorization policy.
pub(crate) fn authorization(view: View<'_>) -> Json {
    let policies = &view.state.policies;
    json!({
        "id": "authorizationPolicy",
        "displayName": "Authorization Policy",
        "description": "Used to manage authorization related settings across the company.",
        "allowInvitesFrom": "everyone",
        "allowedToSignUpEmailBasedSubscriptions": true,
        "allowedToUseSSPR": true,
        "allowEmailVerifiedUsersToJoinOrganization": false,
        "allowUserConsentForRiskyApps": policies.risky_consent,
        "blockMsolPowerShell": false,
        "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
        "defaultUserRolePermissions": {
            "allowedToCreateApps": policies.users_create_apps,
            "allowedToCreateSecurityGroups": true,
            "allowedToCreateTenants": false,
            "allowedToReadBitlockerKeysForOwnedDevice": true,
            "allowedToReadOtherUsers": true,
            "permissionGrantPoliciesAssigned": policies.user_consent,
        },
    })
}

/// The policy for requests that an admin may grant.
pub(crate) fn admin_consent(view: View<'_>) -> Json {
    let policies = &view.state.policies;
    let reviewer = |name: &String| {
        let id = view.state.find_user(name).map(|row| view.state.users[row as usize].id);
        json!({
            "query": format!("/users/{}", id.unwrap_or_default()),
            "queryType": "MicrosoftGraph",
            "queryRoot": null,
        })
    };
    json!({
        "isEnabled": policies.admin_consent_workflow,
        "notifyReviewers": policies.admin_consent_workflow,
        "remindersEnabled": policies.admin_consent_workflow,
        "requestDurationInDays": if policies.admin_consent_workflow { 30 } else { 0 },
        "reviewers": policies.reviewers.iter().map(reviewer).collect::<Vec<_>>(),
        "version": 0,
    })
}

fn condition_set(id: &str, verified: bool, classification: &str, permissions: &[String]) -> Json {
    let all = ["all".to_owned()];
    let permissions = if permissions.is_empty() { &all[..] } else { permissions };
    json!({
        "id": Guid::of(id).to_string(),
        "permissionClassification": classification,
        "permissionType": "delegated",
        "resourceApplication": "any",
        "permissions": permissions,
        "clientApplicationIds": ["all"],
        "clientApplicationTenantIds": ["all"],
        "clientApplicationPublisherIds": ["all"],
        "clientApplicationsFromVerifiedPublisherOnly": verified,
    })
}

/// Permission grant policies: Microsoft's two for users, then the organisation's.
pub(crate) fn grant_policies(view: View<'_>) -> Vec<Json> {
    let built_in = |id: &str, name: &str, verified: bool, classification: &str| {
        json!({
            "id": id,
            "displayName": name,
            "description": "Conditions under which users may consent.",
            "includes": [condition_set(id, verified, classification, &[])],
            "excludes": [],
        })
    };
    let own = |it: &GrantPolicyWorld| {
        json!({
            "id": it.id,
            "displayName": it.name.as_ref().unwrap_or(&it.id),
            "description": null,
            "includes": [condition_set(&it.id, it.verified_only, "all", &it.permissions)],
            "excludes": [],
        })
    };
    let mut list = vec![
        built_in(
            "microsoft-user-default-legacy",
            "Microsoft User Default Legacy Policy",
            false,
            "all",
        ),
        built_in(
            "microsoft-user-default-low",
            "Microsoft User Default Recommended Policy",
            true,
            "low",
        ),
    ];
    list.extend(view.state.policies.grant_policies.iter().map(own));
    list
}

/// The default app management policy.
pub(crate) fn app_management(view: View<'_>) -> Json {
    let days = view.state.policies.secret_days;
    let rule = |days: u32| {
        json!({
            "restrictionType": "passwordLifetime",
            "state": "enabled",
            "maxLifetime": format!("P{days}D"),
            "restrictForAppsCreatedAfterDateTime": "2024-01-01T00:00:00Z",
        })
    };
    let restrictions = || {
        json!({
            "passwordCredentials": days.map(rule).into_iter().collect::<Vec<_>>(),
            "keyCredentials": [],
        })
    };
    json!({
        "id": "00000000-0000-0000-0000-000000000000",
        "displayName": "Default app management tenant policy",
        "description": "Default tenant policy that enforces app management restrictions on applications and service principals.",
        "isEnabled": days.is_some(),
        "applicationRestrictions": restrictions(),
        "servicePrincipalRestrictions": restrictions(),
    })
}

/// Token lifetime policies.
pub(crate) fn token_lifetime(view: View<'_>) -> Vec<Json> {
    let policy = |hours: u32| {
        let definition = format!(
            "{{\"TokenLifetimePolicy\":{{\"Version\":1,\"AccessTokenLifetime\":\"{hours:02}:00:00\"}}}}"
        );
        json!({
            "id": Guid::of("token lifetime policy").to_string(),
            "displayName": "Organisation default",
            "definition": [definition],
            "isOrganizationDefault": true,
        })
    };
    view.state.policies.token_hours.map(policy).into_iter().collect()
}

/// Directory role assignments.
pub(crate) fn role_assignments(view: View<'_>) -> Vec<Json> {
    let state = view.state;
    let living = state.directory_roles.iter().filter(|it| match it.holder {
        Holder::Principal(row) => state.principal_lives(row),
        Holder::User(row) => !state.users[row as usize].facts.deleted,
        Holder::Group(_) => true,
    });
    let one = |it: &super::state::DirectoryRole| {
        let (holder, kind, name) = state.held_by(it.holder);
        let kind = if kind == "User" { "user" } else { "servicePrincipal" };
        let definition = role_definition_id(state, &it.role);
        json!({
            "id": Guid::of(&format!("{holder}/{}/{}", it.role, it.scope)).to_string(),
            "principalId": holder.to_string(),
            "roleDefinitionId": definition,
            "directoryScopeId": it.scope,
            "principal": {
                "@odata.type": format!("#microsoft.graph.{kind}"),
                "id": holder.to_string(),
                "displayName": name,
            },
            "roleDefinition": role_definition(state, &it.role),
        })
    };
    living.map(one).collect()
}

fn role_definition(state: &State, name: &str) -> Json {
    let id = role_definition_id(state, name);
    json!({
        "id": id,
        "displayName": name,
        "description": format!("The directory role {name}."),
        "isBuiltIn": BUILT_IN.iter().any(|(known, _)| *known == name),
        "isEnabled": true,
        "templateId": id,
    })
}

/// The definitions of the built-in roles and of those in use.
pub(crate) fn role_definitions(view: View<'_>) -> Vec<Json> {
    let state = view.state;
    let mut names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    names.extend(state.directory_roles.iter().map(|it| it.role.as_str()));
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| role_definition(state, name)).collect()
}

/// A date within the days that logs are kept.
pub(crate) fn kept_since(view: View<'_>) -> String {
    let days = if view.state.behaviour.premium { 30 } else { 7 };
    date(view.now.as_second() - days * 86_400)
}
