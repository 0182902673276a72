//! Shows requests to an observer as they are answered, such as a log. Keeps nothing.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
};
use http::{Method, Response};
use tokio::time::Instant;

use crate::record::{Caller, watch};

/// A request that has been answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AnsweredRequest {
    /// The method.
    pub method: Method,
    /// The path as it was sent, without the query, which may hold a credential.
    pub path: String,
    /// The agent that was called, or `None` if the request reached none.
    pub agent: Option<String>,
    /// The authenticated caller, or `None` if the request was refused or its route needs no credential.
    pub caller: Option<Caller>,
    /// The status; 101 for a WebSocket that was opened.
    pub status: u16,
    /// The time until the head of the answer.
    pub duration: Duration,
}

/// Whoever is shown the requests.
pub(crate) type Observer = Arc<dyn Fn(&AnsweredRequest) + Send + Sync>;

/// Returns the same routes, each request of which is shown.
pub(crate) fn observed(router: Router, observer: Observer) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let observer = Arc::clone(&observer);
        async move {
            let (method, path, begun) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
            let (response, agent, caller): (Response<Body>, _, _) = watch(next.run(request)).await;
            let (status, duration) = (response.status().as_u16(), begun.elapsed());
            observer(&AnsweredRequest { method, path, agent, caller, status, duration });
            response
        }
    }))
}
