//! The issuer's keys, fetched when they are needed. Verifies nothing.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use super::key::{Key, untrusted};
use crate::{
    Error, ErrorKind, Exchange,
    clock::Moment,
    exchange::unanswered,
    issuer::{Issuer, document_request, refused},
    refresh::{DEFAULT_DEADLINE, Entry, Fetching, Policy, Refresh},
};

/// The keys of an issuer.
pub(super) struct KeyCache {
    publisher: Arc<Publisher>,
    pub(super) interval: Duration,
    pub(super) refresh: Refresh<KeySet>,
}

/// The source of the keys.
struct Publisher {
    issuer: Issuer,
    http: Arc<dyn Exchange>,
}

/// The keys that the issuer published at one moment.
type KeySet = Vec<Arc<Key>>;

impl KeyCache {
    pub(super) fn new(issuer: Issuer, http: Arc<dyn Exchange>) -> Self {
        let policy = Policy {
            what: "an issuer's key set",
            deadline: Some(DEFAULT_DEADLINE),
            first_pause: PAUSE_AFTER_FAILURE,
            longest_pause: PAUSE_AFTER_FAILURE,
            random: || 1.0,
        };
        let publisher = Arc::new(Publisher { issuer, http });
        Self { publisher, interval: DEFAULT_INTERVAL, refresh: Refresh::new(policy) }
    }

    pub(super) fn issuer(&self) -> &Issuer {
        &self.publisher.issuer
    }

    /// Returns the key of this name, after a fetch if it is not among the last ones.
    pub(super) async fn find(&self, id: &str) -> Result<Arc<Key>, Error> {
        let set = self.refresh.get(|asked| self.fetch(asked)).await?;
        if let Some(key) = named(&set.value, id) {
            return Ok(key);
        }
        if set.lived(self.refresh.clock.moment()) < self.interval {
            return Err(unknown());
        }
        let newer = self.refresh.other_than(Some(&set), |asked| self.fetch(asked)).await?;
        named(&newer.value, id).ok_or_else(unknown)
    }

    fn fetch(&self, asked: Moment) -> Fetching<KeySet> {
        let publisher = Arc::clone(&self.publisher);
        Box::pin(async move {
            let keys = publisher.published().await?;
            Ok(Entry::new(keys, asked, Some(FORGET_AFTER), FORGET_AFTER - RENEW_AFTER))
        })
    }
}

impl Publisher {
    /// Fetches the issuer's metadata, and then the keys that it points to.
    async fn published(&self) -> Result<KeySet, Error> {
        let metadata = self.exchange(self.issuer.metadata_request()?).await?;
        let url = self.issuer.read_metadata(&metadata, "jwks_uri", "key set")?;
        read(&self.exchange(document_request("key set", &url)?).await?)
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let answer = self.http.exchange(request).await;
        answer.map_err(|cause| unanswered("the issuer's keys could not be fetched", cause))
    }
}

/// Reads a key set (RFC 7517 §5). Keys of an unknown kind are ignored, as the RFC requires.
fn read(answer: &Response<Bytes>) -> Result<KeySet, Error> {
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

fn named(keys: &KeySet, id: &str) -> Option<Arc<Key>> {
    keys.iter().find(|key| key.id == id).cloned()
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
