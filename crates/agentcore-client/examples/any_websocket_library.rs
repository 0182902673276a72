//! Opens an agent's WebSocket with two libraries that know nothing of AgentCore, by the same handshake.
//!
//! `cargo run -p agentcore-client --example any_websocket_library -- [MESSAGE]`
//!
//! By default everything is on loopback. With `AGENTCORE_BEARER_TOKEN` and `AGENTCORE_RUNTIME_ARN` it talks to a real runtime,
//! for which each library needs one of its TLS features.
//!
//! ```text
//! tokio-tungstenite: Hello, whoever you are
//! tokio-websockets:  Hello, whoever you are
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use agentcore_client::{Client, Endpoint, ws::Handshake};
use agentcore_mock::Mock;
use futures_util::{SinkExt, StreamExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let message = env::args().nth(1).unwrap_or_else(|| "Hello, whoever you are".into());
    // The mock serves until it is dropped, at the end of `main`.
    let (agent, _mock) = match (env::var("AGENTCORE_BEARER_TOKEN"), env::var("AGENTCORE_RUNTIME_ARN")) {
        (Ok(token), Ok(arn)) => (Client::builder().bearer_token(&token).build()?.runtime(arn.parse()?), None),
        _ => {
            let mock = Mock::builder().start().await?;
            let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?);
            (client.build()?.runtime(mock.arn("echo")), Some(mock))
        }
    };
    let handshake = agent.websocket().handshake().await?;
    println!("tokio-tungstenite: {}", with_tungstenite(handshake.clone(), &message).await?);
    println!("tokio-websockets:  {}", with_tokio_websockets(handshake, &message).await?);
    Ok(())
}

/// Sends a message and returns the first that comes back. The library makes the request; what is ours is added to it.
pub(crate) async fn with_tungstenite(handshake: Handshake, message: &str) -> Result<String, Box<dyn Error>> {
    use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

    let mut request = handshake.uri.into_client_request()?;
    request.headers_mut().extend(handshake.headers);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    socket.send(Message::text(message)).await?;
    let answer = socket.next().await.ok_or("the agent said nothing")??.into_text()?;
    socket.close(None).await?;
    Ok(answer.as_str().to_owned())
}

/// The same with another library.
pub(crate) async fn with_tokio_websockets(handshake: Handshake, message: &str) -> Result<String, Box<dyn Error>> {
    use tokio_websockets::{ClientBuilder, Message};

    let mut request = ClientBuilder::from_uri(handshake.uri);
    for (name, value) in &handshake.headers {
        request = request.add_header(name.clone(), value.clone())?;
    }
    let (mut socket, _) = request.connect().await?;
    socket.send(Message::text(message.to_owned())).await?;
    let answer = socket.next().await.ok_or("the agent said nothing")??;
    socket.close().await?;
    Ok(answer.as_text().ok_or("the agent's answer is no text")?.to_owned())
}
