//! Entry 2b, *Choisir le paiement en plusieurs fois*: what may be asked for, and how the request stands.

use serde_json::Value;

use super::{Frame, not_done};
use crate::{
    document::Document,
    portal::{
        plans::{CHOICE, schedule_of},
        words::shown,
    },
};

/// What the school offers in general: a template's code, and what to say where an order may not be paid so.
const USUAL: [(&str, &str, &str); 2] = [
    ("3x", "", ""),
    (
        "5x",
        "Le paiement en 5 fois est réservé aux montants à partir de 1 000 €.",
        "Paying in 5 instalments is reserved for amounts from €1,000.",
    ),
];

impl Frame<'_> {
    /// The request for instalments of an order.
    pub(in crate::portal) fn plan_choice(&self, order: &Value, complaint: Option<&str>) -> String {
        let content = format!("{}{}{}", not_done(complaint), self.plan_state(order), self.templates(order));
        self.page(
            "/reglement",
            self.say("Choisir le paiement en plusieurs fois", "Ask to pay in instalments"),
            &content,
        )
    }

    /// How the present request stands.
    fn plan_state(&self, order: &Value) -> String {
        let Some(plan) = order.pointer("/plan").filter(|plan| plan.is_object()) else { return String::new() };
        let language = self.language();
        let label = self.label(plan);
        let asked = language.day(plan.said("/requested_at"));
        let schedule = |words| {
            let path = schedule_of(&shown(order, "/id"));
            format!("<p class=\"actions\"><a class=\"button\" href=\"{path}\">{words}</a></p>\n")
        };
        let (class, title, text, after) = match plan.said("/status") {
            "requested" => (
                "wait",
                self.say("Demande transmise au service comptable", "Your request is with accounting"),
                format!(
                    "{label}, {} {asked} : {}. {}",
                    self.say("demandé le", "asked on"),
                    self.parts(plan.items("/amounts")),
                    self.say(
                        "Tant qu’il n’a pas répondu, vous pouvez changer ou retirer votre demande.",
                        "Until it answers you may change or withdraw your request.",
                    ),
                ),
                self.withdrawal(),
            ),
            "approved" => (
                "good",
                self.say("Demande acceptée", "Request approved"),
                format!("{label} : {}.", self.parts(plan.items("/amounts"))),
                format!(
                    "{}{}",
                    schedule(self.say("Régler en plusieurs fois", "Pay in instalments")),
                    self.withdrawal()
                ),
            ),
            "refused" => (
                "bad",
                self.say("Demande refusée", "Request refused"),
                format!(
                    "{label}. {} <span id=\"motif\">{}</span>",
                    self.say("Le service comptable écrit :", "Accounting writes:"),
                    shown(plan, "/reason"),
                ),
                String::new(),
            ),
            "withdrawn" => (
                "wait",
                self.say("Demande retirée", "Request withdrawn"),
                self.say("Vous pouvez en faire une autre.", "You may make another one.").to_owned(),
                String::new(),
            ),
            _ => (
                "good",
                self.say("Paiement en plusieurs fois en cours", "Instalments under way"),
                format!("{label}."),
                schedule(self.say("Voir mon échéancier", "See my schedule")),
            ),
        };
        format!(
            "<p class=\"note {class}\" role=\"status\"><strong id=\"demande\">{title}</strong><br>{text}</p>\n{after}"
        )
    }

    fn withdrawal(&self) -> String {
        format!(
            "<form method=\"post\" action=\"{CHOICE}/retrait\"><p class=\"actions\"><button class=\"second\">{}</button></p></form>\n",
            self.say("Retirer ma demande", "Withdraw my request"),
        )
    }

    /// What may be asked for now.
    fn templates(&self, order: &Value) -> String {
        let offered: Vec<&Value> =
            order.items("/ways_to_pay").iter().filter(|way| way.said("/kind") == "plan").collect();
        let present = order.said("/plan/template");
        let is_asked = order.said("/plan/status") == "requested";
        if offered.is_empty() {
            let is_open = order.said("/status") == "open" && order.pointer("/plan").is_none_or(Value::is_null);
            let none = self.say(
                "Cette commande ne peut pas être réglée en plusieurs fois.",
                "This order cannot be paid in instalments.",
            );
            let settled = self.say("Cette commande n’est plus à régler.", "This order is no longer to be paid.");
            return match order.said("/status") {
                "open" if is_open => format!("<p class=\"note wait\">{none}</p>\n"),
                "open" => String::new(),
                _ => format!("<p class=\"note wait\">{settled}</p>\n"),
            };
        }
        let chosen = if is_asked { present } else { offered.first().map_or("", |way| way.said("/template")) };
        let choices: String = offered.iter().map(|way| self.template(way, chosen)).collect();
        let missing: String = USUAL
            .iter()
            .filter(|(code, french, _)| !french.is_empty() && !offered.iter().any(|way| way.said("/template") == *code))
            .map(|(_, french, english)| format!("<p class=\"quiet\">{}</p>\n", self.say(french, english)))
            .collect();
        format!(
            "<form method=\"post\" action=\"{CHOICE}\">\n<fieldset><legend>{legend} <span class=\"reference\">{reference}</span></legend>\n\
             <p class=\"quiet\">{hint}</p>\n{choices}{missing}</fieldset>\n\
             <p class=\"actions\"><button>{button}</button></p>\n</form>\n",
            legend = self.say("Commande", "Order"),
            reference = shown(order, "/reference"),
            hint = self.say(
                "La première échéance se règle par carte bancaire, une fois la demande acceptée ; les suivantes sont \
                 prélevées le 10 de chaque mois. Les e-cartes bleues sont interdites.",
                "The first instalment is paid by card once the request is approved; the others are debited on the 10th \
                 of each month. Virtual cards are not accepted.",
            ),
            button = if is_asked {
                self.say("Changer ma demande", "Change my request")
            } else {
                self.say("Envoyer ma demande", "Send my request")
            },
        )
    }

    fn template(&self, way: &Value, chosen: &str) -> String {
        let code = shown(way, "/template");
        let language = self.language();
        let dues: Vec<String> = way
            .items("/schedule")
            .iter()
            .map(|due| {
                let (amount, day) = (language.money(due, "/amount"), language.date(due.said("/due")));
                format!("<span class=\"reference\">{amount} ({day})</span>")
            })
            .collect();
        format!(
            "<label class=\"choice category\"><input type=\"radio\" name=\"formule\" value=\"{code}\"{}>\
             <span class=\"what\"><strong>{}</strong><span class=\"quiet\">{}</span></span></label>\n",
            if code == chosen { " checked" } else { "" },
            self.label(way),
            dues.join(" · "),
        )
    }
}
