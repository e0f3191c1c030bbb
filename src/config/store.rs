//! Where everything is kept: `store`, `journal` and `[redis]`.

use std::{path::PathBuf, time::Duration};

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::{files::Files, judge::Judge, section::Section};
use crate::app::Mode;

const DEFAULT_STORE: &str = "sqlite:guichet.db";
const EXPECTED: &str = "is not a store such as \"sqlite:guichet.db\" or \"redis://host:6379/0?name=school\"";

/// The longest name of a gateway.
const LONGEST_NAME: usize = 64;

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlace {
    Sqlite(PathBuf),
    Redis(Box<SharedPlace>),
}

/// A store that several gateways share. Its URL may hold a password.
#[derive(Clone, Debug)]
pub struct SharedPlace {
    pub url: SecretString,
    pub password: Option<SecretString>,
    pub sentinel_password: Option<SecretString>,
    /// In PEM; public ones without it.
    pub authorities: Option<String>,
    pub connect_deadline: Duration,
    pub answer_deadline: Duration,
    /// Changes that may wait for their answers.
    pub waiting: usize,
    /// Whether the server need not say how it keeps what it is given, because somebody answers for it.
    pub settings_vouched_for: bool,
    /// How far this machine's clock and the server's may be apart.
    pub clock_within: SignedDuration,
}

impl PartialEq for SharedPlace {
    fn eq(&self, other: &Self) -> bool {
        let secrets = |place: &Self| {
            [Some(&place.url), place.password.as_ref(), place.sentinel_password.as_ref()]
                .map(|secret| secret.map(|secret| secret.expose_secret().to_owned()))
        };
        let rest =
            |place: &Self| (place.connect_deadline, place.answer_deadline, place.waiting, place.settings_vouched_for);
        let is_alike = self.authorities == other.authorities && self.clock_within == other.clock_within;
        secrets(self) == secrets(other) && is_alike && rest(self) == rest(other)
    }
}

impl Eq for SharedPlace {}

/// The store and the journal; `None` of what cannot be used, which has been noted.
pub(super) fn read(
    root: &mut Section<'_>,
    files: &Files<'_>,
    judge: &dyn Judge,
    mode: Option<Mode>,
) -> (Option<StorePlace>, Option<PathBuf>, Option<String>) {
    let shared = read_shared(root.section("redis"), files, judge);
    let reading = root.reading;
    let place = |text: &str| {
        let place = match text.strip_prefix("sqlite:").filter(|file| !file.is_empty()) {
            Some(file) => StorePlace::Sqlite(files.find(file)),
            None if text.starts_with("redis") => {
                StorePlace::Redis(Box::new(SharedPlace { url: text.to_owned().into(), ..shared.clone() }))
            }
            None => return Err(EXPECTED.to_owned()),
        };
        let unsaid = judge.store(&place, mode)?;
        // One that is to be live has been refused.
        unsaid.into_iter().for_each(|unsaid| reading.warning("store", unsaid));
        Ok(place)
    };
    let store = if root.has("store") {
        root.optional("store", place)
    } else {
        // Known all the same.
        root.text("store");
        place(DEFAULT_STORE).map_err(|sentence| root.problem("store", sentence)).ok()
    };
    let given = root.text("journal").map(|name| files.find(&name));
    let journal = given.or_else(|| match store.as_ref()? {
        StorePlace::Sqlite(path) => {
            let mut path = path.clone().into_os_string();
            path.push(".journal");
            Some(path.into())
        }
        StorePlace::Redis(_) => {
            root.problem("journal", "is missing: beside a store on Redis each gateway needs a journal of its own");
            None
        }
    });
    // One process serves a file, whatever it is called: `guichet store copy` reads one configuration for both.
    let is_shared = matches!(store, Some(StorePlace::Redis(_)));
    let instance = root.optional("instance", name);
    if is_shared && instance.is_none() && !root.has("instance") {
        root.problem("instance", "is missing: each gateway on a store on Redis has a name of its own");
    }
    (store, journal, instance.filter(|_| is_shared))
}

/// The name of a gateway.
fn name(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("is no name of letters, digits, dots, dashes and underscores, 64 at most".to_owned())
    }
}

fn read_shared(mut section: Section<'_>, files: &Files<'_>, judge: &dyn Judge) -> SharedPlace {
    let mut secret = |key| {
        let path = section.path(key);
        let secret = section.optional(key, |name| {
            let text = files.secret(&path, name)?;
            let password = text.trim_end_matches(['\r', '\n']);
            if password.is_empty() { Err("is a file without a password".to_owned()) } else { Ok(password.to_owned()) }
        });
        secret.map(SecretString::from)
    };
    let (password, sentinel_password) = (secret("password_file"), secret("sentinel_password_file"));
    let shortest = SignedDuration::from_millis(10);
    let longest = SignedDuration::from_secs(60);
    let mut deadline =
        |key, seconds| section.duration(key, SignedDuration::from_secs(seconds), shortest..=longest).unsigned_abs();
    let (connect_deadline, answer_deadline) = (deadline("connect_deadline", 2), deadline("answer_deadline", 5));
    let shared = SharedPlace {
        url: SecretString::default(),
        password,
        sentinel_password,
        authorities: section.optional("ca_file", |name| {
            let text = files.text(name)?;
            judge
                .authorities(&text)
                .map(|()| text)
                .map_err(|why| format!("{} is unusable: {why}", files.find(name).display()))
        }),
        connect_deadline,
        answer_deadline,
        clock_within: section.duration(
            "clock_within",
            SignedDuration::from_secs(30),
            SignedDuration::from_secs(1)..=SignedDuration::from_secs(600),
        ),
        waiting: usize::try_from(section.number("waiting", 1_024, 1..=65_536)).unwrap_or(1_024),
        settings_vouched_for: section.flag("settings_vouched_for", false),
    };
    section.end();
    shared
}
