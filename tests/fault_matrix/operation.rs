//! The operations: a good answer to each, and the call that is made.

use std::sync::Arc;

use agentcore_client::{
    Client, CommandEvent, Error, Reply, RetryPolicy, Runtime, SessionId, Transport,
    auth::{
        cognito::{CognitoConfig, Login, PoolId},
        jwks::Verifier,
        oauth::ClientCredentialsConfig,
    },
    ws::{Settings, ShellEvent},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::server::Answer;
use crate::wire::websocket;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Invoke,
    /// `Invoke`, by a caller who says that running twice does no harm.
    Idempotent,
    Stream,
    Harness,
    Command,
    Stop,
    Card,
    WebSocket,
    Shell,
    /// The token endpoint, on the way to an invocation.
    OAuth,
    /// The login, on the way to an invocation.
    Cognito,
    Jwks,
}

use Operation::{Card, Cognito, Command, Harness, Idempotent, Invoke, Jwks, OAuth, Shell, Stop, Stream, WebSocket};

pub(crate) const ALL: [Operation; 12] =
    [Invoke, Idempotent, Stream, Harness, Command, Stop, Card, WebSocket, Shell, OAuth, Cognito, Jwks];

impl Operation {
    /// Returns the answers that it needs, and which of them is at fault.
    pub(crate) fn answers(self, url: &str) -> (Vec<Answer>, usize) {
        let sse = Answer {
            media_type: Some("text/event-stream"),
            events: ["data: \"one \"\n\n", "data: \"zwé\"\n\n"].map(Vec::from),
            end: Vec::new(),
        };
        let json = |first: &str, second: &str| Answer {
            media_type: Some("application/json"),
            events: [first, second].map(Vec::from),
            end: Vec::new(),
        };
        match self {
            Invoke | Idempotent | Stream => (vec![sse], 0),
            Harness => {
                let events = ["one ", "zwé"].map(|text| {
                    let payload = format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}}}}"#);
                    frame("contentBlockDelta", &payload)
                });
                (vec![frames(events, frame("messageStop", r#"{"stopReason":"end_turn"}"#))], 0)
            }
            Command => {
                let delta = |text| frame("chunk", &format!(r#"{{"contentDelta":{{"stdout":"{text}"}}}}"#));
                let end = frame("chunk", r#"{"contentStop":{"exitCode":0,"status":"COMPLETED"}}"#);
                (vec![frames(["one ", "zwé"].map(delta), end)], 0)
            }
            Stop => (vec![json("{\"runtimeSessionId\":\"x\",", "\"note\":\"é\"}")], 0),
            Card => (vec![json("{\"name\":\"card\",", "\"note\":\"é\"}")], 0),
            WebSocket => {
                let events = ["one ", "zwé"].map(|text| websocket::frame(websocket::TEXT, text.as_bytes()));
                (vec![Answer { media_type: None, events, end: Vec::new() }], 0)
            }
            Shell => {
                let frame = |text: &str| websocket::frame(websocket::BINARY, &[&[1], text.as_bytes()].concat());
                (vec![Answer { media_type: None, events: ["one ", "zwé"].map(frame), end: Vec::new() }], 0)
            }
            OAuth => {
                let first = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600,"#;
                (vec![json(first, "\"note\":\"é\"}"), sse], 0)
            }
            Cognito => {
                let first = r#"{"AuthenticationResult":{"AccessToken":"t","TokenType":"Bearer","ExpiresIn":3600},"#;
                (vec![json(first, "\"note\":\"é\"}"), sse], 0)
            }
            Jwks => {
                let keys = format!("\"jwks_uri\":\"{url}/keys\"}}");
                // A modulus of 2048 bits, which signed nothing.
                let key =
                    format!(r#"{{"kty":"RSA","alg":"RS256","kid":"k","e":"AQAB","n":"{}"}}"#, "_".repeat(341) + "w");
                let metadata = json(&format!("{{\"issuer\":\"{url}\","), &keys);
                (vec![metadata, json(&format!("{{\"keys\":[{key}],"), "\"note\":\"é\"}")], 1)
            }
        }
    }

    /// Makes the call, and returns what was delivered of it and how it ended.
    pub(crate) async fn call(self, url: &str, transport: Transport, retry: RetryPolicy) -> (String, Result<(), Error>) {
        let endpoint: agentcore_client::Endpoint = url.parse().unwrap();
        let client = || Client::builder().endpoints(endpoint.clone()).transport(transport.clone()).retry(retry.clone());
        let arn = |kind: &str| format!("arn:aws:bedrock-agentcore:us-west-2:123456789012:{kind}/a").parse().unwrap();
        let runtime = || client().bearer_token("t").build().unwrap().runtime(arn("runtime"));
        let settings = || Settings::default().retry(retry.clone());
        match self {
            Invoke => whole(runtime().invoke("x").await),
            Idempotent => whole(runtime().invoke("x").idempotent().await),
            Stream => streamed(&runtime()).await,
            Harness => streamed(&client().bearer_token("t").build().unwrap().runtime(arn("harness"))).await,
            Command => {
                let mut output = match runtime().run("ls").stream().await {
                    Ok(output) => output,
                    Err(error) => return (String::new(), Err(error)),
                };
                let mut text = String::new();
                loop {
                    match output.try_next().await {
                        Ok(Some(CommandEvent::Stdout(more))) => text.push_str(&more),
                        Ok(Some(_)) => {}
                        Ok(None) => return (text, Ok(())),
                        Err(error) => return (text, Err(error)),
                    }
                }
            }
            Stop => (String::new(), runtime().session(SessionId::random()).stop().await),
            Card => (String::new(), runtime().card().await.map(drop)),
            WebSocket => {
                let mut socket = match runtime().websocket().settings(settings()).connect().await {
                    Ok(socket) => socket,
                    Err(error) => return (String::new(), Err(error)),
                };
                let mut text = String::new();
                loop {
                    match socket.try_next().await {
                        Ok(Some(message)) => text.push_str(message.text().unwrap()),
                        Ok(None) => return (text, Ok(())),
                        Err(error) => return (text, Err(error)),
                    }
                }
            }
            Shell => {
                let mut shell = match runtime().shell().settings(settings()).connect().await {
                    Ok(shell) => shell,
                    Err(error) => return (String::new(), Err(error)),
                };
                let mut text = String::new();
                loop {
                    match shell.try_next().await {
                        Ok(Some(ShellEvent::Stdout(more))) => text.push_str(std::str::from_utf8(&more).unwrap()),
                        Ok(Some(_)) => {}
                        Ok(None) => return (text, Ok(())),
                        Err(error) => return (text, Err(error)),
                    }
                }
            }
            OAuth => {
                let machine = ClientCredentialsConfig::new(format!("{url}/token").parse().unwrap(), "id", "secret");
                issued(client().oauth(machine).build().unwrap().runtime(arn("runtime")).invoke("x").await)
            }
            Cognito => {
                let pool: PoolId = "us-west-2_ABC123DEF".parse().unwrap();
                let user =
                    CognitoConfig::new(pool, "id", Login::user_password("user", "password")).endpoint(endpoint.clone());
                issued(client().cognito(user).build().unwrap().runtime(arn("runtime")).invoke("x").await)
            }
            Jwks => {
                let part = |json: String| BASE64_URL_SAFE_NO_PAD.encode(json);
                let head = part(r#"{"alg":"RS256","kid":"k"}"#.to_owned());
                let token = format!("{head}.{}.c2lnbmF0dXJl", part(format!(r#"{{"iss":"{url}"}}"#)));
                let verifier = Verifier::new(url.parse().unwrap(), Arc::new(transport)).allow_anybody();
                (String::new(), verifier.verify(&token).await.map(drop))
            }
        }
    }
}

fn whole(reply: Result<Reply, Error>) -> (String, Result<(), Error>) {
    match reply {
        Ok(reply) => (reply.text.to_string(), Ok(())),
        Err(error) => (error.partial::<Reply>().map(|reply| reply.text.to_string()).unwrap_or_default(), Err(error)),
    }
}

/// Of an invocation that was to be made with an issuer's token.
fn issued(reply: Result<Reply, Error>) -> (String, Result<(), Error>) {
    (String::new(), reply.map(drop))
}

async fn streamed(runtime: &Runtime) -> (String, Result<(), Error>) {
    let mut text = String::new();
    let mut events = match runtime.invoke("x").stream().await {
        Ok(events) => events,
        Err(error) => return (text, Err(error)),
    };
    loop {
        match events.try_next().await {
            Ok(Some(event)) => text.push_str(event.text().unwrap_or_default()),
            Ok(None) => return (text, Ok(())),
            Err(error) => return (text, Err(error)),
        }
    }
}

fn frames(events: [Vec<u8>; 2], end: Vec<u8>) -> Answer {
    Answer { media_type: Some("application/vnd.amazon.eventstream"), events, end }
}

/// Returns a frame of an AWS event stream.
fn frame(name: &str, payload: &str) -> Vec<u8> {
    let header = |name: &str, value: &str| {
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), &[7], &length, value.as_bytes()].concat()
    };
    let headers = [header(":event-type", name), header(":message-type", "event")].concat();
    let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let prelude = [total.to_be_bytes(), u32::try_from(headers.len()).unwrap().to_be_bytes()].concat();
    let message = [&prelude[..], &crc32fast::hash(&prelude).to_be_bytes(), &headers, payload.as_bytes()].concat();
    [&message[..], &crc32fast::hash(&message).to_be_bytes()].concat()
}
