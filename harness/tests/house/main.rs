//! The house rules, held by tests: layout, edges, bans, names.
//!
//! They exist because a rule that nothing holds is a wish. Each was seen red once, with the
//! violation that it is for. They read the repository's text and cargo's own description of it,
//! build nothing, and write nothing unless `TUMBLER_BLESS=1` asks for the generated files.
//!
//! What they deliberately do not do: judge behavior, style or prose.

mod bans;
mod commands;
mod edges;
mod names;
mod patches;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
fn root() -> PathBuf {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().expect("the harness is a folder of the repository").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Paths of all files that are tracked or would be, `/` between folders, sorted. Without git, or
/// outside a checkout: all files but those that a build makes.
fn files() -> Vec<String> {
    let git = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let mut files: Vec<String> = match git {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let text = String::from_utf8(output.stdout).expect("file names are UTF-8");
            text.split_terminator('\0').map(str::to_owned).collect()
        }
        _ => walk(&root(), ""),
    };
    files.retain(|file| root().join(file).is_file());
    files.sort();
    files.dedup();
    assert!(files.iter().any(|file| file == "Cargo.toml"), "the list of files is that of the repository");
    files
}

fn walk(folder: &Path, prefix: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the repository can be listed") {
        let entry = entry.expect("an entry of the repository can be read");
        let name = entry.file_name().into_string().expect("file names are UTF-8");
        if entry.path().is_file() {
            files.push(format!("{prefix}{name}"));
        } else if ![".git", "target", "tumbler-out"].contains(&name.as_str()) {
            files.extend(walk(&entry.path(), &format!("{prefix}{name}/")));
        }
    }
    files
}
