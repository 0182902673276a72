//! The request of any operation, not yet authenticated. Sends nothing.

use agentcore_core::{Error, Operation, SessionId, Target, header};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Uri,
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

/// What each attempt of a call writes its request from.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) url: Uri,
    pub(crate) operation: &'a Operation,
    pub(crate) contents: Contents<'a>,
}

impl<'a> Draft<'a> {
    /// # Errors
    /// If the target does not offer the operation, or if the media type is no header value.
    pub(crate) fn new(target: &Target, operation: &'a Operation, contents: Contents<'a>) -> Result<Self, Error> {
        if let Some(own) = contents.content_type.filter(|own| Some(*own) != operation.content_type) {
            value(own)?;
        }
        Ok(Self { url: target.url(operation)?, operation, contents })
    }

    /// Writes the request.
    ///
    /// # Errors
    /// If a value is no header value.
    pub(crate) fn write(&self) -> Result<Request<Bytes>, Error> {
        let Self { url, operation, contents: Contents { session, headers, content_type, body } } = self;
        let mut request = Request::new(body.clone());
        operation.method.clone_into(request.method_mut());
        url.clone_into(request.uri_mut());
        let own = request.headers_mut();
        // The credential, the date of a signature and the user agent come too.
        own.reserve(headers.len() + 8);
        own.insert(ACCEPT, HeaderValue::from_static(operation.accept));
        if let Some(session) = session {
            own.insert(header::SESSION_ID, value(session.as_str())?);
        }
        if let Some(content_type) = content_type {
            own.insert(CONTENT_TYPE, value(content_type)?);
        }
        for (name, value) in headers {
            own.append(name, value.clone());
        }
        Ok(request)
    }
}

fn value(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|error| Error::input("the request cannot be written").with_source(error))
}
