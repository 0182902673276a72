//! OAuth 2.0 client credentials (RFC 6749 §4.4): tokens for a program without a user. Feature `oauth`.
//!
//! Builds requests and reads replies; the [`Exchange`] port sends them, and [`CachedToken`] decides when.

mod reply;

use std::{
    str::FromStr,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use form_urlencoded::{Serializer, byte_serialize};
use http::{
    HeaderValue, Request, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

pub use crate::issuer::Issuer;
use crate::{
    BoxFuture, CachedToken, Error, ErrorKind, Exchange, Issued, Repeat, TokenIssuer, exchange::unanswered,
    issuer::safe_url,
};

/// The settings of a client that gets tokens for itself.
///
/// ```no_run
/// # use std::sync::Arc;
/// use agentcore_auth::oauth::{ClientCredentialsConfig, TokenEndpoint};
///
/// # fn example(http: Arc<dyn agentcore_auth::Exchange>, secret: String) -> Result<(), agentcore_auth::Error> {
/// let endpoint: TokenEndpoint = "https://my-domain.auth.us-east-1.amazoncognito.com/oauth2/token".parse()?;
/// let machine = ClientCredentialsConfig::new(endpoint, "my-client", secret).scope("agents/invoke");
/// let source = machine.over(http).cached();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ClientCredentialsConfig {
    endpoint: EndpointSource,
    client_id: String,
    secret: SecretString,
    style: ClientAuthentication,
    /// `scope`, `resource` and `audience`, in the order they were given.
    parameters: Vec<(&'static str, String)>,
}

/// A client of a token endpoint.
///
/// Identity providers bill each request, so tokens should be kept until they expire: [`cached`](Self::cached) does.
#[derive(Debug)]
pub struct ClientCredentials {
    config: ClientCredentialsConfig,
    http: Arc<dyn Exchange>,
}

/// The URL of a token endpoint (RFC 6749 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEndpoint(String);

impl TokenEndpoint {
    /// Returns the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenEndpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        safe_url("token endpoint", text).map(Self)
    }
}

/// Where the token endpoint's URL comes from.
#[derive(Debug)]
enum EndpointSource {
    Known(TokenEndpoint),
    /// From the issuer's metadata, read once, at the first fetch.
    Discovered {
        issuer: Issuer,
        endpoint: OnceLock<TokenEndpoint>,
    },
}

/// How a client sends its secret to the token endpoint (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// In the `Authorization` header, id and secret form-encoded first, as the RFC requires. Every server must accept it.
    #[default]
    Basic,
    /// In the request's body, for servers that accept nothing else.
    Post,
}

impl ClientCredentialsConfig {
    /// A client of the token endpoint at a known URL.
    #[must_use]
    pub fn new(endpoint: TokenEndpoint, client_id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::of(EndpointSource::Known(endpoint), client_id, secret)
    }

    /// A client of the token endpoint that the issuer names in its metadata (OpenID Connect Discovery 1.0 §4).
    #[must_use]
    pub fn discovered(issuer: Issuer, client_id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        let endpoint = EndpointSource::Discovered { issuer, endpoint: OnceLock::new() };
        Self::of(endpoint, client_id, secret)
    }

    fn of(endpoint: EndpointSource, client_id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        let (client_id, secret, style) = (client_id.into(), secret.into(), ClientAuthentication::default());
        Self { endpoint, client_id, secret, style, parameters: Vec::new() }
    }

    /// Sets how the secret is sent. Default: [`ClientAuthentication::Basic`].
    #[must_use]
    pub fn authentication(mut self, style: ClientAuthentication) -> Self {
        self.style = style;
        self
    }

    /// Asks for these scopes, separated by spaces (RFC 6749 §3.3). Default: none, so the server chooses.
    #[must_use]
    pub fn scope(self, scopes: impl Into<String>) -> Self {
        self.with("scope", scopes.into())
    }

    /// Names the resource that the token is for (RFC 8707). May be given several times.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.with("resource", resource.into())
    }

    /// Names the audience that the token is for, which some providers want in place of a resource.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.with("audience", audience.into())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.parameters.push((name, value));
        self
    }

    /// Returns the client, which sends its requests over this port.
    #[must_use]
    pub fn over(self, http: Arc<dyn Exchange>) -> ClientCredentials {
        ClientCredentials { config: self, http }
    }
}

impl ClientCredentials {
    /// Returns a source that keeps each token until it expires.
    #[must_use]
    pub fn cached(self) -> CachedToken<Self> {
        CachedToken::new(self)
    }

    /// Returns the token endpoint, from the issuer's metadata if it is not known yet.
    async fn endpoint(&self) -> Result<TokenEndpoint, Error> {
        match &self.config.endpoint {
            EndpointSource::Known(endpoint) => Ok(endpoint.clone()),
            EndpointSource::Discovered { issuer, endpoint } => {
                if let Some(endpoint) = endpoint.get() {
                    return Ok(endpoint.clone());
                }
                let answer = self.exchange("the issuer", issuer.metadata_request()?).await?;
                let found = issuer.read_metadata(&answer, "token_endpoint", "token endpoint")?.parse()?;
                Ok(endpoint.get_or_init(|| found).clone())
            }
        }
    }

    async fn exchange(&self, receiver: &str, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let answer = self.http.exchange(request).await;
        answer.map_err(|cause| unanswered(format!("{receiver} could not be reached"), cause))
    }

    /// Returns the request for a token (RFC 6749 §4.4.2).
    fn request(&self, endpoint: &TokenEndpoint) -> Result<Request<Bytes>, Error> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        // A token whose answer was lost does no harm.
        let mut request = Request::post(endpoint.as_str())
            .extension(Repeat::Always)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json");
        match self.config.style {
            ClientAuthentication::Basic => request = request.header(AUTHORIZATION, self.basic()?),
            ClientAuthentication::Post => {
                form.append_pair("client_id", &self.config.client_id);
                form.append_pair("client_secret", self.config.secret.expose_secret());
            }
        }
        form.extend_pairs(&self.config.parameters);
        request.body(form.finish().into()).map_err(|error| {
            Error::new(ErrorKind::Input, "the request for a token cannot be written").with_source(error)
        })
    }

    /// RFC 6749 §2.3.1: id and secret are form-encoded before they are joined, so that a colon or a percent sign survives.
    fn basic(&self) -> Result<HeaderValue, Error> {
        let encoded = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
        let (id, secret) = (encoded(&self.config.client_id), encoded(self.config.secret.expose_secret()));
        let pair = Zeroizing::new(format!("{}:{}", *id, *secret));
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
            .map_err(|_| Error::new(ErrorKind::Input, "the client's credentials cannot be written"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl TokenIssuer for ClientCredentials {
    fn issue(&self) -> BoxFuture<'_, Result<Issued, Error>> {
        Box::pin(async {
            let request = self.request(&self.endpoint().await?)?;
            reply::read(&self.exchange("the token endpoint", request).await?)
        })
    }
}

#[cfg(test)]
mod tests;
