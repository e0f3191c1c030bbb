//! What the school's portal orders, with the figures of the real story.

use serde_json::{Value, json};

use crate::{random, trouble::Outcome};

/// The registration fee, in cents: 3 770,00 €.
pub(crate) const FEE: i64 = 377_000;

/// The id of the address that the portal knows.
pub(crate) const HOME: &str = "domicile";

/// One registration at the normal fee, under a reference that was never used.
pub(crate) fn registration() -> Outcome<Value> {
    with_lines(json!([{
        "code": "D1",
        "label": "Droits de scolarité",
        "beneficiary": "Anaïs Lefèvre",
        "quantity": "1",
        "unit_price": {"amount": FEE, "currency": "EUR"},
        "vat_rate": "0",
    }]))
}

/// A registration at another fee, in cents.
pub(crate) fn of_fee(cents: i64) -> Outcome<Value> {
    with_lines(json!([{
        "code": "D4",
        "label": "Droits de scolarité, césure",
        "beneficiary": "Anaïs Lefèvre",
        "quantity": "1",
        "unit_price": {"amount": cents, "currency": "EUR"},
        "vat_rate": "0",
    }]))
}

/// An exempt student: a line, and nothing to pay.
pub(crate) fn exempt() -> Outcome<Value> {
    with_lines(json!([{
        "code": "D5",
        "label": "Droits de scolarité, exonération",
        "quantity": "1",
        "unit_price": {"amount": 0, "currency": "EUR"},
        "vat_rate": "0",
    }]))
}

/// An order of these lines.
pub(crate) fn with_lines(lines: Value) -> Outcome<Value> {
    let student = format!("E{}", random::hex(5)?.to_uppercase());
    Ok(json!({
        "reference": format!("INS-2026-{student}"),
        "currency": "EUR",
        "payer": {
            "reference": student,
            "email": "anais.lefevre@example.org",
            "first_name": "Anaïs",
            "last_name": "Lefèvre",
            "addresses": [{
                "id": HOME,
                "address1": "12 rue de l'Église",
                "zip_code": "35000",
                "city": "Rennes",
                "country": "FR",
                "mobile_phone": "0612345678",
            }],
        },
        "lines": lines,
    }))
}

/// The address that the portal knows, with its number corrected by the payer.
pub(crate) fn known_address() -> Value {
    json!({"mode": "prefilled", "address_id": HOME, "address": {"address1": "14 rue de l'Église", "address2": "Bât. B"}})
}

/// An address that the payer enters.
pub(crate) fn new_address() -> Value {
    json!({"mode": "new", "address": {
        "first_name": "Jean-Noël",
        "last_name": "D'Arc",
        "address1": "1 quai des Brumes",
        "zip_code": "76600",
        "city": "Le Havre",
        "country": "FR",
        "mobile_phone": "+33698765432",
    }})
}

/// No address at all.
pub(crate) fn no_address() -> Value {
    json!({"mode": "none"})
}

/// An amount as the API writes it, in cents.
pub(crate) fn eur(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

/// `3770.00`, as PAYBOX's page and this demo's table write amounts.
pub(crate) fn written(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
