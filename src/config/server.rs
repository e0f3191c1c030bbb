//! The sockets, the worker, the log.

use std::{net::SocketAddr, time::Duration};

use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

use super::section::Section;

/// Where and within what limits the gateway listens, and how busily it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// For portals, payers and PAYBOX.
    pub listen: SocketAddr,
    /// For operators only.
    pub ops_listen: SocketAddr,
    /// Whether other gateways on this machine listen on `listen` too.
    pub reuse_port: bool,
    /// The most connections at once.
    pub connections: usize,
    /// How long a request's header may take.
    pub header_deadline: Duration,
    /// The most bytes of a request's header.
    pub header_bytes: usize,
    /// How long a request's body may take.
    pub body_deadline: Duration,
    /// Requests of one API key in a minute.
    pub requests_per_minute: u32,
    /// Notifications of one merchant that belong to no checkout and are kept, in a minute.
    pub stray_notifications_per_minute: u32,
    /// The most bytes of a request's body.
    pub body_bytes: usize,
    /// How long a peer may leave an answer unread.
    pub write_deadline: Duration,
    /// How long a payer who comes back waits for the bank's answer.
    pub return_wait: Duration,
    /// How long what is under way may take once the gateway is told to stop.
    pub shutdown_grace: Duration,
    /// How often the worker looks at the store for orders that have become due.
    pub look_again: Duration,
    /// How long the worker leaves alone what it could not attend to.
    pub rest_after_failure: Duration,
    /// How many orders are attended to at once.
    pub attend_at_once: usize,
}

/// How the log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// Which events, as `tracing-subscriber` filters them.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Server {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let address = |text: &str| text.parse().map_err(|_| "is not an address such as \"127.0.0.1:8080\"".to_owned());
        let seconds = SignedDuration::from_secs;
        let (shortest, minute) = (SignedDuration::from_millis(100), seconds(60));
        let server = Self {
            listen: section.optional("listen", address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            ops_listen: section
                .optional("ops_listen", address)
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8081))),
            reuse_port: section.flag("reuse_port", false),
            connections: size(section.number("connections", 1_024, 8..=100_000)),
            header_deadline: section.duration("header_deadline", seconds(10), shortest..=minute).unsigned_abs(),
            header_bytes: size(section.number("header_bytes", 16_384, 8_192..=65_536)),
            body_deadline: section.duration("body_deadline", seconds(10), shortest..=minute).unsigned_abs(),
            requests_per_minute: per_minute(&mut section, "requests_per_minute", 1_200),
            stray_notifications_per_minute: per_minute(&mut section, "stray_notifications_per_minute", 60),
            body_bytes: size(section.number("body_bytes", 65_536, 16_384..=1_048_576)),
            write_deadline: section.duration("write_deadline", seconds(10), shortest..=minute).unsigned_abs(),
            return_wait: section.duration("return_wait", seconds(3), SignedDuration::ZERO..=minute).unsigned_abs(),
            shutdown_grace: section.duration("shutdown_grace", seconds(75), shortest..=seconds(600)).unsigned_abs(),
            look_again: section
                .duration("look_again", seconds(1), SignedDuration::from_millis(10)..=minute)
                .unsigned_abs(),
            rest_after_failure: section
                .duration("rest_after_failure", minute, SignedDuration::from_millis(10)..=seconds(600))
                .unsigned_abs(),
            attend_at_once: size(section.number("attend_at_once", 16, 1..=64)),
        };
        section.end();
        server
    }
}

impl Log {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let format = section.optional("format", |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("is neither \"text\" nor \"json\"".to_owned()),
        });
        let level = section.optional("level", |text| {
            let filter = EnvFilter::try_new(text).map(|_| text.to_owned());
            filter.map_err(|_| "is not a level such as \"info\" or \"info,guichet=debug\"".to_owned())
        });
        section.end();
        Self { format: format.unwrap_or(LogFormat::Text), level: level.unwrap_or_else(|| "info".to_owned()) }
    }
}

/// The ranges above fit any machine.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn per_minute(section: &mut Section<'_>, key: &'static str, default: u64) -> u32 {
    u32::try_from(section.number(key, default, 1..=1_000_000)).unwrap_or(u32::MAX)
}
