//! `store copy`: everything from one store to another, so that a school can move from a file to a server and back.

use std::{
    convert::Infallible,
    fmt::Display,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;

use super::{ConfigFile, Environment, Failure, lock::ServeLock, wiring};
use crate::{
    adapters::{alarms::Metrics, journal::FileJournal, redis::Place},
    app::{
        App,
        copy::{Copied, SERVED, Sides},
    },
    config::{Config, StorePlace},
    domain::reconcile::{Leaving, Mark},
    ports::{Journal, JournalError, Moved, Rows, Store, StoreError},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copies everything to a store that is empty. Nobody may serve either of them meanwhile.
    Copy(Copy),
    /// Lets a store be served again that was moved by `copy`, when the other is given up: what was paid since is there only.
    /// To move back what the other holds, copy it to a new place instead.
    Unmove(Unmove),
}

#[derive(Debug, Args)]
pub(super) struct Unmove {
    #[command(flatten)]
    config: ConfigFile,
    /// The store, as the configuration would name it; without it, the configuration's.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// No gateway serves the other store any more, nor ever will.
    #[arg(long, required = true)]
    yes_the_other_is_gone: bool,
}

/// Both sides have the configuration's mode, merchants, keys and, on Redis, its passwords.
#[derive(Debug, Args)]
pub(super) struct Copy {
    #[command(flatten)]
    config: ConfigFile,
    /// The store that is copied, as the configuration would name it: sqlite:FILE or redis://…?name=…
    #[arg(long, value_name = "STORE")]
    from: String,
    /// The store that is filled; without it, the configuration's.
    #[arg(long, value_name = "STORE")]
    to: Option<String>,
    /// The journal of a gateway that served the store, once for each gateway. For a file, the one beside it is looked for.
    #[arg(long = "from-journal", value_name = "FILE")]
    from_journals: Vec<PathBuf>,
    /// The journal to begin, for the gateway that will serve the copy; without it, the configuration's.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// How long a server counts as being copied after this was last said.
const SAID_FOR: Duration = Duration::from_secs(30);
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Who says so.
const COPIER: &str = "copy";

pub(super) fn run(command: &Command, env: Environment) -> Result<(), Failure> {
    match command {
        Command::Copy(command) => run_copy(command, env),
        Command::Unmove(command) => run_unmove(command, env),
    }
}

fn run_unmove(command: &Unmove, mut env: Environment) -> Result<(), Failure> {
    env.extend(command.store.clone().map(|store| ("GUICHET__STORE".to_owned(), store)));
    let config = command.config.load(env)?.config;
    let _lock = lock(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(unmove(&config))
}

async fn unmove(config: &Config) -> Result<(), Failure> {
    let name = shown(&config.store);
    if !wiring::is_there(&config.store, config.mode).await? {
        return Err(Failure::Refused(format!("there is no store at {name}")));
    }
    let (_store, rows) = wiring::open_rows(&config.store, config.mode, true).await?;
    let refused = |error: StoreError| Failure::Refused(error.to_string());
    let Some(Moved { to, at }) = rows.moved().await.map_err(refused)? else {
        return Err(Failure::Refused(format!("{name} was not moved")));
    };
    rows.come_back().await.map_err(refused)?;
    let _ = writeln!(io::stderr(), "{name} was moved to {to} at {at}. It can be served again; never serve the other.");
    Ok(())
}

fn run_copy(command: &Copy, env: Environment) -> Result<(), Failure> {
    let load = |store: Option<&String>| {
        let mut env = env.clone();
        env.extend(store.map(|store| ("GUICHET__STORE".to_owned(), store.clone())));
        let journal = command.journal.as_ref().map(|path| path.display().to_string());
        env.extend(journal.map(|journal| ("GUICHET__JOURNAL".to_owned(), journal)));
        Ok::<_, Failure>(command.config.load(env)?.config)
    };
    let (from, to) = (load(Some(&command.from))?, load(command.to.as_ref())?);
    if from.store == to.store {
        return Err(Failure::Refused("both are the same store".to_owned()));
    }
    let _locks = (lock(&from)?, lock(&to)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(copy(command, from, to))
}

/// Nobody serves a file whose lock is held. Of a server, its gateways say so themselves.
fn lock(config: &Config) -> Result<Option<ServeLock>, Failure> {
    match &config.store {
        StorePlace::Sqlite(_) => ServeLock::take(&config.store, &config.journal).map(Some),
        StorePlace::Redis(_) => Ok(None),
    }
}

async fn copy(command: &Copy, from: Config, to: Config) -> Result<(), Failure> {
    if !wiring::is_there(&from.store, from.mode).await? {
        return Err(Failure::Refused(format!("there is no store at {}", shown(&from.store))));
    }
    let calls = left_lately(command, &from).await?;
    let (journal, names) = (to.journal.clone(), (shown(&from.store), shown(&to.store)));
    let (source, target) = (side(from, true).await?, side(to, false).await?);
    let outcome = copy_alone(&source, &target, &names, &calls).await;
    for side in [&source, &target] {
        // It lapses anyway.
        let _ = side.store.release(SERVED, COPIER).await;
    }
    let copied = outcome?;
    let refused = |why: &dyn Display| Failure::Refused(why.to_string());
    let mark = target.store.mark(None).await.map_err(|error| refused(&error))?;
    let calls: Vec<Leaving> = calls.into_iter().flat_map(|(_, calls)| calls).collect();
    FileJournal::new(&journal).begin(&mark, &calls).await.map_err(|error| refused(&error))?;
    let report = &copied.report;
    writeln!(
        io::stdout(),
        "rows={} orders={} events={} operations={} breaches={}",
        copied.rows,
        report.orders,
        report.events,
        report.operations,
        report.findings.len()
    )?;
    let _ = writeln!(
        io::stderr(),
        "{} is a copy of {}, found equal, and served instead from now on. {} is the journal to serve it with, on each machine that will.",
        names.1,
        names.0,
        journal.display()
    );
    Ok(())
}

/// Copies while both stores are told that they are being copied.
async fn copy_alone(
    source: &Side,
    target: &Side,
    names: &(String, String),
    calls: &Journals,
) -> Result<Copied, Failure> {
    let moved = source.rows.moved().await.map_err(|error| Failure::Refused(error.to_string()))?;
    match moved {
        None => say_copying(&*source.store, &names.0).await?,
        // Nobody can serve it. What did not arrive there may be sent again; elsewhere it would be one store too many.
        Some(Moved { to, .. }) if to == names.1 => {}
        Some(Moved { to, at }) => {
            return Err(Failure::Refused(format!("{} was moved to {to} at {at}: copy from there", names.0)));
        }
    }
    say_copying(&*target.store, &names.1).await?;
    not_behind(&*source.store, calls).await?;
    let mut bar = Bar::new();
    let sides = Sides { from: (&source.app, &*source.rows), to: (&target.app, &*target.rows), name: &names.1 };
    let mut show = |done, all| bar.show(done, all).map_err(|error| error.to_string());
    let copied = tokio::select! {
        copied = sides.copy(&mut show) => copied,
        never = keep_saying([&*source.store, &*target.store]) => match never {},
    };
    bar.end()?;
    copied.map_err(|error| Failure::Refused(error.to_string()))
}

/// That nothing has changed is looked at in the end, whether this is heard or not.
async fn keep_saying(stores: [&dyn Store; 2]) -> Infallible {
    loop {
        tokio::time::sleep(SAY_EVERY).await;
        for store in stores {
            let _ = store.lease(SERVED, COPIER, SAID_FOR).await;
        }
    }
}

/// A store, and the gateway on it that looks through it.
struct Side {
    app: App,
    store: Arc<dyn Store>,
    rows: Arc<dyn Rows>,
}

async fn side(config: Config, even_moved: bool) -> Result<Side, Failure> {
    let (store, rows) = wiring::open_rows(&config.store, config.mode, even_moved).await?;
    let (ports, _pages) = wiring::world_on(&config, &Metrics::new([]), Arc::clone(&store))?;
    let Config { mode, bank, webhooks, merchants, .. } = config;
    let merchants = merchants.into_iter().map(|served| served.merchant).collect();
    let app = App::new(ports, mode, merchants, webhooks.policy, bank.first_question, "");
    Ok(Side { app, store, rows })
}

/// A store without its secrets.
fn shown(place: &StorePlace) -> String {
    match place {
        StorePlace::Sqlite(path) => path.display().to_string(),
        StorePlace::Redis(shared) => Place::parse(shared.url.expose_secret())
            .map_or_else(|_| "a store on Redis".to_owned(), |place| place.to_string()),
    }
}

async fn say_copying(store: &dyn Store, name: &str) -> Result<(), Failure> {
    let is_ours = store.lease(SERVED, COPIER, SAID_FOR).await.map_err(|error| Failure::Refused(error.to_string()))?;
    if is_ours {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "{name} is served, or was less than half a minute ago: stop its gateways, and wait as long"
    )))
}

type Journals = Vec<(Mark, Vec<Leaving>)>;

/// What the gateways of the source remember of it: each call that left lately goes along.
async fn left_lately(command: &Copy, from: &Config) -> Result<Journals, Failure> {
    let refused = |path: &Path, why: &dyn Display| Failure::Refused(format!("{}: {why}", path.display()));
    let beside = match &from.store {
        StorePlace::Sqlite(path) => {
            let mut journal = path.clone().into_os_string();
            journal.push(".journal");
            Some(PathBuf::from(journal)).filter(|journal| journal.exists())
        }
        StorePlace::Redis(_) => None,
    };
    let named = !command.from_journals.is_empty();
    let paths: Vec<PathBuf> = if named { command.from_journals.clone() } else { beside.into_iter().collect() };
    if paths.is_empty() {
        return Err(Failure::Refused(
            "what left of the store lately is in the journals of its gateways: name each with --from-journal"
                .to_owned(),
        ));
    }
    let mut journals = Vec::new();
    for path in paths {
        let read: Result<_, JournalError> = FileJournal::new(&path).read().await;
        journals.extend(read.map_err(|error| refused(&path, &error))?);
    }
    Ok(journals)
}

/// A store that lags a journal is not moved: what it does not know would be forgotten for good.
async fn not_behind(store: &dyn Store, journals: &Journals) -> Result<(), Failure> {
    for (mark, _) in journals {
        let found = store.mark(Some(mark.position)).await.map_err(|error| Failure::Refused(error.to_string()))?;
        if found != *mark {
            return Err(Failure::Refused(
                "the store is not what its journal remembers: start its gateway, end the reconciliation, and copy then"
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

/// How far it is, for whoever watches: a bar on a terminal, else a line now and then.
struct Bar {
    is_terminal: bool,
    shown: Option<u64>,
}

/// Columns of the bar.
const WIDTH: usize = 40;
/// A plain line for each so many hundredths.
const STEP: u64 = 10;

impl Bar {
    fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown: None }
    }

    fn show(&mut self, done: u64, all: u64) -> io::Result<()> {
        let percent = done.saturating_mul(100).checked_div(all).unwrap_or(100).min(100);
        let step = if self.is_terminal { percent } else { percent / STEP };
        if self.shown == Some(step) {
            return Ok(());
        }
        self.shown = Some(step);
        let mut err = io::stderr();
        if self.is_terminal {
            let full = "#".repeat(usize::try_from(percent).unwrap_or(0) * WIDTH / 100);
            write!(err, "\r[{full:<WIDTH$}] {percent:>3}% {done}/{all}")?;
            err.flush()
        } else {
            writeln!(err, "{percent}% {done}/{all}")
        }
    }

    fn end(&self) -> io::Result<()> {
        if self.is_terminal { writeln!(io::stderr()) } else { Ok(()) }
    }
}
