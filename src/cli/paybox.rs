//! `paybox`: signing and verifying by hand, to find out why PAYBOX and a portal disagree. Needs no configuration.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Failure;
use crate::paybox::{
    callback::{self, UnverifiedCallback, VerifiedCallback},
    codes::Lang,
    hmac::{self, HashName, HmacKey},
    retour::Retour,
    rsa::{KeyRing, PublicKey},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Signs the lines NAME=value of stdin, in their order; prints the message and PBX_HMAC.
    Sign(Sign),
    /// Verifies what PAYBOX reported. Exits with 0 when PAYBOX signed it, and then says whether a gateway could use it;
    /// with 1 otherwise.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(super) struct Sign {
    /// The key in hexadecimal, as the back office shows it.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// SHA512, SHA384, SHA256 or SHA224.
    #[arg(long, default_value = "SHA512")]
    hash: HashName,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// PAYBOX's public key in PEM; given again, keys that may sign too.
    #[arg(long = "public-key", value_name = "FILE", required = true)]
    public_keys: Vec<PathBuf>,
    /// What was asked for as PBX_RETOUR, as in "Mt:M;Ref:R;Auto:A;Erreur:E;Sign:K".
    ///
    /// Each parameter of the query by its name, in the order they came, and the letter it stands for; M, R and E must be
    /// there, and K at the end. The letters: M amount; R reference; T call number; S operation number; A authorisation
    /// number; E result code; W day; Q time; P means of payment; C types of the card; D its expiry; N its first digits; J
    /// its last digits; Y its country; F authenticated; G guaranteed; O enrolled; v version of 3-D Secure; U handle of the
    /// card; K signature.
    #[arg(long)]
    retour: Retour,
    /// How it came, on which depends what is signed.
    #[arg(long)]
    scope: Scope,
    /// The query string without its `?`, or the body, exactly as it came; `-` for stdin.
    query: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// A notification to the URL in the form.
    Ipn,
    /// The payer's return.
    Return,
    /// A notification to the URL of the back office, whose own parameters are signed too.
    IpnWhole,
}

/// The most bytes read from stdin.
const MAX_INPUT: u64 = 1_048_576;
/// The field that the signature goes into, and so cannot be signed.
const SIGNATURE_FIELD: &str = "PBX_HMAC";

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Sign(sign) => sign.run(),
        Command::Verify(verify) => verify.run(),
    }
}

impl Sign {
    fn run(self) -> Result<(), Failure> {
        let key = HmacKey::from_hex(read(&self.key_file)?.trim()).map_err(|error| refused(&error))?;
        let input = String::from_utf8(stdin()?).map_err(|_| refused(&"the input is not UTF-8"))?;
        let pairs = pairs_in(&input)?;
        let message = hmac::message_of_pairs(&pairs).map_err(|error| refused(&error))?;
        let signature = hmac::sign(&key, self.hash, &message);
        Ok(writeln!(io::stdout(), "{message}\n{SIGNATURE_FIELD}={signature}")?)
    }
}

/// Name and value of each line, the value as it stands.
fn pairs_in(input: &str) -> Result<Vec<(&str, &str)>, Failure> {
    if input.contains('\r') {
        return Err(refused(&"the input has carriage returns, which would be signed too"));
    }
    let input = input.strip_suffix('\n').unwrap_or(input);
    if input.is_empty() {
        return Err(refused(&"there is nothing to sign"));
    }
    let pair = |(number, line): (usize, &'_ str)| {
        let (name, _) = line.split_once('=').ok_or_else(|| refused(&format!("line {number} is not NAME=value")))?;
        if name.eq_ignore_ascii_case(SIGNATURE_FIELD) {
            return Err(refused(&format!("line {number} is {SIGNATURE_FIELD}, which is not signed")));
        }
        Ok(())
    };
    (1..).zip(input.split('\n')).try_for_each(pair)?;
    Ok(input.split('\n').filter_map(|line| line.split_once('=')).collect())
}

impl Verify {
    fn run(self) -> Result<(), Failure> {
        let keys = self.public_keys.iter().map(|path| {
            PublicKey::from_pem(&read(path)?).map_err(|error| refused(&format!("{}: {error}", path.display())))
        });
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?.into_iter();
        let current = keys.next().ok_or_else(|| refused(&"no public key was given"))?;
        let ring = KeyRing::new(current, keys.collect());
        let raw = if self.query == "-" { without_last_newline(stdin()?) } else { self.query.into_bytes() };
        let scope = match self.scope {
            Scope::Ipn => callback::Scope::Notification,
            Scope::Return => callback::Scope::Return,
            Scope::IpnWhole => callback::Scope::NotificationSignedWhole,
        };
        let verified = UnverifiedCallback::parse(&raw, &self.retour, scope).and_then(|found| found.verify(&ring));
        let answer = match verified {
            Ok(callback) => describe(&callback),
            Err(error) if error.is_signed() => {
                json!({"signature": "valid", "usable": false, "reason": error.to_string()})
            }
            Err(error) => return Err(refused(&error)),
        };
        Ok(writeln!(io::stdout(), "{answer}")?)
    }
}

/// Everything that was reported but the card's handle.
fn describe(callback: &VerifiedCallback) -> Value {
    let code = callback.code();
    json!({
        "signature": "valid",
        "usable": true,
        "key": callback.key_fingerprint(),
        "reports_payment": callback.is_success(),
        "test_authorisation": callback.is_test_authorisation(),
        "amount": callback.amount_minor_units(),
        "reference": callback.reference(),
        "code": code.to_string(),
        "meaning": code.explain(Lang::En),
        "authorisation": callback.authorisation(),
        "call_number": callback.call_number(),
        "operation_number": callback.operation_number(),
        "processed_on": callback.processed_on(),
        "processed_at": callback.processed_at(),
        "means": callback.means(),
        "card_types": callback.card_types(),
        "card_first6": callback.first6(),
        "card_last2": callback.last2(),
        "card_country": callback.country(),
        "card_kept": callback.has_card_token(),
        "authenticated": callback.authenticated(),
        "guaranteed": callback.guaranteed(),
        "enrolled": callback.enrolled(),
        "three_ds_version": callback.three_ds_version(),
    })
}

fn stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_INPUT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn without_last_newline(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| refused(&format!("{} cannot be read: {error}", path.display())))
}

fn refused(why: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(why.to_string())
}
