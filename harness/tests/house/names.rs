//! Never 1: what the core's source may not even name.
//!
//! Clippy's bans hold resolved paths; this reads the text, so that a macro, a renamed import or a
//! file that no target compiles cannot hide a name. Comments are free to say what is not used.

use crate::{files, read};

/// Crates that are told the time and given randomness.
const CORE: &[&str] = &["sim/rotation", "sim/environment", "model/spec"];

/// Names that none of them may contain, as whole identifiers.
const IDENTIFIERS: &[&str] =
    &["madsim", "tokio", "stateright", "rand", "getrandom", "async", "HashMap", "HashSet"];

/// Modules of `std` that none of them may name.
const MODULES: &[&str] = &["time", "thread", "fs", "net", "env", "process"];

#[test]
fn the_core_names_no_clock_randomness_thread_file_or_network() {
    for folder in CORE {
        let prefix = format!("{folder}/src/");
        let sources: Vec<String> =
            files().into_iter().filter(|file| file.starts_with(&prefix) && file.ends_with(".rs")).collect();
        assert!(!sources.is_empty(), "{folder} has sources");
        for source in sources {
            let named = forbidden(&read(&source));
            assert!(named.is_empty(), "{source} names {named:?}");
        }
    }
}

#[test]
fn forbidden_names_are_found_however_they_are_spelled() {
    for (text, expect) in [
        ("use std::time::Instant;", vec!["std::time"]),
        ("use std :: { fmt, thread as t };", vec!["std::thread"]),
        ("use std::{collections::{BTreeMap, HashMap}, net};", vec!["HashMap", "std::net"]),
        ("let x = ::std::fs::read(p);", vec!["std::fs"]),
        ("use core::{fmt}; use rand_chacha::X; let brand = operand;", vec![]),
        ("// std::time and rand\n/// tokio\nuse std::fmt; // madsim", vec![]),
        ("let x = rand::random();", vec!["rand"]),
        ("use tumbler_types::{time, thread};", vec![]),
        ("let time = std::cmp::min(a, b); net.fs(env);", vec![]),
    ] {
        assert_eq!(forbidden(text), expect, "{text}");
    }
}

/// What a source names that it may not, sorted.
fn forbidden(text: &str) -> Vec<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let tokens = tokens(&code);
    let mut found: Vec<String> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if IDENTIFIERS.contains(&token.as_str()) {
            found.push(token.clone());
        }
        if token == "std" && tokens.get(index + 1).is_some_and(|next| next == "::") {
            let modules = first_segments(&tokens[index + 2..]);
            let banned = modules.into_iter().filter(|module| MODULES.contains(&module.as_str()));
            found.extend(banned.map(|module| format!("std::{module}")));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The segments that directly follow `std::`, one or a braced group of them.
fn first_segments(tokens: &[String]) -> Vec<String> {
    match tokens.first().map(String::as_str) {
        Some("{") => {}
        Some(module) => return vec![module.to_owned()],
        None => return Vec::new(),
    }
    let mut depth = 0;
    let mut segments = Vec::new();
    let mut starts = false;
    for token in tokens {
        match token.as_str() {
            "{" => {
                depth += 1;
                starts = depth == 1;
            }
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            "," => starts = depth == 1,
            other if starts => {
                segments.push(other.to_owned());
                starts = false;
            }
            _ => {}
        }
    }
    segments
}

/// Identifiers, `::`, and single other characters.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |each: char| each.is_alphanumeric() || each == '_';
        let length = if is_word(first) {
            rest.find(|each| !is_word(each)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}
