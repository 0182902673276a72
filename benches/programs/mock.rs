//! Serves a runtime with agentcore-mock.

use std::error::Error;

use agentcore_mock::Mock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = Mock::builder().start().await?;
    println!("{}", mock.url());
    Ok(())
}
