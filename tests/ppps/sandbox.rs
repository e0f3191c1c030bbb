//! Against the sandbox: its ledger says what was done, its journal how often it was asked.

use std::{sync::Arc, time::Duration};

use guichet::{
    adapters::ppps::{Deadlines, PppsBank},
    domain::{
        attempt::Host,
        bank::{Finding, MoneyCall, Operation, OperationStatus, Question, Ruling},
        card::CardEnd,
        ids::Reference,
        retry::RefusalClass,
    },
    ports::{Bank, Clock, KeptCard, Silence},
};
use guichet_sandbox::{
    cards::CardUse,
    keys::TlsSet,
    ledger::{Kind, Merchant, Operation as Booked, Origin, Status},
    log::Log,
    serve::{self, Options, Running},
};
use jiff::Timestamp;

use crate::bench::{
    JumpingClock, SITE, SOON, bank, cancel, euros, keys, merchant, operation, patient, question, refund, sending,
};

/// A card that the sandbox knows, and that nothing of ours may ever tell.
pub(crate) const CARD: &str = "1111222233334444";

/// The sandbox, and a bank that asks it.
pub(crate) struct Bench {
    pub(crate) running: Running,
    pub(crate) bank: PppsBank,
    pub(crate) clock: Arc<JumpingClock>,
    pub(crate) last_question: u32,
}

impl Bench {
    pub(crate) async fn start(tls: TlsSet, deadlines: Deadlines) -> Self {
        let running = serve::start(keys(), Options { tls, ..Options::default() }, Log::to(|_| {})).await.unwrap();
        let clock = JumpingClock::steady();
        let (main, backup) = (&running.addresses.direct, &running.addresses.direct_backup);
        let bank = bank(main, backup, deadlines, Arc::clone(&clock));
        Self { running, bank, clock, last_question: 0 }
    }

    /// A captured payment of 3 770,00 €.
    pub(crate) fn paid(&self, reference: &str) -> Operation {
        self.book(reference, Status::Captured, None)
    }

    /// 3 770,00 € authorised on the page, and the card kept for `subscriber`; with its token.
    pub(crate) fn held(&self, reference: &str, subscriber: &str) -> (Operation, KeptCard) {
        let operation = self.book(reference, Status::Authorised, Some(subscriber));
        let mut world = self.running.sandbox.world();
        let card = CardUse::new(CARD, "2803".to_owned());
        let token = world.register(&site(), subscriber, card, "page", operation.number.get());
        (operation, KeptCard { token: token.into(), end: CardEnd::new(2028, 3).unwrap() })
    }

    fn book(&self, reference: &str, status: Status, subscriber: Option<&str>) -> Operation {
        let mut world = self.running.sandbox.world();
        let (numtrans, numappel) = (world.numtrans(), world.numappel());
        let captured = status == Status::Captured;
        let booked = Booked {
            numtrans,
            numappel,
            merchant: site(),
            reference: reference.to_owned(),
            amount: 377_000,
            currency: "978".to_owned(),
            kind: if captured { Kind::Payment } else { Kind::Authorisation },
            status,
            code: "00000".to_owned(),
            captured: if captured { 377_000 } else { 0 },
            refunded: 0,
            settled_remise: None,
            at: Timestamp::now(),
            settle_from: Timestamp::now(),
            authorisation: "XXXXXX".to_owned(),
            card_type: "CB".to_owned(),
            card_last2: "44".to_owned(),
            archivage: String::new(),
            refund_of: None,
        };
        world.ledger.book(booked, Origin { refabonne: subscriber.map(str::to_owned), ..Origin::default() });
        operation(numtrans, numappel)
    }

    pub(crate) fn arm(&self, script: &str) {
        let mut world = self.running.sandbox.world();
        world.faults.clear();
        world.faults.arm(serde_json::from_str(script).unwrap()).unwrap();
    }

    /// Questions of this type so far.
    pub(crate) fn asked(&self, kind: &str) -> usize {
        self.running.sandbox.world().journal.calls.iter().filter(|call| call.kind == kind).count()
    }

    pub(crate) async fn ask(&mut self, host: Host, asked: &Question) -> Result<Finding, Silence> {
        self.last_question += 1;
        self.bank.ask(&merchant(), host, question(self.last_question), asked).await
    }

    async fn send(&mut self, call: &MoneyCall) -> (Host, Ruling) {
        self.send_with(call, None).await
    }

    pub(crate) async fn send_with(&mut self, call: &MoneyCall, card: Option<&KeptCard>) -> (Host, Ruling) {
        self.last_question += 1;
        let line = self.bank.connect(&merchant(), None).await.unwrap();
        let not_after = self.clock.since_boot() + Duration::from_secs(60);
        (line.host(), line.send(&sending(self.last_question, &*self.clock), call, card, not_after).await)
    }
}

fn site() -> Merchant {
    Merchant { site: SITE.to_owned(), rang: 32 }
}

pub(crate) fn find(reference: &str, cents: i64) -> Question {
    Question::Find { reference: Reference::received(reference), amount: euros(cents) }
}

#[tokio::test]
async fn operations_are_found_cancelled_and_refunded() {
    let mut bench = Bench::start(TlsSet::Good, patient()).await;
    let (first, second) = (bench.paid("A-c1"), bench.paid("B-c1"));
    for host in [Host::Main, Host::Backup] {
        assert_eq!(bench.ask(host, &find("A-c1", 377_000)).await, Ok(Finding::Found(first)));
        assert_eq!(bench.ask(host, &find("A-c1", 377_001)).await, Ok(Finding::Nothing));
        assert_eq!(bench.ask(host, &find("A-c2", 377_000)).await, Ok(Finding::Nothing));
        let look = Question::Look { operation: first };
        let captured = Finding::Status(first, OperationStatus::Captured);
        assert_eq!(bench.ask(host, &look).await, Ok(captured));
        let unknown = Question::Look { operation: operation(first.number.get() + 1_000, first.call.get()) };
        assert_eq!(bench.ask(host, &unknown).await, Ok(Finding::Nothing));
    }
    let other_call = Question::Look { operation: Operation { call: second.call, ..first } };
    assert!(matches!(bench.ask(Host::Main, &other_call).await, Ok(Finding::Unclear(_))));

    let ruling = bench.send(&cancel(first, 377_000, "A-g1-a1")).await;
    assert_eq!(ruling, (Host::Main, Ruling::Accepted { operation: first }));
    let cancelled = Finding::Status(first, OperationStatus::Cancelled);
    assert_eq!(bench.ask(Host::Main, &Question::Look { operation: first }).await, Ok(cancelled));
    // Done before: 00015 proves nothing about this attempt.
    let again = bench.send(&cancel(first, 377_000, "A-g1-a2")).await.1;
    assert_eq!(again, Ruling::Doubt { why: "00015".to_owned() });

    let Ruling::Accepted { operation: made } = bench.send(&refund(second, 377_000, "B-g1-a1")).await.1 else {
        panic!("the refund was not accepted")
    };
    assert!(made.number != second.number && made.call == second.call);
    assert_eq!(bench.ask(Host::Main, &find("B-g1-a1", 377_000)).await, Ok(Finding::Found(made)));
    let refunded = Finding::Status(second, OperationStatus::Refunded);
    assert_eq!(bench.ask(Host::Backup, &Question::Look { operation: second }).await, Ok(refunded));
    let totals = bench.running.sandbox.world().ledger.totals(|_| true);
    assert_eq!((totals.cancelled, totals.refunded, totals.net), (377_000, 377_000, 0));
}

#[tokio::test]
async fn a_number_asked_twice_is_no_answer() {
    let mut bench = Bench::start(TlsSet::Good, patient()).await;
    let paid = bench.paid("A-c1");
    assert!(bench.ask(Host::Main, &find("A-c1", 377_000)).await.is_ok());
    bench.last_question = 0;
    let again = bench.ask(Host::Main, &find("A-c1", 377_000)).await;
    assert_eq!(again, Ok(Finding::Unclear("00005".to_owned())));
    bench.last_question = 0;
    let ruling = bench.send(&cancel(paid, 377_000, "A-g1-a1")).await.1;
    assert_eq!(ruling, Ruling::Doubt { why: "00005".to_owned() });
}

#[tokio::test]
async fn a_host_that_cannot_prove_its_name_is_told_nothing() {
    for tls in [TlsSet::WrongCa, TlsSet::WrongName, TlsSet::Expired] {
        let mut bench = Bench::start(tls, patient()).await;
        for host in [Host::Main, Host::Backup] {
            assert!(bench.ask(host, &find("A-c1", 1)).await.is_err(), "{tls:?}");
        }
        let Err(Silence(why)) = bench.bank.connect(&merchant(), None).await.map(|line| line.host()) else {
            panic!("{tls:?}: connected")
        };
        assert!(why.contains("main: no TLS") && why.contains("backup: no TLS"), "{tls:?}: {why}");
        assert!(bench.running.sandbox.world().journal.calls.is_empty(), "{tls:?}");
    }
}

#[tokio::test]
async fn the_backup_serves_when_the_main_host_does_not() {
    let deadlines = Deadlines { load: SOON, ..patient() };
    for (script, expected) in [
        (r#"{"target":"direct","host":"main","action":"dead"}"#, Some(Host::Backup)),
        (r#"{"target":"load","host":"main","action":"ko"}"#, Some(Host::Backup)),
        (r#"{"target":"load","host":"main","action":"dead"}"#, Some(Host::Backup)),
        (r#"{"target":"load","host":"main","action":"slow","ms":60000}"#, Some(Host::Backup)),
        (r#"{"target":"load","host":"backup","action":"ko"}"#, Some(Host::Main)),
        (r#"{"target":"load","action":"ko"}"#, None),
        (r#"{"target":"direct","action":"dead"}"#, None),
    ] {
        let bench = Bench::start(TlsSet::Good, deadlines).await;
        bench.arm(script);
        let line = bench.bank.connect(&merchant(), None).await;
        let host = line.as_ref().map(|line| line.host());
        match (expected, host) {
            (Some(expected), host) => assert_eq!(host, Ok(expected), "{script}"),
            (None, Ok(host)) => panic!("{script}: {host:?}"),
            (None, Err(Silence(why))) => assert!(why.contains("main: ") && why.contains("backup: "), "{script}: {why}"),
        }
        assert!(bench.running.sandbox.world().journal.calls.is_empty(), "{script}");
    }
    let mut bench = Bench::start(TlsSet::Good, deadlines).await;
    let paid = bench.paid("A-c1");
    bench.arm(r#"{"target":"direct","host":"main","action":"dead"}"#);
    let ruling = bench.send(&cancel(paid, 377_000, "A-g1-a1")).await;
    assert_eq!(ruling, (Host::Backup, Ruling::Accepted { operation: paid }));
}

#[tokio::test]
async fn whatever_becomes_of_the_answer_the_call_was_sent_once() {
    let refused = Ruling::Refused { code: "00151".to_owned(), class: Some(RefusalClass::Soft) };
    let misconfigured = Ruling::Misconfigured { code: "00006".to_owned() };
    let mut bench = Bench::start(TlsSet::Good, Deadlines { answer: SOON, ..patient() }).await;
    // What it is ruled, `None` for doubt, and whether the money came back all the same.
    for (index, (script, expected, given_back)) in [
        (r#"{"target":"direct","action":"drop_before_commit"}"#, None, false),
        (r#"{"target":"direct","action":"drop_after_commit"}"#, None, true),
        (r#"{"target":"direct","action":"delay","ms":60000}"#, None, true),
        (r#"{"target":"direct","action":"http_500"}"#, None, false),
        (r#"{"target":"direct","action":"http_500","commit":true}"#, None, true),
        (r#"{"target":"direct","action":"garbage"}"#, None, true),
        (r#"{"target":"direct","action":"truncate"}"#, None, true),
        (r#"{"target":"direct","action":"cut"}"#, None, true),
        (r#"{"target":"direct","action":"double_body"}"#, None, true),
        (r#"{"target":"direct","action":"wrong_echo"}"#, None, true),
        (r#"{"target":"direct","action":"code","code":"00001","commit":true}"#, None, true),
        (r#"{"target":"direct","action":"code","code":"00015"}"#, None, false),
        (r#"{"target":"direct","action":"code","code":"00003"}"#, None, false),
        (r#"{"target":"direct","action":"code","code":"00000"}"#, None, false),
        (r#"{"target":"direct","action":"code","code":"00999"}"#, None, false),
        (r#"{"target":"direct","action":"code","code":"00151"}"#, Some(refused), false),
        (r#"{"target":"direct","action":"code","code":"00006"}"#, Some(misconfigured), false),
    ]
    .into_iter()
    .enumerate()
    {
        let paid = bench.paid(&format!("{index}-c1"));
        let before = bench.asked("00014");
        bench.arm(script);
        let (_, ruling) = bench.send(&refund(paid, 377_000, &format!("{index}-g1-a1"))).await;
        match expected {
            Some(expected) => assert_eq!(ruling, expected, "{script}"),
            None => assert!(matches!(ruling, Ruling::Doubt { .. }), "{script}: {ruling:?}"),
        }
        assert_eq!(bench.asked("00014") - before, 1, "{script}");
        bench.running.sandbox.world().faults.clear();
        let found = bench.ask(Host::Main, &find(&format!("{index}-g1-a1"), 377_000)).await;
        assert_eq!(matches!(found, Ok(Finding::Found(_))), given_back, "{script}: {found:?}");
    }
}
