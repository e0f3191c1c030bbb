//! The log, on stderr. Panics are logged like everything else.

use std::{io, panic};

use tracing_subscriber::{EnvFilter, fmt};

use super::Failure;
use crate::config::{Log, LogFormat};

/// From now on everything is logged as configured.
///
/// # Errors
/// [`Failure::Refused`] when the log is already set up.
pub(super) fn start(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| Failure::Refused(error.to_string()))?;
    let builder = fmt().with_writer(io::stderr).with_env_filter(filter);
    let started = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| Failure::Refused(format!("the log cannot be written: {error}")))?;
    // A task that panics would otherwise end in silence.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(place, message, "a defect: a task panicked");
    }));
    Ok(())
}
