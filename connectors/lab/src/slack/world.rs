//! One Slack tenant as a world file describes it (`[[slack]]` and its tables): an Enterprise
//! organisation with workspaces, or a single workspace. What is left out takes the platform's own
//! default. It holds no live state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::behaviour::SlackBehaviour;
use super::generate::Generated;
use crate::moment::Moment;

const YEAR: i64 = 365 * 86_400;

/// What the customer has bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlackPlan {
    /// An organisation (`E…`) over workspaces (`T…`), with the admin and audit APIs.
    #[default]
    Enterprise,
    /// One workspace: of the admin side it has `team.integrationLogs` only.
    Workspace,
}

/// One tenant.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackWorld {
    /// The organisation's or workspace's name, by which [`Lab::slack`](crate::Lab::slack) finds it.
    pub name: String,
    /// What the customer has bought.
    pub plan: SlackPlan,
    /// `E…`; made from the name if left out. A single workspace has none.
    pub enterprise_id: Option<String>,
    /// The first part of the address, as in `https://DOMAIN.enterprise.slack.com`.
    pub domain: String,
    /// Whose tokens the lab makes.
    pub scanner: SlackScanner,
    /// How the lab behaves where tenants or documents differ.
    pub behaviour: SlackBehaviour,
    /// Workspaces; one with the tenant's own name if there are none.
    #[serde(rename = "workspace")]
    pub workspaces: Vec<SlackWorkspace>,
    /// People and bots.
    #[serde(rename = "user")]
    pub users: Vec<SlackUser>,
    /// Apps, and legacy custom integrations.
    #[serde(rename = "app")]
    pub apps: Vec<SlackApp>,
    /// Installs with their history. An install that was removed and made again is two entries.
    #[serde(rename = "install")]
    pub installs: Vec<SlackInstall>,
    /// Approvals and restrictions.
    #[serde(rename = "decision")]
    pub decisions: Vec<SlackDecision>,
    /// Requests of members to install an app.
    #[serde(rename = "request")]
    pub requests: Vec<SlackRequest>,
    /// What workflow apps did.
    #[serde(rename = "activity")]
    pub activities: Vec<SlackActivity>,
    /// Further events of the audit log.
    #[serde(rename = "audit_event")]
    pub audit_events: Vec<SlackAuditEvent>,
    /// Further rows of the integration log.
    #[serde(rename = "log_row")]
    pub log_rows: Vec<SlackLogRow>,
    /// Installs made by the generator, which are too many for one struct of texts each.
    #[serde(skip)]
    pub(crate) generated: Generated,
}

/// Whose tokens the lab makes, and with which scopes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackScanner {
    /// Name of the organisation's Owner who installed the scanner and the revoker.
    pub owner: String,
    /// Name of an org Admin who is no Owner.
    pub admin: Option<String>,
    /// Name of a workspace admin; in a single workspace, the reader's user (the owner if left out).
    pub workspace_admin: Option<String>,
    /// Scopes of the reader; all that a scan of the plan can use if left out.
    pub scopes: Option<Vec<String>>,
    /// The scanner's app id.
    pub app_id: String,
    /// The revoker's app id.
    pub revoker_app_id: String,
}

impl Default for SlackScanner {
    fn default() -> Self {
        Self {
            owner: String::new(),
            admin: None,
            workspace_admin: None,
            scopes: None,
            app_id: "A0LABREAD1".to_owned(),
            revoker_app_id: "A0LABREVK1".to_owned(),
        }
    }
}

/// A workspace.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackWorkspace {
    /// Display name, by which the other tables name it.
    pub name: String,
    /// `T…`; made from the position if left out.
    pub id: Option<String>,
    /// The first part of its address; made from the name if left out.
    pub domain: Option<String>,
    /// Name of the primary owner; the scanner's owner if left out.
    pub owner: Option<String>,
    /// Who may join: `open`, `invite_only`, `closed`, `unlisted`, `hidden`.
    pub discoverability: Option<String>,
}

/// What a user may do, from nothing to everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlackRole {
    /// A guest of one channel.
    SingleChannelGuest,
    /// A guest.
    Guest,
    /// A member.
    #[default]
    Member,
    /// An admin of workspaces.
    WorkspaceAdmin,
    /// An owner of workspaces.
    WorkspaceOwner,
    /// An Admin of the organisation.
    Admin,
    /// An Owner of the organisation.
    Owner,
    /// The organisation's one primary Owner.
    PrimaryOwner,
}

/// A person or a bot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackUser {
    /// The handle, by which the other tables name the user.
    pub name: String,
    /// `W…` or `U…`; made from the position if left out.
    pub id: Option<String>,
    /// Address; made from the handle and the domain if left out.
    pub email: Option<String>,
    /// Name as people write it.
    pub real_name: Option<String>,
    /// What the user may do.
    pub role: SlackRole,
    /// Names of the workspaces that the user is a member of; all if left out.
    pub workspaces: Option<Vec<String>>,
    /// A bot.
    pub bot: bool,
    /// Has a second factor.
    pub two_factor: bool,
    /// When the account was made.
    pub created: Moment,
    /// When it was deactivated, if it was.
    pub deactivated: Option<Moment>,
}

impl Default for SlackUser {
    fn default() -> Self {
        Self {
            name: String::new(),
            id: None,
            email: None,
            real_name: None,
            role: SlackRole::Member,
            workspaces: None,
            bot: false,
            two_factor: true,
            created: Moment::FromNow(-2 * YEAR),
            deactivated: None,
        }
    }
}

/// An app, or one legacy custom integration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackApp {
    /// Display name, by which the other tables name it.
    pub name: String,
    /// `A…`, or digits for a custom integration; made from the position if left out.
    pub id: Option<String>,
    /// A legacy custom integration: the integration log has it as a service, everything else not at
    /// all.
    pub service: bool,
    /// What it says of itself.
    pub description: String,
    /// Its home page.
    pub homepage: String,
    /// Certified by the platform: the listings of decisions show such apps only when asked.
    pub certified: bool,
    /// Listed in the platform's directory.
    pub directory_approved: bool,
    /// Made by the customer.
    pub internal: bool,
    /// Offered to everybody.
    pub distributed: bool,
    /// Made with the workflow builder.
    pub workflow: bool,
    /// `developer_type`; `internal` or `third_party` if left out.
    pub developer_type: Option<String>,
    /// Listens over a socket.
    pub socket_mode: bool,
    /// Its tokens expire.
    pub token_rotation: bool,
    /// Its entry has icons.
    pub icons: bool,
    /// Name of the user who made it.
    pub creator: Option<String>,
    /// `admin.apps.uninstall` answers `can_not_uninstall`.
    pub locked: bool,
    /// `workflow_auth_strategy`.
    pub auth_strategy: Option<String>,
    /// Domains of addresses that it may write to.
    pub email_domains: Vec<String>,
    /// Domains that it may call.
    pub url_domains: Vec<String>,
    /// Names of the users who may use it; everybody if left out.
    pub permitted: Option<Vec<String>>,
    /// Its servers for language models, on the organisation's allow-list.
    pub mcp_servers: Vec<SlackMcpServer>,
}

impl Default for SlackApp {
    fn default() -> Self {
        Self {
            name: String::new(),
            id: None,
            service: false,
            description: String::new(),
            homepage: String::new(),
            certified: false,
            directory_approved: true,
            internal: false,
            distributed: true,
            workflow: false,
            developer_type: None,
            socket_mode: false,
            token_rotation: false,
            icons: false,
            creator: None,
            locked: false,
            auth_strategy: None,
            email_domains: Vec::new(),
            url_domains: Vec::new(),
            permitted: None,
            mcp_servers: Vec::new(),
        }
    }
}

/// A server for language models that an app brings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackMcpServer {
    /// Display name.
    pub name: String,
    /// Address.
    pub url: String,
    /// How it signs in; the platform does not publish the values.
    pub auth_type: String,
}

/// An install of an app, with its history.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlackInstall {
    /// Name of the app.
    pub app: String,
    /// Name of the workspace; the whole organisation if left out.
    pub workspace: Option<String>,
    /// Name of the user who installed it.
    pub by: String,
    /// When.
    pub at: Moment,
    /// Scopes of user tokens.
    pub scopes: Vec<String>,
    /// Scopes of the bot.
    pub bot_scopes: Vec<String>,
    /// The channel that a custom integration writes to, `C…`.
    pub channel: Option<String>,
    /// What happened to it since, oldest first.
    pub changes: Vec<SlackChange>,
}

impl Default for SlackInstall {
    fn default() -> Self {
        Self {
            app: String::new(),
            workspace: None,
            by: String::new(),
            at: Moment::FromNow(-30 * 86_400),
            scopes: Vec::new(),
            bot_scopes: Vec::new(),
            channel: None,
            changes: Vec::new(),
        }
    }
}

/// What can happen to an install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlackChangeKind {
    /// It has other scopes now.
    Expanded,
    /// It was switched off, for a reason.
    Disabled,
    /// It was switched on again.
    Enabled,
    /// It is gone.
    Removed,
}

/// Something that happened to an install.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackChange {
    /// What.
    pub change: SlackChangeKind,
    /// When.
    pub at: Moment,
    /// Name of the user who did it; the installer if left out.
    #[serde(default)]
    pub by: Option<String>,
    /// All scopes of user tokens afterwards, for an expansion.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// All scopes of the bot afterwards, for an expansion.
    #[serde(default)]
    pub bot_scopes: Vec<String>,
    /// Why it was disabled: `user`, `rate_limits`, `slack`, `errors`, `system`, `admin`,
    /// `api_decline`, `deauth`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What was decided about an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlackStatus {
    /// May be installed.
    Approved,
    /// May not be installed; what is installed stays.
    Restricted,
}

/// An approval or a restriction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackDecision {
    /// Name of the app.
    pub app: String,
    /// Name of the workspace; the whole organisation if left out.
    #[serde(default)]
    pub workspace: Option<String>,
    /// What was decided.
    pub status: SlackStatus,
    /// When.
    pub at: Moment,
    /// Name of the user who decided; an app-management app if left out.
    #[serde(default)]
    pub by: Option<String>,
    /// Scopes of user tokens that were looked at.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Scopes of the bot that were looked at.
    #[serde(default)]
    pub bot_scopes: Vec<String>,
}

/// A member's request to install an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackRequest {
    /// `Ar…`.
    pub id: String,
    /// Name of the app.
    pub app: String,
    /// Name of the workspace.
    pub workspace: String,
    /// Name of the user.
    pub user: String,
    /// When.
    pub at: Moment,
    /// What the user wrote.
    #[serde(default)]
    pub message: String,
    /// Scopes of user tokens asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Scopes of the bot asked for.
    #[serde(default)]
    pub bot_scopes: Vec<String>,
    /// What was decided about the app before.
    #[serde(default)]
    pub previous: Option<SlackStatus>,
    /// Somebody has answered it already.
    #[serde(default)]
    pub resolved: bool,
}

/// An entry of the log of workflow apps.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackActivity {
    /// Name of the app.
    pub app: String,
    /// Name of the workspace; the whole organisation if left out.
    #[serde(default)]
    pub workspace: Option<String>,
    /// When.
    pub at: Moment,
    /// `trace`, `debug`, `info`, `warn`, `error` or `fatal`.
    pub level: String,
    /// E.g. `function_execution_started`.
    pub event_type: String,
    /// `slack` or `developer`.
    pub source: String,
    /// `events_api`, `workflows`, `functions` or `tables`.
    pub component_type: String,
    /// `Fn…` or `Wf…`.
    pub component_id: String,
    /// `Tr…`.
    pub trace_id: String,
}

/// A further event of the audit log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackAuditEvent {
    /// When.
    pub at: Moment,
    /// Any name, also one that the catalogue does not have.
    pub action: String,
    /// Name of the user who did it.
    pub by: String,
    /// Name of the workspace; the whole organisation if left out.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Name of the app that it is about; the place itself if left out.
    #[serde(default)]
    pub about: Option<String>,
    /// Name of the app whose token was used, `context.app`.
    #[serde(default)]
    pub through: Option<String>,
    /// Address that it came from.
    #[serde(default)]
    pub ip: Option<String>,
}

/// A further row of a workspace's integration log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackLogRow {
    /// When.
    pub at: Moment,
    /// Name of the workspace; the first if left out.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Name of the user.
    pub user: String,
    /// Name of the app.
    pub app: String,
    /// `change_type`.
    pub change: String,
    /// Further fields, name to text: `resolution`, `admin_app_id`, `rss_feed_url`, …
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}
