//! Node packages under the target directory: installed once, and again when the list of them changes.

use std::path::Path;

use xshell::{Shell, cmd};

use crate::{Outcome, report};

/// Installs what a `package.json` lists into a directory, unless that is done already.
///
/// Versions are pinned in the list itself; no lock file is kept, which would name a registry.
pub(crate) fn ready(shell: &Shell, directory: &Path, package_json: &str) -> Outcome {
    let installed = directory.join("installed.json");
    if shell.read_file(&installed).is_ok_and(|it| it == package_json) {
        return Ok(());
    }
    cmd!(shell, "npm --version").quiet().ignore_stdout().run().map_err(|_| NO_NPM)?;
    report::line(format_args!("installing Node packages into {} (once; kept until they change)", directory.display()));
    shell.remove_path(directory)?;
    shell.create_dir(directory)?;
    shell.write_file(directory.join("package.json"), package_json)?;
    let _inside = shell.push_dir(directory);
    cmd!(shell, "npm install --silent --no-package-lock --no-audit --no-fund --ignore-scripts")
        .quiet()
        .run()
        .map_err(|_| NO_PACKAGES)?;
    // Written last: an interrupted installation is started afresh.
    Ok(shell.write_file(installed, package_json)?)
}

const NO_NPM: &str = "npm cannot be run: install Node.js 20 or newer";
const NO_PACKAGES: &str = "npm could not install the packages, see above: this needs the network, the first time";
