//! [`Light`]: as much of a grant's line as tells whether the grant is as it was, borrowed from the text.
//!
//! Reading dominates a comparison, and most lines are grants that did not change. What this cannot read, the full reader does; what this reads,
//! the full reader could read, too.

use aws_lc_rs::digest::{SHA256, digest};
use grantwarden_kit::model::{Gap, Observed};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    fact::{Fact, GapSet, gravest, is_use},
    shape::{self, CHECKS, COMPARED, FACTS, Shapes},
};

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
    app_name: &'a RawValue,
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(borrow)]
    holder: LightHolder<'a>,
    #[serde(borrow)]
    scopes: &'a RawValue,
    #[serde(borrow)]
    granted_at: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    granted_by: Option<&'a RawValue>,
    #[serde(borrow)]
    last_used_at: &'a RawValue,
    #[serde(borrow)]
    use_count: &'a RawValue,
    #[serde(borrow)]
    expires: &'a RawValue,
    #[serde(borrow)]
    refreshable: &'a RawValue,
    #[serde(borrow)]
    network: LightNetwork<'a>,
    #[serde(borrow)]
    sender_constrained: &'a RawValue,
    #[serde(borrow)]
    approval: &'a RawValue,
    #[serde(borrow, default)]
    settings: Vec<LightSetting<'a>>,
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
    id: &'a RawValue,
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(borrow)]
    status: &'a RawValue,
    #[serde(borrow)]
    privileges: &'a RawValue,
    #[serde(borrow)]
    last_login_at: &'a RawValue,
}

#[derive(Deserialize)]
struct LightNetwork<'a> {
    #[serde(borrow)]
    binding: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    look_alikes: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct LightSetting<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// A member that may be missing, but not be null.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
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

    /// The texts of all that has a type, in the order of [`super::shape::CHECKS`]: first those facts that are compared.
    fn texts(&self) -> [Option<&'a RawValue>; CHECKS.len()] {
        let grant = &self.record.grant;
        let principal = match &grant.holder {
            LightHolder::Principal(principal) => Some(principal),
            LightHolder::Tenant | LightHolder::App => None,
        };
        [
            Some(grant.scopes),
            Some(grant.granted_at),
            Some(grant.expires),
            Some(grant.network.binding),
            Some(grant.approval),
            principal.map(|principal| principal.status),
            Some(grant.refreshable),
            Some(grant.sender_constrained),
            Some(grant.kind),
            principal.map(|principal| principal.id),
            Some(grant.app_name),
            grant.granted_by,
            Some(grant.last_used_at),
            Some(grant.use_count),
            grant.network.look_alikes,
            principal.map(|principal| principal.name),
            principal.map(|principal| principal.kind),
            principal.map(|principal| principal.privileges),
            principal.map(|principal| principal.last_login_at),
        ]
    }

    /// Hash of all that is compared, and in `scratch.unseen` the text of those facts that are not visible. `None` if something is not what
    /// it must be; the full reader says what.
    pub(super) fn compared(&self, scratch: &mut Scratch) -> Option<Hash> {
        let Scratch { text: all, unseen, shapes } = scratch;
        all.clear();
        unseen.clear();
        // No text holds a line break outside its strings, and none inside them: JSON escapes it.
        let mut add = |text: &str| {
            all.push_str(text);
            all.push('\n');
        };
        for (at, text) in self.texts().into_iter().enumerate() {
            let is_unseen = text.map_or(Some(false), |text| shapes.check(at, text.get()))?;
            let text = text.map_or("", RawValue::get);
            if at < COMPARED {
                add(text);
            }
            if is_unseen && at < FACTS {
                note(unseen, at, text)?;
            }
        }
        let grant = &self.record.grant;
        add(grant.app.get());
        add(match grant.holder {
            LightHolder::Principal(_) => "principal",
            LightHolder::Tenant => "tenant",
            LightHolder::App => "app",
        });
        for LightSetting { name, value } in &grant.settings {
            let is_unseen = shape::text(value.get())?;
            if is_use(&serde_json::from_str::<String>(name.get()).ok()?) {
                continue;
            }
            add(name.get());
            add(value.get());
            if is_unseen {
                note(unseen, FACTS, value.get())?;
            }
        }
        Some(hash(all.as_bytes()))
    }

    /// The facts that are not visible, and why.
    pub(super) fn gaps(&self) -> GapSet {
        let texts = Fact::OF_GRANT.into_iter().zip(self.texts()).take(FACTS);
        let mut gaps: GapSet = texts.filter_map(|(fact, text)| Some((fact, gap(text?)?))).collect();
        let settings = self.record.grant.settings.iter().filter(|setting| {
            serde_json::from_str::<String>(setting.name.get()).is_ok_and(|name| !is_use(&name))
        });
        let of_settings = gravest(settings.filter_map(|setting| gap(setting.value)));
        gaps.extend(of_settings.map(|gap| (Fact::Settings, gap)));
        gaps
    }
}

/// Texts that are used again for every line.
#[derive(Default)]
pub(super) struct Scratch {
    text: String,
    pub(super) unseen: String,
    shapes: Shapes,
}

/// Notes the text of a fact that is not visible.
fn note(unseen: &mut String, at: usize, text: &str) -> Option<()> {
    unseen.push(char::from(b'0' + u8::try_from(at).ok()?));
    unseen.push_str(text);
    Some(())
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
