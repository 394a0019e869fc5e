//! Keyed tags that stand for bytes.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use tumbler_types::{SecretValue, Tag};

/// Key under which targets and judges compare secret values without holding them. A value has 128
/// bits of entropy, so that its tag reveals nothing that could be guessed.
const VALUE_KEY: [u8; 16] = *b"tumbler/value/v1";

/// Tag of a secret value: what a target stores as its verifier.
pub fn value_tag(value: &SecretValue) -> Tag {
    tag_of(&VALUE_KEY, value.expose())
}

/// Tag of the parts, one after the other, under `key`.
pub(crate) fn tag_of_parts<const N: usize>(key: &[u8; 16], parts: [&[u8]; N]) -> Tag {
    let mut hasher = SipHasher13::new_with_key(key);
    for part in parts {
        hasher.write(part);
    }
    Tag(hasher.finish().max(1))
}

/// 128 bits that nobody can guess who does not know the entropy: the value that a role makes as its
/// `ordinal`th.
pub fn minted(entropy: &[u8; 32], ordinal: u64) -> SecretValue {
    let mut bytes = Vec::with_capacity(16);
    let (left, right) = entropy.split_at(16);
    for key in [left, right] {
        let key = key.try_into().expect("half of 32 bytes is 16");
        bytes.extend_from_slice(&tag_of(key, &ordinal.to_le_bytes()).0.to_le_bytes());
    }
    SecretValue::new(bytes)
}

/// Tag of any bytes under `key`; never [`Tag::NONE`].
pub fn tag_of(key: &[u8; 16], bytes: &[u8]) -> Tag {
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write(bytes);
    Tag(hasher.finish().max(1))
}
