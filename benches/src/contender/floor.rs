//! The floor: hyper-util's client with a request that was made beforehand. It looks into no answer.

use std::{
    any::Any,
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

use agentcore_client::Credentials;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use memchr::memchr2_iter;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Contender, Holding, PROMPT, Running, SESSION_ID, Site, each};
use crate::{Result, answer::Answer, input::Input, work::Work};

/// A pool of plain connections.
pub(super) type Pool = Client<HttpConnector, Full<Bytes>>;

/// Makes a pool as one would for this purpose.
pub(super) fn pool() -> Pool {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(tcp)
}

pub(super) struct Hyper {
    pool: Pool,
    urls: Vec<Uri>,
    headers: HeaderMap,
    body: Bytes,
    credentials: Credentials,
    /// What a cache has to look at in any case.
    fresh_until: AtomicU64,
}

impl Hyper {
    pub(super) fn new(site: &Site) -> Result<Self> {
        let url = |arn| format!("{}/runtimes/{}/invocations", site.base, utf8_percent_encode(arn, NON_ALPHANUMERIC));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {}", site.token).parse()?);
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(SESSION_ID, HeaderValue::from_static("5e7b1f0c-3a49-4c58-8d26-91f0a7b3c6d4"));
        Ok(Self {
            pool: pool(),
            urls: each(|answer| Ok(url(answer.arn()).parse()?))?,
            headers,
            body: format!(r#"{{"prompt":"{PROMPT}"}}"#).into(),
            credentials: site.credentials.clone(),
            fresh_until: AtomicU64::new(4_102_444_800),
        })
    }

    fn request(&self, work: Work) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.urls[work.answer() as usize].clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Reads a stream in memory as far as nobody can help: finds the line ends of its text, or copies its frames.
fn walk(input: Input) -> usize {
    let mut copy = Vec::new();
    for chunk in input.chunks() {
        if input == Input::Frames {
            copy.clear();
            copy.extend_from_slice(chunk);
            black_box(&copy);
        } else {
            black_box(memchr2_iter(b'\r', b'\n', chunk).count());
        }
    }
    input.data()
}

impl Contender for Hyper {
    fn name(&self) -> &'static str {
        "hyper-util"
    }

    fn run(&self, work: Work) -> Option<Running<'_>> {
        Some(match work {
            Work::Build => Box::pin(async {
                black_box(pool());
                Ok(0)
            }),
            Work::Decode(input) => Box::pin(async move { Ok(walk(input)) }),
            Work::Presign => {
                Box::pin(async { super::by_hand::presign(&self.credentials, self.urls[0].path()).map(|_| 0) })
            }
            Work::Token => Box::pin(async {
                black_box(self.fresh_until.load(Ordering::Acquire));
                Ok(0)
            }),
            Work::Body | Work::Reply | Work::Signed | Work::Large => Box::pin(async move {
                let response = self.pool.request(self.request(work)).await?;
                Ok(response.into_body().collect().await?.to_bytes().len())
            }),
            Work::StreamBytes | Work::StreamEvents | Work::StreamText => Box::pin(async move {
                let mut body = self.pool.request(self.request(work)).await?.into_body();
                let mut read = 0;
                while let Some(frame) = body.frame().await {
                    read += frame?.data_ref().map_or(0, Bytes::len);
                }
                Ok(read)
            }),
        })
    }

    fn hold(&self, work: Work) -> Option<Holding<'_>> {
        (work == Work::StreamBytes).then(|| -> Holding<'_> {
            Box::pin(async move {
                let mut request = self.request(work);
                *request.uri_mut() = self.urls[Answer::Held as usize].clone();
                let mut body = self.pool.request(request).await?.into_body();
                body.frame().await.ok_or("the stream ended")??;
                Ok(Box::new(body) as Box<dyn Any>)
            })
        })
    }
}
