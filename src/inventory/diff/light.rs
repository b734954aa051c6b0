//! [`Light`]: as much of a grant's line as tells whether the grant is as it was, borrowed from the text.
//!
//! Reading dominates a comparison, and most lines are grants that did not change. What this cannot read, the full reader does.

use aws_lc_rs::digest::{SHA256, digest};
use grantwarden_kit::model::{Gap, Observed};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::fact::{Fact, GapSet};

/// A line with a grant. Anything else, or anything more, is not read by it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Light<'a> {
    #[serde(borrow)]
    tenant: &'a RawValue,
    #[serde(borrow)]
    record: LightRecord<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LightRecord<'a> {
    #[serde(borrow)]
    grant: LightGrant<'a>,
}

#[derive(Deserialize)]
struct LightGrant<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    app: &'a RawValue,
    #[serde(borrow)]
    holder: LightHolder<'a>,
    #[serde(borrow)]
    scopes: &'a RawValue,
    #[serde(borrow)]
    granted_at: &'a RawValue,
    #[serde(borrow)]
    expires: &'a RawValue,
    #[serde(borrow)]
    network: LightNetwork<'a>,
    #[serde(borrow)]
    approval: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LightHolder<'a> {
    #[serde(borrow)]
    Principal(LightPrincipal<'a>),
    Tenant,
    App,
}

#[derive(Deserialize)]
struct LightPrincipal<'a> {
    #[serde(borrow)]
    status: &'a RawValue,
}

#[derive(Deserialize)]
struct LightNetwork<'a> {
    #[serde(borrow)]
    binding: &'a RawValue,
}

/// 128 bits of SHA-256.
pub(super) type Hash = [u8; 16];

impl<'a> Light<'a> {
    /// `None`: the line is not a grant, or not one that this can read.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The tenant's name; `None` if it is not plain text.
    pub(super) fn tenant(&self) -> Option<&'a str> {
        plain(self.tenant)
    }

    /// The app's id; `None` if it is not plain text.
    pub(super) fn app(&self) -> Option<&'a str> {
        plain(self.record.grant.app)
    }

    /// Hash of the grant's id; `None` if it is not plain text.
    pub(super) fn id(&self) -> Option<Hash> {
        plain(self.record.grant.id).map(|id| hash(id.as_bytes()))
    }

    /// The facts that are compared, in the order of [`Fact::OF_GRANT`].
    fn facts(&self) -> [Option<&'a RawValue>; Fact::OF_GRANT.len()] {
        let grant = &self.record.grant;
        let status = match &grant.holder {
            LightHolder::Principal(principal) => Some(principal.status),
            LightHolder::Tenant | LightHolder::App => None,
        };
        [
            Some(grant.scopes),
            Some(grant.granted_at),
            Some(grant.expires),
            Some(grant.network.binding),
            Some(grant.approval),
            status,
        ]
    }

    /// Hash of all that is compared, and in `unseen` the text of those facts that are not visible. `None` if one is no fact.
    pub(super) fn compared(&self, scratch: &mut String, unseen: &mut String) -> Option<Hash> {
        scratch.clear();
        unseen.clear();
        // No fact holds a line break outside its strings, and none inside them: JSON escapes it.
        for (at, fact) in self.facts().into_iter().enumerate() {
            let text = fact.map_or("", RawValue::get);
            scratch.push_str(text);
            scratch.push('\n');
            if text.starts_with("{\"known\":") || text == "\"absent\"" || text.is_empty() {
                continue;
            }
            match serde_json::from_str::<Observed<IgnoredAny>>(text).ok()? {
                Observed::Known(_) | Observed::Absent => {}
                Observed::Unknown(_) => {
                    unseen.push(char::from(b'0' + u8::try_from(at).ok()?));
                    unseen.push_str(text);
                }
            }
        }
        Some(hash(scratch.as_bytes()))
    }

    /// The facts that are not visible, and why.
    pub(super) fn gaps(&self) -> GapSet {
        let facts = Fact::OF_GRANT.into_iter().zip(self.facts());
        facts.filter_map(|(fact, text)| Some((fact, gap(text?)?))).collect()
    }
}

fn gap(text: &RawValue) -> Option<Gap> {
    match serde_json::from_str::<Observed<IgnoredAny>>(text.get()) {
        Ok(Observed::Unknown(gap)) => Some(gap),
        Ok(Observed::Known(_) | Observed::Absent) | Err(_) => None,
    }
}

/// A JSON string without escapes.
fn plain(raw: &RawValue) -> Option<&str> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

/// 128 bits of SHA-256: two different texts with the same one are not to be found, not even on purpose.
pub(super) fn hash(bytes: &[u8]) -> Hash {
    let mut short = Hash::default();
    short.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tells_texts_apart() {
        assert_ne!(hash(b"a"), hash(b"b"));
        assert_eq!(hash(b"a"), hash(b"a"));
    }

    #[test]
    fn other_lines_are_not_read() {
        assert!(Light::read(r#"{"end":3}"#).is_none());
        assert!(Light::read(r#"{"tenant":"a","record":{"app":{"id":"1"}}}"#).is_none());
        assert!(Light::read("{").is_none());
    }
}
