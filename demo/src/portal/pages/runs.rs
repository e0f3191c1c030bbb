//! Accounting's second page: the debits of a day, before and after; and the clock of this demonstration.

use jiff::{ToSpan, civil::Date};
use serde_json::Value;

use super::{Frame, not_done, row, table};
use crate::{document::Document, portal::words::shown};

/// The day that is looked at.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Day {
    /// The day that it is.
    pub(in crate::portal) today: Date,
    pub(in crate::portal) day: Date,
    /// Its run, once there is one.
    pub(in crate::portal) run: Option<Value>,
    /// The debits of the run, or what a run would take up.
    pub(in crate::portal) items: Vec<Value>,
}

/// What debits come to: names in the API, and words.
const OUTCOMES: [(&str, &str, &str); 7] = [
    ("paid", "Payés", "Paid"),
    ("refused", "Refusés", "Refused"),
    ("ready", "À envoyer", "To be sent"),
    ("sent", "Envoyés", "Sent"),
    ("in_doubt", "En vérification", "Being checked"),
    ("not_executed", "Non exécutés", "Not carried out"),
    ("quarantined", "À examiner", "To be looked at"),
];

impl Frame<'_> {
    /// The debits of one day.
    pub(in crate::portal) fn debits(&self, day: &Day, refused: Option<&str>) -> String {
        let content = format!(
            "{}{}{}{}",
            not_done(refused),
            self.day_choice(day),
            match &day.run {
                Some(run) => self.run(run, day),
                None => self.preview(day),
            },
            self.clock(day),
        );
        let title = self.say("Prélèvements des échéances", "Debits of instalments");
        self.office_page("/comptabilite/prelevements", title, &content)
    }

    fn day_choice(&self, day: &Day) -> String {
        format!(
            "<form method=\"get\" action=\"/comptabilite/prelevements\"><section>\n<div class=\"field short\"><label for=\"jour\">{}</label>\
             <input type=\"date\" id=\"jour\" name=\"jour\" value=\"{}\" required></div>\n\
             <button class=\"second\">{}</button></section></form>\n",
            self.say("Jour de prélèvement", "Day of debits"),
            day.day,
            self.say("Afficher", "Show"),
        )
    }

    /// What a run of the day would find, and the button that begins it.
    fn preview(&self, day: &Day) -> String {
        let language = self.language();
        let headings = [
            ("", self.say("Commande", "Order")),
            ("figure", self.say("Échéance n°", "Instalment no.")),
            ("figure", self.say("Montant", "Amount")),
            ("", self.say("Remarque", "Remark")),
        ];
        let rows: Vec<String> = day
            .items
            .iter()
            .map(|item| {
                let left_out = item.said("/left_out");
                let amount = if left_out.is_empty() { language.money(item, "/amount") } else { "–".to_owned() };
                let number = item.number("/instalment").map_or("–".to_owned(), |number| number.to_string());
                let remark =
                    if left_out.is_empty() { self.say("À prélever", "To debit") } else { self.left_out(left_out) };
                let reference = format!("<span class=\"reference\">{}</span>", shown(item, "/reference"));
                row(&headings, [reference, number, amount, remark.to_owned()])
            })
            .collect();
        let date = language.date(&day.day.to_string());
        let content = if rows.is_empty() {
            format!(
                "<h2>{date}</h2><p class=\"quiet\">{}</p>",
                self.say("Rien à prélever ce jour-là.", "Nothing to debit on that day.")
            )
        } else {
            let caption = format!("{} {date}", self.say("À prélever au", "To be debited by"));
            table("previsions", &caption, &headings, &rows)
        };
        let start = format!(
            "<form method=\"post\" action=\"/comptabilite/prelevements\"><input type=\"hidden\" name=\"jour\" value=\"{}\">\
             <p class=\"actions\"><button>{}</button></p></form>\n",
            day.day,
            self.say("Lancer les prélèvements de ce jour", "Begin the debits of this day"),
        );
        format!("<section>{content}</section>\n{start}")
    }

    fn run(&self, run: &Value, day: &Day) -> String {
        let language = self.language();
        let (class, state) = match run.said("/state") {
            "running" => ("wait", self.say("Prélèvements en cours", "Debits under way")),
            "done" => ("good", self.say("Prélèvements terminés", "Debits done")),
            "done_with_doubt" => (
                "wait",
                self.say(
                    "Terminés, certains restent à vérifier auprès de la banque",
                    "Done, some are being checked with the bank",
                ),
            ),
            "stopped_config" => {
                ("bad", self.say("Arrêtés : la banque refuse le contrat", "Stopped: the bank refuses the contract"))
            }
            _ => ("bad", self.say("Arrêtés : à examiner", "Stopped: to be looked at")),
        };
        let figures: String = OUTCOMES
            .iter()
            .filter(|(name, ..)| {
                matches!(*name, "paid" | "refused") || run.number(&format!("/counts/{name}")).unwrap_or_default() > 0
            })
            .map(|(name, french, english)| {
                format!(
                    "<div><dt>{}</dt><dd><span id=\"nombre-{name}\">{}</span> <span class=\"quiet\" id=\"somme-{name}\">{}</span></dd></div>\n",
                    self.say(french, english),
                    run.number(&format!("/counts/{name}")).unwrap_or_default(),
                    language.money(run, &format!("/sums/{name}")),
                )
            })
            .collect();
        let date = language.date(&day.day.to_string());
        let resume = if run.said("/state") == "stopped_config" {
            format!(
                "<form method=\"post\" action=\"/comptabilite/prelevements/{}/reprise\"><p class=\"actions\"><button>{}</button></p></form>\n",
                day.day,
                self.say("Reprendre", "Resume"),
            )
        } else {
            String::new()
        };
        format!(
            "<p class=\"note {class}\" role=\"status\"><strong id=\"etat\">{state}</strong><br>{date}\
             <br><a id=\"actualiser\" href=\"{}\">{}</a></p>\n{resume}\
             <section aria-label=\"{}\"><dl class=\"figures\">\n{figures}</dl></section>\n{}",
            crate::portal::words::escaped(self.here),
            self.say("Actualiser", "Refresh"),
            self.say("Résultats", "Results"),
            self.debit_list(&day.items),
        )
    }

    /// Each debit of the run, those that failed with their reason.
    fn debit_list(&self, items: &[Value]) -> String {
        if items.is_empty() {
            return String::new();
        }
        let language = self.language();
        let headings = [
            ("", self.say("Commande", "Order")),
            ("figure", self.say("Échéance n°", "Instalment no.")),
            ("figure", self.say("Montant", "Amount")),
            ("", self.say("Résultat", "Result")),
        ];
        let mut items: Vec<&Value> = items.iter().collect();
        items.sort_by_key(|item| item.said("/outcome") == "paid");
        let rows: Vec<String> = items
            .iter()
            .map(|item| {
                row(
                    &headings,
                    [
                        format!("<span class=\"reference\">{}</span>", shown(item, "/reference")),
                        item.number("/instalment").unwrap_or_default().to_string(),
                        language.money(item, "/amount"),
                        self.debit_result(item),
                    ],
                )
            })
            .collect();
        format!("<section>{}</section>\n", table("prelevements", self.say("Prélèvements", "Debits"), &headings, &rows))
    }

    fn debit_result(&self, item: &Value) -> String {
        let result = match item.said("/outcome") {
            "paid" => self.say("Payé", "Paid"),
            "refused" => self.say("Refusé", "Refused"),
            "ready" => self.say("À envoyer", "To be sent"),
            "sent" => self.say("Envoyé", "Sent"),
            "in_doubt" => self.say("En vérification", "Being checked"),
            "not_executed" => self.say("Non exécuté", "Not carried out"),
            _ => self.say("À examiner", "To be looked at"),
        };
        if item.said("/code").is_empty() || item.said("/outcome") == "paid" {
            return result.to_owned();
        }
        let next = match item.said("/next_attempt_on") {
            "" => self.say("Pas de nouvel essai.", "It is not tried again.").to_owned(),
            day => format!("{} {}.", self.say("Nouvel essai le", "Next try on"), self.language().date(day)),
        };
        format!("{result} ({}) <span class=\"quiet why\">{} {next}</span>", shown(item, "/code"), self.explained(item))
    }

    fn left_out(&self, why: &str) -> &'static str {
        self.language().pick(
            match why {
                "not_due" => "Rien n’est dû à cette date",
                "no_active_plan" => "Pas d’échéancier en cours",
                "paused" => "Prélèvements suspendus",
                "payer_paying" => "L’étudiante est en train de payer",
                "in_attempt" => "Prélèvement déjà en cours",
                "in_doubt" => "Prélèvement en vérification",
                "quarantined" => "Une décision est attendue",
                "debited_today" => "Carte déjà débitée aujourd’hui",
                "card_worn" => "Carte débitée trop souvent ces derniers temps",
                "in_this_run" => "Déjà dans ces prélèvements",
                _ => "Laissée de côté",
            },
            match why {
                "not_due" => "Nothing is due by then",
                "no_active_plan" => "No plan under way",
                "paused" => "Debits are paused",
                "payer_paying" => "The student is paying just now",
                "in_attempt" => "Being debited already",
                "in_doubt" => "A debit is being checked",
                "quarantined" => "A decision is awaited",
                "debited_today" => "The card was debited today",
                "card_worn" => "The card was debited too often of late",
                "in_this_run" => "Part of these debits already",
                _ => "Left out",
            },
        )
    }

    /// Nobody waits a month to see a demonstration.
    fn clock(&self, day: &Day) -> String {
        let language = self.language();
        let next = |day: Date| if day.day() < 10 { day } else { day.first_of_month().saturating_add(1.month()) };
        let tenth = next(day.today).with().day(10).build().unwrap_or(day.today);
        let tomorrow = day.today.saturating_add(1.day());
        let button = |to: Date, class: &str, words: &str| {
            format!(
                "<form method=\"post\" action=\"/comptabilite/horloge\"><input type=\"hidden\" name=\"jour\" value=\"{to}\">\
                 <button{class}>{words} {}</button></form>\n",
                language.date(&to.to_string()),
            )
        };
        let shown = if day.day > day.today && day.day != tenth && day.day != tomorrow {
            button(day.day, "", self.say("Avancer au", "Go forward to"))
        } else {
            String::new()
        };
        format!(
            "<section><h2>{}</h2><p class=\"quiet\">{} <strong id=\"aujourdhui\">{}</strong>. {}</p>\n<div class=\"actions\">{shown}{}{}</div></section>",
            self.say("L’horloge de la démonstration", "The demonstration’s clock"),
            self.say("Nous sommes le", "It is"),
            language.date(&day.today.to_string()),
            self.say(
                "Le guichet et la banque simulée avancent ensemble ; ils ne reculent pas.",
                "The gateway and the simulated bank go forward together; they do not go back.",
            ),
            button(tenth, "", self.say("Avancer au", "Go forward to")),
            button(tomorrow, " class=\"second\"", self.say("Avancer au", "Go forward to")),
        )
    }
}
