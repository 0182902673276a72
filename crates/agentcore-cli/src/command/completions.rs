//! `acore completions`: a script that teaches a shell this program's flags.

use clap::Args;
use clap_complete::Shell;

use crate::{args, output::Output, report::Failure};

/// Prints a completion script for a shell
#[derive(Args)]
#[command(after_help = "Example: acore completions bash > ~/.local/share/bash-completion/completions/acore")]
pub(crate) struct Flags {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(flags: Flags) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut args::grammar(), "acore", &mut script);
    Output::default().write(&script)
}
