//! The name that was probably meant.
//!
//! It exists so that every error about an unknown name can end alike. It deliberately stays silent
//! when nothing is near: a far-fetched suggestion costs more than none.

/// The nearest of the names by edit distance, if it is near.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = names.into_iter().map(|name| (distance(word, name), name)).min()?;
    (distance <= word.len().max(3) / 2).then_some(name)
}

/// Ends an error about an unknown name: the nearest one, or where to look.
pub fn hint<'a>(word: &str, names: impl IntoIterator<Item = &'a str>, or_else: &str) -> String {
    match nearest(word, names) {
        Some(name) => format!(", did you mean `{name}`?"),
        None => format!("; {or_else}"),
    }
}

/// Levenshtein's.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, left) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, each) in right.iter().enumerate() {
            let cost = diagonal + usize::from(left != *each);
            diagonal = row[column + 1];
            row[column + 1] = cost.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not_suggested() {
        let names = ["standard", "quiet", "swarm"];
        let table = [
            ("standrad", Some("standard")),
            ("quite", Some("quiet")),
            ("swam", Some("swarm")),
            ("", None),
            ("xyzzyxyzzyxyzzy", None),
        ];
        for (word, expect) in table {
            assert_eq!(nearest(word, names), expect, "{word}");
        }
        assert_eq!(nearest("any", []), None);
        assert_eq!((distance("kitten", "sitting"), distance("", "abc")), (3, 3));
    }

    #[test]
    fn a_hint_ends_an_error() {
        assert_eq!(hint("quite", ["quiet"], "look there"), ", did you mean `quiet`?");
        assert_eq!(hint("xyzzy", ["quiet"], "look there"), "; look there");
    }
}
