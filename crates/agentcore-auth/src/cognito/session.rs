//! What a login leaves behind: the refresh token and whose it is. Asks Cognito nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use secrecy::SecretString;

use crate::token::jwt;

/// The login that clones share.
pub(super) struct Session {
    state: Mutex<State>,
    /// A refresh token that rotates may be used once: whoever uses it holds this.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    refresh_token: Option<SecretString>,
    /// Never an alias.
    username: Option<String>,
    /// The password chosen in a challenge, if one was.
    password: Option<SecretString>,
    rotating: bool,
}

impl Session {
    pub(super) fn new(refresh_token: Option<SecretString>, username: Option<String>, rotating: bool) -> Self {
        let state = State { refresh_token, username, rotating, password: None };
        Self { state: Mutex::new(state), turn: tokio::sync::Mutex::default() }
    }

    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn refresh_token(&self) -> Option<SecretString> {
        self.state().refresh_token.clone()
    }

    pub(super) fn username(&self) -> Option<String> {
        self.state().username.clone()
    }

    pub(super) fn password(&self) -> Option<SecretString> {
        self.state().password.clone()
    }

    pub(super) fn is_rotating(&self) -> bool {
        self.state().rotating
    }

    pub(super) fn rotates(&self) {
        self.state().rotating = true;
    }

    /// Takes up a login that was kept elsewhere. A newer refresh token than ours may be in it, for they rotate.
    pub(super) fn resume(&self, refresh_token: SecretString, username: Option<String>) {
        let mut state = self.state();
        state.refresh_token = Some(refresh_token);
        state.username = username.or_else(|| state.username.take());
    }

    /// Forgets the refresh token. Who it was of may be of use again.
    pub(super) fn forget(&self) {
        self.state().refresh_token = None;
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who the tokens are of, by their own claims.
fn real_name(tokens: &AuthenticationResultType) -> Option<String> {
    let tokens = [tokens.access_token(), tokens.id_token()];
    tokens.into_iter().flatten().filter_map(jwt::claims).find_map(|claims| {
        let named = ["username", "cognito:username", "sub"].iter().find_map(|name| claims.get(*name)?.as_str());
        named.map(str::to_owned)
    })
}
