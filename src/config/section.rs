//! Reading a table key by key. What is wrong is noted and a stand-in goes on, so that one reading finds every problem;
//! a configuration with a problem is never used.

use std::{
    cell::{Cell, RefCell},
    ops::RangeInclusive,
};

use jiff::SignedDuration;
use toml::{Table, Value};

use super::{
    duration,
    overrides::Overrides,
    problem::{ConfigErrors, Problem},
};

/// One reading of a configuration, and what it found.
#[derive(Default)]
pub(super) struct Reading {
    overrides: RefCell<Overrides>,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    /// Whether files with secrets that everybody may read are problems, or only warnings.
    strict: Cell<bool>,
}

impl Reading {
    pub(super) fn new(overrides: Overrides) -> Self {
        Self { overrides: RefCell::new(overrides), ..Self::default() }
    }

    pub(super) fn problem(&self, path: impl Into<String>, sentence: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { path: path.into(), sentence: sentence.into() });
    }

    pub(super) fn warning(&self, path: impl Into<String>, sentence: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem { path: path.into(), sentence: sentence.into() });
    }

    /// A problem in live mode, a warning in test mode.
    pub(super) fn careless(&self, path: impl Into<String>, sentence: impl Into<String>) {
        if self.strict.get() { self.problem(path, sentence) } else { self.warning(path, sentence) }
    }

    pub(super) fn be_strict(&self) {
        self.strict.set(true);
    }

    /// The warnings, when there is no problem.
    pub(super) fn end(self) -> Result<Vec<Problem>, ConfigErrors> {
        for name in self.overrides.borrow().left() {
            self.problem(name, "names no single value of the configuration");
        }
        let problems = self.problems.into_inner();
        if problems.is_empty() { Ok(self.warnings.into_inner()) } else { Err(ConfigErrors(problems)) }
    }
}

/// A table of the file. Keys are taken out; whatever is left at [`Section::end`] is unknown.
pub(super) struct Section<'a> {
    pub(super) reading: &'a Reading,
    path: String,
    table: Table,
    known: Vec<&'static str>,
}

/// A value that was given, where one value is expected.
enum Given {
    File(Value),
    Environment(String),
}

impl<'a> Section<'a> {
    pub(super) fn root(reading: &'a Reading, table: Table) -> Self {
        Self { reading, path: String::new(), table, known: Vec::new() }
    }

    /// The path of `key` in this table.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn problem(&self, key: &str, sentence: impl Into<String>) {
        self.reading.problem(self.path(key), sentence);
    }

    /// Whether `key` is given at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key) || self.reading.overrides.borrow().has(&self.path(key))
    }

    /// A text of the file, to be read again.
    pub(super) fn peek(&self, key: &str) -> Option<String> {
        self.table.get(key).and_then(Value::as_str).map(str::to_owned)
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn given(&mut self, key: &'static str) -> Option<Given> {
        let from_file = self.take(key).map(Given::File);
        let replaced = self.reading.overrides.borrow_mut().take(&self.path(key));
        replaced.map(Given::Environment).or(from_file)
    }

    fn mismatch(&self, key: &str, expected: &str) {
        self.problem(key, format!("{expected} is expected here"));
    }

    /// A text, `None` when it is not there.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.given(key)? {
            Given::Environment(text) | Given::File(Value::String(text)) => Some(text),
            Given::File(_) => {
                self.mismatch(key, "a text in quotes");
                None
            }
        }
    }

    /// What `parse` makes of a text, `None` when it is not there or cannot be read.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        parse(&text).map_err(|sentence| self.problem(key, sentence)).ok()
    }

    /// As [`Section::optional`], and a problem when it is not there.
    pub(super) fn needed<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if !self.has(key) {
            self.problem(key, "is missing");
        }
        self.optional(key, parse)
    }

    /// A whole number within `range`.
    pub(super) fn number(&mut self, key: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        self.optional_number(key, range).unwrap_or(default)
    }

    /// As [`Section::number`], `None` when it is not there or cannot be read.
    pub(super) fn optional_number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = match self.given(key)? {
            Given::Environment(text) => text.parse().ok(),
            Given::File(value) => whole(&value),
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.mismatch(key, &format!("a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// As [`Section::optional_number`], and a problem when it is not there.
    pub(super) fn needed_number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        if !self.has(key) {
            self.problem(key, "is missing");
        }
        self.optional_number(key, range)
    }

    /// A list of whole numbers within `range`, `None` when it is not there.
    pub(super) fn numbers(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<Vec<u64>> {
        let value = self.take(key)?;
        let in_range = |value: &Value| whole(value).filter(|number| range.contains(number));
        let numbers = value.as_array().and_then(|values| values.iter().map(in_range).collect());
        if numbers.is_none() {
            self.mismatch(key, &format!("a list of whole numbers from {} to {}", range.start(), range.end()));
        }
        numbers
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let flag = match self.given(key) {
            None => return default,
            Some(Given::Environment(text)) => text.parse().ok(),
            Some(Given::File(value)) => value.as_bool(),
        };
        flag.unwrap_or_else(|| {
            self.mismatch(key, "true or false");
            default
        })
    }

    /// A duration within `range`.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        default: SignedDuration,
        range: RangeInclusive<SignedDuration>,
    ) -> SignedDuration {
        let duration = self.optional(key, |text| {
            let duration = duration::parse(text)?;
            let within = range.contains(&duration);
            let sentence = || format!("is not between {:#} and {:#}", range.start(), range.end());
            if within { Ok(duration) } else { Err(sentence()) }
        });
        duration.unwrap_or(default)
    }

    /// A list of durations, `None` when it is not there.
    pub(super) fn durations(&mut self, key: &'static str) -> Option<Vec<SignedDuration>> {
        let texts = self.texts(key)?;
        let read = texts.iter().map(|text| duration::parse(text).map_err(|sentence| format!("\"{text}\" {sentence}")));
        read.collect::<Result<_, _>>().map_err(|sentence| self.problem(key, sentence)).ok()
    }

    /// A list of texts, `None` when it is not there.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let Value::Array(values) = self.take(key)? else {
            self.mismatch(key, "a list of texts in quotes");
            return None;
        };
        let texts: Option<Vec<String>> = values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        if texts.is_none() {
            self.mismatch(key, "a list of texts in quotes");
        }
        texts
    }

    /// The table `[key]`, an empty one when it is not there.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'a> {
        let table = match self.take(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.mismatch(key, "a table");
                Table::new()
            }
        };
        Section { reading: self.reading, path: self.path(key), table, known: Vec::new() }
    }

    /// The tables `[[key]]`, each named by its id or code, or by its place where it has none.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let values = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.mismatch(key, &format!("[[{key}]]"));
                Vec::new()
            }
        };
        let mut sections = Vec::new();
        for (place, value) in (1..).zip(values) {
            let Value::Table(table) = value else {
                self.mismatch(key, &format!("[[{key}]]"));
                continue;
            };
            let name = table.get("id").or(table.get("code")).and_then(Value::as_str);
            let name = name.map_or_else(|| place.to_string(), str::to_owned);
            let path = format!("{}[{name}]", self.path(key));
            sections.push(Section { reading: self.reading, path, table, known: Vec::new() });
        }
        sections
    }

    /// Every key that is left is unknown.
    pub(super) fn end(self) {
        for key in self.table.keys() {
            self.problem(key, format!("is no key of this table; there are {}", self.known.join(", ")));
        }
    }
}

fn whole(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|number| u64::try_from(number).ok())
}
