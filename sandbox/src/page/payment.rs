//! What the page does with a card: refuse it at once, ask the issuer for a challenge, or conclude. Every concluded try
//! is an operation of the ledger, refused ones included, under the page's one call number.

use crate::cards::{self, Authentication, TestCard};
use crate::ledger::{Kind, Operation, Status};
use crate::page::billing::Billing;
use crate::page::formats::is_month;
use crate::page::request::{PageRequest, Wish};
use crate::page::session::{Attempt, CardUse, Challenge, Stage, ThreeDs};
use crate::wire::form::Fields;
use crate::world::World;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

/// Wrong codes after which the issuer gives up.
const WRONG_CODES_MAX: u32 = 3;

/// How a challenge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenged {
    Passed,
    Failed,
    Abandoned,
    WrongCode,
}

/// The card form as typed.
struct Typed {
    number: String,
    month: String,
    year: String,
    cvv: String,
}

impl Typed {
    fn read(form: &Fields) -> Self {
        let plain = |name: &str| form.text(name).chars().filter(|c| !c.is_whitespace()).collect::<String>();
        Self {
            number: plain("NUMERO_CARTE").replace('-', ""),
            month: plain("MOIS_VALIDITE"),
            year: plain("AN_VALIDITE"),
            cvv: plain("CVVX"),
        }
    }

    fn expiry_aamm(&self) -> String {
        format!("{}{}", self.year, self.month)
    }

    fn card_use(&self, issuer: &TestCard) -> CardUse {
        let size = self.number.len();
        let fingerprint = Sha256::digest(format!("sandbox fingerprint {}", self.number));
        CardUse {
            first6: self.number.get(..6).unwrap_or_default().to_owned(),
            last2: self.number.get(size.saturating_sub(2)..).unwrap_or_default().to_owned(),
            expiry_aamm: self.expiry_aamm(),
            card_type: issuer.card_type,
            country: issuer.country,
            fingerprint: fingerprint.iter().map(|byte| format!("{byte:02X}")).collect(),
        }
    }
}

/// The payer pressed *Valider*. The page is known to be open.
pub fn submit_card(world: &mut World, page: &str, form: &Fields) {
    let Some(session) = world.pages.get(page) else { return };
    match &session.stage {
        Stage::Card | Stage::Refused { final_one: false, .. } | Stage::Accepted(_) => {}
        Stage::Challenge(_) | Stage::Refused { final_one: true, .. } | Stage::Cancelled | Stage::TimedOut => return,
    }
    let typed = Typed::read(form);
    let issuer = cards::find(&typed.number);
    if let Some(code) = refused_at_once(world, page, &typed, &issuer) {
        let card = cards::is_luhn_valid(&typed.number).then(|| typed.card_use(&issuer));
        conclude(world, page, card, None, &code);
        return;
    }
    let card = typed.card_use(&issuer);
    let Some(session) = world.pages.get(page) else { return };
    match authentication(&session.request, &issuer) {
        Some(three_ds) => authorise(world, page, card, &issuer, three_ds),
        None => {
            let expected = format!("{:06}", world.random.number() % 1_000_000);
            set_stage(world, page, Stage::Challenge(Challenge { card, issuer, expected, wrong_codes: 0 }));
        }
    }
}

/// The refusals that come before any bank is asked.
fn refused_at_once(world: &World, page: &str, typed: &Typed, issuer: &TestCard) -> Option<String> {
    let session = world.pages.get(page)?;
    let request = &session.request;
    let cvv_digits = if issuer.card_type == "AMEX" { 4 } else { 3 };
    let cvv_fits = typed.cvv.len() == cvv_digits && typed.cvv.bytes().all(|byte| byte.is_ascii_digit());
    let this_month = world.clock.paris().strftime("%y%m").to_string();
    let year_fits = typed.year.len() == 2 && typed.year.bytes().all(|byte| byte.is_ascii_digit());
    let expiry_fits = year_fits && is_month(&typed.month);
    let expiry = typed.expiry_aamm();
    let paid = (request.merchant.clone(), request.cmd.clone());
    let code = if world.paid.contains(&paid) {
        "00015"
    } else if !cards::is_luhn_valid(&typed.number) || !cvv_fits {
        "00004"
    } else if !expiry_fits || expiry < this_month || request.expiry_min_aamm.as_ref().is_some_and(|min| expiry < *min) {
        "00008"
    } else if let Some(forced) = &request.forced_code {
        forced.as_str()
    } else if request.refabonne.as_ref().is_some_and(|subscriber| {
        let taken = (request.merchant.clone(), subscriber.clone());
        world.switches.refabonne_must_be_new && world.subscribers.contains(&taken)
    }) {
        "00016"
    } else {
        return None;
    };
    Some(code.to_owned())
}

/// The result of 3-D Secure when no challenge is needed; nothing when one is.
fn authentication(request: &PageRequest, issuer: &TestCard) -> Option<ThreeDs> {
    let frictionless = ThreeDs { enrolled: 'Y', authenticated: 'Y', guaranteed: 'O' };
    // An honoured "no challenge" leaves the merchant without the shift of liability.
    let exempted = ThreeDs { guaranteed: 'N', ..frictionless };
    match (issuer.authentication, request.wish) {
        (Authentication::NotEnrolled, _) => Some(ThreeDs { enrolled: 'N', authenticated: 'N', guaranteed: 'N' }),
        (Authentication::AlwaysChallenge, _) | (Authentication::ByRequest, Wish::Challenge) => None,
        (Authentication::AlwaysFrictionless | Authentication::ByRequest, Wish::NoChallenge) => Some(exempted),
        (Authentication::AlwaysFrictionless, Wish::NoPreference | Wish::Challenge) => Some(frictionless),
        (Authentication::ByRequest, Wish::NoPreference) => match request.billing {
            Some(Billing::Complete) => Some(frictionless),
            Some(Billing::Partial) | None => None,
        },
    }
}

/// The payer answered the issuer's challenge.
pub fn submit_challenge(world: &mut World, page: &str, outcome: Challenged) {
    let Some(session) = world.pages.get_mut(page) else { return };
    let Stage::Challenge(challenge) = &mut session.stage else { return };
    if outcome == Challenged::WrongCode {
        challenge.wrong_codes += 1;
        if challenge.wrong_codes < WRONG_CODES_MAX {
            return;
        }
    }
    let challenge = challenge.clone();
    if outcome == Challenged::Passed {
        let three_ds = ThreeDs { enrolled: 'Y', authenticated: 'Y', guaranteed: 'O' };
        authorise(world, page, challenge.card, &challenge.issuer, three_ds);
    } else {
        let three_ds = ThreeDs { enrolled: 'Y', authenticated: 'N', guaranteed: 'N' };
        let code = world.switches.authentication_failed_code.clone();
        conclude(world, page, Some(challenge.card), Some(three_ds), &code);
    }
}

/// Asks the bank.
fn authorise(world: &mut World, page: &str, card: CardUse, issuer: &TestCard, three_ds: ThreeDs) {
    let blocked = world.switches.block_unauthenticated && three_ds.authenticated != 'Y';
    let code = if blocked { "00040" } else { issuer.code };
    conclude(world, page, Some(card), Some(three_ds), code);
}

/// Books the try in the ledger and moves the page on.
fn conclude(world: &mut World, page: &str, card: Option<CardUse>, three_ds: Option<ThreeDs>, code: &str) {
    let accepted = code == "00000";
    let numtrans = world.numtrans();
    let authorisation = if accepted { world.authorisation() } else { String::new() };
    let handle = format!("SB{:09}", world.random.number() % 1_000_000_000);
    let at = world.clock.now();
    let tries_max = world.switches.page_tries_max;
    let Some(session) = world.pages.get_mut(page) else { return };
    let request = &session.request;
    session.tries += 1;
    let captured = accepted && !request.authorisation_only;
    let delay = SignedDuration::from_hours(24 * request.days_before_capture);
    world.ledger.add(Operation {
        numtrans,
        numappel: session.numappel,
        merchant: request.merchant.clone(),
        reference: request.cmd.clone(),
        amount: request.total,
        currency: request.currency.clone(),
        kind: if request.authorisation_only { Kind::Authorisation } else { Kind::Payment },
        status: match (accepted, captured) {
            (false, _) => Status::Refused,
            (true, false) => Status::Authorised,
            (true, true) => Status::Captured,
        },
        code: code.to_owned(),
        captured: if captured { request.total } else { 0 },
        refunded: 0,
        settled_remise: None,
        at,
        settle_from: at.checked_add(delay).unwrap_or(at),
        authorisation: authorisation.clone(),
        card_type: card.as_ref().map(|card| card.card_type.to_owned()).unwrap_or_default(),
        card_last2: card.as_ref().map(|card| card.last2.clone()).unwrap_or_default(),
        archivage: request.archivage.clone(),
        refund_of: None,
    });
    let token = request.refabonne.as_ref().filter(|_| accepted).map(|_| handle);
    if accepted {
        world.paid.insert((request.merchant.clone(), request.cmd.clone()));
        if let Some(subscriber) = &request.refabonne {
            world.subscribers.insert((request.merchant.clone(), subscriber.clone()));
        }
    }
    let attempt = Attempt { numtrans, code: code.to_owned(), authorisation, card, three_ds, token };
    let exhausted = tries_max > 0 && session.tries >= tries_max;
    session.stage = if accepted {
        Stage::Accepted(attempt)
    } else {
        Stage::Refused { final_one: exhausted || code == "00015", attempt }
    };
}

fn set_stage(world: &mut World, page: &str, stage: Stage) {
    if let Some(session) = world.pages.get_mut(page) {
        session.stage = stage;
    }
}
