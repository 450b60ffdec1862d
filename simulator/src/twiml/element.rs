//! XML as a tree, which is all that TwiML needs of it.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// The text of this element and of those inside it, as it would be spoken: SSML is read away.
    pub(super) text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    pub(super) fn attribute_names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }

    /// What a voice says for it inside other text.
    fn spoken(&self) -> &str {
        match self.name.as_str() {
            "sub" => self.attribute("alias").unwrap_or(&self.text),
            "break" => " ",
            _ => &self.text,
        }
    }
}

/// The root of a document, or what is wrong with the XML.
pub(super) fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let closed = match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => {
                open.push(element(&tag)?);
                None
            }
            Event::Empty(tag) => Some(element(&tag)?),
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                add_text(&mut open, &text.xml_content(XmlVersion::Implicit1_0))?;
                None
            }
            Event::CData(text) => {
                add_text(&mut open, &text.xml_content(XmlVersion::Implicit1_0))?;
                None
            }
            Event::GeneralRef(reference) => {
                add_text(&mut open, &resolve(&reference)?)?;
                None
            }
            Event::Eof => break,
            _ => None,
        };
        let Some(closed) = closed else { continue };
        match open.last_mut() {
            Some(parent) => {
                parent.text.push_str(closed.spoken());
                parent.children.push(closed);
            }
            None if root.is_none() => root = Some(closed),
            None => return Err("more than one root".to_owned()),
        }
    }
    match open.last() {
        Some(element) => Err(format!("<{}> is not closed", element.name)),
        None => root.ok_or_else(|| "no root".to_owned()),
    }
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => {}
        None => return Err("text outside the root".to_owned()),
    }
    Ok(())
}

fn element(tag: &BytesStart<'_>) -> Result<Element, String> {
    let mut element = Element { name: tag.name().as_ref().to_owned(), ..Element::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    let whole = format!("&{};", &**reference);
    quick_xml::escape::unescape(&whole).map(|text| text.into_owned()).map_err(|error| error.to_string())
}
