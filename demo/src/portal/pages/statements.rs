//! Accounting's page of files: where PAYBOX's and the bank's do not agree with the ledger, and what settles that.

use serde_json::Value;

use super::{Frame, not_done, row, table};
use crate::{
    document::Document,
    portal::words::{escaped, shown},
};

/// What was brought, and what of it is looked at.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Statements {
    /// Where this demonstration's bank gives its files.
    pub(in crate::portal) operations: String,
    pub(in crate::portal) remittances: String,
    pub(in crate::portal) imports: Vec<Value>,
    /// Of one import, by its id.
    pub(in crate::portal) drifts: Option<(String, Value)>,
}

/// Entries: names in the API, and words.
const ENTRIES: [(&str, &str, &str); 5] = [
    ("settlement", "Comptabiliser l’encaissement", "Book as collected"),
    ("chargeback", "Comptabiliser l’impayé", "Book the chargeback"),
    ("question", "Interroger la banque", "Ask the bank"),
    ("fees", "Comptabiliser les frais", "Book the fees"),
    ("note", "Noter", "Note"),
];
const STANDINGS: [(&str, &str, &str); 3] =
    [("open", "À traiter", "Open"), ("asked", "Banque interrogée", "Bank asked"), ("journalled", "Traité", "Settled")];

impl Frame<'_> {
    pub(in crate::portal) fn statements(&self, statements: &Statements, refused: Option<&str>) -> String {
        let content = format!(
            "{}{}{}{}",
            not_done(refused),
            self.bring(statements),
            statements.drifts.as_ref().map(|(id, drifts)| self.drifts(id, drifts)).unwrap_or_default(),
            self.brought(&statements.imports),
        );
        let title = self.say("Relevés et rapprochement", "Files and reconciliation");
        self.office_page("/comptabilite/releves", title, &content)
    }

    fn bring(&self, statements: &Statements) -> String {
        let choice = |value: &str, words: &str| format!("<option value=\"{value}\">{words}</option>");
        format!(
            "<form method=\"post\" action=\"/comptabilite/releves\" enctype=\"multipart/form-data\"><section>\n\
             <div class=\"field\"><label for=\"sorte\">{}</label><select id=\"sorte\" name=\"sorte\">{}{}</select></div>\n\
             <div class=\"field\"><label for=\"fichier\">{}</label>\
             <input type=\"file\" id=\"fichier\" name=\"fichier\" accept=\".csv,text/csv\" required></div>\n\
             <button>{}</button>\n<p class=\"quiet\">{} <a href=\"{}\" download>operations.csv</a>, \
             <a href=\"{}\" download>remittances.csv</a></p></section></form>\n",
            self.say("Sorte de fichier", "Kind of file"),
            choice("operations", self.say("Opérations de PAYBOX", "PAYBOX’s operations")),
            choice("remittances", self.say("Remises de la banque", "The bank’s remittances")),
            self.say("Fichier CSV", "CSV file"),
            self.say("Comparer", "Compare"),
            self.say("Ceux de cette démonstration :", "This demonstration’s own:"),
            escaped(&statements.operations),
            escaped(&statements.remittances),
        )
    }

    fn drifts(&self, import: &str, drifts: &Value) -> String {
        let items = drifts.items("/items");
        if items.is_empty() {
            return format!(
                "<section id=\"ecarts\"><p class=\"note good\" role=\"status\">{}</p></section>\n",
                self.say("Le fichier et notre journal disent la même chose.", "The file and our ledger say the same."),
            );
        }
        let all: String = items.iter().map(|drift| self.drift(import, drift)).collect();
        let count = drifts.number("/open").unwrap_or_default() + drifts.number("/asked").unwrap_or_default();
        format!(
            "<section id=\"ecarts\"><h2>{}</h2><p class=\"quiet\">{count} {}</p>\n{all}</section>\n",
            self.say("Écarts", "Drifts"),
            self.say("à traiter", "to be settled"),
        )
    }

    fn drift(&self, import: &str, drift: &Value) -> String {
        let id = shown(drift, "/id");
        let words = shown(drift, self.language().pick("/explanation/fr", "/explanation/en"));
        let standing = self.word(&STANDINGS, drift.said("/status"));
        let entries: String = drift
            .items("/entries")
            .iter()
            .filter_map(Value::as_str)
            .map(|entry| {
                let class = if entry == "note" { " class=\"second\"" } else { "" };
                let words = self.word(&ENTRIES, entry);
                format!("<button name=\"ecriture\" value=\"{}\"{class}>{words}</button> ", escaped(entry))
            })
            .collect();
        let settle = if entries.is_empty() {
            let made = drift.items("/journal").iter().map(|made| {
                format!(
                    "<p class=\"quiet\">{} – {} – {}</p>",
                    self.word(&ENTRIES, made.said("/entry")),
                    shown(made, "/by/person"),
                    shown(made, "/reason")
                )
            });
            made.collect()
        } else {
            format!(
                "<form method=\"post\" action=\"/comptabilite/releves/{}/{id}\">\
                 <div class=\"field\"><label for=\"motif-{id}\">{}</label>\
                 <input type=\"text\" id=\"motif-{id}\" name=\"motif\" required maxlength=\"200\"></div>\n\
                 <p class=\"actions\">{entries}</p></form>",
                escaped(import),
                self.say("Motif", "Reason"),
            )
        };
        format!("<div class=\"request\" id=\"{id}\"><p><strong>{standing}</strong> – {words}</p>\n{settle}</div>\n")
    }

    /// What the API's name of something is in the visitor's language.
    fn word(&self, words: &[(&str, &str, &str)], name: &str) -> String {
        let found = words.iter().find(|(known, ..)| *known == name);
        found.map(|(_, french, english)| self.say(french, english).to_owned()).unwrap_or_else(|| escaped(name))
    }

    fn brought(&self, imports: &[Value]) -> String {
        if imports.is_empty() {
            return String::new();
        }
        let headings = [
            ("text", self.say("Fichier", "File")),
            ("text", self.say("Du", "From")),
            ("text", self.say("Au", "Until")),
            ("amount", self.say("Lignes", "Lines")),
        ];
        let line = |import: &Value| {
            let id = shown(import, "/id");
            row(
                &headings,
                [
                    format!("<a href=\"/comptabilite/releves?fichier={id}\">{}</a>", shown(import, "/file")),
                    self.language().date(import.said("/from")),
                    self.language().date(import.said("/until")),
                    import.number("/lines").unwrap_or_default().to_string(),
                ],
            )
        };
        let rows: Vec<String> = imports.iter().rev().map(line).collect();
        table("fichiers", self.say("Fichiers reçus", "Files brought"), &headings, &rows)
    }
}
