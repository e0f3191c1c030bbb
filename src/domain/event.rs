//! What happened to an order. These types are what is stored, so they only ever grow.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    actor::Actor,
    attempt::{Attempt, AttemptState, Conclusion, Sending},
    bank::Operation,
    chain::Link,
    checkout::{Challenge, Checkout, Closed, Locale, Says},
    correction::{CreditNote, JournalEntry, Refund},
    hold::{Hold, Verdict},
    ids::{CheckoutNumber, MerchantId, OrderId, SubscriberReference},
    ledger::Entry,
    line::{Line, Totals},
    money::Money,
    numbers::OperationNumber,
    payer::Payer,
    plan::{Plan, PlanEnd},
    purpose::{AttemptId, Purpose},
    quarantine::{GivenVerdict, PeoplesVerdict, Subject},
    schedule::{Arrears, Instalment},
    subscriber::{HeardCard, PlanCard},
    text::Text,
};

/// The version of the events written today.
pub const EVENT_VERSION: u32 = 1;

/// An event with when it happened and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    pub v: u32,
    pub at: Timestamp,
    pub actor: Actor,
    pub event: Event,
    /// The event before; none has the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Link>,
}

/// Everything that can happen to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    Placed(Box<Placed>),
    /// Nothing is left to pay.
    Settled,
    Cancelled {
        /// The order that took its place, when one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaced_by: Option<OrderId>,
    },
    CheckoutIssued(Box<Checkout>),
    /// A payer was given the form.
    CheckoutHandedOver {
        checkout: CheckoutNumber,
    },
    CheckoutClosed {
        checkout: CheckoutNumber,
        cause: Closed,
    },
    /// A verified notification; `identity` is (S, T, E), so doubles meet.
    Reported {
        checkout: CheckoutNumber,
        identity: String,
        digest: String,
        /// Fingerprint of the bank's key that the signature was made with.
        key: String,
        says: Says,
        /// What it tells of the card.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        card: Option<Box<HeardCard>>,
        asks: Vec<Timestamp>,
    },
    /// A reason to ask, and nothing else: the payer came back, or news came that cannot be kept any more.
    Prompted {
        checkout: CheckoutNumber,
        asks: Vec<Timestamp>,
    },
    /// The bank was asked about a checkout. `again` is set when it has to be asked once more.
    Asked {
        checkout: CheckoutNumber,
        /// When the first question left: what became due later is still owed.
        asked_at: Timestamp,
        answer: AskAnswer,
        /// Operations that the bank shows as authorised and not captured.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        authorised: Vec<OperationNumber>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Timestamp>,
        /// The money of a page that registers a card was let go before anybody held it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        let_go: bool,
    },
    /// A report of success that the bank did not confirm in time.
    ReportDoubted {
        checkout: CheckoutNumber,
        operation: OperationNumber,
        /// When the bank is asked all the same: it finds some money late.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        asks: Vec<Timestamp>,
    },
    /// The bank confirmed a capture: it pays an instalment, or is surplus to be given back.
    Captured {
        entry: Entry,
    },
    /// An operation that contradicts what we know.
    Quarantined {
        checkout: CheckoutNumber,
        operation: OperationNumber,
        why: String,
    },
    AttemptPlanned {
        #[serde(flatten)]
        purpose: Purpose,
        attempt: Attempt,
        /// The date of the debit run that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<Date>,
    },
    AttemptPostponed {
        #[serde(flatten)]
        of: AttemptId,
        until: Timestamp,
        why: String,
    },
    /// Durable before the first byte leaves.
    AttemptSent {
        #[serde(flatten)]
        of: AttemptId,
        sending: Sending,
        /// The day, where only one debit a day may be sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Date>,
    },
    AttemptAnswered {
        #[serde(flatten)]
        of: AttemptId,
        state: AttemptState,
    },
    AttemptAsked {
        #[serde(flatten)]
        of: AttemptId,
        conclusion: Conclusion,
    },
    /// It never left, and will not.
    AttemptDropped {
        #[serde(flatten)]
        of: AttemptId,
        why: String,
    },
    /// The bank shows that it went back.
    GivenBack {
        give_back: u32,
        entry: Entry,
    },
    /// The bank shows that what was held is held no more.
    Released {
        give_back: u32,
    },
    /// The payer asks to pay in instalments; an earlier request that waits is withdrawn by it.
    PlanRequested(Box<Plan>),
    PlanApproved {
        plan: u32,
        by: Actor,
        /// As accounting fixed them.
        amounts: Vec<Money>,
        terms: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Text>,
    },
    PlanRefused {
        plan: u32,
        by: Actor,
        reason: Text,
    },
    PlanWithdrawn {
        plan: u32,
    },
    /// Money is held for the first instalment.
    Held(Box<Hold>),
    CardJudged {
        hold: u32,
        checkout: CheckoutNumber,
        #[serde(flatten)]
        verdict: Verdict,
    },
    /// The first instalment is captured: the schedule is fixed, and this card is debited.
    PlanActivated {
        plan: u32,
        checkout: CheckoutNumber,
        card: Box<PlanCard>,
    },
    /// From now on another card is debited; the bank is to forget the one before.
    CardChanged {
        plan: u32,
        checkout: CheckoutNumber,
        card: Box<PlanCard>,
    },
    PlanPaused {
        plan: u32,
    },
    PlanResumed {
        plan: u32,
    },
    PlanEnded {
        plan: u32,
        how: PlanEnd,
    },
    /// A debit was refused and will be tried again.
    DebitWaits {
        instalment: u32,
        until: Date,
        code: String,
    },
    /// A debit was refused and will not be tried again by itself.
    DebitInArrears {
        instalment: u32,
        arrears: Arrears,
        /// The first payment was good and this is what single-use numbers answer afterwards.
        #[serde(default)]
        single_use: bool,
    },
    /// Accounting has it debited once more.
    DebitRetried {
        instalment: u32,
        on: Date,
        reason: Text,
    },
    /// Less is owed; what remains of the plan is recomputed, and its terms with it.
    Credited {
        note: Box<CreditNote>,
        /// The plan's new terms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<String>,
    },
    /// Money is to go back, taken from these operations.
    RefundRequested {
        refund: Box<Refund>,
        parts: Vec<RefundPart>,
    },
    Journalled {
        entry: Box<JournalEntry>,
    },
    Rescheduled {
        instalment: u32,
        due: Date,
        reason: Text,
    },
    /// The bank was asked whether a capture has reached the merchant.
    SettlementAsked {
        operation: OperationNumber,
        again: Timestamp,
        why: String,
    },
    EntrySettled {
        entry: Entry,
    },
    /// Nothing of it is on its way to the merchant any more: it went back.
    SettlementOver {
        operation: OperationNumber,
    },
    ChargedBack {
        entry: Entry,
        reason: Text,
    },
    /// Something of it is past due, from now on.
    Blocked,
    /// Nothing of it is past due any more.
    Unblocked,
    /// What one person makes of something that waits for people.
    VerdictGiven(Box<GivenVerdict>),
    /// Two people made the same of it.
    QuarantineResolved {
        subject: Subject,
        decision: PeoplesVerdict,
    },
    /// The bank keeps this card no more.
    SubscriberForgotten {
        subscriber: SubscriberReference,
    },
    SubscriberPostponed {
        subscriber: SubscriberReference,
        until: Timestamp,
        why: String,
    },
}

/// What one operation gives of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPart {
    pub operation: Operation,
    pub amount: Money,
    /// It leaves some of the operation, or comes beside others.
    pub partial: bool,
}

/// What a portal ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub id: OrderId,
    pub merchant: MerchantId,
    pub reference: Text,
    pub payer: Payer,
    pub lines: Vec<Line>,
    pub totals: Totals,
    pub locale: Locale,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<OrderId>,
    pub schedule: Vec<Instalment>,
}

/// What the bank's answers about a checkout came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum AskAnswer {
    /// It knows of no operation of this reference and amount.
    Nothing,
    /// It knows of these; what they came to is in the events beside this one.
    Operations { seen: Vec<Operation> },
    /// It did not answer, or nothing that settles anything.
    Silence { why: String },
}
