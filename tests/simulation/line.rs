//! The way to the bank, and all that can go wrong on it.

use std::time::Duration;

use async_trait::async_trait;
use guichet::{
    domain::{
        attempt::{Host, Sending},
        bank::{Finding, MoneyCall, Question, Ruling},
        card::CardEnd,
        ids::{MerchantId, SubscriberReference},
        numbers::QuestionNumber,
    },
    ports::{Bank, Forgotten, KeptCard, Line, Silence},
};
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use crate::{
    answers,
    bank::{self, execute, note_number, refusal, ruling},
    happening::Happening,
    invariants,
    world::{Inner, Served, World},
};

/// A call as it reached the bank.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) merchant: String,
    pub(crate) question: u32,
    pub(crate) call: MoneyCall,
    pub(crate) card: Option<(String, CardEnd)>,
    /// What it is for, as the store has it on record.
    pub(crate) of: Option<Served>,
}

pub(crate) struct SimBank(pub(crate) World);

/// How a question or a deletion fares.
enum Way {
    Arrives,
    LostBefore,
    LostAfter,
    Unclear,
    /// Its answer is another question's, or cannot be read: the adapter reports neither as an answer.
    Garbled(&'static str),
    /// Others overtake its answer.
    Late,
}

impl SimBank {
    async fn way(&self, merchant: &MerchantId, host: Host, number: QuestionNumber) -> Way {
        self.0.pause().await;
        let way = self.0.with(|inner| {
            invariants::imports::i8_files_ask_nothing(inner);
            note_number(inner, merchant.as_str(), number.get());
            if !inner.bank.is_up(host, inner.now) || inner.strikes("ask: lost before", 6) {
                Way::LostBefore
            } else if inner.strikes("ask: lost after", 6) {
                Way::LostAfter
            } else if inner.strikes("ask: unclear", 6) {
                Way::Unclear
            } else if inner.strikes("ask: answered as another", 6) {
                Way::Garbled("the answer does not echo NUMQUESTION")
            } else if inner.strikes("ask: mangled", 6) {
                Way::Garbled("the answer is cut short")
            } else if inner.strikes("ask: overtaken", 10) {
                Way::Late
            } else {
                Way::Arrives
            }
        });
        if matches!(way, Way::LostBefore) {
            self.0.sleep_secs(1, 60).await;
        }
        way
    }
}

fn silence<T>() -> Result<T, Silence> {
    Err(Silence("no answer".to_owned()))
}

#[async_trait]
impl Bank for SimBank {
    async fn ask(
        &self,
        merchant: &MerchantId,
        host: Host,
        number: QuestionNumber,
        question: &Question,
    ) -> Result<Finding, Silence> {
        match self.way(merchant, host, number).await {
            Way::LostBefore => silence(),
            Way::LostAfter => {
                self.0.sleep_secs(30, 60).await;
                silence()
            }
            Way::Unclear => Ok(Finding::Unclear("00001".to_owned())),
            Way::Garbled(why) => Err(Silence(why.to_owned())),
            way @ (Way::Arrives | Way::Late) => {
                let finding = self.0.with(|inner| {
                    let finding = match answers::of_another(inner, question) {
                        Some(another) => another,
                        None => answers::answer(inner, merchant.as_str(), question),
                    };
                    inner.log(format_args!("bank: asked {question:?}: {finding:?}"));
                    finding
                });
                if let Way::Late = way {
                    self.0.sleep_secs(5, 55).await;
                }
                self.0.pause().await;
                Ok(finding)
            }
        }
    }

    async fn connect(&self, merchant: &MerchantId, only: Option<Host>) -> Result<Box<dyn Line>, Silence> {
        self.0.pause().await;
        let host = self.0.with(|inner| {
            invariants::imports::i8_files_ask_nothing(inner);
            let is_up = |host: &Host| inner.bank.is_up(*host, inner.now);
            let hosts = only.map_or(vec![Host::Main, Host::Backup], |only| vec![only]);
            let host = hosts.into_iter().find(is_up);
            if inner.strikes("connect: silence", 20) { None } else { host }
        });
        match host {
            Some(host) => {
                Ok(Box::new(SimLine { world: self.0.clone(), merchant: merchant.to_string(), host }) as Box<dyn Line>)
            }
            None => silence(),
        }
    }

    async fn forget(
        &self,
        merchant: &MerchantId,
        host: Host,
        number: QuestionNumber,
        subscriber: &SubscriberReference,
    ) -> Result<Forgotten, Silence> {
        let way = self.way(merchant, host, number).await;
        if let Way::Arrives | Way::Late | Way::LostAfter | Way::Garbled(_) = way {
            let was_there = self.0.with(|inner| bank::forget(inner, merchant.as_str(), subscriber.as_str()));
            self.0.with(|inner| inner.count(if was_there { "forget: done" } else { "forget: was gone" }));
        }
        match way {
            Way::Arrives | Way::Late => Ok(Forgotten::Gone),
            Way::Garbled(why) => Err(Silence(why.to_owned())),
            Way::Unclear => Ok(Forgotten::Unclear("00001".to_owned())),
            Way::LostBefore | Way::LostAfter => silence(),
        }
    }
}

struct SimLine {
    world: World,
    merchant: String,
    host: Host,
}

/// What becomes of a call, and how long its answer takes, in seconds.
fn fate(inner: &mut Inner, sent: Sent, is_up: bool) -> (Ruling, i64) {
    let doubt = |why: &str| Ruling::Doubt { why: why.to_owned() };
    if !is_up || inner.strikes("send: lost before", 30) {
        return (doubt("no answer"), 60);
    }
    note_number(inner, &sent.merchant, sent.question);
    let arrived = invariants::arrived(inner, &sent);
    let sent = Sent { of: arrived, ..sent };
    let of_us = if matches!(sent.call, MoneyCall::Debit { .. }) { 40 } else { 5 };
    if inner.strikes("send: configuration", of_us) {
        (refusal("00006"), 1)
    } else if inner.strikes("send: doubt, and nothing done", 20) {
        (refusal("00001"), 1)
    } else if inner.strikes("send: refused", 20) {
        let code = *inner.rng.pick(&["00021", "00151", "00143", "00114"]);
        (refusal(code), 1)
    } else if inner.strikes("send: number seen", 20) {
        if inner.rng.chance(500) {
            let _ = execute(inner, &sent);
        }
        (refusal("00005"), 1)
    } else if inner.strikes("send: lost after", 50) {
        match &sent.call {
            MoneyCall::Cancel { .. } => inner.count("cancel: its answer is lost"),
            MoneyCall::Refund { .. } => inner.count("refund: its answer is lost"),
            MoneyCall::Debit { .. } | MoneyCall::Capture { .. } => {}
        }
        let _ = execute(inner, &sent);
        (doubt("no answer"), 60)
    } else if inner.strikes("send: answered as another", 15) {
        let _ = execute(inner, &sent);
        (doubt("the answer does not echo NUMQUESTION"), 1)
    } else if inner.strikes("send: mangled", 15) {
        if inner.rng.chance(500) {
            let _ = execute(inner, &sent);
        }
        (doubt("the answer is cut short"), 1)
    } else if inner.strikes("send: doubt, and done", 20) {
        let _ = execute(inner, &sent);
        (refusal("00003"), 1)
    } else if inner.strikes("send: done late", 40) {
        inner.after_secs(1, 500, Happening::LateCommit { sent: Box::new(sent) });
        (doubt("no answer"), 60)
    } else {
        let wait = if inner.strikes("send: answered late", 40) { inner.rng.between(10, 59) } else { 0 };
        (ruling(execute(inner, &sent)), wait)
    }
}

#[async_trait]
impl Line for SimLine {
    fn host(&self) -> Host {
        self.host
    }

    async fn send(
        self: Box<Self>,
        sending: &Sending,
        call: &MoneyCall,
        card: Option<&KeptCard>,
        not_after: Duration,
    ) -> Ruling {
        self.world.pause().await;
        let (ruling, wait) = self.world.with(|inner| {
            if inner.now.duration_since(inner.booted).unsigned_abs() > not_after {
                inner.count("send: too late, so nothing left");
                return (Ruling::Doubt { why: "too late to be sent".to_owned() }, 0);
            }
            let card = card.map(|card| (card.token.expose_secret().to_owned(), card.end));
            let (merchant, question) = (self.merchant.clone(), sending.question.get());
            let is_up = inner.bank.is_up(self.host, inner.now);
            fate(inner, Sent { merchant, question, call: call.clone(), card, of: None }, is_up)
        });
        if wait > 0 {
            let until = self.world.with(|inner| inner.now + SignedDuration::from_secs(wait));
            self.world.sleep_until(until).await;
        }
        self.world.pause().await;
        ruling
    }
}
