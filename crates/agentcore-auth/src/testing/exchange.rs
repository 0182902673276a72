//! A port that answers by a script, for the tests of those that ask over HTTP.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};

use crate::{BoxError, BoxFuture, Exchange};

/// The answer to a request: a status and a body, or the reason why there is none.
pub(crate) type PortAnswer = Result<(u16, String), &'static str>;

/// A port that gives its answers in order and keeps the requests.
#[derive(Debug)]
pub(crate) struct ScriptedExchange {
    answers: Mutex<VecDeque<PortAnswer>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl ScriptedExchange {
    pub(crate) fn new(answers: impl IntoIterator<Item = PortAnswer>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), requests: Mutex::default() })
    }

    /// Returns the requests since the last call.
    pub(crate) fn take(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Exchange for ScriptedExchange {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().expect("the script foresees this request");
        Box::pin(async {
            // A network lets others have their turn.
            tokio::task::yield_now().await;
            let (status, body) = answer?;
            Ok(Response::builder().status(status).body(body.into())?)
        })
    }
}
