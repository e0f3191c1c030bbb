//! Places where a test ends the process, as a power cut would: `GUICHET_FAILPOINT=debit.sent_committed:3` aborts it at the
//! third passing of that place. `tests/chaos` drives it, and fails unless each place of [`PLACES`] ended a process.
//!
//! It lives under `cfg(debug_assertions)` only: the build that all tests share has it; in a release build passing a place
//! is an empty function, and the variable is not known. Passing a place that the variable does not name does nothing.

/// Every place there is; `sent_committed` and the like are passed by each kind of call that moves money.
#[cfg(debug_assertions)]
pub const PLACES: &[&str] = &[
    "run.start_decided",
    "run.started",
    "run.taking_up",
    "run.taken_up",
    "run.selected",
    "run.asked_back",
    "run.ending",
    "debit.planned",
    "debit.asked_before",
    "debit.connected",
    "debit.sent_decided",
    "debit.sent_committed",
    "debit.answered",
    "debit.answer_committed",
    "debit.doubted",
    "debit.enquired",
    "debit.enquiry_committed",
    "capture.planned",
    "capture.asked_before",
    "capture.connected",
    "capture.sent_decided",
    "capture.sent_committed",
    "capture.answered",
    "capture.answer_committed",
    "give_back.planned",
    "give_back.asked_before",
    "give_back.connected",
    "give_back.sent_decided",
    "give_back.sent_committed",
    "give_back.answered",
    "give_back.answer_committed",
    "call.first_byte",
    "call.first_byte_left",
    "page.asked",
    "page.booked",
    "card.judged",
    "card.forgotten",
    "callback.arrived",
    "callback.kept",
    "request.committed",
    "webhook.delivered",
    "webhook.kept",
    "store.written",
    "store.committed",
    "journal.written",
];

/// Ends the process here when it was told to, at this passing.
#[cfg(debug_assertions)]
pub fn pass(place: &str) {
    armed::pass("", place);
}

/// The same, of one kind of call: `debit`, `capture` or `give_back`.
#[cfg(debug_assertions)]
pub fn pass_of(kind: &str, place: &str) {
    armed::pass(kind, place);
}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn pass(_place: &str) {}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn pass_of(_kind: &str, _place: &str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    /// What the variable says.
    struct Armed {
        place: String,
        /// Passings left, this one included.
        left: AtomicU32,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    pub(super) fn pass(kind: &str, place: &str) {
        let Some(armed) = ARMED.get_or_init(read) else { return };
        let rest = armed.place.strip_prefix(kind).filter(|_| !kind.is_empty());
        let is_here = if kind.is_empty() {
            armed.place == place
        } else {
            rest.and_then(|rest| rest.strip_prefix('.')) == Some(place)
        };
        if is_here && armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }

    fn read() -> Option<Armed> {
        let said = std::env::var("GUICHET_FAILPOINT").ok()?;
        let (place, passing) = said.split_once(':').unwrap_or((&said, "1"));
        Some(Armed { place: place.to_owned(), left: AtomicU32::new(passing.parse().ok()?) })
    }
}
