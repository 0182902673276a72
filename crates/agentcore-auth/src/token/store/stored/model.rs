//! Caches over one store, whose issuer takes each refresh token once, under `shuttle`: callers give up at every await, fetches are
//! dropped or reach their deadline, tokens are refused, the store and the issuer fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashSet,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard},
    task::Poll,
    time::{Duration, UNIX_EPOCH},
};

use secrecy::ExposeSecret as _;
use shuttle::{
    future::{block_on, yield_now},
    rand::{Rng as _, thread_rng},
    thread,
};

use super::{Stored, WriteOutcome};
use crate::{
    BoxFuture, CachedToken, Error, ErrorKind, Issued, ManualClock, StoredToken, Token, TokenIssuer, TokenSource as _,
    TokenStore,
    sync::step,
    token::{LockOutcome, StoreLock},
};

/// What goes wrong in a scenario: one in so many, none if it is zero.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    requests: u32,
    saves: u32,
    outages: u32,
}

/// The issuer's server, the store's contents, and what happened.
#[derive(Debug)]
struct World {
    clock: ManualClock,
    state: Mutex<State>,
    /// The store's lock.
    lock: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    /// The refresh token that is good, as a number; one that was used once is not.
    good: u64,
    kept: Option<StoredToken>,
    asking: u32,
    requests: u64,
    logins: u64,
    /// Requests with a refresh token that was used before.
    reused: u64,
    /// Answers of the issuer that nobody was there to receive.
    answers_lost: u64,
    /// New tokens that did not get to the store, because it failed or nobody waited any longer.
    not_saved: u64,
    /// Fetches that were dropped after the store had the token.
    not_handed_out: u64,
    rejected: HashSet<String>,
}

impl World {
    fn new(faults: Faults) -> Arc<Self> {
        let state = Mutex::new(State { faults, ..State::default() });
        Arc::new(Self { clock: ManualClock::new(UNIX_EPOCH + HOUR), state, lock: Arc::default() })
    }

    /// Never held while another thread may run.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Returns the cache of another process.
    fn cache(self: &Arc<Self>) -> CachedToken<Stored<Login>> {
        let login = Login { world: Arc::clone(self), refresh_token: Mutex::default() };
        Stored::new(login, Arc::new(Shelf(Arc::clone(self))), "key").clock(self.clock.clone()).cached()
    }
}

fn happens(one_in: u32) -> bool {
    one_in > 0 && thread_rng().gen_ratio(1, one_in)
}

/// Waits for something, or not.
async fn pause() {
    step();
    for _ in 0..thread_rng().gen_range(0..3) {
        yield_now().await;
    }
}

/// Counts when it is dropped before its time.
struct Pending<'a>(&'a World, Option<fn(&mut State)>);

impl Pending<'_> {
    fn done(mut self) {
        self.1 = None;
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.1 {
            count(&mut self.0.state());
        }
    }
}

/// A process that renews its login, and logs in with a password where it cannot. It keeps the refresh token in memory.
#[derive(Debug)]
struct Login {
    world: Arc<World>,
    refresh_token: Mutex<Option<u64>>,
}

impl Login {
    async fn ask(&self) -> Result<Issued, Error> {
        pause().await;
        if happens(self.world.state().faults.requests) {
            return Err(Error::new(ErrorKind::Throttled, "on purpose"));
        }
        let shown = *self.refresh_token.lock().unwrap();
        let given = self.world.state().take(shown);
        // The clock tells tokens apart that come one after the other.
        self.world.clock.advance(Duration::from_secs(1));
        let answer = Pending(&self.world, Some(|state| state.answers_lost += 1));
        pause().await;
        answer.done();
        *self.refresh_token.lock().unwrap() = Some(given);
        Ok(Issued::new(Token::parse(&format!("token-{given}"))?).expires_in(HOUR))
    }
}

impl State {
    fn check_one_asks(&self) {
        assert!(self.asking == 1 || self.faults.outages > 0, "two ask at a time");
    }

    /// Gives the next refresh token for a good one, or else for the password.
    fn take(&mut self, shown: Option<u64>) -> u64 {
        self.requests += 1;
        let is_good = shown == Some(self.good);
        self.logins += u64::from(!is_good);
        self.reused += u64::from(!is_good && shown.is_some());
        self.good += 1;
        self.good
    }
}

impl TokenIssuer for Login {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(async {
            self.world.state().asking += 1;
            let asking = Pending(&self.world, Some(|state| state.asking -= 1));
            self.world.state().check_one_asks();
            let outcome = self.ask().await;
            drop(asking);
            outcome
        })
    }

    fn resume(&self, stored: &StoredToken) {
        if let Some(token) = &stored.refresh_token {
            *self.refresh_token.lock().unwrap() = Some(token.expose_secret().parse().unwrap());
        }
    }

    fn remember(&self, stored: StoredToken) -> StoredToken {
        match *self.refresh_token.lock().unwrap() {
            Some(number) => stored.refresh_token(number.to_string()),
            None => stored,
        }
    }
}

/// A store whose every step can be away, and whose writes can fail.
#[derive(Debug)]
struct Shelf(Arc<World>);

impl Shelf {
    async fn reach(&self) -> Result<(), Error> {
        pause().await;
        match happens(self.0.state().faults.outages) {
            true => Err(Error::new(ErrorKind::Unavailable, "away on purpose")),
            false => Ok(()),
        }
    }
}

impl TokenStore for Shelf {
    fn load<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<StoredToken>, Error>> {
        Box::pin(async {
            self.reach().await?;
            let kept = self.0.state().kept.clone();
            pause().await;
            Ok(kept)
        })
    }

    fn save<'a>(
        &'a self,
        _: &'a str,
        token: &'a StoredToken,
        _: &'a StoreLock,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        Box::pin(async {
            let saving = Pending(&self.0, Some(|state| state.not_saved += 1));
            self.reach().await?;
            if happens(self.0.state().faults.saves) {
                return Err(Error::new(ErrorKind::Authentication, "full on purpose"));
            }
            self.0.state().kept = Some(token.clone());
            saving.done();
            let handed_out = Pending(&self.0, Some(|state| state.not_handed_out += 1));
            pause().await;
            handed_out.done();
            Ok(WriteOutcome::Written)
        })
    }

    fn clear<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn lock<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<LockOutcome, Error>> {
        Box::pin(async {
            self.reach().await?;
            Ok(LockOutcome::Acquired(StoreLock::new(Arc::clone(&self.0.lock).lock_owned().await)))
        })
    }

    fn unlock<'a>(&'a self, _: &'a str, lock: StoreLock) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let handed_out = Pending(&self.0, Some(|state| state.not_handed_out += 1));
            pause().await;
            handed_out.done();
            drop(lock);
        })
    }
}

type Cache = Arc<CachedToken<Stored<Login>>>;

/// Asks, and gives up after so many looks.
async fn give_up(cache: &Cache, looks: u32) -> Option<Token> {
    let mut asking = cache.token();
    for _ in 0..looks {
        match poll_fn(|context| Poll::Ready(asking.as_mut().poll(context))).await {
            Poll::Ready(outcome) => return outcome.ok(),
            Poll::Pending => yield_now().await,
        }
    }
    None
}

/// Two callers of each cache, who may give up, and who may have their token refused.
fn ask_all(world: &Arc<World>, caches: &[Cache]) {
    let callers: Vec<_> = caches
        .iter()
        .flat_map(|cache| [Arc::clone(cache), Arc::clone(cache)])
        .map(|cache| {
            let world = Arc::clone(world);
            thread::spawn(move || {
                block_on(async {
                    let looks = if happens(3) { thread_rng().gen_range(0..12) } else { u32::MAX };
                    let Some(token) = give_up(&cache, looks).await else { return };
                    if happens(2) {
                        world.state().rejected.insert(token.expose().to_owned());
                        cache.reject(&token);
                        let another = cache.token().await;
                        assert!(another.is_err() || another.unwrap() != token, "it was refused");
                    }
                });
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    for cache in caches {
        block_on(cache.settled());
    }
}

/// Runs two rounds of callers, an hour apart, and a last renewal of each cache in which nothing goes wrong.
fn live(world: &Arc<World>, caches: &[Cache]) {
    for _ in 0..2 {
        ask_all(world, caches);
        world.clock.advance(HOUR * 2);
    }
    world.state().faults = Faults::default();
    for cache in caches {
        // A dropped fetch begins again, and one that reached its deadline after a pause.
        let renewed = (0..100).any(|_| {
            world.clock.advance(HOUR * 2);
            block_on(cache.token()).is_ok()
        });
        assert!(renewed, "{world:?}");
    }
}

fn explore(scenario: fn()) {
    shuttle::check_random(scenario, ITERATIONS);
    shuttle::check_pct(scenario, ITERATIONS, 3);
}

/// Whatever fails and whoever gives up: a refresh token that arrived is the one that is used next.
fn one_cache_loses_no_refresh_token(faults: Faults) {
    let world = World::new(faults);
    live(&world, &[Arc::new(world.cache())]);
    let state = world.state();
    assert!(state.reused <= state.answers_lost, "{state:?}");
    assert!(state.logins <= 1 + state.answers_lost, "{state:?}");
}

#[test]
fn no_refresh_token_that_arrived_is_lost() {
    explore(|| one_cache_loses_no_refresh_token(Faults { requests: 4, ..Faults::default() }));
}

#[test]
fn no_refresh_token_is_lost_to_a_store_that_cannot_write() {
    explore(|| one_cache_loses_no_refresh_token(Faults { saves: 2, ..Faults::default() }));
}

#[test]
fn no_refresh_token_is_lost_to_a_store_that_is_away() {
    explore(|| one_cache_loses_no_refresh_token(Faults { outages: 3, saves: 4, requests: 8 }));
}

/// What a dropped fetch did not save, the other cache cannot know; all else is shared.
#[test]
fn two_caches_share_each_fetch_and_each_refresh_token() {
    explore(|| {
        let world = World::new(Faults::default());
        let caches = [world.cache(), world.cache()].map(Arc::new);
        ask_all(&world, &caches);
        let cut_short = |state: &State| state.answers_lost + state.not_saved + state.not_handed_out;
        let state = world.state();
        let reasons = 1 + state.rejected.len() as u64 + cut_short(&state);
        assert!(state.requests <= reasons, "{reasons} reasons: {state:?}");
        drop(state);
        live(&world, &caches);
        let state = world.state();
        assert!(state.reused <= state.answers_lost + state.not_saved, "{state:?}");
    });
}

const ITERATIONS: usize = 300;
const HOUR: Duration = Duration::from_secs(3600);
