//! Words of SQL, as far as rotation functions need them.
//!
//! It deliberately knows no numbers beyond integers, and no comment that a server would execute: a
//! statement with any is refused.

use super::Engine;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A bare word, as written.
    Word(String),
    /// A quoted name.
    Name(String),
    Text(String),
    Number(i64),
    Mark(char),
}

impl Token {
    /// A bare word, whatever its case.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(found) if found.eq_ignore_ascii_case(word))
    }
}

/// A word, and the bytes of the statement where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub token: Token,
    pub from: usize,
    pub to: usize,
}

/// Why a statement cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncut {
    /// A quote stays open: every server calls that an error of syntax.
    Open,
    /// A sign that is unknown here.
    Sign,
}

/// Cuts a statement.
pub fn tokens(engine: Engine, sql: &str) -> Result<Vec<Placed>, Uncut> {
    let mut found: Vec<Placed> = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(length) = comment(engine, rest)? {
            rest = rest[length..].trim_start();
            continue;
        }
        let from = sql.len() - rest.len();
        let (token, length) = match first {
            '\'' => {
                let (text, used) = quoted(engine, rest, '\'')?;
                (Token::Text(text), used)
            }
            '"' => {
                let (text, used) = quoted(engine, rest, '"')?;
                (if engine.is_postgres() { Token::Name(text) } else { Token::Text(text) }, used)
            }
            '`' if !engine.is_postgres() => {
                let (text, used) = quoted(engine, rest, '`')?;
                (Token::Name(text), used)
            }
            'E' | 'e' if rest[1..].starts_with('\'') && engine.is_postgres() => {
                let (text, used) = quoted(Engine::Mysql, &rest[1..], '\'')?;
                (Token::Text(text), used + 1)
            }
            each if each.is_alphabetic() || each == '_' => {
                let is_part = |each: char| each.is_alphanumeric() || "_$".contains(each);
                let length = rest.find(|each| !is_part(each)).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
            each if each.is_ascii_digit() => {
                let length = rest.find(|each: char| !each.is_ascii_digit()).unwrap_or(rest.len());
                (Token::Number(rest[..length].parse().map_err(|_| Uncut::Sign)?), length)
            }
            each if "()=,;.*@%:-+<>!".contains(each) => (Token::Mark(each), 1),
            _ => return Err(Uncut::Sign),
        };
        found.push(Placed { token, from, to: from + length });
        rest = rest[length..].trim_start();
    }
    while found.last().is_some_and(|last| last.token == Token::Mark(';')) {
        found.pop();
    }
    Ok(found)
}

/// Bytes of a comment that begins here; none if none does.
fn comment(engine: Engine, text: &str) -> Result<Option<usize>, Uncut> {
    let line = || Ok(Some(text.find('\n').unwrap_or(text.len())));
    let postgres = engine.is_postgres();
    // MySQL wants a space after it.
    let is_line = |rest: &str| postgres || rest.chars().next().is_none_or(char::is_whitespace);
    if text.strip_prefix("--").is_some_and(is_line) || !postgres && text.starts_with('#') {
        return line();
    }
    if !text.starts_with("/*") {
        return Ok(None);
    }
    // Those that begin so are executed, or are hints.
    if !postgres && ["/*!", "/*M!", "/*+"].iter().any(|head| text.starts_with(head)) {
        return Err(Uncut::Sign);
    }
    let (mut depth, mut place) = (0, 0);
    loop {
        match (text.get(place..place + 2), text[place..].chars().next()) {
            (_, None) => return Err(if postgres { Uncut::Open } else { Uncut::Sign }),
            (Some("/*"), _) if postgres || depth == 0 => (depth, place) = (depth + 1, place + 2),
            (Some("*/"), _) => (depth, place) = (depth - 1, place + 2),
            (_, Some(each)) => place += each.len_utf8(),
        }
        if depth == 0 {
            return Ok(Some(place));
        }
    }
}

/// A quoted text from the opening quote on, and its length in bytes.
fn quoted(engine: Engine, text: &str, quote: char) -> Result<(String, usize), Uncut> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((index, each)) = chars.next() {
        if each == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                out.push(quote);
                continue;
            }
            return Ok((out, index + 1));
        }
        if each == '\\' && !engine.is_postgres() && quote != '`' {
            let (_, next) = chars.next().ok_or(Uncut::Open)?;
            out.push(match next {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                other => other,
            });
            continue;
        }
        out.push(each);
    }
    Err(Uncut::Open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_read_as_each_engine_reads_them() {
        let text = |engine, sql| {
            let found = tokens(engine, sql).ok()?;
            match found.as_slice() {
                [Placed { token: Token::Text(text), .. }] => Some(text.clone()),
                _ => None,
            }
        };
        for (engine, sql, expect) in [
            (Engine::Postgres, r"'it''s'", Some("it's")),
            (Engine::Postgres, r"'a\b'", Some(r"a\b")),
            (Engine::Postgres, r"E'a\\b'", Some(r"a\b")),
            (Engine::Mysql, r"'a\'b'", Some("a'b")),
            (Engine::Mysql, r#""a""b""#, Some("a\"b")),
        ] {
            assert_eq!(text(engine, sql).as_deref(), expect, "{sql}");
        }
        assert_eq!(tokens(Engine::Postgres, "'open"), Err(Uncut::Open));
        assert_eq!(tokens(Engine::Postgres, "1 ~ 1"), Err(Uncut::Sign));
        let named = Placed { token: Token::Name("A b".to_owned()), from: 1, to: 6 };
        assert_eq!(tokens(Engine::Postgres, " \"A b\";"), Ok(vec![named]));
    }
}
