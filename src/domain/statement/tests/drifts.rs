//! Each kind of drift, and that nothing drifts where both agree.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};

use crate::domain::{
    actor::Actor,
    attempt::{Attempt, AttemptState},
    bank::ArchiveReference,
    give_back::GiveBack,
    ids::{CheckoutNumber, OrderId, Reference},
    ledger::{Entry, EntryKind},
    money::{Currency, Money},
    numbers::OperationNumber,
    order::{
        Order, Unsettled,
        tests::{new_order, operation, policy},
    },
    statement::{
        Balance, Booked, Books, Collected, Drift, Drifting, EntryName, FileKind, Remittances, Rows, Standing,
        compare_operations, compare_remittances, parse,
    },
    text::Text,
};

const HEAD: &str = "operation;call;reference;date;type;amount;currency;remittance;status\n";

fn eur(minor_units: i64) -> Money {
    Money::new(minor_units, Currency::Eur).unwrap()
}

fn at(day: &str) -> Timestamp {
    format!("{day}T10:00:00Z").parse().unwrap()
}

/// An order that was paid by operation 1 of call 10 on 23 November, 601,00 €, and not collected yet.
fn paid() -> Order {
    let now = at("2026-11-23");
    let mut order = Order::place(new_order(60_100), "2026-11-23".parse().unwrap(), now, &policy()).unwrap().order;
    let kind = EntryKind::Capture { checkout: CheckoutNumber(1), instalment: 1, rest: Vec::new() };
    order.ledger.push(Entry { at: now, operation: operation(1, 10), amount: eur(60_100), kind });
    order.unsettled.push(Unsettled { operation: operation(1, 10), since: now, next_look: now });
    order
}

/// The same, with more in its ledger.
fn with(entries: &[(u64, i64, EntryKind)]) -> Order {
    let mut order = paid();
    for (number, amount, kind) in entries {
        if let EntryKind::Settlement { .. } = kind {
            order.unsettled.clear();
        }
        let entry =
            Entry { at: at("2026-11-23"), operation: operation(*number, 10), amount: eur(*amount), kind: kind.clone() };
        order.ledger.push(entry);
    }
    order
}

fn settled() -> Order {
    with(&[(1, 60_100, EntryKind::Settlement { original: operation(1, 10).number, remittance: 117 })])
}

fn back(number: u64, amount: i64) -> (u64, i64, EntryKind) {
    (number, amount, EntryKind::GivenBack { original: operation(1, 10).number, give_back: Some(1) })
}

/// Refunded after it was settled, as its status told when the answer was lost.
fn refunded_by_status() -> Order {
    let settlement = EntryKind::Settlement { original: operation(1, 10).number, remittance: 117 };
    let mut order = with(&[(1, 60_100, settlement), back(1, 60_100)]);
    let give_back = GiveBack {
        number: 1,
        operation: operation(1, 10),
        amount: eur(60_100),
        attempts: Vec::new(),
        hold: None,
        refund: Some(1),
        partial: false,
        given_up: false,
    };
    let archive = ArchiveReference::from_bits(1);
    let call = give_back.call(true, Reference::of_give_back("ECO", order.id, 1, 1), archive, None);
    let state = AttemptState::Accepted { operation: operation(1, 10), at: at("2026-11-24") };
    order.give_backs.push(GiveBack { attempts: vec![Attempt { number: 1, call, state }], ..give_back });
    order
}

fn compare_with(order: &Order, lines: &str, pages: &[&str], elsewhere: &[u64]) -> Vec<Drift> {
    let Ok(Rows::Operations(rows)) = parse(FileKind::Operations, format!("{HEAD}{lines}").as_bytes()) else {
        unreachable!("{lines}")
    };
    let pages: BTreeMap<String, (OrderId, CheckoutNumber)> =
        pages.iter().map(|page| ((*page).to_owned(), (order.id, CheckoutNumber(1)))).collect();
    let elsewhere: BTreeSet<OperationNumber> = elsewhere.iter().map(|number| operation(*number, 1).number).collect();
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let orders = std::slice::from_ref(order);
    compare_operations(&rows, &Books { orders, pages: &pages, elsewhere: &elsewhere, zone: &zone })
}

fn found(order: &Order, lines: &str) -> Vec<(String, Vec<EntryName>)> {
    compare_with(order, lines, &[], &[]).into_iter().map(|drift| (drift.id, drift.entries)).collect()
}

#[test]
fn an_operation_drifts_or_agrees() {
    const NOTE: &[EntryName] = &[EntryName::Note];
    let refunded = with(&[back(2, 60_100)]);
    let partly = with(&[back(2, 100)]);
    let cancelled = with(&[back(1, 60_100)]);
    let by_status = refunded_by_status();
    let taken_back = with(&[(1, 60_100, EntryKind::Chargeback { original: operation(1, 10).number, instalment: 1 })]);
    let other = "9;9;;2026-11-23;payment;1,00;EUR;;Refusé\n";
    for (order, lines, expected) in [
        (&paid(), "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n", None),
        (
            &paid(),
            "1;10;;2026-11-23;payment;601,00;EUR;117;Capturé\n",
            Some(("not_settled_here.1", &[EntryName::Settlement, EntryName::Note][..])),
        ),
        (&settled(), "1;10;;2026-11-23;payment;601,00;EUR;117;Capturé\n", None),
        (&settled(), "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n", None),
        (&settled(), "1;10;;2026-11-23;payment;601,00;EUR;118;Capturé\n", Some(("remittance_differs.1", NOTE))),
        (&paid(), "1;10;;2026-11-23;payment;600,99;EUR;;Capturé\n", Some(("amount_differs.1", NOTE))),
        // What it names is booked only when all else agrees.
        (&paid(), "1;10;;2026-11-23;payment;600,99;EUR;117;Capturé\n", Some(("amount_differs.1", NOTE))),
        (&paid(), "1;10;;2026-11-23;payment;601,00;USD;;Capturé\n", Some(("currency_differs.1", NOTE))),
        (&paid(), "1;10;;2026-11-23;payment;601,00;EUR;;Annulé\n", Some(("status_differs.1", NOTE))),
        (&paid(), "1;10;;2026-11-23;payment;601,00;EUR;;Remboursé\n", Some(("status_differs.1", NOTE))),
        (&paid(), "1;10;;2026-11-23;payment;601,00;EUR;;Refusé\n", Some(("status_differs.1", NOTE))),
        (&paid(), "1;10;;2026-11-23;payment;601,00;EUR;;Rejet support\n", Some(("status_differs.1", NOTE))),
        (&cancelled, "1;10;;2026-11-23;payment;601,00;EUR;;Annulé\n", None),
        (&cancelled, "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n", None),
        (&cancelled, "1;10;;2026-11-23;payment;601,00;EUR;117;Capturé\n", Some(("status_differs.1", NOTE))),
        // Neither what was cancelled nor what another day's file may show is missing.
        (&cancelled, other, None),
        (&paid(), &other.replace("11-23", "11-22"), None),
        (&paid(), other, Some(("not_in_file.1", NOTE))),
        (
            &refunded,
            "1;10;;2026-11-23;payment;601,00;EUR;;Remboursé\n2;10;;2026-11-23;refund;601,00;EUR;;Crédit\n",
            None,
        ),
        (&refunded, "1;10;;2026-11-23;payment;601,00;EUR;;Remboursé\n", Some(("not_in_file.2", NOTE))),
        // Two refunds of the same amount, of which we know one.
        (
            &partly,
            "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n3;10;;2026-11-23;refund;1,00;EUR;;Crédit\n2;10;;2026-11-23;refund;1,00;EUR;;Crédit\n",
            Some(("unknown_refund.3", NOTE)),
        ),
        // The one that we know was in yesterday's file.
        (&partly, "3;10;;2026-11-24;refund;1,00;EUR;;Crédit\n", Some(("unknown_refund.3", NOTE))),
        // A refund that only the payment's status told of has the payment's number here.
        (
            &by_status,
            "1;10;;2026-11-23;payment;601,00;EUR;117;Remboursé\n3;10;;2026-11-23;refund;601,00;EUR;118;Crédit\n",
            None,
        ),
        (&by_status, "1;10;;2026-11-23;payment;601,00;EUR;117;Capturé\n", None),
        // Its refund is shown; the payment, of another number, is not.
        (&by_status, "3;10;;2026-11-23;refund;601,00;EUR;118;Crédit\n", Some(("not_in_file.1", NOTE))),
        (
            &by_status,
            "1;10;;2026-11-23;payment;601,00;EUR;;Remboursé\n3;10;;2026-11-23;refund;601,00;EUR;;Crédit\n4;10;;2026-11-23;refund;601,00;EUR;;Crédit\n",
            Some(("unknown_refund.4", NOTE)),
        ),
        // What was cancelled is not refunded as well.
        (
            &cancelled,
            "1;10;;2026-11-23;payment;601,00;EUR;;Annulé\n3;10;;2026-11-23;refund;601,00;EUR;;Crédit\n",
            Some(("unknown_refund.3", NOTE)),
        ),
        (
            &partly,
            "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n2;10;;2026-11-23;refund;2,00;EUR;;Crédit\n",
            Some(("amount_differs.2", NOTE)),
        ),
        (
            &paid(),
            "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n3;10;;2026-11-23;refund;1,00;EUR;;Crédit\n",
            Some(("unknown_refund.3", NOTE)),
        ),
        (&paid(), "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n3;10;;2026-11-23;refund;1,00;EUR;;Refusé\n", None),
        (
            &paid(),
            "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n1;10;;2026-11-23;chargeback;601,00;EUR;;Rejet support\n",
            Some(("unknown_chargeback.1", &[EntryName::Chargeback, EntryName::Note][..])),
        ),
        (
            &paid(),
            "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n1;10;;2026-11-23;chargeback;1,00;EUR;;Rejet support\n",
            Some(("unknown_chargeback.1", NOTE)),
        ),
        (
            &paid(),
            "1;10;;2026-11-23;chargeback;601,00;EUR;;Rejet support\n",
            Some(("unknown_chargeback.1", &[EntryName::Chargeback, EntryName::Note][..])),
        ),
        (
            &taken_back,
            "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n1;10;;2026-11-23;chargeback;601,00;EUR;;Rejet support\n",
            None,
        ),
    ] {
        let expected: Vec<(String, Vec<EntryName>)> =
            expected.into_iter().map(|(id, entries)| (id.to_owned(), entries.to_vec())).collect();
        assert_eq!(found(order, lines), expected, "{lines}");
    }
}

#[test]
fn what_no_order_has_is_asked_about_and_never_booked() {
    let lines =
        "1;10;;2026-11-23;payment;601,00;EUR;;Capturé\n8;80;ECO-1-1-c1;2026-11-23;payment;5,00;EUR;117;Capturé\n";
    let unknown = |pages: &[&str]| compare_with(&paid(), lines, pages, &[]).remove(0);
    let ours = unknown(&["ECO-1-1-c1"]);
    assert_eq!((ours.id.as_str(), ours.entries), ("unknown_operation.8", vec![EntryName::Question, EntryName::Note]));
    assert_eq!((ours.order, ours.page), (Some(paid().id), Some(CheckoutNumber(1))));
    let foreign = unknown(&["ECO-2-1-c1"]);
    assert_eq!((foreign.entries, foreign.order), (vec![EntryName::Note], None));
    for (status, drifts) in [("Autorisé", 0), ("Annulé", 0), ("Refusé", 0), ("Remboursé", 1), ("Rejet support", 1)]
    {
        let lines = lines.replace("117;Capturé", &format!(";{status}"));
        assert_eq!(compare_with(&paid(), &lines, &[], &[]).len(), drifts, "{status}");
    }
}

#[test]
fn what_the_file_of_another_day_shows_is_not_missing() {
    let other = "9;9;;2026-11-23;payment;1,00;EUR;;Refusé\n";
    assert_eq!(compare_with(&paid(), other, &[], &[1]), Vec::new());
    // Half past eleven in the evening, in Paris, is of that day.
    let mut order = paid();
    order.ledger[0].at = "2026-11-23T23:30:00Z".parse().unwrap();
    assert_eq!(compare_with(&order, other, &[], &[]), Vec::new());
    order.ledger[0].at = "2026-11-22T23:30:00Z".parse().unwrap();
    assert_eq!(compare_with(&order, other, &[], &[]).len(), 1);
}

#[test]
fn remittances_drift_or_agree() {
    let known = |sum: i64, fees: Option<i64>| Remittances {
        ours: BTreeMap::from([(
            117,
            Collected { sum: Balance { amount: sum, currency: Currency::Eur }, on: "2026-11-24".parse().unwrap() },
        )]),
        fees: fees.into_iter().map(|fees| (117, eur(fees))).collect(),
        elsewhere: BTreeSet::new(),
    };
    let shown_elsewhere = Remittances { elsewhere: BTreeSet::from([117]), ..known(60_100, None) };
    let line = "117;2026-11-24;601,00;1,20;599,80;EUR\n";
    for (known, lines, expected) in [
        (&known(60_100, Some(120)), line, vec![]),
        (&known(60_100, None), "117;2026-11-24;601,00;0,00;601,00;EUR\n", vec![]),
        (&known(60_100, None), line, vec!["fees_not_booked.117"]),
        (&known(60_100, Some(121)), line, vec!["fees_differ.117"]),
        (&known(60_099, Some(120)), line, vec!["gross_differs.117"]),
        (
            &known(60_100, Some(120)),
            "117;2026-11-24;601,00;0;601,00;USD\n",
            vec!["currency_differs.117", "fees_differ.117"],
        ),
        (&Remittances::default(), "117;2026-11-24;601,00;0;601,00;EUR\n", vec!["unknown_remittance.117"]),
        (&known(60_100, None), "118;2026-11-24;1;0;1;EUR\n", vec!["unknown_remittance.118", "not_in_statement.117"]),
        (&known(60_100, None), "118;2026-11-23;1;0;1;EUR\n", vec!["unknown_remittance.118"]),
        (&shown_elsewhere, "118;2026-11-24;1;0;1;EUR\n", vec!["unknown_remittance.118"]),
    ] {
        let file = format!("remittance;value_date;gross;fees;net;currency\n{lines}");
        let Ok(Rows::Remittances(rows)) = parse(FileKind::Remittances, file.as_bytes()) else { unreachable!() };
        let found: Vec<String> = compare_remittances(&rows, known).into_iter().map(|drift| drift.id).collect();
        assert_eq!(found, expected, "{lines}");
    }
}

#[test]
fn a_question_leaves_a_drift_open_and_an_entry_closes_it() {
    let lines = "8;80;ECO-1-1-c1;2026-11-23;payment;5,00;EUR;117;Capturé\n";
    let drift = compare_with(&paid(), lines, &["ECO-1-1-c1"], &[1]).remove(0);
    let booked = |entry: EntryName| Booked {
        at: at("2026-11-24"),
        by: Actor::Gateway,
        reason: Text::parse("vu", 10).unwrap(),
        entry,
        drift: drift.clone(),
    };
    let standing = |now: &[Drift], booked: &[Booked]| {
        let all = Drifting::of(now.to_vec(), booked);
        all.first().map(|drifting| (drifting.standing(), drifting.entries()))
    };
    let now = std::slice::from_ref(&drift);
    let asked = booked(EntryName::Question);
    let noted = booked(EntryName::Note);
    assert_eq!(standing(now, &[]), Some((Standing::Open, vec![EntryName::Question, EntryName::Note])));
    assert_eq!(standing(now, std::slice::from_ref(&asked)), Some((Standing::Asked, vec![EntryName::Note])));
    assert_eq!(standing(&[], std::slice::from_ref(&asked)), None, "the bank has confirmed it");
    for now in [now, &[]] {
        assert_eq!(standing(now, &[asked.clone(), noted.clone()]), Some((Standing::Journalled, vec![])));
    }
}
