//! A payer's account: the position, the line that proves it, and the same for a day that is past.

use jiff::civil::Date;
use serde_json::Value;

use super::walk::Plans;
use crate::{
    check,
    gateway::Gateway,
    orders::written,
    trouble::{Outcome, Trouble},
};

/// A payer's account as the gateway tells it, once its proof was done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// Credit less debit, in cents.
    pub(super) position: i64,
    pub(super) blocked: bool,
    /// The French line.
    pub(super) proof: String,
    pub(super) digest: String,
}

impl Plans<'_> {
    /// The account of an order's payer, now or at the end of a day.
    pub(super) async fn account(&self, role: &str, on: Option<Date>) -> Outcome<Account> {
        let payer = check::text(&self.order(role)?.document, "/payer/reference")?;
        account_of(self.portal_of(role), payer, on).await
    }
}

pub(super) async fn account_of(portal: &Gateway, payer: &str, on: Option<Date>) -> Outcome<Account> {
    let as_of = on.map(|day| format!("?as_of={day}")).unwrap_or_default();
    let told = portal.get(&format!("/v1/payers/{payer}/position{as_of}")).await?.json_if(200)?;
    let position = check::number(&told, "/position/amount")?;
    let balance = check::number(&told, "/credit/amount")? - check::number(&told, "/debit/amount")?;
    check::equal("credit less debit", balance, position)?;
    for language in ["fr", "en"] {
        let proof = check::text(&told, &format!("/proof/{language}"))?;
        let (sum, total) = added_up(proof).ok_or_else(|| Trouble::of(format!("no sum: {proof}")))?;
        check::equal(proof, (sum, total), (position, position))?;
    }
    let is_blocked = |order: &Value| order.pointer("/blocked") == Some(&Value::Bool(true));
    Ok(Account {
        position,
        blocked: check::list(&told, "/orders")?.iter().any(is_blocked),
        proof: check::text(&told, "/proof/fr")?.to_owned(),
        digest: check::text(&told, "/digest")?.to_owned(),
    })
}

/// What the terms of a proof come to, and what it says they come to, in cents.
fn added_up(proof: &str) -> Option<(i64, i64)> {
    let (_, sum) = proof.split_once(": ")?;
    let (terms, total) = sum.rsplit_once(" = ")?;
    let terms = terms.replace(" − ", " + −");
    let sum: Option<i64> = terms.split(" + ").map(cents).sum();
    Some((sum?, cents(total)?))
}

/// The cents of one term, whose words hold no digit.
fn cents(term: &str) -> Option<i64> {
    let digits: String = term.chars().filter(char::is_ascii_digit).collect();
    let units: i64 = digits.parse().ok()?;
    Some(if term.starts_with('−') { -units } else { units })
}

/// Weeks later a day is told as it was on that day, whatever has been paid, credited and taken back since.
pub(super) async fn as_of(plans: &Plans<'_>) -> Outcome<String> {
    let begun = plans.calendar()?.tenth(2)?.tomorrow()?;
    let (now, then) = (plans.account("credited", None).await?, plans.account("credited", Some(begun)).await?);
    check::equal("601.00 less 250.00, all paid", now.position, 0)?;
    check::equal("the account of that day", Some(&then), plans.account_then.as_ref())?;
    let before = plans.account("credited", Some(begun.yesterday()?)).await?;
    check::equal("nothing was ordered the day before", before.position, 0)?;
    let (now, then) = (plans.account("contested", None).await?, plans.account("contested", Some(begun)).await?);
    check::equal("two of three paid, one of them twice", (now.position, then.position), (-9_002, -18_001))?;
    Ok(format!("{begun}: {} and {}; today 0.00 and {}", signed(-15_069), signed(then.position), signed(now.position)))
}

pub(super) fn signed(cents: i64) -> String {
    let minus = if cents < 0 { "-" } else { "" };
    format!("{minus}{}", written(cents.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_added_up_again() {
        for (proof, sums) in [
            (
                "Au 11 août 2027 : encaissé 1\u{202f}200,31\u{a0}€ + avoirs 0,00\u{a0}€ − facturé 601,00\u{a0}€ = 599,31\u{a0}€",
                Some((59_931, 59_931)),
            ),
            ("On 11 August 2027: captured €0.31 − invoiced €1.00 = −€0.69", Some((-69, -69))),
            ("Au 1er août 2027 : encaissé 1,00\u{a0}€ = 2,00\u{a0}€", Some((100, 200))),
            ("Au 1er août 2027 : rien", None),
        ] {
            assert_eq!(added_up(proof), sums, "{proof}");
        }
    }
}
