//! Records as they are when nothing special is known: the facts that hold for everything of GitHub's, and what it tells nobody.

use std::time::Duration;

use grantwarden_kit::model::{
    App, Expiry, Grant, GrantKind, Holder, NetworkPolicy, Observed, Origin, Setting, TokenPolicy,
};

use super::gaps::silent;

/// A year: a user's SSH key that nobody used for so long is deleted on github.com:
/// <https://docs.github.com/en/organizations/managing-programmatic-access-to-your-organization/github-credential-types>
pub(super) const KEY_IDLE: Duration = Duration::from_secs(365 * 86_400);

/// An app of which nothing is known but what it is.
pub(super) fn app(facet: &str, id: impl Into<String>, name: impl Into<String>, kind: &str) -> App {
    let name = name.into();
    App {
        id: id.into(),
        kind: kind.to_owned(),
        client_ids: silent(facet, "GitHub does not tell which client it is"),
        publisher: silent(facet, "GitHub does not tell who is behind it"),
        home_tenant: silent(facet, "GitHub does not tell who owns it"),
        namespace: Observed::Absent,
        redirect_domains: silent(facet, "GitHub does not tell where an app redirects to"),
        web_domains: silent(facet, "GitHub does not tell its home page"),
        origin: Origin::ThirdParty,
        installed: silent(facet, "nothing of this kind is installed"),
        blocked: silent(facet, "GitHub does not tell whether it is blocked"),
        approval: silent(facet, "GitHub does not tell who may start using it"),
        assigned_to: silent(facet, "GitHub has no such assignment"),
        scopes: silent(facet, "GitHub does not tell what it may be granted at most"),
        token_policy: TokenPolicy {
            access_lifetime: silent(facet, "GitHub does not tell how long its tokens live"),
            refresh: silent(facet, "GitHub does not tell what ends its tokens"),
            rotation: silent(facet, "GitHub does not tell whether its tokens are replaced"),
        },
        flows: silent(facet, "GitHub does not tell which flows are on"),
        introspects_all_tokens: Observed::Known(false),
        created_at: silent(facet, "GitHub does not tell when it came"),
        changed_at: silent(facet, "GitHub does not tell when it last changed"),
        settings: Vec::new(),
        name,
    }
}

/// An app's id with the name that a token or key has of its own, where it was given one.
pub(super) fn called<'a>(
    app: (&'a str, &'a str),
    names: impl IntoIterator<Item = &'a Option<String>>,
) -> (&'a str, &'a str) {
    let mut names = names.into_iter().filter_map(Option::as_deref);
    (app.0, names.find(|name| !name.trim().is_empty()).unwrap_or(app.1))
}

/// A grant of which nothing is known but whose it is.
pub(super) fn grant(
    facet: &str,
    id: String,
    app: (&str, &str),
    kind: GrantKind,
    holder: Holder,
) -> Grant {
    Grant {
        id,
        app: app.0.to_owned(),
        app_name: app.1.to_owned(),
        kind,
        holder,
        scopes: silent(facet, "GitHub does not tell what it allows"),
        granted_at: silent(facet, "GitHub does not tell when"),
        granted_by: silent(facet, "GitHub does not tell by whom"),
        last_used_at: silent(facet, "GitHub does not tell when it was last used"),
        use_count: silent(facet, "GitHub does not count uses"),
        expires: silent(facet, "GitHub does not tell when it ends"),
        refreshable: Observed::Known(false),
        network: NetworkPolicy {
            binding: silent(
                facet,
                "the organisation's IP allow list is not read: GitHub shows it to owners only, in its pages",
            ),
            look_alikes: Vec::new(),
        },
        // Tokens and keys of GitHub's work for whoever has them.
        sender_constrained: Observed::Known(false),
        approval: silent(facet, "GitHub does not tell whether an owner approved it"),
        settings: Vec::new(),
    }
}

/// The end of a token: null says that there is none.
pub(super) fn end(facet: &str, told: Option<&Option<String>>) -> Observed<Expiry> {
    match told {
        Some(Some(text)) => super::gaps::time(facet, Some(text)).map(Expiry::At),
        Some(None) => Observed::Known(Expiry::Never),
        None => silent(facet, "GitHub does not tell when it ends"),
    }
}

pub(super) fn setting(name: &str, value: Observed<String>) -> Setting {
    Setting { name: name.to_owned(), value }
}
