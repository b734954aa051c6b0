//! What must be true of an advisory beyond its form, and where in the text it is not.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::{Advisory, IndicatorKind, Key, KeyKind, Whose};
use crate::{registry, vendors};

/// Finds what is wrong first.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn check(advisory: &Advisory) -> Result<(), Wrong> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if advisory.id.is_empty() || !advisory.id.bytes().all(is_word) {
        let message = "an id is lower-case letters, digits and hyphens: `acme-mail-2026`";
        return wrong([At::Key("id")], message);
    }
    for (name, value) in [("title", &advisory.title), ("vendor", &advisory.vendor)] {
        if value.trim().is_empty() {
            return wrong([At::Key(name)], format!("`{name}` is empty"));
        }
    }
    let mut products = BTreeSet::new();
    for (at, product) in advisory.products.iter().enumerate() {
        if !products.insert(product.name.as_str()) {
            let place = [At::Key("product"), At::Index(at), At::Key("name")];
            return wrong(place, format!("the product `{}` stands twice", product.name));
        }
    }
    keys(advisory)?;
    windows(advisory)?;
    indicators(advisory)
}

fn keys(advisory: &Advisory) -> Result<(), Wrong> {
    if advisory.keys.is_empty() {
        return wrong([At::Key("match")], "an advisory without a [[match]] finds nothing");
    }
    let mut keys = BTreeSet::new();
    for (at, key) in advisory.keys.iter().enumerate() {
        let place = |field| [At::Key("match"), At::Index(at), At::Key(field)];
        if let Err((field, message)) = field_of_key(advisory, key) {
            return wrong(place(field), message);
        }
        if !keys.insert((key.kind, key.value.to_lowercase(), &key.platforms)) {
            let message = format!("the {} `{}` stands twice", key.kind, key.value);
            return wrong(place("value"), message);
        }
    }
    Ok(())
}

fn windows(advisory: &Advisory) -> Result<(), Wrong> {
    for (at, window) in advisory.windows.iter().enumerate() {
        let place = |field| [At::Key("window"), At::Index(at), At::Key(field)];
        match (window.from, window.to) {
            (None, None) => return wrong(place("whose"), "a window has `from`, `to` or both"),
            (Some(from), Some(to)) if to < from => {
                return wrong(place("to"), "the window ends before it begins");
            }
            _ => {}
        }
        if (window.whose == Whose::Tenant) != window.tenant.is_some() {
            let message = "`whose = \"tenant\"` and `tenant = \"NAME\"` go together";
            return wrong(place("whose"), message);
        }
    }
    Ok(())
}

fn indicators(advisory: &Advisory) -> Result<(), Wrong> {
    for (at, indicator) in advisory.indicators.iter().enumerate() {
        let place = |field| [At::Key("indicator"), At::Index(at), At::Key(field)];
        let is_address = indicator.kind == IndicatorKind::Address;
        if is_address && indicator.value.parse::<std::net::IpAddr>().is_err() {
            return wrong(place("value"), format!("`{}` is no IP address", indicator.value));
        }
        if is_address && indicator.expires.is_none() {
            return wrong(place("value"), "an address passes to others: say when it `expires`");
        }
        if indicator.value.trim().is_empty() {
            return wrong(place("value"), "the value is empty");
        }
    }
    Ok(())
}

/// The field that is wrong, and why.
fn field_of_key(advisory: &Advisory, key: &Key) -> Result<(), (&'static str, String)> {
    /// Shorter parts of names are in too many names.
    const SHORTEST_PART: usize = 4;
    let value = key.value.trim();
    if value.is_empty() || value != key.value {
        return Err(("value", "the value is empty, or has spaces around it".to_owned()));
    }
    if key.certainty() < key.kind.surest() {
        let surest = key.kind.surest();
        return Err(("confidence", format!("a match on a {} is {surest} at most", key.kind)));
    }
    if let Some(product) = &key.product
        && advisory.product(product).is_none()
    {
        return Err(("product", format!("there is no [[product]] named `{product}`")));
    }
    let known = registry::platforms();
    if let Some(unknown) = key.platforms.iter().find(|id| !known.contains(&id.as_str())) {
        let known = known.join(", ");
        return Err(("platforms", format!("there is no platform `{unknown}`; there is {known}")));
    }
    match key.kind {
        KeyKind::NameContains if value.chars().count() < SHORTEST_PART => {
            Err(("value", format!("a part of a name has at least {SHORTEST_PART} letters")))
        }
        KeyKind::Publisher | KeyKind::ExactName if vendors::company(value).is_empty() => {
            Err(("value", format!("`{value}` has no letter or digit to compare")))
        }
        KeyKind::GoogleProject if !value.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(("value", "a Google project is its number".to_owned()))
        }
        KeyKind::RedirectDomain if !is_host(value) => {
            let message = format!(
                "`{value}` is no bare domain: write `drift.example`, without scheme, path, port, `*` and dots around it; it stands for all below it, too"
            );
            Err(("value", message))
        }
        KeyKind::RedirectDomain if vendors::registrable(value).is_none() => {
            Err(("value", format!("`{value}` is no domain that somebody can register")))
        }
        KeyKind::RedirectDomain if vendors::is_shared(&value.to_lowercase()) => {
            Err(("value", format!("many companies' apps live under `{value}`")))
        }
        _ => Ok(()),
    }
}

/// Whether a text is a host name and nothing more: what hosts of redirect addresses are compared with.
fn is_host(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter))
}

/// What is wrong, and where.
pub(super) struct Wrong {
    place: Vec<At>,
    /// For a person.
    pub(super) message: String,
}

/// A step on the way to a value.
#[derive(Clone, Copy)]
enum At {
    Key(&'static str),
    Index(usize),
}

fn wrong<const N: usize>(place: [At; N], message: impl Into<String>) -> Result<(), Wrong> {
    Err(Wrong { place: place.to_vec(), message: message.into() })
}

impl Wrong {
    /// Where in the text it stands, in bytes; as near as there is something.
    pub(super) fn offset(&self, text: &str) -> usize {
        let Ok(table) = DeTable::parse(text) else { return 0 };
        let mut offset = 0;
        let mut value: Option<&DeValue<'_>> = None;
        for step in &self.place {
            let next = match (step, value) {
                (At::Key(name), None) => table.get_ref().get(*name),
                (At::Key(name), Some(DeValue::Table(table))) => table.get(*name),
                (At::Index(at), Some(DeValue::Array(array))) => array.get(*at),
                _ => None,
            };
            let Some(next) = next else { break };
            offset = next.span().start;
            value = Some(next.get_ref());
        }
        offset
    }
}
