//! Microsoft's clouds, its own tenants and its own resources, recognised by address or id and never by name.

/// Graph hosts and their sign-in hosts: <https://learn.microsoft.com/en-us/graph/deployments>
const CLOUDS: [(&str, &str); 4] = [
    ("graph.microsoft.com", "https://login.microsoftonline.com"),
    ("graph.microsoft.us", "https://login.microsoftonline.us"),
    ("dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    ("microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
];

/// Where tokens for this Graph host are issued; `None` for a host that is not Microsoft's: there everything is at one address.
pub(crate) fn sign_in_host(graph: &str) -> Option<&'static str> {
    CLOUDS.iter().find(|(host, _)| *host == graph).map(|(_, login)| *login)
}

/// The tenant in which Microsoft registers its services, and nothing else: the API sheet, counted in
/// <https://github.com/merill/microsoft-info>
const SERVICES: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
/// Tenants in which Microsoft's staff work. A few services are registered there, and anything that an employee makes.
const CORPORATE: [&str; 2] =
    ["72f988bf-86f1-41af-91ab-2d7cd011db47", "cdc5aeea-15c5-4db6-b079-fcadd2505dc2"];

/// Whether an app is part of Microsoft's services, by the tenant that registered it and its client id.
pub(crate) fn is_microsoft(tenant: &str, client_id: Option<&str>) -> bool {
    let is_service = |id: &str| RESOURCES.iter().any(|(own, _)| own.eq_ignore_ascii_case(id));
    SERVICES.eq_ignore_ascii_case(tenant)
        || (is_corporate(tenant) && client_id.is_some_and(is_service))
}

/// Whether a tenant is one in which Microsoft's staff work.
pub(crate) fn is_corporate(tenant: &str) -> bool {
    CORPORATE.iter().any(|own| own.eq_ignore_ascii_case(tenant))
}

/// Client ids of Microsoft's APIs with the names that the scope catalog has for them. They are the same in every directory. Only ids that a
/// public list confirms: <https://github.com/maciejporebski/azure-ad-first-party-apps-permissions>,
/// <https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in>
const RESOURCES: [(&str, &str); 25] = [
    (GRAPH, "Microsoft Graph"),
    ("00000002-0000-0000-c000-000000000000", "Windows Azure Active Directory"),
    ("00000002-0000-0ff1-ce00-000000000000", "Exchange Online"),
    ("00000003-0000-0ff1-ce00-000000000000", "SharePoint Online"),
    ("00000005-0000-0ff1-ce00-000000000000", "Yammer / Viva Engage"),
    ("00000007-0000-0000-c000-000000000000", "Dynamics CRM"),
    ("00000009-0000-0000-c000-000000000000", "Power BI Service"),
    ("0000000a-0000-0000-c000-000000000000", "Microsoft Intune"),
    ("c161e42e-d4df-4a3d-9b42-e7a3c31f59d4", "Microsoft Intune"),
    ("00000012-0000-0000-c000-000000000000", "Azure Rights Management Services"),
    ("0af06dc6-e4b5-4f28-818e-e78e62d137a5", "Windows 365"),
    ("475226c6-020e-4fb2-8a90-7a972cbfc1d4", "PowerApps Service"),
    ("499b84ac-1321-427f-aa17-267ca6975798", "Azure DevOps"),
    ("58c746b0-a0b0-4647-a8f6-12dde5981638", "Azure AD Identity Governance Insights"),
    ("6bf85cfa-ac8a-4be5-b5de-425a0d0dc016", "Microsoft Entra AD Synchronization Service"),
    ("73c2949e-da2d-457a-9607-fcc665198967", "Microsoft Purview"),
    ("797f4846-ba00-4fd7-ba43-dac1f8f63013", "Azure Service Management"),
    ("7b7531ad-5926-4f2d-8a1d-38495ad33e17", "Azure Advanced Threat Protection"),
    ("7df0a125-d3be-4c96-aa54-591f83ff541c", "Microsoft Flow Service"),
    ("8ee8fdad-f234-4243-8f3b-15c294843740", "Microsoft Threat Protection"),
    ("93625bc8-bfe2-437a-97e0-3d0060024faa", "Microsoft password reset service"),
    ("ca7f3f0b-7d91-482c-8e09-c5d840d0eac5", "Azure Log Analytics"),
    ("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Microsoft Teams"),
    ("c5393580-f805-4401-95e8-94b7a6ef2fc2", "Office 365 Management APIs"),
    // Defender for Endpoint: the catalog keeps its permissions with those of Microsoft Threat Protection.
    ("fc780465-2017-40d4-a0c5-307022471b92", "Microsoft Threat Protection"),
];

/// Client id of Microsoft Graph.
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// What a scope's `resource` is: the catalog's name for one of Microsoft's APIs; for any other API its name and client id, so that an API
/// that calls itself "Microsoft Graph" is never taken for it.
pub(crate) fn resource_name(client_id: Option<&str>, display_name: &str) -> String {
    let known = |id: &str| RESOURCES.iter().find(|(own, _)| own.eq_ignore_ascii_case(id));
    match client_id {
        Some(id) => known(id)
            .map_or_else(|| format!("{display_name} ({id})"), |(_, name)| (*name).to_owned()),
        None => format!("{display_name} (without a client id)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_api_is_never_taken_for_microsofts() {
        assert_eq!(resource_name(Some(GRAPH), "anything"), "Microsoft Graph");
        assert_eq!(resource_name(Some("1234"), "Microsoft Graph"), "Microsoft Graph (1234)");
        assert_ne!(resource_name(None, "Microsoft Graph"), "Microsoft Graph");
    }

    /// A name that the catalog does not have would be judged by its words alone.
    #[test]
    fn the_catalog_knows_every_resource_by_the_name_that_is_given() {
        let catalog = include_str!("../scopes.toml");
        for (_, name) in RESOURCES {
            assert!(catalog.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }

    #[test]
    fn what_microsofts_staff_make_is_not_microsofts_service() {
        assert!(is_microsoft(SERVICES, None));
        assert!(is_microsoft(CORPORATE[0], Some(GRAPH)));
        assert!(!is_microsoft(CORPORATE[0], Some("51000000-0000-4000-8000-000000000001")));
        assert!(!is_microsoft(CORPORATE[1], None));
    }

    #[test]
    fn each_cloud_has_its_own_sign_in_host() {
        assert_eq!(sign_in_host("graph.microsoft.us"), Some("https://login.microsoftonline.us"));
        assert_eq!(sign_in_host("graph.microsoft.com.example"), None);
    }
}
