//! How far a request came that was not answered. Reads errors, sends nothing.

use std::{error::Error as StdError, io, time::Duration};

use agentcore_core::{BoxError, Error, ErrorKind, call::FailurePoint};

/// No head of an answer came.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain set of facts, which tests make by hand")]
pub struct SendError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The same in words.
    pub message: String,
    /// Whether any of the request may have left this machine.
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

    /// Nobody is trusted, so no encrypted connection can be made.
    pub(crate) fn trusting_nobody() -> Self {
        Self {
            kind: ErrorKind::Unavailable,
            message: "no trusted root certificates were found on this system".into(),
            sent: false,
            lasting: true,
            source: None,
        }
    }

    /// A request that the pool could not get through.
    pub(crate) fn request(error: hyper_util::client::legacy::Error) -> Self {
        let seen = Seen::in_chain(&error);
        // `Canceled` is hyper's word for a request that was still in the queue when its connection closed.
        Self::after(&seen, !error.is_connect() && !seen.canceled, error.into())
    }

    /// A URL that names no host.
    pub(crate) fn unfit(source: BoxError) -> Self {
        let message = "the URL names no host".into();
        Self { kind: ErrorKind::Input, message, sent: false, lasting: true, source: Some(source) }
    }

    /// A connection that went away after the request.
    pub(crate) fn lost(source: BoxError) -> Self {
        Self::after(&Seen::in_chain(&*source), true, source)
    }

    fn after(seen: &Seen, sent: bool, source: BoxError) -> Self {
        let (kind, message) = match (seen.timed_out, sent) {
            (true, _) => (ErrorKind::Timeout, "could not connect in time"),
            (false, false) => (ErrorKind::Unavailable, "could not connect"),
            (false, true) => (ErrorKind::Unavailable, "the connection was lost before an answer came"),
        };
        Self { kind, message: message.into(), sent, lasting: seen.lasting, source: Some(source) }
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

/// What an error and its causes tell.
#[derive(Default)]
struct Seen {
    timed_out: bool,
    lasting: bool,
    canceled: bool,
}

impl Seen {
    fn in_chain(error: &(dyn StdError + 'static)) -> Self {
        let mut seen = Self::default();
        let mut layer = Some(error);
        while let Some(cause) = layer {
            seen.timed_out |= cause.is::<ConnectTimeout>();
            seen.lasting |= cause.is::<UnsupportedProxy>() || cause.downcast_ref().is_some_and(is_lasting);
            seen.canceled |= cause.downcast_ref().is_some_and(hyper::Error::is_canceled);
            // The source of an `io::Error` is its inner error's source: the inner error itself would be passed over.
            let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            layer = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| cause.source());
        }
        seen
    }
}

/// A refused certificate stays refused; other handshake failures may be a passing fault.
fn is_lasting(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::UnsupportedNameType)
}

#[derive(Debug, thiserror::Error)]
#[error("no connection within {} s", .0.as_secs_f32())]
pub(crate) struct ConnectTimeout(pub(crate) Duration);

#[derive(Debug, thiserror::Error)]
#[error("the proxy's URL must begin with http:// or https://")]
pub(crate) struct UnsupportedProxy;
