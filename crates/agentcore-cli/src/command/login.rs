//! `acore login` and `acore logout`: a login that later commands go on with. Nothing else of this program writes one.

use clap::Args;

use crate::{context::Context, errors::Failure, identity::log_out, output::note};

/// Logs a user or a machine in, for the commands that follow
///
/// A Cognito user is asked for what is missing. The commands that follow need no flag again.
#[derive(Args)]
#[command(after_help = format!("\
The login is kept in ~/.agentcore/tokens, readable by you alone, or where --token-store says. AGENTCORE_TOKEN_STORE \
may name another directory. What it was told (the agent, the user, no secret) is kept in \
$XDG_STATE_HOME/acore/login.toml, by default under ~/.local/state: the commands that follow need no flag again.

Example:
  acore login {EXAMPLE}"))]
pub(super) struct LoginFlags {}

/// Revokes and forgets the login that `acore login` kept
#[derive(Args)]
#[command(after_help = format!("Example:\n  acore logout {EXAMPLE}"))]
pub(super) struct LogoutFlags {}

impl LoginFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (identity, place, transport) = context.login()?;
        let name = identity.log_in(&place, &transport).await?;
        note(&format!("logged in as {name}"));
        context.keep_login(&name);
        Ok(())
    }
}

impl LogoutFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (identity, place, transport) = context.login()?;
        let was_in = log_out(&*identity, &place, &transport).await?;
        context.forget_login()?;
        note(if was_in { "logged out" } else { "nobody was logged in" });
        Ok(())
    }
}

#[cfg(feature = "cognito")]
const EXAMPLE: &str = "--cognito-pool-id us-east-1_ABC123DEF \\\n    --cognito-client-id CLIENT --cognito-username ada";
#[cfg(not(feature = "cognito"))]
const EXAMPLE: &str = "--oauth-token-url https://idp.example/oauth2/token \\\n    --oauth-client-id CLIENT";
