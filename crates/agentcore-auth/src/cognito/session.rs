//! The state of a login: the refresh token and its user. Asks Cognito nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use secrecy::SecretString;

use crate::{Device, token::jwt};

/// The login that clones share.
pub(super) struct Session {
    state: Mutex<State>,
    /// A refresh token that rotates may be used once: a flow that may use it holds this lock.
    pub(super) flow: tokio::sync::Mutex<()>,
}

/// What changes in the course of a login.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) refresh_token: Option<SecretString>,
    /// Never an alias.
    pub(super) username: Option<String>,
    /// The password chosen in a challenge, if one was.
    pub(super) password: Option<SecretString>,
    /// The device that the pool remembers.
    pub(super) device: Option<Device>,
    pub(super) rotating: bool,
}

impl Session {
    pub(super) fn new(state: State) -> Self {
        Self { state: Mutex::new(state), flow: tokio::sync::Mutex::default() }
    }

    /// Keeps what came with new tokens. A renewal without rotation brings no refresh token and leaves the old one good.
    pub(super) fn keep(&self, tokens: &AuthenticationResultType, user: Option<String>, password: Option<SecretString>) {
        let mut state = self.state();
        if let Some(token) = tokens.refresh_token() {
            state.refresh_token = Some(token.into());
        }
        state.username = real_name(tokens).or(user).or_else(|| state.username.take());
        state.password = password.or_else(|| state.password.take());
    }

    /// Locks the state, for no longer than one statement.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the user whom the tokens' own claims name.
fn real_name(tokens: &AuthenticationResultType) -> Option<String> {
    let tokens = [tokens.access_token(), tokens.id_token()];
    tokens.into_iter().flatten().filter_map(jwt::claims).find_map(|claims| {
        let named = ["username", "cognito:username", "sub"].iter().find_map(|name| claims.get(*name)?.as_str());
        named.map(str::to_owned)
    })
}
