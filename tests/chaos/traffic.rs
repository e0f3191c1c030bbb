//! What goes on beside the debits while a gateway dies again and again: payments, plans that begin, cards that are
//! refused, refunds. It can be held, so that the clock is put forward between two payers and not under one.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;

use crate::{
    bench::Bench,
    payer::ACCEPTED,
    portal::{Portal, VIRTUAL},
};

/// Between two payers of one kind.
const PAUSE: Duration = Duration::from_millis(250);
const SHORT_PAUSE: Duration = Duration::from_millis(20);
/// Refunds of one payment.
const PARTS: usize = 3;

#[derive(Default)]
pub(crate) struct Traffic {
    is_held: AtomicBool,
    is_over: AtomicBool,
    under_way: AtomicUsize,
}

impl Traffic {
    /// Lets nobody begin any more, for now; whether nobody is under way.
    pub(crate) fn hold(&self) -> bool {
        self.is_held.store(true, Ordering::SeqCst);
        self.under_way.load(Ordering::SeqCst) == 0
    }

    pub(crate) fn release(&self) {
        self.is_held.store(false, Ordering::SeqCst);
    }

    /// Everybody finishes what they have begun.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.release();
    }

    /// Payers of every kind, until the end; how many there were.
    pub(crate) async fn flow(&self, bench: &Bench) -> usize {
        let portal = &Portal { bench };
        let always = || true;
        let refunded = self.again_and_again(PAUSE, always, async || pay_and_refund(portal).await);
        let begun = self.again_and_again(PAUSE, always, async || begin(portal).await);
        let refused = self.again_and_again(PAUSE, always, async || begin_with_another_card(portal).await);
        let (refunded, begun, refused) = tokio::join!(refunded, begun, refused);
        refunded + begun + refused
    }

    /// So many of each kind at once, while a TYPE of question that they make the gateway ask `is_wanted`.
    pub(crate) async fn flow_broad(&self, bench: &Bench, width: usize, is_wanted: &dyn Fn(&[&str]) -> bool) -> usize {
        let portal = &Portal { bench };
        let flows = (0..width).map(|_| async move {
            let refunded = || is_wanted(&["00005", "00011", "00017"]);
            let refunded = self.again_and_again(SHORT_PAUSE, refunded, async || pay_and_refund(portal).await);
            let in_part = || is_wanted(&["00014"]);
            let in_part = self.again_and_again(SHORT_PAUSE, in_part, async || pay_and_refund_in_parts(portal).await);
            let begun = || is_wanted(&["00002"]);
            let begun = self.again_and_again(SHORT_PAUSE, begun, async || begin(portal).await);
            let refused = || is_wanted(&["00005"]);
            let refused = self.again_and_again(SHORT_PAUSE, refused, async || begin_with_another_card(portal).await);
            let (refunded, in_part, begun, refused) = tokio::join!(refunded, in_part, begun, refused);
            refunded + in_part + begun + refused
        });
        join_all(flows).await.into_iter().sum()
    }

    async fn again_and_again(&self, pause: Duration, is_wanted: impl Fn() -> bool, walk: impl AsyncFn()) -> usize {
        let mut walked = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            // Counted before it looks, so that whoever holds sees either nobody or somebody who has begun.
            self.under_way.fetch_add(1, Ordering::SeqCst);
            if !self.is_held.load(Ordering::SeqCst) && is_wanted() {
                walk().await;
                walked += 1;
            }
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            tokio::time::sleep(pause).await;
        }
        walked
    }
}

/// In full: a refund that is in doubt may end before people.
async fn pay_and_refund(portal: &Portal<'_>) {
    let id = portal.pay_once(50_000).await;
    portal.refund(&id, 50_000).await;
}

async fn pay_and_refund_in_parts(portal: &Portal<'_>) {
    let id = portal.pay_once(50_000).await;
    for _ in 0..PARTS {
        portal.ask_refund(&id, 1_000).await;
    }
}

async fn begin(portal: &Portal<'_>) {
    portal.begin_plan("2x", 40_000, &[ACCEPTED]).await;
}

async fn begin_with_another_card(portal: &Portal<'_>) {
    portal.begin_plan("2x", 30_000, &[VIRTUAL, ACCEPTED]).await;
}
