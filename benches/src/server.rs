//! The server, the same for all contenders, in a process of its own so that its time is not theirs. Verifies nothing.

use std::{
    convert::Infallible,
    env,
    io::{self, BufRead, BufReader, Read},
    net::Ipv4Addr,
    process::{Child, Command, Stdio, exit},
    thread,
};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, runtime, task::yield_now};

use crate::{
    Result,
    answer::{Answer, CHUNKS_A_WRITE},
};

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Its address and port.
    pub(crate) address: String,
}

impl Server {
    /// Starts this program again, as a server.
    pub(crate) fn start() -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.arg(COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("the server has no output")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }
}

impl Drop for Server {
    /// Waiting closes the server's input, and with that it ends.
    fn drop(&mut self) {
        let _ = self.child.wait();
    }
}

/// Answers until the input is closed, which happens when the process that holds it ends.
pub(crate) fn serve() -> Result<String> {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        exit(0);
    });
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>> {
    let answer = Answer::of(request.uri().path());
    let session = request.headers().get(SESSION_ID).cloned();
    request.into_body().collect().await?;
    let body = match answer {
        Answer::Events => {
            // A pause makes hyper write what it has.
            let chunks = stream::iter(answer.chunks()).enumerate().then(|(index, chunk)| async move {
                if index % CHUNKS_A_WRITE == 0 {
                    yield_now().await;
                }
                Ok(Frame::data(chunk))
            });
            StreamBody::new(chunks).boxed_unsync()
        }
        Answer::Held => {
            let first = stream::iter(answer.chunks()).map(|chunk| Ok(Frame::data(chunk)));
            StreamBody::new(first.chain(stream::pending())).boxed_unsync()
        }
        Answer::Small | Answer::Large => Full::new(answer.body()).boxed_unsync(),
    };
    let mut response = Response::builder().header(CONTENT_TYPE, answer.content_type());
    response = response.header("x-amzn-requestid", "f3a1c9d2-5b7e-4c0a-9d1e-2b3c4d5e6f70");
    if let Some(session) = session {
        response = response.header(SESSION_ID, session);
    }
    Ok(response.body(body)?)
}

/// The argument that makes this program the server.
pub(crate) const COMMAND: &str = "serve";
const SESSION_ID: &str = "x-amzn-bedrock-agentcore-runtime-session-id";
