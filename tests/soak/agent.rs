//! An agent that counts what it ran, and fails by the number of the call. It sends numbered events.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use agentcore_mock::{AgentRequest, AgentResponse};
use bytes::Bytes;
use fastrand::Rng;
use futures_util::{Stream, StreamExt as _, stream};
use http::StatusCode;

use crate::tally::Tally;

/// What becomes of a call. Worker and number decide it, and with them the caller knows it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All of its events.
    Whole(u32),
    /// So many refusals that say that nothing ran, and then all of its events.
    Refused(u32, u32),
    /// The agent runs and then fails: 500, or no answer at all.
    Failed,
    Reset,
    /// So many events, and then the connection ends.
    BrokenOff(u32),
    /// So many events, and then silence.
    Silent(u32),
}

impl Fate {
    pub(crate) fn of(seed: u64, worker: u64, number: u64) -> Self {
        let mut chance = Rng::with_seed(seed ^ worker.rotate_left(32) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let events = chance.u32(5..40);
        match chance.u32(0..100) {
            0..=69 => Self::Whole(events),
            70..=79 => Self::Refused(chance.u32(1..3), events),
            80..=85 => Self::Failed,
            86..=90 => Self::Reset,
            91..=97 => Self::BrokenOff(events),
            _ => Self::Silent(events),
        }
    }
}

/// What ran, by worker.
pub(crate) struct Runs {
    seed: u64,
    last: Mutex<HashMap<u64, Last>>,
    tally: Arc<Tally>,
}

#[derive(Default)]
struct Last {
    /// The number of the call that ran last.
    ran: Option<u64>,
    /// How often a call was refused.
    refused: (u64, u32),
}

impl Runs {
    pub(crate) fn new(seed: u64, tally: Arc<Tally>) -> Self {
        Self { seed, last: Mutex::default(), tally }
    }

    pub(crate) async fn answer(self: Arc<Self>, request: AgentRequest) -> AgentResponse {
        let prompt = request.prompt().unwrap();
        let (worker, number) = prompt.split_once('-').unwrap();
        let (worker, number) = (worker.parse().unwrap(), number.parse().unwrap());
        self.tally.count("requests");
        let fate = Fate::of(self.seed, worker, number);
        if let Some(refusal) = self.begin(worker, number, fate) {
            return refusal;
        }
        let pace = Duration::from_millis(Rng::with_seed(number ^ worker).u64(5..150));
        match fate {
            Fate::Whole(events) | Fate::Refused(_, events) => {
                AgentResponse::stream("text/event-stream", numbered(events, pace).map(Ok::<_, Infallible>))
            }
            Fate::Failed => AgentResponse::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException", "no"),
            Fate::Reset => AgentResponse::reset(),
            Fate::BrokenOff(events) => {
                let end = stream::once(async move {
                    // What is there is written while a body is pending.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                });
                AgentResponse::stream("text/event-stream", numbered(events, pace).map(Ok).chain(end))
            }
            Fate::Silent(events) => {
                let body = numbered(events, pace).map(Ok::<_, Infallible>);
                AgentResponse::stream("text/event-stream", body.chain(stream::pending()))
            }
        }
    }

    /// Notes that a call runs, unless it is refused.
    fn begin(&self, worker: u64, number: u64, fate: Fate) -> Option<AgentResponse> {
        let mut last = self.last.lock().unwrap();
        let last = last.entry(worker).or_default();
        if last.refused.0 != number {
            last.refused = (number, 0);
        }
        if let Fate::Refused(times, _) = fate
            && last.refused.1 < times
        {
            last.refused.1 += 1;
            self.tally.count("refused");
            let (status, name) = match number % 3 {
                0 => (StatusCode::TOO_MANY_REQUESTS, "ThrottlingException"),
                1 => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException"),
                _ => (StatusCode::CONFLICT, "RetryableConflictException"),
            };
            return Some(AgentResponse::error(status, name, "not now"));
        }
        if last.ran.is_some_and(|ran| ran >= number) {
            self.tally.fail("double runs", &format!("call {number} of {worker} ran twice: {fate:?}"));
        }
        last.ran = Some(number);
        None
    }
}

/// Sends `"0;"`, `"1;"` and so on.
fn numbered(events: u32, pace: Duration) -> impl Stream<Item = Bytes> + Send {
    stream::iter(0..events).then(move |number| async move {
        tokio::time::sleep(pace).await;
        Bytes::from(format!("data: \"{number};\"\n\n"))
    })
}
