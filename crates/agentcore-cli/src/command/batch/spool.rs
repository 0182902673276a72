//! A temporary file for what can be read only once. Knows nothing of what it holds.

use std::{
    fs::{File, OpenOptions, remove_file},
    io,
    path::PathBuf,
};

use agentcore_client::SessionId;

/// Makes a file that is readable by its owner alone and gone with this process. Where a system does not remove a file that is open, it
/// stays in the directory of temporary files.
pub(super) fn temporary_file() -> io::Result<File> {
    // A name that nobody guesses.
    let path: PathBuf = std::env::temp_dir().join(format!("acore-batch-{}", SessionId::random().as_str()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    let _ = remove_file(path);
    Ok(file)
}
