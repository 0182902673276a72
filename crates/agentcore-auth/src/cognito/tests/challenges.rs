//! What is asked in the middle of a login, answered and not.

use super::*;

/// Chooses this password and knows no code.
#[derive(Debug)]
pub(super) struct Chooses(pub(super) &'static str);

impl ChallengeResponder for Chooses {
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(std::future::ready(match challenge {
            Challenge::NewPassword { .. } => Ok(Answer::new(self.0)),
            other => Err(other.unanswered()),
        }))
    }
}

/// Has an answer to everything.
#[derive(Debug)]
struct Knows;

impl ChallengeResponder for Knows {
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(std::future::ready(Ok(match challenge {
            Challenge::NewPassword { required_attributes } => required_attributes
                .iter()
                .fold(Answer::new("new-pass"), |answer, name| answer.attribute(name.as_str(), format!("my {name}"))),
            Challenge::SoftwareToken { .. } => Answer::new("111111"),
            Challenge::Sms { .. } => Answer::new("222222"),
            Challenge::SelectMfa { choices } => Answer::new(choices[0].as_str()),
        })))
    }
}

#[tokio::test]
async fn each_answer_has_its_form() {
    let name = json!({"requiredAttributes": r#"["userAttributes.name"]"#, "USER_ID_FOR_SRP": "4c4a-sub"});
    let choices = json!({"MFAS_CAN_CHOOSE": r#"["SMS_MFA","SOFTWARE_TOKEN_MFA"]"#});
    let http = port([
        asks("NEW_PASSWORD_REQUIRED", name),
        asks("SELECT_MFA_TYPE", choices),
        asks("SMS_MFA", json!({})),
        asks("SOFTWARE_TOKEN_MFA", json!({})),
        done(Some("refresh-1")),
    ]);
    cognito(by_password()).client_secret("client-s3cr3t").responder(Knows).over(http.clone()).issue().await.unwrap();
    let answers: Vec<Value> = http.take().into_iter().skip(1).map(|(_, body)| body).collect();
    let answer = |name: &str, mut responses: Value| {
        responses["USERNAME"] = "4c4a-sub".into();
        responses["SECRET_HASH"] = "kKHtNertvUlC6PtjVWCYV0qZsCP30TZWa2ToUUQxcJs=".into();
        json!({
            "ChallengeName": name, "ClientId": "client1", "Session": "session-1", "ChallengeResponses": responses,
        })
    };
    assert_eq!(
        answers,
        [
            answer("NEW_PASSWORD_REQUIRED", json!({"NEW_PASSWORD": "new-pass", "userAttributes.name": "my name"})),
            answer("SELECT_MFA_TYPE", json!({"ANSWER": "SMS_MFA"})),
            answer("SMS_MFA", json!({"SMS_MFA_CODE": "222222"})),
            answer("SOFTWARE_TOKEN_MFA", json!({"SOFTWARE_TOKEN_MFA_CODE": "111111"})),
        ]
    );
}

#[tokio::test]
async fn the_next_login_is_with_the_new_password() {
    let http = port([asks("NEW_PASSWORD_REQUIRED", json!({})), done(None), done(None)]);
    let cognito = cognito(by_password()).responder(Knows).over(http.clone());
    cognito.issue().await.unwrap();
    cognito.issue().await.unwrap();
    assert_eq!(http.take()[2].1["AuthParameters"]["PASSWORD"], "new-pass");
}

#[tokio::test]
async fn a_challenge_without_an_answer_is_named() {
    for (name, answered) in [
        ("NEW_PASSWORD_REQUIRED", false),
        ("SOFTWARE_TOKEN_MFA", false),
        ("SMS_MFA", false),
        ("SELECT_MFA_TYPE", false),
        // Nobody could answer these, a password verifier without SRP among them.
        ("CUSTOM_CHALLENGE", true),
        ("MFA_SETUP", true),
        ("PASSWORD_VERIFIER", true),
    ] {
        let http = port([asks(name, json!({}))]);
        let cognito = cognito(by_password());
        let cognito = if answered { cognito.responder(Knows) } else { cognito };
        let error = cognito.over(http.clone()).issue().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Challenge, "{name}");
        assert_eq!(error.to_string(), format!("Cognito asks for {name}, and nobody is there to answer it"));
    }
    let http = port([asks("SMS_MFA", json!({}))]);
    let error = cognito(by_password()).responder(Chooses("x")).over(http.clone()).issue().await.unwrap_err();
    assert_eq!(error.to_string(), "Cognito asks for SMS_MFA, and nobody is there to answer it");
}

#[tokio::test]
async fn a_wrong_code_is_a_refusal() {
    let http = port([asks("SMS_MFA", json!({})), refuses("CodeMismatchException", "Invalid code 222222")]);
    let error = cognito(by_password()).responder(Knows).over(http.clone()).issue().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Authentication, "Cognito refused: CodeMismatchException")
    );
}

#[tokio::test]
async fn nobody_is_asked_for_ever() {
    let http = port(std::iter::repeat_n(asks("SMS_MFA", json!({})), 20));
    let error = cognito(by_password()).responder(Knows).over(http.clone()).issue().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Challenge, "Cognito asks for more than 8 answers in one login")
    );
    assert_eq!(http.take().len(), 9);
}
