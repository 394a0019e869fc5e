//! `tumbler shrink` at the command line: a smaller plan, the same failure, and capsules that do not fail.

use std::path::Path;
use std::process::Command;

#[track_caller]
fn check(folder: &Path, line: &str, code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(folder)
        .args(line.split_whitespace())
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let text = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "tumbler {line}\n{text}");
    text
}

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn length(capsule: &serde_json::Value, list: &str) -> usize {
    capsule["plan"][list].as_array().map_or(0, Vec::len)
}

#[test]
fn a_failure_of_many_faults_becomes_one_of_few_that_replays() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "run standard+target-ignores-fences --seeds 1..2 --out out", 10);
    let before = home.join("out/standard+target-ignores-fences-1.repro.json");
    let text = check(home, &format!("shrink {}", before.display()), 0);
    assert!(text.starts_with("SHRUNK  standard+target-ignores-fences seed 1  "), "{text}");
    assert!(text.contains("VIOLATED applied-once"), "{text}");
    let told = text.lines().filter(|line| line.starts_with("  does ")).count();
    assert!(text.lines().all(|line| line.len() <= 80 || line.contains("replay")), "{text}");
    let after = home.join("out/standard+target-ignores-fences-1.min.repro.json");
    assert!(home.join("out/report.json").exists(), "what stands beside it stays");
    let (large, small) = (read(&before), read(&after));
    assert!(length(&large, "faults") >= 8 && length(&small, "faults") <= 2, "{}", small["plan"]["faults"]);
    assert!(length(&small, "orders") < length(&large, "orders"));
    assert_eq!(told, length(&small, "faults") + length(&small, "orders"), "{text}");
    assert_eq!(length(&small, "offsets"), 0, "no clock has to be off for this");
    assert!(small["events"].as_u64() < large["events"].as_u64());
    // Idle nodes go too; those that are left draw under the ids that they had.
    let nodes = |capsule: &serde_json::Value| {
        let count = |kind: &str| capsule["plan"]["topology"][kind].as_u64().expect("a number");
        [count("rotators"), count("agents"), count("replicas"), count("workloads")]
    };
    assert_eq!((nodes(&large), nodes(&small)), ([2, 2, 1, 4], [1, 1, 0, 1]), "{text}");
    assert_eq!(length(&small, "entities"), 6, "{}", small["plan"]["entities"]);
    for went in
        ["  went    faults: ", "  went    orders: ", "  went    nodes: rotator-2, agent-2, replica-1,"]
    {
        assert!(text.contains(went), "{went}: {text}");
    }
    // However many candidates run at once.
    for jobs in [1, 3] {
        let line = format!("shrink {} --jobs {jobs} --out jobs.repro.json", before.display());
        check(home, &line, 0);
        assert_eq!(read(&home.join("jobs.repro.json"))["plan"], small["plan"], "{jobs} jobs");
        std::fs::remove_file(home.join("jobs.repro.json")).expect("it was just written");
    }
    let again = check(home, &format!("replay {}", after.display()), 10);
    assert!(again.starts_with("REPRODUCED  "), "{again}");
    // What is smallest stays, and goes where it is told to.
    check(home, &format!("shrink {} --out twice.repro.json", after.display()), 0);
    let twice = read(&home.join("twice.repro.json"));
    assert_eq!(twice["plan"], small["plan"]);
    let names: Vec<_> =
        std::fs::read_dir(home).expect("a folder").flatten().map(|each| each.file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left over: {names:?}");
}

/// A link that loses a quarter becomes the one message that had to be lost.
#[test]
fn a_fault_of_links_becomes_the_messages_that_it_hit() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    let [agent, rotator] = ["bad-links+agent-renewer-dies", "bad-links+rotator-rejects-repetition"];
    for (name, expect, code) in [(agent, "lose-request", 10), (rotator, "hold", 11)] {
        check(home, &format!("run {name} --seeds 0..1 --recheck 0 --out out"), code);
        let text = check(home, &format!("shrink out/{name}-0.repro.json"), 0);
        let small = read(&home.join(format!("out/{name}-0.min.repro.json")));
        let actions = small["plan"]["faults"].to_string();
        assert!(actions.contains(expect) && !actions.contains("\"link\""), "{name}: {actions}");
        assert!(actions.contains("\"peer\""), "it is of one link: {actions}");
        assert!(length(&small, "faults") <= 3, "{text}");
        assert!(
            text.lines().any(|line| line.contains("narrow-link") && line.starts_with("  went")),
            "{text}"
        );
        check(home, &format!("replay out/{name}-0.min.repro.json"), code);
    }
}

#[test]
fn noting_what_links_did_changes_nothing() {
    use tumbler_world::{Options, run};
    let plan = tumbler_scenarios::scenario("bad-links").expect("shipped").scenario().plan(0);
    let [plain, noted] = [false, true]
        .map(|realize| run(&plan, &tumbler::roles::role, &Options { realize, ..Options::default() }));
    assert_eq!(plain.digest, noted.digest);
    assert!(plain.realized.is_empty() && noted.realized.len() >= 10, "{}", noted.realized.len());
}

/// A node less moves nobody else's draws: only who talked to it sees a difference.
#[test]
fn a_node_less_leaves_the_others_as_they_were() {
    use tumbler_types::{Event, Instant};
    use tumbler_world::{Options, run};
    let plan = tumbler_scenarios::scenario("quiet").expect("shipped").scenario().plan(1);
    let trace = |plan: &tumbler_plan::Plan| {
        run(plan, &tumbler::roles::role, &Options { keep_trace: true, ..Options::default() }).trace
    };
    let less =
        tumbler::shrink::node::without_one(&plan).into_iter().next().expect("it has several workloads");
    let forgetful = tumbler_plan::Plan { entities: Vec::new(), ..less.clone() };
    // A workload is gone, so that the operator behind it has another id, and still its own link.
    let operator = |plan: &tumbler_plan::Plan| plan.topology.by_name("operator-1").expect("there is one");
    assert_eq!(less.entity(operator(&less)), operator(&plan));
    assert_ne!(operator(&less), operator(&plan));
    let arrivals = |plan: &tumbler_plan::Plan| -> Vec<Instant> {
        let is_its =
            |event: Event| matches!(event, Event::CallArrived { from, .. } if from == operator(plan));
        trace(plan).iter().filter(|each| is_its(each.event)).map(|each| each.at).collect()
    };
    let was = arrivals(&plan);
    assert!(!was.is_empty());
    assert_eq!(arrivals(&less), was);
    assert_ne!(arrivals(&forgetful), was);
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "run standard+target-ignores-fences --seeds 1..2 --out out", 10);
    let file = home.join("out/standard+target-ignores-fences-1.repro.json");
    let mut capsule = read(&file);
    capsule["plan"]["planted"] = serde_json::Value::Null;
    std::fs::write(home.join("honest.repro.json"), capsule.to_string()).expect("a file");
    let text = check(home, "shrink honest.repro.json", 125);
    assert!(text.contains("plan") && text.contains("digest"), "{text}");
    check(home, "shrink missing.repro.json", 125);
    // What does not reproduce is 14 on the build that made it, and does not apply on another.
    let line = format!("shrink {} --blind applied-once", file.display());
    let text = check(home, &line, 14);
    assert!(text.contains("does not reproduce on its own build, violated/applied-once"), "{text}");
    let mut other = read(&file);
    other["build"]["digest"] = "0".repeat(64).into();
    std::fs::write(home.join("other.repro.json"), other.to_string()).expect("a file");
    let text = check(home, "shrink other.repro.json --blind applied-once", 125);
    assert!(text.contains("does not apply: this build does not show its failure"), "{text}");
    check(home, "shrink other.repro.json", 0);
    let text = check(home, "shrink", 2);
    assert!(text.contains("<CAPSULE>"), "{text}");
}

#[test]
fn a_run_shrinks_the_first_failure_of_each_fingerprint_if_asked() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    let text = check(home, "run standard+target-ignores-fences --seeds 1..2 --shrink --out out", 10);
    let replay = "out/standard+target-ignores-fences-1.min.repro.json";
    assert!(text.contains(replay), "{text}");
    let (large, small) =
        (read(&home.join("out/standard+target-ignores-fences-1.repro.json")), read(&home.join(replay)));
    assert!(length(&small, "faults") < length(&large, "faults"));
    check(home, &format!("replay {replay}"), 10);
    // The row is the seed's, whatever was made of it.
    let plain = check(home, "run standard+target-ignores-fences --seeds 1..2 --out plain", 10);
    assert!(!plain.contains(".min."), "{plain}");
    let rows = |folder: &str| std::fs::read_to_string(home.join(folder).join("results.csv")).expect("rows");
    assert_eq!(rows("out"), rows("plain"));
}

#[test]
fn a_plan_is_told_in_words() {
    use tumbler_plan::{Fault, FaultAction, Order, Pattern, Point, Trigger, Until};
    use tumbler_types::event::{FrameKind, OrderKind};
    use tumbler_types::{Build, FaultId, Instant, Phase, SecretId, Span};
    let mut plan = tumbler_scenarios::scenario("quiet").expect("shipped").scenario().plan(1);
    let node = |name: &str| plan.topology.by_name(name).expect("a node of quiet");
    let (agent, rotator, authority) = (node("agent-1"), node("rotator-1"), node("authority-1"));
    let second = |count: u64| Instant::ZERO.plus(Span::from_secs(count));
    let on = |point, node, nth| Trigger::On { pattern: Pattern::new(point, node), nth, after: second(10) };
    let entered = Point::Entered { secret: SecretId(0), phase: Phase::Idle };
    let past = Until::On { pattern: Pattern::new(entered, None), nth: 1, at_most: Span::from_secs(40) };
    let (short, none) = (Until::After(Span::from_millis(1_500)), None);
    let deeds = [
        (Trigger::At(second(12)), FaultAction::Crash { node: agent, until: short }),
        (
            Trigger::At(second(13)),
            FaultAction::Partition {
                left: vec![agent],
                right: vec![authority],
                symmetric: false,
                until: short,
            },
        ),
        (on(Point::Sending(FrameKind::ApplyRequest), Some(rotator), 2), FaultAction::Hold { until: past }),
        (
            on(Point::Sent(FrameKind::FillRequest), none, 1),
            FaultAction::Pause { node: rotator, until: short },
        ),
        (on(Point::Sending(FrameKind::QueryRequest), none, 1), FaultAction::LoseReply),
        (
            Trigger::At(second(14)),
            FaultAction::ClockStep { node: agent, offset_nanos: -200_000_000, until: short },
        ),
        (Trigger::At(second(15)), FaultAction::Redeploy { node: agent, build: Build::Older, until: short }),
    ];
    plan.orders = vec![Order { at: second(11), secret: SecretId(0), order: OrderKind::Rotate }];
    let fault = |(id, (trigger, action))| Fault { id: FaultId(id), trigger, action };
    plan.faults = (0..).zip(deeds).map(fault).collect();
    assert_eq!(
        tumbler_reports::schedule(&plan),
        [
            "11.000 s  order rotate of secret-0",
            "12.000 s  crash of agent-1 for 1.500 s",
            "13.000 s  partition of agent-1 to authority-1 for 1.500 s",
            "at the 2. time that rotator-1 is about to send apply-request, after 10.000 s:  hold of that until \
             secret-0 enters idle, 40.000 s at most",
            "when somebody has sent fill-request, after 10.000 s:  pause of rotator-1 for 1.500 s",
            "when somebody is about to send query-request, after 10.000 s:  lose-reply of that",
            "14.000 s  clock-step of agent-1 to -0.200 s off for 1.500 s",
            "15.000 s  redeploy of agent-1 as n-1 for 1.500 s",
        ]
    );
}
