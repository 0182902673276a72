//! A question of an agent that stopped, and which of its conversations the answer belongs to. Plain data; reads no event.

use bytestring::ByteString;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Dialect;

/// What an agent needs from outside before it goes on: an approval, a value, a tool that the caller runs.
///
/// It is neither text nor an error: the answer is complete, and the agent goes on when it is invoked again in the same session with
/// the answers; [`resume`](crate::event::resume) makes that payload. Only MCP's `elicitation/create` comes within an answer, which
/// goes on when it was answered by another call, and what AutoGen asks of a user among its agents, who answers where the agent runs.
///
/// As JSON it has the fields below, `schema` as JSON and an unknown `dialect` as null.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interrupt {
    /// What it is answered by; empty where the agent gives no id.
    pub id: ByteString,
    /// What asks, by the agent's own name for it, or what kind of question it is; often empty.
    pub name: ByteString,
    /// What is asked: the text, or the JSON of what is not only text. Empty where the agent does not say.
    pub reason: ByteString,
    /// The JSON Schema of the answer, if there is one.
    pub schema: Option<ByteString>,
    /// The dialect in which it was asked, and is answered; none if a dialect of the user's own made it.
    pub dialect: Option<Dialect>,
    pub(super) origin: Origin,
}

/// Where an interrupt came up, as far as its answer has to say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is known by its id, or by nothing.
    #[default]
    Id,
    /// A thread of AG-UI.
    Thread(ByteString),
    /// A thread of AG-UI whose interrupts have no ids, as LangGraph's adapter writes them by default.
    NamelessThread(ByteString),
    /// A task of A2A and its context. Version 1 has other names than 0.3.
    Task { task: ByteString, context: ByteString, is_version_1: bool },
    /// A request of JSON-RPC, by the JSON of its id.
    Request(ByteString),
}

impl Interrupt {
    /// An interrupt that no dialect is known of.
    #[must_use]
    pub fn new(id: impl Into<ByteString>, reason: impl Into<ByteString>) -> Self {
        Self {
            id: id.into(),
            name: ByteString::new(),
            reason: reason.into(),
            schema: None,
            dialect: None,
            origin: Origin::Id,
        }
    }

    pub(super) fn of(dialect: Dialect, id: Option<ByteString>, reason: ByteString) -> Self {
        Self { dialect: Some(dialect), ..Self::new(id.unwrap_or_default(), reason) }
    }

    pub(super) fn named(self, name: Option<ByteString>) -> Self {
        Self { name: name.unwrap_or_default(), ..self }
    }

    pub(super) fn with_schema(self, schema: Option<ByteString>) -> Self {
        Self { schema, ..self }
    }

    pub(super) fn from(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The same without a share of the memory of the events that it came in.
    pub(super) fn copied(&self) -> Self {
        let copy = |text: &ByteString| ByteString::from(&**text);
        let origin = match &self.origin {
            Origin::Id => Origin::Id,
            Origin::Thread(thread) => Origin::Thread(copy(thread)),
            Origin::NamelessThread(thread) => Origin::NamelessThread(copy(thread)),
            Origin::Task { task, context, is_version_1 } => {
                Origin::Task { task: copy(task), context: copy(context), is_version_1: *is_version_1 }
            }
            Origin::Request(id) => Origin::Request(copy(id)),
        };
        Self {
            id: copy(&self.id),
            name: copy(&self.name),
            reason: copy(&self.reason),
            schema: self.schema.as_ref().map(copy),
            dialect: self.dialect,
            origin,
        }
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let schema = self.schema.as_ref().map_or(0, |schema| schema.len());
        size_of::<Self>() + self.id.len() + self.name.len() + self.reason.len() + schema
    }
}

impl Serialize for Interrupt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            id: &'a str,
            name: &'a str,
            reason: &'a str,
            schema: Option<&'a RawValue>,
            dialect: Option<&'static str>,
        }
        // What is read here more leniently than JSON has it, such as `NaN`, cannot be written as JSON.
        let schema = self.schema.as_deref().and_then(|schema| serde_json::from_str(schema).ok());
        let dialect = self.dialect.map(Dialect::name);
        Fields { id: &self.id, name: &self.name, reason: &self.reason, schema, dialect }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_json() {
        let mut interrupt = Interrupt::new("i1", "May I?");
        let json = |interrupt: &Interrupt| serde_json::to_string(interrupt).unwrap_or_default();
        let expected = r#"{"id":"i1","name":"","reason":"May I?","schema":null,"dialect":null}"#;
        assert_eq!(json(&interrupt), expected);
        interrupt.dialect = Some(Dialect::AgUi);
        interrupt.schema = Some(r#"{"type": "boolean"}"#.into());
        interrupt.reason = r#"{"a": 1}"#.into();
        let expected = r#"{"id":"i1","name":"","reason":"{\"a\": 1}","schema":{"type": "boolean"},"dialect":"ag-ui"}"#;
        assert_eq!(json(&interrupt), expected);
        interrupt.schema = Some(r#"{"maximum": NaN}"#.into());
        assert!(json(&interrupt).contains(r#""schema":null"#));
    }
}
