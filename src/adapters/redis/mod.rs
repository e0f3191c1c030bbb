//! The shared store: one Redis primary, found directly, by Sentinels or in a cluster, for any number of gateways.
//!
//! All of a store is in one slot, and each change is one script, which Redis runs alone: versions are compared and
//! uniqueness is checked where the change is made, so a compare-and-set holds across processes. An answer that did not
//! come leaves a change unknown, and nothing here ever makes one twice. What a failover of Redis may lose, no script can
//! know: every commit hears who answers, and [`Store::mark`] tells.

mod changes;
mod connect;
mod place;
mod primary;
mod promises;
mod reads;
mod rows;
mod scripts;
mod turns;
mod witness;
mod words;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp, civil::Date};
use secrecy::SecretString;
use tokio::sync::Semaphore;

pub use self::place::Place;
use self::{
    connect::Connector,
    primary::Primary,
    reads::List,
    scripts::{Arguments, Reply, Script},
    witness::{Heard, Least, Witness},
    words::{escape, header, of},
};
use crate::{
    adapters::kept::{Block, CHANGED_MEANWHILE, days, micros, moved_away, unfinished},
    domain::reconcile::Mark,
    ports::{Answer, Callback, Commit, CommitError, FeedItem, Key, Mode, Store, StoreError, Stored},
};

/// What this program writes.
const SCHEMA: &str = "1";
/// Answers that are forgotten in one go.
const FORGOTTEN_AT_ONCE: usize = 500;
/// Lua's numbers hold it exactly, and nobody keeps as many callbacks.
const MOST_KEPT: usize = 1 << 40;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// What a new store becomes, and an existing one must be.
    pub mode: Mode,
    /// For a connection to one server, from the look-up of its name to the end of the log-in.
    pub connect_deadline: Duration,
    /// For one answer. Of a change that is not answered by then nobody knows whether it was made.
    pub answer_deadline: Duration,
    /// Changes that may be under way; more are refused as [`CommitError::Unavailable`].
    pub queue_max: usize,
    /// Goes before one in the URL.
    pub password: Option<SecretString>,
    /// What Sentinels want, if anything.
    pub sentinel_password: Option<SecretString>,
    /// Who vouches for servers that speak TLS, in PEM; public authorities without it.
    pub authorities: Option<String>,
    /// Whether a server that does not say how it keeps things is trusted all the same.
    pub settings_vouched_for: bool,
    /// How far this machine's clock and the server's may be apart.
    pub clock_within: SignedDuration,
    /// Whether one that was moved is opened all the same, to be read.
    pub even_moved: bool,
}

impl Options {
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            connect_deadline: Duration::from_secs(2),
            answer_deadline: Duration::from_secs(5),
            queue_max: 1024,
            password: None,
            sentinel_password: None,
            authorities: None,
            settings_vouched_for: false,
            clock_within: SignedDuration::from_secs(30),
            even_moved: false,
        }
    }
}

/// The store on a Redis primary. Its methods need a tokio runtime with time and I/O.
pub struct RedisStore {
    primary: Primary,
    record: String,
    /// Its own name, given to it when it was made.
    store: String,
    turns: Semaphore,
    witness: Witness,
    clock_within: SignedDuration,
    /// Whether it is read though it was moved.
    even_moved: bool,
    /// What the server was last said to keep too little of.
    weakness: Mutex<Option<String>>,
}

impl RedisStore {
    /// Opens the store at `place`, made if it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when no primary is found, or what is there has a schema that this program does not know, or
    /// belongs to another mode.
    pub async fn open(place: Place, options: &Options) -> Result<Self, StoreError> {
        let (shown, record) = (place.to_string(), place.record());
        let primary = Primary::new(Connector::new(place, options).map_err(StoreError)?);
        let new = uuid::Uuid::now_v7().simple().to_string();
        let arguments = Arguments::new().and(SCHEMA).and(options.mode.name()).and(new);
        let (made, _) = primary.run(&scripts::OPEN, &record, &arguments).await.map_err(StoreError)?;
        let store = identify(made, &shown, Some(options.mode), options.even_moved).map_err(StoreError)?;
        let store = store.ok_or_else(|| StoreError(format!("{shown} cannot be made")))?;
        let turns = Semaphore::new(options.queue_max);
        let (clock_within, even_moved) = (options.clock_within, options.even_moved);
        let (witness, weakness) = (Witness::default(), Mutex::default());
        let store = Self { primary, record, store, turns, witness, clock_within, even_moved, weakness };
        // Who answers at first is what later answers are held against. That it is alone, it may not be for long.
        let (heard, _) = store.look(None).await?;
        store.note_weakness(store.primary.judge(|| heard.replicas).await.map_err(StoreError)?)?;
        Ok(store)
    }

    /// Whether [`RedisStore::open`] would open the store, without making or changing it; `mode` is what it should be, if
    /// that is known. `false` when there is none yet.
    ///
    /// # Errors
    /// [`StoreError`] as [`RedisStore::open`].
    pub async fn check(place: Place, options: &Options, mode: Option<Mode>) -> Result<bool, StoreError> {
        let (shown, record) = (place.to_string(), place.record());
        let connector = Connector::new(place, options).map_err(StoreError)?;
        let link = connector.primary().await.map_err(StoreError)?;
        let mut ask = ::redis::Cmd::new();
        ask.arg("HMGET").arg(record).arg(&["schema", "mode", "store", "incomplete", "moved"]);
        let found = link.ask(&ask).await.map_err(|error| StoreError(format!("{shown}: {error}")))?;
        identify(found, &shown, mode, options.even_moved).map(|store| store.is_some()).map_err(StoreError)
    }

    /// Who answers, and the rest of what it says of its events.
    async fn look(&self, at: Option<u64>) -> Result<(Heard, Reply), StoreError> {
        let before = self.witness.now();
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        let mut reply = self.ask(&scripts::MARK, Arguments::new().and(at)).await?;
        Ok((self.hear(&before, &mut reply).map_err(StoreError)?, reply))
    }

    fn hear(&self, least: &Least, reply: &mut Reply) -> Result<Heard, String> {
        self.witness.hear(&self.store, self.primary.connector.place.replicas(), least, reply)
    }

    /// Takes note of what the server keeps too little of. In test mode that is said once.
    fn note_weakness(&self, weak: Option<String>) -> Result<(), StoreError> {
        let mut known = self.weakness.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = weak.as_ref().filter(|_| *known != weak) {
            tracing::warn!("good enough for a test only: {why}");
        }
        *known = weak;
        self.primary.connector.refuse(known.as_ref()).map_err(StoreError)
    }

    /// How many replicas the server has, by what was seen or is said.
    fn replicas(&self) -> u32 {
        self.witness.replicas(self.primary.connector.place.replicas())
    }

    /// Whether who answered, by how it was judged meanwhile, is good enough for money to move.
    fn fit(&self, heard: &Heard, judged: Result<Option<String>, String>) -> Result<(), StoreError> {
        self.note_weakness(judged.map_err(StoreError)?)?;
        let fit = heard.is_not_alone().and_then(|()| heard.is_on_time(self.clock_within));
        fit.map_err(|why| StoreError(self.of_place(&why)))
    }

    fn of_place(&self, why: &str) -> String {
        format!("{}: {why}", self.primary.connector.place)
    }

    async fn run(&self, script: &Script, arguments: Arguments) -> Result<Reply, String> {
        let (value, link) = self.primary.run(script, &self.record, &arguments.behind(&self.store)).await?;
        let reply = Reply::over(link, value)?;
        reply.moved().map_or(Ok(reply), |text| Err(self.moved_away(&text)))
    }

    /// As [`Self::run`], of a script that ends in `done` alone.
    async fn ask(&self, script: &Script, arguments: Arguments) -> Result<Reply, StoreError> {
        let mut reply = self.run(script, arguments).await.map_err(StoreError)?;
        match reply.text().map_err(StoreError)?.as_str() {
            "done" => Ok(reply),
            "changed" => Err(StoreError(CHANGED_MEANWHILE.to_owned())),
            "gone" => Err(StoreError(self.gone())),
            _ => Err(StoreError(scripts::strange())),
        }
    }

    /// As [`Self::ask`], of a script that changes something.
    async fn change(&self, script: &Script, arguments: Arguments) -> Result<Reply, StoreError> {
        let _turn = self.turns.try_acquire().map_err(|_| StoreError(TOO_MANY.to_owned()))?;
        self.ask(script, arguments).await
    }

    fn moved_away(&self, text: &str) -> String {
        moved_away(&self.primary.connector.place.to_string(), text)
    }

    fn gone(&self) -> String {
        format!("{} is not there any more, or another is in its place", self.primary.connector.place)
    }

    async fn try_commit(&self, commit: &Commit) -> Result<Result<(), CommitError>, String> {
        let _turn = self.turns.try_acquire().map_err(|_| TOO_MANY.to_owned())?;
        // As it was judged last, by a mark or a look.
        let weak = self.weakness.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.primary.connector.refuse(weak.as_ref())?;
        let before = self.witness.now();
        let arguments = changes::commit(before.demand(self.replicas()), commit);
        let mut reply = self.run(&scripts::COMMIT, arguments).await?;
        if reply.is_gone() {
            return Err(self.gone());
        }
        let Some(outcome) = changes::outcome(commit, &mut reply)? else {
            let heard = self.hear(&before, &mut reply)?;
            heard.is_not_alone().map_err(|why| self.of_place(&why))?;
            return Err(self.of_place("another server answers than a moment ago: nothing was changed"));
        };
        // What is made now comes behind all that was seen before.
        let made: usize = commit.writes.iter().map(|write| write.events.len()).sum();
        let least = if outcome.is_ok() { before.and(made) } else { before };
        self.hear(&least, &mut reply)?;
        Ok(outcome)
    }
}

const TOO_MANY: &str = "too many changes are waiting";

/// The name of the store that `found` tells of, if there is one.
fn identify(
    found: ::redis::Value,
    shown: &str,
    mode: Option<Mode>,
    even_moved: bool,
) -> Result<Option<String>, String> {
    let mut found = Reply::new(found)?;
    let (Some(schema), Some(is), Some(store)) = (found.maybe()?, found.maybe()?, found.maybe()?) else {
        return Ok(None);
    };
    if schema != SCHEMA {
        return Err(format!("{shown} has schema {schema}, this program knows {SCHEMA}: run a newer one"));
    }
    if found.maybe()?.is_some() {
        return Err(unfinished(shown));
    }
    if let Some(text) = found.maybe()?.filter(|_| !even_moved) {
        return Err(moved_away(shown, &text));
    }
    match mode {
        Some(asked) if is != asked.name() => {
            Err(format!("{shown} is a store of {is} mode, not of {} mode", asked.name()))
        }
        _ => Ok(Some(store)),
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn load(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let arguments = Arguments::new().and("aggregate").and(of(&key.merchant, key.kind) + &key.id);
        let mut reply = self.ask(&scripts::GET, arguments).await?;
        reads::stored(&mut reply).map_err(StoreError)
    }

    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.try_commit(&commit).await.unwrap_or_else(|why| Err(CommitError::Unavailable(why)))
    }

    async fn owner(&self, merchant: &str, kind: &'static str, value: &str) -> Result<Option<String>, StoreError> {
        let arguments = Arguments::new().and("owner").and(of(merchant, kind)).and(value);
        self.ask(&scripts::GET, arguments).await?.maybe().map_err(StoreError)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.all_due(now, limit).await
    }

    async fn list(
        &self,
        merchant: &str,
        kind: &'static str,
        labels: &[(&'static str, String)],
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.all_listed(&List { merchant, kind, labels, until: None, after, limit }).await
    }

    async fn ready(
        &self,
        merchant: &str,
        kind: &'static str,
        until: Date,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.all_listed(&List { merchant, kind, labels: &[], until: Some(days(until)), after, limit }).await
    }

    async fn tally(
        &self,
        merchant: &str,
        kind: &'static str,
        label: &'static str,
        prefix: &str,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let prefix = escape(prefix);
        // No text holds the byte 0xff, so all that begin with the prefix are below it.
        let beyond = [b"[", prefix.as_bytes(), b"\xff"].concat();
        let arguments = Arguments::new().and(of(merchant, kind)).and(escape(label).as_ref());
        let arguments = arguments.and(format!("[{prefix}")).and(beyond);
        reads::tally(self.ask(&scripts::TALLY, arguments).await?).map_err(StoreError)
    }

    async fn feed(&self, merchants: &[String], after: u64, limit: usize) -> Result<Vec<FeedItem>, StoreError> {
        self.all_fed(merchants, after, limit).await
    }

    async fn history(&self, key: &Key) -> Result<Vec<FeedItem>, StoreError> {
        self.all_history(key).await
    }

    async fn mark(&self, at: Option<u64>) -> Result<Mark, StoreError> {
        // Both are on their way at once.
        let (looked, judged) = join(self.look(at), self.primary.judge(|| self.replicas())).await;
        let (heard, mut reply) = looked?;
        self.fit(&heard, judged)?;
        let mark = reads::mark(heard.store, &mut reply).map_err(StoreError)?;
        // Whoever is about to send asks for it last.
        match reply.maybe().map_err(StoreError)?.filter(|_| !self.even_moved) {
            Some(text) => Err(StoreError(self.moved_away(&text))),
            None => Ok(mark),
        }
    }

    async fn skip(&self, positions: u64) -> Result<(), StoreError> {
        self.change(&scripts::SKIP, Arguments::new().number(positions)).await.map(drop)
    }

    async fn answer(&self, key: &str) -> Result<Option<Answer>, StoreError> {
        let packed = self.ask(&scripts::GET, Arguments::new().and("answer").and(key)).await?.bytes();
        let packed = packed.map_err(StoreError)?;
        packed.map(|packed| words::unpack_answer(key, &packed)).transpose().map_err(StoreError)
    }

    async fn reserve(&self, counter: &str, start: u32, last: u32, count: u32) -> Result<u32, StoreError> {
        let block = Block::new(start, last, count)?;
        let arguments = Arguments::new().and(counter).number(block.start).number(block.last).number(block.count);
        self.change(&scripts::RESERVE, arguments).await?.number().map_err(StoreError)
    }

    async fn keep_callback(&self, callback: Callback, keep: usize) -> Result<(), StoreError> {
        let arguments = Arguments::new().and(escape(&callback.merchant).as_ref()).and(header(&callback));
        let arguments = arguments.and(&callback.sealed).number(keep.min(MOST_KEPT));
        self.change(&scripts::KEEP, arguments).await.map(drop)
    }

    async fn callbacks(&self, merchant: &str, limit: usize) -> Result<Vec<Callback>, StoreError> {
        self.all_callbacks(merchant, limit).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        let before = format!("({}", words::sorted(micros(before)));
        loop {
            let arguments = Arguments::new().and(&before).number(FORGOTTEN_AT_ONCE);
            if self.change(&scripts::FORGET, arguments).await?.text().map_err(StoreError)? != "more" {
                return Ok(());
            }
        }
    }

    async fn health(&self) -> Result<(), StoreError> {
        let before = self.witness.now();
        let asked = self.ask(&scripts::HEALTH, Arguments::new());
        let (asked, judged) = join(asked, self.primary.judge(|| self.replicas())).await;
        let heard = self.hear(&before, &mut asked?).map_err(StoreError)?;
        self.fit(&heard, judged)
    }
}
