//! Payers' accounts.

use jiff::{Timestamp, ToSpan, civil::Date};

use super::{App, Error, access::Caller};
use crate::domain::{ids::MerchantId, order::Order, position::Position};

/// An account, and the day that it is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionOn {
    pub on: Date,
    /// The instant up to which what happened counts.
    pub as_of: Timestamp,
    pub position: Position,
}

impl App {
    /// The account of a payer at the end of a day, or now.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn position(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        payer: &str,
        on: Option<Date>,
    ) -> Result<PositionOn, Error> {
        let orders = self.orders_of(caller, merchant, payer).await?;
        let merchant = self.merchant(merchant)?;
        let now = self.now();
        let today = merchant.policy.day(None, now);
        let on = on.unwrap_or(today);
        let as_of = if on >= today { now } else { end_of(on, merchant.policy.zone.clone()).unwrap_or(now) };
        Ok(PositionOn { on, as_of, position: Position::of(&orders, merchant.currency, as_of) })
    }

    /// Every order of a payer.
    async fn orders_of(&self, caller: &Caller, merchant: &MerchantId, payer: &str) -> Result<Vec<Order>, Error> {
        let found = self.all_labelled(caller, merchant, &[("payer", payer.to_owned())]).await?;
        Ok(found.into_iter().map(|versioned| versioned.order).collect())
    }
}

/// The last microsecond of a day.
fn end_of(day: Date, zone: jiff::tz::TimeZone) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?.to_zoned(zone).ok()?;
    next.timestamp().checked_sub(1.microsecond()).ok()
}
