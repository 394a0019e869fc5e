//! The Never rules as clippy bans: one table here, one complete `.clippy.toml` in each crate.
//!
//! The nearest `clippy.toml` shadows all others and never merges, so each crate's file holds all of
//! its bans; this test compares each with the table, and writes them when `TUMBLER_BLESS=1` is set:
//! `TUMBLER_BLESS=1 cargo test -p tumbler --test house bans`. A misspelt path only makes clippy
//! warn ("does not refer to"), which `.ci/run` turns into a failure.

use crate::{files, root};
use std::collections::BTreeSet;

/// A reason and everything that it bans.
struct Ban {
    why: &'static str,
    methods: &'static [&'static str],
    types: &'static [&'static str],
    macros: &'static [&'static str],
}

/// Each crate's folder, and its bans.
const CRATES: &[(&str, &[&Ban])] = &[
    ("sim/types", CORE),
    ("sim/wire", CORE),
    ("sim/rotation", CORE),
    ("sim/environment", CORE),
    ("model/spec", CORE),
    ("sim/plan", PURE),
    ("sim/foreign", PURE),
    // Spawns the fresh thread of a run, with an `expect` that says so.
    ("sim/world", WORLD),
    ("scenarios", PURE),
    ("reports", PURE),
    // Its engines may use threads and a clock for their own limits; its visited set is never iterated.
    ("model/checker", &[&ENVIRONMENT, &FILES, &NETWORK, &PROCESSES, &PRINTING]),
    // Asks the machine for everything, and still must not let hash order reach a report.
    ("harness", &[&UNORDERED]),
];

/// Nothing of the machine, and no waiting for anybody.
const CORE: &[&Ban] =
    &[&CLOCKS, &THREADS, &ENVIRONMENT, &FILES, &NETWORK, &PROCESSES, &PRINTING, &UNORDERED, &LOCKS];

/// Nothing of the machine.
const PURE: &[&Ban] = &[&CLOCKS, &THREADS, &ENVIRONMENT, &FILES, &NETWORK, &PROCESSES, &PRINTING, &UNORDERED];

/// Nothing of the machine, and nothing drawn from the sandbox: its seed must not matter.
const WORLD: &[&Ban] =
    &[&CLOCKS, &THREADS, &ENVIRONMENT, &FILES, &NETWORK, &PROCESSES, &PRINTING, &UNORDERED, &SANDBOX];

const CLOCKS: Ban = Ban {
    why: "time is told, never asked",
    methods: &["std::time::Instant::now", "std::time::SystemTime::now", "std::thread::sleep"],
    types: &["std::time::Instant", "std::time::SystemTime"],
    macros: &[],
};

const THREADS: Ban = Ban {
    why: "a run is one thread, or its order is the machine's",
    methods: &[
        "std::thread::spawn",
        "std::thread::scope",
        "std::thread::current",
        "std::thread::park",
        "std::thread::yield_now",
        "std::thread::available_parallelism",
        "std::thread::Builder::spawn",
        "std::thread::Builder::spawn_scoped",
    ],
    types: &[],
    macros: &[],
};

const LOCKS: Ban = Ban {
    why: "a state machine waits for nobody and shares nothing",
    methods: &[],
    types: &[
        "std::sync::Mutex",
        "std::sync::RwLock",
        "std::sync::Condvar",
        "std::sync::mpsc::Sender",
        "std::sync::mpsc::Receiver",
    ],
    macros: &["std::thread_local"],
};

const ENVIRONMENT: Ban = Ban {
    why: "only the harness reads arguments and environment",
    methods: &[
        "std::env::var",
        "std::env::var_os",
        "std::env::vars",
        "std::env::vars_os",
        "std::env::args",
        "std::env::args_os",
        "std::env::current_dir",
        "std::env::current_exe",
        "std::env::temp_dir",
    ],
    types: &[],
    macros: &[],
};

const FILES: Ban = Ban {
    why: "only the harness touches files",
    methods: &[
        "std::fs::canonicalize",
        "std::fs::copy",
        "std::fs::create_dir",
        "std::fs::create_dir_all",
        "std::fs::exists",
        "std::fs::hard_link",
        "std::fs::metadata",
        "std::fs::read",
        "std::fs::read_dir",
        "std::fs::read_link",
        "std::fs::read_to_string",
        "std::fs::remove_dir",
        "std::fs::remove_dir_all",
        "std::fs::remove_file",
        "std::fs::rename",
        "std::fs::set_permissions",
        "std::fs::symlink_metadata",
        "std::fs::write",
        "std::path::Path::canonicalize",
        "std::path::Path::exists",
        "std::path::Path::is_dir",
        "std::path::Path::is_file",
        "std::path::Path::metadata",
        "std::path::Path::read_dir",
        "std::path::Path::try_exists",
    ],
    types: &["std::fs::DirBuilder", "std::fs::File", "std::fs::OpenOptions"],
    macros: &[],
};

const NETWORK: Ban = Ban {
    why: "only the harness touches the network",
    methods: &["std::net::ToSocketAddrs::to_socket_addrs"],
    types: &["std::net::TcpListener", "std::net::TcpStream", "std::net::UdpSocket"],
    macros: &[],
};

const PROCESSES: Ban = Ban {
    why: "only the harness starts or ends processes",
    methods: &["std::process::abort", "std::process::exit", "std::process::id"],
    types: &["std::process::Command"],
    macros: &[],
};

const PRINTING: Ban = Ban {
    why: "only the harness prints",
    methods: &["std::io::stderr", "std::io::stdin", "std::io::stdout"],
    types: &[],
    macros: &["std::eprint", "std::eprintln", "std::print", "std::println"],
};

const SANDBOX: Ban = Ban {
    why: "draw from a named stream; the sandbox's seed must not matter",
    methods: &["madsim::rand::random", "madsim::rand::thread_rng"],
    types: &[],
    macros: &[],
};

const UNORDERED: Ban = Ban {
    why: "hash order differs between runs; iterate over ordered collections",
    methods: &[],
    types: &["std::collections::HashMap", "std::collections::HashSet", "std::hash::RandomState"],
    macros: &[],
};

#[test]
fn every_crate_has_the_bans_of_the_table_and_no_other_file_shadows_them() {
    let mut present: BTreeSet<String> = BTreeSet::new();
    for file in files() {
        if file.ends_with("clippy.toml") {
            present.insert(file);
        }
    }
    let bless = std::env::var_os("TUMBLER_BLESS").is_some();
    let mut expected = BTreeSet::new();
    for (folder, bans) in CRATES {
        let file = format!("{folder}/.clippy.toml");
        let text = render(bans);
        if bless {
            std::fs::write(root().join(&file), &text).expect("the repository can be written");
            present.insert(file.clone());
        }
        let found = std::fs::read_to_string(root().join(&file)).unwrap_or_default();
        assert_eq!(found, text, "{file} is what the table gives; TUMBLER_BLESS=1 writes it");
        expected.insert(file);
    }
    assert_eq!(present, expected, "one file in each crate and none beside");
}

#[test]
fn every_crate_of_the_workspace_stands_in_the_table() {
    let folders: BTreeSet<String> =
        files().iter().filter_map(|file| file.strip_suffix("/Cargo.toml").map(str::to_owned)).collect();
    assert_eq!(folders, CRATES.iter().map(|(folder, _)| (*folder).to_owned()).collect());
}

/// One of a ban's lists.
type List = fn(&Ban) -> &'static [&'static str];

/// The file of a crate with these bans.
fn render(bans: &[&Ban]) -> String {
    let mut text = String::from(HEADER);
    let lists: [(&str, List); 3] = [
        ("disallowed-methods", |ban| ban.methods),
        ("disallowed-types", |ban| ban.types),
        ("disallowed-macros", |ban| ban.macros),
    ];
    for (key, paths) in lists {
        text.push_str(&format!("\n{key} = [\n"));
        for ban in bans {
            for path in paths(ban) {
                text.push_str(&format!("    {{ path = \"{path}\", reason = \"{}\" }},\n", ban.why));
            }
        }
        text.push_str("]\n");
    }
    text
}

const HEADER: &str = "\
# Written from the table in harness/tests/house/bans.rs; a test compares them.
# The nearest clippy.toml shadows all others, so this one is complete.
";
