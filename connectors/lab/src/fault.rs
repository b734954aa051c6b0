//! Faults: what goes wrong, and on which call. A fault waits until a call matches its [`When`], then
//! its [`Effect`] happens; faults are tried in the order of injection and several may fire at once.
//! The types are the same in Rust and in `--faults file.toml`.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::calls::Call;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which calls are hit; every call if left out.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub effect: Effect,
}

impl Fault {
    /// A fault on every call; narrow it with the methods below.
    pub fn new(effect: Effect) -> Self {
        Self { when: When::default(), effect }
    }

    /// Only calls of this HTTP method.
    #[must_use]
    pub fn on_method(mut self, method: &str) -> Self {
        self.when.method = Some(method.to_owned());
        self
    }

    /// Only calls whose path contains this.
    #[must_use]
    pub fn on_path(mut self, part: &str) -> Self {
        self.when.path_contains = Some(part.to_owned());
        self
    }

    /// Only calls whose SOQL, SOAP operation or body contains this.
    #[must_use]
    pub fn on_text(mut self, part: &str) -> Self {
        self.when.text_contains = Some(part.to_owned());
        self
    }

    /// Let the first `count` matching calls pass.
    #[must_use]
    pub fn skip(mut self, count: u32) -> Self {
        self.when.skip = count;
        self
    }

    /// Fire on `count` calls, then never again.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.when.times = Some(count);
        self
    }
}

/// Which calls a fault hits. What is left out matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// The HTTP method.
    pub method: Option<String>,
    /// A part of the path.
    pub path_contains: Option<String>,
    /// A part of the decoded SOQL, the SOAP operation, the grant type or the body.
    pub text_contains: Option<String>,
    /// Matching calls to let pass first.
    pub skip: u32,
    /// How many calls to hit; for ever if left out.
    pub times: Option<u32>,
}

impl When {
    fn matches(&self, call: &Call, body: &str) -> bool {
        let method = self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(&call.method));
        let path = self.path_contains.as_deref().is_none_or(|part| call.path.contains(part));
        let text =
            self.text_contains.as_deref().is_none_or(|part| call.asks(part) || body.contains(part));
        method && path && text
    }
}

/// What a fault does. Effects that name users, permissions or apps change the tenant's state and
/// then let the call be answered normally.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// This reply instead of the real one.
    Reply {
        /// HTTP status.
        status: u16,
        /// Header names and values.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body; JSON unless `headers` says otherwise.
        #[serde(default)]
        body: String,
    },
    /// The real reply, cut after so many bytes of the body by a closed connection.
    CutBody {
        /// Bytes that still arrive.
        after_bytes: usize,
    },
    /// The real reply, late.
    Slow {
        /// Milliseconds of delay.
        millis: u64,
    },
    /// The connection is closed without an answer.
    Drop,
    /// Status 200 with an HTML page, as a proxy or a maintenance window gives.
    Html,
    /// 429, with or without `Retry-After`.
    Throttle {
        /// Value of `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 503 in the platform's words.
    ServerError,
    /// The platform's refusal for too many calls at once.
    ConcurrentLimit,
    /// The platform's refusal for too many calls in a day.
    TotalRequestsLimit,
    /// All access tokens stop working; this call is the first to notice.
    ExpireSessions,
    /// All open page tokens stop working.
    ExpireLocator,
    /// A user loses a permission.
    RemovePermission {
        /// Username; the scanner's own user if left out.
        #[serde(default)]
        user: Option<String>,
        /// The permission's API name, e.g. `CustomizeApplication`.
        permission: String,
    },
    /// A user is deleted; rows that point to it keep a null relation.
    DeleteUser {
        /// Username.
        username: String,
    },
    /// The oldest token of an app is revoked by somebody else.
    RevokeToken {
        /// The app's label.
        app: String,
    },
    /// An app gets one more token.
    AddToken {
        /// The app's label.
        app: String,
        /// Username of the grantor.
        username: String,
    },
}

/// Several faults in one file: `[[fault]]` tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// The faults, in the order in which they are tried.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
}

impl FaultFile {
    /// Reads the TOML form.
    ///
    /// # Errors
    /// With line and column, if the text is not a fault file.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// The faults of one tenant, with what each has seen so far.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan(Mutex<Vec<Armed>>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u32,
    fired: u32,
}

impl FaultPlan {
    pub(crate) fn inject(&self, fault: Fault) {
        let armed = Armed { fault, seen: 0, fired: 0 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(armed);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The effects due on this call, in order.
    pub(crate) fn due(&self, call: &Call, body: &str) -> Vec<Effect> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut effects = Vec::new();
        for armed in plan.iter_mut().filter(|armed| armed.fault.when.matches(call, body)) {
            armed.seen += 1;
            let when = &armed.fault.when;
            if armed.seen > when.skip && when.times.is_none_or(|times| armed.fired < times) {
                armed.fired += 1;
                effects.push(armed.fault.effect.clone());
            }
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str, operation: &str) -> Call {
        Call {
            method: "GET".into(),
            path: path.into(),
            query: Vec::new(),
            operation: Some(operation.into()),
            status: None,
            user: None,
            faulted: false,
        }
    }

    #[test]
    fn skips_then_fires_then_rests() {
        let plan = FaultPlan::default();
        plan.inject(Fault::new(Effect::Drop).on_text("FROM OauthToken").skip(1).times(2));
        let fired: Vec<usize> = (0..5)
            .map(|_| plan.due(&call("/query", "SELECT Id FROM OauthToken"), "").len())
            .collect();
        assert_eq!(fired, [0, 1, 1, 0, 0]);
        assert!(plan.due(&call("/query", "SELECT Id FROM User"), "").is_empty());
    }

    #[test]
    fn reads_the_toml_form() {
        let file = FaultFile::parse(
            r#"
            [[fault]]
            when = { path_contains = "/query/", times = 1 }
            effect = { kind = "throttle", retry_after = 2 }

            [[fault]]
            effect = { kind = "remove_permission", permission = "CustomizeApplication" }
            "#,
        )
        .unwrap();
        assert_eq!(file.faults[0].effect, Effect::Throttle { retry_after: Some(2) });
        assert!(FaultFile::parse("[[fault]]\neffect = { kind = \"explode\" }").is_err());
        assert!(
            FaultFile::parse("[[fault]]\nwhen = { pth = \"x\" }\neffect = { kind = \"drop\" }")
                .is_err()
        );
    }
}
