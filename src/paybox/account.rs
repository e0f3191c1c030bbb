//! Which contract a form or a question is for.

use crate::paybox::field::{FieldError, FieldName};

/// A merchant's contract at PAYBOX: site of seven digits, rank of two or three, identifier of one to nine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    site: String,
    rang: String,
    identifiant: String,
}

impl Account {
    /// # Errors
    /// [`FieldError`] naming the field that is not of its shape.
    pub fn new(
        site: impl Into<String>,
        rang: impl Into<String>,
        identifiant: impl Into<String>,
    ) -> Result<Self, FieldError> {
        let (site, rang, identifiant) = (site.into(), rang.into(), identifiant.into());
        FieldName::Site.check(&site)?;
        FieldName::Rang.check(&rang)?;
        FieldName::Identifiant.check(&identifiant)?;
        Ok(Self { site, rang, identifiant })
    }

    pub fn site(&self) -> &str {
        &self.site
    }

    /// As configured, two or three digits; PAYBOX may echo it with another padding.
    pub fn rang(&self) -> &str {
        &self.rang
    }

    pub fn identifiant(&self) -> &str {
        &self.identifiant
    }
}
