//! A whole invocation against the floor: the same request by the bare connection pool, to the same server in the same run.
//!
//! `cargo bench -p agentcore-http --bench invoke`. Absolute numbers are the machine's; the ratios are what counts.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use agentcore_auth::{Auth, StaticToken, credentials::Credentials};
use agentcore_core::Target;
use agentcore_http::{HttpClient, Invocation, Payload};
use agentcore_mock::Mock;
use bytes::Bytes;
use divan::Bencher;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy, rt::TokioExecutor};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

/// The server has threads of its own, so that it is the same for all.
fn server() -> (Runtime, Mock, Target) {
    let runtime = Runtime::new().unwrap();
    let mock = runtime.block_on(Mock::builder().start()).unwrap();
    let target = Target::at(mock.url().parse().unwrap(), mock.arn("text"));
    (runtime, mock, target)
}

const BODY: &str = r#"{"prompt":"Hello"}"#;

#[divan::bench]
fn floor_hyper(bencher: Bencher<'_, '_>) {
    let (runtime, mock, target) = server();
    let client = legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let authorization = format!("Bearer {}", mock.token());
    bencher.bench(|| {
        let request = Request::post(target.invocations())
            .header("authorization", &authorization)
            .header("content-type", "application/json")
            .body(Full::from(BODY))
            .unwrap();
        let answer = async { client.request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes() };
        runtime.block_on(answer)
    });
}

#[divan::bench]
fn ours_bearer(bencher: Bencher<'_, '_>) {
    let (runtime, mock, target) = server();
    ours(bencher, &runtime, &target, Auth::bearer(StaticToken::parse(&mock.token()).unwrap()));
}

#[divan::bench]
fn ours_sigv4(bencher: Bencher<'_, '_>) {
    let (runtime, mock, target) = server();
    let keys = mock.credentials();
    let token = keys.session_token().map(str::to_owned);
    let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "mock");
    ours(bencher, &runtime, &target, Auth::sigv4(keys));
}

fn ours(bencher: Bencher<'_, '_>, runtime: &Runtime, target: &Target, auth: Auth) {
    let client = HttpClient::builder(auth).build().unwrap();
    let payload = Payload::json_text(BODY).unwrap();
    bencher.bench(|| {
        let answer =
            async { client.invoke(target, &Invocation::new(payload.clone())).await.unwrap().bytes().await.unwrap() };
        runtime.block_on(answer)
    });
}
