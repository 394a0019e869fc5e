//! Accepted traces, changed in one place, are rejected.

use tumbler::negative::{Change, Negatives, Rate};

/// Kinds of which every change of one field is rejected, and every loss.
const STRICT: [&str; 7] = ["AcquireLease", "Begin", "Enforced", "Grant", "Revoke", "RollBack", "Stored"];

#[test]
fn what_did_not_happen_is_rejected() {
    let mut negatives = Negatives::default();
    for (name, seeds) in [("standard", 0..3), ("rollback-under-fire", 0..2), ("revoke-everywhere", 0..2)] {
        let scenario = tumbler_scenarios::scenario(name).expect("it is shipped").scenario();
        seeds.for_each(|seed| negatives.try_plan(&scenario.plan(seed), 2));
    }
    let table = negatives.table();
    for kind in STRICT {
        for change in [Change::Dropped, Change::Altered] {
            let Rate { tried, rejected } = negatives.rates.get(&(kind, change)).copied().unwrap_or_default();
            assert!(tried > 0 && rejected == tried, "{kind} {change:?}\n{table}");
        }
    }
    let advances = negatives.rates[&("Advance", Change::Altered)];
    assert_eq!(advances.rejected, advances.tried, "{table}");
    // A command said twice is no second step.
    for kind in ["Acknowledge", "Advance", "Begin", "Grant", "OrderRotation", "RenewLease", "Revoke"] {
        let doubled = negatives.rates.get(&(kind, Change::Doubled)).copied().unwrap_or_default();
        assert!(doubled.tried > 0 && doubled.rejected == doubled.tried, "{kind}\n{table}");
    }
}
