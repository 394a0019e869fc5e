//! What was reached: counts, bits, shards, text.

use crate::fixture::{passed, report};
use tumbler_reports::reached::{lines, merge, table};
use tumbler_reports::report::v2::Reach;
use tumbler_reports::{Report, markdown};

fn reach(seeds: std::ops::Range<u64>) -> Reach {
    let seeds: Vec<_> = seeds.map(|seed| passed("standard", seed)).collect();
    report(&seeds).reached.expect("they were followed")
}

#[test]
fn the_end_of_a_sweep_says_what_was_reached_in_a_few_lines() {
    let text = lines(&reach(0..3));
    assert_eq!(
        text,
        "  model visited    4/6 states (66.6 %), 3/5 steps (60.0 %)\n  \
         reached          1/18 fault × phase, 1/2 crash points, 1/3 probes\n  \
         never reached    rotation-rolled-back, late-call-enforced\n"
    );
    let strayed = lines(&reach(0..7));
    assert!(strayed.contains("model left       2 states that no path of it leads to, first in standard"));
    for text in [text, strayed, table(&reach(0..7))] {
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn actions_are_counted_by_their_own_bits() {
    let walk = reach(0..2).walk;
    let counts: Vec<(&str, u64, u64)> =
        walk.actions.iter().map(|each| (each.action.as_str(), each.visited, each.steps)).collect();
    assert_eq!(counts, [("Advance", 1, 3), ("Apply", 1, 2)]);
    assert_eq!((walk.state_bits.as_str(), walk.step_bits.as_str()), ("70", "90"));
}

#[test]
fn shards_add_up_in_any_order_and_overlap_counts_once_in_what_was_visited() {
    let whole = reach(0..5);
    for (left, right) in [(0..2, 2..5), (2..5, 0..2)] {
        assert_eq!(merge(&[&reach(left), &reach(right)]), Ok(Some(whole.clone())));
    }
    let overlap = merge(&[&reach(0..4), &reach(2..5)]).expect("one graph").expect("two parts");
    assert_eq!(
        (overlap.walk.state_bits, overlap.walk.step_bits),
        (whole.walk.state_bits, whole.walk.step_bits)
    );
    assert_eq!(merge(&[]), Ok(None));
}

#[test]
fn shards_of_another_graph_are_refused_by_name() {
    let (one, mut two) = (reach(0..2), reach(2..4));
    two.walk.graph = tumbler_plan::Digest::of(b"another");
    let clash = merge(&[&one, &two]).expect_err("another graph");
    assert_eq!((clash.index, clash.what), (1, "the graph"));
    let (one, mut two) = (reach(0..2), reach(2..4));
    two.probes[0].name = "else".to_owned();
    assert_eq!(merge(&[&one, &two]).expect_err("another probe").what, "the probes");
}

#[test]
fn bits_that_contradict_their_counts_are_refused() {
    let whole = report(&[passed("standard", 0)]);
    let refused = |change: fn(&mut Reach)| {
        let mut report = whole.clone();
        change(report.reached.as_mut().expect("followed"));
        Report::parse(&report.to_text()).expect_err("contradicts itself").to_string()
    };
    let changes: [fn(&mut Reach); 6] = [
        |reach| reach.walk.states_visited += 1,
        |reach| reach.walk.actions[0].visited += 1,
        |reach| reach.walk.actions[0].steps = u64::MAX,
        |reach| reach.walk.state_bits.push('0'),
        |reach| reach.walk.state_bits = "f8".to_owned(),
        |reach| reach.walk.step_bits = "zz".to_owned(),
    ];
    for change in changes {
        assert!(refused(change).contains("what was reached is not what its bits say"));
    }
    assert!(Report::parse(&whole.to_text()).is_ok());
}

#[test]
fn a_report_of_before_it_was_counted_is_still_read() {
    let mut value: serde_json::Value =
        serde_json::from_str(&report(&[passed("standard", 0)]).to_text()).expect("JSON");
    value.as_object_mut().expect("an object").remove("reached");
    let old = Report::parse(&value.to_string()).expect("an older report");
    assert_eq!(old.reached, None);
    assert!(!markdown::summary(&old).contains("### Reached"));
    assert!(markdown::summary(&report(&[passed("standard", 0)])).contains("| probes | 1 | 3 | 33.3 % |"));
}
