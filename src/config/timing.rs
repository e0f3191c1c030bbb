//! How long things take: `[timing]`, and what a merchant does differently.

use jiff::SignedDuration;

use super::{bank::Bank, merchant::Context, section::Section};
use crate::domain::{card::CardRules, policy::Policy};

/// See [`Policy`], whose fields have the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timing {
    form_lifetime: SignedDuration,
    page_lifetime: SignedDuration,
    ask_after_issue: Vec<SignedDuration>,
    ask_after_expiry: Vec<SignedDuration>,
    ask_after_news: Vec<SignedDuration>,
    ask_after_silence: Vec<SignedDuration>,
    hold_for_report: SignedDuration,
    capture_awaited: SignedDuration,
    doubt_settles: SignedDuration,
    doubt_ladder: Vec<SignedDuration>,
    answer_grace: SignedDuration,
    send_again: SignedDuration,
    send_within: SignedDuration,
    settlement_after: SignedDuration,
    settlement_every: SignedDuration,
    verdicts_within: SignedDuration,
}

/// What a merchant decides besides delays.
pub(super) struct Switches {
    pub(super) authorised_counts: bool,
    pub(super) subscriber_calls: bool,
    pub(super) signature_is_enough: bool,
    pub(super) minimum_amount: i64,
    pub(super) card_check: i64,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A call that leaves later than this after it was put on record would be hard to reason about.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// What a test may want; nothing in live mode is as short.
const SHORTEST: SignedDuration = SignedDuration::from_millis(10);
/// PBX_DISPLAY has three to ten digits; longer than this nobody waits.
const SHORTEST_PAGE: SignedDuration = SignedDuration::from_secs(100);
const LONGEST_PAGE: SignedDuration = SignedDuration::from_secs(999_999);

impl Default for Timing {
    fn default() -> Self {
        let seconds = SignedDuration::from_secs;
        let minutes = SignedDuration::from_mins;
        let hours = SignedDuration::from_hours;
        Self {
            form_lifetime: minutes(15),
            page_lifetime: minutes(15),
            ask_after_issue: vec![minutes(5)],
            ask_after_expiry: vec![seconds(0), hours(1), hours(24)],
            ask_after_news: vec![seconds(0), seconds(3), seconds(10), seconds(30), minutes(2), minutes(10)],
            ask_after_silence: vec![seconds(5), seconds(30), minutes(2), minutes(10), minutes(30)],
            hold_for_report: minutes(10),
            capture_awaited: WEEK,
            doubt_settles: minutes(10),
            doubt_ladder: vec![
                minutes(1),
                minutes(5),
                minutes(11),
                minutes(30),
                hours(2),
                hours(6),
                hours(12),
                hours(24),
                hours(36),
                hours(48),
            ],
            answer_grace: seconds(90),
            send_again: seconds(30),
            send_within: seconds(5),
            settlement_after: hours(20),
            settlement_every: DAY,
            verdicts_within: DAY,
        }
    }
}

impl Timing {
    /// Reads `[timing]`.
    pub(super) fn read(section: Section<'_>, bank: &Bank) -> Self {
        Self::read_checked(section, &Self::default(), bank, true)
    }

    /// Reads what a merchant does differently.
    pub(super) fn of_merchant(&self, section: Section<'_>, bank: &Bank) -> Self {
        Self::read_checked(section, self, bank, false)
    }

    /// `others` stands for what is not given; what is all inherited was checked where it stands.
    fn read_checked(mut section: Section<'_>, others: &Self, bank: &Bank, always_check: bool) -> Self {
        let timing = Self {
            form_lifetime: section.duration("form_lifetime", others.form_lifetime, SHORTEST..=DAY),
            page_lifetime: section.duration("page_lifetime", others.page_lifetime, SHORTEST_PAGE..=LONGEST_PAGE),
            ask_after_issue: section.durations("ask_after_issue").unwrap_or_else(|| others.ask_after_issue.clone()),
            ask_after_expiry: section.durations("ask_after_expiry").unwrap_or_else(|| others.ask_after_expiry.clone()),
            ask_after_news: section.durations("ask_after_news").unwrap_or_else(|| others.ask_after_news.clone()),
            ask_after_silence: section
                .durations("ask_after_silence")
                .unwrap_or_else(|| others.ask_after_silence.clone()),
            hold_for_report: section.duration("hold_for_report", others.hold_for_report, SHORTEST..=DAY),
            capture_awaited: section.duration("capture_awaited", others.capture_awaited, SHORTEST..=MONTH),
            doubt_settles: section.duration("doubt_settles", others.doubt_settles, SHORTEST..=DAY),
            doubt_ladder: section.durations("doubt_ladder").unwrap_or_else(|| others.doubt_ladder.clone()),
            answer_grace: section.duration("answer_grace", others.answer_grace, SHORTEST..=DAY),
            send_again: section.duration("send_again", others.send_again, SHORTEST..=DAY),
            send_within: section.duration("send_within", others.send_within, SHORTEST..=MINUTE),
            settlement_after: section.duration("settlement_after", others.settlement_after, SHORTEST..=WEEK),
            settlement_every: section.duration("settlement_every", others.settlement_every, SHORTEST..=WEEK),
            verdicts_within: section.duration("verdicts_within", others.verdicts_within, SHORTEST..=WEEK),
        };
        if always_check || timing != *others {
            timing.check(&section, bank);
        }
        section.end();
        timing
    }

    fn check(&self, section: &Section<'_>, bank: &Bank) {
        let steps = [
            ("ask_after_issue", &self.ask_after_issue),
            ("ask_after_expiry", &self.ask_after_expiry),
            ("ask_after_news", &self.ask_after_news),
            ("doubt_ladder", &self.doubt_ladder),
        ];
        for (key, ladder) in steps {
            if ladder.is_empty() && key != "ask_after_issue" {
                section.problem(key, "is empty: the bank would never be asked");
            }
            if !ladder.is_sorted_by(|earlier, later| earlier < later) {
                section.problem(key, "does not grow from each step to the next");
            }
        }
        if self.ask_after_silence.is_empty() {
            section.problem("ask_after_silence", "is empty: the bank would never be asked again");
        }
        if self.ask_after_silence.iter().any(|wait| *wait < SHORTEST) {
            section.problem("ask_after_silence", format!("has a wait below {SHORTEST:#}"));
        }
        // The latest that a call on record may still be under way.
        let longest = bank.answer_deadline.saturating_add(self.send_within);
        if self.answer_grace <= longest {
            section.problem(
                "answer_grace",
                format!("is not longer than bank.answer_deadline and send_within, {longest:#}"),
            );
        }
        if self.doubt_ladder.last().is_some_and(|last| *last < self.doubt_settles) {
            section.problem("doubt_ladder", "ends before doubt_settles: every call in doubt would be a person's");
        }
        // Harmless before a sandbox, which carries out a call at once or never.
        if self.doubt_settles <= longest {
            let sentence = format!("is not longer than bank.answer_deadline and send_within, {longest:#}");
            section.reading.careless(section.path("doubt_settles"), sentence);
        }
        if self.ask_after_news.last().is_some_and(|last| *last < self.hold_for_report) {
            let sentence = "ends before hold_for_report: a report is held longer than it is asked about";
            section.reading.warning(section.path("ask_after_news"), sentence);
        }
    }

    pub(super) fn policy(&self, switches: &Switches, cards: CardRules, context: &Context<'_>) -> Policy {
        let debits = context.debits;
        Policy {
            form_lifetime: self.form_lifetime,
            page_lifetime: self.page_lifetime,
            ask_after_issue: self.ask_after_issue.clone(),
            ask_after_expiry: self.ask_after_expiry.clone(),
            ask_after_news: self.ask_after_news.clone(),
            ask_after_silence: self.ask_after_silence.clone(),
            hold_for_report: self.hold_for_report,
            capture_awaited: self.capture_awaited,
            doubt_settles: self.doubt_settles,
            doubt_ladder: self.doubt_ladder.clone(),
            answer_grace: self.answer_grace,
            send_again: self.send_again,
            send_within: self.send_within,
            authorised_counts: switches.authorised_counts,
            signature_is_enough: switches.signature_is_enough,
            minimum_amount: switches.minimum_amount,
            card_check: switches.card_check,
            settlement_after: self.settlement_after,
            settlement_every: self.settlement_every,
            verdicts_within: self.verdicts_within,
            denials: usize::try_from(debits.denials).unwrap_or(usize::MAX),
            denials_span: debits.denials_span,
            card_wait: debits.card_wait,
            capture_within: debits.capture_within,
            cards,
            retry: debits.retry.clone(),
            subscriber_calls: switches.subscriber_calls,
            zone: context.zone.clone(),
            zones: context.zones.clone(),
        }
    }
}
