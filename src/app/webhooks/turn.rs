//! A turn of an endpoint: the worker comes by when it is due or the feed has grown, and delivers some of what is owed.
//!
//! What a try came to is committed before the next one leaves. A crash between the two delivers that event again: at
//! least once, under the same id.

use std::{collections::VecDeque, time::Duration};

use super::{
    super::{App, Error, commit::order_key, event_document, events::FeedEvent},
    Beside, Lost, MAX_TRIES, VersionedEndpoint, key_of,
};
use crate::{
    domain::{
        ids::{MerchantId, OrderId},
        webhook::{Because, Endpoint, EndpointId, Errand, Fate, Progress, State, Tried},
    },
    failpoint,
    ports::{Alarm, AlarmKind, Delivery, FeedItem, NotDelivered},
};

/// Tries in one turn.
const MAX_STEPS: usize = 200;
/// How long a turn goes on beginning tries: a gateway that stops waits for no more than this and one delivery.
const MAX_TURN: Duration = Duration::from_secs(5);
/// Tries in vain in one turn: others wait for the place that a dead endpoint takes.
const MAX_FAILURES: usize = 5;
/// Events that are read at once.
const PAGE: usize = 100;
/// Events that are read at once of what is replayed, for each try anew.
const REPLAY_PAGE: usize = 20;

/// An event to deliver.
struct Due {
    errand: Errand,
    position: u64,
    order: OrderId,
    id: String,
    kind: String,
    body: String,
}

struct Turn {
    /// As it was last committed.
    base: VersionedEndpoint,
    /// How far it is by now.
    progress: Progress,
    /// What was read of the feed after the cursor.
    page: VecDeque<FeedItem>,
    has_read_all: bool,
    failures: usize,
}

impl App {
    /// Delivers what an endpoint is owed now, for one turn.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`], [`Error::Defect`].
    pub(in crate::app) async fn tell(&self, merchant: &MerchantId, id: EndpointId) -> Result<(), Error> {
        let merchant = &self.merchant(merchant)?.id;
        let base = self.find_endpoint(merchant, id).await?;
        let mut progress = base.endpoint.progress.clone();
        if progress.cursor.is_none() {
            // The endpoint's making is an event of the feed itself.
            let history = self.ports.store.history(&key_of(merchant, id)).await?;
            progress.cursor = history.first().map(|made| made.position);
        }
        let mut turn = Turn { base, progress, page: VecDeque::new(), has_read_all: false, failures: 0 };
        let end = self.ports.clock.since_boot().saturating_add(MAX_TURN);
        for step in 0..MAX_STEPS {
            let is_over = turn.failures >= MAX_FAILURES || self.ports.clock.since_boot() > end;
            if is_over || !turn.base.endpoint.is_enabled() {
                break;
            }
            let Some(due) = self.next_due(&mut turn, step).await? else { break };
            if !self.try_once(&mut turn, due).await? {
                return Ok(());
            }
        }
        if turn.progress != turn.base.endpoint.progress {
            self.keep_turn(&mut turn, None, None).await?;
        }
        Ok(())
    }

    /// News, retries and replays come first in turn, so that none of them keeps the others waiting for ever.
    async fn next_due(&self, turn: &mut Turn, step: usize) -> Result<Option<Due>, Error> {
        for source in step..step + 3 {
            let due = match source % 3 {
                0 => self.next_fresh(turn).await?,
                1 => self.next_retry(turn).await?,
                _ => self.next_replayed(turn).await?,
            };
            if due.is_some() {
                return Ok(due);
            }
        }
        Ok(None)
    }

    async fn next_fresh(&self, turn: &mut Turn) -> Result<Option<Due>, Error> {
        while turn.progress.has_room() {
            let Some(item) = turn.page.front() else {
                if turn.has_read_all {
                    return Ok(None);
                }
                let after = turn.progress.cursor.unwrap_or(0);
                turn.page = self.feed_of(&turn.base.endpoint, after, PAGE).await?.into();
                turn.has_read_all = turn.page.len() < PAGE;
                if turn.page.is_empty() {
                    return Ok(None);
                }
                continue;
            };
            match due(&turn.base.endpoint, Errand::Fresh, item.clone())? {
                None => turn.progress.pass(item.position),
                Some(due) if turn.progress.hold(due.order, due.position) => {}
                // It stays at the front until it is settled.
                Some(due) => return Ok(Some(due)),
            }
            turn.page.pop_front();
        }
        Ok(None)
    }

    async fn next_retry(&self, turn: &mut Turn) -> Result<Option<Due>, Error> {
        while let Some(parked) = turn.progress.due_parked(self.now()).cloned() {
            let key = order_key(&turn.base.endpoint.merchant, parked.order);
            let owed = parked.after.saturating_add(1)..=parked.latest;
            for item in self.ports.store.history(&key).await? {
                if !owed.contains(&item.position) {
                    continue;
                }
                if let Some(due) = due(&turn.base.endpoint, Errand::Retry, item)? {
                    return Ok(Some(due));
                }
            }
            turn.progress.release(parked.order);
        }
        Ok(None)
    }

    async fn next_replayed(&self, turn: &mut Turn) -> Result<Option<Due>, Error> {
        while let Some(replay) = turn.progress.due_replay(self.now()).cloned() {
            let items = self.feed_of(&turn.base.endpoint, replay.after, REPLAY_PAGE).await?;
            let last = items.last().map(|item| item.position).filter(|last| *last < replay.until);
            let everything = Endpoint { events: None, ..turn.base.endpoint.clone() };
            let wanting = if replay.named { &everything } else { &turn.base.endpoint };
            for item in items.into_iter().take_while(|item| item.position <= replay.until) {
                if let Some(due) = due(wanting, Errand::Replay, item)? {
                    return Ok(Some(due));
                }
            }
            match (last, turn.progress.replays.first_mut()) {
                (Some(last), Some(replay)) => replay.after = last,
                (_, _) => turn.progress.end_replay(),
            }
        }
        Ok(None)
    }

    async fn feed_of(&self, endpoint: &Endpoint, after: u64, limit: usize) -> Result<Vec<FeedItem>, Error> {
        Ok(self.ports.store.feed(&[endpoint.merchant.to_string()], after, limit).await?)
    }

    /// Delivers one event and commits what came of it; `false` when somebody else took the endpoint on meanwhile.
    async fn try_once(&self, turn: &mut Turn, due: Due) -> Result<bool, Error> {
        let endpoint = &turn.base.endpoint;
        let at = self.now();
        let headers = self.signed_headers(endpoint, &due.id, &due.body, at)?;
        let started = self.ports.clock.since_boot();
        let delivery = Delivery { url: endpoint.url.clone(), headers, body: due.body };
        let result = self.ports.notifier.deliver(&delivery).await;
        failpoint::pass("webhook.delivered");
        let attempt = turn.progress.failures(due.errand, due.order).saturating_add(1);
        let now = self.now();
        let fate = self.fate(result, attempt, now);
        let disabled = (result == Ok(GONE)).then_some(State::Disabled { at: now, because: Because::Gone });
        if fate != Fate::Delivered {
            turn.failures += 1;
        }
        if due.errand == Errand::Fresh {
            turn.page.pop_front();
        }
        turn.progress.settle(due.errand, due.order, due.position, fate, now);
        let tried = Tried {
            number: 0,
            event: due.id.clone(),
            kind: due.kind,
            order: Some(due.order),
            errand: due.errand,
            attempt,
            at,
            duration_ms: self.millis_since(started),
            status: result.ok(),
            error: result.err().map(|error| error.name().to_owned()),
            fate,
        };
        let kept = self.keep_turn(turn, Some(tried), disabled).await?;
        failpoint::pass("webhook.kept");
        if kept && disabled.is_some() {
            self.alarm_of(&turn.base.endpoint, "the receiver answered 410 and is disabled".to_owned());
        } else if kept && fate == Fate::GivenUp {
            self.alarm_of(&turn.base.endpoint, format!("event {} was given up after {attempt} tries", due.id));
        }
        Ok(kept)
    }

    fn fate(&self, result: Result<u16, NotDelivered>, attempt: u32, now: jiff::Timestamp) -> Fate {
        match result {
            Ok(200..=299) => Fate::Delivered,
            // Owed again when the endpoint is enabled again.
            Ok(GONE) => Fate::Retried { at: now },
            Ok(_) | Err(_) => {
                let [first, second, third, fourth, ..] = self.ports.entropy.secret();
                let chance = u32::from_be_bytes([first, second, third, fourth]);
                let next = self.webhooks.retries.next(attempt, u64::from(chance), now);
                next.map_or(Fate::GivenUp, |at| Fate::Retried { at })
            }
        }
    }

    /// Commits how far the turn is. Settings that were changed meanwhile, and replays and tests that were asked for, are
    /// taken over; when another worker has moved on, what was done here is dropped, and at worst delivered again.
    async fn keep_turn(&self, turn: &mut Turn, tried: Option<Tried>, disabled: Option<State>) -> Result<bool, Error> {
        for _ in 0..MAX_TRIES {
            let mut endpoint = turn.base.endpoint.clone();
            endpoint.progress.clone_from(&turn.progress);
            if let Some(disabled) = disabled.filter(|_| endpoint.is_enabled()) {
                endpoint.state = disabled;
            }
            let mut beside = Beside::default();
            if let Some(tried) = &tried {
                endpoint.progress.tries = endpoint.progress.tries.saturating_add(1);
                beside.tried = Some(Tried { number: endpoint.progress.tries, ..tried.clone() });
            }
            match self.save_endpoint(&endpoint, turn.base.version, &beside).await {
                Ok(saved) => {
                    turn.progress.clone_from(&saved.endpoint.progress);
                    turn.base = saved;
                    return Ok(true);
                }
                Err(Lost::Conflict) => {
                    let theirs = self.find_endpoint(&endpoint.merchant, endpoint.id).await?;
                    if !turn.progress.follow(&turn.base.endpoint.progress, &theirs.endpoint.progress) {
                        return Ok(false);
                    }
                    turn.base = theirs;
                }
                Err(Lost::Answered) => return Err(Error::Defect("a turn answers nobody".to_owned())),
                Err(Lost::Other(error)) => return Err(error),
            }
        }
        Err(Error::Busy)
    }

    fn alarm_of(&self, endpoint: &Endpoint, detail: String) {
        let (merchant, subject) = (endpoint.merchant.to_string(), endpoint.id.to_string());
        self.ports.alarms.raise(Alarm { kind: AlarmKind::WebhookFailed, merchant, subject, detail });
    }

    pub(super) fn millis_since(&self, started: Duration) -> u64 {
        u64::try_from(self.ports.clock.since_boot().saturating_sub(started).as_millis()).unwrap_or(u64::MAX)
    }
}

/// The receiver wants to hear of nothing any more.
const GONE: u16 = 410;

/// The event as it goes out, if portals are told of it and the endpoint wants to hear of it.
fn due(endpoint: &Endpoint, errand: Errand, item: FeedItem) -> Result<Option<Due>, Error> {
    let Some(event) = FeedEvent::read(item)? else { return Ok(None) };
    let Some(document) = event_document::document(&event) else { return Ok(None) };
    let kind = document.get("type").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    if !endpoint.wants(&kind) {
        return Ok(None);
    }
    let id = event_document::cursor(event.position);
    Ok(Some(Due { errand, position: event.position, order: event.order, id, kind, body: document.to_string() }))
}
