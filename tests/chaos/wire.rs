//! The wires are cut at every byte, of every kind of question and answer, and of every webhook. What was meant is found out
//! by asking; nothing happens twice, and nothing is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use jiff::ToSpan;

use crate::{
    bench::{Bench, Direct},
    calendar::Calendar,
    cuts::Cuts,
    judge::Verdict,
    life::Life,
    number,
    payer::ACCEPTED,
    portal::Portal,
    receiver::Receiver,
    relay::Relay,
    store::Seen,
    traffic::Traffic,
};

/// What must be cut: debit, enquiries, capture, cancellation, refund, webhook.
const KINDS: [&str; 7] = ["00053", "00011", "00017", "00002", "00005", "00014", "webhook"];
/// Those that come of what payers do, and not of days that pass.
const OF_PAYERS: [&str; 5] = ["00011", "00017", "00002", "00005", "00014"];
/// How many payers are before a page at once.
const AT_ONCE: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_wire_is_cut_nothing_happens_twice_and_nothing_is_lost() {
    let (step, seed) = (usize::try_from(number("EVERY_BYTES", 29)).unwrap(), number("SEED", 1));
    let cuts = Arc::new(Cuts::every(step, seed));
    let mut relays = Vec::new();
    let between = |sandbox: &guichet_sandbox::serve::Running| {
        let hosts = [&sandbox.addresses.direct, &sandbox.addresses.direct_backup];
        relays.extend(hosts.map(|host| Relay::before(host, &cuts)));
        Some(Direct { main: relays[0].address.clone(), backup: relays[1].address.clone() })
    };
    let hasty = |text: String| {
        let text = text.replace("answer_deadline = \"1s\"", "answer_deadline = \"500ms\"");
        text.replace("deadline = \"1s\"\nretry", "deadline = \"300ms\"\nretry")
            .replace("per_minute = 1500", "per_minute = 6000")
    };
    let bench = Bench::start_with(between, hasty).await;
    let receiver = Receiver::start(|_| 200).await;
    let hook = Relay::before(&format!("http://{}", receiver.address), &cuts);
    let traffic = Traffic::default();
    let mut life = Life::calm(&bench).await;
    let mut calendar = Calendar::new(&bench, &traffic);
    let portal = Portal { bench: &bench };
    portal.listen(&format!("{}/hooks", hook.address)).await;
    // The first debit of all is made in peace: beside it "not found" means something.
    portal.begin_plan("12x", 120_000, &[ACCEPTED]).await;
    let first = Seen::read(&bench.store).next_debit().unwrap();
    calendar.come_to(first).await;
    calendar.until_all_is_done(&mut life).await;
    let orders = if step == 1 { 150 } else { 40 };
    for _ in 0..orders / AT_ONCE {
        join_all((0..AT_ONCE).map(|_| portal.begin_plan("12x", 120_000, &[ACCEPTED]))).await;
    }
    cuts.arm();
    let (begun, patience) = (Instant::now(), Duration::from_secs(if step == 1 { 3_600 } else { 120 }));
    let is_left = |kinds: &[&str]| {
        let left = cuts.left();
        kinds.iter().any(|kind| left.get(*kind).copied().flatten() != Some(0))
    };
    let in_time = || assert!(begun.elapsed() < patience, "left to cut: {:?}\n{}", cuts.left(), bench.tail());
    let paying = async {
        while is_left(&OF_PAYERS) {
            in_time();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        traffic.end();
    };
    let (payers, ()) = tokio::join!(traffic.flow_broad(&bench, if step == 1 { 8 } else { 3 }, &is_left), paying);
    let paid = begun.elapsed();
    // Then nobody is before a page, and days may pass.
    while is_left(&KINDS) {
        in_time();
        calendar.go_on(&mut life).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    calendar.until_all_is_done(&mut life).await;
    // Pages of yesterday are asked for once more.
    calendar.come_to(calendar.today.checked_add(2.days()).unwrap()).await;
    let seen = calendar.until_all_is_done(&mut life).await;
    let events = portal.events().await;
    let mut verdict = Verdict::of(&bench, &seen, calendar.today);
    verdict.told(&events, &receiver).await;
    let made = cuts.made();
    let by_kind = KINDS.map(|kind| format!("{kind}={}", made[kind])).join(" ");
    let (all, seconds) = (made.values().sum::<usize>(), begun.elapsed().as_secs());
    let paid = paid.as_secs();
    println!(
        "cuts={all} {} payers={payers} {by_kind} every={step} seed={seed} seconds={seconds} paying={paid}",
        verdict.line()
    );
    assert!(verdict.is_clean(), "{verdict:#?}\n{}", bench.tail());
    bench.audit();
    assert!(life.stop(&bench).await.success());
}
