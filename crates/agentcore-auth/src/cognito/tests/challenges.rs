//! What is asked in the middle of a login, answered and not.

use super::*;

/// Answers by a function.
#[derive(Debug)]
pub(super) struct Responder(pub(super) fn(&Challenge) -> Result<Answer, Error>);

impl ChallengeResponder for Responder {
    fn respond<'a>(&'a self, challenge: &'a Challenge) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(std::future::ready((self.0)(challenge)))
    }
}

/// Chooses a new password and knows no code.
pub(super) const CHOOSES: Responder = Responder(|challenge| match challenge {
    Challenge::NewPassword { .. } => Ok(Answer::new("new-pass")),
    other => Err(other.unanswered()),
});

/// Has an answer to everything.
const KNOWS: Responder = Responder(|challenge| {
    Ok(match challenge {
        Challenge::NewPassword { required_attributes } => required_attributes
            .iter()
            .fold(Answer::new("new-pass"), |answer, name| answer.attribute(name.as_str(), format!("my {name}"))),
        Challenge::SoftwareToken { .. } => Answer::new("111111"),
        Challenge::Sms { .. } => Answer::new("222222"),
        Challenge::Email { .. } => Answer::new("333333"),
        Challenge::SelectMfa { choices } => Answer::new(choices[0].as_str()),
    })
});

#[tokio::test]
async fn each_answer_has_its_form() {
    let name = json!({"requiredAttributes": r#"["userAttributes.name"]"#, "USER_ID_FOR_SRP": "4c4a-sub"});
    let choices = json!({"MFAS_CAN_CHOOSE": r#"["SMS_MFA","SOFTWARE_TOKEN_MFA"]"#});
    let script = [
        asks("NEW_PASSWORD_REQUIRED", name),
        asks("SELECT_MFA_TYPE", choices),
        asks("SMS_MFA", json!({})),
        asks("SOFTWARE_TOKEN_MFA", json!({})),
        asks("EMAIL_OTP", json!({"CODE_DELIVERY_DESTINATION": "a***"})),
        done(Some("refresh-1")),
    ];
    let (cognito, http) = over(cognito(by_password()).client_secret("client-s3cr3t").responder(KNOWS), script);
    cognito.issue().await.unwrap();
    let answers: Vec<Value> = sent(&http).into_iter().skip(1).map(|(_, body)| body).collect();
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
            answer("EMAIL_OTP", json!({"EMAIL_OTP_CODE": "333333"})),
        ]
    );
}

#[tokio::test]
async fn the_next_login_is_with_the_new_password() {
    let script = [asks("NEW_PASSWORD_REQUIRED", json!({})), done(None), done(None)];
    let (cognito, http) = over(cognito(by_password()).responder(KNOWS), script);
    cognito.issue().await.unwrap();
    cognito.issue().await.unwrap();
    assert_eq!(sent(&http)[2].1["AuthParameters"]["PASSWORD"], "new-pass");
}

#[tokio::test]
async fn a_challenge_without_an_answer_is_named() {
    let (nobody, knows) = (cognito(by_password()), cognito(by_password()).responder(KNOWS));
    let chooses = cognito(by_password()).responder(CHOOSES);
    let answerless = "and nobody is there to answer it";
    for (config, name, why) in [
        (&nobody, "NEW_PASSWORD_REQUIRED", answerless),
        (&nobody, "SOFTWARE_TOKEN_MFA", answerless),
        (&nobody, "SMS_MFA", answerless),
        (&nobody, "EMAIL_OTP", answerless),
        (&nobody, "SELECT_MFA_TYPE", answerless),
        (&chooses, "SMS_MFA", answerless),
        // Nobody could answer these, a password verifier without SRP among them.
        (&nobody, "CUSTOM_CHALLENGE", "which this client does not support"),
        (&knows, "CUSTOM_CHALLENGE", "which this client does not support"),
        (&knows, "SELECT_CHALLENGE", "which this client does not support"),
        (&knows, "WEB_AUTHN", "which this client does not support"),
        (&knows, "PASSWORD_VERIFIER", "which this client does not support"),
        (&knows, "A_NEW_ONE", "which this client does not support"),
        (&knows, "DEVICE_SRP_AUTH", "and the device that it remembers is not known here"),
    ] {
        let outcome = config.clone().over(port([asks(name, json!({}))])).issue().await;
        let message = format!("Cognito asks for {name}, {why}");
        assert_eq!(failure(outcome), (ErrorKind::Challenge, message));
    }
    let outcome = knows.over(port([asks("MFA_SETUP", json!({}))])).issue().await;
    let message = "Cognito asks for MFA_SETUP: the user must set up a second factor first, such as on the pool's own sign-in page";
    assert_eq!(failure(outcome), (ErrorKind::Challenge, message.to_owned()));
}

#[tokio::test]
async fn a_wrong_code_is_a_refusal() {
    let script = [asks("SMS_MFA", json!({})), refuses("CodeMismatchException", "Invalid code 222222")];
    let outcome = cognito(by_password()).responder(KNOWS).over(port(script)).issue().await;
    assert_eq!(failure(outcome), (ErrorKind::Authentication, "Cognito refused: CodeMismatchException".to_owned()));
}

#[tokio::test]
async fn nobody_is_asked_for_ever() {
    let script = std::iter::repeat_n(asks("SMS_MFA", json!({})), 20);
    let (cognito, http) = over(cognito(by_password()).responder(KNOWS), script);
    let message = "Cognito asks for more than 8 answers in one login".to_owned();
    assert_eq!(failure(cognito.issue().await), (ErrorKind::Challenge, message));
    assert_eq!(sent(&http).len(), 9);
}
