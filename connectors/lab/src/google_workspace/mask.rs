//! Field masks (`fields=nextPageToken,users(id,name/fullName)`): parsing, checking against what a
//! resource has, and cutting a reply. It knows no resource; each brings the mask of all its fields.

use serde_json::{Map, Value as Json};

/// A mask: names with what is wanted below each, or everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mask {
    All,
    Some(Vec<(String, Self)>),
}

impl Mask {
    /// Reads a mask; the error is the part that cannot be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text };
        let mask = parser.list()?;
        if parser.rest.is_empty() { Ok(mask) } else { Err(parser.rest.to_owned()) }
    }

    /// The first name that `known` does not have. Below a name that `known` tells nothing about,
    /// every name is let through.
    pub(crate) fn unknown_in(&self, known: &Self) -> Option<String> {
        let (Self::Some(wanted), Self::Some(known)) = (self, known) else { return None };
        wanted.iter().find_map(|(name, below)| {
            match known.iter().find(|(candidate, _)| candidate == name) {
                _ if name == "*" => None,
                None => Some(name.clone()),
                Some((_, known)) => below.unknown_in(known),
            }
        })
    }

    /// Cuts a value down to the mask; lists are cut item by item.
    pub(crate) fn cut(&self, value: Json) -> Json {
        let Self::Some(wanted) = self else { return value };
        match value {
            Json::Array(items) => items.into_iter().map(|item| self.cut(item)).collect(),
            Json::Object(fields) => {
                let mut kept = Map::new();
                for (name, value) in fields {
                    let below =
                        wanted.iter().find(|(candidate, _)| *candidate == name || candidate == "*");
                    if let Some((_, below)) = below {
                        kept.insert(name, below.cut(value));
                    }
                }
                Json::Object(kept)
            }
            plain => plain,
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn list(&mut self) -> Result<Mask, String> {
        let mut fields: Vec<(String, Mask)> = Vec::new();
        loop {
            let (name, below) = self.field()?;
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => merge(known, below),
                None => fields.push((name, below)),
            }
            if !self.take(',') {
                break;
            }
        }
        let everything = fields.iter().any(|(name, below)| name == "*" && *below == Mask::All);
        Ok(if everything { Mask::All } else { Mask::Some(fields) })
    }

    fn field(&mut self) -> Result<(String, Mask), String> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '*'))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.rest.to_owned());
        }
        let name = name.to_owned();
        self.rest = rest;
        if self.take('/') {
            let below = self.field()?;
            return Ok((name, Mask::Some(vec![below])));
        }
        if self.take('(') {
            let below = self.list()?;
            if !self.take(')') {
                return Err(self.rest.to_owned());
            }
            return Ok((name, below));
        }
        Ok((name, Mask::All))
    }

    fn take(&mut self, expected: char) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// `a/b,a/c` is `a(b,c)`.
fn merge(known: &mut Mask, more: Mask) {
    match (known, more) {
        (Mask::Some(fields), Mask::Some(more)) => {
            for (name, below) in more {
                match fields.iter_mut().find(|(candidate, _)| *candidate == name) {
                    Some((_, known)) => merge(known, below),
                    None => fields.push((name, below)),
                }
            }
        }
        (known, Mask::All) => *known = Mask::All,
        (Mask::All, Mask::Some(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cut(mask: &str) -> Json {
        let value = json!({
            "kind": "k",
            "users": [
                { "id": "1", "name": { "fullName": "A B", "givenName": "A" }, "suspended": false },
                { "id": "2", "name": { "fullName": "C D" } },
            ],
        });
        Mask::parse(mask).unwrap().cut(value)
    }

    #[test]
    fn cuts_by_every_form() {
        assert_eq!(cut("kind"), json!({ "kind": "k" }));
        assert_eq!(
            cut("users(id,name/fullName)"),
            json!({ "users": [
                { "id": "1", "name": { "fullName": "A B" } },
                { "id": "2", "name": { "fullName": "C D" } },
            ] })
        );
        assert_eq!(cut("users/id,users/suspended"), cut("users(id,suspended)"));
        assert_eq!(cut("users/name(givenName)"), cut("users(name/givenName)"));
        assert_eq!(cut("*")["users"][0]["suspended"], false);
        assert_eq!(cut("users/*")["users"][1]["id"], "2");
        assert_eq!(cut("nextPageToken"), json!({}));
    }

    proptest::proptest! {
        #[test]
        fn a_mask_never_adds_and_cutting_twice_changes_nothing(text in "[ab*/(),]{1,16}") {
            let value = json!({ "a": { "a": 1, "b": [{ "a": 2, "c": 3 }] }, "b": 4, "c": 5 });
            if let Ok(mask) = Mask::parse(&text) {
                let once = mask.cut(value.clone());
                proptest::prop_assert_eq!(mask.cut(once.clone()), once.clone());
                proptest::prop_assert!(once.to_string().len() <= value.to_string().len());
            }
        }
    }

    #[test]
    fn refuses_what_is_no_mask_and_names_what_is_unknown() {
        for bad in ["", "users(", "users(id", "users)", "a,,b", "a/", "users()"] {
            assert!(Mask::parse(bad).is_err(), "{bad}");
        }
        let known = Mask::parse("kind,users(id,name(fullName))").unwrap();
        let unknown = |mask: &str| Mask::parse(mask).unwrap().unknown_in(&known);
        assert_eq!(unknown("users(id,name/fullName)"), None);
        assert_eq!(unknown("users(bogus)"), Some("bogus".to_owned()));
        assert_eq!(unknown("user"), Some("user".to_owned()));
        assert_eq!(unknown("*"), None);
    }
}
