//! Who may depend on whom, compared with what cargo says.
//!
//! Dev- and build-dependencies count: a test that sees more than its crate may see would hold the
//! crate to what it cannot keep. Cargo.lock is read as well, for what comes in behind our backs.

use crate::{read, root};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};

/// Our crates, and which of ours each may see.
const OURS: &[(&str, &[&str])] = &[
    ("tumbler-types", &[]),
    ("tumbler-wire", &["tumbler-types"]),
    ("tumbler-rotation", &["tumbler-types", "tumbler-wire"]),
    ("tumbler-environment", &["tumbler-types", "tumbler-wire"]),
    ("tumbler-plan", &["tumbler-types"]),
    ("tumbler-foreign", &["tumbler-plan", "tumbler-types"]),
    ("tumbler-world", &["tumbler-plan", "tumbler-spec", "tumbler-types", "tumbler-wire"]),
    ("tumbler-spec", &["tumbler-types"]),
    ("tumbler-checker", &["tumbler-plan", "tumbler-spec", "tumbler-types"]),
    ("tumbler-scenarios", &["tumbler-plan", "tumbler-types"]),
    ("tumbler-reports", &["tumbler-plan", "tumbler-types"]),
    (
        "tumbler",
        &[
            "tumbler-checker",
            "tumbler-environment",
            "tumbler-foreign",
            "tumbler-plan",
            "tumbler-reports",
            "tumbler-rotation",
            "tumbler-scenarios",
            "tumbler-spec",
            "tumbler-types",
            "tumbler-wire",
            "tumbler-world",
        ],
    ),
];

/// Others' crates, and which of ours may use each outside of tests.
const OTHERS: &[(&str, &[&str])] = &[
    ("blake3", &["tumbler-plan"]),
    ("clap", &["tumbler"]),
    ("clap_complete", &["tumbler"]),
    ("clap_mangen", &["tumbler"]),
    ("csv", &["tumbler-reports"]),
    ("derive_more", &["tumbler-types"]),
    ("futures-channel", &["tumbler-world"]),
    ("futures-util", &["tumbler-world"]),
    ("indicatif", &["tumbler"]),
    ("madsim", &["tumbler-world"]),
    ("minicbor", &["tumbler-wire", "tumbler-world"]),
    ("rand_chacha", &["tumbler-plan"]),
    ("rustix", &["tumbler"]),
    ("serde", &["tumbler", "tumbler-plan", "tumbler-reports", "tumbler-scenarios", "tumbler-types"]),
    ("serde_json", &["tumbler", "tumbler-foreign", "tumbler-plan", "tumbler-reports"]),
    ("shlex", &["tumbler"]),
    ("siphasher", &["tumbler-plan", "tumbler-wire"]),
    ("stateright", &["tumbler-checker"]),
    ("thiserror", &["tumbler", "tumbler-plan", "tumbler-reports", "tumbler-scenarios"]),
    ("tokio", &["tumbler"]),
    ("toml", &["tumbler", "tumbler-reports", "tumbler-scenarios"]),
    ("tracing", &["tumbler"]),
    ("tracing-subscriber", &["tumbler"]),
    ("zeroize", &["tumbler-types", "tumbler-wire"]),
];

/// Others' crates that any of ours may use in tests.
const TESTING: &[&str] =
    &["cargo_metadata", "insta", "jsonschema", "proptest", "roxmltree", "serde_json", "tempfile", "toml"];

/// Sources of entropy that madsim cannot intercept: they call the kernel directly.
const UNSEEN_ENTROPY: &[&str] = &["rand 0.8", "getrandom 0.2", "getrandom 0.1", "ring 0"];

#[test]
fn our_crates_see_only_whom_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = OURS.iter().copied().collect();
    let packages = packages();
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, table.keys().copied().collect(), "the workspace's crates are those of the table");
    for package in &packages {
        let seen = package.dependencies.iter().map(|dependency| dependency.name.as_str());
        let beyond: Vec<&str> = seen
            .filter(|name| table.contains_key(name) && !table[package.name.as_str()].contains(name))
            .collect();
        assert!(beyond.is_empty(), "{} sees {beyond:?}", package.name);
    }
}

#[test]
fn others_crates_are_used_only_where_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = OTHERS.iter().copied().collect();
    let ours: BTreeSet<&str> = OURS.iter().map(|(name, _)| *name).collect();
    for package in &packages() {
        for dependency in &package.dependencies {
            let (user, name) = (package.name.as_str(), dependency.name.as_str());
            if ours.contains(name) {
                continue;
            }
            let in_tests = dependency.kind == DependencyKind::Development && TESTING.contains(&name);
            let allowed = in_tests || table.get(name).is_some_and(|users| users.contains(&user));
            assert!(allowed, "{user} depends on {name} ({:?}): not in the table", dependency.kind);
        }
    }
}

#[test]
fn entropy_that_the_sandbox_cannot_see_comes_in_through_madsim_only() {
    let locked = locked();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = OURS.iter().map(|(name, _)| format!("{name} 0.1.0")).collect();
    while let Some(package) = open.pop() {
        let dependencies = locked.get(&package).unwrap_or_else(|| panic!("{package} stands in Cargo.lock"));
        if !package.starts_with("madsim") && reached.insert(package) {
            open.extend(dependencies.iter().cloned());
        }
    }
    assert!(reached.len() > 100, "the lock file was followed");
    let unseen: Vec<&String> = reached
        .iter()
        .filter(|package| UNSEEN_ENTROPY.iter().any(|name| package.starts_with(name)))
        .collect();
    assert!(unseen.is_empty(), "{unseen:?} come in beside madsim");
}

/// The workspace's own packages. No dependency is resolved, so nothing has to be downloaded.
fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes its own workspace");
    metadata.packages
}

/// "name version" of every locked package, with those that it depends on.
fn locked() -> BTreeMap<String, Vec<String>> {
    let lock: toml::Table = read("Cargo.lock").parse().expect("Cargo.lock is TOML");
    let text = |package: &toml::Value, key: &str| {
        package.get(key).and_then(toml::Value::as_str).map(str::to_owned).expect("each package has it")
    };
    let packages = lock.get("package").and_then(toml::Value::as_array).expect("the lock file lists packages");
    let versions: BTreeMap<String, String> =
        packages.iter().map(|package| (text(package, "name"), text(package, "version"))).collect();
    let full = |dependency: &str| {
        let mut parts = dependency.split(' ');
        let name = parts.next().expect("a split has a first part");
        let version = parts.next().unwrap_or_else(|| &versions[name]);
        format!("{name} {version}")
    };
    let dependencies = |package: &toml::Value| {
        let listed = package.get("dependencies").and_then(toml::Value::as_array);
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        listed.iter().filter_map(toml::Value::as_str).map(full).collect()
    };
    packages
        .iter()
        .map(|package| {
            (format!("{} {}", text(package, "name"), text(package, "version")), dependencies(package))
        })
        .collect()
}
