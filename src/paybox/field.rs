//! The fields that are signed. The signed message is `NAME=value&NAME=value` without any escaping, so a value holding
//! `&PBX_TOTAL=1` would sign other fields than the form shows: every value passes [`Fields::push`] or is never signed.

use std::fmt;

/// The fields of the hosted page that this program sends. A closed list: nothing else is ever signed for a payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldName {
    Site,
    Rang,
    Identifiant,
    Total,
    Devise,
    Cmd,
    Porteur,
    Retour,
    Hash,
    Time,
    Langue,
    Source,
    Ruf1,
    Effectue,
    Refuse,
    Annule,
    Attente,
    RepondreA,
    Display,
    Archivage,
    TypePaiement,
    TypeCarte,
    SouhaitAuthent,
    AutoSeule,
    DateValMax,
    RefAbonne,
    ShoppingCart,
    Billing,
    Hmac,
}

/// What is wrong with a field, and which one. The value itself is left out: it may hold personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", field.wire())]
pub struct FieldError {
    pub field: FieldName,
    pub fault: FieldFault,
}

/// Why a value is refused before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    #[error("`&` would start another field in the signed message")]
    Ampersand,
    #[error("control characters, line breaks included, are not allowed")]
    Control,
    #[error("shorter than {min} characters")]
    TooShort { min: usize },
    #[error("longer than {max} characters")]
    TooLong { max: usize },
    #[error("holds a character this field does not take")]
    Charset,
    #[error("given twice")]
    Duplicate,
    #[error("not an e-mail address")]
    NotAnEmail,
    #[error("an amount of zero cannot be paid")]
    ZeroAmount,
    #[error("not an absolute URL")]
    NotAbsolute,
    #[error("not https (http is for loopback hosts in test mode only)")]
    NotHttps,
    #[error("a URL with a user name or password")]
    Userinfo,
    #[error("a URL with a fragment")]
    Fragment,
    #[error("PAYBOX calls ports 80, 443 and 8080 to 8085 only")]
    Port,
}

/// The characters a value may hold, all ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Digits,
    Letters,
    Alphanumeric,
    /// What comes back from PAYBOX byte for byte: `A–Z a–z 0–9 . _ -`.
    Reference,
    /// `A–Z 0–9 _`, the names of means of payment.
    Keyword,
    /// `name:letter` pairs between `;`.
    Retour,
    Timestamp,
    Email,
    /// What may stand unescaped in a return URL; PAYBOX wants the rest, `;` first, percent-encoded beforehand.
    Url,
    /// Printable ASCII, for the XML fields.
    Printable,
}

impl Charset {
    fn takes(self, character: char) -> bool {
        let alphanumeric = character.is_ascii_alphanumeric();
        match self {
            Self::Digits => character.is_ascii_digit(),
            Self::Letters => character.is_ascii_uppercase(),
            Self::Alphanumeric => alphanumeric,
            Self::Reference => alphanumeric || "._-".contains(character),
            Self::Keyword => character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_',
            Self::Retour => alphanumeric || "_:;".contains(character),
            Self::Timestamp => character.is_ascii_digit() || "T:+-".contains(character),
            Self::Email => alphanumeric || "!#$%'*+/=?^_`{|}~-.@".contains(character),
            Self::Url => alphanumeric || "-._~:/?=%".contains(character),
            Self::Printable => character == ' ' || character.is_ascii_graphic(),
        }
    }
}

/// Refuses `value` unless it is `min` to `max` characters of `charset`.
///
/// What would change the meaning of the signed message is reported first, whatever the field.
///
/// # Errors
/// The first [`FieldFault`] found.
pub(super) fn check_value(value: &str, charset: Charset, min: usize, max: usize) -> Result<(), FieldFault> {
    if value.contains('&') {
        return Err(FieldFault::Ampersand);
    }
    if value.chars().any(char::is_control) {
        return Err(FieldFault::Control);
    }
    let length = value.chars().count();
    if length < min {
        return Err(FieldFault::TooShort { min });
    }
    if length > max {
        return Err(FieldFault::TooLong { max });
    }
    if value.chars().all(|character| charset.takes(character)) { Ok(()) } else { Err(FieldFault::Charset) }
}

impl FieldName {
    /// The name on the wire, `PBX_SITE`.
    pub fn wire(self) -> &'static str {
        self.rule().0
    }

    /// Name, characters, least and greatest length in characters.
    fn rule(self) -> (&'static str, Charset, usize, usize) {
        match self {
            Self::Site => ("PBX_SITE", Charset::Digits, 7, 7),
            Self::Rang => ("PBX_RANG", Charset::Digits, 2, 3),
            Self::Identifiant => ("PBX_IDENTIFIANT", Charset::Digits, 1, 9),
            Self::Total => ("PBX_TOTAL", Charset::Digits, 3, 10),
            Self::Devise => ("PBX_DEVISE", Charset::Digits, 3, 3),
            Self::Cmd => ("PBX_CMD", Charset::Reference, 1, 250),
            Self::Porteur => ("PBX_PORTEUR", Charset::Email, 6, 120),
            Self::Retour => ("PBX_RETOUR", Charset::Retour, 3, 250),
            Self::Hash => ("PBX_HASH", Charset::Keyword, 6, 9),
            Self::Time => ("PBX_TIME", Charset::Timestamp, 25, 25),
            Self::Langue => ("PBX_LANGUE", Charset::Letters, 3, 3),
            Self::Source => ("PBX_SOURCE", Charset::Letters, 3, 5),
            Self::Ruf1 => ("PBX_RUF1", Charset::Letters, 3, 4),
            Self::Effectue => ("PBX_EFFECTUE", Charset::Url, 1, 150),
            Self::Refuse => ("PBX_REFUSE", Charset::Url, 1, 150),
            Self::Annule => ("PBX_ANNULE", Charset::Url, 1, 150),
            Self::Attente => ("PBX_ATTENTE", Charset::Url, 1, 150),
            Self::RepondreA => ("PBX_REPONDRE_A", Charset::Url, 1, 150),
            Self::Display => ("PBX_DISPLAY", Charset::Digits, 3, 10),
            Self::Archivage => ("PBX_ARCHIVAGE", Charset::Alphanumeric, 1, 12),
            Self::TypePaiement => ("PBX_TYPEPAIEMENT", Charset::Keyword, 1, 30),
            Self::TypeCarte => ("PBX_TYPECARTE", Charset::Keyword, 1, 30),
            Self::SouhaitAuthent => ("PBX_SOUHAITAUTHENT", Charset::Digits, 2, 2),
            Self::AutoSeule => ("PBX_AUTOSEULE", Charset::Letters, 1, 1),
            Self::DateValMax => ("PBX_DATEVALMAX", Charset::Digits, 4, 4),
            Self::RefAbonne => ("PBX_REFABONNE", Charset::Reference, 1, 250),
            Self::ShoppingCart => ("PBX_SHOPPINGCART", Charset::Printable, 1, 200),
            Self::Billing => ("PBX_BILLING", Charset::Printable, 1, 1000),
            Self::Hmac => ("PBX_HMAC", Charset::Alphanumeric, 56, 128),
        }
    }

    /// This field's error for `fault`.
    pub fn error(self, fault: FieldFault) -> FieldError {
        FieldError { field: self, fault }
    }

    /// Refuses a value that this field does not take.
    ///
    /// # Errors
    /// [`FieldError`] with this field and the fault.
    pub fn check(self, value: &str) -> Result<(), FieldError> {
        let (_, charset, min, max) = self.rule();
        check_value(value, charset, min, max).map_err(|fault| self.error(fault))?;
        if self == Self::Porteur && !is_email(value) {
            return Err(self.error(FieldFault::NotAnEmail));
        }
        Ok(())
    }
}

/// One `@` with text before it and a dotted domain after it, which is what PAYBOX checks.
fn is_email(value: &str) -> bool {
    value.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.contains('@')
            && domain.split('.').count() >= 2
            && domain.split('.').all(|label| !label.is_empty())
    })
}

/// Fields in the order in which they are signed and sent, each once, every value checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    list: Vec<(FieldName, String)>,
}

impl Fields {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field at the end.
    ///
    /// # Errors
    /// [`FieldError`] when the field does not take the value, or is already there.
    pub fn push(&mut self, field: FieldName, value: impl Into<String>) -> Result<(), FieldError> {
        let value = value.into();
        field.check(&value)?;
        if self.get(field).is_some() {
            return Err(field.error(FieldFault::Duplicate));
        }
        self.list.push((field, value));
        Ok(())
    }

    /// The value of `field`, when it is there.
    pub fn get(&self, field: FieldName) -> Option<&str> {
        self.list.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (FieldName, &str)> {
        self.list.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The message to sign: `NAME=value` joined by `&`, nothing escaped.
    pub fn message(&self) -> String {
        let pairs: Vec<String> = self.iter().map(|(name, value)| format!("{}={value}", name.wire())).collect();
        pairs.join("&")
    }
}

/// Names only: the values hold a payer's name, address and e-mail.
impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.list.iter().map(|(name, _)| name.wire())).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(field: FieldName, value: &str, expected: Result<(), FieldFault>) {
        let answer = Fields::new().push(field, value).map_err(|error| {
            assert_eq!(error.field, field);
            error.fault
        });
        assert_eq!(answer, expected, "{} {value:?}", field.wire());
    }

    #[test]
    fn a_value_that_would_sign_something_else_is_refused() {
        check(FieldName::Cmd, "x&PBX_TOTAL=1", Err(FieldFault::Ampersand));
        check(FieldName::Billing, "<a>&amp;</a>", Err(FieldFault::Ampersand));
        for control in ["a\rb", "a\nb", "a\0b", "a\tb", "a\u{7f}b", "a\u{85}b"] {
            check(FieldName::Cmd, control, Err(FieldFault::Control));
            check(FieldName::Billing, control, Err(FieldFault::Control));
        }
    }

    #[test]
    fn each_field_has_its_characters_and_lengths() {
        check(FieldName::Site, "1999888", Ok(()));
        check(FieldName::Site, "199988", Err(FieldFault::TooShort { min: 7 }));
        check(FieldName::Site, "19998888", Err(FieldFault::TooLong { max: 7 }));
        check(FieldName::Site, "199988a", Err(FieldFault::Charset));
        check(FieldName::Site, "١٩٩٩٨٨٨", Err(FieldFault::Charset));
        check(FieldName::Cmd, "", Err(FieldFault::TooShort { min: 1 }));
        check(FieldName::Cmd, "A-1_b.2", Ok(()));
        check(FieldName::Cmd, "A 1", Err(FieldFault::Charset));
        check(FieldName::Cmd, "A=1", Err(FieldFault::Charset));
        check(FieldName::Cmd, "é", Err(FieldFault::Charset));
        check(FieldName::Cmd, &"a".repeat(251), Err(FieldFault::TooLong { max: 250 }));
        check(FieldName::Archivage, "ABC123abc456", Ok(()));
        check(FieldName::Archivage, "ABC-123", Err(FieldFault::Charset));
        check(FieldName::Effectue, "https://a.fr/b;c", Err(FieldFault::Charset));
        check(FieldName::Total, "25", Err(FieldFault::TooShort { min: 3 }));
    }

    #[test]
    fn an_email_has_one_at_and_a_dotted_domain() {
        check(FieldName::Porteur, "anne+b@univ.example", Ok(()));
        for bad in ["anne.univ", "@univ.example", "anne@univ", "a@b@c.fr", "anne@.example", "anne@univ."] {
            check(FieldName::Porteur, bad, Err(FieldFault::NotAnEmail));
        }
        check(FieldName::Porteur, "\"a b\"@univ.example", Err(FieldFault::Charset));
    }

    #[test]
    fn a_field_is_given_once() {
        let mut fields = Fields::new();
        fields.push(FieldName::Cmd, "a").unwrap();
        assert_eq!(fields.push(FieldName::Cmd, "a"), Err(FieldName::Cmd.error(FieldFault::Duplicate)));
        assert_eq!(fields.message(), "PBX_CMD=a");
    }

    #[test]
    fn debug_shows_no_value() {
        let mut fields = Fields::new();
        fields.push(FieldName::Porteur, "anne@univ.example").unwrap();
        assert_eq!(format!("{fields:?}"), "[\"PBX_PORTEUR\"]");
    }

    const NAMES: [FieldName; 6] = [
        FieldName::Cmd,
        FieldName::Total,
        FieldName::Effectue,
        FieldName::Billing,
        FieldName::RefAbonne,
        FieldName::Porteur,
    ];

    proptest! {
        /// Whoever splits the signed message at `&` and the first `=` reads the fields that were put in.
        #[test]
        fn splitting_the_message_gives_back_the_fields(
            values in proptest::collection::vec(
                (0..NAMES.len(), prop_oneof!["[ -~\\n]{0,40}", "[A-Za-z0-9._=@&-]{1,20}", "[0-9]{3,10}"]),
                0..12,
            )
        ) {
            let mut fields = Fields::new();
            for (name, value) in values {
                let _ = fields.push(NAMES[name], value);
            }
            let message = fields.message();
            let split: Vec<(&str, &str)> =
                message.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap()).collect();
            let sent: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.wire(), value)).collect();
            prop_assert_eq!(split, sent);
        }
    }
}
