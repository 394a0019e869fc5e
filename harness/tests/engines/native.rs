//! MariaDB's native password exchange, as clients speak it.

#[path = "../../../sim/foreign/src/sql/native.rs"]
mod stored;

/// The answer to a server's challenge.
pub fn answer(password: &str, challenge: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = stored::sha1(password.as_bytes());
    let salted = stored::sha1(&[challenge, &stored::sha1(&once)].concat());
    once.iter().zip(salted).map(|(left, right)| left ^ right).collect()
}
