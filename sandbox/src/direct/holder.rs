//! Whose card a question is about: the checks of REFABONNE, PORTEUR, DATEVAL and CVV, in this order.

use crate::cards::{self, CardUse};
use crate::direct::answer::Refusal;
use crate::direct::kind::Type;
use crate::ledger::Merchant;
use crate::page::formats::is_month;
use crate::subscribers::Subscriber;
use crate::wire::form::Fields;
use crate::world::World;

/// Longest REFABONNE and longest PORTEUR, in characters.
const REFABONNE_MAX: usize = 250;
const PORTEUR_MAX: usize = 19;

/// The card of a question that passed its checks; nothing for a question that is about an operation.
pub fn card(world: &World, kind: Type, merchant: &Merchant, fields: &Fields) -> Result<Option<CardUse>, Refusal> {
    let subscriber = subscriber(world, kind, merchant, fields.text("REFABONNE"))?;
    if kind.presents_card() {
        return typed(world, kind, fields).map(Some);
    }
    if let Some(subscriber) = subscriber.filter(|_| kind.presents_token()) {
        return stored(world, subscriber, fields).map(Some);
    }
    Ok(None)
}

fn subscriber<'w>(
    world: &'w World,
    kind: Type,
    merchant: &Merchant,
    refabonne: &str,
) -> Result<Option<&'w Subscriber>, Refusal> {
    if refabonne.chars().count() > REFABONNE_MAX {
        return Err(Refusal::malformed("Some values exceed max length"));
    }
    let found = world.subscribers.get(merchant, refabonne);
    if kind == Type::Register {
        return match found {
            Some(_) => Err(Refusal::of("00016")),
            None if refabonne.is_empty() => Err(Refusal::malformed("Mandatory values missing")),
            None => Ok(None),
        };
    }
    if kind.needs_subscriber() { found.map(Some).ok_or_else(|| Refusal::of("00017")) } else { Ok(None) }
}

/// A card number with its expiry and, where the contract wants it, its cryptogram.
fn typed(world: &World, kind: Type, fields: &Fields) -> Result<CardUse, Refusal> {
    let number = fields.text("PORTEUR");
    if !cards::is_luhn_valid(number) {
        return Err(Refusal::of("00004"));
    }
    let expiry = expiry(fields).filter(|expiry| !world.is_expired(expiry)).ok_or_else(|| Refusal::of("00008"))?;
    let card = CardUse::new(number, expiry);
    let cvv = fields.text("CVV");
    let cvv_digits = if card.issuer.card_type == "AMEX" { 4 } else { 3 };
    let cvv_fits = cvv.len() == cvv_digits && cvv.bytes().all(|byte| byte.is_ascii_digit());
    let may_miss = cvv.is_empty() && !world.switches.cvv_required;
    if kind.needs_cvv() && !cvv_fits && !may_miss {
        return Err(Refusal::of("00020"));
    }
    Ok(card)
}

/// The token, case included, and the expiry must be those of the record. A token may come padded with spaces to the 19
/// places of PORTEUR; a card number is not taken in its place.
fn stored(world: &World, subscriber: &Subscriber, fields: &Fields) -> Result<CardUse, Refusal> {
    let token = fields.text("PORTEUR");
    if token.chars().count() > PORTEUR_MAX || token.trim_end_matches(' ') != subscriber.token {
        return Err(Refusal::of("00004"));
    }
    if expiry(fields).as_ref() != Some(&subscriber.card.expiry_aamm) {
        return Err(Refusal::of("00008"));
    }
    if world.is_expired(&subscriber.card.expiry_aamm) {
        return Err(Refusal::of(&world.switches.expired_subscriber_code));
    }
    Ok(subscriber.card.clone())
}

/// DATEVAL, which is MMYY here, as AAMM.
fn expiry(fields: &Fields) -> Option<String> {
    let text = fields.text("DATEVAL");
    let (month, year) = (text.get(..2)?, text.get(2..)?);
    let fits = is_month(month) && year.len() == 2 && year.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| format!("{year}{month}"))
}
