//! A server-to-server question: authenticated over the order in which it was sent, then checked field by field in the
//! order of the fact sheet. Each failed check has its code.

use crate::cards::CardUse;
use crate::config::Contract;
use crate::direct::answer::Refusal;
use crate::direct::holder;
use crate::direct::kind::Type;
use crate::direct::numbers::Use;
use crate::faults::Host;
use crate::ledger::Merchant;
use crate::wire::form::Fields;
use crate::wire::mac::Digest;
use crate::world::{Sandbox, World};
use jiff::SignedDuration;
use jiff::civil::Date;

/// Largest NUMQUESTION.
const NUMQUESTION_MAX: u64 = 2_147_483_647;

/// Longest AUTORISATION.
const AUTORISATION_MAX: usize = 10;

/// A question that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub kind: Type,
    pub merchant: Merchant,
    /// Minor units; zero for what has no amount.
    pub amount: u64,
    /// Empty where none is needed and none was sent.
    pub currency: String,
    pub reference: String,
    /// Empty when the question names no subscriber.
    pub refabonne: String,
    /// The card typed, or that of the subscriber whose token was sent.
    pub card: Option<CardUse>,
    /// AUTORISATION: a number obtained by telephone, or nothing.
    pub authorisation: String,
    /// Absent when the field is missing or is no number.
    pub numtrans: Option<u64>,
    pub numappel: Option<u64>,
    pub archivage: String,
    /// DIFFERE: how long the operation waits before it may be settled.
    pub deferred: SignedDuration,
    pub number: Use,
    /// ERRORCODETEST.
    pub forced_code: Option<String>,
}

impl Question {
    /// The subscriber that the question names.
    #[must_use]
    pub fn subscriber(&self) -> Option<&str> {
        Some(self.refabonne.as_str()).filter(|refabonne| !refabonne.is_empty())
    }
}

/// Reads and checks. An authenticated question uses its number up here, unless the switch says that only accepted ones
/// do.
pub fn read(sandbox: &Sandbox, world: &mut World, host: Host, fields: &Fields) -> Result<Question, Refusal> {
    if !matches!(fields.get("VERSION"), Some("00103" | "00104")) {
        return Err(Refusal::of("00013"));
    }
    let contract = authenticate(sandbox, fields)?;
    let merchant = Merchant { site: contract.site.clone(), rang: contract.rang };
    let number = use_up(world, host, &merchant, fields);
    let kind = Type::of(fields.text("TYPE"))
        .filter(|kind| !kind.is_direct_plus() || fields.get("VERSION") == Some("00104"))
        .ok_or_else(|| Refusal::of("00009"))?;
    let number = number?;
    let currency = currency(kind, fields)?;
    let amount = amount(kind, fields, world.switches.register_zero_amount)?;
    let reference = reference(kind, fields)?;
    let card = holder::card(world, kind, &merchant, fields)?;
    let deferred = match fields.text("DIFFERE") {
        "" => 0,
        days => digits(days, 3).and_then(|days| i64::try_from(days).ok()).ok_or_else(|| Refusal::of("00014"))?,
    };
    let activite_is_missing = digits(fields.text("ACTIVITE"), 3).is_none();
    if world.switches.activite_required && kind.moves_money() && activite_is_missing {
        return Err(Refusal::malformed("Mandatory values missing"));
    }
    let authorisation = fields.text("AUTORISATION");
    if authorisation.chars().count() > AUTORISATION_MAX {
        return Err(Refusal::malformed("Some values exceed max length"));
    }
    Ok(Question {
        kind,
        merchant,
        amount,
        currency,
        reference,
        refabonne: fields.text("REFABONNE").to_owned(),
        card,
        authorisation: authorisation.to_owned(),
        numtrans: digits(fields.text("NUMTRANS"), 10),
        numappel: digits(fields.text("NUMAPPEL"), 10),
        archivage: fields.text("ARCHIVAGE").to_owned(),
        deferred: SignedDuration::from_hours(24 * deferred),
        number,
        forced_code: fields.get("ERRORCODETEST").filter(|code| *code != "00000" && code.len() == 5).map(str::to_owned),
    })
}

/// The question's number, used up unless only accepted questions do that; or the code of what is wrong with it.
fn use_up(world: &mut World, host: Host, merchant: &Merchant, fields: &Fields) -> Result<Use, Refusal> {
    let day = civil_day(fields.text("DATEQ")).ok_or_else(|| Refusal::of("00007"))?;
    let number = digits(fields.text("NUMQUESTION"), 10)
        .filter(|number| (1..=NUMQUESTION_MAX).contains(number))
        .ok_or_else(|| Refusal::of("00005"))?;
    let host = if world.switches.numquestion_shared { None } else { Some(host) };
    let used = Use { merchant: merchant.clone(), host, day, number };
    if !world.numbers.is_free(&used) {
        return Err(Refusal::of("00005"));
    }
    if world.switches.numquestion_burnt_by_refusals {
        world.numbers.burn(used.clone());
    }
    Ok(used)
}

fn currency(kind: Type, fields: &Fields) -> Result<String, Refusal> {
    let currency = fields.text("DEVISE");
    let may_miss = currency.is_empty() && !kind.needs_currency();
    let fits = currency.len() == 3 && digits(currency, 3).is_some();
    if fits || may_miss || !kind.has_amount() { Ok(currency.to_owned()) } else { Err(Refusal::of("00010")) }
}

fn amount(kind: Type, fields: &Fields, register_zero_amount: bool) -> Result<u64, Refusal> {
    let may_be_zero = register_zero_amount && matches!(kind, Type::Register | Type::Replace);
    match digits(fields.text("MONTANT"), 10) {
        _ if !kind.has_amount() => Ok(0),
        Some(amount) if amount > 0 || may_be_zero => Ok(amount),
        Some(_) | None => Err(Refusal::of("00011")),
    }
}

fn reference(kind: Type, fields: &Fields) -> Result<String, Refusal> {
    let reference = fields.text("REFERENCE");
    let size = reference.chars().count();
    if size > 250 || (size == 0 && kind.needs_reference()) {
        return Err(Refusal::of("00012"));
    }
    Ok(reference.to_owned())
}

/// HMAC over every other field, or the back-office password. Whatever proof is sent must be right.
fn authenticate<'a>(sandbox: &'a Sandbox, fields: &Fields) -> Result<&'a Contract, Refusal> {
    let denied = || Refusal::of("00006");
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
            if proven { Ok(contract) } else { Err(Refusal { comment: Some("HMAC invalide"), ..denied() }) }
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

/// A number of so many digits at most.
fn digits(text: &str, digits_max: usize) -> Option<u64> {
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
