//! Which cards an instalment plan takes: the later debits must have a chance.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::planted::{self, Bug};

/// The end of a card's validity: a month of the years 2000 to 2099, good to its last day. Ordered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardEnd {
    year: i16,
    month: i8,
}

/// Not a month of the years 2000 to 2099.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a month of the years 2000 to 2099")]
pub struct NotACardEnd;

/// What was learnt of the card that paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFacts {
    /// What kinds it is of, one card being of several: CB and VISA, or E_CARD.
    pub types: Vec<String>,
    pub end: Option<CardEnd>,
    /// Its number's first six digits.
    pub first6: Option<String>,
    /// Its number's last two digits.
    pub last2: Option<String>,
    /// Whether the payer was authenticated by the card's bank.
    pub authenticated: Option<bool>,
}

/// What a merchant asks of cards besides what every plan does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardRules {
    /// Kinds that are refused.
    pub refused_types: Vec<String>,
    /// Beginnings of refused numbers; no more than the six digits that are known of a number count.
    pub refused_bins: Vec<String>,
    /// Whether a payer who was not authenticated is refused.
    pub authentication_required: bool,
}

/// Why a plan does not take a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum CardRefusal {
    /// A number made for one purchase or a short while.
    VirtualCard,
    /// It ends before the last instalment is due.
    ExpiresTooSoon,
    /// Of a kind that this merchant or template does not take.
    TypeRefused {
        card_type: String,
    },
    /// Its number begins as one that this merchant does not take.
    BinRefused,
    NotAuthenticated,
    /// What would decide was not told.
    NotKnown,
    /// What was told of the card does not agree.
    Contradictory,
    /// The bank did not capture what it had authorised.
    CaptureRefused,
    /// The authorisation came when it could no longer begin the plan.
    TooLate,
    /// The plan was withdrawn, or begun with another card.
    NotWanted,
}

/// What virtual cards are called.
const VIRTUAL: &str = "E_CARD";
/// How many digits of a card's number are known.
const KNOWN_DIGITS: usize = 6;

/// Whether a plan whose last instalment is due on `last_due` takes the card.
///
/// # Errors
/// [`CardRefusal`] with the first reason there is.
pub fn judge(facts: &CardFacts, last_due: Date, rules: &CardRules) -> Result<(), CardRefusal> {
    let types: Vec<String> = facts.types.iter().flat_map(|types| split(types)).map(canonical).collect();
    if types.contains(&canonical(VIRTUAL)) && !planted::is(Bug::VirtualCardTaken) {
        return Err(CardRefusal::VirtualCard);
    }
    if let Some(card_type) = rules.refused_types.iter().find(|refused| types.contains(&canonical(refused))) {
        return Err(CardRefusal::TypeRefused { card_type: card_type.clone() });
    }
    let end = facts.end.filter(|_| !types.is_empty()).ok_or(CardRefusal::NotKnown)?;
    if !end.covers(last_due) {
        return Err(CardRefusal::ExpiresTooSoon);
    }
    if !rules.refused_bins.is_empty() {
        let first6 = facts.first6.as_deref().filter(|digits| is_known(digits)).ok_or(CardRefusal::NotKnown)?;
        let is_refused = |bin: &String| first6.starts_with(bin.get(..KNOWN_DIGITS).unwrap_or(bin));
        if rules.refused_bins.iter().any(is_refused) {
            return Err(CardRefusal::BinRefused);
        }
    }
    if rules.authentication_required && facts.authenticated != Some(true) {
        return Err(CardRefusal::NotAuthenticated);
    }
    Ok(())
}

/// The kinds that a list with commas names.
pub fn split(types: &str) -> impl Iterator<Item = &str> {
    types.split(',').map(str::trim).filter(|card_type| !card_type.is_empty())
}

/// The name of a kind without what is written in several ways: E_CARD, e-card and "E Card" are one.
fn canonical(card_type: &str) -> String {
    card_type.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

fn is_known(digits: &str) -> bool {
    digits.len() == KNOWN_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl CardEnd {
    /// `None` outside January 2000 to December 2099.
    pub fn new(year: i16, month: i8) -> Option<Self> {
        ((2000..=2099).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// The month of `day`; `None` as in [`CardEnd::new`].
    pub fn month_of(day: Date) -> Option<Self> {
        Self::new(day.year(), day.month())
    }

    /// Whether the card is still good on `day`.
    pub fn covers(self, day: Date) -> bool {
        (day.year(), day.month()) <= (self.year, self.month)
    }

    pub fn year(self) -> i16 {
        self.year
    }

    /// 1 to 12.
    pub fn month(self) -> i8 {
        self.month
    }
}

/// `YYYY-MM`, so that no stored value can be read in the other order.
impl From<CardEnd> for String {
    fn from(end: CardEnd) -> Self {
        format!("{:04}-{:02}", end.year, end.month)
    }
}

impl TryFrom<String> for CardEnd {
    type Error = NotACardEnd;

    fn try_from(text: String) -> Result<Self, NotACardEnd> {
        let is_plain = text.len() == 7 && text.bytes().filter(u8::is_ascii_digit).count() == 6;
        let (year, month) = text.split_once('-').filter(|(year, _)| is_plain && year.len() == 4).ok_or(NotACardEnd)?;
        let (year, month) = (year.parse().map_err(|_| NotACardEnd)?, month.parse().map_err(|_| NotACardEnd)?);
        Self::new(year, month).ok_or(NotACardEnd)
    }
}

impl CardRules {
    /// These rules, with more kinds refused: those of a plan's template.
    #[must_use]
    pub fn refusing(&self, types: &[String]) -> Self {
        let mut rules = self.clone();
        rules.refused_types.extend_from_slice(types);
        rules
    }
}

impl CardRefusal {
    /// The reason in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::VirtualCard => "virtual_card",
            Self::ExpiresTooSoon => "expires_too_soon",
            Self::TypeRefused { .. } => "type_refused",
            Self::BinRefused => "bin_refused",
            Self::NotAuthenticated => "not_authenticated",
            Self::NotKnown => "not_known",
            Self::Contradictory => "contradictory",
            Self::CaptureRefused => "capture_refused",
            Self::TooLate => "too_late",
            Self::NotWanted => "not_wanted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(types: &[&str], end: &str) -> CardFacts {
        CardFacts {
            types: types.iter().map(|card_type| (*card_type).to_owned()).collect(),
            end: CardEnd::try_from(end.to_owned()).ok(),
            first6: Some("401200".to_owned()),
            last2: Some("12".to_owned()),
            authenticated: Some(true),
        }
    }

    fn last_due() -> Date {
        "2022-08-10".parse().unwrap()
    }

    #[test]
    fn kinds_and_ends() {
        use CardRefusal::{ExpiresTooSoon, NotKnown, VirtualCard};
        let rules =
            CardRules { refused_types: vec!["MAESTRO".to_owned(), "Visa Electron".to_owned()], ..<_>::default() };
        let refused = |card_type: &str| Err(CardRefusal::TypeRefused { card_type: card_type.to_owned() });
        for (types, end, expected) in [
            (&["CB", "VISA"][..], "2024-01", Ok(())),
            (&["CB,VISA"], "2024-01", Ok(())),
            (&["CB"], "2022-08", Ok(())),
            (&["CB"], "2022-07", Err(ExpiresTooSoon)),
            (&["CB"], "2021-12", Err(ExpiresTooSoon)),
            (&["E_CARD"], "2024-01", Err(VirtualCard)),
            (&["CB", "VISA", "E_CARD"], "2024-01", Err(VirtualCard)),
            (&["CB,VISA,E_CARD"], "2024-01", Err(VirtualCard)),
            (&[" e-card "], "2024-01", Err(VirtualCard)),
            (&["E Card"], "2024-01", Err(VirtualCard)),
            // Whatever else is wrong or missing with it.
            (&["E_CARD"], "2021-12", Err(VirtualCard)),
            (&["E_CARD"], "", Err(VirtualCard)),
            (&["CB", "maestro"], "2024-01", refused("MAESTRO")),
            (&["VISA_ELECTRON"], "2024-01", refused("Visa Electron")),
            (&["VISA"], "2024-01", Ok(())),
            (&["CB"], "", Err(NotKnown)),
            (&[], "2024-01", Err(NotKnown)),
            (&["", " , "], "2024-01", Err(NotKnown)),
            (&[], "", Err(NotKnown)),
        ] {
            assert_eq!(judge(&facts(types, end), last_due(), &rules), expected, "{types:?} {end}");
        }
        assert_eq!(judge(&CardFacts::default(), last_due(), &CardRules::default()), Err(NotKnown));
        let of_template = CardRules::default().refusing(&["PREPAID".to_owned()]);
        assert_eq!(judge(&facts(&["CB", "PREPAID"], "2024-01"), last_due(), &of_template), refused("PREPAID"));
    }

    #[test]
    fn beginnings_of_numbers() {
        for (bins, first6, expected) in [
            (&["401200"][..], Some("401200"), Err(CardRefusal::BinRefused)),
            (&["40"], Some("401200"), Err(CardRefusal::BinRefused)),
            (&["5", "4012"], Some("401200"), Err(CardRefusal::BinRefused)),
            // Only six digits are known.
            (&["40120099"], Some("401200"), Err(CardRefusal::BinRefused)),
            (&["401201", "5"], Some("401200"), Ok(())),
            (&["5"], None, Err(CardRefusal::NotKnown)),
            (&["5"], Some("4012"), Err(CardRefusal::NotKnown)),
            (&["5"], Some("4012XX"), Err(CardRefusal::NotKnown)),
            (&[], None, Ok(())),
        ] {
            let refused_bins = bins.iter().map(|bin| (*bin).to_owned()).collect();
            let rules = CardRules { refused_bins, ..CardRules::default() };
            let facts = CardFacts { first6: first6.map(str::to_owned), ..facts(&["CB"], "2024-01") };
            assert_eq!(judge(&facts, last_due(), &rules), expected, "{bins:?} {first6:?}");
        }
    }

    #[test]
    fn authentication_counts_where_it_is_asked_for() {
        for (required, authenticated, expected) in [
            (true, Some(true), Ok(())),
            (true, Some(false), Err(CardRefusal::NotAuthenticated)),
            (true, None, Err(CardRefusal::NotAuthenticated)),
            (false, Some(false), Ok(())),
            (false, None, Ok(())),
        ] {
            let rules = CardRules { authentication_required: required, ..CardRules::default() };
            let facts = CardFacts { authenticated, ..facts(&["CB"], "2024-01") };
            assert_eq!(judge(&facts, last_due(), &rules), expected, "{required} {authenticated:?}");
        }
    }

    #[test]
    fn a_card_is_good_to_the_end_of_its_month() {
        let end = CardEnd::new(2027, 2).unwrap();
        for (day, good) in [("2027-02-28", true), ("2027-03-01", false), ("2026-12-31", true), ("2028-01-01", false)] {
            assert_eq!(end.covers(day.parse().unwrap()), good, "{day}");
        }
        assert_eq!(CardEnd::month_of("2027-02-10".parse().unwrap()), Some(end));
        assert!(end < CardEnd::new(2027, 3).unwrap() && CardEnd::new(2026, 12).unwrap() < end);
        assert_eq!(serde_json::to_string(&end).unwrap(), "\"2027-02\"");
        assert_eq!(serde_json::from_str::<CardEnd>("\"2027-02\"").unwrap(), end);
        for bad in ["", "2027", "2027-2", "2027-13", "2027-00", "1999-12", "2100-01", "02-2027", "20270-2", "+027-02"] {
            assert_eq!(CardEnd::try_from(bad.to_owned()), Err(NotACardEnd), "{bad}");
        }
    }

    #[test]
    fn refusals_are_stored_by_name() {
        for refusal in [
            CardRefusal::VirtualCard,
            CardRefusal::ExpiresTooSoon,
            CardRefusal::TypeRefused { card_type: "MAESTRO".to_owned() },
            CardRefusal::BinRefused,
            CardRefusal::NotAuthenticated,
            CardRefusal::NotKnown,
            CardRefusal::Contradictory,
            CardRefusal::CaptureRefused,
            CardRefusal::TooLate,
            CardRefusal::NotWanted,
        ] {
            let stored = serde_json::to_value(&refusal).unwrap();
            assert_eq!(stored["refusal"], refusal.name());
            assert_eq!(serde_json::from_value::<CardRefusal>(stored).unwrap(), refusal);
        }
    }
}
