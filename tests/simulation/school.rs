//! Who the gateway works for: its merchants as configured, the people who call, and what they order.

use std::sync::OnceLock;

use guichet::{
    app::{
        App, Mode, Ports,
        access::{Caller, Scope},
        merchant::{DebitRules, Merchant, WithoutBilling},
        webhooks::WebhookPolicy,
    },
    domain::{
        actor::Actor,
        card::CardRules,
        checkout::{Challenge, Locale},
        ids::{MerchantId, OrderId},
        line::Line,
        money::{Currency, Money},
        order::NewOrder,
        payer::{Email, Payer},
        policy::Policy,
        template::{Approver, Split, Template},
        text::Text,
        webhook::Retries,
    },
    paybox::{
        account::Account,
        hmac::{HashName, HmacKey},
        rsa::{KeyRing, PublicKey},
    },
};
use jiff::{SignedDuration, civil::Time, tz::TimeZone};

use crate::nature::Nature;

const NAMES: [&str; 2] = ["ecole", "annexe"];
pub(crate) const ZONE: &str = "Europe/Paris";

pub(crate) fn names(nature: &Nature) -> &'static [&'static str] {
    &NAMES[..nature.merchants]
}

pub(crate) fn site(nature: &Nature, merchant: &str) -> String {
    if merchant == NAMES[0] || nature.same_site { "1999888".to_owned() } else { "1999887".to_owned() }
}

fn keys() -> &'static KeyRing {
    static KEYS: OnceLock<KeyRing> = OnceLock::new();
    KEYS.get_or_init(|| {
        let pem = include_str!("../../keys-example/sandbox-public.pem");
        KeyRing::new(PublicKey::from_pem(pem).unwrap(), Vec::new())
    })
}

/// The delays that an operator has who configures none, with fewer steps.
pub(crate) fn policy(nature: &Nature) -> Policy {
    let (seconds, minutes, hours) = (SignedDuration::from_secs, SignedDuration::from_mins, SignedDuration::from_hours);
    Policy {
        form_lifetime: minutes(15),
        page_lifetime: minutes(15),
        ask_after_issue: Vec::new(),
        ask_after_expiry: if nature.asks_often { vec![seconds(0), hours(24)] } else { vec![hours(24)] },
        ask_after_news: if nature.asks_often { vec![seconds(0), minutes(10)] } else { vec![seconds(0)] },
        ask_after_silence: vec![seconds(5), seconds(30), minutes(2), minutes(10), minutes(30)],
        hold_for_report: minutes(10),
        capture_awaited: SignedDuration::from_hours(7 * 24),
        send_within: seconds(5),
        doubt_settles: minutes(10),
        doubt_ladder: [60, 300, 660, 1_800, 7_200, 21_600, 43_200, 86_400, 129_600, 172_800].map(seconds).to_vec(),
        denials: 4,
        denials_span: hours(24),
        answer_grace: seconds(90),
        send_again: seconds(30),
        card_wait: minutes(30),
        capture_within: hours(24),
        card_check: 100,
        settlement_after: hours(20),
        settlement_every: hours(24),
        verdicts_within: hours(24),
        cards: CardRules::default(),
        retry: Default::default(),
        subscriber_calls: nature.subscriber_calls,
        zone: TimeZone::get(ZONE).unwrap(),
        zones: [(ZONE.to_owned(), TimeZone::get(ZONE).unwrap())].into(),
        authorised_counts: false,
        signature_is_enough: false,
        minimum_amount: 100,
    }
}

fn template(code: &str, count: u32, split: Split, nature: &Nature) -> Template {
    Template {
        code: code.to_owned(),
        label_fr: code.to_owned(),
        label_en: code.to_owned(),
        count,
        split,
        minimum_total: 10_000,
        maximum_total: None,
        minimum_instalment: 100,
        day_of_month: nature.due_day,
        time_zone: ZONE.to_owned(),
        window: None,
        approver: if nature.nobody_approves { Approver::Nobody } else { Approver::Accounting },
        refused_cards: Vec::new(),
    }
}

fn merchant(nature: &Nature, index: usize) -> Merchant {
    let name = NAMES[index];
    Merchant {
        id: name.parse().unwrap(),
        name: name.to_owned(),
        account: Account::new(site(nature, name), "32", "2").unwrap(),
        key: HmacKey::from_hex(&"0123456789ABCDEF".repeat(8)).unwrap(),
        hash: HashName::Sha512,
        prefix: format!("P{index}"),
        currency: Currency::Eur,
        challenge: Challenge::NoPreference,
        without_billing: WithoutBilling::Omit,
        return_origins: vec!["https://portal.example".to_owned()],
        notification_signed_whole: false,
        trusted: keys().clone(),
        page: "https://bank.example/php/".parse().unwrap(),
        page_backup: Some("https://bank1.example/php/".parse().unwrap()),
        policy: policy(nature),
        templates: vec![
            template("three", 3, Split::Shares { percent: "33.33".parse().unwrap() }, nature),
            template("five", 5, Split::First { fixed: None }, nature),
        ],
        debits: DebitRules {
            at_once: 3,
            per_minute: nature.per_minute,
            from: Time::constant(6, 0, 0, 0),
            until: Time::constant(22, 0, 0, 0),
            daily: nature.daily,
            daily_at: Time::constant(6, 0, 0, 0),
            late_days: 5,
        },
    }
}

/// A process that has just been started.
pub(crate) fn app(ports: Ports, nature: &Nature) -> App {
    let merchants = (0..nature.merchants).map(|index| merchant(nature, index)).collect();
    let webhooks = WebhookPolicy { retries: Retries { after: Vec::new() }, secret_grace: SignedDuration::ZERO };
    App::new(ports, Mode::Test, merchants, webhooks, 1, "https://pay.example")
}

/// Somebody who may do everything, for all merchants.
pub(crate) fn caller(nature: &Nature, person: &str) -> Caller {
    caller_with(nature, "portal", person)
}

/// The same, by a key of their own.
pub(crate) fn caller_with(nature: &Nature, key: &str, person: &str) -> Caller {
    let merchants: Vec<MerchantId> = names(nature).iter().map(|name| name.parse().unwrap()).collect();
    let actor = Actor::Key { key: key.to_owned(), person: Some(person.to_owned()), on_behalf_of: None };
    let scopes = vec![Scope::Portal, Scope::Scheduler, Scope::Accounting];
    Caller { key: key.to_owned(), scopes, merchants, actor }
}

pub(crate) fn text(raw: &str) -> Text {
    Text::parse(raw, 100).unwrap()
}

pub(crate) fn new_order(merchant: &str, id: OrderId, name: &str, units: i64) -> NewOrder {
    NewOrder {
        id,
        merchant: merchant.parse().unwrap(),
        reference: text(name),
        payer: Payer {
            reference: text("E1"),
            email: Email::parse("e1@ecole.example").unwrap(),
            first_name: text("Zoé"),
            last_name: text("Martin"),
            addresses: Vec::new(),
        },
        currency: Currency::Eur,
        lines: vec![Line {
            code: text("D1"),
            label: text("Droits"),
            beneficiary: None,
            quantity: "1".parse().unwrap(),
            unit_price: Money::new(units, Currency::Eur).unwrap(),
            discount_percent: "0".parse().unwrap(),
            vat_rate: "0".parse().unwrap(),
        }],
        locale: Locale::Fr,
        challenge: None,
        replaces: None,
    }
}
