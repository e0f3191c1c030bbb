//! A server-to-server question: authenticated over the order in which it was sent, then checked field by field in the
//! order of the fact sheet. Each failed check has its code.

use crate::config::Contract;
use crate::direct::answer::{Answer, Echo};
use crate::direct::numbers::Use;
use crate::faults::Host;
use crate::ledger::Merchant;
use crate::wire::form::Fields;
use crate::wire::mac::Digest;
use crate::world::{Sandbox, World};
use jiff::civil::Date;

/// Largest NUMQUESTION.
const NUMQUESTION_MAX: u64 = 2_147_483_647;

/// The operations that this sandbox knows. The subscriber's TYPEs (0005x) would stand here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Capture,
    Cancel,
    Enquiry,
    Refund,
    Consultation,
}

impl Type {
    /// Reads TYPE.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        match code {
            "00002" => Some(Self::Capture),
            "00005" => Some(Self::Cancel),
            "00011" => Some(Self::Enquiry),
            "00014" => Some(Self::Refund),
            "00017" => Some(Self::Consultation),
            _ => None,
        }
    }

    /// Whether MONTANT and DEVISE belong to it.
    fn has_amount(self) -> bool {
        self != Self::Consultation
    }

    /// Whether REFERENCE must be there.
    fn needs_reference(self) -> bool {
        matches!(self, Self::Capture | Self::Cancel | Self::Enquiry)
    }
}

/// A question that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub kind: Type,
    pub merchant: Merchant,
    /// Minor units; zero for a consultation.
    pub amount: u64,
    pub currency: String,
    pub reference: String,
    /// Absent when the field is missing or is no number.
    pub numtrans: Option<u64>,
    pub numappel: Option<u64>,
    pub archivage: String,
    pub number: Use,
    /// ERRORCODETEST.
    pub forced_code: Option<String>,
}

/// What the answer repeats, whether or not the question was understood.
#[must_use]
pub fn echo(fields: &Fields) -> Echo {
    let digits = |name: &str| fields.text(name).chars().filter(char::is_ascii_digit).take(10).collect::<String>();
    Echo {
        numquestion: digits("NUMQUESTION"),
        site: digits("SITE"),
        rang: digits("RANG"),
        subscriber_keys: fields.get("VERSION") == Some("00104"),
    }
}

/// Reads and checks. An authenticated question uses its number up here, unless the switch says that only accepted ones
/// do.
pub fn read(sandbox: &Sandbox, world: &mut World, host: Host, fields: &Fields) -> Result<Question, Answer> {
    let denied = |code: &str| Err(Answer::bare(code));
    if !matches!(fields.get("VERSION"), Some("00103" | "00104")) {
        return denied("00013");
    }
    let contract = authenticate(sandbox, fields)?;
    let Some(kind) = Type::of(fields.text("TYPE")) else { return denied("00009") };
    let Some(day) = civil_day(fields.text("DATEQ")) else { return denied("00007") };
    let merchant = Merchant { site: contract.site.clone(), rang: contract.rang };
    let asked = number(fields.text("NUMQUESTION"), 10).filter(|asked| (1..=NUMQUESTION_MAX).contains(asked));
    let Some(asked) = asked else { return denied("00005") };
    let host = if world.switches.numquestion_shared { None } else { Some(host) };
    let used = Use { merchant: merchant.clone(), host, day, number: asked };
    if !world.numbers.is_free(&used) {
        return denied("00005");
    }
    if world.switches.numquestion_burnt_by_refusals {
        world.numbers.burn(used.clone());
    }
    let currency = fields.text("DEVISE");
    if kind.has_amount() && (currency.len() != 3 || number(currency, 3).is_none()) {
        return denied("00010");
    }
    let amount = match number(fields.text("MONTANT"), 10) {
        Some(amount) if amount > 0 => amount,
        Some(_) | None if !kind.has_amount() => 0,
        Some(_) | None => return denied("00011"),
    };
    let reference = fields.text("REFERENCE");
    let size = reference.chars().count();
    if size > 250 || (size == 0 && kind.needs_reference()) {
        return denied("00012");
    }
    Ok(Question {
        kind,
        merchant,
        amount,
        currency: currency.to_owned(),
        reference: reference.to_owned(),
        numtrans: number(fields.text("NUMTRANS"), 10),
        numappel: number(fields.text("NUMAPPEL"), 10),
        archivage: fields.text("ARCHIVAGE").to_owned(),
        number: used,
        forced_code: fields.get("ERRORCODETEST").filter(|code| *code != "00000" && code.len() == 5).map(str::to_owned),
    })
}

/// HMAC over every other field, or the back-office password. Whatever proof is sent must be right.
fn authenticate<'a>(sandbox: &'a Sandbox, fields: &Fields) -> Result<&'a Contract, Answer> {
    let denied = || Answer::bare("00006");
    let contract = sandbox.contract(fields.text("SITE"), fields.text("RANG")).ok_or_else(denied)?;
    let identifiant = fields.text("IDENTIFIANT");
    if !identifiant.is_empty() && identifiant != contract.identifiant {
        return Err(denied());
    }
    let password = fields.get("CLE").filter(|cle| !cle.is_empty());
    if password.is_some_and(|cle| contract.cle.as_deref() != Some(cle)) {
        return Err(denied());
    }
    match fields.get("HMAC") {
        None if password.is_some() => Ok(contract),
        None => Err(denied()),
        Some(claimed) => {
            let name = fields.get("HASH");
            let allowed =
                contract.hashes.as_ref().is_none_or(|all| all.iter().any(|one| one == name.unwrap_or("SHA512")));
            let proven = Digest::named(name)
                .filter(|_| allowed)
                .is_some_and(|digest| contract.key.proves(digest, &fields.message(|name| name != "HMAC"), claimed));
            if proven { Ok(contract) } else { Err(Answer { comment: Some("HMAC invalide"), ..denied() }) }
        }
    }
}

/// The day of `ddmmyyyyHHMMSS` or `ddmmyyyy`.
fn civil_day(text: &str) -> Option<Date> {
    if !matches!(text.len(), 8 | 14) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<i16>().ok());
    if text.len() == 14 && !(part(8, 10)? < 24 && part(10, 12)? < 60 && part(12, 14)? < 60) {
        return None;
    }
    Date::new(part(4, 8)?, i8::try_from(part(2, 4)?).ok()?, i8::try_from(part(0, 2)?).ok()?).ok()
}

fn number(text: &str, digits_max: usize) -> Option<u64> {
    let fits = (1..=digits_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_dateq() {
        for (text, day) in [
            ("23112026104500", Some(jiff::civil::date(2026, 11, 23))),
            ("23112026", Some(jiff::civil::date(2026, 11, 23))),
            ("31022026104500", None),
            ("23112026250000", None),
            ("2026-11-23", None),
            ("", None),
        ] {
            assert_eq!(civil_day(text), day, "{text}");
        }
    }
}
