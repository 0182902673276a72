//! `acore completions`, `acore man` and `acore version`: what the grammar is good for besides. Calls nobody.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{errors::Failure, output::Output};

/// Prints a completion script for a shell
#[derive(Args)]
#[command(after_help = "Example:\n  acore completions bash \\\n    > ~/.local/share/bash-completion/completions/acore")]
pub(super) struct CompletionsFlags {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsFlags {
    pub(super) fn run(self, mut grammar: Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut grammar, "acore", &mut script);
        Output::default().write(&script)
    }
}

/// Prints the manual page, or writes those of all commands
#[derive(Args)]
#[command(after_help = "\
Examples:
  acore man | man -l -
  acore man --dir ~/.local/share/man/man1")]
pub(super) struct ManFlags {
    /// Writes the page of each command to a file of this directory, and prints nothing
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl ManFlags {
    pub(super) fn run(self, grammar: Command) -> Result<(), Failure> {
        let Some(dir) = self.dir else {
            let mut page = Vec::new();
            let rendered = Man::new(grammar).render(&mut page);
            rendered.map_err(|error| Failure::internal("the page cannot be written").caused_by(&error))?;
            return Output::default().write(&page);
        };
        // What `generate_to` does not say is which file it could not write.
        let written = std::fs::create_dir_all(&dir).and_then(|()| clap_mangen::generate_to(grammar, &dir));
        written.map_err(|error| Failure::usage(format!("cannot write to {}", dir.display())).caused_by(&error))
    }
}

/// Prints the version
#[derive(Args)]
#[command(after_help = "Example: acore version")]
pub(super) struct VersionFlags {}

impl VersionFlags {
    pub(super) fn run(self) -> Result<(), Failure> {
        Output::default().line(concat!("acore ", env!("CARGO_PKG_VERSION")))
    }
}
