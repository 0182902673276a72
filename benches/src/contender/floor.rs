//! The floor: hyper-util's client with a request that was made beforehand. It looks into no answer.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{
    HeaderMap, HeaderValue, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, ResponseFuture, connect::HttpConnector},
    rt::TokioExecutor,
};
use memchr::memchr2_iter;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{Contender, Opening, PROMPT, Running, SESSION_ID, Site, each};
use crate::{Result, answer::Answer, input::Input, work::Work};

/// A pool of connections.
pub(super) enum Pool {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Encrypted(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Pool {
    pub(super) fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Plain(pool) => pool.request(request),
            Self::Encrypted(pool) => pool.request(request),
        }
    }
}

/// Makes a pool as one would for this purpose.
pub(super) fn pool(site: &Site) -> Result<Pool> {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let builder = Client::builder(TokioExecutor::new());
    let Some(root) = &site.root else { return Ok(Pool::Plain(builder.build(tcp))) };
    tcp.enforce_http(false);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes())?)?;
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
    let https =
        if site.http2 { https.enable_http2().wrap_connector(tcp) } else { https.enable_http1().wrap_connector(tcp) };
    Ok(Pool::Encrypted(builder.build(https)))
}

pub(super) struct Hyper {
    pool: Pool,
    site: Site,
    urls: Vec<Uri>,
    headers: HeaderMap,
    body: Bytes,
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
            pool: pool(site)?,
            site: site.clone(),
            urls: each(|answer| Ok(url(answer.arn()).parse()?))?,
            headers,
            body: format!(r#"{{"prompt":"{PROMPT}"}}"#).into(),
            fresh_until: AtomicU64::new(4_102_444_800),
        })
    }

    fn request(&self, answer: Answer) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.urls[answer as usize].clone();
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
                black_box(pool(&self.site)?);
                Ok(0)
            }),
            Work::Decode(input) => Box::pin(async move { Ok(walk(input)) }),
            Work::Presign => {
                Box::pin(async { super::by_hand::presign(&self.site.credentials, self.urls[0].path()).map(|_| 0) })
            }
            Work::Token => Box::pin(async {
                black_box(self.fresh_until.load(Ordering::Acquire));
                Ok(0)
            }),
            Work::Body | Work::Reply | Work::Signed | Work::Large => Box::pin(async move {
                let response = self.pool.request(self.request(work.answer())).await?;
                Ok(response.into_body().collect().await?.to_bytes().len())
            }),
            Work::StreamBytes | Work::StreamEvents | Work::StreamText | Work::Command => Box::pin(async move {
                let mut body = self.pool.request(self.request(work.answer())).await?.into_body();
                let mut read = 0;
                while let Some(frame) = body.frame().await {
                    read += frame?.data_ref().map_or(0, Bytes::len);
                }
                Ok(read)
            }),
        })
    }

    fn open(&self, work: Work, answer: Answer) -> Option<Opening<'_>> {
        (work == Work::StreamBytes).then(|| -> Opening<'_> {
            Box::pin(async move {
                let body = self.pool.request(self.request(answer)).await?.into_body();
                Ok(body.into_data_stream().map(|bytes| bytes.map(drop).map_err(Into::into)).boxed_local())
            })
        })
    }
}
