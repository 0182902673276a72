//! What is shown of Markdown, as a whole and piece by piece. `{b}`, `{i}`, `{u}`, `{d}` and `{c}` stand for bold, italic,
//! underlined, dim and the colour of code, `{}` for the plain state.

use proptest::prelude::*;

use super::{span::MAX_SPAN_BYTES, *};

fn tags(shown: &str) -> String {
    let tags = [("1", "b"), ("3", "i"), ("4", "u"), ("2", "d"), ("38;5;30", "c"), ("0", "")];
    tags.iter()
        .fold(shown.to_owned(), |text, (code, tag)| text.replace(&format!("\u{1b}[{code}m"), &format!("{{{tag}}}")))
}

fn whole(text: &str) -> String {
    let mut markdown = Markdown::default();
    markdown.push(text) + &markdown.finish()
}

#[test]
fn what_is_shown() {
    for (text, shown) in [
        ("plain", "plain"),
        ("a **b** c", "a {b}b{} c"),
        ("*b*", "{i}b{}"),
        ("_b_ and __c__.", "{i}b{} and {b}c{}."),
        ("***b***", "{b}{i}b{}"),
        ("**b *c* d**", "{b}b {}{b}{i}c{}{b} d{}"),
        ("*a **b** c*", "{i}a {}{b}{i}b{}{i} c{}"),
        ("**`x`**", "{b}{c}x{}"),
        ("这是**重点**内容", "这是{b}重点{}内容"),
        ("**N:**b", "{b}N:{}b"),
        // No markers.
        ("2 * 3 * 4, 2*3*4, 2**3**4", "2 * 3 * 4, 2*3*4, 2**3**4"),
        ("f(*args, **kwargs)", "f(*args, **kwargs)"),
        ("*a\nb*", "*a\nb*"),
        ("*a\\\nb*", "*a\\\nb*"),
        ("* a*b *", "• a*b *"),
        ("snake_case_name and _a_b", "snake_case_name and _a_b"),
        ("a ** b** c", "a ** b** c"),
        ("**b*", "**b*"),
        ("*b**", "*b**"),
        ("****b****", "****b****"),
        ("**", "**"),
        ("***", "***"),
        ("---", "---"),
        (r"\*a\* \_b\_ \`c\` \[d\] C:\dir \", r"*a* _b_ `c` \[d\] C:\dir \"),
        (r"**a\** b**", "{b}a{}{b}*{}{b}*{}{b} b{}"),
        // Code.
        ("`**a**`, `` a`b `` `", "{c}**a**{}, {c} a`b {} `"),
        ("`a\n`b`", "`a\n{c}b{}"),
        ("```rust\nlet x = *y;\n``` \n*a*", "{d}```rust{}\n{c}let x = *y;{}\n{d}``` {}\n{i}a{}"),
        ("~~~~\n~~~\n```\n# a\n~~~~~", "{d}~~~~{}\n{c}~~~{}\n{c}```{}\n{c}# a{}\n{d}~~~~~{}"),
        ("```\n\n  a\n", "{d}```{}\n\n{c}  a{}\n"),
        ("- a\n  ```\n  b\n  ```\nc", "• a\n{d}  ```{}\n{c}  b{}\n{d}  ```{}\nc"),
        ("```a```", "{c}a{}"),
        ("``` a `b`", "``` a {c}b{}"),
        ("~~ a", "~~ a"),
        // Lines.
        ("# a *b*\nc", "{b}{u}a {}{b}{i}{u}b{}\nc"),
        ("###### a\n####### b\n#c\n#", "{b}a{}\n####### b\n#c\n#"),
        ("- a\n* b\n+ c\n  - d\n1. e\n-f\n-", "• a\n• b\n• c\n  • d\n1. e\n-f\n-"),
        ("- [ ] a\n> b\n| c |", "• [ ] a\n> b\n| c |"),
        ("  a\n\t\n  ", "  a\n\t\n  "),
        // Links.
        ("[a](b)", "{u}a{} {d}(b){}"),
        ("[*a*](https://b/c_(d)_e \"f\").", "{i}{u}a{} {d}(https://b/c_(d)_e \"f\"){}."),
        ("[a](a)", "{u}a{}"),
        ("**[a](b)**", "{b}{u}a{}{b} {}{d}(b){}"),
        ("[a] (b) [c [d](e) [f](g\n)", "[a] (b) [c {u}d{} {d}(e){} [f](g\n)"),
        ("x[1](2", "x[1](2"),
    ] {
        assert_eq!(tags(&whole(text)), shown, "{text:?}");
    }
}

#[test]
fn what_is_held_back() {
    let long = "x".repeat(MAX_SPAN_BYTES);
    let opened = format!("**{long}");
    let line = "y".repeat(MAX_FENCE_BYTES);
    let fence = format!("~~~{line}");
    for pieces in [
        &[("one", "one"), (" two", " two")][..],
        &[("a *", "a "), ("*", ""), ("b", ""), ("*", ""), ("*", ""), (" c", "{b}b{} c")],
        &[("a *", "a "), (" b", "* b")],
        &[("**b", ""), ("\nc", "**b\nc")],
        &[("`", ""), ("b", ""), ("`", ""), (".", "{c}b{}.")],
        &[("[a", ""), ("]", ""), ("(b", ""), (")", "{u}a{} {d}(b){}")],
        &[("[a]", ""), (" b", "[a] b")],
        &[("a\\", "a"), ("*", "*"), ("b", "b")],
        &[("#", ""), ("#", ""), (" ", ""), ("a", "{b}a{}"), ("b", "{b}b{}")],
        &[("-", ""), (" ", "• "), ("a", "a")],
        &[("-", ""), ("5", "-5")],
        &[("  ", ""), ("a", "  a")],
        &[("``", ""), ("`", ""), ("sh", ""), ("\n", "{d}```sh{}\n"), ("l", "{c}l{}"), ("s\n", "{c}s{}\n")],
        &[("```\n", "{d}```{}\n"), ("``", ""), ("`", ""), ("\n", "{d}```{}\n"), ("a", "a")],
        &[("```\n", "{d}```{}\n"), ("``", ""), ("a", "{c}``a{}")],
        &[("**", ""), (&long, &opened), ("** c", "** c")],
        &[("~~~", ""), (&line, &fence)],
    ] {
        let mut markdown = Markdown::default();
        for (piece, shown) in pieces {
            assert_eq!(tags(&markdown.push(piece)), *shown, "{piece:?} of {pieces:?}");
        }
        assert_eq!(markdown.finish(), "", "{pieces:?}");
    }
}

#[test]
fn what_is_finished_begins_a_new_line() {
    let mut markdown = Markdown::default();
    assert_eq!(markdown.push("a **b"), "a ");
    assert_eq!(markdown.finish(), "**b");
    assert_eq!(tags(&markdown.push("# c\n")), "{b}{u}c{}\n");
}

/// What is shown of a text on a terminal so wide, blanks at the end of lines aside.
fn laid_out(text: &str, columns: usize) -> Vec<String> {
    let mut markdown = Markdown::new(true);
    markdown.resize(columns);
    let shown = markdown.push(text) + &markdown.finish();
    shown.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn tables() {
    let fruit = "|Fruit|What|Price|\n|:--|:-:|--:|\n|Apple|a sweet fruit|1|\n|世界|b|10|\nafter";
    for (text, columns, lines) in [
        (
            fruit,
            80,
            &[
                "Fruit │     What      │ Price",
                "──────┼───────────────┼──────",
                "Apple │ a sweet fruit │     1",
                "世界  │       b       │    10",
                "after",
            ][..],
        ),
        // One column less than it takes.
        (
            fruit,
            29,
            &[
                "Fruit │     What     │ Price",
                "──────┼──────────────┼──────",
                "Apple │   a sweet    │     1",
                "      │    fruit     │",
                "╌╌╌╌╌╌┼╌╌╌╌╌╌╌╌╌╌╌╌╌╌┼╌╌╌╌╌╌",
                "世界  │      b       │    10",
                "after",
            ],
        ),
        // No columns fit.
        (
            fruit,
            18,
            &[
                "Fruit: Apple",
                "What: a sweet",
                "  fruit",
                "Price: 1",
                "─────────────────",
                "Fruit: 世界",
                "What: b",
                "Price: 10",
                "after",
            ],
        ),
        // What a terminal cannot take back it cannot lay out.
        ("|a|\n|-|\n|b|", 0, &["|a|", "|-|", "|b|"]),
        ("|a|\n|-|\n|b|\n\n|c|", 80, &["a", "─", "b", "", "|c|"]),
        (r"|a\|b|c|", 80, &[r"|a\|b|c|"]),
        (
            "| a\\|b | c<br>d |\n|---|---|\n| e | f | g |\n| h |",
            80,
            &["a|b │ c", "    │ d", "────┼──────", "e   │ f | g", "h"],
        ),
        // No tables: no line of dashes, too few dashes, none at all, and code.
        ("|a|\n|b|", 80, &["|a|", "|b|"]),
        ("|a|b|\n|-|\n", 80, &["|a|b|", "|-|"]),
        ("|a|\n|:|\n", 80, &["|a|", "|:|"]),
        ("|x| is the length", 80, &["|x| is the length"]),
        ("```\n|a|\n|-|\n```", 80, &["```", "|a|", "|-|", "```"]),
    ] {
        assert_eq!(laid_out(text, columns), lines, "{text:?} {columns}");
    }
}

#[test]
fn a_table_is_held_back_until_it_ends() {
    let long = "|x|\n".repeat(2_045);
    for pieces in [
        &[("|", ""), ("a|\n", ""), ("|-", ""), ("|\n|b|", ""), ("\n", ""), ("c", "{b}a{}\n{d}─{}\nb\nc"), ("|", "|")][..],
        &[("|a|\n|-|\n|b|\n", ""), ("\n", "{b}a{}\n{d}─{}\nb\n\n")],
        &[("|a|\n", ""), ("|b", "|a|\n"), ("|\nc", "|b|\nc")],
        &[("|a|\n", ""), ("b", "|a|\nb")],
    ] {
        let mut markdown = Markdown::default();
        markdown.resize(80);
        for (piece, shown) in pieces {
            assert_eq!(tags(&markdown.push(piece)), *shown, "{piece:?} of {pieces:?}");
        }
        assert_eq!(markdown.finish(), "", "{pieces:?}");
    }
    // A long one comes out row by row, in the columns of its beginning.
    let mut markdown = Markdown::new(true);
    markdown.resize(80);
    assert!(markdown.push(&format!("|ab|\n|-:|\n{long}")).is_empty(), "it is as long as may be held back");
    assert_eq!(markdown.push("|y|\n").lines().count(), 2 + 2_045 + 1);
    assert_eq!((markdown.push("|z"), markdown.push("|\n")), (String::new(), " z\n".to_owned()));
    assert_eq!(markdown.push("|a|b|c"), "");
    assert_eq!(markdown.finish(), " a\n |\n b\n |\n c\n");
}

/// Every character with the styles it is shown in.
fn cells(shown: &str) -> Vec<(char, String)> {
    let (mut cells, mut style, mut rest) = (Vec::new(), String::new(), shown);
    while let Some(c) = rest.chars().next() {
        if let Some((code, after)) = rest.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('m')) {
            style = if code == "0" { String::new() } else { format!("{style}{code};") };
            rest = after;
        } else {
            cells.push((c, style.clone()));
            rest = &rest[c.len_utf8()..];
        }
    }
    assert_eq!(style, "", "the terminal is left in a state: {shown:?}");
    cells
}

/// Without what may be hidden, replaced or added.
fn letters(text: impl IntoIterator<Item = char>) -> String {
    text.into_iter().filter(|c| !"*_`#[]()\\-+• ".contains(*c)).collect()
}

fn markdown() -> impl Strategy<Value = Vec<String>> {
    let piece = prop_oneof![
        "[*_`\\[\\]()\\\\]{1,3}",
        "\n?[#~`>-]{1,4} ?",
        "[a-z 1世é]{1,6}",
        "\n",
        Just("**b**".to_owned()),
        Just("\n```\n".to_owned()),
        Just("[a](b)".to_owned()),
        Just("word ".repeat(60)),
    ];
    prop::collection::vec(piece, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_however_it_is_cut(pieces in markdown(), cuts in prop::collection::vec(1_usize..7, 1..40)) {
        let text = pieces.concat();
        let expected = cells(&whole(&text));
        prop_assert_eq!(letters(expected.iter().map(|(c, _)| *c)), letters(text.chars()));

        let (mut markdown, mut shown, mut chars) = (Markdown::default(), String::new(), text.chars().peekable());
        for cut in cuts.iter().cycle() {
            if chars.peek().is_none() {
                break;
            }
            let piece: String = chars.by_ref().take(*cut).collect();
            shown.push_str(&markdown.push(&piece));
            prop_assert!(markdown.held.len() <= MOST_HELD, "{:?} is held back", markdown.held);
        }
        shown.push_str(&markdown.finish());
        prop_assert_eq!(cells(&shown), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_table_loses_a_letter_or_is_too_wide(
        (columns, rows) in (1_usize..5).prop_flat_map(|cells| (12_usize..60, prop::collection::vec(prop::collection::vec("[a-z世 ]{0,30}", cells), 2..6))),
        cut in 1_usize..40,
    ) {
        let row = |row: &Vec<String>| format!("|{}|\n", row.join("|"));
        let dashes = format!("|{}\n", "-|".repeat(rows[0].len()));
        let text = row(&rows[0]) + &dashes + &rows[1..].iter().map(row).collect::<String>();
        let lines = laid_out(&text, columns);
        prop_assert!(lines.iter().all(|line| super::super::wrap::width(line) < columns), "{:?}", lines);

        let (mut markdown, mut shown) = (Markdown::new(true), String::new());
        markdown.resize(columns);
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(cut) {
            shown += &markdown.push(&piece.iter().collect::<String>());
        }
        shown += &markdown.finish();
        prop_assert_eq!(shown.lines().map(str::trim_end).collect::<Vec<_>>(), lines.clone());

        // A cell's letters are in its column, one line after the other; a cell a line has the headings again and again.
        let sorted = |text: String| {
            let mut letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
            letters.sort_unstable();
            letters
        };
        if lines.iter().any(|line| line.contains('┼')) || rows[0].len() == 1 && lines[1].starts_with('─') {
            prop_assert_eq!(sorted(lines.concat()), sorted(text));
        }
    }
}

/// A link's text and address.
const MOST_HELD: usize = MAX_SPAN_BYTES + 2_100;
