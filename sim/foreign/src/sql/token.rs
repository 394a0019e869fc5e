//! Words of SQL, as far as rotation functions need them.
//!
//! It deliberately knows no numbers beyond integers and no comments: a statement with any is refused.

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

/// Cuts a statement; `None` if a quote stays open or a sign is unknown.
pub fn tokens(engine: Engine, sql: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length;
        match first {
            '\'' => {
                let (text, used) = quoted(engine, rest, '\'')?;
                found.push(Token::Text(text));
                length = used;
            }
            '"' => {
                let (text, used) = quoted(engine, rest, '"')?;
                found.push(if engine.is_postgres() { Token::Name(text) } else { Token::Text(text) });
                length = used;
            }
            '`' if !engine.is_postgres() => {
                let (text, used) = quoted(engine, rest, '`')?;
                found.push(Token::Name(text));
                length = used;
            }
            'E' | 'e' if rest[1..].starts_with('\'') && engine.is_postgres() => {
                let (text, used) = quoted(Engine::Mysql, &rest[1..], '\'')?;
                found.push(Token::Text(text));
                length = used + 1;
            }
            each if each.is_alphabetic() || each == '_' => {
                let is_part = |each: char| each.is_alphanumeric() || "_$".contains(each);
                length = rest.find(|each| !is_part(each)).unwrap_or(rest.len());
                found.push(Token::Word(rest[..length].to_owned()));
            }
            each if each.is_ascii_digit() => {
                length = rest.find(|each: char| !each.is_ascii_digit()).unwrap_or(rest.len());
                found.push(Token::Number(rest[..length].parse().ok()?));
            }
            each if "()=,;.*@%:-".contains(each) => {
                found.push(Token::Mark(each));
                length = 1;
            }
            _ => return None,
        }
        rest = rest[length..].trim_start();
    }
    while found.last() == Some(&Token::Mark(';')) {
        found.pop();
    }
    Some(found)
}

/// A quoted text from the opening quote on, and its length in bytes.
fn quoted(engine: Engine, text: &str, quote: char) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((index, each)) = chars.next() {
        if each == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                out.push(quote);
                continue;
            }
            return Some((out, index + 1));
        }
        if each == '\\' && !engine.is_postgres() && quote != '`' {
            let (_, next) = chars.next()?;
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
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_read_as_each_engine_reads_them() {
        let text = |engine, sql| match tokens(engine, sql).as_deref() {
            Some([Token::Text(text)]) => Some(text.clone()),
            _ => None,
        };
        for (engine, sql, expect) in [
            (Engine::Postgres, r"'it''s'", Some("it's")),
            (Engine::Postgres, r"'a\b'", Some(r"a\b")),
            (Engine::Postgres, r"E'a\\b'", Some(r"a\b")),
            (Engine::Mysql, r"'a\'b'", Some("a'b")),
            (Engine::Mysql, r#""a""b""#, Some("a\"b")),
            (Engine::Postgres, "'open", None),
        ] {
            assert_eq!(text(engine, sql).as_deref(), expect, "{sql}");
        }
        assert_eq!(tokens(Engine::Postgres, "\"A b\";"), Some(vec![Token::Name("A b".to_owned())]));
    }
}
