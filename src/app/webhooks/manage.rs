//! What portals do with their endpoints: make, see, change, rotate, test, replay, delete.

use jiff::Timestamp;

use super::{
    super::{App, Error, Outcome, Remember, access::Caller, event_document, events::FeedEvent},
    Beside, Lost, MAX_ENDPOINTS, MAX_TRIES, VersionedEndpoint, sign,
};
use crate::{
    domain::{
        fault::{Fault, FaultKind},
        ids::MerchantId,
        webhook::{Because, Endpoint, EndpointId, Errand, Fate, MAX_REPLAYS, Progress, Replay, Secret, State, Tried},
    },
    ports::Delivery,
};

/// An endpoint to make; its texts are as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEndpoint {
    pub merchant: MerchantId,
    pub url: String,
    pub events: Option<Vec<String>>,
}

/// What to change of an endpoint; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub url: Option<String>,
    pub events: Option<Option<Vec<String>>>,
    pub enabled: Option<bool>,
}

/// What is to be heard once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    One {
        position: u64,
    },
    /// Up to `until`, or to all that was delivered.
    Range {
        after: u64,
        until: Option<u64>,
    },
}

/// An endpoint with its new secret, to be shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed {
    pub current: VersionedEndpoint,
    pub secret: String,
}

impl App {
    /// Makes an endpoint, which hears of all that happens from now on.
    ///
    /// # Errors
    /// [`Error::Faults`], [`Error::TooMany`], [`Error::NotFound`] for a merchant that is not the caller's, …
    pub async fn make_endpoint(
        &self,
        caller: &Caller,
        new: NewEndpoint,
        remember: &Remember<Revealed>,
    ) -> Result<Outcome, Error> {
        let merchant = self.merchant(&new.merchant)?;
        if !caller.merchants.contains(&merchant.id) {
            return Err(Error::NotFound);
        }
        self.check(Some(&new.url), new.events.as_deref())?;
        if self.listed(&merchant.id).await?.len() >= MAX_ENDPOINTS {
            return Err(Error::TooMany);
        }
        let now = self.now();
        let id = EndpointId::from_bits(self.ports.entropy.id(now));
        let secret = self.ports.entropy.secret();
        let endpoint = Endpoint {
            id,
            merchant: new.merchant,
            url: new.url,
            events: new.events,
            secrets: vec![Secret { sealed: self.seal_secret(id, &secret)?, until: None }],
            state: State::Enabled,
            created_at: now,
            progress: Progress::default(),
        };
        let current = VersionedEndpoint { endpoint, version: 1 };
        let revealed = Revealed { current, secret: sign::text(&secret) };
        let (answer, outcome) = remember.answer(&revealed, &*self.ports.vault, now)?;
        // Its place in the feed is where the endpoint begins to listen.
        let events = vec![done("webhook_made", caller, now)];
        let beside = Beside { events, answer: Some(answer), tried: None };
        match self.save_endpoint(&revealed.current.endpoint, 0, &beside).await {
            Ok(_) => Ok(outcome),
            Err(Lost::Answered) => self.answered_before(remember).await,
            Err(Lost::Conflict) => Err(Error::Busy),
            Err(Lost::Other(error)) => Err(error),
        }
    }

    /// The endpoints of a merchant of the caller's.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn endpoints(&self, caller: &Caller, merchant: &MerchantId) -> Result<Vec<VersionedEndpoint>, Error> {
        if caller.merchants.contains(merchant) { self.listed(merchant).await } else { Err(Error::NotFound) }
    }

    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn endpoint(&self, caller: &Caller, id: EndpointId) -> Result<VersionedEndpoint, Error> {
        self.endpoint_of(caller, id).await
    }

    /// Changes an endpoint. One that is enabled again goes on from where it was.
    ///
    /// # Errors
    /// [`Error::Faults`], [`Error::NotFound`], …
    pub async fn change_endpoint(
        &self,
        caller: &Caller,
        id: EndpointId,
        change: &Change,
    ) -> Result<VersionedEndpoint, Error> {
        self.check(change.url.as_deref(), change.events.as_ref().and_then(Option::as_deref))?;
        let changed = self.edit(caller, id, |endpoint, now| {
            if let Some(url) = &change.url {
                endpoint.url.clone_from(url);
            }
            if let Some(events) = &change.events {
                endpoint.events.clone_from(events);
            }
            match (change.enabled, endpoint.is_enabled()) {
                (Some(true), false) => endpoint.state = State::Enabled,
                (Some(false), true) => endpoint.state = State::Disabled { at: now, because: Because::Asked },
                (Some(_), _) | (None, _) => {}
            }
            Ok(Beside { events: vec![done("webhook_changed", caller, now)], ..Beside::default() })
        });
        changed.await?.ok_or(Error::Busy)
    }

    /// Deletes an endpoint: nothing is delivered any more, and its secrets are forgotten.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn delete_endpoint(&self, caller: &Caller, id: EndpointId) -> Result<(), Error> {
        let deleted = self.edit(caller, id, |endpoint, now| {
            endpoint.state = State::Deleted { at: now };
            endpoint.secrets.clear();
            endpoint.progress.parked.clear();
            endpoint.progress.replays.clear();
            Ok(Beside { events: vec![done("webhook_deleted", caller, now)], ..Beside::default() })
        });
        deleted.await?.map(|_| ()).ok_or(Error::Busy)
    }

    /// Gives an endpoint a new secret. The one before signs beside it until its grace has passed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`], …
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        id: EndpointId,
        remember: &Remember<Revealed>,
    ) -> Result<Outcome, Error> {
        let secret = self.ports.entropy.secret();
        let text = sign::text(&secret);
        self.edit_and_answer(caller, id, remember, |current, now| {
            let mut endpoint = current.endpoint.clone();
            endpoint.rotate(self.seal_secret(id, &secret)?, self.webhooks.secret_grace, now);
            let current = VersionedEndpoint { endpoint, version: current.version + 1 };
            Ok((current.endpoint.clone(), Revealed { current, secret: text.clone() }, "webhook_rotated"))
        })
        .await
    }

    /// Has a part of the feed delivered once more.
    ///
    /// # Errors
    /// [`Error::Faults`] for an event that is not this merchant's or is told to nobody, [`Error::TooMany`], …
    pub async fn replay(
        &self,
        caller: &Caller,
        id: EndpointId,
        what: Replayed,
        remember: &Remember<VersionedEndpoint>,
    ) -> Result<Outcome, Error> {
        let merchant = self.endpoint_of(caller, id).await?.endpoint.merchant;
        if let Replayed::Range { after, until: Some(until) } = what
            && until <= after
        {
            return Err(Error::Faults(vec![Fault::new("/until", FaultKind::NotWithThis)]));
        }
        if let Replayed::One { position } = what {
            let unknown = || Error::Faults(vec![Fault::new("/event", FaultKind::Unknown)]);
            let before = position.checked_sub(1).ok_or_else(unknown)?;
            let found = self.ports.store.feed(&[merchant.to_string()], before, 1).await?;
            let item = found.into_iter().find(|item| item.position == position).ok_or_else(unknown)?;
            let event = FeedEvent::read(item)?.ok_or_else(unknown)?;
            event_document::document(&event).ok_or_else(unknown)?;
        }
        self.edit_and_answer(caller, id, remember, |current, now| {
            let mut endpoint = current.endpoint.clone();
            let heard = endpoint.progress.cursor.unwrap_or(0);
            let (after, until, named) = match what {
                Replayed::One { position } => (position.saturating_sub(1), position, true),
                Replayed::Range { after, until } => (after, until.map_or(heard, |until| until.min(heard)), false),
            };
            if after < until {
                if endpoint.progress.replays.len() >= MAX_REPLAYS {
                    return Err(Error::TooMany);
                }
                endpoint.progress.replays.push(Replay { after, until, named, failures: 0, next_try: now });
            }
            let current = VersionedEndpoint { endpoint: endpoint.clone(), version: current.version + 1 };
            Ok((endpoint, current, "webhook_replayed"))
        })
        .await
    }

    /// Sends an event that means nothing, now, also to an endpoint that is disabled. Tried once.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`], …
    pub async fn test_endpoint(
        &self,
        caller: &Caller,
        id: EndpointId,
        remember: &Remember<Tried>,
    ) -> Result<Outcome, Error> {
        let endpoint = self.endpoint_of(caller, id).await?.endpoint;
        let at = self.now();
        let event = format!("test_{:032x}", self.ports.entropy.id(at));
        let document = serde_json::json!({
            "id": event, "type": TEST, "at": at, "merchant": endpoint.merchant, "actor": caller.actor, "data": {},
        });
        let body = document.to_string();
        let headers = self.signed_headers(&endpoint, &event, &body, at)?;
        let started = self.ports.clock.since_boot();
        let result = self.ports.notifier.deliver(&Delivery { url: endpoint.url, headers, body }).await;
        let tried = Tried {
            number: 0,
            event,
            kind: TEST.to_owned(),
            order: None,
            errand: Errand::Test,
            attempt: 1,
            at,
            duration_ms: self.millis_since(started),
            status: result.ok(),
            error: result.err().map(|error| error.name().to_owned()),
            fate: if matches!(result, Ok(200..=299)) { Fate::Delivered } else { Fate::GivenUp },
        };
        let mut outcome = None;
        let saved = self.edit(caller, id, |endpoint, now| {
            endpoint.progress.tries += 1;
            let tried = Tried { number: endpoint.progress.tries, ..tried.clone() };
            let (answer, given) = remember.answer(&tried, &*self.ports.vault, now)?;
            outcome = Some(given);
            Ok(Beside { events: Vec::new(), tried: Some(tried), answer: Some(answer) })
        });
        match saved.await? {
            Some(_) => outcome.ok_or(Error::Busy),
            None => self.answered_before(remember).await,
        }
    }

    async fn edit_and_answer<T, F>(
        &self,
        caller: &Caller,
        id: EndpointId,
        remember: &Remember<T>,
        mut decide: F,
    ) -> Result<Outcome, Error>
    where
        T: Sync,
        F: FnMut(&VersionedEndpoint, Timestamp) -> Result<(Endpoint, T, &'static str), Error> + Send,
    {
        for _ in 0..MAX_TRIES {
            let current = self.endpoint_of(caller, id).await?;
            let now = self.now();
            let (endpoint, result, event) = decide(&current, now)?;
            let (answer, outcome) = remember.answer(&result, &*self.ports.vault, now)?;
            let beside = Beside { events: vec![done(event, caller, now)], answer: Some(answer), tried: None };
            match self.save_endpoint(&endpoint, current.version, &beside).await {
                Ok(_) => return Ok(outcome),
                Err(Lost::Conflict) => {}
                Err(Lost::Answered) => return self.answered_before(remember).await,
                Err(Lost::Other(error)) => return Err(error),
            }
        }
        Err(Error::Busy)
    }

    /// Changes the endpoint as it is now; `None` when the request was answered before.
    async fn edit<F>(&self, caller: &Caller, id: EndpointId, mut edit: F) -> Result<Option<VersionedEndpoint>, Error>
    where
        F: FnMut(&mut Endpoint, Timestamp) -> Result<Beside, Error> + Send,
    {
        for _ in 0..MAX_TRIES {
            let mut current = self.endpoint_of(caller, id).await?;
            let beside = edit(&mut current.endpoint, self.now())?;
            match self.save_endpoint(&current.endpoint, current.version, &beside).await {
                Ok(saved) => return Ok(Some(saved)),
                Err(Lost::Conflict) => {}
                Err(Lost::Answered) => return Ok(None),
                Err(Lost::Other(error)) => return Err(error),
            }
        }
        Err(Error::Busy)
    }

    fn check(&self, url: Option<&str>, events: Option<&[String]>) -> Result<(), Error> {
        let mut faults = Vec::new();
        if let Some(Err(kind)) = url.map(|url| self.ports.notifier.check(url)) {
            faults.push(Fault::new("/url", kind));
        }
        if events.is_some_and(<[String]>::is_empty) {
            faults.push(Fault::new("/events", FaultKind::Missing));
        }
        for (index, event) in events.unwrap_or_default().iter().enumerate() {
            if !event_document::TYPES.contains(&event.as_str()) {
                faults.push(Fault::new(format!("/events/{index}"), FaultKind::NotOneOf(event_document::TYPES)));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Faults(faults)) }
    }
}

const TEST: &str = "webhook.test";

/// What is written into the endpoint's history: who did what.
fn done(what: &str, caller: &Caller, now: Timestamp) -> String {
    serde_json::json!({"v": 1, "at": now, "actor": caller.actor, "event": {"type": what}}).to_string()
}
