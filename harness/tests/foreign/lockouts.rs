//! Whom a function locks out, and when that is the declared cost of a single user.
//!
//! A refusal is excused while a rotation is under way. Once it is over, one login must succeed.

use super::{flat, function, has, rotate};
use std::path::Path;

/// One user, with the step `set` to be filled in.
fn single(set: &str) -> tempfile::TempDir {
    function(&include_str!("functions/one_user.py").replace("        # SET\n", set))
}

const SETS: &str = "        with admin(current) as conn, conn.cursor() as cur:\n            \
                    cur.execute(f\"ALTER USER {pending['username']} WITH PASSWORD %s\", (pending['password'],))\n";
/// The same, and no commit.
const FORGETS: &str = "        conn = admin(current)\n        \
                       conn.cursor().execute(f\"ALTER USER {pending['username']} WITH PASSWORD %s\", \
                       (pending['password'],))\n        conn.close()\n";
const SETS_NOTHING: &str = "        pass\n";
const PUTS_NOTHING: &str = "import boto3\n\
    def lambda_handler(event, context):\n    \
    if event['Step'] == 'createSecret':\n        \
    boto3.client('secretsmanager').put_secret_value(SecretId=event['SecretId'], \
    ClientRequestToken=event['ClientRequestToken'], SecretString='{}')\n";

fn lines(set: &str) -> String {
    set.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn who_is_locked_out_without_any_fault_has_no_grid_and_does_not_pass() {
    if !has("python3") {
        return;
    }
    for (what, folder) in [
        ("sets nothing", single(SETS_NOTHING)),
        ("forgets the commit", single(FORGETS)),
        ("puts an empty secret", function(PUTS_NOTHING)),
    ] {
        let (text, code) = rotate("grid", folder.path(), &[]);
        assert_eq!(code, Some(10), "{what}\n{text}");
        for part in [
            "VIOLATED outage of",
            "is refused with the current version, and nothing is under way",
            "so there is no grid of it",
        ] {
            assert!(flat(&text).contains(part), "{what}: {part}\n{text}");
        }
        let (text, code) = rotate("run", folder.path(), &["--seeds", "0..4"]);
        assert_eq!(code, Some(10), "{what}\n{text}");
    }
}

/// The same fault: one function raises and is invoked again, the other goes on to move the label.
#[test]
fn a_window_is_declared_for_who_raises_and_not_for_who_goes_on() {
    if !has("python3") {
        return;
    }
    let swallows = format!("        try:\n{}        except Exception:\n            pass\n", lines(SETS));
    let (raises, swallows) = (single(SETS), single(&swallows));
    let check = |folder: &Path, strike: &str, expect: i32, saw: &str| {
        let (text, code) = rotate("run", folder, &["--strike", strike]);
        assert_eq!(code, Some(expect), "{strike}\n{text}");
        assert!(flat(&text).contains(saw), "{strike}: {saw}\n{text}");
    };
    check(raises.path(), "1:11:request-lost", 0, "outage within the declared window");
    check(raises.path(), "1:12:reply-lost", 0, "outage within the declared window");
    check(raises.path(), "1:13:never", 0, "outage within the declared window");
    check(swallows.path(), "1:11:request-lost", 10, "also when no rotation was under way");
    // What lands when its successor is over locks out until the next rotation.
    check(raises.path(), "1:12:held", 10, "lands late: commit");
    check(raises.path(), "1:12:held", 10, "also when no rotation was under way");
}
