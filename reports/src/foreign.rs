//! The matrix of a foreign rotator: each of its calls against each single strike.
//!
//! A row is a call, in the order in which the undisturbed run made it; a cell is the outcome of one
//! run. `grid.csv` has a row for each cell.
//!
//! It deliberately decides no outcome: each cell brings its mark, and the title's verdict is given.

use crate::escape::field;
use crate::number::count;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use tumbler_plan::Digest;
use tumbler_types::{Invariant, Verdict};

/// The matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    pub rotator: String,
    pub engine: String,
    /// The worst cell's, of those that no baseline holds.
    pub verdict: Verdict,
    /// Calls of an undisturbed rotation.
    pub calls: u64,
    /// Heads of the columns, each in two lines, in order.
    pub columns: Vec<[&'static str; 2]>,
    pub cells: Vec<Cell>,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub rotation: u32,
    pub step: &'static str,
    pub call: u32,
    pub title: String,
    /// File and line in the function.
    pub at: Option<String>,
    pub strike: &'static str,
    pub column: usize,
    /// At most four characters.
    pub mark: String,
    pub outcome: &'static str,
    pub verdict: Verdict,
    pub invariant: Option<Invariant>,
    pub seed: u64,
    /// Stands in a baseline: it fails nothing.
    pub is_known: bool,
    pub digest: Digest,
}

impl Matrix {
    /// Writes `grid.csv`, in the columns of every grid.
    pub fn write_rows(&self, out: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(crate::grid::Cell::COLUMNS)?;
        for cell in &self.cells {
            let caller = format!("{} {}", self.rotator, cell.at.as_deref().unwrap_or_default());
            writer.write_record([
                field(caller.trim().to_owned()),
                field(cell.title.clone()),
                format!("{} {}", cell.step, cell.rotation),
                cell.call.to_string(),
                cell.strike.to_owned(),
                cell.verdict.name().to_owned(),
                cell.invariant.map_or(String::new(), |invariant| invariant.id().to_owned()),
                cell.seed.to_string(),
                cell.digest.to_string(),
                cell.outcome.to_owned(),
            ])?;
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
            "{word}  grid of {} on {}  {}  {}  {}.{} s",
            self.rotator,
            self.engine,
            count(self.calls, "call"),
            count(self.cells.len() as u64, "cell"),
            self.elapsed_ms / 1_000,
            self.elapsed_ms / 100 % 10
        )
    }

    /// Of each column: its head and its marks fit, with a space before them.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> =
            self.columns.iter().map(|head| 1 + head[0].len().max(head[1].len())).collect();
        for cell in &self.cells {
            let width = &mut widths[cell.column];
            *width = (*width).max(1 + cell.mark.chars().count());
        }
        widths
    }

    /// The title, the matrix and its legend.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.title());
        let mut put = |line: &str| writeln!(out, "{}", line.trim_end()).expect("memory");
        let widths = self.widths();
        // What the columns leave of a line, less the call's number and the spaces around it.
        let title_width = (LINE - 5).saturating_sub(widths.iter().sum()).clamp(TITLE_MIN, TITLE_MAX);
        for line in 0..2 {
            let heads = self.columns.iter().zip(&widths);
            let heads: String = heads.map(|(head, width)| format!("{:>width$}", head[line])).collect();
            put(&format!("{:1$}{heads}", "", title_width + 5));
        }
        let mut rows: BTreeMap<(u32, u32), Vec<&Cell>> = BTreeMap::new();
        for cell in &self.cells {
            rows.entry((cell.rotation, cell.call)).or_default().push(cell);
        }
        // A session that is closed late or not at all is nobody's trouble: such rows say nothing.
        let all = rows.len() as u64;
        rows.retain(|_, cells| cells.iter().any(|cell| cell.title != CLOSE || cell.verdict != Verdict::Pass));
        let folded = all - rows.len() as u64;
        let mut group = None;
        for ((rotation, call), cells) in rows {
            let first = cells.first().expect("a row has a cell");
            if group.replace((rotation, first.step)) != Some((rotation, first.step)) {
                let again = if rotation > 1 { ", next rotation" } else { "" };
                put(&format!("{}{again}", first.step));
            }
            let title: String = first.title.chars().take(title_width).collect();
            let marks: String = widths
                .iter()
                .enumerate()
                .map(|(column, width)| {
                    let cell = cells.iter().find(|cell| cell.column == column);
                    format!("{:>width$}", cell.map_or("", |cell| cell.mark.as_str()))
                })
                .collect();
            put(&format!(" {call:>3} {title:<title_width$}{marks}"));
        }
        if folded > 0 {
            put(&format!("  not shown: {} of `{CLOSE}`, without a finding", count(folded, "row")));
        }
        put("  .: fine   r: retried   s, m, h: refused for so long: one user costs that");
        let mut kinds: BTreeMap<&str, (u64, &Cell)> = BTreeMap::new();
        for cell in self.cells.iter().filter(|cell| cell.verdict != Verdict::Pass) {
            kinds.entry(cell.outcome).or_insert((0, cell)).0 += 1;
        }
        for (outcome, (number, cell)) in kinds {
            let invariant = cell.invariant.map_or(String::new(), |invariant| format!(" {}", invariant.id()));
            let mark: String = cell.mark.chars().take_while(|each| !each.is_ascii_digit()).collect();
            let verdict = cell.verdict.name();
            put(&format!("  {mark}: {outcome}; {verdict}{invariant} ({})", count(number, "cell")));
        }
        let known = self.cells.iter().filter(|cell| cell.is_known).count() as u64;
        if known > 0 {
            put(&format!("  {} of the baseline", count(known, "cell")));
        }
        out
    }
}

const LINE: usize = 80;
const TITLE_MIN: usize = 8;
const TITLE_MAX: usize = 27;
/// The call whose rows are folded.
const CLOSE: &str = "close";

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let cell = |call, column, mark: &str, outcome, verdict, invariant| Cell {
            rotation: 1,
            step: if call == 1 { "create" } else { "set" },
            call,
            title: "describe_secret_or_what_is_long".to_owned(),
            at: Some("lambda_function.py:7".to_owned()),
            strike: "held",
            column,
            mark: mark.to_owned(),
            outcome,
            verdict,
            invariant,
            seed: 0,
            is_known: false,
            digest: Digest::of(b""),
        };
        Matrix {
            rotator: "naive".to_owned(),
            engine: "postgres".to_owned(),
            verdict: Verdict::Violated,
            calls: 2,
            columns: vec![["request", "lost"]; 11].into_iter().map(|_| ["req", "lost"]).collect(),
            cells: vec![
                cell(1, 0, ".", "fine", Verdict::Pass, None),
                cell(1, 10, "r", "retried", Verdict::Pass, None),
                cell(2, 3, "W", "wedged", Verdict::Stalled, Some(Invariant::Converges)),
                cell(2, 4, "O1h", "outage", Verdict::Violated, Some(Invariant::HolderServed)),
            ],
            elapsed_ms: 1_250,
        }
    }

    #[test]
    fn a_matrix_fits_a_terminal_and_explains_its_marks() {
        let mut matrix = matrix();
        let text = matrix.text();
        for line in [
            "FAIL violated  grid of naive on postgres  2 calls  4 cells  1.2 s",
            "create",
            "   1 describe_secret_or_w    .                                                 r",
            "   2 describe_secret_or_w                   W  O1h",
            "  O: outage; violated holder-served (1 cell)",
            "  W: wedged; stalled converges (1 cell)",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        // As wide as it gets: a mark of four characters in each of thirteen columns.
        matrix.columns = vec![["late", "inv"]; 13];
        matrix.cells = (0..13)
            .map(|column| Cell { column, mark: "O16m".to_owned(), ..matrix.cells[3].clone() })
            .collect();
        let text = matrix.text();
        assert!(text.lines().all(|line| line.chars().count() <= LINE), "{text}");
    }

    #[test]
    fn a_row_of_close_is_shown_if_it_holds_a_finding() {
        let mut matrix = matrix();
        matrix.cells.iter_mut().for_each(|cell| cell.title = CLOSE.to_owned());
        let text = matrix.text();
        assert!(!text.contains("\n   1 close") && text.contains("\n   2 close"), "{text}");
        assert!(text.contains("  not shown: 1 row of `close`, without a finding"), "{text}");
    }

    #[test]
    fn rows_have_the_columns_of_every_grid() {
        let mut bytes = Vec::new();
        matrix().write_rows(&mut bytes).expect("memory");
        let text = String::from_utf8(bytes).expect("utf-8");
        let third = text.lines().nth(3).expect("three cells");
        assert!(
            third.starts_with(
                "naive lambda_function.py:7,describe_secret_or_what_is_long,set 1,2,held,stalled,"
            )
        );
        assert!(third.ends_with(",wedged"));
    }
}
