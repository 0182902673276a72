//! How a user logs in: the flow and what it needs.

use std::fmt;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use secrecy::SecretString;

/// A flow of logging in, with what it needs. An app client accepts the flows that are turned on for it.
#[derive(Clone)]
pub struct Login(pub(super) Method);

#[derive(Clone)]
pub(super) enum Method {
    Password(Account, Flow),
    RefreshToken(SecretString),
}

/// A user with a password.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) username: String,
    pub(super) password: SecretString,
}

/// How a password is proved.
#[derive(Clone)]
pub(super) enum Flow {
    UserPassword,
    UserSrp,
    AdminUserPassword(SharedCredentialsProvider),
}

impl Login {
    /// `USER_SRP_AUTH`: proves the password without sending it. Preferable where the app client allows it.
    ///
    /// The user name may be an alias, such as an e-mail address, where the pool has such.
    #[must_use]
    pub fn user_srp(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self::by_password(username.into(), password.into(), Flow::UserSrp)
    }

    /// `USER_PASSWORD_AUTH`: sends the password, over TLS. Needed where users are migrated by a Lambda function.
    #[must_use]
    pub fn user_password(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self::by_password(username.into(), password.into(), Flow::UserPassword)
    }

    /// `ADMIN_USER_PASSWORD_AUTH`: sends the password in a request signed with AWS credentials, for servers that may call
    /// `cognito-idp:AdminInitiateAuth`.
    #[must_use]
    pub fn admin_user_password(
        username: impl Into<String>,
        password: impl Into<SecretString>,
        credentials: impl ProvideCredentials + 'static,
    ) -> Self {
        let flow = Flow::AdminUserPassword(SharedCredentialsProvider::new(credentials));
        Self::by_password(username.into(), password.into(), flow)
    }

    /// Continues an earlier login by its refresh token. When that has ended, a person has to log in again.
    #[must_use]
    pub fn refresh_token(token: impl Into<SecretString>) -> Self {
        Self(Method::RefreshToken(token.into()))
    }

    fn by_password(username: String, password: SecretString, flow: Flow) -> Self {
        Self(Method::Password(Account { username, password }, flow))
    }
}

impl Flow {
    /// Returns the flow's name in requests.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::UserPassword => "USER_PASSWORD_AUTH",
            Self::UserSrp => "USER_SRP_AUTH",
            Self::AdminUserPassword(_) => "ADMIN_USER_PASSWORD_AUTH",
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flow = match &self.0 {
            Method::Password(_, flow) => flow.name(),
            Method::RefreshToken(_) => "REFRESH_TOKEN_AUTH",
        };
        f.debug_struct("Login").field("flow", &flow).finish_non_exhaustive()
    }
}
