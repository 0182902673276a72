//! A proxy before an issuer, which counts requests and holds answers back until they are let through.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

pub(crate) struct Gate {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Answers that came from the issuer to requests of interest.
    answered: usize,
    is_open: bool,
    let_through: BTreeSet<usize>,
}

impl Gate {
    /// Stands before the issuer at this URL, closed. Requests without this text pass, and are not counted.
    pub(crate) fn before(issuer: &str, of_interest: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (shared, issuer) = (Arc::<Shared>::default(), issuer.strip_prefix("http://").unwrap().to_owned());
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for client in listener.incoming() {
                    let (shared, issuer) = (Arc::clone(&shared), issuer.clone());
                    thread::spawn(move || shared.serve(client.unwrap(), &issuer, of_interest));
                }
            }
        });
        Self { url, shared }
    }

    /// Returns how often the issuer has answered.
    pub(crate) fn answered(&self) -> usize {
        self.shared.state().answered
    }

    /// Waits until the issuer has answered so often, and whether it did in this time.
    pub(crate) fn has_answered(&self, count: usize, within: Duration) -> bool {
        let state = self.shared.state();
        let waited = self.shared.changed.wait_timeout_while(state, within, |state| state.answered < count).unwrap();
        waited.0.answered >= count
    }

    /// Lets the answer of this number through, from 1 on.
    pub(crate) fn let_through(&self, number: usize) {
        self.shared.state().let_through.insert(number);
        self.shared.changed.notify_all();
    }

    /// Lets all answers through.
    pub(crate) fn open(&self) {
        self.shared.state().is_open = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn serve(&self, mut client: TcpStream, issuer: &str, of_interest: &str) {
        let mut server = TcpStream::connect(issuer).unwrap();
        while let Some(request) = message(&mut client) {
            server.write_all(&request).unwrap();
            let Some(answer) = message(&mut server) else { return };
            if String::from_utf8_lossy(&request).contains(of_interest) {
                let mut state = self.state();
                state.answered += 1;
                let number = state.answered;
                self.changed.notify_all();
                let held = |state: &mut State| !state.is_open && !state.let_through.contains(&number);
                drop(self.changed.wait_while(state, held).unwrap());
            }
            // The client may be dead by now.
            if client.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

/// Reads one request or answer of HTTP/1.1 with a `content-length`.
fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(bytes);
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}
