//! The record of every request, for a test's assertions. Keeps no response, and shows no secret in `Debug`.

use std::{collections::VecDeque, fmt, sync::Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use percent_encoding::percent_decode_str;

use crate::lock::lock;

/// A request as the mock received it, with its outcome.
///
/// A request is recorded once it is admitted or refused, before the agent responds: one that an agent leaves waiting or
/// whose connection it resets is recorded too.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// The path as it was sent, percent-encoding included.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: Option<String>,
    /// The headers in the order received, credentials included; HTTP/2's `:authority` is `host`.
    pub headers: HeaderMap,
    /// The body; empty if it was larger than the service allows.
    pub body: Bytes,
    /// The agent that was called, or `None` if the request reached none.
    pub agent: Option<String>,
    /// The authenticated caller, or `None` if the request was refused or its route needs no credential.
    pub caller: Option<Caller>,
    /// The form of the caller's credential.
    pub credential_form: Option<CredentialForm>,
    /// The session of an invocation or a WebSocket: the id that was sent, else the one the mock made.
    pub session_id: Option<String>,
    /// The name of the error with which the mock refused the request; an agent's own error does not count.
    pub error: Option<&'static str>,
}

impl RecordedRequest {
    /// Makes a request without headers or body, of which nothing is decided.
    pub(crate) fn new(method: Method, version: Version, path: impl Into<String>, query: Option<&str>) -> Self {
        Self {
            method,
            version,
            path: path.into(),
            query: query.map(str::to_owned),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            agent: None,
            caller: None,
            credential_form: None,
            session_id: None,
            error: None,
        }
    }

    /// Returns a header's value as text; the first, if there are several.
    ///
    /// Returns `None` if the header is absent or its value is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the query's parameters, names and values decoded; only `%20` is a space, a plus sign stays one.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let parameters = self.query.as_deref().unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
        let pairs = parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
        pairs.map(|(name, value)| (decode(name), decode(value))).collect()
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("version", &self.version)
            .field("path", &self.path)
            .field("body_bytes", &self.body.len())
            .field("agent", &self.agent)
            .field("caller", &self.caller)
            .field("credential_form", &self.credential_form)
            .field("session_id", &self.session_id)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// The identity that a request's credential proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller {
    /// The holder of a JWT.
    #[non_exhaustive]
    Jwt {
        /// The token's `sub`.
        subject: String,
    },
    /// The holder of an AWS secret access key.
    #[non_exhaustive]
    SigV4 {
        /// The access key id.
        access_key_id: String,
    },
}

/// The form in which a request carried its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialForm {
    /// A JWT in the `authorization` header.
    Bearer,
    /// A JWT in the subprotocols of a WebSocket.
    Subprotocol,
    /// A SigV4 signature in the `authorization` header.
    Signature,
    /// A SigV4 signature in the query of a WebSocket's URL.
    PresignedUrl,
}

tokio::task_local! {
    /// What is recorded of the request that a task answers.
    static WATCHED: Mutex<(Option<String>, Option<Caller>)>;
}

/// Answers a request, and returns the agent and the caller that were recorded of it.
pub(crate) async fn watch<T>(answering: impl Future<Output = T>) -> (T, Option<String>, Option<Caller>) {
    let answering = async {
        let answer = answering.await;
        let (agent, caller) = WATCHED.with(|watched| std::mem::take(&mut *lock(watched)));
        (answer, agent, caller)
    };
    WATCHED.scope(Mutex::default(), answering).await
}

/// The latest requests, oldest first, bounded in number and in bytes of bodies so that a mock that runs for days does not
/// grow.
#[derive(Default)]
pub(crate) struct RequestLog(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    requests: VecDeque<RecordedRequest>,
    body_bytes: usize,
}

impl RequestLog {
    pub(crate) fn push(&self, request: RecordedRequest) {
        // Most requests are not watched.
        let _ = WATCHED.try_with(|watched| *lock(watched) = (request.agent.clone(), request.caller.clone()));
        let mut entries = lock(&self.0);
        entries.body_bytes += request.body.len();
        entries.requests.push_back(request);
        while entries.requests.len() > MAX_REQUESTS
            || (entries.body_bytes > MAX_BODY_BYTES && entries.requests.len() > 1)
        {
            let Some(oldest) = entries.requests.pop_front() else { break };
            entries.body_bytes -= oldest.body.len();
        }
    }

    pub(crate) fn snapshot(&self) -> Vec<RecordedRequest> {
        lock(&self.0).requests.iter().cloned().collect()
    }

    pub(crate) fn take(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut *lock(&self.0)).requests.into()
    }
}

const MAX_REQUESTS: usize = 10_000;
const MAX_BODY_BYTES: usize = 512 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: usize, body: &Bytes) -> RecordedRequest {
        RecordedRequest {
            body: body.clone(),
            ..RecordedRequest::new(Method::POST, Version::HTTP_11, path.to_string(), None)
        }
    }

    /// The bodies are one and the same, so that the test counts what it does not hold.
    #[test]
    fn only_the_latest_are_kept() {
        let paths = |log: &RequestLog| {
            let kept = log.snapshot();
            (kept.len(), kept.first().map(|request| request.path.clone()))
        };
        let log = RequestLog::default();
        (0..10_002).for_each(|n| log.push(request(n, &Bytes::new())));
        assert_eq!(paths(&log), (10_000, Some("2".into())));
        assert_eq!(log.take().len(), 10_000);
        let large = Bytes::from(vec![0; 200 * 1024 * 1024]);
        (0..3).for_each(|n| log.push(request(n, &large)));
        assert_eq!(paths(&log), (2, Some("1".into())));
    }
}
