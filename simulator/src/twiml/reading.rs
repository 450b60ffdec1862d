//! Reading one element: its attributes become types, and what Twilio would object to is kept.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::element::Element;
use super::{Link, Remark};
use crate::call::Method;

/// The document does not fit Twilio's schema; what does not fit is passed over.
pub(super) const SCHEMA: u32 = 12200;

/// An element being read. A value that is wrong is remarked on, and the default holds.
pub(super) struct Reading<'a> {
    pub(super) element: &'a Element,
    known: Vec<&'static str>,
    remarks: &'a mut Vec<Remark>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(element: &'a Element, remarks: &'a mut Vec<Remark>) -> Reading<'a> {
        Reading { element, known: Vec::new(), remarks }
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    /// Attributes that exist and change nothing here.
    pub(super) fn without_effect(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    /// A value that `read` understands.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        code: u32,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.value(name)?;
        let value = read(text.trim());
        if value.is_none() {
            self.remark(code, format!("invalid {name} {text:?}"));
        }
        value
    }

    pub(super) fn number(&mut self, name: &'static str, code: u32, range: RangeInclusive<u64>) -> Option<u64> {
        self.parsed(name, code, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// Whole seconds.
    pub(super) fn seconds(&mut self, name: &'static str, code: u32, range: RangeInclusive<u64>) -> Option<Duration> {
        self.number(name, code, range).map(Duration::from_secs)
    }

    pub(super) fn flag(&mut self, name: &'static str, code: u32) -> Option<bool> {
        self.parsed(name, code, |text| text.parse().ok())
    }

    pub(super) fn method(&mut self, name: &'static str, code: u32) -> Method {
        self.parsed(name, code, Method::parse).unwrap_or_default()
    }

    /// The webhook that `url` and `method` name, if any.
    pub(super) fn link(&mut self, url: &'static str, method: &'static str, code: u32) -> Option<Link> {
        let method = self.method(method, code);
        let url = self.text(url)?;
        Some(Link { url, method })
    }

    /// How often something is said or played; `None` is without end.
    pub(super) fn times(&mut self, code: u32) -> Option<u32> {
        match self.parsed("loop", code, |text| text.parse::<u32>().ok()) {
            Some(0) => None,
            times => Some(times.unwrap_or(1)),
        }
    }

    /// The elements inside, each read in its turn; `read` gives nothing for one that does not belong there.
    pub(super) fn inside<T>(
        &mut self,
        code: u32,
        mut read: impl FnMut(&Element, &mut Vec<Remark>) -> Inside<T>,
    ) -> Vec<T> {
        let mut taken = Vec::new();
        for child in &self.element.children {
            match read(child, self.remarks) {
                Inside::Taken(value) => taken.push(value),
                Inside::Faulty => {}
                Inside::Stranger => self.remark(code, format!("<{}> does not belong here", child.name)),
            }
        }
        taken
    }

    /// Nothing may be inside.
    pub(super) fn nothing_inside(&mut self) {
        self.inside(SCHEMA, |_, _| Inside::<()>::Stranger);
    }

    pub(super) fn remark(&mut self, code: u32, message: impl std::fmt::Display) {
        let message = format!("<{}>: {message}", self.element.name);
        self.remarks.push(Remark { code, message });
    }

    /// It is Twilio's, and nobody carries it out here.
    pub(super) fn not_simulated(&mut self) {
        self.remark(0, "Twilio has it, but it is not simulated");
    }

    /// All attributes have been asked for: any other is not Twilio's.
    pub(super) fn done(mut self) {
        let strangers: Vec<&str> = self.element.attribute_names().filter(|name| !self.known.contains(name)).collect();
        for name in strangers {
            self.remark(SCHEMA, format!("attribute {name} is not allowed"));
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.push(name);
        self.element.attribute(name)
    }
}

/// What became of an element inside another.
pub(super) enum Inside<T> {
    Taken(T),
    /// It may be there, but cannot be carried out; that was remarked on.
    Faulty,
    Stranger,
}

/// Whether it is a key of a telephone.
pub(super) fn is_key(character: char) -> bool {
    matches!(character, '0'..='9' | '*' | '#')
}
