//! Staying logged in, and logging out.

use std::error::Error as _;

use crate::TokenSource as _;

use super::*;

fn by_refresh_token() -> Login {
    Login::refresh_token("refresh-0")
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
    let http = port([done(Some("refresh-1")), done(None), done(None)]);
    let cognito = cognito(by_password()).client_secret("client-s3cr3t").over(http.clone());
    for _ in 0..3 {
        cognito.issue().await.unwrap();
    }
    let requests = http.take();
    let typed = "Kr30ZVGYoXt53W8BkBvfK2upt7DDsidGv2bIcHp2VOQ=";
    assert_eq!(requests[0].1["AuthParameters"]["SECRET_HASH"], typed);
    let hash = "kKHtNertvUlC6PtjVWCYV0qZsCP30TZWa2ToUUQxcJs=";
    let renewal = flow(json!({"REFRESH_TOKEN": "refresh-1", "SECRET_HASH": hash}));
    assert_eq!(requests[1..], [renewal.clone(), renewal], "a refresh token that is not replaced stays");
}

/// The payloads are in base64url; federated users have a `sub` at least.
#[tokio::test]
async fn whose_the_tokens_are() {
    for (access, id, expected) in [
        ("eyJzdWIiOiJzIiwidXNlcm5hbWUiOiJ1In0", "e30", Some("u")), // {"sub":"s","username":"u"}
        ("e30", "eyJzdWIiOiJzIiwiY29nbml0bzp1c2VybmFtZSI6ImMifQ", Some("c")), // {"sub":"s","cognito:username":"c"}
        ("eyJzdWIiOiJzIn0", "e30", Some("s")),                     // {"sub":"s"}
        ("e30", "e30", None),
    ] {
        let tokens = json!({"AccessToken": format!("e30.{access}.c2ln"), "IdToken": format!("e30.{id}.c2ln")});
        let http = port([Ok((200, json!({ "AuthenticationResult": tokens }).to_string()))]);
        let cognito = cognito(by_refresh_token()).over(http.clone());
        cognito.issue().await.unwrap();
        assert_eq!(cognito.username().as_deref(), expected);
    }
}

/// How a refresh token alone begins: by name where one is needed and known, without one otherwise.
#[tokio::test]
async fn starting_from_a_refresh_token() {
    let hash = "kKHtNertvUlC6PtjVWCYV0qZsCP30TZWa2ToUUQxcJs=";
    for (secret, name, rotating, expected) in [
        (false, false, false, flow(json!({"REFRESH_TOKEN": "refresh-0"}))),
        (true, true, false, flow(json!({"REFRESH_TOKEN": "refresh-0", "SECRET_HASH": hash}))),
        (
            true,
            false,
            false,
            tokens(json!({"RefreshToken": "refresh-0", "ClientId": "client1", "ClientSecret": "client-s3cr3t"})),
        ),
        (false, true, true, tokens(json!({"RefreshToken": "refresh-0", "ClientId": "client1"}))),
    ] {
        let http = port([done(None)]);
        let mut cognito = cognito(by_refresh_token());
        if secret {
            cognito = cognito.client_secret("client-s3cr3t");
        }
        if name {
            cognito = cognito.known_as("4c4a-sub");
        }
        if rotating {
            cognito = cognito.rotating();
        }
        let cognito = cognito.over(http.clone());
        assert_eq!(cognito.issue().await.unwrap().token.expose(), ACCESS);
        assert_eq!(http.take(), [expected]);
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
        let http = port([refusal, done(Some("refresh-1")), done(Some("refresh-2")), done(Some("refresh-3"))]);
        let cognito = cognito(by_refresh_token()).over(http.clone());
        for kept in ["refresh-1", "refresh-2", "refresh-3"] {
            cognito.issue().await.unwrap();
            assert_eq!(cognito.refresh_token().unwrap().expose_secret(), kept);
        }
        let body = |token: &str| tokens(json!({"RefreshToken": token, "ClientId": "client1"}));
        assert_eq!(
            http.take(),
            [flow(json!({"REFRESH_TOKEN": "refresh-0"})), body("refresh-0"), body("refresh-1"), body("refresh-2")]
        );
    }
}

/// What came with a token that cannot be used is not lost: the next renewal needs it.
#[tokio::test]
async fn the_new_refresh_token_is_kept_first() {
    let body = r#"{"AuthenticationResult":{"RefreshToken":"refresh-1","AccessToken":"not a token"}}"#;
    let http = port([Ok((200, body.to_owned()))]);
    let cognito = cognito(by_refresh_token()).rotating().over(http.clone());
    assert_eq!(cognito.issue().await.unwrap_err().kind(), ErrorKind::Input);
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-1");
}

#[tokio::test]
async fn a_refresh_token_that_rotates_is_used_once() {
    let http = port([done(Some("refresh-1")), done(Some("refresh-2"))]);
    let cognito = cognito(by_refresh_token()).rotating().over(http.clone());
    let (one, other) = (cognito.clone(), cognito.clone());
    let (one, other) = tokio::join!(one.issue(), other.issue());
    assert!(one.is_ok() && other.is_ok());
    let sent: Vec<Value> = http.take().into_iter().map(|(_, mut body)| body["RefreshToken"].take()).collect();
    assert_eq!(sent, ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn a_dead_refresh_token_falls_back_to_the_password() {
    for code in ["NotAuthorizedException", "UserNotFoundException", "RefreshTokenReuseException"] {
        let dead = refuses(code, "Refresh Token has expired");
        let http = port([done(Some("refresh-1")), dead, done(Some("refresh-2"))]);
        let cognito = cognito(by_password()).over(http.clone());
        cognito.issue().await.unwrap();
        cognito.issue().await.unwrap();
        assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-2", "{code}");
        let flows: Vec<Value> = http.take().into_iter().map(|(_, mut body)| body["AuthFlow"].take()).collect();
        assert_eq!(flows, ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"], "{code}");
    }
}

#[tokio::test]
async fn without_a_password_somebody_has_to_log_in() {
    let http = port([refuses("NotAuthorizedException", "Refresh Token has been revoked")]);
    let cognito = cognito(by_refresh_token()).over(http.clone());
    let error = cognito.issue().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Authentication, "the login has ended: log in again")
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "Cognito refused: Refresh Token has been revoked (NotAuthorizedException)"
    );
    // It is not tried again.
    assert_eq!(cognito.issue().await.unwrap_err().to_string(), "the login has ended: log in again");
    assert_eq!(http.take().len(), 1);
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
        let http = port([outage.clone(), done(None)]);
        let cognito = cognito(by_refresh_token()).over(http.clone());
        assert!(cognito.issue().await.is_err());
        assert!(cognito.issue().await.is_ok(), "{outage:?}");
    }
}

#[tokio::test]
async fn a_renewal_that_is_challenged_says_so() {
    let http = port([asks("DEVICE_SRP_AUTH", json!({}))]);
    let error = cognito(by_refresh_token()).over(http.clone()).issue().await.unwrap_err();
    assert_eq!(error.to_string(), "Cognito asks for DEVICE_SRP_AUTH, and nobody is there to answer it");
}

#[tokio::test]
async fn logging_out() {
    let http = port([Ok((200, String::new())), done(Some("refresh-1"))]);
    let cognito = cognito(by_refresh_token()).client_secret("client-s3cr3t").over(http.clone());
    cognito.logout().await.unwrap();
    cognito.logout().await.unwrap();
    let body = json!({"Token": "refresh-0", "ClientId": "client1", "ClientSecret": "client-s3cr3t"});
    assert_eq!(http.take(), [asked("RevokeToken", body)], "once");
    assert!(cognito.refresh_token().is_none());
    assert_eq!(cognito.issue().await.unwrap_err().to_string(), "the login has ended: log in again");
}

#[tokio::test]
async fn a_logout_that_failed() {
    let disabled = refuses("UnsupportedOperationException", "Token revocation is not enabled");
    for (scene, kind, kept) in
        [(Err("reset"), ErrorKind::Unavailable, true), (disabled, ErrorKind::Authentication, false)]
    {
        let cognito = cognito(by_refresh_token()).over(port([scene]));
        assert_eq!(cognito.logout().await.unwrap_err().kind(), kind);
        assert_eq!(cognito.refresh_token().is_some(), kept);
    }
}

/// What a store keeps of a login, and going on with it in another process.
#[tokio::test]
async fn a_login_goes_on_from_a_store() {
    let http = port([done(Some("refresh-1"))]);
    let first = cognito(by_password()).over(http.clone());
    let token = first.issue().await.unwrap().token;
    let stored = first.remember(crate::StoredToken::new(token, UNIX_EPOCH));
    assert_eq!(stored.refresh_token.as_ref().unwrap().expose_secret(), "refresh-1");
    assert_eq!(stored.username.as_deref(), Some("4c4a-sub"));

    let http = port([done(None), refuses("NotAuthorizedException", "Refresh Token has been revoked"), done(None)]);
    let second = cognito(by_password()).over(http.clone());
    second.resume(&stored);
    second.issue().await.unwrap();
    let third = cognito(by_password()).resuming("refresh-1").over(http.clone());
    third.issue().await.unwrap();
    let flows: Vec<Value> = http.take().into_iter().map(|(_, mut body)| body["AuthFlow"].take()).collect();
    assert_eq!(flows, ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"]);
}

/// Answers after five seconds.
#[derive(Debug)]
struct Slow(Arc<Scripted>);

impl Exchange for Slow {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        Box::pin(async {
            let answer = self.0.exchange(request).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            answer
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_loses_no_refresh_token() {
    let http = port([done(Some("refresh-1"))]);
    let pool: PoolId = "us-east-1_ABC123DEF".parse().unwrap();
    let config = CognitoConfig::new(pool, "client1", by_refresh_token()).rotating();
    let cognito = config.over(Arc::new(Slow(Arc::clone(&http))));
    let source = cognito.clone().cached();
    assert!(tokio::time::timeout(Duration::from_secs(1), source.token()).await.is_err());
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-0", "the old one, used up by now");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-1");
    assert_eq!(source.token().await.unwrap().expose(), ACCESS);
    assert_eq!(http.take(), [tokens(json!({"RefreshToken": "refresh-0", "ClientId": "client1"}))]);
}

/// People take their time.
#[test]
fn deadlines() {
    assert_eq!(cognito(by_password()).over(port([])).deadline(), Some(Duration::from_secs(30)));
    let person = cognito(by_password()).responder(challenges::Chooses("new-pass"));
    assert_eq!(person.over(port([])).deadline(), None);
}
