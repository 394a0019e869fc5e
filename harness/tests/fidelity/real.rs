//! The cases against the kernel: tokio's sockets and files of a temporary folder.

use crate::Seen;
use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// Names the case to a copy of this program inside a network namespace.
pub const INSIDE: &str = "TUMBLER_FIDELITY_INSIDE";
/// Longer than anything takes on one machine.
const MOMENT: Duration = Duration::from_millis(400);

pub const WAITS: &str = "no answer until the time-out";
pub const AT_ONCE: &str = "the caller hears it at once";

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(future)
}

/// Both ends of a connection on this machine.
async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.expect("connects"), server.expect("accepts").0)
}

/// What a reader sees within a moment.
async fn read(stream: &mut TcpStream) -> &'static str {
    let mut buffer = [0; 64];
    match timeout(MOMENT, stream.read(&mut buffer)).await {
        Err(_) => WAITS,
        Ok(Ok(0) | Err(_)) => AT_ONCE,
        Ok(Ok(_)) => "an answer",
    }
}

/// Calls this program again in a network namespace; none if there can be none.
fn namespaced(case: &str) -> Seen {
    let program = std::env::current_exe().ok()?;
    let output = Command::new("unshare")
        .arg("-rn")
        .arg(program)
        .args(["in_a_network_of_its_own", "--exact", "--nocapture"])
        .env(INSIDE, case)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    [WAITS, AT_ONCE].into_iter().find(|seen| text.contains(&format!("seen: {seen}")))
}

/// In the namespace: its links are ours to cut.
pub fn inside(case: &str) {
    let ip = |words: &str| {
        let done = Command::new("ip").args(words.split(' ')).status();
        assert!(done.is_ok_and(|status| status.success()), "ip {words}");
    };
    ip("link set lo up");
    let seen = block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        match case {
            "connect" => {
                // What goes there comes back, is nobody's, and is dropped without a word.
                ip("route add 10.9.0.0/24 dev lo");
                let far = ("10.9.0.2", address.port());
                match timeout(MOMENT, TcpStream::connect(far)).await {
                    Err(_) => WAITS,
                    Ok(_) => AT_ONCE,
                }
            }
            "write" => {
                let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
                let (mut client, _server) = (client.expect("connects"), server.expect("accepts").0);
                ip("link set lo down");
                match client.write_all(b"a question").await {
                    Ok(()) => read(&mut client).await,
                    Err(_) => AT_ONCE,
                }
            }
            other => unreachable!("no case is called {other}"),
        }
    });
    println!("seen: {seen}");
}

pub fn connect_across_a_cut() -> Seen {
    namespaced("connect")
}

pub fn write_into_a_cut() -> Seen {
    namespaced("write")
}

pub fn connect_to_nobody() -> Seen {
    Some(block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);
        match timeout(MOMENT, TcpStream::connect(address)).await {
            Err(_) => WAITS,
            Ok(Err(_)) => AT_ONCE,
            Ok(Ok(_)) => "an answer",
        }
    }))
}

/// The kernel closes a killed process's sockets as it closes dropped ones.
pub fn peer_killed() -> Seen {
    Some(block_on(async {
        let (mut client, server) = connected().await;
        client.write_all(b"a question").await.expect("it is open");
        drop(server);
        read(&mut client).await
    }))
}

pub fn connection_reset() -> Seen {
    Some(block_on(async {
        let (mut client, server) = connected().await;
        server.set_zero_linger().expect("a socket takes the option");
        drop(server);
        read(&mut client).await
    }))
}

pub fn half_close() -> Seen {
    Some(block_on(async {
        let (mut client, mut server) = connected().await;
        client.shutdown().await.expect("it is open");
        let end = read(&mut server).await;
        server.write_all(b"an answer").await.expect("this half is open");
        let answer = read(&mut client).await;
        match (end, answer) {
            (AT_ONCE, "an answer") => "one half ends and says so, the other goes on",
            _ => "both halves end",
        }
    }))
}

pub fn backlog_full() -> Seen {
    Some(block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let listener = socket.listen(1).expect("it listens");
        let address = listener.local_addr().expect("it is bound");
        let mut open = Vec::new();
        for _ in 0..8 {
            match timeout(MOMENT, TcpStream::connect(address)).await {
                Err(_) => return WAITS,
                Ok(Err(_)) => return AT_ONCE,
                Ok(Ok(stream)) => open.push(stream),
            }
        }
        "an answer"
    }))
}

pub fn partial() -> Seen {
    Some(block_on(async {
        let (client, mut server) = connected().await;
        let large = vec![7; 64 << 20];
        client.writable().await.expect("it is open");
        let written = client.try_write(&large).expect("there is some room");
        let mut buffer = vec![0; 10];
        let count = server.read(&mut buffer).await.expect("something came");
        if written < large.len() && count < written { "any part" } else { "all or nothing" }
    }))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub const FORMER: &str = "the former contents";
pub const NEXT: &str = "the next contents";

fn contents(path: &std::path::Path) -> &'static str {
    match fs::read(path).expect("it is there").as_slice() {
        b"former" => FORMER,
        b"next, and longer" => NEXT,
        _ => "a mixture",
    }
}

/// Replaces as a careful program does: beside, synced, renamed.
pub fn rename() -> Seen {
    let folder = folder();
    let (record, beside) = (folder.path().join("record"), folder.path().join("beside"));
    fs::write(&record, b"former").expect("there is room");
    let mut file = File::create(&beside).expect("there is room");
    file.write_all(b"next, and longer").expect("there is room");
    file.sync_all().expect("a disk syncs");
    fs::rename(&beside, &record).expect("one file system");
    File::open(folder.path()).expect("it is there").sync_all().expect("a folder syncs");
    Some(contents(&record))
}

pub fn cut_off() -> Seen {
    let folder = folder();
    let (record, beside) = (folder.path().join("record"), folder.path().join("beside"));
    fs::write(&record, b"former").expect("there is room");
    let mut file = File::create(&beside).expect("there is room");
    file.write_all(b"next, an").expect("there is room");
    drop(file);
    Some(contents(&record))
}

pub const FAILS: &str = "the write fails and says so";

pub fn disk_full() -> Seen {
    let mut file = fs::OpenOptions::new().write(true).open("/dev/full").ok()?;
    Some(if file.write_all(b"next").is_err() { FAILS } else { "the write is taken" })
}

/// A shell writes, perhaps syncs, and is killed by itself with no time for anything.
fn killed(sync: &str) -> Seen {
    let folder = folder();
    let record = folder.path().join("record");
    fs::write(&record, b"former").expect("there is room");
    let script = format!("printf 'next, and longer' > \"$0\"; {sync}kill -9 $$");
    let status = Command::new("sh").arg("-c").arg(script).arg(&record).status().ok()?;
    assert!(!status.success(), "it was killed");
    Some(contents(&record))
}

pub fn killed_after_fsync() -> Seen {
    killed("sync \"$0\"; ")
}

pub fn killed_before_fsync() -> Seen {
    killed("")
}
