//! No text makes reading panic, and whatever is accepted draws a plan.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tumbler_scenarios::{Scenario, Suite, catalog, suites};

/// Reads the text both ways; an error must be printable, an accepted scenario must draw.
fn read(text: &str) {
    match Scenario::parse("any.toml", text) {
        Ok(scenario) => {
            let _ = (scenario.plan(0), scenario.plan(u64::MAX));
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.starts_with("any.toml:"), "{shown}");
            assert!(error.line() <= text.lines().count() + 1, "{shown}");
        }
    }
    match Suite::parse("any.toml", text) {
        Ok(suite) => assert!(suite.run_count() > 0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What a hand slips in: quantities at the edges, and characters that end things.
fn scrap() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("-1".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("\"18446744073709551615ns\"".to_owned()),
        Just("\"24h\"".to_owned()),
        Just("\"\u{1b}[31mε\"".to_owned()),
        Just("[]".to_owned()),
        Just("[[\"1s\"]]".to_owned()),
        Just("{ on = {} }".to_owned()),
        Just("\"all\"".to_owned()),
        Just("\"agent-1\"".to_owned()),
        Just("0".to_owned()),
        Just("\n".to_owned()),
        ".{0,12}",
    ]
}

fn shipped_text() -> impl Strategy<Value = &'static str> {
    let texts: Vec<&'static str> = catalog().iter().chain(suites()).map(|shipped| shipped.text).collect();
    prop::sample::select(texts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_refused_or_read(text in "\\PC{0,200}|(.|\n){0,200}") {
        read(&text);
    }

    #[test]
    fn a_shipped_file_with_one_value_replaced_is_refused_or_read(
        text in shipped_text(), line in any::<prop::sample::Index>(), scrap in scrap(),
    ) {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let line = &mut lines[line.index(text.lines().count())];
        if let Some((key, _)) = line.clone().split_once(" = ") {
            *line = format!("{key} = {scrap}");
        } else {
            *line = scrap;
        }
        read(&lines.join("\n"));
    }

    #[test]
    fn a_shipped_file_with_a_part_cut_out_is_refused_or_read(
        text in shipped_text(), start in any::<prop::sample::Index>(), length in 0usize..60, scrap in scrap(),
    ) {
        let characters: Vec<char> = text.chars().collect();
        let start = start.index(characters.len());
        let end = (start + length).min(characters.len());
        let before: String = characters[..start].iter().collect();
        let after: String = characters[end..].iter().collect();
        read(&format!("{before}{scrap}{after}"));
    }
}
