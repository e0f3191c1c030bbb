//! The rules of the ledger, without sockets.

use super::*;

fn merchant() -> Merchant {
    Merchant { site: "1999888".into(), rang: 32 }
}

fn operation(numtrans: u64, status: Status, amount: u64) -> Operation {
    let captured = if status == Status::Captured { amount } else { 0 };
    Operation {
        numtrans,
        numappel: 7,
        merchant: merchant(),
        reference: "order-1".into(),
        amount,
        currency: "978".into(),
        kind: Kind::Payment,
        status,
        code: "00000".into(),
        captured,
        refunded: 0,
        settled_remise: None,
        at: Timestamp::UNIX_EPOCH,
        settle_from: Timestamp::UNIX_EPOCH,
        authorisation: "XXXXXX".into(),
        card_type: "CB".into(),
        card_last2: "44".into(),
        archivage: String::new(),
        refund_of: None,
    }
}

fn aim(merchant: &Merchant, numtrans: u64, amount: u64) -> Aim<'_> {
    Aim { merchant, numtrans, numappel: 7, amount, currency: "978", refabonne: None }
}

#[test]
fn an_authorisation_is_captured_once_and_never_beyond() {
    let (mut ledger, who) = (Ledger::default(), merchant());
    ledger.add(operation(1, Status::Authorised, 5000));
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(ledger.capture(&aim(&who, 1, 5001), now).unwrap_err(), Unfit::Amount);
    assert_eq!(ledger.capture(&aim(&who, 1, 4000), now).unwrap().operation.captured, 4000);
    assert_eq!(ledger.capture(&aim(&who, 1, 1000), now).unwrap_err(), Unfit::Reference);
    assert_eq!(ledger.totals(|_| true).net, 4000);
}

#[test]
fn a_cancelled_operation_is_neither_cancelled_again_nor_refunded() {
    let (mut ledger, who) = (Ledger::default(), merchant());
    ledger.add(operation(1, Status::Captured, 5000));
    assert_eq!(ledger.cancel(&aim(&who, 1, 4999)).unwrap_err(), Unfit::Amount);
    assert_eq!(ledger.cancel(&Aim { numappel: 8, ..aim(&who, 1, 5000) }).unwrap_err(), Unfit::Reference);
    assert_eq!(ledger.cancel(&aim(&who, 1, 5000)).unwrap().operation.status, Status::Cancelled);
    assert_eq!(ledger.cancel(&aim(&who, 1, 5000)).unwrap_err(), Unfit::Reference);
    assert_eq!(ledger.refund(&aim(&who, 1, 5000)).unwrap_err(), Unfit::Reference);
    assert_eq!(ledger.totals(|_| true), Totals { captured: 5000, cancelled: 5000, refunded: 0, net: 0 });
}

#[test]
fn settled_operations_are_refunded_up_to_what_was_captured() {
    let (mut ledger, who) = (Ledger::default(), merchant());
    ledger.add(operation(1, Status::Captured, 5000));
    assert_eq!(ledger.settle(Timestamp::UNIX_EPOCH).count, 1);
    assert_eq!(ledger.cancel(&aim(&who, 1, 5000)).unwrap_err(), Unfit::Reference);
    assert_eq!(ledger.refund(&aim(&who, 1, 3000)).unwrap().operation.status, Status::Captured);
    assert_eq!(ledger.refund(&aim(&who, 1, 2001)).unwrap_err(), Unfit::Amount);
    assert_eq!(ledger.refund(&aim(&who, 1, 2000)).unwrap().operation.status, Status::Refunded);
    assert_eq!(ledger.refund(&aim(&who, 1, 1)).unwrap_err(), Unfit::Reference);
    assert_eq!(ledger.settle(Timestamp::UNIX_EPOCH).count, 0);
}

#[test]
fn amounts_are_lowered_until_the_settlement_and_never_raised() {
    let (mut ledger, who) = (Ledger::default(), merchant());
    ledger.add(operation(1, Status::Captured, 42_000));
    ledger.add(operation(2, Status::Authorised, 42_000));
    assert_eq!(ledger.change_amount(&aim(&who, 1, 42_001)).unwrap_err(), Unfit::Amount);
    assert_eq!(ledger.change_amount(&aim(&who, 1, 41_000)).unwrap().operation.captured, 41_000);
    assert_eq!(ledger.change_amount(&aim(&who, 2, 41_000)).unwrap().operation.captured, 0);
    assert_eq!(ledger.capture(&aim(&who, 2, 42_000), Timestamp::UNIX_EPOCH).unwrap_err(), Unfit::Amount);
    ledger.settle(Timestamp::UNIX_EPOCH);
    assert_eq!(ledger.change_amount(&aim(&who, 1, 40_000)).unwrap_err(), Unfit::Reference);
    assert_eq!(ledger.totals(|_| true).net, 41_000);
}

#[test]
fn nights_settle_what_was_captured_before_them() {
    let mut ledger = Ledger::default();
    ledger.add(operation(1, Status::Captured, 5000));
    ledger.add(operation(2, Status::Authorised, 5000));
    let midnight: Timestamp = "1970-01-02T00:00:00Z".parse().unwrap();
    let later = Operation { settle_from: midnight, ..operation(3, Status::Captured, 5000) };
    ledger.add(later);
    assert_eq!(ledger.settle_nights(Timestamp::UNIX_EPOCH), None);
    assert_eq!(ledger.settle_nights(midnight), Some(Settlement { remise: 1, count: 1 }));
    assert_eq!(ledger.settle_nights(midnight), None);
}

#[test]
fn another_subscriber_s_operation_is_out_of_reach() {
    let (mut ledger, who) = (Ledger::default(), merchant());
    let origin = Origin { refabonne: Some("plan-1".into()), ..Origin::default() };
    ledger.book(operation(1, Status::Authorised, 5000), origin);
    let of = |refabonne| Aim { refabonne: Some(refabonne), ..aim(&who, 1, 5000) };
    assert_eq!(ledger.cancel(&of("plan-2")).unwrap_err(), Unfit::Reference);
    assert!(ledger.cancel(&of("plan-1")).is_ok());
}

#[test]
fn files_show_what_was_settled_and_the_fees_of_it() {
    use crate::{files, wire::form::Fields};
    let (mut ledger, who) = (Ledger::default(), merchant());
    ledger.add(operation(1, Status::Captured, 60_100));
    ledger.add(operation(2, Status::Captured, 20_031));
    ledger.refund(&aim(&who, 2, 31)).unwrap();
    ledger.add(Operation { kind: Kind::Refund, captured: 0, ..operation(3, Status::Credit, 31) });
    ledger.add(Operation { reference: "a;\"b\"".into(), ..operation(4, Status::Refused, 100) });
    ledger.add(Operation { merchant: Merchant { rang: 33, ..merchant() }, ..operation(5, Status::Captured, 100) });
    ledger.settle(Timestamp::UNIX_EPOCH);
    let file = |name: &str, query: &str| {
        let query = Fields::parse(query).unwrap();
        files::write(&ledger, name, &query).unwrap().unwrap().trim_start_matches('\u{feff}').replace("\r\n", "\n")
    };
    assert_eq!(
        file("operations.csv", "from=1970-01-01&until=1970-01-01&site=1999888&rang=32"),
        "operation;call;reference;date;type;amount;currency;remittance;status\n\
         1;7;order-1;01/01/1970;paiement;601,00;EUR;1;Capturé\n\
         2;7;order-1;01/01/1970;paiement;200,31;EUR;1;Capturé\n\
         3;7;order-1;01/01/1970;remboursement;0,31;EUR;1;Crédit\n\
         4;7;\"a;\"\"b\"\"\";01/01/1970;paiement;1,00;EUR;;Refusé\n"
    );
    assert_eq!(
        file("remittances.csv", "site=1999888&rang=32"),
        "remittance;value_date;gross;fees;net;currency\n1;01/01/1970;801,00;1,60;799,40;EUR\n"
    );
    assert_eq!(file("remittances.csv", "from=1970-01-02"), "remittance;value_date;gross;fees;net;currency\n");
    let bad = Fields::parse("from=today").unwrap();
    assert!(files::write(&ledger, "operations.csv", &bad).unwrap().is_err());
    assert!(files::write(&ledger, "other.csv", &bad).is_none());
}
