//! What becomes of our errors: the one table from them to the problems that strangers see.

use super::{
    ACTOR,
    problem::{Code, Problem},
};
use crate::{
    app::{self, access::AccessError},
    domain::{
        fault::{Fault, FaultKind},
        order::Refusal,
        template::NotPossible,
    },
};

impl From<app::Error> for Problem {
    fn from(error: app::Error) -> Self {
        match error {
            app::Error::NotFound => Self::of(Code::NotFound),
            app::Error::Faults(faults) => Self::faults(faults),
            app::Error::Refused(refusal) => Self::of(code_of(refusal)),
            app::Error::ReferenceTaken { order } => Self::of(Code::ReferenceTaken).with("order", order.to_string()),
            app::Error::NotReplaceable(refusal) => {
                Self::of(Code::NotReplaceable).with("because", code_of(refusal).name())
            }
            app::Error::BillingRequired => {
                Self { faults: vec![Fault::new("/billing", FaultKind::Missing)], ..Self::of(Code::BillingRequired) }
            }
            app::Error::TooMany => Self::of(Code::TooManyWebhooks),
            app::Error::NotYetDue => Self::of(Code::NotYetDue),
            app::Error::DateTooOld => Self::of(Code::DateTooOld),
            app::Error::RunNotStopped => Self::of(Code::RunNotStopped),
            app::Error::NotReconciling => Self::of(Code::NotReconciling),
            app::Error::StillAsking => Self::of(Code::StillAsking),
            app::Error::InstancesMissing(missing) => {
                Self::of(Code::InstancesMissing).with("missing_instances", missing)
            }
            app::Error::NotOffered => Self::of(Code::EntryNotOffered),
            app::Error::ClockOnlyGoesForward => Self::of(Code::ClockOnlyGoesForward),
            app::Error::Outdated => Self::of(Code::PreconditionFailed),
            app::Error::KeyReused => Self::of(Code::IdempotencyKeyReused),
            app::Error::Busy => Self::of(Code::Busy),
            app::Error::Unavailable(why) => Self::unavailable(why),
            app::Error::Defect(why) => {
                tracing::error!(%why, "a defect");
                Self::of(Code::Internal)
            }
        }
    }
}

fn code_of(refusal: Refusal) -> Code {
    match refusal {
        Refusal::Settled => Code::OrderSettled,
        Refusal::Cancelled => Code::OrderCancelled,
        Refusal::ConfirmationInProgress => Code::ConfirmationInProgress,
        Refusal::Quarantined => Code::Quarantined,
        Refusal::TooManyCheckouts => Code::TooManyCheckouts,
        Refusal::PartlyPaid => Code::OrderPartlyPaid,
        Refusal::PlanNotApproved => Code::PlanNotApproved,
        Refusal::PlanUnderWay => Code::PlanUnderWay,
        Refusal::PlanNotRequested => Code::PlanNotRequested,
        Refusal::PlanNotActive => Code::PlanNotActive,
        Refusal::TermsChanged => Code::TermsChanged,
        Refusal::ApproverIsRequester => Code::ApproverIsRequester,
        Refusal::OutsideWindow => Code::OutsideWindow,
        Refusal::TooManyPlans => Code::TooManyPlans,
        Refusal::MonthEnds => Code::MonthEnds,
        Refusal::DebitInProgress => Code::DebitInProgress,
        Refusal::CardUnusable => Code::CardUnusable,
        Refusal::NothingPaid => Code::NothingPaid,
        Refusal::NotThatMuch => Code::NotThatMuch,
        Refusal::RestNotSaid => Code::RestNotSaid,
        Refusal::NoSuchCapture => Code::NoSuchCapture,
        Refusal::TooManyCorrections => Code::TooManyCorrections,
        Refusal::DateHasCome => Code::DateHasCome,
        Refusal::CardEndsBefore => Code::CardEndsBefore,
        Refusal::NothingWaits => Code::NothingWaits,
        Refusal::VerdictDoesNotFit => Code::VerdictDoesNotFit,
        Refusal::SecondPersonNeeded => Code::SecondPersonNeeded,
        Refusal::NoSuchInstalment => Code::NoSuchInstalment,
        Refusal::NotPossible(NotPossible::BelowMinimum { .. } | NotPossible::InstalmentBelowMinimum { .. }) => {
            Code::BelowMinimum
        }
        Refusal::NotPossible(NotPossible::AboveMaximum { .. }) => Code::AboveMaximum,
        Refusal::NotPossible(NotPossible::FirstNotAllowed | NotPossible::FirstOutOfRange) => Code::FirstAmountRefused,
        Refusal::Impossible(_) => Code::Internal,
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unknown => Self::of(Code::Unauthenticated),
            AccessError::ActorMissing => Self::header(Code::ActorMissing, &ACTOR),
            AccessError::Unavailable => Self::unavailable("an API key cannot be looked up".to_owned()),
        }
    }
}
