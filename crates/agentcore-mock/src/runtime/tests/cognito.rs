//! What the user pool refuses. What it grants, the clients' tests check.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use crate::User;

async fn ask(mock: &Mock, operation: &str, mut body: Value) -> (u16, Value) {
    if body["ClientId"].is_null() {
        body["ClientId"] = mock.client_id().into();
    }
    let target = format!("AWSCognitoIdentityProviderService.{operation}");
    let headers = [("X-Amz-Target", target.as_str()), ("Content-Type", "application/x-amz-json-1.1")];
    let answer = send(mock, "POST /", &headers, &body.to_string()).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

fn hash(mock: &Mock, name: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, mock.client_secret().as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{name}{}", mock.client_id()).as_bytes()))
}

async fn log_in(mock: &Mock) -> Value {
    let user = mock.cognito().user();
    let hash = hash(mock, user.alias());
    let parameters = json!({"USERNAME": user.alias(), "PASSWORD": user.password(), "SECRET_HASH": hash});
    let (status, answer) =
        ask(mock, "InitiateAuth", json!({"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters})).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn refusals() {
    let mock = Mock::builder().user(User::new("ada", "pass-w0rd")).start().await.unwrap();
    let tokens = log_in(&mock).await["AuthenticationResult"].take();
    let (refresh, secret) = (&tokens["RefreshToken"], mock.client_secret());
    let id = mock.cognito().user().id();
    let flow = |name: &str, parameters: Value| json!({"AuthFlow": name, "AuthParameters": parameters});
    let renewal = |hash: String| flow("REFRESH_TOKEN_AUTH", json!({"REFRESH_TOKEN": refresh, "SECRET_HASH": hash}));
    let password = |name: &str, password: &str| {
        flow("USER_PASSWORD_AUTH", json!({"USERNAME": name, "PASSWORD": password, "SECRET_HASH": hash(&mock, name)}))
    };
    let srp = |public: &str| {
        flow("USER_SRP_AUTH", json!({"USERNAME": "ada", "SRP_A": public, "SECRET_HASH": hash(&mock, "ada")}))
    };
    let ok = "";
    for (operation, body, name) in [
        ("InitiateAuth", password("ada", "pass-w0rd"), ok),
        ("InitiateAuth", password(id, "pass-w0rd"), ok),
        ("InitiateAuth", password("ada", "wrong"), "NotAuthorizedException"),
        ("InitiateAuth", password("ada", ""), "NotAuthorizedException"),
        ("InitiateAuth", password("bob", "pass-w0rd"), "NotAuthorizedException"),
        (
            "InitiateAuth",
            flow("USER_PASSWORD_AUTH", json!({"USERNAME": "ada", "PASSWORD": "pass-w0rd"})),
            "NotAuthorizedException",
        ),
        ("InitiateAuth", renewal(hash(&mock, id)), ok),
        ("InitiateAuth", renewal(hash(&mock, "ada")), "NotAuthorizedException"),
        ("InitiateAuth", flow("REFRESH_TOKEN_AUTH", json!({"REFRESH_TOKEN": "x"})), "NotAuthorizedException"),
        ("InitiateAuth", srp("2"), ok),
        ("InitiateAuth", srp("0"), "InvalidParameterException"),
        ("InitiateAuth", flow("ADMIN_USER_PASSWORD_AUTH", json!({})), "InvalidParameterException"),
        ("InitiateAuth", flow("CUSTOM_AUTH", json!({})), "InvalidParameterException"),
        ("InitiateAuth", json!({"ClientId": "other"}), "ResourceNotFoundException"),
        ("AdminInitiateAuth", password("ada", "pass-w0rd"), "MissingAuthenticationTokenException"),
        ("RespondToAuthChallenge", json!({"Session": "x"}), "NotAuthorizedException"),
        ("GetTokensFromRefreshToken", json!({"RefreshToken": refresh, "ClientSecret": secret}), ok),
        ("GetTokensFromRefreshToken", json!({"RefreshToken": refresh, "ClientSecret": "x"}), "NotAuthorizedException"),
        ("GetTokensFromRefreshToken", json!({"RefreshToken": "x", "ClientSecret": secret}), "NotAuthorizedException"),
        ("RevokeToken", json!({"Token": refresh}), "NotAuthorizedException"),
        ("RevokeToken", json!({"Token": "x", "ClientSecret": secret}), ok),
        ("RevokeToken", json!({"Token": refresh, "ClientSecret": secret}), ok),
        ("InitiateAuth", renewal(hash(&mock, id)), "NotAuthorizedException"),
        ("ListUsers", json!({}), "UnknownOperationException"),
    ] {
        let (status, answer) = ask(&mock, operation, body.clone()).await;
        assert_eq!(answer["__type"].as_str().unwrap_or_default(), name, "{operation} {body} {answer}");
        assert_eq!(status == 200, name.is_empty());
    }
}

#[tokio::test]
async fn a_rotating_refresh_token_is_good_once() {
    let mock = Mock::builder().rotate_refresh_tokens(true).start().await.unwrap();
    let first = log_in(&mock).await["AuthenticationResult"]["RefreshToken"].take();
    let renewal = |token: &Value| json!({"RefreshToken": token, "ClientSecret": mock.client_secret()});
    let (_, mut answer) = ask(&mock, "GetTokensFromRefreshToken", renewal(&first)).await;
    let second = answer["AuthenticationResult"]["RefreshToken"].take();
    assert!(second.is_string() && second != first);
    let (_, answer) = ask(&mock, "GetTokensFromRefreshToken", renewal(&first)).await;
    assert_eq!(answer["__type"], "RefreshTokenReuseException");
    let (status, _) = ask(&mock, "GetTokensFromRefreshToken", renewal(&second)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_challenge_is_answered_by_its_user_in_its_form() {
    let user = User::new("ada", "temp0rary").new_password_required();
    let mock = Mock::builder().user(user).user(User::new("bob", "x")).start().await.unwrap();
    let session = log_in(&mock).await["Session"].take();
    let id = mock.cognito().user().id();
    let answer = |challenge: &str, name: &str, password: &str| {
        let responses = json!({"USERNAME": name, "NEW_PASSWORD": password, "SECRET_HASH": hash(&mock, name)});
        json!({"ChallengeName": challenge, "Session": session, "ChallengeResponses": responses})
    };
    for (body, name) in [
        (answer("SMS_MFA", id, "long enough"), "NotAuthorizedException"),
        (answer("NEW_PASSWORD_REQUIRED", "bob", "long enough"), "NotAuthorizedException"),
        (answer("NEW_PASSWORD_REQUIRED", id, "short"), "InvalidPasswordException"),
        (answer("NEW_PASSWORD_REQUIRED", id, "long enough"), ""),
        (answer("NEW_PASSWORD_REQUIRED", id, "long enough"), "NotAuthorizedException"),
    ] {
        let (_, found) = ask(&mock, "RespondToAuthChallenge", body.clone()).await;
        assert_eq!(found["__type"].as_str().unwrap_or_default(), name, "{body}");
    }
}
