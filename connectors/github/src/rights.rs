//! Which right makes which part visible, by GitHub's own names, and whether the scanner has it. What is known to be missing is said
//! before a call is wasted on it; what is not known is tried.

use std::collections::BTreeMap;

use grantwarden_kit::error::{Error, ErrorKind, Result};

use crate::token_form::TokenKind;

/// How much of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Read,
    Write,
    Admin,
}

impl Level {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|level| level.name() == text)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What a call needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// The permission of a GitHub App or of a fine-grained token.
    pub(crate) permission: &'static str,
    pub(crate) level: Level,
    /// Scopes of a classic token, any of which is enough; none if only a GitHub App may ask.
    pub(crate) scopes: &'static [&'static str],
}

const fn read(permission: &'static str, scopes: &'static [&'static str]) -> Need {
    Need { permission, level: Level::Read, scopes }
}

const READ_ORG: &[&str] = &["read:org", "write:org", "admin:org", "admin:read"];

/// Sources of all of these: API sheet, section 1b.
pub(crate) const INSTALLATIONS: Need = read("organization_administration", READ_ORG);
pub(crate) const AUDIT_LOG: Need =
    read("organization_administration", &["read:audit_log", "audit_log", "admin:org"]);
pub(crate) const FINE_GRAINED: Need = read("organization_personal_access_tokens", &[]);
pub(crate) const REQUESTS: Need = read("organization_personal_access_token_requests", &[]);
pub(crate) const ORGANIZATION_HOOKS: Need = read("organization_hooks", &["admin:org_hook"]);
pub(crate) const REPOSITORY_HOOKS: Need =
    read("repository_hooks", &["read:repo_hook", "write:repo_hook", "admin:repo_hook", "repo"]);
pub(crate) const DEPLOY_KEYS: Need = read("administration", &["repo"]);
pub(crate) const SECRETS: Need = read("organization_secrets", &["admin:org"]);
pub(crate) const MEMBERS: Need = read("members", READ_ORG);
pub(crate) const ENTERPRISE: Need = read("enterprise_organization_installations", &[]);
pub(crate) const ENTERPRISE_AUDIT_LOG: Need =
    read("enterprise_administration", &["read:audit_log", "audit_log", "admin:enterprise"]);
pub(crate) const SITE: Need = read("site_admin", &["site_admin"]);

/// What a token for reading is narrowed to, as far as the installation has it. `metadata` shows which repositories there are.
pub(crate) const FOR_READING: &[&str] = &[
    "metadata",
    "members",
    "administration",
    "repository_hooks",
    "organization_administration",
    "organization_personal_access_tokens",
    "organization_personal_access_token_requests",
    "organization_hooks",
    "organization_secrets",
    "organization_plan",
];
/// What a token for revoking is narrowed to.
#[cfg(feature = "revoke")]
pub(crate) const FOR_REVOKING: &[&str] = &[
    "metadata",
    "administration",
    "repository_hooks",
    "organization_administration",
    "organization_personal_access_tokens",
    "organization_hooks",
];

/// What is known of the scanner's installation.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) installation: u64,
    pub(crate) app_id: Option<u64>,
    pub(crate) app_slug: Option<String>,
    /// The numeric id of the organisation or the enterprise.
    pub(crate) account_id: Option<u64>,
    pub(crate) account_name: Option<String>,
    /// Permission to level; `None` if GitHub did not tell.
    pub(crate) permissions: Option<BTreeMap<String, String>>,
    /// `all`, `selected`.
    pub(crate) repository_selection: Option<String>,
}

/// As whom the scanner asks, and what is known of its rights.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    /// An installation of a GitHub App.
    App(Granted),
    /// A token that was made by hand; with its OAuth scopes if GitHub told them.
    Token(TokenKind, Option<Vec<String>>),
}

impl Held {
    /// Whether nothing speaks against a call.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] naming the missing right.
    pub(crate) fn allow(&self, need: Need) -> Result<()> {
        let Need { permission, level, scopes } = need;
        match self {
            Self::App(_) if permission == SITE.permission => Err(missing(
                "site administrators only: no GitHub App may ask",
                "sign in with a classic token of a site administrator that has the scope site_admin",
            )),
            Self::App(Granted { permissions: None, .. }) => Ok(()),
            Self::App(Granted { permissions: Some(held), .. }) => {
                let has = held.get(permission).and_then(|text| Level::parse(text));
                if has.is_some_and(|has| has >= level) {
                    return Ok(());
                }
                let wanted = format!("{permission}: {}", level.name());
                Err(missing(
                    &format!(
                        "the installation of the scanner's app lacks the permission `{wanted}`"
                    ),
                    &format!(
                        "the app's settings > Permissions & events: set `{wanted}`; then an owner accepts it: organisation settings > GitHub Apps > the app > Review request"
                    ),
                ))
            }
            Self::Token(kind, _) if scopes.is_empty() && *kind != TokenKind::InstallationToken => {
                Err(missing(
                    &format!("a {} may not ask for this: only a GitHub App may", kind.name()),
                    &format!(
                        "sign in with github_app, with the permission `{permission}: {}`",
                        level.name()
                    ),
                ))
            }
            Self::Token(TokenKind::ClassicToken | TokenKind::OauthAppToken, Some(held)) => {
                if scopes.iter().any(|scope| held.iter().any(|held| held == scope)) {
                    return Ok(());
                }
                let wanted = scopes.first().copied().unwrap_or(permission);
                Err(missing(
                    &format!("the token lacks the scope `{wanted}`"),
                    &format!(
                        "Settings > Developer settings > Personal access tokens > the token: add `{wanted}`, or better sign in with github_app"
                    ),
                ))
            }
            Self::Token(..) => Ok(()),
        }
    }

    /// Whether it is proven that the right for a call is there: then "not found" means something else.
    pub(crate) fn has(&self, need: Need) -> bool {
        let is_told = match self {
            Self::App(granted) => granted.permissions.is_some(),
            Self::Token(kind, scopes) => {
                let is_classic = matches!(kind, TokenKind::ClassicToken | TokenKind::OauthAppToken);
                is_classic && scopes.is_some()
            }
        };
        is_told && self.allow(need).is_ok()
    }

    /// Why an installation may not see every repository; `None` if it is on all of them.
    pub(crate) fn missed_repositories(&self) -> Option<&'static str> {
        let Self::App(granted) = self else { return None };
        match granted.repository_selection.as_deref() {
            Some("all") => None,
            Some("selected") => Some(
                "the scanner's app is installed on some of the repositories only: install it on all of them",
            ),
            _ => Some(
                "GitHub does not tell whether the scanner's app is installed on all repositories",
            ),
        }
    }

    /// Which of the organisation's webhooks GitHub does not show to whoever asks: to an OAuth app those that it did not make itself, and
    /// to a user those that an OAuth app made: <https://docs.github.com/rest/orgs/webhooks>
    pub(crate) const fn hidden_webhooks(&self) -> Option<&'static str> {
        match self {
            Self::App(_) | Self::Token(TokenKind::InstallationToken, _) => None,
            Self::Token(TokenKind::OauthAppToken, _) => Some(
                "GitHub shows an OAuth app only the webhooks that it made itself: sign in with github_app",
            ),
            Self::Token(..) => Some(
                "GitHub shows a user none of the webhooks that an OAuth app made: sign in with github_app",
            ),
        }
    }

    /// The scanner's own installation.
    pub(crate) const fn installation(&self) -> Option<&Granted> {
        match self {
            Self::App(granted) => Some(granted),
            Self::Token(..) => None,
        }
    }
}

fn missing(message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Forbidden, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(permissions: &[(&str, &str)]) -> Held {
        let held = permissions.iter().map(|(name, level)| ((*name).into(), (*level).into()));
        Held::App(Granted {
            installation: 1,
            app_id: None,
            app_slug: None,
            account_id: None,
            account_name: None,
            permissions: Some(held.collect()),
            repository_selection: None,
        })
    }

    #[test]
    fn a_higher_level_has_the_lower_one() {
        assert!(app(&[("members", "write")]).allow(MEMBERS).is_ok());
        let writes = Need { level: Level::Write, ..MEMBERS };
        assert!(app(&[("members", "read")]).allow(writes).is_err());
        assert!(app(&[("members", "strange")]).allow(MEMBERS).is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = app(&[]).allow(ORGANIZATION_HOOKS).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.message.contains("`organization_hooks: read`"), "{error}");
        let classic = Held::Token(TokenKind::ClassicToken, Some(vec!["repo".into()]));
        assert!(classic.allow(DEPLOY_KEYS).is_ok());
        let error = classic.allow(AUDIT_LOG).unwrap_err();
        assert!(error.message.contains("`read:audit_log`"), "{error}");
        assert!(classic.allow(FINE_GRAINED).is_err());
    }

    #[test]
    fn what_nobody_told_is_tried_and_never_taken_for_proof() {
        let silent = Held::Token(TokenKind::ClassicToken, None);
        assert!(silent.allow(AUDIT_LOG).is_ok());
        assert!(!silent.has(AUDIT_LOG));
        assert!(!Held::Token(TokenKind::FineGrainedToken, None).has(MEMBERS));
    }
}
