//! What happens on a card: authorisations, debits, credits, and the registration of subscribers. Each asks the bank of
//! the card (a script, else the card's own code) and becomes an operation of the ledger, a refused one included.

use crate::cards::CardUse;
use crate::direct::answer::Answer;
use crate::direct::kind::{Holder, Type};
use crate::direct::question::Question;
use crate::ledger::{Kind, Operation, Origin, Status};
use crate::world::World;

/// 00001, 00003, 00004, 00012, 00051, 00053, 00054, 00061.
pub fn charge(world: &mut World, question: &Question) -> Answer {
    let Some(card) = &question.card else { return Answer::bare("00004") };
    // A stored card is debited without its payer; a credit and a forced debit ask no bank.
    let (kind, own) = match question.kind {
        Type::Authorise(holder) => (Kind::Authorisation, own_code(card, holder)),
        Type::Debit(holder) => (Kind::Payment, own_code(card, holder)),
        Type::Credit(_) => (Kind::Credit, "00000"),
        Type::Force(_) => (Kind::Payment, "00000"),
        Type::Capture(_)
        | Type::Cancel(_)
        | Type::Enquiry
        | Type::ChangeAmount
        | Type::Refund
        | Type::Consultation
        | Type::Register
        | Type::Replace
        | Type::Forget => return Answer::bare("00009"),
    };
    let code = decide(world, question, card, own);
    book(world, question, card, kind, code)
}

/// 00056 and 00057: an authorisation of MONTANT, and the card is stored when the bank accepts it.
pub fn register(world: &mut World, question: &Question) -> Answer {
    let Some(card) = &question.card else { return Answer::bare("00004") };
    let code = decide(world, question, card, card.issuer.code);
    let answer = book(world, question, card, Kind::Authorisation, code);
    if answer.code != "00000" {
        return answer;
    }
    let (merchant, by) = (&question.merchant, question.kind.code());
    let token = world.register(merchant, &question.refabonne, card.clone(), by, answer.numtrans);
    Answer { porteur: Some(token), ..answer }
}

/// 00058: nothing is left of the subscriber but its operations.
pub fn forget(world: &mut World, question: &Question) -> Answer {
    let Some(gone) = world.subscribers.remove(&question.merchant, &question.refabonne) else {
        return Answer::bare("00017");
    };
    let porteur = if world.switches.forget_answers_token { gone.token } else { String::new() };
    Answer { porteur: Some(porteur), card: Some(gone.card), ..Answer::bare("00000") }
}

fn own_code(card: &CardUse, holder: Holder) -> &'static str {
    match holder {
        Holder::Card => card.issuer.code,
        Holder::Subscriber => card.issuer.recurring_code.unwrap_or(card.issuer.code),
    }
}

fn decide(world: &mut World, question: &Question, card: &CardUse, own: &str) -> String {
    let scripted = world.outcomes.consume(question.kind.code(), card, question.subscriber());
    scripted.unwrap_or_else(|| own.to_owned())
}

fn book(world: &mut World, question: &Question, card: &CardUse, kind: Kind, code: String) -> Answer {
    let accepted = code == "00000";
    let status = match (accepted, kind) {
        (false, _) => Status::Refused,
        (true, Kind::Authorisation) => Status::Authorised,
        (true, Kind::Payment) => Status::Captured,
        (true, Kind::Refund | Kind::Credit) => Status::Credit,
    };
    // A number obtained by telephone stands for the bank's own.
    let authorisation = match (accepted, question.authorisation.as_str()) {
        (false, _) => String::new(),
        (true, "") => world.authorisation(),
        (true, given) => given.to_owned(),
    };
    let at = world.clock.now();
    let operation = Operation {
        numtrans: world.numtrans(),
        numappel: world.numappel(),
        merchant: question.merchant.clone(),
        reference: question.reference.clone(),
        amount: question.amount,
        currency: question.currency.clone(),
        kind,
        status,
        code: code.clone(),
        captured: if status == Status::Captured { question.amount } else { 0 },
        refunded: 0,
        settled_remise: None,
        at,
        settle_from: at.checked_add(question.deferred).unwrap_or(at),
        authorisation,
        card_type: card.issuer.card_type.to_owned(),
        card_last2: card.last2.clone(),
        archivage: question.archivage.clone(),
        refund_of: None,
    };
    let answer = Answer {
        numtrans: operation.numtrans,
        numappel: operation.numappel,
        authorisation: operation.authorisation.clone(),
        card: Some(card.clone()),
        ..Answer::bare(&code)
    };
    let origin = Origin {
        kind: question.kind.code(),
        refabonne: question.subscriber().map(str::to_owned),
        card: Some(card.clone()),
        lapsed: false,
    };
    world.ledger.book(operation, origin);
    answer
}
