//! Hosted roles at their boundary: equal digests, children that die or lie, lines that make no sense.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tumbler::host::{ChildRole, Program};
use tumbler::roles;
use tumbler_plan::{Digest, Plan};
use tumbler_types::role::v1::{Effects, Input, Now, Role};
use tumbler_types::{Build, NodeId, Verdict};
use tumbler_world::{Options, Outcome};

const SCENARIOS: [&str; 3] = ["standard", "zombie-rotator", "revoke-everywhere"];
const SEEDS: u64 = 20;

fn swept(folder: &Path, arguments: &[&str]) -> BTreeMap<(String, String), String> {
    let out = folder.join(arguments.join("_").replace('-', "x")).join("out");
    let run = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(folder)
        .arg("run")
        .args(SCENARIOS)
        .args(["--quiet", "--recheck", "0", "--seeds", &format!("0..{SEEDS}"), "--out"])
        .arg(&out)
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = std::fs::read_to_string(out.join("results.csv"))
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&run.stderr)));
    let digest = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        ((fields[0].to_owned(), fields[1].to_owned()), fields[4].to_owned())
    };
    let digests: BTreeMap<_, _> = text.lines().skip(1).map(digest).collect();
    assert_eq!(digests.len() as u64, SEEDS * SCENARIOS.len() as u64);
    digests
}

#[test]
fn a_hosted_role_gives_the_digest_that_it_gives_in_process() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let here = swept(home.path(), &[]);
    for way in [&["--host", "all"][..], &["--host", "rotator"], &["--host", "authority", "--driver", "tasks"]]
    {
        assert_eq!(swept(home.path(), way), here, "{way:?}");
    }
}

/// Runs a seed with the rotators in children of this program.
fn with_rotators(role: fn(ChildRole) -> Box<dyn Role>, program: Program) -> Outcome {
    let plan = plan();
    let factory = move |plan: &Plan, node: NodeId, build: Build| match plan
        .topology
        .name(node)
        .starts_with("rotator")
    {
        true => roles::in_session(role(ChildRole::new(&program, plan, node)), plan, node, build),
        false => roles::role(plan, node, build),
    };
    tumbler_world::run(&plan, &factory, &Options::default())
}

fn plan() -> Plan {
    tumbler_scenarios::scenario("standard").expect("shipped").scenario().plan(3)
}

fn own() -> Program {
    Program { path: env!("CARGO_BIN_EXE_tumbler").into(), arguments: vec!["role-host".to_owned()] }
}

/// A host of three lines of shell.
fn scripted(script: &str) -> Program {
    Program { path: "sh".into(), arguments: vec!["-c".to_owned(), script.to_owned()] }
}

#[track_caller]
fn check_crash(outcome: &Outcome, expect: &str) {
    let panic = outcome.panic.as_ref().expect("the role panicked");
    assert!(panic.message.contains(expect), "expected {expect}\ngot {}", panic.message);
    assert_eq!(outcome.judgement.as_ref().map(|judgement| judgement.verdict), Some(Verdict::Crashed));
    assert_ne!(outcome.digest, Digest::of(b""));
}

/// Kills its own child before one of its inputs.
struct Killed {
    role: ChildRole,
    inputs: u32,
}

impl Role for Killed {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        self.inputs += 1;
        if self.inputs == 20 {
            let id = self.role.process_id().expect("it runs").to_string();
            assert!(Command::new("kill").args(["-KILL", &id]).status().expect("kill").success());
        }
        self.role.handle(now, input)
    }
}

#[test]
fn a_child_that_is_killed_in_mid_run_is_a_crash_with_its_name_and_signal() {
    let outcome = with_rotators(|role| Box::new(Killed { role, inputs: 0 }), own());
    let expect = "the role host of rotator-1: the process ended without an answer, signal: 9 (SIGKILL)";
    check_crash(&outcome, expect);
    assert!(outcome.events > 100, "{}", outcome.events);
}

#[test]
fn a_host_that_does_not_keep_to_the_protocol_is_a_crash_that_says_how() {
    let table = [
        ("exit 3", "the process ended without an answer, exit status: 3"),
        ("read l; echo '{\"ready\":{\"protocol\":1}}'; read l", "without an answer, exit status: 0"),
        ("read l; echo '{\"ready\":{\"protocol\":9}}'; read l", "expected protocol 1, got 9"),
        ("read l; echo hello", "said something else than an answer: column 1: expected value"),
        ("read l; echo '{\"effects\":[]}'", "expected ready, got effects"),
        ("read l; printf half", "failed to read an answer: the last line has no end"),
        ("read l; echo '{\"refused\":\"too young\"}'", "refused: too young"),
    ];
    for (script, expect) in table {
        let outcome = with_rotators(|role| Box::new(role), scripted(script));
        check_crash(&outcome, expect);
    }
    let missing = Program { path: "no/such/program".into(), arguments: Vec::new() };
    check_crash(&with_rotators(|role| Box::new(role), missing), "failed to start: No such file");
}

#[test]
fn a_panic_inside_the_child_is_told_as_if_the_role_were_here() {
    let script = "read l; echo '{\"ready\":{\"protocol\":1}}'; read l; echo '{\"failed\":\"a lost token\"}'";
    let outcome = with_rotators(|role| Box::new(role), scripted(script));
    assert_eq!(outcome.panic.expect("it panicked").message, "a lost token");
}

/// What the host answers and complains of, and how it ends.
fn conversed(lines: &[u8]) -> (String, String, Option<i32>) {
    let mut host = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .arg("role-host")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    host.stdin.take().expect("it was asked for").write_all(lines).expect("the host reads");
    let output = host.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn hello(protocol: u32, node: u16) -> String {
    serde_json::json!({"hello": {"protocol": protocol, "plan": plan(), "node": node}}).to_string()
}

#[test]
fn what_was_asked_before_the_input_ends_is_answered() {
    let boot = r#"{"handle":{"now":{"wall":"3600000000000","mono":"0"},"input":{"boot":{"disk":[],"log":[],"entropy":"ENTROPY"}}}}"#;
    let boot = boot.replace("ENTROPY", &"ab".repeat(32));
    let (out, errors, code) = conversed(format!("{}\n{boot}\n", hello(1, 1)).as_bytes());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, r#"{"ready":{"protocol":1}}"#));
    assert!(lines[1].starts_with(r#"{"effects":[{""#), "{out}");
    assert_eq!(conversed(b""), (String::new(), String::new(), Some(0)));
}

#[test]
fn lines_that_make_no_sense_are_refused_with_their_place_and_end_with_2() {
    let good = hello(1, 1);
    let timer = r#"{"handle":{"now":{"wall":"0","mono":"0"},"input":{"timer":{"timer":1}}}}"#;
    let table = [
        ("garbage\n".to_owned(), "line 1, column 1: expected value"),
        ("\n".to_owned(), "line 1, column 0: EOF while parsing a value"),
        ("{\"hello\":".to_owned(), "line 1, the last line has no end"),
        (format!("{timer}\n"), "line 1, expected hello, got handle"),
        (format!("{good}\n{good}\n"), "line 2, expected handle, got a second hello"),
        (format!("{}\n", hello(9, 1)), "line 1, expected protocol 1, got 9"),
        (format!("{}\n", hello(1, 999)), "line 1, expected a node below "),
        (format!("{}\n", good.replace("\"schema\":1", "\"schema\":77")), "expected schema 1, got 77"),
        (format!("{}\n", good.replace("\"rotators\"", "\"movers\"")), "line 1, the plan: "),
        (format!("{good}\n{}\n", timer.replace("\"0\"", "0")), "expected an unsigned decimal number"),
        (format!("{good}\n{}\n", timer.replace("timer", "5ec4e7")), "expected one of `boot`"),
    ];
    for (lines, expect) in table {
        let (out, errors, code) = conversed(lines.as_bytes());
        assert_eq!(code, Some(2), "{expect}: {errors}");
        assert!(errors.starts_with("error: standard input, line ") && errors.contains(expect), "{errors}");
        assert!(out.lines().last().is_some_and(|line| line.starts_with("{\"refused\":")), "{out}");
        assert!(!errors.contains("5ec4e7"), "{errors}");
    }
    let (_, errors, code) = conversed(b"{\"handle\":\xff}\n");
    assert_eq!(code, Some(2), "{errors}");
}

#[test]
fn only_roles_can_be_hosted() {
    let run = Command::new(env!("CARGO_BIN_EXE_tumbler")).args(["run", "--host", "rotor"]).output();
    let output = run.expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).expect("text");
    assert!(errors.contains("expected all, authority, rotator, "), "{errors}");
}
