//! The examples in `scenarios/foreign`: one passes, one fails in the ways that it was written for.

use super::{example, flat, has, replay_of, rotate, tumbler};

#[test]
fn the_careful_rotator_passes_its_grid_on_every_engine() {
    if !has("python3") {
        return;
    }
    for engine in ["postgres", "mysql", "mariadb"] {
        let out = tempfile::tempdir().expect("a scratch folder");
        let folder = example("careful");
        let args = ["grid", "--rotator", folder.to_str().expect("UTF-8"), "--engine", engine, "--out", "."];
        let output = tumbler(out.path(), &args);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        let gate = tumbler(out.path(), &["gate", "report.json", "--policy", "foreign"]);
        assert_eq!(gate.status.code(), Some(0), "{}", String::from_utf8_lossy(&gate.stdout));
        assert!(text.contains(&format!("PASS  grid of careful on {engine}")), "{text}");
        assert!(
            text.contains("update_secret_versi    r    r   r   r   r    r       .    .       .   ."),
            "{text}"
        );
    }
}

#[test]
fn the_naive_rotators_grid_tells_what_breaks_and_how_to_run_it_again() {
    if !has("python3") {
        return;
    }
    let (text, code) = rotate("grid", &example("naive"), &[]);
    assert_eq!(code, Some(10), "{text}");
    for part in
        ["FAIL violated  grid of naive on postgres", "VIOLATED secret in clear (no-downgrade)", "  change: "]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let replay = replay_of(&text).expect("a replay line");
    let words = shlex::split(&replay).expect("as a shell takes it");
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let out = tempfile::tempdir().expect("a scratch folder");
    let again = tumbler(out.path(), &words);
    assert_eq!(again.status.code(), Some(10));
    let again = String::from_utf8_lossy(&again.stdout).into_owned();
    let story = again.lines().take(12).collect::<Vec<_>>().join("\n");
    assert!(text.contains(&story), "the same story:\n{story}");
}

/// Strike, exit code, what the world saw.
const NAIVE: [(&str, i32, &str); 7] = [
    ("1:3:reply-lost", 11, "the next rotation was refused, and would be until a person cancels"),
    ("1:8:applied-killed", 10, "app_clone is current and may not do what its predecessor could"),
    ("1:6:tls-fails", 10, "a secret is on a wire without TLS"),
    ("1:11:tls-fails", 10, "a secret is in the log"),
    ("2:8:request-lost", 10, "the current version was refused for"),
    ("2:1:stale", 10, "the current version was refused for 1 s"),
    ("1:13:paused", 10, "version 2 became current again, after version 3 had replaced it"),
];

#[test]
fn the_naive_rotator_fails_in_each_way_that_it_was_written_for() {
    if !has("python3") {
        return;
    }
    for (strike, code, saw) in NAIVE {
        let (text, got) = rotate("run", &example("naive"), &["--strike", strike]);
        assert_eq!(got, Some(code), "{strike}\n{text}");
        assert!(saw_it(&text, saw), "{strike}: {saw}\n{text}");
    }
}

/// Said as a finding, or shown as the event that the finding is of.
fn saw_it(text: &str, saw: &str) -> bool {
    flat(text).contains(saw)
}

/// A stop is told as one, and where what was stopped goes on it is told what it sends, and by what.
#[test]
fn a_call_at_which_a_process_stops_is_shown_where_it_is_sent() {
    if !has("python3") {
        return;
    }
    let (text, _) = rotate("run", &example("naive"), &["--strike", "1:13:paused"]);
    let text = flat(&text);
    assert!(text.contains("not sent yet: the process stops"), "{text}");
    assert!(
        text.contains(
            "goes on, and sends only now: describe_secret [lambda_function.py:69], by what it knew at step"
        ),
        "{text}"
    );
    assert_eq!(text.matches("not sent yet").count(), 1, "{text}");
}

#[test]
fn a_grid_of_a_function_that_is_not_the_same_twice_says_so() {
    if !has("perl") {
        return;
    }
    let source = std::fs::read_to_string(example("perl").join("rotator")).expect("the example");
    let differs = source
        .replace("my $failed;\neval {\n", "my $failed;\neval {\n    ask('sleep', millis => 1 + $$ % 97);\n");
    assert_ne!(source, differs);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let program = folder.path().join("rotator");
    std::fs::write(&program, differs).expect("the scratch folder takes files");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it is ours");
    let (text, code) = rotate("grid", folder.path(), &[]);
    assert_eq!(code, Some(14), "{text}");
    assert!(text.contains("NONDETERMINISTIC  one and the same run was another"), "{text}");
}

/// Strike, and why it did not come about.
const MISSED: [(&str, &str); 3] = [
    ("9:9:never", "9:9:never: a run has 3 rotations"),
    ("1:99:never", "1:99:never: rotation 1 made"),
    ("1:3:held", "1:3:held: `get_secret_value` cannot be struck by held, but by request-lost, reply-lost,"),
];

#[test]
fn a_strike_that_did_not_come_about_is_inconclusive_and_it_is_said_why() {
    if !has("python3") {
        return;
    }
    for (strike, why) in MISSED {
        let (text, code) = rotate("run", &example("careful"), &["--strike", strike]);
        assert_eq!(code, Some(15), "{strike}\n{text}");
        assert!(text.starts_with("INCONCLUSIVE  careful: "), "{strike}\n{text}");
        assert!(flat(&text).contains(why), "{strike}: {why}\n{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
    let (text, code) =
        rotate("run", &example("careful"), &["--strike", "1:2:never", "--strike", "9:9:never"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("fired: 1:2:never\n  9:9:never: a run has 3 rotations"), "{text}");
}

#[test]
fn two_sweeps_give_the_same_bytes_for_any_number_of_jobs() {
    if !has("python3") {
        return;
    }
    let sweep = |jobs: &str| {
        let out = tempfile::tempdir().expect("a scratch folder");
        let folder = example("naive");
        let folder = folder.to_str().expect("UTF-8");
        let place = out.path().to_str().expect("UTF-8");
        let args = [
            "run",
            "--rotator",
            folder,
            "--seeds",
            "0..24",
            "--recheck",
            "25%",
            "--jobs",
            jobs,
            "--out",
            place,
        ];
        assert_eq!(tumbler(out.path(), &args).status.code(), Some(10));
        let read = |name: &str| std::fs::read_to_string(out.path().join(name)).expect("the sweep wrote it");
        (read("results.csv"), read("report.json"))
    };
    let (rows, report) = sweep("1");
    assert_eq!((rows.clone(), report.clone()), sweep("2"));
    assert_eq!(rows.lines().count(), 25);
    assert!(report.contains("\"differ\":0") || report.contains("\"differ\": 0"), "no recheck differs");
    assert!(!report.contains("initial-app-credential"), "no secret is in a report");
}

#[test]
fn known_findings_do_not_fail_a_sweep() {
    if !has("python3") {
        return;
    }
    let out = tempfile::tempdir().expect("a scratch folder");
    let folder = example("naive");
    let first = out.path().join("first");
    let sweep = |place: &std::path::Path, more: &[&str]| {
        let mut args = vec!["run", "--rotator", folder.to_str().expect("UTF-8"), "--seeds", "0..12", "--out"];
        args.push(place.to_str().expect("UTF-8"));
        args.extend(more);
        tumbler(out.path(), &args).status.code()
    };
    assert_eq!(sweep(&first, &[]), Some(10));
    let baseline = first.join("report.json");
    assert_eq!(
        sweep(&out.path().join("second"), &["--baseline", baseline.to_str().expect("UTF-8")]),
        Some(0)
    );
}

#[test]
fn the_example_over_the_plain_protocol_conforms_and_takes_part() {
    if !has("perl") {
        return;
    }
    let out = tempfile::tempdir().expect("a scratch folder");
    let program = example("perl").join("rotator");
    let command = shlex::try_quote(program.to_str().expect("UTF-8")).expect("no NUL").into_owned();
    let check = tumbler(out.path(), &["role-host", "--check", &command]);
    let text = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(0), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("ok    ")).count(), 8, "{text}");

    let (text, code) = rotate("run", &example("perl"), &["--strike", "1:13:killed-before"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("outage within the declared window"), "{text}");
    let (text, code) = rotate("run", &example("perl"), &["--strike", "1:12:held"]);
    assert_eq!(code, Some(10), "a late commit of one user's old password: {text}");
}
