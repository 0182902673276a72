//! Checks that a 101 answers the request (RFC 6455 §4.1). Reads headers only.

use http::{
    HeaderMap, HeaderName, Request,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
    },
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{Error, ErrorKind, subprotocol};

/// What the answer to a request must have in its headers.
#[derive(Debug)]
pub(super) struct UpgradeCheck {
    accept: String,
    protocol: bool,
}

impl UpgradeCheck {
    pub(super) fn of(request: &Request<()>) -> Self {
        let key = request.headers().get(SEC_WEBSOCKET_KEY).map_or(&b""[..], |key| key.as_bytes());
        Self { accept: derive_accept_key(key), protocol: request.headers().contains_key(SEC_WEBSOCKET_PROTOCOL) }
    }

    /// Accepts the answer's headers, or returns what is wrong with them.
    pub(super) fn verify(&self, headers: &HeaderMap) -> Result<(), Error> {
        let value_of = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let protocol = headers.get(SEC_WEBSOCKET_PROTOCOL).map(|value| value.as_bytes());
        let wrong = if !value_of(UPGRADE).eq_ignore_ascii_case("websocket") {
            "it upgrades to another protocol"
        } else if !value_of(CONNECTION).split(',').any(|option| option.trim().eq_ignore_ascii_case("upgrade")) {
            "it does not upgrade the connection"
        } else if value_of(SEC_WEBSOCKET_ACCEPT).trim() != self.accept {
            "it belongs to another request"
        } else if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
            "it wants an extension that was not offered"
        } else if protocol.is_some_and(|name| !self.protocol || name != subprotocol::NAME.as_bytes()) {
            "it wants a subprotocol that was not offered"
        } else {
            return Ok(());
        };
        let message = format!("the answer to the upgrade is not that of a WebSocket: {wrong}");
        Err(Error::new(ErrorKind::Service, message).possibly_run(true))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The key and the answer of RFC 6455 §1.3, with some of the answer's headers changed.
    fn check(offered: bool, changes: &[(&'static str, &'static str)]) -> Option<String> {
        let mut request = Request::get("wss://host/ws").header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        if offered {
            request = request
                .header(SEC_WEBSOCKET_PROTOCOL, "base64UrlBearerAuthorization.e30, base64UrlBearerAuthorization");
        }
        let mut headers = HeaderMap::new();
        let accept = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let answer = [("upgrade", "websocket"), ("connection", "Upgrade"), accept];
        for (name, value) in answer.iter().chain(changes) {
            headers.insert(*name, value.parse().unwrap());
        }
        let error = UpgradeCheck::of(&request.body(()).unwrap()).verify(&headers).err()?.message().to_owned();
        error.strip_prefix("the answer to the upgrade is not that of a WebSocket: ").map(str::to_owned)
    }

    #[test]
    fn table() {
        let no_protocol = Some("it wants a subprotocol that was not offered");
        let no_extension = Some("it wants an extension that was not offered");
        for (offered, change, wrong) in [
            (false, ("upgrade", "WebSocket"), None),
            (false, ("connection", "keep-alive, upgrade"), None),
            (false, ("upgrade", "h2c"), Some("it upgrades to another protocol")),
            (false, ("upgrade", ""), Some("it upgrades to another protocol")),
            (false, ("connection", "close"), Some("it does not upgrade the connection")),
            (false, ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp="), Some("it belongs to another request")),
            (false, ("sec-websocket-accept", ""), Some("it belongs to another request")),
            (false, ("sec-websocket-extensions", "permessage-deflate"), no_extension),
            (true, ("x", ""), None),
            (true, ("sec-websocket-protocol", "base64UrlBearerAuthorization"), None),
            (true, ("sec-websocket-protocol", "base64UrlBearerAuthorization.e30"), no_protocol),
            (true, ("sec-websocket-protocol", "chat"), no_protocol),
            (false, ("sec-websocket-protocol", "base64UrlBearerAuthorization"), no_protocol),
        ] {
            assert_eq!(check(offered, &[change]).as_deref(), wrong, "{change:?}");
        }
    }
}
