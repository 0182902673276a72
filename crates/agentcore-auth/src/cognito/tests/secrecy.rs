//! The secrets of every flow are absent from `Debug`, errors and a log at its most talkative.

use std::fmt::Write as _;

use super::*;
use crate::testing::CapturedLog;

const SECRETS: &[&str] = &[
    "pass-w0rd",
    "new-pass",
    "client-s3cr3t",
    "aws-s3cr3t",
    "refresh-",
    "session-1",
    "424242",
    ACCESS,
    ID,
    "kKHtNertvU",
];

#[tokio::test(flavor = "current_thread")]
async fn no_secret_is_logged_or_shown() {
    const KNOWS: challenges::Responder = challenges::Responder(|challenge| {
        tracing::info!("a responder is asked");
        let new_password = matches!(challenge, Challenge::NewPassword { .. });
        Ok(Answer::new(if new_password { "new-pass" } else { "424242" }))
    });

    let (log, guard) = CapturedLog::begin();
    let echo = SECRETS.join(" ");
    let srp = json!({"USER_ID_FOR_SRP": "srp-id", "SALT": "abc", "SRP_B": "1f", "SECRET_BLOCK": "YmxvY2s="});
    let endings = || {
        [
            done(Some("refresh-1")),
            refuses("NotAuthorizedException", &echo),
            Ok((200, format!("{{ {echo}"))),
            Ok((500, echo.clone())),
            Err("reset"),
        ]
    };
    let keys = Credentials::new("AKIDEXAMPLE", "aws-s3cr3t", None, None, "test");
    let password = |flow: fn(&'static str, &'static str) -> Login| flow("ada@example.com", "pass-w0rd");
    let mut shown = String::new();
    for (login, before) in [
        (password(Login::user_password), vec![asks("SMS_MFA", json!({}))]),
        (password(Login::user_srp), vec![asks("PASSWORD_VERIFIER", srp)]),
        (
            Login::admin_user_password("ada@example.com", "pass-w0rd", keys),
            vec![asks("NEW_PASSWORD_REQUIRED", json!({}))],
        ),
        (Login::refresh_token("refresh-0"), vec![refuses("UnsupportedOperationException", &echo)]),
    ] {
        for ending in endings() {
            // One for the flow, one for the renewal and one for the logout.
            let script = before.iter().cloned().chain([ending, done(Some("refresh-2")), refuses("Odd", &echo)]);
            let config = cognito(login.clone()).responder(KNOWS).known_as("4c4a-sub").client_secret("client-s3cr3t");
            let cognito = config.over(port(script.chain(endings())));
            write!(shown, "{cognito:?}").unwrap();
            for _ in 0..2 {
                match cognito.issue().await {
                    Ok(issued) => write!(shown, "{issued:?}").unwrap(),
                    Err(error) => write!(shown, "{error} {error:?}").unwrap(),
                }
            }
            if let Err(error) = cognito.logout().await {
                write!(shown, "{error} {error:?}").unwrap();
            }
            write!(shown, "{cognito:?}").unwrap();
        }
    }
    drop(guard);
    let log = log.text();
    assert!(log.contains("a responder is asked"), "the log was captured");
    assert!(shown.contains("Cognito refused"), "errors were shown");
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} in the log");
        assert!(!shown.contains(secret), "{secret} in Debug or an error");
    }
}
