//! Tables (GitHub Flavored Markdown, 4.10), laid out for a terminal: whole rows go in, lines that fit come out. Knows no style.
//!
//! A table is held back until it ends, because its widest cells decide its columns; one that is longer than `MAX_HELD_BYTES` gets the
//! columns of its beginning, and each further row comes out at once. A table that no column widths fit is shown row by row, a cell a
//! line. What is no table is nobody's business here.

use super::super::wrap::{width, wrapped_cell};

/// The state between two pieces of one answer.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The table that goes on.
    open: Option<Layout>,
}

/// What a text begins with.
pub(super) enum Found {
    NoTable,
    /// What follows decides.
    Undecided,
    /// So many bytes, which are shown so.
    Table(usize, String),
}

/// What is to be styled.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Heading,
    Cell,
    Rule,
}

/// How the rows of a table are drawn.
#[derive(Debug)]
struct Layout {
    headings: Vec<String>,
    alignments: Vec<Alignment>,
    /// How wide the columns are; nothing, where a cell is a line.
    widths: Option<Vec<usize>>,
    /// Whether a line separates the rows, because one of them has several lines.
    ruled: bool,
    /// How wide the terminal is.
    columns: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alignment {
    Left,
    Centre,
    Right,
}

impl Tables {
    /// Looks for a table at the beginning of a line, and lays it out for a terminal so wide; `ends` says that the text is all there is.
    pub(super) fn find(
        &mut self,
        text: &str,
        ends: bool,
        columns: usize,
        paint: &dyn Fn(&str, Part) -> String,
    ) -> Found {
        if let Some(layout) = &mut self.open {
            let (line, complete) = first_line(text);
            if is_row(line) {
                if !complete && !ends && line.len() <= MAX_HELD_BYTES {
                    return Found::Undecided;
                }
                layout.columns = columns;
                return Found::Table(line.len(), layout.row(&cells(line, layout.headings.len(), paint), false, paint));
            }
            self.open = None;
        }
        let Some(block) = Block::read(text, ends) else { return Found::NoTable };
        let Block::Table { heading, alignments, rows, length, closed } = block else { return Found::Undecided };
        let long = length > MAX_HELD_BYTES;
        if !closed && !long {
            return Found::Undecided;
        }
        let headings: Vec<_> = split(heading).into_iter().map(|cell| lines(&cell, paint, Part::Heading)).collect();
        let rows: Vec<_> = rows.iter().map(|row| cells(row, headings.len(), paint)).collect();
        let layout = Layout::new(headings, alignments, &rows, columns);
        let shown = layout.table(&rows, paint);
        if !closed {
            self.open = Some(layout);
        }
        Found::Table(length, shown)
    }
}

/// The lines that a text begins with.
enum Block<'a> {
    Undecided,
    Table {
        heading: &'a str,
        alignments: Vec<Alignment>,
        rows: Vec<&'a str>,
        /// In bytes, to the end of the last row.
        length: usize,
        /// Whether no more rows can come.
        closed: bool,
    },
}

impl<'a> Block<'a> {
    fn read(text: &'a str, ends: bool) -> Option<Self> {
        let (heading, complete) = first_line(text);
        if !is_row(heading) {
            return None;
        }
        let undecided = (!ends && text.len() <= MAX_HELD_BYTES).then_some(Self::Undecided);
        if !complete {
            return undecided;
        }
        let (delimiters, complete) = first_line(&text[heading.len()..]);
        if !complete && delimiters.trim().chars().all(|c| "|:- \t".contains(c)) && !ends {
            return undecided;
        }
        let alignments: Option<Vec<_>> = split(delimiters).iter().map(|cell| Alignment::read(cell)).collect();
        let alignments = alignments.filter(|found| is_row(delimiters) && found.len() == split(heading).len())?;
        let (mut rows, mut length) = (Vec::new(), heading.len() + delimiters.len());
        let closed = loop {
            let (line, complete) = first_line(&text[length..]);
            if !is_row(line) {
                break complete || ends || !line.trim().is_empty();
            }
            if !complete && !ends {
                break false;
            }
            rows.push(line);
            length += line.len();
        };
        Some(Self::Table { heading, alignments, rows, length, closed })
    }
}

impl Alignment {
    /// Reads a cell of the line under the headings.
    fn read(cell: &str) -> Option<Self> {
        let dashes = cell.trim_matches(':');
        if dashes.is_empty() || !dashes.bytes().all(|byte| byte == b'-') || cell.len() > dashes.len() + 2 {
            return None;
        }
        Some(match (cell.starts_with(':'), cell.ends_with(':')) {
            (true, true) => Self::Centre,
            (false, true) => Self::Right,
            _ => Self::Left,
        })
    }

    /// Returns the blanks before and after a text.
    fn blanks(self, blanks: usize) -> (usize, usize) {
        match self {
            Self::Left => (0, blanks),
            Self::Centre => (blanks / 2, blanks - blanks / 2),
            Self::Right => (blanks, 0),
        }
    }
}

impl Layout {
    fn new(headings: Vec<String>, alignments: Vec<Alignment>, rows: &[Vec<String>], columns: usize) -> Self {
        let room = columns.saturating_sub(1 + GAP * (headings.len() - 1));
        let (mut wanted, mut needed) = (vec![1; headings.len()], vec![1; headings.len()]);
        for row in rows.iter().chain([&headings]) {
            for (index, cell) in row.iter().enumerate().take(headings.len()) {
                let widest = |parts: &mut dyn Iterator<Item = &str>| parts.map(width).max().unwrap_or(0);
                wanted[index] = widest(&mut cell.lines()).max(wanted[index]);
                needed[index] = widest(&mut cell.split_whitespace()).min(MAX_NEEDED).max(needed[index]);
            }
        }
        let widths = fit(&wanted, needed, room);
        let mut layout = Self { headings, alignments, widths, ruled: false, columns };
        layout.ruled = rows.iter().any(|row| layout.lines(row).is_some_and(|lines| lines.len() > 1));
        layout
    }

    /// Draws the whole.
    fn table(&self, rows: &[Vec<String>], paint: &dyn Fn(&str, Part) -> String) -> String {
        let mut shown = String::new();
        if let (Some(widths), Some(lines)) = (&self.widths, self.lines(&self.headings)) {
            let rule: Vec<_> = widths.iter().map(|width| "─".repeat(*width)).collect();
            shown.push_str(&draw(&lines, paint));
            shown.push_str(&paint(&rule.join("─┼─"), Part::Rule));
            shown.push('\n');
        }
        for (index, row) in rows.iter().enumerate() {
            shown.push_str(&self.row(row, index == 0, paint));
        }
        shown
    }

    /// Draws a row, with what separates it from the row before.
    fn row(&self, row: &[String], first: bool, paint: &dyn Fn(&str, Part) -> String) -> String {
        let Some((widths, lines)) = self.widths.as_ref().zip(self.lines(row)) else {
            return self.record(row, first, paint);
        };
        let mut shown = String::new();
        if self.ruled && !first {
            let rule: Vec<_> = widths.iter().map(|width| "╌".repeat(*width)).collect();
            shown.push_str(&paint(&rule.join("╌┼╌"), Part::Rule));
            shown.push('\n');
        }
        shown + &draw(&lines, paint)
    }

    /// Draws a row as lines, each a heading with its cell.
    fn record(&self, row: &[String], first: bool, paint: &dyn Fn(&str, Part) -> String) -> String {
        let mut shown = String::new();
        if !first {
            shown.push_str(&paint(&"─".repeat(self.columns.saturating_sub(1).min(MAX_RULE)), Part::Rule));
            shown.push('\n');
        }
        for (heading, cell) in self.headings.iter().zip(row) {
            let colon = if heading.is_empty() { "" } else { ": " };
            let lines = wrapped_cell(&format!("{heading}{colon}{cell}"), self.columns.saturating_sub(3).max(2));
            shown.push_str(lines.trim_end().replace('\n', "\n  ").as_str());
            shown.push('\n');
        }
        shown
    }

    /// Breaks the cells of a row into lines of the columns' widths, and fills these with blanks.
    fn lines(&self, row: &[String]) -> Option<Vec<Vec<String>>> {
        let widths = self.widths.as_ref()?;
        let broken: Vec<Vec<String>> = widths
            .iter()
            .zip(row)
            .map(|(width, cell)| wrapped_cell(cell, *width).lines().map(|line| line.trim_end().to_owned()).collect())
            .collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let line = |number: usize| {
            let cells = broken.iter().zip(widths).zip(&self.alignments);
            cells.map(move |((lines, room), alignment)| {
                let text = lines.get(number).map_or("", String::as_str);
                let (before, after) = alignment.blanks(room.saturating_sub(width(text)));
                format!("{:before$}{text}{:after$}", "", "")
            })
        };
        Some((0..height).map(|number| line(number).collect()).collect())
    }
}

/// Joins the cells of lines.
fn draw(lines: &[Vec<String>], paint: &dyn Fn(&str, Part) -> String) -> String {
    let separator = format!(" {} ", paint("│", Part::Rule));
    lines.iter().fold(String::new(), |shown, line| shown + line.join(&separator).trim_end_matches(' ') + "\n")
}

/// Chooses widths that together are no more than `room`: what is needed first, and what is wanted as far as there is room, the
/// narrowest column before the others.
fn fit(wanted: &[usize], mut widths: Vec<usize>, room: usize) -> Option<Vec<usize>> {
    let mut left = room.checked_sub(widths.iter().sum())?;
    while left > 0 {
        let narrow = widths.iter_mut().zip(wanted).filter(|(width, wanted)| **width < **wanted);
        let Some((width, _)) = narrow.min_by_key(|(width, _)| **width) else { break };
        (*width, left) = (*width + 1, left - 1);
    }
    Some(widths)
}

/// Returns the first line with its line break, and whether it has one.
fn first_line(text: &str) -> (&str, bool) {
    match text.find('\n') {
        Some(end) => (&text[..=end], true),
        None => (text, false),
    }
}

fn is_row(line: &str) -> bool {
    line.trim_start_matches([' ', '\t']).starts_with('|')
}

/// Returns what stands between the bars of a row. A backslash before a bar makes it part of a cell.
fn split(row: &str) -> Vec<String> {
    let row = row.trim();
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut chars = row.strip_prefix('|').unwrap_or(row).chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'|') => cell.extend(chars.next()),
            '|' => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            _ => cell.push(c),
        }
    }
    if !cell.trim().is_empty() {
        cells.push(cell.trim().to_owned());
    }
    cells
}

/// Returns the cells of a row as they are shown; the last has what is beyond the headings.
fn cells(row: &str, headings: usize, paint: &dyn Fn(&str, Part) -> String) -> Vec<String> {
    let mut cells = split(row);
    if let Some(beyond) =
        cells.split_off(headings.min(cells.len())).into_iter().reduce(|beyond, cell| beyond + " | " + &cell)
        && let Some(last) = cells.last_mut()
    {
        last.push_str(" | ");
        last.push_str(&beyond);
    }
    cells.iter().map(|cell| lines(cell, paint, Part::Cell)).collect()
}

/// Returns a cell as it is shown; `<br>` breaks a line, which Markdown cannot.
fn lines(cell: &str, paint: &dyn Fn(&str, Part) -> String, part: Part) -> String {
    let cell = BREAKS.iter().fold(cell.to_owned(), |cell, tag| cell.replace(tag, "\n"));
    let lines: Vec<_> = cell.split('\n').map(|line| paint(line.trim(), part)).collect();
    lines.join("\n")
}

const BREAKS: [&str; 3] = ["<br>", "<br/>", "<br />"];
/// Between two columns.
const GAP: usize = 3;
/// A word of more columns than this may be cut.
const MAX_NEEDED: usize = 16;
/// Some screens; more is not waited for.
const MAX_HELD_BYTES: usize = 8 * 1024;
const MAX_RULE: usize = 20;
