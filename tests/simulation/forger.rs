//! Strangers, who can have nearly anything signed, and who send what the bank never said of this order.

use crate::{bank::Page, happening::Happening, invariants::secrets::CARD, payer::signed, world::Inner};

/// A page is open, and somebody may lie about it.
pub(crate) fn tempted(inner: &mut Inner, page: &Page) {
    if !inner.strikes("notification: forged", 60) {
        return;
    }
    let (amount, reference) = (page.amount.minor_units(), page.reference.clone());
    let date = "W=01012026&Q=10:00:00&P=CARTE&C=CB,VISA&D=3012&N=497010&J=12";
    let success = |amount: i64, reference: &str, call: &str, operation: &str| {
        format!("M={amount}&R={reference}&T={call}&S={operation}&A=654321&E=00000&{date}")
    };
    let others: Vec<(String, String)> = (inner.bank.moved.iter())
        .filter(|moved| moved.was_captured && moved.reference != reference)
        .map(|moved| (moved.operation.call.wire(), moved.operation.number.wire()))
        .collect();
    let invented = (page.call.wire(), format!("{:010}", inner.rng.between(5_000_000, 6_000_000)));
    let kind = inner.rng.below(if others.is_empty() { 5 } else { 9 });
    let raw = match kind {
        0 => {
            inner.count("forged: of money that never was");
            signed(&success(amount, &reference, &invented.0, &invented.1))
        }
        1 => {
            inner.count("forged: of another amount");
            signed(&success(amount + 1, &reference, &invented.0, &invented.1))
        }
        2 => {
            inner.count("forged: of an order that is none");
            signed(&success(amount, &format!("{reference}-9"), &invented.0, &invented.1))
        }
        3 => {
            inner.count("forged: not signed by the bank");
            let fields = success(amount, &reference, &invented.0, &invented.1);
            format!("{fields}&X={CARD}&K={}", "QUJD".repeat(57))
        }
        4 => {
            inner.count("forged: with an order before what is signed");
            let of_another = success(amount, &format!("{reference}-9"), &invented.0, &invented.1);
            format!("order={reference}&{}", signed(&of_another))
        }
        _ => {
            inner.count("forged: of another's money");
            let (call, operation) = inner.rng.pick(&others).clone();
            signed(&success(amount, &reference, &call, &operation))
        }
    };
    let forged = Happening::Forge { merchant: page.merchant.clone(), raw, is_signed: !matches!(kind, 3 | 4) };
    inner.after_secs(1, 3_000, forged);
}
