//! A merchant: one contract with PAYBOX, and how this school wants it used.

use std::{collections::BTreeMap, sync::Arc};

use jiff::tz::TimeZone;
use serde::{Deserialize, de::IntoDeserializer};

use super::{
    Platform,
    bank::Bank,
    cards,
    debits::Debits,
    files::Files,
    section::Section,
    timing::{Switches, Timing},
    urls,
};
use crate::{
    app::{
        Mode,
        merchant::{Merchant, WithoutBilling},
    },
    domain::{
        checkout::Challenge,
        ids::{MAX_PREFIX, MerchantId},
        money::{Currency, MAX_MINOR_UNITS},
        template::Template,
    },
    paybox::{
        account::Account,
        field::FieldName,
        hmac::{HashName, HmacKey},
    },
};

/// A merchant and the platform its contract is on.
pub struct Served {
    pub merchant: Merchant,
    pub platform: Arc<Platform>,
}

/// What the tables of merchants need of the rest.
pub(super) struct Context<'a> {
    pub(super) mode: Option<Mode>,
    pub(super) files: &'a Files<'a>,
    pub(super) platforms: &'a [Arc<Platform>],
    /// Every platform's id, those with problems too.
    pub(super) platform_ids: &'a [String],
    pub(super) templates: &'a [Template],
    /// Every template's code, those with problems too.
    pub(super) template_codes: &'a [String],
    pub(super) timing: &'a Timing,
    pub(super) bank: &'a Bank,
    pub(super) debits: &'a Debits,
    /// In which instalments fall due, where their template names no other.
    pub(super) zone: &'a TimeZone,
    pub(super) zones: &'a BTreeMap<String, TimeZone>,
}

/// Sites of PAYBOX's public test accounts.
const TEST_SITES: [&str; 3] = ["1999888", "1999887", "9999999"];
/// What is held to see that another card is good, in minor units: PAYBOX takes no less, and more would worry payers.
const LEAST_CARD_CHECK: u64 = 100;
const MAX_CARD_CHECK: u64 = 10_000;
/// The longest name payers read, in characters.
const MAX_NAME: usize = 60;

impl Served {
    /// `None` when something that it needs is missing or wrong; that has been noted.
    pub(super) fn read(mut section: Section<'_>, context: &Context<'_>) -> Option<Self> {
        let mode = context.mode;
        let id = section.needed("id", |text| text.parse::<MerchantId>().map_err(|error| error.to_string()));
        let name = section.needed("name", display_name);
        let platform = section.needed("platform", |text| {
            if context.platform_ids.iter().any(|id| id == text) {
                Ok(text.to_owned())
            } else {
                Err(format!("there is no [[platform]] with the id \"{text}\""))
            }
        });
        let platform = context.platforms.iter().find(|known| Some(&known.id) == platform.as_ref()).cloned();
        let account = read_account(&mut section, mode);
        let key = read_key(&mut section, context);
        let hash = section.optional("hash", |text| text.parse::<HashName>().map_err(|error| error.to_string()));
        let prefix = section.needed("reference_prefix", prefix);
        let currency = section.optional("currency", |text| word(text, "is no currency PAYBOX is used with here"));
        let challenge =
            section.optional("challenge", |text| word(text, "is none of no_preference, not_wanted, wanted, required"));
        let without_billing = section.optional("without_billing", |text| match text {
            "omit" => Ok(WithoutBilling::Omit),
            "placeholder" => Ok(WithoutBilling::Placeholder),
            "refuse" => Ok(WithoutBilling::Refuse),
            _ => Err("is none of omit, placeholder, refuse".to_owned()),
        });
        let return_origins = read_origins(&mut section, mode);
        let minimum_amount = section.number("minimum_amount", 100, 1..=MAX_MINOR_UNITS.unsigned_abs());
        let card_check = section.number("card_check", LEAST_CARD_CHECK, LEAST_CARD_CHECK..=MAX_CARD_CHECK);
        let notification_signed_whole = section.flag("notification_signed_whole", false);
        let confirm = section.optional("confirm", |text| match (text, mode) {
            ("enquiry", _) => Ok(false),
            ("signature", Some(Mode::Live)) => {
                Err("is \"signature\", in live mode: a signature proves no payment, so the bank is asked".to_owned())
            }
            ("signature", Some(Mode::Test) | None) => Ok(true),
            _ => Err("is neither \"enquiry\" nor \"signature\"".to_owned()),
        });
        let switches = Switches {
            authorised_counts: section.flag("authorised_counts", false),
            signature_is_enough: confirm.unwrap_or(false),
            subscriber_calls: section.flag("subscriber_calls", false),
            minimum_amount: i64::try_from(minimum_amount).unwrap_or(MAX_MINOR_UNITS),
            card_check: i64::try_from(card_check).unwrap_or(MAX_MINOR_UNITS),
        };
        let templates = read_plans(&mut section, context, switches.minimum_amount);
        let cards = cards::read(section.section("cards"), context.files);
        let timing = context.timing.of_merchant(section.section("timing"), context.bank);
        let policy = timing.policy(&switches, cards, context);
        section.end();
        let platform = platform?;
        let merchant = Merchant {
            id: id?,
            name: name?,
            account: account?,
            key: key?,
            hash: hash.unwrap_or_default(),
            prefix: prefix?,
            currency: currency.unwrap_or(Currency::Eur),
            challenge: challenge.unwrap_or(Challenge::NoPreference),
            without_billing: without_billing.unwrap_or(WithoutBilling::Omit),
            return_origins: return_origins?,
            notification_signed_whole,
            trusted: platform.trusted.clone(),
            page: platform.page.clone(),
            page_backup: platform.page_backup.clone(),
            policy,
            templates,
            debits: context.debits.rules(),
        };
        Some(Self { merchant, platform })
    }
}

fn read_account(section: &mut Section<'_>, mode: Option<Mode>) -> Option<Account> {
    let field = |field: FieldName| {
        move |text: &str| field.check(text).map(|()| text.to_owned()).map_err(|error| error.fault.to_string())
    };
    let site = section.needed("site", |text| {
        if mode == Some(Mode::Live) && TEST_SITES.contains(&text) {
            return Err(format!("{text} is a public test account, in live mode"));
        }
        field(FieldName::Site)(text)
    });
    let rang = section.needed("rang", field(FieldName::Rang));
    let identifiant = section.needed("identifiant", field(FieldName::Identifiant));
    Account::new(site?, rang?, identifiant?).ok()
}

fn read_key(section: &mut Section<'_>, context: &Context<'_>) -> Option<HmacKey> {
    let path = section.path("hmac_key_file");
    section.needed("hmac_key_file", |name| {
        let text = context.files.secret(&path, name)?;
        let key = HmacKey::of_merchant(text.trim()).map_err(|error| error.to_string())?;
        if context.mode == Some(Mode::Live) && key.is_public_test_key() {
            return Err("is PAYBOX's public test key, in live mode: anybody can sign with it".to_owned());
        }
        Ok(key)
    })
}

fn read_origins(section: &mut Section<'_>, mode: Option<Mode>) -> Option<Vec<String>> {
    let texts = section.texts("return_origins").unwrap_or_default();
    if texts.is_empty() {
        section.problem("return_origins", "is missing or empty: no payer could be sent back");
    }
    let mut origins = Vec::new();
    for text in &texts {
        match urls::origin(text, mode) {
            Ok(origin) => origins.push(origin),
            Err(sentence) => section.problem("return_origins", sentence),
        }
    }
    (origins.len() == texts.len()).then_some(origins)
}

/// The codes of the merchant's templates: all there are, unless it says which.
fn read_plans(section: &mut Section<'_>, context: &Context<'_>, minimum_amount: i64) -> Vec<Template> {
    let plans = section.texts("plans").unwrap_or_else(|| context.template_codes.to_vec());
    for (place, code) in plans.iter().enumerate() {
        if !context.template_codes.contains(code) {
            section.problem("plans", format!("there is no [[plan_template]] with the code \"{code}\""));
        } else if plans.iter().take(place).any(|other| other == code) {
            section.problem("plans", format!("names \"{code}\" twice"));
        }
    }
    let templates: Vec<Template> =
        context.templates.iter().filter(|template| plans.contains(&template.code)).cloned().collect();
    for template in templates.iter().filter(|template| template.minimum_instalment < minimum_amount) {
        let sentence = format!("\"{}\" has instalments below minimum_amount", template.code);
        section.reading.warning(section.path("plans"), sentence);
    }
    templates
}

pub(super) fn display_name(text: &str) -> Result<String, String> {
    let fits = (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits && text.trim() == text {
        Ok(text.to_owned())
    } else {
        Err(format!("is not a name of 1 to {MAX_NAME} characters"))
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let fits = (1..=MAX_PREFIX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(text.to_owned()) } else { Err(format!("is not 1 to {MAX_PREFIX} letters and digits")) }
}

/// A word that serde knows.
fn word<'de, T: Deserialize<'de>>(text: &'de str, fault: &str) -> Result<T, String> {
    let word: serde::de::value::StrDeserializer<'de, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(word).map_err(|_| fault.to_owned())
}
