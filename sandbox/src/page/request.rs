//! The merchant's signed request for a page: read once, checked entirely, then carried as values.

use crate::config::Contract;
use crate::ledger::Merchant;
use crate::page::billing::{self, Billing};
use crate::page::formats;
use crate::page::retour::Retour;
use crate::switches::Switches;
use crate::wire::form::Fields;
use crate::wire::mac::Digest;
use crate::world::Sandbox;
use jiff::{SignedDuration, Timestamp};

/// How long a page stays open unless PBX_DISPLAY says otherwise, in seconds.
const DISPLAY_DEFAULT_S: i64 = 900;

/// Variables without which no page opens (PBX_HASH has a default).
const MANDATORY: [&str; 10] = [
    "PBX_SITE",
    "PBX_RANG",
    "PBX_IDENTIFIANT",
    "PBX_TOTAL",
    "PBX_DEVISE",
    "PBX_CMD",
    "PBX_PORTEUR",
    "PBX_RETOUR",
    "PBX_TIME",
    "PBX_HMAC",
];

/// What the merchant wishes of strong authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    NoPreference,
    NoChallenge,
    Challenge,
}

/// How a notification is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// A request that passed every check.
#[derive(Debug, Clone)]
pub struct PageRequest {
    pub merchant: Merchant,
    /// Minor units.
    pub total: u64,
    pub currency: String,
    pub cmd: String,
    pub retour: Retour,
    pub accepted_url: Option<String>,
    pub refused_url: Option<String>,
    pub cancelled_url: Option<String>,
    pub notification_url: Option<String>,
    pub notification_method: Method,
    pub authorisation_only: bool,
    pub days_before_capture: i64,
    pub display: SignedDuration,
    pub archivage: String,
    pub wish: Wish,
    pub billing: Option<Billing>,
    /// The subscriber to register: PBX_REFABONNE, or PBX_CMD in its place.
    pub refabonne: Option<String>,
    /// Letter U is asked for: an accepted card is stored.
    pub stores_card: bool,
    pub card_type: Option<String>,
    /// Cards that expire before this AAMM are refused.
    pub expiry_min_aamm: Option<String>,
    /// PBX_ERRORCODETEST.
    pub forced_code: Option<String>,
}

/// A refused request, with the hint that a sandbox can afford to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied(pub String);

impl From<String> for Denied {
    fn from(hint: String) -> Self {
        Self(hint)
    }
}

/// Checks identity, then the digest, then every format.
pub fn read<'a>(
    sandbox: &'a Sandbox,
    fields: &Fields,
    switches: &Switches,
    now: Timestamp,
) -> Result<(PageRequest, &'a Contract), Denied> {
    for name in MANDATORY {
        if fields.get(name).is_none() {
            return Err(Denied(format!("{name} manque")));
        }
    }
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name).filter(|name| name.starts_with("PBX_")).collect();
    names.sort_unstable();
    if let Some([repeated, _]) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(Denied(format!("{repeated} est répétée")));
    }
    let contract = sandbox
        .contract(fields.text("PBX_SITE"), fields.text("PBX_RANG"))
        .filter(|contract| contract.identifiant == fields.text("PBX_IDENTIFIANT"))
        .ok_or_else(|| Denied("PBX_SITE, PBX_RANG ou PBX_IDENTIFIANT inconnu".into()))?;
    prove(contract, fields, switches)?;
    for (name, value) in fields.iter().filter(|(name, _)| name.starts_with("PBX_")) {
        formats::check(name, value, switches, now)?;
    }
    if fields.get("PBX_TYPECARTE").is_some() && fields.get("PBX_TYPEPAIEMENT").is_none() {
        return Err(Denied("PBX_TYPECARTE ne va pas sans PBX_TYPEPAIEMENT".into()));
    }
    Ok((values(contract, fields, switches)?, contract))
}

/// The digest covers every PBX_ field but PBX_HMAC, raw, in the received order.
fn prove(contract: &Contract, fields: &Fields, switches: &Switches) -> Result<(), Denied> {
    let name = fields.get("PBX_HASH");
    if name.is_none() && switches.hash_required {
        return Err(Denied("PBX_HASH manque".into()));
    }
    let digest = Digest::named(name).ok_or_else(|| Denied("PBX_HASH : algorithme non accepté".into()))?;
    let allowed =
        contract.hashes.as_ref().is_none_or(|allowed| allowed.iter().any(|one| one == name.unwrap_or("SHA512")));
    if !allowed {
        return Err(Denied("PBX_HASH : algorithme non permis à ce contrat".into()));
    }
    let message = fields.message(|name| name.starts_with("PBX_") && name != "PBX_HMAC");
    if !contract.key.proves(digest, &message, fields.text("PBX_HMAC")) {
        return Err(Denied(format!("PBX_HMAC ne correspond pas au message reçu : {message}")));
    }
    Ok(())
}

fn values(contract: &Contract, fields: &Fields, switches: &Switches) -> Result<PageRequest, Denied> {
    let owned = |name: &str| fields.get(name).map(str::to_owned);
    let billing = match fields.get("PBX_BILLING").filter(|xml| !xml.is_empty()) {
        Some(xml) => Some(billing::billing(xml, switches).map_err(|hint| Denied(format!("PBX_BILLING : {hint}")))?),
        None => None,
    };
    let cart = match fields.get("PBX_SHOPPINGCART").filter(|xml| !xml.is_empty()) {
        Some(xml) => {
            Some(billing::shopping_cart(xml, switches).map_err(|hint| Denied(format!("PBX_SHOPPINGCART : {hint}")))?)
        }
        None => None,
    };
    if switches.refuse_missing_billing && (billing.is_none() || cart.is_none()) {
        return Err(Denied("PBX_BILLING et PBX_SHOPPINGCART sont exigées".into()));
    }
    let retour = Retour::parse(fields.text("PBX_RETOUR"))?;
    let stores_card = retour.asks('U');
    let stand_in = owned("PBX_CMD").filter(|_| stores_card && switches.cmd_stands_for_refabonne);
    let display = fields.get("PBX_DISPLAY").and_then(|text| text.parse().ok()).unwrap_or(DISPLAY_DEFAULT_S);
    Ok(PageRequest {
        merchant: Merchant { site: contract.site.clone(), rang: contract.rang },
        total: fields.text("PBX_TOTAL").parse().map_err(|_| Denied("PBX_TOTAL".into()))?,
        currency: fields.text("PBX_DEVISE").to_owned(),
        cmd: fields.text("PBX_CMD").to_owned(),
        retour,
        accepted_url: owned("PBX_EFFECTUE"),
        refused_url: owned("PBX_REFUSE"),
        cancelled_url: owned("PBX_ANNULE"),
        notification_url: owned("PBX_REPONDRE_A"),
        notification_method: if fields.get("PBX_RUF1") == Some("POST") { Method::Post } else { Method::Get },
        authorisation_only: fields.get("PBX_AUTOSEULE") == Some("O"),
        days_before_capture: fields.get("PBX_DIFF").and_then(|text| text.parse().ok()).unwrap_or(0),
        display: SignedDuration::from_secs(display),
        archivage: fields.text("PBX_ARCHIVAGE").to_owned(),
        wish: match fields.get("PBX_SOUHAITAUTHENT") {
            Some("02") => Wish::NoChallenge,
            Some("03" | "04") => Wish::Challenge,
            Some(_) | None => Wish::NoPreference,
        },
        billing: billing.filter(|_| cart.is_some()),
        refabonne: owned("PBX_REFABONNE").or(stand_in),
        stores_card,
        card_type: owned("PBX_TYPECARTE"),
        expiry_min_aamm: owned("PBX_DATEVALMAX"),
        forced_code: owned("PBX_ERRORCODETEST").filter(|code| code != "00000"),
    })
}
