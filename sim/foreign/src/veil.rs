//! The veil: no text leaves the world with a secret in it.
//!
//! Each secret value that the world has seen is replaced by a short name in the order of appearance,
//! so that stories and digests are equal for equal runs and hold no secret bytes.
//!
//! It deliberately knows no secret by its shape: only what was once a value of a version, an answer
//! of `get_random_password`, or the password of a user.

/// Known secrets, in the order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Veil {
    known: Vec<String>,
}

impl Veil {
    /// Hides `secret` from now on. What is shorter than a password is no secret.
    pub fn hide(&mut self, secret: &str) {
        if secret.len() >= SECRET_MIN && !self.known.iter().any(|known| known == secret) {
            self.known.push(secret.to_owned());
        }
    }

    /// Whether a text holds a known secret, as it is or as SQL or JSON would escape it.
    pub fn shows(&self, text: &str) -> bool {
        self.known.iter().any(|secret| spellings(secret).iter().any(|spelled| text.contains(spelled)))
    }

    /// The text, with each secret replaced by its name. Longest first: one may hold another.
    pub fn cover(&self, text: &str) -> String {
        let mut order: Vec<usize> = (0..self.known.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(self.known[*index].len()));
        let mut covered = text.to_owned();
        for index in order {
            let secret = &self.known[index];
            let name = format!("<secret-{}>", index + 1);
            for spelled in spellings(secret) {
                if covered.contains(&spelled) {
                    covered = covered.replace(&spelled, &name);
                }
            }
        }
        covered
    }
}

/// As literals of SQL, JSON and Python would spell it, the longest first, and as it is.
fn spellings(secret: &str) -> Vec<String> {
    if !secret.contains(['\\', '\'', '"']) {
        return vec![secret.to_owned()];
    }
    let slashed = secret.replace('\\', "\\\\");
    let mut all = vec![
        slashed.replace('\'', "''").replace('"', "\\\""),
        slashed.replace('\'', "\\'").replace('"', "\\\""),
        slashed.replace('\'', "''"),
        slashed.replace('\'', "\\'"),
        slashed.replace('"', "\\\""),
        slashed,
        secret.replace('\'', "''"),
        secret.to_owned(),
    ];
    all.sort_by_key(|spelled| std::cmp::Reverse(spelled.len()));
    all
}

const SECRET_MIN: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_in_the_order_of_appearance_and_the_longest_first() {
        let mut veil = Veil::default();
        veil.hide("abcdef");
        veil.hide("abcdefgh'");
        veil.hide("short");
        assert_eq!(veil.cover("x abcdefgh' abcdef short"), "x <secret-2> <secret-1> short");
        assert_eq!(veil.cover("'abcdefgh'''"), "'<secret-2>'");
        assert!(veil.shows("…abcdef…"));
        assert!(!veil.shows("abcde short"));
        veil.hide("a'b\\c\"d");
        for text in [r#"a'b\c"d"#, r#"E'a''b\\c"d'"#, r#"'a\'b\\c"d'"#, r#""a'b\\c\"d""#, r#"'a''b\c"d'"#] {
            assert!(veil.shows(text), "{text}");
            assert!(veil.cover(text).contains("<secret-3>"), "{text}");
        }
    }
}
