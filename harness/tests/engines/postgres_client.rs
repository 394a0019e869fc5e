//! PostgreSQL's protocol, version 3, as far as simple queries and passwords in clear go.
//!
//! Source: "Frontend/Backend Protocol" of PostgreSQL's manual.

use crate::{NULL, Seen};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub struct Client {
    stream: UnixStream,
    /// Whether a transaction is open, also one that failed.
    pub is_open: bool,
}

impl Client {
    /// Logs in; or the code of the refusal.
    pub fn login(socket: &Path, user: &str, password: &str) -> io::Result<Result<Client, String>> {
        let mut client = Client { stream: UnixStream::connect(socket)?, is_open: false };
        let mut start = 0x0003_0000_u32.to_be_bytes().to_vec();
        for (name, value) in [("user", user), ("database", "postgres")] {
            start.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
        }
        start.push(0);
        let length = u32::try_from(start.len() + 4).expect("a short message");
        client.stream.write_all(&[&length.to_be_bytes()[..], &start].concat())?;
        loop {
            let (kind, body) = client.message()?;
            match (kind, &body[..]) {
                // 3 asks for the password in clear; 0 says that all is well.
                (b'R', [0, 0, 0, 3, ..]) => client.say(b'p', &[password.as_bytes(), b"\0"].concat())?,
                (b'R', [0, 0, 0, 0, ..]) => {}
                (b'E', body) => return Ok(Err(code(body))),
                (b'Z', _) => return Ok(Ok(client)),
                (b'S' | b'K' | b'N', _) => {}
                other => panic!("an unknown message {other:?}"),
            }
        }
    }

    pub fn query(&mut self, sql: &str) -> io::Result<Seen> {
        self.say(b'Q', &[sql.as_bytes(), b"\0"].concat())?;
        // Of several statements, the last one's answer is told.
        let (mut columns, mut rows, mut refused, mut is_told) = (Vec::new(), Vec::new(), None, false);
        loop {
            let (kind, body) = self.message()?;
            match kind {
                b'T' => (columns, rows, is_told) = (described(&body), Vec::new(), false),
                b'D' => rows.push(cells(&body)),
                b'E' => refused = Some(code(&body)),
                b'C' if is_told => (columns, rows) = (Vec::new(), Vec::new()),
                b'C' => is_told = true,
                b'N' | b'I' | b'S' => {}
                b'Z' => {
                    self.is_open = body[0] != b'I';
                    return Ok(match refused {
                        Some(code) => Seen::Refused(code),
                        None if columns.is_empty() => Seen::Done,
                        None => Seen::Rows { columns, rows },
                    });
                }
                other => panic!("an unknown message {other}"),
            }
        }
    }

    fn say(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).expect("a short message");
        self.stream.write_all(&[&[kind][..], &length.to_be_bytes(), body].concat())
    }

    fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes(head[1..].try_into().expect("four bytes"));
        let mut body = vec![0; length as usize - 4];
        self.stream.read_exact(&mut body)?;
        Ok((head[0], body))
    }
}

/// The field `C` of an error.
fn code(body: &[u8]) -> String {
    let field = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'C'));
    String::from_utf8_lossy(&field.expect("each error has a code")[1..]).into_owned()
}

/// Names of columns: each is followed by 18 bytes of type.
fn described(body: &[u8]) -> Vec<String> {
    let mut rest = &body[2..];
    let mut names = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        names.push(String::from_utf8_lossy(&rest[..end]).into_owned());
        rest = &rest[end + 1 + 18..];
    }
    names
}

fn cells(body: &[u8]) -> Vec<String> {
    let mut rest = &body[2..];
    let mut cells = Vec::new();
    while !rest.is_empty() {
        let length = i32::from_be_bytes(rest[..4].try_into().expect("four bytes"));
        rest = &rest[4..];
        match usize::try_from(length) {
            Ok(length) => {
                cells.push(String::from_utf8_lossy(&rest[..length]).into_owned());
                rest = &rest[length..];
            }
            Err(_) => cells.push(NULL.to_owned()),
        }
    }
    cells
}
