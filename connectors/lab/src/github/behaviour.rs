//! The switches of one GitHub host: limits, lives of tokens and pages, and what tenants or documents
//! differ about.

use serde::{Deserialize, Serialize};

/// How the lab behaves where tenants or documents differ.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GithubBehaviour {
    /// How long every call takes.
    pub latency_ms: u64,
    /// Whether the limits are enforced. GitHub Enterprise Server has none unless `server_limits`.
    pub quota: bool,
    /// Whether GitHub Enterprise Server enforces the limits too.
    pub server_limits: bool,
    /// How much faster than the wall's an hour of the limits is: 60 makes a minute last a second.
    pub time_scale: f64,
    /// Calls an hour, in the place of the published figure for the caller.
    pub calls_per_hour: Option<u32>,
    /// Points a minute before the secondary limit.
    pub points_per_minute: u32,
    /// Status of both limits: 403 or 429.
    pub limit_status: u16,
    /// After how many seconds the primary limit of a `total_requests_limit` fault ends.
    pub reset_seconds: u64,
    /// Life of an installation token.
    pub token_seconds: u64,
    /// Installation tokens of about 520 characters with two dots.
    pub long_tokens: bool,
    /// What the platform's clock is ahead of the lab's.
    pub clock_skew_seconds: i64,
    /// Largest page of any listing, below the platform's 100.
    pub page_cap: Option<usize>,
    /// Life of an audit cursor or a page token.
    pub cursor_seconds: u64,
    /// `Link` addresses name organisations, enterprises and repositories by number, as the platform's do.
    pub numeric_links: bool,
    /// A missing permission answers 404 instead of 403.
    pub hide_missing_permission: bool,
    /// Endpoints for Apps only answer a personal access token with 404 instead of 403.
    pub apps_only_not_found: bool,
    /// Credential authorisations of an organisation without SAML are an empty list instead of 404.
    pub without_saml_empty: bool,
    /// Logins of organisations whose list of allowed addresses does not have the caller's.
    pub ip_allow_list: Vec<String>,
    /// Listings whose path contains this leave out every second row and say so with
    /// `X-GitHub-SSO: partial-results`.
    pub partial_results: Option<String>,
    /// Seconds until a revocation that is answered with 202 takes effect.
    pub revocation_lag_seconds: u64,
    /// Installations without `client_id`, which the description calls optional.
    pub without_client_id: bool,
    /// Dates of installations with an offset instead of `Z`.
    pub offset_dates: bool,
    /// Error bodies without `status`.
    pub without_status: bool,
}

impl Default for GithubBehaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            quota: true,
            server_limits: false,
            time_scale: 1.0,
            calls_per_hour: None,
            points_per_minute: 900,
            limit_status: 403,
            reset_seconds: 3_600,
            token_seconds: 3_600,
            long_tokens: false,
            clock_skew_seconds: 0,
            page_cap: None,
            cursor_seconds: 3_600,
            numeric_links: true,
            hide_missing_permission: false,
            apps_only_not_found: false,
            without_saml_empty: false,
            ip_allow_list: Vec::new(),
            partial_results: None,
            revocation_lag_seconds: 0,
            without_client_id: false,
            offset_dates: false,
            without_status: false,
        }
    }
}
