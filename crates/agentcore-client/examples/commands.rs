//! A command in a session's machine, and a shell there.
//!
//! `cargo run -p agentcore-client --features connect --example commands`, on Unix: the mock runs real commands.
//!
//! ```text
//! exit code 0: 3
//! the shell ended with 3
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use agentcore_client::{Client, Endpoint, Error, Session};
use agentcore_mock::Mock;

async fn count(session: &Session) -> Result<(), Error> {
    let output = session.run("echo one two three > words; grep -c . words; wc -w < words >&2").await?;
    println!("exit code {}: {}", output.exit.code, output.stderr.trim());
    Ok(())
}

async fn visit(session: &Session) -> Result<(), Error> {
    let mut shell = session.shell().connect().await?;
    shell.input().send("cat words; exit 3\n").await?;
    // `try_next` gives the output as it comes.
    let exit = shell.wait().await?;
    println!("the shell ended with {}", exit.code.unwrap_or_default());
    session.stop().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = Mock::builder().allow_commands(true).start().await?;
    let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    let session = client.runtime(mock.arn("echo")).new_session();
    count(&session).await?;
    Ok(visit(&session).await?)
}
