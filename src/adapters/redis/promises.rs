//! What a server must promise before real money is trusted to it: that it keeps what it has answered, drops nothing to
//! make room, and takes no changes while it may be cut off from its replicas.

use std::collections::BTreeMap;

use ::redis::{Cmd, Value};

use super::scripts::strange;

/// The longest silence of a replica that still counts, in seconds. 0 would count none.
const LONGEST_LAG: u32 = 10;

/// What must be set, whatever follows. While it rewrites its file, `no-appendfsync-on-rewrite` would leave out what
/// `appendfsync` promises.
const KEPT: [(&str, &str); 4] = [
    ("appendonly", "yes"),
    ("appendfsync", "always"),
    ("no-appendfsync-on-rewrite", "no"),
    ("maxmemory-policy", "noeviction"),
];

/// How many replicas must follow a primary that has so many: with them it is more than half of all servers, so that of two
/// sides of a split only one can take changes. 1 of 1 or 2, 2 of 3 or 4.
pub(super) fn replicas_needed(replicas: u32) -> u32 {
    replicas.div_ceil(2)
}

pub(super) fn question() -> Cmd {
    let mut ask = Cmd::new();
    ask.arg("CONFIG").arg("GET");
    for name in KEPT.map(|(name, _)| name).iter().chain(&["min-replicas-to-write", "min-replicas-max-lag"]) {
        ask.arg(name);
    }
    ask
}

/// What would have to be set of a server that has so many replicas, as lines of redis.conf; none when all is well.
pub(super) fn missing(answer: Value, replicas: u32) -> Result<Vec<String>, String> {
    let known: BTreeMap<String, String> = ::redis::from_redis_value(answer).map_err(|_| strange())?;
    let is = |name: &str| known.get(name).map(String::as_str).unwrap_or_default();
    let unlike = KEPT.iter().filter(|(name, wanted)| is(name) != *wanted);
    let mut missing: Vec<String> = unlike.map(|(name, wanted)| format!("{name} {wanted}")).collect();
    let needed = replicas_needed(replicas);
    let number = |name| is(name).parse::<u32>().unwrap_or_default();
    if number("min-replicas-to-write") < needed {
        missing.push(format!("min-replicas-to-write {needed}"));
    }
    if needed > 0 && !(1..=LONGEST_LAG).contains(&number("min-replicas-max-lag")) {
        missing.push(format!("min-replicas-max-lag {LONGEST_LAG}"));
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(pairs: &[(&str, &str)]) -> Value {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        Value::Array(pairs.iter().flat_map(|(name, value)| [text(name), text(value)]).collect())
    }

    #[test]
    fn of_two_sides_of_a_split_one_has_too_few() {
        for replicas in 0..9 {
            let servers = replicas + 1;
            let side = replicas_needed(replicas) + 1;
            assert!(2 * side > servers, "{replicas}");
        }
        assert_eq!([0, 1, 2, 3, 4].map(replicas_needed), [0, 1, 1, 2, 2]);
    }

    #[test]
    fn what_is_missing_is_said_as_it_is_set() {
        let good = KEPT;
        assert_eq!(missing(answer(&good), 0), Ok(Vec::new()));
        let follows = ["min-replicas-to-write 2", "min-replicas-max-lag 10"].map(str::to_owned).to_vec();
        assert_eq!(missing(answer(&good), 3), Ok(follows));
        let guarded = [good.as_slice(), &[("min-replicas-to-write", "2"), ("min-replicas-max-lag", "10")]].concat();
        assert_eq!(missing(answer(&guarded), 4), Ok(Vec::new()));
        let weak = [
            ("appendonly", "no"),
            ("appendfsync", "everysec"),
            ("no-appendfsync-on-rewrite", "yes"),
            ("maxmemory-policy", "allkeys-lru"),
        ];
        let wanted =
            ["appendonly yes", "appendfsync always", "no-appendfsync-on-rewrite no", "maxmemory-policy noeviction"];
        assert_eq!(missing(answer(&weak), 0), Ok(wanted.map(str::to_owned).to_vec()));
    }
}
