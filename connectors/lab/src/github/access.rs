//! What a call needs: permissions of an App or a fine-grained token, scopes of a classic token, and
//! who may call at all. It knows no resource.

use super::world::Permissions;

/// Every permission that Apps may ask for, with the lab's spelling of the platform's list.
pub(crate) const PERMISSIONS: &[&str] = &[
    "actions",
    "administration",
    "artifact_metadata",
    "attestations",
    "checks",
    "code_quality",
    "codespaces",
    "contents",
    "custom_properties_for_organizations",
    "dependabot_secrets",
    "deployments",
    "discussions",
    "email_addresses",
    "enterprise_administration",
    "enterprise_custom_properties_for_organizations",
    "enterprise_organization_installation_repositories",
    "enterprise_organization_installations",
    "environments",
    "followers",
    "git_ssh_keys",
    "gpg_keys",
    "interaction_limits",
    "issues",
    "members",
    "merge_queues",
    "metadata",
    "organization_administration",
    "organization_announcement_banners",
    "organization_copilot_agent_settings",
    "organization_copilot_seat_management",
    "organization_custom_org_roles",
    "organization_custom_properties",
    "organization_custom_roles",
    "organization_events",
    "organization_hooks",
    "organization_packages",
    "organization_personal_access_token_requests",
    "organization_personal_access_tokens",
    "organization_plan",
    "organization_projects",
    "organization_secrets",
    "organization_self_hosted_runners",
    "organization_user_blocking",
    "packages",
    "pages",
    "profile",
    "pull_requests",
    "repository_custom_properties",
    "repository_hooks",
    "repository_projects",
    "secret_scanning_alerts",
    "secrets",
    "security_events",
    "single_file",
    "starring",
    "statuses",
    "vulnerability_alerts",
    "workflows",
    // Not in the platform's own list; the enterprise's revocation endpoints name it.
    "write_enterprise_credentials",
];

/// How much a permission allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Read,
    Write,
    Admin,
}

impl Level {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "read" => Self::Read,
            "write" => Self::Write,
            "admin" => Self::Admin,
            _ => return None,
        })
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// The level that a permission map gives.
pub(crate) fn level(permissions: &Permissions, name: &str) -> Option<Level> {
    permissions.get(name).and_then(|text| Level::parse(text))
}

/// A right that was taken and may be given back: what it was of each installation (by id), each
/// classic token (by place), and each owner (user and organisation).
#[derive(Debug, Default)]
pub(crate) struct Right {
    pub(crate) name: String,
    pub(crate) levels: Vec<(u64, String)>,
    pub(crate) tokens: Vec<usize>,
    pub(crate) owners: Vec<(usize, u32)>,
}

/// What one operation needs of its caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// A permission that suffices, the first being the one that refusals name; none for the public.
    pub(crate) any_of: &'static [(&'static str, Level)],
    /// A classic scope that suffices; none for Apps only.
    pub(crate) scopes: &'static [&'static str],
    /// Whether a person must own the organisation (or administer the enterprise or the host).
    pub(crate) owner: bool,
    /// Whether only a GitHub App may call.
    pub(crate) apps_only: bool,
}

const fn need(
    any_of: &'static [(&'static str, Level)],
    scopes: &'static [&'static str],
    owner: bool,
) -> Need {
    Need { any_of, scopes, owner, apps_only: false }
}

const fn apps_only(any_of: &'static [(&'static str, Level)]) -> Need {
    Need { any_of, scopes: &[], owner: true, apps_only: true }
}

/// Anybody with any live token.
pub(crate) const ANYBODY: Need = need(&[], &[], false);
pub(crate) const READ_ORGANISATION: Need = need(
    &[("organization_administration", Level::Read)],
    &["read:org", "admin:org", "write:org"],
    true,
);
pub(crate) const WRITE_ORGANISATION: Need =
    need(&[("organization_administration", Level::Write)], &["admin:org"], true);
pub(crate) const READ_AUDIT: Need =
    need(&[("organization_administration", Level::Read)], &["read:audit_log", "admin:org"], true);
pub(crate) const READ_MEMBERS: Need =
    need(&[("members", Level::Read)], &["read:org", "admin:org", "write:org"], false);
pub(crate) const READ_PATS: Need =
    apps_only(&[("organization_personal_access_tokens", Level::Read)]);
pub(crate) const WRITE_PATS: Need =
    apps_only(&[("organization_personal_access_tokens", Level::Write)]);
pub(crate) const READ_PAT_REQUESTS: Need =
    apps_only(&[("organization_personal_access_token_requests", Level::Read)]);
pub(crate) const WRITE_PAT_REQUESTS: Need =
    apps_only(&[("organization_personal_access_token_requests", Level::Write)]);
pub(crate) const READ_ORGANISATION_HOOKS: Need =
    need(&[("organization_hooks", Level::Read)], &["admin:org_hook"], true);
pub(crate) const WRITE_ORGANISATION_HOOKS: Need =
    need(&[("organization_hooks", Level::Write)], &["admin:org_hook"], true);
pub(crate) const READ_REPOSITORY_HOOKS: Need = need(
    &[("repository_hooks", Level::Read)],
    &["read:repo_hook", "write:repo_hook", "admin:repo_hook", "repo"],
    true,
);
pub(crate) const WRITE_REPOSITORY_HOOKS: Need = need(
    &[("repository_hooks", Level::Write)],
    &["write:repo_hook", "admin:repo_hook", "repo"],
    true,
);
pub(crate) const READ_DEPLOY_KEYS: Need = need(&[("administration", Level::Read)], &["repo"], true);
pub(crate) const WRITE_DEPLOY_KEYS: Need =
    need(&[("administration", Level::Write)], &["repo"], true);
pub(crate) const READ_SECRETS: Need =
    need(&[("organization_secrets", Level::Read)], &["admin:org"], true);
pub(crate) const READ_REPOSITORIES: Need =
    need(&[("metadata", Level::Read)], &["repo", "public_repo", "read:org", "admin:org"], false);
pub(crate) const ENTERPRISE_INSTALLATIONS: Need =
    apps_only(&[("enterprise_organization_installations", Level::Read)]);
pub(crate) const ENTERPRISE_UNINSTALL: Need =
    apps_only(&[("enterprise_organization_installations", Level::Write)]);
pub(crate) const ENTERPRISE_REPOSITORIES: Need = apps_only(&[
    ("enterprise_organization_installation_repositories", Level::Read),
    ("enterprise_organization_installations", Level::Read),
]);
pub(crate) const ENTERPRISE_CHANGE_REPOSITORIES: Need = apps_only(&[
    ("enterprise_organization_installation_repositories", Level::Write),
    ("enterprise_organization_installations", Level::Write),
]);
pub(crate) const ENTERPRISE_AUDIT: Need = need(
    &[("enterprise_administration", Level::Read)],
    &["read:audit_log", "admin:enterprise"],
    true,
);
pub(crate) const ENTERPRISE_CREDENTIALS: Need =
    need(&[("write_enterprise_credentials", Level::Write)], &["admin:enterprise"], true);
pub(crate) const SITE_ADMIN: Need = need(&[], &["site_admin"], true);

impl Need {
    /// Whether a permission map suffices.
    pub(crate) fn met_by(&self, permissions: &Permissions) -> bool {
        self.any_of.is_empty()
            || self
                .any_of
                .iter()
                .any(|(name, wanted)| level(permissions, name).is_some_and(|held| held >= *wanted))
    }

    /// The value of `x-accepted-github-permissions`.
    pub(crate) fn accepted(&self) -> String {
        let parts = self.any_of.iter().map(|(name, level)| format!("{name}={}", level.text()));
        parts.collect::<Vec<_>>().join("; ")
    }
}

/// Whether the platform knows a permission of this name.
pub(crate) fn known_permission(name: &str) -> bool {
    PERMISSIONS.contains(&name)
}
