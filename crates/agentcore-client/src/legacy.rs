//! Replies and failures as a map in the shape of the older Python clients' results. Sends nothing.

use std::time::{Duration, SystemTime};

use agentcore_core::Arn;
use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::{Value, json};

use crate::{Error, Reply};

/// Replies and failures as the map that the older Python clients return.
///
/// `response_text`, `completion` and `output` are the text; `session_id` and `sessionId` the session; `status_code` the HTTP
/// status; `metadata` and `ResponseMetadata` the answer's metadata, under boto3's names where it has one; `execution_time_ms` is in
/// milliseconds; `timestamp` is the end of the answer (RFC 3339, in UTC); `agent_arn` is null for a local container. `success` is
/// true and `error_details` null.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use agentcore_client::{Client, Endpoint, LegacyMap};
/// # let mock = agentcore_mock::Mock::builder().start().await?;
/// # let client = Client::builder().bearer_token(&mock.token()).endpoints(mock.url().parse::<Endpoint>()?).build()?;
/// # let arn = mock.arn("story");
/// let reply = client.runtime(arn.clone()).invoke("Tell me a story").await?;
/// let map = reply.legacy();
/// assert_eq!(map["completion"], *reply.text);
/// assert_eq!(map["agent_arn"], arn.as_str());
/// assert_eq!(map["success"], true);
/// # Ok(()) }
/// ```
///
/// After a failure, `success` is false, and `error_details` has `status_code`, `error_message`, `raw_response` and `agent_arn`. The
/// part of a reply that arrived is in the map. What is unknown is null; without a reply the `timestamp` is the current time.
pub trait LegacyMap {
    /// Returns the map.
    fn legacy(&self) -> Value;
}

impl LegacyMap for Reply {
    fn legacy(&self) -> Value {
        let facts = Facts {
            session: Some(self.session_id.as_str()),
            status: Some(self.status),
            request_id: self.request_id.as_deref(),
            arn: self.arn.as_ref().map(Arn::as_str),
            attempts: Some(self.metadata.attempts),
            elapsed: Some(self.elapsed),
        };
        map(Some(self), &facts, Value::Null)
    }
}

impl LegacyMap for Error {
    fn legacy(&self) -> Value {
        let reply = self.partial::<Reply>();
        let facts = Facts {
            session: self.session_id().or(reply.map(|reply| reply.session_id.as_str())),
            status: self.status(),
            request_id: self.request_id(),
            arn: self.arn().or(reply.and_then(|reply| Some(reply.arn.as_ref()?.as_str()))),
            attempts: Some(self.attempts()).filter(|attempts| *attempts > 0),
            elapsed: Some(self.elapsed()).filter(|elapsed| !elapsed.is_zero()),
        };
        let details = json!({
            "status_code": facts.status,
            "error_message": self.to_string(),
            "raw_response": reply.map(raw),
            "agent_arn": facts.arn,
        });
        map(reply, &facts, details)
    }
}

impl LegacyMap for Result<Reply, Error> {
    fn legacy(&self) -> Value {
        match self {
            Ok(reply) => reply.legacy(),
            Err(error) => error.legacy(),
        }
    }
}

/// The facts of a call, whether it failed or not.
struct Facts<'a> {
    session: Option<&'a str>,
    status: Option<u16>,
    request_id: Option<&'a str>,
    arn: Option<&'a str>,
    attempts: Option<u32>,
    elapsed: Option<Duration>,
}

fn map(reply: Option<&Reply>, facts: &Facts<'_>, error_details: Value) -> Value {
    let Facts { session, status, request_id, arn, attempts, elapsed } = facts;
    let text: &str = reply.map_or("", |reply| &reply.text);
    let mut metadata = reply.map_or(json!({}), |reply| json!(reply.metadata));
    metadata["HTTPStatusCode"] = (*status).into();
    metadata["RequestId"] = (*request_id).into();
    metadata["RetryAttempts"] = attempts.map(|attempts| attempts.saturating_sub(1)).into();
    let ended = DateTime::from(reply.map_or_else(SystemTime::now, |reply| reply.ended));
    json!({
        "response_text": text,
        "session_id": session,
        "status_code": status,
        "metadata": metadata,
        "execution_time_ms": elapsed.map(|elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)),
        "agent_arn": arn,
        "timestamp": ended.fmt(Format::DateTime).ok(),
        "completion": text,
        "sessionId": session,
        "output": text,
        "ResponseMetadata": metadata,
        "success": error_details.is_null(),
        "error_details": error_details,
    })
}

/// The body of a JSON answer, or what was said.
fn raw(reply: &Reply) -> Value {
    let json = reply.json.as_ref().and_then(|json| json.parse().ok());
    json.unwrap_or_else(|| (&*reply.text).into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::{Metadata, SessionId};

    const ARN: &str = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-agent";

    fn reply() -> Reply {
        Reply {
            text: "Hello".into(),
            json: crate::AnswerJson::new(&r#"{"result": "Hello"}"#.into()),
            session_id: SessionId::from_answer(&"s".repeat(33)).unwrap(),
            status: 200,
            request_id: Some("r-1".into()),
            elapsed: Duration::from_micros(1_234_567),
            first_event: None,
            events: 1,
            metadata: Metadata {
                content_type: Some("application/json".into()),
                trace_id: None,
                traceparent: None,
                mcp_session_id: None,
                mcp_protocol_version: None,
                session_endpoint_url: None,
                attempts: 3,
            },
            usage: None,
            interrupts: Vec::new(),
            end_mark: crate::EndMark::None,
            arn: Some(ARN.parse().unwrap()),
            ended: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_290_103_738),
        }
    }

    fn metadata() -> Value {
        json!({
            "content_type": "application/json", "trace_id": null, "traceparent": null, "mcp_session_id": null,
            "mcp_protocol_version": null, "session_endpoint_url": null, "attempts": 3,
            "HTTPStatusCode": 200, "RequestId": "r-1", "RetryAttempts": 2,
        })
    }

    #[test]
    fn a_reply() {
        let expected = json!({
            "response_text": "Hello",
            "session_id": "sssssssssssssssssssssssssssssssss",
            "status_code": 200,
            "metadata": metadata(),
            "execution_time_ms": 1234,
            "agent_arn": ARN,
            "timestamp": "2026-11-21T19:41:43.738Z",
            "completion": "Hello",
            "sessionId": "sssssssssssssssssssssssssssssssss",
            "output": "Hello",
            "ResponseMetadata": metadata(),
            "success": true,
            "error_details": null,
        });
        assert_eq!(reply().legacy(), expected);
        let local = Reply { arn: None, ..reply() };
        assert_eq!(local.legacy()["agent_arn"], Value::Null);
    }

    #[test]
    fn a_failure_midway() {
        let error = Error::agent("boom", None).with_partial(Reply { json: None, ..reply() });
        let map = error.legacy();
        let message = "the agent failed: boom";
        let details =
            json!({ "status_code": 200, "error_message": message, "raw_response": "Hello", "agent_arn": ARN });
        assert_eq!(map["error_details"], details);
        assert_eq!((&map["success"], &map["output"]), (&json!(false), &json!("Hello")));
        assert_eq!(map["timestamp"], "2026-11-21T19:41:43.738Z");
    }

    #[test]
    fn a_failure_before_any_answer() {
        let error = "nonsense".parse::<Arn>().unwrap_err();
        let map = error.legacy();
        assert_eq!(map["error_details"]["error_message"], error.to_string());
        for unknown in ["session_id", "sessionId", "status_code", "execution_time_ms", "agent_arn"] {
            assert_eq!(map[unknown], Value::Null, "{unknown}");
        }
        assert_eq!((&map["success"], &map["completion"]), (&json!(false), &json!("")));
        assert_eq!(map["metadata"], json!({ "HTTPStatusCode": null, "RequestId": null, "RetryAttempts": null }));
        assert!(map["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_call_that_failed_for_good() {
        let error = Error::new(crate::ErrorKind::Throttled, "slow down")
            .with_call(Some("arn:x"), Some("session-1"))
            .with_attempts(3, Duration::from_millis(2_500));
        let map = Err::<Reply, _>(error).legacy();
        assert_eq!((&map["session_id"], &map["agent_arn"]), (&json!("session-1"), &json!("arn:x")));
        assert_eq!((&map["execution_time_ms"], &map["metadata"]["RetryAttempts"]), (&json!(2500), &json!(2)));
        assert_eq!(map["error_details"]["agent_arn"], "arn:x");
    }
}
