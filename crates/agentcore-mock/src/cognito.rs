//! The mock's user pool as a test sees it. Answers no requests.

use std::{fmt, sync::atomic::Ordering};

use crate::{
    User,
    identity::CLIENT_ID,
    runtime::{Runtime, cognito::POOL},
};

/// The user pool of a mock: what a client is configured with, and what a test does to it.
#[derive(Clone, Copy)]
pub struct UserPool<'a>(pub(crate) &'a Runtime);

impl<'a> UserPool<'a> {
    /// The pool's id, in the region of the mock's runtimes.
    #[must_use]
    pub fn id(&self) -> &'a str {
        POOL.0
    }

    /// The app client that the runtimes allow.
    #[must_use]
    pub fn client_id(&self) -> &'a str {
        CLIENT_ID
    }

    /// The app client's secret, random for each mock; without it nobody logs in.
    #[must_use]
    pub fn client_secret(&self) -> &'a str {
        &self.0.token_endpoint.client_secret
    }

    /// The first user: the one the builder was given first, or `ada@example.com` with a random password.
    pub fn user(&self) -> &'a User {
        &self.0.pool.users[0]
    }

    /// Answers the next so many requests to the pool or the token endpoint with 503.
    pub fn fail(&self, requests: u32) {
        self.0.token_endpoint.outages.store(requests, Ordering::Relaxed);
    }

    /// Makes every refresh token worthless, as an administrator's global sign-out does.
    pub fn sign_out(&self) {
        self.0.pool.sign_out();
    }
}

impl fmt::Debug for UserPool<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPool").field("id", &self.id()).finish_non_exhaustive()
    }
}
