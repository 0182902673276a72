//! Requests and replies against a scripted port; the expected bytes are written by hand from the RFCs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    TokenSource,
    testing::{PortAnswer, ScriptedExchange, failure, secs},
};

type Answer = Result<(u16, &'static str), &'static str>;

fn port(answers: &[Answer]) -> Arc<ScriptedExchange> {
    let owned = |answer: &Answer| -> PortAnswer { answer.map(|(status, body)| (status, body.to_owned())) };
    ScriptedExchange::new(answers.iter().map(owned))
}

fn client() -> ClientCredentialsConfig {
    let endpoint = "https://idp.example/oauth2/token".parse().unwrap();
    ClientCredentialsConfig::new(endpoint, "my client", "s3cr3t+/= &%:ü")
}

const ISSUER_ALONE: &str = r#"{"issuer":"https://idp.example/pool"}"#;

const GOOD: &str = r#"{"access_token":"tok-1","token_type":"Bearer","expires_in":3600}"#;

#[tokio::test]
async fn the_request_with_basic_authentication() {
    let http = port(&[Ok((200, GOOD))]);
    client().scope("a/b c").resource("urn:x").audience("y").over(http.clone()).issue().await.unwrap();
    let asked = http.take();
    assert_eq!(asked[0].method(), "POST");
    assert_eq!(asked[0].uri(), "https://idp.example/oauth2/token");
    assert_eq!(asked[0].headers()["content-type"], "application/x-www-form-urlencoded");
    // base64("my+client:s3cr3t%2B%2F%3D+%26%25%3A%C3%BC")
    assert_eq!(asked[0].headers()["authorization"], "Basic bXkrY2xpZW50OnMzY3IzdCUyQiUyRiUzRCslMjYlMjUlM0ElQzMlQkM=");
    assert!(asked[0].headers()["authorization"].is_sensitive());
    assert_eq!(asked[0].body(), "grant_type=client_credentials&scope=a%2Fb+c&resource=urn%3Ax&audience=y");
}

#[tokio::test]
async fn the_request_with_credentials_in_the_body() {
    let http = port(&[Ok((200, GOOD))]);
    client().authentication(ClientAuthentication::Post).over(http.clone()).issue().await.unwrap();
    let asked = http.take();
    assert!(!asked[0].headers().contains_key("authorization"));
    let body = "grant_type=client_credentials&client_id=my+client&client_secret=s3cr3t%2B%2F%3D+%26%25%3A%C3%BC";
    assert_eq!(asked[0].body(), body);
}

#[tokio::test]
async fn replies() {
    for (status, body, life) in [
        (200, GOOD, Some(3600)),
        (200, r#"{"access_token":"tok-1","token_type":"bearer"}"#, None),
        (200, r#"{"access_token":"tok-1","expires_in":"5"}"#, Some(5)),
        (201, r#"{"access_token":"tok-1","expires_in":-1}"#, Some(0)),
    ] {
        let issued = client().over(port(&[Ok((status, body))])).issue().await.unwrap();
        assert_eq!((issued.token.expose(), issued.expires_in), ("tok-1", life.map(secs)), "{body}");
    }
    let refused = (ErrorKind::Authentication, "the token endpoint refused the client: ");
    let busy = (ErrorKind::Unavailable, "the token endpoint does not serve now: ");
    let odd = (ErrorKind::Service, "the token endpoint's answer is of no use: ");
    let invalid = r#"{"error":"invalid_client","error_description":"client \u001bauthentication failed"}"#;
    for (answer, (kind, what), why) in [
        (Ok((401, invalid)), refused, "invalid_client: client authentication failed"),
        (Ok((400, r#"{"error":"invalid_scope"}"#)), refused, "invalid_scope"),
        (Ok((400, "<html>")), refused, "HTTP 400"),
        (Ok((302, "")), refused, "HTTP 302"),
        (Ok((503, "busy")), busy, "HTTP 503"),
        (Ok((429, "{}")), busy, "HTTP 429"),
        (Ok((200, "tok")), odd, "it is not JSON"),
        (Ok((200, "{}")), odd, "it has no access token"),
        (Ok((200, r#"{"access_token":"t","token_type":"DPoP"}"#)), odd, "its token is not a bearer token"),
        (Ok((200, r#"{"access_token":"a b"}"#)), odd, "its token is none"),
        (Ok((200, r#"{"ok":false,"error":"invalid_auth"}"#)), refused, "invalid_auth"),
        (Ok((200, r#"{"error":{"code":"E1","message":"no"}}"#)), refused, "E1"),
        (Ok((200, r#"{"error":{}}"#)), refused, "HTTP 200"),
        (Ok((200, r#"{"error":null}"#)), odd, "it has no access token"),
        (Ok((200, r#"{"error":"temporarily_unavailable"}"#)), busy, "temporarily_unavailable"),
        (Ok((400, r#"{"error":"slow_down"}"#)), busy, "slow_down"),
        (Err("no route"), (ErrorKind::Unavailable, "the token endpoint could not be reached"), ""),
    ] {
        let outcome = client().over(port(&[answer])).issue().await;
        assert_eq!(failure(outcome), (kind, format!("{what}{why}")));
    }
}

#[tokio::test]
async fn the_issuers_metadata_names_its_token_endpoint() {
    let metadata = r#"{"issuer":"https://idp.example/pool","token_endpoint":"https://elsewhere.example/token"}"#;
    let http = port(&[Err("down"), Ok((200, metadata)), Ok((200, GOOD)), Ok((200, GOOD))]);
    let issuer: Issuer = "https://idp.example/pool".parse().unwrap();
    let client = ClientCredentialsConfig::discovered(issuer.clone(), "id", "hush").over(http.clone());
    assert_eq!(client.issue().await.unwrap_err().to_string(), "the issuer could not be reached");
    client.issue().await.unwrap();
    client.issue().await.unwrap();
    let urls: Vec<String> = http.take().iter().map(|request| request.uri().to_string()).collect();
    let configuration = "https://idp.example/pool/.well-known/openid-configuration";
    let token = "https://elsewhere.example/token";
    assert_eq!(urls, [configuration, configuration, token, token], "it is asked until it answers, and then not again");

    let plaintext = r#"{"issuer":"https://idp.example/pool","token_endpoint":"http://idp.example/token"}"#;
    for (status, metadata, message) in [
        (404, "{}", "the issuer's metadata is of no use: HTTP 404"),
        (200, "<html>", "the issuer's metadata is of no use: it is not JSON"),
        (200, r#"{"issuer":"https://evil.example"}"#, "the issuer's metadata is of no use: it is another issuer's"),
        (200, ISSUER_ALONE, "the issuer's metadata is of no use: it names no token endpoint"),
        (200, plaintext, "the issuer's metadata is of no use: the token endpoint that it names is none"),
    ] {
        let http = port(&[Ok((status, metadata))]);
        let client = ClientCredentialsConfig::discovered(issuer.clone(), "id", "hush").over(http);
        let error = client.issue().await.unwrap_err();
        let kind = if status == 200 { ErrorKind::Service } else { ErrorKind::Authentication };
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "never the caller's input");
    }
}

#[test]
fn secrets_are_sent_over_tls_or_to_loopback() {
    for (url, refused) in [
        ("https://idp.example/token", None),
        ("https://idp.example/token?tenant=1", None),
        ("http://127.0.0.1:8080/token", None),
        ("http://idp.example/token", Some("secrets travel over https only, or to loopback")),
        (
            "https://idp.example[::1]/token",
            Some("its host must be a name of letters, digits, '.', '-' and '_', or an address"),
        ),
        ("ftp://idp.example/token", Some("it must begin with https://")),
        ("https://me:hush@idp.example/token", Some("it may have no user name and no password")),
        ("https://idp.example/#x", Some("it may have no fragment")),
        ("/token", Some("it must look like https://HOST/PATH")),
        ("not a url", Some("it is not a URL")),
    ] {
        let found = url.parse::<TokenEndpoint>().err().map(|error| error.to_string());
        assert_eq!(found, refused.map(|why| format!("invalid token endpoint: {why}")));
        assert_eq!(url.parse::<Issuer>().is_ok(), refused.is_none());
    }
}

#[tokio::test]
async fn tokens_are_kept_and_the_secret_is_not_shown() {
    let http = port(&[Ok((200, GOOD))]);
    let source = client().over(http.clone()).cached();
    for _ in 0..3 {
        assert_eq!(source.token().await.unwrap().expose(), "tok-1");
    }
    let shown = format!("{source:?}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("tok-1"), "{shown}");
}
