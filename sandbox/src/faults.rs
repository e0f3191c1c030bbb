//! Misbehaviour on demand. A test scripts faults; each matches some event, fires a number of times and is counted, so
//! that the test can also prove that it happened. Chaos draws the same faults from a seed.

use crate::random::percent_of;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One of the two hosts that each service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    Main,
    Backup,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum HostMatch {
    Main,
    Backup,
    #[default]
    Both,
}

impl HostMatch {
    fn covers(self, host: Host) -> bool {
        match self {
            Self::Main => host == Host::Main,
            Self::Backup => host == Host::Backup,
            Self::Both => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Ipn,
    Direct,
    /// `/load.html` of the page hosts and of the direct hosts.
    Load,
    Page,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    // Notifications.
    Lose,
    Double,
    /// Held until the next notification has been sent (or `ms` have passed), so that the two arrive the other way round.
    Reverse,
    BadSignature,
    // Server-to-server questions.
    DropBeforeCommit,
    DropAfterCommit,
    /// The operation itself is only made after `ms`, whether or not anyone still waits.
    DelayBeforeCommit,
    #[serde(rename = "http_500")]
    Http500,
    Garbage,
    /// A well-formed HTTP answer whose text stops half-way.
    Truncate,
    /// The connection breaks in the middle of the answer.
    Cut,
    DoubleBody,
    WrongEcho,
    Code,
    // Several targets.
    Delay,
    /// Connections are closed as soon as they are accepted, and open ones at their next request.
    Dead,
    // Availability page.
    Ko,
    Slow,
}

impl Action {
    fn fits(self, target: Target) -> bool {
        match self {
            Self::Lose | Self::Double | Self::Reverse | Self::BadSignature => target == Target::Ipn,
            Self::DropBeforeCommit
            | Self::DropAfterCommit
            | Self::DelayBeforeCommit
            | Self::Http500
            | Self::Garbage
            | Self::Truncate
            | Self::Cut
            | Self::DoubleBody
            | Self::WrongEcho
            | Self::Code => target == Target::Direct,
            Self::Delay => matches!(target, Target::Ipn | Target::Direct | Target::Page),
            Self::Dead => matches!(target, Target::Direct | Target::Load | Target::Page),
            Self::Ko | Self::Slow => target == Target::Load,
        }
    }
}

/// A fault as scripted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    pub target: Target,
    #[serde(default)]
    pub host: HostMatch,
    /// The TYPE of a question; any when absent.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// How the reference begins; any when absent.
    #[serde(default)]
    pub reference: Option<String>,
    /// How the REFABONNE begins; any when absent.
    #[serde(default)]
    pub subscriber: Option<String>,
    /// How many matching events pass unharmed before the first one is struck.
    #[serde(default)]
    pub skip: u32,
    pub action: Action,
    #[serde(default)]
    pub ms: u64,
    #[serde(default)]
    pub code: Option<String>,
    /// Whether the operation is made although the answer lies. Only for `http_500` and `code`, where it is false by
    /// default, and `garbage`, `truncate`, `cut`, `double_body`, `wrong_echo`, where it is true.
    #[serde(default)]
    pub commit: Option<bool>,
    /// Whether a lying `code` without commit uses the NUMQUESTION up all the same; true by default.
    #[serde(default)]
    pub burns: Option<bool>,
    /// How often it fires; absent means once for notifications and questions, without end for `load`, `page` and `dead`.
    #[serde(default, alias = "count")]
    pub times: Option<u32>,
}

impl Script {
    /// Whether the operation behind a disturbed answer is made.
    #[must_use]
    pub fn commits(&self) -> bool {
        self.commit.unwrap_or(!matches!(self.action, Action::Http500 | Action::Code | Action::DropBeforeCommit))
    }
}

/// A scripted fault and how often it fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Armed {
    pub id: u64,
    #[serde(flatten)]
    pub script: Script,
    pub left: Option<u32>,
    pub fired: u32,
    /// Events that it still lets pass.
    pub to_skip: u32,
}

/// Seeded random misbehaviour, each in percent of the events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chaos {
    pub seed: u64,
    pub ipn_lose_percent: u32,
    pub ipn_double_percent: u32,
    pub ipn_delay_percent: u32,
    pub ipn_delay_ms: u64,
    pub direct_drop_before_commit_percent: u32,
    pub direct_drop_after_commit_percent: u32,
    pub direct_garbage_percent: u32,
    pub direct_code_00001_percent: u32,
}

/// What happened, as far as a fault can match it.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    pub target: Target,
    pub host: Host,
    pub kind: &'a str,
    pub reference: &'a str,
    /// The REFABONNE that the event is about, or nothing.
    pub subscriber: &'a str,
}

/// The scripted faults and the seeded ones.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Armed>,
    last_id: u64,
    chaos: Option<Chaos>,
    draws: BTreeMap<String, u32>,
}

impl Faults {
    /// Adds a fault, or says why it makes no sense.
    pub fn arm(&mut self, script: Script) -> Result<Armed, &'static str> {
        if !script.action.fits(script.target) {
            return Err("this action does not exist for this target");
        }
        if script.action == Action::Code && script.code.as_ref().is_none_or(|code| code.len() != 5) {
            return Err("the action \"code\" needs a code of five characters");
        }
        self.last_id += 1;
        let once = matches!(script.target, Target::Ipn | Target::Direct) && script.action != Action::Dead;
        let left = script.times.or(once.then_some(1));
        let to_skip = script.skip;
        let armed = Armed { id: self.last_id, script, left, fired: 0, to_skip };
        self.armed.push(armed.clone());
        Ok(armed)
    }

    /// Every fault ever armed since the last clearing.
    #[must_use]
    pub fn list(&self) -> &[Armed] {
        &self.armed
    }

    pub fn clear(&mut self) {
        self.armed.clear();
        self.chaos = None;
        self.draws.clear();
    }

    pub fn set_chaos(&mut self, chaos: Option<Chaos>) {
        self.chaos = chaos;
        self.draws.clear();
    }

    #[must_use]
    pub fn chaos(&self) -> Option<&Chaos> {
        self.chaos.as_ref()
    }

    /// The fault that strikes this event, which uses up one of its times.
    pub fn strike(&mut self, event: &Event<'_>) -> Option<Script> {
        self.strike_if(event, |action| action != Action::Dead || event.target == Target::Load)
            .or_else(|| self.draw(event))
    }

    /// Whether a connection or a request to a dead host is to be dropped at once.
    pub fn strikes_dead(&mut self, target: Target, host: Host) -> bool {
        let event = Event { target, host, kind: "", reference: "", subscriber: "" };
        self.strike_if(&event, |action| action == Action::Dead).is_some()
    }

    fn strike_if(&mut self, event: &Event<'_>, wanted: impl Fn(Action) -> bool) -> Option<Script> {
        let armed = self.armed.iter_mut().find_map(|armed| {
            let script = &armed.script;
            let matches = armed.left != Some(0)
                && wanted(script.action)
                && script.target == event.target
                && script.host.covers(event.host)
                && script.kind.as_ref().is_none_or(|kind| kind == event.kind)
                && script.reference.as_ref().is_none_or(|prefix| event.reference.starts_with(prefix))
                && script.subscriber.as_ref().is_none_or(|prefix| event.subscriber.starts_with(prefix));
            if matches && armed.to_skip > 0 {
                armed.to_skip -= 1;
                return None;
            }
            matches.then_some(armed)
        })?;
        armed.fired += 1;
        armed.left = armed.left.map(|left| left.saturating_sub(1));
        Some(armed.script.clone())
    }

    fn draw(&mut self, event: &Event<'_>) -> Option<Script> {
        let chaos = self.chaos.as_ref()?;
        let rows: &[(Action, u32)] = match event.target {
            Target::Ipn => &[
                (Action::Lose, chaos.ipn_lose_percent),
                (Action::Double, chaos.ipn_double_percent),
                (Action::Delay, chaos.ipn_delay_percent),
            ],
            Target::Direct => &[
                (Action::DropBeforeCommit, chaos.direct_drop_before_commit_percent),
                (Action::DropAfterCommit, chaos.direct_drop_after_commit_percent),
                (Action::Garbage, chaos.direct_garbage_percent),
                (Action::Code, chaos.direct_code_00001_percent),
            ],
            Target::Load | Target::Page => &[],
        };
        let what = format!("{:?}/{}/{}", event.target, event.kind, event.reference);
        let nth = self.draws.entry(what.clone()).or_default();
        let drawn = percent_of(chaos.seed, &format!("{what}/{nth}"));
        *nth += 1;
        let mut below = 0;
        for (action, percent) in rows {
            below += percent;
            if drawn < below {
                return Some(Script {
                    target: event.target,
                    host: HostMatch::Both,
                    kind: None,
                    reference: None,
                    subscriber: None,
                    skip: 0,
                    action: *action,
                    ms: chaos.ipn_delay_ms,
                    code: Some("00001".into()),
                    commit: None,
                    burns: None,
                    times: None,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<'a>(kind: &'a str, reference: &'a str) -> Event<'a> {
        Event { target: Target::Direct, host: Host::Main, kind, reference, subscriber: "" }
    }

    fn armed(text: &str) -> Faults {
        let mut faults = Faults::default();
        faults.arm(serde_json::from_str(text).unwrap()).unwrap();
        faults
    }

    #[test]
    fn a_fault_strikes_what_it_names_and_then_stops() {
        let mut faults = armed(
            r#"{"target":"direct","host":"main","type":"00005","reference":"o-1","action":"delay","ms":5,"times":2}"#,
        );
        assert!(faults.strike(&event("00011", "o-1")).is_none());
        assert!(faults.strike(&event("00005", "o-2")).is_none());
        assert!(faults.strike(&Event { host: Host::Backup, ..event("00005", "o-1") }).is_none());
        assert!(faults.strike(&event("00005", "o-1a")).is_some());
        assert!(faults.strike(&event("00005", "o-1")).is_some());
        assert!(faults.strike(&event("00005", "o-1")).is_none());
        assert_eq!(faults.list()[0].fired, 2);
    }

    #[test]
    fn a_fault_may_wait_for_its_turn_and_for_its_subscriber() {
        let mut faults = armed(
            r#"{"target":"direct","type":"00053","subscriber":"plan-1","skip":1,"count":1,"action":"drop_after_commit"}"#,
        );
        let debit = |subscriber| Event { subscriber, ..event("00053", "o-1") };
        let struck: Vec<bool> =
            ["plan-1", "plan-2", "plan-1", "plan-1"].map(|one| faults.strike(&debit(one)).is_some()).to_vec();
        assert_eq!(struck, [false, false, true, false]);
    }

    #[test]
    fn senseless_faults_are_refused() {
        for text in [
            r#"{"target":"ipn","action":"garbage"}"#,
            r#"{"target":"direct","action":"lose"}"#,
            r#"{"target":"direct","action":"code"}"#,
        ] {
            assert!(Faults::default().arm(serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn chaos_replays_from_its_seed_whatever_the_order() {
        let run = |references: &[&str]| {
            let mut faults = Faults::default();
            faults.set_chaos(Some(Chaos { seed: 9, direct_drop_after_commit_percent: 50, ..Chaos::default() }));
            let mut struck: Vec<String> = references
                .iter()
                .filter(|reference| faults.strike(&event("00014", reference)).is_some())
                .map(ToString::to_string)
                .collect();
            struck.sort();
            struck
        };
        let some = run(&["a", "b", "c", "d", "e", "f"]);
        assert_eq!(some, run(&["f", "e", "d", "c", "b", "a"]));
        assert!(!some.is_empty());
    }
}
