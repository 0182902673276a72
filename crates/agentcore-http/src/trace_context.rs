//! The trace headers of an invocation, of W3C and X-Ray. Checks them, adds none by itself.

use crate::header_context::header_context;

header_context! {
    /// The trace headers of an invocation, which the agent receives.
    ///
    /// ```
    /// let trace = agentcore_http::TraceContext::default()
    ///     .traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")?
    ///     .baggage("tenant=blue")?;
    /// # let _ = trace;
    /// # Ok::<(), agentcore_http::Error>(())
    /// ```
    TraceContext {
        /// Sets `X-Amzn-Trace-Id`, an X-Ray trace of at most 128 bytes.
        trace_id = TRACE_ID, 128;
        /// Sets `traceparent` (W3C Trace Context), at most 128 bytes.
        traceparent = TRACEPARENT, 128;
        /// Sets `tracestate` (W3C Trace Context), at most 512 bytes.
        tracestate = TRACESTATE, 512;
        /// Sets `baggage` (W3C Baggage), at most 8192 bytes.
        baggage = BAGGAGE, 8192;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

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
