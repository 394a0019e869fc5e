//! What only whole processes show: jobs, memory, the time of a shrink and of a replay.

use crate::{fastest, line};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tumbler");
/// A failing seed with a plan of ten faults.
const FAILING: &str = "standard+target-ignores-fences";

pub fn outside() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        for (spans, jobs) in [(&mut one, "1"), (&mut two, "2")] {
            spans.push(timed(
                home,
                &["run", "standard", "--seeds", "0..300", "--recheck", "0", "--jobs", jobs],
            ));
        }
    }
    let ratio = fastest(&one).as_secs_f64() / fastest(&two).as_secs_f64();
    line("two jobs against one", &format!("{ratio:.2}"), "1.8", Some(ratio / 1.8));
    let [few, many] = ["0..100", "0..1500"]
        .map(|seeds| memory(home, &["run", "standard", "--seeds", seeds, "--jobs", "1"]));
    let run = few.1.max(many.1);
    line("memory of a worker, MiB", &format!("{run:.0}"), "64", Some(64.0 / run));
    let sweep = format!("{:.0} after 100 seeds, {:.0} after 1,500", few.0, many.0);
    line("memory of a sweep beside its workers, MiB", &sweep, "does not grow", Some(few.0 / many.0));
    let line_of = |seeds: &str| -> Vec<String> {
        ["run", FAILING, "--seeds", seeds, "--recheck", "0", "--out", "out"].map(str::to_owned).into()
    };
    timed(home, &line_of("1..7").iter().map(String::as_str).collect::<Vec<_>>());
    let capsule = format!("out/{FAILING}-1.repro.json");
    let times = |what: &str| fastest(&(0..7).map(|_| timed(home, &[what, &capsule])).collect::<Vec<_>>());
    let (shrunk, replayed) = (times("shrink").as_secs_f64(), times("replay").as_secs_f64());
    line("a shrink, s", &format!("{shrunk:.2}"), "30", Some(30.0 / shrunk));
    line("a replay, s", &format!("{replayed:.2}"), "1", Some(1.0 / replayed));
}

fn start(home: &Path, arguments: &[&str]) -> Child {
    Command::new(PROGRAM)
        .args(arguments)
        .current_dir(home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

fn timed(home: &Path, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    start(home, arguments).wait().expect("the program ends");
    begun.elapsed()
}

/// The most memory that the program had, and that the largest of its workers had, in MiB.
fn memory(home: &Path, arguments: &[&str]) -> (f64, f64) {
    let mut child = start(home, arguments);
    let id = child.id();
    let (mut own, mut worker) = (0.0_f64, 0.0_f64);
    while child.try_wait().expect("its own child").is_none() {
        own = own.max(peak(id));
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|word| word.parse().ok()) {
            worker = worker.max(peak(child));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    (own, worker)
}

/// The largest resident set of a process so far, in MiB; nothing where the system does not say.
fn peak(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
