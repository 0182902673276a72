//! `acore login` and `acore logout`: a login that later commands go on with. Nothing else of this program writes one.

use clap::Args;

use crate::{
    args::Given,
    identity::{self, Identity},
    output,
    report::Failure,
    target::reach::trusting,
};

/// Logs a Cognito user in and keeps the login for the commands that follow; asks for what is missing
#[derive(Args)]
#[command(after_help = "\
The login is kept in ~/.agentcore/tokens, or in AGENTCORE_TOKEN_STORE, readable by you alone.

Example: acore login --cognito-pool-id us-east-1_ABC123DEF --cognito-client-id CLIENT --cognito-username ada")]
pub(crate) struct LoginFlags {}

/// Revokes and forgets the login that `acore login` kept
#[derive(Args)]
#[command(
    after_help = "Example: acore logout --cognito-pool-id us-east-1_ABC123DEF --cognito-client-id CLIENT --cognito-username ada"
)]
pub(crate) struct LogoutFlags {}

pub(super) async fn log_in(identity: identity::Choice) -> Result<(), Failure> {
    let user = user(identity)?;
    let transport = trusting(user.needs_tls())?;
    let name = user.log_in(&transport).await?;
    output::note(&format!("logged in as {}", name.as_deref().unwrap_or("somebody")));
    Ok(())
}

pub(super) async fn log_out(identity: identity::Choice) -> Result<(), Failure> {
    let user = user(identity)?;
    let transport = trusting(user.needs_tls())?;
    let was_in = user.log_out(&transport).await?;
    output::note(if was_in { "logged out" } else { "nobody was logged in" });
    Ok(())
}

/// The user whose login it is about; the environment's other identities do not matter here.
fn user(mut identity: identity::Choice) -> Result<identity::user::User, Failure> {
    let ambient = |explicit: bool| !explicit;
    identity.bearer_token = identity.bearer_token.filter(|given: &Given<_>| !ambient(given.explicit));
    identity.sigv4 = identity.sigv4.filter(|given| !ambient(given.explicit));
    match identity.identity()? {
        Some(Identity::User(user)) => Ok(user),
        _ => Err(Failure::usage(
            "no Cognito user is named: --cognito-client-id and --cognito-pool-id say whose login it is",
        )),
    }
}
