//! What the server answers, by the name of the agent that is invoked. Knows nothing of HTTP.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::frame::frame;

/// An answer, and the agent that gives it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A JSON object of 200 bytes.
    Small,
    /// A JSON object of 64 KiB.
    Large,
    /// A stream of server-sent events.
    Events,
    /// A stream that stays open after its first event.
    Held,
    /// A stream of two events, the second not with the first.
    Brief,
    /// A command's output, as an AWS event stream.
    Command,
}

impl Answer {
    /// Every answer, in the order of their discriminants.
    pub(crate) const ALL: [Self; 6] = [Self::Small, Self::Large, Self::Events, Self::Held, Self::Brief, Self::Command];

    /// The agent that answers so.
    #[must_use]
    pub fn arn(self) -> &'static str {
        match self {
            Self::Small => "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/small-AbC1234567",
            Self::Large => "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/large-AbC1234567",
            Self::Events => "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/events-AbC1234567",
            Self::Held => "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/held-AbC1234567",
            Self::Brief => "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/brief-AbC1234567",
            Self::Command => "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/command-AbC1234567",
        }
    }

    /// The answer of the agent whose percent-encoded ARN stands in the path.
    pub(crate) fn of(path: &str) -> Self {
        if path.contains("%2Fevents") {
            Self::Events
        } else if path.contains("%2Fheld") {
            Self::Held
        } else if path.contains("%2Fbrief") {
            Self::Brief
        } else if path.contains("%2Fcommand") {
            Self::Command
        } else if path.contains("%2Flarge") {
            Self::Large
        } else {
            Self::Small
        }
    }

    /// The media type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Small | Self::Large => "application/json",
            Self::Events | Self::Held | Self::Brief => "text/event-stream",
            Self::Command => "application/vnd.amazon.eventstream",
        }
    }

    /// The whole body.
    pub(crate) fn body(self) -> Bytes {
        static BODIES: LazyLock<[Bytes; 5]> =
            LazyLock::new(|| [json(SMALL), json(LARGE), events(EVENTS), events(1), events(2)]);
        // Who needs no output does not have its memory.
        static OUTPUT: LazyLock<Bytes> = LazyLock::new(|| output(FRAMES));
        if matches!(self, Self::Command) { OUTPUT.clone() } else { BODIES[self as usize].clone() }
    }

    /// The body in chunks of HTTP: each event is one, as agents' servers send them.
    pub(crate) fn chunks(self) -> Vec<Bytes> {
        let body = self.body();
        let chunk = match self {
            Self::Events | Self::Brief => EVENT,
            Self::Command => (body.len() - ended().len()) / FRAMES,
            _ => body.len(),
        };
        (0..body.len()).step_by(chunk).map(|at| body.slice(at..body.len().min(at + chunk))).collect()
    }
}

/// An object of so many bytes.
fn json(bytes: usize) -> Bytes {
    format!("{JSON_HEAD}{}{JSON_TAIL}", "x".repeat(bytes - JSON_HEAD.len() - JSON_TAIL.len())).into()
}

/// A model's text, in events of which no two are equal.
pub(crate) fn events(count: usize) -> Bytes {
    (0..count).map(|index| format!("{EVENT_HEAD}{index:x<EVENT_TEXT$}{EVENT_TAIL}")).collect::<String>().into()
}

/// A command's output, in so many frames, and its end.
fn output(frames: usize) -> Bytes {
    let delta = format!(r#"{{"contentDelta":{{"stdout":"{}"}}}}"#, "x".repeat(FRAME_TEXT));
    let mut whole = frame(&delta).repeat(frames);
    whole.extend(ended());
    whole.into()
}

fn ended() -> Vec<u8> {
    frame(r#"{"contentStop":{"exitCode":0,"status":"COMPLETED"}}"#)
}

/// Frames of a command's output: 100 MiB of text.
pub(crate) const FRAMES: usize = 12_800;
/// Bytes of text in one frame.
pub(crate) const FRAME_TEXT: usize = 8 * 1024;
/// Events in a stream.
pub(crate) const EVENTS: usize = 2_000;
/// Bytes of one event, with the name of its field and the line ends.
pub(crate) const EVENT: usize = 120;
/// How many chunks a stream brings in a write.
pub(crate) const CHUNKS_A_WRITE: usize = 64;
const EVENT_HEAD: &str = r#"data: {"contentBlockDelta":{"delta":{"text":""#;
const EVENT_TAIL: &str = "\"},\"contentBlockIndex\":0}}\n\n";
/// Bytes of one event's data.
pub(crate) const EVENT_DATA: usize = EVENT - "data: ".len() - "\n\n".len();
/// Bytes of one event's text.
pub(crate) const EVENT_TEXT: usize = EVENT - EVENT_HEAD.len() - EVENT_TAIL.len();

const SMALL: usize = 200;
const LARGE: usize = 64 * 1024;
const JSON_HEAD: &str = r#"{"result":""#;
const JSON_TAIL: &str = r#""}"#;
/// Bytes of the small answer's text.
pub(crate) const SMALL_TEXT: usize = SMALL - JSON_HEAD.len() - JSON_TAIL.len();
