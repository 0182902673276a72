//! The grammar as a whole: in which group each command stands, which of the shared flags it can use, and what its help shows. Runs nothing.

use clap::{Arg, ArgMatches, Command, Error, builder::Styles, error::ErrorKind, parser::ValueSource};

use crate::flags::{IDENTITY_HEADING, MACHINE, USER, with_environment};

/// A command and the shared flags that it can use.
type Row = (&'static str, &'static [&'static [&'static str]]);

/// The commands.
const COMMANDS: &[Row] = &[
    ("invoke", CALLS),
    ("batch", CALLS),
    ("chat", CALLS),
    ("connect", CALLS),
    ("exec", RUNTIME_CALLS),
    ("shell", RUNTIME_CALLS),
    ("stop", RUNTIME_CALLS),
    ("session", &[]),
    ("ws-url", &[RUNTIME, TRIAL, KEYS, LOG]),
    ("ws-headers", CALLS),
    ("login", &[RUNTIME, USER, MACHINE, STORE, LOG]),
    ("logout", &[CONTEXT, USER, MACHINE, STORE, LOG]),
    ("token", &[CONTEXT, TRIAL, TOKENS, USER, MACHINE, STORE, LOG]),
    ("config", CALLS),
    ("doctor", CALLS),
    ("card", CALLS),
    ("ping", &[CONTEXT, LOCAL, TRIAL, LOG]),
    ("mock", &[]),
    ("completions", &[]),
    ("man", &[]),
    ("version", &[]),
];

/// The first help: the commands in their groups, those that go together on one line, so that all of it fits 24 lines.
pub(super) const GROUPS: &[(&str, &[(&str, &str)])] = &[
    (
        "Talk",
        &[
            ("invoke", "Asks an agent, and prints its answer as it comes"),
            ("batch", "Asks it each line of a file, many at a time"),
            ("chat, connect", "A conversation; a WebSocket, a message a line"),
        ],
    ),
    (
        "Session",
        &[
            ("exec, shell", "A command or a shell in the session's machine"),
            ("stop, session", "Ends a session; prints an id for a new one"),
        ],
    ),
    ("Sockets", &[("ws-url, ws-headers", "What opens a WebSocket elsewhere; keep it secret")]),
    (
        "Identity",
        &[
            ("login, logout", "Keep and forget a login, for what follows"),
            ("token, config", "The token that is sent; what is in force, and why"),
        ],
    ),
    (
        "Tools",
        &[
            ("doctor, ping", "Check what a call needs; a container's health"),
            ("card, mock, version", "An A2A agent's card; a mock; the version"),
            ("completions, man", "A shell's completions; the manual pages"),
        ],
    ),
];

/// What has no row of its own: further commands of `config`, and what only `acore help` shows.
const OTHERS: &[Row] = &[
    ("config use", &[]),
    ("config list", &[CONTEXT]),
    ("config set", CALLS),
    ("config remove", &[]),
    ("identity", &[TOKENS, KEYS, USER, MACHINE, STORE]),
    ("environment", &[]),
    ("exit-codes", &[]),
];

const CALLS: &[&[&str]] = &[RUNTIME, LOCAL, TRIAL, TOKENS, KEYS, USER, MACHINE, STORE, LOG];
const RUNTIME_CALLS: &[&[&str]] = &[RUNTIME, TRIAL, TOKENS, KEYS, USER, MACHINE, STORE, LOG];

const RUNTIME: &[&str] = &["arn", "region", "qualifier", "endpoint-url", "context", "http2"];
const CONTEXT: &[&str] = &["context", "http2"];
const LOCAL: &[&str] = &["local"];
const TRIAL: &[&str] = &["mock"];
const TOKENS: &[&str] = &["bearer-token", "token-command"];
const KEYS: &[&str] = &["sigv4", "profile"];
const STORE: &[&str] = &["token-store"];
const LOG: &[&str] = &["verbose"];

/// Returns the grammar that command lines are parsed by. Shared flags may stand before the command too, so that each command knows all of
/// them, and `refuse_useless` what it cannot use.
pub(super) fn grammar(cli: Command) -> Command {
    with_environment(assembled(cli, true))
}

/// Returns the grammar that completions and manual pages show: each command with the flags that it can use.
pub(super) fn listed(cli: Command) -> Command {
    let cli = assembled(cli, false);
    cli.mut_args(|arg| arg.global(false)).mut_subcommands(|command| command.mut_args(|arg| arg.global(false)))
}

fn assembled(cli: Command, knows_all: bool) -> Command {
    let shared: Vec<Arg> = cli.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let cli = cli.mut_subcommands(|command| {
        let path = command.get_name().to_owned();
        command_with(command, &path, &shared, knows_all)
    });
    root(cli)
}

/// Gives a command the shared flags that it can use, and hides the others, if it is to know all.
fn command_with(command: Command, path: &str, shared: &[Arg], knows_all: bool) -> Command {
    let used = uses(path);
    let mut command = command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        command_with(inner, &path, shared, knows_all)
    });
    for arg in shared {
        let is_used = is_among(&used, arg);
        if is_used || knows_all {
            let is_identity = arg.get_help_heading() == Some(IDENTITY_HEADING) && path != "identity";
            let is_long = is_identity || arg.is_hide_short_help_set();
            command = command.arg(arg.clone().hide(!is_used).hide_short_help(is_long));
        }
    }
    if let Some(text) = command.get_after_help().cloned() {
        let text = text.to_string();
        let examples = text.find("Example").and_then(|start| text.get(start..)).unwrap_or_default();
        let identity = if used.contains(&"token-store") { IDENTITY } else { "" };
        command = command.after_help(format!("{identity}{examples}")).after_long_help(text);
    }
    // A topic has no usage.
    match (command.is_hide_set(), used.is_empty()) {
        (true, true) => command.help_template("{about}"),
        (true, false) => command.help_template("{about}\n\n{all-args}"),
        (false, _) => command,
    }
}

/// Makes the first help: the commands in their groups, the flags that everybody needs, and where the rest is.
fn root(cli: Command) -> Command {
    let cli = cli.mut_args(|arg| match FIRST.iter().find(|(name, ..)| arg.get_long() == Some(name)) {
        Some((.., help)) => arg.help(*help).long_help(None).help_heading(None::<&str>),
        None => arg.hide(true).hide_short_help(false),
    });
    let header = *Styles::default().get_header();
    cli.disable_help_subcommand(false).help_template(format!(
        "{{about}}\n{{usage-heading}} {{usage}}\n\n{}{header}Flags for most commands{header:#}\n{}{{after-help}}",
        list(),
        flags(),
    ))
}

fn list() -> String {
    let (header, literal) = (*Styles::default().get_header(), *Styles::default().get_literal());
    let mut lines = String::new();
    for (title, rows) in GROUPS {
        for (index, (names, text)) in rows.iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            lines += &format!("{header}{title}{header:#}{:width$}", "", width = 10 - title.len());
            lines += &format!("{literal}{names}{literal:#}{:width$}{text}\n", "", width = 21 - names.len());
        }
    }
    lines
}

fn flags() -> String {
    let literal = *Styles::default().get_literal();
    let line = |(flag, value, text): &(&str, &str, &str)| {
        let width = 22 - flag.len() - value.len();
        format!("  {literal}--{flag}{literal:#} {value}{:width$}{text}", "")
    };
    FIRST.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the shared flags that a command can use.
fn uses(path: &str) -> Vec<&'static str> {
    let row = COMMANDS.iter().chain(OTHERS).find(|(name, _)| *name == path);
    row.map(|(_, flags)| flags.concat()).unwrap_or_default()
}

fn is_among(flags: &[&str], arg: &Arg) -> bool {
    arg.get_long().is_some_and(|flag| flags.contains(&flag))
}

/// Refuses shared flags that were typed and that the command cannot use.
pub(super) fn refuse_useless(grammar: &mut Command, matches: &ArgMatches) -> Result<(), Error> {
    let shared: Vec<Arg> = grammar.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let (mut path, mut leaf) = (String::new(), matches);
    let mut command = grammar;
    while let Some((name, inner)) = leaf.subcommand() {
        path = if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
        leaf = inner;
        command = match command.find_subcommand_mut(name) {
            Some(inner) => inner,
            None => return Ok(()),
        };
    }
    let used = uses(&path);
    let is_typed = |arg: &Arg| leaf.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let useless = shared.iter().find(|arg| !is_among(&used, arg) && is_typed(arg));
    let Some(flag) = useless.and_then(|arg| arg.get_long()) else { return Ok(()) };
    let reason = REASONS.iter().find(|(command, other, _)| *command == path && *other == flag);
    let reason = reason.map(|(.., reason)| format!(": {reason}")).unwrap_or_default();
    Err(command.error(ErrorKind::UnknownArgument, format!("`acore {path}` cannot use --{flag}{reason}")))
}

/// Why a command cannot use a flag, where somebody may wonder.
const REASONS: &[(&str, &str, &str)] = &[
    ("exec", "local", "a local container offers no commands"),
    ("shell", "local", "a local container offers no shell"),
    ("stop", "local", "a local container has no session to end"),
    ("token", "sigv4", "it signs requests, and there is no token to print"),
    ("login", "sigv4", "AWS credentials are kept by AWS's own tools, such as `aws sso login`"),
    ("ws-url", "local", "a local container takes no signature"),
    (
        "ws-url",
        "bearer-token",
        "only AWS credentials sign; `acore ws-headers --subprotocol` prints what a browser needs",
    ),
];

/// The flags of the first help.
const FIRST: &[(&str, &str, &str)] = &[
    ("arn", "<ARN>", "The agent, by its runtime's ARN"),
    ("local", "<URL>", "An agent container, at http://127.0.0.1:8080"),
    ("mock", "", "A mock of the service, started for this command"),
    ("bearer-token", "<TOKEN>", "A token, or `-` to read it from standard input"),
    ("sigv4", "", "AWS credentials, of the environment or a profile"),
];

const IDENTITY: &str = "\
Who you are: --bearer-token, --sigv4, --token-command, a user or a machine; see `acore help identity`.

";
