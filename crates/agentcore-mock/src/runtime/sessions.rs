//! The sessions that were begun: counts new ones against the quota, and ends them. Runs no agent.

use std::{
    collections::{HashSet, VecDeque},
    sync::Mutex,
    time::Duration,
};

use http::StatusCode;
use tokio::time::Instant;

use crate::{lock::lock, service_error::ServiceError};

/// The running sessions, and the quota of new ones.
pub(crate) struct Sessions {
    max_per_second: Option<u32>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the runtime's id and the session's.
    running: HashSet<(String, String)>,
    /// When the sessions of the last second began, oldest first.
    begun: VecDeque<Instant>,
}

impl Sessions {
    pub(crate) fn new(max_per_second: Option<u32>) -> Self {
        Self { max_per_second, state: Mutex::default() }
    }

    /// Goes on in a session, or begins it unless too many began within the last second.
    pub(super) fn begin(&self, runtime: &str, id: &str) -> Result<(), ServiceError> {
        let mut state = lock(&self.state);
        let session = (runtime.to_owned(), id.to_owned());
        if state.running.contains(&session) {
            return Ok(());
        }
        if let Some(max) = self.max_per_second {
            let now = Instant::now();
            while state.begun.front().is_some_and(|begun| now.duration_since(*begun) >= SECOND) {
                state.begun.pop_front();
            }
            if state.begun.len() >= max as usize {
                let message = "Rate exceeded: too many new sessions within a second.";
                return Err(ServiceError::new(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", message));
            }
            state.begun.push_back(now);
        }
        state.running.insert(session);
        Ok(())
    }

    /// Ends a session, if it has begun.
    pub(super) fn stop(&self, runtime: &str, id: &str) {
        lock(&self.state).running.remove(&(runtime.to_owned(), id.to_owned()));
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn new_sessions_within_a_second() {
        let (begin, sessions) = (Instant::now(), Sessions::new(Some(2)));
        for (at, id, fine) in [
            (0, "a", true),
            (400, "b", true),
            (400, "c", false),
            (999, "a", true),
            (999, "c", false),
            (1000, "c", true),
            (1399, "d", false),
            (1400, "d", true),
            (1400, "e", false),
        ] {
            tokio::time::sleep_until(begin + Duration::from_millis(at)).await;
            let begun = sessions.begin("echo", id).map_err(|error| (error.status.as_u16(), error.name));
            assert_eq!(begun, if fine { Ok(()) } else { Err((429, "ThrottlingException")) }, "{at} {id}");
        }
    }
}
