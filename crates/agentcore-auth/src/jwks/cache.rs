//! The issuer's keys, fetched when they are needed and no more often. Verifies nothing.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{Request, Response, header::ACCEPT};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Issuer, key::Key, untrusted};
use crate::{BoxError, Clock, Error, ErrorKind, Exchange, SystemClock, clock::Moment, issuer::refused};

/// The keys of an issuer.
pub(super) struct KeyCache {
    issuer: Issuer,
    http: Arc<dyn Exchange>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) interval: Duration,
    held: ArcSwapOption<KeySet>,
    /// Held while fetching; whoever waits for it waits for keys.
    gate: Mutex<Gate>,
}

/// What the issuer published at one moment.
struct KeySet {
    keys: Vec<Arc<Key>>,
    /// When they are to be fetched again.
    old: Moment,
    /// When they are good for nothing any more.
    dead: Moment,
}

/// The last fetch, and until when it spares the issuer another.
#[derive(Default)]
struct Gate(Option<(Result<(), Error>, Moment)>);

impl KeyCache {
    pub(super) fn new(issuer: Issuer, http: Arc<dyn Exchange>) -> Self {
        let clock = Arc::new(SystemClock::default());
        let (held, gate) = (ArcSwapOption::empty(), Mutex::default());
        Self { issuer, http, clock, interval: DEFAULT_INTERVAL, held, gate }
    }

    pub(super) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The key of this name, from the keys in hand if it is among them.
    pub(super) async fn find(&self, id: &str) -> Result<Arc<Key>, Error> {
        let now = self.clock.moment();
        let seen = self.held.load_full().filter(|set| !set.dead.is_past(now));
        if let Some((set, key)) = seen.as_ref().and_then(|set| Some((set, set.find(id)?))) {
            if !set.old.is_past(now) {
                return Ok(key);
            }
            let Ok(mut gate) = self.gate.try_lock() else { return Ok(key) };
            if gate.rests(now) {
                return Ok(key);
            }
            if let Err(error) = self.fetch(&mut gate).await {
                tracing::warn!(kind = ?error.kind(), "an issuer's keys could not be renewed; going on with those in hand");
                return Ok(key);
            }
            // A key that the issuer has withdrawn is trusted no longer.
            return self.in_hand(id).ok_or_else(unknown);
        }
        let mut gate = self.gate.lock().await;
        if let Some(key) = self.in_hand(id) {
            return Ok(key);
        }
        match &gate.0 {
            Some((outcome, _)) if gate.rests(self.clock.moment()) => Err(outcome.clone().err().unwrap_or_else(unknown)),
            _ => {
                self.fetch(&mut gate).await?;
                self.in_hand(id).ok_or_else(unknown)
            }
        }
    }

    fn in_hand(&self, id: &str) -> Option<Arc<Key>> {
        let now = self.clock.moment();
        self.held.load().as_ref().filter(|set| !set.dead.is_past(now))?.find(id)
    }

    async fn fetch(&self, gate: &mut Gate) -> Result<(), Error> {
        let asked = self.clock.moment();
        let outcome = self.published().await.map(|keys| {
            let (old, dead) = (asked.after(RENEW_AFTER), asked.after(FORGET_AFTER));
            self.held.store(Some(Arc::new(KeySet { keys, old, dead })));
        });
        let pause = if outcome.is_ok() { self.interval } else { PAUSE_AFTER_FAILURE };
        gate.0 = Some((outcome.clone(), self.clock.moment().after(pause)));
        outcome
    }

    /// Asks the issuer where its keys are, and then for them.
    async fn published(&self) -> Result<Vec<Arc<Key>>, Error> {
        let metadata = self.exchange(self.issuer.metadata_request()?).await?;
        let url = self.issuer.read_metadata(&metadata, "jwks_uri", "key set")?;
        let request = Request::get(url)
            .header(ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(|error| Error::new(ErrorKind::Input, "the key set's URL cannot be asked").with_source(error))?;
        read(&self.exchange(request).await?)
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let unreached = |cause: BoxError| {
            Error::new(ErrorKind::Unavailable, "the issuer's keys could not be fetched").with_source(cause)
        };
        self.http.exchange(request).await.map_err(unreached)
    }
}

impl KeySet {
    fn find(&self, id: &str) -> Option<Arc<Key>> {
        self.keys.iter().find(|key| key.id() == id).cloned()
    }
}

impl Gate {
    fn rests(&self, now: Moment) -> bool {
        self.0.as_ref().is_some_and(|(_, until)| !until.is_past(now))
    }
}

/// Reads a key set (RFC 7517 §5). Keys of a kind that is not known are passed over, as the RFC wants it.
fn read(answer: &Response<Bytes>) -> Result<Vec<Arc<Key>>, Error> {
    let refuse = |why: &str| Error::new(ErrorKind::Service, format!("the issuer's keys are of no use: {why}"));
    if !answer.status().is_success() {
        return Err(refused("the issuer's keys are", answer.status()));
    }
    if answer.body().len() > MAX_SET_BYTES {
        return Err(refuse("they are too long"));
    }
    let set: Value = serde_json::from_slice(answer.body()).map_err(|_| refuse("they are not JSON"))?;
    let keys = set["keys"].as_array().ok_or_else(|| refuse("they are not a key set"))?;
    let keys: Vec<_> = keys.iter().filter_map(Key::read).take(MAX_KEYS).map(Arc::new).collect();
    if keys.is_empty() { Err(refuse("none of them verifies tokens")) } else { Ok(keys) }
}

fn unknown() -> Error {
    untrusted("its issuer has no key of that name")
}

const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
const RENEW_AFTER: Duration = Duration::from_secs(60 * 60);
const FORGET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Issuers publish a handful of keys, some with their certificates.
const MAX_SET_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 100;
