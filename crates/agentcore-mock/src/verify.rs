//! Authenticates the caller of a request by the one credential that it carries. Knows no permissions.

mod bearer;
mod credentials;
mod sigv4;
pub(crate) mod subprotocol;

use http::{HeaderName, header};

use crate::{
    record::{Caller, CredentialForm, RecordedRequest},
    service_error::ServiceError,
};

pub(crate) use bearer::JwtAuthorizer;
pub use credentials::Credentials;
pub(crate) use sigv4::{SigV4Verifier, percent_encode, presign::is_credential_parameter};

/// The inbound authentication of a mock's runtimes.
///
/// A real runtime accepts one of the two, chosen when it is created; a mock accepts either by default, so
/// that one mock serves tests of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboundAuth {
    /// A JWT or a SigV4 signature. The default.
    #[default]
    Either,
    /// A JWT only.
    Jwt,
    /// A SigV4 signature only.
    SigV4,
}

/// Authenticates callers as a runtime with this inbound authentication does.
pub(crate) struct Authenticator<'a> {
    pub(crate) inbound_auth: InboundAuth,
    pub(crate) jwt: JwtAuthorizer<'a>,
    pub(crate) sigv4: SigV4Verifier<'a>,
}

impl Authenticator<'_> {
    /// Authenticates a WebSocket handshake, whose credential may also be in the subprotocols or the query.
    pub(crate) fn authenticate_handshake(
        &self,
        request: &RecordedRequest,
    ) -> Result<(Caller, CredentialForm), ServiceError> {
        let present = (
            request.headers.contains_key(header::AUTHORIZATION),
            sigv4::presign::is_presigned(request),
            subprotocol::is_bearer(request),
        );
        match present {
            (_, false, false) => self.authenticate(request),
            (false, true, false) => {
                self.require(InboundAuth::SigV4)?;
                Ok((self.sigv4.verify_presigned(request)?, CredentialForm::PresignedUrl))
            }
            (false, false, true) => {
                self.require(InboundAuth::Jwt)?;
                Ok((self.jwt.verify(&subprotocol::token(request)?)?, CredentialForm::Subprotocol))
            }
            _ => Err(ServiceError::validation("The request authenticates in more than one way.")),
        }
    }

    /// Authenticates a request by its `authorization` header.
    pub(crate) fn authenticate(&self, request: &RecordedRequest) -> Result<(Caller, CredentialForm), ServiceError> {
        let mut values = request.headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Err(match self.inbound_auth {
                InboundAuth::Jwt => ServiceError::unauthorized("Missing Authentication Token"),
                _ => sigv4::missing(),
            });
        };
        let value = value.to_str().ok().filter(|_| values.next().is_none()).unwrap_or_default();
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            self.require(InboundAuth::Jwt)?;
            return Ok((self.jwt.verify(rest.trim())?, CredentialForm::Bearer));
        }
        if scheme == sigv4::ALGORITHM {
            self.require(InboundAuth::SigV4)?;
            return Ok((self.sigv4.verify_parameters(rest, request)?, CredentialForm::Signature));
        }
        Err(ServiceError::forbidden(
            "IncompleteSignatureException",
            "The Authorization header is neither one bearer token nor one AWS4-HMAC-SHA256 signature.",
        ))
    }

    /// Rejects a method of authentication that the runtimes are not configured for.
    fn require(&self, method: InboundAuth) -> Result<(), ServiceError> {
        if self.inbound_auth == InboundAuth::Either || self.inbound_auth == method {
            return Ok(());
        }
        Err(ServiceError::forbidden(
            "AccessDeniedException",
            "Authorization method mismatch. The agent is configured for a different authorization method than what \
             was used in your request. Check the agent's authorization configuration and ensure your request uses the \
             matching method (OAuth or SigV4).",
        ))
    }
}

/// Returns whether a header may hold a credential: a browser puts a token into the subprotocols.
pub(crate) fn is_credential_header(name: &HeaderName) -> bool {
    let names = [header::AUTHORIZATION.as_str(), sigv4::SECURITY_TOKEN, header::SEC_WEBSOCKET_PROTOCOL.as_str()];
    names.contains(&name.as_str())
}
