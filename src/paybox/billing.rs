//! `PBX_BILLING` and `PBX_SHOPPINGCART`: what 3-D Secure wants to know of the payer.
//!
//! People write accents, apostrophes and second lines; PAYBOX takes short plain ASCII. [`normalise`] makes the one from the
//! other and says what it changed, so that the API can say it too. Names keep `-` and `/`; everything else outside letters
//! and digits becomes a blank, as in the modules that PAYBOX and the banks hand out. XML is made by a writer.

use std::{borrow::Cow, fmt};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use serde::Serialize;

use crate::paybox::{country::CountryCode, phone::MobilePhone};

/// The longest text read in one element; far above any address, so that cleaning is bounded.
pub const MAX_RAW_CHARACTERS: usize = 1_000;

/// The quantities that PAYBOX takes.
const QUANTITIES: std::ops::RangeInclusive<u32> = 1..=99;

/// An address as a person wrote it. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct BillingAddress {
    pub first_name: String,
    pub last_name: String,
    pub address1: String,
    pub address2: Option<String>,
    pub zip_code: String,
    pub city: String,
    pub country: CountryCode,
    pub mobile: Option<MobilePhone>,
}

/// An address PAYBOX takes. Only [`normalise`] and [`placeholder`] make one. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CleanAddress {
    first_name: String,
    last_name: String,
    address1: String,
    address2: Option<String>,
    zip_code: String,
    city: String,
    country: CountryCode,
    mobile: Option<MobilePhone>,
}

impl fmt::Debug for BillingAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BillingAddress(hidden)")
    }
}

impl fmt::Debug for CleanAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CleanAddress(hidden)")
    }
}

/// The texts of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingField {
    FirstName,
    LastName,
    Address1,
    Address2,
    ZipCode,
    City,
}

/// One text that was not sent as it was written: `{"field": "city", "sent": "Evry", "reasons": ["transliterated"]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub field: BillingField,
    /// What PAYBOX is sent instead.
    pub sent: String,
    /// In the order in which they were applied, each once.
    pub reasons: Vec<ChangeReason>,
}

/// What was done to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeReason {
    /// Letters of other alphabets, and accents, became plain ones.
    Transliterated,
    /// Punctuation, markup or symbols became blanks.
    CharactersRemoved,
    /// Line breaks and runs of blanks became one blank, or went from the ends.
    BlanksCollapsed,
    /// The end was left out.
    Cut,
}

/// Why an address cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BillingError {
    #[error("{} is mandatory, and has no letter or digit", .0.name())]
    Empty(BillingField),
    #[error("{} is longer than {MAX_RAW_CHARACTERS} characters", .0.name())]
    TooLong(BillingField),
}

impl BillingField {
    /// The name in our own API.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Address1 => "address1",
            Self::Address2 => "address2",
            Self::ZipCode => "zip_code",
            Self::City => "city",
        }
    }

    /// In characters.
    fn max_length(self) -> usize {
        match self {
            Self::FirstName | Self::LastName => 22,
            Self::Address1 | Self::Address2 | Self::City => 50,
            Self::ZipCode => 16,
        }
    }

    fn takes(self, character: char) -> bool {
        let is_name = matches!(self, Self::FirstName | Self::LastName);
        character.is_ascii_alphanumeric() || character == ' ' || (is_name && "-/".contains(character))
    }
}

/// Makes an address that PAYBOX takes, and says what was changed.
///
/// # Errors
/// [`BillingError`] when a mandatory text has nothing left, or a text is absurdly long.
pub fn normalise(address: &BillingAddress) -> Result<(CleanAddress, Vec<Change>), BillingError> {
    let mut changes = Vec::new();
    let mut mandatory = |field, text: &str| match clean(field, text, &mut changes) {
        Ok(text) if text.is_empty() => Err(BillingError::Empty(field)),
        answer => answer,
    };
    let first_name = mandatory(BillingField::FirstName, &address.first_name)?;
    let last_name = mandatory(BillingField::LastName, &address.last_name)?;
    let address1 = mandatory(BillingField::Address1, &address.address1)?;
    let zip_code = mandatory(BillingField::ZipCode, &address.zip_code)?;
    let city = mandatory(BillingField::City, &address.city)?;
    let address2 = match &address.address2 {
        Some(text) => Some(clean(BillingField::Address2, text, &mut changes)?).filter(|text| !text.is_empty()),
        None => None,
    };
    let (country, mobile) = (address.country, address.mobile.clone());
    Ok((CleanAddress { first_name, last_name, address1, address2, zip_code, city, country, mobile }, changes))
}

/// A neutral address, nobody's, for merchants who chose to send one rather than ask the payer. PAYBOX accepts it; the
/// payer's bank is the more likely to ask for authentication.
pub fn placeholder() -> CleanAddress {
    CleanAddress {
        first_name: "NON".to_owned(),
        last_name: "COMMUNIQUE".to_owned(),
        address1: "NON COMMUNIQUE".to_owned(),
        address2: None,
        zip_code: "00000".to_owned(),
        city: "NON COMMUNIQUE".to_owned(),
        country: CountryCode::FRANCE,
        mobile: None,
    }
}

/// `text` as `field` takes it; what was done is added to `changes`.
fn clean(field: BillingField, text: &str, changes: &mut Vec<Change>) -> Result<String, BillingError> {
    if text.chars().count() > MAX_RAW_CHARACTERS {
        return Err(BillingError::TooLong(field));
    }
    let ascii: String = text.chars().map(transliterate).collect();
    let kept: String = ascii.chars().map(|character| if field.takes(character) { character } else { ' ' }).collect();
    let collapsed = kept.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    // ASCII by now, so a character is a byte; trimmed again, since a cut may fall after a blank.
    let sent: String = collapsed.chars().take(field.max_length()).collect::<String>().trim_end().to_owned();

    let mut reasons = Vec::new();
    if text.chars().any(|character| !character.is_ascii() && character.is_alphanumeric()) {
        reasons.push(ChangeReason::Transliterated);
    }
    let removed =
        |character: char| !character.is_whitespace() && !transliterate(character).chars().all(|c| field.takes(c));
    let lost = |character: char| !character.is_ascii() && transliterate(character).is_empty();
    if text.chars().any(|character| removed(character) || lost(character)) {
        reasons.push(ChangeReason::CharactersRemoved);
    }
    let blanks_normal = text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace));
    if !text.is_empty() && !blanks_normal {
        reasons.push(ChangeReason::BlanksCollapsed);
    }
    if sent.len() < collapsed.len() {
        reasons.push(ChangeReason::Cut);
    }
    if sent != text {
        changes.push(Change { field, sent: sent.clone(), reasons });
    }
    Ok(sent)
}

/// The ASCII for one character. Letters and digits of any alphabet become plain ones, line breaks and blanks a blank,
/// typographic punctuation the plain one, an accent written apart nothing, and what is not writing a `?`, which no field
/// takes (`😀` would otherwise be spelt out).
fn transliterate(character: char) -> Cow<'static, str> {
    if character.is_ascii() {
        return Cow::Owned(character.to_string());
    }
    if character.is_whitespace() {
        return Cow::Borrowed(" ");
    }
    match deunicode::deunicode_char(character) {
        Some(ascii)
            if character.is_alphanumeric() || !ascii.contains(|letter: char| letter.is_ascii_alphanumeric()) =>
        {
            Cow::Borrowed(ascii)
        }
        Some(_) | None => Cow::Borrowed("?"),
    }
}

/// `PBX_BILLING`, on one line.
pub fn billing_xml(address: &CleanAddress) -> String {
    let phone = address.mobile.as_ref().map(|mobile| (mobile.country_code(), mobile.national()));
    let mut elements = vec![
        ("FirstName", address.first_name.as_str()),
        ("LastName", address.last_name.as_str()),
        ("Address1", address.address1.as_str()),
    ];
    elements.extend(address.address2.as_deref().map(|text| ("Address2", text)));
    elements.extend([
        ("ZipCode", address.zip_code.as_str()),
        ("City", address.city.as_str()),
        ("CountryCode", address.country.number()),
    ]);
    if let Some((country_code, national)) = &phone {
        elements.extend([("CountryCodeMobilePhone", country_code.as_str()), ("MobilePhone", national)]);
    }
    document(|writer| {
        writer.create_element("Billing").write_inner_content(|writer| {
            writer.create_element("Address").write_inner_content(|writer| {
                for (name, text) in &elements {
                    writer.create_element(*name).write_text_content(BytesText::new(text))?;
                }
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    })
}

/// `PBX_SHOPPINGCART`, on one line. Quantities outside 1 to 99 are brought to the nearest.
pub fn shopping_cart_xml(quantity: u32) -> String {
    let quantity = quantity.clamp(*QUANTITIES.start(), *QUANTITIES.end()).to_string();
    document(|writer| {
        writer.create_element("shoppingcart").write_inner_content(|writer| {
            writer.create_element("total").write_inner_content(|writer| {
                writer.create_element("totalQuantity").write_text_content(BytesText::new(&quantity))?;
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    })
}

#[expect(clippy::expect_used, reason = "writing to memory cannot fail, and what is written is text")]
fn document(content: impl FnOnce(&mut Writer<Vec<u8>>) -> std::io::Result<()>) -> String {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None))).expect("memory takes the declaration");
    content(&mut writer).expect("memory takes the elements");
    String::from_utf8(writer.into_inner()).expect("the writer was given text")
}

#[cfg(test)]
mod tests;
