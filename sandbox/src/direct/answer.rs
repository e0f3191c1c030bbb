//! The answer of PPPS: `KEY=value&…` in Latin-1, values not encoded, keys in the order of real answers.

use crate::switches::Switches;

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
    ("00097", "PAYBOX : Timeout de connexion atteint"),
    ("00098", "PAYBOX : Erreur de connexion interne"),
    ("00105", "Ne pas honorer"),
    ("00114", "Numéro de porteur invalide"),
    ("00115", "Emetteur de carte inconnu"),
    ("00151", "Provision insuffisante ou crédit dépassé"),
    ("00154", "Date de validité dépassée"),
    ("00159", "Suspicion de fraude"),
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
    /// STATUS and REMISE, for TYPE 00017.
    pub consulted: Option<Consulted>,
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
    /// VERSION 00104 adds the subscriber's two keys, empty for operations without subscriber.
    pub subscriber_keys: bool,
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
        if echo.subscriber_keys {
            text.push_str("&REFABONNE=&PORTEUR=");
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
            ..Answer::default()
        };
        let echo =
            Echo { numquestion: "2322510".into(), site: "1999888".into(), rang: "032".into(), subscriber_keys: true };
        let expected = "NUMTRANS=0034813563&NUMAPPEL=0061548226&NUMQUESTION=0002322510&SITE=1999888&RANG=32\
            &AUTORISATION=XXXXXX&CODEREPONSE=00000&COMMENTAIRE=Demande trait\u{e9}e avec succ\u{e8}s&REFABONNE=&PORTEUR=";
        let wire: String =
            answer.on_the_wire(&echo, &Switches::default()).iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(wire, expected);
    }
}
