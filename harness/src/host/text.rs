//! Numbers and bytes as the text that stands for them in a line.
//!
//! It exists because JSON has neither: numbers beyond 2^53 are not safe with every reader, and bytes
//! are no text. Each value has one spelling, and any other is refused.
//!
//! What it deliberately does not do: quote what it refuses, for it may be a secret.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A `u64` as a decimal string, without sign or leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub u64);

/// Bytes as lower-case hexadecimal, two digits each.
#[derive(PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

/// The 32 bytes of entropy of a boot.
pub struct Entropy(pub [u8; 32]);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(DECIMAL, |text: &str| {
            let canonical =
                text.bytes().all(|each| each.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
            text.parse().ok().filter(|_| canonical).map(Decimal)
        }))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(HEX, |text: &str| bytes(text).map(Hex)))
    }
}

impl Serialize for Entropy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Entropy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(ENTROPY, |text: &str| bytes(text)?.try_into().ok().map(Entropy)))
    }
}

/// A string that is parsed, or answered with what was expected and never with what it says.
struct Text<F>(&'static str, F);

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let Text(expected, parse) = self;
        parse(text).ok_or_else(|| E::custom(format_args!("expected {expected}")))
    }
}

/// Lower case, two digits a byte.
fn hex(bytes: &[u8]) -> String {
    let digit = |each: u8| char::from(DIGITS[usize::from(each)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |each: u8| match each {
        b'0'..=b'9' => Some(each - b'0'),
        b'a'..=b'f' => Some(each - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";
const DECIMAL: &str = "an unsigned decimal number below 2^64 in a string";
const HEX: &str = "bytes in lower-case hexadecimal";
const ENTROPY: &str = "32 bytes in lower-case hexadecimal";
