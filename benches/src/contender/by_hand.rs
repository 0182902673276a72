//! What a good engineer writes in an afternoon: hyper-util, aws-sigv4, sse-stream and `serde_json::Value`. It retries nothing.

use std::{
    convert::Infallible,
    iter,
    time::{Duration, SystemTime},
};

use agentcore_client::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{
    Request, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sse_stream::SseStream;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Contender, Opening, PROMPT, Running, SESSION_ID, Site,
    floor::{Pool, pool},
};
use crate::{Result, answer::Answer, input::Input, work::Work};

pub(super) struct ByHand {
    pool: Pool,
    base: String,
    token: String,
    credentials: Credentials,
}

impl ByHand {
    pub(super) fn new(site: &Site) -> Result<Self> {
        let Site { base, token, credentials, .. } = site.clone();
        Ok(Self { pool: pool(site)?, base, token, credentials })
    }

    async fn invoke(&self, arn: &str, signed: bool) -> Result<Response<Incoming>> {
        let url = format!("{}/runtimes/{}/invocations", self.base, utf8_percent_encode(arn, NON_ALPHANUMERIC));
        let session = Uuid::new_v4().to_string();
        let body = Bytes::from(serde_json::to_vec(&json!({"prompt": PROMPT, "sessionId": session}))?);
        let mut request = Request::post(&url)
            .header(ACCEPT, "text/event-stream, application/json")
            .header(CONTENT_TYPE, "application/json")
            .header(SESSION_ID, session)
            .body(Full::new(body.clone()))?;
        if signed {
            self.sign(&mut request, &url, &body)?;
        } else {
            request.headers_mut().insert(AUTHORIZATION, format!("Bearer {}", self.token).parse()?);
        }
        let response = timeout(Duration::from_secs(120), self.pool.request(request)).await??;
        if !response.status().is_success() {
            return Err(format!("the agent was not invoked: {}", response.status()).into());
        }
        Ok(response)
    }

    fn sign(&self, request: &mut Request<Full<Bytes>>, url: &str, body: &[u8]) -> Result<()> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("bedrock-agentcore")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = request.headers().iter().map(|(name, value)| Ok((name.as_str(), value.to_str()?)));
        let headers = headers.collect::<Result<Vec<_>>>()?.into_iter();
        let signable = SignableRequest::new("POST", url, headers, SignableBody::Bytes(body))?;
        sign(signable, &parameters)?.into_parts().0.apply_to_request_http1x(request);
        Ok(())
    }

    async fn read(&self, work: Work) -> Result<usize> {
        let body = self.invoke(work.answer().arn(), work == Work::Signed).await?.into_body();
        let mut read = 0;
        match work {
            Work::StreamEvents | Work::StreamText => {
                let mut events = SseStream::new(body);
                while let Some(event) = events.next().await {
                    let Some(data) = event?.data else { continue };
                    read += if work == Work::StreamEvents { data.len() } else { text(&data)? };
                }
            }
            Work::Reply => {
                let answer: Value = serde_json::from_slice(&body.collect().await?.to_bytes())?;
                read = answer["result"].as_str().map_or(0, str::len);
            }
            _ => read = body.collect().await?.to_bytes().len(),
        }
        Ok(read)
    }
}

/// Decodes a stream in memory.
async fn decode(input: Input) -> Result<usize> {
    let chunks = stream::iter(input.chunks()).map(|chunk| Ok::<_, Infallible>(Frame::data(chunk.clone())));
    let mut events = SseStream::new(StreamBody::new(chunks));
    let mut read = 0;
    while let Some(event) = events.next().await {
        read += event?.data.map_or(0, |data| data.len());
    }
    Ok(read)
}

/// Signs the query of a URL with aws-sigv4 alone.
pub(super) fn presign(credentials: &Credentials, path: &str) -> Result<String> {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(300));
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("bedrock-agentcore")
        .time(SystemTime::now())
        .settings(settings)
        .build()?
        .into();
    let session = Uuid::new_v4();
    let url = format!("https://bedrock-agentcore.us-east-1.amazonaws.com{path}?{SESSION_ID}={session}");
    let signable = SignableRequest::new("GET", &url, iter::empty(), SignableBody::Bytes(b""))?;
    let mut request = Request::get(&url).body(())?;
    sign(signable, &parameters)?.into_parts().0.apply_to_request_http1x(&mut request);
    Ok(request.uri().to_string())
}

/// The length of the text in one event of a model.
///
/// # Errors
/// If it is no JSON.
pub fn text(data: &str) -> Result<usize> {
    let event: Value = serde_json::from_str(data)?;
    Ok(event["contentBlockDelta"]["delta"]["text"].as_str().map_or(0, str::len))
}

impl Contender for ByHand {
    fn name(&self) -> &'static str {
        "by hand"
    }

    fn run(&self, work: Work) -> Option<Running<'_>> {
        match work {
            // They are the floor's.
            Work::StreamBytes
            | Work::Command
            | Work::Build
            | Work::Presign
            | Work::Token
            | Work::Decode(Input::Frames) => None,
            Work::Decode(input) => Some(Box::pin(decode(input))),
            _ => Some(Box::pin(self.read(work))),
        }
    }

    fn open(&self, work: Work, answer: Answer) -> Option<Opening<'_>> {
        matches!(work, Work::StreamEvents | Work::StreamText).then(|| -> Opening<'_> {
            Box::pin(async move {
                let events = SseStream::new(self.invoke(answer.arn(), false).await?.into_body());
                let read = move |data: String| if work == Work::StreamText { text(&data).map(drop) } else { Ok(()) };
                Ok(events.map(move |event| read(event?.data.unwrap_or_default())).boxed_local())
            })
        })
    }
}
