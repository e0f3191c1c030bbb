//! Asking the bank what became of a page: by our own reference, amount and currency, then each operation by its number.

use super::{
    App, Error,
    commit::{ChangeError, Extras, Versioned},
    merchant::Merchant,
};
use crate::{
    domain::{
        actor::Actor,
        attempt::Host,
        bank::{Finding, Operation, OperationStatus, Question},
        checkout::Checkout,
        ids::CheckoutNumber,
        order::{Heard, Order},
    },
    failpoint,
    planted::{self, Bug},
    ports::Silence,
};

impl App {
    /// One round of questions about a checkout, and the booking of what they bring.
    pub(super) async fn ask(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        number: CheckoutNumber,
    ) -> Result<(), Error> {
        let order = &current.order;
        let checkout = order.checkout(number).ok_or_else(|| Error::Defect("asking for no checkout".to_owned()))?;
        // A silent host is followed by the other one.
        let host = if checkout.silences.is_multiple_of(2) { Host::Main } else { Host::Backup };
        let heard = self.hear_from_bank(merchant, order, checkout, host).await?;
        self.book(merchant, order, &heard).await
    }

    pub(super) async fn hear_from_bank(
        &self,
        merchant: &Merchant,
        order: &Order,
        checkout: &Checkout,
        host: Host,
    ) -> Result<Heard, Error> {
        let mut heard = Heard {
            checkout: checkout.number,
            asked_at: self.now(),
            seen: Vec::new(),
            strays: Vec::new(),
            card_type: None,
            unclear: false,
            silence: None,
        };
        let find = Question::Find { reference: checkout.reference.clone(), amount: checkout.amount };
        let named = order.believed(checkout.number).first().copied().filter(|_| planted::is(Bug::NumberIsProofEnough));
        let answer = match named {
            Some(operation) => Ok(Finding::Found(operation)),
            None => self.question(merchant, host, &find).await?,
        };
        let found = match answer {
            Ok(Finding::Found(operation)) => operation,
            Ok(Finding::Nothing) => return Ok(heard),
            Ok(Finding::Unclear(why)) | Err(Silence(why)) => {
                heard.silence = Some(why);
                return Ok(heard);
            }
            Ok(Finding::Status(..) | Finding::Inspected(_)) => {
                heard.silence = Some("a status was answered where a number was asked".to_owned());
                return Ok(heard);
            }
        };
        match self.question(merchant, host, &Question::Look { operation: found }).await? {
            Ok(Finding::Status(seen, status)) if seen == found => heard.seen.push((found, status)),
            Ok(Finding::Unclear(why)) | Err(Silence(why)) => heard.silence = Some(why),
            Ok(Finding::Nothing | Finding::Status(..) | Finding::Inspected(_) | Finding::Found(_)) => {
                heard.silence = Some("the bank does not know what it has just found".to_owned());
            }
        }
        // Whoever pays may have another card reported than the one that paid; the bank is asked which it was.
        let is_wanted = checkout.begins.is_some() && !order.has_seen_to(checkout.number, &found.number);
        if is_wanted
            && let Ok(Finding::Inspected(seen)) =
                self.question(merchant, host, &Question::Inspect { operation: found }).await?
        {
            heard.card_type = seen.card_type.filter(|_| seen.operation == found);
        }
        for operation in order.reported(checkout.number, &found) {
            self.look_at_reported(merchant, host, &found, operation, &mut heard).await?;
        }
        Ok(heard)
    }

    /// Looks at an operation that was only reported. Anybody can have any number reported, so an answer that is not
    /// about it settles nothing; a bank that does not answer at all is asked again, and one that is unclear a few times.
    async fn look_at_reported(
        &self,
        merchant: &Merchant,
        host: Host,
        found: &Operation,
        operation: Operation,
        heard: &mut Heard,
    ) -> Result<(), Error> {
        match self.question(merchant, host, &Question::Look { operation }).await? {
            Ok(Finding::Status(seen, status)) if seen == operation && operation.call == found.call => {
                heard.seen.push((operation, status));
            }
            Ok(Finding::Status(seen, OperationStatus::Captured | OperationStatus::Authorised)) if seen == operation => {
                let number = operation.number.to_string();
                if self.ports.store.owner(merchant.id.as_str(), "operation", &number).await?.is_none() {
                    heard.strays.push(operation);
                }
            }
            Ok(Finding::Unclear(_)) => heard.unclear = true,
            Ok(Finding::Status(..) | Finding::Inspected(_) | Finding::Nothing | Finding::Found(_)) => {}
            Err(Silence(why)) => heard.silence = Some(why),
        }
        Ok(())
    }

    /// Asks one question. The outer error is ours (no number can be had), the inner one the bank's.
    pub(super) async fn question(
        &self,
        merchant: &Merchant,
        host: Host,
        question: &Question,
    ) -> Result<Result<Finding, Silence>, Error> {
        let number = self.question_number(merchant).await?;
        Ok(self.ports.bank.ask(&merchant.id, host, number, question).await)
    }

    /// Books what was heard. An operation that another order has already is nobody's to book: a person decides.
    pub(super) async fn book(&self, merchant: &Merchant, order: &Order, heard: &Heard) -> Result<(), Error> {
        failpoint::pass("page.asked");
        let booked = self
            .change(&merchant.id, order.id, &Actor::Gateway, |current, now| {
                Ok((current.order.hear(heard, now, &merchant.policy)?, Extras::default()))
            })
            .await;
        failpoint::pass("page.booked");
        match booked {
            Ok(_) => Ok(()),
            Err(ChangeError::Taken { claim, owner }) => {
                let foreign = heard
                    .seen
                    .iter()
                    .map(|(operation, _)| *operation)
                    .find(|operation| claim.kind == "operation" && operation.number.to_string() == claim.value);
                let operation = foreign.ok_or_else(|| Error::Defect(format!("{} is taken", claim.kind)))?;
                self.put_before_a_person(merchant, order, heard.checkout, operation, &owner).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn put_before_a_person(
        &self,
        merchant: &Merchant,
        order: &Order,
        checkout: CheckoutNumber,
        operation: Operation,
        owner: &str,
    ) -> Result<(), Error> {
        let why = format!("this operation already belongs to {owner}");
        self.change(&merchant.id, order.id, &Actor::Gateway, |current, now| {
            Ok((current.order.quarantine(checkout, &operation, &why, now)?, Extras::default()))
        })
        .await?;
        Ok(())
    }

    /// Takes verified notifications at their word (test mode only).
    pub(super) async fn believe(
        &self,
        merchant: &Merchant,
        order: &Order,
        number: CheckoutNumber,
    ) -> Result<(), Error> {
        let seen = order.believed(number).into_iter().map(|operation| (operation, OperationStatus::Captured)).collect();
        self.book(
            merchant,
            order,
            &Heard {
                checkout: number,
                asked_at: self.now(),
                seen,
                strays: Vec::new(),
                card_type: None,
                unclear: false,
                silence: None,
            },
        )
        .await
    }
}
