//! The operations of Cognito that a login consists of, each one request through the SDK. Decides nothing and repeats nothing.

use std::{collections::HashMap, future::Future, sync::Arc};

use aws_lc_rs::hmac;
use aws_sdk_cognitoidentityprovider::{
    Client,
    config::{
        BehaviorVersion, Builder, IdentityCache, Region, StalledStreamProtectionConfig, http::HttpResponse,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    types::{AuthFlowType, AuthenticationResultType, ChallengeNameType, DeviceSecretVerifierConfigType},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

use super::{config::CognitoConfig, error::CognitoError, login::Flow, pool::PoolRef, srp::PasswordVerifier};
use crate::{Device, Exchange, Repeat, sdk};

/// Parameters of a flow, or answers to a challenge.
pub(super) type Parameters = HashMap<String, String>;

/// One app client of one pool.
pub(super) struct AppClient {
    client: Client,
    client_id: String,
    secret: Option<SecretString>,
    /// The pool, where the operations of an administrator are used.
    pool: Option<String>,
}

/// What Cognito answers in a login.
pub(super) enum AuthResponse {
    Tokens(AuthenticationResultType),
    Challenge(OpenChallenge),
}

/// A challenge that waits for its answer.
pub(super) struct OpenChallenge {
    pub(super) name: ChallengeNameType,
    pub(super) parameters: Parameters,
    session: Option<String>,
}

/// The four operations of a login differ in type and not in fields.
macro_rules! auth_response {
    ($output:expr) => {{
        let output = $output;
        AuthResponse::read(
            output.challenge_name,
            output.session,
            output.challenge_parameters,
            output.authentication_result,
        )
    }};
}

impl AppClient {
    pub(super) fn new(config: &CognitoConfig, http: &Arc<dyn Exchange>, flow: Option<&Flow>) -> Self {
        let mut settings = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.pool.region().as_str().to_owned()))
            .http_client(sdk::client(http.clone(), repeat))
            // The token cache decides when to ask again.
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // The port has its own: a login may wait for Lambda functions of the pool's.
            .timeout_config(TimeoutConfig::disabled())
            .identity_cache(IdentityCache::no_cache());
        settings.set_endpoint_url(config.endpoint.as_ref().map(ToString::to_string));
        let mut pool = None;
        if let (Some(Flow::AdminUserPassword(credentials)), PoolRef::Pool(id)) = (flow, &config.pool) {
            settings.set_credentials_provider(Some(credentials.clone()));
            pool = Some(id.to_string());
        }
        let client = Client::from_conf(settings.build());
        Self { client, client_id: config.client_id.clone(), secret: config.secret.clone(), pool }
    }

    /// Begins a flow (`InitiateAuth`, `AdminInitiateAuth`) as a user.
    pub(super) async fn initiate(
        &self,
        flow: &str,
        user: Option<&str>,
        mut parameters: Parameters,
    ) -> Result<AuthResponse, CognitoError> {
        parameters.extend(user.and_then(|user| self.hash(user)));
        let secrets = self.secrets(&parameters, None);
        let (id, flow, parameters) = (&self.client_id, AuthFlowType::from(flow), Some(parameters));
        match &self.pool {
            None => {
                let call = self.client.initiate_auth().client_id(id).auth_flow(flow).set_auth_parameters(parameters);
                Ok(auth_response!(send(&secrets, call.send()).await?))
            }
            Some(pool) => {
                let call = self.client.admin_initiate_auth().user_pool_id(pool).client_id(id).auth_flow(flow);
                Ok(auth_response!(send(&secrets, call.set_auth_parameters(parameters).send()).await?))
            }
        }
    }

    /// Answers a challenge (`RespondToAuthChallenge`, `AdminRespondToAuthChallenge`) as a user.
    pub(super) async fn respond(
        &self,
        challenge: OpenChallenge,
        user: &str,
        mut answers: Parameters,
    ) -> Result<AuthResponse, CognitoError> {
        answers.extend(self.hash(user));
        answers.insert(USERNAME.to_owned(), user.to_owned());
        let secrets = self.secrets(&answers, challenge.session.as_deref());
        let (id, name, answers) = (&self.client_id, challenge.name, Some(answers));
        match &self.pool {
            None => {
                let call = self.client.respond_to_auth_challenge().client_id(id).challenge_name(name);
                let call = call.set_session(challenge.session).set_challenge_responses(answers);
                Ok(auth_response!(send(&secrets, call.send()).await?))
            }
            Some(pool) => {
                let call = self.client.admin_respond_to_auth_challenge().user_pool_id(pool).client_id(id);
                let call = call.challenge_name(name).set_session(challenge.session).set_challenge_responses(answers);
                Ok(auth_response!(send(&secrets, call.send()).await?))
            }
        }
    }

    /// Renews by `GetTokensFromRefreshToken`, which proves the client by its secret itself and needs no user name.
    pub(super) async fn tokens(
        &self,
        refresh: &SecretString,
        device: Option<String>,
    ) -> Result<AuthResponse, CognitoError> {
        let secrets = self.secrets(&Parameters::new(), Some(refresh.expose_secret()));
        let call = self.client.get_tokens_from_refresh_token().client_id(&self.client_id);
        let call = call.refresh_token(refresh.expose_secret()).set_client_secret(self.exposed()).set_device_key(device);
        let output = send(&secrets, call.send()).await?;
        Ok(AuthResponse::read(None, None, None, output.authentication_result))
    }

    /// Gives a new device its password, of which the pool gets what verifies it (`ConfirmDevice`).
    pub(super) async fn confirm_device(
        &self,
        access_token: &str,
        device: &Device,
        verifier: PasswordVerifier,
    ) -> Result<(), CognitoError> {
        let secrets = [access_token.into(), device.expose_password().into()];
        let config = DeviceSecretVerifierConfigType::builder().password_verifier(verifier.verifier).salt(verifier.salt);
        let call = self.client.confirm_device().access_token(access_token).device_key(device.key());
        let call = call.device_name(DEVICE_NAME).device_secret_verifier_config(config.build());
        send(&secrets, call.send()).await.map(|_| ())
    }

    /// Makes a refresh token, and every token that came of it, worthless (`RevokeToken`).
    pub(super) async fn revoke(&self, refresh: &SecretString) -> Result<(), CognitoError> {
        let secrets = self.secrets(&Parameters::new(), Some(refresh.expose_secret()));
        let call = self.client.revoke_token().client_id(&self.client_id);
        let call = call.token(refresh.expose_secret()).set_client_secret(self.exposed());
        send(&secrets, call.send()).await.map(|_| ())
    }

    fn exposed(&self) -> Option<String> {
        self.secret.as_ref().map(|secret| secret.expose_secret().to_owned())
    }

    fn hash(&self, user: &str) -> Option<(String, String)> {
        let secret = self.secret.as_ref()?;
        Some(("SECRET_HASH".to_owned(), secret_hash(secret.expose_secret(), user, &self.client_id)))
    }

    /// Everything that is sent and that an answer might repeat.
    fn secrets(&self, parameters: &Parameters, other: Option<&str>) -> Vec<SecretString> {
        let sent = parameters.iter().filter(|(name, _)| *name != USERNAME).map(|(_, value)| value.as_str());
        let secrets: Vec<SecretString> = sent.chain(other).map(SecretString::from).collect();
        secrets.into_iter().chain(self.secret.clone()).collect()
    }
}

impl AuthResponse {
    fn read(
        name: Option<ChallengeNameType>,
        session: Option<String>,
        parameters: Option<Parameters>,
        result: Option<AuthenticationResultType>,
    ) -> Self {
        match (result, name) {
            (None, Some(name)) => {
                Self::Challenge(OpenChallenge { name, parameters: parameters.unwrap_or_default(), session })
            }
            (result, _) => Self::Tokens(result.unwrap_or_else(|| AuthenticationResultType::builder().build())),
        }
    }
}

/// An answer to a challenge is good once. Every other request may be repeated: a refresh token that a lost answer has used
/// up is used up either way.
fn repeat(headers: &http::HeaderMap) -> Repeat {
    let operation = headers.get("x-amz-target").map_or(&b""[..], |name| name.as_bytes());
    if operation.ends_with(b"RespondToAuthChallenge") { Repeat::WhereNotAccepted } else { Repeat::Always }
}

async fn send<T, E>(
    secrets: &[SecretString],
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, CognitoError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    sdk::muted(call).await.map_err(|error| CognitoError::read(error, secrets))
}

/// Returns `SECRET_HASH`, which proves that an app client knows its secret: Base64(HMAC-SHA256(secret, user name + client id))
/// (Amazon Cognito developer guide, "Computing secret hash values").
fn secret_hash(secret: &str, username: &str, client_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{username}{client_id}").as_bytes()))
}

/// The name under which a user is sent.
pub(super) const USERNAME: &str = "USERNAME";

/// The name under which a device is sent.
pub(super) const DEVICE_KEY: &str = "DEVICE_KEY";

/// What a list of a user's devices shows.
const DEVICE_NAME: &str = "agentcore-client";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn golden_secret_hashes() {
        let vectors = include_str!("../../../../tests/vectors/srp_vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let vectors = vectors["secret_hash"].as_array().unwrap();
        assert!(!vectors.is_empty());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let hash = secret_hash(text("client_secret"), text("username"), text("client_id"));
            assert_eq!(hash, text("SECRET_HASH"));
        }
    }
}
