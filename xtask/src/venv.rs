//! A Python virtual environment under the target directory: made once, made again when its requirements change.

use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::{Outcome, report};

/// A virtual environment that holds exactly the packages that were asked for.
#[derive(Debug)]
pub(crate) struct Venv {
    directory: PathBuf,
}

impl Venv {
    /// Installs the requirements (the text of a requirements file) unless the environment already has them.
    pub(crate) fn ready(shell: &Shell, directory: &Path, requirements: &str) -> Outcome<Self> {
        let venv = Self { directory: directory.to_path_buf() };
        let version = cmd!(shell, "python3 --version").quiet().read().map_err(|_| NO_PYTHON)?;
        let wanted = format!("# {version}\n{requirements}");
        let installed = directory.join("installed.txt");
        if shell.read_file(&installed).is_ok_and(|it| it == wanted) {
            return Ok(venv);
        }

        let place = directory.display();
        report::line(format_args!("installing Python packages into {place} (once; kept until they change)"));
        shell.remove_path(directory)?;
        cmd!(shell, "python3 -m venv {directory}").quiet().run().map_err(|_| NO_VENV)?;
        let list = directory.join("wanted.txt");
        shell.write_file(&list, &wanted)?;
        let python = venv.program("python");
        cmd!(shell, "{python} -m pip install --quiet --disable-pip-version-check --requirement {list}")
            .quiet()
            .run()
            .map_err(|_| NO_PACKAGES)?;
        // Written last: an interrupted installation is started afresh.
        shell.write_file(&installed, &wanted)?;
        Ok(venv)
    }

    /// The path of one of the environment's programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join("bin").join(name)
    }
}

const NO_PYTHON: &str = "python3 cannot be run: install Python 3.10 or newer";
const NO_VENV: &str = "python3 cannot make a virtual environment: install its venv module (Debian: python3-venv)";
const NO_PACKAGES: &str = "pip could not install the packages, see above: this needs the network, the first time";
