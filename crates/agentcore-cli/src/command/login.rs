//! `acore login` and `acore logout`: a login that later commands go on with. Nothing else of this program writes one.

use clap::Args;

use crate::{identity, output, report::Failure, target::reach::trusting};

/// Logs a Cognito user or a machine in and keeps the login for the commands that follow; asks for what is missing
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
    let identity = identity.login()?;
    let transport = trusting(identity.needs_tls())?;
    let name = identity.log_in(&transport).await?;
    output::note(&format!("logged in as {name}"));
    Ok(())
}

pub(super) async fn log_out(identity: identity::Choice) -> Result<(), Failure> {
    let identity = identity.login()?;
    let transport = trusting(identity.needs_tls())?;
    let was_in = identity.log_out(&transport).await?;
    output::note(if was_in { "logged out" } else { "nobody was logged in" });
    Ok(())
}
