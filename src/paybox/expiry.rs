//! The end of a card's validity as PAYBOX writes it. The page writes `YYMM`, questions want `MMYY`: the order is chosen by
//! name here, never by cutting text elsewhere.

use crate::domain::card::CardEnd;

/// Reads `YYMM`, as the page sends it; `None` when it is no month of the years 2000 to 2099.
pub fn from_yymm(text: &str) -> Option<CardEnd> {
    if text.len() != 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month) = text.split_at_checked(2)?;
    let year: i16 = year.parse().ok()?;
    CardEnd::new(2000 + year, month.parse().ok()?)
}

/// `YYMM`, as the page wants it.
pub fn to_yymm(end: CardEnd) -> String {
    format!("{:02}{:02}", end.year() % 100, end.month())
}

/// `MMYY`, as questions want it.
pub fn to_mmyy(end: CardEnd) -> String {
    format!("{:02}{:02}", end.month(), end.year() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_swap_by_name() {
        let end = from_yymm("2709").unwrap();
        assert_eq!((end.year(), end.month()), (2027, 9));
        assert_eq!((to_yymm(end).as_str(), to_mmyy(end).as_str()), ("2709", "0927"));
    }

    #[test]
    fn only_months_are_read() {
        for bad in ["0927", "2700", "2713", "270", "27090", "27a1", "+709", "", "²7"] {
            // `0927` is the month-first order, and no month 27 exists: the mistake is loud.
            assert_eq!(from_yymm(bad), None, "{bad}");
        }
    }
}
