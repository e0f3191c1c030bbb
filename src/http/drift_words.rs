//! What a drift means and what would settle it, in French and in English.

use super::written::signed_amount;
use crate::domain::{
    checkout::Locale,
    statement::{Drift, DriftKind, EntryName, Side},
};

/// One or two sentences for an accountant.
pub(super) fn explanation(drift: &Drift, locale: Locale) -> String {
    let remedy = remedy(drift.entries.first().copied(), locale);
    format!("{} {remedy}", fact(drift, locale))
}

fn fact(drift: &Drift, locale: Locale) -> String {
    let number = drift.operation.map(|number| number.to_string()).unwrap_or_default();
    let remittance = drift.remittance.map(|number| number.to_string()).unwrap_or_default();
    let amount = |side: &Option<Side>| {
        let amount = side.as_ref().and_then(|side| side.amount);
        amount.map(|sum| signed_amount(sum.amount, sum.currency, locale)).unwrap_or_default()
    };
    let collected_in = |side: &Option<Side>| {
        let number = side.as_ref().and_then(|side| side.remittance);
        number.map(|number| number.to_string()).unwrap_or_default()
    };
    let (file, ledger) = (amount(&drift.file), amount(&drift.ledger));
    let (there, here) = (collected_in(&drift.file), collected_in(&drift.ledger));
    let (french, english) = match drift.kind {
        DriftKind::UnknownOperation => (
            format!("PAYBOX montre un paiement n° {number} de {file} qu'aucune commande n'a."),
            format!("PAYBOX shows a payment no. {number} of {file} that no order has."),
        ),
        DriftKind::UnknownRefund => (
            format!("PAYBOX montre un remboursement n° {number} de {file} que le guichet n'a pas demandé."),
            format!("PAYBOX shows a refund no. {number} of {file} that the gateway did not ask for."),
        ),
        DriftKind::UnknownChargeback => (
            format!("La banque du payeur a repris {file} du paiement n° {number}; notre journal ne le dit pas."),
            format!("The payer's bank took back {file} of payment no. {number}; our ledger does not say so."),
        ),
        DriftKind::NotInFile => (
            format!(
                "Notre journal a {ledger} sous le n° {number}, et le fichier ne le montre pas; celui du jour voisin le \
                 montrera peut-être."
            ),
            format!(
                "Our ledger has {ledger} under no. {number}, and the file does not show it; the file of the day beside \
                 it may."
            ),
        ),
        DriftKind::AmountDiffers => (
            format!("L'opération n° {number} est de {file} dans le fichier et de {ledger} dans notre journal."),
            format!("Operation no. {number} is {file} in the file and {ledger} in our ledger."),
        ),
        DriftKind::CurrencyDiffers => (
            format!("Le fichier dit {file} et notre journal {ledger} : ce n'est pas la même devise."),
            format!("The file says {file} and our ledger {ledger}: the currency is not the same."),
        ),
        DriftKind::StatusDiffers => (
            format!("L'opération n° {number} n'a pas le même état dans le fichier et dans notre journal."),
            format!("Operation no. {number} does not stand the same in the file and in our ledger."),
        ),
        DriftKind::RemittanceDiffers => (
            format!("L'opération n° {number} est dans la remise {there} du fichier, et {here} de notre journal."),
            format!("Operation no. {number} is in remittance {there} in the file, and {here} in our ledger."),
        ),
        DriftKind::NotSettledHere => (
            format!("Le fichier montre le paiement n° {number} dans la remise {there}; notre journal l'attend encore."),
            format!("The file shows payment no. {number} in remittance {there}; our ledger still waits for it."),
        ),
        DriftKind::GrossDiffers => (
            format!("La remise {remittance} est de {file} à la banque et de {ledger} dans notre journal."),
            format!("Remittance {remittance} is {file} at the bank and {ledger} in our ledger."),
        ),
        DriftKind::UnknownRemittance => (
            format!("La banque montre la remise {remittance} de {file}; aucun de nos paiements n'y est."),
            format!("The bank shows remittance {remittance} of {file}; none of our payments is in it."),
        ),
        DriftKind::NotInStatement => (
            format!(
                "Notre journal a {ledger} dans la remise {remittance}, qu'aucun relevé ne montre; le suivant la montrera \
                 peut-être."
            ),
            format!("Our ledger has {ledger} in remittance {remittance}, which no statement shows; the next one may."),
        ),
        DriftKind::FeesNotBooked => (
            format!("La banque a retenu {file} de frais sur la remise {remittance}."),
            format!("The bank kept {file} of fees on remittance {remittance}."),
        ),
        DriftKind::FeesDiffer => (
            format!("Les frais de la remise {remittance} sont de {file} au relevé; {ledger} sont comptabilisés."),
            format!("The fees of remittance {remittance} are {file} in the statement; {ledger} are booked."),
        ),
    };
    match locale {
        Locale::Fr => french,
        Locale::En => english,
    }
}

/// What would settle it best; an entry stands before the note where there is one.
fn remedy(entry: Option<EntryName>, locale: Locale) -> &'static str {
    let (french, english) = match entry {
        Some(EntryName::Settlement) => (
            "L'écriture « settlement » le comptabilise comme encaissé.",
            "The entry \"settlement\" books it as collected.",
        ),
        Some(EntryName::Chargeback) => (
            "L'écriture « chargeback » le comptabilise, et l'échéance est due de nouveau.",
            "The entry \"chargeback\" books it, and its instalment is owed again.",
        ),
        Some(EntryName::Question) => (
            "« question » interroge la banque; seule sa réponse comptabilise un paiement.",
            "\"question\" asks the bank; only its answer books a payment.",
        ),
        Some(EntryName::Fees) => ("L'écriture « fees » les comptabilise.", "The entry \"fees\" books them."),
        Some(EntryName::Note) | None => (
            "Une personne doit regarder; « note » garde ce qu'elle a trouvé.",
            "A person has to look; \"note\" keeps what they found.",
        ),
    };
    match locale {
        Locale::Fr => french,
        Locale::En => english,
    }
}
