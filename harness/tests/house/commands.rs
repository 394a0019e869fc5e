//! What a newcomer types: README, `.ci/run` and the manifest tell the same story.

use crate::{files, read};

#[test]
fn ci_runs_exactly_the_commands_that_the_readme_gives() {
    let (readme, run) = (read("README.md"), read(".ci/run"));
    for command in COMMANDS {
        assert!(
            lines(&readme).any(|line| line == *command),
            "README.md gives `{command}` on a line of its own"
        );
        assert!(lines(&run).any(|line| line == *command), ".ci/run calls `{command}` on a line of its own");
    }
}

#[test]
fn ci_fails_on_what_clippy_only_warns_of_and_forgets_rustflags() {
    let run = read(".ci/run");
    for part in ["unset RUSTFLAGS", "does not refer to", "--cfg madsim", "TUMBLER_REQUIRE_TOOLS=1"] {
        assert!(run.contains(part), ".ci/run contains `{part}`");
    }
}

#[test]
fn every_recipe_of_the_justfile_is_one_visible_command_with_a_comment() {
    let text = read("justfile");
    let lines: Vec<&str> = text.lines().collect();
    let recipes: Vec<usize> = (0..lines.len()).filter(|index| is_recipe(lines[*index])).collect();
    assert!(recipes.len() >= 6, "the justfile has recipes");
    for index in recipes {
        let name = lines[index];
        assert!(index > 0 && lines[index - 1].starts_with("# "), "`{name}` says above what it is for");
        let body: Vec<&&str> = lines[index + 1..].iter().take_while(|line| line.starts_with(' ')).collect();
        assert_eq!(body.len(), 1, "`{name}` is one command");
        assert!(!body[0].trim().starts_with('@'), "`{name}` shows its command");
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let text = read("Cargo.toml");
    let (_, table) =
        text.split_once("[workspace.dependencies]").expect("the workspace lists its dependencies");
    let table = table.split("\n[").next().expect("a split has a first part");
    let mut family = "";
    let mut reason = false;
    for line in table.lines().map(str::trim) {
        if line.starts_with('#') {
            reason = line.len() > 10;
        } else if let Some((name, value)) = line.split_once('=') {
            let relative = name.trim().split('-').next().expect("a split has a first part");
            let own = value.contains("path = ");
            assert!(own || reason || relative == family, "`{}` has a comment above it", name.trim());
            (family, reason) = (relative, false);
        } else {
            (family, reason) = ("", false);
        }
    }
}

#[test]
fn every_crate_obeys_the_workspace_lints_and_reads_no_version_of_its_own() {
    let manifests: Vec<String> =
        files().into_iter().filter(|file| file.ends_with("/Cargo.toml") && file != "Cargo.toml").collect();
    assert!(manifests.len() >= 11, "every crate has a manifest");
    for manifest in manifests {
        let text = read(&manifest);
        assert!(text.contains("[lints]\nworkspace = true"), "{manifest} obeys the workspace lints");
        let mut in_dependencies = false;
        let mut versioned: Vec<&str> = Vec::new();
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies && (line.contains("version") || line.contains("= \"")) {
                versioned.push(line);
            }
        }
        assert!(versioned.is_empty(), "{manifest}: versions stand in the root: {versioned:?}");
    }
}

fn is_recipe(line: &str) -> bool {
    line.starts_with(|each: char| each.is_ascii_lowercase()) && line.contains(':') && !line.contains(":=")
}

/// Lines as a shell reads them: without what a comment says beside the command.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim())
}

const COMMANDS: &[&str] = &["cargo run --release -- run", "cargo test --workspace"];
