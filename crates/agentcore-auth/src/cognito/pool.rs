//! The id of a user pool, which names its region. Checks the grammar, not whether the pool exists.

use std::{fmt, str::FromStr};

use agentcore_core::Region;

use crate::{Error, ErrorKind};

/// The id of a user pool, such as `us-east-1_ABC123DEF`.
///
/// ```
/// # use agentcore_auth::cognito::PoolId;
/// let pool: PoolId = "us-east-1_ABC123DEF".parse()?;
/// assert_eq!((pool.region().as_str(), pool.name()), ("us-east-1", "ABC123DEF"));
/// # Ok::<(), agentcore_auth::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PoolId {
    region: Region,
    name: Box<str>,
}

impl PoolId {
    /// The region the pool is in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The part after the region: the pool's name in SRP.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for PoolId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('_').filter(|(_, name)| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()) && text.len() <= MAX_LEN
        });
        parts
            .and_then(|(region, name)| Some(Self { region: region.parse().ok()?, name: name.into() }))
            .ok_or_else(|| Error::new(ErrorKind::Input, "a user pool id must look like us-east-1_ABC123DEF"))
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.region, self.name)
    }
}

impl fmt::Debug for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolId({self})")
    }
}

/// The place of a user: a pool, or a region alone, where the app client's id identifies the pool.
///
/// `USER_SRP_AUTH` and `ADMIN_USER_PASSWORD_AUTH` need the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolRef {
    /// A pool, and with it its region.
    Pool(PoolId),
    /// A region.
    Region(Region),
}

impl PoolRef {
    /// The region.
    #[must_use]
    pub fn region(&self) -> &Region {
        match self {
            Self::Pool(pool) => pool.region(),
            Self::Region(region) => region,
        }
    }

    /// Returns the pool, for a flow that needs it.
    pub(super) fn pool(&self, flow: &str) -> Result<&PoolId, Error> {
        match self {
            Self::Pool(pool) => Ok(pool),
            Self::Region(_) => Err(Error::new(ErrorKind::Input, format!("{flow} needs the id of the user pool"))),
        }
    }
}

impl From<PoolId> for PoolRef {
    fn from(pool: PoolId) -> Self {
        Self::Pool(pool)
    }
}

impl From<Region> for PoolRef {
    fn from(region: Region) -> Self {
        Self::Region(region)
    }
}

/// The limit of `UserPoolId` in the service's model, in bytes.
const MAX_LEN: usize = 55;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn grammar() {
        for (good, region, name) in [
            ("us-east-1_ABC123DEF", "us-east-1", "ABC123DEF"),
            ("eu-west-2_x", "eu-west-2", "x"),
            ("us-gov-west-1_0", "us-gov-west-1", "0"),
        ] {
            let pool: PoolId = good.parse().unwrap();
            assert_eq!((pool.region().as_str(), pool.name(), pool.to_string().as_str()), (region, name, good));
        }
        let long = format!("us-east-1_{}", "a".repeat(46));
        for bad in ["", "us-east-1", "us-east-1_", "_ABC", "us-east-1_A_B", "us-east-1_é", "evil.example/_A", &long] {
            let error = bad.parse::<PoolId>().unwrap_err();
            assert_eq!(error.to_string(), "a user pool id must look like us-east-1_ABC123DEF", "{bad}");
        }
    }
}
