//! AWS regions and their partitions. Knows the grammar of names, not which regions exist.

use std::{str::FromStr, sync::Arc};

use crate::{
    Error, InputKind,
    text::{display_as_str, text_traits},
};

/// An AWS region such as `us-east-1`.
///
/// Credentials are sent to a host whose name contains the region, so the grammar is narrow: `[a-z]{2}(-[a-z]+)+-[0-9]+`, and
/// `eusc-…` for the European sovereign cloud.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(Arc<str>);

impl Region {
    /// Returns the region's partition, by its prefix as in the service model.
    #[must_use]
    pub fn partition(&self) -> Partition {
        // The first row's prefix is that of any region, so it comes last.
        let found = PARTITIONS.iter().rev().find(|row| self.0.starts_with(row.2));
        found.map_or(Partition::Aws, |row| row.0)
    }
}

impl FromStr for Region {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('-');
        let area = parts.next().unwrap_or_default();
        let number = parts.next_back().unwrap_or_default();
        let words: Vec<&str> = parts.collect();
        let lower = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let fits = (area.len() == 2 || area == "eusc")
            && lower(&area)
            && !words.is_empty()
            && words.iter().all(lower)
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && text.len() <= MAX_LEN;
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(Error::invalid(InputKind::Region, text, "it must look like us-east-1"))
        }
    }
}

text_traits!(Region);
display_as_str!(Partition);

/// A group of regions with separate accounts and domain names.
///
/// The table is the service model's (`aws-sdk-bedrockagentcore` 1.83), whether or not AgentCore is offered there today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// AWS GovCloud (US).
    AwsUsGov,
    /// US ISO.
    AwsIso,
    /// US ISOB.
    AwsIsoB,
    /// EU ISOE.
    AwsIsoE,
    /// US ISOF.
    AwsIsoF,
    /// The European sovereign cloud.
    AwsEusc,
}

impl Partition {
    /// Returns the name, the second part of an ARN.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Returns the domain of the partition's hosts.
    #[must_use]
    pub fn dns_suffix(self) -> &'static str {
        self.row().3
    }

    /// Returns the domain of the hosts that answer over IPv4 and IPv6.
    #[must_use]
    pub fn dual_stack_dns_suffix(self) -> &'static str {
        self.row().4
    }

    fn row(self) -> &'static PartitionRow {
        // The table has every variant, so the first row is never the fallback.
        PARTITIONS.iter().find(|row| row.0 == self).unwrap_or(&PARTITIONS[0])
    }
}

impl FromStr for Partition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        PARTITIONS.iter().find(|row| row.1 == text).map(|row| row.0).ok_or_else(|| {
            let known = PARTITIONS.iter().map(|row| row.1).collect::<Vec<_>>().join(", ");
            Error::invalid_unquoted(InputKind::Arn, format!("unknown partition {text:?}, known are {known}"))
        })
    }
}

/// Partition, name, prefix of its regions, domain, and domain of dual-stack hosts.
type PartitionRow = (Partition, &'static str, &'static str, &'static str, &'static str);

const PARTITIONS: &[PartitionRow] = &[
    (Partition::Aws, "aws", "", "amazonaws.com", "api.aws"),
    (Partition::AwsCn, "aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    (Partition::AwsUsGov, "aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"),
    (Partition::AwsIso, "aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    (Partition::AwsIsoB, "aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    (Partition::AwsIsoE, "aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    (Partition::AwsIsoF, "aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    (Partition::AwsEusc, "aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
];

/// The most bytes of a DNS label; every region's name is far shorter.
const MAX_LEN: usize = 63;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn grammar() {
        for good in
            ["us-east-1", "ap-northeast-12", "us-gov-west-1", "cn-northwest-1", "us-iso-east-1", "eusc-de-east-1"]
        {
            assert_eq!(good.parse::<Region>().unwrap().as_str(), good);
        }
        let missing = ["", "-", "--", "us", "us-1", "us-east", "us-east-", "us--1", "-east-1"];
        let letters = ["US-EAST-1", "usa-east-1", "us-e4st-1", "us-éast-1", "us-east-١"];
        let around = ["us-east-1 ", " us-east-1", "us-east-1\n"];
        let other_hosts = ["us-east-1.evil", "x@evil:443/#", "us-east-1@evil", "us-east-1/.."];
        let long = format!("us-{}-1", "a".repeat(60));
        for bad in [&missing[..], &letters, &around, &other_hosts, &[&long]].concat() {
            let error = bad.parse::<Region>().unwrap_err();
            let rule = (Some(InputKind::Region), "it must look like us-east-1");
            assert_eq!((error.input_kind(), error.rule()), rule, "{bad:?}");
        }
    }

    #[test]
    fn partitions_of_regions() {
        for (region, partition, suffix) in [
            ("us-east-1", "aws", "amazonaws.com"),
            ("il-central-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            let found = region.parse::<Region>().unwrap().partition();
            assert_eq!((found.as_str(), found.dns_suffix()), (partition, suffix), "{region}");
            assert_eq!(partition.parse::<Partition>().unwrap(), found);
        }
    }
}
