//! Numbers as people read them.
//!
//! It deliberately uses no floating point: what is printed is what was counted.

use tumbler_types::Span;

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `3.8 s`, or `250 ms` below a second. Rounded up: a bound is never shown kinder than it is.
pub fn span(span: Span) -> String {
    if span.nanos() < Span::from_secs(1).nanos() {
        return format!("{} ms", span.nanos().div_ceil(1_000_000));
    }
    let tenths = span.nanos().div_ceil(100_000_000);
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// `12.345` seconds, cut to the millisecond.
pub fn seconds(nanos: u64) -> String {
    format!("{}.{:03}", nanos / 1_000_000_000, nanos / 1_000_000 % 1_000)
}

/// `1 seed`, `2 seeds`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_spans_rounded_up() {
        let groups = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in groups {
            assert_eq!(grouped(number), text);
        }
        let spans = [(0, "0 ms"), (1, "1 ms"), (250_000_000, "250 ms"), (3_700_000_001, "3.8 s")];
        for (nanos, text) in spans {
            assert_eq!(span(Span(nanos)), text);
        }
        assert_eq!(seconds(12_345_999_999), "12.345");
        assert_eq!((count(1, "seed"), count(1_200, "seed")), ("1 seed".into(), "1,200 seeds".into()));
    }
}
