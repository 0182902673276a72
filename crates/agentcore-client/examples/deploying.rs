//! A client as a deployment wants it: FIPS, a private certificate, no proxy, short bounds, and an orderly end.
//!
//! `cargo run -p agentcore-client --example deploying`
//!
//! ```text
//! FIPS: https://bedrock-agentcore-fips.us-east-1.amazonaws.com
//! a VPC endpoint: https://vpce-0123.bedrock-agentcore.us-east-1.vpce.amazonaws.com
//! answered over TLS: You asked: Hello, world!
//! ended
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use agentcore_client::{
    Client, Endpoint, EndpointVariant, Endpoints, Error, Proxy, Region, Timeouts, TlsVersion, Transport,
};
use agentcore_mock::Mock;

fn endpoints(variant: EndpointVariant, vpc_endpoint: Option<&str>) -> Result<Endpoints, Error> {
    match vpc_endpoint {
        Some(url) => Ok(url.parse::<Endpoint>()?.into()),
        None => Ok(Endpoints::aws(variant)),
    }
}

fn client(token: &str, endpoints: Endpoints, private_ca: &str) -> Result<Client, Error> {
    let transport = Transport::builder()
        .root_certificates(private_ca)
        .min_tls_version(TlsVersion::Tls13)
        .proxy(Proxy::None)
        .connect_timeout(Duration::from_secs(5))
        .build()?;
    let timeouts = Timeouts::default().first_byte(Duration::from_secs(60)).total(Duration::from_secs(840));
    Client::builder().bearer_token(token).endpoints(endpoints).transport(transport).timeouts(timeouts).build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (fips, region) = (EndpointVariant::default().fips(true), "us-east-1".parse::<Region>()?);
    println!("FIPS: {}", endpoints(fips, None)?.resolve(&region));
    let url = "https://vpce-0123.bedrock-agentcore.us-east-1.vpce.amazonaws.com";
    println!("a VPC endpoint: {}", endpoints(fips, Some(url))?.resolve(&region));

    let mock = Mock::builder().tls(true).start().await?;
    let ca = mock.root_certificate_pem().ok_or("the mock has no certificate")?;
    let client = client(&mock.token(), endpoints(fips, Some(mock.url()))?, ca)?;
    println!("answered over TLS: {}", client.runtime(mock.arn("text")).invoke("Hello, world!").await?.text);
    // At SIGTERM: no new calls, and a wait for those under way.
    client.shutdown(Duration::from_secs(10)).await?;
    println!("ended");
    Ok(())
}
