//! Questions asked server to server: does it exist, how does it stand, capture, cancel, refund, debit a kept card.
//!
//! A question is its fields in the order sent, signed like the page. The closed list of [`Operation`]s is all that is ever
//! asked; cards themselves never pass here.

use std::fmt;

use form_urlencoded::Serializer;
use jiff::Timestamp;
use secrecy::ExposeSecret;

use crate::{
    domain::{
        money::Money,
        numbers::{CallNumber, OperationNumber, QuestionNumber},
    },
    paybox::{
        account::Account,
        card_token::CardToken,
        expiry,
        field::{Charset, FieldFault, check_value},
        hmac::{self, HashName, HmacKey},
        paris,
    },
};

/// The version that knows kept cards too.
const VERSION: &str = "00104";

/// One question: who asks, under which number, when, what.
#[derive(Clone, Debug)]
pub struct Question {
    pub account: Account,
    pub number: QuestionNumber,
    /// The real time.
    pub asked_at: Timestamp,
    pub operation: Operation,
    pub card_details: CardDetails,
}

/// Whether the answer should tell the card's country and type, where the contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardDetails {
    Asked,
    NotAsked,
}

/// What is asked. Money moves in all but `Find`, `Consult` and `DeleteSubscriber`.
#[derive(Clone, Debug)]
pub enum Operation {
    /// 00011: is there an operation of this reference and amount?
    Find { reference: String, amount: Money },
    /// 00017: how does this operation stand?
    Consult { operation: OperationNumber },
    /// 00002: take what was authorised.
    Capture(Movement, Target),
    /// 00005: undo before settlement.
    Cancel(Movement, Target),
    /// 00014: give back, in whole or in part.
    Refund(Movement, Target),
    /// 00052: take what was authorised on a kept card.
    CaptureSubscriber(Movement, Target, Subscriber),
    /// 00053: debit a kept card.
    DebitSubscriber(Movement, Subscriber, CardToken),
    /// 00055: undo, on a kept card, before settlement.
    CancelSubscriber(Movement, Target, Subscriber),
    /// 00058: forget a kept card.
    DeleteSubscriber(Subscriber),
}

/// The money of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    pub amount: Money,
    /// Ours, unique per attempt: `A–Z a–z 0–9 . _ -`, at most 250.
    pub reference: String,
    /// At most twelve letters and digits, for the bank's statement.
    pub archive_reference: String,
}

/// The operation aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub call: CallNumber,
    pub operation: OperationNumber,
}

/// A subscriber's reference at PAYBOX, as given on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber(pub String);

/// A question that cannot be sent, and why. The value is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {fault}")]
pub struct QuestionError {
    /// PAYBOX's name of the field.
    pub field: &'static str,
    pub fault: FieldFault,
}

impl Operation {
    /// `TYPE`, five digits.
    pub fn wire_type(&self) -> &'static str {
        match self {
            Self::Capture(..) => "00002",
            Self::Cancel(..) => "00005",
            Self::Find { .. } => "00011",
            Self::Refund(..) => "00014",
            Self::Consult { .. } => "00017",
            Self::CaptureSubscriber(..) => "00052",
            Self::DebitSubscriber(..) => "00053",
            Self::CancelSubscriber(..) => "00055",
            Self::DeleteSubscriber(..) => "00058",
        }
    }
}

impl Question {
    /// The question's fields, signed.
    ///
    /// # Errors
    /// [`QuestionError`] naming the first field that cannot be sent.
    pub fn sign(&self, key: &HmacKey, hash: HashName) -> Result<SignedQuestion, QuestionError> {
        let mut fields = QuestionFields::default();
        fields.put("VERSION", VERSION);
        fields.put("TYPE", self.operation.wire_type());
        fields.put("SITE", self.account.site());
        fields.put("RANG", self.account.rang());
        fields.put("IDENTIFIANT", self.account.identifiant());
        fields.put("NUMQUESTION", self.number.wire());
        fields.put("DATEQ", paris::day_first(self.asked_at));
        self.operation.put_into(&mut fields)?;
        if self.card_details == CardDetails::Asked {
            fields.put("PAYS", "");
            fields.put("TYPECARTE", "");
        }
        fields.put("HASH", hash.wire());
        let signature = hmac::sign(key, hash, &fields.message());
        fields.put("HMAC", signature);
        Ok(SignedQuestion { fields })
    }
}

impl Operation {
    fn put_into(&self, fields: &mut QuestionFields) -> Result<(), QuestionError> {
        match self {
            Self::Find { reference, amount } => {
                fields.put_amount(*amount)?;
                fields.put_reference("REFERENCE", reference)
            }
            Self::Consult { operation } => {
                fields.put("NUMTRANS", operation.wire());
                Ok(())
            }
            Self::Capture(movement, target) | Self::Cancel(movement, target) | Self::Refund(movement, target) => {
                fields.put_movement(movement)?;
                fields.put_target(*target);
                fields.put_activity(Activity::Internet, movement)
            }
            Self::CaptureSubscriber(movement, target, subscriber) => {
                fields.put_movement(movement)?;
                fields.put_reference("REFABONNE", &subscriber.0)?;
                fields.put_target(*target);
                fields.put_activity(Activity::Internet, movement)
            }
            Self::DebitSubscriber(movement, subscriber, card) => {
                fields.put_movement(movement)?;
                fields.put_reference("REFABONNE", &subscriber.0)?;
                fields.put_checked("PORTEUR", card.handle.expose_secret(), Charset::Printable, 1, 19)?;
                fields.put("DATEVAL", expiry::to_mmyy(card.end));
                fields.put_activity(Activity::Recurring, movement)
            }
            Self::CancelSubscriber(movement, target, subscriber) => {
                fields.put_movement(movement)?;
                fields.put_reference("REFABONNE", &subscriber.0)?;
                // Both must be there, neither is read: integrations send these zeros.
                fields.put("PORTEUR", "000000000000000");
                fields.put("DATEVAL", "0000");
                fields.put_target(*target);
                fields.put_activity(Activity::Internet, movement)
            }
            Self::DeleteSubscriber(subscriber) => fields.put_reference("REFABONNE", &subscriber.0),
        }
    }
}

/// How the payer's consent was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Internet,
    Recurring,
}

/// Fields in the order signed and sent. Names are constants of this file, each put once.
#[derive(Clone, Default)]
struct QuestionFields {
    list: Vec<(&'static str, String)>,
}

impl QuestionFields {
    fn put(&mut self, field: &'static str, value: impl Into<String>) {
        self.list.push((field, value.into()));
    }

    fn put_checked(
        &mut self,
        field: &'static str,
        value: &str,
        charset: Charset,
        min: usize,
        max: usize,
    ) -> Result<(), QuestionError> {
        check_value(value, charset, min, max).map_err(|fault| QuestionError { field, fault })?;
        self.put(field, value);
        Ok(())
    }

    fn put_reference(&mut self, field: &'static str, value: &str) -> Result<(), QuestionError> {
        self.put_checked(field, value, Charset::Reference, 1, 250)
    }

    fn put_amount(&mut self, amount: Money) -> Result<(), QuestionError> {
        if amount.is_zero() {
            return Err(QuestionError { field: "MONTANT", fault: FieldFault::ZeroAmount });
        }
        self.put("MONTANT", format!("{:010}", amount.minor_units()));
        self.put("DEVISE", amount.currency().number());
        Ok(())
    }

    fn put_movement(&mut self, movement: &Movement) -> Result<(), QuestionError> {
        self.put_amount(movement.amount)?;
        self.put_reference("REFERENCE", &movement.reference)
    }

    fn put_target(&mut self, target: Target) {
        self.put("NUMAPPEL", target.call.wire());
        self.put("NUMTRANS", target.operation.wire());
    }

    fn put_activity(&mut self, activity: Activity, movement: &Movement) -> Result<(), QuestionError> {
        self.put(
            "ACTIVITE",
            match activity {
                Activity::Internet => "024",
                Activity::Recurring => "027",
            },
        );
        self.put_checked("ARCHIVAGE", &movement.archive_reference, Charset::Alphanumeric, 1, 12)
    }

    fn message(&self) -> String {
        let pairs: Vec<String> = self.list.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

/// A question ready to be sent.
#[derive(Clone)]
pub struct SignedQuestion {
    fields: QuestionFields,
}

impl SignedQuestion {
    /// The body, `application/x-www-form-urlencoded`.
    pub fn encode(&self) -> String {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(&self.fields.list);
        body.finish()
    }

    /// `(name, value)` in the order sent, `HMAC` last. Values may be a kept card's handle.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields.list.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// Everything but the kept card and the signature.
impl fmt::Debug for SignedQuestion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.pairs().map(|(name, value)| match name {
            "PORTEUR" | "DATEVAL" | "HMAC" => (name, "(hidden)"),
            _ => (name, value),
        });
        formatter.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests;
