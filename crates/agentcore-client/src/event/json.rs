//! The JSON of one event, read once from end to end into a list of its values, and more leniently than RFC 8259 has it. Judges no
//! meaning.
//!
//! Python writes `NaN`, models write half a surrogate pair, and some agents write raw control characters: none of that may cost the
//! event. Strings and numbers stay slices of the event's data; only a string with escapes is copied, when it is asked for.

mod scan;
mod unescape;

use bytestring::ByteString;

use self::scan::{Node, length_bit};
pub(super) use self::{
    scan::{Kind, Values},
    unescape::Halves,
};

/// A value within an event's data.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    nodes: &'a [Node],
    data: &'a ByteString,
    index: usize,
}

impl Values {
    /// Reads the data, if all of it is one JSON value.
    pub(super) fn read<'a>(&'a mut self, data: &'a ByteString) -> Option<Json<'a>> {
        Some(Json { nodes: self.list(data)?, data, index: 0 })
    }
}

impl<'a> Json<'a> {
    fn node(self) -> &'a Node {
        &self.nodes[self.index]
    }

    fn at(self, index: usize) -> Self {
        Self { index, ..self }
    }

    fn raw(self) -> &'a str {
        let node = self.node();
        &self.data[node.start as usize..node.end as usize]
    }

    fn bytes(self) -> &'a [u8] {
        let node = self.node();
        &self.data.as_bytes()[node.start as usize..node.end as usize]
    }

    pub(super) fn kind(self) -> Kind {
        self.node().kind
    }

    /// The JSON itself, shared with the event.
    pub(super) fn text(self) -> ByteString {
        let node = self.node();
        let quote = usize::from(self.is_string());
        self.data.slice_ref(&self.data[node.start as usize - quote..node.end as usize + quote])
    }

    pub(super) fn is_string(self) -> bool {
        matches!(self.kind(), Kind::String | Kind::Escaped)
    }

    /// The string, shared with the event where it has no escapes.
    pub(super) fn string(self) -> Option<ByteString> {
        match self.kind() {
            Kind::String => Some(self.data.slice_ref(self.raw())),
            Kind::Escaped => Some(unescape::unescape(self.raw()).into()),
            _ => None,
        }
    }

    /// The string, if it has no escapes: for names, which have none.
    pub(super) fn str(self) -> Option<&'a str> {
        (self.kind() == Kind::String).then(|| self.raw())
    }

    /// Whether it is this string.
    #[inline]
    pub(super) fn is(self, text: &str) -> bool {
        let node = self.node();
        match node.kind {
            // Most names differ in length.
            Kind::String => (node.end - node.start) as usize == text.len() && self.bytes() == text.as_bytes(),
            Kind::Escaped => unescape::unescape(self.raw()) == text,
            _ => false,
        }
    }

    /// The digits of a number.
    pub(super) fn digits(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// What stands where a text is expected: the string, or a number by its digits, which some agents forget to quote.
    pub(super) fn words(self) -> Option<ByteString> {
        match self.kind() {
            Kind::Number => Some(self.text()),
            _ => self.string(),
        }
    }

    /// The string, or the JSON of what is none.
    pub(super) fn plain(self) -> ByteString {
        self.string().unwrap_or_else(|| self.text())
    }

    pub(super) fn is_true(self) -> bool {
        self.kind() == Kind::True
    }

    /// Whether it says nothing: null, false, 0, an empty string, or an array or object of such values only.
    pub(super) fn is_nothing(self) -> bool {
        match self.kind() {
            Kind::Null | Kind::False => true,
            Kind::True | Kind::Large => false,
            Kind::Number => self.raw().parse() == Ok(0.0),
            Kind::String | Kind::Escaped => self.raw().trim().is_empty(),
            Kind::Array => self.items().all(Self::is_nothing),
            Kind::Object => self.members().all(|(_, value)| value.is_nothing()),
        }
    }

    /// The items of an array; of anything else there are none.
    pub(super) fn items(self) -> impl Iterator<Item = Self> + Clone {
        let end = if self.kind() == Kind::Array { self.node().next as usize } else { 0 };
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            let item = (index < end).then(|| self.at(index))?;
            index = item.node().next as usize;
            Some(item)
        })
    }

    pub(super) fn array(self) -> Option<Vec<Self>> {
        (self.kind() == Kind::Array).then(|| self.items().collect())
    }

    pub(super) fn object(self) -> Option<Object<'a>> {
        (self.kind() == Kind::Object).then_some(Object(self))
    }

    /// The members of an object, each by its name's node.
    fn members(self) -> impl Iterator<Item = (Self, Self)> + Clone {
        let end = if self.kind() == Kind::Object { self.node().next as usize } else { 0 };
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            let name = (index < end).then(|| self.at(index))?;
            let value = self.at(index + 1);
            index = value.node().next as usize;
            Some((name, value))
        })
    }

    /// The member of an object; see [`Object::get`].
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.object()?.get(key)
    }
}

/// An object.
#[derive(Clone, Copy)]
pub(super) struct Object<'a>(Json<'a>);

impl<'a> Object<'a> {
    /// The member, the last where several have the name; `null` is none.
    pub(super) fn get(self, key: &str) -> Option<Json<'a>> {
        let mut found = None;
        if self.0.node().lengths & length_bit(key.len()) == 0 {
            return None;
        }
        for (name, value) in self.0.members() {
            if name.is(key) {
                found = Some(value);
            }
        }
        found.filter(|value| value.kind() != Kind::Null)
    }

    /// Several members at one walk; see [`get`](Self::get).
    pub(super) fn get_all<const N: usize>(self, keys: [&str; N]) -> [Option<Json<'a>>; N] {
        let mut found = [None; N];
        if self.0.node().lengths & keys.iter().fold(0, |bits, key| bits | length_bit(key.len())) == 0 {
            return found;
        }
        for (name, value) in self.0.members() {
            if let Some(index) = keys.iter().position(|key| name.is(key)) {
                found[index] = (value.kind() != Kind::Null).then_some(value);
            }
        }
        found
    }

    /// The member, if it is a string.
    pub(super) fn string(self, key: &str) -> Option<ByteString> {
        self.get(key)?.string()
    }

    /// The member, if it is a string without escapes.
    pub(super) fn str(self, key: &str) -> Option<&'a str> {
        self.get(key)?.str()
    }

    /// The member, if it stands where a text is expected; see [`Json::words`].
    pub(super) fn words(self, key: &str) -> Option<ByteString> {
        self.get(key)?.words()
    }

    /// Whether the member is this string.
    pub(super) fn is(self, key: &str, text: &str) -> bool {
        self.get(key).is_some_and(|value| value.is(text))
    }

    pub(super) fn has(self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn len(self) -> usize {
        self.0.members().count()
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.node().next as usize == self.0.index + 1
    }

    /// The members with their names.
    pub(super) fn entries(self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> + Clone {
        self.0.members()
    }

    pub(super) fn values(self) -> impl Iterator<Item = Json<'a>> + Clone {
        self.0.members().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests;
