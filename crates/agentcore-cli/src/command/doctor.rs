//! `acore doctor`: checks what a call needs, step by step, and says what to do about what is wrong. Invokes nothing.

mod credential;
mod diagnosis;
mod network;

use std::time::{Duration, SystemTime};

use agentcore_client::{Auth, Target};
use clap::Args;

use self::diagnosis::{Diagnosis, Format};
use crate::{
    context::{Context, Opened},
    errors::{Failure, Mechanism},
    flags::{SessionFlags, seconds},
    identity::Identity,
};

/// Checks what a call needs, and invokes nothing
///
/// That is the agent, the network, the clock, and who is calling.
#[derive(Args)]
#[command(after_help = "\
Each line is ok, warn or fail. The exit code is 0 where nothing fails, else that of the worst.

Example: acore doctor --arn \"$ARN\" --sigv4")]
pub(super) struct DoctorFlags {
    #[command(flatten)]
    session: SessionFlags,
    /// How findings are written
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
    /// Seconds that each step over the network may take
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "10")]
    timeout: Duration,
}

impl DoctorFlags {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut diagnosis = Diagnosis::new(self.output);
        let opened = match context.destination() {
            Ok(destination) => destination.open(false).await,
            Err(failure) => Err(failure),
        };
        let opened = diagnosis.take("agent", opened)?;
        let mut trusted = Vec::new();
        if let Some(opened) = &opened {
            diagnosis.ok("agent", agent(&opened.target))?;
            trusted = network::check(&mut diagnosis, &opened.target, context.target.http2, self.timeout).await?;
        }
        if let Some(session) = diagnosis.take("session", self.session.named())?.flatten() {
            diagnosis.ok("session", session.as_str())?;
        }
        match &opened {
            Some(opened) if opened.target.is_local() => {}
            Some(opened) => identity(&mut diagnosis, context, opened, &trusted).await?,
            None => drop(diagnosis.take("identity", context.identity_of_calls(false).map(drop))?),
        }
        diagnosis.end()
    }
}

/// Names the agent.
fn agent(target: &Target) -> String {
    match target.arn() {
        Some(arn) => {
            let endpoint = target.qualifier().map(|name| format!(", endpoint {name}")).unwrap_or_default();
            format!("{} in {}, account {}{endpoint}", arn.id(), arn.region(), arn.account())
        }
        None => "a local container".to_owned(),
    }
}

/// Looks at who is calling.
async fn identity(
    diagnosis: &mut Diagnosis,
    context: &Context,
    opened: &Opened,
    trusted: &[String],
) -> Result<(), Failure> {
    let mocked = opened.mock.is_some();
    let Some(chosen) = diagnosis.take("identity", context.identity_of_calls(mocked))? else { return Ok(()) };
    let flags = if mocked { &context.typed_identity } else { &context.identity };
    match Identity::sources(flags).into_iter().max_by_key(|(_, source)| source.level()) {
        Some((flag, source)) => diagnosis.ok("identity", format!("{flag} ({source})"))?,
        None => diagnosis.ok("identity", "the mock's own token")?,
    }
    let auth = opened.authenticate(chosen, context.target.http2).await;
    let Some((auth, _)) = diagnosis.take("credentials", auth)? else { return Ok(()) };
    let now = SystemTime::now();
    let failure = |error| Failure::call(error, Mechanism::from(&auth));
    match &auth {
        Auth::Bearer(bearer) => match bearer.source().token().await {
            Ok(token) => credential::token(diagnosis, &token, trusted, now),
            Err(error) => diagnosis.fail("token", &failure(error)),
        },
        Auth::SigV4(signer) => match signer.credentials().await {
            Ok(keys) => credential::keys(diagnosis, &keys, place(context, mocked), now),
            Err(error) => diagnosis.fail("credentials", &failure(error)),
        },
        _ => Ok(()),
    }
}

/// Where AWS credentials come from.
fn place(context: &Context, mocked: bool) -> String {
    let variable = std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|id| !id.is_empty());
    match &context.identity.profile {
        _ if mocked => "of the mock".to_owned(),
        Some(profile) => format!("of the profile {} ({})", profile.value, profile.source),
        None if variable => "of the environment (AWS_ACCESS_KEY_ID)".to_owned(),
        None => "of the AWS default chain".to_owned(),
    }
}
