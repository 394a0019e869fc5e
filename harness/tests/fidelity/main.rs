//! The honesty suite: the same cases against the simulated network and disk, and against real tokio
//! sockets and real files.
//!
//! Each side answers in the same few words, and the table says whether they agree, and if not why
//! that is right. `TUMBLER_BLESS=1 cargo test -p tumbler --test fidelity` writes it into
//! `sim/README.md`; without that word the test compares. Cuts need a network namespace: where none
//! can be made, the row's real side is *not compared*, and what stands in the README is kept.
//!
//! `cfg(madsim)` holds for the whole workspace and only changes crates that know it: the plain `tokio`
//! does not, so here its sockets are the kernel's. Nothing here runs inside a simulation but the runs.
//!
//! It deliberately times nothing but that an answer takes longer than a moment.

mod real;
mod simulated;
#[path = "../../../sim/world/tests/world/toy.rs"]
#[expect(dead_code, reason = "the world's own tests use the rest")]
mod toy;

/// What one side was seen to do; none: it could not be tried here.
type Seen = Option<&'static str>;

/// How the two sides relate, and why that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Agrees,
    /// What the simulation does is harder on the system than what real ones do.
    Stricter(&'static str),
    Differs(&'static str),
    /// No real side can be had on one machine.
    NotCompared(&'static str),
}

struct Case {
    name: &'static str,
    real: fn() -> Seen,
    simulated: fn() -> &'static str,
    relation: Relation,
}

use Relation::{Agrees, Differs, NotCompared, Stricter};

const CASES: &[Case] = &[
    Case {
        name: "connect across a cut",
        real: real::connect_across_a_cut,
        simulated: simulated::call_across_a_cut,
        relation: Agrees,
    },
    Case {
        name: "write into a cut",
        real: real::write_into_a_cut,
        simulated: simulated::send_into_a_cut,
        relation: Agrees,
    },
    Case {
        name: "connect where nobody listens",
        real: real::connect_to_nobody,
        simulated: simulated::call_a_node_that_is_down,
        relation: Stricter("a host that is down refuses nothing: the caller waits for its time-out"),
    },
    Case {
        name: "peer killed while a call waits",
        real: real::peer_killed,
        simulated: simulated::callee_crashes,
        relation: Stricter("a host that loses power sends no end of stream: the time-out alone tells"),
    },
    Case {
        name: "connection reset",
        real: real::connection_reset,
        simulated: simulated::reset,
        relation: Agrees,
    },
    Case {
        name: "half-close",
        real: real::half_close,
        simulated: simulated::one_way,
        relation: Differs(
            "frames have ends of their own, so no role closes a half: one-way cuts stand for it",
        ),
    },
    Case {
        name: "backlog full",
        real: real::backlog_full,
        simulated: simulated::queue_full,
        relation: Agrees,
    },
    Case {
        name: "partial read and write",
        real: real::partial,
        simulated: simulated::frames_are_whole,
        relation: Differs("a transport puts frames together before roles see them; what is cut off is lost"),
    },
    Case {
        name: "rename over a record",
        real: real::rename,
        simulated: simulated::record_replaced,
        relation: Agrees,
    },
    Case {
        name: "write cut off before its rename",
        real: real::cut_off,
        simulated: simulated::torn,
        relation: Agrees,
    },
    Case { name: "disk full", real: real::disk_full, simulated: simulated::disk_full, relation: Agrees },
    Case {
        name: "killed after fsync",
        real: real::killed_after_fsync,
        simulated: simulated::crash_after_write,
        relation: Agrees,
    },
    Case {
        name: "killed before fsync",
        real: real::killed_before_fsync,
        simulated: simulated::crash_before_write,
        relation: Stricter("every crash is a loss of power: the page cache goes too"),
    },
    Case {
        name: "order of unsynced writes in a power cut",
        real: || None,
        simulated: simulated::reordered,
        relation: NotCompared("it takes the machine's power"),
    },
];

#[test]
fn the_simulation_is_as_honest_as_its_readme_says() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/README.md");
    let readme = std::fs::read_to_string(&path).expect("the README is there");
    let (head, rest) = readme.split_once(BEGIN).expect("the table's beginning is marked");
    let (kept, tail) = rest.split_once(END).expect("the table's end is marked");
    let mut table = String::from("| case | real | simulated | |\n|---|---|---|---|\n");
    for Case { name, real, simulated, relation } in CASES {
        let (real, simulated) = (real(), simulated());
        let row = |real: &str| {
            let verdict = match relation {
                Agrees => "agrees".to_owned(),
                Stricter(why) => format!("stricter: {why}"),
                Differs(why) => format!("differs: {why}"),
                NotCompared(why) => format!("not compared: {why}"),
            };
            format!("| {name} | {real} | {simulated} | {verdict} |\n")
        };
        match real {
            Some(real) => {
                assert_eq!(*relation == Agrees, real == simulated, "{name}: {real} | {simulated}");
                table.push_str(&row(real));
            }
            // What was seen where it could be tried stays in the table.
            None => {
                let begin = format!("| {name} |");
                let row = kept.lines().find(|line| line.starts_with(&begin)).map(|line| format!("{line}\n"));
                println!("{name}: real side not compared here");
                table.push_str(&row.unwrap_or_else(|| row_without(name, simulated, *relation)));
            }
        }
    }
    println!("{table}");
    let meant = format!("{head}{BEGIN}\n{table}{END}{tail}");
    if std::env::var_os("TUMBLER_BLESS").is_some() {
        std::fs::write(&path, &meant).expect("the README can be written");
        return;
    }
    assert_eq!(readme, meant, "run it with TUMBLER_BLESS=1, and read what has changed");
}

fn row_without(name: &str, simulated: &str, relation: Relation) -> String {
    let why = match relation {
        NotCompared(why) | Stricter(why) | Differs(why) => why,
        Agrees => "no network namespace",
    };
    format!("| {name} | - | {simulated} | not compared: {why} |\n")
}

/// Runs what needs a network of its own, when the suite calls this program again in one.
#[test]
fn in_a_network_of_its_own() {
    if let Some(case) = std::env::var_os(real::INSIDE) {
        real::inside(&case.to_string_lossy());
    }
}

const BEGIN: &str = "<!-- fidelity -->";
const END: &str = "<!-- /fidelity -->";
