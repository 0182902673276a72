//! Contexts of the configuration file, the last login, and what is in force.

use std::{fs, path::PathBuf, process::Command};

use agentcore_mock::{InboundAuth, Mock};
use serde_json::{Value, json};

use crate::world::{Ended, World, acore, run};

const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x";

/// A home of its own, which is gone at the end.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("acore-home-{name}-{}", std::process::id())))
    }

    fn acore<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = acore(args);
        command.env("HOME", &self.0).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        command
    }

    fn file(&self) -> PathBuf {
        self.0.join(".config/acore/config.toml")
    }

    fn write(&self, text: &str) {
        fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        fs::write(self.file(), text).unwrap();
    }

    fn in_force(&self, args: &[&str]) -> Value {
        let ended = run(&mut self.acore(["config", "--output", "json"].iter().chain(args).copied()));
        assert_eq!((ended.exit, ended.stderr.as_str()), (Some(0), ""), "{args:?}");
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Some tests write nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn told(ended: &Ended) -> (Option<i32>, &str) {
    (ended.exit, ended.stderr.lines().next().unwrap_or_default())
}

/// After `acore login` no flag is repeated; after `acore logout` nothing of it is left.
#[test]
fn a_login_is_used() {
    let (home, world) = (Home::new("login"), World::with(Mock::builder().inbound_auth(InboundAuth::Jwt)));
    let (url, arn) = (world.mock.url().to_owned(), world.mock.arn("text"));
    let mut machine = vec!["login", "--oauth-issuer", &url, "--oauth-client-id", world.mock.client_id()];
    machine.extend(["--arn", arn.as_str(), "--endpoint-url", &url]);
    let secret = ("AGENTCORE_OAUTH_CLIENT_SECRET", world.mock.client_secret());
    let ended = run(home.acore(machine.iter().copied()).envs([secret]));
    assert_eq!((ended.exit, &*ended.stderr), (Some(0), "note: logged in as agentcore-mock-client\n"));
    let ended = run(home.acore(["invoke", "hi"]).envs([secret]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "You asked: hi\n"), "{}", ended.stderr);
    let login = home.0.join(".local/state/acore/login.toml");
    let text = fs::read_to_string(&login).unwrap();
    assert!(!text.contains(secret.1) && text.contains(&format!("oauth-issuer = \"{url}\"")), "{text}");
    let settings = &home.in_force(&[])["settings"];
    assert_eq!(settings["arn"], json!({"value": arn.as_str(), "source": "login", "name": null}));
    assert_eq!(settings["oauth-client-id"]["value"], "agentcore-mock-client");

    // A local container and the mock take nothing of it.
    let ended = run(&mut home.acore(["invoke", "--local", &url, "hi"]));
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
    assert_eq!(run(&mut home.acore(["invoke", "--mock", "hi"])).exit, Some(0));
    // A context comes first, and the login says so.
    home.write("context = \"keys\"\n[contexts.keys]\nsigv4 = true\n");
    let ended = run(home.acore(machine.iter().copied()).envs([secret]));
    assert!(
        ended.stderr.ends_with("\nnote: --sigv4 of the context keys comes before this login\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(home.in_force(&[])["settings"]["sigv4"]["name"], "keys");
    fs::remove_file(home.file()).unwrap();

    let ended = run(home.acore(["logout"]).envs([secret]));
    assert_eq!((ended.exit, &*ended.stderr), (Some(0), "note: logged out\n"));
    assert!(!login.exists());
    assert_eq!(told(&run(&mut home.acore(["invoke", "hi"]))).0, Some(2));
}

#[cfg(feature = "cognito")]
#[test]
fn a_user_is_named_as_he_typed_it() {
    let user = agentcore_mock::User::new("ada@example.com", "Pa55-w0rd!");
    let (home, world) = (Home::new("user"), World::with(Mock::builder().inbound_auth(InboundAuth::Jwt).user(user)));
    let pool = world.mock.cognito();
    let arn = world.mock.arn("text");
    let args = ["login", "--cognito-endpoint-url", world.mock.url(), "--cognito-pool-id", pool.id()];
    let client = ["--cognito-client-id", pool.client_id(), "--cognito-username", "ada@example.com"];
    let place = ["--arn", arn.as_str(), "--endpoint-url", world.mock.url()];
    let secret = ("AGENTCORE_COGNITO_CLIENT_SECRET", pool.client_secret());
    let mut login = home.acore(args.into_iter().chain(client).chain(place));
    let ended = run(login.envs([secret, ("AGENTCORE_COGNITO_PASSWORD", "Pa55-w0rd!")]));
    assert_eq!((ended.exit, &*ended.stderr), (Some(0), "note: logged in as ada@example.com\n"));
    let ended = run(home.acore(["invoke", "hi"]).envs([secret]));
    assert_eq!((ended.exit, ended.stdout.as_str()), (Some(0), "You asked: hi\n"), "{}", ended.stderr);
}

#[test]
fn what_beats_what() {
    let home = Home::new("levels");
    home.write(&format!(
        "context = \"one\"\n\n[contexts.one]\narn = \"{ARN}\"\nqualifier = \"prod\"\nsigv4 = true\n\n\
         [contexts.two]\narn = \"{ARN}2\"\ntoken-command = \"print it\"\n"
    ));
    for (args, env, context, arn, qualifier, identity) in [
        (&[][..], &[][..], ("one", "file"), (ARN, "context"), "prod", "sigv4"),
        (
            &["--context", "two"],
            &[("AGENTCORE_CONTEXT", "one")],
            ("two", "flag"),
            ("2", "context"),
            "DEFAULT",
            "token-command",
        ),
        (&[], &[("AGENTCORE_CONTEXT", "two")], ("two", "variable"), ("2", "context"), "DEFAULT", "token-command"),
        (&[], &[("AGENTCORE_CONTEXT", "")], ("one", "file"), (ARN, "context"), "prod", "sigv4"),
        (&["--qualifier", "test"], &[], ("one", "file"), (ARN, "context"), "test", "sigv4"),
        (&[], &[("AGENTCORE_BEARER_TOKEN", "hush")], ("one", "file"), (ARN, "context"), "prod", "bearer-token"),
    ] {
        let ended =
            run(home.acore(["config", "--output", "json"].iter().chain(args).copied()).envs(env.iter().copied()));
        let shown: Value = serde_json::from_str(&ended.stdout).unwrap();
        let case = format!("{args:?} {env:?}: {shown}");
        assert_eq!(
            (&shown["context"]["value"], &shown["context"]["source"]),
            (&json!(context.0), &json!(context.1)),
            "{case}"
        );
        let settings = &shown["settings"];
        assert!(settings["arn"]["value"].as_str().unwrap().ends_with(arn.0), "{case}");
        assert_eq!(
            (&settings["arn"]["source"], &settings["qualifier"]["value"]),
            (&json!(arn.1), &json!(qualifier)),
            "{case}"
        );
        let identities =
            ["sigv4", "token-command", "bearer-token"].into_iter().filter(|key| settings.get(key).is_some());
        assert_eq!(identities.collect::<Vec<_>>(), [identity], "{case}");
        assert!(!ended.stdout.contains("hush"));
    }
}

#[test]
fn contexts_are_kept_switched_and_dropped() {
    let home = Home::new("contexts");
    home.write("# mine\n[contexts.old] # for trials\nlocal = \"http://127.0.0.1:1\"\n");
    let say = |args: &[&str]| run(&mut home.acore(args.iter().copied()));
    let ended = say(&["config", "set", "prod", "--arn", ARN, "--sigv4", "--profile", "p"]);
    assert_eq!(told(&ended), (Some(0), "note: the context prod is kept; `acore config use prod` puts it in force"));
    assert_eq!(say(&["config", "use", "prod"]).stderr, "note: the context prod is in force\n");
    let text = fs::read_to_string(home.file()).unwrap();
    let kept = format!(
        "context = \"prod\"\n# mine\n[contexts.old] # for trials\nlocal = \"http://127.0.0.1:1\"\n\n\
         [contexts.prod]\narn = \"{ARN}\"\nsigv4 = true\nprofile = \"p\"\n"
    );
    assert_eq!(text, kept);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(home.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(say(&["config", "list"]).stdout, format!("  old  http://127.0.0.1:1\n* prod  {ARN}\n"));
    // What is in force is kept again, with what is typed.
    say(&["config", "set", "test", "--qualifier", "test"]);
    let listed: Value = serde_json::from_str(&say(&["config", "list", "--output", "json"]).stdout).unwrap();
    let test = json!({"arn": ARN, "qualifier": "test", "sigv4": "true", "profile": "p"});
    assert_eq!(listed[2], json!({"name": "test", "in_force": false, "settings": test}));
    assert_eq!(say(&["config", "remove", "prod"]).exit, Some(0));
    assert_eq!(home.in_force(&[])["context"], Value::Null);
    let lines = say(&["config", "use", "prod"]).stderr;
    assert!(lines.ends_with("config.toml\n  hint: there are: old, test\n"), "{lines}");
}

#[test]
fn what_is_refused() {
    let home = Home::new("refused");
    let bearer = ["config", "set", "x", "--arn", ARN, "--bearer-token", "hush"];
    let ended = run(&mut home.acore(bearer));
    assert_eq!(told(&ended), (Some(2), "error: --bearer-token is a secret, and no context holds one"));
    assert!(!home.file().exists());
    let file = home.file().display().to_string();
    for (text, line) in [
        (
            "[contexts.a]\narn = \"x\"\ncognito-password = \"hush\"",
            "3: cognito-password is a secret, and no file of settings holds one",
        ),
        ("contxt = \"a\"", "1: contxt is no key of this file"),
        ("\n[contexts.a]\nregoin = \"x\"", "3: regoin is no key of this file"),
        ("[contexts.a]\narn = [1]", "2: arn must be a text in quotes"),
        ("[contexts.\"a b\"]\n", "1: a b consists of letters, digits, `-`, `_` and `.`"),
        ("[contexts\n", "1: "),
    ] {
        home.write(text);
        for args in [&["invoke", "hi"][..], &["config"], &["config", "use", "a"]] {
            let ended = run(&mut home.acore(args.iter().copied()));
            let (exit, first) = told(&ended);
            assert!(exit == Some(2) && first.starts_with(&format!("error: {file}:{line}")), "{text}: {}", ended.stderr);
            assert!(!ended.stderr.contains("hush"));
        }
        // Those that take nothing from the file do not fail by it.
        assert_eq!(run(&mut home.acore(["invoke", "--mock", "--arn", "text", "hi"])).exit, Some(0), "{text}");
    }
    home.write(&format!("[contexts.a]\narn = \"{ARN}\"\nsigv4 = true\ntoken-command = \"x\"\n"));
    for (args, line) in [
        (&["invoke", "hi", "--context", "b"][..], format!("error: there is no context \"b\" in {file}")),
        (
            &["invoke", "hi", "--context", "a"],
            "error: --token-command and --sigv4 exclude each other, and both are given, by the context a".to_owned(),
        ),
        (
            &["config", "--context", "a"],
            "error: --token-command and --sigv4 exclude each other, and both are given, by the context a".to_owned(),
        ),
        (
            &["config", "set", "a b", "--arn", ARN],
            "error: a context's name consists of letters, digits, `-`, `_` and `.`".to_owned(),
        ),
        (&["config", "set", "c"], "error: there is nothing to keep".to_owned()),
    ] {
        assert_eq!(told(&run(&mut home.acore(args.iter().copied()))), (Some(2), line.as_str()));
    }
}
