//! Verifying the mock's tokens with the keys that it publishes: two implementations that have nothing in common but the RFCs.

use std::sync::Arc;

use agentcore_client::{
    Transport,
    auth::{ErrorKind, jwks::Verifier},
};
use agentcore_mock::Mock;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::mock;

fn verifier(mock: &Mock) -> Verifier {
    Verifier::new(mock.url().parse().unwrap(), Arc::new(Transport::builder().build().unwrap()))
}

#[tokio::test]
async fn a_token_of_the_mock_is_genuine() {
    let mock = mock().await;
    let verifier = verifier(&mock).allow_client(mock.client_id());
    let tokens: Vec<String> = (0..50).map(|_| mock.token()).collect();
    for claims in join_all(tokens.iter().map(|token| verifier.verify(token))).await {
        let claims = claims.unwrap();
        assert_eq!((&claims["username"], &claims["token_use"]), (&json!("mock-user"), &json!("access")));
    }
    let asked: Vec<String> = mock.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/.well-known/openid-configuration", "/.well-known/jwks.json"], "for all of them together");
}

#[tokio::test]
async fn other_tokens_are_not() {
    let mock = mock().await;
    let verifier = verifier(&mock).allow_client(mock.client_id());
    let with = |name: &str, value: serde_json::Value| mock.token_with(|claims| drop(claims.insert(name.into(), value)));
    let (head, signature) = mock.token().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let other_signature = with("sub", "eve".into()).rsplit_once('.').unwrap().1.to_owned();
    assert_ne!(signature, other_signature);
    for (token, kind, message) in [
        (with("exp", 1_000.into()), ErrorKind::ExpiredToken, None),
        (with("nbf", 4_000_000_000_u64.into()), ErrorKind::UntrustedToken, Some("it is not valid yet")),
        (with("iss", "https://idp.example".into()), ErrorKind::UntrustedToken, Some("its issuer is another")),
        (with("client_id", "other".into()), ErrorKind::UntrustedToken, Some("its client is not allowed")),
        (format!("{head}.{other_signature}"), ErrorKind::UntrustedToken, Some("its signature is wrong")),
    ] {
        let error = verifier.verify(&token).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        if let Some(message) = message {
            assert_eq!(error.to_string(), format!("the token was refused: {message}"));
        }
    }
}

#[tokio::test]
async fn an_issuer_that_is_gone() {
    let mock = mock().await;
    let (verifier, token) = (verifier(&mock).allow_anybody(), mock.token());
    drop(mock);
    assert_eq!(verifier.verify(&token).await.unwrap_err().kind(), ErrorKind::Unavailable);
}
