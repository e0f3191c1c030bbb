//! What the bank is going to say, as a test scripted it: the outcomes of one card or of one subscriber, consumed in
//! order by the operations that ask for an authorisation. Without a script the card's own codes hold.

use crate::cards::{self, CardUse};
use serde::{Deserialize, Serialize};

/// What a script covers when it names no type: the debits and authorisations of PPPS.
const DEBITS: [&str; 4] = ["00001", "00003", "00051", "00053"];

/// What a script may name besides: the page, credits, registrations, and debits without an authorisation request.
const BY_NAME_ONLY: [&str; 7] = ["page", "00004", "00012", "00054", "00056", "00057", "00061"];

/// What follows the last scripted outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The card's own code.
    #[default]
    Default,
    /// The last outcome, without end.
    Last,
}

/// A script as sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    /// A card number; only what tells it from another one is kept.
    #[serde(default)]
    card: Option<String>,
    /// A REFABONNE, of any merchant.
    #[serde(default)]
    subscriber: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    outcomes: Vec<String>,
    #[serde(default)]
    then: Then,
}

/// A script in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Script {
    pub id: u64,
    /// The first six and last two digits of the card.
    pub card: Option<String>,
    #[serde(skip)]
    fingerprint: Option<String>,
    pub subscriber: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub outcomes: Vec<String>,
    pub then: Then,
    /// How many outcomes were given, the repeated last one included.
    pub used: usize,
}

impl Script {
    fn covers(&self, kind: &str, card: &CardUse, refabonne: Option<&str>) -> bool {
        let kind_fits = self.kind.as_ref().map_or_else(|| DEBITS.contains(&kind), |wanted| wanted == kind);
        kind_fits
            && self.fingerprint.as_ref().is_none_or(|fingerprint| *fingerprint == card.fingerprint)
            && self.subscriber.as_ref().is_none_or(|subscriber| refabonne == Some(subscriber))
    }

    fn next(&self) -> Option<&String> {
        let last = self.outcomes.last().filter(|_| self.then == Then::Last);
        self.outcomes.get(self.used).or(last)
    }
}

/// Every script, in the order in which they were sent.
#[derive(Debug, Default)]
pub struct Outcomes {
    scripts: Vec<Script>,
    last_id: u64,
}

impl Outcomes {
    /// Adds a script, or says why it makes no sense.
    pub fn add(&mut self, scripted: Scripted) -> Result<Script, &'static str> {
        let Scripted { card, subscriber, kind, outcomes, then } = scripted;
        if card.is_none() && subscriber.is_none() {
            return Err("a script names a card, a subscriber, or both");
        }
        if card.as_ref().is_some_and(|number| !cards::is_luhn_valid(number)) {
            return Err("this card number does not satisfy Luhn");
        }
        let is_known = |kind: &str| DEBITS.contains(&kind) || BY_NAME_ONLY.contains(&kind);
        if kind.as_ref().is_some_and(|kind| !is_known(kind)) {
            return Err("no operation of this type asks a bank");
        }
        let is_code = |code: &String| code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if outcomes.is_empty() || !outcomes.iter().all(is_code) {
            return Err("outcomes are codes of five characters, one at least");
        }
        self.last_id += 1;
        let used = card.as_ref().map(|number| CardUse::new(number, String::new()));
        let script = Script {
            id: self.last_id,
            card: used.as_ref().map(|card| format!("{}…{}", card.first6, card.last2)),
            fingerprint: used.map(|card| card.fingerprint),
            subscriber,
            kind,
            outcomes,
            then,
            used: 0,
        };
        self.scripts.push(script.clone());
        Ok(script)
    }

    #[must_use]
    pub fn list(&self) -> &[Script] {
        &self.scripts
    }

    pub fn clear(&mut self) {
        self.scripts.clear();
    }

    /// The scripted code of this operation, which uses one outcome up; nothing when no script covers it any more.
    pub fn consume(&mut self, kind: &str, card: &CardUse, refabonne: Option<&str>) -> Option<String> {
        let covers = |script: &&mut Script| script.covers(kind, card, refabonne) && script.next().is_some();
        let script = self.scripts.iter_mut().find(covers)?;
        let code = script.next().cloned();
        script.used += 1;
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Result<Outcomes, &'static str> {
        let mut outcomes = Outcomes::default();
        outcomes.add(serde_json::from_str(text).unwrap()).map(|_| outcomes)
    }

    fn codes(outcomes: &mut Outcomes, kind: &str, refabonne: Option<&str>, count: usize) -> Vec<String> {
        let card = CardUse::new("1111222233334444", "3012".into());
        (0..count).map(|_| outcomes.consume(kind, &card, refabonne).unwrap_or_else(|| "own".into())).collect()
    }

    #[test]
    fn outcomes_are_given_in_order_to_what_they_cover() {
        let rows = [
            (r#"{"card":"1111222233334444","outcomes":["00000","00151"]}"#, "00053", ["00000", "00151", "own"]),
            (r#"{"card":"1111222233334444","outcomes":["00151"],"then":"last"}"#, "00003", ["00151"; 3]),
            (r#"{"card":"1111222233334444","outcomes":["00151"]}"#, "00056", ["own"; 3]),
            (r#"{"card":"1111222233334444","outcomes":["00151"]}"#, "page", ["own"; 3]),
            (r#"{"card":"1111222233334444","type":"page","outcomes":["00151"]}"#, "page", ["00151", "own", "own"]),
            (r#"{"card":"5555555555554444","outcomes":["00151"]}"#, "00053", ["own"; 3]),
            (r#"{"subscriber":"plan-1","outcomes":["00151","001A1"]}"#, "00053", ["00151", "001A1", "own"]),
            (r#"{"subscriber":"plan-2","outcomes":["00151"]}"#, "00053", ["own"; 3]),
            (r#"{"subscriber":"plan-1","type":"00051","outcomes":["00151"]}"#, "00053", ["own"; 3]),
        ];
        for (text, kind, expected) in rows {
            assert_eq!(codes(&mut script(text).unwrap(), kind, Some("plan-1"), 3), expected, "{text} {kind}");
        }
    }

    #[test]
    fn senseless_scripts_are_refused() {
        for text in [
            r#"{"outcomes":["00000"]}"#,
            r#"{"card":"1111222233335555","outcomes":["00000"]}"#,
            r#"{"subscriber":"plan-1","outcomes":[]}"#,
            r#"{"subscriber":"plan-1","outcomes":["151"]}"#,
            r#"{"subscriber":"plan-1","type":"00014","outcomes":["00000"]}"#,
        ] {
            assert!(script(text).is_err(), "{text}");
        }
    }
}
