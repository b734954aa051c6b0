//! The Metadata API: SOAP with the access token in the session header. Reads a few types, changes two settings.
//!
//! <https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_readMetadata.htm>

use std::sync::Arc;

use grantwarden_kit::{
    error::{Error, ErrorKind, Result},
    http::{Body, Request},
};
use quick_xml::escape::escape;
use serde::{Deserialize, de::DeserializeOwned};

use crate::org::Org;

/// readMetadata takes at most ten names a call.
pub(crate) const NAMES_PER_CALL: usize = 10;

/// What listMetadata says about one component.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Component {
    pub(crate) full_name: String,
    #[serde(default)]
    pub(crate) id: Option<String>,
}

/// Type `ConnectedApp`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConnectedApp {
    pub(crate) full_name: Option<String>,
    pub(crate) label: Option<String>,
    #[cfg(feature = "revoke")]
    pub(crate) contact_email: Option<String>,
    pub(crate) oauth_config: Option<OauthConfig>,
    pub(crate) oauth_policy: Option<OauthPolicy>,
    pub(crate) ip_ranges: Vec<AppRange>,
    pub(crate) session_policy: Option<SessionPolicy>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OauthConfig {
    pub(crate) callback_url: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) consumer_key: Option<String>,
    pub(crate) is_admin_approved: Option<bool>,
    pub(crate) is_client_credential_enabled: Option<bool>,
    pub(crate) is_device_flow_enabled: Option<bool>,
    pub(crate) is_introspect_all_tokens: Option<bool>,
    pub(crate) is_refresh_token_rotation_enabled: Option<bool>,
    pub(crate) oauth_client_credential_user: Option<String>,
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OauthPolicy {
    pub(crate) ip_relaxation: Option<String>,
    pub(crate) refresh_token_policy: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AppRange {
    pub(crate) start: String,
    pub(crate) end: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SessionPolicy {
    pub(crate) policy_action: Option<String>,
    #[cfg(feature = "revoke")]
    pub(crate) session_level: Option<String>,
    pub(crate) session_timeout: Option<u32>,
}

/// Type `Profile`, as far as it concerns networks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Profile {
    pub(crate) full_name: Option<String>,
    pub(crate) login_ip_ranges: Vec<LoginRange>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LoginRange {
    pub(crate) start_address: String,
    pub(crate) end_address: String,
}

/// Type `SecuritySettings`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecuritySettings {
    pub(crate) full_name: Option<String>,
    pub(crate) network_access: Option<NetworkAccess>,
    pub(crate) session_settings: Option<SessionSettings>,
}

/// Trusted ranges: they spare a user the verification code and never block anybody.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkAccess {
    pub(crate) ip_ranges: Vec<AppRange>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SessionSettings {
    pub(crate) enforce_ip_ranges_every_request: Option<bool>,
    pub(crate) session_timeout: Option<String>,
}

/// Type `OauthOidcSettings`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OauthOidcSettings {
    pub(crate) full_name: Option<String>,
    #[serde(rename = "blockOAuthUnPwFlow")]
    pub(crate) block_username_password_flow: Option<bool>,
    #[serde(rename = "blockOAuthUsrAgtFlow")]
    pub(crate) block_user_agent_flow: Option<bool>,
}

/// Type `ExtlClntAppConfigurablePolicies`.
#[cfg(feature = "revoke")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExternalPolicies {
    pub(crate) full_name: Option<String>,
    /// `fullName` of the app.
    pub(crate) external_client_application: Option<String>,
    pub(crate) is_enabled: Option<bool>,
    pub(crate) label: Option<String>,
}

/// What updateMetadata says about one component.
#[cfg(feature = "revoke")]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SaveResult {
    pub(crate) success: bool,
    #[serde(default)]
    pub(crate) errors: Vec<SaveError>,
}

#[cfg(feature = "revoke")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SaveError {
    pub(crate) message: String,
    pub(crate) status_code: String,
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(rename = "Body")]
    body: T,
}

#[derive(Deserialize)]
struct ListBody {
    #[serde(rename = "listMetadataResponse")]
    response: ListResponse,
}

#[derive(Default, Deserialize)]
struct ListResponse {
    #[serde(default)]
    result: Vec<Component>,
}

#[derive(Deserialize)]
struct ReadBody<T> {
    #[serde(rename = "readMetadataResponse")]
    response: ReadResponse<T>,
}

#[derive(Deserialize)]
struct ReadResponse<T> {
    result: ReadResult<T>,
}

#[derive(Deserialize)]
struct ReadResult<T> {
    #[serde(default = "Vec::new")]
    records: Vec<T>,
}

#[derive(Deserialize)]
struct FaultBody {
    #[serde(rename = "Fault")]
    fault: Fault,
}

#[derive(Deserialize)]
struct Fault {
    faultcode: String,
    #[serde(default)]
    faultstring: String,
}

/// Code and text of a SOAP fault; `None` if the body is none.
pub(crate) fn fault(body: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.contains("faultcode"))?;
    let Fault { faultcode, faultstring } =
        quick_xml::de::from_str::<Envelope<FaultBody>>(text).ok()?.body.fault;
    let code = faultcode.rsplit(':').next().unwrap_or_default().to_owned();
    // Salesforce repeats the code in the text.
    let text = faultstring.strip_prefix(&format!("{code}: ")).unwrap_or(&faultstring).to_owned();
    Some((code, text))
}

impl Org {
    /// The components of a type.
    pub(crate) async fn list_metadata(
        &self,
        endpoint: &'static str,
        kind: &str,
    ) -> Result<Vec<Component>> {
        let version = self.version();
        let call = format!(
            "<listMetadata><queries><type>{kind}</type></queries><asOfVersion>{version}</asOfVersion></listMetadata>"
        );
        let body: ListBody = self.soap(endpoint, "listMetadata", &call, true).await?;
        Ok(body.response.result)
    }

    /// The components of a type with these names; names that do not exist are left out by the API as empty records.
    pub(crate) async fn read_metadata<T: DeserializeOwned>(
        &self,
        endpoint: &'static str,
        kind: &str,
        names: &[&str],
    ) -> Result<Vec<T>> {
        let mut records = Vec::with_capacity(names.len());
        for names in names.chunks(NAMES_PER_CALL) {
            let names: String = names
                .iter()
                .map(|name| format!("<fullNames>{}</fullNames>", escape(*name)))
                .collect();
            let call = format!("<readMetadata><type>{kind}</type>{names}</readMetadata>");
            let body: ReadBody<T> = self.soap(endpoint, "readMetadata", &call, true).await?;
            records.extend(body.response.result.records);
        }
        Ok(records)
    }

    /// Changes one component. `fields` is XML.
    #[cfg(feature = "revoke")]
    pub(crate) async fn update_metadata(
        &self,
        endpoint: &'static str,
        kind: &str,
        name: &str,
        fields: &str,
    ) -> Result<SaveResult> {
        #[derive(Deserialize)]
        struct UpdateBody {
            #[serde(rename = "updateMetadataResponse")]
            response: UpdateResponse,
        }
        #[derive(Deserialize)]
        struct UpdateResponse {
            result: SaveResult,
        }
        let call = format!(
            "<updateMetadata><metadata xsi:type=\"{kind}\"><fullName>{}</fullName>{fields}</metadata></updateMetadata>",
            escape(name)
        );
        let body: UpdateBody = self.soap(endpoint, "updateMetadata", &call, false).await?;
        Ok(body.response.result)
    }

    async fn soap<T: DeserializeOwned>(
        &self,
        endpoint: &'static str,
        action: &'static str,
        call: &str,
        repeatable: bool,
    ) -> Result<T> {
        let url = self.url(&format!("/services/Soap/m/{}", self.version()))?;
        let call = call.to_owned();
        let render = move |token: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
                 <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
                 xmlns=\"http://soap.sforce.com/2006/04/metadata\">\
                 <soapenv:Header><SessionHeader><sessionId>{}</sessionId></SessionHeader></soapenv:Header>\
                 <soapenv:Body>{call}</soapenv:Body></soapenv:Envelope>",
                escape(token)
            )
        };
        let body =
            Body::WithToken { media_type: "text/xml; charset=UTF-8", render: Arc::new(render) };
        let mut request = Request::post(endpoint, url, body).header("soapaction", action);
        request.repeatable = repeatable;
        let reply = self.send(&request).await?;
        let malformed =
            |message: &str| self.explain(endpoint, Error::new(ErrorKind::Malformed, message));
        let text = std::str::from_utf8(&reply.body)
            .map_err(|_| malformed("the SOAP answer is not UTF-8"))?;
        quick_xml::de::from_str::<Envelope<T>>(text).map(|envelope| envelope.body).map_err(
            |error| malformed("the SOAP answer is not what the API promises").with_source(error),
        )
    }
}
