//! What waits for two people: each thing with what one of them has said, and a form for the other's verdict.

use serde_json::Value;

use super::{Frame, not_done, order_link};
use crate::{
    document::Document,
    portal::words::{escaped, shown},
};

/// What people may say: names in the API, and words.
const VERDICTS: [(&str, &str, &str); 3] = [
    ("executed", "la banque l’a exécuté", "the bank carried it out"),
    ("not_executed", "la banque ne l’a pas exécuté", "the bank did not carry it out"),
    ("closed", "rien de plus à faire ici", "nothing more to do here"),
];

impl Frame<'_> {
    /// `once` makes each of the forms count once.
    pub(in crate::portal) fn quarantine(&self, items: &[Value], once: &str, refused: Option<&str>) -> String {
        let waiting: Vec<String> = items
            .iter()
            .flat_map(|item| item.items("/waiting").iter().map(move |waiting| (item, waiting)))
            .enumerate()
            .map(|(place, (item, waiting))| self.decision(item, waiting, place, once))
            .collect();
        let waiting = if waiting.is_empty() {
            let none = self.say("Rien n’attend de décision.", "Nothing waits for a decision.");
            format!("<section><p class=\"quiet\">{none}</p></section>\n")
        } else {
            waiting.concat()
        };
        let rule = self.say(
            "Une décision se prend à deux : deux personnes, à deux postes, disent la même chose, preuve à l’appui.",
            "Two people decide: at two desks they say the same, and what shows it.",
        );
        let content = format!("{}<p class=\"note wait\">{rule}</p>\n{waiting}", not_done(refused));
        let title = self.say("Opérations à décider", "Operations to decide");
        self.office_page("/comptabilite/quarantaine", title, &content)
    }

    fn decision(&self, item: &Value, waiting: &Value, place: usize, once: &str) -> String {
        let subject = waiting.pointer("/subject").map(ToString::to_string).unwrap_or_default();
        let verdicts: String = waiting.items("/verdicts").iter().map(|verdict| self.verdict(verdict)).collect();
        let verdicts =
            if verdicts.is_empty() { verdicts } else { format!("<ul class=\"verdicts\">\n{verdicts}</ul>\n") };
        format!(
            "<section class=\"request\" aria-label=\"{what} {place}\"><h2>{what}, {link}</h2>\n\
             <p class=\"quiet\">{why}</p>\n{verdicts}{form}</section>\n",
            what = self.subject(waiting),
            link = order_link(item, "/order"),
            why = shown(waiting, "/why"),
            form = self.verdict_form(item, &subject, place, once),
        )
    }

    /// What it is that waits.
    fn subject(&self, waiting: &Value) -> String {
        let number = |name: &str| waiting.number(&format!("/subject/{name}"));
        match (number("debit"), number("capture"), number("give_back")) {
            (Some(debit), ..) => {
                format!("{} {debit}", self.say("Prélèvement de l’échéance", "Debit of instalment"))
            }
            (_, Some(_), _) => self.say("Capture d’une autorisation", "Capture of an authorisation").to_owned(),
            (.., Some(give_back)) => format!("{} {give_back}", self.say("Restitution", "Give-back")),
            (None, None, None) => {
                format!("{} {}", self.say("Opération", "Operation"), shown(waiting, "/subject/operation"))
            }
        }
    }

    /// What somebody has said of it.
    fn verdict(&self, verdict: &Value) -> String {
        let known = VERDICTS.iter().find(|(name, ..)| *name == verdict.said("/verdict"));
        let words = known.map_or("", |(_, french, english)| self.say(french, english));
        let operation = match shown(verdict, "/operation/number") {
            none if none.is_empty() => none,
            number => format!(" ({number}, {})", shown(verdict, "/operation/call")),
        };
        format!(
            "<li><strong>{}</strong>, {} : {words}{operation}. <span class=\"quiet\">{}</span></li>\n",
            shown(verdict, "/by/person"),
            self.language().day(verdict.said("/at")),
            shown(verdict, "/evidence"),
        )
    }

    fn verdict_form(&self, item: &Value, subject: &str, place: usize, once: &str) -> String {
        let verdicts: String = VERDICTS
            .iter()
            .map(|(name, french, english)| format!("<option value=\"{name}\">{}</option>", self.say(french, english)))
            .collect();
        let number = |name: &str, words: &str| {
            format!(
                "<div class=\"field\"><label for=\"{name}-{place}\">{words} <span class=\"quiet\">{}</span></label>\
                 <input type=\"text\" inputmode=\"numeric\" id=\"{name}-{place}\" name=\"{name}\" maxlength=\"10\"></div>\n",
                self.say("(si exécuté)", "(if carried out)"),
            )
        };
        format!(
            "<form method=\"post\" action=\"/comptabilite/quarantaine/{id}\">\n\
             <input type=\"hidden\" name=\"objet\" value=\"{subject}\"><input type=\"hidden\" name=\"cle\" value=\"{once}-{place}\">\n\
             <div class=\"fields\">\n<div class=\"field long\"><label for=\"avis-{place}\">{verdict}</label>\
             <select id=\"avis-{place}\" name=\"avis\" required><option value=\"\">–</option>{verdicts}</select></div>\n{number}{call}\
             <div class=\"field long\"><label for=\"preuve-{place}\">{evidence}</label>\
             <input type=\"text\" id=\"preuve-{place}\" name=\"preuve\" required maxlength=\"1000\"></div>\n</div>\n\
             <p class=\"actions\"><button>{give}</button></p></form>\n",
            id = shown(item, "/order"),
            subject = escaped(subject),
            verdict = self.say("Votre avis", "Your verdict"),
            number = number("transaction", self.say("N° de transaction", "Transaction no.")),
            call = number("appel", self.say("N° d’appel", "Call no.")),
            evidence = self.say(
                "Preuve : ce que montrent le back-office ou le relevé",
                "Evidence: what the back office or the statement shows"
            ),
            give = self.say("Donner mon avis", "Give my verdict"),
        )
    }
}
