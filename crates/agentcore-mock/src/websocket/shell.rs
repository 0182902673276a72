//! A client's connection to a shell: frames in, frames out. Runs no shell.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::connection::{Connection, End};
use crate::shells::{Input, Look, Shell, ShellEnd};

/// Attaches a client to a shell until one of them ends, or another client comes.
pub(crate) async fn run(mut connection: Connection, shell: Arc<Shell>, attachment: Attachment) {
    let (client, dropped) = shell.attach();
    let ended = serve(&mut connection, &shell, client, dropped, &attachment).await;
    shell.detach(client, attachment.window);
    if let Err(end) = ended {
        connection.end(end).await;
    }
}

/// What a connection needs to know.
pub(crate) struct Attachment {
    pub(crate) id: String,
    /// Whether the shell was there before.
    pub(crate) reconnected: bool,
    /// How long the shell lives on without a client.
    pub(crate) window: Duration,
}

async fn serve(
    connection: &mut Connection,
    shell: &Shell,
    client: u64,
    dropped: u64,
    attachment: &Attachment,
) -> Result<(), End> {
    let mut metadata = json!({ "shellId": attachment.id, "reconnected": attachment.reconnected });
    if attachment.reconnected {
        metadata["bytesDropped"] = dropped.into();
    }
    connection.send(status(&json!({ "metadata": metadata, "status": "Success" }))).await?;
    let mut texts = 0;
    // What is typed waits here while the shell reads nothing, so that what it prints is sent meanwhile.
    let mut typed = None;
    loop {
        // Registered before the look, so that nothing in between is missed.
        let changed = shell.changed.notified();
        match shell.look(client) {
            Look::Output(bytes) => {
                connection.send(frame(STDOUT, &bytes)).await?;
                continue;
            }
            Look::Ended(end) => {
                connection.send(status(&exit_status(end))).await?;
                return Err(End::Close(1000, ""));
            }
            Look::TakenOver => return Err(End::Close(4000, "kicked by new connection")),
            Look::Closed(code) => return Err(code.map_or(End::Gone, |code| End::Close(code, "closed by the test"))),
            Look::Nothing => {}
        }
        tokio::select! {
            () = changed => {}
            room = shell.input.reserve(), if typed.is_some() => {
                // A shell that has ended reads nothing.
                if let (Ok(room), Some(input)) = (room, typed.take()) {
                    room.send(input);
                }
            }
            message = connection.recv(), if typed.is_none() => match message? {
                Message::Binary(bytes) => {
                    texts = 0;
                    typed = receive(connection, shell, &bytes).await?;
                }
                _ => {
                    texts += 1;
                    if texts == MOST_TEXTS {
                        return Err(End::Close(1003, "shells take binary frames"));
                    }
                }
            }
        }
    }
}

/// Understands a frame, and returns what is to be typed.
async fn receive(connection: &mut Connection, shell: &Shell, message: &Bytes) -> Result<Option<Input>, End> {
    let Some((channel, _)) = message.split_first() else { return Ok(None) };
    let payload = message.slice(1..);
    match *channel {
        STDIN => return Ok(Some(Input::Bytes(payload))),
        RESIZE => {
            let size: Value = serde_json::from_slice(&payload).unwrap_or_default();
            let side = |name: &str| size[name].as_u64().filter(|side| (1..=1000).contains(side))?.try_into().ok();
            return Ok(side("width").zip(side("height")).map(|(width, height)| Input::Resize(width, height)));
        }
        HEARTBEAT => connection.send(frame(HEARTBEAT, &[])).await?,
        CLOSE => {
            shell.kill();
            connection.send(frame(CLOSE, &[])).await?;
            return Err(End::Close(1000, ""));
        }
        _ => {}
    }
    Ok(None)
}

fn frame(channel: u8, payload: &[u8]) -> Message {
    Message::Binary([&[channel], payload].concat().into())
}

fn status(fields: &Value) -> Message {
    let mut status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {} });
    if let (Value::Object(status), Value::Object(fields)) = (&mut status, fields) {
        status.extend(fields.clone());
    }
    frame(STATUS, status.to_string().as_bytes())
}

/// Says how a shell ended, as Kubernetes says it of a command.
fn exit_status(end: ShellEnd) -> Value {
    if end.code == 0 {
        return json!({ "status": "Success" });
    }
    let mut causes = vec![json!({ "reason": "ExitCode", "message": end.code.to_string() })];
    causes.extend(end.signal.map(|signal| json!({ "reason": "Signal", "message": signal.to_string() })));
    json!({
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": format!("command terminated with exit code {}", end.code),
        "details": { "causes": causes },
    })
}

const STDIN: u8 = 0x00;
const STDOUT: u8 = 0x01;
const STATUS: u8 = 0x03;
const RESIZE: u8 = 0x04;
const HEARTBEAT: u8 = 0x05;
const CLOSE: u8 = 0xff;
/// Text frames in a row after which the service closes.
const MOST_TEXTS: u32 = 5;
