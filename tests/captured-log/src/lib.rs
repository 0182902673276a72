//! What the thread of one test logs, at every level, dependencies included. Shows nothing and keeps no file.
//!
//! One subscriber serves all tests of a program, from the first capture on. A subscriber for each thread would lose events: while there
//! is only one, `tracing` asks the thread that comes by a place first whether anybody listens there, and remembers a no for all.

use std::{
    cell::RefCell,
    io,
    marker::PhantomData,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tracing_subscriber::{
    Layer as _, filter::dynamic_filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Everything that was logged since it began.
#[derive(Clone, Debug, Default)]
pub struct CapturedLog(Arc<Mutex<Vec<u8>>>);

/// Captures until it is dropped, on the thread that began.
#[derive(Debug)]
pub struct Capture(PhantomData<*const ()>);

impl CapturedLog {
    /// Captures until the guard is dropped.
    ///
    /// # Panics
    /// If the thread captures already, or the program has another subscriber for all threads.
    #[must_use]
    pub fn begin() -> (Self, Capture) {
        static SUBSCRIBER: OnceLock<()> = OnceLock::new();
        SUBSCRIBER.get_or_init(|| {
            let captured = dynamic_filter_fn(|_, _| CURRENT.with_borrow(Option::is_some));
            let lines = fmt::layer().with_ansi(false).with_writer(|| CurrentLog).with_filter(captured);
            tracing_subscriber::registry().with(lines).init();
        });
        let log = Self::default();
        let before = CURRENT.replace(Some(log.clone()));
        assert!(before.is_none(), "this thread captures already");
        (log, Capture(PhantomData))
    }

    /// Returns what was logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

thread_local! {
    static CURRENT: RefCell<Option<CapturedLog>> = const { RefCell::new(None) };
}

/// Writes to the log of the thread that logs.
struct CurrentLog;

impl io::Write for CurrentLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CURRENT.with_borrow(|log| {
            if let Some(CapturedLog(log)) = log {
                log.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(what: &str) {
        tracing::trace!(what, "said");
    }

    /// The place is come by first where nobody captures.
    #[test]
    fn a_thread_has_its_own_log_whoever_was_there_before() {
        let (log, capture) = CapturedLog::begin();
        let other = std::thread::spawn(|| {
            say("before");
            let (log, _capture) = CapturedLog::begin();
            say("beside");
            log.text()
        });
        let beside = other.join().unwrap_or_default();
        say("here");
        drop(capture);
        say("after");
        let here = log.text();
        for (text, said, unsaid) in [(&here, "here", "beside"), (&beside, "beside", "here")] {
            assert!(text.contains("TRACE") && text.contains(said), "{text}");
            assert!(!text.contains(unsaid) && !text.contains("before") && !text.contains("after"), "{text}");
        }
    }
}
