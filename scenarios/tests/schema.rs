//! The shipped JSON Schemas: they take what the parser takes, and know the same words.
//!
//! An editor reads the schema and `tumbler` reads the file: where the two disagree, somebody is told
//! that a wrong file is right. What only the parser can know (a node that this topology has not, a time
//! past the end) is marked as such.

use serde_json::Value;
use tumbler_plan::Planted;
use tumbler_scenarios::{Scenario, Suite, catalog, suites};
use tumbler_types::event::{FrameKind, OrderKind};
use tumbler_types::{Build, FaultKind, Invariant, Phase, RoleKind, Step, Verdict};

const SCENARIO: &str = include_str!("../scenario.v1.schema.json");
const SUITE: &str = include_str!("../suite.v1.schema.json");

fn schema(text: &str) -> Value {
    serde_json::from_str(text).expect("the schema is JSON")
}

/// What is wrong with a file, by its schema.
fn complaints(schema: &Value, toml: &str) -> Vec<String> {
    let value: Value = toml::from_str(toml).expect("the file is TOML");
    let validator = jsonschema::draft202012::new(schema).expect("the schema is one");
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path)).collect()
}

#[test]
fn every_shipped_file_fits_its_schema() {
    let (scenario, suite) = (schema(SCENARIO), schema(SUITE));
    for shipped in catalog() {
        assert_eq!(complaints(&scenario, shipped.text), [""; 0], "{}", shipped.name);
    }
    for shipped in suites() {
        assert_eq!(complaints(&suite, shipped.text), [""; 0], "{}", shipped.name);
    }
}

#[test]
fn the_schemas_know_exactly_the_words_of_the_vocabulary() {
    let (scenario, suite) = (schema(SCENARIO), schema(SUITE));
    #[track_caller]
    fn check(schema: &Value, name: &str, words: Vec<&str>) {
        let listed = schema["$defs"][name]["enum"].as_array().expect("a list of words");
        let listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
        assert_eq!(listed, words, "correct `{name}` under `$defs` in scenarios/*.schema.json");
    }
    check(&scenario, "faultKind", FaultKind::ALL.map(FaultKind::name).to_vec());
    check(&scenario, "orderKind", OrderKind::ALL.iter().map(|order| order.name()).collect());
    let frames = FrameKind::ALL.iter().filter(|kind| **kind != FrameKind::Garbage);
    check(&scenario, "frameKind", frames.map(|kind| kind.name()).collect());
    check(&scenario, "phase", Phase::ALL.map(Phase::name).to_vec());
    check(&scenario, "step", Step::ALL.map(Step::name).to_vec());
    check(&scenario, "role", RoleKind::ALL.map(RoleKind::name).to_vec());
    check(&scenario, "build", Build::ALL.map(Build::name).to_vec());
    check(&scenario, "verdict", Verdict::ALL.map(Verdict::name).to_vec());
    check(&suite, "planted", Planted::ALL.map(Planted::name).to_vec());
    check(&suite, "invariant", Invariant::ALL.map(Invariant::id).to_vec());
}

/// Who notices that a file is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Both,
    /// It takes more than the shape of the file to know.
    Parser,
}

const QUIET: &str = include_str!("../scenarios/quiet.toml");

#[test]
fn what_the_parser_refuses_the_schema_refuses_too_where_it_can() {
    use By::{Both, Parser};
    let schema = schema(SCENARIO);
    let fault = |lines: &str| format!("{QUIET}\n[[fault]]\n{lines}\n");
    let without = |from: &str, to: &str| {
        assert!(QUIET.contains(from), "{from}");
        QUIET.replacen(from, to, 1)
    };
    let crash = "kind = \"crash\"\nat = \"20s\"\nnode = \"agent-1\"\nlasts = \"5s\"";
    let table = [
        (Both, without("schema = 1", "schema = 2")),
        (Both, without("schema = 1\n", "")),
        (Both, without("name = \"quiet\"", "name = \"Quiet!\"")),
        (Both, without("name = \"quiet\"", "nam = \"quiet\"")),
        (Both, without("canaries = 1", "canaries = \"one\"")),
        (Both, without("[network]", "[network]\nlos = \"1%\"")),
        (Both, without("expect = \"pass\"", "expect = \"fine\"")),
        (Both, fault(&crash.replace("crash", "explosion"))),
        (Both, fault(&crash.replace("\nat = \"20s\"", ""))),
        (Both, fault(&crash.replace("\nlasts = \"5s\"", ""))),
        (Both, fault(&crash.replace("\nnode = \"agent-1\"", ""))),
        (Both, fault(&crash.replace("20s", "20 seconds"))),
        (Both, fault(&crash.replace("agent-1", "agent-0"))),
        (Both, fault(&crash.replace("agent-1", "printer-1"))),
        (Both, fault(&format!("{crash}\nsending = \"apply-request\""))),
        (Both, fault(&format!("{crash}\nbuild = \"n\""))),
        (Both, fault(&format!("{crash}\noffset = \"1ms\""))),
        (Both, fault(&format!("{crash}\nleft = \"agent-1\""))),
        (Both, fault(&format!("{crash}\nchance = \"often\""))),
        (Both, fault("kind = \"hold\"\nat = \"20s\"\nlasts = \"5s\"")),
        (Both, fault("kind = \"lose-reply\"\nreplying = \"apply-reply\"")),
        (Both, fault("kind = \"lose-reply\"\nsending = \"apply-request\"\nlasts = \"5s\"")),
        (Both, fault("kind = \"fail-persist\"\npoint = \"persist-done\"\nnode = \"agent-1\"")),
        (Both, fault("kind = \"redeploy\"\nat = \"20s\"\nnode = \"agent-1\"\nlasts = \"5s\"")),
        (
            Both,
            fault("kind = \"redeploy\"\nat = \"20s\"\nnode = \"agent-1\"\nlasts = \"5s\"\nbuild = \"n+2\""),
        ),
        (Both, fault("kind = \"partition\"\nat = \"20s\"\nleft = \"agent-1\"\nlasts = \"5s\"")),
        (Both, format!("{QUIET}\n[[order]]\nat = \"20s\"\norder = \"explode\"\n")),
        (Both, format!("{QUIET}\n[[clock]]\nnode = \"all\"\n")),
        (Both, fault(&crash.replace("crash", "disk-restore"))),
        (Both, fault(&crash.replace("crash", "slow"))),
        (Both, fault(&crash.replace("crash", "torn-write"))),
        (Both, fault(&format!("{crash}\nrate = \"5ppm\""))),
        (Both, fault("kind = \"reset\"\nat = \"20s\"\nleft = \"agent-1\"\nright = \"rest\"\nlasts = \"5s\"")),
        (
            Both,
            fault(
                "kind = \"lossy-link\"\nat = \"20s\"\nleft = \"agent-1\"\nright = \"rest\"\nlasts = \"5s\"",
            ),
        ),
        (Both, fault(&format!("{crash}\npeer = \"target-1\""))),
        (Both, fault("kind = \"lose-reply\"\nsending = \"apply-request\"\nstep = \"sett\"")),
        (Both, fault("kind = \"hold\"\nsending = \"apply-request\"\nby = \"rotator-1\"\nlasts = \"5s\"")),
        (
            Both,
            fault(
                "kind = \"pause\"\nnode = \"agent-1\"\nentered = \"idle\"\npeer = \"rotator-1\"\nlasts = \"5s\"",
            ),
        ),
        // Only requests to the target ask for a step, and only rotators close.
        (Parser, fault("kind = \"lose-reply\"\nsending = \"query-request\"\nstep = \"set\"")),
        (
            Parser,
            fault(
                "kind = \"hold\"\nsending = \"apply-request\"\nuntil = { on = { entered = \"idle\", by = \"agent-1\" }, at_most = \"5s\" }",
            ),
        ),
        // It leaves an assumption without a word, and it ends when it begins.
        (Parser, fault(&crash.replace("crash", "lying-sync"))),
        (Parser, fault(&crash.replace("5s", "0s"))),
        (Parser, fault(&crash.replace("agent-1", "agent-60"))),
        (Parser, fault(&crash.replace("20s", "20h"))),
        (Parser, format!("{QUIET}\n[[clock]]\nnode = \"all\"\noffset = \"10s\"\n")),
    ];
    assert!(complaints(&schema, &fault(crash)).is_empty() && Scenario::parse("it", &fault(crash)).is_ok());
    for (by, text) in table {
        let added = text.strip_prefix(QUIET).unwrap_or("(a changed line)");
        assert!(Scenario::parse("broken.toml", &text).is_err(), "the parser takes {added}");
        assert_eq!(complaints(&schema, &text).is_empty(), by == Parser, "{by:?}: {added}");
    }
}

#[test]
fn a_broken_suite_is_refused_by_both() {
    let schema = schema(SUITE);
    let head = "schema = 1\nname = \"mine\"\nabout = \"mine alone\"\n";
    let entry = "[[entry]]\nscenario = \"quiet\"\nseeds = \"0..5\"\n";
    let whole = format!("{head}{entry}");
    assert!(complaints(&schema, &whole).is_empty() && Suite::parse("it", &whole).is_ok());
    for broken in [
        head.to_owned(),
        whole.replace("0..5", "5"),
        whole.replace("seeds", "seed"),
        whole.replace("schema = 1", "schema = 7"),
        format!("{whole}planted = \"lying-fsync\"\n"),
        format!("{whole}planted = \"no-such\"\nexpect = \"durable-ack\"\n"),
        format!("{whole}planted = \"lying-fsync\"\nexpect = \"luck\"\n"),
    ] {
        assert!(Suite::parse("broken.toml", &broken).is_err(), "the parser takes {broken}");
        assert!(!complaints(&schema, &broken).is_empty(), "the schema takes {broken}");
    }
}
