//! Invokes an agent that nobody serves, and says what became of it.

#![expect(clippy::print_stdout, reason = "a program's output is its purpose")]

use std::error::Error;

use agentcore_http::{Auth, HttpClient, Invocation, RetryPolicy, StaticToken, Target};

fn main() -> Result<(), Box<dyn Error>> {
    let client = HttpClient::builder(Auth::bearer(StaticToken::parse("bought")?)).build()?;
    let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent".parse()?;
    let target = Target::at("http://127.0.0.1:1".parse()?, arn);
    let invocation = Invocation::new("Hello").retry(RetryPolicy::off());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(client.invoke(&target, &invocation)) {
        Ok(answer) => println!("answered with {}", answer.status()),
        Err(error) => println!("{:?}, may have run: {}", error.kind(), error.may_have_run()),
    }
    Ok(())
}
