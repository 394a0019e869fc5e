//! Hostile names: what a scenario's name or a reason must not do to a face.

use crate::faces::check_junit;
use crate::fixture::{failed, report};
use proptest::prelude::*;
use tumbler_reports::{coverage, junit, markdown};
use tumbler_types::Verdict;

/// Pieces that mean something to XML, Markdown, CSV, a CI server or a terminal.
const PIECES: &[&str] = &[
    "<",
    ">",
    "&",
    "\"",
    "'",
    "]]>",
    "<!--",
    "-->",
    "<![CDATA[",
    "&amp;",
    "&#0;",
    "</testcase>",
    "<script>",
    "|",
    "`",
    "``",
    "\\",
    "\\|",
    "\n",
    "\r\n",
    "\n\n# head",
    "\t",
    "\0",
    "\u{1b}[31m",
    "\u{fffe}",
    "\u{ffff}",
    "\u{202e}",
    "\u{2028}",
    "[[ATTACHMENT|/etc/passwd]]",
    "[[[",
    "](javascript:x)",
    "![x](y)",
    "@user",
    "#1",
    "=1+1",
    "+1",
    "-1",
    ",",
    ";",
    "ß",
    "🦀",
    "| a | b |",
    "plain",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_names_and_reasons_break_out_of_no_face(name in hostile(), why in hostile()) {
        let tame = report(&[failed("plain", 3, Verdict::Violated, "why")]);
        let wild = report(&[failed(&name, 3, Verdict::Violated, &why)]);

        // XML: well-formed, the same elements, and every rule holds.
        let counts = check_junit(&junit::junit(&wild));
        prop_assert_eq!(counts, check_junit(&junit::junit(&tame)));

        // Markdown: as many lines as with tame names, and in each as many cells and code spans.
        let shape = |page: &str| -> Vec<(usize, usize)> {
            let count = |line: &str, of: char| line.chars().filter(|each| *each == of).count();
            page.split('\n').map(|line| (count(line, '|'), count(line, '`'))).collect()
        };
        let page = markdown::summary(&wild);
        prop_assert_eq!(shape(&page), shape(&markdown::summary(&tame)), "{}", page);
        let controls = page.chars().filter(|each| each.is_control() && *each != '\n').count();
        prop_assert_eq!(controls, 0);
        prop_assert!(!page.contains('\\'), "a backslash would escape the end of a cell");
        // What stands outside of code spans is ours, whatever the names are.
        let outside = |page: &str| page.split('`').step_by(2).collect::<String>();
        prop_assert_eq!(outside(&page), outside(&markdown::summary(&tame)));

        // CSV: the same table, and no formula in it.
        let table = coverage::coverage(&wild).expect("memory");
        let rows = table_of(&table);
        prop_assert_eq!(rows.len(), table_of(&coverage::coverage(&tame).expect("memory")).len());
        for row in rows {
            prop_assert_eq!(row.len(), coverage::COLUMNS.len());
            prop_assert!(row.iter().all(|field| !field.starts_with(['=', '+', '-', '@', '\t', '\r'])));
        }
    }
}

fn table_of(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}
