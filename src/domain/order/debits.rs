//! Debiting the instalments of an active plan: which one a run takes up, whether it may still leave, what follows.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use super::{Decision, Impossible, NewCall, Order, Refusal, Status};
use crate::domain::{
    attempt::{Attempt, AttemptState},
    bank::{MoneyCall, Operation},
    checkout::Closed,
    event::Event,
    ids::Reference,
    ledger::{Entry, EntryKind},
    plan::{Plan, PlanEnd},
    policy::Policy,
    purpose::{AttemptId, Purpose},
    reconcile::Leaving,
    retry::{RefusalClass, is_single_use_hint, is_worn, last_day, next_try},
    schedule::{Arrears, Debit, Instalment, OTHER_AMOUNT},
    subscriber::PlanCard,
    text::Text,
};
use crate::planted::{self, Bug};

/// Why a run leaves an order out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Nothing of it is to be debited by then.
    NotDue,
    /// No plan debits a card for it.
    NoActivePlan,
    Paused,
    /// A payment page of the instalment may still be paid.
    PayerPaying,
    /// A debit of it is under way, in this run or another.
    InAttempt,
    /// The outcome of an earlier debit is not known.
    InDoubt,
    /// What became of an earlier debit waits for people.
    Quarantined,
    /// Its card was debited today.
    DebitedToday,
    /// Its card was debited as often as its scheme allows for now.
    CardWorn,
    /// This run has taken it up before.
    InThisRun,
}

impl Order {
    /// The day from which a run may take it up. One that another run took up, and that has not left, is among them: that
    /// run may be stopped for good.
    pub fn ready_on(&self) -> Option<Date> {
        let is_active = self.plan().is_some_and(|plan| plan.card().is_some() && !plan.is_paused());
        if self.status != Status::Open || !is_active || self.schedule.iter().any(Instalment::is_at_bank) {
            return None;
        }
        self.debitable().filter_map(|due| due.next_on).min()
    }

    /// The day from which a run looks at it, be it to leave it out and say why.
    pub fn looked_at_on(&self) -> Option<Date> {
        let is_active = self.status == Status::Open && self.plan().is_some_and(|plan| plan.card().is_some());
        let owed = self.schedule.iter().filter(|due| is_active && due.is_owed());
        owed.filter_map(|due| due.next_on).min()
    }

    fn debitable(&self) -> impl Iterator<Item = &Instalment> {
        self.schedule.iter().filter(|due| due.is_owed() && !due.is_quarantined() && due.next_on.is_some())
    }

    /// The day of `now` for its debits.
    pub(super) fn debit_day(&self, now: Timestamp, policy: &Policy) -> Date {
        policy.day(self.plan().map(|plan| plan.time_zone.as_str()), now)
    }

    /// The instalment that the run of `date` takes up, or why none.
    ///
    /// # Errors
    /// [`LeftOut`].
    pub fn due_for(&self, date: Date, now: Timestamp, policy: &Policy) -> Result<&Instalment, LeftOut> {
        let plan = self.plan().filter(|plan| self.status == Status::Open && plan.card().is_some());
        let plan = plan.ok_or(LeftOut::NoActivePlan)?;
        if plan.is_paused() {
            return Err(LeftOut::Paused);
        }
        let open = self.schedule.iter().filter_map(Instalment::debit).find(|debit| debit.attempt.is_open());
        if let Some(debit) = open {
            let in_doubt = matches!(debit.attempt.state, AttemptState::InDoubt(_));
            return Err(if in_doubt { LeftOut::InDoubt } else { LeftOut::InAttempt });
        }
        let today = policy.day(Some(&plan.time_zone), now);
        let until = date.min(today);
        let is_due = |due: &&Instalment| due.is_owed() && due.next_on.is_some_and(|on| on <= until);
        let nothing = if self.schedule.iter().any(|due| is_due(&due) && due.is_quarantined()) {
            LeftOut::Quarantined
        } else {
            LeftOut::NotDue
        };
        let due = self.debitable().find(is_due).ok_or(nothing)?;
        if self.debits().any(|debit| debit.run == date) {
            return Err(LeftOut::InThisRun);
        }
        if self.was_debited_on(today) {
            return Err(LeftOut::DebitedToday);
        }
        // Schemes count what came to nothing as well.
        if is_worn(&self.card_days(), today, &policy.retry) {
            return Err(LeftOut::CardWorn);
        }
        if self.is_covered(due.number, now) {
            return Err(LeftOut::PayerPaying);
        }
        Ok(due)
    }

    fn debits(&self) -> impl Iterator<Item = &Debit> {
        self.schedule.iter().flat_map(|due| &due.debits)
    }

    fn was_debited_on(&self, day: Date) -> bool {
        self.debits().any(|debit| debit.on == Some(day)) && !planted::is(Bug::TwoDebitsADay)
    }

    /// The days on which its card was debited.
    fn card_days(&self) -> Vec<Date> {
        self.debits().filter_map(|debit| debit.on).collect()
    }

    /// Whether a page of the instalment may still bring money: it is open, or was and has not been asked for since.
    pub(super) fn is_covered(&self, instalment: u32, now: Timestamp) -> bool {
        self.checkouts.iter().filter(|page| page.pays().contains(&instalment)).any(|page| {
            (now < page.expires_at && !planted::is(Bug::PageUnheeded))
                || self.holds.iter().any(|hold| hold.checkout == page.number && hold.is_pending())
                || page.asks.first().is_some_and(|ask| *ask <= now)
                || page.is_confirming(&|number| self.has_seen_to(page.number, number))
                || !page.quarantine.is_empty()
        })
    }

    /// The run of `date` takes up the oldest instalment that is to be debited by then, or finds that its card is not to be
    /// debited for it any more: then it is in arrears.
    ///
    /// # Errors
    /// [`LeftOut`] inside when there is none; [`Impossible`] when it does not fit the order.
    pub fn take_up(
        &self,
        date: Date,
        new: NewCall,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Result<Decision, LeftOut>, Impossible> {
        let due = match self.due_for(date, now, policy) {
            Ok(due) => due,
            Err(why) => return Ok(Err(why)),
        };
        let card = self.plan().and_then(Plan::card).ok_or(Impossible("debiting without a card"))?;
        if let Some(arrears) = self.in_vain(due, card, self.debit_day(now, policy), policy) {
            let mut decision = Decision::of(self);
            let instalment = due.number;
            decision.push(Event::DebitInArrears { instalment, arrears, single_use: false }, now)?;
            decision.update_block(now)?;
            return Ok(Ok(decision));
        }
        let purpose = Purpose::Debit(due.number);
        let number = self.next_attempt(purpose);
        let call = MoneyCall::Debit {
            subscriber: card.subscriber.clone(),
            amount: due.amount,
            reference: Reference::of_debit(&new.prefix, self.id, due.number, number),
            archive: new.archive,
        };
        let attempt = Attempt::ready(number, call, now);
        let mut decision = Decision::of(self);
        decision.push(Event::AttemptPlanned { purpose, attempt, run: Some(date) }, now)?;
        Ok(Ok(decision))
    }

    /// Why a debit would be in vain: the card was refused for good, be it for another instalment, or the days for another
    /// try have passed without a run.
    fn in_vain(&self, due: &Instalment, card: &PlanCard, today: Date, policy: &Policy) -> Option<Arrears> {
        let is_its =
            |call: &MoneyCall| matches!(call, MoneyCall::Debit { subscriber, .. } if *subscriber == card.subscriber);
        let for_good = self.debits().filter(|debit| is_its(&debit.attempt.call)).find_map(|debit| {
            let AttemptState::Refused { code, class: Some(class) } = &debit.attempt.state else { return None };
            matches!(class, RefusalClass::Hard | RefusalClass::CardUpdate).then_some((code, *class))
        });
        if let Some((code, class)) = for_good {
            return Some(Arrears { since: today, code: code.clone(), class });
        }
        let AttemptState::Refused { code, class } = &due.debit()?.attempt.state else { return None };
        let is_late = today > last_day(due.due, self.next_due(due.number), &policy.retry);
        let class = class.unwrap_or(RefusalClass::Hard);
        (is_late && !due.by_hand).then(|| Arrears { since: today, code: code.clone(), class })
    }

    /// When the next instalment after this one is due, if one is.
    fn next_due(&self, number: u32) -> Option<Date> {
        self.schedule.iter().find(|other| other.number > number && other.is_owed()).map(|other| other.due)
    }

    /// Accounting has an instalment in arrears debited once more, from today's run on or the next.
    ///
    /// # Errors
    /// [`Refusal`] when no plan debits for it, it is not in arrears, or its card must not be debited again.
    pub fn retry_debit(
        &self,
        instalment: u32,
        reason: Text,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Refusal> {
        if self.plan().and_then(Plan::card).is_none() {
            return Err(Refusal::PlanNotActive);
        }
        let arrears = self.instalment(instalment).filter(|due| due.is_owed()).and_then(|due| due.arrears.as_ref());
        let arrears = arrears.ok_or(Refusal::NoSuchInstalment)?;
        let on = self.debit_day(now, policy);
        // A card that was refused for good, or asks for its holder, is refused again; and schemes count.
        if arrears.class != RefusalClass::Soft || is_worn(&self.card_days(), on, &policy.retry) {
            return Err(Refusal::CardUnusable);
        }
        let mut decision = Decision::of(self);
        decision.push(Event::DebitRetried { instalment, on, reason }, now)?;
        Ok(decision)
    }

    /// A debit that left before the store went back goes on record as it left, in the place of one that is ready; what
    /// became of it is asked for from then on. Nothing when it has no place there: its instalment is not there, or not owed,
    /// or another debit of it is at the bank or before people.
    ///
    /// # Errors
    /// [`Impossible`] for a defect.
    pub fn put_back_debit(
        &self,
        left: &Leaving,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Option<Decision>, Impossible> {
        let Purpose::Debit(number) = left.of.purpose else { return Ok(None) };
        let mut decision = Decision::of(self);
        if self.has_left(left) {
            return Ok(Some(decision));
        }
        let is_open = self.status == Status::Open;
        let Some(due) = self.instalment(number).filter(|due| is_open && due.is_owed()) else { return Ok(None) };
        let purpose = left.of.purpose;
        match due.debit().map(|debit| (&debit.attempt.state, debit.attempt.number)) {
            None | Some((AttemptState::Refused { .. } | AttemptState::NotExecuted, _)) => {}
            Some((AttemptState::Ready { .. }, attempt)) => {
                let why = "before the store went back, another left".to_owned();
                decision.push(Event::AttemptDropped { of: AttemptId { purpose, attempt }, why }, now)?;
            }
            Some(_) => return Ok(None),
        }
        let on = self.debit_day(left.sending.at, policy);
        // No later debit is to have its name.
        let number = self.next_attempt(purpose).max(left.of.attempt);
        let attempt = Attempt::ready(number, left.call.clone(), left.sending.at);
        decision.push(Event::AttemptPlanned { purpose, attempt, run: Some(on) }, now)?;
        let of = AttemptId { purpose, attempt: number };
        decision.push(Event::AttemptSent { of, sending: left.sending, on: Some(on) }, now)?;
        Ok(Some(decision))
    }

    /// Whether a call is on record as one that has left. What was dropped before it left has the name, and no more.
    pub fn has_left(&self, left: &Leaving) -> bool {
        let is_it = |attempt: &Attempt| {
            attempt.call.names().0 == left.call.names().0 && attempt.call.moves_the_same(&left.call)
        };
        match left.of.purpose {
            Purpose::Debit(_) => {
                let mut debits = self.schedule.iter().flat_map(|due| &due.debits);
                debits
                    .any(|debit| (debit.on.is_some() || planted::is(Bug::DroppedTakenForSent)) && is_it(&debit.attempt))
            }
            Purpose::Capture(_) | Purpose::GiveBack(_) => {
                let stayed =
                    |state: &AttemptState| matches!(state, AttemptState::Ready { .. } | AttemptState::NotExecuted);
                self.attempts(left.of.purpose).into_iter().any(|attempt| is_it(attempt) && !stayed(&attempt.state))
            }
        }
    }

    /// Why a debit that was taken up does not leave after all.
    pub(super) fn why_not_debit(&self, instalment: u32, now: Timestamp, policy: &Policy) -> Option<&'static str> {
        let plan = self.plan().filter(|plan| self.status == Status::Open && plan.card().is_some());
        let Some(plan) = plan else { return Some("the plan is not active any more") };
        let Some(due) = self.instalment(instalment).filter(|due| due.is_owed()) else {
            return Some("it is paid");
        };
        let today = policy.day(Some(&plan.time_zone), now);
        let others = self.schedule.iter().filter(|other| other.number != instalment);
        if plan.is_paused() && !planted::is(Bug::PauseUnheeded) {
            Some("the plan is paused")
        } else if due.next_on.is_none_or(|on| on > today) {
            Some("it is not due yet")
        } else if self.is_covered(instalment, now) {
            Some("the payer is paying it")
        } else if self.was_debited_on(today) {
            Some("the card was debited today")
        } else if others.into_iter().any(Instalment::is_being_debited) {
            Some("another debit is under way")
        } else {
            None
        }
    }
}

impl Decision {
    /// Debits that were taken up and have not left do not leave any more.
    pub(super) fn drop_ready_debits(&mut self, why: &str, now: Timestamp) -> Result<(), Impossible> {
        let ready: Vec<AttemptId> = self
            .order
            .schedule
            .iter()
            .filter_map(|due| due.debit().map(|debit| (due.number, &debit.attempt)))
            .filter(|(_, attempt)| matches!(attempt.state, AttemptState::Ready { .. }))
            .map(|(number, attempt)| AttemptId { purpose: Purpose::Debit(number), attempt: attempt.number })
            .collect();
        ready.into_iter().try_for_each(|of| self.push(Event::AttemptDropped { of, why: why.to_owned() }, now))
    }

    /// A debit was carried out: it pays its instalment, and is surplus when that was paid meanwhile, or is of another
    /// amount. In the latter's place nothing is debited by itself.
    pub(super) fn book_debit(
        &mut self,
        of: AttemptId,
        instalment: u32,
        operation: Operation,
        now: Timestamp,
    ) -> Result<(), Impossible> {
        let due = self.order.instalment(instalment).ok_or(Impossible("a debit of no instalment"))?;
        let is_owed = due.is_owed() && self.order.status == Status::Open;
        let amount = self.order.attempt(of)?.call.amount();
        let pays = is_owed && (due.amount == amount || planted::is(Bug::OtherAmountPays));
        let kind = if pays { EntryKind::Debit { instalment } } else { EntryKind::Surplus { checkout: None } };
        self.push(Event::Captured { entry: Entry { at: now, operation, amount, kind } }, now)?;
        if pays {
            return self.settle_if_paid(now);
        }
        if is_owed {
            let since = now.to_zoned(TimeZone::UTC).date();
            let arrears = Arrears { since, code: OTHER_AMOUNT.to_owned(), class: RefusalClass::Hard };
            self.push(Event::DebitInArrears { instalment, arrears, single_use: false }, now)?;
        }
        self.update_block(now)
    }

    /// An order whose instalments are all paid is settled, and its plan complete.
    pub(super) fn settle_if_paid(&mut self, now: Timestamp) -> Result<(), Impossible> {
        self.update_block(now)?;
        // A correction of a settled order settles nothing anew.
        if self.order.status != Status::Open || self.order.schedule.iter().any(Instalment::is_owed) {
            return Ok(());
        }
        self.close_open_checkouts(Closed::Paid, now)?;
        self.drop_ready_debits("the order was paid otherwise", now)?;
        self.withdraw_plan(now)?;
        let active = self.order.plan().filter(|plan| plan.card().is_some()).map(|plan| plan.number);
        if let Some(plan) = active {
            self.push(Event::PlanEnded { plan, how: PlanEnd::Completed }, now)?;
        }
        self.push(Event::Settled, now)?;
        self.release_holds(now)
    }

    /// A debit was refused, or not executed: the first has a consequence for its payer, the second has none and is taken
    /// up by a later day's run.
    pub(super) fn debit_refused(&mut self, number: u32, now: Timestamp, policy: &Policy) -> Result<(), Impossible> {
        let order = self.order.clone();
        let due = order.instalment(number).ok_or(Impossible("a debit of no instalment"))?;
        let Some(AttemptState::Refused { code, class }) = due.debit().map(|debit| &debit.attempt.state) else {
            return Ok(());
        };
        // Without a plan there is nothing to wait for; paid otherwise, there is nothing to try again.
        if !due.is_owed() || order.plan().and_then(Plan::card).is_none() {
            return Ok(());
        }
        let class = class.unwrap_or(RefusalClass::Hard);
        let today = order.debit_day(now, policy);
        // What was not executed is no try: the fault was ours, or the bank's, and never the payer's.
        let was_refused = |debit: &&Debit| matches!(debit.attempt.state, AttemptState::Refused { .. });
        let tried: Vec<Date> = due.debits.iter().filter(was_refused).filter_map(|debit| debit.on).collect();
        let next = next_try(due.due, &tried, &order.card_days(), class, today, order.next_due(number), &policy.retry);
        match next {
            Some(until) => self.push(Event::DebitWaits { instalment: number, until, code: code.clone() }, now)?,
            None => {
                let debited_before = order.ledger.iter().any(|entry| matches!(entry.kind, EntryKind::Debit { .. }));
                let single_use = is_single_use_hint(code) && !debited_before;
                let arrears = Arrears { since: today, code: code.clone(), class };
                self.push(Event::DebitInArrears { instalment: number, arrears, single_use }, now)?;
            }
        }
        self.update_block(now)
    }
}
