//! Which runtime a path and query name: a whole ARN in one segment, or a bare id beside an account.

use agentcore_core::RuntimeArn;
use percent_encoding::percent_decode_str;

use crate::{REGION, RecordedRequest, encode::percent_encode, refusal::Refusal};

/// The runtime a request is for.
#[derive(Debug)]
pub(super) struct Target {
    runtime: Named,
    qualifier: Option<String>,
}

#[derive(Debug)]
enum Named {
    Arn(RuntimeArn),
    Id { id: String, account: String },
}

impl Target {
    /// Reads the second segment of the path and the parameters `qualifier` and `accountId`.
    pub(super) fn of(request: &RecordedRequest) -> Result<Self, Refusal> {
        let segment = request.path.split('/').nth(2).unwrap_or_default();
        let name = decode(segment).ok_or_else(|| Refusal::validation("The runtime's name is not UTF-8."))?;
        let parameter = |wanted: &str| {
            let mut pairs = request.query.as_deref()?.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(name, _)| *name == wanted)
                .and_then(|(_, value)| decode(value))
                .filter(|value| !value.is_empty())
        };
        let runtime = if name.starts_with("arn:") {
            Named::Arn(name.parse().map_err(|_| Refusal::validation("The runtime's ARN is not valid."))?)
        } else {
            let account = parameter("accountId")
                .ok_or_else(|| Refusal::validation("accountId is required beside an agent runtime's id."))?;
            Named::Id { id: name, account }
        };
        Ok(Self { qualifier: parameter("qualifier"), runtime })
    }

    pub(super) fn id(&self) -> &str {
        match &self.runtime {
            Named::Arn(arn) => arn.id(),
            Named::Id { id, .. } => id,
        }
    }

    pub(super) fn account(&self) -> &str {
        match &self.runtime {
            Named::Arn(arn) => arn.account(),
            Named::Id { account, .. } => account,
        }
    }

    /// The ARN's region; a bare id is looked for in the mock's own.
    pub(super) fn region(&self) -> &str {
        match &self.runtime {
            Named::Arn(arn) => arn.region().as_str(),
            Named::Id { .. } => REGION,
        }
    }

    /// The endpoint's name, by query or else by an endpoint's ARN.
    pub(super) fn qualifier(&self) -> Option<&str> {
        let of_arn = match &self.runtime {
            Named::Arn(arn) => arn.qualifier().map(|qualifier| qualifier.as_str()),
            Named::Id { .. } => None,
        };
        self.qualifier.as_deref().or(of_arn)
    }

    /// The URL of the runtime's invocations, or of something under them.
    pub(super) fn url(&self, base: &str, under: &str) -> String {
        let (name, account) = match &self.runtime {
            Named::Arn(arn) => (arn.as_str(), None),
            Named::Id { id, account } => (id.as_str(), Some(account.as_str())),
        };
        let parameters = [("qualifier", self.qualifier()), ("accountId", account)];
        let parameters: Vec<String> = parameters
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", percent_encode(value?.as_bytes()))))
            .collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!("{base}/runtimes/{}/invocations{under}{mark}{}", percent_encode(name.as_bytes()), parameters.join("&"))
    }
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}
