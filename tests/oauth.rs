//! Tokens for machines: OAuth client credentials against the mock's token endpoint, fetched once and renewed in time.

use std::{sync::Arc, time::Duration};

use agentcore_client::{
    Client, ErrorKind, Runtime, TokenSource, Transport,
    auth::{
        CachedToken, Clock, ManualClock,
        oauth::{ClientAuthentication, ClientCredentials, ClientCredentialsConfig},
    },
};
use agentcore_mock::{InboundAuth, Mock, MockBuilder};
use futures_util::future::join_all;

use crate::support::{endpoint, start};

type Shared = Arc<CachedToken<ClientCredentials>>;

fn http() -> Arc<Transport> {
    Arc::new(Transport::builder().build().unwrap())
}

fn machine(mock: &Mock) -> ClientCredentialsConfig {
    let url = format!("{}/oauth2/token", mock.url()).parse().unwrap();
    ClientCredentialsConfig::new(url, mock.client_id(), mock.client_secret())
}

fn agent(mock: &Mock, source: CachedToken<ClientCredentials>, name: &str) -> (Runtime, Shared) {
    let source = Arc::new(source);
    let client = Client::builder().token_source(Arc::clone(&source)).endpoints(endpoint(mock)).build().unwrap();
    (client.runtime(mock.arn(name)), source)
}

async fn jwt_only(builder: MockBuilder) -> Mock {
    start(builder.inbound_auth(InboundAuth::Jwt)).await
}

fn token_requests(mock: &Mock) -> usize {
    mock.requests().iter().filter(|request| request.path == "/oauth2/token").count()
}

#[tokio::test]
async fn one_token_serves_many_calls() {
    let mock = jwt_only(Mock::builder()).await;
    let issuer = mock.url().parse().unwrap();
    for machine in [
        machine(&mock).scope("agents/invoke"),
        machine(&mock).authentication(ClientAuthentication::Post),
        ClientCredentialsConfig::discovered(issuer, mock.client_id(), mock.client_secret()),
    ] {
        let before = token_requests(&mock);
        let (agent, source) = agent(&mock, machine.over(http()).cached(), "echo");
        let calls = (0..20).map(|n| agent.invoke(n.to_string()).into_future());
        assert!(join_all(calls).await.into_iter().all(|reply| reply.is_ok()));
        assert_eq!((token_requests(&mock) - before, source.statistics().fetches), (1, 1));
    }
}

#[tokio::test]
async fn a_thousand_callers_with_an_expired_token_make_one_fetch() {
    let mock = jwt_only(Mock::builder()).await;
    let clock = ManualClock::new(std::time::SystemTime::now());
    let (_, source) = agent(&mock, machine(&mock).over(http()).cached().clock(clock.clone()), "echo");
    source.token().await.unwrap();
    clock.advance(Duration::from_secs(3600));
    let tokens = join_all((0..1000).map(|_| source.token())).await;
    let first = tokens[0].as_ref().unwrap();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap() == first));
    assert_eq!(token_requests(&mock), 2);
}

/// Ten hours of calls on tokens that live one: the mock, by the same clock, refuses what has expired.
#[tokio::test]
async fn a_run_outlives_its_tokens() {
    let clock = ManualClock::new(std::time::SystemTime::now());
    let mocks = clock.clone();
    let mock = jwt_only(Mock::builder().clock(move || mocks.now())).await;
    let source = Arc::new(machine(&mock).over(http()).cached().clock(clock.clone()));
    let client = Client::builder().token_source(Arc::clone(&source)).endpoints(endpoint(&mock)).clock(clock.clone());
    let agent = client.build().unwrap().runtime(mock.arn("echo"));
    for _ in 0..60 {
        agent.invoke("x").retry(agentcore_client::RetryPolicy::off()).await.unwrap();
        clock.advance(Duration::from_secs(600));
    }
    let statistics = source.statistics();
    assert_eq!((statistics.fetches, statistics.failures, statistics.rejected), (10, 0, 0));
}

#[tokio::test]
async fn a_runtime_that_refuses_every_token_is_asked_twice() {
    let mock = jwt_only(Mock::builder()).await;
    let (agent, source) = agent(&mock, machine(&mock).over(http()).cached(), "error-401");
    for call in 0..5 {
        let error = agent.invoke("x").await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Authentication, false));
        assert_eq!(error.to_string().starts_with("the runtime refuses what the issuer gives"), call > 0, "{error}");
    }
    assert_eq!((token_requests(&mock), source.statistics().rejected), (2, 2));
    assert_eq!(mock.requests().iter().filter(|request| request.agent.is_some()).count(), 2);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let mock = jwt_only(Mock::builder()).await;
    for (name, fine, fetches) in [("unauthorized-1", true, 2), ("unauthorized-5", false, 2)] {
        let (agent, source) = agent(&mock, machine(&mock).over(http()).cached(), name);
        let found = agent.invoke("x").await;
        assert_eq!(found.is_ok(), fine, "{name}");
        if let Err(error) = found {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Authentication, 2));
        }
        assert_eq!(source.statistics().fetches, fetches, "{name}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_not_shown() {
    let mock = jwt_only(Mock::builder()).await;
    let url = format!("{}/oauth2/token", mock.url()).parse().unwrap();
    let wrong = ClientCredentialsConfig::new(url, mock.client_id(), "wr0ng+secret");
    let (agent, _) = agent(&mock, wrong.over(http()).cached(), "echo");
    let error = agent.invoke("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.to_string(), "the token endpoint refused the client: invalid_client");
    assert!(!format!("{error:?}").contains("wr0ng"));
}

#[tokio::test]
async fn a_hiccup_of_the_issuer_is_nobodys_failure() {
    let mock = jwt_only(Mock::builder().token_outages(1)).await;
    let (_, source) = agent(&mock, machine(&mock).over(http()).cached(), "echo");
    assert!(source.token().await.is_ok());
    assert_eq!((token_requests(&mock), source.statistics().failures), (2, 0));
}

#[tokio::test]
async fn an_outage_of_the_issuer_passes() {
    // As long as the client asks again within one fetch.
    let mock = jwt_only(Mock::builder().token_outages(3)).await;
    let clock = ManualClock::new(std::time::SystemTime::now());
    let (_, source) = agent(&mock, machine(&mock).over(http()).cached().clock(clock.clone()), "echo");
    let error = source.token().await.unwrap_err();
    assert_eq!(error.to_string(), "the token endpoint does not serve now: temporarily_unavailable");
    assert!(source.token().await.is_err(), "the issuer is left alone for a moment");
    assert_eq!(token_requests(&mock), 3);
    clock.advance(Duration::from_secs(1));
    assert!(source.token().await.is_ok());
}
