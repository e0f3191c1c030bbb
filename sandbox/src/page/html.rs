//! The pages themselves: French, plain forms, no script. All text that came from outside is escaped.

use crate::cards::CardUse;
use crate::page::session::{Challenge, PageSession};
use jiff::Zoned;

/// What PAYBOX shows for any fault of the merchant's request.
pub const DENIED: &str = "Problème d'identification du commerce. Accès refusé !";

const STYLE: &str = "
body{margin:0;background:#eef1f5;color:#1d2733;font:16px/1.5 system-ui,'Segoe UI',Roboto,sans-serif}
header{background:#123a63;color:#fff;padding:14px 20px;display:flex;flex-wrap:wrap;gap:6px;justify-content:space-between;align-items:center}
header b{letter-spacing:.04em}header span{background:#f2b705;color:#33270a;border-radius:3px;padding:1px 8px;font-size:13px}
main{max-width:480px;margin:28px auto;background:#fff;border-radius:8px;box-shadow:0 1px 6px #0002;padding:24px 28px}
h1{font-size:21px;margin:0 0 4px}.shop{color:#5a6878;margin:0 0 18px}.amount{font-size:26px;font-weight:600;margin:0 0 18px}
label{display:block;margin:14px 0 4px;font-weight:600}input,select{font:inherit;padding:9px 10px;border:1px solid #a9b4c0;border-radius:5px}
input.wide{width:100%;box-sizing:border-box;letter-spacing:.06em}.row{display:flex;gap:12px}
.buttons{display:flex;gap:12px;margin-top:26px;flex-wrap:wrap}button,a.button{font:inherit;font-weight:600;padding:10px 18px;
border-radius:5px;border:1px solid #123a63;background:#fff;color:#123a63;text-decoration:none;cursor:pointer}
button.main,a.main{background:#123a63;color:#fff}button.main{order:9;margin-left:auto}
.good{background:#e4f5e8;border-left:4px solid #2c8a45;padding:10px 14px}.bad{background:#fdeaea;border-left:4px solid #c0392b;padding:10px 14px}
dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:18px 0}dt{color:#5a6878}dd{margin:0;text-align:right}
.hint{font-size:14px;color:#5a6878;overflow-wrap:anywhere}footer{text-align:center;color:#7a8794;font-size:13px;margin-bottom:30px}
:focus-visible{outline:3px solid #f2b705;outline-offset:2px}";

/// `text` as the content of an element or of a quoted attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// Minor units as people read them. The exponent is 2 but for the currencies without minor unit.
#[must_use]
pub fn amount(total: u64, currency: &str) -> String {
    let name = match currency {
        "978" => "EUR",
        "840" => "USD",
        "826" => "GBP",
        "756" => "CHF",
        "952" => "XOF",
        "392" => "JPY",
        other => other,
    };
    if matches!(currency, "952" | "392") {
        format!("{total} {name}")
    } else {
        format!("{}.{:02} {name}", total / 100, total % 100)
    }
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\n\
         <body><header><b>PAGE DE PAIEMENT</b><span>***TEST*** bac à sable</span></header>\n<main>\n{content}\n</main>\n\
         <footer>Simulateur local : aucune banque n'est appelée, aucun numéro de carte n'est conservé.</footer></body></html>\n",
    )
}

fn heading(session: &PageSession, title: &str) -> String {
    format!(
        "<h1>{title}</h1><p class=\"shop\">{} — référence {}</p>",
        escaped(&session.shop_name),
        escaped(&session.request.cmd)
    )
}

/// The refusal of a merchant's request, with the sandbox's hint.
#[must_use]
pub fn denied(hint: &str) -> String {
    page(
        "Accès refusé",
        &format!(
            "<p class=\"bad\">{DENIED}</p><p class=\"hint\" id=\"hint\">Indice du bac à sable : {}</p>",
            escaped(hint)
        ),
    )
}

/// A page that is not, or no longer, known.
#[must_use]
pub fn unknown() -> String {
    page("Page inconnue", "<p class=\"bad\">Cette page de paiement n'existe pas ou n'existe plus.</p>")
}

/// The card form. *Valider* stands first because the Enter key presses the first button.
#[must_use]
pub fn card(id: &str, session: &PageSession, now: &Zoned) -> String {
    let months: String = (1..=12).map(|month| format!("<option value=\"{month:02}\">{month:02}</option>")).collect();
    let this_year = now.year() % 100;
    let years: String = (this_year..this_year + 20)
        .map(|year| format!("<option value=\"{:02}\">{:02}</option>", year % 100, year % 100))
        .collect();
    let paid = format!("Paiement de {}", amount(session.request.total, &session.request.currency));
    let content = format!(
        "{}<p class=\"amount\">{paid}</p>\n\
         <form method=\"post\" action=\"/page/{id}/card\" autocomplete=\"off\">\n\
         <label for=\"numero\">Numéro de carte</label>\n\
         <input class=\"wide\" id=\"numero\" name=\"NUMERO_CARTE\" inputmode=\"numeric\" maxlength=\"23\" required>\n\
         <div class=\"row\"><div><label for=\"mois\">Expire en (MM/AA)</label>\n\
         <select id=\"mois\" name=\"MOIS_VALIDITE\">{months}</select> / <select name=\"AN_VALIDITE\" aria-label=\"Année\">{years}</select></div>\n\
         <div><label for=\"cvv\">Code à 3 chiffres</label>\n\
         <input id=\"cvv\" name=\"CVVX\" inputmode=\"numeric\" size=\"4\" maxlength=\"4\" required></div></div>\n\
         <div class=\"buttons\"><button class=\"main\" name=\"ACTION\" value=\"VALIDER\">Valider</button>\n\
         <button name=\"ACTION\" value=\"ANNULER\" formnovalidate>Annuler</button></div></form>",
        heading(session, "Paiement par carte bancaire"),
    );
    page(&paid, &content)
}

/// The issuer's challenge.
#[must_use]
pub fn challenge(id: &str, session: &PageSession, challenge: &Challenge) -> String {
    let retry = if challenge.wrong_codes > 0 { "<p class=\"bad\">Code erroné. Essayez encore.</p>" } else { "" };
    let content = format!(
        "{}{retry}<p>Votre banque demande de confirmer le paiement de <b>{}</b> à <b>{}</b> par la carte \
         se terminant par {}.</p>\n<p class=\"hint\">Le code qui arriverait sur votre téléphone : \
         <b id=\"code_attendu\">{}</b></p>\n\
         <form method=\"post\" action=\"/page/{id}/authentification\">\n\
         <label for=\"code\">Code reçu</label><input id=\"code\" name=\"CODE\" inputmode=\"numeric\" autocomplete=\"off\" maxlength=\"6\">\n\
         <div class=\"buttons\"><button class=\"main\" name=\"ACTION\" value=\"VALIDER\">Valider</button>\n\
         <button name=\"ACTION\" value=\"ABANDONNER\">Abandonner</button>\n\
         <button name=\"ACTION\" value=\"ECHOUER\">Échouer</button></div></form>",
        heading(session, "Authentification de votre banque"),
        amount(session.request.total, &session.request.currency),
        escaped(&session.shop_name),
        escaped(&challenge.card.last2),
        challenge.expected,
    );
    page("Authentification de votre banque", &content)
}

/// The receipt of an accepted payment.
#[must_use]
pub fn receipt(session: &PageSession, numtrans: u64, card: Option<&CardUse>, back: Option<&str>) -> String {
    let request = &session.request;
    let what = if request.authorisation_only { "Autorisation acceptée" } else { "Paiement accepté" };
    let card = card.map(|card| format!("{} •••• {}", card.issuer.card_type, card.last2)).unwrap_or_default();
    let content = format!(
        "{}<p class=\"good\" id=\"resultat\">{what}</p><dl><dt>Montant</dt><dd>{}</dd><dt>Carte</dt><dd>{}</dd>\
         <dt>Transaction</dt><dd>{numtrans}</dd></dl>{}",
        heading(session, "Votre ticket"),
        amount(request.total, &request.currency),
        escaped(&card),
        return_link(back),
    );
    page(what, &content)
}

/// A refused try, with the way to another card when one is left.
#[must_use]
pub fn refused(id: &str, session: &PageSession, code: &str, final_one: bool, back: Option<&str>) -> String {
    let again = if final_one {
        String::new()
    } else {
        format!(
            "<form method=\"post\" action=\"/page/{id}/autre-carte\"><div class=\"buttons\">\
             <button class=\"main\">Essayer une autre carte</button></div></form>"
        )
    };
    let why =
        if code == "00015" { "Cette commande est déjà payée." } else { "Votre paiement n'a pas été accepté." };
    let content = format!(
        "{}<p class=\"bad\" id=\"resultat\">Paiement refusé</p><p>{why}</p>\
         <p class=\"hint\">Code réponse : <b id=\"code_reponse\">{}</b></p>{again}{}",
        heading(session, "Paiement refusé"),
        escaped(code),
        return_link(back),
    );
    page("Paiement refusé", &content)
}

/// A page that ended without a try: cancelled, or left open too long.
#[must_use]
pub fn ended(session: &PageSession, what: &str, back: Option<&str>) -> String {
    let content = format!(
        "{}<p class=\"bad\" id=\"resultat\">{what}</p>{}",
        heading(session, "Paiement interrompu"),
        return_link(back)
    );
    page(what, &content)
}

fn return_link(back: Option<&str>) -> String {
    match back {
        Some(url) => format!(
            "<div class=\"buttons\"><a class=\"button\" id=\"retour_boutique\" href=\"{}\">Retour boutique</a></div>",
            escaped(url)
        ),
        None => "<p class=\"hint\">Vous pouvez fermer cette fenêtre.</p>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_from_minor_units() {
        for (total, currency, text) in [
            (377_000, "978", "3770.00 EUR"),
            (25, "978", "0.25 EUR"),
            (500, "952", "500 XOF"),
            (1005, "999", "10.05 999"),
        ] {
            assert_eq!(amount(total, currency), text);
        }
    }

    #[test]
    fn outside_text_cannot_become_markup() {
        assert!(denied("<script>").contains("&lt;script&gt;"));
        assert_eq!(escaped("\"'&"), "&quot;&#39;&amp;");
    }
}
