//! What the files say: the contexts that the user names, and the last login. Holds no secret, and refuses a file that does.
//!
//! `config.toml` is the user's, and keeps its comments; `login.toml` is written by `acore login` alone. Both take the names of the flags
//! as keys:
//!
//! ```toml
//! context = "prod"            # the one in force
//!
//! [contexts.prod]
//! arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my-agent"
//! sigv4 = true
//! ```

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use toml_edit::{Document, DocumentMut, Item, Key, Table, TableLike, value};

use crate::{directories, errors::Failure, flags::Settings};

/// The configuration file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    /// None where there is no place for it.
    path: Option<PathBuf>,
    document: DocumentMut,
    in_force: Option<String>,
    contexts: Vec<(String, Settings)>,
}

impl ConfigFile {
    /// Reads the file; one that is not there says nothing.
    pub(crate) fn read() -> Result<Self, Failure> {
        let path = directories::config().map(|directory| directory.join("config.toml"));
        let text = path.as_deref().map_or(Ok(None), read)?.unwrap_or_default();
        let shown = path.as_deref().unwrap_or(Path::new("config.toml"));
        let source = Text { path: shown, text: &text };
        let document = source.parse()?;
        let (mut in_force, mut contexts) = (None, Vec::new());
        for (key, item) in entries(document.as_table()) {
            match (key.get(), item) {
                ("context", item) => in_force = Some(source.text(key, item)?),
                ("contexts", Item::Table(table)) => {
                    for (name, item) in entries(table) {
                        let table = item.as_table_like();
                        let table = table.ok_or_else(|| source.wrong(name, "must be a table, [contexts.NAME]"))?;
                        if !is_name(name.get()) {
                            return Err(source.wrong(name, NAME_RULE));
                        }
                        contexts.push((name.get().to_owned(), source.settings(table)?));
                    }
                }
                ("contexts", _) => return Err(source.wrong(key, "must be a table, [contexts.NAME]")),
                _ => return Err(source.unknown(key, "the file has `context` and [contexts.NAME]")),
            }
        }
        let document = text.parse().unwrap_or_default();
        Ok(Self { path, document, in_force, contexts })
    }

    /// Returns where the file is, or would be.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the context that the file puts in force.
    pub(crate) fn in_force(&self) -> Option<&str> {
        self.in_force.as_deref()
    }

    /// Returns the contexts in the order of the file.
    pub(crate) fn contexts(&self) -> &[(String, Settings)] {
        &self.contexts
    }

    /// Returns a context by its name.
    pub(crate) fn context(&self, name: &str) -> Result<&Settings, Failure> {
        self.contexts.iter().find(|(other, _)| other == name).map(|(_, settings)| settings).ok_or_else(|| {
            let names: Vec<&str> = self.contexts.iter().map(|(name, _)| name.as_str()).collect();
            let place = self.path.as_deref().map(|path| format!(" in {}", path.display())).unwrap_or_default();
            let known = match names[..] {
                [] => "no context is kept yet; `acore config set NAME` keeps one".to_owned(),
                _ => format!("there are: {}", names.join(", ")),
            };
            Failure::usage(format!("there is no context {name:?}{place}")).hint(known)
        })
    }

    /// Puts a context in force.
    pub(crate) fn use_context(&mut self, name: &str) -> Result<(), Failure> {
        self.context(name)?;
        self.document.insert("context", value(name));
        self.write()
    }

    /// Keeps settings under a name; those that it had are gone.
    pub(crate) fn set(&mut self, name: &str, settings: &Settings) -> Result<(), Failure> {
        if !is_name(name) {
            return Err(Failure::usage(format!("a context's name {NAME_RULE}")));
        }
        let contexts = self.document.entry("contexts").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let contexts = contexts.as_table_mut().ok_or_else(|| Failure::internal("[contexts] is no table"))?;
        let table = contexts.entry(name).or_insert_with(toml_edit::table);
        let table = table.as_table_like_mut().ok_or_else(|| Failure::internal("a context is no table"))?;
        let gone: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
        gone.iter().filter(|key| settings.get(key).is_none()).for_each(|key| drop(table.remove(key)));
        write_into(table, settings);
        self.write()
    }

    /// Drops a context, and takes it out of force.
    pub(crate) fn remove(&mut self, name: &str) -> Result<(), Failure> {
        self.context(name)?;
        if let Some(contexts) = self.document.get_mut("contexts").and_then(Item::as_table_like_mut) {
            contexts.remove(name);
        }
        if self.in_force() == Some(name) {
            self.document.remove("context");
        }
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        let path = self.path.as_deref().ok_or_else(no_place)?;
        replace(path, &self.document.to_string())
    }
}

/// Reads what the last login was told, if there was one.
pub(crate) fn last_login() -> Result<Option<Settings>, Failure> {
    let Some(path) = login_file() else { return Ok(None) };
    let Some(text) = read(&path)? else { return Ok(None) };
    let source = Text { path: &path, text: &text };
    source.settings(source.parse()?.as_table()).map(Some)
}

/// Keeps what a login was told, for the commands that follow.
pub(crate) fn keep_login(settings: &Settings) -> Result<(), Failure> {
    let mut document = DocumentMut::new();
    write_into(document.as_table_mut(), settings);
    replace(&login_file().ok_or_else(no_place)?, &format!("{LOGIN_HEADER}{document}"))
}

/// Forgets what the last login was told.
pub(crate) fn forget_login() -> Result<(), Failure> {
    let Some(path) = login_file() else { return Ok(()) };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::usage(format!("cannot remove {}", path.display())).caused_by(&error))
        }
        _ => Ok(()),
    }
}

fn login_file() -> Option<PathBuf> {
    directories::state().map(|directory| directory.join("login.toml"))
}

fn no_place() -> Failure {
    Failure::usage("there is no place for the file: neither HOME nor XDG_CONFIG_HOME is set")
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    directories::read(path).map_err(|error| Failure::usage(format!("cannot read {}", path.display())).caused_by(&error))
}

fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    directories::replace(path, text)
        .map_err(|error| Failure::usage(format!("cannot write {}", path.display())).caused_by(&error))
}

fn write_into(table: &mut dyn TableLike, settings: &Settings) {
    for (key, text) in settings.iter() {
        let new = if Settings::is_switch(key) { value(true) } else { value(text) };
        match table.get_mut(key) {
            // The comment beside a value stays.
            Some(Item::Value(old)) => {
                let decor = old.decor().clone();
                *old = new.into_value().unwrap_or_else(|_| text.into());
                *old.decor_mut() = decor;
            }
            _ => drop(table.insert(key, new)),
        }
    }
}

/// A file's text, for messages that name a line of it.
struct Text<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Text<'_> {
    fn parse(&self) -> Result<Document<&str>, Failure> {
        Document::parse(self.text).map_err(|error| {
            let place = self.place(error.span());
            Failure::usage(format!("{place}: {}", error.message().lines().next().unwrap_or("it is not TOML")))
        })
    }

    /// Reads settings by the names of their flags.
    fn settings(&self, table: &dyn TableLike) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        for (key, item) in entries(table) {
            if let Some(variable) = secret(key.get()) {
                return Err(self.wrong(key, "is a secret, and no file of settings holds one").hint(variable));
            }
            let Some(known) = Settings::key(key.get()) else {
                return Err(self.unknown(key, "the keys are the names of the flags, such as arn"));
            };
            let text = match item.as_bool() {
                Some(true) if Settings::is_switch(known) => "true".to_owned(),
                Some(false) if Settings::is_switch(known) => continue,
                _ if Settings::is_switch(known) => return Err(self.wrong(key, "must be true or false")),
                _ => self.text(key, item)?,
            };
            if has_password(&text) {
                let rule = "holds a password, and no file of settings holds one";
                return Err(self.wrong(key, rule).hint("AGENTCORE_TOKEN_STORE takes a URL with a password"));
            }
            settings.insert(known, text);
        }
        Ok(settings)
    }

    fn text(&self, key: &Key, item: &Item) -> Result<String, Failure> {
        item.as_str().map(str::to_owned).ok_or_else(|| self.wrong(key, "must be a text in quotes"))
    }

    fn unknown(&self, key: &Key, hint: &str) -> Failure {
        self.wrong(key, "is no key of this file").hint(hint)
    }

    fn wrong(&self, key: &Key, rule: &str) -> Failure {
        Failure::usage(format!("{}: {} {rule}", self.place(key.span()), key.get()))
    }

    /// Returns the file's name and the line.
    fn place(&self, span: Option<Range<usize>>) -> String {
        let before = span.and_then(|span| self.text.get(..span.start)).unwrap_or_default();
        format!("{}:{}", self.path.display(), before.matches('\n').count() + 1)
    }
}

/// Returns the entries of a table with their keys.
fn entries(table: &dyn TableLike) -> impl Iterator<Item = (&Key, &Item)> {
    table.iter().filter_map(|(name, item)| Some((table.key(name)?, item)))
}

/// Returns what to do in place of writing this secret into a file, if it is one.
fn secret(key: &str) -> Option<String> {
    let key = key.to_lowercase().replace('_', "-");
    let is_secret = ["password", "secret", "token", "api-key", "access-key"].iter().any(|word| key.contains(word));
    let variable = match key.as_str() {
        _ if Settings::key(&key).is_some() || !is_secret => return None,
        "aws-secret-access-key" | "aws-session-token" | "aws-access-key-id" => key.to_uppercase().replace('-', "_"),
        _ => format!("AGENTCORE_{}", key.to_uppercase().replace('-', "_")),
    };
    Some(format!("secrets come from the environment: {variable}"))
}

/// Returns whether a text is a URL with a password.
fn has_password(text: &str) -> bool {
    let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

const NAME_RULE: &str = "consists of letters, digits, `-`, `_` and `.`";
const LOGIN_HEADER: &str = "# Written by `acore login`, removed by `acore logout`; it holds no secret.\n";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn settings(text: &str) -> Result<Vec<(String, String)>, String> {
        let source = Text { path: Path::new("f.toml"), text };
        let read = source.parse().and_then(|document| source.settings(document.as_table()));
        read.map(|settings| settings.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
            .map_err(|failure| failure.parts().1)
    }

    #[test]
    fn a_file_that_is_refused() {
        for (text, lines) in [
            ("arn = \"a\"\n\nnonsense = 1", "error: f.toml:3: nonsense is no key of this file\n"),
            ("# a\narn = 1", "error: f.toml:2: arn must be a text in quotes\n"),
            ("sigv4 = \"yes\"", "error: f.toml:1: sigv4 must be true or false\n"),
            ("bearer-token = \"x\"", "error: f.toml:1: bearer-token is a secret, and no file of settings holds one\n"),
            ("x = ", "error: f.toml:1: "),
            ("arn = \"a\"\narn = \"b\"", "error: f.toml:2: "),
            ("token-store = \"redis://u:pw@h\"", "error: f.toml:1: token-store holds a password"),
        ] {
            let told = settings(text).unwrap_err();
            assert!(told.starts_with(lines), "{text}: {told}");
            assert!(!told.contains("pw@"), "{told}");
        }
    }

    #[test]
    fn what_is_a_secret() {
        for (key, variable) in [
            ("bearer-token", Some("AGENTCORE_BEARER_TOKEN")),
            ("Bearer_Token", Some("AGENTCORE_BEARER_TOKEN")),
            ("cognito-password", Some("AGENTCORE_COGNITO_PASSWORD")),
            ("cognito-client-secret", Some("AGENTCORE_COGNITO_CLIENT_SECRET")),
            ("cognito-refresh-token", Some("AGENTCORE_COGNITO_REFRESH_TOKEN")),
            ("oauth-client-secret", Some("AGENTCORE_OAUTH_CLIENT_SECRET")),
            ("aws_secret_access_key", Some("AWS_SECRET_ACCESS_KEY")),
            ("token-store-key", Some("AGENTCORE_TOKEN_STORE_KEY")),
            ("token-store", None),
            ("token-command", None),
            ("oauth-token-url", None),
            ("arn", None),
            ("nonsense", None),
        ] {
            let told = variable.map(|name| format!("secrets come from the environment: {name}"));
            assert_eq!(secret(key), told, "{key}");
        }
    }

    #[test]
    fn values_by_the_names_of_flags() {
        let read = settings("sigv4 = true\nprofile = 'dev'\narn = \"a\"").unwrap();
        let read: Vec<_> = read.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(read, [("arn", "a"), ("sigv4", "true"), ("profile", "dev")]);
        assert_eq!(settings("sigv4 = false").unwrap(), []);
    }
}
