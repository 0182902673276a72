//! The user pool and its state: users, logins in progress, and refresh tokens. Reads no requests.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    device::Devices,
    issuer::{CLIENT_ID, Issuer},
    srp::SrpServer,
    user::User,
};
use crate::{error::Error, lock::lock};

/// The user pool of a mock, with its one app client.
pub struct UserPool {
    pub(crate) issuer: Issuer,
    /// As they were at the start; what changes is in the state.
    users: Vec<User>,
    client_secret: String,
    pub(super) token_lifetime: Duration,
    pub(super) rotates_refresh_tokens: bool,
    pub(super) remembers_devices: bool,
    /// How many requests are still answered with 503.
    outages: AtomicU32,
    state: Mutex<State>,
}

impl UserPool {
    /// Makes a pool with these users, or with one of its own.
    pub(crate) fn new(
        issuer: Issuer,
        mut users: Vec<User>,
        token_lifetime: Duration,
        rotates_refresh_tokens: bool,
        remembers_devices: bool,
        outages: u32,
    ) -> Result<Self, Error> {
        if users.is_empty() {
            users.push(User::new("ada@example.com", random_secret()?));
        }
        let (client_secret, outages) = (random_secret()?, outages.into());
        Ok(Self {
            issuer,
            users,
            client_secret,
            token_lifetime,
            rotates_refresh_tokens,
            remembers_devices,
            outages,
            state: Mutex::default(),
        })
    }

    /// Returns the pool's id, in the region of the mock's runtimes.
    #[must_use]
    pub fn id(&self) -> &str {
        "us-east-1_Mock0Pool"
    }

    /// Returns the id of the app client that the runtimes allow.
    #[must_use]
    pub fn client_id(&self) -> &str {
        CLIENT_ID
    }

    /// Returns the app client's secret, random for each mock. Every login needs it.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// Returns the first user: the first one of the builder, or `ada@example.com` with a random password.
    pub fn user(&self) -> &User {
        &self.users[0]
    }

    /// Answers the next `requests` requests to the pool or the token endpoint with 503.
    pub fn fail(&self, requests: u32) {
        self.outages.store(requests, Ordering::Relaxed);
    }

    /// Revokes every refresh token, as an administrator's global sign-out does.
    pub fn sign_out(&self) {
        self.state().refresh_tokens.values_mut().for_each(|token| token.is_valid = false);
    }

    /// Forgets every device, as an administrator does one by one.
    pub fn forget_devices(&self) {
        self.state().devices.forget();
    }

    /// Returns whether a request is to be answered with 503, and counts it.
    pub(crate) fn takes_outage(&self) -> bool {
        self.outages.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Returns the user of an alias or of a user name.
    pub(super) fn find(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.alias == name || user.id == name)
    }
}

impl fmt::Debug for UserPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPool").field("id", &self.id()).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(super) struct State {
    /// The passwords chosen since the start, by the user's id.
    pub(super) passwords: BTreeMap<String, String>,
    /// The challenges that wait for a response, by session.
    pub(super) pending: HashMap<String, PendingChallenge>,
    pub(super) refresh_tokens: HashMap<String, RefreshToken>,
    pub(super) devices: Devices,
}

/// What a refresh token stands for.
#[derive(Clone)]
pub(super) struct RefreshToken {
    /// The user's id.
    pub(super) user: String,
    pub(super) is_valid: bool,
    /// The device from which alone it is taken.
    pub(super) device: Option<String>,
}

impl State {
    pub(super) fn password<'a>(&'a self, user: &'a User) -> &'a str {
        self.passwords.get(&user.id).unwrap_or(&user.password)
    }

    /// Returns whether a user must choose a password before the pool issues a token.
    pub(super) fn requires_new_password(&self, user: &User) -> bool {
        user.new_password_required && !self.passwords.contains_key(&user.id)
    }
}

/// A challenge that a user must respond to.
pub(super) struct PendingChallenge {
    pub(super) user: String,
    /// The device that the login names.
    pub(super) device: Option<String>,
    pub(super) challenge: Challenge,
}

/// A challenge, with what verifies the response.
pub(super) enum Challenge {
    PasswordVerifier(Box<SrpServer>),
    NewPassword,
    SoftwareToken,
    EmailCode,
    DeviceSrp,
    DevicePasswordVerifier(Box<SrpServer>),
}

impl Challenge {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::PasswordVerifier(_) => "PASSWORD_VERIFIER",
            Self::NewPassword => "NEW_PASSWORD_REQUIRED",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::EmailCode => "EMAIL_OTP",
            Self::DeviceSrp => "DEVICE_SRP_AUTH",
            Self::DevicePasswordVerifier(_) => "DEVICE_PASSWORD_VERIFIER",
        }
    }
}

/// Makes a random secret of 40 characters, some of which need encoding in a URL or a form.
pub(super) fn random_secret() -> Result<String, Error> {
    let mut bytes = [0; 30];
    rand::fill(&mut bytes).map_err(|error| Error::Key(error.into()))?;
    Ok(STANDARD.encode(bytes))
}
