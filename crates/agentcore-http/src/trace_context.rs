//! The trace headers of an invocation, of W3C and X-Ray. Checks them, adds none by itself.

use agentcore_core::{Error, header};
use http::{HeaderMap, HeaderName};

/// The trace headers of an invocation, which the agent receives.
///
/// ```
/// let trace = agentcore_http::TraceContext::default()
///     .traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")?
///     .baggage("tenant=blue")?;
/// # let _ = trace;
/// # Ok::<(), agentcore_http::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceContext(HeaderMap);

impl TraceContext {
    /// Sets `X-Amzn-Trace-Id`, an X-Ray trace of at most 128 bytes.
    ///
    /// # Errors
    /// If the value is too long, or no header value.
    pub fn trace_id(self, value: &str) -> Result<Self, Error> {
        self.with(header::TRACE_ID, value, 128)
    }

    /// Sets `traceparent` (W3C Trace Context), at most 128 bytes.
    ///
    /// # Errors
    /// As [`trace_id`](Self::trace_id).
    pub fn traceparent(self, value: &str) -> Result<Self, Error> {
        self.with(header::TRACEPARENT, value, 128)
    }

    /// Sets `tracestate` (W3C Trace Context), at most 512 bytes.
    ///
    /// # Errors
    /// As [`trace_id`](Self::trace_id).
    pub fn tracestate(self, value: &str) -> Result<Self, Error> {
        self.with(header::TRACESTATE, value, 512)
    }

    /// Sets `baggage` (W3C Baggage), at most 8192 bytes.
    ///
    /// # Errors
    /// As [`trace_id`](Self::trace_id).
    pub fn baggage(self, value: &str) -> Result<Self, Error> {
        self.with(header::BAGGAGE, value, 8192)
    }

    fn with(mut self, name: HeaderName, value: &str, max: usize) -> Result<Self, Error> {
        let value = header::value(&name, value, max)?;
        self.0.insert(name, value);
        Ok(self)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        type Set = fn(&str) -> Result<TraceContext, Error>;
        let setters: [(Set, usize); 4] = [
            (|value| TraceContext::default().trace_id(value), 128),
            (|value| TraceContext::default().traceparent(value), 128),
            (|value| TraceContext::default().tracestate(value), 512),
            (|value| TraceContext::default().baggage(value), 8192),
        ];
        for (set, max) in setters {
            assert!(set(&"v".repeat(max)).is_ok());
            assert!(set(&"v".repeat(max + 1)).is_err());
            assert!(set("a\r\nb").is_err());
        }
    }
}
