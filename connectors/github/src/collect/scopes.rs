//! Scopes of grants in the words of the scope catalog: permissions as `name:level`, OAuth scopes under their own resource.

use grantwarden_kit::model::{Observed, Scope};

use super::gaps;
use crate::api::{GroupedPermissions, Permissions};

/// The resource of the scopes of OAuth apps and classic tokens; fine-grained permissions are the catalog's default.
const OAUTH: &str = "OAuth scope";

/// Scopes of our own, for what has none.
pub(super) const SSH_KEY: &str = "ssh-key";
pub(super) const WEBHOOK: &str = "webhook";

/// A permission map. Not told, or a level that is no text, is not known, and never "none".
pub(super) fn of_permissions(facet: &str, map: Option<&Permissions>) -> Observed<Vec<Scope>> {
    let Some(map) = map else {
        return gaps::odd(facet, "GitHub does not tell the permissions");
    };
    let mut scopes = Vec::with_capacity(map.len());
    for (name, level) in map {
        match level.as_str() {
            Some(level) => scopes.push(Scope::named(format!("{name}:{level}"))),
            None => {
                let detail =
                    format!("the permission `{name}` has a level that is no text: {level}");
                return gaps::odd(facet, detail);
            }
        }
    }
    Observed::Known(scopes)
}

/// The permissions of a fine-grained token, all groups together.
pub(super) fn of_groups(facet: &str, groups: Option<&GroupedPermissions>) -> Observed<Vec<Scope>> {
    let Some(groups) = groups else {
        return gaps::odd(facet, "GitHub does not tell the permissions");
    };
    let told = [&groups.organization, &groups.repository, &groups.other];
    if told.iter().all(|group| group.is_none()) {
        return gaps::odd(facet, "GitHub does not tell the permissions");
    }
    let mut all = Vec::new();
    for group in told.into_iter().flatten() {
        match of_permissions(facet, Some(group)) {
            Observed::Known(scopes) => all.extend(scopes),
            unknown => return unknown,
        }
    }
    Observed::Known(all)
}

/// OAuth scopes.
pub(super) fn of_oauth(names: &[String]) -> Vec<Scope> {
    let scope = |name: &String| Scope { name: name.clone(), resource: Some(OAUTH.to_owned()) };
    names.iter().map(scope).collect()
}

/// The scope of a deploy key.
pub(super) fn of_deploy_key(facet: &str, read_only: Option<bool>) -> Observed<Vec<Scope>> {
    match read_only {
        Some(true) => Observed::Known(vec![Scope::named("deploy-key:read")]),
        Some(false) => Observed::Known(vec![Scope::named("deploy-key:write")]),
        None => gaps::odd(facet, "GitHub does not tell whether the key may write"),
    }
}
