//! Arguments in, exit codes out: the only place that knows them.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use guichet::cli::{self, Arguments, Ended, Failure};

const REFUSED: u8 = 1;
const USAGE: u8 = 2;
/// Of debits and audit only, whose wrong usage is therefore [`REFUSED`]: a scheduler must not take a typing error for an outcome.
const SOME_REFUSED: u8 = 2;
const SOME_IN_DOUBT: u8 = 3;
const STOPPED: u8 = 4;
/// `EX_CONFIG` of sysexits.
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help is asked for this way too, and is no failure.
        Err(error) => {
            let _ = error.print();
            let tells_more =
                std::env::args_os().nth(1).is_some_and(|command| command == "debits" || command == "audit");
            return match (error.use_stderr(), tells_more) {
                (false, _) => ExitCode::SUCCESS,
                (true, true) => ExitCode::from(REFUSED),
                (true, false) => ExitCode::from(USAGE),
            };
        }
    };
    // A variable that is not UTF-8 is none of ours.
    let env = std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
    let failure = match cli::run(arguments, env.collect()) {
        Ok(ended) => {
            return match ended {
                Ended::Well => ExitCode::SUCCESS,
                Ended::SomeRefused => ExitCode::from(SOME_REFUSED),
                Ended::SomeInDoubt => ExitCode::from(SOME_IN_DOUBT),
                Ended::Stopped => ExitCode::from(STOPPED),
            };
        }
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
