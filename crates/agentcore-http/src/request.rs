//! The request of any operation, not yet authenticated. Sends nothing.

use agentcore_core::{Error, Operation, SessionId, Target, header};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request,
    header::{ACCEPT, CONTENT_TYPE, InvalidHeaderValue},
};

/// The contents of a request that its operation does not fix.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) session: Option<&'a SessionId>,
    pub(crate) headers: HeaderMap,
    /// The media type of the body, if it is known.
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: Bytes,
}

/// Returns the request of an operation.
///
/// # Errors
/// If the target does not offer the operation, or if a value is no header value.
pub(crate) fn write(target: &Target, operation: &Operation, contents: Contents<'_>) -> Result<Request<Bytes>, Error> {
    let Contents { session, headers, content_type, body } = contents;
    let value = |value: Result<HeaderValue, InvalidHeaderValue>| {
        value.map_err(|error| Error::input("the request cannot be written").with_source(error))
    };
    let mut request = Request::new(body);
    *request.method_mut() = operation.method.clone();
    *request.uri_mut() = target.url(operation)?;
    let own = request.headers_mut();
    // The credential, the date of a signature and the user agent come too.
    own.reserve(headers.len() + 8);
    own.insert(ACCEPT, HeaderValue::from_static(operation.accept));
    if let Some(session) = session {
        own.insert(header::SESSION_ID, value(HeaderValue::from_str(session.as_str()))?);
    }
    if let Some(content_type) = content_type {
        own.insert(CONTENT_TYPE, value(HeaderValue::from_str(content_type))?);
    }
    own.extend(headers);
    Ok(request)
}
