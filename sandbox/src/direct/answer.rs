//! The answer of PPPS: `KEY=value&…` in Latin-1, values not encoded, keys in the order of real answers.

use crate::cards::CardUse;
use crate::switches::Switches;
use crate::wire::form::Fields;

/// The texts of COMMENTAIRE: observed ones where there are, else the label of the code. For people only.
const COMMENTS: &[(&str, &str)] = &[
    ("00000", "Demande traitée avec succès"),
    ("00001", "PAYBOX : Connexion au centre d'autorisation échouée ou erreur interne"),
    ("00002", "PAYBOX : Erreur de cohérence"),
    ("00003", "PAYBOX : Erreur Paybox"),
    ("00004", "PAYBOX : Numéro de porteur invalide"),
    ("00005", "PAYBOX : Numéro de question invalide"),
    ("00006", "PAYBOX : Accès refusé ou site/rang/identifiant incorrect"),
    ("00007", "PAYBOX : Date invalide"),
    ("00008", "PAYBOX : Date de fin de validité incorrecte"),
    ("00009", "PAYBOX : Type d'opération invalide"),
    ("00010", "PAYBOX : Devise inconnue"),
    ("00011", "PAYBOX : Montant incorrect"),
    ("00012", "PAYBOX : Référence commande invalide"),
    ("00013", "PAYBOX : Cette version n'est plus soutenue"),
    ("00014", "PAYBOX : Trame reçue invalide"),
    ("00015", "PAYBOX : Erreur d'accès aux données précédemment référencées"),
    ("00016", "PAYBOX : Abonné déjà existant"),
    ("00017", "PAYBOX : Abonné inexistant"),
    ("00018", "PAYBOX : Transaction non trouvée"),
    ("00020", "PAYBOX : Cryptogramme visuel non présent"),
    ("00021", "PAYBOX : Carte non autorisée"),
    ("00097", "PAYBOX : Timeout de connexion atteint"),
    ("00098", "PAYBOX : Erreur de connexion interne"),
    ("00105", "Ne pas honorer"),
    ("00114", "Numéro de porteur invalide"),
    ("00115", "Emetteur de carte inconnu"),
    ("00133", "Carte expirée"),
    ("00141", "Carte perdue"),
    ("00143", "Carte volée"),
    ("00151", "Provision insuffisante ou crédit dépassé"),
    ("00154", "Date de validité dépassée"),
    ("00157", "Transaction non permise à ce porteur"),
    ("00159", "Suspicion de fraude"),
    ("00189", "*** Code erreur en retour de la banque inconnu ***"),
    ("00191", "Emetteur inaccessible"),
];

/// What the rules decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Zero when nothing was made or found.
    pub numtrans: u64,
    pub numappel: u64,
    pub authorisation: String,
    pub code: String,
    /// Overrides the usual text of the code.
    pub comment: Option<&'static str>,
    /// PORTEUR, when it is not the echo.
    pub porteur: Option<String>,
    /// What PAYS, SHA-1 and TYPECARTE tell of, when the card is known.
    pub card: Option<CardUse>,
    /// STATUS and REMISE, for TYPE 00017.
    pub consulted: Option<Consulted>,
}

/// Why a question came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: String,
    /// Overrides the usual text of the code.
    pub comment: Option<&'static str>,
}

impl Refusal {
    #[must_use]
    pub fn of(code: &str) -> Self {
        Self { code: code.to_owned(), comment: None }
    }

    /// A frame that PAYBOX cannot read, with the text that says why.
    #[must_use]
    pub fn malformed(comment: &'static str) -> Self {
        Self { code: "00014".to_owned(), comment: Some(comment) }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code, comment: refusal.comment, ..Self::default() }
    }
}

/// What only a consultation tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consulted {
    pub status: &'static str,
    pub remise: Option<u64>,
}

/// What is echoed, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Echo {
    pub numquestion: String,
    pub site: String,
    pub rang: String,
    /// REFABONNE and PORTEUR as sent. VERSION 00104 adds the two keys, empty for operations without subscriber.
    pub subscriber: Option<(String, String)>,
    /// Which facts of the card are asked for.
    pub wants: Wants,
}

/// The keys whose presence in the question asks for them in the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    pub country: bool,
    pub fingerprint: bool,
    pub card_type: bool,
}

impl Echo {
    /// What the answer to these fields repeats, whether or not the question is understood.
    #[must_use]
    pub fn of(fields: &Fields) -> Self {
        let digits = |name: &str| fields.text(name).chars().filter(char::is_ascii_digit).take(10).collect::<String>();
        let text = |name: &str, most: usize| fields.text(name).chars().take(most).collect::<String>();
        let plus = fields.get("VERSION") == Some("00104");
        Self {
            numquestion: digits("NUMQUESTION"),
            site: digits("SITE"),
            rang: digits("RANG"),
            subscriber: plus.then(|| (text("REFABONNE", 250), text("PORTEUR", 19))),
            wants: Wants {
                country: fields.get("PAYS").is_some(),
                fingerprint: fields.get("SHA-1").is_some(),
                card_type: fields.get("TYPECARTE").is_some(),
            },
        }
    }
}

impl Answer {
    /// An answer that carries nothing but its code.
    #[must_use]
    pub fn bare(code: &str) -> Self {
        Self { code: code.to_owned(), ..Self::default() }
    }

    fn comment(&self) -> &'static str {
        let known = || COMMENTS.iter().find(|(code, _)| *code == self.code).map(|(_, text)| *text);
        self.comment.or_else(known).unwrap_or(if self.code.starts_with("001") {
            "*** Code erreur en retour de la banque inconnu ***"
        } else {
            "PAYBOX : Trame reçue invalide"
        })
    }

    /// The answer on the wire.
    #[must_use]
    pub fn on_the_wire(&self, echo: &Echo, switches: &Switches) -> Vec<u8> {
        let rang = if switches.echo_rang_as_sent {
            echo.rang.clone()
        } else {
            echo.rang.parse::<u32>().map_or_else(|_| echo.rang.clone(), |rang| format!("{rang:02}"))
        };
        let mut text = format!(
            "NUMTRANS={:010}&NUMAPPEL={:010}&NUMQUESTION={:0>10}&SITE={}&RANG={rang}&AUTORISATION={}&CODEREPONSE={}&COMMENTAIRE={}",
            self.numtrans,
            self.numappel,
            echo.numquestion,
            echo.site,
            self.authorisation,
            self.code,
            self.comment(),
        );
        if let Some((refabonne, sent)) = &echo.subscriber {
            let porteur = self.porteur.as_ref().unwrap_or(sent);
            text.push_str(&format!("&REFABONNE={refabonne}&PORTEUR={porteur}"));
        }
        if let Some(card) = &self.card {
            text.push_str(&facts_of(card, echo.wants, switches));
        }
        if let Some(consulted) = &self.consulted {
            let remise = match consulted.remise {
                Some(remise) => format!("{remise:09}"),
                None if switches.remise_zero_before_settlement => "000000000".to_owned(),
                None => String::new(),
            };
            text.push_str(&format!("&STATUS={}&REMISE={remise}", consulted.status));
        }
        if switches.answer_ends_with_newline {
            text.push_str("\r\n");
        }
        latin1(&text)
    }
}

/// PAYS, SHA-1 and TYPECARTE, as far as they are asked for.
fn facts_of(card: &CardUse, wants: Wants, switches: &Switches) -> String {
    let mut text = String::new();
    if wants.country {
        text.push_str(&format!("&PAYS={}", card.issuer.country));
    }
    if wants.fingerprint {
        text.push_str(&format!("&SHA-1={}", card.sha1));
    }
    if wants.card_type {
        let constant = switches.card_type_constant.as_str();
        // The answer's field has ten places.
        let card_type =
            if card.issuer.card_type == "EUROCARD_MASTERCARD" { "MASTERCARD" } else { card.issuer.card_type };
        text.push_str(&format!("&TYPECARTE={}", if constant.is_empty() { card_type } else { constant }));
    }
    text
}

/// Latin-1 bytes; what it cannot write becomes `?`.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_the_shape_of_the_recorded_one() {
        let answer = Answer {
            numtrans: 34_813_563,
            numappel: 61_548_226,
            authorisation: "XXXXXX".into(),
            code: "00000".into(),
            card: Some(CardUse::new("5200000000000007", "3012".into())),
            ..Answer::default()
        };
        let echo = Echo {
            numquestion: "2322510".into(),
            site: "1999888".into(),
            rang: "032".into(),
            subscriber: Some(("95720".into(), "SLDLrcsLMPC        ".into())),
            wants: Wants { country: true, fingerprint: false, card_type: true },
        };
        let expected = "NUMTRANS=0034813563&NUMAPPEL=0061548226&NUMQUESTION=0002322510&SITE=1999888&RANG=32\
            &AUTORISATION=XXXXXX&CODEREPONSE=00000&COMMENTAIRE=Demande trait\u{e9}e avec succ\u{e8}s&REFABONNE=95720\
            &PORTEUR=SLDLrcsLMPC        &PAYS=FRA&TYPECARTE=MASTERCARD";
        let wire: String =
            answer.on_the_wire(&echo, &Switches::default()).iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(wire, expected);
    }
}
