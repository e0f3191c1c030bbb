//! Which adapter stands behind which port, and what adapters think of a configuration.

use std::{fmt::Display, sync::Arc};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use url::Url;

use super::Failure;
use crate::{
    adapters::{
        alarms::{LoggedAlarms, Metrics},
        clock::{SystemClock, TestClock},
        entropy::SystemEntropy,
        journal::FileJournal,
        page_hosts::{Pages, SeenPages},
        ppps::{Contract, Deadlines, Endpoint, PppsBank, tls_config},
        redis::{self, RedisStore},
        sandbox_clock::ManagedSandbox,
        sqlite::{Options, SqliteStore},
        vault::SealingKeys,
        webhook::{Loopback, WebhookSender},
    },
    app::{Error, Mode, Ports, test_clock},
    config::{self, Bank, Config, Judge, SealingKey, Served, SharedPlace, StorePlace},
    ports::{Clock, ClockHand, PageHosts, Rows, SandboxClock, Store, StoreError},
};

/// Opens the store, made if it is not there; it must belong to `mode`.
///
/// # Errors
/// [`Failure::Refused`] when it cannot be used.
pub(super) async fn open_store(place: &StorePlace, mode: Mode) -> Result<Arc<dyn Store>, Failure> {
    open_rows(place, mode, false).await.map(|(store, _)| store)
}

/// As [`open_store`], only to read what is there, even if the store was moved.
///
/// # Errors
/// [`Failure::Refused`] when it cannot be used.
pub(super) async fn open_to_read(place: &StorePlace, mode: Mode) -> Result<Arc<dyn Store>, Failure> {
    open_rows(place, mode, true).await.map(|(store, _)| store)
}

/// As [`open_store`], of a store that is to be copied.
///
/// # Errors
/// [`Failure::Refused`] when it cannot be used.
pub(super) async fn open_rows(
    place: &StorePlace,
    mode: Mode,
    even_moved: bool,
) -> Result<(Arc<dyn Store>, Arc<dyn Rows>), Failure> {
    let refused = |error: StoreError| Failure::Refused(error.to_string());
    match place {
        StorePlace::Sqlite(path) => {
            let options = Options { even_moved, ..Options::new(mode) };
            let store = Arc::new(SqliteStore::open(path, &options).map_err(refused)?);
            Ok((Arc::clone(&store) as Arc<dyn Store>, store))
        }
        StorePlace::Redis(shared) => {
            let (place, options) = redis(shared, mode).map_err(Failure::Refused)?;
            let options = redis::Options { even_moved, ..options };
            let store = Arc::new(RedisStore::open(place, &options).await.map_err(refused)?);
            Ok((Arc::clone(&store) as Arc<dyn Store>, store))
        }
    }
}

/// Whether there is a store already, of whatever mode.
///
/// # Errors
/// [`Failure::Refused`] when that cannot be told.
pub(super) async fn is_there(place: &StorePlace, mode: Mode) -> Result<bool, Failure> {
    match place {
        StorePlace::Sqlite(path) => Ok(path.exists()),
        StorePlace::Redis(shared) => {
            let (place, options) = redis(shared, mode).map_err(Failure::Refused)?;
            let options = redis::Options { even_moved: true, ..options };
            RedisStore::check(place, &options, None).await.map_err(|error| Failure::Refused(error.to_string()))
        }
    }
}

/// Where a shared store is, and how it is opened.
fn redis(shared: &SharedPlace, mode: Mode) -> Result<(redis::Place, redis::Options), String> {
    let place = redis::Place::parse(shared.url.expose_secret())?;
    let options = redis::Options {
        mode,
        connect_deadline: shared.connect_deadline,
        answer_deadline: shared.answer_deadline,
        queue_max: shared.waiting,
        password: shared.password.clone(),
        sentinel_password: shared.sentinel_password.clone(),
        authorities: shared.authorities.clone(),
        settings_vouched_for: shared.settings_vouched_for,
        clock_within: shared.clock_within,
        even_moved: false,
    };
    Ok((place, options))
}

/// # Errors
/// [`Failure::Refused`] when the keys cannot be used.
pub(super) fn vault(keys: &[SealingKey]) -> Result<SealingKeys, Failure> {
    let keys = keys.iter().map(|key| (key.id.clone(), *key.key.expose_secret()));
    SealingKeys::new(keys).map_err(|error| Failure::Refused(error.to_string()))
}

/// The world of a gateway, and what looks at the hosts of the payment page.
///
/// # Errors
/// [`Failure::Refused`] when the store, the keys, a host or its certificate authorities cannot be used.
pub(super) async fn world(config: &Config, metrics: &Metrics) -> Result<(Ports, Arc<SeenPages>), Failure> {
    world_on(config, metrics, open_store(&config.store, config.mode).await?)
}

/// The same, on a store that is open.
///
/// # Errors
/// [`Failure::Refused`] when the keys, a host or its certificate authorities cannot be used.
pub(super) fn world_on(
    config: &Config,
    metrics: &Metrics,
    store: Arc<dyn Store>,
) -> Result<(Ports, Arc<SeenPages>), Failure> {
    let Config { journal, sealing_keys, bank, webhooks, test_clock, merchants, .. } = config;
    let vault = vault(sealing_keys)?;
    let contracts = merchants.iter().map(contract).collect::<Result<Vec<_>, _>>()?;
    let pages = Arc::new(pages(merchants, &contracts, bank));
    let (clock, test_clock) = clocks(test_clock.as_ref());
    let deadlines = Deadlines {
        connect: bank.connect_deadline.unsigned_abs(),
        load: bank.load_deadline.unsigned_abs(),
        answer: bank.answer_deadline.unsigned_abs(),
    };
    let tls = tls_config(None).map_err(|error| Failure::Refused(error.to_string()))?;
    let loopback = if webhooks.allow_loopback { Loopback::Allowed } else { Loopback::Refused };
    let ports = Ports {
        store,
        bank: Arc::new(PppsBank::new(contracts, deadlines, Arc::clone(&clock))),
        pages: Arc::clone(&pages) as Arc<dyn PageHosts>,
        clock,
        entropy: Arc::new(SystemEntropy::default()),
        vault: Arc::new(vault),
        alarms: Arc::new(LoggedAlarms::new(metrics)),
        journal: Arc::new(FileJournal::new(journal)),
        notifier: Arc::new(WebhookSender::new(tls, webhooks.deadline, loopback)),
        test_clock,
    };
    Ok((ports, pages))
}

/// What is to be looked at to know which host of the payment page serves. It is trusted as the bank is.
fn pages(merchants: &[Served], contracts: &[Contract], bank: &Bank) -> SeenPages {
    let pages = merchants.iter().zip(contracts).map(|(served, contract)| Pages {
        merchant: served.merchant.id.clone(),
        main: served.merchant.page.clone(),
        backup: served.merchant.page_backup.clone(),
        tls: Arc::clone(&contract.tls),
    });
    SeenPages::new(pages.collect(), bank.load_deadline.unsigned_abs())
}

/// The machine's clock, and in test mode what puts it forward.
fn clocks(config: Option<&config::TestClock>) -> (Arc<dyn Clock>, Option<test_clock::TestClock>) {
    let Some(config::TestClock { sandbox, deadline }) = config else { return (Arc::new(SystemClock), None) };
    let clock = Arc::new(TestClock::default());
    let sandbox = sandbox.clone().map(|url| Arc::new(ManagedSandbox::new(url, *deadline)) as Arc<dyn SandboxClock>);
    (Arc::clone(&clock) as Arc<dyn Clock>, Some(test_clock::TestClock { hand: clock, sandbox }))
}

/// What time it is for whoever works on this store.
///
/// # Errors
/// [`Error::Unavailable`].
pub(super) async fn now(store: &dyn Store, mode: Mode) -> Result<Timestamp, Error> {
    let clock = TestClock::default();
    if mode == Mode::Test {
        clock.set_ahead(test_clock::ahead(store).await?);
    }
    Ok(clock.now())
}

fn contract(served: &Served) -> Result<Contract, Failure> {
    let (merchant, platform) = (&served.merchant, &served.platform);
    let refused = |why: &dyn Display| Failure::Refused(format!("platform {}: {why}", platform.id));
    let (main, backup) = (&platform.direct, platform.direct_backup.as_ref());
    let authorities = platform.authorities.as_deref().map(str::as_bytes);
    let main = Endpoint::try_from(main).map_err(|error| refused(&error))?;
    let backup = backup.map(Endpoint::try_from).transpose().map_err(|error| refused(&error))?;
    Ok(Contract {
        merchant: merchant.id.clone(),
        account: merchant.account.clone(),
        key: merchant.key.clone(),
        hash: merchant.hash,
        // Without a second host the first is asked again.
        backup: backup.unwrap_or_else(|| main.clone()),
        main,
        tls: tls_config(authorities).map_err(|error| refused(&error))?,
    })
}

/// Judges for a command that opens the store itself, and so finds out.
pub(super) struct Adapters;

impl Judge for Adapters {
    fn store(&self, place: &StorePlace, mode: Option<Mode>) -> Result<Option<String>, String> {
        match place {
            StorePlace::Sqlite(_) => Ok(None),
            StorePlace::Redis(shared) => match redis::Place::parse(shared.url.expose_secret())?.unsaid() {
                Some(unsaid) if mode == Some(Mode::Live) => Err(unsaid),
                unsaid => Ok(unsaid),
            },
        }
    }

    fn direct(&self, url: &Url) -> Result<(), String> {
        Endpoint::try_from(url).map(|_| ()).map_err(|error| error.to_string())
    }

    fn authorities(&self, pem: &str) -> Result<(), String> {
        tls_config(Some(pem.as_bytes())).map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Judges the store too, which is neither made nor changed.
pub(super) struct AdaptersAndStore;

impl Judge for AdaptersAndStore {
    fn store(&self, place: &StorePlace, mode: Option<Mode>) -> Result<Option<String>, String> {
        let unsaid = Adapters.store(place, mode)?;
        match place {
            StorePlace::Sqlite(path) => SqliteStore::check(path, mode).map_err(|error| error.0)?,
            StorePlace::Redis(shared) => {
                let (place, options) = redis(shared, mode.unwrap_or(Mode::Test))?;
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| error.to_string())?;
                runtime.block_on(RedisStore::check(place, &options, mode)).map_err(|error| error.0)?;
            }
        }
        Ok(unsaid)
    }

    fn direct(&self, url: &Url) -> Result<(), String> {
        Adapters.direct(url)
    }

    fn authorities(&self, pem: &str) -> Result<(), String> {
        Adapters.authorities(pem)
    }
}
