//! What the mock's pool remembers: users, logins under way, and refresh tokens. Reads no requests.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{srp, user::User};
use crate::{Error, identity::random_secret};

/// The one user pool.
pub(crate) struct Pool {
    /// At the start; what changes is in the state.
    pub(crate) users: Vec<User>,
    /// Whether a refresh token is good once and brings the next one.
    pub(crate) rotates: bool,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// The passwords chosen since the start, by the user's id.
    pub(super) passwords: BTreeMap<String, String>,
    /// Logins between a challenge and its answer, by the session's name.
    pub(super) pending: HashMap<String, Pending>,
    /// The user's id of each refresh token, and whether the token is still good.
    pub(super) refresh_tokens: HashMap<String, (String, bool)>,
}

/// What is to be answered before a login goes on.
pub(super) struct Pending {
    pub(super) user: String,
    pub(super) question: Question,
}

/// A challenge, with what its answer is checked by.
pub(super) enum Question {
    PasswordVerifier(Box<srp::Exchange>),
    NewPassword,
    SoftwareToken,
}

impl Question {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::PasswordVerifier(_) => "PASSWORD_VERIFIER",
            Self::NewPassword => "NEW_PASSWORD_REQUIRED",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
        }
    }
}

impl Pool {
    /// A pool with these users, or with one of its own.
    pub(crate) fn new(mut users: Vec<User>, rotates: bool) -> Result<Self, Error> {
        if users.is_empty() {
            users.push(User::new("ada@example.com", random_secret()?));
        }
        Ok(Self { users, rotates, state: Mutex::default() })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user of an alias or of a real name.
    pub(super) fn find(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.alias == name || user.id == name)
    }

    /// Makes every refresh token worthless.
    pub(crate) fn sign_out(&self) {
        self.state().refresh_tokens.values_mut().for_each(|(_, good)| *good = false);
    }
}

impl State {
    pub(super) fn password<'a>(&'a self, user: &'a User) -> &'a str {
        self.passwords.get(&user.id).unwrap_or(&user.password)
    }

    /// Whether a password has to be chosen before the user gets a token.
    pub(super) fn must_choose(&self, user: &User) -> bool {
        user.must_choose && !self.passwords.contains_key(&user.id)
    }
}

/// The pool's id; its region is that of the runtimes.
pub(crate) const POOL: (&str, &str) = ("us-east-1_Mock0Pool", "Mock0Pool");
