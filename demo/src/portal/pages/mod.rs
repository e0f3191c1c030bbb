//! The portal's pages: plain forms, no script, one stylesheet, everything said in the visitor's language.

mod address;
mod countries;
mod dossier;
mod home;
mod instalment;
mod office;
mod office_forms;
mod office_order;
mod plan;
mod position;
mod quarantine;
mod recap;
mod remittances;
mod requests;
mod result;
mod runs;
mod schedule;
mod statements;

use serde_json::Value;
use url::form_urlencoded;

use super::{
    fees::{FIRST_NAME, LAST_NAME},
    visitor::Visitor,
    words::{Language, escaped, shown},
};
use crate::configuration::ECOLE;

pub(super) use address::{Complaint, billing, pay_so};
pub(super) use remittances::Remittances;
pub(super) use requests::Requests;
pub(super) use result::is_confirming;
pub(super) use runs::Day;
pub(super) use statements::Statements;

/// What surrounds a page: whose it is, in which language, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) visitor: &'a Visitor,
    /// The page's own path and query, to be found again in another language.
    pub(super) here: &'a str,
}

/// The menu that stands on every page of a student's: paths and words.
const MENU: [Entry; 4] = [
    ("/", "Accueil", "Home"),
    ("/dossier", "Dossier", "Registration"),
    ("/reglement", "Régler", "Pay"),
    ("/position", "Position", "Account"),
];

/// A path and the words that lead there.
type Entry = (&'static str, &'static str, &'static str);

/// What differs between the students' pages and the office's.
struct Surroundings<'a> {
    /// The portal's name.
    portal: &'a str,
    menu: &'a [Entry],
    /// Who is there.
    person: String,
    foot: String,
}

impl Frame<'_> {
    fn language(&self) -> Language {
        self.visitor.language
    }

    /// The text that belongs to the visitor's language.
    fn say<'a>(&self, french: &'a str, english: &'a str) -> &'a str {
        self.language().pick(french, english)
    }

    /// A whole page of a student's under the menu entry `entry`. `title` is escaped already.
    fn page(&self, entry: &str, title: &str, content: &str) -> String {
        let person = format!(
            "{} <strong>{FIRST_NAME} {LAST_NAME}</strong>, <span class=\"reference\">{} {}</span>",
            self.say("Connectée :", "Signed in:"),
            self.say("étudiante n°", "student no."),
            escaped(&self.visitor.student),
        );
        let foot = format!(
            "<form method=\"post\" action=\"/etudiant\"><button class=\"plain\">{}</button></form>",
            self.say("Recommencer avec une nouvelle étudiante", "Start again as a new student"),
        );
        let portal = self.say("Portail des étudiants", "Students’ portal");
        self.document(&Surroundings { portal, menu: &MENU, person, foot }, entry, title, content)
    }

    fn document(&self, around: &Surroundings<'_>, entry: &str, title: &str, content: &str) -> String {
        let other = self.language().other();
        let towards: String = form_urlencoded::byte_serialize(self.here.as_bytes()).collect();
        let menu: String = around
            .menu
            .iter()
            .map(|(path, french, english)| {
                let current = if *path == entry { " aria-current=\"page\"" } else { "" };
                format!("<li><a href=\"{path}\"{current}>{}</a></li>\n", self.say(french, english))
            })
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} – {school}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
             <link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#contenu\">{skip}</a>\n\
             <header class=\"top\"><div class=\"wide\">\n\
             <a class=\"brand\" href=\"{home}\">{school}<span>{portal}</span></a>\n\
             <a class=\"language\" href=\"/langue/{other}?vers={towards}\" lang=\"{other}\" hreflang=\"{other}\">{other_name}</a>\n\
             </div></header>\n<nav class=\"menu\" aria-label=\"{menu_name}\"><ul class=\"wide\">\n{menu}</ul></nav>\n\
             <main class=\"wide\" id=\"contenu\" tabindex=\"-1\">\n\
             <p class=\"student\">{person}</p>\n\
             <h1>{title}</h1>\n{content}\n</main>\n\
             <footer><div class=\"wide\"><p>{about}</p>\n{foot}</div></footer>\n\
             </body>\n</html>\n",
            lang = self.language().letters(),
            school = escaped(ECOLE.name),
            skip = self.say("Aller au contenu", "Skip to content"),
            home = around.menu.first().map_or("/", |(path, ..)| path),
            portal = around.portal,
            other = other.letters(),
            other_name = other.pick("Français", "English"),
            menu_name = self.say("Menu principal", "Main menu"),
            person = around.person,
            foot = around.foot,
            about = self.say(
                "Démonstration : aucune banque n’est appelée, rien n’est débité.",
                "Demonstration: no bank is called, nothing is debited."
            ),
        )
    }

    /// A page that says one thing.
    pub(super) fn notice(&self, title: &str, text: &str) -> String {
        let content = format!(
            "<p class=\"note bad\" role=\"alert\">{}</p>\n<p class=\"actions\"><a class=\"button\" href=\"/\">{}</a></p>",
            escaped(text),
            self.say("Retour à l’accueil", "Back to the home page"),
        );
        self.page("", &escaped(title), &content)
    }

    pub(super) fn unknown(&self) -> String {
        self.notice(
            self.say("Page inconnue", "Unknown page"),
            self.say(
                "Cette page n’existe pas, ou cette commande est inconnue.",
                "This page does not exist, or this order is unknown.",
            ),
        )
    }

    pub(super) fn unavailable(&self) -> String {
        self.notice(
            self.say("Service indisponible", "Service unavailable"),
            self.say(
                "Le service de paiement ne répond pas pour le moment. Réessayez dans un instant.",
                "The payment service does not answer just now. Please try again in a moment.",
            ),
        )
    }
}

/// A note that says why something was not done.
fn not_done(why: Option<&str>) -> String {
    why.map(|why| format!("<p class=\"note bad\" role=\"alert\" id=\"refus\">{}</p>\n", escaped(why)))
        .unwrap_or_default()
}

/// An order's reference, which leads to the office's page of it; its id stands at `id`.
fn order_link(document: &Value, id: &str) -> String {
    format!(
        "<a class=\"reference\" href=\"/comptabilite/commandes/{}\">{}</a>",
        shown(document, id),
        shown(document, "/reference")
    )
}

/// One row of a table: a cell for each heading.
fn row<const N: usize>(headings: &[(&str, &str); N], values: [String; N]) -> String {
    headings.iter().zip(values).map(|((kind, heading), value)| cell(kind, heading, &value)).collect()
}

/// One cell of a table whose rows become cards on a phone, where `heading` is what remains of the head.
fn cell(kind: &str, heading: &str, content: &str) -> String {
    format!("<td role=\"cell\" class=\"{kind}\" data-label=\"{heading}\"><span>{content}</span></td>")
}

/// A table with these headings, each with its class, and rows of [`cell`]s.
fn table(id: &str, caption: &str, headings: &[(&str, &str)], rows: &[String]) -> String {
    let head: String = headings
        .iter()
        .map(|(kind, heading)| format!("<th role=\"columnheader\" scope=\"col\" class=\"{kind}\">{heading}</th>"))
        .collect();
    let rows: String = rows.iter().map(|cells| format!("<tr role=\"row\">{cells}</tr>\n")).collect();
    // Roles keep a table a table where the style lays its rows out as cards.
    format!(
        "<table role=\"table\" id=\"{id}\"><caption>{caption}</caption>\n\
         <thead role=\"rowgroup\"><tr role=\"row\">{head}</tr></thead>\n\
         <tbody role=\"rowgroup\">\n{rows}</tbody></table>\n"
    )
}
