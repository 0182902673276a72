//! The cache of the chain, over a provider that gives what a test wants and counts the requests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::Write as _,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_credential_types::provider;
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    BoxError, BoxFuture, ManualClock,
    testing::{Directory, NOW, at, clock, secs},
};

/// Takes a second for each answer.
#[derive(Debug)]
struct Provider {
    answer: fn(usize) -> provider::Result,
    asked: AtomicUsize,
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            sleep(secs(1)).await;
            (self.answer)(number)
        })
    }
}

impl Provider {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn chain(by_name: bool, answer: fn(usize) -> provider::Result) -> (Arc<DefaultChain>, Arc<Provider>, ManualClock) {
    let (provider, clock) = (Arc::new(Provider { answer, asked: AtomicUsize::new(0) }), clock());
    let shared = SharedCredentialsProvider::from(Arc::clone(&provider) as Arc<dyn ProvideCredentials>);
    (Arc::new(DefaultChain::over(shared, by_name.then(|| "p".to_owned()), Arc::new(clock.clone()))), provider, clock)
}

/// Credentials that expire this long after the test began.
fn keys(number: usize, expiry: Option<Duration>) -> Credentials {
    Credentials::new(format!("AKID{number}"), "hush", None, expiry.map(|expiry| at(NOW) + expiry), "test")
}

/// The id of the key, or the failure with its causes.
async fn ask(chain: &DefaultChain) -> Result<String, String> {
    match chain.provide_credentials().await {
        Ok(credentials) => Ok(credentials.access_key_id().to_owned()),
        Err(error) => {
            let layers = std::iter::successors(Some(&error as &dyn StdError), |error| (*error).source());
            Err(layers.map(ToString::to_string).collect::<Vec<_>>().join(": "))
        }
    }
}

fn id(number: usize) -> Result<String, String> {
    Ok(format!("AKID{number}"))
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_a_failure_that_is_remembered() {
    let (chain, provider, clock) = chain(false, |number| match number {
        3 => Ok(keys(3, None)),
        number => Err(CredentialsError::provider_error(format!("failure {number}"))),
    });
    let all = || {
        let callers = (0..1000).map(|_| Arc::clone(&chain));
        callers.map(|chain| tokio::spawn(async move { ask(&chain).await })).collect::<Vec<_>>()
    };
    let failed = |number| Err(format!("an error occurred while loading credentials: failure {number}"));
    for caller in all() {
        assert_eq!(caller.await.unwrap(), failed(1));
    }
    // The first pause is of one second at least and of two at most, the second of two and four.
    for (millis, expected, asked) in
        [(999, failed(1), 1), (1001, failed(2), 2), (1999, failed(2), 2), (2001, id(3), 3), (899_999, id(3), 3)]
    {
        clock.advance(Duration::from_millis(millis));
        for caller in all() {
            assert_eq!(caller.await.unwrap(), expected, "{millis}");
        }
        assert_eq!(provider.asked(), asked, "{millis}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_messages_of_failures() {
    use CredentialsError as E;

    let nowhere = format!("not enabled: {SEARCHED}");
    let (disabled, failed) = ("the credential provider was ", "an error occurred while loading credentials: ");
    for (by_name, answer, what, why) in [
        (false, (|_| Err(E::not_loaded("no such profile"))) as fn(usize) -> _, disabled, nowhere.as_str()),
        (false, |_| Err(E::not_loaded_no_source()), disabled, &nowhere),
        (true, |_| Err(E::not_loaded("no such profile")), disabled, "not enabled: no such profile"),
        (
            true,
            |_| Err(E::not_loaded_no_source()),
            disabled,
            "not enabled: the shared profile files have no credentials of the profile \"p\"",
        ),
        (true, |_| Err(E::provider_timed_out(secs(5))), "credentials provider timed out after 5 seconds", ""),
        (
            false,
            |_| Err(E::invalid_configuration("a loop of profiles")),
            "the credentials provider was not properly configured: ",
            "a loop of profiles",
        ),
        (false, |_| Err(E::unhandled("not UTF-8")), "unexpected credentials error: ", "not UTF-8"),
        (
            false,
            |_| {
                let cause = Error::new(ErrorKind::Unavailable, "no answer").with_source("connection reset");
                Err(E::provider_error(cause))
            },
            failed,
            "no answer: connection reset",
        ),
        (false, |_| panic!("on purpose"), failed, "the fetch of AWS credentials panicked"),
    ] {
        let (chain, provider, _) = chain(by_name, answer);
        for _ in 0..2 {
            assert_eq!(ask(&chain).await, Err(format!("{what}{why}")));
        }
        assert_eq!(provider.asked(), 1, "{what}{why}");
    }
}

/// Dated credentials are renewed in the background, five minutes before they expire.
#[tokio::test(start_paused = true)]
async fn dated_credentials() {
    let (chain, provider, clock) = chain(false, |number| match number {
        1 => Ok(keys(1, Some(secs(3600)))),
        2 => Err(CredentialsError::provider_error("down")),
        number => Ok(keys(number, Some(secs(7200)))),
    });
    // What is found, how often the provider was asked by then, and in the end.
    for (seconds, found, at_once, asked) in [
        (0, 1, false, 1),
        (3299, 1, true, 1),
        (1, 1, true, 2),
        (0, 1, true, 2),
        (2, 1, true, 3),
        (0, 3, true, 3),
        (3597, 3, true, 3),
        (1, 3, true, 4),
    ] {
        clock.advance(secs(seconds));
        let begin = tokio::time::Instant::now();
        assert_eq!(ask(&chain).await, id(found));
        assert_eq!(begin.elapsed().is_zero(), at_once);
        sleep(secs(2)).await;
        assert_eq!(provider.asked(), asked);
    }
}

/// Undated credentials are good for 15 minutes.
#[tokio::test(start_paused = true)]
async fn undated_credentials() {
    let (chain, provider, clock) = chain(false, |number| Ok(keys(number, None)));
    for (seconds, found) in [(0, 1), (899, 1), (1, 2), (899, 2), (1, 3)] {
        clock.advance(secs(seconds));
        assert_eq!(ask(&chain).await, id(found));
        assert_eq!(provider.asked(), found);
    }
}

/// It may be our clock that is wrong, and the service that knows better.
#[tokio::test(start_paused = true)]
async fn credentials_that_seem_to_have_expired_are_given_out_and_soon_asked_for_again() {
    let (chain, provider, clock) = chain(false, |number| Ok(keys(number, Some(Duration::ZERO))));
    for found in 1..=3 {
        for _ in 0..100 {
            assert_eq!(ask(&chain).await, id(found));
        }
        assert_eq!(provider.asked(), found);
        clock.advance(secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_drops_its_own_wait() {
    let (chain, provider, _) = chain(false, |number| Ok(keys(number, None)));
    assert!(timeout(Duration::from_millis(10), ask(&chain)).await.is_err());
    assert_eq!(ask(&chain).await, id(1));
    assert_eq!(provider.asked(), 1);
    assert!(!format!("{chain:?}").contains("hush"));
}

/// A port that says where it was asked, and refuses.
#[derive(Debug, Default)]
struct Hosts(Mutex<Vec<String>>);

impl Exchange for Hosts {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        self.0.lock().unwrap().push(request.uri().host().unwrap_or_default().to_owned());
        Box::pin(async { Ok(Response::builder().status(403).body(Bytes::new())?) })
    }
}

const CHILD: &str = "AGENTCORE_AUTH_TEST_PROFILE";
const CONFIG: &str = "[profile base]\naws_access_key_id = AKID\naws_secret_access_key = hush\n\
                      [profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\nregion = eu-west-3\n";

/// The process of the next test, which has the profile file; alone it does nothing.
#[tokio::test]
async fn a_process_assumes_a_role() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    for region in [None, Some("us-west-2")] {
        let (port, region) = (Arc::new(Hosts::default()), region.map(|region| region.parse().unwrap()));
        let chain = DefaultChain::new(port.clone(), Arc::new(clock()), region.as_ref(), Some("role")).await;
        chain.provide_credentials().await.unwrap_err();
        writeln!(std::io::stdout(), "\nasked {:?}", port.0.lock().unwrap()).unwrap();
    }
}

#[test]
fn a_role_is_assumed_in_the_region_of_its_profile_unless_one_is_given() {
    let directory = Directory::new();
    std::fs::write(directory.join("config"), CONFIG).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "default_chain::tests::a_process_assumes_a_role"])
        .env_clear()
        .envs([(CHILD, "1"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
        .env("AWS_CONFIG_FILE", directory.join("config"))
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let asked: Vec<_> = said.lines().filter(|line| line.starts_with("asked ")).collect();
    assert_eq!(
        asked,
        [r#"asked ["sts.eu-west-3.amazonaws.com"]"#, r#"asked ["sts.us-west-2.amazonaws.com"]"#],
        "{said}"
    );
}
