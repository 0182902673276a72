//! What an agent says, event by event, whichever way it says it.
//!
//! A dialect is found by the shapes of a stream's events; none has to be chosen, and what is not understood passes through as it came.
//! One file a dialect; a dialect never fails, it passes.
//!
//! | dialect | shape of an event | becomes | checked against |
//! |---|---|---|---|
//! | bare strings | `"Hello"`, and data that is not JSON | text | the official Python SDK's bytes |
//! | objects | `{"data" \| "delta" \| "text" \| "result" \| "output" \| "response" \| "message" …: "Hello"}` | text | the same |
//! | Bedrock Agents | `{"completion": {"bytes" \| "text"}}`, `{"trace"}` | text, usage, trace | descriptions |
//! | Strands | `{"event"}`, `{"data"}`, `{"message"}`, `{"result"}`, `{"reasoningText"}`, `{"current_tool_use"}`, `{"tool_interrupt_event"}` | text, reasoning, tool uses and results, interrupts, usage, trace | the bytes of Strands 1.62, its graphs and swarms |
//! | Bedrock Converse | `{"contentBlockDelta"}` and its kin, `{"output": {"message"}}` | the same, errors | Strands' bytes; alone: descriptions |
//! | LangGraph | the tuples, updates, states and events of `astream` and `astream_events` | text, reasoning, tool uses and results, interrupts, usage, trace | LangGraph 1.2's bytes, and its server 0.16's |
//! | AG-UI | `{"type": "TEXT_MESSAGE_CONTENT"}` and its kin | all kinds | AG-UI's bytes; snapshots, chunks and reasoning: descriptions |
//! | A2A 0.3, 1.x | JSON-RPC results: artifacts, statuses, messages, tasks | text, state, interrupts, errors | a2a-sdk 0.3's and 1.x's bytes |
//! | MCP | JSON-RPC results of tools, elicitations, notifications | text, interrupts, errors, trace | the Python SDK's bytes |
//! | LlamaIndex | `{"event": "agent_stream", "delta", "response"}`, `{"event": "done"}` | text, reasoning, tool uses and results, trace | its adapter 0.4's bytes |
//! | OpenAI | `{"choices"}`, `{"type": "response.…"}` | text, reasoning, tool uses, usage, errors, trace | descriptions; what its package 3.57 makes of them |
//! | Anthropic | `{"type": "content_block_delta"}` and its kin | the same | descriptions; what its package 2.14 makes of them |
//! | Google ADK | `{"invocationId", "author", "content": {"parts"}, "partial"}`, in Python's names too, and lists of them | text, reasoning, tool uses and results, interrupts, usage, state, errors | ADK 2.13's bytes |
//! | Vercel | `{"type": "text-delta"}` and its kin | text, reasoning, tool uses and results, interrupts, usage, trace, errors | the bytes of `ai` 6.0 and Pydantic AI 2.68 |
//! | Pydantic AI | `{"event_kind": "part_delta"}` and its kin, lists of `{"parts", "kind"}` | text, reasoning, tool uses and results, interrupts, usage, trace | Pydantic AI 2.68's bytes |
//! | CrewAI | `{"content", "chunk_type"}`, `{"channel", "type": "llm_stream_chunk", "data"}`, `{"raw", "tasks_output"}` | text, reasoning, tool uses and results, interrupts, usage, trace, errors | CrewAI 1.15's bytes |
//! | AutoGen | `{"source", "type": "TextMessage", "models_usage"}` and its kin, `{"messages", "stop_reason"}` | text, reasoning, tool uses and results, interrupts, usage, trace | AutoGen 0.7's bytes |
//! | harness | the frames of an AWS event stream: `messageStart`, `contentBlockDelta` and their kin | text, reasoning, tool uses and results, interrupts, usage, trace, errors | the service model of `aws-sdk-bedrockagentcore` 1.83 |
//! | errors | the official Python SDK's `{"error", "error_type", "message"}`, JSON-RPC's | errors | the SDK's bytes |
//!
//! What an agent asks before it goes on is an [`Interrupt`], told once whatever repeats it, and answered by [`resume`]. What its model
//! calls took is [`Usage`], told as what is new:
//!
//! | dialect | an interrupt is | the numbers are |
//! |---|---|---|
//! | Strands | `{"tool_interrupt_event"}`, `{"type": "multiagent_node_interrupt"}`, a result whose `stop_reason` is `interrupt` | of each model call, and repeated by its message and by results |
//! | Bedrock Converse | – | of each model call |
//! | Bedrock Agents | – | of each model call, in its trace |
//! | LangGraph | `__interrupt__`, `interrupts` beside `ns` | LangChain's `usage_metadata`: of each chunk, to be summed, or of a whole message |
//! | AG-UI | the outcome of `RUN_FINISHED`, and `CUSTOM` named `on_interrupt` | of the whole run, an entry for each model |
//! | A2A | a status `input-required` or `auth-required`, whose message is what is asked | – |
//! | MCP | `elicitation/create`, `input_required` | – |
//! | harness | a call of a function (`tool_use`) that no result follows, which the caller runs | of each message, in `metadata` |
//! | Google ADK | a function among `longRunningToolIds`, which the kit itself calls to ask for a confirmation or a credential | of the call so far, or at its end |
//! | Vercel | `tool-approval-request`, and a tool without an output at `finish`, which the caller runs | of the whole answer, in its metadata, where an agent puts them there |
//! | Pydantic AI | `deferred_tool_requests` | of the whole run, or of each message |
//! | CrewAI | `flow_paused`, and `human_feedback_requested` | of each model call, or of the whole crew |
//! | AutoGen | `UserInputRequestedEvent`, and a handoff to `user` | of each message |
//! | OpenAI | – | of the whole completion, so far or at its end |
//! | Anthropic | – | of the message so far: `message_start`, `message_delta` |
//!
//! The same words in objects that are of no dialect mean nothing.
//!
//! In a stream of JSON, strings that hold Python reprs, numbers, `NaN` and JSON that is broken are [`Event::Other`]; in a stream of
//! bare words they are words.
//!
//! Some agents write their events twice: a JSON string that holds an object, or server-sent events. Such strings are read as what they
//! hold; a single one that holds an object may be a model's answer in JSON, and is text unless its shape is a protocol's. Strings that
//! each repeat all before them cannot be told from pieces: [`Reader::own_dialect`] is for those.
//!
//! Text is never lost and counts once: Strands, Converse, LangGraph and A2A repeat a message as a whole after its pieces, and such
//! a repetition is [`Event::Other`] too. Two equal strings one after the other are two pieces of text.

mod a2a;
mod agent_error;
mod agui;
mod anthropic;
mod autogen;
mod bedrock_agents;
mod converse;
mod crewai;
mod dedup;
mod dialect;
mod event_name;
mod generic;
mod google_adk;
mod harness;
mod inline_functions;
mod interrupt;
mod json;
mod langgraph;
mod llama_index;
mod mcp;
mod openai;
mod plain_text;
mod print;
mod pydantic_ai;
mod reader;
mod resume;
mod settings;
mod sniff;
mod source;
mod strands;
mod stream;
mod tally;
mod tool_calls;
mod transcript;
mod understand;
mod usage;
mod vercel;
mod wrapped;

use std::time::Duration;

use agentcore_http::SseEvent;
use bytestring::ByteString;

use crate::{Error, SessionId};

pub(crate) use self::settings::ReaderSettings;
pub use self::{
    dialect::Dialect,
    interrupt::Interrupt,
    reader::Reader,
    resume::resume,
    stream::{Events, no_events},
    usage::Usage,
};

/// Something an agent said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A piece of the answer's text, to be joined to the pieces before it without anything between.
    Text(ByteString),
    /// A piece of what the model thought on its way to the answer, to be joined likewise.
    Reasoning(ByteString),
    /// A tool is being called by the agent.
    ToolUse(ToolUse),
    /// A tool gave something back to the agent.
    ToolResult(ToolResult),
    /// What model calls took: what is new of it, so that the sum of all is the answer's. Where the event that says it says nothing else,
    /// it comes as a [`Trace`](Self::Trace) too.
    Usage(Usage),
    /// The agent asks something, and goes on when it is answered. Neither text nor an error. Each question is told once.
    Interrupt(Box<Interrupt>),
    /// How the run goes on: steps, usage, a trace, progress. The event as it came.
    Trace(SseEvent),
    /// How the agent's or the task's state changed. The event as it came.
    State(SseEvent),
    /// The answer is complete. [`Events`] end with it, whatever the agent said; an answer that broke off ends in an error instead.
    Done(Box<Done>),
    /// An event that is of no shape known here, or has nothing new to say, as it came.
    Other(SseEvent),
}

impl Event {
    /// Returns the text, if this is a piece of it.
    #[must_use]
    #[doc(alias = "chunk_text")]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A tool being called, or a piece of its input.
///
/// A call's first event comes as soon as its tool is known, others with each piece of its input as the model writes it, and the
/// last says so. What agents tell as a whole is one event, the first and the last at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolUse {
    /// The call, of which every event has the id; empty where the agent gives none.
    pub id: ByteString,
    /// The tool.
    pub name: ByteString,
    /// The next piece of the input, often empty: all pieces of a call joined are JSON.
    pub input: ByteString,
    /// Whether the input is complete.
    pub last: bool,
}

impl ToolUse {
    /// A call as a whole.
    #[must_use]
    pub fn new(id: impl Into<ByteString>, name: impl Into<ByteString>, input: impl Into<ByteString>) -> Self {
        Self { id: id.into(), name: name.into(), input: input.into(), last: true }
    }
}

/// What a tool gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolResult {
    /// The call's id.
    pub id: ByteString,
    /// The text, or the JSON of what is not only text.
    pub content: ByteString,
    /// Whether the tool failed.
    pub failed: bool,
}

impl ToolResult {
    /// The result of a tool that did not fail.
    #[must_use]
    pub fn new(id: impl Into<ByteString>, content: impl Into<ByteString>) -> Self {
        Self { id: id.into(), content: content.into(), failed: false }
    }
}

/// The numbers of a complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// How many events the answer had; one that is not a stream counts as one.
    pub events: u64,
    /// How many pieces of text they held.
    pub texts: u64,
    /// How many bytes their data had.
    pub bytes: u64,
    /// How many events were of no shape known here, or had nothing new to say. Where that is all of them, and no text was known, the
    /// agent's way of writing is not known here.
    pub unknown: u64,
    /// In which dialect the answer was, where one was known.
    pub dialect: Option<Dialect>,
    /// What the agent said that its model calls took, in sum.
    pub usage: Usage,
    /// How many questions the agent asked.
    pub interrupts: u64,
    /// Whether the agent said that its answer is complete. Where it did not, the answer may have been cut off unnoticed.
    pub end_mark: EndMark,
    /// From the beginning of the call to the first event.
    pub first_event: Option<Duration>,
    /// From the beginning of the call to the end of the answer, retries included.
    pub duration: Duration,
    /// The session to go on in.
    pub session_id: SessionId,
}

/// Whether an agent says itself that its answer is complete, beyond the end of the HTTP body.
///
/// AG-UI does by `RUN_FINISHED`, Anthropic by `message_stop`, OpenAI by a `finish_reason` other than tools, or `[DONE]`, after
/// chunks and by `response.completed` or `response.incomplete`, Vercel's AI SDK by `finish`, the events of
/// LangGraph and the frames of CrewAI by the end of what is nobody's child, A2A by a status that ends its task, or hands it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndMark {
    /// The dialect has none, or no dialect was known.
    #[default]
    None,
    /// It came.
    Seen,
    /// The dialect has one, and it did not come.
    Missing,
}

#[cfg(test)]
mod tests;
