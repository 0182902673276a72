//! The default AWS credential chain, run over this workspace's own transport. Feature `aws-config`.
//!
//! Environment, shared profile files (with roles, single sign-on and `credential_process`), web identity, container and
//! EC2 instance credentials, in the AWS SDKs' order; the work is done by the `aws-config` crate.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use agentcore_core::Region;
use aws_config::{
    default_provider::credentials::DefaultCredentialsChain, profile::ProfileFileCredentialsProvider,
    provider_config::ProviderConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use tokio::sync::Mutex;

use crate::{Clock, Exchange, Repeat, sdk};

/// The default credential chain, cached.
///
/// Credentials are asked for anew five minutes before they expire, and every 15 minutes where they do not say when they
/// do. One caller at a time renews them; the others go on with what they have while it is good.
#[derive(Debug)]
pub struct DefaultChain {
    chain: SharedCredentialsProvider,
    /// Whether one profile was named, and nothing else is looked at.
    by_name: bool,
    clock: Arc<dyn Clock>,
    held: RwLock<Option<Entry>>,
    renewing: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Entry {
    credentials: Credentials,
    renew_at: SystemTime,
    dead_at: SystemTime,
}

impl DefaultChain {
    /// A chain whose HTTP (role assumption, single sign-on, metadata services) goes through `http`.
    ///
    /// A `profile` named here is the only place that is looked in, as with the AWS CLI: keys in the environment must not
    /// pass for it. `AWS_PROFILE`, in contrast, comes after them. `region` is where roles are assumed, by default that of
    /// the profile.
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
            let named = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile);
            SharedCredentialsProvider::new(named.build())
        } else {
            let mut chain = DefaultCredentialsChain::builder().configure(config);
            chain.set_region(region);
            SharedCredentialsProvider::new(chain.build().await)
        };
        Self { chain, by_name: profile.is_some(), clock, held: RwLock::default(), renewing: Mutex::default() }
    }

    fn held(&self) -> Option<Entry> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn current(&self) -> provider::Result {
        let now = self.clock.now();
        let _turn = match self.held() {
            Some(held) if now < held.renew_at => return Ok(held.credentials),
            Some(held) if now < held.dead_at => match self.renewing.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(held.credentials),
            },
            _ => self.renewing.lock().await,
        };
        // Another caller may have renewed them while this one waited for its turn.
        let held = self.held();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.credentials.clone());
        }
        match (sdk::muted(self.chain.provide_credentials()).await, held) {
            (Ok(credentials), _) => {
                self.keep(credentials.clone(), now);
                Ok(credentials)
            }
            (Err(error), Some(held)) if now < held.dead_at => {
                tracing::warn!(error = %error, "AWS credentials could not be renewed; the ones in hand are still good");
                Ok(held.credentials)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn keep(&self, credentials: Credentials, now: SystemTime) {
        let dead_at = credentials.expiry().unwrap_or(now + UNDATED_LIFE);
        let renew_at = if credentials.expiry().is_some() { dead_at - RENEW_BEFORE } else { dead_at };
        let held = Entry { credentials, renew_at, dead_at };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }
}

impl ProvideCredentials for DefaultChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.current().await.map_err(|error| match error {
                CredentialsError::CredentialsNotLoaded(_) if !self.by_name => CredentialsError::not_loaded(NOWHERE),
                other => other,
            })
        })
    }
}

const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);
const UNDATED_LIFE: Duration = Duration::from_secs(15 * 60);
const NOWHERE: &str = "looked in the environment, the shared profile files, web identity, the container's and the \
                       EC2 instance's metadata service";
