//! What accounting corrects: credit notes, refunds, chargebacks, the end of a plan, and instalments one by one.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{Request, Response},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Gateway,
    idempotency::Asked,
    money_in::MoneyIn,
    problem::{Code, Problem},
    query::{day, if_match, order_id},
};
use crate::{
    app::{access::Scope, corrections::Correction},
    domain::{
        correction::{JournalKind, Rest},
        fault::{Fault, FaultKind},
        numbers::OperationNumber,
        order::Against,
        payer::MAX_PORTAL_REFERENCE,
        plan::MAX_REASON,
        text::Text,
    },
};

const BY_ACCOUNTING: [Scope; 1] = [Scope::Accounting];
const BY_BOTH: [Scope; 2] = [Scope::Accounting, Scope::Portal];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreditIn {
    amount: MoneyIn,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundIn {
    amount: MoneyIn,
    against: AgainstIn,
    rest: Option<Rest>,
    reason: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AgainstIn {
    CreditNote,
    Surplus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargebackIn {
    operation: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonIn {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RescheduleIn {
    due: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaidElsewhereIn {
    on: String,
    reference: String,
    reason: String,
}

/// Gathers faults, so that all are told at once.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn take<T>(&mut self, pointer: &str, found: Result<T, FaultKind>) -> Option<T> {
        found.map_err(|kind| self.0.push(Fault::new(pointer, kind))).ok()
    }

    fn text(&mut self, pointer: &str, raw: &str, max: usize) -> Option<Text> {
        self.take(pointer, Text::parse(raw, max).map_err(FaultKind::Text))
    }

    fn reason(&mut self, raw: &str) -> Option<Text> {
        self.text("/reason", raw, MAX_REASON)
    }

    fn amount(&mut self, raw: MoneyIn) -> Option<crate::domain::money::Money> {
        self.take("/amount/amount", raw.parse().ok_or(FaultKind::AmountOutOfRange))
    }

    fn day(&mut self, pointer: &str, raw: &str) -> Option<jiff::civil::Date> {
        self.take(pointer, day(raw).ok_or(FaultKind::WrongType))
    }

    fn end<T>(self, value: Option<T>) -> Result<T, Problem> {
        value.ok_or_else(|| Problem::faults(self.0))
    }
}

pub(super) async fn credit(
    gateway: State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let read = |said: CreditIn| {
        let mut faults = Faults::default();
        let (amount, reason) = (faults.amount(said.amount), faults.reason(&said.reason));
        faults.end(amount.zip(reason).map(|(amount, reason)| Correction::Credit { amount, reason }))
    };
    correct(gateway, id, request, &BY_ACCOUNTING, |asked| read(asked.request.json()?)).await
}

pub(super) async fn refund(
    gateway: State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let read = |said: RefundIn| {
        let mut faults = Faults::default();
        let (amount, reason) = (faults.amount(said.amount), faults.reason(&said.reason));
        let against = match said.against {
            AgainstIn::CreditNote => Against::CreditNote,
            AgainstIn::Surplus => Against::Surplus,
        };
        let rest = said.rest;
        faults.end(amount.zip(reason).map(|(amount, reason)| Correction::Refund { amount, against, rest, reason }))
    };
    correct(gateway, id, request, &BY_BOTH, |asked| read(asked.request.json()?)).await
}

pub(super) async fn charge_back(
    gateway: State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let read = |said: ChargebackIn| {
        let mut faults = Faults::default();
        let number = OperationNumber::parse(&said.operation).map_err(|_| FaultKind::WrongType);
        let (operation, reason) = (faults.take("/operation", number), faults.reason(&said.reason));
        faults.end(operation.zip(reason).map(|(operation, reason)| Correction::ChargeBack { operation, reason }))
    };
    correct(gateway, id, request, &BY_ACCOUNTING, |asked| read(asked.request.json()?)).await
}

/// Ends a plan and credits what is unpaid: nothing more is owed.
pub(super) async fn cancel_rest(
    gateway: State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let read = |said: ReasonIn| {
        let mut faults = Faults::default();
        let reason = faults.reason(&said.reason);
        faults.end(reason.map(|reason| Correction::CancelRest { reason }))
    };
    correct(gateway, id, request, &BY_ACCOUNTING, |asked| read(asked.request.json()?)).await
}

/// Ends a plan whose payer does not pay: all that is unpaid is owed at once.
pub(super) async fn default(
    gateway: State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let read = |asked: &Asked| asked.request.nothing_said().map(|()| Correction::Default);
    correct(gateway, id, request, &BY_ACCOUNTING, read).await
}

pub(super) async fn reschedule(
    gateway: State<Arc<Gateway>>,
    path: Path<(String, String)>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    instalment(gateway, path, request, |instalment, said: RescheduleIn| {
        let mut faults = Faults::default();
        let (due, reason) = (faults.day("/due", &said.due), faults.reason(&said.reason));
        faults.end(due.zip(reason).map(|(due, reason)| Correction::Reschedule { instalment, due, reason }))
    })
    .await
}

pub(super) async fn write_off(
    gateway: State<Arc<Gateway>>,
    path: Path<(String, String)>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    instalment(gateway, path, request, |instalment, said: ReasonIn| {
        let mut faults = Faults::default();
        let reason = faults.reason(&said.reason);
        let kind = JournalKind::WrittenOff;
        faults.end(reason.map(|reason| Correction::Journal { instalment, kind, reason }))
    })
    .await
}

pub(super) async fn paid_elsewhere(
    gateway: State<Arc<Gateway>>,
    path: Path<(String, String)>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    instalment(gateway, path, request, |instalment, said: PaidElsewhereIn| {
        let mut faults = Faults::default();
        let on = faults.day("/on", &said.on);
        let reference = faults.text("/reference", &said.reference, MAX_PORTAL_REFERENCE);
        let reason = faults.reason(&said.reason);
        let kind = on.zip(reference).map(|(on, reference)| JournalKind::PaidElsewhere { on, reference });
        faults.end(kind.zip(reason).map(|(kind, reason)| Correction::Journal { instalment, kind, reason }))
    })
    .await
}

/// A correction of one instalment.
async fn instalment<T: DeserializeOwned>(
    gateway: State<Arc<Gateway>>,
    Path((id, number)): Path<(String, String)>,
    request: Request<Body>,
    read: fn(u32, T) -> Result<Correction, Problem>,
) -> Result<Response<Body>, Problem> {
    correct(gateway, id, request, &BY_ACCOUNTING, move |asked| {
        let number = number.parse().map_err(|_| Problem::of(Code::NotFound))?;
        read(number, asked.request.json()?)
    })
    .await
}

async fn correct(
    State(gateway): State<Arc<Gateway>>,
    id: String,
    request: Request<Body>,
    scopes: &[Scope],
    read: impl FnOnce(&Asked) -> Result<Correction, Problem>,
) -> Result<Response<Body>, Problem> {
    let correct = |asked: Asked| async move {
        let (id, seen) = (order_id(&id)?, if_match(&asked.request.headers)?);
        let correction = read(&asked)?;
        let outcome = asked.app().correct(&asked.caller, id, &correction, seen, &asked.remember_order(200)).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, scopes, correct).await
}
