//! Logins against a scripted port: requests and replies are written by hand, `SECRET_HASH` values by Python's hmac module.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod challenges;
mod renewal;
mod secrecy;

use std::{
    collections::VecDeque,
    sync::Mutex,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::*;
use crate::{BoxError, ManualClock, credentials::Credentials};

/// What the port answers: a status and a body, or that nobody is there.
type Scene = Result<(u16, String), &'static str>;

/// Answers from a list and remembers what it was asked.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Scene>>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl Exchange for Scripted {
    fn exchange(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front().expect("the script foresees this request");
        let answer = answer.map_err(BoxError::from);
        let answer = answer.map(|(status, body)| {
            let head = Response::builder().status(status).header("content-type", "application/x-amz-json-1.1");
            head.body(body.into()).unwrap()
        });
        Box::pin(async {
            // A network lets others have their turn.
            tokio::task::yield_now().await;
            answer
        })
    }
}

impl Scripted {
    /// The operations and bodies of the requests since the last time.
    fn take(&self) -> Vec<(String, Value)> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        let read = |request: Request<Bytes>| {
            let target = request.headers()["x-amz-target"].to_str().unwrap();
            let operation = target.strip_prefix("AWSCognitoIdentityProviderService.").unwrap().to_owned();
            (operation, serde_json::from_slice(request.body()).unwrap())
        };
        asked.into_iter().map(read).collect()
    }
}

fn port(answers: impl IntoIterator<Item = Scene>) -> Arc<Scripted> {
    Arc::new(Scripted { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() })
}

fn cognito(login: Login) -> CognitoConfig {
    CognitoConfig::new("us-east-1_ABC123DEF".parse::<PoolId>().unwrap(), "client1", login)
}

fn by_password() -> Login {
    Login::user_password("ada@example.com", "pass-w0rd")
}

/// An access token whose only claim is `{"username":"4c4a-sub"}`.
const ACCESS: &str = "e30.eyJ1c2VybmFtZSI6IjRjNGEtc3ViIn0.c2ln";

/// An id token with `{"cognito:username":"4c4a-sub","iat":100,"exp":700}`.
const ID: &str = "e30.eyJjb2duaXRvOnVzZXJuYW1lIjoiNGM0YS1zdWIiLCJpYXQiOjEwMCwiZXhwIjo3MDB9.c2ln";

fn done(refresh_token: Option<&str>) -> Scene {
    let mut result = json!({"AccessToken": ACCESS, "IdToken": ID, "ExpiresIn": 3600, "TokenType": "Bearer"});
    if let Some(token) = refresh_token {
        result["RefreshToken"] = token.into();
    }
    Ok((200, json!({"AuthenticationResult": result, "ChallengeParameters": {}}).to_string()))
}

fn asks(name: &str, parameters: Value) -> Scene {
    Ok((200, json!({"ChallengeName": name, "Session": "session-1", "ChallengeParameters": parameters}).to_string()))
}

fn refuses(code: &str, message: &str) -> Scene {
    Ok((400, json!({"__type": code, "message": message}).to_string()))
}

fn asked(operation: &str, body: Value) -> (String, Value) {
    (operation.to_owned(), body)
}

#[tokio::test]
async fn user_password() {
    let http = port([done(Some("refresh-1"))]);
    let cognito = cognito(by_password()).over(http.clone());
    assert!(cognito.refresh_token().is_none() && cognito.username().is_none());
    let issued = cognito.issue().await.unwrap();
    assert_eq!((issued.token.expose(), issued.expires_in), (ACCESS, Some(Duration::from_secs(3600))));
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-1");
    assert_eq!(cognito.username().unwrap(), "4c4a-sub");
    assert_eq!(
        http.asked.lock().unwrap()[0].uri().to_string(),
        "https://cognito-idp.us-east-1.amazonaws.com/",
        "the region is the pool's"
    );
    let body = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": "client1",
        "AuthParameters": {"USERNAME": "ada@example.com", "PASSWORD": "pass-w0rd"},
    });
    assert_eq!(http.take(), [asked("InitiateAuth", body)]);
}

#[tokio::test]
async fn a_region_is_enough_where_no_pool_is_needed() {
    let region: agentcore_core::Region = "eu-west-2".parse().unwrap();
    let http = port([done(None), done(None)]);
    for login in [by_password(), Login::refresh_token("refresh-1")] {
        CognitoConfig::new(region.clone(), "client1", login).over(http.clone()).issue().await.unwrap();
        let asked = http.asked.lock().unwrap().pop().unwrap();
        assert_eq!(asked.uri().host(), Some("cognito-idp.eu-west-2.amazonaws.com"));
    }
    let keys = Credentials::new("AKID", "s", None, None, "test");
    for (login, flow) in [
        (Login::user_srp("ada", "pass-w0rd"), "USER_SRP_AUTH"),
        (Login::admin_user_password("ada", "pass-w0rd", keys), "ADMIN_USER_PASSWORD_AUTH"),
    ] {
        let error = CognitoConfig::new(region.clone(), "client1", login).over(http.clone()).issue().await.unwrap_err();
        assert_eq!(error.to_string(), format!("{flow} needs the id of the user pool"));
    }
    assert!(http.take().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn user_srp_keeps_the_password_here() {
    let parameters = json!({
        "USER_ID_FOR_SRP": "srp-id", "USERNAME": "other", "SALT": "abc", "SRP_B": "1f", "SECRET_BLOCK": "YmxvY2s=",
    });
    let http = port([asks("PASSWORD_VERIFIER", parameters), done(Some("refresh-1"))]);
    let login = Login::user_srp("ada@example.com", "pass-w0rd");
    // 2026-01-05T03:04:05Z
    let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_767_582_245));
    let cognito = cognito(login).client_secret("client-s3cr3t").clock(clock).over(http.clone());
    cognito.issue().await.unwrap();
    let said = format!("{:?}", http.asked.lock().unwrap());
    assert!(!said.contains("pass-w0rd"));
    let mut requests = http.take();
    let public = requests[0].1["AuthParameters"]["SRP_A"].take();
    assert!((760..=768).contains(&public.as_str().unwrap().len()));
    let claim = requests[1].1["ChallengeResponses"]["PASSWORD_CLAIM_SIGNATURE"].take();
    assert_eq!(claim.as_str().unwrap().len(), 44, "Base64 of 32 bytes; what is in it, the golden exchanges check");
    let begin = json!({
        "AuthFlow": "USER_SRP_AUTH",
        "ClientId": "client1",
        "AuthParameters": {
            "USERNAME": "ada@example.com",
            "SRP_A": null,
            "SECRET_HASH": "Kr30ZVGYoXt53W8BkBvfK2upt7DDsidGv2bIcHp2VOQ=",
        },
    });
    let answer = json!({
        "ChallengeName": "PASSWORD_VERIFIER",
        "ClientId": "client1",
        "Session": "session-1",
        "ChallengeResponses": {
            "USERNAME": "srp-id",
            "PASSWORD_CLAIM_SECRET_BLOCK": "YmxvY2s=",
            "PASSWORD_CLAIM_SIGNATURE": null,
            "TIMESTAMP": "Mon Jan 5 03:04:05 UTC 2026",
            "SECRET_HASH": "e3KRkzORhMRlDfQpLh/yh6ZFkZIkBsPK4eMPpdZPsiU=",
        },
    });
    assert_eq!(requests, [asked("InitiateAuth", begin), asked("RespondToAuthChallenge", answer)]);
}

#[tokio::test]
async fn admin_user_password() {
    let http = port([asks("NEW_PASSWORD_REQUIRED", json!({})), done(None)]);
    let keys = Credentials::new("AKIDEXAMPLE", "aws-s3cr3t", None, None, "test");
    let login = Login::admin_user_password("ada", "pass-w0rd", keys);
    let cognito = cognito(login).responder(challenges::Chooses("new-pass")).over(http.clone());
    cognito.issue().await.unwrap();
    for request in http.asked.lock().unwrap().iter() {
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
        assert!(authorization.contains("/us-east-1/cognito-idp/aws4_request"));
    }
    let begin = json!({
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "UserPoolId": "us-east-1_ABC123DEF",
        "ClientId": "client1",
        "AuthParameters": {"USERNAME": "ada", "PASSWORD": "pass-w0rd"},
    });
    let answer = json!({
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "UserPoolId": "us-east-1_ABC123DEF",
        "ClientId": "client1",
        "Session": "session-1",
        "ChallengeResponses": {"USERNAME": "ada", "NEW_PASSWORD": "new-pass"},
    });
    assert_eq!(http.take(), [asked("AdminInitiateAuth", begin), asked("AdminRespondToAuthChallenge", answer)]);
}

#[tokio::test]
async fn an_id_token_lives_its_own_life() {
    let http = port([done(None)]);
    let endpoint = "http://127.0.0.1:9999/idp".parse().unwrap();
    let issued =
        cognito(by_password()).token_use(TokenUse::Id).endpoint(endpoint).over(http.clone()).issue().await.unwrap();
    assert_eq!((issued.token.expose(), issued.expires_in), (ID, None));
    assert_eq!(http.asked.lock().unwrap()[0].uri().to_string(), "http://127.0.0.1:9999/idp/");
}

/// What each failure is, to a program and to a person.
#[tokio::test]
async fn failures() {
    let internal = |status, body: &str| Ok((status, body.to_owned()));
    let long = "x".repeat(300);
    let cut = format!("Cognito refused: {} (NotAuthorizedException)", "x".repeat(200));
    for (scene, kind, message) in [
        (
            refuses("NotAuthorizedException", "Incorrect username or password."),
            ErrorKind::Authentication,
            "Cognito refused: Incorrect username or password. (NotAuthorizedException)",
        ),
        (refuses("NotAuthorizedException", &long), ErrorKind::Authentication, &cut),
        (
            refuses("UserLambdaValidationException", "no\u{1b}[31m entry\n"),
            ErrorKind::Authentication,
            "Cognito refused: no[31m entry (UserLambdaValidationException)",
        ),
        (
            refuses("InvalidParameterException", "Value 'pass-w0rd' at 'password' is not good enough"),
            ErrorKind::Authentication,
            "Cognito refused: InvalidParameterException",
        ),
        (refuses("BrandNewException", ""), ErrorKind::Authentication, "Cognito refused: BrandNewException"),
        (
            refuses("TooManyRequestsException", "Rate exceeded"),
            ErrorKind::Unavailable,
            "Cognito is not available: Rate exceeded (TooManyRequestsException)",
        ),
        (
            internal(500, r#"{"__type":"InternalErrorException"}"#),
            ErrorKind::Unavailable,
            "Cognito is not available: InternalErrorException",
        ),
        (internal(503, "<html>busy</html>"), ErrorKind::Unavailable, "Cognito's answer of HTTP 503 cannot be read"),
        (internal(200, "<html>hello</html>"), ErrorKind::Service, "Cognito's answer of HTTP 200 cannot be read"),
        (internal(200, "{}"), ErrorKind::Service, "Cognito gave no access token"),
        (Err("connection refused"), ErrorKind::Unavailable, "Cognito could not be reached"),
    ] {
        let error = cognito(by_password()).over(port([scene.clone()])).issue().await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "{scene:?}");
        assert!(!format!("{error:?}").contains("pass-w0rd"));
    }
}

/// Without `ExpiresIn` the token's own word counts; an error may name the user, who typed the name.
#[tokio::test]
async fn what_is_left_out_and_what_is_told() {
    let bare = json!({"AuthenticationResult": {"AccessToken": ACCESS}});
    let issued = cognito(by_password()).over(port([Ok((200, bare.to_string()))])).issue().await.unwrap();
    assert_eq!(issued.expires_in, None);
    let refusal = refuses("UserNotConfirmedException", "ada@example.com is not confirmed");
    let error = cognito(by_password()).over(port([refusal])).issue().await.unwrap_err();
    assert_eq!(error.to_string(), "Cognito refused: ada@example.com is not confirmed (UserNotConfirmedException)");
    for (rotating, secret) in [(true, "refresh-0"), (false, "session-1")] {
        let echo = refuses("NotAuthorizedException", &format!("no such thing as {secret}"));
        let http = port([asks("NEW_PASSWORD_REQUIRED", json!({})), echo.clone(), echo]);
        let error = if rotating {
            http.answers.lock().unwrap().pop_front();
            cognito(Login::refresh_token("refresh-0")).rotating().over(http.clone()).logout().await.unwrap_err()
        } else {
            cognito(by_password())
                .responder(challenges::Chooses("new-pass"))
                .over(http.clone())
                .issue()
                .await
                .unwrap_err()
        };
        assert_eq!(error.to_string(), "Cognito refused: NotAuthorizedException");
    }
}

/// A name's day has one or two digits, and the clock none of the machine's zone or language.
#[test]
fn timestamps() {
    for (seconds, expected) in [
        (1_767_582_245, "Mon Jan 5 03:04:05 UTC 2026"),
        (1_767_225_599, "Wed Dec 31 23:59:59 UTC 2025"),
        (951_782_400, "Tue Feb 29 00:00:00 UTC 2000"),
    ] {
        let now = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(250);
        assert_eq!(timestamp(now), expected);
    }
}
