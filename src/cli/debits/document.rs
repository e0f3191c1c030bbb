//! A debit run as the API tells it, and what is made of that for people and for exit codes.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use super::super::Ended;
use crate::{
    domain::money::Currency,
    paybox::codes::{Code, Lang},
};

/// How many places the bar has.
const BAR: u64 = 20;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) merchant: String,
    pub(super) due_date: String,
    pub(super) state: State,
    pub(super) stopped_code: Option<String>,
    pub(super) counts: ByOutcome<u64>,
    pub(super) sums: ByOutcome<Sum>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Running,
    Done,
    DoneWithDoubt,
    StoppedConfig,
    Frozen,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ByOutcome<T> {
    pub(super) ready: T,
    pub(super) sent: T,
    pub(super) in_doubt: T,
    pub(super) paid: T,
    pub(super) refused: T,
    pub(super) not_executed: T,
    pub(super) quarantined: T,
    pub(super) total: T,
}

/// A sum of many amounts, which may be more than one amount can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Sum {
    pub(super) amount: i64,
    pub(super) currency: Currency,
}

impl Run {
    /// # Errors
    /// A sentence when this program does not understand the document.
    pub(super) fn read(document: &Value) -> Result<Self, String> {
        Self::deserialize(document).map_err(|error| format!("the gateway's answer is not understood: {error}"))
    }

    /// Whether nothing more happens by itself.
    pub(super) fn is_over(&self) -> bool {
        self.state != State::Running
    }

    /// What the exit code tells: a stop before doubt, doubt before refusals. Of a run that goes on, nothing yet.
    pub(super) fn ended(&self) -> Ended {
        let doubtful = self.counts.in_doubt > 0 || self.counts.quarantined > 0;
        match self.state {
            State::Running => Ended::Well,
            State::StoppedConfig | State::Frozen => Ended::Stopped,
            State::DoneWithDoubt => Ended::SomeInDoubt,
            State::Done if doubtful => Ended::SomeInDoubt,
            State::Done if self.counts.refused > 0 => Ended::SomeRefused,
            State::Done => Ended::Well,
        }
    }

    /// How far it is, in one line.
    pub(super) fn line(&self) -> String {
        let counts = &self.counts;
        let done = counts.total.saturating_sub(counts.ready).saturating_sub(counts.sent);
        let filled = BAR.saturating_mul(done).checked_div(counts.total).unwrap_or(0);
        let bar: String = (0..BAR).map(|place| if place < filled { '#' } else { '-' }).collect();
        let mut line = format!("{} [{bar}] {done}/{}: {} paid", self.due_date, counts.total, counts.paid);
        for (count, name) in [
            (counts.refused, "refused"),
            (counts.in_doubt, "in doubt"),
            (counts.quarantined, "quarantined"),
            (counts.not_executed, "not executed"),
        ] {
            if count > 0 {
                // Writing to a String cannot fail.
                let _ = write!(line, ", {count} {name}");
            }
        }
        match self.state {
            State::Running | State::Done | State::DoneWithDoubt => line,
            State::StoppedConfig => format!("{line}, stopped"),
            State::Frozen => format!("{line}, frozen"),
        }
    }

    /// All that there is to say at the end.
    pub(super) fn summary(&self) -> String {
        let state = match self.state {
            State::Running => "running",
            State::Done => "done",
            State::DoneWithDoubt => "done, with doubt",
            State::StoppedConfig => "stopped",
            State::Frozen => "frozen",
        };
        let mut text = format!("Debits of {} due by {}: {state}\n", plain(&self.merchant), plain(&self.due_date));
        let (counts, sums) = (&self.counts, &self.sums);
        for (name, count, sum, always) in [
            ("paid", counts.paid, sums.paid, true),
            ("refused", counts.refused, sums.refused, true),
            ("in doubt", counts.in_doubt, sums.in_doubt, true),
            ("quarantined", counts.quarantined, sums.quarantined, false),
            ("not executed", counts.not_executed, sums.not_executed, false),
            ("sent", counts.sent, sums.sent, false),
            ("to be sent", counts.ready, sums.ready, false),
            ("total", counts.total, sums.total, true),
        ] {
            if always || count > 0 {
                let _ = writeln!(text, "  {name:<12} {count:>7} {:>20}", sum.words());
            }
        }
        self.advice(&mut text);
        text
    }

    fn advice(&self, text: &mut String) {
        let (id, counts) = (plain(&self.id), &self.counts);
        let mut say = |sentence: String| {
            let _ = writeln!(text, "{sentence}");
        };
        match self.state {
            State::StoppedConfig => {
                let code = self.stopped_code.as_deref().unwrap_or_default();
                let meaning = Code::parse(code).map(|code| code.explain(Lang::En)).unwrap_or_default();
                say(format!("The bank refuses us with {}: {meaning}", plain(code)));
                say(format!("No payer is at fault. Mend it, then have it go on: POST /v1/debit-runs/{id}/resume."));
            }
            State::Frozen => say("Nothing is sent before a person has looked at it.".to_owned()),
            State::Running => say("It goes on by itself; with --watch this command waits for its end.".to_owned()),
            State::Done | State::DoneWithDoubt => {}
        }
        if counts.refused > 0 {
            say(format!(
                "Who was refused, why, and when it is tried again: GET /v1/debit-runs/{id}/items?outcome=refused."
            ));
        }
        if counts.in_doubt > 0 {
            say("What is in doubt is being asked about; nothing of it is sent again.".to_owned());
        }
        if counts.quarantined > 0 {
            say("What is quarantined waits for a person.".to_owned());
        }
        if counts.not_executed > 0 {
            say("What was not executed was not debited; the run of a later day takes up what is still owed.".to_owned());
        }
    }
}

impl Sum {
    /// `1 234.50 EUR`.
    pub(super) fn words(self) -> String {
        let units = self.amount.unsigned_abs();
        let per_major = 10_u64.saturating_pow(self.currency.exponent());
        let (major, minor) = (units / per_major, units % per_major);
        let digits = major.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        let sign = if self.amount < 0 { "-" } else { "" };
        let letters = self.currency.letters();
        match self.currency.exponent() {
            0 => format!("{sign}{grouped} {letters}"),
            exponent => {
                let width = usize::try_from(exponent).unwrap_or(2);
                format!("{sign}{grouped}.{minor:0width$} {letters}")
            }
        }
    }
}

/// What came from elsewhere, without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Ready, sent, in doubt, paid, refused, not executed, quarantined.
    fn run(state: &str, counts: [u64; 7]) -> Run {
        let names = ["ready", "sent", "in_doubt", "paid", "refused", "not_executed", "quarantined"];
        let (mut by_count, mut by_sum) = (json!({}), json!({}));
        for (name, count) in names.iter().zip(counts).chain([(&"total", counts.iter().sum())]) {
            by_count[name] = json!(count);
            by_sum[name] = json!({"amount": count * 20_031, "currency": "EUR"});
        }
        Run::read(&json!({
            "id": "ecole.2026-12-10", "merchant": "ecole", "due_date": "2026-12-10", "state": state,
            "stopped_code": if state == "stopped_config" { json!("00006") } else { json!(null) },
            "counts": by_count, "sums": by_sum, "started_by": "key:x"
        }))
        .unwrap()
    }

    #[test]
    fn a_stop_goes_before_doubt_and_doubt_before_refusals() {
        for (state, counts, expected) in [
            ("done", [0, 0, 0, 9, 0, 0, 0], Ended::Well),
            ("done", [0; 7], Ended::Well),
            ("done", [0, 0, 0, 9, 0, 1, 0], Ended::Well),
            ("done", [0, 0, 0, 9, 1, 0, 0], Ended::SomeRefused),
            ("done_with_doubt", [0, 0, 1, 9, 0, 0, 0], Ended::SomeInDoubt),
            ("done_with_doubt", [0, 0, 1, 9, 1, 0, 0], Ended::SomeInDoubt),
            ("done_with_doubt", [0, 0, 0, 9, 1, 0, 1], Ended::SomeInDoubt),
            ("done", [0, 0, 0, 9, 1, 0, 1], Ended::SomeInDoubt),
            ("stopped_config", [5, 0, 1, 2, 1, 1, 1], Ended::Stopped),
            ("frozen", [5, 0, 0, 0, 0, 0, 0], Ended::Stopped),
            ("running", [5, 1, 1, 1, 1, 1, 1], Ended::Well),
        ] {
            let run = run(state, counts);
            assert_eq!((run.ended(), run.is_over()), (expected, state != "running"), "{state} {counts:?}");
        }
    }

    #[test]
    fn a_line_tells_how_far_it_is() {
        for (state, counts, expected) in [
            ("running", [0; 7], "2026-12-10 [--------------------] 0/0: 0 paid"),
            ("running", [100, 0, 0, 0, 0, 0, 0], "2026-12-10 [--------------------] 0/100: 0 paid"),
            (
                "running",
                [48, 2, 1, 45, 2, 1, 1],
                "2026-12-10 [##########----------] 50/100: 45 paid, 2 refused, 1 in doubt, 1 quarantined, 1 not executed",
            ),
            ("done", [0, 0, 0, 3, 0, 0, 0], "2026-12-10 [####################] 3/3: 3 paid"),
            (
                "stopped_config",
                [3, 0, 0, 0, 0, 1, 0],
                "2026-12-10 [#####---------------] 1/4: 0 paid, 1 not executed, stopped",
            ),
        ] {
            assert_eq!(run(state, counts).line(), expected);
        }
    }

    #[test]
    fn the_summary_counts_sums_and_says_what_to_do() {
        let text = run("done_with_doubt", [0, 0, 1, 48, 2, 0, 0]).summary();
        for part in [
            "Debits of ecole due by 2026-12-10: done, with doubt\n",
            "  paid              48         9 614.88 EUR\n",
            "  refused            2           400.62 EUR\n",
            "  in doubt           1           200.31 EUR\n",
            "  total             51        10 215.81 EUR\n",
            "/v1/debit-runs/ecole.2026-12-10/items?outcome=refused",
            "nothing of it is sent again",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("quarantined") && !text.contains("to be sent"), "{text}");
        let stopped = run("stopped_config", [3, 0, 0, 0, 0, 1, 0]).summary();
        for part in ["refuses us with 00006: ", "ecole.2026-12-10/resume", "to be sent", "was not debited"] {
            assert!(stopped.contains(part), "{part}: {stopped}");
        }
    }

    #[test]
    fn sums_are_written_with_their_decimals() {
        for (amount, currency, expected) in [
            (0, Currency::Eur, "0.00 EUR"),
            (5, Currency::Eur, "0.05 EUR"),
            (123_456_789, Currency::Eur, "1 234 567.89 EUR"),
            (100_000, Currency::Xof, "100 000 XOF"),
            (i64::MIN, Currency::Jpy, "-9 223 372 036 854 775 808 JPY"),
        ] {
            assert_eq!(Sum { amount, currency }.words(), expected);
        }
    }

    #[test]
    fn a_document_of_another_kind_is_not_guessed_at() {
        assert!(Run::read(&json!({"state": "done"})).is_err());
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a?[2Jb?c");
    }
}
