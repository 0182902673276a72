//! Users of Amazon Cognito against the mock's pool, which verifies passwords, SRP, codes and `SECRET_HASH` itself.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use agentcore_client::{
    Client, ErrorKind, RetryPolicy, Runtime, TokenSource, Transport,
    auth::{
        self, BoxFuture, CachedToken, Clock, Error, ManualClock, TokenIssuer,
        cognito::{Answer, Challenge, ChallengeResponder, Cognito, CognitoConfig, Login, PoolId, TokenUse},
    },
};
use agentcore_mock::{InboundAuth, Mock, MockBuilder, User};
use futures_util::future::join_all;

use crate::support::{endpoint, keys, start};

type Shared = Arc<CachedToken<Cognito>>;

fn http() -> Arc<Transport> {
    Arc::new(Transport::builder().build().unwrap())
}

fn logged_in(mock: &Mock, login: Login) -> Cognito {
    cognito(mock, login).over(http())
}

fn cognito(mock: &Mock, login: Login) -> CognitoConfig {
    let pool = mock.cognito();
    CognitoConfig::new(pool.id().parse::<PoolId>().unwrap(), pool.client_id(), login)
        .client_secret(pool.client_secret())
        .endpoint(endpoint(mock))
}

fn by_password(mock: &Mock) -> Login {
    let user = mock.cognito().user();
    Login::user_password(user.alias(), user.password())
}

fn by_srp(mock: &Mock) -> Login {
    let user = mock.cognito().user();
    Login::user_srp(user.alias(), user.password())
}

fn agent(mock: &Mock, source: CachedToken<Cognito>, name: &str) -> (Runtime, Shared) {
    let source = Arc::new(source);
    let client = Client::builder().token_source(Arc::clone(&source)).endpoints(endpoint(mock)).build().unwrap();
    (client.runtime(mock.arn(name)), source)
}

async fn jwt_only(builder: MockBuilder) -> Mock {
    start(builder.inbound_auth(InboundAuth::Jwt)).await
}

/// The operations that the pool was asked for, in their order.
fn operations(mock: &Mock) -> Vec<String> {
    let requests = mock.requests();
    let target = |request: &agentcore_mock::RecordedRequest| {
        request.header("x-amz-target").and_then(|target| target.split('.').nth(1)).map(str::to_owned)
    };
    requests.iter().filter_map(target).collect()
}

#[tokio::test]
async fn each_flow_logs_in_and_its_token_invokes_an_agent() {
    let mock = jwt_only(Mock::builder()).await;
    let user = mock.cognito().user();
    let admin = Login::admin_user_password(user.alias(), user.password(), keys(&mock));
    for (login, expected) in [
        (by_password(&mock), &["InitiateAuth"][..]),
        (by_srp(&mock), &["InitiateAuth", "RespondToAuthChallenge"]),
        (Login::user_srp(user.id(), user.password()), &["InitiateAuth", "RespondToAuthChallenge"]),
        (admin, &["AdminInitiateAuth"]),
    ] {
        for token_use in [TokenUse::Access, TokenUse::Id] {
            let before = operations(&mock).len();
            let (agent, _) =
                agent(&mock, cognito(&mock, login.clone()).token_use(token_use).over(http()).cached(), "echo");
            agent.invoke("x").await.unwrap();
            assert_eq!(operations(&mock)[before..], *expected, "{login:?}");
        }
    }
}

#[tokio::test]
async fn wrong_secrets_are_refused() {
    let mock = jwt_only(Mock::builder()).await;
    let user = mock.cognito().user();
    let wrong_keys = agentcore_client::Credentials::new("AKIDEXAMPLE", "wr0ng", None, None, "test");
    let password = "Cognito refused: Incorrect username or password. (NotAuthorizedException)";
    for (login, message) in [
        (Login::user_password(user.alias(), "wr0ng"), password),
        (Login::user_srp(user.alias(), "wr0ng"), password),
        (Login::user_srp("nobody", user.password()), password),
        (
            Login::admin_user_password(user.alias(), user.password(), wrong_keys),
            "Cognito refused: The security token included in the request is invalid. (UnrecognizedClientException)",
        ),
    ] {
        let error = logged_in(&mock, login).issue().await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Authentication, message));
    }
    let error = cognito(&mock, by_srp(&mock)).client_secret("wr0ng").over(http()).issue().await.unwrap_err();
    let message = "Cognito refused: SecretHash does not match for the client: agentcore-mock-client \
                   (NotAuthorizedException)";
    assert_eq!(error.to_string(), message);
}

/// Three processes after one another go on with what the one before kept; the last does not know whose it is.
#[tokio::test]
async fn a_renewal_needs_no_password() {
    const FLOW: &str = "InitiateAuth";
    const TOKENS: &str = "GetTokensFromRefreshToken";
    for (rotates, expected) in [
        (false, &[FLOW, FLOW, FLOW, FLOW, FLOW, TOKENS][..]),
        // The first renewal of a process that knows no better finds out that the pool rotates.
        (true, &[FLOW, FLOW, TOKENS, TOKENS, FLOW, TOKENS, TOKENS, TOKENS]),
    ] {
        let mock = jwt_only(Mock::builder().rotate_refresh_tokens(rotates)).await;
        let first = logged_in(&mock, by_password(&mock));
        for _ in 0..3 {
            first.issue().await.unwrap();
        }
        let second = cognito(&mock, Login::refresh_token(first.refresh_token().unwrap()));
        let second = second.known_as(first.username().unwrap()).over(http());
        second.issue().await.unwrap();
        second.issue().await.unwrap();
        let third = logged_in(&mock, Login::refresh_token(second.refresh_token().unwrap()));
        let (agent, _) = agent(&mock, third.cached(), "echo");
        agent.invoke("x").await.unwrap();
        assert_eq!(operations(&mock), expected);
    }
}

#[tokio::test]
async fn a_dead_refresh_token_is_no_end_where_there_is_a_password() {
    let mock = jwt_only(Mock::builder()).await;
    let with_password = logged_in(&mock, by_srp(&mock));
    with_password.issue().await.unwrap();
    let without = logged_in(&mock, Login::refresh_token(with_password.refresh_token().unwrap()));
    mock.cognito().sign_out();
    with_password.issue().await.unwrap();
    let error = without.issue().await.unwrap_err();
    assert_eq!(error.to_string(), "the login has ended: log in again");
}

#[tokio::test]
async fn logging_out_revokes() {
    let mock = jwt_only(Mock::builder()).await;
    let one = logged_in(&mock, by_password(&mock));
    one.issue().await.unwrap();
    let other = logged_in(&mock, Login::refresh_token(one.refresh_token().unwrap()));
    other.issue().await.unwrap();
    one.logout().await.unwrap();
    assert!(one.refresh_token().is_none());
    assert_eq!(other.issue().await.unwrap_err().to_string(), "the login has ended: log in again");
}

/// Chooses a password and knows RFC 6238's code of the 59th second.
#[derive(Debug)]
struct Person;

impl ChallengeResponder for Person {
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(std::future::ready(match challenge {
            Challenge::NewPassword { .. } => Ok(Answer::new("my own choice")),
            Challenge::SoftwareToken { .. } => Ok(Answer::new("287082")),
            Challenge::Email { .. } => Ok(Answer::new("424242")),
            other => Err(other.unanswered()),
        }))
    }
}

#[tokio::test]
async fn challenges_are_answered() {
    let user = User::new("ada@example.com", "temp0rary").new_password_required().totp(*b"12345678901234567890");
    let early = UNIX_EPOCH + Duration::from_secs(59);
    let mock = jwt_only(Mock::builder().user(user).clock(move || early)).await;
    let error = logged_in(&mock, by_srp(&mock)).issue().await.unwrap_err();
    assert_eq!(error.kind(), auth::ErrorKind::Challenge);
    assert_eq!(error.to_string(), "Cognito asks for NEW_PASSWORD_REQUIRED, and nobody is there to answer it");
    let source = cognito(&mock, by_srp(&mock)).responder(Person).over(http());
    source.issue().await.unwrap();
    // The password of the builder is no good any more; the one that was chosen is.
    assert_eq!(logged_in(&mock, by_srp(&mock)).issue().await.unwrap_err().kind(), ErrorKind::Authentication);
    mock.cognito().sign_out();
    source.issue().await.unwrap();
    let (agent, _) = agent(&mock, source.cached(), "echo");
    agent.invoke("x").await.unwrap();
}

/// A code by e-mail at the first login; after that the device stands in for it, until the pool forgets it.
#[tokio::test]
async fn a_pool_that_remembers_devices() {
    const BEGINS: &str = "InitiateAuth";
    const ANSWERS: &str = "RespondToAuthChallenge";
    for rotates in [false, true] {
        let user = User::new("ada@example.com", "pass-w0rd").email_code("424242");
        let builder = Mock::builder().user(user).remember_devices(true).rotate_refresh_tokens(rotates);
        let mock = jwt_only(builder).await;
        let first = cognito(&mock, by_srp(&mock)).responder(Person).over(http());
        first.issue().await.unwrap();
        assert_eq!(operations(&mock), [BEGINS, ANSWERS, ANSWERS, "ConfirmDevice"]);
        for _ in 0..2 {
            first.issue().await.unwrap();
        }
        let (token, device) = (first.refresh_token().unwrap(), first.device().unwrap());
        // From another machine the refresh token is worth nothing.
        let elsewhere = logged_in(&mock, Login::refresh_token(token.clone())).issue().await.unwrap_err();
        assert_eq!(elsewhere.to_string(), "the login has ended: log in again");
        let renewed = cognito(&mock, Login::refresh_token(token)).device(device.clone()).over(http());
        renewed.issue().await.unwrap();
        // Nobody is asked for a code, by either flow.
        for login in [by_srp(&mock), by_password(&mock)] {
            let known = cognito(&mock, login).device(device.clone()).over(http());
            known.issue().await.unwrap();
            known.issue().await.unwrap();
            assert_eq!(known.device().unwrap().key(), device.key());
        }
        let wrong = auth::Device::new(device.key(), device.group_key(), "not its password");
        let devices = [Some(wrong), None, Some(device)];
        for (case, device) in devices.into_iter().enumerate() {
            if case == 2 {
                mock.cognito().forget_devices();
            }
            let config = cognito(&mock, by_srp(&mock));
            let config = device.into_iter().fold(config, CognitoConfig::device);
            let message = "Cognito asks for EMAIL_OTP, and nobody is there to answer it";
            assert_eq!(config.clone().over(http()).issue().await.unwrap_err().to_string(), message);
            let again = config.responder(Person).over(http());
            again.issue().await.unwrap();
            again.issue().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_thousand_callers_with_an_expired_token_make_one_fetch() {
    let mock = jwt_only(Mock::builder()).await;
    let clock = ManualClock::new(SystemTime::now());
    let (_, source) = agent(&mock, logged_in(&mock, by_password(&mock)).cached().clock(clock.clone()), "echo");
    source.token().await.unwrap();
    clock.advance(Duration::from_secs(3600));
    let tokens = join_all((0..1000).map(|_| source.token())).await;
    let first = tokens[0].as_ref().unwrap();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap() == first));
    assert_eq!(operations(&mock), ["InitiateAuth", "InitiateAuth"]);
}

/// Half an hour of calls on tokens that live five seconds: the mock, by the same clock, refuses what has expired.
#[tokio::test]
async fn a_run_outlives_its_tokens() {
    let clock = ManualClock::new(SystemTime::now());
    let mocks = clock.clone();
    let builder = Mock::builder().token_lifetime(Duration::from_secs(5)).rotate_refresh_tokens(true);
    let mock = jwt_only(builder.clock(move || mocks.now())).await;
    let source = cognito(&mock, by_srp(&mock)).clock(clock.clone()).over(http()).cached().clock(clock.clone());
    let source = Arc::new(source);
    let client = Client::builder().token_source(Arc::clone(&source)).endpoints(endpoint(&mock)).clock(clock.clone());
    let agent = client.build().unwrap().runtime(mock.arn("echo"));
    for _ in 0..60 {
        agent.invoke("x").retry(RetryPolicy::off()).await.unwrap();
        clock.advance(Duration::from_secs(2));
    }
    let statistics = source.statistics();
    assert_eq!((statistics.failures, statistics.rejected), (0, 0));
    // A token serves at 0, 2 and 4 seconds, and is renewed at 4, in its last quarter.
    assert_eq!(statistics.fetches, 30);
    let logins = operations(&mock).iter().filter(|name| *name == "RespondToAuthChallenge").count();
    assert_eq!(logins, 1, "the password was proved once");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let mock = jwt_only(Mock::builder()).await;
    for (name, fine) in [("unauthorized-1", true), ("unauthorized-5", false)] {
        let (agent, source) = agent(&mock, logged_in(&mock, by_password(&mock)).cached(), name);
        let found = agent.invoke("x").await;
        assert_eq!(found.is_ok(), fine, "{name}");
        if let Err(error) = found {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Authentication, 2));
        }
        let statistics = source.statistics();
        assert_eq!(statistics.fetches, 2, "{name}");
    }
}

/// Lets other tasks run until this is so.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_outage_hurts_nobody_whose_token_is_good() {
    let mock = jwt_only(Mock::builder()).await;
    let clock = ManualClock::new(SystemTime::now());
    let (agent, source) = agent(&mock, logged_in(&mock, by_password(&mock)).cached().clock(clock.clone()), "echo");
    agent.invoke("x").await.unwrap();
    // Inside the last two minutes of the token's hour.
    clock.advance(Duration::from_secs(3600 - 60));
    // As long as the client asks again within one renewal.
    mock.cognito().fail(3);
    agent.invoke("x").await.unwrap();
    // Nobody waits for a renewal.
    until(|| source.statistics().failures == 1).await;
    let statistics = source.statistics();
    assert_eq!((statistics.fetches, statistics.failures, statistics.served_stale), (2, 1, 1));
    clock.advance(Duration::from_secs(30));
    agent.invoke("x").await.unwrap();
    until(|| source.statistics().expires_in > Some(Duration::from_secs(3000))).await;
    let statistics = source.statistics();
    assert_eq!((statistics.fetches, statistics.failures, statistics.served_stale), (3, 1, 1));
    // Once the token is dead, an outage is an error, and the login is not lost with it.
    clock.advance(Duration::from_secs(3600));
    mock.cognito().fail(3);
    let error = source.token().await.unwrap_err();
    assert_eq!(error.to_string(), "Cognito is not available: Try again. (ServiceUnavailableException)");
    clock.advance(Duration::from_secs(1));
    source.token().await.unwrap();
    assert_eq!(operations(&mock), ["InitiateAuth"; 9]);
}
