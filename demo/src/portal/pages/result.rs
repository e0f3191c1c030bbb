//! What became of a payment, as the API tells it: nothing that the browser brought is believed.

use serde_json::Value;

use super::Frame;
use crate::{
    document::Document,
    portal::{
        plans::schedule_of,
        words::{amount, escaped, shown},
    },
};

/// How an order stands, for its payer.
enum Outcome<'a> {
    Paid,
    /// This instalment of several is paid.
    InstalmentPaid,
    /// The card cannot be debited later, or is not to be; nothing was taken.
    CardRefused(&'a Value),
    /// It was cancelled or replaced.
    Gone,
    Confirming,
    Refused(&'a Value),
    /// Nothing was heard of: the payer left the page, or did not get to it.
    Unpaid,
}

/// Whether money of this order is on its way, so that nobody should pay again.
pub(in crate::portal) fn is_confirming(order: &Value) -> bool {
    let mut checkouts = order.items("/checkouts").iter();
    checkouts.any(|checkout| matches!(checkout.said("/status"), "confirming" | "quarantined"))
}

/// Why the card of a plan's first instalment was not taken.
fn card_refused(checkout: Option<&Value>) -> Option<&Value> {
    checkout?.pointer("/card_refused").filter(|refusal| refusal.is_object())
}

impl<'a> Outcome<'a> {
    fn of(order: &'a Value, checkout: Option<&'a Value>) -> Self {
        match (order.said("/status"), checkout.and_then(|checkout| checkout.pointer("/last_failure"))) {
            ("settled", _) => Self::Paid,
            ("cancelled", _) => Self::Gone,
            _ if checkout.is_some_and(|checkout| checkout.said("/status") == "captured") => Self::InstalmentPaid,
            _ if is_confirming(order) => Self::Confirming,
            _ if card_refused(checkout).is_some() => Self::CardRefused(card_refused(checkout).unwrap_or(&Value::Null)),
            (_, Some(failure)) if failure.is_object() => Self::Refused(failure),
            _ => Self::Unpaid,
        }
    }
}

impl Frame<'_> {
    /// The result of `checkout`, or of the whole order where none is meant.
    pub(in crate::portal) fn result(&self, order: &Value, checkout: Option<&Value>) -> String {
        let id = shown(order, "/id");
        let in_parts = checkout.is_some_and(|checkout| checkout.pointer("/begins_plan") == Some(&Value::Bool(true)));
        let whence = if in_parts { schedule_of(&id) } else { format!("/commandes/{id}") };
        let retry = |words| format!("<a class=\"button\" href=\"{whence}\">{words}</a>");
        let refresh = |class| {
            let words = self.say("Actualiser cette page", "Refresh this page");
            format!("<a class=\"button{class}\" id=\"actualiser\" href=\"{}\">{words}</a>", escaped(self.here))
        };
        let position = |class| {
            format!(
                "<a class=\"button{class}\" href=\"/position\">{}</a>",
                self.say("Ma position de compte", "My account position")
            )
        };
        let again = self.say("Réessayer le paiement", "Try the payment again");
        let (class, verdict, text, actions) = match Outcome::of(order, checkout) {
            Outcome::Paid => (
                "good",
                self.say("Paiement accepté", "Payment accepted"),
                self.say(
                    "La banque l’a confirmé : votre commande est soldée. Merci.",
                    "Your bank has confirmed it: your order is settled. Thank you.",
                )
                .to_owned(),
                position(""),
            ),
            Outcome::InstalmentPaid => (
                "good",
                self.say("Paiement accepté", "Payment accepted"),
                self.next_debit(order),
                format!(
                    "<a class=\"button\" href=\"{}\">{}</a>\n{}",
                    schedule_of(&id),
                    self.say("Voir mon échéancier", "See my schedule"),
                    position(" second")
                ),
            ),
            Outcome::CardRefused(refusal) => (
                "bad",
                self.say("Carte refusée pour un paiement en plusieurs fois", "Card not accepted for instalments"),
                format!(
                    "{} <span id=\"motif\">{}</span>",
                    self.say("Votre carte est refusée :", "Your card was refused:"),
                    self.explained(refusal),
                ),
                retry(self.say("Payer avec une autre carte", "Pay with another card")),
            ),
            Outcome::Gone => (
                "wait",
                self.say("Commande remplacée", "Order replaced"),
                self.say(
                    "Cette commande a été annulée ou remplacée. Une somme payée malgré tout vous est rendue.",
                    "This order was cancelled or replaced. Anything paid all the same is given back to you.",
                )
                .to_owned(),
                format!(
                    "<a class=\"button\" href=\"/reglement\">{}</a>\n{}",
                    self.say("Voir la commande actuelle", "See the present order"),
                    position(" second")
                ),
            ),
            Outcome::Confirming => (
                "wait",
                self.say("Paiement en cours de confirmation", "Payment being confirmed"),
                self.say(
                    "Nous attendons la réponse de la banque. Ne payez pas une seconde fois : actualisez cette page dans un instant.",
                    "We are waiting for the bank’s answer. Please do not pay again: refresh this page in a moment.",
                )
                .to_owned(),
                refresh(""),
            ),
            Outcome::Refused(failure) => (
                "bad",
                self.say("Paiement refusé", "Payment refused"),
                format!(
                    "<span id=\"motif\">{}</span>",
                    shown(failure, &format!("/explanation/{}", self.language().letters())),
                ),
                retry(again),
            ),
            Outcome::Unpaid => (
                "wait",
                self.say("Aucun paiement enregistré", "No payment recorded"),
                self.say(
                    "Vous avez annulé ou quitté la page de paiement : la commande reste à régler. Si vous venez pourtant de \
                     payer, actualisez cette page avant de recommencer.",
                    "You cancelled or left the payment page: the order is still to be paid. If you have just paid, \
                     though, please refresh this page before you try again.",
                )
                .to_owned(),
                format!("{}\n{}", retry(again), refresh(" second")),
            ),
        };
        let content = format!(
            "<p class=\"note {class}\" role=\"status\"><strong id=\"resultat\">{verdict}</strong><br>{text}</p>\n{}\
             <p class=\"actions\">{actions}</p>",
            self.facts(order),
        );
        self.page("/reglement", self.say("Résultat du paiement", "Your payment"), &content)
    }

    /// The bank has confirmed an instalment; what comes next.
    fn next_debit(&self, order: &Value) -> String {
        let language = self.language();
        let confirmed = self.say("La banque l’a confirmé.", "Your bank has confirmed it.");
        let next = order.items("/schedule").iter().find(|due| due.said("/status") == "scheduled");
        let Some(next) = next else { return confirmed.to_owned() };
        format!(
            "{confirmed} {} {}{} {}.",
            self.say("Prochain prélèvement le", "Next debit on"),
            language.date(next.said("/due")),
            self.say("\u{a0}:", ":"),
            language.money(next, "/amount"),
        )
    }

    /// The order in figures.
    fn facts(&self, order: &Value) -> String {
        let language = self.language();
        let mut rows = vec![
            (
                self.say("Commande", "Order"),
                "commande",
                format!("<span class=\"reference\">{}</span>", shown(order, "/reference")),
            ),
            (self.say("Total", "Total"), "total", language.money(order, "/totals/including_vat")),
            (self.say("Réglé", "Paid"), "regle", language.money(order, "/paid")),
        ];
        if amount(order, "/surplus") > 0 {
            let surplus = self.say("Trop-perçu, en cours de restitution", "Paid too much, being given back");
            rows.push((surplus, "surplus", language.money(order, "/surplus")));
        }
        if let Some(entry) = order.items("/ledger").iter().find(|entry| entry.said("/kind") == "capture") {
            rows.push((self.say("Date", "Date"), "date", language.day(entry.said("/at"))));
            rows.push((self.say("Transaction n°", "Transaction no."), "transaction", shown(entry, "/operation")));
        }
        let rows: String =
            rows.iter().map(|(words, id, value)| format!("<dt>{words}</dt><dd id=\"{id}\">{value}</dd>\n")).collect();
        format!("<section><dl class=\"facts\">\n{rows}</dl></section>\n")
    }
}
