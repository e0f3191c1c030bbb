//! Accounting's page of one order, and the list that leads there: what became of it, and what was corrected.

use serde_json::Value;

use super::{Frame, not_done, order_link, row, table};
use crate::{
    document::Document,
    portal::words::{escaped, shown},
};

impl Frame<'_> {
    pub(in crate::portal) fn office_orders(&self, orders: &[Value], typed: &str) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Commande", "Order")),
            ("", self.say("Étudiante", "Student")),
            ("figure", self.say("Total", "Total")),
            ("figure", self.say("Payé", "Paid")),
            ("", self.say("État", "Status")),
        ];
        let rows: Vec<String> = orders
            .iter()
            .map(|order| {
                row(
                    &headings,
                    [
                        order_link(order, "/id"),
                        self.student(order),
                        language.money(order, "/totals/including_vat"),
                        language.money(order, "/paid"),
                        self.status(order).to_owned(),
                    ],
                )
            })
            .collect();
        let search = format!(
            "<form method=\"get\" action=\"/comptabilite/commandes\"><section>\n<div class=\"field short\">\
             <label for=\"recherche\">{}</label>\
             <input type=\"search\" id=\"recherche\" name=\"recherche\" value=\"{}\" maxlength=\"100\"></div>\n\
             <button class=\"second\">{}</button></section></form>\n",
            self.say("Référence ou étudiante", "Reference or student"),
            escaped(typed),
            self.say("Chercher", "Search"),
        );
        let title = self.say("Commandes", "Orders");
        let content = format!("{search}{}", self.list("commandes", title, &headings, &rows));
        self.office_page("/comptabilite/commandes", title, &content)
    }

    /// One order with all that accounting may do to it. `once` makes each of its forms count once.
    pub(in crate::portal) fn office_order(&self, order: &Value, once: &str, refused: Option<&str>) -> String {
        let content = format!(
            "{}{}{}{}{}{}",
            not_done(refused),
            self.order_facts(order),
            self.order_schedule(order),
            self.order_ledger(order),
            self.order_corrections(order),
            self.correction_forms(order, once),
        );
        let title = format!("{} {}", self.say("Commande", "Order"), shown(order, "/reference"));
        self.office_page("/comptabilite/commandes", &title, &content)
    }

    fn order_facts(&self, order: &Value) -> String {
        let language = self.language();
        let is_blocked = order.pointer("/blocked") == Some(&Value::Bool(true));
        let blocked = if is_blocked { self.say("oui : un impayé", "yes: something is unpaid") } else { "–" };
        let waits = match order.items("/waiting").len() {
            0 => "–".to_owned(),
            count => format!("<a href=\"/comptabilite/quarantaine\">{count}</a>"),
        };
        let facts = [
            ("", self.say("Étudiante", "Student"), self.student(order)),
            ("etat", self.say("État", "Status"), self.status(order).to_owned()),
            ("", self.say("Total", "Total"), language.money(order, "/totals/including_vat")),
            ("du", self.say("Dû, avoirs déduits", "Owed, less credit notes"), language.money(order, "/owed")),
            ("paye", self.say("Payé par carte", "Paid by card"), language.money(order, "/paid")),
            ("rendu", self.say("Remboursé ou en cours", "Refunded or on its way"), language.money(order, "/refunded")),
            ("reste", self.say("Reste à payer", "Left to pay"), language.money(order, "/remaining")),
            ("bloquee", self.say("Bloquée", "Blocked"), blocked.to_owned()),
            ("", self.say("À décider", "To decide"), waits),
        ];
        let facts: String = facts
            .iter()
            .map(|(id, words, value)| {
                let id = if id.is_empty() { String::new() } else { format!(" id=\"{id}\"") };
                format!("<dt>{words}</dt><dd{id}>{value}</dd>\n")
            })
            .collect();
        format!("<section><dl class=\"facts\">\n{facts}</dl></section>\n")
    }

    fn order_schedule(&self, order: &Value) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Échéance n°", "Instalment no.")),
            ("", self.say("Le", "On")),
            ("figure", self.say("Montant", "Amount")),
            ("", self.say("État", "Status")),
        ];
        let rows: Vec<String> = order
            .items("/schedule")
            .iter()
            .map(|due| {
                let number = due.number("/number").unwrap_or_default().to_string();
                let (day, amount) = (language.date(due.said("/due")), language.money(due, "/amount"));
                row(&headings, [number, day, amount, self.instalment_state(due)])
            })
            .collect();
        self.list("echeances", self.say("Échéances", "Instalments"), &headings, &rows)
    }

    fn order_ledger(&self, order: &Value) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Date", "Date")),
            ("", self.say("Nature", "Kind")),
            ("", self.say("Transaction", "Transaction")),
            ("", self.say("Remise", "Remittance")),
            ("figure", self.say("Montant", "Amount")),
        ];
        let rows: Vec<String> = order
            .items("/ledger")
            .iter()
            .map(|entry| {
                let kind = match entry.said("/kind") {
                    "capture" if entry.number("/checkout").is_none() => self.say("Prélèvement", "Debit"),
                    "capture" => self.say("Carte bancaire", "Card"),
                    "surplus" => self.say("Trop-perçu", "Surplus"),
                    "refund" => self.say("Remboursement", "Refund"),
                    "settlement" => self.say("Encaissé par l’école", "Reached the school"),
                    _ => self.say("Contestation", "Chargeback"),
                };
                let remittance = match shown(entry, "/remittance") {
                    none if none.is_empty() => "–".to_owned(),
                    number => format!("<a href=\"/comptabilite/remises/{number}\">{number}</a>"),
                };
                let (day, amount) = (language.day(entry.said("/at")), language.money(entry, "/amount"));
                row(&headings, [day, kind.to_owned(), shown(entry, "/operation"), remittance, amount])
            })
            .collect();
        self.list("journal", self.say("Écritures", "Ledger"), &headings, &rows)
    }

    /// Credit notes, refunds, and what was paid or given up elsewhere: each with its reason and its author.
    fn order_corrections(&self, order: &Value) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Date", "Date")),
            ("", self.say("Nature", "Kind")),
            ("figure", self.say("Montant", "Amount")),
            ("", self.say("Motif", "Reason")),
            ("", self.say("Par", "By")),
            ("", self.say("Suite", "Outcome")),
        ];
        let kinds = [
            ("/credit_notes", self.say("Avoir", "Credit note")),
            ("/refunds", self.say("Remboursement", "Refund")),
            ("/journal", ""),
        ];
        let rows: Vec<String> = kinds
            .iter()
            .flat_map(|(place, kind)| order.items(place).iter().map(move |made| (*kind, made)))
            .map(|(kind, made)| {
                let kind = match made.said("/kind") {
                    "paid_elsewhere" => self.say("Payé ailleurs", "Paid elsewhere"),
                    "written_off" => self.say("Abandonné", "Written off"),
                    _ => kind,
                };
                let parts: Vec<&str> =
                    made.items("/parts").iter().map(|part| self.part_state(part.said("/status"))).collect();
                row(
                    &headings,
                    [
                        language.day(made.said("/at")),
                        kind.to_owned(),
                        language.money(made, "/amount"),
                        shown(made, "/reason"),
                        shown(made, "/by/person"),
                        if parts.is_empty() { "–".to_owned() } else { parts.join(", ") },
                    ],
                )
            })
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        let title = self.say("Corrections", "Corrections");
        format!("<section>{}</section>\n", table("corrections", title, &headings, &rows))
    }

    /// How far a part of a refund is.
    fn part_state(&self, status: &str) -> &'static str {
        let language = self.language();
        match status {
            "done" => language.pick("fait", "done"),
            "in_doubt" => language.pick("en vérification", "being checked"),
            "quarantined" => language.pick("à décider", "to be decided"),
            "given_up" => language.pick("abandonné", "given up"),
            _ => language.pick("en cours", "under way"),
        }
    }
}
