//! The error of an attempt without an answer, and how far the request came. Reads errors, sends nothing.

use std::{error::Error as StdError, io, time::Duration};

use agentcore_core::{BoxError, Error, ErrorKind, call::FailurePoint};
use http::{Uri, uri::Scheme};

/// The error of an attempt without the head of an answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[expect(clippy::exhaustive_structs, reason = "a plain set of facts, which tests make by hand")]
pub struct SendError {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// The message.
    pub message: String,
    /// Whether the server may have processed a part of the request.
    pub may_have_run: bool,
    /// Whether the next attempt would fail the same way.
    pub lasting: bool,
    /// The cause.
    pub source: Option<BoxError>,
}

impl SendError {
    /// Returns the point at which the attempt failed.
    #[must_use]
    pub fn failure_point(&self) -> FailurePoint {
        if self.may_have_run { FailurePoint::Uncertain } else { FailurePoint::NotSent { lasting: self.lasting } }
    }

    /// Makes the error of an encrypted connection without trusted certificates.
    pub(crate) fn no_roots() -> Self {
        Self {
            kind: ErrorKind::Unavailable,
            message: "no trusted root certificates were found on this system".into(),
            may_have_run: false,
            lasting: true,
            source: None,
        }
    }

    /// Makes the error of a request that failed in the pool.
    pub(crate) fn request(error: hyper_util::client::legacy::Error, place: &str) -> Self {
        let causes = Causes::in_chain(&error);
        // hyper calls a request `Canceled` that was still in the queue when its connection closed.
        Self::after(
            &causes,
            !(error.is_connect() || causes.canceled || causes.refused || causes.turned_away),
            place,
            error.into(),
        )
    }

    /// Makes the error of a URL without a host.
    pub(crate) fn invalid_url(source: BoxError) -> Self {
        let message = "the URL names no host".into();
        Self { kind: ErrorKind::Input, message, may_have_run: false, lasting: true, source: Some(source) }
    }

    /// Makes the error of a connection to this place that was lost after the request.
    pub(crate) fn lost(source: BoxError, place: &str) -> Self {
        let causes = Causes::in_chain(&*source);
        Self::after(&causes, !causes.turned_away, place, source)
    }

    /// `place` is where to the connection was made, or was to be made.
    fn after(causes: &Causes, may_have_run: bool, place: &str, source: BoxError) -> Self {
        use ErrorKind::{Service, Timeout, Unavailable};
        let (kind, message) = match causes {
            Causes { timed_out: true, .. } => (Timeout, format!("could not connect to {place} in time")),
            Causes { turned_away: true, .. } => (Unavailable, format!("{place} refused the TLS handshake")),
            Causes { refused: true, .. } => (Unavailable, format!("{place} closed the stream without a look at it")),
            Causes { malformed: true, .. } if may_have_run => {
                (Service, format!("the server broke the protocol: the head of the answer of {place} cannot be read"))
            }
            _ if may_have_run => (Unavailable, format!("the connection to {place} was lost before an answer came")),
            _ => (Unavailable, format!("could not connect to {place}")),
        };
        Self { kind, message, may_have_run, lasting: causes.lasting, source: Some(source) }
    }
}

/// Returns the host and port of a URL.
pub(crate) fn place(url: &Uri) -> String {
    let default = if url.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 };
    format!("{}:{}", url.host().unwrap_or_default(), url.port_u16().unwrap_or(default))
}

impl From<SendError> for Error {
    fn from(send_error: SendError) -> Self {
        let error = Self::new(send_error.kind, send_error.message).possibly_run(send_error.may_have_run);
        let error = if send_error.lasting { error.lasting() } else { error };
        match send_error.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// What an error and its causes are.
#[derive(Default)]
struct Causes {
    timed_out: bool,
    lasting: bool,
    canceled: bool,
    /// The peer did not process the stream.
    refused: bool,
    /// The peer ended the handshake of TLS. Under TLS 1.3 the client may have sent its request by then, which the server does not read.
    turned_away: bool,
    /// The peer's answer is not HTTP, or beyond the limits of what is read as HTTP.
    malformed: bool,
}

impl Causes {
    fn in_chain(error: &(dyn StdError + 'static)) -> Self {
        let mut causes = Self::default();
        let mut layer = Some(error);
        while let Some(cause) = layer {
            causes.timed_out |= cause.is::<ConnectTimeout>();
            causes.lasting |= cause.downcast_ref().is_some_and(is_lasting);
            causes.turned_away |= cause.downcast_ref().is_some_and(is_turned_away);
            causes.canceled |= cause.downcast_ref().is_some_and(hyper::Error::is_canceled);
            causes.refused |= cause.downcast_ref().is_some_and(is_unprocessed);
            causes.malformed |= cause.downcast_ref().is_some_and(hyper::Error::is_parse);
            causes.malformed |= cause.downcast_ref().is_some_and(h2::Error::is_library);
            // The source of an `io::Error` is its inner error's source: the inner error itself would be passed over.
            let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            layer = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| cause.source());
        }
        causes
    }
}

/// Returns whether a certificate was refused, by either side, or the versions of TLS do not meet, which the next attempt would meet
/// again. Other handshake failures may pass.
fn is_lasting(error: &rustls::Error) -> bool {
    use rustls::Error::{InvalidCertificate, PeerIncompatible, UnsupportedNameType};
    matches!(error, InvalidCertificate(_) | UnsupportedNameType | PeerIncompatible(_)) || is_turned_away(error)
}

/// Returns whether the server sent an alert by which it ends a handshake (RFC 8446 §6.2) that the next attempt would meet again.
fn is_turned_away(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    let rustls::Error::AlertReceived(alert) = error else { return false };
    matches!(
        alert,
        Alert::HandshakeFailure
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::ProtocolVersion
            | Alert::InsufficientSecurity
            | Alert::UnrecognisedName
            | Alert::CertificateRequired
    )
}

/// Returns whether the peer says that it did not process the stream (RFC 9113 §8.7): it refused the stream, or it ended the connection
/// after an earlier one. h2 reports the second to later streams only, and to the others that the connection was lost.
fn is_unprocessed(error: &h2::Error) -> bool {
    error.is_remote() && (error.is_go_away() || error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM))
}

#[derive(Debug, thiserror::Error)]
#[error("no connection within {} s", .0.as_secs_f32())]
pub(crate) struct ConnectTimeout(pub(crate) Duration);
