//! A table of comma- or semicolon-separated values (RFC 4180) with named columns, and where in it something is wrong.

use crate::domain::fault::{Fault, FaultKind};

/// The most faults that are told of one file.
const MAX_FAULTS: usize = 20;

/// A file's lines below its header, each with the cells of the columns that were asked for, in their order.
pub(super) struct Table {
    pub(super) lines: Vec<Line>,
}

/// One line.
pub(super) struct Line {
    /// Counted from 1, the header's included; of a line with line breaks in its cells, the first.
    pub(super) number: u32,
    pub(super) cells: Vec<String>,
}

/// Gathers what is wrong, up to a bound.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Something is wrong at a line, in a column unless it is the whole line.
    pub(super) fn add(&mut self, line: u32, column: &str, kind: FaultKind) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(at(line, column, kind));
        }
    }

    pub(super) fn take<T>(&mut self, line: u32, column: &str, found: Result<T, FaultKind>) -> Option<T> {
        found.map_err(|kind| self.add(line, column, kind)).ok()
    }

    pub(super) fn end<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// `/12/amount`: the line, then the column.
fn at(line: u32, column: &str, kind: FaultKind) -> Fault {
    let pointer = if column.is_empty() { format!("/{line}") } else { format!("/{line}/{column}") };
    Fault::new(pointer, kind)
}

impl Table {
    /// Reads a file; `columns` must all be there, in any order. Others are passed over.
    pub(super) fn read(bytes: &[u8], columns: &[&'static str]) -> Result<Self, Vec<Fault>> {
        let text = text_of(bytes).map_err(|fault| vec![fault])?;
        let header_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let separator = if header_line.contains(';') { ';' } else { ',' };
        let mut lines = lines_of(text, separator).map_err(|fault| vec![fault])?.into_iter();
        let empty = || vec![at(1, "", FaultKind::Missing)];
        let header = lines.next().ok_or_else(empty)?;
        let names: Vec<String> = header.cells.iter().map(|cell| cell.to_ascii_lowercase()).collect();
        let mut faults = Faults::default();
        let mut places = Vec::new();
        for column in columns {
            let mut found = names.iter().enumerate().filter(|(_, name)| name == column);
            match (found.next(), found.next()) {
                (Some((place, _)), None) => places.push(place),
                (Some(_), Some(_)) => faults.add(header.number, column, FaultKind::DuplicateId),
                (None, _) => faults.add(header.number, column, FaultKind::Missing),
            }
        }
        faults.end(())?;
        let mut faults = Faults::default();
        let mut picked = Vec::new();
        for line in lines {
            if line.cells.len() == names.len() {
                let cells = places.iter().map(|place| line.cells.get(*place).cloned().unwrap_or_default());
                picked.push(Line { number: line.number, cells: cells.collect() });
            } else {
                faults.add(line.number, "", FaultKind::UnevenLine { cells: names.len() });
            }
        }
        if picked.is_empty() && faults.0.is_empty() {
            faults.add(header.number.saturating_add(1), "", FaultKind::Missing);
        }
        faults.end(Self { lines: picked })
    }
}

/// The text without its mark of byte order; or the first line that is none.
fn text_of(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        at(number_of(1 + good.iter().filter(|byte| **byte == b'\n').count()), "", FaultKind::NotUtf8)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn number_of(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// Where the reader stands in a cell.
enum Within {
    Start,
    Plain,
    Quotes,
    /// After the quote that ends a cell, unless another follows.
    AfterQuotes,
}

/// Every line that is not blank, its cells without the blanks around them.
fn lines_of(text: &str, separator: char) -> Result<Vec<Line>, Fault> {
    let mut lines = Vec::new();
    let (mut cells, mut cell) = (Vec::<String>::new(), String::new());
    let (mut number, mut begun_at) = (1_usize, 1_usize);
    let mut within = Within::Start;
    for character in text.chars().chain(std::iter::once('\n')) {
        let ends_line = character == '\n';
        match (&within, character) {
            (Within::Quotes, '"') => within = Within::AfterQuotes,
            // The end of the file that was put there is within the quotes.
            (Within::Quotes, other) => cell.push(other),
            (Within::AfterQuotes, '"') => {
                cell.push('"');
                within = Within::Quotes;
            }
            (Within::Start, '"') => within = Within::Quotes,
            (Within::Start, ' ' | '\t') => {}
            (_, '\n') => {
                cells.push(cell.trim().to_owned());
                cell.clear();
                if cells.iter().any(|cell| !cell.is_empty()) {
                    lines.push(Line { number: number_of(begun_at), cells: std::mem::take(&mut cells) });
                }
                cells.clear();
                begun_at = number.saturating_add(1);
                within = Within::Start;
            }
            (_, other) if other == separator => {
                cells.push(cell.trim().to_owned());
                cell.clear();
                within = Within::Start;
            }
            (Within::AfterQuotes, '\r' | ' ' | '\t') => {}
            (Within::AfterQuotes, _) => return Err(at(number_of(begun_at), "", FaultKind::QuotesOpen)),
            (Within::Start | Within::Plain, other) => {
                cell.push(other);
                within = Within::Plain;
            }
        }
        if ends_line {
            number = number.saturating_add(1);
        }
    }
    match within {
        Within::Quotes => Err(at(number_of(begun_at), "", FaultKind::QuotesOpen)),
        Within::Start | Within::Plain | Within::AfterQuotes => Ok(lines),
    }
}
