//! The request of an operation, not yet authenticated. One builder for all operations; sends nothing.

use agentcore_core::{Error, Operation, SessionId, Target, header};
use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{ACCEPT, CONTENT_TYPE},
};

/// What a request carries besides what its operation says.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) session: Option<&'a SessionId>,
    pub(crate) headers: HeaderMap,
    /// The media type of the body; none where nothing is known of it.
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: Bytes,
}

/// Writes the request of an operation.
///
/// # Errors
/// If the target does not offer the operation, or a header's value is not fit for one.
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
