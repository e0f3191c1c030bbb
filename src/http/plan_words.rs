//! What payers read of a plan: what they agree to, and why a card does not do.

use super::written;
use crate::domain::{card::CardRefusal, checkout::Locale, money::Money, schedule::Instalment};

/// What will be debited by itself: everything but the first instalment.
pub(super) fn later_total(schedule: &[Instalment]) -> Option<Money> {
    let zero = Money::zero(schedule.first()?.amount.currency());
    schedule.iter().skip(1).try_fold(zero, |sum, due| sum.plus(due.amount).ok())
}

/// The words of the payer's consent, beside the schedule that they speak of. Whoever changes them raises
/// `domain::plan::CONSENT_VERSION`: what was agreed to is kept under its number.
pub(super) fn consent(merchant: &str, schedule: &[Instalment], locale: Locale) -> String {
    let (Some(first), Some(later)) = (schedule.first(), later_total(schedule)) else { return String::new() };
    let (first, later) = (written::amount(first.amount, locale), written::amount(later, locale));
    match locale {
        Locale::Fr => format!(
            "Vous payez {first} aujourd’hui par carte. Vous autorisez {merchant} à débiter ensuite automatiquement cette \
             même carte, aux dates et pour les montants de l’échéancier, sans autre action de votre part. Total des \
             paiements qui seront effectués automatiquement\u{a0}: {later}. Les cartes virtuelles (e-Carte Bleue, numéros à \
             usage unique ou de courte durée) sont refusées, car les échéances suivantes échoueraient."
        ),
        Locale::En => format!(
            "You pay {first} today by card. You authorise {merchant} to debit the same card afterwards, automatically, on \
             the dates and for the amounts of the schedule, without any further action of yours. Total of the payments \
             that will be made automatically: {later}. Virtual cards (e-Carte Bleue, single-use or short-lived numbers) \
             are refused, because the later instalments would fail."
        ),
    }
}

/// Why a plan does not take a card, as its payer reads it; the sentence goes on from "card refused:".
pub(super) fn why_card_refused(why: &CardRefusal, locale: Locale) -> &'static str {
    let (french, english) = match why {
        CardRefusal::VirtualCard => (
            "les cartes virtuelles (e-Carte Bleue, numéros à usage unique) ne sont pas acceptées pour un paiement en plusieurs fois, car les échéances suivantes échoueraient. Rien n’a été débité.",
            "virtual cards (e-Carte Bleue, single-use numbers) are not accepted for instalments, because the later debits would fail. Nothing was debited.",
        ),
        CardRefusal::ExpiresTooSoon => (
            "elle expire avant la dernière échéance. Rien n’a été débité.",
            "it expires before the last instalment. Nothing was debited.",
        ),
        CardRefusal::TypeRefused { .. } | CardRefusal::BinRefused => (
            "ce type de carte n’est pas accepté pour un paiement en plusieurs fois. Rien n’a été débité.",
            "this kind of card is not accepted for instalments. Nothing was debited.",
        ),
        CardRefusal::NotAuthenticated => (
            "la banque n’a pas authentifié le porteur. Rien n’a été débité.",
            "the bank did not authenticate its holder. Nothing was debited.",
        ),
        CardRefusal::NotKnown | CardRefusal::Contradictory => (
            "les informations nécessaires sur la carte ne sont pas parvenues de PAYBOX. Rien n’a été débité.",
            "what is needed to know of the card did not come from PAYBOX. Nothing was debited.",
        ),
        CardRefusal::CaptureRefused => {
            ("la banque n’a pas débité la première échéance.", "the bank did not debit the first instalment.")
        }
        CardRefusal::TooLate => (
            "le paiement a été connu trop tard. Rien n’a été débité.",
            "the payment became known too late. Nothing was debited.",
        ),
        CardRefusal::NotWanted => (
            "la commande n’attendait plus ce paiement. Rien n’a été débité.",
            "the order did not wait for this payment any more. Nothing was debited.",
        ),
    };
    match locale {
        Locale::Fr => french,
        Locale::En => english,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::*;
    use crate::domain::money::Currency;

    #[test]
    fn what_a_payer_agrees_to_is_said_in_full() {
        let due = |number, day: &str, units| {
            let day: Date = day.parse().unwrap();
            Instalment::scheduled(number, day, Money::new(units, Currency::Eur).unwrap())
        };
        // The figures of a real schedule.
        let schedule = [due(1, "2022-06-24", 20_031), due(2, "2022-07-10", 20_031), due(3, "2022-08-10", 20_038)];
        assert_eq!(later_total(&schedule).unwrap().minor_units(), 40_069);
        for (locale, told) in [
            (Locale::Fr, ["200,31\u{a0}€", "400,69\u{a0}€", "automatiquement", "e-Carte Bleue", "École"]),
            (Locale::En, ["€200.31", "€400.69", "automatically", "e-Carte Bleue", "École"]),
        ] {
            let words = consent("École", &schedule, locale);
            for each in told {
                assert!(words.contains(each), "{each}: {words}");
            }
        }
    }
}
