//! The door: which way a caller proves who it is, and whether this mock's runtimes take that way.

mod bearer;
pub(crate) mod sigv4;
pub(crate) mod subprotocol;

use std::time::SystemTime;

use http::header;

use crate::{Caller, Credentials, RecordedRequest, identity::Issuer, refusal::Refusal};
use sigv4::presign;

/// The ways in that a mock's runtimes accept.
///
/// A real runtime accepts one of the two, chosen when it is created; a mock accepts either unless told otherwise, so
/// that one mock serves tests of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inbound {
    /// A JWT or a SigV4 signature. The default.
    #[default]
    Either,
    /// A JWT only.
    Jwt,
    /// A SigV4 signature only.
    SigV4,
}

/// How a caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialForm {
    /// By a JWT in the `authorization` header.
    Bearer,
    /// By a JWT in the subprotocols of a WebSocket.
    Subprotocol,
    /// By a SigV4 signature in the `authorization` header.
    Signature,
    /// By a SigV4 signature in the query of a WebSocket's URL.
    PresignedUrl,
}

/// What a caller is verified against.
pub(crate) struct Door<'a> {
    pub(crate) inbound: Inbound,
    pub(crate) issuer: &'a Issuer,
    pub(crate) credentials: &'a Credentials,
    /// The region a signature must be scoped to.
    pub(crate) region: &'a str,
    /// The service a signature must be scoped to.
    pub(crate) service: &'static str,
    pub(crate) now: SystemTime,
}

impl Door<'_> {
    /// Verifies the caller of a WebSocket handshake, who has two more ways in.
    pub(crate) fn verify_handshake(&self, request: &RecordedRequest) -> Result<(Caller, CredentialForm), Refusal> {
        let ways = (
            request.headers.contains_key(header::AUTHORIZATION),
            presign::is_presigned(request),
            subprotocol::is_bearer(request),
        );
        match ways {
            (_, false, false) => self.verify(request),
            (false, true, false) => {
                self.take(Inbound::SigV4)?;
                Ok((presign::verify(request, self)?, CredentialForm::PresignedUrl))
            }
            (false, false, true) => {
                self.take(Inbound::Jwt)?;
                let token = subprotocol::token(request)?;
                Ok((bearer::verify(&token, self.issuer, self.now)?, CredentialForm::Subprotocol))
            }
            _ => Err(Refusal::validation("The request authenticates in more than one way.")),
        }
    }

    /// Verifies the caller of a request by its `authorization` header.
    pub(crate) fn verify(&self, request: &RecordedRequest) -> Result<(Caller, CredentialForm), Refusal> {
        let mut values = request.headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Err(match self.inbound {
                Inbound::Jwt => Refusal::unauthorized("Missing Authentication Token"),
                _ => Refusal::forbidden("MissingAuthenticationTokenException", "Missing Authentication Token"),
            });
        };
        let value = value.to_str().ok().filter(|_| values.next().is_none()).unwrap_or_default();
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            self.take(Inbound::Jwt)?;
            return Ok((bearer::verify(rest.trim(), self.issuer, self.now)?, CredentialForm::Bearer));
        }
        if scheme == sigv4::ALGORITHM {
            self.take(Inbound::SigV4)?;
            return Ok((sigv4::verify(rest, request, self)?, CredentialForm::Signature));
        }
        Err(Refusal::forbidden(
            "IncompleteSignatureException",
            "The Authorization header is neither one bearer token nor one AWS4-HMAC-SHA256 signature.",
        ))
    }

    /// Verifies the caller of a request that must be signed, whatever the runtimes accept.
    pub(crate) fn verify_signature(&self, request: &RecordedRequest) -> Result<Caller, Refusal> {
        let value = request.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
        match value.split_once(' ') {
            Some((sigv4::ALGORITHM, rest)) => sigv4::verify(rest, request, self),
            _ => Err(Refusal::forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")),
        }
    }

    /// Refuses a way in that is not this mock's, in the service's words.
    fn take(&self, way: Inbound) -> Result<(), Refusal> {
        if self.inbound == Inbound::Either || self.inbound == way {
            return Ok(());
        }
        Err(Refusal::forbidden(
            "AccessDeniedException",
            "Authorization method mismatch. The agent is configured for a different authorization method than what \
             was used in your request. Check the agent's authorization configuration and ensure your request uses the \
             matching method (OAuth or SigV4).",
        ))
    }
}
