//! The portal's menu, entry by entry, and how to go about it.

use serde_json::Value;

use super::Frame;
use crate::{
    document::Document,
    portal::{
        plans::CHOICE,
        words::{amount, shown},
    },
};

/// Entry 3 stands behind 0, 1, 2a and 2b.
const AFTER_REQUEST: usize = 4;

/// An entry: number, title, what it is for, and where it leads, if it leads anywhere yet.
struct Entry<'a> {
    number: &'a str,
    title: &'a str,
    about: String,
    path: Option<&'a str>,
}

impl Frame<'_> {
    /// The menu, for a student whose present order is `order`.
    pub(in crate::portal) fn home(&self, order: Option<&Value>) -> String {
        let soon = |number, title, about: &str| Entry { number, title, about: about.to_owned(), path: None };
        let open = |number, title, about: String, path| Entry { number, title, about, path: Some(path) };
        let mut entries = vec![
            open(
                "0",
                self.say("Modes opératoires", "How it works"),
                self.say("Comment s’inscrire et régler, étape par étape.", "How to register and pay, step by step.")
                    .to_owned(),
                "/modes-operatoires",
            ),
            open("1", self.say("Mon dossier d’inscription", "My registration"), self.chosen(order), "/dossier"),
            open("2a", self.say("Régler en 1 fois", "Pay at once"), self.due(order), "/reglement"),
            open(
                "2b",
                self.say("Choisir le paiement en plusieurs fois", "Ask to pay in instalments"),
                self.request_state(order),
                CHOICE,
            ),
            soon(
                "4",
                self.say("Éditer ma facture", "My invoice"),
                self.say("Disponible toute l’année.", "Available all year."),
            ),
            open(
                "5",
                self.say("Ma position de compte", "My account position"),
                self.say("Commandes, paiements et solde.", "Orders, payments and balance.").to_owned(),
                "/position",
            ),
        ];
        if let Some(about) = order.and_then(|order| self.instalments(order)) {
            let title = self.say("Régler en plusieurs fois", "Pay in instalments");
            entries.insert(AFTER_REQUEST, open("3", title, about, "/echeances"));
        }
        let entries: String = entries.iter().map(|entry| self.entry(entry)).collect();
        let content = format!("<ol class=\"entries\">\n{entries}</ol>");
        self.page("/", self.say("Mes droits d’inscription", "My registration fees"), &content)
    }

    fn entry(&self, entry: &Entry<'_>) -> String {
        let Entry { number, title, about, path } = entry;
        let (class, title) = match path {
            Some(path) => ("", format!("<a href=\"{path}\">{title}</a>")),
            None => (
                " class=\"soon\"",
                format!("{title} <span class=\"tag\">{}</span>", self.say("bientôt", "coming soon")),
            ),
        };
        format!(
            "<li{class}><span class=\"number\" aria-hidden=\"true\">{number}</span>\
             <div><h2>{title}</h2><p>{about}</p></div></li>\n"
        )
    }

    fn chosen(&self, order: Option<&Value>) -> String {
        match order {
            Some(order) => {
                format!("{} {}", self.say("Catégorie choisie :", "Chosen category:"), shown(order, "/lines/0/code"))
            }
            None => self.say("Choisir une catégorie de droits.", "Choose a fee category.").to_owned(),
        }
    }

    fn due(&self, order: Option<&Value>) -> String {
        match order {
            None => self.say("Après le choix d’une catégorie.", "Once a category is chosen.").to_owned(),
            Some(order) if order.said("/status") == "open" => {
                let remaining = self.language().money(order, "/remaining");
                format!("{} <strong>{remaining}</strong>", self.say("À régler :", "To pay:"))
            }
            Some(order) if amount(order, "/totals/including_vat") == 0 => {
                self.say("Rien à payer.", "Nothing to pay.").to_owned()
            }
            Some(_) => self.say("Réglé.", "Paid.").to_owned(),
        }
    }

    fn request_state(&self, order: Option<&Value>) -> String {
        let state = match order.map_or("", |order| order.said("/plan/status")) {
            "requested" => self.say("Demande transmise au service comptable.", "Your request is with accounting."),
            "approved" => self.say("Demande acceptée.", "Request approved."),
            "refused" => self.say("Demande refusée.", "Request refused."),
            "" | "withdrawn" => self.say("Demander 3 ou 5 échéances.", "Ask for 3 or 5 instalments."),
            _ => self.say("En cours.", "Under way."),
        };
        state.to_owned()
    }

    /// What entry 3 says; before accounting has approved there is no such entry.
    fn instalments(&self, order: &Value) -> Option<String> {
        let language = self.language();
        match order.said("/plan/status") {
            "approved" => Some(format!(
                "{} <strong>{}</strong>",
                self.say("Première échéance à payer :", "First instalment to pay:"),
                language.money(order, "/plan/offer/schedule/0/amount"),
            )),
            "active" => {
                let next = order.items("/schedule").iter().find(|due| due.said("/status") != "paid")?;
                Some(format!(
                    "{} {}, <strong>{}</strong>",
                    self.say("Prochain prélèvement :", "Next debit:"),
                    language.date(next.said("/due")),
                    language.money(next, "/amount"),
                ))
            }
            "past_due" => Some(self.say("Un prélèvement a été refusé.", "A debit was refused.").to_owned()),
            "paused" | "cancelled" | "defaulted" => {
                Some(self.say("Prélèvements arrêtés.", "Debits have stopped.").to_owned())
            }
            "completed" => Some(self.say("Tout est réglé.", "All is paid.").to_owned()),
            _ => None,
        }
    }

    /// The documentation, short.
    pub(in crate::portal) fn guide(&self) -> String {
        let steps = [
            (
                "Choisissez votre catégorie de droits dans <a href=\"/dossier\">Mon dossier d’inscription</a>. \
                 Vous pouvez en changer tant que rien n’est payé.",
                "Choose your fee category under <a href=\"/dossier\">My registration</a>. You can change it as long as \
                 nothing is paid.",
            ),
            (
                "Ouvrez <a href=\"/reglement\">Régler en 1 fois</a> et vérifiez le récapitulatif.",
                "Open <a href=\"/reglement\">Pay at once</a> and check the recap.",
            ),
            (
                "Ou demandez <a href=\"/echelonnement\">3 ou 5 échéances</a> : après l’accord du service comptable, vous \
                 payez la première par carte ; les suivantes sont prélevées le 10 de chaque mois.",
                "Or ask for <a href=\"/echelonnement\">3 or 5 instalments</a>: once accounting has approved, you pay the \
                 first by card; the others are debited on the 10th of each month.",
            ),
            (
                "Indiquez l’adresse du titulaire de la carte. Elle est facultative ; sans elle, votre banque demandera \
                 sans doute une authentification forte.",
                "Give the cardholder’s address. It is optional; without it your bank will probably ask for strong \
                 authentication.",
            ),
            (
                "Saisissez votre carte sur la page sécurisée de PAYBOX. Le portail ne voit jamais son numéro.",
                "Enter your card on PAYBOX’s secure page. The portal never sees its number.",
            ),
            (
                "De retour ici, le résultat s’affiche ; votre <a href=\"/position\">position de compte</a> est à jour.",
                "Back here the result is shown, and your <a href=\"/position\">account position</a> is up to date.",
            ),
        ];
        let steps: String =
            steps.iter().map(|(french, english)| format!("<li>{}</li>\n", self.say(french, english))).collect();
        let content = format!("<section><ol class=\"steps\">\n{steps}</ol></section>");
        self.page("", self.say("Modes opératoires", "How it works"), &content)
    }
}
