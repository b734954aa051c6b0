//! Names of scopes: the Metadata API and the policy objects have their own for what the wire calls `api` or `refresh_token`.

use std::{collections::BTreeMap, sync::LazyLock};

use grantwarden_kit::model::Scope;
use serde::Deserialize;

/// The part of `scopes.toml` that this crate needs; the catalog itself is the tool's.
#[derive(Deserialize)]
struct Catalog {
    scope: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    metadata: Option<String>,
    column: Option<String>,
}

#[expect(clippy::expect_used, reason = "the text is compiled in, and a test parses it")]
static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| toml::from_str(include_str!("../scopes.toml")).expect("scopes.toml is valid"));

/// Names in the Metadata API type `ConnectedApp`, by lower case.
static BY_METADATA: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let named = CATALOG.scope.iter().filter_map(|e| Some((e.metadata.as_ref()?, e)));
    named.map(|(name, entry)| (name.to_lowercase(), entry.name.as_str())).collect()
});

/// A scope by its name in the Metadata API. A name that the catalog does not have stays as it is, and is judged as unknown.
pub(crate) fn from_metadata(name: &str) -> Scope {
    Scope::named(BY_METADATA.get(&name.to_lowercase()).map_or(name, |wire| wire))
}

/// Columns of `ExtlClntAppOauthSettings`, one per scope, with the scope's wire name.
pub(crate) fn columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    CATALOG.scope.iter().filter_map(|entry| Some((entry.column.as_deref()?, entry.name.as_str())))
}
