//! The runtime that a path and query name: an ARN in one segment, or an id with an account. Looks for none.

use agentcore_core::RuntimeArn;
use percent_encoding::percent_decode_str;

use crate::{record::RecordedRequest, service_error::ServiceError, verify::percent_encode};

/// The runtime that a request is for.
pub(super) struct Target {
    /// The ARN, or the id.
    name: String,
    is_arn: bool,
    pub(super) id: String,
    pub(super) account: String,
    /// The region of the ARN, or the mock's own for an id.
    pub(super) region: String,
    /// The endpoint's name, from the query or else from an endpoint's ARN.
    pub(super) qualifier: Option<String>,
}

impl Target {
    /// Parses the second segment of the path and the parameters `qualifier` and `accountId`.
    pub(super) fn parse(request: &RecordedRequest) -> Result<Self, ServiceError> {
        let segment = request.path.split('/').nth(2).unwrap_or_default();
        let name = percent_decode_str(segment).decode_utf8();
        let name = name.map_err(|_| ServiceError::validation("The runtime's name is not UTF-8."))?.into_owned();
        let parameters = request.parameters();
        let parameter = |wanted: &str| {
            let value = parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            value.filter(|value| !value.is_empty())
        };
        let qualifier = parameter("qualifier");
        let target = if name.starts_with("arn:") {
            let invalid = || ServiceError::validation("The runtime's ARN is not valid.");
            let arn: RuntimeArn = name.parse().map_err(|_| invalid())?;
            let endpoint = arn.qualifier().map(|endpoint| endpoint.as_str().to_owned());
            let [name, id, account, region] =
                [arn.as_str(), arn.id(), arn.account(), arn.region().as_str()].map(str::to_owned);
            Self { name, is_arn: true, id, account, region, qualifier: qualifier.or(endpoint) }
        } else {
            let account = parameter("accountId")
                .ok_or_else(|| ServiceError::validation("accountId is required beside an agent runtime's id."))?;
            Self { id: name.clone(), name, is_arn: false, account, region: REGION.to_owned(), qualifier }
        };
        Ok(target)
    }

    /// Returns the URL of the runtime's invocations, or of a path under them.
    pub(super) fn url(&self, base: &str, under: &str) -> String {
        let account = Some(&self.account).filter(|_| !self.is_arn);
        let parameters: Vec<String> = [("qualifier", self.qualifier.as_ref()), ("accountId", account)]
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", percent_encode(value?.as_bytes()))))
            .collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        let name = percent_encode(self.name.as_bytes());
        format!("{base}/runtimes/{name}/invocations{under}{mark}{}", parameters.join("&"))
    }
}

/// The account of every runtime.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The region of the mock's ARNs, and of runtimes named by id.
pub(crate) const REGION: &str = "us-east-1";
