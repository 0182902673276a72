//! The operations of Cognito, from a request's body to an answer's. Writes no HTTP.

use std::time::SystemTime;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    pool::{POOL, Pending, Question, State},
    srp,
    user::User,
};
use crate::{
    REGION, RecordedRequest,
    identity::{CLIENT_ID, random_secret, unix_seconds},
    refusal::Refusal,
    runtime::Runtime,
    verify::Door,
};

type Answer = Result<Value, Refusal>;

/// Answers the operation that the request names.
pub(super) fn answer(runtime: &Runtime, request: &mut RecordedRequest) -> Answer {
    let operation = request.header("x-amz-target").and_then(|target| target.strip_prefix(SERVICE)).unwrap_or_default();
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let call = Call { runtime, body, now: (runtime.clock)() };
    match operation {
        "InitiateAuth" => call.initiate(false),
        "RespondToAuthChallenge" => call.respond(),
        "AdminInitiateAuth" | "AdminRespondToAuthChallenge" => {
            let initiate = operation == "AdminInitiateAuth";
            request.caller = Some(call.door().verify_signature(request)?);
            call.check_pool()?;
            if initiate { call.initiate(true) } else { call.respond() }
        }
        "GetTokensFromRefreshToken" => call.renew(),
        "RevokeToken" => call.revoke(),
        _ => Err(refuse("UnknownOperationException", "There is no such operation.")),
    }
}

struct Call<'a> {
    runtime: &'a Runtime,
    body: Value,
    now: SystemTime,
}

impl Call<'_> {
    /// `InitiateAuth`, or with the permissions of an administrator.
    fn initiate(&self, admin: bool) -> Answer {
        self.check_client()?;
        let pool = &self.runtime.pool;
        let mut state = pool.state();
        let sent = |name: &str| text(&self.body["AuthParameters"][name]);
        match (text(&self.body["AuthFlow"]), admin) {
            ("USER_PASSWORD_AUTH", false) | ("ADMIN_USER_PASSWORD_AUTH", true) => {
                let name = sent("USERNAME");
                self.check_hash(name, sent("SECRET_HASH"))?;
                let user = pool.find(name).ok_or_else(wrong_password)?;
                if sent("PASSWORD").is_empty() || sent("PASSWORD") != state.password(user) {
                    return Err(wrong_password());
                }
                self.go_on(&mut state, user)
            }
            ("USER_SRP_AUTH", _) => {
                let name = sent("USERNAME");
                self.check_hash(name, sent("SECRET_HASH"))?;
                let user = pool.find(name).ok_or_else(wrong_password)?;
                let exchange = srp::Exchange::new(POOL.1, &user.id, state.password(user), sent("SRP_A"));
                let exchange = exchange.ok_or_else(|| invalid("SRP_A is not a public number."))?;
                let parameters = json!({
                    "SALT": exchange.salt(),
                    "SRP_B": exchange.public(),
                    "SECRET_BLOCK": exchange.block(),
                    "USERNAME": user.id,
                    "USER_ID_FOR_SRP": user.id,
                });
                Ok(ask(&mut state, user, Question::PasswordVerifier(Box::new(exchange)), parameters))
            }
            ("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN", _) => {
                if pool.rotates {
                    return Err(invalid("REFRESH_TOKEN_AUTH flow not enabled for this client"));
                }
                let user = self.holder(&state, sent("REFRESH_TOKEN"))?;
                // The alias that was typed is no good here: a renewal is in the user's real name.
                self.check_hash(&user.id, sent("SECRET_HASH"))?;
                self.tokens(user, None)
            }
            _ => Err(invalid("The flow is not enabled for this client")),
        }
    }

    /// `RespondToAuthChallenge`.
    fn respond(&self) -> Answer {
        self.check_client()?;
        let pool = &self.runtime.pool;
        let mut state = pool.state();
        let sent = |name: &str| text(&self.body["ChallengeResponses"][name]);
        let session = text(&self.body["Session"]);
        let pending = state
            .pending
            .get(session)
            .ok_or_else(|| refuse("NotAuthorizedException", "Invalid session for the user."))?;
        let user = pool.find(&pending.user).ok_or_else(wrong_password)?;
        let name = sent("USERNAME");
        if text(&self.body["ChallengeName"]) != pending.question.name()
            || pool.find(name).is_none_or(|it| it.id != user.id)
        {
            return Err(refuse("NotAuthorizedException", "Invalid session for the user."));
        }
        self.check_hash(name, sent("SECRET_HASH"))?;
        match &pending.question {
            Question::PasswordVerifier(exchange) => {
                let named = sent("PASSWORD_CLAIM_SECRET_BLOCK") == exchange.block();
                let proved = exchange.verify(sent("PASSWORD_CLAIM_SIGNATURE"), sent("TIMESTAMP"));
                state.pending.remove(session);
                if named && proved { self.go_on(&mut state, user) } else { Err(wrong_password()) }
            }
            Question::NewPassword => {
                let password = sent("NEW_PASSWORD").to_owned();
                if password.chars().count() < SHORTEST_PASSWORD {
                    return Err(refuse("InvalidPasswordException", "Password does not conform to policy."));
                }
                state.pending.remove(session);
                state.passwords.insert(user.id.clone(), password);
                self.go_on(&mut state, user)
            }
            Question::SoftwareToken => {
                if !user.accepts(sent("SOFTWARE_TOKEN_MFA_CODE"), self.now) {
                    return Err(refuse("CodeMismatchException", "Invalid code received for user"));
                }
                state.pending.remove(session);
                self.log_in(&mut state, user)
            }
        }
    }

    /// `GetTokensFromRefreshToken`: the client proves itself by its secret and names no user.
    fn renew(&self) -> Answer {
        self.check_client()?;
        self.check_secret()?;
        let pool = &self.runtime.pool;
        let mut state = pool.state();
        let token = text(&self.body["RefreshToken"]);
        if pool.rotates && state.refresh_tokens.get(token).is_some_and(|(_, good)| !good) {
            return Err(refuse("RefreshTokenReuseException", "The refresh token has been used."));
        }
        let user = self.holder(&state, token)?;
        let next = if pool.rotates {
            state.refresh_tokens.insert(token.to_owned(), (user.id.clone(), false));
            Some(new_refresh_token(&mut state, user)?)
        } else {
            None
        };
        self.tokens(user, next)
    }

    /// `RevokeToken`: a token that is not good is none of the client's business (RFC 7009 §2.2).
    fn revoke(&self) -> Answer {
        self.check_client()?;
        self.check_secret()?;
        if let Some((_, good)) = self.runtime.pool.state().refresh_tokens.get_mut(text(&self.body["Token"])) {
            *good = false;
        }
        Ok(Value::Null)
    }

    /// The password is right: asks for what else is missing.
    fn go_on(&self, state: &mut State, user: &User) -> Answer {
        if state.must_choose(user) {
            let parameters = json!({ "USER_ID_FOR_SRP": user.id, "requiredAttributes": "[]", "userAttributes": "{}" });
            return Ok(ask(state, user, Question::NewPassword, parameters));
        }
        if user.has_totp() {
            let parameters = json!({ "USER_ID_FOR_SRP": user.id, "FRIENDLY_DEVICE_NAME": "mock" });
            return Ok(ask(state, user, Question::SoftwareToken, parameters));
        }
        self.log_in(state, user)
    }

    fn log_in(&self, state: &mut State, user: &User) -> Answer {
        let refresh_token = new_refresh_token(state, user)?;
        self.tokens(user, Some(refresh_token))
    }

    /// The tokens of a login or a renewal.
    fn tokens(&self, user: &User, refresh_token: Option<String>) -> Answer {
        let life = self.runtime.token_endpoint.life.as_secs();
        let sign = |claims: &Map<String, Value>| {
            self.runtime
                .issuer
                .sign(claims)
                .map_err(|_| refuse("InternalErrorException", "The token cannot be signed."))
        };
        let mut claims = self.runtime.issuer.claims(self.now);
        claims.insert("sub".into(), user.id.clone().into());
        claims.insert("username".into(), user.id.clone().into());
        claims.insert("exp".into(), (unix_seconds(self.now) + life).into());
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
            "ExpiresIn": life,
            "TokenType": "Bearer",
        });
        if let Some(token) = refresh_token {
            result["RefreshToken"] = token.into();
        }
        Ok(json!({ "AuthenticationResult": result, "ChallengeParameters": {} }))
    }

    /// Whose a refresh token is.
    fn holder(&self, state: &State, token: &str) -> Result<&User, Refusal> {
        match state.refresh_tokens.get(token) {
            Some((user, true)) => self.runtime.pool.find(user).ok_or_else(wrong_password),
            Some((_, false)) => Err(refuse("NotAuthorizedException", "Refresh Token has been revoked")),
            None => Err(refuse("NotAuthorizedException", "Invalid Refresh Token")),
        }
    }

    fn check_client(&self) -> Result<(), Refusal> {
        if self.body["ClientId"] == CLIENT_ID {
            return Ok(());
        }
        Err(refuse("ResourceNotFoundException", "User pool client does not exist."))
    }

    fn check_pool(&self) -> Result<(), Refusal> {
        if self.body["UserPoolId"] == POOL.0 {
            return Ok(());
        }
        Err(refuse("ResourceNotFoundException", "User pool does not exist."))
    }

    fn check_secret(&self) -> Result<(), Refusal> {
        let expected = self.runtime.token_endpoint.client_secret.as_bytes();
        let given = text(&self.body["ClientSecret"]).as_bytes();
        verify_slices_are_equal(given, expected)
            .map_err(|_| refuse("NotAuthorizedException", "The client's secret is missing or wrong"))
    }

    /// `SECRET_HASH`: Base64 of the secret's HMAC-SHA256 over the user name and the client id.
    fn check_hash(&self, username: &str, given: &str) -> Result<(), Refusal> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.runtime.token_endpoint.client_secret.as_bytes());
        let message = [username.as_bytes(), CLIENT_ID.as_bytes()].concat();
        hmac::verify(&key, &message, &STANDARD.decode(given).unwrap_or_default()).map_err(|_| {
            refuse("NotAuthorizedException", format!("SecretHash does not match for the client: {CLIENT_ID}"))
        })
    }

    fn door(&self) -> Door<'_> {
        Door {
            inbound: self.runtime.inbound,
            issuer: &self.runtime.issuer,
            credentials: &self.runtime.credentials,
            region: REGION,
            service: "cognito-idp",
            now: self.now,
        }
    }
}

/// Keeps a question and puts it into words.
fn ask(state: &mut State, user: &User, question: Question, parameters: Value) -> Value {
    let session = Uuid::new_v4().to_string();
    let name = question.name();
    state.pending.insert(session.clone(), Pending { user: user.id.clone(), question });
    json!({ "ChallengeName": name, "Session": session, "ChallengeParameters": parameters })
}

fn new_refresh_token(state: &mut State, user: &User) -> Result<String, Refusal> {
    let token = random_secret().map_err(|_| refuse("InternalErrorException", "There are no random numbers."))?;
    state.refresh_tokens.insert(token.clone(), (user.id.clone(), true));
    Ok(token)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn wrong_password() -> Refusal {
    refuse("NotAuthorizedException", "Incorrect username or password.")
}

fn invalid(message: &str) -> Refusal {
    refuse("InvalidParameterException", message)
}

fn refuse(name: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(http::StatusCode::BAD_REQUEST, name, message)
}

const SERVICE: &str = "AWSCognitoIdentityProviderService.";
const SHORTEST_PASSWORD: usize = 8;
