//! Nothing secret in `Debug`, errors, panics and logs: every flow is driven with marked secrets, and all that comes out is searched.

/// Secrets that are misread: what refuses them does not repeat them.
mod parsing;

/// Sockets, shells and the URLs and protocols that open them.
mod socket;

/// Where tokens are kept.
mod store;

/// What a server of Redis keeps.
#[cfg(target_os = "linux")]
mod redis;

/// What is left of a secret in the memory of the process.
#[cfg(target_os = "linux")]
mod memory;

use std::{
    error::Error as StdError,
    fmt::{Debug, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use agentcore_captured_log::CapturedLog;
use agentcore_client::{
    CacheSettings, Client, Error, ErrorKind, RetryPolicy, SessionId, TokenIssuer, TokenSource as _, Transport,
    auth::{
        cognito::{CognitoConfig, Login, PoolId},
        jwks::Verifier,
        oauth::{ClientAuthentication, ClientCredentialsConfig},
        token::from_fn,
    },
};
use agentcore_mock::{AgentResponse, Mock, User};
use http::StatusCode;
use rmcp::{
    ServiceExt as _,
    model::{CallToolRequestParams, ClientConfig},
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::{
    mcp::server,
    support::{bearer, endpoint, keys, start},
};

/// Everything that a program could print of what it has.
#[derive(Default)]
struct Shown(String);

impl Shown {
    /// Prints a value, in both ways of `Debug`.
    fn debug(&mut self, value: &dyn Debug) {
        write!(self.0, "{value:?} {value:#?} ").unwrap();
    }

    /// Prints an error with its causes, and what a panic says of it.
    fn error(&mut self, error: Error) {
        let mut cause: Option<&dyn StdError> = Some(&error);
        while let Some(error) = cause {
            write!(self.0, "{error} {error:?} ").unwrap();
            cause = error.source();
        }
        let outcome = std::hint::black_box(Err::<(), _>(error));
        let panic = catch_unwind(AssertUnwindSafe(|| outcome.unwrap())).unwrap_err();
        write!(self.0, "{} ", panic.downcast_ref::<String>().unwrap()).unwrap();
    }

    fn outcome<T: Debug>(&mut self, outcome: Result<T, Error>) {
        match outcome {
            Ok(value) => self.debug(&value),
            Err(error) => self.error(error),
        }
    }

    /// Neither the log nor what was shown has any of the secrets in it.
    fn assert_silent(&self, log: &CapturedLog, secrets: &[String]) {
        let log = log.text();
        assert!(log.contains("TRACE"), "the log was captured: {log}");
        assert!(self.0.len() > 100, "something was shown");
        for secret in secrets {
            assert!(secret.len() > 8, "a secret that is short may stand anywhere");
            for (where_from, text) in [("the log", &log), ("Debug or an error", &self.0)] {
                let around = text.find(secret.as_str()).map(|at| text[at.saturating_sub(300)..].chars().take(600));
                assert_eq!(around.map(String::from_iter), None, "a secret in {where_from}");
            }
        }
    }
}

/// What the mock was sent that is secret: signatures, those of URLs too.
fn signatures(mock: &Mock) -> Vec<String> {
    let requests = mock.requests().into_iter();
    let signatures = requests.flat_map(|request| {
        let authorization = request.header("authorization").unwrap_or_default().to_owned();
        let in_header = authorization.split_once("Signature=").map(|(_, signature)| signature.to_owned());
        let query = request.query.unwrap_or_default();
        let in_url = query.split('&').find_map(|member| member.strip_prefix("X-Amz-Signature=")).map(str::to_owned);
        in_header.into_iter().chain(in_url)
    });
    signatures.collect()
}

/// Over HTTP/1.1 and HTTP/2, by token and by signature.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_is_logged_printed_or_told() {
    const AGENTS: [&str; 12] = [
        "echo",
        "story",
        "unauthorized-1",
        "error-403",
        "error-500",
        "reset",
        "reset-midstream",
        "fail-midstream",
        "html",
        "gzip",
        "redirect",
        "empty",
    ];
    for tls in [false, true] {
        let (log, guard) = CapturedLog::begin();
        let mock = start(Mock::builder().tls(tls)).await;
        let transport = Transport::builder().root_certificates(mock.root_certificate_pem().unwrap_or_default());
        let transport = if tls { transport } else { Transport::builder() }.build().unwrap();
        let token = mock.token();
        let keys = keys(&mock);
        let mut shown = Shown::default();
        let client = || Client::builder().endpoints(endpoint(&mock)).transport(transport.clone());
        let by_token = client().bearer_token(&token).build().unwrap();
        let by_keys = client().credentials(keys.clone()).build().unwrap();
        let prompt = "a-prompt-nobody-else-should-read".to_owned();
        for client in [by_token, by_keys] {
            shown.debug(&client);
            for agent in AGENTS {
                let runtime = client.runtime(mock.arn(agent));
                let call = runtime.invoke(prompt.as_str()).retry(RetryPolicy::off());
                shown.debug(&call);
                match call.clone().send().await {
                    Ok(response) => {
                        shown.debug(&response);
                        if let Err(error) = response.text().await {
                            shown.error(error);
                        }
                    }
                    Err(error) => shown.error(error),
                }
                if let Err(error) = call.clone().await {
                    shown.error(error);
                }
                match call.stream().await {
                    Ok(mut events) => {
                        shown.debug(&events);
                        while let Some(event) = events.try_next().await.transpose() {
                            if let Err(error) = event {
                                shown.error(error);
                            }
                        }
                    }
                    Err(error) => shown.error(error),
                }
                let session = runtime.new_session();
                let command = format!("echo {prompt}");
                shown.debug(&session.run(command.as_str()));
                let commanded = session.run(command.as_str()).retry(RetryPolicy::off()).stream().await;
                shown.outcome(commanded);
                shown.outcome(session.card().await);
                shown.outcome(session.stop().await);
                for outcome in runtime.invoke_all([prompt.as_str(); 2]).collect().await {
                    shown.outcome(outcome.map(drop));
                }
                let a2a = session.a2a();
                shown.debug(&a2a);
                let message =
                    json!({"jsonrpc": "2.0", "id": "1", "method": "message/send", "params": {"text": prompt}});
                shown.outcome(a2a.send(&message).await);
            }
            let harness = client.runtime(mock.harness_arn("echo")).invoke(prompt.as_str());
            shown.debug(&harness);
            harness.await.unwrap();
            shown.debug(&client.metrics());
        }
        drop(guard);
        let mut secrets = signatures(&mock);
        assert!(secrets.len() > 5, "signatures were made");
        secrets.extend([token, keys.secret_access_key().to_owned(), keys.session_token().unwrap().to_owned()]);
        // What is said stays between the two.
        secrets.push(prompt);
        shown.assert_silent(&log, &secrets);
    }
}

/// Nor by rmcp, which writes the ids of sessions to its log: it is given none.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_an_mcp_client_is_logged_printed_or_told() {
    let (log, guard) = CapturedLog::begin();
    let mock = server(|_| AgentResponse::error(StatusCode::FORBIDDEN, "AccessDeniedException", "no")).await;
    let (token, mcp) = (mock.token(), bearer(&mock).runtime(mock.arn("server")).mcp());
    let server = ClientConfig::default().serve(mcp.clone().into_transport()).await.unwrap();
    let error = server.call_tool(CallToolRequestParams::new("no-such-tool")).await.unwrap_err();
    server.list_all_tools().await.unwrap_err();
    server.cancel().await.unwrap();
    let mut shown = Shown::default();
    shown.debug(&mcp);
    shown.debug(&error);
    shown.0.push_str(&error.to_string());
    drop(guard);
    shown.assert_silent(&log, &[token, mcp.mcp_session_id().unwrap()]);
}

/// Passwords, client secrets, refresh tokens and the tokens themselves, of every way to come by one.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_a_login_is_logged_printed_or_told() {
    let (log, guard) = CapturedLog::begin();
    let mock = start(Mock::builder().user(User::new("ada@example.com", "Pa55-w0rd!-of-ada"))).await;
    let http = Arc::new(Transport::builder().build().unwrap());
    let pool = mock.cognito();
    let client_secret = mock.client_secret().to_owned();
    let machine = |secret: &str| {
        let url = format!("{}/oauth2/token", mock.url()).parse().unwrap();
        ClientCredentialsConfig::new(url, mock.client_id(), secret)
    };
    let user = |login: Login| {
        let id: PoolId = pool.id().parse().unwrap();
        let user = CognitoConfig::new(id, pool.client_id(), login);
        user.client_secret(client_secret.as_str()).endpoint(endpoint(&mock)).over(http.clone())
    };
    let mut shown = Shown::default();
    let mut secrets = vec![client_secret.clone(), "Pa55-w0rd!-of-ada".into(), "a-wr0ng-secret".into()];
    let ada = "ada@example.com";
    let first = user(Login::user_srp(ada, "Pa55-w0rd!-of-ada"));
    for issuer in [
        Box::new(machine(&client_secret).over(http.clone())) as Box<dyn TokenIssuer>,
        Box::new(machine(&client_secret).authentication(ClientAuthentication::Post).over(http.clone())),
        Box::new(machine("a-wr0ng-secret").over(http.clone())),
        Box::new(machine("a-wr0ng-secret").authentication(ClientAuthentication::Post).over(http.clone())),
        Box::new(user(Login::user_password(ada, "Pa55-w0rd!-of-ada"))),
        Box::new(user(Login::user_password(ada, "a-wr0ng-secret"))),
        Box::new(user(Login::user_srp(ada, "a-wr0ng-secret"))),
        Box::new(user(Login::admin_user_password(ada, "Pa55-w0rd!-of-ada", keys(&mock)))),
        Box::new(user(Login::refresh_token("a-wr0ng-secret"))),
        Box::new(first.clone()),
        // The second time by the refresh token of the first.
        Box::new(first.clone()),
    ] {
        shown.debug(&issuer);
        match issuer.issue().await {
            Ok(issued) => {
                shown.debug(&issued);
                secrets.push(issued.token.expose().to_owned());
            }
            Err(error) => shown.error(error),
        }
    }
    secrets.push(first.refresh_token().unwrap().expose_secret().to_owned());
    let source = Arc::new(first.clone().cached());
    let client = Client::builder().token_source(Arc::clone(&source)).endpoints(endpoint(&mock)).build().unwrap();
    shown.debug(&client.runtime(mock.arn("unauthorized-1")).invoke("x").await.unwrap());
    shown.debug(&(client, source.token_statistics(), source));
    first.logout().await.unwrap();
    // What verifies a token does not repeat one that it refuses.
    let verifier = Verifier::new(mock.url().parse().unwrap(), http).allow_client("another");
    let genuine = mock.token();
    shown.debug(&verifier);
    for token in [genuine.clone(), format!("{genuine}x"), mock.token_with(|claims| drop(claims.remove("iss")))] {
        shown.error(verifier.verify(&token).await.unwrap_err());
        secrets.push(token);
    }
    drop(guard);
    shown.assert_silent(&log, &secrets);
}

/// A device that proves itself, and challenges.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_a_device_is_logged_printed_or_told() {
    let (log, guard) = CapturedLog::begin();
    let user = User::new("ada@example.com", "Pa55-w0rd!-of-ada");
    let mock = start(Mock::builder().user(user).remember_devices(true)).await;
    let pool = mock.cognito();
    let login = Login::user_srp("ada@example.com", "Pa55-w0rd!-of-ada");
    let id: PoolId = pool.id().parse().unwrap();
    let config = CognitoConfig::new(id, pool.client_id(), login).client_secret(mock.client_secret());
    let cognito = config.endpoint(endpoint(&mock)).over(Arc::new(Transport::builder().build().unwrap()));
    let mut shown = Shown::default();
    let mut secrets = vec!["Pa55-w0rd!-of-ada".to_owned(), mock.client_secret().to_owned()];
    for _ in 0..2 {
        let issued = cognito.issue().await.unwrap();
        shown.debug(&(&cognito, &issued));
        secrets.push(issued.token.expose().to_owned());
    }
    if let Some(device) = cognito.device() {
        shown.debug(&device);
        secrets.push(device.expose_password().to_owned());
    }
    drop(guard);
    shown.assert_silent(&log, &secrets);
}

/// A failure of the caller's own source of tokens that says too much goes no further than to who asked.
#[tokio::test(flavor = "current_thread")]
async fn what_a_source_of_tokens_dies_of_is_not_told() {
    const SECRET: &str = "a-secret-in-a-panic";
    let (log, guard) = CapturedLog::begin();
    let mock = start(Mock::builder()).await;
    let source = from_fn(|| async { std::panic::panic_any::<String>(SECRET.to_owned()) });
    let source = agentcore_client::CachedToken::new(source);
    let mut shown = Shown::default();
    for _ in 0..2 {
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        shown.error(error);
    }
    // One that is given again to whoever asks, in a cache of answers.
    let token = mock.token();
    let client = Client::builder().bearer_token(&token).endpoints(endpoint(&mock));
    let client = client.cache(CacheSettings::default()).build().unwrap();
    let session = SessionId::random();
    for _ in 0..2 {
        shown.debug(&client.runtime(mock.arn("echo")).session(session.clone()).invoke("x").await.unwrap());
    }
    drop(guard);
    shown.assert_silent(&log, &[SECRET.to_owned(), token]);
}
