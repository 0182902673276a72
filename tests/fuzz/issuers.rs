//! What issuers of tokens answer: an OAuth token endpoint, Amazon Cognito, an issuer's metadata and keys.

use std::sync::Arc;

use agentcore_client::auth::{
    BoxError, BoxFuture, Exchange, TokenIssuer,
    cognito::{CognitoConfig, Login, PoolId},
    jwks::Verifier,
    oauth::ClientCredentialsConfig,
};
use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use tokio::runtime::Runtime;

use super::{Target, texts};

pub(crate) fn targets() -> Vec<Target> {
    vec![
        target(
            "oauth reply",
            texts([r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#, REFUSAL]),
            3000,
            |port| {
                Box::pin(async move {
                    let known = "https://issuer.example/token".parse().unwrap();
                    let _ = ClientCredentialsConfig::new(known, "c", "s").over(port.clone()).issue().await;
                    let issuer = ISSUER.parse().unwrap();
                    let _ = ClientCredentialsConfig::discovered(issuer, "c", "s").over(port).issue().await;
                })
            },
        ),
        target("metadata and keys", texts([METADATA, KEYS]), 3000, |port| {
            Box::pin(async move {
                let verifier = Verifier::new(ISSUER.parse().unwrap(), port).allow_anybody();
                let _ = verifier.verify(SIGNED).await;
            })
        }),
        target("cognito reply", texts([TOKENS, SRP, CHALLENGE, REFUSAL]), 100, |port| {
            Box::pin(async move {
                let pool: PoolId = "us-east-1_ABC123DEF".parse().unwrap();
                for login in [Login::user_srp("u", "p"), Login::user_password("u", "p"), Login::refresh_token("r")] {
                    let user = CognitoConfig::new(pool.clone(), "client", login).over(port.clone());
                    let _ = user.issue().await;
                }
            })
        }),
    ]
}

fn target(
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    inputs: u32,
    ask: impl Fn(Arc<Hostile>) -> BoxFuture<'static, ()> + 'static,
) -> Target {
    let runtime = Runtime::new().unwrap();
    let read = move |input: &[u8], random: &mut Rng| {
        let status = *random.choice(&[200, 200, 200, 400, 401, 429, 500]).unwrap();
        runtime.block_on(ask(Arc::new(Hostile { status, body: Bytes::copy_from_slice(input) })));
    };
    Target { name, seeds, inputs, read: Box::new(read) }
}

/// A port whose every answer is the same.
#[derive(Debug)]
pub(crate) struct Hostile {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Exchange for Hostile {
    fn exchange(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, BoxError>> {
        let answer = Response::builder().status(self.status).body(self.body.clone());
        Box::pin(async { Ok(answer?) })
    }
}

const ISSUER: &str = "https://issuer.example";
const METADATA: &str = r#"{"issuer":"https://issuer.example","jwks_uri":"https://issuer.example/keys","token_endpoint":"https://issuer.example/token"}"#;
const KEYS: &str = r#"{"issuer":"https://issuer.example","jwks_uri":"https://issuer.example/keys","keys":[{"kty":"RSA","kid":"k","use":"sig","alg":"RS256","n":"u1W_wQ","e":"AQAB"},{"kty":"EC","crv":"P-256","kid":"k","x":"AA","y":"AA"}]}"#;
/// `{"alg":"RS256","kid":"k"}` and `{"iss":"https://issuer.example","exp":9999999999}`.
const SIGNED: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiZXhwIjo5OTk5OTk5OTk5fQ.c2ln";
const TOKENS: &str = r#"{"AuthenticationResult":{"AccessToken":"a.b.c","ExpiresIn":3600,"IdToken":"a.b.c","RefreshToken":"r","TokenType":"Bearer","NewDeviceMetadata":{"DeviceGroupKey":"-g","DeviceKey":"us-east-1_k"}},"ChallengeParameters":{}}"#;
const SRP: &str = r#"{"ChallengeName":"PASSWORD_VERIFIER","Session":"s","ChallengeParameters":{"SALT":"a1b2","SECRET_BLOCK":"c2VjcmV0","SRP_B":"abcdef0123456789","USERNAME":"u","USER_ID_FOR_SRP":"u"}}"#;
const CHALLENGE: &str = r#"{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"s","ChallengeParameters":{"userAttributes":"{}","requiredAttributes":"[\"a\"]","CODE_DELIVERY_DESTINATION":"x"}}"#;
const REFUSAL: &str =
    r#"{"__type":"NotAuthorizedException","message":"no","error":"invalid_client","error_description":"no"}"#;
