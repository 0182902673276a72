//! The ARN of an agent runtime. Understands endpoint ARNs as runtime and qualifier; knows no other service's ARNs.

use std::{fmt, ops::Range, str::FromStr, sync::Arc};

use crate::{InputKind, ParseError, Partition, Qualifier, Region};

/// The Amazon Resource Name of an agent runtime: `arn:PARTITION:bedrock-agentcore:REGION:ACCOUNT:runtime/ID`.
///
/// An endpoint's ARN, `…:runtime/ID/runtime-endpoint/NAME`, is understood as the runtime's ARN with a
/// [qualifier](Self::qualifier). The service's own ids are a name, a dash and ten characters; any id without control
/// characters is accepted, because it travels percent-encoded.
///
/// ```
/// let arn: agentcore_core::RuntimeArn =
///     "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime/runtime-endpoint/prod".parse()?;
/// assert_eq!(arn.as_str(), "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime");
/// assert_eq!(arn.id(), "my-runtime");
/// assert_eq!(arn.qualifier().map(|q| q.as_str()), Some("prod"));
/// # Ok::<(), agentcore_core::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RuntimeArn {
    text: Arc<str>,
    region: Region,
    account: Range<usize>,
    id: Range<usize>,
    qualifier: Option<Qualifier>,
}

impl RuntimeArn {
    /// The runtime's ARN, without an endpoint's part.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition, which decides the host's domain.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.region.partition()
    }

    /// The region the runtime lives in; requests go there and nowhere else.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The 12-digit account number.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.text[self.account.clone()]
    }

    /// The runtime's id: what stands after `runtime/`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.text[self.id.clone()]
    }

    /// The endpoint's name, if the text was an endpoint's ARN.
    #[must_use]
    pub fn qualifier(&self) -> Option<&Qualifier> {
        self.qualifier.as_ref()
    }
}

impl FromStr for RuntimeArn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let refuse = |rule: String| ParseError::new(InputKind::Arn, text, rule);
        if text.chars().any(char::is_control) {
            return Err(refuse("it holds a control character".into()));
        }
        if text.len() > MAX_LEN {
            return Err(refuse(format!("it is longer than {MAX_LEN} bytes")));
        }
        let [arn, partition, service, region, account, resource] =
            text.splitn(6, ':')
                .collect::<Vec<_>>()
                .try_into()
                .map_err(|_| refuse(format!("it must look like {SHAPE}")))?;
        if arn != "arn" {
            return Err(refuse("it must begin with arn:".into()));
        }
        let partition: Partition = partition.parse().map_err(|error: ParseError| refuse(error.rule().into()))?;
        if service != "bedrock-agentcore" {
            return Err(refuse(format!("the service must be bedrock-agentcore, found {service:?}")));
        }
        let region: Region =
            region.parse().map_err(|error: ParseError| refuse(format!("region {region:?}: {}", error.rule())))?;
        if region.partition() != partition {
            return Err(refuse(format!(
                "region {region} belongs to partition {}, not {partition}",
                region.partition()
            )));
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refuse(format!("the account must be 12 digits, found {account:?}")));
        }
        let runtime = resource
            .strip_prefix("runtime/")
            .ok_or_else(|| refuse(format!("the resource must be runtime/ID, found {resource:?}")))?;
        let (id, qualifier) = match runtime.split_once("/runtime-endpoint/") {
            Some((id, name)) => {
                let name =
                    name.parse().map_err(|error: ParseError| refuse(format!("endpoint name: {}", error.rule())))?;
                (id, Some(name))
            }
            None => (runtime, None),
        };
        if id.is_empty() {
            return Err(refuse("the runtime id is empty".into()));
        }
        let id_start = text.len() - runtime.len();
        let account_start = text.len() - resource.len() - 1 - account.len();
        Ok(Self {
            text: text[..id_start + id.len()].into(),
            region,
            account: account_start..account_start + account.len(),
            id: id_start..id_start + id.len(),
            qualifier,
        })
    }
}

impl fmt::Display for RuntimeArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RuntimeArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.qualifier {
            Some(qualifier) => write!(f, "RuntimeArn({} at {qualifier})", self.text),
            None => write!(f, "RuntimeArn({})", self.text),
        }
    }
}

const SHAPE: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent";

/// The IAM reference's upper bound for an ARN, in bytes.
const MAX_LEN: usize = 2048;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn parts() {
        for (text, partition, region, account, id, qualifier) in [
            (SHAPE, "aws", "us-east-1", "123456789012", "my-agent", None),
            (
                "arn:aws-cn:bedrock-agentcore:cn-north-1:000000000000:runtime/my_agent-AbC1234567",
                "aws-cn",
                "cn-north-1",
                "000000000000",
                "my_agent-AbC1234567",
                None,
            ),
            (
                "arn:aws-us-gov:bedrock-agentcore:us-gov-west-1:123456789012:runtime/a b%20c+d:é/x",
                "aws-us-gov",
                "us-gov-west-1",
                "123456789012",
                "a b%20c+d:é/x",
                None,
            ),
            (
                "arn:aws-iso:bedrock-agentcore:us-iso-east-1:123456789012:runtime/../x/runtime-endpoint/DEFAULT",
                "aws-iso",
                "us-iso-east-1",
                "123456789012",
                "../x",
                Some("DEFAULT"),
            ),
            (
                "arn:aws-iso-b:bedrock-agentcore:us-isob-east-1:123456789012:runtime/x",
                "aws-iso-b",
                "us-isob-east-1",
                "123456789012",
                "x",
                None,
            ),
        ] {
            let arn: RuntimeArn = text.parse().unwrap();
            assert_eq!(
                (
                    arn.partition().as_str(),
                    arn.region().as_str(),
                    arn.account(),
                    arn.id(),
                    arn.qualifier().map(Qualifier::as_str)
                ),
                (partition, region, account, id, qualifier)
            );
            assert!(text.starts_with(arn.as_str()));
            assert!(!arn.as_str().contains("runtime-endpoint"));
        }
    }

    #[test]
    fn every_rule_has_its_own_words() {
        let long = format!("{SHAPE}{}", "x".repeat(2048));
        for (text, rule) in [
            ("", "it must look like arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent"),
            ("my-agent", "it must look like arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent"),
            ("nra:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x", "it must begin with arn:"),
            (
                "arn:aws-xx:bedrock-agentcore:us-east-1:123456789012:runtime/x",
                "unknown partition \"aws-xx\", known are aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc",
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:runtime/x",
                "the service must be bedrock-agentcore, found \"bedrock\"",
            ),
            (
                "arn:aws:bedrock-agentcore:x@evil/#:123456789012:runtime/x",
                "region \"x@evil/#\": it must look like us-east-1",
            ),
            (
                "arn:aws:bedrock-agentcore:cn-north-1:123456789012:runtime/x",
                "region cn-north-1 belongs to partition aws-cn, not aws",
            ),
            ("arn:aws:bedrock-agentcore:us-east-1:1:runtime/x", "the account must be 12 digits, found \"1\""),
            (
                "arn:aws:bedrock-agentcore:us-east-1:12345678901x:runtime/x",
                "the account must be 12 digits, found \"12345678901x\"",
            ),
            (
                "arn:aws:bedrock-agentcore:us-east-1:123456789012:memory/x",
                "the resource must be runtime/ID, found \"memory/x\"",
            ),
            ("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/", "the runtime id is empty"),
            ("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime//runtime-endpoint/x", "the runtime id is empty"),
            (
                "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x/runtime-endpoint/",
                "endpoint name: it is empty",
            ),
            ("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x\r\n", "it holds a control character"),
            (&long, "it is longer than 2048 bytes"),
        ] {
            let error = text.parse::<RuntimeArn>().unwrap_err();
            assert_eq!((error.kind(), error.rule()), (InputKind::Arn, rule), "{text:?}");
            assert!(!error.to_string().contains(['\r', '\n']), "an error is one line");
        }
    }
}
