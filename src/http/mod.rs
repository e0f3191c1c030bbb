//! How strangers reach the gateway: the API, the payer's two pages, PAYBOX's notifications, and the operators' port.

mod arrival;
mod bank;
mod body;
mod callbacks;
mod checkouts;
mod connections;
mod correction_out;
mod corrections;
mod csv;
mod debit_runs;
mod drift_out;
mod drift_words;
mod events;
mod explain;
mod idempotency;
mod imports;
mod journal;
mod layer;
mod money_in;
mod ops;
mod order_in;
mod order_out;
mod orders;
mod patience;
mod payer;
mod plan_out;
mod plan_words;
mod plans;
mod positions;
pub mod problem;
mod problem_of;
mod quarantine;
mod quarantine_in;
mod query;
mod rates;
mod reconciliation;
mod serve;
mod settlements;
mod story;
mod story_of_corrections;
mod story_of_plans;
mod strict;
mod test_clock;
mod webhooks;
mod words;
mod words_of_faults;
mod written;

pub use ops::ops_router;
pub use rates::Rate;
pub use serve::{Limits, serve};

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{HeaderMap, HeaderName, header},
    routing::{get, post},
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

use crate::{
    app::{
        App, Mode,
        access::{Caller, Scope},
    },
    domain::{
        ids::{MerchantId, OrderId},
        text::Text,
    },
};
use idempotency::Running;
use problem::{Code, Problem};
use rates::Rates;

/// What all handlers share.
pub struct Gateway {
    pub app: App,
    pub limits: RequestLimits,
    /// Poked when an order has become due and nobody here could attend to it at once.
    pub news: Notify,
    running: Running,
    /// How many orders requests may have attended to beside the worker: notifications cannot set off more questions
    /// than the bank would stand.
    attending: Arc<Semaphore>,
    requests: Rates,
    strays: Rates,
    /// When the store's failure was last told.
    store_failed_at: Mutex<Option<Instant>>,
}

/// How long one alarm stands for every further failure of the store.
const STORE_FAILED_EVERY: Duration = Duration::from_secs(10);

/// How many orders are attended to at once on behalf of requests; what is beyond waits for the worker.
const ATTENDED_AT_ONCE: usize = 32;

/// Limits on one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The longest body, in bytes.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_deadline: Duration,
    /// How often one API key may ask.
    pub requests: Rate,
    /// How much of what belongs to no checkout is kept of a merchant's notifications.
    pub strays: Rate,
    /// How long a payer's return waits for the bank's answer before the payer goes on to the portal.
    pub return_wait: Duration,
}

impl Gateway {
    pub fn new(app: App, limits: RequestLimits) -> Self {
        let attending = Arc::new(Semaphore::new(ATTENDED_AT_ONCE));
        let (news, running, store_failed_at) = (Notify::new(), Running::default(), Mutex::new(None));
        let (requests, strays) = (Rates::new(limits.requests), Rates::new(limits.strays));
        Self { app, limits, news, running, attending, requests, strays, store_failed_at }
    }

    /// The store does not work: an alarm, but not one for each request that meets it.
    pub fn store_failed(&self, why: &str) {
        let now = Instant::now();
        let mut last = self.store_failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.duration_since(last) >= STORE_FAILED_EVERY) {
            *last = Some(now);
            self.app.store_failed(why);
        }
    }

    /// Attends to an order beside the request that brought the news, or has the worker do it.
    fn attend_soon(self: &Arc<Self>, merchant: MerchantId, order: OrderId) -> Option<JoinHandle<()>> {
        let Ok(permit) = Arc::clone(&self.attending).try_acquire_owned() else {
            self.news.notify_one();
            return None;
        };
        let gateway = Arc::clone(self);
        Some(tokio::spawn(async move {
            let _ = gateway.app.attend_or_alarm(&merchant, order).await;
            drop(permit);
        }))
    }

    /// Who is calling; any one of `scopes` lets them in.
    async fn caller(&self, headers: &HeaderMap, scopes: &[Scope]) -> Result<Caller, Problem> {
        let bearer = single(headers, &header::AUTHORIZATION)?
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
            .map(|(_, token)| token.trim_start_matches(' '))
            .ok_or_else(|| Problem::of(Code::Unauthenticated))?;
        let person = named_person(headers, &ACTOR)?;
        let on_behalf_of = named_person(headers, &ON_BEHALF_OF)?;
        let caller = self.app.authenticate(bearer, person, on_behalf_of).await?;
        self.requests.spend(&self.app, &caller.key).await?;
        let may = scopes.iter().any(|scope| caller.may(*scope));
        if may { Ok(caller) } else { Err(Problem::of(Code::Forbidden)) }
    }
}

static ACTOR: HeaderName = HeaderName::from_static("guichet-actor");
static ON_BEHALF_OF: HeaderName = HeaderName::from_static("guichet-on-behalf-of");
/// The longest name of a person in a header, in characters.
const MAX_PERSON: usize = 100;

fn named_person(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    single(headers, name)?
        .map(|value| Text::parse(value, MAX_PERSON).map(|text| text.as_str().to_owned()))
        .transpose()
        .map_err(|_| Problem::header(Code::MalformedRequest, name))
}

/// A header that may be there once, as text in UTF-8: names of people have accents.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let malformed = || Problem::header(Code::MalformedRequest, name);
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(malformed());
    }
    value.map(|value| std::str::from_utf8(value.as_bytes()).map_err(|_| malformed())).transpose()
}

/// Everything that portals, payers and PAYBOX may ask.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let mut router = Router::new()
        .route("/v1/orders", post(orders::place).get(orders::list))
        .route("/v1/orders/{id}", get(orders::show))
        .route("/v1/orders/{id}/cancel", post(orders::cancel))
        .route("/v1/orders/{id}/checkout", post(checkouts::check_out))
        .route("/v1/orders/{id}/plan", post(plans::request).get(plans::show).delete(plans::withdraw))
        .route("/v1/orders/{id}/plan/approve", post(plans::approve))
        .route("/v1/orders/{id}/plan/refuse", post(plans::refuse))
        .route("/v1/orders/{id}/plan/pause", post(plans::pause))
        .route("/v1/orders/{id}/plan/resume", post(plans::resume))
        .route("/v1/orders/{id}/plan/cancel", post(plans::cancel))
        .route("/v1/orders/{id}/plan/cancel-rest", post(corrections::cancel_rest))
        .route("/v1/orders/{id}/plan/default", post(corrections::default))
        .route("/v1/orders/{id}/credit-notes", post(corrections::credit))
        .route("/v1/orders/{id}/refunds", post(corrections::refund))
        .route("/v1/orders/{id}/chargebacks", post(corrections::charge_back))
        .route("/v1/orders/{id}/explain", get(explain::explain))
        .route("/v1/orders/{id}/instalments/{number}/retry", post(plans::retry))
        .route("/v1/orders/{id}/instalments/{number}/reschedule", post(corrections::reschedule))
        .route("/v1/orders/{id}/instalments/{number}/write-off", post(corrections::write_off))
        .route("/v1/orders/{id}/instalments/{number}/paid-elsewhere", post(corrections::paid_elsewhere))
        .route("/v1/orders/{id}/quarantine/verdicts", post(quarantine::give))
        .route("/v1/quarantine", get(quarantine::list))
        .route("/v1/quarantine/verdicts", post(quarantine::give_several))
        .route("/v1/payers/{reference}/position", get(positions::show))
        .route("/v1/settlements/unsettled", get(settlements::unsettled))
        .route("/v1/settlements/{remittance}", get(settlements::show))
        .route("/v1/imports", post(imports::import).get(imports::list))
        .route("/v1/imports/{id}", get(imports::show))
        .route("/v1/imports/{id}/drifts", get(imports::drifts))
        .route("/v1/imports/{id}/drifts/{drift}/journal", post(imports::enter))
        .route("/v1/journal", get(journal::export))
        .route("/v1/plans", get(plans::list))
        .route("/v1/debit-runs", post(debit_runs::start))
        .route("/v1/debit-runs/preview", get(debit_runs::preview))
        .route("/v1/debit-runs/{run}", get(debit_runs::show))
        .route("/v1/debit-runs/{run}/items", get(debit_runs::items))
        .route("/v1/debit-runs/{run}/resume", post(debit_runs::resume))
        .route("/v1/events", get(events::list))
        .route("/v1/webhook-endpoints", post(webhooks::make).get(webhooks::list))
        .route("/v1/webhook-endpoints/{id}", get(webhooks::show).patch(webhooks::change).delete(webhooks::delete))
        .route("/v1/webhook-endpoints/{id}/rotate", post(webhooks::rotate))
        .route("/v1/webhook-endpoints/{id}/test", post(webhooks::test))
        .route("/v1/webhook-endpoints/{id}/replay", post(webhooks::replay))
        .route("/v1/deliveries", get(webhooks::deliveries))
        .route("/v1/callbacks", get(callbacks::list))
        .route("/v1/reconciliation", get(reconciliation::show))
        .route("/v1/reconciliation/end", post(reconciliation::end))
        .route("/pay/{token}", get(payer::pay))
        .route("/return/{token}/{outcome}", get(payer::back))
        .route("/paybox/{merchant}/ipn", get(bank::notified_by_query).post(bank::notified_by_body));
    if gateway.app.mode() == Mode::Test {
        router = router.route("/v1/test-clock", get(test_clock::show).post(test_clock::put_forward));
    }
    layer::around(router.with_state(Arc::clone(&gateway)), gateway)
}
