//! The default AWS credential chain, run over this workspace's own transport. Feature `aws-config`.
//!
//! Environment, shared profile files (with roles, single sign-on and `credential_process`), web identity, container and
//! EC2 instance credentials, in the AWS SDKs' order; the work is done by the `aws-config` crate.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use agentcore_core::Region;
use aws_config::{
    default_provider::credentials::DefaultCredentialsChain,
    imds::client::error::ImdsError,
    meta::region::ProvideRegion as _,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};

use crate::{
    Clock, Error, ErrorKind, Exchange, Repeat,
    refresh::{DEFAULT_DEADLINE, Entry, Fetching, Policy, Refresh, SHORTEST_INTERVAL},
    sdk,
};

/// The default credential chain, cached.
///
/// Credentials are renewed in the background five minutes before they expire, and every 15 minutes if they have no expiry. All
/// callers without credentials wait for one fetch and share its outcome; it fails after 30 seconds. After a failure the chain
/// is not asked for a pause that grows from one second to 30 seconds, with jitter.
///
/// # Cancel safety
/// A caller that gives up drops its own wait and not the fetch, as with [`CachedToken`](crate::CachedToken).
#[derive(Debug)]
pub struct DefaultChain {
    chain: SharedCredentialsProvider,
    /// The profile that was named; nothing else is searched then.
    profile: Option<String>,
    /// Where it looks, for the error.
    searched: String,
    refresh: Refresh<Credentials>,
}

impl DefaultChain {
    /// A chain whose HTTP (role assumption, single sign-on, metadata services) goes through `http`.
    ///
    /// If a `profile` is named, nothing else is searched, as with the AWS CLI: keys in the environment must not take its place.
    /// `AWS_PROFILE`, in contrast, comes after them. Roles are assumed in `region`, by default that of the profile.
    pub async fn new(
        http: Arc<dyn Exchange>,
        clock: Arc<dyn Clock>,
        region: Option<&Region>,
        profile: Option<&str>,
    ) -> Self {
        let region = region.map(|region| aws_config::Region::new(region.as_str().to_owned()));
        let config = ProviderConfig::default()
            .with_http_client(sdk::client(http, |_| Repeat::Never))
            .with_region(region.clone());
        let chain = if let Some(profile) = profile {
            let region = match region {
                None => {
                    let named = ProfileFileRegionProvider::builder().configure(&config).profile_name(profile);
                    named.build().region().await
                }
                given => given,
            };
            let config = config.with_region(region);
            let named = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile);
            SharedCredentialsProvider::new(named.build())
        } else {
            let mut chain = DefaultCredentialsChain::builder().configure(config);
            chain.set_region(region);
            SharedCredentialsProvider::new(chain.build().await)
        };
        Self::over(chain, profile.map(str::to_owned), clock)
    }

    fn over(chain: SharedCredentialsProvider, profile: Option<String>, clock: Arc<dyn Clock>) -> Self {
        let policy = Policy {
            what: "AWS credentials",
            deadline: Some(DEFAULT_DEADLINE),
            // Half of it is jitter.
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(30),
            random: fastrand::f64,
        };
        let mut refresh = Refresh::new(policy);
        refresh.clock = clock;
        // It is read by the chain too, and may name one that is not there.
        let named = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        let named = named.map(|name| format!(" (AWS_PROFILE is {name:?})")).unwrap_or_default();
        let searched = SEARCHED.replacen("profile files", &format!("profile files{named}"), 1);
        Self { chain, profile, searched, refresh }
    }

    fn fetch(&self) -> Fetching<Credentials> {
        let (chain, clock) = (self.chain.clone(), Arc::clone(&self.refresh.clock));
        Box::pin(async move {
            let found = sdk::muted(chain.provide_credentials()).await;
            let credentials = found.map_err(|error| {
                Error::new(ErrorKind::Authentication, error.to_string()).with_source(SharedFailure(Arc::new(error)))
            })?;
            let now = clock.moment();
            let (lifetime, window) = match credentials.expiry() {
                // Ours may be the clock that is wrong: what seems to have expired is given out all the same.
                Some(at) => (at.duration_since(now.wall).unwrap_or_default().max(SHORTEST_INTERVAL), RENEW_BEFORE),
                None => (UNDATED_LIFETIME, Duration::ZERO),
            };
            Ok(Entry::new(credentials, now, Some(lifetime), window))
        })
    }

    /// Returns the failure as the SDK's own type, which cannot be cloned.
    fn to_sdk_error(&self, error: Error) -> CredentialsError {
        let Some(failure) = error.source().and_then(|cause| cause.downcast_ref::<SharedFailure>()).cloned() else {
            return CredentialsError::provider_error(error);
        };
        match (&*failure.0, &self.profile) {
            (CredentialsError::CredentialsNotLoaded(_), None) => CredentialsError::not_loaded(self.searched.clone()),
            // The last place of all was not there.
            (CredentialsError::ProviderError(_), None) if failure.is_no_instance() => {
                CredentialsError::not_loaded(self.searched.clone())
            }
            (CredentialsError::CredentialsNotLoaded(_), Some(profile)) if failure.0.source().is_none() => {
                let message = format!("the shared profile files have no credentials of the profile {profile:?}");
                CredentialsError::not_loaded(message)
            }
            (CredentialsError::CredentialsNotLoaded(_), Some(_)) => CredentialsError::not_loaded(failure),
            (CredentialsError::ProviderTimedOut(it), _) => CredentialsError::provider_timed_out(it.timeout_duration()),
            (CredentialsError::InvalidConfiguration(_), _) => CredentialsError::invalid_configuration(failure),
            (CredentialsError::Unhandled(_), _) => CredentialsError::unhandled(failure),
            _ => CredentialsError::provider_error(failure),
        }
    }
}

impl ProvideCredentials for DefaultChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found = self.refresh.get(|_| self.fetch()).await;
            found.map(|entry| entry.value.clone()).map_err(|error| self.to_sdk_error(error))
        })
    }
}

/// The cause of the chain's failure, for several callers: it prints what the cause prints, and has the same source.
#[derive(Clone, Debug)]
struct SharedFailure(Arc<CredentialsError>);

impl SharedFailure {
    /// Returns whether there is no metadata service of an EC2 instance.
    fn is_no_instance(&self) -> bool {
        let cause = self.0.source().and_then(|cause| cause.downcast_ref());
        matches!(cause, Some(ImdsError::FailedToLoadToken(_)))
    }
}

impl fmt::Display for SharedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.source() {
            Some(cause) => write!(f, "{cause}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl StdError for SharedFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()?.source()
    }
}

const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);
const UNDATED_LIFETIME: Duration = Duration::from_secs(15 * 60);
const SEARCHED: &str = "looked in the environment, the shared profile files, web identity, the container's and the \
                       EC2 instance's metadata service";

#[cfg(test)]
mod tests;
