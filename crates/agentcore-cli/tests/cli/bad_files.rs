//! The files that the program keeps or is given, and variables that are no text, damaged: it says what is wrong, or does what it is
//! told, and never panics.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt as _,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::{collection::vec, prelude::*, sample::select};

use crate::world::{World, run_with};

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in the files that the program keeps or is given, damaged: contexts, the last login, profiles, lines, what a batch wrote.
    #[test]
    fn no_file_makes_it_panic(
        (configuration, login, profiles) in (damaged(CONTEXTS), damaged(CONTEXTS), damaged(PROFILES)),
        (lines, outcomes, started) in (damaged(LINES), damaged(OUTCOMES), damaged(STARTED)),
        command in select(COMMANDS),
        variables in vec((select(VARIABLES), damaged(PROFILES)), 0..3),
    ) {
        let (world, home) = (World::new(), Directory::new());
        for (name, bytes) in [
            ("acore/config.toml", &configuration),
            ("acore/login.toml", &login),
            ("profiles", &profiles),
            ("answers", &outcomes),
            ("answers.started", &started),
        ] {
            fs::create_dir_all(home.0.join(name).parent().unwrap()).unwrap();
            fs::write(home.0.join(name), bytes).unwrap();
        }
        let mut acore = world.acore("echo", command.iter().copied());
        // What is no text may be in a variable too.
        for (name, value) in &variables {
            let value = value.iter().copied().filter(|byte| *byte != 0).collect();
            acore.env(name, OsString::from_vec(value));
        }
        acore.current_dir(&home.0).env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", home.0.join("profiles"));
        acore.envs(["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"].map(|name| (name, &home.0)));
        let ended = run_with(&mut acore, &lines);
        prop_assert!(ended.exit.is_some_and(|exit| exit != 101), "{ended:?}");
        prop_assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}

/// One of these texts, of which parts are left out, doubled, or in the place of others.
fn damaged(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let odd = prop_oneof![vec(any::<u8>(), 0..6), select(ODD).prop_map(|text| text.as_bytes().to_vec())];
    (select(texts), vec((any::<prop::sample::Index>(), 0..12_usize, odd), 0..4)).prop_map(|(text, damages)| {
        let mut bytes = text.as_bytes().to_vec();
        for (place, length, odd) in damages {
            let place = place.index(bytes.len() + 1);
            bytes.splice(place..(place + length).min(bytes.len()), odd);
        }
        bytes
    })
}

/// A directory that is removed.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("acore-bad-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const COMMANDS: &[&[&str]] = &[
    &["config", "--output", "json"],
    &["config", "list"],
    &["config", "use", "a"],
    &["config", "set", "b", "--sigv4", "--profile", "p"],
    &["config", "remove", "a"],
    &["invoke", "hi"],
    &["invoke", "--context", "a", "hi"],
    &["ws-url", "--sigv4", "--profile", "p"],
    &["ws-headers", "--sigv4"],
    &["token"],
    &["batch", "--mock"],
    &["batch", "--mock", "--out", "answers", "--resume"],
    &["batch", "--mock", "--out", "answers", "--resume", "--rerun-uncertain"],
    &["logout"],
];
const VARIABLES: &[&str] = &[
    "AGENTCORE_RUNTIME_ARN",
    "AGENTCORE_BEARER_TOKEN",
    "AGENTCORE_CONTEXT",
    "AGENTCORE_RATE",
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "HTTPS_PROXY",
    "NO_PROXY",
    "NO_COLOR",
    "COLUMNS",
    "TERM",
    "RUST_LOG",
    "LANG",
];
const CONTEXTS: &[&str] = &[
    "context = \"a\"\n# mine\n[contexts.a] # for trials\nsigv4 = true\nprofile = \"p\"\n",
    "context = \"b\"\n[contexts.a]\narn = \"arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x\"\nqualifier = \"prod\"\n\n\
     [contexts.b]\nlocal = \"http://127.0.0.1:1\"\n",
    "oauth-issuer = \"http://127.0.0.1:1\"\noauth-client-id = \"c\"\nregion = 'us-east-1'\n",
];
const PROFILES: &[&str] = &[
    "[profile p]\naws_access_key_id = AKID\naws_secret_access_key = hush\nregion = us-east-1\n",
    "[default]\naws_access_key_id = AKID\naws_secret_access_key = hush\naws_session_token = t\n",
    "[profile p]\nsource_profile = p\nrole_arn = arn:aws:iam::123456789012:role/r\n",
];
const LINES: &[&str] = &[
    "{\"prompt\": \"hi\", \"id\": 1.50}\n{\"payload\": {\"prompt\": \"x\"}, \"session_id\": \"s\"}\n",
    "\u{feff}{\"prompt\": \"\\ud83d\"}\r\n\n[1]\nnull\n",
];
const OUTCOMES: &[&str] =
    &["{\"line\":1,\"error\":null}\n", "{\"line\":2,\"error\":{\"may_have_run\":true}}\n{\"line\":", ""];
const STARTED: &[&str] = &["# inputs: 2 0000\n1\n2\n", "1\n", ""];
const ODD: &[&str] =
    &["\"", "'", "[", "]", "=", "\n", "\\", "#", "{", "}", "18446744073709551616", "-1", "\u{feff}", "é", "\0"];
