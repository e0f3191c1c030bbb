//! Deliberate defects, each where it could be made, of which a test sets one at a time: `tests/simulation/planted.rs` has
//! every one of them caught by an invariant that the simulation checks.
//!
//! They live under `cfg(debug_assertions)` only: in a release build [`is`] is `false` while it is compiled, and nothing is
//! left of what it guards. One is set for the thread that asks, since the lives of a simulation run side by side.

macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(debug_assertions, derive(Debug))]
        pub enum Bug {
            $($(#[$doc])* $name,)+
        }

        #[cfg(debug_assertions)]
        impl Bug {
            pub const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

bugs! {
    /// A call leaves, and is written down afterwards.
    SendsBeforeTheCommit,
    /// A call that was not answered is sent again at once.
    RetriesOnTimeOut,
    /// A call that was found sent and never answered is sent under another number.
    FreshNumberAfterSilence,
    /// How late it is is not looked at before the first byte.
    NoDeadline,
    /// A reserved block of question numbers begins with the number that was just used.
    NumbersOverlap,
    /// A call that was found sent is not asked for.
    SentIsForgotten,
    /// "Not found" is believed the first time.
    NotFoundOnceIsEnough,
    /// "Not found" is believed of a bank that finds nothing at all.
    NotFoundNeedsNoControl,
    /// 00005 is taken for a refusal.
    SeenBeforeIsARefusal,
    /// Who lost a race goes on as if it were won.
    ConflictIgnored,
    /// Dates are counted anew when the plan begins.
    DatesCountedAnew,
    /// A notification's order is read from a parameter that nobody signed.
    OrderNamedByTheUrl,
    /// An operation that was reported is looked at, and not looked for under our reference.
    NumberIsProofEnough,
    /// What verifies is money.
    SignatureIsProofEnough,
    /// A failure that is reported ends its page, whatever else is.
    FailureIsFinal,
    /// A page of which no notification comes is not asked for.
    NotAskedAtExpiry,
    /// A second page registers its card under the name of the first.
    CardNameUsedAgain,
    /// A refund in doubt is not counted as spent.
    RefundInDoubtUncounted,
    /// A debit that was taken up leaves although the plan was paused.
    PauseUnheeded,
    /// A plan takes a virtual card.
    VirtualCardTaken,
    /// Surplus is booked, and kept.
    SurplusKept,
    /// An instalment is debited while its payer is on a page.
    PageUnheeded,
    /// A card is debited twice a day.
    TwoDebitsADay,
    /// The card of a refused payment stays at the bank.
    CardNotForgotten,
    /// The card that a plan debits is forgotten with another payment of its page.
    DebitedCardForgotten,
    /// Nobody is told of a doubt.
    DoubtKeptSilent,
    /// Portals are told of a payment when it is reported.
    PaidSaidOfReports,
    /// One person decides what waits for two.
    OnePersonDecides,
    /// Notifications are kept as they came.
    NotificationUnsealed,
    /// Debits go on although the store lags what has left.
    RegressionUnheeded,
    /// Calls that leave are not noted beside the store.
    CallsNotNoted,
    /// What left before the store went back is sent again when the bank does not find it.
    LostCallSentAgain,
    /// What of a file is settled can be settled again.
    DriftSettledTwice,
    /// A debit that was dropped before it left is taken for the one that left under its name before the store went back.
    DroppedTakenForSent,
    /// Refunds leave while it is being asked what left before the store went back.
    RefundsNotFrozen,
    /// Questions have the numbers again that they had before the store went back.
    NumbersNotSkipped,
    /// As many numbers are skipped each time that a store goes back.
    NumbersSkippedAlike,
    /// Events have the positions again that others had before the store went back.
    PositionsNotSkipped,
    /// They go on as many positions further each time that a store goes back.
    PositionsSkippedAlike,
    /// A debit of another amount pays its instalment.
    OtherAmountPays,
    /// An order is cancelled beside a debit of which nobody knows what became.
    CancelledBesideADebit,
    /// What was reported and not found in time is not asked for again.
    DoubtedNotAskedAgain,
    /// A capture is awaited for ever.
    CaptureAwaitedForEver,
    /// A card of which the money was let go by hand stays at the bank.
    LetGoCardKept,
}

/// Whether this defect is planted.
#[cfg(debug_assertions)]
pub fn is(bug: Bug) -> bool {
    SET.get() == Some(bug)
}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn is(_bug: Bug) -> bool {
    false
}

#[cfg(debug_assertions)]
thread_local! {
    static SET: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a defect in all that `life` does on this thread.
#[cfg(debug_assertions)]
pub fn during<R>(bug: Bug, life: impl FnOnce() -> R) -> R {
    SET.set(Some(bug));
    let lived = life();
    SET.set(None);
    lived
}

/// What [`Bug::OrderNamedByTheUrl`] reads: a parameter before those that are signed, and what follows it.
pub fn named_by_the_url(raw: &[u8]) -> (Option<&str>, &[u8]) {
    let own = raw.strip_prefix(b"order=").filter(|_| is(Bug::OrderNamedByTheUrl));
    let named = own.and_then(|own| {
        let end = own.iter().position(|byte| *byte == b'&')?;
        let (name, rest) = own.split_at_checked(end)?;
        Some((std::str::from_utf8(name).ok()?, rest.get(1..)?))
    });
    named.map_or((None, raw), |(name, rest)| (Some(name), rest))
}
