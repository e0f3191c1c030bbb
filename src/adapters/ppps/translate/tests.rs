use super::*;
use crate::{
    domain::{
        bank::ArchiveReference,
        ids::Reference,
        money::{Currency, Money},
        numbers::{CallNumber, OperationNumber, QuestionNumber},
    },
    paybox::{account::Account, direct_answer::Expected},
};

fn operation(number: u64, call: u64) -> Operation {
    Operation { number: OperationNumber::try_from(number).unwrap(), call: CallNumber::try_from(call).unwrap() }
}

fn answer(code: &str, number: &str, call: &str, more: &str) -> DirectAnswer {
    let text = format!(
        "NUMTRANS={number}&NUMAPPEL={call}&NUMQUESTION=0000000007&SITE=1999888&RANG=32&CODEREPONSE={code}{more}"
    );
    let latin1: Vec<u8> = text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    let account = Account::new("1999888", "032", "2").unwrap();
    DirectAnswer::parse(&latin1, &Expected { account, number: QuestionNumber::new(7).unwrap() }).unwrap()
}

fn find() -> Question {
    Question::Find { reference: Reference::received("A-1"), amount: Money::new(100, Currency::Eur).unwrap() }
}

fn call(kind: &str) -> MoneyCall {
    let (operation, amount) = (operation(10, 5), Money::new(100, Currency::Eur).unwrap());
    let (reference, archive) = (Reference::received("A-1"), ArchiveReference::from_bits(1));
    match kind {
        "cancel" => MoneyCall::Cancel { operation, amount, reference, archive, subscriber: None },
        _ => MoneyCall::Refund { operation, amount, reference, archive },
    }
}

#[test]
fn enquiries_find_only_what_was_named() {
    for (code, number, call, expected) in [
        ("00000", "0000000010", "0000000005", Some(Finding::Found(operation(10, 5)))),
        ("00000", "0000000010", "0000000000", None),
        ("00000", "", "0000000005", None),
        ("00018", "0000000000", "0000000000", Some(Finding::Nothing)),
        ("00005", "0000000000", "0000000000", None),
        ("00001", "0000000010", "0000000005", None),
        ("00100", "0000000010", "0000000005", None),
        ("00006", "0000000000", "0000000000", None),
    ] {
        let finding = finding(&find(), &answer(code, number, call, ""));
        match expected {
            Some(expected) => assert_eq!(finding, expected, "{code} {number} {call}"),
            None => assert!(matches!(&finding, Finding::Unclear(why) if why.starts_with(code)), "{code}: {finding:?}"),
        }
    }
}

#[test]
fn a_status_is_believed_of_the_operation_asked_for_only() {
    let look = Question::Look { operation: operation(10, 5) };
    let known = |status| Some(Finding::Status(operation(10, 5), status));
    for (code, number, call, more, expected) in [
        ("00000", "10", "5", "&STATUS=Capturé", known(OperationStatus::Captured)),
        ("00000", "10", "5", "&STATUS=Autorisé", known(OperationStatus::Authorised)),
        ("00000", "10", "5", "&STATUS=Annulé", known(OperationStatus::Cancelled)),
        ("00000", "10", "5", "&STATUS=Remboursé", known(OperationStatus::Refunded)),
        ("00000", "10", "5", "&STATUS=Crédit", known(OperationStatus::Credited)),
        ("00000", "10", "5", "&STATUS=Refusé", known(OperationStatus::Refused)),
        ("00000", "10", "5", "&STATUS=Rejet support", known(OperationStatus::Rejected)),
        ("00000", "10", "5", "&STATUS=Perdu", known(OperationStatus::Other("Perdu".to_owned()))),
        ("00000", "10", "5", "", None),
        ("00000", "11", "5", "&STATUS=Capturé", None),
        ("00000", "10", "6", "&STATUS=Capturé", None),
        ("00000", "10", "0", "&STATUS=Capturé", None),
        ("00000", "0", "5", "&STATUS=Capturé", None),
        ("00003", "10", "5", "&STATUS=Capturé", None),
        ("00018", "0", "0", "", Some(Finding::Nothing)),
    ] {
        let finding = finding(&look, &answer(code, number, call, more));
        match expected {
            Some(expected) => assert_eq!(finding, expected, "{more}"),
            None => assert!(matches!(finding, Finding::Unclear(_)), "{code} {number} {call} {more}: {finding:?}"),
        }
    }
}

#[test]
fn only_fitting_numbers_accept_and_only_definite_refusals_refuse() {
    let accepted = |number, call| Some(Ruling::Accepted { operation: operation(number, call) });
    let refused =
        |code: &str| Some(Ruling::Refused { code: code.to_owned(), class: Code::parse(code).unwrap().refusal_class() });
    let misconfigured = |code: &str| Some(Ruling::Misconfigured { code: code.to_owned() });
    for (kind, code, number, call_number, more, expected) in [
        ("cancel", "00000", "10", "5", "", accepted(10, 5)),
        ("cancel", "00000", "0000000000", "0000000000", "", accepted(10, 5)),
        ("cancel", "00000", "", "", "", accepted(10, 5)),
        ("cancel", "00000", "11", "5", "", None),
        ("cancel", "00000", "10", "6", "", None),
        ("cancel", "00000", "0", "6", "", None),
        ("refund", "00000", "11", "5", "", accepted(11, 5)),
        ("refund", "00000", "11", "0", "", accepted(11, 5)),
        ("refund", "00000", "0", "5", "", None),
        ("refund", "00000", "", "", "", None),
        ("refund", "00000", "10", "5", "", None),
        ("refund", "00000", "11", "6", "", None),
        ("refund", "00151", "0", "0", "", refused("00151")),
        ("refund", "00017", "0", "0", "&COMMENTAIRE=PAYBOX : Abonné inexistant", refused("00017")),
        ("refund", "00017", "0", "0", "&COMMENTAIRE=Signature PARes 3DS invalide", None),
        ("refund", "00006", "0", "0", "", misconfigured("00006")),
        ("refund", "00011", "0", "0", "", misconfigured("00011")),
        ("cancel", "00158", "0", "0", "", misconfigured("00158")),
        ("cancel", "00001", "0", "0", "", None),
        ("cancel", "00003", "0", "0", "", None),
        ("cancel", "00005", "0", "0", "", None),
        ("cancel", "00015", "0", "0", "", None),
        ("cancel", "00018", "0", "0", "", None),
        ("cancel", "00039", "0", "0", "", None),
        ("cancel", "00097", "0", "0", "", None),
        ("cancel", "00098", "0", "0", "", None),
        ("cancel", "00099", "0", "0", "", None),
        ("cancel", "00100", "10", "5", "", None),
        ("cancel", "00119", "0", "0", "", None),
        ("cancel", "00168", "0", "0", "", None),
        ("cancel", "00191", "0", "0", "", None),
        ("cancel", "00194", "0", "0", "", None),
        ("cancel", "99999", "10", "5", "", None),
        ("cancel", "0ZZZZ", "10", "5", "", None),
    ] {
        let ruling = ruling(&call(kind), &answer(code, number, call_number, more));
        match expected {
            Some(expected) => assert_eq!(ruling, expected, "{kind} {code} {number} {call_number}"),
            None => assert!(matches!(ruling, Ruling::Doubt { .. }), "{kind} {code} {number} {call_number}: {ruling:?}"),
        }
    }
}
