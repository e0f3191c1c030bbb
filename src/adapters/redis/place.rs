//! Where a shared store is: which servers know its primary, and what it is called there.

use std::{fmt, net::IpAddr};

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

/// The port of a server that names none.
const PORT: u16 = 6379;
/// The port of a Sentinel that names none.
const SENTINEL_PORT: u16 = 26379;
/// Longer than any database a server is configured for.
const MOST_DATABASES: u32 = 10_000;
/// The longest name of a store.
const LONGEST_NAME: usize = 64;

/// More replicas than any primary has.
const MOST_REPLICAS: u32 = 100;

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

impl Server {
    /// Whether what is said to it does not leave this machine.
    pub(super) fn is_here(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn parse(text: &str, default: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
            }
            None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Some(default), |port| port.parse().ok())?;
        let is_host =
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
        is_host.then(|| Self { host: host.to_owned(), port })
    }
}

/// How the primary is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is the one server.
    Directly,
    /// The servers are Sentinels, which know where it is.
    BySentinels { service: String },
    /// The servers are of a cluster, in which it moves about.
    InCluster,
}

/// What a URL of a store says.
#[derive(Clone, Debug)]
pub struct Place {
    pub(super) servers: Vec<Server>,
    pub(super) found: Found,
    pub(super) has_tls: bool,
    pub(super) database: u32,
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
    /// How many replicas the primary is to have, when that is said.
    replicas: Option<u32>,
    name: String,
}

impl Place {
    /// Reads `redis://user@host:port/db?name=school`, `redis+sentinel://h1:p1,h2:p2/service?name=school` or
    /// `redis+cluster://h1:p1,h2:p2?name=school`; `rediss` for TLS.
    /// Behind the name, `&replicas=2` says how many the primary must have.
    ///
    /// # Errors
    /// A sentence, which holds nothing of a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("is not a URL such as \"redis://host:6379/0?name=school\"")?;
        let (has_tls, kind) = match scheme.split_once('+').unwrap_or((scheme, "")) {
            ("redis", kind) => (false, kind),
            ("rediss", kind) => (true, kind),
            _ => return Err("does not begin with redis:// or rediss://".to_owned()),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Before the path, because a password may hold anything.
        let (account, rest) = rest.rsplit_once('@').map_or((None, rest), |(account, rest)| (Some(account), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (found, database) = match (kind, path) {
            ("", path) => (Found::Directly, database(path)?),
            ("sentinel", "") => return Err("names no service, as in redis+sentinel://h1:26379/service".to_owned()),
            ("sentinel", path) => {
                let (service, path) = path.split_once('/').unwrap_or((path, ""));
                (Found::BySentinels { service: service.to_owned() }, database(path)?)
            }
            ("cluster", "") => (Found::InCluster, 0),
            ("cluster", _) => return Err("names a database: a cluster has one only".to_owned()),
            _ => return Err("is neither redis, redis+sentinel nor redis+cluster".to_owned()),
        };
        let port = if matches!(found, Found::BySentinels { .. }) { SENTINEL_PORT } else { PORT };
        let servers: Option<Vec<Server>> = hosts.split(',').map(|host| Server::parse(host, port)).collect();
        let servers = servers.ok_or("does not name its servers as host:port")?;
        if found == Found::Directly && servers.len() > 1 {
            return Err("names several servers, and neither Sentinel nor a cluster".to_owned());
        }
        let (user, password) = account.map_or(Ok((None, None)), credentials)?;
        let (name, replicas) = named(query)?;
        Ok(Self { servers, found, has_tls, database, user, password, replicas, name })
    }

    /// How many replicas the primary is said to have.
    pub(super) fn replicas(&self) -> u32 {
        self.replicas.unwrap_or_default()
    }

    /// What is left unsaid that real money needs, if anything: a primary that others may replace is seen to stand alone
    /// only by who knows how many should follow it.
    pub fn unsaid(&self) -> Option<String> {
        let is_said = self.found == Found::Directly || self.replicas.is_some_and(|replicas| replicas > 0);
        let sentence = || {
            format!(
                "does not say how many replicas its primary has, and in live mode it must, behind Sentinels and in a cluster: \
                 with one replica write \"?name={0}&replicas=1\", with two \"?name={0}&replicas=2\"",
                self.name
            )
        };
        (!is_said).then(sentence)
    }

    /// The key of the store's own record. All of its keys begin with the same hash tag, so that they are in one slot of
    /// a cluster, which one script may change.
    pub(super) fn record(&self) -> String {
        format!("{{guichet:{}}}:meta", self.name)
    }
}

/// The servers and the store's name, without credentials.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        write!(formatter, "the store {} at {}", self.name, servers.join(","))
    }
}

fn database(path: &str) -> Result<u32, String> {
    let database = if path.is_empty() { Some(0) } else { path.parse().ok() };
    let sentence = || "has something else than the number of a database for its path".to_owned();
    database.filter(|database| *database < MOST_DATABASES).ok_or_else(sentence)
}

fn credentials(account: &str) -> Result<(Option<String>, Option<SecretString>), String> {
    let (user, password) = account.split_once(':').map_or((account, None), |(user, password)| (user, Some(password)));
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8().ok().filter(|text| !text.is_empty());
        decoded.map(|text| text.into_owned())
    };
    let user = if user.is_empty() { None } else { Some(decode(user).ok_or("has a user that is no text")?) };
    let password =
        password.map(|password| decode(password).map(SecretString::from).ok_or("has a password that is no text"));
    Ok((user, password.transpose()?))
}

/// The store's name, and how many replicas it is to have.
fn named(query: &str) -> Result<(String, Option<u32>), String> {
    let (mut name, mut replicas) = (None, None);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match key.as_ref() {
            "name" if name.is_none() => name = Some(value.into_owned()),
            "replicas" if replicas.is_none() => {
                let number = value.parse().ok().filter(|number| *number <= MOST_REPLICAS);
                replicas =
                    Some(number.ok_or_else(|| format!("has replicas that are no number up to {MOST_REPLICAS}"))?);
            }
            _ => return Err("has something else than one name, and replicas, behind its question mark".to_owned()),
        }
    }
    let is_name = |name: &String| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain)
    };
    let sentence = "does not name its store: \"?name=school\", of letters, digits, dots, dashes and underscores";
    let name = name.filter(is_name).ok_or_else(|| sentence.to_owned())?;
    Ok((name, replicas))
}

/// `text` without the passwords in it.
pub(super) fn without<'a>(passwords: impl IntoIterator<Item = &'a SecretString>, text: String) -> String {
    passwords
        .into_iter()
        .map(|password| password.expose_secret())
        .filter(|password| !password.is_empty())
        .fold(text, |text, password| text.replace(password, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_where_a_store_is() {
        let direct = Place::parse("redis://127.0.0.1:7000/3?name=ecole").unwrap();
        assert_eq!((direct.to_string().as_str(), direct.database), ("the store ecole at 127.0.0.1:7000", 3));
        assert_eq!((direct.replicas(), Place::parse("redis://h?name=a&replicas=2").unwrap().replicas()), (0, 2));
        assert_eq!((direct.record().as_str(), direct.has_tls), ("{guichet:ecole}:meta", false));
        let plain = Place::parse("rediss://h?name=a").unwrap();
        assert_eq!((plain.servers[0].to_string().as_str(), plain.has_tls), ("h:6379", true));
        let sentinel = Place::parse("redis+sentinel://a,b:1,[::1]:2/main/4?name=x").unwrap();
        assert_eq!(sentinel.to_string(), "the store x at a:26379,b:1,[::1]:2");
        assert_eq!((sentinel.found, sentinel.database), (Found::BySentinels { service: "main".to_owned() }, 4));
        assert_eq!(Place::parse("rediss+cluster://a,b?name=x").unwrap().found, Found::InCluster);
        let named = Place::parse("redis://u%40:p:a%2F@x:1?name=x").unwrap();
        assert_eq!(named.user.as_deref(), Some("u@"));
        assert_eq!(named.password.as_ref().unwrap().expose_secret(), "p:a/");
        assert!(!format!("{named:?}{named}").contains("p:a"));
    }

    #[test]
    fn where_others_may_take_its_place_replicas_are_said() {
        for (url, is_enough) in [
            ("redis://h?name=a", true),
            ("redis://h?name=a&replicas=0", true),
            ("redis+sentinel://h/main?name=a", false),
            ("redis+sentinel://h/main?name=a&replicas=0", false),
            ("redis+sentinel://h/main?name=a&replicas=1", true),
            ("rediss+cluster://h?name=a", false),
            ("rediss+cluster://h?name=a&replicas=2", true),
        ] {
            let unsaid = Place::parse(url).unwrap().unsaid();
            assert_eq!(unsaid.is_none(), is_enough, "{url}");
            assert!(unsaid.is_none_or(|said| said.contains("write \"?name=a&replicas=1\"")), "{url}");
        }
    }

    #[test]
    fn what_is_no_place_is_told() {
        for (url, sentence) in [
            ("redis:/h", "is not a URL"),
            ("http://h?name=x", "does not begin with redis"),
            ("redis+x://h?name=x", "is neither redis"),
            ("redis://h", "does not name its store"),
            ("redis://h?name=", "does not name its store"),
            ("redis://h?name=a}b", "does not name its store"),
            ("redis://h?name=a&name=b", "something else than one name"),
            ("redis://h?name=a&replicas=x", "replicas that are no number"),
            ("redis://h?nom=a", "something else than one name"),
            ("redis://h,i?name=x", "names several servers"),
            ("redis://h/x?name=x", "number of a database"),
            ("redis://h:99999?name=x", "does not name its servers"),
            ("redis://?name=x", "does not name its servers"),
            ("redis+sentinel://h?name=x", "names no service"),
            ("redis+cluster://h/1?name=x", "names a database"),
            ("redis://:%FFsecret@h?name=x", "password that is no text"),
        ] {
            let said = Place::parse(url).unwrap_err();
            assert!(said.contains(sentence) && !said.contains("secret"), "{url}: {said}");
        }
    }
}
