//! Tokens in a directory, one file a key, readable by their owner alone. Refuses a file that others can read; keeps no backups.

mod replacement;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};

use self::replacement::{Replacement, private};
use super::{LockOutcome, StoreLock, StoredToken, TokenStore, WriteOutcome, record};
use crate::{BoxFuture, Error, ErrorKind};

/// A store in a directory of the local file system.
///
/// The directory is made when something is first stored, for its owner alone (mode 0700), and so are the files (0600); other
/// systems than Unix give them whatever the directory above gives. A file's name is a hash of its key. A file is replaced as
/// a whole, so that a crash leaves the old or the new one; one that is damaged, or of another program, counts as none.
///
/// A process that fetches a token holds a lock on a file beside it, which the system releases if the process ends. Network
/// file systems may not honour it.
///
/// Files are read and written on the caller's thread, which takes a few hundred microseconds, once for each token: handing so
/// little to another thread would cost more. Waiting for the lock of another process blocks no thread, and needs a tokio runtime
/// with its timer.
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: PathBuf,
    patience: Duration,
}

impl FileStore {
    /// A store in this directory. Nothing is read or written yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), patience: DEFAULT_PATIENCE }
    }

    /// How long to wait while another process gets a token. Default: 120 seconds, for logins may wait for a person. A shorter
    /// wait finds a process that hangs sooner.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn path(&self, key: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", name(key)))
    }

    /// Tries until no other process holds the file's lock.
    async fn wait(&self, file: File) -> Result<StoreLock, Error> {
        let locked = async {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                    Err(TryLockError::Error(error)) => {
                        return Err(failed("the lock of a token's file cannot be used", error));
                    }
                }
            }
        };
        let late = |_| {
            let seconds = self.patience.as_secs();
            let what = format!("another process has been getting this token for more than {seconds} s");
            Error::new(ErrorKind::Authentication, format!("{what}; end it, or try again later"))
        };
        tokio::time::timeout(self.patience, locked).await.map_err(late)??;
        Ok(StoreLock::new(file))
    }
}

impl FileStore {
    fn read(&self, key: &str) -> Result<Option<StoredToken>, Error> {
        let path = self.path(key, TOKEN);
        let stored = match read(&path) {
            Ok(Found::Contents(bytes)) => record::decode(&bytes),
            Ok(Found::Foreign) => None,
            Ok(Found::Exposed) => {
                let message = format!("a stored token was not read, because others can read it: chmod 600 {path:?}");
                return Err(Error::new(ErrorKind::Authentication, message));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("a stored token cannot be used", error)),
        };
        if stored.is_none() {
            tracing::warn!(file = %name(key), "a stored token is damaged or of another program; it is ignored");
        }
        Ok(stored)
    }

    fn write(&self, key: &str, token: &StoredToken) -> Result<(), Error> {
        make_directory(&self.directory)
            .and_then(|()| Replacement::write(self.path(key, TOKEN), &record::encode(token)?)?.put_in_place())
            .map_err(|error| failed("a token cannot be stored", error))
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        replacement::leftovers(&self.path(key, TOKEN))
            .and_then(|found| found.iter().try_for_each(|path| remove(path)))
            .and_then(|()| remove(&self.path(key, TOKEN)))
            .map_err(|error| failed("a stored token cannot be removed", error))
    }
}

/// The futures are ready at once, but for that of the lock.
impl TokenStore for FileStore {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredToken>, Error>> {
        Box::pin(async { self.read(key) })
    }

    /// Refuses nobody as late: the system takes a lock from nobody who lives.
    fn save<'a>(
        &'a self,
        key: &'a str,
        token: &'a StoredToken,
        _: &'a StoreLock,
    ) -> BoxFuture<'a, Result<WriteOutcome, Error>> {
        Box::pin(async { self.write(key, token).map(|()| WriteOutcome::Written) })
    }

    fn clear<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { self.remove(key) })
    }

    fn lock<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<LockOutcome, Error>> {
        Box::pin(async move {
            let opened = make_directory(&self.directory).and_then(|()| {
                // The file is never removed: a process that opened it before would hold the lock of a removed file.
                private(OpenOptions::new().write(true).create(true).truncate(false)).open(self.path(key, LOCK))
            });
            let opened = opened.map_err(|error| failed("the lock of a token's file cannot be used", error))?;
            self.wait(opened).await.map(LockOutcome::Acquired)
        })
    }
}

/// Returns the name of a key's files, whatever is in the key.
fn name(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// The file at a path.
enum Found {
    Contents(Zeroizing<Vec<u8>>),
    /// Nothing that was written here: too large, or no file.
    Foreign,
    /// Others can read it.
    Exposed,
}

fn read(path: &Path) -> io::Result<Found> {
    // Opening what is no file, such as a pipe, may wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Ok(Found::Foreign);
    }
    let file = File::open(path)?;
    // What was opened is judged, not what the name stood for a moment ago.
    if is_open_to_others(&file.metadata()?) {
        return Ok(Found::Exposed);
    }
    // Never moved to a larger place, which would leave the smaller one behind as it is.
    let length = file.metadata()?.len().min(MAX_FILE_BYTES);
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 64));
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > MAX_FILE_BYTES { Found::Foreign } else { Found::Contents(bytes) })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn failed(message: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Authentication, message).with_source(error)
}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

const TOKEN: &str = "json";
const LOCK: &str = "lock";
/// Far more than a token and a refresh token have.
const MAX_FILE_BYTES: u64 = 64 * 1024;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at a lock; a token takes its issuer longer.
const PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
