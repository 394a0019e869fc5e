//! `results.csv`: a row per seed.
//!
//! Text fields are defused: a spreadsheet would run a field that begins with `=`, `+`, `-` or `@`
//! as a formula, so such a field gets a leading apostrophe. Quoting is the csv crate's.
//!
//! Rows are written in the order in which they are given; the caller gives them by scenario and
//! seed, so that the file is the same for every number of jobs.
//!
//! Source: OWASP, "CSV Injection".

use std::io::{self, Write};
use tumbler_plan::Row;

/// Writes rows below a header.
pub struct RowWriter<W: Write>(csv::Writer<W>);

impl<W: Write> RowWriter<W> {
    /// Writes the header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(Row::COLUMNS)?;
        Ok(RowWriter(writer))
    }

    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        self.0.write_record(row.fields().map(defused))?;
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub(crate) fn defused(field: String) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{field}") } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::Verdict;

    #[test]
    fn a_row_is_quoted_where_needed_and_can_hold_no_formula() {
        let row = |scenario: &str| Row {
            scenario: scenario.to_owned(),
            seed: u64::MAX,
            verdict: Verdict::Crashed,
            invariant: None,
            trace_digest: None,
            events: 1,
            virtual_ms: 2,
            promoted: 3,
            rolled_back: 4,
            faults_fired: 5,
            faults_in_rotation: 6,
        };
        let mut bytes = Vec::new();
        let mut writer = RowWriter::new(&mut bytes).expect("memory");
        for scenario in ["plain", "a,\"b\"\n", "=1+1", "-x", "@x", "\tx"] {
            writer.write(&row(scenario)).expect("memory");
        }
        writer.finish().expect("memory");
        let text = String::from_utf8(bytes).expect("utf-8");
        let rest = "18446744073709551615,crashed,,,1,2,3,4,5,6";
        let expect = format!(
            "{}\nplain,{rest}\n\"a,\"\"b\"\"\n\",{rest}\n'=1+1,{rest}\n'-x,{rest}\n'@x,{rest}\n'\tx,{rest}\n",
            Row::COLUMNS.join(",")
        );
        assert_eq!(text, expect);
    }
}
