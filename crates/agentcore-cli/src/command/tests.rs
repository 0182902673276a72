//! The grammar as a whole, and where its values come from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{grammar::GROUPS, *};
use crate::flags::{OTHER_VARIABLES, Source, Sourced};

#[test]
fn the_grammar_is_sound() {
    grammar(Cli::command()).debug_assert();
    listed(Cli::command()).debug_assert();
}

#[test]
fn every_flag_has_its_variable() {
    fn visit(grammar: &clap::Command) {
        for arg in grammar.get_arguments() {
            let Some(flag) = arg.get_long().filter(|flag| !matches!(*flag, "help" | "version")) else { continue };
            let own = format!("AGENTCORE_{}", flag.to_uppercase().replace('-', "_"));
            let name = arg.get_env().unwrap().to_str().unwrap();
            assert!(name == own || OTHER_VARIABLES.contains(&(flag, name)), "{flag}: {name}");
            assert!(arg.is_hide_env_values_set() || arg.is_hide_env_set(), "{flag}");
        }
        grammar.get_subcommands().for_each(visit);
    }
    visit(&grammar(Cli::command()));
}

#[test]
fn global_flags_stand_before_and_after_the_command() {
    for line in [
        &["acore", "--mock", "--arn", "echo", "invoke", "hi"][..],
        &["acore", "invoke", "--mock", "--arn", "echo", "hi"],
        &["acore", "--arn", "echo", "invoke", "hi", "--mock"],
    ] {
        let target = Cli::parse_line(line.iter().map(OsString::from)).unwrap().target;
        assert_eq!(target.arn, Some(Sourced { value: "echo".into(), source: Source::Flag }), "{line:?}");
        assert_eq!(target.mock, Sourced { value: true, source: Source::Flag }, "{line:?}");
    }
}

#[test]
fn every_value_knows_its_source() {
    // A variable that every test's environment has.
    let grammar = grammar(Cli::command()).mut_arg("arn", |arg| arg.env("PATH")).mut_arg("sigv4", |arg| arg.env("PATH"));
    let line = ["acore", "--region", "us-east-1", "--bearer-token=t", "login"];
    let cli = Cli::from_arg_matches(&grammar.try_get_matches_from(line).unwrap()).unwrap();
    let path = std::env::var("PATH").unwrap();
    let variable = Source::Variable("PATH".to_owned());
    assert_eq!(cli.target.arn, Some(Sourced { value: path, source: variable.clone() }));
    assert_eq!(cli.target.region, Some(Sourced { value: "us-east-1".to_owned(), source: Source::Flag }));
    assert_eq!(cli.target.mock, Sourced { value: false, source: Source::Default });
    assert_eq!(cli.identity.sigv4, Sourced { value: true, source: variable });
    assert_eq!(cli.identity.bearer_token.map(|token| token.source), Some(Source::Flag));
}

/// Every command that is shown, by its path.
fn commands() -> Vec<(String, clap::Command)> {
    fn visit(path: &str, command: &clap::Command, found: &mut Vec<(String, clap::Command)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path = format!("{path} {}", inner.get_name());
            visit(&path, inner, found);
            found.push((path.trim_start().to_owned(), inner.clone()));
        }
    }
    let mut found = Vec::new();
    let mut whole = grammar(Cli::command()).term_width(80);
    whole.build();
    visit("", &whole, &mut found);
    found
}

/// The shared flags, in groups that go together.
const SHARED: &[(&str, &[&str])] = &[
    ("runtime", &["arn", "region", "qualifier", "endpoint-url"]),
    ("context", &["context", "http2"]),
    ("local", &["local"]),
    ("mock", &["mock"]),
    ("token", &["bearer-token", "token-command"]),
    ("keys", &["sigv4", "profile"]),
    #[cfg(feature = "cognito")]
    (
        "issuer",
        &[
            "cognito-client-id",
            "cognito-pool-id",
            "cognito-region",
            "cognito-username",
            "cognito-flow",
            "cognito-endpoint-url",
            "token-use",
            "oauth-token-url",
            "oauth-issuer",
            "oauth-client-id",
            "oauth-scope",
            "token-store",
        ],
    ),
    #[cfg(not(feature = "cognito"))]
    ("issuer", &["oauth-token-url", "oauth-issuer", "oauth-client-id", "oauth-scope", "token-store"]),
    ("log", &["verbose"]),
];

/// What each command can use, at least and at most.
const USES: &[(&str, &str)] = &[
    ("invoke", "runtime context local mock token keys issuer log"),
    ("batch", "runtime context local mock token keys issuer log"),
    ("chat", "runtime context local mock token keys issuer log"),
    ("connect", "runtime context local mock token keys issuer log"),
    ("exec", "runtime context mock token keys issuer log"),
    ("shell", "runtime context mock token keys issuer log"),
    ("stop", "runtime context mock token keys issuer log"),
    ("session", ""),
    ("ws-url", "runtime context mock keys log"),
    ("ws-headers", "runtime context local mock token keys issuer log"),
    ("login", "runtime context issuer log"),
    ("logout", "context issuer log"),
    ("token", "context mock token issuer log"),
    ("config", "runtime context local mock token keys issuer log"),
    ("config use", ""),
    ("config list", "context"),
    ("config set", "runtime context local mock token keys issuer log"),
    ("config remove", ""),
    ("doctor", "runtime context local mock token keys issuer log"),
    ("card", "runtime context local mock token keys issuer log"),
    ("ping", "context local mock log"),
    ("mock", ""),
    ("completions", ""),
    ("man", ""),
    ("version", ""),
    ("identity", "token keys issuer"),
    ("environment", ""),
    ("exit-codes", ""),
];

#[test]
fn each_command_shows_and_takes_the_flags_that_it_can_use() {
    let commands = commands();
    let paths: std::collections::BTreeSet<_> = commands.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, USES.iter().map(|(path, _)| *path).collect());
    for (path, command) in &commands {
        let used = USES.iter().find(|(other, _)| other == path).unwrap().1;
        for (group, flags) in SHARED {
            let can = used.split(' ').any(|word| word == *group);
            for flag in *flags {
                let arg = command.get_arguments().find(|arg| arg.get_long() == Some(*flag)).unwrap();
                assert_eq!(!arg.is_hide_set(), can, "acore {path} shows --{flag}");
                // What else such a line lacks is another error.
                let value = if arg.get_action().takes_values() { "=srp" } else { "" };
                let value = if *flag == "token-use" { "=id" } else { value };
                let typed = format!("--{flag}{value}");
                for line in [format!("acore {path} {typed}"), format!("acore {typed} {path}")] {
                    let outcome = Cli::parse_line(line.split(' ').map(OsString::from));
                    let told = outcome.err().map(|error| error.to_string()).unwrap_or_default();
                    let is_refused = told.contains(&format!("`acore {path}` cannot use --{flag}"));
                    let lacks_argument = told.contains("required arguments were not provided");
                    assert!(is_refused != can || lacks_argument, "{line}: {told}");
                }
            }
        }
    }
}

#[test]
fn help_fits_a_screen() {
    for flag in ["-h", "--help"] {
        let asked = grammar(Cli::command()).term_width(80).try_get_matches_from(["acore", flag]);
        let text = asked.unwrap_err().to_string();
        // A terminal's 24 without the shell's next prompt.
        assert!(text.lines().count() <= 23, "{} lines\n{text}", text.lines().count());
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
    let listed: Vec<_> = GROUPS.iter().flat_map(|(_, rows)| *rows).flat_map(|(names, _)| names.split(", ")).collect();
    for (path, mut command) in commands() {
        let times = listed.iter().filter(|name| **name == path).count();
        assert_eq!(times, usize::from(!command.is_hide_set() && !path.contains(' ')), "{path} in the first help");
        let (short, long) = (command.render_help().to_string(), command.render_long_help().to_string());
        for text in [&short, &long] {
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "{path}");
        }
        assert!(short.lines().count() <= 80, "acore {path} -h: {} lines\n{short}", short.lines().count());
        let is_topic = command.is_hide_set();
        assert!(is_topic || short.contains("Example"), "{path}: {short}");
        // What does not fit into a line of the list stands below the first paragraph.
        let about = command.get_about().unwrap().to_string();
        assert!(about.len() <= 65, "{path}: {about}");
        // Nobody knows how wide a terminal is: a paragraph is one line.
        for text in [command.get_after_help(), command.get_after_long_help()].into_iter().flatten() {
            let text = text.to_string();
            let mut lines = text.lines().peekable();
            while let Some(line) = lines.next() {
                // What is broken within a line of an example cannot be pasted.
                assert!(
                    !line.starts_with("  ") && !line.starts_with("Example: ") || line.chars().count() <= 80,
                    "{path}: {line}"
                );
                let is_wrapped = line.len() > 60
                    && !line.starts_with("  ")
                    && lines.peek().is_some_and(|next| next.starts_with(char::is_lowercase));
                assert!(!is_wrapped, "{path}: {line}");
            }
        }
    }
}
