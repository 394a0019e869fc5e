//! PostgreSQL's words that are no plain names.
//!
//! It exists for `quote_ident`, which quotes them all, and for functions that forget to: a reserved
//! word in the place of a user is an error of syntax.
//!
//! Source: `pg_get_keywords()` of PostgreSQL 15.

/// Cannot be a name unless quoted.
pub fn is_reserved(word: &str) -> bool {
    RESERVED.split_whitespace().any(|reserved| reserved == word)
}

/// As PostgreSQL's function of this name: quoted if it must be.
pub fn quote_ident(name: &str) -> String {
    let plain = name.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '_')
        && name.chars().next().is_some_and(|each| !each.is_ascii_digit())
        && !is_reserved(name)
        && !HALF_RESERVED.split_whitespace().any(|word| word == name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// As PostgreSQL's function of this name.
pub fn quote_literal(text: &str) -> String {
    let quoted = format!("'{}'", text.replace('\'', "''"));
    if text.contains('\\') { format!("E{}", quoted.replace('\\', "\\\\")) } else { quoted }
}

const RESERVED: &str = "all analyse analyze and any array as asc asymmetric both case cast check collate \
    column constraint create current_catalog current_date current_role current_time current_timestamp \
    current_user default deferrable desc distinct do else end except false fetch for foreign from grant \
    group having in initially intersect into lateral leading limit localtime localtimestamp not null offset \
    on only or order placing primary references returning select session_user some symmetric table then to \
    trailing true union unique user using variadic when where window with";

/// Names of functions and types: a user may be called so, and is quoted all the same.
const HALF_RESERVED: &str = "authorization between bigint binary bit boolean char character coalesce \
    collation concurrently cross current_schema dec decimal exists extract float freeze full greatest \
    grouping ilike inner inout int integer interval is isnull join least left like national natural nchar \
    none normalize notnull nullif numeric out outer overlaps overlay position precision real right row setof \
    similar smallint substring tablesample time timestamp treat trim values varchar verbose xmlattributes \
    xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable";
