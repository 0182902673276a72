//! The rate under a clock that is passed in: each expected number was computed by hand.

use super::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A rate, its clock, and whether calls wait for it.
struct Sender {
    rate: AdaptiveRate,
    begun: Instant,
    now: Instant,
}

impl Sender {
    fn new(rate: AdaptiveRate) -> Self {
        let begun = Instant::now() + Duration::from_secs(3600);
        Self { rate, begun, now: begun }
    }

    /// Sends the next call as early as is permitted.
    fn send(&mut self) -> Permit {
        let mut waited = false;
        loop {
            match self.rate.permit(self.now, waited) {
                Ok(permit) => return permit,
                Err(later) => (self.now, waited) = (later, true),
            }
        }
    }

    /// Returns when so many calls are sent, in milliseconds.
    fn times(&mut self, calls: usize) -> Vec<u128> {
        (0..calls).map(|_| (self.send().0 - self.begun).as_micros().div_ceil(1000)).collect()
    }

    /// Sends calls until a time, and returns how many there were.
    fn send_until(&mut self, time: Duration) -> usize {
        let mut calls = 0;
        while self.rate.next.is_none_or(|next| next < self.begun + time) {
            self.send();
            calls += 1;
        }
        calls
    }

    fn refused(&mut self, permit: Permit, retry_after: Option<Duration>) {
        self.rate.refused(permit, retry_after, self.now);
    }

    fn rate(&self) -> f64 {
        (self.rate.rate * 1000.0).round() / 1000.0
    }
}

#[test]
fn at_first_it_keeps_below_the_quota_and_doubles() {
    let mut sender = Sender::new(AdaptiveRate::new());
    // A twelfth of a second is 83.3 ms.
    assert_eq!(sender.times(15), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 84, 167, 250]);
    // 24 in the first second, and then twice as many in each.
    assert_eq!(sender.send_until(ms(1000)), 9);
    assert_eq!((sender.send_until(ms(2080)), sender.rate()), (24, 24.0));
    assert_eq!((sender.send_until(ms(3100)), sender.rate()), (49, 48.0));
}

#[test]
fn what_nobody_waits_for_does_not_rise() {
    let mut rate = AdaptiveRate::new();
    let begun = Instant::now();
    for second in 0..100 {
        assert!(rate.permit(begun + Duration::from_secs(second), false).is_ok());
    }
    assert_eq!(rate.rate, 12.0);
}

#[test]
fn a_fixed_rate_is_even_and_lets_no_more_through_after_a_pause() {
    let mut sender = Sender::new(AdaptiveRate::at_most(4.0));
    assert_eq!(sender.times(4), [0, 230, 480, 730]);
    // A second of silence is not made up for, beyond what a timer may be late.
    sender.now += Duration::from_secs(60);
    assert_eq!(sender.times(3), [60_730, 60_960, 61_210]);
    assert_eq!((sender.send_until(Duration::from_secs(160)), sender.rate()), (395, 4.0));
}

/// 25 calls are accepted in a second, and 39 that were sent with them are not.
#[test]
fn the_limit_is_what_was_accepted() {
    let mut sender = Sender::new(AdaptiveRate::at_most(1e6));
    let permits: Vec<Permit> = (0..64).map(|_| sender.send()).collect();
    let last = sender.now;
    sender.now += ms(5);
    for permit in &permits[25..] {
        sender.refused(*permit, None);
    }
    assert_eq!((sender.rate(), sender.rate.throttled), (22.5, 39));
    // The second begins with the last refusal; 1/22.5 s is 44.4 ms.
    sender.begun = last + ms(5);
    assert_eq!(sender.times(4), [1000, 1045, 1089, 1134]);
}

#[test]
fn a_refusal_that_comes_late_lowers_the_rate_once() {
    let mut sender = Sender::new(AdaptiveRate::new());
    let permits: Vec<Permit> = (0..12).map(|_| sender.send()).collect();
    sender.refused(permits[11], None);
    assert_eq!(sender.rate(), 9.9, "eleven were accepted");
    sender.now += ms(300);
    sender.refused(permits[10], None);
    assert_eq!(sender.rate(), 9.0, "ten were");
    sender.send();
    assert_eq!(sender.rate(), 9.0);
}

#[test]
fn a_service_that_accepts_nothing_is_asked_ever_less() {
    let mut sender = Sender::new(AdaptiveRate::new());
    let mut rates = Vec::new();
    for _ in 0..9 {
        let permit = sender.send();
        sender.refused(permit, None);
        rates.push(sender.rate());
    }
    assert_eq!(rates, [6.0, 3.0, 1.5, 0.75, 0.375, 0.188, 0.1, 0.1, 0.1]);
    // It comes back: each second, or else each call, doubles the rate.
    let rates: Vec<f64> = (0..5).map(|_| (sender.send(), sender.rate()).1).collect();
    assert_eq!(rates, [0.1, 0.2, 0.4, 0.8, 1.6]);
}

/// The limit that was learnt before is still known after an outage.
#[test]
fn an_outage_is_not_a_limit() {
    let mut sender = Sender::new(AdaptiveRate::at_most(1e6));
    let permits: Vec<Permit> = (0..26).map(|_| sender.send()).collect();
    sender.refused(permits[25], None);
    assert_eq!(sender.rate(), 22.5);
    sender.now += Duration::from_secs(10);
    for rate in [11.25, 5.625] {
        let permit = sender.send();
        sender.refused(permit, None);
        assert_eq!(sender.rate(), rate);
    }
    sender.now += Duration::from_secs(20);
    let resumed = sender.now - sender.begun;
    sender.send_until(resumed + Duration::from_secs(4));
    assert_eq!(sender.rate(), 22.5);
}

#[test]
fn retry_after_is_obeyed_within_bounds() {
    for (retry_after, resumes) in
        [(None, 1), (Some(0), 0), (Some(1), 1), (Some(7), 7), (Some(900), 900), (Some(901), 900), (Some(u64::MAX), 900)]
    {
        let mut sender = Sender::new(AdaptiveRate::at_most(1e6));
        let permit = sender.send();
        sender.refused(permit, retry_after.map(Duration::from_secs));
        assert_eq!(
            sender.rate.permit(sender.now, false).err().map_or(0, |later| (later - sender.now).as_secs()),
            resumes
        );
    }
}

/// Probes come 30 s after the limit was found, and then twice as long after each that met it, up to 10 minutes.
#[test]
fn probes_become_rare_where_the_limit_holds() {
    let mut sender = Sender::new(AdaptiveRate::at_most(1e6));
    let permits: Vec<Permit> = (0..26).map(|_| sender.send()).collect();
    sender.refused(permits[25], None);
    for pause in [30, 60, 120, 240, 480, 600, 600] {
        let found = sender.now - sender.begun + SECOND;
        sender.send_until(found + Duration::from_secs(pause) - ms(50));
        assert_eq!(sender.rate(), 22.5, "{pause}");
        sender.send_until(found + Duration::from_secs(pause) + ms(1100));
        assert_eq!(sender.rate(), 26.25, "{pause}");
        // The 27 calls of the last second were one too many, and one was not yet answered.
        let permit = sender.send();
        sender.rate.sent.truncate(sender.rate.sent.len() - 2);
        sender.refused(permit, None);
        assert!((22.5..=23.4).contains(&sender.rate()), "{}", sender.rate());
        sender.rate.set_limit(25.0);
        sender.rate.cut = None;
    }
}

/// After a probe that went well the next ones come every 30 s again.
#[test]
fn a_probe_that_goes_well_is_followed_soon() {
    let mut sender = Sender::new(AdaptiveRate::at_most(1e6));
    let permits: Vec<Permit> = (0..26).map(|_| sender.send()).collect();
    sender.refused(permits[25], None);
    sender.rate.misses = 3;
    let (mut rate, mut changes) = (sender.rate(), Vec::new());
    while changes.len() < 3 {
        sender.send();
        if sender.rate() > rate {
            changes.push((sender.now - sender.begun).as_secs());
            rate = sender.rate();
        }
    }
    assert_eq!(changes, [241, 271, 301]);
    let permit = sender.send();
    sender.refused(permit, None);
    assert_eq!(sender.rate.misses, 1, "the misses of before are forgotten");
}

/// What looks like a limit while the refusals of a burst come in is none once all of it is refused.
#[test]
fn a_burst_that_is_refused_as_a_whole_is_an_outage() {
    let mut sender = Sender::new(AdaptiveRate::new());
    let permits: Vec<Permit> = (0..12).map(|_| sender.send()).collect();
    let rates: Vec<f64> = permits.iter().map(|permit| (sender.refused(*permit, None), sender.rate()).1).collect();
    assert_eq!(rates, [9.9, 9.0, 8.1, 7.2, 6.3, 5.4, 4.5, 3.6, 2.7, 1.8, 0.9, 6.0]);
    assert_eq!(sender.rate.limit, None);
}

/// Each probe that goes well goes twice as far as the one before.
#[test]
fn a_higher_quota_is_found_in_minutes() {
    let mut sender = Sender::new(AdaptiveRate::at_most(1e6));
    let permits: Vec<Permit> = (0..26).map(|_| sender.send()).collect();
    sender.refused(permits[25], None);
    let mut rates = vec![sender.rate()];
    while sender.rate() < 1000.0 {
        sender.send();
        if rates.last() != Some(&sender.rate()) {
            rates.push(sender.rate());
        }
    }
    assert_eq!(rates, [22.5, 26.25, 35.0, 58.333, 116.667, 233.333, 466.667, 933.333, 1866.667]);
    assert_eq!((sender.now - sender.begun).as_secs(), 241, "eight probes, 30 s each");
}

/// A quota as the mock has it: so many in any second, refusals not counted.
struct Quota {
    per_second: usize,
    window: VecDeque<Instant>,
}

impl Quota {
    fn accepts(&mut self, now: Instant) -> bool {
        while self.window.front().is_some_and(|sent| now - *sent >= SECOND) {
            self.window.pop_front();
        }
        let accepted = self.window.len() < self.per_second;
        if accepted {
            self.window.push_back(now);
        }
        accepted
    }
}

/// Programs that share a quota for half an hour, each answered 20 ms later; returns the part of it that each has used, and the
/// refusals of each minute.
fn share(per_second: usize, programs: usize) -> (Vec<f64>, Vec<u32>) {
    const MINUTES: u64 = 30;
    let begun = Instant::now() + Duration::from_secs(3600);
    let mut quota = Quota { per_second, window: VecDeque::new() };
    let mut senders: Vec<_> = (0..programs).map(|_| Sender { rate: AdaptiveRate::new(), begun, now: begun }).collect();
    let mut pending: Vec<_> = senders.iter().map(|_| VecDeque::<(Instant, Permit)>::new()).collect();
    let (mut accepted, mut refused) = (vec![0_u32; programs], vec![0; 30]);
    let mut waited = vec![false; programs];
    loop {
        // Whoever is the earliest is next.
        let next = (0..programs).min_by_key(|program| senders[*program].now).unwrap_or_default();
        let sender = &mut senders[next];
        let minute = (sender.now - begun).as_secs() / 60;
        if minute >= MINUTES {
            break;
        }
        while let Some((told, permit)) = pending[next].front().copied().filter(|(told, _)| *told <= sender.now) {
            pending[next].pop_front();
            sender.rate.refused(permit, None, told);
        }
        let permit = match sender.rate.permit(sender.now, waited[next]) {
            Ok(permit) => permit,
            Err(later) => {
                // An answer may come before.
                let told = pending[next].front().map_or(later, |(told, _)| later.min(*told));
                (sender.now, waited[next]) = (told, true);
                continue;
            }
        };
        waited[next] = false;
        if quota.accepts(sender.now) {
            accepted[next] += 1;
        } else {
            pending[next].push_back((sender.now + ms(20), permit));
            refused[usize::try_from(minute).unwrap_or_default()] += 1;
        }
    }
    let most = per_second as f64 * 60.0 * MINUTES as f64;
    (accepted.into_iter().map(|calls| f64::from(calls) / most).collect(), refused)
}

#[test]
fn it_settles_below_a_quota() {
    for (quota, at_first, later) in [(5, 8, 7), (25, 3, 7), (200, 5, 9)] {
        let (used, refused) = share(quota, 1);
        assert!(used[0] > 0.89, "{quota}: {used:?} of it is used");
        assert!(refused[0] <= at_first && refused[1..].iter().sum::<u32>() <= later, "{quota}: {refused:?}");
    }
}

/// Programs that know nothing of one another use the quota together, none of them starves, and the service refuses few.
#[test]
fn several_share_a_quota() {
    for programs in [2, 4, 8] {
        let (used, refused) = share(25, programs);
        let all: f64 = used.iter().sum();
        assert!((0.85..=1.0).contains(&all), "{programs}: {used:?}");
        assert!(used.iter().all(|used| *used > 0.25 / programs as f64), "{programs}: {used:?}");
        let later: u32 = refused[1..].iter().sum();
        assert!(later <= 80, "{programs}: {refused:?} of 40,000 calls");
    }
}

#[test]
fn memory_is_bounded() {
    let mut sender = Sender::new(AdaptiveRate::at_most(1e6));
    sender.send_until(ms(100));
    assert_eq!(sender.rate.sent.len(), MOST_SENT);
    let permit = sender.send();
    sender.now += Duration::from_secs(4) + ms(1);
    sender.refused(permit, None);
    assert_eq!(sender.rate(), 500_000.0, "what was accepted is forgotten");
}
