//! A whole Amazon Bedrock AgentCore Runtime on loopback, to test programs that invoke agents.
//!
//! [`Mock`] serves the data plane of the service: runtimes named by ARN, bearer tokens and SigV4 signatures that are
//! really verified, agents that answer whole, as a stream or over a WebSocket, and agents that fail in every way an agent,
//! a service or a network can. Nothing leaves the machine, no account is needed, and each test starts its own mock on a free port.
//!
//! ```
//! use agentcore_mock::Mock;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mock = Mock::builder().start().await?;
//!
//! // What your program does with its own HTTP client, here by hand.
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
//! let mut answer = String::new();
//! socket.read_to_string(&mut answer).await?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
//! assert!(answer.contains("data: \"Once\"\n\n"));
//!
//! // What the mock saw.
//! let requests = mock.requests();
//! assert_eq!(requests[0].agent.as_deref(), Some("story"));
//! assert!(requests[0].caller.is_some());
//! # Ok(()) }
//! ```
//!
//! Point a client at it by its endpoint URL ([`Mock::url`]), with a [token](Mock::token) or the
//! [credentials](Mock::credentials) of the mock, and the [ARN](Mock::arn) of the agent that the test is about.
//!
//! # Agents
//!
//! A runtime's id is the name of its agent, alone or with ten characters after a dash as the service makes its ids:
//! `story` and `story-AbCdE12345` are the same.
//!
//! | name | what it answers |
//! |---|---|
//! | `echo` | JSON: the `payload`, `session_id`, `user_id` and `qualifier` it was given |
//! | `story` | SSE: a short story about the prompt, a JSON string a word, paced by [`Builder::pace`] |
//! | `text` | plain text: one sentence about the prompt |
//! | `headers` | JSON: `{"headers": [[name, value], …]}` in the order received, without the credentials |
//! | `error-STATUS` | the error of a status from 400 to 599; `error-STATUS-after-SECONDS` adds `Retry-After` |
//! | `error-NAME` | an error by name, such as `error-ThrottlingException`, with `-after-SECONDS` if wanted |
//! | `throttle-N` | 429 with `Retry-After: 0` for the first N requests of a session, then as `echo` |
//! | `unavailable-N` | 503 with `Retry-After: 0` for the first N requests of a session, then as `echo` |
//! | `conflict-N` | 409 `RetryableConflictException` for the first N requests of a session, then as `echo` |
//! | `unauthorized-N` | 401 for the first N requests of a session, good token or not, then as `echo` |
//! | `reset` | nothing: the connection is reset before any header |
//! | `reset-N` | the same for the first N requests of a session, then as `echo` |
//! | `reset-midstream` | SSE: two events, then the connection breaks off without the last chunk |
//! | `fail-midstream` | SSE: two events, then the error event of the official SDK, and a clean end |
//! | `stall` | SSE: one event, then silence for ever |
//! | `slow` | as `echo`, but the first byte is 1 second late |
//! | `slow-MILLIS` | the same, late by so many milliseconds |
//! | `split` | SSE: every byte is a chunk of its own, within characters of several bytes too |
//! | `huge` | SSE: one event of 20 MiB |
//! | `huge-BYTES` | SSE: one event whose JSON string has so many bytes |
//! | `empty` | SSE: status 200 and no event |
//! | `redirect` | 307 to another port, which nobody should follow |
//! | `gzip` | JSON compressed with gzip, whether or not it was asked for |
//! | `html` | 502 with an HTML page, as a proxy sends it |
//!
//! Over a WebSocket, `error-STATUS`, `error-NAME`, `throttle-N`, `unavailable-N`, `conflict-N`, `unauthorized-N`, `reset`,
//! `reset-N`, `redirect` and `html` answer the handshake as they answer an invocation; those with a number go on as `echo`,
//! and so do `slow` and `slow-MILLIS`, whose handshake is late. These talk:
//!
//! | name | what it does over a WebSocket |
//! |---|---|
//! | `echo` | sends each message back, text as text and binary as binary |
//! | `story` | tells a story about each message: a JSON string a word, paced by [`Builder::pace`], then `{"type":"done"}`. The prompt is the text as it is, a JSON string, or an object's `prompt` or `inputText` |
//! | `headers` | sends `{"headers": [[name, value], …], "query": [[name, value], …], "credential_form": …}` of the handshake, without the credentials, then goes on as `echo`; the way in is `bearer`, `subprotocol`, `signature`, `presigned-url` or null |
//! | `close-CODE` | sends one message back, then closes by that code, 1000 to 4999; `close-CODE-now` closes at once |
//! | `drop` | sends one message back, then ends the TCP connection without a close frame |
//! | `drop-N` | the same for the first N connections of a session, then as `echo` |
//! | `deaf` | reads nothing, so that the client's buffers fill up |
//! | `silent` | reads everything and answers nothing, neither a ping nor a close, until the client ends the connection |
//! | `no-close` | as `echo`, pongs included, but leaves the client's close unanswered and the connection open |
//!
//! The other agents, your own among them, answer a handshake with 424 `RuntimeClientError`, and `close-CODE` and what follows
//! it answer an invocation so.
//!
//! Your own agents are closures: [`Builder::agent`]. What waits does so on tokio's clock, which a test may pause.
//!
//! # Routes
//!
//! | route | what it is |
//! |---|---|
//! | `POST /runtimes/{arn}/invocations` | invokes an agent; a bare id in place of the ARN needs the query `accountId` |
//! | `GET /runtimes/{arn}/invocations/.well-known/oauth-protected-resource` | names the issuer of tokens |
//! | `GET /runtimes/{arn}/ws` | opens a WebSocket to an agent, over HTTP/1.1 |
//! | `POST /invocations`, `GET /ws`, `GET /ping` | a local agent container, with no service in front; [`Builder::local`] sets its agent |
//! | `GET /.well-known/jwks.json`, `GET /.well-known/openid-configuration` | the issuer of the mock's tokens |
//! | `POST /` | Amazon Cognito's API: logins, challenges, renewals and revocations of [`Mock::cognito`] |
//! | `POST /oauth2/token` | the issuer's token endpoint: client credentials, by [`Mock::client_id`] and [`Mock::client_secret`] |
//!
//! # What is verified, and what is not
//!
//! Verified for real:
//!
//! * A bearer token: RS256 by the key in the mock's key set, `exp` and `nbf` without leeway, `iss`, and `client_id` or
//!   `aud`.
//! * A SigV4 signature: over the request as it arrived, body included, by an implementation of its own. It must be
//!   scoped to the ARN's region, at most 5 minutes off the mock's clock, and cover `host`, every `x-amz-*` header and
//!   the session id header.
//! * For a WebSocket, two ways in more. A signature in the query: over all other parameters, good for the 1 to 300 seconds
//!   it names. And a bearer token in the subprotocols, as a browser sends it: `base64UrlBearerAuthorization.` with the token
//!   in base64url, at most 4096 characters without padding, then `base64UrlBearerAuthorization`, which is selected.
//! * A handshake's form (RFC 6455 §4.2.1), and that the session id in its header and its query is one and the same.
//! * A WebSocket's limits: a frame of 64 KiB and a message of 10 MiB (closes by 1009), 250 frames in a second of tokio's
//!   clock (closes by 1008).
//! * A client's secret at the token endpoint, in the `Authorization` header (form-encoded, RFC 6749 §2.3.1) or in the body.
//! * A user's password in Cognito, as it is or by SRP, a time-based code (RFC 6238), and the client's `SECRET_HASH`: over the
//!   name that was sent at a login, over the real name at a renewal. An administrator's login must be signed.
//! * The service's order (credentials, form, existence) and its limits: session id 33 to 256 characters, user id 1 to
//!   1024, payload 100 MB, 20 custom headers of 4 KB, the trace headers' lengths.
//!
//! Stricter than the service is known to be, so that mistakes show: a handshake that brings credentials in two ways at once,
//! repeats `Host`, `Upgrade`, `Connection` or a `Sec-WebSocket-` header, or offers a subprotocol that is no token, is refused
//! with 400.
//!
//! Not verified, so that a test must not conclude anything from it:
//!
//! * Permissions: whoever is known may do everything, with or without a user id.
//! * Qualifiers: every endpoint name exists.
//! * Other quotas, but for the agents that throttle, and the service's time limits.
//! * Sessions: nothing is kept from one request to the next but the count of them.
//! * More than 16 KB of headers over HTTP/2, which the server beneath refuses with 431.
//!
//! Where the service's words are not public, the mock's messages are its own: match errors by name and status. It
//! listens on 127.0.0.1 only and its secrets open nothing else, yet it is a server for tests, hardened against nothing.

mod agents;
mod builder;
mod cognito;
mod encode;
mod faults;
mod identity;
mod mock;
mod record;
mod refusal;
mod runtime;
mod server;
mod verify;
mod websocket;

pub use agents::{AgentInfo, answer::AgentAnswer, request::AgentRequest};
pub use builder::{Builder, Error};
pub use cognito::UserPool;
pub use identity::Credentials;
pub use mock::Mock;
pub use record::{Caller, RecordedRequest};
pub use runtime::cognito::user::User;
pub use verify::{CredentialForm, Inbound};

/// The account of every runtime.
const ACCOUNT: &str = "123456789012";

/// The region of the ARNs the mock gives out, and of runtimes named by a bare id.
const REGION: &str = "us-east-1";
