//! Result codes: five letters or digits, `000xx` PAYBOX's own, `001xx` the bank's. Never numbers: `001A1` is one.
//!
//! A code that is not in the table is kept, and proves nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{bank::Ruling, retry::RefusalClass},
    paybox::codes_table::{ROWS, Refusal, Row},
    planted::{self, Bug},
};

/// A result code as received, known or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code([u8; 5]);

/// Not five letters or digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a result code is five ASCII letters or digits")]
pub struct NotACode;

/// What a code means for what may be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerClass {
    Success,
    /// This card will be refused again; a repeat may be penalised.
    HardDecline,
    /// The card's data are out of date.
    CardUpdate,
    /// May pass in some days.
    SoftDecline,
    /// The payer has to authenticate, on the page.
    ScaRequired,
    /// No decision was obtained, so PAYBOX says; of a debit that is still in doubt.
    TechnicalRetry,
    /// The debit may exist.
    OutcomeUnknown,
    /// PAYBOX or the network saw this request before.
    Duplicate,
    /// The kept card's record is the problem.
    TokenState,
    /// The question itself is wrong.
    RequestError,
    /// The merchant's contract or credentials are: whatever runs, stops.
    ConfigError,
    /// An enquiry found nothing.
    NotFound,
    /// The final answer comes later.
    Pending,
    /// Documented, but not for what we do.
    NotApplicable,
    /// In no table.
    Unlisted,
}

/// A language for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    Fr,
    En,
}

impl Code {
    pub const SUCCESS: Self = Self(*b"00000");

    /// # Errors
    /// [`NotACode`].
    pub fn parse(text: &str) -> Result<Self, NotACode> {
        let bytes: [u8; 5] = text.as_bytes().try_into().map_err(|_| NotACode)?;
        if bytes.iter().all(u8::is_ascii_alphanumeric) { Ok(Self(bytes)) } else { Err(NotACode) }
    }

    /// The five characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.code == self.as_str())
    }

    pub fn class(self) -> AnswerClass {
        self.row().map_or(AnswerClass::Unlisted, |row| row.class)
    }

    /// Whether the code by itself proves that nothing was debited. Of any other code but success, a debit is in doubt.
    pub fn is_definite_refusal(self) -> bool {
        let is_planted = planted::is(Bug::SeenBeforeIsARefusal) && self.as_str() == "00005";
        self.row().is_some_and(|row| row.refusal == Refusal::Definite) || is_planted
    }

    /// What it settles of a call that moves money, unless that succeeded. Of 00017 the answer's comment has to be read
    /// before.
    pub fn ruling_of_failure(self) -> Ruling {
        let code = self.as_str().to_owned();
        if matches!(self.class(), AnswerClass::ConfigError | AnswerClass::RequestError) {
            Ruling::Misconfigured { code }
        } else if self.is_definite_refusal() {
            Ruling::Refused { code, class: self.refusal_class() }
        } else {
            Ruling::Doubt { why: code }
        }
    }

    /// What a refused debit may be followed by; `None` unless the code by itself proves that nothing was debited.
    ///
    /// Of 00017 ("no such subscriber") the answer's comment has to be read before: it also stands for a failed
    /// authentication.
    pub fn refusal_class(self) -> Option<RefusalClass> {
        if !self.is_definite_refusal() {
            return None;
        }
        match self.class() {
            AnswerClass::HardDecline => Some(RefusalClass::Hard),
            // A kept card that is of no use is entered again, as a renewed one is.
            AnswerClass::CardUpdate | AnswerClass::TokenState => Some(RefusalClass::CardUpdate),
            AnswerClass::SoftDecline => Some(RefusalClass::Soft),
            AnswerClass::ScaRequired => Some(RefusalClass::Authentication),
            AnswerClass::Success
            | AnswerClass::TechnicalRetry
            | AnswerClass::OutcomeUnknown
            | AnswerClass::Duplicate
            | AnswerClass::RequestError
            | AnswerClass::ConfigError
            | AnswerClass::NotFound
            | AnswerClass::Pending
            | AnswerClass::NotApplicable
            | AnswerClass::Unlisted => None,
        }
    }

    /// PAYBOX's own words, in French, where it has some. For operators, not for payers.
    pub fn label_fr(self) -> Option<&'static str> {
        self.row().map(|row| row.label_fr).filter(|label| !label.is_empty())
    }

    /// One plain sentence for a payer or an accountant.
    pub fn explain(self, lang: Lang) -> &'static str {
        let (fr, en) = self.special_sentence().unwrap_or_else(|| self.class().sentence());
        match lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    /// Codes of which there is more to say than of their class.
    fn special_sentence(self) -> Option<(&'static str, &'static str)> {
        match self.as_str() {
            // Of a page it is mostly the payer's cancelling or a failed authentication, of a debit it is in doubt: the
            // sentence fits them all.
            "00001" => Some((
                "L'opération a été interrompue ou n'a pas été confirmée. Nous vérifions si un paiement a eu lieu.",
                "The operation was interrupted or not confirmed. We are checking whether a payment took place.",
            )),
            "00004" | "00114" => Some(("Le numéro de carte n'est pas valide.", "The card number is not valid.")),
            "00021" | "00024" => Some((
                "Cette carte n'est pas acceptée ici. Utilisez une autre carte.",
                "This card is not accepted here. Use another card.",
            )),
            "00022" | "00161" => Some((
                "Le plafond de la carte est atteint. Réessayez plus tard ou utilisez une autre carte.",
                "The card's limit is reached. Try again later or use another card.",
            )),
            "00030" => Some((
                "Le temps prévu pour payer est écoulé. Vous pouvez recommencer.",
                "The time allowed to pay has run out. You can start again.",
            )),
            "00033" => {
                Some(("Le paiement n'est pas accepté depuis ce pays.", "Payment is not accepted from this country."))
            }
            "00117" => Some(("Le paiement a été annulé.", "The payment was cancelled.")),
            "00141" | "00143" | "00176" => Some((
                "Cette carte est bloquée. Utilisez une autre carte ou contactez votre banque.",
                "This card is blocked. Use another card or contact your bank.",
            )),
            "00151" => Some((
                "Le compte n'est pas assez approvisionné, ou le plafond de la carte est atteint.",
                "There is not enough money on the account, or the card's limit is reached.",
            )),
            "001R0" | "001R1" | "001R3" => Some((
                "Le titulaire a demandé à sa banque de refuser ces prélèvements.",
                "The cardholder has asked the bank to refuse these debits.",
            )),
            _ => None,
        }
    }
}

impl AnswerClass {
    /// In French, in English.
    fn sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::Success => ("L'opération a réussi.", "The operation succeeded."),
            Self::HardDecline => (
                "La banque refuse cette carte. Utilisez une autre carte.",
                "The bank refuses this card. Use another card.",
            ),
            Self::CardUpdate => (
                "La carte est expirée, ou sa date n'est pas la bonne.",
                "The card has expired, or its date is not the right one.",
            ),
            Self::SoftDecline => (
                "La banque refuse ce paiement pour le moment. Réessayez plus tard ou contactez votre banque.",
                "The bank refuses this payment for now. Try again later or contact your bank.",
            ),
            Self::ScaRequired => {
                ("La banque demande que vous confirmiez votre identité.", "The bank asks you to confirm who you are.")
            }
            Self::TechnicalRetry => (
                "La banque n'a pas pu répondre. Nous vérifions si l'opération a eu lieu.",
                "The bank could not answer. We are checking whether the operation took place.",
            ),
            Self::OutcomeUnknown | Self::Unlisted | Self::NotApplicable => (
                "Le résultat n'est pas encore connu. Nous le vérifions.",
                "The result is not known yet. We are checking it.",
            ),
            Self::Duplicate => (
                "Cette demande a déjà été reçue. Nous vérifions son résultat.",
                "This request was already received. We are checking its result.",
            ),
            Self::TokenState => (
                "La carte enregistrée ne peut pas être utilisée. Enregistrez-la de nouveau.",
                "The saved card cannot be used. Save it again.",
            ),
            Self::RequestError | Self::ConfigError => (
                "Un réglage nous empêche de traiter ce paiement. La carte n'est pas en cause.",
                "A setting keeps us from handling this payment. The card is not the cause.",
            ),
            Self::NotFound => ("Aucune opération n'a été trouvée.", "No operation was found."),
            Self::Pending => {
                ("Le paiement est en attente de confirmation.", "The payment is waiting for confirmation.")
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.as_str().to_owned()
    }
}

impl TryFrom<String> for Code {
    type Error = NotACode;

    fn try_from(text: String) -> Result<Self, NotACode> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Contract {
        codes: Vec<Documented>,
    }

    #[derive(Deserialize)]
    struct Documented {
        code: String,
        class: String,
        definite_refusal: bool,
        label_fr: Option<String>,
    }

    fn contract() -> Vec<Documented> {
        let contract: Contract = serde_json::from_str(include_str!("../../contracts/response-codes.json")).unwrap();
        contract.codes
    }

    #[test]
    fn the_table_is_the_contract_code_by_code() {
        let contract = contract();
        assert_eq!(contract.len(), ROWS.len());
        assert!(ROWS.windows(2).all(|pair| pair[0].code < pair[1].code));
        for documented in contract {
            let code = Code::parse(&documented.code).unwrap();
            let class = serde_json::to_value(code.class()).unwrap();
            assert_eq!(class, documented.class, "{code}");
            assert_eq!(code.is_definite_refusal(), documented.definite_refusal, "{code}");
            assert_eq!(code.label_fr(), documented.label_fr.as_deref().filter(|label| !label.is_empty()), "{code}");
        }
    }

    #[test]
    fn only_refusals_are_followed_by_something() {
        for documented in contract() {
            let code = Code::parse(&documented.code).unwrap();
            let expected = match (documented.definite_refusal, documented.class.as_str()) {
                (false, _) => None,
                (true, "hard_decline") => Some(RefusalClass::Hard),
                (true, "card_update" | "token_state") => Some(RefusalClass::CardUpdate),
                (true, "soft_decline") => Some(RefusalClass::Soft),
                (true, "sca_required") => Some(RefusalClass::Authentication),
                (true, other) => panic!("{code}: {other} is no refusal"),
            };
            assert_eq!(code.refusal_class(), expected, "{code}");
        }
        for (code, expected) in [
            ("00151", Some(RefusalClass::Soft)),
            ("00154", Some(RefusalClass::CardUpdate)),
            ("00143", Some(RefusalClass::Hard)),
            ("001R1", Some(RefusalClass::Hard)),
            ("001A1", Some(RefusalClass::Authentication)),
            ("00001", None),
            ("ZZZZZ", None),
        ] {
            assert_eq!(Code::parse(code).unwrap().refusal_class(), expected, "{code}");
        }
    }

    #[test]
    fn codes_that_leave_a_debit_in_doubt_are_no_refusals() {
        let doubtful = "00000 00001 00003 00005 00006 00013 00015 00039 00097 00098 00099 00100 00119 00120 00168 00190 \
                        00191 00194 00196 00197 00198 00199 99999 00777 ZZZZZ";
        for code in doubtful.split_ascii_whitespace() {
            assert!(!Code::parse(code).unwrap().is_definite_refusal(), "{code}");
        }
    }

    #[test]
    fn unknown_codes_are_kept() {
        let code = Code::parse("001Z9").unwrap();
        assert_eq!((code.as_str(), code.class(), code.label_fr()), ("001Z9", AnswerClass::Unlisted, None));
        assert_eq!(Code::parse("001a1").unwrap().class(), AnswerClass::Unlisted);
        assert_eq!(Code::parse("00100").unwrap().class(), AnswerClass::Success);
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"001Z9\"");
        for bad in ["", "0000", "000000", "0000 ", "-0000", "0000é", "٠٠٠"] {
            assert_eq!(Code::parse(bad), Err(NotACode), "{bad}");
        }
    }

    #[test]
    fn every_code_is_explained_in_plain_words() {
        for code in ROWS.iter().map(|row| row.code).chain(["ZZZZZ"]) {
            for lang in [Lang::Fr, Lang::En] {
                let sentence = Code::parse(code).unwrap().explain(lang);
                assert!(sentence.ends_with('.') && sentence.len() < 120, "{code}: {sentence}");
            }
        }
        assert_eq!(
            Code::parse("00154").unwrap().explain(Lang::En),
            "The card has expired, or its date is not the right one."
        );
    }
}
