//! Dates, as far as `VALID UNTIL` needs them.
//!
//! It deliberately reads one spelling, in UTC. PostgreSQL reads many more; those are refused by name,
//! since a date that is half understood would end a login at another hour.

/// What PostgreSQL says of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Date {
    /// Seconds since 1970.
    At(u64),
    Forever,
    /// It has the form of a date, and is none: the 30th of February.
    OutOfRange,
    /// It has no date's form at all.
    Nonsense,
    /// PostgreSQL may know it; the world does not.
    Unknown,
}

/// `YYYY-MM-DD`, with or without a time of day, and `Z`, `UTC` or a zero offset after it.
pub fn date(text: &str) -> Date {
    let text = text.trim();
    if text == "infinity" {
        return Date::Forever;
    }
    if text.is_empty() || text.chars().all(|each| each.is_ascii_alphabetic()) {
        let is_word = SPECIAL.iter().any(|word| text.eq_ignore_ascii_case(word));
        return if is_word { Date::Unknown } else { Date::Nonsense };
    }
    let text = ["Z", "+00:00", "+00", " UTC"].iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(text);
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let (Some([year, month, day]), Some([hour, minute, second])) =
        (three(day, '-', 4), three(time.split_once('.').map_or(time, |(whole, _)| whole), ':', 2))
    else {
        return Date::Unknown;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let is_day = month >= 1 && day >= 1 && days.get(month as usize - 1).is_some_and(|days| day <= *days);
    if !is_day || hour > 23 || minute > 59 || second > 59 {
        return Date::OutOfRange;
    }
    if year < 1970 {
        return Date::Unknown;
    }
    // Days since the epoch, with years that begin in March: the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    Date::At(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Three numbers of digits only, the first of `width`.
fn three(text: &str, between: char, width: usize) -> Option<[u64; 3]> {
    let parts: Vec<&str> = text.split(between).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let is_number = |part: &str, width| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(first, width) && is_number(second, 2) && is_number(third, 2)).then_some(())?;
    Some([first.parse().ok()?, second.parse().ok()?, third.parse().ok()?])
}

const SPECIAL: &[&str] = &["now", "today", "tomorrow", "yesterday", "epoch", "allballs", "infinity"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_utc_or_not_at_all() {
        for (text, expect) in [
            ("2030-01-01", Date::At(1_893_456_000)),
            ("2030-01-01 01:00:00", Date::At(1_893_459_600)),
            ("2030-01-01T01:00:00.5+00", Date::At(1_893_459_600)),
            ("2032-02-29", Date::At(1_961_625_600)),
            ("2030-02-29", Date::OutOfRange),
            ("2030-13-01", Date::OutOfRange),
            ("2030-00-01", Date::OutOfRange),
            ("2030-01-01 25:00:00", Date::OutOfRange),
            ("infinity", Date::Forever),
            ("soon", Date::Nonsense),
            ("", Date::Nonsense),
            ("2030-01-01 01:00:00+05", Date::Unknown),
            ("tomorrow", Date::Unknown),
        ] {
            assert_eq!(date(text), expect, "{text}");
        }
    }
}
