//! The scripts: what runs on the server, each whole or not at all, and what it answers.

use ::redis::{Cmd, Value};
use sha1::{Digest, Sha1};

/// A script and the name it is called by, the digest of its source.
pub(super) struct Script {
    pub(super) source: &'static str,
    /// Whether it changes nothing, and so may be asked again when its answer was lost.
    pub(super) reads: bool,
}

/// Refused by the server, before they begin, wherever nothing can be written.
macro_rules! writing {
    ($($file:literal),+) => {
        Script {
            source: concat!("#!lua\n", include_str!("common.lua"), include_str!("here.lua"), $(include_str!($file)),+),
            reads: false,
        }
    };
}
/// Run even where nothing can be written any more.
macro_rules! reading {
    ($file:literal) => {
        Script {
            source: concat!("#!lua flags=no-writes\n", include_str!("common.lua"), include_str!($file)),
            reads: true,
        }
    };
}

pub(super) static OPEN: Script = Script { source: concat!("#!lua\n", include_str!("open.lua")), reads: false };
pub(super) static MOVE: Script =
    Script { source: concat!("#!lua\n", include_str!("common.lua"), include_str!("move.lua")), reads: false };
pub(super) static COMMIT: Script = writing!("labels.lua", "commit.lua");
pub(super) static KEEP: Script = writing!("keep.lua");
pub(super) static RESERVE: Script = writing!("reserve.lua");
pub(super) static SKIP: Script = writing!("skip.lua");
pub(super) static FORGET: Script = writing!("forget.lua");
pub(super) static LEASE: Script = writing!("lease.lua");
pub(super) static RATE: Script = writing!("rate.lua");
pub(super) static FILL: Script = writing!("labels.lua", "fill.lua");
pub(super) static ROWS: Script = reading!("rows.lua");
pub(super) static HEALTH: Script = writing!("health.lua");
pub(super) static GET: Script = reading!("get.lua");
pub(super) static DUE: Script = reading!("due.lua");
pub(super) static LIST: Script = reading!("list.lua");
pub(super) static TALLY: Script = reading!("tally.lua");
pub(super) static FEED: Script = reading!("feed.lua");
pub(super) static HISTORY: Script = reading!("history.lua");
pub(super) static MARK: Script = reading!("mark.lua");
pub(super) static CALLBACKS: Script = reading!("callbacks.lua");

/// All that are loaded as soon as a server is reached.
pub(super) static ALL: [&Script; 20] = [
    &OPEN, &MOVE, &SKIP, &COMMIT, &KEEP, &RESERVE, &FORGET, &LEASE, &RATE, &HEALTH, &GET, &DUE, &LIST, &TALLY, &FEED,
    &HISTORY, &MARK, &CALLBACKS, &FILL, &ROWS,
];

impl Script {
    pub(super) fn load(&self) -> Cmd {
        let mut load = Cmd::new();
        load.arg("SCRIPT").arg("LOAD").arg(self.source);
        load
    }

    /// The call on the store whose record is `record`. Its key is named, so that a cluster's server which does not hold
    /// it says so instead.
    pub(super) fn call(&self, record: &str, arguments: &Arguments) -> Cmd {
        let name: String = Sha1::digest(self.source).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut call = Cmd::new();
        call.arg("EVALSHA").arg(name).arg(1).arg(record);
        for argument in &arguments.0 {
            call.arg(argument.as_slice());
        }
        call
    }
}

/// What a script takes, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments(Vec<Vec<u8>>);

impl Arguments {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn push(&mut self, argument: impl AsRef<[u8]>) {
        self.0.push(argument.as_ref().to_vec());
    }

    pub(super) fn and(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.push(argument);
        self
    }

    pub(super) fn number(self, number: impl ToString) -> Self {
        self.and(number.to_string())
    }

    /// These behind `first`.
    pub(super) fn behind(self, first: &str) -> Self {
        let mut all = Self::new().and(first);
        all.0.extend(self.0);
        all
    }
}

/// What a script answered, taken apart in its order.
pub(super) struct Reply {
    values: std::vec::IntoIter<Value>,
    /// The number of the link it came over.
    pub(super) link: u64,
}

/// What is said of an answer of another shape than its script gives.
const STRANGE: &str = "the answer is of another shape than expected";

impl Reply {
    pub(super) fn new(value: Value) -> Result<Self, String> {
        let Value::Array(values) = value else { return Err(STRANGE.to_owned()) };
        Ok(Self { values: values.into_iter(), link: 0 })
    }

    pub(super) fn over(link: u64, value: Value) -> Result<Self, String> {
        Ok(Self { link, ..Self::new(value)? })
    }

    /// `None` at the end, or where nothing stands.
    pub(super) fn bytes(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.values.next() {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
            Some(Value::SimpleString(text)) => Ok(Some(text.into_bytes())),
            Some(Value::Int(number)) => Ok(Some(number.to_string().into_bytes())),
            Some(_) => Err(STRANGE.to_owned()),
        }
    }

    pub(super) fn maybe(&mut self) -> Result<Option<String>, String> {
        self.bytes()?.map(|bytes| String::from_utf8(bytes).map_err(|_| STRANGE.to_owned())).transpose()
    }

    pub(super) fn text(&mut self) -> Result<String, String> {
        self.maybe()?.ok_or_else(|| STRANGE.to_owned())
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        self.text()?.parse().map_err(|_| STRANGE.to_owned())
    }

    /// The lists in a list.
    pub(super) fn lists(&mut self) -> Result<Vec<Self>, String> {
        let lists = self.values.next().ok_or_else(|| STRANGE.to_owned())?;
        Self::new(lists)?.values.map(Self::new).collect()
    }

    /// Whether the script found that the store it was meant for is not there.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.values.as_slice(), [Value::BulkString(why)] if why == b"gone")
    }

    /// Where the store was moved, when a script was not run for that.
    pub(super) fn moved(&self) -> Option<String> {
        match self.values.as_slice() {
            [Value::BulkString(why), Value::BulkString(text)] if why == b"moved" => {
                Some(String::from_utf8_lossy(text).into_owned())
            }
            _ => None,
        }
    }

    pub(super) fn has_more(&self) -> bool {
        self.values.len() > 0
    }
}

pub(super) fn strange() -> String {
    STRANGE.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_whole_and_another() {
        let mut sources: Vec<&str> = ALL.iter().map(|script| script.source).collect();
        assert!(sources.iter().all(|source| source.starts_with("#!lua") && source.contains("return")));
        sources.sort_unstable();
        sources.dedup();
        assert_eq!(sources.len(), ALL.len());
    }
}
