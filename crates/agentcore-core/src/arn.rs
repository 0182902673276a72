//! ARNs of agent runtimes and harnesses. Reads endpoint ARNs as runtime and qualifier; knows no other service's ARNs.

use std::{fmt, ops::Range, str::FromStr, sync::Arc};

use crate::{Error, InputKind, Partition, Qualifier, Region, text::display_as_str};

/// The Amazon Resource Name of an agent runtime, `arn:PARTITION:bedrock-agentcore:REGION:ACCOUNT:runtime/ID`, or of a harness,
/// `…:harness/ID`.
///
/// An id consists of letters, digits, `_` and `-`; the service's own are a name, a dash and ten characters. A runtime endpoint's
/// ARN, `…:runtime/ID/runtime-endpoint/NAME`, is read as the runtime's ARN with a [qualifier](Self::qualifier).
///
/// ```
/// use agentcore_core::{Arn, ResourceType};
///
/// let arn: Arn = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime/runtime-endpoint/prod".parse()?;
/// assert_eq!(arn.as_str(), "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my-runtime");
/// assert_eq!((arn.resource_type(), arn.id()), (ResourceType::Runtime, "my-runtime"));
/// assert_eq!(arn.qualifier().map(|q| q.as_str()), Some("prod"));
/// # Ok::<(), agentcore_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Arn {
    text: Arc<str>,
    region: Region,
    account: Range<usize>,
    resource_type: ResourceType,
    id: Range<usize>,
    qualifier: Option<Qualifier>,
}

/// The type of resource that an [`Arn`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceType {
    /// An agent runtime.
    Runtime,
    /// A harness: an agent that the service runs.
    Harness,
}

impl ResourceType {
    /// Returns the word before the id in an ARN.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Harness => "harness",
        }
    }
}

impl Arn {
    /// Returns the ARN, without the part of an endpoint's ARN that follows the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the partition, which decides the host's domain.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.region.partition()
    }

    /// Returns the region. Requests go to no other.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Returns the 12-digit account number.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.text[self.account.clone()]
    }

    /// Returns the type of resource.
    #[must_use]
    pub fn resource_type(&self) -> ResourceType {
        self.resource_type
    }

    /// Returns the id, which follows `runtime/` or `harness/`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.text[self.id.clone()]
    }

    /// Returns the endpoint's name, if an endpoint's ARN was parsed.
    #[must_use]
    pub fn qualifier(&self) -> Option<&Qualifier> {
        self.qualifier.as_ref()
    }
}

impl FromStr for Arn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |rule: String| Error::invalid(InputKind::Arn, text, rule);
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
        let partition: Partition = partition.parse().map_err(|error: Error| refuse(error.rule().into()))?;
        if service != "bedrock-agentcore" {
            return Err(refuse(format!("the service must be bedrock-agentcore, found {service:?}")));
        }
        let region: Region =
            region.parse().map_err(|error: Error| refuse(format!("region {region:?}: {}", error.rule())))?;
        if region.partition() != partition {
            let other = region.partition();
            return Err(refuse(format!("region {region} belongs to partition {other}, not {partition}")));
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refuse(format!("the account must be 12 digits, found {account:?}")));
        }
        let typed = |kind: ResourceType| Some((kind, resource.strip_prefix(kind.as_str())?.strip_prefix('/')?));
        let (resource_type, name) = [ResourceType::Runtime, ResourceType::Harness]
            .into_iter()
            .find_map(typed)
            .ok_or_else(|| refuse(format!("the resource must be runtime/ID or harness/ID, found {resource:?}")))?;
        let (id, qualifier) = match name.split_once("/runtime-endpoint/") {
            Some((id, name)) if resource_type == ResourceType::Runtime => {
                let name = name.parse().map_err(|error: Error| refuse(format!("endpoint name: {}", error.rule())))?;
                (id, Some(name))
            }
            _ => (name, None),
        };
        if id.is_empty() {
            return Err(refuse(format!("the {resource_type} id is empty")));
        }
        if !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
            let rule = format!("the {resource_type} id may hold only letters, digits, _ and -, found {id:?}");
            return Err(refuse(rule));
        }
        let id_start = text.len() - name.len();
        let account_start = text.len() - resource.len() - 1 - account.len();
        Ok(Self {
            text: text[..id_start + id.len()].into(),
            region,
            account: account_start..account_start + account.len(),
            resource_type,
            id: id_start..id_start + id.len(),
            qualifier,
        })
    }
}

display_as_str!(Arn, ResourceType);

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.qualifier {
            Some(qualifier) => write!(f, "Arn({} at {qualifier})", self.text),
            None => write!(f, "Arn({})", self.text),
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

    const RUNTIME: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x";

    #[test]
    fn parts() {
        let cn = "arn:aws-cn:bedrock-agentcore:cn-north-1:000000000000:runtime/my_agent-AbC1234567";
        let gov = "arn:aws-us-gov:bedrock-agentcore:us-gov-west-1:123456789012:harness/Research_1-x";
        let iso = "arn:aws-iso:bedrock-agentcore:us-iso-east-1:123456789012:runtime/x/runtime-endpoint/DEFAULT";
        let iso_b = "arn:aws-iso-b:bedrock-agentcore:us-isob-east-1:123456789012:runtime/x";
        for (text, parts, qualifier) in [
            (SHAPE, ["aws", "us-east-1", "123456789012", "my-agent"], None),
            (cn, ["aws-cn", "cn-north-1", "000000000000", "my_agent-AbC1234567"], None),
            (gov, ["aws-us-gov", "us-gov-west-1", "123456789012", "Research_1-x"], None),
            (iso, ["aws-iso", "us-iso-east-1", "123456789012", "x"], Some("DEFAULT")),
            (iso_b, ["aws-iso-b", "us-isob-east-1", "123456789012", "x"], None),
        ] {
            let arn: Arn = text.parse().unwrap();
            assert_eq!([arn.partition().as_str(), arn.region().as_str(), arn.account(), arn.id()], parts);
            assert_eq!(arn.qualifier().map(Qualifier::as_str), qualifier, "{text}");
            assert!(text.starts_with(arn.as_str()));
            assert!(!arn.as_str().contains("runtime-endpoint"));
        }
    }

    #[test]
    fn every_rule_has_its_own_words() {
        let shape = "it must look like arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent";
        let partition = "unknown partition \"aws-xx\", known are aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, \
                         aws-iso-f, aws-eusc";
        let long = format!("{SHAPE}{}", "x".repeat(2048));
        // Each ARN is `runtime/x`'s, with one part replaced.
        for (part, replacement, rule) in [
            (RUNTIME, "", shape),
            (RUNTIME, "my-agent", shape),
            ("arn:", "nra:", "it must begin with arn:"),
            (":aws:", ":aws-xx:", partition),
            ("bedrock-agentcore", "bedrock", "the service must be bedrock-agentcore, found \"bedrock\""),
            ("us-east-1", "x@evil/#", "region \"x@evil/#\": it must look like us-east-1"),
            ("us-east-1", "cn-north-1", "region cn-north-1 belongs to partition aws-cn, not aws"),
            ("123456789012", "1", "the account must be 12 digits, found \"1\""),
            ("123456789012", "12345678901x", "the account must be 12 digits, found \"12345678901x\""),
            ("runtime/x", "memory/x", "the resource must be runtime/ID or harness/ID, found \"memory/x\""),
            ("runtime/x", "runtime/", "the runtime id is empty"),
            ("runtime/x", "runtime//runtime-endpoint/x", "the runtime id is empty"),
            ("runtime/x", "runtime/x/runtime-endpoint/", "endpoint name: it is empty"),
            ("runtime/x", "harness/", "the harness id is empty"),
            ("runtime/x", "runtimes/x", "the resource must be runtime/ID or harness/ID, found \"runtimes/x\""),
            ("runtime/x", "runtime/x\r\n", "it holds a control character"),
            (RUNTIME, &long, "it is longer than 2048 bytes"),
        ] {
            let text = RUNTIME.replace(part, replacement);
            let error = text.parse::<Arn>().unwrap_err();
            assert_eq!((error.input_kind(), error.rule()), (Some(InputKind::Arn), rule), "{text:?}");
            assert!(!error.to_string().contains(['\r', '\n']), "an error is one line");
        }
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        let other_characters = ["a/b", "..", "../x", "a?b", "a#b", "a:b", "a%2Fb", "a b", "é"];
        let endpoints = ["x/runtime-endpoint", "x//runtime-endpoint/y"];
        for id in other_characters.iter().chain(&endpoints) {
            for kind in ["runtime", "harness"] {
                let arn = format!("arn:aws:bedrock-agentcore:us-east-1:123456789012:{kind}/{id}");
                let error = arn.parse::<Arn>().unwrap_err();
                assert!(error.rule().contains("id may hold only letters, digits, _ and -"), "{id}: {error}");
            }
        }
        let endpoint = "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/x/runtime-endpoint/prod";
        assert!(endpoint.parse::<Arn>().is_err(), "a harness has no runtime endpoint");
    }
}
