//! A scope under its three names: in connected app metadata (`Api`), as a column of external client
//! app settings (`OauthScopesAPI`), and on the wire (`api`).

macro_rules! scopes {
    ($(($metadata:literal, $column:literal, $wire:literal),)+) => {
        /// (metadata name, column suffix, wire name).
        const SCOPES: &[(&str, &str, &str)] = &[$(($metadata, $column, $wire),)+];

        /// One boolean column for each scope; `$granted` lists a row's column suffixes.
        macro_rules! scope_columns {
            ($granted:expr) => {
                &[$($crate::salesforce::schema::flag(
                    concat!("OauthScopes", $column),
                    |view, row| {
                        let granted: &[String] = $granted(view, row);
                        $crate::salesforce::value::Value::Bool(
                            granted.iter().any(|scope| scope == $column),
                        )
                    },
                ),)+]
            };
        }
        pub(crate) use scope_columns;
    };
}

scopes! {
    ("Basic", "SSO", "id"),
    ("Api", "API", "api"),
    ("Web", "WEB", "web"),
    ("Full", "FULL", "full"),
    ("Chatter", "CHATTER_REST_API", "chatter_api"),
    ("CustomApplications", "VF", "visualforce"),
    ("RefreshToken", "REFRESH_TOKEN", "refresh_token"),
    ("OfflineAccess", "OFFLINE_ACCESS", "offline_access"),
    ("OpenID", "OPENID", "openid"),
    ("Profile", "PROFILE", "profile"),
    ("Email", "EMAIL", "email"),
    ("Address", "ADDRESS", "address"),
    ("Phone", "PHONE", "phone"),
    ("CustomPermissions", "CUSTOM_PERMISSIONS", "custom_permissions"),
    ("Wave", "WAVE_REST_API", "wave_api"),
    ("Eclair", "ECLAIR_REST_API", "eclair_api"),
    ("Pardot", "PARDOT_API", "pardot_api"),
    ("Lightning", "LIGHTNING", "lightning"),
    ("Content", "CONTENT", "content"),
    ("CDP", "CDP_API", "cdp_api"),
    ("CDPIngest", "CDP_INGEST_API", "cdp_ingest_api"),
    ("CDPProfile", "CDP_PROFILE_API", "cdp_profile_api"),
    ("CDPQuery", "CDP_QUERY_API", "cdp_query_api"),
    ("CDPSegment", "CDP_SEGMENT_API", "cdp_segment_api"),
    ("Chatbot", "CHATBOT_API", "chatbot_api"),
    ("ForgotPassword", "FORGOT_PASSWORD", "forgot_password"),
    ("UserRegistration", "USER_REGISTRATION_API", "user_registration_api"),
    ("PwdlessLogin", "PWDLESS_LOGIN_API", "pwdless_login_api"),
    ("SFAP", "SFAP_API", "sfap_api"),
    ("Interaction", "INTERACTION_API", "interaction_api"),
    ("EinsteinGPT", "EINSTEIN_GPT_API", "einstein_gpt_api"),
    ("MCP", "MCP_API", "mcp_api"),
    ("A2A", "A2A_API", "a2a_api"),
    ("Hub", "HUB_API", "hub_api"),
}

/// The wire name of a scope given by its metadata name or column suffix; unknown ones in lower case.
pub(crate) fn wire(name: &str) -> String {
    SCOPES
        .iter()
        .find(|(metadata, column, _)| *metadata == name || *column == name)
        .map_or_else(|| name.to_ascii_lowercase(), |(_, _, wire)| (*wire).to_owned())
}
