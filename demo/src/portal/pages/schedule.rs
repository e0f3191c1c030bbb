//! Entry 3, *Régler en plusieurs fois*: the schedule as the school's own screen has it, the consent, the way to pay.

use serde_json::Value;

use super::{Complaint, Frame, instalment::to_come, not_done, row, table};
use crate::{
    document::Document,
    portal::{
        plans::schedule_of,
        words::{escaped, shown},
    },
};

/// What stands where there is no invoice yet.
const NONE_YET: &str = "–";

impl Frame<'_> {
    /// An approved plan that waits for its first instalment; after a refusal with what was typed, and why not.
    pub(in crate::portal) fn offer(
        &self,
        order: &Value,
        typed: Option<&[(String, String)]>,
        complaint: Option<&Complaint>,
    ) -> String {
        let language = self.language();
        let offer = order.pointer("/plan/offer").unwrap_or(&Value::Null);
        let first = offer.pointer("/schedule/0/amount").unwrap_or(&Value::Null);
        let is_agreed = typed.is_some_and(|typed| typed.iter().any(|(name, _)| name == "accord"));
        let wants_consent = complaint.is_some_and(|complaint| complaint.lacks_consent);
        let content = format!(
            "{complaint}{schedule}\n<form method=\"post\" action=\"{action}\">\n{address}\n\
             <fieldset><legend>{legend}</legend>\n<p id=\"texte-accord\">{text}</p>\n\
             <label class=\"choice\"><input type=\"checkbox\" id=\"accord\" name=\"accord\" value=\"{terms}\" required{checked}{state}>\
             <span>{agree}</span></label>\n</fieldset>\n\
             <p class=\"note wait\">{no_e_card}</p>\n\
             <p class=\"actions\"><button>{pay} {amount}</button>\n<a class=\"button second\" href=\"/echelonnement\">{change}</a></p>\n\
             <p class=\"quiet\">{towards}</p>\n</form>",
            complaint = complaint.map(|complaint| self.complaint(complaint)).unwrap_or_default(),
            schedule = self.schedule_table(order, offer.items("/schedule"), language.money(offer, "/later_total")),
            action = schedule_of(&shown(order, "/id")),
            address = self.address_choice(order, typed, complaint),
            legend = self.say("Mon accord", "My agreement"),
            text = shown(offer, &format!("/text/{}", language.letters())),
            terms = shown(offer, "/accepted_terms"),
            checked = if is_agreed { " checked" } else { "" },
            state = if wants_consent { " aria-invalid=\"true\"" } else { "" },
            agree = self.say(
                "J’accepte cet échéancier et le prélèvement automatique des échéances suivantes sur ma carte.",
                "I accept this schedule and that the other instalments are debited from my card by themselves.",
            ),
            no_e_card = self.say(
                "Les e-cartes bleues et autres cartes virtuelles sont interdites : les prélèvements suivants échoueraient.",
                "Virtual cards (e-cards, single-use numbers) are not accepted: the later debits would fail.",
            ),
            pay = self.say("Payer la première échéance :", "Pay the first instalment:"),
            amount = language.money(first, ""),
            change = self.say("Ma demande", "My request"),
            towards = self.say(
                "Vous allez être dirigée vers la page sécurisée de PAYBOX ; votre banque vous authentifiera.",
                "You will be taken to PAYBOX’s secure page; your bank will authenticate you.",
            ),
        );
        let title = self.say("Régler en plusieurs fois", "Pay in instalments");
        let title = match complaint {
            Some(_) => format!("{} – {title}", self.say("À corriger", "To correct")),
            None => title.to_owned(),
        };
        self.page("/reglement", &title, &content)
    }

    /// A plan that is under way or over.
    pub(in crate::portal) fn schedule(&self, order: &Value, complaint: Option<&str>) -> String {
        let left = self.language().cents(to_come(order));
        let content = format!(
            "{}{}{}{}\n<p class=\"actions\"><a class=\"button second\" href=\"/position\">{}</a></p>",
            not_done(complaint),
            self.plan_note(order),
            self.schedule_table(order, order.items("/schedule"), left),
            self.ways_to_pay(order),
            self.say("Ma position de compte", "My account position"),
        );
        self.page("/reglement", self.say("Mon échéancier", "My schedule"), &content)
    }

    /// Where the plan stands as a whole.
    fn plan_note(&self, order: &Value) -> String {
        let (class, title, text) = match order.said("/plan/status") {
            "completed" => ("good", self.say("Tout est réglé", "All is paid"), String::new()),
            "past_due" => (
                "bad",
                self.say("Un prélèvement a été refusé", "A debit was refused"),
                self.say(
                    "L’échéance reste due ; vous pouvez la régler par carte sans attendre.",
                    "The instalment is still owed; you may pay it by card right now.",
                )
                .to_owned(),
            ),
            "paused" => (
                "wait",
                self.say("Prélèvements suspendus", "Debits are paused"),
                self.say("Le service comptable les a suspendus.", "Accounting has paused them.").to_owned(),
            ),
            "cancelled" | "defaulted" => (
                "bad",
                self.say("Échéancier arrêté", "The plan was ended"),
                if order.number("/remaining/amount") == Some(0) {
                    self.say("Rien n’est plus prélevé, et rien ne reste dû.", "Nothing is debited or owed any more.")
                } else {
                    self.say(
                        "Rien n’est plus prélevé ; ce qui reste est à régler.",
                        "Nothing is debited any more; what is left is to be paid.",
                    )
                }
                .to_owned(),
            ),
            _ => (
                "good",
                self.say("Échéancier en cours", "Instalments under way"),
                self.say(
                    "Les échéances à venir seront prélevées d’elles-mêmes.",
                    "The instalments to come will be debited by themselves.",
                )
                .to_owned(),
            ),
        };
        let card = match (order.said("/plan/card/last2"), order.said("/plan/card/expires").split_once('-')) {
            ("", _) | (_, None) => String::new(),
            (last2, Some((year, month))) => format!(
                "<br><span class=\"quiet\">{} **{}, {} {}/{}</span>",
                self.say("Carte", "Card"),
                escaped(last2),
                self.say("valable jusqu’à", "valid until"),
                escaped(month),
                escaped(year),
            ),
        };
        format!(
            "<p class=\"note {class}\" role=\"status\"><strong id=\"echeancier\">{title}</strong><br>{text}{card}</p>\n"
        )
    }

    /// One row per instalment, with the columns of the real screen. Invoices come with entry 4.
    fn schedule_table(&self, order: &Value, schedule: &[Value], later: String) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Échéance", "Due")),
            ("figure", self.say("Montant", "Amount")),
            ("figure", self.say("Reste à payer", "Left to pay")),
            ("", self.say("N° de facture", "Invoice no.")),
            ("", self.say("Date de facture", "Invoice date")),
            ("figure", self.say("Montant facturé", "Invoice amount")),
            ("", self.say("Payeur", "Payer")),
            ("", self.say("État", "Status")),
        ];
        let payer = format!("{} {}", shown(order, "/payer/first_name"), shown(order, "/payer/last_name"));
        let rows: Vec<String> = schedule
            .iter()
            .enumerate()
            .map(|(place, due)| {
                // What is only offered has nothing paid of it, and its first instalment is to be paid now.
                let is_offered = due.pointer("/status").is_none();
                let left = if is_offered { "/amount" } else { "/remaining" };
                let state = if is_offered && place == 0 {
                    self.say("Par carte, maintenant", "By card, now").to_owned()
                } else {
                    self.instalment_state(due)
                };
                row(
                    &headings,
                    [
                        language.date(due.said("/due")),
                        language.money(due, "/amount"),
                        language.money(due, left),
                        NONE_YET.to_owned(),
                        NONE_YET.to_owned(),
                        NONE_YET.to_owned(),
                        payer.clone(),
                        state,
                    ],
                )
            })
            .collect();
        let caption = format!(
            "{} <span class=\"reference\">{}</span>",
            self.say("Échéancier de la commande", "Schedule of order"),
            shown(order, "/reference")
        );
        format!(
            "<section>{}<p class=\"total\">{} <strong id=\"automatique\">{later}</strong></p></section>",
            table("echeances", &caption, &headings, &rows),
            self.say(
                "Total des paiements qui seront effectués automatiquement :",
                "Total of the payments that will be made automatically:"
            ),
        )
    }

    /// A button for each instalment that may be paid now.
    fn ways_to_pay(&self, order: &Value) -> String {
        let id = shown(order, "/id");
        let language = self.language();
        let ways = order.items("/ways_to_pay").iter().filter(|way| way.said("/kind") == "instalment");
        let buttons: String = ways
            .enumerate()
            .map(|(place, way)| {
                let number = way.number("/instalment").unwrap_or_default();
                let class = if place == 0 { "" } else { " class=\"second\"" };
                format!(
                    "<form method=\"post\" action=\"{}/{number}\"><button{class}>{} {number} : {}</button></form>\n",
                    schedule_of(&id),
                    self.say("Payer par carte l’échéance", "Pay by card instalment"),
                    language.money(way, "/amount"),
                )
            })
            .collect();
        if buttons.is_empty() {
            return String::new();
        }
        format!(
            "<section><h2>{}</h2><p class=\"quiet\">{}</p><div class=\"actions\">\n{buttons}</div></section>\n",
            self.say("Payer sans attendre", "Pay earlier"),
            self.say(
                "Facultatif. Une échéance payée ici ne sera pas prélevée.",
                "You need not. An instalment that is paid here will not be debited.",
            ),
        )
    }

    /// The payer has not agreed to the schedule.
    pub(in crate::portal) fn no_consent(&self) -> Complaint {
        Complaint::consent(self.say(
            "Cochez votre accord : sans lui, les échéances suivantes ne peuvent pas être prélevées.",
            "Please tick your agreement: without it the other instalments cannot be debited.",
        ))
    }
}
