//! The command line. What is meant for a script goes to stdout, what is meant for people to stderr.

mod audit;
mod backup;
mod callbacks;
mod check;
mod debits;
mod keys;
mod lock;
mod log;
mod paybox;
mod serve;
mod store;
mod wiring;
mod worker;

use std::{collections::BTreeMap, io, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigErrors, Judge, Loaded};

/// The counter where you pay: a payment gateway between portals and PAYBOX.
#[derive(Debug, Parser)]
#[command(name = "guichet", disable_help_subcommand = true, version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves portals, payers and PAYBOX until SIGTERM or SIGINT. When it is ready, one line of JSON on stdout says
    /// where.
    Serve(ConfigFile),
    /// Checks a configuration and says everything that is wrong with it. Exits with 1 if anything is.
    CheckConfig(ConfigFile),
    /// Keys of portals, schedulers and people.
    #[command(subcommand)]
    Keys(keys::Command),
    /// What came in under PAYBOX's name.
    #[command(subcommand)]
    Callbacks(callbacks::Command),
    /// The debits of a day, at a gateway that serves.
    #[command(subcommand)]
    Debits(debits::Command),
    /// Whether what is stored makes sense: every order rebuilt from its events, and held against what must always be so.
    Audit(audit::Audit),
    /// Copies the store to a new file; the gateway may go on serving.
    Backup(backup::Backup),
    /// Puts a copy in the place of the store, which nobody may serve meanwhile.
    Restore(backup::Restore),
    /// Where everything is kept.
    #[command(subcommand)]
    Store(store::Command),
    /// PAYBOX's signatures, made and verified without a gateway.
    #[command(subcommand)]
    Paybox(paybox::Command),
}

/// Which configuration.
#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration; without it, the variable GUICHET_CONFIG names it.
    #[arg(long = "config", value_name = "FILE")]
    path: Option<PathBuf>,
}

/// How a command ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Well,
    SomeRefused,
    SomeInDoubt,
    /// By the bank, or by a person.
    Stopped,
}

/// The environment, by name.
pub type Environment = BTreeMap<String, String>;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Config(#[from] ConfigErrors),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Does what `arguments` ask.
///
/// # Errors
/// [`Failure`].
pub fn run(arguments: Arguments, env: Environment) -> Result<Ended, Failure> {
    match arguments.command {
        Command::Serve(file) => serve::serve(file.load(env)?)?,
        Command::CheckConfig(file) => check::check(file.load_judged(env, &wiring::AdaptersAndStore))?,
        Command::Keys(command) => keys::run(command, env)?,
        Command::Callbacks(command) => callbacks::run(command, env)?,
        Command::Paybox(command) => paybox::run(command)?,
        Command::Backup(command) => backup::back_up(&command, env)?,
        Command::Restore(command) => backup::restore(&command, env)?,
        Command::Store(command) => store::run(&command, env)?,
        Command::Audit(command) => return audit::run(&command, env),
        Command::Debits(command) => return debits::run(command, &env),
    }
    Ok(Ended::Well)
}

impl ConfigFile {
    /// The configuration, nothing in which can be refused any more; but the store has not been opened.
    fn load(&self, env: Environment) -> Result<Loaded, Failure> {
        self.load_judged(env, &wiring::Adapters)
    }

    fn load_judged(&self, env: Environment, judge: &dyn Judge) -> Result<Loaded, Failure> {
        let path = self.path.clone().or_else(|| env.get("GUICHET_CONFIG").map(PathBuf::from));
        let path = path
            .ok_or_else(|| Failure::Usage("no configuration: give --config FILE, or set GUICHET_CONFIG".to_owned()))?;
        Ok(Config::load(&path, env, judge)?)
    }
}
