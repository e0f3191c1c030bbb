//! The one server that is asked, for as long as it answers as a primary. When it does not, it is looked for anew by the
//! next who asks; after failures that look is made later and later, and whoever asks meanwhile hears why at once.

use std::{sync::Arc, time::Duration};

use ::redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::{sync::Mutex, time::Instant};

use super::{
    connect::{Connector, Link, moved_to},
    promises,
    scripts::{Arguments, Script},
};

/// After the first failure in a row to find the primary; each later one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Primary {
    pub(super) connector: Connector,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    link: Option<Arc<Link>>,
    /// How many links there have been.
    made: u64,
    pause: Option<Pause>,
}

struct Pause {
    until: Instant,
    length: Duration,
    why: String,
}

impl Primary {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, state: Mutex::default() }
    }

    async fn link(&self) -> Result<Arc<Link>, String> {
        let mut state = self.state.lock().await;
        if let Some(link) = &state.link {
            return Ok(Arc::clone(link));
        }
        let length = match &state.pause {
            Some(pause) if Instant::now() < pause.until => return Err(pause.why.clone()),
            Some(pause) => (pause.length * 2).min(LONGEST_PAUSE),
            None => FIRST_PAUSE,
        };
        match self.connector.primary().await {
            Ok(mut link) => {
                let made = state.made + 1;
                link.number = made;
                let link = Arc::new(link);
                *state = State { link: Some(Arc::clone(&link)), made, pause: None };
                Ok(link)
            }
            Err(why) => {
                state.pause = Some(Pause { until: Instant::now() + length, length, why: why.clone() });
                Err(why)
            }
        }
    }

    /// Asks how the server keeps things, and judges it as one of so many replicas.
    pub(super) async fn judge(&self, replicas: impl Fn() -> u32) -> Result<Option<String>, String> {
        let link = self.link().await?;
        let answer = link.ask(&promises::question()).await;
        self.connector.judge(&link, replicas(), answer)
    }

    async fn forget(&self, link: &Arc<Link>) {
        let mut state = self.state.lock().await;
        if state.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            state.link = None;
        }
    }

    /// Runs a script, in one round trip, and says over which link.
    ///
    /// It is sent again only where it is sure that it did not run: when the server does not know it yet, or holds
    /// another part of the cluster. One that reads is also sent again when its connection was found dead.
    pub(super) async fn run(
        &self,
        script: &Script,
        record: &str,
        arguments: &Arguments,
    ) -> Result<(Value, u64), String> {
        let call = script.call(record, arguments);
        let mut is_again = false;
        loop {
            let link = self.link().await?;
            let error = match ask(&link, script, &call).await {
                Ok(value) => return Ok((value, link.number)),
                Err(error) => error,
            };
            if !is_about_the_call(&error) {
                self.forget(&link).await;
            }
            let did_not_run = moved_to(&error, &link.server)
                .is_some_and(|_| error.kind() == ErrorKind::Server(ServerErrorKind::Moved));
            let may_run_twice = script.reads && error.is_connection_dropped();
            if is_again || !(did_not_run || may_run_twice) {
                return Err(self.connector.say(&link.server, error));
            }
            is_again = true;
        }
    }
}

async fn ask(link: &Link, script: &Script, call: &Cmd) -> Result<Value, RedisError> {
    match link.ask(call).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            link.load(script).await?;
            link.ask(call).await
        }
        answered => answered,
    }
}

/// Whether the server refused this call and will answer others as ever. After anything else it is looked for anew.
fn is_about_the_call(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Extension
            | ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::TryAgain | ServerErrorKind::NoPerm)
    )
}
