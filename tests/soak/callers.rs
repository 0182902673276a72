//! Callers: each makes one call after the other, or talks over one socket after the other, and checks what comes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use agentcore_client::{Error, ErrorKind, Runtime, SessionId, ws::Incoming};
use fastrand::Rng;

use crate::{agent::Fate, tally::Tally};

/// Who calls, and until when.
pub(crate) struct Plan {
    pub(crate) worker: u64,
    pub(crate) seed: u64,
    pub(crate) until: Instant,
    /// Whether all that the agent sent must arrive: there is no network that loses it.
    pub(crate) is_exact: bool,
    pub(crate) tally: Arc<Tally>,
}

impl Plan {
    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// Pauses, so that not all call at once.
    async fn pause(&self, chance: &mut Rng) {
        tokio::time::sleep(Duration::from_millis(chance.u64(0..300))).await;
    }
}

/// Invokes the agent again and again.
pub(crate) async fn invoke(plan: Plan, runtime: Runtime) {
    let mut chance = Rng::with_seed(plan.seed ^ plan.worker);
    let session = runtime.session(SessionId::random());
    let mut number = 0;
    while plan.goes_on() {
        plan.pause(&mut chance).await;
        number += 1;
        // Some callers lose interest.
        let patience = if chance.u32(0..50) == 0 { chance.u32(0..10) } else { u32::MAX };
        let prompt = format!("{}-{number}", plan.worker);
        let mut came = 0;
        let ended = async {
            let mut events = session.invoke(prompt.as_str()).stream().await?;
            while let Some(event) = events.try_next().await? {
                let Some(text) = event.text() else { continue };
                for piece in text.split_terminator(';') {
                    if piece.parse() != Ok(came) {
                        plan.tally.fail("lost events", &format!("{prompt}: {piece} came in the place of {came}"));
                    }
                    came += 1;
                }
                if came > patience {
                    return Ok::<bool, Error>(false);
                }
            }
            Ok(true)
        };
        let ended = ended.await;
        plan.tally.add("events", came.into());
        let fate = Fate::of(plan.seed, plan.worker, number);
        let must_have_come = match (&ended, fate) {
            (Ok(true), Fate::Whole(events) | Fate::Refused(_, events)) => Some(events),
            (Err(error), Fate::BrokenOff(events)) if plan.is_exact && error.kind() == ErrorKind::BrokenOff => {
                Some(events)
            }
            (Ok(true), _) => {
                plan.tally.fail("lost events", &format!("{prompt}: {fate:?} ended well after {came}"));
                None
            }
            _ => None,
        };
        if let Some(events) = must_have_come.filter(|events| *events != came) {
            plan.tally.fail("lost events", &format!("{prompt}: {came} of {events} came"));
        }
        plan.tally.outcome("stream", &ended.map(|whole| if whole { "done" } else { "dropped" }));
    }
}

/// Opens sockets to an agent that echoes, and says something until it loses interest.
pub(crate) async fn talk(plan: Plan, runtime: Runtime) {
    let mut chance = Rng::with_seed(plan.seed ^ plan.worker);
    let mut said = 0_u64;
    while plan.goes_on() {
        plan.pause(&mut chance).await;
        let mut socket = match runtime.websocket().connect().await {
            Ok(socket) => socket,
            Err(error) => {
                plan.tally.outcome("socket", &Err(error));
                continue;
            }
        };
        let messages = chance.u32(1..60);
        // The message that was answered last, and the one up to which none need be answered: a connection was lost.
        let (mut answered, mut doubtful) = (said, said);
        let ended = async {
            for _ in 0..messages {
                if !plan.goes_on() {
                    break;
                }
                said += 1;
                if let Err(error) = socket.send(format!("{}-{said}", plan.worker)).await {
                    // The receiver says how it ended, or that it goes on.
                    if error.kind() != ErrorKind::BrokenOff {
                        return Err(error);
                    }
                }
                while answered < said && doubtful < said {
                    let text = match socket.try_next().await? {
                        Some(Incoming::Text(text)) => text,
                        Some(Incoming::Reconnected(_)) => {
                            plan.tally.count("reconnected");
                            doubtful = said;
                            continue;
                        }
                        other => {
                            assert!(other.is_none(), "the agent sends no {other:?}");
                            return Ok("closed by the agent");
                        }
                    };
                    let echo = text.strip_prefix(&format!("{}-", plan.worker)).and_then(|number| number.parse().ok());
                    let echo: u64 = echo.unwrap_or_default();
                    plan.tally.count("messages echoed");
                    if echo <= answered {
                        plan.tally.fail("double runs", &format!("{text} was answered again after {answered}"));
                    } else if echo > said || (echo > answered + 1 && echo - 1 > doubtful) {
                        plan.tally
                            .fail("lost events", &format!("{text} came after {answered}, and {doubtful} in doubt"));
                    }
                    answered = echo;
                }
                plan.pause(&mut chance).await;
            }
            Ok("done")
        };
        let ended = ended.await;
        let ended = match ended {
            // Some are dropped, and close in the background.
            Ok(_) if chance.bool() => socket.close().await.map(|_| "done"),
            ended => ended,
        };
        plan.tally.outcome("socket", &ended);
    }
}
