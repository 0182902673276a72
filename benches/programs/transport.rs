//! Sends a request with agentcore-transport.

use std::{env, error::Error};

use agentcore_transport::{Bytes, Error as CallError, Transport, http::Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).ok_or("a URL is needed")?;
    let request = Request::get(url).body(Bytes::new())?;
    println!("{}", Transport::builder().build()?.send(request).await.map_err(CallError::from)?.status());
    Ok(())
}
