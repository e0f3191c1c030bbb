//! What each TYPE does to the ledger.

use crate::direct::answer::{Answer, Consulted, Refusal};
use crate::direct::charge;
use crate::direct::kind::Type;
use crate::direct::question::Question;
use crate::ledger::{Aim, Entry, Kind, Operation, Origin, Status, Unfit};
use crate::switches::EnquiryChoice;
use crate::world::World;

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        Self::of(match unfit {
            Unfit::Currency => "00010",
            Unfit::Amount => "00011",
            Unfit::Reference => "00015",
        })
    }
}

/// Applies a checked question and answers it.
pub fn apply(world: &mut World, question: &Question) -> Answer {
    if let Some(code) = &question.forced_code {
        return Answer::bare(code);
    }
    let answer = match question.kind {
        Type::Enquiry => enquire(world, question),
        Type::Consultation => consult(world, question),
        Type::Capture(_) => capture(world, question),
        Type::Cancel(_) => cancel(world, question),
        Type::ChangeAmount => change_amount(world, question),
        Type::Refund => refund(world, question),
        Type::Authorise(_) | Type::Debit(_) | Type::Credit(_) | Type::Force(_) => Ok(charge::charge(world, question)),
        Type::Register | Type::Replace => Ok(charge::register(world, question)),
        Type::Forget => Ok(charge::forget(world, question)),
    };
    let answer = answer.unwrap_or_else(Answer::from);
    if answer.code == "00000" {
        world.numbers.burn(question.number.clone());
    }
    answer
}

/// 00011: is there an operation of this reference, amount and currency?
fn enquire(world: &World, question: &Question) -> Result<Answer, Refusal> {
    let switches = &world.switches;
    let mut matching = world.ledger.entries().filter(|Entry { operation, origin }| {
        operation.merchant == question.merchant
            && operation.reference == question.reference
            && operation.amount == question.amount
            && operation.currency == question.currency
            && (switches.enquiry_sees_refused || operation.status != Status::Refused)
            && (switches.enquiry_sees_subscribers || !origin.is_of_subscriber_type())
    });
    let found = match switches.enquiry_choice {
        EnquiryChoice::First => matching.next(),
        EnquiryChoice::Latest => matching.next_back(),
        EnquiryChoice::LatestAccepted => {
            let all: Vec<&Entry> = matching.collect();
            all.iter().rev().find(|entry| entry.operation.code == "00000").or(all.last()).copied()
        }
    };
    found.map(named).ok_or_else(|| Refusal::of("00018"))
}

/// 00017: the state of one operation.
fn consult(world: &World, question: &Question) -> Result<Answer, Refusal> {
    let found = question
        .numtrans
        .and_then(|numtrans| world.ledger.find(&question.merchant, numtrans))
        .filter(|entry| question.numappel.is_none_or(|numappel| numappel == entry.operation.numappel))
        .ok_or_else(|| Refusal::of("00018"))?;
    let operation = &found.operation;
    let consulted = Consulted { status: operation.status.wire(), remise: operation.settled_remise };
    Ok(Answer { consulted: Some(consulted), ..named(found) })
}

fn capture(world: &mut World, question: &Question) -> Result<Answer, Refusal> {
    let now = world.clock.now();
    let settle_from = now.checked_add(question.deferred).unwrap_or(now);
    let captured = world.ledger.capture(&aim(question)?, settle_from)?;
    Ok(named(&captured))
}

fn cancel(world: &mut World, question: &Question) -> Result<Answer, Refusal> {
    let cancelled = world.ledger.cancel(&aim(question)?)?;
    Ok(named(&cancelled))
}

fn change_amount(world: &mut World, question: &Question) -> Result<Answer, Refusal> {
    let changed = world.ledger.change_amount(&aim(question)?)?;
    Ok(named(&changed))
}

/// 00014: a new operation under the call number of the payment.
fn refund(world: &mut World, question: &Question) -> Result<Answer, Refusal> {
    let Entry { operation: payment, origin } = world.ledger.refund(&aim(question)?)?;
    let at = world.clock.now();
    let refund = Operation {
        numtrans: world.numtrans(),
        reference: if question.reference.is_empty() { payment.reference.clone() } else { question.reference.clone() },
        amount: question.amount,
        kind: Kind::Refund,
        status: Status::Credit,
        code: "00000".into(),
        captured: 0,
        refunded: 0,
        settled_remise: None,
        at,
        settle_from: at,
        authorisation: world.authorisation(),
        archivage: question.archivage.clone(),
        refund_of: Some(payment.numtrans),
        ..payment
    };
    let entry = Entry { operation: refund, origin: Origin { kind: question.kind.code(), ..origin } };
    let answer = named(&entry);
    world.ledger.book(entry.operation, entry.origin);
    Ok(answer)
}

/// What the question aims at; without both numbers it aims at nothing.
fn aim(question: &Question) -> Result<Aim<'_>, Refusal> {
    match (question.numtrans, question.numappel) {
        (Some(numtrans), Some(numappel)) => Ok(Aim {
            merchant: &question.merchant,
            numtrans,
            numappel,
            amount: question.amount,
            currency: &question.currency,
            refabonne: question.subscriber(),
        }),
        (_, _) => Err(Unfit::Reference.into()),
    }
}

/// The numbers of an operation, under the code of success of the question itself.
fn named(entry: &Entry) -> Answer {
    Answer {
        numtrans: entry.operation.numtrans,
        numappel: entry.operation.numappel,
        authorisation: entry.operation.authorisation.clone(),
        card: entry.origin.card.clone(),
        ..Answer::bare("00000")
    }
}
