//! The runtime that a path and query name: an ARN in one segment, or an id with an account. Looks for none.

use agentcore_core::{Arn, ResourceType};
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
            let arn: Arn = name.parse().map_err(|_| invalid())?;
            let endpoint = arn.qualifier().map(|endpoint| endpoint.as_str().to_owned());
            if endpoint.as_ref().is_some_and(|endpoint| endpoint.contains('/')) {
                return Err(invalid());
            }
            let [name, id, account, region] =
                [arn.as_str(), arn.id(), arn.account(), arn.region().as_str()].map(str::to_owned);
            Self { name, is_arn: true, id, account, region, qualifier: qualifier.or(endpoint) }
        } else {
            let account = parameter("accountId")
                .ok_or_else(|| ServiceError::validation("accountId is required beside an agent runtime's id."))?;
            Self { id: name.clone(), name, is_arn: false, account, region: REGION.to_owned(), qualifier }
        };
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if target.id.is_empty() || !target.id.bytes().all(is_valid) {
            return Err(ServiceError::validation("A runtime's id is made of letters, digits, '_' and '-'."));
        }
        Ok(target)
    }

    /// Parses the parameters `harnessArn` and `qualifier`.
    pub(super) fn harness(request: &RecordedRequest) -> Result<Self, ServiceError> {
        let parameter = |wanted: &str| request.parameters().into_iter().find(|(name, _)| name == wanted);
        let (_, name) = parameter("harnessArn").ok_or_else(|| ServiceError::validation("harnessArn is required."))?;
        let arn = name.parse::<Arn>().ok().filter(|arn| arn.resource_type() == ResourceType::Harness);
        let arn = arn.ok_or_else(|| ServiceError::validation("The harness's ARN is not valid."))?;
        let [id, account, region] = [arn.id(), arn.account(), arn.region().as_str()].map(str::to_owned);
        Ok(Self { name, is_arn: true, id, account, region, qualifier: parameter("qualifier").map(|(_, value)| value) })
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

/// Rejects `accountId`, where the operation has no such member (stop, harness).
pub(super) fn refuse_account(request: &RecordedRequest) -> Result<(), ServiceError> {
    match request.parameters().iter().any(|(name, _)| name == "accountId") {
        true => Err(ServiceError::validation("The operation has no member accountId.")),
        false => Ok(()),
    }
}

/// The account of every runtime.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The region of the mock's ARNs, and of runtimes named by id.
pub(crate) const REGION: &str = "us-east-1";

#[cfg(test)]
mod tests {
    use http::{Method, Version};

    use super::*;

    #[test]
    fn ids() {
        const ARN: &str = "arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2F";
        for (name, expected) in [
            ("my-agent", Some("my-agent")),
            ("my_agent-AbCdE12345", Some("my_agent-AbCdE12345")),
            ("", None),
            ("..", None),
            ("my.agent", None),
            ("my%20agent", None),
            ("my%0Aagent", None),
            ("my%3Aagent", None),
            ("my%3Fagent", None),
            ("my%23agent", None),
            ("my%2Fagent", None),
            ("my%2Fagent%2Fruntime-endpoint%2Fprod", None),
            ("my%252Fagent", None),
            ("my%C3%A9agent", None),
        ] {
            for prefix in ["", ARN] {
                let path = format!("/runtimes/{prefix}{name}/invocations");
                let request =
                    RecordedRequest::new(Method::POST, Version::HTTP_11, path, Some("accountId=123456789012"));
                match Target::parse(&request) {
                    Ok(target) => assert_eq!(Some(&*target.id), expected, "{prefix}{name}"),
                    Err(error) => assert_eq!((error.status.as_u16(), None), (400, expected), "{prefix}{name}"),
                }
            }
        }
        for (endpoint, expected) in [("prod", Some("prod")), ("a%20b", Some("a b")), ("a%2Fb", None), ("", None)] {
            let path = format!("/runtimes/{ARN}my-agent%2Fruntime-endpoint%2F{endpoint}/ws");
            let request = RecordedRequest::new(Method::GET, Version::HTTP_11, path, None);
            let qualifier = Target::parse(&request).ok().and_then(|target| target.qualifier);
            assert_eq!(qualifier.as_deref(), expected, "{endpoint}");
        }
    }
}
