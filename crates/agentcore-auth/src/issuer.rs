//! OpenID Connect issuers and their metadata. Secrets are sent to its URLs, so each must be `https` or loopback.

use std::str::FromStr;

use agentcore_core::endpoint::{is_host, is_loopback};
use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header::ACCEPT};
use serde_json::Value;

use crate::{Error, ErrorKind, exchange::outage};

/// An OpenID Connect issuer, such as `https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ABC123DEF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// The issuer's identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the request for the issuer's metadata (OpenID Connect Discovery 1.0 §4.1).
    pub(crate) fn metadata_request(&self) -> Result<Request<Bytes>, Error> {
        let url = format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'));
        document_request("issuer", &url)
    }

    /// Returns the URL of a `what`, which the metadata has under `name`. The metadata must be this issuer's own (§4.3).
    pub(crate) fn read_metadata(&self, answer: &Response<Bytes>, name: &str, what: &str) -> Result<String, Error> {
        let refuse = |why: &str| Error::new(ErrorKind::Service, format!("the issuer's metadata is of no use: {why}"));
        if !answer.status().is_success() {
            return Err(refused("the issuer's metadata is", answer.status()));
        }
        let metadata: Value =
            serde_json::from_slice(answer.body()).map_err(|error| refuse("it is not JSON").with_source(error))?;
        if metadata["issuer"].as_str() != Some(&self.0) {
            return Err(refuse("it is another issuer's"));
        }
        let url = metadata[name].as_str().ok_or_else(|| refuse(&format!("it names no {what}")))?;
        safe_url(what, url).map_err(|error| refuse(&format!("the {what} that it names is none")).with_source(error))
    }
}

impl FromStr for Issuer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        safe_url("issuer", text).map(Self)
    }
}

/// Checks a URL to which secrets are sent, or from which keys come. Errors do not quote it, for it may contain a password.
pub(crate) fn safe_url(what: &str, text: &str) -> Result<String, Error> {
    let refuse = |why: &str| Error::new(ErrorKind::Input, format!("invalid {what}: {why}"));
    let uri: Uri = text.parse().map_err(|_| refuse("it is not a URL"))?;
    let authority = uri.authority().ok_or_else(|| refuse("it must look like https://HOST/PATH"))?;
    if authority.as_str().contains('@') {
        return Err(refuse("it may have no user name and no password"));
    }
    if !is_host(authority.host()) {
        return Err(refuse("its host must be a name of letters, digits, '.', '-' and '_', or an address"));
    }
    if text.contains('#') {
        return Err(refuse("it may have no fragment"));
    }
    match uri.scheme_str() {
        Some("https") => Ok(text.to_owned()),
        Some("http") if is_loopback(authority.host()) => Ok(text.to_owned()),
        Some("http") => Err(refuse("secrets travel over https only, or to loopback")),
        _ => Err(refuse("it must begin with https://")),
    }
}

/// Returns the request for the JSON document at the URL of a `what`.
pub(crate) fn document_request(what: &str, url: &str) -> Result<Request<Bytes>, Error> {
    Request::get(url)
        .header(ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|error| Error::new(ErrorKind::Input, format!("the {what}'s URL cannot be asked")).with_source(error))
}

/// Returns the error of a document that the issuer refused.
pub(crate) fn refused(what: &str, status: StatusCode) -> Error {
    let kind = outage(status.as_u16()).unwrap_or(ErrorKind::Authentication);
    Error::new(kind, format!("{what} of no use: HTTP {}", status.as_u16()))
}
