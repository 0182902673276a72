//! `acore config`: what is in force and from where, and the contexts of the configuration file. Calls nobody, and shows no secret.

use std::collections::BTreeMap;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::{
    config::ConfigFile,
    context::Context,
    errors::{Failure, one_line},
    flags::{Settings, Source},
    output::{Output, note},
};

/// Shows what is in force and from where; switches contexts
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ConfigFlags {
    #[command(subcommand)]
    action: Option<Action>,
    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

#[derive(Subcommand)]
enum Action {
    /// Puts a context in force
    #[command(after_help = "Example: acore config use prod")]
    Use {
        /// The context
        name: String,
    },
    /// Lists the contexts, with a star at the one in force
    #[command(after_help = "Example: acore config list --output json")]
    List {
        /// How it is written
        #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Keeps what is in force under a name
    ///
    /// That is what the flags beside it, the environment, the context in force and the last login say; no secret is kept. What the name
    /// had before is gone.
    #[command(after_help = "Example: acore config set prod --arn \"$ARN\" --sigv4")]
    Set {
        /// The context
        name: String,
    },
    /// Drops a context
    #[command(after_help = "Example: acore config remove test")]
    Remove {
        /// The context
        name: String,
    },
}

/// How it is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a setting
    Text,
    /// One object
    Json,
}

impl ConfigFlags {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self.action {
            None => show(context, self.output),
            Some(Action::List { output }) => list(context, output),
            Some(Action::Use { name }) => {
                ConfigFile::read()?.use_context(&name)?;
                note(&format!("the context {name} is in force"));
                Ok(())
            }
            Some(Action::Set { name }) => {
                let settings = context.settings()?;
                if settings.is_empty() {
                    return Err(Failure::usage("there is nothing to keep").hint(NOTHING));
                }
                let mut file = ConfigFile::read()?;
                file.set(&name, &settings)?;
                note(&format!("the context {name} is kept; `acore config use {name}` puts it in force"));
                Ok(())
            }
            Some(Action::Remove { name }) => ConfigFile::read()?.remove(&name),
        }
    }
}

/// A setting that is in force, as JSON has it.
#[derive(Serialize)]
struct Shown<'a> {
    /// Null for a secret.
    value: Option<&'a str>,
    source: &'static str,
    /// The variable's or the context's name.
    name: Option<&'a str>,
}

/// What is in force.
#[derive(Serialize)]
struct Report<'a> {
    file: Option<String>,
    context: Option<Shown<'a>>,
    settings: BTreeMap<&'static str, Shown<'a>>,
}

impl<'a> Shown<'a> {
    fn new(value: Option<&'a str>, source: &'a Source) -> Self {
        let (source, name) = match source {
            Source::Flag => ("flag", None),
            Source::Variable(name) => ("variable", Some(name.as_str())),
            Source::Context(name) => ("context", Some(name.as_str())),
            Source::File => ("file", None),
            Source::Login => ("login", None),
            Source::Default => ("default", None),
        };
        Self { value, source, name }
    }
}

fn show(context: &Context, format: Format) -> Result<(), Failure> {
    let file = ConfigFile::read()?;
    let path = file.path().map(|path| path.display().to_string());
    let settings = context.in_force()?;
    let mut output = Output::default();
    if format == Format::Json {
        let name = context.name.as_ref().map(|name| Shown::new(Some(&name.value), &name.source));
        let settings = settings.iter().map(|set| (set.key, Shown::new(set.value.as_deref(), &set.source))).collect();
        return output.object(&Report { file: path, context: name, settings });
    }
    let mut rows = vec![("file", String::new(), path.unwrap_or_else(|| "none: HOME is not set".to_owned()))];
    rows.extend(context.name.iter().map(|name| ("context", name.source.to_string(), name.value.clone())));
    rows.extend(
        settings
            .into_iter()
            .map(|set| (set.key, set.source.to_string(), set.value.unwrap_or_else(|| "(a secret)".to_owned()))),
    );
    let first = rows.iter().map(|row| row.0.len()).max().unwrap_or_default();
    let second = rows.iter().map(|row| row.1.len()).max().unwrap_or_default();
    let is_bare = rows.len() == 1;
    for (key, source, value) in rows {
        output.line(&format!("{key:first$}  {source:second$}  {}", one_line(&value)))?;
    }
    if is_bare {
        note(&format!("nothing is set; {NOTHING}"));
    }
    Ok(())
}

fn list(context: &Context, format: Format) -> Result<(), Failure> {
    let file = ConfigFile::read()?;
    let in_force = |name: &str| context.name.as_ref().is_some_and(|current| current.value == name);
    let mut output = Output::default();
    if format == Format::Json {
        let entry = |(name, settings): &(String, Settings)| {
            let settings: BTreeMap<_, _> = settings.iter().collect();
            json!({ "name": name, "in_force": in_force(name), "settings": settings })
        };
        return output.object(&file.contexts().iter().map(entry).collect::<Vec<_>>());
    }
    for (name, settings) in file.contexts() {
        let star = if in_force(name) { '*' } else { ' ' };
        let place = settings.get("arn").or_else(|| settings.get("local")).unwrap_or_default();
        output.line(format!("{star} {name}  {}", one_line(place)).trim_end())?;
    }
    if file.contexts().is_empty() {
        note("no context is kept; `acore config set NAME` keeps one");
    }
    Ok(())
}

const NOTHING: &str = "flags, variables, `acore login` and contexts say which agent is meant, and who is calling";

const AFTER_HELP: &str = "\
A flag beats a variable, a variable beats the context in force (--context, AGENTCORE_CONTEXT, `acore config use`), and that beats the \
last login. --local and --mock take nothing from the file.

The file is $XDG_CONFIG_HOME/acore/config.toml, by default under ~/.config, and readable by you alone. Its keys are the names of the flags; \
it holds no secret.

Examples:
  acore config set prod --arn \"$ARN\" --sigv4 --profile prod
  acore config use prod
  acore invoke --context test \"Hello\"
  acore config --output json";
