//! Just enough XML for SOAP: a small tree to read requests into, and escaping for replies.

use quick_xml::NsReader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// An element, under its local name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Self>,
    pub(crate) text: String,
}

impl Element {
    /// Reads a document.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut reader = NsReader::from_str(text);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            let (namespace, event) = reader.read_resolved_event().ok()?;
            let namespace = match namespace {
                ResolveResult::Bound(namespace) => {
                    String::from_utf8_lossy(namespace.as_ref()).into_owned()
                }
                ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
            };
            match event {
                Event::Start(start) => open.push(Self::start(&start, namespace)?),
                Event::Empty(start) => {
                    let element = Self::start(&start, namespace)?;
                    open.last_mut()?.children.push(element);
                }
                Event::End(_) => {
                    let element = open.pop()?;
                    open.last_mut()?.children.push(element);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
                Event::CData(data) => open.last_mut()?.text.push_str(&data.decode().ok()?),
                Event::GeneralRef(name) => {
                    let name = name.decode().ok()?;
                    let resolved =
                        quick_xml::escape::unescape(&format!("&{name};")).ok()?.into_owned();
                    open.last_mut()?.text.push_str(&resolved);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let mut document = open.pop().filter(|_| open.is_empty())?;
        document.children.pop().filter(|_| document.children.is_empty())
    }

    fn start(start: &BytesStart<'_>, namespace: String) -> Option<Self> {
        let local = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let value = String::from_utf8_lossy(&attribute.value).into_owned();
            attributes.push((local(attribute.key.local_name().as_ref()), value));
        }
        let name = local(start.local_name().as_ref());
        Some(Self { name, namespace, attributes, ..Self::default() })
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The trimmed text of the first child of this name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// An attribute by its local name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Writes elements, escaping text.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) String);

impl Writer {
    /// `<name>text</name>`.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        self.0.push_str(&format!("<{name}>{}</{name}>", escape(text)));
    }

    /// The same, or nothing.
    pub(crate) fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    /// `<name>true</name>`.
    pub(crate) fn flag(&mut self, name: &str, bit: bool) {
        self.leaf(name, if bit { "true" } else { "false" });
    }

    /// An element with elements in it; `attributes` starts with a space if there are any.
    pub(crate) fn nest(&mut self, name: &str, attributes: &str, inside: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}{attributes}>"));
        inside(self);
        self.0.push_str(&format!("</{name}>"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_namespaces_references_and_empty_elements() {
        let element = Element::parse(
            "<a:x xmlns:a='urn:a' xmlns='urn:b'><y k='v'>1 &lt; 2 &amp;&#65;</y><z/></a:x>",
        )
        .unwrap();
        assert_eq!((element.name.as_str(), element.namespace.as_str()), ("x", "urn:a"));
        assert_eq!(element.value("y"), Some("1 < 2 &A"));
        assert_eq!(element.child("y").unwrap().namespace, "urn:b");
        assert_eq!(element.child("y").unwrap().attribute("k"), Some("v"));
        assert_eq!(element.value("z"), Some(""));
        for bad in ["", "<a>", "<a></b>", "<a/><b/>", "no"] {
            assert_eq!(Element::parse(bad), None, "{bad}");
        }
    }
}
