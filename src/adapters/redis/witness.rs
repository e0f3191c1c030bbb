//! Who answered, and how far it had come: what tells a server that forgot from one that did not.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    promises::replicas_needed,
    scripts::{Arguments, Reply, strange},
};

/// A process of redis-server, and the history that it goes on with: another after each failover, and each restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Answering {
    run: String,
    history: String,
}

/// What has been seen of the server so far.
#[derive(Debug, Default)]
pub(super) struct Witness(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    answering: Option<Answering>,
    /// The number of the link over which it was heard.
    link: u64,
    /// Those that answered before it.
    earlier: BTreeSet<Answering>,
    position: u64,
    /// How often it answered with less than it had shown before, or after another had.
    steps_back: u32,
    /// The most replicas that were seen to follow it.
    replicas: u32,
}

/// How far a server was when a question was asked.
pub(super) struct Least {
    of: Option<Answering>,
    position: u64,
    /// By this machine's clock.
    asked: Timestamp,
}

impl Least {
    /// What a change asks of the server that makes it: to be the one that was heard last, and not to be alone.
    pub(super) fn demand(&self, replicas: u32) -> Arguments {
        let (run, history) = self.of.as_ref().map_or(("", ""), |of| (&of.run, &of.history));
        Arguments::new().and(run).and(history).number(replicas_needed(replicas))
    }

    /// When so many events have been made since.
    pub(super) fn and(self, events: usize) -> Self {
        Self { position: self.position.saturating_add(events as u64), ..self }
    }
}

/// Who answers now.
#[derive(Debug)]
pub(super) struct Heard {
    /// The store's name as it is now: another after all that may have lost something.
    pub(super) store: String,
    /// How many replicas it has, by what was seen or is said.
    pub(super) replicas: u32,
    role: String,
    good: u32,
    /// How far this machine's clock is ahead of the server's.
    ahead: SignedDuration,
}

impl Heard {
    /// Whether both clocks show the same time, but for as much as `within`.
    ///
    /// # Errors
    /// A sentence, when they do not.
    pub(super) fn is_on_time(&self, within: SignedDuration) -> Result<(), String> {
        if self.ahead.abs() <= within {
            return Ok(());
        }
        let side = if self.ahead.is_positive() { "ahead of" } else { "behind" };
        let seconds = self.ahead.abs().as_secs();
        Err(format!(
            "this machine's clock is {seconds} s {side} the server's, more than redis.clock_within allows: set it right"
        ))
    }

    /// Whether it may be cut off from those that others take for the store.
    ///
    /// # Errors
    /// A sentence, when it may.
    pub(super) fn is_not_alone(&self) -> Result<(), String> {
        let needed = replicas_needed(self.replicas);
        if self.role != "master" {
            Err(format!("it is no primary but a {}", self.role))
        } else if self.good < needed {
            Err(format!(
                "{} of its {} replicas follow it, and {needed} must: it may be cut off",
                self.good, self.replicas
            ))
        } else {
            Ok(())
        }
    }
}

/// How far this machine's clock is ahead of a server's that said `server` between two moments.
fn ahead(asked: Timestamp, server: Timestamp, answered: Timestamp) -> SignedDuration {
    let early = asked.duration_since(server).max(SignedDuration::ZERO);
    early + answered.duration_since(server).min(SignedDuration::ZERO)
}

impl Witness {
    /// To be held against what is answered to a question asked after this.
    pub(super) fn now(&self) -> Least {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Least { of: seen.answering.clone(), position: seen.position, asked: Timestamp::now() }
    }

    /// How many replicas it has, by what was seen, or `said`.
    pub(super) fn replicas(&self, said: u32) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replicas.max(said)
    }

    /// Takes note of who answered over the latest link, which is to be as far as `least` if nothing was lost, and to have `replicas` at least.
    pub(super) fn hear(&self, store: &str, replicas: u32, least: &Least, reply: &mut Reply) -> Result<Heard, String> {
        let answering = Answering { run: reply.text()?, history: reply.text()? };
        let position = reply.number()?;
        let (role, online, good) = (reply.text()?, reply.number()?, reply.number()?);
        let server = Timestamp::from_microsecond(reply.number()?).map_err(|_| strange())?;
        let ahead = ahead(least.asked, server, Timestamp::now());
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A server that stood still, and was replaced meanwhile, answers as if nothing had been.
        if reply.link < seen.link {
            return Err("a connection that was given up has answered after all".to_owned());
        }
        seen.link = reply.link;
        let is_other = seen.answering.as_ref() != Some(&answering);
        let is_back = is_other && seen.earlier.contains(&answering);
        // The name of one that is new says enough, and is the same to all.
        if is_other && !is_back {
            seen.steps_back = 0;
        } else if is_back || least.of.as_ref() == Some(&answering) && position < least.position {
            seen.steps_back += 1;
            tracing::error!(position, least = least.position, "the store went back");
        }
        if is_other || position < least.position {
            seen.position = position;
        }
        seen.position = seen.position.max(position);
        let Answering { run, history } = &answering;
        let mut name = format!("{store}/{run}/{history}");
        if seen.steps_back > 0 {
            name += &format!("/{}", seen.steps_back);
        }
        if is_other {
            if let Some(before) = seen.answering.replace(answering.clone()) {
                tracing::warn!(run, history, "another server answers for the store, or the same after a restart");
                seen.earlier.insert(before);
            }
            seen.replicas = 0;
        }
        seen.replicas = seen.replicas.max(online);
        Ok(Heard { store: name, replicas: seen.replicas.max(replicas), role, good, ahead })
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    fn reply(link: u64, run: &str, position: u64) -> Reply {
        let now = Timestamp::now().as_microsecond().to_string();
        let texts = [run, "history", &position.to_string(), "master", "0", "0", &now];
        Reply::over(link, Value::Array(texts.map(|text| Value::BulkString(text.as_bytes().to_vec())).to_vec())).unwrap()
    }

    #[test]
    fn a_late_answer_of_one_that_was_replaced_is_none() {
        let witness = Witness::default();
        let hear = |link, run, position| {
            witness.hear("s", 0, &witness.now(), &mut reply(link, run, position)).map(|heard| heard.store)
        };
        assert_eq!(hear(1, "old", 9).unwrap(), "s/old/history");
        assert_eq!(hear(2, "new", 5).unwrap(), "s/new/history");
        assert!(hear(1, "old", 10).unwrap_err().contains("given up"));
        // All that heard of the new one name it alike, whatever else they heard.
        assert_eq!(hear(2, "new", 6).unwrap(), "s/new/history");
        assert_eq!(hear(3, "new", 7).unwrap(), "s/new/history");
        // One that is really back is another.
        assert_eq!(hear(4, "old", 10).unwrap(), "s/old/history/1");
    }

    #[test]
    fn a_clock_is_off_by_what_no_waiting_explains() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (server, off) in [(95, 5), (100, 0), (105, 0), (110, 0), (112, -2)] {
            assert_eq!(ahead(at(100), at(server), at(110)).as_secs(), off, "{server}");
        }
        let heard = |ahead| {
            let (store, role) = (String::new(), "master".to_owned());
            Heard { store, replicas: 0, role, good: 0, ahead: SignedDuration::from_secs(ahead) }
        };
        let within = SignedDuration::from_secs(30);
        assert!([-30, 0, 30].map(heard).iter().all(|heard| heard.is_on_time(within).is_ok()));
        assert!(heard(31).is_on_time(within).unwrap_err().contains("31 s ahead of the server's"));
        assert!(heard(-31).is_on_time(within).unwrap_err().contains("31 s behind the server's"));
    }
}
