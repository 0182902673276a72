//! The progress of a batch on a line: how much is done, how much failed, how fast, how long still. Draws nothing itself.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use agentcore_client::{RateLimiter, duration_in_words};

/// How many lines have ended. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Counts(Arc<(AtomicUsize, AtomicUsize)>);

impl Counts {
    /// Counts lines that have ended, so many of which failed.
    pub(super) fn add(&self, ended: usize, failed: usize) {
        self.0.0.fetch_add(ended, Relaxed);
        self.0.1.fetch_add(failed, Relaxed);
    }

    pub(super) fn ended(&self) -> usize {
        self.0.0.load(Relaxed)
    }

    pub(super) fn failed(&self) -> usize {
        self.0.1.load(Relaxed)
    }
}

/// Makes the line, each time that it is drawn.
pub(super) struct Bar {
    counts: Counts,
    lines: usize,
    limiter: RateLimiter,
    /// What had ended at which time, for the last half minute.
    seen: VecDeque<(Instant, usize)>,
}

impl Bar {
    pub(super) fn new(counts: Counts, lines: usize, limiter: RateLimiter) -> Self {
        Self { counts, lines, limiter, seen: VecDeque::new() }
    }

    /// Returns the line for a terminal of this width.
    pub(super) fn draw(&mut self, now: Instant, columns: usize) -> String {
        let ended = self.counts.ended();
        while self.seen.len() > 1 && now.saturating_duration_since(self.seen[0].0) > WINDOW {
            self.seen.pop_front();
        }
        self.seen.push_back((now, ended));
        let (since, before) = self.seen[0];
        let throttled = self.limiter.throttled() > 0;
        let view = View {
            ended,
            failed: self.counts.failed(),
            lines: self.lines,
            per_second: per_second(ended - before, now.saturating_duration_since(since)),
            throttled_to: throttled.then(|| self.limiter.calls_per_second()),
        };
        view.line(columns)
    }
}

fn per_second(ended: usize, time: Duration) -> Option<f64> {
    let ended = u32::try_from(ended).map_or(f64::INFINITY, f64::from);
    (ended > 0.0 && !time.is_zero()).then(|| ended / time.as_secs_f64())
}

/// What is shown.
struct View {
    ended: usize,
    failed: usize,
    lines: usize,
    per_second: Option<f64>,
    throttled_to: Option<f64>,
}

impl View {
    /// Returns the line, with a bar where there is room. The frame of the spinner stands before it.
    fn line(&self, columns: usize) -> String {
        let Self { ended, failed, lines, .. } = self;
        let mut text = format!("{ended} of {lines} done, {failed} failed");
        if let Some(rate) = self.per_second {
            text += &format!(", {rate:.1} a second");
            let left = u32::try_from(lines.saturating_sub(*ended)).map_or(f64::INFINITY, f64::from) / rate;
            text += &Duration::try_from_secs_f64(left)
                .map_or(String::new(), |left| format!(", {} left", duration_in_words(left)));
        }
        if let Some(rate) = self.throttled_to {
            text += &format!(" (throttled to {rate:.1} a second)");
        }
        let room = columns.saturating_sub(SPINNER + 1);
        if text.len() + BAR + 3 <= room {
            let full = (ended * BAR).checked_div(*lines).unwrap_or(BAR).min(BAR);
            text = format!("[{}{}] {text}", "█".repeat(full), "░".repeat(BAR - full));
        }
        text.chars().take(room).collect()
    }
}

const WINDOW: Duration = Duration::from_secs(30);
const BAR: usize = 20;
/// The spinner's frame and a space.
const SPINNER: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_progress() {
        let view =
            |ended, failed, lines, per_second, throttled_to| View { ended, failed, lines, per_second, throttled_to };
        for (view, columns, line) in [
            (view(0, 0, 10, None, None), 80, "[░░░░░░░░░░░░░░░░░░░░] 0 of 10 done, 0 failed"),
            (
                view(5, 1, 10, Some(0.5), None),
                80,
                "[██████████░░░░░░░░░░] 5 of 10 done, 1 failed, 0.5 a second, 10 s left",
            ),
            (view(5, 1, 10, Some(0.5), None), 60, "5 of 10 done, 1 failed, 0.5 a second, 10 s left"),
            (view(5, 1, 10, Some(0.5), None), 20, "5 of 10 done, 1 f"),
            (
                view(10, 0, 100_000, Some(22.5), Some(22.5)),
                75,
                "10 of 100000 done, 0 failed, 22.5 a second, 74 min left (throttled to 22",
            ),
            (view(1, 0, 91, Some(1.0), None), 60, "1 of 91 done, 0 failed, 1.0 a second, 90 s left"),
            (view(0, 0, 0, None, None), 80, "[████████████████████] 0 of 0 done, 0 failed"),
            (view(1, 0, 2, None, None), 0, ""),
        ] {
            assert_eq!(view.line(columns), line);
        }
    }

    #[test]
    fn the_rate_is_that_of_the_last_half_minute() {
        let (counts, begun) = (Counts::default(), Instant::now());
        counts.add(100, 0);
        let mut bar = Bar::new(counts.clone(), 1000, RateLimiter::new());
        let mut at = |seconds, ended, failed| {
            counts.add(ended, failed);
            bar.draw(begun + Duration::from_secs(seconds), 60)
        };
        assert_eq!(
            at(0, 0, 0),
            "[██░░░░░░░░░░░░░░░░░░] 100 of 1000 done, 0 failed",
            "what was done before says nothing"
        );
        assert_eq!(at(10, 50, 2), "150 of 1000 done, 2 failed, 5.0 a second, 2 min left");
        assert_eq!(at(50, 400, 0), "550 of 1000 done, 2 failed, 10.0 a second, 45 s left");
    }
}
