//! What each TYPE does to the ledger.

use crate::direct::answer::{Answer, Consulted};
use crate::direct::question::{Question, Type};
use crate::ledger::{Aim, Kind, Operation, Status, Unfit};
use crate::switches::EnquiryChoice;
use crate::world::World;

impl From<Unfit> for Answer {
    fn from(unfit: Unfit) -> Self {
        Self::bare(match unfit {
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
        Type::Capture => capture(world, question),
        Type::Cancel => cancel(world, question),
        Type::Refund => refund(world, question),
    };
    let answer = answer.unwrap_or_else(|refused| refused);
    if answer.code == "00000" {
        world.numbers.burn(question.number.clone());
    }
    answer
}

/// 00011: is there an operation of this reference, amount and currency?
fn enquire(world: &World, question: &Question) -> Result<Answer, Answer> {
    let mut matching = world.ledger.iter().filter(|operation| {
        operation.merchant == question.merchant
            && operation.reference == question.reference
            && operation.amount == question.amount
            && operation.currency == question.currency
            && (world.switches.enquiry_sees_refused || operation.status != Status::Refused)
    });
    let found = match world.switches.enquiry_choice {
        EnquiryChoice::First => matching.next(),
        EnquiryChoice::Latest => matching.next_back(),
        EnquiryChoice::LatestAccepted => {
            let all: Vec<&Operation> = matching.collect();
            all.iter().rev().find(|operation| operation.code == "00000").or(all.last()).copied()
        }
    };
    found.map(named).ok_or_else(|| Answer::bare("00018"))
}

/// 00017: the state of one operation.
fn consult(world: &World, question: &Question) -> Result<Answer, Answer> {
    let found = question
        .numtrans
        .and_then(|numtrans| world.ledger.find(&question.merchant, numtrans))
        .filter(|operation| question.numappel.is_none_or(|numappel| numappel == operation.numappel))
        .ok_or_else(|| Answer::bare("00018"))?;
    let consulted = Consulted { status: found.status.wire(), remise: found.settled_remise };
    Ok(Answer { consulted: Some(consulted), ..named(found) })
}

fn capture(world: &mut World, question: &Question) -> Result<Answer, Answer> {
    let now = world.clock.now();
    let captured = world.ledger.capture(&aim(question)?, now)?;
    Ok(named(&captured))
}

fn cancel(world: &mut World, question: &Question) -> Result<Answer, Answer> {
    let cancelled = world.ledger.cancel(&aim(question)?)?;
    Ok(named(&cancelled))
}

/// 00014: a new operation under the call number of the payment.
fn refund(world: &mut World, question: &Question) -> Result<Answer, Answer> {
    let payment = world.ledger.refund(&aim(question)?)?;
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
    let answer = named(&refund);
    world.ledger.add(refund);
    Ok(answer)
}

/// What the question aims at; without both numbers it aims at nothing.
fn aim(question: &Question) -> Result<Aim<'_>, Answer> {
    match (question.numtrans, question.numappel) {
        (Some(numtrans), Some(numappel)) => Ok(Aim {
            merchant: &question.merchant,
            numtrans,
            numappel,
            amount: question.amount,
            currency: &question.currency,
        }),
        (_, _) => Err(Unfit::Reference.into()),
    }
}

/// The numbers of an operation, under the code of success of the question itself.
fn named(operation: &Operation) -> Answer {
    Answer {
        numtrans: operation.numtrans,
        numappel: operation.numappel,
        authorisation: operation.authorisation.clone(),
        code: "00000".into(),
        ..Answer::default()
    }
}
