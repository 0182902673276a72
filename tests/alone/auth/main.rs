//! Signs a request of its own, without a runtime and without a socket.

#![expect(clippy::print_stdout, reason = "a program's output is its purpose")]

use std::{
    error::Error,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use agentcore_auth::{Auth, credentials::Credentials};
use bytes::Bytes;
use http::Request;

fn main() -> Result<(), Box<dyn Error>> {
    let auth =
        Auth::sigv4(Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "here"));
    let mut request = Request::post("https://agents.example.com/").body(Bytes::from_static(b"{}"))?;
    let region = "us-east-1".parse()?;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
    // Keys that are at hand are never waited for.
    let Poll::Ready(signed) =
        pin!(auth.authorize(&mut request, Some(&region), now)).poll(&mut Context::from_waker(Waker::noop()))
    else {
        return Err("the signature is waited for".into());
    };
    signed?;
    let authorization = request.headers()["authorization"].to_str()?;
    println!("{}", authorization.split_once(", SignedHeaders").map_or("", |(scope, _)| scope));
    Ok(())
}
