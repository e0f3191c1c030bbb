//! Entry 1, *Mon dossier d'inscription*: one fee category, chosen and changed until it is paid.

use serde_json::Value;

use super::Frame;
use crate::{
    document::Document,
    portal::{
        fees::{CATEGORIES, Category},
        words::{amount, escaped},
    },
};

impl Frame<'_> {
    /// The choice of a category for a student whose present order is `order`.
    pub(in crate::portal) fn dossier(&self, order: Option<&Value>, complaint: Option<&str>) -> String {
        let content = match order {
            Some(order) if is_paid(order) => self.paid_dossier(order),
            _ => self.choice(order, complaint),
        };
        self.page("/dossier", self.say("Mon dossier d’inscription", "My registration"), &content)
    }

    fn choice(&self, order: Option<&Value>, complaint: Option<&str>) -> String {
        let complaint = complaint
            .map(|why| format!("<p class=\"note bad\" role=\"alert\">{}</p>\n", escaped(why)))
            .unwrap_or_default();
        let is_open = order.is_some_and(|order| order.said("/status") == "open");
        let hint = if is_open {
            self.say(
                "Changer de catégorie remplace la commande qui n’est pas encore payée.",
                "Another category takes the place of the order that is not paid yet.",
            )
        } else {
            self.say(
                "Une seule catégorie, selon votre formation et votre situation.",
                "One category, by your training and situation.",
            )
        };
        let chosen = order.map_or("D1", |order| order.said("/lines/0/code"));
        let categories: String = CATEGORIES.iter().map(|category| self.category(*category, chosen)).collect();
        format!(
            "{complaint}<form method=\"post\" action=\"/dossier\">\n<fieldset><legend>{}</legend>\n\
             <p class=\"quiet\">{hint}</p>\n{categories}</fieldset>\n\
             <p class=\"actions\"><button>{}</button></p>\n</form>",
            self.say("Catégorie de droits", "Fee category"),
            self.say("Valider mon choix", "Confirm my choice"),
        )
    }

    fn category(&self, category: Category, chosen: &str) -> String {
        let language = self.language();
        let checked = if category.code == chosen { " checked" } else { "" };
        format!(
            "<label class=\"choice category\"><input type=\"radio\" name=\"categorie\" value=\"{code}\"{checked}>\
             <span class=\"what\"><strong>{code} – {name}</strong><span class=\"quiet\">{about}</span></span>\
             <span class=\"figure\">{fee}</span></label>\n",
            code = category.code,
            name = category.name(language),
            about = category.about(language),
            fee = language.cents(category.fee),
        )
    }

    fn paid_dossier(&self, order: &Value) -> String {
        let code = order.said("/lines/0/code");
        let name = Category::of(code).map_or("", |category| category.name(self.language()));
        format!(
            "<p class=\"note good\"><strong>{} – {name}</strong><br>{}</p>\n\
             <p>{}</p>\n<p class=\"actions\"><a class=\"button\" href=\"/position\">{}</a></p>",
            escaped(code),
            self.say("Cette inscription est réglée.", "This registration is paid."),
            self.say(
                "Pour changer de catégorie après un paiement, adressez-vous au service de la scolarité.",
                "To change the category after a payment, please ask the registrar’s office.",
            ),
            self.say("Ma position de compte", "My account position"),
        )
    }
}

/// Whether money settled it; a free category may be chosen again.
fn is_paid(order: &Value) -> bool {
    order.said("/status") == "settled" && amount(order, "/totals/including_vat") > 0
}
