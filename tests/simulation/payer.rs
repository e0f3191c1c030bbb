//! Payers on the bank's page, and what the bank tells of them.

use std::sync::OnceLock;

use guichet::domain::{
    bank::{Operation, OperationStatus},
    card::CardEnd,
    money::{Currency, Money},
};
use guichet_sandbox::wire::{form::signature_value, signature::BankKey};
use jiff::{SignedDuration, ToSpan, Zoned};

use crate::{
    bank::{Card, Habit, Kept, Made, Moved, Page, new_call, new_operation},
    forger,
    happening::Happening,
    imports,
    invariants::terms,
    world::Inner,
};

/// After so long people let go what a bank has not captured, and some days more.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(12 * 24);

fn bank_key() -> &'static BankKey {
    static KEY: OnceLock<BankKey> = OnceLock::new();
    KEY.get_or_init(|| BankKey::from_pem(include_str!("../../keys-example/sandbox-private.pem")).unwrap())
}

/// A form reaches the page.
pub(crate) fn open(inner: &mut Inner, merchant: &str, fields: &[(String, String)], token: &str) {
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let call = new_call(inner);
    let display: i64 = field("PBX_DISPLAY").unwrap().parse().unwrap();
    let page = Page {
        merchant: merchant.to_owned(),
        reference: field("PBX_CMD").unwrap(),
        amount: Money::new(field("PBX_TOTAL").unwrap().parse().unwrap(), Currency::Eur).unwrap(),
        authorises_only: field("PBX_AUTOSEULE").as_deref() == Some("O"),
        subscriber: field("PBX_REFABONNE"),
        last_month: field("PBX_DATEVALMAX"),
        closes_at: inner.now + SignedDuration::from_secs(display),
        call,
        token: token.to_owned(),
    };
    inner.log(format_args!("page opened for {}", page.reference));
    terms::f2_no_name_is_used_again(inner, &page);
    forger::tempted(inner, &page);
    inner.bank.pages.push(page);
    let page = inner.bank.pages.len() - 1;
    let card = card(inner);
    // Some are very late, and the bank takes their money all the same.
    let is_late = !inner.calm && inner.rng.chance(30);
    let seconds = if is_late { inner.rng.between(display, 3 * 3_600) } else { inner.rng.between(5, display - 20) };
    let when = inner.now + SignedDuration::from_secs(seconds);
    if inner.rng.chance(900) {
        inner.at(when, Happening::Pay { page, card });
    } else {
        inner.count("payer: gave up");
    }
}

fn card(inner: &mut Inner) -> Card {
    let habit = *inner.rng.pick(&[
        Habit::Good,
        Habit::Good,
        Habit::Good,
        Habit::Good,
        Habit::Good,
        Habit::Good,
        Habit::Good,
        Habit::Tired,
        Habit::Tired,
        Habit::Poor,
        Habit::Lost,
        Habit::SingleUse,
        Habit::Authenticate,
    ]);
    let types = *inner.rng.pick(&[
        "CB,VISA",
        "CB,VISA",
        "CB,VISA",
        "CB,VISA",
        "CB,VISA",
        "CB,EUROCARD_MASTERCARD",
        "VISA",
        "E_CARD",
    ]);
    let months = if inner.rng.chance(150) { inner.rng.between(0, 4) } else { inner.rng.between(12, 40) };
    let end = local(inner).date().saturating_add(months.months());
    Card { types, end: CardEnd::month_of(end).unwrap(), habit }
}

fn local(inner: &Inner) -> Zoned {
    inner.now.to_zoned(inner.zone.clone())
}

/// A payer types a card.
pub(crate) fn pay(inner: &mut Inner, index: usize, card: Card) {
    let page = inner.bank.pages[index].clone();
    let is_late = inner.now > page.closes_at;
    if is_late {
        inner.count("payer: paid on a page that was over");
    }
    let of_page = |moved: &&Moved| moved.merchant == page.merchant && moved.reference == page.reference;
    let was_paid = inner.bank.moved.iter().filter(of_page).any(|moved| moved.status != OperationStatus::Refused);
    if was_paid && !inner.rng.chance(300) {
        inner.count("page: refused what was paid");
        return;
    }
    let month = format!("{:02}{:02}", card.end.year() % 100, card.end.month());
    let too_short = page.last_month.as_ref().is_some_and(|last| month < *last) && !inner.nature.ignores_last_month;
    let name = page.subscriber.clone().map(|subscriber| (page.merchant.clone(), subscriber));
    let is_kept = name.as_ref().is_some_and(|name| inner.bank.kept.contains_key(name));
    let refused_again = is_kept && !inner.nature.registers_again;
    if too_short || refused_again || inner.rng.chance(100) {
        fail(inner, &page, index, card);
        return;
    }
    if was_paid {
        inner.count("page: paid twice");
    }
    let operation = new_operation(inner, page.call);
    let at_once = !page.authorises_only && !inner.nature.captures_late;
    // After its last ask, the page is asked for because of what is told of it.
    let is_found_late = is_late && inner.strikes("bank: what was paid late is found a day later", 300);
    let lag = SignedDuration::from_mins(if is_found_late { inner.rng.between(20 * 60, 23 * 60) } else { 0 });
    let findable_from = inner.now + inner.nature.find_lag.max(lag);
    inner.bank.moved.push(Moved {
        operation,
        merchant: page.merchant.clone(),
        reference: page.reference.clone(),
        amount: page.amount,
        at: inner.now,
        made: Made::OnPage,
        status: if at_once { OperationStatus::Captured } else { OperationStatus::Authorised },
        remittance: None,
        was_captured: at_once,
        returned: 0,
        charged_back: None,
        findable_from,
        subscriber: page.subscriber.clone(),
        card: card.clone(),
        captured_for: None,
    });
    if !at_once && !page.authorises_only {
        let late = Happening::LateCapture { merchant: page.merchant.clone(), operation: operation.number.get() };
        let is_in_time = inner.now + FORGOTTEN < inner.calm_at;
        if is_in_time && inner.rng.chance(150) {
            inner.count("bank: it never captures what a page has authorised");
        } else {
            inner.after_secs(60, 30_000, late);
        }
    }
    if page.authorises_only && !inner.calm && inner.rng.chance(20) {
        let longest = *inner.rng.pick(&[60, 3_600, 100_000]);
        inner.after_secs(1, longest, Happening::LetGo { operation: operation.number });
    }
    let mut token = None;
    if let Some(name) = name {
        let handle = format!("TOK{:08}", operation.number.get());
        token = Some(handle.clone());
        inner.count(if card.is_virtual() { "page: virtual card kept" } else { "page: card kept" });
        let kept = Kept { token: handle, card: card.clone(), debited_on: Vec::new() };
        inner.bank.kept.insert(name, kept);
    }
    inner.log(format_args!("page of {} paid by {card:?}: {operation:?}", page.reference));
    inner.count(if page.authorises_only { "page: authorised" } else { "page: paid" });
    imports::moved(inner, 100);
    let raw = success(inner, &page, &operation, &card, token.as_deref());
    // Where the bank finds one operation only, another is found by what it tells of it.
    announce(inner, &page, &raw, u32::from(is_found_late), was_paid || is_found_late);
}

fn fail(inner: &mut Inner, page: &Page, index: usize, card: Card) {
    inner.count("page: refused");
    let operation = new_operation(inner, page.call);
    let findable_from = inner.now + inner.nature.find_lag;
    inner.bank.moved.push(Moved {
        operation,
        merchant: page.merchant.clone(),
        reference: page.reference.clone(),
        amount: page.amount,
        at: inner.now,
        made: Made::OnPage,
        status: OperationStatus::Refused,
        remittance: None,
        was_captured: false,
        returned: 0,
        charged_back: None,
        findable_from,
        subscriber: None,
        card: card.clone(),
        captured_for: None,
    });
    let fields = format!("M={}&R={}&T={}&S=0&E=00105", page.amount.minor_units(), page.reference, page.call.wire());
    let raw = signed(&fields);
    announce(inner, page, &raw, 0, false);
    if inner.rng.chance(600) && inner.now + SignedDuration::from_secs(120) < page.closes_at {
        let card = if inner.rng.chance(300) { card } else { self::card(inner) };
        inner.after_secs(10, 100, Happening::Pay { page: index, card });
    }
}

fn success(inner: &mut Inner, page: &Page, operation: &Operation, card: &Card, token: Option<&str>) -> String {
    let local = local(inner);
    let month = format!("{:02}{:02}", card.end.year() % 100, card.end.month());
    let mut fields = format!(
        "M={}&R={}&T={}&S={}&A=654321&E=00000&W={}&Q={}&P=CARTE&C={}&D={month}&N=497010&J=12&Y=FRA&F=Y&G=O&O=Y&v=2",
        page.amount.minor_units(),
        page.reference,
        operation.call.wire(),
        operation.number.wire(),
        local.strftime("%d%m%Y"),
        local.strftime("%H:%M:%S"),
        card.types,
    );
    if let Some(token) = token {
        fields += &format!("&U={token}++{month}++---");
    }
    signed(&fields)
}

pub(crate) fn signed(fields: &str) -> String {
    format!("{fields}&K={}", signature_value(&bank_key().sign(fields).unwrap()))
}

/// The bank tells, none to several times, soon or late; and the payer comes back, or not.
fn announce(inner: &mut Inner, page: &Page, raw: &str, at_least: u32, surely: bool) {
    let times = if inner.calm { 1 } else { *inner.rng.pick(&[0, 1, 1, 1, 1, 2, 3]) }.max(at_least);
    if surely {
        inner.bank.owed.push((page.merchant.clone(), raw.to_owned()));
    }
    match times {
        0 => inner.count("notification: lost"),
        1 => {}
        _ => inner.count("notification: doubled"),
    }
    for _ in 0..times {
        let latest = *inner.rng.pick(&[2, 2, 60, 1_200, 7_200, 172_800]);
        if latest > 1_200 {
            inner.count("notification: late");
        }
        let told = Happening::Notify { merchant: page.merchant.clone(), raw: raw.to_owned() };
        inner.after_secs(0, latest, told);
    }
    if inner.rng.chance(600) {
        inner.after_secs(1, 30, Happening::Return { token: page.token.clone() });
    }
}
