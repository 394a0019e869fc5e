//! What each command's help ends with: examples, and what an exit code means there.
//!
//! Kept apart from the arguments, which are long enough.

pub const TOP: &str = "\
Examples:
  tumbler run                         every scenario of the suite `smoke`
  tumbler run standard --seeds 0..50  one scenario, fifty seeds
  tumbler replay target/tumbler/standard-17.repro.json

Exit codes: 0 pass, 2 usage, 4 nothing selected, 10 violated, 11 stalled, 12 diverged,
13 crashed, 14 nondeterministic, 15 inconclusive, 20 gate refused, 74 cannot write,
125 capsule does not apply, 130 interrupted.";
pub const RUN: &str = "\
Examples:
  tumbler run
  tumbler run standard zombie-rotator --seeds 0..200 --jobs 8
  tumbler run ./mine.toml --seeds 0..20 --out /tmp/mine
  tumbler run --baseline main.json    only findings that main.json has not fail
  tumbler run hostile-world --search coverage --seeds 0..2000
  tumbler run --rotator ./rotation    your own rotation function under random faults
  tumbler run planted                 are the planted bugs still caught?";
pub const REPLAY: &str = "\
Examples:
  tumbler replay target/tumbler/standard-17.repro.json
  tumbler replay standard --seed 17 --filter node=target-1 --filter secret=secret-0
  tumbler replay standard-17.repro.json --until 2400 --filter step=2300..2400
  git bisect run tumbler replay standard-17.repro.json --bisect
  tumbler replay rotation-postgres-4.repro.json --rotator ./rotation

A capsule of a rotation function knows its folder and each of its files; if they have changed, only the
failure can be the same.";
pub const GRID: &str = "\
Examples:
  tumbler grid standard
  tumbler grid ./mine.toml --seed 7 --out /tmp/mine
  tumbler grid --rotator ./rotation --engine mysql

--rotator takes a folder with lambda_function.py, unmodified, and strikes each of its outside calls.";
pub const SHRINK: &str = "\
Example:
  tumbler shrink target/tumbler/standard-7.repro.json

Faults, orders, builds and clock offsets that the failure does not need are left out, and what is left
is made weaker. A candidate counts only if verdict, invariant, role and phase stay the same.";
pub const EXPLAIN: &str = "\
Example:
  tumbler explain target/tumbler/standard-7.min.repro.json

A column for each node that took part, time downward, an arrow for each message, in the row of what
came of it; ◆ is the failure. Of what is alike, the first and the last two are shown; everything left
out is counted. `tumbler replay CAPSULE --filter` prints events whole.";
pub const TRACE: &str = "\
Examples:
  tumbler trace diff standard-7.repro.json standard-7.min.repro.json
  tumbler trace diff standard@7 standard+lying-fsync@7
  tumbler trace export standard-7.repro.json --format perfetto --out trace.json

Both sides of a diff run on this build, so two names of one run must be the same: 14 if they are not.
Runs of different plans may differ, and 0 says only that it is told where.";
pub const CHECK: &str = "\
Examples:
  tumbler check --bounds small --engine both       seconds
  tumbler check irreversible --bounds small
  tumbler check --bounds small --compile           every step of 4,911, as runs
  tumbler check --bounds small --flaw ignore-fence a broken sentence, and a run

A search that was cut is 15, and so are engines that differ; Ctrl-C tells what was explored.";
pub const GATE: &str = "\
Examples:
  tumbler gate target/tumbler/report.json --policy ci
  tumbler gate smoke/report.json planted/report.json --policy ./mine.toml --baseline main.json

A refusal exits with 20 and names each broken rule; a damaged report or policy with 2.";
pub const REPORT: &str = "\
Examples:
  tumbler report target/tumbler/report.json --format md >> summary.md
  tumbler report shard-*/report.json --format reached

`run` writes report.json, junit.xml and summary.md by itself. What shards reached adds up: states and
steps are sets, and reports of another model are refused.";
pub const LIST: &str = "\
Example:
  tumbler list scenarios";
pub const COMPLETIONS: &str = "\
Example:
  tumbler completions bash > ~/.local/share/bash-completion/completions/tumbler";
pub const MAN: &str = "\
Examples:
  tumbler man > tumbler.1
  tumbler man run | man -l -";
