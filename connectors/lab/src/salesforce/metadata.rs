//! The Metadata API over SOAP: list, read and update the types that hold apps' policies and the
//! org's security settings. Apps that nobody installed have no metadata.

use super::Core;
use super::error::Refusal;
use super::permission::Permission::{
    CustomizeApplication, ExternalClientAppAdmin, ManageRemoteAccess, ModifyAllData, ModifyMetadata,
};
use super::permission::Permissions;
use super::state::{ConnectedApp, ExternalApp, State, prefix};
use super::value::datetime_zulu;
use super::world::IpRange;
use super::xml::{Element, Writer};
use crate::wire::{Reply, Request};

const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const MOST_NAMES: usize = 10;

/// A SOAP fault.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    code: String,
    message: String,
}

impl Fault {
    fn client(message: impl Into<String>) -> Self {
        Self { code: "soapenv:Client".to_owned(), message: message.into() }
    }

    fn platform(code: &str, message: &str) -> Self {
        Self { code: format!("sf:{code}"), message: format!("{code}: {message}") }
    }

    fn reply(&self) -> Reply {
        let mut body = Writer::default();
        body.nest("soapenv:Fault", "", |fault| {
            fault.leaf("faultcode", &self.code);
            fault.leaf("faultstring", &self.message);
        });
        Reply::new(500, "text/xml;charset=UTF-8", envelope(&body.0))
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::platform(refusal.code, &refusal.message)
    }
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\" \
         xmlns=\"{NAMESPACE}\" xmlns:sf=\"{NAMESPACE}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}</soapenv:Body>\
         </soapenv:Envelope>"
    )
}

/// A request's parts: who, and what.
pub(super) struct Envelope {
    session: String,
    operation: Element,
}

impl Envelope {
    /// Reads a SOAP request, if it is one.
    pub(super) fn read(body: &str) -> Option<Self> {
        let root = Element::parse(body).filter(|root| root.name == "Envelope")?;
        let session = root
            .child("Header")
            .and_then(|header| header.child("SessionHeader"))
            .and_then(|header| header.value("sessionId"))
            .unwrap_or_default()
            .to_owned();
        let operation = root.child("Body")?.children.first()?.clone();
        (root.namespace == ENVELOPE).then_some(Self { session, operation })
    }

    /// The session id of the header.
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    /// What is asked, in one line: `readMetadata ConnectedApp Drift, Gong`.
    pub(super) fn summary(&self) -> String {
        let operation = &self.operation;
        let kind = operation.value("type").or_else(|| operation.child("queries")?.value("type"));
        let names = operation.children.iter().filter(|child| child.name == "fullNames");
        let metadata = operation.children.iter().filter(|child| child.name == "metadata");
        let kind = kind.or_else(|| operation.child("metadata")?.attribute("type"));
        let named = metadata.filter_map(|component| component.value("fullName"));
        let names: Vec<&str> = names.map(|name| name.text.trim()).chain(named).collect();
        format!("{} {} {}", operation.name, kind.unwrap_or_default(), names.join(", "))
            .trim_end()
            .to_owned()
    }
}

impl Core {
    /// `POST /services/Soap/m/NN.0`.
    pub(super) fn metadata(&self, request: &Request) -> Reply {
        self.metadata_result(request).unwrap_or_else(|fault| fault.reply())
    }

    fn metadata_result(&self, request: &Request) -> Result<Reply, Fault> {
        if !request.header("content-type").is_some_and(|kind| kind.starts_with("text/xml")) {
            return Err(Fault::client("Content-Type must be text/xml"));
        }
        if request.header("soapaction").is_none() {
            return Err(Fault::client("SOAPAction HTTP header missing"));
        }
        let envelope =
            Envelope::read(&request.body).ok_or_else(|| Fault::client("Invalid SOAP envelope"))?;
        let operation = &envelope.operation;
        let permissions = {
            let state = self.state();
            let caller = self.admit(&state, &envelope.session).map_err(|refusal| {
                if refusal.code == "INVALID_SESSION_ID" {
                    let message = "Invalid Session ID found in SessionHeader: Illegal Session";
                    return Fault::platform("INVALID_SESSION_ID", message);
                }
                refusal.into()
            })?;
            state.users[caller].permissions()
        };
        if operation.namespace != NAMESPACE {
            let message = format!(
                "No operation available for request {{{}}}{}",
                operation.namespace, operation.name
            );
            return Err(Fault::client(message));
        }
        if !may_read(permissions) {
            let message = "use of the Metadata API requires a user with the ModifyAllData or \
                           ModifyMetadata permissions";
            return Err(Fault::platform("INSUFFICIENT_ACCESS", message));
        }
        let body = match operation.name.as_str() {
            "listMetadata" => list(&self.state(), operation)?,
            "readMetadata" => read(&self.state(), operation)?,
            "updateMetadata" => update(&mut self.state_mut(), operation, permissions, self.now())?,
            name => {
                let message = format!("No operation available for request {{{NAMESPACE}}}{name}");
                return Err(Fault::client(message));
            }
        };
        let mut reply = Writer::default();
        reply.nest(&format!("{}Response", operation.name), "", |writer| writer.0.push_str(&body));
        Ok(Reply::new(200, "text/xml;charset=UTF-8", self::envelope(&reply.0)))
    }
}

fn may_read(permissions: Permissions) -> bool {
    permissions.has(CustomizeApplication) && permissions.has_any(&[ModifyAllData, ModifyMetadata])
}

fn only_children(element: &Element, known: &[&str]) -> Result<(), Fault> {
    match element.children.iter().find(|child| !known.contains(&child.name.as_str())) {
        Some(child) => Err(Fault::client(format!(
            "Element {{{}}}{} invalid at this location",
            child.namespace, child.name
        ))),
        None => Ok(()),
    }
}

/// A metadata type that the lab holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ConnectedApp,
    Profile,
    SecuritySettings,
    OauthOidcSettings,
    ExternalClientApplication,
    ExternalPolicies,
}

impl Kind {
    fn parse(name: &str) -> Result<Self, Fault> {
        match name {
            "ConnectedApp" => Ok(Self::ConnectedApp),
            "Profile" => Ok(Self::Profile),
            "SecuritySettings" => Ok(Self::SecuritySettings),
            "OauthOidcSettings" => Ok(Self::OauthOidcSettings),
            "ExternalClientApplication" => Ok(Self::ExternalClientApplication),
            "ExtlClntAppConfigurablePolicies" => Ok(Self::ExternalPolicies),
            _ => Err(Fault::platform("INVALID_TYPE", &format!("Unknown type name: {name}"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ConnectedApp => "ConnectedApp",
            Self::Profile => "Profile",
            Self::SecuritySettings => "SecuritySettings",
            Self::OauthOidcSettings => "OauthOidcSettings",
            Self::ExternalClientApplication => "ExternalClientApplication",
            Self::ExternalPolicies => "ExtlClntAppConfigurablePolicies",
        }
    }
}

/// The name of an external client app's policies component.
fn policies_name(app: &ExternalApp) -> String {
    format!("{}_plcy", app.full_name())
}

fn list(state: &State, operation: &Element) -> Result<String, Fault> {
    only_children(operation, &["queries", "asOfVersion"])?;
    let mut out = Writer::default();
    let queries = operation.children.iter().filter(|child| child.name == "queries");
    for query in queries {
        only_children(query, &["type", "folder"])?;
        let name = query.value("type").unwrap_or_default();
        if name == "Settings" {
            for (file, full_name) in [("Security", "Security"), ("OauthOidc", "OauthOidc")] {
                let path = format!("settings/{file}.settings");
                entry(&mut out, "Settings", full_name, &path, None, None, state);
            }
            continue;
        }
        match Kind::parse(name)? {
            Kind::ConnectedApp => {
                for (at, app) in state.connected.iter().enumerate() {
                    let full = app.full_name();
                    let path = format!("connectedApps/{full}.connectedApp");
                    let id = state.id(prefix::CONNECTED_APP, at).to_string();
                    let namespace = app.facts.package.as_deref();
                    entry(
                        &mut out,
                        name,
                        &full,
                        &path,
                        Some((&id, app.modified)),
                        namespace,
                        state,
                    );
                }
            }
            Kind::Profile => {
                for (at, profile) in state.profiles.iter().enumerate() {
                    let full = profile_name(&profile.name);
                    let path = format!("profiles/{full}.profile");
                    let id = state.id(prefix::PROFILE, at).to_string();
                    entry(&mut out, name, full, &path, Some((&id, 0)), None, state);
                }
            }
            Kind::ExternalClientApplication => {
                for (at, app) in state.external.iter().enumerate() {
                    let full = app.full_name();
                    let path = format!("externalClientApps/{full}.eca");
                    let id = state.id(prefix::EXTERNAL_APP, at).to_string();
                    let namespace = app.facts.package.as_deref();
                    entry(
                        &mut out,
                        name,
                        &full,
                        &path,
                        Some((&id, app.modified)),
                        namespace,
                        state,
                    );
                }
            }
            Kind::ExternalPolicies => {
                for (at, app) in state.external.iter().enumerate() {
                    let full = policies_name(app);
                    let path = format!("extlClntAppPolicies/{full}.ecaPlcy");
                    let id = state.id(prefix::EXTERNAL_POLICY, at).to_string();
                    let namespace = app.facts.package.as_deref();
                    entry(
                        &mut out,
                        name,
                        &full,
                        &path,
                        Some((&id, app.modified)),
                        namespace,
                        state,
                    );
                }
            }
            Kind::SecuritySettings | Kind::OauthOidcSettings => {
                let message = format!("Cannot use: {name} in this API version, list Settings");
                return Err(Fault::platform("INVALID_TYPE", &message));
            }
        }
    }
    Ok(out.0)
}

/// The Metadata API calls two standard profiles by older names.
fn profile_name(label: &str) -> &str {
    match label {
        "System Administrator" => "Admin",
        "Standard User" => "Standard",
        other => other,
    }
}

fn entry(
    out: &mut Writer,
    kind: &str,
    full_name: &str,
    path: &str,
    record: Option<(&str, i64)>,
    namespace: Option<&str>,
    state: &State,
) {
    let (id, modified) = record.unwrap_or_default();
    let admin = state.id(prefix::USER, 0).to_string();
    let author = state.users.first().map_or("", |user| user.name.as_str());
    let date = datetime_zulu(modified);
    out.nest("result", "", |out| {
        out.leaf("createdById", &admin);
        out.leaf("createdByName", author);
        out.leaf("createdDate", &date);
        out.leaf("fileName", path);
        out.leaf("fullName", full_name);
        out.leaf("id", id);
        out.leaf("lastModifiedById", &admin);
        out.leaf("lastModifiedByName", author);
        out.leaf("lastModifiedDate", &date);
        out.leaf("manageableState", if namespace.is_some() { "installed" } else { "unmanaged" });
        out.maybe("namespacePrefix", namespace);
        out.leaf("type", kind);
    });
}

fn read(state: &State, operation: &Element) -> Result<String, Fault> {
    only_children(operation, &["type", "fullNames"])?;
    let kind = Kind::parse(operation.value("type").unwrap_or_default())?;
    let names: Vec<&str> = operation
        .children
        .iter()
        .filter(|child| child.name == "fullNames")
        .map(|child| child.text.trim())
        .collect();
    if names.len() > MOST_NAMES {
        let message = format!("exceeded max number of names: {MOST_NAMES}");
        return Err(Fault::platform("EXCEEDED_ID_LIMIT", &message));
    }
    let mut out = Writer::default();
    out.nest("result", "", |out| {
        for name in names {
            let mut record = Writer::default();
            let found = component(&mut record, state, kind, name);
            if found {
                let attributes = format!(" xsi:type=\"{}\"", kind.name());
                out.nest("records", &attributes, |out| {
                    out.leaf("fullName", name);
                    out.0.push_str(&record.0);
                });
            } else {
                out.0.push_str("<records xsi:nil=\"true\"/>");
            }
        }
    });
    Ok(out.0)
}

/// Writes one component; false if there is none of this name.
fn component(out: &mut Writer, state: &State, kind: Kind, name: &str) -> bool {
    match kind {
        Kind::ConnectedApp => state
            .connected
            .iter()
            .find(|app| app.full_name() == name)
            .map(|app| connected_app(out, state, app))
            .is_some(),
        Kind::Profile => state
            .profiles
            .iter()
            .find(|profile| profile_name(&profile.name) == name || profile.name == name)
            .map(|profile| {
                out.flag("custom", profile_name(&profile.name) == profile.name);
                for range in &profile.login_ip_ranges {
                    out.nest("loginIpRanges", "", |out| {
                        out.maybe("description", range.description.as_deref());
                        out.leaf("endAddress", &range.end);
                        out.leaf("startAddress", &range.start);
                    });
                }
                out.leaf("userLicense", "Salesforce");
                for permission in &profile.permissions {
                    out.nest("userPermissions", "", |out| {
                        out.flag("enabled", true);
                        out.leaf("name", &format!("{permission:?}"));
                    });
                }
            })
            .is_some(),
        Kind::SecuritySettings => {
            if name == "Security" {
                security_settings(out, state);
            }
            name == "Security"
        }
        Kind::OauthOidcSettings => {
            if name == "OauthOidc" {
                out.flag("blockOAuthUnPwFlow", state.settings.block_username_password_flow);
                out.flag("blockOAuthUsrAgtFlow", state.settings.block_user_agent_flow);
            }
            name == "OauthOidc"
        }
        Kind::ExternalClientApplication => state
            .external
            .iter()
            .find(|app| app.full_name() == name)
            .map(|app| {
                out.maybe("contactEmail", app.facts.contact_email.as_deref());
                out.leaf("distributionState", &app.facts.distribution_state);
                out.flag("isProtected", false);
                out.leaf("label", &app.facts.label);
            })
            .is_some(),
        Kind::ExternalPolicies => state
            .external
            .iter()
            .find(|app| policies_name(app) == name)
            .map(|app| {
                out.leaf("externalClientApplication", &app.full_name());
                out.flag("isEnabled", app.facts.enabled);
                out.flag("isOauthPluginEnabled", app.facts.oauth_plugin_status == "Enabled");
                out.leaf("label", &policies_name(app));
            })
            .is_some(),
    }
}

fn ranges(out: &mut Writer, name: &str, ranges: &[IpRange]) {
    for range in ranges {
        out.nest(name, "", |out| {
            out.maybe("description", range.description.as_deref());
            out.leaf("end", &range.end);
            out.leaf("start", &range.start);
        });
    }
}

fn security_settings(out: &mut Writer, state: &State) {
    let settings = &state.settings;
    out.nest("networkAccess", "", |out| ranges(out, "ipRanges", &settings.trusted_ranges));
    out.nest("sessionSettings", "", |out| {
        out.flag("enforceIpRangesEveryRequest", settings.enforce_ip_ranges_every_request);
        out.leaf("sessionTimeout", &settings.session_timeout);
    });
}

/// Elements in the order of the WSDL.
fn connected_app(out: &mut Writer, state: &State, app: &ConnectedApp) {
    let facts = &app.facts;
    out.maybe("contactEmail", facts.contact_email.as_deref());
    out.maybe("description", facts.description.as_deref());
    out.maybe("infoUrl", facts.info_url.as_deref());
    ranges(out, "ipRanges", &facts.ip_ranges);
    out.leaf("label", &facts.label);
    out.nest("oauthConfig", "", |out| {
        let callback = facts.callback_url.as_deref();
        out.leaf(
            "callbackUrl",
            callback.unwrap_or("https://login.salesforce.com/services/oauth2/success"),
        );
        if facts.certificate {
            out.leaf("certificate", "FAKE-CERTIFICATE");
        }
        out.leaf("consumerKey", &state.apps[app.app].consumer_key);
        out.flag("isAdminApproved", facts.admin_approved);
        out.flag("isClientCredentialEnabled", facts.client_credentials_user.is_some());
        out.flag("isConsumerSecretOptional", facts.consumer_secret_optional);
        out.flag("isDeviceFlowEnabled", facts.device_flow);
        out.flag("isIntrospectAllTokens", facts.introspect_all_tokens);
        out.flag("isPkceRequired", facts.pkce_required);
        out.flag("isRefreshTokenRotationEnabled", facts.refresh_token_rotation);
        out.flag("isSecretRequiredForRefreshToken", facts.secret_required_for_refresh);
        out.maybe("oauthClientCredentialUser", facts.client_credentials_user.as_deref());
        for scope in &facts.scopes {
            out.leaf("scopes", scope);
        }
    });
    out.nest("oauthPolicy", "", |out| {
        out.leaf("ipRelaxation", &facts.ip_relaxation);
        out.leaf("refreshTokenPolicy", &facts.refresh_token_policy);
    });
    for set in &facts.permission_sets {
        out.leaf("permissionSetName", set);
    }
    for profile in &facts.profiles {
        out.leaf("profileName", profile);
    }
    if facts.blocked || facts.session_level.is_some() || facts.session_timeout.is_some() {
        out.nest("sessionPolicy", "", |out| {
            let raised = facts.session_level.is_some().then_some("RaiseSessionLevel");
            out.maybe("policyAction", if facts.blocked { Some("Block") } else { raised });
            out.maybe("sessionLevel", facts.session_level.as_deref());
            let timeout = facts.session_timeout.map(|minutes| minutes.to_string());
            out.maybe("sessionTimeout", timeout.as_deref());
        });
    }
    out.maybe("startUrl", facts.start_url.as_deref());
}

const CONNECTED_APP_ELEMENTS: [&str; 16] = [
    "attributes",
    "canvasConfig",
    "contactEmail",
    "contactPhone",
    "description",
    "fullName",
    "infoUrl",
    "ipRanges",
    "label",
    "mobileStartUrl",
    "oauthConfig",
    "oauthPolicy",
    "permissionSetName",
    "profileName",
    "sessionPolicy",
    "startUrl",
];

/// An update that the platform answers in the result, not with a fault.
type Problem = (&'static str, String);

fn update(
    state: &mut State,
    operation: &Element,
    permissions: Permissions,
    now: i64,
) -> Result<String, Fault> {
    only_children(operation, &["metadata"])?;
    if operation.children.len() > MOST_NAMES {
        let message = format!("exceeded max number of components: {MOST_NAMES}");
        return Err(Fault::platform("EXCEEDED_ID_LIMIT", &message));
    }
    let mut out = Writer::default();
    for component in &operation.children {
        let kind = Kind::parse(component.attribute("type").map_or("", local_name))?;
        let full_name = component.value("fullName").unwrap_or_default();
        let result = match kind {
            Kind::ConnectedApp => {
                only_children(component, &CONNECTED_APP_ELEMENTS)?;
                update_connected_app(state, component, full_name, permissions, now)
            }
            Kind::ExternalPolicies => {
                let known = [
                    "fullName",
                    "externalClientApplication",
                    "isEnabled",
                    "isOauthPluginEnabled",
                    "label",
                ];
                only_children(component, &known)?;
                update_external_policies(state, component, full_name, permissions, now)
            }
            other => Err(("CANNOT_UPDATE", format!("{} cannot be updated here", other.name()))),
        };
        out.nest("result", "", |out| {
            if let Err((code, message)) = &result {
                out.nest("errors", "", |out| {
                    out.leaf("message", message);
                    out.leaf("statusCode", code);
                });
            }
            out.leaf("fullName", full_name);
            out.flag("success", result.is_ok());
        });
    }
    Ok(out.0)
}

fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn required(component: &Element, names: &[&str]) -> Result<(), Problem> {
    let missing = |name: &&&str| component.value(name).is_none_or(str::is_empty);
    match names.iter().find(missing) {
        Some(name) => Err(("REQUIRED_FIELD_MISSING", format!("Required field is missing: {name}"))),
        None => Ok(()),
    }
}

fn boolean(value: Option<&str>) -> Option<bool> {
    match value? {
        "true" | "1" => Some(true),
        _ => Some(false),
    }
}

fn update_connected_app(
    state: &mut State,
    component: &Element,
    full_name: &str,
    permissions: Permissions,
    now: i64,
) -> Result<(), Problem> {
    if !permissions.has_any(&[ModifyAllData, ManageRemoteAccess]) {
        return Err(("INSUFFICIENT_ACCESS", "insufficient access rights on object id".to_owned()));
    }
    required(component, &["fullName", "label", "contactEmail"])?;
    let app =
        state.connected.iter_mut().find(|app| app.full_name() == full_name).ok_or_else(|| {
            let message = format!("In field: fullName - no ConnectedApp named {full_name} found");
            ("INVALID_CROSS_REFERENCE_KEY", message)
        })?;
    let facts = &mut app.facts;
    if let Some(policy) = component.child("sessionPolicy") {
        facts.blocked = policy.value("policyAction") == Some("Block");
        facts.session_level = policy.value("sessionLevel").map(str::to_owned);
    }
    if let Some(policy) = component.child("oauthPolicy") {
        if let Some(relaxation) = policy.value("ipRelaxation") {
            facts.ip_relaxation = relaxation.to_owned();
        }
        if let Some(refresh) = policy.value("refreshTokenPolicy") {
            facts.refresh_token_policy = refresh.to_owned();
        }
    }
    if let Some(config) = component.child("oauthConfig")
        && let Some(approved) = boolean(config.value("isAdminApproved"))
    {
        facts.admin_approved = approved;
    }
    app.modified = now;
    Ok(())
}

fn update_external_policies(
    state: &mut State,
    component: &Element,
    full_name: &str,
    permissions: Permissions,
    now: i64,
) -> Result<(), Problem> {
    if !permissions.has(ExternalClientAppAdmin) {
        return Err(("INSUFFICIENT_ACCESS", "insufficient access rights on object id".to_owned()));
    }
    required(component, &["fullName", "externalClientApplication", "label"])?;
    let app =
        state.external.iter_mut().find(|app| policies_name(app) == full_name).ok_or_else(|| {
            let message = format!("no ExtlClntAppConfigurablePolicies named {full_name} found");
            ("INVALID_CROSS_REFERENCE_KEY", message)
        })?;
    if let Some(enabled) = boolean(component.value("isEnabled")) {
        app.facts.enabled = enabled;
    }
    app.modified = now;
    Ok(())
}
