//! What a file may look like, and what is said of one that may not.

use crate::domain::{
    fault::{Fault, FaultKind},
    money::{Currency, Money},
    statement::{FileKind, Movement, Rows, parse},
    text::{TextFault, holds_card_number},
};

const HEAD: &str = "operation;call;reference;date;type;amount;currency;remittance;status\n";
const GOOD: &str = "8041237;10;ECO-1-c1;2026-11-23;payment;601,00;EUR;117;Capturé\n";
const BANK: &str = "remittance;value_date;gross;fees;net;currency\n";

fn operations(text: &str) -> Result<Rows, Vec<Fault>> {
    parse(FileKind::Operations, text.as_bytes())
}

#[test]
fn one_line_in_every_form_that_is_taken() {
    let expected = operations(&format!("{HEAD}{GOOD}")).unwrap();
    let Rows::Operations(rows) = &expected else { unreachable!() };
    let row = &rows[0];
    assert_eq!((row.line, row.operation.number.get(), row.operation.call.get()), (2, 8_041_237, 10));
    assert_eq!((row.movement, row.amount), (Movement::Payment, Money::new(60_100, Currency::Eur).unwrap()));
    assert_eq!((row.remittance, row.date.to_string().as_str()), (Some(117), "2026-11-23"));
    for other in [
        format!("\u{feff}{HEAD}{GOOD}"),
        format!("{HEAD}{GOOD}").replace('\n', "\r\n"),
        format!("{HEAD}{GOOD}").trim_end().to_owned(),
        format!("{HEAD}{GOOD}\n;;;;;;;;\n  \n"),
        format!("{HEAD}{GOOD}").replace("601,00", "601.00"),
        format!("{HEAD}{GOOD}").replace("601,00", "601,0"),
        format!("{HEAD}{GOOD}").replace("601,00", "601"),
        format!("{HEAD}{GOOD}").replace("601,00", "\"601,00\""),
        format!("{HEAD}{GOOD}").replace("601,00", " \t601,00  "),
        format!("{HEAD}{GOOD}").replace("2026-11-23", "23/11/2026"),
        format!("{HEAD}{GOOD}").replace("payment", "Paiement").replace("Capturé", "captured"),
        format!("{HEAD}{GOOD}").replace("117", "000000117").replace("EUR", "eur"),
        format!("{HEAD}{GOOD}").replace("601,00", "601.00").replace(';', ","),
        format!("{HEAD}{GOOD}").replace("601,00", "\"601,00\"").replace(';', ","),
        // Columns in another order, and one more.
        format!("status;card;{}Capturé;x;{}", HEAD.replace(";status", ""), GOOD.replace(";Capturé", "")),
        HEAD.to_uppercase() + GOOD,
    ] {
        assert_eq!(operations(&other).as_ref(), Ok(&expected), "{other}");
    }
    for none in ["", "0", "000000000"] {
        let Ok(Rows::Operations(rows)) = operations(&format!("{HEAD}{GOOD}").replace("117", none)) else {
            unreachable!()
        };
        assert_eq!(rows[0].remittance, None, "{none:?}");
    }
    let quoted =
        format!("{HEAD}{GOOD}").replace("ECO-1-c1", "\"a \"\"b\"\"; \n c\"") + GOOD.replace("8041237", "1").as_str();
    let Ok(Rows::Operations(rows)) = operations(&quoted.replace(" \n ", "- ")) else { unreachable!() };
    assert_eq!(rows[0].reference.as_ref().map(|reference| reference.as_str()), Some("a \"b\";- c"));
    // By chance the digits of an order's id and what follows them look like a card's number.
    for ours in ["P0-019d44e261600000b270389242114552-1-c5", "P0-019d44e26160000a4012001037141112-g1-a1"] {
        assert!(holds_card_number(ours), "{ours}");
        let Ok(Rows::Operations(rows)) = operations(&format!("{HEAD}{GOOD}").replace("ECO-1-c1", ours)) else {
            unreachable!("{ours}")
        };
        assert_eq!(rows[0].reference.as_ref().map(|reference| reference.as_str()), Some(ours));
    }
}

#[test]
fn bad_files_are_refused_at_their_line_and_column() {
    let head = HEAD.trim_end();
    let with = |from: &str, to: &str| format!("{head}\n{}", GOOD.replace(from, to));
    let amount = || FaultKind::NotAnAmount { decimals: 2 };
    for (file, pointer, kind) in [
        (String::new(), "/1", FaultKind::Missing),
        ("\n\n".to_owned(), "/1", FaultKind::Missing),
        (HEAD.to_owned(), "/2", FaultKind::Missing),
        (GOOD.to_owned(), "/1/operation", FaultKind::Missing),
        (HEAD.replace("amount", "montant") + GOOD, "/1/amount", FaultKind::Missing),
        (HEAD.replace("call", "operation") + GOOD, "/1/operation", FaultKind::DuplicateId),
        (HEAD.replace(';', ",") + GOOD, "/2", FaultKind::UnevenLine { cells: 9 }),
        (with(";117", ""), "/2", FaultKind::UnevenLine { cells: 9 }),
        (with(";117", ";117;x"), "/2", FaultKind::UnevenLine { cells: 9 }),
        (with("601,00", "\"601,00"), "/2", FaultKind::QuotesOpen),
        (with("601,00", "\"601\",00"), "/2", FaultKind::QuotesOpen),
        (with("8041237", ""), "/2/operation", FaultKind::WrongType),
        (with("8041237", "0"), "/2/operation", FaultKind::WrongType),
        (with("8041237", "-1"), "/2/operation", FaultKind::WrongType),
        (with("8041237", "80412371234"), "/2/operation", FaultKind::WrongType),
        (with(";10;", ";1O;"), "/2/call", FaultKind::WrongType),
        (with("ECO-1-c1", "4012001037141112"), "/2/reference", FaultKind::Text(TextFault::CardNumber)),
        (with("ECO-1-c1", "a\tb"), "/2/reference", FaultKind::Text(TextFault::ControlCharacter)),
        (with("ECO-1-c1", &"x".repeat(251)), "/2/reference", FaultKind::Text(TextFault::TooLong { max: 250 })),
        (with("2026-11-23", ""), "/2/date", FaultKind::NotADay),
        (with("2026-11-23", "2026-11-31"), "/2/date", FaultKind::NotADay),
        (with("2026-11-23", "11/23/2026"), "/2/date", FaultKind::NotADay),
        (with("2026-11-23", "23/11/26"), "/2/date", FaultKind::NotADay),
        (with("2026-11-23", "+2026-11-2"), "/2/date", FaultKind::NotADay),
        (with("payment", "cadeau"), "/2/type", FaultKind::NotOneOf(&["payment", "refund", "chargeback"])),
        (with("601,00", ""), "/2/amount", amount()),
        (with("601,00", "-"), "/2/amount", amount()),
        (with("601,00", ",50"), "/2/amount", amount()),
        (with("601,00", "601,"), "/2/amount", amount()),
        (with("601,00", "601,001"), "/2/amount", amount()),
        (with("601,00", "1 601,00"), "/2/amount", amount()),
        (with("601,00", "1.601,00"), "/2/amount", amount()),
        (with("601,00", "+601,00"), "/2/amount", amount()),
        (with("601,00", "6e2"), "/2/amount", amount()),
        (with("601,00", "٦"), "/2/amount", amount()),
        (with("601,00", "=601"), "/2/amount", amount()),
        (with("601,00", "-601,00"), "/2/amount", FaultKind::AmountOutOfRange),
        (with("601,00", "100000000,00"), "/2/amount", FaultKind::AmountOutOfRange),
        (with("601,00", &"9".repeat(40)), "/2/amount", FaultKind::AmountOutOfRange),
        (with("601,00", &"9".repeat(27)), "/2/amount", FaultKind::AmountOutOfRange),
        (with("601,00;EUR", "601,5;JPY"), "/2/amount", FaultKind::NotAnAmount { decimals: 0 }),
        (with("117", "1x7"), "/2/remittance", FaultKind::WrongType),
        (with("117", "-7"), "/2/remittance", FaultKind::WrongType),
        (with("117", &"1".repeat(20)), "/2/remittance", FaultKind::WrongType),
        (format!("{HEAD}{GOOD}{GOOD}"), "/3/operation", FaultKind::DuplicateId),
        (
            format!("{HEAD}{GOOD}{}", GOOD.replace("8041237", "2").replace("2026", "2024")),
            "/2/date",
            FaultKind::NotWithThis,
        ),
    ] {
        let faults = operations(&file).unwrap_err();
        assert_eq!((faults[0].pointer.as_str(), &faults[0].kind), (pointer, &kind), "{file}");
    }
    let statuses = operations(&with("Capturé", "Payé")).unwrap_err();
    assert_eq!(statuses[0].pointer, "/2/status");
    let currencies = operations(&with("EUR", "978")).unwrap_err();
    assert_eq!(currencies[0].pointer, "/2/currency");
}

#[test]
fn all_that_is_wrong_is_told_at_once_up_to_a_bound() {
    let line = "x;x;;x;x;x;EUR;x;x\n";
    let places = |count: usize| {
        let faults = operations(&format!("{HEAD}{}", line.repeat(count))).unwrap_err();
        faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
    };
    let all = ["/2/operation", "/2/call", "/2/date", "/2/type", "/2/amount", "/2/remittance", "/2/status"];
    assert_eq!(places(1), all);
    assert_eq!(places(1_000).len(), 20);
}

#[test]
fn bytes_that_are_no_text_are_refused_at_their_line() {
    let latin1 = [HEAD.as_bytes(), GOOD.as_bytes(), b"1;2;;2026-11-23;payment;1;EUR;;Captur\xe9\n"].concat();
    let faults = parse(FileKind::Operations, &latin1).unwrap_err();
    assert_eq!((faults[0].pointer.as_str(), &faults[0].kind), ("/3", &FaultKind::NotUtf8));
}

#[test]
fn remittances_add_up_or_are_refused() {
    let read = |line: &str| parse(FileKind::Remittances, format!("{BANK}{line}\n").as_bytes());
    let Ok(Rows::Remittances(rows)) = read("117;24/11/2026;801,31;1,60;799,71;EUR") else { unreachable!() };
    assert_eq!((rows[0].gross.amount, rows[0].fees.minor_units(), rows[0].net.amount), (80_131, 160, 79_971));
    let Ok(Rows::Remittances(rows)) = read("118;24/11/2026;-20,00;0;-20;EUR") else { unreachable!() };
    assert_eq!((rows[0].gross.amount, rows[0].net.amount), (-2_000, -2_000));
    for (line, pointer, kind) in [
        ("117;24/11/2026;801,31;1,60;799,70;EUR", "/2/net", FaultKind::DoesNotAddUp),
        ("117;24/11/2026;801,31;-1,60;802,91;EUR", "/2/fees", FaultKind::AmountOutOfRange),
        ("0;24/11/2026;1;0;1;EUR", "/2/remittance", FaultKind::Missing),
        (";24/11/2026;1;0;1;EUR", "/2/remittance", FaultKind::Missing),
        ("117;hier;1;0;1;EUR", "/2/value_date", FaultKind::NotADay),
        ("1;2026-01-01;1;0;1;EUR\n2;2027-01-02;1;0;1;EUR", "/3/value_date", FaultKind::NotWithThis),
        ("1;2026-01-01;1;0;1;EUR\n1;2026-01-02;1;0;1;EUR", "/3/remittance", FaultKind::DuplicateId),
    ] {
        let faults = read(line).unwrap_err();
        assert_eq!((faults[0].pointer.as_str(), &faults[0].kind), (pointer, &kind), "{line}");
    }
}
