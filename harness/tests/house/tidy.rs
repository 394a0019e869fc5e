//! Where files may be, how long they may get, and what must not stand in them.

use crate::{files, read};
use std::collections::BTreeSet;

#[test]
fn the_top_level_holds_the_agreed_names_only() {
    let names: BTreeSet<String> = files().iter().map(|file| first(file).to_owned()).collect();
    let strange: Vec<&String> = names
        .iter()
        .filter(|name| {
            let agreed = TOP_LEVEL.contains(&name.as_str());
            !agreed && !name.starts_with('.') && !name.starts_with("LICENSE")
        })
        .collect();
    assert!(strange.is_empty(), "{strange:?} fit none of the folders of the house");
}

#[test]
fn the_folders_of_sim_and_model_are_the_agreed_ones() {
    for (folder, agreed) in FOLDERS {
        let prefix = format!("{folder}/");
        let inside: BTreeSet<String> = files()
            .iter()
            .filter_map(|file| file.strip_prefix(&prefix)?.split_once('/'))
            .map(|(inner, _)| inner.to_owned())
            .collect();
        assert_eq!(inside.iter().map(String::as_str).collect::<Vec<_>>(), *agreed, "inside {folder}/");
    }
}

#[test]
fn no_text_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = files()
        .iter()
        .filter(|file| MEASURED.iter().any(|ending| file.ends_with(ending)))
        .map(|file| (read(file).lines().count(), file))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, file)| format!("{file}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split at {LINES_MAX} lines: {long:?}");
}

#[test]
fn no_file_names_a_path_of_a_machine() {
    let mut leaks = Vec::new();
    for file in files() {
        let Ok(text) = String::from_utf8(std::fs::read(crate::root().join(&file)).expect("a listed file"))
        else {
            continue;
        };
        let lines = text.lines().zip(1..).filter(|(line, _)| names_a_machine(line));
        leaks.extend(lines.map(|(line, number)| format!("{file}:{number}: {}", line.trim())));
    }
    assert!(leaks.is_empty(), "absolute paths differ between machines: {leaks:#?}");
}

#[test]
fn machine_paths_are_told_from_ordinary_ones() {
    let at = |rest: &str| format!("see {}{rest}", '/');
    assert!(names_a_machine(&at("home/somebody/x")));
    assert!(names_a_machine(&at("root/.cargo")));
    assert!(names_a_machine(&format!("({}Users/somebody)", '/')));
    assert!(!names_a_machine(&at("usr/bin/env bash")));
    assert!(!names_a_machine("scenarios/work/x and https://example.org/home/x"));
}

/// Whether some folder that only one machine has begins in this line, not inside a longer path.
fn names_a_machine(line: &str) -> bool {
    MACHINE_FOLDERS.iter().any(|folder| {
        let needle = format!("/{folder}/");
        line.match_indices(&needle).any(|(index, _)| {
            let before = line[..index].chars().next_back();
            before.is_none_or(|each| !each.is_ascii_alphanumeric() && !"._-/~}".contains(each))
        })
    })
}

fn first(path: &str) -> &str {
    path.split('/').next().expect("a split has a first part")
}

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "sim", "model", "scenarios", "harness", "reports", "README.md", "justfile"];

const FOLDERS: &[(&str, &[&str])] = &[
    ("sim", &["environment", "foreign", "plan", "rotation", "types", "wire", "world"]),
    ("model", &["checker", "spec"]),
];

/// What people read from top to bottom; golden reports and lock files are not.
const MEASURED: &[&str] = &[".rs", ".md", ".toml", "justfile", ".ci/run"];
const LINES_MAX: usize = 600;
const MACHINE_FOLDERS: &[&str] = &["home", "root", "work", "Users", "builds", "github/workspace"];
