//! MariaDB's form of a stored password: `*` and SHA-1 of SHA-1, in hexadecimal.
//!
//! It exists because `SHOW GRANTS` shows this form, and functions hand it on. It protects nothing
//! here, and is deliberately no general hash.
//!
//! Source: FIPS 180-4, section 6.1; MariaDB's manual, `PASSWORD()`.

/// As `PASSWORD(text)`: nothing for an empty one.
pub fn native(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let hex: String = sha1(&sha1(text.as_bytes())).iter().map(|byte| format!("{byte:02X}")).collect();
    format!("*{hex}")
}

/// Whether a text has the form that [`native`] gives.
pub fn is_native(text: &str) -> bool {
    text.len() == 41 && text.starts_with('*') && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_be_bytes(bytes.try_into().expect("chunks of four"));
        }
        for index in 16..80 {
            let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16];
            words[index] = mixed.rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (index, word) in words.iter().enumerate() {
            let (mixed, constant) = match index / 20 {
                0 => (b & c | !b & d, 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
            let next = next.wrapping_add(constant).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (part, mixed) in state.iter_mut().zip([a, b, c, d, e]) {
            *part = part.wrapping_add(mixed);
        }
    }
    let mut out = [0; 20];
    for (bytes, part) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&part.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_stored_as_mariadb_stores_them() {
        assert_eq!(native("p"), "*7B9EBEED26AA52ED10C0F549FA863F13C39E0209");
        assert_eq!(native("x"), "*B69027D44F6E5EDC07F1AEAD1477967B16F28227");
        assert_eq!(native(""), "");
        assert!(is_native(&native("a")));
        assert!(!is_native("*short"));
    }
}
