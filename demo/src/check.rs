//! Reading answers and comparing them with what has to be: every difference says what was expected and what was seen.

use std::fmt::Debug;

use serde_json::Value;

use crate::trouble::{Outcome, Trouble};

/// `seen` has to be `expected`.
pub(crate) fn equal<T: PartialEq + Debug>(what: &str, seen: T, expected: T) -> Outcome<()> {
    if seen == expected { Ok(()) } else { Err(Trouble::of(format!("{what}: expected {expected:?}, saw {seen:?}"))) }
}

/// `holds` has to be true; `seen` is told when it is not.
pub(crate) fn holds(what: &str, holds: bool, seen: impl Debug) -> Outcome<()> {
    if holds { Ok(()) } else { Err(Trouble::of(format!("{what}: not so, saw {seen:?}"))) }
}

/// The value at a JSON Pointer.
pub(crate) fn at<'a>(document: &'a Value, pointer: &str) -> Outcome<&'a Value> {
    document.pointer(pointer).ok_or_else(|| Trouble::of(format!("nothing at {pointer} of {document}")))
}

/// The text at a JSON Pointer.
pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> Outcome<&'a str> {
    at(document, pointer)?.as_str().ok_or_else(|| Trouble::of(format!("no text at {pointer} of {document}")))
}

/// The whole number at a JSON Pointer.
pub(crate) fn number(document: &Value, pointer: &str) -> Outcome<i64> {
    at(document, pointer)?.as_i64().ok_or_else(|| Trouble::of(format!("no whole number at {pointer} of {document}")))
}

/// The list at a JSON Pointer.
pub(crate) fn list<'a>(document: &'a Value, pointer: &str) -> Outcome<&'a [Value]> {
    let list = at(document, pointer)?.as_array();
    list.map(Vec::as_slice).ok_or_else(|| Trouble::of(format!("no list at {pointer} of {document}")))
}

/// The only element of a list.
pub(crate) fn only<'a>(what: &str, list: &[&'a Value]) -> Outcome<&'a Value> {
    match list {
        [only] => Ok(*only),
        _ => Err(Trouble::of(format!("{what}: expected exactly one, saw {}", list.len()))),
    }
}
