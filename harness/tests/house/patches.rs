//! The patches that `smoke` must find (`just mutants`), and those that must not cost a capsule its failure
//! (`just survival`), still apply to the system as it is.
//!
//! Whether they are still found costs a build each and is no test. A patch that no longer applies
//! would quietly find nothing, and that is cheap to notice.

use crate::root;
use std::process::Command;

#[test]
fn every_patch_applies_and_says_what_it_breaks() {
    check("harness/tests/mutants", |file| file.starts_with("sim/rotation/src/"), 6);
}

#[test]
fn every_harmless_patch_applies_and_says_what_it_changes() {
    check("harness/tests/harmless", |file| !file.starts_with("model/"), 5);
}

/// Each patch of the folder applies, begins with a sentence, and touches only such files.
#[track_caller]
fn check(folder: &str, touches: impl Fn(&str) -> bool, count_min: u32) {
    let folder = root().join(folder);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the patches are there") {
        let path = entry.expect("a readable folder").path();
        let text = std::fs::read_to_string(&path).expect("a readable patch");
        let story = text
            .lines()
            .take_while(|line| !line.starts_with("diff "))
            .filter(|line| !line.is_empty())
            .count();
        assert!(story > 0, "{} begins with a sentence on what it is", path.display());
        assert!(
            text.lines()
                .filter(|line| line.starts_with("+++ "))
                .all(|line| line.strip_prefix("+++ b/").is_some_and(&touches)),
            "{} touches what it should and nothing else",
            path.display()
        );
        let output = Command::new("git").args(["apply", "--check"]).arg(&path).current_dir(root()).output();
        let output = output.expect("git is there");
        assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        count += 1;
    }
    assert!(count >= count_min, "expected at least {count_min} patches, got {count}");
}
