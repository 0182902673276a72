//! Pools that remember devices: the first login, its renewals, the logins after it, and a device that the pool forgot.

use super::*;
use crate::Device;

/// The tokens of a login from a new device.
fn done_from_a_new_device() -> PortAnswer {
    let metadata = json!({"DeviceKey": "us-east-1_d1", "DeviceGroupKey": "-g1"});
    let result = json!({
        "AccessToken": ACCESS, "IdToken": ID, "RefreshToken": "refresh-1", "ExpiresIn": 3600, "NewDeviceMetadata": metadata,
    });
    Ok((200, json!({"AuthenticationResult": result, "ChallengeParameters": {}}).to_string()))
}

fn confirmed() -> PortAnswer {
    Ok((200, r#"{"UserConfirmationNecessary":true}"#.to_owned()))
}

fn kept() -> Device {
    Device::new("us-east-1_d1", "-g1", "device-pass")
}

/// `SRP_B` and `SALT` are any numbers: the golden exchanges check what is made of them.
fn verifier() -> Value {
    json!({"USERNAME": "4c4a-sub", "DEVICE_KEY": "us-east-1_d1", "SALT": "abc", "SRP_B": "1f", "SECRET_BLOCK": "YmxvY2s="})
}

#[tokio::test]
async fn a_new_device_is_confirmed_and_renews() {
    let script = [done_from_a_new_device(), confirmed(), done(None), done(Some("refresh-2"))];
    let (cognito, http) = over(cognito(by_password()), script);
    cognito.issue().await.unwrap();
    let mut requests = sent(&http);
    let verifier = requests[1].1["DeviceSecretVerifierConfig"].take();
    // 384 bytes in Base64, one more where the first is large, and fewer where some are zero.
    assert!((500..=516).contains(&verifier["PasswordVerifier"].as_str().unwrap().len()));
    assert!((20..=24).contains(&verifier["Salt"].as_str().unwrap().len()));
    let body = json!({
        "AccessToken": ACCESS,
        "DeviceKey": "us-east-1_d1",
        "DeviceName": "agentcore-client",
        "DeviceSecretVerifierConfig": null,
    });
    assert_eq!(requests[1], asked("ConfirmDevice", body));
    let device = cognito.device().unwrap();
    assert_eq!((device.key(), device.group_key(), device.expose_password().len()), ("us-east-1_d1", "-g1", 56));
    cognito.issue().await.unwrap();
    let parameters = json!({"REFRESH_TOKEN": "refresh-1", "DEVICE_KEY": "us-east-1_d1"});
    assert_eq!(sent(&http)[0].1["AuthParameters"], parameters);
    // Where refresh tokens rotate, the other operation names the device.
    let (cognito, http) =
        over(super::cognito(Login::refresh_token("refresh-0")).rotating().device(kept()), [done(Some("refresh-1"))]);
    cognito.issue().await.unwrap();
    let body = json!({"RefreshToken": "refresh-0", "ClientId": "client1", "DeviceKey": "us-east-1_d1"});
    assert_eq!(sent(&http), [asked("GetTokensFromRefreshToken", body)]);
}

/// A refresh token that works from no device is not kept: it would be refused in an hour, without a word of the cause.
#[tokio::test]
async fn a_device_that_is_not_confirmed_renews_nothing() {
    for answer in [refuses("InvalidParameterException", "no"), Ok((503, String::new())), Err("connection refused")] {
        let (cognito, http) = over(cognito(by_password()), [done_from_a_new_device(), answer, done(Some("refresh-2"))]);
        assert_eq!(cognito.issue().await.unwrap().token.expose(), ACCESS, "the token itself is good");
        assert!(cognito.refresh_token().is_none() && cognito.device().is_none());
        cognito.issue().await.unwrap();
        assert_eq!(sent(&http)[2].1["AuthFlow"], "USER_PASSWORD_AUTH");
    }
}

#[tokio::test]
async fn a_known_device_proves_its_password() {
    let login = Login::user_srp("ada@example.com", "pass-w0rd");
    let script = [
        asks("PASSWORD_VERIFIER", verifier()),
        asks("DEVICE_SRP_AUTH", json!({"USERNAME": "4c4a-sub"})),
        asks("DEVICE_PASSWORD_VERIFIER", verifier()),
        done(Some("refresh-1")),
    ];
    // 2026-01-05T03:04:05Z
    let clock = ManualClock::new(at(1_767_582_245));
    let (cognito, http) = over(cognito(login).clock(clock).device(kept()), script);
    cognito.issue().await.unwrap();
    let requests = http.take();
    let all = format!("{requests:?}");
    assert!(!all.contains("pass-w0rd") && !all.contains("device-pass"));
    let bodies: Vec<Value> = read(&requests).into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies[0]["AuthParameters"]["DEVICE_KEY"], "us-east-1_d1");
    for (body, name, answers) in [
        (1, "PASSWORD_VERIFIER", &["PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"][..]),
        (2, "DEVICE_SRP_AUTH", &["SRP_A"]),
        (3, "DEVICE_PASSWORD_VERIFIER", &["PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"]),
    ] {
        let (body, responses) = (&bodies[body], bodies[body]["ChallengeResponses"].as_object().unwrap());
        assert_eq!(body["ChallengeName"], name);
        assert_eq!((&responses["USERNAME"], &responses["DEVICE_KEY"]), (&"4c4a-sub".into(), &"us-east-1_d1".into()));
        let mut names: Vec<&str> = responses.keys().map(String::as_str).collect();
        let mut expected = [answers, &["USERNAME", "DEVICE_KEY"]].concat();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected);
    }
    let public = |body: &Value| body["ChallengeResponses"]["SRP_A"].clone();
    assert_ne!(public(&bodies[2]), bodies[0]["AuthParameters"]["SRP_A"], "each proof has a number of its own");
    assert_eq!(cognito.device().unwrap().key(), "us-east-1_d1", "the device stays");
}

/// The device is named in the answer that ends the login, and not where the API takes no such member.
#[tokio::test]
async fn codes_are_given_from_the_device() {
    let responder = challenges::Responder(|_| Ok(Answer::new("new-pass")));
    let config = cognito(by_password()).responder(responder).device(kept());
    let script = [asks("NEW_PASSWORD_REQUIRED", json!({})), asks("SMS_MFA", json!({})), done(None)];
    let (cognito, http) = over(config, script);
    cognito.issue().await.unwrap();
    let responses = fields(&http, "ChallengeResponses");
    assert_eq!(responses[1]["DEVICE_KEY"], Value::Null);
    assert_eq!(responses[2]["DEVICE_KEY"], "us-east-1_d1");
}

/// A device that was removed, or whose password the pool does not believe, is as good as none: one login without it.
#[tokio::test]
async fn a_device_that_the_pool_forgot() {
    let gone = || refuses("ResourceNotFoundException", "Device does not exist.");
    let begun = || asks("DEVICE_SRP_AUTH", json!({}));
    let wrong = || refuses("NotAuthorizedException", "Incorrect username or password.");
    for script in [
        vec![gone()],
        vec![begun(), gone()],
        vec![begun(), wrong()],
        vec![begun(), asks("DEVICE_PASSWORD_VERIFIER", verifier()), wrong()],
    ] {
        let failed = script.len();
        let script = script.into_iter().chain([done_from_a_new_device(), confirmed()]);
        let old = Device::new("us-east-1_d0", "-g0", "old-pass");
        let (cognito, http) = over(cognito(by_password()).device(old), script);
        cognito.issue().await.unwrap();
        let requests = sent(&http);
        let again = json!({"USERNAME": "ada@example.com", "PASSWORD": "pass-w0rd"});
        assert_eq!(requests[failed].1["AuthParameters"], again);
        assert_eq!(cognito.device().unwrap().key(), "us-east-1_d1");
    }
    // What says nothing of the device is what it is.
    for (script, kind) in [
        (vec![wrong()], ErrorKind::Authentication),
        (vec![begun(), Ok((503, String::new()))], ErrorKind::Unavailable),
        (vec![begun(), Err("connection refused")], ErrorKind::Unavailable),
        (vec![gone(), gone()], ErrorKind::Authentication),
    ] {
        let config = cognito(by_password()).device(kept());
        assert_eq!(config.over(port(script)).issue().await.unwrap_err().kind(), kind);
    }
}

/// A renewal from a device that was removed ends the login, and the next one does not name it.
#[tokio::test]
async fn a_renewal_from_a_device_that_the_pool_forgot() {
    let gone = refuses("ResourceNotFoundException", "Device does not exist.");
    let config = cognito(by_password()).device(kept()).resuming("refresh-0");
    let (cognito, http) = over(config, [gone, done_from_a_new_device(), confirmed()]);
    cognito.issue().await.unwrap();
    assert_eq!(sent(&http)[1].1["AuthParameters"]["DEVICE_KEY"], Value::Null);
}

#[tokio::test]
async fn a_device_is_stored_with_its_login() {
    let (cognito, http) = over(cognito(by_password()), [done_from_a_new_device(), confirmed(), done(None)]);
    let issued = cognito.issue().await.unwrap();
    let stored = cognito.remember(StoredToken::new(issued.token, at(0)));
    let other = super::cognito(by_password()).over(http.clone());
    other.resume(&stored);
    http.take();
    other.issue().await.unwrap();
    assert_eq!(sent(&http)[0].1["AuthParameters"]["DEVICE_KEY"], "us-east-1_d1");
}
