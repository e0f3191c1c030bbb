//! Everything that has to be there before anybody can pay: keys, configurations, a sandbox, a gateway, API keys. All of
//! it lives in one directory and is worth nothing outside it.

use std::{
    ffi::OsStr,
    fs::{DirBuilder, OpenOptions},
    io::Write,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    client::Client,
    configuration::{self, Merchant, Pace},
    gateway::Gateway,
    processes::{self, Process},
    random,
    sandbox::Sandbox,
    store::{self, Kind, Server},
    transcript::{Secret, Transcript},
    trouble::{Outcome, Trouble},
};

/// Which programs are run, where, and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) folder: PathBuf,
    pub(crate) gateway_program: PathBuf,
    pub(crate) sandbox_program: PathBuf,
    pub(crate) store: Kind,
    pub(crate) ports: Ports,
    pub(crate) portal_origin: String,
    pub(crate) pace: Pace,
}

/// Where everything listens; 0 lets the machine choose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ports {
    pub(crate) gateway: u16,
    pub(crate) ops: u16,
    pub(crate) page: u16,
    pub(crate) manage: u16,
}

impl Ports {
    /// The usual ones, where nobody else has them.
    pub(crate) fn usual() -> Self {
        Self { gateway: free_or_any(8080), ops: free_or_any(8081), page: free_or_any(8090), manage: free_or_any(8091) }
    }
}

/// `port` when it is free.
pub(crate) fn free_or_any(port: u16) -> u16 {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => port,
        Err(_) => 0,
    }
}

/// What an API key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Portal,
    /// People act through it, and each request names one.
    Accounting,
    Scheduler,
    Ops,
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Accounting => "accounting",
            Self::Scheduler => "scheduler",
            Self::Ops => "ops",
        }
    }
}

/// A sandbox and a gateway that know each other; or two gateways, on one store and behind one port.
pub(crate) struct Stage {
    plan: Plan,
    pub(crate) transcript: Arc<Transcript>,
    pub(crate) client: Client,
    pub(crate) gateway: Process,
    second: Option<Process>,
    pub(crate) gateway_url: String,
    pub(crate) sandbox: Process,
    pub(crate) bank: Sandbox,
    /// Ended last: the gateways are on it.
    _server: Option<Server>,
}

impl Stage {
    pub(crate) async fn set(plan: Plan, transcript: Arc<Transcript>) -> Outcome<Self> {
        let keys = plan.folder.join("keys");
        processes::run(
            &plan.sandbox_program,
            &[OsStr::new("keys"), OsStr::new("--dir"), keys.as_os_str()],
            &plan.folder,
        )?;
        write_private(&keys.join("sealing.keys"), &format!("demo:{}\n", random::hex(32)?))?;
        transcript.keep_out_of_logs(Secret::BankKey, std::fs::read_to_string(keys.join("hmac.key"))?.trim());
        let sandbox = start_sandbox(&plan, &keys).await?;
        let server = match plan.store {
            Kind::Sqlite => None,
            Kind::Redis => Some(Server::start(&plan.folder).await?),
        };
        let port = match (&server, plan.ports.gateway) {
            // Both have to be told.
            (Some(_), 0) => store::free_port()?,
            (_, port) => port,
        };
        let told = configuration::Gateway {
            store: server.as_ref().map_or(format!("sqlite:{}", store::FILE), Server::url),
            journal: format!("{}.journal", store::FILE),
            instance: server.as_ref().map(|_| "first"),
            shares_port: server.is_some(),
            port,
            ops_port: plan.ports.ops,
            portal_origin: &plan.portal_origin,
            keys: &keys,
            pace: plan.pace,
        };
        write_private(&configuration_of(&plan), &configuration::of_gateway(&told, &sandbox)?)?;
        let gateway = start_gateway("gateway", &plan, &configuration_of(&plan)).await?;
        let second = match &server {
            None => None,
            Some(_) => {
                let journal = "second.journal".to_owned();
                let told = configuration::Gateway { journal, instance: Some("second"), ops_port: 0, ..told };
                let config = plan.folder.join("second.toml");
                write_private(&config, &configuration::of_gateway(&told, &sandbox)?)?;
                Some(start_gateway("second-gateway", &plan, &config).await?)
            }
        };
        let client = Client::new(Arc::clone(&transcript));
        let bank = Sandbox::new(client.clone(), sandbox.address("manage")?);
        let gateway_url = gateway.address("public_url").or_else(|_| gateway.address("listen"))?;
        Ok(Self { plan, transcript, client, gateway, second, gateway_url, sandbox, bank, _server: server })
    }

    /// All that say something in a log.
    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        [&self.gateway, &self.sandbox].into_iter().chain(&self.second)
    }

    /// The gateway as a new key of this merchant sees it.
    pub(crate) fn gateway_for(&self, merchant: Merchant) -> Outcome<Gateway> {
        self.gateway_with(Scope::Portal, merchant)
    }

    /// The gateway as a new key of this merchant and scope sees it.
    pub(crate) fn gateway_with(&self, scope: Scope, merchant: Merchant) -> Outcome<Gateway> {
        let config = configuration_of(&self.plan);
        let for_people: &[&str] = if scope == Scope::Accounting { &["--for-people"] } else { &[] };
        let arguments = ["keys", "new", "--scope", scope.name(), "--merchant", merchant.id, "--name", "demo"];
        let arguments: Vec<&OsStr> = arguments
            .iter()
            .chain(for_people)
            .chain(&["--config"])
            .map(OsStr::new)
            .chain([config.as_os_str()])
            .collect();
        let printed = processes::run(&self.plan.gateway_program, &arguments, &self.plan.folder)?;
        let key = printed.lines().map(str::trim).find(|line| line.starts_with("gch_"));
        let key = key.ok_or_else(|| Trouble::of(format!("`guichet keys new` printed no key: {printed:?}")))?;
        self.transcript.keep_out_of_logs(Secret::ApiKey, key);
        Ok(Gateway::new(self.client.clone(), &self.gateway_url, key, merchant))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.plan.folder
    }

    pub(crate) fn portal_origin(&self) -> &str {
        &self.plan.portal_origin
    }
}

async fn start_sandbox(plan: &Plan, keys: &Path) -> Outcome<Process> {
    let config = plan.folder.join("sandbox.json");
    write_private(&config, &configuration::of_sandbox())?;
    let (page, manage) = (plan.ports.page.to_string(), plan.ports.manage.to_string());
    let arguments = [
        OsStr::new("serve"),
        OsStr::new("--keys"),
        keys.as_os_str(),
        OsStr::new("--config"),
        config.as_os_str(),
        OsStr::new("--page-port"),
        OsStr::new(&page),
        OsStr::new("--manage-port"),
        OsStr::new(&manage),
    ];
    Process::start("sandbox", &plan.sandbox_program, &arguments, &plan.folder).await
}

async fn start_gateway(name: &'static str, plan: &Plan, config: &Path) -> Outcome<Process> {
    let arguments = [OsStr::new("serve"), OsStr::new("--config"), config.as_os_str()];
    Process::start(name, &plan.gateway_program, &arguments, &plan.folder).await
}

fn configuration_of(plan: &Plan) -> PathBuf {
    plan.folder.join("guichet.toml")
}

/// A directory that only its owner can read: the one asked for, which must be new or empty, or a fresh one.
pub(crate) fn folder(asked_for: Option<&Path>) -> Outcome<PathBuf> {
    let folder = match asked_for {
        Some(folder) => folder.to_owned(),
        None => std::env::temp_dir().join(format!("guichet-demo-{}", random::hex(6)?)),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    // The sandbox forgets its numbers when it ends; a store that remembers them would find them used twice.
    if std::fs::read_dir(&folder)?.next().is_some() {
        return Err(Trouble::of(format!("{} is not empty; every demo begins afresh", folder.display())));
    }
    Ok(folder.canonicalize()?)
}

/// The program of this name beside the running one.
pub(crate) fn sibling(name: &str) -> Outcome<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    if program.is_file() {
        Ok(program)
    } else {
        Err(Trouble::of(format!("{} is missing: `cargo build --workspace --bins` makes it", program.display())))
    }
}

fn write_private(path: &Path, text: &str) -> Outcome<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())?;
    Ok(())
}
