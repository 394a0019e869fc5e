//! MariaDB's protocol, as far as text queries and native passwords go.
//!
//! Source: "Client/Server Protocol" of MariaDB's knowledge base.

use crate::{NULL, Seen, native};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub struct Client {
    stream: UnixStream,
    sequence: u8,
}

impl Client {
    /// Logs in; or the code of the refusal.
    pub fn login(socket: &Path, user: &str, password: &str) -> io::Result<Result<Client, String>> {
        let mut client = Client { stream: UnixStream::connect(socket)?, sequence: 0 };
        let hello = client.packet()?;
        if hello[0] == ERROR {
            return Ok(Err(code(&hello)));
        }
        // Version, text of the server's, a number of four bytes, and then the challenge in two parts.
        let after = 1 + hello[1..].iter().position(|byte| *byte == 0).expect("a text ends") + 1 + 4;
        let mut challenge = hello[after..after + 8].to_vec();
        challenge.extend(&hello[after + 27..after + 39]);
        let answer = native::answer(password, &challenge);
        let mut told = CAPABILITIES.to_le_bytes().to_vec();
        told.extend([0, 0, 0, 1, 45]);
        told.extend([0; 23]);
        told.extend([user.as_bytes(), b"\0"].concat());
        told.push(u8::try_from(answer.len()).expect("twenty bytes"));
        told.extend(answer);
        told.extend(b"mysql_native_password\0");
        client.say(&told)?;
        let mut heard = client.packet()?;
        if heard[0] == SWITCH {
            let text = heard[1..].iter().position(|byte| *byte == 0).expect("a text ends") + 2;
            let answer = native::answer(password, &heard[text..text + 20]);
            client.say(&answer)?;
            heard = client.packet()?;
        }
        Ok(if heard[0] == ERROR { Err(code(&heard)) } else { Ok(client) })
    }

    pub fn query(&mut self, sql: &str) -> io::Result<Seen> {
        self.sequence = 0;
        self.say(&[b"\x03", sql.as_bytes()].concat())?;
        let head = self.packet()?;
        match head[0] {
            0 => return Ok(Seen::Done),
            ERROR => return Ok(Seen::Refused(code(&head))),
            _ => {}
        }
        let columns: Vec<String> =
            (0..head[0]).map(|_| Ok(cells(&self.packet()?).swap_remove(4))).collect::<io::Result<_>>()?;
        self.packet()?;
        let mut rows = Vec::new();
        loop {
            let row = self.packet()?;
            match row[0] {
                END if row.len() < 9 => return Ok(Seen::Rows { columns, rows }),
                ERROR => return Ok(Seen::Refused(code(&row))),
                _ => rows.push(cells(&row)),
            }
        }
    }

    fn say(&mut self, body: &[u8]) -> io::Result<()> {
        let mut head = u32::try_from(body.len()).expect("a short packet").to_le_bytes();
        head[3] = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&[&head[..], body].concat())
    }

    fn packet(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head)?;
        self.sequence = head[3].wrapping_add(1);
        let mut body = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }
}

fn code(packet: &[u8]) -> String {
    u16::from_le_bytes([packet[1], packet[2]]).to_string()
}

/// Texts, each after its length; what comes after the last whole one is not told apart.
fn cells(packet: &[u8]) -> Vec<String> {
    let mut rest = packet;
    let mut cells = Vec::new();
    while let Some(first) = rest.first() {
        let (length, head) = match first {
            0xfb => {
                cells.push(NULL.to_owned());
                rest = &rest[1..];
                continue;
            }
            0xfc => (usize::from(u16::from_le_bytes([rest[1], rest[2]])), 3),
            short => (usize::from(*short), 1),
        };
        let Some(text) = rest.get(head..head + length) else { break };
        cells.push(String::from_utf8_lossy(text).into_owned());
        rest = &rest[head + length..];
    }
    cells
}

/// LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH.
const CAPABILITIES: u32 = 0x0008_8201;
const ERROR: u8 = 0xff;
const SWITCH: u8 = 0xfe;
const END: u8 = 0xfe;
