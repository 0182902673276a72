//! Lists the tools of an MCP server on AgentCore Runtime, and calls one, by rmcp over this client's transport.
//!
//! ```console
//! $ cargo run -p agentcore-client --features mcp --example mcp_tools
//! $ cargo run -p agentcore-client --features mcp --example mcp_tools -- add '{"a": 1, "b": 2}'
//! ```
//!
//! Without `AGENTCORE_RUNTIME_ARN` the server is that of a mock in this program. With it: `AGENTCORE_BEARER_TOKEN` for the token, else
//! AWS credentials of the environment sign; `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE` for an endpoint of your own.
//!
//! ```text
//! add: Adds two whole numbers.
//! say: Says what it is given.
//! Hello, world!
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use agentcore_client::{Client, Endpoint, Endpoints, Runtime, auth::credentials};
use agentcore_mock::Mock;
use rmcp::{
    ServiceExt as _,
    model::{CallToolRequestParams, ClientConfig},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let call = args.next().unwrap_or_else(|| "say".to_owned());
    let arguments = serde_json::from_str(&args.next().unwrap_or_else(|| r#"{"text": "Hello, world!"}"#.to_owned()))?;

    let mock = Mock::builder().start().await?;
    let agent = match env::var("AGENTCORE_RUNTIME_ARN") {
        Ok(arn) => deployed(&arn)?,
        Err(_) => {
            let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?);
            client.build()?.runtime(mock.arn("mcp"))
        }
    };

    use_tools(&agent, CallToolRequestParams::new(call).with_arguments(arguments)).await
}

/// The first line is the transport: tokens are renewed, signatures made and refusals retried under it.
async fn use_tools(agent: &Runtime, call: CallToolRequestParams) -> Result<(), Box<dyn std::error::Error>> {
    let server = ClientConfig::default().serve(agent.mcp().into_transport()).await?;
    for tool in server.list_all_tools().await? {
        println!("{}: {}", tool.name, tool.description.unwrap_or_default());
    }
    let result = server.call_tool(call).await;
    server.cancel().await?;
    for text in result?.content.iter().filter_map(|block| block.as_text()) {
        println!("{}", text.text);
    }
    Ok(())
}

/// Returns a server on AgentCore Runtime, by what the environment says.
fn deployed(arn: &str) -> Result<Runtime, Box<dyn Error>> {
    let client = match env::var("AGENTCORE_BEARER_TOKEN") {
        Ok(token) => Client::builder().bearer_token(&token),
        Err(_) => Client::builder().credentials(credentials::from_env(|name| env::var(name).ok())?),
    };
    let endpoints = Endpoints::from_env(None, |name| env::var(name).ok())?;
    Ok(client.endpoints(endpoints).build()?.runtime(arn.parse()?))
}
