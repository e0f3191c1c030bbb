//! The cardholder's address: which one, and whether PAYBOX can take it.

use crate::{
    domain::{
        checkout::Billing,
        fault::{Fault, FaultKind},
        payer::{Payer, PostalAddress},
        text::{Text, TextFault},
    },
    paybox::{
        billing::{self, BillingAddress, BillingError, Change, CleanAddress, MAX_RAW_CHARACTERS},
        country::CountryCode,
        phone::MobilePhone,
    },
};

use super::{Error, merchant::WithoutBilling};

/// What the payer chose on the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillingChoice {
    /// One of the addresses that came with the order, by its id, with what the payer changed in it.
    Prefilled {
        id: Text,
        edits: Box<AddressEdits>,
    },
    New(Box<PostalAddress>),
    None,
}

/// Parts of an address that replace the known ones. `address2` and `mobile_phone` can be emptied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressEdits {
    pub first_name: Option<Text>,
    pub last_name: Option<Text>,
    pub address1: Option<Text>,
    pub address2: Option<Option<Text>>,
    pub zip_code: Option<Text>,
    pub city: Option<Text>,
    pub country: Option<Text>,
    pub mobile_phone: Option<Option<Text>>,
}

impl AddressEdits {
    fn apply(&self, known: &PostalAddress) -> PostalAddress {
        let pick = |edit: &Option<Text>, known: &Text| edit.clone().unwrap_or_else(|| known.clone());
        let pick_optional =
            |edit: &Option<Option<Text>>, known: &Option<Text>| edit.clone().unwrap_or_else(|| known.clone());
        PostalAddress {
            first_name: pick(&self.first_name, &known.first_name),
            last_name: pick(&self.last_name, &known.last_name),
            address1: pick(&self.address1, &known.address1),
            address2: pick_optional(&self.address2, &known.address2),
            zip_code: pick(&self.zip_code, &known.zip_code),
            city: pick(&self.city, &known.city),
            country: pick(&self.country, &known.country),
            mobile_phone: pick_optional(&self.mobile_phone, &known.mobile_phone),
        }
    }
}

/// The address that goes with a checkout, found fit for PAYBOX, and what had to be changed in it.
///
/// # Errors
/// [`Error::Faults`] for an unknown or unusable address, [`Error::BillingRequired`] where the merchant needs one.
pub(super) fn resolve(
    choice: &BillingChoice,
    payer: &Payer,
    without: WithoutBilling,
) -> Result<(Billing, Vec<Change>), Error> {
    let address = match choice {
        BillingChoice::New(address) => (**address).clone(),
        BillingChoice::Prefilled { id, edits } => {
            let known = payer.addresses.iter().find(|known| known.id == *id);
            let unknown = || Error::Faults(vec![Fault::new("/billing/address_id", FaultKind::Unknown)]);
            edits.apply(&known.ok_or_else(unknown)?.address)
        }
        BillingChoice::None => {
            return match without {
                WithoutBilling::Omit => Ok((Billing::Omitted, Vec::new())),
                WithoutBilling::Placeholder => Ok((Billing::Placeholder, Vec::new())),
                WithoutBilling::Refuse => Err(Error::BillingRequired),
            };
        }
    };
    let (_, changes) = clean(&address, "/billing/address").map_err(Error::Faults)?;
    Ok((Billing::Address { address }, changes))
}

/// `address` as PAYBOX takes it, and what was changed.
///
/// # Errors
/// Its faults, at `pointer`.
pub(super) fn clean(address: &PostalAddress, pointer: &str) -> Result<(CleanAddress, Vec<Change>), Vec<Fault>> {
    let country = CountryCode::parse(address.country.as_str());
    let mobile = address.mobile_phone.as_ref().map(|phone| MobilePhone::parse(phone.as_str())).transpose();
    let (country, mobile) = match (country, mobile) {
        (Ok(country), Ok(mobile)) => (country, mobile),
        (country, mobile) => {
            let at = |field: &str, kind| Fault::new(format!("{pointer}/{field}"), kind);
            return Err(country
                .err()
                .map(|_| at("country", FaultKind::CountryUnknown))
                .into_iter()
                .chain(mobile.err().map(|_| at("mobile_phone", FaultKind::PhoneInvalid)))
                .collect());
        }
    };
    let text = |text: &Text| text.as_str().to_owned();
    let raw = BillingAddress {
        first_name: text(&address.first_name),
        last_name: text(&address.last_name),
        address1: text(&address.address1),
        address2: address.address2.as_ref().map(text),
        zip_code: text(&address.zip_code),
        city: text(&address.city),
        country,
        mobile,
    };
    billing::normalise(&raw).map_err(|error| {
        let (field, kind) = match error {
            BillingError::Empty(field) => (field, FaultKind::NothingLeft),
            BillingError::TooLong(field) => (field, FaultKind::Text(TextFault::TooLong { max: MAX_RAW_CHARACTERS })),
        };
        vec![Fault::new(format!("{pointer}/{}", field.name()), kind)]
    })
}
