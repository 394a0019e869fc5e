//! What is wrong with a text file, shown where it is wrong.
//!
//! Scenarios, suites and policies are refused in the same form: file, line and column, the text
//! underlined, what was expected and got, and what to do. It deliberately keeps no path but the name
//! that the caller gave, and shows control characters of a file as `·`, so that printing an error
//! cannot drive a terminal.

use std::fmt;
use std::ops::Range;

/// A mistake on its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The name that the caller gave.
    pub file: String,
    /// Counts from 1.
    pub line: usize,
    /// Counts characters, from 1.
    pub column: usize,
    /// The subject, and what is wrong with it, in one line.
    pub problem: String,
    expected: Option<String>,
    got: Option<String>,
    remedy: String,
    /// The line, or the part of a long one around the column.
    excerpt: String,
    /// Characters before the underlined part of the excerpt, and in it.
    indent: usize,
    width: usize,
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, problem, expected, got, remedy, excerpt, indent, width } = self;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{file}:{line}:{column}: {problem}")?;
        writeln!(f, "{number} | {excerpt}")?;
        writeln!(f, "{gutter} | {}{}", " ".repeat(*indent), "^".repeat(*width))?;
        if let Some(expected) = expected {
            writeln!(f, "{gutter} = expected: {expected}")?;
        }
        if let Some(got) = got {
            writeln!(f, "{gutter} = got: {got}")?;
        }
        write!(f, "{gutter} = to do: {remedy}")
    }
}

/// One part of a file that is wrong, before it is placed on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub span: Range<usize>,
    pub problem: String,
    pub expected: Option<String>,
    pub got: Option<String>,
    pub remedy: String,
}

impl Mistake {
    pub fn new(span: Range<usize>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Mistake { span, problem: problem.into(), expected: None, got: None, remedy: remedy.into() }
    }

    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    #[must_use]
    pub fn got(mut self, got: impl fmt::Display) -> Self {
        self.got = Some(format!("`{got}`"));
        self
    }

    /// What a parser or a derived reader says, and of what part.
    pub fn said(message: &str, span: Option<Range<usize>>) -> Self {
        let message = message.trim().replace('\n', "; ");
        let (problem, expected) = match message.split_once(", expected ") {
            Some((problem, expected)) => (problem.to_owned(), Some(in_words(expected).to_owned())),
            None => (message, None),
        };
        let remedy = if problem.starts_with("unknown field") {
            "correct the spelling of the key, or remove it"
        } else if problem.starts_with("missing field") {
            "add the key"
        } else if problem.starts_with("duplicate") {
            "keep one of them"
        } else if problem == UNQUOTED {
            "put it in quotes"
        } else {
            "correct the value"
        };
        Mistake { span: span.unwrap_or(0..0), problem, expected, got: None, remedy: remedy.into() }
    }

    /// Places the fault on a line of the text.
    pub fn at(self, file: &str, text: &str) -> Placed {
        let Mistake { span, problem, expected, got, remedy } = self;
        let start = floor(text, span.start);
        let end = floor(text, span.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let before = text[line_start..start].chars().count();
        let marked = text[start..end.min(line_end)].chars().count().max(1);
        let skipped = before.saturating_sub(EXCERPT_BEFORE);
        let line = text[line_start..line_end].trim_end_matches('\r');
        Placed {
            file: visible(file),
            line: text[..start].matches('\n').count() + 1,
            column: before + 1,
            problem: visible(&problem),
            expected: expected.map(|text| visible(&text)),
            got: got.map(|text| visible(&text)),
            remedy: visible(&remedy),
            excerpt: visible(&line.chars().skip(skipped).take(EXCERPT_WIDTH).collect::<String>()),
            indent: before - skipped,
            width: marked.min(EXCERPT_WIDTH - (before - skipped)),
        }
    }
}

/// What a reader calls by a type's name, as a person would.
fn in_words(expected: &str) -> &str {
    match expected {
        "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up",
        "i32" | "i64" => "a whole number",
        "literal string" => "a text in quotes",
        other => other,
    }
}

/// The nearest character boundary at or before an offset.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn visible(text: &str) -> String {
    text.chars().map(|each| if each.is_control() { '·' } else { each }).collect()
}

/// What the TOML reader says of a word that stands without quotes.
const UNQUOTED: &str = "string values must be quoted";
/// Characters of a line shown, and how many of them before the underlined part.
const EXCERPT_WIDTH: usize = 100;
const EXCERPT_BEFORE: usize = 60;
