//! The AWS SDK's side of the HTTP port: its requests go through [`Exchange`], and its logs go nowhere. Opens no socket.

use std::{future::Future, sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use tracing::{
    instrument::{WithDispatch, WithSubscriber},
    subscriber::NoSubscriber,
};

use crate::{BoxError, Exchange, Repeat};

/// Returns an HTTP client for the SDK.
pub(crate) fn client(http: Arc<dyn Exchange>, repeat: Repetition) -> SharedHttpClient {
    http_client_fn(move |settings, _components| {
        let timeouts = settings.connect_timeout().into_iter().chain(settings.read_timeout());
        let bound = timeouts.reduce(Duration::saturating_add);
        SharedHttpConnector::new(Connector { http: Arc::clone(&http), bound: bound.unwrap_or(DEFAULT_BOUND), repeat })
    })
}

/// Returns the same future without its log: at `TRACE` the SDK prints bodies, and in them passwords and tokens.
pub(crate) fn muted<F: Future>(future: F) -> WithDispatch<F> {
    future.with_subscriber(NoSubscriber::default())
}

#[derive(Debug)]
struct Connector {
    http: Arc<dyn Exchange>,
    /// Connecting and reading together, so that a missing metadata service fails soon.
    bound: Duration,
    repeat: Repetition,
}

/// Returns whether a request may be repeated, by its operation.
pub(crate) type Repetition = fn(&http::HeaderMap) -> Repeat;

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, bound, repeat) = (Arc::clone(&self.http), self.bound, self.repeat);
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (mut parts, body) = request.into_parts();
            parts.extensions.insert(repeat(&parts.headers));
            let body = body.bytes().map(Bytes::copy_from_slice);
            let body = body.ok_or_else(|| ConnectorError::user("a streaming request body".into()))?;
            let answer = tokio::time::timeout(bound, http.exchange(http::Request::from_parts(parts, body))).await;
            let answer = answer.map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?;
            let answer = answer.map_err(|error: BoxError| ConnectorError::io(error))?;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

const DEFAULT_BOUND: Duration = Duration::from_secs(30);
