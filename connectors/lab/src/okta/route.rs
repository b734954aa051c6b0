//! The routes: which operation a request is, what it needs, and which resource answers it.

use serde_json::json;

use super::Core;
use super::error::{Refusal, marked};
use super::gate::Caller;
use super::params;
use super::roles::Right;
use super::token::{REVOKE_PATH, TOKEN_PATH};
use crate::wire::{Reply, Request};

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Apps,
    App,
    DeleteApp,
    ActivateApp,
    DeactivateApp,
    AppGrants,
    AppGrant,
    DeleteAppGrant,
    AppTokens,
    DeleteAppTokens,
    AppToken,
    DeleteAppToken,
    Secrets,
    ActivateSecret,
    DeactivateSecret,
    DeleteSecret,
    Keys,
    ActivateKey,
    DeactivateKey,
    DeleteKey,
    Connections,
    Users,
    User,
    UserRoles,
    UserGrants,
    UserGrant,
    DeleteUserGrants,
    DeleteUserGrant,
    UserClients,
    ClientGrants,
    DeleteClientGrants,
    ClientTokens,
    DeleteClientTokens,
    DeleteClientToken,
    DeleteSessions,
    Assignees,
    ApiTokens,
    ApiToken,
    UpdateApiToken,
    DeleteApiToken,
    Services,
    Service,
    DeleteService,
    ServiceSecrets,
    ActivateServiceSecret,
    DeactivateServiceSecret,
    DeleteServiceSecret,
    Clients,
    ClientRoles,
    Servers,
    Server,
    Policies,
    Rules,
    ServerScopes,
    ServerClients,
    ServerTokens,
    DeleteServerTokens,
    Zones,
    Logs,
    Org,
    ClientPrivileges,
    PrincipalRateLimits,
}

/// A line of the table below.
type Line = (&'static str, &'static str, &'static str, Op);

/// Method, path, scope without `okta.` and verb (the verb follows from the method), operation.
const ROUTES: [Line; 62] = [
    ("GET", "/api/v1/apps", "apps", Op::Apps),
    ("GET", "/api/v1/apps/{}", "apps", Op::App),
    ("DELETE", "/api/v1/apps/{}", "apps", Op::DeleteApp),
    ("POST", "/api/v1/apps/{}/lifecycle/activate", "apps", Op::ActivateApp),
    ("POST", "/api/v1/apps/{}/lifecycle/deactivate", "apps", Op::DeactivateApp),
    ("GET", "/api/v1/apps/{}/grants", "appGrants", Op::AppGrants),
    ("GET", "/api/v1/apps/{}/grants/{}", "appGrants", Op::AppGrant),
    ("DELETE", "/api/v1/apps/{}/grants/{}", "appGrants", Op::DeleteAppGrant),
    ("GET", "/api/v1/apps/{}/tokens", "apps", Op::AppTokens),
    ("DELETE", "/api/v1/apps/{}/tokens", "apps", Op::DeleteAppTokens),
    ("GET", "/api/v1/apps/{}/tokens/{}", "apps", Op::AppToken),
    ("DELETE", "/api/v1/apps/{}/tokens/{}", "apps", Op::DeleteAppToken),
    ("GET", "/api/v1/apps/{}/credentials/secrets", "apps", Op::Secrets),
    (
        "POST",
        "/api/v1/apps/{}/credentials/secrets/{}/lifecycle/activate",
        "apps",
        Op::ActivateSecret,
    ),
    (
        "POST",
        "/api/v1/apps/{}/credentials/secrets/{}/lifecycle/deactivate",
        "apps",
        Op::DeactivateSecret,
    ),
    ("DELETE", "/api/v1/apps/{}/credentials/secrets/{}", "apps", Op::DeleteSecret),
    ("GET", "/api/v1/apps/{}/credentials/jwks", "apps", Op::Keys),
    ("POST", "/api/v1/apps/{}/credentials/jwks/{}/lifecycle/activate", "apps", Op::ActivateKey),
    ("POST", "/api/v1/apps/{}/credentials/jwks/{}/lifecycle/deactivate", "apps", Op::DeactivateKey),
    ("DELETE", "/api/v1/apps/{}/credentials/jwks/{}", "apps", Op::DeleteKey),
    ("GET", "/api/v1/apps/{}/cwo/connections", "apps", Op::Connections),
    ("GET", "/api/v1/users", "users", Op::Users),
    ("GET", "/api/v1/users/{}", "users", Op::User),
    ("GET", "/api/v1/users/{}/roles", "roles", Op::UserRoles),
    ("GET", "/api/v1/users/{}/grants", "users", Op::UserGrants),
    ("DELETE", "/api/v1/users/{}/grants", "users", Op::DeleteUserGrants),
    ("GET", "/api/v1/users/{}/grants/{}", "users", Op::UserGrant),
    ("DELETE", "/api/v1/users/{}/grants/{}", "users", Op::DeleteUserGrant),
    ("GET", "/api/v1/users/{}/clients", "users", Op::UserClients),
    ("GET", "/api/v1/users/{}/clients/{}/grants", "users", Op::ClientGrants),
    ("DELETE", "/api/v1/users/{}/clients/{}/grants", "users", Op::DeleteClientGrants),
    ("GET", "/api/v1/users/{}/clients/{}/tokens", "users", Op::ClientTokens),
    ("DELETE", "/api/v1/users/{}/clients/{}/tokens", "users", Op::DeleteClientTokens),
    ("DELETE", "/api/v1/users/{}/clients/{}/tokens/{}", "users", Op::DeleteClientToken),
    ("DELETE", "/api/v1/users/{}/sessions", "users", Op::DeleteSessions),
    ("GET", "/api/v1/iam/assignees/users", "roles", Op::Assignees),
    ("GET", "/api/v1/api-tokens", "apiTokens", Op::ApiTokens),
    ("GET", "/api/v1/api-tokens/{}", "apiTokens", Op::ApiToken),
    ("PUT", "/api/v1/api-tokens/{}", "apiTokens", Op::UpdateApiToken),
    ("DELETE", "/api/v1/api-tokens/{}", "apiTokens", Op::DeleteApiToken),
    ("GET", "/integrations/api/v1/api-services", "oauthIntegrations", Op::Services),
    ("GET", "/integrations/api/v1/api-services/{}", "oauthIntegrations", Op::Service),
    ("DELETE", "/integrations/api/v1/api-services/{}", "oauthIntegrations", Op::DeleteService),
    (
        "GET",
        "/integrations/api/v1/api-services/{}/credentials/secrets",
        "oauthIntegrations",
        Op::ServiceSecrets,
    ),
    (
        "POST",
        "/integrations/api/v1/api-services/{}/credentials/secrets/{}/lifecycle/activate",
        "oauthIntegrations",
        Op::ActivateServiceSecret,
    ),
    (
        "POST",
        "/integrations/api/v1/api-services/{}/credentials/secrets/{}/lifecycle/deactivate",
        "oauthIntegrations",
        Op::DeactivateServiceSecret,
    ),
    (
        "DELETE",
        "/integrations/api/v1/api-services/{}/credentials/secrets/{}",
        "oauthIntegrations",
        Op::DeleteServiceSecret,
    ),
    ("GET", "/oauth2/v1/clients", "clients", Op::Clients),
    ("GET", "/oauth2/v1/clients/{}/roles", "roles", Op::ClientRoles),
    ("GET", "/api/v1/authorizationServers", "authorizationServers", Op::Servers),
    ("GET", "/api/v1/authorizationServers/{}", "authorizationServers", Op::Server),
    ("GET", "/api/v1/authorizationServers/{}/policies", "authorizationServers", Op::Policies),
    ("GET", "/api/v1/authorizationServers/{}/policies/{}/rules", "authorizationServers", Op::Rules),
    ("GET", "/api/v1/authorizationServers/{}/scopes", "authorizationServers", Op::ServerScopes),
    ("GET", "/api/v1/authorizationServers/{}/clients", "authorizationServers", Op::ServerClients),
    (
        "GET",
        "/api/v1/authorizationServers/{}/clients/{}/tokens",
        "authorizationServers",
        Op::ServerTokens,
    ),
    (
        "DELETE",
        "/api/v1/authorizationServers/{}/clients/{}/tokens",
        "authorizationServers",
        Op::DeleteServerTokens,
    ),
    ("GET", "/api/v1/zones", "networkZones", Op::Zones),
    ("GET", "/api/v1/logs", "logs", Op::Logs),
    ("GET", "/api/v1/org", "orgs", Op::Org),
    ("GET", "/api/v1/org/settings/clientPrivilegesSetting", "orgs", Op::ClientPrivileges),
    ("GET", "/api/v1/principal-rate-limits", "principalRateLimits", Op::PrincipalRateLimits),
];

/// An operation that a request asks for, with the parts of its path.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) op: Op,
    pub(super) right: Right,
    pub(super) parts: Vec<String>,
}

impl Asked {
    /// The n-th part of the path that has no fixed name.
    pub(super) fn part(&self, place: usize) -> &str {
        self.parts.get(place).map_or("", String::as_str)
    }
}

/// The parts of a path that a template leaves open.
fn open_parts(template: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut open = Vec::new();
    let mut wanted = template.split('/').skip(1);
    for segment in segments {
        match wanted.next()? {
            "{}" if !segment.is_empty() => open.push(segment.clone()),
            name if name == segment => {}
            _ => return None,
        }
    }
    wanted.next().is_none().then_some(open)
}

/// What a request asks for.
pub(super) fn asked(method: &str, path: &str) -> Result<Asked, Refusal> {
    let unknown = || Refusal::not_found(path, "Endpoint");
    let segments: Option<Vec<String>> = path.split('/').skip(1).map(params::decoded).collect();
    let segments = segments.ok_or_else(unknown)?;
    let mut known = false;
    for (verb, template, resource, op) in &ROUTES {
        let Some(parts) = open_parts(template, &segments) else { continue };
        known = true;
        if *verb == method {
            let right = Right { resource, manage: *verb != "GET" };
            return Ok(Asked { op: *op, right, parts });
        }
    }
    Err(if known { Refusal::method() } else { unknown() })
}

impl Core {
    /// The platform's answer.
    pub(super) fn route(&self, request: &Request) -> Reply {
        let number = self.count();
        let reply = match self.crowded() {
            Some(refusal) => refusal,
            None => self.routed(request),
        };
        marked(reply, number)
    }

    fn routed(&self, request: &Request) -> Reply {
        if request.path == TOKEN_PATH || request.path == REVOKE_PATH {
            if request.method != "POST" {
                return Refusal::method().reply();
            }
            return match self.meter("", 100, &request.path) {
                Err(refusal) => refusal,
                Ok(figures) if request.path == TOKEN_PATH => figures.on(self.token(request)),
                Ok(figures) => figures.on(self.revoke(request)),
            };
        }
        let asked = match asked(request.method.as_str(), &request.path) {
            Ok(asked) => asked,
            Err(refusal) => return refusal.reply(),
        };
        let caller = match self.caller(request) {
            Ok(caller) => caller,
            Err(refusal) => return refusal.reply(),
        };
        let (who, share) = self.share(&caller);
        match self.meter(&who, share, &request.path) {
            Err(refusal) => refusal,
            Ok(figures) => {
                let reply = self.admitted(&asked, &caller, request);
                figures.on(reply.unwrap_or_else(|refusal| refusal.reply()))
            }
        }
    }

    fn admitted(
        &self,
        asked: &Asked,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        if self.admit(asked, caller)? {
            return self.serve(asked, caller, request);
        }
        // Without a role an org can look empty.
        match asked.op {
            Op::Assignees => Ok(Reply::json(200, json!({ "value": [], "_links": {} }).to_string())),
            Op::Keys => Ok(Reply::json(200, json!({ "jwks": { "keys": [] } }).to_string())),
            _ if asked.parts.is_empty() && !asked.right.manage => {
                Ok(self.page(request, 1, std::iter::empty()))
            }
            _ => Err(Refusal::not_found(asked.part(0), "Resource")),
        }
    }

    fn serve(&self, asked: &Asked, caller: &Caller, request: &Request) -> Result<Reply, Refusal> {
        match asked.op {
            Op::Apps => self.list_apps(&self.state(), request),
            Op::App => self.get_app(&self.state(), asked, request),
            Op::DeleteApp => self.delete_app(asked, caller, request),
            Op::ActivateApp => self.switch_app(asked, caller, request, true),
            Op::DeactivateApp => self.switch_app(asked, caller, request, false),
            Op::AppGrants => self.app_grants(&self.state(), asked, request),
            Op::AppGrant => self.app_grant(&self.state(), asked, request),
            Op::DeleteAppGrant => self.delete_app_grant(asked, caller, request),
            Op::AppTokens => self.app_tokens(&self.state(), asked, request),
            Op::AppToken => self.app_token(&self.state(), asked, request),
            Op::DeleteAppTokens => self.delete_app_tokens(asked, caller, request),
            Op::DeleteAppToken => self.delete_app_token(asked, caller, request),
            Op::Secrets => self.list_secrets(asked, caller, request),
            Op::ActivateSecret | Op::DeactivateSecret | Op::DeleteSecret => {
                self.change_secret(asked, caller, request)
            }
            Op::Keys => self.list_keys(&self.state(), asked, request),
            Op::ActivateKey | Op::DeactivateKey | Op::DeleteKey => {
                self.change_key(asked, caller, request)
            }
            Op::Connections => self.list_connections(&self.state(), asked, request),
            Op::Users => self.list_users(&self.state(), request),
            Op::User => self.get_user(&self.state(), asked, caller, request),
            Op::UserRoles => self.user_roles(&self.state(), asked, request),
            Op::UserGrants => self.user_grants(&self.state(), asked, request),
            Op::UserGrant => self.user_grant(&self.state(), asked, request),
            Op::DeleteUserGrants => self.delete_user_grants(asked, caller, request),
            Op::DeleteUserGrant => self.delete_user_grant(asked, caller, request),
            Op::UserClients => self.user_clients(&self.state(), asked, request),
            Op::ClientGrants => self.client_grants(&self.state(), asked, request),
            Op::DeleteClientGrants => self.delete_client_grants(asked, caller, request),
            Op::ClientTokens => self.client_tokens(&self.state(), asked, request),
            Op::DeleteClientTokens => self.delete_client_tokens(asked, caller, request),
            Op::DeleteClientToken => self.delete_client_token(asked, caller, request),
            Op::DeleteSessions => self.delete_sessions(asked, caller, request),
            Op::Assignees => self.list_assignees(&self.state(), request),
            Op::ApiTokens => self.list_api_tokens(&self.state(), request),
            Op::ApiToken => self.get_api_token(&self.state(), asked, request),
            Op::UpdateApiToken => self.update_api_token(asked, caller, request),
            Op::DeleteApiToken => self.delete_api_token(asked, caller, request),
            Op::Services => self.list_services(&self.state(), request),
            Op::Service => self.get_service(&self.state(), asked, request),
            Op::DeleteService => self.delete_service(asked, caller, request),
            Op::ServiceSecrets => self.service_secrets(&self.state(), asked, request),
            Op::ActivateServiceSecret | Op::DeactivateServiceSecret | Op::DeleteServiceSecret => {
                self.change_service_secret(asked, caller, request)
            }
            Op::Clients => self.list_clients(&self.state(), request),
            Op::ClientRoles => self.client_roles(&self.state(), asked, request),
            Op::Servers => self.list_servers(&self.state(), request),
            Op::Server => self.get_server(&self.state(), asked, request),
            Op::Policies => self.list_policies(&self.state(), asked, request),
            Op::Rules => self.list_rules(&self.state(), asked, request),
            Op::ServerScopes => self.server_scopes(&self.state(), asked, request),
            Op::ServerClients => self.server_clients(&self.state(), asked, request),
            Op::ServerTokens => self.server_tokens(&self.state(), asked, request),
            Op::DeleteServerTokens => self.delete_server_tokens(asked, caller, request),
            Op::Zones => self.list_zones(&self.state(), request),
            Op::Logs => self.list_logs(&self.state(), request),
            Op::Org => self.org(&self.state(), request),
            Op::ClientPrivileges => self.client_privileges(&self.state(), request),
            Op::PrincipalRateLimits => self.rate_limits(&self.state(), request),
        }
    }
}
