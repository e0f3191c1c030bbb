//! Which adapter stands behind which port.

use std::{fmt::Display, sync::Arc};

use secrecy::ExposeSecret;

use super::Failure;
use crate::{
    adapters::{
        alarms::{LoggedAlarms, Metrics},
        clock::SystemClock,
        entropy::SystemEntropy,
        ppps::{Contract, Deadlines, Endpoint, PppsBank, tls_config},
        sqlite::{Options, SqliteStore},
        vault::SealingKeys,
        webhook::{Loopback, WebhookSender},
    },
    app::{Mode, Ports},
    config::{Bank, ConfigErrors, Problem, SealingKey, Served, StorePlace, Webhooks},
    ports::{Clock, Store},
};

/// Opens the store, made if it is not there; it must belong to `mode`.
///
/// # Errors
/// [`Failure::Refused`] when it cannot be used.
pub(super) fn open_store(place: &StorePlace, mode: Mode) -> Result<Arc<dyn Store>, Failure> {
    let StorePlace::Sqlite(path) = place;
    let store = SqliteStore::open(path, &Options::new(mode)).map_err(|error| Failure::Refused(error.to_string()))?;
    Ok(Arc::new(store))
}

/// # Errors
/// [`ConfigErrors`] when the keys cannot be used.
pub(super) fn vault(keys: &[SealingKey]) -> Result<SealingKeys, ConfigErrors> {
    let keys = keys.iter().map(|key| (key.id.clone(), *key.key.expose_secret()));
    SealingKeys::new(keys).map_err(|error| problem("secrets.sealing_keys_file".to_owned(), &error))
}

/// What the bank's adapter needs of each merchant.
///
/// # Errors
/// [`ConfigErrors`] when a host or its certificate authorities cannot be used.
pub(super) fn contracts(merchants: &[Served]) -> Result<Vec<Contract>, ConfigErrors> {
    merchants.iter().map(contract).collect()
}

/// The world of a gateway that serves.
///
/// # Errors
/// [`Failure::Refused`] when TLS cannot be set up.
pub(super) fn ports(
    store: Arc<dyn Store>,
    vault: SealingKeys,
    contracts: Vec<Contract>,
    (bank, webhooks): (&Bank, &Webhooks),
    metrics: &Metrics,
) -> Result<Ports, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let deadlines = Deadlines {
        connect: bank.connect_deadline.unsigned_abs(),
        load: bank.load_deadline.unsigned_abs(),
        answer: bank.answer_deadline.unsigned_abs(),
    };
    let tls = tls_config(None).map_err(|error| Failure::Refused(error.to_string()))?;
    let loopback = if webhooks.allow_loopback { Loopback::Allowed } else { Loopback::Refused };
    Ok(Ports {
        store,
        bank: Arc::new(PppsBank::new(contracts, deadlines, Arc::clone(&clock))),
        clock,
        entropy: Arc::new(SystemEntropy::default()),
        vault: Arc::new(vault),
        alarms: Arc::new(LoggedAlarms::new(metrics)),
        notifier: Arc::new(WebhookSender::new(tls, webhooks.deadline, loopback)),
    })
}

fn contract(served: &Served) -> Result<Contract, ConfigErrors> {
    let (merchant, platform) = (&served.merchant, &served.platform);
    let refused = |key: &str, why: &dyn Display| problem(format!("platform[{}].{key}", platform.id), why);
    let (main, backup) = (&platform.direct, platform.direct_backup.as_ref());
    let authorities = platform.authorities.as_deref().map(str::as_bytes);
    let main = Endpoint::try_from(main).map_err(|error| refused("direct", &error))?;
    let backup = backup.map(Endpoint::try_from).transpose().map_err(|error| refused("direct_backup", &error))?;
    Ok(Contract {
        merchant: merchant.id.clone(),
        account: merchant.account.clone(),
        key: merchant.key.clone(),
        hash: merchant.hash,
        // Without a second host the first is asked again.
        backup: backup.unwrap_or_else(|| main.clone()),
        main,
        tls: tls_config(authorities).map_err(|error| refused("ca_file", &error))?,
    })
}

fn problem(path: String, why: &dyn Display) -> ConfigErrors {
    ConfigErrors(vec![Problem { path, sentence: why.to_string() }])
}
