//! A scripted network for tests: it answers each request by the next step and keeps the requests. Opens no connection.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::exhaustive_enums, reason = "tests write scripts by hand")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use agentcore_auth::BoxFuture;
use agentcore_core::{BoxError, ErrorKind};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::{Body, Network, SendError, Upgrade};

/// What the network does with one request.
#[derive(Debug)]
pub enum Step {
    /// It answers.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The headers.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Vec<Piece>,
    },
    /// It fails; see [`SendError`].
    SendError {
        /// Whether the request may have left this machine.
        sent: bool,
        /// Whether the next attempt would fail the same way.
        lasting: bool,
    },
    /// It never answers.
    Hang,
}

/// A piece of a body.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// A frame of data.
    Data(&'static str),
    /// A frame of data that is no text.
    Bytes(&'static [u8]),
    /// A wait for the next piece.
    Pause(Duration),
    /// A lost connection.
    Break,
    /// A wait without end.
    Hang,
}

/// Returns an answer with a body of one piece.
#[must_use]
pub fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Step {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Step::Answer { status, headers, body: vec![Piece::Data(body)] }
}

/// Returns a refusal with a message and this error type.
#[must_use]
pub fn refusal(status: u16, code: &str) -> Step {
    answer(status, &[("x-amzn-errortype", code)], r#"{"message":"no"}"#)
}

/// Returns an answer with status 200 and this body.
#[must_use]
pub fn body(pieces: &[Piece]) -> Step {
    Step::Answer { status: 200, headers: vec![], body: pieces.to_vec() }
}

/// A network that plays its steps in order. Clones share the script.
#[derive(Clone, Debug)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    steps: VecDeque<Step>,
    seen: Vec<Request<Bytes>>,
}

impl Script {
    /// Makes a network that answers the first request by the first step, and so on.
    #[must_use]
    pub fn of(steps: Vec<Step>) -> Self {
        Self(Arc::new(Mutex::new(State { steps: steps.into(), seen: Vec::new() })))
    }

    /// Returns the network for a call engine.
    #[must_use]
    pub fn network(&self) -> Arc<dyn Network> {
        Arc::new(self.clone())
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Request<Bytes>> {
        self.0.lock().unwrap().seen.clone()
    }

    /// Returns the number of steps not yet played.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.lock().unwrap().steps.len()
    }
}

impl Network for Script {
    fn upgrade(&self, _: Request<()>) -> BoxFuture<'_, Result<Upgrade, SendError>> {
        Box::pin(async { panic!("the script foresees no upgrade") })
    }

    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>> {
        let step = {
            let mut state = self.0.lock().unwrap();
            state.seen.push(request);
            state.steps.pop_front().expect("the script foresees this request")
        };
        Box::pin(async move {
            match step {
                Step::Hang => std::future::pending().await,
                Step::SendError { sent, lasting } => Err(SendError {
                    kind: ErrorKind::Unavailable,
                    message: "no connection".into(),
                    may_have_run: sent,
                    lasting,
                    source: None,
                }),
                Step::Answer { status, headers, body } => {
                    let response = Response::builder().status(status);
                    let response = headers.into_iter().fold(response, |all, (name, value)| all.header(name, value));
                    Ok(response.body(play(body)).unwrap())
                }
            }
        })
    }
}

fn play(pieces: Vec<Piece>) -> Body {
    let frames = stream::iter(pieces).filter_map(|piece| async move {
        match piece {
            Piece::Data(data) => Some(Ok(Frame::data(Bytes::from(data)))),
            Piece::Bytes(data) => Some(Ok(Frame::data(Bytes::from_static(data)))),
            Piece::Break => Some(Err(BoxError::from("the connection broke"))),
            Piece::Pause(pause) => {
                tokio::time::sleep(pause).await;
                None
            }
            Piece::Hang => std::future::pending().await,
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
