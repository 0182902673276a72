//! The agents that misbehave once a WebSocket is open: they hang up, vanish, or stop listening.

use axum::extract::ws::Message;

use super::{Line, line::End};
use crate::agents::decimal;

/// A way to misbehave, read from an agent's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Closes by this code after one message.
    Close(u16),
    /// Closes by this code at once.
    CloseNow(u16),
    /// Vanishes after one message, on the first so many connections of a session.
    Drop(u32),
    Deaf,
    Silent,
    NoClose,
}

impl Peer {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "drop" => Self::Drop(u32::MAX),
            "deaf" => Self::Deaf,
            "silent" => Self::Silent,
            "no-close" => Self::NoClose,
            _ => {
                let (kind, number) = name.split_once('-')?;
                match (kind, number.strip_suffix("-now")) {
                    ("drop", None) => Self::Drop(decimal(number)?),
                    ("close", None) => Self::Close(close_code(number)?),
                    ("close", Some(code)) => Self::CloseNow(close_code(code)?),
                    _ => return None,
                }
            }
        })
    }

    pub(super) async fn talk(self, line: &mut Line) -> Result<(), End> {
        match self {
            Self::Close(code) => {
                answer(line).await?;
                Err(End::Close(code, REASON))
            }
            Self::CloseNow(code) => Err(End::Close(code, REASON)),
            Self::Drop(_) => answer(line).await,
            Self::Deaf => {
                line.deafen().await;
                Ok(())
            }
            Self::Silent => {
                line.silence().await;
                Ok(())
            }
            Self::NoClose => {
                loop {
                    match line.recv_any().await? {
                        Message::Close(_) => break,
                        message @ (Message::Text(_) | Message::Binary(_)) => line.send(message).await?,
                        _ => {}
                    }
                }
                line.silence().await;
                Ok(())
            }
        }
    }
}

/// Sends one message back.
async fn answer(line: &mut Line) -> Result<(), End> {
    let message = line.recv().await?;
    line.send(message).await
}

/// A code that a close frame may carry (RFC 6455 section 7.4).
fn close_code(text: &str) -> Option<u16> {
    let code = decimal(text).and_then(|code| u16::try_from(code).ok())?;
    let is_sent = (1000..5000).contains(&code) && ![1004, 1005, 1006, 1015].contains(&code);
    is_sent.then_some(code)
}

const REASON: &str = "the agent hangs up";
