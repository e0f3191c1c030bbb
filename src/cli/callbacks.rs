//! `callbacks`: what came in under PAYBOX's name and was kept, for whoever has to find out why it did not fit.

use std::io::{self, Write};

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{ConfigFile, Environment, Failure, wiring};
use crate::{
    app::{callback::context, merchant::Merchant},
    config::{Config, Served},
    domain::ids::MerchantId,
    ports::{Callback, Vault},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prints the callbacks that were kept, the latest first, each as one line of JSON. Exits with 1 when one that
    /// should be opened cannot be.
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Of which merchant, by its id.
    #[arg(long)]
    merchant: MerchantId,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u16,
    /// Opens them too: `raw` is what came in, byte for byte, and may tell of a person. `raw_base64` when it is not
    /// UTF-8. Where a signature did not verify, long numbers were masked before it was kept.
    #[arg(long)]
    raw: bool,
}

pub(super) fn run(command: Command, env: Environment) -> Result<(), Failure> {
    let Command::List(list) = command;
    let config = list.config.load(env)?.config;
    let merchant = merchant(&config, &list.merchant)?;
    let vault = wiring::vault(&config.sealing_keys)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = runtime.block_on(wiring::open_to_read(&config.store, config.mode))?;
    let kept = runtime.block_on(store.callbacks(merchant.id.as_str(), usize::from(list.limit)));
    let kept = kept.map_err(|error| Failure::Refused(error.to_string()))?;
    let context = context(merchant);
    let mut closed = 0_u32;
    let mut stdout = io::stdout().lock();
    for callback in &kept {
        let mut line = describe(callback);
        if list.raw {
            let opened = vault.open(&callback.sealed, &context).ok();
            closed += u32::from(opened.is_none());
            show(&mut line, opened);
        }
        writeln!(stdout, "{line}")?;
    }
    if closed == 0 {
        return Ok(());
    }
    let why = "sealed under a key that is not configured any more, or changed";
    Err(Failure::Refused(format!("{closed} cannot be opened: {why}")))
}

fn merchant<'a>(config: &'a Config, id: &MerchantId) -> Result<&'a Merchant, Failure> {
    let found = config.merchants.iter().map(|Served { merchant, .. }| merchant).find(|merchant| merchant.id == *id);
    found.ok_or_else(|| Failure::Refused(format!("there is no merchant {id} in the configuration")))
}

fn describe(callback: &Callback) -> Value {
    json!({
        "received_at": callback.received_at,
        "verdict": callback.verdict,
        "reason": callback.reason,
        "order": callback.order,
    })
}

fn show(line: &mut Value, opened: Option<Vec<u8>>) {
    let (name, value) = match opened.map(String::from_utf8) {
        None => ("raw", Value::Null),
        Some(Ok(text)) => ("raw", Value::String(text)),
        Some(Err(bytes)) => ("raw_base64", Value::String(BASE64_STANDARD.encode(bytes.as_bytes()))),
    };
    line[name] = value;
}
