//! The demo: starts the gateway and a simulated PAYBOX, then either walks a payer's whole journey and judges it, or
//! stays for people to click through. It knows both programs by their command line and their HTTP only.

mod browser;
mod cards;
mod check;
mod client;
mod configuration;
mod document;
mod forms;
mod gateway;
mod journey;
mod orders;
mod portal;
mod processes;
mod random;
mod sandbox;
mod serve;
mod setup;
mod store;
mod transcript;
mod trouble;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use configuration::Pace;
use setup::{Plan, Ports, Stage};
use transcript::Transcript;
use trouble::Outcome;

/// A portal that uses guichet, and the journey that shows every step.
#[derive(Parser)]
#[command(name = "guichet-demo", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Walk the whole journey, print what was seen, and end with 0 only if all of it is right.
    Headless {
        #[command(flatten)]
        programs: Programs,
        /// Leave the directory, with both logs and the store.
        #[arg(long)]
        keep: bool,
    },
    /// Start everything, print where to click, and stay until Ctrl-C.
    Serve {
        #[command(flatten)]
        programs: Programs,
        /// Where the portal listens; 0 lets the machine choose, for everything behind it too.
        #[arg(long, default_value_t = 8000)]
        port: u16,
        /// Print the addresses as one line of JSON, for programs.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct Programs {
    /// What everything is kept in.
    #[arg(long, value_enum, default_value = "sqlite")]
    store: store::Kind,
    /// A new or empty directory for keys, configuration, store and logs; a temporary one when left out.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The gateway; the one beside this program when left out.
    #[arg(long)]
    gateway_bin: Option<PathBuf>,
    /// The sandbox; the one beside this program when left out.
    #[arg(long)]
    sandbox_bin: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("guichet-demo: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("guichet-demo: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well. Both programs end when their stage is dropped, which an interruption does too.
async fn run(command: Command) -> Outcome<bool> {
    match command {
        Command::Headless { programs, keep } => {
            let folder = setup::folder(programs.dir.as_deref())?;
            let stays = keep || programs.dir.is_some();
            if stays {
                println!("logs and store: {}\n", folder.display());
            }
            let outcome = headless(&programs, &folder).await;
            match (stays, &outcome) {
                (true, _) => {}
                (false, Ok(true)) => std::fs::remove_dir_all(&folder)?,
                (false, Ok(false) | Err(_)) => eprintln!("logs and store: {}", folder.display()),
            }
            outcome
        }
        Command::Serve { programs, port, json } => {
            let announce = if json { serve::Announce::Json } else { serve::Announce::Words };
            let ports = if port == 0 { Ports::default() } else { Ports::usual() };
            let folder = setup::folder(programs.dir.as_deref())?;
            let outcome = until_interrupted(async {
                let (listener, origin) = listen(setup::free_or_any(port)).await?;
                let plan = plan(&programs, &folder, origin, ports, Pace::Human)?;
                serve::stay(Stage::set(plan, Arc::new(Transcript::default())).await?, listener, announce).await
            })
            .await;
            if programs.dir.is_none() {
                std::fs::remove_dir_all(&folder)?;
            }
            // Interrupting is how it is meant to end.
            outcome.map(|_| true)
        }
    }
}

async fn headless(programs: &Programs, folder: &Path) -> Outcome<bool> {
    let failures = until_interrupted(async {
        let (listener, origin) = listen(0).await?;
        let plan = plan(programs, folder, origin, Ports::default(), Pace::Hasty)?;
        journey::walk(Stage::set(plan, Arc::new(Transcript::default())).await?, listener).await
    })
    .await?;
    Ok(failures.is_some_and(|failures| failures.is_empty()))
}

/// What `work` comes to; nothing when somebody wanted an end first. Either way everything that was started is stopped.
async fn until_interrupted<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<Option<T>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        outcome = work => return outcome.map(Some),
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    eprintln!("\ninterrupted");
    Ok(None)
}

fn plan(programs: &Programs, folder: &Path, portal_origin: String, ports: Ports, pace: Pace) -> Outcome<Plan> {
    let program = |chosen: &Option<PathBuf>, name: &str| match chosen {
        Some(chosen) => Ok(chosen.canonicalize()?),
        None => setup::sibling(name),
    };
    Ok(Plan {
        folder: folder.to_owned(),
        gateway_program: program(&programs.gateway_bin, "guichet")?,
        sandbox_program: program(&programs.sandbox_bin, "guichet-sandbox")?,
        store: programs.store,
        ports,
        portal_origin,
        pace,
    })
}

/// A place for the portal; its address has to be known before the gateway is told where payers come back to.
async fn listen(port: u16) -> Outcome<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    Ok((listener, origin))
}
