//! The body of an answer, whose end is told from its breaking off. Bounds nothing.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use agentcore_core::BoxError;
use bytes::Bytes;
use http::{Response, Version};
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};

/// The body of an answer, of any protocol.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body of HTTP/2, which is complete only where its stream was ended (RFC 9113 §8.1).
///
/// hyper takes a stream reset with `NO_ERROR` for complete, which it may be for a request: a server asks so for no more of it. An answer
/// that was reset before its end is a part of one, whatever the code. HTTP/1.1 needs no such look: its bodies have a length or a last
/// chunk, or end with the connection.
struct Http2Body(Incoming);

impl hyper::body::Body for Http2Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            None if !self.0.is_end_stream() => Some(Err("the stream was reset before its end".into())),
            frame => frame.map(|frame| frame.map_err(Into::into)),
        })
    }
}

/// Returns the answer with a body that ends as an error where it broke off.
pub(crate) fn whole(answer: Response<Incoming>) -> Response<Body> {
    let http2 = answer.version() == Version::HTTP_2;
    answer.map(|body| if http2 { Http2Body(body).boxed_unsync() } else { body.map_err(BoxError::from).boxed_unsync() })
}
