//! The guide: a chapter for each thing that a program does with agents, each with an example that runs by itself.
//!
//! Every example starts a mock of the service in its own process: no account, no network and no set-up is needed.
//! `cargo run -p agentcore-client --features full --example NAME` runs one, and `cargo xtask examples` runs all of them and compares
//! what they print with what their first lines promise.
//!
//! | chapter | example | shows |
//! |---|---|---|
//! | – | `first_call` | a whole program of twelve lines |
//! | [Authentication](authentication) | `authentication` | a token, a Cognito user, client credentials, AWS credentials |
//! | | `cognito_login` | a Cognito user who logs in, stays logged in and logs out |
//! | | `machine_calls` | a program whose tokens live two seconds |
//! | | `jwt_client` | tokens from the first to the numbers at the end |
//! | [Streaming](streaming) | `streaming` | an answer as the agent gives it |
//! | [Sessions](sessions) | `sessions` | a conversation and its end |
//! | [Commands and shells](commands) | `commands` | a command in the session's machine, and a shell |
//! | [WebSockets](websockets) | `websockets` | any library, a browser, and this client |
//! | | `any_websocket_library` | one handshake with two other libraries |
//! | | `browser_chat` | a page that chats, and the backend that holds the credentials |
//! | [Interrupts and approvals](interrupts) | `interrupts` | a question of the agent and its answer |
//! | [Errors and retries](failures) | `failures` | what is tried again, and what a program decides by |
//! | [Many calls at once](many_calls) | `many_calls` | ten calls, four at a time, one of which fails |
//! | | `evaluate` | many questions at the rate of the quota, kept as they come, resumed after a crash |
//! | [Testing](testing) | `testing` | a function that calls an agent, and its test |
//! | [Observability](observability) | `observability` | the trace of a call, and the numbers of a client |
//! | [Deploying](deploying) | `deploying` | FIPS, a VPC endpoint, a private certificate, an orderly end |
//! | [Security](security) | `security` | what is refused, and what is never shown |
//! | [MCP and A2A](protocols) | `mcp_tools` | the tools of an MCP server |
//!
//! Those who come from Python find each method and each error in
//! [MIGRATING.md](https://github.com/agentcore-rs/agentcore-rs/blob/main/MIGRATING.md). The search of this documentation knows the Python
//! names too: `invoke_agent_runtime`, `generate_presigned_url`, `AuthenticationManager` and the others lead to what replaces them.

macro_rules! chapters {
    ($($name:ident)*) => {
        $(#[doc = include_str!(concat!("guide/", stringify!($name), ".md"))]
        pub mod $name {})*
    };
}

chapters! {
    authentication streaming sessions commands websockets interrupts failures many_calls testing observability deploying security
    protocols
}
