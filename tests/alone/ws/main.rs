//! Makes what opens an agent's WebSocket, without a runtime and without a socket.

#![expect(clippy::print_stdout, reason = "a program's output is its purpose")]

use std::{
    error::Error,
    pin::pin,
    task::{Context, Poll, Waker},
};

use agentcore_ws::{Auth, StaticToken, Target, WebSocket};

fn main() -> Result<(), Box<dyn Error>> {
    let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?;
    let socket = WebSocket::new(Target::new(arn));
    let auth = Auth::bearer(StaticToken::parse("bought")?);
    // A token that is at hand is never waited for.
    let Poll::Ready(handshake) = pin!(socket.handshake(&auth)).poll(&mut Context::from_waker(Waker::noop())) else {
        return Err("the handshake is waited for".into());
    };
    let handshake = handshake?;
    println!("{} with {}", handshake.uri, handshake.headers["authorization"].to_str()?);
    Ok(())
}
