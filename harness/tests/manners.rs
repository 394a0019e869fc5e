//! What the command line does for whoever types it: completions, pages, progress, suggestions.

use clap::CommandFactory;
use std::process::{Command, Output};
use tumbler::cli::Cli;

fn ran(line: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(folder.path())
        .args(line.split_whitespace())
        .env_remove("RUST_LOG")
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn commands(hidden: bool) -> Vec<String> {
    let whole = Cli::command();
    let commands = whole.get_subcommands().filter(|command| command.is_hide_set() == hidden);
    commands.map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn completions_of_every_shell_know_every_visible_command_and_no_hidden_one() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, errors) = ran(&format!("completions {shell}"));
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{shell}");
        for name in commands(false) {
            assert!(out.contains(&name), "{shell}: {name}");
        }
        for name in commands(true).iter().map(String::as_str).chain(["madsim-seed", "plant-process"]) {
            assert!(!out.contains(name), "{shell}: {name}");
        }
        assert!(out.contains("show-progress"), "{shell}");
    }
    let (code, _, errors) = ran("completions tcsh");
    assert_eq!(code, Some(2));
    assert!(errors.contains("possible values"), "{errors}");
}

#[test]
fn the_manual_has_a_page_of_the_program_and_one_of_each_visible_command() {
    let (code, whole, _) = ran("man");
    assert_eq!(code, Some(0));
    assert!(whole.contains(".TH tumbler 1"), "{whole}");
    for name in commands(false) {
        assert!(whole.contains(&format!("tumbler\\-{name}(1)")), "{name}: {whole}");
        let (code, page, _) = ran(&format!("man {name}"));
        assert_eq!(code, Some(0), "{name}");
        assert!(page.contains(&format!(".TH tumbler-{name} 1")) && page.contains("Example"), "{page}");
        assert!(!page.contains("madsim"), "{page}");
    }
    for name in commands(true) {
        assert!(!whole.contains(&name), "{name}");
        assert_eq!(ran(&format!("man {name}")).0, Some(2), "{name}");
    }
}

#[test]
fn a_mistyped_name_is_answered_with_the_nearest_one() {
    let table = [
        ("run standrad", "did you mean `standard`?"),
        ("run smoek", "did you mean `smoke`?"),
        ("replay quite --seed 1", "did you mean `quiet`?"),
        ("replay standard+lying-fsink --seed 1", "did you mean `lying-fsync`?"),
        ("man rum", "did you mean `run`?"),
        ("repaly 1", "'replay'"),
        ("run --sedes 0..1", "'--seeds'"),
        ("run xyzzyxyzzy", "`tumbler list scenarios` and `tumbler list suites` show them"),
    ];
    for (line, expect) in table {
        let (code, _, errors) = ran(line);
        assert_eq!(code, Some(2), "tumbler {line}: {errors}");
        assert!(errors.contains(expect), "tumbler {line}: {errors}");
    }
}

#[test]
fn progress_is_what_was_asked_for_and_never_on_standard_output() {
    for how in ["auto", "bar", "counter", "none"] {
        let (code, out, errors) = ran(&format!("run quiet --seeds 0..6 --show-progress {how}"));
        assert_eq!(code, Some(0), "{how}: {errors}");
        assert!(out.starts_with("PASS  6/6 seeds") && !out.contains('\r'), "{how}: {out}");
        // Six seeds end before the first heartbeat, and nobody sees a bar here.
        assert_eq!(errors, "", "{how}");
    }
    let (code, _, errors) = ran("run quiet --show-progress loud");
    assert_eq!(code, Some(2));
    assert!(errors.contains("auto, bar, counter, none"), "{errors}");
}

#[test]
fn logs_carry_virtual_time_hold_no_bytes_and_do_not_reach_the_run() {
    let logged = |filter: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        command.args(["replay", "quiet", "--seed", "3"]).env_remove("RUST_LOG");
        let output = command.envs(filter.map(|filter| ("RUST_LOG", filter))).output();
        let Output { status: _, stdout, stderr } = output.expect("the program runs");
        (stdout, String::from_utf8(stderr).expect("text"))
    };
    let (silent, nothing) = logged(None);
    let (told, lines) = logged(Some("tumbler=trace"));
    assert_eq!((silent, nothing.as_str()), (told, ""));
    let handled: Vec<&str> = lines.lines().filter(|line| line.contains("handle")).collect();
    assert!(handled.len() > 1_000, "{}", handled.len());
    assert!(handled.iter().any(|line| line.contains("bytes")) && !lines.contains("bytes: ["));
    let last = handled.last().expect("there are some");
    let (stamp, _) = last.split_once(" s ").expect("a stamp");
    assert!(stamp.split_once('.').is_some_and(|(seconds, _)| seconds.parse::<u64>().is_ok()), "{last}");
}
