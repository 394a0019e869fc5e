//! Spelled quantities: durations, offsets, counts and chances, each fixed or drawn from a range.
//!
//! `"250ms"` is fixed, `["5s", "20s"]` is drawn per seed, ends included. Everything is integer:
//! nanoseconds and ratios, no floating point, because plans are hashed and replayed.

use crate::error::Mistake;
use crate::file::{Word, Words};
use tumbler_plan::Stream;
use tumbler_types::Span;

/// A quantity in `min..=max`; fixed if they are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drawn<T> {
    pub min: T,
    pub max: T,
}

impl<T: Copy> Drawn<T> {
    pub fn fixed(value: T) -> Self {
        Drawn { min: value, max: value }
    }
}

impl Drawn<Span> {
    pub fn parse(what: &str, words: &Words) -> Result<Self, Mistake> {
        range(what, words, |word| span(what, word))
    }

    /// One draw, also when it is fixed: how many draws an entry takes never depends on its values.
    pub fn draw(self, stream: &mut Stream) -> Span {
        stream.span(self.min, self.max)
    }
}

impl Drawn<i64> {
    pub fn parse(what: &str, words: &Words) -> Result<Self, Mistake> {
        range(what, words, |word| offset(what, word))
    }

    pub fn draw(self, stream: &mut Stream) -> i64 {
        let width = self.max.abs_diff(self.min);
        let above = stream.below(width.saturating_add(1));
        self.min.saturating_add_unsigned(above)
    }
}

impl Drawn<i64> {
    /// Parts per million, with an optional sign: `"-150ppm"`.
    pub fn parse_rate(what: &str, words: &Words) -> Result<Self, Mistake> {
        range(what, words, |word| rate(what, word))
    }
}

impl Drawn<u32> {
    pub fn parse(what: &str, words: &Words) -> Result<Self, Mistake> {
        range(what, words, |word| count(what, word))
    }

    pub fn draw(self, stream: &mut Stream) -> u32 {
        let above = stream.below(u64::from(self.max - self.min) + 1);
        self.min + u32::try_from(above).expect("at most the width of a 32-bit range")
    }
}

/// `numerator` of `denominator` seeds; the denominator is not zero, the numerator not above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chance {
    numerator: u64,
    denominator: u64,
}

impl Chance {
    pub const ALWAYS: Chance = Chance { numerator: 1, denominator: 1 };

    pub fn parse(word: &Word) -> Result<Self, Mistake> {
        let parts = word.text.split_once('/');
        let parts = parts.and_then(|(above, below)| Some((number(above)?, number(below)?)));
        match parts {
            Some((numerator, denominator)) if denominator > 0 && numerator <= denominator => {
                Ok(Chance { numerator, denominator })
            }
            _ => Err(Mistake::new(word.span.clone(), "`chance` is no ratio", "write for example `\"1/2\"`")
                .expected("a ratio of two whole numbers, at most 1")
                .got(&word.text)),
        }
    }

    /// So many of so many.
    pub const fn parts(self) -> (u64, u64) {
        (self.numerator, self.denominator)
    }

    /// One draw.
    pub fn draw(self, stream: &mut Stream) -> bool {
        stream.chance(self.numerator, self.denominator)
    }
}

/// A duration: whole numbers with `ns`, `us`, `ms`, `s`, `m` or `h`, largest first, at most a day.
pub(crate) fn span(what: &str, word: &Word) -> Result<Span, Mistake> {
    match nanos(&word.text) {
        Some(nanos) if nanos <= DAY => Ok(Span(nanos)),
        Some(_) => {
            Err(Mistake::new(word.span.clone(), format!("`{what}` is too long"), "write a shorter one")
                .expected("at most a day, \"24h\"")
                .got(&word.text))
        }
        None => Err(Mistake::new(
            word.span.clone(),
            format!("`{what}` is no duration"),
            "write for example \"250ms\", \"5s\" or \"2m30s\"",
        )
        .expected("whole numbers with a unit: ns, us, ms, s, m or h")
        .got(&word.text)),
    }
}

/// A duration with an optional sign.
fn offset(what: &str, word: &Word) -> Result<i64, Mistake> {
    let (sign, rest) = match word.text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word.text.strip_prefix('+').unwrap_or(&word.text)),
    };
    let unsigned = span(what, &Word { span: word.span.clone(), text: rest.to_owned() });
    let Span(nanos) = unsigned.map_err(|mistake| mistake.got(&word.text))?;
    Ok(sign * i64::try_from(nanos).expect("at most a day, which fits"))
}

fn rate(what: &str, word: &Word) -> Result<i64, Mistake> {
    let unsigned = word.text.trim_start_matches(['-', '+']);
    let sign = if word.text.starts_with('-') { -1 } else { 1 };
    let digits = unsigned.strip_suffix("ppm").filter(|_| word.text.len() - unsigned.len() <= 1);
    digits
        .and_then(number)
        .and_then(|number| i64::try_from(number).ok())
        .filter(|ppm| *ppm <= RATE_MAX)
        .map(|ppm| sign * ppm)
        .ok_or_else(|| {
            Mistake::new(word.span.clone(), format!("`{what}` is no rate"), "write for example \"-150ppm\"")
                .expected(format!("a whole number with the unit ppm, at most {RATE_MAX}ppm either way"))
                .got(&word.text)
        })
}

fn count(what: &str, word: &Word) -> Result<u32, Mistake> {
    number(&word.text)
        .and_then(|number| u32::try_from(number).ok())
        .filter(|count| *count <= COUNT_MAX)
        .ok_or_else(|| {
            Mistake::new(word.span.clone(), format!("`{what}` is no count"), "write a small whole number")
                .expected(format!("a whole number, at most {COUNT_MAX}"))
                .got(&word.text)
        })
}

fn range<T: Copy + PartialOrd>(
    what: &str,
    words: &Words,
    parse: impl Fn(&Word) -> Result<T, Mistake>,
) -> Result<Drawn<T>, Mistake> {
    match words.items.as_slice() {
        [only] => parse(only).map(Drawn::fixed),
        [min, max] => {
            let drawn = Drawn { min: parse(min)?, max: parse(max)? };
            if drawn.min > drawn.max {
                let remedy = "put the smaller one first";
                return Err(Mistake::new(words.span.clone(), format!("`{what}` has min > max"), remedy)
                    .expected("[min, max]")
                    .got(format!("[{}, {}]", min.text, max.text)));
            }
            Ok(drawn)
        }
        other => Err(Mistake::new(
            words.span.clone(),
            format!("`{what}` is no range"),
            "write one value, or [min, max]",
        )
        .expected("one value or two")
        .got(other.len())),
    }
}

/// A duration as files spell it.
pub(crate) fn spell(span: Span) -> String {
    let mut rest = span.nanos();
    let mut text = String::new();
    for (name, unit) in UNITS {
        if rest >= unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn nanos(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    let mut unit_last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|each: char| !each.is_ascii_digit())?;
        let amount = number(&rest[..digits])?;
        rest = &rest[digits..];
        let letters = rest.find(|each: char| each.is_ascii_digit()).unwrap_or(rest.len());
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == &rest[..letters])?;
        if unit >= unit_last {
            return None;
        }
        unit_last = unit;
        total = total.checked_add(amount.checked_mul(unit)?)?;
        rest = &rest[letters..];
    }
    (unit_last != u64::MAX).then_some(total)
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|each| each.is_ascii_digit())).then(|| text.parse().ok())?
}

const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
const DAY: u64 = 24 * 3_600_000_000_000;
const COUNT_MAX: u32 = 10_000;
/// A tenth of the time.
const RATE_MAX: i64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_units_largest_first() {
        let table: &[(&str, Option<u64>)] = &[
            ("250ms", Some(250_000_000)),
            ("5s", Some(5_000_000_000)),
            ("2m30s", Some(150_000_000_000)),
            ("1h", Some(3_600_000_000_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1.5s", None),
            ("-1s", None),
            ("30s2m", None),
            ("1s1s", None),
            ("5 s", None),
            ("99999999999999999999s", None),
            ("9999999999999999h", None),
            ("5µs", None),
        ];
        for (text, expect) in table {
            assert_eq!(nanos(text), *expect, "{text}");
        }
    }

    #[test]
    fn a_spelled_duration_reads_back_as_itself() {
        for nanos_each in [0, 1, 999, 1_000, 250_000_000, 60_000_000_000, 150_500_000_000, DAY] {
            assert_eq!(nanos(&spell(Span(nanos_each))), Some(nanos_each));
        }
        assert_eq!(spell(Span::from_secs(150)), "2m30s");
    }

    #[test]
    fn drawing_reaches_both_ends_of_a_range_and_no_further() {
        let mut stream = Stream::new(3, tumbler_plan::StreamName::Orders, (0, 0), 0);
        let drawn = Drawn { min: -2i64, max: 2 };
        let seen: std::collections::BTreeSet<i64> = (0..200).map(|_| drawn.draw(&mut stream)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
    }
}
