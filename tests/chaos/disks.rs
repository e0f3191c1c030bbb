//! Disks that are full, that cannot be written, that fail to flush, while debits are under way: no debit leaves any more,
//! the gateway says so and goes on answering; and on a sound disk all goes on, each debit once.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use jiff::civil::Date;

use crate::{
    bench::{Bench, fresh_name},
    calendar::Calendar,
    disk::Disk,
    durability::{CALLS, on_record, ready, traced},
    judge::Verdict,
    life::{Launch, Life},
    number,
    portal::{Portal, order},
    relay::{Asked, Relay},
    rng::Rng,
    store::Seen,
    trace::{self, Call},
    traffic::Traffic,
};

/// Debits that are due.
const DEBITS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(30);
/// After the failure, to see that nothing more happens.
const A_WHILE: Duration = Duration::from_secs(2);

/// The flush that fails: by chance, once all debits are taken up and some have left, and before the last one has.
fn flush(rng: &mut Rng) -> u64 {
    34 + rng.below(14)
}

/// So that each debit has commits of its own, whose number is known.
fn one_at_a_time(text: String) -> String {
    text.replace("[debits]", "[debits]\nat_once = 1")
}

/// A commit writes so many times, about.
const WRITES: u64 = 26;

/// Lets a run begin, and the store fail under it; what must be so while it is broken. Gives what the bank was asked
/// for, and the day of it.
async fn break_down(bench: &Bench, relays: &[Relay], life: &mut Life) -> (Vec<Asked>, Date) {
    life.until_ready(bench).await;
    let seen = Seen::read(&bench.store);
    let (day, id) = (seen.next_debit().unwrap(), seen.orders[0].id.to_string());
    // The clock may be put forward in vain: the store has failed before.
    let traffic = Traffic::default();
    let mut calendar = Calendar::new(bench, &traffic);
    let is_broken = async {
        let deadline = Instant::now() + PATIENCE;
        while bench.ops.send("GET", "/readyz", &[], "").await.status == 200 {
            assert!(Instant::now() < deadline, "it never fails\n{}", bench.tail());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = async { calendar.come_to(day).await; std::future::pending().await } => {}
        () = is_broken => {}
    }
    tokio::time::sleep(A_WHILE).await;
    let asked = relays[0].asked("00053");
    assert!(asked.len() > 1, "it failed before any debit had left");
    assert!(asked.len() < 1 + DEBITS, "it failed after the last debit had left");
    assert_ne!(bench.ops.send("GET", "/readyz", &[], "").await.status, 200);
    assert_eq!(bench.ops.send("GET", "/livez", &[], "").await.status, 200);
    let portal = Portal { bench };
    assert_eq!(portal.order(&id).await["id"], id, "reads go on");
    let (key, body) = (fresh_name("key"), order(1_000).to_string());
    let placed = portal.once(&bench.keys.portal, "POST", "/v1/orders", &key, &body).await.unwrap();
    assert_eq!((placed.status, placed.code().as_str()), (503, "unavailable"), "{}", placed.body);
    assert_eq!(placed.header("content-type"), Some("application/problem+json"));
    assert!(bench.log().contains("store_failed"), "nobody was told\n{}", bench.tail());
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(relays[0].asked("00053").len(), asked.len(), "a debit left after the store had failed");
    (asked, day)
}

/// On a sound disk each debit is made once.
async fn go_on(bench: &Bench, due: Date) -> Verdict {
    let mut life = Life::calm(bench).await;
    let traffic = Traffic::default();
    let mut calendar = Calendar::new(bench, &traffic);
    calendar.today = Portal { bench }.today().await;
    // That the day had come may not have been on record.
    if calendar.today < due {
        calendar.come_to(due).await;
    }
    let seen = calendar.until_all_is_done(&mut life).await;
    let verdict = Verdict::of(bench, &seen, calendar.today);
    assert!(verdict.is_clean(), "{verdict:#?}\n{}", bench.tail());
    assert!(verdict.debits > DEBITS, "{verdict:?}");
    assert!(life.stop(bench).await.success());
    verdict
}

/// Everything that the bank was asked for is on record as such.
fn is_on_record(bench: &Bench, database: &Path, asked: &[Asked]) {
    let copy = bench.folder.join("copy");
    fs::create_dir_all(&copy).unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("guichet.db{suffix}");
        if database.with_file_name(&name).exists() {
            fs::copy(database.with_file_name(&name), copy.join(&name)).unwrap();
        }
    }
    let kept = on_record(&copy.join("guichet.db"));
    for asked in asked {
        assert!(kept.contains_key(asked.field("REFERENCE")), "not on record: {asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_failed_is_never_tried_again_and_nothing_leaves_after_it() {
    let mut rng = Rng::new(number("SEED", 1));
    for _ in 0..if number("KILLS", 0) > 60 { 5 } else { 1 } {
        let (bench, relays) = ready(DEBITS, one_at_a_time).await;
        let before = relays[0].asked("00053").len();
        let mut disk = Disk::of(&bench.store);
        let file = bench.folder.join("trace");
        // Once: whoever tried again would be told that all is well.
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={}", flush(&mut rng));
        let under = trace::strace(&file, &["-e", CALLS, "-e", &inject]);
        let mut life = Life::begin(&bench, &Launch { under, ..Launch::default() });
        let (asked, due) = break_down(&bench, &relays, &mut life).await;
        assert!(life.stop(&bench).await.success());

        let calls = trace::read(&file);
        let failed = calls.iter().find(|call| call.is_injected()).unwrap();
        // The store and its journal are flushed each for itself: what was answered is still kept when the journal has failed,
        // and what was committed still noted when the store has.
        let is_journal = |call: &Call| call.of().ends_with("journal");
        let same = |call: &Call| call.of().contains("guichet.db") && is_journal(call) == is_journal(failed);
        let later = |call: &&Call| call.entered > failed.entered && same(call);
        let touches = |call: &&Call| !matches!(call.name.as_str(), "openat" | "lseek") && !call.of().ends_with("lock");
        let touched: Vec<&Call> = calls.iter().filter(later).filter(touches).collect();
        assert!(touched.is_empty(), "the store was touched after it had failed: {touched:?}");
        // What was in flight then may still leave: it was on the disk before.
        let debits = traced(&calls, &asked[before..], relays[0].port());
        for call in calls.iter().filter(|call| call.left < failed.entered) {
            disk.note(call);
        }
        let kept = on_record(&disk.cut_power(&bench.folder.join("after"), None));
        for debit in &debits {
            assert!(kept.contains_key(debit.asked.field("REFERENCE")), "left without a record: {:?}", debit.asked);
        }
        let verdict = go_on(&bench, due).await;
        println!("failed_flush_after={} {}", debits.len(), verdict.line());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_disk_that_is_full_or_cannot_be_written_nothing_leaves() {
    let mut rng = Rng::new(number("SEED", 1) + 1);
    for error in ["ENOSPC", "EROFS"] {
        let (bench, relays) = ready(DEBITS, one_at_a_time).await;
        let file = bench.folder.join("trace");
        let inject = format!("inject=write,pwrite64:error={error}:when={}+", WRITES * flush(&mut rng));
        let (database, log) = (&bench.store, bench.store.with_file_name("guichet.db-wal"));
        let only = ["-P", database.to_str().unwrap(), "-P", log.to_str().unwrap(), "-e", CALLS, "-e", &inject];
        let mut life = Life::begin(&bench, &Launch { under: trace::strace(&file, &only), ..Launch::default() });
        let (asked, due) = break_down(&bench, &relays, &mut life).await;
        is_on_record(&bench, &bench.store, &asked);
        assert!(life.stop(&bench).await.success());
        assert!(trace::read(&file).iter().any(Call::is_injected));
        let verdict = go_on(&bench, due).await;
        println!("{error} asked={} {}", asked.len(), verdict.line());
    }
}

/// A small disk of its own, where this machine lets us have one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "none"]).arg(at).output();
        mounted.is_ok_and(|done| done.status.success()).then_some(Self(at))
    }

    fn has(&self, what: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{what}")]).arg(self.0).output().unwrap();
        assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
        let _ = fs::remove_dir(self.0);
    }
}

/// The same as with `ENOSPC`, by a disk that really is full; where nobody may mount one, that is all there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_small_disk_nothing_leaves_once_it_is_full() {
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fresh_name("small-disk"));
    let Some(disk) = SmallDisk::mount(&at) else {
        println!("no disk may be mounted here: strace alone shows what a full one does");
        return;
    };
    let place = format!("sqlite:{}/guichet.db", at.display());
    let (bench, relays) = ready(DEBITS, |text| one_at_a_time(text).replace("sqlite:guichet.db", &place)).await;
    // Room for what is there, and some commits: the log begins anew.
    let kib = fs::metadata(&bench.store).unwrap().len() / 1_024 + 2_400;
    disk.has(&format!("size={kib}k"));
    let mut life = Life::begin(&bench, &Launch::default());
    let (asked, due) = break_down(&bench, &relays, &mut life).await;
    is_on_record(&bench, &bench.store, &asked);
    life.kill();
    disk.has("size=64m");
    let verdict = go_on(&bench, due).await;
    println!("small_disk asked={} {}", asked.len(), verdict.line());
}
