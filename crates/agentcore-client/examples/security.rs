//! What is refused before it is sent, and what is never shown.
//!
//! `cargo run -p agentcore-client --example security`
//!
//! ```text
//! a token over plain HTTP: … credentials travel over https only
//! a malformed ARN: invalid runtime ARN …
//! a header that breaks out: invalid header: …
//! shown in Debug: false
//! requests: 0
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Arn, Client, CustomHeader, Endpoint, Error};
use agentcore_mock::Mock;

/// Sends a token in the clear, or would, if it were not refused.
async fn in_the_clear(token: &str, arn: Arn) -> Result<(), Error> {
    let endpoint: Endpoint = "http://agents.example.com".parse()?;
    let client = Client::builder().bearer_token(token).endpoints(endpoint).build()?;
    client.runtime(arn).invoke("Hello, world!").await.map(|_| ())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().start().await?;
    let token = mock.token();
    let client = Client::builder().bearer_token(&token).endpoints(mock.url().parse::<Endpoint>()?).build()?;

    let refused = in_the_clear(&token, mock.arn("echo")).await.err().ok_or("a token went out in the clear")?;
    println!("a token over plain HTTP: {refused}");
    let refused = "arn:aws:s3:::bucket".parse::<Arn>().err().ok_or("this is no runtime")?;
    println!("a malformed ARN: {refused}");
    let refused = CustomHeader::new("x-tenant", "a\r\nx-other: b").err().ok_or("this is two headers")?;
    println!("a header that breaks out: {refused}");
    println!("shown in Debug: {}", format!("{client:?}").contains(&token));
    println!("requests: {}", mock.requests().len());
    Ok(())
}
