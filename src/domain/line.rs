//! Order lines: the recap that the payer reads, priced to the cent.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    fault::{Fault, FaultKind},
    money::{Currency, Money, MoneyError},
    text::Text,
};

/// The most lines an order may have.
pub const MAX_LINES: usize = 100;
/// The longest code of a line, in characters.
pub const MAX_CODE: usize = 40;
/// The longest label or beneficiary, in characters.
pub const MAX_LABEL: usize = 200;

/// One product of an order, priced excluding VAT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The portal's code of the product or fee category, `D1`.
    pub code: Text,
    /// `Droits de scolarité`.
    pub label: Text,
    /// The registered person, when that is not the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<Text>,
    pub quantity: Decimal,
    pub unit_price: Money,
    /// 0 to 100.
    pub discount_percent: Decimal,
    /// VAT rate in percent, 0 to 100; 0 where the sale is outside VAT.
    pub vat_rate: Decimal,
}

/// What a line, or a whole order, comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub excluding_vat: Money,
    pub vat: Money,
    pub including_vat: Money,
}

impl Totals {
    fn zero(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { excluding_vat: zero, vat: zero, including_vat: zero }
    }

    fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self {
            excluding_vat: self.excluding_vat.plus(other.excluding_vat)?,
            vat: self.vat.plus(other.vat)?,
            including_vat: self.including_vat.plus(other.including_vat)?,
        })
    }
}

impl Line {
    /// The line's totals: the net amount and its VAT, each rounded half-up to the minor unit.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] when they exceed what an order may cost.
    pub fn totals(&self) -> Result<Totals, MoneyError> {
        let currency = self.unit_price.currency();
        let exact = self
            .quantity
            .checked_mul(Decimal::from(self.unit_price.minor_units()))
            .and_then(|price| price.checked_mul(Decimal::ONE_HUNDRED - self.discount_percent))
            .ok_or(MoneyError::OutOfRange)?;
        let excluding_vat = Money::round_half_up(exact / Decimal::ONE_HUNDRED, currency)?;
        let exact_vat = Decimal::from(excluding_vat.minor_units()) * self.vat_rate / Decimal::ONE_HUNDRED;
        let vat = Money::round_half_up(exact_vat, currency)?;
        Ok(Totals { excluding_vat, vat, including_vat: excluding_vat.plus(vat)? })
    }

    fn faults(&self, pointer: &str, currency: Currency) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut bounded = |field: &str, value: Decimal, min: &'static str, max: &'static str, decimals: u32| {
            let within = |bound: &str| bound.parse::<Decimal>().unwrap_or_default();
            if value < within(min) || value > within(max) || value.normalize().scale() > decimals {
                let kind = FaultKind::DecimalOutOfRange { min, max, decimals };
                faults.push(Fault::new(format!("{pointer}/{field}"), kind));
            }
        };
        bounded("quantity", self.quantity, "0", "100000", 4);
        bounded("discount_percent", self.discount_percent, "0", "100", 4);
        bounded("vat_rate", self.vat_rate, "0", "100", 4);
        if self.unit_price.currency() != currency {
            faults.push(Fault::new(format!("{pointer}/unit_price/currency"), FaultKind::CurrencyMismatch));
        } else if faults.is_empty() && self.totals().is_err() {
            faults.push(Fault::new(pointer.to_owned(), FaultKind::AmountOutOfRange));
        }
        faults
    }
}

/// What all lines come to.
///
/// # Errors
/// Every fault of every line, or that there is none or too many of them.
pub fn total_of(lines: &[Line], currency: Currency) -> Result<Totals, Vec<Fault>> {
    if lines.is_empty() {
        return Err(vec![Fault::new("/lines", FaultKind::NoLines)]);
    }
    if lines.len() > MAX_LINES {
        return Err(vec![Fault::new("/lines", FaultKind::TooMany { max: MAX_LINES })]);
    }
    let faults: Vec<Fault> =
        lines.iter().enumerate().flat_map(|(index, line)| line.faults(&format!("/lines/{index}"), currency)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    lines
        .iter()
        .try_fold(Totals::zero(currency), |sum, line| sum.plus(line.totals()?))
        .map_err(|_| vec![Fault::new("/lines", FaultKind::AmountOutOfRange)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: &str, unit_price: i64, discount: &str, vat: &str) -> Line {
        Line {
            code: Text::parse("D1", MAX_CODE).unwrap(),
            label: Text::parse("Droits de scolarité", MAX_LABEL).unwrap(),
            beneficiary: None,
            quantity: quantity.parse().unwrap(),
            unit_price: Money::new(unit_price, Currency::Eur).unwrap(),
            discount_percent: discount.parse().unwrap(),
            vat_rate: vat.parse().unwrap(),
        }
    }

    #[test]
    fn lines_are_priced_to_the_cent() {
        for (quantity, unit_price, discount, vat, expected) in [
            ("1", 377_000, "0", "0.00", (377_000, 0, 377_000)), // the school's own recap
            ("1", 61_800, "0", "0", (61_800, 0, 61_800)),
            ("3", 333, "0", "20", (999, 200, 1_199)), // 199.8 goes up
            ("0.5", 1, "0", "0", (1, 0, 1)),          // half a cent goes up
            ("1", 1_000, "33.333", "5.5", (667, 37, 704)),
            ("1", 0, "0", "20", (0, 0, 0)), // a free category
            ("2", 100, "100", "20", (0, 0, 0)),
        ] {
            let totals = line(quantity, unit_price, discount, vat).totals().unwrap();
            let seen =
                (totals.excluding_vat.minor_units(), totals.vat.minor_units(), totals.including_vat.minor_units());
            assert_eq!(seen, expected, "{quantity} x {unit_price} -{discount}% +{vat}%");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut other_currency = line("1", 100, "0", "0");
        other_currency.unit_price = Money::new(100, Currency::Usd).unwrap();
        let lines = [line("-1", 100, "101", "0"), other_currency, line("100000", 9_999_999_999, "0", "0")];
        let pointers: Vec<String> =
            total_of(&lines, Currency::Eur).unwrap_err().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(
            pointers,
            ["/lines/0/quantity", "/lines/0/discount_percent", "/lines/1/unit_price/currency", "/lines/2"]
        );
        assert_eq!(total_of(&[], Currency::Eur).unwrap_err(), [Fault::new("/lines", FaultKind::NoLines)]);
    }
}
