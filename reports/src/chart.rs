//! A space-time chart in text: a column for each node, time downward, an arrow for each message.
//!
//! It deliberately knows nothing of what is worth showing: rows come chosen and worded, from
//! [`mod@crate::explain`]. It is never wider than a terminal.

use crate::number::seconds;
use crate::wrap::{COLUMNS, hang_under};
use std::fmt::Write as _;
use tumbler_types::{Instant, NodeId, RoleKind, Topology};

/// One event, or what was left out between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Event { seq: u64, at: Instant, marks: Vec<(NodeId, char)>, arrow: Option<Arrow>, text: String },
    Gap(String),
}

/// A message, drawn in the row of what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub from: NodeId,
    pub to: NodeId,
    /// What stands before the receiver: a head, or what became of the message.
    pub head: Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Arrives,
    Lost,
    Held,
}

/// Whether a node runs, as its line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Up,
    Paused,
    Down,
}

/// The chart's columns and rows; each row has the state of every column.
pub(crate) struct Chart<'a> {
    pub topology: &'a Topology,
    pub columns: Vec<NodeId>,
    pub rows: Vec<(Row, Vec<Life>)>,
}

impl Chart<'_> {
    /// The chart, its heads first.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|node| format!("{}={}", head(self.topology, *node), self.topology.name(*node)))
            .collect();
        hang_under(&mut out, "  ", &names.join(" "), 2);
        let mut heads = String::new();
        for node in &self.columns {
            let width = self.pitch();
            write!(heads, "{:<width$}", head(self.topology, *node)).expect("memory");
        }
        writeln!(out, "{:>GUTTER_STEP$} {:>GUTTER_TIME$} {}", "step", "true s", heads.trim_end())
            .expect("memory");
        for (row, lives) in &self.rows {
            self.put(&mut out, row, lives);
        }
        out
    }

    fn put(&self, out: &mut String, row: &Row, lives: &[Life]) {
        let plain: Vec<char> = self.lines(lives);
        let indent = GUTTER + plain.len();
        let (gutter, drawn, text) = match row {
            Row::Gap(text) => {
                let dotted = plain.iter().map(|each| if *each == '│' { '⋮' } else { *each }).collect();
                (" ".repeat(GUTTER), dotted, text)
            }
            Row::Event { seq, at, marks, arrow, text } => {
                let gutter = format!("{seq:>GUTTER_STEP$} {:>GUTTER_TIME$} ", seconds(at.nanos()));
                let mut drawn = plain.clone();
                if let Some(arrow) = arrow {
                    self.draw(&mut drawn, *arrow);
                }
                for (node, mark) in marks {
                    if let Some(center) = self.center(*node) {
                        drawn[center] = *mark;
                    }
                }
                (gutter, drawn, text)
            }
        };
        let drawn: String = drawn.into_iter().collect();
        let mut wrapped = String::new();
        hang_under(&mut wrapped, &format!("{gutter}{drawn}"), text, indent);
        // A text's further lines show the lines of life as well.
        for (index, line) in wrapped.lines().enumerate() {
            if index == 0 {
                out.push_str(line);
            } else {
                let plain: String = plain.iter().collect();
                let rest: String = line.chars().skip(indent).collect();
                write!(out, "{}{plain}{rest}", " ".repeat(GUTTER)).expect("memory");
            }
            out.push('\n');
        }
    }

    fn lines(&self, lives: &[Life]) -> Vec<char> {
        let mut line = vec![' '; self.pitch() * self.columns.len()];
        for (index, life) in lives.iter().enumerate() {
            line[index * self.pitch()] = match life {
                Life::Up => '│',
                Life::Paused => '╎',
                Life::Down => ' ',
            };
        }
        line
    }

    fn draw(&self, line: &mut [char], arrow: Arrow) {
        let (Some(from), Some(to)) = (self.center(arrow.from), self.center(arrow.to)) else { return };
        if from == to {
            return;
        }
        let (low, high) = (from.min(to), from.max(to));
        for each in &mut line[low + 1..high] {
            *each = if *each == ' ' { '─' } else { '┼' };
        }
        let rightward = from < to;
        let tip = if rightward { high - 1 } else { low + 1 };
        line[tip] = match (arrow.head, rightward) {
            (Head::Arrives, true) => '▶',
            (Head::Arrives, false) => '◀',
            (Head::Lost, _) => '✕',
            (Head::Held, _) => '‖',
        };
        line[from] = 'o';
    }

    fn center(&self, node: NodeId) -> Option<usize> {
        self.columns.iter().position(|each| *each == node).map(|index| index * self.pitch())
    }

    /// Columns of text from one node to the next.
    fn pitch(&self) -> usize {
        if self.columns.len() > 7 { 3 } else { 4 }
    }
}

/// A node's name in two or three letters.
fn head(topology: &Topology, node: NodeId) -> String {
    let Some((kind, ordinal)) = topology.kind(node) else { return "-".to_owned() };
    let letter = match kind {
        RoleKind::Authority => return "au".to_owned(),
        RoleKind::Operator => return "op".to_owned(),
        RoleKind::Rotator => "r",
        RoleKind::Agent => "a",
        RoleKind::Target => "t",
        RoleKind::Replica => "c",
        RoleKind::Workload => "w",
    };
    format!("{letter}{}", ordinal + 1)
}

const GUTTER_STEP: usize = 7;
const GUTTER_TIME: usize = 8;
const GUTTER: usize = GUTTER_STEP + 1 + GUTTER_TIME + 1;
const _: () = assert!(GUTTER + 3 * 14 < COLUMNS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_column_for_each_node_and_an_arrow_for_each_message() {
        let topology = Topology {
            rotators: 1,
            agents: 1,
            replicas: 0,
            workloads: 1,
            secrets: 1,
            adapter: Default::default(),
        };
        let (authority, rotator, target) = (NodeId(0), NodeId(1), NodeId(3));
        let event = |seq, marks: &[(NodeId, char)], arrow, text: &str| Row::Event {
            seq,
            at: Instant(seq * 1_000_000_000),
            marks: marks.to_vec(),
            arrow,
            text: text.to_owned(),
        };
        let arrow = |from, to, head| Some(Arrow { from, to, head });
        let up = vec![Life::Up; 3];
        let chart = Chart {
            topology: &topology,
            columns: vec![authority, rotator, target],
            rows: vec![
                (event(1, &[(target, '●')], arrow(authority, target, Head::Arrives), "far"), up.clone()),
                (event(2, &[(rotator, '●')], arrow(target, rotator, Head::Arrives), "back"), up.clone()),
                (event(3, &[], arrow(rotator, target, Head::Lost), "gone"), up),
                (Row::Gap("… 9 events".to_owned()), vec![Life::Up, Life::Down, Life::Paused]),
                (event(4, &[(authority, '●')], None, &"long ".repeat(20)), vec![Life::Up; 3]),
            ],
        };
        let text = chart.text();
        let expect = "  au=authority-1 r1=rotator-1 t1=target-1
   step   true s au  r1  t1
      1    1.000 o───┼──▶●   far
      2    2.000 │   ●◀──o   back
      3    3.000 │   o──✕│   gone
                 ⋮       ╎   … 9 events
      4    4.000 ●   │   │   long long long long long long long long long long
                 │   │   │   long long long long long long long long long long
";
        assert_eq!(text, expect);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS));
    }
}
