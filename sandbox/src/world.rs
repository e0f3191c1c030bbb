//! Everything that changes while the sandbox runs, behind one lock that is never held across an await. It is a
//! simulator: one lock is the simplest way for its two page hosts and two direct hosts to tell the same truth.

use crate::cards::CardUse;
use crate::clock::Clock;
use crate::config::Contract;
use crate::direct::numbers::QuestionNumbers;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::ledger::{Ledger, Merchant};
use crate::log::Log;
use crate::outcomes::Outcomes;
use crate::page::session::PageSession;
use crate::random::Random;
use crate::subscribers::{Subscriber, Subscribers};
use crate::switches::Switches;
use crate::wire::signature::BankKey;
use jiff::SignedDuration;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The numbers given last. They start as long as those of real samples; a sandbox that replaces another one over a
/// merchant's living database must start above it, because a bank never gives a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LastNumbers {
    pub numappel: u64,
    pub numtrans: u64,
}

impl Default for LastNumbers {
    fn default() -> Self {
        Self { numappel: 61_548_226, numtrans: 34_813_563 }
    }
}

/// One running PAYBOX.
#[derive(Debug)]
pub struct Sandbox {
    pub contracts: Vec<Contract>,
    pub bank_key: BankKey,
    pub log: Log,
    seed: u64,
    started_with: Switches,
    world: Mutex<World>,
}

/// The changing part.
#[derive(Debug)]
pub struct World {
    pub clock: Clock,
    pub random: Random,
    pub switches: Switches,
    pub ledger: Ledger,
    pub journal: Journal,
    pub faults: Faults,
    pub numbers: QuestionNumbers,
    pub pages: BTreeMap<String, PageSession>,
    /// PBX_CMD values seen on any page.
    pub commands: BTreeSet<(Merchant, String)>,
    /// PBX_CMD values paid.
    pub paid: BTreeSet<(Merchant, String)>,
    /// Stored cards.
    pub subscribers: Subscribers,
    /// What the bank was scripted to say.
    pub outcomes: Outcomes,
    /// Notifications that a `reverse` fault holds until the next one has gone.
    pub held: Vec<Arc<Notify>>,
    last: LastNumbers,
}

impl World {
    fn new(seed: u64, switches: Switches, last: LastNumbers) -> Self {
        Self {
            clock: Clock::default(),
            random: Random::new(seed),
            switches,
            ledger: Ledger::default(),
            journal: Journal::default(),
            faults: Faults::default(),
            numbers: QuestionNumbers::default(),
            pages: BTreeMap::new(),
            commands: BTreeSet::new(),
            paid: BTreeSet::new(),
            subscribers: Subscribers::default(),
            outcomes: Outcomes::default(),
            held: Vec::new(),
            last,
        }
    }

    /// A new call number.
    pub fn numappel(&mut self) -> u64 {
        self.last.numappel += 1;
        self.last.numappel
    }

    /// A new transaction number.
    pub fn numtrans(&mut self) -> u64 {
        self.last.numtrans += 1;
        self.last.numtrans
    }

    /// Brings the ledger up to the clock: authorisations that nobody captured lapse, and past nights are settled.
    /// Everyone who reads or changes the ledger comes here first.
    pub fn catch_up(&mut self) {
        let days = self.switches.authorisation_lapses_after_days;
        let window = SignedDuration::from_hours(24 * i64::from(days));
        if days > 0
            && let Ok(before) = self.clock.now().checked_sub(window)
        {
            self.ledger.lapse(before);
        }
        if self.switches.settle_nightly
            && let Ok(midnight) = self.clock.paris().start_of_day()
        {
            self.ledger.settle_nights(midnight.timestamp());
        }
    }

    /// Whether a card of this expiry is past it.
    #[must_use]
    pub fn is_expired(&self, expiry_aamm: &str) -> bool {
        expiry_aamm < self.clock.paris().strftime("%y%m").to_string().as_str()
    }

    /// Stores the card of a subscriber, and gives its token.
    pub fn register(
        &mut self,
        merchant: &Merchant,
        refabonne: &str,
        card: CardUse,
        by: &'static str,
        numtrans: u64,
    ) -> String {
        let follows_card = self.switches.token_follows_card;
        let token = self.subscribers.token(&mut self.random, merchant, &card, follows_card);
        let subscriber =
            Subscriber { token: token.clone(), card, registered_at: self.clock.now(), registered_by: by, numtrans };
        self.subscribers.set(merchant, refabonne, subscriber);
        token
    }

    /// The bank's number of an accepted operation: `XXXXXX` on a test platform, six digits when switched on.
    pub fn authorisation(&mut self) -> String {
        if self.switches.authorisation_numbers {
            format!("{:06}", self.random.number() % 1_000_000)
        } else {
            "XXXXXX".into()
        }
    }
}

impl Sandbox {
    #[must_use]
    pub fn new(
        contracts: Vec<Contract>,
        bank_key: BankKey,
        log: Log,
        seed: u64,
        switches: Switches,
        last: LastNumbers,
    ) -> Self {
        let world = Mutex::new(World::new(seed, switches.clone(), last));
        Self { contracts, bank_key, log, seed, started_with: switches, world }
    }

    /// The changing part. A panic of another holder leaves a simulator that is still worth asking.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything since the start, the clock and the switches included. The numbers go on: a bank never gives
    /// one twice.
    pub fn reset(&self) {
        let mut world = self.world();
        *world = World::new(self.seed, self.started_with.clone(), world.last);
    }

    /// The contract of these numbers; `rang` is compared as a number because it is written with 2 or 3 digits.
    #[must_use]
    pub fn contract(&self, site: &str, rang: &str) -> Option<&Contract> {
        let rang: u32 = rang.parse().ok()?;
        self.contracts.iter().find(|contract| contract.site == site && contract.rang == rang)
    }
}
