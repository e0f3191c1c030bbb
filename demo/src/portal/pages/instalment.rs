//! How an instalment stands, in plain words.

use serde_json::Value;

use super::Frame;
use crate::{
    document::Document,
    portal::words::{amount, shown},
};

impl Frame<'_> {
    /// How it stands, and why its last debit was refused.
    pub(super) fn instalment_state(&self, due: &Value) -> String {
        let language = self.language();
        let state = match due.said("/status") {
            "paid" => self.say("Réglée", "Paid").to_owned(),
            "due" => self.say("À prélever", "To be debited").to_owned(),
            "in_attempt" => self.say("Prélèvement en cours", "Being debited").to_owned(),
            "in_doubt" => self.say("Vérification auprès de la banque", "Being checked with the bank").to_owned(),
            "quarantined" => self.say("Examinée par l’école", "Being looked at by the school").to_owned(),
            "arrears" => self.say("Impayée\u{a0}: à régler", "Unpaid: please pay").to_owned(),
            "retry_wait" => format!(
                "{} {}",
                self.say("Refusée, nouvel essai le", "Refused, to be tried again on"),
                language.date(due.said("/next_attempt_on"))
            ),
            "cancelled" => self.say("Annulée par un avoir", "Credited").to_owned(),
            "written_off" => self.say("Abandonnée", "Written off").to_owned(),
            _ => self.say("À\u{a0}venir", "To\u{a0}come").to_owned(),
        };
        let is_unpaid = matches!(due.said("/status"), "arrears" | "retry_wait");
        let why = due.pointer("/last_refusal").filter(|refusal| is_unpaid && refusal.is_object());
        let why = why.map(|refusal| format!(" <span class=\"quiet why\">{}</span>", self.explained(refusal)));
        format!("{state}{}", why.unwrap_or_default())
    }

    /// What the API explains, in the visitor's language.
    pub(super) fn explained(&self, refusal: &Value) -> String {
        shown(refusal, &format!("/explanation/{}", self.language().letters()))
    }

    /// `3 échéances`, or the template's own label.
    pub(super) fn label(&self, plan: &Value) -> String {
        let label = shown(plan, &format!("/label/{}", self.language().letters()));
        if label.is_empty() { shown(plan, "/template") } else { label }
    }

    /// `200,31 € · 200,31 € · 200,38 €`.
    pub(super) fn parts(&self, amounts: &[Value]) -> String {
        let parts: Vec<String> = amounts.iter().map(|part| self.language().money(part, "")).collect();
        parts.join(" · ")
    }
}

/// The sum of what has not been paid of an order's schedule, in cents.
pub(super) fn to_come(order: &Value) -> i64 {
    let is_to_come = |due: &&Value| !matches!(due.said("/status"), "paid" | "cancelled" | "written_off");
    order.items("/schedule").iter().filter(is_to_come).map(|due| amount(due, "/amount")).sum()
}
