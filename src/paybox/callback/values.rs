//! What a verified callback says. Values that this program does not know stay data.

use std::fmt;

use secrecy::SecretString;

use super::{CallbackError, VerifiedCallback};
use crate::{
    domain::{
        card::CardEnd,
        numbers::{self, CallNumber, OperationNumber},
    },
    paybox::{card_token::CardToken, codes::Code, expiry, retour::Letter},
};

/// What PAYBOX's public test platform gives for an authorisation.
const TEST_AUTHORISATION: &str = "XXXXXX";

/// What makes two callbacks the same report, within one merchant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallbackIdentity {
    pub reference: String,
    /// As written, since a missing and a zero number are two things here.
    pub operation_number: Option<String>,
    pub call_number: Option<String>,
    pub code: Code,
}

impl VerifiedCallback {
    /// Checks what every callback has: amount, reference, code.
    pub(super) fn new(
        values: Vec<(Letter, String)>,
        digest: [u8; 32],
        key_fingerprint: String,
    ) -> Result<Self, CallbackError> {
        let value = |letter| {
            let found = values.iter().find(|(name, _)| *name == letter);
            found.map(|(_, value)| value.as_str()).ok_or(CallbackError::Missing(letter))
        };
        let amount = numbers::digits(value(Letter::M)?).and_then(|amount| i64::try_from(amount).ok());
        let amount = amount.ok_or(CallbackError::BadValue(Letter::M))?;
        if value(Letter::R)?.is_empty() {
            return Err(CallbackError::BadValue(Letter::R));
        }
        let code = Code::parse(value(Letter::E)?).map_err(|_| CallbackError::BadValue(Letter::E))?;
        Ok(Self { values, amount, code, digest, key_fingerprint })
    }

    fn get(&self, letter: Letter) -> Option<&str> {
        let found = self.values.iter().find(|(name, _)| *name == letter);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// SHA-256 of the bytes as they came.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Which key signed, as [`PublicKey::fingerprint`](crate::paybox::rsa::PublicKey::fingerprint).
    pub fn key_fingerprint(&self) -> &str {
        &self.key_fingerprint
    }

    pub fn identity(&self) -> CallbackIdentity {
        CallbackIdentity {
            reference: self.reference().to_owned(),
            operation_number: self.get(Letter::S).map(str::to_owned),
            call_number: self.get(Letter::T).map(str::to_owned),
            code: self.code,
        }
    }

    /// Minor units, 0 to 9 999 999 999. The currency is not told.
    pub fn amount_minor_units(&self) -> i64 {
        self.amount
    }

    /// Ours, as sent.
    pub fn reference(&self) -> &str {
        self.get(Letter::R).unwrap_or_default()
    }

    pub fn code(&self) -> Code {
        self.code
    }

    /// `None` when missing, zero, or not a number.
    pub fn call_number(&self) -> Option<CallNumber> {
        self.get(Letter::T).and_then(|text| CallNumber::parse(text).ok())
    }

    /// `None` when missing, zero, or not a number.
    pub fn operation_number(&self) -> Option<OperationNumber> {
        self.get(Letter::S).and_then(|text| OperationNumber::parse(text).ok())
    }

    /// The bank's number, letters possible. `None` when missing or zeros.
    pub fn authorisation(&self) -> Option<&str> {
        self.get(Letter::A).filter(|text| !text.trim().chars().all(|character| character == '0'))
    }

    /// Whether this reports a payment: code `00000`, with an authorisation, a call and an operation number. Anything else
    /// is asked for, never paid.
    pub fn is_success(&self) -> bool {
        self.code == Code::SUCCESS
            && self.authorisation().is_some()
            && self.call_number().is_some()
            && self.operation_number().is_some()
    }

    /// Whether the authorisation is the test platform's, which a live merchant never takes.
    pub fn is_test_authorisation(&self) -> bool {
        self.get(Letter::A).is_some_and(|text| text.trim().eq_ignore_ascii_case(TEST_AUTHORISATION))
    }

    /// Every type the card is told to be: `CB,VISA,EUROCARD_MASTERCARD` is three.
    pub fn card_types(&self) -> Vec<&str> {
        let types = self.get(Letter::C).unwrap_or_default().split(',').map(str::trim);
        types.filter(|name| !name.is_empty()).collect()
    }

    /// Whether `name` is among [`card_types`](Self::card_types), in any case.
    pub fn has_card_type(&self, name: &str) -> bool {
        self.card_types().iter().any(|card_type| card_type.eq_ignore_ascii_case(name))
    }

    /// `None` when missing or not a month.
    pub fn expiry(&self) -> Option<CardEnd> {
        self.get(Letter::D).and_then(expiry::from_yymm)
    }

    /// The card's first six digits, as told.
    pub fn first6(&self) -> Option<&str> {
        self.get(Letter::N)
    }

    /// The card's last two digits, as told.
    pub fn last2(&self) -> Option<&str> {
        self.get(Letter::J)
    }

    /// Country of the card's bank, three letters, as told.
    pub fn country(&self) -> Option<&str> {
        self.get(Letter::Y)
    }

    /// Means of payment, `CARTE`, as told.
    pub fn means(&self) -> Option<&str> {
        self.get(Letter::P)
    }

    /// 3-D Secure: `Y` authenticated, `A` attempted, `U` could not, `N` no.
    pub fn authenticated(&self) -> Option<&str> {
        self.get(Letter::F)
    }

    /// 3-D Secure: `O` guaranteed, `N` not.
    pub fn guaranteed(&self) -> Option<&str> {
        self.get(Letter::G)
    }

    /// 3-D Secure: `Y`, `N`, `U`.
    pub fn enrolled(&self) -> Option<&str> {
        self.get(Letter::O)
    }

    /// 3-D Secure: the version, in a form that is not documented.
    pub fn three_ds_version(&self) -> Option<&str> {
        self.get(Letter::V3ds)
    }

    /// Day of processing, as told: day first in the manual, but not in every integration.
    pub fn processed_on(&self) -> Option<&str> {
        self.get(Letter::W)
    }

    /// Time of processing, `HH:MM:SS`, as told.
    pub fn processed_at(&self) -> Option<&str> {
        self.get(Letter::Q)
    }

    /// The kept card. The wire form is `handle`, two blanks, `YYMM`, two blanks, `---`, where blanks may come as `+`.
    /// `None` when missing or of another form.
    pub fn card_token(&self) -> Option<CardToken> {
        let text = self.get(Letter::U)?;
        let (handle, yymm) = ["++", "  "].into_iter().find_map(|blanks| {
            let without_end = text.strip_suffix("---")?.strip_suffix(blanks)?;
            without_end.rsplit_once(blanks)
        })?;
        let plain = (1..=19).contains(&handle.len()) && handle.chars().all(|character| character.is_ascii_graphic());
        let end = expiry::from_yymm(yymm)?;
        plain.then(|| CardToken { handle: SecretString::from(handle), end })
    }

    /// Whether a kept card is told at all, in whatever form.
    pub fn has_card_token(&self) -> bool {
        self.get(Letter::U).is_some()
    }
}

/// Everything but the card's handle.
impl fmt::Debug for VerifiedCallback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(letter, value): &(Letter, String)| {
            let text = if *letter == Letter::U { "(hidden)".to_owned() } else { value.clone() };
            (letter.wire(), text)
        };
        formatter.debug_map().entries(self.values.iter().map(shown)).finish()
    }
}
