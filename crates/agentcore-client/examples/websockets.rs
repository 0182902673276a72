//! An agent's WebSocket: by any library, by a browser, and by this client.
//!
//! `cargo run -p agentcore-client --features connect --example websockets`
//!
//! ```text
//! another library: Hello!
//! for a browser: ws://127.0.0.1:…/ws
//! for a browser with a token: "base64UrlBearerAuthorization"
//! this client: Hello!
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Client, Credentials, Endpoint, Error, Runtime, ws::Expiry};
use agentcore_mock::Mock;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

async fn other_library(agent: &Runtime) -> Result<(), Box<dyn std::error::Error>> {
    let handshake = agent.websocket().handshake().await?;
    let mut request = handshake.uri.into_client_request()?;
    request.headers_mut().extend(handshake.headers);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    socket.send(Message::text("Hello!")).await?;
    println!("another library: {}", socket.next().await.ok_or("no answer")??);
    Ok(())
}

async fn presigned(agent: &Runtime) -> Result<String, Error> {
    let url = agent.websocket().presign(Expiry::from_secs(60)?).await?;
    Ok(url.expose().to_owned())
}

async fn for_a_page(agent: &Runtime) -> Result<Value, Error> {
    let key = agent.websocket().subprotocol().await?;
    Ok(json!({ "url": key.url(), "protocols": key.protocols() }))
}

async fn own_socket(agent: &Runtime) -> Result<(), Error> {
    let mut socket = agent.websocket().connect().await?;
    socket.send("Hello!").await?;
    if let Some(answer) = socket.try_next().await? {
        println!("this client: {}", answer.text().unwrap_or_default());
    }
    socket.close().await.map(|_| ())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let (endpoint, keys) = (mock.url().parse::<Endpoint>()?, mock.credentials());
    let token = keys.session_token().map(str::to_owned);
    let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "mock");
    let signing = Client::builder().credentials(keys).endpoints(endpoint.clone()).build()?.runtime(mock.arn("echo"));
    let bearer = Client::builder().bearer_token(&mock.token()).endpoints(endpoint).build()?.runtime(mock.arn("echo"));
    other_library(&signing).await?;
    // The rest of the URL is the signature, and the first protocol the token.
    println!("for a browser: {}", presigned(&signing).await?.split('?').next().unwrap_or_default());
    println!("for a browser with a token: {}", for_a_page(&bearer).await?["protocols"][1]);
    Ok(own_socket(&bearer).await?)
}
