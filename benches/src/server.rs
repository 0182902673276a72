//! The server, the same for all contenders, in a process of its own so that its time is not theirs. Verifies nothing.

use std::{
    convert::Infallible,
    env,
    io::{self, BufRead, BufReader, Read},
    net::Ipv4Addr,
    process::{Child, Command, Stdio, exit},
    sync::Arc,
    thread,
};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::CertifiedKey;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    runtime,
    sync::watch,
    task::yield_now,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    Result,
    answer::{Answer, CHUNKS_A_WRITE, events},
    growth,
    place::{Place, Protocol},
};

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) place: Place,
}

impl Server {
    /// Starts this program again, as a server.
    pub(crate) fn start(protocol: Protocol) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args([COMMAND, protocol.name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut place = String::new();
        BufReader::new(child.stdout.take().ok_or("the server has no output")?).read_line(&mut place)?;
        Ok(Self { child, place: place.trim().parse()? })
    }
}

impl Drop for Server {
    /// Waiting closes the server's input, and with that it ends.
    fn drop(&mut self) {
        let _ = self.child.wait();
    }
}

/// Answers until the input is closed, which happens when the process that holds it ends.
pub(crate) fn serve(protocol: &str) -> Result<String> {
    let protocol: Protocol = protocol.parse()?;
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        exit(0);
    });
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let ticks = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (root, tls) = if protocol == Protocol::Http1 { (None, None) } else { certificate(protocol)? };
        let (address, beat) = (listener.local_addr()?.to_string(), ticks.local_addr()?.to_string());
        println!("{}", Place { protocol, address, ticks: beat, root });
        let ticker = watch::Sender::new(());
        tokio::spawn(tick(ticks, ticker.clone()));
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection(protocol, tls.clone(), stream, ticker.clone()));
        }
    })
}

/// A certificate for the server's address, and what accepts connections with it.
fn certificate(protocol: Protocol) -> Result<(Option<String>, Option<TlsAcceptor>)> {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([Ipv4Addr::LOCALHOST.to_string()])?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = config.with_single_cert(vec![cert.der().clone()], key)?;
    config.alpn_protocols = vec![if protocol == Protocol::Http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok((Some(cert.pem()), Some(TlsAcceptor::from(Arc::new(config)))))
}

/// Sends an event on each stream that is held, at each byte that somebody sends.
async fn tick(ticks: TcpListener, ticker: watch::Sender<()>) -> io::Result<()> {
    loop {
        let (mut stream, _) = ticks.accept().await?;
        stream.set_nodelay(true)?;
        let ticker = ticker.clone();
        tokio::spawn(async move {
            while stream.read_u8().await.is_ok() {
                let _ = ticker.send(());
            }
        });
    }
}

/// Answers what comes by one connection. Nobody is told how it ends.
async fn connection(protocol: Protocol, tls: Option<TlsAcceptor>, stream: TcpStream, ticker: watch::Sender<()>) {
    let service = service_fn(|request| answer(request, ticker.subscribe()));
    match tls {
        None => drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await),
        Some(tls) => {
            let Ok(stream) = tls.accept(stream).await.map(TokioIo::new) else { return };
            if protocol == Protocol::Http2 {
                let mut http = http2::Builder::new(TokioExecutor::new());
                drop(http.max_concurrent_streams(MAX_STREAMS).serve_connection(stream, service).await);
            } else {
                drop(http1::Builder::new().serve_connection(stream, service).await);
            }
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    ticks: watch::Receiver<()>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>> {
    let session = request.headers().get(SESSION_ID).cloned();
    let path = request.uri().path().to_owned();
    request.into_body().collect().await?;
    let (body, content_type) = growth::answer(&path).unwrap_or_else(|| fixed(Answer::of(&path), ticks));
    let mut response = Response::builder().header(CONTENT_TYPE, content_type);
    response = response.header("x-amzn-requestid", "f3a1c9d2-5b7e-4c0a-9d1e-2b3c4d5e6f70");
    if let Some(session) = session {
        response = response.header(SESSION_ID, session);
    }
    Ok(response.body(body)?)
}

/// The body of an answer, and its media type.
fn fixed(answer: Answer, ticks: watch::Receiver<()>) -> (UnsyncBoxBody<Bytes, Infallible>, &'static str) {
    let body = match answer {
        Answer::Events | Answer::Brief | Answer::Command => {
            let chunks_a_write = if matches!(answer, Answer::Brief) { 1 } else { CHUNKS_A_WRITE };
            // A pause makes hyper write what it has.
            let chunks = stream::iter(answer.chunks()).enumerate().then(move |(index, chunk)| async move {
                if index % chunks_a_write == 0 {
                    yield_now().await;
                }
                Ok(Frame::data(chunk))
            });
            StreamBody::new(chunks).boxed_unsync()
        }
        Answer::Held => {
            let first = stream::iter(answer.chunks());
            let later =
                stream::unfold(ticks, async |mut ticks| ticks.changed().await.ok().map(|()| (events(1), ticks)));
            StreamBody::new(first.chain(later).map(|chunk| Ok(Frame::data(chunk)))).boxed_unsync()
        }
        Answer::Small | Answer::Large => Full::new(answer.body()).boxed_unsync(),
    };
    (body, answer.content_type())
}

/// The argument that makes this program the server.
pub(crate) const COMMAND: &str = "serve";
/// More than any row holds open.
const MAX_STREAMS: u32 = 20_000;
const SESSION_ID: &str = "x-amzn-bedrock-agentcore-runtime-session-id";
