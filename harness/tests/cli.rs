//! The command line at its boundary: exit codes, bad input, files, signals.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A scratch folder, and the program in it.
struct Shell(TempDir);

impl Shell {
    fn new() -> Self {
        Shell(tempfile::tempdir().expect("a scratch folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).expect("a scratch file");
        self.path(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        command.current_dir(self.0.path()).args(line.split_whitespace()).env_remove("RUST_LOG");
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().expect("the program runs")
    }

    /// Runs the line, expects the code, and gives what was printed on either side.
    #[track_caller]
    fn check(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let text = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "tumbler {line}\n{text}");
        text
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref())
        .unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// A shipped scenario's text without the tables that begin like this.
fn without(name: &str, table: &str) -> String {
    let text = tumbler_scenarios::scenario(name).expect("shipped").text;
    let mut kept = String::new();
    for part in text.split("\n\n").filter(|part| !part.contains(table)) {
        kept.push_str(part);
        kept.push_str("\n\n");
    }
    kept
}

#[test]
fn every_exit_code_is_the_table_s() {
    let shell = Shell::new();
    shell.write("idle.toml", &without("quiet", "[[order]]").replace("\"quiet\"", "\"idle\""));
    let table = [
        ("run quiet --seeds 0..6 --out a", 0),
        ("list faults", 0),
        ("check --bounds small", 0),
        ("replay quiet --seed 3", 0),
        ("--nonsense", 2),
        ("run quiet --seeds 6..6 --out a", 4),
        ("replay zombie-rotator+target-ignores-fences --seed 0", 10),
        ("replay revoke-everywhere+replica-keeps-revoked --seed 0 --blind revoked-refused", 11),
        ("replay zombie-rotator+target-ignores-fences --seed 0 --blind applied-once", 12),
        ("replay quiet --seed 3 --plant-process panic@3", 13),
        ("run ./idle.toml --seeds 0..2 --out a", 15),
        ("run quiet --seeds 0..6 --judges off --out a", 15),
        ("replay quiet --seed 3 --until 100", 15),
        ("run zombie-rotator+target-ignores-fences --seeds 0..40 --max-fail 1 --out a", 10),
        ("replay zombie-rotator+target-ignores-fences --seed 0 --bisect", 10),
        ("replay quiet --seed 3 --bisect", 0),
    ];
    for (line, code) in table {
        shell.check(line, code);
    }
}

#[test]
fn bad_input_is_answered_with_its_place_and_what_was_expected() {
    let shell = Shell::new();
    shell.write("broken.toml", "schema = 1\nname = \"broken\"\nsead = 3\n");
    shell.write("empty.repro.json", "");
    shell.write("text.repro.json", "{\n  \"schema\": 1,\n  oops\n}\n");
    shell.write("future.repro.json", "{\"schema\": 99}");
    shell.write("bare.toml", "schema = 1\nname = \"bare\"\nabout = \"nothing\"\n");
    let entry = "[[entry]]\nscenario = \"none/of/these.toml\"\nseeds = \"0..3\"\n";
    shell.write("lost.toml", &format!("schema = 1\nname = \"lost\"\nabout = \"nothing\"\n{entry}"));
    let quiet = without("quiet", "nothing of this");
    shell.write("future.toml", &quiet.replace("schema = 1", "schema = 7"));
    shell.write("counts.toml", &quiet.replace("schema = 1", "schema = \"1\""));
    let table = [
        ("run standrad", 2, "did you mean `standard`?"),
        ("run missing.toml", 2, "failed to read missing.toml"),
        ("run ./broken.toml", 2, "broken.toml:3:1"),
        ("run standard --seeds 5..3", 2, "expected A..B"),
        ("run standard --seeds -1", 2, "expected A..B"),
        ("run standard --jobs 0", 2, "--jobs"),
        ("run standard --max-fail 0", 2, "--max-fail"),
        ("run planted --shrink", 2, "--shrink is for scenarios"),
        ("run planted --recheck 2%", 2, "--recheck is for scenarios"),
        ("run planted --follow 0", 2, "--follow is for scenarios"),
        ("run planted --max-fail 3", 2, "--max-fail is for scenarios"),
        ("run planted+lying-fsync", 2, "`planted` is a suite"),
        ("replay smoke --seed 3", 2, "`smoke` is a suite"),
        ("run ./", 2, "is a folder"),
        ("run bare.toml", 2, "missing field `entry`"),
        ("run lost.toml", 2, "failed to read none/of/these.toml"),
        ("run future.toml", 2, "to do: write `schema = 1`, or take the build"),
        ("run counts.toml", 2, "expected: a whole number"),
        ("replay quiet --seed 3 --filter node=agnet-1", 2, "did you mean `agent-1`?"),
        ("replay quiet --seed 3 --filter step=9..3", 2, "no step is in `step=9..3`"),
        ("run standard --recheck 200%", 2, "expected a percentage"),
        ("run planted standard --seeds 0..1", 2, "cannot be mixed"),
        ("list everything", 2, "possible values"),
        ("replay standard", 2, "add --seed N"),
        ("replay standrad --seed 1", 2, "did you mean `standard`?"),
        ("replay standard+nonsense --seed 1", 2, "unknown planted bug"),
        ("replay missing.repro.json", 125, "No such file"),
        ("replay empty.repro.json", 125, "line 1, column 0"),
        ("replay text.repro.json", 125, "line 3, column 3"),
        ("replay future.repro.json", 125, "expected capsule schema 2 or an older one, got 99"),
        ("replay future.repro.json --bisect", 125, "NOT APPLICABLE"),
    ];
    for (line, code, expect) in table {
        let got = shell.check(line, code);
        assert!(got.contains(expect), "tumbler {line}\nexpected {expect}\ngot {got}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_noticed_before_any_seed_runs() {
    let shell = Shell::new();
    shell.write("file", "in the way");
    std::fs::create_dir_all(shell.path("taken/results.csv")).expect("a folder in the file's place");
    for out in ["file", "file/below", "taken"] {
        let got = shell.check(&format!("run quiet --seeds 0..3 --out {out}"), 74);
        assert!(got.contains("error: failed to write") && !got.contains("seeds"), "{got}");
    }
    assert_eq!(read(shell.path("file")), "in the way");
}

#[test]
fn rows_have_their_columns_and_are_the_same_for_every_number_of_jobs() {
    let shell = Shell::new();
    shell.check("run zombie-rotator quiet --seeds 0..8 --jobs 1 --out one", 0);
    shell.check("run quiet zombie-rotator --seeds 0..8 --jobs 3 --out three", 0);
    let rows = read(shell.path("one/results.csv"));
    assert_eq!(rows, read(shell.path("three/results.csv")));
    let mut lines = rows.lines();
    assert_eq!(
        lines.next(),
        Some(
            "scenario,seed,verdict,invariant,trace_digest,events,virtual_ms,promoted,rolled_back,faults_fired,\
             faults_in_rotation"
        )
    );
    let keys: Vec<(&str, u64)> = lines
        .map(|line| {
            let (scenario, rest) = line.split_once(',').expect("fields");
            (scenario, rest.split(',').next().expect("a field").parse().expect("a seed"))
        })
        .collect();
    assert_eq!(keys.len(), 16);
    assert!(keys.is_sorted(), "{keys:?}");
}

#[test]
fn results_stand_in_the_target_folder_of_a_workspace_and_else_beside_the_caller() {
    let shell = Shell::new();
    shell.check("run quiet --seeds 0..6 --quiet", 0);
    assert!(shell.path("tumbler-out/results.csv").is_file());
    shell.write("Cargo.toml", "[workspace]\n");
    shell.check("run quiet --seeds 0..6 --quiet", 0);
    assert!(shell.path("target/tumbler/results.csv").is_file());
}

#[test]
fn planted_bugs_are_caught_by_name_and_a_blind_judge_is_noticed() {
    let shell = Shell::new();
    let got = shell.check("run planted --seeds 0..8 --out seeing", 0);
    let all = tumbler_plan::Planted::ALL.len();
    assert!(got.contains(&format!("PASS  {all}/{all} planted bugs caught by name")), "{got}");
    // One for each way in which a bug is found: at once, by a deadline, by what comes of it, by the rules.
    for invariant in [
        "applied-once",
        "revoked-refused",
        "rollback-possible",
        "durable-ack",
        "converges",
        "transitions-legal",
    ] {
        let got = shell.check(&format!("run planted --seeds 0..4 --blind {invariant} --out blind"), 15);
        assert!(got.contains("missed: ") && got.contains(&format!("expected {invariant}, got")), "{got}");
    }
}

#[test]
fn a_capsule_reproduces_twice_from_another_folder_and_an_edited_one_differs() {
    let shell = Shell::new();
    let elsewhere = Shell::new();
    shell.check("run planted --seeds 0..8 --out out", 0);
    let mut capsules = 0;
    for entry in std::fs::read_dir(shell.path("out")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if !path.to_string_lossy().ends_with(".repro.json") {
            continue;
        }
        capsules += 1;
        let text = read(&path);
        assert!(text.len() < 64 * 1024, "{} bytes", text.len());
        assert!(
            !text.contains(&shell.0.path().display().to_string()),
            "an absolute path in {}",
            path.display()
        );
        let line = format!("replay {}", path.display());
        let capsule: serde_json::Value = serde_json::from_str(&text).expect("json");
        let code = if capsule["expect"]["verdict"] == "stalled" { 11 } else { 10 };
        let first = elsewhere.check(&line, code);
        assert!(first.starts_with("REPRODUCED"), "{first}");
        assert_eq!(elsewhere.check(&line, code), first);
        elsewhere.check(&format!("{line} --bisect"), 10);
    }
    assert_eq!(capsules, tumbler_plan::Planted::ALL.len());

    let name = "out/zombie-rotator+target-ignores-fences-0.repro.json";
    let text = read(shell.path(name));
    let mut capsule: serde_json::Value = serde_json::from_str(&text).expect("json");
    let middle = capsule["checkpoints"].as_array().expect("a list").len() / 2;
    let step = capsule["checkpoints"][middle]["events"].as_u64().expect("a number");
    capsule["checkpoints"][middle]["digest"] = "0".repeat(64).into();
    shell.write("other.repro.json", &capsule.to_string());
    // A chain that does not fit its own digest says nothing about any run.
    for command in ["replay", "replay --bisect", "shrink", "explain"] {
        let got = shell.check(&format!("{command} other.repro.json"), 125);
        assert!(got.contains("the chain of digests is damaged"), "{command}: {got}");
    }
    let mut capsule = tumbler_plan::Capsule::parse(&text).expect("what was written");
    capsule.checkpoints[middle].digest = tumbler_plan::Digest::of(b"another");
    shell.write("other.repro.json", &capsule.sealed().to_text());
    let got = shell.check("replay other.repro.json", 14);
    assert!(got.starts_with(&format!("DIFFERS AT STEP {step} ")), "{got}");
    shell.check("replay other.repro.json --bisect", 125);

    let mut capsule: serde_json::Value = serde_json::from_str(&text).expect("json");
    capsule["build"]["digest"] = "1".repeat(64).into();
    shell.write("built.repro.json", &capsule.to_string());
    let got = shell.check("replay built.repro.json", 10);
    assert!(got.starts_with("SAME FAILURE"), "{got}");
    let got = shell.check("replay built.repro.json --blind applied-once", 0);
    assert!(got.starts_with("NOT REPRODUCED"), "{got}");

    let mut capsule: serde_json::Value = serde_json::from_str(&text).expect("json");
    capsule["plan"]["canaries"] = 0.into();
    shell.write("changed.repro.json", &capsule.to_string());
    let got = shell.check("replay changed.repro.json", 125);
    assert!(got.contains("the plan was changed: expected digest"), "{got}");
    shell.write("cut.repro.json", &text[..text.len() / 3]);
    let got = shell.check("replay cut.repro.json", 125);
    assert!(got.contains("EOF while parsing"), "{got}");
}

#[test]
fn a_seed_that_takes_its_worker_down_is_crashed_and_the_sweep_goes_on() {
    let table = [
        ("panic", "the role panicked: a planted panic"),
        ("abort", "the worker died of signal 6 (SIGABRT)"),
        ("overflow", "has overflowed its stack"),
        ("spin", "no end within 2 s of wall time"),
    ];
    for (kind, why) in table {
        let shell = Shell::new();
        let line =
            format!("run standard --seeds 0..5 --plant-process {kind}@3 --watchdog 2 --jobs 2 --out out");
        let got = shell.check(&line, 13);
        let words = got.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(why), "{kind}: {got}");
        let rows = read(shell.path("out/results.csv"));
        let crashed: Vec<&str> = rows.lines().filter(|row| row.contains(",crashed,")).collect();
        assert_eq!((rows.lines().count(), crashed.len()), (6, 1), "{kind}: {rows}");
        assert!(crashed[0].starts_with("standard,3,crashed,"), "{kind}: {rows}");
        let capsule: serde_json::Value =
            serde_json::from_str(&read(shell.path("out/standard-3.repro.json"))).expect("json");
        assert_eq!(capsule["expect"]["verdict"], "crashed", "{kind}");
        assert_eq!(capsule["last"]["node"], "authority-1", "{kind}: {capsule}");
        assert!(capsule["last"]["seq"].as_u64().expect("a number") > 100, "{kind}: {capsule}");
        if kind != "spin" {
            let line = format!("replay out/standard-3.repro.json --plant-process {kind}@3");
            assert!(shell.check(&line, 13).starts_with("REPRODUCED"), "{kind}");
        }
    }
}

#[test]
fn an_interrupted_run_leaves_the_rows_that_it_has() {
    let shell = Shell::new();
    let mut child = shell
        .command("run quiet --seeds 0..100000000 --jobs 2 --out out")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    // The first sign of life off a terminal comes when seeds have run.
    let mut stderr = BufReader::new(child.stderr.take().expect("it was asked for"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a heartbeat");
    assert!(line.starts_with("tumbler: "), "{line}");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(text(&output.stdout).starts_with("INTERRUPTED "), "{}", text(&output.stdout));
    let rows = read(shell.path("out/results.csv"));
    assert!(rows.lines().count() > 2 && rows.ends_with('\n'), "{rows}");
}

/// What an interrupt left out was not missed: neither in the terminal, nor for a CI server.
#[test]
fn an_interrupted_suite_of_planted_bugs_misses_none() {
    let shell = Shell::new();
    let head = "schema = 1\nname = \"long\"\nabout = \"longer than anybody waits\"\n";
    let entry = "[[entry]]\nplanted = \"lying-fsync\"\nscenario = \"crash-points\"\nseeds = \"0..20000\"\nexpect = \"durable-ack\"\n";
    shell
        .write("long.toml", &format!("{head}{entry}{}", entry.replace("lying-fsync", "send-before-persist")));
    let mut child = shell
        .command("run long.toml --jobs 2 --out out")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stderr = BufReader::new(child.stderr.take().expect("it was asked for"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a heartbeat");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let shown = text(&output.stdout);
    assert!(shown.starts_with("INTERRUPTED INCONCLUSIVE  0/2 planted bugs"), "{shown}");
    assert!(shown.contains(", 2 not run") && !shown.to_lowercase().contains("missed"), "{shown}");
    let junit = read(shell.path("out/junit.xml"));
    assert_eq!(junit.matches("<skipped").count(), 2, "{junit}");
    assert!(!junit.contains("type=\"missed\""), "{junit}");
    assert!(!read(shell.path("out/summary.md")).contains("missed"));
}

/// A team's own suite: its scenarios stand beside it, wherever it is run from.
#[test]
fn a_suite_takes_scenarios_of_its_own_folder() {
    let shell = Shell::new();
    std::fs::create_dir(shell.path("own")).expect("a folder");
    let quiet = tumbler_scenarios::scenario("quiet").expect("shipped").text;
    shell.write("own/calm.toml", &quiet.replace("name = \"quiet\"", "name = \"calm\""));
    let head = "schema = 1\nname = \"team\"\nabout = \"what the team runs\"\n";
    let own = "[[entry]]\nscenario = \"calm.toml\"\nseeds = \"0..4\"\n";
    let shipped = "[[entry]]\nscenario = \"quiet\"\nseeds = \"0..3\"\n";
    shell.write("own/team.toml", &format!("{head}{own}{shipped}"));
    let shown = shell.check("run own/team.toml --out out", 0);
    assert!(shown.contains("7/7 seeds  2 scenarios"), "{shown}");
    let rows = read(shell.path("out/results.csv"));
    let of = |name: &str| rows.lines().filter(|row| row.starts_with(&format!("{name},"))).count();
    assert_eq!((of("calm"), of("quiet")), (4, 3), "{rows}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_build_that_replaces_the_program_in_mid_sweep_changes_nothing() {
    let shell = Shell::new();
    let (own, copy) = (Path::new(env!("CARGO_BIN_EXE_tumbler")), shell.path("copy"));
    std::fs::copy(own, &copy).expect("a copy");
    let mut child = Command::new(&copy)
        .current_dir(shell.0.path())
        .args(["run", "standard", "--seeds", "0..40", "--jobs", "2", "--out", "out"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the copy runs");
    std::fs::remove_file(&copy).expect("it is replaced");
    std::fs::write(&copy, "another build").expect("by something else");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    shell.check("run standard --seeds 0..40 --jobs 2 --out again", 0);
    let report = |folder: &str| read(shell.path(&format!("{folder}/report.json")));
    assert!(report("out") == report("again"), "the same build, and so the same report");
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let shell = Shell::new();
    let mut child = shell
        .command("list invariants")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn a_second_failing_seed_is_not_awaited_when_one_is_enough() {
    let shell = Shell::new();
    let line = "run standard --seeds 0..40 --plant-process panic@2 --max-fail 1 --jobs 2 --out out";
    let got = shell.check(line, 13);
    assert!(got.contains("3/40 seeds"), "{got}");
    assert_eq!(read(shell.path("out/results.csv")).lines().count(), 4);
}

#[test]
fn a_user_s_own_scenario_runs_from_any_folder() {
    let shell = Shell::new();
    let text = tumbler_scenarios::scenario("quiet").expect("shipped").text;
    shell.write("mine.toml", &text.replace("name = \"quiet\"", "name = \"mine\""));
    let got = shell.check("run ./mine.toml --seeds 0..6 --out out", 0);
    assert!(got.contains("6/6 seeds  1 scenario"), "{got}");
    assert!(read(shell.path("out/results.csv")).contains("\nmine,5,pass,"));
    shell.check("replay ./mine.toml --seed 5", 0);
}

#[test]
fn a_grid_strikes_everything_once_and_is_the_same_for_every_number_of_jobs() {
    let shell = Shell::new();
    shell.write("idle.toml", &without("quiet", "[[order]]").replace("\"quiet\"", "\"idle\""));
    let text = shell.check("grid quiet --out one --jobs 1", 0);
    assert!(text.contains("PASS  grid of quiet seed 0  ") && text.contains("\ndraft\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let quiet = shell.check("grid quiet --out three --jobs 3 --quiet", 0);
    assert_eq!(quiet.lines().count(), 1, "{quiet}");
    let rows = read(shell.path("one/grid.csv"));
    assert_eq!(rows, read(shell.path("three/grid.csv")));
    let runs: std::collections::BTreeSet<&str> = rows.lines().collect();
    assert_eq!(runs.len(), rows.lines().count(), "no run twice");
    for strike in tumbler_reports::grid::Strike::ALL {
        assert!(rows.contains(&format!(",{},pass,", strike.name())), "{}", strike.name());
    }
    for (line, code, expect) in [
        ("grid standrad", 2, "did you mean `standard`?"),
        ("grid quiet+nonsense", 2, "unknown planted bug"),
        ("grid ./idle.toml --out idle", 15, "nothing to strike"),
        ("grid quiet+lying-fsync --out fails", 10, "the undisturbed run itself is no pass"),
    ] {
        let got = shell.check(line, code);
        assert!(got.contains(expect), "tumbler {line}\nexpected {expect}\ngot {got}");
    }
}

#[test]
fn a_grid_finds_a_target_that_ignores_fences_in_held_calls_alone_and_the_capsule_reproduces() {
    let shell = Shell::new();
    let text = shell.check("grid zombie-rotator+target-ignores-fences --out red", 10);
    assert!(text.contains("  AO: violated applied-once ("), "{text}");
    let rows = read(shell.path("red/grid.csv"));
    let red: Vec<&str> = rows.lines().skip(1).filter(|row| !row.contains(",pass,")).collect();
    let held = |row: &&str| row.contains(",apply-request,") && row.contains(",held,violated,applied-once,");
    assert!(!red.is_empty() && red.iter().all(held), "{red:?}");
    let replay = text.lines().find_map(|line| line.split_once("replay: tumbler ")).expect("a replay line").1;
    assert!(shell.check(replay, 10).starts_with("REPRODUCED"));
}

#[test]
fn what_shards_reached_adds_up_and_a_report_of_another_model_is_refused() {
    let shell = Shell::new();
    for (seeds, folder) in [("0..6", "whole"), ("0..2", "left"), ("2..6", "right")] {
        shell.run(&format!("run standard --seeds {seeds} --out {folder} --quiet --show-progress none"));
    }
    let whole = shell.check("report whole/report.json --format reached", 0);
    assert!(whole.contains("model visited") && whole.contains("rotator sending apply-request"), "{whole}");
    assert!(whole.lines().all(|line| line.chars().count() <= 80), "{whole}");
    assert_eq!(shell.check("report right/report.json left/report.json --format reached", 0), whole);
    let text = read(shell.path("left/report.json"));
    let at = text.find("\"graph\": \"").expect("a graph") + 10;
    let digest = &text[at..at + 64];
    shell.write("other.json", &text.replace(digest, &"0".repeat(64)));
    let why = shell.check("report right/report.json other.json --format reached", 2);
    assert!(why.contains("other.json: expected the graph ") && why.contains("got 0000000000000000"), "{why}");
    let why = shell.check("report left/report.json right/report.json --format md", 2);
    assert!(why.contains("expected one report, got 2"), "{why}");
}
