//! Finding the primary and speaking to it. Every wait has a deadline; nothing is asked again here.

use std::{sync::Arc, time::Duration};

use ::redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, RedisConnectionInfo, RedisError, Value,
    aio::{AsyncStream, MultiplexedConnection},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{
    Options,
    place::{Found, Place, Server, without},
    promises,
    scripts::{self, Script},
};
use crate::{adapters::ppps::tls_config, ports::Mode};

/// The oldest server whose scripts can say what they are.
const OLDEST: u32 = 7;
/// Servers of a cluster that may send us on to another, one after the other.
const MOST_HOPS: usize = 4;

/// A server that is the primary, as far as it knows, with all scripts loaded.
pub(super) struct Link {
    connection: MultiplexedConnection,
    pub(super) server: Server,
    /// Of those that one store has made, which this is.
    pub(super) number: u64,
}

impl Link {
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        command.query_async(&mut self.connection.clone()).await
    }

    pub(super) async fn load(&self, script: &Script) -> Result<(), RedisError> {
        self.ask(&script.load()).await.map(drop)
    }
}

/// Who connects, and how.
pub(super) struct Connector {
    pub(super) place: Place,
    tls: Option<TlsConnector>,
    password: Option<SecretString>,
    sentinel_password: Option<SecretString>,
    connect_deadline: Duration,
    answer_deadline: Duration,
    mode: Mode,
    settings_vouched_for: bool,
}

impl Connector {
    pub(super) fn new(place: Place, options: &Options) -> Result<Self, String> {
        if let Some(unsaid) = place.unsaid().filter(|_| options.mode == Mode::Live) {
            return Err(format!("{place} {unsaid}"));
        }
        let tls = if place.has_tls {
            let authorities = options.authorities.as_deref().map(str::as_bytes);
            let mut config = Arc::unwrap_or_clone(tls_config(authorities).map_err(|error| error.to_string())?);
            config.alpn_protocols.clear();
            Some(TlsConnector::from(Arc::new(config)))
        } else {
            None
        };
        Ok(Self {
            password: options.password.clone().or_else(|| place.password.clone()),
            sentinel_password: options.sentinel_password.clone(),
            connect_deadline: options.connect_deadline,
            answer_deadline: options.answer_deadline,
            mode: options.mode,
            settings_vouched_for: options.settings_vouched_for,
            place,
            tls,
        })
    }

    /// A sentence about `server`, in which no password stands.
    pub(super) fn say(&self, server: &Server, why: impl ToString) -> String {
        without(self.password.iter().chain(&self.sentinel_password), format!("{server}: {}", why.to_string()))
    }

    /// What `link` would have to be told so that it keeps what real money needs, with so many replicas; nothing, when all
    /// is well.
    pub(super) fn judge(
        &self,
        link: &Link,
        replicas: u32,
        answer: Result<Value, RedisError>,
    ) -> Result<Option<String>, String> {
        let weak = match answer {
            Ok(answer) => {
                let missing = promises::missing(answer, replicas).map_err(|why| self.say(&link.server, why))?;
                let lines = missing.join("; ");
                (!missing.is_empty()).then(|| {
                    format!("it keeps too little for real money; set in redis.conf, or by CONFIG SET: {lines}")
                })
            }
            Err(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => {
                let why = "it does not say what it keeps, CONFIG GET is refused: allow it (+config|get), or, once whoever \
                           runs it answers for appendonly yes, appendfsync always, no-appendfsync-on-rewrite no and \
                           maxmemory-policy noeviction, set redis.settings_vouched_for = true";
                (!self.settings_vouched_for).then(|| format!("{why} ({error})"))
            }
            Err(error) => return Err(self.say(&link.server, error)),
        };
        Ok(weak.map(|why| self.say(&link.server, why)))
    }

    /// A server that keeps too little is good enough for a test only.
    pub(super) fn refuse(&self, weak: Option<&String>) -> Result<(), String> {
        weak.filter(|_| self.mode == Mode::Live).map_or(Ok(()), |why| Err(why.clone()))
    }

    /// The primary, ready to be asked.
    pub(super) async fn primary(&self) -> Result<Link, String> {
        let mut whys = Vec::new();
        for server in &self.place.servers {
            match self.primary_by(server).await {
                Ok(link) => return Ok(link),
                Err(why) => whys.push(why),
            }
        }
        Err(whys.join("; "))
    }

    async fn primary_by(&self, server: &Server) -> Result<Link, String> {
        let link = match &self.place.found {
            Found::Directly => self.reach(server).await?,
            Found::BySentinels { service } => self.reach(&self.ask_sentinel(server, service).await?).await?,
            Found::InCluster => self.reach_in_cluster(server).await?,
        };
        let say = |error: RedisError| self.say(&link.server, error);
        let info = link.ask(Cmd::new().arg("INFO").arg("server").arg("replication")).await.map_err(say)?;
        check(&info).map_err(|why| self.say(&link.server, why))?;
        for script in scripts::ALL {
            link.load(script).await.map_err(say)?;
        }
        let answer = link.ask(&promises::question()).await;
        self.refuse(self.judge(&link, self.place.replicas(), answer)?.as_ref())?;
        Ok(link)
    }

    async fn reach(&self, server: &Server) -> Result<Link, String> {
        let mut account = RedisConnectionInfo::default().set_db(i64::from(self.place.database));
        if let Some(user) = &self.place.user {
            account = account.set_username(user);
        }
        if let Some(password) = &self.password {
            account = account.set_password(password.expose_secret());
        }
        let connection = self.connect(server, account).await?;
        Ok(Link { connection, server: server.clone(), number: 0 })
    }

    async fn ask_sentinel(&self, sentinel: &Server, service: &str) -> Result<Server, String> {
        let mut account = RedisConnectionInfo::default();
        if let Some(password) = &self.sentinel_password {
            account = account.set_password(password.expose_secret());
        }
        let mut connection = self.connect(sentinel, account).await?;
        let mut ask = Cmd::new();
        ask.arg("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(service);
        let answer: Option<(String, u16)> =
            ask.query_async(&mut connection).await.map_err(|error: RedisError| self.say(sentinel, error))?;
        let (host, port) = answer.ok_or_else(|| self.say(sentinel, format!("it knows of no service {service}")))?;
        Ok(Server { host, port })
    }

    /// Asks for the store's record, and goes where it is said to be.
    async fn reach_in_cluster(&self, seed: &Server) -> Result<Link, String> {
        let mut server = seed.clone();
        for _ in 0..MOST_HOPS {
            let link = self.reach(&server).await?;
            match link.ask(Cmd::new().arg("EXISTS").arg(self.place.record())).await {
                Ok(_) => return Ok(link),
                Err(error) => server = moved_to(&error, &server).ok_or_else(|| self.say(&server, error))?,
            }
        }
        Err(self.say(seed, "its servers send us round in circles"))
    }

    async fn connect(&self, server: &Server, account: RedisConnectionInfo) -> Result<MultiplexedConnection, String> {
        if self.mode == Mode::Live && self.tls.is_none() && !server.is_here() {
            return Err(self.say(server, "in live mode it must be reached by TLS (rediss://), or be on this machine"));
        }
        let opening = async {
            let socket =
                TcpStream::connect((server.host.as_str(), server.port)).await.map_err(|error| error.to_string())?;
            socket.set_nodelay(true).map_err(|error| error.to_string())?;
            let Some(tls) = &self.tls else { return self.speak(socket, account).await };
            let name = server.host.clone().try_into().map_err(|_| "its name can have no certificate".to_owned())?;
            let socket = tls.connect(name, socket).await.map_err(|error| error.to_string())?;
            self.speak(socket, account).await
        };
        let opened = timeout(self.connect_deadline, opening).await;
        opened.unwrap_or_else(|_| Err("it does not answer in time".to_owned())).map_err(|why| self.say(server, why))
    }

    async fn speak(
        &self,
        socket: impl AsyncStream + Send + Sync + Unpin + 'static,
        account: RedisConnectionInfo,
    ) -> Result<MultiplexedConnection, String> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.answer_deadline));
        let account = account.set_skip_set_lib_name();
        let opened = MultiplexedConnection::new_with_config(&account, socket, config).await;
        let (connection, driver) = opened.map_err(|error| error.to_string())?;
        // Ends when the last who may ask is gone.
        tokio::spawn(driver);
        Ok(connection)
    }
}

/// Where `error` sends us; a server that does not know its own name means its own host.
pub(super) fn moved_to(error: &RedisError, from: &Server) -> Option<Server> {
    let (address, _) = error.redirect_node()?;
    match address.strip_prefix(':') {
        Some(port) => Some(Server { host: from.host.clone(), port: port.parse().ok()? }),
        None => Server::parse(address, from.port),
    }
}

/// Whether what a server says of itself is a primary's, and new enough.
fn check(info: &Value) -> Result<(), String> {
    let Value::BulkString(info) = info else { return Err(scripts::strange()) };
    let info = String::from_utf8_lossy(info);
    let field = |name: &str| info.lines().find_map(|line| line.trim_end().strip_prefix(name)).unwrap_or_default();
    let version = field("redis_version:");
    if version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < OLDEST) {
        return Err(format!("it is Redis {version}, and {OLDEST}.0 or later is needed"));
    }
    match field("role:") {
        "master" => Ok(()),
        role => Err(format!("it is no primary but a {role}")),
    }
}
