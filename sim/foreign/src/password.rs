//! `GetRandomPassword`: a password under the caller's rules.
//!
//! It exists because what a function leaves out of its passwords decides which of its statements they
//! break: quotes and backslashes come here unless they are excluded, as they do from the service.
//!
//! It deliberately draws nothing: it is given the letters.
//!
//! Source: the `GetRandomPassword` page of AWS Secrets Manager's API reference.

use crate::guest::Answer;
use serde_json::{Map, Value, json};

/// Of the drawn letters, those that the parameters of the call let through.
pub fn draw(random: &str, args: &Map<String, Value>) -> Answer {
    let flag = |name: &str, default: bool| args.get(name).and_then(Value::as_bool).unwrap_or(default);
    let excluded = args.get("ExcludeCharacters").and_then(Value::as_str).unwrap_or_default();
    let length = args.get("PasswordLength").and_then(Value::as_u64).unwrap_or(LENGTH);
    let kinds: [(&str, Kind); 4] = [
        ("ExcludeUppercase", |each| each.is_ascii_uppercase()),
        ("ExcludeLowercase", |each| each.is_ascii_lowercase()),
        ("ExcludeNumbers", |each| each.is_ascii_digit()),
        ("ExcludePunctuation", |each| each.is_ascii_punctuation()),
    ];
    let wanted: Vec<Kind> = kinds.iter().filter(|(name, _)| !flag(name, false)).map(|(_, is)| *is).collect();
    let fits = |each: char| !excluded.contains(each) && wanted.iter().any(|is| is(each));
    let letters: Vec<char> = random.chars().filter(|each| fits(*each)).collect();
    if !(1..=LENGTH_MAX).contains(&length) || letters.is_empty() {
        let why = "the password's length is from 1 to 4096, and something must be left to make it of";
        return Answer::error("InvalidParameterException", "InvalidParameterException", why);
    }
    let length = usize::try_from(length).expect("at most 4,096");
    let mut password: Vec<char> = letters.iter().copied().cycle().take(length).collect();
    if flag("RequireEachIncludedType", true) {
        for is in &wanted {
            if password.iter().any(|each| is(*each)) {
                continue;
            }
            // The letters are drawn; of a kind that they lack, the first that is left stands in the last
            // place whose own kind stands elsewhere too.
            let left = (33..127).map(char::from).find(|each| is(*each) && !excluded.contains(*each));
            let many = |is: &Kind| password.iter().filter(|each| is(**each)).count() > 1;
            let spare = |place: &usize| wanted.iter().all(|is| !is(password[*place]) || many(is));
            if let (Some(left), Some(place)) = (left, (0..length).rev().find(spare)) {
                password[place] = left;
            }
        }
    }
    if flag("IncludeSpace", false) && length > 2 {
        password[length / 2] = ' ';
    }
    Answer::Value(json!({ "RandomPassword": password.into_iter().collect::<String>() }))
}

/// Of which kind a letter is.
type Kind = fn(char) -> bool;

const LENGTH: u64 = 32;
const LENGTH_MAX: u64 = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_the_callers_rules() {
        let drawn = "ab'CD\"12\\x/y@";
        for (args, expect) in [
            (json!({ "PasswordLength": 4, "RequireEachIncludedType": false }), "ab'C"),
            (json!({ "PasswordLength": 6, "ExcludeCharacters": "'\"" }), "abCD1!"),
            (json!({ "PasswordLength": 3, "ExcludePunctuation": true, "ExcludeLowercase": true }), "CD1"),
            (
                json!({ "PasswordLength": 4, "ExcludeNumbers": true, "ExcludeUppercase": true,
                    "ExcludePunctuation": true, "IncludeSpace": true }),
                "ab y",
            ),
            (json!({ "PasswordLength": 0 }), ""),
            (json!({ "ExcludeCharacters": drawn }), ""),
        ] {
            let Value::Object(args) = args else { panic!("an object") };
            let got = match draw(drawn, &args) {
                Answer::Value(value) => value["RandomPassword"].as_str().expect("text").to_owned(),
                Answer::Error { kind, .. } => {
                    assert_eq!(kind, "InvalidParameterException");
                    String::new()
                }
            };
            assert_eq!(got, expect, "{args:?}");
        }
    }
}
