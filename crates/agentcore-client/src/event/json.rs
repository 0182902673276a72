//! JSON read one level at a time, in place: what is not asked for is not parsed, and strings without escapes are not copied.

use std::{borrow::Cow, fmt};

use bytestring::ByteString;
use serde::{
    Deserialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A value within an event's data.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    data: &'a ByteString,
    text: &'a str,
}

impl<'a> Json<'a> {
    /// The whole data, if it is JSON.
    pub(super) fn parse(data: &'a ByteString) -> Option<Self> {
        let value: &RawValue = serde_json::from_str(data).ok()?;
        Some(Self { data, text: value.get() })
    }

    /// The JSON itself, shared with the event.
    pub(super) fn text(self) -> ByteString {
        self.data.slice_ref(self.text)
    }

    /// The string, shared with the event where it has no escapes.
    pub(super) fn string(self) -> Option<ByteString> {
        match serde_json::from_str::<&str>(self.text) {
            Ok(borrowed) => Some(self.data.slice_ref(borrowed)),
            Err(_) => serde_json::from_str::<String>(self.text).ok().map(ByteString::from),
        }
    }

    /// The string, or the JSON of what is none.
    pub(super) fn plain(self) -> ByteString {
        self.string().unwrap_or_else(|| self.text())
    }

    pub(super) fn array(self) -> Option<Vec<Self>> {
        let items: Vec<&RawValue> = serde_json::from_str(self.text).ok()?;
        Some(items.into_iter().map(|item| Self { data: self.data, text: item.get() }).collect())
    }

    pub(super) fn object(self) -> Option<Object<'a>> {
        if !self.text.starts_with('{') {
            return None;
        }
        let Members(members) = serde_json::from_str(self.text).ok()?;
        Some(Object { data: self.data, members })
    }

    /// A member of an object of which nothing else is of interest.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.object()?.get(key)
    }

    pub(super) fn is_true(self) -> bool {
        self.text == "true"
    }
}

/// An object, whose members have been told apart and not looked into.
pub(super) struct Object<'a> {
    data: &'a ByteString,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// The member; `null` is none.
    pub(super) fn get(&self, key: &str) -> Option<Json<'a>> {
        let (_, value) = self.members.iter().rfind(|(name, _)| name == key)?;
        (value.get() != "null").then_some(Json { data: self.data, text: value.get() })
    }

    /// The member, if it is a string.
    pub(super) fn string(&self, key: &str) -> Option<ByteString> {
        self.get(key)?.string()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = Json<'a>> {
        self.members.iter().map(|(_, value)| Json { data: self.data, text: value.get() })
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadMembers).map(Self)
    }
}

struct ReadMembers;

impl<'de> Visitor<'de> for ReadMembers {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(members)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
