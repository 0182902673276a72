//! The body of a refusal, as far as anybody reads it. Understands nothing of it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::Body;

/// Reads as much of a refusal's body as its message can need: 64 KiB, and what comes within 10 seconds.
///
/// A body that stands still or breaks off is as good as it is: a refusal without its message is better than none.
///
/// # Cancel safety
/// Dropping the future drops the answer.
pub async fn refusal_text(mut body: Body) -> Bytes {
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
