//! What the bank answers to questions, with its oddities.

use guichet::domain::bank::{Finding, Inspection, OperationStatus, Question};

use crate::{
    bank::{Made, Moved},
    world::Inner,
};

/// The answer to a question.
pub(crate) fn answer(inner: &mut Inner, merchant: &str, question: &Question) -> Finding {
    let nature = inner.nature.clone();
    match question {
        Question::Find { reference, amount } => {
            let shown = |moved: &&Moved| {
                moved.merchant == merchant
                    && moved.reference == reference.as_str()
                    && moved.amount == *amount
                    && moved.findable_from <= inner.now
                    && (moved.made != Made::Debit || !nature.blind_to_debits)
                    && (moved.made != Made::Refund || nature.finds_refused)
                    && (moved.status != OperationStatus::Refused || nature.finds_refused)
            };
            // The first one that was accepted, where there is one.
            let found = inner.bank.moved.iter().filter(shown);
            let best = found.min_by_key(|moved| (moved.status == OperationStatus::Refused, moved.operation.number));
            if let Some(moved) = best {
                return Finding::Found(moved.operation);
            }
            let hides = |moved: &Moved| moved.reference == reference.as_str() && moved.made == Made::Debit;
            if nature.blind_to_debits && inner.bank.moved.iter().any(hides) {
                inner.count("bank: does not find a debit by its reference");
            }
            Finding::Nothing
        }
        Question::Look { operation } => {
            let found = inner.bank.find(operation.number).filter(|moved| moved.merchant == merchant);
            match found.filter(|moved| moved.operation == *operation) {
                Some(moved) => Finding::Status(*operation, moved.status.clone()),
                None => Finding::Nothing,
            }
        }
        Question::Inspect { operation } => {
            let found = inner.bank.find(operation.number).filter(|moved| moved.merchant == merchant);
            match found.filter(|moved| moved.operation == *operation) {
                Some(moved) => Finding::Inspected(Inspection {
                    operation: *operation,
                    status: moved.status.clone(),
                    remittance: moved.remittance,
                    card_type: None,
                }),
                None => Finding::Nothing,
            }
        }
    }
}

/// The bank answers about another operation, as the adapter reports it.
pub(crate) fn of_another(inner: &mut Inner, question: &Question) -> Option<Finding> {
    let (Question::Look { .. } | Question::Inspect { .. }) = question else { return None };
    let strikes = inner.strikes("ask: told of another operation", 5);
    strikes.then(|| Finding::Unclear("the answer is about another operation".to_owned()))
}
