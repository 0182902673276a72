//! Staying logged in, and logging out.

use std::error::Error as _;

use http::Response;

use super::*;
use crate::{BoxError, TokenSource as _};

fn by_refresh_token() -> CognitoConfig {
    cognito(Login::refresh_token("refresh-0"))
}

fn flow(parameters: Value) -> (String, Value) {
    let body = json!({"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "client1", "AuthParameters": parameters});
    asked("InitiateAuth", body)
}

fn tokens(body: Value) -> (String, Value) {
    asked("GetTokensFromRefreshToken", body)
}

#[tokio::test]
async fn the_secret_hash_of_a_renewal_is_of_the_real_name() {
    let config = cognito(by_password()).client_secret("client-s3cr3t");
    let (cognito, http) = over(config, [done(Some("refresh-1")), done(None), done(None)]);
    for _ in 0..3 {
        cognito.issue().await.unwrap();
    }
    let requests = sent(&http);
    let typed = "Kr30ZVGYoXt53W8BkBvfK2upt7DDsidGv2bIcHp2VOQ=";
    assert_eq!(requests[0].1["AuthParameters"]["SECRET_HASH"], typed);
    let hash = "kKHtNertvUlC6PtjVWCYV0qZsCP30TZWa2ToUUQxcJs=";
    let renewal = flow(json!({"REFRESH_TOKEN": "refresh-1", "SECRET_HASH": hash}));
    assert_eq!(requests[1..], [renewal.clone(), renewal], "a refresh token that is not replaced stays");
}

/// The payloads are in base64url; federated users have a `sub` at least.
#[tokio::test]
async fn the_user_of_the_tokens() {
    for (access, id, expected) in [
        ("eyJzdWIiOiJzIiwidXNlcm5hbWUiOiJ1In0", "e30", Some("u")), // {"sub":"s","username":"u"}
        ("e30", "eyJzdWIiOiJzIiwiY29nbml0bzp1c2VybmFtZSI6ImMifQ", Some("c")), // {"sub":"s","cognito:username":"c"}
        ("eyJzdWIiOiJzIn0", "e30", Some("s")),                     // {"sub":"s"}
        ("e30", "e30", None),
    ] {
        let tokens = json!({"AccessToken": format!("e30.{access}.c2ln"), "IdToken": format!("e30.{id}.c2ln")});
        let body = json!({ "AuthenticationResult": tokens }).to_string();
        let cognito = by_refresh_token().over(port([Ok((200, body))]));
        cognito.issue().await.unwrap();
        assert_eq!(cognito.username().as_deref(), expected);
    }
}

/// How a refresh token alone begins: by name where one is needed and known, without one otherwise.
#[tokio::test]
async fn starting_from_a_refresh_token() {
    let hash = "kKHtNertvUlC6PtjVWCYV0qZsCP30TZWa2ToUUQxcJs=";
    let secret = || by_refresh_token().client_secret("client-s3cr3t");
    let body = json!({"RefreshToken": "refresh-0", "ClientId": "client1"});
    let body_with_secret = json!({"RefreshToken": "refresh-0", "ClientId": "client1", "ClientSecret": "client-s3cr3t"});
    for (config, expected) in [
        (by_refresh_token(), flow(json!({"REFRESH_TOKEN": "refresh-0"}))),
        (secret().known_as("4c4a-sub"), flow(json!({"REFRESH_TOKEN": "refresh-0", "SECRET_HASH": hash}))),
        (secret(), tokens(body_with_secret)),
        (by_refresh_token().known_as("4c4a-sub").rotating(), tokens(body)),
    ] {
        let (cognito, http) = over(config, [done(None)]);
        assert_eq!(cognito.issue().await.unwrap().token.expose(), ACCESS);
        assert_eq!(sent(&http), [expected]);
        assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-0");
    }
}

#[tokio::test]
async fn rotation_is_found_out_once() {
    for refusal in [
        refuses("NotAuthorizedException", "Refresh token rotation is enabled: use GetTokensFromRefreshToken."),
        refuses("UnsupportedOperationException", "REFRESH_TOKEN_AUTH is not supported"),
        refuses("InvalidParameterException", "Auth flow not enabled for this client"),
    ] {
        let script = [refusal, done(Some("refresh-1")), done(Some("refresh-2")), done(Some("refresh-3"))];
        let (cognito, http) = over(by_refresh_token(), script);
        for kept in ["refresh-1", "refresh-2", "refresh-3"] {
            cognito.issue().await.unwrap();
            assert_eq!(cognito.refresh_token().unwrap().expose_secret(), kept);
        }
        let body = |token: &str| tokens(json!({"RefreshToken": token, "ClientId": "client1"}));
        assert_eq!(
            sent(&http),
            [flow(json!({"REFRESH_TOKEN": "refresh-0"})), body("refresh-0"), body("refresh-1"), body("refresh-2")]
        );
    }
}

/// What came with a token that cannot be used is not lost: the next renewal needs it.
#[tokio::test]
async fn the_new_refresh_token_is_kept_first() {
    let body = r#"{"AuthenticationResult":{"RefreshToken":"refresh-1","AccessToken":"not a token"}}"#;
    let cognito = by_refresh_token().rotating().over(port([Ok((200, body.to_owned()))]));
    assert_eq!(cognito.issue().await.unwrap_err().kind(), ErrorKind::Service);
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-1");
}

#[tokio::test]
async fn a_refresh_token_that_rotates_is_used_once() {
    let (cognito, http) = over(by_refresh_token().rotating(), [done(Some("refresh-1")), done(Some("refresh-2"))]);
    let (one, other) = (cognito.clone(), cognito.clone());
    let (one, other) = tokio::join!(one.issue(), other.issue());
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(fields(&http, "RefreshToken"), ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn a_dead_refresh_token_falls_back_to_the_password() {
    for code in ["NotAuthorizedException", "UserNotFoundException", "RefreshTokenReuseException"] {
        let dead = refuses(code, "Refresh Token has expired");
        let script = [done(Some("refresh-1")), dead, done(Some("refresh-2"))];
        let (cognito, http) = over(cognito(by_password()), script);
        cognito.issue().await.unwrap();
        cognito.issue().await.unwrap();
        assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-2", "{code}");
        assert_eq!(
            fields(&http, "AuthFlow"),
            ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"],
            "{code}"
        );
    }
}

const LOG_IN_AGAIN: &str = "the login has ended: log in again";

#[tokio::test]
async fn without_a_password_the_login_ends() {
    let script = [refuses("NotAuthorizedException", "Refresh Token has been revoked")];
    let (cognito, http) = over(by_refresh_token(), script);
    let error = cognito.issue().await.unwrap_err();
    let cause = "Cognito refused: Refresh Token has been revoked (NotAuthorizedException)";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Authentication, LOG_IN_AGAIN));
    assert_eq!(error.source().unwrap().to_string(), cause);
    // It is not tried again.
    assert_eq!(failure(cognito.issue().await).1, LOG_IN_AGAIN);
    assert_eq!(sent(&http).len(), 1);
}

#[tokio::test]
async fn an_outage_ends_no_login() {
    for outage in [
        refuses("TooManyRequestsException", ""),
        Ok((503, String::new())),
        Err("connection refused"),
        // Not the refresh token's fault.
        refuses("ResourceNotFoundException", "User pool client client1 does not exist."),
    ] {
        let cognito = by_refresh_token().over(port([outage.clone(), done(None)]));
        assert!(cognito.issue().await.is_err());
        assert!(cognito.issue().await.is_ok(), "{outage:?}");
    }
}

#[tokio::test]
async fn a_renewal_that_is_challenged_says_so() {
    let outcome = by_refresh_token().over(port([asks("DEVICE_SRP_AUTH", json!({}))])).issue().await;
    assert_eq!(failure(outcome).1, "Cognito asks for DEVICE_SRP_AUTH, and nobody is there to answer it");
}

#[tokio::test]
async fn logging_out() {
    let config = by_refresh_token().client_secret("client-s3cr3t");
    let (cognito, http) = over(config, [Ok((200, String::new())), done(Some("refresh-1"))]);
    cognito.logout().await.unwrap();
    cognito.logout().await.unwrap();
    let body = json!({"Token": "refresh-0", "ClientId": "client1", "ClientSecret": "client-s3cr3t"});
    assert_eq!(sent(&http), [asked("RevokeToken", body)], "once");
    assert!(cognito.refresh_token().is_none());
    assert_eq!(failure(cognito.issue().await).1, LOG_IN_AGAIN);
}

#[tokio::test]
async fn a_logout_that_failed() {
    let disabled = refuses("UnsupportedOperationException", "Token revocation is not enabled");
    for (answer, kind, kept) in
        [(Err("reset"), ErrorKind::Unavailable, true), (disabled, ErrorKind::Authentication, false)]
    {
        let cognito = by_refresh_token().over(port([answer]));
        assert_eq!(cognito.logout().await.unwrap_err().kind(), kind);
        assert_eq!(cognito.refresh_token().is_some(), kept);
    }
}

/// What a store keeps of a login, and its continuation in another process.
#[tokio::test]
async fn a_login_continues_from_a_store() {
    let first = cognito(by_password()).over(port([done(Some("refresh-1"))]));
    let token = first.issue().await.unwrap().token;
    let stored = first.remember(StoredToken::new(token, at(0)));
    assert_eq!(stored.refresh_token.as_ref().unwrap().expose_secret(), "refresh-1");
    assert_eq!(stored.username.as_deref(), Some("4c4a-sub"));

    let http = port([done(None), refuses("NotAuthorizedException", "Refresh Token has been revoked"), done(None)]);
    let second = cognito(by_password()).over(http.clone());
    second.resume(&stored);
    second.issue().await.unwrap();
    let third = cognito(by_password()).resuming("refresh-1").over(http.clone());
    third.issue().await.unwrap();
    assert_eq!(fields(&http, "AuthFlow"), ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"]);
}

/// Answers after five seconds.
#[derive(Debug)]
struct Slow(Arc<ScriptedExchange>);

impl Exchange for Slow {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        Box::pin(async {
            let answer = self.0.exchange(request).await;
            tokio::time::sleep(secs(5)).await;
            answer
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_loses_no_refresh_token() {
    let http = port([done(Some("refresh-1"))]);
    let cognito = by_refresh_token().rotating().over(Arc::new(Slow(Arc::clone(&http))));
    let source = cognito.clone().cached();
    assert!(tokio::time::timeout(secs(1), source.token()).await.is_err());
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-0", "the old one, used up by now");
    tokio::time::sleep(secs(5)).await;
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-1");
    assert_eq!(source.token().await.unwrap().expose(), ACCESS);
    assert_eq!(sent(&http), [tokens(json!({"RefreshToken": "refresh-0", "ClientId": "client1"}))]);
}

/// People take their time.
#[test]
fn deadlines() {
    assert_eq!(cognito(by_password()).over(port([])).deadline(), Some(secs(30)));
    let person = cognito(by_password()).responder(challenges::CHOOSES);
    assert_eq!(person.over(port([])).deadline(), None);
}
