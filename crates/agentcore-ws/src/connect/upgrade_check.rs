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
        let all = |name, fit: &dyn Fn(&[u8]) -> bool| elements(headers, &name).all(fit);
        let any = |name| elements(headers, &name).next().is_some();
        let accept = |element: &[u8]| element == self.accept.as_bytes();
        let protocol = |element: &[u8]| self.protocol && element == subprotocol::NAME.as_bytes();
        let wrong = if !any(UPGRADE) || !all(UPGRADE, &|element| element.eq_ignore_ascii_case(b"websocket")) {
            "it upgrades to another protocol"
        } else if !elements(headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case(b"upgrade")) {
            "it does not upgrade the connection"
        } else if !any(SEC_WEBSOCKET_ACCEPT) || !all(SEC_WEBSOCKET_ACCEPT, &accept) {
            "it belongs to another request"
        } else if any(SEC_WEBSOCKET_EXTENSIONS) {
            "it wants an extension that was not offered"
        } else if !all(SEC_WEBSOCKET_PROTOCOL, &protocol) {
            "it wants a subprotocol that was not offered"
        } else {
            return Ok(());
        };
        let message = format!("the answer to the upgrade is not that of a WebSocket: {wrong}");
        Err(Error::new(ErrorKind::Service, message).possibly_run(true))
    }
}

/// Returns the elements of a list whose lines are one list; empty ones are none (RFC 9110 §5.3, §5.6.1).
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter();
    let elements = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    elements.filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The key and the answer of RFC 6455 §1.3, in which a header has these lines.
    fn check(offered: bool, changed: &'static str, lines: &[&str]) -> Option<String> {
        let mut request = Request::get("wss://host/ws").header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        if offered {
            request = request
                .header(SEC_WEBSOCKET_PROTOCOL, "base64UrlBearerAuthorization.e30, base64UrlBearerAuthorization");
        }
        let mut headers = HeaderMap::new();
        let accept = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let answer = [("upgrade", "websocket"), ("connection", "Upgrade"), accept];
        for (name, value) in answer.into_iter().filter(|(name, _)| *name != changed) {
            headers.insert(name, value.parse().unwrap());
        }
        for line in lines {
            headers.append(changed, line.parse().unwrap());
        }
        let error = UpgradeCheck::of(&request.body(()).unwrap()).verify(&headers).err()?.message().to_owned();
        error.strip_prefix("the answer to the upgrade is not that of a WebSocket: ").map(str::to_owned)
    }

    #[test]
    fn table() {
        let no_protocol = Some("it wants a subprotocol that was not offered");
        let no_extension = Some("it wants an extension that was not offered");
        let (other, no_upgrade) = (Some("it upgrades to another protocol"), Some("it does not upgrade the connection"));
        let not_ours = Some("it belongs to another request");
        let ours = "base64UrlBearerAuthorization";
        for (offered, name, lines, wrong) in [
            (false, "upgrade", &["WebSocket"][..], None),
            (false, "upgrade", &["", "websocket,"], None),
            (false, "upgrade", &["h2c"], other),
            (false, "upgrade", &["websocket", "h2c"], other),
            (false, "upgrade", &["h2c, websocket"], other),
            (false, "upgrade", &[""], other),
            (false, "upgrade", &[], other),
            (false, "connection", &["keep-alive, upgrade"], None),
            (false, "connection", &["keep-alive", "Upgrade"], None),
            (false, "connection", &["Upgrade", "keep-alive"], None),
            (false, "connection", &["keep-alive ,\t UPGRADE\t,, x"], None),
            (false, "connection", &["close"], no_upgrade),
            (false, "connection", &["keep-alive upgrade"], no_upgrade),
            (false, "connection", &[], no_upgrade),
            (false, "sec-websocket-accept", &["s3pPLMBiTxaQ9kYGzzhZRbK+xOp="], not_ours),
            (false, "sec-websocket-accept", &["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "x"], not_ours),
            (false, "sec-websocket-accept", &[""], not_ours),
            (false, "sec-websocket-accept", &[], not_ours),
            (false, "sec-websocket-extensions", &["permessage-deflate"], no_extension),
            (false, "sec-websocket-extensions", &["", "permessage-deflate; x=\"a,b\""], no_extension),
            (false, "sec-websocket-extensions", &["", " , "], None),
            (true, "x", &[""], None),
            (true, "sec-websocket-protocol", &[ours], None),
            (true, "sec-websocket-protocol", &["", ours], None),
            (true, "sec-websocket-protocol", &["base64UrlBearerAuthorization.e30"], no_protocol),
            (true, "sec-websocket-protocol", &[ours, "chat"], no_protocol),
            (true, "sec-websocket-protocol", &["base64UrlBearerAuthorization, chat"], no_protocol),
            (true, "sec-websocket-protocol", &["chat"], no_protocol),
            (false, "sec-websocket-protocol", &[ours], no_protocol),
        ] {
            assert_eq!(check(offered, name, lines).as_deref(), wrong, "{name}: {lines:?}");
        }
    }
}
