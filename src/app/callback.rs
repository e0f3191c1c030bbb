//! What arrives under PAYBOX's name. A signature is a hint, never proof: everything that verifies is kept and leads to
//! a question under our own credentials; nothing here books money.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{
    App, Error, Mode,
    access::{Caller, hex, sha256_hex},
    commit::Extras,
    merchant::Merchant,
    page::parse_owner,
};
use crate::{
    domain::{
        actor::Actor,
        bank::Operation,
        card::CardFacts,
        checkout::Says,
        ids::{CheckoutNumber, MerchantId, OrderId},
        order::{News, Taken},
        subscriber::{HeardCard, card_context},
        text::mask_long_numbers,
    },
    failpoint,
    paybox::{
        callback::{Scope, UnverifiedCallback, VerifiedCallback},
        card_token::CardToken,
        codes::AnswerClass,
        retour::Retour,
    },
    planted::{self, Bug},
    ports::{Alarm, AlarmKind, Callback},
};

/// How many callbacks that belong to no order are kept for a merchant.
pub const KEPT_CALLBACKS: usize = 1_000;

/// The most callbacks in one list.
pub const MAX_PAGE: usize = 200;

/// What is told of a callback without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRecord {
    pub received_at: Timestamp,
    pub verdict: &'static str,
    pub reason: Option<String>,
    pub order: Option<String>,
}

/// How a callback was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is news of this order, which now wants attending.
    News(OrderId),
    /// It was known already.
    Known,
    /// It verifies, but fits nothing of ours. PAYBOX is told that all is well: it mails the merchant otherwise.
    Unusable,
    /// It does not verify.
    Unverified,
}

impl App {
    /// A merchant's callbacks, the latest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn callbacks(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        limit: usize,
    ) -> Result<Vec<CallbackRecord>, Error> {
        if !caller.merchants.contains(merchant) {
            return Err(Error::NotFound);
        }
        let kept = self.ports.store.callbacks(merchant.as_str(), limit.min(MAX_PAGE)).await?;
        let record = |callback: Callback| {
            let Callback { received_at, verdict, reason, order, .. } = callback;
            CallbackRecord { received_at, verdict, reason, order }
        };
        Ok(kept.into_iter().map(record).collect())
    }

    /// Takes a notification: `raw` is the query or the body exactly as it came. What belongs to no checkout is kept, and
    /// somebody told, only while `may_keep`: strangers can send as much of it as they like.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown merchant, [`Error::Unavailable`] when it could not be kept.
    pub async fn notified(
        &self,
        merchant: &MerchantId,
        raw: &[u8],
        may_keep: &(dyn Fn() -> bool + Sync),
    ) -> Result<Received, Error> {
        let merchant = self.merchant(merchant)?;
        let (named, raw) = planted::named_by_the_url(raw);
        let scope =
            if merchant.notification_signed_whole { Scope::NotificationSignedWhole } else { Scope::Notification };
        // The names of a plan's notification hold those of any other.
        let retour = Retour::for_plan();
        let verified =
            UnverifiedCallback::parse(raw, &retour, scope).and_then(|unverified| unverified.verify(&merchant.trusted));
        let callback = match verified {
            Ok(callback) => callback,
            Err(error) => {
                if may_keep() {
                    self.alarm_callback(AlarmKind::CallbackUnverified, merchant, &error.to_string());
                    let masked = mask_long_numbers(&String::from_utf8_lossy(raw));
                    self.keep(merchant, masked.as_bytes(), "unverified", &error.to_string()).await?;
                }
                return Ok(Received::Unverified);
            }
        };
        match self.place_of(merchant, &callback, named.unwrap_or(callback.reference())).await? {
            Ok((order, checkout)) => self.report(merchant, order, checkout, &callback, raw, may_keep).await,
            Err(why) => {
                self.keep_unusable(merchant, raw, why, may_keep).await?;
                Ok(Received::Unusable)
            }
        }
    }

    /// The checkout that a callback is about: found by its signed reference only, and of exactly its amount.
    async fn place_of(
        &self,
        merchant: &Merchant,
        callback: &VerifiedCallback,
        reference: &str,
    ) -> Result<Result<(OrderId, CheckoutNumber), &'static str>, Error> {
        if self.mode == Mode::Live && callback.is_test_authorisation() {
            return Ok(Err("a test authorisation in live mode"));
        }
        let owner = self.ports.store.owner(merchant.id.as_str(), "reference", reference).await?;
        let Some((order, checkout)) = owner.as_deref().and_then(parse_owner) else {
            return Ok(Err("no checkout of ours has this reference"));
        };
        let current = self.load(&merchant.id, order).await?;
        Ok(match current.order.checkout(checkout) {
            Some(found) if found.amount.minor_units() == callback.amount_minor_units() => Ok((order, checkout)),
            Some(_) => Err("the amount is not the checkout's"),
            None => Err("no checkout of ours has this reference"),
        })
    }

    async fn report(
        &self,
        merchant: &Merchant,
        order: OrderId,
        checkout: CheckoutNumber,
        callback: &VerifiedCallback,
        raw: &[u8],
        may_keep: &(dyn Fn() -> bool + Sync),
    ) -> Result<Received, Error> {
        failpoint::pass("callback.arrived");
        let sealed = self.ports.vault.seal(raw, &context(merchant))?;
        let sealed = if planted::is(Bug::NotificationUnsealed) { raw.to_vec() } else { sealed };
        let card = self.heard_card(merchant, order, checkout, callback).await?;
        let mut how = Taken::New;
        self.change(&merchant.id, order, &Actor::Bank, |current, now| {
            let news = News {
                identity: identity(callback),
                digest: hex(&callback.digest()),
                key: callback.key_fingerprint().to_owned(),
                says: says(callback),
                card: card.clone(),
            };
            let (decision, taken) = current.order.report(checkout, news, now, &merchant.policy)?;
            how = taken;
            let kept = Callback {
                merchant: merchant.id.to_string(),
                received_at: now,
                verdict: if taken == Taken::Variant { "variant" } else { "accepted" },
                reason: None,
                order: Some(order.to_string()),
                sealed: sealed.clone(),
            };
            let callbacks = match taken {
                Taken::New | Taken::Variant => vec![kept],
                Taken::Double | Taken::TooMany => Vec::new(),
            };
            Ok((decision, Extras { callbacks, answer: None }))
        })
        .await?;
        failpoint::pass("callback.kept");
        match how {
            Taken::New => Ok(Received::News(order)),
            Taken::Double => Ok(Received::Known),
            Taken::Variant => {
                self.alarm_callback(AlarmKind::CallbackVariant, merchant, "the same notification in other bytes");
                Ok(Received::News(order))
            }
            Taken::TooMany => {
                self.keep_unusable(merchant, raw, "more notifications than a page can send", may_keep).await?;
                Ok(Received::News(order))
            }
        }
    }

    /// What a notification tells of the card of a plan, its token sealed.
    async fn heard_card(
        &self,
        merchant: &Merchant,
        order: OrderId,
        checkout: CheckoutNumber,
        callback: &VerifiedCallback,
    ) -> Result<Option<HeardCard>, Error> {
        let current = self.load(&merchant.id, order).await?;
        let begins = current.order.checkout(checkout).and_then(|checkout| checkout.begins.as_deref());
        let Some(begins) = begins.filter(|_| callback.is_success()) else {
            return Ok(None);
        };
        let token = callback.card_token();
        let seal = |token: &CardToken| {
            let handle = token.handle.expose_secret().trim_end();
            self.ports.vault.seal(handle.as_bytes(), &card_context(&begins.subscriber))
        };
        // The subscriber is part of it: equal tokens of two orders do not show as such.
        let fingerprint = |token: &CardToken| {
            let handle = token.handle.expose_secret().trim_end();
            sha256_hex(format!("{}\n{handle}", begins.subscriber).as_bytes())
        };
        let fingerprint = token.as_ref().map(fingerprint);
        let sealed_token = token.as_ref().map(seal).transpose()?.map(|sealed| STANDARD.encode(sealed));
        let end = token.as_ref().map(|token| token.end).or(callback.expiry());
        let facts = CardFacts {
            types: callback.card_types().into_iter().map(str::to_owned).collect(),
            end,
            first6: callback.first6().map(str::to_owned),
            last2: callback.last2().map(str::to_owned),
            authenticated: callback.authenticated().map(|letter| letter == "Y"),
        };
        Ok(Some(HeardCard { facts, sealed_token, fingerprint }))
    }

    async fn keep_unusable(
        &self,
        merchant: &Merchant,
        raw: &[u8],
        why: &str,
        may_keep: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), Error> {
        if !may_keep() {
            return Ok(());
        }
        self.alarm_callback(AlarmKind::CallbackUnusable, merchant, why);
        self.keep(merchant, raw, "unusable", why).await
    }

    async fn keep(&self, merchant: &Merchant, bytes: &[u8], verdict: &'static str, reason: &str) -> Result<(), Error> {
        let callback = Callback {
            merchant: merchant.id.to_string(),
            received_at: self.now(),
            verdict,
            reason: Some(reason.to_owned()),
            order: None,
            sealed: self.ports.vault.seal(bytes, &context(merchant))?,
        };
        Ok(self.ports.store.keep_callback(callback, KEPT_CALLBACKS).await?)
    }

    fn alarm_callback(&self, kind: AlarmKind, merchant: &Merchant, detail: &str) {
        let (merchant, detail) = (merchant.id.to_string(), detail.to_owned());
        self.ports.alarms.raise(Alarm { kind, subject: merchant.clone(), merchant, detail });
    }
}

/// What the bytes of a merchant's callbacks are sealed under.
pub fn context(merchant: &Merchant) -> String {
    format!("callback:{}", merchant.id)
}

/// What makes two notifications of one checkout the same: operation, call, code, however their numbers were padded.
fn identity(callback: &VerifiedCallback) -> String {
    let (operation, call) = (callback.operation_number(), callback.call_number());
    let operation = operation.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let call = call.map_or_else(|| "-".to_owned(), |number| number.to_string());
    format!("{operation}/{call}/{}", callback.code())
}

fn says(callback: &VerifiedCallback) -> Says {
    let numbers = callback.operation_number().zip(callback.call_number());
    match (callback.code().class(), numbers) {
        (AnswerClass::Success, Some((number, call))) if callback.is_success() => {
            Says::Paid { operation: Operation { number, call }, doubted: false }
        }
        // A success without its numbers, and a decision still to come, are reasons to ask and nothing more.
        (AnswerClass::Success | AnswerClass::Pending, _) => Says::Pending,
        _ => Says::Failed { code: callback.code().to_string() },
    }
}
