//! Entry 5, *Ma position de compte*: orders, what was paid for them, and the balance, all from the API's orders.

use serde_json::Value;

use super::{Frame, cell, row, table};
use crate::{
    document::Document,
    portal::words::{amount, shown},
};

impl Frame<'_> {
    /// `account` is the gateway's own word on it.
    pub(in crate::portal) fn position(&self, account: &Value, orders: &[Value]) -> String {
        let content = format!(
            "{}{}{}{}",
            self.balance(account, orders),
            self.orders(orders),
            self.schedules(orders),
            self.payments(orders)
        );
        self.page("/position", self.say("Ma position de compte", "My account position"), &content)
    }

    fn balance(&self, account: &Value, orders: &[Value]) -> String {
        let surplus = orders.iter().map(|order| amount(order, "/surplus")).sum();
        let figures = [
            (self.say("Débit", "Debit"), "debit", amount(account, "/debit")),
            (self.say("Crédit", "Credit"), "credit", amount(account, "/credit")),
            (self.say("Trop-perçu à rendre", "Surplus to give back"), "surplus", surplus),
            (self.say("Position", "Position"), "position", amount(account, "/position")),
        ];
        let figures: String = figures
            .iter()
            .map(|(words, id, cents)| {
                format!("<div><dt>{words}</dt><dd id=\"{id}\">{}</dd></div>\n", self.language().cents(*cents))
            })
            .collect();
        format!(
            "<section aria-label=\"{}\"><dl class=\"figures\">\n{figures}</dl>\n<p class=\"quiet foot\" id=\"preuve\">{}</p></section>\n",
            self.say("Solde", "Balance"),
            shown(account, &format!("/proof/{}", self.language().letters())),
        )
    }

    fn orders(&self, orders: &[Value]) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Commande", "Order")),
            ("", self.say("Date", "Date")),
            ("", self.say("État", "Status")),
            ("figure", self.say("HT", "Excl. VAT")),
            ("figure", self.say("TVA", "VAT")),
            ("figure", self.say("TTC", "Incl. VAT")),
            ("figure", self.say("Payé", "Paid")),
            ("figure", self.say("Trop-perçu", "Surplus")),
            ("figure", self.say("Reste", "Left")),
        ];
        let rows: Vec<String> = orders
            .iter()
            .map(|order| {
                let left = if order.said("/status") == "open" { amount(order, "/remaining") } else { 0 };
                let values = [
                    format!(
                        "<span class=\"reference\">{}</span> ({})",
                        shown(order, "/reference"),
                        shown(order, "/lines/0/code")
                    ),
                    language.day(order.said("/placed_at")),
                    self.status(order).to_owned(),
                    language.money(order, "/totals/excluding_vat"),
                    language.money(order, "/totals/vat"),
                    language.money(order, "/totals/including_vat"),
                    language.money(order, "/paid"),
                    language.money(order, "/surplus"),
                    language.cents(left),
                ];
                headings.iter().zip(values).map(|((kind, heading), value)| cell(kind, heading, &value)).collect()
            })
            .collect();
        self.list("commandes", self.say("Commandes", "Orders"), &headings, &rows)
    }

    /// The instalments of plans that have begun.
    fn schedules(&self, orders: &[Value]) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Commande", "Order")),
            ("", self.say("Échéance", "Due")),
            ("figure", self.say("Montant", "Amount")),
            ("figure", self.say("Reste à payer", "Left to pay")),
            ("", self.say("État", "Status")),
        ];
        let has_begun = |order: &&Value| {
            matches!(
                order.said("/plan/status"),
                "active" | "past_due" | "paused" | "completed" | "cancelled" | "defaulted"
            )
        };
        let rows: Vec<String> = orders
            .iter()
            .filter(has_begun)
            .flat_map(|order| order.items("/schedule").iter().map(move |due| (order, due)))
            .map(|(order, due)| {
                row(
                    &headings,
                    [
                        format!("<span class=\"reference\">{}</span>", shown(order, "/reference")),
                        language.date(due.said("/due")),
                        language.money(due, "/amount"),
                        language.money(due, "/remaining"),
                        self.instalment_state(due),
                    ],
                )
            })
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        self.list("echeances", self.say("Échéances", "Instalments"), &headings, &rows)
    }

    fn payments(&self, orders: &[Value]) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Date", "Date")),
            ("", self.say("Nature", "Kind")),
            ("", self.say("Commande", "Order")),
            ("", self.say("Transaction", "Transaction")),
            ("figure", self.say("Montant TTC", "Amount incl. VAT")),
        ];
        let rows: Vec<String> = orders
            .iter()
            .flat_map(|order| order.items("/ledger").iter().map(move |entry| (order, entry)))
            // Of no interest to who paid: it tells that the money reached the school.
            .filter(|(_, entry)| entry.said("/kind") != "settlement")
            .map(|(order, entry)| {
                let cents = amount(entry, "/amount");
                let (kind, cents) = match entry.said("/kind") {
                    "refund" => (self.say("Restitution", "Given back"), -cents),
                    "chargeback" => (self.say("Reprise par la banque", "Taken back by the bank"), -cents),
                    "surplus" => (self.say("Trop-perçu", "Surplus"), cents),
                    // Nobody was at a page for it.
                    _ if entry.number("/checkout").is_none() => (self.say("Prélèvement", "Debit"), cents),
                    _ => (self.say("Carte bancaire", "Card"), cents),
                };
                let values = [
                    language.day(entry.said("/at")),
                    kind.to_owned(),
                    shown(order, "/reference"),
                    shown(entry, "/operation"),
                    language.cents(cents),
                ];
                headings.iter().zip(values).map(|((kind, heading), value)| cell(kind, heading, &value)).collect()
            })
            .collect();
        self.list("paiements", self.say("Paiements", "Payments"), &headings, &rows)
    }

    pub(super) fn list(&self, id: &str, title: &str, headings: &[(&str, &str)], rows: &[String]) -> String {
        if rows.is_empty() {
            let none = self.say("Rien pour le moment.", "Nothing yet.");
            return format!("<section><h2>{title}</h2><p class=\"quiet\">{none}</p></section>\n");
        }
        format!("<section>{}</section>\n", table(id, title, headings, rows))
    }

    pub(super) fn status(&self, order: &Value) -> &'static str {
        let language = self.language();
        match (order.said("/status"), order.said("/plan/status")) {
            ("open", "requested") => language.pick("Échéancier demandé", "Instalments asked for"),
            ("open", "approved") => language.pick("Échéancier accordé", "Instalments approved"),
            ("open", "active") => language.pick("Financée par un échéancier", "Financed by instalments"),
            ("open", "past_due") => language.pick("Bloquée : un prélèvement est impayé", "On hold: a debit is unpaid"),
            ("open", "paused" | "cancelled" | "defaulted") => {
                language.pick("Prélèvements arrêtés", "Debits have stopped")
            }
            ("open", _) => language.pick("À\u{a0}régler", "To\u{a0}pay"),
            ("settled", _) => language.pick("Soldée", "Settled"),
            _ if order.said("/replaced_by").is_empty() => language.pick("Annulée", "Cancelled"),
            _ => language.pick("Remplacée", "Replaced"),
        }
    }
}
