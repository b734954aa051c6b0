//! The Cloud Identity API's `policies.list`: settings with the unit or group that they are set for,
//! found by the part of the filter language that its document shows.

use serde_json::{Map, Value as Json, json};

use super::Core;
use super::auth::Caller;
use super::error::Refusal;
use super::events::mix;
use super::params::{finish, number, only};
use super::state::State;
use super::world::{PolicySpelling, PolicyWorld};
use crate::wire::{Reply, Request};

const POLICY_FIELDS: &str = "nextPageToken,policies(name,customer,type,policyQuery(query,group,\
    orgUnit,sortOrder),setting(type,value))";

/// Enum values under both spellings: as documented, and as live tenants answer.
const SPELLINGS: [(&str, &str); 3] = [
    ("ACCESS_LEVEL_UNSPECIFIED", "UNSPECIFIED_UBER_BLOCK"),
    ("BLOCK_ALL", "BLOCK_ALL_SCOPES"),
    ("ALLOW_SIGN_IN_ONLY", "ALLOW_SIGN_IN_SCOPES_ONLY"),
];

/// The id of an organisational unit, as policies and report filters name it.
pub(crate) fn org_unit_id(path: &str) -> String {
    let seed = path.bytes().fold(7, |seed, byte| mix(seed ^ u64::from(byte)));
    format!("03ph8a2z{seed:016x}")
}

/// A value with its enums in the spelling asked for.
fn spelled(value: &Json, spelling: PolicySpelling) -> Json {
    let text = |text: &String| {
        let known = SPELLINGS.iter().find(|(documented, live)| text == documented || text == live);
        match (known, spelling) {
            (Some((documented, _)), PolicySpelling::Documented) => json!(documented),
            (Some((_, live)), PolicySpelling::Live) => json!(live),
            _ => json!(text),
        }
    };
    match value {
        Json::String(value) => text(value),
        Json::Array(items) => items.iter().map(|item| spelled(item, spelling)).collect(),
        Json::Object(fields) => {
            let each = fields.iter().map(|(name, value)| (name.clone(), spelled(value, spelling)));
            Json::Object(each.collect::<Map<String, Json>>())
        }
        plain => plain.clone(),
    }
}

/// The platform's fixed name of a policy, from its place.
fn name(index: usize) -> String {
    format!("policies/lab{:016x}", mix(index as u64))
}

fn policy_json(state: &State, index: usize, policy: &PolicyWorld) -> Json {
    let unit = org_unit_id(&policy.org_unit);
    let mut query = json!({
        "query": format!("entity.org_units.exists(org_unit, org_unit.org_unit_id == orgUnitId('{unit}'))"),
        "orgUnit": format!("orgUnits/{unit}"),
        "sortOrder": policy.sort_order,
    });
    if let Some(group) = &policy.group {
        query["group"] = json!(format!("groups/{group}"));
    }
    json!({
        "name": name(index),
        "customer": format!("customers/{}", state.customer_id),
        "type": if policy.by_admin { "ADMIN" } else { "SYSTEM" },
        "policyQuery": query,
        "setting": {
            "type": format!("settings/{}", policy.setting),
            "value": spelled(&policy.value, state.behaviour.policy_spelling),
        },
    })
}

/// A filter: `||` between alternatives, `&&` between conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    /// `setting.type.matches('PATTERN')`.
    Matches(Pattern),
    /// `customer == "customers/ID"`.
    Customer(String),
}

impl Expression {
    fn holds(&self, setting: &str) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(setting)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(setting)),
            Self::Matches(pattern) => pattern.finds(setting),
            Self::Customer(_) => true,
        }
    }

    fn customers<'e>(&'e self, found: &mut Vec<&'e str>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.customers(found));
            }
            Self::Customer(customer) => found.push(customer),
            Self::Matches(_) => {}
        }
    }
}

/// The part of the regular expressions that filters use: letters, `\.`, `.*`, `^`, `$`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// Literal texts with anything between them.
    pieces: Vec<String>,
    from_start: bool,
    to_end: bool,
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        // A filter may be written with the backslash doubled, as its language wants it, or not.
        let text = text.replace("\\\\", "\\");
        let (from_start, text) = match text.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let (to_end, text) = match text.strip_suffix('$') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut pieces = vec![String::new()];
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => pieces.last_mut()?.push(letters.next_if_eq(&'.')?),
                '.' => {
                    letters.next_if_eq(&'*')?;
                    pieces.push(String::new());
                }
                '/' | '_' | '-' => pieces.last_mut()?.push(letter),
                _ if letter.is_ascii_alphanumeric() => pieces.last_mut()?.push(letter),
                _ => return None,
            }
        }
        Some(Self { pieces, from_start, to_end })
    }

    fn finds(&self, text: &str) -> bool {
        let mut rest = text;
        for (index, piece) in self.pieces.iter().enumerate() {
            if index == 0 && self.from_start {
                match rest.strip_prefix(piece.as_str()) {
                    Some(tail) => rest = tail,
                    None => return false,
                }
            } else if index + 1 == self.pieces.len() && self.to_end {
                return rest.ends_with(piece.as_str());
            } else {
                match rest.split_once(piece.as_str()) {
                    Some((_, tail)) => rest = tail,
                    None => return false,
                }
            }
        }
        !self.to_end || rest.is_empty()
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn any(&mut self) -> Option<Expression> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self) -> Option<Expression> {
        let mut parts = vec![self.one()?];
        while self.take("&&") {
            parts.push(self.one()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn one(&mut self) -> Option<Expression> {
        if self.take("(") {
            let inner = self.any()?;
            return self.take(")").then_some(inner);
        }
        if self.take("setting.type.matches") {
            let pattern = self.take("(").then(|| self.text()).flatten()?;
            let pattern = Pattern::parse(pattern)?;
            return self.take(")").then_some(Expression::Matches(pattern));
        }
        if self.take("customer") && self.take("==") {
            return Some(Expression::Customer(self.text()?.to_owned()));
        }
        None
    }

    fn text(&mut self) -> Option<&'t str> {
        self.rest = self.rest.trim_start();
        let quote = self.rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (text, rest) = self.rest[1..].split_once(quote)?;
        self.rest = rest;
        Some(text)
    }

    fn take(&mut self, expected: &str) -> bool {
        match self.rest.trim_start().strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn parse(text: &str) -> Option<Expression> {
    let mut parser = Parser { rest: text };
    let expression = parser.any()?;
    parser.rest.trim().is_empty().then_some(expression)
}

impl Core {
    /// `GET /v1/policies`.
    pub(super) fn list_policies(
        &self,
        state: &State,
        caller: &Caller,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        only(request, &["filter", "pageSize", "pageToken"])?;
        if caller.user.is_none() {
            return Err(Refusal::forbidden());
        }
        let filter = match request.param("filter").filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(
                parse(text).ok_or_else(|| Refusal::invalid(format!("Invalid filter: {text}")))?,
            ),
        };
        let mut customers = Vec::new();
        if let Some(filter) = &filter {
            filter.customers(&mut customers);
        }
        for customer in customers {
            let id = customer
                .strip_prefix("customers/")
                .ok_or_else(|| Refusal::invalid(format!("Invalid customer: {customer}")))?;
            self.own_customer(state, caller, id)?;
        }
        // More than the most is taken for the most, and nothing for the usual.
        let asked = match number(request, "pageSize", 0..=i32::MAX as usize, 50)? {
            0 => 50,
            asked => asked,
        };
        let size = asked.min(100).min(state.behaviour.policies_page).max(1);
        let now = self.clock.wall().as_second();
        let (start, empty) =
            self.pages.position(request, self.page_rules(state))?.unwrap_or((0, 0));
        if (empty as usize) < state.behaviour.policy_empty_pages {
            let next = self.pages.issue(request, (0, empty + 1), now);
            return finish(request, json!({ "nextPageToken": next }), POLICY_FIELDS);
        }
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let holds = |policy: &PolicyWorld| {
            let setting = format!("settings/{}", policy.setting);
            filter.as_ref().is_none_or(|filter| filter.holds(&setting))
        };
        let mut found =
            state.policies.iter().enumerate().skip(start).filter(|(_, policy)| holds(policy));
        let page: Vec<Json> = found
            .by_ref()
            .take(size)
            .map(|(index, policy)| policy_json(state, index, policy))
            .collect();
        let mut body = json!({});
        if !page.is_empty() {
            body["policies"] = json!(page);
        }
        if let Some((next, _)) = found.next() {
            let next = i64::try_from(next).unwrap_or(i64::MAX);
            body["nextPageToken"] = json!(self.pages.issue(request, (next, empty), now));
        }
        finish(request, body, POLICY_FIELDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_filters() {
        let finds = |filter: &str, setting: &str| parse(filter).unwrap().holds(setting);
        let api = r"setting.type.matches('^settings/api_controls\..*$')";
        assert!(finds(api, "settings/api_controls.internal_apps"));
        assert!(!finds(api, "settings/api_controlsXinternal_apps"));
        assert!(!finds(api, "my/settings/api_controls.internal_apps"));
        let doubled = r#"setting.type.matches("^settings/api_controls\\..*$")"#;
        assert!(finds(doubled, "settings/api_controls.internal_apps"));
        assert!(finds(
            r"setting.type.matches('^.*\.service_status$')",
            "settings/x.service_status"
        ));
        assert!(!finds(
            r"setting.type.matches('^.*\.service_status$')",
            "settings/x.service_statuses"
        ));
        assert!(finds("setting.type.matches('market')", "settings/workspace_marketplace.apps"));
        let both = format!("customer == \"customers/my_customer\" && ({api} || {doubled})");
        assert!(finds(&both, "settings/api_controls.internal_apps"));
        for bad in
            ["", "setting.type == 'x'", "setting.type.matches('[a-z]')", "(a", &format!("{api} &&")]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_pattern_without_signs_finds_what_holds_it(
            before in "[a-z_/]{0,5}", piece in "[a-z_/]{1,5}", after in "[a-z_/]{0,5}",
        ) {
            let text = format!("{before}{piece}{after}");
            let finds = |pattern: &str| Pattern::parse(pattern).unwrap().finds(&text);
            let patterns = [piece.clone(), format!("^{before}"), format!("{after}$"), format!("^{text}$"), format!("^{before}.*{after}$")];
            for pattern in patterns {
                proptest::prop_assert!(finds(&pattern), "{} in {}", pattern, text);
            }
            let longer = finds(&format!("^{text}x"));
            proptest::prop_assert!(!longer);
        }
    }

    #[test]
    fn spells_enums_as_asked() {
        let value = json!({ "accessLevel": "BLOCK_ALL_SCOPES", "list": ["ALLOW_SIGN_IN_ONLY", 1] });
        let documented = json!({ "accessLevel": "BLOCK_ALL", "list": ["ALLOW_SIGN_IN_ONLY", 1] });
        assert_eq!(spelled(&value, PolicySpelling::Documented), documented);
        assert_eq!(spelled(&documented, PolicySpelling::Live)["accessLevel"], "BLOCK_ALL_SCOPES");
        assert_eq!(spelled(&value, PolicySpelling::AsWritten), value);
    }
}
