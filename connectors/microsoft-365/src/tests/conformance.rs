//! The kit's conformance suite.

use async_trait::async_trait;
use grantwarden_kit::testing::{self, Family, Listing, Platform, StandIn, World};
use grantwarden_lab::Effect;

use super::support::{EMPTY, OneDirectory, scale};

struct EntraLab;

#[async_trait]
impl Platform for EntraLab {
    async fn start(&self, world: World) -> Box<dyn StandIn> {
        Box::new(match world {
            World::Empty => {
                OneDirectory::start(grantwarden_lab::World::parse(EMPTY).unwrap()).await
            }
            World::Small => OneDirectory::small_now().await,
            World::Grants(grants) => {
                // Small pages, so that there are many.
                let world = scale(grants, "quota = false, page_cap = 250");
                OneDirectory::start(world).await
            }
        })
    }

    fn families(&self) -> Vec<Family> {
        let family = |facet, path, text| Family { facet, path, text, may_be_absent: false };
        vec![
            family("organization", "/organization", ""),
            family("service-principals", "/v1.0/servicePrincipals", "top=999"),
            family("applications", "/v1.0/applications", "top=999"),
            family("federated-credentials", "", "federatedIdentityCredentials"),
            family("grants", "/oauth2PermissionGrants", "AllPrincipals"),
            family("grants", "/oauth2PermissionGrants", "top=999"),
            family("app-permissions", "/appRoleAssignedTo", ""),
            family("directory-roles", "/roleManagement/directory/roleAssignments", ""),
            family("privileges", "/roleManagement/directory/roleDefinitions", ""),
            family("users", "/directoryObjects/getByIds", ""),
            family("consent-settings", "/policies/authorizationPolicy", ""),
            family("consent-settings", "/policies/adminConsentRequestPolicy", ""),
            family("consent-settings", "/policies/permissionGrantPolicies", ""),
            family("app-management", "/policies/defaultAppManagementPolicy", ""),
            family("app-management", "/policies/tokenLifetimePolicies", ""),
            family("sign-ins", "/reports/servicePrincipalSignInActivities", ""),
            family("credential-sign-ins", "/reports/appCredentialSignInActivities", ""),
            family("consent-events", "/auditLogs/directoryAudits", ""),
        ]
    }

    fn api_path(&self) -> &'static str {
        "/v1.0/"
    }

    /// Graph has resource units, which fill again in seconds, and no quota of a day.
    fn quota_used_up(&self) -> Option<Effect> {
        None
    }

    fn forbidden(&self) -> Effect {
        reply(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    fn unauthorized(&self) -> Effect {
        reply(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
    }

    fn not_found(&self) -> Effect {
        reply(404, "Request_ResourceNotFound", "Resource 'x' does not exist.")
    }

    fn listing(&self) -> Listing {
        let next_page = Family {
            facet: "grants",
            path: "/oauth2PermissionGrants",
            text: "skiptoken",
            may_be_absent: false,
        };
        let page_refused = reply(400, "Directory_ExpiredPageToken", "The page token has expired.");
        Listing { next_page, page_refused, count: None }
    }
}

fn reply(status: u16, code: &str, message: &str) -> Effect {
    let body = format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
    Effect::Reply { status, headers: Vec::new(), body }
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    match testing::conform(&EntraLab).await {
        Ok(cases) => println!("{cases} checks"),
        Err(failures) => panic!("{failures}"),
    }
}
