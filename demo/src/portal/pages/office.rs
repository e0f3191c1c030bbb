//! What surrounds the accounting office's pages, and how somebody gets in.

use super::{Entry, Frame, Surroundings};
use crate::portal::{visitor::Desk, words::escaped};

/// The office's menu: paths and words.
const MENU: [Entry; 7] = [
    ("/comptabilite", "Demandes", "Requests"),
    ("/comptabilite/prelevements", "Prélèvements", "Debits"),
    ("/comptabilite/commandes", "Commandes", "Orders"),
    ("/comptabilite/quarantaine", "À décider", "To decide"),
    ("/comptabilite/remises", "Remises", "Remittances"),
    ("/comptabilite/releves", "Relevés", "Files"),
    ("/", "Portail", "Portal"),
];

impl Frame<'_> {
    /// A whole page of the office's. `title` is escaped already.
    pub(super) fn office_page(&self, entry: &str, title: &str, content: &str) -> String {
        let person = match self.visitor.clerk.as_str() {
            "" => self.say("Personne n’est connecté.", "Nobody is signed in.").to_owned(),
            clerk => {
                format!(
                    "{} <strong id=\"agent\">{}</strong>, {} {}",
                    self.say("Vous agissez au nom de :", "Acting as:"),
                    escaped(clerk),
                    self.say("poste", "desk"),
                    self.visitor.desk.number(),
                )
            }
        };
        let foot = format!(
            "<form method=\"post\" action=\"/comptabilite/nom\"><button class=\"plain\">{}</button></form>",
            self.say("Changer de personne", "Sign in as somebody else"),
        );
        let portal = self.say("Service comptable", "Accounting office");
        self.document(&Surroundings { portal, menu: &MENU, person, foot }, entry, title, content)
    }

    /// Nothing is done here without a name.
    pub(in crate::portal) fn who_is_there(&self) -> String {
        let desks: String = Desk::ALL
            .iter()
            .map(|desk| format!("<option value=\"{0}\">{1} {0}</option>", desk.number(), self.say("Poste", "Desk")))
            .collect();
        let content = format!(
            "<form method=\"post\" action=\"/comptabilite/nom\">\n<section>\n<div class=\"field\"><label for=\"nom\">{}</label>\
             <input type=\"text\" id=\"nom\" name=\"nom\" autocomplete=\"name\" required maxlength=\"100\"></div>\n\
             <div class=\"field short\"><label for=\"poste\">{}</label><select id=\"poste\" name=\"poste\">{desks}</select></div>\n\
             <p class=\"quiet\">{}</p></section>\n<p class=\"actions\"><button>{}</button></p></form>",
            self.say("Votre nom", "Your name"),
            self.say("Votre poste", "Your desk"),
            self.say(
                "Chaque décision est enregistrée sous ce nom. Qui a demandé un échéancier ne peut pas l’accorder ; ce qui \
                 se décide à deux se décide à deux postes.",
                "Each decision is kept under this name. Whoever asked for instalments cannot approve them; what two people \
                 decide they decide at two desks.",
            ),
            self.say("Entrer", "Enter"),
        );
        self.office_page("/comptabilite", self.say("Service comptable", "Accounting office"), &content)
    }
}
