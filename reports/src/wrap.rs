//! Lines of eighty columns.

/// Writes words behind a head, wrapped at eighty columns under the end of the head.
pub fn hang(out: &mut String, head: &str, text: &str) {
    hang_under(out, head, text, head.chars().count().min(INDENT));
}

/// The same, wrapped under a column of the caller's.
pub fn hang_under(out: &mut String, head: &str, text: &str, indent: usize) {
    let mut column = head.chars().count();
    out.push_str(head);
    let mut first = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !first && column + 1 + width > COLUMNS {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
            first = true;
        }
        if !first {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        first = false;
    }
    out.push('\n');
}

/// Width of a terminal, and of what stands before an event's text.
pub const COLUMNS: usize = 80;
pub(crate) const INDENT: usize = 43;
