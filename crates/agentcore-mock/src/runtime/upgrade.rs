//! The switch of protocols at the end of an opening handshake (RFC 6455 section 4.2). Admits nobody, and sends no frame.

use std::convert::Infallible;

use axum::{body::Body, extract::FromRequestParts};
use http::{HeaderValue, Request, Response, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::server::create_response,
        protocol::{Role, WebSocketConfig},
    },
};

use crate::{record::RecordedRequest, service_error::ServiceError, websocket::Socket};

/// The connection of a request, if it can be upgraded.
pub(super) struct Upgrade(Option<OnUpgrade>);

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.remove()))
    }
}

impl Upgrade {
    /// Checks the requirements of RFC 6455 section 4.2.1.
    pub(super) fn check(self, request: &RecordedRequest) -> Result<CheckedUpgrade, ServiceError> {
        let mut handshake = Request::new(());
        request.method.clone_into(handshake.method_mut());
        *handshake.version_mut() = request.version;
        request.headers.clone_into(handshake.headers_mut());
        let response = create_response(&handshake).map_err(|error| ServiceError::validation(error.to_string()))?;
        let connection = self.0.ok_or_else(|| ServiceError::validation("The connection cannot be upgraded."))?;
        let offered = request.headers.get(header::SEC_WEBSOCKET_PROTOCOL).cloned();
        Ok(CheckedUpgrade { connection, response, offered })
    }
}

/// A handshake that is in order.
pub(super) struct CheckedUpgrade {
    connection: OnUpgrade,
    response: Response<()>,
    /// The subprotocols that the client offers.
    offered: Option<HeaderValue>,
}

impl CheckedUpgrade {
    /// Chooses the first of the subprotocols that the client offers, if there is one, and makes the response that switches
    /// protocols. Then `run` has the socket.
    pub(super) fn switch<F: Future<Output = ()> + Send>(
        self,
        protocols: &[&'static str],
        max_message: usize,
        max_frame: usize,
        run: impl FnOnce(Socket) -> F + Send + 'static,
    ) -> Response<Body> {
        let Self { connection, response, offered } = self;
        let offered = offered.as_ref().and_then(|offered| offered.to_str().ok()).unwrap_or_default();
        let is_offered = |protocol: &str| offered.split(',').any(|offer| offer.trim() == protocol);
        let mut response = response.map(|()| Body::empty());
        if let Some(protocol) = protocols.iter().find(|protocol| is_offered(protocol)) {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        let config = WebSocketConfig::default().max_message_size(Some(max_message)).max_frame_size(Some(max_frame));
        tokio::spawn(async move {
            // A client that has gone needs no socket.
            let Ok(upgraded) = connection.await else { return };
            run(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await).await;
        });
        response
    }
}
