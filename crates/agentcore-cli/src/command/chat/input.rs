//! What a line means: something to say, or a command of the conversation's own. Does none of it.

use std::path::PathBuf;

/// What is to be done about a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    Nothing,
    Say(String),
    Help,
    Session,
    New,
    Save {
        path: PathBuf,
        over: bool,
    },
    Quit,
    /// No command, and why not.
    Wrong(String),
}

impl Input {
    /// Reads a line; only the first character can make it a command, and a second slash makes it none.
    pub(super) fn read(line: &str) -> Self {
        if line.trim().is_empty() {
            return Self::Nothing;
        }
        let Some(command) = line.strip_prefix('/') else { return Self::Say(line.to_owned()) };
        if command.starts_with('/') {
            return Self::Say(command.to_owned());
        }
        let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match (name, argument.trim()) {
            ("help" | "?", "") => Self::Help,
            ("session", "") => Self::Session,
            ("new", "") => Self::New,
            ("quit" | "exit", "") => Self::Quit,
            ("save" | "save!", "") => Self::Wrong(format!("/{name} needs the name of a file")),
            ("save" | "save!", path) => Self::Save { path: path.into(), over: name == "save!" },
            ("help" | "?" | "session" | "new" | "quit" | "exit", _) => {
                Self::Wrong(format!("/{name} takes no argument"))
            }
            _ => Self::Wrong(format!("/{name} is no command")),
        }
    }
}

/// The commands, and what they do.
pub(super) const COMMANDS: [(&str, &str); 5] = [
    ("/new", "begins a new session"),
    ("/session", "shows the session's id"),
    ("/save FILE", "writes what was said to a new file; /save! FILE overwrites one"),
    ("/quit", "ends the conversation, as Ctrl-D does"),
    ("//…", "says something that begins with a slash"),
];
/// How wide the column of the commands is.
pub(super) const COMMAND_COLUMNS: usize = 14;
/// The keys.
pub(super) const KEYS: &str = "Alt-Enter, or \\ at the end of a line, begins a new line; Ctrl-C stops an answer.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let say = |text: &str| Input::Say(text.to_owned());
        let save = |path: &str, over| Input::Save { path: path.into(), over };
        let wrong = |why: &str| Input::Wrong(why.to_owned());
        for (line, input) in [
            ("", Input::Nothing),
            (" \t", Input::Nothing),
            ("Hello", say("Hello")),
            (" /new", say(" /new")),
            ("two\nlines", say("two\nlines")),
            ("//new", say("/new")),
            ("//", say("/")),
            ("/", wrong("/ is no command")),
            ("/nw now", wrong("/nw is no command")),
            ("/New", wrong("/New is no command")),
            ("/new", Input::New),
            ("/new ", Input::New),
            ("/new one", wrong("/new takes no argument")),
            ("/session", Input::Session),
            ("/help", Input::Help),
            ("/?", Input::Help),
            ("/quit", Input::Quit),
            ("/exit", Input::Quit),
            ("/save", wrong("/save needs the name of a file")),
            ("/save!  ", wrong("/save! needs the name of a file")),
            ("/save a.md", save("a.md", false)),
            ("/save!  my chat.md ", save("my chat.md", true)),
        ] {
            assert_eq!(Input::read(line), input, "{line:?}");
        }
    }
}
