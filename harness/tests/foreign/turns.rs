//! Calls that alternate, and an operator who cancels: planted functions that fail under these alone.

use super::{example, flat, function, has, rotate, tumbler};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The careful function, except that it makes the user anew on each set: fine when an old set lands
/// whole after the next rotation, since then that user is not the current one.
fn anew() -> tempfile::TempDir {
    let path = example("careful").join("lambda_function.py");
    let careful = std::fs::read_to_string(path).expect("the example");
    let seeks = "    cursor.execute(\"SELECT User FROM mysql.user WHERE User = %s\", (user,))\n    \
                 if not cursor.fetchall():\n        ";
    assert!(careful.contains(seeks), "the example has changed");
    function(&careful.replace(seeks, "    cursor.execute(\"DROP USER IF EXISTS %s\", (user,))\n    "))
}

#[test]
fn a_function_that_only_alternation_breaks_fails_in_that_column_alone() {
    if !has("python3") {
        return;
    }
    let folder = anew();
    let out = tempfile::tempdir().expect("a scratch folder");
    let place = out.path().to_str().expect("UTF-8");
    let rotator = folder.path().to_str().expect("UTF-8");
    let args = ["grid", "--rotator", rotator, "--engine", "mysql", "--out", place];
    assert_eq!(tumbler(out.path(), &args).status.code(), Some(10));
    let rows = std::fs::read_to_string(out.path().join("grid.csv")).expect("the grid wrote it");
    let mut failed = BTreeMap::<&str, u64>::new();
    for row in rows.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let is_fine = ["fine", "retried"].contains(cells.last().expect("an outcome"));
        *failed.entry(cells[4]).or_default() += u64::from(!is_fine);
    }
    failed.retain(|_, count| *count > 0);
    assert_eq!(failed.keys().copied().collect::<Vec<_>>(), ["interleaved"], "{failed:?}");
}

/// Columns of a sweep's rows.
fn sweep(rotator: &Path, args: &[&str], column: usize) -> Vec<String> {
    let out = tempfile::tempdir().expect("a scratch folder");
    let place = out.path().to_str().expect("UTF-8");
    let mut all = vec!["run", "--rotator", rotator.to_str().expect("UTF-8"), "--out", place];
    all.extend(args);
    tumbler(out.path(), &all);
    let rows = std::fs::read_to_string(out.path().join("results.csv")).expect("the sweep wrote it");
    let mut rows = rows.lines().map(|row| row.split(',').map(str::to_owned).collect::<Vec<String>>());
    let head = rows.next().expect("a head");
    let named = |name: &str| head.iter().position(|each| each == name).expect("a column");
    assert_eq!([named("verdict"), named("trace_digest")], [VERDICT, DIGEST]);
    rows.map(|row| row[column].clone()).collect()
}

#[test]
fn the_seed_chooses_the_interleaving_and_repeats_it() {
    if !has("python3") {
        return;
    }
    let folder = anew();
    let args = ["--engine", "mysql", "--strike", "1:9:interleaved", "--seeds", "0..12", "--recheck", "0"];
    let verdicts: BTreeSet<String> = sweep(folder.path(), &args, VERDICT).into_iter().collect();
    assert_eq!(verdicts.iter().map(String::as_str).collect::<Vec<_>>(), ["pass", "violated"]);
    let digests = sweep(folder.path(), &args, DIGEST);
    assert_eq!(digests, sweep(folder.path(), &args, DIGEST));
}

#[test]
fn who_cancels_leaves_behind_what_the_next_rotation_does_not_find() {
    if !has("python3") {
        return;
    }
    let source = include_str!("functions/fresh.py");
    let folder = function(source);
    let (text, code) = rotate("run", folder.path(), &["--strike", "1:1:request-lost"]);
    assert_eq!(code, Some(0), "{text}");
    let (text, code) = rotate("run", folder.path(), &["--strike", "1:17:cancelled"]);
    assert_eq!(code, Some(10), "{text}");
    for saw in [
        "operator - cancels the rotation",
        "operator - takes the pending label off",
        "can log in and are on no record",
        "an operator cancels the rotation before this call",
    ] {
        assert!(flat(&text).contains(saw), "{saw}\n{text}");
    }
}

/// A person who follows the manual finds which version is in use, and the next rotation goes on from it.
#[test]
fn a_rotation_of_one_user_that_was_cancelled_is_remedied() {
    if !has("perl") {
        return;
    }
    // Between the new password and the label: the database accepts the version that was pending.
    let args = ["--strike", "1:13:cancelled", "--strike", "2:4:request-lost"];
    let (text, code) = rotate("run", &example("perl"), &args);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("outage within the declared window"), "{text}");
}

const VERDICT: usize = 2;
const DIGEST: usize = 4;
