//! The order of durability, read from the system calls: connected, then `sent` on the disk, then one write to the bank. And
//! power cuts at every step of it: what the bank has received is on record in whatever the disk has kept.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use guichet::{
    adapters::sqlite::{Options, SqliteStore},
    domain::attempt::AttemptState,
    ports::Mode,
};

use guichet_sandbox::serve::Running;

use crate::{
    bench::{Bench, Direct},
    calendar::Calendar,
    cuts::Cuts,
    disk::Disk,
    life::{Launch, Life},
    number,
    payer::ACCEPTED,
    portal::Portal,
    relay::{Asked, Relay},
    rng::Rng,
    store::{Seen, attempts},
    trace::{self, Call},
    traffic::Traffic,
};

/// System calls that tell when bytes leave and when they are safe.
pub(crate) const CALLS: &str =
    "trace=openat,lseek,write,pwrite64,ftruncate,unlink,fsync,fdatasync,connect,sendto,sendmsg,writev";
/// Debits that are traced.
const DEBITS: usize = 40;
/// Cuts at least.
const POWER_CUTS: usize = 200;
/// How many payers are before a page at once.
const AT_ONCE: usize = 10;
/// A record of TLS that carries HTTP: its type, and by how much it is longer.
const APPLICATION_DATA: u8 = 23;
const RECORD_MORE: usize = 17;

/// A bank behind a relay, and a store with so many debits that are due on a day to come; its gateway has stopped in good
/// order.
pub(crate) async fn ready(debits: usize, edit: impl Fn(String) -> String) -> (Bench, Vec<Relay>) {
    let cuts = Arc::new(Cuts::every(1, 0));
    let mut relays = Vec::new();
    let between = |sandbox: &Running| {
        let hosts = [&sandbox.addresses.direct, &sandbox.addresses.direct_backup];
        relays.extend(hosts.map(|host| Relay::before(host, &cuts)));
        Some(Direct { main: relays[0].address.clone(), backup: relays[1].address.clone() })
    };
    // A traced process is slow: what leaves too late does not leave, and its doubt would outlast the test.
    let at_ease = |text: String| {
        let text = text.replace("send_within = \"1s\"", "send_within = \"10s\"");
        edit(text.replace("answer_grace = \"2100ms\"", "answer_grace = \"12s\""))
    };
    let bench = Bench::start_with(between, at_ease).await;
    let mut life = Life::calm(&bench).await;
    let portal = Portal { bench: &bench };
    // The first debit of all is made in peace: beside it "not found" means something.
    portal.begin_plan("12x", 120_000, &[ACCEPTED]).await;
    let (first, traffic) = (Seen::read(&bench.store).next_debit().unwrap(), Traffic::default());
    let mut calendar = Calendar::new(&bench, &traffic);
    calendar.come_to(first).await;
    calendar.until_all_is_done(&mut life).await;
    for _ in 0..debits / AT_ONCE {
        join_all((0..AT_ONCE).map(|_| portal.begin_plan("12x", 120_000, &[ACCEPTED]))).await;
    }
    // All that is left for the day is the debits.
    let due = Seen::read(&bench.store).next_debit().unwrap();
    calendar.come_to(due.yesterday().unwrap()).await;
    calendar.until_all_is_done(&mut life).await;
    assert!(life.stop(&bench).await.success());
    (bench, relays)
}

/// A debit, as the trace shows it.
pub(crate) struct Traced {
    pub(crate) asked: Asked,
    /// The last write of its connection before the call's own was over.
    pub(crate) connected: usize,
    /// The call began to leave.
    pub(crate) left: usize,
}

/// Finds the one write of each debit.
pub(crate) fn traced(calls: &[Call], asked: &[Asked], port: u16) -> Vec<Traced> {
    let mut by_port: BTreeMap<u16, Vec<&Call>> = BTreeMap::new();
    for call in calls.iter().filter(|call| matches!(call.name.as_str(), "sendto" | "sendmsg" | "write" | "writev")) {
        if let Some(ours) = call.our_port_to(port) {
            by_port.entry(ours).or_default().push(call);
        }
    }
    asked
        .iter()
        .map(|asked| {
            let writes = &by_port[&asked.from_port];
            let is_its = |call: &&Call| application_data(&call.data()).contains(&(asked.length + RECORD_MORE));
            let its: Vec<usize> = (0..writes.len()).filter(|at| is_its(&writes[*at])).collect();
            assert_eq!(its.len(), 1, "not one write of the call: {writes:?}");
            let before = writes[its[0] - 1];
            assert!(writes.len() - its[0] <= 2, "more than a goodbye after the call: {writes:?}");
            Traced { asked: asked.clone(), connected: before.left, left: writes[its[0]].entered }
        })
        .collect()
}

/// The lengths of the records in `bytes` that carry what HTTP says, or the end of a handshake.
fn application_data(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = bytes {
        let length = usize::from(*high) * 256 + usize::from(*low);
        if *kind == APPLICATION_DATA {
            lengths.push(length);
        }
        bytes = rest.get(length..).unwrap_or_default();
    }
    lengths
}

/// The debits that a store has on record as sent, or as more than that, by reference; the number where it is kept.
pub(crate) fn on_record(database: &Path) -> BTreeMap<String, Option<u32>> {
    // As a gateway that starts would: what the disk has kept of the log is taken over.
    drop(SqliteStore::open(database, &Options::new(Mode::Test)).unwrap());
    let seen = Seen::read(database);
    let mut sent = BTreeMap::new();
    for attempt in seen.orders.iter().flat_map(attempts) {
        let number = match &attempt.state {
            AttemptState::Ready { .. } => continue,
            AttemptState::Sent(sending) => Some(sending.question.get()),
            AttemptState::InDoubt(doubt) => Some(doubt.sending.question.get()),
            AttemptState::Accepted { .. }
            | AttemptState::Refused { .. }
            | AttemptState::NotExecuted
            | AttemptState::Quarantined { .. } => None,
        };
        sent.insert(attempt.call.names().0.to_string(), number);
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_bank_has_received_survives_any_power_cut() {
    let (bench, relays) = ready(DEBITS, |text| text).await;
    let mut disk = Disk::of(&bench.store);
    let file = bench.folder.join("trace");
    let under = trace::strace(&file, &["-e", CALLS]);
    let before = relays[0].asked("00053").len();
    let mut life = Life::begin(&bench, &Launch { under, ..Launch::default() });
    life.until_ready(&bench).await;
    let day = Seen::read(&bench.store).next_debit().unwrap();
    Calendar::new(&bench, &Traffic::default()).come_to(day).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while Seen::read(&bench.store).next_debit().is_none_or(|next| next == day) {
        assert!(Instant::now() < deadline, "never debited\n{}", bench.tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    life.kill();

    let (calls, asked) = (trace::read(&file), relays[0].asked("00053").split_off(before));
    assert!(asked.len() >= DEBITS, "{} debits", asked.len());
    let debits = traced(&calls, &asked, relays[0].port());
    let mut rng = Rng::new(number("SEED", 1));
    let folder = bench.folder.join("after");
    let mut over: Vec<&Call> = calls.iter().filter(|call| call.left < usize::MAX).collect();
    over.sort_by_key(|call| call.left);
    // When each debit became durable: by which flush, from when to when.
    let mut durable: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut cuts, mut last) = (0, 0);
    // Beside those at each flush.
    let more = if number("KILLS", 0) > 60 { 40 } else { 2 };
    let check = |disk: &Disk, line: usize, chance: Option<&mut Rng>| {
        let kept = on_record(&disk.cut_power(&folder, chance));
        for debit in debits.iter().filter(|debit| debit.left < line) {
            let reference = debit.asked.field("REFERENCE");
            let number: u32 = debit.asked.field("NUMQUESTION").parse().unwrap();
            let on_record = kept.get(reference);
            assert!(on_record.is_some_and(|kept| kept.is_none_or(|kept| kept == number)), "line {line}: {reference}");
        }
        kept
    };
    for call in over {
        // Any moment before the next thing is durable is as good as the latest: all that has left by then is checked.
        if rng.chance(more) {
            check(&disk, call.left, Some(&mut rng));
            cuts += 1;
        }
        let made_durable = disk.note(call);
        if made_durable {
            check(&disk, call.left, Some(&mut rng));
            for reference in check(&disk, call.left, None).into_keys() {
                durable.entry(reference).or_insert((call.entered, call.left));
            }
            cuts += 2;
        }
        last = call.left;
    }
    check(&disk, last + 1, None);
    for debit in &debits {
        let reference = debit.asked.field("REFERENCE");
        let (flush_began, flushed) = durable[reference];
        assert!(debit.connected < flush_began, "{reference}: not connected before it was on record");
        assert!(flushed < debit.left, "{reference}: left before it was on record");
    }
    println!("power_cuts={cuts} traced_debits={} lines={last}", debits.len());
    assert!(cuts >= POWER_CUTS, "{cuts} cuts");
}
