//! One request in hand: read whole, but never more of it than the service takes.

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, FromRequest, Request},
    http::StatusCode,
};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Response, Uri, header, request::Parts};

use crate::{AgentAnswer, RecordedRequest, agents::request::is_credential, server::Switch};

/// A request read to its end, with the switch that breaks its connection.
pub(super) struct Exchange {
    pub(super) request: RecordedRequest,
    /// Whether the body is larger than the service takes; it was then not kept.
    pub(super) is_too_large: bool,
    pub(super) connection: Connection,
}

/// The way back to the caller.
pub(super) struct Connection(pub(super) Switch);

impl Connection {
    /// Turns an agent's answer into the server's, or breaks the connection if that is the answer.
    pub(super) fn send(
        self,
        answer: AgentAnswer,
        dress: impl FnOnce(Response<Body>) -> Response<Body>,
    ) -> Response<Body> {
        if let Some(response) = answer.into_response() {
            return dress(response);
        }
        self.0.reset();
        // The connection takes no more bytes, so these never leave.
        Response::new(Body::empty())
    }
}

impl<S: Sync> FromRequest<S> for Exchange {
    type Rejection = StatusCode;

    async fn from_request(request: Request, _state: &S) -> Result<Self, StatusCode> {
        let (parts, body) = request.into_parts();
        let Parts { method, uri, version, headers, extensions, .. } = parts;
        let switch = extensions.get().map(|ConnectInfo(switch): &ConnectInfo<Switch>| switch.clone());
        let connection = Connection(switch.unwrap_or_default());
        let body = match announced_length(&headers) {
            Some(length) if length > MAX_PAYLOAD_BYTES => None,
            // A body that breaks off has nobody left to answer to.
            _ => read(body, MAX_PAYLOAD_BYTES).await.map_err(|_| StatusCode::BAD_REQUEST)?,
        };
        let is_too_large = body.is_none();
        let request = RecordedRequest {
            headers: received(headers, &uri),
            body: body.unwrap_or_default(),
            ..RecordedRequest::new(method, version, uri.path(), uri.query())
        };
        Ok(Self { request, is_too_large, connection })
    }
}

/// Reads a body, or gives `None` as soon as it is larger than `max` bytes.
async fn read(body: Body, max: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(chunk) = stream.next().await {
        whole.extend_from_slice(&chunk?);
        if whole.len() > max {
            return Ok(None);
        }
    }
    Ok(Some(whole.into()))
}

/// Adds HTTP/2's `:authority` as `host`, for that is its place in a signature, and blinds the secrets for `Debug`.
fn received(mut headers: HeaderMap, uri: &Uri) -> HeaderMap {
    let authority = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(authority) = authority {
        headers.entry(header::HOST).or_insert(authority);
    }
    for (name, value) in &mut headers {
        value.set_sensitive(is_credential(name));
    }
    headers
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The largest payload: 100 MB ("Quotas for Amazon Bedrock AgentCore").
pub(super) const MAX_PAYLOAD_BYTES: usize = 100 * 1024 * 1024;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn bodies_up_to_the_limit() {
        for (chunks, expected) in [
            (vec![], Some("")),
            (vec!["ab", "cd"], Some("abcd")),
            (vec!["ab", "cd", "e"], Some("abcde")),
            (vec!["ab", "cd", "ef"], None),
            (vec!["abcdef"], None),
        ] {
            let body = Body::from_stream(stream::iter(chunks.clone().into_iter().map(Ok::<_, axum::Error>)));
            let read = read(body, 5).await.unwrap();
            assert_eq!(read.as_deref(), expected.map(str::as_bytes), "{chunks:?}");
        }
    }

    #[tokio::test]
    async fn http_2_names_its_host_in_the_uri() {
        for (uri, host, expected) in [
            ("https://example.test:8443/ping", None, "example.test:8443"),
            ("/ping", Some("example.test"), "example.test"),
            ("https://one.test/ping", Some("two.test"), "two.test"),
        ] {
            let mut request = Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let exchange = Exchange::from_request(request.body(Body::empty()).unwrap(), &()).await.unwrap();
            assert_eq!(exchange.request.header("host"), Some(expected), "{uri}");
            assert_eq!(exchange.request.path, "/ping");
        }
    }
}
