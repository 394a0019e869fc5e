//! The grid: every external call and durable write of a rotation against every single strike.
//!
//! A row of the matrix is what one role does in one phase; its occurrences were all run, and a cell
//! shows the worst of them and how many came to that. `grid.csv` has a row for each single run.
//!
//! It deliberately decides no verdict: each cell brings its own, and the title's is given.
//!
//! Source: the exhaustive crash points of ALICE (Pillai and others, OSDI 2014), at the boundaries of
//! roles and not of system calls.

use crate::escape::field;
use crate::number::{count, grouped};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use tumbler_plan::Digest;
use tumbler_types::{Invariant, Phase, RoleKind, Verdict};

/// One run: one occurrence and one strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub stage: Stage,
    pub role: RoleKind,
    pub caller: String,
    /// The request's name, `persist` or `propose`.
    pub frame: &'static str,
    pub nth: u32,
    pub strike: Strike,
    /// Inconclusive if the strike never came about.
    pub verdict: Verdict,
    pub invariant: Option<Invariant>,
    /// More calls than in the undisturbed run, polls and heartbeats left out.
    pub retried: bool,
    pub digest: Option<Digest>,
}

/// Where a rotation stands, from the order on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The operator's order is on its way.
    Ordered,
    /// No rotation is open, and one is wanted.
    Due,
    Open(Phase),
    /// No rotation is open, and a revoked version is not yet known to be refused.
    Owed,
}

/// What is done to an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strike {
    RequestLost,
    ReplyLost,
    CrashedBefore,
    AppliedThenCrashed,
    Held,
    Doubled,
}

/// All cells of one seed, and what the harness knows besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    pub scenario: String,
    pub seed: u64,
    /// The worst cell's.
    pub verdict: Verdict,
    pub cells: Vec<Cell>,
    /// Polls and heartbeats that were not tried, and how many of each stay were.
    pub skipped: u64,
    pub alike_max: u32,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
}

impl Stage {
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Ordered => "ordered",
            Stage::Due => "due",
            Stage::Open(phase) => phase.name(),
            Stage::Owed => "owed",
        }
    }
}

impl Strike {
    pub const ALL: [Strike; 6] = [
        Strike::RequestLost,
        Strike::ReplyLost,
        Strike::CrashedBefore,
        Strike::AppliedThenCrashed,
        Strike::Held,
        Strike::Doubled,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Strike::RequestLost => "request-lost",
            Strike::ReplyLost => "reply-lost",
            Strike::CrashedBefore => "crashed-before",
            Strike::AppliedThenCrashed => "applied-then-crashed",
            Strike::Held => "held",
            Strike::Doubled => "doubled",
        }
    }

    /// The column's head, in two lines.
    const fn head(self) -> [&'static str; 2] {
        match self {
            Strike::RequestLost => ["request", "lost"],
            Strike::ReplyLost => ["reply", "lost"],
            Strike::CrashedBefore => ["crashed", "before"],
            Strike::AppliedThenCrashed => ["applied,", "crashed"],
            Strike::Held => ["held", "past"],
            Strike::Doubled => ["doubled", ""],
        }
    }
}

impl Cell {
    pub const COLUMNS: [&'static str; 10] =
        ["caller", "frame", "phase", "nth", "fault", "verdict", "invariant", "seed", "digest", "outcome"];

    /// The cell in one word.
    pub fn outcome(&self) -> &'static str {
        match self.verdict {
            Verdict::Pass if self.retried => "retried",
            Verdict::Pass => "fine",
            verdict => verdict.name(),
        }
    }

    fn fields(&self, seed: u64) -> [String; 10] {
        let Cell { stage, role: _, caller, frame, nth, strike, verdict, invariant, retried: _, digest } =
            self;
        [
            field(caller.clone()),
            (*frame).to_owned(),
            stage.name().to_owned(),
            nth.to_string(),
            strike.name().to_owned(),
            verdict.name().to_owned(),
            invariant.map_or(String::new(), |invariant| invariant.id().to_owned()),
            seed.to_string(),
            digest.map_or(String::new(), |digest| digest.to_string()),
            self.outcome().to_owned(),
        ]
    }

    fn rank(&self) -> (u8, bool, Option<Invariant>) {
        (self.verdict.severity(), self.retried, self.invariant)
    }
}

impl Grid {
    /// Writes `grid.csv`.
    pub fn write_rows(&self, out: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(Cell::COLUMNS)?;
        for cell in &self.cells {
            writer.write_record(cell.fields(self.seed))?;
        }
        writer.flush()
    }

    /// The first line.
    pub fn title(&self) -> String {
        let word = match self.verdict {
            Verdict::Pass => "PASS".to_owned(),
            Verdict::Inconclusive => "INCONCLUSIVE".to_owned(),
            verdict => format!("FAIL {}", verdict.name()),
        };
        format!(
            "{word}  grid of {} seed {}  {}  {}.{} s",
            self.scenario,
            self.seed,
            count(self.cells.len() as u64, "cell"),
            self.elapsed_ms / 1_000,
            self.elapsed_ms / 100 % 10
        )
    }

    /// The title, the matrix and its legend.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.title());
        let marks = Marks::new(&self.cells);
        let mut rows: BTreeMap<(Stage, RoleKind, &str), Vec<&Cell>> = BTreeMap::new();
        for cell in &self.cells {
            rows.entry((cell.stage, cell.role, cell.frame)).or_default().push(cell);
        }
        for line in 0..2 {
            let begins = if line == 0 { "" } else { "n" };
            put(
                &mut out,
                &format!("{begins:>LABEL$}"),
                Strike::ALL.map(|strike| strike.head()[line].to_owned()),
            );
        }
        let mut stage = None;
        for ((at, role, frame), cells) in rows {
            if stage.replace(at) != Some(at) {
                writeln!(out, "{}", at.name()).expect("memory");
            }
            let occurrences: BTreeSet<(&str, u32)> =
                cells.iter().map(|cell| (cell.caller.as_str(), cell.nth)).collect();
            let deed = format!("  {} {}", role.name(), frame.trim_end_matches("-request"));
            let label = format!("{deed:<NAME$}{:>COUNT$}", occurrences.len());
            put(&mut out, &label, Strike::ALL.map(|strike| marks.shown(&cells, strike)));
        }
        self.legend(&mut out, &marks);
        out
    }

    fn legend(&self, out: &mut String, marks: &Marks) {
        let mut line = |text: &str| writeln!(out, "{text}").expect("memory");
        line("  n: occurrences, each run with each strike; cells show the worst, and how many");
        line("  retry: passed, with more calls than undisturbed, polls left out   -: no such");
        line("  lost persist: fails and says so   held: until the rotation closed");
        if self.cells.is_empty() {
            line("  nothing to strike: no rotation was ordered or became due");
        }
        for ((verdict, invariant), mark) in &marks.0 {
            let named = invariant.map_or(String::new(), |invariant| format!(" {}", invariant.id()));
            let cells =
                self.cells.iter().filter(|cell| (cell.verdict, cell.invariant) == (*verdict, *invariant));
            let cells = count(cells.count() as u64, "cell");
            let why = if *verdict == Verdict::Inconclusive { ", the strike never came about" } else { "" };
            line(&format!("  {mark}: {}{named}{why} ({cells})", verdict.name()));
        }
        if self.skipped > 0 {
            let (skipped, first) = (grouped(self.skipped), self.alike_max);
            line(&format!(
                "  not run: {skipped} polls and heartbeats after a node's first {first} in a phase"
            ));
        }
    }
}

/// Short marks of what is not a pass.
struct Marks(BTreeMap<(Verdict, Option<Invariant>), String>);

impl Marks {
    /// Initials, with a number if two would look alike.
    fn new(cells: &[Cell]) -> Marks {
        let mut marks: BTreeMap<(Verdict, Option<Invariant>), String> = BTreeMap::new();
        let failed = cells.iter().filter(|cell| cell.verdict != Verdict::Pass);
        for kind in failed.map(|cell| (cell.verdict, cell.invariant)).collect::<BTreeSet<_>>() {
            let words = match kind {
                (Verdict::Violated, Some(invariant)) => initials(invariant.id()),
                (Verdict::Inconclusive, _) => "void".to_owned(),
                (verdict, _) => verdict.name().chars().take(MARK_MAX).collect::<String>().to_uppercase(),
            };
            let alike =
                marks.values().filter(|mark| mark.trim_end_matches(char::is_numeric) == words).count();
            let mark = if alike == 0 { words } else { format!("{words}{}", alike + 1) };
            marks.insert(kind, mark);
        }
        Marks(marks)
    }

    /// The worst of the row's cells in this column.
    fn shown(&self, cells: &[&Cell], strike: Strike) -> String {
        let column = || cells.iter().filter(|cell| cell.strike == strike);
        let Some(worst) = column().max_by_key(|cell| cell.rank()) else { return "-".to_owned() };
        let alike = column().filter(|cell| cell.rank() == worst.rank()).count();
        let word = match self.0.get(&(worst.verdict, worst.invariant)) {
            Some(mark) => mark,
            None if worst.retried => "retry",
            None => "fine",
        };
        format!("{word} {alike}")
    }
}

fn initials(id: &str) -> String {
    id.split('-').filter_map(|word| word.chars().next()).collect::<String>().to_uppercase()
}

fn put(out: &mut String, label: &str, columns: [String; 6]) {
    let cells: String = columns.iter().map(|column| format!("{column:>COLUMN$}")).collect();
    writeln!(out, "{}", format!("{label}{cells}").trim_end()).expect("memory");
}

/// Widths: 20 + 4 for the label, six columns of 9.
const NAME: usize = 20;
const COUNT: usize = 4;
const LABEL: usize = NAME + COUNT;
const COLUMN: usize = 9;
const MARK_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(stage: Stage, role: RoleKind, frame: &'static str, nth: u32, strike: Strike) -> Cell {
        Cell {
            stage,
            role,
            caller: format!("{}-1", role.name()),
            frame,
            nth,
            strike,
            verdict: Verdict::Pass,
            invariant: None,
            retried: strike != Strike::Doubled,
            digest: None,
        }
    }

    fn grid() -> Grid {
        let draft = Stage::Open(Phase::Draft);
        let mut cells = Vec::new();
        for nth in 1..=12 {
            let apply = |strike| cell(draft, RoleKind::Rotator, "apply-request", nth, strike);
            cells.extend(Strike::ALL.map(apply));
        }
        for strike in [Strike::CrashedBefore, Strike::AppliedThenCrashed] {
            cells.push(cell(draft, RoleKind::Authority, "propose", 1, strike));
        }
        cells.push(cell(Stage::Ordered, RoleKind::Operator, "order-request", 1, Strike::Doubled));
        cells.push(cell(Stage::Owed, RoleKind::Agent, "heartbeat-request", 2, Strike::Held));
        let broken = [
            (4, Verdict::Violated, Some(Invariant::AppliedOnce)),
            (10, Verdict::Violated, Some(Invariant::AppliedOnce)),
            (2, Verdict::Stalled, Some(Invariant::Converges)),
            (75, Verdict::Inconclusive, None),
        ];
        for (index, verdict, invariant) in broken {
            (cells[index].verdict, cells[index].invariant) = (verdict, invariant);
        }
        Grid {
            scenario: "standard".to_owned(),
            seed: 7,
            verdict: Verdict::Violated,
            cells,
            skipped: 1_200,
            alike_max: 3,
            elapsed_ms: 4_321,
        }
    }

    #[test]
    fn a_matrix_shows_the_worst_of_each_cell_and_fits_a_terminal() {
        let text = grid().text();
        assert_eq!(text, MATRIX);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    const MATRIX: &str = "\
FAIL violated  grid of standard seed 7  76 cells  4.3 s
                          request    reply  crashed applied,     held  doubled
                       n     lost     lost   before  crashed     past
ordered
  operator order       1        -        -        -        -        -   fine 1
draft
  authority propose    1        -        -  retry 1  retry 1        -        -
  rotator apply       12 retry 12 retry 12  STALL 1 retry 12     AO 2  fine 12
owed
  agent heartbeat      1        -        -        -        -   void 1        -
  n: occurrences, each run with each strike; cells show the worst, and how many
  retry: passed, with more calls than undisturbed, polls left out   -: no such
  lost persist: fails and says so   held: until the rotation closed
  AO: violated applied-once (2 cells)
  STALL: stalled converges (1 cell)
  void: inconclusive, the strike never came about (1 cell)
  not run: 1,200 polls and heartbeats after a node's first 3 in a phase
";

    #[test]
    fn rows_name_each_run() {
        let mut bytes = Vec::new();
        grid().write_rows(&mut bytes).expect("memory");
        let text = String::from_utf8(bytes).expect("utf-8");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + grid().cells.len());
        assert_eq!(lines[0], "caller,frame,phase,nth,fault,verdict,invariant,seed,digest,outcome");
        assert_eq!(lines[1], "rotator-1,apply-request,draft,1,request-lost,pass,,7,,retried");
        assert_eq!(lines[5], "rotator-1,apply-request,draft,1,held,violated,applied-once,7,,violated");
        assert_eq!(lines[6], "rotator-1,apply-request,draft,1,doubled,pass,,7,,fine");
    }
}
