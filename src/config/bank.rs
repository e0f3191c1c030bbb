//! How the bank is spoken to: deadlines of server-to-server questions.

use jiff::SignedDuration;

use super::section::Section;
use crate::{app::Mode, domain::numbers::QuestionNumber};

/// Deadlines and the first number of questions to the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bank {
    /// For TCP and TLS together.
    pub connect_deadline: SignedDuration,
    /// For the page that says whether a host is in service.
    pub load_deadline: SignedDuration,
    /// How often the hosts of the payment page are looked at.
    pub look_every: SignedDuration,
    /// For an answer, from the question's first byte.
    pub answer_deadline: SignedDuration,
    /// The number of the first question of a new store.
    pub first_question: u32,
}

/// In live mode an answer is waited for at least so long: giving up early makes doubt where there was none.
const SHORTEST_LIVE_ANSWER: SignedDuration = SignedDuration::from_secs(30);

impl Bank {
    pub(super) fn read(mut section: Section<'_>, mode: Option<Mode>) -> Self {
        let seconds = SignedDuration::from_secs;
        let (shortest, longest) = (SignedDuration::from_millis(50), seconds(300));
        let last = u64::from(QuestionNumber::MAX);
        let bank = Self {
            connect_deadline: section.duration("connect_deadline", seconds(10), shortest..=seconds(60)),
            load_deadline: section.duration("load_deadline", seconds(5), shortest..=seconds(60)),
            look_every: section.duration("look_every", seconds(10), shortest..=longest),
            answer_deadline: section.duration("answer_deadline", seconds(60), shortest..=longest),
            first_question: u32::try_from(section.number("first_question", 1, 1..=last)).unwrap_or(1),
        };
        if mode == Some(Mode::Live) && bank.answer_deadline < SHORTEST_LIVE_ANSWER {
            section.problem("answer_deadline", format!("is below {SHORTEST_LIVE_ANSWER:#} in live mode"));
        }
        section.end();
        bank
    }
}
