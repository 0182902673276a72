//! The example's two libraries, by each kind of credential.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the example's `main` is not called")]
#[path = "../examples/any_websocket_library.rs"]
mod example;

use agentcore_client::{Auth, Client, Credentials, Endpoint};
use agentcore_mock::Mock;

#[tokio::test]
async fn the_same_handshake_with_two_libraries() {
    let mock = Mock::builder().start().await.unwrap();
    let keys = mock.credentials();
    let session_token = keys.session_token().map(str::to_owned);
    let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), session_token, None, "mock");
    let token = agentcore_client::StaticToken::parse(&mock.token()).unwrap();
    for auth in [Auth::bearer(token), Auth::sigv4(keys)] {
        let client = Client::builder().auth(auth).endpoints(mock.url().parse::<Endpoint>().unwrap()).build().unwrap();
        let handshake = client.runtime(mock.arn("echo")).websocket().handshake().await.unwrap();
        assert_eq!(example::with_tungstenite(handshake.clone(), "héllo").await.unwrap(), "héllo");
        assert_eq!(example::with_tokio_websockets(handshake.clone(), "héllo").await.unwrap(), "héllo");
        for request in mock.take_requests() {
            assert_eq!(request.session_id.as_deref(), Some(handshake.session.as_str()));
            assert!(request.caller.is_some());
        }
    }
}
