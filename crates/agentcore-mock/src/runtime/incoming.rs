//! Reads a request to its end, but never more of it than the service accepts.

use std::error::Error;

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{FromRequest, Request},
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header, request::Parts};
use http_body_util::LengthLimitError;

use crate::{
    invocation::AgentResponse, record::RecordedRequest, server::ConnectionControl, service_error::ServiceError,
    verify::is_credential_header,
};

/// A request with its body, and its connection.
pub(super) struct IncomingRequest {
    pub(super) request: RecordedRequest,
    /// Whether the body is larger than the service accepts, and so was dropped.
    is_too_large: bool,
    pub(super) control: ConnectionControl,
}

impl IncomingRequest {
    /// Checks the payload's size.
    pub(super) fn check_payload(&self) -> Result<(), ServiceError> {
        if self.is_too_large {
            return Err(ServiceError::validation(format!("The payload is larger than {MAX_PAYLOAD_BYTES} bytes.")));
        }
        Ok(())
    }
}

/// Returns the HTTP response of an agent's response, or resets the connection if the agent does so.
pub(super) fn send(control: &ConnectionControl, response: AgentResponse) -> Response<Body> {
    response.into_response().unwrap_or_else(|| {
        control.reset();
        // The connection sends nothing more, and so not this response.
        Response::new(Body::empty())
    })
}

impl<S: Sync> FromRequest<S> for IncomingRequest {
    type Rejection = StatusCode;

    async fn from_request(request: Request, _state: &S) -> Result<Self, StatusCode> {
        let (parts, body) = request.into_parts();
        let Parts { method, uri, version, headers, extensions, .. } = parts;
        let control = extensions.get::<ConnectionControl>().cloned();
        // The client of an incomplete body has gone.
        let body = read(body, MAX_PAYLOAD_BYTES).await.map_err(|_| StatusCode::BAD_REQUEST)?;
        let is_too_large = body.is_none();
        let request = RecordedRequest {
            headers: received_headers(headers, &uri),
            body: body.unwrap_or_default(),
            ..RecordedRequest::new(method, version, uri.path(), uri.query())
        };
        Ok(Self { request, is_too_large, control: control.unwrap_or_default() })
    }
}

/// Reads a body, or returns `None` as soon as it is known to be larger than `max` bytes.
async fn read(body: Body, max: usize) -> Result<Option<Bytes>, axum::Error> {
    if body.size_hint().lower() > max as u64 {
        return Ok(None);
    }
    match to_bytes(body, max).await {
        Err(error) if error.source().is_some_and(|source| source.is::<LengthLimitError>()) => Ok(None),
        whole => whole.map(Some),
    }
}

/// Adds HTTP/2's `:authority` as `host`, as signatures have it, and hides the credentials from `Debug`.
fn received_headers(mut headers: HeaderMap, uri: &Uri) -> HeaderMap {
    let authority = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(authority) = authority {
        headers.entry(header::HOST).or_insert(authority);
    }
    for (name, value) in &mut headers {
        value.set_sensitive(is_credential_header(name));
    }
    headers
}

/// The largest payload: 100 MB ("Quotas for Amazon Bedrock AgentCore").
const MAX_PAYLOAD_BYTES: usize = 100 * 1024 * 1024;

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
            let incoming = IncomingRequest::from_request(request.body(Body::empty()).unwrap(), &()).await.unwrap();
            assert_eq!(incoming.request.header("host"), Some(expected), "{uri}");
            assert_eq!(incoming.request.path, "/ping");
        }
    }
}
