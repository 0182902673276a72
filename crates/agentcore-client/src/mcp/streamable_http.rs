//! The transport as `rmcp` wants one. Decides what rmcp may take for unsent, and so send again.
//!
//! rmcp 3.11.0 answers [`StreamableHttpError::SessionExpired`] of a message by another `initialize`, and then sends that message once more,
//! whatever it asks for (`transport/streamable_http_client.rs`, `perform_reinitialization` and `recovery_posts`). It waits for the
//! other requests of the old session, and sends none of them again. After every other error it sends nothing again. So this file says
//! `SessionExpired` only of what has not run, or may run twice.

use std::{collections::HashMap, sync::Arc};

use agentcore_core::{ServiceResponse, header};
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use rmcp::{
    model::{ClientJsonRpcMessage, ClientRequest, ErrorData, ServerJsonRpcMessage},
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::{
            SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
            StreamableHttpPostResponse, StreamableHttpResponseLimits,
        },
    },
};
use sse_stream::Sse;

use super::Mcp;
use crate::{
    Error, ErrorKind, Response,
    rpc::{RpcAnswer, RpcMessage},
};

type Outcome<T> = Result<T, StreamableHttpError<Error>>;

impl Mcp {
    /// Returns rmcp's transport over this one, with rmcp's defaults, but for `session_recovery_timeout`: one minute, because a microVM that
    /// is started for a new session takes longer than rmcp's five seconds. It wants a Tokio runtime, on which it runs a task.
    ///
    /// For other settings see
    /// [`StreamableHttpClientTransport::with_client`](rmcp::transport::StreamableHttpClientTransport::with_client), whose configured `uri`
    /// is not used, and whose `auth_header` must not be set: this client knows both.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use agentcore_client::{Client, Endpoint};
    /// use rmcp::{ServiceExt, model::ClientConfig};
    ///
    /// # let mock = agentcore_mock::Mock::builder().start().await?;
    /// let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
    /// let server = ClientConfig::default().serve(client.runtime(mock.arn("mcp")).mcp().into_transport()).await?;
    /// for tool in server.list_all_tools().await? {
    ///     println!("{}", tool.name);
    /// }
    /// # server.cancel().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn into_transport(self) -> StreamableHttpClientTransport<Self> {
        let uri = self.runtime.target.url(&agentcore_core::operation::MCP).map(|uri| uri.to_string());
        let config = StreamableHttpClientTransportConfig::with_uri(uri.unwrap_or_default());
        StreamableHttpClientTransport::with_client(self, config.session_recovery_timeout(RECOVERY))
    }

    /// Sends a message of rmcp's.
    async fn exchange(
        &self,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        limits: StreamableHttpResponseLimits,
    ) -> Outcome<StreamableHttpPostResponse> {
        if auth_header.is_some() {
            let message = "rmcp's `auth_header` is set, and this client has its own credentials";
            return Err(StreamableHttpError::Client(Error::input(message)));
        }
        if let Some(name) = RESERVED.iter().find(|name| headers.contains_key(*name)) {
            return Err(StreamableHttpError::ReservedHeaderConflict(name.to_string()));
        }
        let headers: HeaderMap = headers.into_iter().collect();
        let sent = RpcMessage::of(&message).map_err(StreamableHttpError::Client)?;
        // The session of rmcp is the number of ours: it writes session ids to its log.
        let ticket =
            self.held().ticket_of(session.as_deref(), &sent).map_err(|_| StreamableHttpError::SessionExpired)?;
        match self.post(sent.clone(), ticket, headers).await {
            Ok(answer) => {
                let session = self.held().handle();
                read(answer, &sent, session, limits).await
            }
            Err(error) => refused(&message, &sent, session.is_some(), error),
        }
    }
}

impl StreamableHttpClient for Mcp {
    type Error = Error;

    async fn post_message(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Outcome<StreamableHttpPostResponse> {
        self.exchange(message, session_id, auth_header, custom_headers, StreamableHttpResponseLimits::default()).await
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
        max_sse_event_size: usize,
    ) -> Outcome<StreamableHttpPostResponse> {
        let mut limits = StreamableHttpResponseLimits::default();
        limits.max_sse_event_size = max_sse_event_size;
        self.exchange(message, session_id, auth_header, custom_headers, limits).await
    }

    async fn post_message_with_response_limits(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
        limits: StreamableHttpResponseLimits,
    ) -> Outcome<StreamableHttpPostResponse> {
        self.exchange(message, session_id, auth_header, custom_headers, limits).await
    }

    /// The runtime's API has no `DELETE`. Sends nothing.
    async fn delete_session(
        &self,
        _uri: Arc<str>,
        _session_id: Arc<str>,
        _auth_header: Option<String>,
        _custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Outcome<()> {
        Err(StreamableHttpError::ServerDoesNotSupportDeleteSession)
    }

    /// The runtime's API has no `GET`. Sends nothing.
    async fn get_stream(
        &self,
        _uri: Arc<str>,
        _session_id: Option<Arc<str>>,
        _last_event_id: Option<String>,
        _auth_header: Option<String>,
        _custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Outcome<BoxStream<'static, Result<Sse, SseError>>> {
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}

/// Reads an answer as rmcp takes it.
async fn read(
    answer: RpcAnswer,
    sent: &RpcMessage,
    session: Option<String>,
    limits: StreamableHttpResponseLimits,
) -> Outcome<StreamableHttpPostResponse> {
    if sent.awaits().is_none() {
        return Ok(StreamableHttpPostResponse::Accepted);
    }
    let response = answer.into_response().limited_to(limits.max_json_response_size, limits.max_sse_event_size);
    if response.is_event_stream() {
        return Ok(StreamableHttpPostResponse::Sse(events(response), session));
    }
    let too_large = StreamableHttpError::ResponseBodyTooLarge { max_size: limits.max_json_response_size };
    let (status, request_id) = (response.status(), response.request_id().map(str::to_owned));
    let body = response.bytes().await.map_err(|error| match error.kind() {
        ErrorKind::TooLarge => too_large,
        _ => StreamableHttpError::Client(error),
    })?;
    // rmcp would wait for the response on a stream that there is not, without an end.
    let response = serde_json::from_slice::<ServerJsonRpcMessage>(&body).map_err(|error| {
        let message = "the answer to the request is neither a stream of events nor a message of MCP";
        let answer = ServiceResponse { status, request_id, ..ServiceResponse::default() };
        let failure = Error::new(ErrorKind::Service, message).with_response(answer).possibly_run(true);
        StreamableHttpError::Client(failure.with_source(error))
    })?;
    Ok(StreamableHttpPostResponse::Json(response, session))
}

/// Returns the events of an answer without their ids: rmcp would try to resume the stream, for which there is no `GET`, and wait before
/// it as long as the server says.
fn events(response: Response) -> BoxStream<'static, Result<Sse, SseError>> {
    let events = response.events().unterminated();
    events
        .map_ok(|event| Sse::default().event(&*event.event).data(&*event.data))
        .map_err(|error| SseError::Body(Box::new(error)))
        .boxed()
}

/// Tells rmcp why there is no answer.
fn refused(
    message: &ClientJsonRpcMessage,
    sent: &RpcMessage,
    names_session: bool,
    error: Error,
) -> Outcome<StreamableHttpPostResponse> {
    if error.kind() == ErrorKind::SessionLost {
        let may_be_sent_again = !error.may_have_run() || sent.is_repeatable();
        return Err(match may_be_sent_again {
            true => StreamableHttpError::SessionExpired,
            false => StreamableHttpError::Client(error),
        });
    }
    let ClientJsonRpcMessage::Request(request) = message else { return Err(StreamableHttpError::Client(error)) };
    let about_the_request = matches!(error.status(), Some(400..=499)) && !matches!(error.status(), Some(401 | 403));
    let answered =
        |data| Ok(StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(data, Some(request.id.clone())), None));
    match error.rpc_error().and_then(|body| serde_json::from_str(body).ok()) {
        // The id is the request's, or that of no request: rmcp would not know whose answer it is.
        Some(ServerJsonRpcMessage::Error(refusal)) if about_the_request => answered(refusal.error),
        // By which rmcp learns that the server wants an `initialize`.
        _ if about_the_request && !names_session && matches!(request.request, ClientRequest::DiscoverRequest(_)) => {
            answered(ErrorData::invalid_request(error.to_string(), None))
        }
        _ => Err(StreamableHttpError::Client(error)),
    }
}

/// The headers that this client sets by itself.
const RESERVED: [HeaderName; 3] =
    [http::header::ACCEPT, header::MCP_SESSION_ID, HeaderName::from_static("last-event-id")];

/// A cold start takes up to half a minute (AWS developer guide, "Runtime quotas": an agent that starts for longer is 424).
const RECOVERY: std::time::Duration = std::time::Duration::from_secs(60);
