//! `audit`: whether what is stored makes sense, and whether the bank agrees.

use std::io::{self, Write};

use clap::Args;

use super::{ConfigFile, Ended, Environment, Failure, wiring};
use crate::{
    adapters::alarms::Metrics,
    app::{App, audit::Report},
    config::Config,
};

/// How `audit` ends, beside 0 for well:
///   1  it could not be done
///   2  something is wrong
///   3  the bank did not say enough
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(flatten)]
    config: ConfigFile,
    /// Asks the bank about every operation that was booked, too, and about every call that is on record as not carried out.
    #[arg(long)]
    bank: bool,
}

pub(super) fn run(command: &Audit, env: Environment) -> Result<Ended, Failure> {
    let config = command.config.load(env)?.config;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        if !wiring::is_there(&config.store, config.mode).await? {
            return Err(Failure::Refused("there is no store where the configuration says".to_owned()));
        }
        let store = wiring::open_to_read(&config.store, config.mode).await?;
        let (ports, _pages) = wiring::world_on(&config, &Metrics::new([]), store)?;
        let Config { mode, bank, webhooks, merchants, .. } = config;
        let merchants = merchants.into_iter().map(|served| served.merchant).collect();
        let app = App::new(ports, mode, merchants, webhooks.policy, bank.first_question, "");
        app.audit(command.bank).await.map_err(|error| Failure::Refused(error.to_string()))
    })?;
    show(&report, command.bank, &mut io::stdout().lock())?;
    Ok(if !report.findings.is_empty() {
        Ended::SomeRefused
    } else if report.unanswered > 0 {
        Ended::SomeInDoubt
    } else {
        Ended::Well
    })
}

/// One line for each thing that is wrong, and one of figures at the end.
fn show(report: &Report, is_bank_asked: bool, out: &mut impl Write) -> io::Result<()> {
    for found in &report.findings {
        writeln!(out, "{} {} {}: {}", found.merchant, found.order, found.breach.invariant, found.breach.what)?;
    }
    let Report { orders, events, operations, asked, unanswered, findings } = report;
    write!(out, "orders={orders} events={events} operations={operations} breaches={}", findings.len())?;
    if is_bank_asked {
        write!(out, " asked={asked} unanswered={unanswered}")?;
    }
    writeln!(out)
}
