//! The use cases, one file each. They perform what the core decided, through the ports, and feed back what happened.
//!
//! Nothing here spawns, sets a timer, picks at random or reads a clock but through a port (`tests/tidy.rs` checks it),
//! so the whole of it also runs under a simulated world, where a crash is a dropped future.

pub mod access;
mod announce;
pub mod attend;
pub mod audit;
mod bank_call;
pub mod billing;
pub mod callback;
pub mod checkout;
mod commit;
mod confirm;
mod controls;
pub mod copy;
pub mod corrections;
pub mod debit_run;
pub mod event_document;
pub mod events;
pub mod explain;
mod findings;
pub mod imports;
mod instances;
pub mod journal;
mod lost_calls;
mod meeting;
pub mod merchant;
mod misdeeds;
mod numbers;
pub mod orders;
pub mod page;
pub mod plans;
pub mod positions;
pub mod quarantine_document;
pub mod quarantines;
mod read_before;
pub mod reconcile;
mod serving;
pub mod settlement;
pub mod test_clock;
mod turns;
pub mod webhooks;

pub use crate::ports::Mode;
pub use commit::{Outcome, Remember, Rendered, Versioned};
pub use serving::Served;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;

use crate::{
    domain::{
        checkout::Locale,
        correction::CHARGED_BACK,
        fault::Fault,
        ids::{MerchantId, OrderId},
        order::{Impossible, Refusal},
        schedule::OTHER_AMOUNT,
        witness::{LAPSED, SEEN_REFUSED},
    },
    paybox::codes::{Code, Lang},
    ports::{
        Alarm, AlarmKind, Alarms, Bank, Clock, Entropy, Journal, JournalError, Notifier, PageHosts, Store, StoreError,
        Vault, VaultError,
    },
};
use meeting::Meeting;
use merchant::Merchant;
use numbers::Numbers;
use read_before::ReadBefore;
use serving::Serving;
use test_clock::TestClock;
use webhooks::WebhookPolicy;

/// The world that the use cases work in.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub bank: Arc<dyn Bank>,
    pub pages: Arc<dyn PageHosts>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub vault: Arc<dyn Vault>,
    pub alarms: Arc<dyn Alarms>,
    pub journal: Arc<dyn Journal>,
    pub notifier: Arc<dyn Notifier>,
    /// What puts `clock` forward; `None` in live mode.
    pub test_clock: Option<TestClock>,
}

/// What a code of the bank means, for a payer or an accountant.
pub fn explain(code: &str, locale: Locale) -> &'static str {
    let language = match locale {
        Locale::Fr => Lang::Fr,
        Locale::En => Lang::En,
    };
    match Code::parse(code) {
        Ok(code) => code.explain(language),
        Err(_) if code == SEEN_REFUSED => match locale {
            Locale::Fr => "La banque a refusé ; la raison n'a pas pu être connue.",
            Locale::En => "The bank refused; its reason could not be learnt.",
        },
        Err(_) if code == CHARGED_BACK => match locale {
            Locale::Fr => "La banque du payeur a repris ce paiement.",
            Locale::En => "The payer's bank took this payment back.",
        },
        Err(_) if code == OTHER_AMOUNT => match locale {
            Locale::Fr => "La banque a prélevé une autre somme, qui est rendue.",
            Locale::En => "The bank debited another amount, which is given back.",
        },
        Err(_) if code == LAPSED => match locale {
            Locale::Fr => "L'autorisation de la banque n'est plus valable.",
            Locale::En => "The bank's authorisation is no longer valid.",
        },
        Err(_) => match locale {
            Locale::Fr => "La banque a répondu par un code inconnu.",
            Locale::En => "The bank answered with an unknown code.",
        },
    }
}

/// The gateway without its sockets.
pub struct App {
    ports: Ports,
    mode: Mode,
    merchants: BTreeMap<MerchantId, Merchant>,
    webhooks: WebhookPolicy,
    numbers: Numbers,
    meeting: Meeting,
    serving: Serving,
    /// What this gateway is called among those that share its store, if it is shared.
    instance: Option<String>,
    read_before: ReadBefore,
    /// No more debits are to be begun: the process is about to end.
    winding_down: AtomicBool,
    /// What this process is called among those that work on the store.
    holder: String,
    /// What payers and PAYBOX reach us by, without a slash at its end.
    public_url: String,
}

/// Why a use case did not do what it was asked; nothing was changed, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not exist, or is another's: the caller cannot tell which.
    #[error("there is no such thing")]
    NotFound,
    #[error("the request is not well formed")]
    Faults(Vec<Fault>),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("this reference is another order's")]
    ReferenceTaken { order: OrderId },
    #[error("the order to replace cannot be replaced: {0}")]
    NotReplaceable(Refusal),
    /// The merchant refuses to send a payer without an address.
    #[error("this merchant needs a billing address")]
    BillingRequired,
    /// A merchant has as many webhook endpoints, or an endpoint as many replays, as it may.
    #[error("there are as many as there may be")]
    TooMany,
    /// Debits of a day that has not come.
    #[error("that day has not come")]
    NotYetDue,
    /// Debits of a day so long ago that only accounting may start them.
    #[error("that day is too long ago")]
    DateTooOld,
    #[error("the run is not stopped")]
    RunNotStopped,
    #[error("the store does not lag anything")]
    NotReconciling,
    #[error("the bank has not answered all questions yet")]
    StillAsking,
    /// Gateways that have not met the store since it was found to lag.
    #[error("{} have not met the store", .0.join(", "))]
    InstancesMissing(Vec<String>),
    /// What is to be done about a drift is done, or is none of what may be done.
    #[error("nothing like that is left to be done about it")]
    NotOffered,
    #[error("the clock only goes forward")]
    ClockOnlyGoesForward,
    /// It has changed since the caller looked.
    #[error("it has another version by now")]
    Outdated,
    #[error("this Idempotency-Key belongs to another request")]
    KeyReused,
    /// Somebody else keeps changing it; to be tried again.
    #[error("too many changes at once")]
    Busy,
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Ours to mend.
    #[error("a defect: {0}")]
    Defect(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.0)
    }
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<Impossible> for Error {
    fn from(error: Impossible) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        // Not the message of serde_json: it may quote what is stored.
        Self::Defect(format!("stored JSON cannot be read or written: {:?}", error.classify()))
    }
}

impl App {
    /// The gateway of these merchants.
    pub fn new(
        ports: Ports,
        mode: Mode,
        merchants: Vec<Merchant>,
        webhooks: WebhookPolicy,
        first_question: u32,
        public_url: &str,
    ) -> Self {
        let holder = format!("{:032x}", ports.entropy.id(ports.clock.now()));
        Self {
            ports,
            mode,
            holder,
            merchants: merchants.into_iter().map(|merchant| (merchant.id.clone(), merchant)).collect(),
            webhooks,
            numbers: Numbers::new(first_question),
            meeting: Meeting::default(),
            serving: Serving::default(),
            instance: None,
            read_before: ReadBefore::default(),
            winding_down: AtomicBool::new(false),
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// From now on no debit is begun; what is under way is finished.
    pub fn wind_down(&self) {
        self.winding_down.store(true, Ordering::SeqCst);
    }

    fn is_winding_down(&self) -> bool {
        self.winding_down.load(Ordering::SeqCst)
    }

    pub fn merchants(&self) -> impl Iterator<Item = &Merchant> {
        self.merchants.values()
    }

    /// Whether the store, and the journal beside it, can keep what happens.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot.
    pub async fn health(&self) -> Result<(), Error> {
        self.ports.journal.health()?;
        Ok(self.ports.store.health().await?)
    }

    /// Tells whoever is on call that the store does not work.
    pub fn store_failed(&self, why: &str) {
        let (subject, detail) = ("store".to_owned(), why.to_owned());
        self.ports.alarms.raise(Alarm { kind: AlarmKind::StoreFailed, merchant: String::new(), subject, detail });
    }

    /// # Errors
    /// [`Error::NotFound`] for one that is not configured.
    pub fn merchant(&self, id: &MerchantId) -> Result<&Merchant, Error> {
        self.merchants.get(id).ok_or(Error::NotFound)
    }
}
