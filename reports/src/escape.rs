//! Escapes: what a name from a file must not do to the text that it is shown in.
//!
//! Reports are made of files that strangers write: a scenario's name, a panic's message, a whole
//! report handed to the gate. Each function here makes any string harmless in one surrounding. It
//! exists as one place so that no renderer invents its own.
//!
//! What cannot be shown is replaced, never dropped, so that two names stay two. It deliberately
//! keeps everything readable: a look-alike (`¦` for `|`) rather than an entity that some viewer
//! shows raw.
//!
//! Source: XML 1.0 §2.2 (characters); GitHub Flavored Markdown §4.10, §6.1 (tables, code spans);
//! Unicode TR 36 (bidirectional text spoofing).

/// For a terminal: no control character, nothing that turns the writing direction.
pub fn visible(text: &str) -> String {
    text.chars().map(|each| if is_hidden(each) { '·' } else { each }).collect()
}

/// For XML, in an attribute or as text. Breaks the attachment syntax that CI servers read in it.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for each in text.chars() {
        match each {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            // `[[ATTACHMENT|path]]` would publish a file of the machine.
            '[' if out.ends_with('[') => out.push_str(" ["),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            each if is_hidden(each) => out.push('·'),
            each => out.push(each),
        }
    }
    out
}

/// For Markdown, in a sentence or in a table's cell: a code span, in which nothing is markup.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('`');
    for (index, each) in text.chars().enumerate() {
        if index == LENGTH_MAX {
            out.push('…');
            break;
        }
        match each {
            '`' => out.push('\''),
            '|' => out.push('¦'),
            // A backslash before the cell's end would be an escape.
            '\\' => out.push('⧵'),
            each if is_hidden(each) => out.push('·'),
            each => out.push(each),
        }
    }
    if out.len() == 1 {
        out.push('·');
    }
    out.push('`');
    out
}

/// For a field of CSV: no spreadsheet takes it for a formula. Quoting is the csv crate's.
pub fn field(text: String) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text }
}

fn is_hidden(each: char) -> bool {
    each.is_control()
        || matches!(each, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Characters of one string shown in Markdown.
const LENGTH_MAX: usize = 300;
