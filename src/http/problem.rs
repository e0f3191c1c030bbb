//! What strangers see of our errors: RFC 9457 documents, in French or English.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};

use super::{body::bounded, words, words_of_faults};
use crate::domain::{
    checkout::Locale,
    fault::{Fault, FaultKind},
};

/// An answer that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// What is wrong, place by place.
    pub faults: Vec<Fault>,
    /// Further members of the document, `("order", "ord_…")`.
    pub members: Vec<(&'static str, Value)>,
    /// When to try again, in seconds.
    pub retry_after: Option<u32>,
    /// What the store said when it failed: for operators, never for the caller.
    pub store_failure: Option<String>,
}

/// Every problem there is; the names are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    MalformedJson,
    MalformedRequest,
    InvalidRequest,
    Unauthenticated,
    ActorMissing,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    UnsupportedMediaType,
    TooLarge,
    TooSlow,
    RateLimited,
    PreconditionFailed,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    RequestInProgress,
    Busy,
    ReferenceTaken,
    NotReplaceable,
    BillingRequired,
    OrderSettled,
    OrderCancelled,
    OrderPartlyPaid,
    ConfirmationInProgress,
    Quarantined,
    TooManyCheckouts,
    TooManyWebhooks,
    PlanNotApproved,
    PlanUnderWay,
    PlanNotRequested,
    PlanNotActive,
    TermsChanged,
    ApproverIsRequester,
    OutsideWindow,
    TooManyPlans,
    MonthEnds,
    DebitInProgress,
    CardUnusable,
    NothingPaid,
    NotThatMuch,
    RestNotSaid,
    NoSuchCapture,
    TooManyCorrections,
    DateHasCome,
    CardEndsBefore,
    NothingWaits,
    VerdictDoesNotFit,
    SecondPersonNeeded,
    NoSuchInstalment,
    BelowMinimum,
    AboveMaximum,
    FirstAmountRefused,
    NotYetDue,
    DateTooOld,
    RunNotStopped,
    NotReconciling,
    StillAsking,
    InstancesMissing,
    ClockOnlyGoesForward,
    FileRefused,
    EntryNotOffered,
    Unavailable,
    Internal,
}

impl Code {
    /// As the document's `code`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::MalformedRequest => "malformed_request",
            Self::InvalidRequest => "invalid_request",
            Self::Unauthenticated => "unauthenticated",
            Self::ActorMissing => "actor_missing",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::RateLimited => "rate_limited",
            Self::PreconditionFailed => "precondition_failed",
            Self::IdempotencyKeyMissing => "idempotency_key_missing",
            Self::IdempotencyKeyInvalid => "idempotency_key_invalid",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::RequestInProgress => "request_in_progress",
            Self::Busy => "busy",
            Self::ReferenceTaken => "reference_taken",
            Self::NotReplaceable => "not_replaceable",
            Self::BillingRequired => "billing_required",
            Self::OrderSettled => "order_settled",
            Self::OrderCancelled => "order_cancelled",
            Self::OrderPartlyPaid => "order_partly_paid",
            Self::ConfirmationInProgress => "confirmation_in_progress",
            Self::Quarantined => "quarantined",
            Self::TooManyCheckouts => "too_many_checkouts",
            Self::TooManyWebhooks => "too_many_webhooks",
            Self::PlanNotApproved => "plan_not_approved",
            Self::PlanUnderWay => "plan_under_way",
            Self::PlanNotRequested => "plan_not_requested",
            Self::PlanNotActive => "plan_not_active",
            Self::TermsChanged => "terms_changed",
            Self::ApproverIsRequester => "approver_is_requester",
            Self::OutsideWindow => "outside_window",
            Self::TooManyPlans => "too_many_plans",
            Self::MonthEnds => "month_ends",
            Self::DebitInProgress => "debit_in_progress",
            Self::CardUnusable => "card_unusable",
            Self::NothingPaid => "nothing_paid",
            Self::NotThatMuch => "not_that_much",
            Self::RestNotSaid => "rest_not_said",
            Self::NoSuchCapture => "no_such_capture",
            Self::TooManyCorrections => "too_many_corrections",
            Self::DateHasCome => "date_has_come",
            Self::CardEndsBefore => "card_ends_before",
            Self::NothingWaits => "nothing_waits",
            Self::VerdictDoesNotFit => "verdict_does_not_fit",
            Self::SecondPersonNeeded => "second_person_needed",
            Self::NoSuchInstalment => "no_such_instalment",
            Self::BelowMinimum => "below_minimum",
            Self::AboveMaximum => "above_maximum",
            Self::FirstAmountRefused => "first_amount_refused",
            Self::NotYetDue => "not_yet_due",
            Self::DateTooOld => "date_too_old",
            Self::RunNotStopped => "run_not_stopped",
            Self::NotReconciling => "not_reconciling",
            Self::StillAsking => "still_asking",
            Self::InstancesMissing => "instances_missing",
            Self::ClockOnlyGoesForward => "clock_only_goes_forward",
            Self::FileRefused => "file_refused",
            Self::EntryNotOffered => "entry_not_offered",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson
            | Self::MalformedRequest
            | Self::ActorMissing
            | Self::IdempotencyKeyMissing
            | Self::IdempotencyKeyInvalid => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidRequest
            | Self::FileRefused
            | Self::RestNotSaid
            | Self::VerdictDoesNotFit
            | Self::IdempotencyKeyReused
            | Self::BillingRequired
            | Self::BelowMinimum
            | Self::AboveMaximum
            | Self::FirstAmountRefused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RequestInProgress
            | Self::Busy
            | Self::ReferenceTaken
            | Self::NotReplaceable
            | Self::OrderSettled
            | Self::OrderCancelled
            | Self::OrderPartlyPaid
            | Self::ConfirmationInProgress
            | Self::Quarantined
            | Self::TooManyCheckouts
            | Self::TooManyWebhooks
            | Self::PlanNotApproved
            | Self::PlanUnderWay
            | Self::PlanNotRequested
            | Self::PlanNotActive
            | Self::TermsChanged
            | Self::ApproverIsRequester
            | Self::OutsideWindow
            | Self::TooManyPlans
            | Self::MonthEnds
            | Self::DebitInProgress
            | Self::CardUnusable
            | Self::NothingPaid
            | Self::NotThatMuch
            | Self::NoSuchCapture
            | Self::TooManyCorrections
            | Self::DateHasCome
            | Self::CardEndsBefore
            | Self::NothingWaits
            | Self::SecondPersonNeeded
            | Self::NoSuchInstalment
            | Self::NotYetDue
            | Self::DateTooOld
            | Self::RunNotStopped
            | Self::NotReconciling
            | Self::StillAsking
            | Self::InstancesMissing
            | Self::EntryNotOffered
            | Self::ClockOnlyGoesForward => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Problem {
    pub fn of(code: Code) -> Self {
        let retry_after = if matches!(code, Code::RequestInProgress | Code::Busy) {
            Some(1)
        } else if matches!(code, Code::ConfirmationInProgress | Code::Unavailable) {
            Some(5)
        } else {
            None
        };
        Self { code, faults: Vec::new(), members: Vec::new(), retry_after, store_failure: None }
    }

    pub fn faults(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::of(Code::InvalidRequest) }
    }

    pub fn fault(pointer: impl Into<String>, kind: FaultKind) -> Self {
        Self::faults(vec![Fault::new(pointer, kind)])
    }

    /// The store does not work; `why` is for operators.
    pub(super) fn unavailable(why: String) -> Self {
        Self { store_failure: Some(why), ..Self::of(Code::Unavailable) }
    }

    /// A parameter of the URL is not as it should be.
    pub(super) fn parameter(name: &str) -> Self {
        Self::of(Code::MalformedRequest).with("parameter", bounded(name))
    }

    /// A header is not as it should be.
    pub(super) fn header(code: Code, name: &HeaderName) -> Self {
        // As the contract writes it; on the wire case means nothing.
        let words: Vec<String> = name
            .as_str()
            .split('-')
            .map(|word| {
                word.chars().take(1).map(|first| first.to_ascii_uppercase()).chain(word.chars().skip(1)).collect()
            })
            .collect();
        Self::of(code).with("header", words.join("-"))
    }

    pub(super) fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((member, value.into()));
        self
    }

    /// What is wrong at one place; of a file, people read its line and column.
    fn sentence(&self, fault: &Fault, locale: Locale) -> String {
        let sentence = words_of_faults::sentence(&fault.kind, locale);
        let mut place = fault.pointer.trim_start_matches('/').splitn(2, '/');
        match (self.code, place.next(), place.next(), locale) {
            (Code::FileRefused, Some(line), None, Locale::Fr) => format!("ligne {line} : {sentence}"),
            (Code::FileRefused, Some(line), None, Locale::En) => format!("line {line}: {sentence}"),
            (Code::FileRefused, Some(line), Some(column), Locale::Fr) => {
                format!("ligne {line}, colonne {column} : {sentence}")
            }
            (Code::FileRefused, Some(line), Some(column), Locale::En) => {
                format!("line {line}, column {column}: {sentence}")
            }
            (..) => sentence,
        }
    }

    /// The document, in `locale`.
    pub fn document(&self, locale: Locale) -> Value {
        let (title, detail) = words::problem(self.code, locale);
        let mut document = json!({
            "type": format!("urn:guichet:problem:{}", self.code.name()),
            "title": title,
            "status": self.code.status().as_u16(),
            "detail": detail,
            "code": self.code.name(),
        });
        if let Some(members) = document.as_object_mut() {
            members.extend(self.members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            if !self.faults.is_empty() {
                let errors = self.faults.iter().map(|fault| {
                    json!({
                        "pointer": fault.pointer,
                        "code": words_of_faults::code(&fault.kind),
                        "detail": self.sentence(fault, locale),
                    })
                });
                members.insert("errors".to_owned(), errors.collect());
            }
        }
        document
    }
}

/// The document itself is written by the outermost layer, which knows the caller's language.
impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
