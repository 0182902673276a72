//! Invokes an agent with agentcore-client, and prints what it answers.

use std::{env, error::Error};

use agentcore_client::{Auth, Client, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::new(env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?, None, None, "here");
    let client = Client::builder().auth(Auth::sigv4(credentials)).build()?;
    let agent = client.runtime(env::args().nth(1).ok_or("an ARN is needed")?.parse()?);
    println!("{}", agent.invoke("Hello").await?.text);
    Ok(())
}
