//! Wire types of the System Log, under the rules of `api`.

use grantwarden_kit::model::Timestamp;
use serde::Deserialize;

use crate::{
    api::{Identified, Row},
    told::Told,
};

/// `GET /api/v1/logs`
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogEvent {
    pub(crate) uuid: String,
    pub(crate) published: Timestamp,
    pub(crate) event_type: String,
    #[serde(default)]
    pub(crate) display_message: Told<String>,
    #[serde(default)]
    pub(crate) actor: Told<Party>,
    #[serde(default)]
    pub(crate) client: Told<LogClient>,
    #[serde(default)]
    pub(crate) target: Told<Vec<Row<Party>>>,
    #[serde(default)]
    pub(crate) outcome: Told<Outcome>,
    #[serde(default)]
    pub(crate) debug_context: Told<DebugContext>,
}

impl Identified for LogEvent {
    fn id(&self) -> &str {
        &self.uuid
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Party {
    #[serde(default)]
    pub(crate) id: Told<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: Told<String>,
    #[serde(default)]
    pub(crate) alternate_id: Told<String>,
    #[serde(default)]
    pub(crate) display_name: Told<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogClient {
    #[serde(default)]
    pub(crate) id: Told<String>,
    #[serde(default)]
    pub(crate) ip_address: Told<String>,
    #[serde(default)]
    pub(crate) user_agent: Told<UserAgent>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserAgent {
    #[serde(default)]
    pub(crate) raw_user_agent: Told<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Outcome {
    #[serde(default)]
    pub(crate) result: Told<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DebugContext {
    #[serde(default)]
    pub(crate) debug_data: Told<DebugData>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DebugData {
    #[serde(default)]
    pub(crate) granted_scopes: Told<String>,
}
