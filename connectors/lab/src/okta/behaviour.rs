//! The switches of an org: latency, page caps, rate limits, and what the documents leave open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whether access tokens are bound to a key of the client (RFC 9449).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OktaDpop {
    /// A token request without a proof is refused.
    Required,
    /// With a proof the token is bound, without one it is a bearer token.
    #[default]
    Optional,
    /// Proofs are ignored.
    Off,
}

/// What a caller without any admin role sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OktaRoleless {
    /// 403 E0000006.
    #[default]
    Forbidden,
    /// Empty lists, as if nothing were there.
    Empty,
}

/// What an org without a product answers for its endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OktaMissingProduct {
    /// 401 E0000015.
    #[default]
    NotEnabled,
    /// 403 E0000038.
    NotAllowed,
    /// 404 E0000007.
    NotFound,
}

/// Switches.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaBehaviour {
    /// Milliseconds that every call takes.
    pub latency_ms: u64,
    /// Seconds that an access token lives; an hour on the platform, always.
    pub token_seconds: u64,
    /// Seconds by which the token endpoint's clock runs ahead of ours.
    pub clock_skew_seconds: i64,
    /// Key-bound access tokens.
    pub dpop: OktaDpop,
    /// API calls too need a nonce in their proof (RFC 9449, section 9).
    pub resource_nonce: bool,
    /// What a caller without any admin role sees.
    pub roleless: OktaRoleless,
    /// A token request with some scopes that are not granted gives a token with the others, not `invalid_scope`.
    pub partial_scopes: bool,
    /// A `manage` scope may read too.
    pub manage_reads: bool,
    /// Resources, e.g. `apiTokens` or `appGrants`, for which only a super admin's role is enough.
    pub super_admin_only: Vec<String>,
    /// The answer of authorization servers without the product.
    pub missing_product: OktaMissingProduct,
    /// An app that is inactive already answers 400, not 200, to its deactivation.
    pub second_deactivation_refused: bool,
    /// API tokens whose user is deactivated are still listed.
    pub dead_api_tokens_listed: bool,
    /// Revoked grants and tokens stay in listings, with the status `REVOKED`, instead of leaving them.
    pub revoked_listed: bool,
    /// Most apps on a page, whatever `limit` says.
    pub apps_page: usize,
    /// Most users on a page.
    pub users_page: usize,
    /// Most refresh tokens on a page.
    pub tokens_page: usize,
    /// Most grants of a user on a page.
    pub grants_page: usize,
    /// Most log events on a page.
    pub logs_page: usize,
    /// API service integrations on a page; the listing has no `limit`.
    pub services_page: usize,
    /// Most clients on a page.
    pub clients_page: usize,
    /// Most admins on a page.
    pub assignees_page: usize,
    /// Seconds after which a page cursor expires.
    pub page_seconds: u64,
    /// A page cursor works once only.
    pub page_once: bool,
    /// Seconds by which log events arrive late.
    pub event_lag_seconds: i64,
    /// The rate limits are enforced.
    pub quota: bool,
    /// How much faster rate limits refill than on the platform: 60 makes a minute last a second.
    pub time_scale: f64,
    /// The rate limit headers tell the caller's own share instead of the org's whole bucket.
    pub headers_tell_share: bool,
}

impl Default for OktaBehaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            token_seconds: 3_600,
            clock_skew_seconds: 0,
            dpop: OktaDpop::Optional,
            resource_nonce: false,
            roleless: OktaRoleless::Forbidden,
            partial_scopes: false,
            manage_reads: true,
            super_admin_only: Vec::new(),
            missing_product: OktaMissingProduct::NotEnabled,
            second_deactivation_refused: false,
            dead_api_tokens_listed: true,
            revoked_listed: false,
            apps_page: 200,
            users_page: 200,
            tokens_page: 200,
            grants_page: 200,
            logs_page: 1_000,
            services_page: 50,
            clients_page: 200,
            assignees_page: 100,
            page_seconds: 86_400,
            page_once: false,
            event_lag_seconds: 0,
            quota: true,
            time_scale: 1.0,
            headers_tell_share: false,
        }
    }
}

/// The rate limits, `[okta.limits]`: calls a minute of the whole org. The defaults are the platform's older published table; today's
/// figures are in each org's dashboard only.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OktaLimits {
    /// Calls a minute by path template; the most exact template wins. Templates that are not named keep their default.
    pub per_minute: BTreeMap<String, u32>,
    /// Percent of a bucket that one API token or app may use.
    pub share: u32,
    /// Calls at the same time. Only calls that take a while (`latency_ms`) can meet.
    pub concurrent: usize,
}

impl Default for OktaLimits {
    fn default() -> Self {
        Self { per_minute: BTreeMap::new(), share: 50, concurrent: 75 }
    }
}
