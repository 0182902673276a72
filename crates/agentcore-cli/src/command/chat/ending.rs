//! Whether an agent over a WebSocket may have said all: judged by the kinds of its events and by its end mark. Knows no time.

use agentcore_client::{EndMark, Event};

/// What a turn has shown so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ending {
    settled: bool,
    /// A tool was called, and nothing has followed.
    calling: bool,
    /// The message that is being read has told numbers.
    numbers: bool,
}

impl Ending {
    /// Whether a short silence ends the turn.
    pub(super) fn is_settled(self) -> bool {
        self.settled
    }

    /// Another message has come.
    pub(super) fn message(&mut self) {
        self.numbers = false;
    }

    /// Notes an event, and what its agent has said of its end.
    pub(super) fn note(&mut self, event: &Event, end_mark: EndMark) {
        match event {
            // What a model call took says nothing of what follows, and comes as a trace too where its message says nothing else.
            Event::Usage(_) => self.numbers = true,
            Event::Trace(_) if self.numbers => {}
            // An agent that has ended by its own word goes on only where a tool's result is due.
            Event::Trace(_) | Event::State(_) => self.settled = end_mark == EndMark::Seen && !self.calling,
            Event::ToolUse(_) => (self.settled, self.calling) = (false, true),
            Event::Reasoning(_) | Event::ToolResult(_) => (self.settled, self.calling) = (false, false),
            Event::Text(_) => (self.settled, self.calling) = (true, false),
            _ => self.settled = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use agentcore_client::{Reader, SseEvent};

    use super::*;

    /// Whether a turn that has brought these messages is settled.
    fn is_settled(messages: &[&str]) -> bool {
        let (mut reader, mut ending) = (Reader::new(), Ending::default());
        for message in messages {
            reader.push(SseEvent::new(*message));
            ending.message();
            while let Some(event) = reader.next_event() {
                let Ok(event) = event else { panic!("it is no error: {message}") };
                ending.note(&event, reader.end_mark());
            }
        }
        ending.is_settled()
    }

    #[test]
    fn what_may_be_the_last_message() {
        let text = r#"{"contentBlockDelta": {"delta": {"text": "Hi"}}}"#;
        let numbers = r#"{"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}}"#;
        let call = r#"{"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "add"}}"#;
        let anthropic = r#"{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}"#;
        let (delta, stop) =
            (r#"{"type": "message_delta", "usage": {"output_tokens": 2}}"#, r#"{"type": "message_stop"}"#);
        let graph = r#"{"event": "on_chat_model_stream", "parent_ids": ["r"], "data": {"chunk": {"type": "AIMessageChunk", "content": "Hi"}}}"#;
        let step = r#"{"event": "on_chain_end", "parent_ids": ["r"], "data": {}}"#;
        let root = r#"{"event": "on_chain_end", "parent_ids": [], "data": {}}"#;
        for (messages, expected) in [
            (&[text][..], true),
            (&[text, numbers], true),
            (&[numbers], false),
            (&[anthropic, delta, stop], true),
            // A tool is to be run, and what it gave is still to come.
            (&[anthropic, call, delta, stop], false),
            (&[graph, step], false),
            (&[graph, step, root], true),
            (&[r#"{"type": "RUN_STARTED"}"#], false),
        ] {
            assert_eq!(is_settled(messages), expected, "{messages:?}");
        }
    }
}
