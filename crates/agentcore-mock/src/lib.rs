//! A whole Amazon Bedrock AgentCore Runtime on loopback, to test programs that invoke agents.
//!
//! [`Mock`] serves the data plane of the service: runtimes named by ARN, verified bearer tokens and SigV4 signatures, agents
//! that answer at once, as a stream or over a WebSocket, and agents that fail as agents, services and networks do. Nothing
//! leaves the machine, no account is needed, and each test starts its own mock on a free port.
//!
//! ```
//! use agentcore_mock::Mock;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mock = Mock::builder().start().await?;
//!
//! // A program uses its HTTP client for this.
//! let arn = mock.arn("story").to_string().replace(':', "%3A").replace('/', "%2F");
//! let payload = r#"{"prompt": "What is a mock?"}"#;
//! let mut socket = tokio::net::TcpStream::connect(mock.url().trim_start_matches("http://")).await?;
//! let request = format!(
//!     "POST /runtimes/{arn}/invocations HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
//!      Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{payload}",
//!     mock.token(),
//!     payload.len(),
//! );
//! socket.write_all(request.as_bytes()).await?;
//! let mut response = String::new();
//! socket.read_to_string(&mut response).await?;
//! assert!(response.starts_with("HTTP/1.1 200 OK\r\n"));
//! assert!(response.contains("data: \"Once\"\n\n"));
//!
//! // The mock records every request.
//! let requests = mock.requests();
//! assert_eq!(requests[0].agent.as_deref(), Some("story"));
//! assert!(requests[0].caller.is_some());
//! # Ok(()) }
//! ```
//!
//! Configure a client with the endpoint URL ([`Mock::url`]), a [token](Mock::token) or the
//! [credentials](Mock::credentials) of the mock, and the [ARN](Mock::arn) of an agent.
//!
//! # Agents
//!
//! A runtime's id is the name of its agent, alone or with a dash and ten characters after it, as in the ids of the service:
//! `story` and `story-AbCdE12345` are the same.
//!
//! | name | what it answers |
//! |---|---|
//! | `echo` | JSON: the `payload`, `session_id`, `user_id` and `qualifier` of the request |
//! | `story` | SSE: a short story about the prompt, a JSON string a word, paced by [`MockBuilder::pace`] |
//! | `text` | plain text: one sentence about the prompt |
//! | `ask` | SSE: asks before it answers, in the manner of Strands; `[{"interruptResponse": {"interruptId", "response"}}]` as the prompt answers it |
//! | `headers` | JSON: `{"headers": [[name, value], …]}` in the order received, without the credentials |
//! | `mcp` | MCP: a stateless server of two tools, `add` and `say`; at a local container's `/mcp` too |
//! | `error-STATUS` | the error of a status from 400 to 599; `error-STATUS-after-SECONDS` adds `Retry-After` |
//! | `error-NAME` | an error by name, such as `error-ThrottlingException`, with `-after-SECONDS` if wanted |
//! | `throttle-N` | 429 with `Retry-After: 0` for the first N requests of a session, then as `echo` |
//! | `unavailable-N` | 503 with `Retry-After: 0` for the first N requests of a session, then as `echo` |
//! | `conflict-N` | 409 `RetryableConflictException` for the first N requests of a session, then as `echo` |
//! | `unauthorized-N` | 401 for the first N requests of a session, good token or not, then as `echo` |
//! | `reset` | nothing: the connection is reset before any header |
//! | `reset-N` | the same for the first N requests of a session, then as `echo` |
//! | `reset-midstream` | SSE: two events, then the connection ends without the last chunk |
//! | `fail-midstream` | SSE: two events, then the error event of the official SDK, and a clean end |
//! | `stall` | SSE: one event, then nothing more |
//! | `slow` | as `echo`, but 1 second later |
//! | `slow-MILLIS` | the same, so many milliseconds later |
//! | `split` | SSE: every byte is a chunk of its own, even within a character of several bytes |
//! | `huge` | SSE: one event of 20 MiB |
//! | `huge-BYTES` | SSE: one event whose JSON string has so many bytes |
//! | `empty` | SSE: status 200 and no event |
//! | `redirect` | 307 to another port, which a client must not follow |
//! | `gzip` | JSON compressed with gzip, whether or not it was asked for |
//! | `html` | 502 with an HTML page, as a proxy sends it |
//!
//! Over a WebSocket, `error-STATUS`, `error-NAME`, `throttle-N`, `unavailable-N`, `conflict-N`, `unauthorized-N`, `reset`,
//! `reset-N`, `redirect` and `html` answer the handshake as they answer an invocation; those with a number go on as `echo`,
//! and so do `slow` and `slow-MILLIS` after a delayed handshake. These accept WebSockets:
//!
//! | name | what it does over a WebSocket |
//! |---|---|
//! | `echo` | sends each message back, text as text and binary as binary |
//! | `story` | sends a story about each message: a JSON string a word, paced by [`MockBuilder::pace`], then `{"type":"done"}`. The prompt is the text as it is, a JSON string, or an object's `prompt` or `inputText` |
//! | `ask` | asks about each message as over HTTP, or goes on where it is an answer, then `{"type":"done"}` |
//! | `headers` | sends `{"headers": [[name, value], …], "query": [[name, value], …], "credential_form": …}` of the handshake, without the credentials, then goes on as `echo`; the form is `bearer`, `subprotocol`, `signature`, `presigned-url` or null |
//! | `close-CODE` | sends one message back, then closes with that code, 1000 to 4999; `close-CODE-now` closes at once |
//! | `drop` | sends one message back, then ends the TCP connection without a close frame |
//! | `drop-N` | the same for the first N connections of a session, then as `echo` |
//! | `deaf` | reads nothing, so that the client's buffers become full |
//! | `silent` | reads everything and answers nothing, neither a ping nor a close, until the client ends the connection |
//! | `no-close` | as `echo`, pongs included, but leaves the client's close unanswered and the connection open |
//!
//! The other agents, custom ones included, answer a handshake with 424 `RuntimeClientError`, and `close-CODE` and the
//! agents after it answer an invocation so.
//!
//! A custom agent is a closure: [`MockBuilder::agent`]. All agents wait on tokio's clock, which a test may pause.
//!
//! # Routes
//!
//! | route | what it is |
//! |---|---|
//! | `POST /runtimes/{arn}/invocations` | invokes an agent; a bare id in place of the ARN needs the query `accountId` |
//! | `GET /runtimes/{arn}/invocations/.well-known/oauth-protected-resource` | names the issuer of tokens |
//! | `POST /runtimes/{arn}/stopruntimesession` | ends a session, so that its id begins a new one |
//! | `POST /runtimes/{arn}/commands` | runs a command of a session, where [`MockBuilder::allow_commands`] lets it |
//! | `GET /runtimes/{arn}/ws/shells` | opens a shell of a session, where it may run commands; on Unix |
//! | `GET /runtimes/{arn}/invocations/.well-known/agent-card.json` | answers with a card of the agent, as if it spoke A2A |
//! | `POST /harnesses/invoke` | checks an invocation of a harness; there is none, so that a good one answers 404 |
//! | `GET /runtimes/{arn}/ws` | opens a WebSocket to an agent, over HTTP/1.1 |
//! | `POST /invocations`, `GET /ws`, `GET /ping` | a local agent container without the service; [`MockBuilder::local_agent`] sets its agent, [`Mock::set_busy`] its health |
//! | `GET /.well-known/jwks.json`, `GET /.well-known/openid-configuration` | the issuer of the mock's tokens |
//! | `POST /` | Amazon Cognito's API: logins, challenges, renewals and revocations of [`Mock::cognito`] |
//! | `POST /oauth2/token` | the issuer's token endpoint: client credentials, by [`Mock::client_id`] and [`Mock::client_secret`] |
//!
//! # What is verified, and what is not
//!
//! Verified:
//!
//! * A bearer token: RS256 by the key in the mock's key set, `exp` and `nbf` without leeway, `iss`, and `client_id` or
//!   `aud`.
//! * A SigV4 signature: over the request as received, body included, by an independent implementation. It must be
//!   scoped to the ARN's region, at most 5 minutes off the mock's clock, and cover `host` and every `x-amz-*` header.
//! * For a WebSocket, two forms more. A signature in the query: over all other parameters, valid for its 1 to 300 seconds.
//!   And a bearer token in the subprotocols, as a browser sends it: `base64UrlBearerAuthorization.` with the token
//!   in base64url, at most 4096 characters without padding, then `base64UrlBearerAuthorization`, which is selected.
//! * A handshake's form (RFC 6455 §4.2.1), and that the session ids in its header and its query are the same.
//! * A WebSocket's limits: a frame of 64 KiB and a message of 10 MiB (closes with 1009), 250 frames in a second of tokio's
//!   clock (closes with 1008).
//! * A client's secret at the token endpoint, in the `Authorization` header (form-encoded, RFC 6749 §2.3.1) or in the body.
//! * A user's password in Cognito, as plain text or by SRP, a time-based code (RFC 6238), and the client's `SECRET_HASH`:
//!   over the sent name at a login, over the user name at a renewal. An administrator's login must be signed.
//! * A runtime's id: letters, digits, `_` and `-`.
//! * The service's order (credentials, form, existence) and its limits: session id 33 to 256 characters, user id 1 to
//!   1024, payload 100 MB, 20 custom headers of 4 KB, the trace headers' lengths. Headers of AWS (`x-amz-`, `x-amzn-`) that are
//!   neither in the service's model nor of a signature are refused; others that the service drops are shown to the agent.
//! * An endpoint's name: `DEFAULT`, and those of [`MockBuilder::endpoint`].
//! * If wanted, the quota of new sessions: [`MockBuilder::max_new_sessions_per_second`].
//!
//! Stricter than the service is known to be, so that mistakes become visible: a handshake with credentials in two forms,
//! with a repeated `Host`, `Upgrade`, `Connection` or `Sec-WebSocket-` header, or with a subprotocol that is no token, is
//! refused with 400. A second handshake after the whole first one, or its `Host` alone, is let pass, as the official SDK's
//! headers make it with Python's `websockets`.
//!
//! Not verified, so a test must conclude nothing from it:
//!
//! * Permissions: every authenticated caller may do everything, with or without a user id.
//! * Other quotas, except by the agents that throttle, and the service's time limits.
//! * Sessions: the mock counts their requests and knows which run, and lets none expire.
//! * More than 16 KB of headers over HTTP/2, which the HTTP server refuses with 431.
//!
//! Where the service's messages are not public, the mock has its own: match errors by name and status. The mock listens on
//! 127.0.0.1 only, and its secrets are valid for nothing else. It is a server for tests, and not hardened against attacks.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod agents;
mod builder;
mod clock;
mod error;
mod event_stream;
mod faults;
mod identity;
mod invocation;
mod lock;
mod machine;
mod mock;
mod observe;
mod record;
mod runtime;
mod server;
mod service_error;
#[cfg(unix)]
mod shells;
mod verify;
mod websocket;

pub use agents::AgentInfo;
pub use builder::MockBuilder;
pub use error::Error;
pub use identity::{User, UserPool};
pub use invocation::{AgentRequest, AgentResponse};
pub use mock::Mock;
pub use observe::AnsweredRequest;
pub use record::{Caller, CredentialForm, RecordedRequest};
pub use verify::{Credentials, InboundAuth};
