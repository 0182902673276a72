//! Logins against a scripted port: requests and replies are written by hand, `SECRET_HASH` values by Python's hmac module.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod challenges;
mod devices;
mod renewal;
mod secrecy;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::*;
use crate::{
    ManualClock,
    credentials::Credentials,
    testing::{PortAnswer, ScriptedExchange, at, failure, secs},
};

fn port(answers: impl IntoIterator<Item = PortAnswer>) -> Arc<ScriptedExchange> {
    ScriptedExchange::new(answers)
}

/// Returns the user over a port with these answers.
fn over(config: CognitoConfig, answers: impl IntoIterator<Item = PortAnswer>) -> (Cognito, Arc<ScriptedExchange>) {
    let http = port(answers);
    (config.over(http.clone()), http)
}

/// Returns the operations and bodies of the requests since the last call.
fn sent(http: &ScriptedExchange) -> Vec<(String, Value)> {
    read(&http.take())
}

fn read(requests: &[Request<Bytes>]) -> Vec<(String, Value)> {
    let operation = |request: &Request<Bytes>| {
        let target = request.headers()["x-amz-target"].to_str().unwrap();
        target.strip_prefix("AWSCognitoIdentityProviderService.").unwrap().to_owned()
    };
    requests.iter().map(|request| (operation(request), serde_json::from_slice(request.body()).unwrap())).collect()
}

/// Returns one field of each body.
fn fields(http: &ScriptedExchange, name: &str) -> Vec<Value> {
    sent(http).into_iter().map(|(_, mut body)| body[name].take()).collect()
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

fn done(refresh_token: Option<&str>) -> PortAnswer {
    let mut result = json!({"AccessToken": ACCESS, "IdToken": ID, "ExpiresIn": 3600, "TokenType": "Bearer"});
    if let Some(token) = refresh_token {
        result["RefreshToken"] = token.into();
    }
    Ok((200, json!({"AuthenticationResult": result, "ChallengeParameters": {}}).to_string()))
}

fn asks(name: &str, parameters: Value) -> PortAnswer {
    Ok((200, json!({"ChallengeName": name, "Session": "session-1", "ChallengeParameters": parameters}).to_string()))
}

fn refuses(code: &str, message: &str) -> PortAnswer {
    Ok((400, json!({"__type": code, "message": message}).to_string()))
}

fn asked(operation: &str, body: Value) -> (String, Value) {
    (operation.to_owned(), body)
}

#[tokio::test]
async fn user_password() {
    let (cognito, http) = over(cognito(by_password()), [done(Some("refresh-1"))]);
    assert!(cognito.refresh_token().is_none() && cognito.username().is_none());
    let issued = cognito.issue().await.unwrap();
    assert_eq!((issued.token.expose(), issued.expires_in), (ACCESS, Some(secs(3600))));
    assert_eq!(cognito.refresh_token().unwrap().expose_secret(), "refresh-1");
    assert_eq!(cognito.username().unwrap(), "4c4a-sub");
    let requests = http.take();
    assert_eq!(requests[0].uri(), "https://cognito-idp.us-east-1.amazonaws.com/", "the region is the pool's");
    let body = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": "client1",
        "AuthParameters": {"USERNAME": "ada@example.com", "PASSWORD": "pass-w0rd"},
    });
    assert_eq!(read(&requests), [asked("InitiateAuth", body)]);
}

#[tokio::test]
async fn a_region_is_enough_where_no_pool_is_needed() {
    let region: agentcore_core::Region = "eu-west-2".parse().unwrap();
    let http = port([done(None), done(None)]);
    for login in [by_password(), Login::refresh_token("refresh-1")] {
        CognitoConfig::new(region.clone(), "client1", login).over(http.clone()).issue().await.unwrap();
        assert_eq!(http.take()[0].uri().host(), Some("cognito-idp.eu-west-2.amazonaws.com"));
    }
    let keys = Credentials::new("AKID", "s", None, None, "test");
    for (login, flow) in [
        (Login::user_srp("ada", "pass-w0rd"), "USER_SRP_AUTH"),
        (Login::admin_user_password("ada", "pass-w0rd", keys), "ADMIN_USER_PASSWORD_AUTH"),
    ] {
        let outcome = CognitoConfig::new(region.clone(), "client1", login).over(http.clone()).issue().await;
        assert_eq!(failure(outcome).1, format!("{flow} needs the id of the user pool"));
    }
    assert!(http.take().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn user_srp_keeps_the_password_here() {
    let parameters = json!({
        "USER_ID_FOR_SRP": "srp-id", "USERNAME": "other", "SALT": "abc", "SRP_B": "1f", "SECRET_BLOCK": "YmxvY2s=",
    });
    let login = Login::user_srp("ada@example.com", "pass-w0rd");
    // 2026-01-05T03:04:05Z
    let clock = ManualClock::new(at(1_767_582_245));
    let config = cognito(login).client_secret("client-s3cr3t").clock(clock);
    let (cognito, http) = over(config, [asks("PASSWORD_VERIFIER", parameters), done(Some("refresh-1"))]);
    cognito.issue().await.unwrap();
    let requests = http.take();
    assert!(!format!("{requests:?}").contains("pass-w0rd"));
    let mut requests = read(&requests);
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
    let keys = Credentials::new("AKIDEXAMPLE", "aws-s3cr3t", None, None, "test");
    let config = cognito(Login::admin_user_password("ada", "pass-w0rd", keys)).responder(challenges::CHOOSES);
    let (cognito, http) = over(config, [asks("NEW_PASSWORD_REQUIRED", json!({})), done(None)]);
    cognito.issue().await.unwrap();
    let requests = http.take();
    for request in &requests {
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
    assert_eq!(read(&requests), [asked("AdminInitiateAuth", begin), asked("AdminRespondToAuthChallenge", answer)]);
}

#[tokio::test]
async fn an_id_token_has_its_own_lifetime() {
    let config = cognito(by_password()).token_use(TokenUse::Id).endpoint("http://127.0.0.1:9999/idp".parse().unwrap());
    let (cognito, http) = over(config, [done(None)]);
    let issued = cognito.issue().await.unwrap();
    assert_eq!((issued.token.expose(), issued.expires_in), (ID, None));
    assert_eq!(http.take()[0].uri(), "http://127.0.0.1:9999/idp/");
}

/// What each failure is, to a program and to a person.
#[tokio::test]
async fn failures() {
    let answers = |status, body: &str| Ok((status, body.to_owned()));
    let (long, cut) = ("x".repeat(300), "x".repeat(200));
    let echo = "Value 'pass-w0rd' at 'password' is not good enough";
    let refused = (ErrorKind::Authentication, "Cognito refused: ");
    let busy = (ErrorKind::Unavailable, "Cognito is not available: ");
    for (answer, (kind, what), why) in [
        (
            refuses("NotAuthorizedException", "Incorrect username or password."),
            refused,
            "Incorrect username or password. (NotAuthorizedException)",
        ),
        (refuses("NotAuthorizedException", &long), refused, &*format!("{cut} (NotAuthorizedException)")),
        (
            refuses("UserLambdaValidationException", "no\u{1b}[31m entry\n"),
            refused,
            "no[31m entry (UserLambdaValidationException)",
        ),
        (refuses("InvalidParameterException", echo), refused, "InvalidParameterException"),
        (refuses("BrandNewException", ""), refused, "BrandNewException"),
        (refuses("TooManyRequestsException", "Rate exceeded"), busy, "Rate exceeded (TooManyRequestsException)"),
        (answers(500, r#"{"__type":"InternalErrorException"}"#), busy, "InternalErrorException"),
        (
            answers(503, "<html>busy</html>"),
            (ErrorKind::Unavailable, "Cognito's answer of HTTP 503 cannot be read"),
            "",
        ),
        (answers(200, "<html>hello</html>"), (ErrorKind::Service, "Cognito's answer of HTTP 200 cannot be read"), ""),
        (answers(200, "{}"), (ErrorKind::Service, "Cognito gave no access token"), ""),
        (Err("connection refused"), (ErrorKind::Unavailable, "Cognito could not be reached"), ""),
    ] {
        let error = cognito(by_password()).over(port([answer.clone()])).issue().await.unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (kind, format!("{what}{why}")), "{answer:?}");
        assert!(!format!("{error:?}").contains("pass-w0rd"));
    }
}

/// Without `ExpiresIn` the token's own claims count; an error may name the user, but repeats no secret.
#[tokio::test]
async fn what_is_left_out_and_what_is_repeated() {
    let bare = json!({"AuthenticationResult": {"AccessToken": ACCESS}});
    let issued = cognito(by_password()).over(port([Ok((200, bare.to_string()))])).issue().await.unwrap();
    assert_eq!(issued.expires_in, None);
    let refusal = refuses("UserNotConfirmedException", "ada@example.com is not confirmed");
    let outcome = cognito(by_password()).over(port([refusal])).issue().await;
    assert_eq!(failure(outcome).1, "Cognito refused: ada@example.com is not confirmed (UserNotConfirmedException)");
    let echo = |secret| refuses("NotAuthorizedException", &format!("no such thing as {secret}"));
    let by_token = cognito(Login::refresh_token("refresh-0")).rotating();
    let logged_out = by_token.over(port([echo("refresh-0")])).logout().await;
    assert_eq!(failure(logged_out).1, "Cognito refused: NotAuthorizedException");
    let by_challenge = cognito(by_password()).responder(challenges::CHOOSES);
    let answers = [asks("NEW_PASSWORD_REQUIRED", json!({})), echo("session-1")];
    let logged_in = by_challenge.over(port(answers)).issue().await;
    assert_eq!(failure(logged_in).1, "Cognito refused: NotAuthorizedException");
}
