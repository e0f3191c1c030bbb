//! Neither a token nor a card number is ever told: not by a log, at whatever level, and not by what an answer is ruled.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use guichet::{
    domain::{attempt::Host, card::CardEnd},
    ports::{Bank, Clock, KeptCard},
};
use guichet_sandbox::keys::TlsSet;
use secrecy::ExposeSecret;
use tracing::{Level, subscriber::DefaultGuard};

use crate::{
    bench::{JumpingClock, bank, debit, merchant, patient, question, sending, subscriber},
    raw::{RawBank, Script, http},
    sandbox::{Bench, CARD, find},
};

const TOKEN: &str = "SLDLrcsLMPC";

/// All that this thread logs while it is held.
struct Log {
    written: Sink,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        let written = Sink::default();
        let writer = written.clone();
        let all = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(move || writer.clone()).finish();
        Self { written, _guard: tracing::subscriber::set_default(all) }
    }

    fn text(&self) -> String {
        String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_debit_is_logged_without_its_card() {
    let log = Log::start();
    let mut bench = Bench::start(TlsSet::Good, patient()).await;
    let (_, card) = bench.held("A-c1", "A-s1");
    let token = card.token.expose_secret().to_owned();
    let mut told = Vec::new();
    for (number, script) in [
        r#"{"target":"load","host":"backup","action":"ko"}"#,
        r#"{"target":"direct","action":"code","code":"00151"}"#,
        r#"{"target":"direct","action":"code","code":"00006"}"#,
        r#"{"target":"direct","action":"truncate"}"#,
        r#"{"target":"direct","action":"double_body"}"#,
        r#"{"target":"direct","action":"wrong_echo"}"#,
        r#"{"target":"direct","action":"garbage"}"#,
        r#"{"target":"direct","action":"cut"}"#,
        r#"{"target":"direct","action":"http_500"}"#,
    ]
    .iter()
    .enumerate()
    {
        bench.arm(script);
        let call = debit(&subscriber("A-s1"), 20_031, &format!("A-i2-d{number}"));
        told.push(format!("{:?} {call:?}", bench.send_with(&call, Some(&card)).await));
        told.push(format!("{:?}", bench.ask(Host::Main, &find(&format!("A-i2-d{number}"), 20_031)).await));
    }
    told.push(format!("{:?}", bench.bank.forget(&merchant(), Host::Main, question(500), &subscriber("A-s1")).await));
    let log = log.text();
    assert_eq!(log.matches("kind=\"00053\"").count(), 9, "{log}");
    assert!(log.contains("kind=\"00058\"") && log.contains("A-i2-d3"), "{log}");
    for secret in [token.as_str(), CARD, "PORTEUR"] {
        assert!(!log.contains(secret), "{secret} in {log}");
        assert!(!told.concat().contains(secret), "{secret} in {told:?}");
    }
}

/// Answers that hold a token and a card number, and are wrong in many ways: saying what is wrong must not quote them.
#[tokio::test]
async fn an_unusable_answer_is_not_quoted() {
    let log = Log::start();
    let mut server = RawBank::start().await;
    let good = format!(
        "NUMTRANS=0000000011&NUMAPPEL=0000000006&NUMQUESTION=0000000007&SITE=1999888&RANG=32&AUTORISATION=XXXXXX\
         &CODEREPONSE=00000&COMMENTAIRE={CARD} {TOKEN}&REFABONNE=A-s1&PORTEUR={TOKEN}"
    );
    let mut told = Vec::new();
    for body in [
        good.clone(),
        good.replace("CODEREPONSE=00000", &format!("CODEREPONSE={CARD}")),
        good.replace("CODEREPONSE=00000", &format!("CODEREPONSE={TOKEN}")),
        good.replace("0000000007", CARD),
        good.replace("0000000007", TOKEN),
        good.replace("SITE=1999888", &format!("SITE={CARD}")),
        good.replace("NUMTRANS=0000000011", &format!("NUMTRANS={CARD}")),
        good.replace("NUMTRANS=0000000011", &format!("NUMTRANS={TOKEN}")),
        good.replace("AUTORISATION=XXXXXX", &format!("{CARD}=1&{TOKEN}=2")),
        format!("{good}&PORTEUR={CARD}"),
        format!("{TOKEN}{CARD}"),
    ] {
        let clock = JumpingClock::steady();
        let bank = bank(&server.address, &server.address, patient(), Arc::clone(&clock));
        server.next_answer(Script::Say(http("200 OK", &body)));
        let line = bank.connect(&merchant(), None).await.unwrap();
        let card = KeptCard { token: TOKEN.to_owned().into(), end: CardEnd::new(2028, 3).unwrap() };
        let call = debit(&subscriber("A-s1"), 20_031, "A-i2-d1");
        let not_after = clock.since_boot() + Duration::from_secs(60);
        told.push(format!("{:?}", line.send(&sending(7, &*clock), &call, Some(&card), not_after).await));
        server.ended().await;
        server.ended().await;
        told.push(format!("{:?}", bank.ask(&merchant(), Host::Main, question(7), &find("A-i2-d1", 20_031)).await));
        server.ended().await;
    }
    assert!(told[0].contains("Accepted"), "{told:?}");
    let log = log.text();
    assert!(log.contains("a call was answered") && log.contains("a call was not answered"), "{log}");
    for secret in [TOKEN, CARD] {
        assert!(!log.contains(secret), "{secret} in {log}");
        assert!(!told.concat().contains(secret), "{secret} in {told:?}");
    }
}
