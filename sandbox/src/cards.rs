//! The test cards. Public numbers where PAYBOX's test sheets have one, invented Luhn-valid ones where they have none.
//! A number that is not listed and satisfies Luhn is an ordinary accepted card, because the real test platform also
//! takes personal cards without charging them.

use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What the issuer does about strong authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// Follows the merchant's wish (PBX_SOUHAITAUTHENT) and the completeness of PBX_BILLING.
    ByRequest,
    /// Challenges every time.
    AlwaysChallenge,
    /// Never challenges.
    AlwaysFrictionless,
    /// The card takes no part in 3-D Secure.
    NotEnrolled,
}

/// One card as its issuer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TestCard {
    pub number: &'static str,
    /// The card type as PBX_RETOUR letter C gives it.
    pub card_type: &'static str,
    /// The issuer's country, letter Y.
    pub country: &'static str,
    pub authentication: Authentication,
    /// The code of every authorisation, `00000` when accepted.
    pub code: &'static str,
    /// The code of a debit without the payer (stored card), when it differs from `code`.
    pub recurring_code: Option<&'static str>,
    pub note: &'static str,
}

const fn card(number: &'static str, card_type: &'static str, code: &'static str, note: &'static str) -> TestCard {
    TestCard {
        number,
        card_type,
        country: "FRA",
        authentication: Authentication::ByRequest,
        code,
        recurring_code: None,
        note,
    }
}

const fn authenticating(
    number: &'static str,
    card_type: &'static str,
    authentication: Authentication,
    note: &'static str,
) -> TestCard {
    TestCard { number, card_type, country: "FRA", authentication, code: "00000", recurring_code: None, note }
}

/// Every listed card.
pub const TEST_CARDS: &[TestCard] = &[
    card("1111222233334444", "CB", "00000", "accepted (public)"),
    authenticating("4012001037141112", "VISA", Authentication::AlwaysChallenge, "challenge always (public)"),
    authenticating("4012001038443335", "VISA", Authentication::NotEnrolled, "not enrolled (public)"),
    authenticating(
        "5200000000000007",
        "EUROCARD_MASTERCARD",
        Authentication::AlwaysFrictionless,
        "frictionless always",
    ),
    card("4000000000001091", "VISA", "00000", "accepted, 3-D Secure by request (public)"),
    card("5555555555554444", "EUROCARD_MASTERCARD", "00000", "accepted (public)"),
    TestCard { country: "BEL", ..card("4236861588423130", "VISA", "00000", "accepted, Belgian (public)") },
    card("5476852056843079", "EUROCARD_MASTERCARD", "00000", "accepted (public)"),
    card("6703111122223334", "MAESTRO", "00000", "accepted (public)"),
    card("374907403001005", "AMEX", "00000", "accepted (public)"),
    card("3569990012000112", "JCB", "00000", "accepted (public)"),
    card("36133990076017", "DINERS", "00000", "accepted (public)"),
    TestCard {
        recurring_code: Some("00157"),
        ..card("4150550000000004", "E_CARD", "00000", "one-time e-card (public)")
    },
    TestCard {
        recurring_code: Some("00157"),
        ..card("4972640000000009", "E_CARD", "00000", "one-time e-card (public)")
    },
    card("4970100000000154", "CB", "00151", "refused 00151: insufficient funds"),
    card("4970100000000055", "CB", "00105", "refused 00105: do not honour"),
    card("4970100000000147", "CB", "00114", "refused 00114: invalid number, says the bank"),
    card("4970100000000592", "CB", "00159", "refused 00159: suspected fraud"),
    card("4970100000000436", "CB", "00143", "refused 00143: stolen"),
    card("4970100000000543", "CB", "00154", "refused 00154: expired, says the bank"),
    card("4970100000000915", "CB", "00191", "refused 00191: issuer unreachable"),
    card("4970100000000212", "CB", "00021", "refused 00021: filtered by the merchant's contract"),
    TestCard {
        recurring_code: Some("00151"),
        ..card("4970100000000519", "CB", "00000", "accepted by the payer, later debits refused 00151")
    },
];

/// What may be kept of a card: never its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardUse {
    pub first6: String,
    pub last2: String,
    pub expiry_aamm: String,
    pub issuer: TestCard,
    /// 64 hexadecimal digits that are the same for the same card.
    pub fingerprint: String,
    /// 40 hexadecimal digits, what PPPS answers under `SHA-1`.
    pub sha1: String,
}

impl CardUse {
    #[must_use]
    pub fn new(number: &str, expiry_aamm: String) -> Self {
        Self {
            first6: number.get(..6).unwrap_or_default().to_owned(),
            last2: number.get(number.len().saturating_sub(2)..).unwrap_or_default().to_owned(),
            expiry_aamm,
            issuer: find(number),
            fingerprint: fingerprint(number),
            sha1: hex(&<Sha1 as sha1::Digest>::digest(salted(number))),
        }
    }
}

/// What tells a card from another one without its number.
#[must_use]
pub fn fingerprint(number: &str) -> String {
    hex(&Sha256::digest(salted(number)))
}

fn salted(number: &str) -> String {
    format!("sandbox fingerprint {number}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The card behind a number that satisfies Luhn.
#[must_use]
pub fn find(number: &str) -> TestCard {
    if let Some(known) = TEST_CARDS.iter().find(|card| card.number == number) {
        return *known;
    }
    let card_type = match number.as_bytes() {
        [b'5', ..] | [b'2', ..] => "EUROCARD_MASTERCARD",
        [b'3', b'4' | b'7', ..] => "AMEX",
        [b'4', ..] => "VISA",
        _ => "CB",
    };
    card("", card_type, "00000", "any other Luhn-valid number is accepted")
}

/// Whether `number` is 12 to 19 digits whose last one is right.
#[must_use]
pub fn is_luhn_valid(number: &str) -> bool {
    if !(12..=19).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_card_satisfies_luhn_and_is_listed_once() {
        for card in TEST_CARDS {
            assert!(is_luhn_valid(card.number), "{} ends wrong", card.number);
            assert_eq!(TEST_CARDS.iter().filter(|other| other.number == card.number).count(), 1, "{}", card.number);
        }
    }

    #[test]
    fn the_public_bad_numbers_fail() {
        for number in ["1111222233335555", "4012001037141113", "9999999999999999", "4970", "", "49701000000001x4"] {
            assert!(!is_luhn_valid(number), "{number}");
        }
    }
}
