//! The configuration: one TOML file, single values from the environment, secrets in files of their own. Whatever is
//! wrong stops the start, and all of it is said at once.
//!
//! `guichet.example.toml` explains every key.

mod bank;
mod cards;
mod debits;
pub mod duration;
mod examples;
mod files;
mod judge;
mod merchant;
mod overrides;
mod platform;
mod problem;
mod sealing;
mod section;
mod server;
mod store;
mod templates;
mod test_clock;
mod timing;
mod urls;
mod webhooks;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::tz::TimeZone;
use toml::Table;

use crate::{app::Mode, domain::template::Template};
use files::Files;
use merchant::Context;
use overrides::Overrides;
use section::{Reading, Section};
use timing::Timing;

pub use bank::Bank;
pub use debits::Debits;
pub use judge::Judge;
pub use merchant::Served;
pub use platform::Platform;
pub use problem::{ConfigErrors, Problem};
pub use sealing::SealingKey;
pub use server::{Log, LogFormat, Server};
pub use store::{SharedPlace, StorePlace};
pub use test_clock::TestClock;
pub use webhooks::Webhooks;

/// A configuration without a problem.
pub struct Config {
    pub mode: Mode,
    /// Without a slash at its end; `None`: `http://` and the address that is really listened on, which is loopback.
    pub public_url: Option<String>,
    /// In which instalments fall due.
    pub time_zone: TimeZone,
    pub store: StorePlace,
    /// What this machine remembers of the store.
    pub journal: PathBuf,
    /// What this gateway is called among those that share its store on Redis.
    pub instance: Option<String>,
    pub server: Server,
    pub log: Log,
    /// Keys that seal what must not be readable in the store, the current one first.
    pub sealing_keys: Vec<SealingKey>,
    pub bank: Bank,
    pub webhooks: Webhooks,
    /// `None` in live mode.
    pub test_clock: Option<TestClock>,
    pub debits: Debits,
    /// Ways to pay in instalments, in the order of the file.
    pub templates: Vec<Template>,
    /// The time zones of this installation and of its templates, by their names.
    pub zones: BTreeMap<String, TimeZone>,
    /// In the order of the file.
    pub merchants: Vec<Served>,
}

/// A configuration, and what somebody should look at though it works.
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads the file at `path` and the variables of `env`; files are looked for from the folder of `path`.
    ///
    /// # Errors
    /// [`ConfigErrors`] with everything that is wrong, in the eyes of `judge` too.
    pub fn load(
        path: &Path,
        env: impl IntoIterator<Item = (String, String)>,
        judge: &dyn Judge,
    ) -> Result<Loaded, ConfigErrors> {
        let alone = |sentence: String| ConfigErrors(vec![Problem { path: String::new(), sentence }]);
        let text =
            fs::read_to_string(path).map_err(|error| alone(format!("{} cannot be read: {error}", path.display())))?;
        let table = parse(&text).map_err(|sentence| alone(format!("{} is not TOML: {sentence}", path.display())))?;
        let reading = Reading::new(Overrides::from_env(env));
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = Self::read(Section::root(&reading, table), &Files { folder, reading: &reading }, judge);
        let warnings = reading.end()?;
        let config = config.ok_or_else(|| alone("the configuration is incomplete".to_owned()))?;
        Ok(Loaded { config, warnings })
    }

    /// `None` when something is missing or wrong; that has been noted.
    fn read(mut root: Section<'_>, files: &Files<'_>, judge: &dyn Judge) -> Option<Self> {
        let reading = root.reading;
        let mode = root.needed("mode", |text| match text {
            "live" => Ok(Mode::Live),
            "test" => Ok(Mode::Test),
            _ => Err("is neither \"live\" nor \"test\"".to_owned()),
        });
        if mode == Some(Mode::Live) {
            reading.be_strict();
        }
        let is_public_url_given = root.has("public_url");
        let public_url = root.optional("public_url", |text| urls::public(text, mode));
        let (zone_name, time_zone) = root.optional("time_zone", zone).unwrap_or_else(default_zone);
        let (store, journal, instance) = store::read(&mut root, files, judge, mode);
        let server = Server::read(root.section("server"));
        let log = Log::read(root.section("log"));
        let sealing_keys = sealing::read(root.section("secrets"), files, mode);
        let bank = Bank::read(root.section("bank"), mode);
        let webhooks = Webhooks::read(root.section("webhooks"), mode);
        let test_clock = TestClock::read(root.section("test_clock"), mode);
        let (platforms, platform_ids) = read_platforms(&mut root, files, judge, mode);
        let timing = Timing::read(root.section("timing"), &bank);
        let debits = Debits::read(root.section("debits"), mode);
        let mut zones = BTreeMap::from([(zone_name.clone(), time_zone.clone())]);
        let (templates, template_codes) = templates::read(&mut root, &zone_name, &mut zones);
        let context = Context {
            mode,
            files,
            platforms: &platforms,
            platform_ids: &platform_ids,
            templates: &templates,
            template_codes: &template_codes,
            timing: &timing,
            bank: &bank,
            debits: &debits,
            zone: &time_zone,
            zones: &zones,
        };
        let merchants = read_merchants(&mut root, &context);
        if is_public_url_given {
            check_public_url(reading, public_url.as_deref(), &merchants);
        } else {
            check_no_public_url(&root, mode, &server, &merchants);
        }
        root.end();
        Some(Self {
            mode: mode?,
            public_url,
            time_zone,
            store: store?,
            journal: journal?,
            instance,
            server,
            log,
            sealing_keys: sealing_keys?,
            bank,
            webhooks,
            test_clock,
            debits,
            templates,
            zones,
            merchants,
        })
    }
}

const DEFAULT_ZONE: &str = "Europe/Paris";

/// The message and the line, never the line's text: it may be a secret in the wrong place.
fn parse(text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })
}

/// A time zone, and its name as the database spells it.
fn zone(text: &str) -> Result<(String, TimeZone), String> {
    let zone = TimeZone::get(text).ok().filter(|zone| !zone.is_unknown());
    let zone = zone.ok_or_else(|| "is not a time zone such as \"Europe/Paris\"".to_owned())?;
    Ok((zone.iana_name().unwrap_or(text).to_owned(), zone))
}

fn default_zone() -> (String, TimeZone) {
    zone(DEFAULT_ZONE).unwrap_or_else(|_| ("UTC".to_owned(), TimeZone::UTC))
}

fn read_platforms(
    root: &mut Section<'_>,
    files: &Files<'_>,
    judge: &dyn Judge,
    mode: Option<Mode>,
) -> (Vec<Arc<Platform>>, Vec<String>) {
    let sections = root.sections("platform");
    if sections.is_empty() {
        root.problem("platform", "is missing: there must be one [[platform]] at least");
    }
    let (mut platforms, mut ids) = (Vec::new(), Vec::new());
    for section in sections {
        if let Some(id) = section.peek("id") {
            if ids.contains(&id) {
                section.problem("id", "is another platform's too");
            }
            ids.push(id);
        }
        platforms.extend(Platform::read(section, files, judge, mode).map(Arc::new));
    }
    (platforms, ids)
}

fn read_merchants(root: &mut Section<'_>, context: &Context<'_>) -> Vec<Served> {
    let sections = root.sections("merchant");
    if sections.is_empty() {
        root.problem("merchant", "is missing: there must be one [[merchant]] at least");
    }
    let mut ids = Vec::new();
    let mut prefixes = Vec::new();
    let mut merchants = Vec::new();
    for section in sections {
        if let Some(id) = section.peek("id") {
            if ids.contains(&id) {
                section.problem("id", "is another merchant's too");
            }
            ids.push(id);
        }
        if let (Some(site), Some(prefix)) = (section.peek("site"), section.peek("reference_prefix")) {
            let prefix = (site, prefix.to_ascii_lowercase());
            if prefixes.contains(&prefix) {
                section.problem("reference_prefix", "is another merchant's on this site too: references could collide");
            }
            prefixes.push(prefix);
        }
        merchants.extend(Served::read(section, context));
    }
    merchants
}

fn check_public_url(reading: &Reading, public_url: Option<&str>, merchants: &[Served]) {
    let Some(public_url) = public_url else { return };
    urls::check_port(reading, public_url);
    for served in merchants {
        urls::check_forms(reading, public_url, &served.merchant.id);
    }
}

/// Without a public URL the address listened on stands for it, which a browser on this machine can reach, and nobody
/// else.
fn check_no_public_url(root: &Section<'_>, mode: Option<Mode>, server: &Server, merchants: &[Served]) {
    if mode == Some(Mode::Live) {
        root.problem("public_url", "is missing, in live mode");
    }
    if !server.listen.ip().is_loopback() {
        root.problem("public_url", "is missing: only with a loopback server.listen can it be left out");
        return;
    }
    let longest = format!("http://{}", std::net::SocketAddr::new(server.listen.ip(), u16::MAX));
    for served in merchants {
        urls::check_forms(root.reading, &longest, &served.merchant.id);
    }
}
