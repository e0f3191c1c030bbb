//! `check-config`.

use std::io::{self, Write};

use super::Failure;
use crate::config::Loaded;

pub(super) fn check(loaded: Result<Loaded, Failure>) -> Result<(), Failure> {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        // To find problems is what was asked: the answer, not a failure to configure this command.
        Err(Failure::Config(errors)) => return Err(Failure::Refused(errors.to_string())),
        Err(Failure::Refused(why)) => return Err(Failure::Refused(why)),
        Err(Failure::Usage(why)) => return Err(Failure::Usage(why)),
    };
    let mut stdout = io::stdout().lock();
    for warning in &loaded.warnings {
        writeln!(stdout, "warning: {warning}")?;
    }
    Ok(writeln!(stdout, "ok")?)
}
