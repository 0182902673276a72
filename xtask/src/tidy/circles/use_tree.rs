//! `use` declarations as one import for each name. It does not ask what the names stand for.

use crate::tidy::token::Token;

/// One name that a `use` brings in, or all names of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import<'a> {
    /// The name here; none for a glob.
    pub(super) name: Option<&'a str>,
    /// The path as it is written, without the `*` of a glob.
    pub(super) path: Vec<&'a str>,
    /// Whether the declaration has a visibility.
    pub(super) reexport: bool,
    pub(super) line: usize,
}

/// Reads a declaration from the token after `use`; returns its imports and the index after its semicolon.
pub(super) fn read<'a>(tokens: &[Token<'a>], start: usize, reexport: bool) -> (Vec<Import<'a>>, usize) {
    let mut reader = Reader { tokens, at: start, reexport, imports: Vec::new() };
    reader.tree(Vec::new());
    let end = tokens[reader.at..].iter().position(|it| it.text == ";");
    (reader.imports, end.map_or(tokens.len(), |it| reader.at + it + 1))
}

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    reexport: bool,
    imports: Vec<Import<'a>>,
}

impl<'a> Reader<'_, 'a> {
    fn tree(&mut self, mut path: Vec<&'a str>) {
        while let Some(token) = self.tokens.get(self.at).copied() {
            match token.text {
                "{" => return self.group(&path),
                "*" => {
                    self.at += 1;
                    return self.push(None, path, token.line);
                }
                "::" => {
                    self.at += 1;
                    if path.is_empty() {
                        path.push(EXTERNAL);
                    }
                }
                _ if token.is_word() => {
                    self.at += 1;
                    // `{self}` is the module itself.
                    if token.text != "self" || path.is_empty() {
                        path.push(token.text);
                    }
                    match self.tokens.get(self.at).map(|it| it.text) {
                        Some("::") => {}
                        Some("as") => {
                            let name = self.tokens.get(self.at + 1).map(|it| it.text);
                            self.at += 2;
                            return self.push(name, path, token.line);
                        }
                        _ => return self.push(path.last().copied(), path, token.line),
                    }
                }
                _ => return,
            }
        }
    }

    fn group(&mut self, path: &[&'a str]) {
        self.at += 1;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "}" => {
                    self.at += 1;
                    return;
                }
                "," => self.at += 1,
                "{" | "*" | "::" => self.tree(path.to_vec()),
                _ if token.is_word() => self.tree(path.to_vec()),
                _ => return,
            }
        }
    }

    fn push(&mut self, name: Option<&'a str>, path: Vec<&'a str>, line: usize) {
        self.imports.push(Import { name, path, reexport: self.reexport, line });
    }
}

/// The head of a path that begins with `::`; no module has this name.
const EXTERNAL: &str = "::";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::token;

    /// Each name and its path, a space between its parts.
    type Names<'a> = &'a [(Option<&'a str>, &'a str)];

    #[test]
    fn each_name_is_an_import() {
        let cases: &[(&str, Names)] = &[
            ("use a;", &[(Some("a"), "a")]),
            ("use a::b as c;", &[(Some("c"), "a b")]),
            ("use a::b as _;", &[(Some("_"), "a b")]),
            ("use ::a::b;", &[(Some("b"), ":: a b")]),
            ("use super::super::a::*;", &[(None, "super super a")]),
            (
                "use crate::{a::{self, b}, c as d, e::{f::*, g},};",
                &[
                    (Some("a"), "crate a"),
                    (Some("b"), "crate a b"),
                    (Some("d"), "crate c"),
                    (None, "crate e f"),
                    (Some("g"), "crate e g"),
                ],
            ),
            ("use {a, self::b};", &[(Some("a"), "a"), (Some("b"), "self b")]),
            ("use {};", &[]),
        ];
        for (text, expected) in cases {
            let text = format!("{text} next");
            let tokens = token::production(&text);
            let (imports, end) = read(&tokens, 1, false);
            let found: Vec<_> = imports.iter().map(|it| (it.name, it.path.join(" "))).collect();
            let expected: Vec<_> = expected.iter().map(|(name, path)| (*name, (*path).to_owned())).collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(tokens[end].text, "next", "{text}");
        }
    }
}
