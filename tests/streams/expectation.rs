//! The files of the corpus, and what events are in short. Sends nothing.

use agentcore_client::{Error, ErrorKind, Event, ToolUse};

/// A file of the corpus.
pub(super) struct Stream {
    /// The versions of the packages that made the bytes, or that they were written by hand, and after what.
    pub(super) made: String,
    pub(super) content_type: String,
    /// The dialect that has to be found.
    pub(super) dialect: Option<String>,
    /// `none`, `seen`, `missing`, or `failed` where an error takes the place of an end.
    pub(super) end: String,
    /// What has to be said, a line an event.
    pub(super) expected: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

impl Stream {
    pub(super) fn parse(file: &[u8]) -> Result<Self, String> {
        let mark = b"\nbytes:\n";
        let at = file.windows(mark.len()).position(|window| window == mark).ok_or("no line is `bytes:`")?;
        let head = std::str::from_utf8(&file[..at]).map_err(|error| error.to_string())?;
        let (head, expected) = head.split_once("\nevents:").ok_or("no line is `events:`")?;
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            lines.map(str::to_owned).next().ok_or_else(|| format!("no line begins with `{name}: `"))
        };
        field("about")?;
        let dialect = field("dialect")?;
        Ok(Self {
            made: field("made")?,
            content_type: field("type")?,
            dialect: (dialect != "none").then_some(dialect),
            end: field("end")?,
            expected: expected.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            bytes: file[at + mark.len()..].to_vec(),
        })
    }

    /// Whether it is text that comes as it is, whose pieces are those of the wire.
    pub(super) fn is_text(&self) -> bool {
        self.content_type.starts_with("text/plain") && self.expected.len() == 1
    }
}

/// Whether all lines are as expected; `…` in an expectation stands for anything.
pub(super) fn is_as_expected(found: &[String], expected: &[String]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| is_like(found, expected))
}

fn is_like(found: &str, expected: &str) -> bool {
    let Some((first, later)) = expected.split_once('…') else { return found == expected };
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let (middle, last) = later.rsplit_once('…').unwrap_or(("", later));
    for part in middle.split('…') {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The events, a line each: equal ones that say no words and follow each other are one line, with their number.
pub(super) fn in_short(events: &[Result<Event, Error>], join_texts: bool) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for event in events {
        let line = escaped(&line(event));
        match lines.last_mut() {
            Some((last, count)) if *last == line && matches!(&*line, "trace" | "state" | "other") => *count += 1,
            Some((last, _)) if join_texts && last.starts_with("say ") && line.starts_with("say ") => {
                *last = format!(
                    "{}{}",
                    last.strip_suffix("\\s").map(|last| format!("{last} ")).unwrap_or(last.clone()),
                    &line[4..]
                );
            }
            _ => lines.push((line, 1)),
        }
    }
    lines.into_iter().map(|(line, count)| if count > 1 { format!("{line} * {count}") } else { line }).collect()
}

fn line(event: &Result<Event, Error>) -> String {
    match event {
        Err(error) if error.kind() == ErrorKind::Agent => {
            format!("error {}: {}", error.code().unwrap_or_default(), error.message())
        }
        Err(error) => format!("broken {}", error.message()),
        Ok(Event::Text(text)) => format!("say {text}"),
        Ok(Event::Reasoning(text)) => format!("think {text}"),
        Ok(Event::ToolUse(ToolUse { id, name, input, last, .. })) => {
            format!("use {id} {name} {input}{}", if *last { "." } else { "" })
        }
        Ok(Event::ToolResult(result)) => {
            format!("{} {} {}", if result.failed { "failed" } else { "result" }, result.id, result.content)
        }
        Ok(Event::Usage(usage)) => {
            let numbers = [usage.input_tokens, usage.output_tokens, usage.cached_tokens];
            let numbers = numbers.map(|number| number.map_or("-".to_owned(), |number| number.to_string()));
            format!("used {}", numbers.join(" "))
        }
        Ok(Event::Interrupt(asked)) => format!("ask {} {} {}", asked.id, asked.name, asked.reason),
        Ok(Event::Trace(_)) => "trace".to_owned(),
        Ok(Event::State(_)) => "state".to_owned(),
        Ok(_) => "other".to_owned(),
    }
}

/// What a line cannot show is written as Rust writes it, and a space at its end as `\s`.
fn escaped(line: &str) -> String {
    let mut shown = String::new();
    for character in line.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\0' => shown.push_str("\\0"),
            '…' | '\u{feff}' | '\u{fffd}' => shown.extend(character.escape_unicode()),
            character if character.is_control() => shown.extend(character.escape_unicode()),
            character => shown.push(character),
        }
    }
    match shown.strip_suffix(' ') {
        Some(rest) => format!("{rest}\\s"),
        None => shown,
    }
}

#[test]
fn anything_in_the_middle() {
    for (found, expected, like) in [
        ("ask i1 add x", "ask i1 add x", true),
        ("ask i1 add x", "ask … add x", true),
        ("ask i1 add x", "ask … sub x", false),
        ("ask i1 add x", "ask i1…", true),
        ("ask i1 add x", "…x", true),
        ("ask i1 add x", "…add", false),
        ("ask i1 add x", "ask … a… x", true),
        ("[1, [2], 3]", "[1…]", true),
        ("a", "a…a", false),
        ("ask i1 add x", "ask i1 add", false),
    ] {
        assert_eq!(is_like(found, expected), like, "{found} is like {expected}");
    }
}
