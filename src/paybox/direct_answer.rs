//! Answers to questions. They are not signed: what vouches for them is the TLS connection and the echo of our own numbers,
//! so an answer that does not echo them is no answer. Every error here leaves what was asked in doubt.

use std::fmt;

use crate::{
    domain::numbers::{self, CallNumber, OperationNumber, QuestionNumber},
    paybox::{account::Account, codes::Code},
};

/// The longest answer read.
pub const MAX_ANSWER_BYTES: usize = 16 * 1_024;
/// The most fields in one answer.
pub const MAX_ANSWER_FIELDS: usize = 64;

/// Whose answer is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub account: Account,
    pub number: QuestionNumber,
}

/// Why bytes are not the answer awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectError {
    #[error("the answer is empty")]
    Empty,
    #[error("the answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
    #[error("the answer has more than {MAX_ANSWER_FIELDS} fields")]
    TooManyFields,
    #[error("the answer is not `KEY=value` pairs joined by `&`")]
    Malformed,
    #[error("the answer has a field twice")]
    Duplicate,
    #[error("the answer does not echo {0}")]
    MissingEcho(&'static str),
    #[error("the answer is of another question: {0} differs")]
    WrongEcho(&'static str),
    #[error("the answer has no result code of five letters or digits")]
    BadCode,
    #[error("{0} is not a number of at most ten digits")]
    BadNumber(&'static str),
}

/// An answer to the question asked. Codes and statuses that this program does not know are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectAnswer {
    code: Code,
    call: Option<CallNumber>,
    operation: Option<OperationNumber>,
    status: Option<Status>,
    remittance: Option<u64>,
    authorisation: Option<String>,
    comment: String,
    card_country: Option<String>,
    card_type: Option<String>,
}

/// How an operation stands, as a consultation tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Refunded,
    Cancelled,
    Authorised,
    Captured,
    Credit,
    Refused,
    BalanceInquiry,
    /// Rejected by the bank's settlement.
    Rejected,
    Unknown(String),
}

impl Status {
    fn parse(text: &str) -> Self {
        match text {
            "Remboursé" => Self::Refunded,
            "Annulé" => Self::Cancelled,
            "Autorisé" => Self::Authorised,
            "Capturé" => Self::Captured,
            "Crédit" => Self::Credit,
            "Refusé" => Self::Refused,
            "Demande de solde (Carte cadeaux)" => Self::BalanceInquiry,
            "Rejet support" => Self::Rejected,
            other => Self::Unknown(without_controls(other)),
        }
    }
}

/// The pairs of an answer, each name once.
struct Pairs<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Pairs<'a> {
    fn parse(text: &'a str) -> Result<Self, DirectError> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for pair in text.split('&') {
            if pairs.len() == MAX_ANSWER_FIELDS {
                return Err(DirectError::TooManyFields);
            }
            let (name, value) = pair.split_once('=').ok_or(DirectError::Malformed)?;
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            if name.is_empty() || !plain {
                return Err(DirectError::Malformed);
            }
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(DirectError::Duplicate);
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(seen, _)| *seen == name).map(|(_, value)| *value)
    }

    /// The value, without blanks around, when there is something left.
    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty()).map(without_controls)
    }

    /// A number, `None` for missing, empty or zeros.
    fn number<T: TryFrom<u64>>(&self, name: &'static str) -> Result<Option<T>, DirectError> {
        match self.get(name) {
            None | Some("") => Ok(None),
            Some(text) => match numbers::digits(text) {
                None => Err(DirectError::BadNumber(name)),
                Some(0) => Ok(None),
                Some(number) => T::try_from(number).map(Some).map_err(|_| DirectError::BadNumber(name)),
            },
        }
    }

    /// Refuses an answer whose `name` is not `expected`, compared as numbers: paddings differ.
    fn check_echo(&self, name: &'static str, expected: Option<u64>) -> Result<(), DirectError> {
        let echoed = self.get(name).filter(|text| !text.is_empty()).ok_or(DirectError::MissingEcho(name))?;
        match (numbers::digits(echoed), expected) {
            (Some(echoed), Some(expected)) if echoed == expected => Ok(()),
            (Some(_) | None, Some(_) | None) => Err(DirectError::WrongEcho(name)),
        }
    }
}

impl DirectAnswer {
    /// Reads an answer, and checks that it is of the question asked.
    ///
    /// Values are not escaped on this side, so a `+` is a plus sign. The text is ISO 8859-1.
    ///
    /// # Errors
    /// [`DirectError`].
    pub fn parse(bytes: &[u8], expected: &Expected) -> Result<Self, DirectError> {
        if bytes.len() > MAX_ANSWER_BYTES {
            return Err(DirectError::TooLarge);
        }
        let text: String = bytes.iter().copied().map(char::from).collect();
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(DirectError::Empty);
        }
        let pairs = Pairs::parse(text)?;
        pairs.check_echo("SITE", numbers::digits(expected.account.site()))?;
        pairs.check_echo("RANG", numbers::digits(expected.account.rang()))?;
        pairs.check_echo("NUMQUESTION", Some(u64::from(expected.number.get())))?;
        let code = pairs.get("CODEREPONSE").ok_or(DirectError::BadCode)?;
        Ok(Self {
            code: Code::parse(code).map_err(|_| DirectError::BadCode)?,
            call: pairs.number("NUMAPPEL")?,
            operation: pairs.number("NUMTRANS")?,
            status: pairs.text("STATUS").map(|text| Status::parse(&text)),
            remittance: pairs.number("REMISE")?,
            authorisation: pairs.text("AUTORISATION"),
            comment: pairs.text("COMMENTAIRE").unwrap_or_default(),
            card_country: pairs.text("PAYS"),
            card_type: pairs.text("TYPECARTE"),
        })
    }

    pub fn code(&self) -> Code {
        self.code
    }

    /// `NUMAPPEL`; `None` when missing or zeros.
    pub fn call_number(&self) -> Option<CallNumber> {
        self.call
    }

    /// `NUMTRANS`; `None` when missing or zeros.
    pub fn operation_number(&self) -> Option<OperationNumber> {
        self.operation
    }

    /// `STATUS`, of a consultation.
    pub fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// `REMISE`, of a consultation: the settlement batch; `None` until there is one.
    pub fn remittance(&self) -> Option<u64> {
        self.remittance
    }

    /// `AUTORISATION`; `XXXXXX` on the test platform.
    pub fn authorisation(&self) -> Option<&str> {
        self.authorisation.as_deref()
    }

    /// `COMMENTAIRE`, without control characters: for logs, never to decide on.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The one thing a comment is read for: `00017` says "no such subscriber", but has also come with a comment on a
    /// failed authentication (PARes), and then the kept card is not dead.
    pub fn comment_speaks_of_pares(&self) -> bool {
        self.comment.to_ascii_lowercase().contains("pares")
    }

    /// `PAYS`, three letters, when asked and answered.
    pub fn card_country(&self) -> Option<&str> {
        self.card_country.as_deref()
    }

    /// `TYPECARTE`, when asked and answered.
    pub fn card_type(&self) -> Option<&str> {
        self.card_type.as_deref()
    }
}

/// `PORTEUR` is never kept: a refused registration echoes the card's number. The comment may repeat what was sent.
impl fmt::Debug for DirectAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DirectAnswer")
            .field("code", &self.code)
            .field("call", &self.call)
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("remittance", &self.remittance)
            .finish_non_exhaustive()
    }
}

fn without_controls(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paybox::codes::AnswerClass;

    const GOOD: &str = "NUMTRANS=0034813563&NUMAPPEL=0061548226&NUMQUESTION=0002322510&SITE=1999888&RANG=32\
                        &AUTORISATION=XXXXXX&CODEREPONSE=00000&COMMENTAIRE=Demande traitée avec succès\
                        &REFABONNE=sub-1&PORTEUR=SLDLrcsLMPC        ";

    fn expected() -> Expected {
        Expected {
            account: Account::new("1999888", "032", "2").unwrap(),
            number: QuestionNumber::new(2_322_510).unwrap(),
        }
    }

    /// As the server writes: one byte per character.
    fn latin1(text: &str) -> Vec<u8> {
        text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
    }

    fn parse(text: &str) -> Result<DirectAnswer, DirectError> {
        DirectAnswer::parse(&latin1(text), &expected())
    }

    #[test]
    fn a_recorded_answer() {
        for ending in ["", "\r\n", "\n\n"] {
            let answer = parse(&format!("{GOOD}{ending}")).unwrap();
            assert_eq!(answer.code(), Code::SUCCESS);
            assert_eq!(answer.operation_number().map(|number| number.get()), Some(34_813_563));
            assert_eq!(answer.call_number().map(|number| number.get()), Some(61_548_226));
            assert_eq!(answer.authorisation(), Some("XXXXXX"));
            assert_eq!(answer.comment(), "Demande traitée avec succès");
            assert_eq!((answer.status(), answer.remittance()), (None, None));
        }
    }

    #[test]
    fn what_is_not_the_answer_awaited() {
        let row = |from: &str, to: &str, expected| {
            assert_ne!(GOOD.replace(from, to), GOOD, "{from}");
            assert_eq!(parse(&GOOD.replace(from, to)), Err(expected), "{from} -> {to}");
        };
        row("SITE=1999888&", "", DirectError::MissingEcho("SITE"));
        row("SITE=1999888", "SITE=", DirectError::MissingEcho("SITE"));
        row("SITE=1999888", "SITE=1999887", DirectError::WrongEcho("SITE"));
        row("RANG=32&AUTO", "AUTO", DirectError::MissingEcho("RANG"));
        row("RANG=32", "RANG=33", DirectError::WrongEcho("RANG"));
        row("RANG=32", "RANG=+32", DirectError::WrongEcho("RANG"));
        row("NUMQUESTION=0002322510&", "", DirectError::MissingEcho("NUMQUESTION"));
        row("NUMQUESTION=0002322510", "NUMQUESTION=0002322511", DirectError::WrongEcho("NUMQUESTION"));
        row("NUMQUESTION=0002322510", "NUMQUESTION=2322510x", DirectError::WrongEcho("NUMQUESTION"));
        row("CODEREPONSE=00000&", "", DirectError::BadCode);
        row("CODEREPONSE=00000", "CODEREPONSE=0000", DirectError::BadCode);
        row("CODEREPONSE=00000", "CODEREPONSE=00000 ", DirectError::BadCode);
        row("CODEREPONSE=00000", "CODEREPONSE=00000&CODEREPONSE=00151", DirectError::Duplicate);
        row("CODEREPONSE=00000", "CODEREPONSE=00000&CODEREPONSE=00000", DirectError::Duplicate);
        row("NUMTRANS=0034813563", "NUMTRANS=00348135630", DirectError::BadNumber("NUMTRANS"));
        row("NUMTRANS=0034813563", "NUMTRANS=abc", DirectError::BadNumber("NUMTRANS"));
        row("&RANG=32", "&&RANG=32", DirectError::Malformed);
        row("&RANG=32", "&=1&RANG=32", DirectError::Malformed);
        row("&RANG=32", "&RANG&RANG=32", DirectError::Malformed);
        row("Demande", "<a href=x&y", DirectError::Malformed);
    }

    #[test]
    fn what_is_no_answer_at_all() {
        for (text, expected) in [
            ("", DirectError::Empty),
            ("\r\n", DirectError::Empty),
            ("<html><body>503</body></html>", DirectError::Malformed),
            ("<html lang=fr>", DirectError::Malformed),
            ("CODEREPONSE=00000", DirectError::MissingEcho("SITE")),
            (&"x".repeat(MAX_ANSWER_BYTES + 1), DirectError::TooLarge),
            (&(0..65).map(|n| format!("A{n}=&")).collect::<String>(), DirectError::TooManyFields),
        ] {
            assert_eq!(parse(text), Err(expected), "{text:.40}");
        }
        // Cut anywhere before its code, an answer is none; cut later, it has said what counts.
        for length in 0..GOOD.find("00000&COMM").unwrap() + 4 {
            assert!(parse(&GOOD[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn zeros_are_no_number_and_paddings_do_not_matter() {
        let text = GOOD.replace("0034813563", "0000000000").replace("0061548226", "").replace("RANG=32", "RANG=032");
        let answer = parse(&text.replace("0002322510", "2322510")).unwrap();
        assert_eq!((answer.operation_number(), answer.call_number()), (None, None));
    }

    #[test]
    fn statuses_and_batches() {
        for (text, expected) in [
            ("Remboursé", Status::Refunded),
            ("Annulé", Status::Cancelled),
            ("Autorisé", Status::Authorised),
            ("Capturé", Status::Captured),
            ("Crédit", Status::Credit),
            ("Refusé", Status::Refused),
            ("Demande de solde (Carte cadeaux)", Status::BalanceInquiry),
            ("Rejet support", Status::Rejected),
            ("Capture", Status::Unknown("Capture".to_owned())),
            ("CapturÃ©", Status::Unknown("CapturÃ©".to_owned())),
        ] {
            let answer = parse(&format!("{GOOD}&STATUS={text}&REMISE=509625890")).unwrap();
            assert_eq!((answer.status(), answer.remittance()), (Some(&expected), Some(509_625_890)));
        }
        let answer = parse(&format!("{GOOD}&STATUS=&REMISE=000000000&PAYS=FRA&TYPECARTE=")).unwrap();
        assert_eq!((answer.status(), answer.remittance()), (None, None));
        assert_eq!((answer.card_country(), answer.card_type()), (Some("FRA"), None));
    }

    #[test]
    fn a_plus_stays_a_plus_and_unknown_codes_stay() {
        let answer = parse(&GOOD.replace("XXXXXX", "A+B=C").replace("00000&COMM", "001Z9&COMM")).unwrap();
        assert_eq!(answer.authorisation(), Some("A+B=C"));
        assert_eq!((answer.code().as_str(), answer.code().class()), ("001Z9", AnswerClass::Unlisted));
    }

    #[test]
    fn comments_carry_no_controls_and_cards_are_not_shown() {
        let refused = GOOD.replace("SLDLrcsLMPC", "1111222233334444").replace("00000&COMM", "00017&COMM");
        let answer = parse(&refused.replace("Demande", "Statut PARes\r\n\u{1b}[31m 3DS")).unwrap();
        assert_eq!(answer.comment(), "Statut PARes[31m 3DS traitée avec succès");
        assert!(answer.comment_speaks_of_pares() && !parse(GOOD).unwrap().comment_speaks_of_pares());
        assert!(!format!("{answer:?}").contains("1111222233334444"));
    }
}
