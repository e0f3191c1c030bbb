//! Reading JSON that may lack what is looked for, where that is no fault: nothing there reads as empty.

use serde_json::Value;

pub(crate) trait Document {
    /// The text at a JSON Pointer; empty when there is none.
    fn said(&self, pointer: &str) -> &str;
    /// The whole number at a JSON Pointer.
    fn number(&self, pointer: &str) -> Option<i64>;
    /// The elements of the list at a JSON Pointer; none when there is no list.
    fn items(&self, pointer: &str) -> &[Value];
    /// What is at a JSON Pointer, as it is written; empty when there is nothing.
    fn written(&self, pointer: &str) -> String;
}

impl Document for Value {
    fn said(&self, pointer: &str) -> &str {
        self.pointer(pointer).and_then(Self::as_str).unwrap_or_default()
    }

    fn number(&self, pointer: &str) -> Option<i64> {
        self.pointer(pointer).and_then(Self::as_i64)
    }

    fn items(&self, pointer: &str) -> &[Value] {
        self.pointer(pointer).and_then(Self::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn written(&self, pointer: &str) -> String {
        self.pointer(pointer).map(ToString::to_string).unwrap_or_default()
    }
}
