//! Where this program keeps what outlives it (XDG Base Directory Specification), and how a file there is written. Knows no file's content.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Returns the directory of what the user decides: `$XDG_CONFIG_HOME/acore`, by default `~/.config/acore`.
pub(crate) fn config() -> Option<PathBuf> {
    directory("XDG_CONFIG_HOME", ".config")
}

/// Returns the directory of what is remembered: `$XDG_STATE_HOME/acore`, by default `~/.local/state/acore`.
pub(crate) fn state() -> Option<PathBuf> {
    directory("XDG_STATE_HOME", ".local/state")
}

fn directory(variable: &str, default: &str) -> Option<PathBuf> {
    // The specification: a relative path is invalid, and ignored.
    let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().filter(|home| home.is_absolute());
    Some(given.or_else(|| Some(home()?.join(default)))?.join("acore"))
}

/// Makes a directory for nobody else, as the specification wants it.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Reads a file, if it is there.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        read => read.map(Some),
    }
}

/// Replaces a file as a whole, for its owner alone (0600): it may say which program is run. A reader finds the old text or the new one,
/// and a link stays one.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_private(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // One that a process of the same id left behind.
    let _ = std::fs::remove_file(&temporary);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let root = std::env::temp_dir().join(format!("acore-directories-{}", std::process::id()));
        let (file, link) = (root.join("new/config.toml"), root.join("link.toml"));
        assert_eq!(read(&file).unwrap(), None);
        for text in ["one", "2"] {
            replace(&file, text).unwrap();
            assert_eq!(read(&file).unwrap().as_deref(), Some(text));
        }
        assert_eq!(std::fs::read_dir(root.join("new")).unwrap().count(), 1, "nothing is left behind");
        assert_eq!(read(&file.join("below")).unwrap(), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            std::os::unix::fs::symlink(&file, &link).unwrap();
            replace(&link, "three").unwrap();
            assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(read(&file).unwrap().as_deref(), Some("three"));
        }
        std::fs::remove_dir_all(root).unwrap();
    }
}
