//! The request of any operation, not yet authenticated. Sends nothing.

use agentcore_core::{Error, Operation, SessionId, Target, header};
use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{ACCEPT, CONTENT_TYPE},
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
    let mut request =
        Request::builder().method(operation.method).uri(target.url(operation)?).header(ACCEPT, operation.accept);
    if let Some(session) = session {
        request = request.header(header::SESSION_ID, session.as_str());
    }
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    let mut request =
        request.body(body).map_err(|error| Error::input("the request cannot be written").with_source(error))?;
    request.headers_mut().extend(headers);
    Ok(request)
}
