//! What was found once and mended is not found again: every committed capsule replays to a pass.

use std::path::Path;
use std::process::Command;

#[test]
fn no_regression_is_reproduced() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a readable folder").path();
        if !path.to_string_lossy().ends_with(".repro.json") {
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_tumbler")).arg("replay").arg(&path).output();
        let output = output.expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.starts_with("NOT REPRODUCED"), "{}: {text}", path.display());
        assert_eq!(output.status.code(), Some(0), "{}", path.display());
        count += 1;
    }
    assert!(count >= 1, "the capsules are there");
}
