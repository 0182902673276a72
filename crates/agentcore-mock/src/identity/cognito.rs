//! The operations of the Amazon Cognito API: logins, challenges, renewals, revocations. Writes no HTTP.
//!
//! Written from the API reference and the developer guide, and from no client's code: `SECRET_HASH` and SRP are computed here
//! a second time.

use std::time::SystemTime;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    issuer::CLIENT_ID,
    srp::SrpServer,
    user::User,
    user_pool::{Challenge, PendingChallenge, RefreshToken, State, UserPool, random_secret},
};
use crate::{
    record::{Caller, RecordedRequest},
    service_error::ServiceError,
    verify::SigV4Verifier,
};

type Outcome = Result<Value, ServiceError>;

/// Answers the operation that a header names; `verifier` verifies the signatures of administrators.
pub(crate) fn call(pool: &UserPool, request: &mut RecordedRequest, verifier: &SigV4Verifier<'_>) -> Outcome {
    if pool.takes_outage() {
        let status = http::StatusCode::SERVICE_UNAVAILABLE;
        return Err(ServiceError::new(status, "ServiceUnavailableException", "Try again."));
    }
    let operation = request.header("x-amz-target").and_then(|target| target.strip_prefix(SERVICE)).unwrap_or_default();
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let call = Call { pool, body, now: verifier.now };
    match operation {
        "InitiateAuth" => call.initiate_auth(false),
        "RespondToAuthChallenge" => call.respond_to_auth_challenge(),
        "AdminInitiateAuth" | "AdminRespondToAuthChallenge" => {
            let initiates = operation == "AdminInitiateAuth";
            request.caller = Some(verifier.verify(request)?);
            call.check_exists("UserPoolId", pool.id(), "User pool does not exist.")?;
            if initiates { call.initiate_auth(true) } else { call.respond_to_auth_challenge() }
        }
        "GetTokensFromRefreshToken" => call.get_tokens_from_refresh_token(),
        "RevokeToken" => call.revoke_token(),
        "ConfirmDevice" => call.confirm_device(),
        _ => Err(refuse("UnknownOperationException", "There is no such operation.")),
    }
}

struct Call<'a> {
    pool: &'a UserPool,
    body: Value,
    now: SystemTime,
}

impl Call<'_> {
    /// Handles `InitiateAuth` or `AdminInitiateAuth`.
    fn initiate_auth(&self, admin: bool) -> Outcome {
        self.check_client()?;
        let pool = self.pool;
        let mut state = pool.state();
        let sent = |name: &str| text(&self.body["AuthParameters"][name]);
        match (text(&self.body["AuthFlow"]), admin) {
            ("USER_PASSWORD_AUTH", false) | ("ADMIN_USER_PASSWORD_AUTH", true) => {
                let name = sent("USERNAME");
                self.check_secret_hash(name, sent("SECRET_HASH"))?;
                let user = pool.find(name).ok_or_else(wrong_password)?;
                if sent("PASSWORD").is_empty() || sent("PASSWORD") != state.password(user) {
                    return Err(wrong_password());
                }
                let device = named_device(&state, user, sent("DEVICE_KEY"))?;
                self.continue_login(&mut state, Login { user, device })
            }
            ("USER_SRP_AUTH", _) => {
                let name = sent("USERNAME");
                self.check_secret_hash(name, sent("SECRET_HASH"))?;
                let user = pool.find(name).ok_or_else(wrong_password)?;
                let pool_name = pool.id().split_once('_').map_or("", |(_, name)| name);
                let server = SrpServer::new(pool_name, &user.id, state.password(user), sent("SRP_A"));
                let server = server.ok_or_else(not_public)?;
                let device = named_device(&state, user, sent("DEVICE_KEY"))?;
                let parameters = json!({
                    "SALT": server.salt(),
                    "SRP_B": server.public(),
                    "SECRET_BLOCK": server.secret_block(),
                    "USERNAME": user.id,
                    "USER_ID_FOR_SRP": user.id,
                });
                let next = Challenge::PasswordVerifier(Box::new(server));
                Ok(challenge(&mut state, Login { user, device }, next, parameters))
            }
            ("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN", _) => {
                if pool.rotates_refresh_tokens {
                    return Err(invalid("REFRESH_TOKEN_AUTH flow not enabled for this client"));
                }
                let user = self.refresh_token_user(&state, sent("REFRESH_TOKEN"), sent("DEVICE_KEY"))?;
                // A renewal takes the user name, not the alias that was typed.
                self.check_secret_hash(&user.id, sent("SECRET_HASH"))?;
                self.tokens(user, None, None)
            }
            _ => Err(invalid("The flow is not enabled for this client")),
        }
    }

    /// Handles `RespondToAuthChallenge` or `AdminRespondToAuthChallenge`.
    fn respond_to_auth_challenge(&self) -> Outcome {
        self.check_client()?;
        let pool = self.pool;
        let mut state = pool.state();
        let sent = |name: &str| text(&self.body["ChallengeResponses"][name]);
        let session = text(&self.body["Session"]);
        let invalid_session = || not_authorized("Invalid session for the user.");
        let pending = state.pending.get(session).ok_or_else(invalid_session)?;
        let user = pool.find(&pending.user).ok_or_else(wrong_password)?;
        let name = sent("USERNAME");
        if text(&self.body["ChallengeName"]) != pending.challenge.name()
            || pool.find(name).is_none_or(|it| it.id != user.id)
        {
            return Err(invalid_session());
        }
        self.check_secret_hash(name, sent("SECRET_HASH"))?;
        let device = match sent("DEVICE_KEY") {
            "" => pending.device.clone(),
            key => named_device(&state, user, key)?,
        };
        let login = Login { user, device };
        match &pending.challenge {
            Challenge::PasswordVerifier(server) => {
                let is_proved = self.is_proved(server);
                state.pending.remove(session);
                if is_proved { self.continue_login(&mut state, login) } else { Err(wrong_password()) }
            }
            Challenge::DeviceSrp => {
                let key = login.device.clone().ok_or_else(|| invalid("Missing required parameter DEVICE_KEY"))?;
                let server = state.devices.srp(&key, sent("SRP_A")).ok_or_else(not_public)?;
                state.pending.remove(session);
                let parameters = json!({
                    "SALT": server.salt(),
                    "SRP_B": server.public(),
                    "SECRET_BLOCK": server.secret_block(),
                    "USERNAME": user.id,
                    "DEVICE_KEY": key,
                });
                let next = Challenge::DevicePasswordVerifier(Box::new(server));
                Ok(challenge(&mut state, login, next, parameters))
            }
            Challenge::DevicePasswordVerifier(server) => {
                let is_proved = self.is_proved(server) && !sent("DEVICE_KEY").is_empty();
                state.pending.remove(session);
                if is_proved { self.log_in(&mut state, login) } else { Err(wrong_password()) }
            }
            Challenge::NewPassword => {
                let password = sent("NEW_PASSWORD").to_owned();
                if password.chars().count() < MIN_PASSWORD_CHARS {
                    return Err(refuse("InvalidPasswordException", "Password does not conform to policy."));
                }
                state.pending.remove(session);
                state.passwords.insert(user.id.clone(), password);
                self.continue_login(&mut state, login)
            }
            Challenge::SoftwareToken => {
                if !user.accepts_code(sent("SOFTWARE_TOKEN_MFA_CODE"), self.now) {
                    return Err(refuse("CodeMismatchException", "Invalid code received for user"));
                }
                state.pending.remove(session);
                self.log_in(&mut state, login)
            }
            Challenge::EmailCode => {
                if user.email_code.as_deref() != Some(sent("EMAIL_OTP_CODE")) {
                    return Err(refuse("CodeMismatchException", "Invalid code received for user"));
                }
                state.pending.remove(session);
                self.log_in(&mut state, login)
            }
        }
    }

    /// Returns whether the responses prove a password.
    fn is_proved(&self, server: &SrpServer) -> bool {
        let sent = |name: &str| text(&self.body["ChallengeResponses"][name]);
        let is_same_block = sent("PASSWORD_CLAIM_SECRET_BLOCK") == server.secret_block();
        is_same_block && server.verify(sent("PASSWORD_CLAIM_SIGNATURE"), sent("TIMESTAMP"))
    }

    /// Handles `GetTokensFromRefreshToken`: the client authenticates by its secret and names no user.
    fn get_tokens_from_refresh_token(&self) -> Outcome {
        self.check_client()?;
        self.check_secret()?;
        let pool = self.pool;
        let mut state = pool.state();
        let token = text(&self.body["RefreshToken"]);
        if pool.rotates_refresh_tokens && state.refresh_tokens.get(token).is_some_and(|token| !token.is_valid) {
            return Err(refuse("RefreshTokenReuseException", "The refresh token has been used."));
        }
        let user = self.refresh_token_user(&state, token, text(&self.body["DeviceKey"]))?;
        let used = state.refresh_tokens.get_mut(token).filter(|_| pool.rotates_refresh_tokens);
        let device = used.map(|used| {
            used.is_valid = false;
            used.device.clone()
        });
        let next = device.map(|device| new_refresh_token(&mut state, user, device)).transpose()?;
        self.tokens(user, next, None)
    }

    /// Handles `RevokeToken`: an invalid token is no error (RFC 7009 §2.2).
    fn revoke_token(&self) -> Outcome {
        self.check_client()?;
        self.check_secret()?;
        if let Some(token) = self.pool.state().refresh_tokens.get_mut(text(&self.body["Token"])) {
            token.is_valid = false;
        }
        Ok(Value::Null)
    }

    /// Handles `ConfirmDevice`, which an access token of the device's user authorizes.
    fn confirm_device(&self) -> Outcome {
        let invalid_token = |_| not_authorized("Invalid Access Token");
        let caller =
            self.pool.issuer.authorizer(self.now).verify(text(&self.body["AccessToken"])).map_err(invalid_token)?;
        let Caller::Jwt { subject } = caller else { return Err(not_authorized("Invalid Access Token")) };
        let (mut state, key) = (self.pool.state(), text(&self.body["DeviceKey"]));
        if !state.devices.is_known(&subject, key) {
            return Err(no_device());
        }
        if !state.devices.confirm(&subject, key, &self.body["DeviceSecretVerifierConfig"]) {
            return Err(invalid("Invalid device secret verifier config."));
        }
        Ok(json!({ "UserConfirmationNecessary": false }))
    }

    /// Goes on after the password: with the next challenge or the tokens.
    fn continue_login(&self, state: &mut State, login: Login<'_>) -> Outcome {
        let user = login.user;
        if state.requires_new_password(user) {
            let parameters = json!({ "USER_ID_FOR_SRP": user.id, "requiredAttributes": "[]", "userAttributes": "{}" });
            return Ok(challenge(state, login, Challenge::NewPassword, parameters));
        }
        if login.device.as_ref().is_some_and(|key| state.devices.is_confirmed(&user.id, key)) {
            return Ok(challenge(state, login, Challenge::DeviceSrp, json!({ "USERNAME": user.id })));
        }
        if user.has_totp() {
            let parameters = json!({ "USER_ID_FOR_SRP": user.id, "FRIENDLY_DEVICE_NAME": "mock" });
            return Ok(challenge(state, login, Challenge::SoftwareToken, parameters));
        }
        if user.email_code.is_some() {
            let parameters = json!({
                "USER_ID_FOR_SRP": user.id,
                "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
                "CODE_DELIVERY_DESTINATION": "a***@e***",
            });
            return Ok(challenge(state, login, Challenge::EmailCode, parameters));
        }
        self.log_in(state, login)
    }

    fn log_in(&self, state: &mut State, Login { user, device }: Login<'_>) -> Outcome {
        let region = self.pool.id().split_once('_').map_or("", |(region, _)| region);
        let new = (self.pool.remembers_devices && device.is_none()).then(|| state.devices.make(&user.id, region));
        let device = new.as_ref().map(|new| text(&new["DeviceKey"]).to_owned()).or(device);
        let refresh_token = new_refresh_token(state, user, device)?;
        self.tokens(user, Some(refresh_token), new)
    }

    /// Issues the tokens of a login or a renewal.
    fn tokens(&self, user: &User, refresh_token: Option<String>, new_device: Option<Value>) -> Outcome {
        let sign = |claims: &Map<String, Value>| {
            let error = |_| refuse("InternalErrorException", "The token cannot be signed.");
            self.pool.issuer.sign(claims).map_err(error)
        };
        let mut claims = self.pool.issuer.claims(self.now, self.pool.token_lifetime);
        claims.insert("sub".into(), user.id.clone().into());
        claims.insert("username".into(), user.id.clone().into());
        let access_token = sign(&claims)?;
        for name in ["client_id", "scope", "username", "version"] {
            claims.remove(name);
        }
        claims.insert("token_use".into(), "id".into());
        claims.insert("aud".into(), CLIENT_ID.into());
        claims.insert("cognito:username".into(), user.id.clone().into());
        claims.insert("email".into(), user.alias.clone().into());
        claims.insert("jti".into(), Uuid::new_v4().to_string().into());
        let mut result = json!({
            "AccessToken": access_token,
            "IdToken": sign(&claims)?,
            "ExpiresIn": self.pool.token_lifetime.as_secs(),
            "TokenType": "Bearer",
        });
        if let Some(token) = refresh_token {
            result["RefreshToken"] = token.into();
        }
        if let Some(metadata) = new_device {
            result["NewDeviceMetadata"] = metadata;
        }
        Ok(json!({ "AuthenticationResult": result, "ChallengeParameters": {} }))
    }

    /// Returns the user of a refresh token, which a device that is not confirmed cannot use.
    fn refresh_token_user(&self, state: &State, token: &str, device: &str) -> Result<&User, ServiceError> {
        let token = state.refresh_tokens.get(token).ok_or_else(|| not_authorized("Invalid Refresh Token"))?;
        if !token.is_valid {
            return Err(not_authorized("Refresh Token has been revoked"));
        }
        let is_from_there = |key: &String| key == device && state.devices.is_confirmed(&token.user, key);
        if !token.device.as_ref().is_none_or(is_from_there) {
            return Err(not_authorized("Invalid Refresh Token"));
        }
        self.pool.find(&token.user).ok_or_else(wrong_password)
    }

    fn check_client(&self) -> Result<(), ServiceError> {
        self.check_exists("ClientId", CLIENT_ID, "User pool client does not exist.")
    }

    fn check_exists(&self, field: &str, id: &str, message: &str) -> Result<(), ServiceError> {
        if self.body[field] == id { Ok(()) } else { Err(refuse("ResourceNotFoundException", message)) }
    }

    fn check_secret(&self) -> Result<(), ServiceError> {
        let expected = self.pool.client_secret().as_bytes();
        let given = text(&self.body["ClientSecret"]).as_bytes();
        verify_slices_are_equal(given, expected).map_err(|_| not_authorized("The client's secret is missing or wrong"))
    }

    /// Checks `SECRET_HASH`: Base64 of the secret's HMAC-SHA256 over the user name and the client id.
    fn check_secret_hash(&self, username: &str, given: &str) -> Result<(), ServiceError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.pool.client_secret().as_bytes());
        let message = [username.as_bytes(), CLIENT_ID.as_bytes()].concat();
        hmac::verify(&key, &message, &STANDARD.decode(given).unwrap_or_default())
            .map_err(|_| not_authorized(format!("SecretHash does not match for the client: {CLIENT_ID}")))
    }
}

/// A login that is under way.
struct Login<'a> {
    user: &'a User,
    /// The device that it names.
    device: Option<String>,
}

/// Returns the device that a request names, if it does.
fn named_device(state: &State, user: &User, key: &str) -> Result<Option<String>, ServiceError> {
    match key {
        "" => Ok(None),
        key if state.devices.is_known(&user.id, key) => Ok(Some(key.to_owned())),
        _ => Err(no_device()),
    }
}

/// Keeps a challenge and makes the response that states it.
fn challenge(state: &mut State, login: Login<'_>, challenge: Challenge, parameters: Value) -> Value {
    let session = Uuid::new_v4().to_string();
    let name = challenge.name();
    let pending = PendingChallenge { user: login.user.id.clone(), device: login.device, challenge };
    state.pending.insert(session.clone(), pending);
    json!({ "ChallengeName": name, "Session": session, "ChallengeParameters": parameters })
}

fn new_refresh_token(state: &mut State, user: &User, device: Option<String>) -> Result<String, ServiceError> {
    let token = random_secret().map_err(|_| refuse("InternalErrorException", "There are no random numbers."))?;
    state.refresh_tokens.insert(token.clone(), RefreshToken { user: user.id.clone(), is_valid: true, device });
    Ok(token)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn no_device() -> ServiceError {
    refuse("ResourceNotFoundException", "Device does not exist.")
}

fn not_public() -> ServiceError {
    invalid("SRP_A is not a public number.")
}

fn wrong_password() -> ServiceError {
    not_authorized("Incorrect username or password.")
}

fn not_authorized(message: impl Into<String>) -> ServiceError {
    refuse("NotAuthorizedException", message)
}

fn invalid(message: &str) -> ServiceError {
    refuse("InvalidParameterException", message)
}

fn refuse(name: &'static str, message: impl Into<String>) -> ServiceError {
    ServiceError::new(http::StatusCode::BAD_REQUEST, name, message)
}

const SERVICE: &str = "AWSCognitoIdentityProviderService.";
const MIN_PASSWORD_CHARS: usize = 8;
