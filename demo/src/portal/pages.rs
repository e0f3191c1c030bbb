//! The portal's pages: French, plain forms, no script, one stylesheet.

use serde_json::Value;

use super::words::{escaped, money, rate, shown};
use crate::document::Document;

/// The parts of an address as forms name them, with the words beside their fields and what browsers fill in.
pub(super) const ADDRESS: [(&str, &str, &str); 8] = [
    ("first_name", "Prénom", "given-name"),
    ("last_name", "Nom", "family-name"),
    ("address1", "Adresse", "address-line1"),
    ("address2", "Complément", "address-line2"),
    ("zip_code", "Code postal", "postal-code"),
    ("city", "Ville", "address-level2"),
    ("country", "Pays (deux lettres)", "country"),
    ("mobile_phone", "Téléphone mobile", "tel"),
];

/// Why a school's fees bear no VAT.
const OUTSIDE_VAT: &str = "<p class=\"quiet\">Hors TVA, article 261-4-4° du CGI.</p>";

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"fr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – Portail de démonstration</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n\
         <header><a href=\"/\">École de démonstration – portail des étudiants</a></header>\n<main>\n<h1>{title}</h1>\n\
         {content}\n</main>\n</body>\n</html>\n"
    )
}

/// The portal's menu, as far as it goes.
pub(super) fn home() -> String {
    page(
        "Mes droits d’inscription",
        "<section><h2>Régler en 1 fois</h2>\n\
         <p>Vos droits de scolarité sont à régler par carte bancaire, sur la page sécurisée de PAYBOX.</p>\n\
         <form method=\"post\" action=\"/commandes\"><button>Voir le récapitulatif</button></form></section>",
    )
}

/// What is to be paid, and the choice of an address.
pub(super) fn recap(order: &Value, complaint: Option<&str>) -> String {
    let complaint =
        complaint.map(|why| format!("<p class=\"bad\" role=\"alert\">{}</p>\n", escaped(why))).unwrap_or_default();
    let content = format!(
        "{complaint}{}\n<form method=\"post\" action=\"/commandes/{}/paiement\">\n{}\n<button>Payer</button>\n</form>",
        lines(order),
        shown(order, "/id"),
        address_choice(order),
    );
    page("Récapitulatif de votre commande", &content)
}

/// One row per product, as the school's own recap shows them.
fn lines(order: &Value) -> String {
    let rows: String = order
        .items("/lines")
        .iter()
        .map(|line| {
            format!(
                "<tr><td>{}</td><td class=\"figure\">{}</td><td class=\"figure\">{}</td><td class=\"figure\">{}</td>\
                 <td class=\"figure\">{} %</td><td class=\"figure\">{}</td></tr>\n",
                shown(line, "/label"),
                shown(line, "/quantity"),
                money(line, "/unit_price"),
                money(line, "/totals/excluding_vat"),
                rate(line.said("/vat_rate")),
                money(line, "/totals/including_vat"),
            )
        })
        .collect();
    format!(
        "<section><div class=\"table\"><table>\n<thead><tr><th scope=\"col\">Type</th>\
         <th scope=\"col\" class=\"figure\">Quantité</th><th scope=\"col\" class=\"figure\">Prix unitaire HT</th>\
         <th scope=\"col\" class=\"figure\">Total HT</th><th scope=\"col\" class=\"figure\">TVA</th>\
         <th scope=\"col\" class=\"figure\">Total TTC</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n\
         <p class=\"total\">Total à payer : <span id=\"total\">{}</span></p>{}</section>",
        money(order, "/totals/including_vat"),
        if order.number("/totals/vat/amount") == Some(0) { OUTSIDE_VAT } else { "" },
    )
}

fn address_choice(order: &Value) -> String {
    let part = |name: &str| shown(order, &format!("/payer/addresses/0/{name}"));
    let fields: String = ADDRESS
        .iter()
        .map(|(name, label, fill)| {
            let value = part(name);
            format!(
                "<label class=\"field\">{label}\
                 <input name=\"{name}\" value=\"{value}\" autocomplete=\"{fill}\" maxlength=\"100\"></label>\n"
            )
        })
        .collect();
    format!(
        "<fieldset><legend>Adresse du titulaire de la carte</legend>\n\
         <p class=\"quiet\">Elle est transmise à la plateforme de paiement pour faciliter l’authentification 3-D Secure. \
         Elle est facultative, mais sans elle votre banque peut imposer une authentification forte.</p>\n\
         <label class=\"choice\"><input type=\"radio\" name=\"mode\" value=\"prefilled\" checked>\
         Utiliser l’adresse connue, corrigée ci-dessous au besoin</label>\n\
         <label class=\"choice\"><input type=\"radio\" name=\"mode\" value=\"new\">\
         Saisir une autre adresse ci-dessous</label>\n\
         <label class=\"choice\"><input type=\"radio\" name=\"mode\" value=\"none\">\
         Ne transmettre aucune adresse</label>\n\
         <input type=\"hidden\" name=\"address_id\" value=\"{}\">\n<div class=\"grid\">\n{fields}</div></fieldset>",
        part("id"),
    )
}

/// What became of a payment, as the API tells it.
pub(super) fn result(order: &Value, checkout: Option<&Value>) -> String {
    let id = shown(order, "/id");
    let again = format!("<p><a class=\"button\" href=\"/commandes/{id}\">Revenir au récapitulatif</a></p>");
    let is_confirming = checkout.is_some_and(|checkout| checkout.said("/status") == "confirming");
    let failure =
        checkout.and_then(|checkout| checkout.pointer("/last_failure/explanation/fr").and_then(Value::as_str));
    let (class, verdict, details) = match (order.pointer("/status").and_then(Value::as_str), failure) {
        (Some("settled"), _) => (
            "good",
            "Paiement accepté",
            format!("<p>Montant réglé : {}. Votre commande est soldée.</p>", money(order, "/paid")),
        ),
        (Some("cancelled"), _) => (
            "bad",
            "Commande annulée",
            "<p>Cette commande a été annulée ou remplacée ; une somme payée malgré tout vous est rendue.</p>"
                .to_owned(),
        ),
        (_, _) if is_confirming => (
            "wait",
            "Paiement en cours de confirmation",
            "<p>La banque n’a pas encore répondu. Ne payez pas une seconde fois ; rechargez cette page dans un \
             instant.</p>"
                .to_owned(),
        ),
        (_, Some(failure)) => ("bad", "Paiement refusé", format!("<p>{}</p>{again}", escaped(failure))),
        (_, None) => ("wait", "Aucun paiement reçu", format!("<p>La commande reste à régler.</p>{again}")),
    };
    let content =
        format!("<p class=\"{class}\" role=\"status\"><strong id=\"resultat\">{verdict}</strong></p>\n{details}");
    page("Résultat du paiement", &content)
}

/// A page that says one thing.
pub(super) fn notice(title: &str, text: &str) -> String {
    let text = escaped(text);
    let content =
        format!("<p class=\"bad\" role=\"alert\">{text}</p><p><a class=\"button\" href=\"/\">Accueil</a></p>");
    page(&escaped(title), &content)
}
