//! The bank's remittances, what each is made of, and what has not come yet.

use serde_json::Value;

use super::{Frame, order_link, row, table};
use crate::{document::Document, portal::words::shown};

/// What there is to show of them.
#[derive(Clone, Debug, Default)]
pub(in crate::portal) struct Remittances {
    /// Each with how many captures it holds.
    pub(in crate::portal) known: Vec<(usize, Value)>,
    /// Captures of which no remittance is known.
    pub(in crate::portal) unsettled: Vec<Value>,
}

impl Frame<'_> {
    pub(in crate::portal) fn remittances(&self, remittances: &Remittances) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Remise", "Remittance")),
            ("figure", self.say("Opérations", "Operations")),
            ("figure", self.say("Somme", "Sum")),
        ];
        let rows: Vec<String> = remittances
            .known
            .iter()
            .rev()
            .map(|(captures, told)| {
                let number = shown(told, "/remittance");
                let link = format!("<a href=\"/comptabilite/remises/{number}\">{number}</a>");
                row(&headings, [link, captures.to_string(), language.money(told, "/sum")])
            })
            .collect();
        let known = self.list("remises", self.say("Remises de la banque", "The bank’s remittances"), &headings, &rows);
        let title = self.say("Pas encore encaissé", "Not received yet");
        let headings = [
            ("", self.say("Commande", "Order")),
            ("", self.say("Transaction", "Transaction")),
            ("", self.say("Le", "On")),
            ("figure", self.say("Jours", "Days")),
            ("figure", self.say("Montant", "Amount")),
        ];
        let rows: Vec<String> = remittances
            .unsettled
            .iter()
            .map(|item| {
                let days = item.number("/days").unwrap_or_default().to_string();
                let (day, amount) = (language.day(item.said("/captured_at")), language.money(item, "/amount"));
                row(&headings, [order_link(item, "/order"), shown(item, "/operation"), day, days, amount])
            })
            .collect();
        let content = format!("{known}{}", self.list("en-route", title, &headings, &rows));
        self.office_page("/comptabilite/remises", self.say("Remises", "Remittances"), &content)
    }

    pub(in crate::portal) fn remittance(&self, told: &Value, items: &[Value]) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Commande", "Order")),
            ("", self.say("Transaction", "Transaction")),
            ("", self.say("Débité le", "Captured on")),
            ("figure", self.say("Montant", "Amount")),
        ];
        let rows: Vec<String> = items
            .iter()
            .map(|item| {
                let (day, amount) = (language.day(item.said("/captured_at")), language.money(item, "/amount"));
                row(&headings, [order_link(item, "/order"), shown(item, "/operation"), day, amount])
            })
            .collect();
        let title = format!("{} {}", self.say("Remise", "Remittance"), shown(told, "/remittance"));
        let content = format!(
            "<section>{}<p class=\"total\">{} <strong id=\"somme\">{}</strong></p></section>",
            table("operations", self.say("Opérations", "Operations"), &headings, &rows),
            self.say("Somme", "Sum"),
            language.money(told, "/sum"),
        );
        self.office_page("/comptabilite/remises", &title, &content)
    }
}
