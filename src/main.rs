//! Arguments in, exit codes out: the only place that knows them.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use guichet::cli::{self, Arguments, Failure};

const REFUSED: u8 = 1;
const USAGE: u8 = 2;
/// `EX_CONFIG` of sysexits.
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help is asked for this way too, and is no failure.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    // A variable that is not UTF-8 is none of ours.
    let env = std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
    let failure = match cli::run(arguments, env.collect()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    // Nobody is left to tell that stderr is closed.
    let _ = writeln!(io::stderr(), "{failure}");
    ExitCode::from(match failure {
        Failure::Refused(_) => REFUSED,
        Failure::Usage(_) => USAGE,
        Failure::Config(_) => BAD_CONFIGURATION,
    })
}
