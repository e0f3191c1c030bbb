use secrecy::SecretString;

use super::*;
use crate::{domain::money::Currency, paybox::expiry};

fn key() -> HmacKey {
    HmacKey::from_hex(&"0123456789ABCDEF".repeat(8)).unwrap()
}

fn question(operation: Operation) -> Question {
    Question {
        account: Account::new("1999888", "32", "110647233").unwrap(),
        number: QuestionNumber::new(42).unwrap(),
        asked_at: "2026-11-23T09:20:30Z".parse().unwrap(),
        operation,
        card_details: CardDetails::NotAsked,
    }
}

fn movement() -> Movement {
    Movement {
        amount: Money::new(94_250, Currency::Eur).unwrap(),
        reference: "UNIV-1.2_3".to_owned(),
        archive_reference: "ABC123".to_owned(),
    }
}

fn target() -> Target {
    Target { call: CallNumber::parse("61548226").unwrap(), operation: OperationNumber::parse("34813563").unwrap() }
}

fn subscriber() -> Subscriber {
    Subscriber("sub-1".to_owned())
}

fn card() -> CardToken {
    CardToken { handle: SecretString::from("SLDLrcsLMPC"), end: expiry::from_yymm("2709").unwrap() }
}

/// `middle` is what stands between the question's date and the name of the hash.
fn check(operation: Operation, wire_type: &str, middle: &str) {
    let signed = question(operation).sign(&key(), HashName::Sha512).unwrap();
    let pairs: Vec<(&str, &str)> = signed.pairs().collect();
    let (signature, rest) = pairs.split_last().unwrap();
    let message = hmac::message_of_pairs(rest).unwrap();
    assert_eq!(
        message,
        format!(
            "VERSION=00104&TYPE={wire_type}&SITE=1999888&RANG=32&IDENTIFIANT=110647233&NUMQUESTION=0000000042\
             &DATEQ=23112026102030&{middle}&HASH=SHA512"
        )
    );
    assert_eq!(signature.0, "HMAC");
    assert_eq!(hmac::sign(&key(), HashName::Sha512, &message), signature.1);
}

#[test]
fn every_question_in_its_order() {
    let money = "MONTANT=0000094250&DEVISE=978&REFERENCE=UNIV-1.2_3";
    let aimed = "NUMAPPEL=0061548226&NUMTRANS=0034813563";
    let tail = "ACTIVITE=024&ARCHIVAGE=ABC123";
    let find = Operation::Find { reference: movement().reference, amount: movement().amount };
    check(find, "00011", money);
    check(Operation::Consult { operation: target().operation }, "00017", "NUMTRANS=0034813563");
    check(Operation::Capture(movement(), target()), "00002", &format!("{money}&{aimed}&{tail}"));
    check(Operation::Cancel(movement(), target()), "00005", &format!("{money}&{aimed}&{tail}"));
    check(Operation::Refund(movement(), target()), "00014", &format!("{money}&{aimed}&{tail}"));
    check(
        Operation::CaptureSubscriber(movement(), target(), subscriber()),
        "00052",
        &format!("{money}&REFABONNE=sub-1&{aimed}&{tail}"),
    );
    check(
        Operation::DebitSubscriber(movement(), subscriber(), card()),
        "00053",
        &format!("{money}&REFABONNE=sub-1&PORTEUR=SLDLrcsLMPC&DATEVAL=0927&ACTIVITE=027&ARCHIVAGE=ABC123"),
    );
    check(
        Operation::CancelSubscriber(movement(), target(), subscriber()),
        "00055",
        &format!("{money}&REFABONNE=sub-1&PORTEUR=000000000000000&DATEVAL=0000&{aimed}&{tail}"),
    );
    check(Operation::DeleteSubscriber(subscriber()), "00058", "REFABONNE=sub-1");
}

#[test]
fn the_body_is_encoded_and_the_signature_is_not_of_the_encoding() {
    let mut odd = card();
    odd.handle = SecretString::from("a+b c=d");
    let operation = Operation::DebitSubscriber(movement(), subscriber(), odd);
    let mut question = question(operation);
    question.card_details = CardDetails::Asked;
    let signed = question.sign(&key(), HashName::Sha256).unwrap();
    let body = signed.encode();
    assert!(body.contains("&PORTEUR=a%2Bb+c%3Dd&") && body.contains("&PAYS=&TYPECARTE=&HASH=SHA256&HMAC="), "{body}");
    let sent: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let pairs: Vec<(String, String)> =
        signed.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(sent, pairs);
    let shown = format!("{signed:?} {:?}", question.operation);
    assert!(!shown.contains("a+b") && !shown.contains(&sent.last().unwrap().1), "{shown}");
}

#[test]
fn what_cannot_be_sent_is_named() {
    let row = |operation, field, fault| {
        let answer = question(operation).sign(&key(), HashName::Sha512).map(|_| ());
        assert_eq!(answer, Err(QuestionError { field, fault }));
    };
    let other = |change: fn(&mut Movement)| {
        let mut movement = movement();
        change(&mut movement);
        Operation::Refund(movement, target())
    };
    row(other(|it| it.reference = "x&MONTANT=1".to_owned()), "REFERENCE", FieldFault::Ampersand);
    row(other(|it| it.reference = "x\n".to_owned()), "REFERENCE", FieldFault::Control);
    row(other(|it| it.reference = String::new()), "REFERENCE", FieldFault::TooShort { min: 1 });
    row(other(|it| it.archive_reference = "A-1".to_owned()), "ARCHIVAGE", FieldFault::Charset);
    row(other(|it| it.amount = Money::zero(Currency::Eur)), "MONTANT", FieldFault::ZeroAmount);
    row(Operation::DeleteSubscriber(Subscriber("é".to_owned())), "REFABONNE", FieldFault::Charset);
    let mut long = card();
    long.handle = SecretString::from("x".repeat(20));
    let operation = Operation::DebitSubscriber(movement(), subscriber(), long);
    row(operation, "PORTEUR", FieldFault::TooLong { max: 19 });
}
