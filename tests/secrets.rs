//! Nothing secret in `Debug`, errors and logs.

use std::{
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
};

use agentcore_client::{
    Client, RetryPolicy, TokenIssuer, Transport,
    auth::{
        cognito::{CognitoConfig, Login, PoolId},
        oauth::{ClientAuthentication, ClientCredentialsConfig},
    },
};
use agentcore_mock::{AgentResponse, Mock, User};
use http::StatusCode;
use rmcp::{
    ServiceExt as _,
    model::{CallToolRequestParams, ClientConfig},
};
use secrecy::ExposeSecret as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    mcp::server,
    support::{bearer, endpoint, keys, start},
};

/// Everything that is logged, by anybody, in one string.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All layers at their most talkative, dependencies included, on the thread of this test, until the guard is dropped.
fn listen() -> (Captured, tracing::subscriber::DefaultGuard) {
    let captured = Captured::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(captured.clone()).finish();
    (captured, tracing::subscriber::set_default(subscriber))
}

impl Captured {
    /// Neither the log nor what was shown has any of the secrets in it.
    fn assert_silent(&self, shown: &str, secrets: &[String]) {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("answered"), "the log was captured");
        for secret in secrets {
            assert!(secret.len() > 8, "a secret that is short may stand anywhere");
            assert!(!log.contains(secret.as_str()), "a secret in the log");
            assert!(!shown.contains(secret.as_str()), "a secret in Debug or an error");
        }
    }
}

/// Over HTTP/1.1 and HTTP/2, by token and by signature.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_is_logged_printed_or_told() {
    for tls in [false, true] {
        let (captured, guard) = listen();
        let mock = start(Mock::builder().tls(tls)).await;
        let transport = Transport::builder().root_certificates(mock.root_certificate_pem().unwrap_or_default());
        let transport = if tls { transport } else { Transport::builder() }.build().unwrap();
        let token = mock.token();
        let keys = keys(&mock);
        let mut shown = String::new();
        let client = || Client::builder().endpoints(endpoint(&mock)).transport(transport.clone());
        let by_token = client().bearer_token(&token).build().unwrap();
        let by_keys = client().credentials(keys.clone()).build().unwrap();
        let prompt = "a-prompt-nobody-else-should-read".to_owned();
        for client in [by_token, by_keys] {
            for agent in ["echo", "story", "unauthorized-1", "error-403", "reset", "reset-midstream", "html"] {
                let call = client.runtime(mock.arn(agent)).invoke(prompt.as_str()).retry(RetryPolicy::off());
                write!(shown, "{client:?} {call:?}").unwrap();
                match call.clone().send().await {
                    Ok(response) => {
                        write!(shown, "{response:?}").unwrap();
                        let _ = response.text().await.inspect_err(|error| write!(shown, "{error} {error:?}").unwrap());
                    }
                    Err(error) => write!(shown, "{error} {error:?}").unwrap(),
                }
                if let Err(error) = call.await {
                    write!(shown, "{error} {error:?}").unwrap();
                }
            }
        }
        drop(guard);
        let signature = mock.requests().into_iter().filter_map(|request| {
            let authorization = request.headers.get("authorization")?.to_str().ok()?.to_owned();
            authorization.split("Signature=").nth(1).map(str::to_owned)
        });
        let mut secrets: Vec<String> = signature.collect();
        assert!(secrets.len() > 5, "signatures were made");
        secrets.extend([token, keys.secret_access_key().to_owned(), keys.session_token().unwrap().to_owned()]);
        // What is said stays between the two.
        secrets.push(prompt);
        captured.assert_silent(&shown, &secrets);
    }
}

/// Nor by rmcp, which writes the ids of sessions to its log: it is given none.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_an_mcp_client_is_logged_printed_or_told() {
    let (captured, guard) = listen();
    let mock = server(|_| AgentResponse::error(StatusCode::FORBIDDEN, "AccessDeniedException", "no")).await;
    let (token, mcp) = (mock.token(), bearer(&mock).runtime(mock.arn("server")).mcp());
    let server = ClientConfig::default().serve(mcp.clone().into_transport()).await.unwrap();
    let error = server.call_tool(CallToolRequestParams::new("no-such-tool")).await.unwrap_err();
    for _ in 0..10 {
        // A log that is listened to by several threads may begin late.
        let _ = server.call_tool(CallToolRequestParams::new("no-such-tool")).await;
    }
    server.list_all_tools().await.unwrap_err();
    server.cancel().await.unwrap();
    for _ in 0..10 {
        bearer(&mock).runtime(mock.arn("echo")).invoke("x").await.unwrap();
    }
    let shown = format!("{mcp:?} {error} {error:?}");
    drop(guard);
    captured.assert_silent(&shown, &[token, mcp.mcp_session_id().unwrap()]);
}

/// Passwords, client secrets, refresh tokens and the tokens themselves, of every way to come by one.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_a_login_is_logged_printed_or_told() {
    let (captured, guard) = listen();
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
    let mut shown = String::new();
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
        write!(shown, "{issuer:?}").unwrap();
        match issuer.issue().await {
            Ok(issued) => {
                write!(shown, "{issued:?}").unwrap();
                secrets.push(issued.token.expose().to_owned());
            }
            Err(error) => write!(shown, "{error} {error:?}").unwrap(),
        }
    }
    secrets.push(first.refresh_token().unwrap().expose_secret().to_owned());
    let source = Arc::new(first.clone().cached());
    let client = Client::builder().token_source(Arc::clone(&source)).endpoints(endpoint(&mock)).build().unwrap();
    write!(shown, "{:?} {source:?}", client.runtime(mock.arn("unauthorized-1")).invoke("x").await.unwrap()).unwrap();
    first.logout().await.unwrap();
    drop(guard);
    captured.assert_silent(&shown, &secrets);
}
