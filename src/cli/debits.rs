//! `debits`: starting a day's debits at a gateway that serves, watching them, and seeing beforehand what they would be.

mod client;
mod document;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use self::{
    client::{Address, Client, NoAnswer},
    document::{Run, Sum, plain},
};
use super::{Ended, Environment, Failure};
use crate::{adapters::ppps::tls_config, config::duration, domain::ids::MerchantId};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Starts the debits of a day, or finds them started: asking twice debits nobody twice.
    ///
    /// The gateway does the work and goes on whether or not anybody watches; this command only asks it.
    /// A summary goes to stdout, progress and complaints to stderr.
    ///
    /// With --watch it waits for the end, and the exit code tells the worst that happened:
    ///   0  done, nothing to look at
    ///   2  done, and some debits were refused
    ///   3  done, and the outcome of some is not known yet or waits for a person
    ///   4  stopped: the bank refuses the merchant, or the run is frozen
    ///   1  anything else: the gateway cannot be reached, or refuses what was asked
    /// Without --watch, 0 also means that the debits go on.
    #[command(verbatim_doc_comment)]
    Run(RunArguments),
    /// Shows what the debits of a day would be if they started now, and what they would leave out. Changes nothing.
    Preview(Preview),
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    of: Whose,
    /// Waits for the end, and shows how far it is.
    #[arg(long)]
    watch: bool,
    /// How often it is looked how far it is.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = interval)]
    every: Duration,
}

#[derive(Debug, Args)]
pub(super) struct Preview {
    #[command(flatten)]
    of: Whose,
}

/// Which debits, and of which gateway.
#[derive(Debug, Args)]
struct Whose {
    /// Of which merchant, by its id.
    #[arg(long)]
    merchant: MerchantId,
    /// The day, as 2026-12-10: what is due by then and has not been debited.
    #[arg(long, value_name = "DATE")]
    due: Date,
    /// Where the gateway is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: Address,
    /// A file with a key of scope scheduler or accounting; without it, the variable GUICHET_KEY holds the key itself.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Who asks, where the key acts for people.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// A file with the certificates that vouch for the gateway, instead of the public authorities.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How long the gateway may be away before this gives up. A gateway that restarts is away for a moment.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = patience)]
    patience: Duration,
    /// Prints JSON instead of words: the run as one line, or each order of the preview as one.
    #[arg(long)]
    json: bool,
}

/// The first and the longest wait before asking again.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// The longest key file, in bytes.
const MAX_KEY: u64 = 4_096;

/// # Errors
/// [`Failure::Refused`] when the gateway cannot be reached or refuses.
pub(super) fn run(command: Command, env: &Environment) -> Result<Ended, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Command::Run(arguments) => runtime.block_on(start_and_watch(&arguments, env)),
        Command::Preview(preview) => runtime.block_on(show_preview(&preview, env)),
    }
}

async fn start_and_watch(arguments: &RunArguments, env: &Environment) -> Result<Ended, Failure> {
    let RunArguments { of, watch, every } = arguments;
    let client = of.client(env)?;
    let mut told = Told::default();
    let wanted = json!({"merchant": of.merchant, "due_date": of.due});
    let mut document = of.patiently(&mut told, || client.post("/v1/debit-runs", &wanted)).await?;
    let mut run = Run::read(&document).map_err(Failure::Refused)?;
    let path = format!("/v1/debit-runs/{}.{}", of.merchant, of.due);
    while *watch && !run.is_over() {
        told.progress(&run.line());
        tokio::time::sleep(*every).await;
        document = of.patiently(&mut told, || client.get(&path)).await?;
        run = Run::read(&document).map_err(Failure::Refused)?;
    }
    if *watch {
        told.progress(&run.line());
    }
    told.end();
    if of.json {
        writeln!(io::stdout(), "{document}")?;
    } else {
        write!(io::stdout(), "{}", run.summary())?;
    }
    Ok(run.ended())
}

#[derive(Deserialize)]
struct Item {
    reference: String,
    payer: String,
    instalment: Option<u32>,
    amount: Option<Sum>,
    left_out: Option<String>,
}

async fn show_preview(preview: &Preview, env: &Environment) -> Result<Ended, Failure> {
    let of = &preview.of;
    let client = of.client(env)?;
    let mut told = Told::default();
    let mut stdout = io::stdout().lock();
    let (mut debits, mut left_out, mut sum) = (0_u64, 0_u64, None::<Sum>);
    let mut after = String::new();
    loop {
        let path = format!("/v1/debit-runs/preview?merchant={}&date={}{after}", of.merchant, of.due);
        let page = of.patiently(&mut told, || client.get(&path)).await?;
        told.end();
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            let Item { reference, payer, instalment, amount, left_out: why } = Item::deserialize(item)
                .map_err(|error| Failure::Refused(format!("the gateway's answer is not understood: {error}")))?;
            let what = match (amount, why) {
                (Some(amount), None) => {
                    debits += 1;
                    let so_far = sum.map_or(0, |sum| sum.amount);
                    sum = Some(Sum { amount: so_far.saturating_add(amount.amount), ..amount });
                    format!("instalment {}, {}", instalment.unwrap_or_default(), amount.words())
                }
                (_, why) => {
                    left_out += 1;
                    format!("left out: {}", why.unwrap_or_default())
                }
            };
            if of.json {
                writeln!(stdout, "{item}")?;
            } else {
                writeln!(stdout, "{:<24} {:<16} {}", plain(&reference), plain(&payer), plain(&what))?;
            }
        }
        let next = page.get("next").and_then(Value::as_str).map(|next| {
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("&after={next}")
        });
        match next {
            Some(next) if next != after => after = next,
            _ => break,
        }
    }
    if !of.json {
        let sum = sum.map_or_else(String::new, |sum| format!(", {}", sum.words()));
        writeln!(stdout, "Due by {}: {debits} to be debited{sum}; {left_out} left out.", of.due)?;
    }
    Ok(Ended::Well)
}

impl Whose {
    fn client(&self, env: &Environment) -> Result<Client, Failure> {
        let key = self.key(env)?;
        let authorities = self.ca_file.as_ref().map(|path| {
            fs::read(path).map_err(|error| Failure::Refused(format!("{} cannot be read: {error}", path.display())))
        });
        let tls = tls_config(authorities.transpose()?.as_deref());
        let tls = tls.map_err(|error| Failure::Refused(error.to_string()))?;
        if self.url.is_open_to_all() {
            let _ = writeln!(io::stderr(), "warning: {} is not https: the key can be read on its way", self.url);
        }
        Client::new(self.url.clone(), tls, &key, self.actor.as_deref()).map_err(Failure::Refused)
    }

    fn key(&self, env: &Environment) -> Result<SecretString, Failure> {
        let refused = |why: String| Failure::Refused(why);
        let text = match &self.key_file {
            Some(path) => {
                let cannot = |error| refused(format!("{} cannot be read: {error}", path.display()));
                if fs::metadata(path).map_err(cannot)?.len() > MAX_KEY {
                    return Err(refused(format!("{} holds more than a key", path.display())));
                }
                fs::read_to_string(path).map_err(cannot)?
            }
            None => env.get("GUICHET_KEY").cloned().unwrap_or_default(),
        };
        match text.trim() {
            "" => Err(refused("no key: give --key-file FILE, or set GUICHET_KEY".to_owned())),
            key => Ok(key.to_owned().into()),
        }
    }

    /// Asks until there is an answer, for as long as the gateway may be away. Only what may be asked twice is asked so.
    async fn patiently<F>(&self, told: &mut Told, mut ask: impl FnMut() -> F) -> Result<Value, Failure>
    where
        F: Future<Output = Result<Value, NoAnswer>>,
    {
        let (first, longest) = WAITS;
        let (mut since, mut wait) = (None::<Instant>, first);
        loop {
            let (why, after) = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::Never(why)) => {
                    told.end();
                    return Err(Failure::Refused(format!("{}: {}", self.url, plain_lines(&why))));
                }
                Err(NoAnswer::NotNow { why, after }) => (plain_lines(&why), after),
            };
            let left = match since {
                None => self.patience,
                Some(since) => self.patience.saturating_sub(since.elapsed()),
            };
            if left.is_zero() {
                told.end();
                return Err(Failure::Refused(self.given_up(&why)));
            }
            if since.is_none() {
                since = Some(Instant::now());
                told.remark(&format!("{}: {why}; asking again for up to {}", self.url, words(self.patience)));
            }
            tokio::time::sleep(after.unwrap_or(wait).min(longest).min(left)).await;
            wait = wait.saturating_mul(2).min(longest);
        }
    }

    fn given_up(&self, why: &str) -> String {
        let url = &self.url;
        let away = if self.patience.is_zero() { String::new() } else { format!(" for {}", words(self.patience)) };
        format!(
            "{url} gave no usable answer{away}: {why}\n\
             A run that was started goes on by itself once the gateway serves; the same command finds it again."
        )
    }
}

/// What was told on stderr: one line that is redrawn on a terminal, else a line for each change.
#[derive(Default)]
struct Told {
    last: String,
    /// The cursor stands behind a line that may be redrawn.
    open: bool,
}

impl Told {
    fn progress(&mut self, line: &str) {
        if self.last == line {
            return;
        }
        line.clone_into(&mut self.last);
        let line = plain(line);
        let mut stderr = io::stderr().lock();
        // Nobody is left to tell that stderr is closed. On a terminal nothing is wrapped, else a narrow one would scroll.
        let _ = if stderr.is_terminal() {
            self.open = true;
            write!(stderr, "\r\u{1b}[?7l{line}\u{1b}[K\u{1b}[?7h").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "{line}")
        };
    }

    fn remark(&mut self, line: &str) {
        self.end();
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// From now on others write.
    fn end(&mut self) {
        if self.open {
            let _ = writeln!(io::stderr());
            self.open = false;
        }
    }
}

/// As [`plain`], but lines stay lines.
fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

fn interval(text: &str) -> Result<Duration, String> {
    let every = duration::parse(text)?.unsigned_abs();
    if every < Duration::from_millis(10) { Err("is less than 10ms".to_owned()) } else { Ok(every) }
}

fn patience(text: &str) -> Result<Duration, String> {
    Ok(duration::parse(text)?.unsigned_abs())
}

fn words(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration).map_or_else(|_| "ever".to_owned(), |duration| format!("{duration:#}"))
}
