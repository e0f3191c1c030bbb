use super::*;
use crate::{
    domain::{
        bank::ArchiveReference,
        card::CardEnd,
        ids::Reference,
        money::{Currency, Money},
        numbers::{CallNumber, OperationNumber, QuestionNumber},
        retry::RefusalClass,
    },
    paybox::{
        account::Account,
        direct::CardDetails,
        direct_answer::Expected,
        hmac::{HashName, HmacKey},
    },
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
    let subscriber = kind.ends_with('s').then(plan_card);
    match kind {
        "cancel" | "cancels" => MoneyCall::Cancel { operation, amount, reference, archive, subscriber },
        "capture" | "captures" => MoneyCall::Capture { operation, amount, reference, archive, subscriber },
        "debit" => MoneyCall::Debit { subscriber: plan_card(), amount, reference, archive },
        _ => MoneyCall::Refund { operation, amount, reference, archive, partial: false },
    }
}

fn plan_card() -> SubscriberReference {
    serde_json::from_str("\"A-s1\"").unwrap()
}

fn kept(token: &str) -> KeptCard {
    KeptCard { token: token.to_owned().into(), end: CardEnd::new(2028, 3).unwrap() }
}

/// What is sent, field by field, without the proofs.
fn fields(operation: direct::Operation) -> Vec<(&'static str, String)> {
    let account = Account::new("1999888", "032", "2").unwrap();
    let (number, asked_at) = (QuestionNumber::new(7).unwrap(), "2026-12-10T06:00:00Z".parse().unwrap());
    let question = direct::Question { account, number, asked_at, operation, card_details: CardDetails::NotAsked };
    let signed = question.sign(&HmacKey::from_hex(&"ab".repeat(64)).unwrap(), HashName::Sha512).unwrap();
    let common = ["VERSION", "SITE", "RANG", "IDENTIFIANT", "NUMQUESTION", "DATEQ", "HASH", "HMAC"];
    let pairs = signed.pairs().filter(|(name, _)| !common.contains(name));
    pairs.map(|(name, value)| (name, value.to_owned())).collect()
}

#[test]
fn each_call_is_asked_under_its_type_with_its_fields() {
    let money = "MONTANT=0000000100 DEVISE=978 REFERENCE=A-1";
    let target = "NUMAPPEL=0000000005 NUMTRANS=0000000010";
    let online = "ACTIVITE=024 ARCHIVAGE=100000000000";
    let unread = "PORTEUR=000000000000000 DATEVAL=0000";
    let kept_card = "PORTEUR=SLDLrcsLMPC DATEVAL=0328";
    for (kind, expected) in [
        ("capture", format!("TYPE=00002 {money} {target} {online}")),
        ("captures", format!("TYPE=00052 {money} REFABONNE=A-s1 {target} {online}")),
        ("cancel", format!("TYPE=00005 {money} {target} {online}")),
        ("cancels", format!("TYPE=00055 {money} REFABONNE=A-s1 {unread} {target} {online}")),
        ("refund", format!("TYPE=00014 {money} {target} {online}")),
        ("debit", format!("TYPE=00053 {money} REFABONNE=A-s1 {kept_card} ACTIVITE=027 ARCHIVAGE=100000000000")),
    ] {
        let asked = super::call(&call(kind), Some(&kept("SLDLrcsLMPC"))).unwrap();
        assert_eq!(wire_type(&call(kind)), asked.wire_type(), "{kind}");
        let sent: Vec<String> = fields(asked).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(sent.join(" "), expected, "{kind}");
        let without_card = super::call(&call(kind), None);
        assert_eq!(without_card.is_none(), kind == "debit", "{kind}: {without_card:?}");
    }
    assert_eq!(fields(deletion(&plan_card())), [("TYPE", "00058".to_owned()), ("REFABONNE", "A-s1".to_owned())]);
}

#[test]
fn no_debug_of_a_debit_tells_its_token() {
    let card = kept("SLDLrcsLMPC");
    let asked = super::call(&call("debit"), Some(&card)).unwrap();
    let shown = format!("{asked:?} {:?} {:?}", call("debit"), card.token);
    assert!(!shown.contains("SLDLrcsLMPC") && !shown.contains("0328"), "{shown}");
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
        ("capture", "00000", "10", "5", "", accepted(10, 5)),
        ("captures", "00000", "0", "0", "", accepted(10, 5)),
        ("captures", "00000", "11", "5", "", None),
        ("capture", "00000", "10", "6", "", None),
        ("capture", "00015", "0", "0", "", None),
        ("capture", "00151", "0", "0", "", refused("00151")),
        ("captures", "00017", "0", "0", "&COMMENTAIRE=Abonné inexistant", refused("00017")),
        ("cancels", "00000", "0", "0", "", accepted(10, 5)),
        ("cancels", "00000", "10", "6", "", None),
        ("cancels", "00015", "0", "0", "", None),
        ("debit", "00000", "11", "6", "", accepted(11, 6)),
        ("debit", "00000", "11", "0", "", None),
        ("debit", "00000", "11", "", "", None),
        ("debit", "00000", "0", "6", "", None),
        ("debit", "00000", "", "", "", None),
        ("debit", "00151", "11", "6", "", refused("00151")),
        ("debit", "00017", "0", "0", "&COMMENTAIRE=PAYBOX : Abonné inexistant", refused("00017")),
        ("debit", "00017", "0", "0", "&COMMENTAIRE=erreur PARES", None),
        ("debit", "00006", "11", "6", "", misconfigured("00006")),
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

/// Every listed code, of a debit: what it says comes from the table that both sides of the wire share.
#[test]
fn what_each_listed_code_makes_of_a_debit() {
    let table = include_str!("../../../../contracts/response-codes.json");
    let table: serde_json::Value = serde_json::from_str(table).unwrap();
    let codes = table["codes"].as_array().unwrap();
    assert!(codes.len() > 90, "{}", codes.len());
    for row in codes {
        let text = |name: &str| row[name].as_str().unwrap();
        let (code, class) = (text("code"), text("class"));
        let ruling = ruling(&call("debit"), &answer(code, "11", "6", ""));
        let refused = |class| Ruling::Refused { code: code.to_owned(), class: Some(class) };
        let expected = match (class, row["definite_refusal"].as_bool().unwrap()) {
            ("success", _) if code == "00000" => Some(Ruling::Accepted { operation: operation(11, 6) }),
            ("config_error" | "request_error", false) => Some(Ruling::Misconfigured { code: code.to_owned() }),
            ("hard_decline", true) => Some(refused(RefusalClass::Hard)),
            ("card_update" | "token_state", true) => Some(refused(RefusalClass::CardUpdate)),
            ("soft_decline", true) => Some(refused(RefusalClass::Soft)),
            ("sca_required", true) => Some(refused(RefusalClass::Authentication)),
            (_, false) => None,
            (class, true) => panic!("{code}: a definite refusal of class {class}"),
        };
        match expected {
            Some(expected) => assert_eq!(ruling, expected, "{code}"),
            None => assert!(matches!(ruling, Ruling::Doubt { .. }), "{code}: {ruling:?}"),
        }
    }
}

/// The codes of which the safety rules speak by name, whatever the table says of them.
#[test]
fn what_the_rules_name_is_in_doubt() {
    let doubted = "00001 00003 00005 00015 00018 00039 00097 00098 00099 00100 00119 00120 00168 00190 00191 00194 \
                   00196 00197 00198 00199 99999 00888 001ZZ 00200";
    for code in doubted.split_whitespace() {
        let ruling = ruling(&call("debit"), &answer(code, "11", "6", ""));
        assert!(matches!(ruling, Ruling::Doubt { .. }), "{code}: {ruling:?}");
    }
    for code in ["00006", "00013"] {
        let ruling = ruling(&call("debit"), &answer(code, "11", "6", ""));
        assert_eq!(ruling, Ruling::Misconfigured { code: code.to_owned() });
    }
}

#[test]
fn only_a_card_that_is_not_there_is_forgotten() {
    for (code, more, gone) in [
        ("00000", "", true),
        ("00017", "&COMMENTAIRE=PAYBOX : Abonné inexistant", true),
        ("00017", "", true),
        ("00017", "&COMMENTAIRE=Signature PARes 3DS invalide", false),
        ("00001", "", false),
        ("00003", "", false),
        ("00006", "", false),
        ("00015", "", false),
        ("00018", "", false),
        ("00100", "", false),
        ("99999", "", false),
    ] {
        let told = forgotten(&answer(code, "0", "0", more));
        let expected = if gone { Forgotten::Gone } else { Forgotten::Unclear(code.to_owned()) };
        assert_eq!(told, expected, "{code} {more}");
    }
}
