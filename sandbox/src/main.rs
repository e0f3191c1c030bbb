//! The command line of the sandbox.

use clap::{Args, Parser, Subcommand};
use guichet_sandbox::config::Config;
use guichet_sandbox::error::SetupError;
use guichet_sandbox::keys::{Existing, KeyDirectory, TlsSet};
use guichet_sandbox::log::Log;
use guichet_sandbox::serve::{self, Options, Ports};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// A PAYBOX on loopback.
#[derive(Parser)]
#[command(name = "guichet-sandbox", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make throw-away keys: the shared key, PAYBOX's signature pair, a CA and certificates.
    Keys {
        #[arg(long)]
        dir: PathBuf,
        /// Replace the keys of an earlier run.
        #[arg(long)]
        force: bool,
    },
    /// Serve the page, the direct hosts and the management port on 127.0.0.1.
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// The directory that `keys` filled.
    #[arg(long)]
    keys: PathBuf,
    /// Contracts and switches, in JSON.
    #[arg(long)]
    config: Option<PathBuf>,
    #[arg(long, default_value_t = 0)]
    page_port: u16,
    #[arg(long, default_value_t = 0)]
    page_backup_port: u16,
    #[arg(long, default_value_t = 0)]
    direct_port: u16,
    #[arg(long, default_value_t = 0)]
    direct_backup_port: u16,
    #[arg(long, default_value_t = 0)]
    manage_port: u16,
    /// The certificate that the direct hosts present.
    #[arg(long, value_enum, default_value_t)]
    tls: TlsSet,
    /// Everything random derives from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Keys { dir, force } => keys(dir, force),
        Command::Serve(arguments) => serve(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guichet-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn keys(dir: PathBuf, force: bool) -> Result<(), SetupError> {
    let existing = if force { Existing::Replace } else { Existing::Keep };
    for path in KeyDirectory::new(dir).fill(existing)? {
        eprintln!("made {}", path.display());
    }
    Ok(())
}

fn serve(arguments: &Serve) -> Result<(), SetupError> {
    let config = arguments.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    let options = Options {
        config,
        ports: Ports {
            page: arguments.page_port,
            page_backup: arguments.page_backup_port,
            direct: arguments.direct_port,
            direct_backup: arguments.direct_backup_port,
            manage: arguments.manage_port,
        },
        tls: arguments.tls,
        seed: arguments.seed,
    };
    let keys = KeyDirectory::new(&arguments.keys);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| SetupError::because("runtime", &error))?;
    runtime.block_on(async {
        let running = serve::start(&keys, options, Log::stderr()).await?;
        let line =
            serde_json::to_string(&running.addresses).map_err(|error| SetupError::because("addresses", &error))?;
        // Whoever started the sandbox waits for this line, so it must not linger in a buffer.
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{line}")
            .and_then(|()| stdout.flush())
            .map_err(|error| SetupError::because("stdout", &error))?;
        running.serve_for_ever().await;
        Ok(())
    })
}
