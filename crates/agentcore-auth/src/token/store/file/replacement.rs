//! A file's new contents, whole on disk before they replace the old ones. Knows nothing of tokens.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Contents that wait beside the file they will replace. Dropping it before that removes them.
pub(super) struct Replacement {
    waiting: PathBuf,
    place: PathBuf,
    done: bool,
}

impl Replacement {
    /// Writes the contents beside the file, down to the disk.
    pub(super) fn write(place: PathBuf, contents: &[u8]) -> io::Result<Self> {
        let waiting = place.with_extension(format!("{:016x}.{WAITING}", fastrand::u64(..)));
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&waiting)?;
        let replacement = Self { waiting, place, done: false };
        file.write_all(contents)?;
        file.sync_all()?;
        Ok(replacement)
    }

    /// Replaces the old file, in one step.
    pub(super) fn put_in_place(mut self) -> io::Result<()> {
        fs::rename(&self.waiting, &self.place)?;
        self.done = true;
        match self.place.parent() {
            Some(directory) => sync_directory(directory),
            None => Ok(()),
        }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.done {
            // A failure is not reported: clearing tries again.
            let _ = fs::remove_file(&self.waiting);
        }
    }
}

/// Returns the files that crashes left beside a file.
pub(super) fn leftovers(place: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(directory), Some(stem)) = (place.parent(), place.file_stem().and_then(|stem| stem.to_str())) else {
        return Ok(Vec::new());
    };
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(stem) && name.ends_with(WAITING) {
            found.push(path);
        }
    }
    Ok(found)
}

/// A new name is on disk when its directory is.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes new files readable by their owner alone.
#[cfg(unix)]
pub(super) fn private(options: &mut OpenOptions) -> &OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(super) fn private(options: &mut OpenOptions) -> &OpenOptions {
    options
}

const WAITING: &str = "waiting";
