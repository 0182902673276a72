//! Nothing secret of a socket or a shell, by any way in.

use agentcore_captured_log::CapturedLog;
use agentcore_client::{
    SessionId,
    ws::{AuthMode, Expiry, RetryPolicy, Settings},
};
use agentcore_mock::Mock;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Shown, signatures};
use crate::support::{bearer, keys, sigv4, start};

/// Presigned URLs, signed headers, tokens in a protocol's name: made, used, refused and lost.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_a_socket_is_logged_printed_or_told() {
    const MESSAGE: &str = "a-message-nobody-else-should-read";
    let (log, guard) = CapturedLog::begin();
    let mock = start(Mock::builder().allow_commands(true)).await;
    let keys = keys(&mock);
    let (by_token, by_keys) = (bearer(&mock), sigv4(&mock));
    let mut shown = Shown::default();
    let mut secrets = vec![keys.secret_access_key().to_owned(), keys.session_token().unwrap().to_owned()];
    let presigned = AuthMode::Presigned(Expiry::from_secs(60).unwrap());
    let settings = || Settings::default().retry(RetryPolicy::off());
    for (client, mode) in [
        (&by_token, AuthMode::Headers),
        (&by_token, AuthMode::Subprotocol),
        (&by_keys, AuthMode::Headers),
        (&by_keys, presigned),
        // None of these two can.
        (&by_token, presigned),
        (&by_keys, AuthMode::Subprotocol),
    ] {
        for agent in ["echo", "error-403", "error-500", "reset", "html", "redirect", "no-such-agent", "ws-close-1011"] {
            let session = SessionId::random();
            let request = client.runtime(mock.arn(agent)).websocket().session(&session);
            let request = request.param("private", MESSAGE).unwrap().settings(settings()).auth_mode(mode);
            shown.debug(&request);
            shown.outcome(request.handshake().await);
            match request.presign(Expiry::from_secs(60).unwrap()).await {
                Ok(url) => {
                    secrets.push(url.expose().to_owned());
                    let (_, signature) = url.expose().rsplit_once("X-Amz-Signature=").unwrap();
                    secrets.push(signature.to_owned());
                    shown.debug(&url);
                }
                Err(error) => shown.error(error),
            }
            match request.subprotocol().await {
                Ok(subprotocol) => {
                    let protocol = subprotocol.protocols()[0].to_owned();
                    let (_, encoded) = protocol.split_once('.').unwrap();
                    let token = BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap();
                    secrets.extend([encoded.to_owned(), String::from_utf8(token).unwrap()]);
                    shown.debug(&subprotocol);
                }
                Err(error) => shown.error(error),
            }
            match request.connect().await {
                Ok(mut socket) => {
                    shown.debug(&socket);
                    let _ = socket.send(MESSAGE).await;
                    // What was received is shown to whoever prints it.
                    if let Err(error) = socket.try_next().await {
                        shown.error(error);
                    }
                    shown.outcome(socket.close().await);
                }
                Err(error) => shown.error(error),
            }
        }
        let request = client.runtime(mock.arn("echo")).shell().settings(settings()).auth_mode(mode);
        shown.debug(&request);
        match request.connect().await {
            Ok(mut shell) => {
                let input = shell.input();
                input.send(format!(": {MESSAGE}\nexit\n")).await.unwrap();
                shown.debug(&(&shell, &input));
                shown.outcome(shell.wait().await);
            }
            Err(error) => shown.error(error),
        }
    }
    drop(guard);
    let signed = signatures(&mock);
    assert!(signed.len() > 10, "signatures were made");
    secrets.extend(signed);
    secrets.push(MESSAGE.to_owned());
    shown.assert_silent(&log, &secrets);
}
