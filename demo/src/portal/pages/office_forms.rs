//! What accounting may do to an order: one plain form each. What does not fit the order, the gateway refuses in its words.

use serde_json::Value;

use super::Frame;
use crate::{document::Document, portal::words::shown};

/// A control of a form: its name, its words, what it is.
enum Control<'a> {
    Amount,
    Reason,
    /// Values and words.
    Choice(&'a str, &'a str, Vec<(String, String)>),
}

/// One form: where it is sent, its heading and hint, its controls, its button.
struct Correction<'a> {
    action: &'a str,
    title: &'a str,
    hint: &'a str,
    controls: Vec<Control<'a>>,
    button: &'a str,
}

impl Frame<'_> {
    pub(super) fn correction_forms(&self, order: &Value, once: &str) -> String {
        let captures: Vec<&Value> =
            order.items("/ledger").iter().filter(|entry| entry.said("/kind") == "capture").collect();
        let mut corrections = self.of_plan(order);
        if !captures.is_empty() {
            corrections.push(Correction {
                action: "avoir",
                title: self.say("Avoir", "Credit note"),
                hint: self.say(
                    "Réduit ce qui est dû, en commençant par la dernière échéance ; ce qui est alors payé en trop est rendu.",
                    "Lowers what is owed, from the last instalment on; what is then paid too much goes back.",
                ),
                controls: vec![Control::Amount, Control::Reason],
                button: self.say("Établir l’avoir", "Make the credit note"),
            });
            corrections.push(self.refund(order));
            corrections.push(self.chargeback(&captures));
        }
        corrections.iter().map(|correction| self.correction(order, once, correction)).collect()
    }

    fn of_plan<'a>(&'a self, order: &Value) -> Vec<Correction<'a>> {
        let debits = match order.said("/plan/status") {
            "active" | "past_due" => Correction {
                action: "suspension",
                title: self.say("Suspendre les prélèvements", "Pause the debits"),
                hint: self.say("Rien n’est prélevé jusqu’à la reprise.", "Nothing is debited until they are resumed."),
                controls: Vec::new(),
                button: self.say("Suspendre", "Pause"),
            },
            "paused" => Correction {
                action: "reprise",
                title: self.say("Reprendre les prélèvements", "Resume the debits"),
                hint: self.say("Ils sont suspendus.", "They are paused."),
                controls: Vec::new(),
                button: self.say("Reprendre", "Resume"),
            },
            _ => return Vec::new(),
        };
        let cancelled = Correction {
            action: "annulation",
            title: self.say("Annuler le reste de l’échéancier", "Cancel the rest of the plan"),
            hint: self.say(
                "Ce qui est payé le reste ; plus rien n’est dû.",
                "What is paid stays paid; nothing more is owed.",
            ),
            controls: vec![Control::Reason],
            button: self.say("Annuler le reste", "Cancel the rest"),
        };
        vec![debits, cancelled]
    }

    fn refund<'a>(&'a self, order: &Value) -> Correction<'a> {
        let option = |value: &str, words: &str| (value.to_owned(), words.to_owned());
        let against = vec![
            option("credit_note", self.say("un avoir du même montant", "a credit note of the same amount")),
            option("surplus", self.say("ce qui a été payé en trop", "what was paid too much")),
        ];
        let mut controls =
            vec![Control::Amount, Control::Choice("contre", self.say("Contre", "Against"), against), Control::Reason];
        if matches!(order.said("/plan/status"), "active" | "past_due" | "paused") {
            let rest = vec![
                option("keep", self.say("prélevées comme prévu", "debited as planned")),
                option("cancel", self.say("annulées aussi", "cancelled too")),
            ];
            let words = self.say("Échéances suivantes", "Later instalments");
            controls.insert(2, Control::Choice("suite", words, rest));
        }
        Correction {
            action: "remboursement",
            title: self.say("Remboursement", "Refund"),
            hint: self.say(
                "Rendu sur la carte, en commençant par l’opération la plus récente.",
                "Given back to the card, from the newest operation on.",
            ),
            controls,
            button: self.say("Rembourser", "Refund"),
        }
    }

    fn chargeback<'a>(&'a self, captures: &[&Value]) -> Correction<'a> {
        let language = self.language();
        let operations = captures
            .iter()
            .map(|entry| {
                let (number, amount) = (shown(entry, "/operation"), language.money(entry, "/amount"));
                let words = format!("{number}, {amount}, {}", language.day(entry.said("/at")));
                (number, words)
            })
            .collect();
        Correction {
            action: "contestation",
            title: self.say("Contestation", "Chargeback"),
            hint: self.say(
                "La banque de l’étudiante a repris un paiement, d’après le relevé de l’école.",
                "The student’s bank took a payment back, by the school’s statement.",
            ),
            controls: vec![
                Control::Choice("operation", self.say("Opération", "Operation"), operations),
                Control::Reason,
            ],
            button: self.say("Enregistrer la contestation", "Book the chargeback"),
        }
    }

    fn correction(&self, order: &Value, once: &str, correction: &Correction<'_>) -> String {
        let Correction { action, title, hint, controls, button } = correction;
        let controls: String = controls.iter().map(|control| self.control(action, control)).collect();
        let controls =
            if controls.is_empty() { controls } else { format!("<div class=\"fields\">\n{controls}</div>\n") };
        format!(
            "<form method=\"post\" action=\"/comptabilite/commandes/{}/{action}\"><section>\n<h2>{title}</h2>\n\
             <p class=\"quiet\">{hint}</p>\n<input type=\"hidden\" name=\"cle\" value=\"{once}\">\n{controls}\
             <p class=\"actions\"><button class=\"second\">{button}</button></p></section></form>\n",
            shown(order, "/id"),
        )
    }

    fn control(&self, action: &str, control: &Control<'_>) -> String {
        let (class, name, words, control) = match control {
            Control::Amount => {
                let input = "type=\"text\" inputmode=\"decimal\" name=\"montant\" required maxlength=\"20\"";
                ("field", "montant", self.say("Montant", "Amount"), format!("<input {input} id=\"{action}-montant\">"))
            }
            Control::Reason => {
                let input = "type=\"text\" name=\"motif\" required maxlength=\"500\"";
                ("field long", "motif", self.say("Motif", "Reason"), format!("<input {input} id=\"{action}-motif\">"))
            }
            Control::Choice(name, words, options) => {
                let options: String = options
                    .iter()
                    .map(|(value, words)| format!("<option value=\"{value}\">{words}</option>"))
                    .collect();
                let select = format!("<select id=\"{action}-{name}\" name=\"{name}\">{options}</select>");
                ("field", *name, *words, select)
            }
        };
        format!("<div class=\"{class}\"><label for=\"{action}-{name}\">{words}</label>{control}</div>\n")
    }
}
