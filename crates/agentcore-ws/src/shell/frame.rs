//! The frames of a shell's socket: a binary message whose first byte is the channel. Parses no status.

use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::Error;

/// A frame of a shell's socket.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShellFrame {
    /// `00`: what is typed, to the shell.
    Stdin(Bytes),
    /// `01`: the shell's output, as its terminal has it.
    Stdout(Bytes),
    /// `02`: what the platform says, beside the shell's output.
    Stderr(Bytes),
    /// `03`: the state of the shell, in JSON; see [`ShellStatus`](super::ShellStatus).
    Status(Bytes),
    /// `04`: the size of the terminal, to the shell.
    Resize {
        /// Columns, 1 to 1000.
        width: u16,
        /// Rows, 1 to 1000.
        height: u16,
    },
    /// `05`: a sign of life, which is answered by the same.
    Heartbeat,
    /// `FF`: the end of the shell, for good.
    Close,
    /// A channel that this version does not know.
    Unknown {
        /// The first byte.
        channel: u8,
        /// The rest.
        payload: Bytes,
    },
}

impl ShellFrame {
    /// The most bytes of a frame, the channel's included.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// The most columns or rows of a terminal.
    pub const MAX_SIZE: u16 = 1000;

    /// Decodes a binary message; none if it is empty, and so no frame.
    #[must_use]
    pub fn decode(mut message: Bytes) -> Option<Self> {
        let payload = message.split_off(1.min(message.len()));
        Some(match *message.first()? {
            STDIN => Self::Stdin(payload),
            STDOUT => Self::Stdout(payload),
            STDERR => Self::Stderr(payload),
            STATUS => Self::Status(payload),
            RESIZE => {
                let size: Option<Size> = serde_json::from_slice(&payload).ok();
                match size {
                    Some(Size { width, height }) => Self::Resize { width, height },
                    None => Self::Unknown { channel: RESIZE, payload },
                }
            }
            HEARTBEAT => Self::Heartbeat,
            CLOSE => Self::Close,
            channel => Self::Unknown { channel, payload },
        })
    }

    /// Encodes the frame as a binary message.
    ///
    /// # Errors
    /// If it is longer than 64 KB, or a size is not from 1 to 1000.
    pub fn encode(&self) -> Result<Bytes, Error> {
        let (channel, payload) = match self {
            Self::Stdin(payload) => (STDIN, payload.clone()),
            Self::Stdout(payload) => (STDOUT, payload.clone()),
            Self::Stderr(payload) => (STDERR, payload.clone()),
            Self::Status(payload) => (STATUS, payload.clone()),
            Self::Resize { width, height } => {
                let sizes = 1..=Self::MAX_SIZE;
                if !sizes.contains(width) || !sizes.contains(height) {
                    let message =
                        format!("a terminal has 1 to {} columns and rows, not {width} and {height}", Self::MAX_SIZE);
                    return Err(Error::input(message));
                }
                (RESIZE, format!(r#"{{"width": {width}, "height": {height}}}"#).into())
            }
            Self::Heartbeat => (HEARTBEAT, Bytes::new()),
            Self::Close => (CLOSE, Bytes::new()),
            Self::Unknown { channel, payload } => (*channel, payload.clone()),
        };
        if payload.len() >= Self::MAX_BYTES {
            let message = format!("a frame of {} bytes, at most {} are allowed", payload.len() + 1, Self::MAX_BYTES);
            return Err(Error::input(message));
        }
        let mut message = BytesMut::with_capacity(payload.len() + 1);
        message.put_u8(channel);
        message.put(payload);
        Ok(message.freeze())
    }
}

/// Prints how long contents are: what is typed may be a password.
impl fmt::Debug for ShellFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bytes) = match self {
            Self::Stdin(payload) => ("Stdin", payload.len()),
            Self::Stdout(payload) => ("Stdout", payload.len()),
            Self::Stderr(payload) => ("Stderr", payload.len()),
            Self::Status(payload) => ("Status", payload.len()),
            Self::Resize { width, height } => return write!(f, "Resize({width}, {height})"),
            Self::Heartbeat => return f.write_str("Heartbeat"),
            Self::Close => return f.write_str("Close"),
            Self::Unknown { channel, payload } => return write!(f, "Unknown({channel:#04x}, {} bytes)", payload.len()),
        };
        write!(f, "{name}({bytes} bytes)")
    }
}

#[derive(serde::Deserialize)]
struct Size {
    width: u16,
    height: u16,
}

const STDIN: u8 = 0x00;
const STDOUT: u8 = 0x01;
const STDERR: u8 = 0x02;
const STATUS: u8 = 0x03;
const RESIZE: u8 = 0x04;
const HEARTBEAT: u8 = 0x05;
const CLOSE: u8 = 0xff;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::Value;

    use super::*;
    use crate::shell::ShellStatus;

    /// Made with the official Python SDK 1.25.0.
    const VECTORS: &str = include_str!("../../../../tests/vectors/shell_vectors.json");

    fn bytes(digits: &str) -> Bytes {
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn frames_of_the_official_sdk() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let encoded = |name: &str| {
            let all = vectors["encode"].as_array().unwrap();
            bytes(all.iter().find(|vector| vector["name"] == name).unwrap()["hex"].as_str().unwrap())
        };
        for (name, frame) in [
            ("stdin_text", ShellFrame::Stdin("ls é\n".into())),
            ("stdin_empty", ShellFrame::Stdin(Bytes::new())),
            ("resize", ShellFrame::Resize { width: 120, height: 40 }),
            ("heartbeat", ShellFrame::Heartbeat),
        ] {
            assert_eq!(frame.encode().unwrap(), encoded(name), "{name}");
            assert_eq!(ShellFrame::decode(encoded(name)), Some(frame), "{name}");
        }
        // A size of `true` is what Python takes for a number.
        assert!(matches!(ShellFrame::decode(encoded("resize_bool")), Some(ShellFrame::Unknown { channel: 4, .. })));
        for vector in vectors["decode"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let payload = bytes(text("payload_hex"));
            let frame = ShellFrame::decode(bytes(text("hex"))).unwrap();
            let expected = match text("channel") {
                "STDOUT" => ShellFrame::Stdout(payload),
                "STATUS" => ShellFrame::Status(payload),
                "CLOSE" => ShellFrame::Close,
                _ => ShellFrame::Unknown { channel: 66, payload },
            };
            assert_eq!(frame, expected);
            assert_eq!(frame.encode().unwrap(), bytes(text("hex")));
            if let ShellFrame::Status(payload) = frame {
                let status = ShellStatus::parse(&payload);
                assert_eq!(matches!(status, Some(ShellStatus::Attached { .. })), vector["confirmation"] == true);
                let code = match status {
                    Some(ShellStatus::Exited(exit)) => exit.code.map(i64::from),
                    _ => None,
                };
                assert_eq!(code, vector["exit_code"].as_i64().filter(|_| vector["termination"] == true));
            }
        }
    }

    #[test]
    fn bounds() {
        let stdin = |bytes: usize| ShellFrame::Stdin(vec![b'x'; bytes].into()).encode().map(|frame| frame.len());
        assert_eq!(stdin(65_535).unwrap(), 65_536);
        assert_eq!(stdin(65_536).unwrap_err().to_string(), "a frame of 65537 bytes, at most 65536 are allowed");
        for (width, height, fine) in [(1, 1, true), (1000, 1000, true), (0, 1, false), (1, 1001, false)] {
            assert_eq!(ShellFrame::Resize { width, height }.encode().is_ok(), fine);
        }
        assert_eq!(ShellFrame::decode(Bytes::new()), None);
        assert_eq!(format!("{:?}", ShellFrame::Stdin("hush".into())), "Stdin(4 bytes)");
    }
}
