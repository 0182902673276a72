//! A network that does what it is told, step by step, and remembers what was sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use agentcore_auth::{BoxError, BoxFuture};
use agentcore_transport::{Body, Network, SendError, Upgrade};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use crate::ErrorKind;

/// What the network does with one request.
#[derive(Debug)]
pub(super) enum Step {
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: Vec<Piece> },
    SendError { sent: bool, lasting: bool },
    Hang,
}

/// What comes of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    Data(&'static str),
    Pause(Duration),
    Break,
    Hang,
}

pub(super) fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Step {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Step::Answer { status, headers, body: vec![Piece::Data(body)] }
}

pub(super) fn refusal(status: u16, code: &str) -> Step {
    answer(status, &[("x-amzn-errortype", code)], r#"{"message":"no"}"#)
}

pub(super) fn broken_after(body: &'static str) -> Step {
    Step::Answer { status: 200, headers: vec![], body: vec![Piece::Data(body), Piece::Break] }
}

#[derive(Clone, Debug)]
pub(super) struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    steps: VecDeque<Step>,
    seen: Vec<Request<Bytes>>,
}

impl Script {
    pub(super) fn of(steps: Vec<Step>) -> Self {
        Self(Arc::new(Mutex::new(State { steps: steps.into(), seen: Vec::new() })))
    }

    pub(super) fn network(&self) -> Arc<dyn Network> {
        Arc::new(self.clone())
    }

    pub(super) fn seen(&self) -> Vec<Request<Bytes>> {
        self.0.lock().unwrap().seen.clone()
    }

    pub(super) fn left(&self) -> usize {
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
                    sent,
                    lasting,
                    source: None,
                }),
                Step::Answer { status, headers, body } => {
                    let mut response = Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
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
