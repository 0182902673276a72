//! A refusal from the wire: what it says, and what it means for the credential that was shown. Sends nothing again.

use std::time::{Duration, SystemTime};

use agentcore_auth::{AppliedCredential, Auth, Rejection};
use agentcore_core::{Error, refusal, retry::FailurePoint};
use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::Body;

/// Reads a refusal, and lets the mechanism learn from it: a credential that can be replaced is worth another attempt.
///
/// # Cancel safety
/// Dropping the future drops the answer.
pub async fn refused(
    head: &Parts,
    body: Body,
    auth: &Auth,
    applied: Option<&AppliedCredential>,
    now: SystemTime,
) -> (FailurePoint, Error) {
    let error = refusal::read(head.status, &head.headers, &text(body).await, now);
    let told = Rejection { status: head.status.as_u16(), code: error.code(), date: refusal::date(&head.headers) };
    let replaceable = applied.is_some_and(|applied| auth.refused(applied, &told, now));
    (if replaceable { FailurePoint::Unauthorized } else { refusal::failure(&error) }, error)
}

/// Reads as much of a refusal's body as its message can need: 64 KiB, and what comes within 10 seconds.
///
/// A body that stands still or breaks off is as good as it is: a refusal without its message is better than none.
///
/// # Cancel safety
/// Dropping the future drops the answer.
pub async fn text(mut body: Body) -> Bytes {
    let mut read = BytesMut::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Some(piece) = frame.data_ref() {
                read.extend_from_slice(&piece[..piece.len().min(MAX_BYTES - read.len())]);
            }
            if read.len() == MAX_BYTES {
                break;
            }
        }
    };
    let _ = timeout(TIMEOUT, reading).await;
    read.freeze()
}

const MAX_BYTES: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);
