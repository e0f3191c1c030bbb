//! Names of things. Made by the caller (a port makes them), never by the core.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// One of the contracts with PAYBOX this gateway serves, as configured: 1 to 32 of `a-z0-9-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MerchantId(String);

/// An order's id, `ord_` and 32 hexadecimal digits, increasing with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(u128);

/// Which of an order's checkouts, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckoutNumber(pub u32);

/// What the bank knows a checkout or an attempt by; unique within the merchant, at most 50 of `A-Za-z0-9._-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

/// What the bank keeps a payer's card under: another for each page, unique within the merchant, never used again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriberReference(String);

/// SHA-256 of a page's secret token, in hexadecimal: what the store may know of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenDigest(pub String);

/// A name that does not have its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("a merchant is named by 1 to 32 characters of a-z, 0-9 and -")]
    Merchant,
    #[error("an order is named by ord_ and 32 hexadecimal digits")]
    Order,
}

impl MerchantId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MerchantId {
    type Err = IdError;

    fn from_str(raw: &str) -> Result<Self, IdError> {
        let fits = (1..=32).contains(&raw.len())
            && raw.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(raw.to_owned())) } else { Err(IdError::Merchant) }
    }
}

impl fmt::Display for MerchantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl OrderId {
    /// The id of these 128 bits; a UUID v7 keeps ids in the order of their making.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    fn hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ord_{}", self.hex())
    }
}

impl FromStr for OrderId {
    type Err = IdError;

    fn from_str(raw: &str) -> Result<Self, IdError> {
        let hex = raw.strip_prefix("ord_").ok_or(IdError::Order)?;
        let fits = hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !fits {
            return Err(IdError::Order);
        }
        u128::from_str_radix(hex, 16).map(Self).map_err(|_| IdError::Order)
    }
}

impl Serialize for OrderId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OrderId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The longest prefix a merchant may put before its references: with it, the longest reference has 50 characters.
pub const MAX_PREFIX: usize = 6;

impl Reference {
    /// Of an order's checkout. `prefix` keeps merchants and installations that share a SITE apart.
    pub fn of_checkout(prefix: &str, order: OrderId, instalment: u32, checkout: CheckoutNumber) -> Self {
        Self(format!("{prefix}-{}-{instalment}-c{}", order.hex(), checkout.0))
    }

    /// Of the `attempt`th try at giving back what `checkout` brought in too much.
    pub fn of_give_back(prefix: &str, order: OrderId, give_back: u32, attempt: u32) -> Self {
        Self(format!("{prefix}-{}-g{give_back}-a{attempt}", order.hex()))
    }

    /// Of the `attempt`th debit of an instalment.
    pub fn of_debit(prefix: &str, order: OrderId, instalment: u32, attempt: u32) -> Self {
        Self(format!("{prefix}-{}-{instalment}-d{attempt}", order.hex()))
    }

    /// Of the `attempt`th try at capturing what is held for a plan.
    pub fn of_capture(prefix: &str, order: OrderId, hold: u32, attempt: u32) -> Self {
        Self(format!("{prefix}-{}-h{hold}-a{attempt}", order.hex()))
    }

    /// A reference that came back from the bank; it is only ever looked up.
    pub fn received(raw: &str) -> Self {
        Self(raw.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SubscriberReference {
    /// Of the card that a checkout's page registers.
    pub fn of_checkout(prefix: &str, order: OrderId, checkout: CheckoutNumber) -> Self {
        Self(format!("{prefix}-{}-s{}", order.hex(), checkout.0))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubscriberReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text() {
        let id = OrderId::from_bits(0x019f_3c2a_7b1e_7c3d_9a55_2b8f_1e0d_4c6a);
        assert_eq!(id.to_string(), "ord_019f3c2a7b1e7c3d9a552b8f1e0d4c6a");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "ord_", "ord_019F3C2A7B1E7C3D9A552B8F1E0D4C6A", "ord_+19f3c2a7b1e7c3d9a552b8f1e0d4c6a", "x"] {
            assert_eq!(bad.parse::<OrderId>(), Err(IdError::Order), "{bad}");
        }
        for bad in ["", "École", "a b", "A", "a_very_long_name_of_a_merchant_more_than_32"] {
            assert_eq!(bad.parse::<MerchantId>(), Err(IdError::Merchant), "{bad}");
        }
    }

    #[test]
    fn the_longest_references_fit_fifty_characters() {
        let order = OrderId::from_bits(u128::MAX);
        let prefix = "P".repeat(MAX_PREFIX);
        assert!(Reference::of_checkout(&prefix, order, 12, CheckoutNumber(9999)).as_str().len() <= 50);
        assert!(Reference::of_give_back(&prefix, order, 999, 99).as_str().len() <= 50);
        assert!(Reference::of_capture(&prefix, order, 999, 99).as_str().len() <= 50);
        assert!(Reference::of_debit(&prefix, order, 12, 99).as_str().len() <= 50);
    }
}
