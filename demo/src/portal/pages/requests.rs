//! Accounting's first page: requests for instalments that wait for an answer, and the plans that there are.

use serde_json::Value;

use super::{Frame, not_done, order_link, row, table};
use crate::{document::Document, portal::words::shown};

/// Orders with a plan, by how that stands.
#[derive(Clone, Debug, Default)]
pub(in crate::portal) struct Requests {
    pub(in crate::portal) requested: Vec<Value>,
    pub(in crate::portal) past_due: Vec<Value>,
    pub(in crate::portal) active: Vec<Value>,
}

impl Frame<'_> {
    /// The requests, each with its two answers; then what is past due, and what goes well.
    pub(in crate::portal) fn requests(&self, requests: &Requests, refused: Option<&str>) -> String {
        let waiting: String = requests.requested.iter().map(|order| self.request(order)).collect();
        let waiting = if waiting.is_empty() {
            let none = self.say("Aucune demande n’attend de réponse.", "No request waits for an answer.");
            format!("<section><p class=\"quiet\">{none}</p></section>\n")
        } else {
            waiting
        };
        let dues =
            requests.past_due.iter().flat_map(|order| order.items("/schedule").iter().map(move |due| (order, due)));
        let arrears: String = dues
            .filter(|(_, due)| due.said("/status") == "arrears")
            .map(|(order, due)| self.arrears(order, due))
            .collect();
        let content = format!(
            "{}{waiting}{arrears}{}{}",
            not_done(refused),
            self.plans(
                "impayes",
                self.say("Échéanciers avec un impayé", "Plans with an unpaid instalment"),
                &requests.past_due
            ),
            self.plans("en-cours", self.say("Échéanciers en cours", "Plans under way"), &requests.active),
        );
        let title = self.say("Demandes de paiement en plusieurs fois", "Requests to pay in instalments");
        self.office_page("/comptabilite", title, &content)
    }

    fn request(&self, order: &Value) -> String {
        let language = self.language();
        let id = shown(order, "/id");
        let plan = order.pointer("/plan").unwrap_or(&Value::Null);
        let facts = [
            (self.say("Étudiante", "Student"), self.student(order)),
            (self.say("Total", "Total"), language.money(order, "/totals/including_vat")),
            (self.say("Demande", "Request"), self.label(plan)),
            (self.say("Échéances", "Instalments"), self.parts(plan.items("/amounts"))),
            (self.say("Le", "On"), language.day(plan.said("/requested_at"))),
        ];
        let facts: String = facts.iter().map(|(words, value)| format!("<dt>{words}</dt><dd>{value}</dd>\n")).collect();
        // Of equal shares no first one can be fixed.
        let first = if plan.said("/template") == "5x" {
            format!(
                "<div class=\"field\"><label for=\"premiere-{id}\">{} <span class=\"quiet\">{}</span></label>\
                 <input type=\"text\" inputmode=\"decimal\" id=\"premiere-{id}\" name=\"premiere\" maxlength=\"20\"></div>\n",
                self.say("Première échéance", "First instalment"),
                self.say("(facultatif : montant fixé)", "(optional: a fixed amount)"),
            )
        } else {
            String::new()
        };
        format!(
            "<section class=\"request\" aria-label=\"{reference}\"><h2><span class=\"reference\">{reference}</span></h2>\n\
             <dl class=\"facts\">\n{facts}</dl>\n<div class=\"answers\">\n\
             <form method=\"post\" action=\"/comptabilite/demandes/{id}/accord\">\n\
             <input type=\"hidden\" name=\"conditions\" value=\"{terms}\">\n{first}<button>{approve}</button></form>\n\
             <form method=\"post\" action=\"/comptabilite/demandes/{id}/refus\">\n\
             <div class=\"field\"><label for=\"motif-{id}\">{reason}</label>\
             <input type=\"text\" id=\"motif-{id}\" name=\"motif\" required maxlength=\"500\"></div>\n\
             <button class=\"second\">{refuse}</button></form>\n</div></section>\n",
            reference = shown(order, "/reference"),
            terms = shown(plan, "/terms"),
            approve = self.say("Accorder", "Approve"),
            reason = self.say("Motif du refus, lu par l’étudiante", "Reason for a refusal, read by the student"),
            refuse = self.say("Refuser", "Refuse"),
        )
    }

    /// An instalment that is not debited by itself any more, why, and another try.
    fn arrears(&self, order: &Value, due: &Value) -> String {
        let language = self.language();
        let (id, number) = (shown(order, "/id"), due.number("/number").unwrap_or_default());
        let why = due.pointer("/last_refusal").map(|refusal| self.explained(refusal)).unwrap_or_default();
        let code = shown(due, "/last_refusal/code");
        let facts = [
            (self.say("Étudiante", "Student"), self.student(order)),
            (self.say("Échéance", "Due"), language.date(due.said("/due"))),
            (self.say("Montant", "Amount"), language.money(due, "/amount")),
            (self.say("Refus", "Refusal"), format!("{code}, {why}")),
        ];
        let facts: String = facts.iter().map(|(words, value)| format!("<dt>{words}</dt><dd>{value}</dd>\n")).collect();
        format!(
            "<section class=\"request\" aria-label=\"{reference}, {unpaid} {number}\">\
             <h2>{unpaid} <span class=\"reference\">{reference}</span></h2>\n<dl class=\"facts\">\n{facts}</dl>\n\
             <form class=\"answers\" method=\"post\" action=\"/comptabilite/impayes/{id}/{number}\">\n\
             <div class=\"field\"><label for=\"essai-{id}-{number}\">{reason}</label>\
             <input type=\"text\" id=\"essai-{id}-{number}\" name=\"motif\" required maxlength=\"500\"></div>\n\
             <p class=\"actions\"><button class=\"second\">{again}</button></p></form>\n</section>\n",
            reference = shown(order, "/reference"),
            unpaid = self.say("Impayé", "Unpaid"),
            reason = self.say("Pourquoi un nouvel essai", "Why another try"),
            again = self.say("Prélever de nouveau", "Debit again"),
        )
    }

    /// Plans that are under way, and how each instalment stands.
    fn plans(&self, id: &str, title: &str, orders: &[Value]) -> String {
        if orders.is_empty() {
            let none = self.say("Aucun.", "None.");
            return format!("<section><h2>{title}</h2><p class=\"quiet\">{none}</p></section>\n");
        }
        let language = self.language();
        let headings = [
            ("", self.say("Commande", "Order")),
            ("", self.say("Étudiante", "Student")),
            ("", self.say("Échéance", "Due")),
            ("figure", self.say("Montant", "Amount")),
            ("", self.say("État", "Status")),
        ];
        let rows: Vec<String> = orders
            .iter()
            .flat_map(|order| order.items("/schedule").iter().map(move |due| (order, due)))
            .filter(|(_, due)| due.said("/status") != "paid")
            .map(|(order, due)| {
                row(
                    &headings,
                    [
                        order_link(order, "/id"),
                        self.student(order),
                        language.date(due.said("/due")),
                        language.money(due, "/amount"),
                        self.instalment_state(due),
                    ],
                )
            })
            .collect();
        format!("<section>{}</section>\n", table(id, title, &headings, &rows))
    }

    pub(super) fn student(&self, order: &Value) -> String {
        format!("{} {}", shown(order, "/payer/first_name"), shown(order, "/payer/last_name"))
    }

    /// What was typed is no amount.
    pub(in crate::portal) fn no_amount(&self) -> String {
        self.say("Le montant n’est pas de la forme 500,00.", "The amount is not of the form 500.00.").to_owned()
    }
}
