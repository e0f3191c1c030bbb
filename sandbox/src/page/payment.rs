//! What the page does with a card: refuse it at once, ask the issuer for a challenge, or conclude. Every concluded try
//! is an operation of the ledger, refused ones included, under the page's one call number.

use crate::cards::{self, Authentication, CardUse, TestCard};
use crate::ledger::{Kind, Operation, Origin, Status};
use crate::page::billing::Billing;
use crate::page::formats::is_month;
use crate::page::request::{PageRequest, Wish};
use crate::page::session::{Attempt, Challenge, Stage, ThreeDs};
use crate::wire::form::Fields;
use crate::world::World;
use jiff::SignedDuration;

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

    fn card_use(&self) -> CardUse {
        CardUse::new(&self.number, self.expiry_aamm())
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
        let card = cards::is_luhn_valid(&typed.number).then(|| typed.card_use());
        conclude(world, page, card, None, &code);
        return;
    }
    let card = typed.card_use();
    let Some(session) = world.pages.get(page) else { return };
    match authentication(&session.request, &issuer) {
        Some(three_ds) => authorise(world, page, card, three_ds),
        None => {
            let expected = format!("{:06}", world.random.number() % 1_000_000);
            set_stage(world, page, Stage::Challenge(Challenge { card, expected, wrong_codes: 0 }));
        }
    }
}

/// The refusals that come before any bank is asked.
fn refused_at_once(world: &World, page: &str, typed: &Typed, issuer: &TestCard) -> Option<String> {
    let session = world.pages.get(page)?;
    let request = &session.request;
    let cvv_digits = if issuer.card_type == "AMEX" { 4 } else { 3 };
    let cvv_fits = typed.cvv.len() == cvv_digits && typed.cvv.bytes().all(|byte| byte.is_ascii_digit());
    let year_fits = typed.year.len() == 2 && typed.year.bytes().all(|byte| byte.is_ascii_digit());
    let expiry_fits = year_fits && is_month(&typed.month);
    let expiry = typed.expiry_aamm();
    let paid = (request.merchant.clone(), request.cmd.clone());
    let code = if world.paid.contains(&paid) {
        "00015"
    } else if !cards::is_luhn_valid(&typed.number) || !cvv_fits {
        "00004"
    } else if !expiry_fits
        || world.is_expired(&expiry)
        || request.expiry_min_aamm.as_ref().is_some_and(|min| expiry < *min)
    {
        "00008"
    } else if let Some(forced) = &request.forced_code {
        forced.as_str()
    } else if request.refabonne.as_ref().is_some_and(|subscriber| {
        world.switches.refabonne_must_be_new && world.subscribers.get(&request.merchant, subscriber).is_some()
    }) {
        "00016"
    } else if world.switches.card_type_enforced && !is_of_asked_type(request, issuer) {
        "00021"
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
        authorise(world, page, challenge.card, three_ds);
    } else {
        let three_ds = ThreeDs { enrolled: 'Y', authenticated: 'N', guaranteed: 'N' };
        let code = world.switches.authentication_failed_code.clone();
        conclude(world, page, Some(challenge.card), Some(three_ds), &code);
    }
}

/// Whether the card is one that PBX_TYPECARTE lets through. CB, VISA, EUROCARD_MASTERCARD and E_CARD are one group in
/// the manual, and MAESTRO is a card of the second network.
fn is_of_asked_type(request: &PageRequest, issuer: &TestCard) -> bool {
    const GROUP: [&str; 5] = ["CB", "VISA", "EUROCARD_MASTERCARD", "E_CARD", "MAESTRO"];
    let Some(asked) = request.card_type.as_deref() else { return true };
    asked == issuer.card_type || (GROUP.contains(&asked) && GROUP.contains(&issuer.card_type))
}

/// Asks the bank.
fn authorise(world: &mut World, page: &str, card: CardUse, three_ds: ThreeDs) {
    let Some(session) = world.pages.get(page) else { return };
    let blocked = world.switches.block_unauthenticated && three_ds.authenticated != 'Y';
    let subscriber = session.request.refabonne.as_deref();
    let code = if blocked {
        "00040".to_owned()
    } else {
        let scripted = world.outcomes.consume(Origin::PAGE, &card, subscriber);
        scripted.unwrap_or_else(|| card.issuer.code.to_owned())
    };
    conclude(world, page, Some(card), Some(three_ds), &code);
}

/// Books the try in the ledger and moves the page on.
fn conclude(world: &mut World, page: &str, card: Option<CardUse>, three_ds: Option<ThreeDs>, code: &str) {
    let accepted = code == "00000";
    let numtrans = world.numtrans();
    let authorisation = if accepted { world.authorisation() } else { String::new() };
    let at = world.clock.now();
    let tries_max = world.switches.page_tries_max;
    let Some(request) = world.pages.get(page).map(|session| session.request.clone()) else { return };
    // The card is stored at the very moment at which the authorisation succeeds, whatever becomes of the notification.
    let stored = request.refabonne.as_ref().filter(|_| accepted && request.stores_card);
    let token = stored
        .zip(card.clone())
        .map(|(subscriber, card)| world.register(&request.merchant, subscriber, card, Origin::PAGE, numtrans));
    if accepted {
        world.paid.insert((request.merchant.clone(), request.cmd.clone()));
    }
    let Some(session) = world.pages.get_mut(page) else { return };
    session.tries += 1;
    let captured = accepted && !request.authorisation_only;
    let delay = SignedDuration::from_hours(24 * request.days_before_capture);
    let operation = Operation {
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
        card_type: card.as_ref().map(|card| card.issuer.card_type.to_owned()).unwrap_or_default(),
        card_last2: card.as_ref().map(|card| card.last2.clone()).unwrap_or_default(),
        archivage: request.archivage.clone(),
        refund_of: None,
    };
    let refabonne = request.refabonne.filter(|_| request.stores_card);
    world.ledger.book(operation, Origin { refabonne, card: card.clone(), ..Origin::default() });
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
