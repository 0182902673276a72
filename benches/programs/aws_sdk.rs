//! Invokes an agent with the AWS SDK for Rust, and prints what it answers.

use std::{env, error::Error};

use aws_sdk_bedrockagentcore::{
    Client,
    config::{Config, Credentials, Region},
    primitives::Blob,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::new(env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?, None, None, "here");
    let config = Config::builder().region(Region::from_static("us-east-1")).credentials_provider(credentials).build();
    let call = Client::from_conf(config).invoke_agent_runtime();
    let call = call.agent_runtime_arn(env::args().nth(1).ok_or("an ARN is needed")?);
    let answer = call.payload(Blob::new(r#"{"prompt": "Hello"}"#)).send().await?;
    println!("{}", String::from_utf8_lossy(&answer.response.collect().await?.into_bytes()));
    Ok(())
}
