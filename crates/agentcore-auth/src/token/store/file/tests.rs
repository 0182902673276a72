//! Files as they should be, and as they should not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsString;

use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    Device, Token,
    testing::{Directory, at, at_once, failure},
};

/// SHA-256 of `key`, by `sha256sum`.
const NAME: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

fn full() -> StoredToken {
    StoredToken::new(Token::parse("one").unwrap().expiring_at(at(2_000_003_600)), at(2_000_000_000))
        .refresh_token("again")
        .username("ada")
        .device(Device::new("us-east-1_d1", "-g1", "device-pass"))
}

fn save(store: &FileStore, key: &str, token: &StoredToken) -> Result<WriteOutcome, Error> {
    at_once(store.save(key, token, &StoreLock::new(())))
}

fn names(directory: &Path) -> Vec<OsString> {
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// Puts a file where the token of `key` is looked for.
fn put(directory: &Directory, contents: &[u8], _mode: u32) -> PathBuf {
    let path = directory.join(format!("{NAME}.json"));
    fs::write(&path, contents).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(_mode)).unwrap();
    path
}

const FULL: &str = r#"{"version":1,"token":"one","issued_at":2000000000,"expires_at":2000003600,"refresh_token":"again","username":"ada","device":{"key":"us-east-1_d1","group_key":"-g1","password":"device-pass"}}"#;

#[test]
fn what_is_written_is_read() {
    let directory = Directory::new();
    let store = FileStore::new(directory.join("deep/er"));
    assert!(at_once(store.load("key")).unwrap().is_none());
    at_once(store.clear("key")).unwrap();
    save(&store, "key", &full()).unwrap();
    let path = directory.join("deep/er").join(format!("{NAME}.json"));
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    assert_eq!(json(&fs::read(path).unwrap()), json(FULL.as_bytes()));
    let read = at_once(store.load("key")).unwrap().unwrap();
    assert_eq!((read.token.expose(), read.token.expires_at()), ("one", Some(at(2_000_003_600))));
    assert_eq!((read.issued_at, read.username.as_deref()), (at(2_000_000_000), Some("ada")));
    assert_eq!(read.refresh_token.unwrap().expose_secret(), "again");
    assert!(at_once(store.load("another key")).unwrap().is_none());

    save(&store, "key", &StoredToken::new(Token::parse("two").unwrap(), at(5))).unwrap();
    let read = at_once(store.load("key")).unwrap().unwrap();
    assert_eq!((read.token.expose(), read.token.expires_at(), read.issued_at), ("two", None, at(5)));
    assert!(read.refresh_token.is_none() && read.username.is_none());
    at_once(store.clear("key")).unwrap();
    assert!(at_once(store.load("key")).unwrap().is_none());
    assert_eq!(names(&directory.join("deep/er")), Vec::<OsString>::new());
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = Directory::new();
    let inner = directory.join("tokens");
    let store = FileStore::new(&inner);
    drop(store.lock("key").await.unwrap());
    save(&store, "key", &full()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(names(&inner), [format!("{NAME}.json").as_str(), format!("{NAME}.lock").as_str()]);
    assert_eq!(mode(&inner), 0o700);
    for name in names(&inner) {
        assert_eq!(mode(&inner.join(name)), 0o600);
    }
    for open in [0o640, 0o604, 0o620, 0o601] {
        let path = put(&directory, FULL.as_bytes(), open);
        let message = format!("a stored token was not read, because others can read it: chmod 600 {path:?}");
        let found = failure(at_once(FileStore::new(&*directory).load("key")));
        assert_eq!(found, (ErrorKind::Authentication, message), "{open:o}");
    }
}

#[test]
fn what_is_damaged_or_foreign_counts_as_nothing_and_can_be_replaced() {
    let directory = Directory::new();
    let store = FileStore::new(&*directory);
    let huge = format!("{}{FULL}", " ".repeat(64 * 1024 + 1 - FULL.len()));
    let fitting = format!("{}{FULL}", " ".repeat(64 * 1024 - FULL.len()));
    for (contents, fine) in [
        (FULL, true),
        (&FULL[..FULL.len() - 1], false),
        ("", false),
        ("\u{0}\u{1}", false),
        ("[]", false),
        (r#"{"version":2,"token":"one","issued_at":1}"#, false),
        (r#"{"version":1,"token":"not one","issued_at":1}"#, false),
        (r#"{"version":1,"token":"one"}"#, false),
        (r#"{"version":1,"token":"one","issued_at":-1}"#, false),
        (r#"{"version":1,"token":"one","issued_at":18446744073709551615}"#, false),
        (r#"{"version":1,"token":"one","issued_at":1,"expires_at":"never"}"#, false),
        (r#"{"version":1,"token":"one","issued_at":1,"refresh_token":[]}"#, false),
        (r#"{"version":1,"token":"one","issued_at":1,"username":1}"#, false),
        (r#"{"version":1,"token":"one","issued_at":1}"#, true),
        (&huge, false),
        (&fitting, true),
    ] {
        put(&directory, contents.as_bytes(), 0o600);
        let shown: String = contents.trim_start().chars().take(80).collect();
        assert_eq!(at_once(store.load("key")).unwrap().is_some(), fine, "{shown}");
        save(&store, "key", &full()).unwrap();
        assert!(at_once(store.load("key")).unwrap().is_some());
    }
    at_once(store.clear("key")).unwrap();
    fs::create_dir(directory.join(format!("{NAME}.json"))).unwrap();
    assert!(at_once(store.load("key")).unwrap().is_none(), "a directory is no token");
}

#[test]
fn a_crash_before_the_replacement_leaves_the_old() {
    let directory = Directory::new();
    let store = FileStore::new(&*directory);
    save(&store, "key", &full()).unwrap();
    let path = store.path("key", TOKEN);
    // A process that dies here runs no destructor.
    std::mem::forget(Replacement::write(path.clone(), b"half").unwrap());
    assert_eq!(names(&directory).len(), 2);
    assert_eq!(at_once(store.load("key")).unwrap().unwrap().token.expose(), "one");
    save(&store, "key", &StoredToken::new(Token::parse("two").unwrap(), at(1))).unwrap();
    assert_eq!(at_once(store.load("key")).unwrap().unwrap().token.expose(), "two");
    save(&store, "other", &full()).unwrap();
    std::mem::forget(Replacement::write(store.path("other", TOKEN), b"half").unwrap());
    assert_eq!(names(&directory).len(), 4);
    at_once(store.clear("key")).unwrap();
    assert_eq!(names(&directory).len(), 2, "what the crash left is cleared too, and nobody else's");
    assert!(at_once(store.load("other")).unwrap().is_some());

    drop(Replacement::write(path, b"given up").unwrap());
    assert_eq!(names(&directory).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_waited_for_with_patience_and_an_end() {
    let directory = Directory::new();
    let store = FileStore::new(&*directory).patience(Duration::from_secs(7));
    let lock = store.lock("key").await.unwrap();
    drop(store.lock("another key").await.unwrap());
    let error = store.lock("key").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "another process has been getting this token for more than 7 s; end it, or try again later"
    );
    drop(lock);
    store.lock("key").await.unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let directory = Directory::new();
    fs::write(directory.join("file"), "").unwrap();
    let store = FileStore::new(directory.join("file"));
    for (found, message) in [
        (failure(at_once(store.load("key"))), "a stored token cannot be used"),
        (failure(save(&store, "key", &full())), "a token cannot be stored"),
    ] {
        assert_eq!(found, (ErrorKind::Authentication, message.to_owned()));
    }
}
