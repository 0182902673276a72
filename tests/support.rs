//! A client, a mock and the two introduced to each other.

use agentcore_client::{Client, Endpoint, Runtime};
use agentcore_mock::{Mock, MockBuilder};

/// A mock with every default.
pub(crate) async fn mock() -> Mock {
    start(Mock::builder()).await
}

pub(crate) async fn start(builder: MockBuilder) -> Mock {
    builder.start().await.unwrap()
}

pub(crate) fn endpoint(mock: &Mock) -> Endpoint {
    mock.url().parse().unwrap()
}

/// A client that holds one of the mock's tokens.
pub(crate) fn bearer(mock: &Mock) -> Client {
    Client::builder().bearer_token(&mock.token()).endpoints(endpoint(mock)).build().unwrap()
}

/// A client that signs with the mock's keys.
pub(crate) fn sigv4(mock: &Mock) -> Client {
    Client::builder().credentials(keys(mock)).endpoints(endpoint(mock)).build().unwrap()
}

pub(crate) fn keys(mock: &Mock) -> agentcore_client::Credentials {
    let keys = mock.credentials();
    let token = keys.session_token().map(str::to_owned);
    agentcore_client::Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "mock")
}

/// An agent of the mock, by token.
pub(crate) fn agent(mock: &Mock, name: &str) -> Runtime {
    bearer(mock).runtime(mock.arn(name))
}
