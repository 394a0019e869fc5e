//! Real servers as child processes, in a scratch folder.

use crate::Seen;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder that the server's user may write to.
pub struct Scratch {
    folder: TempDir,
    is_root: bool,
}

impl Scratch {
    pub fn new() -> Scratch {
        // A socket's path may be a hundred bytes long, and no longer.
        let folder = tempfile::tempdir_in("/tmp").expect("a scratch folder");
        let is_root = fs::metadata(folder.path()).expect("it was just made").uid() == 0;
        if is_root {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may give it away");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("it is ours");
        Scratch { folder, is_root }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it, readable by the server's user.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).expect("the scratch folder takes files");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
        path
    }

    /// A command that does not run as root.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.path()).env("TZ", "UTC").env("LC_ALL", "C").env("HOME", self.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, command: &mut Command) {
        let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {told}");
    }
}

/// A program, on the path or where Debian keeps it; none, and a word about it, if it is not there.
pub fn program(name: &str, package: &str) -> Option<PathBuf> {
    let mut places: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    places.push("/usr/sbin".into());
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    places.extend(versions.into_iter().rev().map(|(_, place)| place));
    let found = places.into_iter().map(|place| place.join(name)).find(|path| path.is_file());
    if found.is_none() {
        let is_required = std::env::var("TUMBLER_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
        // What could not be installed, which CI has said loudly.
        let without = std::env::var("TUMBLER_WITHOUT").unwrap_or_default();
        let is_known = without.split_whitespace().any(|each| each == package);
        assert!(!is_required || is_known, "needs {package}: {name}");
        println!("skipped: needs {package}");
    }
    found
}

/// A server that runs until it is dropped.
pub struct Running {
    child: Child,
    stop: Option<Command>,
}

impl Running {
    /// Starts it, and waits until `is_up` or a minute is over.
    pub fn start(mut command: Command, stop: Option<Command>, mut is_up: impl FnMut() -> bool) -> Running {
        let mut running = Running { child: command.spawn().expect("the server starts"), stop };
        let until = Instant::now() + Duration::from_secs(60);
        while !is_up() {
            let ended = running.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < until, "{command:?} does not come up: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let is_stopped =
            self.stop.as_mut().is_some_and(|stop| stop.status().is_ok_and(|status| status.success()));
        if !is_stopped {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

const NOBODY: u32 = 65_534;

/// A session begins, or is refused.
pub fn seat<C>(sessions: &mut BTreeMap<usize, C>, session: usize, begun: Result<C, String>) -> Seen {
    match begun {
        Ok(client) => {
            sessions.insert(session, client);
            Seen::Done
        }
        Err(code) => Seen::Refused(code),
    }
}
