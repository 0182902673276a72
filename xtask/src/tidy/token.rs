//! Rust source as words and signs: comments, literals and what only tests see are left out. It understands no syntax beyond
//! that.

/// One word or sign, and the line it stands in, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

impl Token<'_> {
    /// Whether it is a name or a keyword.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(is_word_start)
    }
}

/// Reads the tokens of a file, without the items under `#[cfg(test)]`.
pub(super) fn production(text: &str) -> Vec<Token<'_>> {
    without_tests(&tokens(text))
}

/// Returns the index after the bracket that closes the one at `open`, or the end.
pub(super) fn after_group(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = match ignored(rest) {
            Some(length) => length,
            None => {
                let length = word(rest).or_else(|| sign(rest)).unwrap_or_else(|| first.len_utf8());
                found.push(Token { text: &rest[..length], line });
                length
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// The length of white space, a comment or a literal at the beginning of the text.
fn ignored(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if first.is_whitespace() {
        return Some(first.len_utf8());
    }
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    if first == '\'' {
        return Some(character_or_lifetime(text));
    }
    let prefix = text.find(|it: char| !it.is_ascii_alphabetic()).filter(|it| PREFIXES.contains(&&text[..*it]))?;
    let (prefix, literal) = text.split_at(prefix);
    if prefix.ends_with('r') {
        let hashes = literal.find(|it| it != '#').filter(|it| literal[*it..].starts_with('"'))?;
        let end = format!("\"{}", &literal[..hashes]);
        let body = &literal[hashes + 1..];
        let length = body.find(&end).map_or(body.len(), |it| it + end.len());
        return Some(prefix.len() + hashes + 1 + length);
    }
    match literal.chars().next()? {
        '"' => Some(prefix.len() + quoted(literal, '"')),
        '\'' if prefix == "b" => Some(prefix.len() + quoted(literal, '\'')),
        _ => None,
    }
}

/// What may stand before a string's quotation mark.
const PREFIXES: &[&str] = &["", "b", "c", "r", "br", "cr"];

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn character_or_lifetime(text: &str) -> usize {
    let body = &text[1..];
    let Some(first) = body.chars().next() else { return 1 };
    if first == '\\' || body[first.len_utf8()..].starts_with('\'') {
        return quoted(text, '\'');
    }
    1 + body.find(|it| !is_word_part(it)).unwrap_or(body.len())
}

/// The length of what begins with a quotation mark and ends with the next one that no backslash escapes.
fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (index, it) in text.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if it == mark => return index + mark.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn word(text: &str) -> Option<usize> {
    let raw = if text.starts_with("r#") { 2 } else { 0 };
    let name = &text[raw..];
    let length = name.find(|it| !is_word_part(it)).unwrap_or(name.len());
    (length > 0).then_some(raw + length)
}

fn sign(text: &str) -> Option<usize> {
    SIGNS.iter().find(|it| text.starts_with(**it)).map(|it| it.len())
}

/// The signs of several characters that it matters to see whole, the longer ones first.
const SIGNS: &[&str] = &["..=", "...", "::", "..", "=>", "->"];

fn is_word_start(it: char) -> bool {
    it == '_' || it.is_alphabetic()
}

fn is_word_part(it: char) -> bool {
    it == '_' || it.is_alphanumeric()
}

fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let texts = |from: usize| tokens[from..].iter().map(|it| it.text);
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if texts(at).take(3).eq(["#", "!", "["]) && is_test_only(&tokens[at + 2..after_group(tokens, at + 2)]) {
            return Vec::new();
        }
        let attribute = texts(at).take(2).eq(["#", "["]).then(|| after_group(tokens, at + 1));
        match attribute.filter(|end| is_test_only(&tokens[at + 1..*end])) {
            Some(end) => at = after_item(tokens, end),
            None => {
                kept.push(tokens[at]);
                at += 1;
            }
        }
    }
    kept
}

/// Whether an attribute, from its `[`, is `cfg(test)` or a `cfg(all(…))` that names `test` itself.
fn is_test_only(attribute: &[Token<'_>]) -> bool {
    let texts: Vec<_> = attribute.iter().map(|it| it.text).collect();
    match texts.as_slice() {
        ["[", "cfg", "(", "test", ")", "]"] => true,
        ["[", "cfg", "(", "all", "(", arguments @ ..] => {
            let mut depth = 0_usize;
            arguments.iter().any(|it| {
                match *it {
                    "(" => depth += 1,
                    ")" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && *it == "test"
            })
        }
        _ => false,
    }
}

/// The index after the item, field or arm that begins at `start`, attributes first.
fn after_item(tokens: &[Token<'_>], start: usize) -> usize {
    let mut at = start;
    while tokens.get(at).is_some_and(|it| it.text == "#") {
        at = after_group(tokens, at + 1);
    }
    if tokens.get(at).is_some_and(|it| it.text == "pub") {
        at += 1;
        if tokens.get(at).is_some_and(|it| it.text == "(") {
            at = after_group(tokens, at);
        }
    }
    let keyword = tokens.get(at).map_or("", |it| it.text);
    let constant = keyword == "const" && tokens.get(at + 1).is_none_or(|it| !BODIED.contains(&it.text));
    let (ends, body_ends): (&[&str], bool) = if constant || STATEMENTS.contains(&keyword) {
        (&[";"], false)
    } else if keyword == "const" || BODIED.contains(&keyword) {
        (&[";"], true)
    } else {
        (&[",", ";"], false)
    };
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" if body_ends => return after_group(tokens, at),
            "=>" if tokens.get(at + 1).is_some_and(|it| it.text == "{") => return after_group(tokens, at + 1),
            "(" | "[" | "{" => at = after_group(tokens, at),
            ")" | "]" | "}" => return at,
            text if ends.contains(&text) => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// What a semicolon ends, whatever braces come before it.
const STATEMENTS: &[&str] = &["let", "static", "type", "use"];
/// What ends with its body, or with a semicolon where there is none.
const BODIED: &[&str] =
    &["async", "enum", "extern", "fn", "impl", "macro_rules", "mod", "struct", "trait", "union", "unsafe"];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        production(text).iter().map(|it| it.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_and_signs_are_read_and_literals_are_not() {
        let cases = [
            ("use a::b as _; // c", "use a :: b as _ ;"),
            ("/// [`x`]\n//! y\n/* z /* z */ z */ a", "a"),
            (r#"f("a \" b", 'c', '\'', b'd', b"e", c"f") + g"#, "f ( , , , , , ) + g"),
            (r###"f(r"\", r#"a " b"#, br##""# "##) g"###, "f ( , , ) g"),
            ("r#type::r#fn rest brave", "r#type :: r#fn rest brave"),
            ("fn f<'a>(x: &'a str) -> &'static str { 'x: loop {} }", "fn f < > ( x : & str ) -> & str { : loop { } }"),
            ("0..=a.0 ..b => 1_000u8", "0 ..= a . 0 .. b => 1_000u8"),
            ("\"a\nb\" \"unended", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_all_that_is_left_out() {
        let tokens = production("a\n/* \n */ b\n\"\n\n\" c // d\ne");
        let lines: Vec<_> = tokens.iter().map(|it| (it.text, it.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 3), ("c", 6), ("e", 7)]);
    }

    #[test]
    fn what_only_tests_see_is_left_out() {
        let cases = [
            ("a; #[cfg(test)] mod tests { fn f() { g(); } } b", "a ; b"),
            ("#[cfg(test)]\nmod tests;\nb", "b"),
            ("#[cfg(test)] use a::{b, c}; d", "d"),
            ("#[cfg(test)] #[must_use] pub(crate) fn f(a: [u8; 3]) -> B where C: D { } e", "e"),
            ("#[cfg(test)] const A: [B; 1] = [B { c: 1 }]; d", "d"),
            ("#[cfg(test)] const fn f() {} d", "d"),
            ("#[cfg(test)] impl A<B> for C { } d", "d"),
            ("struct A { #[cfg(test)] b: C, d: E }", "struct A { d : E }"),
            ("enum A { B, #[cfg(test)] C }", "enum A { B , }"),
            ("match a { #[cfg(test)] B { c } => d, e => f }", "match a { e => f }"),
            ("match a { #[cfg(test)] B => { c } d => e }", "match a { d => e }"),
            ("#[cfg(all(test, feature = \"x\"))] mod a {} b", "b"),
            ("#[cfg(all(unix, test))] mod a {} b", "b"),
            ("#![cfg(test)]\nmod a;", ""),
            ("#[cfg(any(test, unix))] mod a {}", "# [ cfg ( any ( test , unix ) ) ] mod a { }"),
            ("#[cfg(not(test))] mod a {}", "# [ cfg ( not ( test ) ) ] mod a { }"),
            ("#[cfg(all(unix, not(test)))] a", "# [ cfg ( all ( unix , not ( test ) ) ) ] a"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
