//! An answer in JSON-RPC 2.0, to a message of MCP or A2A: its messages, its result, its error. Sends nothing and knows no session.

mod message;
mod messages;

use std::time::Instant;

use agentcore_core::SessionId;
use agentcore_http::{Invocation, Response};
use http::Uri;

pub use self::messages::RpcMessages;
pub(crate) use self::{message::RpcMessage, messages::Expects};
use crate::{AnswerJson, BoxFuture, Error, Events, Reader, Runtime, call::MeteredCall};

/// The answer to a message of MCP or A2A, whose head has arrived. The methods that take `self` read its body.
///
/// An answer is one JSON object, or a stream of server-sent events: notifications and requests of the agent, and the response. An
/// error of JSON-RPC within it is an [`Error`] of kind [`Agent`](crate::ErrorKind::Agent), whose [`code`](Error::code) is the number of
/// JSON-RPC 2.0 section 5.1, when it is read; [`into_response`](Self::into_response) has the bytes as they are.
#[derive(Debug)]
pub struct RpcAnswer {
    pub(crate) response: Response,
    pub(crate) call: MeteredCall,
    pub(crate) expects: Expects,
}

/// Passes settings of every message on to the [`Invocation`] that it becomes.
macro_rules! settings {
    ($type:ident) => {
        $crate::rpc::settings! {
            $type:
            user(user: agentcore_core::UserId);
            no_user();
            header(header: agentcore_core::CustomHeader);
            timeouts(timeouts: agentcore_http::Timeouts);
            retry(policy: agentcore_http::RetryPolicy);
        }
    };
    ($type:ident: $($name:ident($($value:ident: $kind:ty)?);)*) => {
        impl $type {
            $(
                #[doc = concat!("Of every message: see [`Invoke::", stringify!($name), "`](crate::Invoke::", stringify!($name), ").")]
                #[must_use]
                pub fn $name(mut self $(, $value: $kind)?) -> Self {
                    self.settings = self.settings.$name($($value)?);
                    self
                }
            )*
        }
    };
}

pub(crate) use settings;

/// Sends a message in an invocation, and waits for the head of its answer. `judge` adds to a failure what its protocol knows of it.
pub(crate) async fn post(
    runtime: &Runtime,
    mut invocation: Invocation,
    expects: Expects,
    judge: impl FnOnce(Error) -> Error,
) -> Result<RpcAnswer, Error> {
    let mut call = MeteredCall::begin(&runtime.shared, &runtime.target, &invocation)?;
    #[cfg(feature = "otel")]
    call.add_trace(&mut invocation);
    let mut response = call.send(&runtime.shared, &runtime.target, &mut invocation, judge).await?;
    if expects.id.is_none() {
        // Nobody reads what comes for a notification, and that it came is all there is to know.
        call.handed_over(&response);
    } else if let Some(error) = response.page_of_another().await {
        call.failed(&error);
        return Err(error);
    }
    Ok(RpcAnswer { response, call, expects })
}

impl RpcAnswer {
    /// Returns the HTTP status: 200, or 202 for a notification that was accepted.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// Returns the runtime session that the answer names.
    #[must_use]
    pub fn session_id(&self) -> Option<&SessionId> {
        self.response.answered_session()
    }

    /// Returns the id to quote to AWS support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.response.request_id()
    }

    /// Returns the URL at which the session can be reached directly; see [`Response::session_endpoint_url`] and
    /// [`Runtime::authorize`](crate::Runtime::authorize).
    #[must_use]
    pub fn session_endpoint_url(&self) -> Option<Uri> {
        self.response.session_endpoint_url()
    }

    /// Returns the answer as it is, unread. An error of JSON-RPC in it is for the caller to find, and the versions in it for the caller to
    /// keep.
    #[must_use]
    pub fn into_response(mut self) -> Response {
        self.call.handed_over(&self.response);
        self.response
    }

    /// Reads the answer as what an agent says: texts, questions, errors; see [`event`](crate::event).
    #[must_use]
    pub fn events(self) -> Events {
        Events::new(self.response, Reader::new().dialect(self.expects.dialect), self.expects.arn, self.call)
    }

    /// Reads the answer as messages of JSON-RPC, one after the other.
    #[must_use]
    pub fn messages(self) -> RpcMessages {
        let now = Instant::now();
        let begun = now.checked_sub(self.response.elapsed()).unwrap_or(now);
        RpcMessages::new(self.response, self.call, self.expects, begun)
    }

    /// Reads the `result` of the request, and skips what comes before it: notifications, and requests of the agent, which
    /// [`messages`](Self::messages) has.
    ///
    /// # Errors
    /// If the agent answered with an error of JSON-RPC, if the answer broke off or ended without a response, and if it is a message that
    /// has no response: a notification.
    ///
    /// # Cancel safety
    /// Dropping the future drops the answer; what was read is lost.
    pub async fn result(self) -> Result<AnswerJson, Error> {
        self.messages().into_result().await
    }
}

/// As [`result`](RpcAnswer::result).
impl IntoFuture for RpcAnswer {
    type Output = Result<AnswerJson, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.result())
    }
}
