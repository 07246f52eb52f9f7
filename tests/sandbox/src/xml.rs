//! AWS's XML: a writer for responses, and a reader for the few requests that have an XML body.

use std::fmt::Display;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

/// Escapes text for XML. Control characters become references, which clients accept although XML 1.0 forbids them: AWS sends
/// none, but other servers may.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in escape(text).chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out += &format!("&#x{:X};", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

/// An XML fragment under construction.
#[derive(Debug, Default, Clone)]
pub(crate) struct Xml(String);

impl Xml {
    /// Returns a fragment that `fill` writes.
    pub(crate) fn build(fill: impl FnOnce(&mut Xml)) -> Xml {
        let mut xml = Xml::default();
        fill(&mut xml);
        xml
    }

    /// Writes `<name>value</name>`, escaped.
    pub(crate) fn text(&mut self, name: &str, value: impl Display) {
        let value = value.to_string();
        self.0 += &format!("<{name}>{}</{name}>", escaped(&value));
    }

    /// Writes `<name>value</name>`, or nothing.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Writes `<name>…</name>` around the output of `fill`.
    pub(crate) fn element(&mut self, name: &str, fill: impl FnOnce(&mut Xml)) {
        self.0 += &format!("<{name}>");
        fill(self);
        self.0 += &format!("</{name}>");
    }

    /// Writes `<name><member>…</member>…</name>`, a list of the query protocol.
    pub(crate) fn members<T>(&mut self, name: &str, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Xml, T)) {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| write(xml, item));
            }
        });
    }

    /// Writes escaped text, as in a list of strings.
    pub(crate) fn content(&mut self, value: &str) {
        self.0 += &escaped(value);
    }

    /// Appends another fragment.
    pub(crate) fn append(&mut self, other: &Xml) {
        self.0 += &other.0;
    }

    /// Returns a document whose root has an XML namespace.
    pub(crate) fn document(root: &str, namespace: &str, content: &Xml) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{namespace}\">{}</{root}>", content.0)
    }

    /// Returns a document whose root has no namespace, as in S3's errors.
    pub(crate) fn plain_document(root: &str, content: &Xml) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{}</{root}>", content.0)
    }
}

/// A parsed element: name without prefix, text, children.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Returns the root element of a document; `None` if it is not well-formed XML.
    pub(crate) fn parse(document: &str) -> Option<Element> {
        let mut reader = Reader::from_str(document);
        let mut open = vec![Element::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => open.push(Element::named(tag.local_name().as_ref())),
                Event::Empty(tag) => open.last_mut()?.children.push(Element::named(tag.local_name().as_ref())),
                Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Event::Text(text) => open.last_mut()?.text += &text.xml10_content(),
                Event::CData(text) => open.last_mut()?.text += &text,
                Event::GeneralRef(entity) => {
                    let text = &mut open.last_mut()?.text;
                    match entity.resolve_char_ref().ok()? {
                        Some(character) => text.push(character),
                        None => *text += resolve_predefined_entity(&entity)?,
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        // Another open element besides the root's holder means that the document is truncated.
        let mut holder = open.pop().filter(|_| open.is_empty())?;
        (holder.children.len() == 1).then(|| holder.children.pop()).flatten()
    }

    fn named(name: &str) -> Element {
        Element { name: name.to_owned(), ..Element::default() }
    }

    /// Returns the first child with that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns the trimmed text of the first child with that name.
    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_escaped_and_reads_back() {
        let fragment = Xml::build(|xml| {
            xml.text("Key", "a<b & \"c\"");
            xml.members("Tags", ["x", "y"], |xml, tag| xml.text("Value", tag));
        });
        let root = Element::parse(&Xml::document("Root", "urn:x", &fragment)).unwrap();
        assert_eq!(root.child_text("Key"), Some("a<b & \"c\""));
        assert_eq!(root.child("Tags").unwrap().children.len(), 2);
    }

    #[test]
    fn refuses_what_is_cut_off_or_no_xml() {
        for broken in ["<a><b>", "", "hello", "<a></b>", "<a>&nonsense;</a>"] {
            assert_eq!(Element::parse(broken), None, "{broken}");
        }
    }
}
