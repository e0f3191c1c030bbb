//! Orders and checkouts as portals write them: parsed once, here, into the core's own types, all faults at once.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::money_in::MoneyIn;
use crate::{
    app::{
        billing::{AddressEdits, BillingChoice},
        checkout::{CheckoutRequest, Pays},
    },
    domain::{
        checkout::{Challenge, Locale},
        fault::{Fault, FaultKind},
        ids::{MerchantId, OrderId},
        line::{Line, MAX_CODE, MAX_LABEL, MAX_LINES},
        money::{Currency, Money},
        order::NewOrder,
        payer::{Email, KnownAddress, MAX_ADDRESS_TEXT, MAX_ADDRESSES, MAX_PORTAL_REFERENCE, Payer, PostalAddress},
        text::Text,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderIn {
    /// May be left out by keys of a single merchant.
    pub(super) merchant: Option<String>,
    reference: String,
    currency: Currency,
    payer: PayerIn,
    lines: Vec<LineIn>,
    locale: Option<Locale>,
    challenge: Option<Challenge>,
    replaces: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayerIn {
    reference: String,
    email: String,
    first_name: String,
    last_name: String,
    #[serde(default)]
    addresses: Vec<KnownAddressIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownAddressIn {
    id: String,
    first_name: Option<String>,
    last_name: Option<String>,
    address1: String,
    address2: Option<String>,
    zip_code: String,
    city: String,
    country: String,
    mobile_phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    code: String,
    label: String,
    beneficiary: Option<String>,
    quantity: String,
    unit_price: MoneyIn,
    #[serde(default = "zero")]
    discount_percent: String,
    vat_rate: String,
}

fn zero() -> String {
    "0".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckoutIn {
    billing: BillingIn,
    return_url: String,
    locale: Option<Locale>,
    /// Of a plan's first instalment: what the payer accepted.
    accepted_terms: Option<String>,
    /// Of an active plan.
    instalment: Option<u32>,
    /// Of an active plan: more than one instalment, or none.
    pays: Option<PaysIn>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PaysIn {
    /// All that is unpaid, early.
    Rest,
    /// What is past due, by a card that serves from then on.
    AnotherCard,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BillingIn {
    mode: BillingMode,
    address_id: Option<String>,
    address: Option<AddressIn>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BillingMode {
    Prefilled,
    New,
    None,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressIn {
    first_name: Option<String>,
    last_name: Option<String>,
    address1: Option<String>,
    address2: Option<String>,
    zip_code: Option<String>,
    city: Option<String>,
    country: Option<String>,
    mobile_phone: Option<String>,
}

/// Gathers faults while values are parsed; a value with a fault is replaced so that the next ones are still looked at.
#[derive(Default)]
struct Parser {
    faults: Vec<Fault>,
}

impl Parser {
    fn fault<T>(&mut self, pointer: &str, kind: FaultKind) -> Option<T> {
        self.faults.push(Fault::new(pointer, kind));
        None
    }

    fn text(&mut self, pointer: &str, raw: &str, max: usize) -> Option<Text> {
        Text::parse(raw, max).map_or_else(|fault| self.fault(pointer, FaultKind::Text(fault)), Some)
    }

    /// An optional text; an empty one counts as none.
    fn optional(&mut self, pointer: &str, raw: Option<&str>, max: usize) -> Option<Text> {
        raw.filter(|raw| !raw.trim().is_empty()).and_then(|raw| self.text(pointer, raw, max))
    }

    fn decimal(&mut self, pointer: &str, raw: &str) -> Option<Decimal> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, decimals) = raw.split_once('.').unwrap_or((raw, "0"));
        let plain = raw.len() <= 30 && digits(whole) && digits(decimals);
        match raw.parse() {
            Ok(decimal) if plain => Some(decimal),
            _ => self.fault(pointer, FaultKind::WrongType),
        }
    }

    fn money(&mut self, pointer: &str, raw: MoneyIn) -> Option<Money> {
        raw.parse().or_else(|| self.fault(&format!("{pointer}/amount"), FaultKind::AmountOutOfRange))
    }

    fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.faults),
        }
    }
}

impl OrderIn {
    pub(super) fn parse(&self, id: OrderId, merchant: MerchantId) -> Result<NewOrder, Vec<Fault>> {
        let mut parser = Parser::default();
        let reference = parser.text("/reference", &self.reference, MAX_PORTAL_REFERENCE);
        let payer = self.payer.parse(&mut parser);
        if self.lines.len() > MAX_LINES {
            parser.fault::<()>("/lines", FaultKind::TooMany { max: MAX_LINES });
        }
        let lines: Vec<Option<Line>> = self
            .lines
            .iter()
            .take(MAX_LINES)
            .enumerate()
            .map(|(index, line)| line.parse(&format!("/lines/{index}"), &mut parser))
            .collect();
        let replaces = match self.replaces.as_deref().map(str::parse) {
            None => Some(None),
            Some(Ok(order)) => Some(Some(order)),
            Some(Err(_)) => parser.fault("/replaces", FaultKind::WrongType),
        };
        let order = (|| {
            Some(NewOrder {
                id,
                merchant,
                reference: reference?,
                payer: payer?,
                currency: self.currency,
                lines: lines.into_iter().collect::<Option<_>>()?,
                locale: self.locale.unwrap_or_default(),
                challenge: self.challenge,
                replaces: replaces?,
            })
        })();
        parser.finish(order)
    }
}

impl PayerIn {
    fn parse(&self, parser: &mut Parser) -> Option<Payer> {
        let reference = parser.text("/payer/reference", &self.reference, MAX_PORTAL_REFERENCE);
        let email = Email::parse(&self.email).or_else(|| parser.fault("/payer/email", FaultKind::EmailInvalid));
        let first_name = parser.text("/payer/first_name", &self.first_name, MAX_ADDRESS_TEXT);
        let last_name = parser.text("/payer/last_name", &self.last_name, MAX_ADDRESS_TEXT);
        if self.addresses.len() > MAX_ADDRESSES {
            parser.fault::<()>("/payer/addresses", FaultKind::TooMany { max: MAX_ADDRESSES });
        }
        let mut addresses: Vec<KnownAddress> = Vec::new();
        for (index, address) in self.addresses.iter().take(MAX_ADDRESSES).enumerate() {
            let pointer = format!("/payer/addresses/{index}");
            let id = parser.text(&format!("{pointer}/id"), &address.id, MAX_PORTAL_REFERENCE);
            let parsed = address.fields(self).parse(&pointer, parser);
            if let (Some(id), Some(address)) = (id, parsed) {
                if addresses.iter().any(|known| known.id == id) {
                    parser.fault::<()>(&format!("{pointer}/id"), FaultKind::DuplicateId);
                }
                addresses.push(KnownAddress { id, address });
            }
        }
        Some(Payer { reference: reference?, email: email?, first_name: first_name?, last_name: last_name?, addresses })
    }
}

impl KnownAddressIn {
    /// An address without a name is the payer's own.
    fn fields(&self, payer: &PayerIn) -> AddressIn {
        AddressIn {
            first_name: Some(self.first_name.clone().unwrap_or_else(|| payer.first_name.clone())),
            last_name: Some(self.last_name.clone().unwrap_or_else(|| payer.last_name.clone())),
            address1: Some(self.address1.clone()),
            address2: self.address2.clone(),
            zip_code: Some(self.zip_code.clone()),
            city: Some(self.city.clone()),
            country: Some(self.country.clone()),
            mobile_phone: self.mobile_phone.clone(),
        }
    }
}

impl AddressIn {
    /// A whole address.
    fn parse(&self, pointer: &str, parser: &mut Parser) -> Option<PostalAddress> {
        let mut required = |field: &str, value: &Option<String>| {
            let pointer = format!("{pointer}/{field}");
            match value {
                Some(raw) => parser.text(&pointer, raw, MAX_ADDRESS_TEXT),
                None => parser.fault(&pointer, FaultKind::Missing),
            }
        };
        let first_name = required("first_name", &self.first_name);
        let last_name = required("last_name", &self.last_name);
        let address1 = required("address1", &self.address1);
        let zip_code = required("zip_code", &self.zip_code);
        let city = required("city", &self.city);
        let country = required("country", &self.country);
        let mut optional = |field: &str, value: &Option<String>| {
            parser.optional(&format!("{pointer}/{field}"), value.as_deref(), MAX_ADDRESS_TEXT)
        };
        let address2 = optional("address2", &self.address2);
        let mobile_phone = optional("mobile_phone", &self.mobile_phone);
        Some(PostalAddress {
            first_name: first_name?,
            last_name: last_name?,
            address1: address1?,
            address2,
            zip_code: zip_code?,
            city: city?,
            country: country?,
            mobile_phone,
        })
    }

    /// What replaces parts of a known address. An empty `address2` or `mobile_phone` takes it away.
    fn edits(&self, pointer: &str, parser: &mut Parser) -> AddressEdits {
        let mut edit = |field: &str, value: &Option<String>| {
            value.as_deref().and_then(|raw| parser.text(&format!("{pointer}/{field}"), raw, MAX_ADDRESS_TEXT))
        };
        let first_name = edit("first_name", &self.first_name);
        let last_name = edit("last_name", &self.last_name);
        let address1 = edit("address1", &self.address1);
        let zip_code = edit("zip_code", &self.zip_code);
        let city = edit("city", &self.city);
        let country = edit("country", &self.country);
        let mut removable = |field: &str, value: &Option<String>| {
            value.as_deref().map(|raw| parser.optional(&format!("{pointer}/{field}"), Some(raw), MAX_ADDRESS_TEXT))
        };
        let address2 = removable("address2", &self.address2);
        let mobile_phone = removable("mobile_phone", &self.mobile_phone);
        AddressEdits { first_name, last_name, address1, address2, zip_code, city, country, mobile_phone }
    }
}

impl LineIn {
    fn parse(&self, pointer: &str, parser: &mut Parser) -> Option<Line> {
        let code = parser.text(&format!("{pointer}/code"), &self.code, MAX_CODE);
        let label = parser.text(&format!("{pointer}/label"), &self.label, MAX_LABEL);
        let beneficiary = parser.optional(&format!("{pointer}/beneficiary"), self.beneficiary.as_deref(), MAX_LABEL);
        let quantity = parser.decimal(&format!("{pointer}/quantity"), &self.quantity);
        let unit_price = parser.money(&format!("{pointer}/unit_price"), self.unit_price);
        let discount_percent = parser.decimal(&format!("{pointer}/discount_percent"), &self.discount_percent);
        let vat_rate = parser.decimal(&format!("{pointer}/vat_rate"), &self.vat_rate);
        Some(Line {
            code: code?,
            label: label?,
            beneficiary,
            quantity: quantity?,
            unit_price: unit_price?,
            discount_percent: discount_percent?,
            vat_rate: vat_rate?,
        })
    }
}

impl CheckoutIn {
    pub(super) fn parse(self) -> Result<CheckoutRequest, Vec<Fault>> {
        let mut parser = Parser::default();
        let billing = self.billing.parse(&mut parser);
        let pays = match (self.pays, self.accepted_terms, self.instalment) {
            (None, None, None) => Some(Pays::Next),
            (None, None, Some(number)) => Some(Pays::Instalment(number)),
            (None, Some(accepted_terms), None) => Some(Pays::FirstInstalment { accepted_terms }),
            (Some(PaysIn::Rest), None, None) => Some(Pays::Rest),
            (Some(PaysIn::AnotherCard), None, None) => Some(Pays::ChangeCard),
            (None, Some(_), Some(_)) => parser.fault("/instalment", FaultKind::NotWithThis),
            (Some(_), _, _) => parser.fault("/pays", FaultKind::NotWithThis),
        };
        let request = billing.zip(pays).map(|(billing, pays)| {
            let (return_url, locale) = (self.return_url, self.locale);
            CheckoutRequest { pays, billing, return_url, locale }
        });
        parser.finish(request)
    }
}

impl BillingIn {
    fn parse(&self, parser: &mut Parser) -> Option<BillingChoice> {
        const ADDRESS: &str = "/billing/address";
        match (self.mode, &self.address_id, &self.address) {
            (BillingMode::Prefilled, Some(id), address) => {
                let id = parser.text("/billing/address_id", id, MAX_PORTAL_REFERENCE);
                let edits = address.as_ref().map(|address| address.edits(ADDRESS, parser)).unwrap_or_default();
                Some(BillingChoice::Prefilled { id: id?, edits: Box::new(edits) })
            }
            (BillingMode::Prefilled, None, _) => parser.fault("/billing/address_id", FaultKind::Missing),
            (BillingMode::New, None, Some(address)) => {
                address.parse(ADDRESS, parser).map(|address| BillingChoice::New(Box::new(address)))
            }
            (BillingMode::New, None, None) => parser.fault(ADDRESS, FaultKind::Missing),
            (BillingMode::None, None, None) => Some(BillingChoice::None),
            (BillingMode::New | BillingMode::None, Some(_), _) => {
                parser.fault("/billing/address_id", FaultKind::NotWithThis)
            }
            (BillingMode::None, None, Some(_)) => parser.fault(ADDRESS, FaultKind::NotWithThis),
        }
    }
}
