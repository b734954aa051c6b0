//! `servicePrincipals` and `applications`: their schemas and rows.

use serde_json::{Value as Json, json};

use super::assignments::Side;
use super::credential::Credential;
use super::filter::Operator::{Equal, In, NotEqual, StartsWith};
use super::json::date;
use super::listing::{PLAIN, Rows, Schema, View};
use super::state::{Application, Holder, Principal, State, number};

/// `servicePrincipals`.
pub(crate) const PRINCIPALS: Schema = Schema {
    entity: "servicePrincipal",
    properties: &[
        "id",
        "deletedDateTime",
        "accountEnabled",
        "alternativeNames",
        "appDisplayName",
        "appDescription",
        "appId",
        "applicationTemplateId",
        "appOwnerOrganizationId",
        "appRoleAssignmentRequired",
        "createdByAppId",
        "description",
        "disabledByMicrosoftStatus",
        "displayName",
        "homepage",
        "isDisabled",
        "loginUrl",
        "logoutUrl",
        "notes",
        "notificationEmailAddresses",
        "preferredSingleSignOnMode",
        "preferredTokenSigningKeyThumbprint",
        "replyUrls",
        "servicePrincipalNames",
        "servicePrincipalType",
        "signInAudience",
        "tags",
        "tokenEncryptionKeyId",
        "samlSingleSignOnSettings",
        "addIns",
        "appRoles",
        "info",
        "keyCredentials",
        "oauth2PermissionScopes",
        "passwordCredentials",
        "resourceSpecificApplicationPermissions",
        "verifiedPublisher",
    ],
    on_request: &["customSecurityAttributes"],
    filters: &[
        ("accountEnabled", &[Equal, NotEqual, In]),
        ("appId", &[Equal, In]),
        ("displayName", &[Equal, In, StartsWith]),
        ("id", &[Equal, In]),
        ("servicePrincipalType", &[Equal, In]),
    ],
    expands: &["appRoleAssignments", "appRoleAssignedTo", "owners"],
    largest: Some(999),
    ..PLAIN
};

/// `applications`.
pub(crate) const APPLICATIONS: Schema = Schema {
    entity: "application",
    properties: &[
        "id",
        "deletedDateTime",
        "appId",
        "applicationTemplateId",
        "createdByAppId",
        "createdDateTime",
        "description",
        "disabledByMicrosoftStatus",
        "displayName",
        "groupMembershipClaims",
        "identifierUris",
        "isDeviceOnlyAuthSupported",
        "isDisabled",
        "isFallbackPublicClient",
        "notes",
        "publisherDomain",
        "serviceManagementReference",
        "signInAudience",
        "tags",
        "tokenEncryptionKeyId",
        "addIns",
        "api",
        "appRoles",
        "info",
        "keyCredentials",
        "passwordCredentials",
        "publicClient",
        "requiredResourceAccess",
        "servicePrincipalLockConfiguration",
        "spa",
        "verifiedPublisher",
        "web",
    ],
    on_request: &[],
    filters: &[
        ("appId", &[Equal, In]),
        ("displayName", &[Equal, In, StartsWith]),
        ("id", &[Equal, In]),
    ],
    expands: &["federatedIdentityCredentials", "owners"],
    largest: Some(999),
    ..PLAIN
};

/// `applications/{id}/federatedIdentityCredentials`.
pub(crate) const FEDERATED: Schema = Schema {
    entity: "federatedIdentityCredential",
    properties: &["id", "name", "issuer", "subject", "audiences", "description"],
    largest: Some(999),
    ..PLAIN
};

/// All service principals.
#[derive(Clone, Copy)]
pub(crate) struct PrincipalRows<'s>(pub(crate) View<'s>);

impl Rows for PrincipalRows<'_> {
    fn length(&self) -> usize {
        self.0.state.principals.len()
    }

    fn shown(&self, at: usize) -> bool {
        let state = self.0.state;
        !state.principals[at].deleted || self.0.shows(&state.gone_principals, number(at))
    }

    fn value(&self, at: usize, property: &str) -> Json {
        principal_value(&self.0.state.principals[at], property)
    }

    fn relation(&self, at: usize, name: &str) -> Json {
        let state = self.0.state;
        let row = number(at);
        match name {
            "owners" => state.owners(&state.principals[at].owners),
            "appRoleAssignments" => {
                state.assignments_of(self.0, Side::Holder(Holder::Principal(row)))
            }
            _ => state.assignments_of(self.0, Side::Resource(row)),
        }
    }
}

fn principal_value(principal: &Principal, property: &str) -> Json {
    let facts = &principal.facts;
    match property {
        "id" => json!(principal.id.to_string()),
        "appId" => json!(principal.app_id.to_string()),
        "displayName" | "appDisplayName" => json!(facts.name),
        "accountEnabled" => json!(facts.enabled),
        "alternativeNames" => json!(facts.alternative_names),
        "appOwnerOrganizationId" => json!(principal.owner.map(|id| id.to_string())),
        "appRoleAssignmentRequired" => json!(facts.assignment_required),
        "description" => json!(facts.description),
        "disabledByMicrosoftStatus" => {
            json!(
                facts.disabled_by_microsoft.then_some("DisabledDueToViolationOfServicesAgreement")
            )
        }
        "homepage" => json!(facts.homepage),
        "isDisabled" => json!(facts.is_disabled),
        "replyUrls" => json!(facts.reply_urls),
        "servicePrincipalNames" => json!([principal.app_id.to_string()]),
        "servicePrincipalType" => json!(facts.kind),
        "signInAudience" => match (&facts.audience, facts.kind.as_str()) {
            (Some(audience), _) => json!(audience),
            (None, "ManagedIdentity") => Json::Null,
            (None, _) => json!("AzureADMultipleOrgs"),
        },
        "tags" => json!(facts.tags),
        "appRoles" => principal.roles().iter().map(app_role).collect(),
        "oauth2PermissionScopes" => principal.scopes().iter().map(scope).collect(),
        "passwordCredentials" => principal.passwords.iter().map(Credential::as_password).collect(),
        "keyCredentials" => principal.keys.iter().map(Credential::as_key).collect(),
        "verifiedPublisher" => verified_publisher(facts.publisher.as_deref()),
        "info" => information(),
        "addIns" | "notificationEmailAddresses" | "resourceSpecificApplicationPermissions" => {
            json!([])
        }
        _ => Json::Null,
    }
}

fn verified_publisher(name: Option<&str>) -> Json {
    json!({
        "displayName": name,
        "verifiedPublisherId": name.map(|_| "1234567"),
        "addedDateTime": name.map(|_| "2022-05-04T00:00:00Z"),
    })
}

fn information() -> Json {
    json!({
        "logoUrl": null,
        "marketingUrl": null,
        "privacyStatementUrl": null,
        "supportUrl": null,
        "termsOfServiceUrl": null,
    })
}

fn app_role(role: &super::state::AppRole) -> Json {
    json!({
        "allowedMemberTypes": role.members,
        "description": format!("Allows the app to use {}.", role.value),
        "displayName": role.value,
        "id": role.id.to_string(),
        "isEnabled": role.enabled,
        "origin": "Application",
        "value": role.value,
    })
}

fn scope(scope: &super::state::Scope) -> Json {
    let admin = scope.value.ends_with(".All") && !scope.value.starts_with("Files.");
    json!({
        "adminConsentDescription": format!("Allows the app to use {} for the signed-in user.", scope.value),
        "adminConsentDisplayName": scope.value,
        "id": scope.id.to_string(),
        "isEnabled": true,
        "origin": "Application",
        "type": if admin { "Admin" } else { "User" },
        "userConsentDescription": null,
        "userConsentDisplayName": null,
        "value": scope.value,
    })
}

/// All application registrations.
#[derive(Clone, Copy)]
pub(crate) struct ApplicationRows<'s>(pub(crate) View<'s>);

impl Rows for ApplicationRows<'_> {
    fn length(&self) -> usize {
        self.0.state.applications.len()
    }

    fn shown(&self, _at: usize) -> bool {
        true
    }

    fn value(&self, at: usize, property: &str) -> Json {
        let state = self.0.state;
        application_value(state, &state.applications[at], property)
    }

    fn relation(&self, at: usize, name: &str) -> Json {
        let application = &self.0.state.applications[at];
        match name {
            "owners" => self.0.state.owners(&application.owners),
            _ => Json::Array(federated(application)),
        }
    }
}

fn application_value(state: &State, application: &Application, property: &str) -> Json {
    let facts = &application.facts;
    match property {
        "id" => json!(application.id.to_string()),
        "appId" => json!(application.app_id.to_string()),
        "createdDateTime" => json!(date(application.created)),
        "displayName" => json!(facts.name),
        "identifierUris" => json!(facts.identifier_uris),
        "isFallbackPublicClient" => json!(facts.public_client),
        "publisherDomain" => json!(state.domains.first()),
        "signInAudience" => json!(facts.audience),
        "tags" => json!(facts.tags),
        "passwordCredentials" => {
            application.passwords.iter().map(Credential::as_password).collect()
        }
        "keyCredentials" => application.keys.iter().map(Credential::as_key).collect(),
        "requiredResourceAccess" => required(state, application),
        "verifiedPublisher" => verified_publisher(None),
        "info" => information(),
        "web" => json!({
            "homePageUrl": null,
            "logoutUrl": null,
            "redirectUris": facts.redirect_uris,
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": false,
                "enableIdTokenIssuance": false,
            },
            "redirectUriSettings": [],
        }),
        "spa" => json!({ "redirectUris": facts.spa_redirect_uris }),
        "publicClient" => json!({ "redirectUris": facts.public_redirect_uris }),
        "api" => json!({
            "acceptMappedClaims": null,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": null,
            "oauth2PermissionScopes": own(state, application).map_or_else(
                || json!([]),
                |principal| principal.scopes().iter().map(scope).collect(),
            ),
            "preAuthorizedApplications": [],
        }),
        "appRoles" => own(state, application).map_or_else(
            || json!([]),
            |principal| principal.roles().iter().map(app_role).collect(),
        ),
        "servicePrincipalLockConfiguration" => json!({
            "isEnabled": true,
            "allProperties": true,
            "credentialsWithUsageVerify": true,
            "credentialsWithUsageSign": true,
            "identifierUris": null,
            "tokenEncryptionKeyId": true,
        }),
        "addIns" => json!([]),
        _ => Json::Null,
    }
}

fn own<'s>(state: &'s State, application: &Application) -> Option<&'s Principal> {
    application.principal.map(|row| &state.principals[row as usize])
}

/// What is asked for; names that the resource does not offer are left out, since only ids are shown.
fn required(state: &State, application: &Application) -> Json {
    let resource = |it: &super::world::RequiredWorld| -> Option<Json> {
        let row = state.resource(it.resource.as_deref()).ok()?;
        let principal = &state.principals[row as usize];
        let scopes = principal.scopes().iter().filter(|scope| it.scopes.contains(&scope.value));
        let roles = principal.roles().iter().filter(|role| it.roles.contains(&role.value));
        let scopes = scopes.map(|scope| json!({ "id": scope.id.to_string(), "type": "Scope" }));
        let roles = roles.map(|role| json!({ "id": role.id.to_string(), "type": "Role" }));
        Some(json!({
            "resourceAppId": principal.app_id.to_string(),
            "resourceAccess": scopes.chain(roles).collect::<Vec<_>>(),
        }))
    };
    application.required.iter().filter_map(resource).collect()
}

/// The federated credentials of an application.
pub(crate) fn federated(application: &Application) -> Vec<Json> {
    let one = |it: &super::world::FederatedWorld| {
        let id = super::guid::Guid::of(&format!("{}/federated/{}", application.app_id, it.name));
        json!({
            "id": id.to_string(),
            "name": it.name,
            "issuer": it.issuer,
            "subject": it.subject,
            "audiences": it.accepted(),
            "description": it.description,
        })
    };
    application.federated.iter().map(one).collect()
}

impl super::world::FederatedWorld {
    /// The audiences that a token may have.
    pub(crate) fn accepted(&self) -> Vec<String> {
        if self.audiences.is_empty() {
            vec!["api://AzureADTokenExchange".to_owned()]
        } else {
            self.audiences.clone()
        }
    }
}
