//! Spin beside the two engines, over the same steps: `cargo run --release -p tumbler --example spin`.
//!
//! Spin gets the machine as a process whose state is the packed one, and whose steps are the machine's own
//! (`model/checker/examples/steps.rs`, linked into Spin's verifier). So what is compared is how engines store, look up and come
//! back; and what agrees is how many states and steps there are, counted by a program that knows nothing of
//! this one. Times are told beside each other only where the counts agree. Needs `spin` (a Debian package)
//! and a C compiler.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;
use tumbler_checker::{CheckBounds, CheckReport, Limit, check, check_graph};
use tumbler_spec::machine::Machine;

fn main() -> ExitCode {
    if Command::new("spin").arg("-V").output().is_err() {
        println!("skipped: needs spin (Debian: apt install spin)");
        return ExitCode::SUCCESS;
    }
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(15),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(1)
        }
    }
}

/// Whether all counts agree.
fn compare() -> Result<bool, String> {
    let steps = steps()?;
    let scratch = std::env::temp_dir().join(format!("tumbler-spin-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(|why| format!("{}: {why}", scratch.display()))?;
    let mut all_agree = true;
    for (code, name, bounds) in [(1, "small", CheckBounds::small()), (2, "medium", CheckBounds::medium())] {
        let limit = Limit { bytes: 8 << 30, stop_at: None, stop: None };
        let graph = check_graph(&bounds, limit);
        let stateright = check(&bounds, 1, None);
        println!("{name}: {} states, {} edges", graph.states, graph.edges);
        let own = seconds(&graph);
        line("graph", own, graph.states, own);
        line("Stateright", seconds(&stateright), stateright.states, own);
        for (order, flags) in [("breadth first", &["-DBFS"] as &[_]), ("depth first", &[])] {
            let found = spin(&scratch, &steps, code, bounds, flags)?;
            if (found.states, found.edges) == (graph.states, graph.edges) {
                line(&format!("Spin, {order}"), found.seconds, found.states, own);
            } else {
                all_agree = false;
                println!("  Spin, {order}: {} states, {} edges: not compared", found.states, found.edges);
            }
        }
    }
    std::fs::remove_dir_all(&scratch).map_err(|why| format!("{}: {why}", scratch.display()))?;
    Ok(all_agree)
}

fn seconds(report: &CheckReport) -> f64 {
    report.elapsed.as_secs_f64()
}

fn line(engine: &str, seconds: f64, states: u64, own: f64) {
    #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
    let rate = states as f64 / seconds / 1e6;
    println!(
        "  {engine:<20} {seconds:>7.2} s  {rate:.2} M states/s  {:.2} of the graph's time",
        seconds / own
    );
}

/// The archive with the machine's steps, built anew.
fn steps() -> Result<PathBuf, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let line = ["build", "--release", "--quiet", "--package", "tumbler-checker", "--example", "steps"];
    run(Command::new(cargo).args(line))?;
    let own = std::env::current_exe().map_err(|why| why.to_string())?;
    Ok(own.with_file_name("libsteps.a"))
}

struct Found {
    states: u64,
    edges: u64,
    seconds: f64,
}

fn spin(
    scratch: &Path,
    steps: &Path,
    code: u32,
    bounds: CheckBounds,
    flags: &[&str],
) -> Result<Found, String> {
    for (name, text) in [("machine.pml", promela(bounds)), ("glue.h", glue(code))] {
        let path = scratch.join(name);
        std::fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    run(Command::new("spin").current_dir(scratch).args(["-a", "machine.pml"]))?;
    // Exact: whole states are stored, no order of steps is left out.
    let exact = ["-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"];
    let libraries = ["-lpthread", "-ldl", "-lm"];
    run(Command::new("cc").current_dir(scratch).args(exact).args(flags).arg(steps).args(libraries))?;
    let begun = Instant::now();
    // No complaint about states without steps; room for a deep search.
    let text = run(Command::new("./pan").current_dir(scratch).args(["-E", "-m10000000", "-w24"]))?;
    let seconds = begun.elapsed().as_secs_f64();
    let number = |what: &str| {
        let line = text.lines().find(|line| line.contains(what));
        let word = line.and_then(|line| line.split_whitespace().next());
        word.and_then(|word| word.parse::<u64>().ok()).ok_or_else(|| format!("no `{what}` in\n{text}"))
    };
    // Spin counts the initial state as a step to it.
    Ok(Found { states: number("states, stored")?, edges: number("transitions (=")? - 1, seconds })
}

/// One process with four words of state, and as many alternatives as a state may have steps.
fn promela(bounds: CheckBounds) -> String {
    let machine = Machine::new(bounds);
    let mut text = "c_decl {\n\\#include \"glue.h\"\n}\n".to_owned();
    let mut put = |line: &str| writeln!(text, "{line}").expect("memory");
    for (name, word) in ["a", "b", "c", "d"].into_iter().zip(machine.pack(machine.initial()).words()) {
        put(&format!("c_state \"unsigned long {name}\" \"Global\" \"{word}ul\""));
    }
    put("active proctype search() {\n  do");
    for step in 0..STEPS {
        put(&format!("  :: d_step {{ c_expr {{ {step} < STEPS }} -> c_code {{ TAKE({step}) }} }}"));
    }
    put("  od\n}");
    text
}

/// C between Spin's verifier and the machine. By macros, because Spin takes a call for a side effect.
fn glue(code: u32) -> String {
    format!(
        "#include <stdint.h>
struct words {{ uint64_t a, b, c, d; }};
extern uint32_t tumbler_expand(uint32_t, struct words);
extern struct words tumbler_take(uint32_t);
#define HERE (struct words){{now.a, now.b, now.c, now.d}}
#define STEPS tumbler_expand({code}, HERE)
#define TAKE(step) struct words to; STEPS; to = tumbler_take(step); \\
  now.a = to.a; now.b = to.b; now.c = to.c; now.d = to.d;
"
    )
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = format!("{command:?}");
    let output = command.output().map_err(|why| format!("{name}: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{name}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// More than any state has steps; `spin`'s counts would not agree otherwise.
const STEPS: u32 = 40;
