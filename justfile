# One visible cargo command per recipe. `just` alone lists them.

# Lists the recipes.
default:
    just --list

# What CI runs, installing nothing.
check:
    bash .ci/run --no-install

# Everything that is a `#[test]`.
test *arguments:
    cargo test --workspace {{arguments}}

# Formats what `check` would refuse.
format:
    cargo fmt --all

# Lints, warnings refused.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# The suite `smoke`, or what is named.
run *arguments:
    cargo run --release -- run {{arguments}}

# Every planted bug is caught.
planted *arguments:
    cargo run --release -- run planted {{arguments}}

# A capsule, or a scenario with `--seed N`, again.
replay *arguments:
    cargo run --release -- replay {{arguments}}

# What led to a capsule's failure, on one screen.
explain *arguments:
    cargo run --release -- explain {{arguments}}

# The specification, searched exhaustively.
model *arguments:
    cargo run --release -- check {{arguments}}

# The engines beside Spin, over the same steps. Needs `spin` and a C compiler.
spin:
    cargo run --release --package tumbler --example spin

# Ratios and costs, beside madsim's own.
bench *arguments:
    cargo bench --package tumbler --bench speed {{arguments}}

# Patches to the system, each of which `smoke` has to find. Slow: builds a scratch copy per patch.
mutants *arguments:
    cargo run --release --package tumbler --example mutants -- {{arguments}}

# What share of a corpus of capsules survives harmless edits. Slow: builds a scratch copy per patch.
survival *arguments:
    cargo run --release --package tumbler --example survival -- {{arguments}}

# The files that tests compare with tables, written anew.
bless:
    TUMBLER_BLESS=1 cargo test --package tumbler --test house bans
