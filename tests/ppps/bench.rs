//! What both kinds of tests share: keys, a clock that can jump, a bank adapter with short deadlines, one call to send.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use guichet::{
    adapters::ppps::{Contract, Deadlines, Endpoint, PppsBank, tls_config},
    domain::{
        attempt::{Host, Sending},
        bank::{ArchiveReference, MoneyCall, Operation},
        ids::{MerchantId, Reference, SubscriberReference},
        money::{Currency, Money},
        numbers::{CallNumber, OperationNumber, QuestionNumber},
    },
    paybox::{
        account::Account,
        hmac::{HashName, HmacKey},
    },
    ports::Clock,
};
use guichet_sandbox::keys::{Existing, KeyDirectory};
use jiff::Timestamp;
use url::Url;

pub(crate) const SITE: &str = "1999888";
/// For what is awaited in vain.
pub(crate) const SOON: Duration = Duration::from_secs(1);
/// For what must come, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn keys() -> &'static KeyDirectory {
    static KEYS: OnceLock<KeyDirectory> = OnceLock::new();
    KEYS.get_or_init(|| {
        let directory = KeyDirectory::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/ppps-keys"));
        directory.fill(Existing::Keep).unwrap();
        directory
    })
}

/// The machine's clock, which jumps a day ahead after it was read a given number of times, as if frozen in between.
pub(crate) struct JumpingClock {
    started: Instant,
    reads_left: AtomicUsize,
}

impl JumpingClock {
    pub(crate) fn steady() -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), reads_left: AtomicUsize::new(usize::MAX) })
    }

    pub(crate) fn jump_after(&self, reads: usize) {
        self.reads_left.store(reads, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for JumpingClock {
    /// As under a test clock: the bank must not notice.
    fn now(&self) -> Timestamp {
        self.wall() + Duration::from_secs(40 * 86_400)
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn since_boot(&self) -> Duration {
        let left =
            self.reads_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1)));
        let day = Duration::from_secs(86_400);
        let jumped = if left == Ok(0) { day } else { Duration::ZERO };
        day + self.started.elapsed() + jumped
    }

    async fn sleep_until(&self, _: Duration) {}
}

/// What is written down before a call leaves.
pub(crate) fn sending(number: u32, clock: &dyn Clock) -> Sending {
    Sending { at: clock.now(), question: question(number), host: Host::Main, dated: Some(clock.wall()) }
}

pub(crate) fn merchant() -> MerchantId {
    "school".parse().unwrap()
}

/// A bank behind two addresses, `https://127.0.0.1:…` each.
pub(crate) fn bank(main: &str, backup: &str, deadlines: Deadlines, clock: Arc<JumpingClock>) -> PppsBank {
    let endpoint = |address: &str| Endpoint::try_from(&Url::parse(&format!("{address}/PPPS.php")).unwrap()).unwrap();
    let contract = Contract {
        merchant: merchant(),
        account: Account::new(SITE, "032", "110647233").unwrap(),
        key: HmacKey::from_hex(keys().read("hmac.key").unwrap().trim()).unwrap(),
        hash: HashName::Sha512,
        main: endpoint(main),
        backup: endpoint(backup),
        tls: tls_config(Some(keys().read("ca.pem").unwrap().as_bytes())).unwrap(),
    };
    PppsBank::new(vec![contract], deadlines, clock)
}

/// Deadlines that a busy machine keeps.
pub(crate) fn patient() -> Deadlines {
    Deadlines { connect: PATIENCE, load: PATIENCE, answer: PATIENCE }
}

pub(crate) fn question(number: u32) -> QuestionNumber {
    QuestionNumber::new(number).unwrap()
}

pub(crate) fn operation(number: u64, call: u64) -> Operation {
    Operation { number: OperationNumber::try_from(number).unwrap(), call: CallNumber::try_from(call).unwrap() }
}

pub(crate) fn euros(cents: i64) -> Money {
    Money::new(cents, Currency::Eur).unwrap()
}

pub(crate) fn cancel(operation: Operation, cents: i64, reference: &str) -> MoneyCall {
    let (amount, reference) = (euros(cents), Reference::received(reference));
    MoneyCall::Cancel { operation, amount, reference, archive: ArchiveReference::from_bits(1), subscriber: None }
}

pub(crate) fn refund(operation: Operation, cents: i64, reference: &str) -> MoneyCall {
    let (amount, reference) = (euros(cents), Reference::received(reference));
    MoneyCall::Refund { operation, amount, reference, archive: ArchiveReference::from_bits(2) }
}

pub(crate) fn capture(operation: Operation, cents: i64, subscriber: Option<SubscriberReference>) -> MoneyCall {
    let (amount, reference) = (euros(cents), Reference::received("A-h1-a1"));
    MoneyCall::Capture { operation, amount, reference, archive: ArchiveReference::from_bits(3), subscriber }
}

pub(crate) fn debit(subscriber: &SubscriberReference, cents: i64, reference: &str) -> MoneyCall {
    let (amount, reference) = (euros(cents), Reference::received(reference));
    MoneyCall::Debit { subscriber: subscriber.clone(), amount, reference, archive: ArchiveReference::from_bits(4) }
}

/// The card of a plan's subscriber, under a name as our checkouts give.
pub(crate) fn subscriber(name: &str) -> SubscriberReference {
    serde_json::from_value(name.into()).unwrap()
}
