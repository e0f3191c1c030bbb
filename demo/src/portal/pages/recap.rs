//! Entry 2a, *Régler en 1 fois*: what is to be paid, line by line, and the way to pay it.

use serde_json::Value;

use super::{Complaint, Frame, cell, table};
use crate::{
    document::Document,
    portal::words::{amount, escaped, shown},
};

impl Frame<'_> {
    /// The recap of an open order and the choice of an address; after a refusal with what was typed, and why not.
    pub(in crate::portal) fn recap(
        &self,
        order: &Value,
        typed: Option<&[(String, String)]>,
        complaint: Option<&Complaint>,
    ) -> String {
        let content = format!(
            "{}{}\n<form method=\"post\" action=\"/commandes/{}/paiement\">\n{}\n\
             <p class=\"actions\"><button>{}</button>\n<a class=\"button second\" href=\"/dossier\">{}</a></p>\n\
             <p class=\"quiet\">{}</p>\n</form>",
            complaint.map(|complaint| self.complaint(complaint)).unwrap_or_default(),
            self.lines(order),
            shown(order, "/id"),
            self.address_choice(order, typed, complaint),
            self.say("Payer par carte", "Pay by card"),
            self.say("Changer de catégorie", "Change category"),
            self.say(
                "Vous allez être dirigée vers la page sécurisée de PAYBOX.",
                "You will be taken to PAYBOX’s secure page.",
            ),
        );
        let title = self.recap_title();
        let title = match complaint {
            Some(_) => format!("{} – {title}", self.say("À corriger", "To correct")),
            None => title.to_owned(),
        };
        self.page("/reglement", &title, &content)
    }

    fn recap_title(&self) -> &'static str {
        self.language().pick("Récapitulatif de votre commande", "Your order")
    }

    /// An order without anything to pay.
    pub(in crate::portal) fn nothing_to_pay(&self, order: &Value) -> String {
        let content = format!(
            "<p class=\"note good\" role=\"status\"><strong id=\"resultat\">{}</strong><br>{}</p>\n{}\
             <p class=\"actions\"><a class=\"button\" href=\"/position\">{}</a>\n\
             <a class=\"button second\" href=\"/dossier\">{}</a></p>",
            self.say(
                "Le récapitulatif de paiement ne contient pas de ligne à payer.",
                "The payment recap holds no line to pay.",
            ),
            self.say("Votre commande est soldée, sans paiement.", "Your order is settled, without a payment."),
            self.lines(order),
            self.say("Ma position de compte", "My account position"),
            self.say("Changer de catégorie", "Change category"),
        );
        self.page("/reglement", self.recap_title(), &content)
    }

    /// Before any category is chosen there is nothing to show.
    pub(in crate::portal) fn no_order(&self) -> String {
        let content = format!(
            "<p class=\"note wait\">{}</p>\n<p class=\"actions\"><a class=\"button\" href=\"/dossier\">{}</a></p>",
            self.say(
                "Choisissez d’abord votre catégorie de droits : le récapitulatif en découle.",
                "Please choose your fee category first: the recap follows from it.",
            ),
            self.say("Choisir ma catégorie", "Choose my category"),
        );
        self.page("/reglement", self.say("Régler en 1 fois", "Pay at once"), &content)
    }

    /// One row per product, as the school's own recap shows them.
    fn lines(&self, order: &Value) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Type", "Type")),
            ("figure", self.say("Quantité", "Quantity")),
            ("figure", self.say("Prix unitaire HT", "Unit price excl. VAT")),
            ("figure", self.say("Total HT", "Total excl. VAT")),
            ("figure", self.say("Taux de TVA", "VAT rate")),
            ("figure", self.say("Total TTC", "Total incl. VAT")),
        ];
        let rows: Vec<String> = order
            .items("/lines")
            .iter()
            .map(|line| {
                let values = [
                    shown(line, "/label"),
                    shown(line, "/quantity"),
                    language.money(line, "/unit_price"),
                    language.money(line, "/totals/excluding_vat"),
                    format!("{}{}{}", language.rate(line.said("/vat_rate")), self.say("\u{a0}%", "%"), footmark(line)),
                    language.money(line, "/totals/including_vat"),
                ];
                headings.iter().zip(values).map(|((kind, heading), value)| cell(kind, heading, &value)).collect()
            })
            .collect();
        let number = format!(
            "{} <span class=\"reference\">{}</span>",
            self.say("Commande", "Order"),
            shown(order, "/reference")
        );
        let table = table("lignes", &number, &headings, &rows);
        let foot = if order.items("/lines").iter().any(|line| !footmark(line).is_empty()) {
            format!(
                "<p class=\"quiet foot\"><sup>*</sup> {}</p>\n",
                self.say(
                    "Hors champ de TVA, art. 261-4-4 du CGI.",
                    "Outside the scope of VAT, art. 261-4-4 of the French tax code (CGI).",
                )
            )
        } else {
            String::new()
        };
        format!(
            "<section>{table}<p class=\"total\">{} <strong id=\"total\">{}</strong></p>\n{foot}</section>",
            self.say("Total à payer", "Total to pay"),
            language.money(order, "/totals/including_vat"),
        )
    }

    /// Why the payment was not begun, with a link to each field that has to be corrected.
    pub(super) fn complaint(&self, complaint: &Complaint) -> String {
        let colon = self.say("\u{a0}:", ":");
        let items: String = complaint
            .fields
            .iter()
            .map(|fault| {
                let label = self.field_label(&fault.name);
                format!("<li><a href=\"#{}\">{label}</a>{colon} {}</li>\n", fault.id, escaped(&fault.why))
            })
            .collect();
        let (summary, list) = if items.is_empty() {
            (complaint.summary.as_str(), String::new())
        } else {
            let summary = self.say("Cette adresse est à corriger :", "This address is to be corrected:");
            (summary, format!("<ul>\n{items}</ul>"))
        };
        format!(
            "<div class=\"note bad\" role=\"alert\" id=\"refus\"><strong>{}</strong>{list}</div>\n",
            escaped(summary)
        )
    }
}

/// The mark of the foot note, for lines that bear no VAT.
fn footmark(line: &Value) -> &'static str {
    if amount(line, "/totals/vat") == 0 { "<sup>*</sup>" } else { "" }
}
