//! The end of a card's validity. The page writes it `YYMM`, questions want `MMYY`: the order is chosen by name here, never
//! by cutting text elsewhere.

use serde::{Deserialize, Serialize};

/// A month of the years 2000 to 2099; the card is good to the end of it. Ordered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expiry {
    year: i16,
    month: i8,
}

/// Not a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a month of the years 2000 to 2099")]
pub struct NotAMonth;

impl Expiry {
    /// # Errors
    /// [`NotAMonth`] outside January 2000 to December 2099.
    pub fn new(year: i16, month: i8) -> Result<Self, NotAMonth> {
        if (2000..=2099).contains(&year) && (1..=12).contains(&month) {
            Ok(Self { year, month })
        } else {
            Err(NotAMonth)
        }
    }

    /// Reads `YYMM`, as the page sends it.
    ///
    /// # Errors
    /// [`NotAMonth`].
    pub fn from_yymm(text: &str) -> Result<Self, NotAMonth> {
        if text.len() != 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAMonth);
        }
        let (year, month) = text.split_at_checked(2).ok_or(NotAMonth)?;
        let year: i16 = year.parse().map_err(|_| NotAMonth)?;
        Self::new(2000 + year, month.parse().map_err(|_| NotAMonth)?)
    }

    /// `YYMM`, as the page wants it.
    pub fn to_yymm(self) -> String {
        format!("{:02}{:02}", self.year % 100, self.month)
    }

    /// `MMYY`, as questions want it.
    pub fn to_mmyy(self) -> String {
        format!("{:02}{:02}", self.month, self.year % 100)
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
impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        format!("{:04}-{:02}", expiry.year, expiry.month)
    }
}

impl TryFrom<String> for Expiry {
    type Error = NotAMonth;

    fn try_from(text: String) -> Result<Self, NotAMonth> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(NotAMonth);
        }
        Self::new(year.parse().map_err(|_| NotAMonth)?, month.parse().map_err(|_| NotAMonth)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_swap_by_name() {
        let expiry = Expiry::from_yymm("2709").unwrap();
        assert_eq!((expiry.year(), expiry.month()), (2027, 9));
        assert_eq!((expiry.to_yymm().as_str(), expiry.to_mmyy().as_str()), ("2709", "0927"));
        assert_eq!(serde_json::to_string(&expiry).unwrap(), "\"2027-09\"");
        assert_eq!(serde_json::from_str::<Expiry>("\"2027-09\"").unwrap(), expiry);
    }

    #[test]
    fn only_months_are_read() {
        for bad in ["0927", "2700", "2713", "270", "27090", "27a1", "+709", "", "²7"] {
            // `0927` is the month-first order, and no month 27 exists: the mistake is loud.
            assert_eq!(Expiry::from_yymm(bad), Err(NotAMonth), "{bad}");
        }
        assert!(Expiry::from_yymm("2612").unwrap() < Expiry::from_yymm("2701").unwrap());
    }
}
