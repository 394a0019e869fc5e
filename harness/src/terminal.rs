//! Writing to a terminal or to whatever stands in its place.
//!
//! A reader that closes its end early (`tumbler list | head`) is no error: what follows is dropped
//! and the exit code stays what it was.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

/// A word as a shell takes it back, quoted if it must be.
pub fn word(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), Into::into)
}

/// Writes to standard output.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        // The first is told, once, at the end.
        let _ = LOST.set(error);
    }
}

/// Why something that was printed did not come out, if so: then it is not what was asked for, whatever its
/// exit code says.
pub fn lost() -> Option<&'static io::Error> {
    LOST.get()
}

/// Of the process, as standard output is; no run has part in it.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes a line to standard error.
pub fn note(text: &str) {
    // A closed standard error leaves nowhere to say so.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether standard output is read by a person.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether colors are wanted on standard output. Source: no-color.org.
pub fn is_colored() -> bool {
    is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The first word of a summary in color: green for a pass, red for anything else.
pub fn colored_title(text: &str) -> String {
    if !is_colored() {
        return text.to_owned();
    }
    let end = text.find("  ").unwrap_or(text.len());
    let (title, rest) = text.split_at(end);
    let color = if title == "PASS" { 32 } else { 31 };
    format!("\u{1b}[1;{color}m{title}\u{1b}[0m{rest}")
}
