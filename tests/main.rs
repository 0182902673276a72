//! The integration tests, one binary. What is tested through the facade, over real sockets, against the mock runtime
//! and against golden data of other implementations.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// A client, a mock and the two introduced to each other.
mod support;

/// What other implementations computed: botocore's signatures and URLs, and the error bodies met in practice.
mod golden;

/// WebSocket credentials, held against those of the official SDK, one row for each vector.
mod websocket_vectors;

/// Bytes that real agents sent, from socket to events.
mod samples;

/// The corpus: one file a stream, however it is cut.
mod streams;

/// The main job: whole and streamed, by token and by signature, with everything a caller can set.
mod invoke;

/// Harnesses, which are invoked as agents are and answer in AWS event streams.
mod harness;

/// Commands in a session's machine, the end of a session, and cards.
mod command;

/// MCP servers by the transport alone: ids, versions, answers, lost sessions.
mod mcp;

/// MCP servers by rmcp over the transport: what it sends again, and what never.
mod mcp_client;

/// A2A agents of both generations: versions, sessions, streams and their ends.
mod a2a;

/// The same of servers and agents that are not ours, where there are some.
mod rpc_peer;

/// Many invocations at once: order, bounds, failures, cancellation.
mod batch;

/// Answers that are kept: for what, how long, for whom.
mod cache;

/// The end of a client, and what it remembers of calls that were lost.
mod lifecycle;

/// The numbers of a client.
mod metrics;

/// Spans by OpenTelemetry's names, and the trace that goes on to the agent.
mod traces;

/// What goes wrong on the way, and what the caller is told: faults of network, service and agent.
mod faults;

/// What is written by hand of TLS, HTTP/2 and WebSockets, for servers that misbehave.
mod wire;

/// Every operation against every phase in which a connection can be lost: what comes of it, and how often it was asked.
mod fault_matrix;

/// Every bound, at its limit and one past it.
mod limits;

/// TLS, HTTP/2, keep-alive, proxies, certificates, redirects.
mod transport;

/// Certificates and versions of TLS: what is refused, by whom, and how often it is tried.
mod tls;

/// Sockets of our own: every way in, long messages, ends, and coming back.
mod websocket;

/// Shells in a session's machine: typed into, detached, taken over, killed, lost and found again.
mod shell;

/// The same of a server that is not ours, where there is one.
mod shell_peer;

/// Sockets that are not opened: what is asked for again, with which credential, within which bounds, and what the error says.
mod websocket_refusals;

/// Nothing secret in `Debug`, errors and logs.
mod secrets;

/// Users of Amazon Cognito: each flow, renewals and challenges, tokens that expire and are refused, outages.
mod cognito;

/// Tokens for machines: OAuth client credentials against the mock's token endpoint, fetched once and renewed in time.
mod oauth;

/// Verifying the mock's tokens with the keys that it publishes.
mod jwks;
