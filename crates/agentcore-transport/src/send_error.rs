//! The error of an attempt without an answer, and how far the request came. Reads errors, sends nothing.

use std::{error::Error as StdError, io, time::Duration};

use agentcore_core::{BoxError, Error, ErrorKind, call::FailurePoint};

/// The error of an attempt without the head of an answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[expect(clippy::exhaustive_structs, reason = "a plain set of facts, which tests make by hand")]
pub struct SendError {
    /// The kind of failure.
    pub kind: ErrorKind,
    /// The message.
    pub message: String,
    /// Whether a part of the request may have left this machine.
    pub sent: bool,
    /// Whether the next attempt would fail the same way.
    pub lasting: bool,
    /// The cause.
    pub source: Option<BoxError>,
}

impl SendError {
    /// Returns the point at which the attempt failed.
    #[must_use]
    pub fn failure_point(&self) -> FailurePoint {
        if self.sent { FailurePoint::Uncertain } else { FailurePoint::NotSent { lasting: self.lasting } }
    }

    /// Makes the error of an encrypted connection without trusted certificates.
    pub(crate) fn no_roots() -> Self {
        Self {
            kind: ErrorKind::Unavailable,
            message: "no trusted root certificates were found on this system".into(),
            sent: false,
            lasting: true,
            source: None,
        }
    }

    /// Makes the error of a request that failed in the pool.
    pub(crate) fn request(error: hyper_util::client::legacy::Error) -> Self {
        let causes = Causes::in_chain(&error);
        // hyper calls a request `Canceled` that was still in the queue when its connection closed.
        Self::after(&causes, !error.is_connect() && !causes.canceled, error.into())
    }

    /// Makes the error of a URL without a host.
    pub(crate) fn invalid_url(source: BoxError) -> Self {
        let message = "the URL names no host".into();
        Self { kind: ErrorKind::Input, message, sent: false, lasting: true, source: Some(source) }
    }

    /// Makes the error of a connection that was lost after the request.
    pub(crate) fn lost(source: BoxError) -> Self {
        Self::after(&Causes::in_chain(&*source), true, source)
    }

    fn after(causes: &Causes, sent: bool, source: BoxError) -> Self {
        let (kind, message) = match (causes.timed_out, sent) {
            (true, _) => (ErrorKind::Timeout, "could not connect in time"),
            (false, false) => (ErrorKind::Unavailable, "could not connect"),
            (false, true) => (ErrorKind::Unavailable, "the connection was lost before an answer came"),
        };
        Self { kind, message: message.into(), sent, lasting: causes.lasting, source: Some(source) }
    }
}

impl From<SendError> for Error {
    fn from(send_error: SendError) -> Self {
        let error = Self::new(send_error.kind, send_error.message).possibly_run(send_error.sent);
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
}

impl Causes {
    fn in_chain(error: &(dyn StdError + 'static)) -> Self {
        let mut causes = Self::default();
        let mut layer = Some(error);
        while let Some(cause) = layer {
            causes.timed_out |= cause.is::<ConnectTimeout>();
            causes.lasting |= cause.is::<UnsupportedProxy>() || cause.downcast_ref().is_some_and(is_lasting);
            causes.canceled |= cause.downcast_ref().is_some_and(hyper::Error::is_canceled);
            // The source of an `io::Error` is its inner error's source: the inner error itself would be passed over.
            let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            layer = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| cause.source());
        }
        causes
    }
}

/// Returns whether a certificate was refused, which the next attempt would meet again. Other handshake failures may pass.
fn is_lasting(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::UnsupportedNameType)
}

#[derive(Debug, thiserror::Error)]
#[error("no connection within {} s", .0.as_secs_f32())]
pub(crate) struct ConnectTimeout(pub(crate) Duration);

#[derive(Debug, thiserror::Error)]
#[error("the proxy's URL must begin with http:// or https://")]
pub(crate) struct UnsupportedProxy;
