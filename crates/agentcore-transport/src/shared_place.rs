//! One connection of HTTP/2 to a place where several calls want one at the same time. Makes none itself.
//!
//! The pool shares a connection of HTTP/2 among all calls, once it is there. Until then each call makes its own, since nobody knows what
//! the server will choose (ALPN): a thousand calls whose connection was lost would make a thousand, and keep one.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use agentcore_core::BoxError;
use http::Uri;
use tokio::sync::{MutexGuard, watch};

/// The places that connections are made to.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedPlaces(Arc<Mutex<HashMap<String, Arc<SharedPlace>>>>);

impl SharedPlaces {
    /// Returns the place of a URL.
    pub(crate) fn of(&self, url: &Uri) -> Arc<SharedPlace> {
        let name =
            format!("{}://{}", url.scheme_str().unwrap_or_default(), url.authority().map_or("", |at| at.as_str()));
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST_PLACES && !places.contains_key(&name) {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(places.entry(name).or_default())
    }
}

/// A place, and what is known of the connections to it.
#[derive(Debug, Default)]
pub(crate) struct SharedPlace {
    /// The newest shared connection: it is open while its sender lives. Locked while a connection is made.
    newest: tokio::sync::Mutex<Option<watch::Receiver<()>>>,
    /// How many shared connections were made.
    made: AtomicU64,
    /// Whether the server chose HTTP/1.1, by which each call has its own connection.
    is_unshared: AtomicBool,
}

impl SharedPlace {
    /// Makes a connection, unless another call makes a shared one meanwhile: the pool has that for this call, which ends its wait. `make`
    /// returns whether its connection can be shared.
    ///
    /// # Errors
    /// If none can be made, or if the other call's connection is lost first. The pool goes on with this future after it gave its call
    /// another connection, so that a connection that was made here would be nobody's.
    pub(crate) async fn make<C>(
        &self,
        make: impl Future<Output = Result<(C, bool), BoxError>>,
    ) -> Result<(C, Option<watch::Sender<()>>), BoxError> {
        // What was there before has not served this call, or it would not be here.
        let known = self.made.load(Ordering::Acquire);
        let mut newest = self.turn().await;
        if newest.is_some() && self.made.load(Ordering::Acquire) != known {
            let open = newest.take().and_then(|newest| newest.clone());
            if let Some(mut open) = open {
                // It ends when the connection does.
                let _ = open.changed().await;
            }
            return Err("the connection of another call, which this one was to share, was lost".into());
        }
        let (connection, is_shared) = make.await?;
        self.is_unshared.store(!is_shared, Ordering::Release);
        let (open, closed) = watch::channel(());
        let Some(mut newest) = newest.filter(|_| is_shared) else { return Ok((connection, None)) };
        *newest = Some(closed);
        self.made.fetch_add(1, Ordering::AcqRel);
        Ok((connection, Some(open)))
    }

    /// Waits until no other call makes a connection, unless the server shares none.
    async fn turn(&self) -> Option<MutexGuard<'_, Option<watch::Receiver<()>>>> {
        let is_shared = || !self.is_unshared.load(Ordering::Acquire);
        if !is_shared() {
            return None;
        }
        // The call before may have found out.
        Some(self.newest.lock().await).filter(|_| is_shared())
    }
}

/// Places beyond these are forgotten while no connection to them is made.
const MOST_PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    /// How many of 20 calls make a connection, where the server shares it or not, and after the shared one was lost.
    #[tokio::test]
    async fn one_call_makes_the_connection_of_all() {
        for (is_shared, expected) in [(true, 1), (false, 20)] {
            let place = SharedPlaces::default().of(&Uri::from_static("https://host.example"));
            let (made, permits) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
            let call = || {
                let (place, made, permits) = (place.clone(), made.clone(), permits.clone());
                tokio::spawn(async move {
                    let make = async {
                        permits.acquire().await.map(tokio::sync::SemaphorePermit::forget).ok();
                        made.fetch_add(1, Ordering::Relaxed);
                        Ok(((), is_shared))
                    };
                    place.make(make).await
                })
            };
            let calls: Vec<_> = (0..20).map(|_| call()).collect();
            tokio::task::yield_now().await;
            permits.add_permits(100);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(made.load(Ordering::Relaxed), expected, "shared: {is_shared}");
            // Those that wait for it end with it.
            let (ended, waiting): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.is_finished());
            assert_eq!(u64::try_from(ended.len()).ok(), Some(expected), "shared: {is_shared}");
            for call in ended {
                assert!(call.await.is_ok_and(|made| made.is_ok()), "shared: {is_shared}");
            }
            for call in waiting {
                assert!(call.await.is_ok_and(|made| made.is_err()), "shared: {is_shared}");
            }
            // The next one makes another.
            assert!(call().await.is_ok_and(|made| made.is_ok()));
            assert_eq!(made.load(Ordering::Relaxed), expected + 1, "shared: {is_shared}");
        }
    }

    #[test]
    fn places_are_forgotten() {
        let places = SharedPlaces::default();
        let url = |n: usize| format!("https://host-{n}.example").parse().unwrap_or_default();
        let held = places.of(&url(0));
        for n in 1..1000 {
            places.of(&url(n));
        }
        assert!(places.0.lock().is_ok_and(|places| places.len() <= MOST_PLACES));
        assert!(Arc::ptr_eq(&held, &places.of(&url(0))), "one that is in use is kept");
    }
}
